/*
 * HTTP client over libcurl. See http_client.h.
 *
 *   epoll fd: the sockets of curl_multi, told by on_socket, and an eventfd for wake
 *
 * 1. Transfers live in one list while in flight and in another while idle; an idle one keeps its
 *    easy handle and, when it is small, its body's memory.
 * 2. done() is called from `deliver` alone, when the transfer is idle again but not yet reused: it
 *    may start others.
 *
 * The thread of the client; curl's resolver has threads of its own.
 */
#include "net/http_client.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <curl/curl.h>
#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#define CONNECTIONS_DEFAULT 64
#define RECEIVE_BYTES 65536L /* a scrape of 500 series in one read */
/* Handles beyond these are freed when they are idle. */
#define IDLE_MAX 64
/* A larger body gives its memory back: one huge page must not cost it for ever. */
#define KEPT_BODY_BYTES_MAX ((size_t)256 << 10)
#define EVENTS_PER_WAIT 64
#define NO_TIMER INT64_C(-1)
#define MS_NS INT64_C(1000000)
#define REASON_SIZE 64

struct sn_http_transfer {
    struct sn_http_transfer *next, *previous; /* in its list */
    struct sn_http_client *client;
    CURL *easy;
    struct curl_slist *headers, *connect_to;
    sn_http_done done;
    void *ctx;
    struct sn_buf body;
    size_t body_bytes_max, head_bytes;
    bool is_body_too_large, is_head_too_large;
    char error[CURL_ERROR_SIZE];
    char reason[REASON_SIZE]; /* of the last status line */
};

struct sn_http_client {
    CURLM *multi;
    int epoll_fd, wake_fd;
    int64_t deadline_ns; /* when curl wants to be called, monotonic; NO_TIMER: never */
    struct sn_http_transfer *active, *idle;
    size_t active_count, idle_count;
};

static int64_t now_ns(void) {
    return sn_clock_mono_ns(sn_clock_system());
}

/* ---- lists ---- */

static void link_first(struct sn_http_transfer **list, struct sn_http_transfer *transfer) {
    transfer->previous = NULL;
    transfer->next = *list;
    if (*list != NULL)
        (*list)->previous = transfer;
    *list = transfer;
}

static void unlink_from(struct sn_http_transfer **list, struct sn_http_transfer *transfer) {
    if (transfer->previous != NULL)
        transfer->previous->next = transfer->next;
    else
        *list = transfer->next;
    if (transfer->next != NULL)
        transfer->next->previous = transfer->previous;
}

static void transfer_free(struct sn_http_transfer *transfer) {
    curl_easy_cleanup(transfer->easy);
    curl_slist_free_all(transfer->headers);
    curl_slist_free_all(transfer->connect_to);
    sn_buf_release(&transfer->body);
    sn_free(transfer);
}

/* Ready for the next question, or gone. */
static void transfer_rest(struct sn_http_transfer *transfer) {
    struct sn_http_client *client = transfer->client;
    if (client->idle_count >= IDLE_MAX) {
        transfer_free(transfer);
        return;
    }
    curl_easy_reset(transfer->easy);
    curl_slist_free_all(SN_TAKE(transfer->headers));
    curl_slist_free_all(SN_TAKE(transfer->connect_to));
    if (transfer->body.cap > KEPT_BODY_BYTES_MAX)
        sn_buf_release(&transfer->body);
    link_first(&client->idle, transfer);
    client->idle_count++;
}

static struct sn_http_transfer *transfer_take(struct sn_http_client *client) {
    struct sn_http_transfer *transfer = client->idle;
    if (transfer != NULL) {
        unlink_from(&client->idle, transfer);
        client->idle_count--;
        return transfer;
    }
    transfer = sn_alloc_zero(1, sizeof *transfer);
    if (transfer == NULL)
        return NULL;
    transfer->client = client;
    transfer->easy = curl_easy_init();
    if (transfer->easy == NULL) {
        sn_free(transfer);
        return NULL;
    }
    return transfer;
}

static void deactivate(struct sn_http_transfer *transfer) {
    struct sn_http_client *client = transfer->client;
    CURLMcode code = curl_multi_remove_handle(client->multi, transfer->easy);
    (void)SN_NEVER(code != CURLM_OK);
    unlink_from(&client->active, transfer);
    client->active_count--;
}

