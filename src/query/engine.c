/*
 * The local PromQL engine: places and queue, limits, parsing, results.
 *
 * struct sn_query_engine: fields below mu are guarded by it, the others do not change. Queries run
 * on the threads of their callers.
 */
#include "query/engine.h"

#include "base/lock.h"
#include "base/mem.h"
#include "query/eval_priv.h"

/* How soon a waiting query sees that it has been cancelled. */
#define QUEUE_SLICE_NS INT64_C(50000000)

struct sn_query_engine {
    struct sn_query_engine_options options; /* no zeros */
    atomic_bool is_stopping;
    atomic_uint running_count; /* written with mu held */
    atomic_uint waiting_count; /* written with mu held */
    struct sn_mutex mu;
    struct sn_cond changed;    /* a place is free, or is_stopping */
    struct sn_read_pool *pool; /* owned */
};

/* ---- places ---- */

/* Relaxed: read as metrics by others, decided upon with mu held only. */
static unsigned load_count(const atomic_uint *count) {
    return atomic_load_explicit(count, memory_order_relaxed);
}

static void add_count(atomic_uint *count, int change) {
    atomic_fetch_add_explicit(count, (unsigned)change, memory_order_relaxed);
}

static bool is_set(const atomic_bool *flag) {
    return flag != NULL && atomic_load_explicit(flag, memory_order_relaxed);
}

static bool has_place(const struct sn_query_engine *engine) {
    return load_count(&engine->running_count) < engine->options.limits.concurrent_max;
}

static sn_status wait_for_place_locked(struct sn_query_engine *engine,
                                       const atomic_bool *is_cancelled, int64_t deadline_ns,
                                       struct sn_err *err) SN_REQUIRES(&engine->mu) {
    while (!has_place(engine)) {
        int64_t left_ns = deadline_ns - sn_clock_mono_ns(engine->options.clock);
        if (is_set(&engine->is_stopping) || is_set(is_cancelled)) {
            return sn_err_set(err, SN_ERR_CLOSED, "query was canceled in query queue");
        }
        if (left_ns <= 0) {
            return sn_err_set(err, SN_ERR_TIMEOUT, "query timed out in query queue");
        }
        (void)sn_cond_wait_ns(&engine->changed, &engine->mu,
                              left_ns < QUEUE_SLICE_NS ? left_ns : QUEUE_SLICE_NS);
    }
    return SN_OK;
}

static sn_status take_place_locked(struct sn_query_engine *engine, const atomic_bool *is_cancelled,
                                   int64_t deadline_ns, struct sn_err *err)
    SN_REQUIRES(&engine->mu) {
    const struct sn_query_limits *limits = &engine->options.limits;
    if (is_set(&engine->is_stopping)) {
        return sn_err_set(err, SN_ERR_CLOSED, "the query engine is shutting down");
    }
    if (!has_place(engine)) {
        if (load_count(&engine->waiting_count) >= limits->queue_max) {
            return sn_err_set(err, SN_ERR_BUSY,
                              "too many queries: %u run and %u wait, which is the limit",
                              limits->concurrent_max, limits->queue_max);
        }
        add_count(&engine->waiting_count, 1);
        sn_status status = wait_for_place_locked(engine, is_cancelled, deadline_ns, err);
        add_count(&engine->waiting_count, -1);
        SN_TRY(status);
    }
    add_count(&engine->running_count, 1);
    return SN_OK;
}

static sn_status take_place(struct sn_query_engine *engine, const atomic_bool *is_cancelled,
                            int64_t deadline_ns, struct sn_err *err) {
    sn_mutex_lock(&engine->mu);
    sn_status status = take_place_locked(engine, is_cancelled, deadline_ns, err);
    if (status != SN_OK) {
        sn_cond_broadcast(&engine->changed); /* stop() may wait for the last one to leave */
    }
    sn_mutex_unlock(&engine->mu);
    return status;
}

static void give_place_back(struct sn_query_engine *engine) {
    sn_mutex_lock(&engine->mu);
    add_count(&engine->running_count, -1);
    sn_cond_broadcast(&engine->changed);
    sn_mutex_unlock(&engine->mu);
}

