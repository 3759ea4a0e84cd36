/* Tests of histograms; which bucket a value falls in is buckets_test.c's matter. */
#include "client_support.h"

#include <math.h>

static void a_bound_belongs_to_its_bucket(void **state) {
    (void)state;
    const double bounds[] = {1, 2.5, 10};
    const double values[] = {1, nextafter(1, 2), 2.5, 10, nextafter(10, 11), -3, 0};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "h", .bounds = bounds, .bound_count = 3};
    sonde_histogram *histogram = sonde_histogram_new(registry, &metric, NULL);
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
        sonde_histogram_observe(histogram, values[i]);
    assert_true(has_line(registry, "h_bucket{le=\"1\"} 3"));
    assert_true(has_line(registry, "h_bucket{le=\"2.5\"} 5"));
    assert_true(has_line(registry, "h_bucket{le=\"10\"} 6"));
    assert_true(has_line(registry, "h_bucket{le=\"+Inf\"} 7"));
    assert_true(has_line(registry, "h_count 7"));
    assert_int_equal(sonde_histogram_count(histogram), 7);
    (void)sonde_registry_free(registry);
}

static void the_sum_is_that_of_all_threads(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_histogram *histogram = sonde_histogram_new(registry, &(sonde_metric){.name = "h"}, NULL);
    sonde_histogram_observe(histogram, 0.25);
    sonde_histogram_observe_call(histogram, 4);
    assert_true(sonde_histogram_sum(histogram) == 4.25);
    assert_true(has_line(registry, "h_sum 4.25"));
    (void)sonde_registry_free(registry);
}

static void infinite_values_are_counted_and_nan_is_dropped(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_histogram *histogram = sonde_histogram_new(registry, &(sonde_metric){.name = "h"}, NULL);
    sonde_histogram_observe(histogram, (double)INFINITY);
    sonde_histogram_observe(histogram, (double)NAN);
    assert_true(has_line(registry, "h_bucket{le=\"5\"} 0"));
    assert_true(has_line(registry, "h_bucket{le=\"+Inf\"} 1"));
    assert_true(has_line(registry, "h_sum +Inf"));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_VALUE), 1);
    (void)sonde_registry_free(registry);
}

static void a_histogram_has_at_most_the_limit_of_bounds(void **state) {
    (void)state;
    double bounds[SONDE_BUCKETS_MAX + 1];
    for (int i = 0; i <= SONDE_BUCKETS_MAX; i++)
        bounds[i] = i;
    sonde_registry *registry = new_registry();
    sonde_error error;
    sonde_metric metric = {.name = "h", .bounds = bounds, .bound_count = SONDE_BUCKETS_MAX + 1};
    (void)sonde_histogram_new(registry, &metric, &error);
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    metric.bound_count = SONDE_BUCKETS_MAX;
    sonde_histogram *histogram = sonde_histogram_new(registry, &metric, &error);
    assert_int_equal(error.status, SONDE_OK);
    sonde_histogram_observe(histogram, 1e9);
    sonde_histogram_observe(histogram, 0);
    assert_true(has_line(registry, "h_bucket{le=\"0\"} 1"));
    assert_true(has_line(registry, "h_count 2"));
    (void)sonde_registry_free(registry);
}

static void children_are_apart(void **state) {
    (void)state;
    static const char *const labels[] = {"path"};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "h", .label_names = labels, .label_count = 1};
    sonde_histogram_family *family = sonde_histogram_family_new(registry, &metric, NULL);
    const char *values[] = {"/a"};
    sonde_histogram_observe(sonde_histogram_family_get(family, values, 1), 1);
    for (int i = 0; i < 2; i++)
        sonde_histogram_observe(SONDE_HISTOGRAM_AT(family, "/b"), 1);
    assert_true(has_line(registry, "h_bucket{path=\"/a\",le=\"1\"} 1"));
    assert_true(has_line(registry, "h_count{path=\"/b\"} 2"));
    (void)sonde_registry_free(registry);
}

static void a_handle_that_records_nothing_is_safe(void **state) {
    (void)state;
    sonde_histogram *histogram = sonde_histogram_new(NULL, &(sonde_metric){.name = "-"}, NULL);
    sonde_histogram_observe(histogram, 1);
    sonde_histogram_observe(histogram, (double)NAN);
    assert_int_equal(sonde_histogram_count(histogram), 0);
    assert_true(sonde_histogram_sum(histogram) == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_belongs_to_its_bucket),
        cmocka_unit_test(the_sum_is_that_of_all_threads),
        cmocka_unit_test(infinite_values_are_counted_and_nan_is_dropped),
        cmocka_unit_test(a_histogram_has_at_most_the_limit_of_bounds),
        cmocka_unit_test(children_are_apart),
        cmocka_unit_test(a_handle_that_records_nothing_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
