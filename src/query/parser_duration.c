/*
 * Durations: plain ones, and expressions of them ([5m * 2], offset -(step())), which are
 * experimental. Part of the parser; see parser.c. Also the values of such expressions.
 *
 * Precedence as in expressions. Behind "offset" only one operand is read, so that
 * `foo offset 5m + 3` adds 3 to foo; unless the operand begins with a parenthesis.
 */
#include "query/parser_priv.h"

#include "base/check.h"

#include <math.h>

#define SECONDS_MAX (0x1p63 / 1e9) /* what 63 bits of nanoseconds hold */

enum { PRECEDENCE_SUM = 1, PRECEDENCE_PRODUCT = 2, PRECEDENCE_POWER = 3 };

static struct sn_node *parse_operators(struct sn_parser *p, int precedence_min);

/* In all other places a sign stands for itself. */
static const char expected[] = "number, duration, step(), or range()";

static bool check_enabled(struct sn_parser *p, uint32_t at) {
    if (!p->options.has_duration_expressions) {
        sn_parser_fail(p, at, "experimental duration expression is not enabled");
        return false;
    }
    return true;
}

static struct sn_node *check_magnitude(struct sn_parser *p, struct sn_node *node) {
    if (node->kind == SN_NODE_NUMBER && !(fabs(node->number.value) <= SECONDS_MAX)) {
        return sn_parser_fail(p, node->span.start, "duration out of range");
    }
    return node;
}

static struct sn_node *parse_literal(struct sn_parser *p) {
    struct sn_span span = {p->token.start, sn_token_end(&p->token)};
    struct sn_number_node number;
    if (!sn_parser_number(p, &number)) {
        return NULL;
    }
    struct sn_node *node = sn_parser_node(p, SN_NODE_NUMBER, span, NULL, NULL);
    if (node == NULL) {
        return NULL;
    }
    node->type = SN_VALUE_SCALAR;
    node->number = number;
    return check_magnitude(p, node);
}

static struct sn_node *new_op(struct sn_parser *p, struct sn_span span,
                              struct sn_duration_node duration) {
    struct sn_node *node =
        sn_parser_node(p, SN_NODE_DURATION_OP, span, duration.left, duration.right);
    if (node != NULL) {
        node->type = SN_VALUE_SCALAR;
        node->duration = duration;
    }
    return node;
}

/* step() or range(). */
static struct sn_node *parse_query_time(struct sn_parser *p) {
    struct sn_span span = {.start = p->token.start};
    bool is_step = p->token.kind == SN_TOKEN_STEP;
    sn_parser_advance(p);
    if (!sn_parser_accept(p, SN_TOKEN_LEFT_PAREN)) {
        return sn_parser_unexpected(p, "subquery or range selector", expected);
    }
    span.end = sn_token_end(&p->token);
    if (!sn_parser_expect(p, SN_TOKEN_RIGHT_PAREN) || !check_enabled(p, span.start)) {
        return NULL;
    }
    return new_op(p, span,
                  (struct sn_duration_node){.op = is_step ? SN_DURATION_STEP : SN_DURATION_RANGE});
}

/* min_of(a, b) or max_of(a, b). */
static struct sn_node *parse_choice(struct sn_parser *p) {
    struct sn_span span = {.start = p->token.start};
    struct sn_duration_node duration = {.op = p->token.text.ptr[1] == 'i' ? SN_DURATION_MIN_OF
                                                                          : SN_DURATION_MAX_OF};
    sn_parser_advance(p);
    if (!sn_parser_expect(p, SN_TOKEN_LEFT_PAREN)) {
        return NULL;
    }
    duration.left = parse_operators(p, PRECEDENCE_SUM);
    if (duration.left == NULL || !sn_parser_expect(p, SN_TOKEN_COMMA)) {
        return NULL;
    }
    duration.right = parse_operators(p, PRECEDENCE_SUM);
    span.end = sn_token_end(&p->token);
    if (duration.right == NULL || !sn_parser_expect(p, SN_TOKEN_RIGHT_PAREN) ||
        !check_enabled(p, span.start)) {
        return NULL;
    }
    return new_op(p, span, duration);
}

/* Mark an expression as one in parentheses; a number gets a node that can carry the mark. */
static struct sn_node *parse_parens(struct sn_parser *p) {
    struct sn_span span = {.start = p->token.start};
    sn_parser_advance(p);
    struct sn_node *child = parse_operators(p, PRECEDENCE_SUM);
    span.end = sn_token_end(&p->token);
    if (child == NULL || !sn_parser_expect(p, SN_TOKEN_RIGHT_PAREN) ||
        !check_enabled(p, child->span.start)) {
        return NULL;
    }
    if (child->kind == SN_NODE_NUMBER) {
        child = new_op(p, span, (struct sn_duration_node){.op = SN_DURATION_PLUS, .right = child});
    }
    if (child != NULL) {
        child->duration.is_wrapped = true;
    }
    return child;
}

