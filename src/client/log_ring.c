/*
 * The consumer's side of a ring, and its ownership. See log_ring_priv.h.
 *
 * A record that is not well-formed cannot be stepped over; the consumer then gives up all that it
 * saw. Memory that is broken is no reason to stop the host.
 */
#include "client/log_ring_priv.h"

void sn_log_ring_init(struct sn_log_ring *ring, uint8_t *bytes, size_t capacity) {
    assert((capacity & (capacity - 1)) == 0);
    ring->bytes = bytes;
    ring->mask = capacity - 1;
}

bool sn_log_ring_claim(struct sn_log_ring *ring) {
    uint32_t expected = 0;
    /* Acquire pairs with give_back: the fields are as the last owner left them. */
    return atomic_compare_exchange_strong_explicit(&ring->is_owned, &expected, 1,
                                                   memory_order_acquire, memory_order_relaxed);
}

void sn_log_ring_give_back(struct sn_log_ring *ring) {
    ring->is_busy = false;
    atomic_store_explicit(&ring->is_owned, 0, memory_order_release);
}

uint64_t sn_log_ring_look(struct sn_log_ring *ring) {
    ring->limit = atomic_load_explicit(&ring->head, memory_order_acquire);
    return ring->limit - ring->cursor;
}

/* The size of what lies at a position, with its flags; 0 when it cannot be right. */
static uint32_t size_at(const struct sn_log_ring *ring, uint64_t position, uint64_t limit,
                        uint8_t *ret_flags) {
    struct sn_log_record head = {0};
    uint64_t until_end = ring->mask + 1 - (position & ring->mask);
    uint64_t room = limit - position < until_end ? limit - position : until_end;
    if (room < 8)
        return 0;
    memcpy(&head, ring->bytes + (position & ring->mask), 8);
    *ret_flags = head.flags;
    return head.size >= 8 && head.size % 8 == 0 && head.size <= room ? head.size : 0;
}

const struct sn_log_record *sn_log_ring_peek(struct sn_log_ring *ring, size_t *ret_room) {
    while (ring->cursor != ring->limit) {
        uint8_t flags = 0;
        uint32_t size = size_at(ring, ring->cursor, ring->limit, &flags);
        if (SN_NEVER(size == 0)) {
            ring->cursor = ring->limit;
            return NULL;
        }
        *ret_room = size;
        if ((flags & SN_LOG_RECORD_SKIP) == 0)
            return (const struct sn_log_record *)(const void *)(ring->bytes +
                                                                (ring->cursor & ring->mask));
        ring->cursor += size;
    }
    return NULL;
}

void sn_log_ring_advance(struct sn_log_ring *ring, uint32_t size) {
    ring->cursor += size;
    ring->taken++;
}

void sn_log_ring_commit(struct sn_log_ring *ring) {
    sn_log_count(&ring->popped, ring->taken);
    ring->taken = 0;
    /* Release pairs with sn_log_ring_reserve: we are done with these bytes. */
    atomic_store_explicit(&ring->tail, ring->cursor, memory_order_release);
}

void sn_log_ring_discard(struct sn_log_ring *ring) {
    uint64_t head = sn_log_load(&ring->head);
    atomic_store(&ring->tail, head);
    atomic_store(&ring->popped, sn_log_load(&ring->pushed));
    ring->cursor = ring->limit = head;
    ring->taken = 0;
    ring->told = sn_log_load(&ring->dropped_full);
}

void sn_log_ring_walk(const struct sn_log_ring *ring,
                      void (*visit)(void *ctx, const struct sn_log_record *record, size_t room),
                      void *ctx) {
    uint64_t limit = atomic_load_explicit(&ring->head, memory_order_acquire);
    uint64_t at = atomic_load_explicit(&ring->tail, memory_order_acquire);
    while (at < limit && limit - at <= ring->mask + 1) {
        uint8_t flags = 0;
        uint32_t size = size_at(ring, at, limit, &flags);
        if (size == 0)
            return;
        if ((flags & SN_LOG_RECORD_SKIP) == 0)
            visit(ctx, (const void *)(ring->bytes + (at & ring->mask)), size);
        at += size;
    }
}
