/* The ring of exemplars: see exemplars.h. */
#include "store/exemplars.h"

#include "base/check.h"
#include "base/mem.h"
#include "model/sample.h"

#include <string.h>

enum {
    SLOT_SHIFT = 10,
    SLOT_TABLE = 1 << 20, /* a thousand million exemplars */
    NEWEST_SHIFT = 14,
    NEWEST_TABLE = 1 << 14,
};

void sn_exemplars_init(struct sn_exemplars *ring, uint64_t limit) {
    *ring = (struct sn_exemplars){.limit = limit};
    sn_blocks_init(&ring->slots, sizeof(struct sn_exemplar_slot), SLOT_SHIFT, SLOT_TABLE);
    sn_blocks_init(&ring->newest, sizeof(uint64_t), NEWEST_SHIFT, NEWEST_TABLE);
}

static struct sn_exemplar_slot *slot_of(const struct sn_exemplars *ring, uint64_t seq) {
    return sn_blocks_at(&ring->slots, seq % ring->limit);
}

static void drop_oldest(struct sn_exemplars *ring) {
    struct sn_exemplar_slot *slot = slot_of(ring, ring->oldest++);
    if (slot->labels == NULL)
        ring->deleted_count--;
    sn_free(slot->labels);
    slot->labels = NULL;
}

void sn_exemplars_release(struct sn_exemplars *ring) {
    while (ring->oldest < ring->next)
        drop_oldest(ring);
    sn_blocks_release(&ring->slots);
    sn_blocks_release(&ring->newest);
}

uint64_t sn_exemplars_count(const struct sn_exemplars *ring) {
    return ring->next - ring->oldest - ring->deleted_count;
}

bool sn_exemplars_has(const struct sn_exemplars *ring, uint64_t seq) {
    SN_CHECK(seq >= ring->oldest && seq < ring->next);
    return slot_of(ring, seq)->labels != NULL;
}

struct sn_log_exemplar sn_exemplars_at(const struct sn_exemplars *ring, uint64_t seq) {
    SN_CHECK(sn_exemplars_has(ring, seq));
    const struct sn_exemplar_slot *slot = slot_of(ring, seq);
    return (struct sn_log_exemplar){.series = slot->series,
                                    .time_ms = slot->time_ms,
                                    .value = slot->value,
                                    .labels = sn_str_make(slot->labels, slot->label_len)};
}

static uint64_t if_alive(const struct sn_exemplars *ring, uint64_t link) {
    return link > ring->oldest ? link : 0;
}

uint64_t sn_exemplars_newest(const struct sn_exemplars *ring, uint32_t series) {
    if (series >> NEWEST_SHIFT >= ring->newest.block_count)
        return 0;
    const uint64_t *newest = sn_blocks_at(&ring->newest, series);
    return if_alive(ring, *newest);
}

uint64_t sn_exemplars_previous(const struct sn_exemplars *ring, uint64_t seq) {
    return if_alive(ring, slot_of(ring, seq)->previous);
}

static bool is_same(const struct sn_exemplar_slot *slot, const struct sn_log_exemplar *exemplar) {
    return sn_double_bits(slot->value) == sn_double_bits(exemplar->value) &&
           sn_str_equal(sn_str_make(slot->labels, slot->label_len), exemplar->labels);
}

static enum sn_exemplar_verdict judge(const struct sn_exemplars *ring,
                                      const struct sn_log_exemplar *exemplar) {
    uint64_t link = sn_exemplars_newest(ring, exemplar->series);
    if (link != 0 && slot_of(ring, link - 1)->time_ms > exemplar->time_ms)
        return SN_EXEMPLAR_OLDER;
    for (; link != 0 && slot_of(ring, link - 1)->time_ms == exemplar->time_ms;
         link = sn_exemplars_previous(ring, link - 1)) {
        if (is_same(slot_of(ring, link - 1), exemplar))
            return SN_EXEMPLAR_SAME;
    }
    return SN_EXEMPLAR_ADDED;
}

