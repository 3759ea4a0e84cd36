/* Tests of the rate of the processor's counter: the rules on made-up clocks, and the real one. */
#include "client/ticks_priv.h"

#include "base/rng.h"
#include "client_support.h"

#include <math.h>
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

/* A machine: a counter of 2.9 GHz (off by `ppm` from what it says it is), clocks read `jitter` late. */
struct machine {
    struct sn_rng rng;
    double ns;         /* true time */
    double ticks_gone; /* while only one of the clocks ran */
    double ns_gone;
};

static struct sn_tick_pair look(struct machine *machine) {
    double jitter = 50 * sn_rng_unit(&machine->rng);
    double ticks = (machine->ns + machine->ticks_gone) * 2.9000123;
    return (struct sn_tick_pair){(uint64_t)ticks,
                                 (int64_t)(machine->ns + machine->ns_gone + jitter)};
}

/* Error of a duration of one second by the meter's rate, in parts per million. */
static double error_ppm(const struct sn_tick_meter *meter) {
    return fabs(1e9 * 2.9000123 * (double)meter->rate / SCALE - 1e9) / 1e3;
}

static void ten_minutes_bring_the_error_below_a_millionth(void **state) {
    (void)state;
    struct machine machine = {.ns = 1e12};
    sn_rng_init(&machine.rng, 5);
    struct sn_tick_meter meter = {look(&machine), 0};
    struct sn_tick_pair now = look(&machine);
    assert_int_equal(sn_tick_meter_update(&meter, &now), 0);
    machine.ns += 20.1e6;
    now = look(&machine);
    assert_true(sn_tick_meter_update(&meter, &now) != 0);
    assert_true(error_ppm(&meter) < 5);
    for (int i = 0; i < 40; i++) { /* scrapes */
        machine.ns += 15e9;
        now = look(&machine);
        (void)sn_tick_meter_update(&meter, &now);
        assert_true(error_ppm(&meter) < 5);
    }
    assert_true(error_ppm(&meter) < 0.01);
}

/* Asleep for an hour: the monotonic clock stands still; the counter goes on, or stands still as well and
 * begins anew at 0. */
static void a_machine_that_slept_measures_right_again(void **state) {
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        struct machine machine = {.ns = 1e12};
        sn_rng_init(&machine.rng, 6);
        struct sn_tick_meter meter = {look(&machine), 0};
        for (int i = 0; i < 100; i++) {
            machine.ns += 1e9;
            if (i == 50 && kind == 0)
                machine.ticks_gone = 3600e9;
            else if (i == 50)
                machine.ticks_gone = -machine.ns;
            struct sn_tick_pair now = look(&machine);
            (void)sn_tick_meter_update(&meter, &now);
            assert_true(error_ppm(&meter) < 5);
        }
        assert_true(error_ppm(&meter) < 0.1);
    }
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
        cmocka_unit_test(ten_minutes_bring_the_error_below_a_millionth),
        cmocka_unit_test(a_machine_that_slept_measures_right_again),
        cmocka_unit_test(ages_are_never_negative),
        cmocka_unit_test(the_counter_agrees_with_the_monotonic_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
