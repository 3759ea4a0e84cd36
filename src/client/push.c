/*
 * The life of push clients: new, flush, close, free; what fork means. See push_priv.h.
 *
 *     new --> on --close--> closed --free--> gone
 *             |  ^
 *        fork |  | resume      in the child: off, no thread, empty
 *             v  |
 *             off
 *
 * fork takes no lock here. The child throws the buffer away, so that it does not matter what
 * another thread was doing to it; lock and conditions are made anew.
 */
#include "client/push_priv.h"

#include "base/mem.h"
#include "client/error_priv.h"

#include <pthread.h>

#define NS_PER_MS INT64_C(1000000)
#define GRACE_NS (100 * NS_PER_MS) /* two slices of a wait in push_http.c */
#define SERVICE_BYTES_MAX ((size_t)255)

static _Atomic(sonde_collector *) collectors[SONDE_COLLECTORS_MAX];

/* ---- fork ---- */

static void forget_parent(sonde_collector *collector) {
    sn_mutex_init(&collector->mu, SN_RANK_CLIENT_PUSH, "client push");
    sn_cond_init(&collector->wake); /* the waiters of the parent are not here */
    sn_cond_init(&collector->done);
    sn_push_ring_reset(&collector->ring);
    sn_push_http_disconnect(&collector->http);
    for (unsigned i = 0; i < SN_PUSH_NUMBER_COUNT; i++)
        atomic_store(&collector->numbers[i], 0);
    atomic_store(&collector->is_on, false);
    if (!collector->is_closed)
        atomic_store(&collector->http.abort_ns, INT64_MAX);
    collector->flush_wanted = collector->snapshot_end = 0;
    collector->registry = NULL;
    collector->snapshot_interval_ns = 0;
    collector->flush_waiters = 0;
    collector->failure_count = 0;
    collector->rest_until_ns = INT64_MIN;
    collector->is_sending = collector->is_snapshotting = false;
    collector->thread = (struct sn_thread){.is_running = false};
    collector->has_thread = collector->is_stopping = collector->is_closing = false;
}

static void after_fork_child(void) {
    for (unsigned slot = 0; slot < SONDE_COLLECTORS_MAX; slot++) {
        sonde_collector *collector = atomic_load(&collectors[slot]);
        if (collector != NULL)
            forget_parent(collector);
    }
}

static void init_once(void) {
    /* Fails without memory only; then a child of fork must not use the collectors. */
    (void)pthread_atfork(NULL, NULL, after_fork_child);
}

/* ---- new ---- */

/* Base tells apart what the host cannot change: for it, all that the system refused is IO. */
static sonde_status public_status(sn_status status) {
    bool is_public =
        status >= SN_ERR_INVALID || status == SN_ERR_EXISTS || status == SN_ERR_UNSUPPORTED;
    return is_public ? (sonde_status)status : SONDE_ERR_IO;
}

static size_t or_default(size_t value, size_t fallback) {
    return value != 0 ? value : fallback;
}

static sonde_collector_options with_defaults(const sonde_collector_options *options) {
    sonde_collector_options full = *options;
    full.url = full.url != NULL ? full.url : "http://127.0.0.1:9464";
    full.buffer_bytes = or_default(full.buffer_bytes, (size_t)4 << 20);
    full.record_max = or_default(full.record_max, 100000);
    full.batch_bytes = or_default(full.batch_bytes, (size_t)256 << 10);
    if (options->batch_bytes == 0 && full.batch_bytes > full.buffer_bytes)
        full.batch_bytes = full.buffer_bytes;
    full.batch_max = or_default(full.batch_max, 5000);
    full.flush_interval_ms = (unsigned)or_default(full.flush_interval_ms, 1000);
    full.backoff_min_ms = (unsigned)or_default(full.backoff_min_ms, 500);
    full.backoff_max_ms = (unsigned)or_default(full.backoff_max_ms, 30000);
    full.connect_timeout_ms = (unsigned)or_default(full.connect_timeout_ms, 3000);
    full.timeout_ms = (unsigned)or_default(full.timeout_ms, 10000);
    return full;
}

static sn_status check_text(const char *text, const char *what, struct sn_err *err) {
    struct sn_str value = {text, text != NULL ? strnlen(text, SERVICE_BYTES_MAX + 1) : 0};
    if (value.len == 0 || value.len > SERVICE_BYTES_MAX || !sn_str_is_utf8(value))
        return sn_err_set(err, SN_ERR_INVALID, "%s is not 1 to %zu bytes of UTF-8", what,
                          SERVICE_BYTES_MAX);
    return SN_OK;
}

