/*
 * What libmicrohttpd reports about connections and requests, turned into route() and handle().
 *
 *   on_connection(started)
 *     on_target          request line is there: HEADER deadline starts, request is made
 *       on_request       headers complete -> check, route(), rules for the body
 *       on_request ...   pieces of the body
 *       on_request       body complete -> inflate, form, handle(); answer or suspend
 *       on_request       (resumed) answer
 *     on_completed       answer sent or connection broken: request ends, IDLE deadline starts
 *   on_connection(closed)
 *
 * Runs on the worker's thread only. An answer that is queued while the headers are being handled makes
 * libmicrohttpd close the connection afterwards: right when a body is still to come, or when the
 * framing can not be trusted; otherwise the answer waits for the second call.
 */
#include "base/limits.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/os.h"
#include "net/http_priv.h"

#include <sys/epoll.h>

#define FORM_TYPE "application/x-www-form-urlencoded"

/* ---- connections ---- */

static void connection_open(struct sn_http_worker *worker, struct MHD_Connection *mhd,
                            void **socket_context) {
    const union MHD_ConnectionInfo *fd =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct sn_http_connection *connection = sn_alloc_zero(1, sizeof(*connection));
    if (connection == NULL) {
        sn_http_count(worker, SN_HTTP_COUNT_OVERLOAD, 1);
        (void)sn_os_shutdown(fd->connect_fd, SHUT_RDWR); /* it may be broken already */
        return;
    }
    connection->watch = (struct sn_http_watch){SN_HTTP_WATCH_CONNECTION, fd->connect_fd};
    connection->worker = worker;
    connection->mhd = mhd;
    connection->phase = SN_HTTP_PHASE_COUNT; /* in no list yet */
    sn_address_from_socket(peer->client_addr, &connection->peer);
    worker->connection_count++;
    sn_http_count(worker, SN_HTTP_COUNT_CONNECTIONS, 1);
    sn_http_connection_enter(connection, SN_HTTP_PHASE_HEADER);
    *socket_context = connection;
}

/* Counts a request whose head was complete as ended, and others as never answered. */
static void count_end(const struct sn_http_request *request, enum MHD_RequestTerminationCode code) {
    struct sn_http_worker *worker = request->worker;
    if (request->stage != SN_HTTP_STAGE_HEADERS)
        sn_http_count(worker, SN_HTTP_COUNT_REQUESTS_ENDED, 1);
    if (request->stage != SN_HTTP_STAGE_SENDING)
        sn_http_count(worker, SN_HTTP_COUNT_CLASS_0, 1);
    else if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        sn_http_count(worker, SN_HTTP_COUNT_GONE, 1);
}

/*
 * The library has no on_completed for a request that it gave up between its request line and the
 * end of its head, for instance because its parameters do not fit into the connection's memory.
 * Nobody else has seen it.
 */
static void drop_request(struct sn_http_connection *connection) {
    struct sn_http_request *request = connection->request;
    if (request == NULL)
        return;
    if (SN_NEVER(request->stage != SN_HTTP_STAGE_HEADERS))
        return; /* whoever has it would be left with nothing */
    count_end(request, MHD_REQUEST_TERMINATED_WITH_ERROR);
    connection->request = NULL;
    request->connection = NULL;
    sn_http_request_retire(request);
}

static void connection_close(struct sn_http_connection *connection) {
    struct sn_http_worker *worker = connection->worker;
    drop_request(connection);
    sn_http_connection_leave(connection);
    if (connection->is_watched)
        (void)sn_os_epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, connection->watch.fd, NULL);
    if (connection->is_refusing && !connection->is_cut)
        sn_http_linger_begin(worker, connection->watch.fd);
    worker->connection_count--;
    worker->is_place_free = true;
    sn_http_count(worker, SN_HTTP_COUNT_CONNECTIONS_CLOSED, 1);
    sn_free(connection);
}

void sn_http_on_connection(void *cls, struct MHD_Connection *mhd, void **socket_context,
                           enum MHD_ConnectionNotificationCode code) {
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        connection_open(cls, mhd, socket_context);
    else if (*socket_context != NULL)
        connection_close(SN_TAKE(*socket_context));
}

