/* GET and POST /api/v1/history: parameters, what is said when they are not valid, answers. */
#include "api/history_api.h"

#include "api/history_batch.h"
#include "api_support.h"
#include "base/limits.h"
#include "base/mem.h"

#include <poll.h>
#include <stdio.h>

/* ---- parameters without a server ---- */

static struct sn_arena arena;
static struct sn_history_question question;
static struct sn_err err;

static sn_status parse(const struct param *params) {
    sn_arena_reset(&arena);
    err = (struct sn_err){.status = SN_OK};
    return sn_history_question_parse(next_param, params, NOW_MS, &arena, &question, &err);
}

/* metric=up and one more. */
static sn_status parse_one(const char *name, const char *value) {
    const struct param params[] = {{"metric", "up"}, {name, value}, {NULL, NULL}};
    return parse(params);
}

static void without_more_it_is_the_last_hour_in_240_steps(void **state) {
    (void)state;
    const struct param params[] = {{"metric", "up"}, {NULL, NULL}};
    assert_int_equal(parse(params), SN_OK);
    assert_int_equal(question.query.range.end_ms, NOW_MS);
    assert_int_equal(question.query.range.start_ms, NOW_MS - 3600000);
    assert_int_equal(question.query.step_ms, 15000);
    assert_int_equal(question.query.series_max, 0);
    assert_true(sn_str_equal(question.query.expression, SN_STR("{\"__name__\"=\"up\"}")));
    assert_int_equal(question.timeout_ns, SN_HISTORY_TIMEOUT_NS_DEFAULT);
}

static void times_are_rfc_3339_or_seconds(void **state) {
    (void)state;
    assert_int_equal(parse_one("end", "2023-11-14T22:13:19.5Z"), SN_OK);
    assert_int_equal(question.query.range.end_ms, 1699999999500);
    assert_int_equal(question.query.range.start_ms, 1699999999500 - 3600000);
    assert_int_equal(parse_one("start", "1699999999.25"), SN_OK);
    assert_int_equal(question.query.range.start_ms, 1699999999250);
    assert_int_equal(question.query.range.end_ms, NOW_MS);
    assert_int_equal(parse_one("end", "60"), SN_OK);
    assert_int_equal(question.query.range.start_ms, 0);
}

static void steps_are_durations_or_seconds(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"30s", 30000},  {"1h30m", 5400000}, {"5", 5000},      {"0.5", 500},   {"0.001", 1},
        {"1.001", 1001}, {"4.35", 4350},     {"1e3", 1000000}, {"500ms", 500},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(parse_one("step", cases[i].text), SN_OK);
        assert_int_equal(question.query.step_ms, cases[i].ms);
    }
}

static void limits_have_two_ends(void **state) {
    (void)state;
    assert_int_equal(parse_one("limit", "1"), SN_OK);
    assert_int_equal(question.query.series_max, 1);
    assert_int_equal(parse_one("limit", "1000"), SN_OK);
    assert_int_equal(question.query.series_max, SN_HISTORY_SERIES_MAX);
}

static void other_parameters_are_labels(void **state) {
    (void)state;
    assert_int_equal(parse_one("mode", "idle"), SN_OK);
    assert_true(
        sn_str_equal(question.query.expression, SN_STR("{\"__name__\"=\"up\",\"mode\"=\"idle\"}")));
}

static void labels_are_limited(void **state) {
    (void)state;
    struct param params[SN_MATCHERS_MAX + 2] = {{"metric", "up"}};
    for (size_t i = 1; i < SN_MATCHERS_MAX; i++)
        params[i] = (struct param){"l", "v"};
    params[SN_MATCHERS_MAX] = (struct param){NULL, NULL};
    assert_int_equal(parse(params), SN_OK);
    params[SN_MATCHERS_MAX] = (struct param){"l", "v"};
    assert_int_equal(parse(params), SN_ERR_LIMIT);
    assert_string_equal(err.text, "more than 64 labels");
}

static void a_metric_is_needed(void **state) {
    (void)state;
    const struct param none[] = {{NULL, NULL}};
    const struct param empty[] = {{"metric", ""}, {NULL, NULL}};
    assert_int_equal(parse(none), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "parameter metric is missing"));
    assert_int_equal(parse(empty), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "parameter metric is missing"));
}

