/* Native histograms: which bucket a value falls into, ranges, reading. */
#include "client_support.h"

#include "base/rng.h"
#include "client/family_priv.h"
#include "client/native_priv.h"

#include <float.h>
#include <math.h>

static sonde_metric metric_of(unsigned resolution, double low, double high) {
    return (sonde_metric){.name = "a_seconds",
                          .help = "A.",
                          .native_resolution = resolution,
                          .native_low = low,
                          .native_high = high};
}

static const struct sn_series *series_of(const sonde_native_histogram *histogram) {
    return (const void *)histogram;
}

/* The cell that gained one; 0: none (the sum is never asked for). */
static size_t cell_of(sonde_native_histogram *histogram, double value) {
    const struct sn_series *series = series_of(histogram);
    uint32_t count = sn_native_cell_count(series->family->native);
    uint64_t before[SONDE_NATIVE_BUCKETS + SONDE_NATIVE_BUCKETS_MAX];
    size_t found = 0;
    for (uint32_t i = 1; i < count; i++)
        before[i] = sn_cells_sum(&series->head.ref, i);
    sonde_native_histogram_observe(histogram, value);
    for (uint32_t i = 1; i < count; i++) {
        if (sn_cells_sum(&series->head.ref, i) == before[i])
            continue;
        assert_int_equal(found, 0);
        found = i;
    }
    return found;
}

/* By the definition: the first bucket whose bound is not below the value. */
static size_t right_cell(const struct sn_native *native, double value) {
    if (value <= sn_native_low(native))
        return SONDE_NATIVE_ZERO;
    for (uint32_t i = 0; i < native->bucket_count; i++) {
        if (value <= sn_native_bound(native, i))
            return SONDE_NATIVE_BUCKETS + i;
    }
    return SONDE_NATIVE_OVERFLOW;
}

static void every_value_falls_into_its_bucket(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 7);
    for (unsigned resolution = 1; resolution <= 32; resolution *= 2) {
        sonde_registry *registry = new_registry();
        sonde_metric metric = metric_of(resolution, 0x1p-6, 0x1p6);
        sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, NULL);
        const struct sn_native *native = series_of(histogram)->family->native;
        assert_int_equal(native->bucket_count, 12 * resolution);
        for (uint32_t i = 0; i < native->bucket_count; i++) {
            double bound = sn_native_bound(native, i);
            const double values[] = {bound, nextafter(bound, 0), nextafter(bound, 1e9)};
            for (size_t k = 0; k < 3; k++)
                assert_int_equal(cell_of(histogram, values[k]), right_cell(native, values[k]));
        }
        for (int i = 0; i < 2000; i++) {
            double value = exp2(16 * sn_rng_unit(&rng) - 8);
            assert_int_equal(cell_of(histogram, value), right_cell(native, value));
        }
        (void)sonde_registry_free(registry);
    }
}

static void bounds_are_those_of_prometheus(void **state) {
    (void)state;
    sonde_metric metric = {.name = "a"};
    struct sn_native *native;
    assert_int_equal(sn_native_new(&metric, &native, NULL), SN_OK);
    assert_int_equal(native->bucket_count, 280);
    assert_true(sn_native_low(native) == 0x1p-20);
    assert_true(sn_native_bound(native, 279) == 32768);
    /* 2^(1/8) and 2^(3/8), correctly rounded */
    assert_true(sn_native_bound(native, 160) == 0x1.172b83c7d517bp+0);
    assert_true(sn_native_bound(native, 162) == 0x1.4bfdad5362a27p+0);
    assert_true(sn_native_bound(native, 167) == 2);
    sn_free(native);
}

