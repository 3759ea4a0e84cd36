/*
 * Data of any age straight into segments: see backfill.h.
 *
 *   collect {series, time, value or histogram} -> sort by series and time -> cut into whole days -> per piece:
 *   write a segment -> one transaction {new series, segment row} (flush lock) -> publish
 *
 * Invariants:
 *   1. A segment's series are in the catalogue when its row is: both are in one transaction.
 *   2. While an object has ids of series, no series is removed (backfill_count).
 *   3. A commit that reported a failure may be on disk: its file stays until the catalogue is settled,
 *      as with compactions.
 */
#include "store/backfill.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/store_priv.h"

#include <inttypes.h>
#include <stdlib.h>

#define DAY_MS INT64_C(86400000)
enum { ENTRIES_FIRST = 4096 };
#define ID_REFUSED UINT32_MAX
#define ID_TOO_LARGE (UINT32_MAX - 1) /* refused as well: for its labels */

struct entry {
    int64_t time_ms;
    union {
        double value;
        const struct sn_histogram *histogram; /* in the arena of the backfill */
    };
    int64_t start_ms;
    uint32_t series;
    uint32_t order; /* of arrival, twice that: the later one wins; + 1: a histogram */
};

static inline bool is_histogram(const struct entry *entry) {
    return (entry->order & 1) != 0;
}

/* The samples of one series: entries [first, end). */
struct run {
    uint32_t series;
    uint32_t first;
    uint32_t end;
    uint32_t at; /* entries before this are written */
};

struct sn_backfill {
    struct sn_store *store;
    struct entry *entries; /* [capacity], owned */
    size_t count;
    size_t capacity;
    struct sn_arena arena; /* of histograms; reset by a commit */
    int64_t time_min;      /* that are taken */
    int64_t time_max;
    bool has_starts;
};

sn_status sn_backfill_new(struct sn_store *store, struct sn_backfill **ret_backfill,
                          struct sn_err *err) {
    struct sn_backfill *backfill = sn_alloc_zero(1, sizeof *backfill);
    if (!backfill)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for a backfill");
    backfill->store = store;
    sn_arena_init(&backfill->arena, SN_BACKFILL_HISTOGRAM_BYTES_MAX);
    sn_mutex_lock(&store->index_mu);
    store->backfill_count++;
    sn_mutex_unlock(&store->index_mu);
    *ret_backfill = backfill;
    return SN_OK;
}

struct sn_backfill *sn_backfill_free(struct sn_backfill *backfill) {
    if (!backfill)
        return NULL;
    sn_mutex_lock(&backfill->store->index_mu);
    backfill->store->backfill_count--;
    sn_mutex_unlock(&backfill->store->index_mu);
    sn_free(backfill->entries);
    sn_arena_release(&backfill->arena);
    sn_free(backfill);
    return NULL;
}

size_t sn_backfill_count(const struct sn_backfill *backfill) {
    return backfill->count + backfill->arena.used / SN_BACKFILL_SAMPLE_BYTES;
}

/* ---- collecting ---- */

static void set_times(struct sn_backfill *backfill) {
    const struct sn_store_options *options = &backfill->store->options;
    int64_t now = sn_store_wall_ms(backfill->store);
    backfill->time_min = SN_TIME_MS_MIN;
    backfill->time_max = SN_TIME_MS_MAX;
    if (options->retention_ms >= 0 && now - options->retention_ms > SN_TIME_MS_MIN)
        backfill->time_min = now - options->retention_ms;
    if (options->future_max_ms >= 0 && options->future_max_ms < SN_TIME_MS_MAX - now)
        backfill->time_max = now + options->future_max_ms;
}

static sn_status reserve(struct sn_backfill *backfill, size_t more, struct sn_err *err) {
    size_t needed = backfill->count + more;
    if (needed > SN_BACKFILL_SAMPLES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%zu samples in one backfill, the limit is %zu",
                          needed, SN_BACKFILL_SAMPLES_MAX);
    if (needed <= backfill->capacity)
        return SN_OK;
    size_t capacity = backfill->capacity ? backfill->capacity : ENTRIES_FIRST;
    while (capacity < needed)
        capacity *= 2;
    struct entry *entries = sn_realloc_array(backfill->entries, capacity, sizeof *entries);
    if (!entries)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu samples", needed);
    backfill->entries = entries;
    backfill->capacity = capacity;
    return SN_OK;
}

