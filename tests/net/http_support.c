/* A real server and a client of raw sockets for the tests of HTTP. */
#include "http_support.h"

#include "base/clock.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- server ---- */

void test_server_init(struct test_server *test, void (*handle)(void *, struct sn_http_request *)) {
    memset(test, 0, sizeof(*test));
    test->options = (struct sn_http_server_options){
        .listen = SN_STR("127.0.0.1:0"), .worker_count = 1, .handle = handle, .ctx = test};
}

void test_server_start(struct test_server *test) {
    struct sn_err err = {0};
    if (sn_http_server_open(&test->options, &test->server, &err) != SN_OK)
        fail_msg("%s", err.text);
    test->worker_count = sn_http_server_workers(test->server, test->workers, TEST_WORKERS_MAX);
    assert_int_equal(
        sn_address_parse(sn_str_from(sn_http_server_address(test->server)), &test->address, &err),
        SN_OK);
    for (size_t i = 0; i < test->worker_count; i++)
        assert_int_equal(sn_thread_start(&test->threads[i], test->workers[i].name,
                                         test->workers[i].run, test->workers[i].ctx, &err),
                         SN_OK);
}

void test_server_ask_stop(struct test_server *test) {
    for (size_t i = 0; i < test->worker_count; i++)
        test->workers[i].stop(test->workers[i].ctx);
}

void test_server_stop(struct test_server *test) {
    test_server_ask_stop(test);
    for (size_t i = 0; i < test->worker_count; i++)
        sn_thread_join(&test->threads[i]);
    sn_http_server_close(test->server);
    test->server = NULL;
}

struct sn_http_stats test_stats(const struct test_server *test) {
    struct sn_http_stats stats;
    sn_http_server_stats(test->server, &stats);
    return stats;
}

int64_t test_now_ms(void) {
    return sn_clock_mono_ns(sn_clock_system()) / 1000000;
}

void test_sleep_ms(int64_t ms) {
    const struct sn_clock *clock = sn_clock_system();
    clock->sleep_ns(clock->ctx, ms * 1000000);
}

bool test_wait_stats(const struct test_server *test,
                     bool (*is_true)(const struct sn_http_stats *)) {
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    while (test_now_ms() < until_ms) {
        struct sn_http_stats stats = test_stats(test);
        if (is_true(&stats))
            return true;
        test_sleep_ms(1);
    }
    return false;
}

/* ---- client ---- */

int client_open(const struct test_server *test) {
    int fd = socket(test->address.socket.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &test->address.socket.any, sn_address_socket_len(&test->address)),
                     0);
    return fd;
}

/* A server that closed early is a result, not a failure of the client. */
void client_send(int fd, const char *bytes, size_t len) {
    while (len > 0) {
        ssize_t sent = send(fd, bytes, len, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return;
        bytes += sent;
        len -= (size_t)sent;
    }
}

void client_say(int fd, const char *text) {
    client_send(fd, text, strlen(text));
}

/* Bytes read; 0 at the end of the stream or when it broke. */
static size_t receive(int fd, char *buf, size_t len) {
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    if (poll(&poll_fd, 1, TEST_PATIENCE_MS) <= 0)
        fail_msg("the server said nothing for %d ms", TEST_PATIENCE_MS);
    ssize_t got = recv(fd, buf, len, 0);
    return got > 0 ? (size_t)got : 0;
}

/* Head, byte by byte after a look ahead, so that nothing of a following answer is taken. */
static bool read_head(int fd, struct client_answer *answer) {
    size_t len = 0;
    while (len + 1 < sizeof(answer->head)) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, TEST_PATIENCE_MS) <= 0)
            fail_msg("the server said nothing for %d ms", TEST_PATIENCE_MS);
        ssize_t seen = recv(fd, answer->head + len, sizeof(answer->head) - 1 - len, MSG_PEEK);
        if (seen <= 0)
            return false;
        answer->head[len + (size_t)seen] = '\0';
        const char *end = strstr(answer->head, "\r\n\r\n");
        size_t take = end != NULL ? (size_t)(end + 4 - answer->head) - len : (size_t)seen;
        len += receive(fd, answer->head + len, take);
        answer->head[len] = '\0';
        if (end != NULL)
            return true;
    }
    return false;
}

