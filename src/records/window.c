/*
 * Aggregates per window. See window.h.
 */
#include "records/window.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

sn_status sn_windows_init(struct sn_windows *windows, int64_t start_ms, int64_t end_ms,
                          int64_t width_ms, struct sn_err *err) {
    *windows = (struct sn_windows){0};
    if (width_ms < 1)
        return sn_err_set(err, SN_ERR_INVALID, "time_window must be above 0");
    if (start_ms > end_ms)
        return sn_err_set(err, SN_ERR_INVALID, "start_time is later than end_time");
    int64_t first = start_ms / width_ms, last = end_ms / width_ms;
    if (last - first >= SN_WINDOWS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "the time range has %lld windows of time_window, the limit is %d",
                          (long long)(last - first + 1), SN_WINDOWS_MAX);
    windows->start_ms = first * width_ms;
    windows->width_ms = width_ms;
    windows->window_count = (uint32_t)(last - first + 1);
    return SN_OK;
}

void sn_windows_release(struct sn_windows *windows) {
    sn_free(windows->values);
    sn_free(windows->ok_counts);
    sn_free(windows->total_counts);
    *windows = (struct sn_windows){0};
}

static sn_status grow(struct sn_windows *windows, struct sn_err *err) {
    size_t capacity = windows->capacity > 0 ? 2 * windows->capacity : 1024;
    if (capacity > SN_WINDOW_VALUES_MAX)
        capacity = SN_WINDOW_VALUES_MAX;
    if (windows->count >= capacity)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "more than %d records in the time range: ask for a shorter one",
                          SN_WINDOW_VALUES_MAX);
    struct sn_window_value *values =
        sn_realloc_array(windows->values, capacity, sizeof *windows->values);
    if (values == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu values", capacity);
    windows->values = values;
    windows->capacity = capacity;
    return SN_OK;
}

static sn_status add_counts(struct sn_windows *windows, uint32_t window,
                            const struct sn_record *record, struct sn_err *err) {
    if (windows->ok_counts == NULL)
        windows->ok_counts = sn_alloc_zero(windows->window_count, sizeof *windows->ok_counts);
    if (windows->total_counts == NULL)
        windows->total_counts = sn_alloc_zero(windows->window_count, sizeof *windows->ok_counts);
    if (windows->ok_counts == NULL || windows->total_counts == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the counts of windows");
    int64_t room = INT64_MAX - windows->total_counts[window];
    if (record->total_count > room)
        return sn_err_set(err, SN_ERR_LIMIT, "the sum of total is above 2^63");
    windows->ok_counts[window] += record->ok_count;
    windows->total_counts[window] += record->total_count;
    return SN_OK;
}

static sn_status visit(void *ctx, const struct sn_record *record, struct sn_err *err) {
    struct sn_windows *windows = ctx;
    if (record->time_ms < windows->start_ms)
        return SN_OK;
    int64_t window = (record->time_ms - windows->start_ms) / windows->width_ms;
    if (window >= windows->window_count)
        return SN_OK;
    if (windows->count == windows->capacity)
        SN_TRY(grow(windows, err));
    windows->values[windows->count++] =
        (struct sn_window_value){.window = (uint32_t)window, .value = record->value};
    return record->has_counts ? add_counts(windows, (uint32_t)window, record, err) : SN_OK;
}

struct sn_record_visitor sn_windows_visitor(struct sn_windows *windows) {
    return (struct sn_record_visitor){.ctx = windows, .visit = visit};
}

static int compare(const void *a, const void *b) {
    const struct sn_window_value *x = a, *y = b;
    if (x->window != y->window)
        return x->window < y->window ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

static double percentile(const struct sn_window_value *values, size_t count, double part) {
    double rank = part * (double)(count - 1);
    size_t low = (size_t)rank;
    if (low + 1 >= count)
        return values[count - 1].value;
    double rest = rank - (double)low;
    return values[low].value * (1 - rest) + values[low + 1].value * rest;
}

/* One window's values, ascending. */
static struct sn_window summarize(const struct sn_windows *windows,
                                  const struct sn_window_value *values, size_t count) {
    uint32_t number = values[0].window;
    struct sn_window window = {
        .start_ms = windows->start_ms + number * windows->width_ms,
        .count = count,
        .min = values[0].value,
        .max = values[count - 1].value,
        .p50 = percentile(values, count, 0.5),
        .p95 = percentile(values, count, 0.95),
        .p99 = percentile(values, count, 0.99),
    };
    for (size_t i = 0; i < count; i++)
        window.sum += values[i].value;
    if (windows->total_counts != NULL && windows->total_counts[number] > 0) {
        window.has_counts = true;
        window.ok_count = windows->ok_counts[number];
        window.total_count = windows->total_counts[number];
    }
    return window;
}

static size_t end_of_window(const struct sn_windows *windows, size_t at) {
    size_t end = at + 1;
    while (end < windows->count && windows->values[end].window == windows->values[at].window)
        end++;
    return end;
}

sn_status sn_windows_finish(struct sn_windows *windows, struct sn_arena *arena,
                            struct sn_window_list *ret_list, struct sn_err *err) {
    struct sn_window_list list = {0};
    size_t max = windows->window_count < windows->count ? windows->window_count : windows->count;
    list.items = sn_arena_alloc_zero(arena, max, sizeof *list.items);
    if (list.items == NULL)
        return sn_arena_failure(arena, max * sizeof *list.items, err);
    if (windows->count > 0)
        qsort(windows->values, windows->count, sizeof *windows->values, compare);
    for (size_t at = 0, end; at < windows->count; at = end) {
        end = end_of_window(windows, at);
        list.items[list.count++] = summarize(windows, windows->values + at, end - at);
    }
    *ret_list = list;
    return SN_OK;
}
