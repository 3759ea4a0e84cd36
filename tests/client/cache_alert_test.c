/* Tests of thresholds and alerts of caches. */
#include "client/cache_priv.h"

#include "client_support.h"

#include <math.h>
#include <pthread.h>

#define MINUTE_MS 60000
#define WALL_MS INT64_C(1700000000000)

static struct sn_fake_clock fake;

/* What the callback was told, by kind. */
struct told {
    _Atomic int raised[SONDE_CACHE_ALERT_COUNT];
    _Atomic int cleared[SONDE_CACHE_ALERT_COUNT];
    sonde_cache_alert last;
};

static void note(void *ctx, sonde_cache *cache, const sonde_cache_alert *alert) {
    struct told *told = ctx;
    assert_non_null(cache);
    (alert->is_active ? told->raised : told->cleared)[alert->kind]++;
    told->last = *alert;
}

static void count(void *ctx, sonde_cache *cache, const sonde_cache_alert *alert) {
    struct told *told = ctx;
    (void)cache;
    (alert->is_active ? told->raised : told->cleared)[alert->kind]++;
}

static sonde_cache *new_cache(sonde_registry *registry, struct told *told) {
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sn_fake_clock_init(&fake, 1000, WALL_MS);
    sn_cache_set_clock(cache, &fake.clock);
    sonde_cache_on_alert(cache, note, told);
    return cache;
}

static void look_up(sonde_cache *cache, int hits, int misses) {
    for (int i = 0; i < hits; i++)
        sonde_cache_hit(cache);
    for (int i = 0; i < misses; i++)
        sonde_cache_miss(cache);
}

static void defaults_are_those_of_the_manual(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache_thresholds read = sonde_cache_thresholds_read(sonde_cache_get(registry, "a", "b"));
    assert_true(read.min_hit_rate == 0.8);
    assert_true(read.max_memory_usage_mb == 512);
    assert_true(read.max_response_time_ms == 100);
    assert_true(read.max_fragmentation == 0.3);
    assert_true(read.clear_margin == 0.05 && read.slow_operation_ms == 100);
    assert_int_equal(read.min_operations, 100);
    (void)sonde_registry_free(registry);
}

static void a_hit_rate_needs_enough_lookups(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    look_up(cache, 0, 99);
    assert_int_equal(sonde_cache_evaluate(cache), 0);
    look_up(cache, 0, 1);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_HIT_RATE], 1);
    assert_true(told.last.is_active && told.last.value == 0 && told.last.threshold == 0.8);
    assert_int_equal(told.last.since_wall_ms, WALL_MS);
    sn_fake_clock_advance_ms(&fake, 60 * MINUTE_MS); /* nothing left to judge */
    assert_int_equal(sonde_cache_evaluate(cache), 0);
    assert_int_equal(told.cleared[SONDE_CACHE_ALERT_HIT_RATE], 1);
    (void)sonde_registry_free(registry);
}

static void a_hit_rate_near_the_limit_does_not_flap(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    look_up(cache, 80, 20);
    assert_int_equal(sonde_cache_evaluate(cache), 0); /* at the limit */
    for (int i = 0; i < 10; i++) {
        look_up(cache, 0, 1); /* below */
        (void)sonde_cache_evaluate(cache);
        look_up(cache, 4, 0); /* at the limit again */
        assert_int_equal(sonde_cache_evaluate(cache), 1);
    }
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_HIT_RATE], 1);
    look_up(cache, 38, 0); /* 158 of 188: 0.8404 */
    assert_int_equal(sonde_cache_evaluate(cache), 0);
    assert_int_equal(told.cleared[SONDE_CACHE_ALERT_HIT_RATE], 1);
    assert_false(told.last.is_active);
    (void)sonde_registry_free(registry);
}

static size_t with_usage(sonde_cache *cache, uint64_t used, uint64_t reserved) {
    sonde_cache_set_usage(cache, &(sonde_cache_usage){1, used, reserved});
    return sonde_cache_evaluate(cache);
}