static struct sn_http_connection *connection_of(struct MHD_Connection *mhd) {
    return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void *sn_http_on_target(void *cls, const char *uri, struct MHD_Connection *mhd) {
    struct sn_http_connection *connection = connection_of(mhd);
    (void)cls;
    if (connection == NULL)
        return NULL;
    drop_request(connection);
    sn_http_connection_enter(connection, SN_HTTP_PHASE_HEADER);
    connection->request = sn_http_request_new(connection, uri != NULL ? uri : "");
    return connection->request;
}

/* ---- head ---- */

static const struct {
    struct sn_str text;
    enum sn_http_method method;
} methods[] = {
    {{"GET", 3}, SN_HTTP_GET},       {{"HEAD", 4}, SN_HTTP_HEAD},
    {{"POST", 4}, SN_HTTP_POST},     {{"PUT", 3}, SN_HTTP_PUT},
    {{"DELETE", 6}, SN_HTTP_DELETE}, {{"OPTIONS", 7}, SN_HTTP_OPTIONS},
    {{"PATCH", 5}, SN_HTTP_PATCH},
};

static enum sn_http_method method_from_text(struct sn_str text) {
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (sn_str_equal(text, methods[i].text))
            return methods[i].method;
    }
    return SN_HTTP_OTHER;
}

/* For the copy of header fields out of libmicrohttpd's pool. */
struct field_copy {
    struct sn_http_request *request;
    size_t cap;
    bool is_complete;
};

static enum MHD_Result copy_field(void *cls, enum MHD_ValueKind kind, const char *key,
                                  size_t key_size, const char *value, size_t value_size) {
    struct field_copy *copy = cls;
    struct sn_http_fields *fields = &copy->request->headers;
    struct sn_http_field *field = &fields->items[fields->count];
    struct sn_str trimmed = sn_str_trim(sn_str_make(value, value_size));
    (void)kind;
    assert(fields->count < copy->cap);
    copy->is_complete =
        sn_arena_copy(&copy->request->arena, sn_str_make(key, key_size), &field->name) &&
        sn_arena_copy(&copy->request->arena, trimmed, &field->value);
    fields->count += copy->is_complete;
    return copy->is_complete ? MHD_YES : MHD_NO;
}

static sn_status copy_fields(struct sn_http_request *request, struct MHD_Connection *mhd,
                             struct sn_err *err) {
    int count = MHD_get_connection_values(mhd, MHD_HEADER_KIND, NULL, NULL);
    struct field_copy copy = {.request = request, .cap = (size_t)count, .is_complete = true};
    size_t size = copy.cap * sizeof(struct sn_http_field);
    if (count > SN_HTTP_HEADERS_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "more than %d header lines", SN_HTTP_HEADERS_MAX);
    request->headers.items = sn_arena_alloc(&request->arena, size);
    if (request->headers.items == NULL)
        return sn_arena_failure(&request->arena, size, err);
    (void)MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, copy_field, &copy);
    return copy.is_complete ? SN_OK
                            : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the headers");
}

static sn_status read_head(struct sn_http_request *request, struct MHD_Connection *mhd,
                           const char *method, const char *version, struct sn_err *err) {
    bool is_http_1_1 = strcmp(version, "HTTP/1.0") != 0;
    SN_TRY(sn_http_check_line(sn_str_from(method), request->target, err));
    if (!sn_arena_copy(&request->arena, sn_str_from(method), &request->method_text))
        return sn_arena_failure(&request->arena, strlen(method), err);
    request->method = method_from_text(request->method_text);
    SN_TRY(copy_fields(request, mhd, err));
    return sn_http_check_fields(&request->headers, is_http_1_1, &request->framing, err);
}

static sn_status read_target(struct sn_http_request *request, struct sn_err *err) {
    SN_TRY(sn_http_decode(&request->arena, request->path_raw, false, &request->path, err));
    return sn_http_params_append(&request->arena, request->query_raw, &request->params, err);
}

/* ---- answers that need no handler ---- */

