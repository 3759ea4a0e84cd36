/*
 * info(v, {selector}): adds labels of info metrics to series of the same instance and job.
 *
 * Which info series belongs to a series is decided step by step, at the time that the selector of v
 * looks at; of several series of one info metric the one with the newest sample counts. Only for
 * src/query; one thread per query.
 */
#include "query/eval_priv.h"

#define NO_INFO UINT32_MAX

struct info {
    struct sn_eval *eval;
    struct sn_frame *frame;
    const struct sn_vector_node *asked; /* the selector of the second argument, or NULL */
    struct sn_matcher *matchers;        /* of info series: [matcher_count], names first */
    size_t matcher_count;
    size_t name_count;
    struct sn_vector series;       /* info series; columns are times of samples */
    struct sn_grouping identity;   /* by instance and job */
    struct sn_label_table metrics; /* names of info metrics */
    uint32_t *first;               /* [identity.table.count] first series of a group */
    uint32_t *next;                /* [series.count] */
    uint32_t *slot;                /* [series.count] number of the info metric */
    uint32_t *chosen;              /* [metrics.count] series per metric at a step */
    uint32_t *before;              /* [metrics.count] the same of the step before */
    struct sn_vector result;
};

static const struct sn_str identity_names[] = {{"instance", 8}, {"job", 3}};
static const struct sn_names identity = {identity_names, 2};

/* ---- what is asked ---- */

static bool ends_with_info(const void *compiled, struct sn_str text) {
    (void)compiled;
    return text.len > 5 && sn_str_ends_with(text, SN_STR("_info"));
}

static bool is_about_name(const struct sn_matcher *matcher) {
    return sn_str_equal(matcher->name, SN_LABEL_METRIC_NAME);
}

static bool is_positive(const struct sn_matcher *matcher) {
    return matcher->kind == SN_MATCH_EQUAL || matcher->kind == SN_MATCH_REGEX;
}

/* Without a name it is target_info; without a positive one, every name that ends in _info. */
static struct sn_matcher default_name(bool has_negative) {
    struct sn_matcher matcher = {
        .kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("target_info")};
    if (has_negative) {
        matcher.kind = SN_MATCH_REGEX;
        matcher.value = SN_STR(".+_info");
        matcher.regex_match = ends_with_info;
    }
    return matcher;
}

static sn_status make_matchers(struct info *info) {
    size_t asked_count = info->asked != NULL ? info->asked->matcher_count : 0;
    bool has_positive = false;
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(info->eval, asked_count + 1, sizeof *info->matchers, &memory));
    info->matchers = memory;
    for (size_t i = 0; i < asked_count; i++) {
        if (is_about_name(&info->asked->matchers[i])) {
            has_positive = has_positive || is_positive(&info->asked->matchers[i]);
            info->matchers[info->name_count++] = info->asked->matchers[i];
        }
    }
    if (!has_positive) {
        info->matchers[info->name_count] = default_name(info->name_count > 0);
        info->name_count++;
    }
    info->matcher_count = info->name_count;
    for (size_t i = 0; i < asked_count; i++) {
        if (!is_about_name(&info->asked->matchers[i])) {
            info->matchers[info->matcher_count++] = info->asked->matchers[i];
        }
    }
    return SN_OK;
}

/* offset and @ of the first selector below a node; NULL: there is none. */
static const struct sn_time_shift *find_shift(const struct sn_node *node) {
    const struct sn_time_shift *shift = NULL;
    node = sn_node_strip_parens(node);
    switch ((int)node->kind) {
    case SN_NODE_VECTOR:
        return &node->vector.shift;
    case SN_NODE_MATRIX:
        return &node->matrix.vector->vector.shift;
    case SN_NODE_SUBQUERY:
        return &node->subquery.shift;
    case SN_NODE_UNARY:
        return find_shift(node->unary.child);
    case SN_NODE_AGGREGATE:
        return find_shift(node->aggregate.child);
    case SN_NODE_BINARY:
        shift = find_shift(node->binary.left);
        return shift != NULL ? shift : find_shift(node->binary.right);
    case SN_NODE_CALL:
        for (size_t i = 0; i < node->call.count && shift == NULL; i++) {
            shift = find_shift(node->call.args[i]);
        }
        return shift;
    default:
        return NULL;
    }
}

/* ---- info series ---- */

static sn_status alloc_numbers(struct info *info, size_t count, uint32_t **ret_numbers) {
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(info->eval, count, sizeof **ret_numbers, &memory));
    *ret_numbers = memory;
    memset(*ret_numbers, 0xff, count * sizeof **ret_numbers); /* NO_INFO */
    return SN_OK;
}

