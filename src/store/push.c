/*
 * The sink: labels to ids, samples into the head and into the group that goes to the log.
 *
 * Invariants:
 *   1. What goes into the head goes into a group in the same critical section, so the order in the
 *      log is the order in the head, and a frozen epoch has all its samples in groups of its own.
 *   2. A sample equal to the newest of its series is logged again although the head has it: the
 *      group that brought the first one may have failed, and an acknowledgement needs a log.
 *   3. No new series for a sample that its time rejects.
 *
 * Any thread. Blocks on short mutexes, never on disk.
 */
#include "base/check.h"
#include "base/limits.h"
#include "base/mem.h"
#include "store/histogram_chunk.h"
#include "store/store_priv.h"

#include <inttypes.h>

/* How far ahead memory is asked for: about the time of a cache miss. */
enum { PREFETCH_STATES = 16, PREFETCH_BYTES = 8, PREFETCH_SLOTS = 24, PREFETCH_PAIRS = 8 };

/* What stands in ids[] beside an id: the limit of series lies far below. */
#define ID_NOT_NEEDED UINT32_MAX
#define ID_NEEDED (UINT32_MAX - 1)
#define ID_REFUSED (UINT32_MAX - 2)
#define ID_TOO_LARGE (UINT32_MAX - 3) /* refused as well: for its labels */
#define ID_LOOKED_UP (UINT32_MAX - 4) /* for exemplars: not made when it is new */
#define ID_UNKNOWN ID_LOOKED_UP
#define ID_FIRST_SPECIAL ID_LOOKED_UP

struct push {
    struct sn_store *store;
    const struct sn_batch *batch;
    uint32_t *ids;                 /* [batch->series_count], owned */
    struct sn_buf blocks;          /* the histograms of the batch as blocks, one behind the other */
    uint32_t *block_lens;          /* [batch->histogram_count], owned */
    struct sn_buf exemplar_labels; /* of one exemplar */
    struct sn_buf stale_block;     /* a histogram that says "ended here"; empty until needed */
    int64_t time_min;              /* times that are taken, both ends included */
    int64_t time_max;
    int64_t now_ms;
    uint64_t out_of_order_count;
    struct sn_push_result result;
    atomic_uint *pin; /* while it holds ids no series of them goes: series_gc.c */
};

/* ---- rejects ---- */

/* Labels of a series of the batch, for a sentence. */
static void format_series(const struct sn_batch *batch, uint32_t series, struct sn_buf *text) {
    struct sn_arena arena;
    struct sn_labels labels;
    sn_arena_init(&arena, 0);
    if (sn_labels_decode(batch->series[series].labels, &arena, &labels, NULL) == SN_OK)
        sn_labels_format(labels, text);
    sn_arena_release(&arena);
}

static const char *reject_text(enum sn_reject reason) {
    switch (reason) {
    case SN_REJECT_OUT_OF_ORDER:
        return "older than the newest sample of its series by more than the out-of-order window";
    case SN_REJECT_DUPLICATE:
        return "another value than the one stored for this time";
    case SN_REJECT_TOO_OLD:
        return "before the retention";
    case SN_REJECT_TOO_NEW:
        return "too far in the future";
    case SN_REJECT_SERIES_LIMIT:
        return "would be a new series beyond the limit of all series or of its metric";
    case SN_REJECT_UNSUPPORTED:
        return "an exemplar that is not kept: no series, too many bytes of labels, or none are kept";
    case SN_REJECT_LABEL_LIMIT: /* what it is about is looked for again: sentence_of */
    case SN_REJECT_COUNT:
        break;
    }
    return "";
}

/* `why` has room for the sentence that says which limit. */
static const char *sentence_of(const struct push *push, enum sn_reject reason, uint32_t series,
                               struct sn_err *why) {
    if (reason != SN_REJECT_LABEL_LIMIT)
        return reject_text(reason);
    return sn_labels_check_limits(push->batch->series[series].labels,
                                  &push->store->options.label_limits, why) == SN_OK
               ? ""
               : why->text;
}

