/*
 * Samples and what travels beside them: histograms, exemplars, metadata, time ranges.
 */
#ifndef SN_MODEL_SAMPLE_H
#define SN_MODEL_SAMPLE_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "model/labels.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct sn_sample {
    int64_t time_ms; /* Unix epoch, SN_TIME_MS_MIN..SN_TIME_MS_MAX */
    double value;    /* any bits, NaN payloads included */
};

/* Both ends are included. start_ms > end_ms is an empty range. */
struct sn_range {
    int64_t start_ms;
    int64_t end_ms;
};

static inline bool sn_range_contains(struct sn_range range, int64_t time_ms) {
    return range.start_ms <= time_ms && time_ms <= range.end_ms;
}

static inline bool sn_range_overlaps(struct sn_range a, struct sn_range b) {
    return a.start_ms <= b.end_ms && b.start_ms <= a.end_ms;
}

/* Prometheus' stale marker: the NaN with exactly these bits says "the series ended here". */
#define SN_STALE_NAN_BITS UINT64_C(0x7ff0000000000002)

static inline uint64_t sn_double_bits(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline double sn_double_from_bits(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline bool sn_is_stale(double value) {
    return sn_double_bits(value) == SN_STALE_NAN_BITS;
}

/*
 * Decoded samples of one series as columns, ascending by time, at most one per time.
 *
 * Most series have no start times, so their column appears only when it is needed: a reader that
 * knows one calls sn_samples_use_start; whoever appends while has_start is set writes start_ms as
 * well (0: unknown), and whoever moves samples moves all columns.
 */
struct sn_samples {
    int64_t *time_ms;  /* [capacity], owned by whoever grows it (see sn_samples_reserve) */
    double *value;     /* [capacity] */
    int64_t *start_ms; /* [capacity] since when the counter of the sample counts; 0: unknown */
    size_t count;
    size_t capacity;
    bool has_start; /* false: nobody looks at start_ms, which may be NULL or hold anything */
};

/* Heap-backed growth, for scratch that is reused from series to series. One thread. */
void sn_samples_init(struct sn_samples *samples);
void sn_samples_release(struct sn_samples *samples);
/* No samples and no start times; memory is kept. */
void sn_samples_reset(struct sn_samples *samples);
/* Room for `more` samples after count, in start_ms while has_start. SN_ERR_NO_MEMORY. */
sn_status sn_samples_reserve(struct sn_samples *samples, size_t more) SN_MUST_USE;
/* Make the column of start times: 0 for the samples that are there. SN_ERR_NO_MEMORY. */
sn_status sn_samples_use_start(struct sn_samples *samples) SN_MUST_USE;

enum sn_metric_type {
    SN_METRIC_UNKNOWN = 0,
    SN_METRIC_COUNTER = 1,
    SN_METRIC_GAUGE = 2,
    SN_METRIC_HISTOGRAM = 3,
    SN_METRIC_GAUGE_HISTOGRAM = 4,
    SN_METRIC_SUMMARY = 5,
    SN_METRIC_INFO = 6,
    SN_METRIC_STATESET = 7,
};

/* "counter", "gauge", ...; the names of the Prometheus metadata API. */
const char *sn_metric_type_name(enum sn_metric_type type);

/* What a metric family is; one per metric name, the newest wins. */
struct sn_metadata {
    struct sn_str metric_name;
    enum sn_metric_type type;
    struct sn_str help; /* at most SN_METADATA_BYTES_MAX */
    struct sn_str unit;
};

/* A labelled example measurement that rides beside a sample (OpenMetrics). */
struct sn_exemplar {
    struct sn_labels labels;
    double value;
    int64_t time_ms;
};

/* A series with its exemplars, ascending by time. */
struct sn_exemplar_series {
    struct sn_labels labels;
    const struct sn_exemplar *exemplars; /* [count], at least one */
    size_t count;
};

struct sn_exemplar_list {
    const struct sn_exemplar_series *items; /* [count], sorted by labels */
    size_t count;
};

#endif