static bool is_choice(const struct sn_parser *p) {
    return p->token.kind == SN_TOKEN_IDENTIFIER && (sn_str_equal(p->token.text, SN_STR("min_of")) ||
                                                    sn_str_equal(p->token.text, SN_STR("max_of")));
}

static struct sn_node *parse_primary(struct sn_parser *p, const char *context) {
    switch ((int)p->token.kind) {
    case SN_TOKEN_NUMBER:
    case SN_TOKEN_DURATION:
        return parse_literal(p);
    case SN_TOKEN_STEP:
    case SN_TOKEN_RANGE:
        return parse_query_time(p);
    case SN_TOKEN_LEFT_PAREN:
        return parse_parens(p);
    default:
        return is_choice(p) ? parse_choice(p) : sn_parser_unexpected(p, context, expected);
    }
}

/* Put a sign in front of an expression. */
static struct sn_node *apply_sign(struct sn_parser *p, uint32_t start, bool is_minus,
                                  struct sn_node *child) {
    if (child->kind == SN_NODE_NUMBER) {
        child->number.value = is_minus ? -child->number.value : child->number.value;
        child->span.start = start;
        return child;
    }
    if (!is_minus) {
        return child;
    }
    return new_op(p, (struct sn_span){start, child->span.end},
                  (struct sn_duration_node){.op = SN_DURATION_NEGATE, .right = child});
}

static bool is_sign(enum sn_token_kind kind) {
    return kind == SN_TOKEN_ADD || kind == SN_TOKEN_SUB;
}

static struct sn_node *parse_operand(struct sn_parser *p) {
    if (!is_sign(p->token.kind)) {
        return parse_primary(p, "subquery or range selector");
    }
    uint32_t start = p->token.start;
    bool is_minus = p->token.kind == SN_TOKEN_SUB;
    sn_parser_advance(p);
    struct sn_node *child = parse_operators(p, PRECEDENCE_POWER);
    return child ? apply_sign(p, start, is_minus, child) : NULL;
}

/* Operator of a token and how tight it binds; 0: none of ours. */
static int operator_of(enum sn_token_kind kind, enum sn_duration_op *ret_op) {
    switch ((int)kind) {
    case SN_TOKEN_ADD:
        *ret_op = SN_DURATION_ADD;
        return PRECEDENCE_SUM;
    case SN_TOKEN_SUB:
        *ret_op = SN_DURATION_SUB;
        return PRECEDENCE_SUM;
    case SN_TOKEN_MUL:
        *ret_op = SN_DURATION_MUL;
        return PRECEDENCE_PRODUCT;
    case SN_TOKEN_DIV:
        *ret_op = SN_DURATION_DIV;
        return PRECEDENCE_PRODUCT;
    case SN_TOKEN_MOD:
        *ret_op = SN_DURATION_MOD;
        return PRECEDENCE_PRODUCT;
    case SN_TOKEN_POW:
        *ret_op = SN_DURATION_POW;
        return PRECEDENCE_POWER;
    default:
        return 0;
    }
}

static struct sn_node *parse_right_side(struct sn_parser *p, struct sn_node *left, int level,
                                        enum sn_duration_op op) {
    uint32_t at = p->token.start;
    sn_parser_advance(p);
    struct sn_node *right = parse_operators(p, level == PRECEDENCE_POWER ? level : level + 1);
    if (right == NULL || !check_enabled(p, left->span.start)) {
        return NULL;
    }
    bool is_zero = right->kind == SN_NODE_NUMBER && right->number.value == 0;
    if (is_zero && (op == SN_DURATION_DIV || op == SN_DURATION_MOD)) {
        return sn_parser_fail(p, at, "%s by zero", op == SN_DURATION_DIV ? "division" : "modulo");
    }
    return new_op(p, (struct sn_span){left->span.start, right->span.end},
                  (struct sn_duration_node){.op = op, .left = left, .right = right});
}

/* Read on behind `left`. */
static struct sn_node *parse_rest(struct sn_parser *p, struct sn_node *left, int precedence_min) {
    while (left != NULL) {
        enum sn_duration_op op = SN_DURATION_ADD;
        int level = operator_of(p->token.kind, &op);
        if (level == 0 || level < precedence_min) {
            break;
        }
        left = parse_right_side(p, left, level, op);
    }
    return left;
}

static struct sn_node *parse_operators(struct sn_parser *p, int precedence_min) {
    if (p->status != SN_OK || !sn_parser_enter(p)) {
        return NULL;
    }
    struct sn_node *node = parse_rest(p, parse_operand(p), precedence_min);
    sn_parser_leave(p);
    return p->status == SN_OK ? node : NULL;
}

