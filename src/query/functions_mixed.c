/*
 * Range functions on series with native histograms, alone or between floats.
 *
 * Slower than the kernels of functions_range.c, which such series would only hold up: a window with
 * histograms costs their buckets, not nanoseconds. Windows of floats alone go to the kernel.
 *
 * Only for src/query; one thread per query.
 */
#include "query/range_priv.h"

/* Where one step looks: floats [begin, end), histograms [first, first + count). */
struct step {
    struct sn_range_mixed *mixed;
    size_t number;
    size_t begin;
    size_t end;
    size_t first;
    size_t count;
    int64_t start_ms;
    int64_t end_ms;
};

/* What a step answers: nothing, a number or a histogram. */
struct answer {
    double value;
    const struct sn_histogram *histogram;
};

static const struct answer nothing = {.histogram = NULL};

static struct answer number(double value) {
    return (struct answer){value, NULL};
}

static void note(const struct step *step, enum sn_note what) {
    sn_eval_note(step->mixed->eval, step->mixed->arg, what, step->mixed->name);
}

static const struct sn_histogram *histogram_at(const struct step *step, size_t i) {
    return step->mixed->view->histogram[step->first + i];
}

static int64_t time_at(const struct step *step, size_t i) {
    return step->mixed->view->histogram_time_ms[step->first + i];
}

/* Whether the counter was reset between histograms i - 1 and i of the window. */
static bool is_reset_at(const struct step *step, size_t i) {
    const struct sn_series_view *view = step->mixed->view;
    size_t at = step->first + i;
    struct sn_counter_step by_start = {view->histogram_start_ms[at - 1],
                                       view->histogram_time_ms[at - 1],
                                       view->histogram_start_ms[at], view->histogram_time_ms[at]};
    return view->histogram_is_reset[at] || sn_counter_restarted(&by_start);
}

static sn_status finish(const struct step *step, struct sn_histogram_sum *sum,
                        const struct sn_histogram **ret_histogram) {
    struct sn_eval *eval = step->mixed->eval;
    return sn_eval_histogram_status(
        eval, sn_histogram_sum_finish(sum, true, &eval->row_arena, ret_histogram));
}

static sn_status set(struct sn_eval *eval, const struct sn_histogram *histogram) {
    return sn_eval_histogram_status(eval,
                                    sn_histogram_sum_set(&eval->sums[0], histogram, eval->arena));
}

static sn_status add(struct sn_eval *eval, const struct sn_histogram *histogram, double sign,
                     unsigned *events) {
    return sn_eval_histogram_status(
        eval,
        sn_histogram_sum_add(&eval->sums[0], histogram, sign, &eval->sums[1], eval->arena, events));
}

/* Notes about additions in which conflicting resets mean nothing. False: they did not fit. */
static bool fits(const struct step *step, unsigned events, const char *operation) {
    sn_eval_note_events(step->mixed->eval, step->mixed->arg, step->mixed->name,
                        events & ~(unsigned)SN_HISTOGRAM_COLLISION, operation);
    return (events & SN_HISTOGRAM_INCOMPATIBLE) == 0;
}

/* ---- rate, increase, delta ---- */

static bool is_counter_function(const struct step *step) {
    enum sn_function_id id = step->mixed->node->call.function->id;
    return id == SN_FN_RATE || id == SN_FN_INCREASE;
}

static void note_kind(const struct step *step) {
    bool has_gauge = false;
    for (size_t i = 0; i < step->count; i++) {
        has_gauge = has_gauge || histogram_at(step, i)->reset_hint == SN_RESET_GAUGE;
    }
    if (is_counter_function(step)) {
        if (has_gauge) {
            note(step, SN_NOTE_NOT_COUNTER);
        }
    } else if (histogram_at(step, 0)->reset_hint != SN_RESET_GAUGE ||
               histogram_at(step, step->count - 1)->reset_hint != SN_RESET_GAUGE) {
        note(step, SN_NOTE_NOT_GAUGE);
    }
}

