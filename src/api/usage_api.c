/*
 * GET /api/v1/usage: events of one application, or of all, over a period: totals beside those of the
 * period before, a chart, the most frequent users, items and error classes.
 *
 * A day and more is so many whole hours, the running one included, so that hours that were summed up
 * already are read as such (engine/usage.h).
 */
#include "api/dash.h"
#include "engine/usage.h"

#define HOUR_MS SN_HOUR_MS
#define APPS_MAX 1000 /* as many as the list of a menu holds */
#define LIMIT_DEFAULT 10
#define LIMIT_MAX 100
#define STEPS_MAX 32

/* A period cut into steps. */
static const struct period {
    const char *name;
    int64_t step_ms;
    size_t count;
} periods[] = {
    {"1h", 300000, 12}, {"24h", HOUR_MS, 24}, {"7d", 6 * HOUR_MS, 28}, {"30d", 24 * HOUR_MS, 30}};

struct call {
    struct sn_api *api;
    struct sn_arena *arena;
    struct sn_err *err;
    const struct period *period;
    struct sn_str app; /* empty: all */
    int64_t limit, start_ms, end_ms;
    struct sn_str *apps; /* [app_count]: those that had events, in this period or the one before */
    size_t app_count;
    uint64_t ok[STEPS_MAX], errors[STEPS_MAX];
};

static sn_status read_params(struct call *call, struct sn_http_request *request) {
    struct sn_str name = SN_STR("24h");
    struct sn_param params[] = {
        SN_PARAM("period", SN_PARAM_TEXT, &name),
        SN_PARAM("app", SN_PARAM_TEXT, &call->app),
        SN_PARAM_WITHIN("limit", &call->limit, 1, LIMIT_MAX),
    };
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], call->err));
    for (size_t i = 0; i < sizeof periods / sizeof periods[0]; i++)
        if (sn_str_equal(name, sn_str_from(periods[i].name)))
            call->period = &periods[i];
    if (call->period == NULL)
        return sn_err_set(call->err, SN_ERR_INVALID,
                          "parameter period: \"%.*s\" is none of 1h, 24h, 7d, 30d",
                          (int)(name.len < 80 ? name.len : 80), name.ptr ? name.ptr : "");
    int64_t now_ms = sn_clock_wall_ms(call->api->options.clock);
    int64_t unit_ms = call->period->step_ms < HOUR_MS ? call->period->step_ms : HOUR_MS;
    call->end_ms = now_ms / unit_ms * unit_ms + unit_ms; /* the running one is in it */
    call->start_ms = call->end_ms - (int64_t)call->period->count * call->period->step_ms;
    return SN_OK;
}

/* ---- applications ---- */

static sn_status visit_hour(void *ctx, struct sn_str app, int64_t hour, struct sn_str summary,
                            struct sn_err *err) {
    struct call *call = ctx;
    (void)hour;
    (void)summary;
    for (size_t i = 0; i < call->app_count; i++)
        if (sn_str_equal(call->apps[i], app))
            return SN_OK;
    if (call->app_count == APPS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "there are more than %d applications: name one with app", APPS_MAX);
    if (!sn_arena_copy(call->arena, app, &call->apps[call->app_count]))
        return sn_arena_failure(call->arena, app.len, err);
    call->app_count++;
    return SN_OK;
}

static sn_status find_apps(struct call *call) {
    const struct sn_usage_visitor visitor = {.ctx = call, .visit = visit_hour};
    const struct sn_range_ms range = {2 * call->start_ms - call->end_ms, call->end_ms};
    call->apps = sn_arena_alloc_zero(call->arena, APPS_MAX, sizeof *call->apps);
    if (call->apps == NULL)
        return sn_arena_failure(call->arena, APPS_MAX * sizeof *call->apps, call->err);
    return sn_records_scan_usage(call->api->options.records, SN_STR(""), range, &visitor,
                                 call->err);
}

/* ---- summing up ---- */

