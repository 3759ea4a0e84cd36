/*
 * What the tests of the parser share: parse a text, print a tree.
 */
#ifndef SN_TESTS_QUERY_SYNTAX_SUPPORT_H
#define SN_TESTS_QUERY_SYNTAX_SUPPORT_H

#include "base/arena.h"
#include "base/buf.h"
#include "query/parser.h"

/* All experimental features. */
extern const struct sn_parse_options syntax_all;

/* A parsed text and its memory; zeroed before use. */
struct syntax {
    struct sn_arena arena;
    struct sn_expr expr;
    struct sn_err err;
    sn_status status;
};

/* Parse; options NULL: nothing experimental. */
void syntax_parse(struct syntax *syntax, struct sn_str text,
                  const struct sn_parse_options *options);
void syntax_release(struct syntax *syntax);

/* The tree printed, as a C string that lives as long as the arena. */
const char *syntax_text(struct syntax *syntax);
const char *syntax_pretty(struct syntax *syntax);

/* Parse, demand success, and demand that the tree prints as `expected`. */
void assert_prints(const char *text, const char *expected);

/* Parse, demand failure, and demand this sentence. */
void assert_refused(const char *text, const char *sentence);

#endif
