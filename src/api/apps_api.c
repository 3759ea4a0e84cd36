/*
 * Routes of applications: events in; totals, top users, popular items, errors and health out.
 *
 *   POST /api/v1/events                      one or many; 201 when they are durable
 *   GET  /api/apps/{app}/metrics             one document about a period
 *   GET  /api/apps/{app}/metrics/top-users, /popular-{kind}, /errors
 *   GET  /api/v1/errors, PATCH /api/v1/errors/{id}
 *
 * Counts are exact while an hour and the period have no more different users, items and errors than
 * engine/usage.h keeps; error_bound in the answer says by how much a count may be too low.
 */
#include "api/api_priv.h"
#include "api/event_json.h"
#include "api/record_params.h"
#include "engine/usage.h"

#include <math.h>
#include <stdio.h>

#define DAY_MS INT64_C(86400000)
#define TOP_DEFAULT 10
#define POPULAR_DEFAULT 20
#define TOP_MAX 1000
#define ERRORS_DEFAULT 100
#define QUEUES_MAX 1000 /* newest records of queues that are looked at */

/* ---- events ---- */

/* Events on their way; in the request's arena. */
struct post {
    struct sn_http_request *request;
    struct sn_records_push push;
};

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
    sn_json_write_object_begin(&json);
    sn_json_write_key_uint64(&json, SN_STR("accepted"), push->event_count);
    sn_json_write_object_end(&json);
    sn_api_respond_created(post->request, &json, &buf);
    sn_buf_release(&buf);
}

static sn_status store_events(struct sn_api *api, struct sn_http_request *request,
                              const struct sn_event_reading *reading, struct sn_err *err) {
    struct sn_arena *arena = sn_http_request_arena(request);
    struct post *post = sn_arena_alloc_zero(arena, 1, sizeof *post);
    if (post == NULL)
        return sn_arena_failure(arena, sizeof *post, err);
    post->request = request;
    post->push = (struct sn_records_push){
        .events = reading->events, .event_count = reading->count, .done = on_stored, .ctx = post};
    return sn_records_push(api->options.records, &post->push, err);
}

static sn_status read_events(struct sn_api *api, struct sn_http_request *request,
                             struct sn_event_reading *ret_reading, struct sn_err *err) {
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_params_read(request, NULL, 0, err));
    const struct sn_event_json_options options = {
        .arena = sn_http_request_arena(request),
        .now_ms = sn_clock_wall_ms(api->options.clock),
        .times = sn_records_event_times(api->options.records),
        .hash_seed = api->hash_seed,
        .rules = api->options.error_rules,
    };
    return sn_event_json_read(sn_http_request_body(request), &options, ret_reading, err);
}

