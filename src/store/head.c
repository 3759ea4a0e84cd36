/* Samples that are not in a segment yet: see head.h. */
#include "store/head.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/merge.h"

#include <string.h>

enum {
    STATE_SHIFT = 14,
    SIDE_SHIFT =
        16, /* 256 KiB blocks come from mmap: pages of series without side samples stay out */
    TABLE = 1 << 14,
    SIDE_FIRST = 256,
};

static void init_epoch(struct sn_head_epoch *epoch) {
    *epoch = (struct sn_head_epoch){0};
    sn_chunk_arena_init(&epoch->arena);
    sn_blocks_init(&epoch->side_last, sizeof(uint32_t), SIDE_SHIFT, TABLE);
    sn_histogram_list_init(&epoch->histograms);
}

void sn_head_epoch_release(struct sn_head_epoch *epoch) {
    sn_chunk_arena_release(&epoch->arena);
    sn_blocks_release(&epoch->side_last);
    sn_histogram_list_release(&epoch->histograms);
    sn_free(epoch->side);
}

void sn_head_init(struct sn_head *head) {
    *head = (struct sn_head){0};
    sn_blocks_init(&head->states, sizeof(struct sn_head_chunk), STATE_SHIFT, TABLE);
    sn_blocks_init(&head->frozen, sizeof(struct sn_chunk_ref), STATE_SHIFT, TABLE);
    sn_blocks_init(&head->newest, sizeof(struct sn_head_newest), STATE_SHIFT, TABLE);
    init_epoch(&head->epochs[0]);
    init_epoch(&head->epochs[1]);
}

void sn_head_release(struct sn_head *head) {
    sn_blocks_release(&head->states);
    sn_blocks_release(&head->frozen);
    sn_blocks_release(&head->newest);
    sn_head_epoch_release(&head->epochs[0]);
    sn_head_epoch_release(&head->epochs[1]);
}

sn_status sn_head_reach(struct sn_head *head, uint32_t id) {
    SN_TRY(sn_blocks_reach(&head->frozen, id));
    return sn_blocks_reach(&head->states, id);
}

void sn_head_prefetch_bytes(const struct sn_head *head, uint32_t id) {
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    const struct sn_chunk_arena *arena = &head->epochs[head->parity].arena;
    if (state->count != 0 && state->owner_epoch == head->parity)
        __builtin_prefetch(sn_open_chunk_tail(arena, state), 1);
}

/* ---- appending ---- */

/* Bring a series that was last written in another epoch into the current one. */
static sn_status enter_epoch(struct sn_head *head, uint32_t id, struct sn_head_chunk *state,
                             int64_t start_ms, bool *ret_is_new_start) {
    struct sn_chunk_ref frozen = sn_open_chunk_ref(state);
    bool must_keep = head->has_frozen && state->count != 0 && state->owner_epoch != head->parity;
    /* Logs of dropped epochs are not read again, those of the frozen one may be. */
    bool was_started = must_keep && (state->owner_class & SN_OPEN_CHUNK_STARTED) != 0;
    SN_TRY(sn_open_chunk_start(&head->epochs[head->parity].arena, state, (struct sn_chunk_ref){0},
                               start_ms));
    *ret_is_new_start = start_ms != 0 || was_started;
    if (must_keep) {
        struct sn_chunk_ref *place = sn_blocks_at(&head->frozen, id);
        *place = frozen;
    }
    state->owner_epoch = head->parity;
    return SN_OK;
}

static sn_status append_newest(struct sn_head *head, uint32_t id, struct sn_head_chunk *state,
                               const struct sn_head_sample *sample, bool *ret_is_new_start) {
    struct sn_chunk_arena *arena = &head->epochs[head->parity].arena;
    *ret_is_new_start = false;
    if (state->count == 0 || state->owner_epoch != head->parity) {
        SN_TRY(enter_epoch(head, id, state, sample->start_ms, ret_is_new_start));
    } else {
        bool changes = sample->start_ms != sn_open_chunk_start_time(arena, state);
        if (SN_UNLIKELY(changes || sn_open_chunk_is_full(state)))
            SN_TRY(sn_open_chunk_start(arena, state, sn_open_chunk_ref(state), sample->start_ms));
        *ret_is_new_start = changes;
    }
    SN_TRY(sn_open_chunk_append(arena, state, sample->time_ms, sample->value));
    *ret_is_new_start |= (state->owner_class & SN_HEAD_RELOG) != 0;
    state->owner_class &= (uint8_t)~SN_HEAD_RELOG;
    state->owner_class |= SN_HEAD_WRITTEN;
    return SN_OK;
}

