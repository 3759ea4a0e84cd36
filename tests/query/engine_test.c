/*
 * The engine: kinds of results, statistics, limits, places and queue, failures below it.
 */
#include "promql_support.h"

#include "base/lock.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define STEP_MS INT64_C(60000)

/* Three series of 11 samples, one a minute: 0, 1, 2 ... times 1, 2, 3. */
struct fixture {
    struct memory_reader reader;
    struct sn_query_engine_options options;
    struct sn_fake_clock clock;
    struct sn_query_engine *engine;
    struct sn_arena arena;
    struct sn_query_result result;
    struct sn_err err;
};

static void fill(struct memory_reader *reader) {
    static const char *const names[] = {"a", "b", "c"};
    for (size_t i = 0; i < 3; i++) {
        struct sn_label items[2] = {{SN_LABEL_METRIC_NAME, SN_STR("m_total")},
                                    {SN_STR("i"), sn_str_from(names[i])}};
        struct memory_series *series = memory_reader_series(reader, (struct sn_labels){items, 2});
        for (int64_t k = 0; k <= 10; k++) {
            memory_series_add(reader, series, k * STEP_MS, (double)(k * (int64_t)(i + 1)));
        }
    }
}

static int setup(void **state) {
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    memory_reader_init(&fixture->reader);
    fill(&fixture->reader);
    sn_fake_clock_init(&fixture->clock, 1, 0);
    fixture->options = (struct sn_query_engine_options){
        .reader = memory_reader_door(&fixture->reader), .clock = &fixture->clock.clock};
    sn_arena_init(&fixture->arena, 0);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    fixture->engine = sn_query_engine_free(fixture->engine);
    sn_arena_release(&fixture->arena);
    memory_reader_clear(&fixture->reader);
    test_free(fixture);
    return 0;
}

static void start(struct fixture *fixture) {
    assert_int_equal(sn_query_engine_new(&fixture->options, &fixture->engine, &fixture->err),
                     SN_OK);
}

static struct sn_query range_query(const char *expression) {
    return (struct sn_query){
        .expression = sn_str_from(expression), .range = {0, 10 * STEP_MS}, .step_ms = STEP_MS};
}

static sn_status ask(struct fixture *fixture, const struct sn_query *query) {
    struct sn_querier querier = sn_query_engine_querier(fixture->engine);
    return querier.query(querier.ctx, query, &fixture->arena, &fixture->result, &fixture->err);
}

static sn_status ask_range(struct fixture *fixture, const char *expression) {
    struct sn_query query = range_query(expression);
    return ask(fixture, &query);
}

/* ---- results ---- */

static void a_range_query_gives_a_matrix_in_the_order_of_labels(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(ask_range(fixture, "sort_desc(m_total)"), SN_OK);
    assert_int_equal(fixture->result.kind, SN_RESULT_MATRIX);
    assert_int_equal(fixture->result.series_count, 3);
    assert_true(
        sn_str_equal(sn_labels_get(fixture->result.series[0].labels, SN_STR("i")), SN_STR("a")));
    assert_int_equal(fixture->result.series[2].count, 11);
    assert_int_equal(fixture->result.series[2].time_ms[10], 10 * STEP_MS);
    assert_true(fixture->result.series[2].value[10] == 30);
    assert_int_equal(fixture->result.warning_count, 1);
}

static void series_without_gaps_share_their_times(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(ask_range(fixture, "rate(m_total[2m])"), SN_OK);
    assert_int_equal(fixture->result.series[0].count, 10); /* nothing at the first step */
    assert_int_equal(fixture->result.series[0].time_ms[0], STEP_MS);
    assert_ptr_equal(fixture->result.series[0].time_ms, fixture->result.series[1].time_ms);
}

static void statistics_tell_what_was_touched(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(ask_range(fixture, "sum(m_total)"), SN_OK);
    assert_int_equal(fixture->result.stats.series_count, 3);
    assert_int_equal(fixture->result.stats.sample_count, 33);
    assert_true(fixture->result.stats.point_count > 0);
    assert_true(fixture->result.stats.memory_bytes > 0);
    assert_int_equal(sn_query_engine_load(fixture->engine).running_count, 0);
    assert_false(sn_query_engine_features(fixture->engine)->has_fill);
}

static uint64_t queryable(struct fixture *fixture, const char *expression) {
    assert_int_equal(ask_range(fixture, expression), SN_OK);
    return fixture->result.stats.queryable_count;
}

