/* SQLite with our statuses: statements, transactions, migrations, failures. */
#include "records/sqlite.h"

#include "base/os.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

struct place {
    char dir[64];
    char path[96];
    sqlite3 *db;
};

static int set_up(void **state) {
    static struct place place;
    memset(&place, 0, sizeof place);
    (void)snprintf(place.dir, sizeof place.dir, "/tmp/sonde_sqlite_XXXXXX");
    assert_non_null(mkdtemp(place.dir));
    (void)snprintf(place.path, sizeof place.path, "%s/test.db", place.dir);
    assert_int_equal(sn_sqlite_open(place.path, &place.db, NULL), SN_OK);
    *state = &place;
    return 0;
}

static int tear_down(void **state) {
    struct place *place = *state;
    place->db = sn_sqlite_close(place->db);
    assert_int_equal(sn_os_remove_tree(place->dir, NULL), SN_OK);
    return 0;
}

static int64_t count_rows(sqlite3 *db, const char *sql) {
    SN_SQLITE_STATEMENT select = NULL;
    assert_int_equal(sn_sqlite_prepare(db, sql, &select, NULL), SN_OK);
    assert_int_equal(sn_sqlite_next(db, select, NULL), SN_OK);
    return sqlite3_column_int64(select, 0);
}

static void what_is_bound_is_read_back(void **state) {
    struct place *place = *state;
    assert_int_equal(sn_sqlite_execute(place->db, "CREATE TABLE t(a TEXT, b BLOB)", NULL), SN_OK);
    SN_SQLITE_STATEMENT insert = NULL;
    assert_int_equal(sn_sqlite_prepare(place->db, "INSERT INTO t VALUES(?, ?)", &insert, NULL),
                     SN_OK);
    sn_sqlite_bind_text(insert, 1, SN_STR("it's; DROP TABLE t"));
    sn_sqlite_bind_blob(insert, 2, sn_str_make("\0\1\2", 3));
    assert_int_equal(sn_sqlite_run(place->db, insert, NULL), SN_OK);
    sn_sqlite_bind_text(insert, 1, SN_STR(""));
    sn_sqlite_bind_blob(insert, 2, sn_str_make(NULL, 0));
    assert_int_equal(sn_sqlite_run(place->db, insert, NULL), SN_OK);

    SN_SQLITE_STATEMENT select = NULL;
    assert_int_equal(
        sn_sqlite_prepare(place->db, "SELECT a, b FROM t ORDER BY a DESC", &select, NULL), SN_OK);
    assert_int_equal(sn_sqlite_next(place->db, select, NULL), SN_OK);
    assert_true(sn_str_equal(sn_sqlite_column_text(select, 0), SN_STR("it's; DROP TABLE t")));
    assert_true(sn_str_equal(sn_sqlite_column_blob(select, 1), sn_str_make("\0\1\2", 3)));
    assert_int_equal(sn_sqlite_next(place->db, select, NULL), SN_OK);
    assert_int_equal(sn_sqlite_column_text(select, 0).len, 0);
    assert_int_equal(sn_sqlite_column_blob(select, 1).len, 0);
    assert_int_equal(sn_sqlite_next(place->db, select, NULL), SN_ERR_NOT_FOUND);
}

static void failures_are_statuses_with_a_sentence(void **state) {
    struct place *place = *state;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_sqlite_execute(place->db,
                                       "CREATE TABLE t(a TEXT UNIQUE NOT NULL);"
                                       "INSERT INTO t VALUES('x')",
                                       &err),
                     SN_OK);
    assert_int_equal(sn_sqlite_execute(place->db, "INSERT INTO t VALUES('x')", &err),
                     SN_ERR_EXISTS);
    assert_non_null(strstr(err.text, "UNIQUE"));
    assert_int_not_equal(sn_sqlite_execute(place->db, "SELECT a FROM nowhere", &err), SN_OK);
    assert_non_null(strstr(err.text, "nowhere"));
    sqlite3 *db = NULL;
    assert_int_not_equal(sn_sqlite_open("/nonexistent/directory/x.db", &db, &err), SN_OK);
    assert_null(db);
    assert_non_null(strstr(err.text, "/nonexistent/directory/x.db"));
    assert_null(sn_sqlite_close(NULL));
}

static void a_file_that_is_no_database_is_corrupt(void **state) {
    struct place *place = *state;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/other.db", place->dir);
    int fd = sn_os_open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    static const char text[512] = "this is no database, and long enough to have a header of one";
    assert_int_equal(sn_os_write_all(fd, text, sizeof text), 0);
    assert_int_equal(sn_os_close(fd), 0);
    sqlite3 *db = NULL;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_sqlite_open(path, &db, &err), SN_ERR_CORRUPT);
}

