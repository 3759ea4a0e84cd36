/*
 * Histogram chunks: up to 512 native histograms of one series as bytes. docs/FORMATS.md, "Histogram
 * block".
 *
 *   block = runs of histograms that have the same layout (schema, spans, bounds, thresholds, hint):
 *           varint histograms in the run, layout, then per number of a histogram a block of values
 *           (codec/chunk.h): count, zero count, sum, positive counts, negative counts
 *
 * Lossless bit for bit. Columns instead of rows: buckets of one series grow at a steady pace, which
 * the value codec knows how to say in a few bits. Pure functions.
 */
#ifndef SN_STORE_HISTOGRAM_CHUNK_H
#define SN_STORE_HISTOGRAM_CHUNK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "codec/chunk.h"
#include "model/histogram.h"

/* What one histogram takes at most: 2,048 buckets of 11 bytes, as many spans of 10, bounds of 8. */
#define SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX 65536

/* Append a block of 1..SN_CHUNK_SAMPLES_MAX valid histograms to out (its sticky status). */
void sn_histogram_chunk_encode(const struct sn_histogram *items, size_t count, struct sn_buf *out);

/*
 * Decode a block from bytes that nobody has to trust.
 *
 *   bytes      [len] exactly the block
 *   count      histograms in it
 *   arena      gets the arrays
 *   ret_items  [count]; valid histograms; contents undefined after a failure
 *
 * SN_ERR_CORRUPT, SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena). Any thread.
 */
sn_status sn_histogram_chunk_decode(struct sn_str bytes, size_t count, struct sn_arena *arena,
                                    struct sn_histogram *ret_items) SN_MUST_USE;

#endif
