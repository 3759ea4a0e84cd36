/* Health indicators at their thresholds. */
#include "insight/indicator.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void each_indicator_has_its_thresholds(void **state) {
    (void)state;
    static const struct {
        enum sn_indicator_kind kind;
        double value;
        enum sn_health health;
    } rows[] = {
        {SN_INDICATOR_SUCCESS_RATE, 95.1, SN_HEALTH_GOOD},
        {SN_INDICATOR_SUCCESS_RATE, 95, SN_HEALTH_WARNING},
        {SN_INDICATOR_SUCCESS_RATE, 90, SN_HEALTH_WARNING},
        {SN_INDICATOR_SUCCESS_RATE, 89.9, SN_HEALTH_CRITICAL},
        {SN_INDICATOR_AVERAGE_TIME, 29.9, SN_HEALTH_GOOD},
        {SN_INDICATOR_AVERAGE_TIME, 60, SN_HEALTH_WARNING},
        {SN_INDICATOR_AVERAGE_TIME, 60.1, SN_HEALTH_CRITICAL},
        {SN_INDICATOR_QUEUE_DEPTH, 99, SN_HEALTH_GOOD},
        {SN_INDICATOR_QUEUE_DEPTH, 100, SN_HEALTH_WARNING},
        {SN_INDICATOR_QUEUE_DEPTH, 501, SN_HEALTH_CRITICAL},
        {SN_INDICATOR_REFUND_RATE, 0, SN_HEALTH_GOOD},
        {SN_INDICATOR_REFUND_RATE, 10, SN_HEALTH_WARNING},
        {SN_INDICATOR_REFUND_RATE, 11, SN_HEALTH_CRITICAL},
        {SN_INDICATOR_QUEUE_DEPTH, (double)NAN, SN_HEALTH_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(
            sn_indicator_judge(rows[i].kind, sn_indicator_default(rows[i].kind), rows[i].value),
            rows[i].health);
}

static void the_worst_counts_and_unknown_says_nothing(void **state) {
    (void)state;
    assert_int_equal(sn_health_worst(SN_HEALTH_GOOD, SN_HEALTH_UNKNOWN), SN_HEALTH_GOOD);
    assert_int_equal(sn_health_worst(SN_HEALTH_WARNING, SN_HEALTH_CRITICAL), SN_HEALTH_CRITICAL);
}

static void everything_has_a_name(void **state) {
    (void)state;
    for (int i = 0; i < SN_INDICATOR_COUNT; i++)
        assert_string_not_equal(sn_indicator_name((enum sn_indicator_kind)i), "unknown");
    assert_string_equal(sn_health_name(SN_HEALTH_UNKNOWN), "unknown");
    assert_string_equal(sn_health_name(SN_HEALTH_GOOD), "good");
    assert_string_equal(sn_health_name(SN_HEALTH_WARNING), "warning");
    assert_string_equal(sn_health_name(SN_HEALTH_CRITICAL), "critical");
}

static void a_part_of_nothing_is_unknown(void **state) {
    (void)state;
    assert_true(sn_ratio(1, 4) == 0.25);
    assert_true(sn_ratio(0, 4) == 0);
    assert_true(isnan(sn_ratio(1, 0)));
    assert_true(isnan(sn_ratio(1, -4)));
    assert_true(isnan(sn_ratio(1, (double)NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_indicator_has_its_thresholds),
        cmocka_unit_test(the_worst_counts_and_unknown_says_nothing),
        cmocka_unit_test(everything_has_a_name),
        cmocka_unit_test(a_part_of_nothing_is_unknown),
    };
    return cmocka_run_group_tests_name("indicator", tests, NULL, NULL);
}
