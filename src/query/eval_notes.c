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
