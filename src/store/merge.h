/*
 * Merging runs of samples of one series: what readers and flushes do with overlapping sources.
 * Pure functions on struct sn_samples; one thread.
 */
#ifndef SN_STORE_MERGE_H
#define SN_STORE_MERGE_H

#include "base/status.h"
#include "model/sample.h"

/* Sort by time; of equal times the one that stood last stays. Stable, O(n log n). */
sn_status sn_samples_sort_latest(struct sn_samples *samples) SN_MUST_USE;

/* Append the samples [first, first + count) of another list, all their columns. SN_ERR_NO_MEMORY. */
sn_status sn_samples_append_run(struct sn_samples *samples, const struct sn_samples *from,
                                size_t first, size_t count) SN_MUST_USE;

/*
 * `samples` holds [0, base) which is not ours, then an ascending run [base, middle), then a newer
 * ascending run [middle, count). Make one ascending run of the two; at equal times the newer one
 * wins. O(overlap). SN_ERR_NO_MEMORY: unchanged.
 */
sn_status sn_samples_merge_tail(struct sn_samples *samples, size_t base, size_t middle) SN_MUST_USE;

/* Drop the samples of the ascending run [base, count) that lie outside of the range. */
void sn_samples_clip_tail(struct sn_samples *samples, size_t base, struct sn_range range);

#endif
