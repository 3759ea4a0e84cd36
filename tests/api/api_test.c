/* Dispatch: what is refused before a handler runs, for every route, and how errors look. */
#include "api_support.h"

#include <stdio.h>

#define READ_ROUTE "/api/v1/history?metric=up&step=1h"
#define IMPORT "/api/v1/import/prometheus"

static int set_up_open(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int set_up_required(void **state) {
    *state = test_server_start(SN_API_ACCESS_REQUIRED);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

/* A method of the route: the first of GET, POST, PATCH, DELETE, PUT. */
static const char *method_of(const struct sn_api_route *route) {
    if ((route->methods & SN_API_GET) != 0)
        return "GET";
    if ((route->methods & SN_API_POST) != 0)
        return "POST";
    if ((route->methods & SN_API_PATCH) != 0)
        return "PATCH";
    return (route->methods & SN_API_DELETE) != 0 ? "DELETE" : "PUT";
}

static void ask_route(struct test_server *server, const struct sn_api_route *route,
                      const char *headers, struct reply *ret_reply) {
    const char *method = method_of(route);
    ask(server, method, route->path, headers, strcmp(method, "POST") == 0 ? "a 1\n" : "",
        ret_reply);
}

static void unknown_paths_are_404_with_any_method(void **state) {
    static const char *const methods[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
    static const char *const paths[] = {"/nothing", "/api/v1", "/api/v1/history/x",
                                        "/%2e%2e/etc/passwd", "/metrics%00"};
    for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++)
        for (size_t p = 0; p < sizeof paths / sizeof paths[0]; p++) {
            struct reply reply;
            ask(*state, methods[m], paths[p], "", "", &reply);
            assert_int_equal(reply.status, strstr(paths[p], "%00") ? 400 : 404);
            if (strcmp(methods[m], "HEAD") != 0)
                assert_json(&reply);
            reply_release(&reply);
        }
}

/* Of all rows of a path. */
static unsigned methods_of(const char *path) {
    unsigned methods = 0;
    for (size_t i = 0; i < sn_api_route_count; i++)
        if (strcmp(sn_api_routes[i].path, path) == 0)
            methods |= sn_api_routes[i].methods;
    return methods;
}

static void every_route_refuses_other_methods_and_names_its_own(void **state) {
    static const struct {
        const char *name;
        unsigned bit;
    } methods[] = {
        {"GET", SN_API_METHOD(SN_HTTP_GET)},        {"POST", SN_API_METHOD(SN_HTTP_POST)},
        {"PUT", SN_API_METHOD(SN_HTTP_PUT)},        {"DELETE", SN_API_METHOD(SN_HTTP_DELETE)},
        {"PATCH", SN_API_METHOD(SN_HTTP_PATCH)},    {"OPTIONS", SN_API_METHOD(SN_HTTP_OPTIONS)},
        {"PROPFIND", SN_API_METHOD(SN_HTTP_OTHER)},
    };
    for (size_t r = 0; r < sn_api_route_count; r++)
        for (size_t m = 0; m < sizeof methods / sizeof methods[0]; m++) {
            struct reply reply;
            if ((methods_of(sn_api_routes[r].path) & methods[m].bit) != 0)
                continue;
            ask(*state, methods[m].name, sn_api_routes[r].path, "", "", &reply);
            assert_error(&reply, 405, "not_allowed", "method");
            assert_string_equal(reply_header(&reply, "Allow"), sn_api_routes[r].allow);
            reply_release(&reply);
        }
}

static void no_get_route_takes_a_body(void **state) {
    for (size_t r = 0; r < sn_api_route_count; r++)
        if (sn_api_routes[r].methods == SN_API_GET) {
            struct reply reply;
            ask(*state, "GET", sn_api_routes[r].path, "", "x", &reply);
            assert_int_equal(reply.status, 413);
            assert_json(&reply);
            reply_release(&reply);
        }
}

static void open_access_answers_no_foreign_host(void **state) {
    static const char *const hosts[] = {"Host: evil.example\r\n",
                                        "Host: 127.0.0.1.evil.example:9464\r\n",
                                        "Host: [::1].evil.example\r\n"};
    for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++)
        for (size_t r = 0; r < sn_api_route_count; r++) {
            struct reply reply;
            ask_route(*state, &sn_api_routes[r], hosts[h], &reply);
            if (reply.status == 400) /* refused by the server below: not a host at all */
                assert_json(&reply);
            else if (sn_api_routes[r].role != SN_API_PUBLIC)
                assert_error(&reply, 403, "forbidden", "open access");
            else if (sn_api_routes[r].methods == SN_API_POST)
                assert_int_equal(reply.status, 501); /* nobody signs in here */
            else if (strchr(sn_api_routes[r].path, '{') != NULL)
                assert_int_equal(reply.status, 404); /* there is no file of that name */
            else
                assert_int_equal(reply.status, 200);
            reply_release(&reply);
        }
    const struct test_server *server = *state;
    assert_int_equal(server->store.push_count, 0);
}

static void open_access_answers_to_all_names_of_this_machine(void **state) {
    static const char *const hosts[] = {"Host: localhost\r\n", "Host: localhost:1\r\n",
                                        "Host: 127.3.2.1:9464\r\n", "Host: [::1]:9464\r\n"};
    for (size_t h = 0; h < sizeof hosts / sizeof hosts[0]; h++) {
        struct reply reply;
        ask(*state, "GET", READ_ROUTE, hosts[h], "", &reply);
        assert_int_equal(reply.status, 200);
        reply_release(&reply);
    }
}

static void without_sign_in_only_public_routes_and_local_ingest_are_answered(void **state) {
    for (size_t r = 0; r < sn_api_route_count; r++) {
        const struct sn_api_route *route = &sn_api_routes[r];
        struct reply reply;
        ask_route(*state, route, "", &reply);
        if (route->role == SN_API_READ || route->role == SN_API_ADMIN) {
            assert_error(&reply, 401, "unauthorized", "not signed in");
            assert_string_equal(reply_header(&reply, "WWW-Authenticate"), "Bearer realm=\"sonde\"");
        } else {
            assert_int_not_equal(reply.status, 401);
            assert_int_not_equal(reply.status, 403);
        }
        reply_release(&reply);
    }
    assert_ask_fails(*state, "POST", IMPORT, "Authorization: Bearer guessed\r\n", "a 1\n", 401,
                     "unauthorized", "not signed in");
    assert_ask_fails(*state, "POST", IMPORT, "Host: evil.example\r\n", "a 1\n", 401, "unauthorized",
                     "not signed in");
    const struct test_server *server = *state;
    assert_int_equal(server->store.push_count, 1);
}

static void a_refused_body_is_never_read(void **state) {
    struct reply reply;
    int fd = client_send(*state, "POST", "/healthz", "Content-Length: 1000000000\r\n", SN_STR(""));
    client_receive(fd, &reply); /* comes although no byte of the body was sent */
    assert_error(&reply, 405, "not_allowed", "method");
    reply_release(&reply);
}

static bool is_shared_with_all(const struct test_server *server, const char *path) {
    struct reply reply;
    ask(server, "GET", path, "Origin: https://grafana.example\r\n", "", &reply);
    const char *origins = reply_header(&reply, "Access-Control-Allow-Origin");
    bool is_shared = origins != NULL && strcmp(origins, "*") == 0;
    assert_true(is_shared || origins == NULL);
    assert_null(reply_header(&reply, "Access-Control-Allow-Credentials"));
    reply_release(&reply);
    return is_shared;
}

static void open_access_shares_promql_with_pages_of_other_origins(void **state) {
    static const struct sn_str promql[] = {
        SN_STR("/api/v1/query"),
        SN_STR("/api/v1/query_range"),
        SN_STR("/api/v1/series"),
        SN_STR("/api/v1/query_exemplars"),
        SN_STR("/api/v1/labels"),
        SN_STR("/api/v1/label/{name}/values"),
        SN_STR("/api/v1/metadata"),
        SN_STR("/api/v1/parse_query"),
        SN_STR("/api/v1/rules"),
        SN_STR("/api/v1/alerts"),
        SN_STR("/api/v1/targets"),
        SN_STR("/api/v1/alertmanagers"),
        SN_STR("/api/v1/format_query"),
        SN_STR("/federate"),
        SN_STR("/api/v1/targets/metadata"),
        SN_STR("/api/v1/scrape_pools"),
    };
    for (size_t i = 0; i < sn_api_route_count; i++) {
        struct sn_str path = sn_str_from(sn_api_routes[i].path);
        bool is_promql = false;
        for (size_t j = 0; j < sizeof promql / sizeof promql[0]; j++)
            is_promql = is_promql || sn_str_equal(path, promql[j]);
        if (sn_api_routes[i].is_shareable != is_promql)
            fail_msg("%s", path.ptr);
    }
    assert_true(is_shared_with_all(*state, "/api/v1/parse_query?query=1"));
    assert_false(is_shared_with_all(*state, "/api/v1/status/config"));
    assert_false(is_shared_with_all(*state, "/api/v1/history?series=up"));
    assert_false(is_shared_with_all(*state, "/metrics"));
}

static void what_needs_access_is_shared_with_nobody(void **state) {
    assert_false(is_shared_with_all(*state, "/api/v1/parse_query?query=1"));
}

static void requests_in_the_queue_are_answered_when_the_server_stops(void **state) {
    struct test_server *server = *state;
    struct reply reply;
    server->store.is_holding_reads = true;
    int first = client_send(server, "GET", READ_ROUTE, "", SN_STR(""));
    test_server_await_read(server);
    server->workers[0].stop(server->workers[0].ctx);
    test_server_release_reads(server);
    client_receive(first, &reply);
    assert_int_equal(reply.status, 200);
    reply_release(&reply);
}

static void the_number_of_job_workers_can_be_chosen(void **state) {
    (void)state;
    struct sn_worker workers[SN_API_WORKERS_MAX];
    struct sn_api_options options = {.clock = sn_clock_system()};
    struct sn_api *api = NULL;
    assert_int_equal(sn_api_open(&options, &api, NULL), SN_OK);
    assert_int_equal(sn_api_workers(api, workers, SN_API_WORKERS_MAX),
                     2 + 2); /* the watch and streams */
    assert_int_equal(sn_api_workers(api, workers, 1), 1);
    assert_null(sn_api_close(api));
    options.job_worker_count = 5;
    assert_int_equal(sn_api_open(&options, &api, NULL), SN_OK);
    assert_int_equal(sn_api_workers(api, workers, SN_API_WORKERS_MAX), 2 + 5);
    assert_null(sn_api_close(api));
    assert_null(sn_api_close(NULL));
}

int main(void) {
#define TEST_OPEN(f) cmocka_unit_test_setup_teardown(f, set_up_open, tear_down)
    const struct CMUnitTest tests[] = {
        TEST_OPEN(unknown_paths_are_404_with_any_method),
        TEST_OPEN(every_route_refuses_other_methods_and_names_its_own),
        TEST_OPEN(no_get_route_takes_a_body),
        TEST_OPEN(open_access_answers_no_foreign_host),
        TEST_OPEN(open_access_answers_to_all_names_of_this_machine),
        cmocka_unit_test_setup_teardown(
            without_sign_in_only_public_routes_and_local_ingest_are_answered, set_up_required,
            tear_down),
        TEST_OPEN(a_refused_body_is_never_read),
        TEST_OPEN(open_access_shares_promql_with_pages_of_other_origins),
        cmocka_unit_test_setup_teardown(what_needs_access_is_shared_with_nobody, set_up_required,
                                        tear_down),
        TEST_OPEN(requests_in_the_queue_are_answered_when_the_server_stops),
        cmocka_unit_test(the_number_of_job_workers_can_be_chosen),
    };
    return cmocka_run_group_tests_name("api", tests, NULL, NULL);
}