sn_status sn_exemplars_add(struct sn_exemplars *ring, const struct sn_log_exemplar *exemplar,
                           enum sn_exemplar_verdict *ret_verdict) {
    SN_CHECK(ring->limit > 0 && exemplar->labels.len <= SN_EXEMPLAR_LABEL_BYTES_MAX);
    *ret_verdict = judge(ring, exemplar);
    if (*ret_verdict != SN_EXEMPLAR_ADDED)
        return SN_OK;
    SN_TRY(sn_blocks_reach(&ring->newest, exemplar->series));
    SN_TRY(sn_blocks_reach(&ring->slots, ring->next % ring->limit));
    char *labels = sn_strndup(exemplar->labels.ptr, exemplar->labels.len);
    if (!labels)
        return SN_ERR_NO_MEMORY;
    if (ring->next - ring->oldest == ring->limit)
        drop_oldest(ring);
    uint64_t *newest = sn_blocks_at(&ring->newest, exemplar->series);
    *slot_of(ring, ring->next) =
        (struct sn_exemplar_slot){.time_ms = exemplar->time_ms,
                                  .value = exemplar->value,
                                  .labels = labels,
                                  .previous = if_alive(ring, *newest),
                                  .series = exemplar->series,
                                  .label_len = (uint32_t)exemplar->labels.len};
    *newest = ++ring->next;
    return SN_OK;
}

/* ---- deleting ---- */

static void delete_slot(struct sn_exemplars *ring, struct sn_exemplar_slot *slot) {
    sn_free(slot->labels);
    slot->labels = NULL;
    slot->label_len = 0;
    ring->deleted_count++;
}

size_t sn_exemplars_delete(struct sn_exemplars *ring, uint32_t series, struct sn_range range,
                           uint64_t end) {
    size_t count = 0;
    uint64_t link = sn_exemplars_newest(ring, series);
    uint64_t *from = link != 0 ? sn_blocks_at(&ring->newest, series) : NULL;
    while (link != 0) {
        struct sn_exemplar_slot *slot = slot_of(ring, link - 1);
        uint64_t previous = if_alive(ring, slot->previous);
        if (slot->time_ms < range.start_ms)
            break; /* they ascend */
        if (link - 1 < end && slot->time_ms <= range.end_ms) {
            delete_slot(ring, slot);
            *from = previous;
            count++;
        } else {
            from = &slot->previous;
        }
        link = previous;
    }
    return count;
}

/* ---- rows of the catalogue ---- */

void sn_exemplar_rows_release(struct sn_exemplar_rows *rows) {
    sn_free(rows->items);
    *rows = (struct sn_exemplar_rows){0};
}

sn_status sn_exemplar_rows_reserve(struct sn_exemplar_rows *rows) {
    if (rows->count < rows->capacity)
        return SN_OK;
    size_t capacity = rows->capacity ? rows->capacity * 2 : 16;
    struct sn_exemplar_row *items = sn_realloc_array(rows->items, capacity, sizeof *items);
    if (!items)
        return SN_ERR_NO_MEMORY;
    rows->items = items;
    rows->capacity = capacity;
    return SN_OK;
}

sn_status sn_exemplar_rows_add(struct sn_exemplar_rows *rows, uint64_t id, uint64_t end) {
    SN_TRY(sn_exemplar_rows_reserve(rows));
    rows->items[rows->count++] = (struct sn_exemplar_row){.id = id, .end = end};
    return SN_OK;
}

uint64_t sn_exemplar_rows_next(const struct sn_exemplar_rows *rows) {
    return rows->count > 0 ? rows->items[rows->count - 1].id + 1 : 1;
}

uint64_t sn_exemplar_rows_first(const struct sn_exemplar_rows *rows, uint64_t oldest) {
    for (size_t i = 0; i < rows->count; i++) {
        if (rows->items[i].end > oldest)
            return rows->items[i].id;
    }
    return sn_exemplar_rows_next(rows);
}

void sn_exemplar_rows_drop(struct sn_exemplar_rows *rows, uint64_t id) {
    size_t gone = 0;
    /* The newest stays: its id says what the next one is. */
    while (gone + 1 < rows->count && rows->items[gone].id < id)
        gone++;
    if (gone > 0)
        memmove(rows->items, rows->items + gone, (rows->count - gone) * sizeof *rows->items);
    rows->count -= gone;
}
