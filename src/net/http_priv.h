/*
 * What the files of the HTTP server share. Who may touch what:
 *
 *   server       immutable after open, except the atomics
 *   worker       its thread only, except `woken`, `is_stopping` and the counters
 *   connection   its worker's thread only
 *   request      the worker's thread until handle() returned, then also the thread that answers;
 *                `answer_state` is what they pass it over with
 *
 *   answer_state:   RUNNING --respond--> ANSWERED          in route() or handle(): no wake
 *                   RUNNING --suspend--> WAITING --respond--> ANSWERED, then wake the worker
 *                                        WAITING --stop-----> ABANDONED, freed by respond
 *
 * libmicrohttpd is called on the worker's thread only (responses are built anywhere: they are
 * objects of their own). Another thread hands a request over by pushing it on `woken`, a stack
 * without a lock, and writing to the worker's eventfd; the worker resumes the connection just
 * before MHD_run. So a resume can not be lost, which 0.9.75 does with its own channel.
 */
#ifndef SN_NET_HTTP_PRIV_H
#define SN_NET_HTTP_PRIV_H

#include "net/http.h"

#include <microhttpd.h>
#include <stdatomic.h>

/* ---- head of a request (http_head.c) ---- */

struct sn_http_field {
    struct sn_str name;
    struct sn_str value;
};

struct sn_http_fields {
    struct sn_http_field *items; /* [count], in the request's arena */
    size_t count;
};

/* What the framing headers say. */
struct sn_http_framing {
    uint64_t content_length; /* 0 when there is none */
    bool is_chunked;
};

/* Letter case ignored, ASCII only. */
bool sn_http_equal_nocase(struct sn_str a, struct sn_str b);

/* First field of that name, or NULL. */
const struct sn_http_field *sn_http_field_find(const struct sn_http_fields *fields,
                                               struct sn_str name);

/*
 * Check what proxies and servers disagree about (request smuggling): bytes in names and values,
 * repeated or conflicting Content-Length, Transfer-Encoding and Host, Host missing in HTTP/1.1.
 * SN_ERR_INVALID with a sentence.
 */
sn_status sn_http_check_fields(const struct sn_http_fields *fields, bool is_http_1_1,
                               struct sn_http_framing *ret_framing, struct sn_err *err) SN_MUST_USE;

/* Method is a token, target is printable ASCII and starts with '/' or is "*". SN_ERR_INVALID. */
sn_status sn_http_check_line(struct sn_str method, struct sn_str target,
                             struct sn_err *err) SN_MUST_USE;

/* Whether an Accept-Encoding value allows gzip. */
bool sn_http_accepts_gzip(struct sn_str accept_encoding);

/* Whether an If-None-Match value names the ETag (weak comparison) or is "*". */
bool sn_http_matches_etag(struct sn_str if_none_match, struct sn_str etag);

/* ---- parameters (http_params.c) ---- */

/*
 * Split "a=1&b=2", undo the escapes and append to *params. SN_ERR_INVALID (broken escape, NUL),
 * SN_ERR_LIMIT (more than SN_HTTP_PARAMS_MAX, or the arena), SN_ERR_NO_MEMORY; then *params is
 * unchanged.
 */
sn_status sn_http_params_append(struct sn_arena *arena, struct sn_str text,
                                struct sn_http_fields *params, struct sn_err *err) SN_MUST_USE;

/* ---- bodies (http_body.c) ---- */

enum sn_http_encoding {
    SN_HTTP_IDENTITY,
    SN_HTTP_GZIP,
    SN_HTTP_SNAPPY, /* the block format, as remote write sends it */
    SN_HTTP_ZSTD,
    SN_HTTP_ENCODING_UNKNOWN,
};

/* From the Content-Encoding header; an absent one is identity. */
enum sn_http_encoding sn_http_body_encoding(const struct sn_http_fields *fields);

