/*
 * Sums up hours that are over, so that long periods are read quickly. See usage.h.
 *
 * An hour gets its summary GRACE_MS after its end. When events for it come later, the database
 * marks it again, readers go back to its events, and the next round makes a new summary.
 */
#include "engine/usage.h"

#include "base/mem.h"

#define ROUND_NS INT64_C(60000000000)
#define GRACE_MS INT64_C(120000)
enum { HOURS_PER_ROUND = 500 };

/* An hour to sum up; text in the arena. */
struct hour {
    struct sn_str app;
    int64_t hour;
};

struct round {
    struct sn_arena arena;
    struct hour *items; /* [HOURS_PER_ROUND] in the arena */
    size_t count;
};

static sn_status visit_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                            struct sn_err *err) {
    struct round *round = ctx;
    if (summary.ptr != NULL || round->count == HOURS_PER_ROUND)
        return SN_OK;
    struct hour *item = &round->items[round->count];
    if (!sn_arena_copy(&round->arena, app, &item->app))
        return sn_arena_failure(&round->arena, app.len, err);
    item->hour = hour;
    round->count++;
    return SN_OK;
}

static sn_status put_summary(struct sn_records *records, const struct hour *hour,
                             const struct sn_usage *usage, struct sn_err *err) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_usage_encode(usage, &buf);
    sn_status status = sn_buf_status(&buf, err);
    if (status == SN_OK) {
        const struct sn_engine_usage row = {.app = hour->app,
                                            .hour = hour->hour,
                                            .summary = sn_buf_str(&buf),
                                            .event_count = usage->totals.event_count};
        struct sn_records_push push = {.usage = &row};
        status = sn_records_push_wait(records, &push, err);
    }
    sn_buf_release(&buf);
    return status;
}

static sn_status visit_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    sn_status status = sn_usage_add(ctx, event);
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "cannot sum up events");
}

static sn_status seal_hour(struct sn_records *records, const struct hour *hour,
                           struct sn_err *err) {
    struct sn_usage *usage = sn_usage_new();
    if (usage == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to sum up an hour");
    const struct sn_app_event_visitor visitor = {.ctx = usage, .visit = visit_event};
    const struct sn_range_ms range = {.start_ms = hour->hour * SN_HOUR_MS,
                                      .end_ms = (hour->hour + 1) * SN_HOUR_MS};
    sn_status status = sn_records_scan_events(records, hour->app, range, &visitor, err);
    if (status == SN_OK)
        status = put_summary(records, hour, usage, err);
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

static bool is_stopping(struct sn_usage_sealer *sealer) {
    sn_mutex_lock(&sealer->mu);
    bool stopping = sealer->is_stopping;
    sn_mutex_unlock(&sealer->mu);
    return stopping;
}

static sn_status seal_all(struct sn_usage_sealer *sealer, const struct round *round,
                          size_t *ret_count, struct sn_err *err) {
    for (size_t i = 0; i < round->count && !is_stopping(sealer); i++) {
        sn_status status = seal_hour(sealer->records, &round->items[i], err);
        if (status == SN_ERR_BUSY) /* other events came meanwhile: the next round */
            continue;
        SN_TRY(status);
        (*ret_count)++;
    }
    return SN_OK;
}

sn_status sn_usage_seal(struct sn_usage_sealer *sealer, size_t *ret_count, struct sn_err *err) {
    struct round round = {.count = 0};
    const struct sn_usage_visitor visitor = {.ctx = &round, .visit = visit_hour};
    int64_t end_ms = (sn_clock_wall_ms(sealer->clock) - GRACE_MS) / SN_HOUR_MS * SN_HOUR_MS;
    size_t count = 0;
    sn_arena_init(&round.arena, 0);
    round.items = sn_arena_alloc_zero(&round.arena, HOURS_PER_ROUND, sizeof *round.items);
    sn_status status = round.items != NULL ? SN_OK : sn_arena_failure(&round.arena, 0, err);
    if (status == SN_OK)
        status = sn_records_scan_usage(sealer->records, SN_STR(""),
                                       (struct sn_range_ms){.start_ms = 0, .end_ms = end_ms},
                                       &visitor, err);
    if (status == SN_OK)
        status = seal_all(sealer, &round, &count, err);
    sn_arena_release(&round.arena);
    sn_mutex_lock(&sealer->mu);
    sealer->sealed_count += count;
    sealer->failure_count += status != SN_OK;
    sn_mutex_unlock(&sealer->mu);
    *ret_count = count;
    return status;
}

/* ---- worker ---- */

/* false: it is time to stop. */
static bool rest(struct sn_usage_sealer *sealer) {
    int64_t until_ns = sn_clock_mono_ns(sn_clock_system()) + ROUND_NS;
    sn_mutex_lock(&sealer->mu);
    while (!sealer->is_stopping) {
        int64_t left_ns = until_ns - sn_clock_mono_ns(sn_clock_system());
        if (left_ns <= 0 || !sn_cond_wait_ns(&sealer->wake, &sealer->mu, left_ns))
            break;
    }
    bool stopping = sealer->is_stopping;
    sn_mutex_unlock(&sealer->mu);
    return !stopping;
}

static void run(void *ctx) {
    struct sn_usage_sealer *sealer = ctx;
    do {
        size_t count;
        /* What fails is counted, and tried again in the next round. */
        if (sn_usage_seal(sealer, &count, NULL) == SN_OK && count == HOURS_PER_ROUND)
            continue;
        if (!rest(sealer))
            return;
    } while (!is_stopping(sealer));
}

static void stop(void *ctx) {
    struct sn_usage_sealer *sealer = ctx;
    sn_mutex_lock(&sealer->mu);
    sealer->is_stopping = true;
    sn_cond_broadcast(&sealer->wake);
    sn_mutex_unlock(&sealer->mu);
}

void sn_usage_sealer_init(struct sn_usage_sealer *sealer, struct sn_records *records,
                          const struct sn_clock *clock) {
    *sealer = (struct sn_usage_sealer){.records = records,
                                       .clock = clock != NULL ? clock : sn_clock_system()};
    sn_mutex_init(&sealer->mu, SN_RANK_RECORDS, "usage");
    sn_cond_init(&sealer->wake);
}

void sn_usage_sealer_release(struct sn_usage_sealer *sealer) {
    sn_cond_release(&sealer->wake);
    sn_mutex_release(&sealer->mu);
}

struct sn_worker sn_usage_sealer_worker(struct sn_usage_sealer *sealer) {
    return (struct sn_worker){.name = "usage", .run = run, .stop = stop, .ctx = sealer};
}
