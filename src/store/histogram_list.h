/*
 * Histograms of one epoch of the head: entries in order of arrival, chained per series, each with a
 * block of its own (histogram_chunk.h). Seldom more than a few dozen per series and epoch.
 *
 * Threads: guarded by the owner's lock; once the epoch is frozen nothing changes any more, and it may
 * be read without the lock.
 */
#ifndef SN_STORE_HISTOGRAM_LIST_H
#define SN_STORE_HISTOGRAM_LIST_H

#include "base/buf.h"
#include "base/status.h"
#include "model/histogram.h"
#include "model/sample.h"
#include "store/blocks.h"

struct sn_histogram_entry {
    int64_t time_ms;
    int64_t start_ms;
    uint32_t series;
    uint32_t previous; /* index + 1 of the one before it of the same series; 0: none */
    uint32_t at;       /* of its block in the bytes, in units of 8 */
    uint32_t len;
};

struct sn_histogram_list {
    struct sn_histogram_entry *entries; /* [capacity], owned */
    size_t count;
    size_t capacity;
    struct sn_blocks bytes; /* units of 8 bytes; a block does not cross their bounds */
    uint32_t bytes_next;
    struct sn_blocks last; /* uint32_t per series: index + 1 of its newest entry */
};

void sn_histogram_list_init(struct sn_histogram_list *list);
void sn_histogram_list_release(struct sn_histogram_list *list);

/* Add one; its block is copied. SN_ERR_NO_MEMORY, SN_ERR_LIMIT (32 GiB); then nothing has changed. */
sn_status sn_histogram_list_add(struct sn_histogram_list *list, uint32_t series,
                                const struct sn_histogram_entry *entry,
                                struct sn_str block) SN_MUST_USE;

/* Histograms of one series, copied out. Reused between calls. One thread. */
struct sn_histogram_copy {
    struct sn_buf bytes;
    struct sn_histogram_entry *entries; /* [capacity], owned; `at` is the offset in bytes */
    size_t count;
    size_t capacity;
};
void sn_histogram_copy_init(struct sn_histogram_copy *copy);
void sn_histogram_copy_release(struct sn_histogram_copy *copy);

/* Replace the copy by what the list has of a series, newest arrival first. SN_ERR_NO_MEMORY. */
sn_status sn_histogram_list_copy(const struct sn_histogram_list *list, uint32_t series,
                                 struct sn_histogram_copy *copy) SN_MUST_USE;

/* Append the histograms of a copy within the range, in order of arrival. SN_ERR_NO_MEMORY,
 * SN_ERR_LIMIT, SN_ERR_CORRUPT (damaged memory). */
sn_status sn_histogram_copy_decode(const struct sn_histogram_copy *copy, struct sn_range range,
                                   struct sn_histograms *histograms) SN_MUST_USE;

/*
 * Sort [base, count) by time; of equal times the one that stood last stays. O(n) when they ascend
 * already. SN_ERR_NO_MEMORY.
 */
sn_status sn_histograms_sort_latest(struct sn_histograms *histograms, size_t base) SN_MUST_USE;

#endif
