/*
 * Postings: the ascending ids of the series that carry one label pair.
 *
 * Most pairs of a real system are carried by one series, so one id lives inside the struct; more of
 * them in a sorted array. (A bitmap for very long lists would hide behind these same functions.)
 * Ids are appended in ascending order, because a new series gets the next id.
 * Threads: guarded by the owner's lock.
 */
#ifndef SN_STORE_POSTINGS_H
#define SN_STORE_POSTINGS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sn_postings {
    uint32_t count;
    uint32_t capacity; /* 0: the only id is `one` */
    union {
        uint32_t one;
        uint32_t *ids; /* [capacity], owned */
    };
};

/* Append an id greater than all before it. SN_ERR_NO_MEMORY: unchanged. Amortised O(1). */
sn_status sn_postings_append(struct sn_postings *postings, uint32_t id) SN_MUST_USE;
void sn_postings_release(struct sn_postings *postings);

/* Take back the last append; for the way out of a failure. There is at least one id. */
static inline void sn_postings_pop(struct sn_postings *postings) {
    postings->count--;
}

/* The ids, ascending; [count]. Borrowed until the next append. */
static inline const uint32_t *sn_postings_ids(const struct sn_postings *postings) {
    return postings->capacity ? postings->ids : &postings->one;
}

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

/* Sort ascending and drop duplicates. O(n log n), nothing when already sorted. */
void sn_id_set_sort(struct sn_id_set *set);

/* Keep what is also in `other`, or what is not. Both sorted. O(small * log large) or O(n + m). */
void sn_id_set_intersect(struct sn_id_set *set, const struct sn_id_set *other);
void sn_id_set_subtract(struct sn_id_set *set, const struct sn_id_set *other);

#endif
