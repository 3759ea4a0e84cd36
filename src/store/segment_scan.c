/* Reading many series of one segment: see segment_scan.h. */
#include "store/segment_scan.h"

#include "store/bitmap.h"
#include "store/merge.h"

#include <string.h>

void sn_segment_place_release(struct sn_segment_place *place) {
    sn_cached_pack_unref(place->pack);
    place->pack = NULL;
    place->has_times = false;
}

/* Stand at the first chunk of a pack; nothing to do when that is where we are. */
static sn_status enter_pack(struct sn_segment *segment, struct sn_segment_place *place,
                            struct sn_pack_cache *cache, uint32_t number, struct sn_err *err) {
    if (place->pack && place->number == number)
        return SN_OK;
    struct sn_cached_pack *pack = NULL;
    SN_TRY(sn_segment_get_pack(segment, cache, number, &pack, err));
    sn_segment_place_release(place);
    place->pack = pack;
    place->number = number;
    place->next = 0;
    return SN_OK;
}

/* ---- one chunk ---- */

/* First index whose time is not before time_ms. */
static size_t first_from(const int64_t *times, size_t count, int64_t time_ms) {
    size_t low = 0;
    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (times[middle] < time_ms)
            low = middle + 1;
        else
            count = middle;
    }
    return low;
}

static sn_status need_times(struct sn_segment_place *place, uint32_t block) {
    if (place->has_times && place->time_block == block)
        return SN_OK;
    place->has_times = false;
    SN_TRY(sn_pack_decode_times(&place->pack->pack, block, place->times));
    place->time_block = block;
    place->has_times = true;
    return SN_OK;
}

/* The samples of one chunk without start times, which are most. */
static sn_status add_plain(struct sn_segment_place *place, const struct sn_pack_chunk *chunk,
                           struct sn_range range, struct sn_samples *samples) {
    const struct sn_pack *pack = &place->pack->pack;
    const struct sn_pack_time_block *block = &pack->time_blocks[chunk->time_block];
    size_t count = block->count;
    if (block->time_max < range.start_ms || range.end_ms < block->time_min)
        return SN_OK;
    SN_TRY(need_times(place, chunk->time_block));
    size_t first = first_from(place->times, count, range.start_ms);
    size_t end = count;
    if (place->times[count - 1] > range.end_ms)
        end = first_from(place->times, count, range.end_ms + 1);
    if (first >= end)
        return SN_OK;
    SN_TRY(sn_samples_reserve(samples, count));
    double *values = samples->value + samples->count;
    /* The length is the room to the end: decoders are a little faster with slack. */
    size_t at = pack->values_at + chunk->value_offset;
    size_t used = 0;
    SN_TRY(sn_chunk_decode_values(pack->raw + at, pack->raw_len - at, count, values, &used));
    if (used != chunk->value_len)
        return SN_ERR_CORRUPT;
    size_t kept = end - first;
    memcpy(samples->time_ms + samples->count, place->times + first, kept * sizeof *place->times);
    if (first > 0)
        memmove(values, values + first, kept * sizeof *values);
    samples->count += kept;
    return SN_OK;
}

static sn_status add_chunk(struct sn_segment_place *place, uint32_t number, struct sn_range range,
                           struct sn_samples *samples) {
    const struct sn_pack *pack = &place->pack->pack;
    if (pack->chunks[number].start_count == 0 && !samples->has_start)
        return add_plain(place, &pack->chunks[number], range, samples);
    size_t base = samples->count;
    SN_TRY(sn_pack_decode(pack, number, samples));
    sn_samples_clip_tail(samples, base, range);
    return SN_OK;
}

/* ---- one series ---- */

/* The chunks of a series in the pack at hand, which stand together. *ret_is_over: others follow. */
static sn_status add_pack(struct sn_segment_place *place, const struct sn_segment_wish *wish,
                          size_t base, struct sn_samples *samples, bool *ret_is_over) {
    const struct sn_pack *pack = &place->pack->pack;
    uint32_t at = place->next;
    if (at >= pack->chunk_count || pack->chunks[at].series != wish->series)
        at = 0;
    while (at < pack->chunk_count && pack->chunks[at].series != wish->series)
        at++;
    bool has_any = at < pack->chunk_count;
    for (; at < pack->chunk_count && pack->chunks[at].series == wish->series; at++) {
        size_t count = samples->count;
        if (pack->chunks[at].is_histogram)
            continue;
        SN_TRY(add_chunk(place, at, wish->range, samples));
        /* Chunks of one series follow each other in time; anything else is damage. */
        if (count > base && samples->count > count &&
            samples->time_ms[count - 1] >= samples->time_ms[count])
            return SN_ERR_CORRUPT;
    }
    place->next = at;
    *ret_is_over = has_any && at < pack->chunk_count;
    return SN_OK;
}

/*
 * Whether the series begins in the pack at hand, at or behind the chunk at which the last read has
 * ended; then that is where we stand. Chunks of one series stand together.
 */
static bool find_in_pack(struct sn_segment_place *place, uint32_t series) {
    if (!place->pack)
        return false;
    const struct sn_pack *pack = &place->pack->pack;
    uint32_t at = place->next;
    while (at < pack->chunk_count && pack->chunks[at].series != series)
        at++;
    if (at >= pack->chunk_count || at == 0) /* it may have begun in the pack before */
        return false;
    place->next = at;
    return true;
}

static bool overlaps(const struct sn_segment_entry *entry, struct sn_range range) {
    return entry->time_min <= range.end_ms && range.start_ms <= entry->time_max;
}

static sn_status scan_packs(struct sn_segment *segment, struct sn_segment_place *place,
                            const struct sn_segment_wish *wish, struct sn_samples *samples,
                            struct sn_err *err) {
    size_t base = samples->count;
    size_t number = place->number;
    if (!find_in_pack(place, wish->series)) {
        number = sn_segment_find_pack(segment, wish->index, wish->series);
        /* A series may begin inside the pack before the first one that begins with it. */
        number -= number > 0;
    }
    for (bool is_over = false; !is_over && number < segment->footer.pack_count; number++) {
        const struct sn_segment_entry *entry = &segment->entries[number];
        if (!(place->pack && place->number == number) && entry->first_series != wish->series &&
            sn_series_index_compare_metric(wish->index, entry->first_series, wish->series) > 0)
            break;
        if (!overlaps(entry, wish->range))
            continue;
        SN_TRY(enter_pack(segment, place, wish->cache, (uint32_t)number, err));
        sn_status status = add_pack(place, wish, base, samples, &is_over);
        if (status != SN_OK)
            return sn_err_set(err, status, "pack %zu does not decode", number);
    }
    return SN_OK;
}

sn_status sn_segment_scan(struct sn_segment *segment, struct sn_segment_place *place,
                          const struct sn_segment_wish *wish, struct sn_samples *samples,
                          struct sn_err *err) {
    struct sn_range covered = {segment->footer.time_min, segment->footer.time_max};
    if (!sn_range_overlaps(covered, wish->range))
        return SN_OK;
    if (segment->damage.status != SN_OK)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s", segment->damage.text);
    if (segment->series && !sn_bitmap_contains(segment->series, wish->series))
        return SN_OK;
    size_t base = samples->count;
    sn_status status = scan_packs(segment, place, wish, samples, err);
    if (status != SN_OK) {
        samples->count = base;
        sn_segment_name_error(segment, err);
    }
    return status;
}
