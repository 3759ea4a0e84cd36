/*
 * Caches: hits and misses, how fast, how full, and alerts when one of these goes wrong.
 *
 *     sonde_cache *users = sonde_cache_get(NULL, "shop", "users");
 *
 *     sonde_cache_timer timer = sonde_cache_begin(users, "get");
 *     ...
 *     sonde_cache_end(&timer, found ? SONDE_CACHE_HIT : SONDE_CACHE_MISS, key);
 *     sonde_cache_set_usage(users, &(sonde_cache_usage){.entries = n, .used_bytes = bytes});
 *
 * Shown with the labels service and cache as sonde_cache_hits_total, sonde_cache_misses_total,
 * sonde_cache_evictions_total, sonde_cache_slow_operations_total, sonde_cache_response_seconds (a
 * histogram), sonde_cache_entries, sonde_cache_memory_bytes, sonde_cache_memory_peak_bytes,
 * sonde_cache_fragmentation_ratio, sonde_cache_hit_ratio{window="hour"|"day"|"start"},
 * sonde_cache_alert_active{alert} and sonde_cache_info, which is always 1.
 *
 * Windows: "hour" is the minute that runs now and the 59 before it, "day" that and the 1439 before
 * it, by the monotonic clock. A clock that goes back holds the current minute, one that jumps ahead
 * ages the windows by the jump.
 *
 * Every function takes a NULL cache and then does nothing. Where nothing else is said: any thread,
 * never blocks, no allocation.
 */
#ifndef SONDE_CACHE_H
#define SONDE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_cache sonde_cache;

#define SONDE_CACHES_MAX 100 /* of one registry; more share the one called SONDE_OTHER */
#define SONDE_CACHE_SLOW_MAX 16
#define SONDE_CACHE_SLOW_TEXT_SIZE 64 /* of an operation's name and of a detail, with the NUL */

/*
 * Find a cache by service and name, or register it.
 *
 *   registry  NULL: global
 *   service   any text up to SONDE_LABEL_VALUE_BYTES_MAX
 *   name      as service
 *
 * Returns a handle for the registry's lifetime, never NULL. Beyond SONDE_CACHES_MAX it is the cache
 * whose service and name are SONDE_OTHER (counted as SONDE_LOST_SERIES_LIMIT); without memory, or
 * when a metric's name is taken by another shape, one that records nothing (counted as
 * SONDE_LOST_REGISTRATION), and the next call tries again.
 * Threads: any. Blocks: on the registration lock. Cost: O(families); a new cache takes 64 KiB. Keep
 * the handle.
 */
SONDE_API sonde_cache *sonde_cache_get(sonde_registry *registry, const char *service,
                                       const char *name);

/* As sonde_cache_get, but NULL when there is no such cache. Cost: O(families + caches). */
SONDE_API sonde_cache *sonde_cache_find(sonde_registry *registry, const char *service,
                                        const char *name);

/* Recording. */

/* What a timed operation was. Fixed numbers. */
typedef enum sonde_cache_result {
    SONDE_CACHE_HIT = 0,
    SONDE_CACHE_MISS = 1,
    SONDE_CACHE_DONE = 2 /* put, delete and the like: counts in the response time only */
} sonde_cache_result;

/* One operation that runs. Owned by the caller; one thread at a time. Zeroed: ended. */
typedef struct sonde_cache_timer {
    sonde_cache *cache;    /* NULL: ended */
    const char *operation; /* borrowed until the end; NULL: "" */
    uint64_t begin;        /* processor ticks, or nanoseconds when scale is 0 */
    uint64_t scale;        /* nanoseconds per tick * 2^32 */
} sonde_cache_timer;

/* Count a lookup that is not timed. Cost: about 9 ns, of which 7 are for the clock. */
SONDE_API void sonde_cache_hit(sonde_cache *cache);
SONDE_API void sonde_cache_miss(sonde_cache *cache);

/* Count `n` entries that were thrown out for want of room. Cost: about 2 ns. */
SONDE_API void sonde_cache_evict(sonde_cache *cache, uint64_t n);

/*
 * Start and end a timed operation. Ending twice does nothing; a timer that is never ended records
 * nothing.
 *
 *   detail  kept for slow operations, such as the key; NULL: none; cut at
 *           SONDE_CACHE_SLOW_TEXT_SIZE - 1 bytes
 *
 * Cost: together about 20 ns below a microsecond, else 40 ns; a slow operation about 40 ns more.
 */
SONDE_API sonde_cache_timer sonde_cache_begin(sonde_cache *cache, const char *operation);
SONDE_API void sonde_cache_end(sonde_cache_timer *timer, sonde_cache_result result,
                               const char *detail);

