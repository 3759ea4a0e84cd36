/*
 * Words of a request into a range and a step. See history_span.h.
 */
#include "api/history_span.h"

#include "base/limits.h"
#include "codec/duration.h"
#include "codec/number.h"
#include "codec/timetext.h"
#include "engine/history.h"

static sn_status parse_time(struct sn_str name, struct sn_str value, int64_t *ret_ms,
                            struct sn_err *err) {
    sn_status status = sn_time_parse_ms(value, ret_ms, err);
    if (status != SN_OK)
        sn_err_prefix(err, "parameter %.*s", SN_STR_ARG(name));
    return status;
}

static sn_status refuse_duration(struct sn_str name, struct sn_str value, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_INVALID, "parameter %.*s: \"%.*s\" is not between 1ms and %lld s",
                      SN_STR_ARG(name), SN_STR_ARG(value), (long long)(SN_TIME_MS_MAX / 1000));
}

sn_status sn_history_duration_parse(struct sn_str name, struct sn_str value, int64_t *ret_ms,
                                    struct sn_err *err) {
    double seconds;
    int64_t ms = 0;
    if (sn_double_parse(value, &seconds) == SN_OK) {
        /* Also false for NaN. */
        if (!(seconds >= 0.001 && seconds <= (double)(SN_TIME_MS_MAX / 1000)))
            return refuse_duration(name, value, err);
        *ret_ms = (int64_t)(seconds * 1000 + 0.5); /* 1.001 * 1000 is below 1001 */
        return SN_OK;
    }
    sn_status status = sn_duration_parse_ms(value, &ms, err);
    if (status != SN_OK)
        sn_err_prefix(err, "parameter %.*s", SN_STR_ARG(name));
    else if (ms <= 0)
        status = refuse_duration(name, value, err);
    if (status == SN_OK)
        *ret_ms = ms;
    return status;
}

sn_status sn_history_number_parse(struct sn_str name, struct sn_str value, size_t most,
                                  size_t *ret_number, struct sn_err *err) {
    uint64_t number;
    if (sn_uint64_parse(value, &number) != SN_OK || number < 1 || number > most)
        return sn_err_set(err, SN_ERR_INVALID, "parameter %.*s: \"%.*s\" is not 1 to %zu",
                          SN_STR_ARG(name), SN_STR_ARG(value), most);
    *ret_number = (size_t)number;
    return SN_OK;
}

sn_status sn_history_span_take(struct sn_history_span *span, struct sn_str name,
                               struct sn_str value, bool *ret_is_known, struct sn_err *err) {
    *ret_is_known = true;
    if (sn_str_equal(name, SN_STR("start"))) {
        span->has_start = true;
        return parse_time(name, value, &span->start_ms, err);
    }
    if (sn_str_equal(name, SN_STR("end"))) {
        span->has_end = true;
        return parse_time(name, value, &span->end_ms, err);
    }
    if (sn_str_equal(name, SN_STR("range")))
        return sn_history_duration_parse(name, value, &span->range_ms, err);
    if (sn_str_equal(name, SN_STR("step")))
        return sn_history_duration_parse(name, value, &span->step_ms, err);
    if (sn_str_equal(name, SN_STR("points")))
        return sn_history_number_parse(name, value, SN_HISTORY_STEPS_MAX, &span->points, err);
    *ret_is_known = false;
    return SN_OK;
}

sn_status sn_history_span_finish(const struct sn_history_span *span, int64_t now_ms,
                                 struct sn_range *ret_range, int64_t *ret_step_ms,
                                 struct sn_err *err) {
    int64_t range_ms = span->range_ms > 0 ? span->range_ms : SN_HISTORY_RANGE_MS_DEFAULT;
    struct sn_range range = {span->start_ms, span->has_end ? span->end_ms : now_ms};
    if (span->has_start && span->range_ms > 0)
        return sn_err_set(err, SN_ERR_INVALID, "give one of start and range");
    if (!span->has_start)
        range.start_ms = range.end_ms > range_ms ? range.end_ms - range_ms : 0;
    if (range.start_ms > range.end_ms)
        return sn_err_set(err, SN_ERR_INVALID, "parameter start is after end");
    int64_t step_ms = span->step_ms;
    if (step_ms == 0)
        step_ms =
            sn_history_nice_step_ms(range, span->points ? span->points : SN_HISTORY_POINTS_DEFAULT);
    if (span->is_aligned)
        range.start_ms -= range.start_ms % step_ms;
    *ret_range = range;
    *ret_step_ms = step_ms;
    return SN_OK;
}
