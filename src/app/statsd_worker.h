/*
 * The thread that receives StatsD: datagrams into the state, and the state into the sink once per
 * interval.
 */
#ifndef SN_APP_STATSD_WORKER_H
#define SN_APP_STATSD_WORKER_H

#include "base/clock.h"
#include "base/lock.h"
#include "ingest/statsd_state.h"
#include "net/datagrams.h"

#include <stdatomic.h>

/* Made by the main thread, then its own thread's. Both doors are borrowed. */
struct sn_statsd_worker {
    struct sn_statsd_state *state;
    struct sn_datagrams *datagrams;
    const struct sn_clock *clock; /* NULL: system */
    int64_t flush_interval_ms;
    atomic_bool is_stopping;
    uint64_t bad_count;      /* datagrams with something wrong since the last word about it */
    struct sn_err first_bad; /* of those */
    bool was_refused;        /* the last flush failed */
};

/* Ends after stop() with a last flush that is durable. */
struct sn_worker sn_statsd_worker(struct sn_statsd_worker *worker);

#endif
