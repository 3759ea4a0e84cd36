/* Tests of the HTTP client against a real server of ours and against servers that misbehave. */
#include "http_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "net/http_client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- a server that says what it is told ---- */

/* One thread: accepts, reads a request up to its blank line, sends `answer`, closes unless told not
 * to. What was asked last is kept. */
struct liar {
    const char *answer;
    size_t answer_len;
    bool keeps_open;
    int fd, stop_pipe[2];
    struct sn_thread thread;
    char url[64];
    char asked[4096];
    _Atomic int asked_count;
};

static void liar_read(struct liar *liar, int fd) {
    size_t len = 0;
    while (len < sizeof liar->asked - 1) {
        ssize_t got = read(fd, liar->asked + len, sizeof liar->asked - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        liar->asked[len] = '\0';
        if (strstr(liar->asked, "\r\n\r\n") != NULL)
            break;
    }
    liar->asked_count++;
}

static void liar_run(void *ctx) {
    struct liar *liar = ctx;
    int held[64], held_count = 0;
    for (;;) {
        struct pollfd polled[2] = {{.fd = liar->fd, .events = POLLIN},
                                   {.fd = liar->stop_pipe[0], .events = POLLIN}};
        if (poll(polled, 2, -1) < 0 && errno == EINTR)
            continue;
        if (polled[1].revents != 0)
            break;
        int fd = accept(liar->fd, NULL, NULL);
        liar_read(liar, fd);
        client_send(fd, liar->answer, liar->answer_len);
        if (liar->keeps_open && held_count < 64)
            held[held_count++] = fd;
        else
            close(fd);
    }
    while (held_count > 0)
        close(held[--held_count]);
}

static void liar_start(struct liar *liar, const char *answer) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof address;
    liar->answer = answer;
    liar->answer_len = strlen(answer);
    liar->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(liar->fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(liar->fd, 64), 0);
    assert_int_equal(getsockname(liar->fd, (struct sockaddr *)&address, &len), 0);
    assert_int_equal(pipe(liar->stop_pipe), 0);
    snprintf(liar->url, sizeof liar->url, "http://127.0.0.1:%d/metrics", ntohs(address.sin_port));
    assert_int_equal(sn_thread_start(&liar->thread, "liar", liar_run, liar, NULL), SN_OK);
}

static void liar_stop(struct liar *liar) {
    assert_int_equal(write(liar->stop_pipe[1], "x", 1), 1);
    sn_thread_join(&liar->thread);
    close(liar->stop_pipe[0]);
    close(liar->stop_pipe[1]);
    close(liar->fd);
}

/* ---- asking ---- */

static struct sn_http_client *client_new(void) {
    struct sn_http_client *client = NULL;
    assert_int_equal(sn_http_client_new(0, &client, NULL), SN_OK);
    return client;
}

static const struct sn_http_ask plain_ask = {
    .timeout_ms = TEST_PATIENCE_MS, .body_bytes_max = 1 << 20, .accepts_gzip = true};

/* Ask a liar once; the body goes to `body`. */
static sn_status ask_liar(const char *answer, struct sn_http_ask ask, int *ret_http,
                          struct sn_buf *body, struct sn_err *err) {
    struct liar *liar = calloc(1, sizeof *liar);
    struct sn_http_client *client = client_new();
    liar_start(liar, answer);
    ask.url = liar->url;
    sn_buf_init(body, 0);
    sn_status status = sn_http_client_fetch(client, &ask, ret_http, body, err);
    assert_null(sn_http_client_free(client));
    liar_stop(liar);
    free(liar);
    return status;
}

static void assert_body(struct sn_buf *body, const char *expected) {
    assert_int_equal(body->len, strlen(expected));
    assert_memory_equal(body->ptr, expected, body->len);
}

static void expect_failure(const char *answer, struct sn_http_ask ask, sn_status status,
                           const char *words) {
    int http = 0;
    struct sn_buf body;
    struct sn_err err = {0};
    assert_int_equal(ask_liar(answer, ask, &http, &body, &err), status);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    sn_buf_release(&body);
}

/* ---- answers ---- */

static void an_answer_comes_with_status_and_body(void **state) {
    (void)state;
    int http = 0;
    struct sn_buf body;
    assert_int_equal(ask_liar("HTTP/1.1 404 Not Here\r\nContent-Length: 5\r\n\r\nhello", plain_ask,
                              &http, &body, NULL),
                     SN_OK);
    assert_int_equal(http, 404);
    assert_body(&body, "hello");
    sn_buf_release(&body);
}

