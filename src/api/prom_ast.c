/*
 * /api/v1/parse_query: the tree of an expression as JSON, in the words of Prometheus 3.
 *
 * Recursion is bounded twice: by the parser (SN_QUERY_HEIGHT_MAX) and by the JSON writer, which
 * refuses more than SN_JSON_DEPTH_MAX levels and so ends as an error of the answer.
 */
#include "api/prom_params.h"
#include "api/prom_priv.h"
#include "query/printer.h"

static void write_node(struct sn_json_writer *json, const struct sn_node *node);

static void write_type(struct sn_json_writer *json, const char *type) {
    sn_json_write_key_string(json, SN_STR("type"), sn_str_from(type));
}

static void write_child(struct sn_json_writer *json, struct sn_str key,
                        const struct sn_node *child) {
    sn_json_write_key(json, key);
    if (child != NULL)
        write_node(json, child);
    else
        sn_json_write_null(json);
}

static void write_names(struct sn_json_writer *json, struct sn_str key,
                        const struct sn_names *names) {
    sn_json_write_key(json, key);
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < names->count; i++)
        sn_json_write_string(json, names->items[i]);
    sn_json_write_array_end(json);
}

/* A duration that depends on the query's step and range has no value here: 0, as in Prometheus. */
static void write_duration(struct sn_json_writer *json, struct sn_str key,
                           struct sn_duration duration) {
    sn_json_write_key_int64(json, key, duration.ms);
}

static void write_shift(struct sn_json_writer *json, const struct sn_time_shift *shift) {
    write_duration(json, SN_STR("offset"), shift->offset);
    sn_json_write_key(json, SN_STR("timestamp"));
    if (shift->at == SN_AT_TIME)
        sn_json_write_int64(json, shift->at_ms);
    else
        sn_json_write_null(json);
    sn_json_write_key(json, SN_STR("startOrEnd"));
    if (shift->at == SN_AT_START)
        sn_json_write_string(json, SN_STR("start"));
    else if (shift->at == SN_AT_END)
        sn_json_write_string(json, SN_STR("end"));
    else
        sn_json_write_null(json);
}

static void write_matchers(struct sn_json_writer *json, const struct sn_vector_node *vector) {
    static const struct sn_str kinds[] = {
        [SN_MATCH_EQUAL] = SN_STR("="),
        [SN_MATCH_NOT_EQUAL] = SN_STR("!="),
        [SN_MATCH_REGEX] = SN_STR("=~"),
        [SN_MATCH_NOT_REGEX] = SN_STR("!~"),
    };
    sn_json_write_key(json, SN_STR("matchers"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < vector->matcher_count; i++) {
        const struct sn_matcher *matcher = &vector->matchers[i];
        sn_json_write_object_begin(json);
        sn_json_write_key_string(json, SN_STR("name"), matcher->name);
        sn_json_write_key_string(json, SN_STR("type"), kinds[matcher->kind]);
        sn_json_write_key_string(json, SN_STR("value"), matcher->value);
        sn_json_write_object_end(json);
    }
    sn_json_write_array_end(json);
}

static void write_vector(struct sn_json_writer *json, const struct sn_vector_node *vector) {
    sn_json_write_key_string(json, SN_STR("name"), vector->name);
    write_matchers(json, vector);
    write_shift(json, &vector->shift);
}

/* Matching is null unless both sides are vectors. */
static void write_matching(struct sn_json_writer *json, const struct sn_binary_node *binary) {
    static const struct sn_str cards[] = {
        [SN_CARD_ONE_TO_ONE] = SN_STR("one-to-one"),
        [SN_CARD_MANY_TO_ONE] = SN_STR("many-to-one"),
        [SN_CARD_ONE_TO_MANY] = SN_STR("one-to-many"),
        [SN_CARD_MANY_TO_MANY] = SN_STR("many-to-many"),
    };
    const struct sn_vector_match *match = &binary->match;
    sn_json_write_key(json, SN_STR("matching"));
    if (binary->left->type != SN_VALUE_VECTOR || binary->right->type != SN_VALUE_VECTOR) {
        sn_json_write_null(json);
        return;
    }
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("card"), cards[match->card]);
    write_names(json, SN_STR("include"), &match->include);
    write_names(json, SN_STR("labels"), &match->labels);
    sn_json_write_key_bool(json, SN_STR("on"), match->is_on);
    sn_json_write_object_end(json);
}

static void write_binary(struct sn_json_writer *json, const struct sn_binary_node *binary) {
    write_type(json, "binaryExpr");
    sn_json_write_key_string(json, SN_STR("op"), sn_str_from(sn_binary_op_name(binary->op)));
    sn_json_write_key_bool(json, SN_STR("bool"), binary->returns_bool);
    write_child(json, SN_STR("lhs"), binary->left);
    write_child(json, SN_STR("rhs"), binary->right);
    write_matching(json, binary);
}

