/*
 * Failing memory and failing system calls: every n-th one in turn, and disks that fail for good.
 * What was acknowledged is there afterwards, nothing leaks, reads go on.
 */
#include "store_support.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/store_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

/* ---- one life of a store on one thread, which may fail anywhere ---- */

enum { ROUNDS = 5, SERIES = 2, FLUSH_AFTER = 1 };

struct life {
    bool is_acked[ROUNDS];
    bool is_pushed[ROUNDS];
};

#define START_MS (TEST_NOW_MS - 60000) /* of all samples */

/* One series of histograms; what it says at a round. */
static struct sn_buf histogram_labels;
static const struct sn_bucket_span span = {.offset = 1, .length = 2};
static const double counts[ROUNDS + 1] = {1, 2, 3, 4, 5, 6};

static struct sn_histogram histogram_of(int round) {
    return (struct sn_histogram){.schema = 2,
                                 .count = counts[round] + counts[round + 1],
                                 .sum = round,
                                 .positive_spans = &span,
                                 .positive_span_count = 1,
                                 .positive_counts = &counts[round],
                                 .positive_bucket_count = 2};
}

/* Made once, so that only the store meets a failing allocation. */
static struct sn_buf labels[SERIES];

static void note_done(void *ctx, sn_status status, const struct sn_err *err) {
    (void)err;
    *(bool *)ctx = status == SN_OK;
}

static void push_round(struct sn_store *store, int round, struct life *life) {
    struct sn_batch_series series[SERIES + 1];
    struct sn_batch_sample samples[SERIES];
    for (unsigned i = 0; i < SERIES; i++) {
        series[i] = (struct sn_batch_series){.labels = sn_buf_str(&labels[i])};
        samples[i] = (struct sn_batch_sample){
            .time_ms = TEST_NOW_MS + round * 1000, .value = round * 10 + (double)i, .series = i};
    }
    for (unsigned i = 1; i < SERIES; i++) /* the first one's start is not known */
        series[i].start_time_ms = START_MS;
    series[SERIES] = (struct sn_batch_series){.labels = sn_buf_str(&histogram_labels),
                                              .start_time_ms = START_MS};
    struct sn_batch_histogram histogram = {
        .time_ms = TEST_NOW_MS + round * 1000, .series = SERIES, .histogram = histogram_of(round)};
    /* The last round is older than the one before: side lists fail as well. */
    if (round == ROUNDS - 1) {
        for (unsigned i = 0; i < SERIES; i++)
            samples[i].time_ms = TEST_NOW_MS - 1000;
        histogram.time_ms = TEST_NOW_MS - 1000;
    }
    struct sn_label trace = {SN_STR("trace_id"), SN_STR("abc")};
    struct sn_batch_exemplar exemplar = {
        .exemplar = {.labels = {&trace, 1}, .value = round, .time_ms = TEST_NOW_MS + round * 1000}};
    struct sn_metadata metadata = {.metric_name = SN_STR("m"), .help = SN_STR("help")};
    struct sn_batch batch = {.series = series,
                             .series_count = SERIES + 1,
                             .samples = samples,
                             .sample_count = SERIES,
                             .histograms = &histogram,
                             .histogram_count = 1,
                             .exemplars = &exemplar,
                             .exemplar_count = 1,
                             .metadata = &metadata,
                             .metadata_count = 1};
    struct sn_push_result result;
    struct sn_push_done done = {.fn = note_done, .ctx = &life->is_acked[round]};
    life->is_pushed[round] = true;
    if (sn_store_push(store, &batch, done, &result, NULL) == SN_OK)
        sn_store_commit_queued(store);
}

static int round_of(int64_t time_ms) {
    int64_t offset = time_ms - TEST_NOW_MS;
    int round = offset < 0 ? ROUNDS - 1 : (int)(offset / 1000);
    assert_true(round >= 0 && round < ROUNDS);
    return round;
}

