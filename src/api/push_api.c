/*
 * /metrics/job/JOB{/LABEL/VALUE}: what clients of the Prometheus Pushgateway send.
 *
 *   PUT     the page replaces the group         200, counts as /api/v1/import/prometheus has them
 *   POST    ... only metrics of the same names  200
 *   DELETE  the group goes                      202, also when there is none
 *
 * A value is percent-encoded, or base64 (URL-safe, padding optional, "=" for nothing) where its name
 * ends in "@base64". Everything runs on a job worker: it waits for the disk.
 */
#include "api/api_priv.h"
#include "base/limits.h"
#include "codec/base64.h"

#define PREFIX SN_STR("/metrics/")
#define BASE64_ENDING SN_STR("@base64")

/* ---- the path ---- */

static sn_status decode_base64(struct sn_str text, struct sn_arena *arena, struct sn_str *ret_text,
                               struct sn_err *err) {
    size_t len;
    uint8_t *bytes = sn_arena_alloc(arena, SN_BASE64_DECODED_MAX(text.len));
    if (bytes == NULL)
        return sn_arena_failure(arena, text.len, err);
    if (sn_base64_decode(text, bytes, &len) != SN_OK)
        return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not base64",
                          (int)(text.len < 80 ? text.len : 80), text.ptr);
    *ret_text = sn_str_make(bytes, len);
    return SN_OK;
}

static sn_status read_label(struct sn_str name, struct sn_str value, struct sn_arena *arena,
                            struct sn_label *ret_label, struct sn_err *err) {
    SN_TRY(sn_http_decode(arena, name, false, &name, err));
    SN_TRY(sn_http_decode(arena, value, false, &value, err));
    if (sn_str_ends_with(name, BASE64_ENDING)) {
        name.len -= BASE64_ENDING.len;
        SN_TRY(decode_base64(value, arena, &value, err));
    }
    if (!sn_label_name_is_plain(name) || sn_str_starts_with(name, SN_STR("__")))
        return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is not a label name for a group",
                          (int)(name.len < 80 ? name.len : 80), name.ptr);
    *ret_label = (struct sn_label){name, value};
    return SN_OK;
}

/* Labels of the group that a path names. */
static sn_status read_path(struct sn_http_request *request, struct sn_labels *ret_labels,
                           struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_str path = sn_http_request_path_raw(request);
    struct sn_label *labels = sn_arena_alloc(arena, SN_LABELS_MAX * sizeof *labels);
    size_t count = 0;
    if (labels == NULL)
        return sn_arena_failure(arena, SN_LABELS_MAX * sizeof *labels, err);
    path = sn_str_make(path.ptr + PREFIX.len, path.len - PREFIX.len);
    if (path.len > 0 && path.ptr[path.len - 1] == '/')
        path.len--;
    while (path.len > 0) {
        struct sn_str name, value;
        bool has_value = sn_str_cut(path, '/', &name, &path);
        if (!has_value)
            return sn_err_set(err, SN_ERR_INVALID, "label \"%.*s\" of the group has no value",
                              (int)(name.len < 80 ? name.len : 80), name.ptr);
        if (count == SN_LABELS_MAX)
            return sn_err_set(err, SN_ERR_LIMIT, "the group has more than %d labels",
                              SN_LABELS_MAX);
        (void)sn_str_cut(path, '/', &value, &path); /* the last value has no '/' behind it */
        SN_TRY(read_label(name, value, arena, &labels[count++], err));
    }
    SN_TRY(sn_labels_make(labels, count, ret_labels, err));
    if (sn_labels_get(*ret_labels, SN_STR("job")).len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "the group has no job");
    return SN_OK;
}

/* ---- the page ---- */

enum page_format { PAGE_TEXT, PAGE_PROTOBUF, PAGE_UNKNOWN };

/* Anything is taken for text that is not another format by name. */
static enum page_format format_of(const struct sn_http_request *request) {
    static const char *const others[] = {"application/openmetrics-text", "application/json"};
    struct sn_str type;
    if (!sn_http_request_header(request, SN_STR("Content-Type"), &type))
        return PAGE_TEXT;
    if (sn_str_starts_with(type, SN_STR("application/vnd.google.protobuf")))
        return memmem(type.ptr, type.len, "encoding=delimited", strlen("encoding=delimited")) !=
                       NULL
                   ? PAGE_PROTOBUF
                   : PAGE_UNKNOWN;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (sn_str_starts_with(type, sn_str_from(others[i])))
            return PAGE_UNKNOWN;
    return PAGE_TEXT;
}

void sn_api_screen_push_group(struct sn_http_request *request) {
    bool has_page = sn_http_request_method(request) != SN_HTTP_DELETE;
    if (has_page && format_of(request) == PAGE_UNKNOWN)
        sn_http_respond_error(request, 415, "unsupported",
                              "pushed metrics must be in the text format 0.0.4 (Content-Type: "
                              "text/plain; version=0.0.4) or in delimited Protobuf");
}

static sn_status take(struct sn_api *api, struct sn_http_request *request,
                      struct sn_ingest_result *ret_result, struct sn_err *err) {
    struct sn_labels labels;
    enum sn_http_method method = sn_http_request_method(request);
    if (api->options.push_groups == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server keeps no groups of pushed metrics");
    SN_TRY(read_path(request, &labels, err));
    if (method == SN_HTTP_DELETE)
        return sn_push_groups_delete(api->options.push_groups, labels, err);
    const struct sn_push_page page = {
        .bytes = sn_http_request_body(request),
        .is_protobuf = format_of(request) == PAGE_PROTOBUF,
        .keeps_others = method == SN_HTTP_POST,
    };
    return sn_push_groups_put(api->options.push_groups, labels, &page, ret_result, err);
}

void sn_api_push_group(struct sn_api *api, struct sn_http_request *request) {
    static const struct sn_http_response deleted = {.status = 202};
    struct sn_err err = {0};
    struct sn_ingest_result result = {.accepted_count = 0};
    sn_status status = take(api, request, &result, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else if (sn_http_request_method(request) == SN_HTTP_DELETE)
        sn_http_respond(request, &deleted);
    else
        sn_api_respond_ingested(request, &result);
}
