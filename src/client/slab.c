/*
 * Slabs: per-thread cells. The contract and the invariants are in slab_priv.h.
 *
 * The record path comes here on a thread's first touch of a chunk only. There is no lock in it: a
 * new slab is pushed on a list that only grows, a free one is claimed with one compare-and-swap,
 * and a chunk is put into a table that only its owner writes. So recording is safe in a child
 * of fork, whatever the other threads were doing.
 *
 * Memory order: a chunk pointer and the list head are stored with release and loaded with acquire
 * by readers, which pairs the zeroed memory with its first use. Cells themselves are relaxed: a
 * stale read shows the value of a moment ago.
 */
#include "client/slab_priv.h"

#include "base/check.h"
#include "base/mem.h"
#include "client/lock_priv.h"
#include "client/registry_priv.h"
#include "client/shared_priv.h"
#include "client/shared_sync_priv.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#define INITIAL_EXEC __attribute__((tls_model("initial-exec")))

enum slab_state { SLAB_FREE, SLAB_OWNED };

struct sn_slab {
    uint64_t **chunks; /* [SN_CHUNK_MAX] */
    struct sn_slab *older;
    _Atomic int state;
};

/* Chunk numbers. Guarded by the registration lock, but for `lost`, `shared` and `file_chunk`,
 * which are fixed before a handle of the chunk exists. */
struct chunk_info {
    struct sn_lost *lost;
    struct sn_shared *shared; /* whose pages hold the cells; NULL: the heap */
    uint32_t file_chunk;      /* number of the chunk there */
    uint32_t previous;        /* of the same registry, or of the list of free numbers */
};

static struct chunk_info chunk_infos[SN_CHUNK_MAX];
static uint32_t free_chunk; /* list of numbers that were given back */
static uint32_t chunk_count = 1;

static uint64_t *no_chunks[SN_CHUNK_MAX]; /* the table of a thread without a slab: all NULL */
static uint64_t nowhere[SN_CHUNK_CELLS];  /* chunk 0 of everybody */
static uint64_t *shared_chunks[SN_CHUNK_MAX];

static _Atomic(struct sn_slab *) slabs;
static _Atomic uint64_t fork_count; /* forks between the first process and this one */
static pthread_key_t exit_key;
static bool has_exit_key;

__thread uint64_t **sonde_tls_chunks INITIAL_EXEC = no_chunks;
static __thread struct sn_slab *own_slab INITIAL_EXEC;

static void on_thread_exit(void *slab) {
    sonde_tls_chunks = no_chunks;
    own_slab = NULL;
    /* Release: whoever claims it sees every cell as this thread left it. */
    atomic_store_explicit(&((struct sn_slab *)slab)->state, SLAB_FREE, memory_order_release);
}

static void before_fork(void) SN_ACQUIRE(&sn_client_mu) SN_ACQUIRE(&sn_perf_mu) {
    sn_client_lock();
    sn_mutex_lock(&sn_perf_mu);
}

static void after_fork(void) SN_RELEASE(&sn_client_mu) SN_RELEASE(&sn_perf_mu) {
    sn_mutex_unlock(&sn_perf_mu);
    sn_client_unlock();
}

/* The pages of shared files are the parent's, whose threads go on with them. */
static void forget_pages(struct sn_slab *slab) {
    for (uint32_t chunk = 1; chunk < chunk_count; chunk++) {
        if (chunk_infos[chunk].shared != NULL)
            __atomic_store_n(&slab->chunks[chunk], (uint64_t *)NULL, __ATOMIC_RELAXED);
    }
}

/* Only the forking thread lives on: the slabs of all others wait for new owners. */
static void after_fork_child(void) SN_RELEASE(&sn_client_mu) SN_RELEASE(&sn_perf_mu) {
    for (struct sn_slab *slab = atomic_load(&slabs); slab != NULL; slab = slab->older) {
        if (slab != own_slab)
            atomic_store(&slab->state, SLAB_FREE);
        if (sn_shared_first() != NULL)
            forget_pages(slab);
    }
    atomic_fetch_add(&fork_count, 1);
    sn_registry_after_fork_child();
    sn_shared_after_fork_child();
    after_fork();
}

static void init_once(void) {
    /* Without the key slabs of ended threads are not used again; nothing is lost. */
    has_exit_key = pthread_key_create(&exit_key, on_thread_exit) == 0;
    /* Fails without memory only; then a child keeps the slabs of lost threads for nothing. */
    (void)pthread_atfork(before_fork, after_fork, after_fork_child);
}

void sn_slab_init(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_once);
}

static struct sn_slab *slab_claim(void) {
    for (struct sn_slab *slab = atomic_load_explicit(&slabs, memory_order_acquire); slab != NULL;
         slab = slab->older) {
        int expected = SLAB_FREE;
        /* Acquire pairs with on_thread_exit. */
        if (atomic_compare_exchange_strong_explicit(&slab->state, &expected, SLAB_OWNED,
                                                    memory_order_acquire, memory_order_relaxed))
            return slab;
    }
    return NULL;
}

