/* Tests of the metrics of memory instruments. */
#include "client/memory_priv.h"

#include "client_support.h"

static void all_numbers_are_on_the_page(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = sonde_memory_get(registry, "images");
    sonde_memory_alloc(memory, 100);
    sonde_memory_alloc(memory, 50);
    sonde_memory_free(memory, 100);
    sonde_memory_collected(memory, &(sonde_memory_collection){0.25, 64});
    static const char *const lines[] = {
        "sonde_memory_info{service=\"images\"} 1",
        "sonde_memory_bytes{service=\"images\"} 50",
        "sonde_memory_peak_bytes{service=\"images\"} 150",
        "sonde_memory_allocations_total{service=\"images\"} 2",
        "sonde_memory_frees_total{service=\"images\"} 1",
        "sonde_memory_allocated_bytes_total{service=\"images\"} 150",
        "sonde_memory_gc_pause_seconds_count{service=\"images\"} 1",
        "sonde_memory_gc_pause_seconds_sum{service=\"images\"} 0.25",
        "sonde_memory_gc_pause_max_seconds{service=\"images\"} 0.25",
        "sonde_memory_gc_reclaimed_bytes_total{service=\"images\"} 64",
        "sonde_memory_alert_active{service=\"images\",alert=\"limit\"} 0",
        "sonde_memory_alert_active{service=\"images\",alert=\"growth\"} 0",
        "# TYPE sonde_memory_bytes gauge",
        "# TYPE sonde_memory_frees_total counter",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_true(has_line(registry, lines[i]));
    (void)sonde_registry_free(registry);
}

static void the_heap_is_shown_once_for_all_services(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)sonde_memory_get(registry, "a");
    (void)sonde_memory_get(registry, "b");
    char *page = page_of(registry);
    double used = value_of(page, "sonde_memory_heap_used_bytes");
    double reserved = value_of(page, "sonde_memory_heap_reserved_bytes");
    double ratio = value_of(page, "sonde_memory_heap_fragmentation_ratio");
    assert_true(used >= 0 && reserved >= 0);
    assert_true(ratio >= 0 && ratio < 1);
    sonde_free(page);
    assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 0);
    (void)sonde_registry_free(registry);
}

static void a_scrape_sees_alerts_that_nobody_evaluated(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = sonde_memory_get(registry, "images");
    sonde_memory_thresholds thresholds = sonde_memory_thresholds_read(memory);
    thresholds.max_bytes = 10;
    assert_int_equal(sonde_memory_thresholds_set(memory, &thresholds, NULL), SONDE_OK);
    sonde_memory_alloc(memory, 11);
    assert_true(has_line(registry, "sonde_memory_alert_active{service=\"images\","
                                   "alert=\"limit\"} 1"));
    (void)sonde_registry_free(registry);
}

static void a_name_that_is_taken_makes_an_instrument_that_records_nothing(void **state) {
    (void)state;
    static const char *const names[] = {
        "sonde_memory_bytes",        "sonde_memory_frees_total", "sonde_memory_gc_pause_seconds",
        "sonde_memory_alert_active", "sonde_memory_info",        "sonde_memory_heap_used_bytes",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sonde_registry *registry = new_registry();
        (void)sonde_gauge_new(registry, &(sonde_metric){.name = names[i]}, NULL);
        sonde_memory *memory = sonde_memory_get(registry, "images");
        assert_false(sn_memory_is_ready(memory));
        sonde_memory_alloc(memory, 1);
        assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 1);
        sonde_free(page_of(registry));
        (void)sonde_registry_free(registry);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_numbers_are_on_the_page),
        cmocka_unit_test(the_heap_is_shown_once_for_all_services),
        cmocka_unit_test(a_scrape_sees_alerts_that_nobody_evaluated),
        cmocka_unit_test(a_name_that_is_taken_makes_an_instrument_that_records_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
