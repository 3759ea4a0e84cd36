/*
 * Tests of the log's own metrics.
 */
#include "log_support.h"

#include "client_support.h"

static void the_registry_shows_what_was_written_and_dropped(void **state) {
    struct log_fixture *f = *state;
    sonde_error error;
    sonde_registry *registry = new_registry();
    const sonde_log_sink sink = log_callback_sink(f, SONDE_LOG_FORMAT_JSON);
    const sonde_log_options options = {
        .name = "shop", .sinks = &sink, .sink_count = 1, .has_metrics = true, .registry = registry};
    log_open_options(f, &options);
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "a");
    f->refuse = 1;
    SONDE_LOG_INFO(sonde_logger_get(f->log, NULL), "b");
    (void)log_lines(f);
    assert_true(has_line(registry, "sonde_log_written_total{log=\"shop\"} 2"));
    assert_true(has_line(registry, "sonde_log_dropped_total{log=\"shop\",reason=\"sink\"} 2"));
    assert_true(has_line(registry, "sonde_log_dropped_total{log=\"shop\",reason=\"closed\"} 0"));

    assert_null(sn_log_system_open(&options, &f->clock.clock, false, &error));
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    f->log = sonde_log_free(f->log);
    assert_false(has_line(registry, "sonde_log_written_total{log=\"shop\"} 2"));
    log_open_options(f, &options);
    assert_true(has_line(registry, "sonde_log_written_total{log=\"shop\"} 0"));
    f->log = sonde_log_free(f->log);
    (void)sonde_registry_free(registry);
}

static void a_full_metric_is_told_once(void **state) {
    struct log_fixture *f = *state;
    static const char *const names[] = {"n"};
    log_open_callback(f, SONDE_LOG_FORMAT_LOGFMT);
    sonde_registry_options options = {.logger = sonde_logger_get(f->log, "metrics")};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    sonde_metric metric = {
        .name = "jobs_total", .label_names = names, .label_count = 1, .series_max = 1};
    sonde_counter_family *family = sonde_counter_family_new(registry, &metric, NULL);
    sonde_counter_inc(SONDE_COUNTER_AT(family, "a"));
    assert_string_equal(log_lines(f), "");
    for (int i = 0; i < 3; i++) {
        sonde_counter_inc(SONDE_COUNTER_AT(family, "b"));
        sonde_counter_inc(SONDE_COUNTER_AT(family, "c"));
    }
    assert_string_equal(
        log_lines(f), "ts=" LOG_TIME_6 " level=warn logger=metrics msg=\"a metric has no room for "
                      "more series; the rest is counted under __other__\" metric=jobs_total "
                      "series_max=1 registry_series_max=1000000\n");
    assert_true(has_line(registry, "jobs_total{n=\"__other__\"} 6"));
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_registry_shows_what_was_written_and_dropped, log_setup,
                                        log_teardown),
        cmocka_unit_test_setup_teardown(a_full_metric_is_told_once, log_setup, log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
