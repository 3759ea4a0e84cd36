/* Writing one segment file: see segment_write.h. */
#include "store/segment_write.h"

#include "base/check.h"
#include "base/mem.h"
#include "base/os.h"
#include "codec/crc32c.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum { WRITE_BYTES = 2 << 20 };

bool sn_segment_path(char ret_path[SN_PATH_BYTES_MAX], const char *dir, uint64_t id) {
    int len = snprintf(ret_path, SN_PATH_BYTES_MAX, "%s/%08llu.seg", dir, (unsigned long long)id);
    return len > 0 && len < SN_PATH_BYTES_MAX;
}

sn_status sn_segment_writer_open(struct sn_segment_writer *writer,
                                 const struct sn_segment_writer_options *options,
                                 struct sn_err *err) {
    *writer = (struct sn_segment_writer){
        .clock = options->clock,
        .pause_ns = options->pause_ns,
        .fd = -1,
        .footer = {.id = options->id, .time_min = INT64_MAX, .time_max = INT64_MIN}};
    int len = -1;
    if (sn_segment_path(writer->path, options->dir, options->id))
        len = snprintf(writer->path_tmp, sizeof writer->path_tmp, "%s.tmp", writer->path);
    if (len < 0 || (size_t)len >= sizeof writer->path_tmp)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of segment %llu is too long",
                          (unsigned long long)options->id);
    sn_buf_init(&writer->out, 0);
    sn_buf_init(&writer->directory, 0);
    sn_status status = sn_pack_builder_init(&writer->builder);
    if (status != SN_OK) {
        sn_segment_writer_release(writer);
        return sn_err_set(err, status, "no memory to write a segment");
    }
    if (options->is_merged)
        writer->builder.raw_target = SN_PACK_RAW_TARGET_MERGED;
    writer->fd = sn_os_open(writer->path_tmp, O_WRONLY | O_CREAT | O_TRUNC, 0640);
    if (writer->fd < 0) {
        status = sn_err_set_errno(err, errno, "cannot create %s", writer->path_tmp);
        sn_segment_writer_release(writer);
        return status;
    }
    uint8_t *at = sn_buf_reserve(&writer->out, SN_SEGMENT_HEADER_BYTES);
    if (!at) {
        sn_segment_writer_release(writer);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write a segment");
    }
    sn_segment_put_header(at);
    writer->out.len = SN_SEGMENT_HEADER_BYTES;
    writer->bytes = SN_SEGMENT_HEADER_BYTES;
    return SN_OK;
}

static sn_status write_out(struct sn_segment_writer *writer, struct sn_err *err) {
    if (sn_os_write_all(writer->fd, writer->out.ptr, writer->out.len) != 0)
        return sn_err_set_errno(err, errno, "cannot write %s", writer->path_tmp);
    writer->written += writer->out.len;
    sn_buf_reset(&writer->out);
    return SN_OK;
}

/* Write in pieces, each forced to disk and followed by a pause. */
static sn_status pace(struct sn_segment_writer *writer, struct sn_err *err) {
    if (writer->out.len < WRITE_BYTES)
        return SN_OK;
    SN_TRY(write_out(writer, err));
    if (sn_os_fdatasync(writer->fd) != 0)
        return sn_err_set_errno(err, errno, "cannot sync %s", writer->path_tmp);
    if (writer->pause_ns > 0)
        writer->clock->sleep_ns(writer->clock->ctx, writer->pause_ns);
    return SN_OK;
}

static void count_pack(struct sn_segment_footer *footer, const struct sn_pack_builder *builder) {
    footer->pack_count++;
    footer->chunk_count += builder->chunk_count;
    footer->sample_count += builder->sample_count;
    if (builder->time_min < footer->time_min)
        footer->time_min = builder->time_min;
    if (builder->time_max > footer->time_max)
        footer->time_max = builder->time_max;
}

static sn_status finish_pack(struct sn_segment_writer *writer, struct sn_err *err) {
    struct sn_pack_builder *builder = &writer->builder;
    struct sn_segment_entry entry = {.offset = writer->bytes,
                                     .has_histograms = builder->has_histograms,
                                     .first_series = builder->chunks[0].series,
                                     .time_min = builder->time_min,
                                     .time_max = builder->time_max};
    size_t before = writer->out.len;
    uint8_t *at = sn_buf_reserve(&writer->directory, SN_SEGMENT_ENTRY_BYTES);
    if (!at)
        return sn_buf_status(&writer->directory, err);
    count_pack(&writer->footer, builder);
    sn_status status = sn_pack_finish(builder, &writer->out);
    if (status != SN_OK)
        return sn_err_set(err, status, "no memory to write a segment");
    entry.len = (uint32_t)(writer->out.len - before);
    writer->bytes += entry.len;
    sn_segment_put_entry(&entry, at);
    writer->directory.len += SN_SEGMENT_ENTRY_BYTES;
    return pace(writer, err);
}

/* Room for the bit of a series in the set of those that were added. */
static sn_status reach_series(struct sn_segment_writer *writer, uint32_t series,
                              struct sn_err *err) {
    size_t words = series / 64 + 1;
    if (words <= writer->series_words)
        return SN_OK;
    if (words < 2 * writer->series_words)
        words = 2 * writer->series_words;
    uint64_t *set = sn_realloc_array(writer->series, words, sizeof *set);
    if (!set)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to write a segment");
    memset(set + writer->series_words, 0, (words - writer->series_words) * sizeof *set);
    writer->series = set;
    writer->series_words = words;
    return SN_OK;
}

