/* Label set <-> id and label pair -> ids: see series_index.h. */
#include "store/series_index.h"

#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "codec/varint.h"

enum {
    SERIES_SHIFT = 14,
    SERIES_TABLE = 1 << 14, /* 268 million series; count_max is reached first */
    PAIR_IDS_SHIFT = 16,
    PAIR_IDS_TABLE = 1 << 16, /* 2^32 pair ids */
    SLOTS_FIRST = 1024,
};

void sn_series_index_init(struct sn_series_index *index, uint32_t count_max, uint64_t seed) {
    *index = (struct sn_series_index){
        .count_max = count_max, .seed = seed, .metric_name = UINT32_MAX, .is_metric_first = true};
    sn_symbols_init(&index->symbols, seed);
    sn_blocks_init(&index->series, sizeof(struct sn_series_entry), SERIES_SHIFT, SERIES_TABLE);
    sn_blocks_init(&index->pair_ids, sizeof(uint32_t), PAIR_IDS_SHIFT, PAIR_IDS_TABLE);
    sn_arena_init(&index->scratch, 0);
}

void sn_series_index_release(struct sn_series_index *index) {
    sn_symbols_release(&index->symbols);
    sn_blocks_release(&index->series);
    sn_blocks_release(&index->pair_ids);
    sn_free(index->slots);
    index->slots = NULL;
    sn_arena_release(&index->scratch);
    index->removed = sn_bitmap_free(index->removed);
}

uint32_t sn_series_index_hash(const struct sn_series_index *index, struct sn_str labels) {
    return (uint32_t)sn_hash_bytes(labels.ptr, labels.len, index->seed);
}

/* memcmp for a few dozen bytes that nearly always are equal: a call would cost more than this. */
static inline bool is_same(const char *a, const char *b, size_t len) {
    uint64_t difference = 0;
    size_t at = 0;
    for (; at + 8 <= len; at += 8)
        difference |= sn_load_u64le(a + at) ^ sn_load_u64le(b + at);
    if (at < len && len >= 8)
        difference |= sn_load_u64le(a + len - 8) ^ sn_load_u64le(b + len - 8);
    else if (at < len)
        difference |= (uint64_t)(memcmp(a, b, len) != 0);
    return difference == 0;
}

static bool has_labels(const struct sn_series_index *index, uint32_t id, struct sn_str labels) {
    const struct sn_series_entry *entry = sn_series_index_entry(index, id);
    const uint32_t *pairs = sn_series_index_pairs(index, entry);
    const char *at = labels.ptr;
    const char *end = labels.ptr + labels.len;
    if (labels.len == 0 || (unsigned char)*at++ != entry->pair_count)
        return false;
    for (uint32_t i = 0; i < entry->pair_count; i++) {
        const struct sn_symbol_pair *pair = sn_symbols_pair(&index->symbols, pairs[i]);
        struct sn_str canonical = sn_symbols_canonical(&index->symbols, pair);
        if ((size_t)(end - at) < canonical.len || !is_same(at, canonical.ptr, canonical.len))
            return false;
        at += canonical.len;
    }
    return at == end;
}

void sn_series_index_prefetch_pairs(const struct sn_series_index *index, uint32_t hash) {
    if (index->slot_count == 0)
        return;
    const struct sn_series_slot *slot = &index->slots[hash & (index->slot_count - 1)];
    if (slot->id != 0 && slot->hash == hash) {
        const struct sn_series_entry *entry = sn_series_index_entry(index, slot->id - 1);
        __builtin_prefetch(sn_series_index_pairs(index, entry));
    }
}

bool sn_series_index_find(const struct sn_series_index *index, struct sn_str labels, uint32_t hash,
                          uint32_t *ret_id) {
    if (index->slot_count == 0)
        return false;
    size_t mask = index->slot_count - 1;
    for (size_t i = hash & mask; index->slots[i].id != 0; i = (i + 1) & mask) {
        if (index->slots[i].hash != hash || !has_labels(index, index->slots[i].id - 1, labels))
            continue;
        *ret_id = index->slots[i].id - 1;
        return true;
    }
    return false;
}

