/*
 * The tree of a PromQL expression, as the parser makes it and everybody else reads it.
 *
 * Invariants of a tree that sn_expr_parse returned:
 *   1. All nodes, arrays and text lie in the arena that was given to the parser (text without
 *      escapes: in the parser's own copy of the query, in the same arena). Nobody changes them.
 *   2. Types have been checked: node->type is the type of the value; arguments have the types that
 *      the function asks for; a matrix selector stands on a vector selector.
 *   3. It is at most SN_QUERY_HEIGHT_MAX levels high, so that recursion over it is safe.
 *   4. The value tree contains no SN_NODE_DURATION_OP; such nodes hang on time fields only.
 * Any thread may read it.
 */
#ifndef SN_QUERY_AST_H
#define SN_QUERY_AST_H

#include "base/str.h"
#include "model/matcher.h"
#include "query/functions.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes [start, end) of the query's text. */
struct sn_span {
    uint32_t start;
    uint32_t end;
};

enum sn_node_kind {
    SN_NODE_NUMBER,      /* number: 1.5, Inf, 5m */
    SN_NODE_STRING,      /* string */
    SN_NODE_PAREN,       /* paren: ( child ) */
    SN_NODE_UNARY,       /* unary: -child, +child */
    SN_NODE_BINARY,      /* binary: left op right */
    SN_NODE_AGGREGATE,   /* aggregate: sum by (a) (child) */
    SN_NODE_CALL,        /* call: function(args) */
    SN_NODE_VECTOR,      /* vector: name{matchers} offset @ */
    SN_NODE_MATRIX,      /* matrix: vector[range]; offset and @ are those of its vector */
    SN_NODE_SUBQUERY,    /* subquery: child[range:step] offset @ */
    SN_NODE_DURATION_OP, /* duration: arithmetic on durations, below time fields only */
};

enum sn_binary_op {
    SN_BINARY_ADD,
    SN_BINARY_SUB,
    SN_BINARY_MUL,
    SN_BINARY_DIV,
    SN_BINARY_MOD,
    SN_BINARY_POW,
    SN_BINARY_ATAN2,
    SN_BINARY_EQUAL,
    SN_BINARY_NOT_EQUAL,
    SN_BINARY_GREATER,
    SN_BINARY_LESS,
    SN_BINARY_GREATER_EQUAL,
    SN_BINARY_LESS_EQUAL,
    SN_BINARY_AND,
    SN_BINARY_OR,
    SN_BINARY_UNLESS,
    SN_BINARY_TRIM_UPPER, /* histogram </ scalar: drop what lies above */
    SN_BINARY_TRIM_LOWER, /* histogram >/ scalar: drop what lies below */
    SN_BINARY_OP_COUNT,
};

static inline bool sn_binary_is_comparison(enum sn_binary_op op) {
    return op >= SN_BINARY_EQUAL && op <= SN_BINARY_LESS_EQUAL;
}

static inline bool sn_binary_is_trim(enum sn_binary_op op) {
    return op == SN_BINARY_TRIM_UPPER || op == SN_BINARY_TRIM_LOWER;
}

static inline bool sn_binary_is_set(enum sn_binary_op op) {
    return op >= SN_BINARY_AND && op <= SN_BINARY_UNLESS;
}

enum sn_aggregate_op {
    SN_AGGREGATE_SUM,
    SN_AGGREGATE_AVG,
    SN_AGGREGATE_COUNT,
    SN_AGGREGATE_MIN,
    SN_AGGREGATE_MAX,
    SN_AGGREGATE_GROUP,
    SN_AGGREGATE_STDDEV,
    SN_AGGREGATE_STDVAR,
    SN_AGGREGATE_TOPK,         /* parameter: scalar */
    SN_AGGREGATE_BOTTOMK,      /* parameter: scalar */
    SN_AGGREGATE_COUNT_VALUES, /* parameter: string */
    SN_AGGREGATE_QUANTILE,     /* parameter: scalar */
    SN_AGGREGATE_LIMITK,       /* parameter: scalar; experimental */
    SN_AGGREGATE_LIMIT_RATIO,  /* parameter: scalar; experimental */
    SN_AGGREGATE_OP_COUNT,
};

static inline bool sn_aggregate_has_parameter(enum sn_aggregate_op op) {
    return op >= SN_AGGREGATE_TOPK;
}

enum sn_card {
    SN_CARD_ONE_TO_ONE,
    SN_CARD_MANY_TO_ONE,  /* group_left */
    SN_CARD_ONE_TO_MANY,  /* group_right */
    SN_CARD_MANY_TO_MANY, /* set operators */
};

enum sn_at_kind {
    SN_AT_NONE,
    SN_AT_TIME,
    SN_AT_START,
    SN_AT_END,
};

