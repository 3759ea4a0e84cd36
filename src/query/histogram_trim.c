/*
 * The operators </ and >/: what of a native histogram lies below or above a bound.
 *
 * Buckets on the kept side stay, that with the bound in it is interpolated, the others are gone. The
 * sum is estimated anew from the middles of the buckets. Only for src/query; any thread.
 */
#include "query/histogram_priv.h"

#include "query/eval_priv.h"

struct trim {
    const struct sn_histogram *histogram;
    double bound;
    bool is_upper; /* keep what is below */
    bool is_custom;
    bool has_changed;
    bool has_positive;
    bool has_negative;
    double count;
    double sum;
};

/* How much of a bucket stays, and where its middle is. */
struct kept {
    double count;
    double middle;
};

static double finite_or_zero(double value) {
    return isinf(value) ? 0 : value;
}

static double middle_between(double lower, double upper, bool is_custom, bool is_positive) {
    if (isinf(lower) && isinf(upper)) {
        return 0;
    }
    if (isinf(lower)) {
        return upper > 0 ? upper / 2 : upper;
    }
    if (isinf(upper)) {
        return lower;
    }
    if (is_custom) {
        return (lower + upper) / 2;
    }
    double middle = sqrt(fabs(lower * upper));
    return is_positive ? middle : -middle;
}

/* (-Inf, upper]: what is in it is not known, unless it can be taken to begin at 0. */
static struct kept keep_of_lowest(const struct trim *trim,
                                  const struct sn_histogram_bucket *bucket) {
    double bound = trim->bound;
    bool ends_above_zero = bucket->upper > 0 && !isinf(bucket->upper);
    if (trim->is_upper) {
        if (bound >= bucket->upper) {
            return (struct kept){bucket->count, 0};
        }
        if (bound > 0 && ends_above_zero) {
            return (struct kept){bucket->count * bound / bucket->upper, bound / 2};
        }
        if (bucket->upper <= 0) {
            return (struct kept){bucket->count, bound};
        }
        return (struct kept){0, finite_or_zero(bucket->upper)};
    }
    if (bound <= bucket->lower) {
        return (struct kept){bucket->count, 0};
    }
    if (bound >= 0 && bucket->upper > bound && !isinf(bucket->upper)) {
        return (struct kept){bucket->count * (1 - bound / bucket->upper),
                             (bound + bucket->upper) / 2};
    }
    return (struct kept){0, finite_or_zero(bucket->upper)};
}

/* (lower, +Inf): nothing is known about it. */
static struct kept keep_of_highest(const struct trim *trim,
                                   const struct sn_histogram_bucket *bucket) {
    if (!trim->is_upper && trim->bound >= bucket->lower) {
        return (struct kept){bucket->count, trim->bound};
    }
    return (struct kept){0, finite_or_zero(bucket->lower)};
}

/* Observations of a bucket of finite width below the bound, which lies in it. */
static double count_below(const struct trim *trim, const struct sn_histogram_bucket *bucket,
                          bool is_positive) {
    if (trim->is_custom) {
        return bucket->count * (trim->bound - bucket->lower) / (bucket->upper - bucket->lower);
    }
    double lower = log2(fabs(bucket->lower));
    double upper = log2(fabs(bucket->upper));
    double at = log2(fabs(trim->bound));
    double share =
        is_positive ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
    return bucket->count * share;
}

static struct kept keep_of_cut(const struct trim *trim, const struct sn_histogram_bucket *bucket,
                               bool is_positive) {
    if (isinf(bucket->lower)) {
        return keep_of_lowest(trim, bucket);
    }
    if (isinf(bucket->upper)) {
        return keep_of_highest(trim, bucket);
    }
    double below = count_below(trim, bucket, is_positive);
    if (trim->is_upper) {
        return (struct kept){
            below, middle_between(bucket->lower, trim->bound, trim->is_custom, is_positive)};
    }
    return (struct kept){bucket->count - below,
                         middle_between(trim->bound, bucket->upper, trim->is_custom, is_positive)};
}

