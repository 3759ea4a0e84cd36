/*
 * The route table. A new route is one row here, one in route_docs.c that describes it, and one
 * handler; a test walks the table with and without access.
 */
#include "api/api_priv.h"
#include "api/history_batch.h"

#define GET_ONLY SN_API_GET, .allow = "GET, HEAD"
#define POST_ONLY SN_API_POST, .allow = "POST"
#define OTLP(path_text, function)                                                                  \
    {                                                                                              \
        path_text, .methods = POST_ONLY, .role = SN_API_INGEST, .screen = sn_api_screen_otlp,      \
                   .handle = function                                                              \
    }
#define PUSH_GROUP(path_text)                                                                      \
    {                                                                                              \
        path_text,                                                                                 \
            .methods = SN_API_POST | SN_API_METHOD(SN_HTTP_PUT) | SN_API_METHOD(SN_HTTP_DELETE),   \
            .allow = "PUT, POST, DELETE", .role = SN_API_INGEST, .is_slow = true,                  \
            .screen = sn_api_screen_push_group, .handle = sn_api_push_group                        \
    }
/* Long queries do not fit into an address: they come as a form. */
#define GET_OR_FORM (SN_API_GET | SN_API_POST), .allow = "GET, HEAD, POST"
/* Two rows of one path, one role each. */
#define GET_BESIDE_POST SN_API_GET, .allow = "GET, HEAD, POST"
#define POST_BESIDE_GET SN_API_POST, .allow = "GET, HEAD, POST"
/* Small JSON documents about accounts; they wait for SQLite and for password hashes. */
#define ACCOUNT_BODY_BYTES_MAX ((size_t)16 << 10)
#define ACCOUNT(path, methods_, allow_, role_, function)                                           \
    {                                                                                              \
        path, .methods = methods_, .allow = allow_, .role = role_, .is_slow = true,                \
              .body_bytes_max = ACCOUNT_BODY_BYTES_MAX, .handle = function                         \
    }
#define GET_BESIDE_PATCH SN_API_GET, .allow = "GET, HEAD, PATCH"
#define PATCH_BESIDE_GET SN_API_PATCH, .allow = "GET, HEAD, PATCH"
#define COMMAND(path, role_)                                                                       \
    {                                                                                              \
        path, .methods = POST_ONLY, .role = role_, .is_slow = true,                                \
              .body_bytes_max = SN_COMMAND_ARGS_BYTES_MAX, .handle = sn_api_post_command           \
    }
#define PROM_GET(path, function)                                                                   \
    {                                                                                              \
        path, .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true, .is_shareable = true,     \
              .handle = function                                                                   \
    }
/* What the server is like is not for pages of other origins. */
#define PROM_STATUS(path, function)                                                                \
    { path, .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true, .handle = function }
#define PROM_FORM(path, function)                                                                  \
    {                                                                                              \
        path, .methods = GET_OR_FORM, .role = SN_API_READ, .is_slow = true, .is_shareable = true,  \
              .handle = function                                                                   \
    }

#define ADMIN_POST(path, function)                                                                 \
    { path, .methods = POST_ONLY, .role = SN_API_ADMIN, .is_slow = true, .handle = function }

/* What a page of the dashboard shows, in one answer. */
#define DASH_GET(path, role_, function)                                                            \
    { path, .methods = GET_ONLY, .role = role_, .is_slow = true, .handle = function }

