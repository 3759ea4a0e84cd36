/*
 * Open chunks in memory: the tokens of one chunk (codec/head_chunk.h) in a chain of pieces.
 *
 *   chunk:   [piece 0]  <-  [piece 1]  <-  [piece 2]      state.owner_ref: the newest piece
 *                |
 *                '-> newest piece of the chunk before it
 *
 * Pieces are full before the next one begins and are never moved, so that a growing chunk leaves no
 * holes behind: pieces that were given back would wait for other series, and all series grow alike. Their
 * sizes follow one schedule; where a token stands follows from its place in the stream of tokens alone.
 * All samples of a chunk have one start time; when it is known, every piece says it.
 *
 * Threads: guarded by the owner's lock. Of a frozen epoch nothing changes: it may be read without.
 */
#ifndef SN_STORE_OPEN_CHUNK_H
#define SN_STORE_OPEN_CHUNK_H

#include "base/buf.h"
#include "base/status.h"
#include "codec/head_chunk.h"
#include "store/chunk_arena.h"

#include <stdbool.h>
#include <stdint.h>

/* Bits of sn_head_chunk.owner_class that belong here; the owner may use the others. */
#define SN_OPEN_CHUNK_PIECE_MASK 0x0f
#define SN_OPEN_CHUNK_STARTED 0x40 /* the chunk has a start time */
#define SN_OPEN_CHUNK_PIECES_MAX 16

/* Samples of one chunk: a reader decodes whole chunks, and a question about the last minutes is the
 * most frequent one. Eight times as many save 5 % of the bytes and make that question ten times slower. */
#define SN_OPEN_CHUNK_SAMPLES_MAX 256

/* Which chunk: its newest piece, and what a decoder needs. count 0: none. */
struct sn_chunk_ref {
    uint32_t ref;
    uint16_t len;
    uint16_t count; /* and SN_CHUNK_REF_STARTED */
};
#define SN_CHUNK_REF_STARTED 0x8000
_Static_assert(SN_OPEN_CHUNK_SAMPLES_MAX < SN_CHUNK_REF_STARTED, "a count leaves the bit free");
_Static_assert(sizeof(struct sn_chunk_ref) == 8, "stands before the tokens");

/* Begin an empty chunk behind another (count 0: none). SN_ERR_NO_MEMORY, SN_ERR_LIMIT: unchanged. */
sn_status sn_open_chunk_start(struct sn_chunk_arena *arena, struct sn_head_chunk *state,
                              struct sn_chunk_ref previous, int64_t start_ms) SN_MUST_USE;

/* Whether the next sample wants another chunk. */
bool sn_open_chunk_is_full(const struct sn_head_chunk *state);

/* Append one sample; the chunk has begun and is not full. SN_ERR_NO_MEMORY, SN_ERR_LIMIT: unchanged; never
 * of the first sample. Cost: 5 to 20 ns. */
sn_status sn_open_chunk_append(struct sn_chunk_arena *arena, struct sn_head_chunk *state,
                               int64_t time_ms, double value) SN_MUST_USE;

/* Start time of the chunk, 0: unknown. */
int64_t sn_open_chunk_start_time(const struct sn_chunk_arena *arena,
                                 const struct sn_head_chunk *state);

/* Where the next token goes, about: to be fetched into the cache. */
const void *sn_open_chunk_tail(const struct sn_chunk_arena *arena,
                               const struct sn_head_chunk *state);

/* Bring the piece that stands `back` pieces before the newest one of a chunk into the cache, when there is
 * one; the pieces behind it are there already. */
void sn_open_chunk_prefetch(const struct sn_chunk_arena *arena, struct sn_chunk_ref chunk,
                            unsigned back);

/* The chunk as others refer to it. */
static inline struct sn_chunk_ref sn_open_chunk_ref(const struct sn_head_chunk *state) {
    bool is_started = (state->owner_class & SN_OPEN_CHUNK_STARTED) != 0;
    return (struct sn_chunk_ref){
        .ref = state->owner_ref,
        .len = state->len,
        .count = (uint16_t)(state->count | (is_started ? SN_CHUNK_REF_STARTED : 0))};
}

/*
 * Append the tokens of a chunk, chunk.len bytes, to buf.
 *
 *   ret_start_ms  of its samples; 0: unknown
 *   ret_previous  the chunk before it; count 0: none
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of buf).
 */
sn_status sn_open_chunk_copy(const struct sn_chunk_arena *arena, struct sn_chunk_ref chunk,
                             struct sn_buf *buf, int64_t *ret_start_ms,
                             struct sn_chunk_ref *ret_previous) SN_MUST_USE;

#endif
