/*
 * Compaction: many small segments become one.
 *
 *   choose (flush lock) -> merge into a new file -> open it as any reader would -> one transaction
 *   {old rows out, new row in} (flush lock) -> publish the set -> delete the old files
 *
 * Invariants:
 *   1. Until the transaction has committed, the old segments count and the new file does not: a
 *      crash leaves the one or the other as files without a row, which recovery deletes.
 *   2. A commit that reported a failure may be on disk after all. So nobody writes a file of that
 *      number again (segment_id_next), and the file stays until the catalogue is settled; there is at
 *      most one such file (doubtful_segment_id).
 *   3. While the file is written no lock is held: flushes, retention, pushes and reads go on. If an
 *      input is gone afterwards the work is thrown away.
 *
 * Threads: any, one at a time (is_compacting).
 */
#include "base/mem.h"
#include "base/os.h"
#include "store/compact_merge.h"
#include "store/compact_plan.h"
#include "store/store_priv.h"

#include <errno.h>
#include <inttypes.h>

struct compaction {
    struct sn_store *store;
    struct sn_segment_set *set; /* owned: what was chosen from */
    struct sn_compact_plan plan;
    struct sn_segment *inputs[SN_COMPACT_INPUTS_MAX]; /* of set */
    uint64_t id;                                      /* of the new segment */
    uint32_t series_count;
    struct sn_segment_row row;
    struct sn_segment *output; /* owned */
    uint64_t delete_count;     /* of the store when it was chosen */
    bool is_empty;             /* everything in the inputs is deleted: nothing takes their place */
    bool has_file;             /* the new file has its name */
    bool is_done;              /* the new segment counts */
};

/* ---- choosing ---- */

static struct sn_compact_candidate candidate_of(struct sn_segment *segment) {
    unsigned failures = atomic_load(&segment->merge_failure_count);
    return (struct sn_compact_candidate){.bytes = segment->bytes,
                                         .series_count = segment->footer.series_count,
                                         .sample_count = segment->footer.sample_count,
                                         .time_min = segment->footer.time_min,
                                         .time_max = segment->footer.time_max,
                                         .is_usable = segment->damage.status == SN_OK &&
                                                      failures < SN_MERGE_FAILURES_MAX};
}

/* False in *ret_found: nothing to do. */
static sn_status choose(struct compaction *compaction, bool *ret_found, struct sn_err *err) {
    const struct sn_segment_set *set = compaction->set;
    struct sn_store *store = compaction->store;
    *ret_found = false;
    if (set->count < 2)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr)
    struct sn_compact_candidate *candidates = sn_alloc_zero(set->count, sizeof *candidates);
    if (!candidates)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look at %zu segments", set->count);
    for (size_t i = 0; i < set->count; i++)
        candidates[i] = candidate_of(set->items[i]);
    *ret_found = sn_compact_plan_next(candidates, set->count, store->options.compact_window_ms,
                                      sn_store_wall_ms(store), &compaction->plan);
    for (size_t i = 0; *ret_found && i < compaction->plan.count; i++)
        compaction->inputs[i] = set->items[compaction->plan.items[i]];
    return SN_OK;
}

void sn_store_delete_segment_file(struct sn_store *store, uint64_t id) {
    char path[SN_PATH_BYTES_MAX];
    if (sn_segment_path(path, store->seg_dir, id))
        (void)sn_os_unlink(path); /* has no row: recovery deletes it as well */
}

/* Invariant 2: before there is another file, the one in doubt goes. */
sn_status sn_store_settle_locked(struct sn_store *store, struct sn_err *err) {
    if (store->doubtful_segment_id == 0)
        return SN_OK;
    SN_TRY(sn_catalog_settle(&store->catalog, err));
    sn_store_delete_segment_file(store, store->doubtful_segment_id);
    if (store->doubtful_count > 1)
        sn_store_delete_segment_file(store, store->doubtful_segment_id + 1);
    store->doubtful_segment_id = 0;
    return SN_OK;
}

