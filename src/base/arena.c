/*
 * Arena allocation out of doubling blocks.
 *
 *   arena.head -> [newest block | used ... next -> left] -> [older block] -> ... -> NULL
 *
 * A request that would waste most of a block gets a block of its own, which is filed second, so
 * that the newest block goes on serving small requests. Free bytes are poisoned under ASan: a
 * write past an allocation is found although the arena never tells the heap about it.
 */
#include "base/arena.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/sanitizers.h"

#include <stdio.h>

#define ALIGNMENT ((size_t)16)
#define BLOCK_BYTES_MAX ((size_t)1 << 20)
#define ITEMS_FIRST ((size_t)16) /* of an array that grows */

struct sn_arena_block {
    struct sn_arena_block *older;
    size_t size; /* of the whole block, this header included */
};

_Static_assert(sizeof(struct sn_arena_block) % ALIGNMENT == 0, "data after the header is aligned");

#if SN_HAS_ASAN
#include <sanitizer/asan_interface.h>
#define POISON(ptr, size) __asan_poison_memory_region((ptr), (size))
#define UNPOISON(ptr, size) __asan_unpoison_memory_region((ptr), (size))
#else
#define POISON(ptr, size) ((void)(ptr), (void)(size))
#define UNPOISON(ptr, size) ((void)(ptr), (void)(size))
#endif

static unsigned char *block_data(struct sn_arena_block *block) {
    return (unsigned char *)(block + 1);
}

static size_t block_data_size(const struct sn_arena_block *block) {
    return block->size - sizeof(*block);
}

static void block_free(struct sn_arena_block *block) {
    UNPOISON(block_data(block), block_data_size(block));
    sn_free(block);
}

void sn_arena_init(struct sn_arena *arena, size_t limit) {
    *arena = (struct sn_arena){.limit = limit ? limit : SN_ARENA_LIMIT_DEFAULT};
}

/* Free all blocks but `kept`, which may be NULL. */
static void free_blocks(struct sn_arena *arena, const struct sn_arena_block *kept) {
    struct sn_arena_block *block = arena->head;
    while (block != NULL) {
        struct sn_arena_block *older = block->older;
        if (block != kept)
            block_free(block);
        block = older;
    }
}

void sn_arena_release(struct sn_arena *arena) {
    free_blocks(arena, NULL);
    *arena = (struct sn_arena){.limit = arena->limit};
}

/* Serve small requests from this block, all of which is free. */
static void open_block(struct sn_arena *arena, struct sn_arena_block *block) {
    arena->head = block;
    arena->next = block_data(block);
    arena->left = block_data_size(block);
    POISON(arena->next, arena->left);
}

void sn_arena_reset(struct sn_arena *arena) {
    struct sn_arena_block *largest = arena->head;
    for (struct sn_arena_block *block = arena->head; block != NULL; block = block->older) {
        if (block->size > largest->size)
            largest = block;
    }
    if (largest == NULL)
        return;
    free_blocks(arena, largest);
    largest->older = NULL;
    arena->used = largest->size;
    open_block(arena, largest);
}

