/*
 * HTTP/1.1 server: what routes need to see of it, and nothing of the library below.
 *
 * A server has N workers. Each worker is one thread with its own listening socket on the same
 * port, so a connection stays with one thread for its whole life. Two callbacks do the work:
 *
 *   headers complete -> route()   may answer at once (refuse), else says how large a body may be
 *   body complete    -> handle()  answers now, or keeps the request and answers later
 *
 *                 .-- sn_http_respond*() in route: the body is never read, the connection closes
 *   request -> route -> body -> handle -- sn_http_respond*() inside: answered at once
 *                                  `----- returned without: the connection sleeps until any
 *                                         thread calls sn_http_respond*() on the request
 *
 * Rules for callers:
 *   1. Every request that reaches handle() is answered exactly once, even when the client has
 *      gone or the server is stopping. After the answer the request must not be touched any more.
 *   2. Callbacks run on worker threads, N at a time, and must not block: long work goes to a
 *      thread of the caller's own and answers from there.
 *   3. Before handle() returned only the worker thread touches a request; afterwards whoever
 *      the handler gave it to.
 *
 * The server refuses on its own, before route() is called: duplicate or conflicting
 * Content-Length, Transfer-Encoding or Host, names and values of headers with illegal bytes,
 * a path or query with broken or NUL escapes (400); after it: a body over the route's limit
 * (413), a Content-Encoding that it cannot undo (415). Clients that take too long are closed.
 */
#ifndef SN_NET_HTTP_H
#define SN_NET_HTTP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/lock.h"
#include "base/status.h"
#include "base/str.h"
#include "net/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sn_http_server;  /* any thread, except where a function says otherwise */
struct sn_http_request; /* one thread at a time, see rule 3 */
struct sn_http_asset;   /* immutable, any thread */

/* ---- server ---- */

/* What route() decides about the body that is about to be read. */
struct sn_http_body_rules {
    size_t bytes_max;          /* as sent; 0: a body is refused with 413 */
    size_t inflated_bytes_max; /* after undoing Content-Encoding */
    bool keeps_encoding;       /* hand over the bytes as sent, whatever Content-Encoding says */
};

struct sn_http_server_options {
    struct sn_str listen;  /* address text as sn_address_parse reads it; port 0 picks one;
                             "[::]:9464" accepts IPv4 as well */
    unsigned worker_count; /* 0: one per CPU, at most SN_HTTP_WORKERS_MAX */

    /* TLS 1.2 and 1.3 instead of plain text: certificate chain and private key as PEM, both or
     * none. Borrowed until the server is closed. */
    const char *tls_certificate;
    const char *tls_key;

    /* Added to every answer but assets, which have their own. [header_count], kept, at most 4. */
    const struct sn_http_header *headers;
    size_t header_count;

    /*
     * Called once per request when its headers are complete, on a worker thread. *rules is
     * filled with the server's defaults; change them, or answer with sn_http_respond*().
     * NULL: the defaults hold for every request.
     */
    void (*route)(void *ctx, struct sn_http_request *request, struct sn_http_body_rules *rules);
    /* Called once per request that route() did not answer, when its body is complete. */
    void (*handle)(void *ctx, struct sn_http_request *request);
    void *ctx; /* borrowed, given to both */

    const struct sn_clock *clock; /* for deadlines; NULL: system */

    /* Total times, not pauses: a client that sends one byte a second runs into them as well. */
    int64_t header_timeout_ms; /* accept (or request line) to end of headers; 0: 10,000 */
    int64_t body_timeout_ms;   /* end of headers to end of body; 0: 30,000 */
    int64_t idle_timeout_ms;   /* end of a response to the next request line; 0: 60,000 */
    int64_t send_timeout_ms;   /* longest time in which a client takes no byte; 0: 30,000 */
    int64_t stop_timeout_ms;   /* for what is in flight when a worker is stopped; 0: 1,500 */