/* A counter's histograms have one kind of buckets, but for one that a reset made meaningless. */
static bool has_one_kind(const struct step *step, size_t from) {
    bool is_custom = sn_histogram_is_custom(histogram_at(step, from));
    size_t last = step->count - 1;
    for (size_t i = from; i <= last; i++) {
        bool matters = is_counter_function(step) || i == last;
        if (matters && sn_histogram_is_custom(histogram_at(step, i)) != is_custom) {
            note(step, SN_NOTE_MIXED_SCHEMAS);
            return false;
        }
    }
    return true;
}

static int32_t coarsest_schema(const struct step *step, size_t from) {
    int32_t schema = histogram_at(step, from)->schema;
    size_t last = step->count - 1;
    for (size_t i = from + 1; i <= last; i++) {
        const struct sn_histogram *histogram = histogram_at(step, i);
        if ((is_counter_function(step) || i == last) && histogram->schema < schema) {
            schema = histogram->schema;
        }
    }
    return schema;
}

/* Last minus first, plus what resets took away, into sums[0]. *ret_fits: there is a result. */
static sn_status difference(const struct step *step, bool *ret_fits) {
    struct sn_eval *eval = step->mixed->eval;
    size_t last = step->count - 1;
    bool is_counter = is_counter_function(step);
    /* The first histogram does not matter when there was a reset right behind it. */
    bool skips_first = is_counter && is_reset_at(step, 1);
    unsigned events = 0;
    note_kind(step);
    *ret_fits = has_one_kind(step, skips_first ? 1 : 0);
    if (!*ret_fits) {
        return SN_OK;
    }
    SN_TRY(set(eval, histogram_at(step, last)));
    sn_histogram_sum_reduce(&eval->sums[0], coarsest_schema(step, skips_first ? 1 : 0));
    if (!skips_first) {
        SN_TRY(add(eval, histogram_at(step, 0), -1, &events));
    }
    *ret_fits = fits(step, events, "subtraction");
    for (size_t i = 2; is_counter && *ret_fits && i <= last; i++) {
        if (is_reset_at(step, i)) {
            events = 0;
            SN_TRY(add(eval, histogram_at(step, i - 1), 1, &events));
            *ret_fits = fits(step, events, "addition");
        }
    }
    return SN_OK;
}

static void note_overlap(const struct step *step) {
    const struct sn_series_view *view = step->mixed->view;
    for (size_t i = step->first + 1; i < step->first + step->count; i++) {
        struct sn_counter_step by_start = {view->histogram_start_ms[i - 1],
                                           view->histogram_time_ms[i - 1],
                                           view->histogram_start_ms[i], view->histogram_time_ms[i]};
        if (sn_counter_overlaps(&by_start)) {
            note(step, SN_NOTE_START_OVERLAP);
            return;
        }
    }
}

static double extrapolation_of(const struct step *step, int64_t start_ms) {
    struct sn_histogram_sum *sum = &step->mixed->eval->sums[0];
    bool is_counter = is_counter_function(step);
    struct sn_extrapolation extrapolation = {
        .first_ms = time_at(step, 0),
        .last_ms = time_at(step, step->count - 1),
        .count = step->count,
        .window_start_ms = step->start_ms,
        .window_end_ms = step->end_ms,
        .first_value = histogram_at(step, 0)->count,
        .increase = is_counter && step->count > 1 ? sum->count.sum + sum->count.rest : 0,
        .start_ms = start_ms,
    };
    return sn_extrapolation_factor(&extrapolation);
}

