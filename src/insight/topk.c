/*
 * Most frequent keys. See topk.h.
 *
 * Twice as many entries as wanted may gather; then all counts are lowered by that of the entry
 * after the wanted ones, and what is left without a count goes. That is Misra and Gries' step done
 * for many keys at once, so that a key costs constant time on average.
 */
#include "insight/topk.h"

#include "base/mem.h"

#include <float.h>
#include <stdlib.h>

#define ARENA_LIMIT ((size_t)1 << 30)

void sn_topk_init(struct sn_topk *topk, size_t max, uint64_t seed) {
    *topk = (struct sn_topk){.max = max > 0 ? max : 1, .seed = seed};
    sn_arena_init(&topk->arena, ARENA_LIMIT);
    sn_map_init(&topk->index, 2 * topk->max, seed);
}

void sn_topk_release(struct sn_topk *topk) {
    sn_map_release(&topk->index);
    sn_arena_release(&topk->arena);
    sn_free(topk->entries);
    topk->entries = NULL;
    topk->count = topk->capacity = 0;
}

static struct sn_str cut(struct sn_str text) {
    if (text.len > SN_TOPK_KEY_BYTES_MAX)
        text.len = SN_TOPK_KEY_BYTES_MAX;
    return text;
}

static int by_count(const void *a, const void *b) {
    const struct sn_topk_entry *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return sn_str_compare(x->key, y->key);
}

/* Both at most SN_TOPK_COUNT_MAX. */
static uint64_t sum_counts(uint64_t a, uint64_t b) {
    return a + b < SN_TOPK_COUNT_MAX ? a + b : SN_TOPK_COUNT_MAX;
}

/* Finite numbers stay finite. */
static double sum_numbers(double a, double b) {
    double sum = a + b;
    if (sum > DBL_MAX)
        return DBL_MAX;
    return sum < -DBL_MAX ? -DBL_MAX : sum;
}

/* Copy the texts of what is left into a new arena, and number them anew. */
static sn_status repack(struct sn_topk *topk) {
    struct sn_arena fresh;
    sn_arena_init(&fresh, ARENA_LIMIT);
    sn_map_release(&topk->index);
    sn_map_init(&topk->index, 2 * topk->max, topk->seed);
    sn_status status = SN_OK;
    for (size_t i = 0; i < topk->count && status == SN_OK; i++) {
        struct sn_topk_entry *entry = &topk->entries[i];
        if (!sn_arena_copy(&fresh, entry->key, &entry->key) ||
            !sn_arena_copy(&fresh, entry->note, &entry->note))
            status = SN_ERR_NO_MEMORY;
        else
            status = sn_map_put(&topk->index, entry->key, i);
    }
    if (status != SN_OK) { /* texts are in two arenas now: nothing can be kept */
        sn_arena_release(&fresh);
        topk->count = 0;
        sn_map_release(&topk->index);
        sn_map_init(&topk->index, 2 * topk->max, topk->seed);
        return status;
    }
    sn_arena_release(&topk->arena);
    topk->arena = fresh;
    return SN_OK;
}

static sn_status shrink(struct sn_topk *topk) {
    qsort(topk->entries, topk->count, sizeof *topk->entries, by_count);
    uint64_t lowered = topk->entries[topk->max].count;
    size_t left = 0;
    while (left < topk->max && topk->entries[left].count > lowered)
        topk->entries[left++].count -= lowered;
    topk->count = left;
    topk->bound = sum_counts(topk->bound, lowered);
    return repack(topk);
}

static sn_status reserve(struct sn_topk *topk) {
    if (topk->count < topk->capacity)
        return SN_OK;
    size_t capacity = topk->capacity > 0 ? 2 * topk->capacity : 16;
    if (capacity > 2 * topk->max)
        capacity = 2 * topk->max;
    struct sn_topk_entry *entries = sn_realloc_array(topk->entries, capacity, sizeof *entries);
    if (entries == NULL)
        return SN_ERR_NO_MEMORY;
    topk->entries = entries;
    topk->capacity = capacity;
    return SN_OK;
}

static sn_status insert(struct sn_topk *topk, const struct sn_topk_entry *entry) {
    struct sn_topk_entry copy = *entry;
    if (topk->count == 2 * topk->max)
        SN_TRY(shrink(topk));
    SN_TRY(reserve(topk));
    if (!sn_arena_copy(&topk->arena, cut(entry->key), &copy.key) ||
        !sn_arena_copy(&topk->arena, cut(entry->note), &copy.note))
        return sn_arena_failure(&topk->arena, entry->key.len + entry->note.len, NULL);
    SN_TRY(sn_map_put(&topk->index, copy.key, topk->count));
    topk->entries[topk->count++] = copy;
    return SN_OK;
}

sn_status sn_topk_add(struct sn_topk *topk, const struct sn_topk_entry *entry) {
    uint64_t number;
    if (!sn_map_get(&topk->index, cut(entry->key), &number))
        return insert(topk, entry);
    struct sn_topk_entry *mine = &topk->entries[number];
    bool is_newer = entry->last_ms >= mine->last_ms && entry->note.len > 0;
    if (is_newer && !sn_str_equal(mine->note, cut(entry->note)) &&
        !sn_arena_copy(&topk->arena, cut(entry->note), &mine->note))
        return sn_arena_failure(&topk->arena, entry->note.len, NULL);
    mine->count = sum_counts(mine->count, entry->count);
    for (size_t i = 0; i < SN_TOPK_EXTRAS; i++)
        mine->extra[i] = sum_numbers(mine->extra[i], entry->extra[i]);
    if (entry->first_ms < mine->first_ms)
        mine->first_ms = entry->first_ms;
    if (entry->last_ms > mine->last_ms)
        mine->last_ms = entry->last_ms;
    return SN_OK;
}

sn_status sn_topk_merge(struct sn_topk *topk, const struct sn_topk *other) {
    for (size_t i = 0; i < other->count; i++)
        SN_TRY(sn_topk_add(topk, &other->entries[i]));
    sn_topk_raise_bound(topk, other->bound);
    return SN_OK;
}

void sn_topk_raise_bound(struct sn_topk *topk, uint64_t more) {
    topk->bound = sum_counts(topk->bound, more);
}

/* A sorted list of the best so far: max is small against count. */
size_t sn_topk_top(struct sn_topk *topk, const struct sn_topk_entry **ret_entries, size_t max) {
    size_t count = 0;
    for (size_t i = 0; i < topk->count && max > 0; i++) {
        const struct sn_topk_entry *entry = &topk->entries[i];
        if (count == max && by_count(entry, ret_entries[count - 1]) >= 0)
            continue;
        size_t at = count < max ? count++ : count - 1;
        while (at > 0 && by_count(entry, ret_entries[at - 1]) < 0) {
            ret_entries[at] = ret_entries[at - 1];
            at--;
        }
        ret_entries[at] = entry;
    }
    return count;
}