static void write_aggregate(struct sn_json_writer *json,
                            const struct sn_aggregate_node *aggregate) {
    write_type(json, "aggregation");
    sn_json_write_key_string(json, SN_STR("op"), sn_str_from(sn_aggregate_op_name(aggregate->op)));
    write_child(json, SN_STR("expr"), aggregate->child);
    write_child(json, SN_STR("param"), aggregate->param);
    write_names(json, SN_STR("grouping"), &aggregate->labels);
    sn_json_write_key_bool(json, SN_STR("without"), aggregate->is_without);
}

static void write_function(struct sn_json_writer *json, const struct sn_function *function) {
    sn_json_write_key(json, SN_STR("func"));
    sn_json_write_object_begin(json);
    sn_json_write_key_string(json, SN_STR("name"), sn_str_from(function->name));
    sn_json_write_key(json, SN_STR("argTypes"));
    sn_json_write_array_begin(json);
    for (unsigned i = 0; i < function->arg_count; i++)
        sn_json_write_string(json, sn_str_from(sn_value_type_name(function->args[i])));
    sn_json_write_array_end(json);
    sn_json_write_key_int64(json, SN_STR("variadic"), function->variadic);
    sn_json_write_key_string(json, SN_STR("returnType"),
                             sn_str_from(sn_value_type_name(function->result)));
    sn_json_write_object_end(json);
}

static void write_call(struct sn_json_writer *json, const struct sn_call_node *node) {
    write_type(json, "call");
    write_function(json, node->function);
    sn_json_write_key(json, SN_STR("args"));
    sn_json_write_array_begin(json);
    for (size_t i = 0; i < node->count; i++)
        write_node(json, node->args[i]);
    sn_json_write_array_end(json);
}

static void write_subquery(struct sn_json_writer *json, const struct sn_subquery_node *subquery) {
    write_type(json, "subquery");
    write_child(json, SN_STR("expr"), subquery->child);
    write_duration(json, SN_STR("range"), subquery->range);
    write_duration(json, SN_STR("step"), subquery->step);
    write_shift(json, &subquery->shift);
}

static void write_number(struct sn_json_writer *json, const struct sn_number_node *number) {
    write_type(json, "numberLiteral");
    sn_json_write_key(json, SN_STR("val"));
    sn_json_write_double_text(json, number->value);
}

static void write_members(struct sn_json_writer *json, const struct sn_node *node) {
    switch (node->kind) {
    case SN_NODE_NUMBER:
        write_number(json, &node->number);
        return;
    case SN_NODE_STRING:
        write_type(json, "stringLiteral");
        sn_json_write_key_string(json, SN_STR("val"), node->string);
        return;
    case SN_NODE_PAREN:
        write_type(json, "parenExpr");
        write_child(json, SN_STR("expr"), node->paren);
        return;
    case SN_NODE_UNARY:
        write_type(json, "unaryExpr");
        sn_json_write_key_string(json, SN_STR("op"), sn_str_from(node->unary.is_minus ? "-" : "+"));
        write_child(json, SN_STR("expr"), node->unary.child);
        return;
    case SN_NODE_BINARY:
        write_binary(json, &node->binary);
        return;
    case SN_NODE_AGGREGATE:
        write_aggregate(json, &node->aggregate);
        return;
    case SN_NODE_CALL:
        write_call(json, &node->call);
        return;
    case SN_NODE_VECTOR:
        write_type(json, "vectorSelector");
        write_vector(json, &node->vector);
        return;
    case SN_NODE_MATRIX:
        write_type(json, "matrixSelector");
        write_duration(json, SN_STR("range"), node->matrix.range);
        write_vector(json, &node->matrix.vector->vector);
        return;
    case SN_NODE_SUBQUERY:
        write_subquery(json, &node->subquery);
        return;
    case SN_NODE_DURATION_OP:
        return; /* never in the tree of values: it hangs on time fields only */
    }
}

static void write_node(struct sn_json_writer *json, const struct sn_node *node) {
    sn_json_write_object_begin(json);
    write_members(json, node);
    sn_json_write_object_end(json);
}

void sn_api_prom_parse_query(struct sn_api *api, struct sn_http_request *request) {
    struct sn_prom_call call;
    struct sn_expr expr;
    struct sn_str text;
    struct sn_err err = {0};
    sn_prom_begin(&call, api, request);
    sn_status status = sn_prom_query_text(request, &text, &err);
    if (status == SN_OK)
        status = sn_prom_parse_query(&call, text, &expr, &err);
    if (status != SN_OK) {
        sn_prom_fail(&call, false, status, &err);
        return;
    }
    write_node(&call.json, expr.root);
    sn_prom_end(&call, NULL, 0, NULL, 0);
}
