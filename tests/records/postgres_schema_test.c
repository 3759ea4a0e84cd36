/* The schema in a real PostgreSQL: migrations, partitions. */
#include "postgres_support.h"
#include "records/postgres_priv.h"
#include "records_support.h"

#include <libpq-fe.h>

#define DAY_MS INT64_C(86400000)

static struct test_postgres server;

struct place {
    struct sn_engine engine;
    struct sn_fake_clock clock;
    struct sn_postgres *postgres;
};

static void open_place(struct place *place) {
    test_postgres_clear(&server);
    sn_fake_clock_init(&place->clock, 0, TEST_NOW_MS);
    const struct sn_postgres_options options = {.url = server.url, .clock = &place->clock.clock};
    assert_int_equal(sn_postgres_open(&options, &place->engine, NULL), SN_OK);
    place->postgres = place->engine.ctx;
    assert_int_equal(sn_postgres_ready(place->postgres, &place->postgres->writer, NULL), SN_OK);
}

static int64_t ask(struct place *place, const char *sql) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    struct sn_err err = {.status = SN_OK};
    sn_pg_params_init(&none);
    if (sn_pg_run(&place->postgres->writer, sql, &none, &result, &err) != SN_OK)
        fail_msg("%s", err.text);
    int64_t number = sn_pg_int8(result, 0, 0);
    PQclear(result);
    sn_pg_params_release(&none);
    return number;
}

#define COUNT_PARTITIONS                                                                           \
    "SELECT count(*) FROM pg_inherits WHERE inhparent = 'system_metrics'::regclass"

static void a_newer_schema_is_refused(void **state) {
    struct place place;
    struct sn_pg other = {.conn = NULL};
    (void)state;
    open_place(&place);
    assert_int_equal(sn_postgres_ready(place.postgres, &place.postgres->writer, NULL), SN_OK);
    assert_int_equal(sn_pg_run(&place.postgres->writer,
                               "UPDATE sonde_schema_version SET version=99", NULL, NULL, NULL),
                     SN_OK);
    assert_int_equal(sn_postgres_ready(place.postgres, &other, NULL), SN_ERR_UNSUPPORTED);
    sn_pg_disconnect(&other);
    place.engine.ops->close(place.engine.ctx);
}

static void a_row_is_in_the_partition_of_its_day(void **state) {
    struct place place;
    (void)state;
    open_place(&place);
    assert_int_equal(sn_postgres_make_partitions(place.postgres, NULL), SN_OK);
    assert_int_equal(ask(&place, COUNT_PARTITIONS), 1 + 1 + SN_POSTGRES_PARTITIONS_AHEAD);
    struct sn_record records[] = {test_record("a", 0, 1), test_record("a", -9 * DAY_MS, 1)};
    struct sn_engine_write write = {.records = records, .record_count = 2}, *writes = &write;
    place.engine.ops->identify(place.engine.ctx, &write);
    assert_int_equal(place.engine.ops->commit(place.engine.ctx, &writes, 1, NULL), SN_OK);
    assert_int_equal(ask(&place, "SELECT count(*) FROM system_metrics_20231114"), 1);
    assert_int_equal(ask(&place, "SELECT count(*) FROM system_metrics_default"), 1);
    assert_int_equal(ask(&place, "SELECT count(*) FROM system_metrics WHERE id IS NOT NULL"), 2);
    sn_fake_clock_advance_ms(&place.clock, DAY_MS);
    assert_int_equal(sn_postgres_make_partitions(place.postgres, NULL), SN_OK);
    assert_int_equal(ask(&place, COUNT_PARTITIONS), 2 + 1 + SN_POSTGRES_PARTITIONS_AHEAD);
    place.engine.ops->close(place.engine.ctx);
}

static void a_day_whose_rows_are_elsewhere_stays_there(void **state) {
    struct place place;
    (void)state;
    open_place(&place);
    assert_int_equal(sn_pg_run(&place.postgres->writer,
                               "INSERT INTO system_metrics VALUES(gen_random_uuid(),"
                               " '2023-11-14 12:00Z', 't', 'n', 1, '', NULL, '', '')",
                               NULL, NULL, NULL),
                     SN_OK);
    assert_int_equal(sn_postgres_make_partitions(place.postgres, NULL), SN_OK);
    assert_int_equal(ask(&place, COUNT_PARTITIONS), 1 + SN_POSTGRES_PARTITIONS_AHEAD);
    place.engine.ops->close(place.engine.ctx);
}

static void empty_partitions_of_the_past_are_dropped(void **state) {
    struct place place;
    (void)state;
    open_place(&place);
    assert_int_equal(sn_postgres_make_partitions(place.postgres, NULL), SN_OK);
    struct sn_record record = test_record("a", 0, 1);
    struct sn_engine_write write = {.records = &record, .record_count = 1}, *writes = &write;
    place.engine.ops->identify(place.engine.ctx, &write);
    assert_int_equal(place.engine.ops->commit(place.engine.ctx, &writes, 1, NULL), SN_OK);
    int64_t later_ms = TEST_NOW_MS + 2 * DAY_MS;
    assert_int_equal(sn_postgres_drop_partitions(place.postgres, later_ms, NULL), SN_OK);
    /* Of today, tomorrow and two more: tomorrow is over and empty by then. */
    assert_int_equal(ask(&place, COUNT_PARTITIONS), SN_POSTGRES_PARTITIONS_AHEAD + 1);
    assert_int_equal(ask(&place, "SELECT count(*) FROM system_metrics_20231114"), 1);
    place.engine.ops->close(place.engine.ctx);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_newer_schema_is_refused),
        cmocka_unit_test(a_row_is_in_the_partition_of_its_day),
        cmocka_unit_test(a_day_whose_rows_are_elsewhere_stays_there),
        cmocka_unit_test(empty_partitions_of_the_past_are_dropped),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("postgres_schema", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
