#include "query/eval_priv.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void a_quantile_lies_between_its_neighbours(void **state) {
    double values[] = {4, 1, 3, 2};
    double many[100];
    (void)state;
    assert_true(sn_quantile(0, values, 4) == 1);
    assert_true(sn_quantile(1, values, 4) == 4);
    assert_true(sn_quantile(0.5, values, 4) == 2.5);
    assert_true(isinf(sn_quantile(2, values, 4)) && isinf(sn_quantile(-1, values, 4)));
    assert_true(isnan(sn_quantile((double)NAN, values, 4)) && isnan(sn_quantile(0.5, values, 0)));
    for (int i = 0; i < 100; i++) {
        many[i] = (i * 37) % 100;
    }
    assert_true(sn_quantile(0.5, many, 100) == 49.5);
}

static void nan_sorts_below_everything(void **state) {
    double values[] = {1, (double)NAN, -1};
    (void)state;
    assert_true(isnan(sn_quantile(0, values, 3)));
    assert_true(sn_quantile(1, values, 3) == 1);
}

static void buckets_come_in_any_order_and_are_joined(void **state) {
    struct sn_bucket buckets[] = {{(double)INFINITY, 4}, {1, 2}, {0.1, 1}, {1, 1}};
    bool was_fixed;
    (void)state;
    assert_true(fabs(sn_bucket_quantile(0.5, buckets, 4, &was_fixed) - 0.55) < 1e-12);
    assert_false(was_fixed);
}

static void rounding_is_no_decrease_but_a_decrease_is(void **state) {
    struct sn_bucket rounded[] = {{1, 3}, {2, 3 - 1e-13}, {(double)INFINITY, 4}};
    struct sn_bucket falling[] = {{1, 3}, {2, 2}, {(double)INFINITY, 4}};
    bool was_fixed;
    (void)state;
    (void)sn_bucket_quantile(0.5, rounded, 3, &was_fixed);
    assert_false(was_fixed);
    (void)sn_bucket_quantile(0.5, falling, 3, &was_fixed);
    assert_true(was_fixed);
    assert_true(falling[1].count == 3);
}

static void histograms_without_an_answer_give_nan(void **state) {
    struct sn_bucket open[] = {{1, 3}, {2, 4}};
    struct sn_bucket empty[] = {{1, 0}, {(double)INFINITY, 0}};
    struct sn_bucket single[] = {{(double)INFINITY, 3}};
    bool was_fixed;
    (void)state;
    assert_true(isnan(sn_bucket_quantile(0.5, open, 2, &was_fixed)));
    assert_true(isnan(sn_bucket_quantile(0.5, empty, 2, &was_fixed)));
    assert_true(isnan(sn_bucket_quantile(0.5, single, 1, &was_fixed)));
    assert_true(isnan(sn_bucket_fraction(0, 1, open, 2)));
    assert_true(isnan(sn_bucket_fraction(0, 1, empty, 2)));
    assert_true(sn_bucket_fraction(0, 1, single, 1) == 0);
}

static void negative_first_buckets_are_not_interpolated(void **state) {
    struct sn_bucket buckets[] = {{-1, 2}, {(double)INFINITY, 4}};
    bool was_fixed;
    (void)state;
    assert_true(sn_bucket_quantile(0.25, buckets, 2, &was_fixed) == -1);
    assert_true(sn_bucket_fraction(-5, -1, buckets, 2) == 0);
    assert_true(sn_bucket_fraction(-(double)INFINITY, -1, buckets, 2) == 0.5);
}

static void extremes_are_those_of_go(void **state) {
    double nan = (double)NAN;
    double inf = (double)INFINITY;
    (void)state;
    assert_true(sn_go_max(inf, nan) == inf && sn_go_max(nan, inf) == inf);
    assert_true(isnan(sn_go_max(nan, 1)) && isnan(sn_go_max(-inf, nan)));
    assert_true(sn_go_max(-inf, 1) == 1 && sn_go_min(-inf, 1) == -inf);
    assert_true(!signbit(sn_go_max(-0.0, 0.0)) && signbit(sn_go_min(0.0, -0.0)));
    assert_true(isnan(sn_go_min(nan, 1)) && sn_go_min(nan, -inf) == -inf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_quantile_lies_between_its_neighbours),
        cmocka_unit_test(nan_sorts_below_everything),
        cmocka_unit_test(buckets_come_in_any_order_and_are_joined),
        cmocka_unit_test(rounding_is_no_decrease_but_a_decrease_is),
        cmocka_unit_test(histograms_without_an_answer_give_nan),
        cmocka_unit_test(negative_first_buckets_are_not_interpolated),
        cmocka_unit_test(extremes_are_those_of_go),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
