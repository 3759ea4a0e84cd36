/*
 * Backfill: data of any age straight into segments, past head and log. Samples are collected in memory,
 * sorted, and written as segments of whole days; the last writing wins as everywhere.
 *
 * One thread per object; several objects at a time are fine. Nothing is stored before a commit.
 */
#ifndef SN_STORE_BACKFILL_H
#define SN_STORE_BACKFILL_H

#include "model/batch.h"
#include "model/doors.h"
#include "store/store.h"

/* Samples that one commit may have, and what each takes while they are sorted. */
#define SN_BACKFILL_SAMPLES_MAX ((size_t)4 << 20)
#define SN_BACKFILL_SAMPLE_BYTES 40
/* What buckets of its histograms may take beside that: at least all that one batch can have. */
#define SN_BACKFILL_HISTOGRAM_BYTES_MAX ((size_t)320 << 20)
/* A segment takes whole days until it has so many samples. */
#define SN_BACKFILL_SEGMENT_SAMPLES ((size_t)256 << 10)

struct sn_backfill;

/* SN_ERR_NO_MEMORY. The store must outlive it. */
sn_status sn_backfill_new(struct sn_store *store, struct sn_backfill **ret_backfill,
                          struct sn_err *err) SN_MUST_USE;
/* What was not committed is forgotten. NULL is fine; returns NULL. */
struct sn_backfill *sn_backfill_free(struct sn_backfill *backfill);

/*
 * Collect the samples and histograms of a batch; histograms are valid. Of one series and time the last one
 * counts, and within a batch histograms are later than samples.
 *
 *   ret_result  what was taken and what was refused: before the retention, too far in the future,
 *               series beyond the limit, labels beyond theirs; exemplars are SN_REJECT_UNSUPPORTED
 *
 * SN_ERR_LIMIT (there would be more than SN_BACKFILL_SAMPLES_MAX, or SN_BACKFILL_HISTOGRAM_BYTES_MAX: commit
 * first), SN_ERR_INVALID,
 * SN_ERR_NO_MEMORY; then nothing was taken.
 */
sn_status sn_backfill_add(struct sn_backfill *backfill, const struct sn_batch *batch,
                          struct sn_push_result *ret_result, struct sn_err *err) SN_MUST_USE;

/* Samples that wait for a commit. Buckets of histograms count as one for each SN_BACKFILL_SAMPLE_BYTES. */
size_t sn_backfill_count(const struct sn_backfill *backfill);

/*
 * Write what was collected; it is durable and visible afterwards, and the object is empty. Blocks on
 * disk. On failure some days may have been stored; what was collected stays, and may be committed again.
 * SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_NO_MEMORY.
 */
sn_status sn_backfill_commit(struct sn_backfill *backfill, struct sn_err *err) SN_MUST_USE;

#endif
