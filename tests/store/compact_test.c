/* Compaction of a store: what readers see, what is left of files, failures at every place. */
#include "store_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "store/compact_plan.h"
#include "store/store_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define DAY_MS INT64_C(86400000)

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    /* The windows of the samples have passed; and no worker compacts, because no time passes. */
    sn_fake_clock_init(&test->clock, 1000000000, TEST_NOW_MS + 2 * DAY_MS);
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

/* `count` segments of ten samples of the series 1 and 2. */
static void fill(struct test_store *test, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        test_push_series(test, 1, i * 10, (i + 1) * 10);
        test_push_series(test, 2, i * 10, (i + 1) * 10);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    }
}

static void check(struct test_store *test, int64_t count) {
    test_check_series(test, 1, count * 10);
    test_check_series(test, 2, count * 10);
}

static void segments_become_one_and_read_the_same(void **state) {
    struct test_store *test = *state;
    size_t count = 99;
    test_store_open(test);
    fill(test, 5);
    uint64_t bytes = test_store_stats(test).segment_bytes;
    assert_int_equal(sn_store_compact(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    struct sn_store_stats stats = test_store_stats(test);
    assert_int_equal(stats.segment_count, 1);
    assert_int_equal(stats.segment_sample_count, 100);
    assert_int_equal(stats.compaction_count, 1);
    assert_int_equal(stats.compaction_bytes_in, bytes);
    assert_int_equal(stats.compaction_bytes_out, stats.segment_bytes);
    assert_true(stats.segment_bytes < bytes);
    assert_int_equal(test_count_files(test, "seg"), 1);
    check(test, 5);
    assert_int_equal(sn_store_compact(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
    test_store_reopen(test);
    check(test, 5);
    assert_int_equal(test_store_stats(test).recovery.segment_orphan_count, 0);
    assert_int_equal(sn_store_health(test->store, NULL), SN_OK);
}

static void the_later_writing_wins_before_and_after(void **state) {
    struct test_store *test = *state;
    const struct test_sample first[] = {{0, 1}, {1000, 5}, {2000, 3}, {3000, 4}};
    const struct test_sample second[] = {{0, 1}, {1000, 5}, {2000, 6}, {3000, 4}};
    test_store_open(test);
    for (int i = 0; i < 4; i++)
        assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + i * 1000, i + 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 5, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).segment_count, 1);
    test_assert_samples(test, "m", 1, first, 4);
    /* Flushed after the merged segment was numbered, and before, when it comes to a second one. */
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 2000, 6, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_assert_samples(test, "m", 1, second, 4);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, second, 4);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).segment_count, 1);
    test_assert_samples(test, "m", 1, second, 4);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, second, 4);
}

/* A merged segment has a higher number than a newer one that was not merged: order is by rank. */
static void a_segment_left_out_keeps_its_place(void **state) {
    struct test_store *test = *state;
    const struct test_sample expected[] = {{0, 1}, {1000, 2}, {2000, 7}, {DAY_MS, 8}};
    test->options.out_of_order_window_ms = 3 * DAY_MS;
    test->options.future_max_ms = -1;
    test_store_open(test);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 1000, 2, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 2000, 3, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + DAY_MS, 8, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 1, TEST_NOW_MS + 2000, 7, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).segment_count, 2);
    test_assert_samples(test, "m", 1, expected, 4);
    test_store_reopen(test);
    test_assert_samples(test, "m", 1, expected, 4);
}

static void a_reader_keeps_the_files_that_it_began_with(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test, 4);
    struct sn_segment_set *held = sn_segments_ref(&test->store->segments);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(held->count, 4);
    for (size_t i = 0; i < held->count; i++) {
        struct sn_samples samples;
        sn_samples_init(&samples);
        assert_int_equal(sn_segment_read(held->items[i], &test->store->index, &test->store->cache,
                                         0, TEST_ALL_TIME, &samples, NULL),
                         SN_OK);
        assert_int_equal(samples.count, 10);
        sn_samples_release(&samples);
    }
    sn_segment_set_unref(held);
}

/* ---- failures ---- */

/* One failing compaction leaves everything as it was; the next one works. */
static void check_after(struct test_store *test, sn_status status) {
    if (status != SN_OK)
        assert_true(test_store_stats(test).compaction_failure_count > 0);
    check(test, 3);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).segment_count, 1);
    assert_int_equal(test_count_files(test, "seg"), 1);
    check(test, 3);
    test_store_reopen(test);
    check(test, 3);
    assert_int_equal(test_store_stats(test).recovery.segment_damaged_count, 0);
}

/* No workers, so that only the compaction meets the failing call. */
static void renew(struct test_store *test) {
    test_store_close(test);
    assert_int_equal(sn_os_remove_tree(test->dir, NULL), SN_OK);
    assert_int_equal(sn_os_mkdir(test->dir, 0750), 0);
    test_store_open(test);
    fill(test, 3);
}

static void every_failing_allocation_leaves_all_as_before(void **state) {
    struct test_store *test = *state;
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        renew(test);
        sn_mem_fail_nth(n);
        sn_status status = sn_store_compact(test->store, NULL, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
        check_after(test, status);
    }
}

static void fail_each(struct test_store *test, enum sn_fault_kind kind, int errno_value) {
    uint64_t fired = 1;
    for (uint64_t n = 1; fired > 0; n++) {
        renew(test);
        sn_fault_arm(kind, n, 1, errno_value);
        sn_status status = sn_store_compact(test->store, NULL, NULL);
        fired = sn_fault_fired_count();
        sn_fault_disarm_all();
        /* A file that could not be deleted has no row and goes at the next start. */
        if (kind == SN_FAULT_UNLINK)
            test_store_reopen(test);
        check_after(test, status);
    }
}

