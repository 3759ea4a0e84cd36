/* Parameters: what each may be, and what is said when it is not. */
#include "api/prom_params.h"

#include "prom_support.h"

#include <stdio.h>

static struct scripted_engine script;
static struct test_server *server;

static int set_up(void **state) {
    static const struct sn_query_result one = {.kind = SN_RESULT_SCALAR, .scalar = {NOW_MS, 1}};
    (void)state;
    memset(&script, 0, sizeof script);
    script.result = &one;
    server = prom_server_start(&script);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    prom_server_stop(server);
    return 0;
}

/* A query with one more parameter that is fine. */
static void ask_query(const char *more) {
    char target[256];
    (void)snprintf(target, sizeof target, "/api/v1/query?query=1%s", more);
    assert_data(server, target, "{\"resultType\":\"scalar\",\"result\":[1700000000,\"1\"]}");
}

static void times_are_rfc_3339_or_seconds_and_now_by_default(void **state) {
    (void)state;
    static const struct {
        const char *more;
        int64_t time_ms;
    } rows[] = {
        {"", NOW_MS},
        {"&time=1700000000.123", NOW_MS + 123},
        {"&time=0", 0},
        {"&time=2023-11-14T22:13:20Z", NOW_MS},
        {"&time=2023-11-15T00:13:20.250%2B02:00", NOW_MS + 250},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        ask_query(rows[i].more);
        assert_int_equal(script.last.range.start_ms, rows[i].time_ms);
        assert_int_equal(script.last.range.end_ms, rows[i].time_ms);
        assert_int_equal(script.last.step_ms, 0);
    }
}

static void durations_are_texts_or_seconds(void **state) {
    (void)state;
    ask_query("");
    assert_int_equal(script.last.timeout_ns, 0);
    assert_int_equal(script.last.lookback_ms, 0);
    ask_query("&timeout=1.5&lookback_delta=5s");
    assert_int_equal(script.last.timeout_ns, 1500000000);
    assert_int_equal(script.last.lookback_ms, 5000);
    ask_query("&timeout=2m&lookback_delta=1h30m");
    assert_int_equal(script.last.timeout_ns, 120000000000);
    assert_int_equal(script.last.lookback_ms, 5400000);
}

static void bad_values_are_named(void **state) {
    (void)state;
    static const struct {
        const char *target, *text;
    } rows[] = {
        {"query?query=1&time=yesterday",
         "invalid parameter \\\"time\\\": cannot parse \\\"yesterday\\\" to a valid timestamp"},
        {"query?query=1&time=", "cannot parse \\\"\\\" to a valid timestamp"},
        {"query?query=1&timeout=long",
         "invalid parameter \\\"timeout\\\": cannot parse \\\"long\\\" to a valid duration"},
        {"query?query=1&timeout=-1", "to a valid duration"},
        {"query?query=1&timeout=NaN", "to a valid duration"},
        {"query?query=1&timeout=Inf", "to a valid duration"},
        {"query?query=1&lookback_delta=x", "invalid parameter \\\"lookback_delta\\\""},
        {"query?query=1&limit=x",
         "invalid parameter \\\"limit\\\": cannot parse \\\"x\\\" to a valid limit"},
        {"query?query=1&limit=-1", "invalid parameter \\\"limit\\\""},
        {"labels?start=x", "invalid parameter \\\"start\\\""},
        {"labels?end=x", "invalid parameter \\\"end\\\""},
        {"labels?start=2&end=1", "end timestamp must not be before start timestamp"},
        {"series?match[]=%7B", "invalid parameter \\\"match[]\\\": 1:2: parse error"},
        {"series?match[]=%7Bx=~%22.*%22%7D", "at least one non-empty matcher"},
        {"series?match[]=up&match[]=%7Bx=~%22(%22%7D", "invalid parameter \\\"match[]\\\""},
        {"series", "no match[] parameter provided"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char target[256];
        (void)snprintf(target, sizeof target, "/api/v1/%s", rows[i].target);
        assert_bad(server, target, rows[i].text);
    }
}

/* count times match[]=up. */
static int ask_selectors(size_t count) {
    struct sn_buf form;
    struct reply reply;
    sn_buf_init(&form, 0);
    for (size_t i = 0; i < count; i++)
        sn_buf_put_text(&form, "match[]=up&");
    sn_buf_put_byte(&form, '\0');
    ask(server, "POST", "/api/v1/series", FORM, (const char *)form.ptr, &reply);
    int status = reply.status;
    if (status != 200)
        assert_error(&reply, 400, "bad_data", "more than 128");
    reply_release(&reply);
    sn_buf_release(&form);
    return status;
}

static void selectors_are_limited(void **state) {
    (void)state;
    assert_int_equal(ask_selectors(SN_PROM_SELECTORS_MAX), 200);
    assert_int_equal(ask_selectors(SN_PROM_SELECTORS_MAX + 1), 400);
}

static void parameters_that_nobody_knows_are_ignored(void **state) {
    (void)state;
    ask_query("&surplus=1&_=123");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(times_are_rfc_3339_or_seconds_and_now_by_default),
        TEST(durations_are_texts_or_seconds),
        TEST(bad_values_are_named),
        TEST(selectors_are_limited),
        TEST(parameters_that_nobody_knows_are_ignored),
    };
    return cmocka_run_group_tests_name("prom_params", tests, NULL, NULL);
}
