/*
 * Tables of prometheus.yml. See prometheus_keys.h.
 */
#include "app/prometheus_keys.h"

#include "app/config.h"
#include "app/external_labels.h"

#include <stddef.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define DAY_MS (INT64_C(24) * 60 * MINUTE_MS)
#define COUNT_MAX (INT64_C(1) << 40)

#define FIELD(type, member) .offset = offsetof(struct type, member)
#define RANGE(low, high) .min = (low), .max = (high)
#define END                                                                                        \
    { .name = NULL }
#define TEXT(name, type, member)                                                                   \
    { name, SN_SCHEMA_TEXT, FIELD(type, member) }
#define BOOL(name, type, member)                                                                   \
    { name, SN_SCHEMA_BOOL, FIELD(type, member) }
#define COUNT(name, type, member)                                                                  \
    { name, SN_SCHEMA_INTEGER, FIELD(type, member), RANGE(0, COUNT_MAX) }
#define LIST(name, type, member, item, rows)                                                       \
    {                                                                                              \
        name, SN_SCHEMA_LIST, FIELD(type, member), .item_size = sizeof(struct item),               \
                                                   .children = rows                                \
    }
#define REFUSED(name, why)                                                                         \
    { name, SN_SCHEMA_REFUSED, .sentence = why }

_Static_assert(sizeof(struct sn_schema_texts) == sizeof(struct sn_text_list) &&
                   sizeof(struct sn_schema_pair) == sizeof(struct sn_pair) &&
                   sizeof(struct sn_schema_param) == sizeof(struct sn_param),
               "the schema's lists are those of scrape_config.h");

/* ---- scalars of their own ---- */

/* Sizes of Prometheus: "10MB" has 2^20 bytes as "10MiB" has. */
static sn_status parse_size(void *field, struct sn_str text, struct sn_err *err) {
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    int64_t bytes = 0;
    for (unsigned i = 0; i < 4; i++)
        if (sn_str_ends_with(text, sn_str_from(units[i]))) {
            SN_TRY(sn_schema_parse_bytes(sn_str_make(text.ptr, text.len - 2), &bytes, err));
            if (bytes > INT64_MAX >> 10 * (i + 1))
                return sn_err_set(err, SN_ERR_LIMIT, "\"%.*s\" is too large a size",
                                  SN_STR_ARG(text));
            *(int64_t *)field = bytes << 10 * (i + 1);
            return SN_OK;
        }
    return sn_schema_parse_bytes(text, field, err);
}

/* A bool of which "not said" is told apart: 1 no, 2 yes. */
static sn_status parse_said(void *field, struct sn_str text, struct sn_err *err) {
    bool is_true = sn_str_equal(text, SN_STR("true"));
    if (!is_true && !sn_str_equal(text, SN_STR("false")))
        return sn_err_set(err, SN_ERR_INVALID, "\"%.*s\" is neither true nor false",
                          SN_STR_ARG(text));
    *(int *)field = is_true ? 2 : 1;
    return SN_OK;
}

/* A bool that is stored the other way round: true is the default. */
static sn_status parse_not(void *field, struct sn_str text, struct sn_err *err) {
    int said = 0;
    SN_TRY(parse_said(&said, text, err));
    *(bool *)field = said == 1;
    return SN_OK;
}

static sn_status parse_only_false(void *field, struct sn_str text, struct sn_err *err) {
    int said = 0;
    (void)field;
    SN_TRY(parse_said(&said, text, err));
    return said == 1 ? SN_OK : sn_err_set(err, SN_ERR_INVALID, "true is not supported here");
}

static sn_status parse_only_utf8(void *field, struct sn_str text, struct sn_err *err) {
    (void)field;
    if (sn_str_equal(text, SN_STR("utf8")) || sn_str_equal(text, SN_STR("allow-utf-8")))
        return SN_OK;
    return sn_err_set(err, SN_ERR_INVALID,
                      "\"%.*s\" is not supported: names are UTF-8 and are not escaped",
                      SN_STR_ARG(text));
}

#define ONLY_FALSE(name)                                                                           \
    { name, SN_SCHEMA_PARSED, .parse = parse_only_false }
#define SIZE(name, type, member)                                                                   \
    { name, SN_SCHEMA_PARSED, FIELD(type, member), .parse = parse_size }
