/* The routes of the records over HTTP. */
#include "api_support.h"

#include <stdio.h>
#include <stdlib.h>

#define METRICS "/api/v1/metrics"
#define JSON "Content-Type: application/json\r\n"

static int set_up(void **state) {
    *state = test_server_start_records();
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

/* Ask; the answer has that status and is JSON that contains the words. */
static void assert_answer(const struct test_server *server, const char *method, const char *target,
                          const char *body, int status, const char *words) {
    struct reply reply;
    ask(server, method, target, JSON, body, &reply);
    assert_json(&reply);
    if (reply.status != status || strstr(reply.body, words) == NULL)
        fail_msg("%s %s: %d %s", method, target, reply.status, reply.body);
    reply_release(&reply);
}

/* The UUID that follows the words in a text. */
static void find_id(const char *text, const char *words, char ret_id[37]) {
    const char *at = strstr(text, words);
    assert_non_null(at);
    assert_true(strlen(at) >= strlen(words) + 36);
    memcpy(ret_id, at + strlen(words), 36);
    ret_id[36] = '\0';
}

static void a_record_is_stored_found_and_listed(void **state) {
    const struct test_server *server = *state;
    struct reply reply;
    char id[37] = "", target[128];
    ask(server, "POST", METRICS "/", JSON,
        "{\"metric_type\":\"processing_time\",\"name\":\"download\",\"value\":1.5,"
        "\"service\":\"crawler\"}",
        &reply);
    assert_int_equal(reply.status, 201);
    assert_json(&reply);
    find_id(reply.body, "{\"id\":\"", id);
    reply_release(&reply);
    assert_string_equal(server->store.text,
                        "download{metric_type=\"processing_time\",service=\"crawler\"} 1 "
                        "@1700000000000\n");
    (void)snprintf(target, sizeof target, METRICS "/%s", id);
    assert_answer(server, "GET", target, "", 200, "\"value\":1.5");
    (void)snprintf(target, sizeof target, METRICS "/%s/", id);
    assert_answer(server, "GET", target, "", 200, "\"service\":\"crawler\"");
    assert_answer(server, "GET", METRICS, "", 200, "\"count\":1,\"next_cursor\":null");
    assert_answer(server, "GET", METRICS "/?service=crawler", "", 200, id);
    assert_answer(server, "GET", METRICS "/?service=other", "", 200, "\"metrics\":[]");
}

static void a_batch_is_stored_whole_or_not_at_all(void **state) {
    const struct test_server *server = *state;
    assert_answer(server, "POST", METRICS "/batch",
                  "[{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1},{\"name\":\"n\"}]", 400,
                  "\"items\":[{\"index\":1,\"error\":\"value is missing\"}]");
    assert_answer(server, "GET", METRICS, "", 200, "\"count\":0");
    assert_answer(server, "POST", METRICS "/batch/",
                  "{\"metrics\":[{\"metric_type\":\"t\",\"name\":\"a\",\"value\":1},"
                  "{\"metric_type\":\"t\",\"name\":\"b\",\"value\":2}]}",
                  201, "\"accepted\":2");
    assert_answer(server, "GET", METRICS "?limit=1", "", 200, "\"name\":\"b\"");
    assert_answer(server, "POST", METRICS "/batch", "[]", 201, "\"accepted\":0");
}

static void pages_go_on_with_their_cursor(void **state) {
    const struct test_server *server = *state;
    struct reply reply;
    char cursor[37] = "", target[128];
    for (int i = 0; i < 3; i++)
        assert_answer(server, "POST", METRICS, "{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1}",
                      201, "id");
    ask(server, "GET", METRICS "?limit=2", "", "", &reply);
    find_id(reply.body, "\"next_cursor\":\"", cursor);
    reply_release(&reply);
    (void)snprintf(target, sizeof target, METRICS "?limit=2&cursor=%s", cursor);
    assert_answer(server, "GET", target, "", 200, "\"count\":1,\"next_cursor\":null");
}

static void windows_hold_aggregates(void **state) {
    const struct test_server *server = *state;
    assert_answer(server, "POST", METRICS "/batch",
                  "[{\"metric_type\":\"success_rate\",\"name\":\"n\",\"ok\":1,\"total\":2},"
                  "{\"metric_type\":\"success_rate\",\"name\":\"n\",\"ok\":3,\"total\":3}]",
                  201, "\"accepted\":2");
    assert_answer(server, "GET", METRICS "?time_window=1h&name=n", "", 200,
                  "{\"time_window\":3600,\"windows\":[{\"start\":\"2023-11-14T22:00:00.000Z\","
                  "\"end\":\"2023-11-14T23:00:00.000Z\",\"count\":2,\"sum\":1.5,\"min\":0.5,"
                  "\"max\":1,\"avg\":0.75,\"p50\":0.75,\"p95\":0.975,\"p99\":0.995,\"ok\":4,"
                  "\"total\":5,\"success_rate\":0.8}],\"count\":1}");
    assert_answer(server, "GET", METRICS "?time_window=1ms", "", 422, "limit");
}

static void the_host_is_taken_and_stored(void **state) {
    struct test_server *server = *state;
    assert_answer(server, "POST", METRICS "/collect?service_name=box", "", 201, "\"accepted\":1");
    assert_answer(server, "GET", METRICS "?metric_type=resource_usage&service=box&name=cpu", "",
                  200, "\"value\":1");
    server->host_status = SN_ERR_IO;
    assert_answer(server, "POST", METRICS "/collect", "", 503, "cannot read");
}

static void a_queue_is_two_records(void **state) {
    const struct test_server *server = *state;
    assert_answer(server, "POST",
                  METRICS "/queues/track?queue_name=q&depth=5&wait_time=1.5&service=w", "", 201,
                  "\"accepted\":2");
    assert_answer(server, "GET", METRICS "?name=q_depth&service=w", "", 200, "\"value\":5");
    assert_answer(server, "GET", METRICS "?name=q_wait_seconds", "", 200, "\"value\":1.5");
    assert_answer(server, "POST", METRICS "/queues/track?queue_name=q&depth=5", "", 201,
                  "\"accepted\":1");
}

static void bad_requests_are_told_apart(void **state) {
    const struct test_server *server = *state;
    static const struct {
        const char *method, *target, *body;
        int status;
        const char *words;
    } rows[] = {
        {"POST", METRICS, "{", 400, "bad_data"},
        {"POST", METRICS, "{\"metric_type\":\"t\",\"name\":\"n\"}", 400, "value is missing"},
        {"POST", METRICS "?x=1", "{}", 400, "unknown parameter"},
        {"POST", METRICS "/batch", "5", 400, "bad_data"},
        {"POST", METRICS "/queues/track", "", 400, "queue_name is missing"},
        {"POST", METRICS "/queues/track?queue_name=q", "", 400, "depth is missing"},
        {"POST", METRICS "/queues/track?queue_name=q&depth=-1", "", 400, "negative"},
        {"POST", METRICS "/queues/track?queue_name=q&depth=NaN", "", 400, "not a number"},
        {"GET", METRICS "?limit=0", "", 400, "1 to 1000"},
        {"GET", METRICS "?limit=1001", "", 400, "1 to 1000"},
        {"GET", METRICS "?start_time=x", "", 400, "start_time"},
        {"GET", METRICS "?start_time=2&end_time=1", "", 400, "later than"},
        {"GET", METRICS "?cursor=x", "", 400, "not a UUID"},
        {"GET", METRICS "?cursor=018bcfe5-687b-7000-8000-000000000001", "", 400, "cursor"},
        {"GET", METRICS "?name=a&name=b", "", 400, "twice"},
        {"GET", METRICS "/x", "", 400, "not a UUID"},
        {"GET", METRICS "/018bcfe5-687b-7000-8000-000000000001", "", 404, "no record"},
        {"GET", METRICS "/batch", "", 405, "method"},
        {"DELETE", METRICS, "", 405, "method"},
        {"GET", METRICS "/..%2f..%2fetc%2fpasswd", "", 400, "not a UUID"},
        {"GET", METRICS "?name=%27%20OR%201%3D1%20--", "", 200, "\"count\":0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_answer(server, rows[i].method, rows[i].target, rows[i].body, rows[i].status,
                      rows[i].words);
}

static void a_store_that_refuses_refuses_records(void **state) {
    struct test_server *server = *state;
    server->store.push_status = SN_ERR_NO_SPACE;
    assert_answer(server, "POST", METRICS, "{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1}",
                  503, "unavailable");
    server->store.push_status = SN_OK;
    assert_answer(server, "GET", METRICS, "", 200, "\"count\":0");
}

static void rejected_samples_are_told(void **state) {
    struct test_server *server = *state;
    server->store.duplicate_count = 1;
    assert_answer(server, "POST", METRICS "/batch",
                  "[{\"metric_type\":\"t\",\"name\":\"n\",\"value\":1}]", 201,
                  "\"samples_rejected\":1,\"first_reject\":\"it is there already\"");
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_record_is_stored_found_and_listed), TEST(a_batch_is_stored_whole_or_not_at_all),
        TEST(pages_go_on_with_their_cursor),       TEST(windows_hold_aggregates),
        TEST(the_host_is_taken_and_stored),        TEST(a_queue_is_two_records),
        TEST(bad_requests_are_told_apart),         TEST(a_store_that_refuses_refuses_records),
        TEST(rejected_samples_are_told),
    };
    return cmocka_run_group_tests_name("records_api", tests, NULL, NULL);
}
