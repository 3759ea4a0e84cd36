/*
 * GET /api/v1/history. See history_api.h for the parameters; the answer is
 *
 *   {"status":"success","data":{"step":15,"t":[unix seconds, ...],"series":[
 *     {"labels":{...},"min":[...],"avg":[...],"max":[...],"count":[...]}, ...]}}
 *
 * with null in min, avg and max where a step has no sample.
 */
#include "api/history_api.h"

#include "api/api_priv.h"
#include "base/limits.h"
#include "codec/duration.h"
#include "codec/number.h"
#include "codec/timetext.h"

/* ---- parameters ---- */

struct parsing {
    struct sn_history_query *query;
    struct sn_matcher *matchers; /* [SN_MATCHERS_MAX] */
    bool has_metric, has_start, has_end;
};

static sn_status parse_time(struct sn_str name, struct sn_str value, int64_t *ret_ms,
                            struct sn_err *err) {
    sn_status status = sn_time_parse_ms(value, ret_ms, err);
    if (status != SN_OK)
        sn_err_prefix(err, "parameter %.*s", SN_STR_ARG(name));
    return status;
}

static sn_status refuse_step(struct sn_str value, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "parameter step: \"%.*s\" is not between 1ms and %lld s",
                      SN_STR_ARG(value), (long long)(SN_TIME_MS_MAX / 1000));
}

static sn_status parse_step(struct sn_str value, int64_t *ret_ms, struct sn_err *err) {
    double seconds;
    if (sn_double_parse(value, &seconds) == SN_OK) {
        /* Also false for NaN. */
        if (!(seconds >= 0.001 && seconds <= (double)(SN_TIME_MS_MAX / 1000)))
            return refuse_step(value, err);
        *ret_ms = (int64_t)(seconds * 1000 + 0.5); /* 1.001 * 1000 is below 1001 */
        return SN_OK;
    }
    sn_status status = sn_duration_parse_ms(value, ret_ms, err);
    if (status != SN_OK)
        sn_err_prefix(err, "parameter step");
    else if (*ret_ms <= 0)
        status = refuse_step(value, err);
    return status;
}

static sn_status parse_limit(struct sn_str value, size_t *ret_limit, struct sn_err *err) {
    uint64_t limit;
    if (sn_uint64_parse(value, &limit) != SN_OK || limit < 1 || limit > SN_HISTORY_SERIES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "parameter limit: \"%.*s\" is not 1 to %d",
                          SN_STR_ARG(value), SN_HISTORY_SERIES_MAX);
    *ret_limit = (size_t)limit;
    return SN_OK;
}

