/*
 * What is to be scraped, as a prometheus.yml says it: plain data, filled in by app, read here.
 *
 * Texts and arrays live in the configuration's arena; the regexes of relabel rules are owned by them
 * (sn_relabel_rules_release).
 */
#ifndef SN_COLLECT_SCRAPE_CONFIG_H
#define SN_COLLECT_SCRAPE_CONFIG_H

#include "collect/relabel.h"
#include "net/http_client.h"

/* How a target may be asked to write, best first. */
enum sn_scrape_protocol {
    SN_SCRAPE_NO_PROTOCOL = 0,
    SN_SCRAPE_PROTOBUF = 1,
    SN_SCRAPE_TEXT_0 = 2, /* PrometheusText0.0.4 */
    SN_SCRAPE_TEXT_1 = 3,
    SN_SCRAPE_OPENMETRICS_0 = 4, /* OpenMetricsText0.0.1 */
    SN_SCRAPE_OPENMETRICS_1 = 5,
    SN_SCRAPE_PROTOCOL_COUNT = 6,
};

/* Name and value, both texts. */
struct sn_pair {
    const char *name;
    const char *value;
};
struct sn_pair_list {
    struct sn_pair *items;
    size_t count;
};

/* A parameter of the URL with its values. */
struct sn_param {
    const char *name;
    struct sn_text_list values;
};
struct sn_param_list {
    struct sn_param *items;
    size_t count;
};

/* How to speak with a server. A NULL is "not said". */
struct sn_scrape_http {
    const char *user, *user_file, *password, *password_file;       /* basic_auth */
    const char *credentials_type, *credentials, *credentials_file; /* authorization */
    const char *bearer_token, *bearer_token_file;                  /* the old words for it */
    struct sn_http_tls tls;
    const char *proxy_url;
    bool has_no_redirects;
};

struct sn_target_group {
    struct sn_text_list targets;
    struct sn_pair_list labels;
};
struct sn_target_group_list {
    struct sn_target_group *items;
    size_t count;
};

struct sn_file_discovery {
    struct sn_text_list files; /* globs */
    int64_t refresh_interval_ms;
};
struct sn_file_discovery_list {
    struct sn_file_discovery *items;
    size_t count;
};

struct sn_http_discovery {
    const char *url;
    int64_t refresh_interval_ms;
    struct sn_scrape_http http;
};
struct sn_http_discovery_list {
    struct sn_http_discovery *items;
    size_t count;
};

/* Limits and choices that `global` and a job share. 0: not said; after completion: none. */
struct sn_scrape_rules {
    int64_t interval_ms, timeout_ms;
    int64_t body_bytes_max, sample_max, label_max, label_name_bytes_max, label_value_bytes_max;
    int64_t target_max;
    int64_t dropped_target_max; /* dropped targets that are remembered; 0: all */
    struct sn_text_list protocol_names;
    enum sn_scrape_protocol protocols[SN_SCRAPE_PROTOCOL_COUNT]; /* [protocol_count] */
    size_t protocol_count;
    int wants_native, wants_classic_too; /* 0: not said, 1: no, 2: yes */
};

/* One scrape_config. */
struct sn_scrape_job {
    const char *name;
    size_t line; /* in its file, for messages */
    struct sn_scrape_rules rules;
    const char *fallback_protocol_name;
    enum sn_scrape_protocol fallback_protocol;
    const char *scheme; /* "http", "https" */
    const char *metrics_path;
    bool honors_labels, ignores_timestamps, has_no_compression, tracks_timestamps;
    struct sn_scrape_http http;
    struct sn_param_list params;
    struct sn_target_group_list groups;
    struct sn_file_discovery_list files;
    struct sn_http_discovery_list urls;
    struct sn_relabel_rules target_rules, metric_rules;
    int64_t native_bucket_max; /* 0: none */
};
struct sn_scrape_job_list {
    struct sn_scrape_job *items;
    size_t count;
};

/* What a file says about scraping. */
struct sn_scrape_config {
    struct sn_scrape_rules global;
    struct sn_pair_list external_labels;
    struct sn_scrape_job_list jobs;
};

#endif
