/* Tests of clocks and of RFC 3339 text. The only test that needs the real clock waits 2 ms. */
#include "base/clock.h"

#include "base/limits.h"
#include "base_support.h"

#include <stdio.h>
#include <time.h>

static void system_clocks_run_and_agree_with_the_system(void **state) {
    (void)state;
    const struct sn_clock *clock = sn_clock_system();
    int64_t start_ns = sn_clock_mono_ns(clock);
    int64_t wall_ms = sn_clock_wall_ms(clock);
    int64_t expected_ms = (int64_t)time(NULL) * 1000;
    assert_true(wall_ms > expected_ms - 5000 && wall_ms < expected_ms + 5000);
    clock->sleep_ns(clock->ctx, 2000000);
    clock->sleep_ns(clock->ctx, 0);
    clock->sleep_ns(clock->ctx, -5);
    assert_true(sn_clock_mono_ns(clock) - start_ns >= 2000000);
}

static void a_fake_clock_moves_when_told_and_by_sleeping(void **state) {
    (void)state;
    struct sn_fake_clock fake;
    const struct sn_clock *clock = &fake.clock;
    sn_fake_clock_init(&fake, 1000, 5000);
    assert_int_equal(sn_clock_mono_ns(clock), 1000);
    assert_int_equal(sn_clock_wall_ms(clock), 5000);
    sn_fake_clock_advance_ms(&fake, 3);
    assert_int_equal(sn_clock_mono_ns(clock), 3001000);
    assert_int_equal(sn_clock_wall_ms(clock), 5003);
    clock->sleep_ns(clock->ctx, 2000000);
    clock->sleep_ns(clock->ctx, -1);
    assert_int_equal(sn_clock_mono_ns(clock), 5001000);
    assert_int_equal(sn_clock_wall_ms(clock), 5005);
}

static void many_short_sleeps_of_a_fake_clock_add_up(void **state) {
    (void)state;
    struct sn_fake_clock fake;
    sn_fake_clock_init(&fake, 0, 0);
    for (int i = 0; i < 10; i++)
        fake.clock.sleep_ns(fake.clock.ctx, 300000);
    assert_int_equal(sn_clock_wall_ms(&fake.clock), 3);
}

static void times_print_as_rfc_3339(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1, "1970-01-01T00:00:00.001Z"},
        {INT64_C(951782400000), "2000-02-29T00:00:00.000Z"},
        {INT64_C(951868799999), "2000-02-29T23:59:59.999Z"},
        {INT64_C(1709210096789), "2024-02-29T12:34:56.789Z"},
        {INT64_C(1735689599999), "2024-12-31T23:59:59.999Z"},
        {INT64_C(4107542400000), "2100-03-01T00:00:00.000Z"},
        {SN_TIME_MS_MAX, "9999-12-31T23:59:59.999Z"},
        {SN_TIME_MS_MAX + 1, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999Z"},
        {-1, "1970-01-01T00:00:00.000Z"},
        {INT64_MIN, "1970-01-01T00:00:00.000Z"},
    };
    char text[SN_TIME_TEXT_SIZE];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        sn_time_format(cases[i].ms, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void dates_until_9999_agree_with_the_c_library(void **state) {
    (void)state;
    char text[SN_TIME_TEXT_SIZE];
    char expected[80];
    /* Each day of one cycle of 400 years, then every eleventh. */
    int64_t step = 1;
    for (int64_t day = 0; day * 86400000 <= SN_TIME_MS_MAX; day += step) {
        step = day < 146097 ? 1 : 11;
        time_t seconds = (time_t)(day * 86400 + day % 86400);
        struct tm tm;
        assert_non_null(gmtime_r(&seconds, &tm));
        (void)snprintf(expected, sizeof(expected), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
                       tm.tm_sec, (int)(day % 1000));
        sn_time_format((int64_t)seconds * 1000 + day % 1000, text);
        assert_string_equal(text, expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(system_clocks_run_and_agree_with_the_system),
        cmocka_unit_test(a_fake_clock_moves_when_told_and_by_sleeping),
        cmocka_unit_test(many_short_sleeps_of_a_fake_clock_add_up),
        cmocka_unit_test(times_print_as_rfc_3339),
        cmocka_unit_test(dates_until_9999_agree_with_the_c_library),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
