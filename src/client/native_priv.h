/*
 * Scales of native histograms: built per family, and read.
 */
#ifndef SN_CLIENT_NATIVE_PRIV_H
#define SN_CLIENT_NATIVE_PRIV_H

#include "base/status.h"
#include "sonde/native.h"

#include <stdbool.h>

#define SN_NATIVE_SHIFT_MAX 5 /* 32 buckets per power of two: 2.2 % */

/* A family's scale and what it was made from. */
struct sn_native {
    sonde_native_scale scale;
    int low_exponent;  /* values up to 2^low_exponent are in the zero bucket */
    int high_exponent; /* ... above 2^high_exponent in the last one */
    uint32_t bucket_count;
};

/*
 * Make a scale.
 *
 *   metric      its native_ fields, zeros for the defaults
 *   ret_native  released with sn_free
 *
 * Returns SN_OK, SN_ERR_INVALID (resolution no power of two up to 32; low and high not positive, not
 * finite, not in order), SN_ERR_LIMIT (too many buckets), SN_ERR_NO_MEMORY.
 */
sn_status sn_native_new(const sonde_metric *metric, struct sn_native **ret_native,
                        struct sn_err *err) SN_MUST_USE;

/* Whether a metric asks for this scale. */
bool sn_native_is_same(const struct sn_native *native, const sonde_metric *metric);

/* What a metric must say for this scale. */
void sn_native_describe(const struct sn_native *native, sonde_metric *ret_metric);

/* Upper bound of a bucket. */
double sn_native_bound(const struct sn_native *native, uint32_t bucket);

/* Up to where the zero bucket reaches. */
double sn_native_low(const struct sn_native *native);

/* Cells of a histogram. */
static inline uint32_t sn_native_cell_count(const struct sn_native *native) {
    return SONDE_NATIVE_BUCKETS + native->bucket_count;
}

#endif