static void every_failing_call_leaves_all_as_before(void **state) {
    fail_each(*state, SN_FAULT_OPEN, EIO);
    fail_each(*state, SN_FAULT_WRITE, ENOSPC);
    fail_each(*state, SN_FAULT_WRITE, 0);
    fail_each(*state, SN_FAULT_FSYNC, EIO);
    fail_each(*state, SN_FAULT_RENAME, EIO);
    fail_each(*state, SN_FAULT_READ, EIO);
    fail_each(*state, SN_FAULT_STAT, EIO);
    fail_each(*state, SN_FAULT_UNLINK, EIO);
}

static void without_free_space_nothing_is_tried(void **state) {
    struct test_store *test = *state;
    struct sn_err err;
    test->options.log_bytes_max = (size_t)1 << 60;
    test_store_open(test);
    fill(test, 3);
    assert_int_equal(sn_store_compact(test->store, NULL, &err), SN_ERR_NO_SPACE);
    assert_non_null(strstr(err.text, "are free"));
    assert_int_equal(sn_store_health(test->store, &err), SN_ERR_NO_SPACE);
    assert_int_equal(test_store_stats(test).compaction_failure_count, 1);
    check(test, 3);
    test_store_close(test);
    test->options.log_bytes_max = 0;
    test_store_open(test);
    check_after(test, SN_OK);
}

/* Flip one byte in the middle of a pack. */
static void damage_file(const char *path) {
    int fd = sn_os_open(path, O_RDWR, 0);
    uint8_t byte;
    assert_true(fd >= 0);
    assert_int_equal(sn_os_pread_all(fd, &byte, 1, 60), 1);
    byte ^= 0x10;
    assert_int_equal(sn_os_pwrite_all(fd, &byte, 1, 60), 0);
    assert_int_equal(sn_os_close(fd), 0);
}

static void a_damaged_segment_is_left_alone_and_named(void **state) {
    struct test_store *test = *state;
    struct sn_err err;
    test_store_open(test);
    fill(test, 6);
    damage_file(test_path(test, "seg/00000003.seg"));
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    struct sn_store_stats stats = test_store_stats(test);
    assert_int_equal(stats.compaction_damaged_count, 1);
    assert_non_null(strstr(stats.compaction_damage.text, "00000003.seg"));
    /* The five others are one: no sample of theirs lies within the damaged one. */
    assert_int_equal(stats.segment_count, 2);
    assert_int_equal(sn_store_health(test->store, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "00000003.seg"));
    struct sn_samples samples;
    sn_samples_init(&samples);
    struct sn_range behind = {.start_ms = TEST_NOW_MS + 30000, .end_ms = INT64_MAX};
    assert_int_equal(test_try_read(test, "m", 1, behind, &samples, &err), SN_OK);
    assert_int_equal(samples.count, 30);
    assert_int_equal(test_try_read(test, "m", 1, TEST_ALL_TIME, &samples, &err), SN_ERR_CORRUPT);
    sn_samples_release(&samples);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).compaction_damaged_count, 1);
}

static void a_missing_segment_stops_nobody(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test, 4);
    test_store_close(test);
    assert_int_equal(sn_os_unlink(test_path(test, "seg/00000001.seg")), 0);
    test_store_open(test);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).segment_count, 2);
    assert_int_equal(test_store_stats(test).compaction_failure_count, 0);
}

/* A commit that failed may be on disk: its file waits until nothing can bring it to life. */
static void a_file_in_doubt_goes_before_the_next_one_is_made(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test, 3);
    int fd = sn_os_open(test_path(test, "seg/00000099.seg"), O_WRONLY | O_CREAT, 0640);
    assert_true(fd >= 0);
    assert_int_equal(sn_os_close(fd), 0);
    test->store->doubtful_segment_id = 99;
    check_after(test, sn_store_compact(test->store, NULL, NULL));
    assert_int_equal(test->store->doubtful_segment_id, 0);
}

static void a_store_that_stops_cancels(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test, 3);
    sn_store_flush_stop(test->store);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_ERR_CLOSED);
    assert_int_equal(test_store_stats(test).compaction_failure_count, 0);
    assert_int_equal(test_count_files(test, "seg"), 3);
    test_store_reopen(test);
    check_after(test, SN_OK);
}

static void it_can_be_switched_off_and_runs_once_at_a_time(void **state) {
    struct test_store *test = *state;
    size_t count = 99;
    test->options.compact_window_ms = -1;
    test_store_open(test);
    fill(test, 3);
    assert_int_equal(sn_store_compact(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 0);
    test->store->is_compacting = true;
    assert_int_equal(sn_store_compact(test->store, &count, NULL), SN_ERR_BUSY);
    test->store->is_compacting = false;
}

static void the_worker_compacts_after_a_flush(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test, 3);
    test_push_series(test, 1, 30, 31);
    sn_store_want_flush(test->store);
    while (test_store_stats(test).compaction_count == 0)
        usleep(1000);
    test_check_series(test, 1, 31);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(segments_become_one_and_read_the_same),
        CASE(the_later_writing_wins_before_and_after),
        CASE(a_segment_left_out_keeps_its_place),
        CASE(a_reader_keeps_the_files_that_it_began_with),
        CASE(every_failing_allocation_leaves_all_as_before),
        CASE(every_failing_call_leaves_all_as_before),
        CASE(without_free_space_nothing_is_tried),
        CASE(a_damaged_segment_is_left_alone_and_named),
        CASE(a_missing_segment_stops_nobody),
        CASE(a_file_in_doubt_goes_before_the_next_one_is_made),
        CASE(a_store_that_stops_cancels),
        CASE(it_can_be_switched_off_and_runs_once_at_a_time),
        CASE(the_worker_compacts_after_a_flush),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