static void memory_is_judged_at_both_sides(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    const uint64_t limit = UINT64_C(512) << 20;
    assert_int_equal(with_usage(cache, limit, 0), 0);
    assert_int_equal(with_usage(cache, limit + 1, 0), 1);
    assert_int_equal(with_usage(cache, limit, 0), 1);
    assert_int_equal(with_usage(cache, limit / 100 * 94, 0), 0);
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_MEMORY], 1);
    assert_int_equal(told.cleared[SONDE_CACHE_ALERT_MEMORY], 1);
    (void)sonde_registry_free(registry);
}

static void fragmentation_is_judged_at_both_sides(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    assert_int_equal(with_usage(cache, 701, 1000), 0);
    assert_int_equal(with_usage(cache, 699, 1000), 1);
    assert_int_equal(with_usage(cache, 701, 1000), 1);
    assert_int_equal(with_usage(cache, 750, 1000), 0);
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_FRAGMENTATION], 1);
    assert_int_equal(told.cleared[SONDE_CACHE_ALERT_FRAGMENTATION], 1);
    (void)sonde_registry_free(registry);
}

static void response_times_are_those_of_five_minutes(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    sonde_cache_run run = {.duration_ns = 101000000};
    sonde_cache_record(cache, &run);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    sn_fake_clock_advance_ms(&fake, 5 * MINUTE_MS - 1);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    sn_fake_clock_advance_ms(&fake, 1);
    assert_int_equal(sonde_cache_evaluate(cache), 0);
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_RESPONSE_TIME], 1);
    assert_int_equal(told.cleared[SONDE_CACHE_ALERT_RESPONSE_TIME], 1);
    (void)sonde_registry_free(registry);
}

static void thresholds_change_at_run_time(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    look_up(cache, 50, 50);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    sonde_cache_thresholds thresholds = sonde_cache_thresholds_read(cache);
    thresholds.min_hit_rate = 0.25;
    thresholds.slow_operation_ms = 0;
    assert_int_equal(sonde_cache_thresholds_set(cache, &thresholds, NULL), SONDE_OK);
    assert_int_equal(sonde_cache_evaluate(cache), 0);
    thresholds.min_hit_rate = 1;
    assert_int_equal(sonde_cache_thresholds_set(cache, &thresholds, NULL), SONDE_OK);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_HIT_RATE], 2);
    sonde_cache_run run = {.duration_ns = 0};
    sonde_cache_record(cache, &run);
    sonde_cache_stats stats;
    sonde_cache_read(cache, &stats);
    assert_int_equal(stats.slow_operations, 1); /* everything is slow now */
    thresholds.slow_operation_ms = 1e300;
    assert_int_equal(sonde_cache_thresholds_set(cache, &thresholds, NULL), SONDE_OK);
    run.duration_ns = INT64_MAX;
    sonde_cache_record(cache, &run);
    sonde_cache_read(cache, &stats);
    assert_int_equal(stats.slow_operations, 1); /* nothing is */
    (void)sonde_registry_free(registry);
}

static void refuse(sonde_cache *cache, sonde_cache_thresholds thresholds, const char *name) {
    sonde_error error;
    assert_int_equal(sonde_cache_thresholds_set(cache, &thresholds, &error), SONDE_ERR_INVALID);
    assert_non_null(strstr(error.text, name));
    assert_true(sonde_cache_thresholds_read(cache).min_hit_rate == 0.8);
}