/* ---- what curl calls ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx) {
    struct sn_http_transfer *transfer = ctx;
    size_t len = size * count;
    if (transfer->body.len + len > transfer->body_bytes_max) {
        transfer->is_body_too_large = true;
        return 0; /* curl ends the transfer with CURLE_WRITE_ERROR */
    }
    sn_buf_put(&transfer->body, bytes, len);
    return transfer->body.status == SN_OK ? len : 0;
}

/* "HTTP/1.1 404 Not Found": what stands behind the number, cut to what has room. */
static void keep_reason(struct sn_http_transfer *transfer, struct sn_str line) {
    struct sn_str version, number, reason = {"", 0};
    if (!sn_str_starts_with(line, SN_STR("HTTP/")))
        return;
    (void)sn_str_cut(line, ' ', &version, &line);  /* No blank: no reason either. */
    (void)sn_str_cut(line, ' ', &number, &reason); /* The same. */
    reason = sn_str_trim(reason);
    size_t len = reason.len < REASON_SIZE - 1 ? reason.len : REASON_SIZE - 1;
    if (!sn_str_is_utf8(sn_str_make(reason.ptr, len)))
        len = 0;
    memcpy(transfer->reason, reason.ptr, len);
    transfer->reason[len] = '\0';
}

static size_t on_head(char *bytes, size_t size, size_t count, void *ctx) {
    struct sn_http_transfer *transfer = ctx;
    keep_reason(transfer, sn_str_make(bytes, size * count));
    transfer->head_bytes += size * count;
    transfer->is_head_too_large = transfer->head_bytes > SN_HTTP_CLIENT_HEAD_BYTES_MAX;
    return transfer->is_head_too_large ? 0 : size * count;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ctx) {
    struct sn_http_client *client = ctx;
    (void)multi;
    client->deadline_ns = timeout_ms < 0 ? NO_TIMER : now_ns() + (int64_t)timeout_ms * MS_NS;
    return 0;
}

/* The socket pointer of curl tells whether epoll has the socket already. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ctx, void *socket_ctx) {
    struct sn_http_client *client = ctx;
    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        (void)sn_os_epoll_ctl(client->epoll_fd, EPOLL_CTL_DEL, fd, NULL); /* It may be closed. */
        return 0;
    }
    struct epoll_event event = {.data = {.fd = fd}};
    if (what == CURL_POLL_IN || what == CURL_POLL_INOUT)
        event.events |= EPOLLIN;
    if (what == CURL_POLL_OUT || what == CURL_POLL_INOUT)
        event.events |= EPOLLOUT;
    int operation = socket_ctx == NULL ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
    if (sn_os_epoll_ctl(client->epoll_fd, operation, fd, &event) != 0)
        return -1; /* curl aborts the transfers with CURLM_ABORTED_BY_CALLBACK */
    if (socket_ctx == NULL && curl_multi_assign(client->multi, fd, client) != CURLM_OK)
        return -1;
    return 0;
}

/* ---- making ---- */

static sn_status open_descriptors(struct sn_http_client *client, struct sn_err *err) {
    client->epoll_fd = sn_os_epoll_create();
    if (client->epoll_fd < 0)
        return sn_err_set_errno(err, errno, "cannot make an epoll for the HTTP client");
    client->wake_fd = sn_os_eventfd(0);
    if (client->wake_fd < 0)
        return sn_err_set_errno(err, errno, "cannot make an eventfd for the HTTP client");
    struct epoll_event event = {.events = EPOLLIN, .data = {.fd = client->wake_fd}};
    if (sn_os_epoll_ctl(client->epoll_fd, EPOLL_CTL_ADD, client->wake_fd, &event) != 0)
        return sn_err_set_errno(err, errno, "cannot watch the eventfd of the HTTP client");
    return SN_OK;
}

static sn_status open_multi(struct sn_http_client *client, struct sn_err *err) {
    client->multi = curl_multi_init();
    if (client->multi == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the HTTP client");
    bool is_set =
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETFUNCTION, on_socket) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_SOCKETDATA, client) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_TIMERFUNCTION, on_timer) == CURLM_OK &&
        curl_multi_setopt(client->multi, CURLMOPT_TIMERDATA, client) == CURLM_OK;
    return is_set ? SN_OK : sn_err_set(err, SN_ERR_INTERNAL, "libcurl takes no multi options");
}

