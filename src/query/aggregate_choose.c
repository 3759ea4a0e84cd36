/*
 * Aggregations that look at all rows of a group at once: topk, bottomk, limitk, limit_ratio,
 * quantile, count_values.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "query/gotext_priv.h"

/* Rows of the child in the order of their groups. */
struct grouped {
    struct sn_vector input;
    struct sn_grouping grouping;
    size_t *members; /* [input.count] row numbers, group after group, in their order */
    size_t *begin;   /* [grouping.table.count + 1] into members */
};

static sn_status fill_members(struct sn_eval *eval, struct grouped *grouped) {
    size_t group_count = grouped->grouping.table.count;
    void *members = NULL;
    SN_TRY(sn_eval_alloc(eval, grouped->input.count, sizeof *grouped->members, &members));
    size_t *begin = sn_arena_alloc_zero(eval->arena, group_count + 2, sizeof *begin);
    if (begin == NULL) {
        return sn_arena_failure(eval->arena, (group_count + 2) * sizeof *begin, eval->err);
    }
    grouped->members = members;
    /* begin[g + 2] counts group g, then begin[g + 1] is where its next member goes. */
    for (size_t i = 0; i < grouped->input.count; i++) {
        begin[grouped->input.rows[i].group + 2]++;
    }
    for (size_t g = 2; g < group_count + 2; g++) {
        begin[g] += begin[g - 1];
    }
    for (size_t i = 0; i < grouped->input.count; i++) {
        grouped->members[begin[grouped->input.rows[i].group + 1]++] = i;
    }
    grouped->begin = begin;
    return SN_OK;
}

static bool takes_histograms(enum sn_aggregate_op op) {
    return op == SN_AGGREGATE_LIMITK || op == SN_AGGREGATE_LIMIT_RATIO;
}

static sn_status group_rows(struct sn_eval *eval, const struct sn_node *node,
                            struct sn_frame *frame, struct grouped *ret_grouped) {
    const struct sn_aggregate_node *aggregate = &node->aggregate;
    struct grouped grouped = {
        .grouping = {.names = aggregate->labels, .is_without = aggregate->is_without}};
    SN_TRY(sn_eval_vector(eval, aggregate->child, frame, &grouped.input));
    if (!takes_histograms(aggregate->op)) {
        sn_eval_ignore_histograms(eval, node, frame, &grouped.input);
    }
    for (size_t i = 0; i < grouped.input.count; i++) {
        size_t group;
        bool is_new;
        SN_TRY(sn_grouping_put(eval, &grouped.grouping, grouped.input.rows[i].labels, &group,
                               &is_new));
        grouped.input.rows[i].group = (uint32_t)group;
    }
    SN_TRY(fill_members(eval, &grouped));
    *ret_grouped = grouped;
    return SN_OK;
}

/* Ask from time to time whether the query should go on. */
static sn_status check_work(struct sn_eval *eval, size_t *work, size_t more) {
    *work += more;
    if (*work < SN_EVAL_WORK_MAX) {
        return SN_OK;
    }
    *work = 0;
    return sn_eval_check(eval);
}

/* ---- quantile ---- */

static sn_status quantile_of_group(struct sn_eval *eval, struct sn_frame *frame,
                                   const struct grouped *grouped, size_t group, const double *q,
                                   double *scratch, double *column) {
    size_t work = SN_EVAL_WORK_MAX;
    for (size_t k = 0; k < frame->step_count; k++) {
        size_t count = 0;
        SN_TRY(check_work(eval, &work, grouped->begin[group + 1] - grouped->begin[group]));
        for (size_t i = grouped->begin[group]; i < grouped->begin[group + 1]; i++) {
            double value = grouped->input.rows[grouped->members[i]].value[k];
            if (!sn_is_absent(value)) {
                scratch[count++] = value;
            }
        }
        column[k] = count == 0 ? SN_ABSENT : sn_quantile(q[k], scratch, count);
    }
    return SN_OK;
}

