/* Hours that are over are summed up, and again when late events come. */
#include "usage_support.h"

struct hours {
    size_t sealed;
    size_t open;
};

static sn_status count_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                            struct sn_err *err) {
    struct hours *hours = ctx;
    (void)app;
    (void)hour;
    (void)err;
    hours->sealed += summary.ptr != NULL;
    hours->open += summary.ptr == NULL;
    return SN_OK;
}

static struct hours count_hours(struct test_usage *test) {
    struct hours hours = {0, 0};
    const struct sn_usage_visitor visitor = {&hours, count_hour};
    const struct sn_range_ms range = {0, USAGE_NOW_MS + 100 * SN_HOUR_MS};
    assert_int_equal(sn_records_scan_usage(test->records, SN_STR("a"), range, &visitor, NULL),
                     SN_OK);
    return hours;
}

static uint64_t count_events(struct test_usage *test) {
    struct sn_usage *usage = sn_usage_new();
    const struct sn_range_ms range = {0, USAGE_NOW_MS + 100 * SN_HOUR_MS};
    assert_int_equal(sn_usage_read(test->records, SN_STR("a"), range, usage, NULL), SN_OK);
    uint64_t count = usage->totals.event_count;
    (void)sn_usage_free(usage);
    return count;
}

static void hours_are_summed_up_after_their_end(void **state) {
    (void)state;
    struct test_usage *test = test_usage_start();
    struct sn_usage_sealer sealer;
    size_t count = 0;
    sn_usage_sealer_init(&sealer, test->records, &test->clock.clock);
    test_usage_add(test, "u1", USAGE_NOW_MS - SN_HOUR_MS, SN_OUTCOME_OK);
    test_usage_add(test, "u2", USAGE_NOW_MS - 1, SN_OUTCOME_OK);
    test_usage_add(test, "u1", USAGE_NOW_MS, SN_OUTCOME_OK);
    assert_int_equal(sn_usage_seal(&sealer, &count, NULL), SN_OK);
    assert_int_equal(count, 0); /* the grace is not over */
    sn_fake_clock_advance_ms(&test->clock, 120000);
    assert_int_equal(sn_usage_seal(&sealer, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    struct hours hours = count_hours(test);
    assert_int_equal(hours.sealed, 1);
    assert_int_equal(hours.open, 1);
    assert_int_equal(count_events(test), 3);
    test_usage_add(test, "u3", USAGE_NOW_MS - 5, SN_OUTCOME_OK); /* late */
    assert_int_equal(count_events(test), 4);
    assert_int_equal(count_hours(test).sealed, 0);
    assert_int_equal(sn_usage_seal(&sealer, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(count_hours(test).sealed, 1);
    assert_int_equal(count_events(test), 4);
    sn_usage_sealer_release(&sealer);
    test_usage_stop(test);
}

static void the_worker_seals_and_stops(void **state) {
    (void)state;
    struct test_usage *test = test_usage_start();
    struct sn_usage_sealer sealer;
    struct sn_thread thread = {.is_running = false};
    sn_usage_sealer_init(&sealer, test->records, &test->clock.clock);
    test_usage_add(test, "u1", USAGE_NOW_MS - 2 * SN_HOUR_MS, SN_OUTCOME_OK);
    struct sn_worker worker = sn_usage_sealer_worker(&sealer);
    assert_int_equal(sn_thread_start(&thread, worker.name, worker.run, worker.ctx, NULL), SN_OK);
    while (count_hours(test).sealed == 0)
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
    worker.stop(worker.ctx);
    sn_thread_join(&thread);
    assert_int_equal(sealer.sealed_count, 1);
    sn_usage_sealer_release(&sealer);
    test_usage_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_are_summed_up_after_their_end),
        cmocka_unit_test(the_worker_seals_and_stops),
    };
    return cmocka_run_group_tests_name("usage_sealer", tests, NULL, NULL);
}
