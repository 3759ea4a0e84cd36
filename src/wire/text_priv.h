/*
 * What the readers of the text format and of OpenMetrics share. Only for src/wire.
 */
#ifndef SN_WIRE_TEXT_PRIV_H
#define SN_WIRE_TEXT_PRIV_H

#include "wire/text.h"

enum sn_text_class {
    SN_TEXT_LETTER = 1, /* and underscore */
    SN_TEXT_DIGIT = 2,
    SN_TEXT_COLON = 4,
    SN_TEXT_BLANK = 8,
    SN_TEXT_VALUE_END = 16,
};

/* Classes of each byte. */
extern const uint8_t sn_text_class_of[256];

static inline bool sn_text_is_in(char c, unsigned classes) {
    return (sn_text_class_of[(unsigned char)c] & classes) != 0;
}

static inline bool sn_text_is_next(const struct sn_text_reader *reader, char c) {
    return reader->at < reader->end && *reader->at == c;
}

/* The last line may end with the page. */
static inline bool sn_text_is_line_end(const struct sn_text_reader *reader) {
    return reader->at == reader->end || *reader->at == '\n';
}

static inline void sn_text_skip_blanks(struct sn_text_reader *reader) {
    while (reader->at < reader->end && sn_text_is_in(*reader->at, SN_TEXT_BLANK)) {
        reader->at++;
    }
}

/* ---- errors: "line 1, column 2: ..." ---- */

/* Line (from 1) of a place, and where that line starts. */
size_t sn_text_line_of(const struct sn_text_reader *reader, const char *place,
                       const char **ret_start);

/* "expected X, found Y" */
sn_status sn_text_fail(const struct sn_text_reader *reader, const char *place, const char *expected,
                       struct sn_err *err);

/* The sentence says all. */
sn_status sn_text_refuse(const struct sn_text_reader *reader, const char *place, const char *what,
                         struct sn_err *err);

/* ---- pieces; they move reader->at behind what they have read ---- */

/* A name without quotes: one of `classes` that is no digit, then any of `classes`. */
sn_status sn_text_read_plain_name(struct sn_text_reader *reader, unsigned classes,
                                  const char *expected, struct sn_text_span *ret_name,
                                  struct sn_err *err) SN_MUST_USE;

/* Text in double quotes; `*at` is the opening quote. The second one is not empty. */
sn_status sn_text_read_quoted(struct sn_text_reader *reader, struct sn_text_span *ret_text,
                              struct sn_err *err) SN_MUST_USE;
sn_status sn_text_read_quoted_name(struct sn_text_reader *reader, struct sn_text_span *ret_name,
                                   struct sn_err *err) SN_MUST_USE;

/* Keep a label in reader->labels, unless its name is there already. */
sn_status sn_text_keep_label(struct sn_text_reader *reader, struct sn_text_entry *entry,
                             struct sn_text_label label, struct sn_err *err) SN_MUST_USE;

#endif
