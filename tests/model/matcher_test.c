/* Matchers: each kind, absent labels, text. */
#include "model/matcher.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* A "regex" for tests: matches the text that it points to. */
static bool is_text(const void *compiled, struct sn_str text) {
    return sn_str_equal(text, sn_str_from(compiled));
}

static struct sn_matcher matcher(enum sn_match_kind kind, const char *name, const char *value) {
    bool is_regex = kind == SN_MATCH_REGEX || kind == SN_MATCH_NOT_REGEX;
    return (struct sn_matcher){kind, sn_str_from(name), sn_str_from(value),
                               is_regex ? is_text : NULL, value};
}

static void each_kind_passes_what_it_says(void **state) {
    (void)state;
    static const bool expected[4][2] = {{true, false}, {false, true}, {true, false}, {false, true}};
    for (int kind = 0; kind < 4; kind++) {
        struct sn_matcher m = matcher((enum sn_match_kind)kind, "a", "x");
        assert_int_equal(sn_matcher_passes(&m, SN_STR("x")), expected[kind][0]);
        assert_int_equal(sn_matcher_passes(&m, SN_STR("y")), expected[kind][1]);
    }
}

static void a_regex_that_is_not_compiled_passes_nothing(void **state) {
    (void)state;
    struct sn_matcher m = {.kind = SN_MATCH_REGEX, .name = SN_STR("a"), .value = SN_STR(".*")};
    assert_false(sn_matcher_passes(&m, SN_STR("x")));
    m.kind = SN_MATCH_NOT_REGEX;
    assert_false(sn_matcher_passes(&m, SN_STR("x")));
    assert_false(sn_matcher_passes_empty(&m));
}

static void an_absent_label_is_an_empty_value(void **state) {
    (void)state;
    struct sn_matcher not_x = matcher(SN_MATCH_NOT_EQUAL, "a", "x");
    struct sn_matcher empty = matcher(SN_MATCH_EQUAL, "a", "");
    struct sn_matcher x = matcher(SN_MATCH_EQUAL, "a", "x");
    assert_true(sn_matcher_passes_empty(&not_x));
    assert_true(sn_matcher_passes_empty(&empty));
    assert_false(sn_matcher_passes_empty(&x));
    struct sn_labels none = {NULL, 0};
    assert_true(sn_matchers_pass(&empty, 1, none));
    assert_false(sn_matchers_pass(&x, 1, none));
}

static void all_matchers_must_pass(void **state) {
    (void)state;
    struct sn_label items[] = {{SN_STR("a"), SN_STR("1")}, {SN_STR("b"), SN_STR("2")}};
    struct sn_labels labels = {items, 2};
    struct sn_matcher matchers[] = {matcher(SN_MATCH_EQUAL, "a", "1"),
                                    matcher(SN_MATCH_REGEX, "b", "2")};
    assert_true(sn_matchers_pass(matchers, 0, labels));
    assert_true(sn_matchers_pass(matchers, 2, labels));
    matchers[1] = matcher(SN_MATCH_NOT_REGEX, "b", "2");
    assert_false(sn_matchers_pass(matchers, 2, labels));
}

static void text_form_has_the_operator_and_escapes(void **state) {
    (void)state;
    static const char *const expected[] = {"a=\"x\\\"\"", "a!=\"x\\\"\"", "a=~\"x\\\"\"",
                                           "a!~\"x\\\"\""};
    for (int kind = 0; kind < 4; kind++) {
        struct sn_matcher m = matcher((enum sn_match_kind)kind, "a", "x\"");
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_matcher_format(&m, &buf);
        assert_true(sn_str_equal(sn_buf_str(&buf), sn_str_from(expected[kind])));
        sn_buf_release(&buf);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_passes_what_it_says),
        cmocka_unit_test(a_regex_that_is_not_compiled_passes_nothing),
        cmocka_unit_test(an_absent_label_is_an_empty_value),
        cmocka_unit_test(all_matchers_must_pass),
        cmocka_unit_test(text_form_has_the_operator_and_escapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
