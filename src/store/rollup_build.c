/*
 * Making rollups: what the segments have of a day that has passed becomes one file per tier.
 *
 *   choose a window (flush lock) -> merge its segments, sum up, write -> open as any reader would ->
 *   one transaction {old rows out, new rows in} (flush lock) -> publish -> delete the old files
 *
 * Invariants:
 *   1. Rows are the commit point, as of segments: a crash leaves the old files or the new ones, and the
 *      others are files without a row, which recovery deletes.
 *   2. A window of which samples may have been dropped is never made again: less would be there.
 *   3. When something was deleted meanwhile the work is thrown away.
 *   4. A window with a segment that cannot be read has no rollups: nothing is left out silently.
 *
 * Threads: any, one at a time (is_compacting). Reads, pushes and flushes go on.
 */
#include "store/rollup_build.h"
#include "base/mem.h"
#include "store/compact_merge.h"
#include "store/rollup_files.h"
#include "store/store_priv.h"

enum { TIERS = 2, WINDOWS_PER_PASS = 400 };
static const int64_t tier_widths[TIERS] = {SN_ROLLUP_NARROW_MS, SN_ROLLUP_WIDE_MS};
#define DAY_MS INT64_C(86400000)
/* Samples that come that often have the narrow tier; those of 15 s are 20 to a bucket, no gain. */
#define NARROW_STEP_MS_MAX 1500
/* Late samples of a window come with the flushes after it: give them two hours. */
#define LAG_MS INT64_C(7200000)
#define AGAIN_NS INT64_C(21600000000000)

struct tier {
    struct sn_segment_writer *writer; /* owned */
    struct sn_rollups rollups;        /* of the series at hand */
    struct sn_rollup_row row;
    struct sn_segment *output; /* owned; NULL: there is nothing in the window */
    bool has_file;             /* the new file has its name */
};

/* What one look at all windows goes by. */
struct pass {
    int64_t now_ms;
    int64_t expires_ms; /* samples of windows that begin before this will soon be dropped */
    /* Windows that have newer samples, too: every few hours, it costs a day's reading. */
    bool makes_again;
};

struct build {
    struct sn_store *store;
    struct sn_segment_set *set; /* owned: what was chosen from */
    struct sn_segment **inputs; /* [input_count], owned; of set */
    size_t input_count;
    int64_t start_ms; /* the window is (start_ms, start_ms + DAY_MS] */
    uint64_t rank;    /* of its newest segment */
    uint64_t id;      /* of the first tier; the others follow */
    uint64_t delete_count;
    uint32_t series_count;
    struct tier tiers[TIERS];
    uint32_t series; /* at hand; valid while has_series */
    bool has_series;
    uint64_t sample_count; /* of the series at hand */
    bool is_done;
};

/* ---- choosing ---- */

static int64_t window_of(int64_t time_ms) {
    return sn_rollup_end_ms(time_ms, DAY_MS) - DAY_MS;
}

static bool is_damaged(struct sn_segment *segment) {
    return segment->damage.status != SN_OK ||
           atomic_load(&segment->merge_failure_count) >= SN_MERGE_FAILURES_MAX;
}

static bool is_due(const struct sn_segment_set *set, int64_t start_ms, const struct pass *pass) {
    uint64_t rank = sn_rollup_rank_of(set, start_ms, start_ms + DAY_MS);
    const struct sn_rollup_file *wide =
        sn_rollup_files_find(set->rollups, SN_ROLLUP_WIDE_MS, start_ms);
    if (rank == 0 || sn_rollup_files_raw_from(set->rollups) > start_ms + 1)
        return false;
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_segment_footer *footer = &set->items[i]->footer;
        if (footer->time_max > start_ms && footer->time_min <= start_ms + DAY_MS &&
            is_damaged(set->items[i]))
            return false;
    }
    if (!wide || (wide->segment && wide->segment->damage.status != SN_OK))
        return true;
    return wide->rank < rank && (pass->makes_again || start_ms < pass->expires_ms);
}

/* The next window behind `after_ms` that has samples; false: none that has passed. */
static bool next_window(const struct sn_segment_set *set, int64_t after_ms, int64_t now_ms,
                        int64_t *ret_start_ms) {
    int64_t best = INT64_MAX;
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_segment_footer *footer = &set->items[i]->footer;
        int64_t first = window_of(footer->time_min);
        if (first <= after_ms)
            first = after_ms + DAY_MS;
        if (first < footer->time_max && first < best)
            best = first;
    }
    if (best == INT64_MAX || best + DAY_MS + LAG_MS > now_ms)
        return false;
    *ret_start_ms = best;
    return true;
}