static sn_status grow_side(struct sn_head_epoch *epoch) {
    if (epoch->side_count < epoch->side_capacity)
        return SN_OK;
    size_t capacity = epoch->side_capacity ? epoch->side_capacity * 2 : SIDE_FIRST;
    if (capacity > UINT32_MAX)
        return SN_ERR_LIMIT;
    struct sn_side_sample *side = sn_realloc_array(epoch->side, capacity, sizeof *side);
    if (!side)
        return SN_ERR_NO_MEMORY;
    epoch->side = side;
    epoch->side_capacity = capacity;
    return SN_OK;
}

/*
 * To a reader of the log a start time holds until the next one of the series, so one that belongs
 * to a side sample alone makes the next sample say its own again.
 */
static bool is_new_side_start(struct sn_head_chunk *state, int64_t start_ms) {
    if (start_ms == 0 && (state->owner_class & (SN_OPEN_CHUNK_STARTED | SN_HEAD_RELOG)) == 0)
        return false;
    state->owner_class |= SN_HEAD_RELOG;
    return true;
}

static sn_status append_side(struct sn_head_epoch *epoch, uint32_t id,
                             const struct sn_head_sample *sample) {
    SN_TRY(grow_side(epoch));
    SN_TRY(sn_blocks_reach(&epoch->side_last, id));
    uint32_t *last = sn_blocks_at(&epoch->side_last, id);
    epoch->side[epoch->side_count++] = (struct sn_side_sample){.time_ms = sample->time_ms,
                                                               .value = sample->value,
                                                               .start_ms = sample->start_ms,
                                                               .series = id,
                                                               .previous = *last};
    *last = (uint32_t)epoch->side_count;
    return SN_OK;
}

/* What to do with a sample that is not newer than the newest of its series. */
static enum sn_head_verdict judge_older(const struct sn_head_chunk *state, int64_t time_ms,
                                        double value, int64_t window_ms) {
    if (time_ms == state->time_last) {
        if (sn_double_bits(value) == state->value_bits_last)
            return SN_HEAD_SAME;
        return window_ms == SN_HEAD_REPLAY ? SN_HEAD_OLDER : SN_HEAD_DUPLICATE;
    }
    return state->time_last - time_ms > window_ms ? SN_HEAD_TOO_OLD : SN_HEAD_OLDER;
}

/* What the series has at this time is a histogram. */
static bool meets_histogram(const struct sn_head *head, uint32_t id,
                            const struct sn_head_chunk *state, int64_t time_ms) {
    if ((state->owner_class & SN_HEAD_HISTOGRAMS) == 0)
        return false;
    const struct sn_head_newest *newest = sn_blocks_at(&head->newest, id);
    return newest->time_ms == time_ms;
}

sn_status sn_head_append(struct sn_head *head, uint32_t id, struct sn_head_sample sample,
                         int64_t window_ms, struct sn_head_outcome *ret_outcome) {
    struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    struct sn_head_epoch *epoch = &head->epochs[head->parity];
    bool is_written = (state->owner_class & SN_HEAD_WRITTEN) != 0;
    enum sn_head_verdict verdict = SN_HEAD_APPENDED;
    bool is_new_start = false;
    if (SN_UNLIKELY(is_written && sample.time_ms <= state->time_last))
        verdict = judge_older(state, sample.time_ms, sample.value, window_ms);
    if (SN_UNLIKELY(meets_histogram(head, id, state, sample.time_ms)))
        verdict = SN_HEAD_DUPLICATE;
    if (SN_LIKELY(verdict == SN_HEAD_APPENDED)) {
        SN_TRY(append_newest(head, id, state, &sample, &is_new_start));
    } else if (verdict == SN_HEAD_OLDER) {
        SN_TRY(append_side(epoch, id, &sample));
        is_new_start = is_new_side_start(state, sample.start_ms);
    }
    if (verdict == SN_HEAD_APPENDED || verdict == SN_HEAD_OLDER)
        epoch->sample_count++;
    head->has_starts |= sample.start_ms != 0;
    *ret_outcome = (struct sn_head_outcome){.verdict = verdict, .is_new_start = is_new_start};
    return SN_OK;
}

