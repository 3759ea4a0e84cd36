/*
 * The running server, as the command line asks it: a base URL and a token. One thread.
 */
#ifndef SN_APP_REMOTE_H
#define SN_APP_REMOTE_H

#include "app/command.h"
#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"
#include "net/http_client.h"

#define SN_REMOTE_LISTEN_DEFAULT "127.0.0.1:9464"
#define SN_REMOTE_USAGE                                                                            \
    "  --url URL          the server, or SONDE_URL [http://" SN_REMOTE_LISTEN_DEFAULT "]\n"        \
    "  --token-file FILE  an API token or session, or SONDE_TOKEN\n"

/* Rows for getopt_long, and what they gave. */
#define SN_REMOTE_OPTIONS                                                                          \
    {"url", required_argument, NULL, 'U'}, {                                                       \
        "token-file", required_argument, NULL, 'T'                                                 \
    }
struct sn_remote_options {
    const char *url, *token_path; /* argv's; NULL: nothing */
};
/* Take one of them; returns whether the letter was one. */
static inline bool sn_remote_option(struct sn_remote_options *options, int letter,
                                    const char *value) {
    if (letter == 'U')
        options->url = value;
    if (letter == 'T')
        options->token_path = value;
    return letter == 'U' || letter == 'T';
}

struct sn_remote {
    struct sn_http_client *client; /* owned */
    char url[1024];                /* without a slash at its end */
    char header[512];              /* "Authorization: Bearer ..."; empty: none */
    bool is_unreachable;           /* the last call found no server */
};

/*
 *   url         NULL: SONDE_URL, or http://<listen>
 *   token_path  file with the token; NULL: SONDE_TOKEN, or none
 *
 * SN_ERR_NOT_FOUND, SN_ERR_DENIED, SN_ERR_IO (the file), SN_ERR_LIMIT (too long), SN_ERR_NO_MEMORY.
 */
sn_status sn_remote_init(struct sn_remote *remote, const char *url, const char *listen,
                         const char *token_path, struct sn_err *err) SN_MUST_USE;
void sn_remote_release(struct sn_remote *remote);

struct sn_remote_call {
    const char *path;   /* "/api/v1/..." with its query */
    const char *method; /* of sn_remote_ask; NULL: POST */
    const char *content_type;
    struct sn_str body; /* ptr NULL: none */
    int64_t timeout_ms;
    /* NULL, or initialised: gets the server's sentence when it refuses, whole. One that holds label
     * sets does not fit into struct sn_err. */
    struct sn_buf *sentence;
};

/*
 * Ask and take the answer.
 *
 *   method     "GET", "POST", ...
 *   ret_body   initialised; the document, on SN_OK
 *
 * SN_OK (2xx); what the server says otherwise, with its own sentence: SN_ERR_INVALID, SN_ERR_DENIED,
 * SN_ERR_NOT_FOUND, SN_ERR_LIMIT, SN_ERR_BUSY, SN_ERR_IO; SN_ERR_IO and is_unreachable when there is none.
 */
sn_status sn_remote_send(struct sn_remote *remote, const char *method,
                         const struct sn_remote_call *call, struct sn_buf *ret_body,
                         struct sn_err *err) SN_MUST_USE;

/* POST: the same. */
sn_status sn_remote_post(struct sn_remote *remote, const struct sn_remote_call *call,
                         struct sn_buf *ret_body, struct sn_err *err) SN_MUST_USE;

/* One call from begin to end, with what the command line gave. ret_exit: 3 without a server. */
sn_status sn_remote_ask(const struct sn_remote_options *options, const struct sn_remote_call *call,
                        struct sn_buf *ret_body, int *ret_exit, struct sn_err *err) SN_MUST_USE;

#endif
