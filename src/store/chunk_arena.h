/*
 * Memory for the token bytes of open chunks: pieces out of blocks of 2 MiB, huge pages. A piece is
 * named by a 32-bit number (its place in units of 16 bytes), so that the state of a series stays small;
 * all pieces die together when the epoch has been flushed.
 *
 * Threads: guarded by the owner's lock. Once an epoch is frozen nothing is taken any more, and its
 * bytes may be read without the lock.
 */
#ifndef SN_STORE_CHUNK_ARENA_H
#define SN_STORE_CHUNK_ARENA_H

#include "base/status.h"
#include "store/blocks.h"

#include <stdint.h>

struct sn_chunk_arena {
    struct sn_blocks blocks; /* units of 16 bytes */
    uint32_t next;           /* first unit never used; unit 0 is never given */
};

void sn_chunk_arena_init(struct sn_chunk_arena *arena);
void sn_chunk_arena_release(struct sn_chunk_arena *arena);

/* Take a piece, of 1 byte to a block. SN_ERR_NO_MEMORY, SN_ERR_LIMIT (64 GiB). */
sn_status sn_chunk_arena_take(struct sn_chunk_arena *arena, size_t bytes,
                              uint32_t *ret_ref) SN_MUST_USE;

static inline uint8_t *sn_chunk_arena_bytes(const struct sn_chunk_arena *arena, uint32_t ref) {
    return sn_blocks_at(&arena->blocks, ref);
}

#endif
