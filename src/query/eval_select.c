/*
 * Selectors and subqueries: from the reader's samples to columns and windows.
 *
 * Each selector reads each of its series once, for all steps together. Only for src/query; one
 * thread per query.
 */
#include "query/eval_priv.h"

#include "base/mem.h"
#include "query/rollup_steps.h"

/* Times beyond this are refused, so that sums of times and durations do not overflow. */
#define TIME_MS_LIMIT (INT64_MAX / 8)

sn_status sn_frame_init(struct sn_eval *eval, struct sn_range range, int64_t step_ms,
                        struct sn_frame *ret_frame) {
    int64_t steps = range.end_ms < range.start_ms || step_ms <= 0
                        ? range.end_ms >= range.start_ms
                        : (range.end_ms - range.start_ms) / step_ms + 1;
    if (range.start_ms < -TIME_MS_LIMIT || range.end_ms > TIME_MS_LIMIT) {
        return sn_eval_fail(eval, "times of the query are out of range");
    }
    if (steps > eval->limits->steps_max) {
        return sn_err_set(eval->err, SN_ERR_LIMIT, "query has %lld steps: the limit is %lld",
                          (long long)steps, (long long)eval->limits->steps_max);
    }
    *ret_frame = (struct sn_frame){.start_ms = range.start_ms,
                                   .step_ms = step_ms > 0 ? step_ms : 1,
                                   .step_count = (size_t)steps};
    return SN_OK;
}

static sn_status resolve(struct sn_eval *eval, struct sn_duration duration, bool must_be_positive,
                         int64_t *ret_ms) {
    struct sn_duration_context context = {.step_ms = eval->step_ms,
                                          .range_ms = eval->range.end_ms - eval->range.start_ms,
                                          .must_be_positive = must_be_positive};
    return sn_duration_resolve(eval->expr, duration, &context, ret_ms, eval->err);
}

sn_status sn_reach_init(struct sn_eval *eval, const struct sn_time_shift *shift,
                        struct sn_reach *ret_reach) {
    struct sn_reach reach = {.is_fixed = shift->at != SN_AT_NONE};
    switch (shift->at) {
    case SN_AT_NONE:
        break;
    case SN_AT_TIME:
        reach.fixed_ms = shift->at_ms;
        break;
    case SN_AT_START:
        reach.fixed_ms = eval->range.start_ms;
        break;
    case SN_AT_END:
        reach.fixed_ms = eval->range.end_ms;
        break;
    }
    if (reach.fixed_ms < -TIME_MS_LIMIT || reach.fixed_ms > TIME_MS_LIMIT) {
        return sn_eval_fail(eval, "timestamp out of bounds for @ modifier");
    }
    SN_TRY(resolve(eval, shift->offset, false, &reach.offset_ms));
    *ret_reach = reach;
    return SN_OK;
}

/* All times that the windows of a frame touch: left-open, so one millisecond later at the left. */
static struct sn_range reach_range(const struct sn_reach *reach, const struct sn_frame *frame) {
    int64_t first = sn_reach_end(reach, frame, 0);
    int64_t last = sn_reach_end(reach, frame, frame->step_count - 1);
    return (struct sn_range){first - reach->range_ms - reach->before_ms + 1,
                             last + reach->after_ms};
}

static sn_status select_series(struct sn_eval *eval, const struct sn_vector_node *selector,
                               struct sn_range range, struct sn_series_list *ret_list) {
    struct sn_select select = {.matchers = selector->matchers,
                               .matcher_count = selector->matcher_count,
                               .range = range,
                               .series_max = eval->limits->series_max};
    SN_TRY(sn_eval_check(eval));
    SN_TRY(eval->reader.select(eval->reader.ctx, &select, eval->arena, ret_list, eval->err));
    eval->stats.series_count += ret_list->count;
    return SN_OK;
}

