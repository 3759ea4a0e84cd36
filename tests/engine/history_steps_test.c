/* What a step takes of the values that are added to it, and for how long a value stands. */
#include "engine/history_steps.h"

#include "base/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct sn_arena arena;
static struct sn_history_steps steps;

static void init(int64_t start_ms, int64_t step_ms, size_t step_count) {
    const struct sn_history_frame frame = {start_ms, step_ms, step_count};
    sn_arena_reset(&arena);
    assert_int_equal(sn_history_steps_init(&steps, &frame, &arena, &arena, NULL), SN_OK);
}

static void add(int64_t time_ms, double value) {
    sn_history_steps_add(&steps, &time_ms, &value, 1);
}

static void steps_begin_as_gaps(void **state) {
    (void)state;
    init(0, 10, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_true(isnan(steps.columns.min[i]) && isnan(steps.columns.avg[i]) &&
                    isnan(steps.columns.max[i]));
        assert_int_equal(steps.columns.count[i], 0);
    }
}

static void what_lies_outside_is_passed_over(void **state) {
    (void)state;
    init(100, 10, 2);
    add(99, 1);
    add(91, 1); /* would be step 0 if it were rounded */
    add(120, 1);
    add(INT64_MAX, 1);
    add(100, 2);
    add(119, 3);
    assert_int_equal(steps.columns.count[0], 1);
    assert_int_equal(steps.columns.count[1], 1);
    assert_true(steps.columns.max[0] == 2 && steps.columns.max[1] == 3);
}

static void values_of_a_step_are_folded(void **state) {
    (void)state;
    init(0, 100, 1);
    add(0, 4);
    add(50, (double)NAN);
    add(60, -2);
    add(99, 1);
    assert_int_equal(steps.columns.count[0], 3);
    assert_true(steps.columns.min[0] == -2);
    assert_true(steps.columns.avg[0] == 1);
    assert_true(steps.columns.max[0] == 4);
}

static void equal_values_stay_as_they_are(void **state) {
    static const int64_t times[] = {0, 1, 2};
    static const double zeros[] = {-0.0, -0.0, -0.0};
    (void)state;
    init(0, 100, 2);
    sn_history_steps_add(&steps, times, zeros, 3);
    add(100, -0.0);
    for (size_t i = 0; i < 2; i++)
        assert_true(signbit(steps.columns.min[i]) && signbit(steps.columns.avg[i]) &&
                    signbit(steps.columns.max[i]));
}

/* 22 s are within 1.5 distances, 23 are more. */
static void a_value_stands_for_one_and_a_half_distances(void **state) {
    (void)state;
    init(0, 1000, 60);
    add(0, 1);
    add(15000, 2);
    add(30000, 3);
    sn_history_steps_hold(&steps);
    assert_true(steps.columns.avg[14] == 1 && steps.columns.avg[15] == 2);
    assert_true(steps.columns.avg[52] == 3 && isnan(steps.columns.avg[53]));
    assert_int_equal(steps.columns.count[52], 0);
}

static void the_usual_distance_is_a_median(void **state) {
    (void)state;
    init(0, 1000, 20000);
    for (int64_t i = 0; i < 1000; i++)
        add(i * 15000 + (i % 10 == 9 ? 100 : 0), (double)i); /* with jitter */
    add(19000000, 1);
    sn_history_steps_hold(&steps);
    assert_true(steps.columns.avg[14985 + 22] == 999);
    assert_true(isnan(steps.columns.avg[14985 + 23]));
    assert_true(isnan(steps.columns.avg[18999]));
}

static void steps_with_many_samples_have_distances_too(void **state) {
    (void)state;
    init(0, 10000, 4);
    for (int64_t i = 0; i < 10; i++)
        add(i * 1000, 1);
    sn_history_steps_hold(&steps);
    assert_true(isnan(steps.columns.avg[1])); /* 1.5 s is less than a step */
}

static void an_allocation_that_fails_is_survived(void **state) {
    (void)state;
#ifdef SN_FAULTS
    const struct sn_history_frame frame = {0, 1, 100};
    struct sn_arena scratch;
    uint64_t n = 0;
    for (bool has_fired = true; has_fired;) {
        sn_arena_release(&arena);
        sn_arena_init(&arena, 0);
        sn_arena_init(&scratch, 0);
        sn_mem_fail_nth(++n);
        sn_status status = sn_history_steps_init(&steps, &frame, &arena, &scratch, NULL);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        sn_arena_release(&scratch);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
    }
    assert_true(n > 2);
#endif
}

static int set_up(void **state) {
    (void)state;
    sn_arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_begin_as_gaps),
        cmocka_unit_test(what_lies_outside_is_passed_over),
        cmocka_unit_test(values_of_a_step_are_folded),
        cmocka_unit_test(equal_values_stay_as_they_are),
        cmocka_unit_test(a_value_stands_for_one_and_a_half_distances),
        cmocka_unit_test(the_usual_distance_is_a_median),
        cmocka_unit_test(steps_with_many_samples_have_distances_too),
        cmocka_unit_test(an_allocation_that_fails_is_survived),
    };
    return cmocka_run_group_tests_name("history_steps", tests, set_up, tear_down);
}
