/*
 * Values of one interval in exponential buckets, for quantiles with a relative error of at most
 * 1.1 %, in at most 4 KiB per sign: base 2^(1/32), 512 buckets, which span a range of 1 : 65,000.
 * What is nearer to zero than the span below the largest value counts in its lowest bucket.
 *
 * One thread, or guarded by its owner.
 */
#ifndef SN_INGEST_SKETCH_H
#define SN_INGEST_SKETCH_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

#define SN_SKETCH_BUCKETS_MAX 512

/* Consecutive buckets of one sign. */
struct sn_sketch_side {
    double *counts; /* [len], owned */
    int32_t first;  /* index of counts[0] */
    int32_t len;
};

/* Zeroed memory is an empty sketch. */
struct sn_sketch {
    struct sn_sketch_side positive, negative;
    double zero_count;
    double count;
    double min, max;
};

void sn_sketch_release(struct sn_sketch *sketch);
void sn_sketch_clear(struct sn_sketch *sketch); /* no values; memory is kept */

/* Add `weight` times a finite value. SN_ERR_NO_MEMORY: nothing was added. */
sn_status sn_sketch_add(struct sn_sketch *sketch, double value, double weight) SN_MUST_USE;

/* The value that a share of 0..1 does not exceed; NaN of an empty sketch. */
double sn_sketch_quantile(const struct sn_sketch *sketch, double share);

#endif
