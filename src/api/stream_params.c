/*
 * What a client of the stream wants. See stream_params.h.
 */
#include "api/stream_params.h"

#include "api/history_span.h"

#define TEMPO_LIVE_MS INT64_C(1000)
#define TEMPO_MS_MAX INT64_C(3600000) /* also where a step is a year: a page wants to live */
#define STEP_MS_MIN INT64_C(1000)
#define QUERY_PREFIX "q."
/* Steps of an event: the one that is still growing, and two that late samples may change. */
#define EVENT_STEPS 3

const char *sn_stream_topic_name(enum sn_stream_topic topic) {
    static const char *const names[SN_STREAM_TOPIC_COUNT] = {
        [SN_STREAM_TICK] = "tick",
        [SN_STREAM_OVERVIEW] = "overview",
        [SN_STREAM_HISTORY] = "history",
    };
    return names[topic];
}

struct parsing {
    struct sn_stream_spec *spec;
    unsigned columns;
    bool has_topic;
};

static sn_status take_topic(struct parsing *parsing, struct sn_str name, struct sn_err *err) {
    for (int i = 0; i < SN_STREAM_TOPIC_COUNT; i++)
        if (sn_str_equal(name, sn_str_from(sn_stream_topic_name((enum sn_stream_topic)i)))) {
            parsing->spec->wants[i] = true;
            parsing->has_topic = true;
            return SN_OK;
        }
    return sn_err_set(err, SN_ERR_INVALID,
                      "parameter topics: \"%.*s\" is none of tick, overview, history",
                      (int)(name.len < 40 ? name.len : 40), name.ptr);
}

static sn_status take_column(struct parsing *parsing, struct sn_str name, struct sn_err *err) {
    unsigned bit = sn_history_column(name);
    if (bit == 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "parameter columns: \"%.*s\" is none of min, avg, max, count",
                          (int)(name.len < 40 ? name.len : 40), name.ptr);
    parsing->columns |= bit;
    return SN_OK;
}

/* Each word of a list with commas. */
static sn_status take_list(struct parsing *parsing, struct sn_str list,
                           sn_status (*take)(struct parsing *parsing, struct sn_str word,
                                             struct sn_err *err),
                           struct sn_err *err) {
    struct sn_str word;
    bool has_more = true;
    while (has_more) {
        has_more = sn_str_cut(list, ',', &word, &list);
        SN_TRY(take(parsing, word, err));
    }
    return SN_OK;
}