/* ---- results ---- */

struct output {
    struct sn_eval *eval;
    const struct sn_frame *frame;
    int64_t *times; /* [step_count] of all steps */
    struct sn_result_series *series;
    size_t count;
};

/* Where the values of a column lie: from `first` to `end`, `count` of them. */
struct extent {
    size_t first;
    size_t end;
    size_t count;
};

static struct extent find_extent(const struct sn_frame *frame, const double *column) {
    struct extent extent = {frame->step_count, 0, 0};
    for (size_t i = 0; i < frame->step_count; i++) {
        if (!sn_is_absent(column[i])) {
            extent.first = extent.count == 0 ? i : extent.first;
            extent.end = i + 1;
            extent.count++;
        }
    }
    return extent;
}

/* Move values to the front of their column, and their times to an array of their own. */
static sn_status close_gaps(struct output *output, double *column, size_t count,
                            int64_t **ret_times) {
    void *memory = NULL;
    SN_TRY(sn_eval_alloc(output->eval, count, sizeof **ret_times, &memory));
    int64_t *times = memory;
    size_t kept = 0;
    for (size_t i = 0; i < output->frame->step_count; i++) {
        if (!sn_is_absent(column[i])) {
            times[kept] = output->times[i];
            column[kept++] = column[i];
        }
    }
    *ret_times = times;
    return SN_OK;
}

static size_t count_histograms(const struct sn_frame *frame, const struct sn_row *row) {
    size_t count = 0;
    for (size_t i = 0; row->histogram != NULL && i < frame->step_count; i++) {
        count += row->histogram[i] != NULL;
    }
    return count;
}

static sn_status output_histograms(struct output *output, const struct sn_row *row,
                                   struct sn_result_series *series) {
    size_t count = count_histograms(output->frame, row);
    void *times = NULL;
    void *histograms = NULL;
    if (count == 0) {
        return SN_OK;
    }
    SN_TRY(sn_eval_alloc(output->eval, count, sizeof(int64_t), &times));
    SN_TRY(sn_eval_alloc(output->eval, count, sizeof(struct sn_histogram), &histograms));
    int64_t *time_ms = times;
    struct sn_histogram *items = histograms;
    size_t kept = 0;
    for (size_t i = 0; i < output->frame->step_count; i++) {
        if (row->histogram[i] != NULL) {
            time_ms[kept] = output->times[i];
            items[kept++] = *row->histogram[i];
        }
    }
    series->histogram_time_ms = time_ms;
    series->histograms = items;
    series->histogram_count = count;
    return SN_OK;
}

/* A series without gaps is a part of its column, and of the times that all share. */
static sn_status output_row(struct output *output, const struct sn_row *row) {
    struct extent extent = find_extent(output->frame, row->value);
    int64_t *times = output->times + extent.first;
    const double *values = row->value + extent.first;
    struct sn_result_series series = {.labels = row->labels};
    SN_TRY(output_histograms(output, row, &series));
    if (extent.count == 0 && series.histogram_count == 0) {
        return SN_OK;
    }
    if (extent.end - extent.first != extent.count) {
        SN_TRY(close_gaps(output, row->value, extent.count, &times));
        values = row->value;
    }
    series.time_ms = times;
    series.value = values;
    series.count = extent.count;
    output->series[output->count++] = series;
    return SN_OK;
}

static sn_status output_vector(struct sn_eval *eval, const struct sn_frame *frame,
                               const struct sn_vector *vector, struct sn_query_result *ret_result) {
    struct output output = {.eval = eval, .frame = frame};
    void *times = NULL;
    void *series = NULL;
    SN_TRY(sn_eval_alloc(eval, frame->step_count, sizeof *output.times, &times));
    SN_TRY(sn_eval_alloc(eval, vector->count, sizeof *output.series, &series));
    output.times = times;
    output.series = series;
    for (size_t i = 0; i < frame->step_count; i++) {
        output.times[i] = sn_frame_time(frame, i);
    }
    for (size_t i = 0; i < vector->count; i++) {
        SN_TRY(output_row(&output, &vector->rows[i]));
    }
    ret_result->series = output.series;
    ret_result->series_count = output.count;
    return SN_OK;
}

