/*
 * Reader of OpenMetrics: a scanner by hand with the productions of Prometheus' own lexer, which is
 * strict about blanks. Invariants of text.c hold here too.
 *
 * Pure. The thread of the reader.
 */
#include "wire/openmetrics.h"

#include "base/check.h"
#include "codec/number.h"
#include "wire/text_priv.h"

#include <math.h>

static bool take(struct sn_text_reader *reader, struct sn_str text) {
    if ((size_t)(reader->end - reader->at) < text.len ||
        memcmp(reader->at, text.ptr, text.len) != 0) {
        return false;
    }
    reader->at += text.len;
    return true;
}

/* ---- labels ---- */

/* Where labels go: the entry's, or the exemplar's. */
struct label_sink {
    struct sn_openmetrics_reader *reader;
    struct sn_text_entry *entry;
    bool is_exemplar;
};

static sn_status keep_exemplar_label(struct label_sink *sink, struct sn_text_label label,
                                     struct sn_err *err) {
    struct sn_text_exemplar *exemplar = &sink->reader->exemplar;
    struct sn_text_reader *text = &sink->reader->text;
    if (exemplar->label_count == SN_OPENMETRICS_EXEMPLAR_LABELS_MAX) {
        return sn_text_refuse(text, label.name.raw.ptr, "an exemplar has more than 32 labels", err);
    }
    for (size_t i = 0; i < exemplar->label_count; i++) {
        if (sn_str_equal(sink->reader->exemplar_labels[i].name.raw, label.name.raw)) {
            return sn_text_refuse(text, label.name.raw.ptr, "this label name is there twice", err);
        }
    }
    sink->reader->exemplar_labels[exemplar->label_count++] = label;
    return SN_OK;
}

/* ="value" behind a name. */
static sn_status read_label_value(struct label_sink *sink, struct sn_text_span name,
                                  struct sn_err *err) {
    struct sn_text_reader *text = &sink->reader->text;
    struct sn_text_label label = {.name = name};
    if (!take(text, SN_STR("="))) {
        return sn_text_fail(text, text->at, "'=' behind a label name", err);
    }
    if (!sn_text_is_next(text, '"')) {
        return sn_text_fail(text, text->at, "a label value in double quotes", err);
    }
    const char *start = text->at;
    SN_TRY(sn_text_read_quoted(text, &label.value, err));
    if (memchr(label.value.raw.ptr, '\n', label.value.raw.len) != NULL) {
        return sn_text_refuse(text, start, "this quote is not closed in its line", err);
    }
    return sink->is_exemplar ? keep_exemplar_label(sink, label, err)
                             : sn_text_keep_label(text, sink->entry, label, err);
}

/* "name" in quotes: the metric's when a comma or the closing brace follows. */
static sn_status read_quoted_item(struct label_sink *sink, struct sn_err *err) {
    struct sn_text_reader *text = &sink->reader->text;
    const char *start = text->at;
    struct sn_text_span name;
    SN_TRY(sn_text_read_quoted_name(text, &name, err));
    if (!sn_text_is_next(text, ',') && !sn_text_is_next(text, '}')) {
        return read_label_value(sink, name, err);
    }
    if (sink->is_exemplar || sink->entry->metric_name.raw.ptr != NULL) {
        return sn_text_refuse(text, start, "a second metric name, or a label without a value", err);
    }
    sink->entry->metric_name = name;
    return SN_OK;
}

/* From behind the opening brace to behind the closing one. A comma may stand before the brace. */
static sn_status read_labels(struct label_sink *sink, struct sn_err *err) {
    struct sn_text_reader *text = &sink->reader->text;
    while (!take(text, SN_STR("}"))) {
        if (sn_text_is_next(text, '"')) {
            SN_TRY(read_quoted_item(sink, err));
        } else {
            struct sn_text_span name;
            SN_TRY(sn_text_read_plain_name(text, SN_TEXT_LETTER | SN_TEXT_DIGIT,
                                           "a label name or '}'", &name, err));
            SN_TRY(read_label_value(sink, name, err));
        }
        if (!take(text, SN_STR(",")) && !sn_text_is_next(text, '}')) {
            return sn_text_fail(text, text->at, "',' or '}' behind a label", err);
        }
    }
    return SN_OK;
}

/* ---- numbers ---- */

