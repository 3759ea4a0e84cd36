/*
 * One service over a range of time. See service_view.h.
 */
#include "engine/service_view.h"

#include "engine/history.h"

#include <math.h>
#include <stdlib.h>

#define WINDOW_MS_MIN INT64_C(60000) /* a rate needs two samples */
#define STEP_MS_MIN INT64_C(60000)

struct reading {
    struct sn_ask ask;
    struct sn_service_view *view;
    const char *service;       /* quoted */
    struct sn_range range;     /* after a reset */
    struct sn_row_index index; /* operation -> view->operations */
};

/* ---- the range as a whole ---- */

/* Where a value belongs: the operation's window, or that of all with no label "operation". */
static struct sn_operation_row *window_of(struct reading *reading, struct sn_labels labels) {
    struct sn_str operation = sn_labels_get(labels, SN_STR("operation"));
    if (operation.len == 0)
        return &reading->view->window;
    size_t at = sn_row_index_find(&reading->index, operation);
    return at != SIZE_MAX ? &reading->view->operations[at].window : NULL;
}

static sn_status ask_increase(struct reading *reading, const char *by, const char *metric,
                              struct sn_query_result *ret_result) {
    return sn_ask_at(&reading->ask, reading->range.end_ms, ret_result,
                     "sum by (%s) (increase(%s{service=%s}[%lldms]))", by, metric, reading->service,
                     (long long)(reading->range.end_ms - reading->range.start_ms));
}

static sn_status read_outcomes(struct reading *reading, const char *by) {
    struct sn_query_result result;
    SN_TRY(ask_increase(reading, by, "sonde_operations_total", &result));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_labels labels = result.series[i].labels;
        struct sn_operation_row *row = window_of(reading, labels);
        enum sn_operation_outcome outcome = sn_operation_outcome_of(labels);
        if (outcome == SN_OPERATION_OUTCOMES)
            outcome = SN_OPERATION_OK;
        if (row != NULL)
            row->outcomes[outcome] += sn_ask_value(&result, i);
    }
    return SN_OK;
}

static sn_status read_sums(struct reading *reading, const char *by) {
    struct sn_query_result result;
    SN_TRY(ask_increase(reading, by, "sonde_operation_duration_seconds_sum", &result));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_operation_row *row = window_of(reading, result.series[i].labels);
        if (row != NULL)
            row->sum_s += sn_ask_value(&result, i);
    }
    return SN_OK;
}

static sn_status read_buckets(struct reading *reading, const char *by) {
    struct sn_query_result result;
    SN_TRY(ask_increase(reading, by, "sonde_operation_duration_seconds_bucket", &result));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_operation_row *row = window_of(reading, result.series[i].labels);
        double upper = sn_operation_upper_of(result.series[i].labels);
        if (row != NULL && !isnan(upper))
            SN_TRY(sn_operation_add_to_bucket(row, upper, sn_ask_value(&result, i),
                                              reading->ask.arena, reading->ask.err));
    }
    return SN_OK;
}

/* The extremes that a reporter told keep quantiles in their buckets honest. */
static void finish_window(struct sn_service_view *view) {
    view->window.min_s = view->window.max_s = (double)NAN;
    for (size_t i = 0; i < view->operation_count; i++) {
        struct sn_operation_view *operation = &view->operations[i];
        operation->window.min_s = operation->row->min_s;
        operation->window.max_s = operation->row->max_s;
        view->window.min_s = fmin(view->window.min_s, operation->row->min_s); /* NaN loses */
        view->window.max_s = fmax(view->window.max_s, operation->row->max_s);
        sn_operation_sort_buckets(&operation->window);
    }
    sn_operation_sort_buckets(&view->window);
}

static sn_status read_window(struct reading *reading) {
    SN_TRY(read_outcomes(reading, "operation, outcome"));
    SN_TRY(read_outcomes(reading, "outcome"));
    SN_TRY(read_sums(reading, "operation"));
    SN_TRY(read_sums(reading, ""));
    SN_TRY(read_buckets(reading, "operation, le"));
    SN_TRY(read_buckets(reading, "le"));
    finish_window(reading->view);
    return SN_OK;
}