static int compare_labels(const void *ctx, const struct sn_row *a, const struct sn_row *b) {
    (void)ctx;
    return sn_labels_compare(a->labels, b->labels);
}

static sn_status output_window_histograms(struct sn_eval *eval, const struct sn_frame *frame,
                                          const struct sn_reach *reach,
                                          const struct sn_series_view *view,
                                          struct sn_result_series *series) {
    struct sn_series_view times = {.time_ms = view->histogram_time_ms,
                                   .count = view->histogram_count};
    uint32_t begin;
    uint32_t end;
    void *time_ms = NULL;
    void *histograms = NULL;
    struct sn_windows windows = {&begin, &end};
    if (view->histogram_count == 0) {
        return SN_OK;
    }
    sn_windows_find(frame, reach, &times, &windows);
    SN_TRY(sn_eval_alloc(eval, end - begin, sizeof(int64_t), &time_ms));
    SN_TRY(sn_eval_alloc(eval, end - begin, sizeof(struct sn_histogram), &histograms));
    struct sn_histogram *copies = histograms;
    for (size_t i = begin; i < end; i++) {
        SN_TRY(sn_eval_histogram_status(
            eval, sn_histogram_copy(view->histogram[i], eval->arena, &copies[i - begin])));
        ((int64_t *)time_ms)[i - begin] = view->histogram_time_ms[i];
    }
    series->histogram_time_ms = time_ms;
    series->histograms = histograms;
    series->histogram_count = end - begin;
    return SN_OK;
}

/* The samples of one window, copied: the reader's scratch is used again. */
static sn_status output_window(struct sn_eval *eval, const struct sn_frame *frame,
                               const struct sn_reach *reach, const struct sn_series_view *view,
                               struct sn_result_series *ret_series) {
    uint32_t begin;
    uint32_t end;
    void *times = NULL;
    void *values = NULL;
    struct sn_windows windows = {&begin, &end};
    sn_windows_find(frame, reach, view, &windows);
    size_t count = end - begin;
    SN_TRY(sn_eval_alloc(eval, count, sizeof(int64_t), &times));
    SN_TRY(sn_eval_alloc(eval, count, sizeof(double), &values));
    if (count > 0) {
        memcpy(times, view->time_ms + begin, count * sizeof(int64_t));
        memcpy(values, view->value + begin, count * sizeof(double));
    }
    *ret_series = (struct sn_result_series){
        .labels = view->labels, .time_ms = times, .value = values, .count = count};
    return output_window_histograms(eval, frame, reach, view, ret_series);
}

static sn_status eval_matrix(struct sn_eval *eval, struct sn_frame *frame,
                             struct sn_query_result *ret_result) {
    struct sn_matrix matrix;
    void *memory = NULL;
    size_t kept = 0;
    SN_TRY(sn_matrix_open(eval, eval->expr->root, frame, &matrix));
    size_t count = sn_matrix_count(&matrix);
    SN_TRY(sn_eval_alloc(eval, count, sizeof(struct sn_result_series), &memory));
    struct sn_result_series *series = memory;
    for (size_t i = 0; i < count; i++) {
        struct sn_series_view view;
        SN_TRY(sn_matrix_load(eval, &matrix, i, &view));
        SN_TRY(output_window(eval, frame, &matrix.reach, &view, &series[kept]));
        eval->stats.queryable_count += series[kept].count + series[kept].histogram_count;
        kept += series[kept].count > 0 || series[kept].histogram_count > 0;
    }
    ret_result->kind = SN_RESULT_MATRIX;
    ret_result->series = series;
    ret_result->series_count = kept;
    return SN_OK;
}