static struct sn_slab *slab_new(void) {
    struct sn_slab *slab = sn_alloc_zero(1, sizeof *slab);
    if (slab == NULL)
        return NULL;
    /* From the heap, not mapped by hand, so that leak checkers see what hangs on it; the C library
     * maps an allocation of this size, and pages that are never touched cost nothing. */
    slab->chunks = sn_alloc_zero(SN_CHUNK_MAX, sizeof *slab->chunks);
    if (slab->chunks == NULL) {
        sn_free(slab);
        return NULL;
    }
    slab->chunks[0] = nowhere;
    atomic_init(&slab->state, SLAB_OWNED);
    slab->older = atomic_load_explicit(&slabs, memory_order_relaxed);
    /* Release: readers that find the slab see its fields. */
    while (!atomic_compare_exchange_weak_explicit(&slabs, &slab->older, slab, memory_order_release,
                                                  memory_order_relaxed))
        ;
    return slab;
}

static bool thread_attach(void) {
    sn_slab_init();
    struct sn_slab *slab = slab_claim();
    if (slab == NULL)
        slab = slab_new();
    if (slab == NULL)
        return false;
    /* If this fails, nobody tells us of the thread's end and its slab waits for ever: no loss. */
    if (has_exit_key)
        (void)pthread_setspecific(exit_key, slab);
    own_slab = slab;
    sonde_tls_chunks = slab->chunks;
    return true;
}

static uint64_t *chunk_new(const struct chunk_info *info) {
    if (info->shared != NULL)
        return sn_shared_attach(info->shared, info->file_chunk);
    return sn_alloc_aligned(64, SN_CHUNK_CELLS * sizeof(uint64_t));
}

uint64_t *sonde_cells_attach(uint32_t chunk) {
    if (chunk == 0)
        return nowhere;
    uint64_t *cells = NULL;
    if (own_slab != NULL || thread_attach()) {
        cells = __atomic_load_n(&own_slab->chunks[chunk], __ATOMIC_RELAXED);
        if (cells == NULL) /* not so when the slab had another owner before */
            cells = chunk_new(&chunk_infos[chunk]);
    }
    if (cells == NULL) {
        sn_lost_add(chunk_infos[chunk].lost, SONDE_LOST_NO_MEMORY);
        return nowhere;
    }
    /* Release pairs with slab_cells. */
    __atomic_store_n(&own_slab->chunks[chunk], cells, __ATOMIC_RELEASE);
    return cells;
}

bool sn_try_lock_take(struct sn_try_lock *lock) {
    uint64_t mine = atomic_load_explicit(&fork_count, memory_order_relaxed) + 1;
    uint64_t owner = 0;
    /* Acquire pairs with the release of the last owner. */
    if (atomic_compare_exchange_strong_explicit(&lock->owner, &owner, mine, memory_order_acquire,
                                                memory_order_relaxed))
        return true;
    /* Taken before a fork by a thread that this process does not have. */
    return owner != mine &&
           atomic_compare_exchange_strong_explicit(&lock->owner, &owner, mine, memory_order_acquire,
                                                   memory_order_relaxed);
}

void sn_try_lock_give(struct sn_try_lock *lock) {
    atomic_store_explicit(&lock->owner, 0, memory_order_release);
}

/* Chunk numbers. */

static uint32_t chunk_take(void) {
    uint32_t chunk = free_chunk;
    if (chunk != 0)
        free_chunk = chunk_infos[chunk].previous;
    else if (chunk_count < SN_CHUNK_MAX)
        chunk = chunk_count++;
    return chunk;
}

/* Give a number of this process to a chunk of the registry. */
static bool space_add(struct sn_cell_space *space, uint32_t file_chunk) {
    uint32_t chunk = chunk_take();
    if (chunk == 0)
        return false;
    chunk_infos[chunk] =
        (struct chunk_info){space->lost, space->shared, file_chunk, space->last_chunk};
    space->last_chunk = chunk;
    return true;
}

bool sn_cell_space_bind(struct sn_cell_space *space, sonde_ref file_ref, sonde_ref *ret_ref) {
    uint32_t *local = &space->shared->local_chunks[file_ref.chunk];
    if (*local == 0) {
        if (!space_add(space, file_ref.chunk))
            return false;
        *local = space->last_chunk;
    }
    *ret_ref = (sonde_ref){*local, file_ref.cell};
    return true;
}

sonde_ref sn_cell_file_ref(sonde_ref ref) {
    return (sonde_ref){chunk_infos[ref.chunk].file_chunk, ref.cell};
}

bool sn_cell_space_take(struct sn_cell_space *space, uint32_t count, sonde_ref *ret_ref) {
    assert(count > 0 && count <= SN_CHUNK_CELLS);
    if (space->shared != NULL) {
        sonde_ref file_ref;
        return sn_shared_take(space->shared, count, &file_ref) &&
               sn_cell_space_bind(space, file_ref, ret_ref);
    }
    if (space->last_chunk == 0 || SN_CHUNK_CELLS - space->used < count) {
        if (!space_add(space, 0))
            return false;
        space->used = 0;
    }
    *ret_ref = (sonde_ref){space->last_chunk, space->used};
    space->used += count;
    return true;
}