/* ---- histograms ---- */

bool sn_head_ends_with_histogram(const struct sn_head *head, uint32_t id) {
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    if ((state->owner_class & SN_HEAD_HISTOGRAMS) == 0)
        return false;
    const struct sn_head_newest *newest = sn_blocks_at(&head->newest, id);
    return (state->owner_class & SN_HEAD_WRITTEN) == 0 || newest->time_ms > state->time_last;
}

static enum sn_head_verdict judge_histogram(const struct sn_head *head, uint32_t id,
                                            const struct sn_head_newest *candidate,
                                            int64_t window_ms) {
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    int64_t time_ms = candidate->time_ms;
    int64_t newest_ms = INT64_MIN;
    if (state->owner_class & SN_HEAD_WRITTEN)
        newest_ms = state->time_last;
    if (newest_ms == time_ms)
        return SN_HEAD_DUPLICATE;
    if (state->owner_class & SN_HEAD_HISTOGRAMS) {
        const struct sn_head_newest *newest = sn_blocks_at(&head->newest, id);
        if (newest->time_ms == time_ms && newest->hash == candidate->hash)
            return SN_HEAD_SAME;
        if (newest->time_ms == time_ms)
            return window_ms == SN_HEAD_REPLAY ? SN_HEAD_OLDER : SN_HEAD_DUPLICATE;
        newest_ms = newest->time_ms > newest_ms ? newest->time_ms : newest_ms;
    }
    if (time_ms > newest_ms)
        return SN_HEAD_APPENDED;
    return newest_ms - time_ms > window_ms ? SN_HEAD_TOO_OLD : SN_HEAD_OLDER;
}

sn_status sn_head_append_histogram(struct sn_head *head, uint32_t id,
                                   const struct sn_histogram_entry *entry, struct sn_str block,
                                   int64_t window_ms, enum sn_head_verdict *ret_verdict) {
    struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    struct sn_head_epoch *epoch = &head->epochs[head->parity];
    struct sn_head_newest candidate = {
        .time_ms = entry->time_ms,
        .hash = sn_hash_bytes(block.ptr, block.len, (uint64_t)entry->start_ms)};
    enum sn_head_verdict verdict = judge_histogram(head, id, &candidate, window_ms);
    *ret_verdict = verdict;
    if (verdict != SN_HEAD_APPENDED && verdict != SN_HEAD_OLDER)
        return SN_OK;
    SN_TRY(sn_blocks_reach(&head->newest, id));
    SN_TRY(sn_histogram_list_add(&epoch->histograms, id, entry, block));
    struct sn_head_newest *newest = sn_blocks_at(&head->newest, id);
    bool is_known = (state->owner_class & SN_HEAD_HISTOGRAMS) != 0;
    if (!is_known || entry->time_ms >= newest->time_ms)
        *newest = candidate;
    state->owner_class |= SN_HEAD_HISTOGRAMS;
    epoch->sample_count++;
    return SN_OK;
}

sn_status sn_head_frozen_histograms(const struct sn_head *head, uint32_t id,
                                    struct sn_histogram_copy *scratch,
                                    struct sn_histograms *histograms) {
    const struct sn_head_epoch *epoch = &head->epochs[!head->parity];
    struct sn_range all = {.start_ms = INT64_MIN, .end_ms = INT64_MAX};
    size_t base = histograms->count;
    if (epoch->histograms.count == 0)
        return SN_OK;
    SN_TRY(sn_histogram_list_copy(&epoch->histograms, id, scratch));
    SN_TRY(sn_histogram_copy_decode(scratch, all, histograms));
    return sn_histograms_sort_latest(histograms, base);
}

/* ---- epochs ---- */

bool sn_head_epoch_is_empty(const struct sn_head_epoch *epoch) {
    return epoch->sample_count == 0;
}

void sn_head_freeze(struct sn_head *head) {
    SN_CHECK(!head->has_frozen);
    head->parity ^= 1;
    head->has_frozen = true;
}

void sn_head_drop_begin(struct sn_head *head) {
    SN_CHECK(head->has_frozen);
    head->has_frozen = false;
}

