/*
 * The series of the store: label set <-> id, and label pair -> ids.
 *
 * Invariants:
 *   1. Ids are dense, 0..count-1, given in order of creation and never reused.
 *   2. A series is the list of its pair ids, in the order of its (sorted) labels.
 *   3. Equal label sets have one id: lookups compare the text, not only a hash.
 *   4. A series that was removed is found by nothing. Its id is not given again, and its labels stay
 *      where they are, because a reader may have learned the id before.
 * Threads: guarded by the owner's lock (SN_RANK_STORE_INDEX), except where a function says that it
 * may run without it for ids that the caller learned under the lock: those parts never move.
 */
#ifndef SN_STORE_SERIES_INDEX_H
#define SN_STORE_SERIES_INDEX_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/labels.h"
#include "store/blocks.h"
#include "store/symbols.h"

/* Ids are below. */
#define SN_SERIES_IDS_MAX 268435456

struct sn_series_entry {
    uint32_t pairs; /* index of the first pair id in pair_ids */
    uint32_t pair_count;
};

struct sn_series_slot {
    uint32_t hash; /* low bits choose the slot, all of them are compared first */
    uint32_t id;   /* id + 1; 0 is free */
};

struct sn_series_index {
    struct sn_symbols symbols;
    struct sn_blocks series;      /* struct sn_series_entry */
    struct sn_blocks pair_ids;    /* uint32_t; those of one series stand in one block */
    struct sn_series_slot *slots; /* [slot_count], owned, linear probing */
    size_t slot_count;            /* 0 or a power of two */
    struct sn_arena scratch;      /* labels of the series being added */
    uint32_t count;
    uint32_t count_max;
    uint32_t per_metric_max; /* series of one metric name; 0: no limit */
    uint32_t pair_ids_next;
    struct sn_bitmap *removed; /* ids that were removed; NULL: none, owned */
    uint32_t removed_count;
    uint32_t metric_name; /* id of the name __name__, UINT32_MAX: there is none yet */
    bool is_metric_first; /* all series begin with their metric name: both orders are the same */
    uint64_t seed;
};

/* Empty index of at most count_max series. */
void sn_series_index_init(struct sn_series_index *index, uint32_t count_max, uint64_t seed);
void sn_series_index_release(struct sn_series_index *index);

/* Hash of canonical label bytes; without the lock. */
uint32_t sn_series_index_hash(const struct sn_series_index *index, struct sn_str labels);

/* Bring the slot of a hash, then the labels it leads to, into the cache ahead of a lookup. */
void sn_series_index_prefetch_pairs(const struct sn_series_index *index, uint32_t hash);
static inline void sn_series_index_prefetch(const struct sn_series_index *index, uint32_t hash) {
    if (index->slot_count)
        __builtin_prefetch(&index->slots[hash & (index->slot_count - 1)]);
}

/* Id of a series by canonical bytes; false when there is none. */
bool sn_series_index_find(const struct sn_series_index *index, struct sn_str labels, uint32_t hash,
                          uint32_t *ret_id);

/*
 * Add a series that is not there yet. The bytes are checked like foreign ones.
 *
 * Returns SN_OK, SN_ERR_LIMIT (count_max, per_metric_max, or the memory limits of symbols), SN_ERR_CORRUPT (no
 * canonical label set), SN_ERR_NO_MEMORY. On failure there is no new series.
 */
sn_status sn_series_index_add(struct sn_series_index *index, struct sn_str labels, uint32_t hash,
                              uint32_t *ret_id, struct sn_err *err) SN_MUST_USE;

/* A place for a series that is not there any more, so that the ids behind it stay what they are.
 * Statuses of sn_series_index_add. */
sn_status sn_series_index_add_removed(struct sn_series_index *index, uint32_t *ret_id,
                                      struct sn_err *err) SN_MUST_USE;

/* Remove a series: nothing finds it any more. Removed already is fine. SN_ERR_NO_MEMORY. */
sn_status sn_series_index_remove(struct sn_series_index *index, uint32_t id) SN_MUST_USE;
bool sn_series_index_is_removed(const struct sn_series_index *index, uint32_t id);

/* Series that are there. */
static inline uint32_t sn_series_index_live_count(const struct sn_series_index *index) {
    return index->count - index->removed_count;
}

/* Labels of a series: array in the arena, text in the index. Without the lock. SN_ERR_NO_MEMORY,
 * SN_ERR_LIMIT. */
sn_status sn_series_index_labels(const struct sn_series_index *index, uint32_t id,
                                 struct sn_arena *arena, struct sn_labels *ret_labels) SN_MUST_USE;

/* Append the canonical bytes of a series (sticky status of buf). Without the lock. */
void sn_series_index_encode(const struct sn_series_index *index, uint32_t id, struct sn_buf *buf);

/* Order of sn_labels_compare. Without the lock. */
int sn_series_index_compare(const struct sn_series_index *index, uint32_t a, uint32_t b);

/* Order of two pairs: name, then value. Without the lock. */
int sn_series_index_compare_pairs(const struct sn_series_index *index, uint32_t a, uint32_t b);

/* Pair that holds the metric name of a series, or UINT32_MAX. Without the lock. */
uint32_t sn_series_index_metric_pair(const struct sn_series_index *index, uint32_t id);

/* Order of segments: metric name first, then as above. Without the lock. */
int sn_series_index_compare_metric(const struct sn_series_index *index, uint32_t a, uint32_t b);

static inline const struct sn_series_entry *sn_series_index_entry(
    const struct sn_series_index *index, uint32_t id) {
    return sn_blocks_at(&index->series, id);
}

/* Pair ids of a series, [entry->pair_count]. Without the lock. */
static inline const uint32_t *sn_series_index_pairs(const struct sn_series_index *index,
                                                    const struct sn_series_entry *entry) {
    return sn_blocks_at(&index->pair_ids, entry->pairs);
}

#endif
