/*
 * Functions of range vectors: rate, *_over_time, deriv, ...
 *
 * A function is a kernel that makes one number of one window. Kernels never see stale markers nor
 * empty windows; what has no result answers SN_ABSENT. Only for src/query; one thread per query.
 */
#include "query/range_priv.h"
#include "query/rate_steps_priv.h"
#include "query/rollup_steps.h"

#include "base/mem.h"

#define PARAMS_MAX 2

struct range_call {
    struct sn_eval *eval;
    const struct sn_node *node;
    const struct kernel *kernel;
    struct sn_frame *frame;
    struct sn_matrix matrix;
    struct sn_windows windows;
    struct sn_windows histogram_windows; /* NULL until a series has histograms */
    uint8_t matrix_index;
    struct sn_rate_steps rate_steps;
    struct sn_rollup_ask rollup_ask;
    struct sn_rollup_plan rollup_plan;
    const double *params[PARAMS_MAX];
    double range_s;
    enum sn_range_edge edge;
    bool is_counter;           /* rate or increase */
    bool has_resets;           /* of the series at hand: false when its samples never fall */
    struct sn_str metric_name; /* of the series at hand */
    double *scratch;           /* [scratch_capacity] */
    size_t scratch_capacity;
    sn_status status; /* what a kernel found wrong with a parameter */
};

struct window {
    const int64_t *time_ms; /* [count] */
    const double *value;
    const int64_t *counter_start_ms; /* NULL: not known */
    size_t count;                    /* at least 1 */
    int64_t end_ms;                  /* both ends of the window */
    int64_t start_ms;
    int64_t step_time_ms; /* time of the step, which offset and @ do not move */
    double param[PARAMS_MAX];
    struct range_call *call;
};

struct kernel {
    double (*run)(const struct window *window);
    uint8_t matrix_index; /* which argument is the range vector */
    bool keeps_name;
    bool wants_scratch;   /* a copy of the values of each window */
    bool wants_step_time; /* differs from step to step even when the window does not */
};

/* ---- counters and differences ---- */

/* What a counter gained through falling back to zero. */
static double reset_correction(const struct window *window) {
    double correction = 0;
    if (!window->call->has_resets) {
        return 0;
    }
    for (size_t i = 1; i < window->count; i++) {
        if (window->value[i] < window->value[i - 1]) {
            correction += window->value[i - 1];
        }
    }
    return correction;
}

/* Seconds before the first sample for which the series is believed to have existed. */
static double start_gap(const struct window *window, double increase, double sampled_s,
                        double average_s) {
    double gap = (double)(window->time_ms[0] - window->start_ms) / 1000;
    if (gap >= average_s * 1.1) {
        gap = average_s / 2;
    }
    /*
     * A counter cannot have been below zero; NaN increase marks a gauge. Most counters are far
     * from zero, which a multiplication tells before the division is needed.
     */
    double reach = gap * increase * 1.001;
    if (increase > 0 && window->value[0] >= 0 && !(sampled_s * window->value[0] > reach)) {
        double to_zero = sampled_s * (window->value[0] / increase);
        gap = to_zero < gap ? to_zero : gap;
    }
    return gap;
}

static double end_gap(const struct window *window, double average_s) {
    double gap = (double)(window->end_ms - window->time_ms[window->count - 1]) / 1000;
    return gap >= average_s * 1.1 ? average_s / 2 : gap;
}

/* The extrapolated increase of a window: samples rarely lie on its edges. */
static inline double extrapolate(const struct window *window, bool is_counter, bool is_rate) {
    size_t last = window->count - 1;
    if (last == 0) {
        return SN_ABSENT;
    }
    double result = window->value[last] - window->value[0];
    if (is_counter) {
        result += reset_correction(window);
    }
    double sampled_s = (double)(window->time_ms[last] - window->time_ms[0]) / 1000;
    double average_s = sampled_s / (double)last;
    double increase = is_counter ? result : SN_NAN;
    double factor =
        sampled_s + start_gap(window, increase, sampled_s, average_s) + end_gap(window, average_s);
    factor /= sampled_s;
    if (is_rate) {
        factor /= window->call->range_s;
    }
    return result * factor;
}

static double run_rate(const struct window *window) {
    return extrapolate(window, true, true);
}

static double run_increase(const struct window *window) {
    return extrapolate(window, true, false);
}

static double run_delta(const struct window *window) {
    return extrapolate(window, false, false);
}

/* Difference of the last two samples. */
static double instant_value(const struct window *window, bool is_rate) {
    if (window->count < 2) {
        return SN_ABSENT;
    }
    size_t last = window->count - 1;
    int64_t interval_ms = window->time_ms[last] - window->time_ms[last - 1];
    double value = window->value[last];
    if (!is_rate) {
        return value - window->value[last - 1];
    }
    if (!(value < window->value[last - 1])) {
        value -= window->value[last - 1];
    }
    return value / ((double)interval_ms / 1000);
}

