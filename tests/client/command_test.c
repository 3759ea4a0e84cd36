/* Tests of commands: each one's answer, the reset, mistakes, failing memory. */
#include "client_support.h"

#include "base/arena.h"
#include "codec/json_read.h"

#include <stdio.h>

static sonde_status run(sonde_registry *registry, const char *name, const char *args,
                        char **ret_json, sonde_error *error) {
    return sonde_command(registry, name, args, args != NULL ? strlen(args) : 0, ret_json, NULL,
                         error);
}

static void assert_json(const char *text) {
    struct sn_arena arena;
    struct sn_json_reader json;
    struct sn_err err = {SN_OK, ""};
    sn_arena_init(&arena, 16 << 20);
    sn_json_read_init(&json, sn_str_from(text), &(struct sn_json_options){.arena = &arena});
    sn_json_read_skip(&json);
    if (sn_json_read_finish(&json, &err) != SN_OK)
        fail_msg("%s in %s", err.text, text);
    sn_arena_release(&arena);
}

/* The answer has all of these parts, NULL ends the list. */
static void assert_answer(sonde_registry *registry, const char *name, const char *args,
                          const char *const *parts) {
    char *json = NULL;
    sonde_error error;
    if (run(registry, name, args, &json, &error) != SONDE_OK)
        fail_msg("%s: %s", name, error.text);
    assert_json(json);
    for (; *parts != NULL; parts++) {
        if (strstr(json, *parts) == NULL)
            fail_msg("%s: no %s in %s", name, *parts, json);
    }
    sonde_free(json);
}
#define ANSWER(registry, name, args, ...)                                                          \
    assert_answer(registry, name, args, (const char *const[]){__VA_ARGS__, NULL})

static void record(sonde_registry *registry, const char *service, const char *name, uint64_t ns) {
    sonde_operation *operation = sonde_operation_get(sonde_service_get(registry, service), name);
    const sonde_operation_head *head = (const void *)operation;
    uint64_t *cells = sonde_cells(head);
    sonde_cell_add(cells + SONDE_OPERATION_BEGUN, 1);
    sonde_operation_record(cells, head->buckets, ns, SONDE_OUTCOME_OK);
}

/* a: get 2 s, put 5 s and failed; b: get 3 s and one that runs. */
static sonde_registry *sample_registry(sonde_tracker *ret_open) {
    sonde_registry *registry = new_registry();
    record(registry, "a", "get", 2000000000);
    record(registry, "a", "put", 5000000000);
    record(registry, "b", "get", 3000000000);
    sonde_tracker tracker =
        sonde_track_begin(sonde_operation_get(sonde_service_get(registry, "a"), "put"));
    sonde_track_fail_as(&tracker, &(sonde_failure){"io", "disk full"});
    *ret_open = sonde_track_begin(sonde_operation_get(sonde_service_get(registry, "b"), "get"));
    return registry;
}

static void services_are_told(void **state) {
    (void)state;
    sonde_tracker open;
    sonde_registry *registry = sample_registry(&open);
    ANSWER(registry, "get_all_metrics", NULL, "\"service\":\"a\"", "\"service\":\"b\"",
           "\"families\":[");
    ANSWER(registry, "get_all_metrics", "{}", "\"services\":[");
    ANSWER(registry, "get_service_metrics", "{\"service\":\"a\"}", "\"service\":\"a\"",
           "\"count\":3,", "\"error_count\":1,", "\"message\":\"disk full\"", "\"max\":5,");
    ANSWER(registry, "get_active_operations_count", "", "{\"service\":\"a\",\"active\":0}",
           "{\"service\":\"b\",\"active\":1}", "],\"active\":1}");
    ANSWER(registry, "get_active_operations_count", "{\"service\":\"a\"}",
           "{\"services\":[{\"service\":\"a\",\"active\":0}],\"active\":0}");
    ANSWER(registry, "get_error_statistics", "", "\"count\":4,\"error_count\":1,",
           "\"error_rate\":0.25", "\"operation\":\"put\"", "\"class\":\"io\"");
    sonde_track_complete(&open);
    (void)sonde_registry_free(registry);
}

static void pages_are_exported(void **state) {
    (void)state;
    sonde_tracker open;
    sonde_registry *registry = sample_registry(&open);
    ANSWER(registry, "export_metrics_prometheus", "", "{\"format\":\"text\"",
           "\"content_type\":\"text/plain; version=0.0.4; charset=utf-8\"",
           "# TYPE sonde_operations_total counter\\n");
    ANSWER(registry, "export_metrics_prometheus", "{\"format\":\"openmetrics\"}",
           "{\"format\":\"openmetrics\"", "# EOF\\n\"}");
    sonde_track_complete(&open);
    (void)sonde_registry_free(registry);
}

