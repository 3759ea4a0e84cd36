/* The last day of all applications, and the day before. */
#include "engine/day.h"
#include "usage_support.h"

#include "base/mem.h"

#define HOUR SN_HOUR_MS
#define NOW (USAGE_NOW_MS + 600000) /* ten minutes into an hour */

static void hours_fall_into_two_days(void **state) {
    (void)state;
    struct test_usage *test = test_usage_start();
    struct sn_arena arena;
    struct sn_day day;
    struct sn_err err = {.status = SN_OK};
    sn_arena_init(&arena, 0);
    test_usage_add(test, "u", USAGE_NOW_MS, SN_OUTCOME_OK);
    test_usage_add(test, "u", USAGE_NOW_MS - 23 * HOUR, SN_OUTCOME_ERROR);
    test_usage_add(test, "u", USAGE_NOW_MS - 23 * HOUR - 1, SN_OUTCOME_ERROR); /* the day before */
    test_usage_add(test, "u", USAGE_NOW_MS - 47 * HOUR, SN_OUTCOME_OK);
    test_usage_add(test, "u", USAGE_NOW_MS - 47 * HOUR - 1, SN_OUTCOME_OK); /* neither */
    if (sn_day_read(test->records, NOW, &arena, &day, &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(day.today.event_count, 2);
    assert_int_equal(day.today.error_count, 1);
    assert_int_equal(day.before.event_count, 2);
    assert_int_equal(day.class_count, 1);
    assert_int_equal(day.classes[0].count, 1);
    assert_int_equal(day.classes[0].hours[0], 1);
    assert_int_equal(day.classes[0].hours[23], 0);
    assert_int_equal(day.classes[0].first_ms, USAGE_NOW_MS - 23 * HOUR - 1); /* ever */
    assert_int_equal(day.classes[0].last_ms, USAGE_NOW_MS - 23 * HOUR);
    struct sn_day copy;
    assert_int_equal(sn_day_copy(&day, &arena, &copy, &err), SN_OK);
    assert_ptr_not_equal(copy.classes[0].name.ptr, day.classes[0].name.ptr);
    assert_true(sn_str_equal(copy.classes[0].name, SN_STR("C")));
    sn_arena_release(&arena);
    test_usage_stop(test);
}

static void without_records_a_day_is_empty(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_day day;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_day_read(NULL, NOW, &arena, &day, NULL), SN_OK);
    assert_int_equal(day.today.event_count, 0);
    assert_int_equal(day.class_count, 0);
    sn_arena_release(&arena);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    struct test_usage *test = test_usage_start();
    test_usage_add(test, "u", USAGE_NOW_MS, SN_OUTCOME_ERROR);
    uint64_t n = 0;
    for (bool has_fired = true; has_fired;) {
        struct sn_arena arena;
        struct sn_day day;
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(++n);
        sn_status status = sn_day_read(test->records, NOW, &arena, &day, NULL);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        sn_arena_release(&arena);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
    }
    assert_true(n > 1);
    test_usage_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_fall_into_two_days),
        cmocka_unit_test(without_records_a_day_is_empty),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests_name("day", tests, NULL, NULL);
}