    size_t body_bytes_max;          /* default of body_rules.bytes_max; 0: SN_HTTP_BODY_BYTES_MAX */
    size_t inflated_bytes_max;      /* default of the rule; 0: SN_HTTP_BODY_BYTES_MAX */
    size_t bodies_bytes_max;        /* of all bodies in memory at once; beyond: 503;
                                     0: SN_HTTP_BODIES_BYTES_MAX */
    size_t request_arena_bytes_max; /* 0: SN_ARENA_LIMIT_DEFAULT */

    /* Shared out evenly among the workers; the kernel spreads connections by hash, so a worker
     * may reach its part a little before the whole is used up. */
    unsigned connections_max;        /* 0: SN_HTTP_CONNECTIONS_MAX */
    unsigned connections_per_ip_max; /* 0: SN_HTTP_CONNECTIONS_PER_IP_MAX */
};

#define SN_HTTP_WORKERS_MAX 64  /* more threads than this only fight over the same port */
#define SN_HTTP_PARAMS_MAX 512  /* query and form parameters of one request; more: 400 */
#define SN_HTTP_HEADERS_MAX 128 /* header lines of one request; more: 400 */
#define SN_HTTP_BODIES_BYTES_MAX ((size_t)512 << 20) /* 16 bodies of the largest size */

/*
 * Bind the port on one socket per worker and prepare the workers; nothing runs yet, connections
 * wait in the kernel's queue.
 *
 *   options     borrowed for the call; ctx and clock are kept
 *   ret_server  written on SN_OK only; free with sn_http_server_free
 *
 * Returns SN_OK, SN_ERR_INVALID (the address text), SN_ERR_EXISTS ("cannot listen on
 * 127.0.0.1:9464: address already in use", also when another process shares its port),
 * SN_ERR_DENIED (a privileged port), SN_ERR_NO_MEMORY, SN_ERR_IO (other system calls; also a
 * certificate or key that TLS cannot use, with a sentence).
 * Threads: one. Blocks: never.
 */
sn_status sn_http_server_open(const struct sn_http_server_options *options,
                              struct sn_http_server **ret_server, struct sn_err *err) SN_MUST_USE;

/*
 * Close sockets and release everything. NULL is fine. Every worker's run() must have returned
 * (or never been called), and every call that answers a request must have returned.
 */
void sn_http_server_close(struct sn_http_server *server);

/*
 * The server's threads: write at most `max` of its workers, return how many it has. Their stop()
 * is graceful: no new connections, idle ones are closed, requests in flight have
 * stop_timeout_ms, then everything closes and run() returns. Requests that a handler still holds
 * by then stay valid and are still to be answered; the answer goes nowhere. stop() never blocks.
 */
size_t sn_http_server_workers(struct sn_http_server *server, struct sn_worker *ret_workers,
                              size_t max);

/* The address that is bound, with its real port: "127.0.0.1:43211". Lives as long as the server. */
const char *sn_http_server_address(const struct sn_http_server *server);

/* Counters since open; requests by class of status, refusals by reason. Relaxed: any thread. */
struct sn_http_stats {
    /* [1] 1xx (never) ... [5] 5xx; [0] closed without an answer, or refused by the library below
     * before anybody here saw a head (414, 431, lines that are no HTTP). */
    uint64_t requests_by_class[6];
    uint64_t connections_total;
    uint64_t connections_now;
    uint64_t requests_now;      /* headers complete, answer not yet sent */
    uint64_t body_bytes_in;     /* as sent by clients */
    uint64_t body_bytes_out;    /* as sent to clients, assets included, streams as they flow */
    uint64_t refused_malformed; /* 400 from this module */
    uint64_t refused_too_large; /* 413 */
    uint64_t refused_encoding;  /* 415 and bodies that do not inflate */
    uint64_t refused_overload;  /* 503: out of memory, or bodies_bytes_max */
    uint64_t timeouts_header;
    uint64_t timeouts_body;
    uint64_t timeouts_idle;
    uint64_t clients_gone; /* connections that broke while their request was being answered */
};
void sn_http_server_stats(const struct sn_http_server *server, struct sn_http_stats *ret_stats);

/* ---- request ---- */

enum sn_http_method {
    SN_HTTP_GET,
    SN_HTTP_HEAD, /* answer as GET: the body is left out below */
    SN_HTTP_POST,
    SN_HTTP_PUT,
    SN_HTTP_DELETE,
    SN_HTTP_OPTIONS,
    SN_HTTP_PATCH,
    SN_HTTP_OTHER,
};

