/* Exemplars of deleted series: gone at once, after restarts, and from the catalogue. */
#include "exemplar_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "store/series_gc.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    test_store_init_in_memory(test);
    test->options.compact_window_ms = -1;
    test->options.without_rollups = true;
    *state = test;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

/* Delete what m{number} has in a range of offsets. */
static sn_status try_delete(struct test_store *test, unsigned number, int64_t from_ms,
                            int64_t to_ms) {
    char text[16];
    (void)snprintf(text, sizeof text, "%u", number);
    const struct sn_matcher matchers[] = {
        {.kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("m")},
        {.kind = SN_MATCH_EQUAL, .name = SN_STR("n"), .value = sn_str_from(text)}};
    const struct sn_select select = {.matchers = matchers,
                                     .matcher_count = 2,
                                     .range = {TEST_NOW_MS + from_ms, TEST_NOW_MS + to_ms}};
    struct sn_admin admin = sn_store_admin(test->store);
    return admin.delete_series(admin.ctx, &select, NULL, NULL);
}

static void delete_range(struct test_store *test, unsigned number, int64_t from_ms, int64_t to_ms) {
    assert_int_equal(try_delete(test, number, from_ms, to_ms), SN_OK);
}

static void flush(struct test_store *test) {
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
}

/* A number that the catalogue answers; the store is closed. */
static int64_t ask_catalogue(const struct test_store *test, const char *sql) {
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(test_path(test, "sonde.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return number;
}

static void deleted_exemplars_are_gone_also_after_restarts(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    for (int i = 0; i < 6; i++) {
        test_push_exemplar(test, 1, i * 1000, i, true, NULL);
        test_push_exemplar(test, 2, i * 1000, i, true, NULL);
        if (i == 1 || i == 3)
            flush(test); /* three rows of the catalogue, the last one by the deletion */
    }
    delete_range(test, 1, 1000, 4000);
    for (int round = 0; round < 3; round++) {
        test_assert_exemplars(test, 0, 9000,
                              "1:0@0 1:5@5000 "
                              "2:0@0 2:1@1000 2:2@2000 2:3@3000 2:4@4000 2:5@5000 ");
        assert_int_equal(test_store_stats(test).exemplar_count, 8);
        test_store_reopen(test);
    }
    test_push_exemplar(test, 1, 6000, 6, true, NULL);
    delete_range(test, 2, 0, 9000);
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 9000, "1:0@0 1:5@5000 1:6@6000 ");
    struct sn_admin admin = sn_store_admin(test->store);
    assert_int_equal(admin.clean_tombstones(admin.ctx, NULL), SN_OK);
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 9000, "1:0@0 1:5@5000 1:6@6000 ");
    (void)test_store_verify(test);
}

static void what_is_pushed_later_is_kept(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    test_push_exemplar(test, 1, 1000, 1, true, NULL);
    test_push_exemplar(test, 1, 2000, 2, true, NULL);
    delete_range(test, 1, 0, 9000);
    test_assert_exemplars(test, 0, 9000, "");
    test_push_exemplar(test, 1, 1000, 1, true, NULL); /* the same again */
    for (int round = 0; round < 3; round++) {
        test_assert_exemplars(test, 0, 9000, "1:1@1000 ");
        if (round == 1)
            flush(test);
        test_store_reopen(test);
    }
}

/* Samples of other times than the exemplar: they do not decide what is found. */
static void exemplars_without_a_sample_in_the_range_are_deleted(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    test_push_exemplar(test, 1, 0, 1, true, NULL);
    test_push_exemplar(test, 1, 500000, 2, false, NULL);
    delete_range(test, 1, 400000, 600000);
    test_assert_exemplars(test, 0, 900000, "1:1@0 ");
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 900000, "1:1@0 ");
    test_assert_samples(test, "m", 1, &(struct test_sample){0, 1}, 1);
}

static void the_catalogue_has_their_bytes_no_more(void **state) {
    static const char count[] = "SELECT coalesce(sum(length(records)), 0) FROM exemplar";
    struct test_store *test = *state;
    test_store_open(test);
    for (int i = 0; i < 3; i++) {
        test_push_exemplar(test, 1, i * 1000, i, true, NULL);
        flush(test);
    }
    test_store_close(test);
    assert_true(ask_catalogue(test, count) > 0);
    test_store_open(test);
    delete_range(test, 1, 0, 9000);
    test_store_close(test);
    assert_int_equal(ask_catalogue(test, count), 0);
    test_store_open(test);
    test_push_exemplar(test, 1, 5000, 5, true, NULL); /* the next row is no older one's */
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 9000, "1:5@5000 ");
}

