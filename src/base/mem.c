/*
 * The memory seam over the C library's heap.
 *
 * Builds with SN_FAULTS count blocks in one shared atomic and let a test make the n-th allocation
 * of its thread fail. Release builds do neither: a shared counter costs 5 ns per allocation, and
 * more when several cores allocate, which is as much as the allocation itself.
 *
 * Sizes above PTRDIFF_MAX are refused here and not by the heap, because sanitizers' heaps abort.
 * Any thread; the fault state is per thread, so that a test does not hit a neighbour's work.
 * This is the one file of base that calls malloc and free.
 */
#include "base/mem.h"

#include "base/check.h"
#include "base/os.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#ifdef SN_FAULTS

/* Fail allocations number `next` from now on, `is_lasting`: and all later ones. */
struct fail_plan {
    uint64_t next; /* 0: disarmed */
    bool is_lasting;
    bool has_fired;
};

static _Thread_local struct fail_plan plan;
static _Atomic int64_t block_count;

/* Count one attempt to allocate; true when the plan says that it must fail. */
static bool must_fail(void) {
    if (SN_LIKELY(plan.next == 0))
        return false;
    if (plan.next > 1) {
        plan.next--;
        return false;
    }
    plan.has_fired = true;
    if (!plan.is_lasting)
        plan.next = 0;
    return true;
}

static void *counted(void *ptr) {
    if (ptr != NULL)
        atomic_fetch_add_explicit(&block_count, 1, memory_order_relaxed);
    return ptr;
}

static void count_free(void) {
    atomic_fetch_sub_explicit(&block_count, 1, memory_order_relaxed);
}

static void arm(uint64_t n, bool is_lasting) {
    plan = (struct fail_plan){.next = n, .is_lasting = is_lasting};
}

void sn_mem_fail_nth(uint64_t n) {
    arm(n, false);
}

void sn_mem_fail_from(uint64_t n) {
    arm(n, true);
}

int sn_mem_fail_fired(void) {
    return plan.has_fired;
}

int64_t sn_mem_block_count(void) {
    return atomic_load_explicit(&block_count, memory_order_relaxed);
}

#else

static inline bool must_fail(void) {
    return false;
}

static inline void *counted(void *ptr) {
    return ptr;
}

static inline void count_free(void) {
}

void sn_mem_fail_nth(uint64_t n) {
    (void)n;
}

void sn_mem_fail_from(uint64_t n) {
    (void)n;
}

int sn_mem_fail_fired(void) {
    return 0;
}

int64_t sn_mem_block_count(void) {
    return 0;
}

#endif

/* At least one byte, so that NULL always means failure. False: more than any object may have. */
static bool usable_size(size_t size, size_t *ret_size) {
    if (SN_UNLIKELY(size > PTRDIFF_MAX) || must_fail())
        return false;
    *ret_size = size ? size : 1;
    return true;
}

static bool usable_product(size_t count, size_t size, size_t *ret_size) {
    size_t bytes;
    return !__builtin_mul_overflow(count, size, &bytes) && usable_size(bytes, ret_size);
}

void *sn_alloc(size_t size) {
    size_t bytes;
    return usable_size(size, &bytes) ? counted(malloc(bytes)) : NULL;
}

void *sn_alloc_zero(size_t count, size_t size) {
    size_t bytes;
    return usable_product(count, size, &bytes) ? counted(calloc(1, bytes)) : NULL;
}

void *sn_alloc_aligned(size_t alignment, size_t size) {
    assert(alignment != 0 && (alignment & (alignment - 1)) == 0);
    size_t bytes;
    void *ptr = NULL;
    if (alignment < sizeof(void *))
        alignment = sizeof(void *);
    if (!usable_size(size, &bytes) || posix_memalign(&ptr, alignment, bytes) != 0)
        return NULL;
    return counted(memset(ptr, 0, bytes));
}

#if SN_HUGE_IS_MAPPED

/* The aligned part of a mapping that is one huge page longer; the rest goes back. */
static void *map_aligned(size_t size) {
    char *mapped = sn_os_mmap(NULL, size + SN_HUGE_PAGE_BYTES, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED)
        return NULL;
    size_t behind = (uintptr_t)mapped % SN_HUGE_PAGE_BYTES;
    size_t before = SN_HUGE_PAGE_BYTES - behind;
    /* What cannot be given back is address space that nobody touches. */
    (void)sn_os_munmap(mapped, before);
    if (behind > 0)
        (void)sn_os_munmap(mapped + before + size, behind);
    return mapped + before;
}

void *sn_alloc_huge(size_t size) {
    assert(size > 0 && size % SN_HUGE_PAGE_BYTES == 0);
    size_t bytes;
    void *ptr = usable_size(size, &bytes) ? counted(map_aligned(bytes)) : NULL;
    if (ptr != NULL)
        (void)sn_os_madvise(ptr, size, MADV_HUGEPAGE); /* small pages do as well */
    return ptr;
}

void sn_free_huge(void *ptr, size_t size) {
    if (ptr == NULL)
        return;
    count_free();
    (void)sn_os_munmap(ptr, size);
}

#else

void *sn_alloc_huge(size_t size) {
    assert(size > 0 && size % SN_HUGE_PAGE_BYTES == 0);
    return sn_alloc_aligned(SN_HUGE_PAGE_BYTES, size);
}

void sn_free_huge(void *ptr, size_t size) {
    (void)size;
    sn_free(ptr);
}

#endif

void *sn_realloc_array(void *old, size_t count, size_t size) {
    size_t bytes;
    if (!usable_product(count, size, &bytes))
        return NULL;
    /* Moving a block is no new block. */
    return old ? realloc(old, bytes) : counted(malloc(bytes));
}

char *sn_strndup(const char *text, size_t len) {
    if (len == SIZE_MAX)
        return NULL;
    char *copy = sn_alloc(len + 1);
    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

char *sn_strdup(const char *text) {
    return sn_strndup(text, strlen(text));
}

void sn_free(void *ptr) {
    if (ptr != NULL)
        count_free();
    free(ptr);
}

void sn_free_ptr(void *ptr_to_ptr) {
    /* Read through memcpy: the variable has some other pointer type. */
    void *ptr;
    memcpy(&ptr, ptr_to_ptr, sizeof(ptr));
    sn_free(ptr);
}
