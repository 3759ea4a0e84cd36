/*
 * The reader: samples of one series out of segments, the frozen epoch and the head.
 *
 * Invariants:
 *   1. The head is copied first and the segments are looked at second: a flush that finishes in
 *      between shows its samples twice, which merging removes, and never hides them.
 *   2. Sources are merged from the oldest to the newest writing, the newer one wins.
 *   3. Under the append lock bytes are copied, never decoded.
 *
 * Any thread. Blocks on disk, outside of all locks.
 */
#include "base/check.h"
#include "store/merge.h"
#include "store/store_priv.h"

#include <inttypes.h>

struct copies {
    struct sn_head_copy frozen;
    struct sn_head_copy current;
};

static sn_status copy_head(struct sn_store *store, uint32_t series, struct copies *copies) {
    sn_mutex_lock(&store->append_mu);
    sn_status status = sn_head_copy_frozen(&store->head, series, &copies->frozen);
    if (status == SN_OK)
        status = sn_head_copy_current(&store->head, series, &copies->current);
    sn_mutex_unlock(&store->append_mu);
    return status;
}

static sn_status add_segments(struct sn_store *store, uint32_t series, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    size_t base = samples->count;
    sn_status status = SN_OK;
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    for (size_t i = 0; i < set->count && status == SN_OK; i++) {
        size_t middle = samples->count;
        status = sn_segment_read(set->items[i], &store->index, &store->cache, series, range,
                                 samples, err);
        sn_tombstones_clip(set->tombstones, series, set->items[i]->rank, samples, middle);
        if (status == SN_OK && sn_samples_merge_tail(samples, base, middle) != SN_OK)
            status = sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to merge samples");
    }
    sn_segment_set_unref(set);
    return status;
}

static sn_status add_copy(struct sn_head_copy *copy, struct sn_range range, size_t base,
                          struct sn_samples *samples, struct sn_err *err) {
    size_t middle = samples->count;
    sn_status status = sn_head_copy_decode(copy, range, samples);
    if (status == SN_OK)
        status = sn_samples_merge_tail(samples, base, middle);
    if (status != SN_OK)
        return sn_err_set(err, status, "cannot read open chunks");
    return SN_OK;
}

static sn_status read_series(struct sn_store *store, uint32_t series, struct sn_range range,
                             struct copies *copies, struct sn_samples *samples,
                             struct sn_err *err) {
    size_t base = samples->count;
    sn_status status = copy_head(store, series, copies);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to copy open chunks");
    SN_TRY(add_segments(store, series, range, samples, err));
    SN_TRY(add_copy(&copies->frozen, range, base, samples, err));
    return add_copy(&copies->current, range, base, samples, err);
}

static bool is_series(struct sn_store *store, uint64_t id) {
    sn_mutex_lock(&store->index_mu);
    bool is_there = id < store->index.count;
    sn_mutex_unlock(&store->index_mu);
    return is_there;
}

static sn_status read_samples(void *ctx, uint64_t series_id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    struct sn_store *store = ctx;
    if (!is_series(store, series_id))
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no series %" PRIu64, series_id);
    if (range.start_ms > range.end_ms)
        return SN_OK;
    size_t base = samples->count;
    struct copies copies;
    sn_head_copy_init(&copies.frozen);
    sn_head_copy_init(&copies.current);
    copies.frozen.range = range;
    copies.current.range = range;
    sn_status status = read_series(store, (uint32_t)series_id, range, &copies, samples, err);
    if (status != SN_OK)
        samples->count = base;
    sn_head_copy_release(&copies.frozen);
    sn_head_copy_release(&copies.current);
    return status;
}

/* ---- histograms ---- */

struct histogram_copies {
    struct sn_histogram_copy frozen;
    struct sn_histogram_copy current;
};

