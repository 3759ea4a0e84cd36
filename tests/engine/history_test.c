/* Steps, columns and limits of history, on the real query engine over a reader in memory. */
#include "engine/history.h"

#include "base/limits.h"
#include "base/mem.h"
#include "engine_support.h"
#include "query/engine.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SERIES_MANY 2000
#define TWO_53 9007199254740992.0

static const struct sn_label label_a[] = {{SN_STR("__name__"), SN_STR("a")}};
static const struct sn_label label_b[] = {{SN_STR("__name__"), SN_STR("b")}};
static const struct sn_labels labels_a = {label_a, 1};

/* One question to one reader, and the answer. */
struct fixture {
    struct memory_reader memory;
    struct memory_series series;
    struct sn_query_engine *engine;
    struct sn_history_query query;
    struct sn_arena arena;
    struct sn_history history;
    struct sn_err err;
};

static int set_up(void **state) {
    struct fixture *f = calloc(1, sizeof *f);
    if (f == NULL)
        return -1;
    f->series.labels = labels_a;
    f->memory.series = &f->series;
    f->memory.count = 1;
    f->query.expression = SN_STR("a");
    f->query.range = (struct sn_range){1000, 1999};
    f->query.step_ms = 500;
    sn_arena_init(&f->arena, SN_HISTORY_ARENA_BYTES);
    const struct sn_query_engine_options options = {.reader = memory_reader_door(&f->memory),
                                                    .clock = sn_clock_system()};
    if (sn_query_engine_new(&options, &f->engine, NULL) != SN_OK)
        return -1;
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    struct fixture *f = *state;
    (void)sn_query_engine_free(f->engine); /* NULL, always */
    sn_arena_release(&f->arena);
    free(f);
    return 0;
}

static sn_status read_history(struct fixture *f) {
    const struct sn_history_source source = {.querier = sn_query_engine_querier(f->engine),
                                             .clock = sn_clock_system()};
    f->err = (struct sn_err){.status = SN_OK};
    return sn_history_read(&source, &f->query, &f->arena, &f->history, &f->err);
}

#define GIVE(f, ...)                                                                               \
    static const struct sn_sample given[] = {__VA_ARGS__};                                         \
    (f)->series.samples = given;                                                                   \
    (f)->series.count = sizeof given / sizeof given[0]

static void assert_step(const struct fixture *f, size_t step, uint64_t count, double min,
                        double avg, double max) {
    assert_true(step < f->history.frame.step_count);
    const struct sn_history_columns *series = &f->history.series[0].columns;
    assert_int_equal(series->count[step], count);
    assert_true(sn_double_bits(series->min[step]) == sn_double_bits(min));
    assert_true(sn_double_bits(series->avg[step]) == sn_double_bits(avg));
    assert_true(sn_double_bits(series->max[step]) == sn_double_bits(max));
}

/* ---- steps ---- */

static void a_sample_belongs_to_the_step_that_starts_at_it(void **state) {
    struct fixture *f = *state;
    GIVE(f, {999, 100}, {1000, 1}, {1499, 3}, {1500, 5}, {1999, 7}, {2000, 100});
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.start_ms, 1000);
    assert_int_equal(f->history.frame.step_ms, 500);
    assert_int_equal(f->history.frame.step_count, 2);
    assert_int_equal(f->history.series_count, 1);
    assert_true(sn_labels_equal(f->history.series[0].labels, labels_a));
    assert_step(f, 0, 2, 1, 2, 3);
    assert_step(f, 1, 2, 5, 6, 7);
}

static void the_last_step_contains_the_end_and_is_whole(void **state) {
    struct fixture *f = *state;
    GIVE(f, {2000, 1}, {2499, 3}, {2500, 100});
    f->query.range.end_ms = 2000;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.step_count, 3);
    assert_step(f, 2, 2, 1, 2, 3);
    assert_int_equal(f->memory.range.start_ms, 0); /* for the value that is held at the start */
    assert_int_equal(f->memory.range.end_ms, 2499);
}

static void a_range_of_one_moment_has_one_step(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, 4});
    f->query.range = (struct sn_range){1000, 1000};
    f->query.step_ms = 1;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.step_count, 1);
    assert_step(f, 0, 1, 4, 4, 4);
}

