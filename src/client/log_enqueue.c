/*
 * The caller's path: one line into the ring of the calling thread. No lock, no allocation, no
 * system call, no waiting.
 *
 * A thread remembers its ring per slot of open logs. What it remembers of a log that is gone is
 * recognised by the log's id and never followed.
 */
#include "client/log_priv.h"
#include "sonde/service.h"

#define INITIAL_EXEC __attribute__((tls_model("initial-exec")))
#define NS_PER_S UINT64_C(1000000000)

struct own_ring {
    uint64_t log_id; /* 0: none */
    struct sn_log_ring *ring;
};

static __thread struct own_ring own_rings[SONDE_LOGS_MAX] INITIAL_EXEC;
static _Atomic uint64_t nowhere_count;

static void count_shared(_Atomic uint64_t *counter) {
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

uint64_t sn_log_nowhere_count(void) {
    return sn_log_load(&nowhere_count);
}

struct sn_log_ring *sn_log_own_ring(const sonde_log *log) {
    const struct own_ring *own = &own_rings[log->slot];
    return own->log_id == log->id ? own->ring : NULL;
}

void sn_log_thread_release_locked(void) {
    for (unsigned slot = 0; slot < SONDE_LOGS_MAX; slot++) {
        struct own_ring *own = &own_rings[slot];
        const sonde_log *log = sn_log_in_slot(slot);
        if (own->log_id != 0 && log != NULL && log->id == own->log_id)
            sn_log_ring_give_back(own->ring);
        own->log_id = 0;
    }
}

/* A thread's first line in this log. */
static __attribute__((noinline)) struct sn_log_ring *attach(sonde_log *log) {
    for (size_t i = 0; i < log->ring_count; i++) {
        struct sn_log_ring *ring = &log->rings[i];
        if (atomic_load_explicit(&ring->is_owned, memory_order_relaxed) != 0 ||
            !sn_log_ring_claim(ring))
            continue;
        own_rings[log->slot] = (struct own_ring){log->id, ring};
        sn_log_watch_thread();
        return ring;
    }
    count_shared(&log->dropped_threads);
    return NULL;
}

static inline void stamp(const sonde_log *log, struct sn_log_record *record) {
#if SONDE_INLINE_RECORD && defined(__x86_64__)
    if (SN_LIKELY(log->is_system_clock &&
                  __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED) != 0)) {
        record->flags = SN_LOG_RECORD_TICK;
        record->stamp = sonde_tick();
        return;
    }
#endif
    record->flags = 0;
    record->stamp = (uint64_t)sn_clock_mono_ns(log->clock);
}

static inline void push(const sonde_logger *logger, struct sn_log_ring *ring, size_t size,
                        const sonde_log_line *line, uint32_t truncated) {
    struct sn_log_record *record = sn_log_ring_reserve(ring, size);
    uint64_t dropped = sn_log_load(&ring->dropped_full);
    if (SN_UNLIKELY(record == NULL)) {
        /* Release pairs with the writer's tell_dropped: the records before the gap are seen. */
        atomic_store_explicit(&ring->dropped_full, dropped + 1, memory_order_release);
        return;
    }
    stamp(logger->log, record);
    sn_log_record_put(record, size, line);
    record->logger = logger->index;
    record->dropped = dropped;
    record->truncated = truncated;
    sn_log_ring_publish(ring);
}

static __attribute__((noinline)) void push_cut(const sonde_logger *logger, struct sn_log_ring *ring,
                                               const sonde_log_line *line) {
    struct sn_log_cut cut;
    sn_log_cut(line, &cut);
    push(logger, ring, sn_log_record_size(&cut.line), &cut.line, cut.truncated);
}

void sonde_log_submit(sonde_logger *logger, const sonde_log_line *line) {
    sonde_log *log = logger != NULL ? logger->log : NULL;
    if (SN_UNLIKELY(log == NULL)) {
        count_shared(&nowhere_count);
        return;
    }
    if (SN_UNLIKELY(!atomic_load_explicit(&log->is_open, memory_order_relaxed))) {
        count_shared(&log->dropped_closed);
        return;
    }
    struct sn_log_ring *ring = sn_log_own_ring(log);
    if (SN_UNLIKELY(ring == NULL) && (ring = attach(log)) == NULL)
        return;
    /* Only a signal handler of this thread can find it busy, so the order of the compiler is all
     * that the two stores need. */
    if (SN_UNLIKELY(atomic_load_explicit(&ring->is_busy, memory_order_relaxed))) {
        sn_log_count(&ring->dropped_reentrant, 1);
        return;
    }
    atomic_store_explicit(&ring->is_busy, true, memory_order_relaxed);
    atomic_signal_fence(memory_order_seq_cst);
    size_t size = sn_log_record_size(line);
    if (SN_LIKELY(size != SIZE_MAX))
        push(logger, ring, size, line, 0);
    else
        push_cut(logger, ring, line);
    atomic_signal_fence(memory_order_seq_cst);
    atomic_store_explicit(&ring->is_busy, false, memory_order_relaxed);
}

void sonde_log_write(sonde_logger *logger, sonde_level level, const char *message,
                     const sonde_field *fields, size_t field_count) {
    if (sonde_log_enabled(logger, level))
        sonde_log_submit_parts(logger, level, 0, message, fields, field_count);
}

/* ---- rate limit ---- */

static uint64_t site_now_ns(const sonde_logger *logger) {
    bool has_log = logger != NULL && logger->log != NULL;
    return (uint64_t)sn_clock_mono_ns(has_log ? logger->log->clock : sn_clock_system());
}

/*
 * due_ns is when the lines let through so far would have been due at an even pace. A line may come
 * before its time, but not so much that more than a second's worth are ahead.
 */
static bool take_turn(sonde_log_site *site, uint64_t now_ns, uint64_t interval_ns) {
    uint64_t due_ns = __atomic_load_n(&site->due_ns, __ATOMIC_RELAXED);
    uint64_t next_ns;
    do {
        if (due_ns > now_ns + (NS_PER_S - interval_ns))
            return false;
        next_ns = (due_ns > now_ns ? due_ns : now_ns) + interval_ns;
    } while (!__atomic_compare_exchange_n(&site->due_ns, &due_ns, next_ns, true, __ATOMIC_RELAXED,
                                          __ATOMIC_RELAXED));
    return true;
}

bool sonde_log_site_take(const sonde_logger *logger, sonde_log_site *site, unsigned per_second,
                         uint32_t *ret_suppressed) {
    if (per_second == 0 ||
        !take_turn(site, site_now_ns(logger), per_second < NS_PER_S ? NS_PER_S / per_second : 1)) {
        (void)__atomic_fetch_add(&site->suppressed, 1, __ATOMIC_RELAXED);
        return false;
    }
    uint64_t count = 0;
    if (__atomic_load_n(&site->suppressed, __ATOMIC_RELAXED) != 0)
        count = __atomic_exchange_n(&site->suppressed, (uint64_t)0, __ATOMIC_RELAXED);
    *ret_suppressed = count < UINT32_MAX ? (uint32_t)count : UINT32_MAX;
    return true;
}
