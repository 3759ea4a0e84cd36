/*
 * A tree to text. Both forms are Prometheus' own, byte for byte, oddities included: rule files are
 * compared by the compact one, and format_query promises the other.
 *
 * The pretty form breaks a node when its compact form is longer than 100 bytes. That is found out by
 * printing into a buffer of 100 bytes, where printing stops at the first byte too many, so that the
 * whole costs O(length) and not O(length * height).
 */
#include "query/printer.h"

#include "base/arena.h"
#include "base/check.h"
#include "base/limits.h"
#include "codec/duration.h"
#include "codec/number.h"
#include "model/labels.h"
#include "query/gotext_priv.h"

#include <math.h>

enum { COLUMNS_MAX = 100 };

static const char *const binary_names[SN_BINARY_OP_COUNT] = {
    [SN_BINARY_ADD] = "+",         [SN_BINARY_SUB] = "-",         [SN_BINARY_MUL] = "*",
    [SN_BINARY_DIV] = "/",         [SN_BINARY_MOD] = "%",         [SN_BINARY_POW] = "^",
    [SN_BINARY_ATAN2] = "atan2",   [SN_BINARY_EQUAL] = "==",      [SN_BINARY_NOT_EQUAL] = "!=",
    [SN_BINARY_GREATER] = ">",     [SN_BINARY_LESS] = "<",        [SN_BINARY_GREATER_EQUAL] = ">=",
    [SN_BINARY_LESS_EQUAL] = "<=", [SN_BINARY_AND] = "and",       [SN_BINARY_OR] = "or",
    [SN_BINARY_UNLESS] = "unless", [SN_BINARY_TRIM_UPPER] = "</", [SN_BINARY_TRIM_LOWER] = ">/",
};

static const char *const aggregate_names[SN_AGGREGATE_OP_COUNT] = {
    [SN_AGGREGATE_SUM] = "sum",
    [SN_AGGREGATE_AVG] = "avg",
    [SN_AGGREGATE_COUNT] = "count",
    [SN_AGGREGATE_MIN] = "min",
    [SN_AGGREGATE_MAX] = "max",
    [SN_AGGREGATE_GROUP] = "group",
    [SN_AGGREGATE_STDDEV] = "stddev",
    [SN_AGGREGATE_STDVAR] = "stdvar",
    [SN_AGGREGATE_TOPK] = "topk",
    [SN_AGGREGATE_BOTTOMK] = "bottomk",
    [SN_AGGREGATE_COUNT_VALUES] = "count_values",
    [SN_AGGREGATE_QUANTILE] = "quantile",
    [SN_AGGREGATE_LIMITK] = "limitk",
    [SN_AGGREGATE_LIMIT_RATIO] = "limit_ratio",
};

const char *sn_binary_op_name(enum sn_binary_op op) {
    assert(op < SN_BINARY_OP_COUNT);
    return binary_names[op];
}

const char *sn_aggregate_op_name(enum sn_aggregate_op op) {
    assert(op < SN_AGGREGATE_OP_COUNT);
    return aggregate_names[op];
}

/* --- Parts ---------------------------------------------------------------------------------- */

static void put_name(struct sn_buf *buf, struct sn_str name) {
    if (sn_label_name_is_plain(name)) {
        sn_buf_put_str(buf, name);
    } else {
        sn_gotext_quote(buf, name);
    }
}

/* " word (a, b)" */
static void put_names(struct sn_buf *buf, const char *word, struct sn_names names) {
    sn_buf_printf(buf, " %s (", word);
    for (size_t i = 0; i < names.count; i++) {
        sn_buf_put_text(buf, i > 0 ? ", " : "");
        put_name(buf, names.items[i]);
    }
    sn_buf_put_byte(buf, ')');
}

static void put_ms(struct sn_buf *buf, int64_t ms) {
    char text[SN_DURATION_TEXT_SIZE];
    size_t len = sn_duration_format(ms, text);
    sn_buf_put(buf, text, len);
}

static void put_duration(struct sn_buf *buf, struct sn_duration duration) {
    if (duration.expr != NULL) {
        sn_node_print(duration.expr, buf);
    } else {
        put_ms(buf, duration.ms);
    }
}

