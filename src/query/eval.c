/*
 * The evaluator: one function per type of value, each of which knows what its nodes are.
 *
 * Recursion is bounded by the depth of the tree (SN_QUERY_DEPTH_MAX). Only for src/query; one
 * thread per query.
 */
#include "query/eval_priv.h"

#include "base/mem.h"

sn_status sn_eval_check(struct sn_eval *eval) {
    /* Relaxed: a flag that is seen a little later ends the query a little later. */
    if ((eval->is_cancelled != NULL &&
         atomic_load_explicit(eval->is_cancelled, memory_order_relaxed)) ||
        atomic_load_explicit(eval->is_stopping, memory_order_relaxed)) {
        return sn_err_set(eval->err, SN_ERR_CLOSED, "query was canceled in expression evaluation");
    }
    if (sn_clock_mono_ns(eval->clock) > eval->deadline_ns) {
        return sn_err_set(eval->err, SN_ERR_TIMEOUT, "query timed out in expression evaluation");
    }
    return SN_OK;
}

sn_status sn_eval_fail(struct sn_eval *eval, const char *format, ...) {
    va_list args;
    if (eval->long_error != NULL) {
        va_start(args, format);
        sn_buf_reset(eval->long_error);
        sn_buf_vprintf(eval->long_error, format, args);
        va_end(args);
    }
    va_start(args, format);
    sn_status status = sn_err_set_va(eval->err, SN_ERR_INVALID, format, args);
    va_end(args);
    return status;
}

/* The parser has checked the types: this is a bug of ours, survived. */
static sn_status fail_type(struct sn_eval *eval, const struct sn_node *node) {
    return sn_err_set(eval->err, SN_ERR_INTERNAL, "expression at byte %u has no value of this type",
                      node->span.start);
}

/* ---- scalars ---- */

static sn_status constant(struct sn_eval *eval, struct sn_frame *frame, double value,
                          double **ret_column) {
    SN_TRY(sn_column_new(eval, frame, ret_column));
    sn_column_fill(frame, *ret_column, value);
    return SN_OK;
}

static sn_status unary_scalar(struct sn_eval *eval, const struct sn_node *node,
                              struct sn_frame *frame, double **ret_column) {
    SN_TRY(sn_eval_scalar(eval, node->unary.child, frame, ret_column));
    for (size_t i = 0; node->unary.is_minus && i < frame->step_count; i++) {
        (*ret_column)[i] = -(*ret_column)[i];
    }
    return SN_OK;
}

sn_status sn_eval_scalar(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         double **ret_column) {
    node = sn_node_strip_parens(node);
    switch ((int)node->kind) {
    case SN_NODE_NUMBER:
        return constant(eval, frame, node->number.value, ret_column);
    case SN_NODE_UNARY:
        return unary_scalar(eval, node, frame, ret_column);
    case SN_NODE_BINARY:
        return sn_binary_scalar(eval, node, frame, ret_column);
    case SN_NODE_CALL:
        return sn_call_scalar(eval, node, frame, ret_column);
    default:
        return fail_type(eval, node);
    }
}

/* ---- vectors ---- */

struct collect {
    struct sn_eval *eval;
    struct sn_frame *frame;
    struct sn_vector vector;
};

static sn_status collect_row(void *ctx, struct sn_row *row) {
    struct collect *collect = ctx;
    return sn_vector_take(collect->eval, collect->frame, &collect->vector, row);
}

/* What comes row by row. */
static bool is_streamed(const struct sn_node *node) {
    return node->kind == SN_NODE_VECTOR || sn_call_is_range(node);
}

static sn_status stream(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                        struct sn_row_sink sink) {
    return node->kind == SN_NODE_VECTOR ? sn_select_stream(eval, node, frame, sink)
                                        : sn_call_range(eval, node, frame, sink);
}

static sn_status negate_histograms(struct sn_eval *eval, const struct sn_frame *frame,
                                   struct sn_row *row) {
    for (size_t k = 0; row->histogram != NULL && k < frame->step_count; k++) {
        if (row->histogram[k] != NULL) {
            SN_TRY(sn_eval_scale_histogram(eval, row->histogram[k], -1, false, &row->histogram[k]));
        }
    }
    return SN_OK;
}

static sn_status unary_vector(struct sn_eval *eval, const struct sn_node *node,
                              struct sn_frame *frame, struct sn_vector *ret_vector) {
    SN_TRY(sn_eval_vector(eval, node->unary.child, frame, ret_vector));
    if (!node->unary.is_minus) {
        return SN_OK;
    }
    for (size_t i = 0; i < ret_vector->count; i++) {
        double *column = ret_vector->rows[i].value;
        for (size_t k = 0; k < frame->step_count; k++) {
            column[k] = sn_is_absent(column[k]) ? column[k] : -column[k];
        }
        SN_TRY(negate_histograms(eval, frame, &ret_vector->rows[i]));
    }
    SN_TRY(sn_vector_drop_names(eval, ret_vector));
    return sn_vector_finish(eval, frame, ret_vector);
}

sn_status sn_eval_vector(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_vector *ret_vector) {
    struct collect collect = {.eval = eval, .frame = frame};
    node = sn_node_strip_parens(node);
    *ret_vector = (struct sn_vector){.count = 0};
    SN_TRY(sn_eval_check(eval));
    if (is_streamed(node)) {
        SN_TRY(stream(eval, node, frame, (struct sn_row_sink){collect_row, &collect}));
        *ret_vector = collect.vector;
        return SN_OK;
    }
    switch ((int)node->kind) {
    case SN_NODE_UNARY:
        return unary_vector(eval, node, frame, ret_vector);
    case SN_NODE_BINARY:
        return sn_binary_vector(eval, node, frame, ret_vector);
    case SN_NODE_AGGREGATE:
        return sn_aggregate(eval, node, frame, ret_vector);
    case SN_NODE_CALL:
        return sn_call_vector(eval, node, frame, ret_vector);
    default:
        return fail_type(eval, node);
    }
}

sn_status sn_eval_stream(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_row_sink sink) {
    struct sn_vector vector;
    node = sn_node_strip_parens(node);
    if (is_streamed(node)) {
        return stream(eval, node, frame, sink);
    }
    SN_TRY(sn_eval_vector(eval, node, frame, &vector));
    for (size_t i = 0; i < vector.count; i++) {
        SN_TRY(sink.take(sink.ctx, &vector.rows[i]));
    }
    sn_vector_drop(frame, &vector);
    return SN_OK;
}
