/*
 * Forgetting series: only those without samples, for good, in memory and in the catalogue; pushes that come
 * at the same time lose nothing; crashes at any moment; churn does not grow.
 */
#include "rollup_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "store/rollup_build.h"
#include "store/series_gc.h"
#include "store/store_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    sn_fake_clock_init(&test->clock, 1000000000, TEST_NOW_MS);
    test->options.retention_ms = 10 * TEST_DAY_MS;
    test->options.without_rollups = true;
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

static size_t collect(struct test_store *test) {
    struct sn_err err = {.status = SN_OK};
    size_t count = 0;
    sn_status status = sn_store_collect_series(test->store, &count, &err);
    if (status != SN_OK)
        print_error("%s\n", err.text);
    assert_int_equal(status, SN_OK);
    return count;
}

/* All that is there expires. */
static void expire(struct test_store *test) {
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_expire(test);
}

static int64_t now_of(const struct test_store *test) {
    return test->clock.wall_ms;
}

static void push(struct test_store *test, const char *name, unsigned number) {
    assert_int_equal(test_push_one(test, name, number, now_of(test), number, NULL), SN_OK);
}

static uint64_t series_count(struct test_store *test) {
    return test_store_stats(test).series_count;
}

static size_t count_values(struct test_store *test, const char *label) {
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_select select = {.range = TEST_ALL_TIME};
    struct sn_string_list values = {0};
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(
        reader.label_values(reader.ctx, sn_str_from(label), &select, 0, &arena, &values, NULL),
        SN_OK);
    size_t count = values.count;
    sn_arena_release(&arena);
    return count;
}

static void series_without_samples_go_and_come_back_new(void **state) {
    struct test_store *test = *state;
    uint64_t id;
    test_store_open(test);
    for (unsigned i = 0; i < 100; i++)
        push(test, "old", i);
    assert_int_equal(collect(test), 0); /* the log has them */
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(collect(test), 0); /* a segment has them */
    expire(test);
    push(test, "old", 7);
    push(test, "fresh", 1);
    assert_int_equal(collect(test), 99);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(series_count(test), 2);
        assert_int_equal(count_values(test, "__name__"), 2);
        assert_int_equal(count_values(test, "n"), 2);
        assert_false(test_find_series(test, "old", 3, &id));
        assert_true(test_find_series(test, "old", 7, &id));
        assert_int_equal(id, 7);
        (void)test_store_verify(test);
    }
    push(test, "old", 3);
    assert_true(test_find_series(test, "old", 3, &id));
    assert_int_equal(id, 101); /* not one that was given before */
    assert_int_equal(collect(test), 0);
    for (int i = 0; i < 2; i++) {
        struct sn_samples samples;
        test_read(test, "old", 3, TEST_ALL_TIME, &samples);
        assert_int_equal(samples.count, 1);
        sn_samples_release(&samples);
        assert_int_equal(series_count(test), 3);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        (void)test_store_verify(test);
    }
}

static void what_is_used_stays(void **state) {
    struct test_store *test = *state;
    struct sn_label trace = {SN_STR("trace_id"), SN_STR("abc")};
    struct sn_buf labels;
    test->options.without_rollups = false;
    test_store_open(test);
    push(test, "rolled", 1);
    expire(test); /* not rolled up in time: goes */
    assert_int_equal(collect(test), 1);
    test_push_span(test, "rolled", 2,
                   (struct sn_range){now_of(test) - 2 * TEST_DAY_MS, now_of(test) - TEST_DAY_MS},
                   60000);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_roll_up(test->store, NULL, NULL), SN_OK);
    push(test, "exemplary", 3);
    sn_buf_init(&labels, 0);
    test_labels(&labels, "exemplary", 3);
    struct sn_batch_series series = {.labels = sn_buf_str(&labels)};
    struct sn_batch_exemplar exemplar = {
        .exemplar = {.labels = {&trace, 1}, .value = 1, .time_ms = now_of(test)}};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .exemplars = &exemplar, .exemplar_count = 1};
    struct sn_push_result result;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    sn_buf_release(&labels);
    expire(test);
    assert_int_equal(collect(test), 0);
    assert_int_equal(series_count(test), 2);
    (void)test_store_verify(test);
    assert_int_equal(collect(test), 0);
}

