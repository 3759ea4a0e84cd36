/*
 * What administrators see of the store.
 *
 *   GET /api/v1/admin/storage       sizes, rates, retention, the database of the records
 *   GET /api/v1/admin/cardinality   metrics with most series, their widest labels
 */
#include "api/dash.h"
#include "codec/duration.h"

#include <math.h>

enum { ROWS_DEFAULT = 20, ROWS_MAX = 200 };

/* ---- storage ---- */

static sn_status read_rate(struct sn_api *api, struct sn_http_request *request, int64_t now_ms,
                           double *ret_rate, struct sn_err *err) {
    struct sn_query_result result;
    const struct sn_ask ask = {api->options.querier, sn_http_request_arena(request), err,
                               SN_ASK_TIMEOUT_NS};
    SN_TRY(sn_ask_at(&ask, now_ms, &result, "sum(rate(sonde_store_samples_total[5m]))"));
    *ret_rate = result.series_count > 0 ? sn_ask_value(&result, 0) : (double)NAN;
    return SN_OK;
}

static void put_records(struct sn_api *api, struct sn_json_writer *json) {
    struct sn_records_stats stats;
    struct sn_engine_state state;
    sn_json_write_key(json, SN_STR("records"));
    if (api->options.records == NULL) {
        sn_json_write_null(json);
        return;
    }
    sn_records_stats(api->options.records, &stats);
    sn_records_state(api->options.records, &state);
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "engine", sn_str_from(sn_records_engine_name(api->options.records)));
    sn_json_write_key_bool(json, SN_STR("is_away"), state.is_away);
    sn_json_write_key_uint64(json, SN_STR("queued"), stats.queued_count);
    sn_json_write_key(json, SN_STR("last_error"));
    if (state.last_error.status != SN_OK)
        sn_json_write_string(json, sn_str_from(state.last_error.text));
    else if (stats.last_error.status != SN_OK)
        sn_json_write_string(json, sn_str_from(stats.last_error.text));
    else
        sn_json_write_null(json);
    sn_json_write_object_end(json);
}

static void put_sizes(struct sn_json_writer *json, const struct sn_storage *storage) {
    double samples = (double)storage->segment_sample_count;
    sn_json_write_key_uint64(json, SN_STR("series"), storage->series_count);
    sn_json_write_key_uint64(json, SN_STR("segments"), storage->segment_count);
    sn_json_write_key_uint64(json, SN_STR("bytes"),
                             storage->segment_bytes + storage->rollup_bytes + storage->log_bytes);
    sn_json_write_key_uint64(json, SN_STR("segment_bytes"), storage->segment_bytes);
    sn_json_write_key_uint64(json, SN_STR("rollup_bytes"), storage->rollup_bytes);
    sn_json_write_key_uint64(json, SN_STR("log_bytes"), storage->log_bytes);
    sn_json_write_key_uint64(json, SN_STR("head_bytes"), storage->head_bytes);
    sn_json_write_key_uint64(json, SN_STR("samples"), storage->segment_sample_count);
    sn_dash_put_number(json, "bytes_per_sample",
                       samples > 0 ? (double)storage->segment_bytes / samples : (double)NAN);
    sn_dash_put_time(json, "oldest", storage->time_min);
    sn_dash_put_time(json, "newest", storage->time_max);
}

static void put_retention(struct sn_api *api, struct sn_json_writer *json) {
    int64_t retention_ms = 0;
    struct sn_str text = sn_str_from(api->options.retention_text);
    sn_dash_put_text(json, "retention", text);
    bool is_known = sn_duration_parse_ms(text, &retention_ms, NULL) == SN_OK;
    sn_dash_put_number(json, "retention_seconds",
                       is_known ? (double)retention_ms / 1e3 : (double)NAN);
}

static sn_status write_storage(struct sn_api *api, struct sn_http_request *request,
                               struct sn_json_writer *json, struct sn_err *err) {
    const struct sn_admin *admin = &api->options.admin;
    int64_t now_ms = sn_clock_wall_ms(api->options.clock);
    struct sn_storage storage;
    double rate;
    SN_TRY(sn_params_read(request, NULL, 0, err));
    if (admin->storage == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no store of its own");
    admin->storage(admin->ctx, &storage);
    SN_TRY(read_rate(api, request, now_ms, &rate, err));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "time", now_ms);
    put_sizes(json, &storage);
    sn_dash_put_number(json, "samples_per_second", rate);
    put_retention(api, json);
    sn_dash_put_time(json, "last_backup_at",
                     sn_api_last_snapshot_ms(api, sn_http_request_arena(request)));
    put_records(api, json);
    sn_dash_put_time(json, "started_at", api->options.start_wall_ms);
    sn_dash_put_text(json, "version", sn_str_from(sonde_version()));
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_storage(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_storage);
}

