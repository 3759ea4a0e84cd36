/*
 * Sealed chunks: columns of up to 512 times or values as few bytes, decoded at about a
 * nanosecond per sample. docs/FORMATS.md, "Chunk codec", says what every byte means.
 *
 * Both columns are lossless bit for bit: any int64_t, any double with its NaN payload, infinity,
 * minus zero, denormal. A block knows neither its length nor its count: the caller stores both
 * (the count is part of the index of a pack; blocks may stand back to back).
 *
 * Threads: any. Blocks: never. Cost: about 7 KiB of stack, no allocation, no system call.
 */
#ifndef SN_CODEC_CHUNK_H
#define SN_CODEC_CHUNK_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* More samples per chunk save little (headers are 3 bytes) and make a point read slower. */
#define SN_CHUNK_SAMPLES_MAX 512

/*
 * Bytes that an encoder may write for `count` samples of one column, slack included: the room
 * that `ret_bytes` needs. 4,176 at most. Usual results are 1/10 to 1/40 of it.
 */
#define SN_CHUNK_BOUND(count) ((size_t)(count)*8 + 80)

static inline size_t sn_chunk_bound(size_t count) {
    return SN_CHUNK_BOUND(count);
}

/*
 * Encode a column of times.
 *
 *   times       [count] any values in any order; regular and ascending ones are smallest
 *   count       1 .. SN_CHUNK_SAMPLES_MAX (asserted)
 *   ret_bytes   [sn_chunk_bound(count)]
 *
 * Returns how many bytes were written, at least 2; later bytes within the bound may have been
 * touched. Equal columns give equal bytes, so a writer may share blocks. Cost: 2 to 20 ns per
 * sample.
 */
size_t sn_chunk_encode_times(const int64_t *times, size_t count, uint8_t *ret_bytes);

/* As sn_chunk_encode_times, for values: any bits. Cost: 3 to 30 ns per sample. */
size_t sn_chunk_encode_values(const double *values, size_t count, uint8_t *ret_bytes);

/*
 * Decode a block of times from bytes that nobody has to trust.
 *
 *   bytes       [len] begins with the block; what follows the block is ignored. No byte outside
 *               is read. Eight bytes more than the block make it a little faster.
 *   count       samples in the block, as the encoder was told: 1 .. SN_CHUNK_SAMPLES_MAX, another
 *               number is SN_ERR_CORRUPT, because it too comes from storage
 *   ret_times   [count]; contents undefined after a failure
 *   ret_used    bytes of the block, 1 .. len; NULL when not needed
 *
 * Returns SN_OK, SN_ERR_CORRUPT (malformed, truncated, or a count out of range). A changed byte
 * may also decode to other samples: a checksum over the block is the caller's.
 * Cost: 0.5 to 1.5 ns per sample.
 */
sn_status sn_chunk_decode_times(const uint8_t *bytes, size_t len, size_t count, int64_t *ret_times,
                                size_t *ret_used) SN_MUST_USE;

/* As sn_chunk_decode_times, for values. */
sn_status sn_chunk_decode_values(const uint8_t *bytes, size_t len, size_t count, double *ret_values,
                                 size_t *ret_used) SN_MUST_USE;

#endif