static void a_step_without_samples_has_count_0(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, 1}, {3000, 2});
    f->query.range.end_ms = 3000;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.step_count, 5);
    const uint64_t counts[] = {1, 0, 0, 0, 1};
    assert_memory_equal(f->history.series[0].columns.count, counts, sizeof counts);
}

static void stale_markers_and_nan_are_no_values(void **state) {
    struct fixture *f = *state;
    struct sn_sample given[] = {{1000, 1},
                                {1100, (double)NAN},
                                {1200, sn_double_from_bits(SN_STALE_NAN_BITS)},
                                {1300, 3},
                                {1500, (double)NAN}};
    f->series.samples = given;
    f->series.count = sizeof given / sizeof given[0];
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 0, 2, 1, 2, 3);
    assert_int_equal(f->history.series[0].columns.count[1], 0);
}

/* ---- averages ---- */

static void averages_of_large_counters_are_exact(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, TWO_53 - 4}, {1100, TWO_53 - 2}, {1200, TWO_53});
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 0, 3, TWO_53 - 4, TWO_53 - 2, TWO_53);
}

static void the_average_of_equal_values_is_that_value(void **state) {
    struct fixture *f = *state;
    static const double values[] = {0.1, -0.1, 1e-308, 1e308, -1.7976931348623157e308, TWO_53 - 1};
    struct sn_sample given[100];
    for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
        for (int i = 0; i < 100; i++)
            given[i] = (struct sn_sample){1000 + i, values[v]};
        f->series.samples = given;
        f->series.count = 100;
        assert_int_equal(read_history(f), SN_OK);
        assert_step(f, 0, 100, values[v], values[v], values[v]);
    }
}

static void an_average_of_extremes_does_not_overflow(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, -1.7e308}, {1100, 1.7e308}, {1200, 0.0}, {1500, 1.7e308}, {1600, -1.7e308});
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 0, 3, -1.7e308, 0.0, 1.7e308);
    assert_step(f, 1, 2, -1.7e308, 0.0, 1.7e308);
}

static void an_infinity_stays_in_the_average(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, (double)INFINITY}, {1100, 1}, {1200, (double)INFINITY}, {1300, 2}, {1500, 5},
         {1600, -(double)INFINITY}, {1700, 5});
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 0, 4, 1, (double)INFINITY, (double)INFINITY);
    assert_step(f, 1, 3, -(double)INFINITY, -(double)INFINITY, 5);
}

static void infinities_of_both_signs_have_no_average(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, (double)INFINITY}, {1100, -(double)INFINITY}, {1200, 1});
    assert_int_equal(read_history(f), SN_OK);
    assert_true(isnan(f->history.series[0].columns.avg[0]));
    assert_true(isinf(f->history.series[0].columns.min[0]) &&
                isinf(f->history.series[0].columns.max[0]));
}

/* ---- what is refused ---- */

static void a_step_must_be_above_0(void **state) {
    struct fixture *f = *state;
    for (int64_t step = -1; step <= 0; step++) {
        f->query.step_ms = step;
        assert_int_equal(read_history(f), SN_ERR_INVALID);
        assert_non_null(strstr(f->err.text, "step"));
    }
}

static void an_end_before_the_start_is_refused(void **state) {
    struct fixture *f = *state;
    f->query.range.end_ms = f->query.range.start_ms - 1;
    assert_int_equal(read_history(f), SN_ERR_INVALID);
    assert_non_null(strstr(f->err.text, "end"));
}

static void times_and_steps_beyond_the_calendar_are_refused(void **state) {
    struct fixture *f = *state;
    static const struct sn_history_query cases[] = {
        {.range = {INT64_MIN, INT64_MAX}, .step_ms = 1},
        {.range = {-1, 0}, .step_ms = 1},
        {.range = {0, SN_TIME_MS_MAX + 1}, .step_ms = SN_TIME_MS_MAX},
        {.range = {1, 1}, .step_ms = INT64_MAX},
        {.range = {1, 1}, .step_ms = SN_TIME_MS_MAX + 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        f->query = cases[i];
        assert_int_equal(read_history(f), SN_ERR_INVALID);
        assert_true(f->err.text[0] != '\0');
    }
    f->query.expression = SN_STR("a");
    f->query.range = (struct sn_range){SN_TIME_MS_MIN, SN_TIME_MS_MAX};
    f->query.step_ms = SN_TIME_MS_MAX;
    if (read_history(f) != SN_OK)
        fail_msg("%s", f->err.text);
    assert_int_equal(f->history.frame.step_count, 2);
}

static void steps_are_limited(void **state) {
    struct fixture *f = *state;
    f->query.step_ms = 1000;
    f->query.range = (struct sn_range){0, INT64_C(1000) * SN_HISTORY_STEPS_MAX - 1};
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.step_count, SN_HISTORY_STEPS_MAX);
    f->query.range.end_ms++;
    assert_int_equal(read_history(f), SN_ERR_LIMIT);
    assert_string_equal(f->err.text, "11001 steps, the limit is 11000: use a longer step");
}

