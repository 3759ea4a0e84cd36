/* Deleted samples: see tombstones.h. */
#include "store/tombstones.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct sn_tombstones *sn_tombstones_ref(struct sn_tombstones *tombstones) {
    if (tombstones)
        atomic_fetch_add(&tombstones->refs, 1);
    return tombstones;
}

void sn_tombstones_unref(struct sn_tombstones *tombstones) {
    if (tombstones && atomic_fetch_sub(&tombstones->refs, 1) == 1)
        sn_free(tombstones);
}

static int compare(const void *a, const void *b) {
    const struct sn_tombstone *x = a;
    const struct sn_tombstone *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    return (x->start_ms > y->start_ms) - (x->start_ms < y->start_ms);
}

struct sn_tombstones *sn_tombstones_with(const struct sn_tombstones *old, bool drops_rules,
                                         bool drops_stored, const struct sn_tombstone *more,
                                         size_t more_count) {
    size_t old_count = old ? old->count : 0;
    if (old_count + more_count > SN_TOMBSTONES_MAX)
        return NULL;
    struct sn_tombstones *made =
        sn_alloc(sizeof *made + (old_count + more_count) * sizeof *made->items);
    if (!made)
        return NULL;
    atomic_init(&made->refs, 1);
    made->count = 0;
    for (size_t i = 0; i < old_count; i++) {
        if (!(old->items[i].is_rule ? drops_rules : drops_stored))
            made->items[made->count++] = old->items[i];
    }
    if (more_count > 0)
        memcpy(made->items + made->count, more, more_count * sizeof *more);
    made->count += more_count;
    if (made->count > 1)
        qsort(made->items, made->count, sizeof *made->items, compare);
    return made;
}

/* The first one of a series; count: none. */
static size_t find(const struct sn_tombstones *tombstones, uint32_t series) {
    size_t low = 0;
    size_t high = tombstones->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (tombstones->items[middle].series < series)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool covers(const struct sn_tombstone *tombstone, uint64_t rank, int64_t time_ms) {
    return rank <= tombstone->rank_max && tombstone->start_ms <= time_ms &&
           time_ms <= tombstone->end_ms;
}

static bool is_deleted(const struct sn_tombstones *tombstones, size_t first, uint32_t series,
                       uint64_t rank, int64_t time_ms) {
    for (size_t i = first; i < tombstones->count && tombstones->items[i].series == series; i++) {
        if (covers(&tombstones->items[i], rank, time_ms))
            return true;
    }
    return false;
}

static bool has_any(const struct sn_tombstones *tombstones, uint32_t series, size_t *ret_first) {
    if (!tombstones || tombstones->count == 0)
        return false;
    *ret_first = find(tombstones, series);
    return *ret_first < tombstones->count && tombstones->items[*ret_first].series == series;
}

void sn_tombstones_clip(const struct sn_tombstones *tombstones, uint32_t series, uint64_t rank,
                        struct sn_samples *samples, size_t base) {
    size_t first;
    if (samples->count == base || !has_any(tombstones, series, &first))
        return;
    size_t kept = base;
    for (size_t i = base; i < samples->count; i++) {
        if (is_deleted(tombstones, first, series, rank, samples->time_ms[i]))
            continue;
        samples->time_ms[kept] = samples->time_ms[i];
        samples->value[kept] = samples->value[i];
        if (samples->has_start)
            samples->start_ms[kept] = samples->start_ms[i];
        kept++;
    }
    samples->count = kept;
}

void sn_tombstones_clip_histograms(const struct sn_tombstones *tombstones, uint32_t series,
                                   uint64_t rank, struct sn_histograms *histograms, size_t base) {
    size_t first;
    if (histograms->count == base || !has_any(tombstones, series, &first))
        return;
    size_t kept = base;
    for (size_t i = base; i < histograms->count; i++) {
        if (is_deleted(tombstones, first, series, rank, histograms->time_ms[i]))
            continue;
        histograms->time_ms[kept] = histograms->time_ms[i];
        histograms->start_ms[kept] = histograms->start_ms[i];
        histograms->items[kept++] = histograms->items[i];
    }
    histograms->count = kept;
}

bool sn_tombstones_touch(const struct sn_tombstones *tombstones, uint32_t series, uint64_t rank,
                         struct sn_range range) {
    size_t first;
    if (!has_any(tombstones, series, &first))
        return false;
    for (size_t i = first; i < tombstones->count && tombstones->items[i].series == series; i++) {
        const struct sn_tombstone *tombstone = &tombstones->items[i];
        struct sn_range deleted = {tombstone->start_ms, tombstone->end_ms};
        if (rank <= tombstone->rank_max && sn_range_overlaps(deleted, range))
            return true;
    }
    return false;
}

static bool deletes_rollup(const struct sn_tombstone *tombstone, uint64_t rank,
                           const struct sn_rollup *rollup) {
    struct sn_range deleted = {tombstone->start_ms, tombstone->end_ms};
    struct sn_range values = {rollup->first_ms, rollup->last_ms};
    if (tombstone->is_rule)
        return tombstone->start_ms <= rollup->first_ms && rollup->last_ms <= tombstone->end_ms;
    return rank <= tombstone->rank_max && sn_range_overlaps(deleted, values);
}

void sn_tombstones_clip_rollups(const struct sn_tombstones *tombstones, uint32_t series,
                                uint64_t rank, struct sn_rollups *rollups, size_t base) {
    size_t first;
    if (rollups->count == base || !has_any(tombstones, series, &first))
        return;
    size_t kept = base;
    for (size_t i = base; i < rollups->count; i++) {
        bool is_gone = false;
        for (size_t k = first;
             k < tombstones->count && tombstones->items[k].series == series && !is_gone; k++)
            is_gone = deletes_rollup(&tombstones->items[k], rank, &rollups->items[i]);
        if (!is_gone)
            rollups->items[kept++] = rollups->items[i];
    }
    rollups->count = kept;
}

size_t sn_tombstones_hit_count(const struct sn_tombstones *tombstones,
                               const struct sn_bitmap *series, uint64_t rank,
                               struct sn_range range) {
    size_t count = 0;
    uint32_t last = UINT32_MAX;
    for (size_t i = 0; tombstones && i < tombstones->count; i++) {
        const struct sn_tombstone *tombstone = &tombstones->items[i];
        struct sn_range deleted = {tombstone->start_ms, tombstone->end_ms};
        if (rank > tombstone->rank_max || tombstone->series == last ||
            !sn_range_overlaps(deleted, range))
            continue;
        if (series && !sn_bitmap_contains(series, tombstone->series))
            continue;
        last = tombstone->series;
        count++;
    }
    return count;
}