sn_status sn_http_client_new(size_t connections_max, struct sn_http_client **ret_client,
                             struct sn_err *err) {
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) /* Counted, and safe with threads. */
        return sn_err_set(err, SN_ERR_INTERNAL, "libcurl does not start");
    struct sn_http_client *client = sn_alloc_zero(1, sizeof *client);
    if (client == NULL) {
        curl_global_cleanup();
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the HTTP client");
    }
    client->epoll_fd = client->wake_fd = -1;
    client->deadline_ns = NO_TIMER;
    sn_status status = open_descriptors(client, err);
    if (status == SN_OK)
        status = open_multi(client, err);
    if (status != SN_OK) {
        (void)sn_http_client_free(client); /* NULL, always */
        return status;
    }
    sn_http_client_keep(client, connections_max > 0 ? connections_max : CONNECTIONS_DEFAULT);
    *ret_client = client;
    return SN_OK;
}

struct sn_http_client *sn_http_client_free(struct sn_http_client *client) {
    if (client == NULL)
        return NULL;
    while (client->active != NULL) {
        struct sn_http_transfer *transfer = client->active;
        deactivate(transfer);
        transfer_free(transfer);
    }
    while (client->idle != NULL) {
        struct sn_http_transfer *transfer = client->idle;
        unlink_from(&client->idle, transfer);
        transfer_free(transfer);
    }
    if (client->multi != NULL)
        (void)curl_multi_cleanup(client->multi); /* Fails for handles that are not multi alone. */
    if (client->wake_fd >= 0)
        (void)sn_os_close(client->wake_fd); /* nothing was written */
    if (client->epoll_fd >= 0)
        (void)sn_os_close(client->epoll_fd); /* nothing was written */
    sn_free(client);
    curl_global_cleanup();
    return NULL;
}

void sn_http_client_keep(struct sn_http_client *client, size_t connections_max) {
    long count = connections_max < (size_t)INT_MAX ? (long)connections_max : (long)INT_MAX;
    (void)curl_multi_setopt(client->multi, CURLMOPT_MAXCONNECTS, count); /* known option */
}

/* ---- options of one transfer ---- */

/* Sets options one by one and remembers the first failure. */
struct setter {
    CURL *easy;
    CURLcode code;
};

static void set_long(struct setter *setter, CURLoption option, long value) {
    if (setter->code == CURLE_OK)
        setter->code = curl_easy_setopt(setter->easy, option, value);
}

static void set_text(struct setter *setter, CURLoption option, const char *value) {
    if (setter->code == CURLE_OK && value != NULL)
        setter->code = curl_easy_setopt(setter->easy, option, value);
}

static void set_pointer(struct setter *setter, CURLoption option, void *value) {
    if (setter->code == CURLE_OK)
        setter->code = curl_easy_setopt(setter->easy, option, value);
}

static void set_blob(struct setter *setter, CURLoption option, const char *text) {
    if (setter->code != CURLE_OK || text == NULL)
        return;
    size_t len = strlen(text);
    struct curl_blob blob = {.len = len, .flags = CURL_BLOB_COPY};
    char *copy = sn_strndup(text, len); /* curl's struct wants bytes that are not const */
    blob.data = copy;
    setter->code =
        copy == NULL ? CURLE_OUT_OF_MEMORY : curl_easy_setopt(setter->easy, option, &blob);
    sn_free(copy);
}

static long version_option(const struct sn_http_tls *tls) {
    static const long minima[] = {CURL_SSLVERSION_DEFAULT, CURL_SSLVERSION_TLSv1_0,
                                  CURL_SSLVERSION_TLSv1_1, CURL_SSLVERSION_TLSv1_2,
                                  CURL_SSLVERSION_TLSv1_3};
    static const long maxima[] = {CURL_SSLVERSION_MAX_DEFAULT, CURL_SSLVERSION_MAX_TLSv1_0,
                                  CURL_SSLVERSION_MAX_TLSv1_1, CURL_SSLVERSION_MAX_TLSv1_2,
                                  CURL_SSLVERSION_MAX_TLSv1_3};
    enum sn_tls_version version_min =
        tls->version_min == SN_TLS_DEFAULT ? SN_TLS_1_2 : tls->version_min;
    if (tls->version_max != SN_TLS_DEFAULT && tls->version_max < version_min &&
        tls->version_min == SN_TLS_DEFAULT)
        version_min = tls->version_max;
    return minima[version_min] | maxima[tls->version_max];
}

