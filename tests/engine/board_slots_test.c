/* Strips of half hours: judged, stored, loaded, moved on. */
#include "board_support.h"

#define SLOT SN_BOARD_SLOT_MS
#define NOW BOARD_NOW_MS
#define THIS_SLOT (NOW / SLOT * SLOT) /* where the running half hour began */

/* The last letters of a strip. */
static void check_strip(struct test_board *test, const char *name, const char *wanted) {
    const char *strip = test_board_strip(test, name);
    size_t len = strlen(wanted);
    if (strcmp(strip + SN_BOARD_SLOTS - len, wanted) != 0)
        fail_msg("%s: wanted ...%s, got %s", name, wanted, strip);
}

static void half_hours_that_are_over_are_judged_and_stored(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", THIS_SLOT - 3 * SLOT, THIS_SLOT - 2 * SLOT, 1, 1);
    test_board_run(test, "a", THIS_SLOT - SLOT, NOW, 1, 0);
    test_board_look(test);
    check_strip(test, "a", "--c-gg");
    assert_int_equal(test_board_count(test, "sonde_service_status"), 2);
    assert_int_equal(test_board_count(test, "sonde_service_operations_per_second"), 4);
    size_t pushes = test->push_count;
    test_board_look(test);
    assert_int_equal(test_board_count(test, "sonde_service_status"), 2); /* once */
    assert_int_equal(test->push_count, pushes);
    test_board_stop(test);
}

static void a_half_hour_is_stored_a_minute_after_its_end(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", THIS_SLOT, NOW, 1, 0);
    test_board_look(test);
    check_strip(test, "a", "--g");
    test_board_run(test, "a", NOW, THIS_SLOT + SLOT, 1, 1);
    sn_fake_clock_advance_ms(&test->clock, THIS_SLOT + SLOT + 59999 - NOW);
    test_board_look(test);
    assert_int_equal(test_board_count(test, "sonde_service_status"), 0);
    check_strip(test, "a", "-gc"); /* as it was when it ran, until it is judged */
    sn_fake_clock_advance_ms(&test->clock, 1);
    test_board_look(test);
    assert_int_equal(test_board_count(test, "sonde_service_status"), 1);
    check_strip(test, "a", "-cc"); /* a third of all were errors */
    test_board_stop(test);
}

static void strips_survive_a_restart_without_the_samples(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_add(test, THIS_SLOT - 40 * SLOT, SN_HEALTH_WARNING, "sonde_service_status",
                   "service", "a", "window", "30m", NULL);
    test_board_add(test, THIS_SLOT - 2 * SLOT, SN_HEALTH_CRITICAL, "sonde_service_status",
                   "service", "a", "window", "30m", NULL);
    test_board_add(test, THIS_SLOT - SLOT, 17, "sonde_service_status", "service", "a", "window",
                   "30m", NULL); /* not ours */
    test_board_run(test, "a", NOW - 300000, NOW, 1, 0);
    test_board_look(test);
    check_strip(test, "a", "c--g");
    const char *strip = test_board_strip(test, "a");
    assert_int_equal(strip[SN_BOARD_SLOTS - 1 - 41], 'w');
    test_board_restart(test);
    test_board_look(test);
    check_strip(test, "a", "c--g");
    test_board_stop(test);
}

static void strips_move_on_and_forget_after_a_day(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", THIS_SLOT, NOW, 1, 1);
    test_board_look(test);
    check_strip(test, "a", "-c");
    for (int64_t i = 1; i <= 4; i++) {
        test_board_run(test, "a", i == 1 ? NOW : NOW + (i - 1) * SLOT, NOW + i * SLOT, 1, 0);
        sn_fake_clock_advance_ms(&test->clock, SLOT);
        test_board_look(test);
    }
    check_strip(test, "a", "-cgggg"); /* 10 of 30 minutes */
    sn_fake_clock_advance_ms(&test->clock, 44 * SLOT);
    test_board_run(test, "a", NOW + 48 * SLOT - 300000, NOW + 48 * SLOT, 1, 0);
    test_board_look(test);
    assert_int_equal(test_board_strip(test, "a")[0], 'g');
    check_strip(test, "a", "----g");
    test_board_stop(test);
}

static void samples_of_before_the_first_service_are_judged(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_look(test);
    test_board_run(test, "a", THIS_SLOT - 2 * SLOT, NOW, 1, 1);
    test_board_look(test);
    check_strip(test, "a", "-ccc");
    test_board_stop(test);
}

static void a_sink_that_fails_is_asked_again(void **state) {
    (void)state;
    struct sn_err err;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", THIS_SLOT - SLOT, NOW, 1, 0);
    test->push_status = SN_ERR_NO_SPACE;
    assert_int_equal(sn_board_refresh(&test->board, &err), SN_ERR_NO_SPACE);
    assert_int_equal(sn_board_read(&test->board, &test->arena, &test->view, &err), SN_OK);
    assert_int_equal(test->view.service_count, 1); /* the table is there all the same */
    test->push_status = SN_OK;
    test_board_look(test);
    assert_int_equal(test_board_count(test, "sonde_service_status"), 1);
    check_strip(test, "a", "-gg");
    test_board_stop(test);
}

static void a_clock_that_jumps_back_begins_anew(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", NOW - 10 * SLOT, NOW, 1, 1);
    test_board_look(test);
    sn_fake_clock_advance_ms(&test->clock, -4 * SLOT);
    for (int i = 0; i < 3; i++) /* some half hours in each round, the oldest first */
        test_board_look(test);
    check_strip(test, "a", "ccc");
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_hours_that_are_over_are_judged_and_stored),
        cmocka_unit_test(a_half_hour_is_stored_a_minute_after_its_end),
        cmocka_unit_test(strips_survive_a_restart_without_the_samples),
        cmocka_unit_test(strips_move_on_and_forget_after_a_day),
        cmocka_unit_test(samples_of_before_the_first_service_are_judged),
        cmocka_unit_test(a_sink_that_fails_is_asked_again),
        cmocka_unit_test(a_clock_that_jumps_back_begins_anew),
    };
    return cmocka_run_group_tests_name("board_slots", tests, NULL, NULL);
}
