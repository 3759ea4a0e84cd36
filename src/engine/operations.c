/*
 * Reading the table of operations. See operations.h.
 *
 *   queries -> series -> rows by (service, operation) -> sorted -> services over them
 */
#include "engine/operations.h"

#include "base/map.h"
#include "codec/number.h"
#include "engine/ask.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* A table in the making. */
struct reading {
    const struct sn_operations_query *query;
    struct sn_ask ask;
    const char *selector;          /* of all metrics: {service="..."}, or nothing */
    struct sn_operation_row *rows; /* [capacity], in the arena */
    size_t count, capacity;
    struct sn_service_row *services;
    size_t service_count, service_capacity;
    struct sn_map by_name;    /* service NUL operation -> row */
    struct sn_map by_service; /* service -> index of services */
    double sign;              /* -1 while what was before a reset is subtracted */
};

/* What to do with the newest value of a series. */
typedef sn_status (*take_fn)(struct reading *reading, const struct sn_result_series *series,
                             double value);

/* ---- outcomes and buckets ---- */

enum sn_operation_outcome sn_operation_outcome_of(struct sn_labels labels) {
    static const struct sn_str names[] = {SN_STR("ok"), SN_STR("error"), SN_STR("aborted")};
    struct sn_str outcome = sn_labels_get(labels, SN_STR("outcome"));
    size_t i = 0;
    while (i < SN_OPERATION_OUTCOMES && !sn_str_equal(outcome, names[i]))
        i++;
    return (enum sn_operation_outcome)i;
}

/* "0.25" -> 0.25, "+Inf"; NaN when it is no number. */
double sn_operation_upper_of(struct sn_labels labels) {
    struct sn_str text = sn_labels_get(labels, SN_STR("le"));
    double upper = (double)NAN;
    if (sn_str_equal(text, SN_STR("+Inf")))
        return (double)INFINITY;
    return sn_double_parse(text, &upper) == SN_OK ? upper : (double)NAN;
}

sn_status sn_operation_add_to_bucket(struct sn_operation_row *row, double upper, double count,
                                     struct sn_arena *arena, struct sn_err *err) {
    for (size_t i = 0; i < row->bucket_count; i++)
        if (row->buckets[i].upper == upper) {
            row->buckets[i].count += count;
            return SN_OK;
        }
    SN_TRY(sn_arena_grow(arena, &row->buckets, row->bucket_count, &row->bucket_capacity,
                         sizeof *row->buckets, err));
    row->buckets[row->bucket_count++] = (struct sn_operation_bucket){upper, count};
    return SN_OK;
}

static int by_upper(const void *left, const void *right) {
    const struct sn_operation_bucket *a = left, *b = right;
    return (a->upper > b->upper) - (a->upper < b->upper);
}

void sn_operation_sort_buckets(struct sn_operation_row *row) {
    if (row->bucket_count > 0)
        qsort(row->buckets, row->bucket_count, sizeof *row->buckets, by_upper);
}

/* ---- finding rows ---- */

static sn_status find_service(struct reading *reading, struct sn_str name,
                              struct sn_service_row **ret_service) {
    uint64_t at = 0;
    if (!sn_map_get(&reading->by_service, name, &at)) {
        SN_TRY(sn_arena_grow(reading->ask.arena, &reading->services, reading->service_count,
                             &reading->service_capacity, sizeof *reading->services,
                             reading->ask.err));
        SN_TRY(sn_map_put(&reading->by_service, name, reading->service_count));
        at = reading->service_count++;
        reading->services[at] = (struct sn_service_row){.name = name};
        if (reading->query->reset_ms != NULL)
            reading->services[at].reset_ms = reading->query->reset_ms(reading->query->ctx, name);
    }
    *ret_service = &reading->services[at];
    return SN_OK;
}

static sn_status add_row(struct reading *reading, struct sn_str service, struct sn_str operation,
                         struct sn_str key) {
    struct sn_service_row *ignored;
    if (reading->count == SN_OPERATIONS_MAX)
        return sn_err_set(reading->ask.err, SN_ERR_LIMIT,
                          "there are more than %d operations: name a "
                          "service",
                          SN_OPERATIONS_MAX);
    SN_TRY(sn_arena_grow(reading->ask.arena, &reading->rows, reading->count, &reading->capacity,
                         sizeof *reading->rows, reading->ask.err));
    SN_TRY(find_service(reading, service, &ignored));
    SN_TRY(sn_map_put(&reading->by_name, key, reading->count));
    reading->rows[reading->count++] = (struct sn_operation_row){
        .service = service, .operation = operation, .min_s = (double)NAN, .max_s = (double)NAN};
    return SN_OK;
}

