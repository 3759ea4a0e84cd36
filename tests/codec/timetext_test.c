/* Points in time from text; sn_time_format of base is the way back. */
#include "codec/timetext.h"

#include "base/clock.h"
#include "base/limits.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void times_are_read(void **state) {
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2015-06-03T13:21:58.555Z", 1433337718555},
        {"2015-06-03t14:21:58.555+01:00", 1433337718555},
        {"2015-06-03 14:21:58.555999999+01:00", 1433337718555},
        {"2015-06-03T07:51:58.5-05:30", 1433337718500},
        {"2015-06-03T13:21:58.55z", 1433337718550},
        {"2000-02-29T12:00:00Z", 951825600000},
        {"1900-03-01T00:00:00Z", -1},
        {"2024-12-31T23:59:59.999Z", 1735689599999},
        {"1969-12-31T23:00:00-01:00", 0},
        {"9999-12-31T23:59:59.999Z", SN_TIME_MS_MAX},
        {"0", 0},
        {"1433337718.555", 1433337718555},
        {"1433337718.5554", 1433337718555},
        {"1433337718.5556", 1433337718556},
        {"1.5e9", 1500000000000},
        {"253402300799.999", SN_TIME_MS_MAX},
        {"0.0004", 0},
        {"-0.0004", 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        struct sn_err err = {.status = SN_OK};
        sn_status status = sn_time_parse_ms(sn_str_from(rows[i].text), &ms, &err);
        if (ms != rows[i].ms) {
            fail_msg("%s gives %lld (%s)", rows[i].text, (long long)ms, err.text);
        }
        assert_int_equal(status, rows[i].ms < 0 ? SN_ERR_LIMIT : SN_OK);
    }
}

static void other_texts_are_refused(void **state) {
    (void)state;
    const char *const bad[] = {"",
                               "now",
                               "nan",
                               "2026-11-21",
                               "2026-11-21T10:11Z",
                               "2026-11-21T10:11:12",
                               "2026-11-21T10:11:12.Z",
                               "2026-11-21T10:11:12,5Z",
                               "2026-11-21T10:11:12+0100",
                               "2026-11-21T10:11:12+24:00",
                               "2026-11-21T10:11:12+01:60",
                               "2026-11-21T10:11:12Z ",
                               " 2026-11-21T10:11:12Z",
                               "2026-11-21_10:11:12Z",
                               "2026-13-01T00:00:00Z",
                               "2026-00-01T00:00:00Z",
                               "2026-01-00T00:00:00Z",
                               "2026-04-31T00:00:00Z",
                               "2026-02-29T00:00:00Z",
                               "2100-02-29T00:00:00Z",
                               "2026-01-01T24:00:00Z",
                               "2026-01-01T00:60:00Z",
                               "2016-12-31T23:59:60Z",
                               "26-01-01T00:00:00Z",
                               "12026-01-01T00:00:00Z",
                               "2026-1-1T00:00:00Z",
                               "1433337718 ",
                               "1_000",
                               "0x10"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms = -1;
        if (sn_time_parse_ms(sn_str_from(bad[i]), &ms, NULL) != SN_ERR_INVALID || ms != -1) {
            fail_msg("\"%s\" is not refused", bad[i]);
        }
    }
}

static void both_ends_of_the_range_hold(void **state) {
    (void)state;
    const char *const bad[] = {"1969-12-31T23:59:59.999Z",
                               "1970-01-01T00:00:00+00:01",
                               "9999-12-31T23:59:59.999-00:01",
                               "0000-01-01T00:00:00Z",
                               "253402300800",
                               "-0.001",
                               "1e300",
                               "-1e300",
                               "1e999",
                               "-1e999",
                               "inf",
                               "-Inf"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms = -1;
        if (sn_time_parse_ms(sn_str_from(bad[i]), &ms, NULL) != SN_ERR_LIMIT || ms != -1) {
            fail_msg("\"%s\" is not refused", bad[i]);
        }
    }
    struct sn_err err;
    int64_t ms;
    assert_int_equal(sn_time_parse_ms(SN_STR("-1"), &ms, &err), SN_ERR_LIMIT);
    assert_string_equal(err.text, "time -1 is not in the years 1970 to 9999");
    assert_int_equal(sn_time_parse_ms(SN_STR("x"), &ms, &err), SN_ERR_INVALID);
    assert_string_equal(err.text,
                        "\"x\" is neither a time like 2026-11-21T10:11:12Z nor Unix seconds");
}

static void what_base_prints_reads_back(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (int i = 0; i < 20000; i++) {
        char text[SN_TIME_TEXT_SIZE];
        int64_t back = -1;
        int64_t ms = (int64_t)sn_rng_below(&rng, (uint64_t)SN_TIME_MS_MAX + 1);
        sn_time_format(ms, text);
        assert_int_equal(sn_time_parse_ms(sn_str_from(text), &back, NULL), SN_OK);
        assert_int_equal(back, ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(both_ends_of_the_range_hold),
        cmocka_unit_test(what_base_prints_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
