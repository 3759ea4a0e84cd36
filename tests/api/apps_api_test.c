/* Events in, and what applications ask about them, over HTTP. */
#include "api_support.h"

#include <stdio.h>

#define EVENTS "/api/v1/events"
#define APP "/api/apps/pose-generator/metrics"
#define JSON "Content-Type: application/json\r\n"

static int set_up(void **state) {
    *state = test_server_start_records();
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void assert_answer(const struct test_server *server, const char *method, const char *target,
                          const char *body, int status, const char *words) {
    struct reply reply;
    ask(server, method, target, JSON, body, &reply);
    assert_json(&reply);
    if (reply.status != status || strstr(reply.body, words) == NULL)
        fail_msg("%s %s: %d %s", method, target, reply.status, reply.body);
    reply_release(&reply);
}

/* Nine good generations of one user, one bad one of another. */
static void fill(const struct test_server *server) {
    for (int i = 0; i < 9; i++)
        assert_answer(server, "POST", EVENTS,
                      "{\"app\":\"pose-generator\",\"type\":\"generation\",\"user_id\":\"u1\","
                      "\"duration_ms\":20000,\"credits\":2,\"items\":[{\"kind\":\"pose\","
                      "\"id\":\"p1\",\"name\":\"Warrior\",\"category\":\"standing\"},"
                      "{\"kind\":\"style\",\"id\":\"s1\",\"count\":1}],\"quantity\":1}",
                      201, "{\"accepted\":1}");
    assert_answer(server, "POST", EVENTS,
                  "[{\"app\":\"pose-generator\",\"type\":\"generation\",\"user_id\":\"u2\","
                  "\"credits\":-2,\"error\":{\"message\":\"request 7 timed out\"}}]",
                  201, "{\"accepted\":1}");
    assert_answer(server, "POST",
                  "/api/v1/metrics/queues/track?queue_name=gen&depth=120&service=pose-generator",
                  "", 201, "\"accepted\":1");
}

static void the_document_holds_what_was_sent(void **state) {
    const struct test_server *server = *state;
    fill(server);
    static const char *const words[] = {
        "\"total\":10,\"ok\":9,\"errors\":1,\"aborted\":0,\"success_rate\":0.9",
        "\"average_time_per_item_seconds\":20,\"average_duration_ms\":20000",
        "\"items\":9,\"credits_used\":18,\"credits_refunded\":2,\"users\":2",
        "\"queues\":[{\"name\":\"gen_depth\",\"value\":120",
        "\"errors_by_class\":[{\"error_type\":\"TIMEOUT_ERROR\",\"count\":1",
        "{\"name\":\"success_rate\",\"value\":90,\"health\":\"warning\"",
        "{\"name\":\"average_time_seconds\",\"value\":20,\"health\":\"good\"",
        "{\"name\":\"queue_depth\",\"value\":120,\"health\":\"warning\"",
        "\"name\":\"refund_rate\",\"value\":11.11111111111111,\"health\":\"critical\"",
        "\"health\":\"critical\",\"error_bound\":0,\"exact\":true",
    };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_answer(server, "GET", APP "?period=24h", "", 200, words[i]);
    static const char *const periods[] = {"1h", "7d", "30d"};
    for (size_t i = 0; i < 3; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, APP "?period=%s", periods[i]);
        assert_answer(server, "GET", target, "", 200, "\"total\":10");
    }
}

static void users_items_and_errors_are_ranked(void **state) {
    const struct test_server *server = *state;
    fill(server);
    assert_answer(server, "GET", APP "/top-users?limit=1", "", 200,
                  "\"users\":[{\"user_id\":\"u1\",\"generation_count\":9,\"total_items\":9,"
                  "\"success_rate\":1}]");
    assert_answer(server, "GET", APP "/popular-poses", "", 200,
                  "\"kind\":\"pose\",\"items\":[{\"id\":\"p1\",\"name\":\"Warrior\","
                  "\"usage_count\":9,\"category\":\"standing\"}]");
    assert_answer(server, "GET", APP "/popular-style", "", 200, "\"id\":\"s1\"");
    assert_answer(server, "GET", APP "/popular-x", "", 200, "\"items\":[]");
    assert_answer(server, "GET", APP "/errors", "", 200,
                  "\"errors\":[{\"error_type\":\"TIMEOUT_ERROR\",\"count\":1,\"first_seen\":"
                  "\"2023-11-14T22:13:20.000Z\",\"last_occurred\":\"2023-11-14T22:13:20.000Z\","
                  "\"sample\":\"request 7 timed out\"}]");
}

static void bad_requests_are_told_apart(void **state) {
    const struct test_server *server = *state;
    assert_answer(server, "POST", EVENTS, "[{\"app\":\"a\"}]", 400,
                  "\"1 of 1 events are not valid; nothing was stored\",\"items\":[{\"index\":0,");
    assert_answer(server, "POST", EVENTS, "x", 400, "bad_data");
    assert_answer(server, "POST", EVENTS "?x=1", "[]", 400, "unknown parameter");
    assert_answer(server, "GET", APP "?period=2h", "", 400, "none of 1h, 24h, 7d, 30d");
    assert_answer(server, "GET", APP "?limit=5", "", 400, "unknown parameter");
    assert_answer(server, "GET", APP "/top-users?limit=0", "", 400, "1 to 1000");
    assert_answer(server, "GET", "/api/apps/none/metrics", "", 200, "\"total\":0");
    assert_answer(server, "GET", "/api/apps/%27%20OR%201--/metrics", "", 200, "\"total\":0");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_document_holds_what_was_sent),
        TEST(users_items_and_errors_are_ranked),
        TEST(bad_requests_are_told_apart),
    };
    return cmocka_run_group_tests_name("apps_api", tests, NULL, NULL);
}
