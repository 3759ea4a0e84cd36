/*
 * Open chunks in memory: see open_chunk.h.
 *
 *   piece 0      struct sn_chunk_ref of the chunk before, start time if known, tokens
 *   piece k > 0  u32 reference to piece k - 1, start time if known, tokens
 */
#include "store/open_chunk.h"

#include "base/check.h"

#include <string.h>

enum {
    LINK_BYTES = sizeof(struct sn_chunk_ref),
    BACK_BYTES = sizeof(uint32_t),
    START_BYTES = sizeof(int64_t),
};

/*
 * Without and with a start time. The first piece has room for the longest token, so that a chunk that
 * has begun takes its first sample. 60 samples of 1.3 bytes fill three pieces; 256 samples of the largest
 * kind nearly fill all.
 */
static const uint16_t piece_bytes[2][SN_OPEN_CHUNK_PIECES_MAX] = {
    {32, 32, 48, 64, 64, 96, 96, 128, 128, 192, 192, 256, 256, 384, 512, 768},
    {48, 32, 48, 64, 64, 96, 96, 128, 128, 192, 192, 256, 256, 384, 512, 768}};

/* Where the tokens of a piece end in the stream of the chunk: sums of piece_bytes less the headers. */
static const uint16_t stream_end[2][SN_OPEN_CHUNK_PIECES_MAX] = {
    {24, 52, 96, 156, 216, 308, 400, 524, 648, 836, 1024, 1276, 1528, 1908, 2416, 3180},
    {32, 52, 88, 140, 192, 276, 360, 476, 592, 772, 952, 1196, 1440, 1812, 2312, 3068}};

static bool is_started(const struct sn_head_chunk *state) {
    return (state->owner_class & SN_OPEN_CHUNK_STARTED) != 0;
}

static unsigned piece_of(const struct sn_head_chunk *state) {
    return state->owner_class & SN_OPEN_CHUNK_PIECE_MASK;
}

static size_t stream_begin(bool started, unsigned piece) {
    return piece == 0 ? 0 : stream_end[started][piece - 1];
}

static size_t header_bytes(bool started, unsigned piece) {
    return (piece == 0 ? (size_t)LINK_BYTES : BACK_BYTES) + (started ? (size_t)START_BYTES : 0);
}

/* The byte at a place of the stream, in the piece that has it. */
static uint8_t *byte_at(const struct sn_chunk_arena *arena, uint32_t ref, bool started,
                        unsigned piece, size_t at) {
    return sn_chunk_arena_bytes(arena, ref) + header_bytes(started, piece) +
           (at - stream_begin(started, piece));
}

sn_status sn_open_chunk_start(struct sn_chunk_arena *arena, struct sn_head_chunk *state,
                              struct sn_chunk_ref previous, int64_t start_ms) {
    bool started = start_ms != 0;
    uint32_t ref;
    SN_TRY(sn_chunk_arena_take(arena, piece_bytes[started][0], &ref));
    uint8_t *piece = sn_chunk_arena_bytes(arena, ref);
    memcpy(piece, &previous, sizeof previous);
    if (started)
        memcpy(piece + LINK_BYTES, &start_ms, sizeof start_ms);
    sn_head_chunk_clear(state);
    state->owner_ref = ref;
    state->owner_class &= (uint8_t) ~(SN_OPEN_CHUNK_PIECE_MASK | SN_OPEN_CHUNK_STARTED);
    state->owner_class |= started ? SN_OPEN_CHUNK_STARTED : 0;
    return SN_OK;
}

bool sn_open_chunk_is_full(const struct sn_head_chunk *state) {
    size_t room = stream_end[is_started(state)][SN_OPEN_CHUNK_PIECES_MAX - 1] - state->len;
    return state->count >= SN_OPEN_CHUNK_SAMPLES_MAX || room < SN_HEAD_TOKEN_BYTES_MAX;
}

int64_t sn_open_chunk_start_time(const struct sn_chunk_arena *arena,
                                 const struct sn_head_chunk *state) {
    int64_t start_ms = 0;
    if (is_started(state))
        memcpy(&start_ms,
               sn_chunk_arena_bytes(arena, state->owner_ref) + header_bytes(false, piece_of(state)),
               sizeof start_ms);
    return start_ms;
}

const void *sn_open_chunk_tail(const struct sn_chunk_arena *arena,
                               const struct sn_head_chunk *state) {
    return byte_at(arena, state->owner_ref, is_started(state), piece_of(state), state->len);
}

