/* Pieces of memory for open chunks: see chunk_arena.h. */
#include "store/chunk_arena.h"

#include "base/check.h"

enum { UNIT_BYTES = 16, BLOCK_SHIFT = 17, BLOCKS_MAX = 1 << 15 };

void sn_chunk_arena_init(struct sn_chunk_arena *arena) {
    *arena = (struct sn_chunk_arena){.next = 1};
    sn_blocks_init(&arena->blocks, UNIT_BYTES, BLOCK_SHIFT, BLOCKS_MAX);
}

void sn_chunk_arena_release(struct sn_chunk_arena *arena) {
    sn_blocks_release(&arena->blocks);
}

sn_status sn_chunk_arena_take(struct sn_chunk_arena *arena, size_t bytes, uint32_t *ret_ref) {
    uint64_t units = (bytes + UNIT_BYTES - 1) / UNIT_BYTES;
    uint64_t block_units = UINT64_C(1) << BLOCK_SHIFT;
    uint64_t at = arena->next;
    assert(units > 0 && units <= block_units);
    if (at % block_units + units > block_units)
        at = (at / block_units + 1) * block_units;
    if (at + units > UINT32_MAX)
        return SN_ERR_LIMIT;
    SN_TRY(sn_blocks_reach(&arena->blocks, at));
    arena->next = (uint32_t)(at + units);
    *ret_ref = (uint32_t)at;
    return SN_OK;
}
