/* Tests of a push client's own metrics: what they show, and that they come and go whole. */
#include "push_support.h"

#include "client_support.h"

static void losses_are_seen_in_the_registry(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_error error;
    const sonde_collector_options options = {.service = "s",
                                             .url = "http://127.0.0.1:1",
                                             .record_max = 2,
                                             .flush_interval_ms = 1000000,
                                             .has_metrics = true,
                                             .registry = registry};
    sonde_collector *push = sonde_collector_new(&options, NULL);
    sonde_collector_record_success_rate(push, "x", 1, 2);
    sonde_collector_record_success_rate(push, "y", 1, 2);
    sonde_collector_track_operation(push, "x", -1, NULL);
    assert_true(
        has_line(registry, "sonde_push_dropped_total{service=\"s\",reason=\"overflow\"} 2"));
    assert_true(has_line(registry, "sonde_push_dropped_total{service=\"s\",reason=\"invalid\"} 1"));
    assert_true(has_line(registry, "sonde_push_dropped_total{service=\"s\",reason=\"rate\"} 0"));
    assert_true(has_line(registry, "sonde_push_sent_total{service=\"s\"} 0"));
    assert_true(has_line(registry, "sonde_push_failures_total{service=\"s\"} 0"));
    assert_false(has_line(registry, "sonde_push_queue_bytes{service=\"s\"} 0"));
    assert_null(sonde_collector_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_EXISTS);
    assert_null(sonde_collector_free(push));
    push = sonde_collector_new(&options, &error);
    assert_non_null(push);
    assert_true(has_line(registry, "sonde_push_queue_bytes{service=\"s\"} 0"));
    (void)sonde_collector_free(push);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(losses_are_seen_in_the_registry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
