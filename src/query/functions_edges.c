/*
 * rate, increase and delta of anchored and smoothed ranges over native histograms.
 *
 * What counts are the last histogram at or before the start of the range, those inside, and for
 * smoothed ranges the first one at or after its end; edges between two histograms are interpolated.
 *
 * Only for src/query; one thread per query.
 */
#include "query/range_priv.h"

struct edges {
    struct sn_range_mixed *mixed;
    size_t first; /* index into the view */
    size_t last;
    int64_t start_ms;
    int64_t end_ms;
    bool is_smoothed;
    bool is_counter;
    const struct sn_histogram *left;
    const struct sn_histogram *right;
};

static const struct sn_histogram *histogram_at(const struct edges *edges, size_t i) {
    return edges->mixed->view->histogram[i];
}

static int64_t time_at(const struct edges *edges, size_t i) {
    return edges->mixed->view->histogram_time_ms[i];
}

static void note(const struct edges *edges, enum sn_note what) {
    sn_eval_note(edges->mixed->eval, edges->mixed->arg, what, edges->mixed->name);
}

/* False: nothing happened in the range. */
static bool find_edges(struct edges *edges, size_t begin, size_t end) {
    edges->first = begin;
    edges->last = end - 1;
    while (edges->first < end - 1 && time_at(edges, edges->first + 1) <= edges->start_ms) {
        edges->first++;
    }
    if (edges->first + 1 == end && edges->first > begin &&
        time_at(edges, edges->first) > edges->start_ms) {
        edges->first--;
    }
    if (edges->is_smoothed) {
        edges->last = edges->first;
        while (edges->last < end - 1 && time_at(edges, edges->last) < edges->end_ms) {
            edges->last++;
        }
    }
    return time_at(edges, edges->last) > edges->start_ms &&
           (!edges->is_smoothed || time_at(edges, edges->first) <= edges->end_ms);
}

static bool check_kinds(const struct edges *edges) {
    bool is_custom = sn_histogram_is_custom(histogram_at(edges, edges->first));
    for (size_t i = edges->first; i <= edges->last; i++) {
        if (sn_histogram_is_custom(histogram_at(edges, i)) != is_custom) {
            note(edges, SN_NOTE_MIXED_SCHEMAS);
            return false;
        }
        if (edges->is_counter && histogram_at(edges, i)->reset_hint == SN_RESET_GAUGE) {
            note(edges, SN_NOTE_NOT_COUNTER);
        }
    }
    return true;
}

/* The histogram at a time between i and i + 1. */
static sn_status between(const struct edges *edges, size_t i, int64_t at_ms,
                         const struct sn_histogram **ret_histogram) {
    struct sn_between points = {.before = histogram_at(edges, i),
                                .after = histogram_at(edges, i + 1),
                                .share = (double)(at_ms - time_at(edges, i)) /
                                         (double)(time_at(edges, i + 1) - time_at(edges, i)),
                                .is_reset = edges->is_counter &&
                                            edges->mixed->view->histogram_is_reset[i + 1]};
    return sn_eval_between(edges->mixed->eval, edges->mixed->arg, edges->mixed->name, &points,
                           ret_histogram);
}

static sn_status find_ends(struct edges *edges) {
    edges->left = histogram_at(edges, edges->first);
    edges->right = histogram_at(edges, edges->last);
    if (!edges->is_smoothed) {
        return SN_OK;
    }
    if (time_at(edges, edges->first) < edges->start_ms) {
        SN_TRY(between(edges, edges->first, edges->start_ms, &edges->left));
    }
    if (edges->last > edges->first && time_at(edges, edges->last) > edges->end_ms) {
        SN_TRY(between(edges, edges->last - 1, edges->end_ms, &edges->right));
    }
    return SN_OK;
}

static sn_status add(const struct edges *edges, const struct sn_histogram *histogram, double sign,
                     const char *operation, bool *ret_fits) {
    struct sn_eval *eval = edges->mixed->eval;
    unsigned events = 0;
    SN_TRY(
        sn_eval_histogram_status(eval, sn_histogram_sum_add(&eval->sums[0], histogram, sign,
                                                            &eval->sums[1], eval->arena, &events)));
    sn_eval_note_events(eval, edges->mixed->arg, edges->mixed->name,
                        events & ~(unsigned)SN_HISTOGRAM_COLLISION, operation);
    *ret_fits = (events & SN_HISTOGRAM_INCOMPATIBLE) == 0;
    return SN_OK;
}

/*
 * What resets inside of the range took away. The left edge stands for the first histogram; when it
 * was interpolated across a reset, that one is behind us.
 */
static sn_status add_corrections(const struct edges *edges, bool *ret_fits) {
    const struct sn_series_view *view = edges->mixed->view;
    size_t next = edges->first + 1;
    const struct sn_histogram *before = edges->left;
    *ret_fits = true;
    if (edges->is_smoothed && time_at(edges, edges->first) < edges->start_ms &&
        next <= edges->last && view->histogram_is_reset[next]) {
        before = histogram_at(edges, next);
        next++;
    }
    for (; *ret_fits && next <= edges->last; next++) {
        if (view->histogram_is_reset[next]) {
            SN_TRY(add(edges, before, 1, "addition", ret_fits));
        }
        before = histogram_at(edges, next);
    }
    return SN_OK;
}

sn_status sn_range_mixed_edges(struct sn_range_mixed *mixed, size_t step,
                               const struct sn_histogram **ret_histogram) {
    struct sn_eval *eval = mixed->eval;
    enum sn_function_id id = mixed->node->call.function->id;
    int64_t end_ms = sn_reach_end(mixed->reach, mixed->frame, step);
    struct edges edges = {.mixed = mixed,
                          .start_ms = end_ms - mixed->reach->range_ms,
                          .end_ms = end_ms,
                          .is_smoothed = mixed->edge == SN_EDGE_SMOOTHED,
                          .is_counter = id == SN_FN_RATE || id == SN_FN_INCREASE};
    bool fits = true;
    if (!find_edges(&edges, mixed->histograms.begin[step], mixed->histograms.end[step]) ||
        !check_kinds(&edges)) {
        return SN_OK;
    }
    SN_TRY(find_ends(&edges));
    if (edges.left == NULL || edges.right == NULL) {
        return SN_OK;
    }
    if (!edges.is_counter &&
        (edges.left->reset_hint != SN_RESET_GAUGE || edges.right->reset_hint != SN_RESET_GAUGE)) {
        note(&edges, SN_NOTE_NOT_GAUGE);
    }
    SN_TRY(sn_eval_histogram_status(
        eval, sn_histogram_sum_set(&eval->sums[0], edges.right, eval->arena)));
    SN_TRY(add(&edges, edges.left, -1, "subtraction", &fits));
    if (fits && edges.is_counter) {
        SN_TRY(add_corrections(&edges, &fits));
    }
    if (!fits) {
        return SN_OK;
    }
    if (id == SN_FN_RATE) {
        sn_histogram_sum_divide(&eval->sums[0], mixed->range_s);
    }
    eval->sums[0].reset_hint = SN_RESET_GAUGE;
    return sn_eval_histogram_status(
        eval, sn_histogram_sum_finish(&eval->sums[0], true, &eval->row_arena, ret_histogram));
}
