/*
 * GET /api/v1/overview: is anything wrong, where, since when. One answer from the board; the shape
 * is in docs/guides/http-api.md.
 */
#include "api/dash.h"
#include "api/overview.h"

#include <math.h>
#include <stdlib.h>

/* Rows that a first look takes in; the page of services has all. */
enum { SERVICES_MAX = 60, CLASSES_MAX = 10, HOSTS_MAX = 20 };
#define DAY_MS INT64_C(86400000)
#define PERCENT 100

/* ---- health ---- */

/* One indicator, in the units of insight/indicator.h. */
struct tile {
    enum sn_indicator_kind kind;
    double value, previous;
    const char *source;
};

static double success_percent(const struct sn_usage_totals *totals) {
    return PERCENT * sn_usage_success_ratio(totals);
}

static double refund_percent(const struct sn_usage_totals *totals) {
    return PERCENT * sn_usage_refund_ratio(totals);
}

/* The thresholds of the only application that has some of its own; else the defaults. */
static struct sn_indicator_limits limits_of(const struct sn_api *api, enum sn_indicator_kind kind) {
    return api->options.app_count == 1 ? api->options.apps[0].limits[kind]
                                       : sn_indicator_default(kind);
}

static void put_tile(struct sn_api *api, struct sn_json_writer *json, const struct tile *tile) {
    bool is_percent =
        tile->kind == SN_INDICATOR_SUCCESS_RATE || tile->kind == SN_INDICATOR_REFUND_RATE;
    double unit = is_percent ? PERCENT : 1;
    const char *name = tile->kind == SN_INDICATOR_AVERAGE_TIME ? "seconds" : "count";
    struct sn_indicator_limits limits = limits_of(api, tile->kind);
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "name", sn_str_from(sn_indicator_name(tile->kind)));
    sn_dash_put_text(json, "unit", sn_str_from(is_percent ? "ratio" : name));
    sn_dash_put_number(json, "value", tile->value / unit);
    sn_dash_put_number(json, "previous", tile->previous / unit);
    sn_dash_put_health(json, "health", sn_indicator_judge(tile->kind, limits, tile->value));
    sn_dash_put_number(json, "good", limits.good / unit);
    sn_dash_put_number(json, "critical", limits.critical / unit);
    sn_json_write_key_bool(json, SN_STR("higher_is_better"),
                           tile->kind == SN_INDICATOR_SUCCESS_RATE);
    sn_dash_put_text(json, "source", sn_str_from(tile->source));
    sn_json_write_object_end(json);
}

static void put_health(struct sn_api *api, struct sn_json_writer *json,
                       const struct sn_board_view *view) {
    const struct sn_usage_totals *today = &view->day.today, *before = &view->day.before;
    struct tile success = {SN_INDICATOR_SUCCESS_RATE, success_percent(today),
                           success_percent(before), "events"};
    if (isnan(success.value)) {
        const struct sn_board_totals *totals = &view->totals;
        success.value = PERCENT * sn_ratio(totals->ok, totals->ok + totals->errors);
        success.previous =
            PERCENT * sn_ratio(totals->ok_before, totals->ok_before + totals->errors_before);
        success.source = "operations";
    }
    const struct tile tiles[] = {
        success,
        {SN_INDICATOR_AVERAGE_TIME, sn_usage_seconds_per_item(today),
         sn_usage_seconds_per_item(before), "events"},
        {SN_INDICATOR_QUEUE_DEPTH, view->totals.queue_depth, view->totals.queue_depth_before,
         "queues"},
        {SN_INDICATOR_REFUND_RATE, refund_percent(today), refund_percent(before), "events"},
    };
    sn_json_write_key(json, SN_STR("health"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++)
        put_tile(api, json, &tiles[i]);
    sn_json_write_array_end(json);
}

/* ---- errors ---- */

static void put_class(struct sn_json_writer *json, const struct sn_day_class *error,
                      int64_t now_ms) {
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "error_type", error->name);
    sn_json_write_key_uint64(json, SN_STR("count"), error->count);
    sn_json_write_key_bool(json, SN_STR("is_new"), error->first_ms > now_ms - DAY_MS);
    sn_dash_put_time(json, "first_seen", error->first_ms);
    sn_dash_put_time(json, "last_seen", error->last_ms);
    sn_json_write_key(json, SN_STR("hours"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < SN_DAY_HOURS; i++)
        sn_json_write_uint64(json, error->hours[i]);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
}

/* Messages are for administrators (GET /api/v1/errors): they may name people. */
static void put_errors(struct sn_json_writer *json, const struct sn_board_view *view) {
    sn_json_write_key(json, SN_STR("errors"));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("count"), view->day.today.error_count);
    sn_dash_put_number(json, "operation_errors", floor(view->totals.errors + 0.5));
    sn_json_write_key(json, SN_STR("classes"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < view->day.class_count && i < CLASSES_MAX; i++)
        put_class(json, &view->day.classes[i], view->now_ms);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
}

/* ---- services ---- */

static sn_status put_services(struct sn_api *api, const struct sn_dash_range *range,
                              struct sn_board_view *view, struct sn_arena *arena,
                              struct sn_json_writer *json, struct sn_err *err) {
    size_t counts[4] = {0}, shown = view->service_count;
    struct sn_dash_sparks sparks;
    for (size_t i = 0; i < view->service_count; i++)
        counts[view->services[i].status]++;
    if (view->service_count > 0)
        qsort(view->services, view->service_count, sizeof *view->services, sn_dash_worst_first);
    if (shown > SERVICES_MAX)
        shown = SERVICES_MAX;
    SN_TRY(sn_dash_sparks_read(api, view->services, shown, range, view->now_ms, false, arena,
                               &sparks, err));
    sn_json_write_key(json, SN_STR("services"));
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("total"), view->service_count);
    sn_json_write_key_bool(json, SN_STR("has_data"), view->has_data);
    sn_dash_put_counts(json, counts);
    sn_dash_put_grid(json, &sparks.grid, sparks.is_now);
    sn_dash_put_services(json, view->services, shown, view->now_ms, &sparks);
    sn_json_write_object_end(json);
    return SN_OK;
}

sn_status sn_overview_write(struct sn_api *api, const struct sn_range *range,
                            struct sn_arena *arena, struct sn_json_writer *json,
                            struct sn_err *err) {
    struct sn_board_view view;
    SN_TRY(sn_dash_board(api, arena, &view, err));
    const struct sn_dash_range shown = {.length_ms = range->end_ms - range->start_ms,
                                        .start_ms = range->start_ms,
                                        .end_ms = range->end_ms};
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", view.now_ms);
    SN_TRY(put_services(api, &shown, &view, arena, json, err));
    put_health(api, json, &view);
    put_errors(json, &view);
    sn_dash_put_hosts(json, "hosts", &view.hosts, HOSTS_MAX, view.now_ms);
    sn_json_write_key_uint64(json, SN_STR("hosts_total"), view.hosts.total);
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status write_overview(struct sn_api *api, struct sn_http_request *request,
                                struct sn_json_writer *json, struct sn_err *err) {
    struct sn_dash_range range = {.length_ms = 0};
    struct sn_param params[] = {SN_DASH_RANGE_PARAMS(&range)};
    int64_t now_ms = sn_clock_wall_ms(api->options.clock);
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    SN_TRY(sn_dash_range_finish(&range, now_ms, SN_DASH_RANGE_MS_DEFAULT, err));
    const struct sn_range shown = {range.start_ms, range.end_ms};
    return sn_overview_write(api, &shown, sn_http_request_arena(request), json, err);
}

void sn_api_get_overview(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_overview);
}