static sn_status number_series(struct info *info, size_t index) {
    struct sn_row *row = &info->series.rows[index];
    struct sn_label name = {SN_LABEL_METRIC_NAME, sn_labels_get(row->labels, SN_LABEL_METRIC_NAME)};
    size_t number = 0;
    bool is_new;
    SN_TRY(sn_grouping_put(info->eval, &info->identity, row->labels, &number, &is_new));
    row->group = (uint32_t)number;
    SN_TRY(sn_label_table_put(info->eval, &info->metrics, (struct sn_labels){&name, 1}, true,
                              &number, &is_new));
    info->slot[index] = (uint32_t)number;
    return SN_OK;
}

static sn_status find_info_series(struct info *info, const struct sn_node *base) {
    struct sn_node selector = {.kind = SN_NODE_VECTOR, .type = SN_VALUE_VECTOR};
    const struct sn_time_shift *shift = find_shift(base);
    selector.vector.matchers = info->matchers;
    selector.vector.matcher_count = info->matcher_count;
    if (shift != NULL) {
        selector.vector.shift = *shift;
    }
    SN_TRY(sn_select_times(info->eval, &selector, info->frame, SN_SELECT_INFO, &info->series));
    SN_TRY(alloc_numbers(info, info->series.count, &info->slot));
    SN_TRY(alloc_numbers(info, info->series.count, &info->next));
    for (size_t i = 0; i < info->series.count; i++) {
        SN_TRY(number_series(info, i));
    }
    SN_TRY(alloc_numbers(info, info->identity.table.count, &info->first));
    SN_TRY(alloc_numbers(info, info->metrics.count, &info->chosen));
    SN_TRY(alloc_numbers(info, info->metrics.count, &info->before));
    for (size_t i = info->series.count; i-- > 0;) {
        uint32_t *head = &info->first[info->series.rows[i].group];
        info->next[i] = *head;
        *head = (uint32_t)i;
    }
    return SN_OK;
}

/* ---- one step of one series ---- */

static sn_status fail_duplicate(struct info *info, uint32_t existing, uint32_t other, double at) {
    struct sn_eval *eval = info->eval;
    return sn_eval_fail(
        eval, "found duplicate series for info metric: existing %s @ %lld, new %s @ %lld",
        sn_eval_labels_text(eval, info->series.rows[existing].labels), (long long)(at * 1000),
        sn_eval_labels_text(eval, info->series.rows[other].labels), (long long)(at * 1000));
}

/* The newest series of each info metric; whether there is any. */
static sn_status choose_series(struct info *info, uint32_t group, size_t step, bool *ret_has_any) {
    *ret_has_any = false;
    memset(info->chosen, 0xff, info->metrics.count * sizeof *info->chosen);
    for (uint32_t i = info->first[group]; i != NO_INFO; i = info->next[i]) {
        double at = info->series.rows[i].value[step];
        uint32_t *chosen = &info->chosen[info->slot[i]];
        if (sn_is_absent(at)) {
            continue;
        }
        *ret_has_any = true;
        if (*chosen == NO_INFO || info->series.rows[*chosen].value[step] < at) {
            *chosen = i;
        } else if (info->series.rows[*chosen].value[step] == at) {
            return fail_duplicate(info, *chosen, i, at);
        }
    }
    return SN_OK;
}

/* Data labels are all but those that identify; when some are asked for, only those. */
static bool is_data_label(const struct info *info, struct sn_str name) {
    if (sn_names_contain(identity, name) || sn_str_equal(name, SN_LABEL_METRIC_NAME)) {
        return false;
    }
    for (size_t i = info->name_count; i < info->matcher_count; i++) {
        if (sn_str_equal(info->matchers[i].name, name)) {
            return true;
        }
    }
    return info->matcher_count == info->name_count;
}

static sn_status add_data_labels(struct info *info, struct sn_labels base, uint32_t series,
                                 struct sn_labels *labels) {
    struct sn_labels data = info->series.rows[series].labels;
    for (size_t i = 0; i < data.count; i++) {
        struct sn_label label = data.items[i];
        struct sn_str added = sn_labels_get(*labels, label.name);
        if (!is_data_label(info, label.name) || sn_labels_get(base, label.name).len > 0) {
            continue;
        }
        if (added.len > 0 && !sn_str_equal(added, label.value)) {
            return sn_eval_fail(info->eval, "conflicting label: %.*s", SN_STR_ARG(label.name));
        }
        SN_TRY(sn_labels_set(info->eval, *labels, label, labels));
    }
    return SN_OK;
}

