/*
 * Groups of errors: list, look at one, resolve or open again. See records/app_event.h for what a
 * group is. A resolved group that gets a new error opens by itself.
 */
#include "api/api_priv.h"
#include "api/record_params.h"
#include "codec/json_read.h"
#include "records/records.h"

#define PAGE_DEFAULT 100

static void put_group(struct sn_json_writer *json, const struct sn_error_group *group) {
    sn_json_write_object_begin(json);
    sn_json_write_key_int64(json, SN_STR("id"), group->id);
    sn_json_write_key_string(json, SN_STR("app"), group->app);
    sn_json_write_key_string(json, SN_STR("operation"), group->operation);
    sn_json_write_key_string(json, SN_STR("error_type"), group->error_class);
    sn_json_write_key_string(json, SN_STR("message"), group->message);
    sn_json_write_key_string(json, SN_STR("sample"), group->sample);
    sn_json_write_key_string(json, SN_STR("sample_type"), group->sample_type);
    sn_json_write_key_uint64(json, SN_STR("count"), group->count);
    sn_json_write_key_uint64(json, SN_STR("users"), group->user_count);
    sn_api_write_key_time(json, SN_STR("first_seen"), group->first_ms);
    sn_api_write_key_time(json, SN_STR("last_seen"), group->last_ms);
    sn_json_write_key_string(json, SN_STR("state"),
                             group->resolved_ms > 0 ? SN_STR("resolved") : SN_STR("open"));
    if (group->resolved_ms > 0)
        sn_api_write_key_time(json, SN_STR("resolved_at"), group->resolved_ms);
    sn_json_write_key_uint64(json, SN_STR("reopened"), group->reopened_count);
    sn_json_write_object_end(json);
}

static sn_status parse_state(struct sn_str text, enum sn_error_state *ret_state,
                             struct sn_err *err) {
    if (text.len == 0 || sn_str_equal(text, SN_STR("any")))
        *ret_state = SN_ERROR_ANY;
    else if (sn_str_equal(text, SN_STR("open")))
        *ret_state = SN_ERROR_OPEN;
    else if (sn_str_equal(text, SN_STR("resolved")))
        *ret_state = SN_ERROR_RESOLVED;
    else
        return sn_err_set(err, SN_ERR_INVALID, "parameter state is none of open, resolved, any");
    return SN_OK;
}

static sn_status write_list(struct sn_api *api, struct sn_http_request *request,
                            struct sn_json_writer *json, struct sn_err *err) {
    struct sn_error_filter filter = {.limit = 0};
    struct sn_error_list list;
    struct sn_str state = {NULL, 0};
    int64_t limit = PAGE_DEFAULT;
    struct sn_param params[] = {
        SN_PARAM("app", SN_PARAM_TEXT, &filter.app),
        SN_PARAM("error_type", SN_PARAM_TEXT, &filter.error_class),
        SN_PARAM("state", SN_PARAM_TEXT, &state),
        SN_PARAM_WITHIN("limit", &limit, 1, SN_RECORD_PAGE_MAX),
    };
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    SN_TRY(parse_state(state, &filter.state, err));
    filter.limit = (size_t)limit;
    SN_TRY(sn_records_list_errors(api->options.records, &filter, sn_http_request_arena(request),
                                  &list, err));
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("errors"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list.count; i++)
        put_group(json, &list.items[i]);
    sn_json_write_array_end(json);
    sn_json_write_key_uint64(json, SN_STR("count"), list.count);
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status put_one(struct sn_api *api, struct sn_http_request *request, int64_t id,
                         struct sn_json_writer *json, struct sn_err *err) {
    const struct sn_error_filter filter = {.id = id, .limit = 1};
    struct sn_error_list list;
    SN_TRY(sn_records_list_errors(api->options.records, &filter, sn_http_request_arena(request),
                                  &list, err));
    if (list.count == 0)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no error group %lld", (long long)id);
    put_group(json, &list.items[0]);
    return SN_OK;
}

static sn_status write_one(struct sn_api *api, struct sn_http_request *request,
                           struct sn_json_writer *json, struct sn_err *err) {
    int64_t id;
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_params_read(request, NULL, 0, err));
    SN_TRY(sn_api_path_id(request, 4, &id, err)); /* /api/v1/errors/{id} */
    return put_one(api, request, id, json, err);
}

/* {"resolved": true} */
static sn_status read_change(struct sn_api *api, struct sn_http_request *request,
                             struct sn_engine_error_change *change, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_str key;
    bool is_there = false;
    sn_json_read_init(&json, sn_http_request_body(request),
                      &(struct sn_json_options){.arena = sn_http_request_arena(request),
                                                .hash_seed = api->hash_seed});
    (void)sn_json_read_object(&json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(&json, &key)) {
        if (!sn_str_equal(key, SN_STR("resolved")))
            sn_json_read_fail(&json, SN_ERR_INVALID, "unknown field: only \"resolved\" changes");
        change->is_resolved = sn_json_read_bool(&json);
        is_there = true;
    }
    SN_TRY(sn_json_read_finish(&json, err));
    return is_there ? SN_OK : sn_err_set(err, SN_ERR_INVALID, "field \"resolved\" is missing");
}

static sn_status write_changed(struct sn_api *api, struct sn_http_request *request,
                               struct sn_json_writer *json, struct sn_err *err) {
    struct sn_engine_error_change change = {.now_ms = sn_clock_wall_ms(api->options.clock)};
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_params_read(request, NULL, 0, err));
    SN_TRY(sn_api_path_id(request, 4, &change.id, err));
    SN_TRY(read_change(api, request, &change, err));
    struct sn_records_push push = {.error_change = &change};
    SN_TRY(sn_records_push_wait(api->options.records, &push, err));
    return put_one(api, request, change.id, json, err);
}

void sn_api_get_errors(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_list);
}

void sn_api_get_error(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_one);
}

void sn_api_patch_error(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_changed);
}
