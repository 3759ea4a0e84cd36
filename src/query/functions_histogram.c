/*
 * Functions of histograms. Classic histograms are series with a label "le", one per bucket; they
 * are grouped by all other labels. Native ones stand for themselves. Where both would give the same
 * series at a step, neither is asked. Numbers that are no buckets have no answer.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "codec/number.h"

#define LABEL_BUCKET SN_STR("le")

struct histogram_row {
    size_t first; /* index into links */
    size_t count; /* buckets */
    struct sn_labels labels;
    struct sn_str metric_name;
    bool is_informed; /* about counts that fall */
    const struct sn_row
        *native; /* the native histogram with the same labels; NULL: there is none */
};

/* A bucket series of a histogram; those of one histogram are chained. */
struct link {
    double upper_bound;
    const double *column;
    size_t next;
};

struct histograms {
    struct sn_eval *eval;
    struct sn_frame *frame;
    const struct sn_node *arg; /* notes point at it */
    struct sn_label_table table;
    struct histogram_row *rows; /* [table.count] */
    size_t row_capacity;
    struct link *links;
    size_t link_count;
    struct sn_bucket *buckets; /* [link_count] scratch */
};

static bool is_bucket(struct sn_str le, double *ret_bound) {
    return le.len > 0 && sn_double_parse(le, ret_bound) == SN_OK;
}

static sn_status histogram_with(struct histograms *all, struct sn_labels labels,
                                struct histogram_row **ret_histogram) {
    struct sn_eval *eval = all->eval;
    size_t number;
    bool is_new;
    void *rows = all->rows;
    SN_TRY(sn_eval_grow(eval, &rows, all->table.count, &all->row_capacity, sizeof *all->rows));
    all->rows = rows;
    SN_TRY(sn_label_table_put(eval, &all->table, labels, false, &number, &is_new));
    struct histogram_row *histogram = &all->rows[number];
    if (is_new) {
        *histogram = (struct histogram_row){
            .first = SIZE_MAX, .metric_name = sn_labels_get(labels, SN_LABEL_METRIC_NAME)};
        SN_TRY(sn_labels_drop_name(eval, labels, &histogram->labels));
    }
    *ret_histogram = histogram;
    return SN_OK;
}

static sn_status histogram_of(struct histograms *all, const struct sn_row *row,
                              struct histogram_row **ret_histogram) {
    struct sn_label bucket = {LABEL_BUCKET, {NULL, 0}};
    struct sn_labels labels;
    SN_TRY(sn_labels_set(all->eval, row->labels, bucket, &labels));
    return histogram_with(all, labels, ret_histogram);
}

/* The entry of a native histogram: all its labels, "le" as well, tell it apart. */
static sn_status add_native(struct histograms *all, const struct sn_row *row) {
    struct histogram_row *histogram;
    if (row->histogram == NULL) {
        return SN_OK;
    }
    SN_TRY(histogram_with(all, row->labels, &histogram));
    histogram->native = row;
    return SN_OK;
}

static bool has_number(const struct histograms *all, const struct sn_row *row) {
    return row->histogram == NULL || sn_column_has_value(all->frame, row->value);
}

static sn_status group_buckets(struct histograms *all, const struct sn_vector *input) {
    void *links = NULL;
    void *buckets = NULL;
    SN_TRY(sn_eval_alloc(all->eval, input->count, sizeof *all->links, &links));
    SN_TRY(sn_eval_alloc(all->eval, input->count, sizeof *all->buckets, &buckets));
    all->links = links;
    all->buckets = buckets;
    for (size_t i = 0; i < input->count; i++) {
        const struct sn_row *row = &input->rows[i];
        struct sn_str le = sn_labels_get(row->labels, LABEL_BUCKET);
        struct histogram_row *histogram;
        double bound;
        SN_TRY(add_native(all, row));
        if (!has_number(all, row)) {
            continue;
        }
        if (!is_bucket(le, &bound)) {
            struct sn_str name = sn_labels_get(row->labels, SN_LABEL_METRIC_NAME);
            sn_eval_warn(all->eval, all->arg,
                         "bucket label \"le\" is missing or has a malformed value of %s for "
                         "metric name %s",
                         sn_eval_quoted(all->eval, le), sn_eval_quoted(all->eval, name));
            continue;
        }
        SN_TRY(histogram_of(all, row, &histogram));
        all->links[all->link_count] = (struct link){bound, row->value, histogram->first};
        histogram->first = all->link_count++;
        histogram->count++;
    }
    return SN_OK;
}

/* The buckets that a histogram has at one step. */
static size_t gather(struct histograms *all, const struct histogram_row *histogram, size_t step) {
    size_t count = 0;
    for (size_t at = histogram->first; at != SIZE_MAX; at = all->links[at].next) {
        const struct link *link = &all->links[at];
        if (!sn_is_absent(link->column[step])) {
            all->buckets[count++] = (struct sn_bucket){link->upper_bound, link->column[step]};
        }
    }
    return count;
}

