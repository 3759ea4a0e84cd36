/* Events summed up over a period. */
#include "usage_support.h"

#include "base/mem.h"

#include <math.h>

static int set_up(void **state) {
    *state = test_usage_start();
    return 0;
}

static int tear_down(void **state) {
    test_usage_stop(*state);
    return 0;
}

static struct sn_usage *read_period(struct test_usage *test, int64_t start_ms, int64_t end_ms) {
    struct sn_usage *usage = sn_usage_new();
    struct sn_err err = {.status = SN_OK};
    assert_non_null(usage);
    const struct sn_range_ms range = {start_ms, end_ms};
    if (sn_usage_read(test->records, SN_STR("a"), range, usage, &err) != SN_OK)
        fail_msg("%s", err.text);
    return usage;
}

static void a_period_is_exact_to_the_millisecond(void **state) {
    struct test_usage *test = *state;
    test_usage_add(test, "u1", USAGE_NOW_MS - 2 * SN_HOUR_MS, SN_OUTCOME_OK);
    test_usage_add(test, "u1", USAGE_NOW_MS - SN_HOUR_MS - 1, SN_OUTCOME_ERROR);
    test_usage_add(test, "u2", USAGE_NOW_MS - SN_HOUR_MS, SN_OUTCOME_OK);
    test_usage_add(test, "u2", USAGE_NOW_MS - 1, SN_OUTCOME_ABORTED);
    test_usage_add(test, "u3", USAGE_NOW_MS, SN_OUTCOME_OK);
    struct sn_usage *usage = read_period(test, USAGE_NOW_MS - 2 * SN_HOUR_MS + 1, USAGE_NOW_MS);
    assert_int_equal(usage->totals.event_count, 3);
    assert_int_equal(usage->totals.ok_count, 1);
    assert_int_equal(usage->totals.error_count, 1);
    assert_int_equal(usage->totals.aborted_count, 1);
    assert_true(usage->totals.credits_used == 3 && usage->totals.credits_refunded == 2);
    assert_true(usage->totals.quantity_sum == 6);
    assert_int_equal(usage->users.count, 2);
    assert_int_equal(usage->users.bound, 0);
    assert_int_equal(usage->items.count, 2);
    assert_int_equal(usage->errors.count, 1);
    const struct sn_topk_entry *top[1];
    assert_int_equal(sn_topk_top(&usage->users, top, 1), 1);
    assert_true(sn_str_equal(top[0]->key, SN_STR("u2")));
    assert_true(top[0]->extra[SN_USAGE_USER_OK] == 1);
    assert_true(top[0]->extra[SN_USAGE_USER_ENDED] == 1);
    assert_true(top[0]->extra[SN_USAGE_USER_ITEMS] == 4);
    (void)sn_usage_free(usage);
}

static void another_application_is_not_counted(void **state) {
    struct test_usage *test = *state;
    test_usage_add(test, "u1", USAGE_NOW_MS, SN_OUTCOME_OK);
    struct sn_usage *usage = sn_usage_new();
    const struct sn_range_ms range = {0, USAGE_NOW_MS + 1};
    assert_int_equal(sn_usage_read(test->records, SN_STR("b"), range, usage, NULL), SN_OK);
    assert_int_equal(usage->totals.event_count, 0);
    assert_true(isnan(sn_usage_duration_ms(usage, 0.95)));
    (void)sn_usage_free(usage);
}

static void percentiles_of_durations_are_within_one_percent(void **state) {
    (void)state;
    struct sn_usage *usage = sn_usage_new();
    for (int i = 1; i <= 1000; i++) {
        const struct sn_app_event event = {.has_duration = true, .duration_ms = i * 7.5};
        assert_int_equal(sn_usage_add(usage, &event), SN_OK);
    }
    const double parts[] = {0.5, 0.95, 0.99, 1};
    for (size_t i = 0; i < 4; i++) {
        double exact = ceil(parts[i] * 1000) * 7.5;
        assert_true(fabs(sn_usage_duration_ms(usage, parts[i]) - exact) <= 0.0101 * exact);
    }
    const struct sn_app_event extremes[] = {{.has_duration = true, .duration_ms = 0},
                                            {.has_duration = true, .duration_ms = 1e300}};
    assert_int_equal(sn_usage_add(usage, &extremes[0]), SN_OK);
    assert_int_equal(sn_usage_add(usage, &extremes[1]), SN_OK);
    (void)sn_usage_free(usage);
}