/* The row of the result with the labels that are chosen now; of this series or a new one. */
static sn_status find_row(struct info *info, struct sn_labels base, size_t first_row,
                          struct sn_row **ret_row) {
    struct sn_labels labels = base;
    for (size_t i = 0; i < info->metrics.count; i++) {
        if (info->chosen[i] != NO_INFO) {
            SN_TRY(add_data_labels(info, base, info->chosen[i], &labels));
        }
    }
    for (size_t i = first_row; i < info->result.count; i++) {
        if (sn_labels_equal(info->result.rows[i].labels, labels)) {
            *ret_row = &info->result.rows[i];
            return SN_OK;
        }
    }
    double *column;
    SN_TRY(sn_column_new(info->eval, info->frame, &column));
    sn_column_fill(info->frame, column, SN_ABSENT);
    SN_TRY(sn_vector_add(info->eval, &info->result, labels, column));
    *ret_row = &info->result.rows[info->result.count - 1];
    return SN_OK;
}

/* ---- series ---- */

/* Whether series without info series stay: only when no label is demanded. */
static bool accepts_nothing(const struct info *info) {
    for (size_t i = info->name_count; i < info->matcher_count; i++) {
        if (!sn_matcher_passes_empty(&info->matchers[i])) {
            return false;
        }
    }
    return true;
}

/* Info series themselves are passed through. */
static bool is_info_series(const struct info *info, struct sn_labels labels) {
    return sn_matchers_pass(info->matchers, info->name_count, labels);
}

static sn_status put_histogram(struct info *info, struct sn_row *row, const struct sn_row *base,
                               size_t step) {
    if (row->histogram == NULL) {
        SN_TRY(sn_histogram_column_new(info->eval, info->frame, &row->histogram));
    }
    row->histogram[step] = base->histogram[step];
    return SN_OK;
}

static sn_status enrich_row(struct info *info, const struct sn_row *base, uint32_t group) {
    size_t first_row = info->result.count;
    struct sn_row *row = NULL;
    bool keeps_lonely = accepts_nothing(info);
    for (size_t k = 0; k < info->frame->step_count; k++) {
        bool has_any;
        if (sn_row_is_absent(base, k)) {
            continue;
        }
        SN_TRY(choose_series(info, group, k, &has_any));
        if (!has_any && !keeps_lonely) {
            continue;
        }
        size_t bytes = info->metrics.count * sizeof *info->chosen;
        if (row == NULL || memcmp(info->chosen, info->before, bytes) != 0) {
            SN_TRY(find_row(info, base->labels, first_row, &row));
            memcpy(info->before, info->chosen, bytes);
        }
        row->value[k] = base->value[k];
        if (sn_row_has_histogram(base, k)) {
            SN_TRY(put_histogram(info, row, base, k));
        }
    }
    return SN_OK;
}

static sn_status pass_row(struct info *info, struct sn_row *base) {
    return sn_vector_take(info->eval, info->frame, &info->result, base);
}

static sn_status add_row(struct info *info, struct sn_row *base) {
    struct sn_label items[2];
    SN_TRY(sn_eval_check(info->eval));
    if (is_info_series(info, base->labels)) {
        return pass_row(info, base);
    }
    struct sn_labels key = {items, 0};
    for (size_t i = 0; i < identity.count; i++) {
        struct sn_label label = {identity_names[i], sn_labels_get(base->labels, identity_names[i])};
        if (label.value.len > 0) {
            items[key.count++] = label;
        }
    }
    size_t group = sn_label_table_find(info->eval, &info->identity.table, key);
    /* Series that nothing identifies match no info series. */
    if (group == SIZE_MAX || key.count == 0) {
        return accepts_nothing(info) ? pass_row(info, base) : SN_OK;
    }
    return enrich_row(info, base, (uint32_t)group);
}

sn_status sn_call_info(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                       struct sn_vector *ret_vector) {
    struct info info = {.eval = eval, .frame = frame, .identity = {.names = identity}};
    struct sn_vector base = {.count = 0};
    if (node->call.count > 1) {
        info.asked = &sn_node_strip_parens(node->call.args[1])->vector;
    }
    SN_TRY(make_matchers(&info));
    SN_TRY(sn_eval_vector(eval, node->call.args[0], frame, &base));
    SN_TRY(find_info_series(&info, node->call.args[0]));
    for (size_t i = 0; i < base.count; i++) {
        SN_TRY(add_row(&info, &base.rows[i]));
    }
    sn_vector_drop(frame, &base);
    sn_vector_drop(frame, &info.series);
    *ret_vector = info.result;
    return sn_vector_finish(eval, frame, ret_vector);
}
