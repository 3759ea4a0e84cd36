/*
 * Open chunks: samples of one series as byte tokens, appended one at a time, in memory only.
 *
 * The state is 40 bytes per series and holds no pointer: the owner keeps the token bytes where it
 * likes, gives their address to each append, and moves them when they run out of room. The tokens
 * are lossless bit for bit for any time and any value; regular times and values that are short
 * decimals or change little take 0.8 to 1.3 bytes per sample.
 *
 * Threads: one writer. An append also rewrites the last byte before `len` (a run that grows), so
 * readers copy count, len and the bytes under the lock that guards the appends, then decode the
 * copy without it. Blocks: never. No allocation, no system call.
 */
#ifndef SN_CODEC_HEAD_CHUNK_H
#define SN_CODEC_HEAD_CHUNK_H

#include "base/status.h"

#include <stddef.h>
#include <stdint.h>

/* Room that an append needs after `len`: the longest token is 20 bytes, stores are 8 wide. */
#define SN_HEAD_TOKEN_BYTES_MAX 24

/* Samples per open chunk, so that `len` (at most 20 bytes per sample) fits into 16 bits. */
#define SN_HEAD_CHUNK_SAMPLES_MAX 3072

/*
 * State of one open chunk. Zeroed is empty. The codec's fields are read-only for others; count
 * and len say what a decoder needs.
 */
struct sn_head_chunk {
    int64_t time_last;        /* time of the newest sample */
    uint64_t value_bits_last; /* value of the newest sample */
    int64_t integer_last;     /* newest value that was written as an integer */
    int32_t time_delta_last;  /* distance of the two newest times; 0 when it has over 32 bits */
    uint32_t owner_ref;       /* free for the owner: where the bytes are. Never touched here. */
    uint16_t count;           /* samples */
    uint16_t len;             /* bytes */
    uint8_t run;              /* samples in the last token when it is a run, else 0 */
    uint8_t mode;             /* decimal exponent (low 4 bits), failures to be decimal (high 4) */
    uint8_t owner_class;      /* free for the owner: size class, epoch, ... Never touched here. */
    uint8_t owner_epoch;
};
_Static_assert(sizeof(struct sn_head_chunk) == 40, "one per series, a million of them");

/* Make the chunk empty; the owner's fields stay as they are. */
static inline void sn_head_chunk_clear(struct sn_head_chunk *head) {
    head->count = 0;
    head->len = 0;
}

/*
 * Append one sample.
 *
 *   head    count < SN_HEAD_CHUNK_SAMPLES_MAX (asserted)
 *   bytes   the chunk's bytes from their beginning: head->len in use and at least
 *           SN_HEAD_TOKEN_BYTES_MAX more writable
 *   time    any; ascending is smallest
 *   value   any bits
 *
 * Adds 1 to count and 0 to 20 to len. Cost: 4 to 14 ns.
 */
static inline void sn_head_chunk_append(struct sn_head_chunk *head, uint8_t *bytes, int64_t time,
                                        double value);

/*
 * The same for an owner whose bytes do not stand in one piece.
 *
 *   at  where the next byte goes, SN_HEAD_TOKEN_BYTES_MAX writable; when there are samples, at[-1] is the
 *       last byte of the chunk, which may be changed
 */
void sn_head_chunk_append_at(struct sn_head_chunk *head, uint8_t *at, int64_t time, double value);

static inline void sn_head_chunk_append(struct sn_head_chunk *head, uint8_t *bytes, int64_t time,
                                        double value) {
    sn_head_chunk_append_at(head, bytes + head->len, time, value);
}

/*
 * Decode a whole open chunk.
 *
 *   bytes        [len] as head->len says; nothing outside is read
 *   count        samples, as head->count says; 0 is fine
 *   ret_times    [count]; contents undefined after a failure
 *   ret_values   [count]; contents undefined after a failure
 *
 * Returns SN_OK, SN_ERR_CORRUPT (the tokens are malformed or do not give exactly count samples in
 * exactly len bytes: memory was damaged, or count and len were read without the lock).
 * Cost: 1 to 5 ns per sample. Threads: any.
 */
sn_status sn_head_chunk_decode(const uint8_t *bytes, size_t len, size_t count, int64_t *ret_times,
                               double *ret_values) SN_MUST_USE;

/* Time of the first sample of a chunk that is not empty. SN_ERR_CORRUPT. Cost: 2 ns. */
sn_status sn_head_chunk_first_time(const uint8_t *bytes, size_t len, int64_t *ret_time) SN_MUST_USE;

#endif
