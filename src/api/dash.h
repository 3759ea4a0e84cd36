/*
 * What the routes of the dashboard share: the envelope {"status":"success","data":...}, ranges of
 * time, numbers that may not be known, rows of services and hosts.
 */
#ifndef SN_API_DASH_H
#define SN_API_DASH_H

#include "api/api_priv.h"
#include "api/record_params.h"
#include "engine/board.h"
#include "engine/sparks.h"

#define SN_DASH_RANGE_MS_DEFAULT INT64_C(21600000)     /* 6 h */
#define SN_DASH_RANGE_MS_MAX (INT64_C(400) * 86400000) /* a year and what a calendar adds */

/* The range of a page. */
struct sn_dash_range {
    int64_t length_ms, start_ms, end_ms; /* as given; 0: not */
};
/* Its parameters, for a table of struct sn_param: range, start, end. */
#define SN_DASH_RANGE_PARAMS(range_)                                                               \
    SN_PARAM("range", SN_PARAM_DURATION, &(range_)->length_ms),                                    \
        SN_PARAM("start", SN_PARAM_TIME, &(range_)->start_ms),                                     \
        SN_PARAM("end", SN_PARAM_TIME, &(range_)->end_ms)
/* Complete it: the end is now, the start is the end minus the length. SN_ERR_INVALID. */
sn_status sn_dash_range_finish(struct sn_dash_range *range, int64_t now_ms, int64_t default_ms,
                               struct sn_err *err) SN_MUST_USE;

/* Answer with {"status":"success","data":X}; `write` writes X. */
void sn_dash_respond(struct sn_api *api, struct sn_http_request *request, sn_api_write write);

/* Run a command with its arguments (JSON, see engine/commands.h); X is its answer. */
sn_status sn_dash_write_command(struct sn_api *api, struct sn_http_request *request,
                                struct sn_str command, struct sn_str args,
                                struct sn_json_writer *json, struct sn_err *err) SN_MUST_USE;

/* A copy of the board; SN_ERR_UNSUPPORTED where the server has none. */
sn_status sn_dash_board(struct sn_api *api, struct sn_arena *arena, struct sn_board_view *ret_view,
                        struct sn_err *err) SN_MUST_USE;

/* When the store was copied by a snapshot last, in store_api.c; 0: not known. */
int64_t sn_api_last_snapshot_ms(struct sn_api *api, struct sn_arena *arena);

/* ---- members ---- */

/* With twelve digits; NaN and the infinities are null. */
void sn_dash_put_number(struct sn_json_writer *json, const char *key, double value);
void sn_dash_put_time(struct sn_json_writer *json, const char *key, int64_t time_ms); /* 0: null */
void sn_dash_put_text(struct sn_json_writer *json, const char *key, struct sn_str text);
void sn_dash_put_health(struct sn_json_writer *json, const char *key, enum sn_health health);
/* How many services have which status, by enum sn_health. */
void sn_dash_put_counts(struct sn_json_writer *json, const size_t counts[4]);

/* Whether part is in text, whatever the case of ASCII letters. An empty part is. */
bool sn_dash_has_text(struct sn_str text, struct sn_str part);

/* ---- services ---- */

/* Critical first, then warning, unknown, good. <0, 0, >0 as for qsort. */
int sn_dash_compare_health(enum sn_health a, enum sn_health b);
/* The worst first, then those with the most operations, then by name. */
int sn_dash_worst_first(const void *left, const void *right);

/* Small charts of rows. */
struct sn_dash_sparks {
    struct sn_spark_grid grid;
    bool is_now;             /* a last value follows: what is now */
    const float *rate, *p95; /* [row count][grid.count]; NULL: not wanted */
};
/* Charts of these services; p95 only when wanted. */
sn_status sn_dash_sparks_read(struct sn_api *api, const struct sn_board_service *services,
                              size_t count, const struct sn_dash_range *range, int64_t now_ms,
                              bool wants_p95, struct sn_arena *arena,
                              struct sn_dash_sparks *ret_sparks, struct sn_err *err) SN_MUST_USE;
/* "spark":{"start","step","count"} */
void sn_dash_put_grid(struct sn_json_writer *json, const struct sn_spark_grid *grid, bool is_now);
/* The members of one service, without the braces. */
void sn_dash_put_service(struct sn_json_writer *json, const struct sn_board_service *service,
                         int64_t now_ms);
/* A value of a small chart, with five digits: it shows no more, and there are thousands. */
void sn_dash_put_value(struct sn_json_writer *json, double value);
/* A list of them. */
void sn_dash_put_values(struct sn_json_writer *json, const char *key, const float *values,
                        size_t count);
/* "rows":[...]; row i of the sparks belongs to services[i]. */
void sn_dash_put_services(struct sn_json_writer *json, const struct sn_board_service *services,
                          size_t count, int64_t now_ms, const struct sn_dash_sparks *sparks);

/* ---- hosts ---- */
void sn_dash_put_hosts(struct sn_json_writer *json, const char *key, const struct sn_hosts *hosts,
                       size_t max, int64_t now_ms);

#endif
