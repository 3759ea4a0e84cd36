/*
 * The life of logs: open, flush, close, free; what fork, the end of a thread and exit mean. See
 * log_priv.h.
 *
 *     open --> running --close--> closed --free--> gone
 *                 |  ^
 *            fork |  | resume           in the child: no writer; flush and close write themselves
 *                 v  |
 *              forked
 */
#include "client/log_priv.h"

#include "base/mem.h"
#include "base/os.h"
#include "client/error_priv.h"
#include "client/lock_priv.h"
#include "client/slab_priv.h"
#include "client/ticks_priv.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define NS_PER_MS INT64_C(1000000)
#define RING_BYTES_MIN ((size_t)65536) /* four of the largest records */
#define RING_BYTES_MAX ((size_t)1 << 26)
#define RING_BYTES_DEFAULT ((size_t)131072) /* about 1000 lines */
#define THREADS_MAX 4096
#define THREADS_DEFAULT 128
#define EXIT_WAIT_MS 1000

_Static_assert(RING_BYTES_MIN / 4 >= SONDE_LOG_RECORD_BYTES_MAX, "see sn_log_ring_reserve");

struct sn_mutex sn_log_mu = SN_MUTEX_INITIALIZER(SN_RANK_CLIENT_LOG, "client log");

static _Atomic(sonde_log *) logs[SONDE_LOGS_MAX]; /* set under sn_log_mu */
static uint64_t last_id;                          /* under sn_log_mu */
static pthread_key_t exit_key;
static bool has_exit_key;

sonde_log *sn_log_in_slot(unsigned slot) {
    return atomic_load(&logs[slot]);
}

/* Base tells apart what the host cannot change: for it, all that the system refused is IO. */
static sonde_status public_status(sn_status status) {
    bool is_public = status >= SN_ERR_INVALID || status == SN_ERR_EXISTS;
    return is_public ? (sonde_status)status : SONDE_ERR_IO;
}

/* ---- threads, fork, exit ---- */

static void on_thread_exit(void *unused) {
    (void)unused;
    sn_mutex_lock(&sn_log_mu);
    sn_log_thread_release_locked();
    sn_mutex_unlock(&sn_log_mu);
}

void sn_log_watch_thread(void) {
    /* If this fails, nobody tells us of the thread's end and its ring stays its own for ever. */
    if (has_exit_key)
        (void)pthread_setspecific(exit_key, &exit_key);
}

static void before_fork(void) SN_ACQUIRE(&sn_log_mu) {
    sn_mutex_lock(&sn_log_mu);
}

static void after_fork(void) SN_RELEASE(&sn_log_mu) {
    sn_mutex_unlock(&sn_log_mu);
}

/* The parent writes what its threads logged; only the forking thread and its ring live on here. */
static void forget_parent_locked(sonde_log *log) {
    const struct sn_log_ring *own = sn_log_own_ring(log);
    for (size_t i = 0; i < log->ring_count; i++) {
        sn_log_ring_discard(&log->rings[i]);
        if (&log->rings[i] != own)
            sn_log_ring_give_back(&log->rings[i]);
    }
    for (size_t i = 0; i < log->sink_count; i++)
        sn_log_sink_forget(&log->sinks[i]);
    log->told_threads = sn_log_load(&log->dropped_threads);
    log->identity.pid = sn_os_pid();
    log->thread = (struct sn_thread){.is_running = false};
    log->has_thread = log->is_stopping = log->is_draining = log->is_closing = false;
    sn_cond_init(&log->wake); /* the waiters of the parent are not here */
    sn_cond_init(&log->done);
}

static void after_fork_child(void) SN_RELEASE(&sn_log_mu) {
    for (unsigned slot = 0; slot < SONDE_LOGS_MAX; slot++) {
        sonde_log *log = atomic_load(&logs[slot]);
        if (log != NULL)
            forget_parent_locked(log);
    }
    sn_mutex_unlock(&sn_log_mu);
}

