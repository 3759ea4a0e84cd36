/* New series per hour. */
#include "store/churn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR SN_CHURN_HOUR_MS
#define NOW (HOUR * 500000 + 5)

static void hours_add_up_and_a_week_is_kept(void **state) {
    (void)state;
    static struct sn_churn churn;
    static struct sn_churn_hour hours[SN_CHURN_HOURS];
    sn_churn_add(&churn, NOW - HOUR * SN_CHURN_HOURS, 9); /* falls out of the week */
    sn_churn_add(&churn, NOW - HOUR * (SN_CHURN_HOURS - 1), 1);
    sn_churn_add(&churn, NOW - HOUR, 2);
    sn_churn_add(&churn, NOW, 3);
    sn_churn_add(&churn, NOW + 1, 4);
    sn_churn_add(&churn, NOW, 0);
    assert_int_equal(sn_churn_list(&churn, NOW, hours), 3);
    assert_int_equal(hours[0].created_count, 1);
    assert_int_equal(hours[1].created_count, 2);
    assert_int_equal(hours[1].time_ms, NOW - 5 - HOUR);
    assert_int_equal(hours[2].created_count, 7);
    sn_churn_add(&churn, NOW - HOUR * SN_CHURN_HOURS, 9); /* a newer hour has its place */
    assert_int_equal(sn_churn_list(&churn, NOW, hours), 3);
    assert_int_equal(hours[2].created_count, 7);
}

static void only_hours_that_have_passed_are_done_with(void **state) {
    (void)state;
    static struct sn_churn churn;
    static struct sn_churn_hour hours[SN_CHURN_HOURS];
    sn_churn_load(&churn, NOW - 2 * HOUR, 5);
    sn_churn_add(&churn, NOW - HOUR, 1);
    sn_churn_add(&churn, NOW, 1);
    assert_int_equal(sn_churn_list(&churn, NOW, hours), 3);
    assert_true(hours[0].is_stored && !hours[1].is_stored && !hours[2].is_stored);
    sn_churn_mark_stored(&churn, NOW);
    assert_int_equal(sn_churn_list(&churn, NOW, hours), 3);
    assert_true(hours[1].is_stored && !hours[2].is_stored);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_add_up_and_a_week_is_kept),
        cmocka_unit_test(only_hours_that_have_passed_are_done_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
