/*
 * Buckets of native histograms as intervals: for people, for JSON, and for whoever interpolates.
 */
#ifndef SN_MODEL_HISTOGRAM_BUCKET_H
#define SN_MODEL_HISTOGRAM_BUCKET_H

#include "model/histogram.h"

#include <stdbool.h>

struct sn_histogram_bucket {
    double lower;
    double upper;
    double count;
    bool has_lower; /* the lower bound belongs to the bucket */
    bool has_upper;
};

/* Walks the buckets of all signs upwards (or downwards), the zero bucket in between. */
struct sn_bucket_cursor {
    const struct sn_histogram *histogram;
    bool is_down;
    int phase;     /* 0: side that comes first, 1: zero bucket, 2: other side, 3: end */
    uint32_t span; /* of the side at hand */
    uint32_t in_span;
    uint32_t bucket;
    int64_t index;
};

void sn_bucket_cursor_init(struct sn_bucket_cursor *cursor, const struct sn_histogram *histogram,
                           bool is_down);
bool sn_bucket_cursor_next(struct sn_bucket_cursor *cursor, struct sn_histogram_bucket *ret_bucket);

/* Upper bound of a bucket by its index. */
double sn_histogram_bound(const struct sn_histogram *histogram, int64_t index);

#endif
