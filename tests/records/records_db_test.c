/* Which file has the tables of records, accounts and settings. */
#include "records/records_db.h"

#include "base/os.h"
#include "records/accounts.h"
#include "records/settings.h"
#include "records_support.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static const char *path_in(const struct test_place *place, const char *name) {
    static char path[2][256];
    static int turn;
    turn = !turn;
    (void)snprintf(path[turn], sizeof path[turn], "%s/%s", place->dir, name);
    return path[turn];
}

static bool has_file(const struct test_place *place, const char *name) {
    struct stat info;
    return sn_os_stat(path_in(place, name), &info) == 0;
}

static void execute(const struct test_place *place, const char *name, const char *sql) {
    sqlite3 *db = NULL;
    assert_int_equal(sn_sqlite_open(path_in(place, name), &db, NULL), SN_OK);
    assert_int_equal(sn_sqlite_execute(db, sql, NULL), SN_OK);
    (void)sn_sqlite_close(db); /* NULL, always */
}

static int64_t count_tables(const struct test_place *place, const char *name) {
    sqlite3 *db = NULL;
    sqlite3_stmt *select = NULL;
    assert_int_equal(sn_sqlite_open_to_read(path_in(place, name), &db, NULL), SN_OK);
    assert_int_equal(sn_sqlite_prepare(db,
                                       "SELECT count(*) FROM sqlite_master WHERE type = 'table'",
                                       &select, NULL),
                     SN_OK);
    assert_int_equal(sn_sqlite_next(db, select, NULL), SN_OK);
    int64_t count = sqlite3_column_int64(select, 0);
    (void)sn_sqlite_close(db); /* NULL, always */
    return count;
}

static void expect(const struct test_place *place, const char *name) {
    char path[SN_RECORDS_DB_PATH_SIZE];
    assert_int_equal(sn_records_db_path(place->dir, path, NULL), SN_OK);
    assert_string_equal(path, path_in(place, name));
}

static void add_user(const char *path) {
    struct sn_accounts *accounts = NULL;
    const struct sn_account_new user = {
        .name = SN_STR("ann"), .role = SN_ACCOUNT_ADMIN, .password_hash = "x", .now_wall_ms = 1};
    int64_t id = 0;
    assert_int_equal(sn_accounts_open(path, &accounts, NULL), SN_OK);
    assert_int_equal(sn_accounts_add_user(accounts, &user, &id, NULL), SN_OK);
    (void)sn_accounts_close(accounts); /* NULL, always */
}

static void add_setting(const char *path) {
    struct sn_settings *settings = NULL;
    assert_int_equal(sn_settings_open(path, &settings, NULL), SN_OK);
    assert_int_equal(sn_settings_put(settings, SN_STR("k"), SN_STR("v"), NULL), SN_OK);
    (void)sn_settings_close(settings); /* NULL, always */
}

/* What a store leaves there. */
static void make_catalogue(const struct test_place *place) {
    execute(place, "sonde.db", "CREATE TABLE store_meta(key TEXT PRIMARY KEY, value INTEGER)");
}

static void a_new_directory_gets_a_file_for_the_records(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record record = test_record("a", 0, 1.5);
    test_place_init(&place);
    expect(&place, "records.db"); /* without any file */
    make_catalogue(&place);
    expect(&place, "records.db");
    assert_false(has_file(&place, "records.db"));
    test_place_open(&place);
    assert_int_equal(test_commit(&place, &record, 1), SN_OK);
    test_place_close(&place);
    assert_true(has_file(&place, "records.db"));
    assert_int_equal(count_tables(&place, "sonde.db"), 1);
    assert_true(count_tables(&place, "records.db") > 5);
    test_place_release(&place);
}

static void an_older_directory_goes_on_in_its_one_file(void **state) {
    (void)state;
    void (*const makers[])(const char *path) = {add_user, add_setting};
    for (size_t i = 0; i < sizeof makers / sizeof makers[0]; i++) {
        struct test_place place;
        struct sn_record record = test_record("a", 0, 1.5), found;
        test_place_init(&place);
        make_catalogue(&place);
        makers[i](path_in(&place, "sonde.db"));
        expect(&place, "sonde.db");
        int64_t before = count_tables(&place, "sonde.db");
        test_place_open(&place);
        assert_int_equal(test_commit(&place, &record, 1), SN_OK);
        test_place_close(&place);
        expect(&place, "sonde.db"); /* of records as well */
        assert_true(count_tables(&place, "sonde.db") > before);
        assert_false(has_file(&place, "records.db"));
        test_place_open(&place);
        assert_int_equal(
            place.engine.ops->get(place.engine.ctx, &record.id, &place.arena, &found, NULL), SN_OK);
        assert_true(found.value == 1.5);
        test_place_release(&place);
    }
}

