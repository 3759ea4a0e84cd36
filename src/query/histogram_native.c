/*
 * Numbers out of native histograms: quantile, fraction, variance; and their text.
 *
 * Pure functions; any thread.
 */
#include "query/histogram_priv.h"

#include "codec/number.h"
#include "query/eval_priv.h"

/* ---- quantile ---- */

/* A zero bucket in a histogram of one sign has half of its width. */
static void narrow_zero_bucket(const struct sn_histogram *histogram,
                               struct sn_histogram_bucket *bucket) {
    if (histogram->negative_bucket_count == 0 && histogram->positive_bucket_count > 0) {
        bucket->lower = 0;
    } else if (histogram->positive_bucket_count == 0 && histogram->negative_bucket_count > 0) {
        bucket->upper = 0;
    }
}

/* Where in the bucket: straight in linear buckets, as a power in exponential ones. */
static double interpolate(const struct sn_histogram *histogram,
                          const struct sn_histogram_bucket *bucket, double share) {
    if (sn_histogram_is_custom(histogram) || (bucket->lower <= 0 && bucket->upper >= 0)) {
        return bucket->lower + (bucket->upper - bucket->lower) * share;
    }
    double lower = log2(fabs(bucket->lower));
    double upper = log2(fabs(bucket->upper));
    if (bucket->lower > 0) {
        return exp2(lower + (upper - lower) * share);
    }
    return -exp2(upper + (lower - upper) * (1 - share));
}

/* Observations that are NaN are in the count and in no bucket. */
static bool has_nan(const struct sn_histogram *histogram, double bucket_sum) {
    return isnan(histogram->sum) && bucket_sum < histogram->count;
}

static double sum_of_buckets(const struct sn_histogram *histogram) {
    struct sn_bucket_cursor cursor;
    struct sn_histogram_bucket bucket;
    double sum = 0;
    sn_bucket_cursor_init(&cursor, histogram, false);
    while (sn_bucket_cursor_next(&cursor, &bucket)) {
        sum += bucket.count;
    }
    return sum;
}

struct found_bucket {
    struct sn_histogram_bucket bucket;
    double count; /* up to its end, as seen from where the search began */
};

static struct found_bucket find_rank(const struct sn_histogram *histogram, double rank,
                                     bool is_down) {
    struct found_bucket found = {.count = 0};
    struct sn_histogram_bucket bucket;
    struct sn_bucket_cursor cursor;
    sn_bucket_cursor_init(&cursor, histogram, is_down);
    while (sn_bucket_cursor_next(&cursor, &bucket)) {
        if (bucket.count == 0) {
            continue;
        }
        found.bucket = bucket;
        found.count += bucket.count;
        if (found.count >= rank) {
            break;
        }
    }
    if (found.count > histogram->count) { /* rounding */
        found.count = histogram->count;
    }
    return found;
}

/* The ends of custom bounds have no width. Returns whether *ret_value is the answer. */
static bool is_open_bucket(struct sn_histogram_bucket *bucket, double *ret_value) {
    if (isinf(bucket->lower) && bucket->lower < 0) {
        *ret_value = bucket->upper;
        if (bucket->upper <= 0) {
            return true;
        }
        bucket->lower = 0;
        return false;
    }
    *ret_value = bucket->lower;
    return isinf(bucket->upper) && bucket->upper > 0;
}

/* The value at a rank; `is_down`: counted from above. */
static double value_at_rank(const struct sn_histogram *histogram, double rank, bool is_down,
                            enum sn_nan_note *ret_note) {
    double value;
    struct found_bucket found = find_rank(histogram, rank, is_down);
    struct sn_histogram_bucket *bucket = &found.bucket;
    bool has_no_sum = isnan(histogram->sum);
    if (sn_histogram_is_custom(histogram) && is_open_bucket(bucket, &value)) {
        return value;
    }
    if (!sn_histogram_is_custom(histogram) && bucket->lower < 0 && bucket->upper > 0) {
        narrow_zero_bucket(histogram, bucket);
    }
    if (found.count < rank) {
        *ret_note = has_no_sum ? SN_NAN_RESULT : SN_NAN_NONE;
        return has_no_sum ? SN_NAN : bucket->upper;
    }
    if (has_no_sum && has_nan(histogram, sum_of_buckets(histogram))) {
        *ret_note = SN_NAN_SKEW;
    }
    rank = is_down ? found.count - rank : rank - (found.count - bucket->count);
    return interpolate(histogram, bucket, rank / bucket->count);
}

double sn_histogram_quantile(double q, const struct sn_histogram *histogram,
                             enum sn_nan_note *ret_note) {
    *ret_note = SN_NAN_NONE;
    if (q < 0 || q > 1) {
        return q < 0 ? -SN_INFINITY : SN_INFINITY;
    }
    if (histogram->count == 0 || isnan(q)) {
        return SN_NAN;
    }
    /* From the nearer end; NaN observations are larger than all others. */
    bool is_down = !isnan(histogram->sum) && q >= 0.5;
    return value_at_rank(histogram, (is_down ? 1 - q : q) * histogram->count, is_down, ret_note);
}

