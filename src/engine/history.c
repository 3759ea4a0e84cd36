/*
 * Questions to the querier, and their answers into steps. See history.h.
 *
 *   expression -> parse -> a plain selector?
 *     yes: selector[window] at the end of each window, window by window: memory stays flat
 *     no:  one range query at a part of the step
 *   -> rows, sorted by labels, each with its steps -> hold -> answer
 */
#include "engine/history.h"

#include "base/check.h"
#include "base/limits.h"

#include <string.h>

/* Windows of a selector: the first is short, as nobody knows yet how much there is; the next ones are
 * made for so many samples, which stay in the cache: 1 MB. */
#define WINDOW_MS_FIRST INT64_C(900000)
#define WINDOW_SAMPLES 60000.0
/* A window is at most so many times the one before: there may have been few samples in that. */
#define WINDOW_GROWTH 8.0
#define WINDOW_MS_MAX (INT64_C(3650) * 86400000) /* PromQL has durations of up to 292 years */
/* Steps before the first one that find the value that is held at the start. */
#define HIDDEN_STEP_MS_MAX INT64_C(60000)
#define HIDDEN_STEPS_MAX 600

struct row {
    struct sn_labels labels;
    struct sn_history_steps steps;
};

struct work {
    const struct sn_history_source *source;
    const struct sn_history_query *query;
    struct sn_arena *arena;        /* of the answer */
    struct sn_arena table_arena;   /* of rows, and what they need until the end */
    struct sn_arena scratch;       /* of one question */
    struct sn_history_frame frame; /* with the hidden steps */
    size_t hidden_count;
    size_t visible_count;
    struct row **rows; /* [row_count], sorted by labels */
    size_t row_count, row_capacity;
    struct sn_history *history; /* being made */
    struct sn_err *err;
};

/* ---- steps ---- */

sn_status sn_history_count_steps(struct sn_range range, int64_t step_ms, size_t *ret_count,
                                 struct sn_err *err) {
    if (step_ms <= 0)
        return sn_err_set(err, SN_ERR_INVALID, "step %lld ms must be above 0", (long long)step_ms);
    if (range.end_ms < range.start_ms)
        return sn_err_set(err, SN_ERR_INVALID, "end is before start");
    /* So that no sum of a time and a step overflows. */
    if (range.start_ms < SN_TIME_MS_MIN || range.end_ms > SN_TIME_MS_MAX ||
        step_ms > SN_TIME_MS_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "times must lie between 1970 and 9999");
    int64_t count = (range.end_ms - range.start_ms) / step_ms + 1;
    if (count > SN_HISTORY_STEPS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "%lld steps, the limit is %d: use a longer step",
                          (long long)count, SN_HISTORY_STEPS_MAX);
    *ret_count = (size_t)count;
    return SN_OK;
}

/* The last moment of the last step that there can be samples at. */
static int64_t last_moment(const struct work *work) {
    int64_t last_ms =
        work->frame.start_ms + (int64_t)work->frame.step_count * work->frame.step_ms - 1;
    return last_ms < SN_TIME_MS_MAX ? last_ms : SN_TIME_MS_MAX;
}

/* ---- rows ---- */