/* A reader of `count` series with one sample at 1000. */
static void give_series(struct fixture *f, size_t count) {
    static struct memory_series many[SERIES_MANY];
    static struct sn_label labels[SERIES_MANY][2];
    static char numbers[SERIES_MANY][8];
    static const struct sn_sample sample = {1000, 1};
    assert_true(count <= SERIES_MANY);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(numbers[i], sizeof numbers[i], "%04zu", i);
        labels[i][0] = label_a[0];
        labels[i][1] = (struct sn_label){SN_STR("n"), sn_str_from(numbers[i])};
        many[i] = (struct memory_series){{labels[i], 2}, &sample, 1};
    }
    f->memory.series = many;
    f->memory.count = count;
}

static void points_are_limited(void **state) {
    struct fixture *f = *state;
    f->query.series_max = SERIES_MANY;
    f->query.step_ms = 1;
    f->query.range = (struct sn_range){0, 1023};
    give_series(f, SN_HISTORY_POINTS_MAX / 1024);
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, 1024);
    give_series(f, SN_HISTORY_POINTS_MAX / 1024 + 1);
    sn_arena_reset(&f->arena);
    assert_int_equal(read_history(f), SN_ERR_LIMIT);
    assert_non_null(strstr(f->err.text, "1025 series times 1024 steps"));
}

static void series_are_limited(void **state) {
    struct fixture *f = *state;
    give_series(f, SN_HISTORY_SERIES_MAX);
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, SN_HISTORY_SERIES_MAX);
    give_series(f, SN_HISTORY_SERIES_MAX + 1);
    assert_int_equal(read_history(f), SN_ERR_LIMIT);
    f->query.series_max = 3;
    give_series(f, 3);
    assert_int_equal(read_history(f), SN_OK);
    give_series(f, 4);
    assert_int_equal(read_history(f), SN_ERR_LIMIT);
    assert_string_equal(f->err.text, "more than 3 series");
}

static void the_largest_answer_fits_into_the_arena(void **state) {
    struct fixture *f = *state;
    f->query.step_ms = 1;
    f->query.range = (struct sn_range){0, (int64_t)(SN_HISTORY_POINTS_MAX / 1000) - 1};
    give_series(f, SN_HISTORY_SERIES_MAX);
    assert_int_equal(read_history(f), SN_OK);
}

/* ---- the reader below ---- */

static void the_question_reaches_the_reader(void **state) {
    struct fixture *f = *state;
    static const struct sn_sample sample = {1000, 1};
    const struct memory_series both[] = {{labels_a, &sample, 1}, {{label_b, 1}, &sample, 1}};
    f->memory.series = both;
    f->memory.count = 2;
    f->query.expression = SN_STR(" ( {__name__=\"b\"} ) # the other");
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, 1);
    assert_true(sn_labels_equal(f->history.series[0].labels, both[1].labels));
    assert_int_equal(f->memory.select.matcher_count, 1);
    assert_int_equal(f->memory.select.range.end_ms, 1999);
    assert_step(f, 0, 1, 1, 1, 1);
}

static void no_series_is_an_answer(void **state) {
    struct fixture *f = *state;
    f->memory.count = 0;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, 0);
    assert_int_equal(f->history.frame.step_count, 2);
    assert_int_equal(f->memory.samples_calls, 0);
}

static void failures_of_the_reader_are_passed_on(void **state) {
    struct fixture *f = *state;
    static const sn_status statuses[] = {SN_ERR_INVALID, SN_ERR_LIMIT, SN_ERR_NO_MEMORY,
                                         SN_ERR_CORRUPT, SN_ERR_IO};
    GIVE(f, {1000, 1});
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        f->memory.select_status = statuses[i];
        assert_int_equal(read_history(f), statuses[i]);
        assert_string_equal(f->err.text, "select said no");
        f->memory.select_status = SN_OK;
        f->memory.samples_status = statuses[i];
        assert_int_equal(read_history(f), statuses[i]);
        assert_string_equal(f->err.text, "samples said no");
        f->memory.samples_status = SN_OK;
    }
}

