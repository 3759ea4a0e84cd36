/* How services and operations are written. */
#include "commands_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_operation_row rows[] = {
    {.service = {"s", 1},
     .operation = {"get", 3},
     .outcomes = {7, 2, 1},
     .sum_s = 5,
     .min_s = 0.25,
     .max_s = 1,
     .active = 3,
     .rate = 0.5,
     .last_ms = TEST_NOW_MS - 5,
     .error_message = {"no \"luck\"", 9},
     .error_class = {"IO", 2},
     .error_ms = TEST_NOW_MS - 7},
    {.service = {"s", 1}, .operation = {"put", 3}, .min_s = (double)NAN, .max_s = (double)NAN},
};
static struct sn_service_row service = {
    .name = {"s", 1}, .start_ms = TEST_NOW_MS - 10000, .first = 0, .count = 2};
static const struct sn_operations table = {
    .now_ms = TEST_NOW_MS, .services = &service, .service_count = 1, .rows = rows, .row_count = 2};

static void a_service_is_written_with_all_its_operations(void **state) {
    (void)state;
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_service_write(&json, &table, &service);
    sn_json_write_object_end(&json);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    const char *counts = "\"count\":10,\"ok_count\":7,\"error_count\":2,\"aborted_count\":1,"
                         "\"error_rate\":0.2,\"active\":3,\"operations_per_second\":0.5,"
                         "\"operations_per_second_since_start\":1,"
                         "\"last_operation_time_ms\":1699999999995,\"reset_time_ms\":null,";
    const char *durations = "\"duration_seconds\":{\"total\":5,\"min\":0.25,\"max\":1,"
                            "\"average\":0.5,\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null},"
                            "\"last_error\":{\"message\":\"no \\\"luck\\\"\",\"class\":\"IO\","
                            "\"time_ms\":1699999999993}}";
    const char *nothing = "{\"operation\":\"put\",\"count\":0,\"ok_count\":0,\"error_count\":0,"
                          "\"aborted_count\":0,\"error_rate\":0,\"active\":0,"
                          "\"operations_per_second\":0,\"operations_per_second_since_start\":0,"
                          "\"last_operation_time_ms\":null,\"reset_time_ms\":null,"
                          "\"duration_seconds\":{\"total\":0,\"min\":null,\"max\":null,"
                          "\"average\":null,\"p50\":null,\"p90\":null,\"p95\":null,\"p99\":null},"
                          "\"last_error\":null}";
    const char *text = (const char *)buf.ptr;
    assert_non_null(strstr(text, "{\"service\":\"s\",\"start_time_ms\":1699999990000,"
                                 "\"uptime_seconds\":10,\"count\":10"));
    assert_non_null(strstr(text, counts));
    assert_non_null(strstr(text, durations));
    assert_non_null(strstr(text, nothing));
    sn_buf_release(&buf);
}

static void rates_count_from_the_reset(void **state) {
    (void)state;
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_operations_write_counts(&json, &table, 0, 2, TEST_NOW_MS - 5000, service.start_ms);
    sn_json_write_object_end(&json);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_non_null(strstr((const char *)buf.ptr, "\"operations_per_second_since_start\":2,"));
    assert_non_null(strstr((const char *)buf.ptr, "\"reset_time_ms\":1699999995000}"));
    sn_buf_release(&buf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_is_written_with_all_its_operations),
        cmocka_unit_test(rates_count_from_the_reset),
    };
    return cmocka_run_group_tests_name("operations_json", tests, NULL, NULL);
}
