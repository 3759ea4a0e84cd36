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
    SN_RANK_SCRAPE = 28,    /* targets and their facts */
    SN_RANK_DISCOVERY = 29, /* lists of targets that were found */
    SN_RANK_COLLECT = 30,
    SN_RANK_CLIENT_READ = 35, /* one reader of a libsonde registry: its callbacks may lock below */
    SN_RANK_BOARD_REFRESH = 36, /* one refresh of the dashboard's board at a time */
    SN_RANK_BOARD_SPARK = 37,   /* its small charts */
    SN_RANK_BOARD = 38,         /* its published table */
    SN_RANK_STREAMS = 39,       /* clients of event streams; read as metrics as well */
    SN_RANK_INGEST = 40,
    SN_RANK_AUTH_LOAD = 41,      /* reading grants from the accounts, one at a time */
    SN_RANK_AUTH = 42,           /* grants in memory, failures */
    SN_RANK_ACCOUNTS = 43,       /* the database connection of the accounts, and of the settings */
    SN_RANK_QUERY = 45,          /* places and the queue of the query engine */
    SN_RANK_RECORDS = 46,        /* queue of the records writer */
    SN_RANK_RECORDS_POOL = 47,   /* connections to the database of the records */
    SN_RANK_STORE_DELETE = 48,   /* one deletion or cleaning at a time */
    SN_RANK_STORE_FLUSH = 50,    /* one flush or compaction at a time */
    SN_RANK_STORE_CATALOG = 52,  /* the SQLite connection that writes */
    SN_RANK_STORE_SEGMENTS = 54, /* list of open segments */
    SN_RANK_STORE_INDEX = 56,    /* series index */
    SN_RANK_STORE_APPEND = 58,   /* log buffer and head */
    SN_RANK_STORE_SYNC = 60,     /* acknowledgement queue */
    SN_RANK_CLIENT_LOG = 65,     /* libsonde's logs; before the registries, as fork takes both */
    SN_RANK_CLIENT_PUSH = 67,    /* one push client's buffer */
    SN_RANK_CLIENT = 70,         /* libsonde's registries */
    SN_RANK_CLIENT_PERF = 72,    /* lists of a performance tracker */
    SN_RANK_EVENT = 80,          /* inside sn_event */
    SN_RANK_LOG = 90,            /* the server log: usable under any other lock */
};

/*
 * What clang's -Wthread-safety checks: a function may say that it wants `mu` held (..._locked
 * functions: `void f_locked(struct s *s) SN_REQUIRES(&s->mu);`), takes it or gives it back.
 * Fields cannot be marked in C. SN_NO_LOCK_ANALYSIS is for code that locks in ways the analysis
 * does not follow, with the reason in a comment.
 */
#ifdef __clang__
#define SN_CAPABILITY(what) __attribute__((capability(what)))
#define SN_ACQUIRE(mu) __attribute__((acquire_capability(mu)))
#define SN_TRY_ACQUIRE(mu) __attribute__((try_acquire_capability(true, mu)))
#define SN_RELEASE(mu) __attribute__((release_capability(mu)))
#define SN_REQUIRES(mu) __attribute__((requires_capability(mu)))
#define SN_NO_LOCK_ANALYSIS __attribute__((no_thread_safety_analysis))
#else
#define SN_CAPABILITY(what)
#define SN_ACQUIRE(mu)
#define SN_TRY_ACQUIRE(mu)
#define SN_RELEASE(mu)
#define SN_REQUIRES(mu)
#define SN_NO_LOCK_ANALYSIS
#endif

struct SN_CAPABILITY("mutex") sn_mutex {
    pthread_mutex_t mutex;
    enum sn_rank rank;
    const char *name; /* borrowed literal, for messages */
};

/* For a mutex with static storage; it needs no release. */
#define SN_MUTEX_INITIALIZER(rank, name)                                                           \
    { PTHREAD_MUTEX_INITIALIZER, (rank), (name) }

/*
 * A mutex of the given rank; `name` is kept and appears in messages. Cannot fail on Linux with
 * default attributes; checked, as are all calls below: a misused mutex aborts.
 */
void sn_mutex_init(struct sn_mutex *mu, enum sn_rank rank, const char *name);
void sn_mutex_release(struct sn_mutex *mu); /* nobody holds it or waits for it */
void sn_mutex_lock(struct sn_mutex *mu) SN_ACQUIRE(mu);
bool sn_mutex_try_lock(struct sn_mutex *mu) SN_TRY_ACQUIRE(mu); /* the rank rule holds here too */
void sn_mutex_unlock(struct sn_mutex *mu) SN_RELEASE(mu);

/* Condition variable on the monotonic clock. A waiter holds no mutex of a higher rank than mu. */
struct sn_cond {
    pthread_cond_t cond;
};
#define SN_COND_INITIALIZER                                                                        \
    { PTHREAD_COND_INITIALIZER } /* static storage; sn_cond_wait only */
void sn_cond_init(struct sn_cond *cond);
void sn_cond_release(struct sn_cond *cond);
void sn_cond_wait(struct sn_cond *cond, struct sn_mutex *mu) SN_REQUIRES(mu);
/*
 * Wait at most timeout_ns (real monotonic time; 0 and less: no wait). false: timed out. Spurious
 * wake-ups happen.
 */
bool sn_cond_wait_ns(struct sn_cond *cond, struct sn_mutex *mu, int64_t timeout_ns) SN_REQUIRES(mu);
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
/* The first set counts, later ones are ignored. err may be NULL; it is copied. */
void sn_event_set(struct sn_event *event, sn_status status, const struct sn_err *err);
/*
 * Wait until set; timeout_ns < 0 waits for ever. The status that was set, with its sentence in
 * err, or SN_ERR_TIMEOUT.
 */
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

/* Owned by the starter, who zeroes it first; stays where it is until the join. */
struct sn_thread {
    pthread_t thread;
    bool is_running; /* started and not joined */
    void (*run)(void *ctx);
    void *ctx;
    char name[16];
};
/*
 * Start a thread (512 KiB stack; all signals blocked except those of faults, such as SIGSEGV).
 * Names are cut at 15 bytes. No heap memory. SN_ERR_IO or SN_ERR_NO_MEMORY with errno's text.
 */
sn_status sn_thread_start(struct sn_thread *thread, const char *name, void (*run)(void *ctx),
                          void *ctx, struct sn_err *err) SN_MUST_USE;
/* Wait for its end. A thread that was never started is fine. */
void sn_thread_join(struct sn_thread *thread);
/* Wait for its end at most timeout_ns. false: it still runs and is still to be joined. */
bool sn_thread_join_within(struct sn_thread *thread, int64_t timeout_ns);

#endif
