/* Tests of text pages: whole pages and escaping. */
#include "client_support.h"

#define LOST                                                                                       \
    "# HELP sonde_lost_total What the library could not record as asked, by reason.\n"             \
    "# TYPE sonde_lost_total counter\n"                                                            \
    "sonde_lost_total{reason=\"no_memory\"} 0\n"                                                   \
    "sonde_lost_total{reason=\"series_limit\"} 0\n"                                                \
    "sonde_lost_total{reason=\"label_value\"} 0\n"                                                 \
    "sonde_lost_total{reason=\"value\"} 0\n"                                                       \
    "sonde_lost_total{reason=\"registration\"} 0\n"

static void a_whole_page(void **state) {
    (void)state;
    static const char *const labels[] = {"path"};
    const double bounds[] = {0.5, 1000000};
    sonde_registry *registry = new_registry();
    sonde_metric counter = {.name = "a_total", .help = "Back\\slash,\nnew line, \"quotes\"."};
    sonde_metric histogram = {.name = "b_seconds",
                              .label_names = labels,
                              .label_count = 1,
                              .bounds = bounds,
                              .bound_count = 2};
    const char *values[] = {"/"};
    sonde_counter_inc(sonde_counter_new(registry, &counter, NULL));
    sonde_histogram_family *family = sonde_histogram_family_new(registry, &histogram, NULL);
    sonde_histogram_observe(sonde_histogram_family_get(family, values, 1), 0.25);
    char *page = page_of(registry);
    assert_string_equal(page, "# HELP a_total Back\\\\slash,\\nnew line, \"quotes\".\n"
                              "# TYPE a_total counter\n"
                              "a_total 1\n"
                              "# TYPE b_seconds histogram\n"
                              "b_seconds_bucket{path=\"/\",le=\"0.5\"} 1\n"
                              "b_seconds_bucket{path=\"/\",le=\"1e+06\"} 1\n"
                              "b_seconds_bucket{path=\"/\",le=\"+Inf\"} 1\n"
                              "b_seconds_sum{path=\"/\"} 0.25\n"
                              "b_seconds_count{path=\"/\"} 1\n" LOST);
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

static void an_empty_registry_shows_its_losses(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    char *page = page_of(registry);
    assert_string_equal(page, LOST);
    sonde_free(page);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_page),
        cmocka_unit_test(an_empty_registry_shows_its_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
