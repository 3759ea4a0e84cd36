/* Native histograms, end to end: pushed, flushed, merged, read again after a restart. */
#include "store/store.h"

#include "histogram_support.h"

#include "base/os.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sn_arena arena;

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    sn_arena_init(&arena, (size_t)1 << 30);
    *state = test;
    return 0;
}

static int teardown(void **state) {
    sn_fault_disarm_all();
    test_store_release(*state);
    sn_arena_release(&arena);
    free(*state);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* The i-th histogram of series h{number}, a second apart, with the same start time. */
static void push_series(struct test_store *test, unsigned number, unsigned from, unsigned to) {
    for (unsigned i = from; i < to; i++) {
        struct sn_push_result result;
        struct sn_histogram histogram = test_histogram(&arena, i);
        assert_int_equal(test_push_histogram(test, "h", number, TEST_NOW_MS + (int64_t)i * 1000,
                                             TEST_NOW_MS - 1, &histogram, &result),
                         SN_OK);
        assert_int_equal(result.accepted_count, 1);
        assert_int_equal(result.accepted_histogram_count, 1);
    }
}

static void check_series(struct test_store *test, unsigned number, unsigned count) {
    struct sn_histograms histograms;
    test_read_histograms(test, "h", number, TEST_ALL_TIME, &histograms);
    assert_int_equal(histograms.count, count);
    for (unsigned i = 0; i < count; i++) {
        struct sn_histogram expected = test_histogram(&arena, i);
        assert_int_equal(histograms.time_ms[i], TEST_NOW_MS + (int64_t)i * 1000);
        assert_int_equal(histograms.start_ms[i], TEST_NOW_MS - 1);
        assert_true(sn_histogram_equal(&histograms.items[i], &expected));
    }
    sn_histograms_release(&histograms);
}

static void histograms_survive_restart_flush_and_merge(void **state) {
    struct test_store *test = *state;
    enum { PARTS = 3, PART = 60, SERIES = 3 };
    test_store_open(test);
    for (unsigned part = 0; part < PARTS; part++) {
        for (unsigned series = 0; series < SERIES; series++) {
            push_series(test, series, part * PART, (part + 1) * PART);
            assert_int_equal(test_push_one(test, "m", series, TEST_NOW_MS + part, part, NULL),
                             SN_OK);
        }
        check_series(test, 1, (part + 1) * PART);
        test_store_reopen(test); /* from the log */
        check_series(test, 1, (part + 1) * PART);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        check_series(test, 2, (part + 1) * PART);
    }
    test_store_close(test);
    test->clock.wall_ms += 86400000 * 2; /* the windows are over */
    test_store_open(test);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    struct sn_store_stats stats;
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.segment_count, 1);
    assert_int_equal(stats.segment_sample_count, SERIES * PARTS * (PART + 1));
    for (unsigned series = 0; series < SERIES; series++) {
        const struct test_sample floats[] = {{0, 0}, {1, 1}, {2, 2}};
        check_series(test, series, PARTS * PART);
        test_assert_samples(test, "m", series, floats, PARTS);
    }
    struct sn_histograms histograms;
    test_read_histograms(test, "h", 0, (struct sn_range){TEST_NOW_MS + 50000, TEST_NOW_MS + 69999},
                         &histograms);
    assert_int_equal(histograms.count, 20);
    sn_histograms_release(&histograms);
}

static void a_series_may_have_floats_and_histograms(void **state) {
    struct test_store *test = *state;
    const struct test_sample floats[] = {{500, 1}, {1500, 2}};
    test_store_open(test);
    push_series(test, 0, 0, 1);
    assert_int_equal(test_push_one(test, "h", 0, TEST_NOW_MS + 500, 1, NULL), SN_OK);
    push_series(test, 0, 1, 2);
    assert_int_equal(test_push_one(test, "h", 0, TEST_NOW_MS + 1500, 2, NULL), SN_OK);
    for (int turn = 0; turn < 3; turn++) {
        check_series(test, 0, 2);
        test_assert_samples(test, "h", 0, floats, 2);
        if (turn == 0)
            test_store_reopen(test);
        else
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    }
}

static uint64_t push_and_count(struct test_store *test, int64_t offset_ms, unsigned i,
                               enum sn_reject reason) {
    struct sn_push_result result;
    struct sn_histogram histogram = test_histogram(&arena, i);
    assert_int_equal(
        test_push_histogram(test, "h", 0, TEST_NOW_MS + offset_ms, 0, &histogram, &result), SN_OK);
    return reason < SN_REJECT_COUNT ? result.rejected_count[reason] : result.accepted_count;
}

