/*
 * The HTTP interface: routes, who may use them, and what they answer. Translates a request, calls
 * one module, answers; no logic of its own.
 *
 *   request -> route(): find route, check access, size the body
 *           -> handle(): quick routes answer on the HTTP thread; routes that read the store go to a
 *              bounded queue and are answered by an "api-job" worker; a "prom-watch" worker
 *              cancels queries whose client has gone
 *
 * Every error is {"status":"error","errorType":"...","error":"..."}.
 */
#ifndef SN_API_API_H
#define SN_API_API_H

#include "api/apps_api.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "base/lock.h"
#include "codec/json_write.h"
#include "engine/board.h"
#include "engine/commands.h"
#include "engine/sparks.h"
#include "ingest/ingest.h"
#include "ingest/push_groups.h"
#include "model/admin.h"
#include "model/doors.h"
#include "net/http.h"
#include "query/parser.h"
#include "records/records.h"

#include <sonde/sonde.h>

struct sn_api;

enum sn_api_access {
    SN_API_ACCESS_REQUIRED = 0, /* sign-in needed; ingest from loopback is taken without */
    SN_API_ACCESS_OPEN = 1,     /* no sign-in; only for servers that listen on loopback */
};

/* Who may write measurements without a token when sign-in is required. */
enum sn_api_ingest_access {
    SN_API_INGEST_LOOPBACK = 0, /* programs on this machine */
    SN_API_INGEST_TOKEN = 1,    /* nobody */
    SN_API_INGEST_ANYONE = 2,   /* whoever can connect */
};

/* Which scrape targets a call wants to see. */
struct sn_api_target_query {
    bool wants_active, wants_dropped;
    struct sn_str pool; /* name of a job; empty: all */
};

/* What the API needs from the rest of the server. Everything is borrowed and outlives it. */
struct sn_api_options {
    enum sn_api_access access;
    enum sn_api_ingest_access ingest_access;
    struct sn_auth *auth; /* NULL: nobody can sign in */
    bool is_tls;          /* browsers are told to come by TLS only */
    /* Open access only: pages of other origins may read what PromQL answers, as from Prometheus. */
    bool shares_queries;
    const struct sn_commands *commands; /* NULL: none */
    struct sn_board *board;             /* NULL: no overview, no services */
    struct sn_sparks *sparks;           /* NULL: as board */
    const struct sn_clock *clock;
    struct sn_reader reader;
    struct sn_admin admin;                   /* of the store; functions may be NULL */
    struct sn_querier querier;               /* PromQL */
    const struct sn_parse_options *features; /* of the querier: NULL: none that is experimental */
    int64_t start_wall_ms;                   /* when the server started */
    const char *retention_text;              /* "15d" */
    const char *place; /* host and data directory: tells settings of this server alone from those
                          of others on the same database; NULL: there are no others */
    struct sn_ingest *ingest;
    struct sn_records *records;
    struct sn_push_groups *push_groups; /* NULL: no Pushgateway */
    const struct sn_app *apps;          /* [app_count] with settings of their own */
    size_t app_count;
    struct sn_error_rules error_rules; /* before the defaults */
    sonde_registry *registry;          /* for GET /metrics; NULL: the global one */
    /* SN_OK, or what is wrong with the server in one sentence: for /readyz. */
    sn_status (*health)(void *ctx, struct sn_err *err);
    /* Write the host's state as one JSON object. */
    sn_status (*host_status)(void *ctx, struct sn_json_writer *json, struct sn_err *err);
    /* Append the configuration in effect, as YAML. */
    sn_status (*config_text)(void *ctx, struct sn_buf *buf, struct sn_err *err);
    /* What is scraped. NULL: nothing is. */
    sn_status (*targets)(void *ctx, const struct sn_api_target_query *query,
                         struct sn_json_writer *json, struct sn_err *err);
    void (*scrape_pools)(void *ctx, struct sn_json_writer *json);
    /* Visit the labels of active targets until false; they live in the arena. */
    sn_status (*each_target)(void *ctx, struct sn_arena *arena,
                             bool (*visit)(void *visit_ctx, struct sn_labels labels),
                             void *visit_ctx, struct sn_err *err);
    /* Labels that pages for other servers carry; they live in the arena. NULL: none. */
    sn_status (*external_labels)(void *ctx, struct sn_arena *arena, struct sn_labels *ret_labels,
                                 struct sn_err *err);
    /* Read the configuration again and wait for it. NULL: not possible. */
    sn_status (*reload)(void *ctx, struct sn_err *err);
    void *ctx;                 /* of these functions */
    unsigned job_worker_count; /* threads for queries; 0: 2; one more watches over them */
};

/* SN_OK, SN_ERR_NO_MEMORY. */
sn_status sn_api_open(const struct sn_api_options *options, struct sn_api **ret_api,
                      struct sn_err *err) SN_MUST_USE;

/* After the HTTP server and all workers have ended. Returns NULL; NULL is fine. */
struct sn_api *sn_api_close(struct sn_api *api);

/* Fill route, handle and ctx of the server's options. */
void sn_api_attach(struct sn_api *api, struct sn_http_server_options *options);

/* Streams of events; relaxed: for metrics. */
struct sn_stream_stats;
void sn_api_stream_stats(const struct sn_api *api, struct sn_stream_stats *ret_stats);

/* Threads to start. Stop them after the HTTP workers: what is queued is answered first. */
#define SN_API_WORKERS_MAX 16
size_t sn_api_workers(struct sn_api *api, struct sn_worker *ret_workers, size_t max);

#endif