/* The numbers of Prometheus: each sample once for every step that looks at it. */
static void samples_are_counted_at_every_step(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    assert_int_equal(queryable(fixture, "m_total"), 33);
    assert_int_equal(queryable(fixture, "m_total offset 1m"), 30);
    assert_int_equal(queryable(fixture, "m_total @ 60"), 33);
    assert_int_equal(queryable(fixture, "rate(m_total[2m])"), 3 * (1 + 10 * 2));
    assert_int_equal(queryable(fixture, "max_over_time(m_total[2m])"), 3 * (1 + 10 * 2));
    assert_int_equal(queryable(fixture, "rate(m_total[3m] @ 300)"), 3 * 11 * 3);
    assert_int_equal(queryable(fixture, "sum(m_total) + sum(m_total)"), 66);
    assert_true(fixture->result.stats.peak_count >= 11);
    struct sn_query instant = {.expression = SN_STR("m_total[4m]"),
                               .range = {10 * STEP_MS, 10 * STEP_MS}};
    assert_int_equal(ask(fixture, &instant), SN_OK);
    assert_int_equal(fixture->result.stats.queryable_count, 12);
}

static void a_lookback_of_the_query_wins(void **state) {
    struct fixture *fixture = *state;
    struct sn_query query = {.expression = SN_STR("m_total"),
                             .range = {12 * STEP_MS, 12 * STEP_MS}};
    start(fixture);
    assert_int_equal(ask(fixture, &query), SN_OK);
    assert_int_equal(fixture->result.series_count, 3);
    query.lookback_ms = STEP_MS;
    assert_int_equal(ask(fixture, &query), SN_OK);
    assert_int_equal(fixture->result.series_count, 0);
}

static void queries_that_make_no_sense_are_refused(void **state) {
    struct fixture *fixture = *state;
    struct sn_query query = range_query("m_total");
    start(fixture);
    query.range.end_ms = -1;
    assert_int_equal(ask(fixture, &query), SN_ERR_INVALID);
    query = range_query("m_total");
    query.step_ms = 0;
    assert_int_equal(ask(fixture, &query), SN_ERR_INVALID);
    query.step_ms = -1;
    assert_int_equal(ask(fixture, &query), SN_ERR_INVALID);
    query = range_query("m_total");
    query.timeout_ns = -1;
    assert_int_equal(ask(fixture, &query), SN_ERR_INVALID);
    query = range_query("m_total @ 1e300");
    assert_int_equal(ask(fixture, &query), SN_ERR_INVALID);
    query = range_query("m_total");
    query.range.end_ms = INT64_MAX;
    query.step_ms = INT64_MAX;
    assert_int_equal(ask(fixture, &query), SN_ERR_INVALID);
}

static void options_that_make_no_sense_are_refused(void **state) {
    struct fixture *fixture = *state;
    fixture->options.lookback_ms = -1;
    assert_int_equal(sn_query_engine_new(&fixture->options, &fixture->engine, &fixture->err),
                     SN_ERR_INVALID);
}

static void the_same_query_gives_the_same_bytes(void **state) {
    struct fixture *fixture = *state;
    static const char expression[] = "topk(2, m_total) or label_replace(sum by (i) (rate(m_total"
                                     "[3m])), \"k\", \"$1\", \"i\", \"(.*)\")";
    struct sn_buf texts[2] = {{.limit = 0}, {.limit = 0}};
    start(fixture);
    for (size_t round = 0; round < 2; round++) {
        sn_fake_clock_advance_ms(&fixture->clock, 12345); /* another seed of the hash tables */
        assert_int_equal(ask_range(fixture, expression), SN_OK);
        for (size_t i = 0; i < fixture->result.series_count; i++) {
            const struct sn_result_series *series = &fixture->result.series[i];
            sn_labels_format(series->labels, &texts[round]);
            sn_buf_put(&texts[round], series->time_ms, series->count * sizeof(int64_t));
            sn_buf_put(&texts[round], series->value, series->count * sizeof(double));
        }
    }
    assert_true(sn_str_equal(sn_buf_str(&texts[0]), sn_buf_str(&texts[1])));
    sn_buf_release(&texts[0]);
    sn_buf_release(&texts[1]);
}

