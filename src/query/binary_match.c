/*
 * Binary operators between two vectors: which series belong together, and what comes out.
 *
 * Series of both sides are put into match groups by the labels that count (on, ignoring). Whether
 * a pair exists is decided step by step: two series of the same group are fine as long as they
 * never have a value at the same step. Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "base/mem.h"

/* Rows of one side in the order of their match groups. */
struct side {
    struct sn_vector vector;
    uint32_t *next;    /* [vector.count] next row of the same group, UINT32_MAX: none */
    uint32_t *first;   /* [group_count] first row of each group */
    double **presence; /* [group_count] see find_presence */
};

struct match {
    struct sn_eval *eval;
    const struct sn_node *node;
    const struct sn_vector_match *how;
    struct sn_frame *frame;
    struct sn_grouping grouping; /* keys: labels that count */
    struct side many;            /* after swapping: each of its rows makes its own results */
    struct side one;
    bool is_swapped;
    double *scratch; /* [step_count] columns */
    double *fill;    /* the value of a missing partner, at every step; NULL: no fill */
    struct sn_vector result;
};

#define NO_ROW UINT32_MAX

/* ---- match groups ---- */

static sn_status link_rows(struct match *match, struct side *side) {
    void *next = NULL;
    SN_TRY(sn_eval_alloc(match->eval, side->vector.count, sizeof *side->next, &next));
    side->next = next;
    for (size_t i = 0; i < side->vector.count; i++) {
        size_t group;
        bool is_new;
        SN_TRY(sn_grouping_put(match->eval, &match->grouping, side->vector.rows[i].labels, &group,
                               &is_new));
        side->vector.rows[i].group = (uint32_t)group;
    }
    return SN_OK;
}

/* After both sides are grouped. */
static sn_status link_groups(struct match *match, struct side *side) {
    size_t group_count = match->grouping.table.count;
    void *first = NULL;
    SN_TRY(sn_eval_alloc(match->eval, group_count, sizeof *side->first, &first));
    side->first = first;
    side->presence = sn_arena_alloc_zero(match->eval->arena, group_count, sizeof *side->presence);
    if (side->presence == NULL) {
        return sn_arena_failure(match->eval->arena, group_count * sizeof *side->presence,
                                match->eval->err);
    }
    for (size_t g = 0; g < group_count; g++) {
        side->first[g] = NO_ROW;
    }
    for (size_t i = side->vector.count; i-- > 0;) {
        uint32_t *head = &side->first[side->vector.rows[i].group];
        side->next[i] = *head;
        *head = (uint32_t)i;
    }
    return SN_OK;
}

static sn_status match_init(struct match *match, struct sn_eval *eval, const struct sn_node *node,
                            struct sn_frame *frame) {
    const struct sn_binary_node *binary = &node->binary;
    *match = (struct match){
        .eval = eval,
        .node = node,
        .how = &binary->match,
        .frame = frame,
        .grouping = {.names = binary->match.labels, .is_without = !binary->match.is_on},
        .is_swapped = binary->match.card == SN_CARD_ONE_TO_MANY};
    struct side *left = match->is_swapped ? &match->one : &match->many;
    struct side *right = match->is_swapped ? &match->many : &match->one;
    SN_TRY(sn_eval_vector(eval, binary->left, frame, &left->vector));
    SN_TRY(sn_eval_vector(eval, binary->right, frame, &right->vector));
    SN_TRY(link_rows(match, left));
    SN_TRY(link_rows(match, right));
    SN_TRY(link_groups(match, left));
    SN_TRY(link_groups(match, right));
    return sn_column_new(eval, frame, &match->scratch);
}

static void match_release(struct match *match) {
    sn_vector_drop(match->frame, &match->many.vector);
    sn_vector_drop(match->frame, &match->one.vector);
    sn_column_drop(match->frame, match->scratch);
    sn_column_drop(match->frame, match->fill);
}

static void mark_present(const struct match *match, const struct sn_row *row, double *column) {
    for (size_t i = 0; i < match->frame->step_count; i++) {
        column[i] = sn_row_is_absent(row, i) ? column[i] : 1;
    }
}

/*
 * A column that has a value wherever any series of the group has one. Made once per group; of a
 * group of one it is the column of its series. NULL: there is no such series.
 */
static sn_status find_presence(struct match *match, struct side *side, uint32_t group,
                               const double **ret_presence) {
    uint32_t row = side->first[group];
    double *column;
    bool is_single = row != NO_ROW && side->next[row] == NO_ROW;
    if (row == NO_ROW || (is_single && side->vector.rows[row].histogram == NULL)) {
        *ret_presence = row == NO_ROW ? NULL : side->vector.rows[row].value;
        return SN_OK;
    }
    if (side->presence[group] != NULL) {
        *ret_presence = side->presence[group];
        return SN_OK;
    }
    SN_TRY(sn_column_new(match->eval, match->frame, &column));
    sn_column_fill(match->frame, column, SN_ABSENT);
    for (; row != NO_ROW; row = side->next[row]) {
        mark_present(match, &side->vector.rows[row], column);
    }
    side->presence[group] = column;
    *ret_presence = column;
    return SN_OK;
}

