/*
 * Binary operators on native histograms.
 *
 * Histograms can be added, subtracted, compared for equality, scaled by a number and trimmed by one.
 * Everything else has no result, which an info tells. Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "query/printer.h"

static void tell_incompatible(struct sn_eval *eval, const struct sn_node *node,
                              const struct sn_binary_pair *pair) {
    struct sn_type_note types = {.op = sn_binary_op_name(node->binary.op),
                                 .left_is_histogram = pair->left_histogram != NULL,
                                 .right_is_histogram = pair->right_histogram != NULL};
    sn_eval_note_types(eval, node, &types);
}

static sn_status add(struct sn_eval *eval, const struct sn_node *node,
                     const struct sn_binary_pair *pair, double sign,
                     const struct sn_histogram **ret_histogram) {
    struct sn_histogram_sum *sum = &eval->sums[0];
    unsigned events = 0;
    SN_TRY(sn_eval_histogram_status(eval,
                                    sn_histogram_sum_set(sum, pair->left_histogram, eval->arena)));
    SN_TRY(
        sn_eval_histogram_status(eval, sn_histogram_sum_add(sum, pair->right_histogram, sign,
                                                            &eval->sums[1], eval->arena, &events)));
    if ((events & SN_HISTOGRAM_INCOMPATIBLE) != 0) {
        sn_eval_note(eval, node, SN_NOTE_LAYOUT, sn_str_from(sn_binary_op_name(node->binary.op)));
        return SN_OK;
    }
    sn_eval_note_events(eval, node, (struct sn_str){.len = 0}, events,
                        sign > 0 ? "addition" : "subtraction");
    if (sign < 0) {
        sum->reset_hint = SN_RESET_GAUGE;
    }
    return sn_eval_histogram_status(eval,
                                    sn_histogram_sum_finish(sum, true, eval->arena, ret_histogram));
}

/* == and !=: the left histogram where they hold, or 1 and 0. */
static void compare(const struct sn_node *node, const struct sn_binary_pair *pair,
                    double *ret_value, const struct sn_histogram **ret_histogram) {
    bool is_equal = sn_histogram_matches(pair->left_histogram, pair->right_histogram);
    bool holds = is_equal == (node->binary.op == SN_BINARY_EQUAL);
    if (node->binary.returns_bool) {
        *ret_value = holds;
    } else {
        *ret_histogram = holds ? pair->left_histogram : NULL;
    }
}

static sn_status two_histograms(struct sn_eval *eval, const struct sn_node *node,
                                const struct sn_binary_pair *pair, double *ret_value,
                                const struct sn_histogram **ret_histogram) {
    switch ((int)node->binary.op) {
    case SN_BINARY_ADD:
        return add(eval, node, pair, 1, ret_histogram);
    case SN_BINARY_SUB:
        return add(eval, node, pair, -1, ret_histogram);
    case SN_BINARY_EQUAL:
    case SN_BINARY_NOT_EQUAL:
        compare(node, pair, ret_value, ret_histogram);
        return SN_OK;
    default:
        tell_incompatible(eval, node, pair);
        return SN_OK;
    }
}

static sn_status histogram_and_number(struct sn_eval *eval, const struct sn_node *node,
                                      const struct sn_binary_pair *pair,
                                      const struct sn_histogram **ret_histogram) {
    enum sn_binary_op op = node->binary.op;
    bool is_left = pair->left_histogram != NULL;
    if (op == SN_BINARY_MUL) {
        return is_left ? sn_eval_scale_histogram(eval, pair->left_histogram, pair->right, false,
                                                 ret_histogram)
                       : sn_eval_scale_histogram(eval, pair->right_histogram, pair->left, false,
                                                 ret_histogram);
    }
    if (op == SN_BINARY_DIV && is_left) {
        return sn_eval_scale_histogram(eval, pair->left_histogram, pair->right, true,
                                       ret_histogram);
    }
    if (sn_binary_is_trim(op) && is_left) {
        return sn_eval_histogram_status(
            eval, sn_histogram_trim(pair->left_histogram, pair->right, op == SN_BINARY_TRIM_UPPER,
                                    &eval->sums[0], eval->arena, ret_histogram));
    }
    tell_incompatible(eval, node, pair);
    return SN_OK;
}

sn_status sn_binary_histogram(struct sn_eval *eval, const struct sn_node *node,
                              const struct sn_binary_pair *pair, double *ret_value,
                              const struct sn_histogram **ret_histogram) {
    double value = SN_ABSENT;
    const struct sn_histogram *histogram = NULL;
    bool has_two = pair->left_histogram != NULL && pair->right_histogram != NULL;
    SN_TRY(has_two ? two_histograms(eval, node, pair, &value, &histogram)
                   : histogram_and_number(eval, node, pair, &histogram));
    *ret_value = value;
    *ret_histogram = histogram;
    return SN_OK;
}
