/* Health, own metrics and the state of the host. */
#include "api_support.h"

static int set_up(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void a_living_server_is_healthy_also_when_it_is_not_ready(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->health_status = SN_ERR_NO_SPACE;
    ask(server, "GET", "/healthz", "Host: probe.example\r\n", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "ok\n");
    reply_release(&reply);
}

static void readiness_says_what_is_wrong(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    ask(server, "GET", "/readyz", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "ok\n");
    reply_release(&reply);
    server->health_status = SN_ERR_NO_SPACE;
    assert_ask_fails(server, "GET", "/readyz", "", "", 503, "unavailable", "writes are refused");
    server->health_status = SN_ERR_INTERNAL;
    assert_ask_fails(server, "GET", "/readyz", "", "", 503, "unavailable", "writes are refused");
}

static void own_metrics_are_a_text_page(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    const sonde_metric metric = {.name = "test_total", .help = "What a test counted."};
    sonde_counter *counter = sonde_counter_new(server->registry, &metric, NULL);
    sonde_counter_add(counter, 3);
    ask(server, "GET", "/metrics", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply_header(&reply, "Content-Type"), "text/plain; version=0.0.4"));
    assert_non_null(strstr(reply.body, "# HELP test_total What a test counted.\n"));
    assert_non_null(strstr(reply.body, "# TYPE test_total counter\n"));
    assert_non_null(strstr(reply.body, "\ntest_total 3\n"));
    reply_release(&reply);
    ask(server, "HEAD", "/metrics", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_len, 0);
    reply_release(&reply);
}

static void the_accept_header_chooses_the_format(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    ask(server, "GET", "/metrics",
        "Accept: application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.2\r\n", "",
        &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Content-Type"),
                        "application/openmetrics-text; version=1.0.0; charset=utf-8");
    assert_true(reply.body_len > 6);
    assert_string_equal(reply.body + reply.body_len - 6, "# EOF\n");
    reply_release(&reply);
    ask(server, "GET", "/metrics", "Accept: image/png\r\n", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply_header(&reply, "Content-Type"), "text/plain; version=0.0.4"));
    reply_release(&reply);
}

static void the_host_is_one_json_object(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    ask(server, "GET", "/api/v1/metrics/system/status", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "{\"cpu\":1}");
    assert_json(&reply);
    reply_release(&reply);
    server->host_status = SN_ERR_IO;
    assert_ask_fails(server, "GET", "/api/v1/metrics/system/status", "", "", 503, "unavailable",
                     "cannot read /proc");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_living_server_is_healthy_also_when_it_is_not_ready),
        TEST(readiness_says_what_is_wrong),
        TEST(own_metrics_are_a_text_page),
        TEST(the_accept_header_chooses_the_format),
        TEST(the_host_is_one_json_object),
    };
    return cmocka_run_group_tests_name("status_api", tests, NULL, NULL);
}