static sn_status check_batch(const struct sn_batch *batch, struct sn_err *err) {
    for (size_t i = 0; i < batch->sample_count; i++) {
        if (batch->samples[i].series >= batch->series_count)
            return sn_err_set(err, SN_ERR_INVALID, "sample %zu names series %u of %zu", i,
                              batch->samples[i].series, batch->series_count);
    }
    for (size_t i = 0; i < batch->histogram_count; i++) {
        if (batch->histograms[i].series >= batch->series_count)
            return sn_err_set(err, SN_ERR_INVALID, "histogram %zu names series %u of %zu", i,
                              batch->histograms[i].series, batch->series_count);
    }
    return SN_OK;
}

static bool is_taken(const struct sn_backfill *backfill, int64_t time_ms) {
    return time_ms >= backfill->time_min && time_ms <= backfill->time_max;
}

static sn_status resolve_one_locked(struct sn_series_index *index, struct sn_str labels,
                                    uint32_t *ret_id, struct sn_err *err) {
    uint32_t hash = sn_series_index_hash(index, labels);
    if (sn_series_index_find(index, labels, hash, ret_id))
        return SN_OK;
    sn_status status = sn_series_index_add(index, labels, hash, ret_id, err);
    if (status == SN_ERR_LIMIT) {
        *ret_id = ID_REFUSED;
        return SN_OK;
    }
    return status == SN_ERR_CORRUPT ? SN_ERR_INVALID : status;
}

/* Ids of the series that have a sample to take. */
static sn_status resolve(struct sn_backfill *backfill, const struct sn_batch *batch, uint32_t *ids,
                         struct sn_err *err) {
    struct sn_store *store = backfill->store;
    const struct sn_label_limits *limits = &store->options.label_limits;
    bool is_narrow = sn_label_limits_are_narrow(limits);
    SN_CLEANUP(sn_free_ptr) uint8_t *is_needed = sn_alloc_zero(batch->series_count + 1, 1);
    if (!is_needed)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu series", batch->series_count);
    for (size_t i = 0; i < batch->sample_count; i++)
        is_needed[batch->samples[i].series] |= is_taken(backfill, batch->samples[i].time_ms);
    for (size_t i = 0; i < batch->histogram_count; i++)
        is_needed[batch->histograms[i].series] |= is_taken(backfill, batch->histograms[i].time_ms);
    sn_status status = SN_OK;
    sn_mutex_lock(&store->index_mu);
    uint32_t before = store->index.count;
    for (size_t i = 0; i < batch->series_count && status == SN_OK; i++) {
        ids[i] = ID_REFUSED;
        if (!is_needed[i])
            continue;
        if (is_narrow &&
            sn_labels_check_limits(batch->series[i].labels, limits, NULL) == SN_ERR_LIMIT)
            ids[i] = ID_TOO_LARGE;
        else
            status = resolve_one_locked(&store->index, batch->series[i].labels, &ids[i], err);
    }
    sn_churn_add(&store->churn, sn_store_wall_ms(store), store->index.count - before);
    sn_mutex_unlock(&store->index_mu);
    return status;
}

static void reject(struct sn_push_result *result, enum sn_reject reason, uint64_t count,
                   const char *sentence, int64_t time_ms) {
    char time[SN_TIME_TEXT_SIZE];
    result->rejected_count[reason] += count;
    if (count == 0 || result->first_reject.status != SN_OK)
        return;
    sn_time_format(time_ms < SN_TIME_MS_MIN   ? SN_TIME_MS_MIN
                   : time_ms > SN_TIME_MS_MAX ? SN_TIME_MS_MAX
                                              : time_ms,
                   time);
    (void)sn_err_set(&result->first_reject, SN_ERR_INVALID, "%s at %s", sentence, time);
}

static int64_t start_of(const struct sn_batch *batch, uint32_t series, int64_t start_ms,
                        int64_t time_ms) {
    if (start_ms == 0)
        start_ms = batch->series[series].start_time_ms;
    return start_ms > SN_TIME_MS_MIN && start_ms <= time_ms ? start_ms : 0;
}

static void reject_labels(const struct sn_backfill *backfill, struct sn_str labels, int64_t time_ms,
                          struct sn_push_result *result) {
    struct sn_err why = {.status = SN_OK};
    (void)(sn_labels_check_limits(labels, &backfill->store->options.label_limits, &why) == SN_OK);
    reject(result, SN_REJECT_LABEL_LIMIT, 1, why.text, time_ms);
}

