/* GET /api/v1/services/{name} and its reset. */
#include "dash_support.h"

static struct dash *start(void) {
    struct dash *dash = dash_new();
    dash_add_service(dash, "a/b", 9, 1);
    for (int64_t ago_ms = 600000; ago_ms >= 0; ago_ms -= 15000) {
        double seconds = 600 - (double)ago_ms / 1e3;
        dash_add(dash, ago_ms, 10 * seconds, "sonde_operation_duration_seconds_bucket", "service",
                 "a/b", "operation", "o", "le", "0.5", NULL);
        dash_add(dash, ago_ms, 10 * seconds, "sonde_operation_duration_seconds_bucket", "service",
                 "a/b", "operation", "o", "le", "+Inf", NULL);
        dash_add(dash, ago_ms, 2 * seconds, "sonde_operation_duration_seconds_sum", "service",
                 "a/b", "operation", "o", NULL);
        dash_add(dash, ago_ms, 10 * seconds, "sonde_operation_duration_seconds_count", "service",
                 "a/b", "operation", "o", NULL);
    }
    dash_add(dash, 0, 0.4, "sonde_operation_duration_max_seconds", "service", "a/b", "operation",
             "o", NULL);
    dash_add(dash, 7200000, 1, "sonde_operations_total", "service", "silent", "operation", "o",
             "outcome", "ok", NULL);
    dash_start(dash);
    return dash;
}

static void a_page_has_all_its_parts(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/services/a%2Fb?range=5m");
    dash_has(dash, "{\"time\":1700000000,\"range\":{\"start\":1699999700,\"end\":1700000000},"
                   "\"service\":{\"name\":\"a/b\",\"status\":\"warning\"");
    dash_has(dash, "\"totals\":{\"count\":6000,\"errors\":600,\"aborted\":0,\"since\":null,"
                   "\"reset_at\":null}");
    dash_has(dash, "\"spark\":{\"start\":1699999680,\"step\":60,\"count\":6}");
    dash_has(dash, "\"operations\":[{\"name\":\"o\",\"count\":6000,\"errors\":600,\"aborted\":0,"
                   "\"active\":0,\"min_seconds\":null,\"max_seconds\":0.4,"
                   "\"operations_per_second\":10,\"error_ratio\":0.1,\"average_seconds\":0.2,"
                   "\"p50_seconds\":0.25,\"p95_seconds\":0.4,\"p99_seconds\":0.4,"
                   "\"average_spark\":[0.2,0.2,0.2,0.2,0.2,0.2],\"last_at\":null,"
                   "\"last_error\":null}],\"operations_total\":1");
    dash_has(dash, "\"slowest\":[{\"name\":\"o\",\"max_seconds\":0.4,");
    dash_has(dash, "\"heatmap\":{\"start\":1699999680,\"step\":60,\"count\":6,\"upper\":[0.5,null],"
                   "\"counts\":[[600,0],[600,0],");
    dash_has(dash, "\"errors\":[]}}");
    dash_stop(dash);
}

static void a_reset_starts_the_counts_anew(void **state) {
    (void)state;
    struct dash *dash = start();
    struct reply reply;
    ask(dash->server, "POST", "/api/v1/services/a%2Fb/reset", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body,
                        "{\"status\":\"success\",\"data\":{\"service\":\"a/b\",\"operations\":1,"
                        "\"reset_time_ms\":1700000000000}}");
    reply_release(&reply);
    sn_fake_clock_advance_ms(&dash->server->clock, 60000);
    (void)dash_get(dash, "/api/v1/services/a%2Fb");
    dash_has(dash, "\"totals\":{\"count\":0,\"errors\":0,\"aborted\":0,\"since\":1700000000,"
                   "\"reset_at\":1700000000}");
    assert_ask_fails(dash->server, "POST", "/api/v1/services/nobody/reset", "", "", 404,
                     "not_found", "there is no service");
    dash_stop(dash);
}

static void a_silent_service_has_a_page_an_unknown_one_has_not(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/services/silent");
    dash_has(dash, "\"service\":{\"name\":\"silent\",\"status\":\"unknown\"");
    dash_has(dash, "\"seen_at\":1699992800");
    dash_has(dash, "\"operations\":[],\"operations_total\":0,\"slowest\":[],\"heatmap\":null");
    assert_ask_fails(dash->server, "GET", "/api/v1/services/nobody", "", "", 404, "not_found",
                     "there is no service \\\"nobody\\\"");
    dash_refuses(dash, "/api/v1/services/silent?limit=1", "unknown parameter");
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_page_has_all_its_parts),
        cmocka_unit_test(a_reset_starts_the_counts_anew),
        cmocka_unit_test(a_silent_service_has_a_page_an_unknown_one_has_not),
    };
    return cmocka_run_group_tests_name("service_api", tests, NULL, NULL);
}
