/*
 * POST /api/v1/write: Prometheus remote write 1.0 and 2.0, answered when it is durable.
 *
 *   204   everything was taken
 *   400   malformed, or samples were rejected; the rest of the request was taken. The sentence
 *         counts both. Senders do not repeat it.
 *   415   neither of the two messages, or not compressed with snappy (or zstd)
 *   503   not taken now: senders repeat it. Also when the store is busy: Prometheus drops what
 *         was answered with 429 unless it is configured not to.
 *
 * The answer to a 2.0 request says in headers how many samples, histograms and exemplars were taken.
 * Exemplars that are not stored are no error: a sender cannot do anything about it.
 */
#include "api/api_priv.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>

enum { COUNT_HEADERS = 3, COUNT_TEXT_SIZE = 24, HEADERS_MAX = COUNT_HEADERS + 1 };

/*
 * One write on its way: two things must happen before it is answered, in any order and on any
 * thread: ingest returned with the result, and the sink said that it is durable.
 */
struct write {
    struct sn_http_request *request;
    enum sn_remote_write_version version;
    struct sn_ingest_result result;
    sn_status status; /* of `done` */
    struct sn_err err;
    atomic_uint happened; /* how many of the two */
};

/* ---- answer ---- */

/* The headers that tell a 2.0 sender what was taken; their number. */
static size_t count_headers(const struct write *write, struct sn_http_header *headers,
                            char texts[COUNT_HEADERS][COUNT_TEXT_SIZE]) {
    const struct sn_ingest_result *result = &write->result;
    const struct {
        const char *name;
        uint64_t count;
    } rows[COUNT_HEADERS] = {
        {"X-Prometheus-Remote-Write-Samples-Written",
         result->accepted_count - result->accepted_histogram_count},
        {"X-Prometheus-Remote-Write-Histograms-Written", result->accepted_histogram_count},
        {"X-Prometheus-Remote-Write-Exemplars-Written", result->accepted_exemplar_count},
    };
    if (write->version == SN_REMOTE_WRITE_1)
        return 0;
    for (size_t i = 0; i < COUNT_HEADERS; i++) {
        (void)snprintf(texts[i], COUNT_TEXT_SIZE, "%" PRIu64, rows[i].count);
        headers[i] = (struct sn_http_header){rows[i].name, texts[i]};
    }
    return COUNT_HEADERS;
}

static void respond(const struct write *write, int status, struct sn_buf *body) {
    struct sn_http_header headers[HEADERS_MAX];
    char texts[COUNT_HEADERS][COUNT_TEXT_SIZE];
    size_t count = count_headers(write, headers, texts);
    if (status == 503)
        headers[count++] = (struct sn_http_header){"Retry-After", "1"};
    const struct sn_http_response response = {
        .status = status,
        .content_type = body != NULL ? "application/json" : NULL,
        .body_buf = body,
        .headers = headers,
        .header_count = count,
    };
    sn_http_respond(write->request, &response);
}

static void respond_error(const struct write *write, int status, const char *type,
                          const char *sentence) {
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_err err = {0};
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("status"), SN_STR("error"));
    sn_json_write_key_string(&json, SN_STR("errorType"), sn_str_from(type));
    sn_json_write_key_string(&json, SN_STR("error"), sn_str_from(sentence));
    sn_json_write_object_end(&json);
    if (sn_json_write_finish(&json, &err) == SN_OK)
        respond(write, status, &buf);
    else
        sn_api_respond_failure(write->request, SN_ERR_NO_MEMORY, &err);
    sn_buf_release(&buf);
}

/* The failures that a sender shall repeat are 503; the others are as everywhere. */
static void respond_failure(struct write *write, sn_status status, const struct sn_err *err) {
    bool is_temporary = status == SN_ERR_BUSY || status == SN_ERR_NO_SPACE || status == SN_ERR_IO ||
                        status == SN_ERR_CLOSED || status == SN_ERR_NO_MEMORY ||
                        status == SN_ERR_TIMEOUT;
    memset(&write->result, 0, sizeof write->result); /* nothing of it is stored */
    if (is_temporary)
        respond_error(write, 503, "unavailable", err->text);
    else
        sn_api_respond_failure(write->request, status, err);
}

/* "accepted 5, rejected 3 (2 out_of_order, 1 label_limit): the first sentence" */
static void respond_partial(const struct write *write) {
    const struct sn_ingest_result *result = &write->result;
    struct sn_buf text;
    const char *separator = "";
    sn_buf_init(&text, 0);
    sn_buf_printf(&text, "accepted %" PRIu64 ", rejected %" PRIu64 " (", result->accepted_count,
                  result->lost_count);
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++) {
        if (result->rejected_count[i] == 0)
            continue;
        sn_buf_printf(&text, "%s%" PRIu64 " %s", separator, result->rejected_count[i],
                      sn_ingest_reason_name(i));
        separator = ", ";
    }
    sn_buf_printf(&text, "): %s", result->first_reject.text);
    sn_buf_put_byte(&text, '\0');
    respond_error(write, 400, "bad_data",
                  text.status == SN_OK ? (const char *)text.ptr : result->first_reject.text);
    sn_buf_release(&text);
}

