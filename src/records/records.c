/*
 * Queue, writer and retention of the records. See records.h.
 */
#include "records/records.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/rng.h"
#include "records/lite.h"
#include "records/postgres.h"
#include "records/record_samples.h"
#include "records/spooling.h"

enum {
    WRITES_MAX = 256,        /* pushes of one transaction */
    ROWS_MAX = 20000,        /* records of one transaction, about; longer ones only add latency */
    PURGE_ROWS = 5000,       /* deleted at a time, some 20 ms: pushes wait no longer than that */
    TICK_FAILED_MS = 1000,   /* until the engine's own work is tried again */
    SAMPLE_MEMORY = 8 << 20, /* of a batch of SN_RECORD_BATCH_MAX */
};
#define PURGE_INTERVAL_NS INT64_C(60000000000)

struct sn_records {
    struct sn_engine engine;
    const struct sn_clock *clock;
    struct sn_sink sink;
    int64_t retention_ms; /* negative: for ever */
    int64_t event_retention_ms;
    struct sn_records_retention retentions[SN_RECORDS_RETENTIONS_MAX];
    size_t retention_count;
    size_t queue_max;
    struct sn_sample_times times;
    /* Guarded by mu. */
    struct sn_mutex mu;
    struct sn_cond wake;
    struct sn_records_push *first, *last; /* the queue */
    bool is_stopping;
    struct sn_records_stats stats;
};

/* ---- one push ---- */

/* What a push counts as in the queue. */
static size_t rows_of(const struct sn_records_push *push) {
    return push->record_count + push->event_count;
}

static void count_result(struct sn_records *records, const struct sn_records_push *push) {
    sn_mutex_lock(&records->mu);
    if (push->status == SN_OK)
        records->stats.pushed_count += rows_of(push);
    else
        records->stats.refused_count += rows_of(push);
    sn_mutex_unlock(&records->mu);
}

/* The second of two events, in any order and on any thread, is the end of a push. */
static void happen(struct sn_records_push *push) {
    /* seq_cst: the second one sees everything that the first one wrote. */
    if (atomic_fetch_add(&push->happened, 1) != 1)
        return;
    push->status = push->write.status;
    push->err = push->write.err;
    if (push->status == SN_OK && push->sink_status != SN_OK) {
        push->status = push->sink_status;
        push->err = push->sink_err;
    }
    count_result(push->owner, push);
    push->done(push);
}

static void on_samples_durable(void *ctx, sn_status status, const struct sn_err *err) {
    struct sn_records_push *push = ctx;
    push->sink_status = status;
    if (err != NULL)
        push->sink_err = *err;
    happen(push);
}

static void note_rejects(struct sn_records_push *push, const struct sn_push_result *result) {
    for (size_t i = 0; i < SN_REJECT_COUNT; i++)
        push->sample_rejected_count += result->rejected_count[i];
    if (push->sample_rejected_count > 0)
        push->first_reject = result->first_reject;
}

/* SN_OK: the first of the two events has happened or will. */
static sn_status push_samples(struct sn_records *records, struct sn_records_push *push,
                              struct sn_err *err) {
    struct sn_batch_builder builder;
    struct sn_push_result result = {0};
    if (records->sink.push == NULL || push->record_count == 0) {
        happen(push);
        return SN_OK;
    }
    sn_batch_builder_init(&builder, SAMPLE_MEMORY);
    sn_status status =
        sn_record_samples_add(&records->times, push->records, push->record_count, &builder, err);
    if (status == SN_OK) {
        struct sn_batch batch = sn_batch_builder_view(&builder);
        status = records->sink.push(records->sink.ctx, &batch,
                                    (struct sn_push_done){on_samples_durable, push}, &result, err);
    }
    sn_batch_builder_release(&builder);
    if (status == SN_OK)
        note_rejects(push, &result);
    return status;
}

