/* Tests of the metrics of caches. */
#include "client/cache_priv.h"

#include "client_support.h"

#define IDS "{service=\"shop\",cache=\"users\""

static void all_numbers_are_on_the_page(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sonde_cache_run run = {.duration_ns = 250000000, .result = SONDE_CACHE_HIT};
    sonde_cache_record(cache, &run);
    for (int i = 0; i < 2; i++)
        sonde_cache_hit(cache);
    sonde_cache_miss(cache);
    sonde_cache_evict(cache, 5);
    sonde_cache_set_usage(cache, &(sonde_cache_usage){7, 600, 800});
    sonde_cache_set_usage(cache, &(sonde_cache_usage){7, 300, 400});
    static const char *const lines[] = {
        "sonde_cache_info" IDS "} 1",
        "sonde_cache_hits_total" IDS "} 3",
        "sonde_cache_misses_total" IDS "} 1",
        "sonde_cache_evictions_total" IDS "} 5",
        "sonde_cache_slow_operations_total" IDS "} 1",
        "sonde_cache_response_seconds_bucket" IDS ",le=\"0.1\"} 0",
        "sonde_cache_response_seconds_bucket" IDS ",le=\"0.5\"} 1",
        "sonde_cache_response_seconds_count" IDS "} 1",
        "sonde_cache_entries" IDS "} 7",
        "sonde_cache_memory_bytes" IDS "} 300",
        "sonde_cache_memory_peak_bytes" IDS "} 600",
        "sonde_cache_fragmentation_ratio" IDS "} 0.25",
        "sonde_cache_hit_ratio" IDS ",window=\"hour\"} 0.75",
        "sonde_cache_hit_ratio" IDS ",window=\"day\"} 0.75",
        "sonde_cache_hit_ratio" IDS ",window=\"start\"} 0.75",
        "# TYPE sonde_cache_hits_total counter",
        "# TYPE sonde_cache_hit_ratio gauge",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_true(has_line(registry, lines[i]));
    (void)sonde_registry_free(registry);
}

static void a_scrape_sees_alerts_that_nobody_evaluated(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
    sonde_cache_run run = {.duration_ns = 250000000};
    assert_true(has_line(registry, "sonde_cache_alert_active" IDS ",alert=\"response_time\"} 0"));
    sonde_cache_record(cache, &run);
    assert_true(has_line(registry, "sonde_cache_alert_active" IDS ",alert=\"response_time\"} 1"));
    assert_true(has_line(registry, "sonde_cache_alert_active" IDS ",alert=\"hit_rate\"} 0"));
    assert_true(has_line(registry, "sonde_cache_alert_active" IDS ",alert=\"memory_usage\"} 0"));
    assert_true(has_line(registry, "sonde_cache_alert_active" IDS ",alert=\"fragmentation\"} 0"));
    (void)sonde_registry_free(registry);
}

static void a_name_that_is_taken_makes_a_cache_that_records_nothing(void **state) {
    (void)state;
    static const char *const names[] = {
        "sonde_cache_hits_total",        "sonde_cache_misses_total", "sonde_cache_evictions_total",
        "sonde_cache_response_seconds",  "sonde_cache_entries",      "sonde_cache_hit_ratio",
        "sonde_cache_memory_peak_bytes", "sonde_cache_alert_active",
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        sonde_registry *registry = new_registry();
        (void)sonde_gauge_new(registry, &(sonde_metric){.name = names[i]}, NULL);
        sonde_cache *cache = sonde_cache_get(registry, "shop", "users");
        assert_non_null(cache);
        assert_false(sn_cache_is_ready(cache));
        sonde_cache_hit(cache);
        assert_int_equal(sonde_lost_count(registry, SONDE_LOST_REGISTRATION), 1);
        sonde_free(page_of(registry));
        (void)sonde_registry_free(registry);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_numbers_are_on_the_page),
        cmocka_unit_test(a_scrape_sees_alerts_that_nobody_evaluated),
        cmocka_unit_test(a_name_that_is_taken_makes_a_cache_that_records_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