static double run_irate(const struct window *window) {
    return instant_value(window, true);
}

static double run_idelta(const struct window *window) {
    return instant_value(window, false);
}

static double run_changes(const struct window *window) {
    size_t count = 0;
    for (size_t i = 1; i < window->count; i++) {
        double before = window->value[i - 1];
        double now = window->value[i];
        count += now != before && !(isnan(now) && isnan(before));
    }
    return (double)count;
}

static double run_resets(const struct window *window) {
    size_t count = 0;
    for (size_t i = 1; i < window->count; i++) {
        count += window->value[i] < window->value[i - 1];
    }
    return (double)count;
}

/* ---- ranges with edges: anchored and smoothed ---- */

/*
 * The window of such a range reaches beyond its edges. What counts are the last sample at or before
 * its start, the samples inside, and for smoothed ranges the first one at or after its end.
 */
struct edges {
    size_t first;
    size_t last;
    bool is_empty; /* nothing since the start of the range */
};

static struct edges find_edges(const struct window *window) {
    struct edges edges = {0, window->count - 1, false};
    while (edges.first < window->count - 1 &&
           window->time_ms[edges.first + 1] <= window->start_ms) {
        edges.first++;
    }
    if (edges.first + 1 == window->count && edges.first > 0 &&
        window->time_ms[edges.first] > window->start_ms) {
        edges.first--;
    }
    if (window->call->edge == SN_EDGE_SMOOTHED) {
        edges.last = edges.first;
        while (edges.last < window->count - 1 && window->time_ms[edges.last] < window->end_ms) {
            edges.last++;
        }
    }
    edges.is_empty = window->time_ms[edges.last] <= window->start_ms;
    return edges;
}

/* The value at a time between samples i and i + 1; a counter that falls in between starts at 0. */
static double value_between(const struct window *window, size_t i, int64_t at_ms, bool is_start) {
    double before = window->value[i];
    double after = window->value[i + 1];
    if (window->call->is_counter && after < before) {
        after += is_start ? 0 : before;
        before = is_start ? 0 : before;
    }
    return before + (after - before) * (double)(at_ms - window->time_ms[i]) /
                        (double)(window->time_ms[i + 1] - window->time_ms[i]);
}

/* What a counter gained through falls from `left` over the samples inside to `right`. */
static double correction_between(const struct window *window, struct edges edges, double left,
                                 double right) {
    double correction = 0;
    double before = left;
    for (size_t i = edges.first; i <= edges.last; i++) {
        if (window->time_ms[i] > window->start_ms && window->time_ms[i] < window->end_ms) {
            correction += window->value[i] < before ? before : 0;
            before = window->value[i];
        }
    }
    return correction + (right < before ? before : 0);
}

static double run_edges(const struct window *window) {
    struct edges edges = find_edges(window);
    bool is_smoothed = window->call->edge == SN_EDGE_SMOOTHED;
    double left = window->value[edges.first];
    double right = window->value[edges.last];
    if (edges.is_empty) {
        return SN_ABSENT;
    }
    if (is_smoothed && window->time_ms[edges.first] < window->start_ms) {
        left = value_between(window, edges.first, window->start_ms, true);
    }
    if (is_smoothed && edges.last > 0 && window->time_ms[edges.last] > window->end_ms) {
        /* Both edges between the same two samples: what the left one saw is what both see. */
        bool is_same =
            edges.last - 1 == edges.first && window->time_ms[edges.first] < window->start_ms;
        right = value_between(window, edges.last - 1, window->end_ms, is_same);
    }
    double result = right - left;
    if (window->call->is_counter) {
        result += correction_between(window, edges, left, right);
    }
    return window->call->node->call.function->id == SN_FN_RATE ? result / window->call->range_s
                                                               : result;
}

/* changes and resets of an anchored range. */
static double run_anchored(const struct window *window) {
    struct edges edges = find_edges(window);
    struct window inner = *window;
    if (edges.is_empty) {
        return SN_ABSENT;
    }
    inner.time_ms += edges.first;
    inner.value += edges.first;
    inner.count -= edges.first;
    return window->call->node->call.function->id == SN_FN_CHANGES ? run_changes(&inner)
                                                                  : run_resets(&inner);
}

/* ---- counters whose start is known ---- */

