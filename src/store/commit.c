/*
 * The committer: takes groups in order, writes each to the log, waits for the disk, acknowledges.
 *
 *            write or fsync fails            again, in a new file
 *   writing --------------------> new file ----------------------> refusing
 *      ^                             | works                          |  probe works
 *      '-----------------------------'--------------------------------'
 *
 * Invariants:
 *   1. A file on which a write or an fsync failed is never used again; its unacknowledged group is
 *      written once more, to a new file. When that fails too, the group fails and pushes are
 *      refused until a probe (or a group that was already queued) reaches the disk.
 *   2. Before the samples of a group its series are defined, in the same log or an older one, or in
 *      the catalogue: defined_count moves on only when a group is durable.
 *   3. A start time is logged where it changes. When a group is lost the rest of its epoch says the
 *      start time of every sample, because nobody knows which changes were in it.
 *   4. In relaxed mode groups are acknowledged before the fsync. When that fsync fails, the head still
 *      has everything: a flush is asked for, and all definitions are written again.
 *
 * One thread at a time: the sync worker, or whoever opens and closes the store.
 */
#include "base/check.h"
#include "store/store_priv.h"

enum {
    SERIES_RECORD_BYTES = 1 << 20, /* definitions are cut into records of about this size */
    ATTEMPTS = 2,
};
#define RELAXED_SYNC_NS INT64_C(1000000000)

/* ---- bytes of a group ---- */

static sn_status put_definitions(struct sn_store *store, uint32_t end) {
    struct sn_buf *out = &store->commit_buf;
    uint32_t id = store->defined_count;
    while (id < end && out->status == SN_OK) {
        uint32_t first = id;
        struct sn_log_series_record record = sn_log_begin_series(out, first);
        while (id < end && out->len - record.start < SERIES_RECORD_BYTES && out->status == SN_OK) {
            sn_buf_reset(&store->labels_buf);
            sn_series_index_encode(&store->index, id++, &store->labels_buf);
            if (store->labels_buf.status != SN_OK)
                return store->labels_buf.status;
            sn_log_put_series(out, sn_buf_str(&store->labels_buf));
        }
        sn_log_end_series(out, record, id - first);
    }
    return out->status;
}

static sn_status encode(struct sn_store *store, const struct sn_group *group) {
    struct sn_buf *out = &store->commit_buf;
    sn_buf_reset(out);
    SN_TRY(put_definitions(store, group->series_end));
    struct sn_log_samples samples = {.series = group->series,
                                     .time_ms = group->time_ms,
                                     .value = group->value,
                                     .count = group->count,
                                     .starts = group->starts,
                                     .start_count = group->start_count};
    SN_TRY(sn_log_put_samples(&store->log_writer, samples, out));
    SN_TRY(sn_log_put_histograms(&store->log_writer, sn_buf_str(&group->histograms), out));
    SN_TRY(sn_log_put_exemplars(&store->log_writer, sn_buf_str(&group->exemplars), out));
    sn_buf_put(out, group->metadata.ptr, group->metadata.len);
    return out->status;
}

/* ---- refusing ---- */

static void note_lost_starts(struct sn_store *store, uint64_t epoch) {
    sn_mutex_lock(&store->append_mu);
    if (epoch > store->starts_lost_epoch)
        store->starts_lost_epoch = epoch;
    sn_mutex_unlock(&store->append_mu);
}

static void start_refusing(struct sn_store *store, const struct sn_err *why) {
    sn_mutex_lock(&store->append_mu);
    struct sn_store_refusal *refusal = &store->refusal;
    if (!refusal->is_refusing)
        refusal->since_wall_ms = sn_store_wall_ms(store);
    refusal->is_refusing = true;
    sn_status status = why->status == SN_ERR_NO_SPACE ? SN_ERR_NO_SPACE : SN_ERR_IO;
    (void)sn_err_set(&refusal->reason, status, "writes are refused: %s", why->text);
    sn_mutex_unlock(&store->append_mu);
}

static void stop_refusing(struct sn_store *store) {
    sn_mutex_lock(&store->append_mu);
    store->refusal.is_refusing = false;
    sn_mutex_unlock(&store->append_mu);
}

static uint64_t current_epoch(struct sn_store *store) {
    sn_mutex_lock(&store->append_mu);
    uint64_t epoch = store->epoch;
    sn_mutex_unlock(&store->append_mu);
    return epoch;
}

static void probe(struct sn_store *store) {
    struct sn_err err;
    if (sn_log_probe(&store->log, current_epoch(store), &err) == SN_OK)
        stop_refusing(store);
    else
        start_refusing(store, &err);
}