const struct sn_api_route sn_api_routes[] = {
    {"/", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_page},
    {"/assets/{name}", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_page_file},
    {"/healthz", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_healthz},
    {"/readyz", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_readyz},
    /* The names that Prometheus has for them. */
    {"/-/healthy", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_healthz},
    {"/-/ready", .methods = GET_ONLY, .role = SN_API_PUBLIC, .handle = sn_api_get_readyz},
    {"/metrics", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_metrics},
    {"/api/v1/openapi.json", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_openapi},
    {"/api/v1/metrics/system/status", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_host_status},
    {"/api/v1/metrics", .methods = GET_BESIDE_POST, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_records},
    {"/api/v1/metrics", .methods = POST_BESIDE_GET, .role = SN_API_INGEST,
     .handle = sn_api_post_record},
    {"/api/v1/metrics/batch", .methods = POST_ONLY, .role = SN_API_INGEST,
     .handle = sn_api_post_record_batch},
    {"/api/v1/metrics/collect", .methods = POST_ONLY, .role = SN_API_INGEST, .is_slow = true,
     .handle = sn_api_post_collect},
    {"/api/v1/metrics/queues/track", .methods = POST_ONLY, .role = SN_API_INGEST,
     .handle = sn_api_post_queue},
    {"/api/v1/metrics/{id}", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_record},
    {"/api/v1/events", .methods = POST_ONLY, .role = SN_API_INGEST, .handle = sn_api_post_events},
    {"/api/v1/errors", .methods = GET_ONLY, .role = SN_API_ADMIN, .is_slow = true,
     .handle = sn_api_get_errors},
    {"/api/v1/errors/{id}", .methods = GET_BESIDE_PATCH, .role = SN_API_ADMIN, .is_slow = true,
     .handle = sn_api_get_error},
    {"/api/v1/errors/{id}", .methods = PATCH_BESIDE_GET, .role = SN_API_ADMIN, .is_slow = true,
     .handle = sn_api_patch_error},
    {"/api/apps/{app}/health", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_app_health},
    {"/api/apps/{app}/metrics", .methods = GET_ONLY, .role = SN_API_ADMIN, .is_slow = true,
     .handle = sn_api_get_app_metrics},
    {"/api/apps/{app}/metrics/top-users", .methods = GET_ONLY, .role = SN_API_ADMIN,
     .is_slow = true, .handle = sn_api_get_top_users},
    {"/api/apps/{app}/metrics/errors", .methods = GET_ONLY, .role = SN_API_ADMIN, .is_slow = true,
     .handle = sn_api_get_app_errors},
    {"/api/apps/{app}/metrics/popular-{kind}", .methods = GET_ONLY, .role = SN_API_READ,
     .is_slow = true, .handle = sn_api_get_popular},
    DASH_GET("/api/v1/overview", SN_API_READ, sn_api_get_overview),
    DASH_GET("/api/v1/services", SN_API_READ, sn_api_get_services),
    DASH_GET("/api/v1/services/{name}", SN_API_READ, sn_api_get_service),
    ADMIN_POST("/api/v1/services/{name}/reset", sn_api_post_service_reset),
    DASH_GET("/api/v1/search", SN_API_READ, sn_api_get_search),
    DASH_GET("/api/v1/hosts", SN_API_READ, sn_api_get_hosts),
    DASH_GET("/api/v1/memory", SN_API_READ, sn_api_get_memory),
    DASH_GET("/api/v1/cache", SN_API_READ, sn_api_get_cache),
    {"/api/v1/cache/thresholds", .methods = SN_API_METHOD(SN_HTTP_PUT), .allow = "PUT",
     .role = SN_API_ADMIN, .is_slow = true, .body_bytes_max = SN_COMMAND_ARGS_BYTES_MAX,
     .handle = sn_api_put_cache_thresholds},
    DASH_GET("/api/v1/usage", SN_API_ADMIN, sn_api_get_usage),
    DASH_GET("/api/v1/trends", SN_API_READ, sn_api_get_trends),
    DASH_GET("/api/v1/admin/storage", SN_API_ADMIN, sn_api_get_storage),
    DASH_GET("/api/v1/admin/cardinality", SN_API_ADMIN, sn_api_get_cardinality),
    DASH_GET("/api/v1/admin/sources", SN_API_ADMIN, sn_api_get_sources),
    {"/api/v1/history", .methods = GET_BESIDE_POST, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_history},
    {"/api/v1/history", .methods = POST_BESIDE_GET, .role = SN_API_READ, .is_slow = true,
     .body_bytes_max = SN_HISTORY_BATCH_BYTES_MAX, .handle = sn_api_post_history},
    {"/api/v1/stream", .methods = GET_ONLY, .role = SN_API_READ, .is_slow = true,
     .handle = sn_api_get_stream},
    {"/api/v1/import/prometheus", .methods = POST_ONLY, .role = SN_API_INGEST,
     .handle = sn_api_post_text},
    {"/api/v1/write", .methods = POST_ONLY, .role = SN_API_INGEST, .screen = sn_api_screen_write,
     .handle = sn_api_post_write},
    OTLP("/v1/metrics", sn_api_post_otlp_metrics),
    OTLP("/v1/logs", sn_api_post_otlp_logs),
    OTLP("/api/v1/otlp/v1/metrics", sn_api_post_otlp_metrics),
    OTLP("/api/v1/otlp/v1/logs", sn_api_post_otlp_logs),
    PUSH_GROUP("/metrics/job/{*}"),
    PUSH_GROUP("/metrics/job@base64/{*}"),
    PROM_FORM("/api/v1/query", sn_api_prom_query),
    PROM_FORM("/api/v1/query_range", sn_api_prom_query_range),
    PROM_FORM("/api/v1/query_exemplars", sn_api_prom_query_exemplars),
    PROM_FORM("/api/v1/format_query", sn_api_prom_format_query),
    PROM_FORM("/api/v1/parse_query", sn_api_prom_parse_query),
    PROM_FORM("/api/v1/series", sn_api_prom_series),
    PROM_FORM("/api/v1/labels", sn_api_prom_labels),
    PROM_GET("/api/v1/label/{name}/values", sn_api_prom_label_values),
    PROM_GET("/api/v1/metadata", sn_api_prom_metadata),
    PROM_GET("/api/v1/rules", sn_api_prom_rules),
    PROM_GET("/api/v1/alerts", sn_api_prom_alerts),
    PROM_GET("/api/v1/alertmanagers", sn_api_prom_alertmanagers),
    PROM_GET("/api/v1/targets", sn_api_prom_targets),
    PROM_GET("/api/v1/targets/metadata", sn_api_prom_targets_metadata),
    PROM_GET("/api/v1/scrape_pools", sn_api_prom_scrape_pools),
    {"/-/reload", .methods = SN_API_POST | SN_API_METHOD(SN_HTTP_PUT), .allow = "PUT, POST",
     .role = SN_API_ADMIN, .is_slow = true, .handle = sn_api_post_reload},
    PROM_STATUS("/api/v1/status/buildinfo", sn_api_prom_buildinfo),
    PROM_STATUS("/api/v1/status/runtimeinfo", sn_api_prom_runtimeinfo),
    PROM_STATUS("/api/v1/status/config", sn_api_prom_config),
    PROM_STATUS("/api/v1/status/flags", sn_api_prom_flags),
    PROM_STATUS("/api/v1/status/tsdb", sn_api_prom_tsdb),
    PROM_GET("/federate", sn_api_prom_federate),
    ADMIN_POST("/api/v1/admin/tsdb/delete_series", sn_api_post_delete_series),
    ADMIN_POST("/api/v1/admin/tsdb/clean_tombstones", sn_api_post_clean_tombstones),
    ADMIN_POST("/api/v1/admin/tsdb/snapshot", sn_api_post_snapshot),
    ADMIN_POST("/api/v1/admin/tsdb/delete_snapshot", sn_api_post_delete_snapshot),
    ADMIN_POST("/api/v1/import", sn_api_post_import),
    COMMAND("/api/v1/commands/reset_service_metrics", SN_API_ADMIN),
    COMMAND("/api/v1/commands/set_cache_alert_thresholds", SN_API_ADMIN),
    COMMAND("/api/v1/commands/create_custom_alert", SN_API_ADMIN),
    COMMAND("/api/v1/commands/{name}", SN_API_READ), /* the others only read */
    {"/api/auth/status", .methods = GET_ONLY, .role = SN_API_PUBLIC,
     .handle = sn_api_get_auth_status},
    ACCOUNT("/api/auth/login", SN_API_POST, "POST", SN_API_PUBLIC, sn_api_post_login),
    ACCOUNT("/api/auth/setup", SN_API_POST, "POST", SN_API_PUBLIC, sn_api_post_setup),
    ACCOUNT("/api/auth/logout", SN_API_POST, "POST", SN_API_READ, sn_api_post_logout),
    ACCOUNT("/api/auth/password", SN_API_POST, "POST", SN_API_READ, sn_api_post_password),
    {"/api/auth/me", .methods = GET_ONLY, .role = SN_API_READ, .handle = sn_api_get_me},
    ACCOUNT("/api/v1/admin/users", SN_API_GET | SN_API_POST, "GET, HEAD, POST", SN_API_ADMIN,
            sn_api_admin_users),
    ACCOUNT("/api/v1/admin/users/{id}", SN_API_PATCH | SN_API_DELETE, "PATCH, DELETE", SN_API_ADMIN,
            sn_api_admin_user),
    ACCOUNT("/api/v1/admin/tokens", SN_API_GET | SN_API_POST, "GET, HEAD, POST", SN_API_ADMIN,
            sn_api_admin_tokens),
    ACCOUNT("/api/v1/admin/tokens/{id}", SN_API_DELETE, "DELETE", SN_API_ADMIN, sn_api_admin_token),
    ACCOUNT("/api/v1/admin/audit", SN_API_GET, "GET, HEAD", SN_API_ADMIN, sn_api_admin_audit),
};
const size_t sn_api_route_count = sizeof sn_api_routes / sizeof sn_api_routes[0];

