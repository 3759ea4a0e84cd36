/* Quantiles from exponential buckets. */
#include "ingest/sketch.h"

#include "base/mem.h"
#include "base/rng.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_near(double found, double expected) {
    if (!(fabs(found - expected) <= 0.012 * fabs(expected))) {
        fail_msg("%g is not near %g", found, expected);
    }
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void quantiles_are_near_those_of_the_sorted_values(void **state) {
    (void)state;
    enum { COUNT = 10001 };
    static double values[COUNT];
    struct sn_rng rng;
    struct sn_sketch sketch = {.count = 0};
    sn_rng_init(&rng, 1);
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = exp(8 * sn_rng_unit(&rng) - 4) * (i % 3 == 0 ? -1 : 1);
        assert_int_equal(sn_sketch_add(&sketch, values[i], 1), SN_OK);
    }
    qsort(values, COUNT, sizeof values[0], compare);
    for (int share = 1; share < 100; share++) {
        assert_near(sn_sketch_quantile(&sketch, share / 100.0), values[(COUNT - 1) * share / 100]);
    }
    assert_true(sn_sketch_quantile(&sketch, 0) >= values[0]);
    assert_true(sn_sketch_quantile(&sketch, 1) <= values[COUNT - 1]);
    sn_sketch_release(&sketch);
}

static void weights_count(void **state) {
    (void)state;
    struct sn_sketch sketch = {.count = 0};
    assert_int_equal(sn_sketch_add(&sketch, 1, 98), SN_OK);
    assert_int_equal(sn_sketch_add(&sketch, 0, 1), SN_OK);
    assert_int_equal(sn_sketch_add(&sketch, 5, 1), SN_OK);
    assert_true(sn_sketch_quantile(&sketch, 0.005) == 0);
    assert_near(sn_sketch_quantile(&sketch, 0.5), 1);
    assert_near(sn_sketch_quantile(&sketch, 0.995), 5);
    sn_sketch_release(&sketch);
}

static void one_value_is_every_quantile(void **state) {
    (void)state;
    static const double values[] = {0, 1, -1, 0.37, 5e-324, 1.7976931348623157e308, -3e-200};
    struct sn_sketch sketch = {.count = 0};
    assert_true(isnan(sn_sketch_quantile(&sketch, 0.5)));
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        assert_int_equal(sn_sketch_add(&sketch, values[i], 1), SN_OK);
        for (double share = 0; share <= 1; share += 0.25) {
            assert_true(sn_sketch_quantile(&sketch, share) == values[i]);
        }
        sn_sketch_clear(&sketch);
    }
    sn_sketch_release(&sketch);
}

/* From the smallest to the largest double, up, down and from the middle: memory does not grow, and
 * the upper quantiles stay right. */
static void a_wide_range_is_folded_at_its_low_end(void **state) {
    (void)state;
    for (int order = 0; order < 3; order++) {
        struct sn_sketch sketch = {.count = 0};
        for (int i = 0; i < 2000; i++) {
            int at = order == 0 ? i : order == 1 ? 1999 - i : (i * 1009 + 1000) % 2000;
            assert_int_equal(sn_sketch_add(&sketch, ldexp(1, at - 1000), 1), SN_OK);
            assert_true(sketch.positive.len <= SN_SKETCH_BUCKETS_MAX);
        }
        assert_near(sn_sketch_quantile(&sketch, 0.9999), ldexp(1, 999));
        assert_near(sn_sketch_quantile(&sketch, 1993.5 / 2000), ldexp(1, 993));
        double sum = 0;
        for (int32_t i = 0; i < sketch.positive.len; i++) {
            sum += sketch.positive.counts[i];
        }
        assert_true(sum == 2000);
        sn_sketch_release(&sketch);
    }
}

static void without_memory_nothing_is_added(void **state) {
    (void)state;
    struct sn_sketch sketch = {.count = 0};
    sn_mem_fail_nth(1);
    assert_int_equal(sn_sketch_add(&sketch, 1, 1), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_true(sketch.count == 0);
    assert_int_equal(sn_sketch_add(&sketch, 1, 1), SN_OK);
    sn_sketch_release(&sketch);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_near_those_of_the_sorted_values),
        cmocka_unit_test(weights_count),
        cmocka_unit_test(one_value_is_every_quantile),
        cmocka_unit_test(a_wide_range_is_folded_at_its_low_end),
        cmocka_unit_test(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests_name("sketch", tests, NULL, NULL);
}