/* A column of numbers made of buckets: a quantile or a fraction. */
struct histogram_question {
    bool is_fraction;
    const double *first; /* q, or the lower bound; per step */
    const double *second;
};

static double answer_native(struct histograms *all, const struct histogram_row *row,
                            const struct histogram_question *question, size_t step) {
    const struct sn_histogram *histogram = row->native->histogram[step];
    double value;
    if (question->is_fraction) {
        bool has_nan;
        value = sn_histogram_fraction(question->first[step], question->second[step], histogram,
                                      &has_nan);
        if (has_nan) {
            sn_eval_note(all->eval, all->arg, SN_NOTE_NAN_FRACTION, row->metric_name);
        }
        return value;
    }
    enum sn_nan_note nan_note;
    value = sn_histogram_quantile(question->first[step], histogram, &nan_note);
    if (nan_note != SN_NAN_NONE) {
        sn_eval_note(all->eval, all->arg,
                     nan_note == SN_NAN_RESULT ? SN_NOTE_NAN_RESULT : SN_NOTE_NAN_SKEW,
                     row->metric_name);
    }
    return value;
}

static double answer(struct histograms *all, struct histogram_row *histogram,
                     const struct histogram_question *question, size_t step) {
    size_t count = gather(all, histogram, step);
    bool was_fixed;
    if (histogram->native != NULL && sn_row_has_histogram(histogram->native, step)) {
        if (count == 0) {
            return answer_native(all, histogram, question, step);
        }
        sn_eval_note(all->eval, all->arg, SN_NOTE_MIXED_CLASSIC, histogram->metric_name);
        return SN_ABSENT;
    }
    if (count == 0) {
        return SN_ABSENT;
    }
    if (question->is_fraction) {
        return sn_bucket_fraction(question->first[step], question->second[step], all->buckets,
                                  count);
    }
    double value = sn_bucket_quantile(question->first[step], all->buckets, count, &was_fixed);
    if (was_fixed && !histogram->is_informed) {
        histogram->is_informed = true;
        sn_eval_inform(all->eval, all->arg,
                       "input to histogram_quantile needed to be fixed for monotonicity (see "
                       "https://prometheus.io/docs/prometheus/latest/querying/functions/"
                       "#histogram_quantile) for metric name %s",
                       sn_eval_quoted(all->eval, histogram->metric_name));
    }
    return value;
}

static sn_status answer_all(struct histograms *all, struct sn_frame *frame,
                            const struct histogram_question *question,
                            struct sn_vector *ret_vector) {
    for (size_t i = 0; i < all->table.count; i++) {
        double *column;
        SN_TRY(sn_eval_check(all->eval));
        SN_TRY(sn_column_new(all->eval, frame, &column));
        for (size_t k = 0; k < frame->step_count; k++) {
            column[k] = answer(all, &all->rows[i], question, k);
        }
        SN_TRY(sn_vector_add(all->eval, ret_vector, all->rows[i].labels, column));
    }
    return SN_OK;
}

static sn_status call_quantile(struct sn_eval *eval, const struct sn_node *node,
                               struct sn_frame *frame, struct sn_vector *ret_vector) {
    struct histograms all = {.eval = eval, .frame = frame, .arg = node->call.args[1]};
    struct sn_vector input = {.count = 0};
    double *q;
    SN_TRY(sn_eval_scalar(eval, node->call.args[0], frame, &q));
    SN_TRY(sn_eval_vector(eval, node->call.args[1], frame, &input));
    for (size_t k = 0; k < frame->step_count; k++) {
        sn_eval_warn_quantile(eval, node->call.args[0], q[k]);
    }
    SN_TRY(group_buckets(&all, &input));
    struct histogram_question question = {.first = q};
    SN_TRY(answer_all(&all, frame, &question, ret_vector));
    sn_vector_drop(frame, &input);
    sn_column_drop(frame, q);
    return sn_vector_finish(eval, frame, ret_vector);
}

static sn_status call_fraction(struct sn_eval *eval, const struct sn_node *node,
                               struct sn_frame *frame, struct sn_vector *ret_vector) {
    struct histograms all = {.eval = eval, .frame = frame, .arg = node->call.args[2]};
    struct sn_vector input = {.count = 0};
    double *bounds[2];
    SN_TRY(sn_eval_scalar(eval, node->call.args[0], frame, &bounds[0]));
    SN_TRY(sn_eval_scalar(eval, node->call.args[1], frame, &bounds[1]));
    SN_TRY(sn_eval_vector(eval, node->call.args[2], frame, &input));
    SN_TRY(group_buckets(&all, &input));
    struct histogram_question question = {true, bounds[0], bounds[1]};
    SN_TRY(answer_all(&all, frame, &question, ret_vector));
    sn_vector_drop(frame, &input);
    sn_column_drop(frame, bounds[0]);
    sn_column_drop(frame, bounds[1]);
    return sn_vector_finish(eval, frame, ret_vector);
}

