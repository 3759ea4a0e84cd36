/* Which segments are merged next. */
#include "store/compact_plan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define HOUR INT64_C(3600000)
#define WINDOW (2 * HOUR)
#define DAY (24 * HOUR)
#define PASSED (1000 * DAY)

enum { COUNT_MAX = 100 };

struct world {
    struct sn_compact_candidate items[COUNT_MAX];
    size_t count;
    struct sn_compact_plan plan;
};

/* A segment of 100 series with samples every 15 s from `first` to `last`, in minutes. */
static struct sn_compact_candidate *put(struct world *world, int64_t first, int64_t last) {
    struct sn_compact_candidate *item = &world->items[world->count++];
    *item = (struct sn_compact_candidate){.bytes = 1000,
                                          .series_count = 100,
                                          .sample_count = (uint64_t)(last - first) * 400,
                                          .time_min = first * 60000,
                                          .time_max = last * 60000,
                                          .is_usable = true};
    return item;
}

static bool plan_at(struct world *world, int64_t now_ms) {
    memset(&world->plan, 0xee, sizeof world->plan);
    return sn_compact_plan_next(world->items, world->count, WINDOW, now_ms, &world->plan);
}

static void assert_plan(struct world *world, size_t first, size_t count) {
    assert_true(plan_at(world, PASSED));
    assert_int_equal(world->plan.count, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(world->plan.items[i], first + i);
}

static void nothing_and_one_segment_are_nothing_to_do(void **state) {
    (void)state;
    struct world world = {.count = 0};
    assert_false(plan_at(&world, PASSED));
    put(&world, 1, 30);
    assert_false(plan_at(&world, PASSED));
}

static void segments_of_a_window_are_merged_when_it_has_passed(void **state) {
    (void)state;
    struct world world = {.count = 0};
    put(&world, 0, 30);
    put(&world, 30, 60);
    put(&world, 60, 119);
    put(&world, 119, 140);
    assert_false(plan_at(&world, WINDOW - 1));
    assert_true(plan_at(&world, WINDOW));
    assert_int_equal(world.plan.count, 3);
    assert_int_equal(world.plan.bytes, 3000);
}

static void many_segments_of_an_open_window_are_merged_before(void **state) {
    (void)state;
    struct world world = {.count = 0};
    for (int64_t i = 0; i < SN_COMPACT_OPEN_COUNT_MIN - 1; i++)
        put(&world, i, i + 1);
    assert_false(plan_at(&world, HOUR));
    put(&world, 10, 11);
    assert_true(plan_at(&world, HOUR));
    assert_int_equal(world.plan.count, SN_COMPACT_OPEN_COUNT_MIN);
}

static void merged_windows_of_a_day_are_merged_when_it_has_passed(void **state) {
    (void)state;
    struct world world = {.count = 0};
    for (int64_t i = 0; i < 14; i++)
        put(&world, i * 120, i * 120 + 119);
    assert_false(plan_at(&world, DAY - 1));
    assert_true(plan_at(&world, DAY));
    assert_int_equal(world.plan.count, 12);
    assert_int_equal(world.plan.items[0], 0);
    assert_int_equal(world.plan.items[11], 11);
}

static void a_large_segment_waits_for_a_quarter_of_its_size(void **state) {
    (void)state;
    struct world world = {.count = 0};
    put(&world, 0, 60)->bytes = 4000;
    put(&world, 60, 70)->bytes = 999;
    assert_false(plan_at(&world, PASSED));
    put(&world, 70, 71)->bytes = 1;
    assert_plan(&world, 0, 3);
    /* Those behind it need not wait when they are enough among themselves. */
    world.items[0].bytes = 10000;
    world.items[1].bytes = 4;
    assert_plan(&world, 1, 2);
}

static void a_segment_left_out_is_not_passed_when_it_overlaps(void **state) {
    (void)state;
    struct world world = {.count = 0};
    put(&world, 0, 30);
    put(&world, 20, 200); /* of a later window, and newer than the first */
    put(&world, 30, 60);
    put(&world, 60, 90);
    assert_plan(&world, 2, 2);
    /* It overlaps only what is newer than itself: the others may pass it. */
    world.items[1].time_min = 31 * 60000;
    assert_true(plan_at(&world, PASSED));
    assert_int_equal(world.plan.count, 3);
    assert_int_equal(world.plan.items[0], 0);
    assert_int_equal(world.plan.items[1], 2);
}

static void damaged_segments_are_left_alone(void **state) {
    (void)state;
    struct world world = {.count = 0};
    put(&world, 0, 30);
    put(&world, 30, 60)->is_usable = false;
    assert_false(plan_at(&world, PASSED));
    put(&world, 61, 90);
    assert_false(plan_at(&world, PASSED)); /* 0 may not pass 1: they share a minute */
    world.items[1].time_min = 31 * 60000;
    assert_true(plan_at(&world, PASSED));
    assert_int_equal(world.plan.items[0], 0);
    assert_int_equal(world.plan.items[1], 2);
}

static void limits_hold_at_both_sides(void **state) {
    (void)state;
    struct world world = {.count = 0};
    put(&world, 0, 30)->bytes = SN_COMPACT_BYTES_MAX / 2;
    put(&world, 30, 60)->bytes = SN_COMPACT_BYTES_MAX / 2;
    assert_plan(&world, 0, 2);
    world.items[1].bytes++;
    assert_false(plan_at(&world, PASSED));
    world = (struct world){.count = 0};
    put(&world, 0, 30)->sample_count = 100 * SN_COMPACT_SAMPLES_PER_SERIES_MAX - 1;
    put(&world, 30, 60)->sample_count = 1;
    assert_plan(&world, 0, 2);
    world.items[1].sample_count = 2;
    assert_false(plan_at(&world, PASSED));
    world = (struct world){.count = 0};
    for (int64_t i = 0; i <= SN_COMPACT_INPUTS_MAX; i++)
        put(&world, i, i + 1);
    assert_plan(&world, 0, SN_COMPACT_INPUTS_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_and_one_segment_are_nothing_to_do),
        cmocka_unit_test(segments_of_a_window_are_merged_when_it_has_passed),
        cmocka_unit_test(many_segments_of_an_open_window_are_merged_before),
        cmocka_unit_test(merged_windows_of_a_day_are_merged_when_it_has_passed),
        cmocka_unit_test(a_large_segment_waits_for_a_quarter_of_its_size),
        cmocka_unit_test(a_segment_left_out_is_not_passed_when_it_overlaps),
        cmocka_unit_test(damaged_segments_are_left_alone),
        cmocka_unit_test(limits_hold_at_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