sn_status sn_aggregate_quantile(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) {
    struct grouped grouped;
    double *q;
    void *scratch = NULL;
    *ret_vector = (struct sn_vector){.count = 0};
    SN_TRY(sn_eval_scalar(eval, node->aggregate.param, frame, &q));
    for (size_t k = 0; k < frame->step_count; k++) {
        sn_eval_warn_quantile(eval, node->aggregate.param, q[k]);
    }
    SN_TRY(group_rows(eval, node, frame, &grouped));
    SN_TRY(sn_eval_alloc(eval, grouped.input.count, sizeof(double), &scratch));
    for (size_t g = 0; g < grouped.grouping.table.count; g++) {
        double *column;
        SN_TRY(sn_column_new(eval, frame, &column));
        SN_TRY(quantile_of_group(eval, frame, &grouped, g, q, scratch, column));
        SN_TRY(sn_vector_add(eval, ret_vector, grouped.grouping.table.keys[g], column));
    }
    sn_vector_drop(frame, &grouped.input);
    sn_column_drop(frame, q);
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- count_values ---- */

struct value_counts {
    struct sn_eval *eval;
    struct sn_frame *frame;
    struct sn_str label;
    struct sn_grouping grouping;
    struct sn_label_table table; /* keys: labels of the results */
    struct sn_vector result;     /* rows: one per key */
};

/* Text of a number, or of a histogram when there is one. */
static sn_status value_text(struct sn_eval *eval, double value,
                            const struct sn_histogram *histogram, struct sn_str *ret_text) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    if (histogram != NULL) {
        sn_histogram_text(histogram, &buf);
    } else {
        sn_gotext_float(&buf, value);
    }
    sn_status status = sn_buf_status(&buf, eval->err);
    if (status == SN_OK && !sn_arena_copy(eval->arena, sn_buf_str(&buf), ret_text)) {
        status = sn_arena_failure(eval->arena, buf.len, eval->err);
    }
    sn_buf_release(&buf);
    return status;
}

static sn_status find_counts(struct value_counts *all, struct sn_labels group, struct sn_str text,
                             double **ret_column) {
    struct sn_label label = {all->label, text};
    struct sn_labels labels;
    size_t number;
    bool is_new;
    SN_TRY(sn_labels_set(all->eval, group, label, &labels));
    SN_TRY(sn_label_table_put(all->eval, &all->table, labels, false, &number, &is_new));
    if (is_new) {
        double *column;
        SN_TRY(sn_column_new(all->eval, all->frame, &column));
        sn_column_fill(all->frame, column, SN_ABSENT);
        SN_TRY(sn_vector_add(all->eval, &all->result, labels, column));
    }
    *ret_column = all->result.rows[number].value;
    return SN_OK;
}

static sn_status count_row(void *ctx, struct sn_row *row) {
    struct value_counts *all = ctx;
    double *column = NULL;
    double before = 0;
    const struct sn_histogram *before_histogram = NULL;
    size_t group;
    bool is_new;
    SN_TRY(sn_grouping_put(all->eval, &all->grouping, row->labels, &group, &is_new));
    for (size_t k = 0; k < all->frame->step_count; k++) {
        double value = row->value[k];
        const struct sn_histogram *histogram =
            sn_row_has_histogram(row, k) ? row->histogram[k] : NULL;
        if (sn_row_is_absent(row, k)) {
            continue;
        }
        /* Values repeat from step to step. */
        if (column == NULL || histogram != before_histogram ||
            sn_double_bits(value) != sn_double_bits(before)) {
            struct sn_str text;
            SN_TRY(value_text(all->eval, value, histogram, &text));
            SN_TRY(find_counts(all, all->grouping.table.keys[group], text, &column));
            before = value;
            before_histogram = histogram;
        }
        column[k] = sn_is_absent(column[k]) ? 1 : column[k] + 1;
    }
    return SN_OK;
}

sn_status sn_aggregate_count_values(struct sn_eval *eval, const struct sn_node *node,
                                    struct sn_frame *frame, struct sn_vector *ret_vector) {
    const struct sn_aggregate_node *aggregate = &node->aggregate;
    struct value_counts all = {
        .eval = eval,
        .frame = frame,
        .label = sn_node_strip_parens(aggregate->param)->string,
        .grouping = {.names = aggregate->labels, .is_without = aggregate->is_without}};
    if (all.label.len == 0 || !sn_str_is_utf8(all.label)) {
        return sn_eval_fail(eval, "invalid label name %s", sn_eval_quoted(eval, all.label));
    }
    SN_TRY(sn_eval_stream(eval, aggregate->child, frame, (struct sn_row_sink){count_row, &all}));
    *ret_vector = all.result;
    return SN_OK;
}

/* ---- topk, bottomk, limitk, limit_ratio ---- */

/* One member of a group at one step. */
struct candidate {
    double value;
    size_t row;
};

struct choice {
    struct sn_eval *eval;
    struct sn_frame *frame;
    enum sn_aggregate_op op;
    double *param;         /* [step_count] */
    struct sn_row *output; /* [input rows]: what survives; its columns are NULL until then */
    struct candidate *candidates;
    struct grouped grouped;
};

