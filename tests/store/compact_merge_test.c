/* Merging segments: against what readers make of the same segments. */
#include "store/compact_merge.h"

#include "store_support.h"

#include "base/os.h"
#include "base/rng.h"
#include "store/store_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SERIES = 5, SEGMENTS = 6, OUTPUT_ID = 777 };

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    test->options.out_of_order_window_ms = INT64_C(86400000);
    test->options.future_max_ms = -1;
    test_store_open(test);
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

/* Up to 1,500 samples of one series in a batch, beginning anywhere: segments overlap and rewrite. */
static void push_run(struct test_store *test, unsigned number, int64_t start, size_t count,
                     double value) {
    struct sn_buf buf;
    struct sn_push_result result;
    struct sn_batch_sample *samples = calloc(count, sizeof *samples);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", number);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    for (size_t i = 0; i < count; i++)
        samples[i] = (struct sn_batch_sample){.time_ms = TEST_NOW_MS + start + (int64_t)i * 1000,
                                              .value = value + (double)i};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = count};
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    sn_buf_release(&buf);
    free(samples);
}

static void push_random_segments(struct test_store *test, uint64_t seed) {
    struct sn_rng rng;
    sn_rng_init(&rng, seed);
    for (int segment = 0; segment < SEGMENTS; segment++) {
        for (unsigned number = 0; number < SERIES; number++) {
            int64_t start = (int64_t)sn_rng_below(&rng, 4000) * 500;
            if (sn_rng_below(&rng, 5) > 0)
                push_run(test, number, start, 1 + sn_rng_below(&rng, 1500), segment * 10000);
        }
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    }
}

struct stop {
    int questions;
    int stop_at; /* 0: never */
};

static bool goes_on(void *ctx) {
    struct stop *stop = ctx;
    return ++stop->questions != stop->stop_at;
}

/* Merge all segments of the store into OUTPUT_ID. */
static sn_status merge_all(struct test_store *test, struct stop *stop, size_t *ret_culprit,
                           struct sn_segment_row *ret_row, struct sn_err *err) {
    struct sn_store *store = test->store;
    struct sn_segment_writer *writer = calloc(1, sizeof *writer);
    struct sn_segment_writer_options options = {
        .dir = store->seg_dir, .id = OUTPUT_ID, .clock = &test->clock.clock};
    assert_int_equal(sn_segment_writer_open(writer, &options, NULL), SN_OK);
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    struct sn_compact_merge merge = {.inputs = set->items,
                                     .input_count = set->count,
                                     .index = &store->index,
                                     .series_count = store->index.count,
                                     .writer = writer,
                                     .goes_on = goes_on,
                                     .ctx = stop};
    sn_status status = sn_compact_merge(&merge, ret_culprit, err);
    if (status == SN_OK) {
        assert_int_equal(sn_segment_writer_finish(writer, store->seg_dir, NULL), SN_OK);
        *ret_row = sn_segment_writer_row(writer, OUTPUT_ID);
    }
    sn_segment_writer_release(writer);
    sn_segment_set_unref(set);
    free(writer);
    return status;
}

static void assert_same(struct test_store *test, struct sn_segment *merged, unsigned number) {
    struct sn_samples expected;
    struct sn_samples got;
    struct sn_buf labels;
    uint32_t id;
    struct sn_series_index *index = &test->store->index;
    sn_buf_init(&labels, 0);
    sn_samples_init(&got);
    test_labels(&labels, "m", number);
    struct sn_str text = sn_buf_str(&labels);
    test_read(test, "m", number, TEST_ALL_TIME, &expected);
    if (sn_series_index_find(index, text, sn_series_index_hash(index, text), &id))
        assert_int_equal(
            sn_segment_read(merged, index, &test->store->cache, id, TEST_ALL_TIME, &got, NULL),
            SN_OK);
    assert_int_equal(got.count, expected.count);
    for (size_t i = 0; i < got.count; i++) {
        assert_int_equal(got.time_ms[i], expected.time_ms[i]);
        assert_int_equal(sn_double_bits(got.value[i]), sn_double_bits(expected.value[i]));
    }
    sn_samples_release(&expected);
    sn_samples_release(&got);
    sn_buf_release(&labels);
}

static void a_merged_segment_reads_as_its_inputs_together(void **state) {
    struct test_store *test = *state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct stop stop = {0};
        struct sn_segment_row row;
        struct sn_segment *merged;
        size_t culprit;
        test_store_release(test);
        assert_int_equal(sn_os_make_dirs(test->dir, NULL), SN_OK);
        test_store_open(test);
        push_random_segments(test, seed);
        assert_int_equal(merge_all(test, &stop, &culprit, &row, NULL), SN_OK);
        assert_true(row.sample_count > 0 && stop.questions > 0);
        assert_int_equal(
            sn_segment_open(test->store->seg_dir, &row, test->store->index.count, &merged, NULL),
            SN_OK);
        assert_int_equal(merged->damage.status, SN_OK);
        for (unsigned number = 0; number < SERIES; number++)
            assert_same(test, merged, number);
        sn_segment_unref(merged);
    }
}

static void chunks_are_full_whatever_the_inputs_were(void **state) {
    struct test_store *test = *state;
    struct stop stop = {0};
    struct sn_segment_row row;
    struct sn_segment *merged;
    size_t culprit;
    for (int64_t i = 0; i < 20; i++) {
        push_run(test, 1, i * 100000, 100, (double)i);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    }
    assert_int_equal(merge_all(test, &stop, &culprit, &row, NULL), SN_OK);
    assert_int_equal(sn_segment_open(test->store->seg_dir, &row, 1, &merged, NULL), SN_OK);
    assert_int_equal(merged->footer.sample_count, 2000);
    assert_int_equal(merged->footer.chunk_count, 4);
    assert_int_equal(merged->footer.series_count, 1);
    sn_segment_unref(merged);
}

static void a_stop_is_heard(void **state) {
    struct test_store *test = *state;
    struct stop stop = {.stop_at = 1};
    struct sn_segment_row row;
    size_t culprit = 0;
    push_random_segments(test, 3);
    assert_int_equal(merge_all(test, &stop, &culprit, &row, NULL), SN_ERR_CLOSED);
    assert_int_equal(culprit, test->store->segments.set->count);
}

static void a_damaged_input_is_named(void **state) {
    struct test_store *test = *state;
    struct stop stop = {0};
    struct sn_segment_row row;
    struct sn_err err;
    size_t culprit = 99;
    push_random_segments(test, 4);
    /* Its footer promises one sample more than there is. */
    test->store->segments.set->items[2]->footer.sample_count++;
    assert_int_equal(merge_all(test, &stop, &culprit, &row, &err), SN_ERR_CORRUPT);
    assert_int_equal(culprit, 2);
    test->store->segments.set->items[2]->footer.sample_count--;
    /* A series that the index does not have. */
    test->store->index.count = 1;
    assert_int_equal(merge_all(test, &stop, &culprit, &row, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "unknown series"));
    test->store->index.count = SERIES;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_merged_segment_reads_as_its_inputs_together),
        CASE(chunks_are_full_whatever_the_inputs_were),
        CASE(a_stop_is_heard),
        CASE(a_damaged_input_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