/*
 * Inflate a gzip body (one or several members, nothing after them) into an empty buffer.
 * SN_ERR_INVALID (not gzip, cut short, checksum), SN_ERR_LIMIT (more than ret_plain->limit),
 * SN_ERR_NO_MEMORY.
 */
sn_status sn_http_inflate(struct sn_str body, struct sn_buf *ret_plain,
                          struct sn_err *err) SN_MUST_USE;

/* Gzip into an empty buffer. false: no memory, or the result would not be smaller. */
bool sn_http_deflate(struct sn_str body, int level, struct sn_buf *ret_gzip);

/*
 * Gzip of bytes that come in pieces, 140 KiB of memory. NULL: no memory. free takes NULL.
 *
 * sn_http_gzip_read is as sn_http_stream.pull, with packed bytes. It pulls the plain ones itself; when
 * there are none now, all that were pulled can be unpacked by the other side.
 */
struct sn_http_gzip;
struct sn_http_gzip *sn_http_gzip_new(void);
void sn_http_gzip_free(struct sn_http_gzip *gzip);
enum sn_http_stream_step sn_http_gzip_read(struct sn_http_gzip *gzip,
                                           const struct sn_http_stream *stream, uint8_t *buf,
                                           size_t room, size_t *ret_len);

/* Whether gzip is worth trying on this content type. */
bool sn_http_is_compressible(struct sn_str content_type);

/* ---- encodings of others (http_unpack.c) ---- */

/*
 * Undo an encoding of a body into an empty buffer: gzip as above, one snappy block, zstd frames.
 * Identity and unknown ones are SN_ERR_UNSUPPORTED; else the statuses of sn_http_inflate. Costs at
 * most ret_plain->limit bytes of memory and, for zstd, 8 MiB.
 */
sn_status sn_http_unpack(enum sn_http_encoding encoding, struct sn_str body,
                         struct sn_buf *ret_plain, struct sn_err *err) SN_MUST_USE;

/* ---- server ---- */

/* Where a connection is in its life; one list per phase, and every list has one timeout, so its
 * oldest entry is the first to run out. */
enum sn_http_phase {
    SN_HTTP_PHASE_HEADER, /* accepted, or request line seen: headers are due */
    SN_HTTP_PHASE_BODY,
    SN_HTTP_PHASE_ANSWER, /* up to the handler, then to the socket: no deadline here */
    SN_HTTP_PHASE_IDLE,   /* between two requests */
    SN_HTTP_PHASE_COUNT,
};

/* What a worker's own epoll reports; the first member of whatever is watched. */
enum sn_http_watch_kind {
    SN_HTTP_WATCH_DAEMON,     /* libmicrohttpd's epoll has something */
    SN_HTTP_WATCH_EVENT,      /* another thread pushed on `woken`, or wants us to stop */
    SN_HTTP_WATCH_CONNECTION, /* the client of a connection that was suspended has hung up */
    SN_HTTP_WATCH_LINGER,     /* bytes to throw away, see http_linger.c */
};

struct sn_http_watch {
    enum sn_http_watch_kind kind;
    int fd;
};

struct sn_http_connection {
    struct sn_http_watch watch; /* fd is borrowed from libmicrohttpd */
    struct sn_http_worker *worker;
    struct MHD_Connection *mhd;
    struct sn_http_request *request; /* in progress; NULL between two */
    struct sn_http_connection *prev; /* in the list of its phase, oldest first */
    struct sn_http_connection *next;
    int64_t deadline_ns;
    enum sn_http_phase phase;
    bool is_suspended;
    bool is_watched;  /* fd is in the worker's own epoll, for the client's hang-up */
    bool is_gone;     /* the client has hung up */
    bool is_cut;      /* shut down by us: close, whatever the state */
    bool is_refusing; /* answered before its body was read: linger when it closes */
    struct sn_address peer;
};

struct sn_http_phase_list {
    struct sn_http_connection *head;
    struct sn_http_connection *tail;
};

