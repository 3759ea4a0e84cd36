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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_registry_shows_what_was_written_and_dropped, log_setup,
                                        log_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