#define SAID(name, type, member)                                                                   \
    { name, SN_SCHEMA_PARSED, FIELD(type, member), .parse = parse_said }
#define NOT(name, type, member)                                                                    \
    { name, SN_SCHEMA_PARSED, FIELD(type, member), .parse = parse_not }
#define ONLY_UTF8(name)                                                                            \
    { name, SN_SCHEMA_PARSED, .parse = parse_only_utf8 }

/* ---- tls, credentials ---- */

static const char *const tls_versions[] = {"", "TLS10", "TLS11", "TLS12", "TLS13", NULL};
_Static_assert(SN_TLS_1_3 == 4 && sizeof(enum sn_tls_version) == sizeof(int), "tls_versions");

#define TLS_KEYS(type, at)                                                                         \
    TEXT("ca", type, at.ca), TEXT("ca_file", type, at.ca_file), TEXT("cert", type, at.cert),       \
        TEXT("cert_file", type, at.cert_file), TEXT("key", type, at.key),                          \
        TEXT("key_file", type, at.key_file), TEXT("server_name", type, at.server_name),            \
        BOOL("insecure_skip_verify", type, at.skips_verification),                                 \
        {"min_version", SN_SCHEMA_CHOICE, FIELD(type, at.version_min), .choices = tls_versions},   \
        {"max_version", SN_SCHEMA_CHOICE, FIELD(type, at.version_max), .choices = tls_versions},   \
        END

#define BASIC_KEYS(type, at)                                                                       \
    TEXT("username", type, at.user), TEXT("username_file", type, at.user_file),                    \
        TEXT("password", type, at.password), TEXT("password_file", type, at.password_file), END

#define AUTHORIZATION_KEYS(type, at)                                                               \
    TEXT("type", type, at.credentials_type), TEXT("credentials", type, at.credentials),            \
        TEXT("credentials_file", type, at.credentials_file), END

#define SECRETS "is not supported: Sonde has no secrets manager; name a file"

/* The keys of Prometheus' HTTPClientConfig, for a struct that has one at `at`. */
#define HTTP_KEYS(type, at, tls_rows, basic_rows, authorization_rows)                              \
    {"basic_auth", SN_SCHEMA_MAP, .children = basic_rows},                                         \
        {"authorization", SN_SCHEMA_MAP, .children = authorization_rows},                          \
        {"tls_config", SN_SCHEMA_MAP, .children = tls_rows},                                       \
        TEXT("bearer_token", type, at.bearer_token),                                               \
        TEXT("bearer_token_file", type, at.bearer_token_file),                                     \
        NOT("follow_redirects", type, at.has_no_redirects), TEXT("proxy_url", type, at.proxy_url), \
        {"enable_http2", SN_SCHEMA_KEPT, .sentence = NULL}, /* HTTP/1.1 does */                    \
        ONLY_FALSE("proxy_from_environment"), REFUSED("no_proxy", "is not supported"),             \
        REFUSED("proxy_connect_header", "is not supported"),                                       \
        REFUSED("http_headers", "is not supported"), REFUSED("oauth2", "is not supported")

static const struct sn_schema_key url_tls_keys[] = {TLS_KEYS(sn_http_discovery, http.tls)};
static const struct sn_schema_key url_basic_keys[] = {BASIC_KEYS(sn_http_discovery, http)};
static const struct sn_schema_key url_authorization_keys[] = {
    AUTHORIZATION_KEYS(sn_http_discovery, http)};
static const struct sn_schema_key job_tls_keys[] = {TLS_KEYS(sn_scrape_job, http.tls)};
static const struct sn_schema_key job_basic_keys[] = {BASIC_KEYS(sn_scrape_job, http)};
static const struct sn_schema_key job_authorization_keys[] = {
    AUTHORIZATION_KEYS(sn_scrape_job, http)};

static bool is_said_twice(const struct sn_scrape_http *http) {
    return (http->password && http->password_file) || (http->user && http->user_file) ||
           (http->credentials && http->credentials_file) ||
           (http->bearer_token && http->bearer_token_file);
}

