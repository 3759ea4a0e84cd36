/*
 * Reading series ahead: see read_ahead.h.
 *
 *   1. Blocks are claimed in order; claimed - taken <= SN_READ_SLOTS, so that a slot is free again
 *      before its next block is claimed.
 *   2. A job is in the pool's list while it has a block that may be claimed, and is closed only when
 *      no helper holds one of its blocks.
 *   3. Samples of a slot are touched by who has claimed it, then by the thread of the job; the lock
 *      is held in between.
 */
#include "query/read_ahead.h"

#include "base/lock.h"
#include "base/mem.h"

#include <stdatomic.h>

/* Fields are guarded by mu. */
struct sn_read_pool {
    struct sn_mutex mu;
    struct sn_cond work; /* a job has a block to claim, or is_stopping */
    struct sn_cond done; /* a block is done */
    struct sn_read_job *first;
    struct sn_read_job *last;
    bool is_stopping;
};

struct slot {
    struct sn_scan scan; /* of whoever has claimed the slot; opened once */
    struct sn_samples samples[SN_READ_BLOCK_SERIES];
    size_t good_count; /* series that were read; the one behind failed unless that is all */
    sn_status status;
    struct sn_err err;
    bool is_done; /* guarded by the pool's mu */
};

struct sn_read_job {
    struct sn_read_pool *pool;
    const struct sn_reader *reader;
    struct sn_series_list list;
    struct sn_range range;
    size_t block_count;
    size_t next; /* series; of the job's thread */
    struct slot slots[SN_READ_SLOTS];
    atomic_bool is_closing;
    /* Guarded by the pool's mu. */
    size_t claimed; /* blocks */
    size_t taken;   /* blocks */
    size_t busy;    /* helpers */
    bool is_listed;
    struct sn_read_job *before;
    struct sn_read_job *behind;
};

/* ---- the list of jobs ---- */

static void unlist_locked(struct sn_read_job *job) {
    struct sn_read_pool *pool = job->pool;
    if (!job->is_listed) {
        return;
    }
    *(job->before != NULL ? &job->before->behind : &pool->first) = job->behind;
    *(job->behind != NULL ? &job->behind->before : &pool->last) = job->before;
    job->is_listed = false;
}

static bool can_claim(const struct sn_read_job *job) {
    return job->claimed < job->block_count && job->claimed - job->taken < SN_READ_SLOTS;
}

/* At the end of the list when there is something to claim. */
static void list_locked(struct sn_read_job *job) {
    struct sn_read_pool *pool = job->pool;
    unlist_locked(job);
    if (!can_claim(job)) {
        return;
    }
    job->before = pool->last;
    job->behind = NULL;
    *(pool->last != NULL ? &pool->last->behind : &pool->first) = job;
    pool->last = job;
    job->is_listed = true;
}

/* ---- blocks ---- */

static struct slot *slot_of(struct sn_read_job *job, size_t block) {
    return &job->slots[block % SN_READ_SLOTS];
}

static size_t series_in(const struct sn_read_job *job, size_t block) {
    size_t left = job->list.count - block * SN_READ_BLOCK_SERIES;
    return left < SN_READ_BLOCK_SERIES ? left : SN_READ_BLOCK_SERIES;
}

static size_t claim_locked(struct sn_read_job *job) {
    size_t block = job->claimed++;
    slot_of(job, block)->is_done = false;
    return block;
}

static sn_status read_series(struct sn_read_job *job, struct slot *slot, size_t block, size_t at) {
    struct sn_samples *samples = &slot->samples[at];
    uint64_t id = job->list.items[block * SN_READ_BLOCK_SERIES + at].id;
    if (slot->scan.reader == NULL) {
        SN_TRY(sn_scan_open(job->reader, job->range, &slot->scan, &slot->err));
    }
    sn_samples_reset(samples);
    return sn_scan_samples(&slot->scan, id, samples, &slot->err);
}

/* Without the lock. */
static void read_block(struct sn_read_job *job, size_t block) {
    struct slot *slot = slot_of(job, block);
    size_t count = series_in(job, block);
    slot->status = SN_OK;
    slot->good_count = 0;
    for (size_t i = 0; i < count && slot->status == SN_OK; i++) {
        if (atomic_load_explicit(&job->is_closing, memory_order_relaxed)) {
            return; /* nobody will look at it */
        }
        slot->status = read_series(job, slot, block, i);
        slot->good_count += slot->status == SN_OK;
    }
}

/* ---- helpers ---- */

static void help_locked(struct sn_read_pool *pool, struct sn_read_job *job) SN_REQUIRES(&pool->mu) {
    size_t block = claim_locked(job);
    list_locked(job);
    job->busy++;
    sn_mutex_unlock(&pool->mu);
    read_block(job, block);
    sn_mutex_lock(&pool->mu);
    slot_of(job, block)->is_done = true;
    job->busy--;
    sn_cond_broadcast(&pool->done);
}

static void run(void *ctx) {
    struct sn_read_pool *pool = ctx;
    sn_mutex_lock(&pool->mu);
    while (!pool->is_stopping) {
        if (pool->first == NULL) {
            sn_cond_wait(&pool->work, &pool->mu);
        } else {
            help_locked(pool, pool->first);
        }
    }
    sn_mutex_unlock(&pool->mu);
}

static void stop(void *ctx) {
    struct sn_read_pool *pool = ctx;
    sn_mutex_lock(&pool->mu);
    pool->is_stopping = true;
    sn_cond_broadcast(&pool->work);
    sn_mutex_unlock(&pool->mu);
}

