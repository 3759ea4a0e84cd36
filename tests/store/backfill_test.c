/* Old data straight into segments. */
#include "store/backfill.h"

#include "base/mem.h"
#include "base/os.h"
#include "histogram_support.h"
#include "store_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

static void open_store(struct test_store *test) {
    test_store_init_in_memory(test);
    test->options.retention_ms = 400 * DAY_MS;
    test->options.compact_window_ms = -1;
    test_store_open(test);
}

static sn_status add_labels(struct sn_backfill *backfill, struct sn_str labels, int64_t time_ms,
                            double value, struct sn_push_result *ret_result) {
    struct sn_batch_series series = {.labels = labels};
    struct sn_batch_sample sample = {.time_ms = time_ms, .value = value};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = &sample, .sample_count = 1};
    return sn_backfill_add(backfill, &batch, ret_result, NULL);
}

/* One sample of m{n="<number>"}. */
static sn_status add(struct sn_backfill *backfill, unsigned number, int64_t time_ms, double value,
                     struct sn_push_result *ret_result) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", number);
    sn_status status = add_labels(backfill, sn_buf_str(&buf), time_ms, value, ret_result);
    sn_buf_release(&buf);
    return status;
}

static void old_samples_are_there_in_order_and_after_a_restart(void **state) {
    (void)state;
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    open_store(&test);
    assert_int_equal(test_push_one(&test, "m", 1, TEST_NOW_MS, 9, NULL), SN_OK);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    for (int day = 300; day > 0; day--) { /* backwards, and each twice: the later one wins */
        assert_int_equal(add(backfill, 1, TEST_NOW_MS - day * DAY_MS, 5, &result), SN_OK);
        assert_int_equal(add(backfill, 1, TEST_NOW_MS - day * DAY_MS, day, &result), SN_OK);
        assert_int_equal(add(backfill, 2, TEST_NOW_MS - day * DAY_MS, -day, &result), SN_OK);
    }
    assert_int_equal(sn_backfill_count(backfill), 900);
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK);
    assert_int_equal(sn_backfill_count(backfill), 0);
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK); /* nothing to do */
    assert_null(sn_backfill_free(backfill));
    for (int round = 0; round < 3; round++) {
        struct sn_samples samples;
        test_read(&test, "m", 1, TEST_ALL_TIME, &samples);
        assert_int_equal(samples.count, 301);
        for (int i = 0; i < 300; i++) {
            assert_int_equal(samples.time_ms[i], TEST_NOW_MS - (300 - i) * DAY_MS);
            assert_true(samples.value[i] == 300 - i);
        }
        assert_true(samples.value[300] == 9);
        sn_samples_release(&samples);
        test_read(&test, "m", 2, TEST_ALL_TIME, &samples);
        assert_int_equal(samples.count, 300);
        sn_samples_release(&samples);
        if (round == 0)
            assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
        test_store_reopen(&test);
    }
    test_store_release(&test);
}

static void the_last_writing_wins_also_after_a_restart(void **state) {
    (void)state;
    struct test_store test;
    struct sn_sink sink;
    open_store(&test);
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 0);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample sample = {.time_ms = TEST_NOW_MS - 1000};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = &sample, .sample_count = 1};
    struct sn_push_result result;
    assert_int_equal(test_push_one(&test, "m", 0, TEST_NOW_MS - 1000, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    sink = sn_store_backfill_sink(test.store);
    for (int i = 2; i < 5; i++) {
        sample.value = i;
        assert_int_equal(sn_sink_push_wait(sink, &batch, &result, NULL), SN_OK);
        assert_int_equal(result.accepted_count, 1);
        test_assert_samples(&test, "m", 0, &(struct test_sample){-1000, i}, 1);
    }
    test_store_reopen(&test);
    test_assert_samples(&test, "m", 0, &(struct test_sample){-1000, 4}, 1);
    assert_int_equal(test_push_one(&test, "m", 5, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK); /* numbers go on behind the ranks */
    sn_buf_release(&buf);
    test_store_release(&test);
}

static sn_status add_histogram_labels(struct sn_backfill *backfill, struct sn_str labels,
                                      int64_t time_ms, const struct sn_histogram *histogram,
                                      struct sn_push_result *ret_result) {
    struct sn_batch_series series = {.labels = labels, .start_time_ms = 5000};
    struct sn_batch_histogram item = {.time_ms = time_ms, .histogram = *histogram};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .histograms = &item, .histogram_count = 1};
    return sn_backfill_add(backfill, &batch, ret_result, NULL);
}

static sn_status add_histogram(struct sn_backfill *backfill, unsigned number, int64_t time_ms,
                               const struct sn_histogram *histogram,
                               struct sn_push_result *ret_result) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", number);
    sn_status status =
        add_histogram_labels(backfill, sn_buf_str(&buf), time_ms, histogram, ret_result);
    sn_buf_release(&buf);
    return status;
}

