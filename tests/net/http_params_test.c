/* Tests of percent escapes and parameters. */
#include "http_support.h"

#include "base/mem.h"
#include "net/http_priv.h"

static int set_up(void **state) {
    static struct sn_arena arena;
    sn_arena_init(&arena, 1 << 20);
    *state = &arena;
    return 0;
}

static int tear_down(void **state) {
    sn_arena_release(*state);
    return 0;
}

static void expect_decoded(struct sn_arena *arena, const char *text, bool is_form,
                           const char *expected) {
    struct sn_str out;
    assert_int_equal(sn_http_decode(arena, sn_str_from(text), is_form, &out, NULL), SN_OK);
    assert_true(sn_str_equal(out, sn_str_from(expected)));
}

static void escapes_are_undone_once(void **state) {
    expect_decoded(*state, "", false, "");
    expect_decoded(*state, "plain", false, "plain");
    expect_decoded(*state, "a%20b%2Fc%2fd", false, "a b/c/d");
    expect_decoded(*state, "%2541", false, "%41");
    expect_decoded(*state, "a+b", false, "a+b");
    expect_decoded(*state, "a+b%2B", true, "a b+");
    expect_decoded(*state, "%ff%C3%A4", false, "\xff\xC3\xA4");
}

static void text_without_escapes_is_borrowed(void **state) {
    struct sn_str text = SN_STR("plain+text");
    struct sn_str out;
    assert_int_equal(sn_http_decode(*state, text, false, &out, NULL), SN_OK);
    assert_ptr_equal(out.ptr, text.ptr);
}

static void broken_escapes_are_named(void **state) {
    static const char *const texts[] = {"%", "%4", "a%zz", "%4g", "%-1", "a%"};
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct sn_str out;
        struct sn_err err;
        assert_int_equal(sn_http_decode(*state, sn_str_from(texts[i]), false, &out, &err),
                         SN_ERR_INVALID);
        assert_non_null(strstr(err.text, "is not a valid percent escape"));
    }
}

static void nul_is_refused_escaped_or_not(void **state) {
    struct sn_str out;
    assert_int_equal(sn_http_decode(*state, SN_STR("a%00b"), false, &out, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_http_decode(*state, SN_STR("a\0b"), false, &out, NULL), SN_ERR_INVALID);
}

static void expect_params(struct sn_arena *arena, const char *text, const char *expected) {
    struct sn_http_fields params = {0};
    struct sn_buf out;
    sn_buf_init(&out, 0);
    assert_int_equal(sn_http_params_append(arena, sn_str_from(text), &params, NULL), SN_OK);
    for (size_t i = 0; i < params.count; i++)
        sn_buf_printf(&out, "[%.*s|%.*s]", SN_STR_ARG(params.items[i].name),
                      SN_STR_ARG(params.items[i].value));
    assert_true(sn_str_equal(sn_buf_str(&out), sn_str_from(expected)));
    sn_buf_release(&out);
}

static void pairs_are_split_before_they_are_decoded(void **state) {
    expect_params(*state, "", "");
    expect_params(*state, "a=1", "[a|1]");
    expect_params(*state, "a=1&b=2&a=3", "[a|1][b|2][a|3]");
    expect_params(*state, "a%3Db=c%26d", "[a=b|c&d]");
    expect_params(*state, "a&=b&&c=&d==e", "[a|][|b][c|][d|=e]");
    expect_params(*state, "match[]=up%7Bjob%3D%22x%22%7D", "[match[]|up{job=\"x\"}]");
}

static void appending_keeps_what_was_there(void **state) {
    struct sn_http_fields params = {0};
    assert_int_equal(sn_http_params_append(*state, SN_STR("a=1"), &params, NULL), SN_OK);
    assert_int_equal(sn_http_params_append(*state, SN_STR("b=%"), &params, NULL), SN_ERR_INVALID);
    assert_int_equal(params.count, 1);
    assert_int_equal(sn_http_params_append(*state, SN_STR("b=2"), &params, NULL), SN_OK);
    assert_int_equal(params.count, 2);
    assert_true(sn_str_equal(params.items[0].value, SN_STR("1")));
}

static void the_limit_of_parameters_holds_at_both_sides(void **state) {
    char text[2 * (SN_HTTP_PARAMS_MAX + 1)];
    struct sn_http_fields params = {0};
    struct sn_err err;
    for (size_t i = 0; i < sizeof(text); i += 2)
        memcpy(text + i, "a&", 2);
    assert_int_equal(sn_http_params_append(*state, sn_str_make(text, sizeof(text)), &params, &err),
                     SN_ERR_LIMIT);
    assert_string_equal(err.text, "more than 512 parameters");
    assert_int_equal(
        sn_http_params_append(*state, sn_str_make(text, sizeof(text) - 2), &params, NULL), SN_OK);
    assert_int_equal(params.count, SN_HTTP_PARAMS_MAX);
}

static void a_full_arena_is_a_limit(void **state) {
    struct sn_arena arena;
    struct sn_http_fields params = {0};
    struct sn_str out;
    (void)state;
    sn_arena_init(&arena, 16);
    assert_int_equal(sn_http_params_append(&arena, SN_STR("a=b"), &params, NULL), SN_ERR_LIMIT);
    assert_int_equal(sn_http_decode(&arena, SN_STR("%41%41%41%41%41%41"), false, &out, NULL),
                     SN_ERR_LIMIT);
    sn_arena_release(&arena);
}

#define IN_ARENA(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        IN_ARENA(escapes_are_undone_once),
        IN_ARENA(text_without_escapes_is_borrowed),
        IN_ARENA(broken_escapes_are_named),
        IN_ARENA(nul_is_refused_escaped_or_not),
        IN_ARENA(pairs_are_split_before_they_are_decoded),
        IN_ARENA(appending_keeps_what_was_there),
        IN_ARENA(the_limit_of_parameters_holds_at_both_sides),
        cmocka_unit_test(a_full_arena_is_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
