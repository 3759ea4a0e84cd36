/*
 * The keys of the configuration file and their defaults. See config.h; docs/CONFIGURATION.md is the
 * page for users, and a test reads its example with this table.
 */
#include "app/config.h"

#include "app/prometheus_files.h"
#include "app/prometheus_keys.h"
#include "app/retention_rules.h"
#include "app/schema.h"
#include "base/limits.h"
#include "base/os.h"
#include "ingest/push_groups.h"
#include "ingest/statsd_state.h"
#include "net/address.h"

#include <stddef.h>

#define CONFIG_ARENA_BYTES ((size_t)16 << 20)
#define WARNINGS_BYTES_MAX ((size_t)64 << 10)
#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)
#define YEAR_MS (365 * DAY_MS)

static const char *const access_choices[] = {"required", "open", NULL};
static const char *const ingest_choices[] = {"loopback", "token", "anyone", NULL};
static const char *const level_choices[] = {"debug", "info", "warn", "error", NULL};
static const char *const durability_choices[] = {"strict", "relaxed", NULL};

#define FIELD(member) .offset = offsetof(struct sn_config, member)
#define RANGE(low, high) .min = (low), .max = (high)
#define TABLE(rows) .children = (rows), .child_count = sizeof(rows) / sizeof((rows)[0])

static const struct sn_schema_key log_keys[] = {
    {"level", SN_SCHEMA_CHOICE, FIELD(log_level), .choices = level_choices},
};

/* The keys that Prometheus has below `storage`. */
static const struct sn_schema_key tsdb_retention_keys[] = {
    {"time", SN_SCHEMA_DURATION, FIELD(retention_ms), RANGE(HOUR_MS, 100 * YEAR_MS)},
    {"size", SN_SCHEMA_BYTES, FIELD(retention_bytes_max), RANGE(0, INT64_C(1) << 50)},
};
static const struct sn_schema_key exemplars_keys[] = {
    {"max_exemplars", SN_SCHEMA_INTEGER, FIELD(exemplars_max), RANGE(0, 100000000)},
};
static const struct sn_schema_key tsdb_keys[] = {
    {"out_of_order_time_window", SN_SCHEMA_DURATION, FIELD(out_of_order_window_ms),
     RANGE(0, 30 * DAY_MS)},
    {"retention", SN_SCHEMA_MAP, TABLE(tsdb_retention_keys)},
};

static const struct sn_schema_key rule_keys[] = {
    {"retention", SN_SCHEMA_DURATION,
     .offset = offsetof(struct sn_config_retention_rule, retention_ms),
     RANGE(MINUTE_MS, 100 * YEAR_MS)},
};

/* The selector is the key; whether it is one is told when all is read (sn_config_check). */
static sn_status add_rule(void *target, struct sn_str name, struct sn_arena *arena,
                          const struct sn_schema_key **ret_children, size_t *ret_child_count,
                          void **ret_target, struct sn_err *err) {
    struct sn_config *config = target;
    if (config->retention_rule_count == SN_CONFIG_RETENTION_RULES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d retention rules",
                          SN_CONFIG_RETENTION_RULES_MAX);
    if (sn_str_find_char(name, '\0') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "a selector with a NUL character");
    char *copy = sn_arena_printf(arena, "%.*s", SN_STR_ARG(name));
    if (copy == NULL)
        return sn_arena_failure(arena, name.len + 1, err);
    struct sn_config_retention_rule *rule =
        &config->retention_rules[config->retention_rule_count++];
    *rule = (struct sn_config_retention_rule){.match = copy};
    *ret_children = rule_keys;
    *ret_child_count = sizeof rule_keys / sizeof rule_keys[0];
    *ret_target = rule;
    return SN_OK;
}

/* Lower limits of labels would refuse what the server stores of itself and of its host. */
enum { LABELS_LOW = 16, LABEL_NAME_LOW = 32, LABEL_VALUE_LOW = 128, LABELS_BYTES_LOW = 1024 };

