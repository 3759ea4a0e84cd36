/*
 * Arithmetic of native histograms, as Prometheus does it.
 *
 * A finished histogram (struct sn_histogram) is never changed. Sums are made in a struct
 * sn_histogram_sum: buckets as sorted lists of index and count, with Kahan compensation, so that
 * adding a thousand histograms needs no memory beyond the buckets that one of them added.
 *
 * Histograms of the evaluator come out of arithmetic: counts may be negative, NaN or infinite. Only
 * for src/query; one thread per struct.
 */
#ifndef SN_QUERY_HISTOGRAM_PRIV_H
#define SN_QUERY_HISTOGRAM_PRIV_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/histogram.h"
#include "model/histogram_bucket.h"

/* ---- sums ---- */

/* A number and what rounding took from it. */
struct sn_kahan {
    double sum;
    double rest;
};

/* Buckets of one side, ascending by index, each index once; zero counts are buckets, too. */
struct sn_bucket_list {
    int32_t *index; /* [capacity], in the arena of whoever made it */
    struct sn_kahan *count;
    uint32_t size;
    uint32_t capacity;
};

/* Zeroed memory is a valid, empty sum. */
struct sn_histogram_sum {
    int32_t schema;
    enum sn_counter_reset_hint reset_hint;
    double zero_threshold;
    struct sn_kahan zero_count;
    struct sn_kahan count;
    struct sn_kahan sum;
    struct sn_bucket_list positive;
    struct sn_bucket_list negative;
    const double *bounds; /* [bound_count], in the same arena */
    uint32_t bound_count;
};

/* What happened while adding; to be told to the user. */
enum sn_histogram_event {
    SN_HISTOGRAM_COLLISION = 1,    /* one was reset, the other was not */
    SN_HISTOGRAM_RECONCILED = 2,   /* different custom bounds: the common ones are left */
    SN_HISTOGRAM_INCOMPATIBLE = 4, /* exponential and custom: nothing was added */
};

static inline bool sn_histogram_is_custom(const struct sn_histogram *histogram) {
    return histogram->schema == SN_HISTOGRAM_SCHEMA_CUSTOM;
}

/*
 * Set a sum to one histogram; lists that it has already are used again. SN_ERR_NO_MEMORY,
 * SN_ERR_LIMIT (the arena), for all functions here that return a status.
 */
sn_status sn_histogram_sum_set(struct sn_histogram_sum *sum, const struct sn_histogram *histogram,
                               struct sn_arena *arena) SN_MUST_USE;

/*
 * Add sign (1 or -1) times a histogram: the coarser schema, the wider zero bucket and the common
 * custom bounds win.
 *
 *   other     scratch, a zeroed struct at first; used again from call to call with the same arena
 *   events    bits of enum sn_histogram_event are added
 */
sn_status sn_histogram_sum_add(struct sn_histogram_sum *sum, const struct sn_histogram *histogram,
                               double sign, struct sn_histogram_sum *other, struct sn_arena *arena,
                               unsigned *events) SN_MUST_USE;

/* Multiply by a factor: negative ones make gauges. */
void sn_histogram_sum_scale(struct sn_histogram_sum *sum, double factor);
/* Divide: by zero leaves no buckets, by a negative number a gauge. */
void sn_histogram_sum_divide(struct sn_histogram_sum *sum, double divisor);

/* Lower the resolution; nothing when it is as low already, or when buckets are custom. */
void sn_histogram_sum_reduce(struct sn_histogram_sum *sum, int32_t schema);

/*
 * A mean in the making: a sum as long as it does not overflow, a running mean from then on. Zeroed
 * memory is a mean of nothing; the numbers themselves are in a sum beside it.
 */
struct sn_histogram_mean {
    double count;
    double magnitude; /* of what was added so far: no number of the sum is larger */
    bool is_running;
};
sn_status sn_histogram_mean_add(struct sn_histogram_mean *mean, struct sn_histogram_sum *sum,
                                const struct sn_histogram *histogram,
                                struct sn_histogram_sum scratch[2], struct sn_arena *arena,
                                unsigned *events) SN_MUST_USE;
void sn_histogram_mean_finish(const struct sn_histogram_mean *mean, struct sn_histogram_sum *sum);

/* Whether a count or the sum is infinite. */
bool sn_histogram_sum_overflows(const struct sn_histogram_sum *sum);

/* A copy that shares nothing. */
sn_status sn_histogram_sum_copy(const struct sn_histogram_sum *sum, struct sn_histogram_sum *copy,
                                struct sn_arena *arena) SN_MUST_USE;

/* The sum as a histogram in the arena; is_compact: without buckets that are zero. */
sn_status sn_histogram_sum_finish(const struct sn_histogram_sum *sum, bool is_compact,
                                  struct sn_arena *arena,
                                  const struct sn_histogram **ret_histogram) SN_MUST_USE;

/* Deep copy. */
sn_status sn_histogram_keep(const struct sn_histogram *histogram, struct sn_arena *arena,
                            const struct sn_histogram **ret_copy) SN_MUST_USE;

/* ---- two histograms ---- */

/*
 * Whether a counter was reset between `before` and `now`: a bucket or the count fell, or the layout
 * became finer. Looks at values only, apart from SN_RESET_YES.
 *
 *   scratch   two zeroed structs at first, used again from call to call
 */
sn_status sn_histogram_detect_reset(const struct sn_histogram *now,
                                    const struct sn_histogram *before,
                                    struct sn_histogram_sum scratch[2], struct sn_arena *arena,
                                    bool *ret_is_reset) SN_MUST_USE;

/* The same layout and numbers, whatever the reset hint; NaN differs from NaN. */
bool sn_histogram_matches(const struct sn_histogram *a, const struct sn_histogram *b);

/* ---- numbers ---- */

enum sn_nan_note {
    SN_NAN_NONE,
    SN_NAN_RESULT, /* NaN observations made the result NaN */
    SN_NAN_SKEW,   /* NaN observations count as larger than all others */
};

double sn_histogram_quantile(double q, const struct sn_histogram *histogram,
                             enum sn_nan_note *ret_note);
double sn_histogram_fraction(double lower, double upper, const struct sn_histogram *histogram,
                             bool *ret_has_nan);
double sn_histogram_variance(const struct sn_histogram *histogram);

/* What lies below (is_upper) or above a bound, interpolated in the bucket where it lies. */
sn_status sn_histogram_trim(const struct sn_histogram *histogram, double bound, bool is_upper,
                            struct sn_histogram_sum *scratch, struct sn_arena *arena,
                            const struct sn_histogram **ret_histogram) SN_MUST_USE;

/* {count:3, sum:4, (0.5,1]:1, (1,2]:2} */
void sn_histogram_text(const struct sn_histogram *histogram, struct sn_buf *buf);

#endif
