/* Tests of the middleware for libmicrohttpd. */
#include "sonde/microhttpd.h"

#include "clienthttp_support.h"

#include <netinet/in.h>
#include <sched.h>
#include <stdatomic.h>
#include <unistd.h>

#define REQUESTS(method, path, status)                                                             \
    "http_requests_total{method=\"" method "\",path=\"" path "\",status=\"" status "\"}"

struct server {
    sonde_registry *registry;
    sonde_http *http;
    sonde_microhttpd *middleware;
    struct MHD_Daemon *daemon;
    unsigned port;
    _Atomic int completed;
    _Atomic int opened;
    _Atomic int closed;
    _Atomic int fail_nth; /* allocation of each connection from its accepting on */
    struct MHD_Connection *_Atomic suspended;
};

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status) {
    struct MHD_Response *response =
        MHD_create_response_from_buffer(2, (void *)(uintptr_t) "ok", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* A body that never ends. */
static ssize_t drip(void *ctx, uint64_t at, char *buf, size_t len) {
    (void)ctx;
    (void)at;
    memset(buf, 'x', len);
    return (ssize_t)len;
}

static enum MHD_Result answer_endless(struct MHD_Connection *connection) {
    struct MHD_Response *response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 65536, drip, NULL, NULL);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

/* The host's handler, with a req_cls of its own. */
static enum MHD_Result handle(void *cls, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload_data,
                              size_t *upload_data_size, void **req_cls) {
    struct server *server = cls;
    (void)version;
    (void)upload_data;
    if (*req_cls == NULL) {
        *req_cls = server;
        return MHD_YES;
    }
    assert_ptr_equal(*req_cls, server);
    if (*upload_data_size > 0) {
        *upload_data_size = 0;
        return MHD_YES;
    }
    if (strcmp(url, "/close") == 0)
        return MHD_NO;
    if (strcmp(url, "/endless") == 0)
        return answer_endless(connection);
    if (strcmp(url, "/later") == 0) {
        MHD_suspend_connection(connection);
        atomic_store(&server->suspended, connection);
        return MHD_YES;
    }
    if (strncmp(url, "/blog/", 6) == 0)
        sonde_microhttpd_route(connection, "/blog/:slug");
    return answer(connection, strcmp(method, "POST") == 0 ? 201 : 200);
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **req_cls,
                         enum MHD_RequestTerminationCode code) {
    struct server *server = cls;
    (void)connection;
    (void)code;
    assert_ptr_equal(*req_cls, server);
    atomic_fetch_add(&server->completed, 1);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **socket_context,
                          enum MHD_ConnectionNotificationCode code) {
    struct server *server = cls;
    (void)connection;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *socket_context = server;
        atomic_fetch_add(&server->opened, 1);
    } else {
        /* Without memory for the connection the host's context is lost as well. */
        assert_true(*socket_context == server || atomic_load(&server->fail_nth) != 0);
        atomic_fetch_add(&server->closed, 1);
    }
}

/* Called in the daemon's thread when a connection is about to be accepted. */
static enum MHD_Result on_accept(void *cls, const struct sockaddr *address, socklen_t len) {
    struct server *server = cls;
    (void)address;
    (void)len;
    sn_mem_fail_nth((uint64_t)atomic_load(&server->fail_nth));
    return MHD_YES;
}

static void start(struct server *server) {
    memset(server, 0, sizeof *server);
    server->registry = sonde_registry_new(NULL, NULL);
    server->http = sonde_http_new(&(sonde_http_options){.registry = server->registry}, NULL);
    sonde_microhttpd_options options = {.http = server->http,
                                        .handler = handle,
                                        .handler_ctx = server,
                                        .completed = on_completed,
                                        .completed_ctx = server,
                                        .connection = on_connection,
                                        .connection_ctx = server};
    sonde_error error;
    server->middleware = sonde_microhttpd_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    struct sockaddr_in address = {.sin_family = AF_INET};
    server->daemon = MHD_start_daemon(
        MHD_USE_POLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, on_accept, server,
        sonde_microhttpd_handle, server->middleware, MHD_OPTION_SOCK_ADDR, &address,
        MHD_OPTION_ARRAY, sonde_microhttpd_items(server->middleware), MHD_OPTION_END);
    assert_non_null(server->daemon);
    server->port = MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
}

static void stop(struct server *server) {
    MHD_stop_daemon(server->daemon);
    assert_int_equal(atomic_load(&server->opened), atomic_load(&server->closed));
    assert_true(value_of(server->registry, "active_connections") == 0);
    (void)sonde_microhttpd_free(server->middleware);
    (void)sonde_http_free(server->http);
    (void)sonde_registry_free(server->registry);
}

static void every_request_is_counted_under_its_route(void **state) {
    (void)state;
    struct server server;
    start(&server);
    test_free(get(server.port, "/users/1?secret=2", ""));
    test_free(get(server.port, "/users/2", ""));
    test_free(exchange(server.port,
                       "POST /users HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
                       "Connection: close\r\n\r\nabc",
                       NULL));
    test_free(get(server.port, "/blog/how-to-cook", ""));
    wait_for(server.registry, REQUESTS("GET", "/users/:id", "200"), 2);
    wait_for(server.registry, REQUESTS("POST", "/users", "201"), 1);
    wait_for(server.registry, REQUESTS("GET", "/blog/:slug", "200"), 1);
    wait_for(server.registry,
             "http_request_duration_seconds_count{method=\"GET\",path=\"/users/:id\"}", 2);
    stop(&server);
    assert_int_equal(atomic_load(&server.completed), 4);
}

static void requests_of_one_connection_are_kept_apart(void **state) {
    (void)state;
    struct server server;
    start(&server);
    int fd = connect_to(server.port);
    send_text(fd, "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\n"
                  "POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    wait_for(server.registry, REQUESTS("POST", "/c", "201"), 1);
    assert_true(value_of(server.registry, REQUESTS("GET", "/a", "200")) == 1);
    assert_true(value_of(server.registry, REQUESTS("GET", "/b", "200")) == 1);
    test_free(read_all(fd, NULL));
    stop(&server);
    assert_int_equal(atomic_load(&server.opened), 1);
}

static void open_connections_are_shown(void **state) {
    (void)state;
    struct server server;
    start(&server);
    int first = connect_to(server.port);
    int second = connect_to(server.port);
    wait_for(server.registry, "active_connections", 2);
    assert_int_equal(close(first), 0);
    wait_for(server.registry, "active_connections", 1);
    assert_int_equal(close(second), 0);
    wait_for(server.registry, "active_connections", 0);
    stop(&server);
}

static void a_request_without_its_answer_is_aborted(void **state) {
    (void)state;
    struct server server;
    start(&server);
    test_free(get(server.port, "/warm", ""));
    wait_for(server.registry, REQUESTS("GET", "/warm", "200"), 1);
    test_free(get(server.port, "/close", ""));
    wait_for(server.registry, REQUESTS("GET", ":other", "aborted"), 1);
    int fd = connect_to(server.port);
    send_text(fd, "GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
    char byte;
    assert_int_equal(recv(fd, &byte, 1, 0), 1);
    assert_int_equal(close(fd), 0);
    wait_for(server.registry, REQUESTS("GET", ":other", "aborted"), 2);
    fd = connect_to(server.port);
    send_text(fd, "POST /warm HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
    wait_for(server.registry, "active_connections", 1);
    assert_int_equal(close(fd), 0);
    wait_for(server.registry, REQUESTS("POST", "/warm", "aborted"), 1);
    stop(&server);
}

static void an_answer_from_another_thread_is_counted(void **state) {
    (void)state;
    struct server server;
    start(&server);
    int fd = connect_to(server.port);
    send_text(fd, "GET /later HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    struct MHD_Connection *connection;
    while ((connection = atomic_load(&server.suspended)) == NULL)
        (void)sched_yield();
    assert_int_equal(answer(connection, 202), MHD_YES);
    MHD_resume_connection(connection);
    wait_for(server.registry, REQUESTS("GET", "/later", "202"), 1);
    test_free(read_all(fd, NULL));
    stop(&server);
}

static void without_memory_requests_are_still_counted(void **state) {
    (void)state;
    struct server server;
    start(&server);
    test_free(get(server.port, "/warm", ""));
    wait_for(server.registry, REQUESTS("GET", "/warm", "200"), 1);
    wait_for(server.registry, "active_connections", 0);
    atomic_store(&server.fail_nth, 1);
    test_free(get(server.port, "/users/1", ""));
    wait_for(server.registry, REQUESTS("__other__", ":other", "200"), 1);
    wait_for(server.registry, "active_connections", 0);
    atomic_store(&server.fail_nth, 0);
    stop(&server);
}

static void a_middleware_needs_a_handler_and_memory(void **state) {
    (void)state;
    sonde_error error;
    assert_null(sonde_microhttpd_new(NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    sonde_microhttpd_options options = {.handler = NULL};
    assert_null(sonde_microhttpd_new(&options, &error));
    assert_string_equal(error.text, "a middleware has no handler");
    options.handler = handle;
    sn_mem_fail_nth(1);
    assert_null(sonde_microhttpd_new(&options, &error));
    sn_mem_fail_nth(0);
    assert_int_equal(error.status, SONDE_ERR_NO_MEMORY);
    assert_int_equal(sonde_microhttpd_items(NULL)->option, MHD_OPTION_END);
    assert_null(sonde_microhttpd_free(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_request_is_counted_under_its_route),
        cmocka_unit_test(requests_of_one_connection_are_kept_apart),
        cmocka_unit_test(open_connections_are_shown),
        cmocka_unit_test(a_request_without_its_answer_is_aborted),
        cmocka_unit_test(an_answer_from_another_thread_is_counted),
        cmocka_unit_test(without_memory_requests_are_still_counted),
        cmocka_unit_test(a_middleware_needs_a_handler_and_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
