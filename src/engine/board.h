/*
 * The board: how services, hosts and applications are now, kept ready so that the overview of a
 * thousand services is a copy and not a query.
 *
 *   worker, every 15 s ---> refresh: ask PromQL -> a new table -> publish
 *   reader ---------------> sn_board_read: refreshes first when the table is too old and that is
 *                           cheap, or when there is none; otherwise a copy
 *
 * What each half hour of a service was like is written to the store when it is over (so that it is
 * there after a restart, for longer than raw samples, and for PromQL):
 *
 *   sonde_service_status{service,window="30m"}                      1 good, 2 warning, 3 critical
 *   sonde_service_operations_per_second{service,outcome,window="30m"}   averages of the half hour
 *   sonde_service_duration_p95_seconds{service,window="30m"}
 *
 * each with one sample at the end of the half hour it is about. A half hour without data has none.
 *
 * Status of a service: its success rate over the last five minutes (a strip: over the half hour)
 * against the limits of A7; good while nothing ended; unknown without a sample for five minutes.
 */
#ifndef SN_ENGINE_BOARD_H
#define SN_ENGINE_BOARD_H

#include "base/clock.h"
#include "base/lock.h"
#include "engine/day.h"
#include "engine/hosts.h"
#include "insight/indicator.h"

#define SN_BOARD_SERVICES_MAX 10000 /* as many as a person ever pages through */
#define SN_BOARD_SLOTS 48           /* half hours of a strip: a day */
#define SN_BOARD_SLOT_MS INT64_C(1800000)
#define SN_BOARD_WINDOW_MS INT64_C(300000) /* "now" */
#define SN_BOARD_INTERVAL_MS INT64_C(15000)
/* A service that is silent for longer leaves the board. */
#define SN_BOARD_SILENT_MS INT64_C(86400000)

/* NaN where nothing is known. */
struct sn_board_service {
    struct sn_str name;
    enum sn_health status;
    double rate;        /* operations per second */
    double error_ratio; /* of those that ended ok or with an error */
    double p95_s;
    double active;
    int64_t start_ms;              /* of its oldest process; 0: unknown */
    int64_t seen_ms;               /* its newest sample */
    uint8_t strip[SN_BOARD_SLOTS]; /* enum sn_health, oldest first; the last one is running */
};

/* Success rate of one service. */
struct sn_board_limits {
    struct sn_str service;
    struct sn_indicator_limits success_rate;
};

/* Everything is borrowed and outlives the board. */
struct sn_board_options {
    struct sn_querier querier;
    struct sn_reader reader; /* select NULL: services that were silent at the start stay unknown */
    struct sn_sink sink;     /* push NULL: strips are not kept */
    struct sn_records *records; /* NULL: no events */
    const struct sn_clock *clock;
    const struct sn_board_limits *limits; /* [limit_count]; others have the defaults */
    size_t limit_count;
};

/* A day of all services together, and the day before; NaN where nothing is known. */
struct sn_board_totals {
    double ok, errors; /* operations that ended so */
    double ok_before, errors_before;
    double queue_depth, queue_depth_before; /* of all queues that were told of; now and a day ago */
};

/* A copy of the board in an arena. */
struct sn_board_view {
    int64_t now_ms;
    struct sn_board_service *services; /* [service_count], by name */
    size_t service_count;
    struct sn_hosts hosts;
    struct sn_day day;
    struct sn_board_totals totals;
    bool has_data; /* anybody but the server and its host has sent samples */
};

struct sn_board_state; /* board.c */

/* Any thread. */
struct sn_board {
    struct sn_board_options options;
    struct sn_mutex refresh_mu; /* one refresh at a time; guards what only it uses */
    struct sn_mutex mu;         /* guards all below */
    struct sn_cond wake;
    bool is_stopping;
    struct sn_board_state *state; /* the published one; NULL: none yet */
    int64_t published_ns;         /* when, on the monotonic clock */
    int64_t cost_ns;              /* of the last refresh */
    uint64_t refresh_count;
    uint64_t failure_count;
    struct sn_err last_error; /* of the newest refresh; status SN_OK: it worked */
};

void sn_board_init(struct sn_board *board, const struct sn_board_options *options);
/* After its worker has ended and nobody reads. */
void sn_board_release(struct sn_board *board);

/* "board": refreshes every SN_BOARD_INTERVAL_MS. */
struct sn_worker sn_board_worker(struct sn_board *board);

/*
 * Ask everything anew and publish it. After a failure the old table stays.
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT, and the statuses of the querier. Blocks on queries, and once per
 * half hour on the sink.
 */
sn_status sn_board_refresh(struct sn_board *board, struct sn_err *err) SN_MUST_USE;

/*
 * Copy the board.
 *
 *   ret_view  written on SN_OK only; in the arena
 *
 * Statuses of sn_board_refresh where there is no table yet; SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 * Blocks on a refresh at most. Cost: O(services).
 */
sn_status sn_board_read(struct sn_board *board, struct sn_arena *arena,
                        struct sn_board_view *ret_view, struct sn_err *err) SN_MUST_USE;

/* A service of a view; NULL when it is not there. */
const struct sn_board_service *sn_board_find(const struct sn_board_view *view, struct sn_str name);

#endif
