/*
 * Settings of `sonde serve`: built-in defaults, then the configuration file, then the command line.
 */
#ifndef SN_APP_CONFIG_H
#define SN_APP_CONFIG_H

#include "api/api.h"
#include "app/config_apps.h"
#include "base/arena.h"
#include "base/log.h"
#include "base/status.h"
#include "collect/collect.h"
#include "collect/scrape_config.h"
#include "records/records.h"
#include "store/store.h"

#define SN_CONFIG_LISTEN_DEFAULT "127.0.0.1:9464"
#define SN_CONFIG_DATA_DEFAULT "/var/lib/sonde"

/* Series that are kept for a shorter time. */
#define SN_CONFIG_RETENTION_RULES_MAX 32
struct sn_config_retention_rule {
    const char *match; /* selector, as in PromQL */
    int64_t retention_ms;
};

/* Text lives in the arena. One thread while it is filled, read-only afterwards. */
struct sn_config {
    struct sn_arena arena;
    const char *listen;
    const char *data;
    enum sn_api_access access;
    enum sn_api_ingest_access ingest_access;
    int64_t session_ms;
    /* tls; NULL: plain text */
    const char *tls_certificate;
    const char *tls_key;
    bool tls_allow_plain; /* other addresses than loopback without TLS */
    enum sn_log_level log_level;
    /* storage */
    int64_t retention_ms;
    int64_t retention_bytes_max; /* 0: no limit */
    struct sn_config_retention_rule retention_rules[SN_CONFIG_RETENTION_RULES_MAX];
    size_t retention_rule_count;
    /* 0: no rollups are made, and those there are go with the samples */
    int64_t rollup_retention_ms;
    enum sn_store_durability durability;
    int64_t log_bytes_max;
    int64_t flush_interval_ms;
    int64_t out_of_order_window_ms;
    int64_t series_max;
    int64_t series_per_metric_max; /* 0: no limit */
    int64_t labels_max;
    int64_t label_name_bytes_max;
    int64_t label_value_bytes_max;
    int64_t labels_bytes_max;
    int64_t future_max_ms;
    int64_t exemplars_max;
    /* http */
    int64_t http_threads; /* 0: one per CPU */
    int64_t body_bytes_max;
    /* query */
    bool query_experimental; /* functions and syntax that Prometheus has behind feature flags */
    bool query_shared;       /* with open access: pages of other origins may read answers */
    /* records */
    const char *records_database; /* URL of PostgreSQL; NULL: SQLite in `data` */
    int64_t records_spool_bytes_max;
    int64_t records_retention_ms;
    int64_t records_event_retention_ms;
    struct sn_records_retention records_retentions[SN_RECORDS_RETENTIONS_MAX];
    size_t records_retention_count;
    /* pushgateway */
    int64_t pushgateway_interval_ms;
    /* statsd */
    const char *statsd_listen; /* NULL or "": no UDP */
    const char *statsd_socket; /* NULL or "": no unix socket */
    int64_t statsd_flush_interval_ms;
    int64_t statsd_expire_ms; /* 0: never */
    int64_t statsd_series_max;
    struct sn_config_apps apps;
    /* collect */
    int64_t collect_interval_ms;
    const char *instance; /* NULL: the host's name */
    struct sn_collect_override overrides[SN_COLLECT_SOURCES_MAX];
    size_t override_count;
    /* prometheus.yml */
    struct sn_scrape_config scrape;
    struct sn_text_list scrape_config_files; /* globs */
    struct sn_text_list rule_files;          /* globs; for a later version */
    int64_t evaluation_interval_ms, rule_query_offset_ms;
    struct sn_buf warnings; /* a line each: keys that are read and not used */
};

/* Defaults. Nothing to fail. */
void sn_config_init(struct sn_config *config);
void sn_config_release(struct sn_config *config);

/*
 * Read a YAML file on top of what config holds.
 *
 * Returns SN_OK, SN_ERR_NOT_FOUND, SN_ERR_DENIED, SN_ERR_IO, SN_ERR_LIMIT (size, depth),
 * SN_ERR_INVALID (with "file:line:column: ..." and, for unknown keys, the nearest known one),
 * SN_ERR_NO_MEMORY. After a failure config is to be released.
 */
sn_status sn_config_load(struct sn_config *config, const char *path,
                         struct sn_err *err) SN_MUST_USE;

/* The same from memory; `name` stands for the file in messages. For tests and fuzzing. */
sn_status sn_config_parse(struct sn_config *config, const char *name, struct sn_str text,
                          struct sn_err *err) SN_MUST_USE;

/* What no single key can tell: open access needs a loopback address. SN_ERR_INVALID. */
sn_status sn_config_check(const struct sn_config *config, struct sn_err *err) SN_MUST_USE;

/* What every opening of the store takes from the configuration: where, how long, how many series. */
struct sn_store_options sn_config_store_options(const struct sn_config *config);

/* "required" or "open"; SN_ERR_INVALID. For the command line. */
sn_status sn_config_parse_access(struct sn_str text, enum sn_api_access *ret_access,
                                 struct sn_err *err) SN_MUST_USE;

#endif
