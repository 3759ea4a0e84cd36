/*
 * What the files of this module share: the API object, the route table's row, helpers to answer.
 */
#ifndef SN_API_API_PRIV_H
#define SN_API_API_PRIV_H

#include "api/api.h"
#include "api/jobs.h"
#include "api/prom_watch.h"
#include "engine/history.h"
#include "ingest/otlp.h"

/* Who may use a route. */
enum sn_api_role {
    SN_API_PUBLIC, /* anybody who can connect */
    SN_API_INGEST, /* writes measurements */
    SN_API_READ,   /* any signed-in user */
    SN_API_ADMIN,  /* changes or shows what is everybody's: administrators */
};

#define SN_API_METHOD(method) (1u << (method))
#define SN_API_GET (SN_API_METHOD(SN_HTTP_GET) | SN_API_METHOD(SN_HTTP_HEAD))
#define SN_API_POST SN_API_METHOD(SN_HTTP_POST)
#define SN_API_PATCH SN_API_METHOD(SN_HTTP_PATCH)
#define SN_API_DELETE SN_API_METHOD(SN_HTTP_DELETE)
/* Methods whose requests have a body. */
#define SN_API_WITH_BODY (SN_API_POST | SN_API_PATCH | SN_API_METHOD(SN_HTTP_PUT))

/* One row of the route table. */
struct sn_api_route {
    const char *path;  /* without a trailing slash; matched whole; {name}: any one piece
                          or the rest of one,
                          {*} at the end: any number of pieces, at least one */
    const char *allow; /* value of the Allow header */
    unsigned methods;  /* SN_API_METHOD bits */
    enum sn_api_role role;
    bool is_slow;          /* reads the store: answered by a job worker */
    bool is_shareable;     /* pages of other origins may read it, see struct sn_api_options */
    size_t body_bytes_max; /* 0: the server's limit */
    /* May answer by what the headers say, before the body is read; NULL: nothing to say. */
    void (*screen)(struct sn_http_request *request);
    void (*handle)(struct sn_api *api, struct sn_http_request *request);
};

/* Points of a query result from which on it is sent in pieces: 7 MB of text. */
#define SN_API_STREAM_POINTS_MIN ((size_t)256 << 10)

struct sn_api {
    struct sn_api_options options;
    struct sn_jobs jobs;
    struct sn_prom_watch watch;
    struct sn_ingest backfill; /* into the store's backfill */
    struct sn_http_asset *page, *page_script, *page_style;
    struct sn_otlp_deltas deltas;
    struct sn_stream_hub *streams; /* owned */
    size_t stream_points_min;      /* SN_API_STREAM_POINTS_MIN, but in tests */
    atomic_size_t streamed_bytes;  /* of query results that are being sent in pieces */
    uint64_t hash_seed;            /* random: for names of JSON from outside */
};

/* The table, in routes.c. */
extern const struct sn_api_route sn_api_routes[];
extern const size_t sn_api_route_count;

/*
 * Row of a path as sent (a trailing slash is optional) and a method; a row of that path when none
 * takes the method; or NULL.
 */
const struct sn_api_route *sn_api_find_route(struct sn_str path, enum sn_http_method method);

/*
 * Answer with a status of ours: picks the HTTP status and the errorType of the Prometheus API.
 *   SN_ERR_INVALID 400 bad_data · LIMIT 422 limit · NOT_FOUND 404 not_found · DENIED 403 forbidden ·
 *   BUSY 429 busy · TIMEOUT 503 timeout · NO_SPACE, IO, CLOSED, NO_MEMORY 503 unavailable ·
 *   UNSUPPORTED 501 unsupported · others 500 internal
 */
void sn_api_respond_failure(struct sn_http_request *request, sn_status status,
                            const struct sn_err *err);

/* The same with a sentence of any length. */
void sn_api_respond_sentence(struct sn_http_request *request, sn_status status,
                             const char *sentence);
/* The errorType of a status. */
const char *sn_api_error_type(sn_status status);

/* Answer 200 with a finished JSON document; takes the buffer's bytes. */
void sn_api_respond_json(struct sn_http_request *request, struct sn_json_writer *json,
                         struct sn_buf *buf);

/* The same with another status than 200; 201: something was made. */
void sn_api_respond_json_status(struct sn_http_request *request, int http_status,
                                struct sn_json_writer *json, struct sn_buf *buf);
static inline void sn_api_respond_created(struct sn_http_request *request,
                                          struct sn_json_writer *json, struct sn_buf *buf) {
    sn_api_respond_json_status(request, 201, json, buf);
}

/* Answer 200 with what `write` writes, or with its failure. */
typedef sn_status (*sn_api_write)(struct sn_api *api, struct sn_http_request *request,
                                  struct sn_json_writer *json, struct sn_err *err);
void sn_api_respond_written(struct sn_api *api, struct sn_http_request *request,
                            sn_api_write write);

