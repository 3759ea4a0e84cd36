/*
 * One log: its rings, loggers, sinks and writer. What log_*.c share.
 *
 *   log_enqueue.c  the caller's path        log_logger.c  names and levels
 *   log_writer.c   draining and the thread  log_system.c  open, close, fork, thread exit
 *   log_sink.c ... where lines go           log_crash.c   rings to a descriptor in a crash
 *
 * Invariants:
 *   1. Rings and loggers stay where they are until sonde_log_free: a caller that is late finds
 *      them, and its line is dropped or lies in a ring that nobody reads any more.
 *   2. One thread drains at a time: the writer, or with is_draining set whoever flushes without it.
 *   3. After open nothing here allocates but new loggers.
 * Fields are guarded by sn_log_mu unless their comment says otherwise.
 */
#ifndef SN_CLIENT_LOG_PRIV_H
#define SN_CLIENT_LOG_PRIV_H

#include "base/clock.h"
#include "base/lock.h"
#include "client/log_ring_priv.h"
#include "client/log_sink_priv.h"
#include "sonde/gauge.h"

/* One lock for all logs, so that fork has one to hold. Never held while a sink works. */
extern struct sn_mutex sn_log_mu;

struct sonde_logger {
    sonde_logger_head head; /* level in force, atomic */
    uint16_t index;
    sonde_level own_level; /* DEFAULT: the parent's */
    uint32_t sink_mask;    /* which sinks want it; fixed */
    sonde_log *log;        /* NULL: the logger that drops */
    sonde_logger *parent;  /* NULL: root */
    size_t name_len;
    char name[SONDE_LOG_NAME_BYTES_MAX + 1];
};

/* Where a ring stands in a round of draining. The drainer's. */
struct sn_log_cursor {
    struct sn_log_ring *ring;
    const struct sn_log_record *record;
    size_t room;
    int64_t time_ns;
};

/* A moment on all clocks, from which stamps become wall time. */
struct sn_log_moment {
    uint64_t tick;
    uint64_t tick_scale; /* nanoseconds per tick * 2^32; 0: ticks are not to be trusted */
    int64_t mono_ns;
    int64_t wall_ns;
};

#define SN_LOG_METRIC_COUNT 6

/* A number of the log that a registry shows. */
struct sn_log_metric {
    sonde_log *log;
    sonde_callback *callback;
    unsigned which;
};

struct sonde_log {
    uint64_t id;                  /* of all logs ever opened, for what threads remember; fixed */
    unsigned slot;                /* fixed */
    const struct sn_clock *clock; /* fixed */
    bool is_system_clock;         /* fixed */
    bool flush_at_exit;           /* fixed */
    struct sn_log_ring *rings;    /* [ring_count], owned; fixed */
    size_t ring_count;
    uint8_t *ring_memory; /* [ring_count * ring_bytes], mapped; fixed */
    size_t ring_memory_bytes;
    _Atomic bool is_open; /* callers may log */
    _Atomic uint64_t dropped_threads;
    _Atomic uint64_t dropped_closed;
    _Atomic bool wants_reopen;

    _Atomic(sonde_logger *) loggers[SONDE_LOG_LOGGERS_MAX]; /* written once each; 0 is root */
    _Atomic uint32_t logger_count;

    struct sn_log_sink sinks[SONDE_LOG_SINKS_MAX]; /* the drainer's */
    size_t sink_count;                             /* fixed */
    struct sn_log_identity identity;               /* fixed, but for pid in a child */
    char *program;                                 /* owned */
    char host[256];
    struct sn_log_cursor *cursors; /* [ring_count], owned; the drainer's */
    uint64_t told_threads;         /* the drainer's */

    struct sn_thread thread;
    struct sn_cond wake; /* the writer waits here */
    struct sn_cond done; /* others wait here for the writer */
    uint64_t flush_wanted;
    uint64_t flush_done;
    bool has_thread;
    bool is_stopping;
    bool is_draining; /* somebody without the writer */
    bool is_closing;
    _Atomic bool is_closed; /* sinks are gone; rings are not read any more */

    struct sn_log_metric metrics[SN_LOG_METRIC_COUNT];
    size_t metric_count;
};

/* ---- log_system.c ---- */

/* As sonde_log_open, with the tests' clock, and without a thread: flush drains then. */
sonde_log *sn_log_system_open(const sonde_log_options *options, const struct sn_clock *clock,
                              bool has_thread, sonde_error *error);

/* The log in a slot, or NULL. Any thread. */
sonde_log *sn_log_in_slot(unsigned slot);

/* Have on_exit called at the end of this thread. Any thread. */
void sn_log_watch_thread(void);

/* ---- log_enqueue.c ---- */

/* Give back the calling thread's rings. With sn_log_mu, so that no log goes away meanwhile. */
void sn_log_thread_release_locked(void);

/* The calling thread's ring in a log, NULL when it has none. */
struct sn_log_ring *sn_log_own_ring(const sonde_log *log);

uint64_t sn_log_nowhere_count(void);

/* ---- log_logger.c ---- */

/* Make the root logger of a new log. SN_ERR_NO_MEMORY. */
sn_status sn_logger_init_root(sonde_log *log, sonde_level level, struct sn_err *err) SN_MUST_USE;
void sn_logger_release_all(sonde_log *log);

/* The logger of a record; NULL: a number that no logger has. Any thread, async-signal-safe. */
const sonde_logger *sn_logger_at(const sonde_log *log, uint32_t index);

/* ---- log_writer.c ---- */

struct sn_log_moment sn_log_moment_now(const sonde_log *log);
int64_t sn_log_time_of(const struct sn_log_moment *moment, const struct sn_log_record *record);

/*
 * Hand everything that waits now to the sinks and give the rings back what it took. One thread at
 * a time. Returns how full the fullest ring was, in 1/256.
 */
unsigned sn_log_round(sonde_log *log);

/* What the writer thread runs, with the log as its context. */
void sn_log_writer_run(void *log);

/* ---- log_metrics.c ---- */

/* SN_ERR_EXISTS: another log of that name is shown there; SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sonde_status sn_log_metrics_show(sonde_log *log, sonde_registry *registry, sonde_error *error);
void sn_log_metrics_hide(sonde_log *log);

#endif
