/*
 * Queries on rollups against the same queries on samples: equal where windows are whole buckets, whatever
 * else is asked; and what is left when samples are gone.
 */
#include "promql_support.h"

#include "query/rollup_steps.h"

#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR SN_ROLLUP_WIDE_MS
#define DAY (24 * HOUR)

/* Two engines: one on samples, one whose reader also has rollups, and may have lost old samples. */
struct fixture {
    struct memory_reader memory;
    struct sn_reader full; /* without rollups */
    int64_t raw_from_ms;
    uint64_t rollup_reads;
    uint64_t sample_reads;
    struct sn_fake_clock clock;
    struct sn_query_engine *plain;
    struct sn_query_engine *rolled;
    struct sn_arena arena;
};

/* ---- a reader with rollups ---- */

static sn_status read_rollups(void *ctx, uint64_t series_id, const struct sn_rollup_wish *wish,
                              struct sn_rollups *rollups, struct sn_err *err) {
    struct fixture *fixture = ctx;
    struct sn_samples samples;
    struct sn_rollups all;
    struct sn_range every = {0, INT64_C(1) << 50};
    sn_samples_init(&samples);
    sn_rollups_init(&all);
    fixture->rollup_reads++;
    sn_status status = fixture->full.samples(fixture->full.ctx, series_id, every, &samples, err);
    assert_int_equal(sn_rollups_add(&all, &samples, 0, wish->width_ms), SN_OK);
    assert_int_equal(sn_rollups_reserve(rollups, all.count), SN_OK);
    for (size_t i = 0; i < all.count; i++) {
        if (sn_range_contains(wish->ends, all.items[i].end_ms)) {
            rollups->items[rollups->count++] = all.items[i];
        }
    }
    sn_samples_release(&samples);
    sn_rollups_release(&all);
    return status;
}

static int64_t raw_from(void *ctx) {
    struct fixture *fixture = ctx;
    return fixture->raw_from_ms;
}

static sn_status read_samples(void *ctx, uint64_t series_id, struct sn_range range,
                              struct sn_samples *samples, struct sn_err *err) {
    struct fixture *fixture = ctx;
    fixture->sample_reads++;
    if (range.start_ms < fixture->raw_from_ms) {
        range.start_ms = fixture->raw_from_ms;
    }
    return fixture->full.samples(fixture->full.ctx, series_id, range, samples, err);
}

static sn_status read_histograms(void *ctx, uint64_t series_id, struct sn_range range,
                                 struct sn_histograms *histograms, struct sn_err *err) {
    struct fixture *fixture = ctx;
    return fixture->full.histograms(fixture->full.ctx, series_id, range, histograms, err);
}

static sn_status select_series(void *ctx, const struct sn_select *select, struct sn_arena *arena,
                               struct sn_series_list *ret_series, struct sn_err *err) {
    struct fixture *fixture = ctx;
    return fixture->full.select(fixture->full.ctx, select, arena, ret_series, err);
}

/* ---- data: five days of five kinds of series ---- */

static struct memory_series *series_of(struct fixture *fixture, const char *kind) {
    struct sn_label items[2] = {{SN_LABEL_METRIC_NAME, SN_STR("m_total")},
                                {SN_STR("kind"), sn_str_from(kind)}};
    return memory_reader_series(&fixture->memory, (struct sn_labels){items, 2});
}

