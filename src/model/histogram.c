/*
 * Native histograms: checks, copies, bucket bounds.
 *
 * Pure functions. Any thread.
 */
#include "model/histogram.h"

#include "base/check.h"
#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <string.h>

_Static_assert(sizeof(struct sn_bucket_span) == 8, "spans are compared as bytes");

/* One side of a histogram, for checks that hold on both. */
struct side {
    const char *name;
    const struct sn_bucket_span *spans;
    const double *counts;
    uint32_t span_count;
    uint32_t bucket_count;
};

static struct side positive_side(const struct sn_histogram *histogram) {
    return (struct side){"positive", histogram->positive_spans, histogram->positive_counts,
                         histogram->positive_span_count, histogram->positive_bucket_count};
}

static struct side negative_side(const struct sn_histogram *histogram) {
    return (struct side){"negative", histogram->negative_spans, histogram->negative_counts,
                         histogram->negative_span_count, histogram->negative_bucket_count};
}

static bool is_count(double value) {
    return value >= 0; /* false for NaN */
}

/*
 * Spans name exactly the buckets, in ascending order; *ret_end is one beyond the highest index.
 * Every offset and length is below 2^32 and there are at most SN_HISTOGRAM_BUCKETS_MAX spans, so
 * 64 bits cannot overflow.
 */
static sn_status check_spans(const struct side *side, int64_t *ret_end, struct sn_err *err) {
    uint64_t buckets = 0;
    int64_t index = 0;
    for (uint32_t i = 0; i < side->span_count; i++) {
        if (i > 0 && side->spans[i].offset < 0) {
            return sn_err_set(err, SN_ERR_INVALID, "%s span %u has the negative offset %d",
                              side->name, i, side->spans[i].offset);
        }
        buckets += side->spans[i].length;
        index += (int64_t)side->spans[i].offset + side->spans[i].length;
        if (index > INT32_MAX) {
            return sn_err_set(err, SN_ERR_INVALID,
                              "%s span %u ends at bucket %lld, beyond 2^31 - 1", side->name, i,
                              (long long)index);
        }
    }
    if (buckets != side->bucket_count) {
        return sn_err_set(err, SN_ERR_INVALID, "%s spans name %llu buckets but there are %u counts",
                          side->name, (unsigned long long)buckets, side->bucket_count);
    }
    *ret_end = index;
    return SN_OK;
}

/* No negative or NaN count. */
static sn_status check_counts(const struct side *side, struct sn_err *err) {
    for (uint32_t i = 0; i < side->bucket_count; i++) {
        if (!is_count(side->counts[i])) {
            return sn_err_set(err, SN_ERR_INVALID, "%s bucket %u has a negative or NaN count",
                              side->name, i);
        }
    }
    return SN_OK;
}

static sn_status check_limits(const struct sn_histogram *histogram, struct sn_err *err) {
    uint64_t buckets =
        (uint64_t)histogram->positive_bucket_count + histogram->negative_bucket_count;
    uint64_t spans = (uint64_t)histogram->positive_span_count + histogram->negative_span_count;
    if (buckets > SN_HISTOGRAM_BUCKETS_MAX || spans > SN_HISTOGRAM_BUCKETS_MAX ||
        histogram->custom_bound_count > SN_HISTOGRAM_BUCKETS_MAX) {
        return sn_err_set(err, SN_ERR_LIMIT,
                          "histogram has %llu buckets, %llu spans, %u custom bounds, "
                          "the limit of each is %d",
                          (unsigned long long)buckets, (unsigned long long)spans,
                          histogram->custom_bound_count, SN_HISTOGRAM_BUCKETS_MAX);
    }
    return SN_OK;
}

static sn_status check_exponential(const struct sn_histogram *histogram, struct sn_err *err) {
    if (histogram->schema < SN_HISTOGRAM_SCHEMA_MIN ||
        histogram->schema > SN_HISTOGRAM_SCHEMA_MAX) {
        return sn_err_set(err, SN_ERR_INVALID, "histogram schema %d is none of %d to %d and %d",
                          histogram->schema, SN_HISTOGRAM_SCHEMA_MIN, SN_HISTOGRAM_SCHEMA_MAX,
                          SN_HISTOGRAM_SCHEMA_CUSTOM);
    }
    if (histogram->custom_bound_count > 0) {
        return sn_err_set(err, SN_ERR_INVALID, "histogram of schema %d has custom bounds",
                          histogram->schema);
    }
    return SN_OK;
}

static sn_status check_bounds(const struct sn_histogram *histogram, struct sn_err *err) {
    for (uint32_t i = 0; i < histogram->custom_bound_count; i++) {
        if (!isfinite(histogram->custom_bounds[i])) {
            return sn_err_set(err, SN_ERR_INVALID, "custom bound %u is not finite", i);
        }
        if (i > 0 && histogram->custom_bounds[i] <= histogram->custom_bounds[i - 1]) {
            return sn_err_set(err, SN_ERR_INVALID, "custom bound %u is not above the one before it",
                              i);
        }
    }
    return SN_OK;
}