/* ---- fraction ---- */

/* Observations of a bucket that lie below a value inside of it. */
static double count_below(const struct sn_histogram *histogram,
                          const struct sn_histogram_bucket *bucket, bool is_zero, double value) {
    if (isinf(bucket->lower) && bucket->lower < 0) {
        return bucket->count; /* without a lower end there is nothing to interpolate */
    }
    if (sn_histogram_is_custom(histogram) || is_zero) {
        return bucket->count * (value - bucket->lower) / (bucket->upper - bucket->lower);
    }
    double lower = log2(fabs(bucket->lower));
    double upper = log2(fabs(bucket->upper));
    double at = log2(fabs(value));
    double share = value > 0 ? (at - lower) / (upper - lower) : 1 - (at - upper) / (lower - upper);
    return bucket->count * share;
}

struct rank {
    double value; /* the bound */
    double rank;
    bool is_set;
};

static void advance_rank(struct rank *rank, const struct sn_histogram *histogram,
                         const struct sn_histogram_bucket *bucket, bool is_zero, double below) {
    if (rank->is_set) {
        return;
    }
    if (bucket->lower >= rank->value) {
        *rank = (struct rank){rank->value, below, true};
    } else if (bucket->upper > rank->value) {
        double more = count_below(histogram, bucket, is_zero, rank->value);
        *rank = (struct rank){rank->value, below + more, true};
    }
}

double sn_histogram_fraction(double lower, double upper, const struct sn_histogram *histogram,
                             bool *ret_has_nan) {
    struct rank ranks[2] = {{.value = lower}, {.value = upper}};
    struct sn_bucket_cursor cursor;
    struct sn_histogram_bucket bucket;
    double below = 0;
    *ret_has_nan = false;
    if (histogram->count == 0 || isnan(lower) || isnan(upper)) {
        return SN_NAN;
    }
    if (lower >= upper) {
        return 0;
    }
    sn_bucket_cursor_init(&cursor, histogram, false);
    while (sn_bucket_cursor_next(&cursor, &bucket)) {
        bool is_zero = bucket.lower <= 0 && bucket.upper >= 0;
        if (is_zero) {
            narrow_zero_bucket(histogram, &bucket);
        }
        advance_rank(&ranks[0], histogram, &bucket, is_zero, below);
        advance_rank(&ranks[1], histogram, &bucket, is_zero, below);
        below += bucket.count;
    }
    *ret_has_nan = has_nan(histogram, below);
    double most = isnan(histogram->sum) ? below : histogram->count;
    for (int i = 0; i < 2; i++) {
        if (!ranks[i].is_set || ranks[i].rank > most) {
            ranks[i].rank = most;
        }
    }
    return (ranks[1].rank - ranks[0].rank) / histogram->count;
}

/* ---- variance ---- */

static double middle_of(const struct sn_histogram *histogram,
                        const struct sn_histogram_bucket *bucket) {
    if (sn_histogram_is_custom(histogram)) {
        return (bucket->upper + bucket->lower) / 2;
    }
    if (bucket->lower <= 0 && bucket->upper >= 0) {
        return 0;
    }
    double middle = sqrt(bucket->upper * bucket->lower);
    return bucket->upper < 0 ? -middle : middle;
}

double sn_histogram_variance(const struct sn_histogram *histogram) {
    struct sn_bucket_cursor cursor;
    struct sn_histogram_bucket bucket;
    double mean = histogram->sum / histogram->count;
    double variance = 0;
    double compensation = 0;
    sn_bucket_cursor_init(&cursor, histogram, false);
    while (sn_bucket_cursor_next(&cursor, &bucket)) {
        if (bucket.count != 0) {
            double delta = middle_of(histogram, &bucket) - mean;
            sn_kahan_add(bucket.count * delta * delta, &variance, &compensation);
        }
    }
    return (variance + compensation) / histogram->count;
}

/* ---- text ---- */

static void put_number(struct sn_buf *buf, double value) {
    char text[SN_DOUBLE_TEXT_SIZE];
    sn_double_format(value, SN_DOUBLE_TEXT, text);
    sn_buf_put_text(buf, text);
}

void sn_histogram_text(const struct sn_histogram *histogram, struct sn_buf *buf) {
    struct sn_bucket_cursor cursor;
    struct sn_histogram_bucket bucket;
    sn_buf_put_text(buf, "{count:");
    put_number(buf, histogram->count);
    sn_buf_put_text(buf, ", sum:");
    put_number(buf, histogram->sum);
    sn_bucket_cursor_init(&cursor, histogram, false);
    while (sn_bucket_cursor_next(&cursor, &bucket)) {
        if (bucket.count == 0) {
            continue;
        }
        sn_buf_put_text(buf, bucket.has_lower ? ", [" : ", (");
        put_number(buf, bucket.lower);
        sn_buf_put_byte(buf, ',');
        put_number(buf, bucket.upper);
        sn_buf_put_text(buf, bucket.has_upper ? "]:" : "):");
        put_number(buf, bucket.count);
    }
    sn_buf_put_byte(buf, '}');
}
