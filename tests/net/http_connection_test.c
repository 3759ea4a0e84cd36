/* Tests of requests over a real connection: head, body, answers now and later. */
#include "http_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

/* ---- a server that says what it saw ---- */

/* Requests of "/later" are answered by this thread-like queue of one. */
static _Atomic(struct sn_http_request *) held;

static void put_pairs(struct sn_http_request *request, struct sn_buf *out) {
    struct sn_str name;
    struct sn_str value;
    size_t cursor = 0;
    while (sn_http_request_param_next(request, &cursor, &name, &value))
        sn_buf_printf(out, "%.*s=%.*s;", SN_STR_ARG(name), SN_STR_ARG(value));
}

static void echo(void *ctx, struct sn_http_request *request) {
    struct sn_buf out;
    struct sn_str path = sn_http_request_path(request);
    bool is_arming = sn_str_equal(path, SN_STR("/arm"));
    size_t nth = sn_http_request_query_raw(request).len;
    (void)ctx;
    if (sn_str_equal(path, SN_STR("/later"))) {
        atomic_store(&held, request);
        return;
    }
    sn_buf_init(&out, 0);
    sn_buf_put_str(&out, sn_http_request_method_text(request));
    sn_buf_printf(&out, " %.*s ", SN_STR_ARG(path));
    put_pairs(request, &out);
    sn_buf_printf(&out, " %zu ", sn_http_request_body(request).len);
    sn_buf_put_str(&out, sn_http_request_body(request));
    sn_http_respond(request, &(struct sn_http_response){
                                 .status = 200, .content_type = "text/plain", .body_buf = &out});
    if (is_arming)
        sn_mem_fail_nth(nth);
}

static void rules(void *ctx, struct sn_http_request *request,
                  struct sn_http_body_rules *ret_rules) {
    struct sn_str path = sn_http_request_path(request);
    (void)ctx;
    ret_rules->bytes_max = 1000;
    ret_rules->inflated_bytes_max = 5000;
    if (sn_str_equal(path, SN_STR("/raw")))
        ret_rules->keeps_encoding = true;
    if (sn_str_equal(path, SN_STR("/none")))
        ret_rules->bytes_max = 0;
    if (sn_str_equal(path, SN_STR("/denied")))
        sn_http_respond_error(request, 403, "forbidden", "not you");
}