static double run_started(const struct window *window) {
    struct range_call *call = window->call;
    struct sn_counter_window counter = {.time_ms = window->time_ms,
                                        .value = window->value,
                                        .start_ms = window->counter_start_ms,
                                        .count = window->count,
                                        .window_start_ms = window->start_ms,
                                        .window_end_ms = window->end_ms};
    enum sn_function_id id = call->node->call.function->id;
    bool overlaps = false;
    if (id == SN_FN_IRATE) {
        return sn_counter_irate(&counter);
    }
    if (id == SN_FN_RESETS) {
        return sn_counter_resets(&counter);
    }
    double increase = sn_counter_increase(&counter, &overlaps);
    if (overlaps) {
        sn_eval_note(call->eval, call->node->call.args[0], SN_NOTE_START_OVERLAP,
                     call->metric_name);
    }
    return id == SN_FN_RATE && !sn_is_absent(increase) ? increase / call->range_s : increase;
}

static bool uses_start(const struct range_call *call) {
    enum sn_function_id id = call->node->call.function->id;
    return call->edge == SN_EDGE_PLAIN &&
           (id == SN_FN_RATE || id == SN_FN_INCREASE || id == SN_FN_IRATE || id == SN_FN_RESETS);
}

/* ---- sums ---- */

static double run_sum(const struct window *window) {
    double sum = 0;
    double compensation = 0;
    for (size_t i = 0; i < window->count; i++) {
        sn_kahan_add(window->value[i], &sum, &compensation);
    }
    return isinf(sum) ? sum : sum + compensation;
}

/* The rest of a mean whose sum would overflow: a running mean instead. `from` values are in. */
static double running_mean(const struct window *window, size_t from, double sum,
                           double compensation) {
    double mean = sum / (double)from;
    compensation /= (double)from;
    for (size_t i = from; i < window->count; i++) {
        double count = (double)(i + 1);
        double share = (count - 1) / count;
        mean *= share;
        compensation *= share;
        sn_kahan_add(window->value[i] / count, &mean, &compensation);
    }
    return mean + compensation;
}

static double run_avg(const struct window *window) {
    double sum = window->value[0];
    double compensation = 0;
    for (size_t i = 1; i < window->count; i++) {
        double next_sum = sum;
        double next_compensation = compensation;
        sn_kahan_add(window->value[i], &next_sum, &next_compensation);
        if (isinf(next_sum)) {
            return running_mean(window, i, sum, compensation);
        }
        sum = next_sum;
        compensation = next_compensation;
    }
    double count = (double)window->count;
    return sum / count + compensation / count;
}

static double run_stdvar(const struct window *window) {
    double mean = 0;
    double mean_compensation = 0;
    double squares = 0;
    double squares_compensation = 0;
    for (size_t i = 0; i < window->count; i++) {
        double delta = window->value[i] - (mean + mean_compensation);
        sn_kahan_add(delta / (double)(i + 1), &mean, &mean_compensation);
        delta *= window->value[i] - (mean + mean_compensation);
        sn_kahan_add(delta, &squares, &squares_compensation);
    }
    return (squares + squares_compensation) / (double)window->count;
}

static double run_stddev(const struct window *window) {
    return sqrt(run_stdvar(window));
}

/* ---- choosing a sample ---- */

static size_t find_extreme(const struct window *window, bool is_max, bool is_last) {
    size_t best = 0;
    for (size_t i = 1; i < window->count; i++) {
        double value = window->value[i];
        double so_far = window->value[best];
        bool is_better = is_max ? value > so_far : value < so_far;
        if (is_better || isnan(so_far) || (is_last && value == so_far)) {
            best = i;
        }
    }
    return best;
}

static double run_max(const struct window *window) {
    return window->value[find_extreme(window, true, false)];
}

static double run_min(const struct window *window) {
    return window->value[find_extreme(window, false, false)];
}

static double seconds_of(const struct window *window, size_t index) {
    return (double)window->time_ms[index] / 1000;
}

static double run_ts_of_max(const struct window *window) {
    return seconds_of(window, find_extreme(window, true, true));
}

static double run_ts_of_min(const struct window *window) {
    return seconds_of(window, find_extreme(window, false, true));
}

static double run_ts_of_first(const struct window *window) {
    return seconds_of(window, 0);
}

static double run_ts_of_last(const struct window *window) {
    return seconds_of(window, window->count - 1);
}

static double run_first(const struct window *window) {
    return window->value[0];
}

static double run_last(const struct window *window) {
    return window->value[window->count - 1];
}

static double run_count(const struct window *window) {
    return (double)window->count;
}

static double run_present(const struct window *window) {
    (void)window;
    return 1;
}

/* ---- quantiles ---- */

static double *copy_to_scratch(const struct window *window) {
    memcpy(window->call->scratch, window->value, window->count * sizeof *window->value);
    return window->call->scratch;
}

static double run_quantile(const struct window *window) {
    struct range_call *call = window->call;
    sn_eval_warn_quantile(call->eval, call->node->call.args[0], window->param[0]);
    return sn_quantile(window->param[0], copy_to_scratch(window), window->count);
}