static sn_status check_tls(const struct sn_http_tls *tls, struct sn_err *err) {
    if ((tls->cert || tls->cert_file) != (tls->key || tls->key_file))
        return sn_err_set(err, SN_ERR_INVALID, "tls_config: a certificate and its key go together");
    if (tls->version_min != SN_TLS_DEFAULT && tls->version_max != SN_TLS_DEFAULT &&
        tls->version_min > tls->version_max)
        return sn_err_set(err, SN_ERR_INVALID, "tls_config: min_version is above max_version");
    return SN_OK;
}

static sn_status check_http(const struct sn_scrape_http *http, struct sn_err *err) {
    bool has_basic = http->user || http->user_file || http->password || http->password_file;
    bool has_credentials = http->credentials || http->credentials_file || http->credentials_type;
    bool has_bearer = http->bearer_token || http->bearer_token_file;
    if (has_basic + has_credentials + has_bearer > 1)
        return sn_err_set(err, SN_ERR_INVALID,
                          "at most one of basic_auth, authorization and bearer_token is allowed");
    if (is_said_twice(http))
        return sn_err_set(err, SN_ERR_INVALID, "a secret is given twice: as text and as a file");
    return check_tls(&http->tls, err);
}

/* ---- relabelling ---- */

static const char *const actions[] = {"replace",   "keep",      "drop",      "keepequal",
                                      "dropequal", "hashmod",   "labelmap",  "labeldrop",
                                      "labelkeep", "lowercase", "uppercase", NULL};
_Static_assert(SN_RELABEL_UPPERCASE == 10 && SN_RELABEL_DROP_EQUAL == 4, "actions");

static const struct sn_schema_key relabel_keys[] = {
    {"source_labels", SN_SCHEMA_TEXTS, FIELD(sn_relabel_rule, source_labels)},
    TEXT("separator", sn_relabel_rule, separator),
    TEXT("regex", sn_relabel_rule, pattern),
    TEXT("target_label", sn_relabel_rule, target_label),
    TEXT("replacement", sn_relabel_rule, replacement),
    {"modulus", SN_SCHEMA_INTEGER, FIELD(sn_relabel_rule, modulus), RANGE(0, INT64_MAX)},
    {"action", SN_SCHEMA_CHOICE, FIELD(sn_relabel_rule, action), .choices = actions},
    END,
};

static sn_status finish_relabel(void *target, struct sn_err *err) {
    return sn_relabel_rule_prepare(target, err);
}

#define RELABEL(name, type, member)                                                                \
    {                                                                                              \
        name, SN_SCHEMA_LIST, FIELD(type, member), .item_size = sizeof(struct sn_relabel_rule),    \
                                                   .children = relabel_keys,                       \
                                                   .finish = finish_relabel                        \
    }

/* ---- discovery ---- */

static const struct sn_schema_key group_keys[] = {
    {"targets", SN_SCHEMA_TEXTS, FIELD(sn_target_group, targets)},
    {"labels", SN_SCHEMA_PAIRS, FIELD(sn_target_group, labels)},
    END,
};

static const struct sn_schema_key file_keys[] = {
    {"files", SN_SCHEMA_TEXTS, FIELD(sn_file_discovery, files)},
    {"refresh_interval", SN_SCHEMA_DURATION, FIELD(sn_file_discovery, refresh_interval_ms),
     RANGE(SECOND_MS, DAY_MS)},
    END,
};

static void begin_file(void *item, size_t line) {
    (void)line;
    ((struct sn_file_discovery *)item)->refresh_interval_ms = 5 * MINUTE_MS;
}

/* Prometheus' own rule, so that a typing error is not a job without targets. */
static bool is_file_pattern(struct sn_str name) {
    return sn_str_ends_with(name, SN_STR(".json")) || sn_str_ends_with(name, SN_STR(".yml")) ||
           sn_str_ends_with(name, SN_STR(".yaml"));
}

static sn_status finish_file(void *target, struct sn_err *err) {
    const struct sn_file_discovery *discovery = target;
    if (discovery->files.count == 0)
        return sn_err_set(err, SN_ERR_INVALID, "file_sd_configs needs files");
    for (size_t i = 0; i < discovery->files.count; i++)
        if (!is_file_pattern(sn_str_from(discovery->files.items[i])))
            return sn_err_set(err, SN_ERR_INVALID,
                              "path name \"%s\" is not valid for file discovery: it must end with "
                              ".json, .yml or .yaml",
                              discovery->files.items[i]);
    return SN_OK;
}

