/*
 * Types of a tree that has been parsed. Part of the parser; see parser.c.
 *
 * Checks run in Prometheus' order, children in the same places, so that of several errors the same
 * one is shown.
 */
#include "query/parser_priv.h"

#include "base/check.h"
#include "query/gotext_priv.h"
#include "query/printer.h"

static void check_node(struct sn_parser *p, const struct sn_node *node);

static bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Where the operator of a binary node stands. */
static uint32_t operator_at(const struct sn_parser *p, const struct sn_node *node) {
    uint32_t at = node->binary.left->span.end;
    while (at < p->text.len && is_blank(p->text.ptr[at])) {
        at++;
    }
    return at;
}

static void expect_type(struct sn_parser *p, const struct sn_node *node, enum sn_value_type wanted,
                        const char *context) {
    check_node(p, node);
    if (node->type != wanted) {
        sn_parser_fail(p, node->span.start, "expected type %s in %s, got %s",
                       sn_value_type_words(wanted), context, sn_value_type_words(node->type));
    }
}

static void check_aggregate(struct sn_parser *p, const struct sn_aggregate_node *aggregate) {
    expect_type(p, aggregate->child, SN_VALUE_VECTOR, "aggregation expression");
    if (aggregate->param != NULL) {
        bool is_text = aggregate->op == SN_AGGREGATE_COUNT_VALUES;
        expect_type(p, aggregate->param, is_text ? SN_VALUE_STRING : SN_VALUE_SCALAR,
                    "aggregation parameter");
    }
}

static void check_include(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_vector_match *match = &node->binary.match;
    for (size_t i = 0; match->is_on && i < match->labels.count; i++) {
        for (size_t j = 0; j < match->include.count; j++) {
            if (sn_str_equal(match->labels.items[i], match->include.items[j])) {
                char quoted[SN_GOTEXT_QUOTED_SIZE];
                sn_parser_fail(p, operator_at(p, node),
                               "label %s must not occur in ON and GROUP clause at once",
                               sn_gotext_quoted(quoted, match->labels.items[i]));
                return;
            }
        }
    }
}

static bool is_operand_type(enum sn_value_type type) {
    return type == SN_VALUE_SCALAR || type == SN_VALUE_VECTOR;
}

static void check_operands(struct sn_parser *p, const struct sn_binary_node *binary) {
    const struct sn_node *sides[2] = {binary->left, binary->right};
    for (size_t i = 0; i < 2; i++) {
        if (!is_operand_type(sides[i]->type)) {
            sn_parser_fail(p, sides[i]->span.start,
                           "binary expression must contain only scalar and instant vector types");
        }
    }
}

static void check_matching(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_binary_node *binary = &node->binary;
    const struct sn_vector_match *match = &binary->match;
    const char *op = sn_binary_op_name(binary->op);
    uint32_t at = node->span.start;
    bool has_fill = match->has_fill_left || match->has_fill_right;
    bool is_between_vectors =
        binary->left->type == SN_VALUE_VECTOR && binary->right->type == SN_VALUE_VECTOR;
    if (!is_between_vectors && match->labels.count > 0) {
        sn_parser_fail(p, at, "vector matching only allowed between instant vectors");
    } else if (!is_between_vectors && has_fill) {
        sn_parser_fail(p, at, "filling in missing series only allowed between instant vectors");
    } else if (!is_between_vectors && sn_binary_is_set(binary->op)) {
        sn_parser_fail(p, at, "set operator \"%s\" not allowed in binary scalar expression", op);
    } else if (sn_binary_is_set(binary->op) && match->card != SN_CARD_MANY_TO_MANY) {
        sn_parser_fail(p, at, "no grouping allowed for \"%s\" operation", op);
    } else if (sn_binary_is_set(binary->op) && has_fill) {
        sn_parser_fail(p, at, "filling in missing series not allowed for set operators");
    }
}

static void check_binary(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_binary_node *binary = &node->binary;
    check_node(p, binary->left);
    check_node(p, binary->right);
    bool is_comparison = sn_binary_is_comparison(binary->op);
    if (binary->returns_bool && !is_comparison) {
        sn_parser_fail(p, operator_at(p, node),
                       "bool modifier can only be used on comparison operators");
    }
    if (is_comparison && !binary->returns_bool && node->type == SN_VALUE_SCALAR) {
        sn_parser_fail(p, operator_at(p, node),
                       "comparisons between scalars must use BOOL modifier");
    }
    check_include(p, node);
    check_operands(p, binary);
    check_matching(p, node);
}

