/*
 * The collectors: one thread per source, samples into a sink.
 *
 * Invariants:
 *   1. A source that hangs delays no other source; after one interval it is reported with
 *      sonde_collector_up 0, and what it gives too late is thrown away and counted.
 *   2. Passes are aligned to multiples of the interval, so that points of all sources line up.
 *   3. A failed pass of a source pushes nothing but sonde_collector_up 0 and its duration.
 *
 * Every source gives, besides its own metrics:
 *   sonde_collector_up{collector}                 1 when the last pass worked
 *   sonde_collector_duration_seconds{collector}   how long it took
 *   sonde_collector_lost_samples_total{collector} samples that the sink did not take
 */
#ifndef SN_COLLECT_COLLECT_H
#define SN_COLLECT_COLLECT_H

#include "base/clock.h"
#include "base/lock.h"
#include "collect/source.h"
#include "model/doors.h"

#define SN_COLLECT_SOURCES_MAX 32
#define SN_COLLECT_INTERVAL_MS_DEFAULT INT64_C(15000)
#define SN_COLLECT_INTERVAL_MS_MIN INT64_C(100)
#define SN_COLLECT_INTERVAL_MS_MAX INT64_C(3600000)

struct sn_collect;

/* What the configuration says about one source. */
struct sn_collect_override {
    const char *name;    /* of a source */
    int64_t interval_ms; /* 0: the general interval */
    bool is_disabled;
};

struct sn_collect_options {
    struct sn_sink sink;                         /* outlives the collectors */
    const struct sn_clock *clock;                /* NULL: system */
    struct sn_collect_roots roots;               /* NULL members: /proc and /sys */
    int64_t interval_ms;                         /* 0: SN_COLLECT_INTERVAL_MS_DEFAULT */
    const char *instance;                        /* label of every sample: the host name; copied */
    const struct sn_collect_override *overrides; /* [override_count], copied */
    size_t override_count;
    const struct sn_source *const *sources; /* [source_count], NULL: all of this program */
    size_t source_count;
    /*
     * Told when a source stops or starts working, and when the sink refuses its samples; err is NULL
     * for "works again". Called on the source's thread. May be NULL.
     */
    void (*on_change)(void *ctx, const char *source, const struct sn_err *err);
    void *on_change_ctx;
};

/*
 * Make the collectors; nothing runs yet.
 *
 * Returns SN_OK, SN_ERR_INVALID (an override names no source, or an interval is outside its range),
 * SN_ERR_LIMIT (too many sources), SN_ERR_NO_MEMORY.
 */
sn_status sn_collect_open(const struct sn_collect_options *options, struct sn_collect **ret_collect,
                          struct sn_err *err) SN_MUST_USE;

/* Free everything; all workers have ended. NULL is fine. */
void sn_collect_close(struct sn_collect *collect);

/*
 * The threads to start: one per source and one that watches for hanging sources. At most
 * SN_COLLECT_SOURCES_MAX + 1. stop() wakes a waiting worker at once; one that hangs in the kernel
 * ends when the kernel lets it go.
 */
size_t sn_collect_workers(struct sn_collect *collect, struct sn_worker *ret_workers, size_t max);

/* One pass of one source now, on the calling thread. SN_ERR_NOT_FOUND, or why the pass failed.
 * Not while that source's worker runs. */
sn_status sn_collect_pass(struct sn_collect *collect, const char *source,
                          struct sn_err *err) SN_MUST_USE;

/* One look for hanging sources, as the watch worker does each second. Any thread. */
void sn_collect_watch_once(struct sn_collect *collect);

/* Facts about one source, for the admin page and tests. */
struct sn_collect_facts {
    const char *name;
    bool is_up;
    bool is_running; /* in a pass now */
    uint64_t pass_count;
    uint64_t failure_count;
    uint64_t lost_sample_count;
    int64_t last_duration_ns;
};
size_t sn_collect_facts(struct sn_collect *collect, struct sn_collect_facts *ret_facts, size_t max);

/* First time after now_ms that is a multiple of interval_ms. */
int64_t sn_collect_next_ms(int64_t now_ms, int64_t interval_ms);

#endif