/* Selectors are read one after the other, so that one scan at a time is enough. */
static sn_status use_scan(struct sn_eval *eval, struct sn_range range) {
    bool is_open = eval->scan.reader != NULL;
    if (is_open && eval->scan.range.start_ms == range.start_ms &&
        eval->scan.range.end_ms == range.end_ms) {
        return SN_OK;
    }
    sn_scan_close(&eval->scan);
    return sn_scan_open(&eval->reader, range, &eval->scan, eval->err);
}

/* Samples that helpers are worth waking for: a millisecond or two. */
#define SAMPLES_AHEAD_MIN 200000

/* About how many samples a selection reads, at a usual distance of them. */
static bool is_long(const struct sn_series_list *list, struct sn_range range) {
    int64_t each = (range.end_ms - range.start_ms) / 15000 + 64;
    return list->count > SN_READ_BLOCK_SERIES && each < INT64_MAX / (int64_t)list->count &&
           each * (int64_t)list->count >= SAMPLES_AHEAD_MIN;
}

/* Whether helpers read this series: lists are read from their beginning to their end. */
static sn_status use_helpers(struct sn_eval *eval, const struct sn_series_list *list, size_t index,
                             struct sn_range range, bool *ret_use) {
    bool is_open = eval->ahead != NULL && sn_read_job_is_of(eval->ahead, list, range) &&
                   sn_read_job_next(eval->ahead) == index;
    if (!is_open && index == 0 && eval->pool != NULL && is_long(list, range)) {
        eval->ahead = sn_read_job_close(eval->ahead);
        SN_TRY(sn_read_job_open(eval->pool, &eval->reader, *list, range, &eval->ahead, eval->err));
        is_open = true;
    }
    *ret_use = is_open;
    return SN_OK;
}

/* Samples of one series into the scratch, stale markers included. */
static sn_status read_samples(struct sn_eval *eval, const struct sn_series_list *list, size_t index,
                              struct sn_range range) {
    uint64_t id = list->items[index].id;
    bool is_ahead;
    SN_TRY(sn_eval_check(eval));
    SN_TRY(use_helpers(eval, list, index, range, &is_ahead));
    if (is_ahead) {
        SN_TRY(sn_read_job_take(eval->ahead, &eval->samples, eval->err));
    } else {
        sn_samples_reset(&eval->samples);
        SN_TRY(use_scan(eval, range));
        SN_TRY(sn_scan_samples(&eval->scan, id, &eval->samples, eval->err));
    }
    SN_TRY(sn_histogram_input_read(eval, id, range));
    uint64_t count = eval->samples.count + eval->histograms.read.count;
    uint64_t held = count + eval->stats.point_count;
    eval->stats.sample_count += count;
    eval->stats.peak_count = held > eval->stats.peak_count ? held : eval->stats.peak_count;
    if (eval->stats.sample_count > eval->limits->samples_max) {
        return sn_err_set(eval->err, SN_ERR_LIMIT,
                          "query processing would load too many samples into memory in query "
                          "execution: the limit is %llu samples",
                          (unsigned long long)eval->limits->samples_max);
    }
    if (eval->samples.count >= UINT32_MAX) {
        return sn_err_set(eval->err, SN_ERR_LIMIT, "one series has more than %u samples",
                          UINT32_MAX - 1);
    }
    return SN_OK;
}

/* ---- walking along evenly spaced samples ---- */

/*
 * First index whose time is later than `limit`, given that it is at least `from`. Samples are
 * mostly evenly spaced: the stride of the last step is tried first.
 */
static inline size_t advance(const int64_t *time_ms, size_t count, size_t from, size_t stride,
                             int64_t limit) {
    size_t guess = from + stride;
    if (guess < count && guess > 0 && time_ms[guess - 1] <= limit) {
        if (time_ms[guess] > limit) {
            return guess;
        }
        from = guess;
    }
    while (from < count && time_ms[from] <= limit) {
        from++;
    }
    return from;
}