/* Median of the distances from the median; NaN when a value is. */
static double run_mad(const struct window *window) {
    double *values = copy_to_scratch(window);
    double median = sn_quantile(0.5, values, window->count);
    if (isnan(values[0])) { /* sorted: NaN would be first */
        return values[0];
    }
    for (size_t i = 0; i < window->count; i++) {
        values[i] = fabs(values[i] - median);
    }
    return sn_quantile(0.5, values, window->count);
}

/* ---- lines ---- */

struct line {
    double slope;
    double intercept; /* at the time that was asked for */
};

struct kahan {
    double sum;
    double compensation;
};

static void add_to(struct kahan *kahan, double value) {
    sn_kahan_add(value, &kahan->sum, &kahan->compensation);
}

static bool is_constant(const struct window *window) {
    for (size_t i = 1; i < window->count; i++) {
        if (window->value[i] != window->value[0]) {
            return false;
        }
    }
    return true;
}

/* Least squares. */
static struct line fit_line(const struct window *window, int64_t zero_ms) {
    struct kahan x = {0, 0}, y = {0, 0}, xy = {0, 0}, xx = {0, 0};
    if (is_constant(window)) {
        double level = window->value[0];
        return isinf(level) ? (struct line){SN_NAN, SN_NAN} : (struct line){0, level};
    }
    for (size_t i = 0; i < window->count; i++) {
        double at = (double)(window->time_ms[i] - zero_ms) / 1e3;
        add_to(&x, at);
        add_to(&y, window->value[i]);
        add_to(&xy, at * window->value[i]);
        add_to(&xx, at * at);
    }
    double n = (double)window->count;
    double sum_x = x.sum + x.compensation;
    double sum_y = y.sum + y.compensation;
    double covariance = xy.sum + xy.compensation - sum_x * sum_y / n;
    double variance = xx.sum + xx.compensation - sum_x * sum_x / n;
    double slope = covariance / variance;
    return (struct line){slope, sum_y / n - slope * sum_x / n};
}

static double run_deriv(const struct window *window) {
    return window->count < 2 ? SN_ABSENT : fit_line(window, window->time_ms[0]).slope;
}

static double run_predict_linear(const struct window *window) {
    if (window->count < 2) {
        return SN_ABSENT;
    }
    struct line line = fit_line(window, window->step_time_ms);
    return line.slope * window->param[0] + line.intercept;
}

/* Whether a factor lies inside of (0, 1); the first one that does not is the query's error. */
static bool check_factor(const struct window *window, const char *what, const char *symbol,
                         double factor) {
    struct range_call *call = window->call;
    if (factor > 0 && factor < 1) {
        return true;
    }
    if (call->status == SN_OK) {
        call->status = sn_eval_fail(call->eval, "invalid %s factor. Expected: 0 < %s < 1, got: %s",
                                    what, symbol, sn_eval_fixed_text(call->eval, factor));
    }
    return false;
}

/* Holt-Winters without seasons. */
static double run_smoothing(const struct window *window) {
    double level_factor = window->param[0];
    double trend_factor = window->param[1];
    if (!check_factor(window, "smoothing", "sf", level_factor) ||
        !check_factor(window, "trend", "tf", trend_factor) || window->count < 2) {
        return SN_ABSENT;
    }
    double before = 0;
    double level = window->value[0];
    double trend = window->value[1] - window->value[0];
    for (size_t i = 1; i < window->count; i++) {
        if (i > 1) {
            trend = trend_factor * (level - before) + (1 - trend_factor) * trend;
        }
        double next = level_factor * window->value[i] + (1 - level_factor) * (level + trend);
        before = level;
        level = next;
    }
    return level;
}

/* ---- table ---- */

