/*
 * An array that grows without moving: items live in blocks of a fixed size, so a pointer to an item
 * stays valid until release, and a reader that knows an index may look at it while a writer appends.
 *
 * Memory: a block comes zeroed when its first item is asked for, from the heap, or, if it is whole
 * huge pages long and not the first, in huge pages; the table of blocks is allocated once at its full
 * size (its untouched pages cost nothing).
 * Threads: one writer at a time (its lock). Readers may use items whose index they learned through
 * the writer's lock; items themselves are guarded by whoever owns them.
 */
#ifndef SN_STORE_BLOCKS_H
#define SN_STORE_BLOCKS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sn_blocks {
    unsigned char **table; /* [table_size], owned; NULL until the first block */
    size_t table_size;     /* most blocks there may ever be */
    size_t block_count;    /* blocks that exist */
    unsigned char *zeros; /* owned: what stands for all blocks that were dropped; NULL: none were */
    size_t item_size;     /* bytes */
    unsigned shift;       /* log2 of the items in a block */
};

/* Prepare an empty array of at most table_size << shift items. Allocates nothing. */
void sn_blocks_init(struct sn_blocks *blocks, size_t item_size, unsigned shift, size_t table_size);
void sn_blocks_release(struct sn_blocks *blocks);

/* Free all blocks but keep the table, so that the array is empty and zeroed again. */
void sn_blocks_reset(struct sn_blocks *blocks);

/* Make items 0..index usable. SN_ERR_NO_MEMORY, SN_ERR_LIMIT; then nothing has changed. */
sn_status sn_blocks_reach(struct sn_blocks *blocks, size_t index) SN_MUST_USE;

/* Free one block that exists and whose items nobody will write again: they read as zeros. Without memory
 * for zeros it stays. */
void sn_blocks_drop(struct sn_blocks *blocks, size_t block);
/* Whether it was dropped. */
static inline bool sn_blocks_is_dropped(const struct sn_blocks *blocks, size_t block) {
    return blocks->zeros && blocks->table[block] == blocks->zeros;
}

/* The item; index must have been reached. O(1). */
static inline void *sn_blocks_at(const struct sn_blocks *blocks, size_t index) {
    size_t mask = ((size_t)1 << blocks->shift) - 1;
    return blocks->table[index >> blocks->shift] + (index & mask) * blocks->item_size;
}

/* Bytes of all blocks, dropped ones included. */
static inline size_t sn_blocks_bytes(const struct sn_blocks *blocks) {
    return blocks->block_count * (blocks->item_size << blocks->shift);
}

#endif