static void every_failed_allocation_is_reported(void **state) {
    struct test_usage *test = *state;
    test_usage_add(test, "u1", USAGE_NOW_MS, SN_OUTCOME_ERROR);
    for (uint64_t n = 1;; n++) {
        int64_t before = sn_mem_block_count();
        const struct sn_range_ms range = {0, USAGE_NOW_MS + 1};
        sn_mem_fail_nth(n);
        struct sn_usage *usage = sn_usage_new();
        sn_status status = usage == NULL
                               ? SN_ERR_NO_MEMORY
                               : sn_usage_read(test->records, SN_STR("a"), range, usage, NULL);
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        (void)sn_usage_free(usage);
        assert_int_equal(status, is_over ? SN_OK : SN_ERR_NO_MEMORY);
        assert_int_equal(sn_mem_block_count(), before);
        if (is_over)
            return;
    }
}

static void two_sums_merge_into_one(void **state) {
    (void)state;
    struct sn_usage *a = sn_usage_new(), *b = sn_usage_new();
    assert_non_null(a);
    assert_non_null(b);
    struct sn_app_event event = {.app = SN_STR("x"),
                                 .type = SN_STR("t"),
                                 .user_id = SN_STR("u"),
                                 .outcome = SN_OUTCOME_ERROR,
                                 .error_class = SN_STR("C"),
                                 .has_duration = true,
                                 .duration_ms = 10,
                                 .quantity = 2,
                                 .credits = -1};
    assert_int_equal(sn_usage_add(a, &event), SN_OK);
    event.outcome = SN_OUTCOME_OK;
    event.error_class = SN_STR("");
    event.credits = 5;
    assert_int_equal(sn_usage_add(b, &event), SN_OK);
    assert_int_equal(sn_usage_merge(a, b), SN_OK);
    assert_int_equal(a->totals.event_count, 2);
    assert_int_equal(a->totals.ok_count, 1);
    assert_int_equal(a->totals.error_count, 1);
    assert_int_equal(a->totals.duration_count, 2);
    assert_true(a->totals.quantity_sum == 4 && a->totals.duration_ms_sum == 20);
    assert_true(a->totals.credits_used == 5 && a->totals.credits_refunded == 1);
    assert_int_equal(a->users.count, 1);
    assert_int_equal(a->users.entries[0].count, 2);
    assert_int_equal(a->errors.count, 1);
    assert_true(sn_usage_duration_ms(a, 0.5) > 9 && sn_usage_duration_ms(a, 0.5) < 11);
    assert_null(sn_usage_free(a));
    assert_null(sn_usage_free(b));
}

static void what_totals_say_of_an_item_and_of_success(void **state) {
    (void)state;
    struct sn_usage_totals totals = {.ok_count = 3,
                                     .error_count = 1,
                                     .aborted_count = 7, /* neither success nor failure */
                                     .duration_count = 2,
                                     .duration_ms_sum = 6000,
                                     .credits_used = 8,
                                     .credits_refunded = 2};
    assert_true(sn_usage_success_ratio(&totals) == 0.75);
    assert_true(sn_usage_refund_ratio(&totals) == 0.25);
    assert_true(sn_usage_seconds_per_item(&totals) == 3); /* an event without a quantity is one */
    totals.quantity_sum = 12;
    assert_true(sn_usage_seconds_per_item(&totals) == 0.5);
    totals = (struct sn_usage_totals){.aborted_count = 7, .quantity_sum = 12};
    assert_true(isnan(sn_usage_success_ratio(&totals)));
    assert_true(isnan(sn_usage_refund_ratio(&totals)));
    assert_true(isnan(sn_usage_seconds_per_item(&totals)));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_period_is_exact_to_the_millisecond),
        TEST(another_application_is_not_counted),
        TEST(percentiles_of_durations_are_within_one_percent),
        TEST(every_failed_allocation_is_reported),
        cmocka_unit_test(what_totals_say_of_an_item_and_of_success),
        cmocka_unit_test(two_sums_merge_into_one),
    };
    return cmocka_run_group_tests_name("usage", tests, NULL, NULL);
}
