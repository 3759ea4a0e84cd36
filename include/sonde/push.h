/*
 * The push client: measurements that a program sends to a Sonde server itself, for programs that
 * nobody can scrape (batch jobs, workers behind a firewall, programs that live for seconds).
 *
 *     sonde_collector_options options = {.service = "resizer", .url = "http://127.0.0.1:9464"};
 *     sonde_collector *push = sonde_collector_new(&options, NULL);
 *     sonde_collector_track_operation(push, "resize", 0.125, NULL);
 *     sonde_collector_free(push);                     // after sonde_collector_close(push, 1000)
 *
 * A call copies its measurement into a buffer of fixed size and returns. One thread per collector
 * (all signals blocked) sends what waits in batches, as Prometheus text with timestamps, to
 * POST <url>/api/v1/import/prometheus, and forgets it when the server says that it is durable.
 *
 *     recorded --> buffer --> batch on its way --2xx--> sent (or rejected, one by one, by the server)
 *                    |               |---- 4xx -------> dropped: "refused"
 *                    | full          |---- 429, 408, 5xx, no answer --> back to the buffer; the next
 *                    v                     try waits longer and longer
 *              the oldest is dropped: "overflow"
 *
 * A batch whose answer was lost is sent again with the same timestamps; the server knows its
 * samples. What is dropped is counted (sonde_collector_read, metrics sonde_push_...): at rest
 * submitted == sent + all dropped_... + queued.
 *
 * What the measurements become. Every sample has the labels service and, when given, instance:
 *
 *   track_operation        NAME_seconds{metric_type="processing_time",outcome="ok"}  or
 *                          NAME_seconds{metric_type="processing_time",outcome="error",error="..."}
 *   track_processing_time  NAME_seconds{metric_type="processing_time",<metadata>}
 *   record_success_rate    NAME_succeeded{metric_type="success_rate"} and
 *                          NAME_attempted{metric_type="success_rate"}: two counts, which add up:
 *                          sum_over_time(NAME_succeeded[1d]) / sum_over_time(NAME_attempted[1d])
 *   record_queue_depth     NAME_depth{metric_type="queue_metrics"} and
 *                          NAME_wait_seconds{metric_type="queue_metrics"}
 *   push_registry          the registry's own names and labels; counters and histograms with the time
 *                          since which they count, so that increase() has their first increment
 *
 * In NAME every byte outside of [a-zA-Z0-9_:] becomes "_", and a digit in front gets a "_" before
 * it. A timestamp is the millisecond of the call, or the next one in which that series has no
 * sample yet; a series that runs ahead of the clock by more than SONDE_PUSH_AHEAD_MS (more than
 * 1000 calls per second for long) loses measurements as "rate": count such things in a registry.
 *
 * fork: in the child a collector is off (calls are counted as "closed") until
 * sonde_collector_resume and has no registry to push; what waits is sent by the parent. exit without sonde_collector_close
 * loses what is not sent. Not for signal handlers. TLS is not spoken: https is refused.
 */
#ifndef SONDE_PUSH_H
#define SONDE_PUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sonde/registry.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sonde_collector sonde_collector;

/* Ceilings. */
#define SONDE_COLLECTORS_MAX 8           /* in one process at the same time */
#define SONDE_PUSH_RECORD_BYTES_MAX 4096 /* of one sample as text; more is dropped: "too_long" */
#define SONDE_PUSH_METADATA_MAX 16       /* pairs of one call */
#define SONDE_PUSH_ERRORS_MAX 64         /* different error messages; further ones: SONDE_OTHER */
#define SONDE_PUSH_ERROR_BYTES_MAX 128   /* of a message; the rest is cut */
#define SONDE_PUSH_AHEAD_MS 10000

/* Every field: zero means the default in brackets. Strings are copied. */
typedef struct sonde_collector_options {
    const char *url;      /* http://HOST[:PORT][/PREFIX] [http://127.0.0.1:9464] */
    const char *service;  /* label `service`; needed */
    const char *instance; /* label `instance`, to tell processes of one service apart [none] */
    const char *token;    /* sent as Authorization: Bearer [none] */
    size_t buffer_bytes;  /* 65536 to 2^30 [4 MiB] */
    size_t record_max;    /* samples in the buffer, 1 to 10^8 [100000] */
    size_t batch_bytes;   /* 16384 to 16 MiB, at most buffer_bytes [256 KiB] */
    size_t batch_max;     /* samples of one request [5000] */
    unsigned flush_interval_ms;  /* a sample waits so long for others at most [1000] */
    unsigned backoff_min_ms;     /* after the first failure; then doubled each time [500] */
    unsigned backoff_max_ms;     /* [30000] */
    unsigned connect_timeout_ms; /* for each address of the host [3000] */
    unsigned timeout_ms;         /* for a whole request [10000] */
    bool has_metrics;            /* show sonde_push_... */
    sonde_registry *registry;    /* ... in this registry, which outlives the collector [global] */
} sonde_collector_options;

/*
 * Make a collector and start its thread. The server need not run yet.
 *
 *   options  `service` is needed: 1 to 255 bytes of UTF-8
 *   error    INVALID (url, service, token), UNSUPPORTED (https), LIMIT (sizes,
 *            SONDE_COLLECTORS_MAX), NO_MEMORY, IO (the thread), EXISTS (metrics of a collector of
 *            the same service)
 *
 * Returns NULL after an error. Every function takes NULL and does nothing.
 * Threads: any. Blocks: on the registration lock with has_metrics. Cost: buffer_bytes (used as it
 * fills) and batch_bytes of memory, all that it will ever allocate, and a thread.
 */
