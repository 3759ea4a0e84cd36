/*
 * Answers: builds the library's response object in the calling thread and hands the request over.
 */
#include "base/mem.h"
#include "codec/json_write.h"
#include "net/http_priv.h"

/* Below this, the headers of a compressed answer eat what is saved. */
#define GZIP_BYTES_MIN 1024
/* Level 1 makes JSON of series about 8 times smaller; 6 gains a tenth more at twice the time. */
#define GZIP_LEVEL 1
/* Escaping makes at most six bytes of one; texts are sentences. */
#define ERROR_BYTES_MAX ((size_t)16 << 10)

/* ---- hand-over ---- */

/* The connection was given up while a handler held the request: it is ours alone now. */
static void discard(struct sn_http_request *request) {
    struct sn_http_server *server = request->worker->server;
    if (request->has_stream)
        sn_http_stream_close(request, false);
    sn_http_request_free(request);
    atomic_fetch_sub(&server->held_count, 1);
}

void sn_http_request_deliver(struct sn_http_request *request) {
    int state = SN_HTTP_RUNNING;
    if (atomic_compare_exchange_strong(&request->answer_state, &state, SN_HTTP_ANSWERED))
        return; /* route() or handle() is running: the worker looks when it returns */
    if (state == SN_HTTP_WAITING &&
        atomic_compare_exchange_strong(&request->answer_state, &state, SN_HTTP_ANSWERED))
        sn_http_request_wake(request);
    else
        discard(request);
}

static bool is_answered_twice(struct sn_http_request *request) {
    return SN_NEVER(atomic_load(&request->answer_state) == SN_HTTP_ANSWERED);
}

/* ---- building ---- */

static bool add_header(struct MHD_Response *response, const char *name, const char *value) {
    return MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *response, const struct sn_http_header *headers,
                        size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (!add_header(response, headers[i].name, headers[i].value))
            return false;
    }
    return true;
}

static bool has_header(const struct sn_http_response *response, struct sn_str name) {
    for (size_t i = 0; i < response->header_count; i++) {
        if (sn_http_equal_nocase(sn_str_from(response->headers[i].name), name))
            return true;
    }
    return false;
}

static bool is_compressible(const struct sn_http_response *response, struct sn_str body) {
    return body.len > GZIP_BYTES_MIN &&
           sn_http_is_compressible(sn_str_from(response->content_type)) &&
           !has_header(response, SN_STR("content-encoding"));
}

static bool accepts_gzip(const struct sn_http_request *request) {
    struct sn_str accepted;
    return sn_http_request_header(request, SN_STR("accept-encoding"), &accepted) &&
           sn_http_accepts_gzip(accepted);
}

