/*
 * The series that one target has: from a key (a hash of the series as the page writes it) to the
 * canonical labels that it is stored with, after relabelling.
 *
 * It saves parsing, relabelling and sorting for series that come again, and knows which ones have
 * gone, so that they get a stale marker.
 *
 *   begin -> find / add / see ... -> commit, or give up (a scrape that failed)
 *
 * 1. Keys are hashes of 64 bits with a seed of the process, not the text itself: two of the ten
 *    thousand series of a target share one with a chance of 1 in 10^11.
 * 2. After a scrape that failed no series is current: all have got their marker.
 *
 * One thread.
 */
#ifndef SN_COLLECT_SCRAPE_CACHE_H
#define SN_COLLECT_SCRAPE_CACHE_H

#include "base/buf.h"
#include "base/status.h"

#include <stdbool.h>

/* Series of one target; a page of 64 MiB has fewer. */
#define SN_SCRAPE_SERIES_MAX ((size_t)2000000)
#define SN_SCRAPE_CACHE_BYTES_MAX ((size_t)1 << 30)

struct sn_scrape_entry {
    uint64_t key;
    uint64_t group; /* hash of the labels without name, le and quantile: what has one start time */
    uint32_t labels_at, labels_len; /* canonical bytes in the cache's text */
    uint32_t seen;                  /* the last scrape that had it */
    uint32_t current;               /* the last scrape that was stored and had it; 0: none */
    bool is_dropped;                /* by relabelling */
    bool is_tracked;                /* gets a stale marker when it goes */
};

struct sn_scrape_cache {
    struct sn_scrape_entry *entries; /* [capacity] */
    uint32_t *slots;                 /* [slot_count], index + 1; 0: free */
    size_t count, capacity, slot_count;
    struct sn_buf text;
    bool has_foreign; /* entries of other rules: their series may be there under new keys */
    uint32_t scrape;  /* number of this scrape, from 1 */
    uint32_t stored;  /* number of the last scrape that was stored; 0: none is current */
};

void sn_scrape_cache_init(struct sn_scrape_cache *cache);
void sn_scrape_cache_release(struct sn_scrape_cache *cache);

/* A scrape begins. */
void sn_scrape_cache_begin(struct sn_scrape_cache *cache);

/* The entry of a key, or NULL. Valid until the next add. */
struct sn_scrape_entry *sn_scrape_cache_find(const struct sn_scrape_cache *cache, uint64_t key);

/* Add an entry for a key that is not there. SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
sn_status sn_scrape_cache_add(struct sn_scrape_cache *cache, uint64_t key, struct sn_str labels,
                              struct sn_scrape_entry **ret_entry, struct sn_err *err) SN_MUST_USE;

static inline struct sn_str sn_scrape_cache_labels(const struct sn_scrape_cache *cache,
                                                   const struct sn_scrape_entry *entry) {
    return sn_str_make(cache->text.ptr + entry->labels_at, entry->labels_len);
}

/*
 * Call visit for every series that was current and is not in this scrape (is_good), or for all that
 * were current (not is_good), until it fails. Changes nothing.
 */
sn_status sn_scrape_cache_each_gone(const struct sn_scrape_cache *cache, bool is_good,
                                    sn_status (*visit)(void *ctx, struct sn_str labels,
                                                       struct sn_err *err),
                                    void *ctx, struct sn_err *err) SN_MUST_USE;

/*
 * The rules that made the entries do not hold any more: no key finds them, but what was current still
 * gets its stale marker when the next scrape does not have the same labels.
 */
void sn_scrape_cache_rekey(struct sn_scrape_cache *cache);

/* End of a scrape: what it had is current, or nothing is. Forgets what has been gone for long. */
void sn_scrape_cache_commit(struct sn_scrape_cache *cache, bool is_good);

#endif
