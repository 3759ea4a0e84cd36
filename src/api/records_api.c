/*
 * Routes of the records (system_metrics): post one or many, list, aggregate, get, take the host's
 * state, note a queue. See api/record_json.h for what a record looks like.
 *
 *   POST   201 when records and their samples are durable; 400 names what is wrong with which
 *          record, and then nothing was stored; 429 and 503: come back later
 *   GET    lists are newest first and go on with ?cursor=<next_cursor>
 */
#include "api/api_priv.h"
#include "api/record_json.h"
#include "api/record_params.h"
#include "base/limits.h"
#include "records/record_id.h"
#include "records/records.h"

#include <stdio.h>

#define DAY_MS INT64_C(86400000)
#define PAGE_DEFAULT 100

/* ---- answers to pushes ---- */

/* Records on their way; in the request's arena. */
struct post {
    struct sn_http_request *request;
    struct sn_records_push push;
    bool is_one; /* answered with the record itself */
};

static void write_rejects(struct sn_json_writer *json, const struct sn_records_push *push) {
    if (push->sample_rejected_count == 0)
        return;
    sn_json_write_key_uint64(json, SN_STR("samples_rejected"), push->sample_rejected_count);
    sn_json_write_key_string(json, SN_STR("first_reject"), sn_str_from(push->first_reject.text));
}

