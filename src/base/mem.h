/*
 * The memory seam: all heap memory of Sonde goes through these functions, so that tests can make
 * the n-th allocation fail and so that the process knows what it holds.
 *
 * Invariants:
 *   1. Memory from here is released with sn_free only.
 *   2. A failed allocation returns NULL and changes nothing; the caller turns it into
 *      SN_ERR_NO_MEMORY. No function here aborts.
 *   3. Sizes that overflow size_t fail like an exhausted heap.
 */
#ifndef SN_BASE_MEM_H
#define SN_BASE_MEM_H

#include "base/sanitizers.h"

#include <stddef.h>
#include <stdint.h>

#define SN_ALLOC_ATTRIBUTES __attribute__((__malloc__, __warn_unused_result__))

/* Allocate size bytes (at least 1), aligned for any type, contents undefined. NULL: no memory. */
void *sn_alloc(size_t size) SN_ALLOC_ATTRIBUTES;

/* Allocate count * size zeroed bytes; NULL when out of memory or when the product overflows. */
void *sn_alloc_zero(size_t count, size_t size) SN_ALLOC_ATTRIBUTES;

/* Allocate zeroed memory aligned to `alignment`, a power of two (64 for a cache line). */
void *sn_alloc_aligned(size_t alignment, size_t size) SN_ALLOC_ATTRIBUTES;

#define SN_HUGE_PAGE_BYTES ((size_t)2 << 20)

/* Under AddressSanitizer it is of the heap: what only a mapping points to would count as lost. */
#define SN_HUGE_IS_MAPPED (!SN_HAS_ASAN)

/*
 * Allocate zeroed memory for what is large and read here and there: it asks for huge pages, so that
 * nearly every access finds its address (with pages of 4 KiB and 150 MB, half the accesses walk the
 * page tables). The kernel may have none; then it is memory as any other.
 *
 *   size  a multiple of SN_HUGE_PAGE_BYTES; where there are huge pages all of it is resident at once
 *
 * Returns memory aligned to SN_HUGE_PAGE_BYTES, NULL: none. Release with sn_free_huge and the size.
 */
void *sn_alloc_huge(size_t size) SN_ALLOC_ATTRIBUTES;
void sn_free_huge(void *ptr, size_t size);

/*
 * Resize an array to count * size bytes, keeping its contents. `old` may be NULL. On failure NULL
 * is returned and `old` stays valid and owned by the caller. Not for sn_alloc_aligned memory.
 */
void *sn_realloc_array(void *old, size_t count, size_t size) __attribute__((warn_unused_result));

/* Copy len bytes and add a NUL. */
char *sn_strndup(const char *text, size_t len) SN_ALLOC_ATTRIBUTES;
char *sn_strdup(const char *text) SN_ALLOC_ATTRIBUTES;

/* Release memory from any function above but sn_alloc_huge. NULL is fine. */
void sn_free(void *ptr);

/* For `SN_CLEANUP(sn_free_ptr) char *p`: takes the address of the pointer. */
void sn_free_ptr(void *ptr_to_ptr);

/*
 * Allocations minus frees since start, in blocks. Any thread, relaxed. Builds with SN_FAULTS only,
 * always 0 in release: a counter shared by all threads costs as much as the allocation.
 */
int64_t sn_mem_block_count(void);

/*
 * Fault injection, builds with SN_FAULTS only (in release they do nothing).
 * sn_mem_fail_nth(n): the n-th allocation of the calling thread from now (1 = the next) fails,
 * once; 0 disarms. sn_mem_fail_from(n): the n-th and all later ones fail until disarmed with 0.
 * sn_mem_fail_fired() tells whether an armed failure has happened; a test loops n = 1, 2, ...
 * until an operation ends without it.
 */
void sn_mem_fail_nth(uint64_t n);
void sn_mem_fail_from(uint64_t n);
int sn_mem_fail_fired(void);

/* Run `function(&variable)` when the variable leaves scope. */
#define SN_CLEANUP(function) __attribute__((cleanup(function)))

/* Move ownership out of a variable: yields its value and leaves NULL behind. */
#define SN_TAKE(p)                                                                                 \
    __extension__({                                                                                \
        __typeof__(p) sn_taken_ = (p);                                                             \
        (p) = NULL;                                                                                \
        sn_taken_;                                                                                 \
    })

#endif