/* All strings borrow from the request and live as long as it does. */
enum sn_http_method sn_http_request_method(const struct sn_http_request *request);
struct sn_str sn_http_request_method_text(const struct sn_http_request *request);

/* The path with escapes undone: plain text, "/a/../b" stays as it is. Starts with '/'
 * ("*" for OPTIONS *). Holds no NUL. */
struct sn_str sn_http_request_path(const struct sn_http_request *request);
/* As sent: split this one at '/' where a segment may hold an escaped slash (label values). */
struct sn_str sn_http_request_path_raw(const struct sn_http_request *request);
/* What stands after '?', as sent; empty when there is none. */
struct sn_str sn_http_request_query_raw(const struct sn_http_request *request);

/*
 * Parameters with escapes undone: those of the query, then, in handle(), those of a body of type
 * application/x-www-form-urlencoded. param: the first of that name; returns whether there is one.
 * param_next: walk all in order, start with *cursor = 0, stop at false.
 */
bool sn_http_request_param(const struct sn_http_request *request, struct sn_str name,
                           struct sn_str *ret_value);
bool sn_http_request_param_next(const struct sn_http_request *request, size_t *cursor,
                                struct sn_str *ret_name, struct sn_str *ret_value);

/* First header of that name, letter case ignored, blanks around the value removed. Returns whether
 * there is one. */
bool sn_http_request_header(const struct sn_http_request *request, struct sn_str name,
                            struct sn_str *ret_value);

/* The client's address (of the last hop: headers such as X-Forwarded-For are not believed). */
const struct sn_address *sn_http_request_peer(const struct sn_http_request *request);

/* The complete body, Content-Encoding undone unless the rules keep it. Empty in route(). */
struct sn_str sn_http_request_body(const struct sn_http_request *request);

/* Memory that dies with the request. */
struct sn_arena *sn_http_request_arena(struct sn_http_request *request);

/*
 * Let pages of other origins read the answer: "Access-Control-Allow-Origin: *". Browsers send neither
 * cookies nor Authorization along with it, so that it shows them what anybody may ask.
 */
void sn_http_request_share(struct sn_http_request *request);

/* One pointer of the caller's own, for instance what route() found for handle(). NULL at first. */
void sn_http_request_set_user(struct sn_http_request *request, void *user);
void *sn_http_request_user(const struct sn_http_request *request);

/* Whether the client has closed the connection, so that the work can be given up (the answer
 * is still due). Reliable only after handle() returned. Any thread that may touch the request. */
bool sn_http_request_is_gone(const struct sn_http_request *request);

/* ---- answer ---- */

struct sn_http_header {
    const char *name;  /* NUL-terminated, borrowed for the call */
    const char *value; /* the same; no CR, LF */
};

struct sn_http_response {
    int status;               /* 200 to 599 */
    const char *content_type; /* NULL: no Content-Type */
    struct sn_str body;       /* copied; or */
    struct sn_buf *body_buf;  /* not NULL: its bytes are taken over, it is left empty; a buffer
                                 with a failed status is answered as 500 */
    const struct sn_http_header *headers; /* [header_count], may be NULL */
    size_t header_count;
    bool is_close; /* close the connection afterwards */
};

/*
 * Answer a request. Text-like bodies above 1 KiB are gzipped when the client accepts that.
 * Cannot fail for the caller: without memory the client gets 503.
 *
 *   request   must not be touched afterwards
 *   response  borrowed for the call
 *
 * Threads: any, under any lock. Blocks: never. Cost: 2 allocations, and gzip at about 100 MB/s in
 * the calling thread; one system call when the request had gone to another thread.
 */
void sn_http_respond(struct sn_http_request *request, const struct sn_http_response *response);

/* {"status":"error","errorType":error_type,"error":sentence} with that HTTP status; 429 and 503 with
 * "Retry-After: 1". */
void sn_http_respond_error(struct sn_http_request *request, int status, const char *error_type,
                           const char *sentence);

