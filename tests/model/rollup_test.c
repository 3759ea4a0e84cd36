/* Summing up: edges of buckets, stale markers, NaN, falls of counters, joining. */
#include "model/rollup.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR SN_ROLLUP_WIDE_MS

/* Up to eight samples, summed up in two pieces that meet at `cut`. */
static void sum_up(struct sn_rollups *rollups, const int64_t *times, const double *values,
                   size_t count, size_t cut) {
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(sn_samples_reserve(&samples, count), SN_OK);
    sn_rollups_reset(rollups);
    for (size_t i = 0; i < count; i++) {
        samples.time_ms[i] = times[i];
        samples.value[i] = values[i];
    }
    samples.count = cut;
    assert_int_equal(sn_rollups_add(rollups, &samples, 0, HOUR), SN_OK);
    samples.count = count;
    assert_int_equal(sn_rollups_add(rollups, &samples, cut, HOUR), SN_OK);
    sn_samples_release(&samples);
}

static void a_bucket_is_open_on_the_left(void **state) {
    (void)state;
    assert_int_equal(sn_rollup_end_ms(0, HOUR), 0);
    assert_int_equal(sn_rollup_end_ms(1, HOUR), HOUR);
    assert_int_equal(sn_rollup_end_ms(HOUR - 1, HOUR), HOUR);
    assert_int_equal(sn_rollup_end_ms(HOUR, HOUR), HOUR);
    assert_int_equal(sn_rollup_end_ms(HOUR + 1, HOUR), 2 * HOUR);
    assert_int_equal(sn_rollup_end_ms(-1, HOUR), 0);
    assert_int_equal(sn_rollup_end_ms(-HOUR, HOUR), -HOUR);
    assert_int_equal(sn_rollup_end_ms(-HOUR - 1, HOUR), -HOUR);
}

static void values_are_counted_added_and_compared(void **state) {
    (void)state;
    static const int64_t times[] = {1, 2000, HOUR, HOUR + 1, 3 * HOUR - 1};
    static const double values[] = {5, 2, 9, 4, 8};
    struct sn_rollups rollups;
    sn_rollups_init(&rollups);
    for (size_t cut = 0; cut <= 5; cut++) {
        sum_up(&rollups, times, values, 5, cut);
        assert_int_equal(rollups.count, 3);
        struct sn_rollup first = rollups.items[0];
        assert_int_equal(first.end_ms, HOUR);
        assert_int_equal(first.first_ms, 1);
        assert_int_equal(first.last_ms, HOUR);
        assert_int_equal(first.count, 3);
        assert_true(first.first == 5 && first.last == 9 && first.min == 2 && first.max == 9);
        assert_true(first.sum == 16 && first.falls == 5);
        assert_false(first.is_stale || first.has_start);
        assert_int_equal(rollups.items[1].end_ms, 2 * HOUR);
        assert_true(rollups.items[1].falls == 0 && rollups.items[1].sum == 4);
        assert_int_equal(rollups.items[2].end_ms, 3 * HOUR);
        sn_rollup_join(&first, &rollups.items[1]);
        sn_rollup_join(&first, &rollups.items[2]);
        assert_int_equal(first.count, 5);
        assert_int_equal(first.last_ms, 3 * HOUR - 1);
        assert_true(first.sum == 28 && first.falls == 5 + 9 && first.last == 8 && first.min == 2);
    }
    sn_rollups_release(&rollups);
}

static void stale_markers_are_no_values(void **state) {
    (void)state;
    double stale = sn_double_from_bits(SN_STALE_NAN_BITS);
    const int64_t times[] = {1, 2, 3, 4, HOUR + 5, 2 * HOUR + 5, 2 * HOUR + 6};
    const double values[] = {stale, 1, stale, 2, stale, 3, stale};
    struct sn_rollups rollups;
    sn_rollups_init(&rollups);
    sum_up(&rollups, times, values, 7, 3);
    assert_int_equal(rollups.count, 2);
    assert_int_equal(rollups.items[0].count, 2);
    assert_false(rollups.items[0].is_stale);
    assert_int_equal(rollups.items[1].count, 1);
    assert_true(rollups.items[1].is_stale);
    sn_rollups_release(&rollups);
}