static struct kept keep_of(const struct trim *trim, const struct sn_histogram_bucket *bucket,
                           bool is_positive) {
    bool is_inside = trim->is_upper ? bucket->upper <= trim->bound : bucket->lower >= trim->bound;
    bool is_cut = trim->is_upper ? bucket->lower < trim->bound : bucket->upper > trim->bound;
    if (is_inside) {
        return (struct kept){bucket->count, middle_between(bucket->lower, bucket->upper,
                                                           trim->is_custom, is_positive)};
    }
    return is_cut ? keep_of_cut(trim, bucket, is_positive) : (struct kept){0, 0};
}

static void trim_list(struct trim *trim, struct sn_bucket_list *list, bool is_positive) {
    for (uint32_t i = 0; i < list->size; i++) {
        double outer = sn_histogram_bound(trim->histogram, list->index[i]);
        double inner = sn_histogram_bound(trim->histogram, (int64_t)list->index[i] - 1);
        struct sn_histogram_bucket bucket = {.lower = is_positive ? inner : -outer,
                                             .upper = is_positive ? outer : -inner,
                                             .count = list->count[i].sum};
        if (bucket.count == 0) {
            continue;
        }
        trim->has_positive |= is_positive;
        trim->has_negative |= !is_positive;
        struct kept kept = keep_of(trim, &bucket, is_positive);
        trim->count += kept.count;
        trim->sum += kept.middle * kept.count;
        trim->has_changed |= kept.count != bucket.count;
        list->count[i].sum = kept.count;
    }
}

/* The zero bucket of a histogram of one sign has half of its width. */
static struct kept keep_of_zero(const struct trim *trim) {
    double zero = trim->histogram->zero_threshold;
    double lower = trim->has_positive && !trim->has_negative ? 0 : -zero;
    double upper = trim->has_negative && !trim->has_positive ? 0 : zero;
    double count = trim->histogram->zero_count;
    bool is_above = trim->bound >= upper;
    bool is_below = trim->bound <= lower;
    if (trim->is_upper ? is_below : is_above && !is_below) {
        return (struct kept){0, 0};
    }
    if (trim->is_upper ? is_above : is_below) {
        return (struct kept){count, (lower + upper) / 2};
    }
    if (trim->is_upper) {
        return (struct kept){count * (trim->bound - lower) / (upper - lower),
                             (lower + trim->bound) / 2};
    }
    return (struct kept){count * (upper - trim->bound) / (upper - lower),
                         (trim->bound + upper) / 2};
}

static void trim_zero(struct trim *trim, struct sn_histogram_sum *result) {
    if (!(trim->histogram->zero_count > 0)) {
        return;
    }
    struct kept kept = keep_of_zero(trim);
    trim->has_changed |= kept.count != trim->histogram->zero_count;
    trim->count += kept.count;
    trim->sum += kept.middle * kept.count;
    result->zero_count = (struct sn_kahan){kept.count, 0};
}

sn_status sn_histogram_trim(const struct sn_histogram *histogram, double bound, bool is_upper,
                            struct sn_histogram_sum *scratch, struct sn_arena *arena,
                            const struct sn_histogram **ret_histogram) {
    struct trim trim = {.histogram = histogram,
                        .bound = bound,
                        .is_upper = is_upper,
                        .is_custom = sn_histogram_is_custom(histogram)};
    SN_TRY(sn_histogram_sum_set(scratch, histogram, arena));
    trim_list(&trim, &scratch->positive, true);
    trim_list(&trim, &scratch->negative, false);
    trim_zero(&trim, scratch);
    if (trim.has_changed) {
        scratch->count = (struct sn_kahan){trim.count, 0};
        scratch->sum = (struct sn_kahan){trim.sum, 0};
    }
    return sn_histogram_sum_finish(scratch, trim.has_changed, arena, ret_histogram);
}