static sn_status begin(struct compaction *compaction, bool *ret_found, struct sn_err *err) {
    struct sn_store *store = compaction->store;
    sn_mutex_lock(&store->flush_mu);
    sn_status status = sn_store_settle_locked(store, err);
    compaction->set = sn_segments_ref(&store->segments);
    if (status == SN_OK)
        status = choose(compaction, ret_found, err);
    if (status == SN_OK && *ret_found)
        compaction->id = store->segment_id_next++;
    compaction->delete_count = store->delete_count;
    sn_mutex_unlock(&store->flush_mu);
    sn_mutex_lock(&store->index_mu);
    compaction->series_count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    return status;
}

/* The new file is hardly larger than its inputs; the log must have room beside it. */
static sn_status check_space(const struct compaction *compaction, struct sn_err *err) {
    const struct sn_store *store = compaction->store;
    struct statvfs disk;
    if (sn_os_statvfs(store->seg_dir, &disk) != 0)
        return sn_err_set_errno(err, errno, "cannot ask for the free space of %s", store->seg_dir);
    uint64_t free_bytes = (uint64_t)disk.f_bavail * disk.f_frsize;
    uint64_t needed = compaction->plan.bytes + store->options.log_bytes_max;
    if (free_bytes < needed)
        return sn_err_set(err, SN_ERR_NO_SPACE,
                          "merging %zu segments needs %" PRIu64 " bytes, %" PRIu64 " are free",
                          compaction->plan.count, needed, free_bytes);
    return SN_OK;
}

/* ---- the new file ---- */

static bool goes_on(void *ctx) {
    return sn_store_flush_step(ctx);
}

/* A file that fails its checks is left alone from now on; a read that fails is tried again. */
static void note_culprit(struct compaction *compaction, size_t culprit, sn_status status,
                         struct sn_err *err) {
    struct sn_store *store = compaction->store;
    struct sn_segment *segment = compaction->inputs[culprit];
    unsigned more = status == SN_ERR_CORRUPT ? SN_MERGE_FAILURES_MAX : 1;
    sn_segment_name_error(segment, err);
    if (atomic_fetch_add(&segment->merge_failure_count, more) + more < SN_MERGE_FAILURES_MAX)
        return;
    sn_store_count(&store->counters.compaction_damaged, 1);
    sn_mutex_lock(&store->wake_mu);
    if (store->compaction_damage.status == SN_OK)
        store->compaction_damage = *err;
    sn_mutex_unlock(&store->wake_mu);
}

static sn_status merge_into(struct compaction *compaction, struct sn_segment_writer *writer,
                            struct sn_err *err) {
    struct sn_store *store = compaction->store;
    size_t count = compaction->plan.count;
    size_t culprit = count;
    struct sn_compact_merge merge = {.inputs = compaction->inputs,
                                     .input_count = count,
                                     .tombstones = compaction->set->tombstones,
                                     .index = &store->index,
                                     .series_count = compaction->series_count,
                                     .writer = writer,
                                     .goes_on = goes_on,
                                     .ctx = store};
    sn_status status = sn_compact_merge(&merge, &culprit, err);
    if (status != SN_OK && culprit < count)
        note_culprit(compaction, culprit, status, err);
    if (status != SN_OK)
        return status;
    compaction->is_empty = writer->footer.pack_count == 0 && writer->builder.chunk_count == 0;
    if (compaction->is_empty)
        return SN_OK;
    return sn_segment_writer_finish(writer, store->seg_dir, err);
}

static sn_status write_file(struct compaction *compaction, struct sn_err *err) {
    struct sn_store *store = compaction->store;
    /* The writer holds two paths and a column: too much for the stack of a worker. */
    SN_CLEANUP(sn_free_ptr) struct sn_segment_writer *writer = sn_alloc(sizeof *writer);
    if (!writer)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write a segment");
    struct sn_segment_writer_options options = {.dir = store->seg_dir,
                                                .id = compaction->id,
                                                .clock = store->options.clock,
                                                .pause_ns = store->options.flush_pause_ns,
                                                .is_merged = true};
    SN_TRY(sn_segment_writer_open(writer, &options, err));
    sn_status status = merge_into(compaction, writer, err);
    if (status == SN_OK && !compaction->is_empty) {
        compaction->has_file = true;
        compaction->row =
            sn_segment_writer_row(writer, compaction->inputs[compaction->plan.count - 1]->rank);
    }
    sn_segment_writer_release(writer);
    return status;
}

