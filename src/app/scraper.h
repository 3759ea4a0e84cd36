/*
 * Scraping as a part of the server: the manager of the configuration in use, its threads, and what the
 * API asks of it while a reload may replace it.
 */
#ifndef SN_APP_SCRAPER_H
#define SN_APP_SCRAPER_H

#include "app/crew.h"
#include "collect/scrape.h"
#include "ingest/ingest.h"

/* Main thread, but for the functions that say any. Zeroed memory has nothing open. */
struct sn_scraper {
    struct sn_mutex mu;
    struct sn_scrape *scrape; /* guarded by mu; written by the main thread alone */
    struct sn_ingest_door door;
    struct sn_crew crew;
    bool is_open;
};

/* Make the manager; nothing runs yet. Config and ingest are borrowed. Statuses of sn_scrape_open. */
sn_status sn_scraper_open(struct sn_scraper *scraper, const struct sn_scrape_config *config,
                          struct sn_ingest *ingest, struct sn_err *err) SN_MUST_USE;
void sn_scraper_close(struct sn_scraper *scraper);

sn_status sn_scraper_start(struct sn_scraper *scraper, struct sn_err *err) SN_MUST_USE;
void sn_scraper_stop(struct sn_scraper *scraper); /* and wait for its end */

/*
 * Another configuration: targets that stay go on, the others end. After a failure the old ones run;
 * only when threads do not start nothing is scraped, and another call tries again.
 */
sn_status sn_scraper_renew(struct sn_scraper *scraper, const struct sn_scrape_config *config,
                           struct sn_err *err) SN_MUST_USE;

/* Any thread. */
sn_status sn_scraper_write_targets(struct sn_scraper *scraper, enum sn_scrape_state state,
                                   struct sn_str pool, struct sn_json_writer *json,
                                   struct sn_err *err) SN_MUST_USE;
void sn_scraper_write_pools(struct sn_scraper *scraper, struct sn_json_writer *json);
sn_status sn_scraper_each_target(struct sn_scraper *scraper, struct sn_arena *arena,
                                 bool (*visit)(void *ctx, struct sn_labels labels), void *ctx,
                                 struct sn_err *err) SN_MUST_USE;
/* external_labels of the configuration in use, copied into the arena. */
sn_status sn_scraper_external_labels(struct sn_scraper *scraper, struct sn_arena *arena,
                                     struct sn_labels *ret_labels, struct sn_err *err) SN_MUST_USE;
void sn_scraper_stats(struct sn_scraper *scraper, struct sn_scrape_stats *ret_stats);

#endif
