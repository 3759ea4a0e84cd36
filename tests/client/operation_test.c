/* Tests of services, operations and trackers. */
#include "client/operation_priv.h"

#include "base/clock.h"
#include "client_support.h"

#include <math.h>
#include <pthread.h>

static sonde_operation_stats stats_of(const sonde_operation *operation) {
    sonde_operation_stats stats;
    sonde_operation_read(operation, &stats);
    return stats;
}

static void outcomes_are_counted_apart(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *get = sonde_operation_get(sonde_service_get(registry, "cache"), "get");
    for (int i = 0; i < 6; i++) {
        sonde_tracker tracker = sonde_track_begin(get);
        assert_int_equal(stats_of(get).active, 1);
        if (i < 3)
            sonde_track_complete(&tracker);
        else if (i < 5)
            sonde_track_fail(&tracker, "gone");
        else
            sonde_track_abort(&tracker);
    }
    sonde_operation_stats stats = stats_of(get);
    assert_int_equal(stats.outcome_count[SONDE_OUTCOME_OK], 3);
    assert_int_equal(stats.outcome_count[SONDE_OUTCOME_ERROR], 2);
    assert_int_equal(stats.outcome_count[SONDE_OUTCOME_ABORTED], 1);
    assert_int_equal(stats.count, 6);
    assert_int_equal(stats.active, 0);
    (void)sonde_registry_free(registry);
}

static void the_page_has_the_agreed_names(void **state) {
    (void)state;
    const double bounds[] = {3600};
    sonde_registry_options options = {.operation_bounds = bounds, .operation_bound_count = 1};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    sonde_operation *get = sonde_operation_get(sonde_service_get(registry, "cache"), "get");
    sonde_tracker first = sonde_track_begin(get), second = sonde_track_begin(get);
    sonde_track_complete(&first);
#define LABELS "{service=\"cache\",operation=\"get\""
    assert_true(has_line(registry, "sonde_operations_total" LABELS ",outcome=\"ok\"} 1"));
    assert_true(has_line(registry, "sonde_operations_total" LABELS ",outcome=\"error\"} 0"));
    assert_true(has_line(registry, "sonde_operations_total" LABELS ",outcome=\"aborted\"} 0"));
    assert_true(
        has_line(registry, "sonde_operation_duration_seconds_bucket" LABELS ",le=\"3600\"} 1"));
    assert_true(
        has_line(registry, "sonde_operation_duration_seconds_bucket" LABELS ",le=\"+Inf\"} 1"));
    assert_true(has_line(registry, "sonde_operation_duration_seconds_count" LABELS "} 1"));
    assert_true(has_line(registry, "sonde_operations_active" LABELS "} 1"));
    char *page = page_of(registry);
    double last = value_of(page, "sonde_operation_last_timestamp_seconds" LABELS "}");
    double start = value_of(page, "sonde_service_start_time_seconds{service=\"cache\"}");
    double least = value_of(page, "sonde_operation_duration_min_seconds" LABELS "}");
    double most = value_of(page, "sonde_operation_duration_max_seconds" LABELS "}");
    double now = (double)sn_clock_wall_ms(sn_clock_system()) / 1e3;
    assert_true(fabs(last - now) < 5 && fabs(start - now) < 5);
    assert_true(least == most && least >= 0);
    sonde_free(page);
    sonde_track_complete(&second);
    (void)sonde_registry_free(registry);
}

static void leave_unfinished(sonde_operation *operation, bool is_finished) {
    SONDE_TRACK(tracker, operation);
    if (is_finished)
        sonde_track_complete(&tracker);
}

static void a_tracker_that_leaves_its_scope_is_aborted(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    leave_unfinished(operation, false);
    leave_unfinished(operation, true);
    sonde_operation_stats stats = stats_of(operation);
    assert_int_equal(stats.outcome_count[SONDE_OUTCOME_ABORTED], 1);
    assert_int_equal(stats.outcome_count[SONDE_OUTCOME_OK], 1);
    (void)sonde_registry_free(registry);
}

static void a_second_finish_does_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    sonde_tracker tracker = sonde_track_begin(operation), never = {0};
    sonde_track_complete(&tracker);
    sonde_track_complete(&tracker);
    sonde_track_fail(&tracker, "late");
    sonde_track_abort(&tracker);
    sonde_track_complete(&never);
    assert_int_equal(stats_of(operation).count, 1);
    assert_int_equal(stats_of(operation).last_error_wall_ms, 0);
    (void)sonde_registry_free(registry);
}