static sn_status prepare(struct compaction *compaction, struct sn_err *err) {
    SN_TRY(check_space(compaction, err));
    SN_TRY(write_file(compaction, err));
    if (compaction->is_empty)
        return SN_OK;
    SN_TRY(sn_segment_open(compaction->store->seg_dir, &compaction->row, compaction->series_count,
                           &compaction->output, err));
    if (compaction->output->damage.status != SN_OK)
        return sn_err_set(err, SN_ERR_IO, "reads back wrong: %s", compaction->output->damage.text);
    return SN_OK;
}

/* ---- the exchange ---- */

static bool is_input(const struct compaction *compaction, const struct sn_segment *segment) {
    for (size_t i = 0; i < compaction->plan.count; i++) {
        if (compaction->inputs[i] == segment)
            return true;
    }
    return false;
}

static sn_status exchange_locked(struct compaction *compaction, struct sn_err *err) {
    struct sn_store *store = compaction->store;
    const struct sn_segment_set *set = store->segments.set;
    size_t found = 0;
    if (set->count < compaction->plan.count)
        return SN_OK;
    /* What was deleted meanwhile is in the new file, whose rank may be above that of the deletion. */
    if (compaction->delete_count != store->delete_count)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) bool *is_dropped = sn_alloc_zero(set->count, sizeof *is_dropped);
    if (!is_dropped)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look at %zu segments", set->count);
    for (size_t i = 0; i < set->count; i++) {
        is_dropped[i] = is_input(compaction, set->items[i]);
        found += is_dropped[i];
    }
    if (found < compaction->plan.count)
        return SN_OK; /* invariant 3: retention took one */
    sn_status status = sn_store_replace_segments(store, is_dropped, compaction->output,
                                                 &compaction->row, NULL, err);
    compaction->is_done = status == SN_OK;
    if (status != SN_OK && !compaction->is_empty) {
        store->doubtful_segment_id = compaction->id;
        store->doubtful_count = 1;
        compaction->has_file = false; /* not ours to delete any more */
    }
    return status;
}

static sn_status exchange(struct compaction *compaction, struct sn_err *err) {
    sn_mutex_lock(&compaction->store->flush_mu);
    sn_status status = exchange_locked(compaction, err);
    sn_mutex_unlock(&compaction->store->flush_mu);
    return status;
}

static void count_done(const struct compaction *compaction) {
    struct sn_store_counters *counters = &compaction->store->counters;
    sn_store_count(&counters->compaction, 1);
    sn_store_count(&counters->compaction_bytes_in, compaction->plan.bytes);
    sn_store_count(&counters->compaction_bytes_out, compaction->row.bytes);
}

static void release(struct compaction *compaction) {
    if (compaction->has_file && !compaction->is_done)
        sn_store_delete_segment_file(compaction->store, compaction->id);
    sn_segment_unref(compaction->output);
    sn_segment_set_unref(compaction->set);
}

/* ---- all that is due ---- */

static void note_result(struct sn_store *store, int64_t started_ns, sn_status status,
                        const struct sn_err *err) {
    sn_mutex_lock(&store->wake_mu);
    store->compaction_duration_ns = sn_store_mono_ns(store) - started_ns;
    store->compaction_error = status == SN_OK ? (struct sn_err){.status = SN_OK} : *err;
    sn_mutex_unlock(&store->wake_mu);
    if (status != SN_OK)
        sn_store_count(&store->counters.compaction_failure, 1);
}