static const struct kernel kernels[SN_FN_COUNT] = {
    [SN_FN_AVG_OVER_TIME] = {.run = run_avg},
    [SN_FN_CHANGES] = {.run = run_changes},
    [SN_FN_COUNT_OVER_TIME] = {.run = run_count},
    [SN_FN_DELTA] = {.run = run_delta},
    [SN_FN_DERIV] = {.run = run_deriv},
    [SN_FN_DOUBLE_EXPONENTIAL_SMOOTHING] = {.run = run_smoothing},
    [SN_FN_FIRST_OVER_TIME] = {.run = run_first, .keeps_name = true},
    [SN_FN_IDELTA] = {.run = run_idelta},
    [SN_FN_INCREASE] = {.run = run_increase},
    [SN_FN_IRATE] = {.run = run_irate},
    [SN_FN_LAST_OVER_TIME] = {.run = run_last, .keeps_name = true},
    [SN_FN_MAD_OVER_TIME] = {.run = run_mad, .wants_scratch = true},
    [SN_FN_MAX_OVER_TIME] = {.run = run_max},
    [SN_FN_MIN_OVER_TIME] = {.run = run_min},
    [SN_FN_PREDICT_LINEAR] = {.run = run_predict_linear, .wants_step_time = true},
    [SN_FN_PRESENT_OVER_TIME] = {.run = run_present},
    [SN_FN_QUANTILE_OVER_TIME] = {.run = run_quantile, .matrix_index = 1, .wants_scratch = true},
    [SN_FN_RATE] = {.run = run_rate},
    [SN_FN_RESETS] = {.run = run_resets},
    [SN_FN_STDDEV_OVER_TIME] = {.run = run_stddev},
    [SN_FN_STDVAR_OVER_TIME] = {.run = run_stdvar},
    [SN_FN_SUM_OVER_TIME] = {.run = run_sum},
    [SN_FN_TS_OF_FIRST_OVER_TIME] = {.run = run_ts_of_first},
    [SN_FN_TS_OF_LAST_OVER_TIME] = {.run = run_ts_of_last},
    [SN_FN_TS_OF_MAX_OVER_TIME] = {.run = run_ts_of_max},
    [SN_FN_TS_OF_MIN_OVER_TIME] = {.run = run_ts_of_min},
};

bool sn_call_is_range(const struct sn_node *node) {
    return node->kind == SN_NODE_CALL && kernels[node->call.function->id].run != NULL;
}

/* ---- one series ---- */

static sn_status reserve_scratch(struct range_call *call, size_t count) {
    void *memory = NULL;
    if (!call->kernel->wants_scratch || count <= call->scratch_capacity) {
        return SN_OK;
    }
    count += count / 2;
    SN_TRY(sn_eval_alloc(call->eval, count, sizeof *call->scratch, &memory));
    call->scratch = memory;
    call->scratch_capacity = count;
    return SN_OK;
}

/* One series over many steps may be minutes of work: the query may be cancelled in between. */
static bool goes_on(struct range_call *call) {
    if (call->status == SN_OK) {
        call->status = sn_eval_check(call->eval);
    }
    return call->status == SN_OK;
}

static bool run_steps(struct range_call *call, const struct sn_series_view *view,
                      double (*run)(const struct window *), double *column) {
    const struct sn_frame *frame = call->frame;
    const struct sn_reach *reach = &call->matrix.reach;
    struct window window = {.call = call};
    bool has_value = false;
    size_t work = 0;
    for (size_t i = 0; i < frame->step_count; i++) {
        size_t begin = call->windows.begin[i];
        window.count = call->windows.end[i] - begin;
        column[i] = SN_ABSENT;
        if (window.count == 0) {
            continue;
        }
        window.time_ms = view->time_ms + begin;
        window.value = view->value + begin;
        window.counter_start_ms = view->start_ms != NULL ? view->start_ms + begin : NULL;
        window.end_ms = sn_reach_end(reach, frame, i);
        window.start_ms = window.end_ms - reach->range_ms;
        window.step_time_ms = sn_frame_time(frame, i);
        for (size_t k = 0; k < PARAMS_MAX && call->params[k] != NULL; k++) {
            window.param[k] = call->params[k][i];
        }
        column[i] = run(&window);
        has_value = has_value || !sn_is_absent(column[i]);
        work += window.count;
        if (SN_UNLIKELY(work > SN_EVAL_WORK_MAX)) {
            work = 0;
            if (!goes_on(call)) {
                break;
            }
        }
    }
    return has_value;
}

static bool run_kernel(struct range_call *call, const struct sn_series_view *view, double *column) {
    call->has_resets = view->falls;
    if (view->start_ms != NULL && uses_start(call)) {
        return run_steps(call, view, run_started, column);
    }
    return run_steps(call, view, call->kernel->run, column);
}

/* The usual differences of plain windows: see rate_steps_priv.h. */
static bool has_rate_steps(const struct range_call *call, const struct sn_series_view *view) {
    double (*run)(const struct window *) = call->kernel->run;
    bool is_counter = run == run_rate || run == run_increase;
    bool is_started = view->start_ms != NULL && uses_start(call);
    return run == run_delta || (is_counter && !view->falls && !is_started);
}

static sn_status run_rate_steps(struct range_call *call, const struct sn_series_view *view,
                                double *column, bool *ret_has_value) {
    struct sn_rate_what what = {.frame = call->frame,
                                .reach = &call->matrix.reach,
                                .range_s = call->range_s,
                                .is_counter = call->is_counter,
                                .is_rate = call->kernel->run == run_rate};
    return sn_rate_steps_fill(call->eval, &call->rate_steps, &what, view, &call->windows, column,
                              ret_has_value);
}

/* With @ all windows are the same, and so are all results unless parameters differ. */
static bool is_constant_over_steps(const struct range_call *call) {
    return call->matrix.reach.is_fixed && call->params[0] == NULL && !call->kernel->wants_step_time;
}

