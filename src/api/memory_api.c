/*
 * GET /api/v1/memory: memory of services, from the series of libsonde's instrument.
 */
#include "api/dash.h"
#include "engine/metric_table.h"

#define BY "by (service) "
static const struct sn_metric_column columns[] = {
    {"bytes", "sum " BY "(sonde_memory_bytes{service!=\"\"})"},
    {"peak_bytes", "sum " BY "(sonde_memory_peak_bytes{service!=\"\"})"},
    {"allocations_per_second", "sum " BY "(rate(sonde_memory_allocations_total[5m]))"},
    {"allocated_bytes_per_second", "sum " BY "(rate(sonde_memory_allocated_bytes_total[5m]))"},
    {"fragmentation_ratio", "max " BY "(sonde_memory_heap_fragmentation_ratio)"},
    {"slope_bytes_per_hour", "3600 * sum " BY "(deriv(sonde_memory_bytes[1h]))"},
    {"gc_pauses", "sum " BY "(sonde_memory_gc_pause_seconds_count)"},
    {"gc_pause_average_seconds", "sum " BY "(sonde_memory_gc_pause_seconds_sum) / sum " BY
                                 "(sonde_memory_gc_pause_seconds_count)"},
    {"gc_pause_max_seconds", "max " BY "(sonde_memory_gc_pause_max_seconds)"},
    {"gc_reclaimed_bytes", "sum " BY "(sonde_memory_gc_reclaimed_bytes_total)"},
};
enum { COLUMN_COUNT = sizeof columns / sizeof columns[0] };

static sn_status write_memory(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, struct sn_err *err) {
    struct sn_metric_table table;
    int64_t now_ms = sn_clock_wall_ms(api->options.clock);
    const struct sn_ask ask = {api->options.querier, sn_http_request_arena(request), err,
                               SN_ASK_TIMEOUT_NS};
    const struct sn_metric_table_query query = {
        .columns = columns,
        .column_count = COLUMN_COUNT,
        .keys = {SN_STR("service")},
        .now_ms = now_ms,
    };
    SN_TRY(sn_params_read(request, NULL, 0, err));
    SN_TRY(sn_metric_table_read(&ask, &query, &table));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", now_ms);
    sn_json_write_key(json, SN_STR("services"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < table.count; i++) {
        const struct sn_metric_row *row = &table.rows[i];
        if (row->keys[0].len == 0) /* of nobody */
            continue;
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "service", row->keys[0]);
        for (size_t c = 0; c < COLUMN_COUNT; c++)
            sn_dash_put_number(json, columns[c].member, row->values[c]);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_memory(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_memory);
}