static const struct sn_schema_key url_keys[] = {
    TEXT("url", sn_http_discovery, url),
    {"refresh_interval", SN_SCHEMA_DURATION, FIELD(sn_http_discovery, refresh_interval_ms),
     RANGE(SECOND_MS, DAY_MS)},
    HTTP_KEYS(sn_http_discovery, http, url_tls_keys, url_basic_keys, url_authorization_keys),
    END,
};

static void begin_url(void *item, size_t line) {
    (void)line;
    ((struct sn_http_discovery *)item)->refresh_interval_ms = MINUTE_MS;
}

static sn_status finish_url(void *target, struct sn_err *err) {
    const struct sn_http_discovery *discovery = target;
    struct sn_str url = sn_str_from(discovery->url);
    if (!sn_str_starts_with(url, SN_STR("http://")) && !sn_str_starts_with(url, SN_STR("https://")))
        return sn_err_set(err, SN_ERR_INVALID,
                          "http_sd_configs needs a url with scheme http or https");
    return check_http(&discovery->http, err);
}

#define DISCOVERY                                                                                  \
    "is not supported: targets come from static_configs, file_sd_configs and http_sd_configs"

/* ---- scrape_configs ---- */

/* What `global` and jobs share. */
#define RULE_KEYS(type, at)                                                                        \
    {"scrape_interval", SN_SCHEMA_DURATION, FIELD(type, at.interval_ms), RANGE(1, 365 * DAY_MS)},  \
        {"scrape_timeout", SN_SCHEMA_DURATION, FIELD(type, at.timeout_ms), RANGE(1, DAY_MS)},      \
        {"scrape_protocols", SN_SCHEMA_TEXTS, FIELD(type, at.protocol_names)},                     \
        SIZE("body_size_limit", type, at.body_bytes_max),                                          \
        COUNT("sample_limit", type, at.sample_max), COUNT("label_limit", type, at.label_max),      \
        COUNT("label_name_length_limit", type, at.label_name_bytes_max),                           \
        COUNT("label_value_length_limit", type, at.label_value_bytes_max),                         \
        COUNT("target_limit", type, at.target_max),                                                \
        COUNT("keep_dropped_targets", type, at.dropped_target_max),                                \
        SAID("scrape_native_histograms", type, at.wants_native),                                   \
        SAID("always_scrape_classic_histograms", type, at.wants_classic_too),                      \
        SAID("scrape_classic_histograms", type, at.wants_classic_too),                             \
        ONLY_FALSE("convert_classic_histograms_to_nhcb"),                                          \
        ONLY_UTF8("metric_name_validation_scheme"), ONLY_UTF8("metric_name_escaping_scheme"),      \
        ONLY_FALSE("extra_scrape_metrics"), {                                                      \
        "scrape_failure_log_file", SN_SCHEMA_KEPT, .sentence = "failures are on the targets page"  \
    }

const struct sn_schema_key sn_prometheus_global_keys[] = {
    RULE_KEYS(sn_config, scrape.global),
    {"external_labels", SN_SCHEMA_PAIRS, FIELD(sn_config, scrape.external_labels)},
    {"evaluation_interval", SN_SCHEMA_DURATION, FIELD(sn_config, evaluation_interval_ms),
     RANGE(1, 365 * DAY_MS)},
    {"rule_query_offset", SN_SCHEMA_DURATION, FIELD(sn_config, rule_query_offset_ms),
     RANGE(0, 365 * DAY_MS)},
    {"query_log_file", SN_SCHEMA_KEPT, .sentence = "queries are not logged"},
    {"runtime", SN_SCHEMA_KEPT, .sentence = "settings of Go's runtime mean nothing here"},
    END,
};