/* An entry for what came, its value left to the caller; NULL: it was refused. `labels` are those of `id`. */
static struct entry *add_entry(struct sn_backfill *backfill, struct sn_str labels, uint32_t id,
                               int64_t time_ms, struct sn_push_result *result) {
    if (time_ms < backfill->time_min) {
        reject(result, SN_REJECT_TOO_OLD, 1, "before the retention", time_ms);
        return NULL;
    }
    if (time_ms > backfill->time_max) {
        reject(result, SN_REJECT_TOO_NEW, 1, "too far in the future", time_ms);
        return NULL;
    }
    if (id == ID_TOO_LARGE) {
        reject_labels(backfill, labels, time_ms, result);
        return NULL;
    }
    if (id == ID_REFUSED) {
        reject(result, SN_REJECT_SERIES_LIMIT, 1, "would be a new series beyond the limit",
               time_ms);
        return NULL;
    }
    struct entry *entry = &backfill->entries[backfill->count];
    *entry =
        (struct entry){.time_ms = time_ms, .series = id, .order = (uint32_t)backfill->count * 2};
    backfill->count++;
    result->accepted_count++;
    return entry;
}

static void add_sample(struct sn_backfill *backfill, const struct sn_batch *batch, size_t i,
                       const uint32_t *ids, struct sn_push_result *result) {
    const struct sn_batch_sample *sample = &batch->samples[i];
    struct entry *entry = add_entry(backfill, batch->series[sample->series].labels,
                                    ids[sample->series], sample->time_ms, result);
    if (!entry)
        return;
    entry->value = sample->value;
    entry->start_ms = start_of(batch, sample->series, sample->start_time_ms, sample->time_ms);
    backfill->has_starts |= entry->start_ms != 0;
}

/* `kept` is the copy in the arena. */
static void add_histogram(struct sn_backfill *backfill, const struct sn_batch *batch, size_t i,
                          const struct sn_histogram *kept, const uint32_t *ids,
                          struct sn_push_result *result) {
    const struct sn_batch_histogram *item = &batch->histograms[i];
    struct entry *entry = add_entry(backfill, batch->series[item->series].labels, ids[item->series],
                                    item->time_ms, result);
    if (!entry)
        return;
    entry->order |= 1;
    entry->histogram = kept;
    entry->start_ms = start_of(batch, item->series, item->start_time_ms, item->time_ms);
    result->accepted_histogram_count++;
}

/* Copies of all histograms of the batch. What is left of a failure goes with the next commit. */
static sn_status keep_histograms(struct sn_backfill *backfill, const struct sn_batch *batch,
                                 const struct sn_histogram **ret_kept, struct sn_err *err) {
    size_t bytes = batch->histogram_count * sizeof **ret_kept;
    struct sn_histogram *kept = sn_arena_alloc(&backfill->arena, bytes);
    sn_status status = kept ? SN_OK : sn_arena_failure(&backfill->arena, bytes, NULL);
    for (size_t i = 0; i < batch->histogram_count && status == SN_OK; i++)
        status = sn_histogram_copy(&batch->histograms[i].histogram, &backfill->arena, &kept[i]);
    if (status == SN_ERR_LIMIT)
        return sn_err_set(err, status, "histograms of one backfill have more than %zu bytes",
                          SN_BACKFILL_HISTOGRAM_BYTES_MAX);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory for %zu histograms", batch->histogram_count);
    *ret_kept = kept;
    return SN_OK;
}

static sn_status take_metadata(struct sn_store *store, const struct sn_batch *batch,
                               struct sn_err *err) {
    sn_status status = SN_OK;
    sn_mutex_lock(&store->index_mu);
    for (size_t i = 0; i < batch->metadata_count; i++) {
        bool is_changed;
        if (sn_metadata_table_put(&store->metadata, &batch->metadata[i], false, &is_changed) ==
            SN_ERR_NO_MEMORY)
            status = SN_ERR_NO_MEMORY;
    }
    sn_mutex_unlock(&store->index_mu);
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "no memory for metadata");
}

