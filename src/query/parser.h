/*
 * PromQL text to a checked tree.
 *
 * Grammar and messages are those of Prometheus 3; features that are experimental there are behind
 * the same kind of switches here. Pure: no clock, no files, no threads of its own.
 */
#ifndef SN_QUERY_PARSER_H
#define SN_QUERY_PARSER_H

#include "base/arena.h"
#include "base/status.h"
#include "base/str.h"
#include "query/ast.h"

#define SN_QUERY_BYTES_MAX ((size_t)100 << 10) /* people and dashboards stay below 10 KiB */
#define SN_QUERY_DEPTH_MAX 200                 /* nested parentheses, calls, signs */
#define SN_QUERY_HEIGHT_MAX 1000 /* of the tree: a or b or c ... is one level per "or" */

/* Switches of Prometheus' --enable-feature; all off by default. */
struct sn_parse_options {
    bool has_experimental_functions; /* also limitk, limit_ratio */
    bool has_duration_expressions;   /* [5m * 2], offset (step()) */
    bool has_extended_selectors;     /* anchored, smoothed */
    bool has_fill;                   /* fill, fill_left, fill_right */
};

struct sn_regex;

/* A parsed query. Lives in its arena, apart from compiled regexes. */
struct sn_expr {
    struct sn_str text; /* copy of the query, in the arena; spans count in it */
    const struct sn_node *root;
    /* Regex matchers of the tree, in the order of the text. */
    struct sn_matcher **regex_matchers; /* [regex_count], in the arena */
    size_t regex_count;
};

/*
 * Parse and check a query. Regexes are checked, but not compiled: see sn_expr_compile.
 *
 *   text      borrowed for the call; copied into the arena
 *   options   NULL: no experimental features
 *   arena     kept as long as the tree is used; takes about 200 bytes per node
 *   ret_expr  to be released with sn_expr_release when it was compiled
 *
 * Returns SN_OK, SN_ERR_INVALID ("1:5: parse error: unexpected ..."), SN_ERR_LIMIT (bytes, depth,
 * matchers, arena), SN_ERR_NO_MEMORY.
 * Threads: any. Blocks: never. Cost: O(length), 0.6 us for sum by (job) (rate(x{code=~"5.."}[5m])).
 */
sn_status sn_expr_parse(struct sn_str text, const struct sn_parse_options *options,
                        struct sn_arena *arena, struct sn_expr *ret_expr,
                        struct sn_err *err) SN_MUST_USE;

/*
 * Parse a series selector alone, as in match[]=...: name{label="value"}. The root is an
 * SN_NODE_VECTOR without offset and @. Otherwise as sn_expr_parse.
 */
sn_status sn_expr_parse_selector(struct sn_str text, struct sn_arena *arena,
                                 struct sn_expr *ret_expr, struct sn_err *err) SN_MUST_USE;

/*
 * Compile the regexes of the tree and attach them to their matchers, so that sn_matcher_passes
 * works. Before this, regex matchers pass nothing.
 *
 * Returns SN_OK, SN_ERR_INVALID, SN_ERR_LIMIT (a regex too large), SN_ERR_NO_MEMORY; on failure
 * nothing stays compiled.
 */
sn_status sn_expr_compile(struct sn_expr *expr, struct sn_err *err) SN_MUST_USE;

/*
 * Whether a regex of this tree gave up while matching (too much backtracking, no memory) since it
 * was compiled. It then passed nothing, so that results are wrong: to be asked after selecting and
 * before answering. SN_OK, SN_ERR_LIMIT, SN_ERR_NO_MEMORY. Any thread.
 */
sn_status sn_expr_regex_status(const struct sn_expr *expr, struct sn_err *err) SN_MUST_USE;

/* Free compiled regexes; matchers pass nothing afterwards. The tree stays until its arena dies. */
void sn_expr_release(struct sn_expr *expr);

/*
 * Value of a duration that may be an expression.
 *
 *   step_ms, range_ms   of the query: what step() and range() stand for
 *   ret_ms              written on SN_OK only
 *
 * Returns SN_OK, SN_ERR_INVALID ("division by zero", "duration must be greater than 0" when
 * must_be_positive, "duration out of range"; with position).
 */
struct sn_duration_context {
    int64_t step_ms;
    int64_t range_ms;
    bool must_be_positive;
};
sn_status sn_duration_resolve(const struct sn_expr *expr, struct sn_duration duration,
                              const struct sn_duration_context *context, int64_t *ret_ms,
                              struct sn_err *err) SN_MUST_USE;

#endif
