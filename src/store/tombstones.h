/*
 * Deleted samples that segments still hold: which series, which times, up to which writing. Readers leave
 * them out, merges drop them. Immutable and counted: a set of segments carries the list that belongs to
 * it, so a reader sees both as they were at one moment.
 *
 * Two kinds: those of delete_series are stored (table `tombstone`); those of retention rules are made
 * again from time to time, and are never stored.
 */
#ifndef SN_STORE_TOMBSTONES_H
#define SN_STORE_TOMBSTONES_H

#include "base/status.h"
#include "model/histogram.h"
#include "model/rollup.h"
#include "model/sample.h"
#include "store/bitmap.h"

#include <stdatomic.h>

/* Rows that are looked at by every read of a series: a binary search. 32 MB of them. */
#define SN_TOMBSTONES_MAX ((size_t)1000000)

struct sn_tombstone {
    uint64_t rank_max; /* what was written later is not deleted; UINT64_MAX: of a rule */
    int64_t start_ms;  /* both ends are deleted */
    int64_t end_ms;
    uint32_t series;
    bool is_rule;
};

struct sn_tombstones {
    atomic_uint refs;
    size_t count;
    struct sn_tombstone items[]; /* ascending by series */
};

struct sn_tombstones *sn_tombstones_ref(struct sn_tombstones *tombstones); /* NULL is fine */
void sn_tombstones_unref(struct sn_tombstones *tombstones);                /* NULL is fine */

/*
 * A new list: those of `old` (NULL: none) whose is_rule differs from `without_rules` being asked for, and
 * `more`.
 *
 *   drops_rules   leave out those of rules
 *   drops_stored  leave out the others
 *
 * NULL: no memory, or more than SN_TOMBSTONES_MAX.
 */
struct sn_tombstones *sn_tombstones_with(const struct sn_tombstones *old, bool drops_rules,
                                         bool drops_stored, const struct sn_tombstone *more,
                                         size_t more_count);

/* Take deleted samples out of [base, count), which are of one series and one segment. */
void sn_tombstones_clip(const struct sn_tombstones *tombstones, uint32_t series, uint64_t rank,
                        struct sn_samples *samples, size_t base);
void sn_tombstones_clip_histograms(const struct sn_tombstones *tombstones, uint32_t series,
                                   uint64_t rank, struct sn_histograms *histograms, size_t base);

/* Whether something of the series is deleted in the range. */
bool sn_tombstones_touch(const struct sn_tombstones *tombstones, uint32_t series, uint64_t rank,
                         struct sn_range range);

/* Take rollups out of [base, count) of which anything is deleted; `rank`: of the file's own number. Of a
 * rule's range it has to be all, since rules move on. */
void sn_tombstones_clip_rollups(const struct sn_tombstones *tombstones, uint32_t series,
                                uint64_t rank, struct sn_rollups *rollups, size_t base);

/* How many series of a segment have a deleted piece. `series` NULL: unknown, all may. */
size_t sn_tombstones_hit_count(const struct sn_tombstones *tombstones,
                               const struct sn_bitmap *series, uint64_t rank,
                               struct sn_range range);

#endif
