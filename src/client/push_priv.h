/*
 * A push client inside. Callers put lines into the ring under mu, for as long as a copy takes; one
 * thread takes batches out of it and talks to the server without mu.
 *
 *   1. The memory is taken when the collector is made; recording takes none.
 *   2. A sample has its timestamp from the moment that it was recorded, so that a batch may be sent
 *      again and is the same.
 *   3. At rest SUBMITTED equals SENT, all DROPPED and what is queued, together.
 * Fields are guarded by mu unless their comment says otherwise.
 */
#ifndef SN_CLIENT_PUSH_PRIV_H
#define SN_CLIENT_PUSH_PRIV_H

#include "base/clock.h"
#include "base/lock.h"
#include "base/rng.h"
#include "client/push_http_priv.h"
#include "client/push_line_priv.h"
#include "client/push_ring_priv.h"
#include "sonde/gauge.h"
#include "sonde/push.h"

#include <stdatomic.h>

/* In the order of sonde_collector_stats. */
enum sn_push_number {
    SN_PUSH_SUBMITTED,
    SN_PUSH_SENT,
    SN_PUSH_DROPPED_OVERFLOW,
    SN_PUSH_DROPPED_REFUSED,
    SN_PUSH_DROPPED_REJECTED,
    SN_PUSH_DROPPED_INVALID,
    SN_PUSH_DROPPED_TOO_LONG,
    SN_PUSH_DROPPED_RATE,
    SN_PUSH_DROPPED_CLOSED,
    SN_PUSH_BATCHES,
    SN_PUSH_FAILURES,
    SN_PUSH_SNAPSHOTS,
    SN_PUSH_SNAPSHOTS_SKIPPED,
    SN_PUSH_NUMBER_COUNT,
};

/* Series share slots; sharing costs a millisecond and nothing else. */
#define SN_PUSH_SLOTS 4096

/* What the collector shows in a registry. */
struct sn_push_metric {
    sonde_collector *collector;
    sonde_callback *callback;
    unsigned which;
};
#define SN_PUSH_METRIC_COUNT 11

struct sonde_collector {
    struct sn_mutex mu;
    const struct sn_clock *clock; /* fixed */
    char *service;                /* owned; fixed */
    char *instance;               /* owned; NULL: none; fixed */
    unsigned slot;                /* fixed */
    size_t batch_max;             /* fixed */
    int64_t flush_interval_ns;    /* fixed */
    int64_t backoff_min_ns;       /* fixed */
    int64_t backoff_max_ns;       /* fixed */

    _Atomic uint64_t numbers[SN_PUSH_NUMBER_COUNT]; /* any thread */
    _Atomic uint64_t errors[SONDE_PUSH_ERRORS_MAX]; /* hashes of messages; 0: free. Any thread */
    _Atomic bool is_on;                             /* changed under mu: samples are taken */

    struct sn_push_ring ring;
    int64_t last_ms[SN_PUSH_SLOTS]; /* latest timestamp of the series of a slot */
    int64_t last_now_ms;
    uint64_t flush_wanted; /* samples with smaller numbers are to go now */
    unsigned flush_waiters;
    uint64_t batch_first; /* with is_sending: number of the oldest on its way */
    bool is_sending;
    char last_error[SONDE_ERROR_TEXT_SIZE];

    sonde_registry *registry; /* to push; NULL with snapshot_interval_ns 0 */
    int64_t snapshot_interval_ns;
    int64_t next_snapshot_ns;
    uint64_t snapshot_end; /* number behind the last sample of the last snapshot */
    bool is_snapshotting;

    struct sn_thread thread;
    struct sn_cond wake; /* the sender waits here */
    struct sn_cond done; /* others wait here for it */
    bool has_thread;
    bool is_stopping;
    bool is_closing;
    bool is_closed;

    /* The sender's own. */
    struct sn_push_http http;
    struct sn_buf batch; /* its memory is taken at the start */
    size_t batch_count;
    struct sn_rng rng;
    unsigned failure_count; /* in a row */
    int64_t next_send_ns;   /* when a batch that is not full goes */
    int64_t rest_until_ns;  /* no try before that */
    int64_t snapshot_ms;    /* timestamp of the last snapshot */
    char scratch[SN_PUSH_LINE_BYTES_MAX];

    struct sn_push_metric metrics[SN_PUSH_METRIC_COUNT];
    size_t metric_count;
};

static inline void sn_push_count(sonde_collector *collector, enum sn_push_number which,
                                 uint64_t count) {
    atomic_fetch_add_explicit(&collector->numbers[which], count, memory_order_relaxed);
}

static inline uint64_t sn_push_number(const sonde_collector *collector, enum sn_push_number which) {
    return atomic_load_explicit(&collector->numbers[which], memory_order_relaxed);
}

/* ---- push_buffer.c ---- */

/*
 * Put the lines of one call into the buffer, all or none; anything wrong with one is counted for
 * all.
 */
struct sn_push_entry {
    struct sn_push_line line;
    size_t slot; /* of its series, below SN_PUSH_SLOTS */
};
void sn_push_submit(sonde_collector *collector, struct sn_push_entry *entries, size_t count);

/* Put one line of a snapshot into the buffer, under the snapshot's own time. */
void sn_push_submit_at(sonde_collector *collector, const struct sn_push_line *line,
                       int64_t time_ms);

/* Number of the oldest sample whose fate is open. */
uint64_t sn_push_settled_locked(const sonde_collector *collector) SN_REQUIRES(&collector->mu);

/* ---- push_snapshot.c ---- */

/* Put all samples of the registry into the buffer, when it is time. The sender. */
void sn_push_snapshot(sonde_collector *collector, int64_t now_ns);

/* ---- push_sender.c ---- */

/* How long the sender has nothing to do; 0 and less: it has. */
int64_t sn_push_wait_ns_locked(const sonde_collector *collector, int64_t now_ns)
    SN_REQUIRES(&collector->mu);

/* Do what is due: take a snapshot, send a batch. False: a try failed. The sender. */
bool sn_push_round(sonde_collector *collector);

/* Send all that waits, with rests between failures, until abort_ns; count what is left. The sender. */
void sn_push_finish(sonde_collector *collector);

/* What the thread runs, with the collector as its context. */
void sn_push_run(void *collector);

/* ---- push_metrics.c ---- */

/* EXISTS: another collector of that service is shown there; NO_MEMORY, LIMIT. */
sonde_status sn_push_metrics_show(sonde_collector *collector, sonde_registry *registry,
                                  sonde_error *error);
void sn_push_metrics_hide(sonde_collector *collector);

/* ---- push.c ---- */

/* As sonde_collector_new, with the tests' clock, and without a thread: they call the rounds. */
sonde_collector *sn_push_open(const sonde_collector_options *options, const struct sn_clock *clock,
                              bool has_thread, sonde_error *error);

#endif