static sn_status extrapolated(const struct step *step, struct answer *ret_answer) {
    struct sn_eval *eval = step->mixed->eval;
    int64_t first_start_ms = step->mixed->view->histogram_start_ms[step->first];
    int64_t start_ms = is_counter_function(step)
                           ? sn_start_in_window(first_start_ms, step->start_ms, time_at(step, 0))
                           : 0;
    unsigned events = 0;
    bool is_result = step->count > 1 || start_ms != 0;
    if (step->count > 1) {
        SN_TRY(difference(step, &is_result));
        note_overlap(step);
    } else if (is_result) {
        SN_TRY(set(eval, histogram_at(step, 0)));
    }
    if (!is_result) {
        return SN_OK;
    }
    double factor = extrapolation_of(step, start_ms);
    if (start_ms != 0 && step->count > 1) {
        SN_TRY(add(eval, histogram_at(step, 0), 1, &events));
        if (!fits(step, events, "addition")) {
            return SN_OK;
        }
    }
    if (step->mixed->node->call.function->id == SN_FN_RATE) {
        factor /= step->mixed->range_s;
    }
    sn_histogram_sum_scale(&eval->sums[0], factor);
    eval->sums[0].reset_hint = SN_RESET_GAUGE;
    return finish(step, &eval->sums[0], &ret_answer->histogram);
}

static sn_status run_rate(const struct step *step, struct answer *ret_answer) {
    if (step->end > step->begin) {
        note(step, SN_NOTE_MIXED_FLOATS);
        return SN_OK;
    }
    if (step->mixed->edge != SN_EDGE_PLAIN) {
        return sn_range_mixed_edges(step->mixed, step->number, &ret_answer->histogram);
    }
    return extrapolated(step, ret_answer);
}

/* ---- irate, idelta ---- */

/* The last two samples, floats or histograms; index into the view. */
struct last_two {
    bool is_histogram[2];
    size_t index[2]; /* older, newer */
};

static bool find_last_two(const struct step *step, struct last_two *ret_two) {
    const struct sn_series_view *view = step->mixed->view;
    size_t float_end = step->end;
    size_t histogram_end = step->first + step->count;
    if (step->end - step->begin + step->count < 2) {
        return false;
    }
    for (int i = 1; i >= 0; i--) {
        bool has_float = float_end > step->begin;
        bool has_histogram = histogram_end > step->first;
        ret_two->is_histogram[i] =
            has_histogram && (!has_float || view->histogram_time_ms[histogram_end - 1] >
                                                view->time_ms[float_end - 1]);
        ret_two->index[i] = ret_two->is_histogram[i] ? --histogram_end : --float_end;
    }
    return true;
}

static sn_status instant_histogram(const struct step *step, bool is_rate,
                                   struct answer *ret_answer) {
    struct sn_eval *eval = step->mixed->eval;
    size_t last = step->count - 1;
    const struct sn_histogram *before = histogram_at(step, last - 1);
    const struct sn_histogram *now = histogram_at(step, last);
    bool is_gauge = before->reset_hint == SN_RESET_GAUGE && now->reset_hint == SN_RESET_GAUGE;
    bool has_gauge = before->reset_hint == SN_RESET_GAUGE || now->reset_hint == SN_RESET_GAUGE;
    unsigned events = 0;
    if (is_rate ? has_gauge : !is_gauge) {
        note(step, is_rate ? SN_NOTE_NOT_COUNTER : SN_NOTE_NOT_GAUGE);
    }
    SN_TRY(set(eval, now));
    if (!is_rate || !is_reset_at(step, last)) {
        SN_TRY(add(eval, before, -1, &events));
        if (!fits(step, events, "subtraction")) {
            return SN_OK;
        }
    }
    if (is_rate) {
        sn_histogram_sum_divide(&eval->sums[0],
                                (double)(time_at(step, last) - time_at(step, last - 1)) / 1000);
    }
    eval->sums[0].reset_hint = SN_RESET_GAUGE;
    return finish(step, &eval->sums[0], &ret_answer->histogram);
}

