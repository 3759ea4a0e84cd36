/*
 * Ranked mutexes, condition variables, events and threads over pthreads.
 *
 * In builds with SN_FAULTS each thread keeps the list of mutexes that it holds. A new one must
 * outrank them all, so the list is sorted by rank and its last entry is the highest; unlocking may
 * happen in any order. Lock order is thereby the same everywhere, and a violation is found the
 * first time that the code runs, without the second thread that would make it a deadlock.
 *
 * pthread calls fail here only when they are misused; every result goes through SN_CHECK, because
 * to go on without the lock would damage what it guards.
 */
#include "base/lock.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/sanitizers.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NS_PER_S INT64_C(1000000000)

/* Instrumented frames are several times as large. */
#if SN_HAS_TSAN || SN_HAS_ASAN || SN_HAS_MSAN
#define STACK_BYTES ((size_t)4 << 20)
#else
#define STACK_BYTES ((size_t)512 << 10)
#endif

#ifdef SN_FAULTS

#define HELD_MAX 16 /* as many as there are ranks, and some */

static _Thread_local const struct sn_mutex *held[HELD_MAX];
static _Thread_local size_t held_count;

_Noreturn static void stop(const char *what, const struct sn_mutex *mu,
                           const struct sn_mutex *other, int line) {
    /* By dprintf and not through base/os.h: no armed fault may eat the message. */
    dprintf(STDERR_FILENO, "lock: %s \"%s\" (rank %d), held: \"%s\" (rank %d)\n", what, mu->name,
            (int)mu->rank, other ? other->name : "nothing", other ? (int)other->rank : 0);
    sn_check_failed(what, __FILE__, line);
}

static const struct sn_mutex *highest_held(void) {
    return held_count ? held[held_count - 1] : NULL;
}

static void check_may_lock(const struct sn_mutex *mu) {
    const struct sn_mutex *highest = highest_held();
    if (highest != NULL && mu->rank <= highest->rank)
        stop("wrong order, cannot take", mu, highest, __LINE__);
}

static void note_locked(const struct sn_mutex *mu) {
    SN_CHECK(held_count < HELD_MAX);
    held[held_count++] = mu;
}

static void note_unlocked(const struct sn_mutex *mu) {
    size_t at = held_count;
    while (at > 0 && held[at - 1] != mu)
        at--;
    if (at == 0)
        stop("not held by this thread, cannot give back", mu, highest_held(), __LINE__);
    memmove(held + at - 1, held + at, (held_count - at) * sizeof(held[0]));
    held_count--;
}

/* Waiting takes mu again at its end, so the rank rule asks that nothing higher is held. */
static void check_may_wait(const struct sn_mutex *mu) {
    if (highest_held() != mu)
        stop("not the highest held, cannot wait with", mu, highest_held(), __LINE__);
}

#else

static inline void check_may_lock(const struct sn_mutex *mu) {
    (void)mu;
}

static inline void note_locked(const struct sn_mutex *mu) {
    (void)mu;
}

static inline void note_unlocked(const struct sn_mutex *mu) {
    (void)mu;
}

static inline void check_may_wait(const struct sn_mutex *mu) {
    (void)mu;
}

#endif

void sn_mutex_init(struct sn_mutex *mu, enum sn_rank rank, const char *name) {
    *mu = (struct sn_mutex){.rank = rank, .name = name};
    SN_CHECK(pthread_mutex_init(&mu->mutex, NULL) == 0);
}

void sn_mutex_release(struct sn_mutex *mu) {
    SN_CHECK(pthread_mutex_destroy(&mu->mutex) == 0);
}

/* The analysis knows these three by their declarations; what they do inside it cannot follow. */
void sn_mutex_lock(struct sn_mutex *mu) SN_NO_LOCK_ANALYSIS {
    check_may_lock(mu);
    SN_CHECK(pthread_mutex_lock(&mu->mutex) == 0);
    note_locked(mu);
}