/* The function on the values of one step of a series that has histograms as well. */
struct mixed_call {
    struct range_call *call;
    const struct sn_series_view *view;
};

static double run_floats(void *ctx, size_t step) {
    struct mixed_call *mixed = ctx;
    struct range_call *call = mixed->call;
    struct sn_windows all = call->windows;
    struct sn_frame *frame = call->frame;
    struct sn_frame one = *frame;
    double value;
    one.start_ms = sn_frame_time(frame, step);
    one.step_count = 1;
    const double *params[PARAMS_MAX];
    for (size_t i = 0; i < PARAMS_MAX; i++) {
        params[i] = call->params[i];
        call->params[i] = params[i] != NULL ? params[i] + step : NULL;
    }
    call->frame = &one;
    call->windows = (struct sn_windows){all.begin + step, all.end + step};
    (void)run_kernel(call, mixed->view, &value);
    call->frame = frame;
    call->windows = all;
    memcpy(call->params, params, sizeof params);
    return value;
}

static sn_status run_mixed(struct range_call *call, const struct sn_series_view *view,
                           struct sn_row *row) {
    struct mixed_call ctx = {call, view};
    struct sn_series_view times = {.time_ms = view->histogram_time_ms,
                                   .count = view->histogram_count};
    void *begins = NULL;
    void *ends = NULL;
    if (call->histogram_windows.begin == NULL) {
        SN_TRY(sn_eval_alloc(call->eval, call->frame->step_count, sizeof(uint32_t), &begins));
        SN_TRY(sn_eval_alloc(call->eval, call->frame->step_count, sizeof(uint32_t), &ends));
        call->histogram_windows = (struct sn_windows){begins, ends};
    }
    sn_windows_find(call->frame, &call->matrix.reach, view, &call->windows);
    sn_windows_find(call->frame, &call->matrix.reach, &times, &call->histogram_windows);
    call->eval->stats.queryable_count +=
        sn_windows_count(&call->windows, call->frame->step_count) +
        sn_windows_count(&call->histogram_windows, call->frame->step_count);
    struct sn_range_mixed mixed = {.eval = call->eval,
                                   .node = call->node,
                                   .arg = call->node->call.args[call->matrix_index],
                                   .frame = call->frame,
                                   .reach = &call->matrix.reach,
                                   .view = view,
                                   .floats = call->windows,
                                   .histograms = call->histogram_windows,
                                   .edge = call->edge,
                                   .range_s = call->range_s,
                                   .name = call->metric_name,
                                   .run_floats = run_floats,
                                   .ctx = &ctx};
    SN_TRY(sn_range_mixed_run(&mixed, row));
    return call->status;
}

static sn_status run_series(struct range_call *call, const struct sn_series_view *view,
                            struct sn_row *row, bool *ret_has_value) {
    size_t step_count = call->frame->step_count;
    struct sn_frame one = *call->frame;
    double *column = row->value;
    SN_TRY(reserve_scratch(call, view->count));
    call->metric_name = sn_labels_get(view->labels, SN_LABEL_METRIC_NAME);
    if (view->histogram_count > 0) {
        SN_TRY(run_mixed(call, view, row));
        *ret_has_value = sn_row_has_value(call->frame, row);
        return SN_OK;
    }
    if (!is_constant_over_steps(call)) {
        if (has_rate_steps(call, view)) {
            return run_rate_steps(call, view, column, ret_has_value);
        }
        sn_windows_find(call->frame, &call->matrix.reach, view, &call->windows);
        call->eval->stats.queryable_count += sn_windows_count(&call->windows, step_count);
        *ret_has_value = run_kernel(call, view, column);
        return call->status;
    }
    struct sn_frame *all = call->frame;
    one.step_count = 1;
    call->frame = &one;
    sn_windows_find(&one, &call->matrix.reach, view, &call->windows);
    call->eval->stats.queryable_count += step_count * sn_windows_count(&call->windows, 1);
    *ret_has_value = run_kernel(call, view, column);
    call->frame = all;
    for (size_t i = 1; i < step_count; i++) {
        column[i] = column[0];
    }
    return call->status;
}

/* A counter that is not named like one is worth a word. */
static void inform_about_name(const struct range_call *call, struct sn_labels labels) {
    enum sn_function_id id = call->node->call.function->id;
    struct sn_str name = sn_labels_get(labels, SN_LABEL_METRIC_NAME);
    if ((id != SN_FN_RATE && id != SN_FN_INCREASE) || name.len == 0 ||
        sn_str_ends_with(name, SN_STR("_total")) || sn_str_ends_with(name, SN_STR("_sum")) ||
        sn_str_ends_with(name, SN_STR("_count")) || sn_str_ends_with(name, SN_STR("_bucket"))) {
        return;
    }
    sn_eval_inform(call->eval, call->node->call.args[0],
                   "metric might not be a counter, name does not end in "
                   "_total/_sum/_count/_bucket: %s",
                   sn_eval_quoted(call->eval, name));
}

