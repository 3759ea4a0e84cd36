/*
 * Forgetting series that have no sample any more.
 *
 *   list (flush lock) -> announce (index lock) -> wait for pushes that began before -> remove those that
 *   nobody has taken up again (index and append lock) -> one transaction -> free their memory in the head
 *
 * Invariants:
 *   1. A push that looks a series up after it was announced takes it off the list; one that did so before is
 *      waited for, and what it appended is seen in the head. So no sample is of a removed series.
 *   2. Ids are not given again: the same labels get a new one. Labels of a removed series stay where they
 *      are until the store is closed, because a reader may have learned the id before; everything else of it
 *      is freed, or used again when its labels come back.
 *   3. A series that is removed here and still in the catalogue is in removed_pending, and the next
 *      transaction of a flush takes it out there before it adds the same labels under a new id. After a crash
 *      in between the log says the new id, and recovery removes the old one.
 *   4. Only series that are in the catalogue are removed: the log does not need to define them.
 *
 * Threads: any, one at a time (flush lock).
 */
#include "store/series_gc.h"

#include "base/mem.h"
#include "store/store_priv.h"

enum { IDS_PER_LOCK = 2048, WAIT_STEPS = 2000 };
#define WAIT_STEP_NS INT64_C(1000000)

/* ---- which ones ---- */

/* False: a segment does not tell. */
static bool unite_segments(const struct sn_segment_set *set, struct sn_bitmap *live) {
    for (size_t i = 0; i < set->count; i++) {
        if (!set->items[i]->series)
            return false;
        sn_bitmap_unite(live, set->items[i]->series);
    }
    for (size_t i = 0; set->rollups && i < set->rollups->count; i++) {
        const struct sn_segment *file = set->rollups->items[i].segment;
        if (file && !file->series)
            return false;
        if (file)
            sn_bitmap_unite(live, file->series);
    }
    return true;
}

static void unite_exemplars(struct sn_store *store, struct sn_bitmap *live) {
    uint64_t at = 0;
    uint64_t end = 1;
    while (at < end) {
        sn_mutex_lock(&store->append_mu);
        end = store->exemplars.next;
        if (at < store->exemplars.oldest)
            at = store->exemplars.oldest;
        for (int i = 0; i < IDS_PER_LOCK && at < end; i++, at++) {
            if (sn_exemplars_has(&store->exemplars, at))
                sn_bitmap_add(live, sn_exemplars_at(&store->exemplars, at).series);
        }
        sn_mutex_unlock(&store->append_mu);
    }
}

/* Series of the catalogue that nothing on disk has and that are there. NULL: no memory, or there are none. */
static struct sn_bitmap *list_dead(struct sn_store *store, sn_status *ret_status) {
    const struct sn_segment_set *set = store->segments.set;
    uint32_t end = atomic_load(&store->catalogued_count);
    struct sn_bitmap *live = sn_bitmap_new(NULL, 0);
    struct sn_bitmap *dead = sn_bitmap_new(NULL, 0);
    bool is_known = live && dead && unite_segments(set, live);
    if (!live || !dead)
        *ret_status = SN_ERR_NO_MEMORY;
    if (is_known && end > 0) {
        unite_exemplars(store, live);
        sn_bitmap_add_range(dead, 0, end - 1);
        sn_bitmap_subtract(dead, live);
        sn_mutex_lock(&store->index_mu);
        if (store->index.removed)
            sn_bitmap_subtract(dead, store->index.removed);
        sn_mutex_unlock(&store->index_mu);
    }
    (void)sn_bitmap_free(live); /* NULL, always */
    if (dead && sn_bitmap_count(dead) == 0)
        dead = sn_bitmap_free(dead);
    return dead;
}

/* ---- announcing ---- */

/* From now on pushes take series off the list. False: ids are held by a backfill. */
static bool announce(struct sn_store *store, struct sn_bitmap *dead, unsigned *ret_side) {
    sn_mutex_lock(&store->index_mu);
    bool may = store->backfill_count == 0;
    if (may) {
        store->dying = dead;
        *ret_side = store->pin_side;
        store->pin_side ^= 1;
    }
    sn_mutex_unlock(&store->index_mu);
    return may;
}

/* Pushes that began before hold ids for less than a millisecond, unless one stands in a debugger. */
static bool wait_for_pushes(struct sn_store *store, unsigned side) {
    const struct sn_clock *clock = sn_clock_system();
    for (int i = 0; i < WAIT_STEPS; i++) {
        if (atomic_load(&store->pins[side]) == 0)
            return true;
        clock->sleep_ns(clock->ctx, WAIT_STEP_NS);
    }
    return false;
}

static struct sn_bitmap *withdraw(struct sn_store *store) {
    sn_mutex_lock(&store->index_mu);
    struct sn_bitmap *dead = store->dying;
    store->dying = NULL;
    sn_mutex_unlock(&store->index_mu);
    return dead;
}

/* ---- removing ---- */

