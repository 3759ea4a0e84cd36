/*
 * Aggregations that add up: sum, avg, count, min, max, group, stddev, stdvar. Rows of the child
 * come one by one and are gone afterwards: memory is that of the groups.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

sn_status sn_grouping_put(struct sn_eval *eval, struct sn_grouping *grouping,
                          struct sn_labels labels, size_t *ret_group, bool *ret_is_new) {
    void *items = grouping->items;
    while (grouping->item_capacity < labels.count) {
        SN_TRY(sn_eval_grow(eval, &items, grouping->item_capacity, &grouping->item_capacity,
                            sizeof *grouping->items));
        grouping->items = items;
    }
    struct sn_labels key = {.count = 0};
    if (grouping->is_without || grouping->names.count > 0) {
        key = sn_labels_filter(labels, grouping->names, !grouping->is_without, grouping->items);
    }
    return sn_label_table_put(eval, &grouping->table, key, true, ret_group, ret_is_new);
}

/* Histograms of one step of a group. */
struct cell {
    struct sn_histogram_sum sum;
    struct sn_histogram_mean mean; /* its count is that of the histograms, of sums as well */
    bool has_reset;                /* some histogram says that it was reset, or that it was not */
    bool has_no_reset;
    bool is_incompatible; /* exponential and custom buckets: there is no result */
};

/* Columns of one group; what they hold depends on the operation. */
struct group {
    struct cell *cells;   /* [step_count] of sums and means; NULL: no histogram yet */
    double *value;        /* SN_ABSENT: no value yet */
    double *compensation; /* of sums and means; NULL when not needed */
    double *count;        /* NULL when not needed; of avg: negative after an overflow of the sum */
};

struct aggregation {
    struct sn_eval *eval;
    const struct sn_node *child; /* notes point at it */
    struct sn_frame *frame;
    enum sn_aggregate_op op;
    struct sn_grouping grouping;
    struct group *groups; /* [grouping.table.count] */
    size_t group_capacity;
};

/* ---- one row into its group ---- */

/* Two steps at a time; comparing gives all ones for true. */
typedef double two_values __attribute__((vector_size(16)));
typedef int64_t two_answers __attribute__((vector_size(16)));

static inline two_values load_two(const double *value) {
    two_values two;
    memcpy(&two, value, sizeof two);
    return two;
}

static inline void store_two(double *value, two_values two) {
    memcpy(value, &two, sizeof two);
}

static inline two_values choose_two(two_answers answer, two_values yes, two_values no) {
    return (two_values)((answer & (two_answers)yes) | (~answer & (two_answers)no));
}

static inline two_values absolute_two(two_values two) {
    const two_answers all_but_sign = {INT64_MAX, INT64_MAX};
    return (two_values)((two_answers)two & all_but_sign);
}

static inline two_answers are_absent(two_values two) {
    const two_answers absent = {(int64_t)SN_STALE_NAN_BITS, (int64_t)SN_STALE_NAN_BITS};
    return (two_answers)two == absent;
}

/* What add_one_sum does, without branches: neither absent steps nor sizes can be foretold. */
static void add_two_sums(double *value, double *compensation, const double *column) {
    const two_values infinity = {SN_INFINITY, SN_INFINITY};
    const two_values zero = {0, 0};
    two_values sum = load_two(value);
    two_values rest = load_two(compensation);
    two_values x = load_two(column);
    two_values total = sum + x;
    two_answers is_sum_larger = (two_answers)(absolute_two(sum) >= absolute_two(x));
    two_values lost = choose_two(is_sum_larger, (sum - total) + x, (x - total) + sum);
    two_answers is_infinite = (two_answers)(absolute_two(total) == infinity);
    two_values next_rest = choose_two(is_infinite, zero, rest + lost);
    two_answers is_first = are_absent(sum);
    two_answers is_absent = are_absent(x);
    store_two(value, choose_two(is_absent, sum, choose_two(is_first, x, total)));
    store_two(compensation, choose_two(is_absent, rest, choose_two(is_first, zero, next_rest)));
}

static void add_one_sum(double *value, double *compensation, double x) {
    if (sn_is_absent(x)) {
        return;
    }
    if (sn_is_absent(*value)) {
        *value = x;
        *compensation = 0;
    } else {
        sn_kahan_add(x, value, compensation);
    }
}

static void add_sum(const struct sn_frame *frame, struct group *group, const double *column) {
    size_t i = 0;
    for (; i + 2 <= frame->step_count; i += 2) {
        add_two_sums(group->value + i, group->compensation + i, column + i);
    }
    if (i < frame->step_count) {
        add_one_sum(&group->value[i], &group->compensation[i], column[i]);
    }
}