/* ---- all series ---- */

static void plan_rollups(struct range_call *call) {
    call->rollup_ask = (struct sn_rollup_ask){.where = call->node->call.args[call->matrix_index],
                                              .frame = call->frame,
                                              .reach = &call->matrix.reach,
                                              .function = call->node->call.function->id};
    if (!call->matrix.is_subquery && call->edge == SN_EDGE_PLAIN) {
        call->rollup_plan = sn_rollup_plan_make(call->eval, &call->rollup_ask);
    }
}

/* One series, out of samples and rollups. */
static sn_status answer_series(struct range_call *call, size_t i, struct sn_row *row,
                               bool *ret_has_value) {
    const struct sn_rollup_plan *plan = &call->rollup_plan;
    const struct sn_rollup_ask *ask = &call->rollup_ask;
    struct sn_series_view view;
    bool is_done = false;
    uint64_t id = call->matrix.is_subquery ? 0 : call->matrix.list.items[i].id;
    if (plan->is_all) {
        SN_TRY(sn_rollup_steps_fill(call->eval, plan, ask, id, row->value, &is_done));
    }
    if (!is_done) {
        SN_TRY(sn_matrix_load(call->eval, &call->matrix, i, &view));
        SN_TRY(run_series(call, &view, row, ret_has_value));
        if (plan->width_ms == 0 || plan->is_all || row->histogram != NULL) {
            return SN_OK;
        }
        SN_TRY(sn_rollup_steps_fill(call->eval, plan, ask, id, row->value, &is_done));
    }
    *ret_has_value = sn_column_has_value(call->frame, row->value);
    return SN_OK;
}

static sn_status stream_series(struct range_call *call, const struct sn_labels *labels,
                               struct sn_row_sink sink) {
    struct sn_row row = {.is_scratch = true};
    bool is_informed = false;
    for (size_t i = 0; i < sn_matrix_count(&call->matrix); i++) {
        bool has_value;
        if (row.value == NULL) {
            SN_TRY(sn_column_new(call->eval, call->frame, &row.value));
        }
        SN_TRY(answer_series(call, i, &row, &has_value));
        if (has_value) {
            if (!is_informed && row.histogram == NULL) {
                inform_about_name(call, sn_matrix_labels(&call->matrix, i));
                is_informed = true;
            }
            row.labels = labels[i];
            SN_TRY(sink.take(sink.ctx, &row));
        }
        sn_row_drop_histograms(call->frame, &row);
    }
    sn_row_drop(call->frame, &row);
    return SN_OK;
}

/* Labels of all results, and whether some are equal. */
static sn_status make_labels(struct range_call *call, struct sn_labels **ret_labels,
                             bool *ret_has_equal) {
    struct sn_label_table table = {.count = 0};
    size_t count = sn_matrix_count(&call->matrix);
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(call->eval, count, sizeof **ret_labels, &memory));
    struct sn_labels *labels = memory;
    *ret_has_equal = false;
    for (size_t i = 0; i < count; i++) {
        size_t number;
        bool is_new;
        labels[i] = sn_matrix_labels(&call->matrix, i);
        if (call->kernel->keeps_name) {
            continue;
        }
        SN_TRY(sn_labels_drop_name(call->eval, labels[i], &labels[i]));
        SN_TRY(sn_label_table_put(call->eval, &table, labels[i], false, &number, &is_new));
        *ret_has_equal = *ret_has_equal || !is_new;
    }
    *ret_labels = labels;
    return SN_OK;
}

struct collect {
    struct sn_eval *eval;
    struct sn_frame *frame;
    struct sn_vector vector;
};

static sn_status collect_row(void *ctx, struct sn_row *row) {
    struct collect *collect = ctx;
    return sn_vector_take(collect->eval, collect->frame, &collect->vector, row);
}

/* Results that have lost what told them apart: join them before anybody sees them. */
static sn_status collect_and_join(struct range_call *call, const struct sn_labels *labels,
                                  struct sn_row_sink sink) {
    struct collect collect = {.eval = call->eval, .frame = call->frame};
    SN_TRY(stream_series(call, labels, (struct sn_row_sink){collect_row, &collect}));
    SN_TRY(sn_vector_finish(call->eval, call->frame, &collect.vector));
    for (size_t i = 0; i < collect.vector.count; i++) {
        SN_TRY(sink.take(sink.ctx, &collect.vector.rows[i]));
    }
    sn_vector_drop(call->frame, &collect.vector);
    return SN_OK;
}

