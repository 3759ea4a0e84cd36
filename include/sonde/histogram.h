/*
 * Histograms: how often a value fell below each of a few bounds, and the sum of all values.
 * A bound belongs to its bucket (le: less or equal). Seconds and bytes, not milliseconds.
 */
#ifndef SONDE_HISTOGRAM_H
#define SONDE_HISTOGRAM_H

#include "sonde/cells.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_histogram sonde_histogram;
typedef struct sonde_histogram_family sonde_histogram_family;

/*
 * As sonde_counter_new and its family.
 *
 *   metric  bounds: strictly ascending, finite, at most SONDE_BUCKETS_MAX; none: the defaults.
 *           A label must not be called "le". NAME_bucket, NAME_sum, NAME_count and NAME_created are
 *           taken as well. Registered again with other bounds: EXISTS.
 */
SONDE_API sonde_histogram *sonde_histogram_new(sonde_registry *registry, const sonde_metric *metric,
                                               sonde_error *error);
SONDE_API sonde_histogram_family *sonde_histogram_family_new(sonde_registry *registry,
                                                             const sonde_metric *metric,
                                                             sonde_error *error);
SONDE_API sonde_histogram *sonde_histogram_family_get(sonde_histogram_family *family,
                                                      const char *const *values, size_t count);
SONDE_API sonde_histogram *sonde_histogram_family_at(sonde_histogram_family *family,
                                                     sonde_site *site, const char *const *values,
                                                     size_t count);

/*
 * Count one value, as a library call. NaN is dropped and counted as SONDE_LOST_VALUE; +Inf and
 * -Inf are counted and spoil the sum. Threads: any. Blocks: never. Cost: about 4 ns.
 */
SONDE_API void sonde_histogram_observe_call(sonde_histogram *histogram, double value);

/* Sum and number of values now. Threads: any. Blocks: never. Cost: O(threads * bounds). */
SONDE_API uint64_t sonde_histogram_count(const sonde_histogram *histogram);
SONDE_API double sonde_histogram_sum(const sonde_histogram *histogram);

/* Start of every histogram; see sonde/cells.h on what is public here. */
typedef struct sonde_histogram_head {
    sonde_ref ref;
    const sonde_buckets *buckets;
} sonde_histogram_head;

#if SONDE_INLINE_RECORD
/*
 * Count one value. Cells: the sum, then one count per bucket, +Inf last. The reader takes the
 * number of values from the buckets, so that it always equals the +Inf bucket.
 * Threads: any. Blocks: never. Cost: about 4 ns with 11 bounds, no branch on the value.
 */
SONDE_INLINE void sonde_histogram_observe(sonde_histogram *histogram, double value) {
    const sonde_buckets *buckets = ((const sonde_histogram_head *)(const void *)histogram)->buckets;
    if (__builtin_expect(value != value, 0)) {
        sonde_histogram_observe_call(histogram, value);
        return;
    }
    uint64_t *cells = sonde_cells(histogram);
    sonde_cell_add(cells + 1 + sonde_bucket_of(buckets, value), 1);
    sonde_cell_add_double(cells, value);
}
#else
#define sonde_histogram_observe sonde_histogram_observe_call
#endif

#if defined(__GNUC__)
/* As SONDE_COUNTER_AT. */
#define SONDE_HISTOGRAM_AT(family, ...)                                                            \
    __extension__({                                                                                \
        static sonde_site sonde_site_;                                                             \
        const char *const sonde_values_[] = {__VA_ARGS__};                                         \
        sonde_histogram_family_at((family), &sonde_site_, sonde_values_,                           \
                                  sizeof sonde_values_ / sizeof sonde_values_[0]);                 \
    })
#endif

#ifdef __cplusplus
}
#endif
#endif
