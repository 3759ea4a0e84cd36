/*
 * Says in the log when the store stops or starts being well: modules do not log, somebody must.
 */
#ifndef SN_APP_HEALTH_WATCH_H
#define SN_APP_HEALTH_WATCH_H

#include "base/lock.h"
#include "store/store.h"

/* Any thread after init; is_stopping is guarded by mu, was_well is the worker's. */
struct sn_health_watch {
    struct sn_store *store;
    struct sn_mutex mu;
    struct sn_cond wake;
    bool is_stopping;
    bool was_well;
};

void sn_health_watch_init(struct sn_health_watch *watch, struct sn_store *store);
void sn_health_watch_release(struct sn_health_watch *watch);

/* Looks once a second. */
struct sn_worker sn_health_watch_worker(struct sn_health_watch *watch);

/* One look; returns whether the store is well. The worker's thread, or a test's. */
bool sn_health_watch_once(struct sn_health_watch *watch);

#endif