/* A piece behind the newest one, which is full; it takes over the `len` bytes that did not fit. */
static sn_status add_piece(struct sn_chunk_arena *arena, struct sn_head_chunk *state,
                           const uint8_t *bytes, size_t len) {
    bool started = is_started(state);
    unsigned piece = piece_of(state) + 1;
    uint32_t ref;
    SN_CHECK(piece < SN_OPEN_CHUNK_PIECES_MAX);
    SN_TRY(sn_chunk_arena_take(arena, piece_bytes[started][piece], &ref));
    uint8_t *at = sn_chunk_arena_bytes(arena, ref);
    memcpy(at, &state->owner_ref, BACK_BYTES);
    if (started)
        memcpy(at + BACK_BYTES,
               sn_chunk_arena_bytes(arena, state->owner_ref) + header_bytes(false, piece - 1),
               START_BYTES);
    memcpy(at + header_bytes(started, piece), bytes, len);
    state->owner_ref = ref;
    state->owner_class++;
    return SN_OK;
}

/* A token may cross the end of the piece: it is made beside it, then moved in. */
static sn_status append_across(struct sn_chunk_arena *arena, struct sn_head_chunk *state,
                               uint8_t *at, size_t room, int64_t time_ms, double value) {
    struct sn_head_chunk before = *state;
    uint8_t token[1 + SN_HEAD_TOKEN_BYTES_MAX];
    bool has_last = before.len > 0; /* a run grows in the byte before */
    token[0] = has_last ? at[-1] : 0;
    sn_head_chunk_append_at(state, token + 1, time_ms, value);
    size_t len = (size_t)state->len - before.len;
    if (len > room) {
        sn_status status = add_piece(arena, state, token + 1 + room, len - room);
        if (status != SN_OK) {
            *state = before;
            return status;
        }
    }
    if (has_last)
        at[-1] = token[0];
    memcpy(at, token + 1, len < room ? len : room);
    return SN_OK;
}

sn_status sn_open_chunk_append(struct sn_chunk_arena *arena, struct sn_head_chunk *state,
                               int64_t time_ms, double value) {
    bool started = is_started(state);
    unsigned piece = piece_of(state);
    size_t room = stream_end[started][piece] - state->len;
    uint8_t *at = byte_at(arena, state->owner_ref, started, piece, state->len);
    if (room < SN_HEAD_TOKEN_BYTES_MAX)
        return append_across(arena, state, at, room, time_ms, value);
    sn_head_chunk_append_at(state, at, time_ms, value);
    return SN_OK;
}

static unsigned newest_piece(struct sn_chunk_ref chunk) {
    bool started = (chunk.count & SN_CHUNK_REF_STARTED) != 0;
    unsigned piece = 0;
    while (stream_end[started][piece] < chunk.len)
        piece++;
    return piece;
}

void sn_open_chunk_prefetch(const struct sn_chunk_arena *arena, struct sn_chunk_ref chunk,
                            unsigned back) {
    uint32_t ref = chunk.ref;
    if (chunk.count == 0 || newest_piece(chunk) < back)
        return;
    for (unsigned i = 0; i < back; i++)
        memcpy(&ref, sn_chunk_arena_bytes(arena, ref), BACK_BYTES);
    __builtin_prefetch(sn_chunk_arena_bytes(arena, ref));
    __builtin_prefetch(sn_chunk_arena_bytes(arena, ref) + 48); /* most pieces end before it */
}

sn_status sn_open_chunk_copy(const struct sn_chunk_arena *arena, struct sn_chunk_ref chunk,
                             struct sn_buf *buf, int64_t *ret_start_ms,
                             struct sn_chunk_ref *ret_previous) {
    bool started = (chunk.count & SN_CHUNK_REF_STARTED) != 0;
    uint8_t *to = sn_buf_reserve(buf, chunk.len);
    uint32_t ref = chunk.ref;
    unsigned piece = newest_piece(chunk);
    if (!to)
        return buf->status;
    *ret_start_ms = 0;
    if (started)
        memcpy(ret_start_ms, sn_chunk_arena_bytes(arena, ref) + header_bytes(false, piece),
               START_BYTES);
    for (size_t end = chunk.len;; piece--) {
        size_t begin = stream_begin(started, piece);
        memcpy(to + begin, byte_at(arena, ref, started, piece, begin), end - begin);
        if (piece == 0)
            break;
        memcpy(&ref, sn_chunk_arena_bytes(arena, ref), BACK_BYTES);
        end = begin;
    }
    memcpy(ret_previous, sn_chunk_arena_bytes(arena, ref), LINK_BYTES);
    buf->len += chunk.len;
    return SN_OK;
}
