/*
 * Go's regex syntax, read and written again for PCRE2. Only for src/regex.
 */
#ifndef SN_REGEX_SYNTAX_PRIV_H
#define SN_REGEX_SYNTAX_PRIV_H

#include "base/buf.h"
#include "base/status.h"
#include "regex/regex.h"

/* A capturing group that has a name. Names borrow from the pattern. */
struct sn_regex_name {
    struct sn_str name;
    unsigned group; /* 1 for the first group */
};

struct sn_regex_syntax {
    /* Given by the caller. */
    struct sn_str pattern;
    struct sn_buf *out;          /* the pattern for PCRE2 goes here; NULL: check only */
    bool captures;               /* groups capture; otherwise they only group */
    struct sn_regex_name *names; /* [SN_REGEX_CAPTURES_MAX] or NULL */
    /* Found out. */
    bool matches_empty;
    unsigned group_count;
    unsigned name_count;
};

/*
 * Read a pattern as Go does with the flags Perl and DotNL.
 *
 * Returns SN_OK, SN_ERR_INVALID (Go's own message), SN_ERR_LIMIT. Failures of out stay in out.
 * Cost: O(length), no allocation but that of out.
 */
sn_status sn_regex_syntax_read(struct sn_regex_syntax *syntax, struct sn_err *err) SN_MUST_USE;

/* Whether a name can stand in \p{...}: a general category, a script, or Any. */
bool sn_regex_unicode_class(struct sn_str name, bool *ret_is_script);

#endif