static void a_bad_value_is_named_with_its_parameter(void **state) {
    (void)state;
    static const struct {
        struct param param;
        sn_status status;
    } cases[] = {
        {{"start", "yesterday"}, SN_ERR_INVALID},
        {{"start", ""}, SN_ERR_INVALID},
        {{"start", "NaN"}, SN_ERR_INVALID},
        {{"start", "-1"}, SN_ERR_LIMIT},
        {{"end", "2023-02-30T00:00:00Z"}, SN_ERR_INVALID},
        {{"end", "1e300"}, SN_ERR_LIMIT},
        {{"step", "x"}, SN_ERR_INVALID},
        {{"step", ""}, SN_ERR_INVALID},
        {{"step", "0"}, SN_ERR_INVALID},
        {{"step", "0s"}, SN_ERR_INVALID},
        {{"step", "-1"}, SN_ERR_INVALID},
        {{"step", "0.0009"}, SN_ERR_INVALID},
        {{"step", "NaN"}, SN_ERR_INVALID},
        {{"step", "+Inf"}, SN_ERR_INVALID},
        {{"step", "1e300"}, SN_ERR_INVALID},
        {{"step", "1d1y"}, SN_ERR_INVALID},
        {{"step", "1000000y"}, SN_ERR_LIMIT},
        {{"limit", "0"}, SN_ERR_INVALID},
        {{"limit", "1001"}, SN_ERR_INVALID},
        {{"limit", "-1"}, SN_ERR_INVALID},
        {{"limit", "ten"}, SN_ERR_INVALID},
        {{"limit", "99999999999999999999"}, SN_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char start[32];
        sn_status status = parse_one(cases[i].param.name, cases[i].param.value);
        (void)snprintf(start, sizeof start, "parameter %s: ", cases[i].param.name);
        if (status != cases[i].status || strncmp(err.text, start, strlen(start)) != 0 ||
            strstr(err.text, cases[i].param.value) == NULL)
            fail_msg("%s=%s: %s, \"%s\"", cases[i].param.name, cases[i].param.value,
                     sn_status_name(status), err.text);
    }
}

static void a_start_after_the_end_is_refused(void **state) {
    (void)state;
    const struct param params[] = {{"metric", "up"}, {"start", "2"}, {"end", "1"}, {NULL, NULL}};
    assert_int_equal(parse(params), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "start is after end"));
    assert_int_equal(parse_one("start", "1700000001"), SN_ERR_INVALID);
}

static void promql_takes_the_place_of_metric_and_labels(void **state) {
    (void)state;
    const struct param params[] = {{"points", "60"},
                                   {"query", "rate(x[1m])"},
                                   {"range", "1h"},
                                   {"timeout", "5s"},
                                   {NULL, NULL}};
    assert_int_equal(parse(params), SN_OK);
    assert_true(sn_str_equal(question.query.expression, SN_STR("rate(x[1m])")));
    assert_int_equal(question.query.step_ms, 60000);
    assert_int_equal(question.timeout_ns, INT64_C(5000000000));
    static const struct {
        struct param param;
        const char *words;
    } bad[] = {
        {{"mode", "idle"}, "parameter mode: unknown"},
        {{"metric", "up"}, "one of the parameters metric and query"},
        {{"timeout", "121s"}, "parameter timeout: \"121s\" is above 120 s"},
        {{"points", "11001"}, "parameter points: \"11001\" is not 1 to 11000"},
        {{"range", "0"}, "parameter range: \"0\""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const struct param both[] = {{"query", "x"}, bad[i].param, {NULL, NULL}};
        assert_int_equal(parse(both), SN_ERR_INVALID);
        assert_non_null(strstr(err.text, bad[i].words));
    }
    /* With a metric these are names of labels, as they have always been. */
    assert_int_equal(parse_one("range", "x"), SN_OK);
    assert_int_equal(parse_one("timeout", "x"), SN_OK);
}

static void a_failing_allocation_is_survived(void **state) {
    (void)state;
#ifdef SN_FAULTS
    sn_arena_release(&arena);
    sn_arena_init(&arena, 0);
    sn_mem_fail_nth(1);
    sn_status status = parse_one("limit", "1");
    sn_mem_fail_nth(0);
    assert_int_equal(status, SN_ERR_NO_MEMORY);
#endif
}

/* ---- the route ---- */

static void the_answer_has_columns_with_null_for_gaps(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    struct reply reply;
    ask(server, "GET", "/api/v1/history?metric=up&start=1699999998.5&end=1699999999.5&step=0.5", "",
        "", &reply);
    assert_int_equal(reply.status, 200);
    assert_json(&reply);
    assert_string_equal(
        reply.body,
        "{\"status\":\"success\",\"data\":{\"step\":0.5,"
        "\"t\":[1699999998.5,1699999999,1699999999.5],\"series\":[{\"labels\":{\"__name__\":"
        "\"up\"},\"min\":[null,1,null],\"avg\":[null,1,null],\"max\":[null,1,null],"
        "\"count\":[0,1,0]}]}}");
    reply_release(&reply);
    ask(server, "GET", "/api/v1/history?metric=down&step=1h", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"series\":[]"));
    reply_release(&reply);
    test_server_stop(server);
}

static void failures_have_their_status(void **state) {
    (void)state;
    static const struct {
        sn_status status;
        int http;
        const char *type;
    } cases[] = {
        {SN_ERR_INVALID, 400, "bad_data"},      {SN_ERR_LIMIT, 422, "limit"},
        {SN_ERR_NO_MEMORY, 503, "unavailable"}, {SN_ERR_CORRUPT, 500, "internal"},
        {SN_ERR_IO, 503, "unavailable"},
    };
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_mutex_lock(&server->store.mu);
        server->store.select_status = cases[i].status;
        sn_mutex_unlock(&server->store.mu);
        assert_ask_fails(server, "GET", "/api/v1/history?metric=up", "", "", cases[i].http,
                         cases[i].type, "the reader said no");
    }
    assert_ask_fails(server, "GET", "/api/v1/history", "", "", 400, "bad_data", "metric");
    assert_ask_fails(server, "GET", "/api/v1/history?metric=up&step=0", "", "", 400, "bad_data",
                     "step");
    assert_ask_fails(server, "GET", "/api/v1/history?metric=up&start=0&step=1", "", "", 422,
                     "limit", "the limit is 11000");
    assert_ask_fails(server, "GET", "/api/v1/history?metric=up&x=%zz", "", "", 400, "bad_data", "");
    test_server_stop(server);
}

