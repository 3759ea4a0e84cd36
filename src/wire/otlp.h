/*
 * Reader of OTLP metrics (ExportMetricsServiceRequest) and logs (ExportLogsServiceRequest) in Protobuf.
 * It visits one data point, or one log record, after another, in the order of the message.
 *
 * 1. Zero copy: text lies inside the body. The arena holds about 200 KiB for one point at a time.
 * 2. What is no Protobuf or has a known field with another wire type is SN_ERR_INVALID. Whether a point
 *    makes sense is not judged here.
 * 3. Fields in any order; a message that is not repeated and comes twice: the last one counts.
 *
 * Pure. One thread per call.
 */
#ifndef SN_WIRE_OTLP_H
#define SN_WIRE_OTLP_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/str.h"
#include "model/histogram.h"

#include <stdbool.h>
#include <stdint.h>

/* More than a point of the protocol can be used with: labels plus those that are made of two. */
#define SN_OTLP_ATTRIBUTES_MAX 256
/* Elements of an array inside of a value, and levels of such arrays. */
#define SN_OTLP_VALUE_DEPTH_MAX 16

struct sn_otlp_attribute {
    struct sn_str key;
    struct sn_str value; /* an AnyValue, for sn_otlp_value_text */
};

struct sn_otlp_attributes {
    struct sn_otlp_attribute *items; /* [count], but at most SN_OTLP_ATTRIBUTES_MAX */
    size_t count;                    /* as sent */
};

enum sn_otlp_kind {
    SN_OTLP_NO_DATA = 0, /* a metric of a kind that is not known; it has no points */
    SN_OTLP_GAUGE = 1,
    SN_OTLP_SUM = 2,
    SN_OTLP_HISTOGRAM = 3,
    SN_OTLP_EXPONENTIAL = 4,
    SN_OTLP_SUMMARY = 5,
};

enum sn_otlp_temporality {
    SN_OTLP_UNSPECIFIED = 0,
    SN_OTLP_DELTA = 1,
    SN_OTLP_CUMULATIVE = 2,
};

struct sn_otlp_metric {
    struct sn_str name, description, unit;
    enum sn_otlp_kind kind;
    enum sn_otlp_temporality temporality; /* other numbers are UNSPECIFIED */
    bool is_monotonic;                    /* of a sum */
};

/* One side of an exponential histogram: bucket i counts values in (base^i, base^(i+1)]. */
struct sn_otlp_buckets {
    int32_t offset;       /* i of counts[0] */
    const double *counts; /* [count] */
    size_t count;
};

struct sn_otlp_quantile {
    double quantile, value;
};

#define SN_OTLP_FLAG_NO_VALUE UINT64_C(1) /* the series ends here */

/* Arrays live until the visit returns. */
struct sn_otlp_point {
    const struct sn_otlp_attributes *resource;
    size_t resource_number; /* from 1 */
    const struct sn_otlp_metric *metric;
    struct sn_otlp_attributes attributes;
    uint64_t start_ns, time_ns; /* Unix; 0: not said */
    uint64_t flags;
    bool has_value; /* GAUGE, SUM: one was sent */
    double value;
    double count; /* HISTOGRAM, EXPONENTIAL, SUMMARY */
    bool has_sum;
    double sum;
    const double *bounds;        /* HISTOGRAM: [bound_count] */
    const double *bucket_counts; /* HISTOGRAM: [bucket_count] */
    size_t bound_count, bucket_count;
    int32_t scale; /* EXPONENTIAL */
    double zero_count, zero_threshold;
    struct sn_otlp_buckets positive, negative;
    const struct sn_otlp_quantile *quantiles; /* SUMMARY: [quantile_count] */
    size_t quantile_count;
    bool is_too_large; /* some array has more than SN_HISTOGRAM_BUCKETS_MAX items; all are cut */
    struct sn_str exemplars; /* the point's message, for sn_otlp_next_exemplar */
};

struct sn_otlp_exemplar {
    struct sn_otlp_attributes attributes;
    uint64_t time_ns;
    double value;
    struct sn_str trace_id, span_id; /* bytes */
};

/* Where the metrics go. A failure of either function ends the reading and is its result. */
struct sn_otlp_visitor {
    sn_status (*point)(void *ctx, const struct sn_otlp_point *point, struct sn_err *err);
    void *ctx;
};

/*
 * Visit all points. The whole body is checked first, so that nothing of a broken one is visited.
 *
 * Returns SN_OK, SN_ERR_INVALID, SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena), the visitor's.
 */
sn_status sn_otlp_read_metrics(struct sn_str body, struct sn_arena *arena,
                               const struct sn_otlp_visitor *visitor,
                               struct sn_err *err) SN_MUST_USE;

/* Read the next exemplar of a point; false: none is left. `items` is [SN_OTLP_ATTRIBUTES_MAX]. */
bool sn_otlp_next_exemplar(struct sn_otlp_point *point, struct sn_otlp_attribute *items,
                           struct sn_otlp_exemplar *ret_exemplar);

/*
 * A value as text: strings as they are, numbers and booleans as JSON has them, bytes in base64, arrays
 * and lists of pairs as JSON. Text is borrowed from the body or in the arena.
 * SN_ERR_LIMIT (depth, arena), SN_ERR_NO_MEMORY.
 */
sn_status sn_otlp_value_text(struct sn_str value, struct sn_arena *arena, struct sn_str *ret_text,
                             struct sn_err *err) SN_MUST_USE;

/* Check a body of logs; how many records it has. SN_ERR_INVALID. */
sn_status sn_otlp_count_logs(struct sn_str body, uint64_t *ret_count,
                             struct sn_err *err) SN_MUST_USE;

#endif
