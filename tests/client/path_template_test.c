/* Tests of templates of paths. */
#include "client_support.h"

static sonde_path_rules *rules_of(const char *const *templates, size_t count) {
    sonde_error error;
    sonde_path_options options = {.templates = templates, .template_count = count};
    sonde_path_rules *rules = sonde_path_rules_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    return rules;
}

static void assert_path(const sonde_path_rules *rules, const char *path, const char *expected) {
    char out[SONDE_PATH_SIZE], again[SONDE_PATH_SIZE];
    size_t len = sonde_path_normalise(rules, path, strlen(path), out, sizeof out);
    assert_string_equal(out, expected);
    (void)sonde_path_normalise(rules, out, len, again, sizeof again);
    assert_string_equal(again, expected);
}

static void parameters_take_any_one_segment(void **state) {
    (void)state;
    static const char *const templates[] = {"/api/{version}/items/:id", "/files/{name}/"};
    sonde_path_rules *rules = rules_of(templates, 2);
    assert_path(rules, "/api/v2/items/apple", "/api/:version/items/:id");
    assert_path(rules, "/api/v2/items/7?x=1", "/api/:version/items/:id");
    assert_path(rules, "/api//v2/items/\xff/", "/api/:version/items/:id");
    assert_path(rules, "/files/readme", "/files/:name");
    assert_path(rules, "/api/v2/items", "/api/v2/items");
    assert_path(rules, "/api/v2/items/7/8", "/api/v2/items/:id/:id");
    (void)sonde_path_rules_free(rules);
}

static void the_first_template_that_matches_counts(void **state) {
    (void)state;
    static const char *const templates[] = {"/a/:x", "/:y/b", "/a/b", "/"};
    sonde_path_rules *rules = rules_of(templates, 4);
    assert_path(rules, "/a/b", "/a/:x");
    assert_path(rules, "/q/b", "/:y/b");
    assert_path(rules, "/", "/");
    (void)sonde_path_rules_free(rules);
}

static void a_star_takes_the_rest(void **state) {
    (void)state;
    static const char *const templates[] = {"/static/:file", "/static/*", "/*"};
    sonde_path_rules *rules = rules_of(templates, 2);
    assert_path(rules, "/static/a", "/static/:file");
    assert_path(rules, "/static/a/b/c", "/static/*");
    assert_path(rules, "/static/a/b/c/d/e/f/g/h/i/j/k/l/m/n", "/static/*");
    assert_path(rules, "/static", "/static");
    (void)sonde_path_rules_free(rules);
    rules = rules_of(templates + 2, 1);
    assert_path(rules, "/x/1/2", "/*");
    assert_path(rules, "/", "/");
    (void)sonde_path_rules_free(rules);
}

static void literals_win_over_the_rules_of_ids(void **state) {
    (void)state;
    static const char *const templates[] = {"/api/2024/report"};
    sonde_path_rules *rules = rules_of(templates, 1);
    assert_path(rules, "/api/2024/report", "/api/2024/report");
    assert_path(rules, "/api/2025/report", "/api/:id/report");
    (void)sonde_path_rules_free(rules);
}

static void with_templates_only_the_rest_is_other(void **state) {
    (void)state;
    static const char *const templates[] = {"/a/:b"};
    sonde_path_options options = {
        .templates = templates, .template_count = 1, .templates_only = true};
    sonde_path_rules *rules = sonde_path_rules_new(&options, NULL);
    assert_path(rules, "/a/1", "/a/:b");
    assert_path(rules, "/a", ":other");
    assert_path(rules, "/", ":other");
    char small[6];
    (void)sonde_path_normalise(rules, "/a/1", 4, small, 5);
    assert_string_equal(small, "");
    (void)sonde_path_rules_free(rules);
}

