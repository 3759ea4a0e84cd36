/* Durations as Prometheus reads and writes them. */
#include "codec/duration.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const int64_t day_ms = 86400000;

static void texts_of_prometheus_are_read(void **state) {
    (void)state;
    const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"0s", 0},
        {"0w", 0},
        {"324ms", 324},
        {"3s", 3000},
        {"5m", 300000},
        {"1h", 3600000},
        {"4d", 4 * day_ms},
        {"4d1h", 4 * day_ms + 3600000},
        {"14d", 14 * day_ms},
        {"3w", 21 * day_ms},
        {"3w2d1h", 23 * day_ms + 3600000},
        {"10y", 3650 * day_ms},
        {"1y2w3d4h5m6s7ms", 365 * day_ms + 17 * day_ms + 14706007},
        {"007s", 7000},
        {"9223372036854ms", SN_DURATION_MS_MAX},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t ms = -1;
        struct sn_err err = {.status = SN_OK};
        if (sn_duration_parse_ms(sn_str_from(rows[i].text), &ms, &err) != SN_OK) {
            fail_msg("%s", err.text);
        }
        assert_int_equal(ms, rows[i].ms);
    }
}

static void other_texts_are_refused(void **state) {
    (void)state;
    const char *const bad[] = {"",     "1",    "1y1m1d", "-1w", "1.5d", "d",    "294 s",
                               "1s1h", "1s1s", "1ms1",   "15S", "1 s",  " 1s",  "1s ",
                               "00",   "+1s",  "1h-1s",  "ms",  "1us",  "1m1m", "1msx"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms = -1;
        if (sn_duration_parse_ms(sn_str_from(bad[i]), &ms, NULL) != SN_ERR_INVALID || ms != -1) {
            fail_msg("\"%s\" is not refused", bad[i]);
        }
    }
    struct sn_err err;
    int64_t ms = -1;
    assert_int_equal(sn_duration_parse_ms(SN_STR("soon"), &ms, &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "\"soon\" is not a duration like 15s, 1h30m or 500ms");
}

static void too_long_is_a_limit_and_not_an_overflow(void **state) {
    (void)state;
    const char *const bad[] = {"9223372036855ms",        "300y",
                               "99999999999999999999ms", "9223372036854775807y",
                               "292y99999999999w",       "9223372036854775807ms"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        int64_t ms = -1;
        assert_int_equal(sn_duration_parse_ms(sn_str_from(bad[i]), &ms, NULL), SN_ERR_LIMIT);
        assert_int_equal(ms, -1);
    }
}

static void formatting_is_that_of_prometheus(void **state) {
    (void)state;
    const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {1, "1ms"},
        {1500, "1s500ms"},
        {15000, "15s"},
        {5400000, "1h30m"},
        {7 * day_ms, "1w"},
        {90 * day_ms, "90d"},
        {365 * day_ms, "1y"},
        {366 * day_ms, "366d"},
        {14 * day_ms + 1, "14d1ms"},
        {-60000, "-1m"},
        {INT64_MAX, "106751991167d7h12m55s807ms"},
        {INT64_MIN, "-106751991167d7h12m55s808ms"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[SN_DURATION_TEXT_SIZE];
        size_t len = sn_duration_format(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(len, strlen(text));
    }
}

static void what_is_written_reads_back(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    for (int i = 0; i < 10000; i++) {
        char text[SN_DURATION_TEXT_SIZE];
        int64_t back = -1;
        int64_t ms = (int64_t)((sn_rng_u64(&rng) >> sn_rng_below(&rng, 64)) %
                               ((uint64_t)SN_DURATION_MS_MAX + 1));
        size_t len = sn_duration_format(ms, text);
        assert_int_equal(sn_duration_parse_ms(sn_str_make(text, len), &back, NULL), SN_OK);
        assert_int_equal(back, ms);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_of_prometheus_are_read),
        cmocka_unit_test(other_texts_are_refused),
        cmocka_unit_test(too_long_is_a_limit_and_not_an_overflow),
        cmocka_unit_test(formatting_is_that_of_prometheus),
        cmocka_unit_test(what_is_written_reads_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