static void what_is_rolled_back_is_gone(void **state) {
    struct place *place = *state;
    assert_int_equal(sn_sqlite_execute(place->db, "CREATE TABLE t(a INTEGER)", NULL), SN_OK);
    assert_int_equal(sn_sqlite_begin(place->db, NULL), SN_OK);
    assert_int_equal(sn_sqlite_execute(place->db, "INSERT INTO t VALUES(1)", NULL), SN_OK);
    sn_sqlite_rollback(place->db);
    sn_sqlite_rollback(place->db); /* nothing to do */
    assert_int_equal(count_rows(place->db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(sn_sqlite_begin(place->db, NULL), SN_OK);
    assert_int_equal(sn_sqlite_execute(place->db, "INSERT INTO t VALUES(1)", NULL), SN_OK);
    assert_int_equal(sn_sqlite_commit(place->db, NULL), SN_OK);
    assert_int_equal(count_rows(place->db, "SELECT count(*) FROM t"), 1);
}

/* Another process adds a row and leaves. */
static void insert_elsewhere(const char *path) {
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) { /* a program of its own: SQLite's memory of this one must not come along */
        (void)execl("/proc/self/exe", "insert", path, NULL);
        _exit(2);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* SQLite's locks belong to the process: whoever opens and closes the file beside it drops them all,
 * and the next process to close the database would delete the log that this one still reads. */
static void other_connections_leave_the_locks_of_this_process_alone(void **state) {
    struct place *place = *state;
    sqlite3 *second = NULL;
    assert_int_equal(sn_sqlite_execute(place->db, "CREATE TABLE t(a INTEGER)", NULL), SN_OK);
    assert_int_equal(sn_sqlite_open(place->path, &second, NULL), SN_OK);
    insert_elsewhere(place->path);
    assert_int_equal(count_rows(place->db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(sn_sqlite_execute(place->db, "INSERT INTO t VALUES(2)", NULL), SN_OK);
    insert_elsewhere(place->path);
    assert_int_equal(count_rows(place->db, "SELECT count(*) FROM t"), 3);
    assert_int_equal(count_rows(second, "SELECT count(*) FROM t"), 3);
    second = sn_sqlite_close(second);
}

static void a_new_file_is_not_for_everybody(void **state) {
    struct place *place = *state;
    struct stat info;
    assert_int_equal(sn_os_stat(place->path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
}

static void migrations_run_once_each_and_in_order(void **state) {
    struct place *place = *state;
    static const char *const steps[] = {
        "CREATE TABLE t(a INTEGER)",
        "INSERT INTO t VALUES(1); ALTER TABLE t ADD COLUMN b INTEGER NOT NULL DEFAULT 7",
        "INSERT INTO t SELECT a + 1, b FROM t",
    };
    assert_int_equal(sn_sqlite_migrate(place->db, "subject", steps, 2, NULL), SN_OK);
    assert_int_equal(sn_sqlite_migrate(place->db, "subject", steps, 2, NULL), SN_OK);
    assert_int_equal(count_rows(place->db, "SELECT count(*) FROM t"), 1);
    assert_int_equal(sn_sqlite_migrate(place->db, "subject", steps, 3, NULL), SN_OK);
    assert_int_equal(count_rows(place->db, "SELECT sum(a * b) FROM t"), 3 * 7);
}

static void a_newer_file_is_refused_and_a_failing_step_changes_nothing(void **state) {
    struct place *place = *state;
    struct sn_err err = {.status = SN_OK};
    static const char *const steps[] = {"CREATE TABLE t(a INTEGER)", "CREATE TABLE u(a INTEGER)"};
    static const char *const broken[] = {"CREATE TABLE v(a INTEGER)", "NO SQL"};
    assert_int_equal(sn_sqlite_migrate(place->db, "subject", steps, 2, &err), SN_OK);
    assert_int_equal(sn_sqlite_migrate(place->db, "subject", steps, 1, &err), SN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "version 2"));
    assert_int_not_equal(sn_sqlite_migrate(place->db, "other", broken, 2, &err), SN_OK);
    assert_int_equal(count_rows(place->db, "SELECT count(*) FROM sqlite_master WHERE name = 'v'"),
                     0);
}

/* The other process of the test above. */
static int insert_one(const char *path) {
    sqlite3 *db = NULL;
    bool is_done = sn_sqlite_open(path, &db, NULL) == SN_OK &&
                   sn_sqlite_execute(db, "INSERT INTO t VALUES(1)", NULL) == SN_OK;
    (void)sn_sqlite_close(db); /* NULL, always */
    return is_done ? 0 : 1;
}

int main(int argc, char **argv) {
    if (argc == 2 && strcmp(argv[0], "insert") == 0)
        return insert_one(argv[1]);
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_bound_is_read_back),
        TEST(failures_are_statuses_with_a_sentence),
        TEST(a_file_that_is_no_database_is_corrupt),
        TEST(what_is_rolled_back_is_gone),
        TEST(other_connections_leave_the_locks_of_this_process_alone),
        TEST(a_new_file_is_not_for_everybody),
        TEST(migrations_run_once_each_and_in_order),
        TEST(a_newer_file_is_refused_and_a_failing_step_changes_nothing),
    };
    return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
