/*
 * Segments that go: by age, by size, and in exchange for a merged one; and rollups, by age.
 *
 *   mark what goes -> new set -> one transaction -> publish the set -> delete the files
 *
 * Invariants:
 *   1. Rows go before files: a crash in between leaves files without a row, which recovery deletes.
 *   2. Readers that hold the old set keep its files open; a deleted file lives until they are done.
 *
 * Threads: any, one at a time (flush lock).
 */
#include "base/mem.h"
#include "base/os.h"
#include "store/store_priv.h"

#include <inttypes.h>

/* ---- changing the set ---- */

static sn_status fill_transaction(struct sn_store *store, const bool *is_dropped,
                                  const struct sn_segment_row *row,
                                  const struct sn_rollup_files *rollups, struct sn_err *err) {
    const struct sn_segment_set *set = store->segments.set;
    if (rollups)
        SN_TRY(sn_catalog_set_raw_from(&store->catalog, rollups->raw_from_ms, err));
    for (size_t i = 0; i < set->count; i++) {
        if (is_dropped[i])
            SN_TRY(sn_catalog_drop_segment(&store->catalog, set->items[i]->id, err));
    }
    if (row)
        SN_TRY(sn_catalog_add_segment(&store->catalog, row, err));
    return sn_catalog_commit(&store->catalog, err);
}

static sn_status commit(struct sn_store *store, const bool *is_dropped,
                        const struct sn_segment_row *row, const struct sn_rollup_files *rollups,
                        struct sn_err *err) {
    SN_TRY(sn_catalog_begin(&store->catalog, err));
    sn_status status = fill_transaction(store, is_dropped, row, rollups, err);
    if (status != SN_OK)
        sn_catalog_rollback(&store->catalog);
    return status;
}

static void delete_files(struct sn_store *store, const struct sn_segment_set *old,
                         const bool *is_dropped) {
    for (size_t i = 0; i < old->count; i++) {
        char path[SN_PATH_BYTES_MAX];
        if (is_dropped[i] && sn_segment_path(path, store->seg_dir, old->items[i]->id))
            (void)sn_os_unlink(path); /* has no row any more: recovery deletes it as well */
    }
}

sn_status sn_store_replace_segments(struct sn_store *store, const bool *is_dropped,
                                    struct sn_segment *instead, const struct sn_segment_row *row,
                                    struct sn_rollup_files *rollups, struct sn_err *err) {
    struct sn_segment_set *set = sn_segments_without(&store->segments, is_dropped, instead);
    if (!set)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of segments");
    if (rollups)
        sn_segment_set_use_rollups(set, rollups);
    sn_status status = commit(store, is_dropped, instead ? row : NULL, rollups, err);
    if (status != SN_OK) {
        sn_segment_set_unref(set);
        return status;
    }
    struct sn_segment_set *old = sn_segments_ref(&store->segments);
    sn_segments_publish(&store->segments, set);
    store->is_gc_wanted = true;
    delete_files(store, old, is_dropped);
    sn_segment_set_unref(old);
    return SN_OK;
}

/* ---- what goes ---- */

static size_t mark_expired(const struct sn_store *store, bool *is_dropped) {
    const struct sn_segment_set *set = store->segments.set;
    size_t count = 0;
    if (store->options.retention_ms < 0)
        return 0;
    int64_t before_ms = sn_store_wall_ms(store) - store->options.retention_ms;
    for (size_t i = 0; i < set->count; i++) {
        is_dropped[i] = set->items[i]->footer.time_max < before_ms;
        count += is_dropped[i];
    }
    return count;
}

/* The segment that ends first of those that stay; count: only one stays. */
static size_t find_oldest(const struct sn_segment_set *set, const bool *is_dropped) {
    size_t oldest = set->count;
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (is_dropped[i])
            continue;
        kept++;
        if (oldest == set->count ||
            set->items[i]->footer.time_max < set->items[oldest]->footer.time_max)
            oldest = i;
    }
    return kept > 1 ? oldest : set->count;
}

/* The newest stays in any case: a limit below one segment must not empty the store. */
static size_t mark_excess(const struct sn_store *store, bool *is_dropped) {
    const struct sn_segment_set *set = store->segments.set;
    uint64_t bytes = 0;
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        bytes += is_dropped[i] ? 0 : set->items[i]->bytes;
    for (size_t i = 0; set->rollups && i < set->rollups->count; i++)
        bytes += set->rollups->items[i].segment ? set->rollups->items[i].segment->bytes : 0;
    while (store->options.retention_bytes_max > 0 && bytes > store->options.retention_bytes_max) {
        size_t oldest = find_oldest(set, is_dropped);
        if (oldest == set->count)
            break;
        is_dropped[oldest] = true;
        bytes -= set->items[oldest]->bytes;
        count++;
    }
    return count;
}