static void put_slot(struct sn_series_slot *slots, size_t slot_count, struct sn_series_slot slot) {
    size_t mask = slot_count - 1;
    size_t i = slot.hash & mask;
    while (slots[i].id != 0)
        i = (i + 1) & mask;
    slots[i] = slot;
}

static sn_status grow_slots(struct sn_series_index *index) {
    if ((index->count + 1) * (uint64_t)10 <= index->slot_count * (uint64_t)7)
        return SN_OK;
    size_t count = index->slot_count ? index->slot_count * 2 : SLOTS_FIRST;
    struct sn_series_slot *slots = sn_alloc_zero(count, sizeof *slots);
    if (!slots)
        return SN_ERR_NO_MEMORY;
    for (size_t i = 0; i < index->slot_count; i++) {
        if (index->slots[i].id != 0)
            put_slot(slots, count, index->slots[i]);
    }
    sn_free(index->slots);
    index->slots = slots;
    index->slot_count = count;
    return SN_OK;
}

/* Intern all labels; their pair ids go behind those of the newest series. */
static sn_status intern_labels(struct sn_series_index *index, struct sn_labels labels,
                               uint32_t *ret_first) {
    size_t block = (size_t)1 << PAIR_IDS_SHIFT;
    size_t first = index->pair_ids_next;
    if (first % block + labels.count > block)
        first = (first / block + 1) * block;
    if (first + labels.count > UINT32_MAX)
        return SN_ERR_LIMIT;
    SN_TRY(sn_blocks_reach(&index->pair_ids, first + labels.count));
    uint32_t *pairs = sn_blocks_at(&index->pair_ids, first);
    for (size_t i = 0; i < labels.count; i++) {
        SN_TRY(sn_symbols_intern(&index->symbols, labels.items[i].name, labels.items[i].value,
                                 &pairs[i]));
    }
    *ret_first = (uint32_t)first;
    return SN_OK;
}

static sn_status append_postings(struct sn_series_index *index, const uint32_t *pairs, size_t count,
                                 uint32_t id) {
    for (size_t i = 0; i < count; i++) {
        struct sn_postings *postings = &sn_symbols_pair(&index->symbols, pairs[i])->postings;
        sn_status status = sn_postings_append(postings, id);
        if (status != SN_OK) {
            while (i-- > 0)
                sn_postings_pop(&sn_symbols_pair(&index->symbols, pairs[i])->postings, id);
            return status;
        }
    }
    return SN_OK;
}

/* Whether the series begins with its metric name, as nearly all do. */
static void note_order(struct sn_series_index *index, uint32_t id) {
    const struct sn_series_entry *entry = sn_series_index_entry(index, id);
    if (index->metric_name == UINT32_MAX)
        (void)sn_symbols_find_name(&index->symbols, SN_LABEL_METRIC_NAME, &index->metric_name);
    if (entry->pair_count == 0 ||
        sn_symbols_pair(&index->symbols, sn_series_index_pairs(index, entry)[0])->name !=
            index->metric_name)
        index->is_metric_first = false;
}

static sn_status add_labels(struct sn_series_index *index, struct sn_labels labels, uint32_t hash) {
    uint32_t id = index->count;
    uint32_t first = 0;
    SN_TRY(grow_slots(index));
    SN_TRY(sn_blocks_reach(&index->series, id));
    SN_TRY(intern_labels(index, labels, &first));
    SN_TRY(append_postings(index, sn_blocks_at(&index->pair_ids, first), labels.count, id));
    struct sn_series_entry *entry = sn_blocks_at(&index->series, id);
    *entry = (struct sn_series_entry){.pairs = first, .pair_count = (uint32_t)labels.count};
    index->pair_ids_next = first + (uint32_t)labels.count;
    note_order(index, id);
    put_slot(index->slots, index->slot_count, (struct sn_series_slot){.hash = hash, .id = id + 1});
    index->count++;
    return SN_OK;
}

