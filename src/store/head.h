/*
 * The head: samples that are not in a segment yet, per series, as open chunks.
 *
 * Time is cut into epochs, and only the parity of an epoch is ever stored: the current epoch takes
 * appends, the other one is frozen while a flush writes it, or empty.
 *
 *            sn_head_freeze                 flush wrote it: sn_head_drop_frozen
 *   current ---------------> frozen (old parity) ---------------> empty
 *            parity flips
 *
 * Invariants:
 *   1. sn_head_freeze needs an empty other parity. Frozen bytes never change.
 *   2. A series' state belongs to the epoch of its parity, or is empty (count 0). When a series
 *      that still holds a frozen chunk is appended to, that chunk moves to its sn_chunk_ref.
 *   3. The newest time and value of a series survive freezing; SN_HEAD_WRITTEN says they are known.
 *   4. Chunks of one series and epoch form a chain, newest first (open_chunk.h). All samples of a chunk
 *      have one start time: one that changes begins a new chunk.
 *   5. Histograms are apart from floats, in a list of their epoch; the newest of a series may be one or
 *      the other, and SN_HEAD_HISTOGRAMS says that there were histograms.
 *   6. Samples older than the newest go to the side list of their epoch, in order of arrival.
 *
 * Threads: everything is guarded by the owner's lock (SN_RANK_STORE_APPEND). Readers copy bytes
 * under it (sn_head_copy) and decode later.
 */
#ifndef SN_STORE_HEAD_H
#define SN_STORE_HEAD_H

#include "base/buf.h"
#include "base/status.h"
#include "codec/head_chunk.h"
#include "model/sample.h"
#include "store/bitmap.h"
#include "store/blocks.h"
#include "store/chunk_arena.h"
#include "store/histogram_list.h"
#include "store/open_chunk.h"

/* Bits of sn_head_chunk.owner_class beside those of open_chunk.h. */
#define SN_HEAD_WRITTEN 0x80 /* time_last and value_bits_last are of a real sample */
#define SN_HEAD_RELOG 0x20   /* the log's start time of the series is that of a side sample */

#define SN_HEAD_HISTOGRAMS 0x10 /* the series has a struct sn_head_newest */
struct sn_side_sample {
    int64_t time_ms;
    double value;
    int64_t start_ms;
    uint32_t series;
    uint32_t previous; /* index + 1 of the one before it of the same series; 0: none */
};

/* The newest histogram of a series. */
struct sn_head_newest {
    int64_t time_ms;
    uint64_t hash; /* of its block and start */
};

/* What one epoch owns. */
struct sn_head_epoch {
    struct sn_chunk_arena arena;
    struct sn_side_sample *side; /* [side_capacity], owned; in order of arrival */
    size_t side_count;
    size_t side_capacity;
    struct sn_blocks side_last; /* uint32_t per series: index + 1 of its newest side sample */
    struct sn_histogram_list histograms;
    uint64_t sample_count;
};

struct sn_head {
    struct sn_blocks states; /* struct sn_head_chunk per series */
    struct sn_blocks
        frozen; /* struct sn_chunk_ref per series: a frozen chunk whose series has gone on */
    struct sn_blocks newest; /* struct sn_head_newest per series, where there are histograms */
    struct sn_head_epoch epochs[2];
    uint8_t parity;  /* of the current epoch */
    bool has_frozen; /* epochs[!parity] is being flushed */
    bool has_starts; /* a sample with a start time has been seen */
};

struct sn_head_sample {
    int64_t time_ms;
    double value;
    int64_t start_ms; /* 0: unknown */
};

/* What happened to a sample. Negative values of sn_status never mix with it. */
enum sn_head_verdict {
    SN_HEAD_APPENDED = 0,
    SN_HEAD_OLDER = 1,     /* before the newest: went to the side list */
    SN_HEAD_SAME = 2,      /* equal to the newest: nothing to do */
    SN_HEAD_DUPLICATE = 3, /* same time as the newest, other value: not taken */
    SN_HEAD_TOO_OLD = 4,   /* before the newest by more than the window: not taken */
};

struct sn_head_outcome {
    enum sn_head_verdict verdict;
    /* The start time differs from the last one that a reader of the log knows for the series. */
    bool is_new_start;
};

/*
 * As window_ms: the sample comes from the log and was accepted when it went there. Everything is
 * taken again. A sample with the time of the newest and another value goes to the side list, where
 * it wins: it was an older one when it was logged, before the restart forgot what was newest.
 */
#define SN_HEAD_REPLAY INT64_MAX

void sn_head_init(struct sn_head *head);
void sn_head_release(struct sn_head *head);

/* Prepare the state of series 0..id. SN_ERR_NO_MEMORY, SN_ERR_LIMIT. */
sn_status sn_head_reach(struct sn_head *head, uint32_t id) SN_MUST_USE;

/*
 * Take one sample of a series that has been reached.
 *
 *   window_ms    how much older than the newest a sample may be
 *   ret_outcome  written on SN_OK
 *
 * Returns SN_OK, SN_ERR_NO_MEMORY, SN_ERR_LIMIT; then nothing has changed. Cost: 10 to 30 ns.
 */
sn_status sn_head_append(struct sn_head *head, uint32_t id, struct sn_head_sample sample,
                         int64_t window_ms, struct sn_head_outcome *ret_outcome) SN_MUST_USE;

