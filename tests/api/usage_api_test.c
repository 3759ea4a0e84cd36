/* GET /api/v1/usage. */
#include "dash_support.h"

#include <stdio.h>

/* An event of an application so long ago. */
static void add(struct dash *dash, const char *app, int64_t ago_ms, const char *rest) {
    char body[512], time[SN_TIME_TEXT_SIZE];
    struct reply reply;
    sn_time_format(NOW_MS - ago_ms, time);
    (void)snprintf(body, sizeof body, "{\"app\":\"%s\",\"type\":\"t\",\"timestamp\":\"%s\",%s}",
                   app, time, rest);
    ask(dash->server, "POST", "/api/v1/events", "", body, &reply);
    if (reply.status != 201)
        fail_msg("%s", reply.body);
    reply_release(&reply);
}

#define OK_EVENT                                                                                   \
    "\"outcome\":\"ok\",\"user_id\":\"u\",\"duration_ms\":500,\"quantity\":2,\"credits\":10,"      \
    "\"items\":[{\"kind\":\"pose\",\"id\":\"p\",\"name\":\"n\",\"category\":\"c\"}]"
#define BAD_EVENT                                                                                  \
    "\"user_id\":\"v\",\"credits\":-1,\"error\":{\"message\":\"timed out\",\"type\":\"T\"}"

static void all_applications_add_up(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    add(dash, "a", 0, OK_EVENT);
    add(dash, "b", 7200000, BAD_EVENT);
    add(dash, "b", INT64_C(25) * 3600000, OK_EVENT); /* the day before */
    (void)dash_get(dash, "/api/v1/usage");
    /* 22:13:20: the running hour ends at 23:00. */
    dash_has(dash, "{\"period\":\"24h\",\"start\":1699916400,\"end\":1700002800,\"apps\":[\"a\","
                   "\"b\"],\"app\":null,\"totals\":{\"events\":2,\"ok\":1,\"errors\":1,"
                   "\"aborted\":0,\"success_rate\":0.5,\"average_time_per_item_seconds\":0.25,"
                   "\"average_duration_seconds\":0.5,");
    dash_has(dash, "\"users\":2,\"credits_used\":10,\"credits_refunded\":1,\"refund_rate\":0.1}");
    dash_has(dash, "\"previous\":{\"events\":1,\"ok\":1,");
    dash_has(dash, "\"series\":{\"start\":1699916400,\"step\":3600,\"count\":24,\"ok\":[0,");
    dash_has(dash, ",0,0,1],\"errors\":[0,");
    dash_has(dash, ",0,1,0,0]}");
    dash_has(dash, "\"top_users\":[{\"user_id\":\"u\",\"generation_count\":1,\"total_items\":2,"
                   "\"success_rate\":1},{\"user_id\":\"v\"");
    dash_has(dash, "\"popular\":[{\"kind\":\"pose\",\"id\":\"p\",\"name\":\"n\",\"category\":\"c\","
                   "\"usage_count\":1}]");
    dash_has(dash, "\"errors\":[{\"error_type\":\"TIMEOUT_ERROR\",\"count\":1,");
    dash_has(dash, "\"exact\":true,\"error_bound\":0}}");
    dash_stop(dash);
}

static void one_application_is_asked_alone(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    add(dash, "a", 0, OK_EVENT);
    add(dash, "b", 600000, BAD_EVENT);
    (void)dash_get(dash, "/api/v1/usage?app=b&period=1h&limit=1");
    dash_has(dash, "\"apps\":[\"a\",\"b\"],\"app\":\"b\",\"totals\":{\"events\":1,\"ok\":0,");
    dash_has(dash, "\"previous\":null");
    dash_has(dash, "\"step\":300,\"count\":12,");
    static const char *const periods[] = {"7d", "30d"};
    for (size_t i = 0; i < 2; i++) {
        char target[64];
        (void)snprintf(target, sizeof target, "/api/v1/usage?period=%s", periods[i]);
        (void)dash_get(dash, target);
        dash_has(dash, "\"totals\":{\"events\":2,\"ok\":1,\"errors\":1,");
    }
    (void)dash_get(dash, "/api/v1/usage?app=nobody");
    dash_has(dash, "\"totals\":{\"events\":0,");
    dash_has(dash, "\"success_rate\":null");
    dash_stop(dash);
}

static void parameters_are_checked(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    dash_refuses(dash, "/api/v1/usage?period=2h", "parameter period: \\\"2h\\\" is none of");
    dash_refuses(dash, "/api/v1/usage?limit=101", "parameter limit is 101, must be 1 to 100");
    dash_stop(dash);
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    assert_ask_fails(server, "GET", "/api/v1/usage", "", "", 501, "unsupported", "no records");
    test_server_stop(server);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_applications_add_up),
        cmocka_unit_test(one_application_is_asked_alone),
        cmocka_unit_test(parameters_are_checked),
    };
    return cmocka_run_group_tests_name("usage_api", tests, NULL, NULL);
}
