/*
 * Making rollups: which windows are due, what is in the files, that they follow what they are made of,
 * outlive it, and that no fault leaves a wrong one.
 */
#include "rollup_support.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/rollup_build.h"
#include "store/store_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CASE(name) cmocka_unit_test_setup_teardown(name, test_rollups_set_up, test_store_tear_down)

static size_t roll_up(struct test_store *test) {
    struct sn_err err = {.status = SN_OK};
    size_t count = 0;
    sn_status status = sn_store_roll_up(test->store, &count, &err);
    if (status != SN_OK)
        print_error("%s\n", err.text);
    assert_int_equal(status, SN_OK);
    return count;
}

/* Days -2, -1 and half of today of a counter and a gauge, a minute apart, flushed twice a day. */
static void fill(struct test_store *test) {
    for (int i = -4; i < 1; i++) {
        struct sn_range span = {TEST_DAY_START_MS + i * (TEST_DAY_MS / 2) + 1234,
                                TEST_DAY_START_MS + (i + 1) * (TEST_DAY_MS / 2)};
        test_push_span(test, "m", 0, span, 60000);
        test_push_span(test, "m", 1, span, 60000);
        assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    }
}

static void check(struct test_store *test) {
    test_check_rollups(test, test_series_id(test, 0));
    test_check_rollups(test, test_series_id(test, 1));
}

/* While the store is closed: no worker is to find that a minute has passed. */
static void let_hours_pass(struct test_store *test, int64_t hours) {
    test_store_close(test);
    sn_fake_clock_advance_ms(&test->clock, hours * TEST_HOUR_MS);
    test_store_open(test);
}

static void days_that_have_passed_are_rolled_up_once(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test);
    check(test);
    assert_int_equal(roll_up(test), 2);
    struct sn_store_stats stats = test_store_stats(test);
    assert_int_equal(stats.rollup_window_count, 2);
    assert_int_equal(stats.rollup_file_count, 2); /* a minute is too seldom for the narrow tier */
    assert_true(stats.rollup_bytes > 0 && stats.rollup_bytes < stats.segment_bytes);
    struct sn_storage storage;
    struct sn_admin admin = sn_store_admin(test->store);
    admin.storage(admin.ctx, &storage);
    assert_int_equal(storage.rollup_bytes, stats.rollup_bytes);
    check(test);
    assert_int_equal(roll_up(test), 0);
    test_store_reopen(test);
    assert_int_equal(test_store_stats(test).recovery.segment_orphan_count, 0);
    assert_int_equal(test_store_stats(test).rollup_bytes, stats.rollup_bytes);
    check(test);
    assert_int_equal(roll_up(test), 0);
    assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
    assert_int_equal(roll_up(test), 0); /* merging changes nothing */
    check(test);
    assert_true(test_store_verify(test).rollup_count > 0);
}

static void samples_of_every_second_have_minutes_too(void **state) {
    struct test_store *test = *state;
    struct sn_range span = {TEST_DAY_START_MS - TEST_DAY_MS, TEST_DAY_START_MS - TEST_DAY_MS / 2};
    test_store_open(test);
    test_push_span(test, "m", 0, span, 1000);
    test_push_span(test, "m", 1, span, 15000);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(roll_up(test), 2); /* the first sample belongs to the day before */
    check(test);
    const struct sn_rollup_file *file = sn_rollup_files_find(
        test->store->segments.set->rollups, SN_ROLLUP_NARROW_MS, TEST_DAY_START_MS - TEST_DAY_MS);
    assert_non_null(file);
    assert_int_equal(file->segment->footer.series_count, 1);
    assert_int_equal(file->segment->footer.sample_count, 144);
}

static void late_samples_count_at_once_and_are_rolled_up_later(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test);
    assert_int_equal(roll_up(test), 2);
    /* Older than anything there: in the head, in a segment, and then in rollups. */
    assert_int_equal(test_push_one(test, "m", 0, TEST_DAY_START_MS - 3600500, 99999, NULL), SN_OK);
    check(test);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    check(test);
    assert_int_equal(roll_up(test), 0); /* not at once: it costs a day's reading */
    let_hours_pass(test, 6);
    assert_int_equal(roll_up(test), 1);
    check(test);
    assert_int_equal(roll_up(test), 0);
    test_store_reopen(test);
    check(test);
}

