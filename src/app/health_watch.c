/*
 * The watch over the store's health. See health_watch.h.
 */
#include "app/health_watch.h"

#include "base/log.h"

#define LOOK_EVERY_NS INT64_C(1000000000)

void sn_health_watch_init(struct sn_health_watch *watch, struct sn_store *store) {
    *watch = (struct sn_health_watch){.store = store, .was_well = true};
    sn_mutex_init(&watch->mu, SN_RANK_APP, "health-watch");
    sn_cond_init(&watch->wake);
}

void sn_health_watch_release(struct sn_health_watch *watch) {
    sn_cond_release(&watch->wake);
    sn_mutex_release(&watch->mu);
}

bool sn_health_watch_once(struct sn_health_watch *watch) {
    struct sn_err err = {.status = SN_OK};
    bool is_well = sn_store_health(watch->store, &err) == SN_OK;
    if (watch->was_well && !is_well)
        sn_log_error("store", "%s", err.text);
    if (!watch->was_well && is_well)
        sn_log_info("store", "works again");
    watch->was_well = is_well;
    return is_well;
}

/* Sleep for a second or until stop; false: stop. */
static bool pause_between(struct sn_health_watch *watch) {
    sn_mutex_lock(&watch->mu);
    if (!watch->is_stopping)
        (void)sn_cond_wait_ns(&watch->wake, &watch->mu, LOOK_EVERY_NS); /* early looks do no harm */
    bool goes_on = !watch->is_stopping;
    sn_mutex_unlock(&watch->mu);
    return goes_on;
}

static void run(void *ctx) {
    while (pause_between(ctx))
        (void)sn_health_watch_once(ctx); /* it has said what there is to say */
}

static void stop(void *ctx) {
    struct sn_health_watch *watch = ctx;
    sn_mutex_lock(&watch->mu);
    watch->is_stopping = true;
    sn_cond_broadcast(&watch->wake);
    sn_mutex_unlock(&watch->mu);
}

struct sn_worker sn_health_watch_worker(struct sn_health_watch *watch) {
    return (struct sn_worker){"health-watch", run, stop, watch};
}
