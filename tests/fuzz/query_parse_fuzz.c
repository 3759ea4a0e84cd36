/*
 * PromQL. Properties: what parses prints to a text that parses to an equal tree with the same print,
 * in both forms; spans lie inside of the text; with experimental features off nothing parses that
 * does not parse with them.
 */
#include "base/check.h"
#include "query/parser.h"
#include "query/printer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_equal(const struct sn_node *a, const struct sn_node *b);

static void check_equal_or_null(const struct sn_node *a, const struct sn_node *b) {
    SN_CHECK((a == NULL) == (b == NULL));
    if (a != NULL) {
        check_equal(a, b);
    }
}

static void check_duration(struct sn_duration a, struct sn_duration b) {
    SN_CHECK(a.ms == b.ms);
    check_equal_or_null(a.expr, b.expr);
}

static void check_shift(const struct sn_time_shift *a, const struct sn_time_shift *b) {
    check_duration(a->offset, b->offset);
    SN_CHECK(a->at == b->at);
    /* Seconds are doubles on their way through the text. */
    int64_t apart = a->at_ms > b->at_ms ? a->at_ms - b->at_ms : b->at_ms - a->at_ms;
    int64_t size = a->at_ms < 0 ? -(a->at_ms + 1) : a->at_ms;
    SN_CHECK(apart <= size >> 50);
}

static void check_names(struct sn_names a, struct sn_names b) {
    SN_CHECK(a.count == b.count);
    for (size_t i = 0; i < a.count; i++) {
        SN_CHECK(sn_str_equal(a.items[i], b.items[i]));
    }
}

static void check_number(double a, double b) {
    SN_CHECK(memcmp(&a, &b, sizeof(a)) == 0 || (a != a && b != b));
}

static void check_match(const struct sn_vector_match *a, const struct sn_vector_match *b) {
    SN_CHECK(a->card == b->card && a->is_on == b->is_on);
    SN_CHECK(a->has_fill_left == b->has_fill_left && a->has_fill_right == b->has_fill_right);
    check_names(a->labels, b->labels);
    check_names(a->include, b->include);
    check_number(a->fill_left, b->fill_left);
    check_number(a->fill_right, b->fill_right);
}

/* Matchers are printed in another order than written: every one of a must be in b. */
static void check_vector(const struct sn_vector_node *a, const struct sn_vector_node *b) {
    SN_CHECK(sn_str_equal(a->name, b->name) && a->matcher_count == b->matcher_count);
    SN_CHECK(a->edge == b->edge && a->is_selective == b->is_selective);
    for (size_t i = 0; i < a->matcher_count; i++) {
        size_t j = 0;
        while (j < b->matcher_count &&
               !(a->matchers[i].kind == b->matchers[j].kind &&
                 sn_str_equal(a->matchers[i].name, b->matchers[j].name) &&
                 sn_str_equal(a->matchers[i].value, b->matchers[j].value))) {
            j++;
        }
        SN_CHECK(j < b->matcher_count);
    }
    check_shift(&a->shift, &b->shift);
}

static void check_call(const struct sn_call_node *a, const struct sn_call_node *b) {
    SN_CHECK(a->function == b->function && a->count == b->count);
    for (size_t i = 0; i < a->count; i++) {
        check_equal(a->args[i], b->args[i]);
    }
}

static void check_binary(const struct sn_binary_node *a, const struct sn_binary_node *b) {
    SN_CHECK(a->op == b->op && a->returns_bool == b->returns_bool);
    check_match(&a->match, &b->match);
    check_equal(a->left, b->left);
    check_equal(a->right, b->right);
}

static void check_aggregate(const struct sn_aggregate_node *a, const struct sn_aggregate_node *b) {
    SN_CHECK(a->op == b->op && a->is_without == b->is_without);
    check_names(a->labels, b->labels);
    check_equal_or_null(a->param, b->param);
    check_equal(a->child, b->child);
}