/* Events of the applications that are asked for, within a range, added to `usage`. */
static sn_status add_range(struct call *call, struct sn_range_ms range, struct sn_usage *usage) {
    struct sn_records *records = call->api->options.records;
    if (call->app.len > 0)
        return sn_usage_read(records, call->app, range, usage, call->err);
    for (size_t i = 0; i < call->app_count; i++)
        SN_TRY(sn_usage_read(records, call->apps[i], range, usage, call->err));
    return SN_OK;
}

static sn_status no_memory(struct call *call) {
    return sn_err_set(call->err, SN_ERR_NO_MEMORY, "no memory to sum up events");
}

static sn_status add_step(struct call *call, size_t step, struct sn_usage *sum) {
    const struct sn_range_ms range = {call->start_ms + (int64_t)step * call->period->step_ms,
                                      call->start_ms + (int64_t)(step + 1) * call->period->step_ms};
    struct sn_usage *usage = sn_usage_new();
    if (usage == NULL)
        return no_memory(call);
    sn_status status = add_range(call, range, usage);
    call->ok[step] = usage->totals.ok_count;
    call->errors[step] = usage->totals.error_count;
    if (status == SN_OK && sn_usage_merge(sum, usage) != SN_OK)
        status = no_memory(call);
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

/* ---- the answer ---- */

static void put_totals(struct sn_json_writer *json, const char *key, const struct sn_usage *usage) {
    const struct sn_usage_totals *totals = &usage->totals;
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("events"), totals->event_count);
    sn_json_write_key_uint64(json, SN_STR("ok"), totals->ok_count);
    sn_json_write_key_uint64(json, SN_STR("errors"), totals->error_count);
    sn_json_write_key_uint64(json, SN_STR("aborted"), totals->aborted_count);
    sn_dash_put_number(json, "success_rate", sn_usage_success_ratio(totals));
    sn_dash_put_number(json, "average_time_per_item_seconds", sn_usage_seconds_per_item(totals));
    sn_dash_put_number(json, "average_duration_seconds",
                       sn_ratio(totals->duration_ms_sum / 1000, (double)totals->duration_count));
    sn_dash_put_number(json, "p95_duration_seconds", sn_usage_duration_ms(usage, 0.95) / 1000);
    sn_dash_put_number(json, "items", totals->quantity_sum);
    sn_json_write_key_uint64(json, SN_STR("users"), usage->users.count);
    sn_dash_put_number(json, "credits_used", totals->credits_used);
    sn_dash_put_number(json, "credits_refunded", totals->credits_refunded);
    sn_dash_put_number(json, "refund_rate", sn_usage_refund_ratio(totals));
    sn_json_write_object_end(json);
}

static void put_counts(struct sn_json_writer *json, const char *key, const uint64_t *counts,
                       size_t count) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        sn_json_write_uint64(json, counts[i]);
    sn_json_write_array_end(json);
}

static void put_series(struct sn_json_writer *json, const struct call *call) {
    sn_json_write_key(json, SN_STR("series"));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "start", call->start_ms);
    sn_json_write_key(json, SN_STR("step"));
    sn_json_write_time(json, call->period->step_ms);
    sn_json_write_key_uint64(json, SN_STR("count"), call->period->count);
    put_counts(json, "ok", call->ok, call->period->count);
    put_counts(json, "errors", call->errors, call->period->count);
    sn_json_write_object_end(json);
}

static void put_user(struct sn_json_writer *json, const struct sn_topk_entry *entry) {
    sn_dash_put_text(json, "user_id", entry->key);
    sn_json_write_key_uint64(json, SN_STR("generation_count"), entry->count);
    sn_dash_put_number(json, "total_items", entry->extra[SN_USAGE_USER_ITEMS]);
    sn_dash_put_number(json, "success_rate",
                       sn_ratio(entry->extra[SN_USAGE_USER_OK], entry->extra[SN_USAGE_USER_ENDED]));
}

