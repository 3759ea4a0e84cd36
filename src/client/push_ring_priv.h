/*
 * The buffer of a push client: samples as text, oldest first, in a ring of bytes that never grows.
 *
 *     oldest                 cursor               newest
 *       | in the batch on its way | not yet in a batch |
 *
 * 1. What a batch took stays in the ring until the batch is done: a failed one is there again.
 * 2. Room for a new sample is made by dropping the oldest. If that one is on its way, its fate is
 *    open: it is lost only if the batch fails (`open_count`).
 * 3. put, drops and what batches do add up: in == out + count + open_count.
 * Guarded by the lock of its collector.
 */
#ifndef SN_CLIENT_PUSH_RING_PRIV_H
#define SN_CLIENT_PUSH_RING_PRIV_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SN_PUSH_ITEM_BYTES ((size_t)16)        /* what a sample costs beside its text */
#define SN_PUSH_LINE_BYTES_MAX ((size_t)16000) /* of the text of one sample */
#define SN_PUSH_TIME_BYTES_MAX ((size_t)24)    /* what a batch adds to it: " 1795255872345\n" */

struct sn_push_ring {
    uint8_t *bytes; /* [cap], owned */
    size_t cap;
    size_t count_max;
    size_t head; /* offset of the oldest */
    size_t used;
    size_t count;
    uint64_t first;       /* number of the oldest since the start */
    uint64_t cursor;      /* number of the next that a batch takes */
    size_t cursor_offset; /* where it is */
    uint64_t open_count;  /* dropped while on their way */
};

/* cap >= SN_PUSH_ITEM_BYTES + SN_PUSH_LINE_BYTES_MAX; count_max > 0. SN_ERR_NO_MEMORY. */
sn_status sn_push_ring_init(struct sn_push_ring *ring, size_t cap, size_t count_max,
                            struct sn_err *err) SN_MUST_USE;
void sn_push_ring_release(struct sn_push_ring *ring);

/* Forget everything, whatever state it is in; the memory stays, numbers start again. */
void sn_push_ring_reset(struct sn_push_ring *ring);

/* Forget all samples, no batch being on its way; numbers go on. Returns how many. */
uint64_t sn_push_ring_clear(struct sn_push_ring *ring);

/*
 * Append a sample without its timestamp and line feed; at most SN_PUSH_LINE_BYTES_MAX. Returns how
 * many old ones are lost by that.
 */
uint64_t sn_push_ring_put(struct sn_push_ring *ring, int64_t time_ms, struct sn_str text);

/* Start a batch at the oldest. */
void sn_push_ring_begin(struct sn_push_ring *ring);

/*
 * Append up to count_max lines to the batch: text, blank, time, line feed. Takes no memory:
 * stops before what does not fit between buf->len and buf->cap. Returns the lines appended.
 */
size_t sn_push_ring_take(struct sn_push_ring *ring, struct sn_buf *buf, size_t count_max);

/* The batch is through: forget what it took. */
void sn_push_ring_done(struct sn_push_ring *ring);

/* The batch failed: what it took is to be sent again. Returns how many of those are gone. */
uint64_t sn_push_ring_undo(struct sn_push_ring *ring);

#endif
