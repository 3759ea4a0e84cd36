/*
 * Memory: what each service holds, how fast it grows, how ragged the heap of the process is, and
 * what a garbage collector costs.
 *
 *     sonde_memory *images = sonde_memory_get(NULL, "images");
 *     sonde_memory_alloc(images, size);
 *     ...
 *     sonde_memory_free(images, size);
 *
 * Shown with the label service as sonde_memory_bytes, sonde_memory_peak_bytes,
 * sonde_memory_allocations_total, sonde_memory_frees_total, sonde_memory_allocated_bytes_total,
 * sonde_memory_gc_pause_seconds (a histogram), sonde_memory_gc_pause_max_seconds,
 * sonde_memory_gc_reclaimed_bytes_total, sonde_memory_alert_active{alert} and sonde_memory_info,
 * which is always 1; for the process as sonde_memory_heap_used_bytes,
 * sonde_memory_heap_reserved_bytes and sonde_memory_heap_fragmentation_ratio.
 *
 * Every function takes a NULL instrument and then does nothing. Where nothing else is said: any
 * thread, never blocks, no allocation.
 */
#ifndef SONDE_MEMORY_H
#define SONDE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_memory sonde_memory;

#define SONDE_MEMORIES_MAX 1000 /* of one registry; more share the one called SONDE_OTHER */

/*
 * Find the instrument of a service, or register it. The first one of a registry also registers the
 * numbers of the process.
 *
 *   registry  NULL: global
 *   service   any text up to SONDE_LABEL_VALUE_BYTES_MAX
 *
 * Returns a handle for the registry's lifetime, never NULL. Beyond SONDE_MEMORIES_MAX it is that of
 * SONDE_OTHER (counted as SONDE_LOST_SERIES_LIMIT); without memory, or when a metric's name is taken
 * by another shape, one that records nothing (counted as SONDE_LOST_REGISTRATION), and the next
 * call tries again.
 * Threads: any. Blocks: on the registration lock. Cost: O(families). Keep the handle.
 */
SONDE_API sonde_memory *sonde_memory_get(sonde_registry *registry, const char *service);

/* As sonde_memory_get, but NULL when there is no such service. Cost: O(families + services). */
SONDE_API sonde_memory *sonde_memory_find(sonde_registry *registry, const char *service);

/*
 * Count memory that was taken or given back. More given back than taken shows as 0 bytes.
 * Cost: 3 to 7 ns; threads that record for one service at the same time wait for one cache line,
 * about 20 ns.
 */
SONDE_API void sonde_memory_alloc(sonde_memory *memory, size_t bytes);
SONDE_API void sonde_memory_free(sonde_memory *memory, size_t bytes);

/* Say what a service holds, for those that know it themselves. Counts no allocation. */
SONDE_API void sonde_memory_set(sonde_memory *memory, uint64_t bytes);

/* One run of a garbage collector. Zero-initialise and fill in. */
typedef struct sonde_memory_collection {
    double pause_seconds; /* the program stood still; below 0 or NaN: lost, SONDE_LOST_VALUE */
    uint64_t reclaimed_bytes;
} sonde_memory_collection;

/* Count a run of a garbage collector. Cost: about 7 ns. */
SONDE_API void sonde_memory_collected(sonde_memory *memory,
                                      const sonde_memory_collection *collection);

/* Limits and alerts. */

/* What may be wrong. Fixed numbers; the names are those of the label `alert`. */
typedef enum sonde_memory_alert_kind {
    SONDE_MEMORY_ALERT_LIMIT = 0,  /* "limit": bytes held now */
    SONDE_MEMORY_ALERT_GROWTH = 1, /* "growth": bytes per second, over the last 10 minutes */
    SONDE_MEMORY_ALERT_COUNT = 2
} sonde_memory_alert_kind;

/* Static text; NULL for an unknown kind. */
SONDE_API const char *sonde_memory_alert_name(sonde_memory_alert_kind kind);

/* Limits that raise alerts. A limit of 0 raises none. */
typedef struct sonde_memory_thresholds {
    double max_bytes;             /* [0] */
    double max_growth_per_second; /* bytes [0] */
    /* An alert is cleared when the value is this part of the limit below it; 0 to 0.5 [0.05]. */
    double clear_margin;
} sonde_memory_thresholds;

/* The thresholds in force; the defaults for NULL. */
SONDE_API sonde_memory_thresholds sonde_memory_thresholds_read(const sonde_memory *memory);

/*
 * Replace all thresholds of a service, now. Alerts follow at the next evaluation.
 * Returns SONDE_OK, SONDE_ERR_INVALID (which one is negative, not finite or out of its range; nothing
 * changed, or no instrument).
 */
