/*
 * Counters whose start is known: what they counted before the first sample is not lost, and a reset
 * is seen even when the counter has grown beyond its old value since.
 *
 * Pure functions; any thread.
 */
#include "query/range_priv.h"

bool sn_counter_restarted(const struct sn_counter_step *step) {
    if (step->start_ms == 0 || step->start_ms >= step->time_ms) {
        return false; /* not known, or nonsense */
    }
    if (step->start_ms != step->before_ms) {
        return step->start_ms > step->before_ms;
    }
    /*
     * It begins where the sample before stands: a series of differences, or one whose start is not
     * known and was set to its first sample. In the latter case that sample has no start of its own.
     */
    return step->before_start_ms != 0 && step->before_start_ms < step->before_ms;
}

bool sn_counter_overlaps(const struct sn_counter_step *step) {
    return step->start_ms != 0 && step->start_ms < step->before_ms &&
           step->start_ms != step->before_start_ms;
}

int64_t sn_start_in_window(int64_t start_ms, int64_t window_start_ms, int64_t first_ms) {
    return start_ms != 0 && start_ms > window_start_ms && start_ms < first_ms ? start_ms : 0;
}

static double seconds(int64_t from_ms, int64_t to_ms) {
    return (double)(to_ms - from_ms) / 1000;
}

/* Seconds before the first sample for which the counter is believed to have existed. */
static double gap_before(const struct sn_extrapolation *e, double sampled_s, double average_s) {
    double gap = seconds(e->window_start_ms, e->first_ms);
    if (gap >= average_s * 1.1) {
        gap = average_s / 2;
    }
    if (e->increase > 0 && e->first_value >= 0) {
        double to_zero = sampled_s * (e->first_value / e->increase);
        gap = to_zero < gap ? to_zero : gap;
    }
    return gap;
}

double sn_extrapolation_factor(const struct sn_extrapolation *e) {
    double sampled_s = seconds(e->first_ms, e->last_ms);
    double average_s = e->count > 1 ? sampled_s / (double)(e->count - 1) : 0;
    double before = 0;
    double after = seconds(e->last_ms, e->window_end_ms);
    if (e->start_ms != 0) {
        sampled_s = seconds(e->start_ms, e->last_ms); /* from zero: no need to guess */
    } else {
        before = gap_before(e, sampled_s, average_s);
    }
    if (after >= average_s * 1.1) {
        after = average_s / 2;
    }
    return sampled_s == 0 ? 1 : (sampled_s + before + after) / sampled_s;
}

static struct sn_counter_step step_at(const struct sn_counter_window *window, size_t i) {
    return (struct sn_counter_step){window->start_ms[i - 1], window->time_ms[i - 1],
                                    window->start_ms[i], window->time_ms[i]};
}

static bool is_reset_at(const struct sn_counter_window *window, size_t i) {
    struct sn_counter_step step = step_at(window, i);
    return window->value[i] < window->value[i - 1] || sn_counter_restarted(&step);
}

double sn_counter_increase(const struct sn_counter_window *window, bool *ret_overlaps) {
    size_t last = window->count - 1;
    double increase = window->value[last] - window->value[0];
    struct sn_extrapolation extrapolation = {
        .first_ms = window->time_ms[0],
        .last_ms = window->time_ms[last],
        .count = window->count,
        .window_start_ms = window->window_start_ms,
        .window_end_ms = window->window_end_ms,
        .first_value = window->value[0],
        .start_ms =
            sn_start_in_window(window->start_ms[0], window->window_start_ms, window->time_ms[0]),
    };
    for (size_t i = 1; i < window->count; i++) {
        struct sn_counter_step step = step_at(window, i);
        *ret_overlaps = *ret_overlaps || sn_counter_overlaps(&step);
        increase += is_reset_at(window, i) ? window->value[i - 1] : 0;
    }
    if (last == 0 && extrapolation.start_ms == 0) {
        return SN_ABSENT;
    }
    extrapolation.increase = increase;
    if (extrapolation.start_ms != 0) {
        increase += window->value[0];
    }
    return increase * sn_extrapolation_factor(&extrapolation);
}

double sn_counter_irate(const struct sn_counter_window *window) {
    size_t last = window->count - 1;
    if (last == 0) {
        return SN_ABSENT;
    }
    double value = window->value[last];
    if (!is_reset_at(window, last)) {
        value -= window->value[last - 1];
    }
    return value / seconds(window->time_ms[last - 1], window->time_ms[last]);
}

double sn_counter_resets(const struct sn_counter_window *window) {
    size_t count = 0;
    for (size_t i = 1; i < window->count; i++) {
        count += is_reset_at(window, i);
    }
    return (double)count;
}
