/*
 * Settings in effect as YAML. See config_text.h; the keys are those of config.c.
 */
#include "app/config_text.h"

#include "codec/duration.h"

#include <string.h>

static void put_escaped(struct sn_buf *buf, struct sn_str text) {
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f)
            sn_buf_printf(buf, "\\x%02x", c);
        else {
            if (c == '"' || c == '\\')
                sn_buf_put_byte(buf, '\\');
            sn_buf_put_byte(buf, c);
        }
    }
}

static void put_quoted(struct sn_buf *buf, const char *text) {
    sn_buf_put_byte(buf, '"');
    put_escaped(buf, sn_str_from(text));
    sn_buf_put_byte(buf, '"');
}

static void put_text(struct sn_buf *buf, const char *key, const char *text) {
    sn_buf_printf(buf, "%s: ", key);
    put_quoted(buf, text);
    sn_buf_put_byte(buf, '\n');
}

static void put_duration(struct sn_buf *buf, const char *key, int64_t duration_ms) {
    char text[SN_DURATION_TEXT_SIZE];
    (void)sn_duration_format(duration_ms, text); /* its length */
    sn_buf_printf(buf, "%s: %s\n", key, text);
}

static void put_number(struct sn_buf *buf, const char *key, int64_t number) {
    sn_buf_printf(buf, "%s: %lld\n", key, (long long)number);
}

static void put_storage(struct sn_buf *buf, const struct sn_config *config) {
    bool is_strict = config->durability == SN_STORE_STRICT;
    sn_buf_put_text(buf, "storage:\n");
    put_duration(buf, "  retention", config->retention_ms);
    if (config->retention_rule_count > 0)
        sn_buf_put_text(buf, "  retention_rules:\n");
    for (size_t i = 0; i < config->retention_rule_count; i++) {
        sn_buf_put_text(buf, "    ");
        put_quoted(buf, config->retention_rules[i].match);
        sn_buf_put_text(buf, ":\n");
        put_duration(buf, "      retention", config->retention_rules[i].retention_ms);
    }
    put_number(buf, "  retention_size", config->retention_bytes_max);
    put_duration(buf, "  rollup_retention", config->rollup_retention_ms);
    sn_buf_printf(buf, "  durability: %s\n", is_strict ? "strict" : "relaxed");
    put_number(buf, "  log_size", config->log_bytes_max);
    put_duration(buf, "  flush_interval", config->flush_interval_ms);
    put_duration(buf, "  out_of_order_window", config->out_of_order_window_ms);
    put_number(buf, "  series_max", config->series_max);
    put_number(buf, "  series_per_metric_max", config->series_per_metric_max);
    put_number(buf, "  labels_max", config->labels_max);
    put_number(buf, "  label_name_size_max", config->label_name_bytes_max);
    put_number(buf, "  label_value_size_max", config->label_value_bytes_max);
    put_number(buf, "  labels_size_max", config->labels_bytes_max);
    put_duration(buf, "  future_max", config->future_max_ms);
    put_number(buf, "  exemplars_max", config->exemplars_max);
}

/* A name may hold anything: in quotes, as text is. */
static void put_record_type(struct sn_buf *buf, const struct sn_records_retention *retention) {
    sn_buf_put_text(buf, "    \"");
    put_escaped(buf, retention->metric_type);
    sn_buf_put_text(buf, "\":\n");
    put_duration(buf, "      retention", retention->retention_ms);
}

/* A URL whose password, between the second colon and the last '@' of the host, is not shown. */
static void put_url(struct sn_buf *buf, const char *key, const char *url) {
    struct sn_str text = sn_str_from(url);
    const char *start = strstr(url, "://"), *at = strrchr(url, '@');
    const char *colon = start != NULL ? strchr(start + 3, ':') : NULL;
    bool has_password = colon != NULL && at != NULL && colon < at;
    sn_buf_printf(buf, "%s: \"", key);
    put_escaped(buf, sn_str_make(url, has_password ? (size_t)(colon + 1 - url) : text.len));
    if (has_password) {
        sn_buf_put_text(buf, "<secret>");
        put_escaped(buf, sn_str_from(at));
    }
    sn_buf_put_text(buf, "\"\n");
}

