/*
 * The sender of a push client: batches, answers, back-off. See push_priv.h.
 *
 * One thread, or in tests whoever calls the rounds.
 */
#include "client/push_priv.h"

#define TAKE_AT_ONCE ((size_t)64) /* lines copied under the lock in one go: about 5 us */
#define NS_PER_S INT64_C(1000000000)
#define SLEEP_SLICE_NS INT64_C(50000000) /* how soon a rest notices that time is over */

int64_t sn_push_wait_ns_locked(const sonde_collector *collector, int64_t now_ns) {
    const struct sn_push_ring *ring = &collector->ring;
    bool is_full = ring->count >= collector->batch_max || ring->used >= collector->batch.cap;
    bool is_wanted = ring->count > 0 && ring->first < collector->flush_wanted;
    int64_t at_ns = is_full || is_wanted ? now_ns : collector->next_send_ns;
    if (at_ns < collector->rest_until_ns)
        at_ns = collector->rest_until_ns;
    if (collector->snapshot_interval_ns != 0 && collector->next_snapshot_ns < at_ns)
        at_ns = collector->next_snapshot_ns;
    return at_ns > now_ns ? at_ns - now_ns : 0;
}

/* ---- batches ---- */

static void take_batch(sonde_collector *collector) {
    size_t taken = TAKE_AT_ONCE;
    sn_buf_reset(&collector->batch);
    collector->batch_count = 0;
    sn_mutex_lock(&collector->mu);
    sn_push_ring_begin(&collector->ring);
    collector->batch_first = collector->ring.first;
    collector->is_sending = true;
    sn_mutex_unlock(&collector->mu);
    while (taken == TAKE_AT_ONCE && collector->batch_count < collector->batch_max) {
        size_t left = collector->batch_max - collector->batch_count;
        sn_mutex_lock(&collector->mu);
        taken = sn_push_ring_take(&collector->ring, &collector->batch,
                                  left < TAKE_AT_ONCE ? left : TAKE_AT_ONCE);
        sn_mutex_unlock(&collector->mu);
        collector->batch_count += taken;
    }
}

enum verdict { VERDICT_STORED, VERDICT_REFUSED, VERDICT_AGAIN };

static enum verdict judge(sn_status status, const struct sn_push_answer *answer) {
    if (status != SN_OK)
        return VERDICT_AGAIN;
    if (answer->status < 300)
        return VERDICT_STORED;
    bool is_later = answer->status == 408 || answer->status == 429;
    return answer->status >= 400 && answer->status < 500 && !is_later ? VERDICT_REFUSED
                                                                      : VERDICT_AGAIN;
}

static void count_stored(sonde_collector *collector, const struct sn_push_answer *answer) {
    uint64_t count = collector->batch_count;
    uint64_t accepted = answer->has_accepted && answer->accepted < count ? answer->accepted : count;
    sn_push_count(collector, SN_PUSH_SENT, accepted);
    sn_push_count(collector, SN_PUSH_DROPPED_REJECTED, count - accepted);
    sn_push_count(collector, SN_PUSH_BATCHES, 1);
}

/* Between half and all of a time that doubles with each failure: clients of one server that fell
 * over together do not come back together. */
static void rest(sonde_collector *collector, unsigned retry_after_s) {
    int64_t delay_ns = collector->backoff_min_ns;
    for (unsigned i = 0; i < collector->failure_count && delay_ns < collector->backoff_max_ns; i++)
        delay_ns *= 2;
    delay_ns = delay_ns < collector->backoff_max_ns ? delay_ns : collector->backoff_max_ns;
    uint64_t half = (uint64_t)delay_ns / 2;
    delay_ns = (int64_t)(half + sn_rng_below(&collector->rng, half + 1));
    int64_t asked_ns = (int64_t)retry_after_s * NS_PER_S;
    asked_ns = asked_ns < collector->backoff_max_ns ? asked_ns : collector->backoff_max_ns;
    collector->failure_count++;
    collector->rest_until_ns =
        sn_clock_mono_ns(collector->clock) + (asked_ns > delay_ns ? asked_ns : delay_ns);
}

static void settle_locked(sonde_collector *collector, enum verdict verdict,
                          const struct sn_push_answer *answer) SN_REQUIRES(&collector->mu);
