/* Merging segments into one: see compact_merge.h. */
#include "store/compact_merge.h"

#include "base/check.h"
#include "base/mem.h"
#include "store/histogram_list.h"
#include "store/merge.h"

#define SERIES_PER_QUESTION 64 /* between two calls of goes_on: about a millisecond */

/* Where one input stands: its next chunk, and what was decoded and not taken yet. */
struct cursor {
    struct sn_segment *segment;
    struct sn_pack pack;
    uint32_t pack_next;       /* number of the pack behind this one */
    uint32_t chunk;           /* the next one, in `pack` */
    uint32_t series;          /* of the next chunk; valid while has_chunk */
    bool has_chunk;           /* there is a next chunk */
    int64_t newest;           /* of the series' floats so far; INT64_MIN: none */
    size_t at;                /* samples before this were taken */
    int64_t histogram_newest; /* as newest */
    size_t histogram_at;      /* as at */
    uint64_t read_count;      /* samples decoded so far */
    struct sn_samples samples;
    struct sn_histograms histograms;
};

/* Histograms that wait to be written: a chunk, and one of each input. */
#define HISTOGRAM_BYTES_MAX ((size_t)1 << 30)

struct merge {
    const struct sn_compact_merge *job;
    struct cursor *cursors;               /* [job->input_count], owned */
    struct sn_samples out;                /* of the series being merged, not written yet */
    struct sn_histograms histograms_out;  /* the same */
    struct sn_histograms histograms_rest; /* empty, but while something is moved */
    size_t culprit;
};

/* ---- one input ---- */

static sn_status next_pack(struct cursor *cursor, struct sn_err *err) {
    sn_pack_release(&cursor->pack);
    cursor->chunk = 0;
    return sn_segment_load_pack(cursor->segment, cursor->pack_next++, &cursor->pack, err);
}

/* Make the next chunk known; its series is one that the index has. */
static sn_status seek(struct cursor *cursor, uint32_t series_count, struct sn_err *err) {
    cursor->has_chunk = false;
    if (cursor->chunk == cursor->pack.chunk_count) {
        if (cursor->pack_next == cursor->segment->footer.pack_count) {
            if (cursor->read_count != cursor->segment->footer.sample_count)
                return sn_err_set(err, SN_ERR_CORRUPT, "holds another number of samples");
            return SN_OK;
        }
        SN_TRY(next_pack(cursor, err));
    }
    cursor->series = cursor->pack.chunks[cursor->chunk].series;
    if (cursor->series >= series_count)
        return sn_err_set(err, SN_ERR_CORRUPT, "has the unknown series %u", cursor->series);
    cursor->has_chunk = true;
    return SN_OK;
}

static bool is_at_histogram(const struct cursor *cursor) {
    return cursor->has_chunk && cursor->pack.chunks[cursor->chunk].is_histogram;
}

/* Chunks of a series follow each other in time, floats first, series in metric order. */
static sn_status advance(const struct merge *merge, struct cursor *cursor, struct sn_err *err) {
    uint32_t before = cursor->series;
    bool was_histogram = is_at_histogram(cursor);
    cursor->chunk++;
    SN_TRY(seek(cursor, merge->job->series_count, err));
    if (cursor->has_chunk && cursor->series == before && was_histogram && !is_at_histogram(cursor))
        return sn_err_set(err, SN_ERR_CORRUPT, "floats of a series stand behind its histograms");
    if (cursor->has_chunk && cursor->series != before &&
        sn_series_index_compare_metric(merge->job->index, before, cursor->series) >= 0)
        return sn_err_set(err, SN_ERR_CORRUPT, "series stand in the wrong order");
    return SN_OK;
}

