/*
 * A bounded queue of requests for the threads that may block: queries read the disk, HTTP threads
 * must not.
 */
#ifndef SN_API_JOBS_H
#define SN_API_JOBS_H

#include "base/lock.h"
#include "base/status.h"

/* Requests waiting for a worker: beyond it clients are told to come back (429). */
#define SN_JOBS_QUEUE_MAX 256

struct sn_job {
    void (*run)(void *ctx, void *item);
    void *ctx;
    void *item;
};

/* Any thread; fields are guarded by mu. */
struct sn_jobs {
    struct sn_mutex mu;
    struct sn_cond wake;
    struct sn_job ring[SN_JOBS_QUEUE_MAX];
    size_t head;
    size_t count;
    bool is_stopping;
};

void sn_jobs_init(struct sn_jobs *jobs);
void sn_jobs_release(struct sn_jobs *jobs); /* the queue is empty by then */

/* Hand over a job. SN_ERR_BUSY (queue full), SN_ERR_CLOSED (stopping): it was not taken. */
sn_status sn_jobs_put(struct sn_jobs *jobs, struct sn_job job, struct sn_err *err) SN_MUST_USE;

/* A worker: runs jobs until stop() and an empty queue. As many of them as wanted. */
struct sn_worker sn_jobs_worker(struct sn_jobs *jobs);

#endif