static void put_at(struct sn_buf *buf, const struct sn_time_shift *shift) {
    uint64_t ms = shift->at_ms < 0 ? 0 - (uint64_t)shift->at_ms : (uint64_t)shift->at_ms;
    switch (shift->at) {
    case SN_AT_NONE:
        break;
    case SN_AT_TIME:
        sn_buf_printf(buf, " @ %s%llu.%03u", shift->at_ms < 0 ? "-" : "",
                      (unsigned long long)(ms / 1000), (unsigned)(ms % 1000));
        break;
    case SN_AT_START:
        sn_buf_put_text(buf, " @ start()");
        break;
    case SN_AT_END:
        sn_buf_put_text(buf, " @ end()");
        break;
    }
}

static void put_offset(struct sn_buf *buf, const struct sn_time_shift *shift) {
    if (shift->offset.expr != NULL || shift->offset.ms != 0) {
        sn_buf_put_text(buf, " offset ");
        put_duration(buf, shift->offset);
    }
}

static void put_edge(struct sn_buf *buf, enum sn_range_edge edge) {
    switch (edge) {
    case SN_EDGE_PLAIN:
        break;
    case SN_EDGE_ANCHORED:
        sn_buf_put_text(buf, " anchored");
        break;
    case SN_EDGE_SMOOTHED:
        sn_buf_put_text(buf, " smoothed");
        break;
    }
}

static const char *matcher_operator(enum sn_match_kind kind) {
    switch (kind) {
    case SN_MATCH_EQUAL:
        return "=";
    case SN_MATCH_NOT_EQUAL:
        return "!=";
    case SN_MATCH_REGEX:
        return "=~";
    case SN_MATCH_NOT_REGEX:
        return "!~";
    }
    return "";
}

static void put_matcher(struct sn_buf *buf, const struct sn_matcher *matcher) {
    put_name(buf, matcher->name);
    sn_buf_put_text(buf, matcher_operator(matcher->kind));
    sn_gotext_quote(buf, matcher->value);
}

/* Whether the name in front of the braces says the same. */
static bool is_implied(const struct sn_vector_node *vector, const struct sn_matcher *matcher) {
    return matcher->kind == SN_MATCH_EQUAL && matcher->value.len > 0 &&
           sn_str_equal(matcher->name, SN_LABEL_METRIC_NAME) &&
           sn_str_equal(matcher->value, vector->name);
}

/*
 * Sort the matchers from `first` on, each of which ends where the next one starts, by their text:
 * that is Prometheus' order. `starts` has count + 1 entries; at most SN_MATCHERS_MAX matchers.
 */
static void put_sorted(struct sn_buf *buf, struct sn_str text, const size_t *starts, size_t count) {
    struct sn_str items[SN_MATCHERS_MAX];
    for (size_t i = 0; i < count; i++) {
        struct sn_str item = {text.ptr + starts[i], starts[i + 1] - starts[i]};
        size_t at = i;
        while (at > 0 && sn_str_compare(items[at - 1], item) > 0) {
            items[at] = items[at - 1];
            at--;
        }
        items[at] = item;
    }
    for (size_t i = 0; i < count; i++) {
        sn_buf_put_text(buf, i > 0 ? "," : "");
        sn_buf_put_str(buf, items[i]);
    }
}

static void put_braces(struct sn_buf *buf, const struct sn_vector_node *vector) {
    struct sn_buf text;
    size_t starts[SN_MATCHERS_MAX + 1] = {0};
    size_t count = 0;
    sn_buf_init(&text, 0);
    for (size_t i = 0; i < vector->matcher_count; i++) {
        if (!is_implied(vector, &vector->matchers[i])) {
            put_matcher(&text, &vector->matchers[i]);
            starts[++count] = text.len;
        }
    }
    if (count > 0 && text.status == SN_OK) {
        sn_buf_put_byte(buf, '{');
        put_sorted(buf, sn_buf_str(&text), starts, count);
        sn_buf_put_byte(buf, '}');
    }
    if (text.status != SN_OK && buf->status == SN_OK) {
        buf->status = text.status;
    }
    sn_buf_release(&text);
}

static void put_selector(struct sn_buf *buf, const struct sn_vector_node *vector) {
    sn_buf_put_str(buf, vector->name);
    put_braces(buf, vector);
}

/* --- Heads of nodes: what stands around the children ---------------------------------------- */

static void put_fill_value(struct sn_buf *buf, const char *word, double value) {
    char text[SN_DOUBLE_TEXT_SIZE];
    (void)sn_double_format(value, SN_DOUBLE_API, text);
    sn_buf_printf(buf, " %s (%s)", word, text);
}

