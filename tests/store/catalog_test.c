/* What sonde.db keeps for the store. */
#include "store/catalog.h"

#include "store_support.h"

#include "base/os.h"

#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct seen {
    uint64_t series;
    uint64_t segments;
    uint64_t metadata;
    uint64_t churn;
    uint64_t exemplars;
};

static sn_status see_series(void *ctx, uint64_t id, struct sn_str labels, struct sn_err *err) {
    struct seen *seen = ctx;
    assert_int_equal(id, seen->series++);
    if (labels.len != 3)
        return sn_err_set(err, SN_ERR_CORRUPT, "wrong labels");
    return SN_OK;
}

static sn_status see_segment(void *ctx, const struct sn_segment_row *row, struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    seen->segments++;
    assert_int_equal(row->bytes, row->id * 10);
    assert_int_equal(row->time_max, (int64_t)row->id * 100);
    return SN_OK;
}

static sn_status see_metadata(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    seen->metadata++;
    assert_int_equal(metadata->type, SN_METRIC_COUNTER);
    return SN_OK;
}

static sn_status see_churn(void *ctx, int64_t hour_ms, uint64_t count, struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    seen->churn += count;
    assert_int_equal(hour_ms % 3600000, 0);
    return SN_OK;
}

static sn_status see_exemplars(void *ctx, uint64_t id, struct sn_str records, struct sn_err *err) {
    struct seen *seen = ctx;
    (void)err;
    seen->exemplars += id;
    assert_true(sn_str_equal(records, SN_STR("records")));
    return SN_OK;
}

static struct seen load(struct sn_catalog *catalog, uint64_t *ret_log) {
    struct seen seen = {0};
    struct sn_catalog_visitor visitor = {.ctx = &seen,
                                         .series = see_series,
                                         .segment = see_segment,
                                         .metadata = see_metadata,
                                         .churn = see_churn,
                                         .exemplars = see_exemplars};
    assert_int_equal(sn_catalog_load(catalog, &visitor, ret_log, NULL), SN_OK);
    return seen;
}

static void fill(struct sn_catalog *catalog) {
    struct sn_metadata metadata = {.metric_name = SN_STR("m"), .type = SN_METRIC_COUNTER};
    assert_int_equal(sn_catalog_begin(catalog, NULL), SN_OK);
    for (uint32_t id = 0; id < 3; id++)
        assert_int_equal(sn_catalog_add_series(catalog, id, SN_STR("abc"), NULL), SN_OK);
    for (uint64_t id = 1; id <= 4; id++) {
        struct sn_segment_row row = {
            .id = id, .rank = 10 - id, .bytes = id * 10, .time_max = (int64_t)id * 100};
        assert_int_equal(sn_catalog_add_segment(catalog, &row, NULL), SN_OK);
    }
    assert_int_equal(sn_catalog_put_metadata(catalog, &metadata, NULL), SN_OK);
    assert_int_equal(sn_catalog_put_metadata(catalog, &metadata, NULL), SN_OK);
    for (uint64_t id = 1; id <= 5; id++) /* the fifth forgets the first two */
        assert_int_equal(sn_catalog_put_exemplars(catalog, id, SN_STR("records"), id - 2, NULL),
                         SN_OK);
    assert_int_equal(sn_catalog_put_churn(catalog, 3600000, 4, 0, NULL), SN_OK);
    assert_int_equal(sn_catalog_put_churn(catalog, 7200000, 5, 0, NULL), SN_OK);
    assert_int_equal(sn_catalog_put_churn(catalog, 7200000, 6, 7200000, NULL), SN_OK);
    assert_int_equal(sn_catalog_set_flushed_log(catalog, 7, NULL), SN_OK);
}