static void init_once(void) {
    /* Handlers run last registered first before fork; so ours takes its lock, of the lower rank,
     * before that of the slabs. */
    sn_slab_init();
    has_exit_key = pthread_key_create(&exit_key, on_thread_exit) == 0;
    /* Fails without memory only; then logging in a child of fork is not safe. */
    (void)pthread_atfork(before_fork, after_fork, after_fork_child);
    sn_ticks_init();
}

static void at_exit(void) {
    for (unsigned slot = 0; slot < SONDE_LOGS_MAX; slot++) {
        sonde_log *log = atomic_load(&logs[slot]);
        if (log != NULL && log->flush_at_exit)
            (void)sonde_log_close(log, EXIT_WAIT_MS);
    }
}

static void register_at_exit(void) {
    (void)atexit(at_exit); /* fails without memory only; then exit does not wait for the log */
}

/* ---- open ---- */

/* Without a writer, and nobody else knows it; half-built logs too. Returns NULL. */
static sonde_log *release(sonde_log *log) {
    sn_mutex_lock(&sn_log_mu);
    if (atomic_load(&logs[log->slot]) == log)
        atomic_store(&logs[log->slot], NULL);
    sn_mutex_unlock(&sn_log_mu);
    for (size_t i = 0; i < log->sink_count; i++)
        sn_log_sink_release(&log->sinks[i]);
    sn_logger_release_all(log);
    if (log->ring_memory != NULL)
        (void)sn_os_munmap(log->ring_memory, log->ring_memory_bytes);
    sn_free(log->rings);
    sn_free(log->cursors);
    sn_free(log->program);
    sn_cond_release(&log->wake);
    sn_cond_release(&log->done);
    sn_free(log);
    return NULL;
}

static sn_status check(const sonde_log_options *options, struct sn_err *err) {
    if (options->level < SONDE_LEVEL_DEFAULT || options->level > SONDE_LEVEL_OFF)
        return sn_err_set(err, SN_ERR_INVALID, "there is no level %d", (int)options->level);
    if (options->sink_count > SONDE_LOG_SINKS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%zu sinks, the limit is %d", options->sink_count,
                          SONDE_LOG_SINKS_MAX);
    if (options->sink_count > 0 && options->sinks == NULL)
        return sn_err_set(err, SN_ERR_INVALID, "%zu sinks at NULL", options->sink_count);
    if (options->ring_bytes != 0 &&
        (options->ring_bytes < RING_BYTES_MIN || options->ring_bytes > RING_BYTES_MAX))
        return sn_err_set(err, SN_ERR_LIMIT, "ring_bytes is %zu, the limits are %zu and %zu",
                          options->ring_bytes, RING_BYTES_MIN, RING_BYTES_MAX);
    if (options->thread_max > THREADS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "thread_max is %zu, the limit is %d",
                          options->thread_max, THREADS_MAX);
    return SN_OK;
}

static size_t power_of_two(size_t size) {
    size_t power = RING_BYTES_MIN;
    while (power < size)
        power *= 2;
    return power;
}

