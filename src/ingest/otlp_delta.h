/*
 * Delta streams of OTLP made cumulative: what each stream has added up to, in bounded memory.
 *
 * 1. A point that is sent again (same start and end as the newest one) is not added again and gives the
 *    same result: clients repeat what was not acknowledged.
 * 2. A point that ends before the newest one of its stream is late: it is not added.
 * 3. When there is no room for another stream, those that were quiet for a while make room.
 *
 * Any thread: guarded by a lock of its own.
 */
#ifndef SN_INGEST_OTLP_DELTA_H
#define SN_INGEST_OTLP_DELTA_H

#include "base/arena.h"
#include "base/lock.h"
#include "base/map.h"
#include "base/status.h"
#include "model/histogram.h"

/* Streams with histograms have some KiB each; numbers 200 bytes. */
#define SN_OTLP_STREAMS_MAX ((size_t)100000)
/* A stream that was quiet for so long may be forgotten when others need the room. */
#define SN_OTLP_STREAM_QUIET_MS INT64_C(600000)

struct sn_otlp_stream;

/* Fields are guarded by mu. */
struct sn_otlp_deltas {
    struct sn_mutex mu;
    struct sn_otlp_stream *streams; /* [capacity] */
    size_t count;
    size_t capacity;
    size_t streams_max;
    struct sn_map by_key;
};

void sn_otlp_deltas_init(struct sn_otlp_deltas *deltas, size_t streams_max); /* 0: the default */
void sn_otlp_deltas_release(struct sn_otlp_deltas *deltas);
size_t sn_otlp_deltas_count(struct sn_otlp_deltas *deltas);

/* One point of a stream: what was counted between two moments. */
struct sn_otlp_delta {
    struct sn_str key; /* of the stream: canonical labels */
    uint64_t start_ns, time_ns;
    int64_t now_ms; /* the wall clock, for rule 3 */
    /* Numbers that add up: the value; or count, sum and buckets. */
    const double *values; /* [value_count] */
    size_t value_count;
    const double *bounds; /* [bound_count] of the buckets: others begin anew */
    size_t bound_count;
    /* Or a histogram with exponential buckets; NULL: values are meant. */
    const struct sn_histogram *histogram;
};

struct sn_otlp_total {
    uint64_t start_ns;             /* since when it adds up */
    const double *values;          /* [value_count] in the arena */
    struct sn_histogram histogram; /* in the arena */
};

/*
 * Add a point and tell what the stream has added up to.
 *
 * Returns SN_OK, SN_ERR_EXISTS (late: rule 2), SN_ERR_BUSY (no room for another stream), SN_ERR_LIMIT (of the
 * arena), SN_ERR_NO_MEMORY: nothing was added then.
 */
sn_status sn_otlp_deltas_add(struct sn_otlp_deltas *deltas, const struct sn_otlp_delta *delta,
                             struct sn_arena *arena, struct sn_otlp_total *ret_total,
                             struct sn_err *err) SN_MUST_USE;

#endif
