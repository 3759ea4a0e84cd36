/*
 * Commands about caches, memory and GPUs, from the series of libsonde's instruments. See commands.h.
 */
#include "engine/commands_priv.h"

#include "codec/json_read.h"

#include <math.h>

#define THRESHOLDS_PREFIX "cache_thresholds/"

/* The four thresholds with their defaults. */
static const struct {
    struct sn_str name;
    enum sn_command_arg arg;
    double otherwise;
    double high; /* most that makes sense; 0: no limit */
} thresholds[] = {
    {SN_STR("min_hit_rate"), SN_COMMAND_MIN_HIT_RATE, 0.8, 1},
    {SN_STR("max_memory_usage_mb"), SN_COMMAND_MAX_MEMORY_USAGE_MB, 512, 0},
    {SN_STR("max_response_time_ms"), SN_COMMAND_MAX_RESPONSE_TIME_MS, 100, 0},
    {SN_STR("max_fragmentation"), SN_COMMAND_MAX_FRAGMENTATION, 0.3, 1},
};
enum { THRESHOLD_COUNT = sizeof thresholds / sizeof thresholds[0] };

/* ---- tables of values by labels ---- */

/* One column: a query whose result has the labels that name a row. */
struct column {
    const char *member; /* of the JSON object */
    const char *query;
};

/* One row: what it is about, and its columns; NaN: unknown. */
struct row {
    struct sn_labels labels;
    double *values; /* [column_count] */
};

struct table {
    struct row *rows; /* [count] */
    size_t count, capacity;
    size_t column_count;
};

/* Whether two label sets name the same thing, whatever else they say. */
static bool is_same(struct sn_labels a, struct sn_labels b) {
    static const struct sn_str names[] = {SN_STR("service"), SN_STR("cache")};
    for (size_t i = 0; i < 2; i++)
        if (!sn_str_equal(sn_labels_get(a, names[i]), sn_labels_get(b, names[i])))
            return false;
    return true;
}

static sn_status find_row(struct sn_command_call *call, struct table *table,
                          struct sn_labels labels, struct row **ret_row) {
    for (size_t i = 0; i < table->count; i++)
        if (is_same(table->rows[i].labels, labels)) {
            *ret_row = &table->rows[i];
            return SN_OK;
        }
    SN_TRY(sn_arena_grow(call->arena, &table->rows, table->count, &table->capacity,
                         sizeof *table->rows, call->err));
    double *values = sn_arena_alloc_zero(call->arena, table->column_count, sizeof *values);
    if (values == NULL)
        return sn_arena_failure(call->arena, table->column_count * sizeof *values, call->err);
    for (size_t i = 0; i < table->column_count; i++)
        values[i] = (double)NAN;
    table->rows[table->count] = (struct row){labels, values};
    *ret_row = &table->rows[table->count++];
    return SN_OK;
}

static sn_status read_table(struct sn_command_call *call, const struct column *columns,
                            size_t column_count, struct table *ret_table) {
    *ret_table = (struct table){.column_count = column_count};
    for (size_t c = 0; c < column_count; c++) {
        struct sn_query_result result;
        const struct sn_range now = {call->now_ms, call->now_ms};
        SN_TRY(sn_commands_query(call, sn_str_from(columns[c].query), now, 0, &result));
        for (size_t i = 0; i < result.series_count; i++) {
            struct row *row = NULL;
            if (result.series[i].count == 0)
                continue;
            SN_TRY(find_row(call, ret_table, result.series[i].labels, &row));
            if (row != NULL)
                row->values[c] = result.series[i].value[0];
        }
    }
    return SN_OK;
}

static void write_columns(struct sn_command_call *call, const struct column *columns,
                          const struct table *table, const struct row *row) {
    for (size_t c = 0; c < table->column_count; c++) {
        sn_json_write_key(call->json, sn_str_from(columns[c].member));
        if (isnan(row->values[c]))
            sn_json_write_null(call->json);
        else
            sn_json_write_double(call->json, row->values[c]);
    }
}

/* ---- thresholds ---- */

static char *thresholds_key(struct sn_command_call *call, struct sn_str service,
                            struct sn_str cache) {
    /* A NUL cannot be in a JSON-safe printf: names are kept apart by a byte no UTF-8 has. */
    return sn_arena_printf(call->arena, THRESHOLDS_PREFIX "%.*s\xff%.*s", SN_STR_ARG(service),
                           SN_STR_ARG(cache));
}

