/*
 * Sinks: where the writer's lines go. One class per kind of destination behind one interface, so
 * that a further destination is one more class.
 *
 * Invariants:
 *   1. A sink belongs to the thread that drains; its counts may be read by any thread.
 *   2. After init a sink needs no memory: its buffer is as large as it will ever be.
 *   3. A line that a sink refuses is counted as lost; the next line that it takes is preceded by
 *      one that tells how many are missing.
 *   4. A line lies in one file or one datagram as a whole. After a write that stopped within a line
 *      the next one begins with '\n'.
 */
#ifndef SN_CLIENT_LOG_SINK_PRIV_H
#define SN_CLIENT_LOG_SINK_PRIV_H

#include "base/clock.h"
#include "client/log_format_priv.h"

#include <stdatomic.h>

/* Twice a largest line: a buffer that is not empty is written before it is half full. */
#define SN_LOG_SINK_BYTES (2 * SN_LOG_TEXT_BYTES_MAX)

struct sn_log_sink;

struct sn_log_sink_class {
    sn_status (*open)(struct sn_log_sink *sink, struct sn_err *err);
    /* Take the formatted line that ends sink->out from `start` on; it may stay there. */
    void (*put)(struct sn_log_sink *sink, const struct sn_log_view *view, size_t start);
    void (*flush)(struct sn_log_sink *sink);  /* write what stayed */
    void (*reopen)(struct sn_log_sink *sink); /* after somebody moved the file */
    void (*close)(struct sn_log_sink *sink);
};

struct sn_log_sink {
    const struct sn_log_sink_class *class;
    const struct sn_clock *clock;
    const struct sn_log_identity *identity;
    sonde_log_sink options; /* its strings are owned, see texts */
    char *texts[2];         /* path, component: owned */
    bool is_colored;
    bool is_forked; /* in a child: no rotation */
    struct sn_buf out;
    size_t out_lines; /* whole lines in out */
    uint64_t missing; /* lines lost since one was taken */
    int fd;           /* -1: not open */
    bool is_torn;     /* the file ends within a line */
    bool is_moved;    /* fd is a file that was renamed, because the next one could not be made */
    bool is_slow;     /* the socket's receiver kept us waiting for nothing: do not wait again */
    uint64_t size;    /* of the file */
    uint64_t rotate_at;
    int64_t retry_mono_ns; /* do not try to open again before */
    _Atomic uint64_t lost_count;
    _Atomic uint64_t rotate_error_count;
};

/*
 * Make a sink ready: check options, copy strings, take memory, open.
 * SN_ERR_INVALID, SN_ERR_NO_MEMORY, SN_ERR_IO, each with sentence; then the sink is released.
 */
sn_status sn_log_sink_init(struct sn_log_sink *sink, const sonde_log_sink *options,
                           struct sn_err *err) SN_MUST_USE;
void sn_log_sink_release(struct sn_log_sink *sink); /* zeroed memory is fine */

/* Whether lines of a logger of that name go to this sink. */
bool sn_log_sink_wants(const struct sn_log_sink *sink, struct sn_str logger);

/* Give it a line. */
void sn_log_sink_put(struct sn_log_sink *sink, const struct sn_log_view *view);

/* Write what it holds. */
void sn_log_sink_flush(struct sn_log_sink *sink);

/* Forget what it holds, in a child of fork. */
void sn_log_sink_forget(struct sn_log_sink *sink);

/* For classes. `count` lines were lost; as many were taken. */
void sn_log_sink_lost(struct sn_log_sink *sink, uint64_t count);

/* Whether it is time to try opening again; then not again for a second. */
bool sn_log_sink_may_retry(struct sn_log_sink *sink);

extern const struct sn_log_sink_class sn_log_stderr_class;
extern const struct sn_log_sink_class sn_log_file_class;
extern const struct sn_log_sink_class sn_log_socket_class;

#endif