const struct sn_schema_key sn_prometheus_job_keys[] = {
    TEXT("job_name", sn_scrape_job, name),
    RULE_KEYS(sn_scrape_job, rules),
    TEXT("fallback_scrape_protocol", sn_scrape_job, fallback_protocol_name),
    TEXT("scheme", sn_scrape_job, scheme),
    TEXT("metrics_path", sn_scrape_job, metrics_path),
    BOOL("honor_labels", sn_scrape_job, honors_labels),
    NOT("honor_timestamps", sn_scrape_job, ignores_timestamps),
    BOOL("track_timestamps_staleness", sn_scrape_job, tracks_timestamps),
    NOT("enable_compression", sn_scrape_job, has_no_compression),
    {"params", SN_SCHEMA_PARAMS, FIELD(sn_scrape_job, params)},
    HTTP_KEYS(sn_scrape_job, http, job_tls_keys, job_basic_keys, job_authorization_keys),
    LIST("static_configs", sn_scrape_job, groups, sn_target_group, group_keys),
    {"file_sd_configs", SN_SCHEMA_LIST, FIELD(sn_scrape_job, files),
     .item_size = sizeof(struct sn_file_discovery), .children = file_keys, .begin = begin_file,
     .finish = finish_file},
    {"http_sd_configs", SN_SCHEMA_LIST, FIELD(sn_scrape_job, urls),
     .item_size = sizeof(struct sn_http_discovery), .children = url_keys, .begin = begin_url,
     .finish = finish_url},
    RELABEL("relabel_configs", sn_scrape_job, target_rules),
    RELABEL("metric_relabel_configs", sn_scrape_job, metric_rules),
    COUNT("native_histogram_bucket_limit", sn_scrape_job, native_bucket_max),
    REFUSED("native_histogram_min_bucket_factor", "is not supported"),
    REFUSED("azure_sd_configs", DISCOVERY),
    REFUSED("aws_sd_configs", DISCOVERY),
    REFUSED("consul_sd_configs", DISCOVERY),
    REFUSED("digitalocean_sd_configs", DISCOVERY),
    REFUSED("dns_sd_configs", DISCOVERY),
    REFUSED("docker_sd_configs", DISCOVERY),
    REFUSED("dockerswarm_sd_configs", DISCOVERY),
    REFUSED("ec2_sd_configs", DISCOVERY),
    REFUSED("eureka_sd_configs", DISCOVERY),
    REFUSED("gce_sd_configs", DISCOVERY),
    REFUSED("hetzner_sd_configs", DISCOVERY),
    REFUSED("ionos_sd_configs", DISCOVERY),
    REFUSED("kubernetes_sd_configs", DISCOVERY),
    REFUSED("kuma_sd_configs", DISCOVERY),
    REFUSED("lightsail_sd_configs", DISCOVERY),
    REFUSED("linode_sd_configs", DISCOVERY),
    REFUSED("marathon_sd_configs", DISCOVERY),
    REFUSED("nerve_sd_configs", DISCOVERY),
    REFUSED("nomad_sd_configs", DISCOVERY),
    REFUSED("openstack_sd_configs", DISCOVERY),
    REFUSED("ovhcloud_sd_configs", DISCOVERY),
    REFUSED("puppetdb_sd_configs", DISCOVERY),
    REFUSED("scaleway_sd_configs", DISCOVERY),
    REFUSED("serverset_sd_configs", DISCOVERY),
    REFUSED("stackit_sd_configs", DISCOVERY),
    REFUSED("triton_sd_configs", DISCOVERY),
    REFUSED("uyuni_sd_configs", DISCOVERY),
    REFUSED("vultr_sd_configs", DISCOVERY),
    END,
};

void sn_prometheus_job_begin(void *item, size_t line) {
    struct sn_scrape_job *job = item;
    job->line = line;
    job->scheme = "http";
    job->metrics_path = "/metrics";
}

/* Names of protocols into rules->protocols. */
static sn_status find_protocol(const char *name, enum sn_scrape_protocol *ret_protocol,
                               struct sn_err *err) {
    static const char *const names[] = {"",
                                        "PrometheusProto",
                                        "PrometheusText0.0.4",
                                        "PrometheusText1.0.0",
                                        "OpenMetricsText0.0.1",
                                        "OpenMetricsText1.0.0"};
    for (int i = 1; i < SN_SCRAPE_PROTOCOL_COUNT; i++)
        if (strcmp(names[i], name) == 0) {
            *ret_protocol = (enum sn_scrape_protocol)i;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID,
                      "\"%s\" is no scrape protocol: PrometheusProto, PrometheusText0.0.4, "
                      "PrometheusText1.0.0, OpenMetricsText0.0.1, OpenMetricsText1.0.0",
                      name);
}