static sn_status add_matcher(struct parsing *parsing, struct sn_str name, struct sn_str value,
                             struct sn_err *err) {
    if (parsing->query->matcher_count == SN_MATCHERS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d labels", SN_MATCHERS_MAX);
    struct sn_matcher *matcher = &parsing->matchers[parsing->query->matcher_count++];
    *matcher = (struct sn_matcher){.kind = SN_MATCH_EQUAL, .name = name, .value = value};
    return SN_OK;
}

static sn_status parse_param(struct parsing *parsing, struct sn_str name, struct sn_str value,
                             struct sn_err *err) {
    struct sn_range *range = &parsing->query->range;
    if (sn_str_equal(name, SN_STR("start"))) {
        parsing->has_start = true;
        return parse_time(name, value, &range->start_ms, err);
    }
    if (sn_str_equal(name, SN_STR("end"))) {
        parsing->has_end = true;
        return parse_time(name, value, &range->end_ms, err);
    }
    if (sn_str_equal(name, SN_STR("step")))
        return parse_step(value, &parsing->query->step_ms, err);
    if (sn_str_equal(name, SN_STR("limit")))
        return parse_limit(value, &parsing->query->series_max, err);
    if (sn_str_equal(name, SN_STR("metric"))) {
        parsing->has_metric = value.len > 0;
        name = SN_LABEL_METRIC_NAME;
    }
    return add_matcher(parsing, name, value, err);
}

static sn_status finish(struct parsing *parsing, int64_t now_ms, struct sn_err *err) {
    struct sn_history_query *query = parsing->query;
    struct sn_range *range = &query->range;
    if (!parsing->has_metric)
        return sn_err_set(err, SN_ERR_INVALID, "parameter metric is missing: name of a metric");
    if (!parsing->has_end)
        range->end_ms = now_ms;
    if (!parsing->has_start)
        range->start_ms = range->end_ms > SN_HISTORY_RANGE_MS_DEFAULT
                              ? range->end_ms - SN_HISTORY_RANGE_MS_DEFAULT
                              : 0;
    if (range->start_ms > range->end_ms)
        return sn_err_set(err, SN_ERR_INVALID, "parameter start is after end");
    if (query->step_ms == 0)
        query->step_ms = sn_history_nice_step_ms(*range, SN_HISTORY_POINTS_DEFAULT);
    return SN_OK;
}

sn_status sn_history_query_parse(sn_history_next_param next, const void *ctx, int64_t now_ms,
                                 struct sn_arena *arena, struct sn_history_query *ret_query,
                                 struct sn_err *err) {
    struct sn_history_query query = {0};
    struct parsing parsing = {.query = &query};
    struct sn_str name, value;
    size_t cursor = 0;
    parsing.matchers = sn_arena_alloc_zero(arena, SN_MATCHERS_MAX, sizeof(struct sn_matcher));
    if (parsing.matchers == NULL)
        return sn_arena_failure(arena, SN_MATCHERS_MAX * sizeof(struct sn_matcher), err);
    while (next(ctx, &cursor, &name, &value))
        SN_TRY(parse_param(&parsing, name, value, err));
    SN_TRY(finish(&parsing, now_ms, err));
    query.matchers = parsing.matchers;
    *ret_query = query;
    return SN_OK;
}

/* ---- answer ---- */

static void write_labels(struct sn_json_writer *json, struct sn_labels labels) {
    sn_json_write_key(json, SN_STR("labels"));
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < labels.count; i++)
        sn_json_write_key_string(json, labels.items[i].name, labels.items[i].value);
    sn_json_write_object_end(json);
}

static void write_values(struct sn_json_writer *json, struct sn_str key, const double *values,
                         const uint64_t *counts, size_t step_count) {
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < step_count; i++) {
        if (counts[i] == 0)
            sn_json_write_null(json);
        else
            sn_json_write_double(json, values[i]);
    }
    sn_json_write_array_end(json);
}

static void write_series(struct sn_json_writer *json, const struct sn_history_series *series,
                         size_t step_count) {
    sn_json_write_object_begin(json);
    write_labels(json, series->labels);
    write_values(json, SN_STR("min"), series->min, series->count, step_count);
    write_values(json, SN_STR("avg"), series->avg, series->count, step_count);
    write_values(json, SN_STR("max"), series->max, series->count, step_count);
    sn_json_write_key(json, SN_STR("count"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < step_count; i++)
        sn_json_write_uint64(json, series->count[i]);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
}

static void write_history(struct sn_json_writer *json, const struct sn_history *history) {
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(json, SN_STR("data"));
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("step"));
    sn_json_write_time(json, history->step_ms);
    sn_json_write_key(json, SN_STR("t"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < history->step_count; i++)
        sn_json_write_time(json, history->start_ms + (int64_t)i * history->step_ms);
    sn_json_write_array_end(json);
    sn_json_write_key(json, SN_STR("series"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < history->series_count; i++)
        write_series(json, &history->series[i], history->step_count);
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    sn_json_write_object_end(json);
}

static bool next_of_request(const void *ctx, size_t *cursor, struct sn_str *ret_name,
                            struct sn_str *ret_value) {
    return sn_http_request_param_next(ctx, cursor, ret_name, ret_value);
}

static sn_status read_history(struct sn_api *api, struct sn_http_request *request,
                              struct sn_history *ret_history, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_history_query query;
    SN_TRY(sn_history_query_parse(next_of_request, request, sn_clock_wall_ms(api->options.clock),
                                  arena, &query, err));
    return sn_history_read(api->options.reader, &query, arena, ret_history, err);
}

void sn_api_get_history(struct sn_api *api, struct sn_http_request *request) {
    struct sn_history history;
    struct sn_err err = {0};
    sn_status status = read_history(api, request, &history, &err);
    if (status != SN_OK) {
        sn_api_respond_failure(request, status, &err);
        return;
    }
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    write_history(&json, &history);
    sn_api_respond_json(request, &json, &buf);
    sn_buf_release(&buf);
}
