/*
 * Mutexes with a rank, condition variables, one-shot events, and threads.
 *
 * A thread may only take a mutex whose rank is higher than every rank it holds; builds with
 * SN_FAULTS check that and abort with both names. So there is no deadlock by order.
 * Threads are started by `app`, tests and benchmarks only; modules offer `struct sn_worker`s.
 */
#ifndef SN_BASE_LOCK_H
#define SN_BASE_LOCK_H

#include "base/status.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/* One list for the whole program, outermost first. A new lock finds its place here. */
enum sn_rank {
    SN_RANK_APP = 10,
    SN_RANK_HTTP_SERVER = 20,
    SN_RANK_COLLECT = 30,
    SN_RANK_INGEST = 40,
    SN_RANK_STORE_FLUSH = 50,    /* one flush or compaction at a time */
    SN_RANK_STORE_CATALOG = 52,  /* the SQLite connection that writes */
    SN_RANK_STORE_SEGMENTS = 54, /* list of open segments */
    SN_RANK_STORE_INDEX = 56,    /* series index */
    SN_RANK_STORE_APPEND = 58,   /* log buffer and head */
    SN_RANK_STORE_SYNC = 60,     /* acknowledgement queue */
    SN_RANK_CLIENT = 70,         /* libsonde's registries */
    SN_RANK_EVENT = 80,          /* inside sn_event */
    SN_RANK_LOG = 90,            /* the server log: usable under any other lock */
};

struct sn_mutex {
    pthread_mutex_t mutex;
    enum sn_rank rank;
    const char *name; /* borrowed literal, for messages */
};

#define SN_CAPABILITY(x)

/* Cannot fail on Linux with default attributes; checked. */
void sn_mutex_init(struct sn_mutex *mu, enum sn_rank rank, const char *name);
void sn_mutex_release(struct sn_mutex *mu);
void sn_mutex_lock(struct sn_mutex *mu);
bool sn_mutex_try_lock(struct sn_mutex *mu);
void sn_mutex_unlock(struct sn_mutex *mu);

/* Condition variable on the monotonic clock. */
struct sn_cond {
    pthread_cond_t cond;
};
void sn_cond_init(struct sn_cond *cond);
void sn_cond_release(struct sn_cond *cond);
void sn_cond_wait(struct sn_cond *cond, struct sn_mutex *mu);
/* Wait at most timeout_ns (real monotonic time). false: timed out. Spurious wake-ups happen. */
bool sn_cond_wait_ns(struct sn_cond *cond, struct sn_mutex *mu, int64_t timeout_ns);
void sn_cond_signal(struct sn_cond *cond);
void sn_cond_broadcast(struct sn_cond *cond);

/* One-shot event: one or more threads wait until somebody sets it, with a status. */
struct sn_event {
    struct sn_mutex mu;
    struct sn_cond cond;
    bool is_set;
    sn_status status;
    struct sn_err err;
};
void sn_event_init(struct sn_event *event);
void sn_event_release(struct sn_event *event); /* only after every set and wait has returned */
void sn_event_set(struct sn_event *event, sn_status status, const struct sn_err *err);
/* Wait until set; timeout_ns < 0 waits for ever. SN_ERR_TIMEOUT, or the status that was set. */
sn_status sn_event_wait(struct sn_event *event, int64_t timeout_ns, struct sn_err *err);

/*
 * A job that wants a thread of its own. `run` returns after `stop` was called (from another
 * thread, may be called before run starts) or when it has nothing left to do, ever.
 */
struct sn_worker {
    const char *name; /* at most 15 bytes: the thread's name in ps */
    void (*run)(void *ctx);
    void (*stop)(void *ctx);
    void *ctx;
};

struct sn_thread {
    pthread_t thread;
    bool is_running;
};
/* Start a thread (512 KiB stack, all signals blocked). SN_ERR_IO with errno's text. */
sn_status sn_thread_start(struct sn_thread *thread, const char *name, void (*run)(void *ctx),
                          void *ctx, struct sn_err *err) SN_MUST_USE;
/* Wait for its end. A thread that was never started is fine. */
void sn_thread_join(struct sn_thread *thread);

#endif