static sn_status read_protocols(struct sn_scrape_rules *rules, struct sn_err *err) {
    for (size_t i = 0; i < rules->protocol_names.count; i++) {
        enum sn_scrape_protocol protocol = SN_SCRAPE_NO_PROTOCOL;
        SN_TRY(find_protocol(rules->protocol_names.items[i], &protocol, err));
        for (size_t k = 0; k < rules->protocol_count; k++)
            if (rules->protocols[k] == protocol)
                return sn_err_set(err, SN_ERR_INVALID, "scrape_protocols: \"%s\" is there twice",
                                  rules->protocol_names.items[i]);
        rules->protocols[rules->protocol_count++] = protocol;
    }
    return SN_OK;
}

static sn_status check_label_names(const struct sn_scrape_job *job, struct sn_err *err) {
    for (size_t i = 0; i < job->groups.count; i++) {
        const struct sn_target_group *group = &job->groups.items[i];
        for (size_t k = 0; k < group->labels.count; k++)
            if (group->labels.items[k].name[0] == '\0')
                return sn_err_set(err, SN_ERR_INVALID, "static_configs: a label without a name");
        for (size_t k = 0; k < group->targets.count; k++)
            if (strchr(group->targets.items[k], '/') != NULL)
                return sn_err_set(err, SN_ERR_INVALID,
                                  "\"%s\" is not a valid hostname: a target is host:port, the path "
                                  "is metrics_path",
                                  group->targets.items[k]);
    }
    return SN_OK;
}

sn_status sn_prometheus_job_finish(void *target, struct sn_err *err) {
    struct sn_scrape_job *job = target;
    if (job->name == NULL || job->name[0] == '\0')
        return sn_err_set(err, SN_ERR_INVALID, "a scrape_config needs a job_name");
    if (strcmp(job->scheme, "http") != 0 && strcmp(job->scheme, "https") != 0)
        return sn_err_set(err, SN_ERR_INVALID, "scheme \"%s\" is neither http nor https",
                          job->scheme);
    if (job->metrics_path[0] != '/')
        return sn_err_set(err, SN_ERR_INVALID, "metrics_path \"%s\" does not begin with /",
                          job->metrics_path);
    if (job->fallback_protocol_name != NULL)
        SN_TRY(find_protocol(job->fallback_protocol_name, &job->fallback_protocol, err));
    SN_TRY(read_protocols(&job->rules, err));
    SN_TRY(check_label_names(job, err));
    return check_http(&job->http, err);
}

/* ---- completion ---- */

static void inherit(int64_t *value, int64_t from) {
    if (*value == 0)
        *value = from;
}

static void inherit_rules(struct sn_scrape_rules *rules, const struct sn_scrape_rules *global) {
    inherit(&rules->interval_ms, global->interval_ms);
    inherit(&rules->body_bytes_max, global->body_bytes_max);
    inherit(&rules->sample_max, global->sample_max);
    inherit(&rules->label_max, global->label_max);
    inherit(&rules->label_name_bytes_max, global->label_name_bytes_max);
    inherit(&rules->label_value_bytes_max, global->label_value_bytes_max);
    inherit(&rules->target_max, global->target_max);
    inherit(&rules->dropped_target_max, global->dropped_target_max);
    if (rules->wants_native == 0)
        rules->wants_native = global->wants_native;
    if (rules->wants_classic_too == 0)
        rules->wants_classic_too = global->wants_classic_too;
    if (rules->protocol_count == 0) {
        memcpy(rules->protocols, global->protocols, sizeof rules->protocols);
        rules->protocol_count = global->protocol_count;
    }
}

/* Native histograms exist in the protobuf format only, so it comes first when they are wanted. */
static void default_protocols(struct sn_scrape_rules *rules) {
    if (rules->protocol_count > 0)
        return;
    if (rules->wants_native == 2)
        rules->protocols[rules->protocol_count++] = SN_SCRAPE_PROTOBUF;
    rules->protocols[rules->protocol_count++] = SN_SCRAPE_OPENMETRICS_1;
    rules->protocols[rules->protocol_count++] = SN_SCRAPE_OPENMETRICS_0;
    rules->protocols[rules->protocol_count++] = SN_SCRAPE_TEXT_1;
    rules->protocols[rules->protocol_count++] = SN_SCRAPE_TEXT_0;
}