static bool is_absent_at(const double *presence, size_t step) {
    return presence == NULL || sn_is_absent(presence[step]);
}

/* ---- what is not allowed ---- */

static sn_status fail_duplicate(struct match *match, const struct sn_row *row,
                                const struct sn_row *other) {
    struct sn_eval *eval = match->eval;
    return sn_eval_fail(
        eval,
        "found duplicate series for the match group %s on the %s hand-side of the operation: "
        "[%s, %s];many-to-many matching not allowed: matching labels must be unique on one side",
        sn_eval_labels_text(eval, match->grouping.table.keys[row->group]),
        match->is_swapped ? "left" : "right", sn_eval_labels_text(eval, row->labels),
        sn_eval_labels_text(eval, other->labels));
}

/* Steps at which the many side has any value: without one, nothing is matched at all. */
static sn_status find_active_steps(struct match *match, double **ret_column) {
    double *column;
    SN_TRY(sn_column_new(match->eval, match->frame, &column));
    sn_column_fill(match->frame, column, SN_ABSENT);
    for (size_t k = 0; k < match->many.vector.count; k++) {
        mark_present(match, &match->many.vector.rows[k], column);
    }
    *ret_column = column;
    return SN_OK;
}

/* A group of the one side: its series may not have values at the same step. */
static sn_status check_one_group(struct match *match, uint32_t group, const double *active) {
    const struct side *one = &match->one;
    double *owner = match->scratch; /* number of the row that has a value, as a double */
    sn_column_fill(match->frame, owner, SN_ABSENT);
    for (uint32_t k = one->first[group]; k != NO_ROW; k = one->next[k]) {
        const struct sn_row *row = &one->vector.rows[k];
        SN_TRY(sn_eval_check(match->eval));
        for (size_t i = 0; i < match->frame->step_count; i++) {
            if (sn_row_is_absent(row, i)) {
                continue;
            }
            if (!sn_is_absent(owner[i]) && !sn_is_absent(active[i])) {
                return fail_duplicate(match, row, &one->vector.rows[(size_t)owner[i]]);
            }
            owner[i] = k;
        }
    }
    return SN_OK;
}

static bool has_several(const struct side *side, uint32_t group) {
    return side->first[group] != NO_ROW && side->next[side->first[group]] != NO_ROW;
}

static sn_status check_one_side(struct match *match) {
    double *active = NULL;
    for (size_t g = 0; g < match->grouping.table.count; g++) {
        if (!has_several(&match->one, (uint32_t)g)) {
            continue;
        }
        if (active == NULL) {
            SN_TRY(find_active_steps(match, &active));
        }
        SN_TRY(check_one_group(match, (uint32_t)g, active));
    }
    sn_column_drop(match->frame, active);
    return SN_OK;
}

/* One-to-one: the same on the other side, at steps where there is a partner. */
static sn_status check_many_group(struct match *match, uint32_t group) {
    const struct side *many = &match->many;
    double *seen = match->scratch;
    const double *partner;
    SN_TRY(find_presence(match, &match->one, group, &partner));
    sn_column_fill(match->frame, seen, SN_ABSENT);
    for (uint32_t k = many->first[group]; k != NO_ROW; k = many->next[k]) {
        const struct sn_row *row = &many->vector.rows[k];
        SN_TRY(sn_eval_check(match->eval));
        for (size_t i = 0; i < match->frame->step_count; i++) {
            if (sn_row_is_absent(row, i) || is_absent_at(partner, i)) {
                continue;
            }
            if (!sn_is_absent(seen[i])) {
                return sn_eval_fail(match->eval,
                                    "multiple matches for labels: many-to-one matching must be "
                                    "explicit (group_left/group_right)");
            }
            seen[i] = 1;
        }
    }
    return SN_OK;
}

static sn_status check_many_side(struct match *match) {
    size_t group_count = match->grouping.table.count;
    for (size_t g = 0; match->how->card == SN_CARD_ONE_TO_ONE && g < group_count; g++) {
        if (has_several(&match->many, (uint32_t)g)) {
            SN_TRY(check_many_group(match, (uint32_t)g));
        }
    }
    return SN_OK;
}

/* ---- results ---- */

