/*
 * POST /v1/metrics and /v1/logs (also below /api/v1/otlp, as Prometheus has it): OTLP over HTTP, in Protobuf
 * or JSON, answered when it is durable and in the form in which it was asked.
 *
 *   200   taken; partial_success says how many points or records were not, and why the first was not
 *   400   not a message of the protocol: not to be sent again
 *   415   another Content-Type
 *   429 503   not taken now: to be sent again; Retry-After says when
 */
#include "api/api_priv.h"
#include "codec/protobuf.h"
#include "wire/otlp_json.h"

#include <inttypes.h>
#include <stdatomic.h>

/*
 * One export on its way: two things must happen before it is answered, in any order and on any thread:
 * ingest returned with the result, and the sink said that it is durable.
 */
struct export {
    struct sn_http_request *request;
    bool is_json;
    struct sn_ingest_otlp_result result;
    sn_status status; /* of `done` */
    struct sn_err err;
    atomic_uint happened; /* how many of the two */
};

/* ---- writing Protobuf ---- */

static void put_varint(struct sn_buf *buf, uint64_t value) {
    uint8_t bytes[SN_VARINT_BYTES_MAX];
    sn_buf_put(buf, bytes, (size_t)(sn_varint_put(bytes, value) - bytes));
}

static void put_number(struct sn_buf *buf, uint32_t number, uint64_t value) {
    put_varint(buf, (uint64_t)number << 3 | SN_PROTOBUF_VARINT);
    put_varint(buf, value);
}

static void put_bytes(struct sn_buf *buf, uint32_t number, struct sn_str bytes) {
    put_varint(buf, (uint64_t)number << 3 | SN_PROTOBUF_BYTES);
    put_varint(buf, bytes.len);
    sn_buf_put_str(buf, bytes);
}

/* ---- answers ---- */

static void respond(struct sn_http_request *request, int status, bool is_json,
                    struct sn_buf *body) {
    static const struct sn_http_header retry = {"Retry-After", "1"};
    const struct sn_http_response response = {
        .status = status,
        .content_type = is_json ? "application/json" : "application/x-protobuf",
        .body_buf = body,
        .headers = &retry,
        .header_count = status == 429 || status == 503,
    };
    sn_http_respond(request, &response);
    sn_buf_release(body);
}

/* google.rpc.Status { int32 code = 1; string message = 2; } */
static void respond_error(struct sn_http_request *request, bool is_json, int http_status,
                          uint64_t code, const char *sentence) {
    struct sn_buf body;
    sn_buf_init(&body, 0);
    if (is_json) {
        struct sn_json_writer json;
        sn_json_write_init(&json, &body, 0);
        sn_json_write_object_begin(&json);
        sn_json_write_key_uint64(&json, SN_STR("code"), code);
        sn_json_write_key_string(&json, SN_STR("message"), sn_str_from(sentence));
        sn_json_write_object_end(&json);
    } else {
        put_number(&body, 1, code);
        put_bytes(&body, 2, sn_str_from(sentence));
    }
    respond(request, http_status, is_json, &body);
}

/* HTTP status and gRPC code of a failure. What may be sent again is 429 or 503. */
static void respond_failure(struct sn_http_request *request, bool is_json, sn_status status,
                            const struct sn_err *err) {
    const char *sentence = err->text[0] != '\0' ? err->text : sn_status_name(status);
    switch (status) {
    case SN_ERR_INVALID:
        respond_error(request, is_json, 400, 3 /* INVALID_ARGUMENT */, sentence);
        break;
    case SN_ERR_LIMIT:
        respond_error(request, is_json, 413, 3, sentence);
        break;
    case SN_ERR_BUSY:
        respond_error(request, is_json, 429, 8 /* RESOURCE_EXHAUSTED */, sentence);
        break;
    case SN_ERR_NO_MEMORY:
    case SN_ERR_NO_SPACE:
    case SN_ERR_IO:
    case SN_ERR_CLOSED:
    case SN_ERR_TIMEOUT:
        respond_error(request, is_json, 503, 14 /* UNAVAILABLE */, sentence);
        break;
    default:
        respond_error(request, is_json, 500, 13 /* INTERNAL */, sentence);
        break;
    }
}

/* What was left out; rejected_key is for JSON. */
struct partial {
    struct sn_str rejected_key;
    uint64_t rejected_count;
    struct sn_str sentence; /* empty and 0: everything was taken */
};

/* { partial_success = 1 { int64 rejected = 1; string error_message = 2; } }, the same for both. */
static void respond_success(struct sn_http_request *request, bool is_json,
                            const struct partial *partial) {
    bool is_partial = partial->rejected_count > 0 || partial->sentence.len > 0;
    struct sn_buf body;
    sn_buf_init(&body, 0);
    if (is_json) {
        struct sn_json_writer json;
        sn_json_write_init(&json, &body, 0);
        sn_json_write_object_begin(&json);
        if (is_partial) {
            struct sn_buf number;
            sn_buf_init(&number, 32);
            sn_buf_printf(&number, "%" PRIu64, partial->rejected_count);
            sn_json_write_key(&json, SN_STR("partialSuccess"));
            sn_json_write_object_begin(&json);
            sn_json_write_key_string(&json, partial->rejected_key, sn_buf_str(&number));
            sn_json_write_key_string(&json, SN_STR("errorMessage"), partial->sentence);
            sn_json_write_object_end(&json);
            sn_buf_release(&number);
        }
        sn_json_write_object_end(&json);
    } else if (is_partial) {
        struct sn_buf inside;
        sn_buf_init(&inside, 0);
        put_number(&inside, 1, partial->rejected_count);
        put_bytes(&inside, 2, partial->sentence);
        put_bytes(&body, 1, sn_buf_str(&inside));
        body.status = body.status != SN_OK ? body.status : inside.status;
        sn_buf_release(&inside);
    }
    respond(request, 200, is_json, &body);
}

