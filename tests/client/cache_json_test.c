/* Tests of caches as JSON: golden texts, no memory. */
#include "client/cache_priv.h"

#include "client_support.h"

#define WALL_MS INT64_C(1700000000000)
#define THRESHOLDS                                                                                 \
    "\"thresholds\":{\"min_hit_rate\":0.8,\"max_memory_usage_mb\":512,"                            \
    "\"max_response_time_ms\":100,\"max_fragmentation\":0.3,\"clear_margin\":0.05,"                \
    "\"slow_operation_ms\":100,\"min_operations\":100}"

static struct sn_fake_clock fake;

static sonde_cache *new_cache(sonde_registry *registry) {
    sonde_cache *cache = sonde_cache_get(registry, "shop", "a\"b\n");
    sn_fake_clock_init(&fake, 1000, WALL_MS);
    sn_cache_set_clock(cache, &fake.clock);
    cache->instrument.series->created_wall_ms = WALL_MS - 5;
    return cache;
}

static void a_registry_without_caches_is_an_empty_list(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    char *text;
    size_t len;
    assert_int_equal(sonde_cache_metrics_json(registry, &text, &len), SONDE_OK);
    assert_string_equal(text, "{\"caches\":[]}");
    assert_int_equal(len, strlen(text));
    sonde_free(text);
    assert_int_equal(sonde_cache_alerts_json(registry, &text, NULL), SONDE_OK);
    assert_string_equal(text, "{\"alerts\":[]}");
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void metrics_are_what_the_manual_says(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_run run = {"get", "user:\"7\"", 250000000, SONDE_CACHE_HIT};
    sonde_cache_record(cache, &run);
    sn_fake_clock_advance_ms(&fake, 3600000);
    sonde_cache_miss(cache);
    sonde_cache_evict(cache, 2);
    sonde_cache_set_usage(cache, &(sonde_cache_usage){3, 600, 800});
    char *text;
    size_t len;
    assert_int_equal(sonde_cache_metrics_json(registry, &text, &len), SONDE_OK);
    assert_string_equal(
        text,
        "{\"caches\":[{\"service\":\"shop\",\"cache\":\"a\\\"b\\n\",\"start_time_ms\":1699999999995,"
        "\"hits\":1,\"misses\":1,\"hit_rate\":0.5,"
        "\"hour\":{\"hits\":0,\"misses\":1,\"hit_rate\":0,\"operations\":0,"
        "\"response_time_avg_ms\":0},"
        "\"day\":{\"hits\":1,\"misses\":1,\"hit_rate\":0.5,\"operations\":1,"
        "\"response_time_avg_ms\":250},"
        "\"operations\":1,\"response_time_avg_ms\":250,\"evictions\":2,\"entries\":3,"
        "\"memory_usage_bytes\":600,\"memory_peak_bytes\":600,\"memory_reserved_bytes\":800,"
        "\"fragmentation\":0.25,\"slow_operation_count\":1,"
        "\"slow_operations\":[{\"operation\":\"get\",\"detail\":\"user:\\\"7\\\"\","
        "\"end_time_ms\":1700000000000,\"duration_ms\":250}]," THRESHOLDS "}]}");
    assert_int_equal(len, strlen(text));
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void alerts_are_what_the_manual_says(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache *cache = new_cache(registry);
    sonde_cache_set_usage(cache, &(sonde_cache_usage){3, 500, 1000});
    char *text;
    assert_int_equal(sonde_cache_alerts_json(registry, &text, NULL), SONDE_OK);
    assert_string_equal(text, "{\"alerts\":[{\"service\":\"shop\",\"cache\":\"a\\\"b\\n\","
                              "\"alert\":\"fragmentation\",\"value\":0.5,\"threshold\":0.3,"
                              "\"since_time_ms\":1700000000000,"
                              "\"message\":\"fragmentation is 0.5, the threshold is 0.3\"}]}");
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void thresholds_are_what_the_manual_says(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    char *text;
    assert_int_equal(sonde_cache_thresholds_json(new_cache(registry), &text, NULL), SONDE_OK);
    assert_string_equal(text, "{\"service\":\"shop\",\"cache\":\"a\\\"b\\n\"," THRESHOLDS "}");
    sonde_free(text);
    assert_int_equal(sonde_cache_thresholds_json(NULL, &text, NULL), SONDE_ERR_INVALID);
    (void)sonde_registry_free(registry);
}

static sonde_status write_one(sonde_registry *registry, int which, char **ret_text) {
    if (which == 0)
        return sonde_cache_metrics_json(registry, ret_text, NULL);
    if (which == 1)
        return sonde_cache_alerts_json(registry, ret_text, NULL);
    return sonde_cache_thresholds_json(sonde_cache_get(registry, "shop", "a\"b\n"), ret_text, NULL);
}

static void without_memory_there_is_a_status(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)new_cache(registry);
    warm_up();
    int64_t before = sn_mem_block_count();
    for (int which = 0; which < 3; which++) {
        bool has_fired = true;
        for (uint64_t n = 1; has_fired; n++) {
            char *text = NULL;
            sn_mem_fail_nth(n);
            sonde_status status = write_one(registry, which, &text);
            has_fired = sn_mem_fail_fired() != 0;
            sn_mem_fail_nth(0);
            assert_int_equal(status, has_fired ? SONDE_ERR_NO_MEMORY : SONDE_OK);
            sonde_free(text);
        }
    }
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registry_without_caches_is_an_empty_list),
        cmocka_unit_test(metrics_are_what_the_manual_says),
        cmocka_unit_test(alerts_are_what_the_manual_says),
        cmocka_unit_test(thresholds_are_what_the_manual_says),
        cmocka_unit_test(without_memory_there_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
