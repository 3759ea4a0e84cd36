/*
 * GET /api/v1/admin/sources: who sends data: scrape targets, collectors, and protocols by which
 * others push, with what went wrong last.
 */
#include "api/dash.h"
#include "codec/json_read.h"
#include "codec/timetext.h"
#include "engine/metric_table.h"

#include <math.h>

#define TARGETS_BYTES_MAX ((size_t)16 << 20)
#define TARGETS_MAX 2000

/* One row. */
struct source {
    struct sn_str name, kind, job, error;
    enum sn_health status;
    double duration_s, samples;
    int64_t last_ms;
};

struct call {
    struct sn_api *api;
    struct sn_arena *arena;
    struct sn_json_writer *json;
    struct sn_err *err;
    int64_t now_ms;
};

static void put_source(struct sn_json_writer *json, const struct source *source) {
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "name", source->name);
    sn_dash_put_text(json, "kind", source->kind);
    sn_dash_put_health(json, "status", source->status);
    sn_dash_put_text(json, "job", source->job);
    sn_dash_put_number(json, "duration_seconds", source->duration_s);
    sn_dash_put_number(json, "samples", source->samples);
    sn_dash_put_time(json, "last_at", source->last_ms);
    sn_json_write_key(json, SN_STR("last_error"));
    if (source->error.len > 0)
        sn_json_write_string(json, source->error);
    else
        sn_json_write_null(json);
    sn_json_write_object_end(json);
}

static sn_status read_table(const struct call *call, const struct sn_metric_column *columns,
                            size_t column_count, struct sn_str key, struct sn_str second,
                            struct sn_metric_table *ret_table) {
    const struct sn_ask ask = {call->api->options.querier, call->arena, call->err,
                               SN_ASK_TIMEOUT_NS};
    const struct sn_metric_table_query query = {.columns = columns,
                                                .column_count = column_count,
                                                .keys = {key, second},
                                                .now_ms = call->now_ms};
    return sn_metric_table_read(&ask, &query, ret_table);
}

/* ---- scrape targets ---- */

/* What the list of targets says of one; the list is that of the Prometheus API. */
static void read_target(struct sn_json_reader *json, struct source *source,
                        struct sn_str *ret_instance) {
    struct sn_str key, text;
    (void)sn_json_read_object(json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(json, &key)) {
        if (sn_str_equal(key, SN_STR("lastScrapeDuration"))) {
            source->duration_s = sn_json_read_double(json);
        } else if (sn_str_equal(key, SN_STR("labels"))) {
            (void)sn_json_read_object(json); /* as above */
            while (sn_json_read_key(json, &key)) {
                text = sn_json_read_string(json);
                if (sn_str_equal(key, SN_STR("instance")))
                    *ret_instance = text;
            }
        } else if (sn_json_read_peek(json) != SN_JSON_STRING) {
            sn_json_read_skip(json);
        } else {
            text = sn_json_read_string(json);
            if (sn_str_equal(key, SN_STR("scrapeUrl")))
                source->name = text;
            else if (sn_str_equal(key, SN_STR("scrapePool")))
                source->job = text;
            else if (sn_str_equal(key, SN_STR("lastError")))
                source->error = text;
            else if (sn_str_equal(key, SN_STR("health")))
                source->status = sn_str_equal(text, SN_STR("up"))     ? SN_HEALTH_GOOD
                                 : sn_str_equal(text, SN_STR("down")) ? SN_HEALTH_CRITICAL
                                                                      : SN_HEALTH_UNKNOWN;
            else if (sn_str_equal(key, SN_STR("lastScrape")) &&
                     sn_time_parse_ms(text, &source->last_ms, NULL) != SN_OK)
                source->last_ms = 0; /* Go's zero: never */
        }
    }
}

static double samples_of(const struct sn_metric_table *table, struct sn_str job,
                         struct sn_str instance) {
    for (size_t i = 0; i < table->count; i++)
        if (sn_str_equal(table->rows[i].keys[0], job) &&
            sn_str_equal(table->rows[i].keys[1], instance))
            return table->rows[i].values[0];
    return (double)NAN;
}