void sn_head_drop_sweep(struct sn_head *head, uint32_t first, uint32_t end) {
    for (uint32_t id = first; id < end; id++) {
        if (id >> STATE_SHIFT >= head->states.block_count)
            return; /* series that were never appended to */
        if (sn_blocks_is_dropped(&head->states, id >> STATE_SHIFT))
            continue;
        struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
        struct sn_chunk_ref *frozen = sn_blocks_at(&head->frozen, id);
        if (state->owner_epoch != head->parity)
            sn_head_chunk_clear(state);
        frozen->count = 0;
    }
}

struct sn_head_epoch sn_head_drop_end(struct sn_head *head) {
    struct sn_head_epoch dropped = head->epochs[!head->parity];
    init_epoch(&head->epochs[!head->parity]);
    return dropped;
}

/* ---- reading ---- */

static bool has_side(const struct sn_head_epoch *epoch, uint32_t id) {
    if (id >> SIDE_SHIFT >= epoch->side_last.block_count)
        return false;
    const uint32_t *last = sn_blocks_at(&epoch->side_last, id);
    return *last != 0;
}

static bool has_histogram(const struct sn_histogram_list *list, uint32_t id) {
    if (id >> list->last.shift >= list->last.block_count)
        return false;
    const uint32_t *last = sn_blocks_at(&list->last, id);
    return *last != 0;
}

bool sn_head_newest_is_in(const struct sn_head *head, uint32_t id, struct sn_range range) {
    if (id >> STATE_SHIFT >= head->states.block_count)
        return false;
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    return (state->owner_class & SN_HEAD_WRITTEN) != 0 &&
           sn_range_contains(range, state->time_last);
}

bool sn_head_may_have(const struct sn_head *head, uint32_t id, int64_t start_ms) {
    if (id >> STATE_SHIFT >= head->states.block_count)
        return false;
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    if ((state->owner_class & SN_HEAD_HISTOGRAMS) != 0) {
        const struct sn_head_newest *newest = sn_blocks_at(&head->newest, id);
        if (newest->time_ms >= start_ms && (has_histogram(&head->epochs[0].histograms, id) ||
                                            has_histogram(&head->epochs[1].histograms, id)))
            return true;
    }
    if ((state->owner_class & SN_HEAD_WRITTEN) == 0 || state->time_last < start_ms)
        return false;
    const struct sn_chunk_ref *frozen = sn_blocks_at(&head->frozen, id);
    return state->count != 0 || frozen->count != 0 || has_side(&head->epochs[0], id) ||
           has_side(&head->epochs[1], id);
}

bool sn_head_has(const struct sn_head *head, uint32_t id) {
    for (int i = 0; i < 2; i++) {
        if (has_side(&head->epochs[i], id) || has_histogram(&head->epochs[i].histograms, id))
            return true;
    }
    if (id >> STATE_SHIFT >= head->states.block_count)
        return false;
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    const struct sn_chunk_ref *frozen = sn_blocks_at(&head->frozen, id);
    return state->count != 0 || frozen->count != 0;
}

void sn_head_forget(struct sn_head *head, uint32_t id) {
    size_t block = id >> STATE_SHIFT;
    if (block >= head->states.block_count || sn_blocks_is_dropped(&head->states, block))
        return;
    struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    *state = (struct sn_head_chunk){.count = 0};
}

static bool are_all_in(const struct sn_bitmap *removed, size_t block) {
    for (size_t i = 0; i < (size_t)1 << STATE_SHIFT; i++) {
        if (!sn_bitmap_contains(removed, (uint32_t)(block << STATE_SHIFT | i)))
            return false;
    }
    return true;
}

void sn_head_free_blocks(struct sn_head *head, const struct sn_bitmap *removed) {
    for (size_t i = 0; removed && i < head->states.block_count; i++) {
        if (sn_blocks_is_dropped(&head->states, i) || !are_all_in(removed, i))
            continue;
        sn_blocks_drop(&head->states, i);
        sn_blocks_drop(&head->frozen, i);
        if (i < head->newest.block_count)
            sn_blocks_drop(&head->newest, i);
    }
}

void sn_head_copy_init(struct sn_head_copy *copy) {
    *copy = (struct sn_head_copy){0};
    copy->range = (struct sn_range){INT64_MIN, INT64_MAX};
    sn_buf_init(&copy->bytes, 0);
    sn_samples_init(&copy->side);
}

