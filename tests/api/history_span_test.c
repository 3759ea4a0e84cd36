/* Range and step: what is made of what was said, and of what was not. */
#include "api/history_span.h"

#include "engine/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

static struct sn_range range;
static int64_t step_ms;

static sn_status finish(const struct sn_history_span *span) {
    return sn_history_span_finish(span, NOW_MS, &range, &step_ms, NULL);
}

static sn_status take(struct sn_history_span *span, const char *name, const char *value,
                      bool *is_known) {
    return sn_history_span_take(span, sn_str_from(name), sn_str_from(value), is_known, NULL);
}

static void other_names_are_left_alone(void **state) {
    (void)state;
    struct sn_history_span span = {.points = 0};
    bool is_known = true;
    assert_int_equal(take(&span, "stepping", "x", &is_known), SN_OK);
    assert_false(is_known);
    assert_int_equal(take(&span, "range", "1h", &is_known), SN_OK);
    assert_true(is_known);
    assert_int_equal(span.range_ms, 3600000);
}

static void the_default_is_an_hour_in_240_steps(void **state) {
    (void)state;
    assert_int_equal(finish(&(struct sn_history_span){.points = 0}), SN_OK);
    assert_int_equal(range.end_ms, NOW_MS);
    assert_int_equal(range.start_ms, NOW_MS - SN_HISTORY_RANGE_MS_DEFAULT);
    assert_int_equal(step_ms, 15000);
}

static void a_range_ends_where_it_was_told(void **state) {
    (void)state;
    const struct sn_history_span span = {
        .has_end = true, .end_ms = 100000, .range_ms = 50000, .points = 5};
    assert_int_equal(finish(&span), SN_OK);
    assert_int_equal(range.start_ms, 50000);
    assert_int_equal(step_ms, 10000);
    const struct sn_history_span early = {.has_end = true, .end_ms = 10, .range_ms = 50000};
    assert_int_equal(finish(&early), SN_OK);
    assert_int_equal(range.start_ms, 0);
}

static void an_aligned_start_moves_back(void **state) {
    (void)state;
    struct sn_history_span span = {.has_start = true, .start_ms = 1999, .step_ms = 1000};
    span.is_aligned = true;
    assert_int_equal(finish(&span), SN_OK);
    assert_int_equal(range.start_ms, 1000);
}

static void contradictions_are_refused(void **state) {
    (void)state;
    const struct sn_history_span both = {.has_start = true, .start_ms = 1, .range_ms = 1};
    assert_int_equal(finish(&both), SN_ERR_INVALID);
    const struct sn_history_span reversed = {.has_start = true, .start_ms = NOW_MS + 1};
    assert_int_equal(finish(&reversed), SN_ERR_INVALID);
}

static void numbers_have_two_ends(void **state) {
    (void)state;
    size_t number = 0;
    static const char *const bad[] = {"0", "11", "-1", "x", "", "1.5"};
    assert_int_equal(sn_history_number_parse(SN_STR("n"), SN_STR("1"), 10, &number, NULL), SN_OK);
    assert_int_equal(sn_history_number_parse(SN_STR("n"), SN_STR("10"), 10, &number, NULL), SN_OK);
    assert_int_equal(number, 10);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(
            sn_history_number_parse(SN_STR("n"), sn_str_from(bad[i]), 10, &number, NULL),
            SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_names_are_left_alone),
        cmocka_unit_test(the_default_is_an_hour_in_240_steps),
        cmocka_unit_test(a_range_ends_where_it_was_told),
        cmocka_unit_test(an_aligned_start_moves_back),
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(numbers_have_two_ends),
    };
    return cmocka_run_group_tests_name("history_span", tests, NULL, NULL);
}