/* How samples outside of a range's edges are treated. Experimental. */
enum sn_range_edge {
    SN_EDGE_PLAIN,
    SN_EDGE_ANCHORED,
    SN_EDGE_SMOOTHED,
};

enum sn_duration_op {
    SN_DURATION_ADD,
    SN_DURATION_SUB,
    SN_DURATION_MUL,
    SN_DURATION_DIV,
    SN_DURATION_MOD,
    SN_DURATION_POW,
    SN_DURATION_NEGATE, /* right only */
    SN_DURATION_PLUS,   /* right only */
    SN_DURATION_STEP,   /* step(): of the query, no operands */
    SN_DURATION_RANGE,  /* range(): end - start of the query, no operands */
    SN_DURATION_MIN_OF,
    SN_DURATION_MAX_OF,
};

struct sn_node;

/*
 * A length of time. When expr is NULL the value is ms. Otherwise it depends on the query's step and
 * range: sn_duration_resolve computes it, and ms is 0.
 */
struct sn_duration {
    int64_t ms;
    const struct sn_node *expr; /* SN_NODE_DURATION_OP or SN_NODE_NUMBER; NULL: none */
};

/* offset and @ of a selector or subquery. Both may stand together. */
struct sn_time_shift {
    struct sn_duration offset; /* positive: into the past */
    enum sn_at_kind at;
    int64_t at_ms; /* Unix time for SN_AT_TIME */
};

struct sn_names {
    const struct sn_str *items; /* [count], in the order of the query */
    size_t count;
};

/* on / ignoring, group_left / group_right, fill. Only meaningful between two vectors. */
struct sn_vector_match {
    enum sn_card card;
    bool is_on;              /* labels are those that match; otherwise those that are ignored */
    bool has_fill_left;      /* series without a partner on the left get fill_left */
    bool has_fill_right;     /* the same for the right side */
    struct sn_names labels;  /* of on or ignoring */
    struct sn_names include; /* of group_left or group_right */
    double fill_left;
    double fill_right;
};

struct sn_number_node {
    double value;     /* seconds for durations */
    bool is_duration; /* was written as 5m: printed so again */
};

struct sn_unary_node {
    bool is_minus;
    const struct sn_node *child;
};

struct sn_binary_node {
    enum sn_binary_op op;
    bool returns_bool;
    const struct sn_node *left;
    const struct sn_node *right;
    struct sn_vector_match match;
};

struct sn_aggregate_node {
    enum sn_aggregate_op op;
    bool is_without;
    struct sn_names labels;
    const struct sn_node *param; /* NULL when the operation has none */
    const struct sn_node *child;
};

struct sn_call_node {
    const struct sn_function *function;
    const struct sn_node *const *args; /* [count] */
    size_t count;
};

struct sn_vector_node {
    struct sn_str name; /* in front of the braces; empty when there is none */
    /* [matcher_count]; when name is not empty, __name__="name" is the last one. */
    struct sn_matcher *matchers;
    size_t matcher_count;
    struct sn_time_shift shift;
    enum sn_range_edge edge;
    bool is_selective; /* some matcher refuses the empty value: not all series are selected */
};

struct sn_matrix_node {
    const struct sn_node *vector; /* SN_NODE_VECTOR */
    struct sn_duration range;
};

struct sn_subquery_node {
    const struct sn_node *child;
    struct sn_duration range;
    struct sn_duration step; /* ms 0 and no expr: the default step of the server */
    struct sn_time_shift shift;
};

struct sn_duration_node {
    enum sn_duration_op op;
    bool is_wrapped; /* stands in parentheses */
    const struct sn_node *left;
    const struct sn_node *right;
};

struct sn_node {
    enum sn_node_kind kind;
    enum sn_value_type type;
    struct sn_span span;
    uint32_t height; /* levels of the tree from here down, 1 for a leaf */
    union {
        struct sn_number_node number;
        struct sn_str string; /* unquoted */
        const struct sn_node *paren;
        struct sn_unary_node unary;
        struct sn_binary_node binary;
        struct sn_aggregate_node aggregate;
        struct sn_call_node call;
        struct sn_vector_node vector;
        struct sn_matrix_node matrix;
        struct sn_subquery_node subquery;
        struct sn_duration_node duration;
    };
};

/* Whether a result is another metric: filters and trimmed histograms are the same. */
static inline bool sn_binary_changes_name(const struct sn_binary_node *binary) {
    bool is_filter = sn_binary_is_comparison(binary->op) && !binary->returns_bool;
    return !is_filter && !sn_binary_is_trim(binary->op);
}

/* The node without the parentheses around it. */
static inline const struct sn_node *sn_node_strip_parens(const struct sn_node *node) {
    while (node->kind == SN_NODE_PAREN) {
        node = node->paren;
    }
    return node;
}

#endif
