/*
 * Memory of series. See series_memory_priv.h.
 */
#include "client/series_memory_priv.h"

#include "base/mem.h"
#include "client/series_priv.h"

#define ALIGNMENT 16
#define PIECE_BYTES_MIN 1024
#define PIECE_BYTES_MAX ((size_t)64 << 10)
#define BLOCK_BYTES SN_HUGE_PAGE_BYTES
#define BLOCK_PIECES 32
/* Bytes of a registry on the heap from which on half a block is little. */
#define BLOCKS_FROM ((size_t)4 << 20)

struct sn_piece {
    struct sn_piece *older;
    size_t size; /* of bytes */
    size_t used;
    bool is_in_block;
    _Alignas(ALIGNMENT) char bytes[];
};

struct sn_series_block {
    struct sn_series_block *older;
    size_t used; /* pieces */
    _Alignas(ALIGNMENT) char bytes[];
};

#define BLOCK_PIECE_BYTES                                                                          \
    ((BLOCK_BYTES - sizeof(struct sn_series_block)) / BLOCK_PIECES / ALIGNMENT * ALIGNMENT)

/* A piece of a block; NULL: there is none. */
static struct sn_piece *take_from_block(struct sn_series_memory *memory) {
    struct sn_series_block *block = memory->blocks;
    if (block == NULL || block->used == BLOCK_PIECES) {
        block = sn_alloc_huge(BLOCK_BYTES);
        if (block == NULL)
            return NULL;
        block->older = memory->blocks;
        memory->blocks = block;
    }
    char *at = block->bytes + block->used++ * BLOCK_PIECE_BYTES;
    struct sn_piece *piece = (struct sn_piece *)(void *)at;
    piece->size = BLOCK_PIECE_BYTES - sizeof *piece;
    piece->is_in_block = true;
    return piece;
}

static struct sn_piece *take_from_heap(struct sn_series_memory *memory, size_t size) {
    struct sn_piece *piece = sn_alloc(sizeof *piece + size);
    if (piece == NULL)
        return NULL;
    *piece = (struct sn_piece){.size = size};
    memory->heap_bytes += size;
    return piece;
}

/* A family's next piece, with room for `size`. */
static struct sn_piece *next_piece(struct sn_family *family, size_t size) {
    struct sn_series_memory *memory = &family->registry->series_memory;
    size_t bytes = family->pieces != NULL ? family->pieces->size * 2 : PIECE_BYTES_MIN;
    if (bytes > PIECE_BYTES_MAX)
        bytes = PIECE_BYTES_MAX;
    struct sn_piece *piece = NULL;
    if (bytes == PIECE_BYTES_MAX && memory->heap_bytes >= BLOCKS_FROM &&
        size <= BLOCK_PIECE_BYTES - sizeof *piece)
        piece = take_from_block(memory);
    if (piece == NULL)
        piece = take_from_heap(memory, bytes > size ? bytes : size);
    return piece;
}

void *sn_series_alloc(struct sn_family *family, size_t size) {
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct sn_piece *piece = family->pieces;
    if (piece == NULL || piece->size - piece->used < size) {
        piece = next_piece(family, size);
        if (piece == NULL)
            return NULL;
        piece->older = family->pieces;
        family->pieces = piece;
    }
    void *at = piece->bytes + piece->used;
    piece->used += size;
    return at;
}

void sn_pieces_release_all(struct sn_piece *pieces) {
    while (pieces != NULL) {
        struct sn_piece *older = pieces->older;
        if (!pieces->is_in_block)
            sn_free(pieces);
        pieces = older;
    }
}

void sn_series_memory_release(struct sn_series_memory *memory) {
    while (memory->blocks != NULL) {
        struct sn_series_block *older = memory->blocks->older;
        sn_free_huge(memory->blocks, BLOCK_BYTES);
        memory->blocks = older;
    }
}
