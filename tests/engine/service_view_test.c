/* The page of one service: what is exact, what is of the range, the heatmap. */
#include "board_support.h"

#include "engine/service_view.h"

#include <math.h>

#define MINUTE INT64_C(60000)
#define HOUR INT64_C(3600000)
#define NOW BOARD_NOW_MS

static void check_near(double value, double wanted) {
    if (!(fabs(value - wanted) <= 0.03 * fabs(wanted))) /* increase() extrapolates */
        fail_msg("wanted %.17g, got %.17g", wanted, value);
}

/* Ten operations a second, of which one fails; half take up to 0.1 s, all of them up to 1 s. */
static void add_service(struct test_board *test) {
    static const struct {
        const char *le;
        double part;
    } buckets[] = {{"0.1", 0.5}, {"1.0", 1}, {"+Inf", 1}};
    for (int64_t at = NOW - HOUR; at <= NOW; at += 15000) {
        double seconds = (double)(at - NOW + HOUR) / 1e3;
        for (size_t i = 0; i < 3; i++)
            test_board_add(test, at, 10 * seconds * buckets[i].part,
                           "sonde_operation_duration_seconds_bucket", "service", "a", "operation",
                           "o", "le", buckets[i].le, NULL);
        test_board_add(test, at, 3 * seconds, "sonde_operation_duration_seconds_sum", "service",
                       "a", "operation", "o", NULL);
        test_board_add(test, at, 10 * seconds, "sonde_operation_duration_seconds_count", "service",
                       "a", "operation", "o", NULL);
        test_board_add(test, at, 9 * seconds, "sonde_operations_total", "service", "a", "operation",
                       "o", "outcome", "ok", NULL);
        test_board_add(test, at, seconds, "sonde_operations_total", "service", "a", "operation",
                       "o", "outcome", "error", NULL);
        test_board_add(test, at, 5 * seconds, "sonde_operations_total", "service", "a", "operation",
                       "p", "outcome", "ok", NULL);
    }
}

static sn_status look(struct test_board *test, struct sn_range range,
                      struct sn_service_view *view) {
    struct sn_err err = {.status = SN_OK};
    const struct sn_commands commands = {.querier = test->querier, .clock = &test->clock.clock};
    return sn_service_view_read(&commands, SN_STR("a"), range, &test->arena, view, &err);
}

static void counts_are_exact_and_quantiles_of_the_range(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_service_view view;
    add_service(test);
    assert_int_equal(look(test, (struct sn_range){NOW - 30 * MINUTE, NOW}, &view), SN_OK);
    assert_int_equal(view.operation_count, 2);
    const struct sn_operation_view *o = &view.operations[0];
    assert_true(sn_operation_count(o->row) == 36000);
    assert_true(o->row->outcomes[SN_OPERATION_ERROR] == 3600);
    check_near(sn_operation_count(&o->window), 18000);
    check_near(o->window.outcomes[SN_OPERATION_ERROR], 1800);
    check_near(o->window.sum_s, 5400);
    check_near(sn_operation_quantile(&o->window, 0.5), 0.1);
    check_near(sn_operation_quantile(&o->window, 0.75), 0.55);
    check_near(sn_operation_count(&view.window), 27000);
    check_near(view.window_s, 1800);
    check_near((double)o->averages[view.grid.count - 1], 0.3);
    assert_true(isnan(view.operations[1].averages[0]));
    test_board_stop(test);
}

static void the_heatmap_has_one_bucket_above_the_other(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_service_view view;
    add_service(test);
    assert_int_equal(look(test, (struct sn_range){NOW - 2 * HOUR, NOW}, &view), SN_OK);
    const struct sn_heat *heat = &view.heat;
    assert_int_equal(heat->bucket_count, 3);
    assert_true(heat->upper[0] == 0.1 && heat->upper[1] == 1 && isinf(heat->upper[2]));
    assert_true(heat->grid.start_ms <= NOW - 2 * HOUR);
    assert_true(isnan(heat->counts[0])); /* there were no samples */
    const double *column = heat->counts + (heat->grid.count - 2) * 3;
    double seconds = (double)heat->grid.step_ms / 1e3;
    check_near(column[0], 5 * seconds);
    check_near(column[1], 5 * seconds);
    assert_true(column[2] == 0);
    test_board_stop(test);
}

static void an_unknown_service_is_not_found(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_service_view view;
    assert_int_equal(look(test, (struct sn_range){NOW - HOUR, NOW}, &view), SN_ERR_NOT_FOUND);
    test_board_stop(test);
}

static void a_service_without_durations_has_no_heatmap(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_service_view view;
    test_board_run(test, "a", NOW - HOUR, NOW, 1, 0);
    assert_int_equal(look(test, (struct sn_range){NOW - HOUR, NOW}, &view), SN_OK);
    assert_int_equal(view.heat.bucket_count, 0);
    assert_true(isnan(sn_operation_quantile(&view.window, 0.95)));
    test_board_stop(test);
}

static void a_failing_querier_is_told(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    struct sn_service_view view;
    test_board_run(test, "a", NOW - HOUR, NOW, 1, 0);
    test->select_status = SN_ERR_TIMEOUT;
    assert_int_equal(look(test, (struct sn_range){NOW - HOUR, NOW}, &view), SN_ERR_TIMEOUT);
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_are_exact_and_quantiles_of_the_range),
        cmocka_unit_test(the_heatmap_has_one_bucket_above_the_other),
        cmocka_unit_test(an_unknown_service_is_not_found),
        cmocka_unit_test(a_service_without_durations_has_no_heatmap),
        cmocka_unit_test(a_failing_querier_is_told),
    };
    return cmocka_run_group_tests_name("service_view", tests, NULL, NULL);
}
