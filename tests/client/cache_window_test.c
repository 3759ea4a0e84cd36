/* Tests of the rolling windows: minutes, hours, days, and clocks that jump. */
#include "client/cache_window_priv.h"

#include "client/words_priv.h"
#include "client_support.h"

#define MINUTE INT64_C(60000000000)
#define START INT64_C(1234567890123)

/* A window with its sums; 35 KiB, so static. */
static struct sn_window window;
static struct sn_sums sums;
static int64_t now_ns;

static void give_sums(void *ctx, struct sn_sums *ret_sums) {
    (void)ctx;
    *ret_sums = sums;
}

static int start(void **state) {
    (void)state;
    memset(&window, 0, sizeof window);
    sums = (struct sn_sums){{0}};
    now_ns = START;
    sn_window_init(&window, now_ns);
    return 0;
}

static void hit(int64_t at_ns, uint64_t n) {
    now_ns = at_ns;
    sn_window_roll(&window, now_ns, give_sums, NULL);
    sums.of[SN_SUM_HITS] += n;
}

static uint64_t hits_of(uint64_t minutes) {
    struct sn_sums grown;
    sn_window_roll(&window, now_ns, give_sums, NULL);
    sn_window_read(&window, &sums, minutes, &grown);
    return grown.of[SN_SUM_HITS];
}

static void an_hour_is_the_current_minute_and_fifty_nine_before_it(void **state) {
    (void)state;
    hit(START, 7);
    hit(START + 59 * MINUTE, 1);
    assert_int_equal(hits_of(60), 8);
    now_ns = START + 60 * MINUTE - 1;
    assert_int_equal(hits_of(60), 8);
    now_ns = START + 60 * MINUTE;
    assert_int_equal(hits_of(60), 1);
    assert_int_equal(hits_of(1440), 8);
}

static void a_day_forgets_after_1440_minutes(void **state) {
    (void)state;
    hit(START, 5);
    hit(START + 1439 * MINUTE, 1);
    assert_int_equal(hits_of(1440), 6);
    now_ns = START + 1440 * MINUTE;
    assert_int_equal(hits_of(1440), 1);
}

static void twenty_five_hours_of_one_hit_a_minute_are_60_and_1440(void **state) {
    (void)state;
    for (int64_t minute = 0; minute < 25 * 60; minute++) {
        hit(START + minute * MINUTE + 17, 1);
        uint64_t seen = (uint64_t)minute + 1;
        assert_int_equal(hits_of(60), seen < 60 ? seen : 60);
        assert_int_equal(hits_of(1440), seen < 1440 ? seen : 1440);
        assert_int_equal(hits_of(1), 1);
    }
}

static void all_sums_have_windows(void **state) {
    (void)state;
    struct sn_sums grown;
    for (int minute = 0; minute < 3; minute++) {
        hit(START + minute * MINUTE, 1);
        sums.of[SN_SUM_MISSES] += 2;
        sums.of[SN_SUM_TIMED] += 3;
        sums.of[SN_SUM_RESPONSE_NS] += 4;
    }
    sn_window_read(&window, &sums, 2, &grown);
    assert_int_equal(grown.of[SN_SUM_HITS], 2);
    assert_int_equal(grown.of[SN_SUM_MISSES], 4);
    assert_int_equal(grown.of[SN_SUM_TIMED], 6);
    assert_int_equal(grown.of[SN_SUM_RESPONSE_NS], 8);
}

static void a_clock_that_jumps_ahead_ages_the_windows(void **state) {
    (void)state;
    hit(START, 10);
    hit(START + 30 * MINUTE, 10);
    now_ns = START + 61 * MINUTE;
    assert_int_equal(hits_of(60), 10);
    now_ns = START + 3 * 1440 * MINUTE;
    assert_int_equal(hits_of(60), 0);
    assert_int_equal(hits_of(1440), 0);
    hit(now_ns, 1);
    assert_int_equal(hits_of(1440), 1);
}

static void a_clock_that_goes_back_holds_the_minute(void **state) {
    (void)state;
    hit(START, 1);
    hit(START + 10 * MINUTE, 2);
    hit(START - 500 * MINUTE, 4); /* the minute of the 2 begins again */
    assert_int_equal(hits_of(1), 6);
    assert_int_equal(hits_of(60), 7);
    hit(START - 499 * MINUTE - 1, 8);
    assert_int_equal(hits_of(1), 14);
    hit(START - 499 * MINUTE, 16);
    assert_int_equal(hits_of(1), 16);
    assert_int_equal(hits_of(60), 31);
    now_ns = START - 500 * MINUTE + 50 * MINUTE; /* 60 minutes after the first */
    assert_int_equal(hits_of(60), 30);
}

static void small_steps_back_within_a_minute_are_not_noticed(void **state) {
    (void)state;
    hit(START + MINUTE + 30, 1);
    hit(START + MINUTE + 10, 1);
    hit(START + 2 * MINUTE - 1, 1);
    assert_int_equal(hits_of(1), 3);
    now_ns = START + 2 * MINUTE;
    assert_int_equal(hits_of(1), 0);
}

static void while_somebody_notes_others_go_on(void **state) {
    (void)state;
    hit(START, 3);
    assert_true(sn_version_begin(&window.version));
    assert_false(sn_version_begin(&window.version));
    hit(START + 5 * MINUTE, 4);
    assert_int_equal(hits_of(60), 7); /* nobody rolled, nothing is lost */
    sn_version_end(&window.version);
    now_ns = START + 5 * MINUTE;
    assert_int_equal(hits_of(60), 7);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_hour_is_the_current_minute_and_fifty_nine_before_it, start),
        cmocka_unit_test_setup(a_day_forgets_after_1440_minutes, start),
        cmocka_unit_test_setup(twenty_five_hours_of_one_hit_a_minute_are_60_and_1440, start),
        cmocka_unit_test_setup(all_sums_have_windows, start),
        cmocka_unit_test_setup(a_clock_that_jumps_ahead_ages_the_windows, start),
        cmocka_unit_test_setup(a_clock_that_goes_back_holds_the_minute, start),
        cmocka_unit_test_setup(small_steps_back_within_a_minute_are_not_noticed, start),
        cmocka_unit_test_setup(while_somebody_notes_others_go_on, start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
