/* Tests of bucket choice: the table must say what counting says, for every kind of bounds. */
#include "client/buckets_priv.h"

#include "base/rng.h"
#include "client/slab_priv.h"
#include "client_support.h"
#include "sonde/registry.h"

#include <float.h>
#include <math.h>

static sonde_buckets *make(const double *bounds, size_t count) {
    sonde_buckets *buckets = NULL;
    assert_int_equal(sn_buckets_new(bounds, count, 1, &buckets, NULL), SN_OK);
    return buckets;
}

/* The meaning of le: the first bound that is not below the value. */
static size_t by_meaning(const double *bounds, size_t count, double value) {
    size_t k = 0;
    while (k < count && !(value <= bounds[k]))
        k++;
    return k;
}

static void check_value(const sonde_buckets *buckets, const double *bounds, size_t count,
                        double value) {
    assert_int_equal(sonde_bucket_of(buckets, value), by_meaning(bounds, count, value));
    assert_int_equal(sonde_bucket_search(buckets, value), by_meaning(bounds, count, value));
}

/* Each bound, its neighbours, the ends of the range, and many values in between. */
static void check_bounds(const double *bounds, size_t count) {
    static const double ends[] = {0.0, -0.0, DBL_MIN, 4.9e-324, -1, -1e300, DBL_MAX, 1};
    sonde_buckets *buckets = make(bounds, count);
    struct sn_rng rng;
    sn_rng_init(&rng, 7);
    for (size_t i = 0; i < count; i++) {
        check_value(buckets, bounds, count, bounds[i]);
        check_value(buckets, bounds, count, nextafter(bounds[i], (double)INFINITY));
        check_value(buckets, bounds, count, nextafter(bounds[i], -(double)INFINITY));
        check_value(buckets, bounds, count, -bounds[i]);
    }
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        check_value(buckets, bounds, count, ends[i]);
    check_value(buckets, bounds, count, (double)INFINITY);
    check_value(buckets, bounds, count, -(double)INFINITY);
    for (int i = 0; i < 20000; i++) {
        double value = ldexp(sn_rng_unit(&rng) - 0.1, (int)sn_rng_below(&rng, 60) - 30);
        check_value(buckets, bounds, count, value);
    }
    (void)sn_buckets_free(buckets);
}

static void the_default_bounds_have_a_table(void **state) {
    (void)state;
    sonde_buckets *buckets = make(sn_default_bounds, sn_default_bound_count);
    assert_non_null(buckets->table);
    (void)sn_buckets_free(buckets);
    check_bounds(sn_default_bounds, sn_default_bound_count);
}

static void every_shape_of_bounds_agrees_with_counting(void **state) {
    (void)state;
    static const double one[] = {1};
    static const double negative[] = {-10, -1, 0, 1, 10};
    static const double zero[] = {0, 0.5};
    static const double extreme[] = {4.9e-324, 1, DBL_MAX};
    double linear[SONDE_BUCKETS_MAX], powers[SONDE_BUCKETS_MAX], near[SONDE_BUCKETS_MAX];
    for (int i = 0; i < SONDE_BUCKETS_MAX; i++) {
        linear[i] = i + 1;
        powers[i] = ldexp(1, i - 64);
        near[i] = i == 0 ? 1 : nextafter(near[i - 1], 2);
    }
    check_bounds(one, 1);
    check_bounds(negative, 5);
    check_bounds(zero, 2);
    check_bounds(extreme, 3);
    check_bounds(linear, SONDE_BUCKETS_MAX);
    check_bounds(powers, SONDE_BUCKETS_MAX);
    check_bounds(near, SONDE_BUCKETS_MAX);
}

static void bounds_in_seconds_become_exact_nanoseconds(void **state) {
    (void)state;
    sonde_buckets *buckets = NULL;
    assert_int_equal(sn_buckets_new(sn_default_bounds, sn_default_bound_count, 1e9, &buckets, NULL),
                     SN_OK);
    assert_int_equal(sonde_bucket_of(buckets, 1000000), 0);
    assert_int_equal(sonde_bucket_of(buckets, 1000001), 1);
    assert_int_equal(sonde_bucket_of(buckets, 5e9), 10);
    assert_int_equal(sonde_bucket_of(buckets, 5000000001.0), 11);
    (void)sn_buckets_free(buckets);
}

static void wrong_bounds_are_named(void **state) {
    (void)state;
    const double equal[] = {1, 1}, falling[] = {2, 1}, infinite[] = {1, (double)INFINITY};
    const double not_a_number[] = {(double)NAN};
    double many[SONDE_BUCKETS_MAX + 1];
    sonde_buckets *buckets = NULL;
    struct sn_err err;
    for (int i = 0; i <= SONDE_BUCKETS_MAX; i++)
        many[i] = i;
    assert_int_equal(sn_buckets_new(equal, 2, 1, &buckets, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "bound 1"));
    assert_int_equal(sn_buckets_new(falling, 2, 1, &buckets, &err), SN_ERR_INVALID);
    assert_int_equal(sn_buckets_new(infinite, 2, 1, &buckets, &err), SN_ERR_INVALID);
    assert_int_equal(sn_buckets_new(not_a_number, 1, 1, &buckets, &err), SN_ERR_INVALID);
    assert_int_equal(sn_buckets_new(many, SONDE_BUCKETS_MAX + 1, 1, &buckets, &err), SN_ERR_LIMIT);
    assert_null(buckets);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        sonde_buckets *buckets = NULL;
        sn_mem_fail_nth(n);
        sn_status status = sn_buckets_new(sn_default_bounds, 11, 1, &buckets, NULL);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        (void)sn_buckets_free(buckets);
        if (!fired)
            break;
    }
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_default_bounds_have_a_table),
        cmocka_unit_test(every_shape_of_bounds_agrees_with_counting),
        cmocka_unit_test(bounds_in_seconds_become_exact_nanoseconds),
        cmocka_unit_test(wrong_bounds_are_named),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