static void assert_histograms(struct test_store *test, const struct sn_histogram *items,
                              size_t count) {
    struct sn_histograms found;
    test_read_histograms(test, "m", 1, TEST_ALL_TIME, &found);
    assert_int_equal(found.count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(found.time_ms[i], TEST_NOW_MS - (int64_t)(count - i) * DAY_MS);
        assert_int_equal(found.start_ms[i], 5000);
        assert_true(sn_histogram_equal(&found.items[i], &items[i]));
    }
    sn_histograms_release(&found);
}

static void histograms_are_there_with_every_field(void **state) {
    (void)state;
    enum { COUNT = 200 };
    static struct sn_histogram items[COUNT];
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    struct sn_arena arena;
    struct sn_rng rng;
    open_store(&test);
    sn_arena_init(&arena, 0);
    sn_rng_init(&rng, 7);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    for (int i = COUNT - 1; i >= 0; i--) { /* backwards, and each twice; floats between them */
        int64_t time_ms = TEST_NOW_MS - (COUNT - i) * DAY_MS;
        items[i] = test_random_histogram(&arena, &rng);
        assert_int_equal(add_histogram(backfill, 1, time_ms, &items[COUNT - 1], &result), SN_OK);
        assert_int_equal(add_histogram(backfill, 1, time_ms, &items[i], &result), SN_OK);
        assert_int_equal(result.accepted_count, 1);
        assert_int_equal(result.accepted_histogram_count, 1);
        assert_int_equal(add(backfill, 1, time_ms + 1, i, &result), SN_OK);
        assert_int_equal(add(backfill, 2, time_ms, i, &result), SN_OK);
    }
    assert_true(sn_backfill_count(backfill) > 4 * COUNT); /* their buckets count as well */
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK);
    assert_int_equal(sn_backfill_count(backfill), 0);
    sn_backfill_free(backfill);
    for (int round = 0; round < 2; round++) {
        struct sn_samples samples;
        assert_histograms(&test, items, COUNT);
        for (unsigned number = 1; number <= 2; number++) {
            test_read(&test, "m", number, TEST_ALL_TIME, &samples);
            assert_int_equal(samples.count, COUNT);
            sn_samples_release(&samples);
        }
        test_store_reopen(&test);
    }
    (void)test_store_verify(&test);
    sn_arena_release(&arena);
    test_store_release(&test);
}

/* No time comes twice in a series of a segment, whichever kind it is. */
static void of_a_sample_and_a_histogram_the_last_counts(void **state) {
    (void)state;
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    struct sn_histogram histogram = {.count = 3};
    open_store(&test);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    assert_int_equal(add(backfill, 1, TEST_NOW_MS - DAY_MS, 1, &result), SN_OK);
    assert_int_equal(add_histogram(backfill, 1, TEST_NOW_MS - DAY_MS, &histogram, &result), SN_OK);
    assert_int_equal(add_histogram(backfill, 2, TEST_NOW_MS - DAY_MS, &histogram, &result), SN_OK);
    assert_int_equal(add(backfill, 2, TEST_NOW_MS - DAY_MS, 1, &result), SN_OK);
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK);
    assert_histograms(&test, &histogram, 1);
    test_assert_samples(&test, "m", 1, NULL, 0);
    test_assert_samples(&test, "m", 2, &(struct test_sample){-DAY_MS, 1}, 1);
    sn_backfill_free(backfill);
    test_store_release(&test);
}

