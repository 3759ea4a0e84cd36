/*
 * Native histograms: the calls behind sonde/native.h, and their scales (native_priv.h).
 *
 * Bucket i of resolution r ends at 2^(i/r), as in Prometheus, so that histograms of all programs add up.
 */
#include "client/native_priv.h"

#include "base/mem.h"
#include "client/family_priv.h"

#include <math.h>

#define FAMILY(family) ((struct sn_family *)(void *)(family))

#define RESOLUTION_DEFAULT 8
#define LOW_DEFAULT 0x1p-20 /* a microsecond */
#define HIGH_DEFAULT 0x1p15 /* nine hours */
#define EXPONENT_BIAS 1023
#define MANTISSA_BITS 52
#define STEP_BITS                                                                                  \
    7 /* at 32 buckets per power of two the bounds are 1/46 apart: never two per step */

/* Values never find a cell in it: every one takes the call, which drops it. */
static const sonde_native_scale no_scale = {.first = UINT64_MAX};
static struct sn_series nowhere = {.head.native = {.scale = &no_scale}};

/* Scales. */

struct range {
    unsigned resolution;
    double low;
    double high;
};

static struct range range_of(const sonde_metric *metric) {
    return (struct range){
        metric->native_resolution != 0 ? metric->native_resolution : RESOLUTION_DEFAULT,
        metric->native_low != 0 ? metric->native_low : LOW_DEFAULT,
        metric->native_high != 0 ? metric->native_high : HIGH_DEFAULT,
    };
}

/* Powers of two around the range, outwards. */
static int floor_exponent(double value) {
    int exponent;
    (void)frexp(value, &exponent);
    return exponent - 1;
}

static int ceil_exponent(double value) {
    int exponent;
    double fraction = frexp(value, &exponent);
    return fraction > 0.5 ? exponent : exponent - 1;
}

static sn_status check_range(const struct range *range, struct sn_err *err) {
    unsigned r = range->resolution;
    if (r == 0 || r > 1u << SN_NATIVE_SHIFT_MAX || (r & (r - 1)) != 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "native_resolution is %u, it must be 1, 2, 4, 8, 16 or 32", r);
    if (!isnormal(range->low) || !isnormal(range->high) || range->low < 0 ||
        range->high <= range->low)
        return sn_err_set(err, SN_ERR_INVALID,
                          "native_low and native_high must be above 0, finite and in order");
    return SN_OK;
}

static uint64_t mantissa_of(double value) {
    return sn_bits_of(value) & ((UINT64_C(1) << MANTISSA_BITS) - 1);
}

static void fill_scale(struct sn_native *native) {
    sonde_native_scale *scale = &native->scale;
    unsigned resolution = 1u << scale->shift;
    scale->first = (uint64_t)(native->low_exponent + EXPONENT_BIAS) << STEP_BITS;
    scale->step_count = (uint64_t)(native->high_exponent - native->low_exponent) << STEP_BITS;
    for (unsigned i = 1; i < resolution; i++)
        scale->bounds[i - 1] = mantissa_of(exp2((double)i / resolution));
    scale->bounds[resolution - 1] = UINT64_MAX;
    for (unsigned step = 0, below = 0; step < 1u << STEP_BITS; step++) {
        uint64_t start = (uint64_t)step << (MANTISSA_BITS - STEP_BITS);
        while (scale->bounds[below] <= start)
            below++;
        scale->table[step] = (uint8_t)below;
    }
}

