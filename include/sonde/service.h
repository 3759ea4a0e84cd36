/*
 * Services and their operations: what a part of the program does, how often, how fast, and how
 * it fails.
 *
 *     static sonde_operation *lookup;
 *     lookup = sonde_operation_get(sonde_service_get(NULL, "cache"), "lookup");
 *
 *     SONDE_TRACK(track, lookup);            // leaving the scope unfinished counts as "aborted"
 *     ...
 *     if (bad)
 *         return sonde_track_fail(&track, "connection lost"), -1;
 *     sonde_track_complete(&track);
 *
 * Shown as sonde_operations_total{service,operation,outcome},
 * sonde_operation_duration_seconds{service,operation} (a histogram), ..._duration_min_seconds,
 * ..._duration_max_seconds, sonde_operations_active, sonde_operation_last_timestamp_seconds and
 * sonde_service_start_time_seconds{service}.
 */
#ifndef SONDE_SERVICE_H
#define SONDE_SERVICE_H

#include "sonde/cells.h"
#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_service sonde_service;
typedef struct sonde_operation sonde_operation;

/*
 * Find a service by name, or register it; its start time is the moment of the first call.
 *
 *   registry  NULL: global
 *   name      any text up to SONDE_LABEL_VALUE_BYTES_MAX; beyond limits it is SONDE_OTHER
 *
 * Returns a handle for the registry's lifetime, never NULL.
 * Threads: any. Blocks: a new name on the registration lock. Cost: a hash lookup.
 */
SONDE_API sonde_service *sonde_service_get(sonde_registry *registry, const char *name);

/* Find an operation of a service by name, or register it; otherwise as sonde_service_get. */
SONDE_API sonde_operation *sonde_operation_get(sonde_service *service, const char *name);

/* How an operation ended: the label `outcome`. Fixed numbers. */
typedef enum sonde_outcome {
    SONDE_OUTCOME_OK = 0,
    SONDE_OUTCOME_ERROR = 1,
    SONDE_OUTCOME_ABORTED = 2,
    SONDE_OUTCOME_COUNT = 3
} sonde_outcome;

/* One run of an operation. Owned by the caller; one thread at a time. Zeroed: finished. */
typedef struct sonde_tracker {
    sonde_operation *operation; /* NULL: finished */
    uint64_t begin;             /* processor ticks, or nanoseconds when scale is 0 */
    uint64_t scale;             /* nanoseconds per tick * 2^32 */
} sonde_tracker;

/*
 * Start a run. It must be finished by exactly one of complete, fail and abort; a second finish
 * does nothing. Threads: any; may be finished in another thread. Blocks: never. Cost: with
 * sonde_track_complete about 19 ns, all but 1 of them for the two clock
 * readings.
 */
SONDE_API sonde_tracker sonde_track_begin_call(sonde_operation *operation);

/* Finish a run as ok or aborted. Threads: any. Blocks: never. */
SONDE_API void sonde_track_end_call(sonde_tracker *tracker, sonde_outcome outcome);

/* What went wrong. Zero-initialise and fill in. */
typedef struct sonde_failure {
    const char *error_class; /* "timeout", "io"; NULL: none; cut at 63 bytes */
    const char *message;     /* for people; NULL: none; cut at 255 bytes */
} sonde_failure;

/*
 * Finish a run as failed and remember the message (the last one of each operation is kept).
 * When two threads fail at the same moment, one message is kept; both are counted.
 * Threads: any. Blocks: never. Cost: about 60 ns, no allocation.
 */
SONDE_API void sonde_track_fail(sonde_tracker *tracker, const char *message);
SONDE_API void sonde_track_fail_as(sonde_tracker *tracker, const sonde_failure *failure);

#define SONDE_ERROR_CLASS_SIZE 64
#define SONDE_ERROR_MESSAGE_SIZE 256

/* An operation's numbers at one moment. Durations are 0 while nothing has finished. */
typedef struct sonde_operation_stats {
    uint64_t outcome_count[3]; /* [SONDE_OUTCOME_COUNT] */
    uint64_t count;            /* all outcomes */
    int64_t active;            /* begun, not finished; never below 0 */
    double duration_sum_s;
    double duration_min_s;
    double duration_max_s;
    int64_t last_wall_ms;       /* Unix time of the last finish; 0: none */
    int64_t last_error_wall_ms; /* of the last failure; 0: none */
    char last_error_class[SONDE_ERROR_CLASS_SIZE];
    char last_error_message[SONDE_ERROR_MESSAGE_SIZE];
} sonde_operation_stats;

/* Read an operation's numbers. Threads: any. Blocks: never. Cost: O(threads * bounds). */
SONDE_API void sonde_operation_read(const sonde_operation *operation,
                                    sonde_operation_stats *ret_stats);

/* When a service was first named, Unix milliseconds. Threads: any. Blocks: never. */
SONDE_API int64_t sonde_service_start_wall_ms(const sonde_service *service);

/*
 * What durations are measured with: "tsc" (invariant processor counter, calibrated against the
 * kernel's clock) or "clock_gettime". It starts as the latter and changes after about 20 ms.
 * Static text. Threads: any. Blocks: never.
 */
SONDE_API const char *sonde_clock_source(void);

