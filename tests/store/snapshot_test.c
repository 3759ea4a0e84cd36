/* Snapshots: whole, independent of the store, gone when they fail. */
#include "base/mem.h"
#include "base/os.h"
#include "store_support.h"

#include <errno.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sn_snapshot snapshot;

static sn_status take(struct test_store *test) {
    struct sn_admin admin = sn_store_admin(test->store);
    return admin.snapshot(admin.ctx, &snapshot, NULL);
}

static sn_status discard(struct test_store *test, const char *name) {
    struct sn_admin admin = sn_store_admin(test->store);
    return admin.delete_snapshot(admin.ctx, sn_str_from(name), NULL);
}

/* The snapshot as a store of its own. */
static void open_snapshot(struct test_store *copy) {
    *copy = (struct test_store){0};
    assert_true(strlen(snapshot.path) < sizeof copy->dir);
    memcpy(copy->dir, snapshot.path, strlen(snapshot.path));
    sn_fake_clock_init(&copy->clock, 1000000000, TEST_NOW_MS);
    copy->options = (struct sn_store_options){.clock = &copy->clock.clock, .flush_pause_ns = -1};
    test_store_open(copy);
}

static void it_has_what_was_acknowledged_and_nothing_later(void **state) {
    (void)state;
    struct test_store test;
    struct test_store copy;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    test_push_series(&test, 1, 0, 5);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    test_push_series(&test, 1, 5, 10);
    assert_int_equal(take(&test), SN_OK);
    test_push_series(&test, 1, 10, 12);
    open_snapshot(&copy);
    test_check_series(&copy, 1, 10);
    test_push_series(&copy, 1, 10, 20); /* a store like any other */
    assert_int_equal(sn_store_flush(copy.store, NULL), SN_OK);
    test_check_series(&copy, 1, 20);
    test_store_close(&copy);
    test_check_series(&test, 1, 12);
    assert_int_equal(discard(&test, snapshot.name), SN_OK);
    assert_int_equal(discard(&test, snapshot.name), SN_ERR_NOT_FOUND);
    test_store_reopen(&test);
    test_check_series(&test, 1, 12);
    test_store_release(&test);
}

/* A database of another module beside the catalogue. */
static void make_guest(struct test_store *test) {
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(test_path(test, "records.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode=WAL; CREATE TABLE t(a);"
                                  "INSERT INTO t VALUES(7)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void the_database_beside_the_catalogue_is_in_it(void **state) {
    (void)state;
    struct test_store test;
    char path[SN_SNAPSHOT_PATH_SIZE + 16];
    sqlite3 *db = NULL;
    sqlite3_stmt *select = NULL;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    make_guest(&test);
    assert_int_equal(take(&test), SN_OK);
    (void)snprintf(path, sizeof path, "%s/records.db", snapshot.path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT a FROM t", -1, &select, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(select), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(select, 0), 7);
    (void)sqlite3_finalize(select);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    test_store_release(&test);
}

static void segments_live_on_in_it_when_the_store_drops_them(void **state) {
    (void)state;
    struct test_store test;
    struct test_store copy;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    for (int i = 0; i < 3; i++) {
        test_push_series(&test, 1, i * 3, i * 3 + 3);
        assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    }
    assert_int_equal(take(&test), SN_OK);
    sn_fake_clock_advance_ms(&test.clock, INT64_C(86400000) * 30);
    size_t count = 0;
    assert_int_equal(sn_store_apply_retention(test.store, &count, NULL), SN_OK);
    assert_int_equal(count, 3);
    open_snapshot(&copy);
    test_check_series(&copy, 1, 9);
    test_store_close(&copy);
    test_store_release(&test);
}

static void two_of_one_moment_have_two_names(void **state) {
    (void)state;
    struct test_store test;
    char first[SN_SNAPSHOT_NAME_SIZE];
    test_store_init_in_memory(&test);
    test_store_open(&test);
    assert_int_equal(take(&test), SN_OK); /* of an empty store */
    memcpy(first, snapshot.name, sizeof first);
    assert_int_equal(take(&test), SN_OK);
    assert_string_not_equal(first, snapshot.name);
    assert_int_equal(strncmp(first, "20231114T221320000Z-", 20), 0);
    test_store_release(&test);
}

static void names_lead_nowhere_else(void **state) {
    (void)state;
    static const char *const names[] = {
        "",       "..",  ".",        "a/b",
        "../seg", "a b", "\xc3\xa4", "01234567890123456789012345678901234567890"};
    struct test_store test;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_int_equal(discard(&test, names[i]), SN_ERR_INVALID);
    test_store_release(&test);
}

static void a_failure_leaves_nothing_behind(void **state) {
    (void)state;
    struct test_store test;
    struct stat info;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    test_push_series(&test, 1, 0, 5);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    make_guest(&test);
    static const enum sn_fault_kind kinds[] = {SN_FAULT_RENAME, SN_FAULT_MKDIR, SN_FAULT_FSYNC,
                                               SN_FAULT_OPEN};
    size_t failures = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired; n++) {
            sn_fault_arm(kinds[i], n, 1, EIO);
            sn_status status = take(&test);
            fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            /* A mkdir that fails for a directory that is there is none. */
            if (status != SN_OK || kinds[i] != SN_FAULT_MKDIR)
                assert_int_equal(status, fired ? SN_ERR_IO : SN_OK);
            failures += status != SN_OK;
            if (sn_os_stat(test_path(&test, "snapshots"), &info) == 0)
                assert_int_equal(test_count_files(&test, "snapshots"), status == SN_OK);
            if (status == SN_OK)
                assert_int_equal(discard(&test, snapshot.name), SN_OK);
        }
    }
    assert_true(failures >= 6);
    test_store_release(&test);
}

static void without_links_files_are_copied(void **state) {
    (void)state;
    struct test_store test;
    struct test_store copy;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    test_push_series(&test, 1, 0, 5);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    sn_fault_arm(SN_FAULT_RENAME, 1, UINT64_MAX, EXDEV);
    assert_int_equal(take(&test), SN_OK);
    sn_fault_disarm_all();
    open_snapshot(&copy);
    test_check_series(&copy, 1, 5);
    test_store_close(&copy);
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_has_what_was_acknowledged_and_nothing_later),
        cmocka_unit_test(the_database_beside_the_catalogue_is_in_it),
        cmocka_unit_test(segments_live_on_in_it_when_the_store_drops_them),
        cmocka_unit_test(two_of_one_moment_have_two_names),
        cmocka_unit_test(names_lead_nowhere_else),
        cmocka_unit_test(a_failure_leaves_nothing_behind),
        cmocka_unit_test(without_links_files_are_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