/* Merge one group. *ret_again: there may be more to do. */
static sn_status compact_one(struct sn_store *store, bool *ret_done, bool *ret_again,
                             struct sn_err *err) {
    struct compaction compaction = {.store = store};
    int64_t started_ns = sn_store_mono_ns(store);
    bool is_found = false;
    sn_status status = begin(&compaction, &is_found, err);
    if (status == SN_OK && is_found)
        status = prepare(&compaction, err);
    if (status == SN_OK && is_found)
        status = exchange(&compaction, err);
    if (compaction.is_done)
        count_done(&compaction);
    if ((is_found || status != SN_OK) && status != SN_ERR_CLOSED)
        note_result(store, started_ns, status, err);
    *ret_done = compaction.is_done;
    *ret_again = is_found && status == SN_OK;
    /* Damage is noted, and the planner goes around it. */
    if (status == SN_ERR_CORRUPT && is_found) {
        *ret_again = true;
        status = SN_OK;
    }
    release(&compaction);
    return status;
}

static sn_status compact_all(struct sn_store *store, size_t *ret_count, struct sn_err *err) {
    size_t count = 0;
    bool again = true;
    sn_status status = SN_OK;
    while (again && status == SN_OK) {
        struct sn_err why = {.status = SN_OK};
        bool is_done = false;
        status = compact_one(store, &is_done, &again, &why);
        count += is_done;
        if (status != SN_OK)
            (void)sn_err_set(err, status, "compaction: %s", why.text);
    }
    *ret_count = count;
    return status;
}

/* Choose one segment by its number. */
static sn_status begin_rewrite(struct compaction *compaction, uint64_t id, bool *ret_found,
                               struct sn_err *err) {
    struct sn_store *store = compaction->store;
    sn_mutex_lock(&store->flush_mu);
    sn_status status = sn_store_settle_locked(store, err);
    compaction->set = sn_segments_ref(&store->segments);
    for (size_t i = 0; i < compaction->set->count && status == SN_OK; i++) {
        if (compaction->set->items[i]->id != id)
            continue;
        compaction->inputs[0] = compaction->set->items[i];
        compaction->plan.items[0] = i;
        compaction->plan.count = 1;
        compaction->plan.bytes = compaction->set->items[i]->bytes;
        compaction->id = store->segment_id_next++;
        compaction->delete_count = store->delete_count;
        *ret_found = true;
    }
    sn_mutex_unlock(&store->flush_mu);
    sn_mutex_lock(&store->index_mu);
    compaction->series_count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    return status;
}

sn_status sn_store_rewrite_entered(struct sn_store *store, uint64_t id, struct sn_err *err) {
    struct compaction compaction = {.store = store};
    bool is_found = false;
    sn_status status = begin_rewrite(&compaction, id, &is_found, err);
    if (status == SN_OK && is_found)
        status = prepare(&compaction, err);
    if (status == SN_OK && is_found)
        status = exchange(&compaction, err);
    if (compaction.is_done)
        count_done(&compaction);
    else if (status == SN_OK && is_found)
        status = sn_err_set(err, SN_ERR_BUSY, "segments changed meanwhile: try again");
    release(&compaction);
    return status;
}

static bool enter(struct sn_store *store) {
    sn_mutex_lock(&store->flush_mu);
    bool is_free = !store->is_compacting;
    store->is_compacting = true;
    sn_mutex_unlock(&store->flush_mu);
    return is_free;
}

bool sn_store_enter_compaction(struct sn_store *store) {
    return enter(store);
}

void sn_store_leave_compaction(struct sn_store *store) {
    sn_mutex_lock(&store->flush_mu);
    store->is_compacting = false;
    sn_mutex_unlock(&store->flush_mu);
}

sn_status sn_store_compact(struct sn_store *store, size_t *ret_count, struct sn_err *err) {
    size_t count = 0;
    sn_status status = SN_OK;
    if (!enter(store))
        return sn_err_set(err, SN_ERR_BUSY, "a compaction is under way");
    if (store->options.compact_window_ms > 0)
        status = compact_all(store, &count, err);
    sn_store_leave_compaction(store);
    if (status == SN_OK && ret_count)
        *ret_count = count;
    return status;
}