sn_status sn_native_new(const sonde_metric *metric, struct sn_native **ret_native,
                        struct sn_err *err) {
    struct range range = range_of(metric);
    SN_TRY(check_range(&range, err));
    int low = floor_exponent(range.low);
    int high = ceil_exponent(range.high);
    high = high > low ? high : low + 1;
    uint32_t buckets = (uint32_t)(high - low) * range.resolution;
    if (buckets > SONDE_NATIVE_BUCKETS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "a native histogram with %u buckets, the limit is %d",
                          (unsigned)buckets, SONDE_NATIVE_BUCKETS_MAX);
    struct sn_native *native = sn_alloc_zero(1, sizeof *native);
    if (native == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the scale of a histogram");
    native->low_exponent = low;
    native->high_exponent = high;
    native->bucket_count = buckets;
    native->scale.shift = (uint32_t)__builtin_ctz(range.resolution);
    fill_scale(native);
    *ret_native = native;
    return SN_OK;
}

bool sn_native_is_same(const struct sn_native *native, const sonde_metric *metric) {
    struct range range = range_of(metric);
    return check_range(&range, NULL) == SN_OK && range.resolution == 1u << native->scale.shift &&
           floor_exponent(range.low) == native->low_exponent &&
           ceil_exponent(range.high) == native->high_exponent;
}

void sn_native_describe(const struct sn_native *native, sonde_metric *ret_metric) {
    ret_metric->native_resolution = 1u << native->scale.shift;
    ret_metric->native_low = ldexp(1, native->low_exponent);
    ret_metric->native_high = ldexp(1, native->high_exponent);
}

double sn_native_low(const struct sn_native *native) {
    return ldexp(1, native->low_exponent);
}

double sn_native_bound(const struct sn_native *native, uint32_t bucket) {
    uint32_t resolution = 1u << native->scale.shift;
    uint32_t in_octave = (bucket + 1) % resolution;
    double mantissa = in_octave == 0 ? 1 : exp2((double)in_octave / resolution);
    return ldexp(mantissa, native->low_exponent + (int)((bucket + 1) / resolution));
}

/* Registration. */

static sonde_native_histogram *histogram_of(struct sn_series *series) {
    return (sonde_native_histogram *)(void *)(series != NULL ? series : &nowhere);
}

static const struct sn_series *series_of(const sonde_native_histogram *histogram) {
    return (const struct sn_series *)(const void *)histogram;
}

sonde_native_histogram *sonde_native_histogram_new(sonde_registry *registry,
                                                   const sonde_metric *metric, sonde_error *error) {
    return histogram_of(sn_family_get_single(registry, metric, SN_KIND_NATIVE, error));
}

sonde_native_histogram_family *sonde_native_histogram_family_new(sonde_registry *registry,
                                                                 const sonde_metric *metric,
                                                                 sonde_error *error) {
    return (void *)sn_family_get(registry, metric, SN_KIND_NATIVE, error);
}

sonde_native_histogram *sonde_native_histogram_family_get(sonde_native_histogram_family *family,
                                                          const char *const *values, size_t count) {
    return histogram_of(sn_series_get(FAMILY(family), values, count));
}

sonde_native_histogram *sonde_native_histogram_family_at(sonde_native_histogram_family *family,
                                                         sonde_site *site,
                                                         const char *const *values, size_t count) {
    return histogram_of(sn_series_get_at(FAMILY(family), site, values, count));
}

/* Recording what is not inline: values outside the range, and all values of bindings. */

void sonde_native_histogram_observe_call(sonde_native_histogram *histogram, double value) {
    const sonde_native_head *head = (const void *)histogram;
    if (isnan(value) || value < 0) {
        sn_series_lost_value(series_of(histogram));
        return;
    }
    uint64_t step = (sn_bits_of(value) - 1) >> (MANTISSA_BITS - STEP_BITS);
    bool is_below = value == 0 || step < head->scale->first;
    if (!is_below && step - head->scale->first < head->scale->step_count) {
        sonde_native_histogram_observe(histogram, value);
        return;
    }
    uint64_t *cells = sonde_cells(histogram);
    sonde_cell_add(cells + (is_below ? SONDE_NATIVE_ZERO : SONDE_NATIVE_OVERFLOW), 1);
    sonde_cell_add_double(cells + SONDE_NATIVE_SUM, value);
}

/* Reading. */

uint64_t sonde_native_histogram_count(const sonde_native_histogram *histogram) {
    const struct sn_series *series = series_of(histogram);
    uint64_t count = 0;
    uint32_t cells = series->family != NULL ? sn_native_cell_count(series->family->native) : 0;
    for (uint32_t i = SONDE_NATIVE_ZERO; i < cells; i++)
        count += sn_cells_sum(&series->head.ref, i);
    return count;
}

double sonde_native_histogram_sum(const sonde_native_histogram *histogram) {
    return sn_cells_sum_double(&series_of(histogram)->head.ref, SONDE_NATIVE_SUM);
}

/* In the bucket by the same law as its bounds: exponentially. */
static double inside(const struct sn_native *native, uint32_t bucket, double part) {
    double high = sn_native_bound(native, bucket);
    double low = bucket > 0 ? sn_native_bound(native, bucket - 1) : sn_native_low(native);
    return low * exp2(log2(high / low) * part);
}

double sonde_native_histogram_quantile(const sonde_native_histogram *histogram, double q) {
    const struct sn_series *series = series_of(histogram);
    if (series->family == NULL || !(q >= 0 && q <= 1))
        return (double)NAN;
    const struct sn_native *native = series->family->native;
    const sonde_ref *ref = &series->head.ref;
    double rank = q * (double)sonde_native_histogram_count(histogram);
    uint64_t below = sn_cells_sum(ref, SONDE_NATIVE_ZERO);
    bool has_values = below > 0;
    if (has_values && rank <= (double)below)
        return sn_native_low(native) * rank / (double)below;
    for (uint32_t i = 0; i < native->bucket_count; i++) {
        uint64_t count = sn_cells_sum(ref, SONDE_NATIVE_BUCKETS + i);
        if (count > 0 && rank <= (double)(below + count))
            return inside(native, i, (rank - (double)below) / (double)count);
        below += count;
        has_values |= count > 0;
    }
    has_values |= sn_cells_sum(ref, SONDE_NATIVE_OVERFLOW) > 0;
    return has_values ? ldexp(1, native->high_exponent) : (double)NAN;
}