bool sn_mutex_try_lock(struct sn_mutex *mu) SN_NO_LOCK_ANALYSIS {
    check_may_lock(mu);
    int result = pthread_mutex_trylock(&mu->mutex);
    SN_CHECK(result == 0 || result == EBUSY);
    if (result == 0)
        note_locked(mu);
    return result == 0;
}

void sn_mutex_unlock(struct sn_mutex *mu) SN_NO_LOCK_ANALYSIS {
    note_unlocked(mu);
    SN_CHECK(pthread_mutex_unlock(&mu->mutex) == 0);
}

void sn_cond_init(struct sn_cond *cond) {
    pthread_condattr_t attributes;
    SN_CHECK(pthread_condattr_init(&attributes) == 0);
    SN_CHECK(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
    SN_CHECK(pthread_cond_init(&cond->cond, &attributes) == 0);
    SN_CHECK(pthread_condattr_destroy(&attributes) == 0);
}

void sn_cond_release(struct sn_cond *cond) {
    SN_CHECK(pthread_cond_destroy(&cond->cond) == 0);
}

void sn_cond_wait(struct sn_cond *cond, struct sn_mutex *mu) {
    check_may_wait(mu);
    SN_CHECK(pthread_cond_wait(&cond->cond, &mu->mutex) == 0);
}

/* Monotonic time after timeout_ns from now; INT64_MAX (292 years) when that overflows. */
static int64_t deadline_after(int64_t timeout_ns) {
    int64_t deadline_ns;
    int64_t now_ns = sn_clock_mono_ns(sn_clock_system());
    if (__builtin_add_overflow(now_ns, timeout_ns > 0 ? timeout_ns : 0, &deadline_ns))
        return INT64_MAX;
    return deadline_ns;
}

static bool wait_until(struct sn_cond *cond, struct sn_mutex *mu, int64_t deadline_ns) {
    check_may_wait(mu);
    struct timespec deadline = {(time_t)(deadline_ns / NS_PER_S), deadline_ns % NS_PER_S};
    int result = pthread_cond_timedwait(&cond->cond, &mu->mutex, &deadline);
    SN_CHECK(result == 0 || result == ETIMEDOUT);
    return result == 0;
}

bool sn_cond_wait_ns(struct sn_cond *cond, struct sn_mutex *mu, int64_t timeout_ns) {
    return wait_until(cond, mu, deadline_after(timeout_ns));
}

void sn_cond_signal(struct sn_cond *cond) {
    SN_CHECK(pthread_cond_signal(&cond->cond) == 0);
}

void sn_cond_broadcast(struct sn_cond *cond) {
    SN_CHECK(pthread_cond_broadcast(&cond->cond) == 0);
}

void sn_event_init(struct sn_event *event) {
    *event = (struct sn_event){.is_set = false};
    sn_mutex_init(&event->mu, SN_RANK_EVENT, "event");
    sn_cond_init(&event->cond);
}

void sn_event_release(struct sn_event *event) {
    sn_cond_release(&event->cond);
    sn_mutex_release(&event->mu);
}

void sn_event_set(struct sn_event *event, sn_status status, const struct sn_err *err) {
    sn_mutex_lock(&event->mu);
    if (!event->is_set) {
        event->is_set = true;
        event->status = status;
        if (err != NULL)
            event->err = *err;
        else if (status != SN_OK)
            (void)sn_err_set(&event->err, status, "%s", sn_status_name(status));
        /* Under the mutex: a waiter that sees is_set may release the event as soon as it has it. */
        sn_cond_broadcast(&event->cond);
    }
    sn_mutex_unlock(&event->mu);
}

/* Status of a set event, with its sentence. */
static sn_status event_result_locked(const struct sn_event *event, struct sn_err *err) {
    if (event->status != SN_OK && err != NULL)
        *err = event->err;
    return event->status;
}

sn_status sn_event_wait(struct sn_event *event, int64_t timeout_ns, struct sn_err *err) {
    int64_t deadline_ns = timeout_ns < 0 ? INT64_MAX : deadline_after(timeout_ns);
    sn_mutex_lock(&event->mu);
    bool is_in_time = true;
    while (!event->is_set && is_in_time)
        is_in_time = wait_until(&event->cond, &event->mu, deadline_ns);
    bool is_set = event->is_set;
    sn_status status = is_set ? event_result_locked(event, err) : SN_ERR_TIMEOUT;
    sn_mutex_unlock(&event->mu);
    if (!is_set)
        return sn_err_set(err, SN_ERR_TIMEOUT, "nothing happened within %lld ms",
                          (long long)(timeout_ns / 1000000));
    return status;
}

static void *thread_main(void *argument) {
    struct sn_thread *thread = argument;
    (void)pthread_setname_np(pthread_self(), thread->name); /* a nicety for ps */
    thread->run(thread->ctx);
    return NULL;
}

/*
 * Signals are handled by one thread that app appoints. Those that report a fault of the thread
 * itself stay open: blocked, the kernel would kill without calling the sanitizers' handlers.
 */
static void signals_to_block(sigset_t *ret_set) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
    sigfillset(ret_set);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(ret_set, faults[i]);
}

