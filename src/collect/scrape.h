/*
 * Scraping: the targets of a prometheus.yml are asked for their metrics, each at its own moment of its
 * interval, all on one thread.
 *
 *   config, discovery -> targets -> due -> HTTP -> page (parse, relabel) -> sink
 *
 * 1. A target that hangs delays no other one: it has a transfer of its own until its timeout.
 * 2. Every scrape gives up, scrape_duration_seconds, scrape_samples_scraped,
 *    scrape_samples_post_metric_relabeling and scrape_series_added. Series that were there before
 *    and are not get a stale marker, all of them when a scrape fails or its target goes.
 * 3. A scrape that starts on time (2 ms) has the time that it was due, so that steps are equal.
 * 4. A new configuration is a new manager; it adopts what the old one knows about targets that stay.
 */
#ifndef SN_COLLECT_SCRAPE_H
#define SN_COLLECT_SCRAPE_H

#include "base/clock.h"
#include "base/lock.h"
#include "codec/json_write.h"
#include "collect/scrape_config.h"
#include "model/doors.h"

struct sn_scrape;

/* Targets of all jobs together. */
#define SN_SCRAPE_TARGETS_MAX ((size_t)100000)
/* Body of a page when body_size_limit is not set: half a million series. */
#define SN_SCRAPE_BODY_BYTES_MAX ((size_t)64 << 20)

struct sn_scrape_options {
    const struct sn_scrape_config *config; /* outlives the manager */
    struct sn_sink sink;                   /* outlives it too */
    const struct sn_clock *clock;          /* NULL: system */
    /* Something about a job or a list of targets that an administrator wants to know; err NULL: it
     * works again. Any thread of the manager; short. */
    void (*on_change)(void *ctx, const char *what, const struct sn_err *err);
    void *ctx;
};

/* SN_ERR_NO_MEMORY, SN_ERR_IO, SN_ERR_INTERNAL (of the HTTP client). */
sn_status sn_scrape_open(const struct sn_scrape_options *options, struct sn_scrape **ret_scrape,
                         struct sn_err *err) SN_MUST_USE;
/* The workers have ended. Returns NULL; NULL is fine. */
struct sn_scrape *sn_scrape_close(struct sn_scrape *scrape);

/* The threads to start; none when there is nothing to scrape. */
#define SN_SCRAPE_WORKERS_MAX 2
size_t sn_scrape_workers(struct sn_scrape *scrape, struct sn_worker *ret_workers, size_t max);

/*
 * Take over from the manager of the configuration before: series, health and schedule of targets that
 * are the same, lists that URLs gave. What is not taken over gets its stale markers. The workers of
 * both do not run. Afterwards `old` is only good for close.
 */
void sn_scrape_adopt(struct sn_scrape *scrape, struct sn_scrape *old);

/* ---- what the API shows; any thread ---- */

enum sn_scrape_state { SN_SCRAPE_ANY = 0, SN_SCRAPE_ACTIVE = 1, SN_SCRAPE_DROPPED = 2 };

/* {"activeTargets": [...], "droppedTargets": [...], "droppedTargetCounts": {...}} of Prometheus;
 * pool empty: of all jobs. */
sn_status sn_scrape_write_targets(struct sn_scrape *scrape, enum sn_scrape_state state,
                                  struct sn_str pool, struct sn_json_writer *json,
                                  struct sn_err *err) SN_MUST_USE;

/* {"scrapePools": [...]} */
void sn_scrape_write_pools(struct sn_scrape *scrape, struct sn_json_writer *json);

/* external_labels of the configuration, copied into the arena. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_scrape_external_labels(struct sn_scrape *scrape, struct sn_arena *arena,
                                    struct sn_labels *ret_labels, struct sn_err *err) SN_MUST_USE;

struct sn_scrape_stats {
    uint64_t target_count, dropped_target_count, invalid_target_count; /* now */
    uint64_t scrape_count, failed_scrape_count;                        /* since the start */
    uint64_t lost_sample_count;                                        /* the sink did not take */
};
void sn_scrape_stats(struct sn_scrape *scrape, struct sn_scrape_stats *ret_stats);

/* Visit the active targets: labels of each (in the arena of the call). Until visit returns false. */
sn_status sn_scrape_each_target(struct sn_scrape *scrape, struct sn_arena *arena,
                                bool (*visit)(void *ctx, struct sn_labels labels), void *ctx,
                                struct sn_err *err) SN_MUST_USE;

#endif
