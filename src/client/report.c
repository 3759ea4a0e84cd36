/*
 * Reports of services and operations. See report_priv.h. With the registry's read_mu.
 */
#include "client/report_priv.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdlib.h>

#define NS_PER_S 1e9

static const struct {
    double part;
    struct sn_str name;
} quantiles[SN_REPORT_QUANTILES] = {
    {0.5, {"p50", 3}}, {0.9, {"p90", 3}}, {0.95, {"p95", 3}}, {0.99, {"p99", 3}}};

struct sn_report_time sn_report_time(const sonde_registry *registry) {
    const struct sn_clock *clock = sn_clock_system();
    struct sn_report_time time = {.wall_ms = sn_clock_wall_ms(clock)};
    time.slot = sn_moments_find(&registry->moments, sn_clock_mono_ns(clock), &time.window_s);
    return time;
}

/* Lists. */

static struct sn_series *first_series(struct sn_family *family) {
    return family != NULL ? atomic_load_explicit(&family->first, memory_order_acquire) : NULL;
}

static struct sn_series *next_series(struct sn_series *series) {
    return atomic_load_explicit(&series->next, memory_order_acquire);
}

/* Entries of a family's series; without `ret_entries` only their number, at most `max`. */
static size_t collect(struct sn_family *family, struct sn_str only, size_t max,
                      struct sn_report_entry *ret_entries) {
    size_t count = 0;
    for (struct sn_series *series = first_series(family); series != NULL && count < max;
         series = next_series(series)) {
        struct sn_str service = sn_series_value(series, 0), operation = {NULL, 0};
        if (only.ptr != NULL && !sn_str_equal(service, only))
            continue;
        if (family->kind == SN_KIND_OPERATION)
            operation = sn_series_value(series, 1);
        if (ret_entries != NULL)
            ret_entries[count] = (struct sn_report_entry){service, operation, series};
        count++;
    }
    return count;
}

static int compare(const void *left, const void *right) {
    const struct sn_report_entry *a = left, *b = right;
    int order = sn_str_compare(a->service, b->service);
    if (order != 0)
        return order;
    if (a->operation.ptr == NULL || b->operation.ptr == NULL)
        return (a->operation.ptr != NULL) - (b->operation.ptr != NULL);
    return sn_str_compare(a->operation, b->operation);
}

bool sn_report_list_init(struct sn_report_list *list, sonde_registry *registry,
                         struct sn_str only) {
    struct sn_family *services = atomic_load_explicit(&registry->services, memory_order_acquire);
    struct sn_family *operations =
        atomic_load_explicit(&registry->operations, memory_order_acquire);
    *list = (struct sn_report_list){NULL, 0};
    /* Others may be registered meanwhile: they come with the next report. */
    size_t service_count = collect(services, only, SIZE_MAX, NULL);
    size_t operation_count = collect(operations, only, SIZE_MAX, NULL);
    if (service_count + operation_count == 0)
        return true;
    list->entries = sn_alloc_zero(service_count + operation_count, sizeof *list->entries);
    if (list->entries == NULL)
        return false;
    list->count = collect(services, only, service_count, list->entries);
    list->count += collect(operations, only, operation_count, list->entries + list->count);
    qsort(list->entries, list->count, sizeof *list->entries, compare);
    return true;
}

void sn_report_list_release(struct sn_report_list *list) {
    sn_free(list->entries);
    *list = (struct sn_report_list){NULL, 0};
}

size_t sn_report_list_end(const struct sn_report_list *list, size_t first) {
    size_t end = first + 1;
    while (end < list->count &&
           sn_str_equal(list->entries[end].service, list->entries[first].service))
        end++;
    return end;
}

/* Numbers. */

static double recent_of(struct sn_series *series, uint64_t finished_ever, size_t slot) {
    const struct sn_operation_tail *tail = sn_series_tail(series);
    return finished_ever > tail->noted[slot] ? (double)(finished_ever - tail->noted[slot]) : 0;
}

static void fill_quantiles(struct sn_operation_report *report, const sonde_buckets *buckets,
                           const struct sn_operation_since *since, const uint64_t *counts) {
    struct sn_distribution values = {buckets, counts, (double)since->sums.min_ns,
                                     (double)since->sums.max_ns};
    for (size_t i = 0; i < SN_REPORT_QUANTILES; i++) {
        struct sn_quantile ns = sn_quantile_find(&values, quantiles[i].part);
        report->quantiles[i] =
            (struct sn_quantile){ns.value / NS_PER_S, ns.low / NS_PER_S, ns.high / NS_PER_S};
    }
}