static sn_status run_instant(const struct step *step, struct answer *ret_answer) {
    struct last_two two;
    if (!find_last_two(step, &two)) {
        return SN_OK;
    }
    if (two.is_histogram[0] != two.is_histogram[1]) {
        note(step, SN_NOTE_MIXED_FLOATS);
        return SN_OK;
    }
    if (two.is_histogram[0]) {
        bool is_rate = step->mixed->node->call.function->id == SN_FN_IRATE;
        return instant_histogram(step, is_rate, ret_answer);
    }
    *ret_answer = number(step->mixed->run_floats(step->mixed->ctx, step->number));
    return SN_OK;
}

/* ---- changes, resets ---- */

/* A sample of either kind. */
struct sample {
    const struct sn_histogram *histogram; /* NULL: a float */
    double value;
    size_t index; /* into the view's columns of its kind */
    int64_t time_ms;
};

static struct sample take_next(const struct sn_series_view *view, size_t *next_float,
                               size_t float_end, size_t *next_histogram, size_t histogram_end) {
    bool is_float = *next_histogram >= histogram_end ||
                    (*next_float < float_end &&
                     view->time_ms[*next_float] < view->histogram_time_ms[*next_histogram]);
    if (is_float) {
        size_t i = (*next_float)++;
        return (struct sample){NULL, view->value[i], i, view->time_ms[i]};
    }
    size_t i = (*next_histogram)++;
    return (struct sample){view->histogram[i], 0, i, view->histogram_time_ms[i]};
}

static bool has_changed(const struct sample *before, const struct sample *now) {
    if (before->histogram != NULL && now->histogram != NULL) {
        return !sn_histogram_matches(now->histogram, before->histogram);
    }
    return before->histogram != now->histogram ||
           (now->value != before->value && !(isnan(now->value) && isnan(before->value)));
}

static bool was_reset(const struct step *step, const struct sample *before,
                      const struct sample *now) {
    const struct sn_series_view *view = step->mixed->view;
    if (before->histogram != NULL && now->histogram != NULL) {
        return is_reset_at(step, now->index - step->first);
    }
    if (before->histogram != NULL || now->histogram != NULL) {
        return true;
    }
    struct sn_counter_step by_start = {.time_ms = now->time_ms, .before_ms = before->time_ms};
    if (view->start_ms != NULL) {
        by_start.before_start_ms = view->start_ms[before->index];
        by_start.start_ms = view->start_ms[now->index];
    }
    return now->value < before->value || sn_counter_restarted(&by_start);
}

/* Anchored: the newest sample at or before the start counts as the first, all after it are seen. */
static bool anchor(const struct step *step, size_t *next_float, size_t *next_histogram) {
    const struct sn_series_view *view = step->mixed->view;
    size_t float_end = step->end;
    size_t histogram_end = step->first + step->count;
    size_t floats = step->begin;
    size_t histograms = step->first;
    while (floats < float_end && view->time_ms[floats] <= step->start_ms) {
        floats++;
    }
    while (histograms < histogram_end && view->histogram_time_ms[histograms] <= step->start_ms) {
        histograms++;
    }
    bool has_float = floats > step->begin;
    bool has_histogram = histograms > step->first;
    if (floats == float_end && histograms == histogram_end) {
        return false;
    }
    if (has_float &&
        (!has_histogram || view->time_ms[floats - 1] >= view->histogram_time_ms[histograms - 1])) {
        floats--;
    } else if (has_histogram) {
        histograms--;
    }
    *next_float = floats;
    *next_histogram = histograms;
    return true;
}

