/*
 * GET /api/v1/stream: what is asked for again and again, sent as server-sent events. See
 * stream_params.h for the parameters and stream_hub.h for how the clients are served.
 */
#include "api/api_priv.h"
#include "api/history_api.h"
#include "api/overview.h"
#include "api/stream_hub.h"
#include "codec/number.h"
#include "query/parser.h"

/* ---- events ---- */

static void write_tick(const struct sn_stream_event *event, struct sn_json_writer *json) {
    sn_json_write_object_begin(json);
    sn_json_write_key(json, SN_STR("t"));
    sn_json_write_time(json, event->now_ms);
    sn_json_write_key(json, SN_STR("step"));
    sn_json_write_time(json, event->spec->step_ms);
    sn_json_write_object_end(json);
}

static sn_status write_history(const struct sn_api *api, const struct sn_stream_event *event,
                               struct sn_json_writer *json, struct sn_err *err) {
    struct sn_history_source source = sn_api_history_source(api);
    struct sn_stream_spec spec = *event->spec; /* items are not const in a batch */
    const struct sn_history_batch batch = {
        .range = sn_stream_event_range(&spec, event->last_ms, event->now_ms),
        .step_ms = spec.step_ms,
        .timeout_ns = SN_STREAM_EVENT_TIMEOUT_NS,
        .items = spec.items,
        .item_count = spec.item_count,
    };
    sn_json_write_object_begin(json);
    SN_TRY(sn_history_batch_write(&source, &batch, event->is_cancelled, json, err));
    sn_json_write_object_end(json);
    return SN_OK;
}

static sn_status write_overview(struct sn_api *api, const struct sn_stream_event *event,
                                struct sn_json_writer *json, struct sn_err *err) {
    int64_t start_ms = event->now_ms - event->spec->range_ms;
    const struct sn_range range = {start_ms > 0 ? start_ms : 0, event->now_ms};
    struct sn_arena arena;
    sn_arena_init(&arena, SN_HISTORY_ARENA_BYTES);
    sn_status status = sn_overview_write(api, &range, &arena, json, err);
    sn_arena_release(&arena);
    return status;
}

static sn_status write_event(void *ctx, const struct sn_stream_event *event,
                             struct sn_json_writer *json, struct sn_err *err) {
    struct sn_api *api = ctx;
    switch (event->topic) {
    case SN_STREAM_TICK:
        write_tick(event, json);
        return SN_OK;
    case SN_STREAM_OVERVIEW:
        return write_overview(api, event, json, err);
    case SN_STREAM_HISTORY:
        return write_history(api, event, json, err);
    case SN_STREAM_TOPIC_COUNT:
        break;
    }
    return sn_err_set(err, SN_ERR_INTERNAL, "no such topic");
}

sn_status sn_api_stream_open(struct sn_api *api, struct sn_err *err) {
    const struct sn_stream_hub_options options = {
        .clock = api->options.clock,
        .write = write_event,
        .ctx = api,
        .wake = sn_http_stream_wake,
    };
    return sn_stream_hub_open(&options, &api->streams, err);
}

/* ---- the route ---- */

/* Mistakes are told before the stream begins. */
static sn_status check_queries(const struct sn_api *api, const struct sn_stream_spec *spec,
                               struct sn_err *err) {
    for (size_t i = 0; i < spec->item_count; i++) {
        struct sn_arena arena;
        struct sn_expr expr;
        sn_arena_init(&arena, 0);
        sn_status status =
            sn_expr_parse(spec->items[i].expression, api->options.features, &arena, &expr, err);
        sn_arena_release(&arena);
        if (status != SN_OK) {
            sn_err_prefix(err, "parameter q.%.*s", SN_STR_ARG(spec->items[i].id));
            return status;
        }
    }
    return SN_OK;
}

/* What the client got last; 0 when it says nothing that is one of our ids. */
static int64_t last_event_ms(const struct sn_http_request *request) {
    struct sn_str text;
    uint64_t id = 0;
    bool has_id = sn_http_request_header(request, SN_STR("Last-Event-ID"), &text) &&
                  sn_uint64_parse(text, &id) == SN_OK && id <= (uint64_t)SN_TIME_MS_MAX;
    return has_id ? (int64_t)id : 0;
}

static sn_status join(struct sn_api *api, struct sn_http_request *request,
                      struct sn_http_stream *ret_stream, struct sn_err *err) {
    struct sn_stream_spec spec;
    struct sn_principal principal;
    SN_TRY(sn_stream_spec_parse(sn_history_next_of_request, request, &spec, err));
    SN_TRY(check_queries(api, &spec, err));
    SN_TRY(sn_api_principal(api, request, &principal, err));
    const struct sn_stream_join join = {
        .request = request,
        .user_id = principal.user_id, /* 0 where nobody signs in */
        .last_ms = last_event_ms(request),
    };
    return sn_stream_hub_join(api->streams, &spec, &join, ret_stream, err);
}

void sn_api_get_stream(struct sn_api *api, struct sn_http_request *request) {
    struct sn_http_stream stream;
    struct sn_err err = {0};
    sn_status status = join(api, request, &stream, &err);
    if (status == SN_OK)
        sn_http_respond_stream(request, &stream);
    else
        sn_api_respond_failure(request, status, &err);
}

void sn_api_stream_stats(const struct sn_api *api, struct sn_stream_stats *ret_stats) {
    sn_stream_hub_stats(api->streams, ret_stats);
}
