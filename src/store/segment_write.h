/*
 * Writing one segment file: chunks in metric order, into <path>.tmp, which gets its real name
 * when it is whole and on disk. One thread.
 *
 * Writes are paced: after each 2 MiB the data is forced to disk and the writer pauses, so that the
 * log's fsyncs beside it stay short.
 */
#ifndef SN_STORE_SEGMENT_WRITE_H
#define SN_STORE_SEGMENT_WRITE_H

#include "base/buf.h"
#include "base/clock.h"
#include "base/status.h"
#include "store/pack.h"
#include "store/segment.h"
#include "store/segment_format.h"

#define SN_PATH_BYTES_MAX 4096

struct sn_segment_writer {
    struct sn_pack_builder builder;
    struct sn_buf out;       /* packs not written yet */
    struct sn_buf directory; /* entries in their stored form */
    uint64_t *series;        /* [series_words], owned: a bit for each that was added */
    size_t series_words;
    struct sn_segment_footer footer;
    const struct sn_clock *clock; /* borrowed */
    int64_t pause_ns;
    uint64_t bytes;               /* where the next pack begins */
    uint64_t written;             /* bytes that are in the file */
    int fd;                       /* -1: not open */
    char path[SN_PATH_BYTES_MAX]; /* final name */
    char path_tmp[SN_PATH_BYTES_MAX];
};

struct sn_segment_writer_options {
    const char *dir; /* the seg directory */
    uint64_t id;
    const struct sn_clock *clock;
    int64_t pause_ns; /* 0: none */
    bool is_merged;   /* larger packs */
};

/* Name of a segment file. Returns false when the path is too long. */
bool sn_segment_path(char ret_path[SN_PATH_BYTES_MAX], const char *dir, uint64_t id);

/* Create the temporary file. On failure nothing is left behind and release is not needed. */
sn_status sn_segment_writer_open(struct sn_segment_writer *writer,
                                 const struct sn_segment_writer_options *options,
                                 struct sn_err *err) SN_MUST_USE;

/* Add all float samples of the next series in metric order: ascending times, any count. */
sn_status sn_segment_writer_add(struct sn_segment_writer *writer, uint32_t series,
                                const struct sn_samples *samples, struct sn_err *err) SN_MUST_USE;

/* Add all histograms of a series, after its floats. */
sn_status sn_segment_writer_add_histograms(struct sn_segment_writer *writer, uint32_t series,
                                           const struct sn_histograms *histograms,
                                           struct sn_err *err) SN_MUST_USE;

/* Add all rollups of the next series in metric order; a file has nothing else then. */
sn_status sn_segment_writer_add_rollups(struct sn_segment_writer *writer, uint32_t series,
                                        const struct sn_rollups *rollups,
                                        struct sn_err *err) SN_MUST_USE;

/*
 * Write what is left, force it to disk, give the file its name, force the directory to disk. There
 * is at least one sample. After it writer->footer and writer->bytes describe the file.
 */
sn_status sn_segment_writer_finish(struct sn_segment_writer *writer, const char *dir,
                                   struct sn_err *err) SN_MUST_USE;

/* The row of a file that was finished. */
struct sn_segment_row sn_segment_writer_row(const struct sn_segment_writer *writer, uint64_t rank);

/* Close and free; a file that was not finished is removed. */
void sn_segment_writer_release(struct sn_segment_writer *writer);

#endif