static void ends_of_the_range_have_their_own_cells(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "a_seconds"};
    sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, NULL);
    assert_int_equal(cell_of(histogram, 0), SONDE_NATIVE_ZERO);
    assert_int_equal(cell_of(histogram, -0.0), SONDE_NATIVE_ZERO);
    assert_int_equal(cell_of(histogram, DBL_TRUE_MIN), SONDE_NATIVE_ZERO);
    assert_int_equal(cell_of(histogram, 0x1p-20), SONDE_NATIVE_ZERO);
    assert_int_equal(cell_of(histogram, nextafter(0x1p-20, 1)), SONDE_NATIVE_BUCKETS);
    assert_int_equal(cell_of(histogram, 32768), SONDE_NATIVE_BUCKETS + 279);
    assert_int_equal(cell_of(histogram, nextafter(32768, 1e9)), SONDE_NATIVE_OVERFLOW);
    assert_int_equal(cell_of(histogram, DBL_MAX), SONDE_NATIVE_OVERFLOW);
    assert_int_equal(cell_of(histogram, (double)INFINITY), SONDE_NATIVE_OVERFLOW);
    assert_int_equal(sonde_native_histogram_count(histogram), 9);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_VALUE), 0);
    assert_int_equal(cell_of(histogram, (double)NAN), 0);
    assert_int_equal(cell_of(histogram, -(double)NAN), 0);
    assert_int_equal(cell_of(histogram, -1), 0);
    assert_int_equal(cell_of(histogram, -(double)INFINITY), 0);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_VALUE), 4);
    (void)sonde_registry_free(registry);
}

static void wrong_ranges_are_refused_and_record_nothing(void **state) {
    (void)state;
    static const struct {
        unsigned resolution;
        double low, high;
        sonde_status status;
    } cases[] = {
        {3, 0, 0, SONDE_ERR_INVALID},
        {64, 0, 0, SONDE_ERR_INVALID},
        {8, -1, 1, SONDE_ERR_INVALID},
        {8, 2, 1, SONDE_ERR_INVALID},
        {8, 1, 1, SONDE_ERR_INVALID},
        {8, 1, (double)INFINITY, SONDE_ERR_INVALID},
        {8, (double)NAN, 1, SONDE_ERR_INVALID},
        {8, DBL_TRUE_MIN, 1, SONDE_ERR_INVALID},
        {1, DBL_MIN, DBL_MAX, SONDE_ERR_LIMIT},
        {32, 0x1p-8, 0x1p8, SONDE_ERR_LIMIT}, /* 512 */
        {1, 0x1p-250, 0x1p250, SONDE_OK},     /* 500 */
        {1, 0x1p-250, 0x1p251, SONDE_ERR_LIMIT},
        {4, 0.3, 0.31, SONDE_OK},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sonde_registry *registry = new_registry();
        sonde_error error;
        sonde_metric metric = metric_of(cases[i].resolution, cases[i].low, cases[i].high);
        sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, &error);
        assert_int_equal(error.status, cases[i].status);
        assert_true(error.status == SONDE_OK || strstr(error.text, "a_seconds") != NULL);
        sonde_native_histogram_observe(histogram, 1);
        sonde_native_histogram_observe(histogram, 1e300);
        assert_true(sonde_native_histogram_count(histogram) ==
                    (cases[i].status == SONDE_OK ? 2 : 0));
        assert_true(isnan(sonde_native_histogram_quantile(histogram, 0.5)) ==
                    (cases[i].status != SONDE_OK));
        (void)sonde_registry_free(registry);
    }
}

static void another_shape_of_the_same_name_is_refused(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    sonde_metric metric = metric_of(0, 0, 0);
    sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, &error);
    metric = metric_of(8, 0x1p-20, 0x1p15); /* the defaults, written out */
    assert_ptr_equal(sonde_native_histogram_new(registry, &metric, &error), histogram);
    metric.native_resolution = 4;
    assert_ptr_not_equal(sonde_native_histogram_new(registry, &metric, &error), histogram);
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    (void)sonde_histogram_new(registry, &(sonde_metric){.name = "a_seconds"}, &error);
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    (void)sonde_counter_new(registry, &(sonde_metric){.name = "a_seconds_count_total"}, &error);
    assert_int_equal(error.status, SONDE_OK);
    (void)sonde_gauge_new(registry, &(sonde_metric){.name = "a_seconds_count"}, &error);
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    (void)sonde_registry_free(registry);
}

