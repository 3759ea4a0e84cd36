/*
 * What clients of Prometheus ask about the server: build, configuration, rules, alerts.
 *
 * Sonde has no rules and alerts yet, so those lists are truly empty. Targets are in prom_targets.c.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "base/limits.h"

/* Grafana picks its features by a Prometheus version; this is the one whose semantics we follow. */
#define PROMETHEUS_VERSION "3.0.0"

static void empty_list(struct sn_json_writer *json, const char *key) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    sn_json_write_array_end(json);
}

static void answer_empty_lists(struct sn_api *api, struct sn_http_request *request,
                               const char *const *keys, size_t key_count) {
    struct sn_prom_call call;
    sn_prom_begin(&call, api, request);
    sn_json_write_object_begin(&call.json);
    for (size_t i = 0; i < key_count; i++)
        empty_list(&call.json, keys[i]);
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}

void sn_api_prom_rules(struct sn_api *api, struct sn_http_request *request) {
    static const char *const keys[] = {"groups"};
    struct sn_str type;
    if (sn_http_request_param(request, SN_STR("type"), &type) && type.len > 0 &&
        !sn_str_equal(type, SN_STR("alert")) && !sn_str_equal(type, SN_STR("record"))) {
        sn_http_respond_error(request, 400, "bad_data",
                              "invalid parameter \"type\": not one of alert, record");
        return;
    }
    answer_empty_lists(api, request, keys, 1);
}

void sn_api_prom_alerts(struct sn_api *api, struct sn_http_request *request) {
    static const char *const keys[] = {"alerts"};
    answer_empty_lists(api, request, keys, 1);
}

void sn_api_prom_alertmanagers(struct sn_api *api, struct sn_http_request *request) {
    static const char *const keys[] = {"activeAlertmanagers", "droppedAlertmanagers"};
    answer_empty_lists(api, request, keys, 2);
}

void sn_api_prom_buildinfo(struct sn_api *api, struct sn_http_request *request) {
    static const struct {
        struct sn_str key, value;
    } rows[] = {
        {SN_STR("version"), SN_STR(PROMETHEUS_VERSION)},
        {SN_STR("revision"), SN_STR("")},
        {SN_STR("branch"), SN_STR("")},
        {SN_STR("buildUser"), SN_STR("")},
        {SN_STR("buildDate"), SN_STR("")},
        {SN_STR("goVersion"), SN_STR("")},
    };
    struct sn_prom_call call;
    sn_prom_begin(&call, api, request);
    sn_json_write_object_begin(&call.json);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        sn_json_write_key_string(&call.json, rows[i].key, rows[i].value);
    sn_json_write_key_string(&call.json, SN_STR("sonde"), sn_str_from(sonde_version()));
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}

void sn_api_prom_runtimeinfo(struct sn_api *api, struct sn_http_request *request) {
    char start[SN_TIME_TEXT_SIZE];
    struct sn_prom_call call;
    sn_time_format(api->options.start_wall_ms, start);
    sn_prom_begin(&call, api, request);
    sn_json_write_object_begin(&call.json);
    sn_json_write_key_string(&call.json, SN_STR("startTime"), sn_str_from(start));
    sn_json_write_key_string(&call.json, SN_STR("storageRetention"),
                             sn_str_from(api->options.retention_text));
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}

static sn_status write_config(struct sn_prom_call *call, struct sn_err *err) {
    const struct sn_api_options *options = &call->api->options;
    struct sn_buf yaml;
    sn_buf_init(&yaml, SN_CONFIG_BYTES_MAX);
    sn_status status = options->config_text(options->ctx, &yaml, err);
    if (status == SN_OK)
        status = sn_buf_status(&yaml, err);
    if (status == SN_OK) {
        sn_json_write_object_begin(&call->json);
        sn_json_write_key_string(&call->json, SN_STR("yaml"), sn_buf_str(&yaml));
        sn_json_write_object_end(&call->json);
    }
    sn_buf_release(&yaml);
    return status;
}

void sn_api_prom_config(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = write_config(&call, &err);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        sn_prom_end(&call, NULL, 0, NULL, 0);
}

/* What decides about answers, by the names that Prometheus has for it. */
void sn_api_prom_flags(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    sn_prom_begin(&call, api, request);
    sn_json_write_object_begin(&call.json);
    sn_json_write_key_string(&call.json, SN_STR("storage.tsdb.retention.time"),
                             sn_str_from(api->options.retention_text));
    sn_json_write_key_string(&call.json, SN_STR("web.enable-admin-api"), SN_STR("false"));
    sn_json_write_key_string(&call.json, SN_STR("web.enable-lifecycle"), SN_STR("false"));
    sn_json_write_key_string(&call.json, SN_STR("web.enable-remote-write-receiver"),
                             SN_STR("true"));
    sn_json_write_object_end(&call.json);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}
