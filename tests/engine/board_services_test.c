/* Services of the board: who is there, and how they are judged. */
#include "board_support.h"

#include <math.h>

#define HOUR INT64_C(3600000)
#define NOW BOARD_NOW_MS

static void check_near(double value, double wanted) {
    if (!(fabs(value - wanted) <= 1e-9 * fabs(wanted)))
        fail_msg("wanted %.17g, got %.17g", wanted, value);
}

static void the_success_rate_of_five_minutes_is_judged(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "critical", NOW - HOUR, NOW, 8, 1);        /* 88.9 % */
    test_board_run(test, "good", NOW - HOUR, NOW, 99, 1);           /* 99 % */
    test_board_run(test, "idle", NOW - HOUR, NOW, 0, 0);            /* nothing ended */
    test_board_run(test, "warning", NOW - HOUR, NOW, 94, 6);        /* 94 % */
    test_board_run(test, "healed", NOW - HOUR, NOW - 900000, 1, 1); /* errors are long ago */
    test_board_look(test);
    assert_int_equal(test_board_service(test, "critical")->status, SN_HEALTH_CRITICAL);
    assert_int_equal(test_board_service(test, "good")->status, SN_HEALTH_GOOD);
    assert_int_equal(test_board_service(test, "idle")->status, SN_HEALTH_GOOD);
    assert_int_equal(test_board_service(test, "warning")->status, SN_HEALTH_WARNING);
    check_near(test_board_service(test, "warning")->rate, 100);
    check_near(test_board_service(test, "warning")->error_ratio, 0.06);
    assert_true(isnan(test_board_service(test, "idle")->error_ratio));
    test_board_stop(test);
}

static void limits_of_an_application_are_those_of_its_service(void **state) {
    (void)state;
    const struct sn_board_limits limits = {SN_STR("a"), {.good = 80, .critical = 70}};
    struct test_board *test = test_board_start(NULL, &limits, 1);
    test_board_run(test, "a", NOW - HOUR, NOW, 85, 15);
    test_board_run(test, "b", NOW - HOUR, NOW, 85, 15);
    test_board_look(test);
    assert_int_equal(test_board_service(test, "a")->status, SN_HEALTH_GOOD);
    assert_int_equal(test_board_service(test, "b")->status, SN_HEALTH_CRITICAL);
    test_board_stop(test);
}

static void a_silent_service_is_unknown_for_a_day(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", NOW - 3 * HOUR, NOW - 2 * HOUR, 1, 0); /* before the server came */
    test_board_run(test, "b", NOW - HOUR, NOW, 1, 0);
    test_board_look(test);
    assert_int_equal(test_board_service(test, "a")->status, SN_HEALTH_UNKNOWN);
    assert_int_equal(test_board_service(test, "a")->seen_ms, NOW - 2 * HOUR);
    assert_true(isnan(test_board_service(test, "a")->rate));
    sn_fake_clock_advance_ms(&test->clock, 300000); /* b falls silent: left open at the left */
    test_board_look(test);
    assert_int_equal(test_board_service(test, "b")->status, SN_HEALTH_UNKNOWN);
    assert_int_equal(test_board_service(test, "b")->seen_ms, NOW);
    sn_fake_clock_advance_ms(&test->clock, 22 * HOUR - 300000);
    test_board_look(test);
    assert_non_null(sn_board_find(&test->view, SN_STR("a"))); /* a day to the millisecond */
    sn_fake_clock_advance_ms(&test->clock, 1);
    test_board_look(test);
    assert_null(sn_board_find(&test->view, SN_STR("a")));
    assert_non_null(sn_board_find(&test->view, SN_STR("b")));
    test_board_stop(test);
}

static void gauges_are_those_of_all_its_processes(void **state) {
    (void)state;
    struct test_board *test = test_board_start(NULL, NULL, 0);
    test_board_run(test, "a", NOW - HOUR, NOW, 1, 0);
    const char *const instances[] = {"x", "y"};
    for (int i = 0; i < 2; i++) {
        test_board_add(test, NOW, 2 + i, "sonde_operations_active", "service", "a", "operation",
                       "o", "instance", instances[i], NULL);
        test_board_add(test, NOW, 1000.5 + i, "sonde_service_start_time_seconds", "service", "a",
                       "instance", instances[i], NULL);
    }
    for (int64_t at = NOW - 300000; at <= NOW; at += 15000) {
        double count = (double)(at - NOW + 300000) / 1e3;
        test_board_add(test, at, count * 0.9, "sonde_operation_duration_seconds_bucket", "service",
                       "a", "operation", "o", "le", "1", NULL);
        test_board_add(test, at, count, "sonde_operation_duration_seconds_bucket", "service", "a",
                       "operation", "o", "le", "2", NULL);
        test_board_add(test, at, count, "sonde_operation_duration_seconds_bucket", "service", "a",
                       "operation", "o", "le", "+Inf", NULL);
    }
    test_board_look(test);
    const struct sn_board_service *service = test_board_service(test, "a");
    check_near(service->active, 5);
    assert_int_equal(service->start_ms, 1000500);
    check_near(service->p95_s, 1.5);
    test_board_stop(test);
}

static void names_need_no_care(void **state) {
    (void)state;
    static const char *const names[] = {"a\"b", "a\\b", "a\nb", "x{y}", "\xd0\xb0"};
    struct test_board *test = test_board_start(NULL, NULL, 0);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        test_board_run(test, names[i], NOW - HOUR, NOW, 1, 0);
    test_board_look(test);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        check_near(test_board_service(test, names[i])->rate, 1);
    test_board_stop(test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_success_rate_of_five_minutes_is_judged),
        cmocka_unit_test(limits_of_an_application_are_those_of_its_service),
        cmocka_unit_test(a_silent_service_is_unknown_for_a_day),
        cmocka_unit_test(gauges_are_those_of_all_its_processes),
        cmocka_unit_test(names_need_no_care),
    };
    return cmocka_run_group_tests_name("board_services", tests, NULL, NULL);
}
