/*
 * Aggregation of stored samples into steps. See history.h.
 */
#include "engine/history.h"

#include "base/check.h"
#include "base/limits.h"

#include <math.h>

static sn_status count_steps(const struct sn_history_query *query, size_t *ret_count,
                             struct sn_err *err) {
    if (query->step_ms <= 0)
        return sn_err_set(err, SN_ERR_INVALID, "step %lld ms must be above 0",
                          (long long)query->step_ms);
    if (query->range.end_ms < query->range.start_ms)
        return sn_err_set(err, SN_ERR_INVALID, "end is before start");
    /* So that no sum of a time and a step overflows. */
    if (query->range.start_ms < SN_TIME_MS_MIN || query->range.end_ms > SN_TIME_MS_MAX ||
        query->step_ms > SN_TIME_MS_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "times must lie between 1970 and 9999");
    int64_t count = (query->range.end_ms - query->range.start_ms) / query->step_ms + 1;
    if (count > SN_HISTORY_STEPS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%lld steps, the limit is %d: use a longer step",
                          (long long)count, SN_HISTORY_STEPS_MAX);
    *ret_count = (size_t)count;
    return SN_OK;
}

static sn_status select_series(struct sn_reader reader, const struct sn_history_query *query,
                               size_t step_count, struct sn_arena *arena,
                               struct sn_series_list *ret_list, struct sn_err *err) {
    size_t series_max = query->series_max ? query->series_max : SN_HISTORY_SERIES_MAX;
    const struct sn_select select = {
        .matchers = query->matchers,
        .matcher_count = query->matcher_count,
        .range = query->range,
        .series_max = series_max,
    };
    SN_TRY(reader.select(reader.ctx, &select, arena, ret_list, err));
    if (ret_list->count * step_count > SN_HISTORY_POINTS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "%zu series times %zu steps, the limit is %zu points: use a longer step",
                          ret_list->count, step_count, SN_HISTORY_POINTS_MAX);
    return SN_OK;
}

static sn_status make_columns(struct sn_arena *arena, size_t step_count,
                              struct sn_history_series *ret_series, struct sn_err *err) {
    double *columns = sn_arena_alloc_zero(arena, 3 * step_count, sizeof(double));
    uint64_t *counts = sn_arena_alloc_zero(arena, step_count, sizeof(uint64_t));
    if (columns == NULL || counts == NULL)
        return sn_arena_failure(arena, 4 * step_count * sizeof(double), err);
    ret_series->min = columns;
    ret_series->avg = columns + step_count;
    ret_series->max = columns + 2 * step_count;
    ret_series->count = counts;
    return SN_OK;
}

/*
 * Running mean instead of a sum: counters near 2^53 would lose digits in a sum. An infinity stays
 * one, and two finite extremes do not become one.
 */
static double mean_with(double mean, double value, uint64_t count) {
    double difference = value - mean;
    if (isfinite(difference))
        return mean + difference / (double)count;
    if (isinf(mean) || isinf(value))
        return mean + value; /* NaN for both infinities: there is no average */
    return mean + (value / (double)count - mean / (double)count);
}

static void add_value(struct sn_history_series *series, size_t step, double value) {
    uint64_t count = ++series->count[step];
    if (count == 1) {
        series->min[step] = series->avg[step] = series->max[step] = value;
        return;
    }
    series->min[step] = fmin(series->min[step], value);
    series->max[step] = fmax(series->max[step], value);
    series->avg[step] = mean_with(series->avg[step], value, count);
}

static void aggregate(const struct sn_samples *samples, const struct sn_history *history,
                      struct sn_history_series *series) {
    for (size_t i = 0; i < samples->count; i++) {
        int64_t step = (samples->time_ms[i] - history->start_ms) / history->step_ms;
        bool is_inside = step >= 0 && (uint64_t)step < history->step_count;
        if (is_inside && !isnan(samples->value[i]))
            add_value(series, (size_t)step, samples->value[i]);
    }
}

static sn_status read_series(struct sn_reader reader, const struct sn_series_list *list,
                             struct sn_arena *arena, struct sn_history *history,
                             struct sn_samples *scratch, struct sn_err *err) {
    /* The last step ends behind the range's end: its samples belong to it. */
    const struct sn_range range = {
        history->start_ms,
        history->start_ms + (int64_t)history->step_count * history->step_ms - 1,
    };
    for (size_t i = 0; i < list->count; i++) {
        struct sn_history_series *series = &history->series[i];
        series->labels = list->items[i].labels;
        SN_TRY(make_columns(arena, history->step_count, series, err));
        scratch->count = 0;
        SN_TRY(reader.samples(reader.ctx, list->items[i].id, range, scratch, err));
        aggregate(scratch, history, series);
    }
    return SN_OK;
}

sn_status sn_history_read(struct sn_reader reader, const struct sn_history_query *query,
                          struct sn_arena *arena, struct sn_history *ret_history,
                          struct sn_err *err) {
    struct sn_history history = {.start_ms = query->range.start_ms, .step_ms = query->step_ms};
    struct sn_series_list list = {0};
    SN_TRY(count_steps(query, &history.step_count, err));
    SN_TRY(select_series(reader, query, history.step_count, arena, &list, err));
    history.series_count = list.count;
    history.series = sn_arena_alloc_zero(arena, list.count, sizeof *history.series);
    if (history.series == NULL)
        return sn_arena_failure(arena, list.count * sizeof *history.series, err);
    struct sn_samples scratch;
    sn_samples_init(&scratch);
    sn_status status = read_series(reader, &list, arena, &history, &scratch, err);
    sn_samples_release(&scratch);
    if (status == SN_OK)
        *ret_history = history;
    return status;
}

int64_t sn_history_nice_step_ms(struct sn_range range, size_t points) {
    static const int64_t nice_s[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                     600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
    assert(points > 0);
    int64_t span_ms = range.end_ms > range.start_ms ? range.end_ms - range.start_ms : 0;
    int64_t exact_ms = span_ms / (int64_t)points;
    for (size_t i = 0; i < sizeof nice_s / sizeof nice_s[0]; i++)
        if (nice_s[i] * 1000 >= exact_ms)
            return nice_s[i] * 1000;
    const int64_t day_ms = INT64_C(86400000);
    return (exact_ms + day_ms - 1) / day_ms * day_ms;
}