static void read_histograms(struct test_store *test, struct life *life, bool must_work) {
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_histograms histograms;
    bool found[ROUNDS] = {false};
    uint64_t id = 0;
    if (!must_work || !test_find_series(test, "h", 0, &id))
        id = SERIES; /* in order of creation; with a fault armed nobody may look it up */
    sn_histograms_init(&histograms, 0);
    sn_status status = reader.histograms(reader.ctx, id, TEST_ALL_TIME, &histograms, NULL);
    if (status == SN_ERR_NOT_FOUND) /* no push has come so far */
        histograms.count = 0;
    else
        assert_true(status == SN_OK || !must_work);
    for (size_t i = 0; i < histograms.count; i++) {
        int round = round_of(histograms.time_ms[i]);
        struct sn_histogram expected = histogram_of(round);
        assert_true(sn_histogram_equal(&histograms.items[i], &expected));
        assert_int_equal(histograms.start_ms[i], START_MS);
        found[round] = true;
    }
    for (int round = 0; round < ROUNDS && must_work; round++)
        assert_true(found[round] || !life->is_acked[round]);
    sn_histograms_release(&histograms);
}

static void read_exemplars(struct test_store *test, struct life *life) {
    struct sn_matcher matcher = {
        .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("m")};
    struct sn_select select = {.matchers = &matcher, .matcher_count = 1, .range = TEST_ALL_TIME};
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_exemplar_list found = {0};
    struct sn_arena arena;
    bool is_found[ROUNDS] = {false};
    sn_arena_init(&arena, 0);
    assert_int_equal(reader.exemplars(reader.ctx, &select, &arena, &found, NULL), SN_OK);
    assert_true(found.count <= 1);
    for (size_t i = 0; found.count > 0 && i < found.items[0].count; i++)
        is_found[round_of(found.items[0].exemplars[i].time_ms)] = true;
    for (int round = 0; round < ROUNDS; round++)
        assert_true(is_found[round] || !life->is_acked[round]);
    sn_arena_release(&arena);
}

/* Values are round * 10 + series: whatever is read must be one of them at its time. */
static void check_values(const struct sn_samples *samples, unsigned series,
                         bool ret_found[ROUNDS]) {
    memset(ret_found, 0, ROUNDS * sizeof *ret_found);
    for (size_t i = 0; i < samples->count; i++) {
        int round = round_of(samples->time_ms[i]);
        /* A start time that was lost is unknown, never another one. */
        if (samples->has_start)
            assert_true(samples->start_ms[i] == 0 ||
                        (series > 0 && samples->start_ms[i] == START_MS));
        assert_true(samples->value[i] == round * 10 + (double)series);
        assert_false(ret_found[round]);
        ret_found[round] = true;
    }
}

static void read_all(struct test_store *test, struct life *life, bool must_work) {
    for (unsigned series = 0; series < SERIES; series++) {
        struct sn_samples samples;
        bool found[ROUNDS];
        struct sn_err err = {.status = SN_OK};
        sn_samples_init(&samples);
        sn_status status = test_try_read(test, "m", series, TEST_ALL_TIME, &samples, &err);
        if (status != SN_OK && must_work)
            print_error("read: %s\n", err.text);
        assert_true(status == SN_OK || !must_work);
        check_values(&samples, series, found);
        for (int round = 0; round < ROUNDS && must_work; round++) {
            if (life->is_acked[round] && !found[round])
                fail_msg("round %d of series %u was acknowledged and is lost", round, series);
            assert_true(life->is_pushed[round] || !found[round]);
        }
        sn_samples_release(&samples);
    }
    read_histograms(test, life, must_work);
    if (must_work)
        read_exemplars(test, life);
}

static void live(struct test_store *test, struct life *life, int from, int to) {
    test->options.dir = test->dir;
    if (sn_store_open(&test->options, &test->store, NULL) != SN_OK)
        return;
    for (int round = from; round < to; round++) {
        push_round(test->store, round, life);
        if (round == FLUSH_AFTER)
            (void)(sn_store_flush(test->store, NULL) == SN_OK);
        /* With a fault armed a read may fail, but it must not be wrong. */
        if (round == FLUSH_AFTER || round + 1 == to)
            read_all(test, life, false);
    }
    (void)(sn_store_flush(test->store, NULL) == SN_OK);
    test->store = sn_store_close(test->store);
}

static void live_twice(struct test_store *test, struct life *life) {
    live(test, life, 0, ROUNDS / 2 + 1);
    live(test, life, ROUNDS / 2 + 1, ROUNDS);
}

/* Without faults: everything acknowledged is there, and the store takes samples again. */
static void check_life(struct test_store *test, struct life *life) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_store_open(&test->options, &test->store, &err);
    if (status != SN_OK)
        print_error("open after a fault: %s\n", err.text);
    assert_int_equal(status, SN_OK);
    read_all(test, life, true);
    test->store = sn_store_close(test->store);
}