static sn_status make_rings(sonde_log *log, const sonde_log_options *options, struct sn_err *err) {
    size_t bytes =
        power_of_two(options->ring_bytes != 0 ? options->ring_bytes : RING_BYTES_DEFAULT);
    log->ring_count = options->thread_max != 0 ? options->thread_max : THREADS_DEFAULT;
    log->rings = sn_alloc_aligned(64, log->ring_count * sizeof *log->rings);
    log->cursors = sn_alloc_zero(log->ring_count, sizeof *log->cursors);
    if (log->rings == NULL || log->cursors == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the rings of a log");
    /* Pages that no thread touches cost nothing. */
    void *memory = sn_os_mmap(NULL, log->ring_count * bytes, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu rings of %zu bytes",
                          log->ring_count, bytes);
    log->ring_memory = memory;
    log->ring_memory_bytes = log->ring_count * bytes;
    for (size_t i = 0; i < log->ring_count; i++)
        sn_log_ring_init(&log->rings[i], log->ring_memory + i * bytes, bytes);
    return SN_OK;
}

static sn_status make_identity(sonde_log *log, const sonde_log_options *options,
                               struct sn_err *err) {
    const char *name = options->name != NULL ? options->name : program_invocation_short_name;
    log->program = sn_strdup(name);
    if (log->program == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the name of a log");
    /* Without a name the formats write "-". */
    if (gethostname(log->host, sizeof log->host - 1) != 0)
        log->host[0] = '\0';
    log->identity = (struct sn_log_identity){
        .program = sn_str_from(log->program), .host = sn_str_from(log->host), .pid = sn_os_pid()};
    return SN_OK;
}

static sn_status make_sinks(sonde_log *log, const sonde_log_options *options, struct sn_err *err) {
    const sonde_log_sink fallback = {.type = SONDE_SINK_STDERR};
    const sonde_log_sink *sinks = options->sink_count > 0 ? options->sinks : &fallback;
    size_t count = options->sink_count > 0 ? options->sink_count : 1;
    for (size_t i = 0; i < count; i++) {
        log->sinks[i].clock = log->clock;
        log->sinks[i].identity = &log->identity;
        SN_TRY(sn_log_sink_init(&log->sinks[i], &sinks[i], err));
        log->sink_count++;
    }
    return SN_OK;
}

static sn_status take_slot(sonde_log *log, struct sn_err *err) {
    sn_status status = SN_ERR_LIMIT;
    sn_mutex_lock(&sn_log_mu);
    for (unsigned slot = 0; slot < SONDE_LOGS_MAX && status != SN_OK; slot++) {
        if (atomic_load(&logs[slot]) != NULL)
            continue;
        log->slot = slot;
        log->id = ++last_id;
        atomic_store(&log->is_open, true);
        atomic_store(&logs[slot], log);
        status = SN_OK;
    }
    sn_mutex_unlock(&sn_log_mu);
    if (status != SN_OK)
        return sn_err_set(err, status, "%d logs are open, which is the limit", SONDE_LOGS_MAX);
    return SN_OK;
}

static sn_status start_writer_locked(sonde_log *log, struct sn_err *err) {
    SN_TRY(sn_thread_start(&log->thread, "sonde-log", sn_log_writer_run, log, err));
    log->has_thread = true;
    return SN_OK;
}

static sn_status start_writer(sonde_log *log, struct sn_err *err) {
    sn_mutex_lock(&sn_log_mu);
    sn_status status = start_writer_locked(log, err);
    sn_mutex_unlock(&sn_log_mu);
    return status;
}

static sn_status prepare(sonde_log *log, const sonde_log_options *options, bool has_thread,
                         struct sn_err *err) {
    SN_TRY(check(options, err));
    SN_TRY(make_rings(log, options, err));
    SN_TRY(make_identity(log, options, err));
    SN_TRY(make_sinks(log, options, err));
    SN_TRY(sn_logger_init_root(log, options->level, err));
    SN_TRY(take_slot(log, err));
    return has_thread ? start_writer(log, err) : SN_OK;
}

sonde_log *sn_log_system_open(const sonde_log_options *options, const struct sn_clock *clock,
                              bool has_thread, sonde_error *error) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    static pthread_once_t exit_once = PTHREAD_ONCE_INIT;
    const sonde_log_options defaults = {.name = NULL};
    struct sn_err err = {SN_OK, ""};
    (void)pthread_once(&once, init_once);
    options = options != NULL ? options : &defaults;
    sonde_log *log = sn_alloc_zero(1, sizeof *log);
    if (log == NULL) {
        sn_status status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for a log");
        (void)sn_public_error(error, (sonde_status)status, &err);
        return NULL;
    }
    log->clock = clock;
    log->is_system_clock = clock == sn_clock_system();
    log->flush_at_exit = options->flush_at_exit;
    sn_cond_init(&log->wake);
    sn_cond_init(&log->done);
    sn_status status = prepare(log, options, has_thread, &err);
    (void)sn_public_error(error, public_status(status), &err);
    if (status == SN_OK && options->has_metrics &&
        sn_log_metrics_show(log, options->registry, error) != SONDE_OK)
        return sonde_log_free(log);
    if (status != SN_OK)
        return release(log);
    if (options->flush_at_exit)
        (void)pthread_once(&exit_once, register_at_exit);
    return log;
}

sonde_log *sonde_log_open(const sonde_log_options *options, sonde_error *error) {
    return sn_log_system_open(options, sn_clock_system(), true, error);
}

/* ---- flush ---- */

/* Drain on the caller's own thread: there is no writer. */
static void drain_self_locked(sonde_log *log) SN_REQUIRES(&sn_log_mu);
static void drain_self_locked(sonde_log *log) {
    while (log->is_draining)
        sn_cond_wait(&log->done, &sn_log_mu);
    log->is_draining = true;
    sn_mutex_unlock(&sn_log_mu);
    (void)sn_log_round(log);
    sn_mutex_lock(&sn_log_mu);
    log->is_draining = false;
    sn_cond_broadcast(&log->done);
}

static int64_t deadline_after(unsigned timeout_ms) {
    return sn_clock_mono_ns(sn_clock_system()) + (int64_t)timeout_ms * NS_PER_MS;
}

/* Wait for `done` until a deadline; false: it has passed. */
static bool wait_done_locked(sonde_log *log, int64_t deadline_ns) SN_REQUIRES(&sn_log_mu);
static bool wait_done_locked(sonde_log *log, int64_t deadline_ns) {
    int64_t left_ns = deadline_ns - sn_clock_mono_ns(sn_clock_system());
    if (left_ns <= 0)
        return false;
    (void)sn_cond_wait_ns(&log->done, &sn_log_mu, left_ns);
    return true;
}

static bool flush_locked(sonde_log *log, int64_t deadline_ns) SN_REQUIRES(&sn_log_mu);
static bool flush_locked(sonde_log *log, int64_t deadline_ns) {
    if (log->is_closed)
        return true;
    if (!log->has_thread) {
        drain_self_locked(log);
        return true;
    }
    uint64_t wanted = ++log->flush_wanted;
    sn_cond_signal(&log->wake);
    while (log->flush_done < wanted && log->has_thread) {
        if (!wait_done_locked(log, deadline_ns))
            return false;
    }
    return true;
}

bool sonde_log_flush(sonde_log *log, unsigned timeout_ms) {
    if (log == NULL)
        return true;
    sn_mutex_lock(&sn_log_mu);
    bool is_done = flush_locked(log, deadline_after(timeout_ms));
    sn_mutex_unlock(&sn_log_mu);
    return is_done;
}

/* ---- close ---- */

static bool stop_writer(sonde_log *log, int64_t timeout_ns) {
    if (timeout_ns >= 0)
        return sn_thread_join_within(&log->thread, timeout_ns);
    sn_thread_join(&log->thread);
    return true;
}

/* This thread alone closes. Without a writer to do it, what waits is written here. */
static void finish_close(sonde_log *log) {
    sn_mutex_lock(&sn_log_mu);
    if (!log->has_thread)
        drain_self_locked(log);
    log->has_thread = false;
    sn_mutex_unlock(&sn_log_mu);
    for (size_t i = 0; i < log->sink_count; i++)
        sn_log_sink_release(&log->sinks[i]);
    sn_log_metrics_hide(log);
    atomic_store(&log->is_closed, true);
}

/* Become the thread that closes. False: it is closed already, or another thread took too long. */
static bool begin_close(sonde_log *log, int64_t deadline_ns) {
    sn_mutex_lock(&sn_log_mu);
    while (log->is_closing && wait_done_locked(log, deadline_ns)) {
        /* Another thread is closing it. */
    }
    bool is_ours = !log->is_closing && !log->is_closed;
    if (is_ours) {
        log->is_closing = log->is_stopping = true;
        atomic_store(&log->is_open, false);
        sn_cond_signal(&log->wake);
    }
    sn_mutex_unlock(&sn_log_mu);
    return is_ours;
}

/* timeout_ms < 0: as long as it takes. */
static bool close_within(sonde_log *log, int64_t timeout_ms) {
    int64_t deadline_ns =
        timeout_ms < 0 ? INT64_MAX : sn_clock_mono_ns(sn_clock_system()) + timeout_ms * NS_PER_MS;
    if (begin_close(log, deadline_ns)) {
        int64_t left_ns = deadline_ns - sn_clock_mono_ns(sn_clock_system());
        if (stop_writer(log, timeout_ms < 0 ? -1 : left_ns > 0 ? left_ns : 0))
            finish_close(log);
        sn_mutex_lock(&sn_log_mu);
        log->is_closing = false;
        sn_cond_broadcast(&log->done);
        sn_mutex_unlock(&sn_log_mu);
    }
    sn_mutex_lock(&sn_log_mu);
    bool is_closed = log->is_closed;
    sn_mutex_unlock(&sn_log_mu);
    return is_closed;
}

bool sonde_log_close(sonde_log *log, unsigned timeout_ms) {
    return log == NULL || close_within(log, (int64_t)timeout_ms);
}

sonde_log *sonde_log_free(sonde_log *log) {
    if (log == NULL)
        return NULL;
    (void)close_within(log, -1);
    return release(log);
}

/* ---- the rest ---- */

void sonde_log_reopen(sonde_log *log) {
    if (log != NULL)
        atomic_store_explicit(&log->wants_reopen, true, memory_order_relaxed);
}

sonde_status sonde_log_resume(sonde_log *log, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sn_status status = SN_OK;
    if (log == NULL)
        return sn_public_error(error, SONDE_ERR_INVALID, &err);
    sn_mutex_lock(&sn_log_mu);
    if (log->is_closed || log->is_closing)
        status = sn_err_set(&err, SN_ERR_INVALID, "the log is closed");
    else if (!log->has_thread)
        status = start_writer_locked(log, &err);
    sn_mutex_unlock(&sn_log_mu);
    return sn_public_error(error, public_status(status), &err);
}

void sonde_log_read(const sonde_log *log, sonde_log_stats *ret_stats) {
    sonde_log_stats stats = {.submitted = 0};
    if (log == NULL) {
        stats.submitted = stats.dropped_closed = sn_log_nowhere_count();
        *ret_stats = stats;
        return;
    }
    uint64_t pushed = 0;
    for (size_t i = 0; i < log->ring_count; i++) {
        const struct sn_log_ring *ring = &log->rings[i];
        stats.written += sn_log_load(&ring->popped);
        pushed += sn_log_load(&ring->pushed);
        stats.dropped_full += sn_log_load(&ring->dropped_full);
        stats.dropped_reentrant += sn_log_load(&ring->dropped_reentrant);
    }
    stats.dropped_threads = sn_log_load(&log->dropped_threads);
    stats.dropped_closed = sn_log_load(&log->dropped_closed);
    stats.submitted = pushed + stats.dropped_full + stats.dropped_reentrant +
                      stats.dropped_threads + stats.dropped_closed;
    /* Lines that came while the log closed lie in rings that nobody reads any more. */
    if (atomic_load(&log->is_closed) && pushed > stats.written)
        stats.dropped_closed += pushed - stats.written;
    for (size_t i = 0; i < log->sink_count; i++) {
        stats.sink_lost += sn_log_load(&log->sinks[i].lost_count);
        stats.rotate_error_count += sn_log_load(&log->sinks[i].rotate_error_count);
    }
    *ret_stats = stats;
}

uint64_t sonde_log_dropped_count(const sonde_log *log) {
    sonde_log_stats stats;
    sonde_log_read(log, &stats);
    return stats.dropped_full + stats.dropped_threads + stats.dropped_closed +
           stats.dropped_reentrant + stats.sink_lost;
}
