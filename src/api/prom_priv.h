/*
 * What the files of the Prometheus API share: the envelope of an answer and its errors.
 */
#ifndef SN_API_PROM_PRIV_H
#define SN_API_PROM_PRIV_H

#include "api/api_priv.h"

/* Memory of one call beside the result's text. */
#define SN_PROM_ARENA_BYTES_MAX ((size_t)512 << 20)
/* Text of one answer. */
#define SN_PROM_ANSWER_BYTES_MAX ((size_t)512 << 20)

/* One call at work: its memory and the answer being written. One thread. */
struct sn_prom_call {
    struct sn_api *api;
    struct sn_http_request *request;
    struct sn_arena arena;
    struct sn_buf buf;
    struct sn_json_writer json;
};

/* Start {"status":"success","data": -- the caller writes the value of data next. */
void sn_prom_begin(struct sn_prom_call *call, struct sn_api *api, struct sn_http_request *request);

/* Finish the envelope with warnings and infos (may be empty), answer, release. */
void sn_prom_end(struct sn_prom_call *call, const struct sn_str *warnings, size_t warning_count,
                 const struct sn_str *infos, size_t info_count);

/*
 * Answer with a failure instead, release. SN_ERR_INVALID is 400 bad_data while parameters are read
 * and 422 execution after that, as in Prometheus.
 */
void sn_prom_fail(struct sn_prom_call *call, bool is_executing, sn_status status,
                  const struct sn_err *err);

/* Labels as {"name":"value",...}. */
void sn_prom_write_labels(struct sn_json_writer *json, struct sn_labels labels);

/* {"resultType":...,"result":...} and, when asked for, statistics. At most limit series (0: all). */
void sn_prom_write_result(struct sn_json_writer *json, const struct sn_query_result *result,
                          size_t limit, bool has_stats);

#endif
