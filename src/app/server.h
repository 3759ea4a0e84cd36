/*
 * The running server: every module made, wired, started, and stopped in the right order.
 *
 *   start   store -> records -> jobs -> HTTP -> collectors      (what receives runs before what sends)
 *   stop    HTTP and collectors -> jobs -> records -> store     (the reverse: everything sent is kept)
 */
#ifndef SN_APP_SERVER_H
#define SN_APP_SERVER_H

#include "app/config.h"
#include "app/crew.h"
#include "app/health_watch.h"
#include "app/own_metrics.h"
#include "app/receivers.h"
#include "app/reload_gate.h"
#include "app/retention_rules.h"
#include "app/scraper.h"
#include "app/sign_in.h"
#include "codec/duration.h"
#include "collect/host_status.h"
#include "engine/board.h"
#include "engine/sparks.h"
#include "engine/usage.h"
#include "query/engine.h"

/* Main thread only, but for config_text. Zeroed memory is a server that has not started anything. */
struct sn_server {
    const struct sn_config *config;
    struct sn_store *store;
    struct sn_retention_rules retention_rules;
    bool has_retention_rules;
    struct sn_sign_in sign_in;
    struct sn_settings *settings;
    struct sn_commands commands;
    struct sn_ingest ingest;
    struct sn_records *records;
    struct sn_usage_sealer usage_sealer;
    bool has_usage_sealer;
    struct sn_arena apps_arena; /* of what the API gets about applications */
    struct sn_query_engine *query_engine;
    struct sn_board board;
    struct sn_sparks sparks;
    bool has_board;
    char retention_text[SN_DURATION_TEXT_SIZE];
    struct sn_mutex config_text_mu;
    struct sn_buf config_text; /* of `config`; guarded by config_text_mu */
    bool has_config_text;
    struct sn_api *api;
    struct sn_http_server *http;
    struct sn_collect *collect;
    struct sn_host_status host_status;
    bool has_host_status;
    struct sn_health_watch health_watch;
    bool has_health_watch;
    struct sn_own_metrics own_metrics;
    struct sn_crew store_crew, records_crew, job_crew, http_crew, collect_crew;
    struct sn_receivers receivers; /* beside HTTP */
    struct sn_scraper scraper;
    struct sn_reload_gate reload_gate;
    bool has_reload_gate;
};

/*
 * Make and start everything. After a failure everything that ran has been stopped again.
 *
 *   config   borrowed until sn_server_stop or sn_server_reload with another one
 *
 * Statuses of the modules, with their sentences.
 */
sn_status sn_server_start(struct sn_server *server, const struct sn_config *config,
                          struct sn_err *err) SN_MUST_USE;

/*
 * Take over what can change while running: log level, collectors, scraping. *ret_needs_restart tells whether
 * other settings differ too. A collector that hangs in the kernel is left behind and replaced. On
 * failure config is not kept and the collectors run as before; only when their threads cannot be
 * started none of them runs, and another reload tries again.
 */
sn_status sn_server_reload(struct sn_server *server, const struct sn_config *config,
                           bool *ret_needs_restart, struct sn_err *err) SN_MUST_USE;

/* Stop within about two seconds; nothing acknowledged is lost. */
void sn_server_stop(struct sn_server *server);

#endif
