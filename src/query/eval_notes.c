/*
 * Warnings and infos of a query: the annotations of Prometheus, with its texts.
 *
 * A note that finds no memory is dropped: the answer is right without it. One thread per query.
 */
#include "query/eval_priv.h"

#include "codec/number.h"
#include "query/gotext_priv.h"

static const char no_text[] = "";

/* Line and column of a byte of the query, both from 1. */
static void find_position(struct sn_str text, size_t at, unsigned *ret_line, unsigned *ret_column) {
    size_t line_start = 0;
    unsigned line = 1;
    for (size_t i = 0; i < at && i < text.len; i++) {
        if (text.ptr[i] == '\n') {
            line_start = i + 1;
            line++;
        }
    }
    *ret_line = line;
    *ret_column = (unsigned)(at - line_start + 1);
}

static bool contains(const struct sn_notes *notes, struct sn_str text) {
    for (size_t i = 0; i < notes->count; i++) {
        if (sn_str_equal(notes->items[i], text)) {
            return true;
        }
    }
    return false;
}

static void add_note(struct sn_eval *eval, struct sn_notes *notes, const char *kind,
                     const struct sn_node *where, const char *text) {
    unsigned line;
    unsigned column;
    if (text == NULL || notes->count >= SN_NOTES_MAX) {
        return;
    }
    find_position(eval->expr->text, where->span.start, &line, &column);
    char *note = sn_arena_printf(eval->arena, "PromQL %s: %s (%u:%u)", kind, text, line, column);
    if (note == NULL || contains(notes, sn_str_from(note))) {
        return;
    }
    void *items = notes->items;
    if (sn_eval_grow(eval, &items, notes->count, &notes->capacity, sizeof *notes->items) != SN_OK) {
        return;
    }
    notes->items = items;
    notes->items[notes->count++] = sn_str_from(note);
}

void sn_eval_warn_text(struct sn_eval *eval, const struct sn_node *where, const char *text) {
    add_note(eval, &eval->warnings, "warning", where, text);
}

void sn_eval_inform_text(struct sn_eval *eval, const struct sn_node *where, const char *text) {
    add_note(eval, &eval->infos, "info", where, text);
}

/* The bytes of a buffer as text in the arena. */
static const char *move_to_arena(struct sn_eval *eval, struct sn_buf *buf) {
    const char *text = NULL;
    if (sn_buf_status(buf, NULL) == SN_OK) {
        text = sn_arena_printf(eval->arena, "%.*s", SN_STR_ARG(sn_buf_str(buf)));
    }
    sn_buf_release(buf);
    return text != NULL ? text : no_text;
}

static const char *number_text(struct sn_eval *eval, double value, enum sn_double_style style) {
    char text[SN_DOUBLE_TEXT_SIZE];
    sn_double_format(value, style, text);
    const char *copy = sn_arena_printf(eval->arena, "%s", text);
    return copy != NULL ? copy : no_text;
}

const char *sn_eval_number_text(struct sn_eval *eval, double value) {
    return number_text(eval, value, SN_DOUBLE_TEXT);
}

const char *sn_eval_openmetrics_text(struct sn_eval *eval, double value) {
    return number_text(eval, value, SN_DOUBLE_OPENMETRICS);
}

const char *sn_eval_fixed_text(struct sn_eval *eval, double value) {
    double millionths = rint(fabs(value) * 1e6);
    if (!(millionths < 0x1p63)) { /* NaN, infinite, or without a fraction that matters */
        return sn_eval_number_text(eval, value);
    }
    long long whole = (long long)millionths;
    const char *text = sn_arena_printf(eval->arena, "%s%lld.%06lld", signbit(value) ? "-" : "",
                                       whole / 1000000, whole % 1000000);
    return text != NULL ? text : no_text;
}

const char *sn_eval_quoted(struct sn_eval *eval, struct sn_str text) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_gotext_quote(&buf, text);
    return move_to_arena(eval, &buf);
}

const char *sn_eval_labels_text(struct sn_eval *eval, struct sn_labels labels) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_buf_put_byte(&buf, '{');
    for (size_t i = 0; i < labels.count; i++) {
        sn_buf_put_text(&buf, i > 0 ? ", " : "");
        if (sn_label_name_is_plain(labels.items[i].name)) {
            sn_buf_put_str(&buf, labels.items[i].name);
        } else {
            sn_gotext_quote(&buf, labels.items[i].name);
        }
        sn_buf_put_byte(&buf, '=');
        sn_gotext_quote(&buf, labels.items[i].value);
    }
    sn_buf_put_byte(&buf, '}');
    return move_to_arena(eval, &buf);
}

void sn_eval_warn_quantile(struct sn_eval *eval, const struct sn_node *where, double q) {
    if (!(q >= 0 && q <= 1) &&
        (eval->warned_at != where || eval->warned_bits != sn_double_bits(q))) {
        eval->warned_at = where;
        eval->warned_bits = sn_double_bits(q);
        sn_eval_warn(eval, where, "quantile value should be between 0 and 1, got %s",
                     sn_eval_number_text(eval, q));
    }
}

/* ---- about histograms ---- */

struct note_text {
    bool is_info;
    const char *text;
    const char *name_text; /* before the quoted name; NULL: the name stands plain behind the text */
    bool may_lack_name;    /* then the text ends before it */
};

