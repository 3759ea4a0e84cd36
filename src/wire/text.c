/*
 * Reader of the text exposition format: a scanner by hand, one function per production.
 *
 * 1. `at` only moves forward and never beyond `end`; every look at *at is behind a test for end.
 * 2. Functions that read move reader->at behind what they have read; when they fail, next() puts
 *    it back to the start of the entry, so that the same failure comes again.
 * 3. Lines and columns are counted when an error is written, never while reading.
 *
 * Pure. The thread of the reader.
 */
#include "wire/text.h"

#include "base/check.h"
#include "codec/number.h"
#include "wire/text_priv.h"

const uint8_t sn_text_class_of[256] = {
    ['a' ... 'z'] = SN_TEXT_LETTER,
    ['A' ... 'Z'] = SN_TEXT_LETTER,
    ['_'] = SN_TEXT_LETTER,
    ['0' ... '9'] = SN_TEXT_DIGIT,
    [':'] = SN_TEXT_COLON,
    [' '] = SN_TEXT_BLANK | SN_TEXT_VALUE_END,
    ['\t'] = SN_TEXT_BLANK | SN_TEXT_VALUE_END,
    ['\n'] = SN_TEXT_VALUE_END,
    ['{'] = SN_TEXT_VALUE_END,
};

/* ---- errors ---- */

/* Line (from 1) of a place, and where that line starts. */
size_t sn_text_line_of(const struct sn_text_reader *reader, const char *place,
                       const char **ret_start) {
    size_t line = 1;
    const char *start = reader->begin;
    while (start < place) {
        const char *newline = memchr(start, '\n', (size_t)(place - start));
        if (newline == NULL) {
            break;
        }
        line++;
        start = newline + 1;
    }
    *ret_start = start;
    return line;
}

/* What stands at `place`, in words; NULL when it is a byte like any other. */
static const char *words_for(const struct sn_text_reader *reader, const char *place) {
    if (place >= reader->end) {
        return "the end of the page";
    }
    if (*place == '\n') {
        return "the end of the line";
    }
    return *place == '\r' ? "a carriage return (lines end with \\n alone)" : NULL;
}

/* Cold: kept out of the callers, which are hot. */
__attribute__((noinline, cold)) sn_status sn_text_fail(const struct sn_text_reader *reader,
                                                       const char *place, const char *expected,
                                                       struct sn_err *err) {
    const char *start;
    size_t line = sn_text_line_of(reader, place, &start);
    size_t column = (size_t)(place - start) + 1;
    const char *words = words_for(reader, place);
    if (words != NULL) {
        return sn_err_set(err, SN_ERR_INVALID, "line %zu, column %zu: expected %s, found %s", line,
                          column, expected, words);
    }
    if (*place > ' ' && *place < 127) {
        return sn_err_set(err, SN_ERR_INVALID, "line %zu, column %zu: expected %s, found '%c'",
                          line, column, expected, *place);
    }
    return sn_err_set(err, SN_ERR_INVALID, "line %zu, column %zu: expected %s, found byte 0x%02x",
                      line, column, expected, (unsigned)(unsigned char)*place);
}

/* As fail, for a place that is well-formed and still wrong: the sentence says all. */
__attribute__((noinline, cold)) sn_status sn_text_refuse(const struct sn_text_reader *reader,
                                                         const char *place, const char *what,
                                                         struct sn_err *err) {
    const char *start;
    size_t line = sn_text_line_of(reader, place, &start);
    return sn_err_set(err, SN_ERR_INVALID, "line %zu, column %zu: %s", line,
                      (size_t)(place - start) + 1, what);
}

/* ---- pieces ---- */

static struct sn_text_span plain_span(const char *from, const char *to) {
    return (struct sn_text_span){sn_str_make(from, (size_t)(to - from)), SN_TEXT_NO_ESCAPES};
}

/* A name without quotes: a letter or one of `classes` that is no digit, then any of `classes`. */
sn_status sn_text_read_plain_name(struct sn_text_reader *reader, unsigned classes,
                                  const char *expected, struct sn_text_span *ret_name,
                                  struct sn_err *err) {
    const char *at = reader->at;
    const char *end = reader->end;
    if (at == end || !sn_text_is_in(*at, classes & ~(unsigned)SN_TEXT_DIGIT)) {
        return sn_text_fail(reader, at, expected, err);
    }
    do {
        at++;
    } while (at < end && sn_text_is_in(*at, classes));
    *ret_name = plain_span(reader->at, at);
    reader->at = at;
    return SN_OK;
}

