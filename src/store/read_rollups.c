/*
 * Rollups of one series: out of files where they stand for the samples, summed up from samples elsewhere.
 *
 *   window of a day          what is read
 *   no file                  samples
 *   file, all of it holds    the file
 *   newer samples, deleted   samples; where those may be gone the file, and samples of buckets it lacks
 *
 * Invariants:
 *   1. While samples are there the answer is what summing them up gives.
 *   2. As in read.c the head is copied first and the segments are looked at second.
 *
 * Any thread. Blocks on disk, outside of all locks.
 */
#include "base/limits.h"
#include "store/merge.h"
#include "store/rollup_files.h"
#include "store/store_priv.h"

#include <inttypes.h>

struct reading {
    struct sn_store *store;
    const struct sn_rollup_wish *wish;
    uint32_t series;
    struct sn_range times;      /* of all samples that are asked for */
    struct sn_segment_set *set; /* counted */
    struct sn_samples head;     /* what the head has of them */
    struct sn_samples samples;  /* scratch */
    struct sn_rollups *rollups; /* the answer */
    struct sn_rollups more;     /* scratch */
    int64_t done_ms;            /* samples up to this are in the answer */
};

/* ---- samples ---- */

static sn_status decode_head(struct sn_head_copy *copy, struct reading *reading) {
    size_t middle = reading->head.count;
    SN_TRY(sn_head_copy_decode(copy, reading->times, &reading->head));
    return sn_samples_merge_tail(&reading->head, 0, middle);
}

static sn_status read_head(struct reading *reading) {
    struct sn_store *store = reading->store;
    struct sn_head_copy frozen;
    struct sn_head_copy current;
    sn_head_copy_init(&frozen);
    sn_head_copy_init(&current);
    frozen.range = current.range = reading->times;
    sn_mutex_lock(&store->append_mu);
    sn_status status = sn_head_copy_frozen(&store->head, reading->series, &frozen);
    if (status == SN_OK)
        status = sn_head_copy_current(&store->head, reading->series, &current);
    sn_mutex_unlock(&store->append_mu);
    if (status == SN_OK)
        status = decode_head(&frozen, reading);
    if (status == SN_OK)
        status = decode_head(&current, reading);
    sn_head_copy_release(&frozen);
    sn_head_copy_release(&current);
    return status;
}

/* The samples of the head in a range: [*ret_first, *ret_first + returned). */
static size_t find_in_head(const struct reading *reading, struct sn_range range,
                           size_t *ret_first) {
    size_t first = 0;
    while (first < reading->head.count && reading->head.time_ms[first] < range.start_ms)
        first++;
    size_t end = first;
    while (end < reading->head.count && reading->head.time_ms[end] <= range.end_ms)
        end++;
    *ret_first = first;
    return end - first;
}

static sn_status add_head(struct reading *reading, struct sn_range range) {
    struct sn_samples *samples = &reading->samples;
    size_t middle = samples->count;
    size_t first = 0;
    size_t count = find_in_head(reading, range, &first);
    if (count == 0)
        return SN_OK;
    SN_TRY(sn_samples_append_run(samples, &reading->head, first, count));
    return sn_samples_merge_tail(samples, 0, middle);
}