static sn_status run_changes(const struct step *step, struct answer *ret_answer) {
    const struct sn_series_view *view = step->mixed->view;
    bool wants_resets = step->mixed->node->call.function->id == SN_FN_RESETS;
    size_t next_float = step->begin;
    size_t next_histogram = step->first;
    size_t histogram_end = step->first + step->count;
    size_t count = 0;
    if (step->mixed->edge == SN_EDGE_ANCHORED && !anchor(step, &next_float, &next_histogram)) {
        return SN_OK;
    }
    struct sample before = take_next(view, &next_float, step->end, &next_histogram, histogram_end);
    while (next_float < step->end || next_histogram < histogram_end) {
        struct sample now = take_next(view, &next_float, step->end, &next_histogram, histogram_end);
        count += wants_resets ? was_reset(step, &before, &now) : has_changed(&before, &now);
        before = now;
    }
    *ret_answer = number((double)count);
    return SN_OK;
}

/* ---- sums and means ---- */

static void note_resets(const struct step *step, unsigned events) {
    bool has_reset = false;
    bool has_none = false;
    for (size_t i = 0; i < step->count; i++) {
        has_reset = has_reset || histogram_at(step, i)->reset_hint == SN_RESET_YES;
        has_none = has_none || histogram_at(step, i)->reset_hint == SN_RESET_NO;
    }
    events &= ~(unsigned)SN_HISTOGRAM_COLLISION;
    events |= has_reset && has_none ? SN_HISTOGRAM_COLLISION : 0;
    sn_eval_note_events(step->mixed->eval, step->mixed->arg, step->mixed->name, events,
                        "aggregation");
}

static sn_status run_sum(const struct step *step, struct answer *ret_answer) {
    struct sn_eval *eval = step->mixed->eval;
    unsigned events = 0;
    SN_TRY(set(eval, histogram_at(step, 0)));
    for (size_t i = 1; i < step->count; i++) {
        SN_TRY(add(eval, histogram_at(step, i), 1, &events));
    }
    note_resets(step, events);
    return (events & SN_HISTOGRAM_INCOMPATIBLE) != 0
               ? SN_OK
               : finish(step, &eval->sums[0], &ret_answer->histogram);
}

static sn_status run_avg(const struct step *step, struct answer *ret_answer) {
    struct sn_eval *eval = step->mixed->eval;
    struct sn_histogram_mean mean = {.count = 0};
    unsigned events = 0;
    for (size_t i = 0; i < step->count; i++) {
        SN_TRY(sn_eval_histogram_status(
            eval, sn_histogram_mean_add(&mean, &eval->sums[0], histogram_at(step, i),
                                        &eval->sums[1], eval->arena, &events)));
    }
    note_resets(step, events);
    sn_histogram_mean_finish(&mean, &eval->sums[0]);
    return (events & SN_HISTOGRAM_INCOMPATIBLE) != 0
               ? SN_OK
               : finish(step, &eval->sums[0], &ret_answer->histogram);
}

static sn_status run_aggregation(const struct step *step, struct answer *ret_answer) {
    if (step->end > step->begin) {
        note(step, SN_NOTE_MIXED_FLOATS);
        return SN_OK;
    }
    return step->mixed->node->call.function->id == SN_FN_AVG_OVER_TIME ? run_avg(step, ret_answer)
                                                                       : run_sum(step, ret_answer);
}

/* ---- samples of either kind ---- */

static struct answer sample_at(const struct step *step, bool is_last) {
    const struct sn_series_view *view = step->mixed->view;
    size_t at_float = is_last ? step->end - 1 : step->begin;
    size_t at_histogram = is_last ? step->first + step->count - 1 : step->first;
    bool has_float = step->end > step->begin;
    bool is_histogram = step->count > 0;
    if (has_float && is_histogram) {
        bool is_earlier = view->histogram_time_ms[at_histogram] < view->time_ms[at_float];
        is_histogram = is_earlier != is_last;
    }
    if (is_histogram) {
        return (struct answer){(double)view->histogram_time_ms[at_histogram] / 1000,
                               view->histogram[at_histogram]};
    }
    return number(view->value[at_float]);
}