static void reject(struct push *push, enum sn_reject reason, uint32_t series, int64_t time_ms) {
    push->result.rejected_count[reason]++;
    if (push->result.first_reject.status != SN_OK)
        return;
    struct sn_buf text;
    struct sn_err why = {.status = SN_OK};
    char time[SN_TIME_TEXT_SIZE];
    sn_buf_init(&text, 0);
    if (series < push->batch->series_count)
        format_series(push->batch, series, &text);
    sn_time_format(time_ms < SN_TIME_MS_MIN   ? SN_TIME_MS_MIN
                   : time_ms > SN_TIME_MS_MAX ? SN_TIME_MS_MAX
                                              : time_ms,
                   time);
    (void)sn_err_set(&push->result.first_reject, SN_ERR_INVALID, "%s at %s: %.*s",
                     sentence_of(push, reason, series, &why), time, SN_STR_ARG(sn_buf_str(&text)));
    sn_buf_release(&text);
}

/* ---- labels to ids ---- */

static void set_time_limits(struct push *push) {
    const struct sn_store_options *options = &push->store->options;
    int64_t now = sn_store_wall_ms(push->store);
    push->now_ms = now;
    push->time_min = SN_TIME_MS_MIN;
    push->time_max = SN_TIME_MS_MAX;
    if (options->retention_ms >= 0 && now - options->retention_ms > push->time_min)
        push->time_min = now - options->retention_ms;
    if (options->future_max_ms >= 0 && options->future_max_ms < push->time_max - now)
        push->time_max = now + options->future_max_ms;
}

static bool is_in_time(const struct push *push, int64_t time_ms) {
    return time_ms >= push->time_min && time_ms <= push->time_max;
}

/* Mark the series that have a sample to take. SN_ERR_INVALID: an index outside of the batch. */
static sn_status mark_needed(struct push *push, struct sn_err *err) {
    const struct sn_batch *batch = push->batch;
    for (size_t i = 0; i < batch->series_count; i++)
        push->ids[i] = ID_NOT_NEEDED;
    for (size_t i = 0; i < batch->sample_count; i++) {
        const struct sn_batch_sample *sample = &batch->samples[i];
        if (sample->series >= batch->series_count)
            return sn_err_set(err, SN_ERR_INVALID, "sample %zu names series %u of %zu", i,
                              sample->series, batch->series_count);
        if (is_in_time(push, sample->time_ms))
            push->ids[sample->series] = ID_NEEDED;
    }
    for (size_t i = 0; i < batch->histogram_count; i++) {
        const struct sn_batch_histogram *histogram = &batch->histograms[i];
        if (histogram->series >= batch->series_count)
            return sn_err_set(err, SN_ERR_INVALID, "histogram %zu names series %u of %zu", i,
                              histogram->series, batch->series_count);
        if (is_in_time(push, histogram->time_ms))
            push->ids[histogram->series] = ID_NEEDED;
    }
    for (size_t i = 0; i < batch->exemplar_count; i++) {
        uint32_t series = batch->exemplars[i].series;
        if (series >= batch->series_count)
            return sn_err_set(err, SN_ERR_INVALID, "exemplar %zu names series %u of %zu", i, series,
                              batch->series_count);
        if (push->ids[series] == ID_NOT_NEEDED)
            push->ids[series] = ID_LOOKED_UP;
    }
    return SN_OK;
}

/* Bytes that are no labels are left to the index, which refuses the batch. */
static void check_labels(struct push *push) {
    const struct sn_batch *batch = push->batch;
    const struct sn_label_limits *limits = &push->store->options.label_limits;
    if (!sn_label_limits_are_narrow(limits))
        return; /* nothing comes here that is beyond base/limits.h */
    for (size_t i = 0; i < batch->series_count; i++) {
        if (push->ids[i] != ID_NOT_NEEDED &&
            sn_labels_check_limits(batch->series[i].labels, limits, NULL) == SN_ERR_LIMIT)
            push->ids[i] = ID_TOO_LARGE;
    }
}

