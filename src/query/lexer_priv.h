/*
 * PromQL text to tokens. Only for src/query.
 *
 * The lexer knows three states: outside, inside of { } (keywords are plain identifiers there) and
 * inside of [ ] (durations and their arithmetic only). Messages are Prometheus' own. One thread.
 */
#ifndef SN_QUERY_LEXER_PRIV_H
#define SN_QUERY_LEXER_PRIV_H

#include "base/status.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

/* Groups are ranges: see sn_token_is_*. Operators stand in the order of enum sn_binary_op. */
enum sn_token_kind {
    SN_TOKEN_END,
    SN_TOKEN_ERROR, /* the sentence is in lexer->err */
    SN_TOKEN_IDENTIFIER,
    SN_TOKEN_METRIC_IDENTIFIER, /* with a colon */
    SN_TOKEN_NUMBER,
    SN_TOKEN_DURATION,
    SN_TOKEN_STRING,
    SN_TOKEN_COMMA,
    SN_TOKEN_COLON,
    SN_TOKEN_LEFT_PAREN,
    SN_TOKEN_RIGHT_PAREN,
    SN_TOKEN_LEFT_BRACE,
    SN_TOKEN_RIGHT_BRACE,
    SN_TOKEN_LEFT_BRACKET,
    SN_TOKEN_RIGHT_BRACKET,
    SN_TOKEN_ASSIGN, /* = */

    SN_TOKEN_ADD,
    SN_TOKEN_SUB,
    SN_TOKEN_MUL,
    SN_TOKEN_DIV,
    SN_TOKEN_MOD,
    SN_TOKEN_POW,
    SN_TOKEN_ATAN2,
    SN_TOKEN_EQUAL,
    SN_TOKEN_NOT_EQUAL,
    SN_TOKEN_GREATER,
    SN_TOKEN_LESS,
    SN_TOKEN_GREATER_EQUAL,
    SN_TOKEN_LESS_EQUAL,
    SN_TOKEN_AND,
    SN_TOKEN_OR,
    SN_TOKEN_UNLESS,
    SN_TOKEN_TRIM_UPPER,
    SN_TOKEN_TRIM_LOWER,
    SN_TOKEN_MATCH_REGEX,     /* =~ */
    SN_TOKEN_MATCH_NOT_REGEX, /* !~ */
    SN_TOKEN_AT,

    /* In the order of enum sn_aggregate_op. */
    SN_TOKEN_SUM,
    SN_TOKEN_AVG,
    SN_TOKEN_COUNT,
    SN_TOKEN_MIN,
    SN_TOKEN_MAX,
    SN_TOKEN_GROUP,
    SN_TOKEN_STDDEV,
    SN_TOKEN_STDVAR,
    SN_TOKEN_TOPK,
    SN_TOKEN_BOTTOMK,
    SN_TOKEN_COUNT_VALUES,
    SN_TOKEN_QUANTILE,
    SN_TOKEN_LIMITK,
    SN_TOKEN_LIMIT_RATIO,

    SN_TOKEN_BOOL,
    SN_TOKEN_BY,
    SN_TOKEN_WITHOUT,
    SN_TOKEN_ON,
    SN_TOKEN_IGNORING,
    SN_TOKEN_GROUP_LEFT,
    SN_TOKEN_GROUP_RIGHT,
    SN_TOKEN_OFFSET,
    SN_TOKEN_FILL,
    SN_TOKEN_FILL_LEFT,
    SN_TOKEN_FILL_RIGHT,
    SN_TOKEN_ANCHORED,
    SN_TOKEN_SMOOTHED,

    SN_TOKEN_START,
    SN_TOKEN_END_OF_RANGE, /* the word "end" */
    SN_TOKEN_STEP,
    SN_TOKEN_RANGE,
};

static inline bool sn_token_is_operator(enum sn_token_kind kind) {
    return kind >= SN_TOKEN_ADD && kind <= SN_TOKEN_AT;
}

static inline bool sn_token_is_binary(enum sn_token_kind kind) {
    return kind >= SN_TOKEN_ADD && kind <= SN_TOKEN_TRIM_LOWER;
}

static inline bool sn_token_is_aggregate(enum sn_token_kind kind) {
    return kind >= SN_TOKEN_SUM && kind <= SN_TOKEN_LIMIT_RATIO;
}

static inline bool sn_token_is_keyword(enum sn_token_kind kind) {
    return kind >= SN_TOKEN_BOOL && kind <= SN_TOKEN_SMOOTHED;
}

struct sn_token {
    enum sn_token_kind kind;
    uint32_t start;
    struct sn_str text; /* as written; in the input */
};

static inline uint32_t sn_token_end(const struct sn_token *token) {
    return token->start + (uint32_t)token->text.len;
}

struct sn_lexer {
    const char *text; /* borrowed */
    uint32_t len;
    uint32_t at;
    uint32_t paren_depth;
    bool is_in_braces;
    bool is_in_brackets;
    bool has_colon;     /* since the last [ */
    bool has_duration;  /* since the last [ */
    struct sn_err *err; /* may be NULL */
};

/* text is at most SN_QUERY_BYTES_MAX long. */
void sn_lexer_init(struct sn_lexer *lexer, struct sn_str text, struct sn_err *err);

/*
 * Read the next token; comments are skipped. After SN_TOKEN_END or SN_TOKEN_ERROR it must not be
 * called again. An error's token->start is the position to report.
 */
void sn_lexer_next(struct sn_lexer *lexer, struct sn_token *ret_token);

/*
 * Unquote a string token: what stands between its quotes, escapes resolved. The lexer has checked it.
 *
 *   ret_bytes   room for token text; only written to when there are escapes
 *
 * Returns the text, inside of token text or of ret_bytes.
 */
struct sn_str sn_token_unquote(struct sn_str quoted, char *ret_bytes);

/* Whether unquoting needs ret_bytes. */
bool sn_token_has_escapes(struct sn_str quoted);

#endif