#define MIXED "encountered a mix of histograms and floats for"

static const struct note_text note_texts[SN_NOTE_COUNT] = {
    [SN_NOTE_MIXED_FLOATS] = {false, MIXED, " metric name ", false},
    [SN_NOTE_MIXED_AGGREGATION] = {false, MIXED " aggregation", "", true},
    [SN_NOTE_MIXED_SCHEMAS] = {false,
                               "vector contains a mix of histograms with exponential and custom "
                               "buckets schemas",
                               " for metric name ", false},
    [SN_NOTE_MIXED_CLASSIC] = {false, "vector contains a mix of classic and native histograms",
                               " for metric name ", true},
    [SN_NOTE_NOT_COUNTER] = {false, "this native histogram metric is not a counter:", " ", false},
    [SN_NOTE_NOT_GAUGE] = {false, "this native histogram metric is not a gauge:", " ", false},
    [SN_NOTE_START_OVERLAP] = {false, "start time of a sample overlaps with the previous sample",
                               " for metric name ", true},
    [SN_NOTE_COLLISION] = {false, "conflicting counter resets during histogram ", NULL, false},
    [SN_NOTE_RECONCILED] = {true, "mismatched custom buckets were reconciled during ", NULL, false},
    [SN_NOTE_LAYOUT] = {false, "incompatible bucket layout encountered for binary operator ", NULL,
                        false},
    [SN_NOTE_TYPES] = {true, "incompatible sample types encountered for binary operator", " ",
                       false},
    [SN_NOTE_IGNORED_IN_RANGE] = {true,
                                  "ignored histograms in a range containing both floats and "
                                  "histograms for metric name",
                                  " ", false},
    [SN_NOTE_IGNORED] = {true, "ignored histogram in ", NULL, false},
    [SN_NOTE_NAN_RESULT] = {true, "input to histogram_quantile has NaN observations, result is NaN",
                            " for metric name ", true},
    [SN_NOTE_NAN_SKEW] = {true,
                          "input to histogram_quantile has NaN observations, result is skewed "
                          "higher",
                          " for metric name ", true},
    [SN_NOTE_NAN_FRACTION] = {true,
                              "input to histogram_fraction has NaN observations, which are "
                              "excluded from all fractions",
                              " for metric name ", true},
};

static const char *text_of(struct sn_eval *eval, enum sn_note note, struct sn_str name) {
    const struct note_text *text = &note_texts[note];
    if (text->name_text == NULL) {
        return sn_arena_printf(eval->arena, "%s%.*s", text->text, SN_STR_ARG(name));
    }
    if (name.len == 0 && text->may_lack_name) {
        return text->text;
    }
    return sn_arena_printf(eval->arena, "%s%s%s", text->text, text->name_text,
                           sn_eval_quoted(eval, name));
}

/* Whether a note was made a moment ago; it counts as made from now on. */
static bool was_noted(struct sn_eval *eval, const struct sn_node *where, enum sn_note note,
                      const char *name) {
    for (size_t i = 0; i < SN_NOTED_MAX; i++) {
        const struct sn_noted *noted = &eval->noted[i];
        if (noted->note == (int)note + 1 && noted->where == where && noted->name == name) {
            return true;
        }
    }
    eval->noted[eval->noted_count++ % SN_NOTED_MAX] = (struct sn_noted){where, name, (int)note + 1};
    return false;
}

void sn_eval_note_types(struct sn_eval *eval, const struct sn_node *where,
                        const struct sn_type_note *types) {
    static const char kinds[2][2] = {"f", "h"}; /* addresses tell the four pairs apart */
    const char *left = types->left_is_histogram ? "histogram" : "float";
    const char *right = types->right_is_histogram ? "histogram" : "float";
    const char *key = &kinds[types->left_is_histogram][types->right_is_histogram];
    if (!was_noted(eval, where, SN_NOTE_TYPES, key)) {
        sn_eval_inform(eval, where,
                       "incompatible sample types encountered for binary operator \"%s\": "
                       "%s %s %s",
                       types->op, left, types->op, right);
    }
}

void sn_eval_note(struct sn_eval *eval, const struct sn_node *where, enum sn_note note,
                  struct sn_str name) {
    if (was_noted(eval, where, note, name.ptr)) {
        return;
    }
    if (note_texts[note].is_info) {
        sn_eval_inform_text(eval, where, text_of(eval, note, name));
    } else {
        sn_eval_warn_text(eval, where, text_of(eval, note, name));
    }
}

void sn_eval_note_events(struct sn_eval *eval, const struct sn_node *where, struct sn_str name,
                         unsigned events, const char *operation) {
    if ((events & SN_HISTOGRAM_INCOMPATIBLE) != 0) {
        sn_eval_note(eval, where, SN_NOTE_MIXED_SCHEMAS, name);
        return;
    }
    if ((events & SN_HISTOGRAM_COLLISION) != 0) {
        sn_eval_note(eval, where, SN_NOTE_COLLISION, sn_str_from(operation));
    }
    if ((events & SN_HISTOGRAM_RECONCILED) != 0) {
        sn_eval_note(eval, where, SN_NOTE_RECONCILED, sn_str_from(operation));
    }
}