static void buckets_have_a_limit(void **state) {
    (void)state;
    static double counts[SN_HISTOGRAM_BUCKETS_MAX];
    const struct sn_bucket_span span = {.length = SN_HISTOGRAM_BUCKETS_MAX};
    struct sn_histogram large = {.positive_spans = &span,
                                 .positive_span_count = 1,
                                 .positive_counts = counts,
                                 .positive_bucket_count = SN_HISTOGRAM_BUCKETS_MAX};
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    sn_status status = SN_OK;
    size_t taken = 0;
    open_store(&test);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    for (; status == SN_OK; taken += status == SN_OK)
        status = add_histogram(backfill, 1, TEST_NOW_MS - 1 - (int64_t)taken, &large, &result);
    assert_int_equal(status, SN_ERR_LIMIT);
    size_t bytes = taken * sizeof counts;
    assert_true(bytes > SN_BACKFILL_HISTOGRAM_BYTES_MAX / 10 * 9);
    assert_true(bytes <= SN_BACKFILL_HISTOGRAM_BYTES_MAX);
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK);
    assert_int_equal(add_histogram(backfill, 1, TEST_NOW_MS, &large, &result), SN_OK);
    sn_backfill_free(backfill);
    test_store_release(&test);
}

static void labels_beyond_the_limits_are_refused(void **state) {
    (void)state;
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    test_store_init_in_memory(&test);
    test.options.label_limits.count_max = 1;
    test_store_open(&test);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    assert_int_equal(add(backfill, 1, TEST_NOW_MS, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 0);
    assert_int_equal(result.rejected_count[SN_REJECT_LABEL_LIMIT], 1);
    assert_string_equal(result.first_reject.text,
                        "a series has 2 labels, the limit is 1 at 2023-11-14T22:13:20.000Z");
    sn_backfill_free(backfill);
    assert_int_equal(test_store_stats(&test).series_count, 0);
    test_store_release(&test);
}

static void days_are_cut_when_there_are_many_samples(void **state) {
    (void)state;
    enum { PER_DAY = SN_BACKFILL_SEGMENT_SAMPLES / 2 + 1, DAYS = 4 };
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    struct sn_buf buf;
    struct sn_storage storage;
    open_store(&test);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    struct sn_batch_sample *samples = calloc(PER_DAY, sizeof *samples);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 0);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    int64_t midnight = TEST_NOW_MS / DAY_MS * DAY_MS - 10 * DAY_MS;
    for (int day = 0; day < DAYS; day++) {
        for (int i = 0; i < PER_DAY; i++)
            samples[i] =
                (struct sn_batch_sample){.time_ms = midnight + day * DAY_MS + i * 500, .value = i};
        struct sn_batch batch = {
            .series = &series, .series_count = 1, .samples = samples, .sample_count = PER_DAY};
        assert_int_equal(sn_backfill_add(backfill, &batch, &result, NULL), SN_OK);
    }
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK);
    struct sn_admin admin = sn_store_admin(test.store);
    admin.storage(admin.ctx, &storage);
    assert_int_equal(storage.segment_count, 2); /* of two days each */
    assert_int_equal(storage.segment_sample_count, (uint64_t)DAYS * PER_DAY);
    sn_backfill_free(backfill);
    free(samples);
    sn_buf_release(&buf);
    test_store_release(&test);
}

