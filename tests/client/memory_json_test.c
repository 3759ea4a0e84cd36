/* Tests of memory as JSON: golden text, no memory. */
#include "client/memory_priv.h"

#include "client_support.h"

static struct sn_fake_clock fake;

static void a_registry_without_services_tells_of_the_process(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    char *text;
    size_t len;
    assert_int_equal(sonde_memory_metrics_json(registry, &text, &len), SONDE_OK);
    static const char start[] = "{\"services\":[],\"process\":{\"source\":\"";
    assert_memory_equal(text, start, sizeof start - 1);
    assert_non_null(strstr(text, "\"heap_used_bytes\":"));
    assert_non_null(strstr(text, "\"heap_reserved_bytes\":"));
    assert_non_null(strstr(text, "\"fragmentation\":"));
    assert_non_null(strstr(text, "\"rss_bytes\":"));
    assert_int_equal(len, strlen(text));
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void services_are_what_the_manual_says(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    sonde_memory *memory = sonde_memory_get(registry, "im\"ages");
    sn_fake_clock_init(&fake, 0, INT64_C(1700000000000));
    sn_memory_set_clock(memory, &fake.clock);
    sonde_memory_thresholds thresholds = {.max_bytes = 100, .clear_margin = 0.25};
    assert_int_equal(sonde_memory_thresholds_set(memory, &thresholds, NULL), SONDE_OK);
    sonde_memory_alloc(memory, 300);
    sonde_memory_free(memory, 100);
    sonde_memory_collected(memory, &(sonde_memory_collection){0.5, 64});
    sn_fake_clock_advance_ms(&fake, 20000);
    char *text;
    assert_int_equal(sonde_memory_metrics_json(registry, &text, NULL), SONDE_OK);
    char *process = strstr(text, ",\"process\":");
    assert_non_null(process);
    *process = '\0';
    assert_string_equal(
        text,
        "{\"services\":[{\"service\":\"im\\\"ages\",\"bytes\":200,\"peak_bytes\":300,"
        "\"allocations\":1,\"frees\":1,\"allocated_bytes\":300,"
        "\"allocations_per_second\":0.05,\"frees_per_second\":0.05,"
        "\"growth_bytes_per_second\":10,"
        "\"gc\":{\"collections\":1,\"pause_sum_seconds\":0.5,\"pause_max_seconds\":0.5,"
        "\"reclaimed_bytes\":64},"
        "\"limits\":{\"max_bytes\":100,\"max_growth_bytes_per_second\":0,\"clear_margin\":0.25},"
        "\"alerts\":[{\"alert\":\"limit\",\"value\":200,\"threshold\":100,"
        "\"since_time_ms\":1700000020000,\"message\":\"limit is 200, the threshold is 100\"}]}]");
    sonde_free(text);
    (void)sonde_registry_free(registry);
}

static void without_memory_there_is_a_status(void **state) {
    (void)state;
    sonde_registry *registry = new_registry();
    (void)sonde_memory_get(registry, "images");
    warm_up();
    int64_t before = sn_mem_block_count();
    bool has_fired = true;
    for (uint64_t n = 1; has_fired; n++) {
        char *text = NULL;
        sn_mem_fail_nth(n);
        sonde_status status = sonde_memory_metrics_json(registry, &text, NULL);
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        /* Without the buffer for /proc there is no rss, and the rest is told. */
        assert_true(status == SONDE_OK || (has_fired && status == SONDE_ERR_NO_MEMORY));
        sonde_free(text);
    }
    assert_int_equal(sn_mem_block_count(), before);
    (void)sonde_registry_free(registry);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_registry_without_services_tells_of_the_process),
        cmocka_unit_test(services_are_what_the_manual_says),
        cmocka_unit_test(without_memory_there_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