/* Bytes that a request really takes: at least one, rounded up. 0: no object can be that large. */
static size_t rounded(size_t size) {
    if (size > PTRDIFF_MAX - sizeof(struct sn_arena_block) - ALIGNMENT)
        return 0;
    return ((size ? size : 1) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
}

static bool fits_limit(const struct sn_arena *arena, size_t block_size) {
    return arena->used <= arena->limit && block_size <= arena->limit - arena->used;
}

static struct sn_arena_block *block_new(struct sn_arena *arena, size_t size) {
    struct sn_arena_block *block = sn_alloc(size);
    if (block == NULL)
        return NULL;
    block->size = size;
    block->older = NULL;
    arena->used += size;
    return block;
}

/* Size of the next shared block: as large as all so far, between the first size and 1 MiB. */
static size_t next_block_size(const struct sn_arena *arena) {
    size_t size = arena->used;
    if (size < SN_ARENA_BLOCK_BYTES)
        size = SN_ARENA_BLOCK_BYTES;
    if (size > BLOCK_BYTES_MAX)
        size = BLOCK_BYTES_MAX;
    size_t room = arena->limit - arena->used;
    return size < room ? size : room;
}

static void *alloc_own_block(struct sn_arena *arena, size_t block_size) {
    struct sn_arena_block *block = block_new(arena, block_size);
    if (block == NULL)
        return NULL;
    if (arena->head == NULL) {
        open_block(arena, block);
        UNPOISON(arena->next, arena->left);
        arena->left = 0;
    } else {
        block->older = arena->head->older;
        arena->head->older = block;
    }
    return block_data(block);
}

static void *take(struct sn_arena *arena, size_t size) {
    unsigned char *ptr = arena->next;
    UNPOISON(ptr, size);
    arena->next += size;
    arena->left -= size;
    return ptr;
}

static void *alloc_slow(struct sn_arena *arena, size_t size) {
    size_t own_size = sizeof(struct sn_arena_block) + size;
    if (!fits_limit(arena, own_size))
        return NULL;
    size_t shared_size = next_block_size(arena);
    if (own_size > shared_size / 4)
        return alloc_own_block(arena, own_size);
    struct sn_arena_block *block = block_new(arena, shared_size);
    if (block == NULL)
        return NULL;
    block->older = arena->head;
    open_block(arena, block);
    return take(arena, size);
}

void *sn_arena_alloc(struct sn_arena *arena, size_t size) {
    size_t bytes = rounded(size);
    if (bytes == 0)
        return NULL;
    return bytes <= arena->left ? take(arena, bytes) : alloc_slow(arena, bytes);
}

void *sn_arena_alloc_zero(struct sn_arena *arena, size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *ptr = sn_arena_alloc(arena, bytes);
    return ptr ? memset(ptr, 0, bytes) : NULL;
}

bool sn_arena_copy(struct sn_arena *arena, struct sn_str s, struct sn_str *ret_copy) {
    *ret_copy = (struct sn_str){NULL, 0};
    char *ptr = sn_arena_alloc(arena, s.len);
    if (ptr == NULL)
        return false;
    if (s.len > 0)
        memcpy(ptr, s.ptr, s.len);
    *ret_copy = sn_str_make(ptr, s.len);
    return true;
}

char *sn_arena_printf(struct sn_arena *arena, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    char *text = len < 0 ? NULL : sn_arena_alloc(arena, (size_t)len + 1);
    if (text == NULL)
        return NULL;
    va_start(args, format);
    len = vsnprintf(text, (size_t)len + 1, format, args);
    va_end(args);
    return len < 0 ? NULL : text;
}

sn_status sn_arena_grow(struct sn_arena *arena, void *items_at, size_t count, size_t *capacity,
                        size_t size, struct sn_err *err) {
    if (count < *capacity)
        return SN_OK;
    void *old;
    size_t more = *capacity == 0 ? ITEMS_FIRST : *capacity * 2;
    void *items = sn_arena_alloc_zero(arena, more, size);
    if (items == NULL)
        return sn_arena_failure(arena, more * size, err);
    memcpy(&old, items_at, sizeof old); /* a pointer of another type: copied, not cast */
    if (count > 0)
        memcpy(items, old, count * size);
    memcpy(items_at, &items, sizeof items);
    *capacity = more;
    return SN_OK;
}

sn_status sn_arena_failure(const struct sn_arena *arena, size_t size, struct sn_err *err) {
    size_t bytes = rounded(size);
    if (bytes == 0 || !fits_limit(arena, sizeof(struct sn_arena_block) + bytes))
        return sn_err_set(err, SN_ERR_LIMIT,
                          "%zu more bytes of memory needed, %zu are held, the limit is %zu", size,
                          arena->used, arena->limit);
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu bytes", size);
}
