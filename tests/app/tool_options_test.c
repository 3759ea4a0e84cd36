/* Command line of the data commands. */
#include "app/tool_options.h"

#include "app_support.h"

#include <stdlib.h>
#include <string.h>

#define ALL                                                                                        \
    (SN_TOOL_DATA | SN_TOOL_SERVER | SN_TOOL_SELECT | SN_TOOL_FORMAT | SN_TOOL_OUTPUT |            \
     SN_TOOL_FROM)

static sn_status parse(const char *line, unsigned allowed, size_t words,
                       struct sn_tool_options *options, struct sn_err *err) {
    static char copy[1024];
    static char *argv[64];
    int argc = 0;
    (void)snprintf(copy, sizeof copy, "tool %s", line);
    for (char *save = NULL, *word = strtok_r(copy, " ", &save); word && argc < 63;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    argv[argc] = NULL;
    return sn_tool_options_parse(argc, argv, allowed, words, options, err);
}

static void every_option_finds_its_place(void **state) {
    (void)state;
    struct sn_tool_options options;
    struct sn_err err;
    assert_int_equal(parse("a --data d --config=c --url u --token-file t --match m1 --match m2 b "
                           "--start 1 --end 2 --format f --output o --from 7 -q",
                           ALL, 2, &options, &err),
                     SN_OK);
    assert_string_equal(options.words[0], "a");
    assert_string_equal(options.words[1], "b");
    assert_string_equal(options.data, "d");
    assert_string_equal(options.config_path, "c");
    assert_string_equal(options.url, "u");
    assert_string_equal(options.token_path, "t");
    assert_int_equal(options.match_count, 2);
    assert_string_equal(options.matches[1], "m2");
    assert_string_equal(options.format, "f");
    assert_string_equal(options.output, "o");
    assert_string_equal(options.from, "7");
    assert_true(options.is_quiet && !options.wants_help);
    struct sn_range range;
    assert_int_equal(sn_tool_options_range(&options, &range, &err), SN_OK);
    assert_int_equal(range.start_ms, 1000);
    assert_int_equal(range.end_ms, 2000);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        const char *line, *words;
        unsigned allowed;
    } cases[] = {
        {"a --dat", "unknown option --dat", ALL & ~SN_TOOL_DATA},
        {"a --bogus", "unknown option --bogus", ALL},
        {"a -x", "unknown option -x", ALL},
        {"a --data", "option --data needs a value", ALL},
        {"a --data d", "this command has no option --data", SN_TOOL_SERVER},
        {"a --match m", "this command has no option --match", SN_TOOL_SERVER},
        {"a b", "unexpected argument \"b\"", ALL},
        {"", "an argument is missing", ALL},
    };
    for (size_t i = 1; i < sizeof cases / sizeof *cases; i++) {
        struct sn_tool_options options;
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(parse(cases[i].line, cases[i].allowed, 1, &options, &err), SN_ERR_INVALID);
        assert_non_null(strstr(err.text, cases[i].words));
    }
    struct sn_tool_options options;
    assert_int_equal(parse("--help", ALL, 1, &options, NULL), SN_OK); /* needs no words */
    assert_true(options.wants_help);
}

static void selectors_have_a_limit(void **state) {
    (void)state;
    char line[512] = "a";
    struct sn_tool_options options;
    for (int i = 0; i <= SN_TOOL_MATCHES_MAX; i++) {
        assert_int_equal(parse(line, ALL, 1, &options, NULL), SN_OK);
        assert_int_equal(options.match_count, i);
        size_t len = strlen(line);
        (void)snprintf(line + len, sizeof line - len, " --match m");
    }
    assert_int_equal(parse(line, ALL, 1, &options, NULL), SN_ERR_INVALID);
}

static void times_and_settings_are_read(void **state) {
    (void)state;
    struct sn_tool_options options = {.start = "x"};
    struct sn_range range;
    struct sn_err err;
    struct sn_config config;
    assert_int_equal(sn_tool_options_range(&options, &range, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "--start"));
    options = (struct sn_tool_options){.start = "2026-01-02T00:00:00Z", .end = "1"};
    assert_int_equal(sn_tool_options_range(&options, &range, &err), SN_ERR_INVALID);
    options = (struct sn_tool_options){.data = "here"};
    assert_int_equal(sn_tool_options_range(&options, &range, &err), SN_OK);
    assert_true(range.start_ms == 0 && range.end_ms > INT64_C(200000000000000));
    assert_int_equal(sn_tool_options_config(&options, &config, &err), SN_OK);
    assert_string_equal(config.data, "here");
    sn_config_release(&config);
    char *dir = make_temp_dir();
    char *file = make_file(dir, "c.yml", "data: there\nlisten: 127.0.0.1:1\n");
    options = (struct sn_tool_options){.config_path = file};
    assert_int_equal(sn_tool_options_config(&options, &config, &err), SN_OK);
    assert_string_equal(config.data, "there");
    assert_string_equal(config.listen, "127.0.0.1:1");
    sn_config_release(&config);
    options.config_path = "/nothing/there";
    assert_int_equal(sn_tool_options_config(&options, &config, &err), SN_ERR_NOT_FOUND);
    sn_config_release(&config);
    free(file);
    remove_temp_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_option_finds_its_place),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(selectors_have_a_limit),
        cmocka_unit_test(times_and_settings_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
