/*
 * The table of functions.
 */
#include "query/functions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_function_is_found_by_name_and_id(void **state) {
    (void)state;
    for (int id = 0; id < SN_FN_COUNT; id++) {
        const struct sn_function *function = sn_function_get((enum sn_function_id)id);
        assert_int_equal(function->id, id);
        assert_ptr_equal(sn_function_find(sn_str_from(function->name)), function);
        assert_true(function->arg_count <= SN_FUNCTION_ARGS_MAX);
        assert_true(function->variadic == 0 || function->arg_count > 0);
    }
}

static void the_table_is_sorted(void **state) {
    (void)state;
    for (int id = 1; id < SN_FN_COUNT; id++) {
        const char *before = sn_function_get((enum sn_function_id)(id - 1))->name;
        const char *after = sn_function_get((enum sn_function_id)id)->name;
        assert_true(sn_str_compare(sn_str_from(before), sn_str_from(after)) < 0);
    }
}

static void other_names_are_not_found(void **state) {
    (void)state;
    assert_null(sn_function_find(SN_STR("")));
    assert_null(sn_function_find(SN_STR("aaa")));
    assert_null(sn_function_find(SN_STR("zzz")));
    assert_null(sn_function_find(SN_STR("Rate")));
    assert_null(sn_function_find(SN_STR("rate2")));
}

static void near_names_are_suggested(void **state) {
    (void)state;
    assert_string_equal(sn_function_suggest(SN_STR("rates")), "rate");
    assert_string_equal(sn_function_suggest(SN_STR("Rate")), "rate");
    assert_string_equal(sn_function_suggest(SN_STR("histogram_quantil")), "histogram_quantile");
    assert_string_equal(sn_function_suggest(SN_STR("sum_over_tmie")), "sum_over_time");
    assert_null(sn_function_suggest(SN_STR("nothing_like_it")));
    assert_null(sn_function_suggest(SN_STR("")));
}

static void types_have_names(void **state) {
    (void)state;
    assert_string_equal(sn_value_type_name(SN_VALUE_SCALAR), "scalar");
    assert_string_equal(sn_value_type_name(SN_VALUE_STRING), "string");
    assert_string_equal(sn_value_type_name(SN_VALUE_VECTOR), "vector");
    assert_string_equal(sn_value_type_name(SN_VALUE_MATRIX), "matrix");
    assert_string_equal(sn_value_type_words(SN_VALUE_SCALAR), "scalar");
    assert_string_equal(sn_value_type_words(SN_VALUE_STRING), "string");
    assert_string_equal(sn_value_type_words(SN_VALUE_VECTOR), "instant vector");
    assert_string_equal(sn_value_type_words(SN_VALUE_MATRIX), "range vector");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_is_found_by_name_and_id),
        cmocka_unit_test(the_table_is_sorted),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(near_names_are_suggested),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