static sn_status enqueue_locked(struct sn_records *records, struct sn_records_push *push,
                                struct sn_err *err) SN_REQUIRES(&records->mu) {
    if (records->is_stopping)
        return sn_err_set(err, SN_ERR_CLOSED, "the server is stopping");
    if (records->stats.queued_count + rows_of(push) > records->queue_max)
        return sn_err_set(err, SN_ERR_BUSY, "%llu records wait to be written, the limit is %zu",
                          (unsigned long long)records->stats.queued_count, records->queue_max);
    push->next = NULL;
    if (records->last != NULL)
        records->last->next = push;
    else
        records->first = push;
    records->last = push;
    records->stats.queued_count += rows_of(push);
    sn_cond_signal(&records->wake);
    return SN_OK;
}

/* Refused early, so that no sample is pushed for records that have no room. */
static sn_status check_room(struct sn_records *records, const struct sn_records_push *push,
                            struct sn_err *err) {
    sn_status status = SN_OK;
    sn_mutex_lock(&records->mu);
    if (records->is_stopping)
        status = sn_err_set(err, SN_ERR_CLOSED, "the server is stopping");
    else if (records->stats.queued_count + rows_of(push) > records->queue_max)
        status = sn_err_set(err, SN_ERR_BUSY, "%llu records wait to be written, the limit is %zu",
                            (unsigned long long)records->stats.queued_count, records->queue_max);
    if (status != SN_OK)
        records->stats.refused_count += rows_of(push);
    sn_mutex_unlock(&records->mu);
    return status;
}

sn_status sn_records_push(struct sn_records *records, struct sn_records_push *push,
                          struct sn_err *err) {
    push->owner = records;
    push->write = (struct sn_engine_write){.records = push->records,
                                           .record_count = push->record_count,
                                           .events = push->events,
                                           .event_count = push->event_count,
                                           .error_change = push->error_change,
                                           .usage = push->usage};
    push->sink_status = SN_OK;
    push->sample_rejected_count = 0;
    atomic_store(&push->happened, 0);
    SN_TRY(check_room(records, push, err));
    SN_TRY(push_samples(records, push, err));
    sn_mutex_lock(&records->mu);
    sn_status status = enqueue_locked(records, push, &push->write.err);
    sn_mutex_unlock(&records->mu);
    if (status != SN_OK) { /* The samples are on their way: the failure goes to done. */
        push->write.status = status;
        happen(push);
    }
    return SN_OK;
}

static void set_event(struct sn_records_push *push) {
    sn_event_set(push->ctx, push->status, &push->err);
}

sn_status sn_records_push_wait(struct sn_records *records, struct sn_records_push *push,
                               struct sn_err *err) {
    struct sn_event event;
    sn_event_init(&event);
    push->done = set_event;
    push->ctx = &event;
    sn_status status = sn_records_push(records, push, err);
    if (status == SN_OK)
        status = sn_event_wait(&event, -1, err);
    sn_event_release(&event);
    return status;
}

/* ---- the writer ---- */

/* The next pushes of the queue, as many as make a transaction. */
static size_t take_locked(struct sn_records *records, struct sn_records_push **ret_pushes)
    SN_REQUIRES(&records->mu) {
    size_t count = 0, rows = 0;
    while (records->first != NULL && count < WRITES_MAX && rows < ROWS_MAX) {
        struct sn_records_push *push = records->first;
        records->first = push->next;
        rows += rows_of(push);
        ret_pushes[count++] = push;
    }
    if (records->first == NULL)
        records->last = NULL;
    records->stats.queued_count -= rows;
    return count;
}

static void fail_all(struct sn_records_push *const *pushes, size_t count, sn_status status,
                     const struct sn_err *err) {
    for (size_t i = 0; i < count; i++) {
        pushes[i]->write.status = status;
        pushes[i]->write.err = *err;
    }
}

