/* A connection that comes back by itself: transactions, reads that are tried again, and waiting. */
#include "pg_proxy_support.h"
#include "records_support.h"

#include "records/pg_link.h"

#include <libpq-fe.h>

static struct test_postgres server;

static const char *const steps[] = {"CREATE TABLE t(a bigint); INSERT INTO t VALUES(7)"};
static const struct sn_pg_schema schema = {"things", steps, 1};

static sn_status read_number(struct sn_pg_link *link, int64_t *ret_number, struct sn_err *err) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    sn_pg_params_init(&none);
    sn_status status = sn_pg_link_read(link, "SELECT count(*) FROM t", &none, &result, err);
    sn_pg_params_release(&none);
    if (status == SN_OK)
        *ret_number = sn_pg_int8(result, 0, 0);
    PQclear(result);
    return status;
}

static sn_status insert(void *args, struct sn_pg *pg, struct sn_err *err) {
    const sn_status *status = args;
    SN_TRY(sn_pg_run(pg, "INSERT INTO t VALUES(8)", NULL, NULL, err));
    return *status;
}

static void a_change_is_all_or_nothing(void **state) {
    struct sn_pg_link link = {.url = NULL};
    sn_status good = SN_OK, bad = SN_ERR_LIMIT;
    int64_t count = 0;
    (void)state;
    test_postgres_clear(&server);
    assert_int_equal(sn_pg_link_open(&link, server.url, &schema, NULL), SN_OK);
    assert_int_equal(sn_pg_link_change(&link, insert, &bad, NULL), SN_ERR_LIMIT);
    assert_int_equal(read_number(&link, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
    assert_int_equal(sn_pg_link_change(&link, insert, &good, NULL), SN_OK);
    assert_int_equal(read_number(&link, &count, NULL), SN_OK);
    assert_int_equal(count, 2);
    sn_pg_link_close(&link);
    sn_pg_link_close(&link); /* zeroed is fine */
}

static void a_read_is_tried_once_more(void **state) {
    struct test_proxy proxy;
    struct sn_pg_link link = {.url = NULL};
    sn_status good = SN_OK;
    struct sn_err err = {.status = SN_OK};
    int64_t count = 0;
    (void)state;
    test_postgres_clear(&server);
    test_proxy_init(&proxy, &server);
    assert_int_equal(sn_pg_link_open(&link, proxy.url, &schema, NULL), SN_OK);
    for (uint64_t n = 1; n <= 2; n++) {
        assert_int_equal(sn_pg_link_ready(&link, NULL), SN_OK);
        test_proxy_cut_at(&proxy, n);
        assert_int_equal(read_number(&link, &count, NULL), SN_OK);
        assert_true(atomic_load(&proxy.has_cut));
    }
    /* A change is not: it may have happened. */
    test_proxy_cut_at(&proxy, 3);
    assert_int_equal(sn_pg_link_change(&link, insert, &good, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "the database is away"));
    assert_int_equal(sn_pg_link_change(&link, insert, &good, NULL), SN_OK);
    sn_pg_link_close(&link);
    test_proxy_release(&proxy);
}

static void who_asks_while_it_is_away_is_told_at_once(void **state) {
    struct sn_pg_link link = {.url = NULL};
    struct sn_err first = {.status = SN_OK}, second = {.status = SN_OK};
    (void)state;
    assert_int_equal(
        sn_pg_link_open(&link, "postgresql://u:secret@/d?host=/nonexistent", &schema, NULL), SN_OK);
    assert_int_equal(sn_pg_link_ready(&link, &first), SN_ERR_IO);
    assert_true(link.retry_ns > sn_clock_mono_ns(sn_clock_system()));
    link.url[0] = 'x'; /* whoever tried would say something else */
    assert_int_equal(sn_pg_link_ready(&link, &second), SN_ERR_IO);
    assert_int_equal(sn_pg_link_ready(&link, NULL), SN_ERR_IO);
    assert_string_equal(first.text, second.text);
    assert_null(strstr(first.text, "secret"));
    link.retry_ns = 0;
    assert_int_equal(sn_pg_link_ready(&link, &second), SN_ERR_IO);
    assert_string_not_equal(first.text, second.text);
    sn_pg_link_close(&link);
}

static void opening_without_memory_leaves_nothing(void **state) {
    struct sn_pg_link link = {.url = NULL};
    (void)state;
    sn_mem_fail_nth(1);
    assert_int_equal(sn_pg_link_open(&link, server.url, &schema, NULL), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_null(link.url);
    assert_int_equal(sn_pg_link_open(&link, "http://h", &schema, NULL), SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_is_all_or_nothing),
        cmocka_unit_test(a_read_is_tried_once_more),
        cmocka_unit_test(who_asks_while_it_is_away_is_told_at_once),
        cmocka_unit_test(opening_without_memory_leaves_nothing),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("pg_link", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
