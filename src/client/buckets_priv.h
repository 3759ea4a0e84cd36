/*
 * Bounds of a histogram, prepared for the record path (sonde_buckets) and for reading.
 *
 * A value finds its bucket without a search: its bits, shifted, number a step of a table that
 * holds how many bounds lie below the step; one comparison with the only bound that the step
 * may contain decides the rest. The table is the coarsest one in which no step has two bounds. Where
 * none of at most SN_BUCKET_STEPS_MAX steps exists (bounds that are negative, zero, or closer than
 * 1/4096 of each other), the bucket is found by counting.
 */
#ifndef SN_CLIENT_BUCKETS_PRIV_H
#define SN_CLIENT_BUCKETS_PRIV_H

#include "base/status.h"
#include "sonde/cells.h"

#include <stdbool.h>

#define SN_BUCKET_STEPS_MAX 2048

/*
 * Make buckets of bounds times `scale` (1e9: bounds in seconds, values in nanoseconds).
 *
 *   bounds       [count] strictly ascending, finite; count 1 to SONDE_BUCKETS_MAX
 *   ret_buckets  released with sn_buckets_free
 *
 * Returns SN_OK, SN_ERR_INVALID (which bound), SN_ERR_LIMIT (too many), SN_ERR_NO_MEMORY.
 * Threads: any.
 */
sn_status sn_buckets_new(const double *bounds, size_t count, double scale,
                         sonde_buckets **ret_buckets, struct sn_err *err) SN_MUST_USE;
sonde_buckets *sn_buckets_free(sonde_buckets *buckets);

/* 0.001 to 5 seconds, as client libraries agree. */
extern const double sn_default_bounds[];
extern const size_t sn_default_bound_count;

#endif
