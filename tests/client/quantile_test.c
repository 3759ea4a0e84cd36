/* Tests of percentiles from buckets: against exact ones, with their bounds, and at the edges. */
#include "client/quantile_priv.h"

#include "client/buckets_priv.h"
#include "client_support.h"

#include <math.h>

static sonde_buckets *buckets_new(void) {
    static const double bounds[] = {1, 10, 100};
    sonde_buckets *buckets;
    assert_int_equal(sn_buckets_new(bounds, 3, 1, &buckets, NULL), SN_OK);
    return buckets;
}

static struct sn_quantile find(const uint64_t *counts, double min, double max, double part) {
    sonde_buckets *buckets = buckets_new();
    struct sn_distribution values = {buckets, counts, min, max};
    struct sn_quantile result = sn_quantile_find(&values, part);
    assert_true(result.low <= result.value && result.value <= result.high);
    (void)sn_buckets_free(buckets);
    return result;
}

static void nothing_is_nothing(void **state) {
    (void)state;
    const uint64_t counts[4] = {0};
    struct sn_quantile result = find(counts, 0, 0, 0.5);
    assert_true(result.value == 0 && result.low == 0 && result.high == 0);
}

static void a_bucket_is_divided_evenly(void **state) {
    (void)state;
    const uint64_t counts[4] = {0, 10, 0, 0};
    struct sn_quantile result = find(counts, 1, 10, 0.5);
    assert_true(result.value == 5.5 && result.low == 1 && result.high == 10);
    assert_true(find(counts, 1, 10, 1).value == 10);
    assert_true(find(counts, 1, 10, 0).value == 1);
}

static void extremes_narrow_the_first_and_the_last_bucket(void **state) {
    (void)state;
    const uint64_t first[4] = {4, 0, 0, 0}, last[4] = {0, 0, 0, 4};
    struct sn_quantile result = find(first, 0.25, 0.75, 0.5);
    assert_true(result.value == 0.5 && result.low == 0.25 && result.high == 0.75);
    result = find(last, 200, 400, 0.5);
    assert_true(result.value == 300 && result.low == 200 && result.high == 400);
}

static void equal_values_have_no_error(void **state) {
    (void)state;
    const uint64_t counts[4] = {0, 0, 7, 0};
    struct sn_quantile result = find(counts, 42, 42, 0.99);
    assert_true(result.value == 42 && result.low == 42 && result.high == 42);
}

static void an_unknown_maximum_is_no_infinity(void **state) {
    (void)state;
    const uint64_t counts[4] = {0, 0, 0, 1};
    assert_true(find(counts, 0, 0, 0.5).value == 100);
}

static void the_true_value_lies_between_the_bounds(void **state) {
    (void)state;
    /* 1000 values, squares of 0.01 to 10: the part p of them lies below (10 p)^2. */
    uint64_t counts[4] = {0};
    for (int i = 1; i <= 1000; i++) {
        double value = i / 100.0 * (i / 100.0);
        counts[value <= 1 ? 0 : value <= 10 ? 1 : value <= 100 ? 2 : 3]++;
    }
    for (int percent = 1; percent <= 100; percent++) {
        double exact = percent / 10.0 * (percent / 10.0);
        struct sn_quantile result = find(counts, 0.0001, 100, percent / 100.0);
        assert_true(result.low <= exact * 1.0001 && exact <= result.high * 1.0001);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(a_bucket_is_divided_evenly),
        cmocka_unit_test(extremes_narrow_the_first_and_the_last_bucket),
        cmocka_unit_test(equal_values_have_no_error),
        cmocka_unit_test(an_unknown_maximum_is_no_infinity),
        cmocka_unit_test(the_true_value_lies_between_the_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