/* An operation that was timed elsewhere. Zero-initialise and fill in. */
typedef struct sonde_cache_run {
    const char *operation; /* NULL: "" */
    const char *detail;    /* NULL: none */
    uint64_t duration_ns;
    sonde_cache_result result;
} sonde_cache_run;

SONDE_API void sonde_cache_record(sonde_cache *cache, const sonde_cache_run *run);

/* What a cache holds. Zero-initialise and fill in. */
typedef struct sonde_cache_usage {
    uint64_t entries;
    uint64_t used_bytes;
    uint64_t reserved_bytes; /* what it takes from the system; 0: as used_bytes */
} sonde_cache_usage;

/* Say what a cache holds now; fragmentation is 1 - used / reserved, at least 0. */
SONDE_API void sonde_cache_set_usage(sonde_cache *cache, const sonde_cache_usage *usage);

/* The same step by step, negative ones too. Cost: about 3 ns each, more when threads meet. */
SONDE_API void sonde_cache_add_entries(sonde_cache *cache, int64_t n);
SONDE_API void sonde_cache_add_used_bytes(sonde_cache *cache, int64_t bytes);

/* Thresholds and alerts. */

/* What may be wrong with a cache. Fixed numbers; the names are those of the label `alert`. */
typedef enum sonde_cache_alert_kind {
    SONDE_CACHE_ALERT_HIT_RATE = 0,      /* "hit_rate": of the last hour */
    SONDE_CACHE_ALERT_MEMORY = 1,        /* "memory_usage": MiB used now */
    SONDE_CACHE_ALERT_RESPONSE_TIME = 2, /* "response_time": ms, average of the last 5 minutes */
    SONDE_CACHE_ALERT_FRAGMENTATION = 3, /* "fragmentation": ratio now */
    SONDE_CACHE_ALERT_COUNT = 4
} sonde_cache_alert_kind;

/* Static text; NULL for an unknown kind. */
SONDE_API const char *sonde_cache_alert_name(sonde_cache_alert_kind kind);

/* Limits that raise alerts. Start from sonde_cache_thresholds_default or _read, change, set. */
typedef struct sonde_cache_thresholds {
    double min_hit_rate;         /* 0 to 1 [0.8] */
    double max_memory_usage_mb;  /* MiB, above 0 [512] */
    double max_response_time_ms; /* above 0 [100] */
    double max_fragmentation;    /* 0 to 1 [0.3] */
    /* An alert is cleared when the value is this part of the limit on the good side of it, so that
     * a value near the limit does not raise it again and again; 0 to 0.5 [0.05]. */
    double clear_margin;
    double slow_operation_ms; /* from here on an operation is kept as slow; >= 0 [100] */
    uint64_t min_operations; /* lookups of the last hour that make a hit rate worth judging [100] */
} sonde_cache_thresholds;

/* The numbers in brackets. */
SONDE_API sonde_cache_thresholds sonde_cache_thresholds_default(void);

/* The thresholds in force; the defaults for NULL. */
SONDE_API sonde_cache_thresholds sonde_cache_thresholds_read(const sonde_cache *cache);

/*
 * Replace all thresholds of a cache, now, for all threads. Alerts follow at the next evaluation.
 *
 * Returns SONDE_OK, SONDE_ERR_INVALID (which one is out of its range; nothing changed, or no
 * cache).
 */
SONDE_API sonde_status sonde_cache_thresholds_set(sonde_cache *cache,
                                                  const sonde_cache_thresholds *thresholds,
                                                  sonde_error *error);

/* One alert that was raised, or cleared just now. */
typedef struct sonde_cache_alert {
    sonde_cache_alert_kind kind;
    bool is_active;
    double value;          /* at the last evaluation, in the unit of the threshold */
    double threshold;      /* in force then */
    int64_t since_wall_ms; /* of the last change, Unix milliseconds */
} sonde_cache_alert;

/* Told once when an alert is raised and once when it is cleared, by the thread that evaluates. */
typedef void (*sonde_cache_alert_callback)(void *ctx, sonde_cache *cache,
                                           const sonde_cache_alert *alert);

/*
 * Set the function that is told of changes; NULL: none. It may do anything but release the
 * registry. A thread that evaluates now may still call the one before.
 *
 *   ctx  kept
 *
 * Threads: any. Blocks: on the registration lock.
 */
SONDE_API void sonde_cache_on_alert(sonde_cache *cache, sonde_cache_alert_callback callback,
                                    void *ctx);

/*
 * Compare a cache with its thresholds, raise and clear alerts, tell the callback. Call it every few
 * seconds. Reading a registry compares too, so that sonde_cache_alert_active is never old; the
 * callback is told at the next evaluation.
 *
 * Returns how many alerts are active. Cost: below 1 us, O(threads).
 */