static void answer(struct export *export) {
    const struct sn_ingest_otlp_result *result = &export->result;
    if (export->status != SN_OK) {
        respond_failure(export->request, export->is_json, export->status, &export->err);
        return;
    }
    bool has_words = result->samples.first_reject.status != SN_OK;
    const struct partial partial = {SN_STR("rejectedDataPoints"), result->rejected_point_count,
                                    has_words ? sn_str_from(result->samples.first_reject.text)
                                              : SN_STR("")};
    respond_success(export->request, export->is_json, &partial);
}

/* The second of the two events answers. */
static void happen(struct export *export) {
    /* seq_cst: the second one sees everything that the first one wrote. */
    if (atomic_fetch_add(&export->happened, 1) == 1) {
        answer(export);
    }
}

static void on_durable(void *ctx, sn_status status, const struct sn_err *err) {
    struct export *export = ctx;
    export->status = status;
    if (err != NULL) {
        export->err = *err;
    }
    happen(export);
}

/* ---- requests ---- */

/* Letter case ignored, parameters cut off. */
static bool is_media_type(struct sn_str type, struct sn_str wanted) {
    struct sn_str media, params;
    (void)sn_str_cut(type, ';', &media, &params); /* no ';': no parameters */
    media = sn_str_trim(media);
    bool is_equal = media.len == wanted.len;
    for (size_t i = 0; is_equal && i < media.len; i++) {
        char c = media.ptr[i];
        is_equal = (c >= 'A' && c <= 'Z' ? c + 32 : c) == wanted.ptr[i];
    }
    return is_equal;
}

static bool is_json(const struct sn_http_request *request) {
    struct sn_str type;
    return sn_http_request_header(request, SN_STR("Content-Type"), &type) &&
           is_media_type(type, SN_STR("application/json"));
}

void sn_api_screen_otlp(struct sn_http_request *request) {
    struct sn_str type;
    if (!sn_http_request_header(request, SN_STR("Content-Type"), &type)) {
        type = SN_STR("");
    }
    if (!is_media_type(type, SN_STR("application/json")) &&
        !is_media_type(type, SN_STR("application/x-protobuf"))) {
        sn_http_respond_error(request, 415, "unsupported",
                              "Content-Type must be application/x-protobuf or application/json");
    }
}

/* The body in Protobuf. */
static sn_status read_body(struct sn_api *api, struct sn_http_request *request,
                           enum sn_otlp_signal signal, struct sn_buf *protobuf,
                           struct sn_str *ret_body, struct sn_err *err) {
    struct sn_arena arena;
    *ret_body = sn_http_request_body(request);
    if (!is_json(request)) {
        return SN_OK;
    }
    sn_arena_init(&arena, SN_ARENA_LIMIT_DEFAULT);
    sn_status status = sn_otlp_from_json(signal, *ret_body, api->hash_seed, &arena, protobuf, err);
    sn_arena_release(&arena);
    *ret_body = sn_buf_str(protobuf);
    return status;
}

static sn_status take_metrics(struct sn_api *api, struct export *export, struct sn_err *err) {
    struct sn_buf protobuf;
    struct sn_str body;
    const struct sn_push_done done = {on_durable, export};
    sn_buf_init(&protobuf, SN_HTTP_BODY_BYTES_MAX);
    sn_status status = read_body(api, export->request, SN_OTLP_METRICS, &protobuf, &body, err);
    if (status == SN_OK) {
        status = sn_ingest_otlp_metrics(api->options.ingest, &api->deltas, body,
                                        sn_clock_wall_ms(api->options.clock), done, &export->result,
                                        err);
    }
    sn_buf_release(&protobuf);
    return status;
}

void sn_api_post_otlp_metrics(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    struct sn_arena *arena = sn_http_request_arena(request);
    struct export *export = sn_arena_alloc_zero(arena, 1, sizeof *export);
    if (export == NULL) {
        respond_failure(request, is_json(request), sn_arena_failure(arena, sizeof *export, &err),
                        &err);
        return;
    }
    export->request = request;
    export->is_json = is_json(request);
    sn_status status = take_metrics(api, export, &err);
    if (status != SN_OK) {
        respond_failure(request, export->is_json, status, &err);
    } else {
        happen(export);
    }
}

void sn_api_post_otlp_logs(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    struct sn_buf protobuf;
    struct sn_str body;
    uint64_t count = 0;
    bool wants_json = is_json(request);
    sn_buf_init(&protobuf, SN_HTTP_BODY_BYTES_MAX);
    sn_status status = read_body(api, request, SN_OTLP_LOGS, &protobuf, &body, &err);
    if (status == SN_OK) {
        status = sn_ingest_otlp_logs(api->options.ingest, body, &count, &err);
    }
    sn_buf_release(&protobuf);
    if (status != SN_OK) {
        respond_failure(request, wants_json, status, &err);
        return;
    }
    const struct partial partial = {
        SN_STR("rejectedLogRecords"), count,
        count > 0 ? SN_STR("this server does not store logs yet: the records were checked and "
                           "dropped")
                  : SN_STR("")};
    respond_success(request, wants_json, &partial);
}