static void set_tls(struct setter *setter, const struct sn_http_tls *tls) {
    set_blob(setter, CURLOPT_CAINFO_BLOB, tls->ca);
    set_text(setter, CURLOPT_CAINFO, tls->ca_file);
    set_blob(setter, CURLOPT_SSLCERT_BLOB, tls->cert);
    set_text(setter, CURLOPT_SSLCERT, tls->cert_file);
    set_blob(setter, CURLOPT_SSLKEY_BLOB, tls->key);
    set_text(setter, CURLOPT_SSLKEY, tls->key_file);
    set_long(setter, CURLOPT_SSLVERSION, version_option(tls));
    if (tls->skips_verification) {
        set_long(setter, CURLOPT_SSL_VERIFYPEER, 0);
        set_long(setter, CURLOPT_SSL_VERIFYHOST, 0);
    }
}

static sn_status add_line(struct curl_slist **list, const char *line, struct sn_err *err) {
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the lines of a request");
    *list = longer;
    return SN_OK;
}

/*
 * Ask another name than the URL's host: curl has no option for the name alone, so the URL names the
 * server and the connection goes to the URL's host.
 */
static sn_status set_server_name(struct sn_http_transfer *transfer, struct setter *setter,
                                 const char *name, CURLU *url, struct sn_err *err) {
    char *host = NULL, *port = NULL;
    struct sn_buf line;
    sn_buf_init(&line, 4096);
    sn_status status = SN_ERR_INVALID;
    if (curl_url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
        curl_url_get(url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK) {
        sn_buf_printf(&line, "%s:%s:%s:%s", name, port, host, port);
        sn_buf_put_byte(&line, '\0');
        status = sn_buf_status(&line, err);
        if (status == SN_OK)
            status = add_line(&transfer->connect_to, (const char *)line.ptr, err);
        sn_buf_reset(&line);
        sn_buf_printf(&line, "Host: %s:%s", host, port);
        sn_buf_put_byte(&line, '\0');
        if (status == SN_OK)
            status = sn_buf_status(&line, err);
        if (status == SN_OK)
            status = add_line(&transfer->headers, (const char *)line.ptr, err);
        if (status == SN_OK && curl_url_set(url, CURLUPART_HOST, name, 0) != CURLUE_OK)
            status = sn_err_set(err, SN_ERR_INVALID, "\"%s\" is no name of a server", name);
        set_pointer(setter, CURLOPT_CONNECT_TO, transfer->connect_to);
    }
    curl_free(host);
    curl_free(port);
    sn_buf_release(&line);
    return status;
}

static sn_status set_url(struct sn_http_transfer *transfer, struct setter *setter,
                         const struct sn_http_ask *ask, struct sn_err *err) {
    if (ask->tls == NULL || ask->tls->server_name == NULL) {
        set_text(setter, CURLOPT_URL, ask->url);
        return SN_OK;
    }
    char *whole = NULL;
    CURLU *url = curl_url();
    sn_status status = SN_OK;
    if (url == NULL || curl_url_set(url, CURLUPART_URL, ask->url, 0) != CURLUE_OK)
        status = sn_err_set(err, SN_ERR_INVALID, "\"%s\" is not a URL", ask->url);
    if (status == SN_OK)
        status = set_server_name(transfer, setter, ask->tls->server_name, url, err);
    if (status == SN_OK && curl_url_get(url, CURLUPART_URL, &whole, 0) != CURLUE_OK)
        status = sn_err_set(err, SN_ERR_INVALID, "\"%s\" is not a URL", ask->url);
    set_text(setter, CURLOPT_URL, whole);
    curl_free(whole);
    curl_url_cleanup(url);
    return status;
}

static void set_method(struct setter *setter, const struct sn_http_ask *ask) {
    if (ask->body.ptr != NULL) {
        set_long(setter, CURLOPT_POST, 1);
        if (setter->code == CURLE_OK)
            setter->code = curl_easy_setopt(setter->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                            (curl_off_t)ask->body.len);
        set_text(setter, CURLOPT_COPYPOSTFIELDS, ask->body.ptr);
    }
    set_text(setter, CURLOPT_CUSTOMREQUEST, ask->method);
}

/* What every transfer has. */
static void set_fixed(struct sn_http_transfer *transfer, struct setter *setter) {
    set_long(setter, CURLOPT_NOSIGNAL, 1);
    set_long(setter, CURLOPT_QUICK_EXIT, 1); /* a resolver that hangs is left behind, not joined */
    set_long(setter, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    set_text(setter, CURLOPT_PROTOCOLS_STR, "http,https");
    set_text(setter, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    set_long(setter, CURLOPT_PATH_AS_IS, 1);
    set_long(setter, CURLOPT_BUFFERSIZE, RECEIVE_BYTES);
    set_pointer(setter, CURLOPT_PRIVATE, transfer);
    set_pointer(setter, CURLOPT_ERRORBUFFER, transfer->error);
    set_pointer(setter, CURLOPT_WRITEDATA, transfer);
    set_pointer(setter, CURLOPT_HEADERDATA, transfer);
    if (setter->code == CURLE_OK)
        setter->code = curl_easy_setopt(setter->easy, CURLOPT_WRITEFUNCTION, on_body);
    if (setter->code == CURLE_OK)
        setter->code = curl_easy_setopt(setter->easy, CURLOPT_HEADERFUNCTION, on_head);
}

static sn_status set_headers(struct sn_http_transfer *transfer, const struct sn_http_ask *ask,
                             struct sn_err *err) {
    for (size_t i = 0; i < ask->header_count; i++)
        SN_TRY(add_line(&transfer->headers, ask->headers[i], err));
    if (ask->accepts_gzip)
        SN_TRY(add_line(&transfer->headers, "Accept-Encoding: gzip", err));
    if (ask->body.ptr != NULL) /* No waiting for "100 Continue". */
        SN_TRY(add_line(&transfer->headers, "Expect:", err));
    return SN_OK;
}

static sn_status set_all(struct sn_http_transfer *transfer, const struct sn_http_ask *ask,
                         struct sn_err *err) {
    struct setter setter = {transfer->easy, CURLE_OK};
    set_fixed(transfer, &setter);
    SN_TRY(set_headers(transfer, ask, err));
    SN_TRY(set_url(transfer, &setter, ask, err));
    set_method(&setter, ask);
    set_long(&setter, CURLOPT_TIMEOUT_MS, ask->timeout_ms < LONG_MAX ? (long)ask->timeout_ms : 0);
    set_text(&setter, CURLOPT_PROXY, ask->proxy ? ask->proxy : ""); /* none of the environment */
    if (ask->user != NULL) {
        set_long(&setter, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        set_text(&setter, CURLOPT_USERNAME, ask->user);
        set_text(&setter, CURLOPT_PASSWORD, ask->password ? ask->password : "");
    }
    if (ask->follows_redirects) {
        set_long(&setter, CURLOPT_FOLLOWLOCATION, 1);
        set_long(&setter, CURLOPT_MAXREDIRS, SN_HTTP_CLIENT_REDIRECTS_MAX);
    }
    if (ask->tls != NULL)
        set_tls(&setter, ask->tls);
    set_pointer(&setter, CURLOPT_HTTPHEADER, transfer->headers);
    if (setter.code == CURLE_OK)
        return SN_OK;
    if (setter.code == CURLE_OUT_OF_MEMORY)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a request");
    return sn_err_set(err, SN_ERR_INVALID, "%s: %s", ask->url, curl_easy_strerror(setter.code));
}

sn_status sn_http_client_start(struct sn_http_client *client, const struct sn_http_ask *ask,
                               sn_http_done done, void *ctx, struct sn_http_transfer **ret_transfer,
                               struct sn_err *err) {
    assert(ask->timeout_ms > 0);
    struct sn_http_transfer *transfer = transfer_take(client);
    if (transfer == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a request");
    transfer->done = done;
    transfer->ctx = ctx;
    sn_buf_reset(&transfer->body);
    transfer->body.limit = ask->body_bytes_max + 1; /* 0 would be the default */
    transfer->body_bytes_max = ask->body_bytes_max;
    transfer->head_bytes = 0;
    transfer->is_body_too_large = transfer->is_head_too_large = false;
    transfer->error[0] = transfer->reason[0] = '\0';
    sn_status status = set_all(transfer, ask, err);
    if (status == SN_OK && curl_multi_add_handle(client->multi, transfer->easy) != CURLM_OK)
        status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a request");
    if (status != SN_OK) {
        transfer_rest(transfer);
        return status;
    }
    link_first(&client->active, transfer);
    client->active_count++;
    if (ret_transfer != NULL)
        *ret_transfer = transfer;
    return SN_OK;
}

void sn_http_client_cancel(struct sn_http_client *client, struct sn_http_transfer *transfer) {
    assert(transfer->client == client);
    (void)client;
    deactivate(transfer);
    transfer_rest(transfer);
}

/* ---- the end of a transfer ---- */

static sn_status status_of(CURLcode code) {
    switch ((int)code) {
    case CURLE_OK:
        return SN_OK;
    case CURLE_OPERATION_TIMEDOUT:
        return SN_ERR_TIMEOUT;
    case CURLE_OUT_OF_MEMORY:
        return SN_ERR_NO_MEMORY;
    case CURLE_TOO_MANY_REDIRECTS:
        return SN_ERR_LIMIT;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
        return SN_ERR_INVALID;
    default: /* the hundred ways in which a connection fails */
        return SN_ERR_IO;
    }
}

static sn_status explain(const struct sn_http_transfer *transfer, CURLcode code,
                         struct sn_err *err) {
    if (transfer->is_body_too_large)
        return sn_err_set(err, SN_ERR_LIMIT, "the body has more than %zu bytes",
                          transfer->body_bytes_max);
    if (transfer->is_head_too_large)
        return sn_err_set(err, SN_ERR_LIMIT, "the headers have more than %zu bytes",
                          SN_HTTP_CLIENT_HEAD_BYTES_MAX);
    if (code == CURLE_OK)
        return SN_OK;
    if (transfer->body.status != SN_OK)
        return sn_buf_status(&transfer->body, err);
    const char *sentence = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
    return sn_err_set(err, status_of(code), "%.*s", (int)strcspn(sentence, "\r\n"), sentence);
}

static const char *header_of(CURL *easy, const char *name) {
    struct curl_header *header;
    return curl_easy_header(easy, name, 0, CURLH_HEADER, -1, &header) == CURLHE_OK ? header->value
                                                                                   : NULL;
}

/* Undo Content-Encoding into the transfer's body. */
static sn_status unpack(struct sn_http_transfer *transfer, struct sn_err *err) {
    const char *encoding = header_of(transfer->easy, "Content-Encoding");
    if (encoding == NULL || transfer->body.len == 0)
        return SN_OK;
    struct sn_http_field field = {SN_STR("content-encoding"), sn_str_trim(sn_str_from(encoding))};
    const struct sn_http_fields fields = {.items = &field, .count = 1};
    enum sn_http_encoding known = sn_http_body_encoding(&fields);
    if (known == SN_HTTP_IDENTITY)
        return SN_OK;
    struct sn_buf plain;
    sn_buf_init(&plain, transfer->body_bytes_max);
    sn_status status = sn_http_unpack(known, sn_buf_str(&transfer->body), &plain, err);
    if (status == SN_OK) {
        struct sn_buf packed = transfer->body;
        transfer->body = plain;
        plain = packed;
    }
    sn_buf_release(&plain);
    return status;
}

static void deliver(struct sn_http_transfer *transfer, CURLcode code) {
    struct sn_http_answer answer = {.body = &transfer->body, .reason = ""};
    long http_status = 0;
    curl_off_t duration_us = 0;
    char *content_type = NULL;
    answer.status = explain(transfer, code, &answer.err);
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &http_status); /* known */
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_TOTAL_TIME_T, &duration_us);  /* known */
    (void)curl_easy_getinfo(transfer->easy, CURLINFO_CONTENT_TYPE, &content_type); /* known */
    if (answer.status == SN_OK)
        answer.status = unpack(transfer, &answer.err);
    answer.http_status = (int)http_status;
    answer.reason = transfer->reason;
    answer.content_type = content_type;
    answer.duration_ns = duration_us * 1000;
    transfer->done(transfer->ctx, &answer);
    transfer_rest(transfer);
}

static void deliver_all(struct sn_http_client *client) {
    CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(client->multi, &left)) != NULL) {
        struct sn_http_transfer *transfer;
        CURLcode code = message->data.result; /* the message dies with the removal */
        if (message->msg != CURLMSG_DONE ||
            curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer) != CURLE_OK)
            continue;
        deactivate(transfer);
        deliver(transfer, code);
    }
}