/* "x", "{name}" or "x-{name}", in which {name} stands for text that is not empty. */
static bool matches_piece(struct sn_str wanted, struct sn_str piece) {
    size_t fixed = sn_str_find_char(wanted, '{');
    if (fixed == SIZE_MAX)
        return sn_str_equal(wanted, piece);
    return piece.len > fixed && sn_str_starts_with(piece, sn_str_make(wanted.ptr, fixed));
}

/* Whether a path matches a pattern, piece by piece; {*} at its end stands for all that is left. */
static bool matches(struct sn_str pattern, struct sn_str path) {
    bool has_more_pattern = true, has_more_path = true;
    while (has_more_pattern && has_more_path) {
        struct sn_str wanted, piece;
        has_more_pattern = sn_str_cut(pattern, '/', &wanted, &pattern);
        has_more_path = sn_str_cut(path, '/', &piece, &path);
        if (sn_str_equal(wanted, SN_STR("{*}")))
            return piece.len > 0;
        if (!matches_piece(wanted, piece))
            return false;
    }
    return has_more_pattern == has_more_path;
}

const struct sn_api_route *sn_api_find_route(struct sn_str path, enum sn_http_method method) {
    const struct sn_api_route *found = NULL;
    if (path.len > 1 && path.ptr[path.len - 1] == '/')
        path.len--;
    for (size_t i = 0; i < sn_api_route_count; i++) {
        const struct sn_api_route *route = &sn_api_routes[i];
        /* "/metrics/batch" is no {id}: a path that was found without a brace stays. */
        if (!matches(sn_str_from(route->path), path) ||
            (found != NULL && strcmp(found->path, route->path) != 0))
            continue;
        if ((route->methods & SN_API_METHOD(method)) != 0)
            return route;
        found = found != NULL ? found : route;
    }
    return found;
}