static sn_status resolve_one_locked(struct push *push, size_t i, uint32_t hash,
                                    struct sn_err *err) {
    struct sn_series_index *index = &push->store->index;
    struct sn_str labels = push->batch->series[i].labels;
    bool may_add = push->ids[i] == ID_NEEDED;
    if (SN_LIKELY(sn_series_index_find(index, labels, hash, &push->ids[i]))) {
        if (SN_UNLIKELY(push->store->dying))
            sn_bitmap_remove(push->store->dying, push->ids[i]); /* it lives on */
        return SN_OK;
    }
    if (!may_add)
        return SN_OK; /* stays ID_UNKNOWN */
    sn_status status = sn_series_index_add(index, labels, hash, &push->ids[i], err);
    if (status == SN_ERR_LIMIT) {
        push->ids[i] = ID_REFUSED;
        return SN_OK;
    }
    return status == SN_ERR_CORRUPT ? SN_ERR_INVALID : status;
}

/* Hashes first: the slots of the table are then on their way while others are looked up. */
static sn_status resolve(struct push *push, struct sn_err *err) {
    struct sn_store *store = push->store;
    const struct sn_batch *batch = push->batch;
    SN_CLEANUP(sn_free_ptr)
    uint32_t *hashes = sn_realloc_array(NULL, batch->series_count + 1, sizeof *hashes);
    if (!hashes)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu series", batch->series_count);
    for (size_t i = 0; i < batch->series_count; i++) {
        if (push->ids[i] == ID_NEEDED || push->ids[i] == ID_LOOKED_UP)
            hashes[i] = sn_series_index_hash(&store->index, batch->series[i].labels);
        else
            hashes[i] = 0;
    }
    sn_status status = SN_OK;
    sn_mutex_lock(&store->index_mu);
    uint32_t count_before = store->index.count;
    push->pin = &store->pins[store->pin_side];
    atomic_fetch_add(push->pin, 1);
    for (size_t i = 0; i < batch->series_count && status == SN_OK; i++) {
        if (i + PREFETCH_SLOTS < batch->series_count)
            sn_series_index_prefetch(&store->index, hashes[i + PREFETCH_SLOTS]);
        if (i + PREFETCH_PAIRS < batch->series_count)
            sn_series_index_prefetch_pairs(&store->index, hashes[i + PREFETCH_PAIRS]);
        if (push->ids[i] == ID_NEEDED || push->ids[i] == ID_LOOKED_UP)
            status = resolve_one_locked(push, i, hashes[i], err);
    }
    if (SN_UNLIKELY(store->index.count > count_before))
        sn_churn_add(&store->churn, push->now_ms, store->index.count - count_before);
    sn_mutex_unlock(&store->index_mu);
    return status;
}

/* ---- into the head and the group ---- */

/* The state of every series that will be appended to. */
static sn_status reach_locked(struct push *push) {
    uint32_t id_max = 0;
    for (size_t i = 0; i < push->batch->series_count; i++) {
        if (push->ids[i] < ID_FIRST_SPECIAL && push->ids[i] > id_max)
            id_max = push->ids[i];
    }
    return sn_head_reach(&push->store->head, id_max);
}

static void prefetch_locked(const struct push *push, size_t i) {
    const struct sn_batch *batch = push->batch;
    const struct sn_head *head = &push->store->head;
    if (i + PREFETCH_STATES < batch->sample_count) {
        uint32_t id = push->ids[batch->samples[i + PREFETCH_STATES].series];
        if (id < ID_FIRST_SPECIAL)
            sn_head_prefetch_state(head, id);
    }
    if (i + PREFETCH_BYTES < batch->sample_count) {
        uint32_t id = push->ids[batch->samples[i + PREFETCH_BYTES].series];
        if (id < ID_FIRST_SPECIAL)
            sn_head_prefetch_bytes(head, id);
    }
}

/* A start that cannot be one (not a time, or after the sample) says as little as none. */
static int64_t valid_start(int64_t start_ms, const struct sn_batch_series *series,
                           int64_t time_ms) {
    if (start_ms == 0)
        start_ms = series->start_time_ms;
    return start_ms > SN_TIME_MS_MIN && start_ms <= time_ms ? start_ms : 0;
}

