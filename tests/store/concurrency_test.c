/*
 * Pushes, reads, selects, flushes, compaction, retention and statistics at the same time, for ThreadSanitizer
 * and for the promise that a reader sees every acknowledged sample while a flush moves it.
 */
#include "store_support.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { PUSHERS = 2, READERS = 2, THREADS = PUSHERS + READERS + 2, SERIES = 8, ROUNDS = 600 };

static const char *const names[PUSHERS] = {"a", "b"};

struct shared {
    struct test_store *test;
    atomic_int acked[PUSHERS]; /* rounds that every reader must see */
    atomic_int running;        /* pushers that have not finished */
    atomic_int failures;
    atomic_int compactions;
};

struct role {
    struct shared *shared;
    unsigned number;
};

static double value_of(unsigned pusher, unsigned series, int round) {
    return (double)(round * 100 + (int)series) + pusher * 0.25;
}

static void run_pusher(void *ctx) {
    struct role *role = ctx;
    struct shared *shared = role->shared;
    struct sn_buf labels[SERIES];
    struct sn_batch_series series[SERIES];
    for (unsigned i = 0; i < SERIES; i++) {
        sn_buf_init(&labels[i], 0);
        test_labels(&labels[i], names[role->number], i);
        series[i] = (struct sn_batch_series){.labels = sn_buf_str(&labels[i])};
    }
    for (int round = 0; round < ROUNDS; round++) {
        struct sn_batch_sample samples[SERIES];
        struct sn_push_result result;
        for (unsigned i = 0; i < SERIES; i++)
            samples[i] = (struct sn_batch_sample){.time_ms = TEST_NOW_MS - 3600000 + round * 1000,
                                                  .value = value_of(role->number, i, round),
                                                  .series = i};
        struct sn_batch batch = {
            .series = series, .series_count = SERIES, .samples = samples, .sample_count = SERIES};
        if (sn_sink_push_wait(sn_store_sink(shared->test->store), &batch, &result, NULL) != SN_OK)
            atomic_fetch_add(&shared->failures, 1);
        atomic_store(&shared->acked[role->number], round + 1);
    }
    for (unsigned i = 0; i < SERIES; i++)
        sn_buf_release(&labels[i]);
    atomic_fetch_sub(&shared->running, 1);
}

static void check_series(struct shared *shared, unsigned pusher, unsigned series,
                         struct sn_samples *samples) {
    int acked = atomic_load(&shared->acked[pusher]);
    struct sn_err err = {.status = SN_OK};
    samples->count = 0;
    sn_status status =
        test_try_read(shared->test, names[pusher], series, TEST_ALL_TIME, samples, &err);
    bool is_good = status == SN_OK && samples->count >= (size_t)acked;
    for (size_t i = 0; i < samples->count && is_good; i++)
        is_good = samples->time_ms[i] == TEST_NOW_MS - 3600000 + (int64_t)i * 1000 &&
                  samples->value[i] == value_of(pusher, series, (int)i);
    if (!is_good)
        atomic_fetch_add(&shared->failures, 1);
}

static void run_reader(void *ctx) {
    struct role *role = ctx;
    struct shared *shared = role->shared;
    struct sn_samples samples;
    unsigned turn = role->number;
    sn_samples_init(&samples);
    while (atomic_load(&shared->running) > 0) {
        struct sn_arena arena;
        struct sn_string_list list;
        struct sn_select all = {0};
        struct sn_reader reader = sn_store_reader(shared->test->store);
        check_series(shared, turn % PUSHERS, turn % SERIES, &samples);
        sn_arena_init(&arena, 0);
        if (reader.label_values(reader.ctx, SN_STR("n"), &all, 0, &arena, &list, NULL) != SN_OK ||
            reader.label_names(reader.ctx, &all, 0, &arena, &list, NULL) != SN_OK)
            atomic_fetch_add(&shared->failures, 1);
        sn_arena_release(&arena);
        turn++;
    }
    sn_samples_release(&samples);
}

static void run_flusher(void *ctx) {
    struct role *role = ctx;
    struct shared *shared = role->shared;
    while (atomic_load(&shared->running) > 0) {
        struct sn_store_stats stats;
        if (sn_store_flush(shared->test->store, NULL) != SN_OK ||
            sn_store_apply_retention(shared->test->store, NULL, NULL) != SN_OK)
            atomic_fetch_add(&shared->failures, 1);
        sn_store_stats(shared->test->store, &stats);
    }
}

/* Beside the flushes: the worker that does both one after the other has nothing to do here. */
static void run_compactor(void *ctx) {
    struct role *role = ctx;
    struct shared *shared = role->shared;
    while (atomic_load(&shared->running) > 0) {
        size_t count = 0;
        if (sn_store_compact(shared->test->store, &count, NULL) != SN_OK)
            atomic_fetch_add(&shared->failures, 1);
        atomic_fetch_add(&shared->compactions, (int)count);
    }
}

static void readers_see_all_that_is_acknowledged_while_flushes_run(void **state) {
    (void)state;
    struct test_store test;
    struct sn_thread threads[THREADS];
    struct role roles[THREADS];
    test_store_init(&test);
    test.is_changing = true;
    test_store_open(&test);
    struct shared shared = {.test = &test, .running = PUSHERS};
    for (unsigned i = 0; i < THREADS; i++) {
        unsigned number = i < PUSHERS ? i : i - PUSHERS;
        roles[i] = (struct role){.shared = &shared, .number = number};
        void (*run)(void *) = i < PUSHERS             ? run_pusher
                              : i < PUSHERS + READERS ? run_reader
                              : i < THREADS - 1       ? run_flusher
                                                      : run_compactor;
        assert_int_equal(sn_thread_start(&threads[i], "role", run, &roles[i], NULL), SN_OK);
    }
    for (unsigned i = 0; i < THREADS; i++)
        sn_thread_join(&threads[i]);
    assert_int_equal(shared.failures, 0);
    assert_true(shared.compactions > 0);
    struct sn_samples samples;
    sn_samples_init(&samples);
    for (unsigned pusher = 0; pusher < PUSHERS; pusher++) {
        for (unsigned series = 0; series < SERIES; series++)
            check_series(&shared, pusher, series, &samples);
    }
    assert_int_equal(shared.failures, 0);
    sn_samples_release(&samples);
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(readers_see_all_that_is_acknowledged_while_flushes_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