/* A sum as long as it does not overflow, a running mean from then on. */
static void add_to_mean(double x, double *value, double *compensation, double *count) {
    double before = fabs(*count);
    if (*count > 0) {
        double sum = *value;
        double rest = *compensation;
        sn_kahan_add(x, &sum, &rest);
        if (!isinf(sum)) {
            *value = sum;
            *compensation = rest;
            *count = before + 1;
            return;
        }
        *value /= before;
        *compensation /= before;
    }
    double share = before / (before + 1);
    *value *= share;
    *compensation *= share;
    sn_kahan_add(x / (before + 1), value, compensation);
    *count = -(before + 1);
}

static void add_avg(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        if (sn_is_absent(column[i])) {
            continue;
        }
        if (sn_is_absent(group->value[i])) {
            group->value[i] = column[i];
            group->compensation[i] = 0;
            group->count[i] = 1;
        } else {
            add_to_mean(column[i], &group->value[i], &group->compensation[i], &group->count[i]);
        }
    }
}

static void add_count(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        if (!sn_is_absent(column[i])) {
            group->value[i] = sn_is_absent(group->value[i]) ? 1 : group->value[i] + 1;
        }
    }
}

static void add_one(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        group->value[i] = sn_is_absent(column[i]) ? group->value[i] : 1;
    }
}

/* The stale marker is a NaN, so that "no value yet" gives way as NaN does. */
static void add_max(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        if (!sn_is_absent(column[i]) && (isnan(group->value[i]) || column[i] > group->value[i])) {
            group->value[i] = column[i];
        }
    }
}

static void add_min(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        if (!sn_is_absent(column[i]) && (isnan(group->value[i]) || column[i] < group->value[i])) {
            group->value[i] = column[i];
        }
    }
}

/* Welford: value is the sum of squares, compensation the mean. */
static void add_variance(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        double x = column[i];
        if (sn_is_absent(x)) {
            continue;
        }
        if (sn_is_absent(group->value[i])) {
            group->value[i] = isfinite(x) ? 0 : SN_NAN;
            group->compensation[i] = x;
            group->count[i] = 1;
        } else {
            double delta = x - group->compensation[i];
            group->count[i] += 1;
            group->compensation[i] += delta / group->count[i];
            group->value[i] += delta * (x - group->compensation[i]);
        }
    }
}

static void add_row(const struct aggregation *all, struct group *group, const double *column) {
    switch ((int)all->op) {
    case SN_AGGREGATE_SUM:
        add_sum(all->frame, group, column);
        break;
    case SN_AGGREGATE_AVG:
        add_avg(all->frame, group, column);
        break;
    case SN_AGGREGATE_COUNT:
        add_count(all->frame, group, column);
        break;
    case SN_AGGREGATE_GROUP:
        add_one(all->frame, group, column);
        break;
    case SN_AGGREGATE_MAX:
        add_max(all->frame, group, column);
        break;
    case SN_AGGREGATE_MIN:
        add_min(all->frame, group, column);
        break;
    default:
        add_variance(all->frame, group, column);
        break;
    }
}

/* ---- histograms of one row ---- */

static const char *const ignored_in[SN_AGGREGATE_OP_COUNT] = {
    [SN_AGGREGATE_MIN] = "min aggregation",
    [SN_AGGREGATE_MAX] = "max aggregation",
    [SN_AGGREGATE_STDDEV] = "stddev aggregation",
    [SN_AGGREGATE_STDVAR] = "stdvar aggregation",
    [SN_AGGREGATE_TOPK] = "topk aggregation",
    [SN_AGGREGATE_BOTTOMK] = "bottomk aggregation",
    [SN_AGGREGATE_QUANTILE] = "quantile aggregation",
};

static sn_status add_to_cell(struct aggregation *all, struct cell *cell, struct sn_str name,
                             const struct sn_histogram *histogram) {
    struct sn_eval *eval = all->eval;
    unsigned events = 0;
    sn_status status;
    if (cell->is_incompatible) {
        return SN_OK;
    }
    if (all->op == SN_AGGREGATE_AVG) {
        status = sn_histogram_mean_add(&cell->mean, &cell->sum, histogram, &eval->sums[1],
                                       eval->arena, &events);
    } else if (cell->mean.count++ == 0) {
        status = sn_histogram_sum_set(&cell->sum, histogram, eval->arena);
    } else {
        status =
            sn_histogram_sum_add(&cell->sum, histogram, 1, &eval->sums[1], eval->arena, &events);
    }
    cell->has_reset = cell->has_reset || histogram->reset_hint == SN_RESET_YES;
    cell->has_no_reset = cell->has_no_reset || histogram->reset_hint == SN_RESET_NO;
    cell->is_incompatible = (events & SN_HISTOGRAM_INCOMPATIBLE) != 0;
    sn_eval_note_events(eval, all->child, name, events & ~(unsigned)SN_HISTOGRAM_COLLISION,
                        "aggregation");
    return sn_eval_histogram_status(eval, status);
}

