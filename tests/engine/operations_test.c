/* The table of operations: what is summed, subtracted, sorted and estimated. */
#include "commands_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define TOTAL "sonde_operations_total"
#define BUCKET "sonde_operation_duration_seconds_bucket"

static struct sn_operations read_table(struct test_commands *test, const char *service,
                                       int64_t (*reset_ms)(void *ctx, struct sn_str service)) {
    struct sn_operations table = {.service_count = 0};
    const struct sn_operations_query query = {.querier = test->commands.querier,
                                              .service = sn_str_from(service),
                                              .now_ms = TEST_NOW_MS,
                                              .reset_ms = reset_ms};
    assert_int_equal(sn_operations_read(&query, &test->arena, &table, &test->err), SN_OK);
    return table;
}

static void processes_of_a_service_are_summed(void **state) {
    struct test_commands *test = *state;
    test_commands_add(test, TOTAL, 3, "instance", "a", "operation", "get", "outcome", "ok",
                      "service", "s", NULL);
    test_commands_add(test, TOTAL, 4, "instance", "b", "operation", "get", "outcome", "ok",
                      "service", "s", NULL);
    test_commands_add(test, TOTAL, 1, "instance", "b", "operation", "get", "outcome", "error",
                      "service", "s", NULL);
    test_commands_add(test, TOTAL, 9, "operation", "a", "outcome", "ok", "service", "z", NULL);
    test_commands_add(test, TOTAL, 9, "operation", "a", "outcome", "strange", "service", "a", NULL);
    test_commands_add(test, TOTAL, 9, "outcome", "ok", "service", "s", NULL); /* no operation */
    test_commands_add(test, "max_seconds", 0.5, "instance", "a", "operation", "get", "service", "s",
                      NULL);
    test_commands_add(test, "max_seconds", 0.7, "instance", "b", "operation", "get", "service", "s",
                      NULL);
    test_commands_add(test, "min_seconds", 0.2, "instance", "a", "operation", "get", "service", "s",
                      NULL);
    test_commands_add(test, "min_seconds", 0.1, "instance", "b", "operation", "get", "service", "s",
                      NULL);
    test_commands_add(test, "start_time", 1000, "service", "s", NULL);
    test_commands_add(test, "start_time", 900, "instance", "b", "service", "s", NULL);
    test_commands_add(test, "start_time", (double)NAN, "instance", "c", "service", "s", NULL);
    struct sn_operations table = read_table(test, NULL, NULL);
    assert_int_equal(table.service_count, 3);
    assert_int_equal(table.row_count, 3);
    const struct sn_service_row *s = &table.services[1];
    assert_true(sn_str_equal(s->name, SN_STR("s")));
    assert_int_equal(s->start_ms, 900000);
    assert_int_equal(s->count, 1);
    const struct sn_operation_row *row = &table.rows[s->first];
    assert_true(sn_operation_count(row) == 8);
    assert_true(row->outcomes[SN_OPERATION_ERROR] == 1);
    assert_true(row->min_s == 0.1 && row->max_s == 0.7);
    assert_true(sn_operation_count(&table.rows[0]) == 0); /* an outcome nobody knows */
}

static void quantiles_are_interpolated_and_kept_within_the_extremes(void **state) {
    struct test_commands *test = *state;
    static const struct {
        const char *upper;
        double count;
    } buckets[] = {{"+Inf", 10}, {"0.5", 8}, {"0.1", 4}, {"nonsense", 99}};
    for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++)
        test_commands_add(test, BUCKET, buckets[i].count, "le", buckets[i].upper, "operation",
                          "get", "service", "s", NULL);
    struct sn_operations table = read_table(test, NULL, NULL);
    struct sn_operation_row *row = &table.rows[0];
    assert_int_equal(row->bucket_count, 3);
    assert_true(fabs(sn_operation_quantile(row, 0.2) - 0.05) < 1e-12);
    assert_true(fabs(sn_operation_quantile(row, 0.6) - 0.3) < 1e-12);
    assert_true(sn_operation_quantile(row, 0.99) == 0.5); /* nobody knows how long */
    row->max_s = 0.9;
    assert_true(sn_operation_quantile(row, 0.99) == 0.9);
    row->min_s = 0.08;
    assert_true(sn_operation_quantile(row, 0.2) == 0.08);
    row->max_s = 0.2;
    assert_true(sn_operation_quantile(row, 0.6) == 0.2);
    row->bucket_count = 0;
    assert_true(isnan(sn_operation_quantile(row, 0.5)));
}

static int64_t reset_a_minute_ago(void *ctx, struct sn_str service) {
    (void)ctx;
    return sn_str_equal(service, SN_STR("s\"\\")) ? TEST_NOW_MS - 60001 : 0;
}

static void what_was_before_a_reset_is_subtracted(void **state) {
    struct test_commands *test = *state;
    /* The second one answers the query with @ as well: nothing is left of it. */
    test_commands_add(test, TOTAL, 7, "operation", "get", "outcome", "ok", "service", "s\"\\",
                      NULL);
    struct sn_operations table = read_table(test, "s\"\\", reset_a_minute_ago);
    assert_int_equal(table.services[0].reset_ms, TEST_NOW_MS - 60001);
    assert_true(sn_operation_count(&table.rows[0]) == 0);
    assert_string_equal(test->last_query,
                        "sonde_operation_duration_seconds_bucket{service=\"s\\\"\\\\\"} @ "
                        "1699999939.999 <= sonde_operation_duration_seconds_bucket{service="
                        "\"s\\\"\\\\\"}");
}

static int64_t reset_now(void *ctx, struct sn_str service) {
    (void)ctx;
    (void)service;
    return TEST_NOW_MS;
}

static void a_reset_of_this_millisecond_counts(void **state) {
    struct test_commands *test = *state;
    test_commands_add(test, TOTAL, 7, "operation", "get", "outcome", "ok", "service", "s\"\\",
                      NULL);
    struct sn_operations table = read_table(test, "s\"\\", reset_now);
    assert_true(sn_operation_count(&table.rows[0]) == 0);
}

static void failures_of_the_querier_are_passed_on(void **state) {
    struct test_commands *test = *state;
    struct sn_operations table;
    const struct sn_operations_query query = {.querier = test->commands.querier,
                                              .now_ms = TEST_NOW_MS};
    test->query_status = SN_ERR_TIMEOUT;
    assert_int_equal(sn_operations_read(&query, &test->arena, &table, &test->err), SN_ERR_TIMEOUT);
    assert_string_equal(test->err.text, "the querier said no");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_commands_set_up, test_commands_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(processes_of_a_service_are_summed),
        TEST(quantiles_are_interpolated_and_kept_within_the_extremes),
        TEST(what_was_before_a_reset_is_subtracted),
        TEST(a_reset_of_this_millisecond_counts),
        TEST(failures_of_the_querier_are_passed_on),
    };
    return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
