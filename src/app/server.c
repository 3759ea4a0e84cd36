/*
 * Wiring and order of the server's parts. See server.h.
 */
#include "app/server.h"

#include "app/config_text.h"
#include "app/signals.h"
#include "base/os.h"

#include <string.h>

/* HTTP gets 1.5 s for what is in flight, a collector in the kernel little more. */
#define COLLECT_JOIN_NS INT64_C(300000000)
#define HOST_NAME_BYTES 256
/* Longer than any reload; a request waits no longer. */
#define RELOAD_WAIT_NS INT64_C(30000000000)

/* ---- what the API asks of the server ---- */

static sn_status health(void *ctx, struct sn_err *err) {
    struct sn_server *server = ctx;
    return sn_store_health(server->store, err);
}

static sn_status host_status(void *ctx, struct sn_json_writer *json, struct sn_err *err) {
    struct sn_server *server = ctx;
    return sn_host_status_write(&server->host_status, json, err);
}

static sn_status targets(void *ctx, const struct sn_api_target_query *query,
                         struct sn_json_writer *json, struct sn_err *err) {
    struct sn_server *server = ctx;
    enum sn_scrape_state state = SN_SCRAPE_ANY;
    if (!query->wants_dropped)
        state = SN_SCRAPE_ACTIVE;
    else if (!query->wants_active)
        state = SN_SCRAPE_DROPPED;
    return sn_scraper_write_targets(&server->scraper, state, query->pool, json, err);
}

static void scrape_pools(void *ctx, struct sn_json_writer *json) {
    struct sn_server *server = ctx;
    sn_scraper_write_pools(&server->scraper, json);
}

static sn_status each_target(void *ctx, struct sn_arena *arena,
                             bool (*visit)(void *visit_ctx, struct sn_labels labels),
                             void *visit_ctx, struct sn_err *err) {
    struct sn_server *server = ctx;
    return sn_scraper_each_target(&server->scraper, arena, visit, visit_ctx, err);
}

static sn_status external_labels(void *ctx, struct sn_arena *arena, struct sn_labels *ret_labels,
                                 struct sn_err *err) {
    struct sn_server *server = ctx;
    return sn_scraper_external_labels(&server->scraper, arena, ret_labels, err);
}

static sn_status ask_reload(void *ctx, struct sn_err *err) {
    struct sn_server *server = ctx;
    return sn_reload_gate_ask(&server->reload_gate, RELOAD_WAIT_NS, err);
}

/* The configuration as it is now: reload may run beside this. */
static sn_status config_text(void *ctx, struct sn_buf *buf, struct sn_err *err) {
    struct sn_server *server = ctx;
    sn_mutex_lock(&server->config_text_mu);
    sn_buf_put_str(buf, sn_buf_str(&server->config_text));
    sn_status status = sn_buf_status(&server->config_text, err);
    sn_mutex_unlock(&server->config_text_mu);
    return status;
}

static void renew_config_text(struct sn_server *server) {
    sn_mutex_lock(&server->config_text_mu);
    sn_buf_reset(&server->config_text);
    sn_config_write(server->config, &server->config_text);
    sn_mutex_unlock(&server->config_text_mu);
}

/* ---- making ---- */

