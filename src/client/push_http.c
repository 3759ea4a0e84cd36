/*
 * See push_http_priv.h.
 */
#include "client/push_http_priv.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/os.h"
#include "codec/number.h"
#include "sonde/status.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>

#define IMPORT_PATH "/api/v1/import/prometheus"
#define DEFAULT_PORT "80"
#define NS_PER_MS INT64_C(1000000)
#define POLL_SLICE_MS 50 /* how soon a wait notices abort_ns */
#define ADDRESSES_MAX 8  /* of one name are tried */
#define INTERIM_MAX 8    /* 1xx answers before the real one */

/* ---- URL ---- */

static bool is_visible(const char *text) {
    for (; *text != '\0'; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static sn_status copy_text(struct sn_str text, size_t size, char *ret_text, const char *what,
                           struct sn_err *err) {
    if (text.len >= size)
        return sn_err_set(err, SN_ERR_INVALID, "%s of the url is longer than %zu bytes", what,
                          size - 1);
    if (text.len > 0)
        memcpy(ret_text, text.ptr, text.len);
    ret_text[text.len] = '\0';
    return SN_OK;
}

static sn_status parse_port(struct sn_str port, struct sn_push_url *url, struct sn_err *err) {
    uint64_t number = 0;
    if (port.len == 0)
        port = SN_STR(DEFAULT_PORT);
    if (port.len > 5 || sn_uint64_parse(port, &number) != SN_OK || number == 0 || number > 65535)
        return sn_err_set(err, SN_ERR_INVALID, "port of the url is not 1 to 65535");
    return copy_text(port, sizeof url->port, url->port, "port", err);
}

/* HOST, HOST:PORT, [IPV6], [IPV6]:PORT. */
static sn_status parse_place(struct sn_str place, struct sn_push_url *url, struct sn_err *err) {
    struct sn_str host, port;
    bool is_ipv6 = place.len > 0 && place.ptr[0] == '[';
    if (is_ipv6) {
        struct sn_str inner = {place.ptr + 1, place.len - 1};
        if (!sn_str_cut(inner, ']', &host, &port) || (port.len > 0 && port.ptr[0] != ':'))
            return sn_err_set(err, SN_ERR_INVALID, "url: \"[\" without \"]\" before the port");
        if (port.len > 0)
            port = (struct sn_str){port.ptr + 1, port.len - 1};
    } else {
        (void)sn_str_cut(place, ':', &host, &port);
    }
    if (host.len == 0 || sn_str_find_char(place, '@') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "url needs a host, and no user: use a token");
    if (!is_ipv6 && sn_str_find_char(port, ':') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "url: an IPv6 address stands in brackets");
    SN_TRY(copy_text(host, sizeof url->host, url->host, "host", err));
    SN_TRY(parse_port(port, url, err));
    (void)snprintf(url->place, sizeof url->place, is_ipv6 ? "[%s]:%s" : "%s:%s", url->host,
                   url->port);
    return SN_OK;
}

sn_status sn_push_url_parse(const char *text, struct sn_push_url *ret_url, struct sn_err *err) {
    struct sn_push_url url = {.host = ""};
    struct sn_str rest = sn_str_from(text);
    if (sn_str_starts_with(rest, SN_STR("https://")))
        return sn_err_set(err, SN_ERR_UNSUPPORTED,
                          "url: https is not spoken; use http to a local server or proxy");
    if (!sn_str_starts_with(rest, SN_STR("http://")) || !is_visible(text))
        return sn_err_set(err, SN_ERR_INVALID, "url is not http://HOST[:PORT][/PREFIX]");
    rest = (struct sn_str){rest.ptr + 7, rest.len - 7};
    if (sn_str_find_char(rest, '?') != SIZE_MAX || sn_str_find_char(rest, '#') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "url: a prefix has no \"?\" and no \"#\"");
    size_t slash = sn_str_find_char(rest, '/');
    struct sn_str prefix = {rest.ptr + rest.len, 0};
    if (slash != SIZE_MAX)
        prefix = (struct sn_str){rest.ptr + slash, rest.len - slash};
    rest.len -= prefix.len;
    while (prefix.len > 0 && prefix.ptr[prefix.len - 1] == '/')
        prefix.len--;
    SN_TRY(parse_place(rest, &url, err));
    SN_TRY(copy_text(prefix, sizeof url.path - sizeof IMPORT_PATH, url.path, "prefix", err));
    memcpy(url.path + prefix.len, IMPORT_PATH, sizeof IMPORT_PATH);
    *ret_url = url;
    return SN_OK;
}

/* ---- life ---- */

sn_status sn_push_http_init(struct sn_push_http *http, const struct sn_push_url *url,
                            const char *token, struct sn_err *err) {
    http->url = *url;
    http->fd = -1;
    http->token = NULL;
    atomic_store(&http->abort_ns, INT64_MAX);
    if (token == NULL || token[0] == '\0')
        return SN_OK;
    if (strnlen(token, SN_PUSH_TOKEN_BYTES_MAX + 1) > SN_PUSH_TOKEN_BYTES_MAX || !is_visible(token))
        return sn_err_set(err, SN_ERR_INVALID, "token is not 1 to %d visible characters",
                          SN_PUSH_TOKEN_BYTES_MAX);
    http->token = sn_strdup(token);
    return http->token != NULL ? SN_OK : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a token");
}

void sn_push_http_disconnect(struct sn_push_http *http) {
    if (http->fd >= 0)
        (void)sn_os_close(http->fd);
    http->fd = -1;
    http->is_reused = false;
}

void sn_push_http_release(struct sn_push_http *http) {
    sn_push_http_disconnect(http);
    sn_free(http->token);
    http->token = NULL;
}

/* ---- waiting ---- */

static int64_t now_ns(void) {
    return sn_clock_mono_ns(sn_clock_system());
}

/* Wait for events of the socket. SN_ERR_TIMEOUT, SN_ERR_CLOSED. */
static sn_status wait_for(const struct sn_push_http *http, short events, int64_t deadline_ns,
                          const char *what, struct sn_err *err) {
    for (;;) {
        int64_t now = now_ns();
        if (now >= atomic_load(&http->abort_ns))
            return sn_err_set(err, SN_ERR_CLOSED, "stopped while %s", what);
        if (now >= deadline_ns)
            return sn_err_set(err, SN_ERR_TIMEOUT, "%s: no time left while %s", http->url.place,
                              what);
        int64_t left_ms = (deadline_ns - now) / NS_PER_MS + 1;
        struct pollfd poll = {.fd = http->fd, .events = events};
        int ready = sn_os_poll(&poll, 1, left_ms < POLL_SLICE_MS ? (int)left_ms : POLL_SLICE_MS);
        if (ready > 0)
            return SN_OK;
        if (ready < 0 && errno != EINTR)
            return sn_err_set_errno(err, errno, "poll");
    }
}

/* ---- connecting ---- */

static int64_t earlier(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static sn_status finish_connect(struct sn_push_http *http, const struct addrinfo *address,
                                int64_t deadline_ns, struct sn_err *err) {
    if (sn_os_connect(http->fd, address->ai_addr, address->ai_addrlen) == 0)
        return SN_OK;
    if (errno != EINPROGRESS && errno != EINTR)
        return sn_err_set_errno(err, errno, "cannot connect to %s", http->url.place);
    deadline_ns = earlier(deadline_ns, now_ns() + http->connect_timeout_ns);
    SN_TRY(wait_for(http, POLLOUT, deadline_ns, "connecting", err));
    /* Asked again, Linux says how it ended. */
    if (sn_os_connect(http->fd, address->ai_addr, address->ai_addrlen) == 0 || errno == EISCONN)
        return SN_OK;
    return sn_err_set_errno(err, errno, "cannot connect to %s", http->url.place);
}

static sn_status connect_one(struct sn_push_http *http, const struct addrinfo *address,
                             int64_t deadline_ns, struct sn_err *err) {
    http->fd = sn_os_socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK, IPPROTO_TCP);
    if (http->fd < 0)
        return sn_err_set_errno(err, errno, "no socket for %s", http->url.place);
    sn_status status = finish_connect(http, address, deadline_ns, err);
    if (status != SN_OK)
        sn_push_http_disconnect(http);
    else /* without it a request waits for more of itself; it still arrives */
        (void)sn_os_setsockopt(http->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    return status;
}

static sn_status connect_any(struct sn_push_http *http, int64_t deadline_ns, struct sn_err *err) {
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *addresses = NULL;
    int result = getaddrinfo(http->url.host, http->url.port, &hints, &addresses);
    if (result != 0)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "host %s: %s", http->url.host,
                          gai_strerror(result));
    sn_status status = SN_ERR_NOT_FOUND;
    size_t tried = 0;
    for (struct addrinfo *address = addresses; address != NULL && tried < ADDRESSES_MAX;
         address = address->ai_next, tried++) {
        status = connect_one(http, address, deadline_ns, err);
        if (status == SN_OK || status == SN_ERR_CLOSED)
            break;
    }
    freeaddrinfo(addresses);
    return status;
}

/* ---- request ---- */

static sn_status send_all(struct sn_push_http *http, struct sn_str bytes, int64_t deadline_ns,
                          struct sn_err *err) {
    while (bytes.len > 0) {
        ssize_t sent = sn_os_send(http->fd, bytes.ptr, bytes.len, 0);
        if (sent > 0) {
            bytes = (struct sn_str){bytes.ptr + sent, bytes.len - (size_t)sent};
        } else if (sent < 0 && errno == EAGAIN) {
            SN_TRY(wait_for(http, POLLOUT, deadline_ns, "sending", err));
        } else {
            return sn_err_set_errno(err, sent < 0 ? errno : EPIPE, "cannot send to %s",
                                    http->url.place);
        }
    }
    return SN_OK;
}

static sn_status send_request(struct sn_push_http *http, struct sn_str body, int64_t deadline_ns,
                              struct sn_err *err) {
    int len = snprintf(http->request, sizeof http->request,
                       "POST %s HTTP/1.1\r\n"
                       "Host: %s\r\n"
                       "User-Agent: libsonde/%s\r\n"
                       "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
                       "Content-Length: %zu\r\n"
                       "%s%s%s\r\n",
                       http->url.path, http->url.place, sonde_version(), body.len,
                       http->token != NULL ? "Authorization: Bearer " : "",
                       http->token != NULL ? http->token : "", http->token != NULL ? "\r\n" : "");
    SN_CHECK(len > 0 && (size_t)len < sizeof http->request);
    SN_TRY(send_all(http, sn_str_make(http->request, (size_t)len), deadline_ns, err));
    return send_all(http, body, deadline_ns, err);
}

/* ---- answer ---- */

/* Append what comes. SN_ERR_IO: nothing will come any more. */
static sn_status receive(struct sn_push_http *http, int64_t deadline_ns, struct sn_err *err) {
    for (;;) {
        ssize_t got = sn_os_recv(http->fd, http->input + http->input_len,
                                 sizeof http->input - http->input_len, 0);
        if (got > 0) {
            http->input_len += (size_t)got;
            return SN_OK;
        }
        if (got == 0)
            return sn_err_set(err, SN_ERR_IO, "%s closed the connection before its answer",
                              http->url.place);
        if (errno != EAGAIN)
            return sn_err_set_errno(err, errno, "cannot read from %s", http->url.place);
        SN_TRY(wait_for(http, POLLIN, deadline_ns, "waiting for the answer", err));
    }
}

static sn_status receive_head(struct sn_push_http *http, int64_t deadline_ns,
                              struct sn_push_head *ret_head, struct sn_err *err) {
    for (unsigned interim = 0; interim <= INTERIM_MAX;) {
        sn_status status =
            sn_push_head_parse(sn_str_make(http->input, http->input_len), ret_head, err);
        if (status == SN_ERR_BUSY) {
            SN_TRY(receive(http, deadline_ns, err));
            continue;
        }
        if (status != SN_OK || ret_head->status >= 200)
            return status;
        http->input_len -= ret_head->head_len;
        memmove(http->input, http->input + ret_head->head_len, http->input_len);
        interim++;
    }
    return sn_err_set(err, SN_ERR_CORRUPT, "%s answers with 1xx only", http->url.place);
}

/* A body that does not fit costs the connection, nothing else. */
static sn_status receive_body(struct sn_push_http *http, struct sn_push_head *head,
                              int64_t deadline_ns, struct sn_str *ret_body, struct sn_err *err) {
    *ret_body = sn_str_make(http->input + head->head_len, 0);
    if (!head->has_body_len || head->body_len > sizeof http->input - head->head_len) {
        head->is_kept = false;
        return SN_OK;
    }
    size_t end = head->head_len + (size_t)head->body_len;
    while (http->input_len < end)
        SN_TRY(receive(http, deadline_ns, err));
    /* Bytes that nobody asked for: who knows what the next answer would be. */
    head->is_kept = head->is_kept && http->input_len == end;
    ret_body->len = (size_t)head->body_len;
    return SN_OK;
}

static sn_status exchange(struct sn_push_http *http, struct sn_str body,
                          struct sn_push_answer *ret_answer, struct sn_err *err) {
    int64_t deadline_ns = now_ns() + http->timeout_ns;
    struct sn_push_head head;
    struct sn_str text;
    http->input_len = 0;
    if (http->fd < 0)
        SN_TRY(connect_any(http, deadline_ns, err));
    sn_status sent = send_request(http, body, deadline_ns, err);
    if (sent == SN_ERR_IO) {
        /* Whoever refuses a body may answer and close before all of it was sent. */
        if (receive_head(http, now_ns(), &head, NULL) != SN_OK)
            return sent;
        head.is_kept = false;
    } else {
        SN_TRY(sent);
        SN_TRY(receive_head(http, deadline_ns, &head, err));
    }
    SN_TRY(receive_body(http, &head, deadline_ns, &text, err));
    struct sn_push_answer answer = {.status = head.status, .retry_after_s = head.retry_after_s};
    answer.has_accepted = sn_push_accepted_parse(text, &answer.accepted) == SN_OK;
    if (head.is_kept)
        http->is_reused = true;
    else
        sn_push_http_disconnect(http);
    *ret_answer = answer;
    return SN_OK;
}

sn_status sn_push_http_post(struct sn_push_http *http, struct sn_str body,
                            struct sn_push_answer *ret_answer, struct sn_err *err) {
    bool may_be_dead = http->fd >= 0 && http->is_reused;
    sn_status status = exchange(http, body, ret_answer, err);
    /* A server may close a connection while it is idle; the first that we hear of it is this. */
    if (status == SN_ERR_IO && may_be_dead && http->input_len == 0) {
        sn_push_http_disconnect(http);
        status = exchange(http, body, ret_answer, err);
    }
    if (status != SN_OK)
        sn_push_http_disconnect(http);
    return status;
}