static void body_put(struct client_answer *answer, const char *bytes, size_t len) {
    char *body = realloc(answer->body, answer->body_len + len + 1);
    assert_non_null(body);
    answer->body = body;
    memcpy(body + answer->body_len, bytes, len);
    answer->body_len += len;
    body[answer->body_len] = '\0';
}

static bool read_exactly(int fd, struct client_answer *answer, size_t len) {
    char buf[8192];
    while (len > 0) {
        size_t got = receive(fd, buf, len < sizeof(buf) ? len : sizeof(buf));
        if (got == 0)
            return false;
        body_put(answer, buf, got);
        len -= got;
    }
    return true;
}

static bool read_line(int fd, char *line, size_t size) {
    size_t len = 0;
    while (len + 1 < size && receive(fd, line + len, 1) == 1) {
        if (line[len++] == '\n') {
            line[len] = '\0';
            return true;
        }
    }
    return false;
}

static bool read_chunks(int fd, struct client_answer *answer) {
    char line[64];
    for (;;) {
        if (!read_line(fd, line, sizeof(line)))
            return false;
        size_t len = strtoul(line, NULL, 16);
        if (len > 0 && !read_exactly(fd, answer, len))
            return false;
        if (!read_line(fd, line, sizeof(line)))
            return false;
        if (len == 0)
            return true;
    }
}

static void read_to_end(int fd, struct client_answer *answer) {
    char buf[8192];
    size_t got;
    while ((got = receive(fd, buf, sizeof(buf))) > 0)
        body_put(answer, buf, got);
}

void client_read(int fd, bool is_head, struct client_answer *ret_answer) {
    struct client_answer *answer = ret_answer;
    memset(answer, 0, sizeof(*answer));
    body_put(answer, "", 0);
    if (!read_head(fd, answer)) {
        answer->is_closed = true;
        return;
    }
    answer->status = (int)strtol(answer->head + 9, NULL, 10);
    const char *transfer = client_header(answer, "Transfer-Encoding");
    answer->is_chunked = transfer != NULL && strcmp(transfer, "chunked") == 0;
    if (is_head || answer->status == 304 || answer->status == 204 || answer->status < 200)
        return;
    const char *length = client_header(answer, "Content-Length");
    if (answer->is_chunked)
        answer->is_cut_short = !read_chunks(fd, answer);
    else if (length != NULL)
        answer->is_cut_short = !read_exactly(fd, answer, strtoul(length, NULL, 10));
    else
        read_to_end(fd, answer);
}

void client_answer_release(struct client_answer *answer) {
    free(answer->body);
    answer->body = NULL;
}

const char *client_header(const struct client_answer *answer, const char *name) {
    static char value[1024];
    char wanted[128];
    (void)snprintf(wanted, sizeof(wanted), "\r\n%s: ", name);
    const char *at = strstr(answer->head, wanted);
    if (at == NULL)
        return NULL;
    at += strlen(wanted);
    size_t len = strcspn(at, "\r");
    assert_true(len < sizeof(value));
    memcpy(value, at, len);
    value[len] = '\0';
    return value;
}

void client_ask(int fd, const char *text, int status, struct client_answer *ret_answer) {
    client_say(fd, text);
    client_read(fd, strncmp(text, "HEAD ", 5) == 0, ret_answer);
    if (ret_answer->is_closed)
        fail_msg("closed without an answer to: %.60s", text);
    if (ret_answer->status != status)
        fail_msg("status %d for: %.60s\n%s", ret_answer->status, text, ret_answer->body);
}

void client_expect(const struct test_server *test, const char *text, int status) {
    struct client_answer answer;
    int fd = client_open(test);
    client_ask(fd, text, status, &answer);
    client_answer_release(&answer);
    close(fd);
}

bool client_sees_close(int fd) {
    char buf[4096];
    int64_t until_ms = test_now_ms() + TEST_PATIENCE_MS;
    while (test_now_ms() < until_ms) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 50) > 0 && recv(fd, buf, sizeof(buf), 0) <= 0)
            return true;
    }
    return false;
}
