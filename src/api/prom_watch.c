/*
 * Watch over queries that run. See prom_watch.h.
 */
#include "api/prom_watch.h"

#define LOOK_EVERY_NS INT64_C(100000000)

void sn_prom_watch_init(struct sn_prom_watch *watch) {
    *watch = (struct sn_prom_watch){.first = NULL};
    sn_mutex_init(&watch->mu, SN_RANK_HTTP_SERVER, "prom-watch");
    sn_cond_init(&watch->wake);
}

void sn_prom_watch_release(struct sn_prom_watch *watch) {
    sn_cond_release(&watch->wake);
    sn_mutex_release(&watch->mu);
}

void sn_prom_watch_begin(struct sn_prom_watch *watch, struct sn_prom_watched *watched,
                         const struct sn_http_request *request) {
    atomic_init(&watched->is_cancelled, false);
    watched->request = request;
    watched->previous = NULL;
    sn_mutex_lock(&watch->mu);
    watched->next = watch->first;
    if (watched->next != NULL)
        watched->next->previous = watched;
    watch->first = watched;
    if (watch->is_asleep)
        sn_cond_signal(&watch->wake);
    sn_mutex_unlock(&watch->mu);
}

void sn_prom_watch_end(struct sn_prom_watch *watch, struct sn_prom_watched *watched) {
    sn_mutex_lock(&watch->mu);
    if (watched->previous != NULL)
        watched->previous->next = watched->next;
    else
        watch->first = watched->next;
    if (watched->next != NULL)
        watched->next->previous = watched->previous;
    sn_mutex_unlock(&watch->mu);
}

static void look_locked(struct sn_prom_watch *watch) {
    for (struct sn_prom_watched *at = watch->first; at != NULL; at = at->next)
        if (sn_http_request_is_gone(at->request))
            atomic_store_explicit(&at->is_cancelled, true, memory_order_relaxed);
}

static void run(void *ctx) {
    struct sn_prom_watch *watch = ctx;
    sn_mutex_lock(&watch->mu);
    while (!watch->is_stopping) {
        if (watch->first == NULL) {
            watch->is_asleep = true;
            sn_cond_wait(&watch->wake, &watch->mu);
            watch->is_asleep = false;
            continue;
        }
        (void)sn_cond_wait_ns(&watch->wake, &watch->mu, LOOK_EVERY_NS); /* early is fine */
        look_locked(watch);
    }
    sn_mutex_unlock(&watch->mu);
}

static void stop(void *ctx) {
    struct sn_prom_watch *watch = ctx;
    sn_mutex_lock(&watch->mu);
    watch->is_stopping = true;
    sn_cond_broadcast(&watch->wake);
    sn_mutex_unlock(&watch->mu);
}

struct sn_worker sn_prom_watch_worker(struct sn_prom_watch *watch) {
    return (struct sn_worker){"prom-watch", run, stop, watch};
}