static void rollups_outlive_their_samples(void **state) {
    struct test_store *test = *state;
    struct sn_rollups before;
    struct sn_rollups after;
    size_t count = 0;
    test_store_open(test);
    fill(test);
    assert_int_equal(roll_up(test), 2);
    uint64_t id = test_series_id(test, 0);
    struct sn_range old = {0, TEST_DAY_START_MS};
    test_read_rollups(test, id, old, SN_ROLLUP_WIDE_MS, &before);
    assert_int_equal(before.count, 48);
    assert_int_equal(sn_store_raw_from(test->store), INT64_MIN);
    let_hours_pass(test, 11 * 24);
    assert_int_equal(sn_store_apply_retention(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 5);
    assert_int_equal(test_store_stats(test).segment_count, 0);
    for (int i = 0; i < 2; i++) {
        assert_true(sn_store_raw_from(test->store) > TEST_DAY_START_MS);
        /* A search in the range finds the series by its rollups. */
        struct sn_matcher matcher = {
            .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("m")};
        struct sn_select select = {
            .matchers = &matcher, .matcher_count = 1, .range = {1, old.end_ms}};
        struct sn_reader reader = sn_store_reader(test->store);
        struct sn_series_list list = {0};
        struct sn_arena arena;
        sn_arena_init(&arena, 0);
        assert_int_equal(reader.select(reader.ctx, &select, &arena, &list, NULL), SN_OK);
        assert_int_equal(list.count, 2);
        sn_arena_release(&arena);
        test_read_rollups(test, id, old, SN_ROLLUP_WIDE_MS, &after);
        test_assert_same_rollups(&before, &after);
        sn_rollups_release(&after);
        assert_int_equal(roll_up(test), 0);
        assert_true(test_store_verify(test).rollup_count > 0);
    }
    /* A sample that comes all the same fills a bucket that is not there, and changes none. */
    assert_int_equal(test_push_one(test, "m", 0, TEST_DAY_START_MS + 9 * TEST_DAY_MS, 1, NULL),
                     SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_read_rollups(test, id, TEST_ALL_ENDS, SN_ROLLUP_WIDE_MS, &after);
    assert_int_equal(after.count, 49);
    sn_rollups_release(&after);
    sn_rollups_release(&before);
    let_hours_pass(test, 400 * 24);
    assert_int_equal(sn_store_apply_retention(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_store_stats(test).rollup_file_count, 0);
    assert_int_equal(test_count_files(test, "seg"), 0);
}

static void a_damaged_file_is_made_again_or_named(void **state) {
    struct test_store *test = *state;
    struct sn_rollups rollups;
    struct sn_err err = {.status = SN_OK};
    test_store_open(test);
    fill(test);
    assert_int_equal(roll_up(test), 2);
    const struct sn_rollup_file *file = sn_rollup_files_find(
        test->store->segments.set->rollups, SN_ROLLUP_WIDE_MS, TEST_DAY_START_MS - TEST_DAY_MS);
    char path[SN_PATH_BYTES_MAX];
    assert_true(sn_segment_path(path, test->store->seg_dir, file->id));
    test_store_close(test);
    assert_int_equal(sn_os_unlink(path), 0);
    test_store_open(test);
    assert_int_equal(sn_store_health(test->store, NULL), SN_ERR_CORRUPT);
    check(test); /* samples are there */
    assert_int_equal(roll_up(test), 1);
    test_store_reopen(test);
    assert_int_equal(sn_store_health(test->store, NULL), SN_OK);
    check(test);
    /* Without samples nothing may be left out silently. */
    file = sn_rollup_files_find(test->store->segments.set->rollups, SN_ROLLUP_WIDE_MS,
                                TEST_DAY_START_MS - TEST_DAY_MS);
    assert_true(sn_segment_path(path, test->store->seg_dir, file->id));
    let_hours_pass(test, 11 * 24);
    assert_int_equal(sn_store_apply_retention(test->store, NULL, NULL), SN_OK);
    test_store_close(test);
    assert_int_equal(sn_os_unlink(path), 0);
    test_store_open(test);
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_rollup_wish wish = {.ends = TEST_ALL_ENDS, .width_ms = SN_ROLLUP_WIDE_MS};
    sn_rollups_init(&rollups);
    assert_int_equal(reader.rollups(reader.ctx, test_series_id(test, 0), &wish, &rollups, &err),
                     SN_ERR_CORRUPT);
    sn_rollups_release(&rollups);
}

static void a_window_with_an_unreadable_segment_has_none(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    fill(test);
    struct sn_segment *segment = test->store->segments.set->items[0];
    atomic_store(&segment->merge_failure_count, SN_MERGE_FAILURES_MAX);
    assert_int_equal(roll_up(test), 1);
    atomic_store(&segment->merge_failure_count, 0);
    assert_int_equal(roll_up(test), 1);
}

/* ---- faults ---- */

/* Whatever failed: the answer is right, nothing is left behind, and the next pass does the rest. */
static void recover_and_check(struct test_store *test, bool may_leave_files) {
    check(test);
    assert_true(roll_up(test) <= 2);
    check(test);
    assert_int_equal(test_store_stats(test).rollup_file_count, 2);
    assert_true(may_leave_files || test_count_files(test, "seg") == 7);
    test_store_reopen(test);
    assert_true(may_leave_files || test_store_stats(test).recovery.segment_orphan_count == 0);
    assert_int_equal(test_count_files(test, "seg"), 7);
    assert_int_equal(sn_store_health(test->store, NULL), SN_OK);
    check(test);
}

static void forget_rollups(struct test_store *test) {
    test->options.rollup_retention_ms = 1;
    test_store_reopen(test);
    assert_int_equal(sn_store_apply_retention(test->store, NULL, NULL), SN_OK);
    test->options.rollup_retention_ms = 0;
    test_store_reopen(test);
    assert_int_equal(test_store_stats(test).rollup_file_count, 0);
}

static void every_failing_call_leaves_the_old_or_the_new(void **state) {
    struct test_store *test = *state;
    static const struct {
        enum sn_fault_kind kind;
        int errno_value;
    } faults[] = {{SN_FAULT_WRITE, ENOSPC}, {SN_FAULT_FSYNC, EIO},  {SN_FAULT_OPEN, EMFILE},
                  {SN_FAULT_RENAME, EIO},   {SN_FAULT_UNLINK, EIO}, {SN_FAULT_READ, EIO},
                  {SN_FAULT_STAT, EIO}};
    test->options.retention_ms = -1;
    test_store_open(test);
    fill(test);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        uint64_t fired = 1;
        for (uint64_t n = 1; fired > 0; n++) {
            forget_rollups(test);
            sn_fault_arm(faults[i].kind, n, 1, faults[i].errno_value);
            (void)(sn_store_roll_up(test->store, NULL, NULL) == SN_OK);
            fired = sn_fault_fired_count();
            sn_fault_disarm_all();
            recover_and_check(test, faults[i].kind == SN_FAULT_UNLINK);
        }
    }
}

static void every_failing_allocation_leaves_the_old_or_the_new(void **state) {
    struct test_store *test = *state;
    bool fired = true;
    test->options.retention_ms = -1;
    test_store_open(test);
    fill(test);
    for (uint64_t n = 1; fired; n += 1 + n / 16) {
        forget_rollups(test);
        sn_mem_fail_nth(n);
        (void)(sn_store_roll_up(test->store, NULL, NULL) == SN_OK);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        recover_and_check(test, false);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(days_that_have_passed_are_rolled_up_once),
        CASE(samples_of_every_second_have_minutes_too),
        CASE(late_samples_count_at_once_and_are_rolled_up_later),
        CASE(rollups_outlive_their_samples),
        CASE(a_damaged_file_is_made_again_or_named),
        CASE(a_window_with_an_unreadable_segment_has_none),
        CASE(every_failing_call_leaves_the_old_or_the_new),
        CASE(every_failing_allocation_leaves_the_old_or_the_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
