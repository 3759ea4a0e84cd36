/* A day of all services together: what is stored and what came since. */
#include "board_support.h"

#include <math.h>

#define SLOT SN_BOARD_SLOT_MS
#define NOW BOARD_NOW_MS
#define THIS_SLOT (NOW / SLOT * SLOT)
#define DAY (48 * SLOT)

static void check_near(double value, double wanted) {
    if (!(fabs(value - wanted) <= 0.02 * fabs(wanted))) /* increase() extrapolates */
        fail_msg("wanted %.17g, got %.17g", wanted, value);
}

static void add_stored(struct test_board *test, const char *outcome, int64_t end_ms, double rate) {
    test_board_add(test, end_ms, rate, "sonde_service_operations_per_second", "service", "a",
                   "outcome", outcome, "window", "30m", NULL);
}

static void stored_half_hours_and_samples_add_up(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    for (int64_t i = 1; i <= 96; i++) {
        add_stored(test, "ok", THIS_SLOT - (96 - i) * SLOT, i <= 48 ? 1 : 2);
        add_stored(test, "error", THIS_SLOT - (96 - i) * SLOT, i <= 48 ? 0.5 : 0);
        test_board_add(test, THIS_SLOT - (96 - i) * SLOT, 1, "sonde_service_status", "service", "a",
                       "window", "30m", NULL);
    }
    test_board_run(test, "a", THIS_SLOT - 15000, NOW, 2, 1); /* ten minutes */
    test_board_look(test);
    check_near(test->view.totals.ok, 48 * 1800 * 2 + 600 * 2);
    check_near(test->view.totals.errors, 600);
    check_near(test->view.totals.ok_before, 48 * 1800);
    check_near(test->view.totals.errors_before, 48 * 900);
    test_board_stop(test);
}

static void nothing_is_not_zero(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_look(test);
    assert_true(isnan(test->view.totals.ok) && isnan(test->view.totals.errors));
    assert_true(isnan(test->view.totals.ok_before) && isnan(test->view.totals.queue_depth));
    test_board_stop(test);
}

static void queues_are_added_up_now_and_a_day_ago(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    static const char *const names[] = {"a_depth", "b_depth", "a_wait_seconds"};
    for (int i = 0; i < 3; i++) {
        test_board_add(test, NOW - DAY - 60000, 1 + i, names[i], "metric_type", "queue_metrics",
                       NULL);
        test_board_add(test, NOW - 50 * 60000, 10 + i, names[i], "metric_type", "queue_metrics",
                       NULL);
    }
    test_board_look(test);
    check_near(test->view.totals.queue_depth, 21);
    check_near(test->view.totals.queue_depth_before, 3);
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stored_half_hours_and_samples_add_up),
        cmocka_unit_test(nothing_is_not_zero),
        cmocka_unit_test(queues_are_added_up_now_and_a_day_ago),
    };
    return cmocka_run_group_tests_name("board_totals", tests, NULL, NULL);
}
