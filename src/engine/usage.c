/*
 * Events summed up. See usage.h.
 */
#include "engine/usage.h"

#include "base/mem.h"
#include "base/rng.h"
#include "insight/indicator.h"

#include <math.h>

#define BUCKET_GROWTH 1.02
#define BUCKET_MIN_MS 0.001

struct sn_usage *sn_usage_new(void) {
    struct sn_usage *usage = sn_alloc_zero(1, sizeof *usage);
    if (usage == NULL)
        return NULL;
    uint64_t seed = sn_rng_system_seed();
    sn_topk_init(&usage->users, SN_USAGE_USERS_MAX, seed);
    sn_topk_init(&usage->items, SN_USAGE_ITEMS_MAX, seed);
    sn_topk_init(&usage->errors, SN_USAGE_ERRORS_MAX, seed);
    return usage;
}

struct sn_usage *sn_usage_free(struct sn_usage *usage) {
    if (usage == NULL)
        return NULL;
    sn_topk_release(&usage->users);
    sn_topk_release(&usage->items);
    sn_topk_release(&usage->errors);
    sn_free(usage);
    return NULL;
}

/* ---- durations ---- */

static size_t bucket_of(double duration_ms) {
    if (!(duration_ms > BUCKET_MIN_MS))
        return 0;
    double number = log(duration_ms / BUCKET_MIN_MS) / log(BUCKET_GROWTH);
    return number < SN_USAGE_BUCKETS - 1 ? (size_t)number : SN_USAGE_BUCKETS - 1;
}

double sn_usage_duration_ms(const struct sn_usage *usage, double part) {
    uint64_t total = usage->totals.duration_count, seen = 0;
    if (total == 0)
        return (double)NAN;
    uint64_t wanted = (uint64_t)ceil(part * (double)total);
    for (size_t i = 0; i < SN_USAGE_BUCKETS; i++) {
        seen += usage->durations[i];
        if (seen >= wanted && seen > 0) /* the middle of the bucket */
            return BUCKET_MIN_MS * pow(BUCKET_GROWTH, (double)i + 0.5);
    }
    return BUCKET_MIN_MS * pow(BUCKET_GROWTH, SN_USAGE_BUCKETS);
}

/* ---- adding ---- */

static void add_totals(struct sn_usage_totals *totals, const struct sn_app_event *event) {
    totals->event_count++;
    totals->ok_count += event->outcome == SN_OUTCOME_OK;
    totals->error_count += event->outcome == SN_OUTCOME_ERROR;
    totals->aborted_count += event->outcome == SN_OUTCOME_ABORTED;
    totals->quantity_sum += event->quantity;
    if (event->credits > 0)
        totals->credits_used += event->credits;
    else
        totals->credits_refunded -= event->credits;
    if (event->has_duration) {
        totals->duration_count++;
        totals->duration_ms_sum += event->duration_ms;
    }
}

static sn_status add_user(struct sn_usage *usage, const struct sn_app_event *event) {
    struct sn_topk_entry entry = {
        .key = event->user_id, .count = 1, .first_ms = event->time_ms, .last_ms = event->time_ms};
    if (event->user_id.len == 0)
        return SN_OK;
    entry.extra[SN_USAGE_USER_OK] = event->outcome == SN_OUTCOME_OK ? 1 : 0;
    entry.extra[SN_USAGE_USER_ENDED] = event->outcome != SN_OUTCOME_ABORTED ? 1 : 0;
    entry.extra[SN_USAGE_USER_ITEMS] = event->quantity;
    return sn_topk_add(&usage->users, &entry);
}

/* "a" NUL "b"; the texts have no NUL, and are short enough. */
static struct sn_str join(struct sn_str a, struct sn_str b,
                          char buf[2 * SN_EVENT_ITEM_BYTES_MAX + 1]) {
    if (a.len > 0)
        memcpy(buf, a.ptr, a.len);
    buf[a.len] = '\0';
    if (b.len > 0)
        memcpy(buf + a.len + 1, b.ptr, b.len);
    return sn_str_make(buf, a.len + 1 + b.len);
}

static sn_status add_item(struct sn_usage *usage, const struct sn_app_event_item *item,
                          int64_t time_ms) {
    char key[2 * SN_EVENT_ITEM_BYTES_MAX + 1], note[2 * SN_EVENT_ITEM_BYTES_MAX + 1];
    if (item->kind.len > SN_EVENT_NAME_BYTES_MAX || item->id.len > SN_EVENT_ITEM_BYTES_MAX ||
        item->name.len > SN_EVENT_ITEM_BYTES_MAX || item->category.len > SN_EVENT_NAME_BYTES_MAX)
        return SN_ERR_CORRUPT;
    const struct sn_topk_entry entry = {.key = join(item->kind, item->id, key),
                                        .note = join(item->name, item->category, note),
                                        .count = (uint64_t)item->count,
                                        .first_ms = time_ms,
                                        .last_ms = time_ms};
    return sn_topk_add(&usage->items, &entry);
}

static sn_status add_error(struct sn_usage *usage, const struct sn_app_event *event) {
    const struct sn_topk_entry entry = {.key = event->error_class,
                                        .note = event->error_message,
                                        .count = 1,
                                        .first_ms = event->time_ms,
                                        .last_ms = event->time_ms};
    return event->error_class.len > 0 ? sn_topk_add(&usage->errors, &entry) : SN_OK;
}