SONDE_API sonde_collector *sonde_collector_new(const sonde_collector_options *options,
                                               sonde_error *error);

/*
 * Record that an operation took so long, and how it ended.
 *
 *   name           of the operation, 1 to 200 bytes
 *   seconds        finite, not negative; else it is dropped: "invalid"
 *   error_message  NULL: it went well. A kind of failure ("connection refused"), not a story: each
 *                  text is a series of its own.
 *
 * Threads: any. Blocks: never but for the copies of others. Cost: about 250 ns, when two threads call
 * without a pause 550; no allocation, no system call unless the buffer gets as full as a batch.
 */
SONDE_API void sonde_collector_track_operation(sonde_collector *collector, const char *name,
                                               double seconds, const char *error_message);

/* A fact about a measurement. The key becomes a label name: bytes outside of [a-zA-Z0-9_] turn into
 * "_". A key of ours (service, instance, metric_type), or one that comes twice, is "invalid". */
typedef struct sonde_metadata {
    const char *key;
    const char *value; /* UTF-8; few different ones: each is a series */
} sonde_metadata;

/* Record how long a phase of a job took ("download"). metadata: [count], may be NULL with 0.
 * Otherwise as above. */
SONDE_API void sonde_collector_track_processing_time(sonde_collector *collector, const char *phase,
                                                     double seconds, const sonde_metadata *metadata,
                                                     size_t count);

/* Record that `ok` of `total` attempts went well; ok > total is "invalid". Both or none of the
 * counts are recorded. Otherwise as above. */
SONDE_API void sonde_collector_record_success_rate(sonde_collector *collector,
                                                   const char *operation, uint64_t ok,
                                                   uint64_t total);

/* Record how many entries wait in a queue and how long the next one has waited, in seconds.
 * Otherwise as above. */
SONDE_API void sonde_collector_record_queue_depth(sonde_collector *collector, const char *queue,
                                                  uint64_t depth, double wait_seconds);

/*
 * Push all metrics of a registry, now and at an interval, from the collector's thread. One registry
 * per collector: the last call counts. The buffer must have room for all samples, or it drops some
 * of them. A snapshot is left out while the one before it still waits
 * in the buffer, so that a server that is away costs one snapshot and not the buffer. Help and
 * types do not travel.
 *
 *   registry     NULL: global; outlives the collector, or is replaced before it goes
 *   interval_ms  0: no longer
 *
 * Threads: any. Blocks: while a snapshot is being taken.
 */
SONDE_API void sonde_collector_push_registry(sonde_collector *collector, sonde_registry *registry,
                                             unsigned interval_ms);

/*
 * Wait until all that was recorded before is sent or dropped. Does not shorten a back-off.
 * Returns false when timeout_ms passed first, or the collector is off.
 * Threads: any. Blocks: up to timeout_ms.
 */
SONDE_API bool sonde_collector_flush(sonde_collector *collector, unsigned timeout_ms);

/*
 * Send what waits, trying again until timeout_ms is over, and stop. The first try is made at once,
 * also when the server is being given a rest. Calls from now on are counted as "closed"; so is what
 * could not be sent. A second call does nothing.
 *
 * Returns false when the thread did not end within timeout_ms and a grace of 100 ms (it asks for
 * the address of a host); it goes on to its end, and close may be called again.
 * Threads: any. Blocks: up to timeout_ms + 100.
 */
SONDE_API bool sonde_collector_close(sonde_collector *collector, unsigned timeout_ms);

/*
 * Close without waiting for the server, and release the memory. Nobody uses the collector now or
 * later. Returns NULL. Blocks: as long as the system looks for the host's address.
 */
SONDE_API sonde_collector *sonde_collector_free(sonde_collector *collector);

/*
 * Go on in a child of fork, with an empty buffer and counters at 0. Does nothing when it is on.
 * Returns SONDE_OK, IO, NO_MEMORY (no thread), INVALID (closed, or NULL). Threads: any.
 */
SONDE_API sonde_status sonde_collector_resume(sonde_collector *collector, sonde_error *error);

/* What became of the samples of a collector. */
typedef struct sonde_collector_stats {
    uint64_t submitted;
    uint64_t sent;             /* durable, says the server */
    uint64_t queued;           /* in the buffer or on their way */
    uint64_t queued_bytes;     /* of the buffer */
    uint64_t dropped_overflow; /* the oldest, when the buffer was full */
    uint64_t dropped_refused;  /* in batches that were answered with 4xx */
    uint64_t dropped_rejected; /* by the server, one by one */
    uint64_t dropped_invalid;  /* arguments that are wrong */
    uint64_t dropped_too_long; /* SONDE_PUSH_RECORD_BYTES_MAX; of a registry 16000 */
    uint64_t dropped_rate;     /* SONDE_PUSH_AHEAD_MS */
    uint64_t dropped_closed;   /* closed, or in a child of fork */
    uint64_t batches;          /* that were answered with 2xx */
    uint64_t failures;         /* tries that will be repeated */
    uint64_t snapshots;        /* of the registry, taken */
    uint64_t snapshots_skipped;
    char last_error[SONDE_ERROR_TEXT_SIZE]; /* of the last try that went wrong; "" */
} sonde_collector_stats;

/* Threads: any. Blocks: never. NULL gives zeros. */
SONDE_API void sonde_collector_read(const sonde_collector *collector,
                                    sonde_collector_stats *ret_stats);

/* All dropped_ numbers together. Threads: any. */
SONDE_API uint64_t sonde_collector_dropped_count(const sonde_collector *collector);

#ifdef __cplusplus
}
#endif
#endif
