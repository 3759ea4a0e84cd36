/* Start times of samples, end to end: pushed, flushed, merged, read again after a restart. */
#include "store/store.h"

#include "store_support.h"

#include "base/os.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init(test);
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

struct point {
    int64_t offset_ms;
    double value;
    int64_t start_ms;
};

static sn_status push_points(struct test_store *test, const struct point *points, size_t count,
                             int64_t series_start_ms) {
    struct sn_batch_sample samples[16];
    struct sn_push_result result;
    struct sn_buf buf;
    assert_true(count <= 16);
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 1);
    for (size_t i = 0; i < count; i++)
        samples[i] = (struct sn_batch_sample){.time_ms = TEST_NOW_MS + points[i].offset_ms,
                                              .value = points[i].value,
                                              .start_time_ms = points[i].start_ms};
    struct sn_batch_series series = {.labels = sn_buf_str(&buf), .start_time_ms = series_start_ms};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .samples = samples, .sample_count = count};
    sn_status status = sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL);
    sn_buf_release(&buf);
    return status;
}

static void check_points(struct test_store *test, const struct point *points, size_t count) {
    struct sn_samples samples;
    bool has_start = false;
    test_read(test, "m", 1, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.count, count);
    for (size_t i = 0; i < count; i++)
        has_start |= points[i].start_ms != 0;
    assert_int_equal(samples.has_start, has_start);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(samples.time_ms[i], TEST_NOW_MS + points[i].offset_ms);
        assert_true(samples.value[i] == points[i].value);
        if (has_start)
            assert_int_equal(samples.start_ms[i], points[i].start_ms);
    }
    sn_samples_release(&samples);
}

#define START_A (TEST_NOW_MS - 5000)
#define START_B (TEST_NOW_MS + 3500)

static const struct point life[] = {
    {0, 1, 0},          {1000, 2, START_A}, {2000, 3, START_A}, {3000, 4, START_A},
    {4000, 1, START_B}, {5000, 2, START_B}, {6000, 3, START_B}, {7000, 4, 0},
};
enum { LIFE = sizeof life / sizeof *life };

static void start_times_survive_restart_flush_and_merge(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    assert_int_equal(push_points(test, life, 3, 0), SN_OK);
    check_points(test, life, 3);
    test_store_reopen(test); /* from the log */
    check_points(test, life, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    check_points(test, life, 3);
    assert_int_equal(push_points(test, life + 3, 3, 0), SN_OK);
    check_points(test, life, 6);
    test_store_reopen(test); /* segment and log */
    check_points(test, life, 6);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(push_points(test, life + 6, 2, 0), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_close(test);
    test->clock.wall_ms += 86400000 * 2; /* the windows are over */
    test_store_open(test);
    size_t merged = 0;
    assert_int_equal(sn_store_compact(test->store, &merged, NULL), SN_OK);
    check_points(test, life, LIFE);
    test_store_reopen(test);
    check_points(test, life, LIFE);
}

static void a_sample_without_a_start_has_that_of_its_series(void **state) {
    struct test_store *test = *state;
    const struct point points[] = {{0, 1, 0}, {4000, 2, START_B}};
    const struct point expected[] = {{0, 1, START_A}, {4000, 2, START_B}};
    test_store_open(test);
    assert_int_equal(push_points(test, points, 2, START_A), SN_OK);
    check_points(test, expected, 2);
    test_store_reopen(test);
    check_points(test, expected, 2);
}

static void a_start_after_its_sample_is_unknown(void **state) {
    struct test_store *test = *state;
    const struct point points[] = {
        {0, 1, TEST_NOW_MS}, {1000, 2, TEST_NOW_MS + 1001}, {2000, 3, -5}};
    const struct point expected[] = {{0, 1, TEST_NOW_MS}, {1000, 2, 0}, {2000, 3, 0}};
    test_store_open(test);
    assert_int_equal(push_points(test, points, 3, 0), SN_OK);
    check_points(test, expected, 3);
}

static void samples_out_of_order_keep_their_own_start(void **state) {
    struct test_store *test = *state;
    const struct point first[] = {{0, 1, START_A}, {4000, 1, START_B}};
    const struct point older[] = {{2000, 2, START_A}, {3000, 3, 0}};
    const struct point last[] = {{5000, 2, START_B}};
    const struct point expected[] = {
        {0, 1, START_A}, {2000, 2, START_A}, {3000, 3, 0}, {4000, 1, START_B}, {5000, 2, START_B}};
    test_store_open(test);
    assert_int_equal(push_points(test, first, 2, 0), SN_OK);
    assert_int_equal(push_points(test, older, 2, 0), SN_OK);
    assert_int_equal(push_points(test, last, 1, 0), SN_OK);
    check_points(test, expected, 5);
    test_store_reopen(test);
    check_points(test, expected, 5);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    check_points(test, expected, 5);
}

static void a_lost_group_takes_no_start_with_it(void **state) {
    struct test_store *test = *state;
    const struct point lost[] = {{0, 1, START_A}};
    const struct point kept[] = {{1000, 2, START_A}, {2000, 3, START_A}};
    const struct point rest[] = {{3000, 4, START_A}};
    const struct point expected[] = {{1000, 2, START_A}, {2000, 3, START_A}, {3000, 4, START_A}};
    test_store_open(test);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 4, EIO);
    assert_int_not_equal(push_points(test, lost, 1, 0), SN_OK);
    sn_fault_disarm_all();
    /* Refused until the store has found out that its disk works again. */
    while (push_points(test, kept, 2, 0) != SN_OK)
        continue;
    assert_int_equal(push_points(test, rest, 1, 0), SN_OK);
    test_store_reopen(test); /* what was lost is gone, or was written after all */
    struct sn_samples samples;
    test_read(test, "m", 1, TEST_ALL_TIME, &samples);
    assert_true(samples.count >= 3);
    for (size_t i = 0; i < 3; i++) {
        size_t at = samples.count - 3 + i;
        assert_int_equal(samples.time_ms[at], TEST_NOW_MS + expected[i].offset_ms);
        assert_int_equal(samples.start_ms[at], START_A);
    }
    sn_samples_release(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(start_times_survive_restart_flush_and_merge),
        CASE(a_sample_without_a_start_has_that_of_its_series),
        CASE(a_start_after_its_sample_is_unknown),
        CASE(samples_out_of_order_keep_their_own_start),
        CASE(a_lost_group_takes_no_start_with_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