static sn_status eval_vector(struct sn_eval *eval, struct sn_frame *frame,
                             struct sn_query_result *ret_result) {
    struct sn_vector vector;
    SN_TRY(sn_eval_vector(eval, eval->expr->root, frame, &vector));
    ret_result->kind = eval->keeps_order ? SN_RESULT_VECTOR : SN_RESULT_MATRIX;
    if (!eval->keeps_order) {
        int64_t start_ns = sn_clock_mono_ns(eval->clock);
        SN_TRY(sn_vector_sort(eval, &vector, compare_labels, NULL));
        eval->stats.sort_ns = sn_clock_mono_ns(eval->clock) - start_ns;
    }
    return output_vector(eval, frame, &vector, ret_result);
}

/* A range query shows a scalar as a series without labels. */
static sn_status eval_scalar(struct sn_eval *eval, struct sn_frame *frame,
                             struct sn_query_result *ret_result) {
    double *column;
    SN_TRY(sn_eval_scalar(eval, eval->expr->root, frame, &column));
    if (eval->keeps_order) {
        ret_result->kind = SN_RESULT_SCALAR;
        ret_result->scalar = (struct sn_sample){frame->start_ms, column[0]};
        return SN_OK;
    }
    struct sn_row row = {.value = column};
    struct sn_vector vector = {.rows = &row, .count = 1, .capacity = 1};
    ret_result->kind = SN_RESULT_MATRIX;
    return output_vector(eval, frame, &vector, ret_result);
}

static sn_status eval_root(struct sn_eval *eval, struct sn_query_result *ret_result) {
    struct sn_frame frame;
    enum sn_value_type type = eval->expr->root->type;
    if (!eval->keeps_order && (type == SN_VALUE_STRING || type == SN_VALUE_MATRIX)) {
        return sn_eval_fail(eval,
                            "invalid expression type \"%s\" for range query, must be Scalar or "
                            "instant Vector",
                            sn_value_type_words(type));
    }
    SN_TRY(sn_frame_init(eval, eval->range, eval->step_ms, &frame));
    switch (type) {
    case SN_VALUE_SCALAR:
        return eval_scalar(eval, &frame, ret_result);
    case SN_VALUE_VECTOR:
        return eval_vector(eval, &frame, ret_result);
    case SN_VALUE_MATRIX:
        return eval_matrix(eval, &frame, ret_result);
    case SN_VALUE_STRING:
        break;
    }
    ret_result->kind = SN_RESULT_STRING;
    ret_result->string = sn_node_strip_parens(eval->expr->root)->string;
    ret_result->string_sample.time_ms = frame.start_ms;
    return SN_OK;
}

/* ---- one query ---- */

static sn_status check_query(const struct sn_query *query, struct sn_err *err) {
    if (query->range.end_ms < query->range.start_ms) {
        return sn_err_set(err, SN_ERR_INVALID, "end timestamp must not be before start time");
    }
    if (query->step_ms < 0 ||
        (query->step_ms == 0 && query->range.start_ms != query->range.end_ms)) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "zero or negative query resolution step widths are not accepted. Try a "
                          "positive integer");
    }
    if (query->timeout_ns < 0 || query->lookback_ms < 0) {
        return sn_err_set(err, SN_ERR_INVALID, "timeout and lookback must not be negative");
    }
    return SN_OK;
}

static void eval_init(struct sn_eval *eval, struct sn_query_engine *engine,
                      const struct sn_query *query) {
    const struct sn_query_engine_options *options = &engine->options;
    *eval = (struct sn_eval){.reader = options->reader,
                             .clock = options->clock,
                             .limits = &options->limits,
                             .lookback_ms =
                                 query->lookback_ms > 0 ? query->lookback_ms : options->lookback_ms,
                             .subquery_step_ms = options->subquery_step_ms,
                             .range = query->range,
                             .step_ms = query->step_ms,
                             .is_cancelled = query->is_cancelled,
                             .is_stopping = &engine->is_stopping,
                             .pool = options->helper_count > 0 ? engine->pool : NULL,
                             .seed = (uint64_t)sn_clock_mono_ns(options->clock),
                             .keeps_order = query->step_ms == 0};
    sn_samples_init(&eval->samples);
    sn_rollups_init(&eval->rollups);
    sn_histogram_input_init(&eval->histograms, options->limits.memory_bytes_max);
    sn_arena_init(&eval->row_arena, options->limits.memory_bytes_max);
}