static int64_t start_of(const struct sn_batch *batch, const struct sn_batch_sample *sample) {
    return valid_start(sample->start_time_ms, &batch->series[sample->series], sample->time_ms);
}

static sn_status add_to_group(struct push *push, const struct sn_batch_sample *sample,
                              int64_t start_ms, bool is_new_start, struct sn_group *group) {
    struct sn_store *store = push->store;
    bool must_say =
        is_new_start || (store->head.has_starts && store->starts_lost_epoch == store->epoch);
    sn_group_add_sample(&store->queue, group, push->ids[sample->series], sample->time_ms,
                        sample->value);
    if (SN_LIKELY(!must_say))
        return SN_OK;
    sn_status status = sn_group_add_start(group, start_ms);
    if (status != SN_OK)
        store->starts_lost_epoch = store->epoch;
    return status;
}

static sn_status note_outcome(struct push *push, const struct sn_batch_sample *sample,
                              struct sn_head_outcome outcome, int64_t start_ms,
                              struct sn_group *group) {
    switch (outcome.verdict) {
    case SN_HEAD_OLDER:
        push->out_of_order_count++;
        break;
    case SN_HEAD_DUPLICATE:
        reject(push, SN_REJECT_DUPLICATE, sample->series, sample->time_ms);
        return SN_OK;
    case SN_HEAD_TOO_OLD:
        reject(push, SN_REJECT_OUT_OF_ORDER, sample->series, sample->time_ms);
        return SN_OK;
    case SN_HEAD_APPENDED:
    case SN_HEAD_SAME:
        break;
    }
    push->result.accepted_count++;
    return add_to_group(push, sample, start_ms, outcome.is_new_start, group);
}

/* Whether the time of a sample and its series allow it; else it has been rejected. */
static inline bool is_welcome(struct push *push, uint32_t series, int64_t time_ms) {
    uint32_t id = push->ids[series];
    if (SN_LIKELY(is_in_time(push, time_ms) && id != ID_REFUSED && id != ID_TOO_LARGE))
        return true;
    if (time_ms < push->time_min)
        reject(push, SN_REJECT_TOO_OLD, series, time_ms);
    else if (time_ms > push->time_max)
        reject(push, SN_REJECT_TOO_NEW, series, time_ms);
    else
        reject(push, id == ID_TOO_LARGE ? SN_REJECT_LABEL_LIMIT : SN_REJECT_SERIES_LIMIT, series,
               time_ms);
    return false;
}

/* A put that fails leaves the items before it whole, so the group goes on without it. */
static sn_status add_histogram_to_group(const struct sn_log_histogram *logged,
                                        struct sn_group *group) {
    sn_log_put_histogram(&group->histograms, logged);
    sn_status status = group->histograms.status;
    group->histograms.status = SN_OK;
    if (status == SN_OK && logged->series >= group->series_end)
        group->series_end = logged->series + 1;
    return status;
}

/* Returns whether it was taken in *ret_taken. */
static sn_status append_histogram_locked(struct push *push, uint32_t series,
                                         const struct sn_log_histogram *logged,
                                         struct sn_group *group, bool *ret_taken) {
    struct sn_histogram_entry entry = {.time_ms = logged->time_ms, .start_ms = logged->start_ms};
    enum sn_head_verdict verdict = SN_HEAD_APPENDED;
    *ret_taken = false;
    SN_TRY(sn_head_append_histogram(&push->store->head, logged->series, &entry, logged->block,
                                    push->store->options.out_of_order_window_ms, &verdict));
    switch (verdict) {
    case SN_HEAD_DUPLICATE:
        reject(push, SN_REJECT_DUPLICATE, series, logged->time_ms);
        return SN_OK;
    case SN_HEAD_TOO_OLD:
        reject(push, SN_REJECT_OUT_OF_ORDER, series, logged->time_ms);
        return SN_OK;
    case SN_HEAD_OLDER:
        push->out_of_order_count++;
        break;
    case SN_HEAD_APPENDED:
    case SN_HEAD_SAME:
        break;
    }
    push->result.accepted_count++;
    *ret_taken = true;
    return add_histogram_to_group(logged, group);
}