void sn_api_post_events(struct sn_api *api, struct sn_http_request *request) {
    struct sn_event_reading reading;
    struct sn_err err = {0};
    sn_status status = read_events(api, request, &reading, &err);
    if (status == SN_OK && reading.invalid_count > 0) {
        const struct sn_api_invalid invalid = {"events", reading.count, reading.invalid_count,
                                               reading.errors, reading.error_count};
        sn_api_respond_invalid(request, &invalid);
        return;
    }
    if (status == SN_OK)
        status = store_events(api, request, &reading, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
}

/* ---- a period of an application ---- */

struct period {
    struct sn_str app;
    struct sn_str text; /* "24h" */
    struct sn_range_ms range;
    int64_t limit;
};

static sn_status parse_period(struct period *period, int64_t now_ms, struct sn_err *err) {
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {{"1h", SN_HOUR_MS}, {"24h", DAY_MS}, {"7d", 7 * DAY_MS}, {"30d", 30 * DAY_MS}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (sn_str_equal(period->text, sn_str_from(rows[i].text))) {
            period->range.end_ms = now_ms + 1; /* what happened in this millisecond, too */
            period->range.start_ms = now_ms > rows[i].ms ? now_ms - rows[i].ms : 0;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID, "parameter period: \"%.*s\" is none of 1h, 24h, 7d, 30d",
                      (int)(period->text.len < 80 ? period->text.len : 80),
                      period->text.ptr ? period->text.ptr : "");
}

static sn_status read_period(struct sn_api *api, struct sn_http_request *request,
                             int64_t limit_default, struct period *ret, struct sn_err *err) {
    *ret = (struct period){.text = SN_STR("24h"), .limit = limit_default};
    struct sn_param params[] = {
        SN_PARAM("period", SN_PARAM_TEXT, &ret->text),
        SN_PARAM_WITHIN("limit", &ret->limit, 1, TOP_MAX),
    };
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_params_read(request, params, limit_default > 0 ? 2 : 1, err));
    SN_TRY(parse_period(ret, sn_clock_wall_ms(api->options.clock), err));
    return sn_api_path_piece(request, 3, &ret->app, err); /* /api/apps/{app} */
}

/* Sum up a period; free the result. */
static sn_status sum_up(struct sn_api *api, const struct period *period,
                        struct sn_usage **ret_usage, struct sn_err *err) {
    struct sn_usage *usage = sn_usage_new();
    if (usage == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to sum up events");
    sn_status status = sn_usage_read(api->options.records, period->app, period->range, usage, err);
    if (status != SN_OK)
        usage = sn_usage_free(usage);
    *ret_usage = usage;
    return status;
}

static void put_period(struct sn_json_writer *json, const struct period *period) {
    sn_json_write_key_string(json, SN_STR("app"), period->app);
    sn_json_write_key_string(json, SN_STR("period"), period->text);
    sn_api_write_key_time(json, SN_STR("start"), period->range.start_ms);
    sn_api_write_key_time(json, SN_STR("end"), period->range.end_ms - 1);
}

/* ---- top users, popular items, errors ---- */

static void put_bound(struct sn_json_writer *json, const struct sn_topk *topk) {
    sn_json_write_key_uint64(json, SN_STR("error_bound"), topk->bound);
    sn_json_write_key_bool(json, SN_STR("exact"), topk->bound == 0);
}

static void put_user(struct sn_json_writer *json, const struct sn_topk_entry *entry) {
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("user_id"), entry->key);
    sn_json_write_key_uint64(json, SN_STR("generation_count"), entry->count);
    sn_json_write_key_double(json, SN_STR("total_items"), entry->extra[SN_USAGE_USER_ITEMS]);
    sn_json_write_key_double(
        json, SN_STR("success_rate"),
        sn_ratio(entry->extra[SN_USAGE_USER_OK], entry->extra[SN_USAGE_USER_ENDED]));
    sn_json_write_object_end(json);
}

static void put_item(struct sn_json_writer *json, const struct sn_topk_entry *entry) {
    struct sn_str kind, id, name, category;
    (void)sn_str_cut(entry->key, '\0', &kind, &id); /* no NUL: damaged, and then there is no id */
    (void)sn_str_cut(entry->note, '\0', &name, &category);
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("id"), id);
    sn_json_write_key_string(json, SN_STR("name"), name);
    sn_json_write_key_uint64(json, SN_STR("usage_count"), entry->count);
    sn_json_write_key_string(json, SN_STR("category"), category);
    sn_json_write_object_end(json);
}

static void put_error(struct sn_json_writer *json, const struct sn_topk_entry *entry) {
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("error_type"), entry->key);
    sn_json_write_key_uint64(json, SN_STR("count"), entry->count);
    sn_api_write_key_time(json, SN_STR("first_seen"), entry->first_ms);
    sn_api_write_key_time(json, SN_STR("last_occurred"), entry->last_ms);
    sn_json_write_key_string(json, SN_STR("sample"), entry->note);
    sn_json_write_object_end(json);
}

typedef void (*put_entry)(struct sn_json_writer *json, const struct sn_topk_entry *entry);

static sn_status put_top(struct sn_json_writer *json, struct sn_arena *arena, struct sn_str key,
                         struct sn_topk *topk, size_t limit, put_entry put, struct sn_err *err) {
    const struct sn_topk_entry **top = sn_arena_alloc_zero(arena, limit, sizeof *top);
    if (top == NULL)
        return sn_arena_failure(arena, limit * sizeof *top, err);
    size_t count = sn_topk_top(topk, top, limit);
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        put(json, top[i]);
    sn_json_write_array_end(json);
    return SN_OK;
}