static void finish_result(const struct sn_eval *eval, struct sn_query_result *result) {
    result->warnings = eval->warnings.items;
    result->warning_count = eval->warnings.count;
    result->infos = eval->infos.items;
    result->info_count = eval->infos.count;
    result->stats = eval->stats;
}

static sn_status eval_expr(struct sn_eval *eval, struct sn_expr *expr,
                           struct sn_query_result *ret_result) {
    int64_t start_ns = sn_clock_mono_ns(eval->clock);
    SN_TRY(sn_expr_compile(expr, eval->err));
    eval->expr = expr;
    sn_status status = eval_root(eval, ret_result);
    /* A regex that gave up matched nothing: what came out is wrong. */
    if (status == SN_OK) {
        status = sn_expr_regex_status(expr, eval->err);
    }
    eval->stats.eval_ns = sn_clock_mono_ns(eval->clock) - start_ns;
    sn_expr_release(expr);
    eval->expr = NULL;
    return status;
}

static sn_status run_query(struct sn_query_engine *engine, struct sn_eval *eval,
                           const struct sn_query *query, struct sn_query_result *ret_result) {
    struct sn_expr expr;
    int64_t start_ns = sn_clock_mono_ns(eval->clock);
    SN_TRY(
        sn_expr_parse(query->expression, &engine->options.features, eval->arena, &expr, eval->err));
    eval->stats.parse_ns = sn_clock_mono_ns(eval->clock) - start_ns;
    return eval_expr(eval, &expr, ret_result);
}

/* The arena with the engine's limit on top of what it holds already, for as long as it runs. */
static sn_status run_limited(struct sn_query_engine *engine, struct sn_eval *eval,
                             const struct sn_query *query, struct sn_query_result *ret_result) {
    struct sn_arena *arena = eval->arena;
    size_t limit = arena->limit;
    size_t used = arena->used;
    size_t memory_max = engine->options.limits.memory_bytes_max;
    if (used < limit && memory_max < limit - used) {
        arena->limit = used + memory_max;
    }
    struct sn_query_result result = {.kind = SN_RESULT_SCALAR};
    sn_status status = run_query(engine, eval, query, &result);
    arena->limit = limit;
    eval->ahead = sn_read_job_close(eval->ahead);
    sn_scan_close(&eval->scan);
    sn_samples_release(&eval->samples);
    sn_rollups_release(&eval->rollups);
    sn_histogram_input_release(&eval->histograms);
    sn_arena_release(&eval->row_arena);
    if (status == SN_OK) {
        eval->stats.memory_bytes = arena->used - used;
        if (eval->stats.peak_count < eval->stats.point_count) {
            eval->stats.peak_count = eval->stats.point_count;
        }
        finish_result(eval, &result);
        *ret_result = result;
    }
    return status;
}

static sn_status engine_query(void *ctx, const struct sn_query *query, struct sn_arena *arena,
                              struct sn_query_result *ret_result, struct sn_err *err) {
    struct sn_query_engine *engine = ctx;
    struct sn_eval eval;
    int64_t timeout_ns = engine->options.limits.timeout_ns;
    SN_TRY(check_query(query, err));
    if (query->timeout_ns > 0 && query->timeout_ns < timeout_ns) {
        timeout_ns = query->timeout_ns;
    }
    int64_t start_ns = sn_clock_mono_ns(engine->options.clock);
    eval_init(&eval, engine, query);
    eval.arena = arena;
    eval.err = err;
    eval.long_error = query->long_error;
    eval.deadline_ns = start_ns + timeout_ns;
    SN_TRY(take_place(engine, query->is_cancelled, eval.deadline_ns, err));
    eval.stats.queued_ns = sn_clock_mono_ns(engine->options.clock) - start_ns;
    sn_status status = run_limited(engine, &eval, query, ret_result);
    give_place_back(engine);
    return status;
}

/* ---- the engine ---- */