static void check_equal(const struct sn_node *a, const struct sn_node *b) {
    SN_CHECK(a->kind == b->kind && a->type == b->type && a->height == b->height);
    switch (a->kind) {
    case SN_NODE_NUMBER:
        SN_CHECK(a->number.is_duration == b->number.is_duration);
        check_number(a->number.value, b->number.value);
        break;
    case SN_NODE_STRING:
        SN_CHECK(sn_str_equal(a->string, b->string));
        break;
    case SN_NODE_PAREN:
        check_equal(a->paren, b->paren);
        break;
    case SN_NODE_UNARY:
        SN_CHECK(a->unary.is_minus == b->unary.is_minus);
        check_equal(a->unary.child, b->unary.child);
        break;
    case SN_NODE_BINARY:
        check_binary(&a->binary, &b->binary);
        break;
    case SN_NODE_AGGREGATE:
        check_aggregate(&a->aggregate, &b->aggregate);
        break;
    case SN_NODE_CALL:
        check_call(&a->call, &b->call);
        break;
    case SN_NODE_VECTOR:
        check_vector(&a->vector, &b->vector);
        break;
    case SN_NODE_MATRIX:
        check_equal(a->matrix.vector, b->matrix.vector);
        check_duration(a->matrix.range, b->matrix.range);
        break;
    case SN_NODE_SUBQUERY:
        check_equal(a->subquery.child, b->subquery.child);
        check_duration(a->subquery.range, b->subquery.range);
        check_duration(a->subquery.step, b->subquery.step);
        check_shift(&a->subquery.shift, &b->subquery.shift);
        break;
    case SN_NODE_DURATION_OP:
        SN_CHECK(a->duration.op == b->duration.op);
        SN_CHECK(a->duration.is_wrapped == b->duration.is_wrapped);
        check_equal_or_null(a->duration.left, b->duration.left);
        check_equal_or_null(a->duration.right, b->duration.right);
        break;
    }
}

static const struct sn_parse_options all = {.has_experimental_functions = true,
                                            .has_duration_expressions = true,
                                            .has_extended_selectors = true,
                                            .has_fill = true};

typedef void (*printer_fn)(const struct sn_node *node, struct sn_buf *buf);

/* Print, parse again, compare, print again, compare. */
static void round_trip(const struct sn_node *root, printer_fn printer) {
    struct sn_arena arena;
    struct sn_expr again;
    struct sn_err err = {0};
    struct sn_buf first;
    struct sn_buf second;
    sn_arena_init(&arena, 0);
    sn_buf_init(&first, 0);
    sn_buf_init(&second, 0);
    printer(root, &first);
    SN_CHECK(sn_buf_status(&first, NULL) == SN_OK);
    if (first.len <= SN_QUERY_BYTES_MAX) { /* 1e300 is longer than it was */
        sn_status status = sn_expr_parse(sn_buf_str(&first), &all, &arena, &again, &err);
        SN_CHECK(status == SN_OK);
        check_equal(root, again.root);
        printer(again.root, &second);
        SN_CHECK(sn_str_equal(sn_buf_str(&first), sn_buf_str(&second)));
    }
    sn_buf_release(&first);
    sn_buf_release(&second);
    sn_arena_release(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len) {
    struct sn_str text = sn_str_make(data, len);
    struct sn_arena arena;
    struct sn_expr expr;
    struct sn_err err = {0};
    sn_arena_init(&arena, 0);
    sn_status status = sn_expr_parse(text, &all, &arena, &expr, &err);
    if (status == SN_OK) {
        SN_CHECK(expr.root->span.start < expr.root->span.end && expr.root->span.end <= len);
        round_trip(expr.root, sn_node_print);
        round_trip(expr.root, sn_node_print_pretty);
    } else {
        SN_CHECK(err.status == status && err.text[0] != '\0');
        SN_CHECK(sn_expr_parse(text, NULL, &arena, &expr, NULL) != SN_OK);
    }
    sn_arena_reset(&arena);
    if (sn_expr_parse_selector(text, &arena, &expr, &err) == SN_OK) {
        SN_CHECK(expr.root->kind == SN_NODE_VECTOR && expr.root->vector.is_selective);
    }
    sn_arena_release(&arena);
    return 0;
}
