/*
 * Taking deleted ranges out of files of rollups.
 *
 *   samples of the window are there  the file goes; the next pass makes it anew (rollup_build.c)
 *   they may be gone                 the file is written again without the rollups that are touched
 *
 * Invariants: as of rollup_build.c, 1 and 3.
 *
 * Threads: any, one at a time (is_compacting).
 */
#include "store/rollup_clean.h"

#include "base/mem.h"
#include "store/rollup_files.h"
#include "store/store_priv.h"

struct cleaning {
    struct sn_store *store;
    struct sn_segment_set *set; /* owned: what was chosen from */
    const struct sn_rollup_file *file;
    uint64_t id;
    uint64_t delete_count;
    struct sn_segment_writer *writer; /* owned */
    struct sn_rollups rollups;        /* of the series at hand */
    uint32_t series;
    struct sn_rollup_file made; /* its segment is owned; NULL: nothing is left, or it goes */
    struct sn_rollup_row row;
    bool has_file;
    bool is_done;
};

/* ---- choosing ---- */

static bool is_hit(const struct sn_segment_set *set, const struct sn_rollup_file *file) {
    const struct sn_segment *segment = file->segment;
    struct sn_range range = {file->start_ms + 1, file->end_ms};
    return segment && segment->damage.status == SN_OK &&
           sn_tombstones_hit_count(set->tombstones, segment->series, file->id, range) > 0;
}

static bool begin(struct cleaning *cleaning) {
    struct sn_store *store = cleaning->store;
    sn_mutex_lock(&store->flush_mu);
    cleaning->set = sn_segments_ref(&store->segments);
    const struct sn_rollup_files *files = cleaning->set->rollups;
    for (size_t i = 0; files && i < files->count && !cleaning->file; i++) {
        /* Those that this call has written: what rules leave of them is left again. */
        if (files->items[i].id < cleaning->id && is_hit(cleaning->set, &files->items[i]))
            cleaning->file = &files->items[i];
    }
    cleaning->id = store->segment_id_next++;
    cleaning->delete_count = store->delete_count;
    sn_mutex_unlock(&store->flush_mu);
    return cleaning->file != NULL;
}

/* ---- writing ---- */

static sn_status finish_series(struct cleaning *cleaning, struct sn_err *err) {
    struct sn_rollups *rollups = &cleaning->rollups;
    sn_tombstones_clip_rollups(cleaning->set->tombstones, cleaning->series, cleaning->file->id,
                               rollups, 0);
    sn_status status =
        sn_segment_writer_add_rollups(cleaning->writer, cleaning->series, rollups, err);
    sn_rollups_reset(rollups);
    return status;
}

static sn_status copy_pack(struct cleaning *cleaning, const struct sn_pack *pack,
                           struct sn_err *err) {
    for (uint32_t i = 0; i < pack->chunk_count; i++) {
        if (cleaning->rollups.count > 0 && pack->chunks[i].series != cleaning->series)
            SN_TRY(finish_series(cleaning, err));
        cleaning->series = pack->chunks[i].series;
        sn_status status = sn_pack_decode_rollups(pack, i, &cleaning->rollups);
        if (status != SN_OK)
            return sn_err_set(err, status, "chunk %u does not decode", i);
    }
    return SN_OK;
}

static sn_status copy_all(struct cleaning *cleaning, struct sn_err *err) {
    struct sn_segment *segment = cleaning->file->segment;
    for (uint32_t i = 0; i < segment->footer.pack_count; i++) {
        struct sn_pack pack;
        SN_TRY(sn_segment_load_pack(segment, i, &pack, err));
        sn_status status = copy_pack(cleaning, &pack, err);
        sn_pack_release(&pack);
        SN_TRY(status);
        if (!sn_store_flush_step(cleaning->store))
            return sn_err_set(err, SN_ERR_CLOSED, "the store is closing");
    }
    return finish_series(cleaning, err);
}

static sn_status finish_file(struct cleaning *cleaning, struct sn_err *err) {
    struct sn_store *store = cleaning->store;
    struct sn_segment_writer *writer = cleaning->writer;
    if (writer->footer.pack_count == 0 && writer->builder.chunk_count == 0)
        return SN_OK;
    SN_TRY(sn_segment_writer_finish(writer, store->seg_dir, err));
    cleaning->has_file = true;
    cleaning->row.file = sn_segment_writer_row(writer, cleaning->file->rank);
    SN_TRY(sn_segment_open(store->seg_dir, &cleaning->row.file, UINT32_MAX, &cleaning->made.segment,
                           err));
    if (cleaning->made.segment->damage.status != SN_OK)
        return sn_err_set(err, SN_ERR_IO, "reads back wrong: %s",
                          cleaning->made.segment->damage.text);
    return SN_OK;
}

