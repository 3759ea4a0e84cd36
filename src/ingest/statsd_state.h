/*
 * What StatsD clients have sent, between datagrams and the sink.
 *
 *   c        counter: all increments since the first one, each divided by its sample rate
 *   g        gauge: the newest value
 *   s        gauge: different values since the last flush
 *   ms, h, d summary: NAME{quantile} of 0.5, 0.9, 0.95, 0.99 of the values since the last flush, NAME_sum
 *            and NAME_count since the first one; ms becomes seconds
 *
 * Names and tags become Prometheus names: what may not stand there is '_'; a tag without a value is
 * "true". Every flush pushes all series; one that was quiet for expire_ms ends with stale markers.
 *
 * 1. A line that cannot be used is counted by its reason; the others of its datagram are.
 * 2. Memory is bounded by series_max.
 *
 * One thread, but for the statistics.
 */
#ifndef SN_INGEST_STATSD_STATE_H
#define SN_INGEST_STATSD_STATE_H

#include "ingest/ingest.h"

/* Different values of one set between two flushes; more are rejected: 512 KiB. */
#define SN_STATSD_SET_VALUES_MAX 65536
#define SN_STATSD_SERIES_MAX_DEFAULT ((size_t)100000)

struct sn_statsd_state;

struct sn_statsd_state_options {
    struct sn_ingest *ingest; /* outlives it */
    size_t series_max;        /* named combinations of name and tags; 0: the default */
    int64_t expire_ms;        /* 0: never */
};

struct sn_statsd_state_stats {
    uint64_t datagram_count;
    uint64_t line_count;
    uint64_t series_count;
};

/* SN_ERR_NO_MEMORY. */
sn_status sn_statsd_state_new(const struct sn_statsd_state_options *options,
                              struct sn_statsd_state **ret_state, struct sn_err *err) SN_MUST_USE;
struct sn_statsd_state *sn_statsd_state_free(struct sn_statsd_state *state); /* returns NULL */

/*
 * Take one datagram.
 *
 * Returns SN_OK, or the first failure of a line: SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_UNSUPPORTED,
 * SN_ERR_NO_MEMORY. Everything is counted, the status is for messages.
 */
sn_status sn_statsd_state_take(struct sn_statsd_state *state, struct sn_str datagram,
                               int64_t now_ms, struct sn_err *err);

/*
 * Push everything as it is now. Counters and sums are kept whatever happens; quantiles and sets begin
 * anew. Statuses of the sink's push. `done` as in sn_sink.push; NULL: wait until it is durable.
 */
sn_status sn_statsd_state_flush(struct sn_statsd_state *state, int64_t now_ms,
                                const struct sn_push_done *done, struct sn_err *err) SN_MUST_USE;

/* Any thread. */
void sn_statsd_state_stats(const struct sn_statsd_state *state,
                           struct sn_statsd_state_stats *ret_stats);

#endif