static sn_status put_list(const struct call *call, struct sn_str list,
                          const struct sn_metric_table *samples) {
    struct sn_json_reader json;
    struct sn_str key;
    size_t count = 0;
    sn_json_read_init(
        &json, list,
        &(struct sn_json_options){.arena = call->arena, .hash_seed = call->api->hash_seed});
    (void)sn_json_read_object(&json); /* as above */
    while (sn_json_read_key(&json, &key)) {
        if (!sn_str_equal(key, SN_STR("activeTargets"))) {
            sn_json_read_skip(&json);
            continue;
        }
        (void)sn_json_read_array(&json); /* as above */
        while (sn_json_read_element(&json)) {
            struct source source = {.kind = SN_STR("scrape"), .samples = (double)NAN};
            struct sn_str instance = SN_STR("");
            read_target(&json, &source, &instance);
            source.samples = samples_of(samples, source.job, instance);
            if (count++ < TARGETS_MAX)
                put_source(call->json, &source);
        }
    }
    return sn_json_read_finish(&json, call->err);
}

static sn_status put_targets(const struct call *call) {
    static const struct sn_metric_column column = {
        "samples", "max by (job, instance) (scrape_samples_post_metric_relabeling)"};
    const struct sn_api_options *options = &call->api->options;
    const struct sn_api_target_query query = {.wants_active = true};
    struct sn_metric_table samples;
    struct sn_json_writer json;
    struct sn_buf buf;
    if (options->targets == NULL)
        return SN_OK;
    SN_TRY(read_table(call, &column, 1, SN_STR("job"), SN_STR("instance"), &samples));
    sn_buf_init(&buf, TARGETS_BYTES_MAX);
    sn_json_write_init(&json, &buf, 0);
    sn_status status = options->targets(options->ctx, &query, &json, call->err);
    if (status == SN_OK)
        status = sn_json_write_finish(&json, call->err);
    if (status == SN_OK)
        status = put_list(call, sn_buf_str(&buf), &samples);
    sn_buf_release(&buf);
    return status;
}

/* ---- collectors, protocols ---- */

static sn_status put_collectors(const struct call *call) {
    static const struct sn_metric_column columns[] = {
        {"up", "min by (collector) (sonde_collector_up)"},
        {"duration", "max by (collector) (sonde_collector_duration_seconds)"},
        {"at", "max by (collector) (timestamp(sonde_collector_up))"},
    };
    struct sn_metric_table table;
    SN_TRY(read_table(call, columns, 3, SN_STR("collector"), SN_STR(""), &table));
    for (size_t i = 0; i < table.count; i++) {
        const struct sn_metric_row *row = &table.rows[i];
        bool is_down = row->values[0] < 1;
        const struct source source = {
            .name = row->keys[0],
            .kind = SN_STR("collector"),
            .status = is_down ? SN_HEALTH_CRITICAL : SN_HEALTH_GOOD,
            .error = is_down ? SN_STR("the last pass failed: the log says why") : SN_STR(""),
            .duration_s = row->values[1],
            .samples = (double)NAN,
            .last_ms = sn_ask_time_ms(row->values[2]),
        };
        put_source(call->json, &source);
    }
    return SN_OK;
}

/* Protocols by which something has come; scrapes have rows of their own. */
static sn_status put_pushes(const struct call *call) {
    static const struct sn_metric_column columns[] = {
        {"total", "sum by (protocol) (sonde_ingested_samples_total{protocol!=\"scrape\"}) > 0"},
        {"at", "max by (protocol) (max_over_time(timestamp("
               "changes(sonde_ingested_samples_total{protocol!=\"scrape\"}[1m]) > 0)[1d:1m]))"},
    };
    struct sn_metric_table table;
    SN_TRY(read_table(call, columns, 2, SN_STR("protocol"), SN_STR(""), &table));
    for (size_t i = 0; i < table.count; i++) {
        const struct sn_metric_row *row = &table.rows[i];
        if (isnan(row->values[0]))
            continue;
        const struct source source = {
            .name = row->keys[0],
            .kind = SN_STR("push"),
            .status = SN_HEALTH_GOOD,
            .duration_s = (double)NAN,
            .samples = row->values[0],
            .last_ms = sn_ask_time_ms(row->values[1]),
        };
        put_source(call->json, &source);
    }
    return SN_OK;
}

static sn_status write_sources(struct sn_api *api, struct sn_http_request *request,
                               struct sn_json_writer *json, struct sn_err *err) {
    const struct call call = {api, sn_http_request_arena(request), json, err,
                              sn_clock_wall_ms(api->options.clock)};
    SN_TRY(sn_params_read(request, NULL, 0, err));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", call.now_ms);
    sn_json_write_key(json, SN_STR("rows"));
    sn_json_write_array_begin(json);
    SN_TRY(put_targets(&call));
    SN_TRY(put_pushes(&call));
    SN_TRY(put_collectors(&call));
    sn_json_write_array_end(json);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_sources(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_sources);
}
