/*
 * Store, HTTP server and ingest as metrics of libsonde. One table; see own_metrics.h.
 */
#include "app/own_metrics.h"

#include "api/api.h"
#include "api/stream_hub.h"

#include <stddef.h>
#include <string.h>

enum part { PART_STORE, PART_HTTP, PART_INGEST, PART_STREAM, PART_RECORDS, PART_DATABASE };
enum kind { KIND_U64, KIND_BOOL, KIND_NS };

/* One number: where it stands in its part's statistics, and how it is called. */
struct sn_own_metric_row {
    const char *name;
    const char *help;
    enum part part;
    enum kind kind;
    size_t offset;
    const char *label; /* NULL: no label */
    const char *label_value;
};

#define STORE(member) PART_STORE, KIND_U64, offsetof(struct sn_store_stats, member)
#define HTTP(member) PART_HTTP, KIND_U64, offsetof(struct sn_http_stats, member)
#define STREAM(member) PART_STREAM, KIND_U64, offsetof(struct sn_stream_stats, member)

#define RECORDS(member) PART_RECORDS, KIND_U64, offsetof(struct sn_records_stats, member)
#define DATABASE(member) PART_DATABASE, KIND_U64, offsetof(struct sn_engine_state, member)
#define INGEST(member) PART_INGEST, KIND_U64, offsetof(struct sn_ingest_counters, member)

#define INGESTED "sonde_ingested_samples_total", "Samples that arrived and are durable."
#define INGEST_REJECTED                                                                            \
    "sonde_rejected_samples_total", "Samples that arrived and were not stored, by reason."
#define REJECTED "sonde_store_rejected_samples_total", "Samples the store refused, by reason."
#define REQUESTS "sonde_http_requests_total", "Requests answered, by class of status."
#define REFUSED "sonde_http_refused_total", "Requests refused before a route saw them, by reason."
#define TIMEOUTS "sonde_http_timeouts_total", "Connections closed for being slow, by phase."