/* Bucket i ends at bound i, and one more bucket ends at +Inf. There is no zero bucket. */
static sn_status check_custom(const struct sn_histogram *histogram, int64_t positive_end,
                              struct sn_err *err) {
    if (histogram->zero_count != 0 || histogram->zero_threshold != 0 ||
        histogram->negative_span_count > 0) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "histogram with custom bounds has a zero bucket or negative buckets");
    }
    if (histogram->positive_span_count > 0 && histogram->positive_spans[0].offset < 0) {
        return sn_err_set(err, SN_ERR_INVALID, "first bucket of custom bounds has the index %d",
                          histogram->positive_spans[0].offset);
    }
    if (positive_end > (int64_t)histogram->custom_bound_count + 1) {
        return sn_err_set(err, SN_ERR_INVALID, "bucket %lld is beyond the %u custom bounds",
                          (long long)positive_end - 1, histogram->custom_bound_count);
    }
    return check_bounds(histogram, err);
}

/* What stands beside the buckets. */
static sn_status check_totals(const struct sn_histogram *histogram, struct sn_err *err) {
    if (!is_count(histogram->count) || !is_count(histogram->zero_count)) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "count or zero count of a histogram is negative or NaN");
    }
    if (!(histogram->zero_threshold >= 0)) {
        return sn_err_set(err, SN_ERR_INVALID, "zero threshold of a histogram is negative or NaN");
    }
    return SN_OK;
}

sn_status sn_histogram_validate(const struct sn_histogram *histogram, struct sn_err *err) {
    struct side positive = positive_side(histogram);
    struct side negative = negative_side(histogram);
    int64_t positive_end = 0;
    int64_t negative_end = 0;
    if ((unsigned)histogram->reset_hint > SN_RESET_GAUGE) {
        return sn_err_set(err, SN_ERR_INVALID, "histogram has the unknown counter reset hint %u",
                          (unsigned)histogram->reset_hint);
    }
    SN_TRY(check_limits(histogram, err));
    SN_TRY(check_spans(&positive, &positive_end, err));
    SN_TRY(check_spans(&negative, &negative_end, err));
    SN_TRY(check_counts(&positive, err));
    SN_TRY(check_counts(&negative, err));
    SN_TRY(check_totals(histogram, err));
    if (histogram->schema == SN_HISTOGRAM_SCHEMA_CUSTOM) {
        return check_custom(histogram, positive_end, err);
    }
    return check_exponential(histogram, err);
}

/* ---- copies ---- */

/* Copy `bytes` bytes into the arena; no bytes give NULL. */
static bool copy_bytes(struct sn_arena *arena, const void *from, size_t bytes,
                       const void **ret_copy) {
    *ret_copy = NULL;
    if (bytes == 0) {
        return true;
    }
    void *copy = sn_arena_alloc(arena, bytes);
    if (copy == NULL) {
        return false;
    }
    memcpy(copy, from, bytes);
    *ret_copy = copy;
    return true;
}

sn_status sn_histogram_copy(const struct sn_histogram *histogram, struct sn_arena *arena,
                            struct sn_histogram *ret_histogram) {
    const struct sn_histogram *from = histogram;
    const struct {
        const void *from;
        size_t bytes;
    } arrays[] = {
        {from->positive_spans, from->positive_span_count * sizeof(struct sn_bucket_span)},
        {from->positive_counts, from->positive_bucket_count * sizeof(double)},
        {from->negative_spans, from->negative_span_count * sizeof(struct sn_bucket_span)},
        {from->negative_counts, from->negative_bucket_count * sizeof(double)},
        {from->custom_bounds, from->custom_bound_count * sizeof(double)},
    };
    const void *copies[5];
    for (size_t i = 0; i < 5; i++) {
        if (!copy_bytes(arena, arrays[i].from, arrays[i].bytes, &copies[i])) {
            return sn_arena_failure(arena, arrays[i].bytes, NULL);
        }
    }
    *ret_histogram = *from;
    ret_histogram->positive_spans = copies[0];
    ret_histogram->positive_counts = copies[1];
    ret_histogram->negative_spans = copies[2];
    ret_histogram->negative_counts = copies[3];
    ret_histogram->custom_bounds = copies[4];
    return SN_OK;
}

/* ---- equality ---- */

static bool bytes_equal(const void *a, const void *b, size_t bytes) {
    return bytes == 0 || memcmp(a, b, bytes) == 0;
}

