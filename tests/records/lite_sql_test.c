/* The schema: what a person with a SQL client sees. */
#include "records_support.h"

#include <stdio.h>

static sqlite3 *open_as_a_person(const struct test_place *place) {
    char path[128];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/records.db", place->dir);
    assert_int_equal(sn_sqlite_open(path, &db, NULL), SN_OK);
    return db;
}

static void the_view_shows_plain_columns_and_the_same_ids(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record records[50];
    test_place_init(&place);
    test_place_open(&place);
    for (int i = 0; i < 50; i++)
        records[i] = test_record("a", i * INT64_C(100000007), i);
    records[0].description = SN_STR("first");
    records[1].description = SN_STR("other");
    records[0].metadata = SN_STR("{\"a\":1}");
    assert_int_equal(test_commit(&place, records, 50), SN_OK);
    sqlite3 *db = open_as_a_person(&place);
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sn_sqlite_prepare(db,
                                       "SELECT id, timestamp, metric_type, name, value, unit, "
                                       "metadata, service, description FROM system_metrics "
                                       "ORDER BY value",
                                       &statement, NULL),
                     SN_OK);
    for (int i = 0; i < 50; i++) {
        char id[SN_RECORD_ID_TEXT_SIZE], time[SN_TIME_TEXT_SIZE];
        assert_int_equal(sn_sqlite_next(db, statement, NULL), SN_OK);
        sn_record_id_format(&records[i].id, id);
        sn_time_format(records[i].time_ms, time);
        assert_string_equal((const char *)sqlite3_column_text(statement, 0), id);
        assert_string_equal((const char *)sqlite3_column_text(statement, 1), time);
        assert_string_equal((const char *)sqlite3_column_text(statement, 7), "s");
        if (i < 2)
            assert_string_equal((const char *)sqlite3_column_text(statement, 8),
                                i == 0 ? "first" : "other");
    }
    (void)sqlite3_finalize(statement);
    (void)sn_sqlite_close(db);
    test_place_release(&place);
}

static void every_statement_compiles(void **state) {
    (void)state;
    struct test_place place;
    test_place_init(&place);
    test_place_open(&place);
    sqlite3 *db = open_as_a_person(&place);
    for (size_t i = 0; i < SN_LITE_COUNT; i++) {
        sqlite3_stmt *statement = NULL;
        assert_non_null(sn_lite_sql_text[i]);
        assert_int_equal(sn_sqlite_prepare(db, sn_lite_sql_text[i], &statement, NULL), SN_OK);
        (void)sqlite3_finalize(statement);
    }
    (void)sn_sqlite_close(db);
    test_place_release(&place);
}

static void migrating_twice_changes_nothing(void **state) {
    (void)state;
    struct test_place place;
    test_place_init(&place);
    test_place_open(&place);
    sqlite3 *db = open_as_a_person(&place);
    assert_int_equal(sn_lite_migrate(db, NULL), SN_OK);
    (void)sn_sqlite_close(db);
    test_place_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_view_shows_plain_columns_and_the_same_ids),
        cmocka_unit_test(every_statement_compiles),
        cmocka_unit_test(migrating_twice_changes_nothing),
    };
    return cmocka_run_group_tests_name("lite_sql", tests, NULL, NULL);
}