/* ---- relaxed durability ---- */

static void sync_relaxed(struct sn_store *store) {
    struct sn_err err;
    int64_t now = sn_store_mono_ns(store);
    if (!store->is_unsynced || now - store->synced_ns < RELAXED_SYNC_NS)
        return;
    store->synced_ns = now;
    store->is_unsynced = false;
    if (sn_log_sync(&store->log, &err) == SN_OK)
        return;
    store->defined_count = atomic_load(&store->catalogued_count);
    note_lost_starts(store, store->log.epoch);
    sn_store_want_flush(store);
}

/* ---- groups ---- */

static sn_status write_group(struct sn_store *store, const struct sn_group *group,
                             struct sn_err *err) {
    sn_status status = encode(store, group);
    if (status != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write %zu samples to the log",
                          group->count);
    bool is_strict = store->options.durability == SN_STORE_STRICT;
    struct sn_str bytes = sn_buf_str(&store->commit_buf);
    for (int i = 0; i < ATTEMPTS; i++) {
        status = sn_log_append(&store->log, group->epoch, bytes, is_strict, err);
        if (status == SN_OK)
            break;
    }
    if (status != SN_OK) {
        start_refusing(store, err);
        return status;
    }
    if (group->series_end > store->defined_count)
        store->defined_count = group->series_end;
    store->is_unsynced = !is_strict;
    atomic_store_explicit(&store->log_bytes, sn_log_totals(&store->log).bytes,
                          memory_order_relaxed);
    return SN_OK;
}

static bool is_refusing(struct sn_store *store) {
    sn_mutex_lock(&store->append_mu);
    bool refusing = store->refusal.is_refusing;
    sn_mutex_unlock(&store->append_mu);
    return refusing;
}

/* A failed write may succeed with the next group: the disk has decided, not we. */
static void commit_group(struct sn_store *store, struct sn_group *group) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = SN_OK;
    bool has_bytes = group->count > 0 || group->metadata.len > 0 || group->histograms.len > 0 ||
                     group->exemplars.len > 0;
    if (has_bytes)
        status = write_group(store, group, &err);
    if (has_bytes && status == SN_OK && is_refusing(store))
        stop_refusing(store);
    if (status != SN_OK)
        note_lost_starts(store, group->epoch);
    sn_group_finish(group, status, status == SN_OK ? NULL : &err);
    if (atomic_load_explicit(&store->log_bytes, memory_order_relaxed) >=
        store->options.log_bytes_max)
        sn_store_want_flush(store);
}

void sn_store_commit_queued(struct sn_store *store) {
    sn_mutex_lock(&store->append_mu);
    struct sn_group *group;
    while ((group = sn_group_queue_take(&store->queue)) != NULL) {
        sn_mutex_unlock(&store->append_mu);
        commit_group(store, group);
        sn_mutex_lock(&store->append_mu);
        sn_group_queue_pop(&store->queue);
    }
    sn_mutex_unlock(&store->append_mu);
}

/* ---- the worker ---- */

/* Wait for a group, for stop, or for the time of a probe or of a relaxed fsync. Returns false
 * when there is nothing left to do, ever. */
static bool wait_for_work(struct sn_store *store, bool *ret_probe) {
    *ret_probe = false;
    sn_mutex_lock(&store->append_mu);
    while (store->queue.count == 0 && !store->stop_sync) {
        bool was_refusing = store->refusal.is_refusing;
        bool must_wake = was_refusing || store->options.durability == SN_STORE_RELAXED;
        bool timed_out = false;
        if (must_wake)
            timed_out = !sn_cond_wait_ns(&store->group_ready, &store->append_mu,
                                         store->options.probe_interval_ms * 1000000);
        else
            sn_cond_wait(&store->group_ready, &store->append_mu);
        if (timed_out) {
            *ret_probe = was_refusing;
            break;
        }
    }
    bool has_work = store->queue.count > 0 || !store->stop_sync;
    sn_mutex_unlock(&store->append_mu);
    return has_work;
}

void sn_store_sync_run(void *ctx) {
    struct sn_store *store = ctx;
    bool must_probe;
    while (wait_for_work(store, &must_probe)) {
        if (must_probe)
            probe(store);
        sn_store_commit_queued(store);
        sync_relaxed(store);
    }
}

void sn_store_sync_stop(void *ctx) {
    struct sn_store *store = ctx;
    sn_mutex_lock(&store->append_mu);
    store->stop_sync = true;
    sn_cond_broadcast(&store->group_ready);
    sn_mutex_unlock(&store->append_mu);
}