/* pthread_create with our attributes; the new thread inherits the signal mask of this one. */
static int create(struct sn_thread *thread) {
    pthread_attr_t attributes;
    sigset_t blocked;
    sigset_t before;
    signals_to_block(&blocked);
    SN_CHECK(pthread_attr_init(&attributes) == 0);
    SN_CHECK(pthread_attr_setstacksize(&attributes, STACK_BYTES) == 0);
    SN_CHECK(pthread_sigmask(SIG_SETMASK, &blocked, &before) == 0);
    int result = pthread_create(&thread->thread, &attributes, thread_main, thread);
    SN_CHECK(pthread_sigmask(SIG_SETMASK, &before, NULL) == 0);
    SN_CHECK(pthread_attr_destroy(&attributes) == 0);
    return result;
}

sn_status sn_thread_start(struct sn_thread *thread, const char *name, void (*run)(void *ctx),
                          void *ctx, struct sn_err *err) {
    *thread = (struct sn_thread){.run = run, .ctx = ctx};
    memcpy(thread->name, name, strnlen(name, sizeof(thread->name) - 1));
    int result = create(thread);
    if (result != 0)
        return sn_err_set_errno(err, result, "cannot start thread %s", thread->name);
    thread->is_running = true;
    return SN_OK;
}

void sn_thread_join(struct sn_thread *thread) {
    if (!thread->is_running)
        return;
    SN_CHECK(pthread_join(thread->thread, NULL) == 0);
    thread->is_running = false;
}

#if SN_HAS_TSAN

/*
 * clang 14's ThreadSanitizer does not know pthread_clockjoin_np and takes whatever the thread did
 * for a race with what follows the join. It knows the join on the wall clock, which will do there.
 */
static int join_within(pthread_t thread, int64_t timeout_ns) {
    const int64_t long_ns = INT64_C(86400) * NS_PER_S; /* keeps the sum below from overflowing */
    int64_t left_ns = timeout_ns < 0 ? 0 : timeout_ns < long_ns ? timeout_ns : long_ns;
    int64_t deadline_ns = sn_clock_wall_ms(sn_clock_system()) * 1000000 + left_ns;
    return pthread_timedjoin_np(thread, NULL,
                                &(struct timespec){deadline_ns / NS_PER_S, deadline_ns % NS_PER_S});
}

#else

static int join_within(pthread_t thread, int64_t timeout_ns) {
    int64_t deadline_ns = deadline_after(timeout_ns);
    struct timespec deadline = {(time_t)(deadline_ns / NS_PER_S), deadline_ns % NS_PER_S};
    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &deadline);
}

#endif

bool sn_thread_join_within(struct sn_thread *thread, int64_t timeout_ns) {
    if (!thread->is_running)
        return true;
    int failure = join_within(thread->thread, timeout_ns);
    SN_CHECK(failure == 0 || failure == ETIMEDOUT);
    thread->is_running = failure != 0;
    return failure == 0;
}