static sn_status take_inputs(struct build *build, struct sn_err *err) {
    const struct sn_segment_set *set = build->set;
    build->inputs = sn_realloc_array(NULL, set->count, sizeof(struct sn_segment *));
    if (!build->inputs)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to look at %zu segments", set->count);
    for (size_t i = 0; i < set->count; i++) {
        const struct sn_segment_footer *footer = &set->items[i]->footer;
        if (footer->time_max > build->start_ms && footer->time_min <= build->start_ms + DAY_MS)
            build->inputs[build->input_count++] = set->items[i];
    }
    return SN_OK;
}

/* Find the next window that is due behind *after_ms, which moves on. False in *ret_found: there is none. */
static sn_status begin(struct build *build, const struct pass *pass, int64_t *after_ms,
                       bool *ret_found, struct sn_err *err) {
    struct sn_store *store = build->store;
    sn_mutex_lock(&store->flush_mu);
    sn_status status = sn_store_settle_locked(store, err);
    build->set = sn_segments_ref(&store->segments);
    *ret_found = false;
    while (status == SN_OK && !*ret_found &&
           next_window(build->set, *after_ms, pass->now_ms, &build->start_ms)) {
        *after_ms = build->start_ms;
        *ret_found = is_due(build->set, build->start_ms, pass);
    }
    if (*ret_found) {
        build->rank = sn_rollup_rank_of(build->set, build->start_ms, build->start_ms + DAY_MS);
        build->id = store->segment_id_next;
        store->segment_id_next += TIERS;
        build->delete_count = store->delete_count;
    }
    sn_mutex_unlock(&store->flush_mu);
    sn_mutex_lock(&store->index_mu);
    build->series_count = store->index.count;
    sn_mutex_unlock(&store->index_mu);
    return status == SN_OK && *ret_found ? take_inputs(build, err) : status;
}

/* ---- summing up ---- */

static bool is_worth(const struct build *build, size_t tier) {
    const struct sn_rollups *rollups = &build->tiers[tier].rollups;
    if (tier_widths[tier] == SN_ROLLUP_WIDE_MS || rollups->count == 0)
        return true;
    int64_t span_ms = rollups->items[rollups->count - 1].last_ms - rollups->items[0].first_ms;
    return span_ms <= NARROW_STEP_MS_MAX * (int64_t)(build->sample_count - 1);
}

static sn_status finish_series(struct build *build, struct sn_err *err) {
    for (size_t i = 0; i < TIERS && build->has_series; i++) {
        struct tier *tier = &build->tiers[i];
        if (is_worth(build, i))
            SN_TRY(sn_segment_writer_add_rollups(tier->writer, build->series, &tier->rollups, err));
        sn_rollups_reset(&tier->rollups);
    }
    build->has_series = false;
    build->sample_count = 0;
    return SN_OK;
}

static sn_status sum_up(void *ctx, uint32_t series, const struct sn_samples *samples,
                        struct sn_err *err) {
    struct build *build = ctx;
    struct sn_samples inside = *samples;
    size_t first = 0;
    if (build->has_series && build->series != series)
        SN_TRY(finish_series(build, err));
    build->series = series;
    build->has_series = true;
    while (first < inside.count && inside.time_ms[first] <= build->start_ms)
        first++;
    while (inside.count > first && inside.time_ms[inside.count - 1] > build->start_ms + DAY_MS)
        inside.count--;
    build->sample_count += inside.count - first;
    for (size_t i = 0; i < TIERS; i++) {
        if (sn_rollups_add(&build->tiers[i].rollups, &inside, first, tier_widths[i]) != SN_OK)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rollups");
    }
    return SN_OK;
}

/* ---- the files ---- */

static sn_status open_writers(struct build *build, struct sn_err *err) {
    struct sn_store *store = build->store;
    for (size_t i = 0; i < TIERS; i++) {
        struct tier *tier = &build->tiers[i];
        struct sn_segment_writer_options options = {.dir = store->seg_dir,
                                                    .id = build->id + i,
                                                    .clock = store->options.clock,
                                                    .pause_ns = store->options.flush_pause_ns,
                                                    .is_merged = true};
        struct sn_segment_writer *writer = sn_alloc(sizeof *writer);
        if (!writer)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write rollups");
        sn_status status = sn_segment_writer_open(writer, &options, err);
        if (status != SN_OK) {
            sn_free(writer);
            return status;
        }
        tier->writer = writer;
    }
    return SN_OK;
}

