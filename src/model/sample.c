/*
 * Sample columns and the names of metric types.
 *
 * One thread per struct sn_samples.
 */
#include "model/sample.h"

#include "base/mem.h"

enum { SAMPLES_CAPACITY_MIN = 128 }; /* 2 KiB: an hour of a 30 s series without growing */

void sn_samples_init(struct sn_samples *samples) {
    *samples = (struct sn_samples){.time_ms = NULL};
}

void sn_samples_release(struct sn_samples *samples) {
    sn_free(samples->time_ms);
    sn_free(samples->value);
    sn_free(samples->start_ms);
    sn_samples_init(samples);
}

void sn_samples_reset(struct sn_samples *samples) {
    samples->count = 0;
    samples->has_start = false;
}

/* At least `needed`, growing by half so that a long read copies each sample about twice. */
static size_t next_capacity(size_t capacity, size_t needed) {
    size_t grown = capacity + capacity / 2;
    if (grown < SAMPLES_CAPACITY_MIN) {
        grown = SAMPLES_CAPACITY_MIN;
    }
    return grown > needed ? grown : needed;
}

static sn_status grow_start(struct sn_samples *samples, size_t capacity) {
    int64_t *start_ms = sn_realloc_array(samples->start_ms, capacity, sizeof *start_ms);
    if (start_ms == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    samples->start_ms = start_ms;
    return SN_OK;
}

/* Nobody reads a column of start times that is not used: it is not worth a copy. */
static void drop_unused_start(struct sn_samples *samples) {
    if (!samples->has_start) {
        sn_free(samples->start_ms);
        samples->start_ms = NULL;
    }
}

sn_status sn_samples_reserve(struct sn_samples *samples, size_t more) {
    if (samples->capacity - samples->count >= more) {
        return SN_OK;
    }
    if (more > SIZE_MAX / 2 - samples->count) {
        return SN_ERR_NO_MEMORY;
    }
    size_t capacity = next_capacity(samples->capacity, samples->count + more);
    int64_t *time_ms = sn_realloc_array(samples->time_ms, capacity, sizeof *time_ms);
    if (time_ms == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    /* The capacity is set only when all columns have it; one longer column does no harm. */
    samples->time_ms = time_ms;
    double *value = sn_realloc_array(samples->value, capacity, sizeof *value);
    if (value == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    samples->value = value;
    drop_unused_start(samples);
    if (samples->has_start) {
        SN_TRY(grow_start(samples, capacity));
    }
    samples->capacity = capacity;
    return SN_OK;
}

sn_status sn_samples_use_start(struct sn_samples *samples) {
    if (samples->has_start) {
        return SN_OK;
    }
    if (samples->start_ms == NULL && samples->capacity > 0) {
        SN_TRY(grow_start(samples, samples->capacity));
    }
    for (size_t i = 0; i < samples->count; i++) {
        samples->start_ms[i] = 0;
    }
    samples->has_start = true;
    return SN_OK;
}

const char *sn_metric_type_name(enum sn_metric_type type) {
    switch (type) {
    case SN_METRIC_UNKNOWN:
        return "unknown";
    case SN_METRIC_COUNTER:
        return "counter";
    case SN_METRIC_GAUGE:
        return "gauge";
    case SN_METRIC_HISTOGRAM:
        return "histogram";
    case SN_METRIC_GAUGE_HISTOGRAM:
        return "gaugehistogram";
    case SN_METRIC_SUMMARY:
        return "summary";
    case SN_METRIC_INFO:
        return "info";
    case SN_METRIC_STATESET:
        return "stateset";
    }
    return "unknown"; /* a number that came from elsewhere */
}
