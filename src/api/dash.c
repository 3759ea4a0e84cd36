/*
 * What the routes of the dashboard share. See dash.h.
 */
#include "api/dash.h"

#include <math.h>

/* ---- ranges ---- */

sn_status sn_dash_range_finish(struct sn_dash_range *range, int64_t now_ms, int64_t default_ms,
                               struct sn_err *err) {
    if (range->length_ms > 0 && range->start_ms > 0)
        return sn_err_set(err, SN_ERR_INVALID, "parameters range and start: give one of them");
    if (range->end_ms == 0)
        range->end_ms = now_ms;
    if (range->start_ms == 0) {
        int64_t length_ms = range->length_ms > 0 ? range->length_ms : default_ms;
        if (length_ms > SN_DASH_RANGE_MS_MAX)
            return sn_err_set(err, SN_ERR_INVALID, "parameter range is longer than %lld days",
                              (long long)(SN_DASH_RANGE_MS_MAX / 86400000));
        range->start_ms = range->end_ms > length_ms ? range->end_ms - length_ms : 0;
    }
    if (range->start_ms >= range->end_ms)
        return sn_err_set(err, SN_ERR_INVALID, "parameter start is not before end");
    range->length_ms = range->end_ms - range->start_ms;
    if (range->length_ms < 1000 || range->length_ms > SN_DASH_RANGE_MS_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "the range is not one second to %lld days",
                          (long long)(SN_DASH_RANGE_MS_MAX / 86400000));
    return SN_OK;
}

/* ---- answers ---- */

void sn_dash_respond(struct sn_api *api, struct sn_http_request *request, sn_api_write write) {
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_err err = {0};
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(&json, SN_STR("data"));
    sn_status status = write(api, request, &json, &err);
    if (status == SN_OK) {
        sn_json_write_object_end(&json);
        sn_api_respond_json(request, &json, &buf);
    } else {
        sn_api_respond_failure(request, status, &err);
    }
    sn_buf_release(&buf);
}

sn_status sn_dash_write_command(struct sn_api *api, struct sn_http_request *request,
                                struct sn_str command, struct sn_str args,
                                struct sn_json_writer *json, struct sn_err *err) {
    struct sn_buf answer;
    sn_buf_init(&answer, 0);
    sn_status status = sn_commands_run(api->options.commands, command, args,
                                       sn_http_request_arena(request), &answer, err);
    if (status == SN_OK)
        sn_json_write_raw(json, sn_buf_str(&answer));
    sn_buf_release(&answer);
    return status;
}

