/*
 * Groups: what one write and one fsync of the log make durable, and the queue of them.
 *
 *   pushes -> newest group (open)   ...   oldest group -> committer -> done callbacks
 *
 * While the committer waits for the disk, pushes fill the next group; it is taken as soon as the
 * disk is free (natural group commit), so there is no timer and a lone push is not delayed. A group
 * holds samples of one epoch.
 *
 * Threads: the queue is guarded by the owner's append lock. The group that was taken belongs to the
 * committer until sn_group_queue_pop.
 */
#ifndef SN_STORE_GROUP_H
#define SN_STORE_GROUP_H

#include "base/buf.h"
#include "base/status.h"
#include "model/doors.h"
#include "store/log_record.h"

#include <stdbool.h>
#include <stdint.h>

#define SN_GROUPS_MAX 4

/* Samples of one group: 20 bytes each. A single larger batch gets a group of its own. */
#define SN_GROUP_SAMPLES_MAX ((size_t)512 << 10)
/* Samples in all groups: beyond it pushes are told to come back. 40 MiB, 0.2 s of log writing. */
#define SN_QUEUE_SAMPLES_MAX ((size_t)2 << 20)
/* Histograms and exemplars of one group, unless a single batch has more. */
#define SN_GROUP_ITEM_BYTES_MAX ((size_t)16 << 20)
/* Callers waiting for one group. */
#define SN_GROUP_WAITERS_MAX 65536

struct sn_group {
    uint32_t *series; /* [capacity] each, owned */
    int64_t *time_ms;
    double *value;
    size_t count;
    size_t capacity;
    struct sn_log_start *starts; /* [start_capacity], owned; at the samples where one is new */
    size_t start_count;
    size_t start_capacity;
    struct sn_push_done *waiters; /* [waiter_capacity], owned */
    size_t waiter_count;
    size_t waiter_capacity;
    struct sn_buf metadata;   /* whole log records */
    struct sn_buf histograms; /* items of log records, one behind the other */
    struct sn_buf exemplars;  /* the same */
    uint32_t series_end;      /* ids below must be defined before these samples */
    uint64_t epoch;
};

struct sn_group_queue {
    struct sn_group groups[SN_GROUPS_MAX]; /* a ring */
    size_t first;
    size_t count;
    size_t sample_count; /* of all groups in the ring */
    bool is_taken;       /* the first group is the committer's */
};

void sn_group_queue_init(struct sn_group_queue *queue);
void sn_group_queue_release(struct sn_group_queue *queue);

/*
 * The group that the next push of `sample_count` samples goes into, with room for all of them and
 * one waiter. SN_ERR_BUSY (the queue is full), SN_ERR_NO_MEMORY.
 */
sn_status sn_group_queue_open(struct sn_group_queue *queue, uint64_t epoch, size_t sample_count,
                              struct sn_group **ret_group) SN_MUST_USE;

/* Add to an open group; room was made by sn_group_queue_open. */
void sn_group_add_sample(struct sn_group_queue *queue, struct sn_group *group, uint32_t series,
                         int64_t time_ms, double value);
static inline void sn_group_add_waiter(struct sn_group *group, struct sn_push_done done) {
    group->waiters[group->waiter_count++] = done;
}

/* The sample that was added last says since when its series counts. SN_ERR_NO_MEMORY. */
sn_status sn_group_add_start(struct sn_group *group, int64_t start_ms) SN_MUST_USE;

/* The oldest group with anything in it, now the committer's; NULL: nothing to do. */
struct sn_group *sn_group_queue_take(struct sn_group_queue *queue);

/* The taken group is done with; its memory is kept for the next one. */
void sn_group_queue_pop(struct sn_group_queue *queue);

/* Call all waiters. Without any lock. */
void sn_group_finish(struct sn_group *group, sn_status status, const struct sn_err *err);

#endif