static void a_template_that_does_not_fit_is_the_rest(void **state) {
    (void)state;
    static const char *const templates[] = {"/alpha/:beta"};
    sonde_path_rules *rules = rules_of(templates, 1);
    char out[13];
    (void)sonde_path_normalise(rules, "/alpha/1", 8, out, 13);
    assert_string_equal(out, "/alpha/:beta");
    (void)sonde_path_normalise(rules, "/alpha/1", 8, out, 12);
    assert_string_equal(out, "/:rest");
    (void)sonde_path_rules_free(rules);
}

static void assert_refused(const char *template, sonde_status status, const char *sentence) {
    sonde_error error;
    sonde_path_options options = {.templates = &template, .template_count = 1, .segment_max = 3};
    assert_null(sonde_path_rules_new(&options, &error));
    assert_int_equal(error.status, status);
    assert_string_equal(error.text, sentence);
}

static void wrong_templates_are_named(void **state) {
    (void)state;
    assert_refused(NULL, SONDE_ERR_INVALID, "template 0 does not start with /");
    assert_refused("a/b", SONDE_ERR_INVALID, "template 0 does not start with /");
    assert_refused("/a?b", SONDE_ERR_INVALID, "template /a?b has a query or a fragment");
    assert_refused("/a/{b", SONDE_ERR_INVALID, "template /a/{b: \"{b\" is no segment");
    assert_refused("/a/{}", SONDE_ERR_INVALID, "template /a/{}: \"{}\" is no segment");
    assert_refused("/a/{", SONDE_ERR_INVALID, "template /a/{: \"{\" is no segment");
    assert_refused("/a/:", SONDE_ERR_INVALID, "template /a/:: \":\" is no segment");
    assert_refused("/a/:1", SONDE_ERR_INVALID, "template /a/:1: \":1\" is no segment");
    assert_refused("/*/b", SONDE_ERR_INVALID, "template /*/b: \"*\" is no segment");
    assert_refused("/a*", SONDE_ERR_INVALID, "template /a*: \"a*\" is no segment");
    assert_refused("/a b", SONDE_ERR_INVALID, "template /a b: \"a b\" is no segment");
    assert_refused("/a/b/c/d", SONDE_ERR_LIMIT, "template /a/b/c/d has more than 3 segments");
    sonde_error error;
    sonde_path_options options = {.template_count = 1};
    assert_null(sonde_path_rules_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
}

static void limits_hold_at_both_sides(void **state) {
    (void)state;
    char text[SONDE_PATH_TEMPLATE_BYTES_MAX + 2];
    const char *template = text;
    sonde_path_options options = {.templates = &template, .template_count = 1};
    sonde_error error;
    memset(text, 'a', sizeof text);
    text[0] = '/';
    text[SONDE_PATH_TEMPLATE_BYTES_MAX] = '\0';
    sonde_path_rules *rules = sonde_path_rules_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    (void)sonde_path_rules_free(rules);
    text[SONDE_PATH_TEMPLATE_BYTES_MAX] = 'a';
    text[SONDE_PATH_TEMPLATE_BYTES_MAX + 1] = '\0';
    assert_null(sonde_path_rules_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);

    const char *many[SONDE_PATH_TEMPLATES_MAX + 1];
    for (size_t i = 0; i <= SONDE_PATH_TEMPLATES_MAX; i++)
        many[i] = "/a/:b";
    options = (sonde_path_options){.templates = many, .template_count = SONDE_PATH_TEMPLATES_MAX};
    rules = sonde_path_rules_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    (void)sonde_path_rules_free(rules);
    options.template_count++;
    assert_null(sonde_path_rules_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_take_any_one_segment),
        cmocka_unit_test(the_first_template_that_matches_counts),
        cmocka_unit_test(a_star_takes_the_rest),
        cmocka_unit_test(literals_win_over_the_rules_of_ids),
        cmocka_unit_test(with_templates_only_the_rest_is_other),
        cmocka_unit_test(a_template_that_does_not_fit_is_the_rest),
        cmocka_unit_test(wrong_templates_are_named),
        cmocka_unit_test(limits_hold_at_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
