/*
 * Reading many series out of one segment, one after the other: neighbours in the order of labels are
 * neighbours in the file, so that the pack, the place in it and the decoded times of the series before
 * are most often those of the next one as well.
 *
 * One thread per place. Any order of series is right; that of labels is fast.
 */
#ifndef SN_STORE_SEGMENT_SCAN_H
#define SN_STORE_SEGMENT_SCAN_H

#include "codec/chunk.h"
#include "store/segment.h"

/* Where the last read ended. Zeroed is "nowhere". */
struct sn_segment_place {
    struct sn_cached_pack *pack; /* counted; NULL: none */
    uint32_t number;             /* of the pack */
    uint32_t next;               /* the chunk behind the last one that was read */
    uint32_t time_block;         /* whose times are decoded, when has_times */
    bool has_times;
    int64_t times[SN_CHUNK_SAMPLES_MAX];
};

/* Let go of the pack. */
void sn_segment_place_release(struct sn_segment_place *place);

struct sn_segment_wish {
    const struct sn_series_index *index;
    struct sn_pack_cache *cache;
    uint32_t series;
    struct sn_range range;
};

/*
 * As sn_segment_read: append the samples of one series within the range.
 * SN_ERR_CORRUPT (the sentence names the file), SN_ERR_IO, SN_ERR_NO_MEMORY: nothing was appended.
 * Cost: about 1 ns per sample.
 */
sn_status sn_segment_scan(struct sn_segment *segment, struct sn_segment_place *place,
                          const struct sn_segment_wish *wish, struct sn_samples *samples,
                          struct sn_err *err) SN_MUST_USE;

#endif