SONDE_API size_t sonde_cache_evaluate(sonde_cache *cache);

/* Evaluate all caches of a registry (NULL: global). Returns how many alerts are active. */
SONDE_API size_t sonde_cache_evaluate_all(sonde_registry *registry);

/*
 * Copy the active alerts as of the last evaluation.
 *
 *   ret_alerts  [SONDE_CACHE_ALERT_COUNT]
 *
 * Returns how many were copied.
 */
SONDE_API size_t sonde_cache_alerts(const sonde_cache *cache, sonde_cache_alert *ret_alerts);

/* Reading. */

/* Lookups and timed operations of a span of time. Rates and averages of nothing are 0. */
typedef struct sonde_cache_window {
    uint64_t hits;
    uint64_t misses;
    double hit_rate; /* hits / (hits + misses) */
    uint64_t timed;  /* operations with a response time */
    double response_avg_ms;
} sonde_cache_window;

/* A cache's numbers at one moment. */
typedef struct sonde_cache_stats {
    sonde_cache_window hour;
    sonde_cache_window day;
    sonde_cache_window start; /* since the cache was registered */
    uint64_t evictions;
    uint64_t slow_operations; /* all; the slowest are in sonde_cache_slow */
    uint64_t entries;
    uint64_t used_bytes;
    uint64_t used_peak_bytes;
    uint64_t reserved_bytes;
    double fragmentation;
    int64_t start_wall_ms; /* when the cache was registered */
} sonde_cache_stats;

/* Read a cache's numbers; all 0 for NULL. Cost: O(threads), 5 us after a busy day. */
SONDE_API void sonde_cache_read(sonde_cache *cache, sonde_cache_stats *ret_stats);

/* An operation that took slow_operation_ms or longer. */
typedef struct sonde_cache_slow_entry {
    int64_t end_wall_ms; /* Unix milliseconds */
    uint64_t duration_ns;
    char operation[SONDE_CACHE_SLOW_TEXT_SIZE];
    char detail[SONDE_CACHE_SLOW_TEXT_SIZE]; /* "": none */
} sonde_cache_slow_entry;

/*
 * Copy the slowest operations of the last day, slowest first. When two threads are slow at the same
 * moment, one of them may be missing here; both are counted.
 *
 *   ret_entries  [SONDE_CACHE_SLOW_MAX]
 *
 * Returns how many were copied.
 */
SONDE_API size_t sonde_cache_slow(sonde_cache *cache, sonde_cache_slow_entry *ret_entries);

/*
 * All caches of a registry as JSON, the answer of get_cache_performance_metrics:
 *
 *   {"caches":[{"service","cache","start_time_ms","hits","misses","hit_rate",
 *     "hour":{"hits","misses","hit_rate","operations","response_time_avg_ms"},"day":{...},
 *     "operations","response_time_avg_ms","evictions","entries","memory_usage_bytes",
 *     "memory_peak_bytes","memory_reserved_bytes","fragmentation","slow_operation_count",
 *     "slow_operations":[{"operation","detail","end_time_ms","duration_ms"}],
 *     "thresholds":{"min_hit_rate",...}}]}
 *
 *   registry  NULL: global
 *   ret_text  a NUL follows the last byte; release with sonde_free
 *   ret_len   without the NUL; may be NULL
 *
 * Returns SONDE_OK, SONDE_ERR_NO_MEMORY. Threads: any. Allocates.
 */
SONDE_API sonde_status sonde_cache_metrics_json(sonde_registry *registry, char **ret_text,
                                                size_t *ret_len);

/*
 * The active alerts of all caches after an evaluation, the answer of get_cache_alerts:
 *
 *   {"alerts":[{"service","cache","alert","value","threshold","since_time_ms","message"}]}
 *
 * Otherwise as sonde_cache_metrics_json; the callbacks are told of changes.
 */
SONDE_API sonde_status sonde_cache_alerts_json(sonde_registry *registry, char **ret_text,
                                               size_t *ret_len);

/*
 * The thresholds of one cache, the answer of set_cache_alert_thresholds:
 *
 *   {"service","cache","thresholds":{"min_hit_rate","max_memory_usage_mb","max_response_time_ms",
 *     "max_fragmentation","clear_margin","slow_operation_ms","min_operations"}}
 *
 * Otherwise as sonde_cache_metrics_json; also SONDE_ERR_INVALID for a cache that records nothing.
 */
SONDE_API sonde_status sonde_cache_thresholds_json(const sonde_cache *cache, char **ret_text,
                                                   size_t *ret_len);

#ifdef __cplusplus
}
#endif
#endif
