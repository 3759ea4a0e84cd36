/* Lists of deleted samples. */
#include "store/tombstones.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct sn_tombstone rows[] = {
    {.series = 7, .start_ms = 10, .end_ms = 20, .rank_max = 5},
    {.series = 3, .start_ms = 0, .end_ms = 100, .rank_max = 5},
    {.series = 7, .start_ms = 40, .end_ms = 40, .rank_max = 9},
    {.series = 9, .start_ms = 0, .end_ms = 5, .rank_max = UINT64_MAX, .is_rule = true},
};

static void fill(struct sn_samples *samples, int64_t count) {
    sn_samples_reset(samples);
    assert_int_equal(sn_samples_reserve(samples, (size_t)count), SN_OK);
    assert_int_equal(sn_samples_use_start(samples), SN_OK);
    for (int64_t i = 0; i < count; i++) {
        samples->time_ms[i] = i;
        samples->value[i] = (double)i;
        samples->start_ms[i] = i;
    }
    samples->count = (size_t)count;
}

static size_t left(const struct sn_tombstones *list, uint32_t series, uint64_t rank, size_t base) {
    struct sn_samples samples;
    sn_samples_init(&samples);
    fill(&samples, 50);
    sn_tombstones_clip(list, series, rank, &samples, base);
    for (size_t i = 0; i < samples.count; i++)
        assert_true(samples.value[i] == (double)samples.time_ms[i] &&
                    samples.start_ms[i] == samples.time_ms[i]);
    size_t count = samples.count;
    sn_samples_release(&samples);
    return count;
}

static void what_is_covered_goes_and_the_rest_stays(void **state) {
    (void)state;
    struct sn_tombstones *list = sn_tombstones_with(NULL, false, false, rows, 4);
    assert_int_equal(left(list, 7, 5, 0), 50 - 11 - 1);
    assert_int_equal(left(list, 7, 6, 0), 50 - 1); /* written after the first */
    assert_int_equal(left(list, 7, 10, 0), 50);
    assert_int_equal(left(list, 7, 5, 15), 50 - 6 - 1); /* before base is not ours */
    assert_int_equal(left(list, 3, 1, 0), 0);
    assert_int_equal(left(list, 9, 1000, 0), 44);
    assert_int_equal(left(list, 1, 1, 0), 50);
    assert_int_equal(left(list, 8, 1, 0), 50);
    assert_int_equal(left(NULL, 7, 5, 0), 50);
    sn_tombstones_unref(list);
}

static void kinds_are_replaced_one_at_a_time(void **state) {
    (void)state;
    struct sn_tombstones *all = sn_tombstones_with(NULL, false, false, rows, 4);
    struct sn_tombstones *stored = sn_tombstones_with(all, true, false, NULL, 0);
    struct sn_tombstones *rules = sn_tombstones_with(all, false, true, NULL, 0);
    assert_int_equal(stored->count, 3);
    assert_int_equal(rules->count, 1);
    assert_int_equal(rules->items[0].series, 9);
    sn_tombstones_unref(all);
    sn_tombstones_unref(stored);
    assert_ptr_equal(sn_tombstones_ref(rules), rules);
    sn_tombstones_unref(rules);
    sn_tombstones_unref(rules);
    sn_tombstones_unref(NULL);
    assert_null(sn_tombstones_ref(NULL));
    assert_null(sn_tombstones_with(NULL, false, false, rows, SN_TOMBSTONES_MAX + 1));
    sn_mem_fail_nth(1);
    assert_null(sn_tombstones_with(NULL, false, false, rows, 1));
    sn_mem_fail_nth(0);
}

static void hits_count_series_of_a_segment(void **state) {
    (void)state;
    const uint32_t ids[] = {7, 9};
    struct sn_tombstones *list = sn_tombstones_with(NULL, false, false, rows, 4);
    struct sn_bitmap *series = sn_bitmap_new(ids, 2);
    struct sn_range all = {0, 100};
    assert_int_equal(sn_tombstones_hit_count(list, NULL, 5, all), 3);
    assert_int_equal(sn_tombstones_hit_count(list, series, 5, all), 2);
    assert_int_equal(sn_tombstones_hit_count(list, series, 10, all), 1);
    assert_int_equal(sn_tombstones_hit_count(list, series, 5, (struct sn_range){50, 60}), 0);
    assert_int_equal(sn_tombstones_hit_count(NULL, series, 5, all), 0);
    sn_bitmap_free(series);
    sn_tombstones_unref(list);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_covered_goes_and_the_rest_stays),
        cmocka_unit_test(kinds_are_replaced_one_at_a_time),
        cmocka_unit_test(hits_count_series_of_a_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