static void every_failing_allocation_is_survived(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, 1});
    int64_t blocks = sn_mem_block_count();
    uint64_t n = 0;
    bool has_fired = true;
    while (has_fired) {
        f->history.frame.step_count = 12345;
        sn_mem_fail_nth(++n);
        sn_status status = read_history(f);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        if (has_fired) {
            assert_int_equal(f->history.frame.step_count, 12345);
        }
        sn_arena_release(&f->arena);
        sn_arena_init(&f->arena, SN_HISTORY_ARENA_BYTES);
        assert_int_equal(sn_mem_block_count(), blocks);
        assert_true(n < 1000);
    }
#ifdef SN_FAULTS
    assert_true(n > 2);
#endif
}

static void a_full_arena_is_a_limit(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, 1});
    sn_arena_release(&f->arena);
    sn_arena_init(&f->arena, 100000);
    f->query.step_ms = 1;
    f->query.range = (struct sn_range){0, 9999};
    assert_int_equal(read_history(f), SN_ERR_LIMIT);
    assert_true(f->err.text[0] != '\0');
}

/* ---- values that are held ---- */

/* A sample every `distance_ms` from `first_ms`, values 0, 1, 2, ... */
static void give_regular(struct fixture *f, int64_t first_ms, int64_t distance_ms, size_t count) {
    static struct sn_sample samples[100000];
    assert_true(count <= sizeof samples / sizeof samples[0]);
    for (size_t i = 0; i < count; i++)
        samples[i] = (struct sn_sample){first_ms + (int64_t)i * distance_ms, (double)i};
    f->series.samples = samples;
    f->series.count = count;
}

static void a_value_is_held_until_the_next_one(void **state) {
    struct fixture *f = *state;
    give_regular(f, 600000, 15000, 5); /* to 660000 */
    f->query.range = (struct sn_range){605000, 660000};
    f->query.step_ms = 5000;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.step_count, 12);
    for (size_t i = 0; i < 12; i++) {
        double value = (double)((i + 1) / 3);
        assert_step(f, i, i % 3 == 2, value, value, value);
    }
}

static void a_gap_is_not_bridged(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000000, 1}, {1015000, 2}, {1030000, 3}, {1075000, 4}, {1090000, 5}, {1105000, 6});
    f->query.range = (struct sn_range){1000000, 1140000};
    f->query.step_ms = 5000;
    assert_int_equal(read_history(f), SN_OK);
    /* Held for 22.5 s behind 1030000 and behind 1105000. */
    const double expected[] = {1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3, -1, -1, -1, -1,
                               4, 4, 4, 5, 5, 5, 6, 6, 6, 6, 6, -1, -1, -1};
    assert_int_equal(f->history.frame.step_count, sizeof expected / sizeof expected[0]);
    for (size_t i = 0; i < f->history.frame.step_count; i++) {
        double value = f->history.series[0].columns.avg[i];
        assert_true(expected[i] < 0 ? isnan(value) : value == expected[i]);
    }
}

static void a_lone_sample_is_not_held(void **state) {
    struct fixture *f = *state;
    GIVE(f, {1000, 4});
    assert_int_equal(read_history(f), SN_OK);
    assert_true(isnan(f->history.series[0].columns.avg[1]));
}

static void nothing_is_held_longer_than_the_lookback(void **state) {
    struct fixture *f = *state;
    give_regular(f, 0, 250000, 2);
    f->query.range = (struct sn_range){0, 900000};
    f->query.step_ms = 60000;
    assert_int_equal(read_history(f), SN_OK);
    assert_true(f->history.series[0].columns.avg[3] == 0);
    assert_true(f->history.series[0].columns.avg[9] == 1); /* at 540,000, 290 s behind */
    assert_true(isnan(f->history.series[0].columns.avg[10]));
    give_regular(f, 0, 301000, 2);
    assert_int_equal(read_history(f), SN_OK);
    assert_true(f->history.series[0].columns.avg[1] == 0);
    assert_true(f->history.series[0].columns.avg[5] == 1);  /* its own, at 301,000 */
    assert_true(f->history.series[0].columns.avg[10] == 1); /* at 600,000, 299 s behind */
    assert_true(isnan(f->history.series[0].columns.avg[11]));
}