static sn_status open_store(struct sn_server *server, struct sn_err *err) {
    const struct sn_config *config = server->config;
    server->has_retention_rules = true;
    SN_TRY(sn_retention_rules_init(&server->retention_rules, config, err));
    struct sn_store_options options = sn_config_store_options(config);
    options.retention_rules = server->retention_rules.rules;
    options.retention_rule_count = server->retention_rules.count;
    options.durability = config->durability;
    options.log_bytes_max = (size_t)config->log_bytes_max;
    options.flush_interval_ms = config->flush_interval_ms;
    options.exemplars_max = config->exemplars_max > 0 ? config->exemplars_max : -1;
    options.out_of_order_window_ms =
        config->out_of_order_window_ms > 0 ? config->out_of_order_window_ms : -1;
    SN_TRY(sn_store_open(&options, &server->store, err));
    struct sn_store_stats stats;
    sn_store_stats(server->store, &stats);
    const struct sn_store_recovery *found = &stats.recovery;
    sn_log_info("store", "%s: %llu series, %llu segments, %llu samples replayed from the log",
                config->data, (unsigned long long)found->series_count,
                (unsigned long long)found->segment_count,
                (unsigned long long)found->log_sample_count);
    if (found->first_damage.status != SN_OK)
        sn_log_error("store", "%llu bytes of the log dropped, %llu damaged segments: %s",
                     (unsigned long long)found->log_bytes_dropped,
                     (unsigned long long)found->segment_damaged_count, found->first_damage.text);
    return SN_OK;
}

static sn_status open_records(struct sn_server *server, struct sn_err *err) {
    const struct sn_config *config = server->config;
    const struct sn_records_options options = {
        .dir = config->data,
        .sink = sn_store_sink(server->store),
        .database_url = config->records_database,
        .spool_bytes_max = config->records_spool_bytes_max,
        .event_retention_ms = config->records_event_retention_ms,
        .retention_ms = config->records_retention_ms,
        .retentions = config->records_retentions,
        .retention_count = config->records_retention_count,
    };
    SN_TRY(sn_records_open(&options, &server->records, err));
    sn_usage_sealer_init(&server->usage_sealer, server->records, sn_clock_system());
    server->has_usage_sealer = true;
    return SN_OK;
}

static sn_status open_query_engine(struct sn_server *server, struct sn_err *err) {
    const struct sn_query_engine_options options = {
        .reader = sn_store_reader(server->store),
        .clock = sn_clock_system(),
        .helper_count = (unsigned)sn_os_cpu_count() - 1,
        .features = {.has_experimental_functions = server->config->query_experimental,
                     .has_duration_expressions = server->config->query_experimental,
                     .has_extended_selectors = server->config->query_experimental,
                     .has_fill = server->config->query_experimental},
    };
    return sn_query_engine_new(&options, &server->query_engine, err);
}

static sn_status open_host_status(struct sn_server *server, struct sn_err *err) {
    const struct sn_collect_roots roots = {"/proc", "/sys"};
    SN_TRY(sn_host_status_init(&server->host_status, roots, NULL, err));
    server->has_host_status = true;
    return SN_OK;
}

static void open_config_text(struct sn_server *server) {
    sn_mutex_init(&server->config_text_mu, SN_RANK_APP, "config-text");
    sn_buf_init(&server->config_text, SN_CONFIG_BYTES_MAX);
    server->has_config_text = true;
    renew_config_text(server);
}

static void close_config_text(struct sn_server *server) {
    if (!server->has_config_text)
        return;
    sn_buf_release(&server->config_text);
    sn_mutex_release(&server->config_text_mu);
}

static sn_status open_commands(struct sn_server *server, struct sn_err *err) {
    SN_TRY(sn_config_settings(server->config, &server->settings, err));
    server->commands = (struct sn_commands){
        .querier = sn_query_engine_querier(server->query_engine),
        .reader = sn_store_reader(server->store),
        .settings = server->settings,
        .clock = sn_clock_system(),
    };
    return SN_OK;
}

/* A service with the name of an application is judged by that one's success rate. */
static sn_status open_board(struct sn_server *server, const struct sn_app *apps,
                            struct sn_err *err) {
    size_t count = server->config->apps.app_count;
    struct sn_board_limits *limits =
        sn_arena_alloc_zero(&server->apps_arena, count + 1, sizeof *limits);
    if (limits == NULL)
        return sn_arena_failure(&server->apps_arena, count * sizeof *limits, err);
    for (size_t i = 0; i < count; i++)
        limits[i] = (struct sn_board_limits){sn_str_from(apps[i].name),
                                             apps[i].limits[SN_INDICATOR_SUCCESS_RATE]};
    const struct sn_board_options options = {
        .querier = sn_query_engine_querier(server->query_engine),
        .reader = sn_store_reader(server->store),
        .sink = sn_store_sink(server->store),
        .records = server->records,
        .limits = limits,
        .limit_count = count,
    };
    sn_board_init(&server->board, &options);
    sn_sparks_init(&server->sparks, options.querier);
    server->has_board = true;
    return SN_OK;
}

