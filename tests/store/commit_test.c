/* Acknowledging, and refusing while the disk does not take the log. */
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
    test_store_init(test);
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

static void wait_until_taken(struct test_store *test, int64_t time_ms, double value) {
    sn_status status = SN_ERR_IO;
    for (int i = 0; i < 2000 && status != SN_OK; i++) {
        status = test_push_one(test, "m", 1, time_ms, value, NULL);
        if (status != SN_OK)
            usleep(1000); /* the prober waits 5 ms of real time */
    }
    assert_int_equal(status, SN_OK);
}

static void refuse_and_recover(struct test_store *test, enum sn_fault_kind kind, int errno_value,
                               sn_status expected) {
    struct sn_err err = {.status = SN_OK};
    struct sn_store_stats stats;
    const struct test_sample before[] = {{0, 1}};
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    sn_fault_arm(kind, 1, UINT64_MAX, errno_value);
    assert_int_equal(test_push_one(test, "m", 2, TEST_NOW_MS, 5, NULL), expected);
    /* Refused at once now, and reads go on. */
    assert_int_equal(test_push_one(test, "m", 3, TEST_NOW_MS + 1000, 2, NULL), expected);
    test_assert_samples(test, "m", 1, before, 1);
    sn_store_stats(test->store, &stats);
    assert_true(stats.is_refusing);
    assert_int_equal(stats.refusing_since_wall_ms, TEST_NOW_MS);
    assert_true(stats.refused_count > 0);
    assert_int_equal(sn_store_health(test->store, &err), expected);
    assert_non_null(strstr(err.text, "writes are refused"));
    sn_fault_disarm_all();
    wait_until_taken(test, TEST_NOW_MS + 2000, 3);
    assert_int_equal(sn_store_health(test->store, &err), SN_OK);
    /* The series whose definition was in the failed group is defined again. */
    assert_int_equal(test_push_one(test, "m", 2, TEST_NOW_MS + 1000, 6, NULL), SN_OK);
    test_store_reopen(test);
    struct sn_samples samples;
    test_read(test, "m", 1, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.time_ms[0], TEST_NOW_MS);
    assert_int_equal(samples.time_ms[samples.count - 1], TEST_NOW_MS + 2000);
    sn_samples_release(&samples);
    test_read(test, "m", 2, TEST_ALL_TIME, &samples);
    assert_int_equal(samples.time_ms[samples.count - 1], TEST_NOW_MS + 1000);
    assert_true(samples.value[samples.count - 1] == 6);
    sn_samples_release(&samples);
}

static void a_full_disk_refuses_writes_until_there_is_room(void **state) {
    refuse_and_recover(*state, SN_FAULT_WRITE, ENOSPC, SN_ERR_NO_SPACE);
}

static void a_failing_sync_refuses_writes_until_it_works(void **state) {
    refuse_and_recover(*state, SN_FAULT_FSYNC, EIO, SN_ERR_IO);
}

static void a_directory_that_takes_no_file_refuses_writes(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    /* The next group is of a new epoch and needs a new file. */
    sn_fault_arm(SN_FAULT_OPEN, 1, UINT64_MAX, ENOSPC);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 2, NULL), SN_ERR_NO_SPACE);
    sn_fault_disarm_all();
    wait_until_taken(test, TEST_NOW_MS + 2000, 3);
}

static void one_failing_sync_is_hidden_by_a_new_file(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 1, EIO);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 2, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 2000, 3, NULL), SN_OK);
    sn_store_stats(test->store, &stats);
    assert_false(stats.is_refusing);
    assert_int_equal(stats.log_sync_failure_count, 1);
    assert_int_equal(stats.log_file_count, 2);
    const struct test_sample expected[] = {{0, 1}, {1000, 2}, {2000, 3}};
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 3);
}

static void a_relaxed_log_that_cannot_sync_is_replaced(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    test->options.durability = SN_STORE_RELAXED;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    do {
        usleep(1000); /* the first sync comes at once */
        sn_store_stats(test->store, &stats);
    } while (stats.log_sync_count == 0);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 2, NULL), SN_OK);
    sn_fault_arm(SN_FAULT_FSYNC, 1, 1, EIO);
    sn_fake_clock_advance_ms(&test->clock, 2000);
    do {
        usleep(1000);
        sn_store_stats(test->store, &stats);
    } while (stats.log_sync_failure_count == 0);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 2000, 3, NULL), SN_OK);
    const struct test_sample expected[] = {{0, 1}, {1000, 2}, {2000, 3}};
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(a_full_disk_refuses_writes_until_there_is_room),
        CASE(a_failing_sync_refuses_writes_until_it_works),
        CASE(a_directory_that_takes_no_file_refuses_writes),
        CASE(one_failing_sync_is_hidden_by_a_new_file),
        CASE(a_relaxed_log_that_cannot_sync_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
