/*
 * The cache instrument: its fields, and what its files share. cache.c records, cache_metrics.c
 * registers its metrics, cache_alert.c judges, cache_json.c writes.
 */
#ifndef SN_CLIENT_CACHE_PRIV_H
#define SN_CLIENT_CACHE_PRIV_H

#include "base/clock.h"
#include "client/alert_priv.h"
#include "client/cache_slow_priv.h"
#include "client/cache_window_priv.h"
#include "client/instrument_priv.h"
#include "sonde/cache.h"
#include "sonde/counter.h"

enum sn_cache_window { SN_CACHE_HOUR, SN_CACHE_DAY, SN_CACHE_START, SN_CACHE_WINDOW_COUNT };

/* The ctx of a callback of the metrics that exist several times for a cache. */
struct sn_cache_part {
    struct sonde_cache *cache;
    unsigned index; /* sn_cache_window or sonde_cache_alert_kind */
};

enum { SN_CACHE_ENTRIES, SN_CACHE_USED, SN_CACHE_PEAK, SN_CACHE_HELD_COUNT };
#define SN_CACHE_COMPUTED_COUNT (1 + SN_CACHE_WINDOW_COUNT + SONDE_CACHE_ALERT_COUNT)

/* Any thread. Fields without _Atomic are fixed when the instrument is ready, but for `on_alert` and
 * its ctx, which the registration lock guards. */
struct sonde_cache {
    struct sn_instrument instrument;
    sonde_counter *hits;
    sonde_counter *misses;
    sonde_histogram *response; /* seconds */
    /* The processor's counter is asked instead of the clock while it is within quiet_ticks of
     * quiet_from: then the minute is not over. 0: ask the clock. */
    _Atomic uint64_t quiet_from;
    _Atomic uint64_t quiet_ticks;
    _Atomic uint64_t slow_ns; /* slow_operation_ms */
    const struct sn_clock *clock;
    sonde_counter *evictions;
    sonde_counter *slow_operations;

    _Atomic int64_t entries;
    _Atomic int64_t used_bytes;
    _Atomic int64_t used_peak_bytes;
    _Atomic int64_t reserved_bytes; /* 0: as used */

    _Atomic double min_hit_rate;
    _Atomic double max_memory_usage_mb;
    _Atomic double max_response_time_ms;
    _Atomic double max_fragmentation;
    _Atomic double clear_margin;
    _Atomic double slow_operation_ms;
    _Atomic uint64_t min_operations;

    struct sn_alert alerts[SONDE_CACHE_ALERT_COUNT];
    sonde_cache_alert_callback on_alert;
    void *on_alert_ctx;
    /* Whose values go into a file: what it holds at once, what is computed every second. NULL: none. */
    struct sn_series *held[SN_CACHE_HELD_COUNT];
    struct sn_series *computed[SN_CACHE_COMPUTED_COUNT];
    _Atomic int64_t file_s; /* second of what is computed there */
    struct sn_cache_part windows[SN_CACHE_WINDOW_COUNT];
    struct sn_cache_part alert_parts[SONDE_CACHE_ALERT_COUNT];

    struct sn_slow_list slow;
    struct sn_window window;
};

extern const struct sn_instrument_type sn_cache_type;

/* Whether it may be used; NULL may not. */
static inline bool sn_cache_is_ready(const struct sonde_cache *cache) {
    return cache != NULL && sn_instrument_is_ready(&cache->instrument);
}

/*
 * Register the metrics of a cache and set its parts. With the registration lock. Returns false
 * without memory or when a name is taken.
 */
bool sn_cache_metrics_locked(struct sonde_cache *cache, const char *const *values);

/* Lookups and response times of the last `minutes` (0: since the start). Ends minutes that are
 * over. */
void sn_cache_window_read(struct sonde_cache *cache, uint64_t minutes,
                          sonde_cache_window *ret_window);

/* Bytes and shares now. Steps below zero read as 0. */
uint64_t sn_cache_count_of(const _Atomic int64_t *number);
double sn_cache_fragmentation(const struct sonde_cache *cache);

/* Compare with one threshold and raise or clear its alert, telling nobody. Is it active? */
bool sn_cache_judge(struct sonde_cache *cache, sonde_cache_alert_kind kind);

/* Store thresholds that are in their ranges. */
void sn_cache_thresholds_store(struct sonde_cache *cache, const sonde_cache_thresholds *thresholds);

/* For tests: another clock from now on; the windows start again at its time. One thread. */
void sn_cache_set_clock(struct sonde_cache *cache, const struct sn_clock *clock);

#endif
