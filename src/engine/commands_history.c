/*
 * Commands about any metric: its history with a trend, the export, and alerts of one's own. See
 * commands.h.
 */
#include "engine/commands_priv.h"

#include "codec/duration.h"
#include "codec/number.h"
#include "codec/timetext.h"
#include "engine/history.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum { POINTS = 300, HOURS_DEFAULT = 24 };
#define HOUR_MS INT64_C(3600000)
#define HOURS_MAX (24.0 * 3650)
#define ALERT_PREFIX "alert/"

/* ---- history ---- */

struct summary {
    double min, max, sum, p95;
    double first, last;
    double slope_per_hour; /* least squares */
    size_t count;
};

static int by_value(const void *left, const void *right) {
    double a = *(const double *)left, b = *(const double *)right;
    return (a > b) - (a < b);
}

/* Slope of the values over the hours since the first point. */
static double slope(const struct sn_result_series *series) {
    double n = 0, x_mean = 0, y_mean = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < series->count; i++) {
        if (!isfinite(series->value[i]))
            continue;
        /* Welford's update: no cancellation for large times and values. */
        double x = (double)(series->time_ms[i] - series->time_ms[0]) / (double)HOUR_MS;
        n++;
        double dx = x - x_mean;
        x_mean += dx / n;
        y_mean += (series->value[i] - y_mean) / n;
        xx += dx * (x - x_mean);
        xy += dx * (series->value[i] - y_mean);
    }
    return xx > 0 ? xy / xx : 0;
}

static sn_status summarise(struct sn_command_call *call, const struct sn_result_series *series,
                           struct summary *ret_summary) {
    struct summary summary = {.min = (double)INFINITY, .max = -(double)INFINITY};
    double *sorted = sn_arena_alloc(call->arena, (series->count + 1) * sizeof *sorted);
    if (sorted == NULL)
        return sn_arena_failure(call->arena, series->count * sizeof *sorted, call->err);
    for (size_t i = 0; i < series->count; i++) {
        double value = series->value[i];
        if (!isfinite(value))
            continue;
        if (summary.count == 0)
            summary.first = value;
        summary.last = value;
        summary.min = value < summary.min ? value : summary.min;
        summary.max = value > summary.max ? value : summary.max;
        summary.sum += value;
        sorted[summary.count++] = value;
    }
    qsort(sorted, summary.count, sizeof *sorted, by_value);
    if (summary.count > 0)
        summary.p95 = sorted[(size_t)((double)(summary.count - 1) * 0.95 + 0.5)];
    summary.slope_per_hour = slope(series);
    *ret_summary = summary;
    return SN_OK;
}

/* The line over the whole range moves by less than a tenth of the spread or a hundredth of the
 * mean: that is noise. */
static const char *direction(const struct summary *summary, double hours) {
    double moved = summary->slope_per_hour * hours;
    double mean = summary->sum / (double)summary->count;
    double least = fmax(fabs(mean) * 0.01, (summary->max - summary->min) * 0.1);
    if (!(fabs(moved) > least))
        return "flat";
    return moved > 0 ? "rising" : "falling";
}

static void write_summary(struct sn_command_call *call, const struct summary *summary,
                          double hours) {
    struct sn_json_writer *json = call->json;
    sn_json_write_key_double(json, SN_STR("min"), summary->min);
    sn_json_write_key_double(json, SN_STR("max"), summary->max);
    sn_json_write_key_double(json, SN_STR("avg"), summary->sum / (double)summary->count);
    sn_json_write_key_double(json, SN_STR("p95"), summary->p95);
    sn_json_write_key(json, SN_STR("trend"));
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("direction"), sn_str_from(direction(summary, hours)));
    sn_json_write_key_double(json, SN_STR("slope_per_hour"), summary->slope_per_hour);
    sn_json_write_key_double(json, SN_STR("change"), summary->last - summary->first);
    sn_json_write_object_end(json);
}

static sn_status write_series(struct sn_command_call *call, const struct sn_result_series *series,
                              double hours) {
    struct sn_json_writer *json = call->json;
    struct summary summary = {.count = 0};
    SN_TRY(summarise(call, series, &summary));
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("labels"));
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < series->labels.count; i++)
        sn_json_write_key_string(json, series->labels.items[i].name, series->labels.items[i].value);
    sn_json_write_object_end(json);
    sn_json_write_key(json, SN_STR("points"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < series->count; i++) {
        sn_json_write_array_begin(json);
        sn_json_write_time(json, series->time_ms[i]);
        sn_json_write_double(json, series->value[i]);
        sn_json_write_array_end(json);
    }
    sn_json_write_array_end(json);
    sn_json_write_key_uint64(json, SN_STR("count"), summary.count);
    if (summary.count > 0)
        write_summary(call, &summary, hours);
    sn_json_write_object_end(json);
    return SN_OK;
}