static void what_ended_before_the_start_is_no_series(void **state) {
    struct fixture *f = *state;
    give_regular(f, 100000, 1000, 10);
    f->query.range = (struct sn_range){200000, 210000};
    f->query.step_ms = 1000;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, 0);
}

static void windows_do_not_show(void **state) {
    struct fixture *f = *state;
    const size_t count = 100000; /* at 15 s: 17 days, several windows */
    give_regular(f, 7, 15000, count);
    f->query.range = (struct sn_range){0, INT64_C(15000) * (int64_t)count - 1};
    f->query.step_ms = 3600000;
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.frame.step_count, 417);
    for (size_t i = 0; i < 416; i++) {
        double first = 240.0 * (double)i;
        assert_step(f, i, 240, first, first + 119.5, first + 239);
    }
    assert_step(f, 416, 160, 99840, 99919.5, 99999);
    assert_true(f->memory.samples_calls < 10);
}

/* ---- expressions ---- */

static void an_expression_is_evaluated_within_the_step(void **state) {
    struct fixture *f = *state;
    give_regular(f, 0, 15000, 400);
    f->query.range = (struct sn_range){600000, 1199999};
    f->query.step_ms = 60000;
    f->query.expression = SN_STR("-a");
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, 1);
    assert_int_equal(f->history.series[0].labels.count, 0);
    for (size_t i = 0; i < 10; i++) {
        double first = -40.0 - 4 * (double)i;
        assert_step(f, i, 4, first - 3, first - 1.5, first);
    }
}

static void a_short_step_is_evaluated_once_at_its_start(void **state) {
    struct fixture *f = *state;
    give_regular(f, 0, 15000, 400);
    f->query.range = (struct sn_range){600000, 660000};
    f->query.step_ms = 15000;
    f->query.expression = SN_STR("a offset 15s");
    assert_int_equal(read_history(f), SN_OK);
    for (size_t i = 0; i < 5; i++)
        assert_step(f, i, 1, 39 + (double)i, 39 + (double)i, 39 + (double)i);
}

static void evaluations_are_limited(void **state) {
    struct fixture *f = *state;
    f->query.expression = SN_STR("1");
    f->query.range = (struct sn_range){0, INT64_C(4000) * 3600000 - 1};
    f->query.step_ms = 3600000;
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 3999, 1, 1, 1, 1);
    f->query.range.end_ms = INT64_C(100) * 3600000 - 1;
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 99, 60, 1, 1, 1);
    f->query.range.end_ms = INT64_C(25) * 3600000 - 1;
    assert_int_equal(read_history(f), SN_OK);
    assert_step(f, 24, 240, 1, 1, 1);
}

static void only_numbers_have_a_history(void **state) {
    struct fixture *f = *state;
    static const char *const bad[] = {"\"text\"", "a[5m]", "rat(a)", ""};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        f->query.expression = sn_str_from(bad[i]);
        assert_int_equal(read_history(f), SN_ERR_INVALID);
        assert_true(f->err.text[0] != '\0');
    }
}

static void warnings_are_passed_on_once(void **state) {
    struct fixture *f = *state;
    give_regular(f, 0, 15000, 400);
    f->query.range = (struct sn_range){600000, 660000};
    f->query.expression = SN_STR("rate(a[1m])"); /* no counter by its name */
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.warning_count, 1);
    assert_non_null(strstr(f->history.warnings[0].ptr, "PromQL info"));
}

static void a_deadline_that_has_passed_is_a_timeout(void **state) {
    struct fixture *f = *state;
    f->query.deadline_ns = 1;
    assert_int_equal(read_history(f), SN_ERR_TIMEOUT);
    f->query.deadline_ns = INT64_MAX;
    assert_int_equal(read_history(f), SN_OK);
}

static void a_cancelled_question_ends(void **state) {
    struct fixture *f = *state;
    atomic_bool is_cancelled;
    atomic_init(&is_cancelled, true);
    GIVE(f, {1000, 1});
    f->query.is_cancelled = &is_cancelled;
    assert_int_equal(read_history(f), SN_ERR_CLOSED);
}

