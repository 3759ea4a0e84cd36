/*
 * GET /api/v1/history: parameters in, one question about history out. POST takes many in its body, see
 * history_batch.h.
 */
#ifndef SN_API_HISTORY_API_H
#define SN_API_HISTORY_API_H

#include "base/arena.h"
#include "engine/history.h"

/* Next parameter of a request; false at the end. */
typedef bool (*sn_history_next_param)(const void *ctx, size_t *cursor, struct sn_str *ret_name,
                                      struct sn_str *ret_value);

/* The same of a struct sn_http_request, which is ctx. */
bool sn_history_next_of_request(const void *ctx, size_t *cursor, struct sn_str *ret_name,
                                struct sn_str *ret_value);

struct sn_history_question {
    struct sn_history_query query; /* without its deadline */
    int64_t timeout_ns;
};

/*
 * Build a question from parameters:
 *   metric   name of a metric; any parameter that is none of these is then a label that must have
 *            this value; or
 *   query    PromQL; then nothing else is allowed but these
 *   start    RFC 3339 or Unix seconds; default: one hour before end
 *   end      the same; default: now
 *   step     duration ("30s") or seconds; default: such that there are at most 240 steps
 *   limit    most series, 1 to 1000; more is an error
 *   range, points, timeout   with query: see history_span.h and history_batch.h
 *
 *   arena    holds the selector that is made of metric and labels; other texts borrow
 *
 * Returns SN_OK, SN_ERR_INVALID (which parameter, which value), SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_history_question_parse(sn_history_next_param next, const void *ctx, int64_t now_ms,
                                    struct sn_arena *arena,
                                    struct sn_history_question *ret_question,
                                    struct sn_err *err) SN_MUST_USE;

#endif
