/*
 * Native (exponential) histograms: buckets whose width grows with the value, 9 % wide by default from a
 * microsecond to nine hours, so that nobody has to guess bounds and any percentile is right within
 * that width.
 *
 *     sonde_metric metric = {.name = "render_seconds", .help = "Duration of a frame."};
 *     sonde_native_histogram *render = sonde_native_histogram_new(NULL, &metric, NULL);
 *     sonde_native_histogram_observe(render, 0.0123);
 *
 * Scrapers that ask for protobuf (Prometheus with native histograms switched on) get them as they are.
 * Text and OpenMetrics have no such thing: there they are histograms with a bound at every power of
 * two. JSON has the same bounds.
 */
#ifndef SONDE_NATIVE_H
#define SONDE_NATIVE_H

#include "sonde/cells.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_native_histogram sonde_native_histogram;
typedef struct sonde_native_histogram_family sonde_native_histogram_family;

/*
 * As sonde_histogram_new and its family.
 *
 *   metric  native_resolution, native_low and native_high say which values are told apart; `bounds` is
 *           not used. Registered again with another resolution or range: EXISTS. More than
 *           SONDE_NATIVE_BUCKETS_MAX buckets: LIMIT.
 */
SONDE_API sonde_native_histogram *sonde_native_histogram_new(sonde_registry *registry,
                                                             const sonde_metric *metric,
                                                             sonde_error *error);
SONDE_API sonde_native_histogram_family *sonde_native_histogram_family_new(
    sonde_registry *registry, const sonde_metric *metric, sonde_error *error);
SONDE_API sonde_native_histogram *sonde_native_histogram_family_get(
    sonde_native_histogram_family *family, const char *const *values, size_t count);
SONDE_API sonde_native_histogram *sonde_native_histogram_family_at(
    sonde_native_histogram_family *family, sonde_site *site, const char *const *values,
    size_t count);

/*
 * Count one value, as a library call. NaN and negative values are dropped and counted as
 * SONDE_LOST_VALUE. Values up to native_low fall into the zero bucket, those above native_high into
 * the one for everything larger. Threads: any. Blocks: never. Cost: about 5 ns.
 */
SONDE_API void sonde_native_histogram_observe_call(sonde_native_histogram *histogram, double value);

/* Sum and number of values now. Threads: any. Blocks: never. Cost: O(threads * buckets). */
SONDE_API uint64_t sonde_native_histogram_count(const sonde_native_histogram *histogram);
SONDE_API double sonde_native_histogram_sum(const sonde_native_histogram *histogram);

/*
 * The value below which the fraction q (0 to 1) of all values lie, right within one bucket; NaN when
 * there are none. native_low and native_high are the ends of what it can tell.
 * Threads: any. Blocks: never. Cost: O(threads * buckets).
 */
SONDE_API double sonde_native_histogram_quantile(const sonde_native_histogram *histogram, double q);

/* How a value finds its cell; built once per family. See sonde/cells.h on what is public here. */
typedef struct sonde_native_scale {
    uint64_t first;          /* of the steps, 1/128 of a power of two each, that have buckets */
    uint64_t step_count;     /* behind it */
    uint32_t shift;          /* buckets per power of two = 1 << shift */
    uint8_t table[128];      /* bounds below each step of a power of two */
    uint64_t bounds[32 + 1]; /* mantissas of the bounds; the last is never reached */
} sonde_native_scale;

/* Start of every native histogram and order of its cells. */
typedef struct sonde_native_head {
    sonde_ref ref;
    const sonde_native_scale *scale;
} sonde_native_head;

enum {
    SONDE_NATIVE_SUM = 0,
    SONDE_NATIVE_ZERO = 1,     /* values up to native_low */
    SONDE_NATIVE_OVERFLOW = 2, /* values above native_high */
    SONDE_NATIVE_BUCKETS = 3
};

#if SONDE_INLINE_RECORD
/*
 * Count one value. A bucket ends with its bound (less or equal), so what is looked up is the double
 * just below the value: its exponent and seven bits name a step, which has at most one bound.
 * Threads: any. Blocks: never. Cost: about 3 ns, no branch on the value within the range.
 */
SONDE_INLINE void sonde_native_histogram_observe(sonde_native_histogram *histogram, double value) {
    const sonde_native_scale *scale = ((const sonde_native_head *)(const void *)histogram)->scale;
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits--;
    /* Negative values, with their sign bit in front, are as far away as NaN. */
    uint64_t step = (bits >> 45) - scale->first;
    if (__builtin_expect(step >= scale->step_count, 0)) {
        sonde_native_histogram_observe_call(histogram, value);
        return;
    }
    size_t k = scale->table[(bits >> 45) & 127];
    k += (bits & ((UINT64_C(1) << 52) - 1)) >= scale->bounds[k] ? 1u : 0u;
    uint64_t *cells = sonde_cells(histogram);
    sonde_cell_add(cells + SONDE_NATIVE_BUCKETS + ((size_t)(step >> 7) << scale->shift) + k, 1);
    sonde_cell_add_double(cells + SONDE_NATIVE_SUM, value);
}
#else
#define sonde_native_histogram_observe sonde_native_histogram_observe_call
#endif

#if defined(__GNUC__)
/* As SONDE_COUNTER_AT. */
#define SONDE_NATIVE_HISTOGRAM_AT(family, ...)                                                     \
    __extension__({                                                                                \
        static sonde_site sonde_site_;                                                             \
        const char *const sonde_values_[] = {__VA_ARGS__};                                         \
        sonde_native_histogram_family_at((family), &sonde_site_, sonde_values_,                    \
                                         sizeof sonde_values_ / sizeof sonde_values_[0]);          \
    })
#endif

#ifdef __cplusplus
}
#endif
#endif
