/*
 * A real server on 127.0.0.1:0 and a client of raw sockets. One test at a time.
 */
#ifndef TESTS_NET_HTTP_SUPPORT_H
#define TESTS_NET_HTTP_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/lock.h"
#include "net/http.h"

#define TEST_WORKERS_MAX 8
/* A client that waits longer than this fails its test. */
#define TEST_PATIENCE_MS 10000

/* ---- server ---- */

struct test_server {
    struct sn_http_server_options options; /* fill in what matters, then test_server_start */
    struct sn_http_server *server;
    struct sn_worker workers[TEST_WORKERS_MAX];
    struct sn_thread threads[TEST_WORKERS_MAX];
    size_t worker_count;
    struct sn_address address;
};

/* Options with one worker and port 0; fields may be changed before the start. */
void test_server_init(struct test_server *test, void (*handle)(void *, struct sn_http_request *));
void test_server_start(struct test_server *test);
/* Ask the workers to stop, without waiting. */
void test_server_ask_stop(struct test_server *test);
/* Join the workers (asking them to stop first) and close. */
void test_server_stop(struct test_server *test);

struct sn_http_stats test_stats(const struct test_server *test);

/* Wait until a condition about the statistics holds, at most TEST_PATIENCE_MS. */
bool test_wait_stats(const struct test_server *test, bool (*is_true)(const struct sn_http_stats *));

int64_t test_now_ms(void);
void test_sleep_ms(int64_t ms);

/* ---- client ---- */

int client_open(const struct test_server *test);
void client_send(int fd, const char *bytes, size_t len);
void client_say(int fd, const char *text);

struct client_answer {
    bool is_closed; /* the connection ended before a complete answer */
    int status;
    char head[4096]; /* with a final NUL */
    char *body;      /* owned; with a final NUL */
    size_t body_len;
    bool is_chunked;
    bool is_cut_short; /* the body ended before its announced end */
};

/* Read one answer. is_head: the answer to HEAD, without a body. What follows it stays unread. */
void client_read(int fd, bool is_head, struct client_answer *ret_answer);
void client_answer_release(struct client_answer *answer);

/* Value of a header of the answer, or NULL; in a static buffer. */
const char *client_header(const struct client_answer *answer, const char *name);

/* Say the text, read an answer, assert its status. */
void client_ask(int fd, const char *text, int status, struct client_answer *ret_answer);
/* The same on a connection of its own, answer thrown away. */
void client_expect(const struct test_server *test, const char *text, int status);
/* Whether the server closes the connection, waiting at most TEST_PATIENCE_MS; bytes are skipped. */
bool client_sees_close(int fd);

#endif
