/*
 * Series with samples in a range: see narrow.h.
 *
 * The head is asked first and the segments second, as readers do: a flush that ends in between shows a
 * series in both, never in none. A damaged segment keeps everything, so that reading it is an error.
 *
 * Any thread.
 */
#include "store/narrow.h"

#include "base/limits.h"
#include "base/mem.h"
#include "store/store_priv.h"

/* States looked at under one lock: about 40 us when none is in the cache. */
#define STATES_PER_LOCK 2048

/* How many of the ids the head has; marks them. */
static size_t mark_head(struct sn_store *store, int64_t start_ms, const struct sn_id_set *ids,
                        uint8_t *marks) {
    size_t count = 0;
    for (size_t at = 0; at < ids->count; at += STATES_PER_LOCK) {
        size_t end = at + STATES_PER_LOCK < ids->count ? at + STATES_PER_LOCK : ids->count;
        sn_mutex_lock(&store->append_mu);
        for (size_t i = at; i < end; i++) {
            marks[i] = sn_head_may_have(&store->head, ids->ids[i], start_ms);
            count += marks[i];
        }
        sn_mutex_unlock(&store->append_mu);
    }
    return count;
}

static size_t mark_segment(const struct sn_segment *segment, const struct sn_id_set *ids,
                           uint8_t *marks) {
    size_t count = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (marks[i])
            continue;
        marks[i] = !segment->series || sn_bitmap_contains(segment->series, ids->ids[i]);
        count += marks[i];
    }
    return count;
}

static size_t mark_rollups(const struct sn_rollup_files *files, struct sn_range range,
                           const struct sn_id_set *ids, uint8_t *marks) {
    size_t count = 0;
    for (size_t i = 0; files && i < files->count; i++) {
        const struct sn_rollup_file *file = &files->items[i];
        struct sn_range covered = {file->start_ms + 1, file->end_ms};
        if (file->segment && sn_range_overlaps(covered, range))
            count += mark_segment(file->segment, ids, marks);
    }
    return count;
}

static void mark_segments(struct sn_store *store, struct sn_range range,
                          const struct sn_id_set *ids, size_t marked, uint8_t *marks) {
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    for (size_t i = set->count; i-- > 0 && marked < ids->count;) {
        const struct sn_segment *segment = set->items[i];
        struct sn_range covered = {segment->footer.time_min, segment->footer.time_max};
        if (sn_range_overlaps(covered, range))
            marked += mark_segment(segment, ids, marks);
    }
    /* Where samples may be gone, rollups tell of their series. */
    if (marked < ids->count && range.start_ms < sn_rollup_files_raw_from(set->rollups))
        (void)mark_rollups(set->rollups, range, ids, marks);
    sn_segment_set_unref(set);
}

sn_status sn_store_narrow(struct sn_store *store, struct sn_range range, struct sn_id_set *ids) {
    bool is_everything = range.start_ms <= SN_TIME_MS_MIN && range.end_ms >= SN_TIME_MS_MAX;
    if (ids->count == 0 || is_everything || range.start_ms > range.end_ms)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) uint8_t *marks = sn_alloc_zero(ids->count, sizeof *marks);
    if (!marks)
        return SN_ERR_NO_MEMORY;
    size_t marked = mark_head(store, range.start_ms, ids, marks);
    if (marked < ids->count)
        mark_segments(store, range, ids, marked, marks);
    size_t kept = 0;
    for (size_t i = 0; i < ids->count; i++) {
        if (marks[i])
            ids->ids[kept++] = ids->ids[i];
    }
    ids->count = kept;
    return SN_OK;
}