/* The kernel's host name, as the label "instance". */
static void read_host_name(char ret_name[HOST_NAME_BYTES]) {
    struct sn_buf file;
    sn_buf_init(&file, HOST_NAME_BYTES - 1);
    struct sn_str name = SN_STR("localhost");
    if (sn_os_read_file("/proc/sys/kernel/hostname", &file, NULL) == SN_OK)
        name = sn_str_trim(sn_buf_str(&file));
    memcpy(ret_name, name.ptr, name.len);
    ret_name[name.len] = '\0';
    sn_buf_release(&file);
}

static sn_status open_api(struct sn_server *server, struct sn_err *err) {
    struct sn_app *apps;
    struct sn_error_rules rules;
    SN_TRY(sn_config_apps_make(&server->config->apps, &server->apps_arena, &apps, &rules, err));
    SN_TRY(open_board(server, apps, err));
    char host_name[HOST_NAME_BYTES];
    read_host_name(host_name);
    const char *data = server->config->data;
    const char *place = sn_arena_printf(&server->apps_arena, "%s:%s", host_name, data);
    if (place == NULL)
        return sn_arena_failure(&server->apps_arena, strlen(data), err);
    (void)sn_duration_format(server->config->retention_ms, server->retention_text); /* its length */
    const struct sn_api_options options = {
        .access = server->config->access,
        .ingest_access = server->config->ingest_access,
        .auth = server->sign_in.auth,
        .commands = &server->commands,
        .board = &server->board,
        .sparks = &server->sparks,
        .is_tls = sn_sign_in_has_tls(&server->sign_in),
        .shares_queries = server->config->query_shared,
        .clock = sn_clock_system(),
        .reader = sn_store_reader(server->store),
        .admin = sn_store_admin(server->store),
        .querier = sn_query_engine_querier(server->query_engine),
        .features = sn_query_engine_features(server->query_engine),
        .start_wall_ms = sn_clock_wall_ms(sn_clock_system()),
        .retention_text = server->retention_text,
        .place = place,
        .ingest = &server->ingest,
        .records = server->records,
        .apps = apps,
        .app_count = server->config->apps.app_count,
        .error_rules = rules,
        .push_groups = server->receivers.push_groups,
        .health = health,
        .host_status = host_status,
        .config_text = config_text,
        .targets = targets,
        .scrape_pools = scrape_pools,
        .each_target = each_target,
        .external_labels = external_labels,
        .reload = ask_reload,
        .ctx = server,
    };
    return sn_api_open(&options, &server->api, err);
}

static sn_status open_http(struct sn_server *server, struct sn_err *err) {
    struct sn_http_server_options options = {
        .listen = sn_str_from(server->config->listen),
        .worker_count = (unsigned)server->config->http_threads,
        .body_bytes_max = (size_t)server->config->body_bytes_max,
        .inflated_bytes_max = (size_t)server->config->body_bytes_max,
    };
    if (sn_sign_in_has_tls(&server->sign_in)) {
        options.tls_certificate = (const char *)server->sign_in.certificate.ptr;
        options.tls_key = (const char *)server->sign_in.key.ptr;
    }
    sn_api_attach(server->api, &options);
    return sn_http_server_open(&options, &server->http, err);
}

static void on_collector_change(void *ctx, const char *source, const struct sn_err *err) {
    (void)ctx;
    if (err != NULL)
        sn_log_warn("collect", "%s: %s", source, err->text);
    else
        sn_log_info("collect", "%s: works again", source);
}