/* Seconds as a duration; at least 1 ms away from 0 when it is not 0. */
static struct sn_duration duration_of(const struct sn_node *node) {
    if (node->kind != SN_NODE_NUMBER) {
        return (struct sn_duration){.expr = node};
    }
    double seconds = node->number.value;
    double ms = trunc(round(seconds * 1e9) / 1e6);
    if (ms == 0 && seconds != 0) {
        ms = seconds > 0 ? 1 : -1;
    }
    return (struct sn_duration){.ms = ms >= 0x1p63 ? INT64_MAX : (int64_t)ms};
}

bool sn_parser_range_value(struct sn_parser *p, struct sn_duration *ret_duration) {
    const struct sn_node *node = parse_operators(p, PRECEDENCE_SUM);
    if (node == NULL) {
        return false;
    }
    if (node->kind == SN_NODE_NUMBER && !(node->number.value > 0)) {
        sn_parser_fail(p, node->span.start, "duration must be greater than 0");
        return false;
    }
    *ret_duration = duration_of(node);
    return true;
}

/* One operand with its signs; its arithmetic belongs to the expression around. */
static struct sn_node *parse_offset_operand(struct sn_parser *p) {
    if (!is_sign(p->token.kind)) {
        return parse_primary(p, "offset");
    }
    uint32_t start = p->token.start;
    bool is_minus = p->token.kind == SN_TOKEN_SUB;
    if (!sn_parser_enter(p)) {
        return NULL;
    }
    sn_parser_advance(p);
    struct sn_node *child = parse_offset_operand(p);
    sn_parser_leave(p);
    return child ? apply_sign(p, start, is_minus, child) : NULL;
}

bool sn_parser_offset_value(struct sn_parser *p, struct sn_duration *ret_duration) {
    bool is_in_parens = p->token.kind == SN_TOKEN_LEFT_PAREN;
    const struct sn_node *node =
        is_in_parens ? parse_operators(p, PRECEDENCE_SUM) : parse_offset_operand(p);
    if (node == NULL || p->status != SN_OK) {
        return false;
    }
    *ret_duration = duration_of(node);
    return true;
}

/* --- Values --------------------------------------------------------------------------------- */

struct resolve {
    const struct sn_expr *expr;
    const struct sn_duration_context *context;
    struct sn_err *err;
    sn_status status;
};

static double resolve_node(struct resolve *r, const struct sn_node *node);

static double resolve_division(struct resolve *r, const struct sn_node *node, double left,
                               double right) {
    bool is_division = node->duration.op == SN_DURATION_DIV;
    if (right != 0) {
        return is_division ? left / right : fmod(left, right);
    }
    if (r->status == SN_OK) {
        r->status =
            sn_err_set(r->err, SN_ERR_INVALID, "%s by zero", is_division ? "division" : "modulo");
        sn_parse_error_prefix(r->err, r->expr->text, node->span.start);
    }
    return 0;
}

static double resolve_op(struct resolve *r, const struct sn_node *node) {
    const struct sn_duration_node *duration = &node->duration;
    double left = duration->left ? resolve_node(r, duration->left) : 0;
    double right = duration->right ? resolve_node(r, duration->right) : 0;
    switch (duration->op) {
    case SN_DURATION_ADD:
        return left + right;
    case SN_DURATION_SUB:
        return left - right;
    case SN_DURATION_MUL:
        return left * right;
    case SN_DURATION_DIV:
    case SN_DURATION_MOD:
        return resolve_division(r, node, left, right);
    case SN_DURATION_POW:
        return pow(left, right);
    case SN_DURATION_NEGATE:
        return -right;
    case SN_DURATION_PLUS:
        return right;
    case SN_DURATION_STEP:
        return (double)r->context->step_ms / 1e3;
    case SN_DURATION_RANGE:
        return (double)r->context->range_ms / 1e3;
    case SN_DURATION_MIN_OF:
        return left < right ? left : right;
    case SN_DURATION_MAX_OF:
        return left > right ? left : right;
    }
    return 0;
}

static double resolve_node(struct resolve *r, const struct sn_node *node) {
    return node->kind == SN_NODE_NUMBER ? node->number.value : resolve_op(r, node);
}

sn_status sn_duration_resolve(const struct sn_expr *expr, struct sn_duration duration,
                              const struct sn_duration_context *context, int64_t *ret_ms,
                              struct sn_err *err) {
    if (duration.expr == NULL) {
        *ret_ms = duration.ms;
        return SN_OK;
    }
    struct resolve r = {.expr = expr, .context = context, .err = err};
    double seconds = resolve_node(&r, duration.expr);
    SN_TRY(r.status);
    sn_status status = SN_OK;
    if (!(fabs(seconds) <= SECONDS_MAX)) {
        status = sn_err_set(err, SN_ERR_INVALID, "duration is out of range");
    } else if (context->must_be_positive && seconds <= 0) {
        status = sn_err_set(err, SN_ERR_INVALID, "duration must be greater than 0");
    }
    if (status != SN_OK) {
        sn_parse_error_prefix(err, expr->text, duration.expr->span.start);
        return status;
    }
    *ret_ms = (int64_t)trunc(round(seconds * 1e9) / 1e6);
    return SN_OK;
}
