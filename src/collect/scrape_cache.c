/*
 * Series of one target: a dense array, and an index of it by open addressing. See scrape_cache.h.
 */
#include "collect/scrape_cache.h"

#include "base/map.h"
#include "base/mem.h"

#include <string.h>

#define ENTRIES_FIRST 64
/* Scrapes after which a series that has gone is forgotten: it may come back cheaply until then. */
#define FORGET_AFTER 10

void sn_scrape_cache_init(struct sn_scrape_cache *cache) {
    *cache = (struct sn_scrape_cache){.count = 0};
    sn_buf_init(&cache->text, SN_SCRAPE_CACHE_BYTES_MAX);
}

void sn_scrape_cache_release(struct sn_scrape_cache *cache) {
    sn_free(cache->entries);
    sn_free(cache->slots);
    sn_buf_release(&cache->text);
    sn_scrape_cache_init(cache);
}

void sn_scrape_cache_begin(struct sn_scrape_cache *cache) {
    cache->scrape++;
}

/* The slot of a key: its own, or the free one where it would go. */
static uint32_t *slot_of(const struct sn_scrape_cache *cache, uint64_t key) {
    size_t mask = cache->slot_count - 1;
    size_t at = (size_t)key & mask;
    while (cache->slots[at] != 0 && cache->entries[cache->slots[at] - 1].key != key)
        at = (at + 1) & mask;
    return &cache->slots[at];
}

struct sn_scrape_entry *sn_scrape_cache_find(const struct sn_scrape_cache *cache, uint64_t key) {
    if (cache->count == 0)
        return NULL;
    uint32_t index = *slot_of(cache, key);
    return index == 0 ? NULL : &cache->entries[index - 1];
}

static void fill_slots(struct sn_scrape_cache *cache) {
    memset(cache->slots, 0, cache->slot_count * sizeof *cache->slots);
    for (size_t i = 0; i < cache->count; i++)
        *slot_of(cache, cache->entries[i].key) = (uint32_t)(i + 1);
}

static sn_status grow(struct sn_scrape_cache *cache, struct sn_err *err) {
    size_t capacity = cache->capacity > 0 ? 2 * cache->capacity : ENTRIES_FIRST;
    uint32_t *slots = sn_alloc_zero(2 * capacity, sizeof *slots);
    struct sn_scrape_entry *entries =
        slots == NULL ? NULL : sn_realloc_array(cache->entries, capacity, sizeof *entries);
    if (entries == NULL) {
        sn_free(slots);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the series of a target");
    }
    sn_free(cache->slots);
    cache->entries = entries;
    cache->slots = slots;
    cache->capacity = capacity;
    cache->slot_count = 2 * capacity;
    fill_slots(cache);
    return SN_OK;
}

sn_status sn_scrape_cache_add(struct sn_scrape_cache *cache, uint64_t key, struct sn_str labels,
                              struct sn_scrape_entry **ret_entry, struct sn_err *err) {
    if (cache->count == SN_SCRAPE_SERIES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "a target has more than %zu series",
                          SN_SCRAPE_SERIES_MAX);
    if (cache->count == cache->capacity)
        SN_TRY(grow(cache, err));
    size_t at = cache->text.len;
    sn_buf_put_str(&cache->text, labels);
    if (cache->text.status != SN_OK) {
        sn_status status = sn_buf_status(&cache->text, err);
        cache->text.status = SN_OK; /* Nothing was appended: what is there stays. */
        return status;
    }
    struct sn_scrape_entry *entry = &cache->entries[cache->count];
    *entry = (struct sn_scrape_entry){
        .key = key, .labels_at = (uint32_t)at, .labels_len = (uint32_t)labels.len};
    *slot_of(cache, key) = (uint32_t)++cache->count;
    *ret_entry = entry;
    return SN_OK;
}

static bool is_current(const struct sn_scrape_cache *cache, const struct sn_scrape_entry *entry) {
    return cache->stored != 0 && entry->current == cache->stored;
}

/* Labels of what this scrape has, as keys. */
static sn_status map_seen(const struct sn_scrape_cache *cache, struct sn_map *seen,
                          struct sn_err *err) {
    for (size_t i = 0; i < cache->count; i++) {
        const struct sn_scrape_entry *entry = &cache->entries[i];
        if (entry->seen == cache->scrape && !entry->is_dropped &&
            sn_map_put(seen, sn_scrape_cache_labels(cache, entry), 0) != SN_OK)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the series of a target");
    }
    return SN_OK;
}

static bool has_gone(const struct sn_scrape_cache *cache, const struct sn_scrape_entry *entry,
                     bool is_good, const struct sn_map *seen) {
    uint64_t nothing;
    if (!is_current(cache, entry) || !entry->is_tracked || entry->is_dropped ||
        (is_good && entry->seen == cache->scrape))
        return false;
    return !sn_map_get(seen, sn_scrape_cache_labels(cache, entry), &nothing);
}

sn_status sn_scrape_cache_each_gone(const struct sn_scrape_cache *cache, bool is_good,
                                    sn_status (*visit)(void *ctx, struct sn_str labels,
                                                       struct sn_err *err),
                                    void *ctx, struct sn_err *err) {
    struct sn_map seen;
    sn_map_init(&seen, SN_SCRAPE_SERIES_MAX, 0);
    sn_status status = cache->has_foreign && is_good ? map_seen(cache, &seen, err) : SN_OK;
    for (size_t i = 0; i < cache->count && status == SN_OK; i++)
        if (has_gone(cache, &cache->entries[i], is_good, &seen))
            status = visit(ctx, sn_scrape_cache_labels(cache, &cache->entries[i]), err);
    sn_map_release(&seen);
    return status;
}

void sn_scrape_cache_rekey(struct sn_scrape_cache *cache) {
    for (size_t i = 0; i < cache->count; i++)
        cache->entries[i].key = sn_hash_bytes(&cache->entries[i].key, 8, 1);
    cache->has_foreign = cache->count > 0;
    if (cache->count > 0)
        fill_slots(cache);
}

static bool is_forgotten(const struct sn_scrape_cache *cache, const struct sn_scrape_entry *entry) {
    return cache->scrape - entry->seen > FORGET_AFTER;
}

/* Leave out what is forgotten; text moves down, in place. */
static void compact(struct sn_scrape_cache *cache) {
    size_t kept = 0, at = 0;
    for (size_t i = 0; i < cache->count; i++) {
        struct sn_scrape_entry entry = cache->entries[i];
        if (is_forgotten(cache, &entry))
            continue;
        memmove(cache->text.ptr + at, cache->text.ptr + entry.labels_at, entry.labels_len);
        entry.labels_at = (uint32_t)at;
        at += entry.labels_len;
        cache->entries[kept++] = entry;
    }
    cache->count = kept;
    cache->text.len = at;
    fill_slots(cache);
}

void sn_scrape_cache_commit(struct sn_scrape_cache *cache, bool is_good) {
    size_t forgotten = 0;
    for (size_t i = 0; i < cache->count; i++) {
        struct sn_scrape_entry *entry = &cache->entries[i];
        if (is_good && entry->seen == cache->scrape)
            entry->current = cache->scrape;
        forgotten += is_forgotten(cache, entry);
    }
    cache->stored = is_good ? cache->scrape : 0;
    cache->has_foreign = false; /* None of them is current any more. */
    if (forgotten > ENTRIES_FIRST / 2 && forgotten > cache->count / 4)
        compact(cache);
}
