/*
 * The flush: what the head holds becomes a segment, and the log behind it goes away.
 *
 *   freeze epoch -> write segment file -> one transaction {series, metadata, segment row, log
 *   position} -> publish the segment -> forget the frozen epoch -> delete the logs
 *
 * Invariants:
 *   1. Before the transaction commits nothing is given up; after it nothing can fail. A failed flush
 *      leaves the epoch frozen, and the next one writes the same file again, byte for byte: so it
 *      does not matter whether a commit that reported a failure reached the disk after all.
 *   2. The segment is visible before the frozen epoch disappears: a reader that looks at the head
 *      first and at the segments second misses nothing.
 *   3. Deleted logs hold only groups of flushed epochs, and the definitions in them are in the
 *      catalogue: the series are counted after the epoch was frozen.
 *
 * Threads: any, one at a time (flush lock). Pushes and reads go on. The worker at the end also runs
 * retention and compaction.
 */
#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "store/rollup_build.h"
#include "store/series_gc.h"
#include "store/series_sort.h"
#include "store/store_priv.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
    RADIX_SORT_MIN = 1024,    /* series; below it ranks of all pairs are not worth it */
    SERIES_PER_LOCK = 1024,   /* looked up in the head at once: about 30 us */
    EXEMPLARS_PER_LOCK = 512, /* copied at once: about 30 us */
    SWEEP_PER_LOCK = 16384,   /* states cleared at once: about 30 us */
};
/* Decoded histograms of one series and epoch: those of an hour at 1 s with 2,048 buckets fit. */
#define HISTOGRAM_BYTES_MAX ((size_t)256 << 20)
#define RETRY_AFTER_FAILURE_NS INT64_C(10000000000)
#define CARE_EVERY_NS INT64_C(60000000000)
#define ROLL_UP_EVERY_NS INT64_C(600000000000)
#define WORKER_TICK_NS INT64_C(1000000000)

/* ---- metric order ---- */

