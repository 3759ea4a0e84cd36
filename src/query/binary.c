/*
 * Binary operators on numbers, and between a vector and a scalar.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "query/printer.h"

/* One loop per operator, so that none is looked up per value. */
#define OPERATOR_LOOP(expression)                                                                  \
    for (size_t i = 0; i < operands->count; i++) {                                                 \
        double a = operands->left[i];                                                              \
        double b = operands->right[i];                                                             \
        out[i] = sn_is_absent(a) || sn_is_absent(b) ? SN_ABSENT : (expression);                    \
    }                                                                                              \
    break

static void compute_comparison(enum sn_binary_op op, const struct sn_operands *operands,
                               double *out) {
    switch ((int)op) {
    case SN_BINARY_EQUAL:
        OPERATOR_LOOP(a == b);
    case SN_BINARY_NOT_EQUAL:
        OPERATOR_LOOP(a != b);
    case SN_BINARY_GREATER:
        OPERATOR_LOOP(a > b);
    case SN_BINARY_LESS:
        OPERATOR_LOOP(a < b);
    case SN_BINARY_GREATER_EQUAL:
        OPERATOR_LOOP(a >= b);
    default:
        OPERATOR_LOOP(a <= b);
    }
}

void sn_binary_compute(enum sn_binary_op op, const struct sn_operands *operands, double *out) {
    switch ((int)op) {
    case SN_BINARY_ADD:
        OPERATOR_LOOP(a + b);
    case SN_BINARY_SUB:
        OPERATOR_LOOP(a - b);
    case SN_BINARY_MUL:
        OPERATOR_LOOP(a * b);
    case SN_BINARY_DIV:
        OPERATOR_LOOP(a / b);
    case SN_BINARY_MOD:
        OPERATOR_LOOP(fmod(a, b));
    case SN_BINARY_POW:
        OPERATOR_LOOP(pow(a, b));
    case SN_BINARY_ATAN2:
        OPERATOR_LOOP(atan2(a, b));
    case SN_BINARY_TRIM_UPPER: /* numbers have nothing to trim */
    case SN_BINARY_TRIM_LOWER:
        OPERATOR_LOOP(SN_ABSENT);
    default:
        compute_comparison(op, operands, out);
        break;
    }
}

sn_status sn_binary_scalar(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                           double **ret_column) {
    double *left;
    double *right;
    SN_TRY(sn_eval_scalar(eval, node->binary.left, frame, &left));
    SN_TRY(sn_eval_scalar(eval, node->binary.right, frame, &right));
    struct sn_operands operands = {left, right, frame->step_count};
    sn_binary_compute(node->binary.op, &operands, left);
    sn_column_drop(frame, right);
    *ret_column = left;
    return SN_OK;
}

/* Trimming tells that it did nothing to a number. */
static void inform_about_trim(struct sn_eval *eval, const struct sn_node *node) {
    if (sn_binary_is_trim(node->binary.op)) {
        sn_eval_inform(eval, node,
                       "incompatible sample types encountered for binary operator "
                       "\"%s\": float %s float",
                       sn_binary_op_name(node->binary.op), sn_binary_op_name(node->binary.op));
    }
}

struct vector_scalar {
    struct sn_vector vector;
    const double *scalar;
    bool is_swapped; /* scalar op vector */
};

static void compute_row(const struct sn_binary_node *binary, const struct sn_frame *frame,
                        const struct vector_scalar *input, double *column, double *scratch) {
    struct sn_operands operands = {column, input->scalar, frame->step_count};
    if (input->is_swapped) {
        operands.left = input->scalar;
        operands.right = column;
    }
    if (!sn_binary_is_comparison(binary->op) || binary->returns_bool) {
        sn_binary_compute(binary->op, &operands, column);
        return;
    }
    /* A filter keeps the vector's value, on whichever side it stands. */
    sn_binary_compute(binary->op, &operands, scratch);
    for (size_t i = 0; i < frame->step_count; i++) {
        column[i] = scratch[i] == 1 ? column[i] : SN_ABSENT;
    }
}

static sn_status compute_histograms(struct sn_eval *eval, const struct sn_node *node,
                                    const struct sn_frame *frame, const struct vector_scalar *input,
                                    struct sn_row *row) {
    for (size_t k = 0; row->histogram != NULL && k < frame->step_count; k++) {
        struct sn_binary_pair pair = {.left_histogram = row->histogram[k],
                                      .right = input->scalar[k]};
        if (row->histogram[k] == NULL) {
            continue;
        }
        if (input->is_swapped) {
            pair = (struct sn_binary_pair){.left = input->scalar[k],
                                           .right_histogram = row->histogram[k]};
        }
        SN_TRY(sn_binary_histogram(eval, node, &pair, &row->value[k], &row->histogram[k]));
    }
    return SN_OK;
}

static sn_status binary_vector(struct sn_eval *eval, const struct sn_node *node,
                               struct sn_frame *frame, struct sn_vector *ret_vector) {
    const struct sn_binary_node *binary = &node->binary;
    struct vector_scalar input = {.is_swapped = binary->left->type == SN_VALUE_SCALAR};
    double *scalar;
    double *scratch;
    if (binary->left->type == SN_VALUE_VECTOR && binary->right->type == SN_VALUE_VECTOR) {
        return sn_binary_is_set(binary->op) ? sn_binary_set(eval, node, frame, ret_vector)
                                            : sn_binary_match(eval, node, frame, ret_vector);
    }
    const struct sn_node *vector_side = input.is_swapped ? binary->right : binary->left;
    const struct sn_node *scalar_side = input.is_swapped ? binary->left : binary->right;
    SN_TRY(sn_eval_vector(eval, vector_side, frame, &input.vector));
    SN_TRY(sn_eval_scalar(eval, scalar_side, frame, &scalar));
    SN_TRY(sn_column_new(eval, frame, &scratch));
    input.scalar = scalar;
    for (size_t i = 0; i < input.vector.count; i++) {
        struct sn_row *row = &input.vector.rows[i];
        SN_TRY(sn_eval_check(eval));
        if (sn_column_has_value(frame, row->value)) {
            inform_about_trim(eval, node);
        }
        compute_row(binary, frame, &input, row->value, scratch);
        SN_TRY(compute_histograms(eval, node, frame, &input, row));
    }
    sn_column_drop(frame, scalar);
    sn_column_drop(frame, scratch);
    if (sn_binary_changes_name(binary)) {
        SN_TRY(sn_vector_drop_names(eval, &input.vector));
    }
    *ret_vector = input.vector;
    return sn_vector_finish(eval, frame, ret_vector);
}

sn_status sn_binary_vector(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                           struct sn_vector *ret_vector) {
    bool wanted_resets = eval->wants_resets;
    eval->wants_resets = false; /* of both sides: they are wanted below one function only */
    SN_TRY(binary_vector(eval, node, frame, ret_vector));
    eval->wants_resets = wanted_resets;
    return SN_OK;
}
