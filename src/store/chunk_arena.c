/* Pieces of memory for open chunks: see chunk_arena.h. */
#include "store/chunk_arena.h"

#include "base/check.h"

#include <string.h>

enum { UNIT_BYTES = 16, BLOCK_SHIFT = 16, BLOCKS_MAX = 1 << 16 };

/* Steps of a third to a half: what a growing chunk leaves unused stays below 1/3. */
static const uint16_t class_bytes[SN_CHUNK_CLASS_COUNT] = {32,  48,  64,  96,   128,  192,  256,
                                                           384, 512, 768, 1024, 1536, 2048, 4096};

size_t sn_chunk_class_bytes(unsigned class) {
    return class_bytes[class];
}

void sn_chunk_arena_init(struct sn_chunk_arena *arena) {
    *arena = (struct sn_chunk_arena){.next = 1};
    sn_blocks_init(&arena->blocks, UNIT_BYTES, BLOCK_SHIFT, BLOCKS_MAX);
}

void sn_chunk_arena_release(struct sn_chunk_arena *arena) {
    sn_blocks_release(&arena->blocks);
}

void sn_chunk_arena_reset(struct sn_chunk_arena *arena) {
    sn_blocks_reset(&arena->blocks);
    memset(arena->unused, 0, sizeof arena->unused);
    arena->next = 1;
}

sn_status sn_chunk_arena_take(struct sn_chunk_arena *arena, unsigned class, uint32_t *ret_ref) {
    assert(class < SN_CHUNK_CLASS_COUNT);
    uint32_t ref = arena->unused[class];
    if (ref != 0) {
        memcpy(&arena->unused[class], sn_chunk_arena_bytes(arena, ref), sizeof ref);
        *ret_ref = ref;
        return SN_OK;
    }
    uint32_t units = class_bytes[class] / UNIT_BYTES;
    uint32_t block_units = UINT32_C(1) << BLOCK_SHIFT;
    uint64_t at = arena->next;
    if (at % block_units + units > block_units)
        at = (at / block_units + 1) * block_units;
    if (at + units > UINT32_MAX)
        return SN_ERR_LIMIT;
    SN_TRY(sn_blocks_reach(&arena->blocks, at));
    arena->next = (uint32_t)(at + units);
    *ret_ref = (uint32_t)at;
    return SN_OK;
}

void sn_chunk_arena_give_back(struct sn_chunk_arena *arena, unsigned class, uint32_t ref) {
    memcpy(sn_chunk_arena_bytes(arena, ref), &arena->unused[class], sizeof ref);
    arena->unused[class] = ref;
}