SONDE_API sonde_status sonde_memory_thresholds_set(sonde_memory *memory,
                                                   const sonde_memory_thresholds *thresholds,
                                                   sonde_error *error);

/* One alert that was raised, or cleared just now. */
typedef struct sonde_memory_alert {
    sonde_memory_alert_kind kind;
    bool is_active;
    double value;          /* at the last evaluation */
    double threshold;      /* in force then */
    int64_t since_wall_ms; /* of the last change, Unix milliseconds */
} sonde_memory_alert;

/* Told once when an alert is raised and once when it is cleared, by the thread that evaluates. */
typedef void (*sonde_memory_alert_callback)(void *ctx, sonde_memory *memory,
                                            const sonde_memory_alert *alert);

/* As sonde_cache_on_alert. Threads: any. Blocks: on the registration lock. */
SONDE_API void sonde_memory_on_alert(sonde_memory *memory, sonde_memory_alert_callback callback,
                                     void *ctx);

/*
 * Compare a service with its limits, raise and clear alerts, tell the callback. Call it every few
 * seconds: it also notes how much the service holds, from which growth and rates are taken, at most
 * once in 10 seconds. Reading a registry does all of this but tell the callback.
 *
 * Returns how many alerts are active. Cost: below 1 us.
 */
SONDE_API size_t sonde_memory_evaluate(sonde_memory *memory);

/* Evaluate all services of a registry (NULL: global). Returns how many alerts are active. */
SONDE_API size_t sonde_memory_evaluate_all(sonde_registry *registry);

/* Copy the active alerts: ret_alerts [SONDE_MEMORY_ALERT_COUNT]. Returns how many. */
SONDE_API size_t sonde_memory_alerts(const sonde_memory *memory, sonde_memory_alert *ret_alerts);

/* Reading. */

/* A service's numbers at one moment. */
typedef struct sonde_memory_stats {
    uint64_t bytes;
    uint64_t peak_bytes;
    uint64_t allocations;
    uint64_t frees;
    uint64_t allocated_bytes;
    /* Over the time since the oldest note of the last 10 minutes; 0 in the first 10 seconds. */
    double allocations_per_second;
    double frees_per_second;
    double growth_per_second; /* bytes, negative when it shrinks */
    uint64_t collections;
    double pause_sum_seconds;
    double pause_max_seconds;
    uint64_t reclaimed_bytes;
} sonde_memory_stats;

/* Read a service's numbers; all 0 for NULL. Cost: O(threads * bounds). */
SONDE_API void sonde_memory_read(sonde_memory *memory, sonde_memory_stats *ret_stats);

/* The heap of the process. */
typedef struct sonde_memory_heap {
    const char *source;      /* "jemalloc", "mallinfo2", or "none": then the heap's numbers are 0 */
    uint64_t used_bytes;     /* handed out */
    uint64_t reserved_bytes; /* taken from the system for that */
    double fragmentation;    /* 1 - used / reserved */
    uint64_t rss_bytes;      /* of the whole process, from /proc/self/statm; 0: not known */
} sonde_memory_heap;

/*
 * Ask the allocator. It looks at every one of its arenas under their locks: up to milliseconds in a
 * program with many.
 * Threads: any. Blocks: as the allocator, and on one file of /proc.
 */
SONDE_API void sonde_memory_heap_read(sonde_memory_heap *ret_heap);

/*
 * All services of a registry and the process as JSON, the answer of get_memory_usage_metrics:
 *
 *   {"services":[{"service","bytes","peak_bytes","allocations","frees","allocated_bytes",
 *     "allocations_per_second","frees_per_second","growth_bytes_per_second",
 *     "gc":{"collections","pause_sum_seconds","pause_max_seconds","reclaimed_bytes"},
 *     "limits":{"max_bytes","max_growth_bytes_per_second","clear_margin"},
 *     "alerts":[{"alert","value","threshold","since_time_ms","message"}]}],
 *    "process":{"source","heap_used_bytes","heap_reserved_bytes","fragmentation","rss_bytes"}}
 *
 *   registry  NULL: global
 *   ret_text  a NUL follows the last byte; release with sonde_free
 *   ret_len   without the NUL; may be NULL
 *
 * Returns SONDE_OK, SONDE_ERR_NO_MEMORY. Threads: any. Allocates; evaluates first.
 */
SONDE_API sonde_status sonde_memory_metrics_json(sonde_registry *registry, char **ret_text,
                                                 size_t *ret_len);

#ifdef __cplusplus
}
#endif
#endif
