/*
 * GET /api/v1/trends: resources that fill up or wear out, with their history: disks, memory and CPU of
 * hosts, memory of services, the store itself. Average, minimum and maximum are of the values of the
 * small chart.
 */
#include "api/dash.h"
#include "engine/ask.h"
#include "engine/history.h"

#include <math.h>

#define RANGE_MS_DEFAULT (INT64_C(30) * 86400000)
enum { RESOURCES_MAX = 200, STEPS = 60 };

/* One kind of resource: a query whose series are one resource each. */
static const struct kind {
    const char *kind, *unit;
    double limit; /* NaN: none */
    const char *expression;
    /* Labels that name it; either may be NULL. */
    const char *host_label, *name_label;
} kinds[] = {
    {"disk", "ratio", 0.9,
     "max by (instance, mountpoint) (1 - node_filesystem_avail_bytes" SN_HOST_DISKS
     " / (node_filesystem_size_bytes > 0))",
     "instance", "mountpoint"},
    {"memory", "ratio", 0.9,
     "max by (instance) (1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes)",
     "instance", NULL},
    {"cpu", "ratio", 0.9, "1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m]))",
     "instance", NULL},
    {"storage", "bytes", (double)NAN, "sum(sonde_store_segment_bytes) + sum(sonde_store_log_bytes)",
     NULL, NULL},
    {"service_memory", "bytes", (double)NAN, "sum by (service) (sonde_memory_bytes{service!=\"\"})",
     NULL, "service"},
};

struct call {
    struct sn_ask ask;
    struct sn_json_writer *json;
    struct sn_dash_range range;
    struct sn_spark_grid grid;
    size_t count; /* of resources written */
};

/* Whole steps up to the end, which is the last of the times that are asked. */
static struct sn_spark_grid grid_of(const struct sn_dash_range *range) {
    struct sn_range shown = {range->start_ms, range->end_ms};
    struct sn_spark_grid grid = {.step_ms = sn_history_nice_step_ms(shown, STEPS)};
    grid.count = (size_t)(range->length_ms / grid.step_ms) + 1;
    grid.start_ms = range->end_ms - (int64_t)(grid.count - 1) * grid.step_ms;
    return grid;
}

static struct sn_str label_of(const struct sn_result_series *series, const char *name) {
    return name != NULL ? sn_labels_get(series->labels, sn_str_from(name)) : SN_STR("");
}

