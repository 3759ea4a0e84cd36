/*
 * Paths as label values: what a path consists of, and templates. The rules are in sonde/path.h.
 */
#ifndef SN_CLIENT_PATH_PRIV_H
#define SN_CLIENT_PATH_PRIV_H

#include "base/status.h"
#include "base/str.h"
#include "sonde/path.h"

#define SN_PATH_ID SN_STR(":id")
#define SN_PATH_REST SN_STR(":rest")

/* One segment of a path, borrowed, and what was seen while looking for its end. */
struct sn_path_segment {
    struct sn_str text;
    uint32_t digit_count;
    uint32_t classes; /* of its characters: SN_PATH_DIGIT and so on */
};

enum {
    SN_PATH_DIGIT = 1,
    SN_PATH_HEX = 2,  /* a to f, A to F */
    SN_PATH_MARK = 4, /* what stands between the digits of numbers and dates */
    SN_PATH_AT = 8,
    SN_PATH_LETTER = 16, /* and other printable ASCII */
    SN_PATH_BAD = 32,    /* the rest */
    SN_PATH_STOP = 64,   /* the end of a segment: / ? # */
};

/* A path without empty segments. */
struct sn_path {
    struct sn_path_segment segments[SONDE_PATH_SEGMENTS_MAX];
    size_t count;
    bool has_more; /* beyond those */
};

/* Divide a path (which starts with "/") into at most segment_max segments. */
void sn_path_split(struct sn_str path, size_t segment_max, struct sn_path *ret_path);

/* Whether a text is an id by the rules (an extension is no part of it). Any bytes. */
bool sn_path_is_id(struct sn_str text);

/*
 * Templates: the list of routes that a set of rules begins with. Immutable after compilation.
 */
struct sn_path_templates;

/* SN_OK, SN_ERR_INVALID, SN_ERR_LIMIT (which template and why), SN_ERR_NO_MEMORY. */
sn_status sn_path_templates_new(const sonde_path_options *options, size_t segment_max,
                                struct sn_path_templates **ret_templates,
                                struct sn_err *err) SN_MUST_USE;
struct sn_path_templates *sn_path_templates_free(struct sn_path_templates *templates);

/* The text of the first template that matches; ptr is NULL when none does. NULL: no templates. */
struct sn_str sn_path_templates_match(const struct sn_path_templates *templates,
                                      const struct sn_path *path);

#endif