/* Decode the next chunk if it is of this series and everything before it has been taken. */
static sn_status fill(const struct merge *merge, struct cursor *cursor, uint32_t series,
                      struct sn_err *err) {
    if (cursor->at < cursor->samples.count || !cursor->has_chunk || cursor->series != series ||
        is_at_histogram(cursor))
        return SN_OK;
    struct sn_samples *samples = &cursor->samples;
    do { /* until something of a chunk is left that is not deleted */
        sn_samples_reset(samples);
        cursor->at = 0;
        sn_status status = sn_pack_decode(&cursor->pack, cursor->chunk, samples);
        if (status != SN_OK)
            return sn_err_set(err, status, "pack %u does not decode", cursor->pack_next - 1);
        if (samples->time_ms[0] <= cursor->newest)
            return sn_err_set(err, SN_ERR_CORRUPT, "the chunks of a series overlap");
        cursor->newest = samples->time_ms[samples->count - 1];
        cursor->read_count += samples->count;
        sn_tombstones_clip(merge->job->tombstones, series, cursor->segment->rank, samples, 0);
        SN_TRY(advance(merge, cursor, err));
    } while (samples->count == 0 && cursor->has_chunk && cursor->series == series &&
             !is_at_histogram(cursor));
    return SN_OK;
}

/* Move the samples up to `bound` behind what the older inputs gave. */
static sn_status take(struct cursor *cursor, int64_t bound, struct sn_samples *out) {
    const struct sn_samples *from = &cursor->samples;
    size_t end = cursor->at;
    while (end < from->count && from->time_ms[end] <= bound)
        end++;
    size_t count = end - cursor->at;
    size_t middle = out->count;
    if (count == 0)
        return SN_OK;
    SN_TRY(sn_samples_append_run(out, from, cursor->at, count));
    cursor->at = end;
    return sn_samples_merge_tail(out, 0, middle);
}

/* As fill, for histograms. */
static sn_status fill_histograms(const struct merge *merge, struct cursor *cursor, uint32_t series,
                                 struct sn_err *err) {
    struct sn_histograms *histograms = &cursor->histograms;
    if (cursor->histogram_at < histograms->count || !is_at_histogram(cursor) ||
        cursor->series != series)
        return SN_OK;
    do {
        sn_histograms_reset(histograms);
        cursor->histogram_at = 0;
        sn_status status = sn_pack_decode_histograms(&cursor->pack, cursor->chunk, histograms);
        if (status != SN_OK)
            return sn_err_set(err, status, "pack %u does not decode", cursor->pack_next - 1);
        if (histograms->time_ms[0] <= cursor->histogram_newest)
            return sn_err_set(err, SN_ERR_CORRUPT, "the chunks of a series overlap");
        cursor->histogram_newest = histograms->time_ms[histograms->count - 1];
        cursor->read_count += histograms->count;
        sn_tombstones_clip_histograms(merge->job->tombstones, series, cursor->segment->rank,
                                      histograms, 0);
        SN_TRY(advance(merge, cursor, err));
    } while (histograms->count == 0 && is_at_histogram(cursor) && cursor->series == series);
    return SN_OK;
}

static sn_status take_histograms(struct cursor *cursor, int64_t bound, struct sn_histograms *out) {
    const struct sn_histograms *from = &cursor->histograms;
    for (; cursor->histogram_at < from->count && from->time_ms[cursor->histogram_at] <= bound;
         cursor->histogram_at++) {
        struct sn_histogram_point point = {.time_ms = from->time_ms[cursor->histogram_at],
                                           .start_ms = from->start_ms[cursor->histogram_at],
                                           .histogram = &from->items[cursor->histogram_at]};
        SN_TRY(sn_histograms_append(out, &point));
    }
    return SN_OK;
}

/* ---- one series ---- */

/* Write whole chunks and keep the rest, or write everything. */
static sn_status write_out(struct merge *merge, uint32_t series, bool everything,
                           struct sn_err *err) {
    struct sn_samples *out = &merge->out;
    size_t rest = everything ? 0 : out->count % SN_CHUNK_SAMPLES_MAX;
    struct sn_samples whole = *out;
    whole.count -= rest;
    if (whole.count == 0)
        return SN_OK;
    const struct sn_compact_output *output = merge->job->output;
    SN_TRY(output ? output->add(output->ctx, series, &whole, err)
                  : sn_segment_writer_add(merge->job->writer, series, &whole, err));
    memmove(out->time_ms, out->time_ms + whole.count, rest * sizeof *out->time_ms);
    memmove(out->value, out->value + whole.count, rest * sizeof *out->value);
    if (out->has_start)
        memmove(out->start_ms, out->start_ms + whole.count, rest * sizeof *out->start_ms);
    out->count = rest;
    return SN_OK;
}