/* Start of every operation and order of its cells; see sonde/cells.h on what is public here. */
typedef struct sonde_operation_head {
    sonde_ref ref;
    const sonde_buckets *buckets; /* of nanoseconds */
} sonde_operation_head;

enum {
    SONDE_OPERATION_BEGUN = 0,
    SONDE_OPERATION_OUTCOME = 1, /* three cells */
    SONDE_OPERATION_SUM_NS = 4,
    SONDE_OPERATION_MIN_NS = 5, /* bits inverted, so that 0 is "none yet" */
    SONDE_OPERATION_MAX_NS = 6,
    SONDE_OPERATION_LAST_TICK = 7, /* end of the last run measured by the processor counter */
    SONDE_OPERATION_LAST_NS = 8,   /* ... by the monotonic clock */
    SONDE_OPERATION_BUCKETS = 9    /* bounds + 1 cells */
};

#if SONDE_INLINE_RECORD
/* Count one finished run. Its last time is the caller's to store. */
SONDE_INLINE void sonde_operation_record(uint64_t *cells, const sonde_buckets *buckets,
                                         uint64_t duration_ns, sonde_outcome outcome) {
    unsigned index = (unsigned)outcome < SONDE_OUTCOME_COUNT ? (unsigned)outcome
                                                             : (unsigned)SONDE_OUTCOME_ABORTED;
    sonde_cell_add(cells + SONDE_OPERATION_OUTCOME + index, 1);
    sonde_cell_add(cells + SONDE_OPERATION_SUM_NS, duration_ns);
    if (~duration_ns > __atomic_load_n(cells + SONDE_OPERATION_MIN_NS, __ATOMIC_RELAXED))
        __atomic_store_n(cells + SONDE_OPERATION_MIN_NS, ~duration_ns, __ATOMIC_RELAXED);
    if (duration_ns > __atomic_load_n(cells + SONDE_OPERATION_MAX_NS, __ATOMIC_RELAXED))
        __atomic_store_n(cells + SONDE_OPERATION_MAX_NS, duration_ns, __ATOMIC_RELAXED);
    /* Runs of one operation tend to be alike, so this branch is guessed right, and the processor goes
     * on without waiting for the table: 10 ns less for operations below the first bound. */
    double duration = (double)(int64_t)duration_ns;
    size_t bucket = duration <= buckets->low ? 0 : sonde_bucket_of(buckets, duration);
    sonde_cell_add(cells + SONDE_OPERATION_BUCKETS + bucket, 1);
}
#endif

#if SONDE_INLINE_RECORD && defined(__x86_64__)

/* Nanoseconds per tick * 2^32; 0: the counter is not to be trusted (yet). */
extern SONDE_API uint64_t sonde_tick_scale;

SONDE_INLINE uint64_t sonde_tick(void) {
    uint32_t low, high;
    __asm__ volatile("rdtsc" : "=a"(low), "=d"(high));
    return ((uint64_t)high << 32) | low;
}

SONDE_INLINE sonde_tracker sonde_track_begin(sonde_operation *operation) {
    sonde_tracker tracker = {operation, 0, __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED)};
    if (__builtin_expect(tracker.scale == 0, 0))
        return sonde_track_begin_call(operation);
    sonde_cell_add(sonde_cells(operation) + SONDE_OPERATION_BEGUN, 1);
    tracker.begin = sonde_tick();
    return tracker;
}

SONDE_INLINE void sonde_track_end(sonde_tracker *tracker, sonde_outcome outcome) {
    const sonde_operation_head *head =
        (const sonde_operation_head *)(const void *)tracker->operation;
    if (__builtin_expect(head == NULL || tracker->scale == 0, 0)) {
        sonde_track_end_call(tracker, outcome);
        return;
    }
    uint64_t now = sonde_tick();
    /* A counter that went back (the machine slept between two readings) is no time at all. */
    uint64_t ticks = now > tracker->begin ? now - tracker->begin : 0;
    uint64_t ns = (uint64_t)((__extension__(unsigned __int128) ticks * tracker->scale) >> 32);
    uint64_t *cells = sonde_cells(head);
    tracker->operation = NULL;
    __atomic_store_n(cells + SONDE_OPERATION_LAST_TICK, now, __ATOMIC_RELAXED);
    sonde_operation_record(cells, head->buckets, ns, outcome);
}
#else
#define sonde_track_begin sonde_track_begin_call
#define sonde_track_end sonde_track_end_call
#endif

/* Finish a run as ok, or give it up. Threads: any. Blocks: never. */
SONDE_INLINE void sonde_track_complete(sonde_tracker *tracker) {
    sonde_track_end(tracker, SONDE_OUTCOME_OK);
}

SONDE_INLINE void sonde_track_abort(sonde_tracker *tracker) {
    if (tracker->operation != NULL)
        sonde_track_end(tracker, SONDE_OUTCOME_ABORTED);
}

#if defined(__GNUC__)
/* Declare `name` as a tracker of `operation` that counts as aborted when it leaves its scope
 * unfinished. Other compilers call sonde_track_abort on every way out. */
#define SONDE_TRACK(name, operation)                                                               \
    __attribute__((cleanup(sonde_track_abort))) sonde_tracker name = sonde_track_begin(operation)
#endif

#ifdef __cplusplus
}
#endif
#endif
