/*
 * The local PromQL engine: an sn_querier on top of an sn_reader.
 *
 *   query text -> parser -> evaluator, series by series over all steps -> vector or matrix
 *
 * Semantics are those of Prometheus 3: left-open windows, five minutes of lookback, staleness
 * markers, Kahan sums, its error texts, warnings and infos.
 *
 * A query runs on the calling thread; helpers read series ahead of it when there are some and it reads
 * much. At most limits.concurrent_max run at once; others wait, in no
 * particular order, at most limits.queue_max of them and none beyond its own timeout.
 */
#ifndef SN_QUERY_ENGINE_H
#define SN_QUERY_ENGINE_H

#include "base/clock.h"
#include "model/doors.h"
#include "query/parser.h"

/* Defaults of struct sn_query_limits. */
#define SN_QUERY_SAMPLES_MAX UINT64_C(500000000)  /* 20 k series of a day at 15 s, four times */
#define SN_QUERY_SERIES_MAX ((size_t)1000000)     /* of one selector */
#define SN_QUERY_POINTS_MAX UINT64_C(100000000)   /* 800 MB of values */
#define SN_QUERY_STEPS_MAX INT64_C(1000000)       /* of one range; the API has its own 11,000 */
#define SN_QUERY_MEMORY_MAX ((size_t)2 << 30)     /* the arena of one query */
#define SN_QUERY_TIMEOUT_NS INT64_C(120000000000) /* Prometheus' query.timeout */
#define SN_QUERY_CONCURRENT_MAX 20                /* Prometheus' query.max-concurrency */
#define SN_QUERY_QUEUE_MAX 200                    /* ten per running query */
#define SN_QUERY_LOOKBACK_MS INT64_C(300000)      /* Prometheus' query.lookback-delta */
#define SN_QUERY_SUBQUERY_STEP_MS INT64_C(60000)  /* Prometheus' evaluation_interval */

/* Zero means the default above. Each is SN_ERR_LIMIT (timeout: SN_ERR_TIMEOUT), with its name. */
struct sn_query_limits {
    uint64_t samples_max;
    size_t series_max;
    uint64_t points_max;
    int64_t steps_max;
    size_t memory_bytes_max; /* the arena's own limit holds as well */
    int64_t timeout_ns;
    unsigned concurrent_max;
    unsigned queue_max;
};

struct sn_query_engine_options {
    struct sn_reader reader;      /* kept; lives longer than the engine */
    const struct sn_clock *clock; /* kept; for the deadline and the statistics */
    int64_t lookback_ms;          /* 0: default */
    int64_t subquery_step_ms;     /* step of [5m:]; 0: default */
    struct sn_parse_options features;
    struct sn_query_limits limits;
    unsigned helper_count; /* threads that help long queries to read; 0: none */
};

struct sn_query_engine;
struct sn_worker; /* base/lock.h */

/*
 * Make an engine.
 *
 *   options      borrowed for the call; what it points to is kept
 *   ret_engine   caller owns, sn_query_engine_free
 *
 * Returns SN_OK, SN_ERR_INVALID (a negative limit), SN_ERR_NO_MEMORY.
 */
sn_status sn_query_engine_new(const struct sn_query_engine_options *options,
                              struct sn_query_engine **ret_engine, struct sn_err *err) SN_MUST_USE;

/* No query may be running any more: see sn_query_engine_stop. Takes NULL, returns NULL. */
struct sn_query_engine *sn_query_engine_free(struct sn_query_engine *engine);

/*
 * Refuse new queries and cancel running ones (SN_ERR_CLOSED). Waits until none runs. Any thread.
 */
void sn_query_engine_stop(struct sn_query_engine *engine);

/*
 * The helpers of options.helper_count: at most max workers into ret_workers. Returns how many. Queries
 * work without them, before they run and after they have stopped.
 */
size_t sn_query_engine_workers(struct sn_query_engine *engine, struct sn_worker *ret_workers,
                               size_t max);

/*
 * The door. Lives as long as the engine. Any thread.
 *
 * query() evaluates as documented at struct sn_querier; in addition to the statuses there:
 *   SN_ERR_INVALID   parse and type errors with their position, evaluation errors
 *                    ("found duplicate series for the match group ...")
 *   SN_ERR_LIMIT     a limit of struct sn_query_limits; the sentence names it
 *   SN_ERR_TIMEOUT   "query timed out in expression evaluation"
 *   SN_ERR_CLOSED    "query was canceled in expression evaluation"
 *   SN_ERR_BUSY      the queue is full
 * An instant query gives the type of its expression; a range query gives a matrix, whose series are
 * sorted by labels. Cost: about 3 ns per sample read plus 10 ns per value computed.
 */
struct sn_querier sn_query_engine_querier(struct sn_query_engine *engine);

/* The features, for callers that only parse (format_query, parse_query). Lives with the engine. */
const struct sn_parse_options *sn_query_engine_features(const struct sn_query_engine *engine);

/* Queries that run or wait now. Relaxed: for metrics. Any thread. */
struct sn_query_engine_load {
    unsigned running_count;
    unsigned waiting_count;
};
struct sn_query_engine_load sn_query_engine_load(const struct sn_query_engine *engine);

#endif
