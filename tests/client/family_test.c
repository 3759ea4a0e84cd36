/* Tests of registration: names, shapes, conflicts, limits, no memory. */
#include "client_support.h"

#include <stdio.h>

static const char *const label_a[] = {"a"};
static const char *const label_b[] = {"b"};

static sonde_status counter_status(sonde_registry *registry, const sonde_metric *metric) {
    sonde_error error;
    assert_non_null(sonde_counter_family_new(registry, metric, &error));
    assert_int_equal(error.status == SONDE_OK, error.text[0] == '\0');
    return error.status;
}

static sonde_status gauge_status(sonde_registry *registry, const sonde_metric *metric) {
    sonde_error error;
    assert_non_null(sonde_gauge_family_new(registry, metric, &error));
    return error.status;
}

static sonde_status histogram_status(sonde_registry *registry, const sonde_metric *metric) {
    sonde_error error;
    assert_non_null(sonde_histogram_family_new(registry, metric, &error));
    return error.status;
}

static void the_same_again_is_the_same(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "c_total", .label_names = label_a, .label_count = 1};
    sonde_metric single = {.name = "s_total"};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    metric.help = "Now with help.";
    assert_ptr_equal(sonde_counter_family_new(registry, &metric, NULL), family);
    assert_ptr_equal(sonde_counter_new(registry, &single, NULL),
                     sonde_counter_new(registry, &single, NULL));
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 0);
    (void)sonde_registry_free(registry);
}

static void another_shape_is_an_error_value(void **state) {
    (void)state;
    const double bounds[] = {1, 2}, others[] = {1, 3};
    sonde_registry *registry = new_registry();
    sonde_metric c = {.name = "x_total", .label_names = label_a, .label_count = 1};
    sonde_metric h = {.name = "h", .bounds = bounds, .bound_count = 2};
    assert_int_equal(counter_status(registry, &c), SONDE_OK);
    assert_int_equal(gauge_status(registry, &c), SONDE_ERR_EXISTS);
    c.label_names = label_b;
    assert_int_equal(counter_status(registry, &c), SONDE_ERR_EXISTS);
    c.label_count = 0;
    assert_int_equal(counter_status(registry, &c), SONDE_ERR_EXISTS);
    assert_int_equal(histogram_status(registry, &h), SONDE_OK);
    assert_int_equal(histogram_status(registry, &h), SONDE_OK);
    h.bounds = others;
    assert_int_equal(histogram_status(registry, &h), SONDE_ERR_EXISTS);
    h.bound_count = 0;
    assert_int_equal(histogram_status(registry, &h), SONDE_ERR_EXISTS);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 5);
    (void)sonde_registry_free(registry);
}

static void names_that_would_mix_on_a_page_are_refused(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    assert_int_equal(histogram_status(registry, &(sonde_metric){.name = "h"}), SONDE_OK);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "h_count"}), SONDE_ERR_EXISTS);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "h_sum"}), SONDE_ERR_EXISTS);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "h_bucket"}), SONDE_ERR_EXISTS);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "h_buckets"}), SONDE_OK);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "i_sum"}), SONDE_OK);
    assert_int_equal(histogram_status(registry, &(sonde_metric){.name = "i"}), SONDE_ERR_EXISTS);
    assert_int_equal(counter_status(registry, &(sonde_metric){.name = "sonde_lost_total"}),
                     SONDE_ERR_EXISTS);
    assert_int_equal(counter_status(registry, &(sonde_metric){.name = "sonde_operations_total"}),
                     SONDE_ERR_EXISTS);
    (void)sonde_registry_free(registry);
}