static void the_slowest_come_first(void **state) {
    (void)state;
    sonde_tracker open;
    char *json;
    sonde_registry *registry = sample_registry(&open);
    (void)sonde_operation_get(sonde_service_get(registry, "c"), "never");
    assert_int_equal(run(registry, "get_slow_operations", "{\"limit\":2}", &json, NULL), SONDE_OK);
    const char *first = strstr(json, "{\"service\":\"a\",\"operation\":\"put\"");
    const char *second = strstr(json, "{\"service\":\"b\",\"operation\":\"get\"");
    assert_true(first != NULL && second > first);
    assert_null(strstr(json, "{\"service\":\"a\",\"operation\":\"get\""));
    sonde_free(json);
    assert_int_equal(run(registry, "get_slow_operations", "", &json, NULL), SONDE_OK);
    assert_null(strstr(json, "never"));
    sonde_free(json);
    ANSWER(registry, "get_slow_operations", "{\"service\":\"b\",\"limit\":1000}",
           "{\"operations\":[{\"service\":\"b\"");
    sonde_track_complete(&open);
    (void)sonde_registry_free(registry);
}

static void a_reset_leaves_the_exposition_alone(void **state) {
    (void)state;
    sonde_tracker open;
    sonde_registry *registry = sample_registry(&open);
    char *before = page_of(registry);
    ANSWER(registry, "reset_service_metrics", "{\"service\":\"a\"}",
           "{\"service\":\"a\",\"operations\":2,\"reset_time_ms\":");
    char *after = page_of(registry);
#define PUT "{service=\"a\",operation=\"put\""
    static const char *const lines[] = {
        "sonde_operations_total" PUT ",outcome=\"ok\"}",
        "sonde_operations_total" PUT ",outcome=\"error\"}",
        "sonde_operation_duration_seconds_sum" PUT "}",
        "sonde_operation_duration_seconds_bucket" PUT ",le=\"+Inf\"}",
        "sonde_operation_duration_min_seconds" PUT "}",
        "sonde_operation_duration_max_seconds" PUT "}",
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_true(value_of(before, lines[i]) == value_of(after, lines[i]));
    sonde_free(before);
    sonde_free(after);
    ANSWER(registry, "get_service_metrics", "{\"service\":\"a\"}", "\"count\":0,", "\"max\":0,",
           "\"last_error\":null", "\"p99\":0}");
    ANSWER(registry, "get_service_metrics", "{\"service\":\"b\"}", "\"count\":1,",
           "\"reset_time_ms\":null");
    record(registry, "a", "put", 1000000000);
    ANSWER(registry, "get_service_metrics", "{\"service\":\"a\"}", "\"count\":1,", "\"max\":1,");
    sonde_track_complete(&open);
    (void)sonde_registry_free(registry);
}

static void caches_and_memory_answer(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_cache_hit(sonde_cache_get(registry, "shop", "users"));
    sonde_memory_alloc(sonde_memory_get(registry, "images"), 1000);
    ANSWER(registry, "get_cache_performance_metrics", "", "{\"caches\":[{\"service\":\"shop\"");
    ANSWER(registry, "get_cache_alerts", "", "{\"alerts\":[]}");
    ANSWER(registry, "get_memory_usage_metrics", "", "\"service\":\"images\"", "\"bytes\":1000");
    ANSWER(registry, "set_cache_alert_thresholds",
           "{\"service\":\"shop\",\"cache\":\"users\",\"min_hit_rate\":0.5,\"min_operations\":3}",
           "\"min_hit_rate\":0.5", "\"max_memory_usage_mb\":512", "\"min_operations\":3");
    (void)sonde_registry_free(registry);
}

static void mistakes_are_named(void **state) {
    (void)state;
    static const struct {
        const char *name;
        const char *args;
        sonde_status status;
        const char *part; /* of the sentence */
    } cases[] = {
        {"get_al_metrics", "", SONDE_ERR_INVALID, "did you mean \"get_all_metrics\"?"},
        {"make_coffee", "", SONDE_ERR_INVALID, "there is no command \"make_coffee\""},
        {"", "", SONDE_ERR_INVALID, "there is no command"},
        {NULL, "", SONDE_ERR_INVALID, "there is no command"},
        {"get_service_metrics", "{}", SONDE_ERR_INVALID, "needs the argument \"service\""},
        {"get_service_metrics", "{\"service\":\"no\"}", SONDE_ERR_NOT_FOUND, "no service \"no\""},
        {"reset_service_metrics", "{\"service\":\"no\"}", SONDE_ERR_NOT_FOUND, "no service"},
        {"get_error_statistics", "{\"service\":\"no\"}", SONDE_ERR_NOT_FOUND, "no service"},
        {"get_active_operations_count", "{\"service\":\"no\"}", SONDE_ERR_NOT_FOUND, "no service"},
        {"get_slow_operations", "{\"service\":\"no\"}", SONDE_ERR_NOT_FOUND, "no service"},
        {"get_slow_operations", "{\"limit\":0}", SONDE_ERR_INVALID, "must be 1 to 1000"},
        {"get_slow_operations", "{\"limit\":1001}", SONDE_ERR_INVALID, "must be 1 to 1000"},
        {"export_metrics_prometheus", "{\"format\":\"xml\"}", SONDE_ERR_INVALID, "not \"xml\""},
        {"get_all_metrics", "{\"service\":\"a\"}", SONDE_ERR_INVALID, "no argument"},
        {"set_cache_alert_thresholds", "{\"service\":\"a\",\"cache\":\"b\"}", SONDE_ERR_NOT_FOUND,
         "no such cache"},
        {"set_cache_alert_thresholds", "{\"service\":\"s\",\"cache\":\"c\",\"min_hit_rate\":2}",
         SONDE_ERR_INVALID, "min_hit_rate"},
        {"get_metrics_history", "{}", SONDE_ERR_UNSUPPORTED, "needs a sonde server"},
        {"create_custom_alert", "{}", SONDE_ERR_UNSUPPORTED, "needs a sonde server"},
        {"get_gpu_utilization_metrics", "{}", SONDE_ERR_UNSUPPORTED, "needs a sonde server"},
    };
    sonde_registry *registry = new_registry();
    (void)sonde_cache_get(registry, "s", "c");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *json = NULL;
        sonde_error error;
        sonde_status status = run(registry, cases[i].name, cases[i].args, &json, &error);
        if (status != cases[i].status || error.status != status ||
            strstr(error.text, cases[i].part) == NULL)
            fail_msg("%s %s: %d %s", cases[i].name, cases[i].args, (int)status, error.text);
        assert_null(json);
    }
    (void)sonde_registry_free(registry);
}

