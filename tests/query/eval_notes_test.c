#include "eval_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state) {
    *state = test_malloc(sizeof(struct eval_fixture));
    eval_fixture_init(*state);
    return 0;
}

static int teardown(void **state) {
    eval_fixture_release(*state);
    test_free(*state);
    return 0;
}

static void a_note_tells_line_and_column_once(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_node node = {.span = {18, 22}};
    sn_eval_warn(&fixture->eval, &node, "odd %s", "thing");
    sn_eval_warn(&fixture->eval, &node, "odd %s", "thing");
    sn_eval_inform(&fixture->eval, &node, "good to know");
    assert_int_equal(fixture->eval.warnings.count, 1);
    assert_int_equal(fixture->eval.infos.count, 1);
    assert_string_equal(fixture->eval.warnings.items[0].ptr, "PromQL warning: odd thing (2:8)");
    assert_string_equal(fixture->eval.infos.items[0].ptr, "PromQL info: good to know (2:8)");
}

static void the_limit_of_notes_holds_at_both_sides(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_node node = {.span = {0, 1}};
    for (int i = 0; i < SN_NOTES_MAX + 1; i++) {
        sn_eval_warn(&fixture->eval, &node, "note %d", i);
        assert_int_equal(fixture->eval.warnings.count, i < SN_NOTES_MAX ? i + 1 : SN_NOTES_MAX);
    }
}

static void a_wrong_quantile_is_warned_about_and_a_right_one_is_not(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_node node = {.span = {0, 1}};
    sn_eval_warn_quantile(&fixture->eval, &node, 0);
    sn_eval_warn_quantile(&fixture->eval, &node, 1);
    assert_int_equal(fixture->eval.warnings.count, 0);
    sn_eval_warn_quantile(&fixture->eval, &node, 1.5);
    sn_eval_warn_quantile(&fixture->eval, &node, (double)NAN);
    assert_int_equal(fixture->eval.warnings.count, 2);
    assert_string_equal(fixture->eval.warnings.items[1].ptr,
                        "PromQL warning: quantile value should be between 0 and 1, got NaN (1:1)");
}

static void numbers_and_labels_read_as_in_go(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_eval *eval = &fixture->eval;
    struct sn_labels labels =
        eval_fixture_labels(fixture, (const char *const[]){"__name__", "m", "a b", "x\"y\n"}, 2);
    assert_string_equal(sn_eval_labels_text(eval, labels),
                        "{__name__=\"m\", \"a b\"=\"x\\\"y\\n\"}");
    assert_string_equal(sn_eval_number_text(eval, 1e21), "1e+21");
    assert_string_equal(sn_eval_fixed_text(eval, -2.5), "-2.500000");
    assert_string_equal(sn_eval_fixed_text(eval, 1e30), "1e+30");
    assert_string_equal(sn_eval_openmetrics_text(eval, 1), "1.0");
    assert_string_equal(sn_eval_quoted(eval, SN_STR("a\tb")), "\"a\\tb\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_note_tells_line_and_column_once, setup, teardown),
        cmocka_unit_test_setup_teardown(the_limit_of_notes_holds_at_both_sides, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_quantile_is_warned_about_and_a_right_one_is_not,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_and_labels_read_as_in_go, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
