/* Tests of recording and reading memory: peak, rates by a fake clock, threads, no memory. */
#include "client/memory_priv.h"

#include "client_support.h"

#include <math.h>
#include <pthread.h>

static struct sn_fake_clock fake;

static sonde_memory *new_memory(sonde_registry *registry) {
    sonde_memory *memory = sonde_memory_get(registry, "images");
    sn_fake_clock_init(&fake, 1000, INT64_C(1700000000000));
    sn_memory_set_clock(memory, &fake.clock);
    return memory;
}

static sonde_memory_stats read_of(sonde_memory *memory) {
    sonde_memory_stats stats;
    sonde_memory_read(memory, &stats);
    return stats;
}

static void bytes_have_an_exact_peak(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry);
    sonde_memory_alloc(memory, 100);
    sonde_memory_alloc(memory, 50);
    sonde_memory_free(memory, 100);
    sonde_memory_alloc(memory, 20);
    sonde_memory_stats stats = read_of(memory);
    assert_int_equal(stats.bytes, 70);
    assert_int_equal(stats.peak_bytes, 150);
    assert_int_equal(stats.allocations, 3);
    assert_int_equal(stats.frees, 1);
    assert_int_equal(stats.allocated_bytes, 170);
    (void)sonde_registry_free(registry);
}

static void bytes_can_be_set(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry);
    sonde_memory_set(memory, 1000);
    sonde_memory_set(memory, 10);
    assert_int_equal(read_of(memory).bytes, 10);
    assert_int_equal(read_of(memory).peak_bytes, 1000);
    assert_int_equal(read_of(memory).allocations, 0);
    sonde_memory_set(memory, UINT64_MAX);
    assert_int_equal(read_of(memory).bytes, INT64_MAX);
    (void)sonde_registry_free(registry);
}

static void more_given_back_than_taken_is_zero(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry);
    sonde_memory_free(memory, 10);
    assert_int_equal(read_of(memory).bytes, 0);
    assert_int_equal(read_of(memory).peak_bytes, 0);
    (void)sonde_registry_free(registry);
}

static void rates_come_from_notes(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry);
    assert_true(read_of(memory).allocations_per_second == 0);
    for (int second = 1; second <= 100; second++) {
        sn_fake_clock_advance_ms(&fake, 1000);
        sonde_memory_alloc(memory, 30);
        sonde_memory_alloc(memory, 10);
        sonde_memory_free(memory, 10);
    }
    sonde_memory_stats stats = read_of(memory);
    assert_true(stats.allocations_per_second == 2);
    assert_true(stats.frees_per_second == 1);
    assert_true(stats.growth_per_second == 30);
    (void)sonde_registry_free(registry);
}

static void collections_have_sums_and_a_maximum(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry);
    sonde_memory_collected(memory, &(sonde_memory_collection){0.25, 1000});
    sonde_memory_collected(memory, &(sonde_memory_collection){0.5, 24});
    sonde_memory_collected(memory, &(sonde_memory_collection){0.125, 0});
    sonde_memory_stats stats = read_of(memory);
    assert_int_equal(stats.collections, 3);
    assert_true(stats.pause_sum_seconds == 0.875);
    assert_true(stats.pause_max_seconds == 0.5);
    assert_int_equal(stats.reclaimed_bytes, 1024);
    sonde_memory_collected(memory, &(sonde_memory_collection){-1, 1});
    sonde_memory_collected(memory, &(sonde_memory_collection){(double)NAN, 1});
    sonde_memory_collected(memory, NULL);
    assert_int_equal(read_of(memory).collections, 3);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_VALUE), 2);
    (void)sonde_registry_free(registry);
}

static void an_instrument_that_is_not_there_is_safe(sonde_memory *memory) {
    sonde_memory_alloc(memory, 1);
    sonde_memory_free(memory, 1);
    sonde_memory_set(memory, 1);
    sonde_memory_collected(memory, &(sonde_memory_collection){1, 1});
    assert_int_equal(read_of(memory).bytes + read_of(memory).allocations, 0);
}