typedef sn_status fill_function(const struct merge *merge, struct cursor *cursor, uint32_t series,
                                struct sn_err *err);

static sn_status fill_all(struct merge *merge, fill_function *fill_one, uint32_t series,
                          struct sn_err *err) {
    for (size_t i = 0; i < merge->job->input_count; i++) {
        struct cursor *cursor = &merge->cursors[i];
        sn_status status = fill_one(merge, cursor, series, err);
        if (status == SN_OK)
            continue;
        if (status != SN_ERR_NO_MEMORY)
            merge->culprit = i;
        return status;
    }
    return SN_OK;
}

/*
 * Up to what time everything is decoded: each input has either nothing left of the series or has
 * all its samples up to the newest decoded one. False: nothing is left anywhere.
 */
static bool find_bound(const struct merge *merge, int64_t *ret_bound) {
    bool is_found = false;
    int64_t bound = INT64_MAX;
    for (size_t i = 0; i < merge->job->input_count; i++) {
        const struct cursor *cursor = &merge->cursors[i];
        if (cursor->at == cursor->samples.count)
            continue;
        int64_t newest = cursor->samples.time_ms[cursor->samples.count - 1];
        bound = newest < bound ? newest : bound;
        is_found = true;
    }
    *ret_bound = bound;
    return is_found;
}

static void begin_series(struct merge *merge) {
    sn_samples_reset(&merge->out);
    for (size_t i = 0; i < merge->job->input_count; i++)
        merge->cursors[i].newest = merge->cursors[i].histogram_newest = INT64_MIN;
}

static sn_status merge_series(struct merge *merge, uint32_t series, struct sn_err *err) {
    begin_series(merge);
    for (;;) {
        int64_t bound;
        SN_TRY(fill_all(merge, fill, series, err));
        if (!find_bound(merge, &bound))
            break;
        for (size_t i = 0; i < merge->job->input_count; i++) {
            sn_status status = take(&merge->cursors[i], bound, &merge->out);
            if (status != SN_OK)
                return sn_err_set(err, status, "no memory to merge samples");
        }
        SN_TRY(write_out(merge, series, false, err));
    }
    return write_out(merge, series, true, err);
}

/* ---- its histograms ---- */

/* Write whole chunks and keep the rest, or write everything. */
static sn_status write_histograms(struct merge *merge, uint32_t series, bool everything,
                                  struct sn_err *err) {
    struct sn_histograms *out = &merge->histograms_out;
    struct sn_histograms *rest = &merge->histograms_rest;
    size_t whole = out->count - (everything ? 0 : out->count % SN_PACK_HISTOGRAMS_MAX);
    if (whole == 0)
        return SN_OK;
    for (size_t i = whole; i < out->count; i++) {
        struct sn_histogram_point point = {
            .time_ms = out->time_ms[i], .start_ms = out->start_ms[i], .histogram = &out->items[i]};
        sn_status status = sn_histograms_append(rest, &point);
        if (status != SN_OK)
            return sn_err_set(err, status, "no memory to merge histograms");
    }
    out->count = whole;
    if (merge->job->writer)
        SN_TRY(sn_segment_writer_add_histograms(merge->job->writer, series, out, err));
    struct sn_histograms written = *out;
    *out = *rest;
    *rest = written;
    sn_histograms_reset(rest);
    return SN_OK;
}

static bool find_histogram_bound(const struct merge *merge, int64_t *ret_bound) {
    bool is_found = false;
    int64_t bound = INT64_MAX;
    for (size_t i = 0; i < merge->job->input_count; i++) {
        const struct cursor *cursor = &merge->cursors[i];
        if (cursor->histogram_at == cursor->histograms.count)
            continue;
        int64_t newest = cursor->histograms.time_ms[cursor->histograms.count - 1];
        bound = newest < bound ? newest : bound;
        is_found = true;
    }
    *ret_bound = bound;
    return is_found;
}