static sn_status take_query(struct parsing *parsing, struct sn_str id, struct sn_str expression,
                            struct sn_err *err) {
    struct sn_stream_spec *spec = parsing->spec;
    if (id.len == 0 || id.len > SN_HISTORY_ID_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "parameter q.NAME: the name needs 1 to %d bytes",
                          SN_HISTORY_ID_BYTES_MAX);
    if (expression.len == 0)
        return sn_err_set(err, SN_ERR_INVALID, "parameter q.%.*s is empty", SN_STR_ARG(id));
    for (size_t i = 0; i < spec->item_count; i++)
        if (sn_str_equal(spec->items[i].id, id))
            return sn_err_set(err, SN_ERR_INVALID, "parameter q.%.*s is there twice",
                              SN_STR_ARG(id));
    if (spec->item_count == SN_STREAM_QUERIES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d queries", SN_STREAM_QUERIES_MAX);
    spec->items[spec->item_count++] = (struct sn_history_item){.id = id, .expression = expression};
    return SN_OK;
}

static sn_status take_param(struct parsing *parsing, struct sn_str name, struct sn_str value,
                            struct sn_err *err) {
    if (sn_str_equal(name, SN_STR("topics")))
        return take_list(parsing, value, take_topic, err);
    if (sn_str_equal(name, SN_STR("columns")))
        return take_list(parsing, value, take_column, err);
    if (sn_str_equal(name, SN_STR("range")))
        return sn_history_duration_parse(name, value, &parsing->spec->range_ms, err);
    if (sn_str_equal(name, SN_STR("step")))
        return sn_history_duration_parse(name, value, &parsing->spec->step_ms, err);
    if (sn_str_starts_with(name, SN_STR(QUERY_PREFIX)))
        return take_query(
            parsing,
            sn_str_make(name.ptr + sizeof QUERY_PREFIX - 1, name.len - (sizeof QUERY_PREFIX - 1)),
            value, err);
    return sn_err_set(err, SN_ERR_INVALID, "parameter %.*s: unknown",
                      (int)(name.len < 80 ? name.len : 80), name.ptr);
}

static sn_status finish(struct parsing *parsing, struct sn_err *err) {
    struct sn_stream_spec *spec = parsing->spec;
    if (!parsing->has_topic)
        return sn_err_set(err, SN_ERR_INVALID,
                          "parameter topics is missing: some of tick, overview, history");
    if (spec->wants[SN_STREAM_HISTORY] != (spec->item_count > 0))
        return sn_err_set(err, SN_ERR_INVALID,
                          "topic history and parameters q.NAME=PROMQL belong together");
    if (spec->range_ms == 0)
        spec->range_ms = SN_HISTORY_RANGE_MS_DEFAULT;
    if (spec->step_ms == 0)
        spec->step_ms = sn_history_nice_step_ms((struct sn_range){0, spec->range_ms},
                                                SN_HISTORY_POINTS_DEFAULT);
    if (spec->step_ms < STEP_MS_MIN)
        return sn_err_set(err, SN_ERR_INVALID, "parameter step: %lld ms is below 1 s",
                          (long long)spec->step_ms);
    spec->tempo_ms = spec->range_ms <= SN_STREAM_LIVE_RANGE_MS ? TEMPO_LIVE_MS
                     : spec->step_ms < TEMPO_MS_MAX            ? spec->step_ms
                                                               : TEMPO_MS_MAX;
    for (size_t i = 0; i < spec->item_count; i++)
        spec->items[i].columns = parsing->columns != 0 ? parsing->columns : SN_HISTORY_ALL;
    return SN_OK;
}

sn_status sn_stream_spec_parse(sn_history_next_param next, const void *ctx,
                               struct sn_stream_spec *ret_spec, struct sn_err *err) {
    struct sn_stream_spec spec = {.range_ms = 0};
    struct parsing parsing = {.spec = &spec};
    struct sn_str name, value;
    size_t cursor = 0;
    while (next(ctx, &cursor, &name, &value))
        SN_TRY(take_param(&parsing, name, value, err));
    SN_TRY(finish(&parsing, err));
    *ret_spec = spec;
    return SN_OK;
}

void sn_stream_spec_key(const struct sn_stream_spec *spec, enum sn_stream_topic topic,
                        struct sn_buf *buf) {
    sn_buf_printf(buf, "%s %lld", sn_stream_topic_name(topic), (long long)spec->tempo_ms);
    if (topic != SN_STREAM_TICK)
        sn_buf_printf(buf, " %lld", (long long)spec->range_ms);
    if (topic == SN_STREAM_OVERVIEW)
        return;
    sn_buf_printf(buf, " %lld", (long long)spec->step_ms);
    for (size_t i = 0; topic == SN_STREAM_HISTORY && i < spec->item_count; i++) {
        const struct sn_history_item *item = &spec->items[i];
        sn_buf_printf(buf, " %u %zu %zu ", item->columns, item->id.len, item->expression.len);
        sn_buf_put_str(buf, item->id);
        sn_buf_put_str(buf, item->expression);
    }
}

struct sn_range sn_stream_event_range(const struct sn_stream_spec *spec, int64_t last_ms,
                                      int64_t now_ms) {
    int64_t step_ms = spec->step_ms;
    int64_t start_ms = now_ms / step_ms * step_ms - (EVENT_STEPS - 1) * step_ms;
    int64_t oldest_ms = now_ms - spec->range_ms;
    if (oldest_ms < now_ms - SN_STREAM_RESUME_STEPS_MAX * step_ms)
        oldest_ms = now_ms - SN_STREAM_RESUME_STEPS_MAX * step_ms;
    /* The step that was growing then, and the one before. */
    int64_t resume_ms = last_ms > oldest_ms ? last_ms : oldest_ms;
    resume_ms = resume_ms / step_ms * step_ms - step_ms;
    if (last_ms > 0 && resume_ms < start_ms)
        start_ms = resume_ms;
    return (struct sn_range){start_ms > 0 ? start_ms : 0, now_ms};
}
