/*
 * Labels of many series as one compressed block: what the catalogue keeps of them. A row per series costs
 * 150 bytes and 1.5 us; in blocks it is about 8 bytes, and a million series are written in half a second.
 *
 *   block = one zstd frame (with its checksum) of: per series u16le length, canonical label bytes
 *
 * Pure; one thread per buffer.
 */
#ifndef SN_STORE_SERIES_BLOCK_H
#define SN_STORE_SERIES_BLOCK_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* A block is closed when it has so much: more saves little, and a reader must hold it. */
#define SN_SERIES_BLOCK_BYTES ((size_t)256 << 10)

/* Append one series to the bytes of a block (sticky status). */
void sn_series_block_add(struct sn_buf *raw, struct sn_str labels);

/* Compress a block into `out`, which is emptied first. SN_ERR_NO_MEMORY. */
sn_status sn_series_block_pack(struct sn_str raw, struct sn_buf *out) SN_MUST_USE;

/* The bytes of a block, into `raw`, which is emptied first. SN_ERR_CORRUPT, SN_ERR_NO_MEMORY. */
sn_status sn_series_block_unpack(struct sn_str packed, struct sn_buf *raw,
                                 struct sn_err *err) SN_MUST_USE;

/* The next series of [*at, end); its labels are not checked further. False: malformed; *at stays. */
bool sn_series_block_next(const uint8_t **at, const uint8_t *end, struct sn_str *ret_labels);

#endif
