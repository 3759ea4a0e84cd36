/*
 * Rings of records: one producer (the thread that owns the ring) and one consumer (whoever drains
 * the log), which reads in place.
 *
 *     bytes:  ....|  record  | record |  skip  |          positions grow for ever; offset is
 *                 ^tail               ^head               position & mask
 *
 * Invariants:
 *   1. Bytes from tail to head belong to the consumer, all others to the producer.
 *   2. A record lies in one piece; where the end is too near, a skip fills it.
 *   3. Positions are multiples of 8, so that a skip's first 8 bytes always have room.
 *   4. The owner is a thread or nobody. Who takes a ring over finds it as the last owner left it:
 *      its unread records stay.
 */
#ifndef SN_CLIENT_LOG_RING_PRIV_H
#define SN_CLIENT_LOG_RING_PRIV_H

#include "base/check.h"
#include "client/log_record_priv.h"

#include <stdatomic.h>

struct sn_log_ring {
    /* The producer's. */
    _Alignas(64) _Atomic uint64_t head;
    uint64_t reserved_end; /* where head goes with the next publish */
    uint64_t tail_seen;    /* tail was here or further: saves looking at the consumer's line */
    uint8_t *bytes;        /* [capacity], borrowed from the log */
    uint64_t mask;         /* capacity - 1; a power of two */
    _Atomic bool is_busy;  /* for signal handlers of the same thread */
    _Atomic uint64_t pushed;
    _Atomic uint64_t dropped_full;
    _Atomic uint64_t dropped_reentrant;
    /* The consumer's. */
    _Alignas(64) _Atomic uint64_t tail;
    uint64_t cursor; /* read so far; tail follows when it is written */
    uint64_t limit;  /* head when the consumer last looked */
    uint64_t told;   /* dropped lines that the log has told about */
    uint64_t taken;  /* lines between tail and cursor */
    _Atomic uint64_t popped;
    /* Everybody's. */
    _Alignas(64) _Atomic uint32_t is_owned;
};

/* Add to a counter that only one thread writes. */
static inline void sn_log_count(_Atomic uint64_t *counter, uint64_t n) {
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
                          memory_order_relaxed);
}

static inline uint64_t sn_log_load(const _Atomic uint64_t *counter) {
    return atomic_load_explicit(counter, memory_order_relaxed);
}

/* An empty ring without owner over `capacity` bytes, a power of two. */
void sn_log_ring_init(struct sn_log_ring *ring, uint8_t *bytes, size_t capacity);

/* Become the owner of a ring that has none; false: it has one. give_back: the opposite. */
bool sn_log_ring_claim(struct sn_log_ring *ring);
void sn_log_ring_give_back(struct sn_log_ring *ring);

/*
 * Room for a record of `size` bytes (a multiple of 8, at most a quarter of the ring), or NULL when
 * the ring is full. Producer. Nobody sees it before the publish.
 */
static inline struct sn_log_record *sn_log_ring_reserve(struct sn_log_ring *ring, size_t size) {
    uint64_t head = sn_log_load(&ring->head);
    uint64_t until_end = ring->mask + 1 - (head & ring->mask);
    uint64_t start = until_end < size ? head + until_end : head;
    if (SN_UNLIKELY(start + size - ring->tail_seen > ring->mask + 1)) {
        /* Acquire pairs with sn_log_ring_commit: the consumer has read what we overwrite. */
        ring->tail_seen = atomic_load_explicit(&ring->tail, memory_order_acquire);
        if (start + size - ring->tail_seen > ring->mask + 1)
            return NULL;
    }
    if (SN_UNLIKELY(start != head)) {
        struct sn_log_record skip = {.size = (uint32_t)until_end, .flags = SN_LOG_RECORD_SKIP};
        memcpy(ring->bytes + (head & ring->mask), &skip, 8);
    }
    ring->reserved_end = start + size;
    return (struct sn_log_record *)(void *)(ring->bytes + (start & ring->mask));
}

/* Show the reserved record to the consumer. Producer. */
static inline void sn_log_ring_publish(struct sn_log_ring *ring) {
    sn_log_count(&ring->pushed, 1);
    /* Release pairs with sn_log_ring_look: the record is whole before it is seen. */
    atomic_store_explicit(&ring->head, ring->reserved_end, memory_order_release);
}

/* Consumer: see what was published until now. Returns the bytes that wait. */
uint64_t sn_log_ring_look(struct sn_log_ring *ring);

/* Consumer: the record at the cursor, NULL at the limit; *ret_room is what it may not exceed. */
const struct sn_log_record *sn_log_ring_peek(struct sn_log_ring *ring, size_t *ret_room);

/* Consumer: go behind the record of that size. */
void sn_log_ring_advance(struct sn_log_ring *ring, uint32_t size);

/* Consumer: give all up to the cursor back to the producer. */
void sn_log_ring_commit(struct sn_log_ring *ring);

/* Forget all records. No consumer works, and no producer but the calling thread. */
void sn_log_ring_discard(struct sn_log_ring *ring);

/*
 * For a crash: call visit with every record that waits, oldest first. Reads only, and may see
 * records change. Async-signal-safe when visit is.
 */
void sn_log_ring_walk(const struct sn_log_ring *ring,
                      void (*visit)(void *ctx, const struct sn_log_record *record, size_t room),
                      void *ctx);

#endif