void sn_report_operation(const struct sn_report_entry *entry, const struct sn_report_time *time,
                         struct sn_operation_report *ret_report) {
    struct sn_series *series = entry->series;
    const struct sn_operation_tail *tail = sn_series_tail(series);
    struct sn_operation_since since;
    uint64_t buckets[SONDE_BUCKETS_MAX + 1];
    sn_operation_read_since(series, &since, buckets);
    *ret_report = (struct sn_operation_report){.sum_s = (double)since.sums.sum_ns / NS_PER_S,
                                               .min_s = (double)since.sums.min_ns / NS_PER_S,
                                               .max_s = (double)since.sums.max_ns / NS_PER_S};
    struct sn_report_counts *counts = &ret_report->counts;
    uint64_t finished_ever = 0;
    for (size_t i = 0; i < SONDE_OUTCOME_COUNT; i++) {
        counts->outcomes[i] = since.sums.outcomes[i];
        counts->count += since.sums.outcomes[i];
        finished_ever += since.sums.outcomes[i] + tail->baseline.outcomes[i];
    }
    counts->active = since.active;
    counts->recent = recent_of(series, finished_ever, time->slot);
    counts->reset_wall_ms = since.reset_wall_ms;
    counts->since_wall_ms =
        since.reset_wall_ms != 0 ? since.reset_wall_ms : series->created_wall_ms;
    counts->last_wall_ms = sn_operation_last_wall_ms(&since.sums);
    fill_quantiles(ret_report, series->family->buckets, &since, buckets);
    ret_report->has_error = sn_operation_last_error(series, &ret_report->error) &&
                            ret_report->error.wall_ms >= since.reset_wall_ms &&
                            counts->outcomes[SONDE_OUTCOME_ERROR] > 0;
}

static int64_t earlier(int64_t a, int64_t b) {
    return a != 0 && a < b ? a : b;
}

static int64_t later(int64_t a, int64_t b) {
    return a > b ? a : b;
}

void sn_report_service(const struct sn_report_list *list, size_t first,
                       const struct sn_report_time *time, struct sn_report_counts *ret_counts) {
    struct sn_report_counts sum = {0};
    size_t end = sn_report_list_end(list, first);
    for (size_t i = first; i < end; i++) {
        struct sn_operation_report report;
        if (list->entries[i].operation.ptr == NULL)
            continue;
        sn_report_operation(&list->entries[i], time, &report);
        for (size_t k = 0; k < SONDE_OUTCOME_COUNT; k++)
            sum.outcomes[k] += report.counts.outcomes[k];
        sum.count += report.counts.count;
        sum.active += report.counts.active;
        sum.recent += report.counts.recent;
        sum.since_wall_ms = earlier(sum.since_wall_ms, report.counts.since_wall_ms);
        sum.reset_wall_ms = later(sum.reset_wall_ms, report.counts.reset_wall_ms);
        sum.last_wall_ms = later(sum.last_wall_ms, report.counts.last_wall_ms);
    }
    /* A service begins when it is named; after a reset its operations know better. */
    if (sum.since_wall_ms == 0 ||
        (sum.reset_wall_ms == 0 && list->entries[first].operation.ptr == NULL))
        sum.since_wall_ms = list->entries[first].series->created_wall_ms;
    *ret_counts = sum;
}

/* JSON. */

static double per_second(double count, double seconds) {
    return seconds > 0 ? count / seconds : 0;
}

static void write_time_or_null(struct sn_json_writer *json, struct sn_str key, int64_t wall_ms) {
    sn_json_write_key(json, key);
    if (wall_ms != 0)
        sn_json_write_int64(json, wall_ms);
    else
        sn_json_write_null(json);
}

