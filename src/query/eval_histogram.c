/*
 * Histograms of series: from the reader to windows and steps.
 *
 * A reset hint says what the writer knew. What the evaluator goes by is found here once per series:
 * whether a histogram, read as a counter, fell since the one before. Hints are then those that
 * Prometheus' storage gives back: "not reset" behind a neighbour that is no larger, else unknown.
 *
 * Only for src/query; one thread per query.
 */
#include "query/eval_priv.h"

#include "base/mem.h"

#define INPUT_CAPACITY_MIN 64

sn_status sn_eval_histogram_status(struct sn_eval *eval, sn_status status) {
    if (status != SN_OK) {
        return sn_err_set(eval->err, status,
                          "no memory for histograms: the limit of the query is %zu bytes",
                          eval->arena->limit);
    }
    return SN_OK;
}

void sn_histogram_input_init(struct sn_histogram_input *input, size_t memory_max) {
    *input = (struct sn_histogram_input){.count = 0};
    sn_histograms_init(&input->read, memory_max);
}

void sn_histogram_input_release(struct sn_histogram_input *input) {
    sn_histograms_release(&input->read);
    sn_free(input->items);
    sn_free(input->time_ms);
    sn_free(input->start_ms);
    sn_free(input->is_reset);
    *input = (struct sn_histogram_input){.count = 0};
}

static sn_status input_reserve(struct sn_histogram_input *input, size_t count) {
    if (count <= input->capacity) {
        return SN_OK;
    }
    size_t capacity = count < INPUT_CAPACITY_MIN ? INPUT_CAPACITY_MIN : count + count / 2;
    void *items = sn_realloc_array(input->items, capacity, sizeof *input->items);
    input->items = items != NULL ? items : input->items;
    void *times = sn_realloc_array(input->time_ms, capacity, sizeof *input->time_ms);
    input->time_ms = times != NULL ? times : input->time_ms;
    void *starts = sn_realloc_array(input->start_ms, capacity, sizeof *input->start_ms);
    input->start_ms = starts != NULL ? starts : input->start_ms;
    void *resets = sn_realloc_array(input->is_reset, capacity, sizeof *input->is_reset);
    input->is_reset = resets != NULL ? resets : input->is_reset;
    if (items == NULL || times == NULL || starts == NULL || resets == NULL) {
        return SN_ERR_NO_MEMORY;
    }
    input->capacity = capacity;
    return SN_OK;
}

static void input_add(struct sn_histogram_input *input, const struct sn_histogram *histogram,
                      int64_t time_ms, int64_t start_ms) {
    input->items[input->count] = histogram;
    input->time_ms[input->count] = time_ms;
    input->start_ms[input->count] = start_ms;
    input->is_reset[input->count++] = false;
}

static sn_status find_reset(struct sn_eval *eval, size_t index) {
    struct sn_histogram_input *input = &eval->histograms;
    return sn_eval_histogram_status(
        eval, sn_histogram_detect_reset(input->items[index], input->items[index - 1], eval->sums,
                                        eval->arena, &input->is_reset[index]));
}

/* ---- from the reader ---- */

static bool has_float_between(const struct sn_samples *samples, int64_t from_ms, int64_t to_ms) {
    size_t next = sn_time_find_after(samples->time_ms, samples->count, from_ms);
    return next < samples->count && samples->time_ms[next] < to_ms;
}

/* Bounds of custom buckets that differ begin a new run of histograms, too. */
static bool is_same_kind(const struct sn_histogram *a, const struct sn_histogram *b) {
    if (sn_histogram_is_custom(a) != sn_histogram_is_custom(b) ||
        a->custom_bound_count != b->custom_bound_count || b->reset_hint == SN_RESET_GAUGE) {
        return false;
    }
    for (uint32_t i = 0; i < a->custom_bound_count; i++) {
        if (a->custom_bounds[i] != b->custom_bounds[i]) {
            return false;
        }
    }
    return true;
}

static enum sn_counter_reset_hint hint_of(const struct sn_eval *eval, size_t index, bool is_next) {
    const struct sn_histogram_input *input = &eval->histograms;
    const struct sn_histogram *now = input->items[index];
    if (now->reset_hint == SN_RESET_GAUGE) {
        return SN_RESET_GAUGE;
    }
    if (index == 0) {
        return SN_RESET_UNKNOWN;
    }
    if (eval->wants_resets) {
        return input->is_reset[index] ? SN_RESET_YES : SN_RESET_NO;
    }
    bool continues =
        is_next && !input->is_reset[index] && is_same_kind(now, input->items[index - 1]) &&
        !has_float_between(&eval->samples, input->time_ms[index - 1], input->time_ms[index]);
    return continues ? SN_RESET_NO : SN_RESET_UNKNOWN;
}

