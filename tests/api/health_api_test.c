/* Health of an application over HTTP: what it asks and what it says. */
#include "api_support.h"

#define HEALTH "/api/apps/a/health"

static int set_up(void **state) {
    *state = test_server_start_records();
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void assert_answer(const struct test_server *server, const char *method, const char *target,
                          int status, const char *words) {
    struct reply reply;
    ask(server, method, target, "", "", &reply);
    assert_json(&reply);
    if (reply.status != status || strstr(reply.body, words) == NULL)
        fail_msg("%s %s: %d %s", method, target, reply.status, reply.body);
    reply_release(&reply);
}

static void an_unknown_application_is_as_healthy_as_the_database(void **state) {
    assert_answer(
        *state, "GET", HEALTH, 200,
        "{\"app\":\"a\",\"checks\":[{\"name\":\"sqlite\",\"kind\":\"database\",\"status\":"
        "\"ok\",\"latency_ms\":");
    assert_answer(*state, "GET", HEALTH, 200, "\"status\":\"healthy\"}");
}

static void a_queue_that_is_too_long_is_unhealthy(void **state) {
    assert_answer(*state, "POST", "/api/v1/metrics/queues/track?queue_name=q&depth=400&service=a",
                  201, "accepted");
    assert_answer(*state, "GET", HEALTH, 200, "\"name\":\"queues\"");
    assert_answer(*state, "POST", "/api/v1/metrics/queues/track?queue_name=r&depth=101&service=a",
                  201, "accepted");
    assert_answer(*state, "GET", HEALTH, 503, "501 entries wait, critical is above 500");
    assert_answer(*state, "GET", HEALTH, 503, "\"status\":\"unhealthy\"}");
    assert_answer(*state, "POST", "/api/v1/metrics/queues/track?queue_name=s&depth=1e308&service=a",
                  201, "accepted");
    assert_answer(*state, "GET", HEALTH, 503, "1e+308 entries wait, critical is above 500");
}

static void without_records_there_is_no_health(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    assert_answer(server, "GET", HEALTH, 501, "keeps no records");
    test_server_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unknown_application_is_as_healthy_as_the_database,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_queue_that_is_too_long_is_unhealthy, set_up, tear_down),
        cmocka_unit_test(without_records_there_is_no_health),
    };
    return cmocka_run_group_tests_name("health_api", tests, NULL, NULL);
}