/* 401 unauthorized, with "WWW-Authenticate: Bearer". */
void sn_http_respond_unauthorized(struct sn_http_request *request, const char *sentence);

/* 404, and 405 with `allow` ("GET, HEAD") in the Allow header; JSON errors as above. */
void sn_http_respond_not_found(struct sn_http_request *request);
void sn_http_respond_not_allowed(struct sn_http_request *request, const char *allow);

/* ---- files that never change while the server runs ---- */

struct sn_http_asset_options {
    const char *content_type;             /* required */
    struct sn_str body;                   /* kept: must outlive the asset (embedded data) */
    bool is_gzip;                         /* body is gzip already; the plain form is made of it */
    const char *cache_control;            /* NULL: "no-cache" (ask again, get 304) */
    const struct sn_http_header *headers; /* [header_count], more of them; may be NULL */
    size_t header_count;
};

/*
 * Prepare plain, gzip and 304 forms with an ETag of the content, once; all requests share them.
 * Returns NULL without memory, or when is_gzip and the body does not inflate to at most 16 MiB. Free
 * after the server is closed.
 */
struct sn_http_asset *sn_http_asset_new(const struct sn_http_asset_options *options);
struct sn_http_asset *sn_http_asset_free(
    struct sn_http_asset *asset); /* returns NULL; NULL is fine */

/* Answer with an asset: 304 when If-None-Match has its ETag, gzip when accepted. Otherwise as
 * sn_http_respond. */
void sn_http_respond_asset(struct sn_http_request *request, const struct sn_http_asset *asset);

/* ---- answers that grow while they are sent (events, large results) ---- */

enum sn_http_stream_step {
    SN_HTTP_STREAM_DATA, /* bytes were written */
    SN_HTTP_STREAM_WAIT, /* nothing now: sn_http_stream_wake will be called */
    SN_HTTP_STREAM_END,  /* complete, nothing was written */
    SN_HTTP_STREAM_FAIL, /* cut the connection so that the client sees the answer is incomplete */
};

struct sn_http_stream {
    int status;                           /* 200 to 599 */
    const char *content_type;             /* NULL: none */
    const struct sn_http_header *headers; /* [header_count], may be NULL */
    size_t header_count;
    /*
     * Write the next bytes, at most `room`, and their count to *ret_len (1 to room with DATA,
     * ignored otherwise). Called on the worker thread only when the client can take more: that
     * is the back-pressure. Must not block.
     */
    enum sn_http_stream_step (*pull)(void *ctx, uint8_t *buf, size_t room, size_t *ret_len);
    /* Called exactly once, on the worker thread, when the stream is over; is_complete: pull said
     * END (or HEAD was asked) and everything was sent. Nothing is called afterwards. Without
     * memory it is called by sn_http_respond_stream itself, on the caller's thread. */
    void (*closed)(void *ctx, bool is_complete);
    void *ctx;            /* kept until closed() */
    bool is_endless;      /* events: ended, as if pull said END, when the server begins to stop */
    bool is_compressible; /* gzip it when the client accepts that and the type is text */
};

/*
 * Answer with a stream (chunked transfer). Gzip takes 10 µs per KiB on the worker thread. Unlike other
 * answers the request stays valid until closed() has been called, and only for sn_http_stream_wake.
 */
void sn_http_respond_stream(struct sn_http_request *request, const struct sn_http_stream *stream);

/*
 * Ask for pull() to be called again. Any thread, any lock, never blocks; wakes that come too early
 * or twice do no harm. The caller makes sure, by a lock that its closed() takes too, that no wake
 * starts after closed() returned.
 */
void sn_http_stream_wake(struct sn_http_request *request);

/* ---- small helpers for routes ---- */

/*
 * Undo percent escapes into the arena ('+' becomes a blank when is_form). Text without escapes is
 * borrowed, not copied. SN_ERR_INVALID for broken escapes and for NUL; SN_ERR_LIMIT and
 * SN_ERR_NO_MEMORY from the arena.
 */
sn_status sn_http_decode(struct sn_arena *arena, struct sn_str text, bool is_form,
                         struct sn_str *ret_text, struct sn_err *err) SN_MUST_USE;

#endif
