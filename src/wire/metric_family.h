/*
 * Reader of Prometheus' protobuf exposition: MetricFamily messages, each behind its length
 * (application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited).
 *
 * Families become what the text format would say: a histogram x becomes x_count, x_sum and
 * x_bucket{le}, a summary x_count, x_sum and x{quantile}; numbers in labels are written as in
 * OpenMetrics. Native histograms, exemplars and start times have no text.
 *
 * 1. Strict: a message that is cut or has a field of the wrong type refuses the body.
 * 2. Pure. The caller's thread.
 */
#ifndef SN_WIRE_METRIC_FAMILY_H
#define SN_WIRE_METRIC_FAMILY_H

#include "base/arena.h"
#include "model/histogram.h"
#include "model/sample.h"

/* One point. Everything is borrowed: from the body, or from the arena until the next family. */
struct sn_family_point {
    struct sn_label *labels; /* [label_count], as sent, "__name__" first; may be sorted in place */
    size_t label_count;      /* at most SN_LABELS_MAX + 2 */
    double value;
    const struct sn_histogram *histogram; /* valid; NULL: the point is `value` */
    int64_t time_ms;                      /* 0: the time of the scrape */
    int64_t start_time_ms;                /* 0: unknown */
    const struct sn_exemplar *exemplars;  /* [exemplar_count], labels valid; time_ms 0: unknown */
    size_t exemplar_count;
};

struct sn_family_visitor {
    void *ctx;
    /* Called once per family, before its points. */
    sn_status (*family)(void *ctx, const struct sn_metadata *metadata, struct sn_err *err);
    sn_status (*point)(void *ctx, const struct sn_family_point *point, struct sn_err *err);
    /* What becomes of a histogram that is native, and perhaps classic as well. */
    bool wants_native;
    bool wants_classic_too; /* beside the native one; without wants_native always classic */
};

/*
 * Read a whole body.
 *
 *   arena   scratch; reset for every family
 *
 * Returns SN_OK; SN_ERR_INVALID (the sentence names the family); SN_ERR_LIMIT (labels, buckets, the
 * arena); SN_ERR_NO_MEMORY; what the visitor returns.
 */
sn_status sn_metric_families_read(struct sn_str body, const struct sn_family_visitor *visitor,
                                  struct sn_arena *arena, struct sn_err *err) SN_MUST_USE;

#endif
