/* Tests of recording and reading caches: windows by a fake clock, usage, threads, no memory. */
#include "client/cache_priv.h"

#include "client_support.h"

#include <pthread.h>

#define MINUTE_MS 60000
#define WALL_MS INT64_C(1700000000000)

static struct sn_fake_clock fake;

static sonde_cache *new_cache(sonde_registry *registry) {
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sn_fake_clock_init(&fake, 1000, WALL_MS);
    sn_cache_set_clock(cache, &fake.clock);
    return cache;
}

static sonde_cache_stats read_of(sonde_cache *cache) {
    sonde_cache_stats stats;
    sonde_cache_read(cache, &stats);
    return stats;
}

static void hits_and_misses_have_an_hour_a_day_and_a_start(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    for (int minute = 0; minute < 25 * 60; minute++) {
        sonde_cache_hit(cache);
        if (minute % 2 == 0)
            sonde_cache_miss(cache);
        sn_fake_clock_advance_ms(&fake, MINUTE_MS);
    }
    sn_fake_clock_advance_ms(&fake, -1); /* still in the last minute */
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.hour.hits, 60);
    assert_int_equal(stats.hour.misses, 30);
    assert_int_equal(stats.day.hits, 1440);
    assert_int_equal(stats.day.misses, 720);
    assert_int_equal(stats.start.hits, 1500);
    assert_int_equal(stats.start.misses, 750);
    assert_true(stats.hour.hit_rate == 60.0 / 90);
    assert_true(stats.start.hit_rate == 1500.0 / 2250);
    (void)sonde_registry_free(registry);
}

static void an_untouched_cache_is_all_zero(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache_stats stats = read_of(new_cache(registry));
    assert_true(stats.start.hit_rate == 0 && stats.hour.response_avg_ms == 0);
    assert_int_equal(stats.start.hits + stats.entries + stats.used_bytes, 0);
    assert_true(stats.start_wall_ms > 0);
    (void)sonde_registry_free(registry);
}

static void timed_operations_count_by_their_result(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    for (int result = SONDE_CACHE_HIT; result <= SONDE_CACHE_DONE; result++) {
        sonde_cache_timer timer = sonde_cache_begin(cache, "get");
        sn_fake_clock_advance_ms(&fake, 2 + 2 * result);
        sonde_cache_end(&timer, (sonde_cache_result)result, "k");
        sonde_cache_end(&timer, (sonde_cache_result)result, "k"); /* ended already */
    }
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.start.hits, 1);
    assert_int_equal(stats.start.misses, 1);
    assert_int_equal(stats.start.timed, 3);
    assert_true(stats.hour.response_avg_ms > 3.999 && stats.hour.response_avg_ms < 4.001);
    assert_int_equal(stats.slow_operations, 0);
    (void)sonde_registry_free(registry);
}

static void response_times_have_windows_too(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_run run = {.duration_ns = 10000000, .result = SONDE_CACHE_HIT};
    sonde_cache_record(cache, &run);
    sn_fake_clock_advance_ms(&fake, 61 * MINUTE_MS);
    run.duration_ns = 20000000;
    sonde_cache_record(cache, &run);
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.hour.timed, 1);
    assert_int_equal(stats.day.timed, 2);
    assert_true(stats.hour.response_avg_ms > 19.99 && stats.hour.response_avg_ms < 20.01);
    assert_true(stats.day.response_avg_ms > 14.99 && stats.day.response_avg_ms < 15.01);
    (void)sonde_registry_free(registry);
}

static void slow_operations_begin_at_the_threshold(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_slow_entry entries[SONDE_CACHE_SLOW_MAX];
    sonde_cache_run run = {.operation = "get", .detail = "user:7", .duration_ns = 99999999};
    sonde_cache_record(cache, &run);
    assert_int_equal(sonde_cache_slow(cache, entries), 0);
    run.duration_ns = 100000000;
    sonde_cache_record(cache, &run);
    assert_int_equal(sonde_cache_slow(cache, entries), 1);
    assert_string_equal(entries[0].operation, "get");
    assert_string_equal(entries[0].detail, "user:7");
    assert_int_equal(entries[0].end_wall_ms, WALL_MS);
    assert_int_equal(read_of(cache).slow_operations, 1);
    (void)sonde_registry_free(registry);
}

static void absurd_durations_are_harmless(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_run run = {.duration_ns = UINT64_MAX, .result = (sonde_cache_result)77};
    sonde_cache_record(cache, &run);
    sonde_cache_timer timer = sonde_cache_begin(cache, NULL);
    sn_fake_clock_advance_ms(&fake, -5000); /* the clock goes back */
    sonde_cache_end(&timer, SONDE_CACHE_HIT, NULL);
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.start.timed, 2);
    assert_int_equal(stats.start.hits, 1);
    assert_true(stats.start.response_avg_ms > 0);
    (void)sonde_registry_free(registry);
}