static void close_writer(struct tier *tier) {
    if (tier->writer)
        sn_segment_writer_release(tier->writer);
    sn_free(tier->writer);
    tier->writer = NULL;
}

/* A file that has its name, opened as any reader would; without a rollup there is none. */
static sn_status finish_file(struct build *build, size_t number, struct sn_err *err) {
    struct tier *tier = &build->tiers[number];
    const char *dir = build->store->seg_dir;
    tier->row = (struct sn_rollup_row){.file = {.id = build->id + number, .rank = build->rank},
                                       .width_ms = tier_widths[number],
                                       .start_ms = build->start_ms,
                                       .end_ms = build->start_ms + DAY_MS};
    if (tier->writer->footer.pack_count > 0 || tier->writer->builder.chunk_count > 0) {
        SN_TRY(sn_segment_writer_finish(tier->writer, dir, err));
        tier->has_file = true;
        tier->row.file = sn_segment_writer_row(tier->writer, build->rank);
        SN_TRY(sn_segment_open(dir, &tier->row.file, build->series_count, &tier->output, err));
        if (tier->output->damage.status != SN_OK)
            return sn_err_set(err, SN_ERR_IO, "reads back wrong: %s", tier->output->damage.text);
    }
    close_writer(tier);
    return SN_OK;
}

static bool goes_on(void *ctx) {
    return sn_store_flush_step(ctx);
}

static sn_status write_files(struct build *build, struct sn_err *err) {
    struct sn_store *store = build->store;
    size_t culprit = build->input_count;
    const struct sn_compact_output output = {.add = sum_up, .ctx = build};
    const struct sn_compact_merge merge = {.inputs = build->inputs,
                                           .input_count = build->input_count,
                                           .tombstones = build->set->tombstones,
                                           .index = &store->index,
                                           .series_count = build->series_count,
                                           .output = &output,
                                           .goes_on = goes_on,
                                           .ctx = store};
    SN_TRY(open_writers(build, err));
    sn_status status = sn_compact_merge(&merge, &culprit, err);
    if (status != SN_OK && culprit < build->input_count) {
        sn_segment_name_error(build->inputs[culprit], err);
        if (status == SN_ERR_CORRUPT)
            atomic_fetch_add(&build->inputs[culprit]->merge_failure_count, SN_MERGE_FAILURES_MAX);
    }
    if (status == SN_OK)
        status = finish_series(build, err);
    for (size_t i = 0; i < TIERS && status == SN_OK; i++)
        status = finish_file(build, i, err);
    return status;
}

/* ---- the exchange ---- */

static sn_status fill_transaction(struct build *build, const struct sn_rollup_files *old,
                                  struct sn_err *err) {
    struct sn_catalog *catalog = &build->store->catalog;
    for (size_t i = 0; i < TIERS; i++) {
        const struct sn_rollup_file *before =
            sn_rollup_files_find(old, tier_widths[i], build->start_ms);
        if (before)
            SN_TRY(sn_catalog_drop_rollup(catalog, before->id, err));
        SN_TRY(sn_catalog_add_rollup(catalog, &build->tiers[i].row, err));
    }
    return sn_catalog_commit(catalog, err);
}

static sn_status commit(struct build *build, const struct sn_rollup_files *old,
                        struct sn_err *err) {
    struct sn_store *store = build->store;
    SN_TRY(sn_catalog_begin(&store->catalog, err));
    sn_status status = fill_transaction(build, old, err);
    if (status == SN_OK)
        return SN_OK;
    sn_catalog_rollback(&store->catalog);
    store->doubtful_segment_id = build->id;
    store->doubtful_count = TIERS;
    for (size_t i = 0; i < TIERS; i++)
        build->tiers[i].has_file = false; /* not ours to delete any more */
    return status;
}

/* The list with the new files instead of the old ones. NULL: no memory. */
static struct sn_rollup_files *make_list(const struct build *build,
                                         const struct sn_rollup_files *old) {
    struct sn_rollup_file more[TIERS];
    SN_CLEANUP(sn_free_ptr)
    bool *is_dropped = sn_alloc_zero((old ? old->count : 0) + 1, sizeof *is_dropped);
    if (!is_dropped)
        return NULL;
    for (size_t i = 0; i < TIERS; i++) {
        const struct sn_rollup_row *row = &build->tiers[i].row;
        const struct sn_rollup_file *before =
            sn_rollup_files_find(old, row->width_ms, row->start_ms);
        more[i] = (struct sn_rollup_file){.segment = build->tiers[i].output,
                                          .id = row->file.id,
                                          .rank = row->file.rank,
                                          .width_ms = row->width_ms,
                                          .start_ms = row->start_ms,
                                          .end_ms = row->end_ms};
        if (before)
            is_dropped[before - old->items] = true;
    }
    const struct sn_rollup_change change = {
        .is_dropped = is_dropped, .more = more, .more_count = TIERS, .raw_from_ms = INT64_MIN};
    return sn_rollup_files_changed(old, &change);
}

