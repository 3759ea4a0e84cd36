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

/* Columns of one group; what they hold depends on the operation. */
struct group {
    double *value;        /* SN_ABSENT: no value yet */
    double *compensation; /* of sums and means; NULL when not needed */
    double *count;        /* NULL when not needed; of avg: negative after an overflow of the sum */
};

struct aggregation {
    struct sn_eval *eval;
    struct sn_frame *frame;
    enum sn_aggregate_op op;
    struct sn_grouping grouping;
    struct group *groups; /* [grouping.table.count] */
    size_t group_capacity;
};

/* ---- one row into its group ---- */

static void add_sum(const struct sn_frame *frame, struct group *group, const double *column) {
    for (size_t i = 0; i < frame->step_count; i++) {
        if (sn_is_absent(column[i])) {
            continue;
        }
        if (sn_is_absent(group->value[i])) {
            group->value[i] = column[i];
            group->compensation[i] = 0;
        } else {
            sn_kahan_add(column[i], &group->value[i], &group->compensation[i]);
        }
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
    return SN_OK;
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
        SN_TRY(sn_vector_add(all->eval, &vector, all->grouping.table.keys[i], group->value));
    }
    *ret_vector = vector;
    return SN_OK;
}

sn_status sn_aggregate(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) {
    const struct sn_aggregate_node *aggregate = &node->aggregate;
    struct aggregation all = {.eval = eval,
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
