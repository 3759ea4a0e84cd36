/* What the sink takes, what it refuses and why. */
#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init(test);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test_store *test = *state;
    test_store_release(test);
    free(test);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static void older_samples_within_the_window_are_merged(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    test_store_open(test);
    const int64_t offsets[] = {0, 1000, 5000, 3000, 2000, 3000, 6000};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++)
        assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + offsets[i], (double)i, NULL),
                         SN_OK);
    const struct test_sample expected[] = {{0, 0},    {1000, 1}, {2000, 4},
                                           {3000, 5}, {5000, 2}, {6000, 6}};
    test_assert_samples(test, "m", 1, expected, 6);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.out_of_order_count, 3);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 6);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_assert_samples(test, "m", 1, expected, 6);
    /* An older one again, over what is in the segment: the last one written wins. */
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 77, NULL), SN_OK);
    const struct test_sample again[] = {{0, 0},    {1000, 77}, {2000, 4},
                                        {3000, 5}, {5000, 2},  {6000, 6}};
    test_assert_samples(test, "m", 1, again, 6);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, again, 6);
}

static void an_older_sample_written_twice_keeps_its_last_value_after_reopening(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS - 1000, 2, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS - 1000, 3, NULL), SN_OK);
    const struct test_sample expected[] = {{-1000, 3}, {0, 1}};
    test_assert_samples(test, "m", 1, expected, 2);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 2);
}

static void expect_reject(struct test_store *test, int64_t time_ms, double value,
                          enum sn_reject reason) {
    struct sn_push_result result = {0};
    assert_int_equal(test_push_one(test, "m", 1, time_ms, value, &result), SN_OK);
    assert_int_equal(result.accepted_count, 0);
    assert_int_equal(result.rejected_count[reason], 1);
    assert_true(strlen(result.first_reject.text) > 10);
}

static void every_reject_is_counted_by_its_reason(void **state) {
    struct test_store *test = *state;
    struct sn_push_result result = {0};
    test->options.series_max = 1;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    expect_reject(test, TEST_NOW_MS - 600001, 1, SN_REJECT_OUT_OF_ORDER);
    expect_reject(test, TEST_NOW_MS, 2, SN_REJECT_DUPLICATE);
    expect_reject(test, TEST_NOW_MS - INT64_C(86400000) * 15 - 1, 1, SN_REJECT_TOO_OLD);
    expect_reject(test, -1, 1, SN_REJECT_TOO_OLD);
    expect_reject(test, TEST_NOW_MS + 600001, 1, SN_REJECT_TOO_NEW);
    assert_int_equal(test_push_one(test, "m", 2, TEST_NOW_MS, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_SERIES_LIMIT], 1);
    /* At the boundaries it is taken. */
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS - 600000, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 1);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 600000, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 1);
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.rejected_count[SN_REJECT_TOO_OLD], 2);
    assert_int_equal(stats.series_count, 1);
}

/* Whatever it brings, and also when the series is there from before the limit. */
static void a_series_with_labels_beyond_the_limits_gets_nothing(void **state) {
    struct test_store *test = *state;
    struct sn_buf labels;
    struct sn_push_result result;
    sn_buf_init(&labels, 0);
    test_store_open(test);
    assert_int_equal(test_push_one(test, "old", 12345, TEST_NOW_MS, 1, NULL), SN_OK);
    test_store_close(test);
    test->options.label_limits.value_bytes_max = 4;
    test_store_open(test);
    test_labels(&labels, "m", 12345);
    struct sn_batch_series series[] = {{.labels = sn_buf_str(&labels)}};
    struct sn_batch_sample sample = {.time_ms = TEST_NOW_MS, .value = 1};
    struct sn_batch_histogram histogram = {.time_ms = TEST_NOW_MS + 1};
    struct sn_label trace = {SN_STR("trace_id"), SN_STR("is no label of a series")};
    struct sn_batch_exemplar exemplar = {
        .exemplar = {.labels = {&trace, 1}, .value = 1, .time_ms = TEST_NOW_MS}};
    struct sn_batch batch = {.series = series,
                             .series_count = 1,
                             .samples = &sample,
                             .sample_count = 1,
                             .histograms = &histogram,
                             .histogram_count = 1,
                             .exemplars = &exemplar,
                             .exemplar_count = 1};
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, 0);
    assert_int_equal(result.rejected_count[SN_REJECT_LABEL_LIMIT], 3);
    assert_string_equal(result.first_reject.text,
                        "value of label \"n\" has 5 bytes, the limit is 4 at "
                        "2023-11-14T22:13:20.000Z: m{n=\"12345\"}");
    assert_int_equal(test_push_one(test, "old", 12345, TEST_NOW_MS + 1, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_LABEL_LIMIT], 1);
    test_assert_samples(test, "old", 12345, &(struct test_sample){0, 1}, 1);
    assert_int_equal(test_push_one(test, "m", 1234, TEST_NOW_MS, 1, &result), SN_OK);
    assert_int_equal(result.accepted_count, 1);
    assert_int_equal(test_store_stats(test).series_count, 2);
    assert_int_equal(test_store_stats(test).rejected_count[SN_REJECT_LABEL_LIMIT], 4);
    sn_buf_release(&labels);
}

static void the_same_sample_again_is_accepted_and_stored_once(void **state) {
    struct test_store *test = *state;
    struct sn_push_result result = {0};
    test_store_open(test);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1.5, &result), SN_OK);
        assert_int_equal(result.accepted_count, 1);
    }
    const struct test_sample expected[] = {{0, 1.5}};
    test_assert_samples(test, "m", 1, expected, 1);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 1);
}

static void a_sample_that_names_no_series_of_its_batch_is_invalid(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    struct sn_batch_sample sample = {.time_ms = TEST_NOW_MS, .series = 3};
    struct sn_batch batch = {.samples = &sample, .sample_count = 1};
    struct sn_push_result result;
    struct sn_err err;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, &err),
                     SN_ERR_INVALID);
}

static void a_full_queue_is_busy_and_recovers(void **state) {
    struct test_store *test = *state;
    enum { COUNT = 300000 };
    struct sn_store *store;
    struct sn_buf buf;
    assert_int_equal(sn_store_open(&test->options, &store, NULL), SN_OK);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 1);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample *samples = calloc(COUNT, sizeof *samples);
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = COUNT};
    struct sn_sink sink = sn_store_sink(store);
    struct sn_push_result result;
    sn_status status = SN_OK;
    int taken = 0;
    for (; taken < 20 && status == SN_OK; taken++) {
        for (int i = 0; i < COUNT; i++)
            samples[i].time_ms = TEST_NOW_MS - INT64_C(86400000) + taken * COUNT + i;
        status = sink.push(sink.ctx, &batch, (struct sn_push_done){0}, &result, NULL);
    }
    assert_int_equal(status, SN_ERR_BUSY);
    assert_true(taken > 2);
    (void)sn_store_close(store);
    test_store_open(test);
    struct sn_samples got;
    test_read(test, "m", 1, TEST_ALL_TIME, &got);
    assert_int_equal(got.count, (taken - 1) * COUNT);
    sn_samples_release(&got);
    free(samples);
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(older_samples_within_the_window_are_merged),
        CASE(an_older_sample_written_twice_keeps_its_last_value_after_reopening),
        CASE(every_reject_is_counted_by_its_reason),
        CASE(a_series_with_labels_beyond_the_limits_gets_nothing),
        CASE(the_same_sample_again_is_accepted_and_stored_once),
        CASE(a_sample_that_names_no_series_of_its_batch_is_invalid),
        CASE(a_full_queue_is_busy_and_recovers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
