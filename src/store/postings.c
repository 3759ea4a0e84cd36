/* Postings and the id sets that queries compute with: see postings.h. */
#include "store/postings.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 4, GALLOP_RATIO = 16 };

sn_status sn_postings_append(struct sn_postings *postings, uint32_t id) {
    if (postings->count == 0 && postings->capacity == 0) {
        postings->one = id;
        postings->count = 1;
        return SN_OK;
    }
    assert(postings->count == 0 || sn_postings_ids(postings)[postings->count - 1] < id);
    if (postings->count >= postings->capacity) {
        /* Half more: the last growth of a long list must not double the memory of the index. */
        uint32_t capacity =
            postings->capacity == 0 ? CAPACITY_FIRST : postings->capacity + postings->capacity / 2;
        uint32_t *old = postings->capacity ? postings->ids : NULL;
        uint32_t *ids = sn_realloc_array(old, capacity, sizeof *ids);
        if (!ids)
            return SN_ERR_NO_MEMORY;
        if (!old)
            ids[0] = postings->one;
        postings->ids = ids;
        postings->capacity = capacity;
    }
    postings->ids[postings->count++] = id;
    return SN_OK;
}

void sn_postings_release(struct sn_postings *postings) {
    if (postings->capacity)
        sn_free(postings->ids);
    *postings = (struct sn_postings){0};
}

void sn_id_set_release(struct sn_id_set *set) {
    sn_free(set->ids);
    *set = (struct sn_id_set){0};
}

sn_status sn_id_set_add(struct sn_id_set *set, const uint32_t *ids, size_t count) {
    if (set->count + count > set->capacity) {
        size_t capacity = set->count + count + set->capacity / 2;
        uint32_t *grown = sn_realloc_array(set->ids, capacity, sizeof *grown);
        if (!grown)
            return SN_ERR_NO_MEMORY;
        set->ids = grown;
        set->capacity = capacity;
    }
    if (count)
        memcpy(set->ids + set->count, ids, count * sizeof *ids);
    set->count += count;
    return SN_OK;
}

static int compare_ids(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void sn_id_set_sort(struct sn_id_set *set) {
    size_t ascending = 1;
    while (ascending < set->count && set->ids[ascending - 1] < set->ids[ascending])
        ascending++;
    if (ascending >= set->count)
        return;
    qsort(set->ids, set->count, sizeof *set->ids, compare_ids);
    size_t kept = 1;
    for (size_t i = 1; i < set->count; i++) {
        if (set->ids[i] != set->ids[kept - 1])
            set->ids[kept++] = set->ids[i];
    }
    set->count = kept;
}

/* First index >= from whose id is >= wanted: doubling steps, then bisection. */
static size_t gallop(const uint32_t *ids, size_t from, size_t count, uint32_t wanted) {
    size_t step = 1;
    size_t low = from;
    while (low + step < count && ids[low + step] < wanted) {
        low += step;
        step *= 2;
    }
    size_t high = low + step < count ? low + step + 1 : count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (ids[middle] < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static size_t seek(const struct sn_id_set *in, size_t from, uint32_t wanted, bool far) {
    if (far)
        return gallop(in->ids, from, in->count, wanted);
    while (from < in->count && in->ids[from] < wanted)
        from++;
    return from;
}

/* Keep the ids whose presence in `other` is `wanted`. */
static void filter(struct sn_id_set *set, const struct sn_id_set *other, bool wanted) {
    bool far = other->count / GALLOP_RATIO > set->count;
    size_t kept = 0;
    size_t at = 0;
    for (size_t i = 0; i < set->count; i++) {
        at = seek(other, at, set->ids[i], far);
        bool is_there = at < other->count && other->ids[at] == set->ids[i];
        if (is_there == wanted)
            set->ids[kept++] = set->ids[i];
    }
    set->count = kept;
}

void sn_id_set_intersect(struct sn_id_set *set, const struct sn_id_set *other) {
    filter(set, other, true);
}

void sn_id_set_subtract(struct sn_id_set *set, const struct sn_id_set *other) {
    filter(set, other, false);
}