static void thresholds_out_of_range_change_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sonde_cache_thresholds bad = sonde_cache_thresholds_default();
    bad.min_hit_rate = 1.01;
    refuse(cache, bad, "min_hit_rate");
    bad.min_hit_rate = (double)NAN;
    refuse(cache, bad, "min_hit_rate");
    bad.min_hit_rate = 0.5;
    bad.max_memory_usage_mb = 0;
    refuse(cache, bad, "max_memory_usage_mb");
    bad.max_memory_usage_mb = 1;
    bad.max_response_time_ms = (double)INFINITY;
    refuse(cache, bad, "max_response_time_ms");
    bad.max_response_time_ms = 1;
    bad.max_fragmentation = -0.01;
    refuse(cache, bad, "max_fragmentation");
    bad.max_fragmentation = 1;
    bad.clear_margin = 0.51;
    refuse(cache, bad, "clear_margin");
    bad.clear_margin = 0.5;
    bad.slow_operation_ms = -1;
    refuse(cache, bad, "slow_operation_ms");
    bad.slow_operation_ms = 0;
    assert_int_equal(sonde_cache_thresholds_set(cache, &bad, NULL), SONDE_OK);
    assert_int_equal(sonde_cache_thresholds_set(cache, NULL, NULL), SONDE_ERR_INVALID);
    assert_int_equal(sonde_cache_thresholds_set(NULL, &bad, NULL), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void active_alerts_are_listed(void **state) {
    (void)state;
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry, &told);
    sonde_cache_alert alerts[SONDE_CACHE_ALERT_COUNT];
    assert_int_equal(sonde_cache_alerts(cache, alerts), 0);
    look_up(cache, 0, 100);
    sonde_cache_set_usage(cache, &(sonde_cache_usage){1, UINT64_C(1) << 30, UINT64_C(1) << 31});
    sonde_cache_run run = {.duration_ns = 1000000000};
    sonde_cache_record(cache, &run);
    (void)sonde_cache_get(registry, "shop", "idle");
    assert_int_equal(sonde_cache_evaluate_all(registry), SONDE_CACHE_ALERT_COUNT);
    assert_int_equal(sonde_cache_alerts(cache, alerts), SONDE_CACHE_ALERT_COUNT);
    for (int i = 0; i < SONDE_CACHE_ALERT_COUNT; i++) {
        assert_int_equal(alerts[i].kind, i);
        assert_non_null(sonde_cache_alert_name(alerts[i].kind));
    }
    assert_true(alerts[SONDE_CACHE_ALERT_MEMORY].value == 1024);
    assert_true(alerts[SONDE_CACHE_ALERT_FRAGMENTATION].value == 0.5);
    assert_null(sonde_cache_alert_name(SONDE_CACHE_ALERT_COUNT));
    assert_int_equal(sonde_cache_evaluate_all(NULL), 0);
    (void)sonde_registry_free(registry);
}

static void no_cache_and_no_callback_are_fine(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache_alert alerts[SONDE_CACHE_ALERT_COUNT];
    sonde_cache_on_alert(NULL, note, NULL);
    assert_int_equal(sonde_cache_evaluate(NULL), 0);
    assert_int_equal(sonde_cache_alerts(NULL, alerts), 0);
    assert_true(sonde_cache_thresholds_read(NULL).min_hit_rate == 0.8);
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    look_up(cache, 0, 100);
    assert_int_equal(sonde_cache_evaluate(cache), 1);
    (void)sonde_registry_free(registry);
}

static void *evaluate(void *cache) {
    for (int i = 0; i < 500; i++)
        (void)sonde_cache_evaluate(cache);
    return NULL;
}

static void threads_tell_a_change_once(void **state) {
    (void)state;
    enum { THREADS = 4 };
    struct told told = {0};
    sonde_registry *registry = new_registry();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sonde_cache_on_alert(cache, count, &told);
    look_up(cache, 0, 100);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, evaluate, cache), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(told.raised[SONDE_CACHE_ALERT_HIT_RATE], 1);
    look_up(cache, 2000, 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, evaluate, cache), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(told.cleared[SONDE_CACHE_ALERT_HIT_RATE], 1);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_are_those_of_the_manual),
        cmocka_unit_test(a_hit_rate_needs_enough_lookups),
        cmocka_unit_test(a_hit_rate_near_the_limit_does_not_flap),
        cmocka_unit_test(memory_is_judged_at_both_sides),
        cmocka_unit_test(fragmentation_is_judged_at_both_sides),
        cmocka_unit_test(response_times_are_those_of_five_minutes),
        cmocka_unit_test(thresholds_change_at_run_time),
        cmocka_unit_test(thresholds_out_of_range_change_nothing),
        cmocka_unit_test(active_alerts_are_listed),
        cmocka_unit_test(no_cache_and_no_callback_are_fine),
        cmocka_unit_test(threads_tell_a_change_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
