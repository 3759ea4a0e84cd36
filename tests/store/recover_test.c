/* What is found when a directory is opened again. */
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

static void what_was_acknowledged_is_there_after_reopening(void **state) {
    struct test_store *test = *state;
    test_store_open(test);
    test_push_series(test, 1, 0, 10);
    test_store_reopen(test);
    test_check_series(test, 1, 10);
    test_push_series(test, 1, 10, 20);
    test_store_reopen(test);
    test_check_series(test, 1, 20);
}

static void run_sql(struct test_store *test, const char *sql) {
    sqlite3 *db;
    assert_int_equal(sqlite3_open(test_path(test, "sonde.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void a_newer_format_is_refused_with_a_sentence(void **state) {
    struct test_store *test = *state;
    struct sn_err err;
    test_store_open(test);
    test_store_close(test);
    run_sql(test, "UPDATE store_meta SET value = 4 WHERE key = 'format_version'");
    assert_int_equal(test_store_try_open(test, &err), SN_ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "version 4"));
}

static void files_without_a_row_are_deleted_and_others_left_alone(void **state) {
    struct test_store *test = *state;
    struct sn_store_stats stats;
    const char *names[] = {"seg/00000042.seg", "seg/00000043.seg.tmp", "seg/notes.txt"};
    test_store_open(test);
    test_push_series(test, 1, 0, 3);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    test_store_close(test);
    for (int i = 0; i < 3; i++) {
        FILE *file = fopen(test_path(test, names[i]), "w");
        assert_non_null(file);
        (void)fclose(file);
    }
    test_store_open(test);
    assert_int_equal(test_count_files(test, "seg"), 2);
    sn_store_stats(test->store, &stats);
    assert_int_equal(stats.recovery.segment_orphan_count, 2);
    test_check_series(test, 1, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_was_acknowledged_is_there_after_reopening),
        CASE(a_newer_format_is_refused_with_a_sentence),
        CASE(files_without_a_row_are_deleted_and_others_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