/* Deep expressions on a thread of the size that servers use. */
static void run_deep(void *ctx) {
    static const char *const openings[] = {
        "abs(", "-(", "m_total + (", "sum by (i) (", "max_over_time(m_total[1m]) or (", "topk(3, "};
    struct fixture *fixture = ctx;
    for (size_t i = 0; i < sizeof openings / sizeof *openings; i++) {
        struct sn_buf text = {.limit = 0};
        for (int depth = 0; depth < 60; depth++) {
            sn_buf_put_text(&text, openings[i]);
        }
        sn_buf_put_text(&text, "m_total");
        for (int depth = 0; depth < 60; depth++) {
            sn_buf_put_byte(&text, ')');
        }
        struct sn_query query = range_query("");
        query.expression = sn_buf_str(&text);
        assert_int_equal(ask(fixture, &query), SN_OK);
        sn_buf_release(&text);
    }
}

static void deep_expressions_fit_the_stack_of_a_worker(void **state) {
    struct sn_thread thread = {.is_running = false};
    start(*state);
    assert_int_equal(sn_thread_start(&thread, "deep", run_deep, *state, NULL), SN_OK);
    sn_thread_join(&thread);
}

/* ---- limits ---- */

static void the_limit_of_samples_holds_at_both_sides(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.samples_max = 33;
    start(fixture);
    assert_int_equal(ask_range(fixture, "m_total"), SN_OK);
    assert_int_equal(ask_range(fixture, "m_total + m_total"), SN_ERR_LIMIT);
    assert_string_equal(fixture->err.text,
                        "query processing would load too many samples into memory in query "
                        "execution: the limit is 33 samples");
}

static void the_limit_of_series_holds_at_both_sides(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.series_max = 2;
    start(fixture);
    assert_int_equal(ask_range(fixture, "m_total{i!=\"a\"}"), SN_OK);
    assert_int_equal(ask_range(fixture, "m_total"), SN_ERR_LIMIT);
}

static void the_limit_of_steps_holds_at_both_sides(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.steps_max = 11;
    start(fixture);
    assert_int_equal(ask_range(fixture, "m_total"), SN_OK);
    assert_int_equal(ask_range(fixture, "max_over_time(m_total[10m:1s])"), SN_ERR_LIMIT);
    assert_non_null(strstr(fixture->err.text, "the limit is 11"));
}

/* Run with a limit of what the query needs, then with one less. */
static void check_limit(struct fixture *fixture, const char *words) {
    start(fixture);
    assert_int_equal(ask_range(fixture, "sum(rate(m_total[5m])) + m_total"), SN_OK);
    fixture->engine = sn_query_engine_free(fixture->engine);
    for (int below = 0; below < 2; below++) {
        struct sn_query_limits *limits = &fixture->options.limits;
        limits->points_max = limits->points_max ? fixture->result.stats.point_count - below : 0;
        limits->samples_max = limits->samples_max ? fixture->result.stats.sample_count - below : 0;
        sn_arena_reset(&fixture->arena);
        start(fixture);
        assert_int_equal(ask_range(fixture, "sum(rate(m_total[5m])) + m_total"),
                         below ? SN_ERR_LIMIT : SN_OK);
        fixture->engine = sn_query_engine_free(fixture->engine);
    }
    assert_non_null(strstr(fixture->err.text, words));
}

static void the_limit_of_points_holds_at_both_sides(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.points_max = 1000;
    check_limit(fixture, "too many points: the limit is");
}

static void the_limit_of_samples_holds_where_a_query_needs_it(void **state) {
    struct fixture *fixture = *state;
    fixture->options.limits.samples_max = 1000;
    check_limit(fixture, "too many samples");
}

static void the_limit_of_memory_holds_and_the_arena_keeps_its_own(void **state) {
    struct fixture *fixture = *state;
    size_t limit = fixture->arena.limit;
    fixture->options.limits.memory_bytes_max = 70000;
    start(fixture);
    assert_int_equal(ask_range(fixture, "m_total"), SN_OK);
    assert_int_equal(ask_range(fixture, "max_over_time(m_total[10m:10ms])"), SN_ERR_LIMIT);
    assert_non_null(strstr(fixture->err.text, "the limit is"));
    assert_int_equal(fixture->arena.limit, limit);
}

/* A clock that jumps by a second whenever it is asked. */
static int64_t jump(void *ctx) {
    return *(int64_t *)ctx += INT64_C(1000000000);
}

