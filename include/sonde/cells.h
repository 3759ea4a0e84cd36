/*
 * The part of the record path that is compiled into the host: where a handle's numbers lie for
 * the calling thread. Nothing here is for direct use; the structs are public only because inline
 * functions need them, and are fixed for the symbol version SONDE_0.
 *
 * Every thread owns a slab: a table of chunks, each 512 cells of 8 bytes. A handle says which
 * chunk and which cell. Only the owner writes its cells, with a relaxed load and store and no lock
 * prefix; a reader adds up the cells of all slabs and never writes. A slab outlives its
 * thread and is taken over by the next one, so nothing is lost at thread exit.
 *
 *     sonde_tls_chunks --> [ chunk 0 | chunk 1 | NULL | ... ]      one table per thread
 *                                        |
 *                          cells: [ 17 | 4 | 0 | ... 512 ]         +n by the owner
 *
 * Not for signal handlers: the first use of a chunk by a thread allocates it.
 */
#ifndef SONDE_CELLS_H
#define SONDE_CELLS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sonde/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* With SONDE_NO_INLINE (or a compiler without GNU extensions) every record is a library call. */
#if defined(__GNUC__) && !defined(SONDE_NO_INLINE)
#define SONDE_INLINE_RECORD 1
/* The compiler's own measure finds some of these too long; a call costs more than their work. */
#define SONDE_INLINE static inline __attribute__((always_inline))
#else
#define SONDE_INLINE_RECORD 0
#define SONDE_INLINE static inline
#endif

/* First member of every counter, gauge, histogram and operation. */
typedef struct sonde_ref {
    uint32_t chunk;
    uint32_t cell;
} sonde_ref;

/* How a value finds its bucket; built once per family. */
typedef struct sonde_buckets {
    double low;           /* the first bound */
    const uint8_t *table; /* [last - first + 1] bounds below each step; NULL: search instead */
    const double *bounds; /* [count + 1], the last is +Inf */
    int64_t first;        /* number of the step with the first bound */
    int64_t last;         /* ... with the double after the last bound */
    uint32_t shift;       /* a value's step is its bits >> shift */
    uint32_t count;
} sonde_buckets;

/*
 * Slow ways out of the inline functions.
 *
 * sonde_cells_attach: the calling thread's cells of a chunk, made when this is its first use;
 * when memory is short, cells that nobody reads, and the loss is counted. Never NULL.
 * sonde_bucket_search: index of the first bound >= value by counting, for bounds that no table
 * fits. Threads: any. Blocks: never.
 */
SONDE_API uint64_t *sonde_cells_attach(uint32_t chunk);
SONDE_API size_t sonde_bucket_search(const sonde_buckets *buckets, double value);

#if SONDE_INLINE_RECORD

/* Initial-exec: one load. Costs 8 bytes of static TLS, of which dlopen keeps a reserve. */
extern SONDE_API __thread uint64_t **sonde_tls_chunks __attribute__((tls_model("initial-exec")));

SONDE_INLINE uint64_t *sonde_cells(const void *handle) {
    const sonde_ref *ref = (const sonde_ref *)handle;
    uint64_t *chunk = __atomic_load_n(&sonde_tls_chunks[ref->chunk], __ATOMIC_RELAXED);
    if (__builtin_expect(chunk == NULL, 0))
        chunk = sonde_cells_attach(ref->chunk);
    return chunk + ref->cell;
}

/*
 * Add to a cell. The only writer is the calling thread, so load and store need not be one
 * operation; each of them must be whole, because others read. On x86-64 every aligned 8-byte access
 * is; it is written out there because compilers take atomic doubles through an integer register,
 * which triples the time from one addition to the next (4.5 ns instead of 1.6 for a histogram's sum).
 */
#if defined(__x86_64__)
SONDE_INLINE void sonde_cell_add(uint64_t *cell, uint64_t n) {
    __asm__ volatile("addq %1, %0" : "+m"(*cell) : "re"(n) : "cc");
}

SONDE_INLINE void sonde_cell_add_double(uint64_t *cell, double n) {
    __asm__ volatile("addsd %0, %1\n\tmovsd %1, %0" : "+m"(*cell), "+x"(n));
}

SONDE_INLINE void sonde_cell_set_double(uint64_t *cell, double value) {
    __asm__ volatile("movsd %1, %0" : "=m"(*cell) : "x"(value));
}
#else
SONDE_INLINE void sonde_cell_set_double(uint64_t *cell, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    __atomic_store_n(cell, bits, __ATOMIC_RELAXED);
}

SONDE_INLINE void sonde_cell_add(uint64_t *cell, uint64_t n) {
    __atomic_store_n(cell, __atomic_load_n(cell, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

SONDE_INLINE void sonde_cell_add_double(uint64_t *cell, double n) {
    uint64_t bits = __atomic_load_n(cell, __ATOMIC_RELAXED);
    double sum;
    memcpy(&sum, &bits, sizeof sum);
    sum += n;
    memcpy(&bits, &sum, sizeof bits);
    __atomic_store_n(cell, bits, __ATOMIC_RELAXED);
}
#endif

/* Index of the first bound >= value; `count` when there is none. Not for NaN. */
SONDE_INLINE size_t sonde_bucket_of(const sonde_buckets *buckets, double value) {
    if (__builtin_expect(buckets->table == NULL, 0))
        return sonde_bucket_search(buckets, value);
    /* Negative values have a sign bit in front, so their step is below the first one. */
    int64_t bits;
    memcpy(&bits, &value, sizeof bits);
    int64_t step = bits >> buckets->shift;
    step = step < buckets->first ? buckets->first : step;
    step = step > buckets->last ? buckets->last : step;
    size_t k = buckets->table[step - buckets->first];
    return k + (value > buckets->bounds[k] ? 1u : 0u);
}

#endif

/*
 * What a call site remembers (SONDE_COUNTER_AT and friends): its family, and the child of its last
 * label values. Zero-initialised, static. The library writes it.
 */
typedef struct sonde_site {
    uint64_t family_id;
    const void *child;
} sonde_site;

#ifdef __cplusplus
}
#endif
#endif
