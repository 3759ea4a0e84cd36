/*
 * Regexes of label matchers and label_replace: the syntax of Go (RE2), always anchored on both ends,
 * "." matches newlines too.
 *
 * Checked by our own reader of RE2 syntax, so that what RE2 refuses is refused (look-around,
 * back-references, possessive and atomic forms); compiled into the cheapest of: a literal, a set of
 * literals, prefix + anything + suffix, or PCRE2 with its JIT behind a match limit.
 * A compiled regex may be used by any number of threads at once.
 */
#ifndef SN_REGEX_REGEX_H
#define SN_REGEX_REGEX_H

#include "base/buf.h"
#include "base/status.h"
#include "base/str.h"

#define SN_REGEX_BYTES_MAX ((size_t)64 << 10) /* alternations of thousands of host names */
#define SN_REGEX_DEPTH_MAX 200
#define SN_REGEX_REPEAT_MAX 1000 /* x{n,m}, as RE2; also of nested repeats together */
#define SN_REGEX_CAPTURES_MAX 64
#define SN_REGEX_MATCH_LIMIT 100000 /* steps of one match: about 1 ms */

struct sn_regex;

/*
 * Check a pattern without compiling it.
 *
 *   ret_matches_empty   whether it matches the empty text; may be NULL
 *
 * Returns SN_OK, SN_ERR_INVALID ("error parsing regexp: missing closing ): `(a`"), SN_ERR_LIMIT.
 * Cost: O(length), no allocation.
 */
sn_status sn_regex_check(struct sn_str pattern, bool *ret_matches_empty,
                         struct sn_err *err) SN_MUST_USE;

/*
 * Compile a pattern.
 *
 *   pattern     borrowed for the call
 *   ret_regex   caller owns, sn_regex_free
 *
 * Returns SN_OK, SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_NO_MEMORY. Blocks: never.
 */
sn_status sn_regex_new(struct sn_str pattern, struct sn_regex **ret_regex,
                       struct sn_err *err) SN_MUST_USE;

/* Returns NULL; takes NULL. */
struct sn_regex *sn_regex_free(struct sn_regex *regex);

/*
 * Whether the pattern matches the whole text. Text that is not UTF-8 never matches a pattern that
 * needs PCRE2. A match that gives up (limit, memory) is false and remembered: sn_regex_status.
 */
bool sn_regex_match(const struct sn_regex *regex, struct sn_str text);

/* sn_regex_match with the signature of struct sn_matcher's regex_match. */
bool sn_regex_match_fn(const void *regex, struct sn_str text);

/* First failure of any match of this regex: SN_OK, SN_ERR_LIMIT, SN_ERR_NO_MEMORY. */
sn_status sn_regex_status(const struct sn_regex *regex, struct sn_err *err) SN_MUST_USE;

/*
 * The texts that the pattern matches, when they are few and known: `a|b|c`, `job-[12]`. An index looks
 * them up instead of scanning all values. False: not such a pattern.
 *
 *   ret_items   [*ret_count], sorted, live as long as the regex
 */
bool sn_regex_literals(const struct sn_regex *regex, const struct sn_str **ret_items,
                       size_t *ret_count);

/* What every matching text starts with; empty when nothing is known. Lives as long as the regex. */
struct sn_str sn_regex_prefix(const struct sn_regex *regex);

/*
 * Match and expand a template as Go's Regexp.ExpandString: $1, ${1}, $name, ${name}, $$ (for
 * label_replace). Always PCRE2, with captures: the regex was made by sn_regex_new_capturing.
 *
 * Returns SN_OK; *ret_matched tells whether the text matches, only then buf was appended to.
 * SN_ERR_LIMIT, SN_ERR_NO_MEMORY.
 */
sn_status sn_regex_new_capturing(struct sn_str pattern, struct sn_regex **ret_regex,
                                 struct sn_err *err) SN_MUST_USE;
sn_status sn_regex_expand(const struct sn_regex *regex, struct sn_str text,
                          struct sn_str template_text, bool *ret_matched, struct sn_buf *buf,
                          struct sn_err *err) SN_MUST_USE;

#endif