/* hours or days back from now, or start and end. */
static sn_status read_range(struct sn_command_call *call, struct sn_range *ret_range) {
    bool has_times = sn_commands_has(call, SN_COMMAND_START);
    bool has_hours = sn_commands_has(call, SN_COMMAND_HOURS);
    bool has_days = sn_commands_has(call, SN_COMMAND_DAYS);
    double hours = has_hours  ? call->numbers[SN_COMMAND_HOURS]
                   : has_days ? call->numbers[SN_COMMAND_DAYS] * 24
                              : HOURS_DEFAULT;
    if (has_times + has_hours + has_days > 1)
        return sn_err_set(call->err, SN_ERR_INVALID,
                          "give one of \"hours\", \"days\" and \"start\"");
    ret_range->end_ms = call->now_ms;
    if (sn_commands_has(call, SN_COMMAND_END))
        SN_TRY(sn_time_parse_ms(call->texts[SN_COMMAND_END], &ret_range->end_ms, call->err));
    if (has_times)
        return sn_time_parse_ms(call->texts[SN_COMMAND_START], &ret_range->start_ms, call->err);
    if (!(hours > 0 && hours <= HOURS_MAX))
        return sn_err_set(call->err, SN_ERR_INVALID,
                          "the range must be above 0 and at most 3650 days");
    ret_range->start_ms = ret_range->end_ms - (int64_t)(hours * (double)HOUR_MS);
    return SN_OK;
}

static sn_status read_step(struct sn_command_call *call, struct sn_range range,
                           int64_t *ret_step_ms) {
    if (!sn_commands_has(call, SN_COMMAND_STEP)) {
        *ret_step_ms = sn_history_nice_step_ms(range, POINTS);
        return SN_OK;
    }
    SN_TRY(sn_duration_parse_ms(call->texts[SN_COMMAND_STEP], ret_step_ms, call->err));
    return *ret_step_ms > 0 ? SN_OK : sn_err_set(call->err, SN_ERR_INVALID, "step must be above 0");
}

sn_status sn_commands_get_history(struct sn_command_call *call) {
    struct sn_range range = {0, 0};
    int64_t step_ms = 0;
    struct sn_query_result result;
    SN_TRY(read_range(call, &range));
    if (range.start_ms > range.end_ms)
        return sn_err_set(call->err, SN_ERR_INVALID, "the range ends before it starts");
    SN_TRY(read_step(call, range, &step_ms));
    SN_TRY(sn_commands_query(call, call->texts[SN_COMMAND_QUERY], range, step_ms, &result));
    double hours = (double)(range.end_ms - range.start_ms) / (double)HOUR_MS;
    sn_json_write_object_begin(call->json);
    sn_json_write_key_string(call->json, SN_STR("query"), call->texts[SN_COMMAND_QUERY]);
    sn_json_write_key(call->json, SN_STR("start"));
    sn_json_write_time(call->json, range.start_ms);
    sn_json_write_key(call->json, SN_STR("end"));
    sn_json_write_time(call->json, range.end_ms);
    sn_json_write_key_double(call->json, SN_STR("step_seconds"), (double)step_ms / 1e3);
    sn_json_write_key(call->json, SN_STR("series"));
    sn_json_write_array_begin(call->json);
    for (size_t i = 0; i < result.series_count; i++)
        SN_TRY(write_series(call, &result.series[i], hours));
    sn_json_write_array_end(call->json);
    sn_json_write_object_end(call->json);
    return SN_OK;
}

/* ---- export ---- */

static void put_type(struct sn_command_call *call, struct sn_buf *text, struct sn_str name) {
    struct sn_metadata metadata;
    const struct sn_reader *reader = &call->commands->reader;
    if (reader->metadata == NULL || !reader->metadata(reader->ctx, name, call->arena, &metadata))
        return;
    sn_buf_printf(text, "# TYPE %.*s %s\n", SN_STR_ARG(name),
                  metadata.type == SN_METRIC_UNKNOWN ? "untyped"
                                                     : sn_metric_type_name(metadata.type));
}

static void put_sample(struct sn_buf *text, struct sn_str name,
                       const struct sn_result_series *series) {
    char number[SN_DOUBLE_TEXT_SIZE];
    bool has_labels = false;
    sn_buf_put_str(text, name);
    for (size_t i = 0; i < series->labels.count; i++) {
        const struct sn_label *label = &series->labels.items[i];
        if (sn_str_equal(label->name, SN_LABEL_METRIC_NAME))
            continue;
        sn_buf_put_byte(text, has_labels ? ',' : '{');
        has_labels = true;
        sn_buf_put_str(text, label->name);
        sn_buf_put_byte(text, '=');
        sn_text_put_quoted(text, label->value);
    }
    if (has_labels)
        sn_buf_put_byte(text, '}');
    size_t len = sn_double_format(series->value[0], SN_DOUBLE_TEXT, number);
    sn_buf_put_byte(text, ' ');
    sn_buf_put(text, number, len);
    sn_buf_put_byte(text, '\n');
}