static sn_status open_collect(struct sn_server *server, const struct sn_config *config,
                              struct sn_collect **ret_collect, struct sn_err *err) {
    char host_name[HOST_NAME_BYTES];
    read_host_name(host_name);
    const struct sn_collect_options options = {
        .sink = sn_store_sink(server->store),
        .interval_ms = config->collect_interval_ms,
        .instance = config->instance ? config->instance : host_name,
        .overrides = config->overrides,
        .override_count = config->override_count,
        .on_change = on_collector_change,
    };
    return sn_collect_open(&options, ret_collect, err);
}

static sn_status open_all(struct sn_server *server, struct sn_err *err) {
    sn_arena_init(&server->apps_arena, 0);
    open_config_text(server);
    sn_reload_gate_init(&server->reload_gate, sn_signals_ask_reload);
    server->has_reload_gate = true;
    SN_TRY(open_store(server, err));
    SN_TRY(sn_sign_in_open(&server->sign_in, server->config, err));
    sn_health_watch_init(&server->health_watch, server->store);
    server->has_health_watch = true;
    sn_ingest_init(&server->ingest, sn_store_sink(server->store));
    SN_TRY(open_records(server, err));
    SN_TRY(sn_receivers_open(&server->receivers, server->config, &server->ingest, err));
    SN_TRY(open_query_engine(server, err));
    SN_TRY(open_host_status(server, err));
    SN_TRY(open_commands(server, err));
    SN_TRY(open_api(server, err));
    SN_TRY(open_http(server, err));
    SN_TRY(open_collect(server, server->config, &server->collect, err));
    SN_TRY(sn_scraper_open(&server->scraper, &server->config->scrape, &server->ingest, err));
    const struct sn_own_metrics_parts parts = {server->store, server->http, &server->ingest,
                                               server->api, server->records};
    sn_own_metrics_open(&server->own_metrics, &parts);
    return SN_OK;
}

static void close_all(struct sn_server *server) {
    sn_own_metrics_close(&server->own_metrics);
    sn_collect_close(server->collect);
    sn_scraper_close(&server->scraper);
    sn_http_server_close(server->http);
    server->api = sn_api_close(server->api);
    if (server->has_board) {
        sn_board_release(&server->board);
        sn_sparks_release(&server->sparks);
    }
    server->query_engine = sn_query_engine_free(server->query_engine);
    sn_receivers_close(&server->receivers);
    if (server->has_host_status)
        sn_host_status_release(&server->host_status);
    if (server->has_health_watch)
        sn_health_watch_release(&server->health_watch);
    if (server->has_usage_sealer)
        sn_usage_sealer_release(&server->usage_sealer);
    sn_arena_release(&server->apps_arena);
    server->records = sn_records_close(server->records);
    server->settings = sn_settings_close(server->settings);
    sn_sign_in_close(&server->sign_in);
    server->store = sn_store_close(server->store);
    if (server->has_retention_rules)
        sn_retention_rules_release(&server->retention_rules);
    close_config_text(server);
    if (server->has_reload_gate)
        sn_reload_gate_release(&server->reload_gate);
    memset(server, 0, sizeof *server);
}

/* ---- running ---- */

static sn_status start_collect(struct sn_server *server, struct sn_err *err) {
    struct sn_crew *crew = &server->collect_crew;
    crew->count = sn_collect_workers(server->collect, crew->workers, SN_CREW_MAX);
    return sn_crew_start(crew, err);
}