/* A blank and a number. */
static sn_status read_number(struct sn_text_reader *text, const char *expected, double *ret_value,
                             struct sn_err *err) {
    if (!take(text, SN_STR(" "))) {
        return sn_text_fail(text, text->at, "a blank", err);
    }
    const char *start = text->at;
    const char *at = start;
    while (at < text->end && *at != ' ' && *at != '\n') {
        at++;
    }
    if (at == start) {
        return sn_text_fail(text, at, expected, err);
    }
    sn_status status = sn_double_parse(sn_str_make(start, (size_t)(at - start)), ret_value);
    if (status != SN_OK) {
        return sn_text_refuse(text, start,
                              status == SN_ERR_LIMIT ? "this number is larger than any 64-bit float"
                                                     : "this is not a number",
                              err);
    }
    text->at = at;
    return SN_OK;
}

/* A time, when there is one: seconds with fractions, cut to milliseconds as Prometheus does. */
static sn_status read_time(struct sn_text_reader *text, int64_t *ret_time_ms, bool *ret_has_time,
                           struct sn_err *err) {
    const char *start = text->at;
    double seconds;
    if (text->end - start < 2 || start[0] != ' ' || start[1] == '#') {
        return SN_OK;
    }
    SN_TRY(read_number(text, "a timestamp", &seconds, err));
    /* Beyond this no double is a whole number of milliseconds that fits. */
    if (!isfinite(seconds) || fabs(seconds) >= 9.2e15) {
        return sn_text_refuse(text, start + 1, "this timestamp is out of range", err);
    }
    *ret_time_ms = (int64_t)(seconds * 1000);
    *ret_has_time = true;
    return SN_OK;
}

/* ---- samples ---- */

static sn_status read_exemplar(struct sn_openmetrics_reader *reader, struct sn_text_entry *entry,
                               struct sn_err *err) {
    struct label_sink sink = {.reader = reader, .entry = entry, .is_exemplar = true};
    struct sn_text_exemplar *exemplar = &reader->exemplar;
    *exemplar = (struct sn_text_exemplar){.labels = reader->exemplar_labels};
    SN_TRY(read_labels(&sink, err));
    SN_TRY(read_number(&reader->text, "the value of an exemplar", &exemplar->value, err));
    SN_TRY(read_time(&reader->text, &exemplar->time_ms, &exemplar->has_time, err));
    entry->exemplar = exemplar;
    return SN_OK;
}

static sn_status read_series(struct sn_openmetrics_reader *reader, struct sn_text_entry *entry,
                             struct sn_err *err) {
    struct sn_text_reader *text = &reader->text;
    struct label_sink sink = {.reader = reader, .entry = entry, .is_exemplar = false};
    const char *start = text->at;
    if (*start != '{') {
        SN_TRY(sn_text_read_plain_name(text, SN_TEXT_LETTER | SN_TEXT_DIGIT | SN_TEXT_COLON,
                                       "a metric name, '{' or '# '", &entry->metric_name, err));
    }
    if (take(text, SN_STR("{"))) {
        SN_TRY(read_labels(&sink, err));
    }
    if (entry->metric_name.raw.ptr == NULL) {
        return sn_text_refuse(text, start, "this series has no metric name", err);
    }
    entry->series = sn_str_make(start, (size_t)(text->at - start));
    return SN_OK;
}

static sn_status read_sample(struct sn_openmetrics_reader *reader, struct sn_text_entry *entry,
                             struct sn_err *err) {
    struct sn_text_reader *text = &reader->text;
    entry->kind = SN_TEXT_SAMPLE;
    entry->labels = text->labels;
    SN_TRY(read_series(reader, entry, err));
    SN_TRY(read_number(text, "a value", &entry->value, err));
    SN_TRY(read_time(text, &entry->time_ms, &entry->has_time, err));
    if (take(text, SN_STR(" # {"))) {
        SN_TRY(read_exemplar(reader, entry, err));
    }
    if (!take(text, SN_STR("\n"))) {
        return sn_text_fail(text, text->at, "the end of the line", err);
    }
    return SN_OK;
}

/* ---- metadata ---- */