/* ---- running ---- */

static void act(struct sn_http_client *client, curl_socket_t fd, int what) {
    int running;
    /* Failures belong to single transfers and come as messages. */
    (void)curl_multi_socket_action(client->multi, fd, what, &running);
}

static void handle_event(struct sn_http_client *client, const struct epoll_event *event) {
    if (event->data.fd == client->wake_fd) {
        uint64_t count;
        (void)sn_os_read(client->wake_fd, &count, sizeof count); /* empty is fine */
        return;
    }
    int what = 0;
    if (event->events & EPOLLIN)
        what |= CURL_CSELECT_IN;
    if (event->events & EPOLLOUT)
        what |= CURL_CSELECT_OUT;
    if (event->events & (EPOLLERR | EPOLLHUP))
        what |= CURL_CSELECT_ERR;
    act(client, event->data.fd, what);
}

/* Until curl's next deadline, rounded up, and at most timeout_ms. */
static int wait_ms(const struct sn_http_client *client, int64_t timeout_ms) {
    int64_t wait = timeout_ms < INT_MAX ? timeout_ms : INT_MAX;
    if (client->deadline_ns != NO_TIMER) {
        int64_t left_ms = (client->deadline_ns - now_ns() + MS_NS - 1) / MS_NS;
        wait = left_ms < wait ? left_ms : wait;
    }
    return wait > 0 ? (int)wait : 0;
}

