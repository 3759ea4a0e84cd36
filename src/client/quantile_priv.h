/*
 * Percentiles from the buckets of a histogram. Pure.
 */
#ifndef SN_CLIENT_QUANTILE_PRIV_H
#define SN_CLIENT_QUANTILE_PRIV_H

#include "sonde/cells.h"

/* What is known of a set of values. */
struct sn_distribution {
    const sonde_buckets *buckets; /* bounds, the last is +Inf */
    const uint64_t *counts;       /* [buckets->count + 1] values per bucket */
    double min;                   /* of all values; exact */
    double max;                   /* 0: not known, as no value is recorded whole yet */
};

/* A percentile: an estimate, and where the true one lies for certain. */
struct sn_quantile {
    double value;
    double low;
    double high;
};

/*
 * Find the value below which `part` (0 to 1) of all values lie: linear in its bucket, whose ends are
 * narrowed to the exact minimum and maximum. So the error is at most high - low, and
 * nothing when all values are equal. Without values: all 0. O(bounds).
 */
struct sn_quantile sn_quantile_find(const struct sn_distribution *values, double part);

#endif
