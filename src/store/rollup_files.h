/*
 * The files of rollups that belong to a set of segments: each covers a window of one tier. Immutable and
 * counted, as tombstones.h: a set of segments carries the list that belongs to it.
 *
 * A file was made of all samples that segments up to a rank had in its window, and of nothing else. So it
 * stands for them while no newer segment has samples there (is_fresh), and in any case once samples of the
 * window have been dropped for their age (raw_from_ms).
 */
#ifndef SN_STORE_ROLLUP_FILES_H
#define SN_STORE_ROLLUP_FILES_H

#include "base/status.h"
#include "model/rollup.h"
#include "store/segment.h"

#include <stdatomic.h>

struct sn_rollup_file {
    struct sn_segment *segment; /* counted; NULL: the window has no rollups */
    uint64_t id;                /* of the row; also of the file when there is one */
    uint64_t rank;              /* of the newest segment it was made of */
    int64_t width_ms;
    int64_t start_ms; /* it covers (start_ms, end_ms] */
    int64_t end_ms;
};

/* What the catalogue says about one. file.rank is that of sn_rollup_file, file.sample_count counts
 * rollups; file.bytes 0: there is no file. */
struct sn_rollup_row {
    struct sn_segment_row file;
    int64_t width_ms;
    int64_t start_ms;
    int64_t end_ms;
};

struct sn_rollup_files {
    atomic_uint refs;
    int64_t raw_from_ms; /* samples before this may be gone; INT64_MIN: none are */
    size_t count;
    struct sn_rollup_file items[]; /* ascending by width, then start */
};

struct sn_rollup_files *sn_rollup_files_ref(struct sn_rollup_files *files); /* NULL is fine */
void sn_rollup_files_unref(struct sn_rollup_files *files);                  /* NULL is fine */

struct sn_rollup_change {
    const bool *is_dropped;            /* [count of the old list]; NULL: none is */
    const struct sn_rollup_file *more; /* [more_count] ascending; the list takes references */
    size_t more_count;
    int64_t raw_from_ms; /* the later one of this and the old one counts */
};

/* A new list: those of `old` (NULL: none), changed. NULL: no memory. */
struct sn_rollup_files *sn_rollup_files_changed(const struct sn_rollup_files *old,
                                                const struct sn_rollup_change *change);

/* The file of a window, or NULL. */
const struct sn_rollup_file *sn_rollup_files_find(const struct sn_rollup_files *files,
                                                  int64_t width_ms, int64_t start_ms);

/* INT64_MIN for NULL. */
int64_t sn_rollup_files_raw_from(const struct sn_rollup_files *files);

/* Rank of the newest segment with samples in (start_ms, end_ms]; 0: there is none. */
uint64_t sn_rollup_rank_of(const struct sn_segment_set *set, int64_t start_ms, int64_t end_ms);

#endif