/*
 * Take one histogram of a series that has been reached, as a block of its own (histogram_chunk.h).
 * entry: its time and start. Verdicts and window_ms as above; statuses too.
 */
sn_status sn_head_append_histogram(struct sn_head *head, uint32_t id,
                                   const struct sn_histogram_entry *entry, struct sn_str block,
                                   int64_t window_ms,
                                   enum sn_head_verdict *ret_verdict) SN_MUST_USE;

/* Whether the newest sample of a series is a histogram. */
bool sn_head_ends_with_histogram(const struct sn_head *head, uint32_t id);

/* Bring the state of a series, then its bytes, into the cache ahead of an append. */
static inline void sn_head_prefetch_state(const struct sn_head *head, uint32_t id) {
    __builtin_prefetch(sn_blocks_at(&head->states, id), 1);
}
void sn_head_prefetch_bytes(const struct sn_head *head, uint32_t id);

/* Start a new epoch; the current one becomes frozen. O(1). */
void sn_head_freeze(struct sn_head *head);

/*
 * Forget the frozen epoch, in three steps so that no lock is held for long: _begin (lock held)
 * makes it invisible; _sweep (lock held) clears the states of series [first, end), for all series in
 * any number of calls; _end (lock held) hands out what it held, to be released without the lock.
 */
void sn_head_drop_begin(struct sn_head *head);
void sn_head_drop_sweep(struct sn_head *head, uint32_t first, uint32_t end);
struct sn_head_epoch sn_head_drop_end(struct sn_head *head);
void sn_head_epoch_release(struct sn_head_epoch *epoch);

/* Whether the newest value of a series is in the range (lock held), wherever it is stored. */
bool sn_head_newest_is_in(const struct sn_head *head, uint32_t id, struct sn_range range);

/* Whether a series may have a sample at or after start_ms in one of the epochs (lock held): whether it
 * has any there, and how new its newest one is. */
bool sn_head_may_have(const struct sn_head *head, uint32_t id, int64_t start_ms);

/* Whether any epoch has a sample of a series (lock held). */
bool sn_head_has(const struct sn_head *head, uint32_t id);
/* Forget that a series was ever written; it has no sample, and none will come (lock held). */
void sn_head_forget(struct sn_head *head, uint32_t id);
/* Free what is kept for ids of which all neighbours are in `removed`, too (lock held). */
void sn_head_free_blocks(struct sn_head *head, const struct sn_bitmap *removed);

/* Whether the frozen or the current epoch holds anything. */
bool sn_head_epoch_is_empty(const struct sn_head_epoch *epoch);

/*
 * What the flush reads: the newest frozen chunk of each series (lock held), then, without the lock,
 * all frozen samples of one series: ascending, one per time, side samples winning, appended.
 */
void sn_head_frozen_chunks(const struct sn_head *head, const uint32_t *ids, size_t count,
                           struct sn_chunk_ref *ret_chunks);
/* Bring what sn_head_frozen_samples will need of chunks[i], and of some behind it, into the cache. */
void sn_head_prefetch_frozen(const struct sn_head *head, const struct sn_chunk_ref *chunks,
                             size_t count, size_t i);
struct sn_head_copy;
sn_status sn_head_frozen_samples(const struct sn_head *head, uint32_t id,
                                 struct sn_chunk_ref newest, struct sn_head_copy *scratch,
                                 struct sn_samples *samples) SN_MUST_USE;

/* All frozen histograms of one series, ascending, one per time, appended. Without the lock. */
sn_status sn_head_frozen_histograms(const struct sn_head *head, uint32_t id,
                                    struct sn_histogram_copy *scratch,
                                    struct sn_histograms *histograms) SN_MUST_USE;

/* ---- reading ---- */

/* Chunks of one series, copied out: bytes, and where each chunk stands. Reused between calls. */
struct sn_head_part {
    size_t offset;    /* in bytes.ptr */
    int64_t start_ms; /* of all its samples */
    uint16_t len;
    uint16_t count;
};
struct sn_head_copy {
    struct sn_range range; /* pieces outside of it are left out; everything after init */
    struct sn_buf bytes;
    struct sn_head_part *parts; /* [part_capacity], owned; newest chunk first */
    size_t part_count;
    size_t part_capacity;
    struct sn_samples side; /* in order of arrival */
};
void sn_head_copy_init(struct sn_head_copy *copy);
void sn_head_copy_release(struct sn_head_copy *copy);

/* Copy what one epoch has of a series (lock held). SN_ERR_NO_MEMORY. */
sn_status sn_head_copy_current(const struct sn_head *head, uint32_t id,
                               struct sn_head_copy *copy) SN_MUST_USE;
sn_status sn_head_copy_frozen(const struct sn_head *head, uint32_t id,
                              struct sn_head_copy *copy) SN_MUST_USE;

/*
 * Decode a copy: all its samples within the range in ascending time, one per time, side samples
 * winning, appended to *samples. Without the lock; may reorder copy->side.
 * SN_ERR_NO_MEMORY, SN_ERR_CORRUPT (damaged memory).
 */
sn_status sn_head_copy_decode(struct sn_head_copy *copy, struct sn_range range,
                              struct sn_samples *samples) SN_MUST_USE;

#endif