static int compare_in_index(const void *a, const void *b, void *ctx) {
    return sn_series_index_compare_metric(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Many are sorted by ranks of their pairs; a few, or without memory for that, by their texts. */
static void sort_tail(struct sn_store *store, uint32_t *tail, size_t count) {
    if (count >= RADIX_SORT_MIN) {
        sn_mutex_lock(&store->index_mu);
        uint32_t pair_count = store->index.symbols.pair_count;
        sn_mutex_unlock(&store->index_mu);
        if (sn_series_sort(&store->index, pair_count, tail, count) == SN_OK)
            return;
    }
    qsort_r(tail, count, sizeof *tail, compare_in_index, &store->index);
}

/* Merge the sorted tail [middle, count) into the sorted head [0, middle), from the end. */
static void merge_order(const struct sn_series_index *index, uint32_t *order, size_t middle,
                        uint32_t *tail, size_t tail_count) {
    size_t at = middle + tail_count;
    while (tail_count > 0) {
        bool take_old = middle > 0 && sn_series_index_compare_metric(index, order[middle - 1],
                                                                     tail[tail_count - 1]) > 0;
        order[--at] = take_old ? order[--middle] : tail[--tail_count];
    }
}

/* Without memory the old one stays: selections are sorted more slowly then. */
static void publish_order(struct sn_store *store) {
    struct sn_series_order *made =
        sn_series_order_new(store->order, store->order_count, store->order_end);
    if (!made)
        return;
    sn_mutex_lock(&store->index_mu);
    struct sn_series_order *old = store->label_order;
    store->label_order = made;
    sn_mutex_unlock(&store->index_mu);
    sn_series_order_unref(old);
}

/* Series that are not in the order yet; gaps of removed ones are as old as the store is open. */
static size_t list_new(struct sn_store *store, uint32_t series_count, uint32_t *ret_ids) {
    size_t count = 0;
    sn_mutex_lock(&store->index_mu);
    for (uint32_t id = store->order_end; id < series_count; id++) {
        if (!sn_series_index_is_removed(&store->index, id))
            ret_ids[count++] = id;
    }
    sn_mutex_unlock(&store->index_mu);
    return count;
}

/* Bring series that are new since the last flush into the order. */
static sn_status extend_order(struct sn_store *store, uint32_t series_count, struct sn_err *err) {
    size_t old = store->order_count;
    size_t more = series_count - store->order_end;
    if (more == 0)
        return SN_OK;
    uint32_t *order = sn_realloc_array(store->order, old + more, sizeof *order);
    if (order)
        store->order = order;
    SN_CLEANUP(sn_free_ptr) uint32_t *tail = sn_realloc_array(NULL, more, sizeof *tail);
    if (!order || !tail)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to sort %u series", series_count);
    more = list_new(store, series_count, tail);
    sort_tail(store, tail, more);
    merge_order(&store->index, order, old, tail, more);
    store->order_count = old + more;
    store->order_end = series_count;
    publish_order(store);
    return SN_OK;
}

void sn_store_sort_series(struct sn_store *store) {
    sn_mutex_lock(&store->index_mu);
    uint32_t count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    sn_mutex_lock(&store->flush_mu);
    if (count > store->order_end)
        (void)(extend_order(store, count, NULL) == SN_OK); /* the next flush tries again */
    sn_mutex_unlock(&store->flush_mu);
}

/* ---- the segment file ---- */

struct flush {
    struct sn_store *store;
    uint32_t series_count;  /* the catalogue will have series below */
    bool has_segment;       /* there was something to write */
    uint64_t exemplars_end; /* those below are in the transaction */
    struct sn_segment_row row;
    struct sn_segment *segment; /* owned until published */
    struct sn_segment_set *set; /* owned until published */
};

/* Memory that goes from series to series. */
struct scratch {
    struct sn_head_copy copy;
    struct sn_samples samples;
    struct sn_histogram_copy histogram_copy;
    struct sn_histograms histograms;
};

static void init_scratch(struct scratch *scratch) {
    sn_head_copy_init(&scratch->copy);
    sn_samples_init(&scratch->samples);
    sn_histogram_copy_init(&scratch->histogram_copy);
    sn_histograms_init(&scratch->histograms, HISTOGRAM_BYTES_MAX);
}

static void release_scratch(struct scratch *scratch) {
    sn_head_copy_release(&scratch->copy);
    sn_samples_release(&scratch->samples);
    sn_histogram_copy_release(&scratch->histogram_copy);
    sn_histograms_release(&scratch->histograms);
}

static sn_status write_one(struct sn_store *store, struct sn_segment_writer *writer, uint32_t id,
                           struct sn_chunk_ref chunk, struct scratch *scratch, struct sn_err *err) {
    sn_samples_reset(&scratch->samples);
    sn_histograms_reset(&scratch->histograms);
    sn_status status =
        sn_head_frozen_samples(&store->head, id, chunk, &scratch->copy, &scratch->samples);
    if (status == SN_OK)
        status = sn_head_frozen_histograms(&store->head, id, &scratch->histogram_copy,
                                           &scratch->histograms);
    if (status != SN_OK)
        return sn_err_set(err, status, "cannot read the open chunks of series %u", id);
    SN_TRY(sn_segment_writer_add(writer, id, &scratch->samples, err));
    return sn_segment_writer_add_histograms(writer, id, &scratch->histograms, err);
}

static sn_status write_slice(struct sn_store *store, struct sn_segment_writer *writer,
                             const uint32_t *ids, size_t count, struct scratch *scratch,
                             struct sn_err *err) {
    struct sn_chunk_ref chunks[SERIES_PER_LOCK];
    sn_mutex_lock(&store->append_mu);
    sn_head_frozen_chunks(&store->head, ids, count, chunks);
    sn_mutex_unlock(&store->append_mu);
    for (size_t i = 0; i < count; i++) {
        sn_head_prefetch_frozen(&store->head, chunks, count, i);
        SN_TRY(write_one(store, writer, ids[i], chunks[i], scratch, err));
    }
    return SN_OK;
}

static sn_status write_series(struct sn_store *store, struct sn_segment_writer *writer,
                              struct sn_err *err) {
    struct scratch scratch;
    init_scratch(&scratch);
    sn_status status = SN_OK;
    for (size_t at = 0; at < store->order_count && status == SN_OK; at += SERIES_PER_LOCK) {
        size_t count = store->order_count - at;
        if (count > SERIES_PER_LOCK)
            count = SERIES_PER_LOCK;
        status = write_slice(store, writer, store->order + at, count, &scratch, err);
    }
    release_scratch(&scratch);
    return status;
}

static sn_status write_segment(struct flush *flush, struct sn_err *err) {
    struct sn_store *store = flush->store;
    /* The writer holds two paths and a column: too much for the stack of a worker. */
    SN_CLEANUP(sn_free_ptr) struct sn_segment_writer *writer = sn_alloc(sizeof *writer);
    if (!writer)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write a segment");
    /* Kept over failures: nobody else may write a file of this name while a commit is in doubt. */
    if (store->flush_segment_id == 0)
        store->flush_segment_id = store->segment_id_next++;
    struct sn_segment_writer_options options = {.dir = store->seg_dir,
                                                .id = store->flush_segment_id,
                                                .clock = store->options.clock,
                                                .pause_ns = store->options.flush_pause_ns};
    SN_TRY(sn_segment_writer_open(writer, &options, err));
    sn_status status = write_series(store, writer, err);
    if (status == SN_OK)
        status = sn_segment_writer_finish(writer, store->seg_dir, err);
    if (status == SN_OK)
        flush->row = sn_segment_writer_row(writer, writer->footer.id);
    sn_segment_writer_release(writer);
    return status;
}

/* Open the file that was just written, as any reader would, and make the set that has it. */
static sn_status prepare_segment(struct flush *flush, struct sn_err *err) {
    struct sn_store *store = flush->store;
    SN_TRY(write_segment(flush, err));
    SN_TRY(sn_segment_open(store->seg_dir, &flush->row, flush->series_count, &flush->segment, err));
    if (flush->segment->damage.status != SN_OK)
        return sn_err_set(err, SN_ERR_IO, "reads back wrong: %s", flush->segment->damage.text);
    flush->set = sn_segments_with(&store->segments, flush->segment);
    if (!flush->set)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the list of segments");
    return SN_OK;
}

/* ---- the transaction ---- */

sn_status sn_store_put_series(struct sn_store *store, uint32_t end, struct sn_err *err) {
    struct sn_buf labels;
    sn_buf_init(&labels, 0);
    sn_status status = SN_OK;
    for (uint32_t id = atomic_load(&store->catalogued_count); id < end && status == SN_OK; id++) {
        sn_buf_reset(&labels);
        sn_series_index_encode(&store->index, id, &labels);
        status = sn_buf_status(&labels, err);
        if (status == SN_OK)
            status = sn_catalog_add_series(&store->catalog, id, sn_buf_str(&labels), err);
    }
    sn_buf_release(&labels);
    return status;
}

static sn_status put_records(struct sn_store *store, const struct sn_buf *records,
                             struct sn_err *err) {
    const uint8_t *at = records->ptr;
    const uint8_t *end = records->ptr + records->len;
    struct sn_log_record record;
    sn_status status = SN_OK;
    while (at != end && status == SN_OK) {
        struct sn_metadata metadata;
        SN_TRY(sn_log_next(&at, end, &record, err));
        SN_TRY(sn_log_read_metadata(&record, &metadata, err));
        status = sn_catalog_put_metadata(&store->catalog, &metadata, err);
    }
    return status;
}

/* The form of the log is a handy copy: no statement runs under the index lock. */
static sn_status put_metadata(struct sn_store *store, struct sn_err *err) {
    struct sn_buf records;
    sn_buf_init(&records, 0);
    sn_mutex_lock(&store->index_mu);
    sn_metadata_table_begin_store(&store->metadata, &records);
    sn_mutex_unlock(&store->index_mu);
    sn_status status = sn_buf_status(&records, err);
    if (status == SN_OK && records.len > 0)
        status = put_records(store, &records, err);
    sn_buf_release(&records);
    return status;
}

/* A number that changes after this is written by the next flush again. */
static sn_status put_churn(struct sn_store *store, struct sn_err *err) {
    struct sn_churn_hour hours[SN_CHURN_HOURS];
    int64_t now_ms = sn_store_wall_ms(store);
    sn_mutex_lock(&store->index_mu);
    size_t count = sn_churn_list(&store->churn, now_ms, hours);
    sn_mutex_unlock(&store->index_mu);
    for (size_t i = 0; i < count; i++) {
        if (!hours[i].is_stored)
            SN_TRY(sn_catalog_put_churn(&store->catalog, hours[i].time_ms, hours[i].created_count,
                                        now_ms - SN_CHURN_HOURS * SN_CHURN_HOUR_MS, err));
    }
    return SN_OK;
}

/* Some of the exemplars that are not stored yet, [*seq, end), as items. Those that went meanwhile are
 * left out. */
static void copy_exemplars(struct sn_store *store, uint64_t *seq, uint64_t end,
                           struct sn_buf *items) {
    struct sn_exemplars *ring = &store->exemplars;
    sn_mutex_lock(&store->append_mu);
    if (*seq < ring->oldest)
        *seq = ring->oldest < end ? ring->oldest : end;
    for (int i = 0; i < EXEMPLARS_PER_LOCK && *seq < end; i++) {
        struct sn_log_exemplar exemplar = sn_exemplars_at(ring, (*seq)++);
        sn_log_put_exemplar(items, &exemplar);
    }
    sn_mutex_unlock(&store->append_mu);
}

/* The writer is the committer's: this one is the flush's own. */
static sn_status pack_exemplars(struct sn_str items, struct sn_buf *records, struct sn_err *err) {
    struct sn_log_writer writer;
    sn_status status = sn_log_writer_init(&writer);
    if (status == SN_OK)
        status = sn_log_put_exemplars(&writer, items, records);
    sn_log_writer_release(&writer);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to store exemplars");
    return SN_OK;
}

/* All exemplars up to now, which are at least those of the frozen epoch. */
static sn_status put_exemplars(struct flush *flush, struct sn_err *err) {
    struct sn_store *store = flush->store;
    struct sn_exemplar_rows *rows = &store->exemplar_rows;
    struct sn_buf items;
    struct sn_buf records;
    sn_mutex_lock(&store->append_mu);
    uint64_t seq = store->exemplars.stored;
    uint64_t oldest = store->exemplars.oldest;
    flush->exemplars_end = store->exemplars.next;
    sn_mutex_unlock(&store->append_mu);
    if (seq == flush->exemplars_end)
        return SN_OK;
    if (sn_exemplar_rows_reserve(rows) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to store exemplars");
    sn_buf_init(&items, 0);
    sn_buf_init(&records, 0);
    while (seq < flush->exemplars_end)
        copy_exemplars(store, &seq, flush->exemplars_end, &items);
    sn_status status = sn_buf_status(&items, err);
    if (status == SN_OK)
        status = pack_exemplars(sn_buf_str(&items), &records, err);
    if (status == SN_OK)
        status = sn_catalog_put_exemplars(&store->catalog, sn_exemplar_rows_next(rows),
                                          sn_buf_str(&records),
                                          sn_exemplar_rows_first(rows, oldest), err);
    sn_buf_release(&items);
    sn_buf_release(&records);
    return status;
}

/* The transaction has committed; room for the row was made before. */
static void finish_exemplars(struct flush *flush) {
    struct sn_store *store = flush->store;
    struct sn_exemplar_rows *rows = &store->exemplar_rows;
    sn_mutex_lock(&store->append_mu);
    bool has_row = store->exemplars.stored < flush->exemplars_end;
    uint64_t oldest = store->exemplars.oldest;
    store->exemplars.stored = flush->exemplars_end;
    sn_mutex_unlock(&store->append_mu);
    if (!has_row)
        return;
    SN_CHECK(sn_exemplar_rows_add(rows, sn_exemplar_rows_next(rows), flush->exemplars_end) ==
             SN_OK);
    sn_exemplar_rows_drop(rows, sn_exemplar_rows_first(rows, oldest));
}

static sn_status fill_transaction(struct flush *flush, uint64_t flushed_log, struct sn_err *err) {
    struct sn_store *store = flush->store;
    SN_TRY(sn_store_put_removed(store, err));
    SN_TRY(sn_store_put_series(store, flush->series_count, err));
    SN_TRY(put_metadata(store, err));
    SN_TRY(put_churn(store, err));
    SN_TRY(put_exemplars(flush, err));
    if (flush->has_segment)
        SN_TRY(sn_catalog_add_segment(&store->catalog, &flush->row, err));
    if (flushed_log > 0)
        SN_TRY(sn_catalog_set_flushed_log(&store->catalog, flushed_log, err));
    return sn_catalog_commit(&store->catalog, err);
}

static sn_status commit_flush(struct flush *flush, uint64_t flushed_log, struct sn_err *err) {
    SN_TRY(sn_catalog_begin(&flush->store->catalog, err));
    sn_status status = fill_transaction(flush, flushed_log, err);
    if (status != SN_OK)
        sn_catalog_rollback(&flush->store->catalog);
    return status;
}

/* ---- after the commit: nothing fails ---- */

static void drop_frozen(struct sn_store *store) {
    sn_mutex_lock(&store->append_mu);
    sn_head_drop_begin(&store->head);
    sn_mutex_unlock(&store->append_mu);
    for (size_t at = 0; at < store->order_end; at += SWEEP_PER_LOCK) {
        size_t end =
            at + SWEEP_PER_LOCK < store->order_end ? at + SWEEP_PER_LOCK : store->order_end;
        sn_mutex_lock(&store->append_mu);
        sn_head_drop_sweep(&store->head, (uint32_t)at, (uint32_t)end);
        sn_mutex_unlock(&store->append_mu);
    }
    sn_mutex_lock(&store->append_mu);
    struct sn_head_epoch dropped = sn_head_drop_end(&store->head);
    sn_mutex_unlock(&store->append_mu);
    sn_head_epoch_release(&dropped);
}

static void finish_flush(struct flush *flush, uint64_t flushed_log) {
    struct sn_store *store = flush->store;
    sn_store_forget_removed(store);
    atomic_store(&store->catalogued_count, flush->series_count);
    if (flush->has_segment) {
        sn_segments_publish(&store->segments, SN_TAKE(flush->set));
        store->flush_segment_id = 0;
    }
    sn_mutex_lock(&store->index_mu);
    sn_metadata_table_end_store(&store->metadata);
    sn_churn_mark_stored(&store->churn, sn_store_wall_ms(store));
    sn_mutex_unlock(&store->index_mu);
    drop_frozen(store);
    finish_exemplars(flush);
    sn_log_delete_through(&store->log, flushed_log);
    atomic_store_explicit(&store->log_bytes, sn_log_totals(&store->log).bytes,
                          memory_order_relaxed);
}

/* ---- one flush ---- */

/* The frozen epoch, which may be left over from a flush that failed. */
static sn_status flush_frozen(struct sn_store *store, struct sn_err *err) {
    struct flush flush = {.store = store};
    sn_mutex_lock(&store->index_mu);
    flush.series_count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    SN_TRY(extend_order(store, flush.series_count, err));
    flush.has_segment = !sn_head_epoch_is_empty(&store->head.epochs[!store->head.parity]);
    sn_status status = flush.has_segment ? prepare_segment(&flush, err) : SN_OK;
    if (status == SN_OK) {
        uint64_t flushed_log = sn_log_last_of_epoch(&store->log, store->frozen_epoch);
        status = commit_flush(&flush, flushed_log, err);
        if (status == SN_OK)
            finish_flush(&flush, flushed_log);
    }
    sn_segment_set_unref(flush.set);
    sn_segment_unref(flush.segment);
    return status;
}

/* Freeze the current epoch if there is anything to write. */
static bool freeze(struct sn_store *store) {
    sn_mutex_lock(&store->index_mu);
    bool has_work = store->metadata.unstored_count > 0 ||
                    store->index.count > atomic_load(&store->catalogued_count);
    sn_mutex_unlock(&store->index_mu);
    has_work = has_work || sn_log_totals(&store->log).file_count > 0;
    sn_mutex_lock(&store->append_mu);
    struct sn_head *head = &store->head;
    has_work = has_work || !sn_head_epoch_is_empty(&head->epochs[head->parity]);
    if (has_work) {
        sn_head_freeze(head);
        store->frozen_epoch = store->epoch++;
    }
    sn_mutex_unlock(&store->append_mu);
    return has_work;
}

static sn_status flush_locked(struct sn_store *store, struct sn_err *err) {
    if (store->head.has_frozen)
        SN_TRY(flush_frozen(store, err));
    return freeze(store) ? flush_frozen(store, err) : SN_OK;
}

static void note_result(struct sn_store *store, int64_t started_ns, sn_status status,
                        const struct sn_err *err) {
    int64_t now = sn_store_mono_ns(store);
    sn_mutex_lock(&store->wake_mu);
    store->flush_last_ns = now;
    store->flush_duration_ns = now - started_ns;
    store->is_flush_wanted = false;
    store->flush_error = status == SN_OK ? (struct sn_err){.status = SN_OK} : *err;
    sn_mutex_unlock(&store->wake_mu);
    sn_store_count(status == SN_OK ? &store->counters.flush : &store->counters.flush_failure, 1);
}

sn_status sn_store_flush(struct sn_store *store, struct sn_err *err) {
    struct sn_err why = {.status = SN_OK};
    sn_mutex_lock(&store->flush_mu);
    int64_t started_ns = sn_store_mono_ns(store);
    sn_status status = flush_locked(store, &why);
    note_result(store, started_ns, status, &why);
    sn_mutex_unlock(&store->flush_mu);
    return status == SN_OK ? SN_OK : sn_err_set(err, status, "flush: %s", why.text);
}

/* ---- the worker ---- */

void sn_store_want_flush(struct sn_store *store) {
    sn_mutex_lock(&store->wake_mu);
    store->is_flush_wanted = true;
    sn_cond_signal(&store->wake);
    sn_mutex_unlock(&store->wake_mu);
}

static bool is_flush_due_locked(const struct sn_store *store) {
    int64_t since = sn_store_mono_ns(store) - store->flush_last_ns;
    if (store->flush_error.status != SN_OK)
        return since >= RETRY_AFTER_FAILURE_NS;
    return store->is_flush_wanted || since >= store->options.flush_interval_ms * 1000000;
}

/* Wait for stop (false) or for the next look at what is due. */
static bool wait_tick(struct sn_store *store, bool *ret_flush) {
    sn_mutex_lock(&store->wake_mu);
    if (!store->stop_flush && !is_flush_due_locked(store))
        (void)sn_cond_wait_ns(&store->wake, &store->wake_mu, WORKER_TICK_NS);
    bool goes_on = !store->stop_flush;
    *ret_flush = goes_on && is_flush_due_locked(store);
    sn_mutex_unlock(&store->wake_mu);
    return goes_on;
}

bool sn_store_flush_step(struct sn_store *store) {
    sn_mutex_lock(&store->wake_mu);
    bool goes_on = !store->stop_flush;
    bool must_flush = goes_on && is_flush_due_locked(store);
    sn_mutex_unlock(&store->wake_mu);
    if (must_flush)
        (void)(sn_store_flush(store, NULL) == SN_OK); /* kept in flush_error */
    return goes_on;
}

/* Whether a minute has passed since the last look at what segments there are. */
static bool is_care_due(struct sn_store *store) {
    sn_mutex_lock(&store->flush_mu);
    int64_t since = sn_store_mono_ns(store) - store->retention_checked_ns;
    sn_mutex_unlock(&store->flush_mu);
    return since >= CARE_EVERY_NS;
}

/* Rollups of a window are made once it has passed: no hurry. False: the worker is to stop. */
static bool make_rollups(struct sn_store *store) {
    int64_t now = sn_store_mono_ns(store);
    if (store->has_rolled && now - store->rolled_ns < ROLL_UP_EVERY_NS)
        return true;
    store->has_rolled = true;
    store->rolled_ns = now;
    return sn_store_roll_up(store, NULL, NULL) != SN_ERR_CLOSED; /* the rest is tried again */
}

/* What fails is counted and tried again in a minute. Rollups come before what they are made of goes; a
 * disk without room for them must not keep it from going. */
static void care_for_segments(struct sn_store *store) {
    sn_store_sort_series(store);
    (void)(sn_store_apply_rules(store, NULL) == SN_OK);
    (void)(sn_store_rewrite_for_rules(store, NULL) == SN_OK);
    (void)(sn_store_compact(store, NULL, NULL) == SN_OK);
    if (!make_rollups(store))
        return;
    (void)(sn_store_apply_retention(store, NULL, NULL) == SN_OK);
    sn_mutex_lock(&store->flush_mu);
    bool is_gc_wanted = store->is_gc_wanted;
    store->is_gc_wanted = false;
    sn_mutex_unlock(&store->flush_mu);
    if (is_gc_wanted)
        (void)(sn_store_collect_series(store, NULL, NULL) == SN_OK);
}

void sn_store_flush_run(void *ctx) {
    struct sn_store *store = ctx;
    bool must_flush;
    sn_store_sort_series(store);
    (void)(sn_store_apply_rules(store, NULL) == SN_OK); /* the next minute tries again */
    while (wait_tick(store, &must_flush)) {
        if (must_flush)
            (void)(sn_store_flush(store, NULL) == SN_OK); /* kept in flush_error: health tells */
        if (must_flush || is_care_due(store))
            care_for_segments(store);
    }
}

void sn_store_flush_stop(void *ctx) {
    struct sn_store *store = ctx;
    sn_mutex_lock(&store->wake_mu);
    store->stop_flush = true;
    sn_cond_broadcast(&store->wake);
    sn_mutex_unlock(&store->wake_mu);
}