/* They come in the order of metrics, not of ids: a bit each takes the least time. */
static sn_status note_series(struct sn_segment_writer *writer, uint32_t series,
                             struct sn_err *err) {
    SN_TRY(reach_series(writer, series, err));
    uint64_t bit = UINT64_C(1) << (series % 64);
    writer->footer.series_count += (writer->series[series / 64] & bit) == 0;
    writer->series[series / 64] |= bit;
    return SN_OK;
}

sn_status sn_segment_writer_add(struct sn_segment_writer *writer, uint32_t series,
                                const struct sn_samples *samples, struct sn_err *err) {
    for (size_t at = 0; at < samples->count;) {
        size_t count = samples->count - at;
        if (count > SN_CHUNK_SAMPLES_MAX)
            count = SN_CHUNK_SAMPLES_MAX;
        if (sn_pack_is_full(&writer->builder))
            SN_TRY(finish_pack(writer, err));
        struct sn_samples chunk = {.time_ms = samples->time_ms + at,
                                   .value = samples->value + at,
                                   .start_ms = samples->has_start ? samples->start_ms + at : NULL,
                                   .has_start = samples->has_start,
                                   .count = count};
        sn_status status = sn_pack_add(&writer->builder, series, &chunk);
        if (status != SN_OK)
            return sn_err_set(err, status, "no memory to write a segment");
        at += count;
    }
    return samples->count > 0 ? note_series(writer, series, err) : SN_OK;
}

sn_status sn_segment_writer_add_histograms(struct sn_segment_writer *writer, uint32_t series,
                                           const struct sn_histograms *histograms,
                                           struct sn_err *err) {
    for (size_t at = 0; at < histograms->count;) {
        size_t taken = 0;
        if (sn_pack_is_full(&writer->builder))
            SN_TRY(finish_pack(writer, err));
        sn_status status = sn_pack_add_histograms(&writer->builder, series, histograms, at, &taken);
        if (status != SN_OK)
            return sn_err_set(err, status, "no memory to write a segment");
        at += taken;
    }
    return histograms->count > 0 ? note_series(writer, series, err) : SN_OK;
}

sn_status sn_segment_writer_add_rollups(struct sn_segment_writer *writer, uint32_t series,
                                        const struct sn_rollups *rollups, struct sn_err *err) {
    for (size_t at = 0; at < rollups->count;) {
        size_t count = rollups->count - at;
        if (count > SN_CHUNK_SAMPLES_MAX)
            count = SN_CHUNK_SAMPLES_MAX;
        if (sn_pack_is_full(&writer->builder))
            SN_TRY(finish_pack(writer, err));
        sn_status status =
            sn_pack_add_rollups(&writer->builder, series, rollups->items + at, count);
        if (status != SN_OK)
            return sn_err_set(err, status, "no memory to write a segment");
        at += count;
    }
    return rollups->count > 0 ? note_series(writer, series, err) : SN_OK;
}

static sn_status put_end(struct sn_segment_writer *writer, struct sn_err *err) {
    struct sn_segment_footer *footer = &writer->footer;
    footer->directory_offset = writer->bytes;
    footer->directory_crc = sn_crc32c(0, writer->directory.ptr, writer->directory.len);
    sn_buf_put(&writer->out, writer->directory.ptr, writer->directory.len);
    size_t before = writer->out.len;
    sn_segment_put_series(writer->series, writer->series_words, &writer->out);
    footer->series_bytes = writer->out.len - before;
    uint8_t *at = sn_buf_reserve(&writer->out, SN_SEGMENT_FOOTER_BYTES);
    if (!at)
        return sn_buf_status(&writer->out, err);
    sn_segment_put_footer(footer, at);
    writer->out.len += SN_SEGMENT_FOOTER_BYTES;
    writer->bytes += writer->directory.len + footer->series_bytes + SN_SEGMENT_FOOTER_BYTES;
    return SN_OK;
}

sn_status sn_segment_writer_finish(struct sn_segment_writer *writer, const char *dir,
                                   struct sn_err *err) {
    assert(writer->builder.chunk_count > 0);
    SN_TRY(finish_pack(writer, err));
    SN_TRY(put_end(writer, err));
    SN_TRY(write_out(writer, err));
    if (sn_os_fsync(writer->fd) != 0)
        return sn_err_set_errno(err, errno, "cannot sync %s", writer->path_tmp);
    int fd = writer->fd;
    writer->fd = -1;
    if (sn_os_close(fd) != 0 || sn_os_rename(writer->path_tmp, writer->path) != 0) {
        sn_status status = sn_err_set_errno(err, errno, "cannot finish %s", writer->path);
        (void)sn_os_unlink(writer->path_tmp); /* recovery deletes it as well */
        return status;
    }
    if (sn_os_sync_dir(dir) != 0) {
        sn_status status = sn_err_set_errno(err, errno, "cannot sync %s", dir);
        (void)sn_os_unlink(writer->path); /* has no row: recovery deletes it as well */
        return status;
    }
    return SN_OK;
}

struct sn_segment_row sn_segment_writer_row(const struct sn_segment_writer *writer, uint64_t rank) {
    return (struct sn_segment_row){.id = writer->footer.id,
                                   .rank = rank,
                                   .bytes = writer->bytes,
                                   .series_count = writer->footer.series_count,
                                   .sample_count = writer->footer.sample_count,
                                   .time_min = writer->footer.time_min,
                                   .time_max = writer->footer.time_max};
}

void sn_segment_writer_release(struct sn_segment_writer *writer) {
    if (writer->fd >= 0) {
        (void)sn_os_close(writer->fd); /* the file is thrown away */
        (void)sn_os_unlink(writer->path_tmp);
        writer->fd = -1;
    }
    sn_pack_builder_release(&writer->builder);
    sn_free(writer->series);
    writer->series = NULL;
    sn_buf_release(&writer->out);
    sn_buf_release(&writer->directory);
}
