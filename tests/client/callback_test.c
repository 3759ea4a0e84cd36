/* Tests of callbacks and infos. */
#include "client_support.h"

static const char *const label_pool[] = {"pool"};

static double read_double(void *ctx) {
    return *(double *)ctx;
}

static sonde_callback_options options_for(const char *const *values, double *value) {
    return (sonde_callback_options){
        .metric = {.name = "size", .label_names = label_pool, .label_count = 1},
        .label_values = values,
        .read = read_double,
        .ctx = value,
    };
}

static void the_value_is_asked_for_at_every_read(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    double value = 1.5;
    const char *values[] = {"a"};
    sonde_callback_options options = options_for(values, &value);
    sonde_error error;
    sonde_callback *callback = sonde_callback_new(registry, &options, &error);
    assert_int_equal(error.status, SONDE_OK);
    assert_true(has_line(registry, "size{pool=\"a\"} 1.5"));
    value = 2;
    assert_true(has_line(registry, "size{pool=\"a\"} 2"));
    assert_true(has_line(registry, "# TYPE size gauge"));
    assert_null(sonde_callback_free(callback));
    assert_false(has_line(registry, "size{pool=\"a\"} 2"));
    (void)sonde_registry_free(registry);
}

static void a_released_place_can_be_taken_again(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    double one = 1, two = 2;
    const char *values[] = {"a"};
    sonde_callback_options options = options_for(values, &one);
    sonde_error error;
    sonde_callback *callback = sonde_callback_new(registry, &options, NULL);
    assert_null(sonde_callback_new(registry, &options, &error));
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    (void)sonde_callback_free(callback);
    options.ctx = &two;
    assert_non_null(sonde_callback_new(registry, &options, &error));
    assert_true(has_line(registry, "size{pool=\"a\"} 2"));
    assert_null(sonde_callback_free(NULL));
    (void)sonde_registry_free(registry);
}

static void counters_are_shown_as_counters(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    double value = 12;
    sonde_callback_options options = {.metric = {.name = "seen_total"},
                                      .type = SONDE_CALLBACK_COUNTER,
                                      .read = read_double,
                                      .ctx = &value};
    assert_non_null(sonde_callback_new(registry, &options, NULL));
    assert_true(has_line(registry, "# TYPE seen_total counter"));
    assert_true(has_line(registry, "seen_total 12"));
    options.metric.name = "seen";
    assert_null(sonde_callback_new(registry, &options, NULL));
    (void)sonde_registry_free(registry);
}

static void wrong_callbacks_are_refused(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    double value = 0;
    sonde_callback_options options = options_for(NULL, &value);
    assert_null(sonde_callback_new(registry, NULL, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    assert_null(sonde_callback_new(registry, &options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    options.read = NULL;
    assert_null(sonde_callback_new(registry, &options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 3);
    (void)sonde_registry_free(registry);
}

static void a_callback_beyond_the_limit_is_no_other(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    double value = 1;
    const char *a[] = {"a"}, *b[] = {"b"}, *bad[] = {"\xff"};
    sonde_callback_options options = options_for(a, &value);
    options.metric.series_max = 1;
    assert_non_null(sonde_callback_new(registry, &options, &error));
    options.label_values = b;
    assert_null(sonde_callback_new(registry, &options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    options.label_values = bad;
    assert_null(sonde_callback_new(registry, &options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static void an_info_is_always_one(void **state) {
    (void)state;
    static const char *const labels[] = {"version", "commit"};
    sonde_registry *registry = new_registry();
    const char *values[] = {"1.2", "abc"};
    sonde_metric metric = {.name = "build_info", .label_names = labels, .label_count = 2};
    assert_int_equal(sonde_info_set(registry, &metric, values, NULL), SONDE_OK);
    assert_int_equal(sonde_info_set(registry, &metric, values, NULL), SONDE_OK);
    assert_true(has_line(registry, "build_info{version=\"1.2\",commit=\"abc\"} 1"));
    assert_true(has_line(registry, "# TYPE build_info gauge"));
    sonde_error error;
    assert_int_equal(sonde_info_set(registry, &metric, NULL, &error), SONDE_ERR_INVALID);
    metric.name = "build";
    assert_int_equal(sonde_info_set(registry, &metric, values, &error), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_value_is_asked_for_at_every_read),
        cmocka_unit_test(a_released_place_can_be_taken_again),
        cmocka_unit_test(counters_are_shown_as_counters),
        cmocka_unit_test(wrong_callbacks_are_refused),
        cmocka_unit_test(a_callback_beyond_the_limit_is_no_other),
        cmocka_unit_test(an_info_is_always_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
