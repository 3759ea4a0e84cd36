/*
 * Rollups of one series as bytes: docs/FORMATS.md, "Rollup block". The ends of the buckets are the times
 * of the chunk and stand in its time block. Reading trusts nothing. Pure.
 */
#ifndef SN_STORE_ROLLUP_CHUNK_H
#define SN_STORE_ROLLUP_CHUNK_H

#include "base/buf.h"
#include "base/status.h"
#include "codec/chunk.h"
#include "model/rollup.h"

/* Nine columns, marks, and a byte of flags. */
#define SN_ROLLUP_CHUNK_BOUND(count) (9 * SN_CHUNK_BOUND(count) + (size_t)(count) / 4 + 3)

/* Append 1 to SN_CHUNK_SAMPLES_MAX rollups. A failure is in buf->status. */
void sn_rollup_chunk_encode(const struct sn_rollup *items, size_t count, struct sn_buf *out);

/*
 * Read a block, all of it.
 *
 *   end_ms     [count] ends of the buckets
 *   ret_items  [count]
 *
 * SN_ERR_CORRUPT.
 */
sn_status sn_rollup_chunk_decode(struct sn_str bytes, size_t count, const int64_t *end_ms,
                                 struct sn_rollup *ret_items) SN_MUST_USE;

#endif
