/* The SQLite engine as a whole: opening, closing, concurrency, deadlines. */
#include "engine_suite_support.h"

#include "base/os.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const char long_enough_text[] =
    "This is certainly not a database, although it is longer than the header of one: a hundred "
    "bytes are needed before SQLite looks at them.";

static void records_survive_a_restart_with_their_ids(void **state) {
    (void)state;
    struct test_place place;
    struct sn_record record = test_record("a", 0, 1.5), found;
    test_place_init(&place);
    test_place_open(&place);
    assert_int_equal(test_commit(&place, &record, 1), SN_OK);
    test_place_close(&place);
    test_place_open(&place);
    assert_int_equal(
        place.engine.ops->get(place.engine.ctx, &record.id, &place.arena, &found, NULL), SN_OK);
    assert_true(found.value == 1.5);
    struct sn_record next = test_record("b", 0, 1);
    assert_int_equal(test_commit(&place, &next, 1), SN_OK);
    assert_memory_not_equal(next.id.bytes, record.id.bytes, sizeof next.id.bytes);
    assert_int_equal(place.engine.ops->ping(place.engine.ctx, NULL), SN_OK);
    test_place_release(&place);
}

static void a_newer_schema_is_refused(void **state) {
    (void)state;
    struct test_place place;
    char path[128];
    sqlite3 *db = NULL;
    struct sn_err err;
    test_place_init(&place);
    test_place_open(&place);
    test_place_close(&place);
    (void)snprintf(path, sizeof path, "%s/records.db", place.dir);
    assert_int_equal(sn_sqlite_open(path, &db, NULL), SN_OK);
    assert_int_equal(
        sn_sqlite_execute(db, "UPDATE schema_version SET version = 99 WHERE subject = 'records'",
                          NULL),
        SN_OK);
    db = sn_sqlite_close(db);
    const struct sn_lite_options options = {.dir = place.dir};
    assert_int_equal(sn_lite_open(&options, &place.engine, &err), SN_ERR_UNSUPPORTED);
    test_place_release(&place);
}

static void a_file_that_is_no_database_is_corrupt(void **state) {
    (void)state;
    struct test_place place;
    char path[128];
    test_place_init(&place);
    (void)snprintf(path, sizeof path, "%s/records.db", place.dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0 && write(fd, long_enough_text, sizeof long_enough_text) > 0);
    (void)close(fd);
    const struct sn_lite_options options = {.dir = place.dir};
    assert_int_equal(sn_lite_open(&options, &place.engine, NULL), SN_ERR_CORRUPT);
    test_place_release(&place);
}

static void a_missing_directory_is_a_failure(void **state) {
    (void)state;
    struct sn_engine engine;
    struct sn_err err;
    const struct sn_lite_options options = {.dir = "/nonexistent/directory"};
    assert_int_equal(sn_lite_open(&options, &engine, &err), SN_ERR_NOT_FOUND);
}

static void every_failed_allocation_is_survived(void **state) {
    (void)state;
    struct test_place place;
    test_place_init(&place);
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        struct sn_record record = test_record("a", 0, 1);
        const struct sn_lite_options options = {.dir = place.dir};
        struct sn_engine_write write = {.records = &record, .record_count = 1}, *writes = &write;
        sn_mem_fail_nth(n);
        sn_status status = sn_lite_open(&options, &place.engine, NULL);
        if (status == SN_OK) {
            status = place.engine.ops->commit(place.engine.ctx, &writes, 1, NULL);
            test_place_close(&place);
        }
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(sn_mem_block_count(), before);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        if (is_over)
            break;
    }
    test_place_release(&place);
}

/* More readers than connections, beside a writer. */
struct reading {
    struct test_place *place;
    struct sn_thread thread;
    size_t seen;
};

static void read_often(void *ctx) {
    struct reading *reading = ctx;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (int i = 0; i < 20; i++) {
        struct sn_record_page page = test_page(10);
        struct sn_record_list list;
        sn_arena_reset(&arena);
        if (reading->place->engine.ops->list(reading->place->engine.ctx, &page, &arena, &list,
                                             NULL) == SN_OK)
            reading->seen++;
    }
    sn_arena_release(&arena);
}

static void readers_share_connections_beside_the_writer(void **state) {
    (void)state;
    enum { READERS = SN_LITE_READERS + 2 };
    struct test_place place;
    struct reading readings[READERS] = {{0}};
    test_place_init(&place);
    test_place_open(&place);
    for (size_t i = 0; i < READERS; i++) {
        readings[i].place = &place;
        assert_int_equal(
            sn_thread_start(&readings[i].thread, "reader", read_often, &readings[i], NULL), SN_OK);
    }
    for (int i = 0; i < 20; i++) {
        struct sn_record record = test_record("a", i, 1);
        assert_int_equal(test_commit(&place, &record, 1), SN_OK);
    }
    for (size_t i = 0; i < READERS; i++) {
        sn_thread_join(&readings[i].thread);
        assert_int_equal(readings[i].seen, 20);
    }
    test_place_release(&place);
}

static void it_does_what_every_engine_must(void **state) {
    (void)state;
    void (*const suite[])(struct test_place *) = {
        suite_pages_hold_every_record_once_newest_first,
        suite_records_come_back_whole,
        suite_values_are_scanned_with_their_counts,
        suite_records_are_purged_by_age_and_type,
        suite_sql_in_every_field_is_only_text,
        suite_events_come_back_whole,
        suite_hours_are_marked_until_their_summary_fits,
        suite_errors_group_resolve_and_reopen,
        suite_events_are_purged_by_whole_hours,
        suite_a_write_that_lacks_memory_leaves_nothing,
        suite_a_read_that_lacks_memory_says_so,
    };
    for (size_t i = 0; i < sizeof suite / sizeof suite[0]; i++) {
        struct test_place place;
        test_place_init(&place);
        test_place_open(&place);
        suite[i](&place);
        test_place_release(&place);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_does_what_every_engine_must),
        cmocka_unit_test(records_survive_a_restart_with_their_ids),
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(a_file_that_is_no_database_is_corrupt),
        cmocka_unit_test(a_missing_directory_is_a_failure),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(readers_share_connections_beside_the_writer),
    };
    return cmocka_run_group_tests_name("lite", tests, NULL, NULL);
}