static const struct sn_schema_key storage_keys[] = {
    {"retention", SN_SCHEMA_DURATION, FIELD(retention_ms), RANGE(HOUR_MS, 100 * YEAR_MS)},
    {"retention_rules", SN_SCHEMA_FREE_MAP, .entry = add_rule},
    {"retention_size", SN_SCHEMA_BYTES, FIELD(retention_bytes_max), RANGE(0, INT64_C(1) << 50)},
    {"rollup_retention", SN_SCHEMA_DURATION, FIELD(rollup_retention_ms), RANGE(0, 100 * YEAR_MS)},
    {"durability", SN_SCHEMA_CHOICE, FIELD(durability), .choices = durability_choices},
    {"log_size", SN_SCHEMA_BYTES, FIELD(log_bytes_max), RANGE(1 << 20, INT64_C(4) << 30)},
    {"flush_interval", SN_SCHEMA_DURATION, FIELD(flush_interval_ms), RANGE(SECOND_MS, DAY_MS)},
    {"out_of_order_window", SN_SCHEMA_DURATION, FIELD(out_of_order_window_ms),
     RANGE(0, 30 * DAY_MS)},
    {"series_max", SN_SCHEMA_INTEGER, FIELD(series_max), RANGE(1, 100000000)},
    {"series_per_metric_max", SN_SCHEMA_INTEGER, FIELD(series_per_metric_max), RANGE(0, 100000000)},
    {"labels_max", SN_SCHEMA_INTEGER, FIELD(labels_max), RANGE(LABELS_LOW, SN_LABELS_MAX)},
    {"label_name_size_max", SN_SCHEMA_BYTES, FIELD(label_name_bytes_max),
     RANGE(LABEL_NAME_LOW, SN_LABEL_NAME_BYTES_MAX)},
    {"label_value_size_max", SN_SCHEMA_BYTES, FIELD(label_value_bytes_max),
     RANGE(LABEL_VALUE_LOW, SN_LABEL_VALUE_BYTES_MAX)},
    {"labels_size_max", SN_SCHEMA_BYTES, FIELD(labels_bytes_max),
     RANGE(LABELS_BYTES_LOW, SN_LABELS_BYTES_MAX)},
    {"future_max", SN_SCHEMA_DURATION, FIELD(future_max_ms), RANGE(SECOND_MS, 10 * YEAR_MS)},
    {"exemplars_max", SN_SCHEMA_INTEGER, FIELD(exemplars_max), RANGE(0, 100000000)},
    {"tsdb", SN_SCHEMA_MAP, TABLE(tsdb_keys)},
    {"exemplars", SN_SCHEMA_MAP, TABLE(exemplars_keys)},
};

static const struct sn_schema_key tls_keys[] = {
    {"certificate", SN_SCHEMA_TEXT, FIELD(tls_certificate)},
    {"key", SN_SCHEMA_TEXT, FIELD(tls_key)},
    {"allow_plain", SN_SCHEMA_BOOL, FIELD(tls_allow_plain)},
};

static const struct sn_schema_key http_keys[] = {
    {"threads", SN_SCHEMA_INTEGER, FIELD(http_threads), RANGE(0, SN_HTTP_WORKERS_MAX)},
    {"body_max", SN_SCHEMA_BYTES, FIELD(body_bytes_max), RANGE(1024, INT64_C(1) << 30)},
};

static const struct sn_schema_key query_keys[] = {
    {"experimental", SN_SCHEMA_BOOL, FIELD(query_experimental)},
    {"cors", SN_SCHEMA_BOOL, FIELD(query_shared)},
};

static const struct sn_schema_key pushgateway_keys[] = {
    {"interval", SN_SCHEMA_DURATION, FIELD(pushgateway_interval_ms),
     RANGE(SN_PUSH_INTERVAL_MS_MIN, SN_PUSH_INTERVAL_MS_MAX)},
};

static const struct sn_schema_key statsd_keys[] = {
    {"listen", SN_SCHEMA_TEXT, FIELD(statsd_listen)},
    {"socket", SN_SCHEMA_TEXT, FIELD(statsd_socket)},
    {"flush_interval", SN_SCHEMA_DURATION, FIELD(statsd_flush_interval_ms),
     RANGE(100, 10 * MINUTE_MS)},
    {"expire", SN_SCHEMA_DURATION, FIELD(statsd_expire_ms), RANGE(0, 365 * DAY_MS)},
    {"series_max", SN_SCHEMA_INTEGER, FIELD(statsd_series_max), RANGE(1, 10000000)},
};

/* Rows below collect.sources.NAME go into an override of that name. */
static const struct sn_schema_key source_keys[] = {
    {"interval", SN_SCHEMA_DURATION, .offset = offsetof(struct sn_collect_override, interval_ms),
     RANGE(SN_COLLECT_INTERVAL_MS_MIN, SN_COLLECT_INTERVAL_MS_MAX)},
    {"disabled", SN_SCHEMA_BOOL, .offset = offsetof(struct sn_collect_override, is_disabled)},
};