static void answer(struct write *write) {
    if (write->status != SN_OK)
        respond_failure(write, write->status, &write->err);
    else if (write->result.lost_count > 0)
        respond_partial(write);
    else
        respond(write, 204, NULL);
}

/* The second of the two events answers. */
static void happen(struct write *write) {
    /* seq_cst: the second one sees everything that the first one wrote. */
    if (atomic_fetch_add(&write->happened, 1) == 1)
        answer(write);
}

static void on_durable(void *ctx, sn_status status, const struct sn_err *err) {
    struct write *write = ctx;
    write->status = status;
    if (err != NULL)
        write->err = *err;
    happen(write);
}

/* ---- headers ---- */

/* Letter case ignored, ASCII only. */
static bool equal_nocase(struct sn_str a, struct sn_str b) {
    for (size_t i = 0; a.len == b.len && i < a.len; i++) {
        char x = a.ptr[i] >= 'A' && a.ptr[i] <= 'Z' ? (char)(a.ptr[i] + 32) : a.ptr[i];
        char y = b.ptr[i] >= 'A' && b.ptr[i] <= 'Z' ? (char)(b.ptr[i] + 32) : b.ptr[i];
        if (x != y)
            return false;
    }
    return a.len == b.len;
}

static struct sn_str unquote(struct sn_str text) {
    if (text.len >= 2 && text.ptr[0] == '"' && text.ptr[text.len - 1] == '"')
        return sn_str_make(text.ptr + 1, text.len - 2);
    return text;
}

/* application/x-protobuf, perhaps with proto=MESSAGE; without it, or without a type: 1.0. */
static bool parse_content_type(struct sn_str type, enum sn_remote_write_version *ret_version) {
    struct sn_str media, rest;
    enum sn_remote_write_version version = SN_REMOTE_WRITE_1;
    (void)sn_str_cut(type, ';', &media, &rest);
    if (!equal_nocase(sn_str_trim(media), SN_STR("application/x-protobuf")))
        return false;
    while (rest.len > 0) {
        struct sn_str param, name, value;
        (void)sn_str_cut(rest, ';', &param, &rest);
        (void)sn_str_cut(param, '=', &name, &value);
        value = unquote(sn_str_trim(value));
        if (!equal_nocase(sn_str_trim(name), SN_STR("proto")))
            continue;
        if (sn_str_equal(value, SN_STR("io.prometheus.write.v2.Request")))
            version = SN_REMOTE_WRITE_2;
        else if (!sn_str_equal(value, SN_STR("prometheus.WriteRequest")))
            return false;
    }
    *ret_version = version;
    return true;
}

static bool find_version(const struct sn_http_request *request,
                         enum sn_remote_write_version *ret_version) {
    struct sn_str type;
    if (!sn_http_request_header(request, SN_STR("Content-Type"), &type))
        type = SN_STR("application/x-protobuf");
    return parse_content_type(type, ret_version);
}

static bool is_compressed(const struct sn_http_request *request) {
    struct sn_str encoding;
    return sn_http_request_header(request, SN_STR("Content-Encoding"), &encoding) &&
           (equal_nocase(encoding, SN_STR("snappy")) || equal_nocase(encoding, SN_STR("zstd")));
}

void sn_api_screen_write(struct sn_http_request *request) {
    enum sn_remote_write_version version;
    if (!find_version(request, &version))
        sn_http_respond_error(request, 415, "unsupported",
                              "Content-Type must be application/x-protobuf, with proto="
                              "prometheus.WriteRequest or io.prometheus.write.v2.Request");
    else if (!is_compressed(request))
        sn_http_respond_error(request, 415, "unsupported",
                              "Content-Encoding must be snappy or zstd");
}

void sn_api_post_write(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    struct sn_arena *arena = sn_http_request_arena(request);
    struct write *write = sn_arena_alloc_zero(arena, 1, sizeof *write);
    if (write == NULL) {
        sn_api_respond_failure(request, sn_arena_failure(arena, sizeof *write, &err), &err);
        return;
    }
    write->request = request;
    write->version = SN_REMOTE_WRITE_1;
    (void)find_version(request, &write->version); /* the screen has let it through */
    const struct sn_ingest_options options = {.samples_max = 0};
    const struct sn_push_done done = {on_durable, write};
    sn_status status = sn_ingest_remote_write(api->options.ingest, sn_http_request_body(request),
                                              write->version, &options, done, &write->result, &err);
    if (status != SN_OK)
        respond_failure(write, status, &err);
    else
        happen(write);
}