/* Leave in the rows from `first` on only the steps at which q has the value of `step`. */
static void keep_steps_of(struct sn_vector *vector, size_t first, const struct sn_frame *frame,
                          const double *q, size_t step) {
    for (size_t i = first; i < vector->count; i++) {
        for (size_t k = 0; k < frame->step_count; k++) {
            if (sn_double_bits(q[k]) != sn_double_bits(q[step])) {
                vector->rows[i].value[k] = SN_ABSENT;
            }
        }
    }
}

static bool is_new_value(const double *q, size_t step) {
    for (size_t k = 0; k < step; k++) {
        if (sn_double_bits(q[k]) == sn_double_bits(q[step])) {
            return false;
        }
    }
    return true;
}

/* Rows of one quantile argument; its value, which may change from step to step, is a label. */
static sn_status add_quantiles(struct histograms *all, struct sn_frame *frame, const double *q,
                               struct sn_str name, struct sn_vector *ret_vector) {
    struct histogram_question question = {.first = q};
    for (size_t k = 0; k < frame->step_count; k++) {
        size_t first = ret_vector->count;
        if (!is_new_value(q, k)) {
            continue;
        }
        SN_TRY(answer_all(all, frame, &question, ret_vector));
        keep_steps_of(ret_vector, first, frame, q, k);
        struct sn_label label = {name, sn_str_from(sn_eval_openmetrics_text(all->eval, q[k]))};
        for (size_t row = first; row < ret_vector->count; row++) {
            struct sn_labels *labels = &ret_vector->rows[row].labels;
            SN_TRY(sn_labels_set(all->eval, *labels, label, labels));
        }
    }
    return SN_OK;
}

/* histogram_quantiles(v, "label", q1, q2, ...): one row per quantile, told apart by the label. */
static sn_status call_quantiles(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) {
    struct histograms all = {.eval = eval, .frame = frame, .arg = node->call.args[0]};
    struct sn_str name = sn_node_strip_parens(node->call.args[1])->string;
    struct sn_vector input = {.count = 0};
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, &input));
    SN_TRY(group_buckets(&all, &input));
    for (size_t i = 2; i < node->call.count; i++) {
        double *q;
        SN_TRY(sn_eval_scalar(eval, node->call.args[i], frame, &q));
        for (size_t k = 0; k < frame->step_count; k++) {
            sn_eval_warn_quantile(eval, node->call.args[i], q[k]);
        }
        SN_TRY(add_quantiles(&all, frame, q, name, ret_vector));
        sn_column_drop(frame, q);
    }
    sn_vector_drop(frame, &input);
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- one number of each native histogram ---- */

static double number_of(enum sn_function_id id, const struct sn_histogram *histogram) {
    switch ((int)id) {
    case SN_FN_HISTOGRAM_COUNT:
        return histogram->count;
    case SN_FN_HISTOGRAM_SUM:
        return histogram->sum;
    case SN_FN_HISTOGRAM_AVG:
        return histogram->sum / histogram->count;
    case SN_FN_HISTOGRAM_STDVAR:
        return sn_histogram_variance(histogram);
    default: /* histogram_stddev */
        return sqrt(sn_histogram_variance(histogram));
    }
}

/* Below those that need no buckets Prometheus finds out whether counters were reset. */
static bool wants_resets(enum sn_function_id id) {
    return id == SN_FN_HISTOGRAM_COUNT || id == SN_FN_HISTOGRAM_SUM || id == SN_FN_HISTOGRAM_AVG;
}

static sn_status call_number(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, struct sn_vector *ret_vector) {
    enum sn_function_id id = node->call.function->id;
    eval->wants_resets = wants_resets(id);
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, ret_vector));
    for (size_t i = 0; i < ret_vector->count; i++) {
        struct sn_row *row = &ret_vector->rows[i];
        for (size_t k = 0; k < frame->step_count; k++) {
            row->value[k] =
                sn_row_has_histogram(row, k) ? number_of(id, row->histogram[k]) : SN_ABSENT;
        }
        sn_row_drop_histograms(frame, row);
    }
    SN_TRY(sn_vector_drop_names(eval, ret_vector));
    return sn_vector_finish(eval, frame, ret_vector);
}

static sn_status call_histogram(struct sn_eval *eval, const struct sn_node *node,
                                struct sn_frame *frame, struct sn_vector *ret_vector) {
    eval->wants_resets = false;
    switch ((int)node->call.function->id) {
    case SN_FN_HISTOGRAM_QUANTILE:
        return call_quantile(eval, node, frame, ret_vector);
    case SN_FN_HISTOGRAM_QUANTILES:
        return call_quantiles(eval, node, frame, ret_vector);
    case SN_FN_HISTOGRAM_FRACTION:
        return call_fraction(eval, node, frame, ret_vector);
    default:
        return call_number(eval, node, frame, ret_vector);
    }
}

sn_status sn_call_histogram(struct sn_eval *eval, const struct sn_node *node,
                            struct sn_frame *frame, struct sn_vector *ret_vector) {
    bool wanted_resets = eval->wants_resets;
    SN_TRY(call_histogram(eval, node, frame, ret_vector));
    eval->wants_resets = wanted_resets;
    return SN_OK;
}