enum sn_http_counter {
    SN_HTTP_COUNT_CLASS_0, /* + status / 100, up to 5 */
    SN_HTTP_COUNT_CLASS_5 = SN_HTTP_COUNT_CLASS_0 + 5,
    SN_HTTP_COUNT_CONNECTIONS,
    SN_HTTP_COUNT_CONNECTIONS_CLOSED,
    SN_HTTP_COUNT_REQUESTS_BEGUN,
    SN_HTTP_COUNT_REQUESTS_ENDED,
    SN_HTTP_COUNT_BYTES_IN,
    SN_HTTP_COUNT_BYTES_OUT,
    SN_HTTP_COUNT_MALFORMED,
    SN_HTTP_COUNT_TOO_LARGE,
    SN_HTTP_COUNT_ENCODING,
    SN_HTTP_COUNT_OVERLOAD,
    SN_HTTP_COUNT_TIMEOUT_HEADER,
    SN_HTTP_COUNT_TIMEOUT_BODY,
    SN_HTTP_COUNT_TIMEOUT_IDLE,
    SN_HTTP_COUNT_GONE,
    SN_HTTP_COUNTER_COUNT,
};

/* Padded on purpose, see below. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct sn_http_worker {
    struct sn_http_server *server;
    struct MHD_Daemon *daemon; /* NULL once run() has ended it */
    int listen_fd;
    int epoll_fd;
    struct sn_http_watch daemon_watch;
    struct sn_http_watch event_watch;
    int64_t now_ns;                 /* read once per turn of the loop */
    struct sn_http_linger *lingers; /* oldest first */
    size_t linger_count;
    struct sn_http_phase_list phases[SN_HTTP_PHASE_COUNT];
    size_t connection_count;
    /* A connection closed in this turn. libmicrohttpd stops listening at its limit and starts
     * again only when it is run once more, which nothing else may ever make us do. */
    bool is_place_free;
    struct sn_http_request *spares; /* finished requests for reuse, linked by next_woken */
    size_t spare_count;
    bool is_draining;
    bool is_past_deadline;
    int64_t stop_deadline_ns;
    char name[16];

    /* Any thread. On lines of their own: others write here while the worker reads the above. */
    _Alignas(64) _Atomic(struct sn_http_request *) woken;
    _Atomic bool is_stopping;
    _Alignas(64) _Atomic uint64_t counters[SN_HTTP_COUNTER_COUNT];
};

struct sn_http_server {
    struct sn_http_server_options options; /* zeroes replaced; options.listen is not kept */
    struct sn_address address;
    char address_text[SN_ADDRESS_TEXT_SIZE];
    struct MHD_Response *no_memory; /* prepared, because it is needed when nothing else works */
    struct sn_http_worker *workers; /* [worker_count] */
    size_t worker_count;
    _Atomic size_t body_bytes;  /* of all bodies in memory, at most options.bodies_bytes_max */
    _Atomic int64_t held_count; /* requests that were abandoned and not yet answered */
};

enum sn_http_stage {
    SN_HTTP_STAGE_HEADERS, /* request line seen */
    SN_HTTP_STAGE_BODY,    /* route() has run, the body is being read */
    SN_HTTP_STAGE_ANSWER,  /* answered, or handed to handle() */
    SN_HTTP_STAGE_SENDING, /* the answer was given to libmicrohttpd */
};

enum sn_http_answer_state {
    SN_HTTP_RUNNING,
    SN_HTTP_WAITING,
    SN_HTTP_ANSWERED,
    SN_HTTP_ABANDONED,
};

