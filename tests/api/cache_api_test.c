/* GET /api/v1/cache, PUT /api/v1/cache/thresholds. */
#include "dash_support.h"

static struct dash *start(void) {
    struct dash *dash = dash_new();
    dash_add(dash, 0, 70, "sonde_cache_hits_total", "service", "s", "cache", "c", NULL);
    dash_add(dash, 0, 30, "sonde_cache_misses_total", "service", "s", "cache", "c", NULL);
    dash_add(dash, 0, 512 * 1048576.0, "sonde_cache_memory_bytes", "service", "s", "cache", "c",
             NULL);
    dash_add(dash, 0, 0.31, "sonde_cache_fragmentation_ratio", "service", "s", "cache", "c", NULL);
    dash_start(dash);
    return dash;
}

static void caches_are_held_against_their_thresholds(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/cache");
    dash_has(dash, "\"thresholds\":{\"min_hit_rate\":0.8,\"max_memory_usage_mb\":512,"
                   "\"max_response_time_ms\":100,\"max_fragmentation\":0.3},\"caches\":[{");
    dash_has(dash, "\"service\":\"s\",\"cache\":\"c\",\"hits\":70,\"misses\":30,\"hit_ratio\":0.7,"
                   "\"hit_ratio_hour\":null,");
    /* 512 MiB are not more than 512. */
    dash_has(dash, "\"alerts\":[{\"alert\":\"low_hit_rate\",\"value\":0.7,\"limit\":"
                   "\"min_hit_rate\",\"threshold\":0.8},{\"alert\":\"high_fragmentation\","
                   "\"value\":0.31,\"limit\":\"max_fragmentation\",\"threshold\":0.3}],"
                   "\"status\":\"warning\"}]}}");
    dash_stop(dash);
}

static void thresholds_change_for_all_or_for_one(void **state) {
    (void)state;
    struct dash *dash = start();
    struct reply reply;
    ask(dash->server, "PUT", "/api/v1/cache/thresholds", "", "{\"min_hit_rate\":0.6}", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"data\":{\"thresholds\":{\"min_hit_rate\":0.6,"));
    reply_release(&reply);
    ask(dash->server, "PUT", "/api/v1/cache/thresholds", "",
        "{\"service\":\"s\",\"cache\":\"c\",\"max_fragmentation\":0.5}", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
    (void)dash_get(dash, "/api/v1/cache");
    dash_has(dash, "\"alerts\":[],\"status\":\"good\"");
    assert_ask_fails(dash->server, "PUT", "/api/v1/cache/thresholds", "", "{\"min_hit_rate\":2}",
                     400, "bad_data", "min_hit_rate must be a number from 0 to 1");
    assert_ask_fails(dash->server, "PUT", "/api/v1/cache/thresholds", "", "{\"x\":2}", 400,
                     "bad_data", "no argument");
    dash_stop(dash);
}

static void without_commands_there_are_no_thresholds(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    assert_ask_fails(server, "GET", "/api/v1/cache", "", "", 501, "unsupported", "no thresholds");
    assert_ask_fails(server, "PUT", "/api/v1/cache/thresholds", "", "{}", 501, "unsupported",
                     "no thresholds");
    test_server_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(caches_are_held_against_their_thresholds),
        cmocka_unit_test(thresholds_change_for_all_or_for_one),
        cmocka_unit_test(without_commands_there_are_no_thresholds),
    };
    return cmocka_run_group_tests_name("cache_api", tests, NULL, NULL);
}