sn_status sn_dash_board(struct sn_api *api, struct sn_arena *arena, struct sn_board_view *ret_view,
                        struct sn_err *err) {
    if (api->options.board == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no board of services");
    return sn_board_read(api->options.board, arena, ret_view, err);
}

/* ---- members ---- */

/* Rates are sums of products: "2" is kinder to read, and to compare, than "1.9999999999999998". */
enum { NUMBER_DIGITS = 12, SPARK_DIGITS = 5 };

/* A number with so many digits; not finite: null. */
static void put_rounded(struct sn_json_writer *json, double value, int digits) {
    double size = fabs(value);
    if (size > 1e-200 && size < 1e200) { /* also no NaN */
        double places = digits - 1 - floor(log10(size));
        double unit = pow(10, fabs(places)); /* a power of ten that is exact where it can be */
        value = places >= 0 ? round(value * unit) / unit : round(value / unit) * unit;
    }
    sn_json_write_double(json, value);
}

void sn_dash_put_number(struct sn_json_writer *json, const char *key, double value) {
    sn_json_write_key(json, sn_str_from(key));
    put_rounded(json, value, NUMBER_DIGITS);
}

void sn_dash_put_time(struct sn_json_writer *json, const char *key, int64_t time_ms) {
    sn_json_write_key(json, sn_str_from(key));
    if (time_ms > 0)
        sn_json_write_time(json, time_ms);
    else
        sn_json_write_null(json);
}

void sn_dash_put_text(struct sn_json_writer *json, const char *key, struct sn_str text) {
    sn_json_write_key_string(json, sn_str_from(key), text);
}

void sn_dash_put_health(struct sn_json_writer *json, const char *key, enum sn_health health) {
    sn_dash_put_text(json, key, sn_str_from(sn_health_name(health)));
}

void sn_dash_put_counts(struct sn_json_writer *json, const size_t counts[4]) {
    static const enum sn_health order[] = {SN_HEALTH_CRITICAL, SN_HEALTH_WARNING, SN_HEALTH_UNKNOWN,
                                           SN_HEALTH_GOOD};
    sn_json_write_key(json, SN_STR("counts"));
    sn_json_write_object_begin(json);
    for (size_t i = 0; i < 4; i++)
        sn_json_write_key_uint64(json, sn_str_from(sn_health_name(order[i])), counts[order[i]]);
    sn_json_write_object_end(json);
}

static char lower(char byte) {
    return byte >= 'A' && byte <= 'Z' ? (char)(byte - 'A' + 'a') : byte;
}

bool sn_dash_has_text(struct sn_str text, struct sn_str part) {
    for (size_t start = 0; start + part.len <= text.len; start++) {
        size_t i = 0;
        while (i < part.len && lower(text.ptr[start + i]) == lower(part.ptr[i]))
            i++;
        if (i == part.len)
            return true;
    }
    return false;
}

/* ---- services ---- */

int sn_dash_compare_health(enum sn_health a, enum sn_health b) {
    static const int places[] = {[SN_HEALTH_CRITICAL] = 0,
                                 [SN_HEALTH_WARNING] = 1,
                                 [SN_HEALTH_UNKNOWN] = 2,
                                 [SN_HEALTH_GOOD] = 3};
    return places[a] - places[b];
}

int sn_dash_worst_first(const void *left, const void *right) {
    const struct sn_board_service *a = left, *b = right;
    int order = sn_dash_compare_health(a->status, b->status);
    double rate_a = isnan(a->rate) ? -1 : a->rate, rate_b = isnan(b->rate) ? -1 : b->rate;
    if (order != 0)
        return order;
    if (rate_a != rate_b)
        return rate_a < rate_b ? 1 : -1;
    return sn_str_compare(a->name, b->name);
}

sn_status sn_dash_sparks_read(struct sn_api *api, const struct sn_board_service *services,
                              size_t count, const struct sn_dash_range *range, int64_t now_ms,
                              bool wants_p95, struct sn_arena *arena,
                              struct sn_dash_sparks *ret_sparks, struct sn_err *err) {
    struct sn_sparks *cache = api->options.sparks;
    struct sn_dash_sparks sparks = {
        .grid = sn_spark_grid_of((struct sn_range){range->start_ms, range->end_ms})};
    struct sn_str *names = sn_arena_alloc_zero(arena, count + 1, sizeof *names);
    if (names == NULL)
        return sn_arena_failure(arena, count * sizeof *names, err);
    for (size_t i = 0; i < count; i++)
        names[i] = services[i].name;
    int64_t grid_end_ms = sparks.grid.start_ms + (int64_t)sparks.grid.count * sparks.grid.step_ms;
    sparks.is_now = grid_end_ms + sparks.grid.step_ms > now_ms;
    if (cache == NULL)
        return sn_err_set(err, SN_ERR_UNSUPPORTED, "this server has no small charts");
    SN_TRY(
        sn_sparks_read(cache, SN_SPARK_RATE, &sparks.grid, names, count, arena, &sparks.rate, err));
    if (wants_p95)
        SN_TRY(sn_sparks_read(cache, SN_SPARK_P95, &sparks.grid, names, count, arena, &sparks.p95,
                              err));
    *ret_sparks = sparks;
    return SN_OK;
}

void sn_dash_put_grid(struct sn_json_writer *json, const struct sn_spark_grid *grid, bool is_now) {
    sn_json_write_key(json, SN_STR("spark"));
    sn_json_write_object_begin(json);
    sn_dash_put_time(json, "start", grid->start_ms);
    sn_json_write_key(json, SN_STR("step"));
    sn_json_write_time(json, grid->step_ms);
    sn_json_write_key_uint64(json, SN_STR("count"), grid->count + is_now);
    sn_json_write_object_end(json);
}

static void put_strip(struct sn_json_writer *json, const uint8_t strip[SN_BOARD_SLOTS]) {
    static const char letters[] = {[SN_HEALTH_UNKNOWN] = '-',
                                   [SN_HEALTH_GOOD] = 'g',
                                   [SN_HEALTH_WARNING] = 'w',
                                   [SN_HEALTH_CRITICAL] = 'c'};
    char text[SN_BOARD_SLOTS];
    for (size_t i = 0; i < SN_BOARD_SLOTS; i++)
        text[i] = letters[strip[i] & 3];
    sn_dash_put_text(json, "strip", sn_str_make(text, SN_BOARD_SLOTS));
}

void sn_dash_put_service(struct sn_json_writer *json, const struct sn_board_service *service,
                         int64_t now_ms) {
    bool has_start = service->start_ms > 0 && service->start_ms <= now_ms;
    sn_dash_put_text(json, "name", service->name);
    sn_dash_put_health(json, "status", service->status);
    sn_dash_put_number(json, "operations_per_second", service->rate);
    sn_dash_put_number(json, "error_ratio", service->error_ratio);
    sn_dash_put_number(json, "p95_seconds", service->p95_s);
    sn_dash_put_number(json, "active", service->active);
    sn_dash_put_time(json, "started_at", service->start_ms);
    sn_dash_put_number(json, "uptime_seconds",
                       has_start && service->status != SN_HEALTH_UNKNOWN
                           ? (double)(now_ms - service->start_ms) / 1e3
                           : (double)NAN);
    sn_dash_put_time(json, "seen_at", service->seen_ms);
    put_strip(json, service->strip);
}

void sn_dash_put_value(struct sn_json_writer *json, double value) {
    put_rounded(json, value, SPARK_DIGITS);
}

void sn_dash_put_values(struct sn_json_writer *json, const char *key, const float *values,
                        size_t count) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++)
        put_rounded(json, (double)values[i], SPARK_DIGITS);
    sn_json_write_array_end(json);
}