static void fill(struct fixture *fixture) {
    struct sn_rng rng;
    double counter = 5;
    sn_rng_init(&rng, 7);
    struct memory_series *series = series_of(fixture, "counter");
    for (int64_t at = 3 * HOUR + 1; at <= 5 * DAY;
         at += 60000 + (int64_t)sn_rng_below(&rng, 3000)) {
        counter = sn_rng_below(&rng, 900) ? counter + (double)sn_rng_below(&rng, 50) : 1;
        memory_series_add(&fixture->memory, series, at, counter);
    }
    series = series_of(fixture, "gauge");
    for (int64_t at = 0; at <= 5 * DAY; at += 60000) { /* on the edges of buckets */
        memory_series_add(&fixture->memory, series, at, (double)sn_rng_below(&rng, 1000) / 10 - 30);
    }
    series = series_of(fixture, "gaps");
    for (int64_t at = 0; at <= 5 * DAY; at += 240000) {
        uint64_t what = sn_rng_below(&rng, 20);
        double value = what == 0 ? sn_double_from_bits(SN_STALE_NAN_BITS) : (double)what;
        if (what != 1 && at / (7 * HOUR) % 2) {
            memory_series_add(&fixture->memory, series, at, what == 2 ? (double)NAN : value);
        }
    }
    series = series_of(fixture, "seldom");
    for (int64_t at = 100; at <= 5 * DAY; at += 5 * HOUR + 77) {
        memory_series_add(&fixture->memory, series, at, (double)at);
    }
    series = series_of(fixture, "started");
    for (int64_t at = HOUR; at <= 5 * DAY; at += 60000) {
        struct memory_sample sample = {.time_ms = at,
                                       .start_ms = at / (9 * HOUR) * 9 * HOUR,
                                       .value = (double)(at % (9 * HOUR))};
        memory_series_put(&fixture->memory, series, &sample);
    }
}

static int setup(void **state) {
    struct fixture *fixture = test_calloc(1, sizeof *fixture);
    memory_reader_init(&fixture->memory);
    fill(fixture);
    fixture->full = memory_reader_door(&fixture->memory);
    fixture->raw_from_ms = INT64_MIN;
    sn_fake_clock_init(&fixture->clock, 1, 0);
    sn_arena_init(&fixture->arena, 0);
    struct sn_query_engine_options options = {.reader = fixture->full,
                                              .clock = &fixture->clock.clock,
                                              .features = {.has_extended_selectors = true}};
    assert_int_equal(sn_query_engine_new(&options, &fixture->plain, NULL), SN_OK);
    options.reader = (struct sn_reader){.ctx = fixture,
                                        .select = select_series,
                                        .samples = read_samples,
                                        .histograms = read_histograms,
                                        .rollups = read_rollups,
                                        .raw_from = raw_from,
                                        .label_names = fixture->full.label_names,
                                        .label_values = fixture->full.label_values,
                                        .metadata = fixture->full.metadata};
    assert_int_equal(sn_query_engine_new(&options, &fixture->rolled, NULL), SN_OK);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = *state;
    fixture->plain = sn_query_engine_free(fixture->plain);
    fixture->rolled = sn_query_engine_free(fixture->rolled);
    sn_arena_release(&fixture->arena);
    memory_reader_clear(&fixture->memory);
    test_free(fixture);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct sn_query_result ask(struct fixture *fixture, struct sn_query_engine *engine,
                                  const struct sn_query *query) {
    struct sn_querier querier = sn_query_engine_querier(engine);
    struct sn_query_result result;
    struct sn_err err = {.status = SN_OK};
    sn_status status = querier.query(querier.ctx, query, &fixture->arena, &result, &err);
    if (status != SN_OK) {
        print_error("%.*s: %s\n", SN_STR_ARG(query->expression), err.text);
    }
    assert_int_equal(status, SN_OK);
    return result;
}

static struct sn_query range_query(const char *expression, struct sn_range range, int64_t step_ms) {
    return (
        struct sn_query){.expression = sn_str_from(expression), .range = range, .step_ms = step_ms};
}

static bool is_near(double a, double b) {
    if (isnan(a) || isnan(b)) {
        return isnan(a) && isnan(b);
    }
    double distance = fabs(a - b);
    return a == b || distance <= 1e-12 * fabs(a) || distance <= 1e-9;
}

static void assert_same(const struct sn_query *query, const struct sn_query_result *a,
                        const struct sn_query_result *b) {
    if (a->series_count != b->series_count) {
        fail_msg("%.*s: %zu and %zu series", SN_STR_ARG(query->expression), a->series_count,
                 b->series_count);
    }
    for (size_t i = 0; i < a->series_count; i++) {
        const struct sn_result_series *x = &a->series[i];
        const struct sn_result_series *y = &b->series[i];
        assert_true(sn_labels_compare(x->labels, y->labels) == 0);
        if (x->count != y->count) {
            fail_msg("%.*s: series %zu has %zu and %zu values", SN_STR_ARG(query->expression), i,
                     x->count, y->count);
        }
        for (size_t k = 0; k < x->count; k++) {
            if (x->time_ms[k] != y->time_ms[k] || !is_near(x->value[k], y->value[k])) {
                fail_msg("%.*s: series %zu at %lld: %.17g and %.17g", SN_STR_ARG(query->expression),
                         i, (long long)x->time_ms[k], x->value[k], y->value[k]);
            }
        }
    }
}

static const char *const functions[] = {
    "rate",
    "increase",
    "delta",
    "avg_over_time",
    "min_over_time",
    "max_over_time",
    "sum_over_time",
    "count_over_time",
    "last_over_time",
    "first_over_time",
    "present_over_time",
    /* not answered by rollups */
    "irate",
    "stddev_over_time",
    "changes",
    "resets",
    "deriv",
};

static void whole_buckets_give_what_samples_give(void **state) {
    struct fixture *fixture = *state;
    static const char *const ranges[] = {"1h", "6h", "1d", "3h] offset 2h", "1d] @ 345600"};
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++) {
        for (size_t k = 0; k < sizeof ranges / sizeof *ranges; k++) {
            char expression[128];
            (void)snprintf(expression, sizeof expression, "%s(m_total[%s%s)", functions[i],
                           ranges[k], k < 3 ? "]" : "");
            struct sn_query query = range_query(expression, (struct sn_range){0, 5 * DAY}, HOUR);
            fixture->rollup_reads = 0;
            struct sn_query_result plain = ask(fixture, fixture->plain, &query);
            struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
            assert_same(&query, &plain, &rolled);
            /* With @ there is but one window, too short to be worth it. */
            assert_int_equal(fixture->rollup_reads > 0, i < 11 && k < 4);
            sn_arena_reset(&fixture->arena);
        }
    }
}