static sn_status write_file(struct cleaning *cleaning, struct sn_err *err) {
    struct sn_store *store = cleaning->store;
    const struct sn_rollup_file *file = cleaning->file;
    struct sn_segment_writer_options options = {.dir = store->seg_dir,
                                                .id = cleaning->id,
                                                .clock = store->options.clock,
                                                .pause_ns = store->options.flush_pause_ns,
                                                .is_merged = true};
    cleaning->made = *file;
    cleaning->made.id = cleaning->id;
    cleaning->made.segment = NULL;
    cleaning->row = (struct sn_rollup_row){.file = {.id = cleaning->id, .rank = file->rank},
                                           .width_ms = file->width_ms,
                                           .start_ms = file->start_ms,
                                           .end_ms = file->end_ms};
    SN_CLEANUP(sn_free_ptr) struct sn_segment_writer *writer = sn_alloc(sizeof *writer);
    if (!writer)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write rollups");
    SN_TRY(sn_segment_writer_open(writer, &options, err));
    cleaning->writer = writer;
    sn_status status = copy_all(cleaning, err);
    if (status == SN_OK)
        status = finish_file(cleaning, err);
    sn_segment_writer_release(writer);
    cleaning->writer = NULL;
    return status;
}

/* ---- the exchange ---- */

static sn_status commit(struct cleaning *cleaning, bool has_row, struct sn_err *err) {
    struct sn_catalog *catalog = &cleaning->store->catalog;
    SN_TRY(sn_catalog_begin(catalog, err));
    sn_status status = sn_catalog_drop_rollup(catalog, cleaning->file->id, err);
    if (status == SN_OK && has_row)
        status = sn_catalog_add_rollup(catalog, &cleaning->row, err);
    if (status == SN_OK)
        status = sn_catalog_commit(catalog, err);
    if (status == SN_OK)
        return SN_OK;
    sn_catalog_rollback(catalog);
    if (cleaning->has_file) {
        cleaning->store->doubtful_segment_id = cleaning->id;
        cleaning->store->doubtful_count = 1;
        cleaning->has_file = false; /* not ours to delete any more */
    }
    return status;
}

static sn_status exchange_locked(struct cleaning *cleaning, bool has_row, struct sn_err *err) {
    struct sn_store *store = cleaning->store;
    const struct sn_rollup_files *old = store->segments.set->rollups;
    const struct sn_rollup_file *before =
        sn_rollup_files_find(old, cleaning->file->width_ms, cleaning->file->start_ms);
    if (cleaning->delete_count != store->delete_count || !before ||
        before->id != cleaning->file->id)
        return sn_err_set(err, SN_ERR_BUSY, "rollups changed meanwhile: try again");
    SN_CLEANUP(sn_free_ptr) bool *is_dropped = sn_alloc_zero(old->count, sizeof *is_dropped);
    if (is_dropped)
        is_dropped[before - old->items] = true;
    const struct sn_rollup_change change = {.is_dropped = is_dropped,
                                            .more = &cleaning->made,
                                            .more_count = has_row,
                                            .raw_from_ms = INT64_MIN};
    struct sn_rollup_files *made = is_dropped ? sn_rollup_files_changed(old, &change) : NULL;
    struct sn_segment_set *set = made ? sn_segments_with_rollups(&store->segments, made) : NULL;
    sn_status status = set ? commit(cleaning, has_row, err)
                           : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rollups");
    if (status == SN_OK) {
        cleaning->is_done = true;
        sn_segments_publish(&store->segments, SN_TAKE(set));
        sn_store_delete_segment_file(store, cleaning->file->id);
    }
    sn_segment_set_unref(set);
    sn_rollup_files_unref(made);
    return status;
}

static sn_status clean_file(struct cleaning *cleaning, struct sn_err *err) {
    struct sn_store *store = cleaning->store;
    bool is_old = sn_rollup_files_raw_from(cleaning->set->rollups) > cleaning->file->start_ms + 1;
    if (is_old)
        SN_TRY(write_file(cleaning, err));
    sn_mutex_lock(&store->flush_mu);
    sn_status status = sn_store_settle_locked(store, err);
    if (status == SN_OK)
        status = exchange_locked(cleaning, is_old, err);
    sn_mutex_unlock(&store->flush_mu);
    return status;
}

static void release(struct cleaning *cleaning) {
    if (cleaning->has_file && !cleaning->is_done)
        sn_store_delete_segment_file(cleaning->store, cleaning->id);
    sn_rollups_release(&cleaning->rollups);
    sn_segment_unref(cleaning->made.segment);
    sn_segment_set_unref(cleaning->set);
}

sn_status sn_store_clean_rollups(struct sn_store *store, struct sn_err *err) {
    sn_status status = SN_OK;
    bool is_found = true;
    sn_mutex_lock(&store->flush_mu);
    uint64_t id_end = store->segment_id_next;
    sn_mutex_unlock(&store->flush_mu);
    while (is_found && status == SN_OK) {
        struct cleaning cleaning = {.store = store, .id = id_end};
        sn_rollups_init(&cleaning.rollups);
        is_found = begin(&cleaning);
        if (is_found)
            status = clean_file(&cleaning, err);
        release(&cleaning);
    }
    return status;
}
