/*
 * Caches against their thresholds, from the series of libsonde's instrument.
 *
 *   GET /api/v1/cache
 *   PUT /api/v1/cache/thresholds   the arguments of the command set_cache_alert_thresholds
 */
#include "api/dash.h"
#include "engine/metric_table.h"

#include <math.h>

#define MEBIBYTE 1048576.0

#define BY "by (service, cache) "
#define INCREASE(metric, range) "sum " BY "(increase(" metric "[" range "]))"
#define HIT_RATIO(range)                                                                           \
    INCREASE("sonde_cache_hits_total", range)                                                      \
    " / (" INCREASE("sonde_cache_hits_total", range) " + " INCREASE("sonde_cache_misses_total",    \
                                                                    range) ")"
enum column {
    HITS,
    MISSES,
    HIT_RATIO_ALL,
    HIT_RATIO_HOUR,
    HIT_RATIO_DAY,
    OPERATIONS,
    RESPONSE,
    EVICTIONS,
    ENTRIES,
    MEMORY,
    MEMORY_PEAK,
    FRAGMENTATION,
    SLOW,
    HITS_RATE,
    MISSES_RATE,
    COLUMN_COUNT,
};
static const struct sn_metric_column columns[COLUMN_COUNT] = {
    [HITS] = {"hits", "sum " BY "(sonde_cache_hits_total{cache!=\"\"})"},
    [MISSES] = {"misses", "sum " BY "(sonde_cache_misses_total)"},
    [HIT_RATIO_ALL] = {"hit_ratio",
                       "sum " BY "(sonde_cache_hits_total) / (sum " BY
                       "(sonde_cache_hits_total) + sum " BY "(sonde_cache_misses_total))"},
    [HIT_RATIO_HOUR] = {"hit_ratio_hour", HIT_RATIO("1h")},
    [HIT_RATIO_DAY] = {"hit_ratio_day", HIT_RATIO("1d")},
    [OPERATIONS] = {"operations", "sum " BY "(sonde_cache_response_seconds_count)"},
    [RESPONSE] = {"response_average_seconds",
                  "sum " BY "(sonde_cache_response_seconds_sum) / sum " BY
                  "(sonde_cache_response_seconds_count)"},
    [EVICTIONS] = {"evictions", "sum " BY "(sonde_cache_evictions_total)"},
    [ENTRIES] = {"entries", "sum " BY "(sonde_cache_entries)"},
    [MEMORY] = {"memory_bytes", "sum " BY "(sonde_cache_memory_bytes)"},
    [MEMORY_PEAK] = {"memory_peak_bytes", "sum " BY "(sonde_cache_memory_peak_bytes)"},
    [FRAGMENTATION] = {"fragmentation_ratio", "max " BY "(sonde_cache_fragmentation_ratio)"},
    [SLOW] = {"slow_operations", "sum " BY "(sonde_cache_slow_operations_total)"},
    [HITS_RATE] = {"hits_per_second", "sum " BY "(rate(sonde_cache_hits_total[5m]))"},
    [MISSES_RATE] = {"misses_per_second", "sum " BY "(rate(sonde_cache_misses_total[5m]))"},
};

static void put_thresholds(struct sn_json_writer *json,
                           const struct sn_cache_thresholds *thresholds) {
    sn_json_write_key(json, SN_STR("thresholds"));
    sn_json_write_object_begin(json);
    sn_dash_put_number(json, "min_hit_rate", thresholds->min_hit_rate);
    sn_dash_put_number(json, "max_memory_usage_mb", thresholds->max_memory_usage_mb);
    sn_dash_put_number(json, "max_response_time_ms", thresholds->max_response_time_ms);
    sn_dash_put_number(json, "max_fragmentation", thresholds->max_fragmentation);
    sn_json_write_object_end(json);
}

/* One threshold of a cache; the value in the threshold's unit. */
struct check {
    const char *alert, *limit;
    double value, threshold;
    bool is_low; /* trouble is below */
};

