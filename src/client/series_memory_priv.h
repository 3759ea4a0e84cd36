/*
 * Memory of series. It grows and never shrinks until the registry is freed, because readers and
 * lookups walk series without a lock.
 *
 *     registry: blocks of 2 MiB, each one huge page --> pieces of 64 KiB
 *     family:   pieces, the small first ones from the heap --> its series, one behind the other
 *
 * Families are read series by series, so theirs lie together. Once a registry is large its pieces come
 * from huge pages: a page of a million lines takes 12 % less time when every 4 KiB of series need no
 * address of their own. At most one block of a registry is not used up.
 */
#ifndef SN_CLIENT_SERIES_MEMORY_PRIV_H
#define SN_CLIENT_SERIES_MEMORY_PRIV_H

#include <stddef.h>

struct sn_family;
struct sn_piece;
struct sn_series_block;

/* Of a registry. */
struct sn_series_memory {
    struct sn_series_block *blocks; /* the newest first */
    size_t heap_bytes;              /* pieces that lie in no block */
};

/* `size` bytes aligned to 16 for a series of the family; NULL: no memory. With the registration lock. */
void *sn_series_alloc(struct sn_family *family, size_t size);

/* Release a family's pieces; what lies in blocks stays until those are released. */
void sn_pieces_release_all(struct sn_piece *pieces);

/* Release the blocks, after all families. */
void sn_series_memory_release(struct sn_series_memory *memory);

#endif
