/* GET /api/v1/services: order, filters, pages. */
#include "dash_support.h"

#include <stdio.h>

/* Names in order of appearance, each with a blank behind it. */
static const char *names_of(struct dash *dash, const char *target) {
    static char text[4096];
    size_t len = 0;
    const char *at = dash_get(dash, target);
    text[0] = '\0';
    while ((at = strstr(at, "{\"name\":\"")) != NULL) {
        at += strlen("{\"name\":\"");
        len += (size_t)snprintf(text + len, sizeof text - len, "%.*s ", (int)strcspn(at, "\""), at);
    }
    return text;
}

static struct dash *start(void) {
    struct dash *dash = dash_new();
    dash_add_service(dash, "api/fast", 50, 0);
    dash_add_service(dash, "api/slow", 5, 0);
    dash_add_service(dash, "broken", 1, 1);
    dash_add_service(dash, "Worried", 14, 1);
    dash_add(dash, 7200000, 1, "sonde_operations_total", "service", "silent", "operation", "o",
             "outcome", "ok", NULL);
    dash_add(dash, 0, 3, "sonde_operations_active", "service", "api/slow", NULL);
    dash_add(dash, 0, 1000, "sonde_service_start_time_seconds", "service", "api/slow", NULL);
    dash_add(dash, 0, 2000, "sonde_service_start_time_seconds", "service", "broken", NULL);
    dash_start(dash);
    return dash;
}

static void every_order_goes_both_ways(void **state) {
    (void)state;
    static const struct {
        const char *sort, *names;
    } rows[] = {
        {"status", "broken Worried silent api/fast api/slow "},
        {"-status", "api/slow api/fast silent Worried broken "},
        {"name", "Worried api/fast api/slow broken silent "},
        {"-name", "silent broken api/slow api/fast Worried "},
        {"operations_per_second", "broken api/slow Worried api/fast silent "},
        {"-operations_per_second", "api/fast Worried api/slow broken silent "},
        {"-error_ratio", "broken Worried api/fast api/slow silent "},
        {"-active", "api/slow Worried api/fast broken silent "},
        {"uptime_seconds", "broken api/slow Worried api/fast silent "},
        {"-uptime_seconds", "api/slow broken Worried api/fast silent "},
        {"p95_seconds", "Worried api/fast api/slow broken silent "},
    };
    struct dash *dash = start();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char target[128];
        (void)snprintf(target, sizeof target, "/api/v1/services?sort=%s", rows[i].sort);
        assert_string_equal(names_of(dash, target), rows[i].names);
    }
    dash_stop(dash);
}

static void filters_leave_the_counts_of_the_chips(void **state) {
    (void)state;
    struct dash *dash = start();
    assert_string_equal(names_of(dash, "/api/v1/services?status=critical,warning"),
                        "broken Worried ");
    dash_has(dash, "\"total\":5,\"matching\":2,\"counts\":{\"critical\":1,\"warning\":1,"
                   "\"unknown\":1,\"good\":2}");
    assert_string_equal(names_of(dash, "/api/v1/services?q=API%2F"), "api/fast api/slow ");
    dash_has(dash, "\"total\":5,\"matching\":2,\"counts\":{\"critical\":0,\"warning\":0,"
                   "\"unknown\":0,\"good\":2}");
    assert_string_equal(names_of(dash, "/api/v1/services?q=nothing"), "");
    dash_stop(dash);
}

static void pages_have_totals(void **state) {
    (void)state;
    struct dash *dash = start();
    assert_string_equal(names_of(dash, "/api/v1/services?sort=name&limit=2&offset=2"),
                        "api/slow broken ");
    dash_has(dash, "\"matching\":5");
    dash_has(dash, "\"limit\":2,\"offset\":2,");
    assert_string_equal(names_of(dash, "/api/v1/services?sort=name&limit=2&offset=4"), "silent ");
    assert_string_equal(names_of(dash, "/api/v1/services?offset=5"), "");
    assert_string_equal(names_of(dash, "/api/v1/services?offset=10000"), "");
    dash_stop(dash);
}

static void rows_have_both_charts(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/services?range=15m&q=broken");
    dash_has(dash, "\"ops_spark\":[null,");
    dash_has(dash, ",2,2],\"p95_spark\":[null,");
    (void)dash_get(dash, "/api/v1/services?q=broken&start=1699990000&end=1699999700");
    dash_has(dash, "\"spark\":{\"start\":1699989900,\"step\":300,\"count\":32}"); /* no "now" */
    dash_stop(dash);
}

static void parameters_are_checked(void **state) {
    (void)state;
    struct dash *dash = start();
    dash_refuses(dash, "/api/v1/services?sort=p96", "parameter sort: \\\"p96\\\" is none of");
    dash_refuses(dash, "/api/v1/services?status=bad", "parameter status: \\\"bad\\\" is none of");
    dash_refuses(dash, "/api/v1/services?limit=201", "parameter limit is 201, must be 1 to 200");
    dash_refuses(dash, "/api/v1/services?limit=0", "parameter limit is 0");
    dash_refuses(dash, "/api/v1/services?offset=10001", "parameter offset is 10001");
    char target[400] = "/api/v1/services?q=";
    size_t len = strlen(target);
    memset(target + len, 'x', 201);
    dash_refuses(dash, target, "parameter q has 201 bytes, the limit is 200");
    target[len + 200] = '\0';
    (void)dash_get(dash, target);
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_order_goes_both_ways),
        cmocka_unit_test(filters_leave_the_counts_of_the_chips),
        cmocka_unit_test(pages_have_totals),
        cmocka_unit_test(rows_have_both_charts),
        cmocka_unit_test(parameters_are_checked),
    };
    return cmocka_run_group_tests_name("services_api", tests, NULL, NULL);
}
