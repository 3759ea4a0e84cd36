/*
 * Arena: many small allocations that die together (one request, one query, one batch).
 *
 * Invariants: total bytes taken from the heap never exceed `limit`; pointers stay valid until
 * reset or release; memory is not zeroed unless the function says so. One thread.
 */
#ifndef SN_BASE_ARENA_H
#define SN_BASE_ARENA_H

#include "base/status.h"
#include "base/str.h"

struct sn_arena_block;

struct sn_arena {
    struct sn_arena_block *head; /* newest block first; owned */
    unsigned char *next;         /* first free byte of the newest block */
    size_t left;                 /* free bytes in the newest block */
    size_t used;                 /* bytes of all blocks, counted against limit */
    size_t limit;
};

/* Empty arena of at most `limit` bytes (0: SN_ARENA_LIMIT_DEFAULT). Allocates nothing yet. */
void sn_arena_init(struct sn_arena *arena, size_t limit);
void sn_arena_release(struct sn_arena *arena);

/* Forget all contents; keeps the largest block for reuse. */
void sn_arena_reset(struct sn_arena *arena);

/*
 * size bytes aligned to 16, contents undefined; size 0 gives a valid pointer. NULL: no memory or
 * limit. sn_arena_failure turns that NULL into the right status and sentence.
 */
void *sn_arena_alloc(struct sn_arena *arena, size_t size) __attribute__((warn_unused_result));
void *sn_arena_alloc_zero(struct sn_arena *arena, size_t count, size_t size)
    __attribute__((warn_unused_result));

/* Copy of s inside the arena. ptr NULL with len > 0 never happens: failure gives {NULL, 0} and false. */
bool sn_arena_copy(struct sn_arena *arena, struct sn_str s, struct sn_str *ret_copy)
    __attribute__((warn_unused_result));

/* printf into the arena, NUL-terminated; NULL on failure. No floating point: locale. */
char *sn_arena_printf(struct sn_arena *arena, const char *format, ...) SN_PRINTF(2, 3);

/*
 * Room for one more item of `size` bytes in an array that grows in the arena. While count is below
 * *capacity nothing happens; else the array is copied into one twice as long, whose rest is zero.
 *
 *   items_at  address of the pointer to the items, whatever their type; NULL items: none yet
 *
 * SN_ERR_LIMIT and SN_ERR_NO_MEMORY as sn_arena_failure says it; pointer and capacity stay then.
 */
sn_status sn_arena_grow(struct sn_arena *arena, void *items_at, size_t count, size_t *capacity,
                        size_t size, struct sn_err *err) SN_MUST_USE;

/* SN_ERR_LIMIT when `size` more bytes would pass the limit, else SN_ERR_NO_MEMORY; with sentence. */
sn_status sn_arena_failure(const struct sn_arena *arena, size_t size, struct sn_err *err);

#endif
