/*
 * The scrape manager's life in the server. See scraper.h.
 */
#include "app/scraper.h"

#include "base/log.h"

static void on_change(void *ctx, const char *what, const struct sn_err *err) {
    (void)ctx;
    if (err != NULL)
        sn_log_warn("scrape", "%s: %s", what, err->text);
    else
        sn_log_info("scrape", "%s: works again", what);
}

static sn_status make(struct sn_scraper *scraper, const struct sn_scrape_config *config,
                      struct sn_scrape **ret_scrape, struct sn_err *err) {
    const struct sn_scrape_options options = {
        .config = config,
        .sink = sn_ingest_door_sink(&scraper->door),
        .on_change = on_change,
    };
    return sn_scrape_open(&options, ret_scrape, err);
}

sn_status sn_scraper_open(struct sn_scraper *scraper, const struct sn_scrape_config *config,
                          struct sn_ingest *ingest, struct sn_err *err) {
    scraper->door = (struct sn_ingest_door){ingest, SN_INGEST_SCRAPE};
    sn_mutex_init(&scraper->mu, SN_RANK_APP, "scraper");
    scraper->is_open = true;
    return make(scraper, config, &scraper->scrape, err);
}

void sn_scraper_close(struct sn_scraper *scraper) {
    if (!scraper->is_open)
        return;
    scraper->scrape = sn_scrape_close(scraper->scrape);
    sn_mutex_release(&scraper->mu);
    scraper->is_open = false;
}

sn_status sn_scraper_start(struct sn_scraper *scraper, struct sn_err *err) {
    scraper->crew.count =
        sn_scrape_workers(scraper->scrape, scraper->crew.workers, SN_SCRAPE_WORKERS_MAX);
    return sn_crew_start(&scraper->crew, err);
}

void sn_scraper_stop(struct sn_scraper *scraper) {
    sn_crew_stop(&scraper->crew);
    sn_crew_join(&scraper->crew);
}

static void put(struct sn_scraper *scraper, struct sn_scrape *next) {
    struct sn_scrape *old = scraper->scrape;
    sn_mutex_lock(&scraper->mu);
    scraper->scrape = next;
    sn_mutex_unlock(&scraper->mu);
    (void)sn_scrape_close(old); /* NULL, always */
}

sn_status sn_scraper_renew(struct sn_scraper *scraper, const struct sn_scrape_config *config,
                           struct sn_err *err) {
    static const struct sn_scrape_config nothing = {.jobs = {NULL, 0}};
    struct sn_scrape *next = NULL, *idle = NULL;
    SN_TRY(make(scraper, config, &next, err));
    sn_status status = make(scraper, &nothing, &idle, err);
    if (status != SN_OK) {
        (void)sn_scrape_close(next); /* NULL, always */
        return status;
    }
    sn_scraper_stop(scraper);
    sn_scrape_adopt(next, scraper->scrape);
    put(scraper, next);
    status = sn_scraper_start(scraper, err);
    if (status == SN_OK)
        (void)sn_scrape_close(idle); /* NULL, always */
    else
        put(scraper, idle); /* The caller does not keep a configuration that failed. */
    return status;
}

sn_status sn_scraper_write_targets(struct sn_scraper *scraper, enum sn_scrape_state state,
                                   struct sn_str pool, struct sn_json_writer *json,
                                   struct sn_err *err) {
    sn_mutex_lock(&scraper->mu);
    sn_status status = sn_scrape_write_targets(scraper->scrape, state, pool, json, err);
    sn_mutex_unlock(&scraper->mu);
    return status;
}

void sn_scraper_write_pools(struct sn_scraper *scraper, struct sn_json_writer *json) {
    sn_mutex_lock(&scraper->mu);
    sn_scrape_write_pools(scraper->scrape, json);
    sn_mutex_unlock(&scraper->mu);
}

sn_status sn_scraper_each_target(struct sn_scraper *scraper, struct sn_arena *arena,
                                 bool (*visit)(void *ctx, struct sn_labels labels), void *ctx,
                                 struct sn_err *err) {
    sn_mutex_lock(&scraper->mu);
    sn_status status = sn_scrape_each_target(scraper->scrape, arena, visit, ctx, err);
    sn_mutex_unlock(&scraper->mu);
    return status;
}

sn_status sn_scraper_external_labels(struct sn_scraper *scraper, struct sn_arena *arena,
                                     struct sn_labels *ret_labels, struct sn_err *err) {
    sn_mutex_lock(&scraper->mu);
    sn_status status = sn_scrape_external_labels(scraper->scrape, arena, ret_labels, err);
    sn_mutex_unlock(&scraper->mu);
    return status;
}

void sn_scraper_stats(struct sn_scraper *scraper, struct sn_scrape_stats *ret_stats) {
    sn_mutex_lock(&scraper->mu);
    sn_scrape_stats(scraper->scrape, ret_stats);
    sn_mutex_unlock(&scraper->mu);
}