/* Read a stored document on top of what `values` holds. */
static sn_status apply_stored(struct sn_command_call *call, struct sn_str service,
                              struct sn_str cache, double values[THRESHOLD_COUNT]) {
    struct sn_str text, key;
    struct sn_json_reader json;
    char *name = thresholds_key(call, service, cache);
    if (name == NULL)
        return sn_arena_failure(call->arena, service.len + cache.len, call->err);
    sn_status status =
        sn_settings_get(call->commands->settings, sn_str_from(name), call->arena, &text, call->err);
    if (status == SN_ERR_NOT_FOUND)
        return SN_OK;
    if (status != SN_OK)
        return status;
    sn_json_read_init(&json, text, &(struct sn_json_options){.arena = call->arena});
    if (sn_json_read_object(&json))
        while (sn_json_read_key(&json, &key)) {
            double value = sn_json_read_double(&json);
            for (size_t i = 0; i < THRESHOLD_COUNT; i++)
                if (sn_str_equal(key, thresholds[i].name))
                    values[i] = value;
        }
    return sn_json_read_finish(&json, call->err);
}

/* Defaults, then those for all caches, then those of this one. */
static sn_status read_thresholds(struct sn_command_call *call, struct sn_str service,
                                 struct sn_str cache, double values[THRESHOLD_COUNT]) {
    for (size_t i = 0; i < THRESHOLD_COUNT; i++)
        values[i] = thresholds[i].otherwise;
    SN_TRY(apply_stored(call, SN_STR(""), SN_STR(""), values));
    return service.len > 0 || cache.len > 0 ? apply_stored(call, service, cache, values) : SN_OK;
}

sn_status sn_commands_read_cache_thresholds(const struct sn_commands *commands,
                                            struct sn_str service, struct sn_str cache,
                                            struct sn_arena *arena,
                                            struct sn_cache_thresholds *ret_thresholds,
                                            struct sn_err *err) {
    struct sn_command_call call = {.commands = commands, .arena = arena, .err = err};
    double values[THRESHOLD_COUNT];
    SN_TRY(read_thresholds(&call, service, cache, values));
    *ret_thresholds = (struct sn_cache_thresholds){values[0], values[1], values[2], values[3]};
    return SN_OK;
}

static void write_thresholds(struct sn_json_writer *json, const double values[THRESHOLD_COUNT]) {
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < THRESHOLD_COUNT; i++)
        sn_json_write_key_double(json, thresholds[i].name, values[i]);
    sn_json_write_object_end(json);
}

static sn_status store_thresholds(struct sn_command_call *call, struct sn_str service,
                                  struct sn_str cache, const double values[THRESHOLD_COUNT]) {
    struct sn_buf buf;
    struct sn_json_writer json;
    char *key = thresholds_key(call, service, cache);
    if (key == NULL)
        return sn_arena_failure(call->arena, service.len + cache.len, call->err);
    sn_buf_init(&buf, SN_SETTING_VALUE_BYTES_MAX);
    sn_json_write_init(&json, &buf, 0);
    write_thresholds(&json, values);
    sn_status status = sn_json_write_finish(&json, call->err);
    if (status == SN_OK)
        status = sn_settings_put(call->commands->settings, sn_str_from(key), sn_buf_str(&buf),
                                 call->err);
    sn_buf_release(&buf);
    return status;
}

