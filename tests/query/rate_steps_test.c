/* Extrapolated differences of series that share their times, against the definition. */
#include "query/rate_steps_priv.h"

#include "eval_support.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { SAMPLES = 200, STEPS = 50 };

struct rate_case {
    struct sn_frame frame;
    struct sn_reach reach;
    struct sn_rate_what what;
    int64_t time_ms[SAMPLES];
    double value[SAMPLES];
    size_t count;
};

/* rate, increase and delta of one window as Prometheus' extrapolatedRate writes it. */
static double expected(const struct rate_case *item, size_t step) {
    int64_t end_ms = sn_reach_end(&item->reach, &item->frame, step);
    int64_t start_ms = end_ms - item->reach.range_ms;
    size_t first = 0;
    size_t end = 0;
    while (first < item->count && item->time_ms[first] <= start_ms) {
        first++;
    }
    for (end = first; end < item->count && item->time_ms[end] <= end_ms;) {
        end++;
    }
    if (end - first < 2) {
        return SN_ABSENT;
    }
    double result = item->value[end - 1] - item->value[first];
    double to_start = (double)(item->time_ms[first] - start_ms) / 1000;
    double to_end = (double)(end_ms - item->time_ms[end - 1]) / 1000;
    double sampled = (double)(item->time_ms[end - 1] - item->time_ms[first]) / 1000;
    double average = sampled / (double)(end - first - 1);
    double threshold = average * 1.1;
    if (to_start >= threshold) {
        to_start = average / 2;
    }
    if (item->what.is_counter && result > 0 && item->value[first] >= 0) {
        double to_zero = sampled * (item->value[first] / result);
        to_start = to_zero < to_start ? to_zero : to_start;
    }
    if (to_end >= threshold) {
        to_end = average / 2;
    }
    double factor = (sampled + to_start + to_end) / sampled;
    return result * (item->what.is_rate ? factor / item->what.range_s : factor);
}

static void make_times(struct rate_case *item, struct sn_rng *rng) {
    int64_t at_ms = (int64_t)sn_rng_below(rng, 100000);
    bool is_regular = sn_rng_below(rng, 2) == 0;
    item->count = (size_t)sn_rng_below(rng, SAMPLES + 1);
    for (size_t i = 0; i < item->count; i++) {
        item->time_ms[i] = at_ms;
        at_ms += is_regular ? 15000 : 1 + (int64_t)sn_rng_below(rng, 60000);
    }
}

static void make_values(struct rate_case *item, struct sn_rng *rng) {
    double value = sn_rng_below(rng, 2) ? 0 : (double)sn_rng_below(rng, 100000);
    for (size_t i = 0; i < item->count; i++) {
        item->value[i] = value;
        value += (double)sn_rng_below(rng, 1000) / 7;
    }
}

static void make_case(struct rate_case *item, struct sn_rng *rng) {
    *item = (struct rate_case){
        .frame = {.start_ms = (int64_t)sn_rng_below(rng, 500000),
                  .step_ms = 1 + (int64_t)sn_rng_below(rng, 100000),
                  .step_count = STEPS},
        .reach = {.range_ms = 1 + (int64_t)sn_rng_below(rng, 400000),
                  .offset_ms = (int64_t)sn_rng_below(rng, 3) * 1000},
        .what = {.is_counter = sn_rng_below(rng, 3) > 0, .is_rate = sn_rng_below(rng, 2) == 0}};
    item->what.frame = &item->frame;
    item->what.reach = &item->reach;
    item->what.range_s = (double)item->reach.range_ms / 1000;
}

static void check_series(struct eval_fixture *fixture, const struct rate_case *item,
                         struct sn_rate_steps *steps) {
    uint32_t begin[STEPS];
    uint32_t end[STEPS];
    double column[STEPS];
    struct sn_windows windows = {begin, end};
    bool has_value;
    bool expects_value = false;
    struct sn_series_view view = {
        .time_ms = item->time_ms, .value = item->value, .count = item->count};
    assert_int_equal(
        sn_rate_steps_fill(&fixture->eval, steps, &item->what, &view, &windows, column, &has_value),
        SN_OK);
    for (size_t i = 0; i < STEPS; i++) {
        double want = expected(item, i);
        assert_int_equal(sn_double_bits(column[i]), sn_double_bits(want));
        expects_value = expects_value || !sn_is_absent(want);
    }
    assert_int_equal(has_value, expects_value);
}

static void results_are_those_of_the_definition_bit_for_bit(void **state) {
    (void)state;
    struct rate_case item;
    struct sn_rng rng;
    sn_rng_init(&rng, 3);
    for (int round = 0; round < 400; round++) {
        struct eval_fixture fixture;
        struct sn_rate_steps steps = {.steps = NULL};
        eval_fixture_init(&fixture);
        make_case(&item, &rng);
        for (int series = 0; series < 6; series++) {
            if (series % 3 == 0) { /* else: the times of the series before */
                make_times(&item, &rng);
            }
            make_values(&item, &rng);
            check_series(&fixture, &item, &steps);
        }
        eval_fixture_release(&fixture);
    }
}

static void times_that_differ_in_one_place_are_not_shared(void **state) {
    (void)state;
    struct eval_fixture fixture;
    struct rate_case item;
    struct sn_rng rng;
    struct sn_rate_steps steps = {.steps = NULL};
    sn_rng_init(&rng, 9);
    eval_fixture_init(&fixture);
    make_case(&item, &rng);
    make_times(&item, &rng);
    item.count = SAMPLES;
    for (size_t i = 0; i < SAMPLES; i++) {
        item.time_ms[i] = (int64_t)i * 15000;
    }
    make_values(&item, &rng);
    for (size_t i = 0; i < SAMPLES; i += 7) {
        check_series(&fixture, &item, &steps);
        item.time_ms[i]++;
        check_series(&fixture, &item, &steps);
    }
    eval_fixture_release(&fixture);
}

static void no_memory_for_the_steps_is_the_limit_of_the_query(void **state) {
    (void)state;
    struct eval_fixture fixture;
    struct rate_case item;
    struct sn_rng rng;
    struct sn_rate_steps steps = {.steps = NULL};
    struct sn_windows windows = {NULL, NULL};
    bool has_value;
    sn_rng_init(&rng, 1);
    eval_fixture_init(&fixture);
    make_case(&item, &rng);
    fixture.arena.limit = fixture.arena.used;
    struct sn_series_view view = {.count = 0};
    assert_int_equal(
        sn_rate_steps_fill(&fixture.eval, &steps, &item.what, &view, &windows, NULL, &has_value),
        SN_ERR_LIMIT);
    eval_fixture_release(&fixture);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_of_the_definition_bit_for_bit),
        cmocka_unit_test(times_that_differ_in_one_place_are_not_shared),
        cmocka_unit_test(no_memory_for_the_steps_is_the_limit_of_the_query),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
