/*
 * GET /api/apps/{app}/health: asks what the application depends on, now: the database of the
 * records, its queues, and the checks of the configuration (HTTP, Redis).
 *
 * 200 while no check failed, 503 otherwise, with the same document. Checks run one after the other
 * on a job thread, each with its timeout.
 */
#include "api/api_priv.h"
#include "codec/number.h"
#include "net/http_client.h"
#include "net/redis_ping.h"
#include "records/records.h"

#include <math.h>

#define QUEUES_MAX 1000 /* newest records of queues that are looked at */
#define QUEUE_AGE_MS INT64_C(3600000)
#define CHECK_BODY_BYTES_MAX ((size_t)1 << 20)

struct checkup {
    struct sn_api *api;
    struct sn_json_writer *json;
    struct sn_arena *arena;
    bool has_failed;
};

/* One line of the document. */
static void put_check(struct checkup *it, const char *name, const char *kind, int64_t start_ns,
                      sn_status status, const struct sn_err *err) {
    int64_t taken_ns = sn_clock_mono_ns(sn_clock_system()) - start_ns;
    it->has_failed = it->has_failed || status != SN_OK;
    sn_json_write_object_begin(it->json);
    sn_json_write_key_string(it->json, SN_STR("name"), sn_str_from(name));
    sn_json_write_key_string(it->json, SN_STR("kind"), sn_str_from(kind));
    sn_json_write_key_string(it->json, SN_STR("status"),
                             status == SN_OK ? SN_STR("ok") : SN_STR("failed"));
    sn_json_write_key_double(it->json, SN_STR("latency_ms"), (double)(taken_ns / 1000) / 1000);
    if (status != SN_OK)
        sn_json_write_key_string(it->json, SN_STR("error"), sn_str_from(err->text));
    sn_json_write_object_end(it->json);
}

static void check_database(struct checkup *it) {
    struct sn_err err = {0};
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    sn_status status = sn_records_ping(it->api->options.records, &err);
    put_check(it, sn_records_engine_name(it->api->options.records), "database", start_ns, status,
              &err);
}

/* The newest depth of each queue of the last hour, added up; NaN: none. */
static sn_status read_depth(struct checkup *it, struct sn_str app, double *ret_depth,
                            struct sn_err *err) {
    struct sn_record_list list;
    int64_t now_ms = sn_clock_wall_ms(it->api->options.clock);
    const struct sn_record_page page = {.filter = {.metric_type = SN_STR("queue_metrics"),
                                                   .service = app,
                                                   .start_ms = now_ms - QUEUE_AGE_MS,
                                                   .end_ms = now_ms},
                                        .limit = QUEUES_MAX};
    *ret_depth = (double)NAN;
    SN_TRY(sn_records_list(it->api->options.records, &page, it->arena, &list, err));
    for (size_t i = 0; i < list.count; i++) {
        bool is_counted = sn_str_ends_with(list.items[i].name, SN_STR("_depth"));
        for (size_t j = 0; j < i && is_counted; j++)
            is_counted = !sn_str_equal(list.items[j].name, list.items[i].name);
        if (is_counted)
            *ret_depth = (isnan(*ret_depth) ? 0 : *ret_depth) + list.items[i].value;
    }
    return SN_OK;
}

/* Depths come from outside: 1e308 is one, and no long long. */
static sn_status refuse_depth(double depth, double critical, struct sn_err *err) {
    char text[SN_DOUBLE_TEXT_SIZE], limit[SN_DOUBLE_TEXT_SIZE];
    size_t text_len = sn_double_format(depth, SN_DOUBLE_API, text);
    size_t limit_len = sn_double_format(critical, SN_DOUBLE_API, limit);
    return sn_err_set(err, SN_ERR_LIMIT, "%.*s entries wait, critical is above %.*s", (int)text_len,
                      text, (int)limit_len, limit);
}

static void check_queues(struct checkup *it, struct sn_str app_name, const struct sn_app *app) {
    struct sn_err err = {0};
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    double depth = (double)NAN;
    struct sn_indicator_limits limits = app != NULL
                                            ? app->limits[SN_INDICATOR_QUEUE_DEPTH]
                                            : sn_indicator_default(SN_INDICATOR_QUEUE_DEPTH);
    sn_status status = read_depth(it, app_name, &depth, &err);
    if (status == SN_OK && isnan(depth))
        return; /* it has told of no queue */
    if (status == SN_OK &&
        sn_indicator_judge(SN_INDICATOR_QUEUE_DEPTH, limits, depth) == SN_HEALTH_CRITICAL)
        status = refuse_depth(depth, limits.critical, &err);
    put_check(it, "queues", "queue", start_ns, status, &err);
}

static sn_status check_http(const struct sn_app_check *check, struct sn_err *err) {
    struct sn_http_client *client = NULL;
    struct sn_buf body;
    int http_status = 0;
    SN_TRY(sn_http_client_new(1, &client, err));
    sn_buf_init(&body, CHECK_BODY_BYTES_MAX);
    const struct sn_http_ask ask = {.url = check->target,
                                    .timeout_ms = check->timeout_ms,
                                    .body_bytes_max = CHECK_BODY_BYTES_MAX};
    sn_status status = sn_http_client_fetch(client, &ask, &http_status, &body, err);
    if (status == SN_OK && (http_status < 200 || http_status > 399))
        status = sn_err_set(err, SN_ERR_IO, "answered %d", http_status);
    sn_buf_release(&body);
    (void)sn_http_client_free(client); /* NULL, always */
    return status;
}

static void run_check(struct checkup *it, const struct sn_app_check *check) {
    struct sn_err err = {0};
    sn_status status = SN_ERR_INTERNAL;
    int64_t start_ns = sn_clock_mono_ns(sn_clock_system());
    switch (check->kind) {
    case SN_APP_CHECK_HTTP:
        status = check_http(check, &err);
        put_check(it, check->name, "http", start_ns, status, &err);
        return;
    case SN_APP_CHECK_REDIS:
        status = sn_redis_ping(check->target, check->timeout_ms, &err);
        put_check(it, check->name, "redis", start_ns, status, &err);
        return;
    }
}

static sn_status write_health(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, bool *ret_has_failed,
                              struct sn_err *err) {
    struct checkup it = {.api = api, .json = json, .arena = sn_http_request_arena(request)};
    struct sn_str name;
    SN_TRY(sn_api_check_records(api, err));
    SN_TRY(sn_api_path_piece(request, 3, &name, err)); /* /api/apps/{app} */
    const struct sn_app *app = sn_api_find_app(api, name);
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("app"), name);
    sn_json_write_key(json, SN_STR("checks"));
    sn_json_write_array_begin(json);
    check_database(&it);
    check_queues(&it, name, app);
    for (size_t i = 0; app != NULL && i < app->check_count; i++)
        run_check(&it, &app->checks[i]);
    sn_json_write_array_end(json);
    sn_json_write_key_string(json, SN_STR("status"),
                             it.has_failed ? SN_STR("unhealthy") : SN_STR("healthy"));
    sn_json_write_object_end(json);
    *ret_has_failed = it.has_failed;
    return SN_OK;
}

void sn_api_get_app_health(struct sn_api *api, struct sn_http_request *request) {
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_err err = {0};
    bool has_failed = false;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_status status = write_health(api, request, &json, &has_failed, &err);
    if (status != SN_OK)
        sn_api_respond_failure(request, status, &err);
    else
        sn_api_respond_json_status(request, has_failed ? 503 : 200, &json, &buf);
    sn_buf_release(&buf);
}