/* Index of the row with these labels, or where it belongs. */
static size_t find_row(const struct work *work, struct sn_labels labels, bool *ret_is_found) {
    size_t begin = 0, end = work->row_count;
    *ret_is_found = false;
    while (begin < end && !*ret_is_found) {
        size_t middle = begin + (end - begin) / 2;
        int order = sn_labels_compare(work->rows[middle]->labels, labels);
        *ret_is_found = order == 0;
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return *ret_is_found ? end : begin;
}

static sn_status check_row_limits(const struct work *work) {
    size_t series_max = work->query->series_max ? work->query->series_max : SN_HISTORY_SERIES_MAX;
    size_t points_max = work->query->points_max ? work->query->points_max : SN_HISTORY_POINTS_MAX;
    size_t count = work->row_count + 1;
    if (count > series_max)
        return sn_err_set(work->err, SN_ERR_LIMIT, "more than %zu series", series_max);
    if (count * work->visible_count > points_max)
        return sn_err_set(work->err, SN_ERR_LIMIT,
                          "%zu series times %zu steps, the limit is %zu points: use a longer step",
                          count, work->visible_count, points_max);
    return SN_OK;
}

static sn_status insert_row(struct work *work, size_t at, struct sn_labels labels) {
    SN_TRY(check_row_limits(work));
    SN_TRY(sn_arena_grow(&work->table_arena, &work->rows, work->row_count, &work->row_capacity,
                         sizeof(struct row *), work->err));
    struct row *row = sn_arena_alloc(&work->table_arena, sizeof *row);
    if (row == NULL)
        return sn_arena_failure(&work->table_arena, sizeof *row, work->err);
    if (sn_labels_copy(labels, work->arena, &row->labels) != SN_OK)
        return sn_arena_failure(work->arena, labels.count * sizeof(struct sn_label), work->err);
    SN_TRY(sn_history_steps_init(&row->steps, &work->frame, work->arena, &work->table_arena,
                                 work->err));
    memmove(work->rows + at + 1, work->rows + at, (work->row_count - at) * sizeof(struct row *));
    work->rows[at] = row;
    work->row_count++;
    return SN_OK;
}

/* One series of an answer into its row. */
static sn_status take_series(struct work *work, const struct sn_result_series *series) {
    bool is_found = false;
    if (series->count == 0)
        return SN_OK;
    size_t at = find_row(work, series->labels, &is_found);
    if (!is_found)
        SN_TRY(insert_row(work, at, series->labels));
    sn_history_steps_add(&work->rows[at]->steps, series->time_ms, series->value, series->count);
    return SN_OK;
}

/* ---- questions ---- */

static sn_status keep_warnings(struct work *work, const struct sn_str *texts, size_t count) {
    struct sn_history *history = work->history;
    for (size_t i = 0; i < count; i++) {
        bool is_known = history->warning_count == SN_HISTORY_WARNINGS_MAX;
        for (size_t j = 0; j < history->warning_count; j++)
            is_known = is_known || sn_str_equal(history->warnings[j], texts[i]);
        if (is_known)
            continue;
        struct sn_str *to = &history->warnings[history->warning_count];
        if (!sn_arena_copy(work->arena, texts[i], to))
            return sn_arena_failure(work->arena, texts[i].len, work->err);
        history->warning_count++;
    }
    return SN_OK;
}

static sn_status set_deadline(const struct work *work, struct sn_query *query) {
    if (work->query->deadline_ns == 0)
        return SN_OK;
    int64_t left_ns = work->query->deadline_ns - sn_clock_mono_ns(work->source->clock);
    if (left_ns <= 0)
        return sn_err_set(work->err, SN_ERR_TIMEOUT, "history timed out");
    query->timeout_ns = left_ns;
    return SN_OK;
}

/* Ask, fold the answer into the rows, and tell how many values there were. */
static sn_status ask(struct work *work, struct sn_query query, size_t *ret_value_count) {
    const struct sn_querier *querier = &work->source->querier;
    struct sn_query_result result;
    size_t count = 0;
    query.is_cancelled = work->query->is_cancelled;
    query.long_error = work->query->long_error;
    SN_TRY(set_deadline(work, &query));
    sn_arena_reset(&work->scratch);
    SN_TRY(querier->query(querier->ctx, &query, &work->scratch, &result, work->err));
    SN_TRY(keep_warnings(work, result.warnings, result.warning_count));
    SN_TRY(keep_warnings(work, result.infos, result.info_count));
    for (size_t i = 0; i < result.series_count; i++) {
        SN_TRY(take_series(work, &result.series[i]));
        count += result.series[i].count;
    }
    *ret_value_count = count;
    return SN_OK;
}

/* Length of the next window, from what was found in the last one. */
static int64_t next_window_ms(int64_t window_ms, size_t sample_count) {
    double growth = WINDOW_SAMPLES / (sample_count > 0 ? (double)sample_count : 1);
    growth = growth > WINDOW_GROWTH ? WINDOW_GROWTH : growth;
    int64_t next_ms = (int64_t)((double)window_ms * growth);
    next_ms = next_ms < WINDOW_MS_MAX ? next_ms : WINDOW_MS_MAX;
    return next_ms > WINDOW_MS_FIRST ? next_ms : WINDOW_MS_FIRST;
}

/* selector[window]: the samples themselves. */
static sn_status read_samples(struct work *work, struct sn_str selector) {
    int64_t from_ms = work->frame.start_ms, window_ms = WINDOW_MS_FIRST;
    int64_t end_ms = last_moment(work);
    while (from_ms <= end_ms) {
        size_t count = 0;
        if (window_ms > end_ms - from_ms + 1)
            window_ms = end_ms - from_ms + 1;
        int64_t until_ms = from_ms + window_ms - 1; /* the window is open on its left */
        const char *text = sn_arena_printf(&work->table_arena, "%.*s[%lldms]", SN_STR_ARG(selector),
                                           (long long)window_ms);
        if (text == NULL)
            return sn_arena_failure(&work->table_arena, selector.len, work->err);
        const struct sn_query query = {.expression = sn_str_from(text),
                                       .range = {until_ms, until_ms}};
        SN_TRY(ask(work, query, &count));
        from_ms = until_ms + 1;
        window_ms = next_window_ms(window_ms, count);
    }
    for (size_t i = 0; i < work->row_count; i++)
        sn_history_steps_hold(&work->rows[i]->steps);
    return SN_OK;
}

/* How often an expression is evaluated in one step. */
static int64_t parts_of_a_step(const struct work *work) {
    int64_t parts = work->frame.step_ms / SN_HISTORY_RESOLUTION_MS;
    int64_t parts_max = SN_HISTORY_EVALUATIONS_MAX / (int64_t)work->frame.step_count;
    parts = parts < parts_max ? parts : parts_max;
    return parts > 1 ? parts : 1;
}

static sn_status evaluate(struct work *work) {
    size_t count = 0;
    const struct sn_query query = {
        .expression = work->query->expression,
        .range = work->query->range,
        .step_ms = work->frame.step_ms / parts_of_a_step(work),
    };
    return ask(work, query, &count);
}

/* ---- the expression ---- */

/* The selector that an expression consists of. */
static bool is_plain_selector(const struct sn_expr *expr, struct sn_str *ret_selector) {
    const struct sn_node *node = sn_node_strip_parens(expr->root);
    if (node->kind != SN_NODE_VECTOR)
        return false;
    const struct sn_vector_node *vector = &node->vector;
    if (vector->shift.at != SN_AT_NONE || vector->shift.offset.ms != 0 ||
        vector->shift.offset.expr != NULL || vector->edge != SN_EDGE_PLAIN)
        return false;
    *ret_selector =
        sn_str_make(expr->text.ptr + node->span.start, node->span.end - node->span.start);
    return true;
}

/* Hidden steps in front, for a value that was there before the start. */
static void hide_steps(struct work *work) {
    struct sn_history_frame *frame = &work->frame;
    if (frame->step_ms >= HIDDEN_STEP_MS_MAX)
        return;
    int64_t count = (SN_HISTORY_HOLD_MS_MAX + frame->step_ms - 1) / frame->step_ms;
    int64_t before = (frame->start_ms - SN_TIME_MS_MIN) / frame->step_ms;
    count = count < HIDDEN_STEPS_MAX ? count : HIDDEN_STEPS_MAX;
    count = count < before ? count : before;
    frame->start_ms -= count * frame->step_ms;
    frame->step_count += (size_t)count;
    work->hidden_count = (size_t)count;
}

static sn_status read_rows(struct work *work) {
    struct sn_expr expr;
    struct sn_str selector;
    SN_TRY(sn_expr_parse(work->query->expression, work->source->features, &work->table_arena, &expr,
                         work->err));
    enum sn_value_type type = expr.root->type;
    if (type != SN_VALUE_SCALAR && type != SN_VALUE_VECTOR)
        return sn_err_set(work->err, SN_ERR_INVALID,
                          "invalid expression type \"%s\" for history, must be Scalar or instant "
                          "Vector",
                          sn_value_type_words(type));
    if (!is_plain_selector(&expr, &selector))
        return evaluate(work);
    hide_steps(work);
    return read_samples(work, selector);
}

/* ---- the answer ---- */

static struct sn_history_columns without_hidden(const struct work *work,
                                                struct sn_history_columns columns) {
    columns.min += work->hidden_count;
    columns.avg += work->hidden_count;
    columns.max += work->hidden_count;
    columns.count += work->hidden_count;
    return columns;
}

static bool has_visible_value(const struct sn_history_columns *columns, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (columns->count[i] > 0 || columns->min[i] == columns->min[i])
            return true;
    return false;
}

/* A series that ended before the first step is no part of the answer. */
static sn_status finish(struct work *work) {
    struct sn_history *history = work->history;
    history->series = sn_arena_alloc(work->arena, work->row_count * sizeof *history->series);
    if (history->series == NULL)
        return sn_arena_failure(work->arena, work->row_count * sizeof *history->series, work->err);
    for (size_t i = 0; i < work->row_count; i++) {
        struct sn_history_columns columns = without_hidden(work, work->rows[i]->steps.columns);
        if (has_visible_value(&columns, work->visible_count))
            history->series[history->series_count++] =
                (struct sn_history_series){work->rows[i]->labels, columns};
    }
    return SN_OK;
}

sn_status sn_history_read(const struct sn_history_source *source,
                          const struct sn_history_query *query, struct sn_arena *arena,
                          struct sn_history *ret_history, struct sn_err *err) {
    struct sn_history history = {.frame = {query->range.start_ms, query->step_ms, 0}};
    SN_TRY(sn_history_count_steps(query->range, query->step_ms, &history.frame.step_count, err));
    struct work work = {
        .source = source,
        .query = query,
        .arena = arena,
        .frame = history.frame,
        .visible_count = history.frame.step_count,
        .history = &history,
        .err = err,
    };
    sn_arena_init(&work.table_arena, SN_HISTORY_ARENA_BYTES);
    sn_arena_init(&work.scratch, SN_HISTORY_SCRATCH_BYTES);
    sn_status status = read_rows(&work);
    if (status == SN_OK)
        status = finish(&work);
    sn_arena_release(&work.scratch);
    sn_arena_release(&work.table_arena);
    if (status == SN_OK)
        *ret_history = history;
    return status;
}

/* ---- texts ---- */

sn_status sn_history_selector(const struct sn_label *labels, size_t count, struct sn_arena *arena,
                              struct sn_str *ret_text, struct sn_err *err) {
    struct sn_buf buf;
    struct sn_str text = {NULL, 0};
    sn_buf_init(&buf, SN_QUERY_BYTES_MAX);
    sn_buf_put_byte(&buf, '{');
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sn_buf_put_byte(&buf, ',');
        sn_text_put_quoted(&buf, labels[i].name);
        sn_buf_put_byte(&buf, '=');
        sn_text_put_quoted(&buf, labels[i].value);
    }
    sn_buf_put_byte(&buf, '}');
    sn_status status = sn_buf_status(&buf, err);
    if (status == SN_OK && !sn_arena_copy(arena, sn_buf_str(&buf), &text))
        status = sn_arena_failure(arena, buf.len, err);
    sn_buf_release(&buf);
    if (status == SN_OK)
        *ret_text = text;
    return status;
}

int64_t sn_history_nice_step_ms(struct sn_range range, size_t points) {
    static const int64_t nice_s[] = {1,   2,   5,    10,   15,   30,    60,    120,  300,
                                     600, 900, 1800, 3600, 7200, 10800, 21600, 43200};
    assert(points > 0);
    int64_t span_ms = range.end_ms > range.start_ms ? range.end_ms - range.start_ms : 0;
    int64_t exact_ms = span_ms / (int64_t)points;
    for (size_t i = 0; i < sizeof nice_s / sizeof nice_s[0]; i++)
        if (nice_s[i] * 1000 >= exact_ms)
            return nice_s[i] * 1000;
    const int64_t day_ms = INT64_C(86400000);
    return (exact_ms + day_ms - 1) / day_ms * day_ms;
}