static int set_up(void **state) {
    static struct test_server test;
    test_server_init(&test, echo);
    test.options.route = rules;
    test_server_start(&test);
    *state = &test;
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

/* Ask on a new connection and compare the body. */
static void expect_body(struct test_server *test, const char *text, const char *body) {
    struct client_answer answer;
    int fd = client_open(test);
    client_ask(fd, text, 200, &answer);
    assert_string_equal(answer.body, body);
    client_answer_release(&answer);
    close(fd);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: a\r\n\r\n"

/* ---- heads ---- */

static void path_and_parameters_are_decoded(void **state) {
    expect_body(*state, GET("/a%20b?x=1&y=a+b%26c&x=2&flag"), "GET /a b x=1;y=a b&c;x=2;flag=; 0 ");
}

static void traversal_is_plain_text(void **state) {
    expect_body(*state, GET("/a/../../etc/passwd"), "GET /a/../../etc/passwd  0 ");
    expect_body(*state, GET("/a/%2e%2e/b"), "GET /a/../b  0 ");
}

static void broken_and_nul_escapes_are_400(void **state) {
    client_expect(*state, GET("/a%00b"), 400);
    client_expect(*state, GET("/a%4"), 400);
    client_expect(*state, GET("/a%zz"), 400);
    client_expect(*state, GET("/a?x=%00"), 400);
    client_expect(*state, GET("/a?%g0=1"), 400);
}

static void ambiguous_framing_is_400_and_closes(void **state) {
    static const char *const heads[] = {
        "Host: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n",
        "Host: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n",
        "Host: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
        "Host: a\r\nTransfer-Encoding: identity\r\n",
        "Host: a\r\nTransfer-Encoding: gzip, chunked\r\n",
        "Host: a\r\nTransfer-Encoding: xchunked\r\n",
        "Host: a\r\nContent-Length: +3\r\n",
        "Host: a\r\nContent-Length: 3, 3\r\n",
        "Host: a\r\nContent-Length: 0x3\r\n",
        "Host: a\r\nHost: b\r\nContent-Length: 3\r\n",
        "Content-Length: 3\r\n",
        "Host: a\r\nContent-Length : 3\r\n",
        "Host: a\r\nX Y: 3\r\n",
        "Host: a\r\nX: a\x01\r\n",
        "Host: a\r\nno colon here\r\n",
    };
    for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        struct client_answer answer;
        char text[512];
        int fd = client_open(*state);
        (void)snprintf(text, sizeof(text), "POST /a HTTP/1.1\r\n%s\r\nabc" GET("/smuggled"),
                       heads[i]);
        client_ask(fd, text, 400, &answer);
        client_answer_release(&answer);
        client_read(fd, false, &answer);
        if (!answer.is_closed)
            fail_msg("a second request was seen after: %s", heads[i]);
        client_answer_release(&answer);
        close(fd);
    }
}

static void host_may_be_missing_in_http_1_0(void **state) {
    client_expect(*state, "GET /a HTTP/1.0\r\n\r\n", 200);
    client_expect(*state, "GET /a HTTP/1.1\r\n\r\n", 400);
}

static void targets_that_are_no_path_are_400(void **state) {
    client_expect(*state, GET("a"), 400);
    client_expect(*state, GET("http://a/b"), 400);
    client_expect(*state, GET("/a b"), 400);
    client_expect(*state, GET("/\xC3\xA4"), 400);
    client_expect(*state, "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", 200);
}

static void say_long(int fd, const char *before, size_t len, const char *after) {
    char *text = malloc(len);
    assert_non_null(text);
    memset(text, 'x', len);
    client_say(fd, before);
    client_send(fd, text, len);
    client_say(fd, after);
    free(text);
}

static void too_long_lines_and_headers_are_414_and_431(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    say_long(fd, "GET /", 40000, " HTTP/1.1\r\nHost: a\r\n\r\n");
    client_read(fd, false, &answer);
    assert_int_equal(answer.status, 414);
    client_answer_release(&answer);
    close(fd);
    fd = client_open(*state);
    say_long(fd, "GET / HTTP/1.1\r\nHost: a\r\nX: ", 40000, "\r\n\r\n");
    client_read(fd, false, &answer);
    assert_int_equal(answer.status, 431);
    client_answer_release(&answer);
    close(fd);
}

static bool three_got_no_answer(const struct sn_http_stats *stats) {
    return stats->requests_by_class[0] == 3 && stats->connections_now == 0;
}

/* The library closes without a word where the parameters do not fit into its memory for a
 * connection, and does not tell that the request is over: it must not be left behind. */
static void a_request_that_the_library_gives_up_is_released(void **state) {
    static char target[20000];
    for (size_t i = 0; i < sizeof target; i++)
        target[i] = "a=b&"[i % 4];
    for (int i = 0; i < 3; i++) {
        int fd = client_open(*state);
        client_say(fd, "GET /?");
        client_send(fd, target, sizeof target);
        client_say(fd, " HTTP/1.1\r\nHost: a\r\n\r\n");
        assert_true(client_sees_close(fd));
        close(fd);
    }
    assert_true(test_wait_stats(*state, three_got_no_answer));
}

static void header_lines_are_counted(void **state) {
    for (int more = 0; more <= 1; more++) {
        struct client_answer answer;
        int fd = client_open(*state);
        client_say(fd, "GET / HTTP/1.1\r\nHost: a\r\n");
        for (int i = 0; i < SN_HTTP_HEADERS_MAX - 1 + more; i++)
            client_say(fd, "X: y\r\n");
        client_say(fd, "\r\n");
        client_read(fd, false, &answer);
        assert_int_equal(answer.status, more ? 400 : 200);
        client_answer_release(&answer);
        close(fd);
    }
}

/* ---- answers ---- */

static void head_is_get_without_body(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd, "HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n", 200, &answer);
    assert_string_equal(client_header(&answer, "Content-Length"), "11");
    client_answer_release(&answer);
    client_ask(fd, GET("/b"), 200, &answer); /* the connection is in step */
    assert_string_equal(answer.body, "GET /b  0 ");
    client_answer_release(&answer);
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state) {
    int fd = client_open(*state);
    client_say(fd, GET("/1") "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi" GET("/3")
                       GET("/denied") GET("/5"));
    static const char *const bodies[] = {
        "GET /1  0 ", "POST /2  2 hi", "GET /3  0 ",
        "{\"status\":\"error\",\"errorType\":\"forbidden\",\"error\":\"not you\"}", "GET /5  0 "};
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct client_answer answer;
        client_read(fd, false, &answer);
        assert_string_equal(answer.body, bodies[i]);
        client_answer_release(&answer);
    }
    close(fd);
}

