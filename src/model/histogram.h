/*
 * Native histograms, in Prometheus' model: exponential buckets (schema -4..8) or custom bounds
 * (schema -53), a zero bucket, positive and negative sides as spans of consecutive buckets.
 *
 * Bucket i of schema s covers (base^(i-1), base^i] with base = 2^(2^-s). Counts are absolute
 * (not deltas) doubles: integer histograms are exact up to 2^53.
 */
#ifndef SN_MODEL_HISTOGRAM_H
#define SN_MODEL_HISTOGRAM_H

#include "base/arena.h"
#include "base/status.h"

#include <stdint.h>

#define SN_HISTOGRAM_SCHEMA_MIN (-4)
#define SN_HISTOGRAM_SCHEMA_MAX 8
#define SN_HISTOGRAM_SCHEMA_CUSTOM (-53)
#define SN_HISTOGRAM_BUCKETS_MAX 2048 /* both sides together: 160 is what clients keep */

enum sn_counter_reset_hint {
    SN_RESET_UNKNOWN = 0,
    SN_RESET_YES = 1,
    SN_RESET_NO = 2,
    SN_RESET_GAUGE = 3,
};

struct sn_bucket_span {
    int32_t offset;  /* first span: index of its first bucket; later: gap after the last one */
    uint32_t length; /* number of consecutive buckets */
};

/* Borrowed arrays; whoever gave it says how long they live. */
struct sn_histogram {
    int32_t schema;
    enum sn_counter_reset_hint reset_hint;
    double zero_threshold;
    double zero_count;
    double count;
    double sum;
    const struct sn_bucket_span *positive_spans; /* [positive_span_count] */
    const double *positive_counts;               /* [sum of span lengths] */
    const struct sn_bucket_span *negative_spans;
    const double *negative_counts;
    const double *custom_bounds; /* [custom_bound_count], ascending, finite; schema -53 only */
    uint32_t positive_span_count;
    uint32_t positive_bucket_count;
    uint32_t negative_span_count;
    uint32_t negative_bucket_count;
    uint32_t custom_bound_count;
};

/*
 * Check everything above: schema, spans against counts, no negative or NaN count, limits. As in
 * Prometheus the buckets may hold more than the count says: averages have fractional counts, and who
 * cuts buckets may leave the count alone. SN_ERR_INVALID, SN_ERR_LIMIT; O(buckets).
 */
sn_status sn_histogram_validate(const struct sn_histogram *histogram,
                                struct sn_err *err) SN_MUST_USE;

/* Deep copy of a valid histogram into an arena. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_histogram_copy(const struct sn_histogram *histogram, struct sn_arena *arena,
                            struct sn_histogram *ret_histogram) SN_MUST_USE;

/* Same bits everywhere (NaN sums with equal payloads are equal), reset hint included. */
bool sn_histogram_equal(const struct sn_histogram *a, const struct sn_histogram *b);

/*
 * Upper bound of bucket `index` (positive side) of an exponential schema. As in Prometheus the
 * bucket that would end at 2^1024 ends at DBL_MAX; +Inf beyond it.
 */
double sn_histogram_upper_bound(int32_t schema, int32_t index);

/*
 * Histograms of one series, ascending by time, at most one per time. A histogram whose sum is the
 * stale marker (model/sample.h) says "the series ended here". One thread.
 */
struct sn_histograms {
    int64_t *time_ms;           /* [capacity] */
    int64_t *start_ms;          /* [capacity] since when it counts; 0: unknown */
    struct sn_histogram *items; /* [capacity]; their arrays are in the arena */
    size_t count;
    size_t capacity;
    struct sn_arena arena;
};

/* memory_max: bytes of the arena (0: default). Columns are on the heap, beside it. */
void sn_histograms_init(struct sn_histograms *histograms, size_t memory_max);
void sn_histograms_release(struct sn_histograms *histograms);
/* No histograms; memory is kept for reuse. */
void sn_histograms_reset(struct sn_histograms *histograms);

struct sn_histogram_point {
    int64_t time_ms;
    int64_t start_ms;
    const struct sn_histogram *histogram;
};

/* Room for `more` histograms after count, for whoever fills the columns itself. SN_ERR_NO_MEMORY. */
sn_status sn_histograms_reserve(struct sn_histograms *histograms, size_t more) SN_MUST_USE;

/* Append a deep copy of a valid histogram. Unchanged on failure. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_histograms_append(struct sn_histograms *histograms,
                               const struct sn_histogram_point *point) SN_MUST_USE;

#endif
