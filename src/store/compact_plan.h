/*
 * Which segments to merge next. Pure: from sizes and time ranges to a choice.
 *
 * Time is cut into aligned windows of two levels, two hours and a day; a segment belongs to the
 * window of its newest sample. Segments of one window are merged when the window has passed, or
 * before that when there are many of them. No level is stored: what is merged is one segment, and
 * one segment is nothing to merge.
 *
 * Invariants of a choice:
 *   1. Readers let the later writing win, and the merged segment takes the place of the newest of
 *      its inputs. So between two inputs there is no segment left out whose times overlap those of
 *      an input before it.
 *   2. The largest input is at most SN_COMPACT_SHARE times as large as the others together: a byte
 *      is rewritten a few times, however many small segments come late.
 */
#ifndef SN_STORE_COMPACT_PLAN_H
#define SN_STORE_COMPACT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Inputs hold one unpacked pack each, about 200 KiB: at most 13 MiB at one time. */
#define SN_COMPACT_INPUTS_MAX 64
/* Old and new files exist side by side until the change is committed: no more than this is needed in
 * free space, and at the pace of flushes it is written in two minutes. */
#define SN_COMPACT_BYTES_MAX ((uint64_t)4 << 30)
/* Times are stored once per pack. Sixteen chunks of one series still leave a pack room for some
 * fifteen series that share them; with more, merging makes the data larger. A day at 15 s has 5,760
 * samples per series, two hours at 1 s have 7,200. */
#define SN_COMPACT_SAMPLES_PER_SERIES_MAX 8192
/* Of an open window: segments there must be. Eight flushes of 64 MiB of log. */
#define SN_COMPACT_OPEN_COUNT_MIN 8
#define SN_COMPACT_SHARE 4
/* A long window is so many short ones. */
#define SN_COMPACT_LEVEL_FACTOR 12

/* One segment, as the planner sees it. */
struct sn_compact_candidate {
    uint64_t bytes;
    uint64_t series_count;
    uint64_t sample_count;
    int64_t time_min;
    int64_t time_max;
    bool is_usable; /* false: damaged, it is left alone and others must not pass it */
};

struct sn_compact_plan {
    size_t count; /* of inputs, at least 2 */
    size_t items[SN_COMPACT_INPUTS_MAX];
    uint64_t bytes; /* of all inputs */
};

/*
 * Choose the segments to merge next.
 *
 *   candidates  [count] all segments in the order in which readers merge them, oldest writing first
 *   window_ms   length of the short windows, at least 1
 *   now_ms      a window that ends at or before this has passed
 *   ret_plan    items ascend
 *
 * Returns false when there is nothing to do. Cost: O(count²) in the worst case.
 */
bool sn_compact_plan_next(const struct sn_compact_candidate *candidates, size_t count,
                          int64_t window_ms, int64_t now_ms, struct sn_compact_plan *ret_plan);

#endif