static void a_query_ends_at_its_deadline(void **state) {
    struct fixture *fixture = *state;
    int64_t now_ns = 0;
    struct sn_clock clock = {.ctx = &now_ns, .mono_ns = jump};
    struct sn_query query = range_query("m_total");
    fixture->options.clock = &clock;
    fixture->options.limits.timeout_ns = INT64_C(60000000000);
    start(fixture);
    assert_int_equal(ask(fixture, &query), SN_OK);
    query.timeout_ns = INT64_C(3000000000);
    assert_int_equal(ask(fixture, &query), SN_ERR_TIMEOUT);
    assert_string_equal(fixture->err.text, "query timed out in expression evaluation");
    query.timeout_ns = INT64_MAX; /* not beyond the engine's */
    query.expression =
        SN_STR("m_total+m_total+m_total+m_total+m_total+m_total+m_total+m_total+m_total+m_total");
    assert_int_equal(ask(fixture, &query), SN_ERR_TIMEOUT);
}

/* One series over many steps: the clock is asked now and then, not once per series. */
static void a_deadline_holds_inside_of_one_series(void **state) {
    struct fixture *fixture = *state;
    static const char *const expressions[] = {"quantile_over_time(0.5, vector(1)[100m:1s])",
                                              "sum_over_time(vector(1)[100m:1s])"};
    int64_t now_ns = 0;
    struct sn_clock clock = {.ctx = &now_ns, .mono_ns = jump};
    fixture->options.clock = &clock;
    start(fixture);
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        struct sn_query query = {.expression = sn_str_from(expressions[i]),
                                 .range = {0, 60000000},
                                 .step_ms = 60000,
                                 .timeout_ns = INT64_C(40000000000)};
        assert_int_equal(ask(fixture, &query), SN_ERR_TIMEOUT);
    }
}

static void a_cancelled_query_ends(void **state) {
    struct fixture *fixture = *state;
    atomic_bool is_cancelled;
    struct sn_query query = range_query("m_total");
    query.is_cancelled = &is_cancelled;
    atomic_init(&is_cancelled, false);
    start(fixture);
    assert_int_equal(ask(fixture, &query), SN_OK);
    atomic_store(&is_cancelled, true);
    assert_int_equal(ask(fixture, &query), SN_ERR_CLOSED);
    assert_string_equal(fixture->err.text, "query was canceled in expression evaluation");
}

static void a_stopped_engine_refuses_queries(void **state) {
    struct fixture *fixture = *state;
    start(fixture);
    sn_query_engine_stop(fixture->engine);
    assert_int_equal(ask_range(fixture, "m_total"), SN_ERR_CLOSED);
}

/* ---- places ---- */

/* A reader that holds its caller until it is let go. */
struct gate {
    struct sn_reader inner;
    struct sn_event entered;
    struct sn_event opened;
};

static sn_status gated_select(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                              struct sn_series_list *ret_series, struct sn_err *err) {
    struct gate *gate = ctx;
    sn_event_set(&gate->entered, SN_OK, NULL);
    assert_int_equal(sn_event_wait(&gate->opened, -1, NULL), SN_OK);
    return gate->inner.select(gate->inner.ctx, select, arena, ret_series, err);
}

static sn_status gated_samples(void *ctx, uint64_t id, struct sn_range range,
                               struct sn_samples *samples, struct sn_err *err) {
    struct gate *gate = ctx;
    return gate->inner.samples(gate->inner.ctx, id, range, samples, err);
}

struct background {
    struct fixture *fixture;
    struct sn_arena arena;
    struct sn_err err;
    sn_status status;
};

static void run_background(void *ctx) {
    struct background *background = ctx;
    struct sn_querier querier = sn_query_engine_querier(background->fixture->engine);
    struct sn_query query = range_query("sum(m_total)");
    struct sn_query_result result;
    sn_arena_init(&background->arena, 0);
    background->status =
        querier.query(querier.ctx, &query, &background->arena, &result, &background->err);
    sn_arena_release(&background->arena);
}

static void start_gated(struct fixture *fixture, struct gate *gate) {
    gate->inner = fixture->options.reader;
    sn_event_init(&gate->entered);
    sn_event_init(&gate->opened);
    fixture->options.reader =
        (struct sn_reader){.ctx = gate, .select = gated_select, .samples = gated_samples};
    fixture->options.clock = sn_clock_system();
    fixture->options.limits.concurrent_max = 1;
    fixture->options.limits.queue_max = 1;
    start(fixture);
}

