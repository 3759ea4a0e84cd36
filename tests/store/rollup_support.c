/* Rollups beside what samples sum up to: see rollup_support.h. */
#include "rollup_support.h"

#include "base/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { BATCH = 10000 };

int test_rollups_set_up(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    sn_fake_clock_init(&test->clock, 1000000000, TEST_DAY_START_MS + TEST_DAY_MS / 2);
    test->options.retention_ms = 10 * TEST_DAY_MS;
    test->options.out_of_order_window_ms = 20 * TEST_DAY_MS;
    *state = test;
    return 0;
}

void test_expire(struct test_store *test) {
    test_store_close(test);
    sn_fake_clock_advance_ms(&test->clock, 11 * TEST_DAY_MS);
    test_store_open(test);
    assert_int_equal(sn_store_apply_retention(test->store, NULL, NULL), SN_OK);
}

uint64_t test_series_id(struct test_store *test, unsigned number) {
    uint64_t id = 0;
    assert_true(test_find_series(test, "m", number, &id));
    return id;
}

static double value_at(unsigned number, int64_t time_ms) {
    int64_t second = time_ms / 1000;
    if (number % 2 == 0)
        return (double)(second % 5000 * (number + 1)); /* falls every 5,000 s */
    return (double)(second * 7919 % 1000) / 10;
}

static void push(struct test_store *test, struct sn_str labels,
                 const struct sn_batch_sample *samples, size_t count) {
    struct sn_batch_series series = {.labels = labels};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = count};
    struct sn_push_result result;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, count);
}

void test_push_span(struct test_store *test, const char *name, unsigned number,
                    struct sn_range span, int64_t step_ms) {
    struct sn_batch_sample *samples = calloc(BATCH, sizeof *samples);
    struct sn_buf labels;
    size_t count = 0;
    assert_non_null(samples);
    sn_buf_init(&labels, 0);
    test_labels(&labels, name, number);
    for (int64_t time_ms = span.start_ms; time_ms < span.end_ms; time_ms += step_ms) {
        samples[count++] =
            (struct sn_batch_sample){.time_ms = time_ms, .value = value_at(number, time_ms)};
        if (count == BATCH) {
            push(test, sn_buf_str(&labels), samples, count);
            count = 0;
        }
    }
    if (count > 0)
        push(test, sn_buf_str(&labels), samples, count);
    sn_buf_release(&labels);
    free(samples);
}

void test_read_rollups(struct test_store *test, uint64_t id, struct sn_range ends, int64_t width_ms,
                       struct sn_rollups *ret_rollups) {
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_rollup_wish wish = {.ends = ends, .width_ms = width_ms};
    struct sn_err err = {.status = SN_OK};
    sn_rollups_init(ret_rollups);
    sn_status status = reader.rollups(reader.ctx, id, &wish, ret_rollups, &err);
    if (status != SN_OK)
        print_error("rollups: %s\n", err.text);
    assert_int_equal(status, SN_OK);
}

void test_sum_up(struct test_store *test, uint64_t id, struct sn_range ends, int64_t width_ms,
                 struct sn_rollups *ret_rollups) {
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_samples samples;
    struct sn_rollups all;
    sn_samples_init(&samples);
    sn_rollups_init(&all);
    sn_rollups_init(ret_rollups);
    assert_int_equal(reader.samples(reader.ctx, id, TEST_ALL_TIME, &samples, NULL), SN_OK);
    assert_int_equal(sn_rollups_add(&all, &samples, 0, width_ms), SN_OK);
    assert_int_equal(sn_rollups_reserve(ret_rollups, all.count), SN_OK);
    for (size_t i = 0; i < all.count; i++) {
        if (sn_range_contains(ends, all.items[i].end_ms))
            ret_rollups->items[ret_rollups->count++] = all.items[i];
    }
    sn_samples_release(&samples);
    sn_rollups_release(&all);
}

static void assert_same_bits(double a, double b) {
    assert_int_equal(sn_double_bits(a), sn_double_bits(b));
}

void test_assert_same_rollup(const struct sn_rollup *a, const struct sn_rollup *b) {
    assert_int_equal(a->end_ms, b->end_ms);
    assert_int_equal(a->first_ms, b->first_ms);
    assert_int_equal(a->last_ms, b->last_ms);
    assert_int_equal(a->count, b->count);
    assert_same_bits(a->first, b->first);
    assert_same_bits(a->last, b->last);
    assert_same_bits(a->min, b->min);
    assert_same_bits(a->max, b->max);
    assert_same_bits(a->sum, b->sum);
    assert_same_bits(a->falls, b->falls);
    assert_int_equal(a->is_stale, b->is_stale);
    assert_int_equal(a->has_start, b->has_start);
}

void test_assert_same_rollups(const struct sn_rollups *a, const struct sn_rollups *b) {
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        test_assert_same_rollup(&a->items[i], &b->items[i]);
}

void test_check_rollups(struct test_store *test, uint64_t id) {
    const int64_t at = TEST_DAY_START_MS;
    const struct sn_range ends[] = {TEST_ALL_ENDS,
                                    {at - 5 * TEST_HOUR_MS, at + 5 * TEST_HOUR_MS},
                                    {at - 5 * TEST_HOUR_MS + 1, at + 5 * TEST_HOUR_MS - 1},
                                    {at - TEST_DAY_MS, at},
                                    {at + 1, at}};
    const int64_t widths[] = {SN_ROLLUP_WIDE_MS, SN_ROLLUP_NARROW_MS};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sn_rollups found;
            struct sn_rollups expected;
            test_read_rollups(test, id, ends[i], widths[k], &found);
            test_sum_up(test, id, ends[i], widths[k], &expected);
            test_assert_same_rollups(&found, &expected);
            sn_rollups_release(&found);
            sn_rollups_release(&expected);
        }
    }
}
