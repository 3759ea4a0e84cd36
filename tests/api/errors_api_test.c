/* Groups of errors over HTTP. */
#include "api_support.h"

#define ERRORS "/api/v1/errors"
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

static void add(const struct test_server *server, const char *event) {
    assert_answer(server, "POST", "/api/v1/events", event, 201, "\"accepted\":1");
}

#define TIMEOUT                                                                                    \
    "{\"app\":\"a\",\"type\":\"resize\",\"user_id\":\"u\",\"error\":{\"message\":\"job 1 timed "   \
    "out\",\"type\":\"E\"}}"

static void errors_group_and_are_resolved_and_reopened(void **state) {
    struct test_server *server = *state;
    add(server, TIMEOUT);
    add(server, "{\"app\":\"a\",\"type\":\"resize\",\"user_id\":\"v\",\"error\":{\"message\":"
                "\"job 2 timed out\"}}");
    assert_answer(server, "GET", ERRORS, "", 200,
                  "{\"errors\":[{\"id\":1,\"app\":\"a\",\"operation\":\"resize\",\"error_type\":"
                  "\"TIMEOUT_ERROR\",\"message\":\"job 0 timed out\",\"sample\":\"job 2 timed "
                  "out\",\"sample_type\":\"\",\"count\":2,\"users\":2,");
    assert_answer(server, "PATCH", ERRORS "/1", "{\"resolved\":true}", 200,
                  "\"state\":\"resolved\"");
    assert_answer(server, "GET", ERRORS "?state=open", "", 200, "\"errors\":[]");
    assert_answer(server, "GET", ERRORS "?state=resolved&app=a&error_type=TIMEOUT_ERROR", "", 200,
                  "\"count\":1}");
    sn_fake_clock_advance_ms(&server->clock, 5);
    add(server, TIMEOUT);
    assert_answer(server, "GET", ERRORS "/1", "", 200, "\"state\":\"open\",\"reopened\":1");
    assert_answer(server, "PATCH", ERRORS "/1/", "{\"resolved\":true}", 200, "resolved_at");
    assert_answer(server, "PATCH", ERRORS "/1", "{\"resolved\":false}", 200, "\"reopened\":2");
}

static void bad_requests_are_told_apart(void **state) {
    const struct test_server *server = *state;
    static const struct {
        const char *method, *target, *body;
        int status;
        const char *words;
    } rows[] = {
        {"GET", ERRORS "?state=x", "", 400, "state"},
        {"GET", ERRORS "?limit=0", "", 400, "1 to 1000"},
        {"GET", ERRORS "/1", "", 404, "no error group 1"},
        {"GET", ERRORS "/x", "", 404, "is not an id"},
        {"GET", ERRORS "/0", "", 404, "is not an id"},
        {"GET", ERRORS "/1%20OR%201", "", 404, "is not an id"},
        {"PATCH", ERRORS "/1", "{\"resolved\":true}", 404, "no error group 1"},
        {"PATCH", ERRORS "/1", "{}", 400, "resolved"},
        {"PATCH", ERRORS "/1", "{\"resolved\":1}", 400, "bad_data"},
        {"PATCH", ERRORS "/1", "{\"x\":true}", 400, "unknown field"},
        {"PATCH", ERRORS "/1", "", 400, "bad_data"},
        {"POST", ERRORS "/1", "{}", 405, "method"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_answer(server, rows[i].method, rows[i].target, rows[i].body, rows[i].status,
                      rows[i].words);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(errors_group_and_are_resolved_and_reopened),
        TEST(bad_requests_are_told_apart),
    };
    return cmocka_run_group_tests_name("errors_api", tests, NULL, NULL);
}
