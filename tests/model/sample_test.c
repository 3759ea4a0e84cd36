/* Sample columns, ranges, stale markers, names of types. */
#include "model/sample.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void columns_grow_and_keep_their_contents(void **state) {
    (void)state;
    struct sn_samples samples;
    sn_samples_init(&samples);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(sn_samples_reserve(&samples, 1), SN_OK);
        samples.time_ms[samples.count] = i;
        samples.value[samples.count++] = i;
    }
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(samples.time_ms[i], i);
        assert_true(samples.value[i] == i);
    }
    assert_int_equal(sn_samples_reserve(&samples, 5000), SN_OK);
    assert_true(samples.capacity >= 6000);
    sn_samples_release(&samples);
    assert_int_equal(samples.capacity, 0);
}

static void sizes_that_overflow_are_no_memory(void **state) {
    (void)state;
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(sn_samples_reserve(&samples, SIZE_MAX), SN_ERR_NO_MEMORY);
    assert_int_equal(sn_samples_reserve(&samples, SIZE_MAX / 4), SN_ERR_NO_MEMORY);
    assert_int_equal(samples.capacity, 0);
    sn_samples_release(&samples);
}

static void a_failed_growth_leaves_the_columns_usable(void **state) {
    (void)state;
    for (uint64_t nth = 1;; nth++) {
        struct sn_samples samples;
        sn_samples_init(&samples);
        sn_mem_fail_nth(nth);
        sn_status status = sn_samples_reserve(&samples, 10);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(sn_samples_reserve(&samples, 10), SN_OK);
        sn_samples_release(&samples);
        if (!has_failed) {
            break;
        }
    }
}

static void start_times_appear_when_they_are_used(void **state) {
    (void)state;
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(sn_samples_reserve(&samples, 2), SN_OK);
    assert_null(samples.start_ms);
    samples.count = 2;
    assert_int_equal(sn_samples_use_start(&samples), SN_OK);
    assert_true(samples.has_start);
    assert_int_equal(samples.start_ms[0], 0);
    assert_int_equal(samples.start_ms[1], 0);
    for (int i = 2; i < 1000; i++) {
        assert_int_equal(sn_samples_reserve(&samples, 1), SN_OK);
        samples.time_ms[samples.count] = i;
        samples.value[samples.count] = i;
        samples.start_ms[samples.count++] = i;
    }
    assert_int_equal(sn_samples_use_start(&samples), SN_OK);
    assert_int_equal(samples.start_ms[1], 0);
    assert_int_equal(samples.start_ms[999], 999);
    sn_samples_reset(&samples);
    assert_int_equal(samples.count, 0);
    assert_false(samples.has_start);
    assert_int_equal(sn_samples_reserve(&samples, 5000), SN_OK);
    assert_null(samples.start_ms);
    sn_samples_release(&samples);
}

static void start_times_may_be_used_before_the_first_sample(void **state) {
    (void)state;
    struct sn_samples samples;
    sn_samples_init(&samples);
    assert_int_equal(sn_samples_use_start(&samples), SN_OK);
    assert_int_equal(sn_samples_reserve(&samples, 1), SN_OK);
    assert_non_null(samples.start_ms);
    sn_samples_release(&samples);
}

static sn_status reserve_and_use_start(struct sn_samples *samples) {
    SN_TRY(sn_samples_reserve(samples, 10));
    samples->count = 10;
    SN_TRY(sn_samples_use_start(samples));
    return sn_samples_reserve(samples, 1000);
}

static void every_failing_allocation_of_start_times_is_reported(void **state) {
    (void)state;
    int64_t blocks = sn_mem_block_count();
    for (uint64_t nth = 1;; nth++) {
        struct sn_samples samples;
        sn_samples_init(&samples);
        sn_mem_fail_nth(nth);
        sn_status status = reserve_and_use_start(&samples);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_samples_release(&samples);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!has_failed) {
            break;
        }
    }
}

static void the_stale_marker_is_one_nan_of_many(void **state) {
    (void)state;
    assert_true(sn_is_stale(sn_double_from_bits(SN_STALE_NAN_BITS)));
    assert_false(sn_is_stale((double)NAN));
    assert_false(sn_is_stale(0));
    assert_int_equal(sn_double_bits(sn_double_from_bits(SN_STALE_NAN_BITS)), SN_STALE_NAN_BITS);
}

static void ranges_include_both_ends(void **state) {
    (void)state;
    struct sn_range range = {10, 20};
    assert_false(sn_range_contains(range, 9));
    assert_true(sn_range_contains(range, 10));
    assert_true(sn_range_contains(range, 20));
    assert_false(sn_range_contains(range, 21));
    assert_true(sn_range_overlaps(range, (struct sn_range){20, 30}));
    assert_false(sn_range_overlaps(range, (struct sn_range){21, 30}));
}

static void every_type_has_the_name_of_the_metadata_api(void **state) {
    (void)state;
    static const char *const names[] = {"unknown",        "counter", "gauge", "histogram",
                                        "gaugehistogram", "summary", "info",  "stateset"};
    for (int i = 0; i <= SN_METRIC_STATESET; i++) {
        assert_string_equal(sn_metric_type_name((enum sn_metric_type)i), names[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_grow_and_keep_their_contents),
        cmocka_unit_test(sizes_that_overflow_are_no_memory),
        cmocka_unit_test(a_failed_growth_leaves_the_columns_usable),
        cmocka_unit_test(start_times_appear_when_they_are_used),
        cmocka_unit_test(start_times_may_be_used_before_the_first_sample),
        cmocka_unit_test(every_failing_allocation_of_start_times_is_reported),
        cmocka_unit_test(the_stale_marker_is_one_nan_of_many),
        cmocka_unit_test(ranges_include_both_ends),
        cmocka_unit_test(every_type_has_the_name_of_the_metadata_api),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