sn_status sn_backfill_add(struct sn_backfill *backfill, const struct sn_batch *batch,
                          struct sn_push_result *ret_result, struct sn_err *err) {
    struct sn_push_result result = {.accepted_count = 0};
    const struct sn_histogram *kept = NULL;
    SN_TRY(check_batch(batch, err));
    SN_TRY(reserve(backfill, batch->sample_count + batch->histogram_count, err));
    SN_CLEANUP(sn_free_ptr)
    uint32_t *ids = sn_realloc_array(NULL, batch->series_count + 1, sizeof *ids);
    if (!ids)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for %zu series", batch->series_count);
    if (batch->histogram_count > 0)
        SN_TRY(keep_histograms(backfill, batch, &kept, err));
    set_times(backfill);
    SN_TRY(resolve(backfill, batch, ids, err));
    SN_TRY(take_metadata(backfill->store, batch, err));
    for (size_t i = 0; i < batch->sample_count; i++)
        add_sample(backfill, batch, i, ids, &result);
    for (size_t i = 0; i < batch->histogram_count; i++)
        add_histogram(backfill, batch, i, &kept[i], ids, &result);
    reject(&result, SN_REJECT_UNSUPPORTED, batch->exemplar_count, "exemplars are not imported",
           sn_store_wall_ms(backfill->store));
    *ret_result = result;
    return SN_OK;
}

/* ---- sorting ---- */

static int compare_entries(const void *a, const void *b) {
    const struct entry *x = a;
    const struct entry *y = b;
    if (x->series != y->series)
        return x->series < y->series ? -1 : 1;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return (x->order > y->order) - (x->order < y->order);
}

static int compare_runs(const void *a, const void *b, void *ctx) {
    return sn_series_index_compare_metric(ctx, ((const struct run *)a)->series,
                                          ((const struct run *)b)->series);
}

/* Sort, and keep the last of those with one series and time. */
static void sort_entries(struct sn_backfill *backfill) {
    struct entry *entries = backfill->entries;
    size_t kept = 0;
    qsort(entries, backfill->count, sizeof *entries, compare_entries);
    for (size_t i = 0; i < backfill->count; i++) {
        bool is_again = i + 1 < backfill->count && entries[i + 1].series == entries[i].series &&
                        entries[i + 1].time_ms == entries[i].time_ms;
        if (!is_again)
            entries[kept++] = entries[i];
    }
    backfill->count = kept;
    for (size_t i = 0; i < kept; i++)
        entries[i].order = (uint32_t)i * 2 + is_histogram(&entries[i]);
}

/* Runs in metric order; NULL: no memory. */
static struct run *make_runs(struct sn_backfill *backfill, size_t *ret_count) {
    const struct entry *entries = backfill->entries;
    size_t count = 0;
    for (size_t i = 0; i < backfill->count; i++)
        count += i == 0 || entries[i].series != entries[i - 1].series;
    struct run *runs = sn_realloc_array(NULL, count + 1, sizeof *runs);
    if (!runs)
        return NULL;
    size_t at = 0;
    for (size_t i = 0; i < backfill->count; i++) {
        if (i == 0 || entries[i].series != entries[i - 1].series)
            runs[at++] =
                (struct run){.series = entries[i].series, .first = (uint32_t)i, .at = (uint32_t)i};
        runs[at - 1].end = (uint32_t)i + 1;
    }
    qsort_r(runs, count, sizeof *runs, compare_runs, &backfill->store->index);
    *ret_count = count;
    return runs;
}

/* ---- one segment ---- */

struct piece {
    struct sn_backfill *backfill;
    struct run *runs; /* [run_count] */
    size_t run_count;
    int64_t end_ms; /* samples before this */
    uint64_t id;
    struct sn_segment_row row;
    struct sn_segment *segment; /* owned */
    bool has_file;
};

/* What one series has in a piece. */
struct columns {
    struct sn_samples samples;
    struct sn_histograms histograms; /* their arrays are those of the backfill's arena */
};

static void put_entry(struct columns *columns, const struct entry *entry) {
    struct sn_samples *samples = &columns->samples;
    struct sn_histograms *histograms = &columns->histograms;
    if (is_histogram(entry)) {
        histograms->time_ms[histograms->count] = entry->time_ms;
        histograms->start_ms[histograms->count] = entry->start_ms;
        histograms->items[histograms->count++] = *entry->histogram;
        return;
    }
    samples->time_ms[samples->count] = entry->time_ms;
    samples->value[samples->count] = entry->value;
    if (samples->has_start)
        samples->start_ms[samples->count] = entry->start_ms;
    samples->count++;
}