struct range {
    const char *name;
    uint64_t value;
    uint64_t min;
    uint64_t max;
};

static sn_status check(const sonde_collector_options *options, struct sn_err *err) {
    const uint64_t day_ms = 86400000;
    const struct range ranges[] = {
        {"buffer_bytes", options->buffer_bytes, 65536, UINT64_C(1) << 30},
        {"record_max", options->record_max, 1, 100000000},
        {"batch_bytes", options->batch_bytes, 16384, (uint64_t)16 << 20},
        {"batch_bytes beside buffer_bytes", options->batch_bytes, 0, options->buffer_bytes},
        {"batch_max", options->batch_max, 1, 100000000},
        {"flush_interval_ms", options->flush_interval_ms, 1, day_ms},
        {"backoff_max_ms", options->backoff_max_ms, 1, day_ms},
        {"backoff_min_ms", options->backoff_min_ms, 1, options->backoff_max_ms},
        {"connect_timeout_ms", options->connect_timeout_ms, 1, day_ms},
        {"timeout_ms", options->timeout_ms, 1, day_ms},
    };
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++)
        if (ranges[i].value < ranges[i].min || ranges[i].value > ranges[i].max)
            return sn_err_set(err, SN_ERR_LIMIT, "%s is %llu, the limits are %llu and %llu",
                              ranges[i].name, (unsigned long long)ranges[i].value,
                              (unsigned long long)ranges[i].min, (unsigned long long)ranges[i].max);
    SN_TRY(check_text(options->service, "service", err));
    return options->instance == NULL ? SN_OK : check_text(options->instance, "instance", err);
}

static sn_status set_up(sonde_collector *collector, const sonde_collector_options *options,
                        struct sn_err *err) {
    struct sn_push_url url;
    SN_TRY(check(options, err));
    SN_TRY(sn_push_url_parse(options->url, &url, err));
    SN_TRY(sn_push_http_init(&collector->http, &url, options->token, err));
    SN_TRY(sn_push_ring_init(&collector->ring, options->buffer_bytes, options->record_max, err));
    sn_buf_init(&collector->batch, options->batch_bytes);
    collector->service = sn_strdup(options->service);
    collector->instance = options->instance != NULL ? sn_strdup(options->instance) : NULL;
    if (collector->service == NULL || (options->instance != NULL && collector->instance == NULL) ||
        sn_buf_reserve(&collector->batch, options->batch_bytes) == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a push client");
    collector->http.connect_timeout_ns = options->connect_timeout_ms * NS_PER_MS;
    collector->http.timeout_ns = options->timeout_ms * NS_PER_MS;
    collector->batch_max = options->batch_max;
    collector->flush_interval_ns = options->flush_interval_ms * NS_PER_MS;
    collector->backoff_min_ns = options->backoff_min_ms * NS_PER_MS;
    collector->backoff_max_ns = options->backoff_max_ms * NS_PER_MS;
    collector->rest_until_ns = INT64_MIN;
    collector->next_send_ns = sn_clock_mono_ns(collector->clock) + collector->flush_interval_ns;
    sn_rng_init(&collector->rng, sn_rng_system_seed());
    return SN_OK;
}

static sn_status take_slot(sonde_collector *collector, struct sn_err *err) {
    for (unsigned slot = 0; slot < SONDE_COLLECTORS_MAX; slot++) {
        sonde_collector *nobody = NULL;
        collector->slot = slot;
        if (atomic_compare_exchange_strong(&collectors[slot], &nobody, collector))
            return SN_OK;
    }
    return sn_err_set(err, SN_ERR_LIMIT, "there are %d push clients, which is the limit",
                      SONDE_COLLECTORS_MAX);
}

static sn_status start_thread(sonde_collector *collector, struct sn_err *err) {
    sn_mutex_lock(&collector->mu);
    sn_status status = SN_OK;
    if (collector->is_closed || collector->is_stopping)
        status = sn_err_set(err, SN_ERR_INVALID, "a push client that is closed cannot go on");
    else if (!collector->has_thread)
        status = sn_thread_start(&collector->thread, "sonde-push", sn_push_run, collector, err);
    if (status == SN_OK) {
        collector->has_thread = true;
        atomic_store(&collector->is_on, true);
    }
    sn_mutex_unlock(&collector->mu);
    return status;
}

/* Without a thread, and nobody else knows it; half-built ones too. Returns NULL. */
static sonde_collector *release(sonde_collector *collector) {
    sonde_collector *self = collector;
    (void)atomic_compare_exchange_strong(&collectors[collector->slot], &self, NULL);
    sn_push_metrics_hide(collector);
    sn_push_http_release(&collector->http);
    sn_push_ring_release(&collector->ring);
    sn_buf_release(&collector->batch);
    sn_free(collector->service);
    sn_free(collector->instance);
    sn_cond_release(&collector->wake);
    sn_cond_release(&collector->done);
    sn_mutex_release(&collector->mu);
    sn_free(collector);
    return NULL;
}

static sonde_collector *make(const struct sn_clock *clock) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, init_once);
    sonde_collector *collector = sn_alloc_zero(1, sizeof *collector);
    if (collector == NULL)
        return NULL;
    sn_mutex_init(&collector->mu, SN_RANK_CLIENT_PUSH, "client push");
    sn_cond_init(&collector->wake);
    sn_cond_init(&collector->done);
    collector->http.fd = -1;
    collector->clock = clock;
    return collector;
}