/* As a server makes them: whose turn is first does not matter, even if the other one is empty. */
static void the_file_of_the_records_goes_before_the_other(void **state) {
    (void)state;
    struct test_place place;
    test_place_init(&place);
    execute(&place, "records.db", "PRAGMA user_version = 0");
    add_user(path_in(&place, "sonde.db")); /* an older program was here */
    expect(&place, "records.db");
    test_place_release(&place);
}

static void a_file_without_a_byte_has_no_tables_and_stays_so(void **state) {
    (void)state;
    struct test_place place;
    struct stat info;
    test_place_init(&place);
    int fd = sn_os_open(path_in(&place, "sonde.db"), O_RDWR | O_CREAT, 0640);
    assert_true(fd >= 0 && sn_os_close(fd) == 0);
    expect(&place, "records.db");
    assert_int_equal(sn_os_stat(path_in(&place, "sonde.db"), &info), 0);
    assert_int_equal(info.st_size, 0); /* the store gives it its pages */
    test_place_release(&place);
}

static void what_is_no_database_is_named(void **state) {
    (void)state;
    struct test_place place;
    struct sn_err err = {.status = SN_OK};
    char junk[4096], path[SN_RECORDS_DB_PATH_SIZE];
    test_place_init(&place);
    memset(junk, 'x', sizeof junk);
    int fd = sn_os_open(path_in(&place, "sonde.db"), O_RDWR | O_CREAT, 0640);
    assert_int_equal(sn_os_write_all(fd, junk, sizeof junk), 0);
    assert_int_equal(sn_os_close(fd), 0);
    assert_int_equal(sn_records_db_path(place.dir, path, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "sonde.db"));
    test_place_release(&place);
}

static void a_name_has_room_up_to_its_limit(void **state) {
    (void)state;
    static const size_t max = SN_RECORDS_DB_PATH_SIZE - sizeof "/records.db";
    char dir[SN_RECORDS_DB_PATH_SIZE], path[SN_RECORDS_DB_PATH_SIZE];
    struct sn_err err = {.status = SN_OK};
    memset(dir, '/', sizeof dir);
    dir[max] = '\0';
    memcpy(dir + max - 2, "/q", 2);
    assert_int_equal(sn_records_db_path(dir, path, &err), SN_OK);
    assert_int_equal(strlen(path), SN_RECORDS_DB_PATH_SIZE - 1);
    memcpy(dir + max - 2, "//q", 4);
    assert_int_equal(sn_records_db_path(dir, path, &err), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "4084"));
}

static void every_failed_call_is_told(void **state) {
    (void)state;
    struct test_place place;
    char path[SN_RECORDS_DB_PATH_SIZE];
    test_place_init(&place);
    add_user(path_in(&place, "sonde.db"));
    int64_t before = sn_mem_block_count();
    uint64_t count = 0;
    for (bool fired = true; fired; count++) {
        sn_fault_arm(SN_FAULT_STAT, count + 1, 1, EIO);
        sn_status status = sn_records_db_path(place.dir, path, NULL);
        fired = sn_fault_fired_count() > 0;
        sn_fault_disarm_all();
        assert_int_equal(status, fired ? SN_ERR_IO : SN_OK);
    }
    assert_int_equal(count, 3); /* both files, and once without a fault */
    for (uint64_t n = 1;; n++) {
        sn_mem_fail_nth(n);
        sn_status status = sn_records_db_path(place.dir, path, NULL);
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        assert_int_equal(sn_mem_block_count(), before);
        if (is_over)
            break;
    }
    test_place_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_directory_gets_a_file_for_the_records),
        cmocka_unit_test(an_older_directory_goes_on_in_its_one_file),
        cmocka_unit_test(the_file_of_the_records_goes_before_the_other),
        cmocka_unit_test(a_file_without_a_byte_has_no_tables_and_stays_so),
        cmocka_unit_test(what_is_no_database_is_named),
        cmocka_unit_test(a_name_has_room_up_to_its_limit),
        cmocka_unit_test(every_failed_call_is_told),
    };
    return cmocka_run_group_tests_name("records_db", tests, NULL, NULL);
}