static bool type_from(struct sn_str text, enum sn_metric_type *ret_type) {
    static const struct {
        struct sn_str text;
        enum sn_metric_type type;
    } types[] = {
        {{"counter", 7}, SN_METRIC_COUNTER},
        {{"gauge", 5}, SN_METRIC_GAUGE},
        {{"histogram", 9}, SN_METRIC_HISTOGRAM},
        {{"gaugehistogram", 14}, SN_METRIC_GAUGE_HISTOGRAM},
        {{"summary", 7}, SN_METRIC_SUMMARY},
        {{"info", 4}, SN_METRIC_INFO},
        {{"stateset", 8}, SN_METRIC_STATESET},
        {{"unknown", 7}, SN_METRIC_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (sn_str_equal(text, types[i].text)) {
            *ret_type = types[i].type;
            return true;
        }
    }
    return false;
}

/* A unit is a suffix of its metric's name, behind an underscore. */
static bool unit_fits(struct sn_str name, struct sn_str unit) {
    return unit.len == 0 || (name.len > unit.len && sn_str_ends_with(name, unit) &&
                             name.ptr[name.len - unit.len - 1] == '_');
}

static sn_status read_metadata_text(struct sn_text_reader *text, struct sn_text_entry *entry,
                                    struct sn_err *err) {
    const char *start = text->at;
    const char *newline = memchr(start, '\n', (size_t)(text->end - start));
    if (newline == NULL) {
        return sn_text_refuse(text, start, "this line has no end", err);
    }
    entry->help.raw = sn_str_make(start, (size_t)(newline - start));
    text->at = newline + 1;
    if (!sn_str_is_utf8(entry->help.raw)) {
        return sn_text_refuse(text, start, "text that is not UTF-8", err);
    }
    if (entry->kind == SN_TEXT_TYPE && !type_from(entry->help.raw, &entry->type)) {
        return sn_text_fail(text, start,
                            "a type: counter, gauge, histogram, gaugehistogram, summary, info, "
                            "stateset or unknown",
                            err);
    }
    if (entry->kind == SN_TEXT_UNIT && !unit_fits(entry->metric_name.raw, entry->help.raw)) {
        return sn_text_refuse(text, start, "the unit is not a suffix of the metric's name", err);
    }
    if (entry->kind == SN_TEXT_HELP && sn_str_find_char(entry->help.raw, '\\') != SIZE_MAX) {
        entry->help.escapes = SN_TEXT_QUOTED_ESCAPES;
    }
    return SN_OK;
}

/* Behind "# HELP " and its like. */
static sn_status read_metadata(struct sn_text_reader *text, enum sn_text_kind kind,
                               struct sn_text_entry *entry, struct sn_err *err) {
    entry->kind = kind;
    if (sn_text_is_next(text, '"')) {
        SN_TRY(sn_text_read_quoted_name(text, &entry->metric_name, err));
    } else {
        SN_TRY(sn_text_read_plain_name(text, SN_TEXT_LETTER | SN_TEXT_DIGIT | SN_TEXT_COLON,
                                       "a metric name", &entry->metric_name, err));
    }
    if (!take(text, SN_STR(" "))) {
        return sn_text_fail(text, text->at, "a blank behind the metric name", err);
    }
    return read_metadata_text(text, entry, err);
}

static sn_status read_end(struct sn_openmetrics_reader *reader, struct sn_err *err) {
    struct sn_text_reader *text = &reader->text;
    if (text->at < text->end && !take(text, SN_STR("\n"))) {
        return sn_text_fail(text, text->at, "the end of the line behind # EOF", err);
    }
    if (text->at < text->end) {
        return sn_text_refuse(text, text->at, "something stands behind # EOF", err);
    }
    reader->is_ended = true;
    return SN_OK;
}

static sn_status read_hash(struct sn_openmetrics_reader *reader, struct sn_text_entry *entry,
                           struct sn_err *err) {
    struct sn_text_reader *text = &reader->text;
    if (take(text, SN_STR("# EOF"))) {
        return read_end(reader, err);
    }
    if (take(text, SN_STR("# HELP "))) {
        return read_metadata(text, SN_TEXT_HELP, entry, err);
    }
    if (take(text, SN_STR("# TYPE "))) {
        return read_metadata(text, SN_TEXT_TYPE, entry, err);
    }
    if (take(text, SN_STR("# UNIT "))) {
        return read_metadata(text, SN_TEXT_UNIT, entry, err);
    }
    return sn_text_fail(text, text->at, "\"# HELP \", \"# TYPE \", \"# UNIT \" or \"# EOF\"", err);
}

/* ---- public ---- */

void sn_openmetrics_reader_init(struct sn_openmetrics_reader *reader, struct sn_str body) {
    sn_text_reader_init(&reader->text, body);
    reader->is_ended = false;
}

sn_status sn_openmetrics_reader_next(struct sn_openmetrics_reader *reader,
                                     struct sn_text_entry *ret_entry, struct sn_err *err) {
    struct sn_text_reader *text = &reader->text;
    struct sn_text_entry entry = {.kind = SN_TEXT_END};
    if (!reader->is_ended) {
        text->entry = text->at;
        if (text->at == text->end) {
            return sn_text_refuse(text, text->at, "the page does not end with # EOF", err);
        }
        sn_status status =
            *text->at == '#' ? read_hash(reader, &entry, err) : read_sample(reader, &entry, err);
        if (SN_UNLIKELY(status != SN_OK)) {
            text->at = text->entry;
            return status;
        }
    }
    *ret_entry = entry;
    return SN_OK;
}