/*
 * Text in double quotes, which may go over several lines as in Prometheus. `*at` is the opening
 * quote. UTF-8 is checked on the raw bytes: escapes are ASCII and cannot hide inside a character.
 */
sn_status sn_text_read_quoted(struct sn_text_reader *reader, struct sn_text_span *ret_text,
                              struct sn_err *err) {
    const char *from = reader->at + 1;
    const char *at = from;
    const char *end = reader->end;
    unsigned seen = 0;
    bool has_escapes = false;
    while (at < end && *at != '"') {
        seen |= (unsigned char)*at;
        if (*at == '\\') {
            has_escapes = true;
            at++;
            if (at == end) {
                break;
            }
            seen |= (unsigned char)*at;
        }
        at++;
    }
    if (at == end) {
        return sn_text_refuse(reader, reader->at, "this quote is never closed", err);
    }
    *ret_text = plain_span(from, at);
    ret_text->escapes = has_escapes ? SN_TEXT_QUOTED_ESCAPES : SN_TEXT_NO_ESCAPES;
    if (seen >= 0x80 && !sn_str_is_utf8(ret_text->raw)) {
        return sn_text_refuse(reader, from, "text in quotes is not UTF-8", err);
    }
    reader->at = at + 1;
    return SN_OK;
}

/* A quoted name, which must not be empty. */
sn_status sn_text_read_quoted_name(struct sn_text_reader *reader, struct sn_text_span *ret_name,
                                   struct sn_err *err) {
    const char *start = reader->at;
    SN_TRY(sn_text_read_quoted(reader, ret_name, err));
    if (ret_name->raw.len == 0) {
        return sn_text_refuse(reader, start, "a name is empty", err);
    }
    return SN_OK;
}

/* ---- labels ---- */

static bool spans_equal(struct sn_text_span a, struct sn_text_span b) {
    return a.raw.len == b.raw.len && memcmp(a.raw.ptr, b.raw.ptr, a.raw.len) == 0;
}

/*
 * Keep a label, unless its name is there already. Two spellings of one name with escapes are
 * found by sn_labels_make later.
 */
sn_status sn_text_keep_label(struct sn_text_reader *reader, struct sn_text_entry *entry,
                             struct sn_text_label label, struct sn_err *err) {
    if (entry->label_count >= SN_LABELS_MAX) {
        entry->label_count++;
        return SN_OK;
    }
    for (size_t i = 0; i < entry->label_count; i++) {
        if (SN_UNLIKELY(spans_equal(reader->labels[i].name, label.name))) {
            return sn_text_refuse(reader, label.name.raw.ptr, "this label name is there twice",
                                  err);
        }
    }
    if (SN_UNLIKELY(sn_str_equal(label.name.raw, SN_LABEL_METRIC_NAME))) {
        return sn_text_refuse(reader, label.name.raw.ptr,
                              "the metric name is not given as a label __name__", err);
    }
    reader->labels[entry->label_count++] = label;
    return SN_OK;
}

/* = "value" and a comma that may be missing. */
static sn_status read_label_rest(struct sn_text_reader *reader, struct sn_text_entry *entry,
                                 struct sn_text_span name, struct sn_err *err) {
    struct sn_text_label label = {.name = name};
    sn_text_skip_blanks(reader);
    if (!sn_text_is_next(reader, '=')) {
        return sn_text_fail(reader, reader->at, "'=' behind a label name", err);
    }
    reader->at++;
    sn_text_skip_blanks(reader);
    if (!sn_text_is_next(reader, '"')) {
        return sn_text_fail(reader, reader->at, "a label value in double quotes", err);
    }
    SN_TRY(sn_text_read_quoted(reader, &label.value, err));
    SN_TRY(sn_text_keep_label(reader, entry, label, err));
    sn_text_skip_blanks(reader);
    if (sn_text_is_next(reader, ',')) {
        reader->at++;
    }
    return SN_OK;
}

/* "name" inside the braces: the metric's when a comma or the closing brace follows. */
static sn_status read_quoted_item(struct sn_text_reader *reader, struct sn_text_entry *entry,
                                  struct sn_err *err) {
    const char *start = reader->at;
    struct sn_text_span name;
    SN_TRY(sn_text_read_quoted_name(reader, &name, err));
    sn_text_skip_blanks(reader);
    if (!sn_text_is_next(reader, ',') && !sn_text_is_next(reader, '}')) {
        return read_label_rest(reader, entry, name, err);
    }
    if (entry->metric_name.raw.ptr != NULL) {
        return sn_text_refuse(reader, start, "a second metric name, or a label without a value",
                              err);
    }
    entry->metric_name = name;
    if (*reader->at == ',') {
        reader->at++;
    }
    return SN_OK;
}

