/*
 * The table of operations as JSON, with the member names of libsonde's snapshot. See operations.h.
 */
#include "engine/operations.h"

#include <math.h>

static void write_count(struct sn_json_writer *json, struct sn_str key, double count) {
    /* Sums of counters are whole; what rounding left over is not shown. */
    bool is_count = count > 0 && count < 9007199254740992.0;
    sn_json_write_key_uint64(json, key, is_count ? (uint64_t)(count + 0.5) : 0);
}

static void write_time(struct sn_json_writer *json, struct sn_str key, int64_t time_ms) {
    sn_json_write_key(json, key);
    if (time_ms > 0)
        sn_json_write_int64(json, time_ms);
    else
        sn_json_write_null(json);
}

/* A number that may not be known. */
static void write_known(struct sn_json_writer *json, struct sn_str key, double value) {
    sn_json_write_key(json, key);
    if (isnan(value))
        sn_json_write_null(json);
    else
        sn_json_write_double(json, value);
}

void sn_operations_write_counts(struct sn_json_writer *json, const struct sn_operations *operations,
                                size_t first, size_t count, int64_t reset_ms, int64_t start_ms) {
    double outcomes[SN_OPERATION_OUTCOMES] = {0}, active = 0, rate = 0, total = 0;
    int64_t last_ms = 0, since_ms = reset_ms > start_ms ? reset_ms : start_ms;
    for (size_t i = first; i < first + count; i++) {
        const struct sn_operation_row *row = &operations->rows[i];
        for (size_t o = 0; o < SN_OPERATION_OUTCOMES; o++)
            outcomes[o] += row->outcomes[o];
        active += row->active;
        rate += row->rate;
        total += sn_operation_count(row);
        last_ms = row->last_ms > last_ms ? row->last_ms : last_ms;
    }
    double age_s = (double)(operations->now_ms - since_ms) / 1e3;
    write_count(json, SN_STR("count"), total);
    write_count(json, SN_STR("ok_count"), outcomes[SN_OPERATION_OK]);
    write_count(json, SN_STR("error_count"), outcomes[SN_OPERATION_ERROR]);
    write_count(json, SN_STR("aborted_count"), outcomes[SN_OPERATION_ABORTED]);
    sn_json_write_key_double(json, SN_STR("error_rate"),
                             total > 0 ? outcomes[SN_OPERATION_ERROR] / total : 0);
    write_count(json, SN_STR("active"), active);
    sn_json_write_key_double(json, SN_STR("operations_per_second"), rate);
    write_known(json, SN_STR("operations_per_second_since_start"),
                since_ms > 0 && age_s > 0 ? total / age_s : (double)NAN);
    write_time(json, SN_STR("last_operation_time_ms"), last_ms);
    write_time(json, SN_STR("reset_time_ms"), reset_ms);
}

void sn_operation_write_error(struct sn_json_writer *json, const struct sn_operation_row *row) {
    sn_json_write_key(json, SN_STR("last_error"));
    if (row->error_ms == 0) {
        sn_json_write_null(json);
        return;
    }
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("message"), row->error_message);
    sn_json_write_key_string(json, SN_STR("class"), row->error_class);
    sn_json_write_key_int64(json, SN_STR("time_ms"), row->error_ms);
    sn_json_write_object_end(json);
}

static const struct sn_service_row *service_of(const struct sn_operations *operations,
                                               const struct sn_operation_row *row) {
    size_t at = (size_t)(row - operations->rows);
    for (size_t i = 0; i < operations->service_count; i++) {
        const struct sn_service_row *service = &operations->services[i];
        if (at >= service->first && at < service->first + service->count)
            return service;
    }
    return NULL;
}

void sn_operation_write(struct sn_json_writer *json, const struct sn_operations *operations,
                        const struct sn_operation_row *row) {
    static const struct {
        struct sn_str name;
        double quantile;
    } quantiles[] = {
        {SN_STR("p50"), 0.5}, {SN_STR("p90"), 0.9}, {SN_STR("p95"), 0.95}, {SN_STR("p99"), 0.99}};
    const struct sn_service_row *service = service_of(operations, row);
    double count = sn_operation_count(row);
    sn_json_write_key_string(json, SN_STR("operation"), row->operation);
    sn_operations_write_counts(json, operations, (size_t)(row - operations->rows), 1,
                               service != NULL ? service->reset_ms : 0,
                               service != NULL ? service->start_ms : 0);
    sn_json_write_key(json, SN_STR("duration_seconds"));
    sn_json_write_object_begin(json);
    sn_json_write_key_double(json, SN_STR("total"), row->sum_s);
    write_known(json, SN_STR("min"), row->min_s);
    write_known(json, SN_STR("max"), row->max_s);
    write_known(json, SN_STR("average"), count > 0 ? row->sum_s / count : (double)NAN);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        write_known(json, quantiles[i].name, sn_operation_quantile(row, quantiles[i].quantile));
    sn_json_write_object_end(json);
    sn_operation_write_error(json, row);
}

void sn_service_write(struct sn_json_writer *json, const struct sn_operations *operations,
                      const struct sn_service_row *service) {
    sn_json_write_key_string(json, SN_STR("service"), service->name);
    write_time(json, SN_STR("start_time_ms"), service->start_ms);
    write_known(json, SN_STR("uptime_seconds"),
                service->start_ms > 0 ? (double)(operations->now_ms - service->start_ms) / 1e3
                                      : (double)NAN);
    sn_operations_write_counts(json, operations, service->first, service->count, service->reset_ms,
                               service->start_ms);
    sn_json_write_key(json, SN_STR("operations"));
    sn_json_write_array_begin(json);
    for (size_t i = service->first; i < service->first + service->count; i++) {
        sn_json_write_object_begin(json);
        sn_operation_write(json, operations, &operations->rows[i]);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}
