/*
 * The content of one Pushgateway group: what `PUT /metrics/job/...` left behind.
 *
 * A group is one block of bytes, the same in memory and in its file (docs/FORMATS.md, "Pushed
 * groups"): head, labels of the group, metrics one after another. It is never changed, only replaced
 * by another one.
 *
 * 1. Every series of a group has all labels of the group, and is in it once.
 * 2. Every group has push_time_seconds and push_failure_time_seconds, which no page can set.
 */
#ifndef SN_INGEST_PUSH_GROUP_H
#define SN_INGEST_PUSH_GROUP_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/status.h"
#include "model/batch.h"
#include "model/labels.h"

#include <stdint.h>

/* One page is in memory three times while it is taken over. */
#define SN_PUSH_GROUP_BYTES_MAX ((size_t)32 << 20)

/* Owner: whoever made it; bytes are owned. Immutable: any thread. */
struct sn_push_group {
    struct sn_buf bytes;  /* empty: no group */
    struct sn_str labels; /* of the group, canonical, inside bytes */
    int64_t push_ms;      /* last push that was taken; 0: none */
    int64_t failure_ms;   /* last push that was refused; 0: none */
    size_t sample_count;
    size_t family_count;
};

/* What was sent. */
struct sn_push_page {
    struct sn_str bytes; /* metrics without timestamps */
    bool is_protobuf;    /* delimited MetricFamily messages; else the text format 0.0.4 */
    bool keeps_others;   /* POST: metrics that it does not name stay; else PUT */
};

/* How a page becomes a group. */
struct sn_push_change {
    struct sn_labels labels;         /* of the group, valid, with a job */
    const struct sn_push_group *old; /* what it replaces; NULL: nothing */
    struct sn_push_page page;
    bool is_failure; /* page is not looked at: only failure_ms changes */
    int64_t now_ms;
    uint64_t seed; /* of hashes */
};

/*
 * Make a group.
 *
 *   ret_group   release it with sn_push_group_release
 *
 * Returns SN_OK; SN_ERR_INVALID (with line: malformed, a timestamp, a series twice, labels);
 * SN_ERR_LIMIT (labels, SN_PUSH_GROUP_BYTES_MAX, SN_INGEST_SAMPLES_MAX); SN_ERR_NO_MEMORY.
 */
sn_status sn_push_group_make(const struct sn_push_change *change, struct sn_push_group *ret_group,
                             struct sn_err *err) SN_MUST_USE;

/* Take over the bytes of a file, which are foreign; *bytes is left empty on SN_OK.
 * SN_ERR_CORRUPT, SN_ERR_NO_MEMORY. */
sn_status sn_push_group_open(struct sn_buf *bytes, struct sn_push_group *ret_group,
                             struct sn_err *err) SN_MUST_USE;

void sn_push_group_release(struct sn_push_group *group); /* zeroed memory is fine */

/*
 * What to push so that the store shows `now` after it showed `old`: all values of `now`, and stale
 * markers for series of `old` that are not in it. Either may be NULL.
 *
 *   arena      takes the arrays; text borrows from the groups
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena).
 */
sn_status sn_push_group_batch(const struct sn_push_group *now, const struct sn_push_group *old,
                              int64_t time_ms, uint64_t seed, struct sn_arena *arena,
                              struct sn_batch *ret_batch, struct sn_err *err) SN_MUST_USE;

#endif