/* ---- crashes and faults ---- */

/* Ids of the log are behind all that were ever given. */
static void a_log_behind_removed_series_is_replayed(void **state) {
    struct test_store *test = *state;
    struct sn_samples samples;
    test_store_open(test);
    for (unsigned i = 0; i < 10; i++)
        push(test, "old", i);
    expire(test);
    assert_int_equal(collect(test), 10);
    for (unsigned i = 0; i < 10; i += 2)
        push(test, "old", i);
    test_store_reopen(test);
    for (unsigned i = 0; i < 10; i += 2) {
        test_read(test, "old", i, TEST_ALL_TIME, &samples);
        assert_int_equal(samples.count, 1);
        sn_samples_release(&samples);
    }
    assert_int_equal(series_count(test), 5);
}

/* As after a transaction that failed: the series are gone here, and from disk with the next flush; or the
 * log says the same labels under a new id while the catalogue has the old one. */
static void a_failing_catalogue_is_made_up_for_by_the_next_flush(void **state) {
    struct test_store *test = *state;
    struct sn_samples samples;
    for (int crash = 0; crash < 2; crash++) {
        test_store_open(test);
        for (unsigned i = 0; i < 10; i++)
            push(test, "old", i);
        expire(test);
        sn_mutex_lock(&test->store->flush_mu);
        struct sn_bitmap *removed = sn_bitmap_new(NULL, 0);
        for (uint32_t id = 0; id < test->store->index.count; id++) {
            if (sn_series_index_is_removed(&test->store->index, id))
                continue;
            sn_mutex_lock(&test->store->index_mu);
            assert_int_equal(sn_series_index_remove(&test->store->index, id), SN_OK);
            sn_mutex_unlock(&test->store->index_mu);
            sn_bitmap_add(removed, id);
        }
        test->store->removed_pending = removed;
        sn_mutex_unlock(&test->store->flush_mu);
        assert_int_equal(series_count(test), 0);
        for (unsigned i = 0; i < 10; i += 2)
            push(test, "old", i);
        if (crash)
            test_store_reopen(test);
        assert_int_equal(series_count(test), crash ? 10 : 5);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        test_store_reopen(test);
        for (unsigned i = 0; i < 10; i += 2) {
            test_read(test, "old", i, TEST_ALL_TIME, &samples);
            assert_int_equal(samples.count, 1);
            sn_samples_release(&samples);
        }
        (void)test_store_verify(test);
        assert_true(collect(test) <= 5);
        assert_int_equal(series_count(test), 5);
        expire(test);
        assert_int_equal(collect(test), 5);
        test_store_close(test);
    }
}

static void every_failing_allocation_leaves_it_whole(void **state) {
    struct test_store *test = *state;
    bool fired = true;
    test_store_open(test);
    for (uint64_t n = 1; fired; n++) {
        for (unsigned i = 0; i < 5; i++)
            push(test, "old", i);
        expire(test);
        push(test, "kept", 1);
        sn_mem_fail_nth(n);
        (void)(sn_store_collect_series(test->store, NULL, NULL) == SN_OK);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        (void)collect(test);
        assert_int_equal(series_count(test), 1);
        push(test, "old", 3);
        (void)test_store_verify(test);
        assert_int_equal(series_count(test), 2);
        expire(test);
        assert_int_equal(collect(test), 2);
    }
}

/* ---- at the same time ---- */

enum { THREADS = 2, ROUNDS = 150, SERIES = 30 };

struct pusher {
    struct test_store *test;
    unsigned number;
    uint64_t acked[SERIES];
    atomic_bool is_done;
};

/* Each series now and then, so that it is about to go all the time. */
static void run_pusher(void *ctx) {
    struct pusher *pusher = ctx;
    for (unsigned round = 0; round < ROUNDS * SERIES; round++) {
        unsigned series = round % SERIES;
        int64_t time_ms = now_of(pusher->test) + round;
        if (test_push_one(pusher->test, pusher->number ? "b" : "a", series, time_ms, round, NULL) ==
            SN_OK)
            pusher->acked[series]++;
    }
    atomic_store(&pusher->is_done, true);
}