static sn_status start_all(struct sn_server *server, struct sn_err *err) {
    struct sn_crew *store = &server->store_crew, *job = &server->job_crew,
                   *http = &server->http_crew;
    store->count = sn_store_workers(server->store, store->workers, SN_CREW_MAX - 1);
    store->workers[store->count++] = sn_health_watch_worker(&server->health_watch);
    SN_TRY(sn_crew_start(store, err));
    struct sn_crew *records = &server->records_crew;
    records->workers[records->count++] = sn_records_worker(server->records);
    records->workers[records->count++] = sn_usage_sealer_worker(&server->usage_sealer);
    if (sn_sign_in_worker(&server->sign_in, &records->workers[records->count]))
        records->count++;
    SN_TRY(sn_crew_start(records, err));
    job->count = sn_api_workers(server->api, job->workers, SN_CREW_MAX);
    job->count += sn_query_engine_workers(server->query_engine, job->workers + job->count,
                                          SN_CREW_MAX - 1 - job->count);
    job->workers[job->count++] = sn_board_worker(&server->board);
    SN_TRY(sn_crew_start(job, err));
    http->count = sn_http_server_workers(server->http, http->workers, SN_CREW_MAX);
    SN_TRY(sn_crew_start(http, err));
    SN_TRY(sn_receivers_start(&server->receivers, err));
    SN_TRY(sn_scraper_start(&server->scraper, err));
    return start_collect(server, err);
}

/* Returns whether all collectors have ended; one that hangs in the kernel keeps its memory. */
static bool stop_all(struct sn_server *server) {
    sn_crew_stop(&server->http_crew);
    sn_crew_stop(&server->collect_crew);
    sn_crew_stop(&server->scraper.crew);
    if (server->query_engine != NULL)
        sn_query_engine_stop(server->query_engine); /* Running queries end soon, with an error. */
    sn_crew_join(&server->http_crew);
    sn_crew_join(&server->scraper.crew);
    size_t hanging = sn_crew_join_within(&server->collect_crew, COLLECT_JOIN_NS);
    if (hanging > 0)
        sn_log_warn("collect", "%zu collectors hang in the kernel and are left behind", hanging);
    sn_receivers_stop(&server->receivers);
    sn_crew_stop(&server->job_crew);
    sn_crew_join(&server->job_crew);
    sn_crew_stop(&server->records_crew);
    sn_crew_join(&server->records_crew);
    sn_crew_stop(&server->store_crew);
    sn_crew_join(&server->store_crew);
    return hanging == 0;
}

sn_status sn_server_start(struct sn_server *server, const struct sn_config *config,
                          struct sn_err *err) {
    memset(server, 0, sizeof *server);
    server->config = config;
    sn_status status = open_all(server, err);
    if (status == SN_OK)
        status = start_all(server, err);
    if (status != SN_OK)
        sn_server_stop(server);
    return status;
}

void sn_server_stop(struct sn_server *server) {
    if (!stop_all(server))
        server->collect = NULL; /* Its threads may wake up yet: leaked on purpose, we exit. */
    close_all(server);
}