static const struct sn_own_metric_row rows[] = {
    {"sonde_store_series", "Series in the store.", STORE(series_count), NULL, NULL},
    {"sonde_store_removed_series_total", "Series forgotten because no sample is left of them.",
     STORE(removed_series_count), NULL, NULL},
    {"sonde_store_samples_total", "Samples accepted.", STORE(sample_count), NULL, NULL},
    {"sonde_store_exemplars", "Exemplars in the store.", STORE(exemplar_count), NULL, NULL},
    {"sonde_store_out_of_order_samples_total",
     "Samples accepted that were older than the newest of their series.", STORE(out_of_order_count),
     NULL, NULL},
    {REJECTED, STORE(rejected_count[SN_REJECT_OUT_OF_ORDER]), "reason", "out_of_order"},
    {REJECTED, STORE(rejected_count[SN_REJECT_DUPLICATE]), "reason", "duplicate"},
    {REJECTED, STORE(rejected_count[SN_REJECT_TOO_OLD]), "reason", "too_old"},
    {REJECTED, STORE(rejected_count[SN_REJECT_TOO_NEW]), "reason", "too_new"},
    {REJECTED, STORE(rejected_count[SN_REJECT_SERIES_LIMIT]), "reason", "series_limit"},
    {REJECTED, STORE(rejected_count[SN_REJECT_UNSUPPORTED]), "reason", "unsupported"},
    {REJECTED, STORE(rejected_count[SN_REJECT_LABEL_LIMIT]), "reason", "label_limit"},
    {"sonde_store_batches_total", "Batches taken.", STORE(push_count), NULL, NULL},
    {"sonde_store_refused_batches_total", "Batches refused: busy, full or failing storage.",
     STORE(refused_count), NULL, NULL},
    {"sonde_store_segments", "Segment files.", STORE(segment_count), NULL, NULL},
    {"sonde_store_segment_bytes", "Bytes of all segment files.", STORE(segment_bytes), NULL, NULL},
    {"sonde_store_segment_samples", "Samples in all segment files.", STORE(segment_sample_count),
     NULL, NULL},
    {"sonde_store_rollup_files", "Files of rollups.", STORE(rollup_file_count), NULL, NULL},
    {"sonde_store_rollup_bytes", "Bytes of all files of rollups.", STORE(rollup_bytes), NULL, NULL},
    {"sonde_store_log_bytes", "Bytes of the log that are not in a segment yet.", STORE(log_bytes),
     NULL, NULL},
    {"sonde_store_log_syncs_total", "Syncs of the log to disk.", STORE(log_sync_count), NULL, NULL},
    {"sonde_store_log_failures_total", "Failed writes and syncs of the log.",
     STORE(log_sync_failure_count), NULL, NULL},
    {"sonde_store_head_bytes", "Memory of chunks that are not in a segment yet.", STORE(head_bytes),
     NULL, NULL},
    {"sonde_store_flushes_total", "Flushes of the log into a segment.", STORE(flush_count), NULL,
     NULL},
    {"sonde_store_flush_failures_total", "Flushes that failed.", STORE(flush_failure_count), NULL,
     NULL},
    {"sonde_store_last_flush_duration_seconds", "Duration of the last flush.", PART_STORE, KIND_NS,
     offsetof(struct sn_store_stats, flush_last_duration_ns), NULL, NULL},
    {"sonde_store_expired_segments_total", "Segments dropped by retention.",
     STORE(retention_segment_count), NULL, NULL},
    {"sonde_store_compactions_total", "Segments made by merging older ones.",
     STORE(compaction_count), NULL, NULL},
    {"sonde_store_compaction_failures_total", "Compactions that failed.",
     STORE(compaction_failure_count), NULL, NULL},
    {"sonde_store_compaction_read_bytes_total", "Bytes of segments that were merged.",
     STORE(compaction_bytes_in), NULL, NULL},
    {"sonde_store_compaction_written_bytes_total", "Bytes of segments made by merging.",
     STORE(compaction_bytes_out), NULL, NULL},
    {"sonde_store_unmergeable_segments_total", "Damaged segments that compaction leaves alone.",
     STORE(compaction_damaged_count), NULL, NULL},
    {"sonde_store_last_compaction_duration_seconds", "Duration of the last compaction.", PART_STORE,
     KIND_NS, offsetof(struct sn_store_stats, compaction_last_duration_ns), NULL, NULL},
    {"sonde_store_refusing_writes", "1 while writes are refused.", PART_STORE, KIND_BOOL,
     offsetof(struct sn_store_stats, is_refusing), NULL, NULL},
    {INGESTED, INGEST(ingested_count[SN_INGEST_PROMETHEUS_TEXT]), "protocol", "prometheus_text"},
    {INGESTED, INGEST(ingested_count[SN_INGEST_REMOTE_WRITE]), "protocol", "remote_write"},
    {INGESTED, INGEST(ingested_count[SN_INGEST_PUSHGATEWAY]), "protocol", "pushgateway"},
    {INGESTED, INGEST(ingested_count[SN_INGEST_STATSD]), "protocol", "statsd"},
    {INGESTED, INGEST(ingested_count[SN_INGEST_OTLP]), "protocol", "otlp"},
    {INGESTED, INGEST(ingested_count[SN_INGEST_JSON_LINES]), "protocol", "json_lines"},
    {INGESTED, INGEST(ingested_count[SN_INGEST_SCRAPE]), "protocol", "scrape"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_REJECT_OUT_OF_ORDER]), "reason", "out_of_order"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_REJECT_DUPLICATE]), "reason", "duplicate"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_REJECT_TOO_OLD]), "reason", "too_old"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_REJECT_TOO_NEW]), "reason", "too_new"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_REJECT_SERIES_LIMIT]), "reason", "series_limit"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_REJECT_UNSUPPORTED]), "reason", "unsupported"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_LABEL_LIMIT]), "reason", "label_limit"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_REQUEST_LIMIT]), "reason", "request_limit"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_METADATA_LIMIT]), "reason", "metadata_limit"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_NOT_STORED]), "reason", "not_stored"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_INVALID_LABELS]), "reason", "invalid_labels"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_INVALID_HISTOGRAM]), "reason",
     "invalid_histogram"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_MALFORMED]), "reason", "malformed"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_LOG_RECORD]), "reason", "log_record"},
    {INGEST_REJECTED, INGEST(rejected_count[SN_INGEST_TYPE_CONFLICT]), "reason", "type_conflict"},
    {"sonde_ingest_requests_total", "Ingest requests.", INGEST(request_count), NULL, NULL},
    {"sonde_ingest_refused_requests_total", "Ingest requests that failed as a whole.",
     INGEST(refused_request_count), NULL, NULL},
    {REQUESTS, HTTP(requests_by_class[0]), "class", "unanswered"},
    {REQUESTS, HTTP(requests_by_class[2]), "class", "2xx"},
    {REQUESTS, HTTP(requests_by_class[3]), "class", "3xx"},
    {REQUESTS, HTTP(requests_by_class[4]), "class", "4xx"},
    {REQUESTS, HTTP(requests_by_class[5]), "class", "5xx"},
    {"sonde_http_connections_total", "Connections accepted.", HTTP(connections_total), NULL, NULL},
    {"sonde_http_connections", "Open connections.", HTTP(connections_now), NULL, NULL},
    {"sonde_http_requests_in_flight", "Requests being worked on.", HTTP(requests_now), NULL, NULL},
    {"sonde_http_received_body_bytes_total", "Bytes of request bodies.", HTTP(body_bytes_in), NULL,
     NULL},
    {"sonde_http_sent_body_bytes_total", "Bytes of response bodies.", HTTP(body_bytes_out), NULL,
     NULL},
    {REFUSED, HTTP(refused_malformed), "reason", "malformed"},
    {REFUSED, HTTP(refused_too_large), "reason", "too_large"},
    {REFUSED, HTTP(refused_encoding), "reason", "encoding"},
    {REFUSED, HTTP(refused_overload), "reason", "overload"},
    {TIMEOUTS, HTTP(timeouts_header), "phase", "header"},
    {TIMEOUTS, HTTP(timeouts_body), "phase", "body"},
    {TIMEOUTS, HTTP(timeouts_idle), "phase", "idle"},
    {"sonde_streams", "Open streams of events.", STREAM(clients_now), NULL, NULL},
    {"sonde_stream_channels", "Different things that streams listen to.", STREAM(channels_now),
     NULL, NULL},
    {"sonde_stream_bytes", "Memory of events that have not been read.", STREAM(bytes_now), NULL,
     NULL},
    {"sonde_streams_total", "Streams opened.", STREAM(clients_total), NULL, NULL},
    {"sonde_streams_refused_total", "Streams refused at a limit.", STREAM(refused_total), NULL,
     NULL},
    {"sonde_stream_events_total", "Events made, each for all who listen.", STREAM(events_total),
     NULL, NULL},
    {"sonde_stream_events_sent_total", "Events sent, to each client.", STREAM(sent_total), NULL,
     NULL},
    {"sonde_stream_events_dropped_total", "Events that a slow client did not get.",
     STREAM(dropped_total), NULL, NULL},
    {"sonde_http_clients_gone_total", "Connections that broke before their answer was sent.",
     HTTP(clients_gone), NULL, NULL},
    {"sonde_records_stored_total", "Records and events that were stored or spooled.",
     RECORDS(pushed_count), NULL, NULL},
    {"sonde_records_refused_total", "Records and events of pushes that failed.",
     RECORDS(refused_count), NULL, NULL},
    {"sonde_records_purged_total", "Records deleted by age.", RECORDS(purged_count), NULL, NULL},
    {"sonde_records_queued", "Records and events that wait for the writer.", RECORDS(queued_count),
     NULL, NULL},
    {"sonde_records_commits_total", "Transactions of records.", RECORDS(commit_count), NULL, NULL},
    {"sonde_records_commit_failures_total", "Transactions of records that failed.",
     RECORDS(failure_count), NULL, NULL},
    {"sonde_records_database_away", "1 while the database of the records does not answer.",
     PART_DATABASE, KIND_BOOL, offsetof(struct sn_engine_state, is_away), NULL, NULL},
    {"sonde_records_spool_bytes", "Bytes that are acknowledged and wait for the database.",
     DATABASE(spooled_bytes), NULL, NULL},
    {"sonde_records_spooled_writes_total", "Writes that went to the spool.",
     DATABASE(spooled_count), NULL, NULL},
    {"sonde_records_spool_lost_total",
     "Spooled writes that the database refused for good, and damaged ones.", DATABASE(lost_count),
     NULL, NULL},
};
_Static_assert(sizeof rows / sizeof rows[0] <= SN_OWN_METRICS_MAX, "room for every row");