/* Labels of a result: of the many side, with those of group_left and group_right from the one. */
static sn_status result_labels(struct match *match, struct sn_labels many, struct sn_labels one,
                               struct sn_labels *ret_labels) {
    struct sn_eval *eval = match->eval;
    struct sn_labels labels = many;
    if (match->how->card == SN_CARD_ONE_TO_ONE) {
        void *items = NULL;
        SN_TRY(sn_eval_alloc(eval, many.count, sizeof *many.items, &items));
        struct sn_label *kept = items;
        size_t count = 0;
        for (size_t i = 0; i < many.count; i++) {
            if (sn_names_contain(match->how->labels, many.items[i].name) == match->how->is_on) {
                kept[count++] = many.items[i];
            }
        }
        labels = (struct sn_labels){kept, count};
    }
    if (sn_binary_changes_name(&match->node->binary)) {
        SN_TRY(sn_labels_drop_name(eval, labels, &labels));
    }
    for (size_t i = 0; i < match->how->include.count; i++) {
        struct sn_label label = {match->how->include.items[i],
                                 sn_labels_get(one, match->how->include.items[i])};
        SN_TRY(sn_labels_set(eval, labels, label, &labels));
    }
    *ret_labels = labels;
    return SN_OK;
}

/* Values of a pair: op of both, or the left one where a comparison holds. */
static void compute_pair(struct match *match, const double *many, const double *one,
                         double *column) {
    const struct sn_binary_node *binary = &match->node->binary;
    const double *left = match->is_swapped ? one : many;
    const double *right = match->is_swapped ? many : one;
    struct sn_operands operands = {left, right, match->frame->step_count};
    if (!sn_binary_is_comparison(binary->op) || binary->returns_bool) {
        sn_binary_compute(binary->op, &operands, column);
        return;
    }
    sn_binary_compute(binary->op, &operands, match->scratch);
    for (size_t i = 0; i < match->frame->step_count; i++) {
        column[i] = match->scratch[i] == 1 ? left[i] : SN_ABSENT;
    }
}

/* Steps at which one of the two has a histogram. */
static sn_status compute_histograms(struct match *match, const struct sn_row *many,
                                    const struct sn_row *one, struct sn_row *result) {
    const struct sn_row *left = match->is_swapped ? one : many;
    const struct sn_row *right = match->is_swapped ? many : one;
    if (left->histogram == NULL && right->histogram == NULL) {
        return SN_OK;
    }
    SN_TRY(sn_histogram_column_new(match->eval, match->frame, &result->histogram));
    for (size_t i = 0; i < match->frame->step_count; i++) {
        bool has_both = !sn_row_is_absent(left, i) && !sn_row_is_absent(right, i);
        if (!has_both || (!sn_row_has_histogram(left, i) && !sn_row_has_histogram(right, i))) {
            continue;
        }
        struct sn_binary_pair pair = {
            .left = left->value[i],
            .right = right->value[i],
            .left_histogram = sn_row_has_histogram(left, i) ? left->histogram[i] : NULL,
            .right_histogram = sn_row_has_histogram(right, i) ? right->histogram[i] : NULL};
        SN_TRY(sn_binary_histogram(match->eval, match->node, &pair, &result->value[i],
                                   &result->histogram[i]));
    }
    return SN_OK;
}

static sn_status add_pair(struct match *match, const struct sn_row *many,
                          const struct sn_row *one) {
    struct sn_row result = {.group = many->group};
    SN_TRY(sn_eval_check(match->eval));
    SN_TRY(sn_column_new(match->eval, match->frame, &result.value));
    compute_pair(match, many->value, one->value, result.value);
    SN_TRY(compute_histograms(match, many, one, &result));
    if (!sn_row_has_value(match->frame, &result)) {
        sn_row_drop(match->frame, &result);
        return SN_OK;
    }
    SN_TRY(result_labels(match, many->labels, one->labels, &result.labels));
    SN_TRY(sn_vector_take(match->eval, match->frame, &match->result, &result));
    match->result.rows[match->result.count - 1].group = many->group;
    return SN_OK;
}

/* Results of one match group that cannot be told apart. */
static sn_status check_grouping_labels(struct match *match) {
    struct sn_label_table table = {.count = 0};
    size_t *owners;
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(match->eval, match->result.count, sizeof *owners, &memory));
    owners = memory;
    for (size_t i = 0; i < match->result.count; i++) {
        const struct sn_row *row = &match->result.rows[i];
        size_t number;
        bool is_new;
        SN_TRY(sn_label_table_put(match->eval, &table, row->labels, false, &number, &is_new));
        if (is_new) {
            owners[number] = i;
            continue;
        }
        const struct sn_row *other = &match->result.rows[owners[number]];
        for (size_t k = 0; k < match->frame->step_count && other->group == row->group; k++) {
            if (!sn_row_is_absent(row, k) && !sn_row_is_absent(other, k)) {
                return sn_eval_fail(match->eval, "multiple matches for labels: grouping labels "
                                                 "must ensure unique matches");
            }
        }
    }
    return SN_OK;
}

/* ---- fill ---- */