/* Durations on both clocks: the tracker says which one it was begun on. */
static void durations_are_those_that_passed(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    int64_t until = sn_clock_mono_ns(sn_clock_system()) + 30000000;
    while (sn_clock_mono_ns(sn_clock_system()) < until) {
        sonde_tracker warm = sonde_track_begin_call(operation);
        sonde_track_end_call(&warm, SONDE_OUTCOME_OK);
    }
    sonde_registry *fresh = new_registry();
    sonde_operation *timed = sonde_operation_get(sonde_service_get(fresh, "s"), "o");
    int64_t begin = sn_clock_mono_ns(sn_clock_system());
    sonde_tracker by_clock = sonde_track_begin_call(timed), by_tick = sonde_track_begin(timed);
    while (sn_clock_mono_ns(sn_clock_system()) - begin < 5000000)
        ;
    sonde_track_complete(&by_tick);
    sonde_track_complete(&by_clock);
    double passed = (double)(sn_clock_mono_ns(sn_clock_system()) - begin) / 1e9;
    sonde_operation_stats stats = stats_of(timed);
    assert_true(stats.duration_min_s > 0.0049 && stats.duration_max_s <= passed * 1.01);
    assert_true(fabs(stats.duration_sum_s - stats.duration_min_s - stats.duration_max_s) < 1e-6);
    assert_true(llabs(stats.last_wall_ms - sn_clock_wall_ms(sn_clock_system())) < 5000);
    (void)sonde_registry_free(fresh);
    (void)sonde_registry_free(registry);
}

static void the_last_error_is_kept(void **state) {
    (void)state;
    char large[400];
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    sonde_tracker one = sonde_track_begin(operation), two = one, three = one;
    sonde_track_fail(&one, "first");
    sonde_failure failure = {.error_class = "timeout", .message = "no answer in 5 s"};
    sonde_track_fail_as(&two, &failure);
    sonde_operation_stats stats = stats_of(operation);
    assert_string_equal(stats.last_error_class, "timeout");
    assert_string_equal(stats.last_error_message, "no answer in 5 s");
    assert_true(stats.last_error_wall_ms > 0);
    /* 254 bytes and then a character of two: it must not be cut in half. */
    memset(large, 'x', sizeof large);
    memcpy(large + 254, "\xc3\xa9", 2);
    large[sizeof large - 1] = '\0';
    sonde_track_fail(&three, large);
    stats = stats_of(operation);
    assert_int_equal(strlen(stats.last_error_message), 254);
    assert_string_equal(stats.last_error_class, "");
    (void)sonde_registry_free(registry);
}

static void names_beyond_the_limit_are_other(void **state) {
    (void)state;
    sonde_registry_options options = {.family_series_max = 1};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    sonde_service *service = sonde_service_get(registry, "a"),
                  *more = sonde_service_get(registry, "b");
    sonde_tracker one = sonde_track_begin(sonde_operation_get(service, "x"));
    sonde_tracker two = sonde_track_begin(sonde_operation_get(more, "y"));
    sonde_track_complete(&one);
    sonde_track_complete(&two);
    assert_true(has_line(registry, "sonde_operations_total{service=\"a\",operation=\"x\","
                                   "outcome=\"ok\"} 1"));
    assert_true(has_line(registry, "sonde_operations_total{service=\"__other__\","
                                   "operation=\"__other__\",outcome=\"ok\"} 1"));
    (void)sonde_registry_free(registry);
}

static void handles_that_record_nothing_are_safe(void **state) {
    (void)state;
    sonde_registry_options options = {.family_max = 1};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "g"}, NULL);
    sonde_service *service = sonde_service_get(registry, "s");
    sonde_operation *operation = sonde_operation_get(service, "o");
    sonde_tracker tracker = sonde_track_begin(operation);
    sonde_track_fail(&tracker, "nowhere");
    assert_int_equal(stats_of(operation).count, 0);
    assert_int_equal(sonde_service_start_wall_ms(service), 0);
    assert_int_equal(sonde_service_start_wall_ms(NULL), 0);
    assert_true(sonde_lost_count(registry, SONDE_LOST_REGISTRATION) > 0);
    sonde_tracker none = sonde_track_begin_call(NULL);
    sonde_track_end_call(&none, SONDE_OUTCOME_OK);
    (void)sonde_registry_free(registry);
}