/* The end of a series of histograms comes as a float, because senders do not know better. */
static sn_status append_stale_locked(struct push *push, const struct sn_batch_sample *sample,
                                     struct sn_group *group) {
    struct sn_histogram stale = {.sum = sn_double_from_bits(SN_STALE_NAN_BITS)};
    bool is_taken;
    if (push->stale_block.len == 0)
        sn_histogram_chunk_encode(&stale, 1, &push->stale_block);
    SN_TRY(push->stale_block.status);
    struct sn_log_histogram logged = {.series = push->ids[sample->series],
                                      .time_ms = sample->time_ms,
                                      .start_ms = start_of(push->batch, sample),
                                      .block = sn_buf_str(&push->stale_block)};
    return append_histogram_locked(push, sample->series, &logged, group, &is_taken);
}

static sn_status append_one_locked(struct push *push, const struct sn_batch_sample *sample,
                                   struct sn_group *group) {
    uint32_t id = push->ids[sample->series];
    if (SN_UNLIKELY(!is_welcome(push, sample->series, sample->time_ms)))
        return SN_OK;
    if (SN_UNLIKELY(sn_is_stale(sample->value)) &&
        sn_head_ends_with_histogram(&push->store->head, id))
        return append_stale_locked(push, sample, group);
    struct sn_head_sample taken = {.time_ms = sample->time_ms,
                                   .value = sample->value,
                                   .start_ms = start_of(push->batch, sample)};
    struct sn_head_outcome outcome = {.verdict = SN_HEAD_APPENDED};
    SN_TRY(sn_head_append(&push->store->head, id, taken,
                          push->store->options.out_of_order_window_ms, &outcome));
    return note_outcome(push, sample, outcome, taken.start_ms, group);
}

static sn_status append_histograms_locked(struct push *push, struct sn_group *group) {
    const struct sn_batch *batch = push->batch;
    size_t at = 0;
    for (size_t i = 0; i < batch->histogram_count; at += push->block_lens[i++]) {
        const struct sn_batch_histogram *histogram = &batch->histograms[i];
        const struct sn_batch_series *series = &batch->series[histogram->series];
        bool is_taken = false;
        if (!is_welcome(push, histogram->series, histogram->time_ms))
            continue;
        struct sn_log_histogram logged = {
            .series = push->ids[histogram->series],
            .time_ms = histogram->time_ms,
            .start_ms = valid_start(histogram->start_time_ms, series, histogram->time_ms),
            .block = sn_str_make(push->blocks.ptr + at, push->block_lens[i])};
        SN_TRY(append_histogram_locked(push, histogram->series, &logged, group, &is_taken));
        push->result.accepted_histogram_count += is_taken;
    }
    return SN_OK;
}

/* Canonical labels of an exemplar; empty when it has too many bytes of them. */
static sn_status encode_exemplar_labels(struct push *push, const struct sn_exemplar *exemplar) {
    struct sn_buf *labels = &push->exemplar_labels;
    sn_buf_reset(labels);
    sn_labels_encode(exemplar->labels, labels);
    if (labels->len > SN_EXEMPLAR_LABEL_BYTES_MAX)
        sn_buf_reset(labels);
    return labels->status;
}

static sn_status add_exemplar_locked(struct push *push, const struct sn_batch_exemplar *item,
                                     struct sn_group *group) {
    struct sn_store *store = push->store;
    struct sn_log_exemplar exemplar = {.series = push->ids[item->series],
                                       .time_ms = item->exemplar.time_ms,
                                       .value = item->exemplar.value,
                                       .labels = sn_buf_str(&push->exemplar_labels)};
    enum sn_exemplar_verdict verdict = SN_EXEMPLAR_ADDED;
    SN_TRY(sn_exemplars_add(&store->exemplars, &exemplar, &verdict));
    if (verdict == SN_EXEMPLAR_OLDER) {
        reject(push, SN_REJECT_OUT_OF_ORDER, item->series, exemplar.time_ms);
        return SN_OK;
    }
    sn_log_put_exemplar(&group->exemplars, &exemplar);
    sn_status status = group->exemplars.status;
    group->exemplars.status = SN_OK; /* the items before it are whole */
    if (status != SN_OK)
        return status;
    if (exemplar.series >= group->series_end)
        group->series_end = exemplar.series + 1;
    push->result.accepted_exemplar_count++;
    return SN_OK;
}