static void put_item(struct sn_json_writer *json, const struct sn_topk_entry *entry) {
    struct sn_str kind, id, name, category;
    (void)sn_str_cut(entry->key, '\0', &kind, &id); /* no NUL: damaged, and then there is no id */
    (void)sn_str_cut(entry->note, '\0', &name, &category); /* as above */
    sn_dash_put_text(json, "kind", kind);
    sn_dash_put_text(json, "id", id);
    sn_dash_put_text(json, "name", name);
    sn_dash_put_text(json, "category", category);
    sn_json_write_key_uint64(json, SN_STR("usage_count"), entry->count);
}

static void put_error(struct sn_json_writer *json, const struct sn_topk_entry *entry) {
    sn_dash_put_text(json, "error_type", entry->key);
    sn_json_write_key_uint64(json, SN_STR("count"), entry->count);
    sn_dash_put_time(json, "first_seen", entry->first_ms);
    sn_dash_put_time(json, "last_seen", entry->last_ms);
}

static void put_top(struct sn_json_writer *json, const char *key, struct sn_topk *topk,
                    size_t limit,
                    void (*put)(struct sn_json_writer *json, const struct sn_topk_entry *entry)) {
    const struct sn_topk_entry *top[LIMIT_MAX];
    size_t count = sn_topk_top(topk, top, limit);
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        sn_json_write_object_begin(json);
        put(json, top[i]);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void put_head(struct sn_json_writer *json, const struct call *call) {
    sn_dash_put_text(json, "period", sn_str_from(call->period->name));
    sn_dash_put_time(json, "start", call->start_ms);
    sn_dash_put_time(json, "end", call->end_ms);
    sn_json_write_key(json, SN_STR("apps"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < call->app_count; i++)
        sn_json_write_string(json, call->apps[i]);
    sn_json_write_array_end(json);
    sn_json_write_key(json, SN_STR("app"));
    if (call->app.len > 0)
        sn_json_write_string(json, call->app);
    else
        sn_json_write_null(json);
}

static void put_usage(struct sn_json_writer *json, const struct call *call, struct sn_usage *now,
                      const struct sn_usage *before) {
    size_t limit = (size_t)call->limit;
    uint64_t bound = now->users.bound > now->items.bound ? now->users.bound : now->items.bound;
    sn_json_write_object_begin(json);
    put_head(json, call);
    put_totals(json, "totals", now);
    if (before->totals.event_count > 0) {
        put_totals(json, "previous", before);
    } else {
        sn_json_write_key(json, SN_STR("previous"));
        sn_json_write_null(json);
    }
    put_series(json, call);
    put_top(json, "top_users", &now->users, limit, put_user);
    put_top(json, "popular", &now->items, limit, put_item);
    put_top(json, "errors", &now->errors, limit, put_error);
    sn_json_write_key_bool(json, SN_STR("exact"), bound == 0);
    sn_json_write_key_uint64(json, SN_STR("error_bound"), bound);
    sn_json_write_object_end(json);
}

static sn_status sum_up(struct call *call, struct sn_usage *now, struct sn_usage *before) {
    const struct sn_range_ms range = {2 * call->start_ms - call->end_ms, call->start_ms};
    if (now == NULL || before == NULL)
        return no_memory(call);
    for (size_t i = 0; i < call->period->count; i++)
        SN_TRY(add_step(call, i, now));
    return add_range(call, range, before);
}

static sn_status write_usage(struct sn_api *api, struct sn_http_request *request,
                             struct sn_json_writer *json, struct sn_err *err) {
    struct call call = {
        .api = api, .arena = sn_http_request_arena(request), .err = err, .limit = LIMIT_DEFAULT};
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(read_params(&call, request));
    SN_TRY(find_apps(&call));
    struct sn_usage *now = sn_usage_new(), *before = sn_usage_new();
    sn_status status = sum_up(&call, now, before);
    if (status == SN_OK)
        put_usage(json, &call, now, before);
    (void)sn_usage_free(now);    /* NULL, always */
    (void)sn_usage_free(before); /* NULL, always */
    return status;
}

void sn_api_get_usage(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_usage);
}