static void what_is_not_taken_is_counted(void **state) {
    (void)state;
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    test_store_init_in_memory(&test);
    test.options.series_max = 1;
    test_store_open(&test);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    assert_int_equal(add(backfill, 0, TEST_NOW_MS - 16 * DAY_MS, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_TOO_OLD], 1);
    assert_non_null(strstr(result.first_reject.text, "before the retention at 2023-10-29"));
    assert_int_equal(add(backfill, 0, TEST_NOW_MS + DAY_MS, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_TOO_NEW], 1);
    assert_int_equal(add(backfill, 0, TEST_NOW_MS, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 1);
    assert_int_equal(add(backfill, 1, TEST_NOW_MS, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_SERIES_LIMIT], 1);
    struct sn_batch_sample sample = {.series = 3};
    struct sn_batch bad = {.samples = &sample, .sample_count = 1};
    assert_int_equal(sn_backfill_add(backfill, &bad, &result, NULL), SN_ERR_INVALID);
    struct sn_batch_histogram strange = {.series = 3};
    struct sn_batch bad_too = {.histograms = &strange, .histogram_count = 1};
    assert_int_equal(sn_backfill_add(backfill, &bad_too, &result, NULL), SN_ERR_INVALID);
    struct sn_histogram none = {.count = 0};
    assert_int_equal(add_histogram(backfill, 0, TEST_NOW_MS - 500 * DAY_MS, &none, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_TOO_OLD], 1);
    assert_int_equal(result.accepted_histogram_count, 0);
    struct sn_batch huge = {.sample_count = SN_BACKFILL_SAMPLES_MAX + 1, .samples = NULL};
    huge.sample_count = 0;
    assert_int_equal(sn_backfill_add(backfill, &huge, &result, NULL), SN_OK);
    sn_backfill_free(backfill);
    test_store_release(&test);
}

/* Whatever fails: an error, the sample is there or not, and the next commit works. */
static void check_fault(enum sn_fault_kind kind, uint64_t n, bool *ret_fired) {
    struct test_store test;
    struct sn_backfill *backfill;
    struct sn_push_result result;
    open_store(&test);
    assert_int_equal(sn_backfill_new(test.store, &backfill, NULL), SN_OK);
    assert_int_equal(add(backfill, 1, TEST_NOW_MS - 30 * DAY_MS, 1, &result), SN_OK);
    sn_fault_arm(kind, n, 1, n % 2 ? ENOSPC : EIO);
    sn_status status = sn_backfill_commit(backfill, NULL);
    *ret_fired = sn_fault_fired_count() > 0;
    sn_fault_disarm_all();
    assert_true(status == SN_OK || *ret_fired);
    assert_int_equal(sn_backfill_commit(backfill, NULL), SN_OK);
    test_assert_samples(&test, "m", 1, &(struct test_sample){-30 * DAY_MS, 1}, 1);
    sn_backfill_free(backfill);
    test_store_reopen(&test);
    test_assert_samples(&test, "m", 1, &(struct test_sample){-30 * DAY_MS, 1}, 1);
    assert_int_equal(test_count_files(&test, "seg"), 1);
    test_store_release(&test);
}

static void every_call_may_fail(void **state) {
    (void)state;
    static const enum sn_fault_kind kinds[] = {SN_FAULT_OPEN, SN_FAULT_WRITE, SN_FAULT_FSYNC,
                                               SN_FAULT_RENAME, SN_FAULT_READ};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired && n < 30; n++)
            check_fault(kinds[i], n, &fired);
    }
}

static void memory_that_is_missing_is_a_status(void **state) {
    (void)state;
    bool fired = true;
    struct sn_buf labels;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    struct sn_histogram histogram = test_histogram(&arena, 3);
    sn_buf_init(&labels, 0);
    test_labels(&labels, "m", 1);
    for (uint64_t n = 1; fired; n++) {
        struct test_store test;
        struct sn_backfill *backfill = NULL;
        struct sn_push_result result;
        open_store(&test);
        sn_mem_fail_nth(n);
        sn_status status = sn_backfill_new(test.store, &backfill, NULL);
        if (status == SN_OK)
            status = add_labels(backfill, sn_buf_str(&labels), TEST_NOW_MS - DAY_MS, 1, &result);
        if (status == SN_OK)
            status = add_histogram_labels(backfill, sn_buf_str(&labels), TEST_NOW_MS - 2,
                                          &histogram, &result);
        if (status == SN_OK)
            status = sn_backfill_commit(backfill, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(fired ? true : status == SN_OK);
        if (status != SN_OK)
            assert_int_equal(status, SN_ERR_NO_MEMORY);
        sn_backfill_free(backfill);
        test_store_release(&test);
    }
    sn_buf_release(&labels);
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(old_samples_are_there_in_order_and_after_a_restart),
        cmocka_unit_test(the_last_writing_wins_also_after_a_restart),
        cmocka_unit_test(histograms_are_there_with_every_field),
        cmocka_unit_test(of_a_sample_and_a_histogram_the_last_counts),
        cmocka_unit_test(buckets_have_a_limit),
        cmocka_unit_test(labels_beyond_the_limits_are_refused),
        cmocka_unit_test(days_are_cut_when_there_are_many_samples),
        cmocka_unit_test(what_is_not_taken_is_counted),
        cmocka_unit_test(every_call_may_fail),
        cmocka_unit_test(memory_that_is_missing_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