static void usage_has_a_peak_and_a_fragmentation(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_usage usage = {.entries = 3, .used_bytes = 750, .reserved_bytes = 1000};
    sonde_cache_set_usage(cache, &usage);
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.entries, 3);
    assert_int_equal(stats.used_bytes, 750);
    assert_int_equal(stats.reserved_bytes, 1000);
    assert_true(stats.fragmentation == 0.25);
    sonde_cache_add_used_bytes(cache, 50);
    sonde_cache_add_used_bytes(cache, -700);
    sonde_cache_add_entries(cache, 2);
    sonde_cache_evict(cache, 4);
    stats = read_of(cache);
    assert_int_equal(stats.entries, 5);
    assert_int_equal(stats.used_bytes, 100);
    assert_int_equal(stats.used_peak_bytes, 800);
    assert_int_equal(stats.evictions, 4);
    usage = (sonde_cache_usage){.used_bytes = UINT64_MAX};
    sonde_cache_set_usage(cache, &usage);
    stats = read_of(cache);
    assert_int_equal(stats.used_bytes, INT64_MAX);
    assert_int_equal(stats.reserved_bytes, INT64_MAX);
    assert_true(stats.fragmentation == 0);
    (void)sonde_registry_free(registry);
}

static void steps_below_zero_read_as_zero(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_add_entries(cache, -1);
    sonde_cache_add_used_bytes(cache, -1);
    assert_int_equal(read_of(cache).entries, 0);
    assert_int_equal(read_of(cache).used_bytes, 0);
    (void)sonde_registry_free(registry);
}

static void a_cache_that_is_not_there_is_safe(sonde_cache *cache) {
    sonde_cache_timer timer = sonde_cache_begin(cache, "get");
    sonde_cache_slow_entry entries[SONDE_CACHE_SLOW_MAX];
    sonde_cache_usage usage = {.entries = 1};
    sonde_cache_run run = {.duration_ns = 1};
    sonde_cache_end(&timer, SONDE_CACHE_HIT, "k");
    sonde_cache_end(NULL, SONDE_CACHE_HIT, "k");
    sonde_cache_hit(cache);
    sonde_cache_miss(cache);
    sonde_cache_evict(cache, 1);
    sonde_cache_record(cache, &run);
    sonde_cache_set_usage(cache, &usage);
    sonde_cache_add_entries(cache, 1);
    sonde_cache_add_used_bytes(cache, 1);
    assert_int_equal(sonde_cache_slow(cache, entries), 0);
    assert_int_equal(read_of(cache).start.hits, 0);
}

static void null_arguments_are_safe(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    a_cache_that_is_not_there_is_safe(NULL);
    sonde_cache *unnamed = sonde_cache_get(registry, NULL, NULL);
    sonde_cache_record(unnamed, NULL);
    sonde_cache_set_usage(unnamed, NULL);
    sonde_cache_hit(unnamed);
    assert_true(has_line(registry, "sonde_cache_hits_total{service=\"\",cache=\"\"} 1"));
    (void)sonde_registry_free(registry);
}

static void finding_makes_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    assert_null(sonde_cache_find(registry, "shop", "users"));
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sonde_cache *unnamed = sonde_cache_get(registry, "shop", NULL);
    assert_ptr_equal(sonde_cache_find(registry, "shop", "users"), cache);
    assert_ptr_equal(sonde_cache_find(registry, "shop", ""), unnamed);
    assert_null(sonde_cache_find(registry, "shop", "user"));
    assert_null(sonde_cache_find(registry, NULL, "users"));
    (void)sonde_registry_free(registry);
}

static void caches_have_a_limit(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *last = NULL;
    for (int i = 0; i < SONDE_CACHES_MAX; i++) {
        const char name[] = {(char)('A' + i / 26), (char)('a' + i % 26), '\0'};
        last = sonde_cache_get(registry, "s", name);
        sonde_cache_hit(last);
    }
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 0);
    sonde_cache *other = sonde_cache_get(registry, "s", "more");
    assert_ptr_not_equal(other, last);
    assert_ptr_equal(sonde_cache_get(registry, "t", "more"), other);
    sonde_cache_hit(other);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 2);
    assert_true(has_line(registry, "sonde_cache_hits_total{service=\"__other__\","
                                   "cache=\"__other__\"} 1"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 0);
    (void)sonde_registry_free(registry);
}

