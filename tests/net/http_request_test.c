/* Tests of what callers read from a request, and of its memory. */
#include "http_support.h"

#include "base/mem.h"
#include "net/http_priv.h"

#include <unistd.h>

/* What the handler saw of the last request. */
static struct {
    char text[512];
    bool is_loopback;
    bool has_user;
} seen;

static void route(void *ctx, struct sn_http_request *request, struct sn_http_body_rules *rules) {
    (void)ctx;
    (void)rules;
    assert_null(sn_http_request_user(request));
    assert_int_equal(sn_http_request_body(request).len, 0);
    sn_http_request_set_user(request, request);
}

static void handle(void *ctx, struct sn_http_request *request) {
    struct sn_str header = SN_STR("-");
    struct sn_str param = SN_STR("-");
    struct sn_buf out;
    (void)ctx;
    (void)sn_http_request_header(request, SN_STR("x-TEST"), &header);
    (void)sn_http_request_param(request, SN_STR("a"), &param);
    sn_buf_init(&out, 0);
    sn_buf_printf(
        &out, "%d %.*s|%.*s|%.*s|%.*s|%.*s", (int)sn_http_request_method(request),
        SN_STR_ARG(sn_http_request_path_raw(request)), SN_STR_ARG(sn_http_request_path(request)),
        SN_STR_ARG(sn_http_request_query_raw(request)), SN_STR_ARG(header), SN_STR_ARG(param));
    seen.is_loopback = sn_address_is_loopback(sn_http_request_peer(request));
    seen.has_user = sn_http_request_user(request) == request;
    assert_non_null(sn_arena_alloc(sn_http_request_arena(request), 100000));
    sn_http_respond(request, &(struct sn_http_response){.status = 200, .body_buf = &out});
}

static int set_up(void **state) {
    static struct test_server test;
    test_server_init(&test, handle);
    test.options.route = route;
    test_server_start(&test);
    *state = &test;
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void expect(void **state, const char *text, const char *body) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd, text, 200, &answer);
    assert_string_equal(answer.body, body);
    client_answer_release(&answer);
    close(fd);
}

static void all_parts_of_a_request_are_there(void **state) {
    expect(state, "GET /a%2fb?a=%31&a=2 HTTP/1.1\r\nHost: a\r\nX-Test:  one two \t\r\n\r\n",
           "0 /a%2fb|/a/b|a=%31&a=2|one two|1");
    expect(state, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", "2 /|/||-|-");
    expect(state, "DELETE /?b HTTP/1.1\r\nHost: a\r\nX-Test:\r\n\r\n", "4 /|/|b||-");
    expect(state, "BREW /? HTTP/1.1\r\nHost: a\r\n\r\n", "7 /|/||-|-");
    assert_true(seen.is_loopback);
    assert_true(seen.has_user);
}

static void requests_on_one_connection_know_nothing_of_each_other(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd, "GET /?a=1 HTTP/1.1\r\nHost: a\r\nX-Test: y\r\n\r\n", 200, &answer);
    client_answer_release(&answer);
    for (int i = 0; i < 5; i++) {
        client_ask(fd, "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
        assert_string_equal(answer.body, "0 /|/||-|-");
        client_answer_release(&answer);
    }
    close(fd);
}

static void bodies_are_charged_and_given_back(void **state) {
    struct sn_http_server server = {.options = {.bodies_bytes_max = 100}};
    struct sn_http_worker worker = {.server = &server};
    struct sn_http_connection connection = {.worker = &worker};
    (void)state;
    server.options.request_arena_bytes_max = 1 << 20;
    struct sn_http_request *first = sn_http_request_new(&connection, "/?a");
    struct sn_http_request *second = sn_http_request_new(&connection, "/");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(sn_http_request_charge(first, 60));
    assert_false(sn_http_request_charge(second, 41));
    assert_false(sn_http_request_charge(second, SIZE_MAX));
    assert_true(sn_http_request_charge(second, 40));
    sn_http_request_retire(first);
    assert_int_equal(atomic_load(&server.body_bytes), 40);
    sn_http_request_free(second);
    assert_int_equal(atomic_load(&server.body_bytes), 0);
    assert_ptr_equal(sn_http_request_new(&connection, "/again"), first); /* reused */
    assert_int_equal(first->body_charge, 0);
    sn_http_request_free(first);
}

static void without_memory_there_is_no_request(void **state) {
    struct sn_http_server server = {.options = {.request_arena_bytes_max = 1 << 20}};
    struct sn_http_worker worker = {.server = &server};
    struct sn_http_connection connection = {.worker = &worker};
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1; n <= 2; n++) {
        sn_mem_fail_nth(n);
        assert_null(sn_http_request_new(&connection, "/a"));
        sn_mem_fail_nth(0);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_parts_of_a_request_are_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_on_one_connection_know_nothing_of_each_other,
                                        set_up, tear_down),
        cmocka_unit_test(bodies_are_charged_and_given_back),
        cmocka_unit_test(without_memory_there_is_no_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
