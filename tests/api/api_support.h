/*
 * The HTTP interface behind a real HTTP server on a free port of 127.0.0.1, with a reader, a sink
 * and a host status that tests can hold back or let fail; and a small client.
 */
#ifndef SN_TESTS_API_SUPPORT_H
#define SN_TESTS_API_SUPPORT_H

#include "api/api_priv.h"
#include "query/engine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

/* Fields are guarded by mu once the server runs. */
struct fake_store {
    struct sn_mutex mu;
    struct sn_cond changed;
    /* Reader: one series "up" with the sample 1 at NOW_MS - 1000. */
    bool is_holding_reads;
    size_t reads_waiting;
    sn_status select_status;
    /* Sink. */
    bool is_holding_done;
    sn_status push_status, done_status;
    uint64_t duplicate_count; /* samples of each batch that are refused */
    size_t push_count;
    struct sn_push_done pending; /* of the batch that is held back */
    char text[4096];             /* of the last batch: "labels value @time\n" */
};

struct test_server {
    struct fake_store store;
    struct sn_fake_clock clock;
    struct sn_ingest ingest;
    char records_dir[64];
    struct sn_records *records; /* NULL: none; their samples go to the store above */
    bool has_board;             /* then all three are there */
    struct sn_board board;
    struct sn_sparks sparks;
    struct sn_commands commands;
    struct sn_settings *settings;
    sonde_registry *registry;
    sn_status health_status, host_status, config_status; /* answers of the questions */
    sn_status reload_status;
    struct sn_api_target_query target_query; /* the last one; `pool` means nothing */
    struct sn_labels external_labels;        /* of the configuration */
    char target_pool[16];
    char dir[128]; /* of the accounts; empty: none */
    struct sn_accounts *accounts;
    struct sn_auth *auth;
    struct sn_query_engine *engine; /* on the reader, where no other querier was given */
    struct sn_api *api;
    struct sn_http_server *http;
    struct sn_worker
        workers[3 + SN_API_WORKERS_MAX]; /* one of HTTP, the records', those of the API */
    struct sn_thread threads[3 + SN_API_WORKERS_MAX];
    size_t count;
};

/* Starts with one HTTP worker, one job worker and the watch over queries; PromQL is answered by the
 * real engine from the reader above. */
struct test_server *test_server_start(enum sn_api_access access);
/* The same with open access, this reader, and this querier of PromQL. */
struct test_server *test_server_start_promql(struct sn_reader reader, struct sn_querier querier);
/* Open access and records in a database of their own; elsewhere there are none. */
struct test_server *test_server_start_records(void);
/* Open access, records, and a board, small charts and commands on this reader and querier. */
struct test_server *test_server_start_board(struct sn_reader reader, struct sn_querier querier);
/* With sign-in, accounts in a temporary directory, and the users root (admin) and ann (user), whose
 * password is TEST_PASSWORD. */
struct test_server *test_server_start_accounts(void);
#define TEST_PASSWORD "correct horse"
void test_server_stop(struct test_server *server);

/* Let held reads go on; let the held batch be answered with store.done_status. */
void test_server_release_reads(struct test_server *server);
void test_server_release_done(struct test_server *server);
/* Wait until a read is held back, or until push has been called that often. */
void test_server_await_read(struct test_server *server);
void test_server_await_pushes(struct test_server *server, size_t count);

struct reply {
    int status;
    char *head; /* status line and headers, NUL-terminated */
    char *body; /* NUL-terminated, without the frames of chunks */
    size_t body_len;
    bool is_cut; /* the last chunk is missing */
};

/* A request in two steps. `headers`: lines ending in CRLF, or ""; Host is 127.0.0.1 unless given. */
int client_send(const struct test_server *server, const char *method, const char *target,
                const char *headers, struct sn_str body);
bool client_has_answer(int fd); /* a byte waits now */
void client_receive(int fd, struct reply *ret_reply);

/* Both steps. Release the reply. */
void ask(const struct test_server *server, const char *method, const char *target,
         const char *headers, const char *body, struct reply *ret_reply);
void reply_release(struct reply *reply);

/* Value of a header, spelt as the server does, or NULL; valid until the next call. */
const char *reply_header(const struct reply *reply, const char *name);

/* The reply is a JSON error of that status and type, with a sentence that contains `words`. */
void assert_error(const struct reply *reply, int status, const char *type, const char *words);
/* ask() and assert_error() and release. */
void assert_ask_fails(const struct test_server *server, const char *method, const char *target,
                      const char *headers, const char *body, int status, const char *type,
                      const char *words);
/* The body is one valid JSON document. */
void assert_json(const struct reply *reply);

/* Parameters without a server: an array that ends with a NULL name, one after the other. */
struct param {
    const char *name;
    const char *value;
};
bool next_param(const void *params, size_t *cursor, struct sn_str *ret_name,
                struct sn_str *ret_value);

#endif
