/*
 * sum, avg, count, min, max, group, stddev, stdvar: data/aggregate.test.
 */
#include "promql_support.h"

#include "base/rng.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void groups_add_up_as_in_prometheus(void **state) {
    (void)state;
    promql_check_data("aggregate");
}

enum { SERIES = 5, STEPS = 201 };

#define STEP_MS INT64_C(1000)

static double special_value(struct sn_rng *rng) {
    switch (sn_rng_below(rng, 12)) {
    case 0:
        return (double)INFINITY;
    case 1:
        return -(double)INFINITY;
    case 2:
        return (double)NAN;
    case 3:
        return -0.0;
    case 4:
        return DBL_MAX;
    case 5:
        return -DBL_MAX;
    case 6:
        return 1e-300;
    case 7:
        return 1e16;
    default:
        return ((double)sn_rng_below(rng, 2000000) - 1000000) / 7;
    }
}

static void fill(struct memory_reader *reader, struct sn_rng *rng) {
    static const char *const names[SERIES] = {"a", "b", "c", "d", "e"};
    for (size_t i = 0; i < SERIES; i++) {
        struct sn_label items[2] = {{SN_LABEL_METRIC_NAME, SN_STR("m")},
                                    {SN_STR("i"), sn_str_from(names[i])}};
        struct memory_series *series = memory_reader_series(reader, (struct sn_labels){items, 2});
        for (int64_t k = 0; k < STEPS; k++) {
            bool is_stale = sn_rng_below(rng, 4) == 0;
            memory_series_add(reader, series, k * STEP_MS,
                              is_stale ? sn_double_from_bits(SN_STALE_NAN_BITS)
                                       : special_value(rng));
        }
    }
}

/* Value of the only series at a time; the stale marker when there is none. */
static double value_at(const struct sn_query_result *result, int64_t time_ms) {
    for (size_t i = 0; i < result->series_count; i++) {
        for (size_t k = 0; k < result->series[i].count; k++) {
            if (result->series[i].time_ms[k] == time_ms) {
                return result->series[i].value[k];
            }
        }
    }
    return sn_double_from_bits(SN_STALE_NAN_BITS);
}

static void check_steps(struct sn_query_engine *engine, const char *expression) {
    struct sn_querier querier = sn_query_engine_querier(engine);
    struct sn_query_result range;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    struct sn_query query = {.expression = sn_str_from(expression),
                             .range = {0, (STEPS - 1) * STEP_MS},
                             .step_ms = STEP_MS,
                             .lookback_ms = STEP_MS};
    assert_int_equal(querier.query(querier.ctx, &query, &arena, &range, NULL), SN_OK);
    query.step_ms = 0;
    for (int64_t k = 0; k < STEPS; k++) {
        struct sn_query_result instant;
        query.range = (struct sn_range){k * STEP_MS, k * STEP_MS};
        assert_int_equal(querier.query(querier.ctx, &query, &arena, &instant, NULL), SN_OK);
        double expected = value_at(&instant, k * STEP_MS);
        double found = value_at(&range, k * STEP_MS);
        assert_int_equal(sn_is_stale(found), sn_is_stale(expected));
        assert_true(isnan(found) ? isnan(expected)
                                 : sn_double_bits(found) == sn_double_bits(expected));
    }
    sn_arena_release(&arena);
}

/* A range is computed steps at a time, an instant alone. */
static void a_range_has_at_each_step_what_an_instant_gives(void **state) {
    (void)state;
    struct memory_reader reader;
    struct sn_query_engine *engine;
    struct sn_rng rng;
    sn_rng_init(&rng, 11);
    memory_reader_init(&reader);
    fill(&reader, &rng);
    struct sn_query_engine_options options = {.reader = memory_reader_door(&reader),
                                              .clock = sn_clock_system()};
    assert_int_equal(sn_query_engine_new(&options, &engine, NULL), SN_OK);
    check_steps(engine, "sum(m)");
    check_steps(engine, "avg(m)");
    check_steps(engine, "count(m)");
    check_steps(engine, "max(m)");
    check_steps(engine, "min(m)");
    check_steps(engine, "stddev(m)");
    check_steps(engine, "sum(m{i!=\"c\"})");
    engine = sn_query_engine_free(engine);
    memory_reader_clear(&reader);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_add_up_as_in_prometheus),
        cmocka_unit_test(a_range_has_at_each_step_what_an_instant_gives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