static void write_all(struct sn_records *records, struct sn_records_push *const *pushes,
                      size_t count) {
    struct sn_engine_write *writes[WRITES_MAX];
    struct sn_err err = {.status = SN_OK};
    for (size_t i = 0; i < count; i++)
        writes[i] = &pushes[i]->write;
    sn_status status = records->engine.ops->commit(records->engine.ctx, writes, count, &err);
    if (status != SN_OK)
        fail_all(pushes, count, status, &err);
    sn_mutex_lock(&records->mu);
    records->stats.commit_count++;
    records->stats.failure_count += status != SN_OK;
    records->stats.last_error = err;
    sn_mutex_unlock(&records->mu);
    for (size_t i = 0; i < count; i++)
        happen(pushes[i]);
}

static size_t wait_for_pushes(struct sn_records *records, struct sn_records_push **ret_pushes,
                              int64_t until_mono_ns, bool *ret_is_stopping) {
    sn_mutex_lock(&records->mu);
    while (records->first == NULL && !records->is_stopping) {
        int64_t left_ns = until_mono_ns - sn_clock_mono_ns(records->clock);
        if (left_ns <= 0 || !sn_cond_wait_ns(&records->wake, &records->mu, left_ns))
            break;
    }
    size_t count = take_locked(records, ret_pushes);
    *ret_is_stopping = records->is_stopping;
    sn_mutex_unlock(&records->mu);
    return count;
}

/* When the writer does something by itself. */
struct times {
    int64_t purge_mono_ns;
    int64_t tick_mono_ns;
};

static int64_t next_time(const struct times *times) {
    return times->purge_mono_ns < times->tick_mono_ns ? times->purge_mono_ns : times->tick_mono_ns;
}

/* What fails here is in the engine's state, and is tried again. */
static void work(struct sn_records *records, struct times *times) {
    const struct sn_engine_ops *ops = records->engine.ops;
    int64_t now_ns = sn_clock_mono_ns(records->clock);
    if (ops->tick == NULL) {
        times->tick_mono_ns = INT64_MAX;
    } else if (now_ns >= times->tick_mono_ns) {
        int64_t next_ms = TICK_FAILED_MS;
        (void)ops->tick(records->engine.ctx, &next_ms, NULL);
        times->tick_mono_ns = sn_clock_mono_ns(records->clock) + next_ms * 1000000;
    }
    if (now_ns >= times->purge_mono_ns) {
        uint64_t purged;
        bool is_all = sn_records_purge(records, &purged, NULL) != SN_OK || purged < PURGE_ROWS;
        times->purge_mono_ns = sn_clock_mono_ns(records->clock) + (is_all ? PURGE_INTERVAL_NS : 0);
    }
}

static void run(void *ctx) {
    struct sn_records *records = ctx;
    struct sn_records_push *pushes[WRITES_MAX];
    struct times times = {.purge_mono_ns = sn_clock_mono_ns(records->clock) + PURGE_INTERVAL_NS,
                          .tick_mono_ns = sn_clock_mono_ns(records->clock)};
    for (;;) {
        bool is_stopping;
        size_t count = wait_for_pushes(records, pushes, next_time(&times), &is_stopping);
        if (count > 0)
            write_all(records, pushes, count);
        else if (is_stopping)
            return;
        if (!is_stopping)
            work(records, &times);
    }
}

static void stop(void *ctx) {
    struct sn_records *records = ctx;
    sn_mutex_lock(&records->mu);
    records->is_stopping = true;
    sn_cond_broadcast(&records->wake);
    sn_mutex_unlock(&records->mu);
}

struct sn_worker sn_records_worker(struct sn_records *records) {
    return (struct sn_worker){.name = "records", .run = run, .stop = stop, .ctx = records};
}

/* ---- retention ---- */

static sn_status purge_type(struct sn_records *records, struct sn_engine_purge *purge,
                            int64_t retention_ms, uint64_t *count, struct sn_err *err) {
    size_t deleted = 0;
    if (retention_ms <= 0 || *count >= PURGE_ROWS)
        return SN_OK;
    purge->before_ms = sn_clock_wall_ms(records->clock) - retention_ms;
    purge->row_max = PURGE_ROWS - (size_t)*count;
    SN_TRY(records->engine.ops->purge(records->engine.ctx, purge, &deleted, err));
    *count += deleted;
    return SN_OK;
}

