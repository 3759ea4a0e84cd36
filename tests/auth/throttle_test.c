/* Failures slow the next try down, one key at a time, in bounded memory. */
#include "auth/throttle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000000)
#define START (INT64_C(1000) * SECOND)

static struct sn_throttle throttle;

static int set_up(void **state) {
    (void)state;
    sn_throttle_init(&throttle, 7, 60 * SECOND);
    return 0;
}

static void fail_times(struct sn_str key, int count, int64_t now_ns) {
    for (int i = 0; i < count; i++)
        sn_throttle_fail(&throttle, key, now_ns);
}

static void waits_double_after_the_free_failures(void **state) {
    (void)state;
    const struct sn_str key = SN_STR("ann");
    fail_times(key, SN_THROTTLE_FREE_FAILURES, START);
    assert_int_equal(sn_throttle_wait_ns(&throttle, key, START), 0);
    static const int64_t seconds[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    for (size_t i = 0; i < sizeof seconds / sizeof seconds[0]; i++) {
        sn_throttle_fail(&throttle, key, START);
        assert_int_equal(sn_throttle_wait_ns(&throttle, key, START), seconds[i] * SECOND);
        assert_int_equal(sn_throttle_wait_ns(&throttle, key, START + seconds[i] * SECOND - 1), 1);
        assert_int_equal(sn_throttle_wait_ns(&throttle, key, START + seconds[i] * SECOND), 0);
    }
}

static void many_failures_do_not_overflow(void **state) {
    (void)state;
    fail_times(SN_STR("ann"), 1000, START);
    assert_int_equal(sn_throttle_wait_ns(&throttle, SN_STR("ann"), START), 60 * SECOND);
}

static void keys_are_apart_and_a_success_forgets(void **state) {
    (void)state;
    fail_times(SN_STR("ann"), 8, START);
    assert_int_equal(sn_throttle_wait_ns(&throttle, SN_STR("bob"), START), 0);
    assert_true(sn_throttle_wait_ns(&throttle, SN_STR("ann"), START) > 0);
    sn_throttle_forget(&throttle, SN_STR("bob"));
    assert_true(sn_throttle_wait_ns(&throttle, SN_STR("ann"), START) > 0);
    sn_throttle_forget(&throttle, SN_STR("ann"));
    assert_int_equal(sn_throttle_wait_ns(&throttle, SN_STR("ann"), START), 0);
}

static void old_failures_do_not_count(void **state) {
    (void)state;
    fail_times(SN_STR("ann"), 20, START);
    int64_t later_ns = START + SN_THROTTLE_WINDOW_NS + 1;
    sn_throttle_fail(&throttle, SN_STR("ann"), later_ns);
    assert_int_equal(sn_throttle_wait_ns(&throttle, SN_STR("ann"), later_ns), 0);
}

static void a_flood_of_keys_takes_no_more_room_and_forgets_the_oldest(void **state) {
    (void)state;
    char key[32];
    fail_times(SN_STR("target"), 10, START);
    for (int i = 0; i < 4 * SN_THROTTLE_SLOTS; i++) {
        int len = snprintf(key, sizeof key, "key %d", i);
        sn_throttle_fail(&throttle, sn_str_make(key, (size_t)len), START + i);
    }
    /* The newest key is always there. */
    fail_times(SN_STR("newest"), 10, START + SECOND);
    assert_true(sn_throttle_wait_ns(&throttle, SN_STR("newest"), START + SECOND) > 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_double_after_the_free_failures, set_up),
        cmocka_unit_test_setup(many_failures_do_not_overflow, set_up),
        cmocka_unit_test_setup(keys_are_apart_and_a_success_forgets, set_up),
        cmocka_unit_test_setup(old_failures_do_not_count, set_up),
        cmocka_unit_test_setup(a_flood_of_keys_takes_no_more_room_and_forgets_the_oldest, set_up),
    };
    return cmocka_run_group_tests_name("throttle", tests, NULL, NULL);
}