static void a_selector_takes_any_bytes(void **state) {
    struct fixture *f = *state;
    static const struct sn_label odd[] = {{SN_STR("__name__"), SN_STR("a")},
                                          {SN_STR("odd name"), SN_STR("\"\\\n\t{}")}};
    static const struct sn_sample sample = {1000, 1};
    f->series = (struct memory_series){{odd, 2}, &sample, 1};
    assert_int_equal(sn_history_selector(odd, 2, &f->arena, &f->query.expression, NULL), SN_OK);
    assert_true(sn_str_equal(f->query.expression,
                             SN_STR("{\"__name__\"=\"a\",\"odd name\"=\"\\\"\\\\\\n\t{}\"}")));
    assert_int_equal(read_history(f), SN_OK);
    assert_int_equal(f->history.series_count, 1);
}

/* ---- nice steps ---- */

static void nice_steps_are_the_next_round_duration(void **state) {
    (void)state;
    static const struct {
        int64_t span_s;
        size_t points;
        int64_t step_s;
    } cases[] = {
        {0, 240, 1},          {239, 240, 1},         {240, 240, 1},           {241, 240, 2},
        {3600, 240, 15},      {3601, 240, 30},       {1200, 240, 5},          {2400, 240, 10},
        {7200, 240, 30},      {14400, 240, 60},      {86400, 240, 600},       {604800, 240, 3600},
        {1296000, 240, 7200}, {3628800, 240, 21600}, {31536000, 240, 172800}, {60, 1, 60},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct sn_range range = {5000, 5000 + cases[i].span_s * 1000};
        assert_int_equal(sn_history_nice_step_ms(range, cases[i].points), cases[i].step_s * 1000);
    }
}

static void nice_steps_never_exceed_the_points(void **state) {
    (void)state;
    for (int64_t span_ms = 1; span_ms < SN_TIME_MS_MAX; span_ms += span_ms / 7 + 1)
        for (size_t points = 1; points <= 300; points += 23) {
            int64_t step_ms = sn_history_nice_step_ms((struct sn_range){0, span_ms}, points);
            assert_true(step_ms > 0 && step_ms % 1000 == 0);
            /* One step more than points: the one that contains the end. */
            assert_true((uint64_t)(span_ms / step_ms) <= points);
        }
}

static void a_reversed_range_has_the_shortest_nice_step(void **state) {
    (void)state;
    assert_int_equal(sn_history_nice_step_ms((struct sn_range){10, 5}, 240), 1000);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_sample_belongs_to_the_step_that_starts_at_it),
        TEST(the_last_step_contains_the_end_and_is_whole),
        TEST(a_range_of_one_moment_has_one_step),
        TEST(a_step_without_samples_has_count_0),
        TEST(stale_markers_and_nan_are_no_values),
        TEST(averages_of_large_counters_are_exact),
        TEST(the_average_of_equal_values_is_that_value),
        TEST(an_average_of_extremes_does_not_overflow),
        TEST(an_infinity_stays_in_the_average),
        TEST(infinities_of_both_signs_have_no_average),
        TEST(a_step_must_be_above_0),
        TEST(an_end_before_the_start_is_refused),
        TEST(times_and_steps_beyond_the_calendar_are_refused),
        TEST(steps_are_limited),
        TEST(points_are_limited),
        TEST(series_are_limited),
        TEST(the_largest_answer_fits_into_the_arena),
        TEST(the_question_reaches_the_reader),
        TEST(no_series_is_an_answer),
        TEST(failures_of_the_reader_are_passed_on),
        TEST(every_failing_allocation_is_survived),
        TEST(a_full_arena_is_a_limit),
        TEST(a_value_is_held_until_the_next_one),
        TEST(a_gap_is_not_bridged),
        TEST(a_lone_sample_is_not_held),
        TEST(nothing_is_held_longer_than_the_lookback),
        TEST(what_ended_before_the_start_is_no_series),
        TEST(windows_do_not_show),
        TEST(an_expression_is_evaluated_within_the_step),
        TEST(a_short_step_is_evaluated_once_at_its_start),
        TEST(evaluations_are_limited),
        TEST(only_numbers_have_a_history),
        TEST(warnings_are_passed_on_once),
        TEST(a_deadline_that_has_passed_is_a_timeout),
        TEST(a_cancelled_question_ends),
        TEST(a_selector_takes_any_bytes),
        TEST(nice_steps_are_the_next_round_duration),
        TEST(nice_steps_never_exceed_the_points),
        TEST(a_reversed_range_has_the_shortest_nice_step),
    };
    return cmocka_run_group_tests_name("history", tests, NULL, NULL);
}
