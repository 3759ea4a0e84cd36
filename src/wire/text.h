/*
 * Reader of the Prometheus text exposition format 0.0.4, with the quoted UTF-8 names of
 * Prometheus 3: `# HELP` and `# TYPE` lines, name{label="value"} value [timestamp].
 *
 * It accepts and refuses what Prometheus accepts and refuses, except where the format's
 * description is more permissive than Prometheus: blanks before a line and around a type are
 * fine, and so is the type "unknown". A NUL between lines is refused instead of ending the page.
 *
 * 1. Zero copy, no allocation: every span lies inside the body.
 * 2. Lines end with \n, the last one may end with the page. \r\n is refused.
 * 3. Pure. One thread per reader; many readers may read one body.
 */
#ifndef SN_WIRE_TEXT_H
#define SN_WIRE_TEXT_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/status.h"
#include "base/str.h"
#include "model/labels.h"
#include "model/sample.h"

#include <stdbool.h>
#include <stdint.h>

/* Which backslash sequences a span may hold; an unknown one stands for itself in both. */
enum sn_text_escapes {
    SN_TEXT_NO_ESCAPES = 0,     /* the span is the text */
    SN_TEXT_QUOTED_ESCAPES = 1, /* \\ \" \n */
    SN_TEXT_HELP_ESCAPES = 2,   /* \\ \n */
};

/* A piece of the body; sn_text_resolve gives the text that it stands for. */
struct sn_text_span {
    struct sn_str raw;
    enum sn_text_escapes escapes;
};

struct sn_text_label {
    struct sn_text_span name;
    struct sn_text_span value; /* may be empty: no such label */
};

enum sn_text_kind {
    SN_TEXT_END = 0, /* nothing is left */
    SN_TEXT_SAMPLE = 1,
    SN_TEXT_HELP = 2,
    SN_TEXT_TYPE = 3,
    SN_TEXT_UNIT = 4, /* OpenMetrics only */
};

/* A labelled example of a sample. OpenMetrics only. */
struct sn_text_exemplar {
    const struct sn_text_label *labels; /* [label_count]; no name twice */
    size_t label_count;
    double value;
    int64_t time_ms; /* 0 without one */
    bool has_time;
};

/* What one line says. Spans borrow from the body, labels from the reader until its next call. */
struct sn_text_entry {
    enum sn_text_kind kind;
    struct sn_text_span metric_name; /* not empty, UTF-8 */

    /* SN_TEXT_SAMPLE */
    struct sn_str series;               /* as written: from the name to the closing brace */
    const struct sn_text_label *labels; /* [label_count], at most SN_LABELS_MAX; no name twice */
    size_t label_count;                 /* as written; above SN_LABELS_MAX the rest is not kept */
    double value;
    int64_t time_ms; /* 0 without one; negative in OpenMetrics only */
    bool has_time;
    int64_t start_ms; /* since when it counts; 0: not told. Text format only */
    const struct sn_text_exemplar *exemplar; /* NULL: none */

    /* SN_TEXT_HELP, SN_TEXT_TYPE, SN_TEXT_UNIT */
    struct sn_text_span help; /* of SN_TEXT_UNIT: the unit */
    enum sn_metric_type type;
};

/* One thread. Caller's memory, nothing to release. */
struct sn_text_reader {
    const char *begin; /* the body, borrowed */
    const char *end;
    const char *at;    /* first byte that is not read */
    const char *entry; /* where the last entry starts */
    int64_t start_ms;  /* what SONDE_START said about the next sample; 0: nothing */
    struct sn_text_label labels[SN_LABELS_MAX];
};

/* Start to read a body, which must stay as it is while the reader and its spans are used. */
void sn_text_reader_init(struct sn_text_reader *reader, struct sn_str body);

/*
 * Read the next entry, skipping comments and empty lines.
 *
 * The format has no start times, so libsonde's push client says them in a comment, which others skip:
 * `# SONDE_START 1700000000123`, Unix milliseconds, before the sample that it is about.
 *
 *   ret_entry   kind SN_TEXT_END when nothing is left; written on SN_OK only
 *
 * Returns SN_OK, SN_ERR_INVALID: the sentence has line, column (in bytes, from 1), what was
 * expected and what is there. After a failure every further call fails in the same way.
 * Threads: the reader's. Blocks: never.
 * Cost: measured by bench/wire/text_bench.c; lines with k labels compare k^2/2 names.
 */
sn_status sn_text_reader_next(struct sn_text_reader *reader, struct sn_text_entry *ret_entry,
                              struct sn_err *err) SN_MUST_USE;

/* Line of the last entry, from 1. Counts from the start of the body: for messages only. */
size_t sn_text_reader_line(const struct sn_text_reader *reader);

/*
 * The text that a span stands for: the span itself when it has no escapes, else a copy in the
 * arena. SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena).
 */
sn_status sn_text_resolve(struct sn_text_span span, struct sn_arena *arena, struct sn_str *ret_text,
                          struct sn_err *err) SN_MUST_USE;

/*
 * Labels of a sample, its name as "__name__", in the order of the line: for sn_labels_make.
 *
 *   entry       an SN_TEXT_SAMPLE with at most SN_LABELS_MAX labels
 *   arena       takes text that has escapes
 *   ret_items   [1 + entry->label_count], borrows from the body and the arena
 *
 * SN_ERR_NO_MEMORY, SN_ERR_LIMIT (of the arena); ret_items may then be written in part.
 */
sn_status sn_text_entry_labels(const struct sn_text_entry *entry, struct sn_arena *arena,
                               struct sn_label *ret_items, struct sn_err *err) SN_MUST_USE;

#endif
