/*
 * Reader of Prometheus remote write, 1.0 (prometheus.WriteRequest) and 2.0
 * (io.prometheus.write.v2.Request), after decompression.
 *
 * It hands out one thing after another: a series, then its samples, histograms, exemplars and (2.0)
 * metadata in the order of the message, then the next series.
 *
 * 1. Zero copy: text lies inside the body. The arena holds the symbols of 2.0 and one histogram.
 * 2. What is no Protobuf, has a known field with another wire type, or refers to a symbol that is
 *    not there is SN_ERR_INVALID, and the reader is of no use then. Whether labels and
 *    histograms make sense is not judged here.
 * 3. Fields in any order, unknown fields, packed and unpacked numbers are read as the format demands.
 * 4. Values are copied bit by bit: stale markers stay stale markers.
 *
 * Pure. One thread per reader.
 */
#ifndef SN_WIRE_REMOTE_WRITE_H
#define SN_WIRE_REMOTE_WRITE_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/str.h"
#include "codec/protobuf.h"
#include "model/histogram.h"
#include "model/labels.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* Strings of one 2.0 request: 32 MiB of the arena; a million series need about as many. */
#define SN_REMOTE_WRITE_SYMBOLS_MAX ((size_t)2 << 20)

enum sn_remote_write_version {
    SN_REMOTE_WRITE_1 = 1,
    SN_REMOTE_WRITE_2 = 2,
};

enum sn_remote_write_kind {
    SN_REMOTE_WRITE_END = 0, /* nothing is left */
    SN_REMOTE_WRITE_SERIES = 1,
    SN_REMOTE_WRITE_SAMPLE = 2,
    SN_REMOTE_WRITE_HISTOGRAM = 3,
    SN_REMOTE_WRITE_EXEMPLAR = 4,
    SN_REMOTE_WRITE_METADATA = 5,
};

/* Text borrows from the body; arrays and the histogram from the reader until its next call. */
struct sn_remote_write_entry {
    enum sn_remote_write_kind kind;

    /* SERIES and EXEMPLAR: as sent, in any order, names perhaps twice. The caller may sort them. */
    struct sn_label *labels; /* [label_count], but at most SN_LABELS_MAX: the rest is not kept */
    size_t label_count;

    /* SAMPLE, HISTOGRAM, EXEMPLAR */
    int64_t time_ms; /* any value */
    double value;    /* not of a HISTOGRAM */

    /* SAMPLE, HISTOGRAM, SERIES (drafts of 2.0): since when it counts; 0: not said */
    int64_t start_time_ms;

    /* HISTOGRAM: not validated; NULL: more spans or buckets than SN_HISTOGRAM_BUCKETS_MAX */
    const struct sn_histogram *histogram;

    /* METADATA; the name may be empty. Of a 2.0 series: its metric's name, without the endings
     * _bucket, _count and _sum when it is a histogram or a summary. */
    struct sn_metadata metadata;
};

struct sn_remote_write_layout;
struct sn_remote_write_histogram;

struct sn_remote_write_reader {
    const struct sn_remote_write_layout *layout;
    struct sn_arena *arena; /* borrowed */
    struct sn_protobuf_reader request;
    struct sn_protobuf_reader series; /* what is left of the series that was handed out */
    const struct sn_str *symbols;     /* [symbol_count] */
    size_t symbol_count;
    size_t series_count;       /* handed out so far */
    struct sn_str metric_name; /* of the series that was handed out last */
    struct sn_label labels[SN_LABELS_MAX];
    struct sn_remote_write_histogram *histogram; /* in the arena, made for the first one */
};

/*
 * Begin to read a body, and collect the symbols of 2.0.
 *
 *   reader   needs no release
 *   body     borrowed while the reader is used
 *   arena    borrowed as well; grows by 16 bytes per symbol and 100 KiB for histograms
 *
 * Returns SN_OK, SN_ERR_INVALID (no Protobuf, or the other version), SN_ERR_LIMIT
 * (SN_REMOTE_WRITE_SYMBOLS_MAX, the arena), SN_ERR_NO_MEMORY.
 */
sn_status sn_remote_write_open(struct sn_remote_write_reader *reader, struct sn_str body,
                               enum sn_remote_write_version version, struct sn_arena *arena,
                               struct sn_err *err) SN_MUST_USE;

/*
 * Read the next thing; SN_REMOTE_WRITE_END for ever after the last one.
 *
 * Returns SN_OK, SN_ERR_INVALID (the sentence names the series by its number), SN_ERR_LIMIT (the
 * arena), SN_ERR_NO_MEMORY. *ret_entry is undefined after a failure.
 */
sn_status sn_remote_write_next(struct sn_remote_write_reader *reader,
                               struct sn_remote_write_entry *ret_entry,
                               struct sn_err *err) SN_MUST_USE;

#endif