static sn_status put_all(struct sn_command_call *call, struct sn_buf *text) {
    struct sn_query_result result;
    struct sn_str match = call->texts[SN_COMMAND_MATCH], last = {NULL, 0};
    const struct sn_range now = {call->now_ms, call->now_ms};
    if (match.ptr == NULL)
        match = SN_STR("{__name__=~\".+\"}");
    /* sort_by_label would be experimental; the engine gives series in the order of their labels. */
    SN_TRY(sn_commands_query(call, match, now, 0, &result));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_str name = sn_labels_get(result.series[i].labels, SN_LABEL_METRIC_NAME);
        if (name.len == 0)
            return sn_err_set(call->err, SN_ERR_INVALID,
                              "\"match\" must be a selector, its results have no names");
        if (result.series[i].count == 0)
            continue; /* a native histogram: text has no form for it */
        if (!sn_str_equal(name, last))
            put_type(call, text, name);
        last = name;
        put_sample(text, name, &result.series[i]);
    }
    return sn_buf_status(text, call->err);
}

sn_status sn_commands_export(struct sn_command_call *call) {
    struct sn_buf text;
    sn_buf_init(&text, SN_COMMAND_ARENA_BYTES);
    sn_status status = put_all(call, &text);
    if (status == SN_OK) {
        sn_json_write_object_begin(call->json);
        sn_json_write_key_string(call->json, SN_STR("format"), SN_STR("text"));
        sn_json_write_key_string(call->json, SN_STR("content_type"),
                                 SN_STR("text/plain; version=0.0.4; charset=utf-8"));
        sn_json_write_key_string(call->json, SN_STR("text"), sn_buf_str(&text));
        sn_json_write_object_end(call->json);
    }
    sn_buf_release(&text);
    return status;
}

/* ---- alerts of one's own ---- */

static sn_status check_alert(struct sn_command_call *call, int64_t *ret_for_ms) {
    static const struct sn_str severities[] = {SN_STR("info"), SN_STR("warning"),
                                               SN_STR("critical")};
    struct sn_query_result result;
    struct sn_str severity = call->texts[SN_COMMAND_SEVERITY], name = call->texts[SN_COMMAND_NAME];
    const struct sn_range now = {call->now_ms, call->now_ms};
    bool is_known = severity.ptr == NULL;
    for (size_t i = 0; i < sizeof severities / sizeof severities[0]; i++)
        is_known = is_known || sn_str_equal(severity, severities[i]);
    if (!is_known)
        return sn_err_set(call->err, SN_ERR_INVALID,
                          "severity is one of \"info\", \"warning\", \"critical\"");
    if (name.len == 0 || name.len > 200)
        return sn_err_set(call->err, SN_ERR_INVALID, "name has %zu bytes, it needs 1 to 200",
                          name.len);
    if (sn_commands_has(call, SN_COMMAND_FOR))
        SN_TRY(sn_duration_parse_ms(call->texts[SN_COMMAND_FOR], ret_for_ms, call->err));
    if (*ret_for_ms < 0)
        return sn_err_set(call->err, SN_ERR_INVALID, "for must not be below 0");
    /* What cannot be evaluated now never will be. */
    return sn_commands_query(call, call->texts[SN_COMMAND_EXPR], now, 0, &result);
}

static void write_rule(struct sn_json_writer *json, const struct sn_command_call *call,
                       struct sn_str id, int64_t for_ms) {
    struct sn_str severity = call->texts[SN_COMMAND_SEVERITY];
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("id"), id);
    sn_json_write_key_string(json, SN_STR("name"), call->texts[SN_COMMAND_NAME]);
    sn_json_write_key_string(json, SN_STR("expr"), call->texts[SN_COMMAND_EXPR]);
    sn_json_write_key_double(json, SN_STR("for_seconds"), (double)for_ms / 1e3);
    sn_json_write_key_string(json, SN_STR("severity"),
                             severity.ptr != NULL ? severity : SN_STR("warning"));
    sn_json_write_key_string(json, SN_STR("description"), call->texts[SN_COMMAND_DESCRIPTION]);
    sn_json_write_key_int64(json, SN_STR("created_ms"), call->now_ms);
    sn_json_write_object_end(json);
}

sn_status sn_commands_create_alert(struct sn_command_call *call) {
    int64_t for_ms = 0;
    struct sn_buf buf;
    struct sn_json_writer json;
    SN_TRY(check_alert(call, &for_ms));
    /* The same name again replaces the rule: its id is the hash of the name. */
    struct sn_str name = call->texts[SN_COMMAND_NAME];
    char *key = sn_arena_printf(call->arena, ALERT_PREFIX "%016" PRIx64,
                                sn_hash_bytes(name.ptr, name.len, 0));
    if (key == NULL)
        return sn_arena_failure(call->arena, name.len, call->err);
    struct sn_str id = sn_str_from(key + sizeof ALERT_PREFIX - 1);
    sn_buf_init(&buf, SN_SETTING_VALUE_BYTES_MAX);
    sn_json_write_init(&json, &buf, 0);
    write_rule(&json, call, id, for_ms);
    sn_status status = sn_json_write_finish(&json, call->err);
    if (status == SN_OK)
        status = sn_settings_put(call->commands->settings, sn_str_from(key), sn_buf_str(&buf),
                                 call->err);
    sn_buf_release(&buf);
    if (status == SN_OK)
        write_rule(call->json, call, id, for_ms);
    return status;
}