static sn_status merge_histograms(struct merge *merge, uint32_t series, struct sn_err *err) {
    struct sn_histograms *out = &merge->histograms_out;
    for (;;) {
        int64_t bound;
        sn_status status = SN_OK;
        SN_TRY(fill_all(merge, fill_histograms, series, err));
        if (!find_histogram_bound(merge, &bound))
            break;
        for (size_t i = 0; i < merge->job->input_count && status == SN_OK; i++)
            status = take_histograms(&merge->cursors[i], bound, out);
        if (status == SN_OK)
            status = sn_histograms_sort_latest(out, 0);
        if (status != SN_OK)
            return sn_err_set(err, status, "no memory to merge histograms");
        SN_TRY(write_histograms(merge, series, false, err));
    }
    SN_TRY(write_histograms(merge, series, true, err));
    sn_histograms_reset(out);
    return SN_OK;
}

/* ---- all series ---- */

/* The first series in metric order that an input has next; false: all inputs are at their end. */
static bool next_series(const struct merge *merge, uint32_t *ret_series) {
    const struct sn_series_index *index = merge->job->index;
    bool is_found = false;
    uint32_t first = 0;
    for (size_t i = 0; i < merge->job->input_count; i++) {
        const struct cursor *cursor = &merge->cursors[i];
        if (!cursor->has_chunk || (is_found && cursor->series == first))
            continue;
        if (!is_found || sn_series_index_compare_metric(index, cursor->series, first) < 0)
            first = cursor->series;
        is_found = true;
    }
    *ret_series = first;
    return is_found;
}

static sn_status merge_all(struct merge *merge, struct sn_err *err) {
    const struct sn_compact_merge *job = merge->job;
    uint32_t series;
    for (uint64_t done = 0; next_series(merge, &series); done++) {
        if (done % SERIES_PER_QUESTION == 0 && !job->goes_on(job->ctx))
            return sn_err_set(err, SN_ERR_CLOSED, "the store is closing");
        SN_TRY(merge_series(merge, series, err));
        SN_TRY(merge_histograms(merge, series, err));
    }
    return SN_OK;
}

static sn_status open_cursors(struct merge *merge, struct sn_err *err) {
    const struct sn_compact_merge *job = merge->job;
    merge->cursors = sn_alloc_zero(job->input_count, sizeof *merge->cursors);
    if (!merge->cursors)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to merge segments");
    for (size_t i = 0; i < job->input_count; i++) {
        merge->cursors[i].segment = job->inputs[i];
        sn_samples_init(&merge->cursors[i].samples);
        sn_histograms_init(&merge->cursors[i].histograms, 0);
        sn_status status = seek(&merge->cursors[i], job->series_count, err);
        if (status == SN_OK)
            continue;
        if (status != SN_ERR_NO_MEMORY)
            merge->culprit = i;
        return status;
    }
    return SN_OK;
}

static void release(struct merge *merge) {
    for (size_t i = 0; i < merge->job->input_count && merge->cursors; i++) {
        sn_pack_release(&merge->cursors[i].pack);
        sn_samples_release(&merge->cursors[i].samples);
        sn_histograms_release(&merge->cursors[i].histograms);
    }
    sn_free(merge->cursors);
    sn_samples_release(&merge->out);
    sn_histograms_release(&merge->histograms_out);
    sn_histograms_release(&merge->histograms_rest);
}

sn_status sn_compact_merge(const struct sn_compact_merge *job, size_t *ret_culprit,
                           struct sn_err *err) {
    struct merge merge = {.job = job, .culprit = job->input_count};
    sn_samples_init(&merge.out);
    sn_histograms_init(&merge.histograms_out, HISTOGRAM_BYTES_MAX);
    sn_histograms_init(&merge.histograms_rest, HISTOGRAM_BYTES_MAX);
    sn_status status = open_cursors(&merge, err);
    if (status == SN_OK)
        status = merge_all(&merge, err);
    *ret_culprit = merge.culprit;
    release(&merge);
    return status;
}