sonde_collector *sn_push_open(const sonde_collector_options *options, const struct sn_clock *clock,
                              bool has_thread, sonde_error *error) {
    const sonde_collector_options none = {.service = NULL};
    struct sn_err err = {SN_OK, ""};
    sonde_collector *collector = make(clock);
    if (collector == NULL) {
        sn_status status = sn_err_set(&err, SN_ERR_NO_MEMORY, "no memory for a push client");
        (void)sn_public_error(error, (sonde_status)status, &err);
        return NULL;
    }
    const sonde_collector_options full = with_defaults(options != NULL ? options : &none);
    sn_status status = set_up(collector, &full, &err);
    if (status == SN_OK)
        status = take_slot(collector, &err);
    (void)sn_public_error(error, public_status(status), &err);
    if (status != SN_OK)
        return release(collector);
    if (full.has_metrics && sn_push_metrics_show(collector, full.registry, error) != SONDE_OK)
        return release(collector);
    atomic_store(&collector->is_on, true);
    if (has_thread)
        status = start_thread(collector, &err);
    (void)sn_public_error(error, public_status(status), &err);
    return status == SN_OK ? collector : release(collector);
}

sonde_collector *sonde_collector_new(const sonde_collector_options *options, sonde_error *error) {
    return sn_push_open(options, sn_clock_system(), true, error);
}

/* ---- waiting ---- */

static int64_t deadline_after(unsigned timeout_ms) {
    return sn_clock_mono_ns(sn_clock_system()) + (int64_t)timeout_ms * NS_PER_MS;
}

/* Wait for `done` until a deadline; false: it has passed. */
static bool wait_done_locked(sonde_collector *collector, int64_t deadline_ns)
    SN_REQUIRES(&collector->mu);
static bool wait_done_locked(sonde_collector *collector, int64_t deadline_ns) {
    int64_t left_ns = deadline_ns - sn_clock_mono_ns(sn_clock_system());
    if (left_ns <= 0)
        return false;
    (void)sn_cond_wait_ns(&collector->done, &collector->mu, left_ns);
    return true;
}

void sonde_collector_push_registry(sonde_collector *collector, sonde_registry *registry,
                                   unsigned interval_ms) {
    if (collector == NULL)
        return;
    sn_mutex_lock(&collector->mu);
    while (collector->is_snapshotting)
        sn_cond_wait(&collector->done, &collector->mu);
    collector->registry = interval_ms != 0 ? registry : NULL;
    collector->snapshot_interval_ns = interval_ms * NS_PER_MS;
    collector->next_snapshot_ns = INT64_MIN;
    sn_cond_signal(&collector->wake);
    sn_mutex_unlock(&collector->mu);
}

bool sonde_collector_flush(sonde_collector *collector, unsigned timeout_ms) {
    if (collector == NULL)
        return true;
    int64_t deadline_ns = deadline_after(timeout_ms);
    sn_mutex_lock(&collector->mu);
    uint64_t wanted = collector->ring.first + collector->ring.count;
    bool is_done = sn_push_settled_locked(collector) >= wanted;
    if (collector->flush_wanted < wanted)
        collector->flush_wanted = wanted;
    collector->flush_waiters++;
    sn_cond_signal(&collector->wake);
    while (!is_done && collector->has_thread && wait_done_locked(collector, deadline_ns))
        is_done = sn_push_settled_locked(collector) >= wanted;
    collector->flush_waiters--;
    sn_mutex_unlock(&collector->mu);
    return is_done;
}

/* ---- close ---- */

