/*
 * What each route takes and answers. A row per path and method, in the order of the route table;
 * route_docs.h says what the columns are, schema.h what the types mean.
 */
#include "api/route_docs.h"

#define GET SN_API_METHOD(SN_HTTP_GET)
#define POST SN_API_POST
#define PUT SN_API_METHOD(SN_HTTP_PUT)
#define PATCH SN_API_PATCH
#define DELETE SN_API_DELETE
/* The Prometheus HTTP API wraps what it answers; so do accounts. */
#define SUCCESS(type) "{status: 'success', data: " type "}"
#define FOUND(type) "{status: 'success', data: " type ", warnings?: string[], infos?: string[]}"
#define TEXT "text/plain"
#define PROTOBUF "application/x-protobuf"
#define SELECTORS "start?: Time, end?: Time, match[]?: string[], limit?: int"
#define PERIOD "period?: '1h' | '24h' | '7d' | '30d'"
#define PROM "Prometheus"
#define COMMAND_DOC(name_, summary_, body_, answer_)                                               \
    {                                                                                              \
        "/api/v1/commands/" name_, .methods = POST, .tag = "Commands", .summary = (summary_),      \
                                   .body = (body_), .answer = (answer_)                            \
    }
/* OTLP has errors of its own; who may not write gets those of everybody. */
#define OTLP_DOC(path_, summary_)                                                                  \
    {                                                                                              \
        path_, .methods = POST, .tag = SERIES, .summary = (summary_), .body = "object",            \
               .answer = "object", .error = "Error | {code: int, message: string}"                 \
    }
#define SERVER "Server"
#define RECORDS "Records"
#define APPS "Applications"
#define SERIES "Series"
#define ACCOUNTS "Accounts"
#define DASHBOARD "Dashboard"
#define RANGE "range?: Duration `default 6h`, start?: Time `instead of range`, end?: Time"

