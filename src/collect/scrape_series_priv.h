/*
 * What a series of a page becomes: labels of the target, honor_labels, metric_relabel_configs, limits.
 * Only for scrape_page.c.
 */
#ifndef SN_COLLECT_SCRAPE_SERIES_PRIV_H
#define SN_COLLECT_SCRAPE_SERIES_PRIV_H

#include "collect/scrape_page.h"
#include "wire/metric_family.h"
#include "wire/text.h"

/*
 * The cache's entry of a sample, made when the series is new. SN_ERR_INVALID (labels), SN_ERR_LIMIT
 * (label_limit and its like, by name), SN_ERR_NO_MEMORY.
 */
sn_status sn_scrape_series_of_text(struct sn_scrape_page *page, const struct sn_text_entry *entry,
                                   struct sn_scrape_entry **ret_entry,
                                   struct sn_err *err) SN_MUST_USE;
sn_status sn_scrape_series_of_point(struct sn_scrape_page *page,
                                    const struct sn_family_point *point,
                                    struct sn_scrape_entry **ret_entry,
                                    struct sn_err *err) SN_MUST_USE;

/* Hash of canonical labels without name, le and quantile: series that start together share it. */
uint64_t sn_scrape_series_group(struct sn_str canonical, uint64_t seed);

#endif
