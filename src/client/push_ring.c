/*
 * See push_ring_priv.h. A sample is 16 bytes of length and time and its text, anywhere in the ring:
 * it goes on at the start where the end cuts it.
 */
#include "client/push_ring_priv.h"

#include "base/mem.h"
#include "codec/number.h"

struct item {
    uint64_t len;
    int64_t time_ms;
};
_Static_assert(sizeof(struct item) == SN_PUSH_ITEM_BYTES, "the header's promise");
_Static_assert(SN_PUSH_TIME_BYTES_MAX >= SN_INTEGER_TEXT_SIZE, "blank, 20 digits, line feed");

static size_t wrap(const struct sn_push_ring *ring, size_t offset) {
    return offset < ring->cap ? offset : offset - ring->cap;
}

static void copy_in(struct sn_push_ring *ring, size_t offset, const void *from, size_t len) {
    size_t front = ring->cap - offset < len ? ring->cap - offset : len;
    memcpy(ring->bytes + offset, from, front);
    memcpy(ring->bytes, (const uint8_t *)from + front, len - front);
}

static void copy_out(const struct sn_push_ring *ring, size_t offset, void *to, size_t len) {
    size_t front = ring->cap - offset < len ? ring->cap - offset : len;
    memcpy(to, ring->bytes + offset, front);
    memcpy((uint8_t *)to + front, ring->bytes, len - front);
}

static struct item item_at(const struct sn_push_ring *ring, size_t offset) {
    struct item item;
    copy_out(ring, offset, &item, sizeof item);
    SN_CHECK(item.len <= SN_PUSH_LINE_BYTES_MAX && sizeof item + item.len <= ring->used);
    return item;
}

sn_status sn_push_ring_init(struct sn_push_ring *ring, size_t cap, size_t count_max,
                            struct sn_err *err) {
    assert(cap >= SN_PUSH_ITEM_BYTES + SN_PUSH_LINE_BYTES_MAX && count_max > 0);
    *ring = (struct sn_push_ring){.cap = cap, .count_max = count_max};
    ring->bytes = sn_alloc(cap);
    if (ring->bytes == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a buffer of %zu bytes", cap);
    return SN_OK;
}

void sn_push_ring_release(struct sn_push_ring *ring) {
    sn_free(ring->bytes);
    *ring = (struct sn_push_ring){.bytes = NULL};
}

void sn_push_ring_reset(struct sn_push_ring *ring) {
    *ring =
        (struct sn_push_ring){.bytes = ring->bytes, .cap = ring->cap, .count_max = ring->count_max};
}

static void remove_oldest(struct sn_push_ring *ring) {
    struct item item = item_at(ring, ring->head);
    size_t size = sizeof item + item.len;
    ring->head = wrap(ring, ring->head + size);
    ring->used -= size;
    ring->count--;
    ring->first++;
}

/* Returns 1 when the oldest is lost by that, 0 when its batch decides. */
static uint64_t drop_oldest(struct sn_push_ring *ring) {
    bool is_open = ring->first < ring->cursor;
    remove_oldest(ring);
    if (is_open) {
        ring->open_count++;
        return 0;
    }
    ring->cursor = ring->first;
    ring->cursor_offset = ring->head;
    return 1;
}

uint64_t sn_push_ring_put(struct sn_push_ring *ring, int64_t time_ms, struct sn_str text) {
    const struct item item = {.len = text.len, .time_ms = time_ms};
    uint64_t lost = 0;
    assert(text.len <= SN_PUSH_LINE_BYTES_MAX);
    while (ring->count == ring->count_max || ring->cap - ring->used < sizeof item + text.len)
        lost += drop_oldest(ring);
    size_t tail = wrap(ring, ring->head + ring->used);
    copy_in(ring, tail, &item, sizeof item);
    copy_in(ring, wrap(ring, tail + sizeof item), text.ptr, text.len);
    ring->used += sizeof item + text.len;
    ring->count++;
    return lost;
}

void sn_push_ring_begin(struct sn_push_ring *ring) {
    assert(ring->open_count == 0);
    ring->cursor = ring->first;
    ring->cursor_offset = ring->head;
}

size_t sn_push_ring_take(struct sn_push_ring *ring, struct sn_buf *buf, size_t count_max) {
    size_t taken = 0;
    while (taken < count_max && ring->cursor < ring->first + ring->count) {
        struct item item = item_at(ring, ring->cursor_offset);
        if (buf->cap - buf->len < item.len + SN_PUSH_TIME_BYTES_MAX)
            break;
        uint8_t *to = buf->ptr + buf->len;
        char time[SN_INTEGER_TEXT_SIZE];
        size_t time_len = sn_int64_format(item.time_ms, time);
        copy_out(ring, wrap(ring, ring->cursor_offset + sizeof item), to, item.len);
        to[item.len] = ' ';
        memcpy(to + item.len + 1, time, time_len);
        to[item.len + 1 + time_len] = '\n';
        buf->len += item.len + time_len + 2;
        ring->cursor++;
        ring->cursor_offset = wrap(ring, ring->cursor_offset + sizeof item + item.len);
        taken++;
    }
    return taken;
}

void sn_push_ring_done(struct sn_push_ring *ring) {
    while (ring->first < ring->cursor)
        remove_oldest(ring);
    ring->open_count = 0;
}

uint64_t sn_push_ring_undo(struct sn_push_ring *ring) {
    uint64_t lost = ring->open_count;
    ring->open_count = 0;
    sn_push_ring_begin(ring);
    return lost;
}

uint64_t sn_push_ring_clear(struct sn_push_ring *ring) {
    uint64_t count = ring->count;
    assert(ring->open_count == 0);
    ring->first += count;
    ring->count = ring->used = 0;
    sn_push_ring_begin(ring);
    return count;
}