static void selectors_and_subqueries_give_what_samples_give(void **state) {
    struct fixture *fixture = *state;
    static const char *const expressions[] = {"m_total",
                                              "m_total offset 3h",
                                              "sum(m_total)",
                                              "m_total @ 345600",
                                              "timestamp(m_total)",
                                              "max_over_time(m_total[1d:1h])",
                                              "sum by (kind) (increase(m_total[2h])) / 2",
                                              "absent(m_total{kind='none'})",
                                              "m_total{kind='gaps'} > 10"};
    static const int64_t steps[] = {HOUR, 4 * HOUR};
    for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++) {
        for (size_t k = 0; k < 2; k++) {
            struct sn_query query =
                range_query(expressions[i], (struct sn_range){HOUR, 4 * DAY}, steps[k]);
            struct sn_query_result plain = ask(fixture, fixture->plain, &query);
            struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
            assert_same(&query, &plain, &rolled);
            bool is_cheap = i == 0 || i == 1 || i == 2 || i == 4 || i == 8;
            assert_true(!is_cheap || rolled.stats.sample_count * 10 < plain.stats.sample_count);
            sn_arena_reset(&fixture->arena);
        }
    }
}

static void what_is_not_whole_is_read_from_samples(void **state) {
    struct fixture *fixture = *state;
    static const struct {
        const char *expression;
        struct sn_range range;
        int64_t step_ms;
    } cases[] = {{"max_over_time(m_total[90m])", {0, 5 * DAY}, HOUR + 1},
                 {"max_over_time(m_total[1h])", {60000, 5 * DAY + 60000}, HOUR + 2},
                 {"max_over_time(m_total[1h])", {0, DAY}, HOUR}, /* too short to be worth it */
                 {"m_total", {7, 5 * DAY}, HOUR},
                 {"rate(m_total[1h] smoothed)", {0, 5 * DAY}, HOUR}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_query query = range_query(cases[i].expression, cases[i].range, cases[i].step_ms);
        struct sn_query_result plain = ask(fixture, fixture->plain, &query);
        struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
        assert_same(&query, &plain, &rolled);
        assert_int_equal(fixture->rollup_reads, 0);
    }
}

static void five_minutes_are_a_tier_too(void **state) {
    struct fixture *fixture = *state;
    struct sn_query query =
        range_query("max_over_time(m_total[10m])", (struct sn_range){0, 5 * DAY}, 300000);
    struct sn_query_result plain = ask(fixture, fixture->plain, &query);
    struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
    assert_same(&query, &plain, &rolled);
    assert_true(fixture->rollup_reads > 0);
    assert_int_equal(fixture->sample_reads, 0);
}

