/* What the routes of the dashboard share: ranges, text, order. */
#include "dash_support.h"

#include "api/dash.h"

#include <math.h>

#define DAY_MS INT64_C(86400000)

static void a_range_ends_now_and_has_a_length(void **state) {
    (void)state;
    struct sn_dash_range range = {.length_ms = 0};
    assert_int_equal(sn_dash_range_finish(&range, NOW_MS, 5000, NULL), SN_OK);
    assert_int_equal(range.start_ms, NOW_MS - 5000);
    assert_int_equal(range.end_ms, NOW_MS);
    range = (struct sn_dash_range){.length_ms = 2000, .end_ms = NOW_MS - DAY_MS};
    assert_int_equal(sn_dash_range_finish(&range, NOW_MS, 5000, NULL), SN_OK);
    assert_int_equal(range.start_ms, NOW_MS - DAY_MS - 2000);
    range = (struct sn_dash_range){.start_ms = NOW_MS - 9000};
    assert_int_equal(sn_dash_range_finish(&range, NOW_MS, 5000, NULL), SN_OK);
    assert_int_equal(range.length_ms, 9000);
}

static void a_range_that_makes_no_sense_is_refused(void **state) {
    (void)state;
    const struct sn_dash_range bad[] = {
        {.length_ms = 1000, .start_ms = NOW_MS - 1000}, /* both */
        {.start_ms = NOW_MS},
        {.start_ms = NOW_MS - 999},
        {.length_ms = SN_DASH_RANGE_MS_MAX + 1},
        {.start_ms = NOW_MS - SN_DASH_RANGE_MS_MAX - 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct sn_dash_range range = bad[i];
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(sn_dash_range_finish(&range, NOW_MS, 5000, &err), SN_ERR_INVALID);
    }
    struct sn_dash_range longest = {.length_ms = SN_DASH_RANGE_MS_MAX};
    assert_int_equal(sn_dash_range_finish(&longest, NOW_MS, 5000, NULL), SN_OK);
}

static void text_is_found_in_any_case(void **state) {
    (void)state;
    assert_true(sn_dash_has_text(SN_STR("Flux-Worker"), SN_STR("x-wORK")));
    assert_true(sn_dash_has_text(SN_STR("abc"), SN_STR("")));
    assert_true(sn_dash_has_text(SN_STR("aab"), SN_STR("ab")));
    assert_false(sn_dash_has_text(SN_STR("abc"), SN_STR("abcd")));
    assert_false(sn_dash_has_text(SN_STR(""), SN_STR("a")));
}

static void the_worst_is_first(void **state) {
    (void)state;
    const struct sn_board_service order[] = {
        {.name = SN_STR("z"), .status = SN_HEALTH_CRITICAL, .rate = 1},
        {.name = SN_STR("y"), .status = SN_HEALTH_WARNING, .rate = 1},
        {.name = SN_STR("x"), .status = SN_HEALTH_UNKNOWN, .rate = (double)NAN},
        {.name = SN_STR("w"), .status = SN_HEALTH_GOOD, .rate = 9},
        {.name = SN_STR("u"), .status = SN_HEALTH_GOOD, .rate = 5},
        {.name = SN_STR("v"), .status = SN_HEALTH_GOOD, .rate = 5},
        {.name = SN_STR("a"), .status = SN_HEALTH_GOOD, .rate = (double)NAN},
    };
    for (size_t i = 0; i < 7; i++)
        for (size_t j = 0; j < 7; j++) {
            int compared = sn_dash_worst_first(&order[i], &order[j]);
            assert_true(i == j ? compared == 0 : (compared < 0) == (i < j));
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_range_ends_now_and_has_a_length),
        cmocka_unit_test(a_range_that_makes_no_sense_is_refused),
        cmocka_unit_test(text_is_found_in_any_case),
        cmocka_unit_test(the_worst_is_first),
    };
    return cmocka_run_group_tests_name("dash", tests, NULL, NULL);
}