/* The row of a series by its labels; NULL when it names none, or when it would be new while
 * something is subtracted. */
static sn_status find_row(struct reading *reading, struct sn_labels labels,
                          struct sn_operation_row **ret_row) {
    struct sn_str service = sn_labels_get(labels, SN_STR("service"));
    struct sn_str operation = sn_labels_get(labels, SN_STR("operation"));
    uint64_t at = 0;
    *ret_row = NULL;
    if (service.len == 0 || operation.len == 0)
        return SN_OK;
    char *key = sn_arena_alloc(reading->ask.arena, service.len + 1 + operation.len);
    if (key == NULL)
        return sn_arena_failure(reading->ask.arena, service.len + operation.len, reading->ask.err);
    memcpy(key, service.ptr, service.len);
    key[service.len] = '\0';
    memcpy(key + service.len + 1, operation.ptr, operation.len);
    struct sn_str name = sn_str_make(key, service.len + 1 + operation.len);
    if (!sn_map_get(&reading->by_name, name, &at)) {
        if (reading->sign < 0)
            return SN_OK;
        SN_TRY(add_row(reading, service, operation, name));
        at = reading->count - 1;
    }
    *ret_row = &reading->rows[at];
    return SN_OK;
}

/* ---- taking series ---- */

static sn_status take_count(struct reading *reading, const struct sn_result_series *series,
                            double value) {
    struct sn_operation_row *row;
    enum sn_operation_outcome outcome = sn_operation_outcome_of(series->labels);
    SN_TRY(find_row(reading, series->labels, &row));
    if (row != NULL && outcome != SN_OPERATION_OUTCOMES)
        row->outcomes[outcome] += reading->sign * value;
    return SN_OK;
}

static sn_status take_sum(struct reading *reading, const struct sn_result_series *series,
                          double value) {
    struct sn_operation_row *row;
    SN_TRY(find_row(reading, series->labels, &row));
    if (row != NULL)
        row->sum_s += reading->sign * value;
    return SN_OK;
}

static sn_status take_min(struct reading *reading, const struct sn_result_series *series,
                          double value) {
    struct sn_operation_row *row;
    SN_TRY(find_row(reading, series->labels, &row));
    if (row != NULL)
        row->min_s = isnan(row->min_s) || value < row->min_s ? value : row->min_s;
    return SN_OK;
}

static sn_status take_max(struct reading *reading, const struct sn_result_series *series,
                          double value) {
    struct sn_operation_row *row;
    SN_TRY(find_row(reading, series->labels, &row));
    if (row != NULL)
        row->max_s = isnan(row->max_s) || value > row->max_s ? value : row->max_s;
    return SN_OK;
}

static sn_status take_active(struct reading *reading, const struct sn_result_series *series,
                             double value) {
    struct sn_operation_row *row;
    SN_TRY(find_row(reading, series->labels, &row));
    if (row != NULL)
        row->active += value;
    return SN_OK;
}

static sn_status take_last(struct reading *reading, const struct sn_result_series *series,
                           double value) {
    struct sn_operation_row *row;
    SN_TRY(find_row(reading, series->labels, &row));
    bool is_time = value > 0 && value < (double)SN_TIME_MS_MAX / 1e3; /* also no NaN */
    if (row != NULL && is_time && (int64_t)(value * 1e3) > row->last_ms)
        row->last_ms = (int64_t)(value * 1e3);
    return SN_OK;
}

static sn_status take_rate(struct reading *reading, const struct sn_result_series *series,
                           double value) {
    struct sn_operation_row *row;
    SN_TRY(find_row(reading, series->labels, &row));
    if (row != NULL)
        row->rate += value;
    return SN_OK;
}

static sn_status take_start(struct reading *reading, const struct sn_result_series *series,
                            double value) {
    struct sn_service_row *service;
    struct sn_str name = sn_labels_get(series->labels, SN_STR("service"));
    bool is_time = value > 0 && value < (double)SN_TIME_MS_MAX / 1e3;
    if (name.len == 0 || !is_time)
        return SN_OK;
    SN_TRY(find_service(reading, name, &service));
    int64_t start_ms = (int64_t)(value * 1e3);
    if (service->start_ms == 0 || start_ms < service->start_ms)
        service->start_ms = start_ms;
    return SN_OK;
}