/* Whether a beats b. NaN loses both ways; of equal values the earlier row stays. */
static bool is_better(enum sn_aggregate_op op, const struct candidate *a,
                      const struct candidate *b) {
    if (isnan(a->value) || isnan(b->value)) {
        return isnan(a->value) == isnan(b->value) ? a->row < b->row : isnan(b->value);
    }
    if (a->value == b->value) {
        return a->row < b->row;
    }
    return op == SN_AGGREGATE_TOPK ? a->value > b->value : a->value < b->value;
}

/* Restore the heap below `at`; its root is the worst candidate. */
static void sift_down(const struct choice *choice, struct candidate *heap, size_t count,
                      size_t at) {
    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++) {
            if (is_better(choice->op, &heap[worst], &heap[child])) {
                worst = child;
            }
        }
        if (worst == at) {
            return;
        }
        struct candidate moved = heap[at];
        heap[at] = heap[worst];
        heap[worst] = moved;
        at = worst;
    }
}

/* Leave the k best of the candidates in front, in the order of a heap. */
static void keep_best(const struct choice *choice, size_t count, size_t k) {
    struct candidate *heap = choice->candidates;
    for (size_t i = k / 2; i-- > 0;) {
        sift_down(choice, heap, k, i);
    }
    for (size_t i = k; i < count; i++) {
        if (is_better(choice->op, &heap[i], &heap[0])) {
            heap[0] = heap[i];
            sift_down(choice, heap, k, 0);
        }
    }
}

static sn_status emit(struct choice *choice, size_t row, size_t step) {
    struct sn_row *output = &choice->output[row];
    const struct sn_row *input = &choice->grouped.input.rows[row];
    if (output->value == NULL) {
        SN_TRY(sn_column_new(choice->eval, choice->frame, &output->value));
        sn_column_fill(choice->frame, output->value, SN_ABSENT);
    }
    if (input->histogram != NULL && output->histogram == NULL) {
        SN_TRY(sn_histogram_column_new(choice->eval, choice->frame, &output->histogram));
    }
    output->value[step] = input->value[step];
    if (input->histogram != NULL) {
        output->histogram[step] = input->histogram[step];
    }
    return SN_OK;
}

/* Deterministic sample of the series by their labels: in [0, 1). */
static double sample_offset(struct sn_labels labels) {
    return ldexp((double)(sn_labels_hash(labels, 0) >> 11), -53);
}

static bool is_in_ratio(double ratio, struct sn_labels labels) {
    double offset = sample_offset(labels);
    return ratio >= 0 ? offset < ratio : offset >= 1 + ratio;
}

static size_t collect_candidates(struct choice *choice, size_t group, size_t step) {
    const struct grouped *grouped = &choice->grouped;
    size_t count = 0;
    for (size_t i = grouped->begin[group]; i < grouped->begin[group + 1]; i++) {
        size_t row = grouped->members[i];
        double value = grouped->input.rows[row].value[step];
        if (sn_row_is_absent(&grouped->input.rows[row], step) ||
            (choice->op == SN_AGGREGATE_LIMIT_RATIO &&
             !is_in_ratio(choice->param[step], grouped->input.rows[row].labels))) {
            continue;
        }
        choice->candidates[count++] = (struct candidate){value, row};
    }
    return count;
}

static sn_status choose_at(struct choice *choice, size_t group, size_t step) {
    size_t count = collect_candidates(choice, group, step);
    if (choice->op != SN_AGGREGATE_LIMIT_RATIO) {
        double k = choice->param[step];
        size_t kept = k < 1 ? 0 : k < (double)count ? (size_t)k : count;
        if (kept > 0 && kept < count && choice->op != SN_AGGREGATE_LIMITK) {
            keep_best(choice, count, kept);
        }
        count = kept;
    }
    for (size_t i = 0; i < count; i++) {
        SN_TRY(emit(choice, choice->candidates[i].row, step));
    }
    return SN_OK;
}

/* ---- parameters ---- */

struct extremes {
    double min;
    double max;
    bool has_nan;
};

static struct extremes find_extremes(const struct sn_frame *frame, const double *column) {
    struct extremes extremes = {SN_INFINITY, -SN_INFINITY, false};
    for (size_t i = 0; i < frame->step_count; i++) {
        extremes.has_nan = extremes.has_nan || isnan(column[i]);
        extremes.min = column[i] < extremes.min ? column[i] : extremes.min;
        extremes.max = column[i] > extremes.max ? column[i] : extremes.max;
    }
    return extremes;
}