static void release_gate(struct gate *gate) {
    sn_event_release(&gate->entered);
    sn_event_release(&gate->opened);
}

static void wait_for_load(struct fixture *fixture, unsigned waiting_count) {
    while (sn_query_engine_load(fixture->engine).waiting_count != waiting_count) {
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 100000);
    }
}

static void one_runs_one_waits_and_the_third_is_refused(void **state) {
    struct fixture *fixture = *state;
    struct background runs = {.fixture = fixture};
    struct background waits = {.fixture = fixture};
    struct sn_thread threads[2] = {{.is_running = false}, {.is_running = false}};
    struct gate gate;
    start_gated(fixture, &gate);
    assert_int_equal(sn_thread_start(&threads[0], "runs", run_background, &runs, NULL), SN_OK);
    assert_int_equal(sn_event_wait(&gate.entered, -1, NULL), SN_OK);
    assert_int_equal(sn_thread_start(&threads[1], "waits", run_background, &waits, NULL), SN_OK);
    wait_for_load(fixture, 1);
    assert_int_equal(ask_range(fixture, "m_total"), SN_ERR_BUSY);
    assert_string_equal(fixture->err.text,
                        "too many queries: 1 run and 1 wait, which is the limit");
    sn_event_set(&gate.opened, SN_OK, NULL);
    sn_thread_join(&threads[0]);
    sn_thread_join(&threads[1]);
    assert_int_equal(runs.status, SN_OK);
    assert_int_equal(waits.status, SN_OK);
    release_gate(&gate);
}

static void whoever_waits_may_give_up(void **state) {
    struct fixture *fixture = *state;
    struct background runs = {.fixture = fixture};
    struct sn_thread thread = {.is_running = false};
    struct sn_query query = range_query("m_total");
    atomic_bool is_cancelled;
    struct gate gate;
    start_gated(fixture, &gate);
    assert_int_equal(sn_thread_start(&thread, "runs", run_background, &runs, NULL), SN_OK);
    assert_int_equal(sn_event_wait(&gate.entered, -1, NULL), SN_OK);
    query.timeout_ns = 1000000;
    assert_int_equal(ask(fixture, &query), SN_ERR_TIMEOUT);
    assert_string_equal(fixture->err.text, "query timed out in query queue");
    query.timeout_ns = 0;
    query.is_cancelled = &is_cancelled;
    atomic_init(&is_cancelled, true);
    assert_int_equal(ask(fixture, &query), SN_ERR_CLOSED);
    assert_string_equal(fixture->err.text, "query was canceled in query queue");
    sn_event_set(&gate.opened, SN_OK, NULL);
    sn_thread_join(&thread);
    release_gate(&gate);
}

static void run_stop(void *ctx) {
    sn_query_engine_stop(ctx);
}

static void stop_cancels_who_runs_and_waits_for_it(void **state) {
    struct fixture *fixture = *state;
    struct background runs = {.fixture = fixture};
    struct background waits = {.fixture = fixture};
    struct sn_thread threads[3] = {{.is_running = false}};
    struct gate gate;
    start_gated(fixture, &gate);
    assert_int_equal(sn_thread_start(&threads[0], "runs", run_background, &runs, NULL), SN_OK);
    assert_int_equal(sn_event_wait(&gate.entered, -1, NULL), SN_OK);
    assert_int_equal(sn_thread_start(&threads[1], "waits", run_background, &waits, NULL), SN_OK);
    wait_for_load(fixture, 1);
    assert_int_equal(sn_thread_start(&threads[2], "stops", run_stop, fixture->engine, NULL), SN_OK);
    sn_thread_join(&threads[1]);
    assert_int_equal(waits.status, SN_ERR_CLOSED);
    sn_event_set(&gate.opened, SN_OK, NULL);
    sn_thread_join(&threads[0]);
    sn_thread_join(&threads[2]);
    assert_int_equal(runs.status, SN_ERR_CLOSED);
    assert_int_equal(sn_query_engine_load(fixture->engine).running_count, 0);
    release_gate(&gate);
}

/* ---- failures below ---- */