static void a_transaction_is_all_or_nothing(void **state) {
    (void)state;
    struct test_store place;
    struct sn_catalog catalog;
    uint64_t flushed_log = 99;
    test_store_init(&place);
    assert_int_equal(sn_catalog_open(&catalog, place.dir, NULL), SN_OK);
    fill(&catalog);
    sn_catalog_rollback(&catalog);
    struct seen seen = load(&catalog, &flushed_log);
    assert_int_equal(seen.series + seen.segments + seen.metadata + flushed_log, 0);
    fill(&catalog);
    assert_int_equal(sn_catalog_commit(&catalog, NULL), SN_OK);
    sn_catalog_close(&catalog);
    assert_int_equal(sn_catalog_open(&catalog, place.dir, NULL), SN_OK);
    seen = load(&catalog, &flushed_log);
    assert_int_equal(seen.series, 3);
    assert_int_equal(seen.segments, 4);
    assert_int_equal(seen.metadata, 1);
    assert_int_equal(seen.churn, 6); /* replaced, and the hour before is forgotten */
    assert_int_equal(seen.exemplars, 3 + 4 + 5);
    assert_int_equal(flushed_log, 7);
    assert_int_equal(sn_catalog_begin(&catalog, NULL), SN_OK);
    assert_int_equal(sn_catalog_drop_segment(&catalog, 2, NULL), SN_OK);
    assert_int_equal(sn_catalog_commit(&catalog, NULL), SN_OK);
    assert_int_equal(load(&catalog, &flushed_log).segments, 3);
    sn_catalog_close(&catalog);
    test_store_release(&place);
}

static void a_segment_number_is_taken_once(void **state) {
    (void)state;
    struct test_store place;
    struct sn_catalog catalog;
    struct sn_err err;
    struct sn_segment_row row = {.id = 1, .rank = 1};
    test_store_init(&place);
    assert_int_equal(sn_catalog_open(&catalog, place.dir, NULL), SN_OK);
    assert_int_equal(sn_catalog_add_segment(&catalog, &row, &err), SN_OK);
    assert_int_equal(sn_catalog_add_segment(&catalog, &row, &err), SN_ERR_CORRUPT);
    assert_non_null(strstr(err.text, "sonde.db"));
    sn_catalog_close(&catalog);
    test_store_release(&place);
}

static void a_file_that_is_no_database_is_corrupt(void **state) {
    (void)state;
    struct test_store place;
    struct sn_catalog catalog;
    struct sn_err err;
    char junk[4096];
    test_store_init(&place);
    memset(junk, 'x', sizeof junk);
    int fd = sn_os_open(test_path(&place, "sonde.db"), O_WRONLY | O_CREAT, 0640);
    assert_int_equal(sn_os_write_all(fd, junk, sizeof junk), 0);
    assert_int_equal(sn_os_close(fd), 0);
    assert_int_equal(sn_catalog_open(&catalog, place.dir, &err), SN_ERR_CORRUPT);
    sn_catalog_close(&catalog);
    test_store_release(&place);
}

static int64_t pragma(const struct sn_catalog *catalog, const char *sql) {
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(catalog->db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t found = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return found;
}

/* A page per table: small ones, in copies too. A file of before keeps those that it has. */
static void a_new_file_and_its_copy_have_small_pages(void **state) {
    (void)state;
    struct test_store place;
    struct test_store copy;
    struct sn_catalog catalog;
    sqlite3 *older = NULL;
    test_store_init(&place);
    test_store_init(&copy);
    assert_int_equal(sn_catalog_open(&catalog, place.dir, NULL), SN_OK);
    assert_int_equal(pragma(&catalog, "PRAGMA page_size"), 1024);
    assert_int_equal(sn_catalog_copy(&catalog, copy.dir, NULL), SN_OK);
    sn_catalog_close(&catalog);
    assert_int_equal(sn_catalog_open(&catalog, copy.dir, NULL), SN_OK);
    assert_int_equal(pragma(&catalog, "PRAGMA page_size"), 1024);
    sn_catalog_close(&catalog);
    test_store_release(&copy);
    assert_int_equal(sn_os_unlink(test_path(&place, "sonde.db")), 0);
    assert_int_equal(sqlite3_open(test_path(&place, "sonde.db"), &older), SQLITE_OK);
    assert_int_equal(
        sqlite3_exec(older, "PRAGMA journal_mode=WAL; CREATE TABLE t(a)", NULL, NULL, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(older), SQLITE_OK);
    assert_int_equal(sn_catalog_open(&catalog, place.dir, NULL), SN_OK);
    assert_int_equal(pragma(&catalog, "PRAGMA page_size"), 4096);
    assert_int_equal(pragma(&catalog, "SELECT count(*) FROM t"), 0);
    sn_catalog_close(&catalog);
    test_store_release(&place);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_transaction_is_all_or_nothing),
        cmocka_unit_test(a_segment_number_is_taken_once),
        cmocka_unit_test(a_file_that_is_no_database_is_corrupt),
        cmocka_unit_test(a_new_file_and_its_copy_have_small_pages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