/* An object that owns the buffer's bytes; on failure NULL, and the buffer is released. */
static struct MHD_Response *response_from_buf(struct sn_buf *body) {
    static char nothing[1];
    if (body->len == 0) {
        sn_buf_release(body);
        return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer_with_free_callback(body->len, body->ptr, sn_free);
    if (response == NULL)
        sn_buf_release(body);
    else
        memset(body, 0, sizeof(*body)); /* moved */
    return response;
}

/* The bytes to send, owned: gzipped, moved out of body_buf, or copied. */
static void take_body(struct sn_http_request *request, const struct sn_http_response *response,
                      struct sn_str body, bool is_gzip_wanted, struct sn_buf *ret_body,
                      bool *ret_is_gzip) {
    sn_buf_init(ret_body, body.len);
    *ret_is_gzip =
        is_gzip_wanted && accepts_gzip(request) && sn_http_deflate(body, GZIP_LEVEL, ret_body);
    if (*ret_is_gzip)
        return;
    if (response->body_buf == NULL) {
        sn_buf_reset(ret_body); /* deflate may have failed in it */
        sn_buf_put_str(ret_body, body);
        return;
    }
    sn_buf_release(ret_body);
    *ret_body = *response->body_buf;
    memset(response->body_buf, 0, sizeof(*response->body_buf));
}

static bool add_standard_headers(struct MHD_Response *object,
                                 const struct sn_http_server_options *server,
                                 const struct sn_http_response *response, bool is_compressible_body,
                                 bool is_gzip) {
    return (response->content_type == NULL ||
            add_header(object, MHD_HTTP_HEADER_CONTENT_TYPE, response->content_type)) &&
           (!is_compressible_body ||
            add_header(object, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING)) &&
           (!is_gzip || add_header(object, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip")) &&
           (!response->is_close || add_header(object, MHD_HTTP_HEADER_CONNECTION, "close")) &&
           add_headers(object, server->headers, server->header_count) &&
           add_headers(object, response->headers, response->header_count);
}

static struct MHD_Response *build(struct sn_http_request *request,
                                  const struct sn_http_response *response) {
    struct sn_str text =
        response->body_buf != NULL ? sn_buf_str(response->body_buf) : response->body;
    bool is_gzip_wanted = is_compressible(response, text);
    struct sn_buf body;
    bool is_gzip;
    take_body(request, response, text, is_gzip_wanted, &body, &is_gzip);
    if (body.status != SN_OK) {
        sn_buf_release(&body);
        return NULL;
    }
    request->answer_bytes = body.len;
    struct MHD_Response *object = response_from_buf(&body);
    if (object != NULL &&
        (!add_standard_headers(object, &request->worker->server->options, response, is_gzip_wanted,
                               is_gzip) ||
         (request->is_for_all_origins &&
          !add_header(object, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*")))) {
        MHD_destroy_response(object);
        return NULL;
    }
    return object;
}

/* Instead of an answer that could not be built. */
static void use_no_memory(struct sn_http_request *request) {
    sn_http_count(request->worker, SN_HTTP_COUNT_OVERLOAD, 1);
    request->response = request->worker->server->no_memory;
    request->is_shared = true;
    request->status = 503;
    request->answer_bytes = 0;
}

/* ---- public ---- */

void sn_http_respond(struct sn_http_request *request, const struct sn_http_response *response) {
    if (response->body_buf != NULL && response->body_buf->status != SN_OK) {
        sn_buf_release(response->body_buf);
        sn_http_respond_error(request, 500, "internal", "the answer could not be put together");
        return;
    }
    if (is_answered_twice(request))
        return;
    request->response = build(request, response);
    request->status = (unsigned)response->status;
    if (response->body_buf != NULL)
        sn_buf_release(response->body_buf);
    if (request->response == NULL)
        use_no_memory(request);
    sn_http_request_deliver(request);
}

static void respond_error(struct sn_http_request *request, int status, const char *error_type,
                          const char *sentence, const struct sn_http_header *headers,
                          size_t header_count) {
    struct sn_json_writer json;
    struct sn_buf body;
    sn_buf_init(&body, ERROR_BYTES_MAX);
    sn_json_write_init(&json, &body, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("status"), SN_STR("error"));
    sn_json_write_key_string(&json, SN_STR("errorType"), sn_str_from(error_type));
    sn_json_write_key_string(&json, SN_STR("error"), sn_str_from(sentence));
    sn_json_write_object_end(&json);
    if (sn_json_write_finish(&json, NULL) != SN_OK)
        sn_buf_reset(&body); /* no memory, or a sentence as long as a book: the status must do */
    sn_http_respond(request, &(struct sn_http_response){.status = status,
                                                        .content_type = "application/json",
                                                        .body_buf = &body,
                                                        .headers = headers,
                                                        .header_count = header_count});
}

void sn_http_respond_error(struct sn_http_request *request, int status, const char *error_type,
                           const char *sentence) {
    const struct sn_http_header retry = {MHD_HTTP_HEADER_RETRY_AFTER, "1"};
    bool is_temporary = status == 429 || status == 503;
    respond_error(request, status, error_type, sentence, &retry, is_temporary);
}

void sn_http_respond_unauthorized(struct sn_http_request *request, const char *sentence) {
    const struct sn_http_header header = {"WWW-Authenticate", "Bearer realm=\"sonde\""};
    respond_error(request, 401, "unauthorized", sentence, &header, 1);
}

void sn_http_respond_not_found(struct sn_http_request *request) {
    respond_error(request, 404, "not_found", "there is nothing at this path", NULL, 0);
}

void sn_http_respond_not_allowed(struct sn_http_request *request, const char *allow) {
    const struct sn_http_header header = {MHD_HTTP_HEADER_ALLOW, allow};
    respond_error(request, 405, "not_allowed", "this path does not take that method", &header, 1);
}

/* Behind the head of a chunked answer to HEAD libmicrohttpd sends the empty last chunk: clients take
 * it for the beginning of the next answer. */
static struct MHD_Response *stream_object(struct sn_http_request *request) {
    static char nothing[1];
    if (request->method == SN_HTTP_HEAD)
        return MHD_create_response_from_buffer(0, nothing, MHD_RESPMEM_PERSISTENT);
    return MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, SN_HTTP_STREAM_BLOCK_BYTES,
                                             sn_http_stream_read, request, NULL);
}

static bool add_stream_headers(struct sn_http_request *request, struct MHD_Response *object,
                               const struct sn_http_stream *stream, bool is_text) {
    const struct sn_http_server_options *server = &request->worker->server->options;
    return add_headers(object, server->headers, server->header_count) &&
           add_headers(object, stream->headers, stream->header_count) &&
           (stream->content_type == NULL ||
            add_header(object, MHD_HTTP_HEADER_CONTENT_TYPE, stream->content_type)) &&
           (!is_text ||
            add_header(object, MHD_HTTP_HEADER_VARY, MHD_HTTP_HEADER_ACCEPT_ENCODING)) &&
           (request->gzip == NULL ||
            add_header(object, MHD_HTTP_HEADER_CONTENT_ENCODING, "gzip")) &&
           (!request->is_for_all_origins ||
            add_header(object, MHD_HTTP_HEADER_ACCESS_CONTROL_ALLOW_ORIGIN, "*"));
}

/* Without memory for gzip the bytes go as they are. */
static struct MHD_Response *build_stream(struct sn_http_request *request,
                                         const struct sn_http_stream *stream) {
    struct MHD_Response *object = stream_object(request);
    bool is_text =
        stream->is_compressible && sn_http_is_compressible(sn_str_from(stream->content_type));
    if (object != NULL && is_text && accepts_gzip(request))
        request->gzip = sn_http_gzip_new();
    if (object != NULL && !add_stream_headers(request, object, stream, is_text)) {
        MHD_destroy_response(object);
        return NULL;
    }
    return object;
}

void sn_http_respond_stream(struct sn_http_request *request, const struct sn_http_stream *stream) {
    if (is_answered_twice(request))
        return;
    request->response = build_stream(request, stream);
    request->status = (unsigned)stream->status;
    request->stream = *stream;
    if (request->response == NULL) {
        sn_http_stream_close(request, false);
        use_no_memory(request);
    } else {
        request->has_stream = true;
    }
    sn_http_request_deliver(request);
}