static sn_status check_ratio(struct choice *choice, const struct sn_node *where) {
    struct extremes extremes = find_extremes(choice->frame, choice->param);
    struct sn_eval *eval = choice->eval;
    if (extremes.has_nan) {
        return sn_eval_fail(eval, "Ratio value is NaN");
    }
    if (extremes.max > 1) {
        sn_eval_warn(eval, where, "ratio value should be between -1 and 1, got %s, capping to 1",
                     sn_eval_number_text(eval, extremes.max));
    }
    if (extremes.min < -1) {
        sn_eval_warn(eval, where, "ratio value should be between -1 and 1, got %s, capping to -1",
                     sn_eval_number_text(eval, extremes.min));
    }
    for (size_t i = 0; i < choice->frame->step_count; i++) {
        double ratio = choice->param[i];
        choice->param[i] = ratio > 1 ? 1 : ratio < -1 ? -1 : ratio;
    }
    return SN_OK;
}

static sn_status check_count(struct choice *choice) {
    struct extremes extremes = find_extremes(choice->frame, choice->param);
    struct sn_eval *eval = choice->eval;
    if (extremes.has_nan) {
        return sn_eval_fail(eval, "Parameter value is NaN");
    }
    if (extremes.min <= -0x1p63) {
        return sn_eval_fail(eval, "Scalar value %s underflows int64",
                            sn_eval_number_text(eval, extremes.min));
    }
    if (extremes.max >= 0x1p63) {
        return sn_eval_fail(eval, "Scalar value %s overflows int64",
                            sn_eval_number_text(eval, extremes.max));
    }
    return SN_OK;
}

/* ---- order of the results ---- */

static int compare_chosen(const void *ctx, const struct sn_row *a, const struct sn_row *b) {
    const struct choice *choice = ctx;
    if (a->group != b->group) {
        return a->group < b->group ? -1 : 1;
    }
    struct candidate left = {a->value[0], 0};
    struct candidate right = {b->value[0], 0};
    return is_better(choice->op, &right, &left) ? 1 : is_better(choice->op, &left, &right) ? -1 : 0;
}

static bool has_rank(enum sn_aggregate_op op) {
    return op == SN_AGGREGATE_TOPK || op == SN_AGGREGATE_BOTTOMK;
}

static sn_status collect_output(struct choice *choice, struct sn_vector *ret_vector) {
    for (size_t i = 0; i < choice->grouped.input.count; i++) {
        const struct sn_row *row = &choice->grouped.input.rows[i];
        if (choice->output[i].value != NULL) {
            choice->output[i].labels = row->labels;
            SN_TRY(sn_vector_take(choice->eval, choice->frame, ret_vector, &choice->output[i]));
            ret_vector->rows[ret_vector->count - 1].group = row->group;
        }
    }
    sn_vector_drop(choice->frame, &choice->grouped.input);
    sn_column_drop(choice->frame, choice->param);
    if (has_rank(choice->op) && choice->frame->step_count == 1) {
        return sn_vector_sort(choice->eval, ret_vector, compare_chosen, choice);
    }
    return SN_OK;
}

sn_status sn_aggregate_choose(struct sn_eval *eval, const struct sn_node *node,
                              struct sn_frame *frame, struct sn_vector *ret_vector) {
    struct choice choice = {.eval = eval, .frame = frame, .op = node->aggregate.op};
    void *candidates = NULL;
    *ret_vector = (struct sn_vector){.count = 0};
    SN_TRY(sn_eval_scalar(eval, node->aggregate.param, frame, &choice.param));
    SN_TRY(choice.op == SN_AGGREGATE_LIMIT_RATIO ? check_ratio(&choice, node->aggregate.param)
                                                 : check_count(&choice));
    SN_TRY(group_rows(eval, node, frame, &choice.grouped));
    size_t row_count = choice.grouped.input.count;
    SN_TRY(sn_eval_alloc(eval, row_count, sizeof *choice.candidates, &candidates));
    choice.candidates = candidates;
    choice.output = sn_arena_alloc_zero(eval->arena, row_count, sizeof *choice.output);
    if (choice.output == NULL) {
        return sn_arena_failure(eval->arena, row_count * sizeof *choice.output, eval->err);
    }
    size_t work = 0;
    for (size_t g = 0; g < choice.grouped.grouping.table.count; g++) {
        size_t members = choice.grouped.begin[g + 1] - choice.grouped.begin[g];
        for (size_t k = 0; k < frame->step_count; k++) {
            SN_TRY(check_work(eval, &work, members));
            SN_TRY(choose_at(&choice, g, k));
        }
    }
    return collect_output(&choice, ret_vector);
}
