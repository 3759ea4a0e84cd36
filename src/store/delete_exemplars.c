/*
 * Deleting exemplars: see delete_exemplars.h.
 *
 * Invariants:
 *   1. A row of the catalogue that is left has no deleted exemplar, also none that the ring has dropped:
 *      with places free in the ring a start would take it in again.
 *   2. Only what is stored in the catalogue is deleted, and none of it is in a log that counts.
 *
 * Any thread, one at a time. The ring is looked at in pieces, so that pushes wait only shortly.
 */
#include "store/delete_exemplars.h"

/* Looked at under one lock: about 20 us. */
enum { EXEMPLARS_PER_LOCK = 512, SERIES_PER_LOCK = 1024 };

void sn_exemplar_deletion_begin(struct sn_exemplar_deletion *deletion, struct sn_store *store) {
    *deletion = (struct sn_exemplar_deletion){.end = 0};
    sn_mutex_lock(&store->append_mu);
    deletion->end = store->exemplars.next;
    sn_mutex_unlock(&store->append_mu);
}

void sn_exemplar_deletion_release(struct sn_exemplar_deletion *deletion) {
    sn_id_set_release(&deletion->ids);
}

sn_status sn_exemplar_deletion_find(struct sn_exemplar_deletion *deletion, struct sn_store *store,
                                    const struct sn_select *select, struct sn_err *err) {
    struct sn_select any_time = *select;
    any_time.range = (struct sn_range){.start_ms = INT64_MIN, .end_ms = INT64_MAX};
    deletion->range = select->range;
    return sn_store_find_ids(store, &any_time, &deletion->ids, err);
}

/* ---- rows ---- */

static bool has_series(const struct sn_id_set *ids, uint32_t series) {
    size_t low = 0;
    size_t high = ids->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids->ids[middle] < series)
            low = middle + 1;
        else
            high = middle;
    }
    return low < ids->count && ids->ids[low] == series;
}

static bool is_deleted(const struct sn_exemplar_deletion *deletion,
                       const struct sn_log_exemplar *exemplar) {
    return deletion->range.start_ms <= exemplar->time_ms &&
           exemplar->time_ms <= deletion->range.end_ms &&
           has_series(&deletion->ids, exemplar->series);
}

struct rewriting {
    const struct sn_exemplar_deletion *deletion;
    struct sn_store *store;
    struct sn_log_writer writer;
    struct sn_buf items;   /* of one row: those that stay */
    struct sn_buf records; /* the same, as the row has them */
};

/* The items that stay of some with numbers [*seq, end). False: all of them do. */
static bool copy_kept(struct rewriting *rewriting, uint64_t *seq, uint64_t end) {
    const struct sn_exemplars *ring = &rewriting->store->exemplars;
    const struct sn_exemplar_deletion *deletion = rewriting->deletion;
    sn_mutex_lock(&rewriting->store->append_mu);
    bool is_changed = *seq < ring->oldest;
    if (is_changed)
        *seq = ring->oldest < end ? ring->oldest : end;
    for (int i = 0; i < EXEMPLARS_PER_LOCK && *seq < end; i++, ++*seq) {
        if (!sn_exemplars_has(ring, *seq))
            continue;
        struct sn_log_exemplar exemplar = sn_exemplars_at(ring, *seq);
        if (*seq < deletion->end && is_deleted(deletion, &exemplar))
            is_changed = true;
        else
            sn_log_put_exemplar(&rewriting->items, &exemplar);
    }
    sn_mutex_unlock(&rewriting->store->append_mu);
    return is_changed;
}

/* A row whose exemplars begin with number `begin`. */
static sn_status put_row(struct rewriting *rewriting, const struct sn_exemplar_row *row,
                         uint64_t begin, struct sn_err *err) {
    struct sn_store *store = rewriting->store;
    bool is_changed = store->exemplars.limit == 0; /* none are kept: nothing of it may come back */
    sn_buf_reset(&rewriting->items);
    sn_buf_reset(&rewriting->records);
    for (uint64_t seq = begin; seq < row->end;)
        is_changed |= copy_kept(rewriting, &seq, row->end);
    SN_TRY(sn_buf_status(&rewriting->items, err));
    if (!is_changed)
        return SN_OK;
    sn_status status = sn_log_put_exemplars(&rewriting->writer, sn_buf_str(&rewriting->items),
                                            &rewriting->records);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to store exemplars");
    return sn_catalog_put_exemplars(&store->catalog, row->id, sn_buf_str(&rewriting->records),
                                    store->exemplar_rows.items[0].id, err);
}

static sn_status put_rows(struct rewriting *rewriting, struct sn_err *err) {
    const struct sn_exemplar_rows *rows = &rewriting->store->exemplar_rows;
    uint64_t begin =
        0; /* of the first row it is not known: what was dropped before it counts as its own */
    if (sn_log_writer_init(&rewriting->writer) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to store exemplars");
    for (size_t i = 0; i < rows->count; i++) {
        SN_TRY(put_row(rewriting, &rows->items[i], begin, err));
        begin = rows->items[i].end;
    }
    return SN_OK;
}

sn_status sn_exemplar_deletion_put(struct sn_exemplar_deletion *deletion, struct sn_store *store,
                                   struct sn_err *err) {
    struct rewriting rewriting = {.deletion = deletion, .store = store};
    sn_mutex_lock(&store->append_mu);
    /* The push of one that no flush has seen is not acknowledged yet: it is later than this call. */
    if (deletion->end > store->exemplars.stored)
        deletion->end = store->exemplars.stored;
    sn_mutex_unlock(&store->append_mu);
    if (deletion->ids.count == 0)
        return SN_OK;
    sn_buf_init(&rewriting.items, 0);
    sn_buf_init(&rewriting.records, 0);
    sn_status status = put_rows(&rewriting, err);
    sn_log_writer_release(&rewriting.writer);
    sn_buf_release(&rewriting.items);
    sn_buf_release(&rewriting.records);
    return status;
}

/* ---- the ring ---- */

void sn_exemplar_deletion_apply(const struct sn_exemplar_deletion *deletion,
                                struct sn_store *store) {
    const struct sn_id_set *ids = &deletion->ids;
    for (size_t at = 0; at < ids->count; at += SERIES_PER_LOCK) {
        size_t end = at + SERIES_PER_LOCK < ids->count ? at + SERIES_PER_LOCK : ids->count;
        sn_mutex_lock(&store->append_mu);
        for (size_t i = at; i < end; i++)
            (void)sn_exemplars_delete(&store->exemplars, ids->ids[i], deletion->range,
                                      deletion->end);
        sn_mutex_unlock(&store->append_mu);
    }
}
