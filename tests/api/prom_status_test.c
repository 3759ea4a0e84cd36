/* What clients ask about the server. */
#include "api/prom_priv.h"

#include "prom_support.h"

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

static void what_is_not_there_yet_is_an_empty_list(void **state) {
    (void)state;
    assert_data(server, "/api/v1/rules", "{\"groups\":[]}");
    assert_data(server, "/api/v1/rules?type=alert", "{\"groups\":[]}");
    assert_data(server, "/api/v1/rules?type=record", "{\"groups\":[]}");
    assert_bad(server, "/api/v1/rules?type=nonsense", "not one of alert, record");
    assert_data(server, "/api/v1/alerts", "{\"alerts\":[]}");
    assert_data(server, "/api/v1/alertmanagers",
                "{\"activeAlertmanagers\":[],\"droppedAlertmanagers\":[]}");
}

static void the_version_is_the_one_whose_semantics_hold(void **state) {
    (void)state;
    struct reply reply;
    ask(server, "GET", "/api/v1/status/buildinfo", "", "", &reply);
    assert_int_equal(reply.status, 200);
    assert_json(&reply);
    assert_non_null(strstr(reply.body, "\"data\":{\"version\":\"3.0.0\",\"revision\":\"\","
                                       "\"branch\":\"\",\"buildUser\":\"\",\"buildDate\":\"\","
                                       "\"goVersion\":\"\",\"sonde\":\""));
    reply_release(&reply);
}

static void the_start_and_the_retention_are_told(void **state) {
    (void)state;
    assert_data(server, "/api/v1/status/runtimeinfo",
                "{\"startTime\":\"2023-11-14T22:12:20.000Z\",\"storageRetention\":\"15d\"}");
}

static void the_configuration_is_text(void **state) {
    (void)state;
    assert_data(server, "/api/v1/status/config", "{\"yaml\":\"access: \\\"open\\\"\\n\"}");
    server->config_status = SN_ERR_NO_MEMORY;
    assert_ask_fails(server, "GET", "/api/v1/status/config", "", "", 503, "unavailable", "no text");
}

static void flags_are_texts(void **state) {
    (void)state;
    assert_data(
        server, "/api/v1/status/flags",
        "{\"storage.tsdb.retention.time\":\"15d\",\"web.enable-admin-api\":\"false\","
        "\"web.enable-lifecycle\":\"false\",\"web.enable-remote-write-receiver\":\"true\"}");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(what_is_not_there_yet_is_an_empty_list),
        TEST(the_version_is_the_one_whose_semantics_hold),
        TEST(the_start_and_the_retention_are_told),
        TEST(the_configuration_is_text),
        TEST(flags_are_texts),
    };
    return cmocka_run_group_tests_name("prom_status", tests, NULL, NULL);
}