static void chunks_become_one_body(void **state) {
    (void)state;
    int http = 0;
    struct sn_buf body;
    assert_int_equal(ask_liar("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                              "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
                              plain_ask, &http, &body, NULL),
                     SN_OK);
    assert_body(&body, "hello world");
    sn_buf_release(&body);
}

static void answer_large(void *ctx, struct sn_http_request *request) {
    (void)ctx;
    static char page[100000];
    memset(page, 'a', sizeof page);
    sn_http_respond(request, &(struct sn_http_response){.status = 200,
                                                        .content_type = "text/plain",
                                                        .body = sn_str_make(page, sizeof page)});
}

static void test_url(const struct test_server *test, char ret_url[64]) {
    snprintf(ret_url, 64, "http://%s/a", sn_http_server_address(test->server));
}

static void gzip_is_unpacked_within_the_limit(void **state) {
    (void)state;
    struct test_server test;
    test_server_init(&test, answer_large);
    test_server_start(&test);
    struct sn_http_client *client = client_new();
    char url[64];
    test_url(&test, url);
    struct sn_http_ask ask = plain_ask;
    ask.url = url;
    ask.body_bytes_max = 100000;
    int http = 0;
    struct sn_buf body;
    sn_buf_init(&body, 0);
    assert_int_equal(sn_http_client_fetch(client, &ask, &http, &body, NULL), SN_OK);
    assert_int_equal(body.len, 100000);
    struct sn_err err = {0};
    ask.body_bytes_max = 99999;
    assert_int_equal(sn_http_client_fetch(client, &ask, &http, &body, &err), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "99999"));
    ask.accepts_gzip = false;
    assert_int_equal(sn_http_client_fetch(client, &ask, &http, &body, &err), SN_ERR_LIMIT);
    sn_buf_release(&body);
    sn_http_client_free(client);
    /* One connection carried the first two questions; the third was cut and closed it. */
    assert_int_equal(test_stats(&test).connections_total, 1);
    test_server_stop(&test);
}

static void what_is_no_whole_answer_is_a_failure(void **state) {
    (void)state;
    expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", plain_ask, SN_ERR_IO, "");
    expect_failure("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nhello", plain_ask,
                   SN_ERR_IO, "");
    expect_failure("", plain_ask, SN_ERR_IO, "");
    expect_failure("SSH-2.0-OpenSSH_9.2\r\n\r\n", plain_ask, SN_ERR_INVALID, "");
    expect_failure("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
                   plain_ask, SN_ERR_INVALID, "gzip");
    expect_failure("HTTP/1.1 200 OK\r\nContent-Encoding: rot13\r\nContent-Length: 5\r\n\r\nhello",
                   plain_ask, SN_ERR_UNSUPPORTED, "encoding");
}

static void endless_headers_are_cut(void **state) {
    (void)state;
    struct sn_buf answer;
    sn_buf_init(&answer, 0);
    sn_buf_put_text(&answer, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 6000; i++)
        sn_buf_printf(&answer, "X-%d: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n", i);
    sn_buf_put_byte(&answer, '\0');
    expect_failure((const char *)answer.ptr, plain_ask, SN_ERR_LIMIT, "headers");
    sn_buf_release(&answer);
}