static void write_ids(struct sn_json_writer *json, const struct sn_records_push *push) {
    sn_json_write_object_begin(json);
    sn_json_write_key_uint64(json, SN_STR("accepted"), push->record_count);
    sn_json_write_key(json, SN_STR("ids"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < push->record_count; i++) {
        char id[SN_RECORD_ID_TEXT_SIZE];
        sn_record_id_format(&push->records[i].id, id);
        sn_json_write_string(json, sn_str_from(id));
    }
    sn_json_write_array_end(json);
    write_rejects(json, push);
    sn_json_write_object_end(json);
}

static void on_stored(struct sn_records_push *push) {
    struct post *post = push->ctx;
    struct sn_buf buf;
    struct sn_json_writer json;
    if (push->status != SN_OK) {
        sn_api_respond_failure(post->request, push->status, &push->err);
        return;
    }
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    if (post->is_one)
        sn_record_json_write(&json, &push->records[0]);
    else
        write_ids(&json, push);
    sn_api_respond_created(post->request, &json, &buf);
    sn_buf_release(&buf);
}

static void store(struct sn_api *api, struct sn_http_request *request, struct sn_record *records,
                  size_t count, bool is_one) {
    struct sn_err err = {0};
    struct sn_arena *arena = sn_http_request_arena(request);
    struct post *post = sn_arena_alloc_zero(arena, 1, sizeof *post);
    if (post == NULL) {
        sn_api_respond_failure(request, sn_arena_failure(arena, sizeof *post, &err), &err);
        return;
    }
    post->request = request;
    post->is_one = is_one;
    post->push = (struct sn_records_push){
        .records = records, .record_count = count, .done = on_stored, .ctx = post};
    sn_status status = sn_api_check_records(api, &err);
    if (status == SN_OK)
        status = sn_records_push(api->options.records, &post->push, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

/* ---- posting ---- */

void sn_api_respond_invalid(struct sn_http_request *request, const struct sn_api_invalid *invalid) {
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("status"), SN_STR("error"));
    sn_json_write_key_string(&json, SN_STR("errorType"), SN_STR("bad_data"));
    char sentence[128];
    (void)snprintf(sentence, sizeof sentence, /* two numbers and a word fit */
                   "%zu of %zu %s are not valid; nothing was stored", invalid->invalid_count,
                   invalid->count, invalid->things);
    sn_json_write_key_string(&json, SN_STR("error"), sn_str_from(sentence));
    sn_json_write_key(&json, SN_STR("items"));
    sn_json_write_array_begin(&json);
    for (size_t i = 0; i < invalid->error_count; i++) {
        sn_json_write_object_begin(&json);
        sn_json_write_key_uint64(&json, SN_STR("index"), invalid->errors[i].index);
        sn_json_write_key_string(&json, SN_STR("error"), sn_str_from(invalid->errors[i].text));
        sn_json_write_object_end(&json);
    }
    sn_json_write_array_end(&json);
    sn_json_write_object_end(&json);
    sn_api_respond_json_status(request, 400, &json, &buf);
    sn_buf_release(&buf);
}

static void post_records(struct sn_api *api, struct sn_http_request *request, bool is_batch) {
    struct sn_record_reading reading;
    struct sn_err err = {0};
    const struct sn_record_json_options options = {
        .arena = sn_http_request_arena(request),
        .now_ms = sn_clock_wall_ms(api->options.clock),
        .hash_seed = api->hash_seed,
        .is_batch = is_batch,
    };
    sn_status status = sn_params_read(request, NULL, 0, &err);
    if (status == SN_OK)
        status = sn_record_json_read(sn_http_request_body(request), &options, &reading, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else if (reading.invalid_count > 0 && is_batch)
        sn_api_respond_invalid(
            request, &(struct sn_api_invalid){"records", reading.count, reading.invalid_count,
                                              reading.errors, reading.error_count});
    else if (reading.invalid_count > 0)
        sn_http_respond_error(request, 400, "bad_data", reading.errors[0].text);
    else
        store(api, request, reading.records, reading.count, !is_batch);
}

void sn_api_post_record(struct sn_api *api, struct sn_http_request *request) {
    post_records(api, request, false);
}

void sn_api_post_record_batch(struct sn_api *api, struct sn_http_request *request) {
    post_records(api, request, true);
}

/* ---- reading ---- */

struct list_params {
    struct sn_record_page page;
    struct sn_str cursor;
    int64_t limit;
    int64_t window_ms; /* 0: rows, not windows */
};

static sn_status read_list_params(struct sn_api *api, struct sn_http_request *request,
                                  struct list_params *ret, struct sn_err *err) {
    struct sn_record_filter *filter = &ret->page.filter;
    *ret = (struct list_params){.limit = PAGE_DEFAULT};
    filter->end_ms = SN_TIME_MS_MAX;
    struct sn_param params[] = {
        SN_PARAM("metric_type", SN_PARAM_TEXT, &filter->metric_type),
        SN_PARAM("name", SN_PARAM_TEXT, &filter->name),
        SN_PARAM("service", SN_PARAM_TEXT, &filter->service),
        SN_PARAM("start_time", SN_PARAM_TIME, &filter->start_ms),
        SN_PARAM("end_time", SN_PARAM_TIME, &filter->end_ms),
        SN_PARAM("time_window", SN_PARAM_DURATION, &ret->window_ms),
        SN_PARAM_WITHIN("limit", &ret->limit, 1, SN_RECORD_PAGE_MAX),
        SN_PARAM("cursor", SN_PARAM_TEXT, &ret->cursor),
    };
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    ret->page.limit = (size_t)ret->limit;
    if (ret->window_ms > 0) { /* without times: the last day */
        if (!params[4].is_there)
            filter->end_ms = sn_clock_wall_ms(api->options.clock);
        if (!params[3].is_there)
            filter->start_ms = filter->end_ms > DAY_MS ? filter->end_ms - DAY_MS : 0;
    }
    if (filter->start_ms > filter->end_ms)
        return sn_err_set(err, SN_ERR_INVALID, "start_time is later than end_time");
    ret->page.has_cursor = params[7].is_there;
    return ret->page.has_cursor ? sn_record_id_parse(ret->cursor, &ret->page.cursor, err) : SN_OK;
}

static void write_list(struct sn_json_writer *json, const struct sn_record_list *list) {
    char next[SN_RECORD_ID_TEXT_SIZE];
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("metrics"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list->count; i++)
        sn_record_json_write(json, &list->items[i]);
    sn_json_write_array_end(json);
    sn_json_write_key_uint64(json, SN_STR("count"), list->count);
    sn_json_write_key(json, SN_STR("next_cursor"));
    if (list->has_more) {
        sn_record_id_format(&list->items[list->count - 1].id, next);
        sn_json_write_string(json, sn_str_from(next));
    } else {
        sn_json_write_null(json);
    }
    sn_json_write_object_end(json);
}

static void write_window(struct sn_json_writer *json, const struct sn_window *window,
                         int64_t width_ms) {
    char start[SN_TIME_TEXT_SIZE], end[SN_TIME_TEXT_SIZE];
    sn_time_format(window->start_ms, start);
    sn_time_format(window->start_ms + width_ms, end);
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("start"), sn_str_from(start));
    sn_json_write_key_string(json, SN_STR("end"), sn_str_from(end));
    sn_json_write_key_uint64(json, SN_STR("count"), window->count);
    sn_json_write_key_double(json, SN_STR("sum"), window->sum);
    sn_json_write_key_double(json, SN_STR("min"), window->min);
    sn_json_write_key_double(json, SN_STR("max"), window->max);
    sn_json_write_key_double(json, SN_STR("avg"), window->sum / (double)window->count);
    sn_json_write_key_double(json, SN_STR("p50"), window->p50);
    sn_json_write_key_double(json, SN_STR("p95"), window->p95);
    sn_json_write_key_double(json, SN_STR("p99"), window->p99);
    if (window->has_counts) {
        sn_json_write_key_int64(json, SN_STR("ok"), window->ok_count);
        sn_json_write_key_int64(json, SN_STR("total"), window->total_count);
        sn_json_write_key_double(json, SN_STR("success_rate"),
                                 (double)window->ok_count / (double)window->total_count);
    }
    sn_json_write_object_end(json);
}

static void write_windows(struct sn_json_writer *json, const struct sn_window_list *list,
                          int64_t width_ms) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("time_window"));
    sn_json_write_time(json, width_ms); /* seconds, with up to three decimals */
    sn_json_write_key(json, SN_STR("windows"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list->count; i++)
        write_window(json, &list->items[i], width_ms);
    sn_json_write_array_end(json);
    sn_json_write_key_uint64(json, SN_STR("count"), list->count);
    sn_json_write_object_end(json);
}

static sn_status write_answer(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct list_params params;
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(read_list_params(api, request, &params, err));
    if (params.window_ms > 0) {
        struct sn_window_list windows;
        SN_TRY(sn_records_windows(api->options.records, &params.page.filter, params.window_ms,
                                  arena, &windows, err));
        write_windows(json, &windows, params.window_ms);
        return SN_OK;
    }
    struct sn_record_list list;
    SN_TRY(sn_records_list(api->options.records, &params.page, arena, &list, err));
    write_list(json, &list);
    return SN_OK;
}

void sn_api_get_records(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_answer);
}

