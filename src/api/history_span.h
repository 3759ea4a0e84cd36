/*
 * Range and step of a question about history, from the words of a request.
 */
#ifndef SN_API_HISTORY_SPAN_H
#define SN_API_HISTORY_SPAN_H

#include "base/status.h"
#include "base/str.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stddef.h>

/* Points of an answer when no step is given: about one per two pixels of a small chart. */
#define SN_HISTORY_POINTS_DEFAULT 240
#define SN_HISTORY_RANGE_MS_DEFAULT INT64_C(3600000)

/* What was said; zero where nothing was. */
struct sn_history_span {
    int64_t start_ms, end_ms;
    bool has_start, has_end;
    int64_t range_ms, step_ms;
    size_t points;
    bool is_aligned; /* the start is moved back to a multiple of the step */
};

/*
 * Take a word of a request:
 *   start, end   RFC 3339 or Unix seconds
 *   range, step  duration ("30s") or seconds, above 0
 *   points       1 to SN_HISTORY_STEPS_MAX, of which the step is made
 *
 *   ret_is_known   whether the name is one of them; nothing is done otherwise
 *
 * Returns SN_OK, SN_ERR_INVALID, SN_ERR_LIMIT; the sentence names the parameter and the value.
 */
sn_status sn_history_span_take(struct sn_history_span *span, struct sn_str name,
                               struct sn_str value, bool *ret_is_known,
                               struct sn_err *err) SN_MUST_USE;

/* A duration or seconds, at least 1 ms; otherwise as above. */
sn_status sn_history_duration_parse(struct sn_str name, struct sn_str value, int64_t *ret_ms,
                                    struct sn_err *err) SN_MUST_USE;

/* A number from 1 to `most`; otherwise as above. */
sn_status sn_history_number_parse(struct sn_str name, struct sn_str value, size_t most,
                                  size_t *ret_number, struct sn_err *err) SN_MUST_USE;

/*
 * What was not said: the end is now, the start is `range` before it, one hour by default, the step
 * gives at most `points` steps, 240 by default. SN_ERR_INVALID (start after end, start and range).
 */
sn_status sn_history_span_finish(const struct sn_history_span *span, int64_t now_ms,
                                 struct sn_range *ret_range, int64_t *ret_step_ms,
                                 struct sn_err *err) SN_MUST_USE;

#endif
