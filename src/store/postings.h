/*
 * Postings: the ascending ids of the series that carry one label pair.
 *
 * Most pairs of a real system are carried by one series, so one id lives inside the struct; up to
 * SN_POSTINGS_ARRAY_MAX of them in a sorted array; more in a bitmap (store/bitmap.h), where a million
 * ids cost 125 KB and two lists are intersected without looking at their ids.
 * Ids are appended in ascending order, because a new series gets the next id.
 * Threads: guarded by the owner's lock.
 */
#ifndef SN_STORE_POSTINGS_H
#define SN_STORE_POSTINGS_H

#include "base/status.h"
#include "store/bitmap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A bitmap has some hundred bytes of its own; an array of so many ids is as large. */
#define SN_POSTINGS_ARRAY_MAX 64
#define SN_POSTINGS_IS_BITMAP UINT32_MAX /* as capacity */

struct sn_postings {
    uint32_t count;
    uint32_t capacity; /* 0: the only id is `one`; SN_POSTINGS_IS_BITMAP */
    union {
        uint32_t one;
        uint32_t *ids;            /* [capacity], owned */
        struct sn_bitmap *bitmap; /* owned */
    };
};

/* Append an id greater than all before it. SN_ERR_NO_MEMORY: unchanged. Amortised O(1). */
sn_status sn_postings_append(struct sn_postings *postings, uint32_t id) SN_MUST_USE;
void sn_postings_release(struct sn_postings *postings);

/* Take back the append of `id`, which was the last; for the way out of a failure. */
void sn_postings_pop(struct sn_postings *postings, uint32_t id);

/* Take out an id wherever it stands; not there is fine. */
void sn_postings_remove(struct sn_postings *postings, uint32_t id);

static inline bool sn_postings_is_bitmap(const struct sn_postings *postings) {
    return postings->capacity == SN_POSTINGS_IS_BITMAP;
}

/* The ids of postings that are no bitmap, ascending; [count]. Borrowed until the next change. */
static inline const uint32_t *sn_postings_array(const struct sn_postings *postings) {
    return postings->capacity ? postings->ids : &postings->one;
}

bool sn_postings_contains(const struct sn_postings *postings, uint32_t id);

/* Bytes outside of the struct, about. */
size_t sn_postings_bytes(const struct sn_postings *postings);

/*
 * A growing set of ids outside of any lock: what a query works on. Owned by one thread; ids in
 * ascending order and unique after sn_id_set_sort.
 */
struct sn_id_set {
    uint32_t *ids; /* [capacity], owned */
    size_t count;
    size_t capacity;
};

void sn_id_set_release(struct sn_id_set *set);

/* Append ids; order is the caller's business. SN_ERR_NO_MEMORY. */
sn_status sn_id_set_add(struct sn_id_set *set, const uint32_t *ids, size_t count) SN_MUST_USE;

/* Append all ids of postings, or of a bitmap, ascending. SN_ERR_NO_MEMORY. */
sn_status sn_id_set_add_postings(struct sn_id_set *set,
                                 const struct sn_postings *postings) SN_MUST_USE;
sn_status sn_id_set_add_bitmap(struct sn_id_set *set, const struct sn_bitmap *bitmap) SN_MUST_USE;

/* Sort ascending and drop duplicates. O(n log n), nothing when already sorted. */
void sn_id_set_sort(struct sn_id_set *set);

/* Keep the ids whose presence in the bitmap is `wanted`. */
void sn_id_set_filter(struct sn_id_set *set, const struct sn_bitmap *bitmap, bool wanted);

#endif
