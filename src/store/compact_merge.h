/*
 * Merging segments into one: series by series in metric order, chunk by chunk in time. One thread.
 *
 * Memory is bounded, however large the segments and however long a series: per input one unpacked
 * pack and one chunk, for the output what a chunk needs to be full.
 */
#ifndef SN_STORE_COMPACT_MERGE_H
#define SN_STORE_COMPACT_MERGE_H

#include "store/segment.h"
#include "store/segment_write.h"

/* Where merged samples go when it is not into a segment: all of a series, in order, in pieces. */
struct sn_compact_output {
    sn_status (*add)(void *ctx, uint32_t series, const struct sn_samples *samples,
                     struct sn_err *err);
    void *ctx;
};

struct sn_compact_merge {
    struct sn_segment *const
        *inputs; /* [input_count] borrowed; at equal times the later one wins */
    size_t input_count;
    const struct sn_tombstones *tombstones; /* samples to leave out; NULL: none; borrowed */
    const struct sn_series_index *index;    /* borrowed */
    uint32_t series_count;                  /* of the index; inputs that name others are damaged */
    struct sn_segment_writer *writer;       /* borrowed, open; finishing it is the caller's */
    const struct sn_compact_output *output; /* instead of a writer; histograms are left out */
    bool (*goes_on)(void *ctx);             /* asked now and then, may take its time; false: stop */
    void *ctx;
};

/*
 * Write all samples of the inputs.
 *
 *   ret_culprit  always written: the input that could not be read; input_count when the failure has
 *                another reason
 *
 * Returns SN_OK, SN_ERR_CLOSED (goes_on said stop), SN_ERR_CORRUPT (an input), SN_ERR_IO,
 * SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY. After a failure the writer is to be released.
 * Blocks: on disk, and in the pauses of the writer.
 */
sn_status sn_compact_merge(const struct sn_compact_merge *merge, size_t *ret_culprit,
                           struct sn_err *err) SN_MUST_USE;

#endif
