/* Extrapolated differences of series that share their times: see rate_steps_priv.h. */
#include "query/rate_steps_priv.h"

/* A gap that is longer than this many average distances ends the series inside of the window. */
#define GAP_MAX 1.1

static void make_step(const struct sn_rate_what *what, const int64_t *time_ms, int64_t end_ms,
                      struct sn_rate_step *step) {
    size_t last = step->last - step->first;
    double sampled_s = (double)(time_ms[step->last] - time_ms[step->first]) / 1000;
    double average_s = sampled_s / (double)last;
    int64_t start_ms = end_ms - what->reach->range_ms;
    double gap_s = (double)(time_ms[step->first] - start_ms) / 1000;
    double end_gap_s = (double)(end_ms - time_ms[step->last]) / 1000;
    step->gap_s = gap_s >= average_s * GAP_MAX ? average_s / 2 : gap_s;
    step->end_gap_s = end_gap_s >= average_s * GAP_MAX ? average_s / 2 : end_gap_s;
    step->sampled_s = sampled_s;
    step->factor = (sampled_s + step->gap_s + step->end_gap_s) / sampled_s;
    if (what->is_rate) {
        step->factor /= what->range_s;
    }
}

static void make_steps(struct sn_rate_steps *steps, const struct sn_rate_what *what,
                       const struct sn_series_view *view, struct sn_windows *windows) {
    sn_windows_find(what->frame, what->reach, view, windows);
    steps->window_count = sn_windows_count(windows, what->frame->step_count);
    for (size_t i = 0; i < what->frame->step_count; i++) {
        struct sn_rate_step *step = &steps->steps[i];
        *step = (struct sn_rate_step){.first = windows->begin[i], .last = windows->begin[i]};
        if (windows->end[i] - windows->begin[i] >= 2) {
            step->last = windows->end[i] - 1;
            make_step(what, view->time_ms, sn_reach_end(what->reach, what->frame, i), step);
        }
    }
}

static sn_status reserve(struct sn_eval *eval, struct sn_rate_steps *steps,
                         const struct sn_frame *frame, size_t count) {
    void *memory = NULL;
    if (steps->steps == NULL) {
        SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof *steps->steps, &memory));
        steps->steps = memory;
    }
    if (count > steps->capacity) {
        count += count / 2;
        SN_TRY(sn_eval_alloc(eval, count, sizeof *steps->time_ms, &memory));
        steps->time_ms = memory;
        steps->capacity = count;
    }
    return SN_OK;
}

static sn_status use_times(struct sn_eval *eval, struct sn_rate_steps *steps,
                           const struct sn_rate_what *what, const struct sn_series_view *view,
                           struct sn_windows *windows) {
    size_t bytes = view->count * sizeof *view->time_ms;
    if (steps->is_made && steps->count == view->count &&
        (bytes == 0 || memcmp(steps->time_ms, view->time_ms, bytes) == 0)) {
        return SN_OK;
    }
    SN_TRY(reserve(eval, steps, what->frame, view->count));
    if (bytes > 0) {
        memcpy(steps->time_ms, view->time_ms, bytes);
    }
    make_steps(steps, what, view, windows);
    steps->count = view->count;
    steps->is_made = true;
    return SN_OK;
}

/* A counter cannot have been below zero: it is extrapolated to where it was zero at the farthest. */
static double factor_near_zero(const struct sn_rate_step *step, const struct sn_rate_what *what,
                               double first, double increase) {
    double gap_s = step->gap_s;
    double to_zero_s = step->sampled_s * (first / increase);
    gap_s = to_zero_s < gap_s ? to_zero_s : gap_s;
    double factor = (step->sampled_s + gap_s + step->end_gap_s) / step->sampled_s;
    return what->is_rate ? factor / what->range_s : factor;
}

static bool fill_counter(const struct sn_rate_steps *steps, const struct sn_rate_what *what,
                         const double *value, double *column) {
    bool has_value = false;
    for (size_t i = 0; i < what->frame->step_count; i++) {
        const struct sn_rate_step *step = &steps->steps[i];
        if (step->first == step->last) {
            column[i] = SN_ABSENT;
            continue;
        }
        double first = value[step->first];
        double increase = value[step->last] - first + 0.0;
        double factor = step->factor;
        /* Most counters are far from zero, which a multiplication tells without a division. */
        bool is_near_zero = increase > 0 && first >= 0 &&
                            !(step->sampled_s * first > step->gap_s * increase * 1.001);
        if (is_near_zero) {
            factor = factor_near_zero(step, what, first, increase);
        }
        column[i] = increase * factor;
        has_value = true;
    }
    return has_value;
}

static bool fill_gauge(const struct sn_rate_steps *steps, const struct sn_rate_what *what,
                       const double *value, double *column) {
    bool has_value = false;
    for (size_t i = 0; i < what->frame->step_count; i++) {
        const struct sn_rate_step *step = &steps->steps[i];
        bool is_absent = step->first == step->last;
        column[i] = is_absent ? SN_ABSENT : (value[step->last] - value[step->first]) * step->factor;
        has_value = has_value || !is_absent;
    }
    return has_value;
}

sn_status sn_rate_steps_fill(struct sn_eval *eval, struct sn_rate_steps *steps,
                             const struct sn_rate_what *what, const struct sn_series_view *view,
                             struct sn_windows *windows, double *column, bool *ret_has) {
    SN_TRY(use_times(eval, steps, what, view, windows));
    eval->stats.queryable_count += steps->window_count;
    *ret_has = what->is_counter ? fill_counter(steps, what, view->value, column)
                                : fill_gauge(steps, what, view->value, column);
    return SN_OK;
}