static bool sides_equal(struct side a, struct side b) {
    return a.span_count == b.span_count && a.bucket_count == b.bucket_count &&
           bytes_equal(a.spans, b.spans, a.span_count * sizeof(struct sn_bucket_span)) &&
           bytes_equal(a.counts, b.counts, a.bucket_count * sizeof(double));
}

static bool scalars_equal(const struct sn_histogram *a, const struct sn_histogram *b) {
    return a->schema == b->schema && a->reset_hint == b->reset_hint &&
           bytes_equal(&a->zero_threshold, &b->zero_threshold, sizeof(double)) &&
           bytes_equal(&a->zero_count, &b->zero_count, sizeof(double)) &&
           bytes_equal(&a->count, &b->count, sizeof(double)) &&
           bytes_equal(&a->sum, &b->sum, sizeof(double));
}

bool sn_histogram_equal(const struct sn_histogram *a, const struct sn_histogram *b) {
    return scalars_equal(a, b) && sides_equal(positive_side(a), positive_side(b)) &&
           sides_equal(negative_side(a), negative_side(b)) &&
           a->custom_bound_count == b->custom_bound_count &&
           bytes_equal(a->custom_bounds, b->custom_bounds, a->custom_bound_count * sizeof(double));
}

/* ---- bounds ---- */

/* 2^exponent, +Inf or 0 beyond the doubles. */
static double power_of_two_exact(int64_t exponent) {
    enum { FAR = 2000 }; /* ldexp takes an int and knows overflow; the clamp keeps it one */
    return ldexp(1, (int)(exponent > FAR ? FAR : exponent < -FAR ? -FAR : exponent));
}

/* The bucket that would end just beyond the doubles ends at the largest of them. */
static double power_of_two(int64_t exponent) {
    return exponent == DBL_MAX_EXP ? DBL_MAX : power_of_two_exact(exponent);
}

double sn_histogram_upper_bound(int32_t schema, int32_t index) {
    if (SN_NEVER(schema < SN_HISTOGRAM_SCHEMA_MIN || schema > SN_HISTOGRAM_SCHEMA_MAX)) {
        return (double)NAN;
    }
    if (schema <= 0) {
        return power_of_two((int64_t)index * (1 << -schema));
    }
    /* index = whole * 2^schema + part with 0 <= part < 2^schema: the shift rounds down. */
    int64_t whole = index >> schema;
    int64_t part = index - whole * (1 << schema);
    if (part == 0) {
        return power_of_two(whole);
    }
    return exp2((double)part / (1 << schema)) * power_of_two_exact(whole);
}

/* ---- columns ---- */

enum { HISTOGRAMS_CAPACITY_MIN = 16 };

void sn_histograms_init(struct sn_histograms *histograms, size_t memory_max) {
    *histograms = (struct sn_histograms){.time_ms = NULL};
    sn_arena_init(&histograms->arena, memory_max);
}

void sn_histograms_release(struct sn_histograms *histograms) {
    sn_free(histograms->time_ms);
    sn_free(histograms->start_ms);
    sn_free(histograms->items);
    sn_arena_release(&histograms->arena);
    *histograms = (struct sn_histograms){.time_ms = NULL};
}

void sn_histograms_reset(struct sn_histograms *histograms) {
    histograms->count = 0;
    sn_arena_reset(&histograms->arena);
}

/* The capacity is set only when all columns have it; one longer column does no harm. */
sn_status sn_histograms_reserve(struct sn_histograms *histograms, size_t more) {
    if (histograms->capacity - histograms->count >= more) {
        return SN_OK;
    }
    size_t capacity = histograms->capacity > 0 ? 2 * histograms->capacity : HISTOGRAMS_CAPACITY_MIN;
    if (capacity < histograms->count + more) {
        capacity = histograms->count + more;
    }
    int64_t *time_ms = sn_realloc_array(histograms->time_ms, capacity, sizeof *time_ms);
    if (time_ms == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    histograms->time_ms = time_ms;
    int64_t *start_ms = sn_realloc_array(histograms->start_ms, capacity, sizeof *start_ms);
    if (start_ms == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    histograms->start_ms = start_ms;
    struct sn_histogram *items = sn_realloc_array(histograms->items, capacity, sizeof *items);
    if (items == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    histograms->items = items;
    histograms->capacity = capacity;
    return SN_OK;
}

sn_status sn_histograms_append(struct sn_histograms *histograms,
                               const struct sn_histogram_point *point) {
    SN_TRY(sn_histograms_reserve(histograms, 1));
    size_t at = histograms->count;
    SN_TRY(sn_histogram_copy(point->histogram, &histograms->arena, &histograms->items[at]));
    histograms->time_ms[at] = point->time_ms;
    histograms->start_ms[at] = point->start_ms;
    histograms->count = at + 1;
    return SN_OK;
}
