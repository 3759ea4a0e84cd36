/*
 * The writer: takes records from all rings in order of time, formats them in place, and gives the
 * rings back what the sinks have. See log_priv.h.
 *
 * Nobody wakes it when a line comes, because that would be a system call of the caller. It looks
 * every millisecond while lines come and ever more seldom when none do.
 */
#include "client/log_priv.h"
#include "client/ticks_priv.h"
#include "sonde/service.h"

#define NS_PER_MS INT64_C(1000000)
#define LOOK_NS_MIN (1 * NS_PER_MS)
#define LOOK_NS_MAX (64 * NS_PER_MS)
#define COMMIT_BYTES 65536 /* of records, until the rings get their room back */
#define HURRY_FILL 64      /* in 1/256: a ring that full is looked at again at once */

/* ---- time ---- */

struct sn_log_moment sn_log_moment_now(const sonde_log *log) {
    if (!log->is_system_clock)
        return (struct sn_log_moment){.mono_ns = sn_clock_mono_ns(log->clock),
                                      .wall_ns = sn_clock_wall_ms(log->clock) * NS_PER_MS};
    struct sn_tick_pair pair = sn_ticks_now();
    struct sn_log_moment moment = {
        .tick = pair.tick, .mono_ns = pair.mono_ns, .wall_ns = sn_clock_system_wall_ns()};
#if SONDE_INLINE_RECORD && defined(__x86_64__)
    moment.tick_scale = __atomic_load_n(&sonde_tick_scale, __ATOMIC_RELAXED);
#endif
    return moment;
}

int64_t sn_log_time_of(const struct sn_log_moment *moment, const struct sn_log_record *record) {
    if ((record->flags & SN_LOG_RECORD_TICK) == 0)
        return moment->wall_ns + ((int64_t)record->stamp - moment->mono_ns);
    int64_t ticks = (int64_t)(record->stamp - moment->tick);
    return moment->wall_ns + (int64_t)(((__int128)ticks * (int64_t)moment->tick_scale) >> 32);
}

/* ---- one round ---- */

static void put_to_sinks(sonde_log *log, uint32_t mask, const struct sn_log_view *view) {
    for (size_t i = 0; i < log->sink_count; i++) {
        if (mask & (1u << i))
            sn_log_sink_put(&log->sinks[i], view);
    }
}

static void put_missing(sonde_log *log, uint64_t count, int64_t time_ns) {
    const struct sn_log_view view = {
        .time_ns = time_ns,
        .logger = SN_STR("sonde.log"),
        .message = SN_STR("lines are missing here"),
        .level = SONDE_LEVEL_WARN,
        .missing = count,
    };
    put_to_sinks(log, UINT32_MAX, &view);
}

/* Move a cursor to its ring's next record; false: there is none. */
static bool cursor_step(struct sn_log_cursor *cursor, const struct sn_log_moment *moment) {
    cursor->record = sn_log_ring_peek(cursor->ring, &cursor->room);
    if (cursor->record == NULL)
        return false;
    cursor->time_ns = sn_log_time_of(moment, cursor->record);
    return true;
}

/* The cursors of rings with something in them. Returns their number. */
static size_t look_around(sonde_log *log, const struct sn_log_moment *moment, unsigned *ret_fill) {
    size_t count = 0;
    *ret_fill = 0;
    for (size_t i = 0; i < log->ring_count; i++) {
        struct sn_log_ring *ring = &log->rings[i];
        uint64_t waiting = sn_log_ring_look(ring);
        unsigned fill = (unsigned)(waiting * 256 / (ring->mask + 1));
        *ret_fill = fill > *ret_fill ? fill : *ret_fill;
        log->cursors[count].ring = ring;
        if (waiting > 0 && cursor_step(&log->cursors[count], moment))
            count++;
    }
    return count;
}

static void put_record(sonde_log *log, const struct sn_log_cursor *cursor) {
    struct sn_log_view view;
    struct sn_log_ring *ring = cursor->ring;
    uint64_t dropped = cursor->record->dropped;
    if (dropped > ring->told) {
        put_missing(log, dropped - ring->told, cursor->time_ns);
        ring->told = dropped;
    }
    if (SN_NEVER(!sn_log_record_view(cursor->record, cursor->room, &view)))
        return;
    const sonde_logger *logger = sn_logger_at(log, cursor->record->logger);
    if (SN_NEVER(logger == NULL))
        return;
    view.time_ns = cursor->time_ns;
    view.logger = sn_str_make(logger->name, logger->name_len);
    put_to_sinks(log, logger->sink_mask, &view);
}