static void nan_loses_to_every_number(void **state) {
    (void)state;
    const double nan_value = (double)NAN;
    const int64_t times[] = {1, 2, 3, HOUR + 1};
    const double values[] = {nan_value, 2, nan_value, nan_value};
    struct sn_rollups rollups;
    sn_rollups_init(&rollups);
    sum_up(&rollups, times, values, 4, 2);
    assert_true(rollups.items[0].min == 2 && rollups.items[0].max == 2);
    assert_true(isnan(rollups.items[0].sum) && isnan(rollups.items[0].last));
    assert_true(isnan(rollups.items[1].min));
    sn_rollup_join(&rollups.items[1], &rollups.items[0]);
    assert_true(rollups.items[1].min == 2 && rollups.items[1].max == 2);
    sn_rollups_release(&rollups);
}

static void sums_keep_what_rounding_would_lose(void **state) {
    (void)state;
    const int64_t times[] = {1, 2, 3, 4};
    const double values[] = {1e100, 1, -1e100, 1};
    struct sn_rollups rollups;
    sn_rollups_init(&rollups);
    for (size_t cut = 0; cut <= 4; cut++) {
        sum_up(&rollups, times, values, 4, cut);
        assert_true(rollups.items[0].sum == 2);
    }
    sn_rollups_release(&rollups);
}

static void start_times_are_noted(void **state) {
    (void)state;
    struct sn_samples samples;
    struct sn_rollups rollups;
    sn_samples_init(&samples);
    sn_rollups_init(&rollups);
    assert_int_equal(sn_samples_reserve(&samples, 2), SN_OK);
    assert_int_equal(sn_samples_use_start(&samples), SN_OK);
    for (int i = 0; i < 2; i++) {
        samples.time_ms[i] = i * HOUR + 7;
        samples.value[i] = i;
        samples.start_ms[i] = i * 3;
    }
    samples.count = 2;
    assert_int_equal(sn_rollups_add(&rollups, &samples, 0, HOUR), SN_OK);
    assert_false(rollups.items[0].has_start);
    assert_true(rollups.items[1].has_start);
    sn_samples_release(&samples);
    sn_rollups_release(&rollups);
}

static void buckets_are_found_by_time(void **state) {
    (void)state;
    const struct sn_rollup items[] = {{.end_ms = 10}, {.end_ms = 20}, {.end_ms = 30}};
    assert_int_equal(sn_rollups_find_after(items, 3, 9), 0);
    assert_int_equal(sn_rollups_find_after(items, 3, 10), 1);
    assert_int_equal(sn_rollups_find_after(items, 3, 29), 2);
    assert_int_equal(sn_rollups_find_after(items, 3, 30), 3);
    assert_int_equal(sn_rollups_find_after(items, 0, 30), 0);
}

static void without_memory_nothing_is_added(void **state) {
    (void)state;
    const int64_t time_ms = 5;
    const double value = 1;
    struct sn_samples samples;
    struct sn_rollups rollups;
    sn_samples_init(&samples);
    sn_rollups_init(&rollups);
    assert_int_equal(sn_samples_reserve(&samples, 1), SN_OK);
    samples.time_ms[0] = time_ms;
    samples.value[0] = value;
    samples.count = 1;
    sn_mem_fail_nth(1);
    assert_int_equal(sn_rollups_add(&rollups, &samples, 0, HOUR), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_int_equal(rollups.count, 0);
    sn_samples_release(&samples);
    sn_rollups_release(&rollups);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bucket_is_open_on_the_left),
        cmocka_unit_test(values_are_counted_added_and_compared),
        cmocka_unit_test(stale_markers_are_no_values),
        cmocka_unit_test(nan_loses_to_every_number),
        cmocka_unit_test(sums_keep_what_rounding_would_lose),
        cmocka_unit_test(start_times_are_noted),
        cmocka_unit_test(buckets_are_found_by_time),
        cmocka_unit_test(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
