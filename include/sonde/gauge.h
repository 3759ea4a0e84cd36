/*
 * Gauges: numbers that go up and down.
 *
 * A gauge that is only set costs one store (in a registry with a file a call and a store), one that
 * is only added to costs what a counter costs.
 * A gauge used both ways works as well; from its first set after an add on, every call is an
 * atomic operation on one shared number (about 5 ns, more when threads meet).
 */
#ifndef SONDE_GAUGE_H
#define SONDE_GAUGE_H

#include "sonde/cells.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_gauge sonde_gauge;
typedef struct sonde_gauge_family sonde_gauge_family;
typedef struct sonde_callback sonde_callback;

/* As sonde_counter_new and its family; no suffix is asked of the name. */
SONDE_API sonde_gauge *sonde_gauge_new(sonde_registry *registry, const sonde_metric *metric,
                                       sonde_error *error);
SONDE_API sonde_gauge_family *sonde_gauge_family_new(sonde_registry *registry,
                                                     const sonde_metric *metric,
                                                     sonde_error *error);
SONDE_API sonde_gauge *sonde_gauge_family_get(sonde_gauge_family *family, const char *const *values,
                                              size_t count);
SONDE_API sonde_gauge *sonde_gauge_family_at(sonde_gauge_family *family, sonde_site *site,
                                             const char *const *values, size_t count);

/*
 * Set the value; any double, NaN included. When two threads set at once, one of them wins.
 * Add or subtract whole steps, or an amount (NaN is dropped, counted as SONDE_LOST_VALUE).
 * Threads: any. Blocks: never. Cost: see above; about 2 ns more than inline.
 */
SONDE_API void sonde_gauge_set_call(sonde_gauge *gauge, double value);
SONDE_API void sonde_gauge_add_call(sonde_gauge *gauge, int64_t n);
SONDE_API void sonde_gauge_add_double(sonde_gauge *gauge, double amount);

/* The value now, over all threads. Threads: any. Blocks: never. Cost: O(threads). */
SONDE_API double sonde_gauge_value(const sonde_gauge *gauge);

/* How a gauge has been used so far; the first of its shared cells. Fixed numbers. */
enum {
    SONDE_GAUGE_IS_SET = 0,   /* never added to: the value is the shared number */
    SONDE_GAUGE_IS_ADDED = 1, /* that number plus the steps of every thread */
    SONDE_GAUGE_IS_MIXED = 2  /* set after an add: a second shared number only */
};

/*
 * Start of every gauge; see sonde/cells.h on what is public here.
 *
 * shared: address of uint64_t[3] (use, number, number when mixed; written by any thread), plus
 * SONDE_GAUGE_ASKS from before the first add on, and from the start where other processes may
 * add. Without it the use is SONDE_GAUGE_IS_SET: a set loads one word and stores one.
 */
typedef struct sonde_gauge_head {
    sonde_ref ref;
    uintptr_t shared;
} sonde_gauge_head;

#define SONDE_GAUGE_ASKS ((uintptr_t)1)

#if SONDE_INLINE_RECORD
/* Set the value. Threads: any. Blocks: never. Cost: see above; about 0.5 ns. */
SONDE_INLINE void sonde_gauge_set(sonde_gauge *gauge, double value) {
    const sonde_gauge_head *head = (const sonde_gauge_head *)(const void *)gauge;
    uintptr_t shared = __atomic_load_n(&head->shared, __ATOMIC_RELAXED);
    if (__builtin_expect((shared & SONDE_GAUGE_ASKS) == 0, 1))
        sonde_cell_set_double((uint64_t *)shared + 1, value);
    else
        sonde_gauge_set_call(gauge, value);
}

/* Add n, which may be negative. Threads: any. Blocks: never. Cost: about 1 ns. */
SONDE_INLINE void sonde_gauge_add(sonde_gauge *gauge, int64_t n) {
    const sonde_gauge_head *head = (const sonde_gauge_head *)(const void *)gauge;
    uintptr_t shared = __atomic_load_n(&head->shared, __ATOMIC_RELAXED);
    const uint64_t *use = (const uint64_t *)(shared & ~SONDE_GAUGE_ASKS);
    /* Acquire: who sees the first add sees that sets ask. */
    if (__builtin_expect(__atomic_load_n(use, __ATOMIC_ACQUIRE) == SONDE_GAUGE_IS_ADDED, 1))
        sonde_cell_add(sonde_cells(gauge), (uint64_t)n);
    else
        sonde_gauge_add_call(gauge, n);
}
#else
#define sonde_gauge_set sonde_gauge_set_call
#define sonde_gauge_add sonde_gauge_add_call
#endif

SONDE_INLINE void sonde_gauge_inc(sonde_gauge *gauge) {
    sonde_gauge_add(gauge, 1);
}

SONDE_INLINE void sonde_gauge_dec(sonde_gauge *gauge) {
    sonde_gauge_add(gauge, -1);
}

#if defined(__GNUC__)
/* As SONDE_COUNTER_AT. */
#define SONDE_GAUGE_AT(family, ...)                                                                \
    __extension__({                                                                                \
        static sonde_site sonde_site_;                                                             \
        const char *const sonde_values_[] = {__VA_ARGS__};                                         \
        sonde_gauge_family_at((family), &sonde_site_, sonde_values_,                               \
                              sizeof sonde_values_ / sizeof sonde_values_[0]);                     \
    })
#endif

/* What a number read from elsewhere is shown as. */
typedef enum sonde_callback_type {
    SONDE_CALLBACK_GAUGE = 0,
    SONDE_CALLBACK_COUNTER = 1 /* the caller promises that it only grows; name ends with _total */
} sonde_callback_type;

/* A series whose value is asked for at every read. */
typedef struct sonde_callback_options {
    sonde_metric metric;             /* several callbacks may share a family, by label values */
    const char *const *label_values; /* [metric.label_count] */
    sonde_callback_type type;
    /*
     * The value now. Called by the thread that reads the registry, one at a time per registry.
     * It may record, it must not read, register in or release callbacks of the same registry.
     */
    double (*read)(void *ctx);
    void *ctx; /* kept until sonde_callback_free returns */
} sonde_callback_options;

/*
 * Register a callback gauge (or counter).
 *
 *   error  NO_MEMORY, LIMIT, INVALID (metric, read is NULL), EXISTS (other shape, or a callback
 *          with the same label values)
 *
 * Returns NULL after an error, counted as SONDE_LOST_REGISTRATION.
 * Threads: any. Blocks: on the registration lock and while the registry is being read.
 */
SONDE_API sonde_callback *sonde_callback_new(sonde_registry *registry,
                                             const sonde_callback_options *options,
                                             sonde_error *error);

/*
 * Remove a callback; when this returns, it does not run and will not run again. NULL is fine.
 * Returns NULL. Threads: any, but not from a callback. Blocks: while the registry is being read.
 */
SONDE_API sonde_callback *sonde_callback_free(sonde_callback *callback);

/*
 * Show facts about the program as labels of a series that is always 1, such as
 * build_info{version="1.2",commit="abc"}.
 *
 *   metric  the name ends with _info
 *   values  [metric->label_count]
 *
 * Returns SONDE_OK (also when the same was set before), NO_MEMORY, LIMIT, INVALID, EXISTS.
 * Threads: any. Blocks: on the registration lock.
 */
SONDE_API sonde_status sonde_info_set(sonde_registry *registry, const sonde_metric *metric,
                                      const char *const *values, sonde_error *error);

#ifdef __cplusplus
}
#endif
#endif
