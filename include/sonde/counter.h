/*
 * Counters: numbers that only grow. sonde_counter counts whole things, sonde_float_counter adds
 * up amounts (seconds, euros).
 *
 *     sonde_metric jobs = {.name = "jobs_total", .help = "Jobs done."};
 *     sonde_counter *done = sonde_counter_new(NULL, &jobs, NULL);
 *     sonde_counter_inc(done);
 */
#ifndef SONDE_COUNTER_H
#define SONDE_COUNTER_H

#include "sonde/cells.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_counter sonde_counter;
typedef struct sonde_counter_family sonde_counter_family;
typedef struct sonde_float_counter sonde_float_counter;
typedef struct sonde_float_counter_family sonde_float_counter_family;

/*
 * Register a counter without labels, or find it when it exists with the same shape.
 *
 *   registry  NULL: global
 *   metric    label_count must be 0; the name ends with _total
 *   error     SONDE_OK, or NO_MEMORY, LIMIT (families or series), INVALID (name, help, labels),
 *             EXISTS (another type or other labels)
 *
 * Returns a handle for the registry's lifetime, never NULL; after an error it records nothing.
 * Threads: any. Blocks: on the registration lock. Cost: O(families), allocates. Keep the handle.
 */
SONDE_API sonde_counter *sonde_counter_new(sonde_registry *registry, const sonde_metric *metric,
                                           sonde_error *error);

/* Register a family with labels; otherwise as sonde_counter_new. */
SONDE_API sonde_counter_family *sonde_counter_family_new(sonde_registry *registry,
                                                         const sonde_metric *metric,
                                                         sonde_error *error);

/*
 * Find the child with these label values, or make it.
 *
 *   values  [count] in the order of label_names; NULL entries are ""
 *   count   must be the family's label_count, else the handle records nothing
 *
 * Returns a handle for the registry's lifetime, never NULL. Beyond the series limit, or with a
 * value that is too long or not UTF-8, it is the child whose values are all SONDE_OTHER.
 * Threads: any. Blocks: an existing child never; a new one on the registration lock.
 * Cost: about 21 ns for three values among 750 children; a new child allocates.
 */
SONDE_API sonde_counter *sonde_counter_family_get(sonde_counter_family *family,
                                                  const char *const *values, size_t count);

/* As sonde_counter_family_get, first asking what the call site saw last (about 5 ns). */
SONDE_API sonde_counter *sonde_counter_family_at(sonde_counter_family *family, sonde_site *site,
                                                 const char *const *values, size_t count);

/* The same for counters of amounts. */
SONDE_API sonde_float_counter *sonde_float_counter_new(sonde_registry *registry,
                                                       const sonde_metric *metric,
                                                       sonde_error *error);
SONDE_API sonde_float_counter_family *sonde_float_counter_family_new(sonde_registry *registry,
                                                                     const sonde_metric *metric,
                                                                     sonde_error *error);
SONDE_API sonde_float_counter *sonde_float_counter_family_get(sonde_float_counter_family *family,
                                                              const char *const *values,
                                                              size_t count);

/*
 * Add n, as a library call (bindings, SONDE_NO_INLINE). Wraps at 2^64.
 * Threads: any. Blocks: never. Cost: about 3 ns.
 */
SONDE_API void sonde_counter_add_call(sonde_counter *counter, uint64_t n);
SONDE_API void sonde_counter_inc_call(sonde_counter *counter);

/*
 * Add an amount >= 0; NaN and negative amounts are dropped and counted as SONDE_LOST_VALUE.
 * Threads: any. Blocks: never. Cost: about 3 ns.
 */
SONDE_API void sonde_float_counter_add(sonde_float_counter *counter, double amount);

/*
 * The sum over all threads now; an increment that runs meanwhile may be in it or not.
 * Threads: any. Blocks: never. Cost: O(threads).
 */
SONDE_API uint64_t sonde_counter_value(const sonde_counter *counter);
SONDE_API double sonde_float_counter_value(const sonde_float_counter *counter);

#if SONDE_INLINE_RECORD
/* Add n or 1. Threads: any. Blocks: never. Cost: about 0.8 ns, no lock, no allocation. */
SONDE_INLINE void sonde_counter_add(sonde_counter *counter, uint64_t n) {
    sonde_cell_add(sonde_cells(counter), n);
}

SONDE_INLINE void sonde_counter_inc(sonde_counter *counter) {
    sonde_cell_add(sonde_cells(counter), 1);
}
#else
#define sonde_counter_add sonde_counter_add_call
#define sonde_counter_inc sonde_counter_inc_call
#endif

#if defined(__GNUC__)
/*
 * The child for label values written out, remembered at this place in the source:
 *     sonde_counter_inc(SONDE_COUNTER_AT(requests, method, path, "200"));
 */
#define SONDE_COUNTER_AT(family, ...)                                                              \
    __extension__({                                                                                \
        static sonde_site sonde_site_;                                                             \
        const char *const sonde_values_[] = {__VA_ARGS__};                                         \
        sonde_counter_family_at((family), &sonde_site_, sonde_values_,                             \
                                sizeof sonde_values_ / sizeof sonde_values_[0]);                   \
    })
#endif

#ifdef __cplusplus
}
#endif
#endif