static bool is_answered(struct sn_http_request *request) {
    return atomic_load(&request->answer_state) == SN_HTTP_ANSWERED;
}

/* Answer what the client or the lack of memory has spoilt. */
static void refuse(struct sn_http_request *request, sn_status status, const struct sn_err *err) {
    bool is_ours = status == SN_ERR_NO_MEMORY;
    sn_http_count(request->worker, is_ours ? SN_HTTP_COUNT_OVERLOAD : SN_HTTP_COUNT_MALFORMED, 1);
    sn_http_respond_error(request, is_ours ? 503 : 400, is_ours ? "unavailable" : "bad_data",
                          err->text);
}

static void refuse_too_large(struct sn_http_request *request, size_t bytes_max) {
    struct sn_err err;
    sn_http_count(request->worker, SN_HTTP_COUNT_TOO_LARGE, 1);
    (void)sn_err_set(&err, SN_ERR_LIMIT, "the body has more than %zu bytes", bytes_max);
    sn_http_respond_error(request, 413, "too_large", err.text);
}

static void refuse_overload(struct sn_http_request *request) {
    sn_http_count(request->worker, SN_HTTP_COUNT_OVERLOAD, 1);
    sn_http_respond_error(request, 503, "unavailable",
                          "too many request bodies in memory, try again later");
}

/* Give the finished answer to libmicrohttpd. */
static enum MHD_Result send_answer(struct sn_http_request *request, struct MHD_Connection *mhd) {
    struct sn_http_worker *worker = request->worker;
    request->stage = SN_HTTP_STAGE_SENDING;
    sn_http_connection_enter(request->connection, SN_HTTP_PHASE_ANSWER);
    sn_http_count(worker, SN_HTTP_COUNT_CLASS_0 + request->status / 100, 1);
    if (request->method != SN_HTTP_HEAD)
        sn_http_count(worker, SN_HTTP_COUNT_BYTES_OUT, request->answer_bytes);
    return MHD_queue_response(mhd, request->status, request->response);
}

/* Answer before the body was read; the connection closes. */
static enum MHD_Result send_early(struct sn_http_request *request, struct MHD_Connection *mhd) {
    request->connection->is_refusing = true;
    return send_answer(request, mhd);
}

/* ---- stages ---- */

static bool has_body(const struct sn_http_request *request) {
    return request->framing.is_chunked || request->framing.content_length > 0;
}

/* Judge what the headers say about the body, and make room for it. */
static void prepare_body(struct sn_http_request *request) {
    uint64_t length = request->framing.content_length;
    size_t bytes_max = request->rules.bytes_max;
    if (length > bytes_max || (request->framing.is_chunked && bytes_max == 0)) {
        refuse_too_large(request, bytes_max);
        return;
    }
    if (!request->rules.keeps_encoding &&
        sn_http_body_encoding(&request->headers) == SN_HTTP_ENCODING_UNKNOWN) {
        sn_http_count(request->worker, SN_HTTP_COUNT_ENCODING, 1);
        sn_http_respond_error(request, 415, "unsupported",
                              "Content-Encoding must be gzip, snappy, zstd or identity");
        return;
    }
    sn_buf_init(&request->body, bytes_max);
    if (length > 0 && (!sn_http_request_charge(request, (size_t)length) ||
                       sn_buf_reserve(&request->body, (size_t)length) == NULL))
        refuse_overload(request);
}

static void call_route(struct sn_http_request *request) {
    const struct sn_http_server_options *options = &request->worker->server->options;
    request->rules = (struct sn_http_body_rules){
        .bytes_max = options->body_bytes_max,
        .inflated_bytes_max = options->inflated_bytes_max,
    };
    if (options->route != NULL)
        options->route(options->ctx, request, &request->rules);
}

