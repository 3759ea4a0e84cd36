/*
 * Ingest: OpenTelemetry metrics over OTLP, translated as Prometheus does it: names and units
 * (wire/otlp_name.h), service.namespace/service.name as job, service.instance.id as instance, all other
 * resource attributes as target_info, histograms with bounds as classic ones, exponential ones as native
 * ones, delta as cumulative.
 *
 * A point that cannot be taken is left out and counted; the rest is pushed.
 */
#ifndef SN_INGEST_OTLP_H
#define SN_INGEST_OTLP_H

#include "ingest/ingest.h"
#include "ingest/otlp_delta.h"
#include "wire/otlp.h"

struct sn_ingest_otlp_result {
    struct sn_ingest_result samples;
    uint64_t point_count;
    uint64_t rejected_point_count; /* of samples, whole points: at most point_count */
};

/*
 * Take an ExportMetricsServiceRequest in Protobuf.
 *
 *   deltas   shared by all requests
 *   now_ms   the wall clock
 *
 * Statuses, `done`, threads and cost as sn_ingest_text; SN_ERR_INVALID is a body that is not well-formed.
 */
sn_status sn_ingest_otlp_metrics(struct sn_ingest *ingest, struct sn_otlp_deltas *deltas,
                                 struct sn_str body, int64_t now_ms, struct sn_push_done done,
                                 struct sn_ingest_otlp_result *ret_result,
                                 struct sn_err *err) SN_MUST_USE;

/*
 * Take an ExportLogsServiceRequest: its records are checked, counted as rejected, and not stored, as
 * there is no store for logs yet. SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_ingest_otlp_logs(struct sn_ingest *ingest, struct sn_str body,
                              uint64_t *ret_rejected_count, struct sn_err *err) SN_MUST_USE;

#endif