static void set_defaults(struct sn_query_engine_options *options) {
    struct sn_query_limits *limits = &options->limits;
    options->lookback_ms = options->lookback_ms ? options->lookback_ms : SN_QUERY_LOOKBACK_MS;
    options->subquery_step_ms =
        options->subquery_step_ms ? options->subquery_step_ms : SN_QUERY_SUBQUERY_STEP_MS;
    limits->samples_max = limits->samples_max ? limits->samples_max : SN_QUERY_SAMPLES_MAX;
    limits->series_max = limits->series_max ? limits->series_max : SN_QUERY_SERIES_MAX;
    limits->points_max = limits->points_max ? limits->points_max : SN_QUERY_POINTS_MAX;
    limits->steps_max = limits->steps_max ? limits->steps_max : SN_QUERY_STEPS_MAX;
    limits->memory_bytes_max =
        limits->memory_bytes_max ? limits->memory_bytes_max : SN_QUERY_MEMORY_MAX;
    limits->timeout_ns = limits->timeout_ns ? limits->timeout_ns : SN_QUERY_TIMEOUT_NS;
    limits->concurrent_max =
        limits->concurrent_max ? limits->concurrent_max : SN_QUERY_CONCURRENT_MAX;
    limits->queue_max = limits->queue_max ? limits->queue_max : SN_QUERY_QUEUE_MAX;
}

sn_status sn_query_engine_new(const struct sn_query_engine_options *options,
                              struct sn_query_engine **ret_engine, struct sn_err *err) {
    if (options->lookback_ms < 0 || options->subquery_step_ms < 0 ||
        options->limits.timeout_ns < 0 || options->limits.steps_max < 0) {
        return sn_err_set(err, SN_ERR_INVALID,
                          "lookback, subquery step, timeout and steps of the query engine must "
                          "not be negative");
    }
    struct sn_query_engine *engine = sn_alloc_zero(1, sizeof *engine);
    struct sn_read_pool *pool = sn_read_pool_new();
    if (engine == NULL || pool == NULL) {
        sn_free(engine);
        (void)sn_read_pool_free(pool); /* NULL, always */
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the query engine");
    }
    engine->pool = pool;
    engine->options = *options;
    set_defaults(&engine->options);
    atomic_init(&engine->is_stopping, false);
    atomic_init(&engine->running_count, 0);
    atomic_init(&engine->waiting_count, 0);
    sn_mutex_init(&engine->mu, SN_RANK_QUERY, "query engine");
    sn_cond_init(&engine->changed);
    *ret_engine = engine;
    return SN_OK;
}

struct sn_query_engine *sn_query_engine_free(struct sn_query_engine *engine) {
    if (engine != NULL) {
        engine->pool = sn_read_pool_free(engine->pool);
        sn_cond_release(&engine->changed);
        sn_mutex_release(&engine->mu);
        sn_free(engine);
    }
    return NULL;
}

void sn_query_engine_stop(struct sn_query_engine *engine) {
    sn_mutex_lock(&engine->mu);
    atomic_store_explicit(&engine->is_stopping, true, memory_order_relaxed);
    sn_cond_broadcast(&engine->changed);
    while (load_count(&engine->running_count) > 0 || load_count(&engine->waiting_count) > 0) {
        sn_cond_wait(&engine->changed, &engine->mu);
    }
    sn_mutex_unlock(&engine->mu);
}

size_t sn_query_engine_workers(struct sn_query_engine *engine, struct sn_worker *ret_workers,
                               size_t max) {
    size_t count = 0;
    while (count < engine->options.helper_count && count < SN_READ_HELPERS_MAX && count < max) {
        ret_workers[count++] = sn_read_pool_worker(engine->pool);
    }
    return count;
}

struct sn_querier sn_query_engine_querier(struct sn_query_engine *engine) {
    return (struct sn_querier){.ctx = engine, .query = engine_query};
}

const struct sn_parse_options *sn_query_engine_features(const struct sn_query_engine *engine) {
    return &engine->options.features;
}

struct sn_query_engine_load sn_query_engine_load(const struct sn_query_engine *engine) {
    return (struct sn_query_engine_load){load_count(&engine->running_count),
                                         load_count(&engine->waiting_count)};
}