/* ---- steps ---- */

/* Whole steps that cover the range; the last one may be running. */
static struct sn_spark_grid cover(struct sn_range range, size_t points) {
    struct sn_spark_grid grid = {.step_ms = sn_history_nice_step_ms(range, points)};
    if (grid.step_ms < STEP_MS_MIN)
        grid.step_ms = STEP_MS_MIN;
    grid.start_ms = range.start_ms / grid.step_ms * grid.step_ms;
    grid.count = (size_t)((range.end_ms - grid.start_ms + grid.step_ms - 1) / grid.step_ms);
    return grid;
}

static sn_status read_averages(struct reading *reading) {
    struct sn_service_view *view = reading->view;
    struct sn_query_result result;
    view->grid = cover(reading->range, SN_SPARK_STEPS);
    long long step_ms = (long long)view->grid.step_ms;
    for (size_t i = 0; i < view->operation_count; i++) {
        float *averages = sn_arena_alloc(reading->ask.arena, view->grid.count * sizeof *averages);
        if (averages == NULL)
            return sn_arena_failure(reading->ask.arena, view->grid.count * sizeof *averages,
                                    reading->ask.err);
        for (size_t j = 0; j < view->grid.count; j++)
            averages[j] = NAN;
        view->operations[i].averages = averages;
    }
    SN_TRY(sn_ask_over(&reading->ask, sn_spark_ends(&view->grid), view->grid.step_ms, &result,
                       "sum by (operation) (rate(sonde_operation_duration_seconds_sum"
                       "{service=%s}[%lldms])) / sum by (operation) "
                       "(rate(sonde_operation_duration_seconds_count{service=%s}[%lldms]))",
                       reading->service, step_ms, reading->service, step_ms));
    for (size_t i = 0; i < result.series_count; i++) {
        const struct sn_result_series *series = &result.series[i];
        size_t at =
            sn_row_index_find(&reading->index, sn_labels_get(series->labels, SN_STR("operation")));
        for (size_t j = 0; at != SIZE_MAX && j < series->count; j++) {
            size_t step = sn_spark_step(&view->grid, series->time_ms[j]);
            if (step != SIZE_MAX)
                view->operations[at].averages[step] = (float)series->value[j];
        }
    }
    return SN_OK;
}

/* ---- heatmap ---- */

/* A bucket with its steps. */
struct heat_row {
    double upper;
    const struct sn_result_series *series;
};

static int by_heat_upper(const void *left, const void *right) {
    const struct heat_row *a = left, *b = right;
    return (a->upper > b->upper) - (a->upper < b->upper);
}

/* Cumulative counts into the columns, then each bucket minus the one below it. */
static void fill_heat(struct sn_heat *heat, const struct heat_row *rows) {
    for (size_t i = 0; i < heat->grid.count * heat->bucket_count; i++)
        heat->counts[i] = (double)NAN;
    for (size_t b = 0; b < heat->bucket_count; b++) {
        heat->upper[b] = rows[b].upper;
        for (size_t j = 0; j < rows[b].series->count; j++) {
            size_t step = sn_spark_step(&heat->grid, rows[b].series->time_ms[j]);
            if (step != SIZE_MAX)
                heat->counts[step * heat->bucket_count + b] = rows[b].series->value[j];
        }
    }
    for (size_t step = 0; step < heat->grid.count; step++)
        for (size_t b = heat->bucket_count - 1; b > 0; b--) {
            double *count = &heat->counts[step * heat->bucket_count + b];
            double below = count[-1];
            *count = *count > below ? *count - below : (isnan(*count) ? *count : 0);
        }
}