static sn_status remove_one_locked(struct sn_store *store, uint32_t id, size_t *count) {
    if (!sn_bitmap_contains(store->dying, id) || sn_head_has(&store->head, id))
        return SN_OK;
    SN_TRY(sn_series_index_remove(&store->index, id));
    sn_head_forget(&store->head, id);
    sn_bitmap_add(store->removed_pending, id);
    ++*count;
    return SN_OK;
}

static sn_status remove_slice(struct sn_store *store, const uint32_t *ids, size_t ids_count,
                              size_t *count) {
    sn_status status = SN_OK;
    sn_mutex_lock(&store->index_mu);
    sn_mutex_lock(&store->append_mu);
    for (size_t i = 0; i < ids_count && status == SN_OK && store->backfill_count == 0; i++)
        status = remove_one_locked(store, ids[i], count);
    sn_mutex_unlock(&store->append_mu);
    sn_mutex_unlock(&store->index_mu);
    return status;
}

static sn_status remove_all(struct sn_store *store, const uint32_t *ids, size_t ids_count,
                            size_t *count) {
    sn_status status = SN_OK;
    if (!store->removed_pending)
        store->removed_pending = sn_bitmap_new(NULL, 0);
    if (!store->removed_pending)
        return SN_ERR_NO_MEMORY;
    for (size_t at = 0; at < ids_count && status == SN_OK; at += IDS_PER_LOCK) {
        size_t slice = ids_count - at < IDS_PER_LOCK ? ids_count - at : IDS_PER_LOCK;
        status = remove_slice(store, ids + at, slice, count);
    }
    return status;
}

/* ---- what is behind them ---- */

sn_status sn_store_put_removed(struct sn_store *store, struct sn_err *err) {
    struct sn_bitmap *removed = store->removed_pending;
    if (!removed || sn_bitmap_count(removed) == 0)
        return SN_OK;
    return sn_catalog_remove_series(&store->catalog, removed, atomic_load(&store->catalogued_count),
                                    err);
}

void sn_store_forget_removed(struct sn_store *store) {
    store->removed_pending = sn_bitmap_free(store->removed_pending);
}

static sn_status commit(struct sn_store *store, struct sn_err *err) {
    SN_TRY(sn_catalog_begin(&store->catalog, err));
    sn_status status = sn_store_put_removed(store, err);
    if (status == SN_OK)
        status = sn_catalog_commit(&store->catalog, err);
    if (status == SN_OK)
        sn_store_forget_removed(store);
    else
        sn_catalog_rollback(&store->catalog);
    return status;
}

/* The order without them. A new one is published, too: it is smaller to search. */
static void shrink_order(struct sn_store *store) {
    size_t kept = 0;
    for (size_t i = 0; i < store->order_count; i++) {
        if (!sn_series_index_is_removed(&store->index, store->order[i]))
            store->order[kept++] = store->order[i];
    }
    store->order_count = kept;
}

static void free_head(struct sn_store *store) {
    sn_mutex_lock(&store->index_mu);
    sn_mutex_lock(&store->append_mu);
    sn_head_free_blocks(&store->head, store->index.removed);
    sn_mutex_unlock(&store->append_mu);
    sn_mutex_unlock(&store->index_mu);
}

/* ---- all of it ---- */

static sn_status collect(struct sn_store *store, struct sn_bitmap *dead, size_t *count,
                         struct sn_err *err) {
    unsigned side = 0;
    size_t ids_count = sn_bitmap_count(dead);
    SN_CLEANUP(sn_free_ptr) uint32_t *ids = sn_realloc_array(NULL, ids_count, sizeof *ids);
    if (!ids)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to forget %zu series", ids_count);
    sn_bitmap_ids(dead, ids);
    if (!announce(store, dead, &side))
        return SN_OK;
    sn_status status = SN_OK;
    if (wait_for_pushes(store, side))
        status = remove_all(store, ids, ids_count, count);
    (void)withdraw(store); /* the caller's */
    if (status != SN_OK)
        (void)sn_err_set(err, status, "no memory to forget %zu series", ids_count);
    if (*count == 0)
        return status;
    shrink_order(store);
    free_head(store);
    sn_store_count(&store->counters.removed_series, *count);
    return status;
}

sn_status sn_store_collect_series(struct sn_store *store, size_t *ret_count, struct sn_err *err) {
    sn_status status = SN_OK;
    size_t count = 0;
    sn_mutex_lock(&store->flush_mu);
    struct sn_bitmap *dead = list_dead(store, &status);
    if (status != SN_OK)
        (void)sn_err_set(err, status, "no memory to list series");
    if (dead)
        status = collect(store, dead, &count, err);
    (void)sn_bitmap_free(dead); /* NULL, always */
    /* Also what an earlier call or a recovery has left. */
    if (status == SN_OK && store->removed_pending && sn_bitmap_count(store->removed_pending) > 0)
        status = commit(store, err);
    sn_mutex_unlock(&store->flush_mu);
    if (ret_count)
        *ret_count = count;
    return status;
}