/* A body of many things of which some are not valid: 400, and which; see api/record_json.h. */
struct sn_record_error;
struct sn_api_invalid {
    const char *things; /* "records" */
    size_t count;
    size_t invalid_count;
    const struct sn_record_error *errors; /* [error_count] */
    size_t error_count;
};
void sn_api_respond_invalid(struct sn_http_request *request, const struct sn_api_invalid *invalid);

/* A piece of the path between slashes, the first after the leading one is number 1, with escapes
 * undone, in the request's arena. SN_ERR_NOT_FOUND, SN_ERR_INVALID, SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_api_path_piece(struct sn_http_request *request, size_t number,
                            struct sn_str *ret_piece, struct sn_err *err) SN_MUST_USE;
/* Answer what happened to samples: {"status":"success","data":{"accepted":..,"rejected":{..}}}, or
 * 400 when all of them were refused. */
void sn_api_respond_ingested(struct sn_http_request *request,
                             const struct sn_ingest_result *result);
/*
 * Who asks: by the Authorization header, or, where no sign-in is needed, "open access" with all
 * scopes. SN_ERR_DENIED when there is nobody (a public route) or the token is not valid.
 */
sn_status sn_api_principal(const struct sn_api *api, const struct sn_http_request *request,
                           struct sn_principal *ret_principal, struct sn_err *err) SN_MUST_USE;

/* A piece of the path that is the number of something, as above. SN_ERR_NOT_FOUND: it is none. */
sn_status sn_api_path_id(struct sn_http_request *request, size_t number, int64_t *ret_id,
                         struct sn_err *err) SN_MUST_USE;

/* SN_OK, or SN_ERR_UNSUPPORTED: this server keeps no records. */
sn_status sn_api_check_records(const struct sn_api *api, struct sn_err *err) SN_MUST_USE;
/* The settings of an application; NULL: it has none of its own. */
const struct sn_app *sn_api_find_app(const struct sn_api *api, struct sn_str name);
/* "key":"2026-11-21T10:11:12.345Z" */
void sn_api_write_key_time(struct sn_json_writer *json, struct sn_str key, int64_t time_ms);

/* Handlers, one file per subject. */
void sn_api_post_command(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_auth_status(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_login(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_setup(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_logout(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_me(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_password(struct sn_api *api, struct sn_http_request *request);
void sn_api_admin_users(struct sn_api *api, struct sn_http_request *request);
void sn_api_admin_user(struct sn_api *api, struct sn_http_request *request);
void sn_api_admin_tokens(struct sn_api *api, struct sn_http_request *request);
void sn_api_admin_token(struct sn_api *api, struct sn_http_request *request);
void sn_api_admin_audit(struct sn_api *api, struct sn_http_request *request);

void sn_api_get_hosts(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_memory(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_cache(struct sn_api *api, struct sn_http_request *request);
void sn_api_put_cache_thresholds(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_search(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_usage(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_trends(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_storage(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_cardinality(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_sources(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_overview(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_services(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_service(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_service_reset(struct sn_api *api, struct sn_http_request *request);

void sn_api_get_page(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_page_file(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_healthz(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_readyz(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_openapi(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_metrics(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_delete_series(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_clean_tombstones(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_snapshot(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_delete_snapshot(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_import(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_host_status(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_history(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_history(struct sn_api *api, struct sn_http_request *request);
struct sn_history_source sn_api_history_source(const struct sn_api *api);
void sn_api_get_stream(struct sn_api *api, struct sn_http_request *request);
sn_status sn_api_stream_open(struct sn_api *api, struct sn_err *err) SN_MUST_USE;
void sn_api_post_text(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_write(struct sn_api *api, struct sn_http_request *request);
void sn_api_screen_write(struct sn_http_request *request);
void sn_api_post_otlp_metrics(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_otlp_logs(struct sn_api *api, struct sn_http_request *request);
void sn_api_screen_otlp(struct sn_http_request *request);
void sn_api_push_group(struct sn_api *api, struct sn_http_request *request);
void sn_api_screen_push_group(struct sn_http_request *request);

void sn_api_post_record(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_record_batch(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_records(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_record(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_collect(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_queue(struct sn_api *api, struct sn_http_request *request);

void sn_api_post_events(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_app_metrics(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_app_health(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_top_users(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_popular(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_app_errors(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_errors(struct sn_api *api, struct sn_http_request *request);
void sn_api_get_error(struct sn_api *api, struct sn_http_request *request);
void sn_api_patch_error(struct sn_api *api, struct sn_http_request *request);

void sn_api_prom_query(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_query_range(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_query_exemplars(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_format_query(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_parse_query(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_series(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_labels(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_label_values(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_metadata(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_rules(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_alerts(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_alertmanagers(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_targets(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_targets_metadata(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_scrape_pools(struct sn_api *api, struct sn_http_request *request);
void sn_api_post_reload(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_buildinfo(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_runtimeinfo(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_config(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_flags(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_tsdb(struct sn_api *api, struct sn_http_request *request);
void sn_api_prom_federate(struct sn_api *api, struct sn_http_request *request);

/* Prepare the page's assets. */
sn_status sn_api_page_open(struct sn_api *api, struct sn_err *err) SN_MUST_USE;
void sn_api_page_close(struct sn_api *api);

#endif
