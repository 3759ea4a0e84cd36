/* From log to segment. */
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

static void a_flush_moves_samples_from_the_log_into_a_segment(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    test_store_open(test);
    test_push_series(test, 1, 0, 10);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_check_series(test, 1, 10);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.segment_count, 1);
    assert_int_equal(stats.segment_sample_count, 10);
    assert_int_equal(stats.log_bytes, 0);
    assert_int_equal(test_count_files(test, "wal"), 0);
    assert_int_equal(test_count_files(test, "seg"), 1);
    test_push_series(test, 1, 10, 15);
    test_check_series(test, 1, 15);
    test_store_reopen(test);
    test_check_series(test, 1, 15);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_check_series(test, 1, 15);
    test_store_reopen(test);
    test_check_series(test, 1, 15);
}

static void a_flush_with_nothing_to_write_does_nothing(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_count_files(test, "seg"), 0);
    test_push_series(test, 1, 0, 2);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_count_files(test, "seg"), 1);
}

static void the_flush_worker_flushes_when_the_log_is_long_and_when_it_is_old(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats = {0};
    test->options.log_bytes_max = 2000;
    test_store_open(test);
    for (int64_t i = 0; i < 400 && stats.flush_count == 0; i++) {
        test_push_series(test, 1, i, i + 1);
        sn_store_stats(test->store, &stats);
    }
    assert_true(stats.flush_count > 0);
    test_store_close(test);
    test->options.log_bytes_max = 0;
    test_store_open(test);
    test_push_series(test, 2, 0, 1);
    sn_fake_clock_advance_ms(&test->clock, 30 * 60000);
    do {
        usleep(1000); /* the worker looks about once a second */
        sn_store_stats(test->store, &stats);
    } while (stats.flush_count == 0);
    assert_int_equal(stats.log_bytes, 0);
}

static void many_series_survive_flush_and_reopening(void **state) {
    struct test_store *test = *state;
    enum { SERIES = 3000, ROUNDS = 4 };
    test_store_open(test);
    for (int round = 0; round < ROUNDS; round++) {
        assert_int_equal(
            test_push_round(test, "m", SERIES, TEST_NOW_MS + round * 15000, round * 10), SN_OK);
        if (round == 1)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        if (round == 2)
            test_store_reopen(test);
    }
    for (unsigned n = 0; n < SERIES; n += 7) {
        struct test_sample expected[ROUNDS];
        for (int round = 0; round < ROUNDS; round++)
            expected[round] = (struct test_sample){round * 15000, round * 10 + (double)n};
        test_assert_samples(test, "m", n, expected, ROUNDS);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_flush_moves_samples_from_the_log_into_a_segment),
        CASE(a_flush_with_nothing_to_write_does_nothing),
        CASE(many_series_survive_flush_and_reopening),
        CASE(the_flush_worker_flushes_when_the_log_is_long_and_when_it_is_old),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