static sn_status write_record(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, struct sn_err *err) {
    struct sn_record_id id;
    struct sn_record record;
    struct sn_str text;
    SN_TRY(sn_params_read(request, NULL, 0, err));
    SN_TRY(sn_api_path_piece(request, 4, &text, err)); /* /api/v1/metrics/{id} */
    SN_TRY(sn_record_id_parse(text, &id, err));
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_records_get(api->options.records, &id, sn_http_request_arena(request), &record, err));
    sn_record_json_write(json, &record);
    return SN_OK;
}

void sn_api_get_record(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_record);
}

/* ---- the host's state as records ---- */

#define COLLECT_RECORDS_MAX 256 /* a host has some twenty, and six per disk */

struct collecting {
    struct sn_json_reader json;
    struct sn_arena *arena;
    struct sn_record records[COLLECT_RECORDS_MAX];
    size_t count;
    struct sn_str hostname;
};

static struct sn_str unit_of(struct sn_str key) {
    if (sn_str_ends_with(key, SN_STR("percent")))
        return SN_STR("percent");
    if (sn_str_ends_with(key, SN_STR("bytes")))
        return SN_STR("bytes");
    return sn_str_ends_with(key, SN_STR("seconds")) ? SN_STR("seconds") : SN_STR("");
}

static void add_number(struct collecting *it, struct sn_str prefix, struct sn_str key) {
    double value = sn_json_read_double(&it->json);
    char *name = sn_arena_printf(it->arena, "%.*s%s%.*s", SN_STR_ARG(prefix),
                                 prefix.len > 0 ? "_" : "", SN_STR_ARG(key));
    if (name == NULL)
        sn_json_read_fail(&it->json, SN_ERR_NO_MEMORY, "no memory for a record");
    else if (it->count < COLLECT_RECORDS_MAX)
        it->records[it->count++] = (struct sn_record){.metric_type = SN_STR("resource_usage"),
                                                      .name = sn_str_from(name),
                                                      .unit = unit_of(key),
                                                      .value = value};
}