static void half_closed_clients_get_their_answer(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_say(fd, GET("/a"));
    shutdown(fd, SHUT_WR);
    client_read(fd, false, &answer);
    assert_int_equal(answer.status, 200);
    client_answer_release(&answer);
    close(fd);
}

/* ---- bodies ---- */

static void say_post(int fd, const char *path, const char *headers, const char *body, size_t len) {
    char head[512];
    (void)snprintf(head, sizeof(head),
                   "POST %s HTTP/1.1\r\nHost: a\r\n%sContent-Length: %zu\r\n\r\n", path, headers,
                   len);
    client_say(fd, head);
    client_send(fd, body, len);
}

static void expect_post(struct test_server *test, const char *path, const char *headers,
                        const void *body, size_t len, int status, const char *text) {
    struct client_answer answer;
    int fd = client_open(test);
    say_post(fd, path, headers, body, len);
    client_read(fd, false, &answer);
    if (answer.status != status)
        fail_msg("status %d: %s", answer.status, answer.body);
    if (text != NULL)
        assert_string_equal(answer.body, text);
    client_answer_release(&answer);
    close(fd);
}

static void the_body_limit_holds_at_both_sides(void **state) {
    char body[1001];
    memset(body, 'x', sizeof(body));
    expect_post(*state, "/a", "", body, 1000, 200, NULL);
    expect_post(*state, "/a", "", body, 1001, 413, NULL);
    expect_post(*state, "/none", "", body, 0, 200, NULL);
    expect_post(*state, "/none", "", body, 1, 413, NULL);
    assert_int_equal(test_stats(*state).refused_too_large, 2);
}

static void a_body_over_the_limit_is_refused_before_it_is_read(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 999999999999\r\n\r\n", 413,
               &answer);
    assert_string_equal(client_header(&answer, "Connection"), "close");
    assert_string_equal(answer.body, "{\"status\":\"error\",\"errorType\":\"too_large\",\"error\":"
                                     "\"the body has more than 1000 bytes\"}");
    client_answer_release(&answer);
    assert_true(client_sees_close(fd));
    close(fd);
}

/* A client that looks for the answer only after all was sent must find it, not a reset. */
static void a_client_that_sends_all_of_a_refused_body_still_reads_413(void **state) {
    size_t len = 512 * 1024;
    char *body = calloc(1, len);
    for (int i = 0; i < 20; i++)
        expect_post(*state, "/a", "", body, len, 413, NULL);
    free(body);
}

static void expect_continue_is_answered_before_the_body(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd,
               "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n",
               100, &answer);
    client_answer_release(&answer);
    client_ask(fd, "hi", 200, &answer);
    assert_string_equal(answer.body, "POST /a  2 hi");
    client_answer_release(&answer);
    close(fd);
    client_expect(*state,
                  "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: "
                  "5000\r\n\r\n",
                  413);
}

