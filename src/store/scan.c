/*
 * Reading many series over one range, one after the other: what sn_reader.scan gives.
 *
 * As read.c, with the same invariants; in addition, what neighbours share is kept between two reads:
 * scratch memory, the set of segments, and in each segment the pack at hand and its times. When the
 * set of segments is replaced in between, the new one is taken: the head is copied first, so a flush
 * that has ended hides nothing.
 *
 * One thread per scan; scans of different threads run beside each other and beside pushes.
 */
#include "base/mem.h"
#include "store/merge.h"
#include "store/segment_scan.h"
#include "store/store_priv.h"

#include <inttypes.h>

struct scan {
    struct sn_store *store;
    struct sn_range range;
    struct sn_segment_set *set;       /* counted */
    struct sn_segment_place **places; /* [set->count], owned; NULL until the segment is read */
    struct sn_head_copy frozen;
    struct sn_head_copy current;
    uint32_t series_count; /* series below are known to exist */
};

/* ---- segments ---- */

static void drop_set(struct scan *scan) {
    for (size_t i = 0; scan->places && i < scan->set->count; i++) {
        if (scan->places[i])
            sn_segment_place_release(scan->places[i]);
        sn_free(scan->places[i]);
    }
    sn_free(scan->places);
    sn_segment_set_unref(scan->set);
    scan->places = NULL;
    scan->set = NULL;
}

static sn_status take_set(struct scan *scan) {
    if (scan->places && sn_segments_are(&scan->store->segments, scan->set))
        return SN_OK;
    drop_set(scan);
    scan->set = sn_segments_ref(&scan->store->segments);
    scan->places = sn_alloc_zero(scan->set->count + 1, sizeof(struct sn_segment_place *));
    return scan->places ? SN_OK : SN_ERR_NO_MEMORY;
}

static sn_status scan_segment(struct scan *scan, size_t i, uint32_t series,
                              struct sn_samples *samples, struct sn_err *err) {
    struct sn_segment *segment = scan->set->items[i];
    struct sn_range covered = {segment->footer.time_min, segment->footer.time_max};
    struct sn_segment_wish wish = {.index = &scan->store->index,
                                   .cache = &scan->store->cache,
                                   .series = series,
                                   .range = scan->range};
    if (!sn_range_overlaps(covered, scan->range))
        return SN_OK;
    if (!scan->places[i])
        scan->places[i] = sn_alloc_zero(1, sizeof *scan->places[i]);
    if (!scan->places[i])
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read a segment");
    return sn_segment_scan(segment, scan->places[i], &wish, samples, err);
}

static sn_status add_segments(struct scan *scan, uint32_t series, struct sn_samples *samples,
                              struct sn_err *err) {
    size_t base = samples->count;
    sn_status status = take_set(scan);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to read segments");
    for (size_t i = 0; i < scan->set->count; i++) {
        size_t middle = samples->count;
        SN_TRY(scan_segment(scan, i, series, samples, err));
        sn_tombstones_clip(scan->set->tombstones, series, scan->set->items[i]->rank, samples,
                           middle);
        if (sn_samples_merge_tail(samples, base, middle) != SN_OK)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to merge samples");
    }
    return SN_OK;
}

/* ---- head ---- */

static sn_status copy_head(struct scan *scan, uint32_t series) {
    struct sn_store *store = scan->store;
    sn_mutex_lock(&store->append_mu);
    sn_status status = sn_head_copy_frozen(&store->head, series, &scan->frozen);
    if (status == SN_OK)
        status = sn_head_copy_current(&store->head, series, &scan->current);
    sn_mutex_unlock(&store->append_mu);
    return status;
}

static sn_status add_copy(struct scan *scan, struct sn_head_copy *copy, size_t base,
                          struct sn_samples *samples, struct sn_err *err) {
    size_t middle = samples->count;
    if (copy->part_count == 0 && copy->side.count == 0)
        return SN_OK;
    sn_status status = sn_head_copy_decode(copy, scan->range, samples);
    if (status == SN_OK)
        status = sn_samples_merge_tail(samples, base, middle);
    if (status != SN_OK)
        return sn_err_set(err, status, "cannot read open chunks");
    return SN_OK;
}

/* ---- one series ---- */

static sn_status check_series(struct scan *scan, uint64_t id, struct sn_err *err) {
    struct sn_store *store = scan->store;
    if (id < scan->series_count)
        return SN_OK;
    sn_mutex_lock(&store->index_mu);
    scan->series_count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    if (id >= scan->series_count)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no series %" PRIu64, id);
    return SN_OK;
}

static sn_status read_all(struct scan *scan, uint32_t series, struct sn_samples *samples,
                          struct sn_err *err) {
    size_t base = samples->count;
    sn_status status = copy_head(scan, series);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to copy open chunks");
    SN_TRY(add_segments(scan, series, samples, err));
    SN_TRY(add_copy(scan, &scan->frozen, base, samples, err));
    return add_copy(scan, &scan->current, base, samples, err);
}

static sn_status scan_samples(void *ctx, uint64_t series_id, struct sn_samples *samples,
                              struct sn_err *err) {
    struct scan *scan = ctx;
    SN_TRY(check_series(scan, series_id, err));
    if (scan->range.start_ms > scan->range.end_ms)
        return SN_OK;
    size_t base = samples->count;
    sn_status status = read_all(scan, (uint32_t)series_id, samples, err);
    if (status != SN_OK)
        samples->count = base;
    return status;
}

static bool scan_has(void *ctx, uint64_t series_id) {
    struct scan *scan = ctx;
    struct sn_store *store = scan->store;
    if (series_id > UINT32_MAX)
        return false;
    sn_mutex_lock(&store->append_mu);
    bool has = sn_head_newest_is_in(&store->head, (uint32_t)series_id, scan->range);
    sn_mutex_unlock(&store->append_mu);
    return has;
}

static void scan_close(void *ctx) {
    struct scan *scan = ctx;
    drop_set(scan);
    sn_head_copy_release(&scan->frozen);
    sn_head_copy_release(&scan->current);
    sn_free(scan);
}

sn_status sn_store_scan(void *ctx, struct sn_range range, struct sn_scan *ret_scan,
                        struct sn_err *err) {
    struct scan *scan = sn_alloc_zero(1, sizeof *scan);
    if (!scan)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read series");
    scan->store = ctx;
    scan->range = range;
    sn_head_copy_init(&scan->frozen);
    sn_head_copy_init(&scan->current);
    scan->frozen.range = range;
    scan->current.range = range;
    *ret_scan = (struct sn_scan){
        .ctx = scan, .samples = scan_samples, .has = scan_has, .close = scan_close};
    return SN_OK;
}