static sn_status make_cells(struct aggregation *all, struct group *group) {
    if (group->cells != NULL) {
        return SN_OK;
    }
    size_t count = all->frame->step_count;
    group->cells = sn_arena_alloc_zero(all->eval->arena, count, sizeof *group->cells);
    if (group->cells == NULL) {
        return sn_arena_failure(all->eval->arena, count * sizeof *group->cells, all->eval->err);
    }
    return SN_OK;
}

static sn_status add_histogram(struct aggregation *all, struct group *group,
                               const struct sn_row *row, size_t step) {
    double *value = &group->value[step];
    switch ((int)all->op) {
    case SN_AGGREGATE_SUM:
    case SN_AGGREGATE_AVG:
        SN_TRY(make_cells(all, group));
        return add_to_cell(all, &group->cells[step],
                           sn_labels_get(row->labels, SN_LABEL_METRIC_NAME), row->histogram[step]);
    case SN_AGGREGATE_COUNT:
        *value = sn_is_absent(*value) ? 1 : *value + 1;
        return SN_OK;
    case SN_AGGREGATE_GROUP:
        *value = 1;
        return SN_OK;
    default:
        sn_eval_note(all->eval, all->child, SN_NOTE_IGNORED, sn_str_from(ignored_in[all->op]));
        return SN_OK;
    }
}

static sn_status add_histograms(struct aggregation *all, struct group *group,
                                const struct sn_row *row) {
    for (size_t i = 0; row->histogram != NULL && i < all->frame->step_count; i++) {
        if (row->histogram[i] != NULL) {
            SN_TRY(add_histogram(all, group, row, i));
        }
    }
    return SN_OK;
}

void sn_eval_ignore_histograms(struct sn_eval *eval, const struct sn_node *node,
                               struct sn_frame *frame, struct sn_vector *vector) {
    size_t kept = 0;
    for (size_t i = 0; i < vector->count; i++) {
        struct sn_row *row = &vector->rows[i];
        bool has_histogram = false;
        for (size_t k = 0; row->histogram != NULL && k < frame->step_count; k++) {
            has_histogram = has_histogram || row->histogram[k] != NULL;
        }
        sn_row_drop_histograms(frame, row);
        if (has_histogram) {
            sn_eval_note(eval, node->aggregate.child, SN_NOTE_IGNORED,
                         sn_str_from(ignored_in[node->aggregate.op]));
        }
        if (has_histogram && !sn_column_has_value(frame, row->value)) {
            sn_row_drop(frame, row);
        } else {
            vector->rows[kept++] = *row;
        }
    }
    vector->count = kept;
}

/* ---- groups ---- */

static bool is_sum_like(enum sn_aggregate_op op) {
    return op == SN_AGGREGATE_SUM || op == SN_AGGREGATE_AVG;
}

static bool is_variance(enum sn_aggregate_op op) {
    return op == SN_AGGREGATE_STDDEV || op == SN_AGGREGATE_STDVAR;
}

static sn_status group_init(struct aggregation *all, struct group *group) {
    *group = (struct group){.value = NULL};
    SN_TRY(sn_column_new(all->eval, all->frame, &group->value));
    sn_column_fill(all->frame, group->value, SN_ABSENT);
    if (is_sum_like(all->op) || is_variance(all->op)) {
        SN_TRY(sn_column_new(all->eval, all->frame, &group->compensation));
    }
    if (all->op == SN_AGGREGATE_AVG || is_variance(all->op)) {
        SN_TRY(sn_column_new(all->eval, all->frame, &group->count));
    }
    return SN_OK;
}

static sn_status take_row(void *ctx, struct sn_row *row) {
    struct aggregation *all = ctx;
    void *groups = all->groups;
    size_t number;
    bool is_new;
    SN_TRY(sn_eval_grow(all->eval, &groups, all->grouping.table.count, &all->group_capacity,
                        sizeof *all->groups));
    all->groups = groups;
    SN_TRY(sn_grouping_put(all->eval, &all->grouping, row->labels, &number, &is_new));
    if (is_new) {
        SN_TRY(group_init(all, &all->groups[number]));
    }
    add_row(all, &all->groups[number], row->value);
    return add_histograms(all, &all->groups[number], row);
}

