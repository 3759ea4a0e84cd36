/*
 * Lines of text pages: name, labels and value. What all lines of a family begin with is put together
 * once, labels were rendered with their series, so a line is three copies and a number. Copies go in
 * steps of SN_COPY_STEP bytes, beyond the end of what is copied: a call of memcpy for each would
 * take longer than the rest.
 *
 * One thread per page.
 */
#ifndef SN_CLIENT_PAGE_LINE_PRIV_H
#define SN_CLIENT_PAGE_LINE_PRIV_H

#include "base/check.h"
#include "client/extra_priv.h"
#include "client/page_priv.h"

#define SN_LINE_NUMBER_BYTES 40 /* a number, and what ends its line */
#define SN_LINE_SUFFIX_BYTES 8  /* _created, the longest */

/* How lines begin: name, suffix and `{`. */
struct sn_line_head {
    size_t len;
    char bytes[SONDE_NAME_BYTES_MAX + SN_LINE_SUFFIX_BYTES + 1 + SN_COPY_STEP];
};

/* By enum sn_suffix. */
struct sn_line_heads {
    struct sn_line_head of[SN_SUFFIX_COUNT];
};

/* Make a head; the name is within SONDE_NAME_BYTES_MAX, the suffix within SN_LINE_SUFFIX_BYTES. */
void sn_line_head_set(struct sn_line_head *head, struct sn_str name, struct sn_str suffix);

/* Make all heads of a family of this type. */
void sn_line_heads_set(struct sn_line_heads *heads, struct sn_str name, sonde_type type);

enum sn_line_dialect { SN_LINE_TEXT, SN_LINE_OPENMETRICS };

/* What is rare stays out of the way of the rest: an empty piece (NULL: `size` never fits), and a
 * line with 64 KiB of labels. */
#define SN_LINE_RARE __attribute__((noinline, cold))
SN_LINE_RARE char *sn_page_room_anew(struct sn_page *page, size_t size);
SN_LINE_RARE char *sn_page_begin_large_line(struct sn_page *page, struct sn_str head,
                                            struct sn_str labels, struct sn_str end);

/* Room for len bytes and a step; NULL: so much never fits. */
static inline char *sn_page_room(struct sn_page *page, size_t len) {
    size_t size = len + SN_COPY_STEP;
    if (SN_UNLIKELY(size > SN_PAGE_PIECE_BYTES - page->used))
        return sn_page_room_anew(page, size);
    return page->piece + page->used;
}

/* Copied by value: compilers then use the widest registers that every machine has. */
struct sn_copy_step {
    uint64_t words[SN_COPY_STEP / sizeof(uint64_t)];
};

/* Whole steps, one at least: up to SN_COPY_STEP bytes too many are read and written. */
static inline char *sn_copy_steps(char *to, const char *from, size_t len) {
    size_t i = 0;
    do {
        struct sn_copy_step step;
        memcpy(&step, from + i, sizeof step);
        memcpy(to + i, &step, sizeof step);
        i += SN_COPY_STEP;
    } while (i < len);
    return to + len;
}

/* What follows the labels: one more, a brace, the space before the value. */
static inline struct sn_str sn_line_end(const struct sn_line *line, bool has_labels,
                                        enum sn_line_dialect dialect) {
    static const struct sn_extra_text no_extra = {2, "} "};
    const struct sn_extra_text *text = &no_extra;
    if (line->extra != NULL)
        text = dialect == SN_LINE_TEXT ? &line->extra->text : &line->extra->openmetrics;
    size_t skipped = has_labels ? 0 : 1; /* comma or brace */
    return sn_str_make(text->bytes + skipped, text->len - skipped);
}

/*
 * Append a line up to its value, the space before it included.
 *
 * Returns where the value goes; there is room for SN_LINE_NUMBER_BYTES. What the caller writes
 * there counts after sn_page_set_end.
 */
static inline char *sn_page_begin_line(struct sn_page *page, const struct sn_line_head *head,
                                       const struct sn_line *line, enum sn_line_dialect dialect) {
    struct sn_str start = {head->bytes, head->len};
    struct sn_str labels = start; /* something to read */
    labels.len = 0;
    if (line->series != NULL)
        labels = sn_str_make(sn_series_text(line->series), line->series->text_len);
    struct sn_str end = sn_line_end(line, labels.len > 0, dialect);
    if (SN_UNLIKELY(labels.len == 0 && line->extra == NULL))
        start.len--; /* no brace */
    char *at = sn_page_room(page, start.len + labels.len + end.len + SN_LINE_NUMBER_BYTES);
    if (SN_UNLIKELY(at == NULL))
        return sn_page_begin_large_line(page, start, labels, end);
    at = sn_copy_steps(at, start.ptr, start.len);
    at = sn_copy_steps(at, labels.ptr, labels.len);
    return sn_copy_steps(at, end.ptr, end.len);
}

/* The page ends at `end`, which lies in the room that was given. */
static inline void sn_page_set_end(struct sn_page *page, const char *end) {
    page->used = (size_t)(end - page->piece);
}

#endif