/* Where a series has values and the other side of its group has none. */
static sn_status add_lonely(struct match *match, const struct sn_row *row, struct side *other,
                            bool is_many) {
    const double *presence;
    struct sn_row own = {.labels = row->labels, .group = row->group};
    SN_TRY(find_presence(match, other, row->group, &presence));
    SN_TRY(sn_column_new(match->eval, match->frame, &own.value));
    if (row->histogram != NULL) {
        SN_TRY(sn_histogram_column_new(match->eval, match->frame, &own.histogram));
    }
    for (size_t i = 0; i < match->frame->step_count; i++) {
        bool is_lonely = is_absent_at(presence, i);
        own.value[i] = is_lonely ? row->value[i] : SN_ABSENT;
        if (row->histogram != NULL && is_lonely) {
            own.histogram[i] = row->histogram[i];
        }
    }
    struct sn_row filled = {.labels = match->grouping.table.keys[row->group],
                            .value = match->fill,
                            .group = row->group};
    SN_TRY(is_many ? add_pair(match, &own, &filled) : add_pair(match, &filled, &own));
    sn_row_drop(match->frame, &own);
    return SN_OK;
}

static sn_status fill_side(struct match *match, double value, bool is_many) {
    const struct side *side = is_many ? &match->many : &match->one;
    struct side *other = is_many ? &match->one : &match->many;
    sn_column_fill(match->frame, match->fill, value);
    for (size_t i = 0; i < side->vector.count; i++) {
        SN_TRY(add_lonely(match, &side->vector.rows[i], other, is_many));
    }
    return SN_OK;
}

static sn_status add_filled(struct match *match) {
    const struct sn_vector_match *how = match->how;
    if (how->has_fill_left || how->has_fill_right) {
        SN_TRY(sn_column_new(match->eval, match->frame, &match->fill));
    }
    /* After the sides were swapped for group_right, Prometheus does not swap these: nor do we. */
    if (how->has_fill_right) {
        SN_TRY(fill_side(match, how->fill_right, true));
    }
    if (how->has_fill_left) {
        SN_TRY(fill_side(match, how->fill_left, false));
    }
    return SN_OK;
}

sn_status sn_binary_match(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                          struct sn_vector *ret_vector) {
    struct match match;
    SN_TRY(match_init(&match, eval, node, frame));
    SN_TRY(check_one_side(&match));
    SN_TRY(check_many_side(&match));
    for (size_t i = 0; i < match.many.vector.count; i++) {
        const struct sn_row *row = &match.many.vector.rows[i];
        for (uint32_t k = match.one.first[row->group]; k != NO_ROW; k = match.one.next[k]) {
            SN_TRY(add_pair(&match, row, &match.one.vector.rows[k]));
        }
    }
    SN_TRY(add_filled(&match));
    match_release(&match);
    if (match.how->card != SN_CARD_ONE_TO_ONE) {
        SN_TRY(check_grouping_labels(&match));
    }
    *ret_vector = match.result;
    return sn_vector_finish(eval, frame, ret_vector);
}

/* ---- and, or, unless ---- */

/* Keep the values of a row at the steps where the other side has, or has not, its group. */
static sn_status restrict_row(struct match *match, struct sn_row *row, struct side *other,
                              bool wants_present) {
    const double *presence;
    SN_TRY(find_presence(match, other, row->group, &presence));
    for (size_t i = 0; i < match->frame->step_count; i++) {
        if (is_absent_at(presence, i) == wants_present) {
            row->value[i] = SN_ABSENT;
            if (row->histogram != NULL) {
                row->histogram[i] = NULL;
            }
        }
    }
    return SN_OK;
}

static sn_status move_rows(struct match *match, struct side *side) {
    for (size_t i = 0; i < side->vector.count; i++) {
        struct sn_row *row = &side->vector.rows[i];
        SN_TRY(sn_vector_take(match->eval, match->frame, &match->result, row));
    }
    return SN_OK;
}

sn_status sn_binary_set(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                        struct sn_vector *ret_vector) {
    struct match match;
    enum sn_binary_op op = node->binary.op;
    SN_TRY(match_init(&match, eval, node, frame));
    struct side *changed = op == SN_BINARY_OR ? &match.one : &match.many;
    struct side *other = op == SN_BINARY_OR ? &match.many : &match.one;
    for (size_t i = 0; i < changed->vector.count; i++) {
        SN_TRY(sn_eval_check(eval));
        SN_TRY(restrict_row(&match, &changed->vector.rows[i], other, op == SN_BINARY_AND));
    }
    SN_TRY(move_rows(&match, &match.many));
    if (op == SN_BINARY_OR) {
        SN_TRY(move_rows(&match, &match.one));
    }
    match_release(&match);
    *ret_vector = match.result;
    return sn_vector_finish(eval, frame, ret_vector);
}
