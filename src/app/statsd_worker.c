/*
 * The StatsD thread. See statsd_worker.h.
 */
#include "app/statsd_worker.h"

#include "base/log.h"

static void take(void *ctx, struct sn_str datagram) {
    struct sn_statsd_worker *worker = ctx;
    struct sn_err err = {.status = SN_OK};
    int64_t now_ms = sn_clock_wall_ms(worker->clock);
    if (sn_statsd_state_take(worker->state, datagram, now_ms, &err) == SN_OK)
        return;
    if (worker->bad_count++ == 0)
        worker->first_bad = err;
}

/* At most one line per flush. */
static void say_what_was_bad(struct sn_statsd_worker *worker) {
    if (worker->bad_count > 0)
        sn_log_warn("statsd", "%llu datagrams with lines that were not taken, the first: %s",
                    (unsigned long long)worker->bad_count, worker->first_bad.text);
    worker->bad_count = 0;
}

static void flush(struct sn_statsd_worker *worker, bool waits) {
    const struct sn_push_done nobody = {.fn = NULL};
    struct sn_err err = {.status = SN_OK};
    int64_t now_ms = sn_clock_wall_ms(worker->clock);
    sn_status status = sn_statsd_state_flush(worker->state, now_ms, waits ? NULL : &nobody, &err);
    if (status != SN_OK && !worker->was_refused)
        sn_log_warn("statsd", "%s", err.text);
    if (status == SN_OK && worker->was_refused)
        sn_log_info("statsd", "works again");
    worker->was_refused = status != SN_OK;
    say_what_was_bad(worker);
}

static void run(void *ctx) {
    struct sn_statsd_worker *worker = ctx;
    if (worker->clock == NULL)
        worker->clock = sn_clock_system();
    int64_t interval_ns = worker->flush_interval_ms * 1000000;
    int64_t next_ns = sn_clock_mono_ns(worker->clock) + interval_ns;
    while (!atomic_load(&worker->is_stopping)) {
        int64_t left_ns = next_ns - sn_clock_mono_ns(worker->clock);
        if (left_ns <= 0) {
            flush(worker, false);
            next_ns = sn_clock_mono_ns(worker->clock) + interval_ns;
            continue;
        }
        (void)sn_datagrams_receive(worker->datagrams, (int)(left_ns / 1000000) + 1, take, worker);
    }
    while (sn_datagrams_receive(worker->datagrams, 0, take, worker) > 0) {
        /* What has arrived before the stop. */
    }
    flush(worker, true);
}

static void stop(void *ctx) {
    struct sn_statsd_worker *worker = ctx;
    atomic_store(&worker->is_stopping, true);
    sn_datagrams_wake(worker->datagrams);
}

struct sn_worker sn_statsd_worker(struct sn_statsd_worker *worker) {
    return (struct sn_worker){"statsd", run, stop, worker};
}
