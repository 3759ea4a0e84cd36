/*
 * Parameters of lists. See record_params.h.
 */
#include "api/record_params.h"

#include "codec/duration.h"
#include "codec/number.h"
#include "codec/timetext.h"

#include <math.h>

static sn_status refuse(const struct sn_param *param, struct sn_str value, const char *what,
                        struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "parameter %s: \"%.*s\" is not %s", param->name,
                      (int)(value.len < 80 ? value.len : 80), value.ptr ? value.ptr : "", what);
}

static sn_status parse_count(const struct sn_param *param, struct sn_str value,
                             struct sn_err *err) {
    int64_t number;
    if (sn_int64_parse(value, &number) != SN_OK)
        return refuse(param, value, "a whole number", err);
    if (number < param->min || number > param->max)
        return sn_err_set(err, SN_ERR_INVALID, "parameter %s is %lld, must be %lld to %lld",
                          param->name, (long long)number, (long long)param->min,
                          (long long)param->max);
    *(int64_t *)param->target = number;
    return SN_OK;
}

static sn_status parse_duration(const struct sn_param *param, struct sn_str value,
                                struct sn_err *err) {
    int64_t duration_ms = 0, seconds;
    if (sn_int64_parse(value, &seconds) == SN_OK && seconds > 0 &&
        seconds <= SN_DURATION_MS_MAX / 1000)
        duration_ms = seconds * 1000;
    else if (sn_duration_parse_ms(value, &duration_ms, NULL) != SN_OK || duration_ms == 0)
        return refuse(param, value, "a duration such as 5m", err);
    *(int64_t *)param->target = duration_ms;
    return SN_OK;
}

static sn_status parse_number(const struct sn_param *param, struct sn_str value,
                              struct sn_err *err) {
    double number;
    if (sn_double_parse(value, &number) != SN_OK || !isfinite(number))
        return refuse(param, value, "a number", err);
    *(double *)param->target = number;
    return SN_OK;
}

sn_status sn_param_parse(struct sn_param *param, struct sn_str value, struct sn_err *err) {
    switch (param->kind) {
    case SN_PARAM_TEXT:
        *(struct sn_str *)param->target = value;
        return SN_OK;
    case SN_PARAM_TIME:
        if (sn_time_parse_ms(value, param->target, NULL) != SN_OK)
            return refuse(param, value, "a time of RFC 3339 or in Unix seconds", err);
        return SN_OK;
    case SN_PARAM_DURATION:
        return parse_duration(param, value, err);
    case SN_PARAM_COUNT:
        return parse_count(param, value, err);
    case SN_PARAM_NUMBER:
        return parse_number(param, value, err);
    }
    return SN_ERR_INTERNAL;
}

static sn_status take(struct sn_str name, struct sn_str value, struct sn_param *params,
                      size_t count, struct sn_err *err) {
    for (size_t i = 0; i < count; i++) {
        if (!sn_str_equal(name, sn_str_from(params[i].name)))
            continue;
        if (params[i].is_there)
            return sn_err_set(err, SN_ERR_INVALID, "parameter %s is there twice", params[i].name);
        params[i].is_there = true;
        return sn_param_parse(&params[i], value, err);
    }
    return sn_err_set(err, SN_ERR_INVALID, "unknown parameter \"%.*s\"",
                      (int)(name.len < 80 ? name.len : 80), name.ptr ? name.ptr : "");
}

sn_status sn_params_parse(struct sn_str query, struct sn_arena *arena, struct sn_param *params,
                          size_t count, struct sn_err *err) {
    while (query.len > 0) {
        struct sn_str pair, name, value, rest;
        (void)sn_str_cut(query, '&', &pair, &rest); /* The last pair has no '&' behind it. */
        query = rest;
        (void)sn_str_cut(pair, '=', &name, &value); /* No '=': an empty value. */
        SN_TRY(sn_http_decode(arena, name, true, &name, err));
        SN_TRY(sn_http_decode(arena, value, true, &value, err));
        SN_TRY(take(name, value, params, count, err));
    }
    return SN_OK;
}

sn_status sn_params_read(struct sn_http_request *request, struct sn_param *params, size_t count,
                         struct sn_err *err) {
    return sn_params_parse(sn_http_request_query_raw(request), sn_http_request_arena(request),
                           params, count, err);
}
