/*
 * Groups of pushed metrics, as the Prometheus Pushgateway keeps them: what a batch job pushed last
 * stays there until it is replaced or deleted, and appears in the store again and again as if a
 * Pushgateway were scraped.
 *
 *   PUT     the page replaces the group
 *   POST    metrics of the page replace those of the same name
 *   DELETE  the group goes; its series end with stale markers
 *
 * 1. A change is answered when its file is synced and its samples are durable.
 * 2. A group has one file in the directory; whoever opens the directory again has all groups.
 * 3. Changes and passes exclude each other: a series never gets an older value after a newer one.
 */
#ifndef SN_INGEST_PUSH_GROUPS_H
#define SN_INGEST_PUSH_GROUPS_H

#include "base/clock.h"
#include "base/lock.h"
#include "ingest/ingest.h"
#include "ingest/push_group.h"

/* Jobs of one team; a Pushgateway with more is used for what it is not made for. */
#define SN_PUSH_GROUPS_MAX ((size_t)10000)
/* All of them are in memory. */
#define SN_PUSH_GROUPS_BYTES_MAX ((size_t)128 << 20)

#define SN_PUSH_INTERVAL_MS_MIN INT64_C(1000)
#define SN_PUSH_INTERVAL_MS_MAX INT64_C(3600000)

struct sn_push_groups; /* any thread */

struct sn_push_groups_options {
    struct sn_ingest *ingest;     /* outlives the groups */
    const struct sn_clock *clock; /* NULL: system */
    const char *directory;        /* made when missing; copied */
    int64_t interval_ms;          /* between passes: within the limits above */
    /* Told about a damaged file, and when passes begin (err) or cease (NULL) to fail. May be NULL. */
    void (*on_trouble)(void *ctx, const struct sn_err *err);
    void *ctx;
};

/*
 * Make it and read all files. A damaged file is left where it is, reported and counted.
 * SN_ERR_IO, SN_ERR_DENIED, SN_ERR_NO_MEMORY, SN_ERR_LIMIT (more groups than may be).
 */
sn_status sn_push_groups_open(const struct sn_push_groups_options *options,
                              struct sn_push_groups **ret_groups, struct sn_err *err) SN_MUST_USE;

/* Its worker has ended. Returns NULL; NULL is fine. */
struct sn_push_groups *sn_push_groups_close(struct sn_push_groups *groups);

/* The thread that samples all groups once per interval. */
struct sn_worker sn_push_groups_worker(struct sn_push_groups *groups);

/*
 * Take a page for a group.
 *
 *   labels   of the group, valid; they win against those of the page
 *   page     borrowed for the call
 *
 * Returns SN_OK: kept, and durable as far as *ret_result says; SN_ERR_INVALID, SN_ERR_LIMIT (the
 * page: nothing changed but push_failure_time_seconds); SN_ERR_IO, SN_ERR_NO_SPACE,
 * SN_ERR_NO_MEMORY, SN_ERR_BUSY, SN_ERR_CLOSED (may be kept or not: push it again).
 * Blocks on disk.
 */
sn_status sn_push_groups_put(struct sn_push_groups *groups, struct sn_labels labels,
                             const struct sn_push_page *page, struct sn_ingest_result *ret_result,
                             struct sn_err *err) SN_MUST_USE;

/* Remove a group; one that does not exist is fine. Statuses of the disk and the sink. Blocks. */
sn_status sn_push_groups_delete(struct sn_push_groups *groups, struct sn_labels labels,
                                struct sn_err *err) SN_MUST_USE;

/* Sample all groups now. The first failure of the sink; the other groups are sampled regardless. */
sn_status sn_push_groups_pass(struct sn_push_groups *groups, struct sn_err *err) SN_MUST_USE;

struct sn_push_groups_stats {
    uint64_t group_count;
    uint64_t group_bytes;
    uint64_t damaged_file_count; /* at open */
};
void sn_push_groups_stats(struct sn_push_groups *groups, struct sn_push_groups_stats *ret_stats);

#endif