static enum MHD_Result on_headers(struct sn_http_request *request, struct MHD_Connection *mhd,
                                  const char *method, const char *version) {
    struct sn_err err;
    sn_http_count(request->worker, SN_HTTP_COUNT_REQUESTS_BEGUN, 1);
    request->stage = SN_HTTP_STAGE_BODY;
    sn_status status = read_head(request, mhd, method, version, &err);
    if (status != SN_OK) {
        refuse(request, status, &err);
        return send_early(request, mhd);
    }
    status = read_target(request, &err);
    if (status != SN_OK)
        refuse(request, status, &err);
    else
        call_route(request);
    if (has_body(request) && !is_answered(request))
        prepare_body(request);
    if (!is_answered(request)) {
        sn_http_connection_enter(request->connection, SN_HTTP_PHASE_BODY);
        return MHD_YES;
    }
    request->stage = SN_HTTP_STAGE_ANSWER;
    return has_body(request) ? send_early(request, mhd) : MHD_YES;
}

/*
 * A chunked body went over a limit in the middle. libmicrohttpd takes no answer at this point, but
 * nothing of ours is in flight on the socket, so the answer is written there, and the connection
 * closes.
 */
static enum MHD_Result refuse_midway(struct sn_http_request *request, const char *head,
                                     enum sn_http_counter counter) {
    sn_http_count(request->worker, counter, 1);
    sn_http_count(request->worker, SN_HTTP_COUNT_CLASS_0 + (unsigned)(head[9] - '0'), 1);
    request->stage = SN_HTTP_STAGE_SENDING;
    request->connection->is_refusing = true;
    /* A client that does not take 150 bytes now does not get them. */
    (void)sn_os_send(request->connection->watch.fd, head, strlen(head),
                     MSG_DONTWAIT | MSG_NOSIGNAL);
    return MHD_NO;
}

#define MIDWAY(status_line, body)                                                                  \
    "HTTP/1.1 " status_line "\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n"      \
    "{\"status\":\"error\"," body "}"

static enum MHD_Result on_body(struct sn_http_request *request, const char *data, size_t *size) {
    sn_http_count(request->worker, SN_HTTP_COUNT_BYTES_IN, *size);
    if (*size > request->rules.bytes_max - request->body.len)
        return refuse_midway(request,
                             MIDWAY("413 Content Too Large",
                                    "\"errorType\":\"too_large\",\"error\":\"the body is longer "
                                    "than this path allows\""),
                             SN_HTTP_COUNT_TOO_LARGE);
    if (request->framing.is_chunked && !sn_http_request_charge(request, *size))
        return refuse_midway(request,
                             MIDWAY("503 Service Unavailable",
                                    "\"errorType\":\"unavailable\",\"error\":\"too many request "
                                    "bodies in memory, try again later\""),
                             SN_HTTP_COUNT_OVERLOAD);
    sn_buf_put(&request->body, data, *size);
    *size = 0;
    return MHD_YES;
}

/*
 * Whether the body is packed. No bytes at all are what some clients send as gzip of nothing; in
 * snappy and zstd nothing has bytes, and none are a body that was lost.
 */
static bool is_packed(const struct sn_http_request *request, enum sn_http_encoding encoding) {
    if (request->rules.keeps_encoding || request->rules.bytes_max == 0)
        return false;
    return encoding == SN_HTTP_SNAPPY || encoding == SN_HTTP_ZSTD ||
           (encoding == SN_HTTP_GZIP && request->body.len > 0);
}

/* Undo the Content-Encoding in place. */
static void unpack_body(struct sn_http_request *request, enum sn_http_encoding encoding) {
    struct sn_err err;
    struct sn_buf plain;
    size_t bytes_max = request->rules.inflated_bytes_max;
    if (bytes_max == 0) {
        refuse_too_large(request, bytes_max);
        return;
    }
    sn_buf_init(&plain, bytes_max);
    sn_status status = sn_http_unpack(encoding, sn_buf_str(&request->body), &plain, &err);
    if (status == SN_OK && !sn_http_request_charge(request, plain.len)) {
        refuse_overload(request);
        sn_buf_release(&plain);
        return;
    }
    if (status == SN_OK) {
        sn_buf_release(&request->body);
        request->body = plain;
        return;
    }
    sn_buf_release(&plain);
    if (status == SN_ERR_LIMIT) {
        sn_http_count(request->worker, SN_HTTP_COUNT_TOO_LARGE, 1);
        sn_http_respond_error(request, 413, "too_large", err.text);
        return;
    }
    if (status == SN_ERR_INVALID)
        sn_http_count(request->worker, SN_HTTP_COUNT_ENCODING, 1);
    refuse(request, status, &err);
}

