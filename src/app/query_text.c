/* Text for terminals, complaints. See query_text.h. */
#include "app/query_text.h"

#include <string.h>

size_t sn_query_text_width(struct sn_str text) {
    size_t count = 0;
    for (size_t at = 0; at < text.len; count++) {
        size_t len = sn_str_utf8_char_len(sn_str_make(text.ptr + at, text.len - at));
        at += len > 0 ? len : 1;
    }
    return count;
}

void sn_query_text_put(struct sn_buf *out, struct sn_str text) {
    for (size_t at = 0; at < text.len;) {
        struct sn_str rest = sn_str_make(text.ptr + at, text.len - at);
        size_t len = sn_str_utf8_char_len(rest);
        const unsigned char *c = (const unsigned char *)rest.ptr;
        bool is_control =
            len <= 1 ? c[0] < 0x20 || c[0] >= 0x7f : len == 2 && c[0] == 0xc2 && c[1] < 0xa0;
        if (is_control)
            sn_buf_put_byte(out, '?');
        else
            sn_buf_put(out, rest.ptr, len);
        at += len > 0 ? len : 1;
    }
}

struct place {
    size_t line, column; /* from 1; the column counts bytes */
};

static bool take_number(struct sn_str *text, size_t *ret_number) {
    size_t len = 0, number = 0;
    while (len < text->len && len < 9 && text->ptr[len] >= '0' && text->ptr[len] <= '9')
        number = number * 10 + (size_t)(text->ptr[len++] - '0');
    *text = sn_str_make(text->ptr + len, text->len - len);
    *ret_number = number;
    return len > 0 && number > 0;
}

/* "...: 1:5: parse error: what" as the place and `what`. */
static bool split_sentence(struct sn_str sentence, struct place *ret_place,
                           struct sn_str *ret_what) {
    static const struct sn_str mark = SN_STR(": parse error: ");
    const char *found = memmem(sentence.ptr, sentence.len, mark.ptr, mark.len);
    if (found == NULL)
        return false;
    const char *from = found;
    while (from > sentence.ptr && ((from[-1] >= '0' && from[-1] <= '9') || from[-1] == ':'))
        from--;
    struct sn_str text = sn_str_make(from, (size_t)(found - from));
    if (!take_number(&text, &ret_place->line) || text.len == 0 || text.ptr[0] != ':')
        return false;
    text = sn_str_make(text.ptr + 1, text.len - 1);
    const char *what = found + mark.len;
    *ret_what = sn_str_make(what, (size_t)(sentence.ptr + sentence.len - what));
    return take_number(&text, &ret_place->column) && text.len == 0;
}

/* ", did you mean ...?" at the end of a sentence goes behind the mark. */
static struct sn_str cut_suggestion(struct sn_str *what) {
    static const struct sn_str mark = SN_STR(", did you mean ");
    const char *found = memmem(what->ptr, what->len, mark.ptr, mark.len);
    if (found == NULL)
        return SN_STR("");
    size_t len = (size_t)(found - what->ptr);
    struct sn_str suggestion = sn_str_make(found + 2, what->len - len - 2);
    *what = sn_str_make(what->ptr, len);
    return suggestion;
}

static bool is_word(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == ':';
}

static struct sn_str line_at(struct sn_str text, size_t line) {
    struct sn_str head = text, tail = text;
    for (size_t i = 0; i < line; i++) {
        struct sn_str rest = tail;
        if (!sn_str_cut(rest, '\n', &head, &tail)) {
            return i + 1 == line ? rest : SN_STR("");
        }
    }
    return head;
}

static void put_mark(struct sn_str line, size_t column, struct sn_str suggestion,
                     struct sn_buf *out) {
    size_t at = column - 1 < line.len ? column - 1 : line.len;
    size_t width = 1;
    while (at + width < line.len && is_word(line.ptr[at]) && is_word(line.ptr[at + width]))
        width++;
    sn_buf_put_text(out, "  ");
    sn_query_text_put(out, line);
    sn_buf_put_text(out, "\n  ");
    for (size_t i = sn_query_text_width(sn_str_make(line.ptr, at)); i > 0; i--)
        sn_buf_put_byte(out, ' ');
    for (; width > 0; width--)
        sn_buf_put_byte(out, '^');
    if (suggestion.len > 0) {
        sn_buf_put_text(out, "  ");
        sn_query_text_put(out, suggestion);
    }
    sn_buf_put_byte(out, '\n');
}

void sn_query_text_complaint(struct sn_str expr, struct sn_str sentence, struct sn_buf *out) {
    struct place place;
    struct sn_str what = sentence;
    bool has_place = split_sentence(sentence, &place, &what);
    struct sn_str suggestion = has_place ? cut_suggestion(&what) : SN_STR("");
    sn_buf_put_text(out, "sonde: query: ");
    sn_query_text_put(out, has_place ? what : sentence);
    if (has_place)
        sn_buf_printf(out, " at %zu:%zu", place.line, place.column);
    sn_buf_put_byte(out, '\n');
    if (has_place)
        put_mark(line_at(expr, place.line), place.column, suggestion, out);
}