struct sn_http_request {
    struct sn_http_worker *worker;
    struct sn_http_connection *connection; /* NULL when it is over */
    struct sn_http_request *next_woken;    /* in worker->woken or worker->spares */
    _Atomic bool is_woken;                 /* in worker->woken */
    _Atomic bool is_gone;
    _Atomic int answer_state; /* enum sn_http_answer_state */
    enum sn_http_stage stage;
    enum sn_http_method method;
    struct sn_str method_text;
    struct sn_str target; /* as sent, path and query */
    struct sn_str path_raw;
    struct sn_str query_raw;
    struct sn_str path;
    struct sn_http_fields headers;
    struct sn_http_fields params;
    struct sn_http_framing framing;
    struct sn_http_body_rules rules;
    struct sn_address peer;
    struct sn_buf body;
    size_t body_charge; /* our part of server->body_bytes */
    struct sn_arena arena;
    void *user;

    /* The answer, written by the answering thread before it moves answer_state. */
    struct MHD_Response *response;
    unsigned status;
    bool is_for_all_origins; /* see sn_http_request_share */
    bool is_shared;          /* response belongs to an asset or the server */
    bool has_stream;
    bool is_stream_complete;
    uint64_t answer_bytes;
    struct sn_http_stream stream;
    struct sn_http_gzip *gzip; /* of the stream; NULL: as it is */
};

/* http_server.c */
void sn_http_count(struct sn_http_worker *worker, enum sn_http_counter counter, uint64_t more);

/* http_worker.c: move to a phase and restart its deadline. */
void sn_http_connection_enter(struct sn_http_connection *connection, enum sn_http_phase phase);
void sn_http_connection_leave(struct sn_http_connection *connection);
void sn_http_connection_suspend(struct sn_http_connection *connection);
/* Close soon, from the outside: libmicrohttpd sees the end of the stream and cleans up. */
void sn_http_connection_cut(struct sn_http_connection *connection);
/* Any thread: put an answered request on the worker's stack and wake it. */
void sn_http_request_wake(struct sn_http_request *request);
void sn_http_worker_run(void *ctx);
void sn_http_worker_stop(void *ctx);

/*
 * http_linger.c: after an early refusal the client is still sending. Closing a socket with unread
 * bytes makes the kernel reset it, and the client may lose the answer. So the worker keeps a
 * duplicate of the socket for a while and throws away what comes.
 */
void sn_http_linger_begin(struct sn_http_worker *worker, int fd);
void sn_http_linger_read(struct sn_http_worker *worker, struct sn_http_watch *watch);
void sn_http_linger_sweep(struct sn_http_worker *worker);
void sn_http_linger_end_all(struct sn_http_worker *worker);
/* Deadline of the oldest, INT64_MAX when there is none. */
int64_t sn_http_linger_deadline_ns(const struct sn_http_worker *worker);

/* http_connection.c: libmicrohttpd's callbacks; cls is the worker. */
void sn_http_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                           enum MHD_ConnectionNotificationCode code);
void *sn_http_on_target(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result sn_http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **con_cls);
void sn_http_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                          enum MHD_RequestTerminationCode code);

/* http_request.c */
struct sn_http_request *sn_http_request_new(struct sn_http_connection *connection, const char *uri);
/* Worker's thread: keep it for reuse, or free it. */
void sn_http_request_retire(struct sn_http_request *request);
void sn_http_request_free(struct sn_http_request *request);
/* Take `more` bytes out of the server's allowance for bodies. false: it is used up. */
bool sn_http_request_charge(struct sn_http_request *request, size_t more);

/* http_respond.c: hand the finished answer over; see the diagram above. */
void sn_http_request_deliver(struct sn_http_request *request);

/* Bytes that a stream is asked for at once where HTTP/1.0 has no chunks; else what is free of the
 * connection's memory. */
#define SN_HTTP_STREAM_BLOCK_BYTES 16384

/* http_stream.c: libmicrohttpd's content reader; cls is the request. */
ssize_t sn_http_stream_read(void *cls, uint64_t pos, char *buf, size_t max);
/* The stream is over: tell its owner. */
void sn_http_stream_close(struct sn_http_request *request, bool is_complete);

#endif