static double finish_value(enum sn_aggregate_op op, const struct group *group, size_t step) {
    double value = group->value[step];
    switch ((int)op) {
    case SN_AGGREGATE_SUM:
        return value + group->compensation[step];
    case SN_AGGREGATE_AVG:
        return group->count[step] < 0
                   ? value + group->compensation[step]
                   : value / group->count[step] + group->compensation[step] / group->count[step];
    case SN_AGGREGATE_STDVAR:
        return value / group->count[step];
    case SN_AGGREGATE_STDDEV:
        return sqrt(value / group->count[step]);
    default:
        return value;
    }
}

static sn_status finish_cell(struct aggregation *all, struct cell *cell, double *value,
                             const struct sn_histogram **ret_histogram) {
    struct sn_eval *eval = all->eval;
    bool has_collision = cell->has_reset && cell->has_no_reset;
    if (cell->mean.count == 0) {
        return SN_OK;
    }
    if (!sn_is_absent(*value)) {
        *value = SN_ABSENT;
        sn_eval_note(eval, all->child, SN_NOTE_MIXED_AGGREGATION, (struct sn_str){.len = 0});
        return SN_OK;
    }
    if (cell->is_incompatible) {
        return SN_OK;
    }
    sn_eval_note_events(eval, all->child, (struct sn_str){.len = 0},
                        has_collision ? SN_HISTOGRAM_COLLISION : 0, "aggregation");
    if (all->op == SN_AGGREGATE_AVG) {
        sn_histogram_mean_finish(&cell->mean, &cell->sum);
    }
    return sn_eval_histogram_status(
        eval, sn_histogram_sum_finish(&cell->sum, true, eval->arena, ret_histogram));
}

static sn_status finish_cells(struct aggregation *all, struct group *group, struct sn_row *row) {
    if (group->cells == NULL) {
        return SN_OK;
    }
    SN_TRY(sn_histogram_column_new(all->eval, all->frame, &row->histogram));
    for (size_t k = 0; k < all->frame->step_count; k++) {
        SN_TRY(finish_cell(all, &group->cells[k], &group->value[k], &row->histogram[k]));
    }
    return SN_OK;
}

static sn_status finish_groups(struct aggregation *all, struct sn_vector *ret_vector) {
    struct sn_vector vector = {.count = 0};
    for (size_t i = 0; i < all->grouping.table.count; i++) {
        struct group *group = &all->groups[i];
        for (size_t k = 0; k < all->frame->step_count; k++) {
            if (!sn_is_absent(group->value[k])) {
                group->value[k] = finish_value(all->op, group, k);
            }
        }
        sn_column_drop(all->frame, group->compensation);
        sn_column_drop(all->frame, group->count);
        struct sn_row row = {.labels = all->grouping.table.keys[i], .value = group->value};
        SN_TRY(finish_cells(all, group, &row));
        if (sn_row_has_value(all->frame, &row)) {
            SN_TRY(sn_vector_take(all->eval, all->frame, &vector, &row));
        }
        sn_row_drop(all->frame, &row);
    }
    *ret_vector = vector;
    return SN_OK;
}

sn_status sn_aggregate(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) {
    const struct sn_aggregate_node *aggregate = &node->aggregate;
    struct aggregation all = {.eval = eval,
                              .child = aggregate->child,
                              .frame = frame,
                              .op = aggregate->op,
                              .grouping = {aggregate->labels, aggregate->is_without, {0}, NULL, 0}};
    switch ((int)aggregate->op) {
    case SN_AGGREGATE_QUANTILE:
        return sn_aggregate_quantile(eval, node, frame, ret_vector);
    case SN_AGGREGATE_COUNT_VALUES:
        return sn_aggregate_count_values(eval, node, frame, ret_vector);
    case SN_AGGREGATE_TOPK:
    case SN_AGGREGATE_BOTTOMK:
    case SN_AGGREGATE_LIMITK:
    case SN_AGGREGATE_LIMIT_RATIO:
        return sn_aggregate_choose(eval, node, frame, ret_vector);
    default:
        SN_TRY(sn_eval_stream(eval, aggregate->child, frame, (struct sn_row_sink){take_row, &all}));
        return finish_groups(&all, ret_vector);
    }
}
