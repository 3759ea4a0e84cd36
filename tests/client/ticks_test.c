/* Tests of the rate of the processor's counter: the rules on made-up clocks, and the real one. */
#include "client/ticks_priv.h"

#include "client_support.h"

#include <stdlib.h>

#define SCALE 4294967296.0

static void the_rate_is_nanoseconds_per_tick(void **state) {
    (void)state;
    struct sn_tick_pair from = {1000, 500}, to = {1000 + 3000000, 500 + 1000000};
    double rate = (double)sn_tick_rate(&from, &to) / SCALE;
    assert_true(rate > 0.333333 && rate < 0.333334);
}

static void clocks_that_stand_still_or_go_back_have_no_rate(void **state) {
    (void)state;
    struct sn_tick_pair at = {1000, 1000}, same_tick = {1000, 2000}, same_ns = {2000, 1000};
    struct sn_tick_pair earlier_tick = {500, 2000}, earlier_ns = {2000, 500};
    assert_int_equal(sn_tick_rate(&at, &same_tick), 0);
    assert_int_equal(sn_tick_rate(&at, &same_ns), 0);
    assert_int_equal(sn_tick_rate(&at, &earlier_tick), 0);
    assert_int_equal(sn_tick_rate(&at, &earlier_ns), 0);
}

static void a_better_measurement_is_taken(void **state) {
    (void)state;
    bool restart = true;
    assert_int_equal(sn_tick_rate_next(1000000, 1000999, &restart), 1000999);
    assert_false(restart);
    assert_int_equal(sn_tick_rate_next(1000000, 999001, &restart), 999001);
    assert_false(restart);
}

static void a_measurement_across_a_suspend_is_thrown_away(void **state) {
    (void)state;
    bool restart = false;
    assert_int_equal(sn_tick_rate_next(1000000, 1001001, &restart), 1000000);
    assert_true(restart);
    assert_int_equal(sn_tick_rate_next(1000000, 0, &restart), 1000000);
    assert_true(restart);
}

static void ages_are_never_negative(void **state) {
    (void)state;
    struct sn_tick_pair now = {1000, 1000};
    assert_int_equal(sn_ticks_age_ns(&now, 1000), 0);
    assert_int_equal(sn_ticks_age_ns(&now, UINT64_MAX), 0);
}

/* Uses the time that passes while it works; a machine without the counter has nothing to check. */
static void the_counter_agrees_with_the_monotonic_clock(void **state) {
    (void)state;
    sn_ticks_init();
    struct sn_tick_pair start = sn_ticks_now(), now = start;
    while (now.mono_ns - start.mono_ns < 60000000) {
        now = sn_ticks_now();
        sn_ticks_update(&now);
    }
    if (strcmp(sonde_clock_source(), "tsc") != 0)
        return;
    int64_t by_ticks = sn_ticks_age_ns(&now, start.tick);
    int64_t difference = llabs(by_ticks - (now.mono_ns - start.mono_ns));
    assert_true(difference < 600000); /* 1 %: the machine may be busy between two readings */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_nanoseconds_per_tick),
        cmocka_unit_test(clocks_that_stand_still_or_go_back_have_no_rate),
        cmocka_unit_test(a_better_measurement_is_taken),
        cmocka_unit_test(a_measurement_across_a_suspend_is_thrown_away),
        cmocka_unit_test(ages_are_never_negative),
        cmocka_unit_test(the_counter_agrees_with_the_monotonic_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
