/*
 * Parameters of the Prometheus HTTP API. See prom_params.h.
 */
#include "api/prom_params.h"

#include "base/limits.h"
#include "codec/duration.h"
#include "codec/number.h"
#include "codec/timetext.h"

/* Longest piece of a parameter that a message repeats. */
#define SHOWN_BYTES_MAX 80

static int shown(struct sn_str text) {
    return (int)(text.len < SHOWN_BYTES_MAX ? text.len : SHOWN_BYTES_MAX);
}

static sn_status bad_parameter(const char *name, struct sn_str value, const char *what,
                               struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID,
                      "invalid parameter \"%s\": cannot parse \"%.*s\" to a valid %s", name,
                      shown(value), value.ptr ? value.ptr : "", what);
}

static bool param(const struct sn_http_request *request, const char *name, struct sn_str *ret) {
    return sn_http_request_param(request, sn_str_from(name), ret);
}

sn_status sn_prom_time(const struct sn_http_request *request, const char *name, int64_t *ret_ms,
                       struct sn_err *err) {
    struct sn_str value = SN_STR("");
    if (!param(request, name, &value) || sn_time_parse_ms(value, ret_ms, NULL) != SN_OK)
        return bad_parameter(name, value, "timestamp", err);
    return SN_OK;
}

sn_status sn_prom_time_or(const struct sn_http_request *request, const char *name,
                          int64_t otherwise, int64_t *ret_ms, struct sn_err *err) {
    struct sn_str value;
    if (param(request, name, &value))
        return sn_prom_time(request, name, ret_ms, err);
    *ret_ms = otherwise;
    return SN_OK;
}

sn_status sn_prom_range(const struct sn_http_request *request, struct sn_range *ret_range,
                        struct sn_err *err) {
    struct sn_range range;
    SN_TRY(sn_prom_time_or(request, "start", SN_TIME_MS_MIN, &range.start_ms, err));
    SN_TRY(sn_prom_time_or(request, "end", SN_TIME_MS_MAX, &range.end_ms, err));
    if (range.end_ms < range.start_ms)
        return sn_err_set(err, SN_ERR_INVALID,
                          "invalid parameter \"end\": end timestamp must not be before start "
                          "timestamp");
    *ret_range = range;
    return SN_OK;
}

static bool parse_duration(struct sn_str value, int64_t *ret_ms) {
    double seconds;
    if (sn_double_parse(value, &seconds) != SN_OK)
        return sn_duration_parse_ms(value, ret_ms, NULL) == SN_OK;
    /* NaN fails the first comparison. */
    if (!(seconds >= 0 && seconds <= (double)SN_DURATION_MS_MAX / 1000))
        return false;
    *ret_ms = (int64_t)(seconds * 1000);
    return true;
}

sn_status sn_prom_duration_or(const struct sn_http_request *request, const char *name,
                              int64_t otherwise_ms, int64_t *ret_ms, struct sn_err *err) {
    struct sn_str value;
    if (!param(request, name, &value)) {
        *ret_ms = otherwise_ms;
        return SN_OK;
    }
    return parse_duration(value, ret_ms) ? SN_OK : bad_parameter(name, value, "duration", err);
}

sn_status sn_prom_limit(const struct sn_http_request *request, size_t *ret_limit,
                        struct sn_err *err) {
    struct sn_str value;
    uint64_t limit = 0;
    if (param(request, "limit", &value) && sn_uint64_parse(value, &limit) != SN_OK)
        return bad_parameter("limit", value, "limit", err);
    *ret_limit = (size_t)limit;
    return SN_OK;
}

static sn_status add_selector(struct sn_prom_selectors *selectors, struct sn_str text,
                              struct sn_arena *arena, struct sn_err *err) {
    if (selectors->count == SN_PROM_SELECTORS_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "invalid parameter \"match[]\": more than %d",
                          SN_PROM_SELECTORS_MAX);
    struct sn_expr *expr = &selectors->exprs[selectors->count];
    sn_status status = sn_expr_parse_selector(text, arena, expr, err);
    if (status == SN_OK)
        status = sn_expr_compile(expr, err);
    if (status == SN_OK)
        selectors->count++;
    else
        sn_err_prefix(err, "invalid parameter \"match[]\"");
    return status;
}

static sn_status make_room(struct sn_prom_selectors *selectors, struct sn_arena *arena,
                           struct sn_err *err) {
    selectors->count = 0;
    selectors->exprs = sn_arena_alloc_zero(arena, SN_PROM_SELECTORS_MAX, sizeof(struct sn_expr));
    return selectors->exprs != NULL
               ? SN_OK
               : sn_arena_failure(arena, SN_PROM_SELECTORS_MAX * sizeof(struct sn_expr), err);
}

sn_status sn_prom_one_selector(struct sn_str text, struct sn_arena *arena,
                               struct sn_prom_selectors *selectors, struct sn_err *err) {
    SN_TRY(make_room(selectors, arena, err));
    return add_selector(selectors, text, arena, err);
}

sn_status sn_prom_selectors(const struct sn_http_request *request, struct sn_arena *arena,
                            struct sn_prom_selectors *selectors, struct sn_err *err) {
    struct sn_str name, value;
    size_t cursor = 0;
    SN_TRY(make_room(selectors, arena, err));
    while (sn_http_request_param_next(request, &cursor, &name, &value))
        if (sn_str_equal(name, SN_STR("match[]")))
            SN_TRY(add_selector(selectors, value, arena, err));
    return SN_OK;
}

void sn_prom_selectors_release(struct sn_prom_selectors *selectors) {
    for (size_t i = 0; i < selectors->count; i++)
        sn_expr_release(&selectors->exprs[i]);
    selectors->count = 0;
}
