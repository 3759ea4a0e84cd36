/*
 * The bounded job queue. See jobs.h.
 */
#include "api/jobs.h"

void sn_jobs_init(struct sn_jobs *jobs) {
    sn_mutex_init(&jobs->mu, SN_RANK_HTTP_SERVER, "jobs");
    sn_cond_init(&jobs->wake);
    jobs->head = 0;
    jobs->count = 0;
    jobs->is_stopping = false;
}

void sn_jobs_release(struct sn_jobs *jobs) {
    sn_cond_release(&jobs->wake);
    sn_mutex_release(&jobs->mu);
}

static sn_status put_locked(struct sn_jobs *jobs, struct sn_job job, struct sn_err *err) {
    if (jobs->is_stopping)
        return sn_err_set(err, SN_ERR_CLOSED, "the server is shutting down");
    if (jobs->count == SN_JOBS_QUEUE_MAX)
        return sn_err_set(err, SN_ERR_BUSY, "%d requests are waiting already, try again later",
                          SN_JOBS_QUEUE_MAX);
    jobs->ring[(jobs->head + jobs->count) % SN_JOBS_QUEUE_MAX] = job;
    jobs->count++;
    sn_cond_signal(&jobs->wake);
    return SN_OK;
}

sn_status sn_jobs_put(struct sn_jobs *jobs, struct sn_job job, struct sn_err *err) {
    sn_mutex_lock(&jobs->mu);
    sn_status status = put_locked(jobs, job, err);
    sn_mutex_unlock(&jobs->mu);
    return status;
}

/* Wait for the next job. false: stopping and nothing left. */
static bool take(struct sn_jobs *jobs, struct sn_job *ret_job) {
    sn_mutex_lock(&jobs->mu);
    while (jobs->count == 0 && !jobs->is_stopping)
        sn_cond_wait(&jobs->wake, &jobs->mu);
    bool has_job = jobs->count > 0;
    if (has_job) {
        *ret_job = jobs->ring[jobs->head];
        jobs->head = (jobs->head + 1) % SN_JOBS_QUEUE_MAX;
        jobs->count--;
    }
    sn_mutex_unlock(&jobs->mu);
    return has_job;
}

static void run(void *ctx) {
    struct sn_job job;
    while (take(ctx, &job))
        job.run(job.ctx, job.item);
}

static void stop(void *ctx) {
    struct sn_jobs *jobs = ctx;
    sn_mutex_lock(&jobs->mu);
    jobs->is_stopping = true;
    sn_cond_broadcast(&jobs->wake);
    sn_mutex_unlock(&jobs->mu);
}

struct sn_worker sn_jobs_worker(struct sn_jobs *jobs) {
    return (struct sn_worker){"api-job", run, stop, jobs};
}
