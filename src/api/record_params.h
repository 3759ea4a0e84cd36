/*
 * Parameters of a request's query for lists: each known name once, everything else refused.
 */
#ifndef SN_API_RECORD_PARAMS_H
#define SN_API_RECORD_PARAMS_H

#include "net/http.h"
#include "records/record.h"

/* What a parameter is and where it goes. */
enum sn_param_kind {
    SN_PARAM_TEXT,     /* struct sn_str */
    SN_PARAM_TIME,     /* int64_t Unix milliseconds: RFC 3339 or Unix seconds */
    SN_PARAM_DURATION, /* int64_t milliseconds: "5m", or a number of seconds */
    SN_PARAM_COUNT,    /* int64_t of min..max */
    SN_PARAM_NUMBER,   /* double, finite */
};

struct sn_param {
    const char *name;
    enum sn_param_kind kind;
    void *target; /* written when the parameter is there */
    int64_t min, max;
    bool is_there; /* set by sn_params_read */
};

/* Rows of a table of parameters. */
#define SN_PARAM(name_, kind_, target_)                                                            \
    { .name = (name_), .kind = (kind_), .target = (target_) }
#define SN_PARAM_WITHIN(name_, target_, min_, max_)                                                \
    { .name = (name_), .kind = SN_PARAM_COUNT, .target = (target_), .min = (min_), .max = (max_) }

/*
 * Read the parameters of the query (not of a body).
 *
 *   params  [count]; texts live in the request's arena
 *
 * Returns SN_OK, SN_ERR_INVALID (unknown, twice, malformed, out of range), SN_ERR_NO_MEMORY,
 * SN_ERR_LIMIT; the sentence names parameter and value.
 */
sn_status sn_params_read(struct sn_http_request *request, struct sn_param *params, size_t count,
                         struct sn_err *err) SN_MUST_USE;

/* The same for text that stands after "?". */
sn_status sn_params_parse(struct sn_str query, struct sn_arena *arena, struct sn_param *params,
                          size_t count, struct sn_err *err) SN_MUST_USE;

/* One value. Statuses as above. */
sn_status sn_param_parse(struct sn_param *param, struct sn_str value,
                         struct sn_err *err) SN_MUST_USE;

#endif