sn_status sn_records_purge(struct sn_records *records, uint64_t *ret_count, struct sn_err *err) {
    struct sn_str excepts[SN_RECORDS_RETENTIONS_MAX];
    uint64_t count = 0;
    for (size_t i = 0; i < records->retention_count; i++) {
        struct sn_engine_purge purge = {.metric_type = records->retentions[i].metric_type};
        excepts[i] = purge.metric_type;
        SN_TRY(purge_type(records, &purge, records->retentions[i].retention_ms, &count, err));
    }
    struct sn_engine_purge events = {.is_events = true};
    SN_TRY(purge_type(records, &events, records->event_retention_ms, &count, err));
    struct sn_engine_purge rest = {.excepts = excepts, .except_count = records->retention_count};
    SN_TRY(purge_type(records, &rest, records->retention_ms, &count, err));
    sn_mutex_lock(&records->mu);
    records->stats.purged_count += count;
    sn_mutex_unlock(&records->mu);
    *ret_count = count;
    return SN_OK;
}

/* ---- reading ---- */

sn_status sn_records_list(struct sn_records *records, const struct sn_record_page *page,
                          struct sn_arena *arena, struct sn_record_list *ret_list,
                          struct sn_err *err) {
    if (page->limit < 1 || page->limit > SN_RECORD_PAGE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "limit is %zu, must be 1 to %d", page->limit,
                          SN_RECORD_PAGE_MAX);
    return records->engine.ops->list(records->engine.ctx, page, arena, ret_list, err);
}

sn_status sn_records_get(struct sn_records *records, const struct sn_record_id *id,
                         struct sn_arena *arena, struct sn_record *ret_record, struct sn_err *err) {
    return records->engine.ops->get(records->engine.ctx, id, arena, ret_record, err);
}

sn_status sn_records_windows(struct sn_records *records, const struct sn_record_filter *filter,
                             int64_t width_ms, struct sn_arena *arena,
                             struct sn_window_list *ret_list, struct sn_err *err) {
    struct sn_windows windows;
    sn_status status = sn_windows_init(&windows, filter->start_ms, filter->end_ms, width_ms, err);
    struct sn_record_visitor visitor = sn_windows_visitor(&windows);
    if (status == SN_OK)
        status = records->engine.ops->scan(records->engine.ctx, filter, &visitor, err);
    if (status == SN_OK)
        status = sn_windows_finish(&windows, arena, ret_list, err);
    sn_windows_release(&windows);
    return status;
}

sn_status sn_records_scan_events(struct sn_records *records, struct sn_str app,
                                 struct sn_range_ms range,
                                 const struct sn_app_event_visitor *visitor, struct sn_err *err) {
    return records->engine.ops->scan_events(records->engine.ctx, app, range, visitor, err);
}

sn_status sn_records_scan_usage(struct sn_records *records, struct sn_str app,
                                struct sn_range_ms range, const struct sn_usage_visitor *visitor,
                                struct sn_err *err) {
    return records->engine.ops->scan_usage(records->engine.ctx, app, range, visitor, err);
}

sn_status sn_records_list_errors(struct sn_records *records, const struct sn_error_filter *filter,
                                 struct sn_arena *arena, struct sn_error_list *ret_list,
                                 struct sn_err *err) {
    if (filter->limit < 1 || filter->limit > SN_RECORD_PAGE_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "limit is %zu, must be 1 to %d", filter->limit,
                          SN_RECORD_PAGE_MAX);
    return records->engine.ops->list_errors(records->engine.ctx, filter, arena, ret_list, err);
}

