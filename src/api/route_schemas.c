/*
 * The named schemas of the OpenAPI document. The notation is that of schema.h.
 */
#include "api/route_docs.h"

#define NULLABLE_NUMBER "(number | null)"
#define WINDOW_FIELDS                                                                              \
    "operations_per_second: number | null, error_ratio: Ratio, average_seconds: number | null, "   \
    "p50_seconds: number | null, p95_seconds: number | null, p99_seconds: number | null"
#define COUNTS                                                                                     \
    "count: int, ok_count: int, error_count: int, aborted_count: int, error_rate: number, "        \
    "active: int, operations_per_second: number, "                                                 \
    "operations_per_second_since_start: number | null, last_operation_time_ms: int | null, "       \
    "reset_time_ms: int | null"
#define THRESHOLD_FIELDS                                                                           \
    "min_hit_rate?: number, max_memory_usage_mb?: number, max_response_time_ms?: number, "         \
    "max_fragmentation?: number"

const struct sn_named_schema sn_named_schemas[] = {
    {"Error",
     "{status: 'error', errorType: string `bad_data, not_found, limit, busy, unavailable ...`, "
     "error: string `one sentence: what, which value, which limit`, "
     "items?: {index: int, error: string}[] `what is wrong with which thing of a batch`}",
     false},
    {"Time", "string | number", false},
    {"Duration", "string | number", false},
    {"Labels", "map(string)", false},
    {"Strings", "{status: 'success', data: string[], warnings?: string[], infos?: string[]}",
     false},

    /* Records. */
    {"NewRecord",
     "{metric_type: string, name: string, value?: number, unit?: string | null, "
     "service?: string | null, description?: string | null, metadata?: object | null, "
     "timestamp?: Time | null, ok?: int, total?: int}",
     true},
    {"NewRecords", "NewRecord[] | {metrics: NewRecord[]}", true},
    {"Record",
     "{id: uuid, timestamp: time, metric_type: string, name: string, value: number, "
     "unit?: string, service?: string, description?: string, ok?: int, total?: int, "
     "metadata?: object}",
     false},
    {"Accepted",
     "{accepted: int, ids: uuid[], samples_rejected?: int `samples that the store did not take`, "
     "first_reject?: string}",
     false},
    {"RecordPage", "{metrics: Record[], count: int, next_cursor: string | null}", false},
    {"Window",
     "{start: time, end: time, count: int, sum: number, min: number, max: number, avg: number, "
     "p50: number, p95: number, p99: number, ok?: int, total?: int, success_rate?: number}",
     false},
    {"Windows", "{time_window: number `seconds`, windows: Window[], count: int}", false},
    {"HostStatus",
     "{timestamp: time, hostname: string, uptime_seconds?: number, "
     "cpu: {percent: number | null, count: int, load1?: number, load5?: number, load15?: number}, "
     "memory: {total_bytes: int, available_bytes: int, used_bytes: int, percent: number}, "
     "swap: {total_bytes: int, used_bytes: int}, "
     "disks: {device: string, mountpoint: string, fstype: string, total_bytes: int, "
     "available_bytes: int, percent: number | null}[], "
     "process: {pid: int, cpu_seconds: number, resident_bytes: int, threads: int}}",
     false},

    /* Applications. */
    {"NewEvent",
     "{app: string, type: string, user_id?: string | null, "
     "outcome?: 'ok' | 'error' | 'aborted' | null, duration_ms?: number | null, "
     "quantity?: number | null, credits?: number | null `below 0: refunded`, "
     "items?: {kind?: string | null, id?: string | null, name?: string | null, "
     "category?: string | null, count?: int | null}[] | null, "
     "error?: {message?: string | null, type?: string | null} | null, "
     "metadata?: object | null, timestamp?: Time | null}",
     true},
    {"NewEvents", "NewEvent | NewEvent[] | {events: NewEvent[]}", true},
    {"ErrorClass",
     "{error_type: string, count: int, first_seen: time, last_occurred: time, sample: string}",
     false},
    {"AppMetrics",
     "{app: string, period: string, start: time, end: time, total: int, ok: int, errors: int, "
     "aborted: int, success_rate: number | null, average_time_per_item_seconds: number | null, "
     "average_duration_ms: number | null, p95_duration_ms: number | null, "
     "throughput_per_hour: number | null, items: number, credits_used: number, "
     "credits_refunded: number, users: int, "
     "queues: {name: string, value: number, timestamp: time}[], errors_by_class: ErrorClass[], "
     "indicators: {name: string, value: number | null, health: Health, good: number, "
     "critical: number}[], health: Health, error_bound: int, exact: bool}",
     false},
    {"Health", "'good' | 'warning' | 'critical' | 'unknown'", false},
    {"TopUsers",
     "{app: string, period: string, start: time, end: time, "
     "users: {user_id: string, generation_count: int, total_items: number, "
     "success_rate: number | null}[], error_bound: int, exact: bool}",
     false},
    {"PopularItems",
     "{app: string, period: string, start: time, end: time, kind: string, "
     "items: {id: string, name: string, usage_count: int, category: string}[], "
     "error_bound: int, exact: bool}",
     false},
    {"AppErrors",
     "{app: string, period: string, start: time, end: time, errors: ErrorClass[], "
     "error_bound: int, exact: bool}",
     false},
    {"AppHealth",
     "{app: string, checks: {name: string, kind: 'database' | 'queue' | 'http' | 'redis', "
     "status: 'ok' | 'failed', latency_ms: number, error?: string}[], "
     "status: 'healthy' | 'unhealthy'}",
     false},
    {"ErrorGroup",
     "{id: int, app: string, operation: string, error_type: string, message: string, "
     "sample: string, sample_type: string, count: int, users: int, first_seen: time, "
     "last_seen: time, state: 'open' | 'resolved', resolved_at?: time, reopened: int}",
     false},

    /* Series. */
    {"History", "{step: number, t: number[], series: HistoryColumns[], warnings?: string[]}",
     false},
    {"HistoryColumns",
     "{labels: Labels, min?: " NULLABLE_NUMBER "[], avg?: " NULLABLE_NUMBER
     "[], max?: " NULLABLE_NUMBER "[], count?: int[]}",
     false},
    {"HistoryBatch",
     "{start?: Time, end?: Time, range?: Duration `instead of start; default 1h`, step?: Duration, "
     "points?: int(1,11000), timeout?: Duration, align?: bool, columns?: HistoryColumn[], "
     "queries: {id: string, query?: string, metric?: string, labels?: Labels, "
     "limit?: int(1,1000), columns?: HistoryColumn[]}[]}",
     true},
    {"HistoryColumn", "'min' | 'avg' | 'max' | 'count'", false},
    {"HistoryResults",
     "{step: number, start: number, end: number, t: number[], "
     "results: map({series: HistoryColumns[], warnings?: string[]} | "
     "{errorType: string, error: string})}",
     false},
    {"Ingested",
     "{status: 'success', data: {accepted: int, rejected: map(int) `by reason`, "
     "first_reject?: string}}",
     false},
    {"Sample", "[number, string]", false},
    {"Histogram",
     "[number, {count: string, sum: string, buckets?: [int, string, string, string][]}]", false},
    {"QueryData",
     "{resultType: 'vector', result: {metric: Labels, value?: Sample, histogram?: Histogram}[], "
     "stats?: object} | "
     "{resultType: 'matrix', result: {metric: Labels, values?: Sample[], "
     "histograms?: Histogram[]}[], stats?: object} | "
     "{resultType: 'scalar', result: Sample, stats?: object} | "
     "{resultType: 'string', result: Sample, stats?: object}",
     false},
    {"QueryResult", "{status: 'success', data: QueryData, warnings?: string[], infos?: string[]}",
     false},
    {"MetricMetadata", "{type: string, help: string, unit: string}", false},
    {"NameValue", "{name: string, value: int}", false},
    {"Target",
     "{discoveredLabels: Labels, labels: Labels, scrapePool: string, scrapeUrl: string, "
     "globalUrl: string, lastError: string, lastScrape: time, lastScrapeDuration: number, "
     "health: 'unknown' | 'up' | 'down', scrapeInterval: string, scrapeTimeout: string}",
     false},

    /* Commands. */
    {"Number", "number | 'NaN' | '+Inf' | '-Inf' | null", false},
    {"OperationStats",
     "{service?: string, operation: string, " COUNTS
     ", duration_seconds: {total: number, min: number | null, max: number | null, "
     "average: number | null, p50: Number, p90: Number, p95: Number, p99: Number}, "
     "last_error: {message: string, class: string, time_ms: int} | null}",
     false},
    {"ServiceStats",
     "{service: string, start_time_ms: int | null, uptime_seconds: number | null, " COUNTS
     ", operations: OperationStats[], time_ms?: int, rate_window_seconds?: number}",
     false},
    {"CacheThresholds",
     "{min_hit_rate: number, max_memory_usage_mb: number, max_response_time_ms: number, "
     "max_fragmentation: number}",
     false},
    {"NewCacheThresholds", "{service?: string, cache?: string, " THRESHOLD_FIELDS "}", true},
    {"CacheStats",
     "{service: string, cache: string, hits: Number, misses: Number, hit_rate: Number, "
     "hit_rate_hour: Number, hit_rate_day: Number, operations: Number, "
     "response_time_avg_ms: Number, evictions: Number, entries: Number, "
     "memory_usage_bytes: Number, memory_peak_bytes: Number, fragmentation: Number, "
     "slow_operation_count: Number, thresholds: CacheThresholds}",
     false},
    {"MemoryStats",
     "{service: string, memory_bytes: Number, memory_peak_bytes: Number, allocations: Number, "
     "frees: Number, allocated_bytes: Number, allocations_per_second: Number, gc_pauses: Number, "
     "gc_pause_seconds: Number, gc_pause_max_seconds: Number, gc_reclaimed_bytes: Number}",
     false},
    {"HistorySeries",
     "{labels: Labels, points: [number, Number][], count: int, min?: Number, max?: Number, "
     "avg?: Number, p95?: Number, trend?: {direction: string, slope_per_hour: Number, "
     "change: Number}}",
     false},

    /* Dashboard. */
    {"UnixTime", "number | null", false},
    {"Ratio", "number | null", false},
    {"SparkGrid", "{start: UnixTime, step: number, count: int}", false},
    {"Spark", NULLABLE_NUMBER "[]", false},
    {"StatusCounts", "{critical: int, warning: int, unknown: int, good: int}", false},
    {"ServiceRow",
     "{name: string, status: Health, operations_per_second: number | null, error_ratio: Ratio, "
     "p95_seconds: number | null, active: number | null, started_at: UnixTime, "
     "uptime_seconds: number | null, seen_at: UnixTime, "
     "strip: string `48 half hours: g w c -`, ops_spark?: Spark, p95_spark?: Spark}",
     false},
    {"HostRow",
     "{name: string, status: Health, cpu_ratio: Ratio, memory_ratio: Ratio, "
     "memory_used_bytes: number | null, memory_total_bytes: number | null, disk_ratio: Ratio, "
     "disk_mountpoint: string, load1: number | null, cpu_count: number | null, "
     "network_receive_bytes_per_second: number | null, "
     "network_transmit_bytes_per_second: number | null, uptime_seconds: number | null, "
     "seen_at: UnixTime}",
     false},
    {"HealthTile",
     "{name: string, unit: 'ratio' | 'seconds' | 'count', value: number | null, "
     "previous: number | null, health: Health, good: number, critical: number, "
     "higher_is_better: bool, source: 'events' | 'operations' | 'queues'}",
     false},
    {"Overview",
     "{time: UnixTime, services: {total: int, has_data: bool, counts: StatusCounts, "
     "spark: SparkGrid, rows: ServiceRow[]}, health: HealthTile[], "
     "errors: {count: int, operation_errors: number | null, classes: {error_type: string, "
     "count: int, is_new: bool, first_seen: UnixTime, last_seen: UnixTime, hours: int[]}[]}, "
     "hosts: HostRow[], hosts_total: int}",
     false},
    {"Services",
     "{time: UnixTime, total: int, matching: int, counts: StatusCounts, limit: int, offset: int, "
     "spark: SparkGrid, rows: ServiceRow[]}",
     false},
    {"ServicePage",
     "{time: UnixTime, range: {start: UnixTime, end: UnixTime}, service: ServiceRow, "
     "totals: {count: int, errors: int, aborted: int, since: UnixTime, reset_at: UnixTime}, "
     "window: {" WINDOW_FIELDS "}, spark: SparkGrid, operations: OperationRow[], "
     "operations_total: int, "
     "slowest: {name: string, max_seconds: number | null, p99_seconds: number | null, "
     "average_seconds: number | null, last_at: UnixTime}[], "
     "heatmap: {start: UnixTime, step: number, count: int, upper: " NULLABLE_NUMBER
     "[], counts: (int[] | null)[]} | null, "
     "errors: {operation: string, message: string, class: string, at: UnixTime}[]}",
     false},
    {"Found",
     "{services: {name: string, status: Health}[], "
     "metrics: {name: string, type: string, help: string}[], hosts: {name: string}[], "
     "errors: {error_type: string, count: int}[]}",
     false},
    {"Hosts",
     "{time: UnixTime, total: int, rows: HostRow[], disks: {host: string, mountpoint: string, "
     "device: string, fstype: string, used_ratio: Ratio, available_bytes: number | null, "
     "size_bytes: number | null}[]}",
     false},
    {"Memory",
     "{time: UnixTime, services: {service: string, bytes: number | null, "
     "peak_bytes: number | null, allocations_per_second: number | null, "
     "allocated_bytes_per_second: number | null, fragmentation_ratio: Ratio, "
     "slope_bytes_per_hour: number | null, gc_pauses: number | null, "
     "gc_pause_average_seconds: number | null, gc_pause_max_seconds: number | null, "
     "gc_reclaimed_bytes: number | null}[]}",
     false},
    {"Caches",
     "{time: UnixTime, thresholds: CacheThresholds, caches: {service: string, cache: string, "
     "hits: number | null, misses: number | null, hit_ratio: Ratio, hit_ratio_hour: Ratio, "
     "hit_ratio_day: Ratio, operations: number | null, response_average_seconds: number | null, "
     "evictions: number | null, entries: number | null, memory_bytes: number | null, "
     "memory_peak_bytes: number | null, fragmentation_ratio: Ratio, "
     "slow_operations: number | null, hits_per_second: number | null, "
     "misses_per_second: number | null, thresholds: CacheThresholds, "
     "alerts: {alert: string, value: number | null, limit: string, threshold: number}[], "
     "status: Health}[]}",
     false},
    {"UsageTotals",
     "{events: int, ok: int, errors: int, aborted: int, success_rate: Ratio, "
     "average_time_per_item_seconds: number | null, average_duration_seconds: number | null, "
     "p95_duration_seconds: number | null, items: number | null, users: int, "
     "credits_used: number | null, credits_refunded: number | null, refund_rate: Ratio}",
     false},
    {"Usage",
     "{period: string, start: UnixTime, end: UnixTime, apps: string[], app: string | null, "
     "totals: UsageTotals, previous: UsageTotals | null, "
     "series: {start: UnixTime, step: number, count: int, ok: int[], errors: int[]}, "
     "top_users: {user_id: string, generation_count: int, total_items: number | null, "
     "success_rate: Ratio}[], popular: {kind: string, id: string, name: string, "
     "category: string, usage_count: int}[], errors: {error_type: string, count: int, "
     "first_seen: UnixTime, last_seen: UnixTime}[], exact: bool, error_bound: int}",
     false},
    {"Trends",
     "{time: UnixTime, range: {start: UnixTime, end: UnixTime}, spark: SparkGrid, "
     "resources: {id: string, "
     "kind: 'disk' | 'memory' | 'cpu' | 'storage' | 'service_memory', name: string, "
     "host: string | null, unit: 'ratio' | 'bytes', current: number | null, "
     "average: number | null, min: number | null, max: number | null, limit: number | null, "
     "query: string, spark: Spark}[]}",
     false},
    {"Storage",
     "{time: UnixTime, series: int, segments: int, bytes: int, segment_bytes: int, "
     "rollup_bytes: int, log_bytes: int, head_bytes: int, samples: int, "
     "bytes_per_sample: number | null, oldest: UnixTime, newest: UnixTime, "
     "samples_per_second: number | null, retention: string, retention_seconds: number | null, "
     "last_backup_at: UnixTime, records: {engine: string, is_away: bool, queued: int, "
     "last_error: string | null} | null, started_at: UnixTime, version: string}",
     false},
    {"Cardinality",
     "{series: int, label_pairs: int, label_names: int, metrics: {name: string, series: int, "
     "widest_label: string, widest_values: int}[], labels: {name: string, values: int, "
     "series: int, bytes: int}[], created_by_hour: {at: UnixTime, count: int}[]}",
     false},
    {"Sources",
     "{time: UnixTime, rows: {name: string, kind: 'scrape' | 'collector' | 'push', "
     "status: Health, job: string, duration_seconds: number | null, samples: number | null, "
     "last_at: UnixTime, last_error: string | null}[]}",
     false},
    {"OperationRow",
     "{name: string, count: int, errors: int, aborted: int, active: number | null, "
     "min_seconds: number | null, max_seconds: number | null, " WINDOW_FIELDS
     ", average_spark: Spark, last_at: UnixTime, "
     "last_error: {message: string, class: string, at: UnixTime} | null}",
     false},

    /* Accounts. */
    {"Session",
     "{status: 'success', data: {token: string, expires: time | null, "
     "user: {name: string, role: Role}}}",
     false},
    {"Role", "'admin' | 'user'", false},
    {"Scopes", "('ingest' | 'read' | 'admin')[]", false},
    {"User", "{id: int, name: string, role: Role, created: time | null, last_login: time | null}",
     false},
    {"Token",
     "{id: int, name: string, hint: string, user: string, scopes: Scopes, created: time | null, "
     "expires: time | null}",
     false},
    {"AuditRow",
     "{id: int, time: time | null, actor: string, address: string, action: string, detail: string}",
     false},
};
const size_t sn_named_schema_count = sizeof sn_named_schemas / sizeof sn_named_schemas[0];