sn_status sn_usage_add(struct sn_usage *usage, const struct sn_app_event *event) {
    add_totals(&usage->totals, event);
    if (event->has_duration)
        usage->durations[bucket_of(event->duration_ms)]++;
    SN_TRY(add_user(usage, event));
    for (size_t i = 0; i < event->item_count; i++)
        SN_TRY(add_item(usage, &event->items[i], event->time_ms));
    return add_error(usage, event);
}

void sn_usage_totals_add(struct sn_usage_totals *sum, const struct sn_usage_totals *totals) {
    sum->event_count += totals->event_count;
    sum->ok_count += totals->ok_count;
    sum->error_count += totals->error_count;
    sum->aborted_count += totals->aborted_count;
    sum->duration_count += totals->duration_count;
    sum->duration_ms_sum += totals->duration_ms_sum;
    sum->quantity_sum += totals->quantity_sum;
    sum->credits_used += totals->credits_used;
    sum->credits_refunded += totals->credits_refunded;
}

double sn_usage_success_ratio(const struct sn_usage_totals *totals) {
    return sn_ratio((double)totals->ok_count, (double)(totals->ok_count + totals->error_count));
}

double sn_usage_refund_ratio(const struct sn_usage_totals *totals) {
    return sn_ratio(totals->credits_refunded, totals->credits_used);
}

double sn_usage_seconds_per_item(const struct sn_usage_totals *totals) {
    double items = totals->quantity_sum > 0 ? totals->quantity_sum : (double)totals->duration_count;
    return totals->duration_count > 0 ? sn_ratio(totals->duration_ms_sum / 1000, items)
                                      : (double)NAN;
}

sn_status sn_usage_merge(struct sn_usage *usage, const struct sn_usage *other) {
    sn_usage_totals_add(&usage->totals, &other->totals);
    for (size_t i = 0; i < SN_USAGE_BUCKETS; i++) {
        uint64_t sum = (uint64_t)usage->durations[i] + other->durations[i];
        usage->durations[i] = sum > UINT32_MAX ? UINT32_MAX : (uint32_t)sum;
    }
    SN_TRY(sn_topk_merge(&usage->users, &other->users));
    SN_TRY(sn_topk_merge(&usage->items, &other->items));
    return sn_topk_merge(&usage->errors, &other->errors);
}

/* ---- reading a period ---- */

#define PIECES_MAX 20000 /* stretches of a period that are read event by event; 2 years of hours */

/* What a period is made of. */
struct reading {
    struct sn_records *records;
    struct sn_str app;
    struct sn_range_ms range;
    struct sn_usage *usage;
    int64_t *hours; /* [hour_count] of the period that are to be read event by event; owned */
    size_t hour_count;
};

static sn_status add_hour(struct reading *reading, int64_t hour, struct sn_err *err) {
    if (reading->hour_count == PIECES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d hours are not summed up yet",
                          PIECES_MAX);
    if ((reading->hour_count & (reading->hour_count - 1)) == 0) { /* full at powers of two */
        size_t cap = reading->hour_count > 0 ? 2 * reading->hour_count : 1;
        int64_t *hours = sn_realloc_array(reading->hours, cap, sizeof *hours);
        if (hours == NULL)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu hours", cap);
        reading->hours = hours;
    }
    reading->hours[reading->hour_count++] = hour;
    return SN_OK;
}

static sn_status visit_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                            struct sn_err *err) {
    struct reading *reading = ctx;
    (void)app; /* is the one that was asked for */
    bool is_whole = hour * SN_HOUR_MS >= reading->range.start_ms &&
                    (hour + 1) * SN_HOUR_MS <= reading->range.end_ms;
    if (summary.ptr != NULL && is_whole)
        return sn_usage_decode_add(reading->usage, summary, err);
    return add_hour(reading, hour, err);
}

static sn_status visit_event(void *ctx, const struct sn_app_event *event, struct sn_err *err) {
    sn_status status = sn_usage_add(ctx, event);
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "cannot sum up events");
}

/* One hour, or the part of it that lies in the period. */
static sn_status read_hour(struct reading *reading, int64_t hour, struct sn_err *err) {
    const struct sn_app_event_visitor visitor = {.ctx = reading->usage, .visit = visit_event};
    struct sn_range_ms part = {.start_ms = hour * SN_HOUR_MS, .end_ms = (hour + 1) * SN_HOUR_MS};
    if (part.start_ms < reading->range.start_ms)
        part.start_ms = reading->range.start_ms;
    if (part.end_ms > reading->range.end_ms)
        part.end_ms = reading->range.end_ms;
    return sn_records_scan_events(reading->records, reading->app, part, &visitor, err);
}

sn_status sn_usage_read(struct sn_records *records, struct sn_str app, struct sn_range_ms range,
                        struct sn_usage *usage, struct sn_err *err) {
    struct reading reading = {.records = records, .app = app, .range = range, .usage = usage};
    const struct sn_usage_visitor visitor = {.ctx = &reading, .visit = visit_hour};
    sn_status status = sn_records_scan_usage(records, app, range, &visitor, err);
    for (size_t i = 0; i < reading.hour_count && status == SN_OK; i++)
        status = read_hour(&reading, reading.hours[i], err);
    sn_free(reading.hours);
    return status;
}
