/* Caches with their thresholds and alerts, memory, GPUs. */
#include "commands_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define MIB (1024.0 * 1024)

static void add_cache(struct test_commands *test, const char *cache, double memory) {
    test_commands_add(test, "(sonde_cache_memory_bytes)", memory, "cache", cache, "service", "s",
                      NULL);
}

static void a_cache_is_shown_with_what_is_known(void **state) {
    struct test_commands *test = *state;
    add_cache(test, "c", 5);
    test_commands_expect(test, "get_cache_performance_metrics", "",
                         "{\"caches\":[{\"service\":\"s\",\"cache\":\"c\",\"hits\":null,");
    test_commands_expect(test, "get_cache_performance_metrics", "",
                         "\"memory_usage_bytes\":5,\"memory_peak_bytes\":null,");
    test_commands_expect(test, "get_cache_performance_metrics", "",
                         "\"thresholds\":{\"min_hit_rate\":0.8,\"max_memory_usage_mb\":512,"
                         "\"max_response_time_ms\":100,\"max_fragmentation\":0.3}}]}");
}

static void an_alert_holds_beyond_its_threshold_only(void **state) {
    struct test_commands *test = *state;
    add_cache(test, "full", 512 * MIB + 1);
    add_cache(test, "just", 512 * MIB);
    test_commands_expect(test, "get_cache_alerts", "",
                         "{\"alerts\":[{\"service\":\"s\",\"cache\":\"full\",\"alert\":"
                         "\"high_memory_usage\",\"value\":512.000000953674");
    assert_null(strstr((const char *)test->answer.ptr, "just"));
}

static void thresholds_are_for_all_caches_or_for_one(void **state) {
    struct test_commands *test = *state;
    add_cache(test, "a", 100 * MIB);
    add_cache(test, "b", 100 * MIB);
    test_commands_expect(test, "get_cache_alerts", "", "{\"alerts\":[]}");
    test_commands_expect(test, "set_cache_alert_thresholds", "{\"max_memory_usage_mb\":50}",
                         "{\"thresholds\":{\"min_hit_rate\":0.8,\"max_memory_usage_mb\":50,");
    test_commands_expect(test, "get_cache_alerts", "", "\"cache\":\"a\"");
    test_commands_expect(test, "get_cache_alerts", "", "\"cache\":\"b\"");
    test_commands_expect(test, "set_cache_alert_thresholds",
                         "{\"service\":\"s\",\"cache\":\"a\",\"max_memory_usage_mb\":200}",
                         "{\"service\":\"s\",\"cache\":\"a\",\"thresholds\":");
    test_commands_expect(test, "get_cache_alerts", "", "\"cache\":\"b\"");
    assert_null(strstr((const char *)test->answer.ptr, "\"cache\":\"a\""));
}

static void impossible_thresholds_are_refused(void **state) {
    struct test_commands *test = *state;
    static const char *const bad[] = {
        "{\"min_hit_rate\":1.1}",       "{\"min_hit_rate\":-0.1}", "{\"max_fragmentation\":2}",
        "{\"max_memory_usage_mb\":-1}", "{\"service\":\"s\"}",     "{\"cache\":\"c\"}",
        "{\"min_hit_rate\":\"0.5\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(test_commands_run(test, "set_cache_alert_thresholds", bad[i]),
                         SN_ERR_INVALID);
    assert_int_equal(test_commands_run(test, "set_cache_alert_thresholds",
                                       "{\"min_hit_rate\":1,\"max_fragmentation\":0}"),
                     SN_OK);
}

static void memory_is_by_service(void **state) {
    struct test_commands *test = *state;
    test_commands_add(test, "(sonde_memory_bytes)", 7, "service", "s", NULL);
    test_commands_add(test, "(sonde_memory_peak_bytes)", 9, "service", "s", NULL);
    test_commands_expect(test, "get_memory_usage_metrics", "",
                         "{\"services\":[{\"service\":\"s\",\"memory_bytes\":7,"
                         "\"memory_peak_bytes\":9,\"allocations\":null,");
}

static void without_a_collector_there_is_no_gpu(void **state) {
    test_commands_expect(*state, "get_gpu_utilization_metrics", "",
                         "{\"gpus\":[],\"message\":\"no GPU found\"}");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_commands_set_up, test_commands_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_cache_is_shown_with_what_is_known),
        TEST(an_alert_holds_beyond_its_threshold_only),
        TEST(thresholds_are_for_all_caches_or_for_one),
        TEST(impossible_thresholds_are_refused),
        TEST(memory_is_by_service),
        TEST(without_a_collector_there_is_no_gpu),
    };
    return cmocka_run_group_tests_name("commands_cache", tests, NULL, NULL);
}
