/*
 * GET and POST /api/v1/history. See history_api.h and history_batch.h for what they take. GET answers
 *
 *   {"status":"success","data":{"step":15,"t":[unix seconds, ...],"series":[
 *     {"labels":{...},"min":[...],"avg":[...],"max":[...],"count":[...]}, ...]}}
 *
 * with null in min, avg and max where a step has no value; POST the same under a name for each
 * question: "data":{"start","end","step","t","results":{"NAME":{"series":[...]}}}.
 */
#include "api/history_api.h"

#include "api/api_priv.h"
#include "api/history_batch.h"
#include "api/history_span.h"
#include "api/prom_priv.h"

/* ---- parameters ---- */

struct parsing {
    struct sn_history_question *question;
    struct sn_history_span span;
    struct sn_label labels[SN_MATCHERS_MAX]; /* the metric's name is the first */
    size_t label_count;
    bool has_metric, has_query;
};

static sn_status add_label(struct parsing *parsing, struct sn_str name, struct sn_str value,
                           struct sn_err *err) {
    if (parsing->label_count == SN_MATCHERS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "more than %d labels", SN_MATCHERS_MAX);
    parsing->labels[parsing->label_count++] = (struct sn_label){name, value};
    return SN_OK;
}

static sn_status take_timeout(struct parsing *parsing, struct sn_str name, struct sn_str value,
                              struct sn_err *err) {
    int64_t timeout_ms = 0;
    SN_TRY(sn_history_duration_parse(name, value, &timeout_ms, err));
    if (timeout_ms > SN_HISTORY_TIMEOUT_NS_MAX / 1000000)
        return sn_err_set(err, SN_ERR_INVALID, "parameter timeout: \"%.*s\" is above %lld s",
                          SN_STR_ARG(value), (long long)(SN_HISTORY_TIMEOUT_NS_MAX / 1000000000));
    parsing->question->timeout_ns = timeout_ms * 1000000;
    return SN_OK;
}

/* What only questions in PromQL have: with a metric these are names of labels. */
static sn_status take_query_param(struct parsing *parsing, struct sn_str name, struct sn_str value,
                                  struct sn_err *err) {
    bool is_known = false;
    if (sn_str_equal(name, SN_STR("timeout")))
        return take_timeout(parsing, name, value, err);
    SN_TRY(sn_history_span_take(&parsing->span, name, value, &is_known, err));
    if (!is_known)
        return sn_err_set(err, SN_ERR_INVALID,
                          "parameter %.*s: unknown; labels belong to metric, PromQL has its own",
                          (int)(name.len < 80 ? name.len : 80), name.ptr);
    return SN_OK;
}

static sn_status take_param(struct parsing *parsing, struct sn_str name, struct sn_str value,
                            struct sn_err *err) {
    static const struct sn_str span_names[] = {SN_STR("start"), SN_STR("end"), SN_STR("step")};
    bool is_known = false;
    for (size_t i = 0; i < sizeof span_names / sizeof span_names[0]; i++)
        if (sn_str_equal(name, span_names[i]))
            return sn_history_span_take(&parsing->span, name, value, &is_known, err);
    if (sn_str_equal(name, SN_STR("limit")))
        return sn_history_number_parse(name, value, SN_HISTORY_SERIES_MAX,
                                       &parsing->question->query.series_max, err);
    if (sn_str_equal(name, SN_STR("query")) || sn_str_equal(name, SN_STR("metric")))
        return SN_OK; /* was taken first */
    return parsing->has_query ? take_query_param(parsing, name, value, err)
                              : add_label(parsing, name, value, err);
}

/* What is asked decides what the other parameters mean. */
static sn_status take_subject(struct parsing *parsing, sn_history_next_param next, const void *ctx,
                              struct sn_err *err) {
    struct sn_str name, value;
    size_t cursor = 0;
    while (next(ctx, &cursor, &name, &value)) {
        if (sn_str_equal(name, SN_STR("query")) && value.len > 0) {
            parsing->has_query = true;
            parsing->question->query.expression = value;
        }
        if (sn_str_equal(name, SN_STR("metric")) && value.len > 0) {
            parsing->has_metric = true;
            SN_TRY(add_label(parsing, SN_LABEL_METRIC_NAME, value, err));
        }
    }
    if (parsing->has_query && parsing->has_metric)
        return sn_err_set(err, SN_ERR_INVALID, "give one of the parameters metric and query");
    if (!parsing->has_query && !parsing->has_metric)
        return sn_err_set(err, SN_ERR_INVALID,
                          "parameter metric is missing: name of a metric; or query: PromQL");
    return SN_OK;
}

