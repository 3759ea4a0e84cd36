/* Database files as pages: copied while they are in use, checked, and all of it beside the store's own. */
#include "store/db_file.h"

#include "base/mem.h"
#include "base/os.h"
#include "store_support.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define GUEST "records.db"

static sqlite3 *open_guest_of(const char *dir) {
    char path[400];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/" GUEST, dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

static void execute(sqlite3 *db, const char *sql) {
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static int64_t number(sqlite3 *db, const char *sql) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t found = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return found;
}

/* A table with an index, over a few dozen pages, and a connection that has it open. */
static sqlite3 *make_guest(const char *dir) {
    sqlite3 *db = open_guest_of(dir);
    execute(db, "PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER, b TEXT);"
                "CREATE INDEX t_b ON t(b);"
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                " INSERT INTO t SELECT i, hex(i) || 'some text that takes room' FROM n;");
    return db;
}

static void count_finding(void *ctx, const char *what) {
    size_t *count = ctx;
    assert_true(what[0] != '\0');
    ++*count;
}

static size_t check_guest(const char *dir) {
    size_t count = 0;
    assert_int_equal(sn_db_file_check_guest(dir, count_finding, &count, NULL), SN_OK);
    return count;
}

static void a_guest_in_use_is_copied_whole(void **state) {
    (void)state;
    struct test_store test;
    struct stat info;
    test_store_init(&test);
    sqlite3 *db = make_guest(test.dir);
    execute(db, "BEGIN; INSERT INTO t VALUES(0, 'not committed');");
    char to[320];
    (void)snprintf(to, sizeof to, "%s/to", test.dir);
    assert_int_equal(sn_os_make_dirs(to, NULL), SN_OK);
    assert_int_equal(sn_db_file_copy_guest(test.dir, to, NULL), SN_OK);
    execute(db, "COMMIT");
    assert_int_equal(sn_db_file_copy_guest(test.dir, to, NULL), SN_ERR_EXISTS);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(sn_os_stat(test_path(&test, "to/" GUEST), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    assert_int_equal(check_guest(to), 0);
    db = open_guest_of(to);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 2000);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    test_store_release(&test);
}

/* A server that was killed leaves its last commits in the log beside the file. */
static void what_is_in_a_log_that_was_left_is_copied(void **state) {
    (void)state;
    struct test_store test;
    struct sn_err err = {.status = SN_OK};
    char left[320], to[320];
    test_store_init(&test);
    (void)snprintf(left, sizeof left, "%s/left", test.dir);
    (void)snprintf(to, sizeof to, "%s/to", test.dir);
    assert_int_equal(sn_os_make_dirs(left, NULL), SN_OK);
    assert_int_equal(sn_os_make_dirs(to, NULL), SN_OK);
    sqlite3 *db = make_guest(test.dir);
    static const char *const names[] = {GUEST, GUEST "-wal"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char from_path[400], to_path[400];
        (void)snprintf(from_path, sizeof from_path, "%s/%s", test.dir, names[i]);
        (void)snprintf(to_path, sizeof to_path, "%s/%s", left, names[i]);
        assert_int_equal(sn_os_copy_file(from_path, to_path, NULL, NULL, &err), SN_OK);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(sn_db_file_copy_guest(left, to, NULL), SN_OK);
    db = open_guest_of(to);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 2000);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    test_store_release(&test);
}

static void nothing_beside_the_store_is_fine_and_nothing_is_made(void **state) {
    (void)state;
    struct test_store test;
    struct stat info;
    char to[320];
    test_store_init(&test);
    (void)snprintf(to, sizeof to, "%s/to", test.dir);
    assert_int_equal(sn_os_make_dirs(to, NULL), SN_OK);
    assert_int_equal(sn_db_file_copy_guest(test.dir, to, NULL), SN_OK);
    assert_int_equal(check_guest(test.dir), 0);
    assert_int_not_equal(sn_os_stat(test_path(&test, "to/" GUEST), &info), 0);
    assert_int_not_equal(sn_os_stat(test_path(&test, GUEST), &info), 0);
    int fd = sn_os_open(test_path(&test, GUEST), O_RDWR | O_CREAT, 0640); /* without a page yet */
    assert_true(fd >= 0 && sn_os_close(fd) == 0);
    assert_int_equal(check_guest(test.dir), 0);
    assert_int_equal(sn_db_file_copy_guest(test.dir, to, NULL), SN_OK);
    assert_int_equal(check_guest(to), 0);
    test_store_release(&test);
}

/* Overwrite bytes of the guest. */
static void damage(struct test_store *test, int64_t at, size_t len) {
    char junk[4096];
    memset(junk, 'x', sizeof junk);
    int fd = sn_os_open(test_path(test, GUEST), O_WRONLY, 0);
    assert_true(fd >= 0);
    assert_int_equal(lseek(fd, at, SEEK_SET), at);
    assert_int_equal(sn_os_write_all(fd, junk, len), 0);
    assert_int_equal(sn_os_close(fd), 0);
}

static void damage_is_found(void **state) {
    (void)state;
    struct test_store test;
    struct stat info;
    test_store_init(&test);
    assert_int_equal(sqlite3_close(make_guest(test.dir)), SQLITE_OK);
    assert_int_equal(sn_os_stat(test_path(&test, GUEST), &info), 0);
    assert_int_equal(check_guest(test.dir), 0);
    damage(&test, info.st_size / 4096 / 2 * 4096, 4096);
    assert_true(check_guest(test.dir) > 0);
    damage(&test, 0, 100);
    assert_int_equal(check_guest(test.dir), 1); /* no database at all */
    struct sn_err err = {.status = SN_OK};
    char to[320];
    (void)snprintf(to, sizeof to, "%s/to", test.dir);
    assert_int_equal(sn_os_make_dirs(to, NULL), SN_OK);
    assert_int_equal(sn_db_file_copy_guest(test.dir, to, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, GUEST));
    test_store_release(&test);
}

/* A copy that failed is taken away with its directory, as a snapshot does it. */
static void make_anew(const char *dir) {
    assert_int_equal(sn_os_remove_tree(dir, NULL), SN_OK);
    assert_int_equal(sn_os_make_dirs(dir, NULL), SN_OK);
}

static void every_failed_call_is_told(void **state) {
    (void)state;
    struct test_store test;
    static const enum sn_fault_kind kinds[] = {SN_FAULT_STAT, SN_FAULT_OPEN, SN_FAULT_FSYNC};
    char to[320];
    size_t failures = 0, ignored = 0;
    test_store_init(&test);
    (void)snprintf(to, sizeof to, "%s/to", test.dir);
    assert_int_equal(sqlite3_close(make_guest(test.dir)), SQLITE_OK);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired; n++) {
            make_anew(to);
            sn_fault_arm(kinds[i], n, 1, EIO);
            sn_status status = sn_db_file_copy_guest(test.dir, to, NULL);
            fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            assert_int_equal(status, fired ? SN_ERR_IO : SN_OK);
            failures += fired;
        }
    }
    assert_int_equal(failures, 3);
    sn_fault_arm(SN_FAULT_STAT, 1, 1, EIO);
    assert_int_equal(sn_db_file_check_guest(test.dir, count_finding, &ignored, NULL), SN_ERR_IO);
    sn_fault_disarm_all();
    assert_int_equal(ignored, 0);
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_guest_in_use_is_copied_whole),
        cmocka_unit_test(what_is_in_a_log_that_was_left_is_copied),
        cmocka_unit_test(nothing_beside_the_store_is_fine_and_nothing_is_made),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(every_failed_call_is_told),
    };
    return cmocka_run_group_tests_name("db_file", tests, NULL, NULL);
}