size_t sn_time_find_after(const int64_t *time_ms, size_t count, int64_t limit) {
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (time_ms[middle] <= limit) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

void sn_windows_find(const struct sn_frame *frame, const struct sn_reach *reach,
                     const struct sn_series_view *view, struct sn_windows *windows) {
    int64_t width_ms = reach->before_ms + reach->range_ms + reach->after_ms;
    int64_t end_ms = sn_reach_end(reach, frame, 0) + reach->after_ms;
    int64_t step_ms = reach->is_fixed ? 0 : frame->step_ms;
    size_t begin = sn_time_find_after(view->time_ms, view->count, end_ms - width_ms);
    size_t end = sn_time_find_after(view->time_ms, view->count, end_ms);
    size_t begin_stride = 0;
    size_t end_stride = 0;
    for (size_t i = 0; i < frame->step_count; i++, end_ms += step_ms) {
        size_t next_begin =
            advance(view->time_ms, view->count, begin, begin_stride, end_ms - width_ms);
        size_t next_end = advance(view->time_ms, view->count, end, end_stride, end_ms);
        begin_stride = next_begin - begin;
        end_stride = next_end - end;
        begin = next_begin;
        end = next_end;
        windows->begin[i] = (uint32_t)begin;
        windows->end[i] = (uint32_t)end;
    }
}

uint64_t sn_windows_count(const struct sn_windows *windows, size_t step_count) {
    uint64_t count = 0;
    for (size_t i = 0; i < step_count; i++) {
        count += windows->end[i] - windows->begin[i];
    }
    return count;
}

/* ---- instant vector selectors ---- */

static double start_of(const struct sn_samples *samples, size_t i) {
    return samples->has_start ? (double)samples->start_ms[i] / 1000 : 0;
}

/* The newest sample of each step's lookback, as its value or as one of its times in seconds. */
static void fill_column(const struct sn_eval *eval, const struct sn_frame *frame,
                        const struct sn_reach *reach, enum sn_select_what what, double *column) {
    const struct sn_samples *samples = &eval->samples;
    int64_t at_ms = sn_reach_end(reach, frame, 0);
    int64_t step_ms = reach->is_fixed ? 0 : frame->step_ms;
    size_t next = sn_time_find_after(samples->time_ms, samples->count, at_ms);
    size_t stride = 0;
    for (size_t i = 0; i < frame->step_count; i++, at_ms += step_ms) {
        size_t found = advance(samples->time_ms, samples->count, next, stride, at_ms);
        stride = found - next;
        next = found;
        column[i] = SN_ABSENT;
        if (next == 0 || samples->time_ms[next - 1] <= at_ms - reach->range_ms) {
            continue;
        }
        column[i] = samples->value[next - 1]; /* a stale marker says absent by itself */
        if (what != SN_SELECT_VALUE && !sn_is_stale(column[i])) {
            column[i] = what == SN_SELECT_START ? start_of(samples, next - 1)
                                                : (double)samples->time_ms[next - 1] / 1000;
        }
    }
}

/* Close the gaps that stale markers leave. */
static void remove_stale(struct sn_samples *samples) {
    size_t kept = 0;
    for (size_t i = 0; i < samples->count; i++) {
        if (!sn_is_stale(samples->value[i])) {
            samples->time_ms[kept] = samples->time_ms[i];
            if (samples->has_start) {
                samples->start_ms[kept] = samples->start_ms[i];
            }
            samples->value[kept++] = samples->value[i];
        }
    }
    samples->count = kept;
}

/* The value at a time between two samples; the last one where none follows. */
static double interpolate(const struct sn_samples *samples, int64_t at_ms, int64_t lookback_ms) {
    size_t next = sn_time_find_after(samples->time_ms, samples->count, at_ms - 1);
    bool has_next = next < samples->count && samples->time_ms[next] <= at_ms + lookback_ms;
    bool has_before = next > 0 && samples->time_ms[next - 1] > at_ms - lookback_ms;
    if (has_next && samples->time_ms[next] == at_ms) {
        return samples->value[next];
    }
    if (!has_before) {
        return SN_ABSENT;
    }
    double before = samples->value[next - 1];
    if (!has_next) {
        return before;
    }
    return before + (samples->value[next] - before) * (double)(at_ms - samples->time_ms[next - 1]) /
                        (double)(samples->time_ms[next] - samples->time_ms[next - 1]);
}

struct select_job {
    const struct sn_node *node;
    struct sn_frame *frame;
    enum sn_select_what what;
};

static sn_status fill_smoothed(struct sn_eval *eval, const struct select_job *job,
                               const struct sn_reach *reach, struct sn_row *row) {
    remove_stale(&eval->samples);
    for (size_t i = 0; i < job->frame->step_count; i++) {
        row->value[i] =
            interpolate(&eval->samples, sn_reach_end(reach, job->frame, i), reach->range_ms);
    }
    return sn_select_smoothed(eval, job->node, job->frame, reach, row);
}

static sn_status fill_row(struct sn_eval *eval, const struct select_job *job,
                          const struct sn_reach *reach, struct sn_row *row) {
    fill_column(eval, job->frame, reach, job->what, row->value);
    return sn_select_histograms(eval, job->frame, reach, job->what, row);
}

static uint64_t count_values(const struct sn_frame *frame, const struct sn_row *row) {
    uint64_t count = 0;
    for (size_t i = 0; i < frame->step_count; i++) {
        count += !sn_row_is_absent(row, i);
    }
    return count;
}

/* How rollups stand in for samples of a selector. */
struct rollup_use {
    struct sn_rollup_ask ask;
    struct sn_rollup_plan plan;
};

static void plan_rollups(const struct sn_eval *eval, const struct select_job *job,
                         const struct sn_reach *reach, struct rollup_use *use) {
    use->ask = (struct sn_rollup_ask){.where = job->node,
                                      .frame = job->frame,
                                      .reach = reach,
                                      .is_instant = true,
                                      .wants_time = job->what == SN_SELECT_TIME};
    bool is_plain = reach->after_ms == 0 && job->node->vector.edge == SN_EDGE_PLAIN &&
                    (job->what == SN_SELECT_VALUE || job->what == SN_SELECT_TIME);
    use->plan =
        is_plain ? sn_rollup_plan_make(eval, &use->ask) : (struct sn_rollup_plan){.width_ms = 0};
}

/* One series of a selector, out of samples and rollups. */
static sn_status select_row(struct sn_eval *eval, const struct select_job *job,
                            const struct sn_series_list *list, size_t i,
                            const struct rollup_use *use, struct sn_row *row) {
    const struct sn_reach *reach = use->ask.reach;
    bool is_smoothed = reach->after_ms > 0;
    bool is_done = false;
    uint64_t id = list->items[i].id;
    if (use->plan.is_all) {
        SN_TRY(sn_rollup_steps_fill(eval, &use->plan, &use->ask, id, row->value, &is_done));
    }
    if (is_done) {
        return SN_OK;
    }
    SN_TRY(read_samples(eval, list, i, reach_range(reach, job->frame)));
    SN_TRY(is_smoothed ? fill_smoothed(eval, job, reach, row) : fill_row(eval, job, reach, row));
    if (use->plan.width_ms != 0 && !use->plan.is_all && row->histogram == NULL) {
        SN_TRY(sn_rollup_steps_fill(eval, &use->plan, &use->ask, id, row->value, &is_done));
    }
    return SN_OK;
}

static sn_status select_rows(struct sn_eval *eval, const struct select_job *job,
                             struct sn_row_sink sink) {
    const struct sn_vector_node *selector = &job->node->vector;
    struct sn_series_list list = {.count = 0};
    struct sn_reach reach = {.range_ms = 0};
    SN_TRY(sn_reach_init(eval, &selector->shift, &reach));
    reach.range_ms = eval->lookback_ms;
    bool is_smoothed = selector->edge == SN_EDGE_SMOOTHED && job->what == SN_SELECT_VALUE;
    reach.after_ms = is_smoothed ? eval->lookback_ms : 0;
    struct sn_range range = reach_range(&reach, job->frame);
    SN_TRY(select_series(eval, selector, range, &list));
    struct sn_row row = {.is_scratch = true};
    struct rollup_use use;
    plan_rollups(eval, job, &reach, &use);
    for (size_t i = 0; i < list.count; i++) {
        if (row.value == NULL) {
            SN_TRY(sn_column_new(eval, job->frame, &row.value));
        }
        row.labels = list.items[i].labels;
        SN_TRY(select_row(eval, job, &list, i, &use, &row));
        uint64_t count = count_values(job->frame, &row);
        if (count == 0) {
            continue;
        }
        eval->stats.queryable_count += count;
        SN_TRY(sink.take(sink.ctx, &row));
        sn_row_drop_histograms(job->frame, &row);
    }
    sn_row_drop(job->frame, &row);
    return SN_OK;
}

sn_status sn_select_stream(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                           struct sn_row_sink sink) {
    struct select_job job = {node, frame, SN_SELECT_VALUE};
    return select_rows(eval, &job, sink);
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

sn_status sn_select_times(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                          enum sn_select_what what, struct sn_vector *ret_vector) {
    struct select_job job = {node, frame, what};
    struct collect collect = {.eval = eval, .frame = frame};
    SN_TRY(select_rows(eval, &job, (struct sn_row_sink){collect_row, &collect}));
    *ret_vector = collect.vector;
    return SN_OK;
}

/* ---- range vectors ---- */

static sn_status open_selector(struct sn_eval *eval, const struct sn_node *node,
                               const struct sn_frame *frame, struct sn_matrix *matrix) {
    const struct sn_vector_node *selector = &node->matrix.vector->vector;
    SN_TRY(sn_reach_init(eval, &selector->shift, &matrix->reach));
    SN_TRY(resolve(eval, node->matrix.range, true, &matrix->reach.range_ms));
    matrix->reach.before_ms = selector->edge != SN_EDGE_PLAIN ? eval->lookback_ms : 0;
    matrix->reach.after_ms = selector->edge == SN_EDGE_SMOOTHED ? eval->lookback_ms : 0;
    matrix->read = reach_range(&matrix->reach, frame);
    return select_series(eval, selector, matrix->read, &matrix->list);
}

/* First multiple of step_ms after `after_ms`. Division rounds towards zero. */
static int64_t first_aligned(int64_t after_ms, int64_t step_ms) {
    int64_t aligned = after_ms / step_ms * step_ms;
    return aligned <= after_ms ? aligned + step_ms : aligned;
}

static sn_status open_subquery(struct sn_eval *eval, const struct sn_node *node,
                               const struct sn_frame *frame, struct sn_matrix *matrix) {
    const struct sn_subquery_node *subquery = &node->subquery;
    int64_t step_ms;
    SN_TRY(sn_reach_init(eval, &subquery->shift, &matrix->reach));
    SN_TRY(resolve(eval, subquery->range, true, &matrix->reach.range_ms));
    SN_TRY(resolve(eval, subquery->step, false, &step_ms));
    if (step_ms <= 0) {
        step_ms = eval->subquery_step_ms;
    }
    struct sn_range all = reach_range(&matrix->reach, frame);
    all.start_ms = first_aligned(all.start_ms - 1, step_ms);
    SN_TRY(sn_frame_init(eval, all, step_ms, &matrix->vector_frame));
    matrix->is_subquery = true;
    if (matrix->vector_frame.step_count == 0) {
        return SN_OK;
    }
    void *times = NULL;
    void *values = NULL;
    size_t count = matrix->vector_frame.step_count;
    SN_TRY(sn_eval_alloc(eval, count, sizeof *matrix->time_ms, &times));
    SN_TRY(sn_eval_alloc(eval, count, sizeof *matrix->value, &values));
    matrix->time_ms = times;
    matrix->value = values;
    bool wanted_resets = eval->wants_resets;
    eval->wants_resets = false;
    SN_TRY(sn_eval_vector(eval, subquery->child, &matrix->vector_frame, &matrix->vector));
    eval->wants_resets = wanted_resets;
    return SN_OK;
}

sn_status sn_matrix_open(struct sn_eval *eval, const struct sn_node *node, struct sn_frame *frame,
                         struct sn_matrix *ret_matrix) {
    struct sn_matrix matrix = {.is_subquery = false};
    node = sn_node_strip_parens(node);
    if (node->kind == SN_NODE_SUBQUERY) {
        SN_TRY(open_subquery(eval, node, frame, &matrix));
    } else {
        SN_TRY(open_selector(eval, node, frame, &matrix));
    }
    *ret_matrix = matrix;
    return SN_OK;
}

size_t sn_matrix_count(const struct sn_matrix *matrix) {
    return matrix->is_subquery ? matrix->vector.count : matrix->list.count;
}

struct sn_labels sn_matrix_labels(const struct sn_matrix *matrix, size_t index) {
    return matrix->is_subquery ? matrix->vector.rows[index].labels
                               : matrix->list.items[index].labels;
}

/* What one pass over the values tells. */
struct scan {
    bool has_stale;
    bool falls;
};

/* Two values at a time; comparing gives all ones for true. */
typedef double two_values __attribute__((vector_size(16)));
typedef int64_t two_answers __attribute__((vector_size(16)));

static inline two_values load_two(const double *value) {
    two_values two;
    memcpy(&two, value, sizeof two);
    return two;
}

static bool has_stale(const double *value, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (sn_is_stale(value[i])) {
            return true;
        }
    }
    return false;
}

static struct scan scan_values(const double *value, size_t count) {
    two_answers falls = {0, 0};
    two_answers is_nan = {0, 0};
    size_t i = 1;
    for (; i + 2 <= count; i += 2) {
        two_values now = load_two(value + i);
        falls |= (two_answers)(now < load_two(value + i - 1));
        is_nan |= (two_answers)(now != now);
    }
    struct scan scan = {.falls = (falls[0] | falls[1]) != 0};
    if (i < count) {
        scan.falls |= value[i] < value[i - 1];
    }
    /* A stale marker is a NaN, and most series have none of either. */
    bool may_be_stale = (is_nan[0] | is_nan[1]) != 0 || (count > 0 && isnan(value[0])) ||
                        (i < count && isnan(value[i]));
    scan.has_stale = may_be_stale && has_stale(value, count);
    return scan;
}

static void load_row(struct sn_matrix *matrix, size_t index, struct sn_series_view *view) {
    const struct sn_frame *frame = &matrix->vector_frame;
    const double *column = matrix->vector.rows[index].value;
    size_t count = 0;
    for (size_t i = 0; i < frame->step_count; i++) {
        if (!sn_is_absent(column[i])) {
            matrix->time_ms[count] = sn_frame_time(frame, i);
            matrix->value[count++] = column[i];
        }
    }
    view->time_ms = matrix->time_ms;
    view->value = matrix->value;
    view->start_ms = NULL;
    view->count = count;
}

sn_status sn_matrix_load(struct sn_eval *eval, struct sn_matrix *matrix, size_t index,
                         struct sn_series_view *ret_view) {
    ret_view->labels = sn_matrix_labels(matrix, index);
    if (matrix->is_subquery) {
        SN_TRY(sn_eval_check(eval));
        load_row(matrix, index, ret_view);
        ret_view->falls = scan_values(ret_view->value, ret_view->count).falls;
        SN_TRY(sn_histogram_input_take(eval, &matrix->vector_frame, &matrix->vector.rows[index]));
        sn_histogram_input_view(eval, ret_view);
        return SN_OK;
    }
    SN_TRY(read_samples(eval, &matrix->list, index, matrix->read));
    struct scan scan = scan_values(eval->samples.value, eval->samples.count);
    if (scan.has_stale) {
        remove_stale(&eval->samples);
        scan = scan_values(eval->samples.value, eval->samples.count);
    }
    ret_view->falls = scan.falls;
    ret_view->time_ms = eval->samples.time_ms;
    ret_view->value = eval->samples.value;
    ret_view->start_ms = eval->samples.has_start ? eval->samples.start_ms : NULL;
    ret_view->count = eval->samples.count;
    sn_histogram_input_view(eval, ret_view);
    return SN_OK;
}