static void a_server_that_hangs_is_a_timeout(void **state) {
    (void)state;
    struct liar *liar = calloc(1, sizeof *liar);
    struct sn_http_client *client = client_new();
    liar->keeps_open = true;
    liar_start(liar, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhe");
    struct sn_http_ask ask = plain_ask;
    struct sn_err err = {0};
    struct sn_buf body;
    int http = 0;
    ask.url = liar->url;
    ask.timeout_ms = 50;
    sn_buf_init(&body, 0);
    assert_int_equal(sn_http_client_fetch(client, &ask, &http, &body, &err), SN_ERR_TIMEOUT);
    assert_int_equal(body.len, 0);
    sn_buf_release(&body);
    sn_http_client_free(client);
    liar_stop(liar);
    free(liar);
}

/* ---- redirects and credentials ---- */

static void redirects_are_followed_when_asked_for_and_end(void **state) {
    (void)state;
    static const char loop[] =
        "HTTP/1.1 302 Found\r\nLocation: /again\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    struct sn_http_ask ask = plain_ask;
    struct sn_buf body;
    int http = 0;
    assert_int_equal(ask_liar(loop, ask, &http, &body, NULL), SN_OK);
    assert_int_equal(http, 302);
    sn_buf_release(&body);
    ask.follows_redirects = true;
    expect_failure(loop, ask, SN_ERR_LIMIT, "redirects");
    static const char file[] = "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\n"
                               "Content-Length: 0\r\n\r\n";
    expect_failure(file, ask, SN_ERR_INVALID, "");
}

static void credentials_go_to_the_asked_host_only(void **state) {
    (void)state;
    struct liar *first = calloc(1, sizeof *first), *second = calloc(1, sizeof *second);
    struct sn_http_client *client = client_new();
    char redirect[256];
    static const char *const headers[] = {"Authorization: Bearer hush"};
    liar_start(second, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    snprintf(redirect, sizeof redirect,
             "HTTP/1.1 302 Found\r\nLocation: http://localhost%s\r\nConnection: close\r\n"
             "Content-Length: 0\r\n\r\n",
             strrchr(second->url, ':'));
    liar_start(first, redirect);
    struct sn_http_ask asks[2] = {plain_ask, plain_ask};
    asks[0].user = "us";
    asks[0].password = "hush";
    asks[1].headers = headers;
    asks[1].header_count = 1;
    for (size_t i = 0; i < 2; i++) {
        struct sn_buf body;
        int http = 0;
        asks[i].url = first->url;
        asks[i].follows_redirects = true;
        sn_buf_init(&body, 0);
        assert_int_equal(sn_http_client_fetch(client, &asks[i], &http, &body, NULL), SN_OK);
        assert_non_null(strstr(first->asked, i == 0 ? "Authorization: Basic dXM6aHVzaA=="
                                                    : "Authorization: Bearer hush"));
        assert_non_null(strstr(second->asked, "GET /metrics"));
        assert_null(strstr(second->asked, "Authorization"));
        sn_buf_release(&body);
    }
    sn_http_client_free(client);
    liar_stop(first);
    liar_stop(second);
    free(first);
    free(second);
}

static void a_body_is_posted_with_its_headers(void **state) {
    (void)state;
    struct liar *liar = calloc(1, sizeof *liar);
    struct sn_http_client *client = client_new();
    static const char *const headers[] = {"Content-Type: application/json"};
    liar_start(liar, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    struct sn_http_ask ask = plain_ask;
    ask.url = liar->url;
    ask.headers = headers;
    ask.header_count = 1;
    ask.body = SN_STR("{}");
    int http = 0;
    struct sn_buf body;
    sn_buf_init(&body, 0);
    assert_int_equal(sn_http_client_fetch(client, &ask, &http, &body, NULL), SN_OK);
    assert_non_null(strstr(liar->asked, "POST /metrics HTTP/1.1\r\n"));
    assert_non_null(strstr(liar->asked, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(liar->asked, "Content-Length: 2\r\n"));
    assert_null(strstr(liar->asked, "Expect"));
    sn_buf_release(&body);
    sn_http_client_free(client);
    liar_stop(liar);
    free(liar);
}

static void other_protocols_are_refused(void **state) {
    (void)state;
    static const char *const urls[] = {"file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://a/",
                                       "http://", ""};
    struct sn_http_client *client = client_new();
    for (size_t i = 0; i < sizeof urls / sizeof urls[0]; i++) {
        struct sn_http_ask ask = plain_ask;
        struct sn_err err = {0};
        struct sn_buf body;
        int http = 0;
        ask.url = urls[i];
        sn_buf_init(&body, 0);
        assert_int_equal(sn_http_client_fetch(client, &ask, &http, &body, &err), SN_ERR_INVALID);
        assert_int_not_equal(err.text[0], '\0');
        sn_buf_release(&body);
    }
    sn_http_client_free(client);
}

/* ---- many at once ---- */

struct tally {
    int ok_count, failed_count;
};

static void on_done(void *ctx, struct sn_http_answer *answer) {
    struct tally *tally = ctx;
    if (answer->status == SN_OK && answer->http_status == 200)
        tally->ok_count++;
    else
        tally->failed_count++;
}

static void one_that_hangs_delays_no_other(void **state) {
    (void)state;
    enum { GOOD_COUNT = 100, HANGING_COUNT = 10 };
    struct test_server test;
    struct liar *liar = calloc(1, sizeof *liar);
    struct tally good = {0}, bad = {0};
    char url[64];
    test_server_init(&test, answer_large);
    test_server_start(&test);
    liar->keeps_open = true;
    liar_start(liar, "");
    test_url(&test, url);
    struct sn_http_client *client = client_new();
    struct sn_http_transfer *hanging[HANGING_COUNT];
    struct sn_http_ask ask = plain_ask;
    ask.url = liar->url;
    ask.timeout_ms = 600000;
    for (int i = 0; i < HANGING_COUNT; i++)
        assert_int_equal(sn_http_client_start(client, &ask, on_done, &bad, &hanging[i], NULL),
                         SN_OK);
    ask.url = url;
    for (int i = 0; i < GOOD_COUNT; i++)
        assert_int_equal(sn_http_client_start(client, &ask, on_done, &good, NULL, NULL), SN_OK);
    while (good.ok_count < GOOD_COUNT)
        assert_int_equal(sn_http_client_run(client, TEST_PATIENCE_MS, NULL), SN_OK);
    assert_int_equal(sn_http_client_active_count(client), HANGING_COUNT);
    for (int i = 0; i < HANGING_COUNT; i++)
        sn_http_client_cancel(client, hanging[i]);
    assert_int_equal(sn_http_client_active_count(client), 0);
    assert_int_equal(bad.ok_count + bad.failed_count, 0);
    sn_http_client_free(client);
    liar_stop(liar);
    free(liar);
    test_server_stop(&test);
}

static void run_wakes_up(void *ctx) {
    sn_http_client_wake(ctx);
}

static void another_thread_wakes_run(void **state) {
    (void)state;
    struct sn_http_client *client = client_new();
    struct sn_thread thread = {0};
    assert_int_equal(sn_thread_start(&thread, "wake", run_wakes_up, client, NULL), SN_OK);
    assert_int_equal(sn_http_client_run(client, 600000, NULL), SN_OK);
    sn_thread_join(&thread);
    sn_http_client_free(client);
}

/* ---- faults ---- */

static void any_allocation_may_fail(void **state) {
    (void)state;
    struct test_server test;
    test_server_init(&test, answer_large);
    test_server_start(&test);
    char url[64];
    test_url(&test, url);
    for (uint64_t n = 1;; n++) {
        struct sn_http_client *client = NULL;
        struct sn_http_ask ask = plain_ask;
        struct sn_buf body;
        int http = 0;
        ask.url = url;
        sn_buf_init(&body, 0);
        sn_mem_fail_nth(n);
        sn_status status = sn_http_client_new(0, &client, NULL);
        if (status == SN_OK)
            status = sn_http_client_fetch(client, &ask, &http, &body, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
        assert_int_equal(status == SN_OK, !has_fired);
        sn_buf_release(&body);
        sn_http_client_free(client);
        if (!has_fired)
            break;
    }
    test_server_stop(&test);
}

static void any_epoll_call_of_making_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 3; n++) {
        struct sn_http_client *client = NULL;
        struct sn_err err = {0};
        sn_fault_arm(SN_FAULT_POLL, n, 1, EMFILE);
        assert_int_equal(sn_http_client_new(0, &client, &err), SN_ERR_IO);
        sn_fault_disarm_all();
        assert_int_not_equal(err.text[0], '\0');
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_comes_with_status_and_body),
        cmocka_unit_test(chunks_become_one_body),
        cmocka_unit_test(gzip_is_unpacked_within_the_limit),
        cmocka_unit_test(what_is_no_whole_answer_is_a_failure),
        cmocka_unit_test(endless_headers_are_cut),
        cmocka_unit_test(a_server_that_hangs_is_a_timeout),
        cmocka_unit_test(redirects_are_followed_when_asked_for_and_end),
        cmocka_unit_test(credentials_go_to_the_asked_host_only),
        cmocka_unit_test(a_body_is_posted_with_its_headers),
        cmocka_unit_test(other_protocols_are_refused),
        cmocka_unit_test(one_that_hangs_delays_no_other),
        cmocka_unit_test(another_thread_wakes_run),
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(any_epoll_call_of_making_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
