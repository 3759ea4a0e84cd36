/*
 * /api/v1/query, query_range, format_query: PromQL over HTTP, as Prometheus 3
 * answers it.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "query/printer.h"

/* As Prometheus: enough for 60 s steps over a week, or one point per pixel of any screen. */
#define POINTS_MAX 11000

/* ---- parameters ---- */

sn_status sn_prom_query_text(const struct sn_http_request *request, struct sn_str *ret_text,
                             struct sn_err *err) {
    if (!sn_http_request_param(request, SN_STR("query"), ret_text) || ret_text->len == 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "invalid parameter \"query\": unknown position: parse error: no "
                          "expression found in input");
    return SN_OK;
}

sn_status sn_prom_parse_query(struct sn_prom_call *call, struct sn_str text,
                              struct sn_expr *ret_expr, struct sn_err *err) {
    sn_status status =
        sn_expr_parse(text, call->api->options.features, &call->arena, ret_expr, err);
    if (status != SN_OK)
        sn_err_prefix(err, "invalid parameter \"query\"");
    return status;
}

static sn_status common_params(struct sn_prom_call *call, struct sn_query *query,
                               struct sn_expr *ret_expr, struct sn_err *err) {
    int64_t timeout_ms;
    SN_TRY(sn_prom_query_text(call->request, &query->expression, err));
    SN_TRY(sn_prom_duration_or(call->request, "timeout", 0, &timeout_ms, err));
    SN_TRY(sn_prom_duration_or(call->request, "lookback_delta", 0, &query->lookback_ms, err));
    query->timeout_ns = timeout_ms > INT64_MAX / 1000000 ? 0 : timeout_ms * 1000000;
    return sn_prom_parse_query(call, query->expression, ret_expr, err);
}

static sn_status instant_params(struct sn_prom_call *call, struct sn_query *query,
                                struct sn_err *err) {
    struct sn_expr expr;
    int64_t now_ms = sn_clock_wall_ms(call->api->options.clock);
    SN_TRY(sn_prom_time_or(call->request, "time", now_ms, &query->range.start_ms, err));
    query->range.end_ms = query->range.start_ms;
    return common_params(call, query, &expr, err);
}

static sn_status check_range_query(const struct sn_query *query, struct sn_err *err) {
    if (query->range.end_ms < query->range.start_ms)
        return sn_err_set(err, SN_ERR_INVALID,
                          "invalid parameter \"end\": end timestamp must not be before start "
                          "time");
    if (query->step_ms <= 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "invalid parameter \"step\": zero or negative query resolution step "
                          "widths are not accepted. Try a positive integer");
    if ((query->range.end_ms - query->range.start_ms) / query->step_ms > POINTS_MAX)
        return sn_err_set(err, SN_ERR_INVALID,
                          "exceeded maximum resolution of 11,000 points per timeseries. Try "
                          "decreasing the query resolution (?step=XX)");
    return SN_OK;
}

static sn_status range_params(struct sn_prom_call *call, struct sn_query *query,
                              struct sn_err *err) {
    struct sn_expr expr;
    SN_TRY(sn_prom_time(call->request, "start", &query->range.start_ms, err));
    SN_TRY(sn_prom_time(call->request, "end", &query->range.end_ms, err));
    SN_TRY(sn_prom_duration_or(call->request, "step", 0, &query->step_ms, err));
    SN_TRY(check_range_query(query, err));
    SN_TRY(common_params(call, query, &expr, err));
    enum sn_value_type type = expr.root->type;
    if (type != SN_VALUE_SCALAR && type != SN_VALUE_VECTOR)
        return sn_err_set(err, SN_ERR_INVALID,
                          "invalid parameter \"query\": invalid expression type \"%s\" for range "
                          "query, must be Scalar or instant Vector",
                          sn_value_type_words(type));
    return SN_OK;
}

/* ---- answers ---- */

/* "results truncated due to limit" in front of the other warnings. */
static sn_status add_limit_warning(struct sn_prom_call *call, struct sn_query_result *result,
                                   size_t limit, struct sn_err *err) {
    if (limit == 0 || result->series_count <= limit)
        return SN_OK;
    size_t count = result->warning_count + 1;
    struct sn_str *warnings = sn_arena_alloc(&call->arena, count * sizeof *warnings);
    if (warnings == NULL)
        return sn_arena_failure(&call->arena, count * sizeof *warnings, err);
    warnings[0] = SN_STR("results truncated due to limit");
    for (size_t i = 0; i < result->warning_count; i++)
        warnings[1 + i] = result->warnings[i];
    result->warnings = warnings;
    result->warning_count = count;
    return SN_OK;
}

/* A query whose client has gone ends early. */
static sn_status evaluate(struct sn_prom_call *call, struct sn_query *query,
                          struct sn_query_result *ret_result, struct sn_err *err) {
    struct sn_querier querier = call->api->options.querier;
    struct sn_prom_watched watched;
    sn_prom_watch_begin(&call->api->watch, &watched, call->request);
    query->is_cancelled = &watched.is_cancelled;
    query->long_error = &call->long_error;
    sn_status status = querier.query(querier.ctx, query, &call->arena, ret_result, err);
    sn_prom_watch_end(&call->api->watch, &watched);
    query->is_cancelled = NULL;
    return status;
}

static void run(struct sn_prom_call *call, struct sn_query *query) {
    struct sn_prom_answer answer = {.limit = 0};
    struct sn_err err = {0};
    struct sn_str stats;
    sn_status status = sn_prom_limit(call->request, &answer.limit, &err);
    if (status != SN_OK) {
        sn_prom_fail(call, false, status, &err);
        return;
    }
    status = evaluate(call, query, &answer.result, &err);
    if (status == SN_OK)
        status = add_limit_warning(call, &answer.result, answer.limit, &err);
    if (status != SN_OK) {
        sn_prom_fail(call, true, status, &err);
        return;
    }
    answer.has_stats =
        sn_http_request_param(call->request, SN_STR("stats"), &stats) && stats.len > 0;
    sn_prom_end_result(call, &answer);
}

static void answer(struct sn_api *api, struct sn_http_request *request,
                   sn_status (*read_params)(struct sn_prom_call *call, struct sn_query *query,
                                            struct sn_err *err)) {
    struct sn_prom_call call;
    struct sn_query query = {0};
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = read_params(&call, &query, &err);
    if (status != SN_OK)
        sn_prom_fail(&call, false, status, &err);
    else
        run(&call, &query);
}

void sn_api_prom_query(struct sn_api *api, struct sn_http_request *request) {
    answer(api, request, instant_params);
}

void sn_api_prom_query_range(struct sn_api *api, struct sn_http_request *request) {
    answer(api, request, range_params);
}

void sn_api_prom_format_query(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_expr expr;
    struct sn_str text;
    struct sn_buf printed;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_buf_init(&printed, SN_PROM_ANSWER_BYTES_MAX);
    sn_status status = sn_prom_query_text(request, &text, &err);
    if (status == SN_OK)
        status = sn_prom_parse_query(&call, text, &expr, &err);
    if (status == SN_OK) {
        sn_node_print_pretty(expr.root, &printed);
        status = sn_buf_status(&printed, &err);
    }
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
    } else {
        sn_json_write_string(&call.json, sn_buf_str(&printed));
        sn_prom_end(&call, NULL, 0, NULL, 0);
    }
    sn_buf_release(&printed);
}