static const struct kernel edge_kernel = {.run = run_edges};
static const struct kernel anchored_kernel = {.run = run_anchored};

/* Ranges with edges have their own kernels, and few functions know them. */
static sn_status choose_kernel(struct range_call *call) {
    enum sn_function_id id = call->node->call.function->id;
    const struct sn_node *arg =
        sn_node_strip_parens(call->node->call.args[call->kernel->matrix_index]);
    bool is_difference = id == SN_FN_RATE || id == SN_FN_INCREASE || id == SN_FN_DELTA;
    call->is_counter = id == SN_FN_RATE || id == SN_FN_INCREASE;
    call->edge = arg->kind == SN_NODE_MATRIX ? arg->matrix.vector->vector.edge : SN_EDGE_PLAIN;
    if (call->edge == SN_EDGE_PLAIN) {
        return SN_OK;
    }
    if (is_difference) {
        call->kernel = &edge_kernel;
        return SN_OK;
    }
    if (call->edge == SN_EDGE_SMOOTHED) {
        return sn_eval_fail(call->eval,
                            "smoothed modifier can only be used with: delta, increase, rate - not "
                            "with %s",
                            call->node->call.function->name);
    }
    if (id != SN_FN_CHANGES && id != SN_FN_RESETS) {
        return sn_eval_fail(call->eval,
                            "anchored modifier can only be used with: changes, delta, increase, "
                            "rate, resets - not with %s",
                            call->node->call.function->name);
    }
    call->kernel = &anchored_kernel;
    return SN_OK;
}

/* All arguments but the range vector are scalars. */
static sn_status eval_params(struct range_call *call) {
    const struct sn_call_node *node = &call->node->call;
    size_t count = 0;
    for (size_t i = 0; i < node->count; i++) {
        if (i != call->kernel->matrix_index && count < PARAMS_MAX) {
            double *column;
            SN_TRY(sn_eval_scalar(call->eval, node->args[i], call->frame, &column));
            call->params[count++] = column;
        }
    }
    return SN_OK;
}

sn_status sn_call_range(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                        struct sn_row_sink sink) {
    struct range_call call = {
        .eval = eval, .node = node, .kernel = &kernels[node->call.function->id], .frame = frame};
    void *begins = NULL;
    void *ends = NULL;
    struct sn_labels *labels = NULL;
    bool has_equal = false;
    call.matrix_index = call.kernel->matrix_index;
    SN_TRY(choose_kernel(&call));
    SN_TRY(eval_params(&call));
    SN_TRY(sn_matrix_open(eval, node->call.args[call.kernel->matrix_index], frame, &call.matrix));
    SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof(uint32_t), &begins));
    SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof(uint32_t), &ends));
    call.windows = (struct sn_windows){begins, ends};
    call.range_s = (double)call.matrix.reach.range_ms / 1000;
    plan_rollups(&call);
    SN_TRY(make_labels(&call, &labels, &has_equal));
    return has_equal ? collect_and_join(&call, labels, sink) : stream_series(&call, labels, sink);
}

static void clear_present(const struct sn_frame *frame, const struct sn_reach *reach,
                          const struct sn_series_view *view, struct sn_windows *windows,
                          double *column) {
    sn_windows_find(frame, reach, view, windows);
    for (size_t k = 0; k < frame->step_count; k++) {
        column[k] = windows->end[k] > windows->begin[k] ? SN_ABSENT : column[k];
    }
}

sn_status sn_call_absent_over_time(struct sn_eval *eval, const struct sn_node *node,
                                   struct sn_frame *frame, struct sn_vector *ret_vector) {
    struct sn_matrix matrix;
    struct sn_labels labels;
    double *column;
    void *begins = NULL;
    void *ends = NULL;
    SN_TRY(sn_matrix_open(eval, node->call.args[0], frame, &matrix));
    SN_TRY(sn_column_new(eval, frame, &column));
    sn_column_fill(frame, column, 1);
    SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof(uint32_t), &begins));
    SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof(uint32_t), &ends));
    struct sn_windows windows = {begins, ends};
    for (size_t i = 0; i < sn_matrix_count(&matrix); i++) {
        struct sn_series_view view;
        SN_TRY(sn_matrix_load(eval, &matrix, i, &view));
        struct sn_series_view histograms = {.time_ms = view.histogram_time_ms,
                                            .count = view.histogram_count};
        const struct sn_series_view *kinds[2] = {&view, &histograms};
        for (size_t k = 0; k < 2; k++) {
            clear_present(frame, &matrix.reach, kinds[k], &windows, column);
        }
    }
    SN_TRY(sn_labels_of_absent(eval, node->call.args[0], &labels));
    SN_TRY(sn_vector_add(eval, ret_vector, labels, column));
    return sn_vector_finish(eval, frame, ret_vector);
}