static bool is_form(const struct sn_http_request *request) {
    struct sn_str type;
    struct sn_str params;
    if (request->body.len == 0 || !sn_http_request_header(request, SN_STR("content-type"), &type))
        return false;
    sn_str_cut(type, ';', &type, &params);
    return sn_http_equal_nocase(sn_str_trim(type), SN_STR(FORM_TYPE));
}

/* Body as handle() wants it; may answer instead. */
static void finish_body(struct sn_http_request *request) {
    struct sn_err err;
    sn_status status = sn_buf_status(&request->body, &err);
    enum sn_http_encoding encoding = sn_http_body_encoding(&request->headers);
    if (status == SN_OK && is_packed(request, encoding)) {
        unpack_body(request, encoding);
        if (is_answered(request))
            return;
    }
    if (status == SN_OK && is_form(request))
        status = sn_http_params_append(&request->arena, sn_buf_str(&request->body),
                                       &request->params, &err);
    if (status != SN_OK)
        refuse(request, status, &err);
}

static enum MHD_Result on_complete(struct sn_http_request *request, struct MHD_Connection *mhd) {
    const struct sn_http_server_options *options = &request->worker->server->options;
    int running = SN_HTTP_RUNNING;
    request->stage = SN_HTTP_STAGE_ANSWER;
    sn_http_connection_enter(request->connection, SN_HTTP_PHASE_ANSWER);
    finish_body(request);
    if (!is_answered(request))
        options->handle(options->ctx, request);
    if (!atomic_compare_exchange_strong(&request->answer_state, &running, SN_HTTP_WAITING))
        return send_answer(request, mhd);
    sn_http_connection_suspend(request->connection);
    return MHD_YES;
}

enum MHD_Result sn_http_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
                                   const char *method, const char *version, const char *upload_data,
                                   size_t *upload_data_size, void **con_cls) {
    struct sn_http_worker *worker = cls;
    struct sn_http_request *request = *con_cls;
    (void)url;
    if (request == NULL) { /* on_target had no memory for it */
        sn_http_count(worker, SN_HTTP_COUNT_OVERLOAD, 1);
        return MHD_queue_response(mhd, 503, worker->server->no_memory);
    }
    switch (request->stage) {
    case SN_HTTP_STAGE_HEADERS:
        return on_headers(request, mhd, method, version);
    case SN_HTTP_STAGE_BODY:
        if (*upload_data_size > 0)
            return on_body(request, upload_data, upload_data_size);
        return on_complete(request, mhd);
    case SN_HTTP_STAGE_ANSWER:
        return is_answered(request) ? send_answer(request, mhd) : MHD_NO; /* abandoned */
    case SN_HTTP_STAGE_SENDING:
        break;
    }
    (void)SN_NEVER(true); /* it does not ask again after an answer */
    return MHD_NO;
}

/* ---- end of a request ---- */

static void end_stream(struct sn_http_request *request, enum MHD_RequestTerminationCode code) {
    bool is_complete = code == MHD_REQUEST_TERMINATED_COMPLETED_OK &&
                       (request->is_stream_complete || request->method == SN_HTTP_HEAD);
    sn_http_stream_close(request, is_complete);
}

void sn_http_on_completed(void *cls, struct MHD_Connection *mhd, void **con_cls,
                          enum MHD_RequestTerminationCode code) {
    struct sn_http_request *request = *con_cls;
    (void)cls;
    (void)mhd;
    *con_cls = NULL;
    if (request == NULL)
        return;
    struct sn_http_connection *connection = request->connection;
    count_end(request, code);
    if (request->has_stream)
        end_stream(request, code);
    connection->request = NULL;
    request->connection = NULL;
    if (atomic_load(&request->answer_state) != SN_HTTP_ABANDONED &&
        !atomic_load(&request->is_woken)) /* else it is freed by respond, or when it is popped */
        sn_http_request_retire(request);
    sn_http_connection_enter(connection, SN_HTTP_PHASE_IDLE);
}
