/* /metrics/job/...: the path, the methods, the answers. */
#include "api_support.h"

#include "base/os.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char directory[64];

static int set_up(void **state) {
    struct test_server *server = test_server_start(SN_API_ACCESS_OPEN);
    (void)snprintf(directory, sizeof directory, "/tmp/sonde_push_XXXXXX");
    if (mkdtemp(directory) == NULL)
        return -1;
    const struct sn_push_groups_options options = {.ingest = &server->ingest,
                                                   .clock = &server->clock.clock,
                                                   .directory = directory,
                                                   .interval_ms = 1000};
    *state = server;
    return sn_push_groups_open(&options, &server->api->options.push_groups, NULL) == SN_OK ? 0 : -1;
}

static int tear_down(void **state) {
    struct test_server *server = *state;
    struct sn_push_groups *groups = server->api->options.push_groups;
    test_server_stop(server);
    (void)sn_push_groups_close(groups); /* NULL, always */
    return sn_os_remove_tree(directory, NULL) == SN_OK ? 0 : -1;
}

static int status_of(struct test_server *server, const char *method, const char *target,
                     const char *page) {
    struct reply reply;
    ask(server, method, target, "", page, &reply);
    int status = reply.status;
    reply_release(&reply);
    return status;
}

static void assert_pushes(struct test_server *server, const char *target, const char *series) {
    assert_int_equal(status_of(server, "PUT", target, "a 1\n"), 200);
    if (strstr(server->store.text, series) == NULL)
        fail_msg("%s: no %s in %s", target, series, server->store.text);
}

static void the_path_names_the_group(void **state) {
    assert_pushes(*state, "/metrics/job/x", "a{job=\"x\"} 1 @");
    assert_pushes(*state, "/metrics/job/x/instance/y/", "a{instance=\"y\",job=\"x\"} 1 @");
    assert_pushes(*state, "/metrics/job/a%2Fb/p/%C3%A4+%20", "a{job=\"a/b\",p=\"\xc3\xa4+ \"} 1 @");
    assert_pushes(*state, "/metrics/job@base64/L3Zhcg==", "a{job=\"/var\"} 1 @");
    assert_pushes(*state, "/metrics/job/x/path@base64/L3Zhci90bXA",
                  "a{job=\"x\",path=\"/var/tmp\"} 1");
    assert_pushes(*state, "/metrics/job/x/none@base64/=", "a{job=\"x\"} 1 @");
}

static void bad_paths_are_refused(void **state) {
    static const struct {
        const char *target;
        const char *words;
    } cases[] = {
        {"/metrics/job/x/instance", "\\\"instance\\\" of the group has no value"},
        {"/metrics/job/x/job/y", "twice"},
        {"/metrics/job/x/__name__/y", "__name__"},
        {"/metrics/job/x/a-b/y", "a-b"},
        {"/metrics/job/x/a@base64/!", "not base64"},
        {"/metrics/job@base64/=", "no job"},
        {"/metrics/job/x/a/%ff", "UTF-8"},
    };
    struct test_server *server = *state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_ask_fails(server, "PUT", cases[i].target, "", "a 1\n", 400, "bad_data",
                         cases[i].words);
    assert_int_equal(server->store.push_count, 0);
}

static void put_post_and_delete_do_what_they_say(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    ask(server, "PUT", "/metrics/job/x", "", "a 1\nb 2\n", &reply);
    assert_string_equal(reply.body,
                        "{\"status\":\"success\",\"data\":{\"accepted\":4,\"rejected\":{}}}");
    reply_release(&reply);
    assert_int_equal(status_of(server, "POST", "/metrics/job/x", "b 3\n"), 200);
    assert_non_null(strstr(server->store.text, "a{job=\"x\"} 1 @"));
    assert_non_null(strstr(server->store.text, "b{job=\"x\"} 3 @"));
    assert_int_equal(status_of(server, "PUT", "/metrics/job/x", "c 4\n"), 200);
    assert_int_equal(status_of(server, "DELETE", "/metrics/job/x", ""), 202);
    assert_int_equal(status_of(server, "DELETE", "/metrics/job/x", ""), 202);
    assert_int_equal(status_of(server, "GET", "/metrics/job/x", ""), 405);
}

static void other_formats_are_refused_by_name(void **state) {
    assert_ask_fails(*state, "PUT", "/metrics/job/x",
                     "Content-Type: application/vnd.google.protobuf; encoding=text\r\n", "a 1\n",
                     415, "unsupported", "text/plain; version=0.0.4");
    assert_ask_fails(*state, "PUT", "/metrics/job/x",
                     "Content-Type: application/vnd.google.protobuf; "
                     "proto=io.prometheus.client.MetricFamily; encoding=delimited\r\n",
                     "a 1\n", 400, "bad_data", "");
    assert_ask_fails(*state, "POST", "/metrics/job/x", "", "a 1 5\n", 400, "bad_data",
                     "line 1: pushed metrics must not have timestamps");
}

static void without_groups_the_answer_says_so(void **state) {
    struct test_server *server = *state;
    struct sn_push_groups *groups = server->api->options.push_groups;
    server->api->options.push_groups = NULL;
    assert_ask_fails(server, "PUT", "/metrics/job/x", "", "a 1\n", 501, "unsupported", "groups");
    server->api->options.push_groups = groups;
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_path_names_the_group),
        TEST(bad_paths_are_refused),
        TEST(put_post_and_delete_do_what_they_say),
        TEST(other_formats_are_refused_by_name),
        TEST(without_groups_the_answer_says_so),
    };
    return cmocka_run_group_tests_name("push_api", tests, NULL, NULL);
}
