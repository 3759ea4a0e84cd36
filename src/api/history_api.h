/*
 * GET /api/v1/history: parameters in, query of the history engine out.
 */
#ifndef SN_API_HISTORY_API_H
#define SN_API_HISTORY_API_H

#include "base/arena.h"
#include "engine/history.h"

/* Points of an answer when no step is given: about one per two pixels of a small chart. */
#define SN_HISTORY_POINTS_DEFAULT 240
#define SN_HISTORY_RANGE_MS_DEFAULT INT64_C(3600000)

/* Next parameter of a request; false at the end. */
typedef bool (*sn_history_next_param)(const void *ctx, size_t *cursor, struct sn_str *ret_name,
                                      struct sn_str *ret_value);

/*
 * Build a query from parameters:
 *   metric  required: name of the metric
 *   start   RFC 3339 or Unix seconds; default: one hour before end
 *   end     the same; default: now
 *   step    duration ("30s") or seconds; default: such that there are at most 240 steps
 *   limit   most series, 1 to 1000; more is an error
 *   any other parameter: label that must have this value
 *
 *   arena   holds the matchers; texts borrow from the parameters
 *
 * Returns SN_OK, SN_ERR_INVALID (which parameter, which value), SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_history_query_parse(sn_history_next_param next, const void *ctx, int64_t now_ms,
                                 struct sn_arena *arena, struct sn_history_query *ret_query,
                                 struct sn_err *err) SN_MUST_USE;

#endif