static sn_status check_metric(const struct sn_series_index *index, struct sn_labels labels,
                              struct sn_err *err) {
    struct sn_str metric = sn_labels_get(labels, SN_LABEL_METRIC_NAME);
    uint32_t pair;
    if (index->per_metric_max == 0 ||
        !sn_symbols_find_pair(&index->symbols, SN_LABEL_METRIC_NAME, metric, &pair))
        return SN_OK;
    uint32_t count = sn_symbols_pair(&index->symbols, pair)->postings.count;
    if (count < index->per_metric_max)
        return SN_OK;
    return sn_err_set(err, SN_ERR_LIMIT, "metric %.*s has %u series already, the limit is %u",
                      (int)(metric.len < 80 ? metric.len : 80), metric.ptr, count,
                      index->per_metric_max);
}

sn_status sn_series_index_add(struct sn_series_index *index, struct sn_str labels, uint32_t hash,
                              uint32_t *ret_id, struct sn_err *err) {
    if (sn_series_index_live_count(index) >= index->count_max)
        return sn_err_set(err, SN_ERR_LIMIT, "there are %u series already, the limit is %u",
                          sn_series_index_live_count(index), index->count_max);
    struct sn_labels decoded;
    sn_arena_reset(&index->scratch);
    SN_TRY(sn_labels_decode(labels, &index->scratch, &decoded, err));
    SN_TRY(check_metric(index, decoded, err));
    sn_status status = add_labels(index, decoded, hash);
    if (status != SN_OK)
        return sn_err_set(err, status, "no %s for series number %u",
                          status == SN_ERR_LIMIT ? "room in the index" : "memory", index->count);
    *ret_id = index->count - 1;
    return SN_OK;
}

/* ---- removing ---- */

static sn_status note_removed(struct sn_series_index *index, uint32_t id) {
    if (!index->removed)
        index->removed = sn_bitmap_new(NULL, 0);
    if (!index->removed)
        return SN_ERR_NO_MEMORY;
    sn_bitmap_add(index->removed, id);
    index->removed_count++;
    return SN_OK;
}

sn_status sn_series_index_add_removed(struct sn_series_index *index, uint32_t *ret_id,
                                      struct sn_err *err) {
    uint32_t id = index->count;
    sn_status status = sn_blocks_reach(&index->series, id);
    if (status == SN_OK)
        status = note_removed(index, id);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory for series number %u", id);
    struct sn_series_entry *entry = sn_blocks_at(&index->series, id);
    *entry = (struct sn_series_entry){0};
    index->count++;
    *ret_id = id;
    return SN_OK;
}

/* Linear probing: what stands behind the hole moves up, unless it stands where it belongs. */
static void close_gap(struct sn_series_index *index, size_t hole) {
    size_t mask = index->slot_count - 1;
    for (size_t i = (hole + 1) & mask; index->slots[i].id != 0; i = (i + 1) & mask) {
        size_t home = index->slots[i].hash & mask;
        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        index->slots[hole] = index->slots[i];
        hole = i;
    }
    index->slots[hole] = (struct sn_series_slot){0};
}

static void remove_slot(struct sn_series_index *index, uint32_t id, uint32_t hash) {
    size_t mask = index->slot_count - 1;
    size_t at = hash & mask;
    while (index->slots[at].id != 0 && index->slots[at].id != id + 1)
        at = (at + 1) & mask;
    if (index->slots[at].id != 0)
        close_gap(index, at);
}

bool sn_series_index_is_removed(const struct sn_series_index *index, uint32_t id) {
    return index->removed && sn_bitmap_contains(index->removed, id);
}

sn_status sn_series_index_remove(struct sn_series_index *index, uint32_t id) {
    if (sn_series_index_is_removed(index, id))
        return SN_OK;
    struct sn_buf labels;
    sn_buf_init(&labels, 0);
    sn_series_index_encode(index, id, &labels);
    sn_status status = labels.status;
    if (status == SN_OK)
        status = note_removed(index, id);
    if (status == SN_OK) {
        const struct sn_series_entry *entry = sn_series_index_entry(index, id);
        const uint32_t *pairs = sn_series_index_pairs(index, entry);
        for (uint32_t i = 0; i < entry->pair_count; i++)
            sn_postings_remove(&sn_symbols_pair(&index->symbols, pairs[i])->postings, id);
        remove_slot(index, id, sn_series_index_hash(index, sn_buf_str(&labels)));
    }
    sn_buf_release(&labels);
    return status;
}

