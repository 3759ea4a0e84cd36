/*
 * Samples on their way into the buffer, and the timestamps that they get. See push_priv.h.
 *
 * A store keeps one value per series and millisecond. Two calls within one would lose one of them,
 * so the second is moved to the next free millisecond of its series. Any thread.
 */
#include "client/push_priv.h"

#define CLOCK_STEP_MS 1000

/* The wall clock was set back: what we remember lies in a future that is none. */
static void watch_clock_locked(sonde_collector *collector, int64_t now_ms)
    SN_REQUIRES(&collector->mu);
static void watch_clock_locked(sonde_collector *collector, int64_t now_ms) {
    if (now_ms < collector->last_now_ms - CLOCK_STEP_MS)
        memset(collector->last_ms, 0, sizeof collector->last_ms);
    collector->last_now_ms = now_ms;
}

static void put_locked(sonde_collector *collector, int64_t time_ms, struct sn_str text)
    SN_REQUIRES(&collector->mu);
static void put_locked(sonde_collector *collector, int64_t time_ms, struct sn_str text) {
    uint64_t lost = sn_push_ring_put(&collector->ring, time_ms, text);
    sn_push_count(collector, SN_PUSH_SUBMITTED, 1);
    if (lost == 0)
        return;
    sn_push_count(collector, SN_PUSH_DROPPED_OVERFLOW, lost);
    if (collector->flush_waiters > 0)
        sn_cond_broadcast(&collector->done);
}

/* Whether a batch is full now and was not before. */
static bool is_full_locked(const sonde_collector *collector, size_t count_before,
                           size_t used_before) SN_REQUIRES(&collector->mu);
static bool is_full_locked(const sonde_collector *collector, size_t count_before,
                           size_t used_before) {
    const struct sn_push_ring *ring = &collector->ring;
    return (ring->count >= collector->batch_max && count_before < collector->batch_max) ||
           (ring->used >= collector->batch.cap && used_before < collector->batch.cap);
}

static enum sn_push_number put_all_locked(sonde_collector *collector,
                                          const struct sn_push_entry *entries, size_t count)
    SN_REQUIRES(&collector->mu);
static enum sn_push_number put_all_locked(sonde_collector *collector,
                                          const struct sn_push_entry *entries, size_t count) {
    int64_t now_ms = sn_clock_wall_ms(collector->clock);
    if (!atomic_load(&collector->is_on))
        return SN_PUSH_DROPPED_CLOSED;
    watch_clock_locked(collector, now_ms);
    /* Samples of one call share one moment, the first that is free for all of them. */
    int64_t time_ms = now_ms;
    for (size_t i = 0; i < count; i++) {
        int64_t last_ms = collector->last_ms[entries[i].slot];
        time_ms = last_ms >= time_ms ? last_ms + 1 : time_ms;
    }
    if (time_ms > now_ms + SONDE_PUSH_AHEAD_MS)
        return SN_PUSH_DROPPED_RATE;
    size_t count_before = collector->ring.count, used_before = collector->ring.used;
    for (size_t i = 0; i < count; i++) {
        collector->last_ms[entries[i].slot] = time_ms;
        put_locked(collector, time_ms, sn_push_line_str(&entries[i].line));
    }
    if (is_full_locked(collector, count_before, used_before))
        sn_cond_signal(&collector->wake);
    return SN_PUSH_SUBMITTED;
}

static void count_lost(sonde_collector *collector, enum sn_push_number why, uint64_t count) {
    sn_push_count(collector, SN_PUSH_SUBMITTED, count);
    sn_push_count(collector, why, count);
}

void sn_push_submit(sonde_collector *collector, struct sn_push_entry *entries, size_t count) {
    for (size_t i = 0; i < count; i++) {
        sn_status status = entries[i].line.status;
        if (status != SN_OK) {
            count_lost(collector,
                       status == SN_ERR_LIMIT ? SN_PUSH_DROPPED_TOO_LONG : SN_PUSH_DROPPED_INVALID,
                       count);
            return;
        }
    }
    sn_mutex_lock(&collector->mu);
    enum sn_push_number result = put_all_locked(collector, entries, count);
    sn_mutex_unlock(&collector->mu);
    if (result != SN_PUSH_SUBMITTED)
        count_lost(collector, result, count);
}

void sn_push_submit_at(sonde_collector *collector, const struct sn_push_line *line,
                       int64_t time_ms) {
    if (line->status != SN_OK) {
        count_lost(
            collector,
            line->status == SN_ERR_LIMIT ? SN_PUSH_DROPPED_TOO_LONG : SN_PUSH_DROPPED_INVALID, 1);
        return;
    }
    sn_mutex_lock(&collector->mu);
    put_locked(collector, time_ms, sn_push_line_str(line));
    sn_mutex_unlock(&collector->mu);
}

uint64_t sn_push_settled_locked(const sonde_collector *collector) {
    return collector->is_sending ? collector->batch_first : collector->ring.first;
}