void sn_head_copy_release(struct sn_head_copy *copy) {
    sn_buf_release(&copy->bytes);
    sn_free(copy->parts);
    copy->parts = NULL;
    sn_samples_release(&copy->side);
}

static sn_status grow_parts(struct sn_head_copy *copy) {
    if (copy->part_count < copy->part_capacity)
        return SN_OK;
    size_t capacity = copy->part_capacity ? copy->part_capacity * 2 : 4;
    struct sn_head_part *parts = sn_realloc_array(copy->parts, capacity, sizeof *parts);
    if (!parts)
        return SN_ERR_NO_MEMORY;
    copy->parts = parts;
    copy->part_capacity = capacity;
    return SN_OK;
}

/* Copy a chunk if it may have samples of the range; *chunk becomes the one before it. Chunks come from
 * the newest to the oldest; *ret_is_last: those that follow have none. */
static sn_status add_part(struct sn_head_copy *copy, const struct sn_chunk_arena *arena,
                          struct sn_chunk_ref *chunk, bool *ret_is_last) {
    struct sn_head_part part = {.offset = copy->bytes.len,
                                .len = chunk->len,
                                .count = chunk->count & (uint16_t)~SN_CHUNK_REF_STARTED};
    int64_t first_ms = 0;
    SN_TRY(grow_parts(copy));
    SN_TRY(sn_open_chunk_copy(arena, *chunk, &copy->bytes, &part.start_ms, chunk));
    SN_TRY(sn_head_chunk_first_time(copy->bytes.ptr + part.offset, part.len, &first_ms));
    *ret_is_last = first_ms <= copy->range.start_ms;
    if (first_ms > copy->range.end_ms)
        copy->bytes.len = part.offset;
    else
        copy->parts[copy->part_count++] = part;
    return SN_OK;
}

static sn_status copy_chain(const struct sn_chunk_arena *arena, struct sn_chunk_ref newest,
                            struct sn_head_copy *copy) {
    struct sn_chunk_ref chunk = newest;
    bool is_last = false;
    while (chunk.count != 0 && !is_last)
        SN_TRY(add_part(copy, arena, &chunk, &is_last));
    return SN_OK;
}

static void swap_times(int64_t *times, size_t i, size_t j) {
    int64_t time_ms = times[i];
    times[i] = times[j];
    times[j] = time_ms;
}

static void reverse(struct sn_samples *samples) {
    for (size_t i = 0, j = samples->count; i + 1 < j; i++) {
        j--;
        double value = samples->value[i];
        samples->value[i] = samples->value[j];
        samples->value[j] = value;
        swap_times(samples->time_ms, i, j);
        if (samples->has_start)
            swap_times(samples->start_ms, i, j);
    }
}

static sn_status copy_side(const struct sn_head_epoch *epoch, uint32_t id,
                           struct sn_samples *side) {
    if (id >> SIDE_SHIFT >= epoch->side_last.block_count)
        return SN_OK;
    const uint32_t *last = sn_blocks_at(&epoch->side_last, id);
    for (uint32_t at = *last; at != 0; at = epoch->side[at - 1].previous) {
        const struct sn_side_sample *sample = &epoch->side[at - 1];
        SN_TRY(sn_samples_reserve(side, 1));
        if (sample->start_ms != 0)
            SN_TRY(sn_samples_use_start(side));
        if (side->has_start)
            side->start_ms[side->count] = sample->start_ms;
        side->time_ms[side->count] = sample->time_ms;
        side->value[side->count++] = sample->value;
    }
    reverse(side); /* the list goes from the newest arrival to the oldest */
    return SN_OK;
}

static void reset_copy(struct sn_head_copy *copy) {
    sn_buf_reset(&copy->bytes);
    copy->part_count = 0;
    sn_samples_reset(&copy->side);
}

sn_status sn_head_copy_current(const struct sn_head *head, uint32_t id, struct sn_head_copy *copy) {
    reset_copy(copy);
    if (id >> STATE_SHIFT >= head->states.block_count)
        return SN_OK;
    const struct sn_head_epoch *epoch = &head->epochs[head->parity];
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    if (state->count != 0 && state->owner_epoch == head->parity) {
        SN_TRY(copy_chain(&epoch->arena, sn_open_chunk_ref(state), copy));
    }
    return copy_side(epoch, id, &copy->side);
}