sn_status sn_series_index_labels(const struct sn_series_index *index, uint32_t id,
                                 struct sn_arena *arena, struct sn_labels *ret_labels) {
    const struct sn_series_entry *entry = sn_series_index_entry(index, id);
    const uint32_t *pairs = sn_series_index_pairs(index, entry);
    size_t bytes = entry->pair_count * sizeof(struct sn_label);
    struct sn_label *items = sn_arena_alloc(arena, bytes);
    if (!items)
        return sn_arena_failure(arena, bytes, NULL);
    for (uint32_t i = 0; i < entry->pair_count; i++) {
        const struct sn_symbol_pair *pair = sn_symbols_pair(&index->symbols, pairs[i]);
        items[i].name = sn_symbols_name_text(&index->symbols, pair->name);
        items[i].value = sn_symbols_value(&index->symbols, pair);
    }
    *ret_labels = (struct sn_labels){.items = items, .count = entry->pair_count};
    return SN_OK;
}

void sn_series_index_encode(const struct sn_series_index *index, uint32_t id, struct sn_buf *buf) {
    const struct sn_series_entry *entry = sn_series_index_entry(index, id);
    const uint32_t *pairs = sn_series_index_pairs(index, entry);
    sn_buf_put_byte(buf, (uint8_t)entry->pair_count);
    for (uint32_t i = 0; i < entry->pair_count; i++) {
        const struct sn_symbol_pair *pair = sn_symbols_pair(&index->symbols, pairs[i]);
        sn_buf_put_str(buf, sn_symbols_canonical(&index->symbols, pair));
    }
}

int sn_series_index_compare_pairs(const struct sn_series_index *index, uint32_t a, uint32_t b) {
    const struct sn_symbols *symbols = &index->symbols;
    const struct sn_symbol_pair *x = sn_symbols_pair(symbols, a);
    const struct sn_symbol_pair *y = sn_symbols_pair(symbols, b);
    if (x->name != y->name)
        return sn_str_compare(sn_symbols_name_text(symbols, x->name),
                              sn_symbols_name_text(symbols, y->name));
    return sn_str_compare(sn_symbols_value(symbols, x), sn_symbols_value(symbols, y));
}

int sn_series_index_compare(const struct sn_series_index *index, uint32_t a, uint32_t b) {
    const struct sn_series_entry *x = sn_series_index_entry(index, a);
    const struct sn_series_entry *y = sn_series_index_entry(index, b);
    const uint32_t *x_pairs = sn_series_index_pairs(index, x);
    const uint32_t *y_pairs = sn_series_index_pairs(index, y);
    uint32_t count = x->pair_count < y->pair_count ? x->pair_count : y->pair_count;
    for (uint32_t i = 0; i < count; i++) {
        /* One number is one text, so most labels of neighbours need no look at it. */
        if (x_pairs[i] != y_pairs[i])
            return sn_series_index_compare_pairs(index, x_pairs[i], y_pairs[i]);
    }
    return (x->pair_count > y->pair_count) - (x->pair_count < y->pair_count);
}

/* It is nearly always the first one. */
uint32_t sn_series_index_metric_pair(const struct sn_series_index *index, uint32_t id) {
    const struct sn_series_entry *entry = sn_series_index_entry(index, id);
    const uint32_t *pairs = sn_series_index_pairs(index, entry);
    for (uint32_t i = 0; i < entry->pair_count; i++) {
        const struct sn_symbol_pair *pair = sn_symbols_pair(&index->symbols, pairs[i]);
        if (sn_str_equal(sn_symbols_name_text(&index->symbols, pair->name), SN_LABEL_METRIC_NAME))
            return pairs[i];
    }
    return UINT32_MAX;
}

int sn_series_index_compare_metric(const struct sn_series_index *index, uint32_t a, uint32_t b) {
    uint32_t x = sn_series_index_metric_pair(index, a);
    uint32_t y = sn_series_index_metric_pair(index, b);
    if (x == y)
        return sn_series_index_compare(index, a, b);
    if (x == UINT32_MAX || y == UINT32_MAX)
        return x == UINT32_MAX ? -1 : 1;
    return sn_series_index_compare_pairs(index, x, y);
}