sn_status sn_history_question_parse(sn_history_next_param next, const void *ctx, int64_t now_ms,
                                    struct sn_arena *arena,
                                    struct sn_history_question *ret_question, struct sn_err *err) {
    struct sn_history_question question = {.timeout_ns = SN_HISTORY_TIMEOUT_NS_DEFAULT};
    struct parsing parsing = {.question = &question};
    struct sn_str name, value;
    size_t cursor = 0;
    SN_TRY(take_subject(&parsing, next, ctx, err));
    while (next(ctx, &cursor, &name, &value))
        SN_TRY(take_param(&parsing, name, value, err));
    SN_TRY(sn_history_span_finish(&parsing.span, now_ms, &question.query.range,
                                  &question.query.step_ms, err));
    if (parsing.has_metric)
        SN_TRY(sn_history_selector(parsing.labels, parsing.label_count, arena,
                                   &question.query.expression, err));
    *ret_question = question;
    return SN_OK;
}

/* ---- one question ---- */

/* A call at work. */
struct call {
    struct sn_api *api;
    struct sn_http_request *request;
    struct sn_arena arena;
    struct sn_buf long_error;
    struct sn_buf buf;
    struct sn_json_writer json;
    struct sn_prom_watched watched; /* its client may go */
    struct sn_err err;
};

static void begin(struct call *call, struct sn_api *api, struct sn_http_request *request) {
    *call = (struct call){.api = api, .request = request};
    sn_arena_init(&call->arena, SN_HISTORY_ARENA_BYTES);
    sn_buf_init(&call->long_error, SN_PROM_ERR_BYTES_MAX);
    sn_buf_init(&call->buf, SN_PROM_ANSWER_BYTES_MAX);
    sn_json_write_init(&call->json, &call->buf, 0);
    sn_json_write_object_begin(&call->json);
    sn_json_write_key_string(&call->json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(&call->json, SN_STR("data"));
    sn_json_write_object_begin(&call->json);
    sn_prom_watch_begin(&api->watch, &call->watched, request);
}

/* Answer: what was written, or why not. */
static void end(struct call *call, sn_status status) {
    const char *sentence = call->err.text;
    sn_prom_watch_end(&call->api->watch, &call->watched);
    if (status == SN_OK) {
        sn_json_write_object_end(&call->json);
        sn_json_write_object_end(&call->json);
        sn_api_respond_json(call->request, &call->json, &call->buf);
    } else {
        struct sn_str text = sn_buf_str(&call->long_error);
        if (call->long_error.status == SN_OK && text.len >= SN_ERR_TEXT_SIZE)
            sentence = sn_arena_printf(&call->arena, "%.*s", SN_STR_ARG(text));
        sn_api_respond_sentence(call->request, status, sentence ? sentence : call->err.text);
    }
    sn_buf_release(&call->buf);
    sn_buf_release(&call->long_error);
    sn_arena_release(&call->arena);
}

struct sn_history_source sn_api_history_source(const struct sn_api *api) {
    return (struct sn_history_source){
        .querier = api->options.querier,
        .features = api->options.features,
        .clock = api->options.clock,
    };
}

bool sn_history_next_of_request(const void *ctx, size_t *cursor, struct sn_str *ret_name,
                                struct sn_str *ret_value) {
    return sn_http_request_param_next(ctx, cursor, ret_name, ret_value);
}

static sn_status answer_one(struct call *call) {
    const struct sn_clock *clock = call->api->options.clock;
    struct sn_history_source source = sn_api_history_source(call->api);
    struct sn_history_question question;
    struct sn_history history;
    SN_TRY(sn_history_question_parse(sn_history_next_of_request, call->request,
                                     sn_clock_wall_ms(clock), &call->arena, &question, &call->err));
    question.query.deadline_ns = sn_clock_mono_ns(clock) + question.timeout_ns;
    question.query.is_cancelled = &call->watched.is_cancelled;
    question.query.long_error = &call->long_error;
    SN_TRY(sn_history_read(&source, &question.query, &call->arena, &history, &call->err));
    sn_json_write_key(&call->json, SN_STR("step"));
    sn_json_write_time(&call->json, history.frame.step_ms);
    sn_history_write_times(&call->json, &history.frame);
    sn_history_write_result(&call->json, &history, SN_HISTORY_ALL);
    return SN_OK;
}

void sn_api_get_history(struct sn_api *api, struct sn_http_request *request) {
    struct call call;
    begin(&call, api, request);
    end(&call, answer_one(&call));
}

/* ---- many questions ---- */

static sn_status answer_batch(struct call *call) {
    struct sn_history_source source = sn_api_history_source(call->api);
    struct sn_history_batch batch;
    const struct sn_history_batch_input input = {
        .body = sn_http_request_body(call->request),
        .now_ms = sn_clock_wall_ms(call->api->options.clock),
        .hash_seed = call->api->hash_seed,
    };
    SN_TRY(sn_history_batch_parse(&input, &call->arena, &batch, &call->err));
    return sn_history_batch_write(&source, &batch, &call->watched.is_cancelled, &call->json,
                                  &call->err);
}

void sn_api_post_history(struct sn_api *api, struct sn_http_request *request) {
    struct call call;
    begin(&call, api, request);
    end(&call, answer_batch(&call));
}