/* The newest frozen chunk of a series; count 0: none. */
static struct sn_chunk_ref frozen_chunk(const struct sn_head *head, uint32_t id) {
    const struct sn_head_chunk *state = sn_blocks_at(&head->states, id);
    const struct sn_chunk_ref *moved = sn_blocks_at(&head->frozen, id);
    if (state->count != 0 && state->owner_epoch != head->parity)
        return sn_open_chunk_ref(state);
    return *moved;
}

static sn_status copy_frozen(const struct sn_head_epoch *epoch, uint32_t id,
                             struct sn_chunk_ref newest, struct sn_head_copy *copy) {
    reset_copy(copy);
    if (newest.count != 0)
        SN_TRY(copy_chain(&epoch->arena, newest, copy));
    return copy_side(epoch, id, &copy->side);
}

sn_status sn_head_copy_frozen(const struct sn_head *head, uint32_t id, struct sn_head_copy *copy) {
    reset_copy(copy);
    if (!head->has_frozen || id >> STATE_SHIFT >= head->states.block_count)
        return SN_OK;
    return copy_frozen(&head->epochs[!head->parity], id, frozen_chunk(head, id), copy);
}

void sn_head_frozen_chunks(const struct sn_head *head, const uint32_t *ids, size_t count,
                           struct sn_chunk_ref *ret_chunks) {
    for (size_t i = 0; i < count; i++) {
        bool is_known = ids[i] >> STATE_SHIFT < head->states.block_count;
        ret_chunks[i] = is_known ? frozen_chunk(head, ids[i]) : (struct sn_chunk_ref){0};
    }
}

/* One step per piece of a chunk, each so far ahead that the step before has arrived. */
void sn_head_prefetch_frozen(const struct sn_head *head, const struct sn_chunk_ref *chunks,
                             size_t count, size_t i) {
    enum { STEPS = 4, AHEAD = 6 };
    const struct sn_chunk_arena *arena = &head->epochs[!head->parity].arena;
    for (unsigned back = 0; back < STEPS; back++) {
        size_t at = i + (size_t)AHEAD * (STEPS - back);
        if (at < count)
            sn_open_chunk_prefetch(arena, chunks[at], back);
    }
}

static sn_status decode_parts(const struct sn_head_copy *copy, struct sn_samples *samples) {
    for (size_t i = copy->part_count; i-- > 0;) {
        const struct sn_head_part *part = &copy->parts[i];
        SN_TRY(sn_samples_reserve(samples, part->count));
        if (part->start_ms != 0)
            SN_TRY(sn_samples_use_start(samples));
        for (size_t k = 0; samples->has_start && k < part->count; k++)
            samples->start_ms[samples->count + k] = part->start_ms;
        SN_TRY(sn_head_chunk_decode(copy->bytes.ptr + part->offset, part->len, part->count,
                                    samples->time_ms + samples->count,
                                    samples->value + samples->count));
        samples->count += part->count;
        sn_samples_clip_tail(samples, samples->count - part->count, copy->range);
    }
    return SN_OK;
}

sn_status sn_head_copy_decode(struct sn_head_copy *copy, struct sn_range range,
                              struct sn_samples *samples) {
    size_t base = samples->count;
    SN_TRY(decode_parts(copy, samples));
    if (copy->side.count != 0) {
        size_t middle = samples->count;
        SN_TRY(sn_samples_sort_latest(&copy->side));
        SN_TRY(sn_samples_append_run(samples, &copy->side, 0, copy->side.count));
        SN_TRY(sn_samples_merge_tail(samples, base, middle));
    }
    sn_samples_clip_tail(samples, base, range);
    return SN_OK;
}

sn_status sn_head_frozen_samples(const struct sn_head *head, uint32_t id,
                                 struct sn_chunk_ref newest, struct sn_head_copy *scratch,
                                 struct sn_samples *samples) {
    SN_TRY(copy_frozen(&head->epochs[!head->parity], id, newest, scratch));
    struct sn_range all = {.start_ms = INT64_MIN, .end_ms = INT64_MAX};
    return sn_head_copy_decode(scratch, all, samples);
}