static sn_status add_override(void *target, struct sn_str name, struct sn_arena *arena,
                              const struct sn_schema_key **ret_children, size_t *ret_child_count,
                              void **ret_target, struct sn_err *err) {
    struct sn_config *config = target;
    if (config->override_count == SN_COLLECT_SOURCES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d sources", SN_COLLECT_SOURCES_MAX);
    if (sn_str_find_char(name, '\0') != SIZE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "name of a source with a NUL character");
    char *copy = sn_arena_printf(arena, "%.*s", SN_STR_ARG(name));
    if (copy == NULL)
        return sn_arena_failure(arena, name.len + 1, err);
    struct sn_collect_override *override = &config->overrides[config->override_count++];
    *override = (struct sn_collect_override){.name = copy};
    *ret_children = source_keys;
    *ret_child_count = sizeof source_keys / sizeof source_keys[0];
    *ret_target = override;
    return SN_OK;
}

/* Rows below records.types.NAME go into the retention of that type. */
static const struct sn_schema_key record_type_keys[] = {
    {"retention", SN_SCHEMA_DURATION, .offset = offsetof(struct sn_records_retention, retention_ms),
     RANGE(0, 100 * YEAR_MS)},
};

static sn_status add_record_type(void *target, struct sn_str name, struct sn_arena *arena,
                                 const struct sn_schema_key **ret_children, size_t *ret_child_count,
                                 void **ret_target, struct sn_err *err) {
    struct sn_config *config = target;
    if (config->records_retention_count == SN_RECORDS_RETENTIONS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d types of records",
                          SN_RECORDS_RETENTIONS_MAX);
    SN_TRY(sn_record_check_text("name of a type", name, SN_RECORD_TYPE_BYTES_MAX, err));
    struct sn_records_retention *retention =
        &config->records_retentions[config->records_retention_count++];
    if (!sn_arena_copy(arena, name, &retention->metric_type))
        return sn_arena_failure(arena, name.len, err);
    retention->retention_ms = config->records_retention_ms;
    *ret_children = record_type_keys;
    *ret_child_count = sizeof record_type_keys / sizeof record_type_keys[0];
    *ret_target = retention;
    return SN_OK;
}

static const struct sn_schema_key records_keys[] = {
    {"database", SN_SCHEMA_TEXT, FIELD(records_database)},
    {"spool_size", SN_SCHEMA_BYTES, FIELD(records_spool_bytes_max),
     RANGE(1 << 20, INT64_C(1) << 40)},
    {"event_retention", SN_SCHEMA_DURATION, FIELD(records_event_retention_ms),
     RANGE(DAY_MS, 100 * YEAR_MS)},
    {"retention", SN_SCHEMA_DURATION, FIELD(records_retention_ms), RANGE(HOUR_MS, 100 * YEAR_MS)},
    {"types", SN_SCHEMA_FREE_MAP, .entry = add_record_type},
};

static const struct sn_schema_key collect_keys[] = {
    {"interval", SN_SCHEMA_DURATION, FIELD(collect_interval_ms),
     RANGE(SN_COLLECT_INTERVAL_MS_MIN, SN_COLLECT_INTERVAL_MS_MAX)},
    {"instance", SN_SCHEMA_TEXT, FIELD(instance)},
    {"sources", SN_SCHEMA_FREE_MAP, .entry = add_override},
};

static sn_status add_app(void *target, struct sn_str name, struct sn_arena *arena,
                         const struct sn_schema_key **ret_children, size_t *ret_child_count,
                         void **ret_target, struct sn_err *err) {
    struct sn_config *config = target;
    return sn_config_add_app(&config->apps, name, arena, ret_children, ret_child_count, ret_target,
                             err);
}

static sn_status add_class(void *target, struct sn_str name, struct sn_arena *arena,
                           const struct sn_schema_key **ret_children, size_t *ret_child_count,
                           void **ret_target, struct sn_err *err) {
    struct sn_config *config = target;
    return sn_config_add_class(&config->apps, name, arena, ret_children, ret_child_count,
                               ret_target, err);
}

static const struct sn_schema_key keys[] = {
    {"listen", SN_SCHEMA_TEXT, FIELD(listen)},
    {"data", SN_SCHEMA_TEXT, FIELD(data)},
    {"access", SN_SCHEMA_CHOICE, FIELD(access), .choices = access_choices},
    {"ingest_access", SN_SCHEMA_CHOICE, FIELD(ingest_access), .choices = ingest_choices},
    {"session", SN_SCHEMA_DURATION, FIELD(session_ms), RANGE(MINUTE_MS, YEAR_MS)},
    {"tls", SN_SCHEMA_MAP, TABLE(tls_keys)},
    {"log", SN_SCHEMA_MAP, TABLE(log_keys)},
    {"storage", SN_SCHEMA_MAP, TABLE(storage_keys)},
    {"http", SN_SCHEMA_MAP, TABLE(http_keys)},
    {"query", SN_SCHEMA_MAP, TABLE(query_keys)},
    /* "records: postgres://..." is short for its database. */
    {"records", SN_SCHEMA_MAP, TABLE(records_keys), .scalar = &records_keys[0]},
    {"pushgateway", SN_SCHEMA_MAP, TABLE(pushgateway_keys)},
    {"statsd", SN_SCHEMA_MAP, TABLE(statsd_keys)},
    {"apps", SN_SCHEMA_FREE_MAP, .entry = add_app},
    {"error_classes", SN_SCHEMA_FREE_MAP, .entry = add_class},
    {"collect", SN_SCHEMA_MAP, TABLE(collect_keys)},
    /* prometheus.yml */
    {"global", SN_SCHEMA_MAP, .children = sn_prometheus_global_keys},
    {"scrape_configs", SN_SCHEMA_LIST, FIELD(scrape.jobs),
     .item_size = sizeof(struct sn_scrape_job), .children = sn_prometheus_job_keys,
     .begin = sn_prometheus_job_begin, .finish = sn_prometheus_job_finish},
    {"scrape_config_files", SN_SCHEMA_TEXTS, FIELD(scrape_config_files)},
    {"rule_files", SN_SCHEMA_TEXTS, FIELD(rule_files),
     .sentence = "rules are not evaluated in this version"},
    {"alerting", SN_SCHEMA_KEPT, .sentence = "alerts are not sent in this version"},
    {"remote_write", SN_SCHEMA_KEPT, .sentence = "nothing is sent in this version"},
    {"remote_read", SN_SCHEMA_KEPT, .sentence = "other stores are not read in this version"},
    {"tracing", SN_SCHEMA_KEPT, .sentence = "Sonde does not trace itself"},
    {"otlp", SN_SCHEMA_KEPT, .sentence = "these settings are not used in this version"},
    {"runtime", SN_SCHEMA_KEPT, .sentence = "settings of Go's runtime mean nothing here"},
};

/* Choices are stored as int: the enums they name must have that size and those numbers. */
_Static_assert(sizeof(enum sn_api_access) == sizeof(int), "choice into enum");
_Static_assert(sizeof(enum sn_api_ingest_access) == sizeof(int), "choice into enum");
_Static_assert(sizeof(enum sn_log_level) == sizeof(int), "choice into enum");
_Static_assert(sizeof(enum sn_store_durability) == sizeof(int), "choice into enum");
_Static_assert(SN_API_ACCESS_REQUIRED == 0 && SN_API_ACCESS_OPEN == 1, "access_choices");
_Static_assert(SN_API_INGEST_LOOPBACK == 0 && SN_API_INGEST_ANYONE == 2, "ingest_choices");
_Static_assert(SN_LOG_DEBUG == 0 && SN_LOG_ERROR == 3, "level_choices");
_Static_assert(SN_STORE_STRICT == 0 && SN_STORE_RELAXED == 1, "durability_choices");

void sn_config_init(struct sn_config *config) {
    *config = (struct sn_config){
        .listen = SN_CONFIG_LISTEN_DEFAULT,
        .data = SN_CONFIG_DATA_DEFAULT,
        .access = SN_API_ACCESS_REQUIRED,
        .session_ms = SN_AUTH_SESSION_MS_DEFAULT,
        .log_level = SN_LOG_INFO,
        .retention_ms = 15 * DAY_MS,
        .rollup_retention_ms = 400 * DAY_MS,
        .durability = SN_STORE_STRICT,
        .log_bytes_max = INT64_C(64) << 20,
        .flush_interval_ms = 30 * MINUTE_MS,
        .out_of_order_window_ms = 10 * MINUTE_MS,
        .series_max = 10000000,
        .labels_max = SN_LABELS_MAX,
        .label_name_bytes_max = SN_LABEL_NAME_BYTES_MAX,
        .label_value_bytes_max = SN_LABEL_VALUE_BYTES_MAX,
        .labels_bytes_max = SN_LABELS_BYTES_MAX,
        .future_max_ms = 10 * MINUTE_MS,
        .exemplars_max = 100000,
        .body_bytes_max = (int64_t)SN_HTTP_BODY_BYTES_MAX,
        .query_experimental = true,
        .query_shared = true,
        .records_spool_bytes_max = INT64_C(1) << 30,
        .records_event_retention_ms = SN_RECORDS_RETENTION_MS_DEFAULT,
        .records_retention_ms = SN_RECORDS_RETENTION_MS_DEFAULT,
        .pushgateway_interval_ms = 15 * SECOND_MS,
        .statsd_flush_interval_ms = 10 * SECOND_MS,
        .statsd_expire_ms = HOUR_MS,
        .statsd_series_max = (int64_t)SN_STATSD_SERIES_MAX_DEFAULT,
        .collect_interval_ms = SN_COLLECT_INTERVAL_MS_DEFAULT,
    };
    config->evaluation_interval_ms = MINUTE_MS;
    sn_arena_init(&config->arena, CONFIG_ARENA_BYTES);
    sn_buf_init(&config->warnings, WARNINGS_BYTES_MAX);
}

void sn_config_release(struct sn_config *config) {
    sn_prometheus_release(&config->scrape);
    config->scrape = (struct sn_scrape_config){.jobs = {NULL, 0}};
    sn_buf_release(&config->warnings);
    sn_arena_release(&config->arena);
}

static sn_status read_text(struct sn_config *config, const char *name, struct sn_str text,
                           struct sn_err *err) {
    return sn_schema_read_warned(name, text, keys, sizeof keys / sizeof keys[0], config,
                                 &config->arena, &config->warnings, err);
}

sn_status sn_config_parse(struct sn_config *config, const char *name, struct sn_str text,
                          struct sn_err *err) {
    SN_TRY(read_text(config, name, text, err));
    return sn_prometheus_complete(&config->scrape, name, &config->arena, err);
}

sn_status sn_config_load(struct sn_config *config, const char *path, struct sn_err *err) {
    struct sn_buf file;
    sn_buf_init(&file, SN_CONFIG_BYTES_MAX + 1); /* one more, so that the schema names the limit */
    sn_status status = sn_os_read_file(path, &file, err);
    if (status == SN_OK)
        status = read_text(config, path, sn_buf_str(&file), err);
    if (status == SN_OK)
        status = sn_prometheus_read_files(&config->scrape, &config->scrape_config_files, path,
                                          &config->arena, &config->warnings, err);
    if (status == SN_OK)
        status = sn_prometheus_complete(&config->scrape, path, &config->arena, err);
    sn_buf_release(&file);
    return status;
}

sn_status sn_config_check(const struct sn_config *config, struct sn_err *err) {
    struct sn_address address;
    SN_TRY(sn_config_apps_check(&config->apps, err));
    SN_TRY(sn_address_parse(sn_str_from(config->listen), &address, err));
    if (config->access == SN_API_ACCESS_OPEN && !sn_address_is_loopback(&address))
        return sn_err_set(err, SN_ERR_INVALID,
                          "access open is for loopback addresses only, not for %s: anybody who "
                          "reaches it could read and write everything",
                          config->listen);
    struct sn_retention_rules rules;
    sn_status status = sn_retention_rules_init(&rules, config, err);
    sn_retention_rules_release(&rules);
    return status;
}

struct sn_store_options sn_config_store_options(const struct sn_config *config) {
    return (struct sn_store_options){
        .dir = config->data,
        .retention_ms = config->retention_ms,
        .retention_bytes_max = (uint64_t)config->retention_bytes_max,
        .without_rollups = config->rollup_retention_ms == 0,
        .rollup_retention_ms =
            config->rollup_retention_ms > 0 ? config->rollup_retention_ms : config->retention_ms,
        .series_max = (size_t)config->series_max,
        .series_per_metric_max = (uint32_t)config->series_per_metric_max,
        .label_limits = {.count_max = (uint32_t)config->labels_max,
                         .name_bytes_max = (uint32_t)config->label_name_bytes_max,
                         .value_bytes_max = (uint32_t)config->label_value_bytes_max,
                         .bytes_max = (uint32_t)config->labels_bytes_max},
        .future_max_ms = config->future_max_ms,
    };
}

sn_status sn_config_parse_access(struct sn_str text, enum sn_api_access *ret_access,
                                 struct sn_err *err) {
    for (int i = 0; access_choices[i] != NULL; i++)
        if (sn_str_equal(text, sn_str_from(access_choices[i]))) {
            *ret_access = (enum sn_api_access)i;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is neither \"required\" nor \"open\"",
                      SN_STR_ARG(text));
}