static sn_status copy_histograms(struct sn_store *store, uint32_t series,
                                 struct histogram_copies *copies) {
    const struct sn_head *head = &store->head;
    sn_status status = SN_OK;
    sn_mutex_lock(&store->append_mu);
    if (head->has_frozen)
        status = sn_histogram_list_copy(&head->epochs[!head->parity].histograms, series,
                                        &copies->frozen);
    if (status == SN_OK)
        status = sn_histogram_list_copy(&head->epochs[head->parity].histograms, series,
                                        &copies->current);
    sn_mutex_unlock(&store->append_mu);
    return status;
}

static sn_status add_histogram_segments(struct sn_store *store, uint32_t series,
                                        struct sn_range range, struct sn_histograms *histograms,
                                        struct sn_err *err) {
    sn_status status = SN_OK;
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    for (size_t i = 0; i < set->count && status == SN_OK; i++) {
        size_t base = histograms->count;
        status = sn_segment_read_histograms(set->items[i], &store->index, &store->cache, series,
                                            range, histograms, err);
        sn_tombstones_clip_histograms(set->tombstones, series, set->items[i]->rank, histograms,
                                      base);
    }
    sn_segment_set_unref(set);
    return status;
}

static sn_status add_histograms(struct sn_store *store, uint32_t series, struct sn_range range,
                                struct histogram_copies *copies, struct sn_histograms *histograms,
                                struct sn_err *err) {
    size_t base = histograms->count;
    sn_status status = copy_histograms(store, series, copies);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to copy histograms");
    SN_TRY(add_histogram_segments(store, series, range, histograms, err));
    status = sn_histogram_copy_decode(&copies->frozen, range, histograms);
    if (status == SN_OK)
        status = sn_histogram_copy_decode(&copies->current, range, histograms);
    if (status == SN_OK)
        status = sn_histograms_sort_latest(histograms, base);
    if (status != SN_OK)
        return sn_err_set(err, status, "cannot read the histograms of series %u", series);
    return SN_OK;
}

static sn_status read_histograms(void *ctx, uint64_t series_id, struct sn_range range,
                                 struct sn_histograms *histograms, struct sn_err *err) {
    struct sn_store *store = ctx;
    if (!is_series(store, series_id))
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no series %" PRIu64, series_id);
    if (range.start_ms > range.end_ms)
        return SN_OK;
    size_t base = histograms->count;
    struct histogram_copies copies;
    sn_histogram_copy_init(&copies.frozen);
    sn_histogram_copy_init(&copies.current);
    sn_status status = add_histograms(store, (uint32_t)series_id, range, &copies, histograms, err);
    if (status != SN_OK)
        histograms->count = base;
    sn_histogram_copy_release(&copies.frozen);
    sn_histogram_copy_release(&copies.current);
    return status;
}

/* ---- metadata ---- */

/* Texts of the table may be replaced at any time: they are copied under the lock. */
static bool read_metadata(void *ctx, struct sn_str metric_name, struct sn_arena *arena,
                          struct sn_metadata *ret_metadata) {
    struct sn_store *store = ctx;
    struct sn_metadata found;
    sn_mutex_lock(&store->index_mu);
    bool is_known = sn_metadata_table_find(&store->metadata, metric_name, &found) &&
                    sn_arena_copy(arena, found.metric_name, &found.metric_name) &&
                    sn_arena_copy(arena, found.help, &found.help) &&
                    sn_arena_copy(arena, found.unit, &found.unit);
    sn_mutex_unlock(&store->index_mu);
    if (is_known)
        *ret_metadata = found;
    return is_known;
}

struct sn_reader sn_store_make_reader(struct sn_store *store) {
    return (struct sn_reader){.ctx = store,
                              .select = sn_store_select,
                              .samples = read_samples,
                              .scan = sn_store_scan,
                              .histograms = read_histograms,
                              .exemplars = sn_store_read_exemplars,
                              .label_names = sn_store_label_names,
                              .label_values = sn_store_label_values,
                              .rollups = sn_store_read_rollups,
                              .raw_from = sn_store_raw_from,
                              .metadata = read_metadata};
}