static void check_argument_count(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_function *function = node->call.function;
    size_t count = node->call.count;
    size_t wanted = function->arg_count;
    if (function->variadic == 0) {
        if (count != wanted) {
            sn_parser_fail(p, node->span.start,
                           "expected %zu argument(s) in call to \"%s\", got %zu", wanted,
                           function->name, count);
        }
        return;
    }
    size_t least = wanted - 1;
    if (count < least) {
        sn_parser_fail(p, node->span.start,
                       "expected at least %zu argument(s) in call to \"%s\", got %zu", least,
                       function->name, count);
    } else if (function->variadic > 0 && count > least + (size_t)function->variadic) {
        sn_parser_fail(p, node->span.start,
                       "expected at most %zu argument(s) in call to \"%s\", got %zu",
                       least + (size_t)function->variadic, function->name, count);
    }
}

/* The second argument of info() lists label matchers, in the clothes of a selector. */
static void check_info_selector(struct sn_parser *p, const struct sn_node *call) {
    const struct sn_node *arg = call->call.args[1];
    if (arg->type != SN_VALUE_VECTOR) {
        sn_parser_fail(p, call->span.start,
                       "expected type instant vector in call to function \"info\", got %s",
                       sn_value_type_words(arg->type));
    } else if (arg->kind != SN_NODE_VECTOR) {
        sn_parser_fail(p, arg->span.start, "expected label selectors only");
    } else if (arg->vector.name.len > 0) {
        sn_parser_fail(p, arg->span.start,
                       "expected label selectors only, got vector selector instead");
    }
}

static void check_call(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_call_node *call = &node->call;
    const struct sn_function *function = call->function;
    bool is_info = function->id == SN_FN_INFO;
    check_argument_count(p, node);
    if (is_info && call->count > 1) {
        check_info_selector(p, node);
    }
    for (size_t i = 0; i < call->count && p->status == SN_OK; i++) {
        const struct sn_node *arg = call->args[i];
        size_t last = function->arg_count - 1;
        enum sn_value_type wanted = function->args[i < last ? i : last];
        if (!is_info || i == 0) {
            check_node(p, arg);
        }
        if (arg->type != wanted) {
            sn_parser_fail(
                p, arg->span.start, "expected type %s in call to function \"%s\", got %s",
                sn_value_type_words(wanted), function->name, sn_value_type_words(arg->type));
        }
    }
}

static void check_vector(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_vector_node *vector = &node->vector;
    if (vector->name.len == 0) {
        if (!vector->is_selective) {
            sn_parser_fail(p, node->span.start,
                           "vector selector must contain at least one non-empty matcher");
        }
        return;
    }
    for (size_t i = 0; i + 1 < vector->matcher_count; i++) {
        if (sn_str_equal(vector->matchers[i].name, SN_LABEL_METRIC_NAME)) {
            char quoted[SN_GOTEXT_QUOTED_SIZE];
            sn_parser_fail(p, node->span.start, "metric name must not be set twice: \"%.*s\" or %s",
                           vector->name.len < 64 ? (int)vector->name.len : 64, vector->name.ptr,
                           sn_gotext_quoted(quoted, vector->matchers[i].value));
        }
    }
}

static void check_unary(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_node *child = node->unary.child;
    check_node(p, child);
    if (!is_operand_type(child->type)) {
        sn_parser_fail(p, node->span.start,
                       "unary expression only allowed on expressions of type scalar or instant "
                       "vector, got \"%s\"",
                       sn_value_type_words(child->type));
    }
}

static void check_subquery(struct sn_parser *p, const struct sn_node *node) {
    const struct sn_node *child = node->subquery.child;
    check_node(p, child);
    if (child->type != SN_VALUE_VECTOR) {
        sn_parser_fail(p, node->span.start,
                       "subquery is only allowed on instant vector, got %s instead",
                       sn_value_type_name(child->type));
    }
}

static void check_node(struct sn_parser *p, const struct sn_node *node) {
    if (p->status != SN_OK) {
        return;
    }
    switch (node->kind) {
    case SN_NODE_NUMBER:
    case SN_NODE_STRING:
    case SN_NODE_DURATION_OP:
        return;
    case SN_NODE_PAREN:
        check_node(p, node->paren);
        return;
    case SN_NODE_UNARY:
        check_unary(p, node);
        return;
    case SN_NODE_BINARY:
        check_binary(p, node);
        return;
    case SN_NODE_AGGREGATE:
        check_aggregate(p, &node->aggregate);
        return;
    case SN_NODE_CALL:
        check_call(p, node);
        return;
    case SN_NODE_VECTOR:
        check_vector(p, node);
        return;
    case SN_NODE_MATRIX:
        check_node(p, node->matrix.vector);
        return;
    case SN_NODE_SUBQUERY:
        check_subquery(p, node);
        return;
    }
}

void sn_parser_typecheck(struct sn_parser *p, const struct sn_node *root) {
    assert(p->status == SN_OK);
    check_node(p, root);
}