sn_status sn_commands_set_cache_thresholds(struct sn_command_call *call) {
    double values[THRESHOLD_COUNT];
    struct sn_str service = call->texts[SN_COMMAND_SERVICE], cache = call->texts[SN_COMMAND_CACHE];
    if ((service.ptr == NULL) != (cache.ptr == NULL))
        return sn_err_set(call->err, SN_ERR_INVALID,
                          "give \"service\" and \"cache\" for one cache, or neither for all");
    SN_TRY(read_thresholds(call, service, cache, values));
    for (size_t i = 0; i < THRESHOLD_COUNT; i++) {
        if (!sn_commands_has(call, thresholds[i].arg))
            continue;
        double value = call->numbers[thresholds[i].arg];
        if (!(value >= 0) || (thresholds[i].high > 0 && value > thresholds[i].high))
            return sn_err_set(call->err, SN_ERR_INVALID, "%s must be a number from 0%s",
                              thresholds[i].name.ptr, thresholds[i].high > 0 ? " to 1" : " on");
        values[i] = value;
    }
    SN_TRY(store_thresholds(call, service, cache, values));
    sn_json_write_object_begin(call->json);
    if (service.ptr != NULL) {
        sn_json_write_key_string(call->json, SN_STR("service"), service);
        sn_json_write_key_string(call->json, SN_STR("cache"), cache);
    }
    sn_json_write_key(call->json, SN_STR("thresholds"));
    write_thresholds(call->json, values);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

/* ---- caches ---- */

#define BY "by (service, cache) "
static const struct column cache_columns[] = {
    {"hits", "sum " BY "(sonde_cache_hits_total)"},
    {"misses", "sum " BY "(sonde_cache_misses_total)"},
    {"hit_rate", "sum " BY "(sonde_cache_hits_total) / (sum " BY
                 "(sonde_cache_hits_total) + sum " BY "(sonde_cache_misses_total))"},
    {"hit_rate_hour", "sum " BY "(increase(sonde_cache_hits_total[1h])) / (sum " BY
                      "(increase(sonde_cache_hits_total[1h])) + sum " BY
                      "(increase(sonde_cache_misses_total[1h])))"},
    {"hit_rate_day", "sum " BY "(increase(sonde_cache_hits_total[1d])) / (sum " BY
                     "(increase(sonde_cache_hits_total[1d])) + sum " BY
                     "(increase(sonde_cache_misses_total[1d])))"},
    {"operations", "sum " BY "(sonde_cache_response_seconds_count)"},
    {"response_time_avg_ms", "1000 * sum " BY "(sonde_cache_response_seconds_sum) / sum " BY
                             "(sonde_cache_response_seconds_count)"},
    {"evictions", "sum " BY "(sonde_cache_evictions_total)"},
    {"entries", "sum " BY "(sonde_cache_entries)"},
    {"memory_usage_bytes", "sum " BY "(sonde_cache_memory_bytes)"},
    {"memory_peak_bytes", "sum " BY "(sonde_cache_memory_peak_bytes)"},
    {"fragmentation", "max " BY "(sonde_cache_fragmentation_ratio)"},
    {"slow_operation_count", "sum " BY "(sonde_cache_slow_operations_total)"},
};
enum {
    CACHE_COLUMN_COUNT = sizeof cache_columns / sizeof cache_columns[0],
    CACHE_HIT_RATE_HOUR = 3,
    CACHE_HIT_RATE = 2,
    CACHE_RESPONSE = 6,
    CACHE_MEMORY = 9,
    CACHE_FRAGMENTATION = 11,
};

static void write_cache_names(struct sn_command_call *call, const struct row *row) {
    sn_json_write_key_string(call->json, SN_STR("service"),
                             sn_labels_get(row->labels, SN_STR("service")));
    sn_json_write_key_string(call->json, SN_STR("cache"),
                             sn_labels_get(row->labels, SN_STR("cache")));
}

static sn_status row_thresholds(struct sn_command_call *call, const struct row *row,
                                double values[THRESHOLD_COUNT]) {
    return read_thresholds(call, sn_labels_get(row->labels, SN_STR("service")),
                           sn_labels_get(row->labels, SN_STR("cache")), values);
}

sn_status sn_commands_get_caches(struct sn_command_call *call) {
    struct table table;
    SN_TRY(read_table(call, cache_columns, CACHE_COLUMN_COUNT, &table));
    sn_json_write_object_begin(call->json);
    sn_json_write_key(call->json, SN_STR("caches"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < table.count; i++) {
        double values[THRESHOLD_COUNT];
        SN_TRY(row_thresholds(call, &table.rows[i], values));
        sn_json_write_object_begin(call->json);
        write_cache_names(call, &table.rows[i]);
        write_columns(call, cache_columns, &table, &table.rows[i]);
        sn_json_write_key(call->json, SN_STR("thresholds"));
        write_thresholds(call->json, values);
        sn_json_write_object_end(call->json);
    }
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

static void write_alert(struct sn_command_call *call, const struct row *row, size_t which,
                        double value, double threshold) {
    static const struct sn_str names[THRESHOLD_COUNT] = {
        SN_STR("low_hit_rate"), SN_STR("high_memory_usage"), SN_STR("slow_response"),
        SN_STR("high_fragmentation")};
    sn_json_write_object_begin(call->json);
    write_cache_names(call, row);
    sn_json_write_key_string(call->json, SN_STR("alert"), names[which]);
    sn_json_write_key_double(call->json, SN_STR("value"), value);
    sn_json_write_key_string(call->json, SN_STR("limit"), thresholds[which].name);
    sn_json_write_key_double(call->json, SN_STR("threshold"), threshold);
    sn_json_write_object_end(call->json);
}

static sn_status write_alerts_of(struct sn_command_call *call, const struct row *row) {
    double limits[THRESHOLD_COUNT];
    SN_TRY(row_thresholds(call, row, limits));
    /* The last hour tells more than the time since the start; without it that must do. */
    double hit_rate = row->values[CACHE_HIT_RATE_HOUR];
    if (isnan(hit_rate))
        hit_rate = row->values[CACHE_HIT_RATE];
    const double values[THRESHOLD_COUNT] = {hit_rate, row->values[CACHE_MEMORY] / (1024 * 1024),
                                            row->values[CACHE_RESPONSE],
                                            row->values[CACHE_FRAGMENTATION]};
    for (size_t i = 0; i < THRESHOLD_COUNT; i++) /* comparisons with NaN are false */
        if (i == 0 ? values[i] < limits[i] : values[i] > limits[i])
            write_alert(call, row, i, values[i], limits[i]);
    return SN_OK;
}

sn_status sn_commands_get_cache_alerts(struct sn_command_call *call) {
    struct table table;
    SN_TRY(read_table(call, cache_columns, CACHE_COLUMN_COUNT, &table));
    sn_json_write_object_begin(call->json);
    sn_json_write_key(call->json, SN_STR("alerts"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < table.count; i++)
        SN_TRY(write_alerts_of(call, &table.rows[i]));
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

/* ---- memory, GPU ---- */

static const struct column memory_columns[] = {
    {"memory_bytes", "sum by (service) (sonde_memory_bytes)"},
    {"memory_peak_bytes", "sum by (service) (sonde_memory_peak_bytes)"},
    {"allocations", "sum by (service) (sonde_memory_allocations_total)"},
    {"frees", "sum by (service) (sonde_memory_frees_total)"},
    {"allocated_bytes", "sum by (service) (sonde_memory_allocated_bytes_total)"},
    {"allocations_per_second", "sum by (service) (rate(sonde_memory_allocations_total[1m]))"},
    {"gc_pauses", "sum by (service) (sonde_memory_gc_pause_seconds_count)"},
    {"gc_pause_seconds", "sum by (service) (sonde_memory_gc_pause_seconds_sum)"},
    {"gc_pause_max_seconds", "max by (service) (sonde_memory_gc_pause_max_seconds)"},
    {"gc_reclaimed_bytes", "sum by (service) (sonde_memory_gc_reclaimed_bytes_total)"},
};
enum { MEMORY_COLUMN_COUNT = sizeof memory_columns / sizeof memory_columns[0] };

sn_status sn_commands_get_memory(struct sn_command_call *call) {
    struct table table;
    SN_TRY(read_table(call, memory_columns, MEMORY_COLUMN_COUNT, &table));
    sn_json_write_object_begin(call->json);
    sn_json_write_key(call->json, SN_STR("services"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < table.count; i++) {
        sn_json_write_object_begin(call->json);
        sn_json_write_key_string(call->json, SN_STR("service"),
                                 sn_labels_get(table.rows[i].labels, SN_STR("service")));
        write_columns(call, memory_columns, &table, &table.rows[i]);
        sn_json_write_object_end(call->json);
    }
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

sn_status sn_commands_get_gpu(struct sn_command_call *call) {
    /* There is no collector for GPUs yet, so none is ever found. */
    sn_json_write_object_begin(call->json);
    sn_json_write_key(call->json, SN_STR("gpus"));
    sn_json_write_array_begin(call->json);
    sn_json_write_array_end(call->json);
    sn_json_write_key_string(call->json, SN_STR("message"), SN_STR("no GPU found"));
    sn_json_write_object_end(call->json);
    return SN_OK;
}
