/*
 * Slabs: each thread's cells (see sonde/cells.h), the numbering of chunks, and reading over all
 * threads.
 *
 * Invariants:
 *   1. Only a slab's owner writes its cells and its table; everybody may read both.
 *   2. Slabs are never freed. A slab whose thread ended is taken over with all its values, so their
 *      number is the largest number of threads that ever recorded at the same time.
 *   3. Chunk 0 belongs to no registry: handles that record nothing point there, and so do threads
 *      that got no memory. Nobody reads it.
 *   4. A chunk number belongs to one registry. When that is freed, nobody records in it any more,
 *      so its memory can be taken away from every slab.
 *
 *     attach: FREE or new --> OWNED --(thread ends, or fork made us lose it)--> FREE
 */
#ifndef SN_CLIENT_SLAB_PRIV_H
#define SN_CLIENT_SLAB_PRIV_H

#include "client/lost_priv.h"
#include "sonde/cells.h"

#include <stdbool.h>

#define SN_CHUNK_CELLS 512u /* 4 KiB: one page */
#define SN_CHUNK_MAX 16384u /* 64 MiB of cells per thread; the table takes 128 KiB of addresses */

struct sn_shared;

/* The chunks of one registry, filled from the front. Guarded by the registration lock. */
struct sn_cell_space {
    struct sn_lost *lost;     /* whose loss it is when a thread gets no memory for a chunk */
    struct sn_shared *shared; /* the file in which the cells lie; NULL: on the heap */
    uint32_t last_chunk;      /* 0: none yet; the earlier ones hang on it, newest first */
    uint32_t used;            /* cells of last_chunk */
};

/*
 * Take `count` (1 to SN_CHUNK_CELLS) neighbouring cells, zero in every slab.
 *
 * Returns false when all SN_CHUNK_MAX chunks are taken. Threads: with the registration lock.
 */
bool sn_cell_space_take(struct sn_cell_space *space, uint32_t count, sonde_ref *ret_ref);

/* Give all chunks back; nobody records there now or later. With the registration lock. */
void sn_cell_space_release(struct sn_cell_space *space);

/*
 * The cells of ref that all threads share (gauges); made on first use, NULL without memory.
 * With the registration lock.
 */
uint64_t *sn_shared_cells(const sonde_ref *ref);

/*
 * Take the cells at `file_ref` of space->shared: their chunk gets a number in this process when it has
 * none. False: all numbers are taken. With the registration lock.
 */
bool sn_cell_space_bind(struct sn_cell_space *space, sonde_ref file_ref, sonde_ref *ret_ref);

/* Where cells lie in the file of their registry. With the registration lock. */
sonde_ref sn_cell_file_ref(sonde_ref ref);

/*
 * Walk over the cells of ref, thread by thread: of all slabs, or of all pages of a shared file. Always
 * in the same order, newest first.
 *
 *     struct sn_cell_walk walk = {0};
 *     for (const uint64_t *cells; (cells = sn_cells_next(ref, &walk)) != NULL;)
 *
 * Any thread.
 */
struct sn_slab;
struct sn_cell_walk {
    const struct sn_slab *slab;
    uint64_t at;
    bool is_begun;
};
const uint64_t *sn_cells_next(const sonde_ref *ref, struct sn_cell_walk *walk);

/* One cell added up over all slabs, as integers or as doubles. Any thread, O(slabs). */
uint64_t sn_cells_sum(const sonde_ref *ref, size_t index);
double sn_cells_sum_double(const sonde_ref *ref, size_t index);

/* As sn_cells_sum, of `count` neighbouring cells from `first` on. */
void sn_cells_sum_many(const sonde_ref *ref, size_t first, size_t count, uint64_t *ret_sums);

static inline uint64_t sn_cell_load(const uint64_t *cell) {
    return __atomic_load_n(cell, __ATOMIC_RELAXED);
}

static inline double sn_double_of(uint64_t bits) {
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint64_t sn_bits_of(double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/* Number of slabs ever made: for tests. */
size_t sn_slab_count(void);

/*
 * Hook of the registration lock around fork: taken before, given back on both sides. Set once,
 * before the first slab or registry exists.
 */
void sn_slab_init(void);

#endif
