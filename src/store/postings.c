/* Postings and the id sets that queries compute with: see postings.h. */
#include "store/postings.h"

#include "base/check.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 4 };

/* The array is full: half more room, and beyond its largest size a bitmap. */
static sn_status grow(struct sn_postings *postings) {
    uint32_t *old = postings->capacity ? postings->ids : NULL;
    if (postings->count >= SN_POSTINGS_ARRAY_MAX) {
        struct sn_bitmap *bitmap = sn_bitmap_new(old, postings->count);
        if (!bitmap)
            return SN_ERR_NO_MEMORY;
        sn_free(old);
        postings->bitmap = bitmap;
        postings->capacity = SN_POSTINGS_IS_BITMAP;
        return SN_OK;
    }
    uint32_t capacity =
        postings->capacity == 0 ? CAPACITY_FIRST : postings->capacity + postings->capacity / 2;
    if (capacity > SN_POSTINGS_ARRAY_MAX)
        capacity = SN_POSTINGS_ARRAY_MAX;
    uint32_t *ids = sn_realloc_array(old, capacity, sizeof *ids);
    if (!ids)
        return SN_ERR_NO_MEMORY;
    if (!old)
        ids[0] = postings->one;
    postings->ids = ids;
    postings->capacity = capacity;
    return SN_OK;
}

sn_status sn_postings_append(struct sn_postings *postings, uint32_t id) {
    if (postings->count == 0 && postings->capacity == 0) {
        postings->one = id;
        postings->count = 1;
        return SN_OK;
    }
    if (!sn_postings_is_bitmap(postings) && postings->count >= postings->capacity)
        SN_TRY(grow(postings));
    if (sn_postings_is_bitmap(postings)) {
        sn_bitmap_add(postings->bitmap, id);
    } else {
        assert(postings->count == 0 || postings->ids[postings->count - 1] < id);
        postings->ids[postings->count] = id;
    }
    postings->count++;
    return SN_OK;
}

void sn_postings_release(struct sn_postings *postings) {
    if (sn_postings_is_bitmap(postings))
        (void)sn_bitmap_free(postings->bitmap); /* NULL, always */
    else if (postings->capacity)
        sn_free(postings->ids);
    *postings = (struct sn_postings){0};
}

void sn_postings_pop(struct sn_postings *postings, uint32_t id) {
    if (sn_postings_is_bitmap(postings))
        sn_bitmap_remove(postings->bitmap, id);
    postings->count--;
}

void sn_postings_remove(struct sn_postings *postings, uint32_t id) {
    if (!sn_postings_contains(postings, id))
        return;
    if (sn_postings_is_bitmap(postings)) {
        sn_bitmap_remove(postings->bitmap, id);
    } else if (postings->capacity) {
        uint32_t at = 0;
        while (postings->ids[at] != id)
            at++;
        memmove(postings->ids + at, postings->ids + at + 1,
                (postings->count - at - 1) * sizeof *postings->ids);
    }
    postings->count--;
}

bool sn_postings_contains(const struct sn_postings *postings, uint32_t id) {
    if (sn_postings_is_bitmap(postings))
        return sn_bitmap_contains(postings->bitmap, id);
    const uint32_t *ids = sn_postings_array(postings);
    for (uint32_t i = 0; i < postings->count; i++) {
        if (ids[i] == id)
            return true;
    }
    return false;
}

size_t sn_postings_bytes(const struct sn_postings *postings) {
    if (sn_postings_is_bitmap(postings))
        return sn_bitmap_bytes(postings->bitmap);
    return postings->capacity * sizeof *postings->ids;
}

void sn_id_set_release(struct sn_id_set *set) {
    sn_free(set->ids);
    *set = (struct sn_id_set){0};
}

/* Room for `count` more ids, and never none: an empty set has a place to point to. */
static sn_status reserve(struct sn_id_set *set, size_t count) {
    if (set->count + count < set->capacity)
        return SN_OK;
    size_t capacity = set->count + count + set->capacity / 2 + 1;
    uint32_t *grown = sn_realloc_array(set->ids, capacity, sizeof *grown);
    if (!grown)
        return SN_ERR_NO_MEMORY;
    set->ids = grown;
    set->capacity = capacity;
    return SN_OK;
}

sn_status sn_id_set_add(struct sn_id_set *set, const uint32_t *ids, size_t count) {
    SN_TRY(reserve(set, count));
    if (count)
        memcpy(set->ids + set->count, ids, count * sizeof *ids);
    set->count += count;
    return SN_OK;
}

sn_status sn_id_set_add_bitmap(struct sn_id_set *set, const struct sn_bitmap *bitmap) {
    size_t count = sn_bitmap_count(bitmap);
    SN_TRY(reserve(set, count));
    sn_bitmap_ids(bitmap, set->ids + set->count);
    set->count += count;
    return SN_OK;
}

sn_status sn_id_set_add_postings(struct sn_id_set *set, const struct sn_postings *postings) {
    if (sn_postings_is_bitmap(postings))
        return sn_id_set_add_bitmap(set, postings->bitmap);
    return sn_id_set_add(set, sn_postings_array(postings), postings->count);
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

void sn_id_set_filter(struct sn_id_set *set, const struct sn_bitmap *bitmap, bool wanted) {
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (sn_bitmap_contains(bitmap, set->ids[i]) == wanted)
            set->ids[kept++] = set->ids[i];
    }
    set->count = kept;
}
