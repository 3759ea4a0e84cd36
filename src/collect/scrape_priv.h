/*
 * What scrape.c, scrape_sync.c and scrape_json.c share: the manager.
 */
#ifndef SN_COLLECT_SCRAPE_PRIV_H
#define SN_COLLECT_SCRAPE_PRIV_H

#include "collect/discovery.h"
#include "collect/scrape.h"
#include "collect/scrape_page.h"
#include "collect/scrape_target.h"

#include <stdatomic.h>

/* The targets of one job. Arrays and facts of targets are guarded by the manager's mu; the thread of
 * the manager, which alone writes them, reads them without. */
struct sn_scrape_pool {
    const struct sn_scrape_job *job;
    uint64_t generation;               /* of the discovery that the targets are made from */
    struct sn_scrape_target **targets; /* [target_count] */
    size_t target_count, target_capacity;
    struct sn_scrape_target **dropped; /* [dropped_count], those that are remembered */
    size_t dropped_count, dropped_capacity;
    size_t dropped_total;
    size_t invalid_count; /* targets whose labels or address are not valid */
    bool is_invalid_reported;
};

/* Targets by the time when they are due: a binary heap. */
struct sn_scrape_heap {
    struct sn_scrape_target **items;
    size_t count, capacity;
};

struct sn_scrape {
    struct sn_scrape_options options;
    const struct sn_clock *clock;
    struct sn_mutex mu;
    struct sn_scrape_pool *pools; /* [pool_count], one per job */
    size_t pool_count;
    struct sn_discovery *discovery;
    struct sn_http_client *client;
    struct sn_scrape_heap heap;
    struct sn_scrape_page page;
    struct sn_arena labels_arena; /* labels of the target that is at work */
    atomic_bool is_stopping;
    bool is_sink_failing; /* as on_change was told */
    /* Relaxed atomics. */
    _Atomic uint64_t scrape_count, failed_scrape_count, lost_sample_count;
};

/* ---- scrape_sync.c ---- */

/* Make the targets of jobs whose discovery has changed, or of all. The manager's thread. */
void sn_scrape_sync(struct sn_scrape *scrape, bool is_all);

bool sn_scrape_heap_push(struct sn_scrape_heap *heap, struct sn_scrape_target *target);
void sn_scrape_heap_remove(struct sn_scrape_heap *heap, struct sn_scrape_target *target);
/* The target's next_ms has changed. */
void sn_scrape_heap_move(struct sn_scrape_heap *heap, struct sn_scrape_target *target);

/* ---- scrape.c ---- */

/* Stale markers for everything that a target had. */
void sn_scrape_retire(struct sn_scrape *scrape, struct sn_scrape_target *target);

/* Labels of canonical bytes in an arena; empty when there is no memory. */
struct sn_labels sn_scrape_decode(struct sn_str canonical, struct sn_arena *arena);

#endif
