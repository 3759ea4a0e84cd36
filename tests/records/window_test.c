/* Aggregates per window against a plain computation. */
#include "records_support.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>

static bool is_near(double a, double b) {
    return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

static void add(struct sn_windows *windows, int64_t time_ms, double value) {
    struct sn_record_visitor visitor = sn_windows_visitor(windows);
    struct sn_record record = {.time_ms = time_ms, .value = value};
    assert_int_equal(visitor.visit(visitor.ctx, &record, NULL), SN_OK);
}

static void percentiles_are_interpolated_as_sql_does(void **state) {
    (void)state;
    struct sn_windows windows;
    struct sn_window_list list;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_windows_init(&windows, 0, 999, 1000, NULL), SN_OK);
    for (int i = 100; i >= 1; i--) /* percentile_cont(0.95) of 1..100 is 95.05 */
        add(&windows, i, i);
    assert_int_equal(sn_windows_finish(&windows, &arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 1);
    const struct sn_window *window = &list.items[0];
    assert_int_equal(window->count, 100);
    assert_true(window->min == 1 && window->max == 100 && window->sum == 5050);
    assert_true(is_near(window->p50, 50.5));
    assert_true(is_near(window->p95, 95.05));
    assert_true(is_near(window->p99, 99.01));
    assert_false(window->has_counts);
    sn_windows_release(&windows);
    sn_arena_release(&arena);
}

static void each_record_is_in_the_window_of_its_time(void **state) {
    (void)state;
    struct sn_windows windows;
    struct sn_window_list list;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_windows_init(&windows, 1500, 9999, 1000, NULL), SN_OK);
    assert_int_equal(windows.start_ms, 1000);
    add(&windows, 1500, 1);
    add(&windows, 1999, 2);
    add(&windows, 2000, 3);
    add(&windows, 9999, 4);
    add(&windows, 10000, 5); /* outside */
    add(&windows, 999, 6);   /* outside */
    assert_int_equal(sn_windows_finish(&windows, &arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 3);
    const int64_t starts[] = {1000, 2000, 9000};
    const uint64_t counts[] = {2, 1, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(list.items[i].start_ms, starts[i]);
        assert_int_equal(list.items[i].count, counts[i]);
    }
    assert_true(list.items[1].p50 == 3 && list.items[1].p99 == 3);
    sn_windows_release(&windows);
    sn_arena_release(&arena);
}

static void counts_add_up_over_a_window(void **state) {
    (void)state;
    struct sn_windows windows;
    struct sn_window_list list;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_windows_init(&windows, 0, 999, 1000, NULL), SN_OK);
    struct sn_record_visitor visitor = sn_windows_visitor(&windows);
    struct sn_record record = {.value = 0.5, .has_counts = true, .ok_count = 1, .total_count = 2};
    assert_int_equal(visitor.visit(visitor.ctx, &record, NULL), SN_OK);
    record.ok_count = 97;
    record.total_count = 98;
    assert_int_equal(visitor.visit(visitor.ctx, &record, NULL), SN_OK);
    assert_int_equal(sn_windows_finish(&windows, &arena, &list, NULL), SN_OK);
    assert_true(list.items[0].has_counts);
    assert_int_equal(list.items[0].ok_count, 98);
    assert_int_equal(list.items[0].total_count, 100);
    sn_windows_release(&windows);
    sn_arena_release(&arena);
}

static void no_record_is_no_window(void **state) {
    (void)state;
    struct sn_windows windows;
    struct sn_window_list list;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_windows_init(&windows, 0, 999, 1000, NULL), SN_OK);
    assert_int_equal(sn_windows_finish(&windows, &arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 0);
    sn_windows_release(&windows);
    sn_arena_release(&arena);
}

static void limits_hold_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    struct sn_windows windows;
    assert_int_equal(sn_windows_init(&windows, 0, SN_WINDOWS_MAX - 1, 1, NULL), SN_OK);
    sn_windows_release(&windows);
    assert_int_equal(sn_windows_init(&windows, 0, SN_WINDOWS_MAX, 1, NULL), SN_ERR_LIMIT);
    assert_int_equal(sn_windows_init(&windows, 0, 1, 0, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_windows_init(&windows, 2, 1, 1, NULL), SN_ERR_INVALID);
    struct sn_windows full = {.window_count = 1,
                              .width_ms = 1000,
                              .count = SN_WINDOW_VALUES_MAX,
                              .capacity = SN_WINDOW_VALUES_MAX};
    struct sn_record_visitor visitor = sn_windows_visitor(&full);
    struct sn_record record = {.time_ms = 1};
    assert_int_equal(visitor.visit(visitor.ctx, &record, NULL), SN_ERR_LIMIT);
}

static void failed_allocations_are_reported(void **state) {
    (void)state;
    struct sn_windows windows;
    assert_int_equal(sn_windows_init(&windows, 0, 999, 1000, NULL), SN_OK);
    struct sn_record_visitor visitor = sn_windows_visitor(&windows);
    struct sn_record record = {.time_ms = 1, .has_counts = true, .total_count = 1};
    for (uint64_t n = 1; n <= 3; n++) {
        sn_mem_fail_nth(n);
        sn_status status = visitor.visit(visitor.ctx, &record, NULL);
        if (sn_mem_fail_fired())
            assert_int_equal(status, SN_ERR_NO_MEMORY);
        sn_mem_fail_nth(0);
        sn_windows_release(&windows);
        assert_int_equal(sn_windows_init(&windows, 0, 999, 1000, NULL), SN_OK);
    }
    sn_windows_release(&windows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_interpolated_as_sql_does),
        cmocka_unit_test(each_record_is_in_the_window_of_its_time),
        cmocka_unit_test(counts_add_up_over_a_window),
        cmocka_unit_test(no_record_is_no_window),
        cmocka_unit_test(limits_hold_at_both_sides_of_the_boundary),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
