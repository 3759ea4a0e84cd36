/* GET /api/v1/trends. */
#include "dash_support.h"

static void resources_have_their_history(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    for (int64_t ago_ms = 3600000; ago_ms >= 0; ago_ms -= 60000) {
        double used = 600 - (double)ago_ms / 6e4; /* 540 to 600 of 1000 */
        dash_add(dash, ago_ms, 1000, "node_filesystem_size_bytes", "instance", "h", "mountpoint",
                 "/a\"b", "fstype", "ext4", NULL);
        dash_add(dash, ago_ms, 1000 - used, "node_filesystem_avail_bytes", "instance", "h",
                 "mountpoint", "/a\"b", "fstype", "ext4", NULL);
    }
    dash_add(dash, 1200000, 5, "sonde_memory_bytes", "service", "gone", NULL);
    dash_start(dash);
    (void)dash_get(dash, "/api/v1/trends?range=1h");
    dash_has(dash, "\"spark\":{\"start\":1699996400,\"step\":60,\"count\":61}");
    dash_has(dash,
             "\"resources\":[{\"id\":\"disk:h:/a\\\"b\",\"kind\":\"disk\",\"name\":"
             "\"/a\\\"b\",\"host\":\"h\",\"unit\":\"ratio\",\"current\":0.6,\"average\":0.57,"
             "\"min\":0.54,\"max\":0.6,\"limit\":0.9,\"query\":\"1 - "
             "node_filesystem_avail_bytes{instance=\\\"h\\\",mountpoint=\\\"/a\\\\\\\"b\\\"}");
    dash_has(dash, "\"spark\":[0.54,0.541,0.542,");
    dash_has(dash, "{\"id\":\"service_memory::gone\",\"kind\":\"service_memory\",\"name\":\"gone\","
                   "\"host\":null,\"unit\":\"bytes\",\"current\":null,\"average\":5,");
    dash_stop(dash);
}

static void a_month_is_the_default(void **state) {
    (void)state;
    struct dash *dash = dash_new();
    dash_start(dash);
    (void)dash_get(dash, "/api/v1/trends");
    dash_has(dash, "\"range\":{\"start\":1697408000,\"end\":1700000000},\"spark\":{\"start\":"
                   "1697408000,\"step\":43200,\"count\":61},\"resources\":[]}");
    dash_refuses(dash, "/api/v1/trends?limit=1", "unknown parameter");
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resources_have_their_history),
        cmocka_unit_test(a_month_is_the_default),
    };
    return cmocka_run_group_tests_name("trends_api", tests, NULL, NULL);
}
