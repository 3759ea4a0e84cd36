/* Histograms of one epoch of the head: see histogram_list.h. */
#include "store/histogram_list.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/histogram_chunk.h"

#include <stdlib.h>
#include <string.h>

enum {
    UNIT_BYTES = 8,
    BYTES_SHIFT = 17, /* 1 MiB */
    BYTES_TABLE = 1 << 15,
    LAST_SHIFT = 16, /* as for side samples: pages of other series stay out */
    LAST_TABLE = 1 << 14,
    ENTRIES_FIRST = 256,
};
_Static_assert(SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX < UNIT_BYTES << BYTES_SHIFT, "a block fits");

void sn_histogram_list_init(struct sn_histogram_list *list) {
    *list = (struct sn_histogram_list){0};
    sn_blocks_init(&list->bytes, UNIT_BYTES, BYTES_SHIFT, BYTES_TABLE);
    sn_blocks_init(&list->last, sizeof(uint32_t), LAST_SHIFT, LAST_TABLE);
}

void sn_histogram_list_release(struct sn_histogram_list *list) {
    sn_free(list->entries);
    list->entries = NULL;
    sn_blocks_release(&list->bytes);
    sn_blocks_release(&list->last);
}

static sn_status grow(struct sn_histogram_entry **entries, size_t count, size_t *capacity) {
    if (count < *capacity)
        return SN_OK;
    size_t larger = *capacity ? *capacity * 2 : ENTRIES_FIRST;
    if (larger > UINT32_MAX)
        return SN_ERR_LIMIT;
    struct sn_histogram_entry *grown = sn_realloc_array(*entries, larger, sizeof *grown);
    if (!grown)
        return SN_ERR_NO_MEMORY;
    *entries = grown;
    *capacity = larger;
    return SN_OK;
}

/* Room for `len` bytes that lie in one block of memory. */
static sn_status reserve_bytes(struct sn_histogram_list *list, size_t len, uint32_t *ret_at) {
    size_t units = (len + UNIT_BYTES - 1) / UNIT_BYTES;
    size_t block = (size_t)1 << BYTES_SHIFT;
    size_t at = list->bytes_next;
    if (at % block + units > block)
        at = (at / block + 1) * block;
    if (at + units > UINT32_MAX)
        return SN_ERR_LIMIT;
    SN_TRY(sn_blocks_reach(&list->bytes, at));
    *ret_at = (uint32_t)at;
    return SN_OK;
}

sn_status sn_histogram_list_add(struct sn_histogram_list *list, uint32_t series,
                                const struct sn_histogram_entry *entry, struct sn_str block) {
    uint32_t at = 0;
    SN_CHECK(block.len > 0 && block.len <= SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX);
    SN_TRY(grow(&list->entries, list->count, &list->capacity));
    SN_TRY(sn_blocks_reach(&list->last, series));
    SN_TRY(reserve_bytes(list, block.len, &at));
    memcpy(sn_blocks_at(&list->bytes, at), block.ptr, block.len);
    list->bytes_next = (uint32_t)(at + (block.len + UNIT_BYTES - 1) / UNIT_BYTES);
    uint32_t *last = sn_blocks_at(&list->last, series);
    struct sn_histogram_entry *place = &list->entries[list->count++];
    *place = *entry;
    place->series = series;
    place->previous = *last;
    place->at = at;
    place->len = (uint32_t)block.len;
    *last = (uint32_t)list->count;
    return SN_OK;
}

/* ---- copies ---- */

void sn_histogram_copy_init(struct sn_histogram_copy *copy) {
    *copy = (struct sn_histogram_copy){0};
    sn_buf_init(&copy->bytes, 0);
}

void sn_histogram_copy_release(struct sn_histogram_copy *copy) {
    sn_buf_release(&copy->bytes);
    sn_free(copy->entries);
    copy->entries = NULL;
}

sn_status sn_histogram_list_copy(const struct sn_histogram_list *list, uint32_t series,
                                 struct sn_histogram_copy *copy) {
    copy->count = 0;
    sn_buf_reset(&copy->bytes);
    if (series >> LAST_SHIFT >= list->last.block_count)
        return SN_OK;
    const uint32_t *last = sn_blocks_at(&list->last, series);
    for (uint32_t at = *last; at != 0; at = list->entries[at - 1].previous) {
        SN_TRY(grow(&copy->entries, copy->count, &copy->capacity));
        struct sn_histogram_entry *entry = &copy->entries[copy->count];
        *entry = list->entries[at - 1];
        const void *block = sn_blocks_at(&list->bytes, entry->at);
        entry->at = (uint32_t)copy->bytes.len;
        sn_buf_put(&copy->bytes, block, entry->len);
        if (copy->bytes.status != SN_OK)
            return copy->bytes.status;
        copy->count++;
    }
    return SN_OK;
}

sn_status sn_histogram_copy_decode(const struct sn_histogram_copy *copy, struct sn_range range,
                                   struct sn_histograms *histograms) {
    SN_TRY(sn_histograms_reserve(histograms, copy->count));
    for (size_t i = copy->count; i-- > 0;) {
        const struct sn_histogram_entry *entry = &copy->entries[i];
        if (!sn_range_contains(range, entry->time_ms))
            continue;
        size_t at = histograms->count;
        SN_TRY(sn_histogram_chunk_decode(sn_str_make(copy->bytes.ptr + entry->at, entry->len), 1,
                                         &histograms->arena, &histograms->items[at]));
        histograms->time_ms[at] = entry->time_ms;
        histograms->start_ms[at] = entry->start_ms;
        histograms->count++;
    }
    return SN_OK;
}

/* ---- sorting ---- */

struct arrival {
    int64_t time_ms;
    int64_t start_ms;
    size_t order;
    struct sn_histogram item;
};

static int compare_arrivals(const void *a, const void *b) {
    const struct arrival *x = a;
    const struct arrival *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static bool is_ascending(const struct sn_histograms *histograms, size_t base) {
    for (size_t i = base + 1; i < histograms->count; i++) {
        if (histograms->time_ms[i - 1] >= histograms->time_ms[i])
            return false;
    }
    return true;
}

sn_status sn_histograms_sort_latest(struct sn_histograms *histograms, size_t base) {
    size_t count = histograms->count - base;
    if (is_ascending(histograms, base))
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) struct arrival *items = sn_realloc_array(NULL, count, sizeof *items);
    if (!items)
        return SN_ERR_NO_MEMORY;
    for (size_t i = 0; i < count; i++)
        items[i] = (struct arrival){.time_ms = histograms->time_ms[base + i],
                                    .start_ms = histograms->start_ms[base + i],
                                    .order = i,
                                    .item = histograms->items[base + i]};
    qsort(items, count, sizeof *items, compare_arrivals);
    size_t kept = base;
    for (size_t i = 0; i < count; i++) {
        kept -= kept > base && histograms->time_ms[kept - 1] == items[i].time_ms;
        histograms->time_ms[kept] = items[i].time_ms;
        histograms->start_ms[kept] = items[i].start_ms;
        histograms->items[kept++] = items[i].item;
    }
    histograms->count = kept;
    return SN_OK;
}