static void put_fill(struct sn_buf *buf, const struct sn_vector_match *match) {
    bool is_same = memcmp(&match->fill_left, &match->fill_right, sizeof(double)) == 0;
    if (match->has_fill_left && match->has_fill_right && is_same) {
        put_fill_value(buf, "fill", match->fill_left);
        return;
    }
    if (match->has_fill_left) {
        put_fill_value(buf, "fill_left", match->fill_left);
    }
    if (match->has_fill_right) {
        put_fill_value(buf, "fill_right", match->fill_right);
    }
}

/* The operator with bool, on, group_left ... */
static void put_operator(struct sn_buf *buf, const struct sn_binary_node *binary) {
    const struct sn_vector_match *match = &binary->match;
    bool is_grouped = match->card == SN_CARD_MANY_TO_ONE || match->card == SN_CARD_ONE_TO_MANY;
    sn_buf_put_text(buf, sn_binary_op_name(binary->op));
    sn_buf_put_text(buf, binary->returns_bool ? " bool" : "");
    if (match->labels.count > 0 || match->is_on || is_grouped) {
        put_names(buf, match->is_on ? "on" : "ignoring", match->labels);
    }
    if (is_grouped) {
        bool is_left = match->card == SN_CARD_MANY_TO_ONE;
        put_names(buf, is_left ? "group_left" : "group_right", match->include);
    }
    put_fill(buf, match);
}

/* The operation with by or without. */
static void put_aggregate_head(struct sn_buf *buf, const struct sn_aggregate_node *aggregate) {
    sn_buf_put_text(buf, sn_aggregate_op_name(aggregate->op));
    if (aggregate->is_without || aggregate->labels.count > 0) {
        put_names(buf, aggregate->is_without ? "without" : "by", aggregate->labels);
        sn_buf_put_byte(buf, ' ');
    }
}

static void put_subquery_tail(struct sn_buf *buf, const struct sn_subquery_node *subquery) {
    sn_buf_put_byte(buf, '[');
    put_duration(buf, subquery->range);
    sn_buf_put_byte(buf, ':');
    if (subquery->step.expr != NULL || subquery->step.ms != 0) {
        put_duration(buf, subquery->step);
    }
    sn_buf_put_byte(buf, ']');
    put_at(buf, &subquery->shift);
    put_offset(buf, &subquery->shift);
}

/* --- Compact form --------------------------------------------------------------------------- */

static void print_number(struct sn_buf *buf, const struct sn_number_node *number) {
    if (number->is_duration) {
        double ms = round(number->value * 1000);
        sn_buf_put_text(buf, ms == 0 && signbit(ms) ? "-" : "");
        put_ms(buf, (int64_t)ms);
    } else {
        sn_gotext_float(buf, number->value);
    }
}

static void print_vector(struct sn_buf *buf, const struct sn_vector_node *vector) {
    put_selector(buf, vector);
    put_at(buf, &vector->shift);
    put_edge(buf, vector->edge);
    put_offset(buf, &vector->shift);
}

static void print_matrix(struct sn_buf *buf, const struct sn_matrix_node *matrix) {
    const struct sn_vector_node *vector = &matrix->vector->vector;
    put_selector(buf, vector);
    sn_buf_put_byte(buf, '[');
    put_duration(buf, matrix->range);
    sn_buf_put_byte(buf, ']');
    put_edge(buf, vector->edge);
    put_at(buf, &vector->shift);
    put_offset(buf, &vector->shift);
}

/*
 * An infinite base goes without the sign that Prometheus prints: a sign binds less than ^, so that
 * +Inf ^ 2 would come back as +(Inf ^ 2).
 */
static bool is_infinite_base(const struct sn_binary_node *binary) {
    return binary->op == SN_BINARY_POW && binary->left->kind == SN_NODE_NUMBER &&
           isinf(binary->left->number.value);
}

static void print_binary(struct sn_buf *buf, const struct sn_binary_node *binary) {
    if (is_infinite_base(binary)) {
        sn_buf_put_text(buf, "Inf");
    } else {
        sn_node_print(binary->left, buf);
    }
    sn_buf_put_byte(buf, ' ');
    put_operator(buf, binary);
    sn_buf_put_byte(buf, ' ');
    sn_node_print(binary->right, buf);
}

static void print_aggregate(struct sn_buf *buf, const struct sn_aggregate_node *aggregate) {
    put_aggregate_head(buf, aggregate);
    sn_buf_put_byte(buf, '(');
    if (aggregate->param != NULL) {
        sn_node_print(aggregate->param, buf);
        sn_buf_put_text(buf, ", ");
    }
    sn_node_print(aggregate->child, buf);
    sn_buf_put_byte(buf, ')');
}