static void text_has_a_bound_at_every_power_of_two(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = metric_of(8, 0.5, 4);
    sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, NULL);
    static const double values[] = {0.1, 0.5, 0.75, 1, 1.01, 3, 4, 5};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sonde_native_histogram_observe(histogram, values[i]);
    assert_true(has_line(registry, "# TYPE a_seconds histogram"));
    assert_true(has_line(registry, "a_seconds_bucket{le=\"0.5\"} 2"));
    assert_true(has_line(registry, "a_seconds_bucket{le=\"1\"} 4"));
    assert_true(has_line(registry, "a_seconds_bucket{le=\"2\"} 5"));
    assert_true(has_line(registry, "a_seconds_bucket{le=\"4\"} 7"));
    assert_true(has_line(registry, "a_seconds_bucket{le=\"+Inf\"} 8"));
    assert_true(has_line(registry, "a_seconds_count 8"));
    assert_true(has_line(registry, "a_seconds_sum 15.36"));
    (void)sonde_registry_free(registry);
}

static void quantiles_are_right_within_a_bucket(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = metric_of(32, 0x1p-7, 0x1p7);
    sonde_native_histogram *histogram = sonde_native_histogram_new(registry, &metric, NULL);
    assert_true(isnan(sonde_native_histogram_quantile(histogram, 0.5)));
    for (int i = 1; i <= 1000; i++)
        sonde_native_histogram_observe(histogram, i / 100.0);
    for (double q = 0.05; q < 1; q += 0.05) {
        double value = sonde_native_histogram_quantile(histogram, q);
        assert_true(value > 10 * q * 0.975 && value < 10 * q * 1.025);
    }
    assert_true(isnan(sonde_native_histogram_quantile(histogram, -0.1)));
    assert_true(isnan(sonde_native_histogram_quantile(histogram, (double)NAN)));
    sonde_native_histogram_observe(histogram, 1e9);
    assert_true(sonde_native_histogram_quantile(histogram, 1) == 0x1p7);
    (void)sonde_registry_free(registry);
}

static void *observe_in_thread(void *ctx) {
    static const char *const values[] = {"/"};
    sonde_native_histogram_observe(SONDE_NATIVE_HISTOGRAM_AT(ctx, "/"), 0.25);
    sonde_native_histogram_observe_call(sonde_native_histogram_family_get(ctx, values, 1), 0.5);
    return NULL;
}

static void threads_and_labels_add_up(void **state) {
    (void)state;
    static const char *const labels[] = {"path"};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "a_seconds", .label_names = labels, .label_count = 1};
    sonde_native_histogram_family *family =
        sonde_native_histogram_family_new(registry, &metric, NULL);
    for (int i = 0; i < 5; i++)
        in_thread(observe_in_thread, family);
    assert_true(has_line(registry, "a_seconds_count{path=\"/\"} 10"));
    assert_true(has_line(registry, "a_seconds_sum{path=\"/\"} 3.75"));
    assert_true(has_line(registry, "a_seconds_bucket{path=\"/\",le=\"0.25\"} 5"));
    const char *le[] = {"le"};
    sonde_error error;
    metric = (sonde_metric){.name = "b_seconds", .label_names = le, .label_count = 1};
    (void)sonde_native_histogram_family_new(registry, &metric, &error);
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void without_memory_nothing_leaks(void **state) {
    (void)state;
#if SN_FAULTS
    warm_up();
    int64_t blocks = sn_mem_block_count();
    for (uint64_t nth = 1;; nth++) {
        sonde_registry *registry = new_registry();
        sonde_metric metric = {.name = "a_seconds"};
        sonde_error error;
        sn_mem_fail_nth(nth);
        sonde_native_histogram_observe(sonde_native_histogram_new(registry, &metric, &error), 1);
        bool is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        (void)sonde_registry_free(registry);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (is_over)
            break;
    }
#endif
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_falls_into_its_bucket),
        cmocka_unit_test(bounds_are_those_of_prometheus),
        cmocka_unit_test(ends_of_the_range_have_their_own_cells),
        cmocka_unit_test(wrong_ranges_are_refused_and_record_nothing),
        cmocka_unit_test(another_shape_of_the_same_name_is_refused),
        cmocka_unit_test(text_has_a_bound_at_every_power_of_two),
        cmocka_unit_test(quantiles_are_right_within_a_bucket),
        cmocka_unit_test(threads_and_labels_add_up),
        cmocka_unit_test(without_memory_nothing_leaks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