static void without_memory_nothing_is_recorded_and_the_next_call_tries_again(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        sonde_registry *registry = new_registry();
        sn_mem_fail_nth(n);
        sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        if (!sn_cache_is_ready(cache))
            a_cache_that_is_not_there_is_safe(cache);
        sonde_free(page_of(registry)); /* callbacks of half a registration */
        cache = sonde_cache_get(registry, "shop", "users");
        sonde_cache_hit(cache);
        assert_int_equal(read_of(cache).start.hits, 1);
        (void)sonde_registry_free(registry);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

static void recording_allocates_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users"); /* with the real clock */
    sonde_cache_run run = {.operation = "get", .duration_ns = 1};
    sonde_cache_record(cache, &run); /* the thread's cells */
    int64_t before = sn_mem_block_count();
    sn_mem_fail_from(1);
    for (int i = 0; i < 1000; i++) {
        sonde_cache_timer timer = sonde_cache_begin(cache, "get");
        sonde_cache_end(&timer, SONDE_CACHE_HIT, "k");
        run.duration_ns = 1000000000; /* slow */
        sonde_cache_record(cache, &run);
        sonde_cache_miss(cache);
        sonde_cache_evict(cache, 1);
        sonde_cache_add_used_bytes(cache, 1);
        sonde_cache_add_entries(cache, 1);
        (void)sonde_cache_evaluate(cache);
    }
    assert_int_equal(sn_mem_fail_fired(), 0);
    sn_mem_fail_from(0);
    assert_int_equal(sn_mem_block_count(), before);
    assert_int_equal(read_of(cache).start.hits, 1000 + 1001);
    (void)sonde_registry_free(registry);
}

static void real_time_is_measured(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    const struct sn_clock *clock = sn_clock_system();
    for (int i = 0; i < 20; i++) { /* the processor's counter becomes ready on the way */
        sonde_cache_timer timer = sonde_cache_begin(cache, "get");
        int64_t until_ns = sn_clock_mono_ns(clock) + 2000000;
        while (sn_clock_mono_ns(clock) < until_ns)
            ;
        sonde_cache_end(&timer, SONDE_CACHE_MISS, NULL);
    }
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.hour.timed, 20);
    assert_true(stats.hour.response_avg_ms >= 1.99);
    (void)sonde_registry_free(registry);
}

struct work {
    sonde_cache *cache;
    int rounds;
};

static void *hammer(void *ctx) {
    const struct work *work = ctx;
    for (int i = 0; i < work->rounds; i++) {
        sonde_cache_timer timer = sonde_cache_begin(work->cache, "get");
        sonde_cache_end(&timer, i % 4 != 0 ? SONDE_CACHE_HIT : SONDE_CACHE_MISS, "key");
        sonde_cache_run run = {.operation = "put", .duration_ns = 200000000 + (uint64_t)i};
        run.result = SONDE_CACHE_DONE;
        if (i % 16 == 0) {
            sonde_cache_record(work->cache, &run);
            sn_fake_clock_advance_ms(&fake, MINUTE_MS / 2);
        }
        sonde_cache_add_used_bytes(work->cache, i % 2 == 0 ? 10 : -10);
    }
    return NULL;
}

static void hammer_from_threads(sonde_registry *registry, sonde_cache *cache) {
    enum { THREADS = 4, ROUNDS = 2000 };
    struct work work = {cache, ROUNDS};
    pthread_t threads[THREADS];
    sonde_cache_slow_entry entries[SONDE_CACHE_SLOW_MAX];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &work), 0);
    for (int i = 0; i < 20; i++) {
        (void)sonde_cache_evaluate(cache);
        (void)sonde_cache_slow(cache, entries);
        sonde_free(page_of(registry));
        assert_true(read_of(cache).start.hits <= THREADS * ROUNDS);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    sonde_cache_stats stats = read_of(cache);
    assert_int_equal(stats.start.hits, THREADS * ROUNDS * 3 / 4);
    assert_int_equal(stats.start.misses, THREADS * ROUNDS / 4);
    assert_int_equal(stats.day.hits, stats.start.hits);
    /* Timers during which another thread moved the clock are slow as well. */
    assert_in_range(stats.slow_operations, THREADS * ROUNDS / 16, THREADS * ROUNDS);
    assert_int_equal(stats.used_bytes, 0);
    assert_in_range(stats.used_peak_bytes, 10, 10 * THREADS);
}

static void threads_lose_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    hammer_from_threads(registry, new_cache(registry)); /* minutes end all the time */
    (void)sonde_registry_free(registry);
    registry = new_registry();
    hammer_from_threads(registry, sonde_cache_get(registry, "shop", "users"));
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_and_misses_have_an_hour_a_day_and_a_start),
        cmocka_unit_test(an_untouched_cache_is_all_zero),
        cmocka_unit_test(timed_operations_count_by_their_result),
        cmocka_unit_test(response_times_have_windows_too),
        cmocka_unit_test(slow_operations_begin_at_the_threshold),
        cmocka_unit_test(absurd_durations_are_harmless),
        cmocka_unit_test(usage_has_a_peak_and_a_fragmentation),
        cmocka_unit_test(steps_below_zero_read_as_zero),
        cmocka_unit_test(null_arguments_are_safe),
        cmocka_unit_test(finding_makes_nothing),
        cmocka_unit_test(caches_have_a_limit),
        cmocka_unit_test(without_memory_nothing_is_recorded_and_the_next_call_tries_again),
        cmocka_unit_test(recording_allocates_nothing),
        cmocka_unit_test(real_time_is_measured),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
