/*
 * Patterns that need no regex engine: sets of literals, and literals with gaps. Only for src/regex.
 */
#ifndef SN_REGEX_SIMPLE_PRIV_H
#define SN_REGEX_SIMPLE_PRIV_H

#include "base/arena.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A few hundred instances or paths; above that PCRE2's tables are no worse. */
#define SN_REGEX_LITERALS_MAX 4096

/*
 * The texts that a pattern matches, when it consists of literals, alternatives, groups, small
 * classes and "?": a|b|c, (GET|POST), node-[1-3].
 *
 *   pattern     one that sn_regex_syntax_read accepts
 *   arena       what is returned lives there
 *   ret_items   [*ret_count], sorted, no duplicates
 *
 * Returns false when it is another pattern, too many texts or no memory.
 */
bool sn_regex_expand_literals(struct sn_str pattern, struct sn_arena *arena,
                              struct sn_str **ret_items, size_t *ret_count);

enum sn_gap_kind {
    SN_GAP_TEXT, /* text itself */
    SN_GAP_ONE,  /* .  */
    SN_GAP_ANY,  /* .* */
};

struct sn_gap {
    enum sn_gap_kind kind;
    struct sn_str text;
};

/* Whether a pattern is literals with . .* .+ between them: node.*, .+-prod, 5.. */
bool sn_regex_read_gaps(struct sn_str pattern, struct sn_arena *arena, struct sn_gap **ret_gaps,
                        size_t *ret_count);

/* Whether the whole text fits. Cost: O(length of text * length of the longest literal). */
bool sn_regex_match_gaps(const struct sn_gap *gaps, size_t count, struct sn_str text);

/* The literal that every matching text starts with; in the arena. Empty: nothing is known. */
struct sn_str sn_regex_literal_prefix(struct sn_str pattern, struct sn_arena *arena);

#endif
