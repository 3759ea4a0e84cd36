/* GET /api/v1/memory. */
#include "dash_support.h"

static void services_are_listed_the_largest_first(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    for (int64_t ago_ms = 3540000; ago_ms >= 0; ago_ms -= 60000) {
        double minutes = 59 - (double)ago_ms / 6e4;
        dash_add(dash, ago_ms, 1000 + 60 * minutes, "sonde_memory_bytes", "service", "big", NULL);
        dash_add(dash, ago_ms, 120 * minutes, "sonde_memory_allocations_total", "service", "big",
                 NULL);
    }
    dash_add(dash, 0, 10, "sonde_memory_bytes", "service", "small", "instance", "a", NULL);
    dash_add(dash, 0, 20, "sonde_memory_bytes", "service", "small", "instance", "b", NULL);
    dash_add(dash, 0, 4, "sonde_memory_gc_pause_seconds_count", "service", "small", NULL);
    dash_add(dash, 0, 2, "sonde_memory_gc_pause_seconds_sum", "service", "small", NULL);
    dash_start(dash);
    (void)dash_get(dash, "/api/v1/memory");
    dash_has(dash, "{\"time\":1700000000,\"services\":[{\"service\":\"big\",\"bytes\":4540,"
                   "\"peak_bytes\":null,\"allocations_per_second\":2,"
                   "\"allocated_bytes_per_second\":null,\"fragmentation_ratio\":null,"
                   "\"slope_bytes_per_hour\":3600,\"gc_pauses\":null,");
    dash_has(dash, "{\"service\":\"small\",\"bytes\":30,");
    dash_has(dash, "\"gc_pauses\":4,\"gc_pause_average_seconds\":0.5,");
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(services_are_listed_the_largest_first)};
    return cmocka_run_group_tests_name("memory_api", tests, NULL, NULL);
}