static sn_status append_exemplars_locked(struct push *push, struct sn_group *group) {
    const struct sn_batch *batch = push->batch;
    for (size_t i = 0; i < batch->exemplar_count; i++) {
        const struct sn_batch_exemplar *item = &batch->exemplars[i];
        if (!is_welcome(push, item->series, item->exemplar.time_ms))
            continue;
        SN_TRY(encode_exemplar_labels(push, &item->exemplar));
        if (push->store->exemplars.limit == 0 || push->ids[item->series] >= ID_FIRST_SPECIAL ||
            push->exemplar_labels.len == 0)
            reject(push, SN_REJECT_UNSUPPORTED, item->series, item->exemplar.time_ms);
        else
            SN_TRY(add_exemplar_locked(push, item, group));
    }
    return SN_OK;
}

static sn_status append_samples_locked(struct push *push, struct sn_group *group,
                                       struct sn_err *err) {
    const struct sn_batch *batch = push->batch;
    if (batch->sample_count == 0 && batch->histogram_count == 0 && batch->exemplar_count == 0)
        return SN_OK;
    sn_status status = reach_locked(push);
    for (size_t i = 0; i < batch->sample_count && status == SN_OK; i++) {
        prefetch_locked(push, i);
        status = append_one_locked(push, &batch->samples[i], group);
    }
    if (status == SN_OK)
        status = append_histograms_locked(push, group);
    if (status == SN_OK)
        status = append_exemplars_locked(push, group);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory for open chunks");
    return SN_OK;
}

/* Whether the store takes anything now. */
static sn_status admit_locked(struct sn_store *store, struct sn_err *err) {
    if (store->refusal.is_refusing)
        return sn_err_set(err, store->refusal.reason.status, "%s", store->refusal.reason.text);
    /* Eight times the size that asks for a flush: flushes fail, or are far too slow. */
    uint64_t bytes = atomic_load_explicit(&store->log_bytes, memory_order_relaxed);
    if (bytes / 8 > store->options.log_bytes_max)
        return sn_err_set(err, SN_ERR_BUSY,
                          "the log holds %" PRIu64 " bytes that no flush could write out", bytes);
    return SN_OK;
}

/* Asked once before anything is done, so that a store that refuses does not collect series. */
static sn_status admit(struct sn_store *store, struct sn_err *err) {
    sn_mutex_lock(&store->append_mu);
    sn_status status = admit_locked(store, err);
    sn_mutex_unlock(&store->append_mu);
    return status;
}

/* A put that fails leaves the records before it whole, so the group goes on without it. */
static sn_status put_metadata_locked(struct sn_group *group, const struct sn_buf *metadata,
                                     struct sn_err *err) {
    sn_buf_put(&group->metadata, metadata->ptr, metadata->len);
    if (group->metadata.status == SN_OK)
        return SN_OK;
    group->metadata.status = SN_OK;
    return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for metadata");
}

static sn_status append_locked(struct push *push, const struct sn_buf *metadata,
                               struct sn_push_done done, bool *ret_is_queued, struct sn_err *err) {
    struct sn_store *store = push->store;
    struct sn_group *group;
    SN_TRY(admit_locked(store, err));
    sn_status status =
        sn_group_queue_open(&store->queue, store->epoch, push->batch->sample_count, &group);
    if (status != SN_OK)
        return sn_err_set(err, status, "the log cannot keep up: %zu samples are waiting",
                          store->queue.sample_count);
    SN_TRY(put_metadata_locked(group, metadata, err));
    SN_TRY(append_samples_locked(push, group, err));
    *ret_is_queued = push->result.accepted_count > 0 || push->result.accepted_exemplar_count > 0 ||
                     metadata->len > 0;
    if (*ret_is_queued && done.fn)
        sn_group_add_waiter(group, done);
    sn_cond_signal(&store->group_ready);
    return SN_OK;
}