/* From now on samples up to the newest one that goes may be missing. */
static sn_status drop_marked(struct sn_store *store, const bool *is_dropped, struct sn_err *err) {
    const struct sn_segment_set *set = store->segments.set;
    struct sn_rollup_change change = {.raw_from_ms = INT64_MIN};
    for (size_t i = 0; i < set->count; i++) {
        if (is_dropped[i] && set->items[i]->footer.time_max >= change.raw_from_ms)
            change.raw_from_ms = set->items[i]->footer.time_max + 1;
    }
    struct sn_rollup_files *rollups = sn_rollup_files_changed(set->rollups, &change);
    if (!rollups)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of rollups");
    sn_status status = sn_store_replace_segments(store, is_dropped, NULL, NULL, rollups, err);
    sn_rollup_files_unref(rollups);
    return status;
}

/* ---- rollups that go ---- */

static sn_status drop_rollup_rows(struct sn_store *store, const struct sn_rollup_files *files,
                                  const bool *is_dropped, struct sn_err *err) {
    SN_TRY(sn_catalog_begin(&store->catalog, err));
    sn_status status = SN_OK;
    for (size_t i = 0; i < files->count && status == SN_OK; i++) {
        if (is_dropped[i])
            status = sn_catalog_drop_rollup(&store->catalog, files->items[i].id, err);
    }
    if (status == SN_OK)
        status = sn_catalog_commit(&store->catalog, err);
    if (status != SN_OK)
        sn_catalog_rollback(&store->catalog);
    return status;
}

static sn_status drop_rollups(struct sn_store *store, const bool *is_dropped, struct sn_err *err) {
    struct sn_rollup_files *old = sn_rollup_files_ref(store->segments.set->rollups);
    const struct sn_rollup_change change = {.is_dropped = is_dropped, .raw_from_ms = INT64_MIN};
    struct sn_rollup_files *made = sn_rollup_files_changed(old, &change);
    struct sn_segment_set *set = made ? sn_segments_with_rollups(&store->segments, made) : NULL;
    sn_status status = set ? drop_rollup_rows(store, old, is_dropped, err)
                           : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rollups");
    if (status == SN_OK) {
        sn_segments_publish(&store->segments, SN_TAKE(set));
        store->is_gc_wanted = true;
        for (size_t i = 0; i < old->count; i++) {
            if (is_dropped[i] && old->items[i].segment)
                sn_store_delete_segment_file(store, old->items[i].id);
        }
    }
    sn_segment_set_unref(set);
    sn_rollup_files_unref(made);
    sn_rollup_files_unref(old);
    return status;
}

/* By age only: they are a few hundredths of what they were made of. */
static sn_status retain_rollups_locked(struct sn_store *store, struct sn_err *err) {
    const struct sn_rollup_files *files = store->segments.set->rollups;
    int64_t before_ms = sn_store_wall_ms(store) - store->options.rollup_retention_ms;
    size_t count = 0;
    if (!files || files->count == 0 || store->options.rollup_retention_ms < 0)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) bool *is_dropped = sn_alloc_zero(files->count, sizeof *is_dropped);
    if (!is_dropped)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look at rollups");
    for (size_t i = 0; i < files->count; i++) {
        is_dropped[i] = files->items[i].end_ms < before_ms;
        count += is_dropped[i];
    }
    return count > 0 ? drop_rollups(store, is_dropped, err) : SN_OK;
}

static sn_status retain_locked(struct sn_store *store, size_t *ret_count, struct sn_err *err) {
    size_t segment_count = store->segments.set->count;
    if (segment_count == 0)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) bool *is_dropped = sn_alloc_zero(segment_count, sizeof *is_dropped);
    if (!is_dropped)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look at %zu segments",
                          segment_count);
    size_t count = mark_expired(store, is_dropped);
    count += mark_excess(store, is_dropped);
    if (count == 0)
        return SN_OK;
    SN_TRY(drop_marked(store, is_dropped, err));
    sn_store_count(&store->counters.retention_segment, count);
    *ret_count = count;
    return SN_OK;
}

sn_status sn_store_apply_retention(struct sn_store *store, size_t *ret_count, struct sn_err *err) {
    size_t count = 0;
    sn_mutex_lock(&store->flush_mu);
    sn_status status = retain_locked(store, &count, err);
    if (status == SN_OK)
        status = retain_rollups_locked(store, err);
    store->retention_checked_ns = sn_store_mono_ns(store);
    sn_mutex_unlock(&store->flush_mu);
    if (status == SN_OK && ret_count)
        *ret_count = count;
    return status;
}