void sn_report_write_counts(struct sn_json_writer *json, const struct sn_report_counts *counts,
                            const struct sn_report_time *time) {
    double age_s = (double)(time->wall_ms - counts->since_wall_ms) / 1e3;
    sn_json_write_key_uint64(json, SN_STR("count"), counts->count);
    sn_json_write_key_uint64(json, SN_STR("ok_count"), counts->outcomes[SONDE_OUTCOME_OK]);
    sn_json_write_key_uint64(json, SN_STR("error_count"), counts->outcomes[SONDE_OUTCOME_ERROR]);
    sn_json_write_key_uint64(json, SN_STR("aborted_count"),
                             counts->outcomes[SONDE_OUTCOME_ABORTED]);
    sn_json_write_key_double(json, SN_STR("error_rate"), sn_report_error_rate(counts));
    sn_json_write_key_uint64(json, SN_STR("active"), counts->active);
    sn_json_write_key_double(json, SN_STR("operations_per_second"),
                             per_second(counts->recent, time->window_s));
    sn_json_write_key_double(json, SN_STR("operations_per_second_since_start"),
                             per_second((double)counts->count, age_s));
    write_time_or_null(json, SN_STR("last_operation_time_ms"), counts->last_wall_ms);
    write_time_or_null(json, SN_STR("reset_time_ms"), counts->reset_wall_ms);
}

void sn_report_write_error(struct sn_json_writer *json, const struct sn_operation_report *report) {
    sn_json_write_key(json, SN_STR("last_error"));
    if (!report->has_error) {
        sn_json_write_null(json);
        return;
    }
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("message"), sn_str_from(report->error.message));
    sn_json_write_key_string(json, SN_STR("class"), sn_str_from(report->error.error_class));
    sn_json_write_key_int64(json, SN_STR("time_ms"), report->error.wall_ms);
    sn_json_write_object_end(json);
}

void sn_report_write_durations(struct sn_json_writer *json,
                               const struct sn_operation_report *report) {
    sn_json_write_key(json, SN_STR("duration_seconds"));
    sn_json_write_object_begin(json);
    sn_json_write_key_double(json, SN_STR("total"), report->sum_s);
    sn_json_write_key_double(json, SN_STR("min"), report->min_s);
    sn_json_write_key_double(json, SN_STR("max"), report->max_s);
    sn_json_write_key_double(json, SN_STR("average"),
                             per_second(report->sum_s, (double)report->counts.count));
    for (size_t i = 0; i < SN_REPORT_QUANTILES; i++)
        sn_json_write_key_double(json, quantiles[i].name, report->quantiles[i].value);
    sn_json_write_object_end(json);
    sn_json_write_key(json, SN_STR("percentile_bounds_seconds"));
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < SN_REPORT_QUANTILES; i++) {
        sn_json_write_key(json, quantiles[i].name);
        sn_json_write_array_begin(json);
        sn_json_write_double(json, report->quantiles[i].low);
        sn_json_write_double(json, report->quantiles[i].high);
        sn_json_write_array_end(json);
    }
    sn_json_write_object_end(json);
}

void sn_report_write_operation_members(struct sn_json_writer *json,
                                       const struct sn_report_entry *entry,
                                       const struct sn_report_time *time) {
    struct sn_operation_report report;
    sn_report_operation(entry, time, &report);
    sn_json_write_key_string(json, SN_STR("operation"), entry->operation);
    sn_report_write_counts(json, &report.counts, time);
    sn_report_write_durations(json, &report);
    sn_report_write_error(json, &report);
}

void sn_report_write_service_members(struct sn_json_writer *json, const struct sn_report_list *list,
                                     size_t first, const struct sn_report_time *time) {
    struct sn_report_counts counts;
    size_t end = sn_report_list_end(list, first);
    int64_t start_wall_ms = list->entries[first].series->created_wall_ms;
    sn_report_service(list, first, time, &counts);
    sn_json_write_key_string(json, SN_STR("service"), list->entries[first].service);
    sn_json_write_key_int64(json, SN_STR("start_time_ms"), start_wall_ms);
    sn_json_write_key_double(json, SN_STR("uptime_seconds"),
                             (double)(time->wall_ms - start_wall_ms) / 1e3);
    sn_report_write_counts(json, &counts, time);
    sn_json_write_key(json, SN_STR("operations"));
    sn_json_write_array_begin(json);
    for (size_t i = first; i < end; i++) {
        if (list->entries[i].operation.ptr == NULL)
            continue;
        sn_json_write_object_begin(json);
        sn_report_write_operation_members(json, &list->entries[i], time);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}