static void put_values(const struct call *call, const struct sn_result_series *series) {
    struct sn_json_writer *json = call->json;
    size_t at = 0;
    sn_json_write_key(json, SN_STR("spark"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < call->grid.count; i++) {
        int64_t time_ms = call->grid.start_ms + (int64_t)i * call->grid.step_ms;
        if (at < series->count && series->time_ms[at] == time_ms)
            sn_dash_put_value(json, series->value[at++]);
        else
            sn_json_write_null(json);
    }
    sn_json_write_array_end(json);
}

static void put_summary(const struct call *call, const struct sn_result_series *series) {
    double sum = 0, min = (double)NAN, max = (double)NAN;
    int64_t end_ms = call->range.end_ms;
    for (size_t i = 0; i < series->count; i++) {
        sum += series->value[i];
        min = fmin(min, series->value[i]); /* NaN loses */
        max = fmax(max, series->value[i]);
    }
    bool is_current = series->count > 0 && series->time_ms[series->count - 1] == end_ms;
    sn_dash_put_number(call->json, "current",
                       is_current ? series->value[series->count - 1] : (double)NAN);
    sn_dash_put_number(call->json, "average",
                       series->count > 0 ? sum / (double)series->count : (double)NAN);
    sn_dash_put_number(call->json, "min", min);
    sn_dash_put_number(call->json, "max", max);
}

/* The PromQL that gives this series alone. */
static const char *query_of(const struct call *call, const struct kind *kind, struct sn_str host,
                            struct sn_str name) {
    struct sn_arena *arena = call->ask.arena;
    const char *host_text = sn_ask_quote(arena, host), *name_text = sn_ask_quote(arena, name);
    if (host_text == NULL || name_text == NULL)
        return NULL;
    if (strcmp(kind->kind, "disk") == 0)
        return sn_arena_printf(arena,
                               "1 - node_filesystem_avail_bytes{instance=%s,mountpoint=%s} / "
                               "node_filesystem_size_bytes{instance=%s,mountpoint=%s}",
                               host_text, name_text, host_text, name_text);
    if (strcmp(kind->kind, "memory") == 0)
        return sn_arena_printf(arena,
                               "1 - node_memory_MemAvailable_bytes{instance=%s} / "
                               "node_memory_MemTotal_bytes{instance=%s}",
                               host_text, host_text);
    if (strcmp(kind->kind, "cpu") == 0)
        return sn_arena_printf(
            arena, "1 - avg(rate(node_cpu_seconds_total{instance=%s,mode=\"idle\"}[5m]))",
            host_text);
    if (strcmp(kind->kind, "service_memory") == 0)
        return sn_arena_printf(arena, "sum(sonde_memory_bytes{service=%s})", name_text);
    return kind->expression;
}

static sn_status put_resource(struct call *call, const struct kind *kind,
                              const struct sn_result_series *series) {
    struct sn_json_writer *json = call->json;
    struct sn_str host = label_of(series, kind->host_label);
    struct sn_str name = label_of(series, kind->name_label);
    const char *query = query_of(call, kind, host, name);
    const char *id = sn_arena_printf(call->ask.arena, "%s:%.*s:%.*s", kind->kind, SN_STR_ARG(host),
                                     SN_STR_ARG(name));
    if (query == NULL || id == NULL)
        return sn_arena_failure(call->ask.arena, host.len + name.len, call->ask.err);
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "id", sn_str_from(id));
    sn_dash_put_text(json, "kind", sn_str_from(kind->kind));
    sn_dash_put_text(json, "name", name);
    sn_json_write_key(json, SN_STR("host"));
    if (host.len > 0)
        sn_json_write_string(json, host);
    else
        sn_json_write_null(json);
    sn_dash_put_text(json, "unit", sn_str_from(kind->unit));
    put_summary(call, series);
    sn_dash_put_number(json, "limit", kind->limit);
    sn_dash_put_text(json, "query", sn_str_from(query));
    put_values(call, series);
    sn_json_write_object_end(json);
    call->count++;
    return SN_OK;
}

static sn_status put_kind(struct call *call, const struct kind *kind) {
    struct sn_query_result result;
    const struct sn_range times = {call->grid.start_ms, call->range.end_ms};
    SN_TRY(sn_ask_over(&call->ask, times, call->grid.step_ms, &result, "%s", kind->expression));
    for (size_t i = 0; i < result.series_count && call->count < RESOURCES_MAX; i++)
        SN_TRY(put_resource(call, kind, &result.series[i]));
    return SN_OK;
}

static sn_status write_trends(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, struct sn_err *err) {
    struct call call = {
        .ask = {api->options.querier, sn_http_request_arena(request), err, SN_ASK_TIMEOUT_NS},
        .json = json};
    struct sn_param params[] = {SN_DASH_RANGE_PARAMS(&call.range)};
    int64_t now_ms = sn_clock_wall_ms(api->options.clock);
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    SN_TRY(sn_dash_range_finish(&call.range, now_ms, RANGE_MS_DEFAULT, err));
    call.grid = grid_of(&call.range);
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", now_ms);
    sn_json_write_key(json, SN_STR("range"));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "start", call.range.start_ms);
    sn_dash_put_time(json, "end", call.range.end_ms);
    sn_json_write_object_end(json);
    sn_dash_put_grid(json, &call.grid, false);
    sn_json_write_key(json, SN_STR("resources"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        SN_TRY(put_kind(&call, &kinds[i]));
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_trends(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_trends);
}