static void null_arguments_are_safe(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    an_instrument_that_is_not_there_is_safe(NULL);
    sonde_memory_alloc(sonde_memory_get(registry, NULL), 7);
    assert_true(has_line(registry, "sonde_memory_bytes{service=\"\"} 7"));
    (void)sonde_registry_free(registry);
}

static void finding_makes_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    assert_null(sonde_memory_find(registry, "images"));
    sonde_memory *memory = sonde_memory_get(registry, "images");
    assert_ptr_equal(sonde_memory_find(registry, "images"), memory);
    assert_null(sonde_memory_find(registry, "image"));
    (void)sonde_registry_free(registry);
}

static void services_have_a_limit(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    for (int i = 0; i < SONDE_MEMORIES_MAX; i++) {
        const char name[] = {(char)('a' + i / 100), (char)('a' + i / 10 % 10), (char)('a' + i % 10),
                             '\0'};
        sonde_memory_alloc(sonde_memory_get(registry, name), 1);
    }
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 0);
    sonde_memory *other = sonde_memory_get(registry, "more");
    assert_ptr_equal(sonde_memory_get(registry, "even more"), other);
    sonde_memory_alloc(other, 9);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_SERIES_LIMIT), 2);
    assert_true(has_line(registry, "sonde_memory_bytes{service=\"__other__\"} 9"));
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
        sonde_memory *memory = sonde_memory_get(registry, "images");
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        if (!sn_memory_is_ready(memory))
            an_instrument_that_is_not_there_is_safe(memory);
        sonde_free(page_of(registry)); /* callbacks of half a registration */
        memory = sonde_memory_get(registry, "images");
        sonde_memory_alloc(memory, 5);
        assert_int_equal(read_of(memory).bytes, 5);
        (void)sonde_registry_free(registry);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

static void recording_allocates_nothing(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = sonde_memory_get(registry, "images");
    sonde_memory_collection collection = {0.001, 10};
    sonde_memory_collected(memory, &collection); /* the thread's cells */
    int64_t before = sn_mem_block_count();
    sn_mem_fail_from(1);
    for (int i = 0; i < 1000; i++) {
        sonde_memory_alloc(memory, 10);
        sonde_memory_free(memory, 10);
        sonde_memory_set(memory, 0);
        sonde_memory_collected(memory, &collection);
        (void)sonde_memory_evaluate(memory);
    }
    assert_int_equal(sn_mem_fail_fired(), 0);
    sn_mem_fail_from(0);
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_registry_free(registry);
}

static void *take_and_give(void *memory) {
    for (int i = 0; i < 2000; i++) {
        sonde_memory_alloc(memory, 10);
        sonde_memory_free(memory, 10);
        if (i % 50 == 0)
            sonde_memory_collected(memory, &(sonde_memory_collection){i * 0.001, 1});
        sn_fake_clock_advance_ms(&fake, 1000);
    }
    return NULL;
}

static void threads_lose_nothing(void **state) {
    (void)state;
    enum { THREADS = 4 };
    sonde_registry *registry = new_registry();
    sonde_memory *memory = new_memory(registry);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_and_give, memory), 0);
    for (int i = 0; i < 20; i++) {
        (void)sonde_memory_evaluate(memory);
        sonde_free(page_of(registry));
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    sonde_memory_stats stats = read_of(memory);
    assert_int_equal(stats.bytes, 0);
    assert_in_range(stats.peak_bytes, 10, 10 * THREADS);
    assert_int_equal(stats.allocations, THREADS * 2000);
    assert_int_equal(stats.frees, THREADS * 2000);
    assert_int_equal(stats.collections, THREADS * 40);
    assert_true(stats.pause_max_seconds == 1950 * 0.001);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_an_exact_peak),
        cmocka_unit_test(bytes_can_be_set),
        cmocka_unit_test(more_given_back_than_taken_is_zero),
        cmocka_unit_test(rates_come_from_notes),
        cmocka_unit_test(collections_have_sums_and_a_maximum),
        cmocka_unit_test(null_arguments_are_safe),
        cmocka_unit_test(finding_makes_nothing),
        cmocka_unit_test(services_have_a_limit),
        cmocka_unit_test(without_memory_nothing_is_recorded_and_the_next_call_tries_again),
        cmocka_unit_test(recording_allocates_nothing),
        cmocka_unit_test(threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