static void settle_locked(sonde_collector *collector, enum verdict verdict,
                          const struct sn_push_answer *answer) {
    switch (verdict) {
    case VERDICT_STORED:
        count_stored(collector, answer);
        sn_push_ring_done(&collector->ring);
        break;
    case VERDICT_REFUSED:
        sn_push_count(collector, SN_PUSH_DROPPED_REFUSED, collector->batch_count);
        sn_push_ring_done(&collector->ring);
        break;
    case VERDICT_AGAIN:
        sn_push_count(collector, SN_PUSH_FAILURES, 1);
        sn_push_count(collector, SN_PUSH_DROPPED_OVERFLOW, sn_push_ring_undo(&collector->ring));
        rest(collector, answer->retry_after_s);
        break;
    }
    if (verdict != VERDICT_AGAIN)
        collector->failure_count = 0;
    collector->is_sending = false;
    sn_cond_broadcast(&collector->done);
}

/* False: it has to be sent again. */
static bool send_batch(sonde_collector *collector) {
    struct sn_push_answer answer = {.status = 0};
    struct sn_err err = {SN_OK, ""};
    take_batch(collector);
    sn_status status = SN_OK;
    if (collector->batch_count > 0)
        status = sn_push_http_post(&collector->http, sn_buf_str(&collector->batch), &answer, &err);
    enum verdict verdict = judge(status, &answer);
    if (status == SN_OK && verdict != VERDICT_STORED)
        (void)sn_err_set(&err, SN_ERR_IO, "%s answered %u", collector->http.url.place,
                         answer.status);
    sn_mutex_lock(&collector->mu);
    if (err.text[0] != '\0')
        memcpy(collector->last_error, err.text, sizeof collector->last_error);
    settle_locked(collector, verdict, &answer);
    sn_mutex_unlock(&collector->mu);
    return verdict != VERDICT_AGAIN;
}

static size_t queued(sonde_collector *collector) {
    sn_mutex_lock(&collector->mu);
    size_t count = collector->ring.count;
    sn_mutex_unlock(&collector->mu);
    return count;
}

bool sn_push_round(sonde_collector *collector) {
    int64_t now_ns = sn_clock_mono_ns(collector->clock);
    sn_push_snapshot(collector, now_ns);
    if (now_ns < collector->rest_until_ns)
        return true;
    bool is_good = queued(collector) == 0 || send_batch(collector);
    collector->next_send_ns = sn_clock_mono_ns(collector->clock) + collector->flush_interval_ns;
    return is_good;
}

/* The end of closing is a moment of the system's clock, also in tests. */
static bool is_aborted(const sonde_collector *collector) {
    return sn_clock_mono_ns(sn_clock_system()) >= atomic_load(&collector->http.abort_ns);
}

static void sleep_until_rested(const sonde_collector *collector) {
    const struct sn_clock *clock = collector->clock;
    while (!is_aborted(collector) && sn_clock_mono_ns(clock) < collector->rest_until_ns) {
        int64_t left_ns = collector->rest_until_ns - sn_clock_mono_ns(clock);
        clock->sleep_ns(clock->ctx, left_ns < SLEEP_SLICE_NS ? left_ns : SLEEP_SLICE_NS);
    }
}

void sn_push_finish(sonde_collector *collector) {
    if (!is_aborted(collector))
        sn_push_snapshot(collector, sn_clock_mono_ns(collector->clock));
    while (!is_aborted(collector) && queued(collector) > 0) {
        if (!send_batch(collector))
            sleep_until_rested(collector);
    }
    sn_push_http_disconnect(&collector->http);
    sn_mutex_lock(&collector->mu);
    sn_push_count(collector, SN_PUSH_DROPPED_CLOSED, sn_push_ring_clear(&collector->ring));
    sn_cond_broadcast(&collector->done);
    sn_mutex_unlock(&collector->mu);
}

void sn_push_run(void *ctx) {
    sonde_collector *collector = ctx;
    sn_mutex_lock(&collector->mu);
    while (!collector->is_stopping) {
        int64_t wait_ns = sn_push_wait_ns_locked(collector, sn_clock_mono_ns(collector->clock));
        if (wait_ns > 0) {
            (void)sn_cond_wait_ns(&collector->wake, &collector->mu, wait_ns);
            continue;
        }
        sn_mutex_unlock(&collector->mu);
        (void)sn_push_round(collector); /* what went wrong is in last_error */
        sn_mutex_lock(&collector->mu);
    }
    sn_mutex_unlock(&collector->mu);
    sn_push_finish(collector);
}