/* From behind the opening brace to behind the closing one. */
static sn_status read_labels(struct sn_text_reader *reader, struct sn_text_entry *entry,
                             struct sn_err *err) {
    for (;;) {
        sn_text_skip_blanks(reader);
        if (sn_text_is_next(reader, '}')) {
            reader->at++;
            return SN_OK;
        }
        if (sn_text_is_next(reader, '"')) {
            SN_TRY(read_quoted_item(reader, entry, err));
            continue;
        }
        struct sn_text_span name;
        SN_TRY(sn_text_read_plain_name(reader, SN_TEXT_LETTER | SN_TEXT_DIGIT,
                                       "a label name or '}'", &name, err));
        SN_TRY(read_label_rest(reader, entry, name, err));
    }
}

/* ---- samples ---- */

static sn_status read_value(struct sn_text_reader *reader, struct sn_text_entry *entry,
                            struct sn_err *err) {
    const char *start = reader->at;
    const char *at = start;
    while (at < reader->end && !sn_text_is_in(*at, SN_TEXT_VALUE_END)) {
        at++;
    }
    if (at == start) {
        return sn_text_fail(reader, at, "a value", err);
    }
    struct sn_str text = sn_str_make(start, (size_t)(at - start));
    if (SN_UNLIKELY(text.ptr[text.len - 1] == '\r')) {
        return sn_text_fail(reader, at - 1, "the end of the line", err);
    }
    sn_status status = sn_double_parse(text, &entry->value);
    if (SN_UNLIKELY(status != SN_OK)) {
        return sn_text_refuse(reader, start,
                              status == SN_ERR_LIMIT ? "this value is larger than any 64-bit float"
                                                     : "this value is not a number",
                              err);
    }
    reader->at = at;
    return SN_OK;
}

static sn_status read_time(struct sn_text_reader *reader, struct sn_text_entry *entry,
                           struct sn_err *err) {
    const char *start = reader->at;
    const char *at = start;
    while (at < reader->end && sn_text_is_in(*at, SN_TEXT_DIGIT)) {
        at++;
    }
    if (at == start) {
        return sn_text_is_next(reader, '-')
                   ? sn_text_refuse(reader, start, "a timestamp before 1970 cannot be stored", err)
                   : sn_text_fail(reader, start,
                                  "a timestamp in milliseconds or the end of the line", err);
    }
    if (sn_int64_parse(sn_str_make(start, (size_t)(at - start)), &entry->time_ms) != SN_OK) {
        return sn_text_refuse(reader, start, "this timestamp does not fit in 63 bits", err);
    }
    entry->has_time = true;
    reader->at = at;
    return SN_OK;
}

/* Behind the series: value, timestamp, end of the line. */
static sn_status read_sample_rest(struct sn_text_reader *reader, struct sn_text_entry *entry,
                                  struct sn_err *err) {
    sn_text_skip_blanks(reader);
    SN_TRY(read_value(reader, entry, err));
    sn_text_skip_blanks(reader);
    if (!sn_text_is_line_end(reader)) {
        SN_TRY(read_time(reader, entry, err));
        sn_text_skip_blanks(reader);
    }
    if (!sn_text_is_line_end(reader)) {
        return sn_text_fail(reader, reader->at, "the end of the line", err);
    }
    reader->at += reader->at < reader->end;
    return SN_OK;
}

static sn_status read_sample(struct sn_text_reader *reader, struct sn_text_entry *entry,
                             struct sn_err *err) {
    const char *start = reader->at;
    entry->kind = SN_TEXT_SAMPLE;
    entry->labels = reader->labels;
    if (*start != '{') {
        SN_TRY(sn_text_read_plain_name(reader, SN_TEXT_LETTER | SN_TEXT_DIGIT | SN_TEXT_COLON,
                                       "a metric name, '{' or '#'", &entry->metric_name, err));
        entry->series = entry->metric_name.raw;
        sn_text_skip_blanks(reader);
    }
    if (sn_text_is_next(reader, '{')) {
        reader->at++;
        SN_TRY(read_labels(reader, entry, err));
        if (entry->metric_name.raw.ptr == NULL) {
            return sn_text_refuse(reader, start, "this series has no metric name", err);
        }
        entry->series = sn_str_make(start, (size_t)(reader->at - start));
    }
    return read_sample_rest(reader, entry, err);
}