/* ---- cardinality ---- */

/* The label of a metric with most values; none: an empty name. */
static sn_status find_widest(struct sn_api *api, struct sn_str metric, struct sn_arena *arena,
                             struct sn_str *ret_label, size_t *ret_count, struct sn_err *err) {
    const struct sn_reader *reader = &api->options.reader;
    const struct sn_matcher matcher = {
        .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = metric};
    const struct sn_select select = {
        .matchers = &matcher, .matcher_count = 1, .range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX}};
    struct sn_string_list names;
    *ret_label = SN_STR("");
    *ret_count = 0;
    if (reader->label_names == NULL || reader->label_values == NULL)
        return SN_OK;
    SN_TRY(reader->label_names(reader->ctx, &select, 0, arena, &names, err));
    for (size_t i = 0; i < names.count; i++) {
        struct sn_string_list values;
        if (sn_str_equal(names.items[i], SN_LABEL_METRIC_NAME))
            continue;
        SN_TRY(reader->label_values(reader->ctx, names.items[i], &select, 0, arena, &values, err));
        if (values.count > *ret_count) {
            *ret_label = names.items[i];
            *ret_count = values.count;
        }
    }
    return SN_OK;
}

static sn_status put_metrics(struct sn_api *api, const struct sn_cardinality_list *list,
                             struct sn_arena *arena, struct sn_json_writer *json,
                             struct sn_err *err) {
    sn_json_write_key(json, SN_STR("metrics"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list->count; i++) {
        struct sn_str label;
        size_t count;
        SN_TRY(find_widest(api, list->rows[i].name, arena, &label, &count, err));
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "name", list->rows[i].name);
        sn_json_write_key_uint64(json, SN_STR("series"), list->rows[i].count);
        sn_dash_put_text(json, "widest_label", label);
        sn_json_write_key_uint64(json, SN_STR("widest_values"), count);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
    return SN_OK;
}

/* Count of a label in another list; 0: it is too small to be in there. */
static uint64_t count_of(const struct sn_cardinality_list *list, struct sn_str name) {
    for (size_t i = 0; i < list->count; i++)
        if (sn_str_equal(list->rows[i].name, name))
            return list->rows[i].count;
    return 0;
}

static void put_labels(struct sn_json_writer *json, const struct sn_cardinality *found,
                       size_t max) {
    const struct sn_cardinality_list *list = &found->values_by_label;
    sn_json_write_key(json, SN_STR("labels"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list->count && i < max; i++) {
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "name", list->rows[i].name);
        sn_json_write_key_uint64(json, SN_STR("values"), list->rows[i].count);
        sn_json_write_key_uint64(json, SN_STR("series"),
                                 count_of(&found->series_by_label, list->rows[i].name));
        sn_json_write_key_uint64(json, SN_STR("bytes"),
                                 count_of(&found->bytes_by_label, list->rows[i].name));
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void put_hours(struct sn_json_writer *json, const struct sn_cardinality *found) {
    sn_json_write_key(json, SN_STR("created_by_hour"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < found->hour_count; i++) {
        sn_json_write_object_begin(json);
        sn_dash_put_time(json, "at", found->hours[i].time_ms);
        sn_json_write_key_uint64(json, SN_STR("count"), found->hours[i].created_count);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static sn_status write_cardinality(struct sn_api *api, struct sn_http_request *request,
                                   struct sn_json_writer *json, struct sn_err *err) {
    const struct sn_admin *admin = &api->options.admin;
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_cardinality found;
    int64_t limit = ROWS_DEFAULT;
    struct sn_param params[] = {SN_PARAM_WITHIN("limit", &limit, 1, ROWS_MAX)};
    SN_TRY(sn_params_read(request, params, 1, err));
    if (admin->cardinality == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no store of its own");
    /* More rows than are shown: a label has its counts in three lists. */
    SN_TRY(admin->cardinality(admin->ctx, ROWS_MAX, arena, &found, err));
    if (found.series_by_metric.count > (size_t)limit)
        found.series_by_metric.count = (size_t)limit;
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("series"), found.series_count);
    sn_json_write_key_uint64(json, SN_STR("label_pairs"), found.label_pair_count);
    sn_json_write_key_uint64(json, SN_STR("label_names"), found.label_name_count);
    SN_TRY(put_metrics(api, &found.series_by_metric, arena, json, err));
    put_labels(json, &found, (size_t)limit);
    put_hours(json, &found);
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_cardinality(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_cardinality);
}