/* Tell the sender to stop by abort_ns at the latest. False: it is closed already. */
static bool begin_close(sonde_collector *collector, int64_t abort_ns) {
    sn_mutex_lock(&collector->mu);
    while (collector->is_closing)
        sn_cond_wait(&collector->done, &collector->mu);
    bool is_ours = !collector->is_closed;
    if (is_ours) {
        collector->is_closing = collector->is_stopping = true;
        atomic_store(&collector->is_on, false);
        atomic_store(&collector->http.abort_ns, abort_ns);
        sn_cond_signal(&collector->wake);
    }
    sn_mutex_unlock(&collector->mu);
    return is_ours;
}

static bool end_close(sonde_collector *collector, bool has_ended) {
    sn_mutex_lock(&collector->mu);
    collector->is_closing = false;
    collector->is_closed = has_ended;
    collector->has_thread = collector->has_thread && !has_ended;
    sn_cond_broadcast(&collector->done);
    sn_mutex_unlock(&collector->mu);
    return has_ended;
}

bool sonde_collector_close(sonde_collector *collector, unsigned timeout_ms) {
    if (collector == NULL || !begin_close(collector, deadline_after(timeout_ms)))
        return true;
    if (!collector->has_thread)
        sn_push_finish(collector);
    return end_close(collector,
                     sn_thread_join_within(&collector->thread, timeout_ms * NS_PER_MS + GRACE_NS));
}

sonde_collector *sonde_collector_free(sonde_collector *collector) {
    if (collector == NULL)
        return NULL;
    if (begin_close(collector, INT64_MIN)) {
        if (!collector->has_thread)
            sn_push_finish(collector);
        sn_thread_join(&collector->thread);
    }
    return release(collector);
}

sonde_status sonde_collector_resume(sonde_collector *collector, sonde_error *error) {
    struct sn_err err = {SN_OK, ""};
    sn_status status = SN_ERR_INVALID;
    if (collector == NULL)
        (void)sn_err_set(&err, status, "there is no push client at NULL");
    else
        status = start_thread(collector, &err);
    return sn_public_error(error, public_status(status), &err);
}

/* ---- numbers ---- */

static void read_locked(const sonde_collector *collector, sonde_collector_stats *ret_stats) {
    ret_stats->queued = collector->ring.count + collector->ring.open_count;
    ret_stats->queued_bytes = collector->ring.used;
    memcpy(ret_stats->last_error, collector->last_error, sizeof ret_stats->last_error);
}

void sonde_collector_read(const sonde_collector *collector, sonde_collector_stats *ret_stats) {
    *ret_stats = (sonde_collector_stats){.submitted = 0};
    if (collector == NULL)
        return;
    /* The lock is the only thing that reading changes. */
    struct sn_mutex *mu = &((sonde_collector *)(uintptr_t)collector)->mu;
    sn_mutex_lock(mu);
    read_locked(collector, ret_stats);
    sn_mutex_unlock(mu);
    ret_stats->submitted = sn_push_number(collector, SN_PUSH_SUBMITTED);
    ret_stats->sent = sn_push_number(collector, SN_PUSH_SENT);
    ret_stats->dropped_overflow = sn_push_number(collector, SN_PUSH_DROPPED_OVERFLOW);
    ret_stats->dropped_refused = sn_push_number(collector, SN_PUSH_DROPPED_REFUSED);
    ret_stats->dropped_rejected = sn_push_number(collector, SN_PUSH_DROPPED_REJECTED);
    ret_stats->dropped_invalid = sn_push_number(collector, SN_PUSH_DROPPED_INVALID);
    ret_stats->dropped_too_long = sn_push_number(collector, SN_PUSH_DROPPED_TOO_LONG);
    ret_stats->dropped_rate = sn_push_number(collector, SN_PUSH_DROPPED_RATE);
    ret_stats->dropped_closed = sn_push_number(collector, SN_PUSH_DROPPED_CLOSED);
    ret_stats->batches = sn_push_number(collector, SN_PUSH_BATCHES);
    ret_stats->failures = sn_push_number(collector, SN_PUSH_FAILURES);
    ret_stats->snapshots = sn_push_number(collector, SN_PUSH_SNAPSHOTS);
    ret_stats->snapshots_skipped = sn_push_number(collector, SN_PUSH_SNAPSHOTS_SKIPPED);
}

uint64_t sonde_collector_dropped_count(const sonde_collector *collector) {
    uint64_t sum = 0;
    for (unsigned i = SN_PUSH_DROPPED_OVERFLOW; collector != NULL && i <= SN_PUSH_DROPPED_CLOSED;
         i++)
        sum += sn_push_number(collector, (enum sn_push_number)i);
    return sum;
}
