/* Tests of the lists of a performance tracker. */
#include "client/perf_ring_priv.h"

#include "client_support.h"

#include <pthread.h>

#define MAX 20

/* An entry that says the same thing in every field. */
static sonde_perf_entry entry_of(uint64_t n) {
    sonde_perf_entry entry = {.start_wall_ms = (int64_t)n + 1, .duration_ns = n};
    (void)snprintf(entry.name, sizeof entry.name, "operation %d", (int)n);
    (void)snprintf(entry.message, sizeof entry.message, "message of operation %d", (int)n);
    return entry;
}

static void assert_entry(const sonde_perf_entry *entry, uint64_t n) {
    sonde_perf_entry expected = entry_of(n);
    assert_memory_equal(entry, &expected, sizeof expected);
}

static void the_last_ones_come_newest_first(void **state) {
    (void)state;
    struct sn_perf_recent recent;
    sonde_perf_entry entries[MAX];
    assert_int_equal(sn_perf_recent_init(&recent, 4), SN_OK);
    assert_int_equal(sn_perf_recent_copy(&recent, entries, MAX), 0);
    for (uint64_t n = 0; n < 10; n++) {
        sonde_perf_entry entry = entry_of(n);
        sn_perf_recent_put(&recent, &entry);
        size_t count = sn_perf_recent_copy(&recent, entries, MAX);
        assert_int_equal(count, n < 4 ? n + 1 : 4);
        for (size_t i = 0; i < count; i++)
            assert_entry(&entries[i], n - i);
    }
    assert_int_equal(sn_perf_recent_copy(&recent, entries, 2), 2);
    assert_int_equal(sn_perf_recent_copy(&recent, NULL, 0), 0);
    sn_perf_recent_clear(&recent);
    assert_int_equal(sn_perf_recent_copy(&recent, entries, MAX), 0);
    sonde_perf_entry entry = entry_of(7);
    sn_perf_recent_put(&recent, &entry);
    assert_int_equal(sn_perf_recent_copy(&recent, entries, MAX), 1);
    assert_entry(&entries[0], 7);
    sn_perf_recent_release(&recent);
}

static void the_slowest_stay(void **state) {
    (void)state;
    struct sn_perf_slow slow;
    sonde_perf_entry entries[MAX];
    assert_int_equal(sn_perf_slow_init(&slow, 5), SN_OK);
    for (uint64_t i = 0; i < 1000; i++) {
        sonde_perf_entry entry = entry_of(i * 379 % 1000);
        sn_perf_slow_put(&slow, &entry);
        if (i % 100 == 0)
            (void)sn_perf_slow_copy(&slow, entries, MAX);
    }
    assert_int_equal(sn_perf_slow_copy(&slow, entries, MAX), 5);
    for (uint64_t i = 0; i < 5; i++)
        assert_entry(&entries[i], 999 - i);
    assert_int_equal(sn_perf_slow_copy(&slow, entries, 2), 2);
    assert_entry(&entries[1], 998);
    assert_int_equal(sn_perf_slow_copy(&slow, NULL, 0), 0);
    sn_perf_slow_clear(&slow);
    assert_int_equal(sn_perf_slow_copy(&slow, entries, MAX), 0);
    sonde_perf_entry entry = entry_of(3);
    sn_perf_slow_put(&slow, &entry);
    assert_int_equal(sn_perf_slow_copy(&slow, entries, MAX), 1);
    sn_perf_slow_release(&slow);
}

static void an_entry_must_be_slower_than_the_fastest_that_is_kept(void **state) {
    (void)state;
    struct sn_perf_slow slow;
    sonde_perf_entry entry;
    assert_int_equal(sn_perf_slow_init(&slow, 2), SN_OK);
    for (uint64_t n = 10; n <= 11; n++) {
        entry = entry_of(n);
        sn_perf_slow_put(&slow, &entry);
    }
    entry = entry_of(10);
    entry.name[0] = 'X';
    sn_perf_slow_put(&slow, &entry);
    sonde_perf_entry entries[MAX];
    assert_int_equal(sn_perf_slow_copy(&slow, entries, MAX), 2);
    assert_entry(&entries[1], 10);
    sn_perf_slow_release(&slow);
}

struct stress {
    struct sn_perf_recent recent;
    struct sn_perf_slow slow;
    _Atomic bool stop;
};

static void *put_many(void *ctx) {
    struct stress *stress = ctx;
    for (uint64_t n = 0; n < 5000; n++) {
        sonde_perf_entry entry = entry_of(n);
        sn_perf_recent_put(&stress->recent, &entry);
        sn_perf_slow_put(&stress->slow, &entry);
    }
    return NULL;
}

static void *read_many(void *ctx) {
    struct stress *stress = ctx;
    sonde_perf_entry entries[MAX];
    while (!atomic_load(&stress->stop)) {
        size_t count = sn_perf_recent_copy(&stress->recent, entries, MAX);
        for (size_t i = 0; i < count; i++)
            assert_entry(&entries[i], entries[i].duration_ns);
        count = sn_perf_slow_copy(&stress->slow, entries, MAX);
        for (size_t i = 0; i < count; i++)
            assert_entry(&entries[i], entries[i].duration_ns);
    }
    return NULL;
}

static void readers_never_see_half_an_entry(void **state) {
    (void)state;
    struct stress stress = {.stop = false};
    pthread_t writers[2], reader;
    assert_int_equal(sn_perf_recent_init(&stress.recent, 3), SN_OK);
    assert_int_equal(sn_perf_slow_init(&stress.slow, 3), SN_OK);
    assert_int_equal(pthread_create(&reader, NULL, read_many, &stress), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writers[i], NULL, put_many, &stress), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(writers[i], NULL), 0);
    atomic_store(&stress.stop, true);
    assert_int_equal(pthread_join(reader, NULL), 0);
    sonde_perf_entry entries[MAX];
    assert_int_equal(sn_perf_slow_copy(&stress.slow, entries, MAX), 3);
    assert_entry(&entries[0], 4999);
    assert_entry(&entries[1], 4999);
    assert_entry(&entries[2], 4998);
    sn_perf_recent_release(&stress.recent);
    sn_perf_slow_release(&stress.slow);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_ones_come_newest_first),
        cmocka_unit_test(the_slowest_stay),
        cmocka_unit_test(an_entry_must_be_slower_than_the_fastest_that_is_kept),
        cmocka_unit_test(readers_never_see_half_an_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