static void aligned_queries_do_not_notice_that_samples_are_gone(void **state) {
    struct fixture *fixture = *state;
    static const char *const expressions[] = {"m_total{kind!='started'}",
                                              "rate(m_total{kind!='started'}[3h])",
                                              "max_over_time(m_total[1d])"};
    fixture->raw_from_ms = 3 * DAY + 12345;
    for (size_t i = 0; i < 3; i++) {
        struct sn_query query =
            range_query(expressions[i], (struct sn_range){0, 5 * DAY}, 2 * HOUR);
        struct sn_query_result plain = ask(fixture, fixture->plain, &query);
        struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
        assert_same(&query, &plain, &rolled);
        assert_int_equal(rolled.info_count, plain.info_count);
    }
}

static const struct sn_result_series *find(const struct sn_query_result *result, const char *kind) {
    for (size_t i = 0; i < result->series_count; i++) {
        struct sn_str value = sn_labels_get(result->series[i].labels, SN_STR("kind"));
        if (sn_str_equal(value, sn_str_from(kind))) {
            return &result->series[i];
        }
    }
    return NULL;
}

/* At times of no bucket: the last whole hour has the word while samples are gone, samples afterwards. */
static void other_queries_are_cut_to_hours_where_samples_are_gone(void **state) {
    struct fixture *fixture = *state;
    fixture->raw_from_ms = 3 * DAY;
    struct sn_query query = range_query("max_over_time(m_total[2h])",
                                        (struct sn_range){10 * HOUR + 7, 5 * DAY}, HOUR + 60000);
    struct sn_query hours =
        range_query("max_over_time(m_total[2h])", (struct sn_range){10 * HOUR, 10 * HOUR}, 0);
    struct sn_query_result plain = ask(fixture, fixture->plain, &query);
    struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
    struct sn_query_result first = ask(fixture, fixture->plain, &hours);
    assert_int_equal(rolled.info_count, 1);
    const struct sn_result_series *series = find(&rolled, "gauge");
    const struct sn_result_series *exact = find(&plain, "gauge");
    assert_true(series->value[0] == find(&first, "gauge")->value[0]);
    assert_int_equal(series->count, exact->count);
    for (size_t i = 0; i < series->count; i++) {
        if (series->time_ms[i] - 2 * HOUR + 1 >= fixture->raw_from_ms) {
            assert_true(series->value[i] == exact->value[i]);
        }
    }
    query.expression = SN_STR("m_total{kind='gauge'}");
    plain = ask(fixture, fixture->plain, &query);
    rolled = ask(fixture, fixture->rolled, &query);
    assert_int_equal(rolled.series[0].count, plain.series[0].count);
    query.expression = SN_STR("rate(m_total{kind='counter'}[5m])"); /* no rollup knows */
    rolled = ask(fixture, fixture->rolled, &query);
    assert_true(rolled.series[0].time_ms[0] > fixture->raw_from_ms);
}

static void a_rate_over_cut_windows_is_near(void **state) {
    struct fixture *fixture = *state;
    fixture->raw_from_ms = 6 * DAY;
    struct sn_query query = range_query("rate(m_total{kind='counter'}[90m])",
                                        (struct sn_range){DAY + 1234567, 2 * DAY}, HOUR + 60000);
    struct sn_query_result plain = ask(fixture, fixture->plain, &query);
    struct sn_query_result rolled = ask(fixture, fixture->rolled, &query);
    assert_int_equal(plain.series[0].count, rolled.series[0].count);
    for (size_t i = 0; i < plain.series[0].count; i++) {
        double ratio = rolled.series[0].value[i] / plain.series[0].value[i];
        assert_true(ratio > 0.7 && ratio < 1.4);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(whole_buckets_give_what_samples_give),
        CASE(selectors_and_subqueries_give_what_samples_give),
        CASE(what_is_not_whole_is_read_from_samples),
        CASE(five_minutes_are_a_tier_too),
        CASE(aligned_queries_do_not_notice_that_samples_are_gone),
        CASE(other_queries_are_cut_to_hours_where_samples_are_gone),
        CASE(a_rate_over_cut_windows_is_near),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