const char *sn_prometheus_beside(const char *path, const char *name, struct sn_arena *arena) {
    const char *slash = strrchr(path, '/');
    if (name[0] == '/' || slash == NULL)
        return name;
    return sn_arena_printf(arena, "%.*s/%s", (int)(slash - path), path, name);
}

static sn_status move_name(const char **name, const char *path, struct sn_arena *arena,
                           struct sn_err *err) {
    if (*name == NULL)
        return SN_OK;
    const char *moved = sn_prometheus_beside(path, *name, arena);
    if (moved == NULL)
        return sn_arena_failure(arena, strlen(path) + strlen(*name), err);
    *name = moved;
    return SN_OK;
}

static sn_status move_http_names(struct sn_scrape_http *http, const char *path,
                                 struct sn_arena *arena, struct sn_err *err) {
    const char **const names[] = {
        &http->user_file,   &http->password_file, &http->credentials_file, &http->bearer_token_file,
        &http->tls.ca_file, &http->tls.cert_file, &http->tls.key_file};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        SN_TRY(move_name(names[i], path, arena, err));
    return SN_OK;
}

static sn_status move_names(struct sn_scrape_job *job, const char *path, struct sn_arena *arena,
                            struct sn_err *err) {
    SN_TRY(move_http_names(&job->http, path, arena, err));
    for (size_t i = 0; i < job->urls.count; i++)
        SN_TRY(move_http_names(&job->urls.items[i].http, path, arena, err));
    for (size_t i = 0; i < job->files.count; i++)
        for (size_t k = 0; k < job->files.items[i].files.count; k++)
            SN_TRY(move_name(&job->files.items[i].files.items[k], path, arena, err));
    return SN_OK;
}

static sn_status complete_job(struct sn_scrape_job *job, const struct sn_scrape_rules *global,
                              const char *path, struct sn_err *err) {
    struct sn_scrape_rules *rules = &job->rules;
    inherit_rules(rules, global);
    default_protocols(rules);
    if (rules->timeout_ms > rules->interval_ms)
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s:%zu: scrape_timeout is longer than the scrape_interval of job \"%s\"",
                          path, job->line, job->name);
    if (rules->timeout_ms == 0) /* The global one, unless the interval is shorter. */
        rules->timeout_ms =
            global->timeout_ms < rules->interval_ms ? global->timeout_ms : rules->interval_ms;
    return SN_OK;
}

static sn_status complete_global(struct sn_scrape_rules *global, const char *path,
                                 struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    inherit(&global->interval_ms, MINUTE_MS);
    if (global->timeout_ms > global->interval_ms)
        return sn_err_set(err, SN_ERR_INVALID,
                          "%s: global scrape_timeout is longer than the scrape_interval", path);
    inherit(&global->timeout_ms,
            10 * SECOND_MS < global->interval_ms ? 10 * SECOND_MS : global->interval_ms);
    if (read_protocols(global, &why) != SN_OK)
        return sn_err_set(err, why.status, "%s: %s", path, why.text);
    return SN_OK;
}

sn_status sn_prometheus_complete(struct sn_scrape_config *config, const char *path,
                                 struct sn_arena *arena, struct sn_err *err) {
    SN_TRY(complete_global(&config->global, path, err));
    SN_TRY(sn_external_labels_complete(&config->external_labels, path, arena, err));
    for (size_t i = 0; i < config->jobs.count; i++) {
        struct sn_scrape_job *job = &config->jobs.items[i];
        SN_TRY(complete_job(job, &config->global, path, err));
        SN_TRY(move_names(job, path, arena, err));
        for (size_t k = 0; k < i; k++)
            if (strcmp(config->jobs.items[k].name, job->name) == 0)
                return sn_err_set(err, SN_ERR_INVALID, "%s:%zu: there are two jobs named \"%s\"",
                                  path, job->line, job->name);
    }
    return SN_OK;
}

void sn_prometheus_release(struct sn_scrape_config *config) {
    for (size_t i = 0; i < config->jobs.count; i++) {
        sn_relabel_rules_release(&config->jobs.items[i].target_rules);
        sn_relabel_rules_release(&config->jobs.items[i].metric_rules);
    }
}