static const char *const expressions[] = {
    "m_total",
    "m_total[5m]",
    "rate(m_total[5m])",
    "sum by (i) (rate(m_total[5m:30s]))",
    "avg(m_total) / on () group_right m_total",
    "topk(2, m_total) or m_total offset 2m",
    "count_values(\"v\", m_total)",
    "quantile(2, m_total)",
    "stddev(m_total) > bool scalar(sum(m_total))",
    "label_replace(m_total, \"j\", \"$1\", \"i\", \"(.+)\")",
    "label_join(m_total, \"j\", \"-\", \"i\", \"i\")",
    "histogram_quantile(0.5, label_replace(m_total, \"le\", \"+Inf\", \"\", \"\"))",
    "absent_over_time(m_total{i=~\"a|b\"}[1m]) unless absent(m_total)",
    "sort_desc(clamp(timestamp(m_total) + minute(), 0, 100))",
    "quantile_over_time(0.5, m_total[5m]) + mad_over_time(m_total[5m])",
    "sort_by_label(limitk(1, m_total), \"i\")",
    "m_total + fill (0) (m_total > 2)",
    "\"text\"",
    "1 + time()",
    "info(m_total, {__name__=\"m_total\"}) or info(m_total)",
};

static void every_allocation_may_fail_and_nothing_leaks(void **state) {
    struct fixture *fixture = *state;
    fixture->options.features = (struct sn_parse_options){true, true, true, true};
    start(fixture);
    sn_arena_release(&fixture->arena);
    int64_t blocks = sn_mem_block_count();
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        struct sn_query query = {.expression = sn_str_from(expressions[i]),
                                 .range = {5 * STEP_MS, 5 * STEP_MS}};
        bool has_failed = true;
        for (uint64_t nth = 1; has_failed; nth++) {
            sn_mem_fail_nth(nth);
            sn_status status = ask(fixture, &query);
            has_failed = sn_mem_fail_fired() != 0;
            sn_mem_fail_nth(0);
            assert_true(status == SN_OK || (has_failed && status == SN_ERR_NO_MEMORY));
            sn_arena_release(&fixture->arena);
            assert_int_equal(sn_mem_block_count(), blocks);
            assert_true(nth < 10000);
        }
    }
}

static void failures_of_the_reader_come_through(void **state) {
    static const sn_status statuses[] = {SN_ERR_CORRUPT, SN_ERR_IO, SN_ERR_NO_MEMORY};
    struct fixture *fixture = *state;
    start(fixture);
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++) {
        fixture->reader.read_status = statuses[i];
        assert_int_equal(ask_range(fixture, "sum(rate(m_total[5m]))"), statuses[i]);
        assert_string_equal(fixture->err.text, "the test wants a failure");
    }
}

#define ENGINE_TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        ENGINE_TEST(a_range_query_gives_a_matrix_in_the_order_of_labels),
        ENGINE_TEST(series_without_gaps_share_their_times),
        ENGINE_TEST(statistics_tell_what_was_touched),
        ENGINE_TEST(samples_are_counted_at_every_step),
        ENGINE_TEST(a_lookback_of_the_query_wins),
        ENGINE_TEST(queries_that_make_no_sense_are_refused),
        ENGINE_TEST(options_that_make_no_sense_are_refused),
        ENGINE_TEST(the_same_query_gives_the_same_bytes),
        ENGINE_TEST(deep_expressions_fit_the_stack_of_a_worker),
        ENGINE_TEST(the_limit_of_samples_holds_at_both_sides),
        ENGINE_TEST(the_limit_of_series_holds_at_both_sides),
        ENGINE_TEST(the_limit_of_steps_holds_at_both_sides),
        ENGINE_TEST(the_limit_of_points_holds_at_both_sides),
        ENGINE_TEST(the_limit_of_samples_holds_where_a_query_needs_it),
        ENGINE_TEST(the_limit_of_memory_holds_and_the_arena_keeps_its_own),
        ENGINE_TEST(a_query_ends_at_its_deadline),
        ENGINE_TEST(a_deadline_holds_inside_of_one_series),
        ENGINE_TEST(a_cancelled_query_ends),
        ENGINE_TEST(a_stopped_engine_refuses_queries),
        ENGINE_TEST(one_runs_one_waits_and_the_third_is_refused),
        ENGINE_TEST(whoever_waits_may_give_up),
        ENGINE_TEST(stop_cancels_who_runs_and_waits_for_it),
        ENGINE_TEST(every_allocation_may_fail_and_nothing_leaks),
        ENGINE_TEST(failures_of_the_reader_come_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
