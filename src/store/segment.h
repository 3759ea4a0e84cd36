/*
 * Open segments: reading a series out of a file, and the set of all of them.
 *
 * Invariants:
 *   1. A segment is immutable; the set is replaced as a whole. Both are counted, so that a reader
 *      keeps what it started with while retention drops it.
 *   2. A segment whose file is missing or fails its checks stays in the set as damaged: a read that
 *      needs it fails with SN_ERR_CORRUPT instead of leaving samples out silently.
 * Threads: any.
 */
#ifndef SN_STORE_SEGMENT_H
#define SN_STORE_SEGMENT_H

#include "base/lock.h"
#include "base/status.h"
#include "model/rollup.h"
#include "model/sample.h"
#include "store/pack_cache.h"
#include "store/segment_format.h"
#include "store/series_index.h"
#include "store/tombstones.h"

#include <stdatomic.h>

struct sn_segment {
    atomic_uint refs;
    int fd; /* -1 when damaged */
    uint64_t id;
    uint64_t rank; /* order of writing: at equal times the higher one wins */
    uint64_t bytes;
    struct sn_segment_footer footer;
    struct sn_segment_entry *entries; /* [footer.pack_count], owned */
    struct sn_bitmap *series;         /* it has samples of these; NULL: unknown, owned */
    bool has_histograms;              /* any of the packs */
    struct sn_err damage;             /* status SN_OK: good */
    atomic_uint merge_failure_count;  /* compactions that could not read it */
};

struct sn_rollup_files;

/* What the catalogue says about a segment. */
struct sn_segment_row {
    uint64_t id;
    uint64_t rank; /* of a flushed segment its id, of a merged one the highest of its inputs */
    uint64_t bytes;
    uint64_t series_count;
    uint64_t sample_count;
    int64_t time_min;
    int64_t time_max;
};

/*
 * Open the file of a row and check header, footer and directory against it. A file that is missing
 * or wrong gives a damaged segment, not a failure. SN_ERR_NO_MEMORY; SN_ERR_UNSUPPORTED (newer
 * format); SN_ERR_LIMIT (path too long); SN_ERR_IO when the system has no descriptor left.
 */
sn_status sn_segment_open(const char *dir, const struct sn_segment_row *row, uint32_t series_count,
                          struct sn_segment **ret_segment, struct sn_err *err) SN_MUST_USE;
void sn_segment_unref(struct sn_segment *segment);

/*
 * Append the float samples of one series within the range, ascending, one per time.
 * SN_ERR_CORRUPT (the sentence names the file), SN_ERR_IO, SN_ERR_NO_MEMORY.
 */
sn_status sn_segment_read(struct sn_segment *segment, const struct sn_series_index *index,
                          struct sn_pack_cache *cache, uint32_t series, struct sn_range range,
                          struct sn_samples *samples, struct sn_err *err) SN_MUST_USE;

/* The same for its histograms; also SN_ERR_LIMIT (the arena). Nothing is read when there are none. */
sn_status sn_segment_read_histograms(struct sn_segment *segment,
                                     const struct sn_series_index *index,
                                     struct sn_pack_cache *cache, uint32_t series,
                                     struct sn_range range, struct sn_histograms *histograms,
                                     struct sn_err *err) SN_MUST_USE;

/* Append the rollups of one series whose ends lie in the range; the segment has rollups. Statuses of
 * sn_segment_read. */
sn_status sn_segment_read_rollups(struct sn_segment *segment, const struct sn_series_index *index,
                                  struct sn_pack_cache *cache, uint32_t series,
                                  struct sn_range range, struct sn_rollups *rollups,
                                  struct sn_err *err) SN_MUST_USE;

/* Read, check and unpack one pack. SN_ERR_CORRUPT, SN_ERR_IO, SN_ERR_NO_MEMORY. */
sn_status sn_segment_load_pack(struct sn_segment *segment, uint32_t number,
                               struct sn_pack *ret_pack, struct sn_err *err) SN_MUST_USE;

/* The same through the cache, with a reference for the caller. */
sn_status sn_segment_get_pack(struct sn_segment *segment, struct sn_pack_cache *cache,
                              uint32_t number, struct sn_cached_pack **ret_pack,
                              struct sn_err *err) SN_MUST_USE;

/* First pack whose first series is not before `series`; the one before it may have it, too. */
size_t sn_segment_find_pack(const struct sn_segment *segment, const struct sn_series_index *index,
                            uint32_t series);

/* Put the name of the file before a sentence about it. */
void sn_segment_name_error(const struct sn_segment *segment, struct sn_err *err);

/* All segments, ascending by rank. */
struct sn_segment_set {
    atomic_uint refs;
    size_t count;
    struct sn_tombstones
        *tombstones; /* samples of these segments that are deleted; NULL: none; counted */
    struct sn_rollup_files *rollups; /* NULL: none; counted */
    struct sn_segment *items[];
};

struct sn_segments {
    struct sn_mutex mu;
    struct sn_segment_set *set; /* guarded by mu; never NULL after init */
};

sn_status sn_segments_init(struct sn_segments *segments) SN_MUST_USE;
void sn_segments_release(struct sn_segments *segments);

/* The current set with one more reference. */
struct sn_segment_set *sn_segments_ref(struct sn_segments *segments);
void sn_segment_set_unref(struct sn_segment_set *set);

/*
 * A change in two steps, so that nothing can fail once the catalogue has it: make the new set, commit
 * the catalogue, publish (or unref the new set). Those who change are serialised by the flush lock.
 * NULL: no memory. The set takes references of its own.
 */
struct sn_segment_set *sn_segments_with(const struct sn_segments *segments,
                                        struct sn_segment *segment);
/*
 *   is_dropped  [count of the current set] which ones to leave out
 *   instead     takes the place of the last one that is left out; NULL: nothing does
 */
struct sn_segment_set *sn_segments_without(const struct sn_segments *segments,
                                           const bool *is_dropped, struct sn_segment *instead);
/* Whether a set is still the newest one. */
bool sn_segments_are(struct sn_segments *segments, const struct sn_segment_set *set);
/* The same segments with other deleted samples. */
struct sn_segment_set *sn_segments_with_tombstones(const struct sn_segments *segments,
                                                   struct sn_tombstones *tombstones);
/* The same segments with other files of rollups. */
struct sn_segment_set *sn_segments_with_rollups(const struct sn_segments *segments,
                                                struct sn_rollup_files *rollups);
/* Give a set that nobody has seen yet other files of rollups. */
void sn_segment_set_use_rollups(struct sn_segment_set *set, struct sn_rollup_files *rollups);
void sn_segments_publish(struct sn_segments *segments, struct sn_segment_set *set);

#endif