static sn_status write_top_users(struct sn_api *api, struct sn_http_request *request,
                                 struct sn_json_writer *json, struct sn_err *err) {
    struct period period;
    struct sn_usage *usage = NULL;
    SN_TRY(read_period(api, request, TOP_DEFAULT, &period, err));
    SN_TRY(sum_up(api, &period, &usage, err));
    sn_json_write_object_begin(json);
    put_period(json, &period);
    sn_status status = put_top(json, sn_http_request_arena(request), SN_STR("users"), &usage->users,
                               (size_t)period.limit, put_user, err);
    put_bound(json, &usage->users);
    sn_json_write_object_end(json);
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

/* Only items of one kind: those of other kinds are taken out. */
static void keep_kind(struct sn_topk *items, struct sn_str kind) {
    size_t count = 0;
    for (size_t i = 0; i < items->count; i++) {
        struct sn_str found, id;
        (void)sn_str_cut(items->entries[i].key, '\0', &found, &id); /* as above */
        if (sn_str_equal(found, kind))
            items->entries[count++] = items->entries[i];
    }
    items->count = count;
}

/* "popular-poses" is for kind "pose": a plural with or without its e. */
static struct sn_str kind_of(struct sn_topk *items, struct sn_str word) {
    const struct sn_str kinds[] = {word, sn_str_make(word.ptr, word.len > 0 ? word.len - 1 : 0),
                                   sn_str_make(word.ptr, word.len > 1 ? word.len - 2 : 0)};
    for (size_t k = 0; k < 3; k++)
        for (size_t i = 0; i < items->count && (k == 0 || word.ptr[word.len - 1] == 's'); i++) {
            struct sn_str found, id;
            (void)sn_str_cut(items->entries[i].key, '\0', &found, &id); /* as above */
            if (found.len > 0 && sn_str_equal(found, kinds[k]))
                return kinds[k];
        }
    return word;
}

static sn_status write_popular(struct sn_api *api, struct sn_http_request *request,
                               struct sn_json_writer *json, struct sn_err *err) {
    struct period period;
    struct sn_usage *usage = NULL;
    struct sn_str word;
    SN_TRY(sn_api_path_piece(request, 5, &word, err)); /* popular-{kind} */
    word = sn_str_make(word.ptr + strlen("popular-"), word.len - strlen("popular-"));
    SN_TRY(read_period(api, request, POPULAR_DEFAULT, &period, err));
    SN_TRY(sum_up(api, &period, &usage, err));
    struct sn_str kind = kind_of(&usage->items, word);
    keep_kind(&usage->items, kind);
    sn_json_write_object_begin(json);
    put_period(json, &period);
    sn_json_write_key_string(json, SN_STR("kind"), kind);
    sn_status status = put_top(json, sn_http_request_arena(request), SN_STR("items"), &usage->items,
                               (size_t)period.limit, put_item, err);
    put_bound(json, &usage->items);
    sn_json_write_object_end(json);
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

static sn_status write_app_errors(struct sn_api *api, struct sn_http_request *request,
                                  struct sn_json_writer *json, struct sn_err *err) {
    struct period period;
    struct sn_usage *usage = NULL;
    SN_TRY(read_period(api, request, ERRORS_DEFAULT, &period, err));
    SN_TRY(sum_up(api, &period, &usage, err));
    sn_json_write_object_begin(json);
    put_period(json, &period);
    sn_status status = put_top(json, sn_http_request_arena(request), SN_STR("errors"),
                               &usage->errors, (size_t)period.limit, put_error, err);
    put_bound(json, &usage->errors);
    sn_json_write_object_end(json);
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

void sn_api_get_top_users(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_top_users);
}

void sn_api_get_popular(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_popular);
}

void sn_api_get_app_errors(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_app_errors);
}

/* ---- the document ---- */