static void print_call(struct sn_buf *buf, const struct sn_call_node *call) {
    sn_buf_put_text(buf, call->function->name);
    sn_buf_put_byte(buf, '(');
    for (size_t i = 0; i < call->count; i++) {
        sn_buf_put_text(buf, i > 0 ? ", " : "");
        sn_node_print(call->args[i], buf);
    }
    sn_buf_put_byte(buf, ')');
}

/* "left op right", or "name(left, right)". */
static void print_two_durations(struct sn_buf *buf, const struct sn_duration_node *duration,
                                const char *before, const char *between, const char *after) {
    sn_buf_put_text(buf, before);
    sn_node_print(duration->left, buf);
    sn_buf_put_text(buf, between);
    sn_node_print(duration->right, buf);
    sn_buf_put_text(buf, after);
}

static void print_duration_op(struct sn_buf *buf, const struct sn_duration_node *duration) {
    switch (duration->op) {
    case SN_DURATION_ADD:
        print_two_durations(buf, duration, "", " + ", "");
        break;
    case SN_DURATION_SUB:
        print_two_durations(buf, duration, "", " - ", "");
        break;
    case SN_DURATION_MUL:
        print_two_durations(buf, duration, "", " * ", "");
        break;
    case SN_DURATION_DIV:
        print_two_durations(buf, duration, "", " / ", "");
        break;
    case SN_DURATION_MOD:
        print_two_durations(buf, duration, "", " % ", "");
        break;
    case SN_DURATION_POW:
        print_two_durations(buf, duration, "", " ^ ", "");
        break;
    case SN_DURATION_NEGATE:
        sn_buf_put_byte(buf, '-');
        sn_node_print(duration->right, buf);
        break;
    case SN_DURATION_PLUS:
        sn_node_print(duration->right, buf);
        break;
    case SN_DURATION_STEP:
        sn_buf_put_text(buf, "step()");
        break;
    case SN_DURATION_RANGE:
        sn_buf_put_text(buf, "range()");
        break;
    case SN_DURATION_MIN_OF:
        print_two_durations(buf, duration, "min_of(", ", ", ")");
        break;
    case SN_DURATION_MAX_OF:
        print_two_durations(buf, duration, "max_of(", ", ", ")");
        break;
    }
}

void sn_node_print(const struct sn_node *node, struct sn_buf *buf) {
    if (buf->status != SN_OK) {
        return; /* full: what measures a width wants to stop here */
    }
    switch (node->kind) {
    case SN_NODE_NUMBER:
        print_number(buf, &node->number);
        break;
    case SN_NODE_STRING:
        sn_gotext_quote(buf, node->string);
        break;
    case SN_NODE_PAREN:
        sn_buf_put_byte(buf, '(');
        sn_node_print(node->paren, buf);
        sn_buf_put_byte(buf, ')');
        break;
    case SN_NODE_UNARY:
        sn_buf_put_byte(buf, node->unary.is_minus ? '-' : '+');
        sn_node_print(node->unary.child, buf);
        break;
    case SN_NODE_BINARY:
        print_binary(buf, &node->binary);
        break;
    case SN_NODE_AGGREGATE:
        print_aggregate(buf, &node->aggregate);
        break;
    case SN_NODE_CALL:
        print_call(buf, &node->call);
        break;
    case SN_NODE_VECTOR:
        print_vector(buf, &node->vector);
        break;
    case SN_NODE_MATRIX:
        print_matrix(buf, &node->matrix);
        break;
    case SN_NODE_SUBQUERY:
        sn_node_print(node->subquery.child, buf);
        put_subquery_tail(buf, &node->subquery);
        break;
    case SN_NODE_DURATION_OP:
        sn_buf_put_text(buf, node->duration.is_wrapped ? "(" : "");
        print_duration_op(buf, &node->duration);
        sn_buf_put_text(buf, node->duration.is_wrapped ? ")" : "");
        break;
    }
}

/* --- Pretty form ---------------------------------------------------------------------------- */

static void pretty(const struct sn_node *node, struct sn_buf *buf, unsigned level);

static void indent(struct sn_buf *buf, unsigned level) {
    for (unsigned i = 0; i < level; i++) {
        sn_buf_put_text(buf, "  ");
    }
}

/* A line break and the closing parenthesis of a node at this level. */
static void close_paren(struct sn_buf *buf, unsigned level) {
    sn_buf_put_byte(buf, '\n');
    indent(buf, level);
    sn_buf_put_byte(buf, ')');
}

