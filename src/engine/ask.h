/*
 * Asking PromQL with expressions that are put together from text, and keeping rows by a label of
 * the answers: what the pages of the dashboard are made of.
 */
#ifndef SN_ENGINE_ASK_H
#define SN_ENGINE_ASK_H

#include "base/limits.h"
#include "base/map.h"
#include "model/doors.h"

/* Longest expression: names of a few hundred services. */
#define SN_ASK_EXPRESSION_BYTES_MAX ((size_t)128 << 10)

/* What a page of the dashboard waits for each of its queries; a board that is older is of no use. */
#define SN_ASK_TIMEOUT_NS INT64_C(20000000000)

/* Who is asked; one thread. */
struct sn_ask {
    struct sn_querier querier;
    struct sn_arena *arena; /* of the results */
    struct sn_err *err;
    int64_t timeout_ns; /* of each query; 0: the querier's */
};

/*
 * An instant query. `format` is printf's, without floating point.
 *
 * SN_ERR_LIMIT (the expression is too long), SN_ERR_NO_MEMORY, and the statuses of the querier.
 */
sn_status sn_ask_at(const struct sn_ask *ask, int64_t time_ms, struct sn_query_result *ret_result,
                    const char *format, ...) SN_MUST_USE SN_PRINTF(4, 5);

/* A range query. Same statuses. */
sn_status sn_ask_over(const struct sn_ask *ask, struct sn_range range, int64_t step_ms,
                      struct sn_query_result *ret_result, const char *format, ...) SN_MUST_USE
    SN_PRINTF(5, 6);

/* Text as a PromQL string, with its quotes and without NUL bytes; in the arena. NULL: no memory or
 * limit. */
const char *sn_ask_quote(struct sn_arena *arena, struct sn_str text);

/* A PromQL string with a regular expression that takes exactly these texts. NULL as above. */
const char *sn_ask_quote_any(struct sn_arena *arena, const struct sn_str *texts, size_t count);

/* Value of the i-th series of a vector; NaN when it has none. */
double sn_ask_value(const struct sn_query_result *result, size_t i);

/* A time in Unix seconds as metrics give it; 0 when it is none. */
int64_t sn_ask_time_ms(double seconds);

/* ---- rows by name ---- */

/* Names to indexes 0, 1, 2 ... in order of arrival. Release it. */
struct sn_row_index {
    struct sn_map map;
    size_t count;
};
void sn_row_index_init(struct sn_row_index *index, size_t count_max);
void sn_row_index_release(struct sn_row_index *index);
/* The index of a name; SIZE_MAX when it is not there. */
size_t sn_row_index_find(const struct sn_row_index *index, struct sn_str name);
/* The same, and a new one where there is none. SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
sn_status sn_row_index_add(struct sn_row_index *index, struct sn_str name,
                           size_t *ret_at) SN_MUST_USE;

#endif
