/*
 * Watch over queries that run: when the client of one has gone, the query is told to end.
 *
 *   begin -> in the list -> every 100 ms: client gone? -> is_cancelled -> end
 *
 * Nobody wakes up while no query runs.
 */
#ifndef SN_API_PROM_WATCH_H
#define SN_API_PROM_WATCH_H

#include "base/lock.h"
#include "net/http.h"

#include <stdatomic.h>

/* One query. Caller's memory between begin and end; only is_cancelled is for the caller. */
struct sn_prom_watched {
    atomic_bool is_cancelled; /* for sn_query */
    const struct sn_http_request *request;
    struct sn_prom_watched *next, *previous;
};

/* Any thread; fields are guarded by mu. */
struct sn_prom_watch {
    struct sn_mutex mu;
    struct sn_cond wake;
    struct sn_prom_watched *first;
    bool is_asleep; /* the worker waits for a query */
    bool is_stopping;
};

void sn_prom_watch_init(struct sn_prom_watch *watch);
void sn_prom_watch_release(struct sn_prom_watch *watch); /* nothing is watched by then */

/*
 * Watch a query from here to end, which must come before the request is answered.
 * Threads: the one that runs the query. Blocks: never. Cost: one lock each.
 */
void sn_prom_watch_begin(struct sn_prom_watch *watch, struct sn_prom_watched *watched,
                         const struct sn_http_request *request);
void sn_prom_watch_end(struct sn_prom_watch *watch, struct sn_prom_watched *watched);

struct sn_worker sn_prom_watch_worker(struct sn_prom_watch *watch);

#endif