static sn_status take_read(struct sn_eval *eval) {
    struct sn_histogram_input *input = &eval->histograms;
    bool is_next = false; /* no stale marker since the one before */
    SN_TRY(sn_eval_histogram_status(eval, input_reserve(input, input->read.count)));
    for (size_t i = 0; i < input->read.count; i++) {
        struct sn_histogram *histogram = &input->read.items[i];
        if (sn_is_stale(histogram->sum)) {
            is_next = false;
            continue;
        }
        input_add(input, histogram, input->read.time_ms[i], input->read.start_ms[i]);
        if (input->count > 1) {
            SN_TRY(find_reset(eval, input->count - 1));
        }
        histogram->reset_hint = hint_of(eval, input->count - 1, is_next);
        is_next = true;
    }
    return SN_OK;
}

sn_status sn_histogram_input_read(struct sn_eval *eval, uint64_t series_id, struct sn_range range) {
    struct sn_histogram_input *input = &eval->histograms;
    const struct sn_reader *reader = &eval->reader;
    input->count = 0;
    if (reader->histograms == NULL) {
        return SN_OK;
    }
    if (input->read.count > 0) {
        sn_histograms_reset(&input->read);
    }
    SN_TRY(reader->histograms(reader->ctx, series_id, range, &input->read, eval->err));
    return input->read.count > 0 ? take_read(eval) : SN_OK;
}

/* ---- from a row ---- */

static sn_status take_without_hint(struct sn_eval *eval, const struct sn_histogram *histogram,
                                   int64_t time_ms) {
    struct sn_histogram *copy = sn_arena_alloc(&eval->histograms.read.arena, sizeof *copy);
    if (copy == NULL) {
        return sn_eval_histogram_status(eval, SN_ERR_LIMIT);
    }
    *copy = *histogram;
    copy->reset_hint = copy->reset_hint == SN_RESET_GAUGE ? SN_RESET_GAUGE : SN_RESET_UNKNOWN;
    input_add(&eval->histograms, copy, time_ms, 0);
    return SN_OK;
}

sn_status sn_histogram_input_take(struct sn_eval *eval, const struct sn_frame *frame,
                                  const struct sn_row *row) {
    struct sn_histogram_input *input = &eval->histograms;
    input->count = 0;
    if (row->histogram == NULL) {
        return SN_OK;
    }
    sn_histograms_reset(&input->read);
    SN_TRY(sn_eval_histogram_status(eval, input_reserve(input, frame->step_count)));
    for (size_t i = 0; i < frame->step_count; i++) {
        if (row->histogram[i] == NULL) {
            continue;
        }
        SN_TRY(take_without_hint(eval, row->histogram[i], sn_frame_time(frame, i)));
        if (input->count > 1) {
            SN_TRY(find_reset(eval, input->count - 1));
        }
    }
    return SN_OK;
}

void sn_histogram_input_view(const struct sn_eval *eval, struct sn_series_view *view) {
    const struct sn_histogram_input *input = &eval->histograms;
    view->histogram = input->items;
    view->histogram_time_ms = input->time_ms;
    view->histogram_start_ms = input->start_ms;
    view->histogram_is_reset = input->is_reset;
    view->histogram_count = input->count;
}

/* ---- instant selectors ---- */

static double seconds_of(const struct sn_histograms *read, size_t index, enum sn_select_what what) {
    return (double)(what == SN_SELECT_START ? read->start_ms[index] : read->time_ms[index]) / 1000;
}

sn_status sn_select_histograms(struct sn_eval *eval, struct sn_frame *frame,
                               const struct sn_reach *reach, enum sn_select_what what,
                               struct sn_row *row) {
    const struct sn_histograms *read = &eval->histograms.read;
    const struct sn_samples *samples = &eval->samples;
    if (eval->reader.histograms == NULL || read->count == 0) {
        return SN_OK;
    }
    SN_TRY(sn_histogram_column_new(eval, frame, &row->histogram));
    for (size_t i = 0; i < frame->step_count; i++) {
        int64_t at_ms = sn_reach_end(reach, frame, i);
        size_t next = sn_time_find_after(read->time_ms, read->count, at_ms);
        size_t next_float = sn_time_find_after(samples->time_ms, samples->count, at_ms);
        if (next == 0 || read->time_ms[next - 1] <= at_ms - reach->range_ms ||
            (next_float > 0 && samples->time_ms[next_float - 1] > read->time_ms[next - 1])) {
            continue;
        }
        const struct sn_histogram *histogram = &read->items[next - 1];
        row->value[i] = SN_ABSENT;
        if (sn_is_stale(histogram->sum)) {
            continue;
        }
        if (what == SN_SELECT_INFO) {
            return sn_eval_fail(eval, "this should be an info metric, with float samples: %s",
                                sn_eval_labels_text(eval, row->labels));
        }
        if (what == SN_SELECT_VALUE) {
            row->histogram[i] = histogram;
        } else {
            row->value[i] = seconds_of(read, next - 1, what);
        }
    }
    return SN_OK;
}

/* ---- smoothed instant selectors ---- */

struct smoothing {
    struct sn_eval *eval;
    const struct sn_node *node;
    int64_t at_ms;
    int64_t lookback_ms;
};