static void wrong_names_are_refused(void **state) {
    (void)state;
    static const char *const names[] = {"",    "1a",      "a-b",  "a b", "\xc3\xa9",
                                        "a\n", "a{b=\"c", "a\"b", "a.b"};
    sonde_registry *registry = new_registry();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sonde_metric label = {.name = "g", .label_names = &names[i], .label_count = 1};
        assert_int_equal(gauge_status(registry, &(sonde_metric){.name = names[i]}),
                         SONDE_ERR_INVALID);
        assert_int_equal(gauge_status(registry, &label), SONDE_ERR_INVALID);
    }
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "a:b_C9"}), SONDE_OK);
    assert_int_equal(gauge_status(registry, &(sonde_metric){0}), SONDE_ERR_INVALID);
    assert_int_equal(gauge_status(registry, NULL), SONDE_ERR_INVALID);
    assert_int_equal(counter_status(registry, &(sonde_metric){.name = "jobs"}), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void wrong_labels_are_refused(void **state) {
    (void)state;
    static const char *const reserved[] = {"__name__"}, *const colon[] = {"a:b"};
    static const char *const twice[] = {"a", "b", "a"}, *const le[] = {"le"};
    static const char *const null[] = {NULL};
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "g", .label_names = reserved, .label_count = 1};
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_INVALID);
    metric.label_names = colon;
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_INVALID);
    metric.label_names = null;
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_INVALID);
    metric.label_names = NULL;
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_INVALID);
    metric.label_names = le;
    assert_int_equal(histogram_status(registry, &metric), SONDE_ERR_INVALID);
    assert_int_equal(gauge_status(registry, &metric), SONDE_OK);
    metric = (sonde_metric){.name = "g2", .label_names = twice, .label_count = 3};
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void units_are_the_last_word_of_the_name(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "a_bytes", .unit = "bytes"}),
                     SONDE_OK);
    assert_int_equal(
        counter_status(registry, &(sonde_metric){.name = "a_bytes_total", .unit = "bytes"}),
        SONDE_OK);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "b_bytes", .unit = "seconds"}),
                     SONDE_ERR_INVALID);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "bytes", .unit = "bytes"}),
                     SONDE_ERR_INVALID);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "kilobytes", .unit = "bytes"}),
                     SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void limits_hold_at_n_and_not_at_n_plus_one(void **state) {
    (void)state;
    char name[SONDE_NAME_BYTES_MAX + 2], help[SONDE_HELP_BYTES_MAX + 2];
    char texts[SONDE_LABELS_MAX + 1][8];
    const char *labels[SONDE_LABELS_MAX + 1];
    sonde_registry *registry = new_registry();
    memset(name, 'n', sizeof name);
    memset(help, 'h', sizeof help);
    name[SONDE_NAME_BYTES_MAX + 1] = help[SONDE_HELP_BYTES_MAX + 1] = '\0';
    for (int i = 0; i <= SONDE_LABELS_MAX; i++) {
        (void)snprintf(texts[i], sizeof texts[i], "l%d", i);
        labels[i] = texts[i];
    }
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = name}), SONDE_ERR_INVALID);
    name[SONDE_NAME_BYTES_MAX] = '\0';
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = name}), SONDE_OK);
    sonde_metric metric = {.name = "g", .help = help, .label_names = labels};
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_LIMIT);
    help[SONDE_HELP_BYTES_MAX] = '\0';
    metric.label_count = SONDE_LABELS_MAX + 1;
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_LIMIT);
    metric.label_count = SONDE_LABELS_MAX;
    assert_int_equal(gauge_status(registry, &metric), SONDE_OK);
    metric = (sonde_metric){.name = "g3", .help = "\xff"};
    assert_int_equal(gauge_status(registry, &metric), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void the_number_of_families_has_a_limit(void **state) {
    (void)state;
    sonde_registry_options options = {.family_max = 2};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "a"}), SONDE_OK);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "b"}), SONDE_OK);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "c"}), SONDE_ERR_LIMIT);
    assert_int_equal(gauge_status(registry, &(sonde_metric){.name = "a"}), SONDE_OK);
    (void)sonde_registry_free(registry);
}

static void a_metric_with_labels_is_no_single_metric(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_metric metric = {.name = "c_total", .label_names = label_a, .label_count = 1};
    sonde_error error;
    sonde_counter_inc(sonde_counter_new(registry, &metric, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void register_all(sonde_registry *registry) {
    sonde_metric counter = {
        .name = "c_total", .help = "h", .label_names = label_a, .label_count = 1};
    sonde_metric histogram = {.name = "h_seconds", .unit = "seconds"};
    const char *values[] = {"x"};
    sonde_counter_inc(
        sonde_counter_family_get(sonde_counter_family_new(registry, &counter, NULL), values, 1));
    sonde_gauge_set(sonde_gauge_new(registry, &(sonde_metric){.name = "g"}, NULL), 1);
    sonde_histogram_observe(sonde_histogram_new(registry, &histogram, NULL), 1);
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, "s"), "o");
    sonde_tracker tracker = sonde_track_begin(operation);
    sonde_track_fail(&tracker, "message");
    sonde_metric info = {.name = "i_info", .label_names = label_a, .label_count = 1};
    (void)sonde_info_set(registry, &info, values, NULL);
}

/* The host calls everything and looks at nothing, while the n-th allocation fails. */
static void every_allocation_may_fail(void **state) {
    (void)state;
    warm_up();
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1, fired = 1; fired != 0; n++) {
        sonde_registry *registry = new_registry();
        sn_mem_fail_nth(n);
        register_all(registry);
        fired = (uint64_t)sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        uint64_t lost = sonde_lost_count(registry, SONDE_LOST_NO_MEMORY) +
                        sonde_lost_count(registry, SONDE_LOST_REGISTRATION);
        assert_int_equal(lost > 0, fired);
        register_all(registry);
        assert_true(has_line(registry, fired ? "g 1" : "c_total{a=\"x\"} 2"));
        (void)sonde_registry_free(registry);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_again_is_the_same),
        cmocka_unit_test(another_shape_is_an_error_value),
        cmocka_unit_test(names_that_would_mix_on_a_page_are_refused),
        cmocka_unit_test(wrong_names_are_refused),
        cmocka_unit_test(wrong_labels_are_refused),
        cmocka_unit_test(units_are_the_last_word_of_the_name),
        cmocka_unit_test(limits_hold_at_n_and_not_at_n_plus_one),
        cmocka_unit_test(the_number_of_families_has_a_limit),
        cmocka_unit_test(a_metric_with_labels_is_no_single_metric),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
