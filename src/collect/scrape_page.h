/*
 * One page of a target on its way into a batch: parse, limit, honour or rename labels, relabel, mark
 * what has gone.
 *
 *   begin -> read (the whole page, or a failure that says why) -> end -> batch
 *
 * 1. All or nothing: after a page that fails the batch holds stale markers only.
 * 2. A series is parsed and relabelled once; as long as it comes again the cache knows it.
 *
 * One thread. Opens nothing, asks no clock.
 */
#ifndef SN_COLLECT_SCRAPE_PAGE_H
#define SN_COLLECT_SCRAPE_PAGE_H

#include "collect/scrape_cache.h"
#include "collect/scrape_config.h"
#include "model/batch.h"

/* Memory of one page as a batch. */
#define SN_SCRAPE_BATCH_BYTES_MAX ((size_t)512 << 20)

/* One page. Zeroed but for what begin takes; scratch memory is reused from page to page. */
struct sn_scrape_page {
    const struct sn_scrape_job *job;
    struct sn_labels target; /* labels of the target, valid */
    struct sn_scrape_cache *cache;
    int64_t time_ms;     /* of the scrape */
    uint64_t seed;       /* of the keys */
    bool wants_metadata; /* push what HELP and TYPE say */
    struct sn_batch_builder batch;
    struct sn_arena scratch;
    struct sn_label_draft draft;
    struct sn_metadata metadata; /* of the family that is being read */
    bool has_metadata;
    size_t family_first_sample; /* index into the batch's samples */
    /* What came of it. */
    uint64_t scraped_count;  /* samples on the page */
    uint64_t added_count;    /* after metric_relabel_configs */
    uint64_t new_count;      /* series that were not there before */
    uint64_t unusable_count; /* samples whose time cannot be stored */
};

void sn_scrape_page_init(struct sn_scrape_page *page, uint64_t seed);
void sn_scrape_page_release(struct sn_scrape_page *page);

/* Start with a target. Everything is borrowed until end. */
void sn_scrape_page_begin(struct sn_scrape_page *page, const struct sn_scrape_job *job,
                          struct sn_labels target, struct sn_scrape_cache *cache, int64_t time_ms);

/*
 * Read a body in the format that its Content-Type names (NULL: none).
 *
 * Returns SN_OK; SN_ERR_INVALID (syntax with its line, a type that is no metrics page); SN_ERR_LIMIT
 * (of the configuration or ours, by name); SN_ERR_NO_MEMORY.
 * Cost: measured by bench/collect/scrape_bench.c.
 */
sn_status sn_scrape_page_read(struct sn_scrape_page *page, const char *content_type,
                              struct sn_str body, struct sn_err *err) SN_MUST_USE;

/*
 * End the page: stale markers for what has gone, at the time of the scrape; the cache is told.
 * is_good: what read() returned. SN_ERR_NO_MEMORY, SN_ERR_LIMIT.
 */
sn_status sn_scrape_page_end(struct sn_scrape_page *page, bool is_good,
                             struct sn_err *err) SN_MUST_USE;

/* Add a sample of the target itself, such as up. */
sn_status sn_scrape_page_report(struct sn_scrape_page *page, struct sn_str name, double value,
                                struct sn_err *err) SN_MUST_USE;

#endif