static void arguments_have_a_limit(void **state) {
    (void)state;
    static char args[SONDE_COMMAND_ARGS_BYTES_MAX + 1];
    char *json = NULL;
    sonde_registry *registry = new_registry();
    memset(args, ' ', sizeof args);
    memcpy(args, "{}", 2);
    assert_int_equal(
        sonde_command(registry, "get_cache_alerts", args, sizeof args, &json, NULL, NULL),
        SONDE_ERR_LIMIT);
    assert_int_equal(
        sonde_command(registry, "get_cache_alerts", args, sizeof args - 1, &json, NULL, NULL),
        SONDE_OK);
    sonde_free(json);
    (void)sonde_registry_free(registry);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    static const char *const names[] = {
        "get_all_metrics",       "get_service_metrics",           "export_metrics_prometheus",
        "reset_service_metrics", "get_error_statistics",          "get_active_operations_count",
        "get_slow_operations",   "get_cache_performance_metrics", "get_memory_usage_metrics"};
    sonde_tracker open;
    sonde_registry *registry = sample_registry(&open);
    (void)sonde_cache_get(registry, "s", "c");
    (void)sonde_memory_get(registry, "s");
    int64_t before = sn_mem_block_count();
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        bool needs_service = strstr(names[i], "_service_") != NULL;
        for (uint64_t n = 1, fired = 1; fired != 0; n++) {
            char *json = NULL;
            sn_mem_fail_nth(n);
            sonde_status status = run(
                registry, names[i], needs_service ? "{\"service\":\"\\u0061\"}" : "", &json, NULL);
            fired = (uint64_t)sn_mem_fail_fired();
            sn_mem_fail_nth(0);
            /* Without memory the heap's numbers are left out of an answer. */
            assert_true(status == SONDE_OK || (fired && status == SONDE_ERR_NO_MEMORY));
            sonde_free(json);
        }
    }
    assert_int_equal(sn_mem_block_count(), before);
    sonde_track_complete(&open);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(services_are_told),
        cmocka_unit_test(pages_are_exported),
        cmocka_unit_test(the_slowest_come_first),
        cmocka_unit_test(a_reset_leaves_the_exposition_alone),
        cmocka_unit_test(caches_and_memory_answer),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(arguments_have_a_limit),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
