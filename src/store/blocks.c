/* An array that grows without moving: see blocks.h. */
#include "store/blocks.h"

#include "base/check.h"
#include "base/mem.h"

void sn_blocks_init(struct sn_blocks *blocks, size_t item_size, unsigned shift, size_t table_size) {
    *blocks = (struct sn_blocks){.item_size = item_size, .shift = shift, .table_size = table_size};
}

static size_t block_bytes(const struct sn_blocks *blocks) {
    return blocks->item_size << blocks->shift;
}

/* The first block is not: a small array shall not take a huge page. */
static bool is_huge(const struct sn_blocks *blocks, size_t block) {
    return block > 0 && block_bytes(blocks) % SN_HUGE_PAGE_BYTES == 0;
}

static void *block_new(const struct sn_blocks *blocks, size_t block) {
    size_t bytes = block_bytes(blocks);
    return is_huge(blocks, block) ? sn_alloc_huge(bytes) : sn_alloc_zero(1, bytes);
}

static void block_free(struct sn_blocks *blocks, size_t block) {
    if (is_huge(blocks, block))
        sn_free_huge(blocks->table[block], block_bytes(blocks));
    else
        sn_free(blocks->table[block]);
}

void sn_blocks_reset(struct sn_blocks *blocks) {
    for (size_t i = 0; i < blocks->block_count; i++) {
        if (!sn_blocks_is_dropped(blocks, i))
            block_free(blocks, i);
        blocks->table[i] = NULL;
    }
    blocks->block_count = 0;
    sn_free(blocks->zeros);
    blocks->zeros = NULL;
}

void sn_blocks_release(struct sn_blocks *blocks) {
    sn_blocks_reset(blocks);
    sn_free(blocks->table);
    blocks->table = NULL;
}

sn_status sn_blocks_reach(struct sn_blocks *blocks, size_t index) {
    size_t last = index >> blocks->shift;
    if (SN_LIKELY(last < blocks->block_count))
        return SN_OK;
    if (last >= blocks->table_size)
        return SN_ERR_LIMIT;
    if (!blocks->table) {
        blocks->table = sn_alloc_zero(blocks->table_size, sizeof *blocks->table);
        if (!blocks->table)
            return SN_ERR_NO_MEMORY;
    }
    while (blocks->block_count <= last) {
        unsigned char *block = block_new(blocks, blocks->block_count);
        if (!block)
            return SN_ERR_NO_MEMORY;
        blocks->table[blocks->block_count++] = block;
    }
    return SN_OK;
}

void sn_blocks_drop(struct sn_blocks *blocks, size_t block) {
    if (sn_blocks_is_dropped(blocks, block))
        return;
    if (!blocks->zeros) /* large: pages that nobody writes take no memory */
        blocks->zeros = sn_alloc_zero(1, block_bytes(blocks));
    if (!blocks->zeros)
        return;
    block_free(blocks, block);
    blocks->table[block] = blocks->zeros;
}
