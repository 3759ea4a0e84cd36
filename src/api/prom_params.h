/*
 * Parameters of the Prometheus HTTP API, with its own error texts.
 *
 * Every function reads one parameter of a request (query or form) and answers bad input with a
 * sentence that names the parameter. Any thread that may touch the request.
 */
#ifndef SN_API_PROM_PARAMS_H
#define SN_API_PROM_PARAMS_H

#include "base/arena.h"
#include "model/sample.h"
#include "net/http.h"
#include "query/parser.h"

/* Selectors of one request: more are a mistake. */
#define SN_PROM_SELECTORS_MAX 128

/* Required time. SN_ERR_INVALID. */
sn_status sn_prom_time(const struct sn_http_request *request, const char *name, int64_t *ret_ms,
                       struct sn_err *err) SN_MUST_USE;

/* The same, or `otherwise` when the parameter is missing. */
sn_status sn_prom_time_or(const struct sn_http_request *request, const char *name,
                          int64_t otherwise, int64_t *ret_ms, struct sn_err *err) SN_MUST_USE;

/* start and end of series and label calls: everything when missing; end before start is refused. */
sn_status sn_prom_range(const struct sn_http_request *request, struct sn_range *ret_range,
                        struct sn_err *err) SN_MUST_USE;

/*
 * Duration as "15s" or in seconds; `otherwise` when missing. Not negative, except that "step" must
 * be above zero. SN_ERR_INVALID.
 */
sn_status sn_prom_duration_or(const struct sn_http_request *request, const char *name,
                              int64_t otherwise_ms, int64_t *ret_ms,
                              struct sn_err *err) SN_MUST_USE;

/* limit=N, 0: no limit (also when missing). SN_ERR_INVALID. */
sn_status sn_prom_limit(const struct sn_http_request *request, size_t *ret_limit,
                        struct sn_err *err) SN_MUST_USE;

/* Selectors of match[], compiled. */
struct sn_prom_selectors {
    struct sn_expr *exprs; /* [count], in the arena */
    size_t count;
};

/*
 * Parse all match[] parameters. Release in any case, before the arena.
 * SN_ERR_INVALID (which, and why), SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_prom_selectors(const struct sn_http_request *request, struct sn_arena *arena,
                            struct sn_prom_selectors *selectors, struct sn_err *err) SN_MUST_USE;
/* The same for one text. */
sn_status sn_prom_one_selector(struct sn_str text, struct sn_arena *arena,
                               struct sn_prom_selectors *selectors, struct sn_err *err) SN_MUST_USE;
void sn_prom_selectors_release(struct sn_prom_selectors *selectors);

#endif