static bool is_crossed(const struct check *check) {
    return check->is_low ? check->value < check->threshold
                         : check->value > check->threshold; /* false for NaN */
}

static void put_checks(struct sn_json_writer *json, const struct sn_metric_row *row,
                       const struct sn_cache_thresholds *limits) {
    /* The last hour tells more than the time since the start; without it that must do. */
    double hit_ratio = isnan(row->values[HIT_RATIO_HOUR]) ? row->values[HIT_RATIO_ALL]
                                                          : row->values[HIT_RATIO_HOUR];
    const struct check checks[] = {
        {"low_hit_rate", "min_hit_rate", hit_ratio, limits->min_hit_rate, true},
        {"high_memory_usage", "max_memory_usage_mb", row->values[MEMORY] / MEBIBYTE,
         limits->max_memory_usage_mb, false},
        {"slow_response", "max_response_time_ms", 1000 * row->values[RESPONSE],
         limits->max_response_time_ms, false},
        {"high_fragmentation", "max_fragmentation", row->values[FRAGMENTATION],
         limits->max_fragmentation, false},
    };
    enum sn_health health = SN_HEALTH_GOOD;
    sn_json_write_key(json, SN_STR("alerts"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (!is_crossed(&checks[i]))
            continue;
        health = SN_HEALTH_WARNING;
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "alert", sn_str_from(checks[i].alert));
        sn_dash_put_number(json, "value", checks[i].value);
        sn_dash_put_text(json, "limit", sn_str_from(checks[i].limit));
        sn_dash_put_number(json, "threshold", checks[i].threshold);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
    sn_dash_put_health(json, "status", health);
}

static sn_status put_cache(struct sn_api *api, const struct sn_metric_row *row,
                           struct sn_arena *arena, struct sn_json_writer *json,
                           struct sn_err *err) {
    struct sn_cache_thresholds limits;
    SN_TRY(sn_commands_read_cache_thresholds(api->options.commands, row->keys[0], row->keys[1],
                                             arena, &limits, err));
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "service", row->keys[0]);
    sn_dash_put_text(json, "cache", row->keys[1]);
    for (size_t c = 0; c < COLUMN_COUNT; c++)
        sn_dash_put_number(json, columns[c].member, row->values[c]);
    put_thresholds(json, &limits);
    put_checks(json, row, &limits);
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status write_caches(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_metric_table table;
    struct sn_cache_thresholds limits;
    int64_t now_ms = sn_clock_wall_ms(api->options.clock);
    const struct sn_ask ask = {api->options.querier, arena, err, SN_ASK_TIMEOUT_NS};
    const struct sn_metric_table_query query = {
        .columns = columns,
        .column_count = COLUMN_COUNT,
        .keys = {SN_STR("service"), SN_STR("cache")},
        .now_ms = now_ms,
    };
    SN_TRY(sn_params_read(request, NULL, 0, err));
    if (api->options.commands == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server keeps no thresholds");
    SN_TRY(sn_metric_table_read(&ask, &query, &table));
    SN_TRY(sn_commands_read_cache_thresholds(api->options.commands, SN_STR(""), SN_STR(""), arena,
                                             &limits, err));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", now_ms);
    put_thresholds(json, &limits);
    sn_json_write_key(json, SN_STR("caches"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < table.count; i++)
        if (table.rows[i].keys[1].len > 0)
            SN_TRY(put_cache(api, &table.rows[i], arena, json, err));
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_cache(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_caches);
}

static sn_status write_changed(struct sn_api *api, struct sn_http_request *request,
                               struct sn_json_writer *json, struct sn_err *err) {
    SN_TRY(sn_params_read(request, NULL, 0, err));
    if (api->options.commands == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server keeps no thresholds");
    return sn_dash_write_command(api, request, SN_STR("set_cache_alert_thresholds"),
                                 sn_http_request_body(request), json, err);
}

void sn_api_put_cache_thresholds(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_changed);
}
