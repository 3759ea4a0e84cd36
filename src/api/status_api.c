/*
 * Routes about the server and its host: health, own metrics, state of the machine.
 */
#include "api/api_priv.h"

/* Own metrics: thousands of series at most. */
#define METRICS_BYTES_MAX ((size_t)32 << 20)

void sn_api_get_healthz(struct sn_api *api, struct sn_http_request *request) {
    (void)api;
    const struct sn_http_response response = {
        .status = 200, .content_type = "text/plain; charset=utf-8", .body = SN_STR("ok\n")};
    sn_http_respond(request, &response);
}

void sn_api_get_readyz(struct sn_api *api, struct sn_http_request *request) {
    struct sn_err err = {0};
    if (api->options.health(api->options.ctx, &err) != SN_OK)
        sn_http_respond_error(request, 503, "unavailable", err.text);
    else
        sn_api_get_healthz(api, request);
}

static int append(void *ctx, const char *bytes, size_t len) {
    struct sn_buf *buf = ctx;
    sn_buf_put(buf, bytes, len);
    return buf->status == SN_OK ? 0 : -1;
}

/* Accept headers of scrapers have some 300 bytes; who sends more gets the format all can read. */
#define ACCEPT_BYTES_MAX 1024

static sonde_format format_for(const struct sn_http_request *request) {
    struct sn_str accept;
    char text[ACCEPT_BYTES_MAX];
    if (!sn_http_request_header(request, SN_STR("accept"), &accept) || accept.len >= sizeof text)
        return SONDE_FORMAT_TEXT;
    if (accept.len > 0)
        memcpy(text, accept.ptr, accept.len);
    text[accept.len] = '\0';
    return sonde_format_negotiate(text);
}

void sn_api_get_metrics(struct sn_api *api, struct sn_http_request *request) {
    sonde_format format = format_for(request);
    struct sn_buf buf;
    sn_buf_init(&buf, METRICS_BYTES_MAX);
    struct sn_err err = {0};
    sonde_status written = sonde_registry_write(api->options.registry, format, append, &buf);
    sn_status status = sn_buf_status(&buf, &err);
    if (status == SN_OK && written != SONDE_OK)
        status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory to write the metrics");
    if (status != SN_OK) {
        sn_api_respond_failure(request, status, &err);
    } else {
        const struct sn_http_response response = {
            .status = 200,
            .content_type = sonde_format_content_type(format),
            .body_buf = &buf,
        };
        sn_http_respond(request, &response);
    }
    sn_buf_release(&buf);
}

void sn_api_get_host_status(struct sn_api *api, struct sn_http_request *request) {
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_err err = {0};
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_status status = api->options.host_status(api->options.ctx, &json, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        sn_api_respond_json(request, &json, &buf);
    sn_buf_release(&buf);
}
