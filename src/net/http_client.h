/*
 * HTTP/1.1 client over libcurl: many transfers at once on one thread, with kept-alive connections.
 *
 *   start ---> in flight ---> done()      called by sn_http_client_run, once, unless cancelled
 *                 `--> cancel             done() is not called
 *
 * 1. A transfer that hangs delays no other: nothing here blocks but run, on all of them together.
 * 2. What a server sends is never more in memory than the limits say: headers
 *    (SN_HTTP_CLIENT_HEAD_BYTES_MAX), body as sent and body unpacked (body_bytes_max each).
 * 3. Only http and https, no proxy of the environment, no cookies, no .netrc. Credentials are never
 *    sent to another host than the one that was asked.
 *
 * One thread, except sn_http_client_wake.
 */
#ifndef SN_NET_HTTP_CLIENT_H
#define SN_NET_HTTP_CLIENT_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All header lines of one answer; curl itself limits a line to 100 KiB only. */
#define SN_HTTP_CLIENT_HEAD_BYTES_MAX ((size_t)256 << 10)
#define SN_HTTP_CLIENT_REDIRECTS_MAX 10 /* as Go's client */

struct sn_http_client;
struct sn_http_transfer;

enum sn_tls_version {
    SN_TLS_DEFAULT = 0,
    SN_TLS_1_0 = 1,
    SN_TLS_1_1 = 2,
    SN_TLS_1_2 = 3,
    SN_TLS_1_3 = 4,
};

/* NULL and zero are the defaults of the system: its certificates, TLS 1.2 and above. */
struct sn_http_tls {
    const char *ca, *ca_file;     /* PEM, or a file of it */
    const char *cert, *cert_file; /* the client's certificate */
    const char *key, *key_file;
    const char *server_name; /* to ask for and to verify instead of the URL's host */
    bool skips_verification;
    enum sn_tls_version version_min, version_max;
};

/* One question. Everything is borrowed until start returns. */
struct sn_http_ask {
    const char *url;
    const char *method;         /* NULL: GET, or POST with a body */
    const char *const *headers; /* [header_count], "Name: value" */
    size_t header_count;
    struct sn_str body; /* ptr NULL: none; copied */
    int64_t timeout_ms; /* of the whole transfer; at least 1 */
    size_t body_bytes_max;
    const char *user, *password; /* basic authentication; user NULL: none */
    const struct sn_http_tls *tls;
    const char *proxy; /* URL; NULL: none */
    bool accepts_gzip;
    bool follows_redirects;
};

/* What came of it. Texts are valid until done() returns. */
struct sn_http_answer {
    sn_status status;   /* SN_OK: a whole answer, whatever http_status says */
    struct sn_err err;  /* why not */
    int http_status;    /* 0: none came */
    const char *reason; /* "Not Found"; never NULL */
    const char *content_type;
    struct sn_buf *body; /* unpacked; may be taken: the client resets what is left of it */
    int64_t duration_ns;
};
typedef void (*sn_http_done)(void *ctx, struct sn_http_answer *answer);

/*
 * connections_max  connections that are kept open between transfers; 0: 64
 *
 * SN_OK, SN_ERR_NO_MEMORY, SN_ERR_IO (epoll, eventfd), SN_ERR_INTERNAL (libcurl does not start).
 */
sn_status sn_http_client_new(size_t connections_max, struct sn_http_client **ret_client,
                             struct sn_err *err) SN_MUST_USE;

/* Ends what is in flight without done(). Returns NULL; NULL is fine. */
struct sn_http_client *sn_http_client_free(struct sn_http_client *client);

/* How many connections to keep from now on. */
void sn_http_client_keep(struct sn_http_client *client, size_t connections_max);

/*
 * Begin a transfer. done may be called by the next run, at the earliest.
 *
 *   ret_transfer   for sn_http_client_cancel, until done is called; may be NULL
 *
 * SN_OK, SN_ERR_INVALID (the URL or an option), SN_ERR_NO_MEMORY.
 * Cost: no system call; a new connection starts in run.
 */
sn_status sn_http_client_start(struct sn_http_client *client, const struct sn_http_ask *ask,
                               sn_http_done done, void *ctx, struct sn_http_transfer **ret_transfer,
                               struct sn_err *err) SN_MUST_USE;

/* End a transfer without done(). Not from inside its done(). */
void sn_http_client_cancel(struct sn_http_client *client, struct sn_http_transfer *transfer);

/*
 * Wait until something happens, at most timeout_ms, and deal with it: calls done().
 * SN_OK, also when time is up; SN_ERR_IO (epoll).
 */
sn_status sn_http_client_run(struct sn_http_client *client, int64_t timeout_ms,
                             struct sn_err *err) SN_MUST_USE;

/* Let run return soon. Any thread, also a signal handler. */
void sn_http_client_wake(struct sn_http_client *client);

size_t sn_http_client_active_count(const struct sn_http_client *client);

/*
 * One transfer from begin to end. Blocks up to ask->timeout_ms.
 *
 *   ret_http_status   any status is a success here
 *   ret_body          initialised; takes the body
 *
 * SN_OK, statuses of start, SN_ERR_TIMEOUT, SN_ERR_IO (connection), SN_ERR_LIMIT (body, headers,
 * redirects), SN_ERR_INVALID (what came is not HTTP or cannot be unpacked).
 */
sn_status sn_http_client_fetch(struct sn_http_client *client, const struct sn_http_ask *ask,
                               int *ret_http_status, struct sn_buf *ret_body,
                               struct sn_err *err) SN_MUST_USE;

#endif