static void a_batch_answers_under_names(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    struct reply reply;
    ask(server, "POST", "/api/v1/history", "Content-Type: application/json\r\n",
        "{\"start\":1699999998.5,\"end\":1699999999.5,\"step\":0.5,\"columns\":[\"avg\"],"
        "\"queries\":[{\"id\":\"a\",\"metric\":\"up\"},{\"id\":\"b\",\"query\":\"rat(up)\"},"
        "{\"id\":\"c\",\"query\":\"2*sum(up)\",\"columns\":[\"min\",\"max\",\"count\"]}]}",
        &reply);
    assert_int_equal(reply.status, 200);
    assert_json(&reply);
    assert_string_equal(
        reply.body,
        "{\"status\":\"success\",\"data\":{\"start\":1699999998.5,\"end\":1699999999.5,"
        "\"step\":0.5,\"t\":[1699999998.5,1699999999,1699999999.5],\"results\":{"
        "\"a\":{\"series\":[{\"labels\":{\"__name__\":\"up\"},\"avg\":[null,1,null]}]},"
        "\"b\":{\"errorType\":\"bad_data\",\"error\":\"1:1: parse error: unknown function with "
        "name \\\"rat\\\", did you mean \\\"rate\\\"?\"},"
        "\"c\":{\"series\":[{\"labels\":{},\"min\":[null,2,2],\"max\":[null,2,2],"
        "\"count\":[0,1,1]}]}}}}");
    reply_release(&reply);
    test_server_stop(server);
}

static void a_bad_batch_is_refused_whole(void **state) {
    (void)state;
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    assert_ask_fails(server, "POST", "/api/v1/history", "", "{\"queries\":[]}", 400, "bad_data",
                     "\"queries\\\" is missing or empty");
    assert_ask_fails(server, "POST", "/api/v1/history", "",
                     "{\"start\":0,\"step\":1,\"queries\":[{\"id\":\"a\",\"query\":\"1\"}]}", 422,
                     "limit", "the limit is 11000");
    test_server_stop(server);
}

/* One runs, SN_JOBS_QUEUE_MAX wait, one too many; which of them is the kernel's choice. */
static void one_more_question_than_can_wait_is_told_to_come_back(void **state) {
    (void)state;
    enum { COUNT = 1 + SN_JOBS_QUEUE_MAX + 1 };
    const char *target = "/api/v1/history?metric=up&step=1h";
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    struct pollfd fds[COUNT];
    size_t answered = 0, refused = 0;
    server->store.is_holding_reads = true;
    for (size_t i = 0; i < COUNT; i++)
        fds[i] = (struct pollfd){.fd = client_send(server, "GET", target, "", SN_STR("")),
                                 .events = POLLIN};
    assert_int_equal(poll(fds, COUNT, -1), 1);
    test_server_release_reads(server);
    for (size_t i = 0; i < COUNT; i++) {
        struct reply reply;
        client_receive(fds[i].fd, &reply);
        answered += reply.status == 200;
        if (reply.status != 200) {
            assert_error(&reply, 429, "busy", "256 requests are waiting already, try again");
            refused++;
        }
        reply_release(&reply);
    }
    assert_int_equal(refused, 1);
    assert_int_equal(answered, COUNT - 1);
    test_server_stop(server);
}

static int set_up(void **state) {
    (void)state;
    sn_arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_more_it_is_the_last_hour_in_240_steps),
        cmocka_unit_test(times_are_rfc_3339_or_seconds),
        cmocka_unit_test(steps_are_durations_or_seconds),
        cmocka_unit_test(limits_have_two_ends),
        cmocka_unit_test(other_parameters_are_labels),
        cmocka_unit_test(labels_are_limited),
        cmocka_unit_test(a_metric_is_needed),
        cmocka_unit_test(a_bad_value_is_named_with_its_parameter),
        cmocka_unit_test(a_start_after_the_end_is_refused),
        cmocka_unit_test(promql_takes_the_place_of_metric_and_labels),
        cmocka_unit_test(a_failing_allocation_is_survived),
        cmocka_unit_test(the_answer_has_columns_with_null_for_gaps),
        cmocka_unit_test(failures_have_their_status),
        cmocka_unit_test(a_batch_answers_under_names),
        cmocka_unit_test(a_bad_batch_is_refused_whole),
        cmocka_unit_test(one_more_question_than_can_wait_is_told_to_come_back),
    };
    return cmocka_run_group_tests_name("history_api", tests, set_up, tear_down);
}
