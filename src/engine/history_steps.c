/*
 * Values into steps. See history_steps.h.
 */
#include "engine/history_steps.h"

#include "base/check.h"

#include <math.h>
#include <stdlib.h>

/* Distances that are looked at to find the usual one: the median of more says the same. */
#define DISTANCES_MAX 64

sn_status sn_history_steps_init(struct sn_history_steps *steps,
                                const struct sn_history_frame *frame, struct sn_arena *columns,
                                struct sn_arena *scratch, struct sn_err *err) {
    size_t count = frame->step_count;
    double *values = sn_arena_alloc(columns, 3 * count * sizeof *values);
    uint64_t *counts = sn_arena_alloc_zero(columns, count, sizeof *counts);
    int64_t *times = sn_arena_alloc(scratch, 2 * count * sizeof *times);
    if (values == NULL || counts == NULL)
        return sn_arena_failure(columns, 4 * count * sizeof *values, err);
    if (times == NULL)
        return sn_arena_failure(scratch, 2 * count * sizeof *times, err);
    for (size_t i = 0; i < 3 * count; i++)
        values[i] = (double)NAN;
    *steps = (struct sn_history_steps){
        .frame = *frame,
        .columns = {values, values + count, values + 2 * count, counts},
        .first_ms = times,
        .last_ms = times + count,
    };
    return SN_OK;
}

/*
 * Running mean instead of a sum: counters near 2^53 would lose digits in a sum. An infinity stays
 * one, and two finite extremes do not become one.
 */
static double mean_with(double mean, double value, uint64_t count) {
    double difference = value - mean;
    if (isfinite(difference))
        return mean + difference / (double)count;
    if (isinf(mean) || isinf(value))
        return mean + value; /* NaN for both infinities: there is no average */
    return mean + (value / (double)count - mean / (double)count);
}

static void add_value(struct sn_history_steps *steps, size_t step, int64_t time_ms, double value) {
    const struct sn_history_columns *to = &steps->columns;
    uint64_t count = ++to->count[step];
    steps->last_ms[step] = time_ms;
    if (count == 1) {
        steps->first_ms[step] = time_ms;
        to->min[step] = to->avg[step] = to->max[step] = value;
        return;
    }
    to->min[step] = fmin(to->min[step], value);
    to->max[step] = fmax(to->max[step], value);
    to->avg[step] = mean_with(to->avg[step], value, count);
}

/*
 * The first values of a step at once, without a division each. The mean is that of the distances from
 * the first value, so that large counters keep their digits here as well. false: there is a NaN, an
 * infinity or an extreme among them, and nothing was done.
 */
static bool add_run(struct sn_history_steps *steps, size_t step, const int64_t *time_ms,
                    const double *value, size_t count) {
    const struct sn_history_columns *to = &steps->columns;
    double least = value[0], most = value[0], sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += value[i] - value[0];
        least = value[i] < least ? value[i] : least;
        most = value[i] > most ? value[i] : most;
    }
    if (!isfinite(sum))
        return false;
    to->count[step] = count;
    to->min[step] = least;
    to->max[step] = most;
    to->avg[step] = least < most ? value[0] + sum / (double)count : value[0]; /* -0 stays -0 */
    steps->first_ms[step] = time_ms[0];
    steps->last_ms[step] = time_ms[count - 1];
    return true;
}

/* Number of leading times before a moment. */
static size_t count_before(const int64_t *time_ms, size_t count, int64_t until_ms) {
    size_t before = 0;
    while (before < count && time_ms[before] < until_ms)
        before++;
    return before;
}

void sn_history_steps_add(struct sn_history_steps *steps, const int64_t *time_ms,
                          const double *value, size_t count) {
    const struct sn_history_frame *frame = &steps->frame;
    size_t at = count_before(time_ms, count, frame->start_ms);
    while (at < count) {
        uint64_t step = (uint64_t)((time_ms[at] - frame->start_ms) / frame->step_ms);
        if (step >= frame->step_count)
            return;
        int64_t end_ms = frame->start_ms + (int64_t)(step + 1) * frame->step_ms;
        size_t run = count_before(time_ms + at, count - at, end_ms);
        if (steps->columns.count[step] > 0 || !add_run(steps, step, time_ms + at, value + at, run))
            for (size_t i = at; i < at + run; i++)
                if (!isnan(value[i]))
                    add_value(steps, step, time_ms[i], value[i]);
        at += run;
    }
}

/* ---- hold ---- */

static int by_distance(const void *left, const void *right) {
    int64_t a = *(const int64_t *)left, b = *(const int64_t *)right;
    return (a > b) - (a < b);
}

/* The usual distance of samples, a median; 0: there is none. */
static int64_t usual_distance_ms(const struct sn_history_steps *steps) {
    int64_t distances[DISTANCES_MAX];
    const uint64_t *counts = steps->columns.count;
    size_t count = 0, filled = 0, seen = 0, previous = SIZE_MAX;
    for (size_t i = 0; i < steps->frame.step_count; i++)
        filled += counts[i] > 0;
    size_t stride = filled / DISTANCES_MAX + 1;
    for (size_t i = 0; i < steps->frame.step_count; i++) {
        if (counts[i] == 0)
            continue;
        bool is_taken = seen++ % stride == 0;
        if (is_taken && counts[i] > 1)
            distances[count++] =
                (steps->last_ms[i] - steps->first_ms[i]) / (int64_t)(counts[i] - 1);
        else if (is_taken && previous != SIZE_MAX)
            distances[count++] = steps->first_ms[i] - steps->last_ms[previous];
        previous = i;
    }
    assert(count <= DISTANCES_MAX);
    qsort(distances, count, sizeof distances[0], by_distance);
    return count > 0 ? distances[count / 2] : 0;
}

static void copy_step(const struct sn_history_columns *columns, size_t from, size_t to) {
    columns->min[to] = columns->avg[to] = columns->max[to] = columns->avg[from];
}

/* From the step behind `from` to the one before `until`; the last value of a step is its average
 * here: steps that are so short have one sample. */
static void hold_between(struct sn_history_steps *steps, size_t from, size_t until,
                         int64_t hold_ms) {
    const struct sn_history_frame *frame = &steps->frame;
    for (size_t i = from + 1; i < until; i++) {
        int64_t start_ms = frame->start_ms + (int64_t)i * frame->step_ms;
        if (start_ms - steps->last_ms[from] > hold_ms)
            return;
        copy_step(&steps->columns, from, i);
    }
}

void sn_history_steps_hold(struct sn_history_steps *steps) {
    size_t count = steps->frame.step_count, previous = SIZE_MAX;
    int64_t distance_ms = usual_distance_ms(steps);
    int64_t hold_ms = distance_ms + distance_ms / 2; /* years: it cannot overflow */
    if (hold_ms > SN_HISTORY_HOLD_MS_MAX)
        hold_ms = SN_HISTORY_HOLD_MS_MAX;
    if (hold_ms <= steps->frame.step_ms)
        return;
    for (size_t i = 0; i < count; i++) {
        if (steps->columns.count[i] == 0)
            continue;
        if (previous != SIZE_MAX)
            hold_between(steps, previous, i, hold_ms);
        previous = i;
    }
    if (previous != SIZE_MAX)
        hold_between(steps, previous, count, hold_ms);
}