static void put_spark(struct sn_json_writer *json, const char *key, const float *values,
                      const struct sn_dash_sparks *sparks, double now) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < sparks->grid.count; i++)
        put_rounded(json, (double)values[i], SPARK_DIGITS);
    if (sparks->is_now)
        put_rounded(json, now, SPARK_DIGITS);
    sn_json_write_array_end(json);
}

void sn_dash_put_services(struct sn_json_writer *json, const struct sn_board_service *services,
                          size_t count, int64_t now_ms, const struct sn_dash_sparks *sparks) {
    sn_json_write_key(json, SN_STR("rows"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < count; i++) {
        sn_json_write_object_begin(json);
        sn_dash_put_service(json, &services[i], now_ms);
        put_spark(json, "ops_spark", sparks->rate + i * sparks->grid.count, sparks,
                  services[i].rate);
        if (sparks->p95 != NULL)
            put_spark(json, "p95_spark", sparks->p95 + i * sparks->grid.count, sparks,
                      services[i].p95_s);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

/* ---- hosts ---- */

static void put_host(struct sn_json_writer *json, const struct sn_host *host, int64_t now_ms) {
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "name", host->name);
    sn_dash_put_health(json, "status", host->status);
    sn_dash_put_number(json, "cpu_ratio", host->cpu_ratio);
    sn_dash_put_number(json, "memory_ratio", host->memory_ratio);
    sn_dash_put_number(json, "memory_used_bytes", host->memory_used);
    sn_dash_put_number(json, "memory_total_bytes", host->memory_total);
    sn_dash_put_number(json, "disk_ratio", host->disk_ratio);
    sn_dash_put_text(json, "disk_mountpoint", host->disk_mountpoint);
    sn_dash_put_number(json, "load1", host->load1);
    sn_dash_put_number(json, "cpu_count", host->cpu_count);
    sn_dash_put_number(json, "network_receive_bytes_per_second", host->received);
    sn_dash_put_number(json, "network_transmit_bytes_per_second", host->sent);
    sn_dash_put_number(json, "uptime_seconds", (double)now_ms / 1e3 - host->boot_s);
    sn_dash_put_time(json, "seen_at", host->seen_ms);
    sn_json_write_object_end(json);
}

void sn_dash_put_hosts(struct sn_json_writer *json, const char *key, const struct sn_hosts *hosts,
                       size_t max, int64_t now_ms) {
    sn_json_write_key(json, sn_str_from(key));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < hosts->count && i < max; i++)
        put_host(json, &hosts->items[i], now_ms);
    sn_json_write_array_end(json);
}