/* Everything up to the cursors is with the sinks: the rings may use the room again. */
static void commit(sonde_log *log) {
    for (size_t i = 0; i < log->sink_count; i++)
        sn_log_sink_flush(&log->sinks[i]);
    for (size_t i = 0; i < log->ring_count; i++) {
        if (log->rings[i].cursor != sn_log_load(&log->rings[i].tail))
            sn_log_ring_commit(&log->rings[i]);
    }
}

static size_t earliest(const struct sn_log_cursor *cursors, size_t count) {
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = cursors[i].time_ns < cursors[best].time_ns ? i : best;
    return best;
}

static void merge(sonde_log *log, size_t count, const struct sn_log_moment *moment) {
    size_t bytes = 0;
    while (count > 0) {
        struct sn_log_cursor *cursor = &log->cursors[earliest(log->cursors, count)];
        put_record(log, cursor);
        bytes += cursor->room;
        sn_log_ring_advance(cursor->ring, cursor->record->size);
        if (!cursor_step(cursor, moment))
            *cursor = log->cursors[--count];
        if (bytes >= COMMIT_BYTES) {
            commit(log);
            bytes = 0;
        }
    }
}

/* Lines that were dropped and are followed by none yet. */
static void tell_dropped(sonde_log *log, int64_t now_ns) {
    uint64_t count = sn_log_load(&log->dropped_threads) - log->told_threads;
    log->told_threads += count;
    for (size_t i = 0; i < log->ring_count; i++) {
        struct sn_log_ring *ring = &log->rings[i];
        /* Acquire pairs with push: who sees the gap sees whether there are records before it. */
        uint64_t dropped = atomic_load_explicit(&ring->dropped_full, memory_order_acquire);
        if (dropped == ring->told || sn_log_load(&ring->head) != ring->cursor)
            continue;
        count += dropped - ring->told;
        ring->told = dropped;
    }
    if (count > 0)
        put_missing(log, count, now_ns);
}

unsigned sn_log_round(sonde_log *log) {
    unsigned fill;
    struct sn_log_moment moment = sn_log_moment_now(log);
    if (log->is_system_clock)
        sn_ticks_update(&(struct sn_tick_pair){moment.tick, moment.mono_ns});
    if (atomic_exchange_explicit(&log->wants_reopen, false, memory_order_relaxed)) {
        for (size_t i = 0; i < log->sink_count; i++)
            log->sinks[i].class->reopen(&log->sinks[i]);
    }
    size_t count = look_around(log, &moment, &fill);
    merge(log, count, &moment);
    tell_dropped(log, moment.wall_ns);
    commit(log);
    return fill > 0 || count == 0 ? fill : 1;
}

/* ---- the thread ---- */

static void writer_wait_locked(sonde_log *log, unsigned fill, int64_t *wait_ns)
    SN_REQUIRES(&sn_log_mu);
static void writer_wait_locked(sonde_log *log, unsigned fill, int64_t *wait_ns) {
    if (fill >= HURRY_FILL)
        return;
    if (fill > 0)
        *wait_ns = LOOK_NS_MIN;
    else
        *wait_ns = *wait_ns < LOOK_NS_MAX ? 2 * *wait_ns : LOOK_NS_MAX;
    (void)sn_cond_wait_ns(&log->wake, &sn_log_mu, *wait_ns);
}

void sn_log_writer_run(void *ctx) {
    sonde_log *log = ctx;
    int64_t wait_ns = LOOK_NS_MIN;
    sn_mutex_lock(&sn_log_mu);
    for (;;) {
        bool is_last = log->is_stopping;
        uint64_t wanted = log->flush_wanted;
        sn_mutex_unlock(&sn_log_mu);
        unsigned fill = sn_log_round(log);
        sn_mutex_lock(&sn_log_mu);
        if (log->flush_done != wanted) {
            log->flush_done = wanted;
            sn_cond_broadcast(&log->done);
        }
        if (is_last)
            break;
        if (!log->is_stopping && log->flush_wanted == wanted)
            writer_wait_locked(log, fill, &wait_ns);
    }
    sn_mutex_unlock(&sn_log_mu);
}