static sn_status copy_run(const struct piece *piece, struct run *run, struct columns *columns) {
    const struct entry *entries = piece->backfill->entries;
    sn_samples_reset(&columns->samples);
    sn_histograms_reset(&columns->histograms);
    uint32_t end = run->at;
    size_t histogram_count = 0;
    for (; end < run->end && entries[end].time_ms < piece->end_ms; end++)
        histogram_count += is_histogram(&entries[end]);
    SN_TRY(sn_samples_reserve(&columns->samples, end - run->at - histogram_count));
    if (piece->backfill->has_starts)
        SN_TRY(sn_samples_use_start(&columns->samples));
    if (histogram_count > 0)
        SN_TRY(sn_histograms_reserve(&columns->histograms, histogram_count));
    for (; run->at < end; run->at++)
        put_entry(columns, &entries[run->at]);
    return SN_OK;
}

static sn_status write_run(struct piece *piece, struct run *run, struct columns *columns,
                           struct sn_segment_writer *writer, struct sn_err *err) {
    sn_status status = copy_run(piece, run, columns);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to write a segment");
    SN_TRY(sn_segment_writer_add(writer, run->series, &columns->samples, err));
    return sn_segment_writer_add_histograms(writer, run->series, &columns->histograms, err);
}

static sn_status write_runs(struct piece *piece, struct sn_segment_writer *writer,
                            struct sn_err *err) {
    struct columns columns;
    sn_status status = SN_OK;
    sn_samples_init(&columns.samples);
    sn_histograms_init(&columns.histograms, 0);
    for (size_t i = 0; i < piece->run_count && status == SN_OK; i++)
        status = write_run(piece, &piece->runs[i], &columns, writer, err);
    sn_histograms_release(&columns.histograms);
    sn_samples_release(&columns.samples);
    return status;
}

static sn_status write_file(struct piece *piece, struct sn_err *err) {
    struct sn_store *store = piece->backfill->store;
    SN_CLEANUP(sn_free_ptr) struct sn_segment_writer *writer = sn_alloc(sizeof *writer);
    if (!writer)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write a segment");
    struct sn_segment_writer_options options = {.dir = store->seg_dir,
                                                .id = piece->id,
                                                .clock = store->options.clock,
                                                .pause_ns = store->options.flush_pause_ns};
    SN_TRY(sn_segment_writer_open(writer, &options, err));
    sn_status status = write_runs(piece, writer, err);
    if (status == SN_OK)
        status = sn_segment_writer_finish(writer, store->seg_dir, err);
    if (status == SN_OK) {
        piece->has_file = true;
        piece->row = sn_segment_writer_row(writer, piece->id);
    }
    sn_segment_writer_release(writer);
    return status;
}

static sn_status take_id(struct piece *piece, struct sn_err *err) {
    struct sn_store *store = piece->backfill->store;
    sn_mutex_lock(&store->flush_mu);
    sn_status status = sn_store_settle_locked(store, err);
    if (status == SN_OK)
        piece->id = store->segment_id_next++;
    sn_mutex_unlock(&store->flush_mu);
    return status;
}

static sn_status fill_transaction(struct piece *piece, uint32_t series_count, struct sn_err *err) {
    struct sn_store *store = piece->backfill->store;
    SN_TRY(sn_store_put_series(store, series_count, err));
    SN_TRY(sn_catalog_add_segment(&store->catalog, &piece->row, err));
    return sn_catalog_commit(&store->catalog, err);
}

/* The file counts from here on. */
static sn_status publish_locked(struct piece *piece, uint32_t series_count, struct sn_err *err) {
    struct sn_store *store = piece->backfill->store;
    piece->row.rank = store->segment_id_next++; /* behind every flush that ran since take_id */
    piece->segment->rank = piece->row.rank;
    struct sn_segment_set *set = sn_segments_with(&store->segments, piece->segment);
    if (!set)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of segments");
    sn_status status = sn_catalog_begin(&store->catalog, err);
    if (status == SN_OK) {
        status = fill_transaction(piece, series_count, err);
        if (status != SN_OK)
            sn_catalog_rollback(&store->catalog);
    }
    if (status != SN_OK) {
        store->doubtful_segment_id = piece->id;
        store->doubtful_count = 1;
        piece->has_file = false; /* not ours to delete any more */
        sn_segment_set_unref(set);
        return status;
    }
    atomic_store(&store->catalogued_count, series_count);
    sn_segments_publish(&store->segments, set);
    return SN_OK;
}

