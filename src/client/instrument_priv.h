/*
 * Instruments: objects of the host that are found by name in a registry and have metrics of their
 * own (caches, memory of services).
 *
 * An instrument is the tail of a series of an info family, such as sonde_cache_info{service,cache}.
 * So its memory, its lookup, its limit, SONDE_OTHER beyond it and its end with the registry are
 * those of every series.
 *
 *     series: head | labels as text | tail: [ struct sn_instrument | the kind's own fields ]
 *
 * Invariants:
 *   1. A new instrument is zero bytes. Its metrics are registered and its fields written under the
 *      registration lock, then is_ready is set; before that nobody looks at the rest.
 *   2. Registering may fail half-way and run again later, while a reader already calls the callbacks
 *      that were registered: they look at is_ready first.
 */
#ifndef SN_CLIENT_INSTRUMENT_PRIV_H
#define SN_CLIENT_INSTRUMENT_PRIV_H

#include "client/series_priv.h"

/* First member of every instrument. */
struct sn_instrument {
    _Atomic bool is_ready;
    struct sn_series *series; /* set before is_ready */
};

/* A kind of instrument; static. */
struct sn_instrument_type {
    sonde_metric metric; /* of the info family; series_max is the limit */
    uint32_t size;       /* of the struct that begins with struct sn_instrument */
    /*
     * Register the metrics of an instrument and fill in its fields; values are its labels. With the
     * registration lock. False: no memory, or a name is taken. May run again after that.
     */
    bool (*init_locked)(struct sn_instrument *instrument, const char *const *values);
};

/*
 * Find the instrument with these label values, or make it.
 *
 *   registry  NULL: global
 *   values    [type->metric.label_count], NULL entries are ""
 *
 * Returns NULL without memory or when a name is taken, counted as SONDE_LOST_REGISTRATION; beyond
 * the limit the one called SONDE_OTHER, counted. Any thread; takes the registration lock.
 */
struct sn_instrument *sn_instrument_get(sonde_registry *registry,
                                        const struct sn_instrument_type *type,
                                        const char *const *values);

/* As sn_instrument_get, but never makes one: NULL when there is none. */
struct sn_instrument *sn_instrument_find(sonde_registry *registry,
                                         const struct sn_instrument_type *type,
                                         const char *const *values);

/*
 * Walk over the ready instruments of a registry: NULL gives the first one; NULL after the last.
 * Any thread; the first step takes the registration lock.
 */
struct sn_instrument *sn_instrument_next(sonde_registry *registry,
                                         const struct sn_instrument_type *type,
                                         const struct sn_instrument *previous);

/* NULL or what is not ready yet: false. Acquire: the fields are seen as they were written. */
static inline bool sn_instrument_is_ready(const struct sn_instrument *instrument) {
    return instrument != NULL &&
           __builtin_expect(atomic_load_explicit(&instrument->is_ready, memory_order_acquire), 1);
}

/* For init_locked: the series of a metric with these values; NULL: no memory, or a name is taken. */
struct sn_series *sn_instrument_series_locked(sonde_registry *registry, const sonde_metric *metric,
                                              enum sn_kind kind, const char *const *values);

/*
 * For init_locked: let a series (kind CALLBACK_GAUGE or CALLBACK_COUNTER) ask `read` for its value,
 * for ever. The same function and ctx again are fine. False: no memory, or a name is taken.
 *
 *   ret_in_file  NULL, or the series when its value has to be brought into a file (sn_callback_refresh),
 *                else NULL
 */
bool sn_instrument_callback_locked(sonde_registry *registry, const sonde_callback_options *options,
                                   struct sn_series **ret_in_file);

#endif