/* The newest depth and wait of each queue that the application's service has told of. */
static sn_status put_queues(struct sn_api *api, const struct period *period, struct sn_arena *arena,
                            struct sn_json_writer *json, double *ret_depth, struct sn_err *err) {
    struct sn_record_list list;
    const struct sn_record_page page = {.filter = {.metric_type = SN_STR("queue_metrics"),
                                                   .service = period->app,
                                                   .start_ms = period->range.start_ms,
                                                   .end_ms = period->range.end_ms},
                                        .limit = QUEUES_MAX};
    *ret_depth = (double)NAN;
    SN_TRY(sn_records_list(api->options.records, &page, arena, &list, err));
    sn_json_write_key(json, SN_STR("queues"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < list.count; i++) {
        const struct sn_record *record = &list.items[i];
        bool is_seen = false;
        for (size_t j = 0; j < i && !is_seen; j++)
            is_seen = sn_str_equal(list.items[j].name, record->name);
        if (is_seen)
            continue;
        sn_json_write_object_begin(json);
        sn_json_write_key_string(json, SN_STR("name"), record->name);
        sn_json_write_key_double(json, SN_STR("value"), record->value);
        sn_api_write_key_time(json, SN_STR("timestamp"), record->time_ms);
        sn_json_write_object_end(json);
        if (sn_str_ends_with(record->name, SN_STR("_depth")))
            *ret_depth = isnan(*ret_depth) ? record->value : *ret_depth + record->value;
    }
    sn_json_write_array_end(json);
    return SN_OK;
}

static void put_indicators(struct sn_json_writer *json, const struct sn_app *app,
                           const struct sn_usage_totals *totals, double queue_depth) {
    const double values[SN_INDICATOR_COUNT] = {
        [SN_INDICATOR_SUCCESS_RATE] = 100 * sn_usage_success_ratio(totals),
        [SN_INDICATOR_AVERAGE_TIME] = sn_usage_seconds_per_item(totals),
        [SN_INDICATOR_QUEUE_DEPTH] = queue_depth,
        [SN_INDICATOR_REFUND_RATE] = 100 * sn_usage_refund_ratio(totals),
    };
    enum sn_health worst = SN_HEALTH_UNKNOWN;
    sn_json_write_key(json, SN_STR("indicators"));
    sn_json_write_array_begin(json);
    for (int i = 0; i < SN_INDICATOR_COUNT; i++) {
        enum sn_indicator_kind kind = (enum sn_indicator_kind)i;
        struct sn_indicator_limits limits =
            app != NULL ? app->limits[i] : sn_indicator_default(kind);
        enum sn_health health = sn_indicator_judge(kind, limits, values[i]);
        worst = sn_health_worst(worst, health);
        sn_json_write_object_begin(json);
        sn_json_write_key_string(json, SN_STR("name"), sn_str_from(sn_indicator_name(kind)));
        sn_json_write_key_double(json, SN_STR("value"), values[i]);
        sn_json_write_key_string(json, SN_STR("health"), sn_str_from(sn_health_name(health)));
        sn_json_write_key_double(json, SN_STR("good"), limits.good);
        sn_json_write_key_double(json, SN_STR("critical"), limits.critical);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
    sn_json_write_key_string(json, SN_STR("health"), sn_str_from(sn_health_name(worst)));
}

static void put_totals(struct sn_json_writer *json, const struct period *period,
                       const struct sn_usage *usage) {
    const struct sn_usage_totals *totals = &usage->totals;
    double hours = (double)(period->range.end_ms - 1 - period->range.start_ms) / (double)SN_HOUR_MS;
    sn_json_write_key_uint64(json, SN_STR("total"), totals->event_count);
    sn_json_write_key_uint64(json, SN_STR("ok"), totals->ok_count);
    sn_json_write_key_uint64(json, SN_STR("errors"), totals->error_count);
    sn_json_write_key_uint64(json, SN_STR("aborted"), totals->aborted_count);
    sn_json_write_key_double(json, SN_STR("success_rate"), sn_usage_success_ratio(totals));
    sn_json_write_key_double(json, SN_STR("average_time_per_item_seconds"),
                             sn_usage_seconds_per_item(totals));
    sn_json_write_key_double(json, SN_STR("average_duration_ms"),
                             sn_ratio(totals->duration_ms_sum, (double)totals->duration_count));
    sn_json_write_key_double(json, SN_STR("p95_duration_ms"), sn_usage_duration_ms(usage, 0.95));
    sn_json_write_key_double(json, SN_STR("throughput_per_hour"),
                             sn_ratio((double)totals->event_count, hours));
    sn_json_write_key_double(json, SN_STR("items"), totals->quantity_sum);
    sn_json_write_key_double(json, SN_STR("credits_used"), totals->credits_used);
    sn_json_write_key_double(json, SN_STR("credits_refunded"), totals->credits_refunded);
    sn_json_write_key_uint64(json, SN_STR("users"), usage->users.count);
}

static sn_status put_document(struct sn_api *api, const struct period *period,
                              struct sn_usage *usage, struct sn_arena *arena,
                              struct sn_json_writer *json, struct sn_err *err) {
    double queue_depth;
    sn_json_write_object_begin(json);
    put_period(json, period);
    put_totals(json, period, usage);
    SN_TRY(put_queues(api, period, arena, json, &queue_depth, err));
    SN_TRY(put_top(json, arena, SN_STR("errors_by_class"), &usage->errors, ERRORS_DEFAULT,
                   put_error, err));
    put_indicators(json, sn_api_find_app(api, period->app), &usage->totals, queue_depth);
    put_bound(json, &usage->users);
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status write_document(struct sn_api *api, struct sn_http_request *request,
                                struct sn_json_writer *json, struct sn_err *err) {
    struct period period;
    struct sn_usage *usage = NULL;
    SN_TRY(read_period(api, request, 0, &period, err));
    SN_TRY(sum_up(api, &period, &usage, err));
    sn_status status = put_document(api, &period, usage, sn_http_request_arena(request), json, err);
    (void)sn_usage_free(usage); /* NULL, always */
    return status;
}

void sn_api_get_app_metrics(struct sn_api *api, struct sn_http_request *request) {
    sn_api_respond_written(api, request, write_document);
}