static void chunk_release(uint32_t chunk) {
    for (struct sn_slab *slab = atomic_load(&slabs); slab != NULL; slab = slab->older) {
        if (chunk_infos[chunk].shared == NULL)
            sn_free(__atomic_load_n(&slab->chunks[chunk], __ATOMIC_ACQUIRE));
        __atomic_store_n(&slab->chunks[chunk], (uint64_t *)NULL, __ATOMIC_RELEASE);
    }
    sn_free(shared_chunks[chunk]);
    shared_chunks[chunk] = NULL;
    chunk_infos[chunk] = (struct chunk_info){.previous = free_chunk};
    free_chunk = chunk;
}

void sn_cell_space_release(struct sn_cell_space *space) {
    while (space->last_chunk != 0) {
        uint32_t chunk = space->last_chunk;
        space->last_chunk = chunk_infos[chunk].previous;
        chunk_release(chunk);
    }
    space->used = 0;
}

uint64_t *sn_shared_cells(const sonde_ref *ref) {
    const struct chunk_info *info = &chunk_infos[ref->chunk];
    if (info->shared != NULL) {
        uint64_t *page = sn_shared_common(info->shared, info->file_chunk);
        return page != NULL ? page + ref->cell : NULL;
    }
    uint64_t **chunk = &shared_chunks[ref->chunk];
    if (*chunk == NULL)
        *chunk = sn_alloc_aligned(64, SN_CHUNK_CELLS * sizeof **chunk);
    return *chunk != NULL ? *chunk + ref->cell : NULL;
}

/* Reading. */

/* NULL when the slab's threads never touched them. */
static const uint64_t *slab_cells(const struct sn_slab *slab, const sonde_ref *ref) {
    const uint64_t *chunk = __atomic_load_n(&slab->chunks[ref->chunk], __ATOMIC_ACQUIRE);
    return chunk != NULL ? chunk + ref->cell : NULL;
}

static inline const uint64_t *walk_slabs(const sonde_ref *ref, struct sn_cell_walk *walk) {
    const struct sn_slab *slab =
        walk->is_begun ? walk->slab->older : atomic_load_explicit(&slabs, memory_order_acquire);
    walk->is_begun = true;
    for (; slab != NULL; slab = slab->older) {
        const uint64_t *cells = slab_cells(slab, ref);
        walk->slab = slab;
        if (cells != NULL)
            return cells;
    }
    return NULL;
}

static inline const uint64_t *walk(const sonde_ref *ref, struct sn_cell_walk *at) {
    const struct chunk_info *info = &chunk_infos[ref->chunk];
    if (ref->chunk == 0)
        return NULL;
    if (SN_LIKELY(info->shared == NULL))
        return walk_slabs(ref, at);
    const uint64_t *page = sn_shared_next_page(info->shared, info->file_chunk, 0, &at->at);
    return page != NULL ? page + ref->cell : NULL;
}

const uint64_t *sn_cells_next(const sonde_ref *ref, struct sn_cell_walk *at) {
    return walk(ref, at);
}

/* By far the most are on the heap: there without a walk. */
uint64_t sn_cells_sum(const sonde_ref *ref, size_t index) {
    uint64_t sum = 0;
    if (SN_LIKELY(chunk_infos[ref->chunk].shared == NULL && ref->chunk != 0)) {
        for (const struct sn_slab *slab = atomic_load_explicit(&slabs, memory_order_acquire);
             slab != NULL; slab = slab->older) {
            const uint64_t *cells = slab_cells(slab, ref);
            sum += cells != NULL ? sn_cell_load(&cells[index]) : 0;
        }
        return sum;
    }
    struct sn_cell_walk at = {0};
    for (const uint64_t *cells; (cells = walk(ref, &at)) != NULL;)
        sum += sn_cell_load(&cells[index]);
    return sum;
}

void sn_cells_sum_many(const sonde_ref *ref, size_t first, size_t count, uint64_t *ret_sums) {
    struct sn_cell_walk at = {0};
    memset(ret_sums, 0, count * sizeof *ret_sums);
    for (const uint64_t *cells; (cells = walk(ref, &at)) != NULL;) {
        for (size_t i = 0; i < count; i++)
            ret_sums[i] += sn_cell_load(&cells[first + i]);
    }
}

/* Newest slab first, always: rounding is then the same every time, and the sum of amounts that
 * only grow never shrinks. */
double sn_cells_sum_double(const sonde_ref *ref, size_t index) {
    double sum = 0;
    struct sn_cell_walk at = {0};
    for (const uint64_t *cells; (cells = walk(ref, &at)) != NULL;)
        sum += sn_double_of(sn_cell_load(&cells[index]));
    return sum;
}

size_t sn_slab_count(void) {
    size_t count = 0;
    for (const struct sn_slab *slab = atomic_load(&slabs); slab != NULL; slab = slab->older)
        count++;
    return count;
}