static double time_of_sample(const struct step *step, bool is_last) {
    const struct sn_series_view *view = step->mixed->view;
    struct answer answer = sample_at(step, is_last);
    if (answer.histogram != NULL) {
        return answer.value;
    }
    return (double)view->time_ms[is_last ? step->end - 1 : step->begin] / 1000;
}

static struct answer run_sample(const struct step *step) {
    switch ((int)step->mixed->node->call.function->id) {
    case SN_FN_FIRST_OVER_TIME:
        return sample_at(step, false);
    case SN_FN_LAST_OVER_TIME:
        return sample_at(step, true);
    case SN_FN_TS_OF_FIRST_OVER_TIME:
        return number(time_of_sample(step, false));
    case SN_FN_TS_OF_LAST_OVER_TIME:
        return number(time_of_sample(step, true));
    case SN_FN_COUNT_OVER_TIME:
        return number((double)(step->end - step->begin + step->count));
    default: /* present_over_time */
        return number(1);
    }
}

/* ---- dispatch ---- */

/* Functions of floats see only those; histograms beside them are worth a word. */
static struct answer run_floats(const struct step *step) {
    if (step->end == step->begin) {
        return number(SN_ABSENT);
    }
    if (step->count > 0) {
        note(step, SN_NOTE_IGNORED_IN_RANGE);
    }
    return number(step->mixed->run_floats(step->mixed->ctx, step->number));
}

static sn_status run_step(const struct step *step, struct answer *ret_answer) {
    enum sn_function_id id = step->mixed->node->call.function->id;
    if (step->count == 0 && id != SN_FN_CHANGES && id != SN_FN_RESETS) {
        *ret_answer = run_floats(step);
        return SN_OK;
    }
    switch ((int)id) {
    case SN_FN_RATE:
    case SN_FN_INCREASE:
    case SN_FN_DELTA:
        return run_rate(step, ret_answer);
    case SN_FN_IRATE:
    case SN_FN_IDELTA:
        return run_instant(step, ret_answer);
    case SN_FN_CHANGES:
    case SN_FN_RESETS:
        return run_changes(step, ret_answer);
    case SN_FN_AVG_OVER_TIME:
    case SN_FN_SUM_OVER_TIME:
        return run_aggregation(step, ret_answer);
    case SN_FN_FIRST_OVER_TIME:
    case SN_FN_LAST_OVER_TIME:
    case SN_FN_TS_OF_FIRST_OVER_TIME:
    case SN_FN_TS_OF_LAST_OVER_TIME:
    case SN_FN_COUNT_OVER_TIME:
    case SN_FN_PRESENT_OVER_TIME:
        *ret_answer = run_sample(step);
        return SN_OK;
    default:
        *ret_answer = run_floats(step);
        return SN_OK;
    }
}

sn_status sn_range_mixed_run(struct sn_range_mixed *mixed, struct sn_row *row) {
    sn_arena_reset(&mixed->eval->row_arena);
    SN_TRY(sn_histogram_column_new(mixed->eval, mixed->frame, &row->histogram));
    for (size_t i = 0; i < mixed->frame->step_count; i++) {
        int64_t end_ms = sn_reach_end(mixed->reach, mixed->frame, i);
        struct step step = {.mixed = mixed,
                            .number = i,
                            .begin = mixed->floats.begin[i],
                            .end = mixed->floats.end[i],
                            .first = mixed->histograms.begin[i],
                            .count = mixed->histograms.end[i] - mixed->histograms.begin[i],
                            .start_ms = end_ms - mixed->reach->range_ms,
                            .end_ms = end_ms};
        struct answer answer = nothing;
        answer.value = SN_ABSENT;
        SN_TRY(sn_eval_check(mixed->eval));
        if (step.end > step.begin || step.count > 0) {
            SN_TRY(run_step(&step, &answer));
        }
        row->histogram[i] = answer.histogram;
        row->value[i] = answer.histogram != NULL ? SN_ABSENT : answer.value;
    }
    return SN_OK;
}
