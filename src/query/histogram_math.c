/*
 * Numbers out of classic histograms, and quantiles of plain values.
 *
 * Pure functions; any thread.
 */
#include "query/eval_priv.h"

#include <float.h>
#include <stdlib.h>

/* Relative differences below this are rounding, not data. */
#define SMALL_DELTA 1e-12

static int compare_doubles(const void *left, const void *right) {
    double a = *(const double *)left;
    double b = *(const double *)right;
    if (isnan(a) || isnan(b)) {
        return isnan(b) - isnan(a);
    }
    return (a > b) - (a < b);
}

/* Short windows are the rule: insertion needs no call per comparison. */
static void sort_doubles(double *values, size_t count) {
    if (count > 32) {
        qsort(values, count, sizeof *values, compare_doubles);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        double value = values[i];
        size_t at = i;
        while (at > 0 && compare_doubles(&values[at - 1], &value) > 0) {
            values[at] = values[at - 1];
            at--;
        }
        values[at] = value;
    }
}

double sn_quantile(double q, double *values, size_t count) {
    if (count == 0 || isnan(q)) {
        return SN_NAN;
    }
    if (q < 0 || q > 1) {
        return q < 0 ? -SN_INFINITY : SN_INFINITY;
    }
    sort_doubles(values, count);
    double rank = q * (double)(count - 1);
    double floor_rank = floor(rank);
    size_t lower = (size_t)floor_rank;
    size_t upper = lower + 1 < count ? lower + 1 : count - 1;
    double weight = rank - floor_rank;
    return values[lower] * (1 - weight) + values[upper] * weight;
}

/* ---- buckets ---- */

static int compare_buckets(const void *left, const void *right) {
    return compare_doubles(&((const struct sn_bucket *)left)->upper_bound,
                           &((const struct sn_bucket *)right)->upper_bound);
}

/* Sort, and join buckets of the same bound ("0.2" and "2e-1"). Returns how many are left. */
static size_t join_buckets(struct sn_bucket *buckets, size_t count) {
    size_t kept = 0;
    qsort(buckets, count, sizeof *buckets, compare_buckets);
    for (size_t i = 1; i < count; i++) {
        if (buckets[i].upper_bound == buckets[kept].upper_bound) {
            buckets[kept].count += buckets[i].count;
        } else {
            buckets[++kept] = buckets[i];
        }
    }
    return kept + 1;
}

static bool is_nearly_equal(double a, double b) {
    double sum = fabs(a) + fabs(b);
    double difference = fabs(a - b);
    if (a == b || (isnan(a) && isnan(b))) {
        return true;
    }
    if (a == 0 || b == 0 || sum < DBL_MIN) {
        return difference < SMALL_DELTA * DBL_MIN;
    }
    return difference / (sum < DBL_MAX ? sum : DBL_MAX) < SMALL_DELTA;
}

/* Cumulative counts cannot fall: scrapes and rates of different times make it look so. */
static bool make_monotonic(struct sn_bucket *buckets, size_t count) {
    double highest = buckets[0].count;
    bool was_fixed = false;
    for (size_t i = 1; i < count; i++) {
        double now = buckets[i].count;
        if (now == highest) {
            continue;
        }
        if (is_nearly_equal(highest, now)) {
            buckets[i].count = highest;
        } else if (now < highest) {
            buckets[i].count = highest;
            was_fixed = true;
        } else {
            highest = now;
        }
    }
    return was_fixed;
}

/* Index of the first bucket, the last one aside, whose count reaches rank. */
static size_t find_bucket(const struct sn_bucket *buckets, size_t count, double rank) {
    size_t low = 0;
    size_t high = count - 1;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (buckets[middle].count >= rank) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return low;
}

static double interpolate_quantile(double q, const struct sn_bucket *buckets, size_t count) {
    double rank = q * buckets[count - 1].count;
    size_t at = find_bucket(buckets, count, rank);
    if (at == count - 1) {
        return buckets[count - 2].upper_bound;
    }
    if (at == 0 && buckets[0].upper_bound <= 0) {
        return buckets[0].upper_bound;
    }
    struct sn_bucket below = at > 0 ? buckets[at - 1] : (struct sn_bucket){0, 0};
    return below.upper_bound + (buckets[at].upper_bound - below.upper_bound) *
                                   ((rank - below.count) / (buckets[at].count - below.count));
}

static bool ends_at_infinity(const struct sn_bucket *buckets, size_t count) {
    return isinf(buckets[count - 1].upper_bound) && buckets[count - 1].upper_bound > 0;
}

double sn_bucket_quantile(double q, struct sn_bucket *buckets, size_t count, bool *ret_was_fixed) {
    *ret_was_fixed = false;
    if (isnan(q)) {
        return SN_NAN;
    }
    if (q < 0 || q > 1) {
        return q < 0 ? -SN_INFINITY : SN_INFINITY;
    }
    count = join_buckets(buckets, count);
    if (!ends_at_infinity(buckets, count)) {
        return SN_NAN;
    }
    *ret_was_fixed = make_monotonic(buckets, count);
    if (count < 2 || buckets[count - 1].count == 0) {
        *ret_was_fixed = false;
        return SN_NAN;
    }
    return interpolate_quantile(q, buckets, count);
}

/* Observations up to `bound`, interpolated in its bucket. */
static double rank_of(double bound, const struct sn_bucket *buckets, size_t count) {
    double rank = 0;
    double lower = buckets[0].upper_bound > 0 ? 0 : -SN_INFINITY;
    for (size_t i = 0; i < count; i++) {
        double upper = buckets[i].upper_bound;
        if (lower >= bound) {
            return rank;
        }
        if (upper > bound) {
            /* Without a lower end there is nothing to interpolate. */
            return isinf(lower)
                       ? buckets[i].count
                       : rank + (buckets[i].count - rank) * (bound - lower) / (upper - lower);
        }
        rank = buckets[i].count;
        lower = upper;
    }
    return buckets[count - 1].count;
}

double sn_bucket_fraction(double lower, double upper, struct sn_bucket *buckets, size_t count) {
    count = join_buckets(buckets, count);
    double total = buckets[count - 1].count;
    if (!ends_at_infinity(buckets, count) || total == 0 || isnan(lower) || isnan(upper)) {
        return SN_NAN;
    }
    if (lower >= upper) {
        return 0;
    }
    double rank_lower = rank_of(lower, buckets, count);
    double rank_upper = rank_of(upper, buckets, count);
    rank_lower = rank_lower > total ? total : rank_lower;
    rank_upper = rank_upper > total ? total : rank_upper;
    return (rank_upper - rank_lower) / total;
}
