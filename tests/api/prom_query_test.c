/* Queries over HTTP, with the real engine. */
#include "api/prom_priv.h"

#include "prom_support.h"

#include <stdio.h>
#include <string.h>

static struct test_server *server;

static int set_up(void **state) {
    (void)state;
    server = prom_server_start(NULL);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

#define TEMP_A "{\"__name__\":\"temp\",\"instance\":\"a\",\"job\":\"x\"}"
#define TEMP_B "{\"__name__\":\"temp\",\"instance\":\"b\",\"job\":\"x\"}"

static void each_type_of_result_has_its_shape(void **state) {
    (void)state;
    assert_data(server, "/api/v1/query?query=temp",
                "{\"resultType\":\"vector\",\"result\":[{\"metric\":" TEMP_A
                ",\"value\":[1700000000,\"1.5\"]},{\"metric\":" TEMP_B
                ",\"value\":[1700000000,\"2.5\"]}]}");
    assert_data(server, "/api/v1/query?query=1%2B1&time=5.25",
                "{\"resultType\":\"scalar\",\"result\":[5.25,\"2\"]}");
    assert_data(server, "/api/v1/query?query=%22a%20b%22&time=5",
                "{\"resultType\":\"string\",\"result\":[5,\"a b\"]}");
    assert_data(server, "/api/v1/query?query=hits[30s]&time=" NOW,
                "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"hits\","
                "\"instance\":\"a\"},\"values\":[[1699999985,\"7\"],[1700000000,\"7\"]]}]}");
    assert_data(server, "/api/v1/query?query=nothing", "{\"resultType\":\"vector\",\"result\":[]}");
    assert_data(server, "/api/v1/query_range?query=hits&start=1699999990&end=" NOW "&step=5",
                "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"hits\","
                "\"instance\":\"a\"},\"values\":[[1699999990,\"7\"],[1699999995,\"7\"],"
                "[1700000000,\"7\"]]}]}");
    assert_data(server, "/api/v1/query_range?query=42&start=10&end=11&step=0.5",
                "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[10,\"42\"],"
                "[10.5,\"42\"],[11,\"42\"]]}]}");
    assert_data(server, "/api/v1/query_range?query=nothing&start=10&end=11&step=1",
                "{\"resultType\":\"matrix\",\"result\":[]}");
}

static void forms_are_read_from_body_and_address(void **state) {
    (void)state;
    const char *two = "{\"resultType\":\"scalar\",\"result\":[7,\"2\"]}";
    assert_form_data(server, "/api/v1/query", "query=1%2B1&time=7", two);
    assert_form_data(server, "/api/v1/query?query=1%2B1", "time=7", two);
    assert_form_data(server, "/api/v1/query?query=1%2B1&time=7", "", two);
    assert_form_data(server, "/api/v1/query_range", "query=2&start=7&end=7&step=1m",
                     "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{},\"values\":[[7,\"2\"]]"
                     "}]}");
}

static void mistakes_in_the_query_are_400_with_their_position(void **state) {
    (void)state;
    assert_bad(server, "/api/v1/query", "no expression found in input");
    assert_bad(server, "/api/v1/query?query=", "no expression found in input");
    assert_bad(server, "/api/v1/query?query=foo%20bar",
               "invalid parameter \\\"query\\\": 1:5: parse error: unexpected identifier");
    assert_bad(server, "/api/v1/query?query=rate(temp)", "expected type range vector");
    assert_ask_fails(server, "POST", "/api/v1/query", FORM, "query=sum(", 400, "bad_data",
                     "parse error");
}

static void mistakes_while_evaluating_are_422(void **state) {
    (void)state;
    assert_ask_fails(server, "GET", "/api/v1/query?query=temp%20*%20on(job)%20temp", "", "", 422,
                     "execution", "found duplicate series for the match group");
}

#define RANGE "/api/v1/query_range?query=1&start=1000"
static void ranges_are_checked(void **state) {
    (void)state;
    static const struct {
        const char *target, *text;
    } rows[] = {
        {RANGE "&end=999&step=1", "end timestamp must not be before start time"},
        {RANGE "&end=1001&step=0", "zero or negative query resolution step widths"},
        {RANGE "&end=1001", "invalid parameter \\\"step\\\""},
        {RANGE "&end=1001&step=x", "cannot parse \\\"x\\\" to a valid duration"},
        {RANGE "&end=1001&step=-5", "cannot parse \\\"-5\\\" to a valid duration"},
        {RANGE "&step=1", "invalid parameter \\\"end\\\": cannot parse \\\"\\\""},
        {"/api/v1/query_range?query=1&end=1&step=1", "invalid parameter \\\"start\\\""},
        {"/api/v1/query_range?start=1&end=1&step=1", "invalid parameter \\\"query\\\""},
        {RANGE "&end=12001&step=1", "exceeded maximum resolution of 11,000 points"},
        {"/api/v1/query_range?query=temp[1m]&start=1&end=2&step=1",
         "invalid expression type \\\"range vector\\\" for range query"},
        {"/api/v1/query_range?query=%22x%22&start=1&end=2&step=1",
         "invalid expression type \\\"string\\\" for range query"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_bad(server, rows[i].target, rows[i].text);
    struct reply reply;
    ask(server, "GET", RANGE "&end=12000&step=1", "", "", &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
}

static void a_limit_cuts_and_warns(void **state) {
    (void)state;
    struct reply reply;
    ask(server, "GET", "/api/v1/query?query=temp&limit=1", "", "", &reply);
    assert_string_equal(reply.body,
                        "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":["
                        "{\"metric\":" TEMP_A ",\"value\":[1700000000,\"1.5\"]}]},\"warnings\":["
                        "\"results truncated due to limit\"]}");
    reply_release(&reply);
    ask(server, "GET", "/api/v1/query?query=temp&limit=2", "", "", &reply);
    assert_null(strstr(reply.body, "warnings"));
    reply_release(&reply);
}

static void the_lookback_can_be_shortened(void **state) {
    (void)state;
    assert_data(server, "/api/v1/query?query=hits&time=1700000010&lookback_delta=5s",
                "{\"resultType\":\"vector\",\"result\":[]}");
}

static void statistics_come_when_asked_for(void **state) {
    (void)state;
    struct reply reply;
    ask(server, "GET", "/api/v1/query?query=temp&stats=all", "", "", &reply);
    assert_json(&reply);
    assert_non_null(strstr(reply.body, "\"stats\":{\"timings\":{\"evalTotalTime\":"));
    assert_non_null(strstr(reply.body, "\"samples\":{\"totalQueryableSamples\":"));
    reply_release(&reply);
}

static void a_query_can_be_put_in_form(void **state) {
    (void)state;
    const char *form = "query=sum%20by(job)(rate(foo%7Ba='b'%7D[5m]))>0";
    const char *pretty = "\"sum by (job) (rate(foo{a=\\\"b\\\"}[5m])) > 0\"";
    assert_form_data(server, "/api/v1/format_query", form, pretty);
    assert_data(server, "/api/v1/format_query?query=1%2B1", "\"1 + 1\"");
    assert_bad(server, "/api/v1/format_query?query=sum(", "parse error");
    assert_bad(server, "/api/v1/format_query", "invalid parameter \\\"query\\\"");
}

static void infinities_and_nan_are_words(void **state) {
    (void)state;
    assert_data(server, "/api/v1/query?query=1/0&time=1",
                "{\"resultType\":\"scalar\",\"result\":[1,\"+Inf\"]}");
    assert_data(server, "/api/v1/query?query=-1/0&time=1",
                "{\"resultType\":\"scalar\",\"result\":[1,\"-Inf\"]}");
    assert_data(server, "/api/v1/query?query=0/0&time=1",
                "{\"resultType\":\"scalar\",\"result\":[1,\"NaN\"]}");
    assert_data(server, "/api/v1/query?query=1e21&time=1",
                "{\"resultType\":\"scalar\",\"result\":[1,\"1e+21\"]}");
}

static void long_sentences_of_failed_queries_are_whole(void **state) {
    (void)state;
    char value[400];
    char target[2000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    (void)snprintf(target, sizeof target,
                   "/api/v1/query?query=label_replace(temp,%%22a%%22,%%22%s%%22,%%22%%22,%%22%%22)"
                   "%%2Bon(a)label_replace(temp,%%22a%%22,%%22%s%%22,%%22%%22,%%22%%22)",
                   value, value);
    struct reply reply;
    ask(server, "GET", target, "", "", &reply);
    assert_int_equal(reply.status, 422);
    assert_non_null(strstr(reply.body, "matching labels must be unique on one side"));
    reply_release(&reply);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(long_sentences_of_failed_queries_are_whole),
        TEST(each_type_of_result_has_its_shape),
        TEST(forms_are_read_from_body_and_address),
        TEST(mistakes_in_the_query_are_400_with_their_position),
        TEST(mistakes_while_evaluating_are_422),
        TEST(ranges_are_checked),
        TEST(a_limit_cuts_and_warns),
        TEST(the_lookback_can_be_shortened),
        TEST(statistics_come_when_asked_for),
        TEST(a_query_can_be_put_in_form),
        TEST(infinities_and_nan_are_words),
    };
    return cmocka_run_group_tests_name("prom_query", tests, NULL, NULL);
}
