/*
 * Samples as JSON lines: a series with some of its samples on each line, as VictoriaMetrics exports them:
 *
 *   {"metric":{"__name__":"up","job":"x"},"values":[1,0.5],"timestamps":[1700000000000,1700000015000]}
 *
 * and, when they are known, "starts":[...]: since when the counter of each sample counts (0: unknown).
 * Times are Unix milliseconds. Values that JSON has no number for are texts: "NaN", "+Inf", "-Inf",
 * "stale" (the stale marker) and "nan:7ff8000000000002" (a NaN with other bits); "Infinity",
 * "-Infinity" and null (NaN) are read as well. Every bit of a value comes back.
 *
 * Native histograms are on lines of their own, with "histograms":[{...},...] in place of "values"
 * (json_histogram_priv.h); a sum of "stale" is the stale marker.
 *
 * Pure. Any thread.
 */
#ifndef SN_WIRE_JSON_SERIES_H
#define SN_WIRE_JSON_SERIES_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/histogram.h"
#include "model/sample.h"

/* Samples of one line: a reader needs no more memory than that. */
#define SN_JSON_SERIES_SAMPLES_MAX 10000
/* Bytes of one line, as written and as read. */
#define SN_JSON_SERIES_BYTES_MAX ((size_t)4 << 20)

/* What a line says. Everything lies in the arena or in the line. */
struct sn_json_series {
    struct sn_label *labels; /* [label_count] as written, in any order: for sn_labels_make */
    size_t label_count;
    const int64_t *time_ms;  /* [count] in any order */
    const double *value;     /* [count]; NULL: they are histograms, or there are none */
    const int64_t *start_ms; /* [count]; NULL: none are known */
    const struct sn_histogram
        *histograms; /* [count], not validated; NULL: they are floats, or none */
    size_t count;
};

/* Append one line with its newline: samples [first, first + count) of the series. */
void sn_json_series_write(struct sn_labels labels, const struct sn_samples *samples, size_t first,
                          size_t count, struct sn_buf *buf);

/*
 * Append one line with its newline: histograms of the series from `first` on, as many as a line should have.
 * There is at least one. Returns how many it has.
 */
size_t sn_json_series_write_histograms(struct sn_labels labels,
                                       const struct sn_histograms *histograms, size_t first,
                                       struct sn_buf *buf);

/*
 * Read one line, without its newline.
 *
 * SN_ERR_INVALID (the sentence has column and reason), SN_ERR_LIMIT (the line, its samples, its labels,
 * the arena), SN_ERR_NO_MEMORY.
 */
sn_status sn_json_series_read(struct sn_str line, struct sn_arena *arena,
                              struct sn_json_series *ret_series, struct sn_err *err) SN_MUST_USE;

#endif