/* ---- metadata ---- */

/* Remember what is new, and make its log records. */
static sn_status take_metadata(struct push *push, struct sn_buf *records, struct sn_err *err) {
    struct sn_store *store = push->store;
    sn_status status = SN_OK;
    sn_mutex_lock(&store->index_mu);
    for (size_t i = 0; i < push->batch->metadata_count; i++) {
        const struct sn_metadata *metadata = &push->batch->metadata[i];
        bool is_changed = false;
        sn_status put = sn_metadata_table_put(&store->metadata, metadata, false, &is_changed);
        if (put == SN_ERR_NO_MEMORY)
            status = put;
        if (put == SN_OK && is_changed)
            sn_log_put_metadata(records, metadata);
        /* Beyond a limit a help text is left out: it is a comment, the samples are not. */
    }
    sn_mutex_unlock(&store->index_mu);
    if (status == SN_OK)
        status = records->status;
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory for metadata");
    return SN_OK;
}

/* ---- histograms ---- */

/* Outside of the lock. What is not valid would not be read again. */
static sn_status encode_histograms(struct push *push, struct sn_err *err) {
    const struct sn_batch *batch = push->batch;
    if (batch->histogram_count == 0)
        return SN_OK;
    push->block_lens = sn_realloc_array(NULL, batch->histogram_count, sizeof *push->block_lens);
    if (!push->block_lens)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu histograms",
                          batch->histogram_count);
    for (size_t i = 0; i < batch->histogram_count; i++) {
        const struct sn_histogram *histogram = &batch->histograms[i].histogram;
        size_t before = push->blocks.len;
        SN_TRY(sn_histogram_validate(histogram, err));
        sn_histogram_chunk_encode(histogram, 1, &push->blocks);
        push->block_lens[i] = (uint32_t)(push->blocks.len - before);
    }
    return sn_buf_status(&push->blocks, err);
}

/* ---- the door ---- */

static sn_status run(struct push *push, struct sn_push_done done, bool *ret_is_queued,
                     struct sn_err *err) {
    struct sn_store *store = push->store;
    SN_TRY(admit(store, err));
    SN_TRY(mark_needed(push, err));
    check_labels(push);
    SN_TRY(encode_histograms(push, err));
    SN_TRY(resolve(push, err));
    struct sn_buf metadata;
    sn_buf_init(&metadata, 0);
    sn_status status = take_metadata(push, &metadata, err);
    if (status == SN_OK) {
        sn_mutex_lock(&store->append_mu);
        status = append_locked(push, &metadata, done, ret_is_queued, err);
        sn_mutex_unlock(&store->append_mu);
    }
    sn_buf_release(&metadata);
    return status;
}

static void count_push(struct push *push) {
    struct sn_store_counters *counters = &push->store->counters;
    sn_store_count(&counters->push, 1);
    sn_store_count(&counters->sample, push->result.accepted_count);
    sn_store_count(&counters->out_of_order, push->out_of_order_count);
    for (int i = 0; i < SN_REJECT_COUNT; i++)
        sn_store_count(&counters->rejected[i], push->result.rejected_count[i]);
}

sn_status sn_store_push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                        struct sn_push_result *ret_result, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct push push = {.store = store, .batch = batch};
    bool is_queued = false;
    set_time_limits(&push);
    push.ids = sn_realloc_array(NULL, batch->series_count + 1, sizeof *push.ids);
    sn_status status = push.ids ? run(&push, done, &is_queued, err)
                                : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu series",
                                             batch->series_count);
    if (push.pin)
        atomic_fetch_sub(push.pin, 1);
    sn_free(push.ids);
    sn_free(push.block_lens);
    sn_buf_release(&push.blocks);
    sn_buf_release(&push.stale_block);
    sn_buf_release(&push.exemplar_labels);
    if (status != SN_OK) {
        sn_store_count(&store->counters.refused, 1);
        return status;
    }
    count_push(&push);
    *ret_result = push.result;
    if (!is_queued && done.fn)
        done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}
