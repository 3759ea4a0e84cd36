/* OTLP over HTTP: both forms, what is answered, and that it waits for the disk. */
#include "api_support.h"

#include <unistd.h>

#define JSON "Content-Type: application/json\r\n"
#define PROTOBUF "Content-Type: application/x-protobuf\r\n"
#define GAUGE(point)                                                                               \
    "{\"resourceMetrics\":[{\"scopeMetrics\":[{\"metrics\":[{\"name\":\"g\",\"gauge\":{"           \
    "\"dataPoints\":[" point "]}}]}]}]}"
#define POINT "{\"timeUnixNano\":\"1700000000000000000\",\"asInt\":7}"
#define LOG "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{}]}]}]}"

static int set_up(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void assert_answer(const struct test_server *server, const char *target, const char *body,
                          int status, const char *text) {
    struct reply reply;
    ask(server, "POST", target, JSON, body, &reply);
    assert_int_equal(reply.status, status);
    assert_string_equal(reply_header(&reply, "Content-Type"), "application/json");
    if (strstr(reply.body, text) == NULL)
        fail_msg("no %s in %s", text, reply.body);
    assert_json(&reply);
    reply_release(&reply);
}

static void json_is_answered_in_json(void **state) {
    struct test_server *server = *state;
    assert_answer(server, "/v1/metrics", GAUGE(POINT), 200, "{}");
    assert_string_equal(server->store.text, "g 7 @1700000000000\n");
    assert_answer(server, "/api/v1/otlp/v1/metrics", GAUGE(POINT), 200, "{}");
    assert_answer(
        server, "/v1/metrics", GAUGE(POINT ",{\"asInt\":1}"), 200,
        "{\"partialSuccess\":{\"rejectedDataPoints\":\"1\",\"errorMessage\":\"point 2: it "
        "has no time\"}}");
    assert_answer(server, "/v1/metrics", "{", 400, "{\"code\":3,\"message\":");
    assert_answer(server, "/v1/logs", LOG, 200, "\"rejectedLogRecords\":\"2\",\"errorMessage\":\"");
    assert_answer(server, "/v1/logs", "{}", 200, "{}");
    assert_answer(server, "/v1/logs", "[]", 400, "\"message\"");
}

static void protobuf_is_answered_in_protobuf(void **state) {
    struct reply reply;
    ask(*state, "POST", "/v1/metrics", PROTOBUF, "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Content-Type"), "application/x-protobuf");
    assert_int_equal(reply.body_len, 0);
    reply_release(&reply);
    ask(*state, "POST", "/v1/metrics", PROTOBUF, "\x0a\x7f", &reply);
    assert_int_equal(reply.status, 400);
    assert_memory_equal(reply.body, "\x08\x03\x12", 3);
    assert_non_null(strstr(reply.body, "OTLP"));
    reply_release(&reply);
    /* One log record: resource_logs { scope_logs { log_records {} } } */
    client_receive(client_send(*state, "POST", "/v1/logs", PROTOBUF,
                               sn_str_make("\x0a\x04\x12\x02\x12\x00", 6)),
                   &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body[0], 0x0a);
    assert_memory_equal(reply.body + 2, "\x08\x01\x12", 3);
    assert_non_null(strstr(reply.body + 2, "does not store logs yet"));
    reply_release(&reply);
}

static void other_types_are_refused(void **state) {
    assert_ask_fails(*state, "POST", "/v1/metrics", "Content-Type: text/plain\r\n", "x", 415,
                     "unsupported", "application/x-protobuf or application/json");
    assert_ask_fails(*state, "POST", "/v1/logs", "", "x", 415, "unsupported", "Content-Type");
}

static void the_answer_waits_for_the_disk(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.is_holding_done = true;
    int fd = client_send(server, "POST", "/v1/metrics", JSON, sn_str_from(GAUGE(POINT)));
    test_server_await_pushes(server, 1);
    assert_false(client_has_answer(fd));
    server->store.done_status = SN_ERR_IO;
    test_server_release_done(server);
    client_receive(fd, &reply);
    assert_int_equal(reply.status, 503);
    assert_string_equal(reply_header(&reply, "Retry-After"), "1");
    assert_non_null(strstr(reply.body, "{\"code\":14,"));
    reply_release(&reply);
}

static void a_busy_store_is_429(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.push_status = SN_ERR_BUSY;
    ask(server, "POST", "/v1/metrics", JSON, GAUGE(POINT), &reply);
    assert_int_equal(reply.status, 429);
    assert_string_equal(reply_header(&reply, "Retry-After"), "1");
    reply_release(&reply);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(json_is_answered_in_json), TEST(protobuf_is_answered_in_protobuf),
        TEST(other_types_are_refused),  TEST(the_answer_waits_for_the_disk),
        TEST(a_busy_store_is_429),
    };
    return cmocka_run_group_tests_name("otlp_api", tests, NULL, NULL);
}