static bool is_same_text(const char *a, const char *b) {
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool has_other_records(const struct sn_config *a, const struct sn_config *b) {
    if (!is_same_text(a->records_database, b->records_database) ||
        a->records_spool_bytes_max != b->records_spool_bytes_max ||
        a->records_event_retention_ms != b->records_event_retention_ms ||
        a->records_retention_ms != b->records_retention_ms ||
        a->records_retention_count != b->records_retention_count)
        return true;
    for (size_t i = 0; i < a->records_retention_count; i++)
        if (a->records_retentions[i].retention_ms != b->records_retentions[i].retention_ms ||
            !sn_str_equal(a->records_retentions[i].metric_type,
                          b->records_retentions[i].metric_type))
            return true;
    return false;
}

static bool receivers_differ(const struct sn_config *a, const struct sn_config *b) {
    return !is_same_text(a->statsd_listen, b->statsd_listen) ||
           !is_same_text(a->statsd_socket, b->statsd_socket) ||
           a->statsd_flush_interval_ms != b->statsd_flush_interval_ms ||
           a->statsd_expire_ms != b->statsd_expire_ms ||
           a->statsd_series_max != b->statsd_series_max ||
           a->pushgateway_interval_ms != b->pushgateway_interval_ms;
}

static bool has_other_access(const struct sn_config *a, const struct sn_config *b) {
    return !is_same_text(a->listen, b->listen) || a->access != b->access ||
           a->ingest_access != b->ingest_access || a->session_ms != b->session_ms ||
           a->query_experimental != b->query_experimental || a->query_shared != b->query_shared ||
           a->tls_allow_plain != b->tls_allow_plain ||
           !is_same_text(a->tls_certificate, b->tls_certificate) ||
           !is_same_text(a->tls_key, b->tls_key);
}

static bool has_other_apps(const struct sn_config *a, const struct sn_config *b) {
    struct sn_buf first, second;
    sn_buf_init(&first, SN_CONFIG_BYTES_MAX);
    sn_buf_init(&second, SN_CONFIG_BYTES_MAX);
    sn_config_apps_write(&a->apps, &first);
    sn_config_apps_write(&b->apps, &second);
    bool is_other = !sn_str_equal(sn_buf_str(&first), sn_buf_str(&second));
    sn_buf_release(&first);
    sn_buf_release(&second);
    return is_other;
}

static bool has_same_rules(const struct sn_config *a, const struct sn_config *b) {
    bool same = a->retention_rule_count == b->retention_rule_count;
    for (size_t i = 0; same && i < a->retention_rule_count; i++)
        same = is_same_text(a->retention_rules[i].match, b->retention_rules[i].match) &&
               a->retention_rules[i].retention_ms == b->retention_rules[i].retention_ms;
    return same;
}

static bool has_same_label_limits(const struct sn_config *a, const struct sn_config *b) {
    return a->labels_max == b->labels_max && a->label_name_bytes_max == b->label_name_bytes_max &&
           a->label_value_bytes_max == b->label_value_bytes_max &&
           a->labels_bytes_max == b->labels_bytes_max;
}

static bool has_same_limits(const struct sn_config *a, const struct sn_config *b) {
    return has_same_rules(a, b) && a->rollup_retention_ms == b->rollup_retention_ms &&
           a->future_max_ms == b->future_max_ms &&
           a->series_per_metric_max == b->series_per_metric_max && has_same_label_limits(a, b) &&
           a->exemplars_max == b->exemplars_max;
}

static bool needs_restart(const struct sn_config *a, const struct sn_config *b) {
    return has_other_access(a, b) || !is_same_text(a->data, b->data) ||
           a->retention_ms != b->retention_ms || a->retention_bytes_max != b->retention_bytes_max ||
           a->durability != b->durability || a->log_bytes_max != b->log_bytes_max ||
           a->flush_interval_ms != b->flush_interval_ms ||
           a->out_of_order_window_ms != b->out_of_order_window_ms ||
           a->series_max != b->series_max || !has_same_limits(a, b) ||
           a->http_threads != b->http_threads || a->body_bytes_max != b->body_bytes_max ||
           has_other_records(a, b) || has_other_apps(a, b) || receivers_differ(a, b);
}

sn_status sn_server_reload(struct sn_server *server, const struct sn_config *config,
                           bool *ret_needs_restart, struct sn_err *err) {
    struct sn_collect *collect = NULL;
    SN_TRY(open_collect(server, config, &collect, err));
    sn_crew_stop(&server->collect_crew);
    size_t hanging = sn_crew_join_within(&server->collect_crew, COLLECT_JOIN_NS);
    if (hanging > 0)
        sn_log_warn("collect", "%zu collectors hang in the kernel and are replaced", hanging);
    else
        sn_collect_close(server->collect); /* Otherwise leaked: its threads may wake up yet. */
    server->collect = collect;
    SN_TRY(start_collect(server, err)); /* After a failure `config` is not ours, so not kept. */
    SN_TRY(sn_scraper_renew(&server->scraper, &config->scrape, err));
    *ret_needs_restart = needs_restart(server->config, config);
    server->config = config;
    renew_config_text(server);
    sn_log_set_level(config->log_level);
    return SN_OK;
}