struct sn_range_ms sn_records_event_times(const struct sn_records *records) {
    int64_t now_ms = sn_clock_wall_ms(records->clock);
    int64_t kept_ms = records->event_retention_ms - SN_HOUR_MS;
    struct sn_range_ms range = {.end_ms = now_ms + SN_RECORDS_EVENT_FUTURE_MS};
    if (records->event_retention_ms > 0 && kept_ms < now_ms)
        range.start_ms = now_ms - kept_ms;
    return range;
}

const char *sn_records_engine_name(const struct sn_records *records) {
    return records->engine.ops->name;
}

sn_status sn_records_ping(struct sn_records *records, struct sn_err *err) {
    return records->engine.ops->ping(records->engine.ctx, err);
}

void sn_records_state(struct sn_records *records, struct sn_engine_state *ret_state) {
    *ret_state = (struct sn_engine_state){.is_away = false};
    if (records->engine.ops->state != NULL)
        records->engine.ops->state(records->engine.ctx, ret_state);
}

void sn_records_stats(struct sn_records *records, struct sn_records_stats *ret_stats) {
    sn_mutex_lock(&records->mu);
    *ret_stats = records->stats;
    sn_mutex_unlock(&records->mu);
}

/* ---- life ---- */

static void take_options(struct sn_records *records, const struct sn_records_options *options) {
    records->clock = options->clock != NULL ? options->clock : sn_clock_system();
    records->sink = options->sink;
    records->retention_ms =
        options->retention_ms != 0 ? options->retention_ms : SN_RECORDS_RETENTION_MS_DEFAULT;
    records->event_retention_ms = options->event_retention_ms != 0
                                      ? options->event_retention_ms
                                      : SN_RECORDS_RETENTION_MS_DEFAULT;
    records->retention_count = options->retention_count;
    for (size_t i = 0; i < options->retention_count; i++)
        records->retentions[i] = options->retentions[i];
    records->queue_max = options->queue_max > 0 ? options->queue_max : SN_RECORDS_QUEUE_MAX;
}

static sn_status open_engine(const struct sn_records_options *options, struct sn_engine *ret_engine,
                             struct sn_err *err) {
    if (options->database_url == NULL) {
        const struct sn_lite_options lite = {.dir = options->dir};
        return sn_lite_open(&lite, ret_engine, err);
    }
    const struct sn_postgres_options postgres = {.url = options->database_url,
                                                 .clock = options->clock};
    struct sn_engine inner;
    SN_TRY(sn_postgres_open(&postgres, &inner, err));
    return sn_spooling_open(inner, options->dir, options->spool_bytes_max, ret_engine, err);
}

sn_status sn_records_open(const struct sn_records_options *options, struct sn_records **ret_records,
                          struct sn_err *err) {
    if (options->retention_count > SN_RECORDS_RETENTIONS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%zu record types have a retention, the limit is %d",
                          options->retention_count, SN_RECORDS_RETENTIONS_MAX);
    struct sn_records *records = sn_alloc_zero(1, sizeof *records);
    if (records == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to open the records");
    sn_status status = open_engine(options, &records->engine, err);
    if (status != SN_OK) {
        sn_free(records);
        return status;
    }
    take_options(records, options);
    sn_sample_times_init(&records->times, sn_rng_system_seed());
    sn_mutex_init(&records->mu, SN_RANK_RECORDS, "records");
    sn_cond_init(&records->wake);
    *ret_records = records;
    return SN_OK;
}

struct sn_records *sn_records_close(struct sn_records *records) {
    if (records == NULL)
        return NULL;
    struct sn_err err;
    sn_status status = sn_err_set(&err, SN_ERR_CLOSED, "the server is stopping");
    while (records->first != NULL) {
        struct sn_records_push *push = records->first;
        records->first = push->next;
        fail_all(&push, 1, status, &err);
        happen(push);
    }
    records->engine.ops->close(records->engine.ctx);
    sn_sample_times_release(&records->times);
    sn_cond_release(&records->wake);
    sn_mutex_release(&records->mu);
    sn_free(records);
    return NULL;
}
