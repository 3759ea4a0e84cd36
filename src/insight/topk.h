/*
 * The most frequent keys (users, items, error classes) in bounded memory: Misra and Gries' summary,
 * the mergeable form of space-saving.
 *
 * Invariants:
 *   1. true count - bound <= count <= true count for every key that is there, and true count <=
 *      bound for every key that is not. While no more than `max` keys came, bound is 0 and all is
 *      exact.
 *   2. bound <= (sum of all counts) / (max + 1), also after merging summaries of the same max.
 *   3. The extra numbers of a key are sums since it came (the last time): exact while bound is 0.
 * One thread. Memory: up to 2 * max entries, about 200 bytes each.
 */
#ifndef SN_INSIGHT_TOPK_H
#define SN_INSIGHT_TOPK_H

#include "base/arena.h"
#include "base/map.h"

#define SN_TOPK_EXTRAS 4
#define SN_TOPK_KEY_BYTES_MAX 1024 /* of a key, and of a note */

/* Counts and bounds stay here; no program counts so far, damaged files may. */
#define SN_TOPK_COUNT_MAX ((UINT64_C(1) << 62) - 1)

struct sn_topk_entry {
    struct sn_str key;
    struct sn_str note; /* the newest text that came with the key: a name, a sample message */
    uint64_t count;
    double extra[SN_TOPK_EXTRAS]; /* added up */
    int64_t first_ms;
    int64_t last_ms;
};

struct sn_topk {
    struct sn_arena arena;         /* keys and notes */
    struct sn_map index;           /* key -> number of its entry */
    struct sn_topk_entry *entries; /* [capacity], owned */
    size_t count;
    size_t capacity;
    size_t max;
    uint64_t seed;
    uint64_t bound;
};

/* max: keys that are kept for sure, at least 1. Nothing is allocated. */
void sn_topk_init(struct sn_topk *topk, size_t max, uint64_t seed);
void sn_topk_release(struct sn_topk *topk);

/*
 * Add an entry's numbers to its key. Key and note are copied; a longer one is cut.
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena); then nothing was added.
 */
sn_status sn_topk_add(struct sn_topk *topk, const struct sn_topk_entry *entry) SN_MUST_USE;

/* Add all of another one. The same statuses; after a failure the sum is useless. */
sn_status sn_topk_merge(struct sn_topk *topk, const struct sn_topk *other) SN_MUST_USE;

/* For whoever merges entry by entry: the bound of what was added, at most SN_TOPK_COUNT_MAX. */
void sn_topk_raise_bound(struct sn_topk *topk, uint64_t more);

/*
 * The entries with the largest counts, largest first, equal ones by key.
 *
 *   ret_entries  [max] pointers, valid until the next change
 * Returns how many there are.
 */
size_t sn_topk_top(struct sn_topk *topk, const struct sn_topk_entry **ret_entries, size_t max);

#endif