static sn_status read_samples(struct reading *reading, struct sn_range range, struct sn_err *err) {
    struct sn_store *store = reading->store;
    struct sn_samples *samples = &reading->samples;
    const struct sn_segment_set *set = reading->set;
    sn_samples_reset(samples);
    for (size_t i = 0; i < set->count; i++) {
        size_t middle = samples->count;
        SN_TRY(sn_segment_read(set->items[i], &store->index, &store->cache, reading->series, range,
                               samples, err));
        sn_tombstones_clip(set->tombstones, reading->series, set->items[i]->rank, samples, middle);
        if (sn_samples_merge_tail(samples, 0, middle) != SN_OK)
            return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to merge samples");
    }
    if (add_head(reading, range) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to merge samples");
    return SN_OK;
}

/* Sum up (start_ms, end_ms]. */
static sn_status add_samples(struct reading *reading, int64_t start_ms, int64_t end_ms,
                             struct sn_rollups *out, struct sn_err *err) {
    struct sn_range range = {start_ms + 1, end_ms};
    if (range.start_ms < reading->times.start_ms)
        range.start_ms = reading->times.start_ms;
    if (range.end_ms > reading->times.end_ms)
        range.end_ms = reading->times.end_ms;
    if (range.start_ms > range.end_ms)
        return SN_OK;
    SN_TRY(read_samples(reading, range, err));
    if (sn_rollups_add(out, &reading->samples, 0, reading->wish->width_ms) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rollups");
    return SN_OK;
}

/* ---- files ---- */

static struct sn_range range_of(const struct sn_rollup_file *file) {
    return (struct sn_range){file->start_ms + 1, file->end_ms};
}

/* Whether a file says all that samples would say. */
static bool is_whole(const struct reading *reading, const struct sn_rollup_file *file) {
    size_t first;
    if (sn_rollup_rank_of(reading->set, file->start_ms, file->end_ms) > file->rank ||
        find_in_head(reading, range_of(file), &first) > 0)
        return false;
    /* Series whose samples come seldom are not in the narrow tier. */
    bool is_left_out = file->width_ms != SN_ROLLUP_WIDE_MS &&
                       !(file->segment && file->segment->series &&
                         sn_bitmap_contains(file->segment->series, reading->series));
    return !is_left_out && !(file->segment && file->segment->damage.status != SN_OK) &&
           !sn_tombstones_touch(reading->set->tombstones, reading->series, file->id,
                                range_of(file));
}

static sn_status add_file(struct reading *reading, const struct sn_rollup_file *file,
                          struct sn_err *err) {
    struct sn_rollups *out = reading->rollups;
    size_t base = out->count;
    if (!file->segment)
        return SN_OK;
    SN_TRY(sn_segment_read_rollups(file->segment, &reading->store->index, &reading->store->cache,
                                   reading->series, reading->wish->ends, out, err));
    sn_tombstones_clip_rollups(reading->set->tombstones, reading->series, file->id, out, base);
    return SN_OK;
}

/* Put in what `more` has of buckets that [base, count) lacks. */
static sn_status fill_in(struct sn_rollups *out, size_t base, const struct sn_rollups *more) {
    SN_TRY(sn_rollups_reserve(out, more->count));
    for (size_t i = 0; i < more->count; i++) {
        int64_t end_ms = more->items[i].end_ms;
        size_t at = base + sn_rollups_find_after(out->items + base, out->count - base, end_ms - 1);
        if (at < out->count && out->items[at].end_ms == end_ms)
            continue;
        memmove(out->items + at + 1, out->items + at, (out->count - at) * sizeof *out->items);
        out->items[at] = more->items[i];
        out->count++;
    }
    return SN_OK;
}

/* Samples may be gone: the file counts, samples fill what it lacks. */
static sn_status add_old_file(struct reading *reading, const struct sn_rollup_file *file,
                              struct sn_err *err) {
    size_t base = reading->rollups->count;
    SN_TRY(add_file(reading, file, err));
    sn_rollups_reset(&reading->more);
    SN_TRY(add_samples(reading, file->start_ms, file->end_ms, &reading->more, err));
    if (fill_in(reading->rollups, base, &reading->more) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for rollups");
    return SN_OK;
}

static sn_status add_window(struct reading *reading, const struct sn_rollup_file *file,
                            struct sn_err *err) {
    bool is_old = sn_rollup_files_raw_from(reading->set->rollups) > file->start_ms + 1;
    bool is_read = is_whole(reading, file);
    if (!is_read && !is_old)
        return SN_OK; /* as if there were none: its samples come with what follows */
    SN_TRY(add_samples(reading, reading->done_ms, file->start_ms, reading->rollups, err));
    reading->done_ms = file->end_ms;
    return is_read ? add_file(reading, file, err) : add_old_file(reading, file, err);
}

static sn_status add_all(struct reading *reading, struct sn_err *err) {
    const struct sn_rollup_files *files = reading->set->rollups;
    for (size_t i = 0; files && i < files->count; i++) {
        const struct sn_rollup_file *file = &files->items[i];
        if (file->width_ms == reading->wish->width_ms &&
            sn_range_overlaps(range_of(file), reading->times))
            SN_TRY(add_window(reading, file, err));
    }
    return add_samples(reading, reading->done_ms, reading->times.end_ms, reading->rollups, err);
}

static bool is_series(struct sn_store *store, uint64_t id) {
    sn_mutex_lock(&store->index_mu);
    bool is_there = id < store->index.count;
    sn_mutex_unlock(&store->index_mu);
    return is_there;
}

/* Whole buckets, within the times there are. */
static struct sn_range times_of(const struct sn_rollup_wish *wish) {
    struct sn_range times = {INT64_MIN, INT64_MAX};
    if (wish->ends.start_ms > SN_TIME_MS_MIN)
        times.start_ms = sn_rollup_end_ms(wish->ends.start_ms, wish->width_ms) - wish->width_ms + 1;
    if (wish->ends.end_ms < SN_TIME_MS_MAX)
        times.end_ms = sn_rollup_end_ms(wish->ends.end_ms + 1, wish->width_ms) - wish->width_ms;
    return times;
}

sn_status sn_store_read_rollups(void *ctx, uint64_t series_id, const struct sn_rollup_wish *wish,
                                struct sn_rollups *rollups, struct sn_err *err) {
    struct sn_store *store = ctx;
    struct reading reading = {.store = store,
                              .wish = wish,
                              .series = (uint32_t)series_id,
                              .rollups = rollups,
                              .times = times_of(wish),
                              .done_ms = INT64_MIN};
    if (!is_series(store, series_id))
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no series %" PRIu64, series_id);
    if (reading.times.start_ms > reading.times.end_ms)
        return SN_OK;
    size_t base = rollups->count;
    sn_samples_init(&reading.head);
    sn_samples_init(&reading.samples);
    sn_rollups_init(&reading.more);
    sn_status status = read_head(&reading);
    if (status != SN_OK)
        (void)sn_err_set(err, status, "cannot read open chunks");
    reading.set = sn_segments_ref(&store->segments);
    if (status == SN_OK)
        status = add_all(&reading, err);
    if (status != SN_OK)
        rollups->count = base;
    sn_segment_set_unref(reading.set);
    sn_samples_release(&reading.head);
    sn_samples_release(&reading.samples);
    sn_rollups_release(&reading.more);
    return status;
}

int64_t sn_store_raw_from(void *ctx) {
    struct sn_store *store = ctx;
    struct sn_segment_set *set = sn_segments_ref(&store->segments);
    int64_t raw_from_ms = sn_rollup_files_raw_from(set->rollups);
    sn_segment_set_unref(set);
    return raw_from_ms;
}
