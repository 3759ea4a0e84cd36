/*
 * The smallest HTTP/1.1 client that can push: one connection to one server, kept open between
 * requests, over a non-blocking socket with deadlines. One thread at a time; only that thread asks
 * for addresses, which may take as long as the system likes.
 */
#ifndef SN_CLIENT_PUSH_HTTP_PRIV_H
#define SN_CLIENT_PUSH_HTTP_PRIV_H

#include "base/status.h"
#include "base/str.h"
#include "client/push_response_priv.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define SN_PUSH_HOST_SIZE 256
#define SN_PUSH_PATH_SIZE 512
#define SN_PUSH_TOKEN_BYTES_MAX 4096
#define SN_PUSH_REQUEST_SIZE 6144
/* Of the body of an answer as much is looked at as fits behind the largest head. */
#define SN_PUSH_INPUT_SIZE (SN_PUSH_HEAD_BYTES_MAX + 4096)

struct sn_push_url {
    char host[SN_PUSH_HOST_SIZE];       /* without brackets */
    char place[SN_PUSH_HOST_SIZE + 16]; /* HOST:PORT as the Host header wants it */
    char port[8];
    char path[SN_PUSH_PATH_SIZE]; /* prefix and the path of the import */
};

/* INVALID with a sentence; UNSUPPORTED: https. */
sn_status sn_push_url_parse(const char *url, struct sn_push_url *ret_url,
                            struct sn_err *err) SN_MUST_USE;

struct sn_push_http {
    struct sn_push_url url;
    char *token; /* owned; NULL: none */
    int64_t connect_timeout_ns;
    int64_t timeout_ns;
    /* System's monotonic time from which on every wait ends: whoever closes does not wait for us. */
    _Atomic int64_t abort_ns;
    int fd;         /* -1: not connected */
    bool is_reused; /* fd has carried a request before */
    size_t input_len;
    char input[SN_PUSH_INPUT_SIZE];
    char request[SN_PUSH_REQUEST_SIZE];
};

/* Timeouts in nanoseconds; token may be NULL, of visible ASCII. INVALID, NO_MEMORY. */
sn_status sn_push_http_init(struct sn_push_http *http, const struct sn_push_url *url,
                            const char *token, struct sn_err *err) SN_MUST_USE;
void sn_push_http_release(struct sn_push_http *http);

/* Close the connection; in a child of fork that does not disturb the parent's. */
void sn_push_http_disconnect(struct sn_push_http *http);

struct sn_push_answer {
    unsigned status;
    unsigned retry_after_s;
    bool has_accepted;
    uint64_t accepted;
};

/*
 * Send a body and read the answer. A connection that was kept and turns out to be dead is replaced
 * once.
 *
 * Returns SN_OK with any status from 200 to 599, or IO, TIMEOUT, CORRUPT, LIMIT, NOT_FOUND (no such
 * host), CLOSED (abort_ns) with a sentence; then the connection is closed.
 * Blocks: up to timeout_ns, twice when the connection was dead, and for the host's address.
 */
sn_status sn_push_http_post(struct sn_push_http *http, struct sn_str body,
                            struct sn_push_answer *ret_answer, struct sn_err *err) SN_MUST_USE;

#endif