#define CHUNKED(path) "POST " path " HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"

static void chunked_bodies_are_put_together(void **state) {
    expect_body(*state, CHUNKED("/a") "3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n", "POST /a  5 abcde");
    expect_body(*state, CHUNKED("/a") "0\r\n\r\n", "POST /a  0 ");
    expect_body(*state, CHUNKED("/a") "1\r\nx\r\n0\r\nTrailer: y\r\n\r\n", "POST /a  1 x");
    client_expect(*state, CHUNKED("/none"), 413);
    client_expect(*state, CHUNKED("/a") "zz\r\n", 400);
}

static void chunked_bodies_over_the_limit_are_413(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_say(fd, CHUNKED("/a"));
    for (int i = 0; i < 101; i++)
        client_say(fd, "A\r\n0123456789\r\n");
    client_read(fd, false, &answer);
    assert_int_equal(answer.status, 413);
    assert_non_null(strstr(answer.body, "\"errorType\":\"too_large\""));
    client_answer_release(&answer);
    assert_true(client_sees_close(fd));
    close(fd);
}

static void form_bodies_are_parameters_too(void **state) {
    static const char type[] = "Content-Type: application/x-www-form-urlencoded; charset=utf-8\r\n";
    expect_post(*state, "/a?x=1", type, "y=a+b&x=2", 9, 200, "POST /a x=1;y=a b;x=2; 9 y=a+b&x=2");
    expect_post(*state, "/a", type, "y=%0", 4, 400, NULL);
}

