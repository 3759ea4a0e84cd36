/* The exact comparison, on values whose order is known; number_test.c covers it by rounding. */
#include "codec/number_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int compared(const char *mantissa, int64_t exponent, uint64_t m, int32_t p) {
    struct sn_number number = {.mantissa = sn_str_from(mantissa), .exponent_text = exponent};
    int order = sn_bigdecimal_compare(&number, m, p);
    return (order > 0) - (order < 0);
}

static void equal_values_compare_equal_in_any_form(void **state) {
    (void)state;
    assert_int_equal(compared("1", 0, 1, 0), 0);
    assert_int_equal(compared("0001.000", 0, 1, 0), 0);
    assert_int_equal(compared("0.5", 0, 1, -1), 0);
    assert_int_equal(compared("5", -1, 1, -1), 0);
    assert_int_equal(compared("1", 3, 125, 3), 0);
    assert_int_equal(compared("1024", 0, 1, 10), 0);
    assert_int_equal(compared("0.0009765625", 0, 1, -10), 0);
    assert_int_equal(compared("9765625", -10, 1, -10), 0);
}

static void one_unit_more_or_less_is_seen(void **state) {
    (void)state;
    assert_int_equal(compared("1.00000000000000000000000000000000000000000001", 0, 1, 0), 1);
    assert_int_equal(compared("0.99999999999999999999999999999999999999999999", 0, 1, 0), -1);
    assert_int_equal(compared("1", 22, UINT64_C(2384185791015625), 22), 0);
    assert_int_equal(compared("1", 22, UINT64_C(2384185791015626), 22), -1);
    assert_int_equal(compared("1", 22, UINT64_C(2384185791015624), 22), 1);
}

/* 1 followed by zeros up to `digits`, then 1: only "something follows" remains of it. */
static void digits_beyond_the_maximum_count_as_more_than_nothing(void **state) {
    (void)state;
    char text[2 * SN_BIGDECIMAL_DIGITS + 2];
    memset(text, '0', sizeof(text));
    text[0] = '1';
    text[1] = '.';
    text[sizeof(text) - 1] = '\0';
    assert_int_equal(compared(text, 0, 1, 0), 0);
    text[sizeof(text) - 2] = '1';
    assert_int_equal(compared(text, 0, 1, 0), 1);
    assert_int_equal(compared(text, 1, 10, 0), 1);
    assert_int_equal(compared(text, -1, 1, -3), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_compare_equal_in_any_form),
        cmocka_unit_test(one_unit_more_or_less_is_seen),
        cmocka_unit_test(digits_beyond_the_maximum_count_as_more_than_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
