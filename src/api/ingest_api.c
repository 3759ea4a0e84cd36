/*
 * POST /api/v1/import/prometheus: a page of the text format, answered when it is durable.
 *
 * Parameters, as VictoriaMetrics names them: extra_label=NAME=VALUE (repeatable) and timestamp
 * (Unix milliseconds, for samples without one). The answer counts what was taken and what was not:
 *
 *   {"status":"success","data":{"accepted":2,"rejected":{"out_of_order":1},"first_reject":"..."}}
 *
 * 400 when the page is malformed or everything in it was refused; nothing is stored then.
 */
#include "api/api_priv.h"
#include "base/limits.h"
#include "codec/number.h"

#include <stdatomic.h>

/*
 * One import on its way: two things must happen before it is answered, in any order and on any
 * thread: ingest returned with the result, and the sink said that it is durable.
 */
struct import {
    struct sn_http_request *request;
    struct sn_ingest_result result;
    sn_status status; /* of `done` */
    struct sn_err err;
    atomic_uint happened; /* how many of the two */
};

/* ---- answer ---- */

static uint64_t rejected_total(const struct sn_ingest_result *result) {
    uint64_t total = 0;
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++)
        total += result->rejected_count[i];
    return total;
}

static void write_result(struct sn_json_writer *json, const struct sn_ingest_result *result) {
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(json, SN_STR("data"));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("accepted"), result->accepted_count);
    sn_json_write_key(json, SN_STR("rejected"));
    sn_json_write_object_begin(json);
    for (unsigned i = 0; i < SN_INGEST_REASON_COUNT; i++)
        if (result->rejected_count[i] > 0)
            sn_json_write_key_uint64(json, sn_str_from(sn_ingest_reason_name(i)),
                                     result->rejected_count[i]);
    sn_json_write_object_end(json);
    if (rejected_total(result) > 0)
        sn_json_write_key_string(json, SN_STR("first_reject"),
                                 sn_str_from(result->first_reject.text));
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
}

void sn_api_respond_ingested(struct sn_http_request *request,
                             const struct sn_ingest_result *result) {
    if (result->accepted_count == 0 && rejected_total(result) > 0) {
        sn_api_respond_failure(request, SN_ERR_INVALID, &result->first_reject);
        return;
    }
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    write_result(&json, result);
    sn_api_respond_json(request, &json, &buf);
    sn_buf_release(&buf);
}

static void answer(struct import *import) {
    if (import->status != SN_OK)
        sn_api_respond_failure(import->request, import->status, &import->err);
    else
        sn_api_respond_ingested(import->request, &import->result);
}

/* The second of the two events answers. */
static void happen(struct import *import) {
    /* seq_cst: the second one sees everything that the first one wrote. */
    if (atomic_fetch_add(&import->happened, 1) == 1)
        answer(import);
}

static void on_durable(void *ctx, sn_status status, const struct sn_err *err) {
    struct import *import = ctx;
    import->status = status;
    if (err != NULL)
        import->err = *err;
    happen(import);
}

/* ---- parameters ---- */

static sn_status parse_extra_label(struct sn_str value, struct sn_label *ret_label,
                                   struct sn_err *err) {
    if (!sn_str_cut(value, '=', &ret_label->name, &ret_label->value))
        return sn_err_set(err, SN_ERR_INVALID, "parameter extra_label: \"%.*s\" is not NAME=VALUE",
                          (int)(value.len < 80 ? value.len : 80), value.ptr);
    return SN_OK;
}

static sn_status parse_timestamp(struct sn_str value, int64_t *ret_ms, struct sn_err *err) {
    int64_t time_ms;
    if (sn_int64_parse(value, &time_ms) != SN_OK || time_ms < SN_TIME_MS_MIN ||
        time_ms > SN_TIME_MS_MAX)
        return sn_err_set(err, SN_ERR_INVALID,
                          "parameter timestamp: \"%.*s\" is not a time in Unix milliseconds",
                          (int)(value.len < 80 ? value.len : 80), value.ptr);
    *ret_ms = time_ms;
    return SN_OK;
}

static sn_status add_param(struct sn_str name, struct sn_str value, struct sn_label *labels,
                           size_t *label_count, struct sn_ingest_options *options,
                           struct sn_err *err) {
    if (sn_str_equal(name, SN_STR("timestamp")))
        return parse_timestamp(value, &options->default_time_ms, err);
    if (!sn_str_equal(name, SN_STR("extra_label")))
        return sn_err_set(err, SN_ERR_INVALID, "unknown parameter \"%.*s\"",
                          (int)(name.len < 80 ? name.len : 80), name.ptr);
    if (*label_count == SN_LABELS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d extra labels", SN_LABELS_MAX);
    return parse_extra_label(value, &labels[(*label_count)++], err);
}

/*
 * Parameters of the query only: curl --data sends any body as a form, and the body is the page.
 */
static sn_status parse_params(struct sn_http_request *request, struct sn_ingest_options *options,
                              struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_label *labels = sn_arena_alloc_zero(arena, SN_LABELS_MAX, sizeof *labels);
    struct sn_str rest = sn_http_request_query_raw(request);
    size_t label_count = 0;
    if (labels == NULL)
        return sn_arena_failure(arena, SN_LABELS_MAX * sizeof *labels, err);
    while (rest.len > 0) {
        struct sn_str pair, tail, name, value;
        (void)sn_str_cut(rest, '&', &pair, &tail); /* The last pair has no '&' behind it. */
        rest = tail;
        (void)sn_str_cut(pair, '=', &name, &value); /* No '=': an empty value. */
        SN_TRY(sn_http_decode(arena, name, true, &name, err));
        SN_TRY(sn_http_decode(arena, value, true, &value, err));
        SN_TRY(add_param(name, value, labels, &label_count, options, err));
    }
    return sn_labels_make(labels, label_count, &options->extra_labels, err);
}

void sn_api_post_text(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    struct sn_arena *arena = sn_http_request_arena(request);
    struct import *import = sn_arena_alloc_zero(arena, 1, sizeof *import);
    struct sn_ingest_options options = {.default_time_ms = sn_clock_wall_ms(api->options.clock)};
    sn_status status = import != NULL ? parse_params(request, &options, &err)
                                      : sn_arena_failure(arena, sizeof *import, &err);
    if (status == SN_OK) {
        import->request = request;
        const struct sn_push_done done = {on_durable, import};
        status = sn_ingest_text(api->options.ingest, sn_http_request_body(request), &options, done,
                                &import->result, &err);
    }
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        happen(import);
}