/* Rows may hold what the ring has dropped; with fewer in it, a start would take it in again. */
static void what_the_limit_has_dropped_does_not_come_back(void **state) {
    struct test_store *test = *state;
    test->options.exemplars_max = 4;
    test_store_open(test);
    for (int i = 0; i < 6; i++) { /* rows 0 1, 2 3, 4 5 */
        test_push_exemplar(test, (unsigned)i % 2, i * 1000, i, true, NULL);
        if (i % 2 == 1)
            flush(test);
    }
    test_push_exemplar(test, 1, 6000, 6, true, NULL); /* drops 2 of row 2 3 */
    test_assert_exemplars(test, 0, 9000, "0:4@4000 1:3@3000 1:5@5000 1:6@6000 ");
    delete_range(test, 0, 0, 9000);
    test_assert_exemplars(test, 0, 9000, "1:3@3000 1:5@5000 1:6@6000 ");
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 9000, "1:3@3000 1:5@5000 1:6@6000 ");
}

static void what_was_kept_before_the_limit_was_none_is_deleted(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    test_push_exemplar(test, 1, 0, 1, true, NULL);
    flush(test);
    test_store_close(test);
    test->options.exemplars_max = -1;
    test_store_open(test);
    delete_range(test, 1, 0, 9000);
    test_store_close(test);
    test->options.exemplars_max = 0;
    test_store_open(test);
    test_assert_exemplars(test, 0, 9000, "");
}

static void a_series_with_deleted_exemplars_only_is_forgotten(void **state) {
    struct test_store *test = *state;
    size_t count = 0;
    test_store_open(test);
    test_push_exemplar(test, 1, 0, 1, true, NULL);
    test_push_exemplar(test, 2, 0, 1, true, NULL);
    delete_range(test, 1, 0, 9000);
    struct sn_admin admin = sn_store_admin(test->store);
    assert_int_equal(admin.clean_tombstones(admin.ctx, NULL), SN_OK);
    assert_int_equal(sn_store_collect_series(test->store, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    test_assert_exemplars(test, 0, 9000, "2:1@0 ");
}

/* ---- faults: all or nothing, then it works ---- */

static void assert_all_or_nothing(struct test_store *test, sn_status status) {
    struct sn_buf text;
    struct sn_range all = {TEST_NOW_MS, TEST_NOW_MS + 9000};
    sn_buf_init(&text, 0);
    assert_int_equal(test_list_exemplars(test, all, &text), SN_OK);
    bool is_there = sn_str_equal(sn_buf_str(&text), SN_STR("1:1@1000 1:2@2000 2:3@3000 "));
    assert_true(is_there || sn_str_equal(sn_buf_str(&text), SN_STR("1:1@1000 2:3@3000 ")));
    assert_true(!is_there || status != SN_OK);
    sn_buf_release(&text);
}

static void open_filled(struct test_store *test) {
    test_store_open(test);
    test_push_exemplar(test, 1, 1000, 1, true, NULL);
    flush(test);
    test_push_exemplar(test, 1, 2000, 2, true, NULL);
    test_push_exemplar(test, 2, 3000, 3, true, NULL);
}

static void every_failing_allocation_leaves_all_or_nothing(void **state) {
    struct test_store *test = *state;
    bool fired = true;
    open_filled(test);
    for (uint64_t n = 1; fired; n++) {
        sn_mem_fail_nth(n);
        sn_status status = try_delete(test, 1, 2000, 2000);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || fired);
        assert_all_or_nothing(test, status);
        if (status != SN_OK && n % 8 == 0) {
            test_store_reopen(test);
            assert_all_or_nothing(test, status);
        }
    }
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 9000, "1:1@1000 2:3@3000 ");
}

static void every_failing_system_call_leaves_all_or_nothing(void **state) {
    static const enum sn_fault_kind kinds[] = {SN_FAULT_WRITE, SN_FAULT_FSYNC, SN_FAULT_RENAME,
                                               SN_FAULT_OPEN};
    struct test_store *test = *state;
    open_filled(test);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired && n < 20; n++) {
            sn_fault_arm(kinds[i], n, 1, ENOSPC);
            sn_status status = try_delete(test, 1, 2000, 2000);
            fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            assert_true(status == SN_OK || fired);
            assert_all_or_nothing(test, status);
        }
    }
    delete_range(test, 1, 2000, 2000);
    test_store_reopen(test);
    test_assert_exemplars(test, 0, 9000, "1:1@1000 2:3@3000 ");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(deleted_exemplars_are_gone_also_after_restarts),
        CASE(what_is_pushed_later_is_kept),
        CASE(exemplars_without_a_sample_in_the_range_are_deleted),
        CASE(the_catalogue_has_their_bytes_no_more),
        CASE(what_the_limit_has_dropped_does_not_come_back),
        CASE(what_was_kept_before_the_limit_was_none_is_deleted),
        CASE(a_series_with_deleted_exemplars_only_is_forgotten),
        CASE(every_failing_allocation_leaves_all_or_nothing),
        CASE(every_failing_system_call_leaves_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