static double read_field(const void *stats, const struct sn_own_metric_row *row) {
    const char *at = (const char *)stats + row->offset;
    uint64_t number;
    switch (row->kind) {
    case KIND_U64:
        memcpy(&number, at, sizeof number);
        return (double)number;
    case KIND_NS:
        memcpy(&number, at, sizeof number);
        return (double)(int64_t)number / 1e9;
    case KIND_BOOL:
        return *(const bool *)at ? 1 : 0;
    }
    return 0;
}

static double read_row(void *ctx) {
    const struct sn_own_metric *metric = ctx;
    union {
        struct sn_store_stats store;
        struct sn_http_stats http;
        struct sn_ingest_counters ingest;
        struct sn_stream_stats stream;
        struct sn_records_stats records;
        struct sn_engine_state database;
    } stats;
    switch (metric->row->part) {
    case PART_STORE:
        sn_store_stats(metric->owner->store, &stats.store);
        break;
    case PART_HTTP:
        sn_http_server_stats(metric->owner->http, &stats.http);
        break;
    case PART_INGEST:
        stats.ingest = sn_ingest_read_counters(metric->owner->ingest);
        break;
    case PART_STREAM:
        sn_api_stream_stats(metric->owner->api, &stats.stream);
        break;
    case PART_RECORDS:
        sn_records_stats(metric->owner->records, &stats.records);
        break;
    case PART_DATABASE:
        sn_records_state(metric->owner->records, &stats.database);
        break;
    }
    return read_field(&stats, metric->row);
}