static void renew_directory(struct test_store *test) {
    assert_int_equal(sn_os_remove_tree(test->dir, NULL), SN_OK);
    assert_int_equal(sn_os_mkdir(test->dir, 0750), 0);
}

static void every_failing_allocation_leaves_no_leak_and_no_loss(void **state) {
    struct test_store *test = *state;
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct life life = {0};
        renew_directory(test);
        int64_t before = sn_mem_block_count();
        sn_mem_fail_nth(n);
        live_twice(test, &life);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(sn_mem_block_count(), before);
        check_life(test, &life);
    }
}

static void fail_each(struct test_store *test, enum sn_fault_kind kind, int errno_value) {
    uint64_t fired = 1;
    for (uint64_t n = 1; fired > 0; n++) {
        struct life life = {0};
        renew_directory(test);
        int64_t before = sn_mem_block_count();
        sn_fault_arm(kind, n, 1, errno_value);
        live_twice(test, &life);
        fired = sn_fault_fired_count();
        sn_fault_disarm_all();
        assert_int_equal(sn_mem_block_count(), before);
        check_life(test, &life);
    }
}

static void every_failing_write_loses_nothing_acknowledged(void **state) {
    fail_each(*state, SN_FAULT_WRITE, EIO);
    fail_each(*state, SN_FAULT_WRITE, ENOSPC);
}

static void every_short_write_is_completed(void **state) {
    fail_each(*state, SN_FAULT_WRITE, 0);
}

static void every_failing_sync_loses_nothing_acknowledged(void **state) {
    fail_each(*state, SN_FAULT_FSYNC, EIO);
}

static void every_failing_open_or_stat_loses_nothing_acknowledged(void **state) {
    fail_each(*state, SN_FAULT_OPEN, EIO);
    fail_each(*state, SN_FAULT_OPEN, EMFILE);
    fail_each(*state, SN_FAULT_STAT, EIO);
}

static void every_failing_read_loses_nothing_acknowledged(void **state) {
    fail_each(*state, SN_FAULT_READ, EIO);
}

static void every_other_failing_call_loses_nothing_acknowledged(void **state) {
    fail_each(*state, SN_FAULT_RENAME, EIO);
    fail_each(*state, SN_FAULT_UNLINK, EIO);
    fail_each(*state, SN_FAULT_TRUNCATE, EIO);
    fail_each(*state, SN_FAULT_MKDIR, EIO);
    fail_each(*state, SN_FAULT_DIR, EIO);
}

static void a_failed_flush_keeps_everything_and_is_tried_again(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    struct sn_err err;
    const struct test_sample expected[] = {{0, 1}, {1000, 2}, {2000, 3}};
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    sn_fault_arm(SN_FAULT_RENAME, 1, 1, EIO);
    assert_int_equal(sn_store_flush(test->store, &err), SN_ERR_IO);
    assert_int_equal(sn_store_health(test->store, &err), SN_ERR_IO);
    test_assert_samples(test, "m", 1, expected, 1);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 2, NULL), SN_OK);
    test_assert_samples(test, "m", 1, expected, 2);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_health(test->store, &err), SN_OK);
    test_assert_samples(test, "m", 1, expected, 2);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.segment_count, 2);
    assert_int_equal(stats.flush_failure_count, 1);
    assert_int_equal(stats.log_bytes, 0);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 2000, 3, NULL), SN_OK);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(every_failing_allocation_leaves_no_leak_and_no_loss),
        CASE(every_failing_write_loses_nothing_acknowledged),
        CASE(every_short_write_is_completed),
        CASE(every_failing_sync_loses_nothing_acknowledged),
        CASE(every_failing_open_or_stat_loses_nothing_acknowledged),
        CASE(every_failing_read_loses_nothing_acknowledged),
        CASE(every_other_failing_call_loses_nothing_acknowledged),
        CASE(a_failed_flush_keeps_everything_and_is_tried_again),
    };
    for (unsigned i = 0; i < SERIES; i++) {
        sn_buf_init(&labels[i], 0);
        test_labels(&labels[i], "m", i);
    }
    sn_buf_init(&histogram_labels, 0);
    test_labels(&histogram_labels, "h", 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    for (unsigned i = 0; i < SERIES; i++)
        sn_buf_release(&labels[i]);
    sn_buf_release(&histogram_labels);
    return failed;
}