/* gzip with zlib itself. */
static size_t gzip(const char *plain, size_t len, unsigned char *out, size_t size) {
    z_stream zlib = {0};
    assert_int_equal(deflateInit2(&zlib, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    zlib.next_in = (Bytef *)(uintptr_t)plain;
    zlib.avail_in = (uInt)len;
    zlib.next_out = out;
    zlib.avail_out = (uInt)size;
    assert_int_equal(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    deflateEnd(&zlib);
    return size - zlib.avail_out;
}

static void gzipped_bodies_are_inflated(void **state) {
    unsigned char packed[256];
    size_t len = gzip("hello", 5, packed, sizeof(packed));
    expect_post(*state, "/a", "Content-Encoding: gzip\r\n", packed, len, 200, "POST /a  5 hello");
    expect_post(*state, "/a", "Content-Encoding: GZIP\r\n", packed, len, 200, "POST /a  5 hello");
    expect_post(*state, "/a", "Content-Encoding: identity\r\n", "hi", 2, 200, "POST /a  2 hi");
    expect_post(*state, "/raw", "Content-Encoding: snappy\r\n", "hi", 2, 200, "POST /raw  2 hi");
    expect_post(*state, "/raw", "Content-Encoding: gzip\r\n", "hi", 2, 200, "POST /raw  2 hi");
    assert_int_equal(test_stats(*state).refused_encoding, 0);
}

static void encodings_that_cannot_be_undone_are_refused(void **state) {
    char plain[5001];
    unsigned char packed[256];
    memset(plain, 'x', sizeof(plain));
    expect_post(*state, "/a", "Content-Encoding: br\r\n", "hi", 2, 415, NULL);
    expect_post(*state, "/a", "Content-Encoding: gzip, gzip\r\n", "hi", 2, 415, NULL);
    expect_post(*state, "/a", "Content-Encoding: gzip\r\n", "hi", 2, 400, NULL);
    assert_int_equal(test_stats(*state).refused_encoding, 3);
    size_t len = gzip(plain, 5000, packed, sizeof(packed));
    expect_post(*state, "/a", "Content-Encoding: gzip\r\n", packed, len, 200, NULL);
    expect_post(*state, "/a", "Content-Encoding: gzip\r\n", packed, len - 1, 400, NULL);
    len = gzip(plain, 5001, packed, sizeof(packed));
    expect_post(*state, "/a", "Content-Encoding: gzip\r\n", packed, len, 413, NULL);
}

static void route_can_refuse_before_the_body(void **state) {
    struct client_answer answer;
    int fd = client_open(*state);
    client_ask(fd, "POST /denied HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n", 403, &answer);
    client_answer_release(&answer);
    assert_true(client_sees_close(fd));
    close(fd);
}

/* ---- memory for bodies ---- */

static void all_bodies_together_have_a_limit(void **state) {
    struct test_server test;
    (void)state;
    test_server_init(&test, echo);
    test.options.bodies_bytes_max = 1500;
    test_server_start(&test);
    int first = client_open(&test);
    client_say(first, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    int second = client_open(&test);
    struct client_answer answer;
    client_ask(second, GET("/a"), 200, &answer); /* the first was seen: one worker, in order */
    client_answer_release(&answer);
    client_ask(second, "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 501\r\n\r\n", 503, &answer);
    client_answer_release(&answer);
    close(second);
    second = client_open(&test);
    client_say(second, CHUNKED("/a"));
    say_long(second, "1F5\r\n", 501, "\r\n");
    client_read(second, false, &answer);
    assert_int_equal(answer.status, 503);
    client_answer_release(&answer);
    close(second);
    say_long(first, "", 1000, "");
    client_read(first, false, &answer);
    assert_int_equal(answer.status, 200);
    client_answer_release(&answer);
    close(first);
    char body[1500] = {0};
    expect_post(&test, "/a", "", body, sizeof(body), 200, NULL); /* all was given back */
    assert_int_equal(test_stats(&test).refused_overload, 2);
    test_server_stop(&test);
}

/* ---- later ---- */

static struct sn_http_request *take_held(void) {
    struct sn_http_request *request;
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    while ((request = atomic_exchange(&held, NULL)) == NULL) {
        assert_true(test_now_ms() < until_ms);
        test_sleep_ms(1);
    }
    return request;
}

static void an_answer_may_come_from_another_thread(void **state) {
    int fd = client_open(*state);
    for (int i = 0; i < 100; i++) {
        struct client_answer answer;
        client_say(fd, GET("/later"));
        struct sn_http_request *request = take_held();
        assert_false(sn_http_request_is_gone(request));
        sn_http_respond(request,
                        &(struct sn_http_response){.status = 200, .body = SN_STR("at last")});
        client_read(fd, false, &answer);
        assert_string_equal(answer.body, "at last");
        client_answer_release(&answer);
    }
    close(fd);
}

static bool nobody_is_connected(const struct sn_http_stats *stats) {
    return stats->connections_now == 0;
}

static void a_client_that_leaves_while_it_waits_is_noticed(void **state) {
    struct test_server *test = *state;
    int fd = client_open(test);
    client_say(fd, GET("/later"));
    struct sn_http_request *request = take_held();
    close(fd);
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    while (!sn_http_request_is_gone(request)) {
        assert_true(test_now_ms() < until_ms);
        test_sleep_ms(1);
    }
    sn_http_respond(request, &(struct sn_http_response){.status = 200, .body = SN_STR("too late")});
    assert_true(test_wait_stats(test, nobody_is_connected));
}

static void requests_are_counted_by_class(void **state) {
    struct test_server *test = *state;
    client_expect(test, GET("/a"), 200);
    client_expect(test, GET("/denied"), 403);
    client_expect(test, GET("/%"), 400);
    struct sn_http_stats stats = test_stats(test);
    assert_int_equal(stats.requests_by_class[2], 1);
    assert_int_equal(stats.requests_by_class[4], 2);
    assert_int_equal(stats.refused_malformed, 1);
    assert_int_equal(stats.connections_total, 3);
}

/*
 * The n-th allocation after an answer fails in the worker: of the next connection, its request,
 * headers, body or answer. The client gets an answer or a closed connection, the one after it all.
 */
static void the_worker_survives_every_failing_allocation(void **state) {
    static const char post[] = "POST /b?c=d HTTP/1.1\r\nHost: a\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n";
    struct test_server test;
    char arm[64] = "";
    (void)state;
#ifndef SN_FAULTS
    skip();
#endif
    int64_t blocks = sn_mem_block_count();
    test_server_init(&test, echo);
    test_server_start(&test);
    for (int n = 1; n <= 12; n++) {
        struct client_answer answer;
        (void)snprintf(arm, sizeof(arm), "GET /arm?%.*s HTTP/1.1\r\nHost: a\r\n\r\n", n,
                       "nnnnnnnnnnnn");
        client_expect(&test, arm, 200);
        int fd = client_open(&test);
        client_say(fd, post);
        client_read(fd, false, &answer);
        assert_true(answer.is_closed || answer.status >= 500 || answer.status == 200);
        client_answer_release(&answer);
        close(fd);
        fd = client_open(&test); /* disarms, and may be what fails */
        client_say(fd, "GET /arm HTTP/1.1\r\nHost: a\r\n\r\n");
        client_read(fd, false, &answer);
        client_answer_release(&answer);
        close(fd);
        client_expect(&test, GET("/a"), 200);
    }
    assert_true(test_stats(&test).refused_overload > 0);
    test_server_stop(&test);
    assert_int_equal(sn_mem_block_count(), blocks);
}

static void failing_system_calls_of_the_loop_lose_no_answer(void **state) {
    struct client_answer answer;
#ifndef SN_FAULTS
    skip();
#endif
    int fd = client_open(*state);
    sn_fault_arm(SN_FAULT_POLL, 1, UINT64_MAX, ENOMEM); /* the client is not watched */
    client_say(fd, GET("/later"));
    struct sn_http_request *request = take_held();
    test_sleep_ms(20);
    sn_fault_disarm_all();
    sn_fault_arm(SN_FAULT_POLL, 1, 2, EIO); /* the bell */
    sn_http_respond(request, &(struct sn_http_response){.status = 200, .body = SN_STR("ok")});
    sn_fault_disarm_all();
    client_read(fd, false, &answer);
    assert_string_equal(answer.body, "ok");
    client_answer_release(&answer);
    close(fd);
}

#define SERVED(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        SERVED(path_and_parameters_are_decoded),
        SERVED(traversal_is_plain_text),
        SERVED(broken_and_nul_escapes_are_400),
        SERVED(ambiguous_framing_is_400_and_closes),
        SERVED(host_may_be_missing_in_http_1_0),
        SERVED(targets_that_are_no_path_are_400),
        SERVED(too_long_lines_and_headers_are_414_and_431),
        SERVED(a_request_that_the_library_gives_up_is_released),
        SERVED(header_lines_are_counted),
        SERVED(head_is_get_without_body),
        SERVED(pipelined_requests_are_answered_in_order),
        SERVED(half_closed_clients_get_their_answer),
        SERVED(the_body_limit_holds_at_both_sides),
        SERVED(a_body_over_the_limit_is_refused_before_it_is_read),
        SERVED(a_client_that_sends_all_of_a_refused_body_still_reads_413),
        SERVED(expect_continue_is_answered_before_the_body),
        SERVED(chunked_bodies_are_put_together),
        SERVED(chunked_bodies_over_the_limit_are_413),
        SERVED(form_bodies_are_parameters_too),
        SERVED(gzipped_bodies_are_inflated),
        SERVED(encodings_that_cannot_be_undone_are_refused),
        SERVED(route_can_refuse_before_the_body),
        cmocka_unit_test(all_bodies_together_have_a_limit),
        SERVED(an_answer_may_come_from_another_thread),
        SERVED(a_client_that_leaves_while_it_waits_is_noticed),
        SERVED(requests_are_counted_by_class),
        cmocka_unit_test(the_worker_survives_every_failing_allocation),
        SERVED(failing_system_calls_of_the_loop_lose_no_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
