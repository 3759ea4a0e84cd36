/* Segments that go: by age and by size. */
#include "store_support.h"

#include "base/os.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init(test);
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

static void retention_drops_whole_segments_only(void **state) {
    struct test_store *test = *state;
    size_t count = 99;
    test->options.retention_ms = 3600000;
    test_store_open(test);
    test_push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    sn_fake_clock_advance_ms(&test->clock, 1800000);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1800000, 9, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
    sn_fake_clock_advance_ms(&test->clock, 1800000 + 2001);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(test_count_files(test, "seg"), 1);
    const struct test_sample expected[] = {{1800000, 9}};
    test_assert_samples(test, "m", 1, expected, 1);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 1);
}

/* Three segments of ten samples each, a minute apart. */
static uint64_t push_three(struct test_store *test) {
    struct sn_store_stats stats;
    for (int64_t i = 0; i < 3; i++) {
        test_push_series(test, 1, i * 10, (i + 1) * 10);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    }
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.segment_count, 3);
    return stats.segment_bytes;
}

static void assert_first_sample(struct test_store *test, int64_t expected, size_t count) {
    struct sn_samples samples;
    test_read(test, "m", 1, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.count, count);
    assert_int_equal(samples.time_ms[0], TEST_NOW_MS + expected * 1000);
    sn_samples_release(&samples);
}

static void the_oldest_segments_go_when_all_are_too_large(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    size_t count = 99;
    test_store_open(test);
    uint64_t bytes = push_three(test);
    test_store_close(test);
    test->options.retention_bytes_max = bytes;
    test_store_open(test);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
    test_store_close(test);
    test->options.retention_bytes_max = bytes - 1;
    test_store_open(test);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    assert_first_sample(test, 10, 20);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.retention_segment_count, 1);
    assert_int_equal(test_count_files(test, "seg"), 2);
    test_store_reopen(test);
    assert_first_sample(test, 10, 20);
}

static void a_limit_below_one_segment_keeps_the_newest(void **state) {
    struct test_store *test = *state;
    size_t count = 99;
    test->options.retention_bytes_max = 1;
    test_store_open(test);
    (void)push_three(test);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 2);
    assert_first_sample(test, 20, 10);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
}

static void without_limits_everything_stays(void **state) {
    struct test_store *test = *state;
    size_t count = 99;
    test->options.retention_ms = -1;
    test_store_open(test);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    (void)push_three(test);
    sn_fake_clock_advance_ms(&test->clock, INT64_C(100) * 365 * 86400000);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
    assert_first_sample(test, 0, 30);
}

static void a_file_that_cannot_be_deleted_is_deleted_at_the_next_start(void **state) {
    struct test_store *test = *state;
    size_t count = 0;
    test->options.retention_bytes_max = 1;
    test_store_open(test);
    (void)push_three(test);
    sn_fault_arm(SN_FAULT_UNLINK, 1, UINT64_MAX, EIO);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    sn_fault_disarm_all();
    assert_int_equal(count, 2);
    assert_int_equal(test_count_files(test, "seg"), 3);
    test_store_reopen(test);
    assert_int_equal(test_count_files(test, "seg"), 1);
    assert_first_sample(test, 20, 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(retention_drops_whole_segments_only),
        CASE(the_oldest_segments_go_when_all_are_too_large),
        CASE(a_limit_below_one_segment_keeps_the_newest),
        CASE(without_limits_everything_stays),
        CASE(a_file_that_cannot_be_deleted_is_deleted_at_the_next_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
