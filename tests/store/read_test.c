/* Samples and metadata out of head, log and segments. */
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

static void a_range_includes_both_ends_in_head_and_segment(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    for (int flushed = 0; flushed < 2; flushed++) {
        test_push_series(test, (unsigned)flushed, 0, 10);
        if (flushed)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        struct sn_samples samples;
        test_read(test, "m", (unsigned)flushed,
                  (struct sn_range){TEST_NOW_MS + 3000, TEST_NOW_MS + 5000}, &samples);
        assert_int_equal(samples.count, 3);
        assert_int_equal(samples.time_ms[0], TEST_NOW_MS + 3000);
        assert_int_equal(samples.time_ms[2], TEST_NOW_MS + 5000);
        sn_samples_release(&samples);
    }
}

static void long_series_span_many_chunks_and_packs(void **state) {
    struct test_store *test = *state;
    enum { COUNT = 20000 };
    test_store_open(test);
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 7);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_sample *samples = calloc(COUNT, sizeof *samples);
    for (int i = 0; i < COUNT; i++)
        samples[i] = (struct sn_batch_sample){
            .time_ms = TEST_NOW_MS - 86400000 + i * 997,
            .value = sn_double_from_bits((uint64_t)i * 0x9e3779b97f4a7c15u)};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = COUNT};
    struct sn_push_result result;
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    assert_int_equal(result.accepted_count, COUNT);
    for (int round = 0; round < 4; round++) {
        struct sn_samples got;
        test_read(test, "m", 7, TEST_ALL_TIME, &got);
        assert_int_equal(got.count, COUNT);
        for (int i = 0; i < COUNT; i++) {
            assert_int_equal(got.time_ms[i], samples[i].time_ms);
            assert_int_equal(sn_double_bits(got.value[i]), sn_double_bits(samples[i].value));
        }
        sn_samples_release(&got);
        if (round == 0)
            test_store_reopen(test);
        if (round == 1)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        if (round == 2)
            test_store_reopen(test);
    }
    free(samples);
    sn_buf_release(&buf);
}

static void metadata_survives_log_and_catalogue(void **state) {
    struct test_store *test = *state;
    struct sn_metadata metadata = {.metric_name = SN_STR("m"),
                                   .type = SN_METRIC_COUNTER,
                                   .help = SN_STR("What it counts."),
                                   .unit = SN_STR("bytes")};
    struct sn_batch batch = {.metadata = &metadata, .metadata_count = 1};
    struct sn_push_result result;
    test_store_open(test);
    assert_int_equal(sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
    for (int round = 0; round < 4; round++) {
        struct sn_arena arena;
        struct sn_metadata found;
        struct sn_reader reader = sn_store_reader(test->store);
        sn_arena_init(&arena, 0);
        assert_true(reader.metadata(reader.ctx, SN_STR("m"), &arena, &found));
        assert_int_equal(found.type, SN_METRIC_COUNTER);
        assert_true(sn_str_equal(found.help, metadata.help));
        assert_true(sn_str_equal(found.unit, metadata.unit));
        assert_false(reader.metadata(reader.ctx, SN_STR("other"), &arena, &found));
        sn_arena_release(&arena);
        if (round == 1)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        test_store_reopen(test);
    }
}

static void a_missing_segment_is_a_named_error_for_its_time_only(void **state) {
    struct test_store *test = *state;
    struct sn_err err = {.status = SN_OK};
    struct sn_samples samples;
    test_store_open(test);
    test_push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_close(test);
    assert_int_equal(sn_os_unlink(test_path(test, "seg/00000001.seg")), 0);
    test_store_open(test);
    sn_samples_init(&samples);
    assert_int_equal(test_try_read(test, "m", 1, TEST_ALL_TIME, &samples, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "00000001.seg"));
    assert_int_equal(sn_store_health(test->store, &err), SN_ERR_CORRUPT);
    struct sn_range later = {TEST_NOW_MS + 3000, TEST_NOW_MS + 9000};
    assert_int_equal(test_try_read(test, "m", 1, later, &samples, &err), SN_OK);
    assert_int_equal(samples.count, 0);
    sn_samples_release(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_range_includes_both_ends_in_head_and_segment),
        CASE(long_series_span_many_chunks_and_packs),
        CASE(metadata_survives_log_and_catalogue),
        CASE(a_missing_segment_is_a_named_error_for_its_time_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