const struct sn_route_doc sn_route_docs[] = {
    {"/", GET, SERVER, "The page", .answer = "string", .answer_type = "text/html"},
    {"/assets/{name}", GET, SERVER, "Scripts, styles and pictures of the page", .answer = "string",
     .answer_type = "*/*"},
    {"/healthz", GET, SERVER, "Whether the process runs", .answer = "string", .answer_type = TEXT},
    {"/readyz", GET, SERVER, "Whether writes are taken; 503 says why not", .answer = "string",
     .answer_type = TEXT},
    {"/-/healthy", GET, PROM, "As /healthz", .answer = "string", .answer_type = TEXT},
    {"/-/ready", GET, PROM, "As /readyz", .answer = "string", .answer_type = TEXT},
    {"/metrics", GET, SERVER, "The server's own metrics, as Prometheus text or OpenMetrics",
     .answer = "string", .answer_type = TEXT},
    {"/api/v1/openapi.json", GET, SERVER, "This document", .answer = "{openapi: string, ...}"},

    {"/api/v1/metrics/system/status", GET, RECORDS, "Take CPU, memory, disks and process now",
     .answer = "HostStatus"},
    {"/api/v1/metrics", GET, RECORDS, "List records, newest first, or aggregates per window",
     "metric_type?: string, name?: string, service?: string, start_time?: Time `included`, "
     "end_time?: Time `included`, time_window?: Duration `aggregates of windows of that width`, "
     "limit?: int(1,1000) `default 100`, cursor?: uuid `next_cursor of the page before`",
     .answer = "RecordPage | Windows"},
    {"/api/v1/metrics", POST, RECORDS, "Store one record", .body = "NewRecord", .answer = "Record",
     .status = 201},
    {"/api/v1/metrics/batch", POST, RECORDS, "Store up to 1,000 records, all or none",
     .body = "NewRecords", .answer = "Accepted", .status = 201},
    {"/api/v1/metrics/collect", POST, RECORDS, "Take the host's state and store it as records",
     "service_name?: string", .answer = "Accepted", .status = 201},
    {"/api/v1/metrics/queues/track", POST, RECORDS, "Store the depth of a queue",
     "queue_name: string, depth: number, wait_time?: number `seconds`, service?: string",
     .answer = "Accepted", .status = 201},
    {"/api/v1/metrics/{id}", GET, RECORDS, "One record", "id: uuid", .answer = "Record"},

    {"/api/v1/events", POST, APPS, "Store up to 1,000 events, all or none", .body = "NewEvents",
     .answer = "{accepted: int}", .status = 201},
    {"/api/v1/errors", GET, APPS, "List groups of errors, the newest first",
     "app?: string, error_type?: string, state?: 'open' | 'resolved' | 'any', "
     "limit?: int(1,1000) `default 100`",
     .answer = "{errors: ErrorGroup[], count: int}"},
    {"/api/v1/errors/{id}", GET, APPS, "One group of errors", "id: int", .answer = "ErrorGroup"},
    {"/api/v1/errors/{id}", PATCH, APPS, "Resolve a group of errors, or open it again", "id: int",
     .body = "{resolved: bool}", .answer = "ErrorGroup"},
    {"/api/apps/{app}/health", GET, APPS, "Ask what an application depends on",
     .answer = "AppHealth", .also_status = 503},
    {"/api/apps/{app}/metrics", GET, APPS, "Sum up a period of an application", PERIOD,
     .answer = "AppMetrics"},
    {"/api/apps/{app}/metrics/top-users", GET, APPS, "Who used an application most",
     PERIOD ", limit?: int(1,1000) `default 10`", .answer = "TopUsers"},
    {"/api/apps/{app}/metrics/errors", GET, APPS, "Errors by class",
     PERIOD ", limit?: int(1,1000) `default 100`", .answer = "AppErrors"},
    {"/api/apps/{app}/metrics/popular-{kind}", GET, APPS,
     "What was used most: popular-poses is for items of kind pose",
     PERIOD ", limit?: int(1,1000) `default 20`", .answer = "PopularItems"},

    {"/api/v1/overview", GET, DASHBOARD, "Whether anything is wrong, and where", RANGE,
     .answer = SUCCESS("Overview")},
    {"/api/v1/services", GET, DASHBOARD, "The table of services, sorted and in pages",
     RANGE ", sort?: string `name of a column, - before it turns it round; default status`, "
           "q?: string `part of the name`, status?: string `list, such as critical,warning`, "
           "limit?: int(1,200), offset?: int(0,10000)",
     .answer = SUCCESS("Services")},
    {"/api/v1/services/{name}", GET, DASHBOARD, "One service and its operations",
     "name: string, " RANGE, .answer = SUCCESS("ServicePage")},
    {"/api/v1/services/{name}/reset", POST, DASHBOARD, "Start the counts of a service anew",
     "name: string", .answer = SUCCESS("{service: string, operations: int, reset_time_ms: int}")},
    {"/api/v1/search", GET, DASHBOARD, "Services, metrics, hosts and error classes by name",
     "q: string, limit?: int(1,50) `of each kind, default 8`", .answer = SUCCESS("Found")},
    {"/api/v1/hosts", GET, DASHBOARD, "Machines and their filesystems", .answer = SUCCESS("Hosts")},
    {"/api/v1/memory", GET, DASHBOARD, "Memory of services", .answer = SUCCESS("Memory")},
    {"/api/v1/cache", GET, DASHBOARD, "Caches against their thresholds",
     .answer = SUCCESS("Caches")},
    {"/api/v1/cache/thresholds", PUT, DASHBOARD, "Change thresholds of one cache, or of all",
     .body = "NewCacheThresholds",
     .answer = SUCCESS("{service?: string, cache?: string, thresholds: CacheThresholds}")},
    {"/api/v1/usage", GET, DASHBOARD, "Events of one application, or of all",
     PERIOD ", app?: string, limit?: int(1,100) `of each list, default 10`",
     .answer = SUCCESS("Usage")},
    {"/api/v1/trends", GET, DASHBOARD, "Resources that fill up, with their history",
     "range?: Duration `default 30d`, start?: Time `instead of range`, end?: Time",
     .answer = SUCCESS("Trends")},
    {"/api/v1/admin/storage", GET, DASHBOARD, "What the data takes", .answer = SUCCESS("Storage")},
    {"/api/v1/admin/cardinality", GET, DASHBOARD, "Metrics with most series, their widest labels",
     "limit?: int(1,200) `default 20`", .answer = SUCCESS("Cardinality")},
    {"/api/v1/admin/sources", GET, DASHBOARD, "Who sends data, and what went wrong last",
     .answer = SUCCESS("Sources")},
    {"/api/v1/history", GET, SERIES, "A metric, or PromQL, in equal steps",
     "metric?: string `with labels as parameters`, query?: string `PromQL, instead of metric`, "
     "start?: Time, end?: Time, step?: Duration, limit?: int(1,1000), timeout?: Duration, "
     "*: string",
     .answer = SUCCESS("History")},
    {"/api/v1/history", POST, SERIES, "Several histories over the same steps",
     .body = "HistoryBatch", .answer = SUCCESS("HistoryResults")},
    {"/api/v1/stream", GET, SERIES, "Events: what is new, again and again",
     "topics: string `list of tick, overview, history`, range?: Duration, step?: Duration, "
     "columns?: string `list of min, avg, max, count`, *: string `q.NAME=PromQL`",
     .answer = "string", .answer_type = "text/event-stream"},
    {"/api/v1/import/prometheus", POST, SERIES, "Store a page of the text format",
     "extra_label?: string[] `NAME=VALUE`, timestamp?: int `Unix milliseconds`", .body = "string",
     .body_type = TEXT, .answer = "Ingested"},
    {"/api/v1/write", POST, SERIES, "Prometheus remote write 1.0 and 2.0", .body = "string",
     .body_type = PROTOBUF},
    OTLP_DOC("/v1/metrics", "OTLP metrics, Protobuf or JSON"),
    OTLP_DOC("/v1/logs", "OTLP logs, Protobuf or JSON"),
    OTLP_DOC("/api/v1/otlp/v1/metrics", "As /v1/metrics"),
    OTLP_DOC("/api/v1/otlp/v1/logs", "As /v1/logs"),
    {"/metrics/job/{*}", POST | PUT, SERIES,
     "Pushgateway: PUT replaces a group, POST its metrics of the same names",
     "rest: string `JOB/LABEL/VALUE/...`", .body = "string", .body_type = TEXT,
     .answer = "Ingested"},
    {"/metrics/job/{*}", DELETE, SERIES, "Pushgateway: delete a group",
     "rest: string `JOB/LABEL/VALUE/...`", .status = 202},
    {"/metrics/job@base64/{*}", POST | PUT, SERIES, "As /metrics/job/, with the job in base64",
     "rest: string `JOB/LABEL/VALUE/...`", .body = "string", .body_type = TEXT,
     .answer = "Ingested"},
    {"/metrics/job@base64/{*}", DELETE, SERIES, "As /metrics/job/, with the job in base64",
     "rest: string `JOB/LABEL/VALUE/...`", .status = 202},

    {"/api/v1/query", GET | POST, PROM, "Evaluate PromQL at one time",
     "query: string, time?: Time, timeout?: Duration, limit?: int, lookback_delta?: Duration, "
     "stats?: string",
     .is_form = true, .answer = "QueryResult"},
    {"/api/v1/query_range", GET | POST, PROM, "Evaluate PromQL over a range",
     "query: string, start: Time, end: Time, step: Duration, timeout?: Duration, limit?: int, "
     "lookback_delta?: Duration, stats?: string",
     .is_form = true, .answer = "QueryResult"},
    {"/api/v1/query_exemplars", GET | POST, PROM, "Exemplars of the series of a query",
     "query: string, start?: Time, end?: Time", .is_form = true,
     .answer = SUCCESS("{seriesLabels: Labels, "
                       "exemplars: {labels: Labels, value: string, timestamp: number}[]}[]")},
    {"/api/v1/format_query", GET | POST, PROM, "PromQL, laid out", "query: string", .is_form = true,
     .answer = SUCCESS("string")},
    {"/api/v1/parse_query", GET | POST, PROM, "PromQL as a tree", "query: string", .is_form = true,
     .answer = SUCCESS("{type: string, ...}")},
    {"/api/v1/series", GET | POST, PROM, "Label sets of series",
     "match[]: string[], start?: Time, end?: Time, limit?: int", .is_form = true,
     .answer = FOUND("Labels[]")},
    {"/api/v1/labels", GET | POST, PROM, "Names of labels",
     SELECTORS ", q?: string `part of a name: not Prometheus\'`", .is_form = true,
     .answer = "Strings"},
    {"/api/v1/label/{name}/values", GET, PROM, "Values of a label",
     SELECTORS ", q?: string `part of a value: not Prometheus\'`", .answer = "Strings"},
    {"/api/v1/metadata", GET, PROM, "Type, help and unit of metrics",
     "metric?: string, limit?: int, limit_per_metric?: int",
     .answer = SUCCESS("map(MetricMetadata[])")},
    {"/api/v1/rules", GET, PROM, "Rules", "type?: 'alert' | 'record'",
     .answer = SUCCESS("{groups: object[]}")},
    {"/api/v1/alerts", GET, PROM, "Alerts", .answer = SUCCESS("{alerts: object[]}")},
    {"/api/v1/alertmanagers", GET, PROM, "Alertmanagers",
     .answer = SUCCESS("{activeAlertmanagers: object[], droppedAlertmanagers: object[]}")},
    {"/api/v1/targets", GET, PROM, "What is scraped",
     "state?: 'active' | 'dropped' | 'any', scrapePool?: string",
     .answer = SUCCESS("{activeTargets: Target[], "
                       "droppedTargets: {discoveredLabels: Labels, scrapePool: string}[], "
                       "droppedTargetCounts: map(int)}")},
    {"/api/v1/targets/metadata", GET, PROM, "Metadata by target",
     "match_target?: string, metric?: string, limit?: int",
     .answer =
         SUCCESS("{target: Labels, metric?: string, type: string, help: string, unit: string}[]")},
    {"/api/v1/scrape_pools", GET, PROM, "Names of scrape jobs",
     .answer = SUCCESS("{scrapePools: string[]}")},
    {"/-/reload", POST | PUT, PROM, "Read the configuration again", .answer = "string",
     .answer_type = TEXT},
    {"/api/v1/status/buildinfo", GET, PROM, "Versions", .answer = SUCCESS("map(string)")},
    {"/api/v1/status/runtimeinfo", GET, PROM, "Start and retention",
     .answer = SUCCESS("{startTime: time, storageRetention: string}")},
    {"/api/v1/status/config", GET, PROM, "The configuration in effect, without secrets",
     .answer = SUCCESS("{yaml: string}")},
    {"/api/v1/status/flags", GET, PROM, "Flags, by the names of Prometheus",
     .answer = SUCCESS("map(string)")},
    {"/api/v1/status/tsdb", GET, PROM, "Cardinality and storage", "limit?: int",
     .answer = SUCCESS("{headStats: {numSeries: int, numLabelPairs: int}, "
                       "seriesCountByMetricName: NameValue[], "
                       "labelValueCountByLabelName: NameValue[], "
                       "memoryInBytesByLabelName: NameValue[], "
                       "seriesCountByLabelValuePair: NameValue[], "
                       "seriesCountByLabelName?: NameValue[], seriesCreatedByHour?: NameValue[], "
                       "storage?: map(number)}")},
    {"/federate", GET, PROM, "The newest samples of series, as text", "match[]?: string[]",
     .answer = "string", .answer_type = TEXT},

    {"/api/v1/admin/tsdb/delete_series", POST, SERVER, "Delete samples and exemplars of series",
     "match[]: string[], start?: Time, end?: Time", .status = 204},
    {"/api/v1/admin/tsdb/clean_tombstones", POST, SERVER, "Free the space of what was deleted",
     .status = 204},
    {"/api/v1/admin/tsdb/snapshot", POST, SERVER, "Make a snapshot of the data directory",
     .answer = SUCCESS("{name: string, path: string}")},
    {"/api/v1/admin/tsdb/delete_snapshot", POST, SERVER, "Delete a snapshot", "name: string",
     .answer = SUCCESS("null")},
    {"/api/v1/import", POST, SERVER, "Store samples of any age",
     "format?: 'jsonl' | 'prometheus' | 'openmetrics'", .body = "string", .body_type = TEXT,
     .answer = "Ingested"},

    COMMAND_DOC("reset_service_metrics", "Count a service from now on (admin)", "{service: string}",
                "{service: string, operations: int, reset_time_ms: int}"),
    COMMAND_DOC("set_cache_alert_thresholds", "Change thresholds of one cache or of all (admin)",
                "NewCacheThresholds",
                "{service?: string, cache?: string, thresholds: CacheThresholds}"),
    COMMAND_DOC("create_custom_alert", "Store a rule (admin)",
                "{name: string, expr: string, for?: Duration, "
                "severity?: 'info' | 'warning' | 'critical', description?: string}",
                "{id: string, name: string, expr: string, for_seconds: number, severity: string, "
                "description: string, created_ms: int}"),
    COMMAND_DOC("get_all_metrics", "All services and their operations", "{}",
                "{services: ServiceStats[], time_ms: int, rate_window_seconds: number}"),
    COMMAND_DOC("get_service_metrics", "One service and its operations", "{service: string}",
                "ServiceStats"),
    COMMAND_DOC("export_metrics_prometheus", "Series as Prometheus text", "{match?: string}",
                "{format: string, content_type: string, text: string}"),
    COMMAND_DOC("get_active_operations_count", "Operations that run now", "{service?: string}",
                "{active: int, services: {service: string, active: int}[]}"),
    COMMAND_DOC("get_error_statistics", "Errors by service and operation", "{service?: string}",
                "{count: number, error_count: number, error_rate: number, services: object[]}"),
    COMMAND_DOC("get_slow_operations", "Operations by their longest run",
                "{service?: string, limit?: int(1,1000)}", "{operations: OperationStats[]}"),
    COMMAND_DOC("get_cache_performance_metrics", "Caches", "{}", "{caches: CacheStats[]}"),
    COMMAND_DOC("get_cache_alerts", "Caches beyond their thresholds", "{}",
                "{alerts: {service: string, cache: string, alert: string, value: Number, "
                "limit: string, threshold: number}[]}"),
    COMMAND_DOC("get_gpu_utilization_metrics", "GPUs", "{}", "{gpus: object[], message?: string}"),
    COMMAND_DOC("get_memory_usage_metrics", "Memory of services", "{}",
                "{services: MemoryStats[]}"),
    COMMAND_DOC("get_metrics_history", "PromQL over a range, with min, max, avg, p95 and trend",
                "{query: string, start?: Time, end?: Time, step?: Duration, hours?: number, "
                "days?: number}",
                "{query: string, start: number, end: number, step_seconds: number, "
                "series: HistorySeries[]}"),

    {"/api/auth/status", GET, ACCOUNTS, "Whether sign-in is needed, and set up",
     .answer = SUCCESS("{access: 'open' | 'required', has_admin: bool}")},
    {"/api/auth/login", POST, ACCOUNTS, "Sign in", .body = "{name: string, password: string}",
     .answer = "Session"},
    {"/api/auth/setup", POST, ACCOUNTS, "Make the first administrator",
     .body = "{code: string, name: string, password: string}", .answer = "Session"},
    {"/api/auth/logout", POST, ACCOUNTS, "End this session", .status = 204},
    {"/api/auth/password", POST, ACCOUNTS, "Change the own password; all sessions end",
     .body = "{password: string, new_password: string}"},
    {"/api/auth/me", GET, ACCOUNTS, "Who asks",
     .answer = SUCCESS("{name: string, role: Role, scopes: Scopes, expires: time | null}")},
    {"/api/v1/admin/users", GET, ACCOUNTS, "List users", .answer = SUCCESS("User[]")},
    {"/api/v1/admin/users", POST, ACCOUNTS, "Add a user",
     .body = "{name: string, password: string, role: Role}", .answer = SUCCESS("User")},
    {"/api/v1/admin/users/{id}", PATCH, ACCOUNTS, "Change role or password of a user", "id: int",
     .body = "{role?: Role, password?: string}", .answer = SUCCESS("User")},
    {"/api/v1/admin/users/{id}", DELETE, ACCOUNTS, "Remove a user", "id: int", .status = 204},
    {"/api/v1/admin/tokens", GET, ACCOUNTS, "List API tokens", .answer = SUCCESS("Token[]")},
    {"/api/v1/admin/tokens", POST, ACCOUNTS, "Make an API token; its text is told only now",
     .body = "{name: string, scopes: string `ingest,read,admin`, expires?: string, user?: string}",
     .answer = SUCCESS("{id: int, token: string}")},
    {"/api/v1/admin/tokens/{id}", DELETE, ACCOUNTS, "Revoke an API token", "id: int",
     .status = 204},
    {"/api/v1/admin/audit", GET, ACCOUNTS, "The audit log, newest first",
     "limit?: int(1,1000) `default 100`, before?: int `id of the last row of the page before`",
     .answer = SUCCESS("AuditRow[]")},
};
const size_t sn_route_doc_count = sizeof sn_route_docs / sizeof sn_route_docs[0];