static void times_follow_the_rules_of_floats(void **state) {
    struct test_store *test = *state;
    struct sn_push_result result;
    test->options.out_of_order_window_ms = 5000;
    test_store_open(test);
    assert_int_equal(push_and_count(test, 10000, 1, SN_REJECT_COUNT), 1);
    assert_int_equal(push_and_count(test, 10000, 1, SN_REJECT_COUNT), 1); /* the same */
    assert_int_equal(push_and_count(test, 10000, 2, SN_REJECT_DUPLICATE), 1);
    assert_int_equal(push_and_count(test, 5000, 2, SN_REJECT_COUNT), 1);
    assert_int_equal(push_and_count(test, 5000, 3, SN_REJECT_COUNT), 1); /* wins */
    assert_int_equal(push_and_count(test, 4999, 2, SN_REJECT_OUT_OF_ORDER), 1);
    assert_int_equal(push_and_count(test, 86400000, 2, SN_REJECT_TOO_NEW), 1);
    assert_int_equal(push_and_count(test, -INT64_C(86400000) * 100, 2, SN_REJECT_TOO_OLD), 1);
    /* A float at the time of the newest histogram, and the other way round. */
    assert_int_equal(test_push_one(test, "h", 0, TEST_NOW_MS + 10000, 1, &result), SN_OK);
    assert_int_equal(result.rejected_count[SN_REJECT_DUPLICATE], 1);
    assert_int_equal(test_push_one(test, "h", 0, TEST_NOW_MS + 11000, 1, &result), SN_OK);
    assert_int_equal(push_and_count(test, 11000, 2, SN_REJECT_DUPLICATE), 1);
    for (int turn = 0; turn < 2; turn++) {
        struct sn_histograms histograms;
        test_read_histograms(test, "h", 0, TEST_ALL_TIME, &histograms);
        assert_int_equal(histograms.count, 2);
        assert_true(histograms.items[0].zero_count == 3);
        sn_histograms_release(&histograms);
        test_store_reopen(test);
    }
}

static void the_end_of_a_histogram_series_is_a_histogram(void **state) {
    struct test_store *test = *state;
    double stale = sn_double_from_bits(SN_STALE_NAN_BITS);
    test_store_open(test);
    push_series(test, 0, 0, 2);
    assert_int_equal(test_push_one(test, "h", 0, TEST_NOW_MS + 2000, stale, NULL), SN_OK);
    for (int turn = 0; turn < 2; turn++) {
        struct sn_histograms histograms;
        struct sn_samples samples;
        test_read_histograms(test, "h", 0, TEST_ALL_TIME, &histograms);
        assert_int_equal(histograms.count, 3);
        assert_true(sn_is_stale(histograms.items[2].sum));
        test_read(test, "h", 0, TEST_ALL_TIME, &samples);
        assert_int_equal(samples.count, 0);
        sn_samples_release(&samples);
        sn_histograms_release(&histograms);
        test_store_reopen(test);
    }
    assert_int_equal(test_push_one(test, "m", 0, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 0, TEST_NOW_MS + 1, stale, NULL), SN_OK);
    struct sn_samples samples;
    test_read(test, "m", 0, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.count, 2);
    sn_samples_release(&samples);
}

static void histograms_that_are_not_valid_fail_the_batch(void **state) {
    struct test_store *test = *state;
    struct sn_histogram histogram = test_histogram(&arena, 1);
    test_store_open(test);
    histogram.schema = 99;
    assert_int_equal(test_push_histogram(test, "h", 0, TEST_NOW_MS, 0, &histogram, NULL),
                     SN_ERR_INVALID);
    check_series(test, 0, 0);
}

static void random_histograms_in_any_order_are_what_was_written_last(void **state) {
    struct test_store *test = *state;
    enum { SLOTS = 300, PUSHES = 900 };
    static struct sn_histogram written[SLOTS];
    bool is_written[SLOTS] = {false};
    struct sn_rng rng;
    sn_rng_init(&rng, 77);
    test_store_open(test);
    for (int i = 0; i < PUSHES; i++) {
        unsigned slot = (unsigned)sn_rng_below(&rng, SLOTS);
        struct sn_push_result result;
        struct sn_histogram histogram = test_random_histogram(&arena, &rng);
        assert_int_equal(
            test_push_histogram(test, "h", 0, TEST_NOW_MS + slot * 1000, 0, &histogram, &result),
            SN_OK);
        if (result.accepted_count == 1) {
            written[slot] = histogram;
            is_written[slot] = true;
        }
        if (i % 200 == 199)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        if (i == 500)
            test_store_reopen(test);
    }
    for (int turn = 0; turn < 2; turn++) {
        struct sn_histograms histograms;
        size_t at = 0;
        test_read_histograms(test, "h", 0, TEST_ALL_TIME, &histograms);
        for (unsigned slot = 0; slot < SLOTS; slot++) {
            if (!is_written[slot])
                continue;
            assert_true(at < histograms.count);
            assert_int_equal(histograms.time_ms[at], TEST_NOW_MS + slot * 1000);
            assert_true(sn_histogram_equal(&histograms.items[at], &written[slot]));
            at++;
        }
        assert_int_equal(at, histograms.count);
        sn_histograms_release(&histograms);
        test_store_close(test);
        test->clock.wall_ms += 86400000 * 2;
        test_store_open(test);
        assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(histograms_survive_restart_flush_and_merge),
        CASE(a_series_may_have_floats_and_histograms),
        CASE(times_follow_the_rules_of_floats),
        CASE(the_end_of_a_histogram_series_is_a_histogram),
        CASE(histograms_that_are_not_valid_fail_the_batch),
        CASE(random_histograms_in_any_order_are_what_was_written_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