/* ---- comments and metadata ---- */

/* The rest of the line without its \n; moves behind the \n. */
static struct sn_str read_line_rest(struct sn_text_reader *reader) {
    const char *start = reader->at;
    const char *newline = memchr(start, '\n', (size_t)(reader->end - start));
    const char *line_end = newline != NULL ? newline : reader->end;
    reader->at = newline != NULL ? newline + 1 : reader->end;
    return sn_str_make(start, (size_t)(line_end - start));
}

static bool type_from(struct sn_str text, enum sn_metric_type *ret_type) {
    static const struct {
        struct sn_str text;
        enum sn_metric_type type;
    } types[] = {
        {{"counter", 7}, SN_METRIC_COUNTER},     {{"gauge", 5}, SN_METRIC_GAUGE},
        {{"histogram", 9}, SN_METRIC_HISTOGRAM}, {{"summary", 7}, SN_METRIC_SUMMARY},
        {{"untyped", 7}, SN_METRIC_UNKNOWN},     {{"unknown", 7}, SN_METRIC_UNKNOWN},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (sn_str_equal(text, types[i].text)) {
            *ret_type = types[i].type;
            return true;
        }
    }
    return false;
}

static sn_status read_help(struct sn_text_reader *reader, struct sn_text_entry *entry,
                           struct sn_err *err) {
    const char *start = reader->at;
    entry->kind = SN_TEXT_HELP;
    entry->help.raw = read_line_rest(reader);
    if (!sn_str_is_utf8(entry->help.raw)) {
        return sn_text_refuse(reader, start, "help text is not UTF-8", err);
    }
    if (sn_str_find_char(entry->help.raw, '\\') != SIZE_MAX) {
        entry->help.escapes = SN_TEXT_HELP_ESCAPES;
    }
    return SN_OK;
}

static sn_status read_type(struct sn_text_reader *reader, struct sn_text_entry *entry,
                           struct sn_err *err) {
    const char *start = reader->at;
    entry->kind = SN_TEXT_TYPE;
    struct sn_str text = read_line_rest(reader);
    while (text.len > 0 && sn_text_is_in(text.ptr[text.len - 1], SN_TEXT_BLANK)) {
        text.len--;
    }
    if (!type_from(text, &entry->type)) {
        return sn_text_fail(reader, start,
                            "a type: counter, gauge, histogram, summary, untyped or unknown", err);
    }
    return SN_OK;
}

/* Behind "# HELP " or "# TYPE ": the name and what is said about it. */
static sn_status read_metadata(struct sn_text_reader *reader, bool is_help,
                               struct sn_text_entry *entry, struct sn_err *err) {
    sn_text_skip_blanks(reader);
    if (sn_text_is_next(reader, '"')) {
        SN_TRY(sn_text_read_quoted_name(reader, &entry->metric_name, err));
    } else {
        SN_TRY(sn_text_read_plain_name(reader, SN_TEXT_LETTER | SN_TEXT_DIGIT | SN_TEXT_COLON,
                                       "a metric name behind HELP or TYPE", &entry->metric_name,
                                       err));
    }
    if (!sn_text_is_line_end(reader) && !sn_text_is_in(*reader->at, SN_TEXT_BLANK)) {
        return sn_text_fail(reader, reader->at, "a blank behind the metric name", err);
    }
    sn_text_skip_blanks(reader);
    return is_help ? read_help(reader, entry, err) : read_type(reader, entry, err);
}

/* Whether the word and a blank come next; moves behind the word. */
static bool take_keyword(struct sn_text_reader *reader, struct sn_str word) {
    const char *at = reader->at;
    if ((size_t)(reader->end - at) <= word.len || memcmp(at, word.ptr, word.len) != 0 ||
        !sn_text_is_in(at[word.len], SN_TEXT_BLANK)) {
        return false;
    }
    reader->at += word.len;
    return true;
}

/* What is no time is a comment like others. */
static void read_start(struct sn_text_reader *reader) {
    struct sn_str rest = sn_str_trim(read_line_rest(reader));
    int64_t start_ms;
    if (sn_int64_parse(rest, &start_ms) == SN_OK && start_ms > 0) {
        reader->start_ms = start_ms;
    }
}