sn_status sn_http_client_run(struct sn_http_client *client, int64_t timeout_ms,
                             struct sn_err *err) {
    struct epoll_event events[EVENTS_PER_WAIT];
    int count =
        sn_os_epoll_wait(client->epoll_fd, events, EVENTS_PER_WAIT, wait_ms(client, timeout_ms));
    if (count < 0 && errno != EINTR)
        return sn_err_set_errno(err, errno, "the HTTP client cannot wait");
    for (int i = 0; i < count; i++)
        handle_event(client, &events[i]);
    if (client->deadline_ns != NO_TIMER && client->deadline_ns <= now_ns()) {
        client->deadline_ns = NO_TIMER; /* curl says when next */
        act(client, CURL_SOCKET_TIMEOUT, 0);
    }
    deliver_all(client);
    return SN_OK;
}

void sn_http_client_wake(struct sn_http_client *client) {
    (void)sn_os_eventfd_ring(client->wake_fd); /* At its maximum it is readable already. */
}

size_t sn_http_client_active_count(const struct sn_http_client *client) {
    return client->active_count;
}

/* ---- one at a time ---- */

struct fetch {
    bool is_done;
    int http_status;
    sn_status status;
    struct sn_err err;
    struct sn_buf *body;
};

static void on_fetched(void *ctx, struct sn_http_answer *answer) {
    struct fetch *fetch = ctx;
    fetch->is_done = true;
    fetch->http_status = answer->http_status;
    fetch->status = answer->status;
    fetch->err = answer->err;
    struct sn_buf theirs = *fetch->body;
    if (answer->status != SN_OK)
        return;
    *fetch->body = *answer->body;
    *answer->body = theirs;
}

sn_status sn_http_client_fetch(struct sn_http_client *client, const struct sn_http_ask *ask,
                               int *ret_http_status, struct sn_buf *ret_body, struct sn_err *err) {
    struct fetch fetch = {.body = ret_body};
    struct sn_http_transfer *transfer;
    SN_TRY(sn_http_client_start(client, ask, on_fetched, &fetch, &transfer, err));
    while (!fetch.is_done) {
        sn_status status = sn_http_client_run(client, ask->timeout_ms, err);
        if (status != SN_OK) {
            sn_http_client_cancel(client, transfer);
            return status;
        }
    }
    if (fetch.status != SN_OK) {
        if (err != NULL)
            *err = fetch.err;
        return fetch.status;
    }
    *ret_http_status = fetch.http_status;
    return SN_OK;
}