struct sn_worker sn_read_pool_worker(struct sn_read_pool *pool) {
    return (struct sn_worker){"query-read", run, stop, pool};
}

struct sn_read_pool *sn_read_pool_new(void) {
    struct sn_read_pool *pool = sn_alloc_zero(1, sizeof *pool);
    if (pool != NULL) {
        sn_mutex_init(&pool->mu, SN_RANK_QUERY, "query readers");
        sn_cond_init(&pool->work);
        sn_cond_init(&pool->done);
    }
    return pool;
}

struct sn_read_pool *sn_read_pool_free(struct sn_read_pool *pool) {
    if (pool != NULL) {
        sn_cond_release(&pool->work);
        sn_cond_release(&pool->done);
        sn_mutex_release(&pool->mu);
        sn_free(pool);
    }
    return NULL;
}

/* ---- the thread of the job ---- */

sn_status sn_read_job_open(struct sn_read_pool *pool, const struct sn_reader *reader,
                           struct sn_series_list list, struct sn_range range,
                           struct sn_read_job **ret_job, struct sn_err *err) {
    struct sn_read_job *job = sn_alloc_zero(1, sizeof *job);
    if (job == NULL) {
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to read series ahead");
    }
    job->pool = pool;
    job->reader = reader;
    job->list = list;
    job->range = range;
    job->block_count = (list.count + SN_READ_BLOCK_SERIES - 1) / SN_READ_BLOCK_SERIES;
    atomic_init(&job->is_closing, false);
    for (size_t i = 0; i < SN_READ_SLOTS; i++) {
        for (size_t k = 0; k < SN_READ_BLOCK_SERIES; k++) {
            sn_samples_init(&job->slots[i].samples[k]);
        }
    }
    sn_mutex_lock(&pool->mu);
    list_locked(job);
    sn_cond_broadcast(&pool->work);
    sn_mutex_unlock(&pool->mu);
    *ret_job = job;
    return SN_OK;
}

/* Read the next block oneself, or wait for a helper when all that may be claimed is. */
static void work_or_wait_locked(struct sn_read_pool *pool, struct sn_read_job *job)
    SN_REQUIRES(&pool->mu) {
    if (!can_claim(job)) {
        sn_cond_wait(&pool->done, &pool->mu);
        return;
    }
    size_t block = claim_locked(job);
    if (!can_claim(job)) {
        unlist_locked(job);
    }
    sn_mutex_unlock(&pool->mu);
    read_block(job, block);
    sn_mutex_lock(&pool->mu);
    slot_of(job, block)->is_done = true;
}

static struct slot *wait_for_block(struct sn_read_job *job, size_t block) {
    struct sn_read_pool *pool = job->pool;
    sn_mutex_lock(&pool->mu);
    while (job->claimed <= block || !slot_of(job, block)->is_done) {
        work_or_wait_locked(pool, job);
    }
    sn_mutex_unlock(&pool->mu);
    return slot_of(job, block);
}

/* All series of a block are taken: its slot is free. */
static void give_block_back(struct sn_read_job *job) {
    struct sn_read_pool *pool = job->pool;
    sn_mutex_lock(&pool->mu);
    job->taken++;
    if (!job->is_listed && can_claim(job)) {
        list_locked(job);
        sn_cond_signal(&pool->work);
    }
    sn_mutex_unlock(&pool->mu);
}

sn_status sn_read_job_take(struct sn_read_job *job, struct sn_samples *samples,
                           struct sn_err *err) {
    size_t block = job->next / SN_READ_BLOCK_SERIES;
    size_t at = job->next % SN_READ_BLOCK_SERIES;
    /* Only the job's thread makes a done block something else, and it has seen this one. */
    struct slot *slot = at == 0 ? wait_for_block(job, block) : slot_of(job, block);
    if (at >= slot->good_count) {
        return sn_err_set(err, slot->status, "%s", slot->err.text);
    }
    struct sn_samples read = slot->samples[at];
    slot->samples[at] = *samples;
    *samples = read;
    job->next++;
    if (at + 1 == series_in(job, block)) {
        give_block_back(job);
    }
    return SN_OK;
}

bool sn_read_job_is_of(const struct sn_read_job *job, const struct sn_series_list *list,
                       struct sn_range range) {
    return job->list.items == list->items && job->list.count == list->count &&
           job->range.start_ms == range.start_ms && job->range.end_ms == range.end_ms;
}

size_t sn_read_job_next(const struct sn_read_job *job) {
    return job->next;
}

struct sn_read_job *sn_read_job_close(struct sn_read_job *job) {
    if (job == NULL) {
        return NULL;
    }
    struct sn_read_pool *pool = job->pool;
    atomic_store_explicit(&job->is_closing, true, memory_order_relaxed);
    sn_mutex_lock(&pool->mu);
    job->claimed = job->block_count; /* nothing more to claim */
    unlist_locked(job);
    while (job->busy > 0) {
        sn_cond_wait(&pool->done, &pool->mu);
    }
    sn_mutex_unlock(&pool->mu);
    for (size_t i = 0; i < SN_READ_SLOTS; i++) {
        sn_scan_close(&job->slots[i].scan);
        for (size_t k = 0; k < SN_READ_BLOCK_SERIES; k++) {
            sn_samples_release(&job->slots[i].samples[k]);
        }
    }
    sn_free(job);
    return NULL;
}