static void delete_old(struct build *build, const struct sn_rollup_files *old) {
    for (size_t i = 0; i < TIERS; i++) {
        const struct sn_rollup_file *before =
            sn_rollup_files_find(old, tier_widths[i], build->start_ms);
        if (before && before->segment)
            sn_store_delete_segment_file(build->store, before->id);
    }
}

static sn_status exchange_locked(struct build *build, struct sn_err *err) {
    struct sn_store *store = build->store;
    if (build->delete_count != store->delete_count)
        return SN_OK; /* invariant 3 */
    struct sn_rollup_files *old = sn_rollup_files_ref(store->segments.set->rollups);
    struct sn_rollup_files *made = make_list(build, old);
    struct sn_segment_set *set = made ? sn_segments_with_rollups(&store->segments, made) : NULL;
    sn_status status =
        set ? commit(build, old, err) : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rollups");
    if (status == SN_OK) {
        build->is_done = true;
        sn_segments_publish(&store->segments, SN_TAKE(set));
        delete_old(build, old);
    }
    sn_segment_set_unref(set);
    sn_rollup_files_unref(made);
    sn_rollup_files_unref(old);
    return status;
}

static void release(struct build *build) {
    for (size_t i = 0; i < TIERS; i++) {
        struct tier *tier = &build->tiers[i];
        close_writer(tier);
        if (tier->has_file && !build->is_done)
            sn_store_delete_segment_file(build->store, build->id + i);
        sn_rollups_release(&tier->rollups);
        sn_segment_unref(tier->output);
    }
    sn_free(build->inputs);
    sn_segment_set_unref(build->set);
}

/* ---- all that is due ---- */

static sn_status build_next(struct sn_store *store, const struct pass *pass, int64_t *after_ms,
                            bool *ret_found, bool *ret_done, struct sn_err *err) {
    struct build build = {.store = store};
    for (size_t i = 0; i < TIERS; i++)
        sn_rollups_init(&build.tiers[i].rollups);
    sn_status status = begin(&build, pass, after_ms, ret_found, err);
    if (status == SN_OK && *ret_found)
        status = write_files(&build, err);
    if (status == SN_OK && *ret_found) {
        sn_mutex_lock(&store->flush_mu);
        status = exchange_locked(&build, err);
        sn_mutex_unlock(&store->flush_mu);
    }
    *ret_done = build.is_done;
    release(&build);
    return status;
}

static struct pass plan_pass(struct sn_store *store) {
    int64_t now_ns = sn_store_mono_ns(store);
    int64_t keep_ms = store->options.retention_ms;
    struct pass pass = {.now_ms = sn_store_wall_ms(store), .expires_ms = INT64_MIN};
    pass.makes_again = now_ns - store->rolled_again_ns >= AGAIN_NS;
    if (pass.makes_again)
        store->rolled_again_ns = now_ns;
    if (keep_ms >= 0 && keep_ms < pass.now_ms)
        pass.expires_ms = pass.now_ms - keep_ms + DAY_MS;
    return pass;
}

/* A window that cannot be read is passed over: the next ones are none the worse. */
sn_status sn_store_roll_up(struct sn_store *store, size_t *ret_count, struct sn_err *err) {
    sn_status status = SN_OK;
    size_t count = 0;
    int64_t after_ms = INT64_MIN;
    bool is_found = true;
    if (store->options.without_rollups)
        return SN_OK;
    if (!sn_store_enter_compaction(store))
        return sn_err_set(err, SN_ERR_BUSY, "a compaction is under way");
    struct pass pass = plan_pass(store);
    for (int i = 0; i < WINDOWS_PER_PASS && is_found && status == SN_OK; i++) {
        struct sn_err why = {.status = SN_OK};
        bool is_done = false;
        status = build_next(store, &pass, &after_ms, &is_found, &is_done, &why);
        count += is_done;
        if (status == SN_ERR_CORRUPT && is_found)
            status = SN_OK;
        if (status != SN_OK)
            (void)sn_err_set(err, status, "rollups: %s", why.text);
    }
    sn_store_leave_compaction(store);
    sn_store_count(&store->counters.rollup, count);
    if (status == SN_OK && ret_count)
        *ret_count = count;
    return status;
}