/* The histogram at a time between two; NULL: there is none. */
static sn_status interpolate(const struct smoothing *smoothing, size_t next, struct sn_str name,
                             const struct sn_histogram **ret_histogram) {
    const struct sn_histogram_input *input = &smoothing->eval->histograms;
    int64_t at_ms = smoothing->at_ms;
    bool has_next = next < input->count && input->time_ms[next] <= at_ms + smoothing->lookback_ms;
    bool has_before = next > 0 && input->time_ms[next - 1] > at_ms - smoothing->lookback_ms;
    *ret_histogram = NULL;
    if (has_next && input->time_ms[next] == at_ms) {
        *ret_histogram = input->items[next];
        return SN_OK;
    }
    if (!has_before || !has_next) {
        *ret_histogram = has_before ? input->items[next - 1] : NULL;
        return SN_OK;
    }
    struct sn_between between = {.before = input->items[next - 1],
                                 .after = input->items[next],
                                 .share =
                                     (double)(at_ms - input->time_ms[next - 1]) /
                                     (double)(input->time_ms[next] - input->time_ms[next - 1])};
    return sn_eval_between(smoothing->eval, smoothing->node, name, &between, ret_histogram);
}

static bool has_within(const int64_t *time_ms, size_t count, const struct smoothing *smoothing) {
    size_t next = sn_time_find_after(time_ms, count, smoothing->at_ms - smoothing->lookback_ms);
    return next < count && time_ms[next] <= smoothing->at_ms + smoothing->lookback_ms;
}

sn_status sn_select_smoothed(struct sn_eval *eval, const struct sn_node *node,
                             struct sn_frame *frame, const struct sn_reach *reach,
                             struct sn_row *row) {
    const struct sn_histogram_input *input = &eval->histograms;
    struct sn_str name = sn_labels_get(row->labels, SN_LABEL_METRIC_NAME);
    if (input->count == 0) {
        return SN_OK;
    }
    SN_TRY(sn_histogram_column_new(eval, frame, &row->histogram));
    for (size_t i = 0; i < frame->step_count; i++) {
        struct smoothing smoothing = {eval, node, sn_reach_end(reach, frame, i), reach->range_ms};
        if (!has_within(input->time_ms, input->count, &smoothing)) {
            continue;
        }
        if (has_within(eval->samples.time_ms, eval->samples.count, &smoothing)) {
            row->value[i] = SN_ABSENT;
            sn_eval_note(eval, node, SN_NOTE_MIXED_FLOATS, name);
            continue;
        }
        size_t next = sn_time_find_after(input->time_ms, input->count, smoothing.at_ms - 1);
        SN_TRY(interpolate(&smoothing, next, name, &row->histogram[i]));
    }
    return SN_OK;
}

/* ---- arithmetic ---- */

sn_status sn_eval_scale_histogram(struct sn_eval *eval, const struct sn_histogram *histogram,
                                  double factor, bool divides,
                                  const struct sn_histogram **ret_histogram) {
    struct sn_histogram_sum *sum = &eval->sums[0];
    SN_TRY(sn_eval_histogram_status(eval, sn_histogram_sum_set(sum, histogram, eval->arena)));
    if (divides) {
        sn_histogram_sum_divide(sum, factor);
    } else {
        sn_histogram_sum_scale(sum, factor);
    }
    return sn_eval_histogram_status(eval,
                                    sn_histogram_sum_finish(sum, true, eval->arena, ret_histogram));
}

/* before + (after - before) * share; a counter that was reset in between starts at zero. */
sn_status sn_eval_between(struct sn_eval *eval, const struct sn_node *where, struct sn_str name,
                          const struct sn_between *between,
                          const struct sn_histogram **ret_histogram) {
    struct sn_histogram_sum *sum = &eval->sums[0];
    unsigned events = 0;
    *ret_histogram = NULL;
    SN_TRY(sn_eval_histogram_status(eval, sn_histogram_sum_set(sum, between->after, eval->arena)));
    if (!between->is_reset) {
        SN_TRY(sn_eval_histogram_status(
            eval,
            sn_histogram_sum_add(sum, between->before, -1, &eval->sums[1], eval->arena, &events)));
        sn_eval_note_events(eval, where, name, events & ~(unsigned)SN_HISTOGRAM_COLLISION,
                            "subtraction");
        if ((events & SN_HISTOGRAM_INCOMPATIBLE) != 0) {
            return SN_OK;
        }
    }
    sn_histogram_sum_scale(sum, between->share);
    if (!between->is_reset) {
        events = 0;
        SN_TRY(sn_eval_histogram_status(
            eval,
            sn_histogram_sum_add(sum, between->before, 1, &eval->sums[1], eval->arena, &events)));
        sn_eval_note_events(eval, where, name, events & ~(unsigned)SN_HISTOGRAM_COLLISION,
                            "addition");
    }
    return sn_eval_histogram_status(eval,
                                    sn_histogram_sum_finish(sum, true, eval->arena, ret_histogram));
}
