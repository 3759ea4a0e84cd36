/* An array that grows without moving: see blocks.h. */
#include "store/blocks.h"

#include "base/check.h"
#include "base/mem.h"

void sn_blocks_init(struct sn_blocks *blocks, size_t item_size, unsigned shift, size_t table_size) {
    *blocks = (struct sn_blocks){.item_size = item_size, .shift = shift, .table_size = table_size};
}

void sn_blocks_reset(struct sn_blocks *blocks) {
    for (size_t i = 0; i < blocks->block_count; i++) {
        if (!sn_blocks_is_dropped(blocks, i))
            sn_free(blocks->table[i]);
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
        unsigned char *block = sn_alloc_zero((size_t)1 << blocks->shift, blocks->item_size);
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
        blocks->zeros = sn_alloc_zero((size_t)1 << blocks->shift, blocks->item_size);
    if (!blocks->zeros)
        return;
    sn_free(blocks->table[block]);
    blocks->table[block] = blocks->zeros;
}