/* One object: its numbers become records; *mountpoint is its text of that name. */
static void add_object(struct collecting *it, struct sn_str prefix, struct sn_str *mountpoint) {
    struct sn_str key;
    (void)sn_json_read_object(&it->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(&it->json, &key)) {
        enum sn_json_kind kind = sn_json_read_peek(&it->json);
        if (kind == SN_JSON_NUMBER)
            add_number(it, prefix, key);
        else if (kind == SN_JSON_STRING && sn_str_equal(key, SN_STR("mountpoint")))
            *mountpoint = sn_json_read_string(&it->json);
        else
            sn_json_read_skip(&it->json);
    }
}

static struct sn_str metadata_of(struct sn_arena *arena, struct sn_str mountpoint) {
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_str text = {NULL, 0};
    sn_buf_init(&buf, SN_RECORD_METADATA_BYTES_MAX);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("mountpoint"), mountpoint);
    sn_json_write_object_end(&json);
    if (sn_json_write_finish(&json, NULL) != SN_OK ||
        !sn_arena_copy(arena, sn_buf_str(&buf), &text))
        text = (struct sn_str){NULL, 0}; /* the record is worth more than the remark */
    sn_buf_release(&buf);
    return text;
}

static void add_disks(struct collecting *it) {
    (void)sn_json_read_array(&it->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_element(&it->json)) {
        struct sn_str mountpoint = {NULL, 0};
        size_t first = it->count;
        add_object(it, SN_STR("disk"), &mountpoint);
        struct sn_str metadata = metadata_of(it->arena, mountpoint);
        for (size_t i = first; i < it->count; i++)
            it->records[i].metadata = metadata;
    }
}

static void add_member(struct collecting *it, struct sn_str key) {
    struct sn_str unused = {NULL, 0};
    enum sn_json_kind kind = sn_json_read_peek(&it->json);
    if (kind == SN_JSON_NUMBER)
        add_number(it, SN_STR(""), key);
    else if (kind == SN_JSON_OBJECT)
        add_object(it, key, &unused);
    else if (kind == SN_JSON_ARRAY && sn_str_equal(key, SN_STR("disks")))
        add_disks(it);
    else if (kind == SN_JSON_STRING && sn_str_equal(key, SN_STR("hostname")))
        it->hostname = sn_json_read_string(&it->json);
    else
        sn_json_read_skip(&it->json);
}

static sn_status collect(struct sn_api *api, struct sn_str document, struct collecting *it,
                         struct sn_err *err) {
    struct sn_str key;
    sn_json_read_init(&it->json, document,
                      &(struct sn_json_options){.arena = it->arena, .hash_seed = api->hash_seed});
    (void)sn_json_read_object(&it->json); /* a failure ends the loop, and finish tells it */
    while (sn_json_read_key(&it->json, &key))
        add_member(it, key);
    return sn_json_read_finish(&it->json, err);
}