static sn_status publish(struct piece *piece, struct sn_err *err) {
    struct sn_store *store = piece->backfill->store;
    sn_mutex_lock(&store->flush_mu);
    sn_mutex_lock(&store->index_mu);
    uint32_t series_count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    sn_status status = sn_store_settle_locked(store, err);
    if (status == SN_OK)
        status = sn_segment_open(store->seg_dir, &piece->row, series_count, &piece->segment, err);
    if (status == SN_OK && piece->segment->damage.status != SN_OK)
        status = sn_err_set(err, SN_ERR_IO, "reads back wrong: %s", piece->segment->damage.text);
    if (status == SN_OK)
        status = publish_locked(piece, series_count, err);
    sn_mutex_unlock(&store->flush_mu);
    return status;
}

static sn_status write_piece(struct sn_backfill *backfill, struct run *runs, size_t run_count,
                             int64_t end_ms, struct sn_err *err) {
    struct piece piece = {
        .backfill = backfill, .runs = runs, .run_count = run_count, .end_ms = end_ms};
    sn_status status = take_id(&piece, err);
    if (status == SN_OK)
        status = write_file(&piece, err);
    if (status == SN_OK)
        status = publish(&piece, err);
    if (status != SN_OK && piece.has_file)
        sn_store_delete_segment_file(backfill->store, piece.id);
    sn_segment_unref(piece.segment);
    return status;
}

/* ---- all days ---- */

static int compare_times(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/* Where pieces end: at the first midnight behind SN_BACKFILL_SEGMENT_SAMPLES samples. */
static sn_status write_days(struct sn_backfill *backfill, struct run *runs, size_t run_count,
                            struct sn_err *err) {
    SN_CLEANUP(sn_free_ptr)
    int64_t *times = sn_realloc_array(NULL, backfill->count + 1, sizeof *times);
    if (!times)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to sort %zu samples", backfill->count);
    for (size_t i = 0; i < backfill->count; i++)
        times[i] = backfill->entries[i].time_ms;
    qsort(times, backfill->count, sizeof *times, compare_times);
    size_t first = 0;
    while (first < backfill->count) {
        size_t last = first + SN_BACKFILL_SEGMENT_SAMPLES - 1;
        if (last >= backfill->count)
            last = backfill->count - 1;
        int64_t end_ms = (times[last] / DAY_MS + 1) * DAY_MS;
        while (last < backfill->count && times[last] < end_ms)
            last++;
        SN_TRY(write_piece(backfill, runs, run_count, end_ms, err));
        first = last;
    }
    return SN_OK;
}

/* Also what a call that failed has left. */
static void drop_histograms(struct sn_backfill *backfill) {
    sn_arena_release(&backfill->arena);
    sn_arena_init(&backfill->arena, SN_BACKFILL_HISTOGRAM_BYTES_MAX);
}

sn_status sn_backfill_commit(struct sn_backfill *backfill, struct sn_err *err) {
    if (backfill->count == 0) {
        drop_histograms(backfill);
        return SN_OK;
    }
    size_t run_count = 0;
    sort_entries(backfill);
    struct run *runs = make_runs(backfill, &run_count);
    if (!runs)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to sort %zu samples", backfill->count);
    sn_status status = write_days(backfill, runs, run_count, err);
    sn_free(runs);
    if (status == SN_OK) {
        backfill->count = 0;
        drop_histograms(backfill);
    }
    return status;
}

/* ---- as a sink ---- */

static sn_status push(void *ctx, const struct sn_batch *batch, struct sn_push_done done,
                      struct sn_push_result *ret_result, struct sn_err *err) {
    struct sn_backfill *backfill = NULL;
    struct sn_push_result result;
    sn_status status = sn_backfill_new(ctx, &backfill, err);
    if (backfill == NULL)
        return status;
    status = sn_backfill_add(backfill, batch, &result, err);
    if (status == SN_OK)
        status = sn_backfill_commit(backfill, err);
    (void)sn_backfill_free(backfill); /* NULL, always */
    if (status != SN_OK)
        return status;
    *ret_result = result;
    if (done.fn)
        done.fn(done.ctx, SN_OK, NULL);
    return SN_OK;
}

struct sn_sink sn_store_backfill_sink(struct sn_store *store) {
    return (struct sn_sink){.ctx = store, .push = push};
}