static void drop_all_segments(struct test_store *test) {
    sn_mutex_lock(&test->store->flush_mu);
    size_t count = test->store->segments.set->count;
    bool *is_dropped = calloc(count + 1, sizeof *is_dropped);
    for (size_t i = 0; i < count; i++)
        is_dropped[i] = true;
    if (count > 0)
        assert_int_equal(sn_store_replace_segments(test->store, is_dropped, NULL, NULL, NULL, NULL),
                         SN_OK);
    free(is_dropped);
    sn_mutex_unlock(&test->store->flush_mu);
}

/* Segments are dropped as soon as they are written: what must hold is that a series that has a sample in
 * the log or the newest segment is found. */
static void pushes_at_the_same_time_lose_nothing(void **state) {
    struct test_store *test = *state;
    struct pusher pushers[THREADS];
    struct sn_thread threads[THREADS];
    size_t removed = 0;
    test->is_changing = true;
    test_store_open(test);
    for (unsigned i = 0; i < THREADS; i++) {
        pushers[i] = (struct pusher){.test = test, .number = i};
        assert_int_equal(sn_thread_start(&threads[i], "pusher", run_pusher, &pushers[i], NULL),
                         SN_OK);
    }
    do {
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        drop_all_segments(test);
        removed += collect(test);
    } while (!atomic_load(&pushers[0].is_done) || !atomic_load(&pushers[1].is_done));
    for (unsigned i = 0; i < THREADS; i++)
        sn_thread_join(&threads[i]);
    /* One more of each, which nothing drops. */
    for (unsigned i = 0; i < THREADS; i++) {
        for (unsigned k = 0; k < SERIES; k++) {
            struct sn_samples samples;
            int64_t time_ms = now_of(test) + ROUNDS * SERIES + k;
            assert_int_equal(pushers[i].acked[k], ROUNDS);
            assert_int_equal(test_push_one(test, i ? "b" : "a", k, time_ms, 1, NULL), SN_OK);
            test_read(test, i ? "b" : "a", k, (struct sn_range){time_ms, time_ms}, &samples);
            assert_int_equal(samples.count, 1);
            sn_samples_release(&samples);
        }
    }
    print_message("%zu removed\n", removed);
    test_store_reopen(test);
    assert_int_equal(series_count(test), THREADS * SERIES);
    (void)test_store_verify(test);
}

/* ---- churn ---- */

static size_t rss_bytes(void) {
    char text[256] = "";
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    assert_non_null(fgets(text, sizeof text, file));
    (void)fclose(file);
    char *second = strchr(text, ' ');
    return (size_t)strtoul(second, NULL, 10) * 4096;
}

/* Generations of series that all go: what is left per series is its labels. */
static void churn_does_not_grow(void **state) {
    struct test_store *test = *state;
    enum { GENERATIONS = 10 };
    const unsigned count = getenv("SONDE_LONG") ? 100000 : 16384;
    size_t first = 0;
    test_store_open(test);
    for (unsigned i = 0; i < GENERATIONS; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "generation_%u", i);
        assert_int_equal(test_push_round(test, name, count, now_of(test), 1), SN_OK);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        drop_all_segments(test); /* all in one life: a store that opens begins with an empty head */
        assert_int_equal(collect(test), count);
        assert_int_equal(series_count(test), 0);
        if (i == 1)
            first = rss_bytes();
    }
    size_t last = rss_bytes();
    size_t grown = last > first ? last - first : 0;
    print_message("%zu MB, %zu bytes more per series that is gone\n", last >> 20,
                  grown / count / (GENERATIONS - 2));
    /* Per series that is gone no chunk and no newest value is kept; the last block may be in use. */
    const struct sn_blocks *states = &test->store->head.states;
    for (size_t i = 0; i < (size_t)count * GENERATIONS >> states->shift; i++)
        assert_true(sn_blocks_is_dropped(states, i));
    test_store_reopen(test);
    assert_int_equal(series_count(test), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(series_without_samples_go_and_come_back_new),
        CASE(what_is_used_stays),
        CASE(a_log_behind_removed_series_is_replayed),
        CASE(a_failing_catalogue_is_made_up_for_by_the_next_flush),
        CASE(every_failing_allocation_leaves_it_whole),
        CASE(pushes_at_the_same_time_lose_nothing),
        CASE(churn_does_not_grow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