static sn_status take_bucket(struct reading *reading, const struct sn_result_series *series,
                             double value) {
    struct sn_operation_row *row;
    double upper = sn_operation_upper_of(series->labels);
    SN_TRY(find_row(reading, series->labels, &row));
    if (row == NULL || isnan(upper))
        return SN_OK;
    return sn_operation_add_to_bucket(row, upper, reading->sign * value, reading->ask.arena,
                                      reading->ask.err);
}

/* ---- asking ---- */

/* Every value of a vector goes to `take`. */
static sn_status take_all(struct reading *reading, const struct sn_query_result *result,
                          take_fn take) {
    for (size_t i = 0; i < result->series_count; i++)
        if (result->series[i].count > 0)
            SN_TRY(take(reading, &result->series[i], result->series[i].value[0]));
    return SN_OK;
}

/* `before` SELECTOR `after`: a metric of one service, or of all. */
static sn_status ask_metric(struct reading *reading, const char *before, const char *metric,
                            const char *after, take_fn take) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(&reading->ask, reading->query->now_ms, &result, "%s%s%s%s", before, metric,
                     reading->selector, after));
    return take_all(reading, &result, take);
}

static sn_status read_now(struct reading *reading) {
    SN_TRY(ask_metric(reading, "", "sonde_operations_total", "", take_count));
    SN_TRY(ask_metric(reading, "", "sonde_operation_duration_seconds_sum", "", take_sum));
    SN_TRY(ask_metric(reading, "", "sonde_operation_duration_seconds_bucket", "", take_bucket));
    SN_TRY(ask_metric(reading, "", "sonde_operation_duration_min_seconds", "", take_min));
    SN_TRY(ask_metric(reading, "", "sonde_operation_duration_max_seconds", "", take_max));
    SN_TRY(ask_metric(reading, "", "sonde_operations_active", "", take_active));
    SN_TRY(ask_metric(reading, "", "sonde_operation_last_timestamp_seconds", "", take_last));
    SN_TRY(ask_metric(reading, "", "sonde_service_start_time_seconds", "", take_start));
    return ask_metric(reading, "sum by (service, operation) (rate(", "sonde_operations_total",
                      "[1m]))", take_rate);
}

/*
 * Subtract what the series of a service had at its reset, for those series that still count on from
 * there: `x @ reset` only where now is not less.
 */
static sn_status subtract(struct reading *reading, const struct sn_service_row *service) {
    static const struct {
        const char *metric;
        take_fn take;
    } counters[] = {{"sonde_operations_total", take_count},
                    {"sonde_operation_duration_seconds_sum", take_sum},
                    {"sonde_operation_duration_seconds_bucket", take_bucket}};
    const char *name = sn_ask_quote(reading->ask.arena, service->name);
    if (name == NULL)
        return sn_arena_failure(reading->ask.arena, service->name.len, reading->ask.err);
    for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
        const char *metric = counters[i].metric;
        struct sn_query_result result;
        SN_TRY(sn_ask_at(&reading->ask, reading->query->now_ms, &result,
                         "%s{service=%s} @ %" PRId64 ".%03d <= %s{service=%s}", metric, name,
                         service->reset_ms / 1000, (int)(service->reset_ms % 1000), metric, name));
        SN_TRY(take_all(reading, &result, counters[i].take));
    }
    return SN_OK;
}

/* ---- messages of errors ---- */

static void take_error(struct reading *reading, const struct sn_exemplar_series *series) {
    struct sn_operation_row *row = NULL;
    if (find_row(reading, series->labels, &row) != SN_OK || row == NULL)
        return; /* Without memory a message is missing, which is no failure of the table. */
    for (size_t i = 0; i < series->count; i++) {
        const struct sn_exemplar *exemplar = &series->exemplars[i];
        if (exemplar->time_ms < row->error_ms)
            continue;
        row->error_ms = exemplar->time_ms;
        row->error_message = sn_labels_get(exemplar->labels, SN_STR("message"));
        row->error_class = sn_labels_get(exemplar->labels, SN_STR("class"));
    }
}

static sn_status read_errors(struct reading *reading) {
    const struct sn_operations_query *query = reading->query;
    struct sn_exemplar_list list;
    struct sn_matcher matchers[3];
    size_t count = 0;
    if (query->reader == NULL || query->reader->exemplars == NULL)
        return SN_OK;
    matchers[count++] = (struct sn_matcher){.kind = SN_MATCH_EQUAL,
                                            .name = SN_LABEL_METRIC_NAME,
                                            .value = SN_STR("sonde_operations_total")};
    matchers[count++] = (struct sn_matcher){
        .kind = SN_MATCH_EQUAL, .name = SN_STR("outcome"), .value = SN_STR("error")};
    if (query->service.ptr != NULL)
        matchers[count++] = (struct sn_matcher){
            .kind = SN_MATCH_EQUAL, .name = SN_STR("service"), .value = query->service};
    const struct sn_select select = {
        .matchers = matchers, .matcher_count = count, .range = {SN_TIME_MS_MIN, query->now_ms}};
    SN_TRY(query->reader->exemplars(query->reader->ctx, &select, reading->ask.arena, &list,
                                    reading->ask.err));
    reading->sign = -1; /* no new rows */
    for (size_t i = 0; i < list.count; i++)
        take_error(reading, &list.items[i]);
    return SN_OK;
}

