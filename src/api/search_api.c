/*
 * GET /api/v1/search: services, metrics, hosts and error classes by a part of their name. Names that
 * are it come first, then those that start with it, then the others, each by name.
 */
#include "api/dash.h"

#include <stdlib.h>

#define QUERY_BYTES_MAX 200
enum { LIMIT_DEFAULT = 8, LIMIT_MAX = 50 };

/* One thing that was found. */
struct found {
    struct sn_str name;
    int place;   /* 0: is it, 1: starts with it, 2: has it */
    size_t item; /* index where it came from */
};

struct finding {
    struct sn_str q;
    struct found *items; /* [capacity], in the arena */
    size_t count, capacity;
};

static sn_status begin(struct finding *finding, size_t capacity, struct sn_arena *arena,
                       struct sn_err *err) {
    finding->count = 0;
    finding->capacity = capacity;
    finding->items = sn_arena_alloc_zero(arena, capacity + 1, sizeof *finding->items);
    return finding->items != NULL ? SN_OK
                                  : sn_arena_failure(arena, capacity * sizeof *finding->items, err);
}

static void add(struct finding *finding, struct sn_str name, size_t item) {
    if (!sn_dash_has_text(name, finding->q) || finding->count == finding->capacity)
        return;
    int place = 2;
    if (sn_dash_has_text(sn_str_make(name.ptr, finding->q.len), finding->q))
        place = name.len == finding->q.len ? 0 : 1;
    finding->items[finding->count++] = (struct found){name, place, item};
}

static int by_place(const void *left, const void *right) {
    const struct found *a = left, *b = right;
    return a->place != b->place ? a->place - b->place : sn_str_compare(a->name, b->name);
}

/* How many of them to show. */
static size_t finish(struct finding *finding, int64_t limit) {
    if (finding->count > 0)
        qsort(finding->items, finding->count, sizeof *finding->items, by_place);
    return finding->count < (size_t)limit ? finding->count : (size_t)limit;
}

/* ---- kinds ---- */

struct search {
    struct sn_api *api;
    struct sn_arena *arena;
    struct sn_json_writer *json;
    struct sn_err *err;
    struct sn_board_view view;
    struct finding finding;
    int64_t limit;
};

static sn_status put_services(struct search *search) {
    struct finding *finding = &search->finding;
    struct sn_json_writer *json = search->json;
    SN_TRY(begin(finding, search->view.service_count, search->arena, search->err));
    for (size_t i = 0; i < search->view.service_count; i++)
        add(finding, search->view.services[i].name, i);
    size_t shown = finish(finding, search->limit);
    sn_json_write_key(json, SN_STR("services"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < shown; i++) {
        sn_json_write_object_begin(json);
        sn_dash_put_text(json, "name", finding->items[i].name);
        sn_dash_put_health(json, "status", search->view.services[finding->items[i].item].status);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
    return SN_OK;
}

static void put_metric(struct search *search, struct sn_str name) {
    const struct sn_reader *reader = &search->api->options.reader;
    struct sn_json_writer *json = search->json;
    struct sn_metadata metadata = {.type = SN_METRIC_UNKNOWN};
    if (reader->metadata != NULL)
        (void)reader->metadata(reader->ctx, name, search->arena, &metadata); /* or unknown */
    sn_json_write_object_begin(json);
    sn_dash_put_text(json, "name", name);
    sn_dash_put_text(json, "type", sn_str_from(sn_metric_type_name(metadata.type)));
    sn_dash_put_text(json, "help", metadata.help);
    sn_json_write_object_end(json);
}

static sn_status put_metrics(struct search *search) {
    const struct sn_reader *reader = &search->api->options.reader;
    const struct sn_select all = {.range = {SN_TIME_MS_MIN, SN_TIME_MS_MAX}};
    struct finding *finding = &search->finding;
    struct sn_string_list names = {.count = 0};
    if (reader->label_values != NULL)
        SN_TRY(reader->label_values(reader->ctx, SN_LABEL_METRIC_NAME, &all, 0, search->arena,
                                    &names, search->err));
    SN_TRY(begin(finding, names.count, search->arena, search->err));
    for (size_t i = 0; i < names.count; i++)
        add(finding, names.items[i], i);
    size_t shown = finish(finding, search->limit);
    sn_json_write_key(search->json, SN_STR("metrics"));
    sn_json_write_array_begin(search->json);
    for (size_t i = 0; i < shown; i++)
        put_metric(search, finding->items[i].name);
    sn_json_write_array_end(search->json);
    return SN_OK;
}

static sn_status put_hosts(struct search *search) {
    struct finding *finding = &search->finding;
    SN_TRY(begin(finding, search->view.hosts.count, search->arena, search->err));
    for (size_t i = 0; i < search->view.hosts.count; i++)
        add(finding, search->view.hosts.items[i].name, i);
    size_t shown = finish(finding, search->limit);
    sn_json_write_key(search->json, SN_STR("hosts"));
    sn_json_write_array_begin(search->json);
    for (size_t i = 0; i < shown; i++) {
        sn_json_write_object_begin(search->json);
        sn_dash_put_text(search->json, "name", finding->items[i].name);
        sn_json_write_object_end(search->json);
    }
    sn_json_write_array_end(search->json);
    return SN_OK;
}

static sn_status put_errors(struct search *search) {
    struct finding *finding = &search->finding;
    const struct sn_day *day = &search->view.day;
    SN_TRY(begin(finding, day->class_count, search->arena, search->err));
    for (size_t i = 0; i < day->class_count; i++)
        add(finding, day->classes[i].name, i);
    size_t shown = finish(finding, search->limit);
    sn_json_write_key(search->json, SN_STR("errors"));
    sn_json_write_array_begin(search->json);
    for (size_t i = 0; i < shown; i++) {
        sn_json_write_object_begin(search->json);
        sn_dash_put_text(search->json, "error_type", finding->items[i].name);
        sn_json_write_key_uint64(search->json, SN_STR("count"),
                                 day->classes[finding->items[i].item].count);
        sn_json_write_object_end(search->json);
    }
    sn_json_write_array_end(search->json);
    return SN_OK;
}

static sn_status write_search(struct sn_api *api, struct sn_http_request *request,
                              struct sn_json_writer *json, struct sn_err *err) {
    struct search search = {.api = api,
                            .arena = sn_http_request_arena(request),
                            .json = json,
                            .err = err,
                            .limit = LIMIT_DEFAULT};
    struct sn_str *q = &search.finding.q;
    struct sn_param params[] = {
        SN_PARAM("q", SN_PARAM_TEXT, q),
        SN_PARAM_WITHIN("limit", &search.limit, 1, LIMIT_MAX),
    };
    SN_TRY(sn_params_read(request, params, sizeof params / sizeof params[0], err));
    if (q->len == 0 || q->len > QUERY_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "parameter q has %zu bytes, must have 1 to %d",
                          q->len, QUERY_BYTES_MAX);
    SN_TRY(sn_dash_board(api, search.arena, &search.view, err));
    sn_json_write_object_begin(json);
    SN_TRY(put_services(&search));
    SN_TRY(put_metrics(&search));
    SN_TRY(put_hosts(&search));
    SN_TRY(put_errors(&search));
    sn_json_write_object_end(json);
    return SN_OK;
}

void sn_api_get_search(struct sn_api *api, struct sn_http_request *request) {
    sn_dash_respond(api, request, write_search);
}
