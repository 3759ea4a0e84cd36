/*
 * One sample as a line of the text format, without timestamp and line feed, in memory of the
 * caller; before it, in a line of its own, since when it counts (wire/text.h). The first thing that
 * goes wrong is remembered and the rest does nothing.
 */
#ifndef SN_CLIENT_PUSH_LINE_PRIV_H
#define SN_CLIENT_PUSH_LINE_PRIV_H

#include "base/status.h"
#include "base/str.h"

#define SN_PUSH_NAME_BYTES_MAX ((size_t)200)

struct sn_push_line {
    char *ptr; /* [cap] */
    size_t cap;
    size_t len;
    size_t label_count;
    sn_status status; /* SN_ERR_INVALID, SN_ERR_LIMIT (longer than cap) */
};

/* Since when the sample counts: a comment of its own before it. The first step, or left out. */
void sn_push_line_start(struct sn_push_line *line, int64_t start_ms);

/* The name: bytes that names may not have become "_". INVALID: NULL, empty, or longer than
 * SN_PUSH_NAME_BYTES_MAX. */
void sn_push_line_name(struct sn_push_line *line, const char *name, const char *suffix);

/* A name that is known to be one. */
void sn_push_line_raw_name(struct sn_push_line *line, struct sn_str name);

/* A label whose name is known to be one. INVALID: the value is not UTF-8. */
void sn_push_line_label(struct sn_push_line *line, const char *name, struct sn_str value);

/* Close the labels and append the value. The last step. */
void sn_push_line_value(struct sn_push_line *line, double value);

/* Write key as a label name into ret_name [SN_PUSH_NAME_BYTES_MAX + 2]. INVALID as for names. */
sn_status sn_push_label_name(const char *key, char *ret_name) SN_MUST_USE;

static inline struct sn_str sn_push_line_str(const struct sn_push_line *line) {
    return sn_str_make(line->ptr, line->len);
}

#endif
