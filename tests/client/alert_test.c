/* Tests of the rules of alerts. */
#include "client/alert_priv.h"

#include "client_support.h"

static void a_maximum_is_judged_at_both_sides(void **state) {
    (void)state;
    assert_int_equal(sn_alert_judge_max(100.5, 100, 0.05), SN_VERDICT_RAISE);
    assert_int_equal(sn_alert_judge_max(100, 100, 0.05), SN_VERDICT_KEEP);
    assert_int_equal(sn_alert_judge_max(95.5, 100, 0.05), SN_VERDICT_KEEP);
    assert_int_equal(sn_alert_judge_max(95, 100, 0.05), SN_VERDICT_CLEAR);
    assert_int_equal(sn_alert_judge_max(100, 100, 0), SN_VERDICT_CLEAR);
    assert_int_equal(sn_alert_judge_max(0, 0, 0.05), SN_VERDICT_CLEAR);
}

static void a_minimum_is_judged_at_both_sides(void **state) {
    (void)state;
    assert_int_equal(sn_alert_judge_min(0.4375, 0.5, 0.25), SN_VERDICT_RAISE);
    assert_int_equal(sn_alert_judge_min(0.5, 0.5, 0.25), SN_VERDICT_KEEP);
    assert_int_equal(sn_alert_judge_min(0.5625, 0.5, 0.25), SN_VERDICT_KEEP);
    assert_int_equal(sn_alert_judge_min(0.625, 0.5, 0.25), SN_VERDICT_CLEAR);
}

static void a_high_minimum_can_still_be_cleared(void **state) {
    (void)state;
    assert_int_equal(sn_alert_judge_min(0.98, 0.98, 0.5), SN_VERDICT_KEEP);
    assert_int_equal(sn_alert_judge_min(0.9901, 0.98, 0.5), SN_VERDICT_CLEAR);
    assert_int_equal(sn_alert_judge_min(0.999, 1, 0.5), SN_VERDICT_RAISE);
    assert_int_equal(sn_alert_judge_min(1, 1, 0.5), SN_VERDICT_CLEAR);
}

static bool update(struct sn_alert *alert, enum sn_verdict verdict, int64_t wall_ms) {
    return sn_alert_update(alert, &(struct sn_finding){verdict, 1, 2, wall_ms});
}

static void each_change_is_told_once(void **state) {
    (void)state;
    struct sn_alert alert = {0};
    bool is_active = false;
    assert_false(update(&alert, SN_VERDICT_CLEAR, 1));
    assert_false(sn_alert_take_change(&alert, &is_active));
    assert_true(update(&alert, SN_VERDICT_RAISE, 2));
    assert_true(update(&alert, SN_VERDICT_RAISE, 3));
    assert_true(update(&alert, SN_VERDICT_KEEP, 4));
    assert_int_equal(alert.since_wall_ms, 2);
    assert_true(sn_alert_take_change(&alert, &is_active));
    assert_true(is_active);
    assert_false(sn_alert_take_change(&alert, &is_active));
    assert_false(update(&alert, SN_VERDICT_CLEAR, 5));
    assert_false(update(&alert, SN_VERDICT_KEEP, 6));
    assert_int_equal(alert.since_wall_ms, 5);
    assert_true(sn_alert_take_change(&alert, &is_active));
    assert_false(is_active);
    assert_false(sn_alert_take_change(&alert, &is_active));
}

static void a_change_that_was_undone_is_not_told(void **state) {
    (void)state;
    struct sn_alert alert = {0};
    bool is_active;
    assert_true(update(&alert, SN_VERDICT_RAISE, 1));
    assert_false(update(&alert, SN_VERDICT_CLEAR, 2));
    assert_false(sn_alert_take_change(&alert, &is_active));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_maximum_is_judged_at_both_sides),
        cmocka_unit_test(a_minimum_is_judged_at_both_sides),
        cmocka_unit_test(a_high_minimum_can_still_be_cleared),
        cmocka_unit_test(each_change_is_told_once),
        cmocka_unit_test(a_change_that_was_undone_is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
