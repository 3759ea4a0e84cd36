/* Migrations in a real PostgreSQL: each once, all or nothing, and never backwards. */
#include "postgres_support.h"
#include "records_support.h"

#include "records/pg_schema.h"

#include <libpq-fe.h>

static struct test_postgres server;

static const char *const steps[] = {"CREATE TABLE t(a bigint)", "INSERT INTO t VALUES(7)",
                                    "INSERT INTO t VALUES(8); SELECT 1/0"};

static struct sn_pg_schema schema_of(int64_t count) {
    return (struct sn_pg_schema){"things", steps, count};
}

static int64_t ask(struct sn_pg *pg, const char *sql) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    struct sn_err err = {.status = SN_OK};
    sn_pg_params_init(&none);
    if (sn_pg_run(pg, sql, &none, &result, &err) != SN_OK)
        fail_msg("%s", err.text);
    int64_t number = sn_pg_int8(result, 0, 0);
    PQclear(result);
    sn_pg_params_release(&none);
    return number;
}

/* On a new connection. */
static sn_status be_ready(int64_t count, struct sn_pg *pg, struct sn_err *err) {
    const struct sn_pg_schema schema = schema_of(count);
    sn_pg_disconnect(pg);
    return sn_pg_schema_ready(&schema, pg, server.url, err);
}

static void each_migration_runs_once(void **state) {
    struct sn_pg pg = {.conn = NULL};
    (void)state;
    test_postgres_clear(&server);
    assert_int_equal(be_ready(1, &pg, NULL), SN_OK);
    assert_int_equal(ask(&pg, "SELECT count(*) FROM t"), 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(be_ready(2, &pg, NULL), SN_OK);
        assert_int_equal(ask(&pg, "SELECT count(*) FROM t"), 1);
    }
    assert_int_equal(ask(&pg, "SELECT version FROM sonde_schema_version"), 2);
    sn_pg_disconnect(&pg);
}

static void a_migration_that_fails_leaves_the_version_before(void **state) {
    struct sn_pg pg = {.conn = NULL};
    struct sn_err err = {.status = SN_OK};
    (void)state;
    test_postgres_clear(&server);
    assert_int_equal(be_ready(3, &pg, &err), SN_ERR_INTERNAL);
    assert_non_null(strstr(err.text, "division by zero"));
    assert_false(pg.is_ready);
    assert_int_equal(be_ready(2, &pg, NULL), SN_OK);
    assert_int_equal(ask(&pg, "SELECT count(*) FROM t"), 1);
    sn_pg_disconnect(&pg);
}

static void a_newer_version_is_refused(void **state) {
    struct sn_pg pg = {.conn = NULL};
    struct sn_err err = {.status = SN_OK};
    (void)state;
    test_postgres_clear(&server);
    assert_int_equal(be_ready(2, &pg, NULL), SN_OK);
    assert_int_equal(be_ready(1, &pg, &err), SN_ERR_UNSUPPORTED);
    assert_string_equal(err.text,
                        "the things in the database have version 2, this program knows up "
                        "to 1: use a newer sonde");
    assert_false(pg.is_ready);
    sn_pg_disconnect(&pg);
}

static void subjects_do_not_mind_each_other(void **state) {
    static const char *const others[] = {"CREATE TABLE other(a bigint)"};
    const struct sn_pg_schema other = {"others", others, 1};
    struct sn_pg pg = {.conn = NULL};
    (void)state;
    test_postgres_clear(&server);
    assert_int_equal(be_ready(2, &pg, NULL), SN_OK);
    sn_pg_disconnect(&pg);
    assert_int_equal(sn_pg_schema_ready(&other, &pg, server.url, NULL), SN_OK);
    assert_int_equal(ask(&pg, "SELECT sum(version)::bigint FROM sonde_schema_version"), 3);
    sn_pg_disconnect(&pg);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_migration_runs_once),
        cmocka_unit_test(a_migration_that_fails_leaves_the_version_before),
        cmocka_unit_test(a_newer_version_is_refused),
        cmocka_unit_test(subjects_do_not_mind_each_other),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("pg_schema", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
