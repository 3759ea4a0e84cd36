/*
 * Building and searching the buckets of a histogram. See buckets_priv.h.
 *
 * The invariant that makes the table right: for positive doubles the order of values is the order
 * of their bits, so a step (all values with the same bits >> shift) is an interval.
 */
#include "client/buckets_priv.h"

#include "base/mem.h"
#include "client/slab_priv.h"
#include "sonde/registry.h"

#include <math.h>
#include <stdbool.h>

#define SHIFT_COARSEST 52 /* one step per power of two */
#define SHIFT_FINEST 40   /* 4096 steps per power of two */

const double sn_default_bounds[] = {0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5};
const size_t sn_default_bound_count = sizeof sn_default_bounds / sizeof sn_default_bounds[0];

size_t sonde_bucket_search(const sonde_buckets *buckets, double value) {
    size_t k = 0;
    for (uint32_t i = 0; i < buckets->count; i++)
        k += value > buckets->bounds[i];
    return k;
}

static int64_t step_of(double value, uint32_t shift) {
    return (int64_t)(sn_bits_of(value) >> shift);
}

/* Whether no two bounds share a step. */
static bool is_fine_enough(const sonde_buckets *buckets, uint32_t shift) {
    for (uint32_t i = 1; i < buckets->count; i++) {
        if (step_of(buckets->bounds[i], shift) == step_of(buckets->bounds[i - 1], shift))
            return false;
    }
    return true;
}

static void fill_table(const sonde_buckets *buckets, uint8_t *table) {
    uint8_t below = 0;
    for (int64_t step = buckets->first; step <= buckets->last; step++) {
        double start = sn_double_of((uint64_t)step << buckets->shift);
        while (below < buckets->count && buckets->bounds[below] < start)
            below++;
        table[step - buckets->first] = below;
    }
}

/* No table where none fits: that is no failure. */
static sn_status make_table(sonde_buckets *buckets) {
    if (buckets->count == 0 || !(buckets->low > 0))
        return SN_OK;
    double high = nextafter(buckets->bounds[buckets->count - 1], (double)INFINITY);
    uint32_t shift = SHIFT_COARSEST;
    while (shift >= SHIFT_FINEST && !is_fine_enough(buckets, shift))
        shift--;
    buckets->shift = shift;
    buckets->first = step_of(buckets->low, shift);
    buckets->last = step_of(high, shift);
    int64_t count = buckets->last - buckets->first + 1;
    if (shift < SHIFT_FINEST || count > SN_BUCKET_STEPS_MAX)
        return SN_OK;
    uint8_t *table = sn_alloc((size_t)count);
    if (table == NULL)
        return SN_ERR_NO_MEMORY;
    fill_table(buckets, table);
    buckets->table = table;
    return SN_OK;
}

static sn_status check_bounds(const double *bounds, size_t count, struct sn_err *err) {
    if (count > SONDE_BUCKETS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "histogram has %zu bounds, the limit is %d", count,
                          SONDE_BUCKETS_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(bounds[i]))
            return sn_err_set(err, SN_ERR_INVALID, "bound %zu of the histogram is not finite", i);
        if (i > 0 && !(bounds[i] > bounds[i - 1]))
            return sn_err_set(err, SN_ERR_INVALID,
                              "bound %zu of the histogram is not above the one before", i);
    }
    return SN_OK;
}

sn_status sn_buckets_new(const double *bounds, size_t count, double scale,
                         sonde_buckets **ret_buckets, struct sn_err *err) {
    SN_TRY(check_bounds(bounds, count, err));
    sonde_buckets *buckets = sn_alloc_zero(1, sizeof *buckets);
    double *scaled = sn_alloc_zero(count + 1, sizeof *scaled);
    if (buckets == NULL || scaled == NULL) {
        sn_free(buckets);
        sn_free(scaled);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the bounds of a histogram");
    }
    for (size_t i = 0; i < count; i++)
        scaled[i] = scale == 1 ? bounds[i] : nearbyint(bounds[i] * scale);
    scaled[count] = (double)INFINITY;
    buckets->bounds = scaled;
    buckets->count = (uint32_t)count;
    buckets->low = count > 0 ? scaled[0] : 0;
    if (make_table(buckets) != SN_OK) {
        (void)sn_buckets_free(buckets);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the bounds of a histogram");
    }
    *ret_buckets = buckets;
    return SN_OK;
}

/* The record path must not write there, so the pointers are const; they are ours to release. */
sonde_buckets *sn_buckets_free(sonde_buckets *buckets) {
    if (buckets != NULL) {
        sn_free((void *)(uintptr_t)buckets->table);
        sn_free((void *)(uintptr_t)buckets->bounds);
        sn_free(buckets);
    }
    return NULL;
}
