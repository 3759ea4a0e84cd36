/*
 * The parser's state and the steps that its files share. Only for src/query.
 *
 * Steps return a node, or NULL after a failure; the first failure is kept in status and err, later
 * ones do nothing. p->token is the token that comes next. One thread.
 */
#ifndef SN_QUERY_PARSER_PRIV_H
#define SN_QUERY_PARSER_PRIV_H

#include "base/arena.h"
#include "query/lexer_priv.h"
#include "query/parser.h"

struct sn_parser {
    struct sn_lexer lexer;
    struct sn_token token;
    struct sn_str text;
    struct sn_arena *arena;
    struct sn_parse_options options;
    struct sn_err *err;
    sn_status status;
    unsigned depth;           /* nested steps: what bounds the stack */
    unsigned aggregate_depth; /* aggregations whose arguments are being read: for messages */
    struct sn_matcher **regex_matchers;
    size_t regex_count;
};

/* "1:5" of a byte position, in front of the sentence that err holds. */
void sn_parse_error_prefix(struct sn_err *err, struct sn_str text, uint32_t at);

/* Fail at a byte position with "1:5: parse error: " in front. Always returns NULL. */
void *sn_parser_fail(struct sn_parser *p, uint32_t at, const char *format, ...) SN_PRINTF(3, 4);
void *sn_parser_fail_status(struct sn_parser *p, uint32_t at, sn_status status, const char *format,
                            ...) SN_PRINTF(4, 5);

/* "unexpected <token>[ in context][, expected expected]"; both may be NULL. Always NULL. */
void *sn_parser_unexpected(struct sn_parser *p, const char *context, const char *expected);

void sn_parser_advance(struct sn_parser *p);

/* If the next token is of this kind step over it. */
bool sn_parser_accept(struct sn_parser *p, enum sn_token_kind kind);

/* As accept; otherwise fail as sn_parser_unexpected without an expectation. */
bool sn_parser_expect(struct sn_parser *p, enum sn_token_kind kind);

void *sn_parser_alloc(struct sn_parser *p, size_t size);

/* Room for one more element of an array that has count; NULL on failure. Moves the array. */
void *sn_parser_grow(struct sn_parser *p, void *array, size_t count, size_t element_size);

/* A node that stands on `left` and `right` (NULL when there is none). */
struct sn_node *sn_parser_node(struct sn_parser *p, enum sn_node_kind kind, struct sn_span span,
                               const struct sn_node *left, const struct sn_node *right);

/* Text of a string token without quotes, in the query's copy or the arena. */
bool sn_parser_unquote(struct sn_parser *p, const struct sn_token *token, struct sn_str *ret_text);

/* Value of a NUMBER or DURATION token, which is the next one; steps over it. */
bool sn_parser_number(struct sn_parser *p, struct sn_number_node *ret_number);

/* Levels of nesting: enter fails at SN_QUERY_DEPTH_MAX. */
bool sn_parser_enter(struct sn_parser *p);
static inline void sn_parser_leave(struct sn_parser *p) {
    p->depth--;
}

/* parser.c */
struct sn_node *sn_parser_expr(struct sn_parser *p);
bool sn_parser_label_list(struct sn_parser *p, struct sn_names *ret_names);

/* parser_selector.c: name{...}; name is NULL or a token that was stepped over. */
struct sn_node *sn_parser_vector(struct sn_parser *p, const struct sn_token *name);

/* parser_selector.c: [..], offset, @, anchored, smoothed behind a node, as many as there are. */
struct sn_node *sn_parser_postfix(struct sn_parser *p, struct sn_node *node);

/* parser_duration.c: what stands behind "offset", and between [ : ]. */
bool sn_parser_offset_value(struct sn_parser *p, struct sn_duration *ret_duration);
bool sn_parser_range_value(struct sn_parser *p, struct sn_duration *ret_duration);

/* typecheck.c: sets p->status. */
void sn_parser_typecheck(struct sn_parser *p, const struct sn_node *root);

#endif
