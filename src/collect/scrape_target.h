/*
 * One target: from an address and labels of discovery to a URL, its labels and its schedule.
 */
#ifndef SN_COLLECT_SCRAPE_TARGET_H
#define SN_COLLECT_SCRAPE_TARGET_H

#include "collect/scrape_cache.h"
#include "collect/scrape_config.h"

struct sn_scrape;

enum sn_target_health {
    SN_TARGET_UNKNOWN = 0, /* not scraped yet */
    SN_TARGET_UP = 1,
    SN_TARGET_DOWN = 2,
};

/* What make() finds out is constant; the rest belongs to the manager, which says who may touch it. */
struct sn_scrape_target {
    const struct sn_scrape_job *job;
    bool is_dropped;          /* by relabelling: has nothing but `discovered` */
    struct sn_str discovered; /* canonical labels before relabelling, owned */
    struct sn_str labels;     /* canonical labels of its series, owned */
    char *url;                /* owned */
    int64_t interval_ms, timeout_ms;
    uint64_t identity; /* of job, labels and URL: the same in every process */

    struct sn_scrape *owner; /* the manager that scrapes it */
    struct sn_scrape_cache cache;
    struct sn_http_transfer *transfer; /* in flight */
    int64_t next_ms;                   /* when it is due */
    int64_t scheduled_ms;              /* of the scrape in flight */
    int64_t start_ns;
    size_t heap_index;
    bool has_reported; /* series of its own, such as up, are current */
    int64_t metadata_ms;
    /* facts, for whoever asks */
    enum sn_target_health health;
    int64_t last_scrape_ms, last_duration_ns;
    struct sn_err last_error;
};

/*
 * Make a target.
 *
 *   address   "host:port"
 *   labels    of its group
 *   scratch   arena and draft to work with
 *
 * Returns SN_OK, also for one that relabelling drops; SN_ERR_INVALID (no address, labels that are
 * not valid, an interval that is none), SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_scrape_target_make(const struct sn_scrape_job *job, const char *address,
                                const struct sn_pair_list *labels, struct sn_label_draft *scratch,
                                struct sn_scrape_target **ret_target,
                                struct sn_err *err) SN_MUST_USE;

/* Returns NULL; NULL is fine. Its transfer has ended. */
struct sn_scrape_target *sn_scrape_target_free(struct sn_scrape_target *target);

/*
 * The first time from now_ms on at which the target is due: its interval shifted by its identity, so
 * that targets spread and keep their place when the server restarts.
 */
int64_t sn_scrape_target_due_ms(const struct sn_scrape_target *target, int64_t now_ms);

#endif