/* ---- the finished table ---- */

static int by_name(const void *left, const void *right) {
    const struct sn_operation_row *a = left, *b = right;
    int order = sn_str_compare(a->service, b->service);
    return order != 0 ? order : sn_str_compare(a->operation, b->operation);
}

static int by_service_name(const void *left, const void *right) {
    const struct sn_service_row *a = left, *b = right;
    return sn_str_compare(a->name, b->name);
}

static void sort(struct reading *reading) {
    for (size_t i = 0; i < reading->count; i++)
        sn_operation_sort_buckets(&reading->rows[i]);
    if (reading->count > 0)
        qsort(reading->rows, reading->count, sizeof *reading->rows, by_name);
    if (reading->service_count > 0)
        qsort(reading->services, reading->service_count, sizeof *reading->services,
              by_service_name);
    size_t at = 0;
    for (size_t i = 0; i < reading->service_count; i++) {
        struct sn_service_row *service = &reading->services[i];
        service->first = at;
        while (at < reading->count && sn_str_equal(reading->rows[at].service, service->name))
            at++;
        service->count = at - service->first;
    }
}

static sn_status read_table(struct reading *reading) {
    SN_TRY(read_now(reading));
    reading->sign = -1;
    for (size_t i = 0; i < reading->service_count; i++)
        if (reading->services[i].reset_ms > 0)
            SN_TRY(subtract(reading, &reading->services[i]));
    SN_TRY(read_errors(reading));
    sort(reading);
    return SN_OK;
}

sn_status sn_operations_read(const struct sn_operations_query *query, struct sn_arena *arena,
                             struct sn_operations *ret_operations, struct sn_err *err) {
    struct reading reading = {
        .query = query, .ask = {query->querier, arena, err, 0}, .selector = "", .sign = 1};
    if (query->service.ptr != NULL) {
        const char *name = sn_ask_quote(arena, query->service);
        reading.selector = name != NULL ? sn_arena_printf(arena, "{service=%s}", name) : NULL;
    }
    if (reading.selector == NULL)
        return sn_arena_failure(arena, query->service.len, err);
    sn_map_init(&reading.by_name, SN_OPERATIONS_MAX, 0);
    sn_map_init(&reading.by_service, SN_OPERATIONS_MAX, 0);
    sn_status status = read_table(&reading);
    sn_map_release(&reading.by_name);
    sn_map_release(&reading.by_service);
    if (status != SN_OK)
        return status;
    *ret_operations = (struct sn_operations){
        .now_ms = query->now_ms,
        .services = reading.services,
        .service_count = reading.service_count,
        .rows = reading.rows,
        .row_count = reading.count,
    };
    return SN_OK;
}

double sn_operation_count(const struct sn_operation_row *row) {
    return row->outcomes[SN_OPERATION_OK] + row->outcomes[SN_OPERATION_ERROR] +
           row->outcomes[SN_OPERATION_ABORTED];
}

/* The value within [minimum, maximum] where they are known. */
static double keep_within(const struct sn_operation_row *row, double value) {
    if (value < row->min_s) /* false for NaN */
        return row->min_s;
    return value > row->max_s ? row->max_s : value;
}

double sn_operation_quantile(const struct sn_operation_row *row, double quantile) {
    double total = row->bucket_count > 0 ? row->buckets[row->bucket_count - 1].count : 0;
    double wanted = quantile * total, lower = 0, below = 0;
    if (!(total > 0))
        return (double)NAN;
    for (size_t i = 0; i < row->bucket_count; i++) {
        const struct sn_operation_bucket *bucket = &row->buckets[i];
        if (bucket->count < wanted) {
            lower = bucket->upper;
            below = bucket->count;
            continue;
        }
        if (isinf(bucket->upper))
            return isnan(row->max_s) ? lower : keep_within(row, row->max_s);
        double share = bucket->count > below ? (wanted - below) / (bucket->count - below) : 1;
        return keep_within(row, lower + (bucket->upper - lower) * share);
    }
    return lower;
}
