/*
 * What the files of the Prometheus API share: the envelope of an answer and its errors.
 */
#ifndef SN_API_PROM_PRIV_H
#define SN_API_PROM_PRIV_H

#include "api/api_priv.h"
#include "api/prom_params.h"

/* Memory of one call beside the result's text. */
#define SN_PROM_ARENA_BYTES_MAX ((size_t)512 << 20)
/* Series of one answer when no limit is given; more is an error that names it. */
#define SN_PROM_SERIES_MAX ((size_t)1000000)
/* Memory of all results together that are being sent in pieces. */
#define SN_PROM_STREAMED_BYTES_MAX ((size_t)2 << 30)
/* Text of one answer that is not sent in pieces. */
#define SN_PROM_ANSWER_BYTES_MAX ((size_t)512 << 20)

/* A sentence about a failed query: it may hold two label sets. */
#define SN_PROM_ERR_BYTES_MAX ((size_t)128 << 10)

/* One call at work: its memory and the answer being written. One thread. */
struct sn_prom_call {
    struct sn_api *api;
    struct sn_http_request *request;
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_buf long_error; /* of the query, see struct sn_query */
    struct sn_json_writer json;
};

/* Start {"status":"success","data": -- the caller writes the value of data next. */
void sn_prom_begin(struct sn_prom_call *call, struct sn_api *api, struct sn_http_request *request);

/* Finish the envelope with warnings and infos (may be empty), answer, release. */
void sn_prom_end(struct sn_prom_call *call, const struct sn_str *warnings, size_t warning_count,
                 const struct sn_str *infos, size_t info_count);

/* Answer with a page of text instead of the envelope, release. Takes the page's bytes. */
void sn_prom_end_text(struct sn_prom_call *call, const char *content_type, struct sn_buf *page);

/*
 * Answer with a failure instead, release. SN_ERR_INVALID is 400 bad_data while parameters are read
 * and 422 execution after that, as in Prometheus.
 */
void sn_prom_fail(struct sn_prom_call *call, bool is_executing, sn_status status,
                  const struct sn_err *err);

/* Parameter "query", which must be there. SN_ERR_INVALID. */
sn_status sn_prom_query_text(const struct sn_http_request *request, struct sn_str *ret_text,
                             struct sn_err *err) SN_MUST_USE;

/*
 * Parse a query for its own errors (400) before it is evaluated (whose errors are 422). The tree
 * lies in the call's arena; nothing is compiled. Statuses of sn_expr_parse.
 */
sn_status sn_prom_parse_query(struct sn_prom_call *call, struct sn_str text,
                              struct sn_expr *ret_expr, struct sn_err *err) SN_MUST_USE;

/*
 * Series that any of the selectors selects, each once, sorted by labels, in the call's arena.
 * Statuses of sn_reader.select and sn_expr_regex_status.
 */
sn_status sn_prom_select_series(struct sn_prom_call *call,
                                const struct sn_prom_selectors *selectors, struct sn_range range,
                                struct sn_series_list *ret_list, struct sn_err *err) SN_MUST_USE;

/* Labels as {"name":"value",...}. */
void sn_prom_write_labels(struct sn_json_writer *json, struct sn_labels labels);

/* Texts of times that several series share: those of the last array that was asked for. */
struct sn_prom_times {
    const int64_t *time_ms; /* [count], borrowed; NULL: none yet */
    size_t count;
    struct sn_buf texts;
};
void sn_prom_times_init(struct sn_prom_times *times);
void sn_prom_times_release(struct sn_prom_times *times);

/* Points that are written together: 8 KiB of room. */
#define SN_PROM_POINTS_AT_ONCE ((size_t)128)

/*
 * The values of a series, at least one, as [[time,"value"],...]: those from `from` on, at most
 * SN_PROM_POINTS_AT_ONCE. Begin with 0 and go on with what it returns until that is the series' count;
 * the buffer may be emptied in between. Times that lie in the array of the call before are not printed
 * anew. Cost: 20 to 50 ns per point.
 */
size_t sn_prom_write_points(struct sn_json_writer *json, struct sn_prom_times *times,
                            const struct sn_result_series *series, size_t from);

/* A result as it is written piece by piece; private to prom_result.c. */
struct sn_prom_writer {
    const struct sn_query_result *result; /* borrowed */
    size_t count;                         /* of series */
    size_t at;                            /* the series that comes next */
    size_t point, histogram;              /* of it: those that come next */
    struct sn_prom_times times;
    bool has_stats;
    bool has_begun;
};

/*
 * {"resultType":...,"result":...} and, when asked for, statistics. At most limit series (0: all).
 * Each step appends a piece of some KiB (a series' labels, a few of its points), after which the
 * buffer may be emptied; false: that was the last one.
 */
void sn_prom_writer_init(struct sn_prom_writer *writer, const struct sn_query_result *result,
                         size_t limit, bool has_stats);
bool sn_prom_writer_step(struct sn_prom_writer *writer, struct sn_json_writer *json);
void sn_prom_writer_release(struct sn_prom_writer *writer);

/* All of it at once. */
void sn_prom_write_result(struct sn_json_writer *json, const struct sn_query_result *result,
                          size_t limit, bool has_stats);

/* What came of a query and how it is to be shown. */
struct sn_prom_answer {
    struct sn_query_result result; /* in the arena of the call */
    size_t limit;                  /* of series, 0: all */
    bool has_stats;
};

/*
 * Answer with a result and release the call: at once when it is small, else in pieces while the client
 * takes them. (prom_stream.c)
 */
void sn_prom_end_result(struct sn_prom_call *call, const struct sn_prom_answer *answer);

/* Close the envelope behind the value of data. */
void sn_prom_write_end(struct sn_json_writer *json, const struct sn_str *warnings,
                       size_t warning_count, const struct sn_str *infos, size_t info_count);
void sn_prom_release(struct sn_prom_call *call);

#endif