static sn_status read_heat(struct reading *reading) {
    struct sn_heat *heat = &reading->view->heat;
    struct sn_arena *arena = reading->ask.arena;
    struct sn_query_result result;
    heat->grid = cover(reading->range, SN_HEAT_STEPS);
    SN_TRY(sn_ask_over(&reading->ask, sn_spark_ends(&heat->grid), heat->grid.step_ms, &result,
                       "sum by (le) (increase(sonde_operation_duration_seconds_bucket"
                       "{service=%s}[%lldms]))",
                       reading->service, (long long)heat->grid.step_ms));
    if (result.series_count == 0)
        return SN_OK;
    struct heat_row *rows = sn_arena_alloc_zero(arena, result.series_count, sizeof *rows);
    size_t count = 0;
    if (rows == NULL)
        return sn_arena_failure(arena, result.series_count * sizeof *rows, reading->ask.err);
    for (size_t i = 0; i < result.series_count; i++) {
        double upper = sn_operation_upper_of(result.series[i].labels);
        if (!isnan(upper))
            rows[count++] = (struct heat_row){upper, &result.series[i]};
    }
    if (count > SN_HEAT_BUCKETS_MAX)
        return sn_err_set(reading->ask.err, SN_ERR_LIMIT,
                          "the service has %zu buckets of durations, the limit is %d", count,
                          SN_HEAT_BUCKETS_MAX);
    qsort(rows, count, sizeof *rows, by_heat_upper);
    heat->bucket_count = count;
    heat->upper = sn_arena_alloc_zero(arena, count + 1, sizeof *heat->upper);
    heat->counts = sn_arena_alloc_zero(arena, heat->grid.count * count + 1, sizeof *heat->counts);
    if (heat->upper == NULL || heat->counts == NULL)
        return sn_arena_failure(arena, heat->grid.count * count, reading->ask.err);
    if (count > 0)
        fill_heat(heat, rows);
    return SN_OK;
}

/* ---- all ---- */

static sn_status make_operations(struct reading *reading) {
    struct sn_service_view *view = reading->view;
    view->operation_count = view->service->count;
    view->operations = sn_arena_alloc_zero(reading->ask.arena, view->operation_count + 1,
                                           sizeof *view->operations);
    if (view->operations == NULL)
        return sn_arena_failure(reading->ask.arena, view->operation_count, reading->ask.err);
    for (size_t i = 0; i < view->operation_count; i++) {
        size_t at = 0;
        view->operations[i].row = &view->table.rows[view->service->first + i];
        if (sn_row_index_add(&reading->index, view->operations[i].row->operation, &at) != SN_OK)
            return sn_err_set(reading->ask.err, SN_ERR_NO_MEMORY, "no memory for operations");
    }
    return SN_OK;
}

static sn_status read_all(struct reading *reading) {
    struct sn_service_view *view = reading->view;
    view->window_s = (double)(reading->range.end_ms - reading->range.start_ms) / 1e3;
    SN_TRY(make_operations(reading));
    SN_TRY(read_window(reading));
    SN_TRY(read_averages(reading));
    return read_heat(reading);
}

sn_status sn_service_view_read(const struct sn_commands *commands, struct sn_str service,
                               struct sn_range range, struct sn_arena *arena,
                               struct sn_service_view *ret_view, struct sn_err *err) {
    struct sn_service_view view = {.window_s = 0};
    SN_TRY(sn_commands_read_operations(commands, service, arena, &view.table, err));
    view.service = &view.table.services[0];
    if (view.service->reset_ms > range.start_ms)
        range.start_ms = view.service->reset_ms;
    if (range.start_ms > range.end_ms - WINDOW_MS_MIN)
        range.start_ms = range.end_ms - WINDOW_MS_MIN;
    struct reading reading = {
        .ask = {commands->querier, arena, err, SN_ASK_TIMEOUT_NS},
        .view = &view,
        .service = sn_ask_quote(arena, service),
        .range = range,
    };
    if (reading.service == NULL)
        return sn_arena_failure(arena, service.len, err);
    sn_row_index_init(&reading.index, SN_OPERATIONS_MAX);
    sn_status status = read_all(&reading);
    sn_row_index_release(&reading.index);
    if (status == SN_OK)
        *ret_view = view;
    return status;
}