static bool is_counter(const char *name) {
    return sn_str_ends_with(sn_str_from(name), SN_STR("_total"));
}

void sn_own_metrics_open(struct sn_own_metrics *metrics, const struct sn_own_metrics_parts *parts) {
    metrics->store = parts->store;
    metrics->http = parts->http;
    metrics->ingest = parts->ingest;
    metrics->api = parts->api;
    metrics->records = parts->records;
    metrics->count = sizeof rows / sizeof rows[0];
    for (size_t i = 0; i < metrics->count; i++) {
        struct sn_own_metric *metric = &metrics->metrics[i];
        metric->owner = metrics;
        metric->row = &rows[i];
        const sonde_callback_options options = {
            .metric = {.name = rows[i].name,
                       .help = rows[i].help,
                       .label_names = &rows[i].label,
                       .label_count = rows[i].label != NULL},
            .label_values = &rows[i].label_value,
            .type = is_counter(rows[i].name) ? SONDE_CALLBACK_COUNTER : SONDE_CALLBACK_GAUGE,
            .read = read_row,
            .ctx = metric,
        };
        metric->callback = sonde_callback_new(NULL, &options, NULL);
    }
}

void sn_own_metrics_close(struct sn_own_metrics *metrics) {
    for (size_t i = 0; i < metrics->count; i++)
        metrics->metrics[i].callback = sonde_callback_free(metrics->metrics[i].callback);
    metrics->count = 0;
}
