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

/* Steps from the first bound to `high`, or 0 when two bounds share a step. */
static uint64_t step_count(const sonde_buckets *buckets, uint32_t shift) {
    uint64_t first = sn_bits_of(buckets->low) >> shift;
    uint64_t previous = first;
    for (uint32_t i = 1; i < buckets->count; i++) {
        uint64_t step = sn_bits_of(buckets->bounds[i]) >> shift;
        if (step == previous)
            return 0;
        previous = step;
    }
    return (sn_bits_of(buckets->high) >> shift) - first + 1;
}

static void fill_table(const sonde_buckets *buckets, uint8_t *table, uint64_t steps) {
    uint8_t below = 0;
    for (uint64_t i = 0; i < steps; i++) {
        double start = sn_double_of((buckets->first + i) << buckets->shift);
        while (below < buckets->count && buckets->bounds[below] < start)
            below++;
        table[i] = below;
    }
}

static sn_status make_table(sonde_buckets *buckets) {
    if (!(buckets->low > 0))
        return SN_OK;
    for (uint32_t shift = SHIFT_COARSEST; shift >= SHIFT_FINEST; shift--) {
        uint64_t steps = step_count(buckets, shift);
        if (steps > SN_BUCKET_STEPS_MAX)
            return SN_OK;
        if (steps == 0)
            continue;
        uint8_t *table = sn_alloc((size_t)steps);
        if (table == NULL)
            return SN_ERR_NO_MEMORY;
        buckets->shift = shift;
        buckets->first = sn_bits_of(buckets->low) >> shift;
        fill_table(buckets, table, steps);
        buckets->table = table;
        return SN_OK;
    }
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
    buckets->high = count > 0 ? nextafter(scaled[count - 1], (double)INFINITY) : 0;
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