static void record_ns(sonde_operation *operation, uint64_t duration_ns) {
    const sonde_operation_head *head = (const void *)operation;
    sonde_operation_record(sonde_cells(head), head->buckets, duration_ns, SONDE_OUTCOME_OK);
}

static void a_reset_is_seen_by_readers_only(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    struct sn_series *series = (struct sn_series *)(void *)operation;
    struct sn_operation_since since;
    uint64_t buckets[SONDE_BUCKETS_MAX + 1];
    record_ns(operation, 2000);
    record_ns(operation, 9000000000);
    sn_operation_reset(series, 1234);
    sn_operation_read_since(series, &since, buckets);
    assert_int_equal(since.reset_wall_ms, 1234);
    assert_int_equal(since.sums.outcomes[SONDE_OUTCOME_OK], 0);
    assert_int_equal(since.sums.max_ns, 0);
    record_ns(operation, 5000);
    sn_operation_read_since(series, &since, buckets);
    assert_int_equal(since.sums.outcomes[SONDE_OUTCOME_OK], 1);
    assert_int_equal(since.sums.sum_ns, 5000);
    assert_int_equal(since.sums.min_ns, 5000);
    assert_int_equal(since.sums.max_ns, 5000);
    assert_int_equal(buckets[0], 1);
    assert_int_equal(buckets[series->family->buckets->count], 0);
    sonde_operation_stats stats = stats_of(operation);
    assert_int_equal(stats.count, 3);
    assert_true(stats.duration_min_s == 2e-6 && stats.duration_max_s == 9);
    sn_operation_reset(series, 5678);
    stats = stats_of(operation);
    assert_true(stats.duration_min_s == 2e-6 && stats.duration_max_s == 9);
    (void)sonde_registry_free(registry);
}

/* Run under the thread sanitizer as well. */
static void *run_often(void *operation) {
    for (uint64_t i = 0; i < 100000; i++)
        record_ns(operation, 1000 + i);
    return NULL;
}

static void no_extreme_is_lost_by_a_reset(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_often, operation), 0);
    double max = 0;
    for (int i = 0; i < 2000; i++) {
        sn_operation_reset((struct sn_series *)(void *)operation, i + 1);
        sonde_operation_stats stats = stats_of(operation);
        assert_true(stats.duration_max_s >= max);
        max = stats.duration_max_s;
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    sonde_operation_stats stats = stats_of(operation);
    assert_int_equal(stats.count, 200000);
    assert_true(stats.duration_min_s == 1e-6 && stats.duration_max_s == 100999e-9);
    (void)sonde_registry_free(registry);
}

static void *finish(void *tracker) {
    sonde_track_complete(tracker);
    return NULL;
}

static void a_run_may_end_in_another_thread(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    sonde_tracker tracker = sonde_track_begin(operation);
    in_thread(finish, &tracker);
    assert_int_equal(stats_of(operation).count, 1);
    assert_int_equal(stats_of(operation).active, 0);
    (void)sonde_registry_free(registry);
}

static void *fail_often(void *operation) {
    static const char *const messages[] = {"aaaaaaaaaaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbbbbbbbbbb"};
    for (int i = 0; i < 20000; i++) {
        sonde_tracker tracker = sonde_track_begin(operation);
        sonde_track_fail(&tracker, messages[i % 2]);
    }
    return NULL;
}

static void messages_are_never_mixed(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, fail_often, operation), 0);
    for (int i = 0; i < 2000; i++) {
        sonde_operation_stats stats = stats_of(operation);
        const char *text = stats.last_error_message;
        assert_true(strspn(text, text[0] == 'a' ? "a" : "b") == strlen(text));
        assert_true(stats.active >= 0);
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(stats_of(operation).outcome_count[SONDE_OUTCOME_ERROR], 40000);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcomes_are_counted_apart),
        cmocka_unit_test(the_page_has_the_agreed_names),
        cmocka_unit_test(a_tracker_that_leaves_its_scope_is_aborted),
        cmocka_unit_test(a_second_finish_does_nothing),
        cmocka_unit_test(durations_are_those_that_passed),
        cmocka_unit_test(the_last_error_is_kept),
        cmocka_unit_test(names_beyond_the_limit_are_other),
        cmocka_unit_test(handles_that_record_nothing_are_safe),
        cmocka_unit_test(a_run_may_end_in_another_thread),
        cmocka_unit_test(messages_are_never_mixed),
        cmocka_unit_test(a_reset_is_seen_by_readers_only),
        cmocka_unit_test(no_extreme_is_lost_by_a_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