static sn_status take_host(struct sn_api *api, struct sn_http_request *request,
                           struct collecting **ret, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct collecting *it = sn_arena_alloc_zero(arena, 1, sizeof *it);
    struct sn_str service = {NULL, 0}, document = {NULL, 0};
    struct sn_param params[] = {SN_PARAM("service_name", SN_PARAM_TEXT, &service)};
    struct sn_buf buf;
    struct sn_json_writer json;
    if (it == NULL)
        return sn_arena_failure(arena, sizeof *it, err);
    it->arena = arena;
    SN_TRY(sn_params_read(request, params, 1, err));
    SN_TRY(sn_record_check_text("service_name", service, SN_RECORD_SERVICE_BYTES_MAX, err));
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_status status = api->options.host_status(api->options.ctx, &json, err);
    if (status == SN_OK)
        status = sn_json_write_finish(&json, err);
    if (status == SN_OK && !sn_arena_copy(arena, sn_buf_str(&buf), &document))
        status = sn_arena_failure(arena, buf.len, err);
    sn_buf_release(&buf);
    SN_TRY(status);
    SN_TRY(collect(api, document, it, err));
    for (size_t i = 0; i < it->count; i++) {
        it->records[i].service = service.len > 0 ? service : it->hostname;
        it->records[i].time_ms = sn_clock_wall_ms(api->options.clock);
    }
    *ret = it;
    return SN_OK;
}

void sn_api_post_collect(struct sn_api *api, struct sn_http_request *request) {
    struct collecting *it = NULL;
    struct sn_err err = {0};
    sn_status status = take_host(api, request, &it, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        store(api, request, it->records, it->count, false);
}

/* ---- queues ---- */

static sn_status queue_name(struct sn_arena *arena, struct sn_str queue, const char *suffix,
                            struct sn_str *ret_name, struct sn_err *err) {
    char *name = sn_arena_printf(arena, "%.*s%s", SN_STR_ARG(queue), suffix);
    if (name == NULL)
        return sn_arena_failure(arena, queue.len + 16, err);
    *ret_name = sn_str_from(name);
    return SN_OK;
}

/* One or two records: NAME_depth and NAME_wait_seconds, the names that the push client gives. */
static sn_status read_queue(struct sn_api *api, struct sn_http_request *request,
                            struct sn_record records[2], size_t *ret_count, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_str queue = {NULL, 0}, service = {NULL, 0};
    struct sn_record *depth = &records[0], *wait = &records[1];
    struct sn_param params[] = {
        SN_PARAM("queue_name", SN_PARAM_TEXT, &queue),
        SN_PARAM("depth", SN_PARAM_NUMBER, &depth->value),
        SN_PARAM("wait_time", SN_PARAM_NUMBER, &wait->value),
        SN_PARAM("service", SN_PARAM_TEXT, &service),
    };
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    if (!params[0].is_there || !params[1].is_there)
        return sn_err_set(err, SN_ERR_INVALID, "parameter %s is missing",
                          params[0].is_there ? "depth" : "queue_name");
    if (depth->value < 0 || wait->value < 0)
        return sn_err_set(err, SN_ERR_INVALID, "depth and wait_time must not be negative");
    *ret_count = params[2].is_there ? 2 : 1;
    SN_TRY(queue_name(arena, queue, "_depth", &depth->name, err));
    SN_TRY(queue_name(arena, queue, "_wait_seconds", &wait->name, err));
    wait->unit = SN_STR("seconds");
    for (size_t i = 0; i < *ret_count; i++) {
        records[i].metric_type = SN_STR("queue_metrics");
        records[i].service = service;
        records[i].time_ms = sn_clock_wall_ms(api->options.clock);
        SN_TRY(sn_record_check(&records[i], err));
    }
    return SN_OK;
}

void sn_api_post_queue(struct sn_api *api, struct sn_http_request *request) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct sn_err err = {0};
    size_t count = 0;
    struct sn_record *records = sn_arena_alloc_zero(arena, 2, sizeof *records);
    sn_status status = records != NULL ? read_queue(api, request, records, &count, &err)
                                       : sn_arena_failure(arena, 2 * sizeof *records, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        store(api, request, records, count, false);
}
