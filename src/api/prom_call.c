/*
 * Envelope and errors of the Prometheus API. See prom_priv.h.
 */
#include "api/prom_priv.h"

void sn_prom_begin(struct sn_prom_call *call, struct sn_api *api, struct sn_http_request *request) {
    call->api = api;
    call->request = request;
    sn_arena_init(&call->arena, SN_PROM_ARENA_BYTES_MAX);
    sn_buf_init(&call->buf, SN_PROM_ANSWER_BYTES_MAX);
    sn_buf_init(&call->long_error, SN_PROM_ERR_BYTES_MAX);
    sn_json_write_init(&call->json, &call->buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(&call->json, SN_STR("data"));
}

void sn_prom_release(struct sn_prom_call *call) {
    sn_buf_release(&call->buf);
    sn_buf_release(&call->long_error);
    sn_arena_release(&call->arena);
}

static void write_texts(struct sn_json_writer *json, struct sn_str key, const struct sn_str *texts,
                        size_t count) {
    if (count == 0)
        return;
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        sn_json_write_string(json, texts[i]);
    sn_json_write_array_end(json);
}

void sn_prom_write_end(struct sn_json_writer *json, const struct sn_str *warnings,
                       size_t warning_count, const struct sn_str *infos, size_t info_count) {
    write_texts(json, SN_STR("warnings"), warnings, warning_count);
    write_texts(json, SN_STR("infos"), infos, info_count);
    sn_json_write_object_end(json);
}

void sn_prom_end(struct sn_prom_call *call, const struct sn_str *warnings, size_t warning_count,
                 const struct sn_str *infos, size_t info_count) {
    sn_prom_write_end(&call->json, warnings, warning_count, infos, info_count);
    sn_api_respond_json(call->request, &call->json, &call->buf);
    sn_prom_release(call);
}

void sn_prom_end_text(struct sn_prom_call *call, const char *content_type, struct sn_buf *page) {
    const struct sn_http_response response = {
        .status = 200,
        .content_type = content_type,
        .body_buf = page,
    };
    sn_http_respond(call->request, &response);
    sn_prom_release(call);
}

/* The whole sentence of a failed query, when it was too long for struct sn_err. */
static const char *sentence_of(struct sn_prom_call *call, const struct sn_err *err) {
    struct sn_str text = sn_buf_str(&call->long_error);
    const char *copy = NULL;
    if (call->long_error.status == SN_OK && text.len >= SN_ERR_TEXT_SIZE)
        copy = sn_arena_printf(&call->arena, "%.*s", SN_STR_ARG(text));
    return copy != NULL ? copy : err->text;
}

void sn_prom_fail(struct sn_prom_call *call, bool is_executing, sn_status status,
                  const struct sn_err *err) {
    bool is_execution = is_executing && (status == SN_ERR_INVALID || status == SN_ERR_LIMIT);
    if (is_execution)
        sn_http_respond_error(call->request, 422, "execution", sentence_of(call, err));
    else if (is_executing && status == SN_ERR_CLOSED)
        sn_http_respond_error(call->request, 503, "canceled", err->text);
    else if (status == SN_ERR_LIMIT)
        sn_http_respond_error(call->request, 400, "bad_data", err->text);
    else
        sn_api_respond_failure(call->request, status, err);
    sn_prom_release(call);
}

void sn_prom_write_labels(struct sn_json_writer *json, struct sn_labels labels) {
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < labels.count; i++)
        sn_json_write_key_string(json, labels.items[i].name, labels.items[i].value);
    sn_json_write_object_end(json);
}