static void put_records(struct sn_buf *buf, const struct sn_config *config) {
    sn_buf_put_text(buf, "records:\n");
    if (config->records_database != NULL)
        put_url(buf, "  database", config->records_database);
    put_number(buf, "  spool_size", config->records_spool_bytes_max);
    put_duration(buf, "  event_retention", config->records_event_retention_ms);
    put_duration(buf, "  retention", config->records_retention_ms);
    if (config->records_retention_count > 0)
        sn_buf_put_text(buf, "  types:\n");
    for (size_t i = 0; i < config->records_retention_count; i++)
        put_record_type(buf, &config->records_retentions[i]);
}

static void put_collect(struct sn_buf *buf, const struct sn_config *config) {
    sn_buf_put_text(buf, "collect:\n");
    put_duration(buf, "  interval", config->collect_interval_ms);
    if (config->instance != NULL)
        put_text(buf, "  instance", config->instance);
    if (config->override_count > 0)
        sn_buf_put_text(buf, "  sources:\n");
    for (size_t i = 0; i < config->override_count; i++) {
        const struct sn_collect_override *override = &config->overrides[i];
        sn_buf_printf(buf, "    %s:\n", override->name);
        if (override->interval_ms > 0)
            put_duration(buf, "      interval", override->interval_ms);
        sn_buf_printf(buf, "      disabled: %s\n", override->is_disabled ? "true" : "false");
    }
}

static void put_statsd(struct sn_buf *buf, const struct sn_config *config) {
    sn_buf_put_text(buf, "statsd:\n");
    if (config->statsd_listen != NULL)
        put_text(buf, "  listen", config->statsd_listen);
    if (config->statsd_socket != NULL)
        put_text(buf, "  socket", config->statsd_socket);
    put_duration(buf, "  flush_interval", config->statsd_flush_interval_ms);
    put_duration(buf, "  expire", config->statsd_expire_ms);
    put_number(buf, "  series_max", config->statsd_series_max);
}

static void put_access(struct sn_buf *buf, const struct sn_config *config) {
    static const char *const ingest[] = {"loopback", "token", "anyone"};
    bool is_open = config->access == SN_API_ACCESS_OPEN;
    sn_buf_printf(buf, "access: %s\n", is_open ? "open" : "required");
    sn_buf_printf(buf, "ingest_access: %s\n", ingest[config->ingest_access]);
    put_duration(buf, "session", config->session_ms);
    sn_buf_put_text(buf, "tls:\n");
    if (config->tls_certificate != NULL)
        put_text(buf, "  certificate", config->tls_certificate);
    if (config->tls_key != NULL)
        put_text(buf, "  key", config->tls_key);
    sn_buf_printf(buf, "  allow_plain: %s\n", config->tls_allow_plain ? "true" : "false");
}

void sn_config_write(const struct sn_config *config, struct sn_buf *buf) {
    static const char *const levels[] = {"debug", "info", "warn", "error"};
    put_text(buf, "listen", config->listen);
    put_text(buf, "data", config->data);
    put_access(buf, config);
    sn_buf_printf(buf, "log:\n  level: %s\n", levels[config->log_level]);
    put_storage(buf, config);
    sn_buf_put_text(buf, "http:\n");
    put_number(buf, "  threads", config->http_threads);
    put_number(buf, "  body_max", config->body_bytes_max);
    sn_buf_printf(buf, "query:\n  experimental: %s\n  cors: %s\n",
                  config->query_experimental ? "true" : "false",
                  config->query_shared ? "true" : "false");
    put_records(buf, config);
    sn_buf_put_text(buf, "pushgateway:\n");
    put_duration(buf, "  interval", config->pushgateway_interval_ms);
    put_statsd(buf, config);
    sn_config_apps_write(&config->apps, buf);
    put_collect(buf, config);
}