/* `*at` is '#'. A comment leaves the kind of the entry at SN_TEXT_END. */
static sn_status read_hash(struct sn_text_reader *reader, struct sn_text_entry *entry,
                           struct sn_err *err) {
    reader->at++;
    if (reader->at < reader->end && sn_text_is_in(*reader->at, SN_TEXT_BLANK)) {
        sn_text_skip_blanks(reader);
        if (take_keyword(reader, SN_STR("HELP"))) {
            return read_metadata(reader, true, entry, err);
        }
        if (take_keyword(reader, SN_STR("TYPE"))) {
            return read_metadata(reader, false, entry, err);
        }
        if (take_keyword(reader, SN_STR("SONDE_START"))) {
            read_start(reader);
            return SN_OK;
        }
    }
    (void)read_line_rest(reader); /* a comment */
    return SN_OK;
}

/* ---- public ---- */

void sn_text_reader_init(struct sn_text_reader *reader, struct sn_str body) {
    /* The array of labels is left as it is: nothing reads what it did not write. */
    reader->begin = body.len > 0 ? body.ptr : "";
    reader->end = reader->begin + body.len;
    reader->at = reader->begin;
    reader->entry = reader->begin;
    reader->start_ms = 0;
}

/* The next entry, a comment or the end: kind SN_TEXT_END. `*at` is the first byte that counts. */
static sn_status read_entry(struct sn_text_reader *reader, struct sn_text_entry *entry,
                            struct sn_err *err) {
    *entry = (struct sn_text_entry){.kind = SN_TEXT_END};
    return *reader->at == '#' ? read_hash(reader, entry, err) : read_sample(reader, entry, err);
}

sn_status sn_text_reader_next(struct sn_text_reader *reader, struct sn_text_entry *ret_entry,
                              struct sn_err *err) {
    struct sn_text_entry entry = {.kind = SN_TEXT_END};
    while (entry.kind == SN_TEXT_END) {
        sn_text_skip_blanks(reader);
        if (reader->at == reader->end) {
            break;
        }
        if (*reader->at == '\n') {
            reader->at++;
            continue;
        }
        reader->entry = reader->at;
        sn_status status = read_entry(reader, &entry, err);
        if (SN_UNLIKELY(status != SN_OK)) {
            reader->at = reader->entry;
            return status;
        }
    }
    if (entry.kind == SN_TEXT_SAMPLE) {
        entry.start_ms = reader->start_ms;
        reader->start_ms = 0;
    }
    *ret_entry = entry;
    return SN_OK;
}

size_t sn_text_reader_line(const struct sn_text_reader *reader) {
    const char *start;
    return sn_text_line_of(reader, reader->entry, &start);
}

/* What the backslash sequence \c stands for, or 0 when it stands for itself. */
static char escaped_char(char c, enum sn_text_escapes escapes) {
    if (c == 'n') {
        return '\n';
    }
    return c == '\\' || (c == '"' && escapes == SN_TEXT_QUOTED_ESCAPES) ? c : 0;
}

/* Write the text into `to`, which has room for raw.len bytes. Returns its length. */
static size_t unescape(struct sn_text_span span, char *to) {
    size_t len = 0;
    for (size_t i = 0; i < span.raw.len; i++) {
        char c = span.raw.ptr[i];
        if (c == '\\' && i + 1 < span.raw.len) {
            char meant = escaped_char(span.raw.ptr[i + 1], span.escapes);
            c = meant != 0 ? meant : c;
            i += meant != 0;
        }
        to[len++] = c;
    }
    return len;
}

sn_status sn_text_resolve(struct sn_text_span span, struct sn_arena *arena, struct sn_str *ret_text,
                          struct sn_err *err) {
    if (SN_LIKELY(span.escapes == SN_TEXT_NO_ESCAPES)) {
        *ret_text = span.raw;
        return SN_OK;
    }
    char *text = sn_arena_alloc(arena, span.raw.len);
    if (text == NULL) {
        return sn_arena_failure(arena, span.raw.len, err);
    }
    *ret_text = sn_str_make(text, unescape(span, text));
    return SN_OK;
}

sn_status sn_text_entry_labels(const struct sn_text_entry *entry, struct sn_arena *arena,
                               struct sn_label *ret_items, struct sn_err *err) {
    SN_CHECK(entry->label_count <= SN_LABELS_MAX);
    ret_items[0].name = SN_LABEL_METRIC_NAME;
    SN_TRY(sn_text_resolve(entry->metric_name, arena, &ret_items[0].value, err));
    for (size_t i = 0; i < entry->label_count; i++) {
        const struct sn_text_label *label = &entry->labels[i];
        SN_TRY(sn_text_resolve(label->name, arena, &ret_items[1 + i].name, err));
        SN_TRY(sn_text_resolve(label->value, arena, &ret_items[1 + i].value, err));
    }
    return SN_OK;
}
