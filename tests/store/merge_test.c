/* Merging runs of samples, against a table of what was written last. */
#include "store/merge.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct sn_samples *samples, int64_t time_ms, double value) {
    assert_int_equal(sn_samples_reserve(samples, 1), SN_OK);
    samples->time_ms[samples->count] = time_ms;
    samples->value[samples->count++] = value;
}

enum { TIMES = 60 };

static void merged_runs_keep_the_newer_value_of_each_time(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 3);
    for (int turn = 0; turn < 500; turn++) {
        double expected[TIMES] = {0};
        struct sn_samples samples;
        sn_samples_init(&samples);
        add(&samples, 1000, -1); /* not part of the runs */
        for (int run = 0; run < 4; run++) {
            size_t middle = samples.count;
            uint64_t one_in = 1 + sn_rng_below(&rng, 8);
            for (int t = 0; t < TIMES; t++) {
                if (sn_rng_below(&rng, one_in) != 0)
                    continue;
                expected[t] = run * 100 + t + 1;
                add(&samples, t, expected[t]);
            }
            assert_int_equal(sn_samples_merge_tail(&samples, 1, middle), SN_OK);
        }
        size_t at = 1;
        for (int t = 0; t < TIMES; t++) {
            if (expected[t] > 0) {
                assert_int_equal(samples.time_ms[at], t);
                assert_true(samples.value[at++] == expected[t]);
            }
        }
        assert_int_equal(at, samples.count);
        assert_int_equal(samples.time_ms[0], 1000);
        sn_samples_release(&samples);
    }
}

static void sorting_keeps_the_last_of_equal_times(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 4);
    for (int turn = 0; turn < 200; turn++) {
        double expected[TIMES] = {0};
        struct sn_samples samples;
        sn_samples_init(&samples);
        size_t count = sn_rng_below(&rng, 100);
        for (size_t i = 0; i < count; i++) {
            size_t t = sn_rng_below(&rng, TIMES);
            expected[t] = (double)i + 1;
            add(&samples, (int64_t)t, expected[t]);
        }
        assert_int_equal(sn_samples_sort_latest(&samples), SN_OK);
        size_t at = 0;
        for (int t = 0; t < TIMES; t++) {
            if (expected[t] > 0)
                assert_true(samples.time_ms[at] == t && samples.value[at++] == expected[t]);
        }
        assert_int_equal(at, samples.count);
        sn_samples_release(&samples);
    }
}

static void clipping_keeps_both_ends_of_the_range(void **state) {
    (void)state;
    struct sn_samples samples;
    sn_samples_init(&samples);
    for (int t = 0; t < 10; t++)
        add(&samples, t * 10, t);
    sn_samples_clip_tail(&samples, 2, (struct sn_range){40, 60});
    assert_int_equal(samples.count, 5);
    assert_int_equal(samples.time_ms[2], 40);
    assert_int_equal(samples.time_ms[4], 60);
    sn_samples_clip_tail(&samples, 0, (struct sn_range){INT64_MIN, INT64_MAX});
    assert_int_equal(samples.count, 5);
    sn_samples_clip_tail(&samples, 0, (struct sn_range){61, 50});
    assert_int_equal(samples.count, 0);
    sn_samples_release(&samples);
}

static void without_memory_nothing_changes(void **state) {
    (void)state;
    struct sn_samples samples;
    sn_samples_init(&samples);
    add(&samples, 5, 1);
    add(&samples, 3, 2);
    sn_mem_fail_from(1);
    assert_int_equal(sn_samples_merge_tail(&samples, 0, 1), SN_ERR_NO_MEMORY);
    assert_int_equal(sn_samples_sort_latest(&samples), SN_ERR_NO_MEMORY);
    sn_mem_fail_from(0);
    assert_int_equal(samples.count, 2);
    assert_int_equal(samples.time_ms[0], 5);
    sn_samples_release(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(merged_runs_keep_the_newer_value_of_each_time),
        cmocka_unit_test(sorting_keeps_the_last_of_equal_times),
        cmocka_unit_test(clipping_keeps_both_ends_of_the_range),
        cmocka_unit_test(without_memory_nothing_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
