/* Lines, fields and numbers of kernel text. */
#include "collect/scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void lines_end_at_newlines_and_the_last_may_lack_one(void **state) {
    (void)state;
    struct sn_str rest = SN_STR("one\n\nthree"), line;
    assert_true(sn_scan_line(&rest, &line));
    assert_true(sn_str_equal(line, SN_STR("one")));
    assert_true(sn_scan_line(&rest, &line));
    assert_int_equal(line.len, 0);
    assert_true(sn_scan_line(&rest, &line));
    assert_true(sn_str_equal(line, SN_STR("three")));
    assert_false(sn_scan_line(&rest, &line));
}

static void fields_are_split_at_runs_of_blanks_and_tabs(void **state) {
    (void)state;
    struct sn_str fields[4];
    assert_int_equal(sn_scan_fields(SN_STR("  a \t bb  "), fields, 4), 2);
    assert_true(sn_str_equal(fields[0], SN_STR("a")));
    assert_true(sn_str_equal(fields[1], SN_STR("bb")));
    assert_int_equal(sn_scan_fields(SN_STR("   "), fields, 4), 0);
}

static void further_fields_than_asked_for_are_left_out(void **state) {
    (void)state;
    struct sn_str fields[2];
    assert_int_equal(sn_scan_fields(SN_STR("a b c"), fields, 2), 2);
}

static void keyed_values_are_found_with_and_without_colon(void **state) {
    (void)state;
    struct sn_str text = SN_STR("ctxt 12\nMemTotal:   34 kB\nbroken\nword x\n");
    uint64_t value;
    assert_true(sn_scan_keyed(text, SN_STR("ctxt"), &value));
    assert_int_equal(value, 12);
    assert_true(sn_scan_keyed(text, SN_STR("MemTotal"), &value));
    assert_int_equal(value, 34);
    assert_false(sn_scan_keyed(text, SN_STR("Mem"), &value));
    assert_false(sn_scan_keyed(text, SN_STR("broken"), &value));
    assert_false(sn_scan_keyed(text, SN_STR("word"), &value));
}

static void numbers_that_are_none_are_refused(void **state) {
    (void)state;
    uint64_t integer;
    double real;
    assert_false(sn_scan_u64(SN_STR("-1"), &integer));
    assert_false(sn_scan_u64(SN_STR("18446744073709551616"), &integer));
    assert_false(sn_scan_u64(SN_STR(""), &integer));
    assert_true(sn_scan_double(SN_STR("0.25"), &real));
    assert_true(real == 0.25);
    assert_false(sn_scan_double(SN_STR("0,25"), &real));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_newlines_and_the_last_may_lack_one),
        cmocka_unit_test(fields_are_split_at_runs_of_blanks_and_tabs),
        cmocka_unit_test(further_fields_than_asked_for_are_left_out),
        cmocka_unit_test(keyed_values_are_found_with_and_without_colon),
        cmocka_unit_test(numbers_that_are_none_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