static bool is_too_wide(const struct sn_node *node, struct sn_buf *buf) {
    struct sn_buf line;
    sn_buf_init(&line, COLUMNS_MAX);
    sn_node_print(node, &line);
    bool is_wide = line.status == SN_ERR_LIMIT;
    if (line.status != SN_OK && !is_wide && buf->status == SN_OK) {
        buf->status = line.status; /* no memory to measure with */
    }
    sn_buf_release(&line);
    return is_wide;
}

static void pretty_aggregate(const struct sn_aggregate_node *aggregate, struct sn_buf *buf,
                             unsigned level) {
    indent(buf, level);
    put_aggregate_head(buf, aggregate);
    sn_buf_put_text(buf, "(\n");
    if (aggregate->param != NULL) {
        pretty(aggregate->param, buf, level + 1);
        sn_buf_put_text(buf, ",\n");
    }
    pretty(aggregate->child, buf, level + 1);
    close_paren(buf, level);
}

static void pretty_binary(const struct sn_binary_node *binary, struct sn_buf *buf, unsigned level) {
    if (is_infinite_base(binary)) {
        indent(buf, level + 1);
        sn_buf_put_text(buf, "Inf");
    } else {
        pretty(binary->left, buf, level + 1);
    }
    sn_buf_put_byte(buf, '\n');
    indent(buf, level);
    put_operator(buf, binary);
    sn_buf_put_byte(buf, '\n');
    pretty(binary->right, buf, level + 1);
}

static void pretty_call(const struct sn_call_node *call, struct sn_buf *buf, unsigned level) {
    indent(buf, level);
    sn_buf_put_text(buf, call->function->name);
    sn_buf_put_text(buf, "(\n");
    for (size_t i = 0; i < call->count; i++) {
        sn_buf_put_text(buf, i > 0 ? ",\n" : "");
        pretty(call->args[i], buf, level + 1);
    }
    close_paren(buf, level);
}

/* The child is printed at its level and loses the blanks that it starts with: the sign is there. */
static void pretty_unary(const struct sn_unary_node *unary, struct sn_buf *buf, unsigned level) {
    indent(buf, level);
    sn_buf_put_byte(buf, unary->is_minus ? '-' : '+');
    size_t start = buf->len;
    pretty(unary->child, buf, level);
    size_t blanks = 0;
    while (start + blanks < buf->len && buf->ptr[start + blanks] == ' ') {
        blanks++;
    }
    if (blanks > 0) {
        memmove(buf->ptr + start, buf->ptr + start + blanks, buf->len - start - blanks);
        buf->len -= blanks;
    }
}

/* A node that does not fit into a line. */
static void pretty_broken(const struct sn_node *node, struct sn_buf *buf, unsigned level) {
    switch (node->kind) {
    case SN_NODE_PAREN:
        indent(buf, level);
        sn_buf_put_text(buf, "(\n");
        pretty(node->paren, buf, level + 1);
        close_paren(buf, level);
        break;
    case SN_NODE_BINARY:
        pretty_binary(&node->binary, buf, level);
        break;
    case SN_NODE_AGGREGATE:
        pretty_aggregate(&node->aggregate, buf, level);
        break;
    case SN_NODE_CALL:
        pretty_call(&node->call, buf, level);
        break;
    case SN_NODE_SUBQUERY:
        pretty(node->subquery.child, buf, level);
        put_subquery_tail(buf, &node->subquery);
        break;
    case SN_NODE_NUMBER:
    case SN_NODE_STRING:
    case SN_NODE_UNARY:
    case SN_NODE_VECTOR:
    case SN_NODE_MATRIX:
    case SN_NODE_DURATION_OP:
        indent(buf, level);
        sn_node_print(node, buf);
        break;
    }
}

static void pretty(const struct sn_node *node, struct sn_buf *buf, unsigned level) {
    if (buf->status != SN_OK) {
        return;
    }
    if (node->kind == SN_NODE_UNARY) {
        pretty_unary(&node->unary, buf, level);
    } else if (is_too_wide(node, buf)) {
        pretty_broken(node, buf, level);
    } else {
        /* A subquery that fits is not indented: Prometheus forgot it, and people compare. */
        indent(buf, node->kind == SN_NODE_SUBQUERY ? 0 : level);
        sn_node_print(node, buf);
    }
}

void sn_node_print_pretty(const struct sn_node *node, struct sn_buf *buf) {
    pretty(node, buf, 0);
}
