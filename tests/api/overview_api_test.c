/* GET /api/v1/overview. */
#include "dash_support.h"

#include <stdio.h>

static void an_empty_server_says_so(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    (void)dash_get(dash, "/api/v1/overview");
    dash_has(dash, "\"services\":{\"total\":0,\"has_data\":false,\"counts\":{\"critical\":0,"
                   "\"warning\":0,\"unknown\":0,\"good\":0}");
    dash_has(dash, "\"rows\":[]}");
    dash_has(dash, "{\"name\":\"success_rate\",\"unit\":\"ratio\",\"value\":null,\"previous\":null,"
                   "\"health\":\"unknown\",\"good\":0.95,\"critical\":0.9,"
                   "\"higher_is_better\":true,\"source\":\"operations\"}");
    dash_has(dash, "\"errors\":{\"count\":0,\"operation_errors\":null,\"classes\":[]}");
    dash_has(dash, "\"hosts\":[],\"hosts_total\":0}}");
    dash_stop(dash);
}

static void services_are_worst_first_with_their_charts(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_add_service(dash, "fine", 10, 0);
    dash_add_service(dash, "broken", 1, 1);
    dash_add(dash, 0, 0.4, "node_memory_MemTotal_bytes", "instance", "h1", NULL);
    dash_start(dash);
    const char *body = dash_get(dash, "/api/v1/overview?range=15m");
    dash_has(dash, "\"total\":2,\"has_data\":true,\"counts\":{\"critical\":1,\"warning\":0,"
                   "\"unknown\":0,\"good\":1},\"spark\":{\"start\":1699999080,\"step\":30,"
                   "\"count\":31}");
    const char *broken = strstr(body, "{\"name\":\"broken\",\"status\":\"critical\"");
    const char *fine = strstr(body, "{\"name\":\"fine\",\"status\":\"good\"");
    assert_true(broken != NULL && fine != NULL && broken < fine);
    dash_has(dash, "\"operations_per_second\":2,\"error_ratio\":0.5,\"p95_seconds\":null,"
                   "\"active\":null,\"started_at\":null,\"uptime_seconds\":null,"
                   "\"seen_at\":1700000000,\"strip\":\"");
    dash_has(dash, "-c\",\"ops_spark\":[null,null");
    dash_has(dash, ",2,2,2]}");
    dash_has(dash, "\"hosts\":[{\"name\":\"h1\",\"status\":\"unknown\",\"cpu_ratio\":null");
    /* Nothing is stored yet: operations of the samples tell the rate. */
    dash_has(dash, "\"source\":\"operations\"");
    dash_has_not(dash, "\"operation_errors\":null");
    dash_stop(dash);
}

static void events_make_the_tiles(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    struct reply reply;
    dash_start(dash);
    ask(dash->server, "POST", "/api/v1/events", "",
        "[{\"app\":\"a\",\"type\":\"t\",\"outcome\":\"ok\",\"duration_ms\":90000,\"quantity\":2,"
        "\"credits\":10},"
        "{\"app\":\"a\",\"type\":\"t\",\"outcome\":\"error\",\"credits\":-1,"
        "\"error\":{\"message\":\"request timed out\",\"type\":\"T\"}}]",
        &reply);
    assert_int_equal(reply.status, 201);
    reply_release(&reply);
    (void)dash_get(dash, "/api/v1/overview");
    dash_has(dash, "{\"name\":\"success_rate\",\"unit\":\"ratio\",\"value\":0.5,\"previous\":null,"
                   "\"health\":\"critical\"");
    dash_has(dash, "{\"name\":\"average_time_seconds\",\"unit\":\"seconds\",\"value\":45,"
                   "\"previous\":null,\"health\":\"warning\",\"good\":30,\"critical\":60,"
                   "\"higher_is_better\":false,\"source\":\"events\"}");
    dash_has(dash, "{\"name\":\"refund_rate\",\"unit\":\"ratio\",\"value\":0.1,");
    dash_has(dash, "\"errors\":{\"count\":1,\"operation_errors\":null,\"classes\":[{\"error_type\":"
                   "\"TIMEOUT_ERROR\",\"count\":1,\"is_new\":true,\"first_seen\":1700000000,"
                   "\"last_seen\":1700000000,\"hours\":[0,0,0,");
    dash_has(dash, ",0,0,1]}]}");
    dash_has_not(dash, "timed out"); /* messages are for administrators */
    dash_has(dash, "\"has_data\":true");
    dash_stop(dash);
}

static void at_most_sixty_services_are_shown(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    for (int i = 0; i < 61; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "s%02d", i);
        dash_add_service(dash, name, i + 1, 0);
    }
    dash_start(dash);
    const char *body = dash_get(dash, "/api/v1/overview");
    size_t count = 0;
    for (const char *at = body; (at = strstr(at, "\"strip\":")) != NULL; at++)
        count++;
    assert_int_equal(count, 60);
    dash_has(dash, "\"total\":61");
    dash_has_not(dash, "\"s00\""); /* the one that does least */
    dash_stop(dash);
}

static void parameters_are_checked(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    dash_refuses(dash, "/api/v1/overview?range=x", "parameter range: \\\"x\\\" is not a duration");
    dash_refuses(dash, "/api/v1/overview?range=401d", "parameter range is longer than 400 days");
    dash_refuses(dash, "/api/v1/overview?start=2&end=1", "parameter start is not before end");
    dash_refuses(dash, "/api/v1/overview?q=1", "unknown parameter \\\"q\\\"");
    dash_stop(dash);
}

static void without_a_board_there_is_none(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    assert_ask_fails(server, "GET", "/api/v1/overview", "", "", 501, "unsupported", "no board");
    assert_ask_fails(server, "GET", "/api/v1/services", "", "", 501, "unsupported", "no board");
    test_server_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_server_says_so),
        cmocka_unit_test(services_are_worst_first_with_their_charts),
        cmocka_unit_test(events_make_the_tiles),
        cmocka_unit_test(at_most_sixty_services_are_shown),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(without_a_board_there_is_none),
    };
    return cmocka_run_group_tests_name("overview_api", tests, NULL, NULL);
}
