/* GET /api/v1/search, and `q` of label values. */
#include "dash_support.h"

static struct dash *start(void) {
    struct dash *dash = dash_new();
    dash_add_service(dash, "flux", 1, 0);
    dash_add_service(dash, "flux-worker", 1, 1);
    dash_add_service(dash, "a-flux", 1, 0);
    dash_add(dash, 0, 1, "node_memory_MemTotal_bytes", "instance", "Flux-host", NULL);
    dash_add(dash, 0, 1, "flux_total", "job", "x", NULL);
    dash_start(dash);
    return dash;
}

static void the_nearest_name_is_first(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/search?q=FLUX");
    dash_has(dash, "{\"services\":[{\"name\":\"flux\",\"status\":\"good\"},{\"name\":"
                   "\"flux-worker\",\"status\":\"critical\"},{\"name\":\"a-flux\",\"status\":"
                   "\"good\"}],\"metrics\":[{\"name\":\"flux_total\",\"type\":\"unknown\",\"help\":"
                   "\"\"}],\"hosts\":[{\"name\":\"Flux-host\"}],\"errors\":[]}");
    (void)dash_get(dash, "/api/v1/search?q=flux&limit=1");
    dash_has(dash, "{\"services\":[{\"name\":\"flux\",\"status\":\"good\"}],");
    (void)dash_get(dash, "/api/v1/search?q=nothing");
    dash_has(dash, "{\"services\":[],\"metrics\":[],\"hosts\":[],\"errors\":[]}");
    dash_stop(dash);
}

static void error_classes_are_found(void **state) {
    (void)state;
    struct dash *dash = start();
    struct reply reply;
    ask(dash->server, "POST", "/api/v1/events", "",
        "{\"app\":\"a\",\"type\":\"t\",\"error\":{\"message\":\"timed out\"}}", &reply);
    assert_int_equal(reply.status, 201);
    reply_release(&reply);
    (void)dash_get(dash, "/api/v1/search?q=timeout");
    dash_has(dash, "\"errors\":[{\"error_type\":\"TIMEOUT_ERROR\",\"count\":1}]");
    dash_stop(dash);
}

static void parameters_are_checked(void **state) {
    (void)state;
    struct dash *dash = start();
    dash_refuses(dash, "/api/v1/search", "parameter q has 0 bytes, must have 1 to 200");
    dash_refuses(dash, "/api/v1/search?q=a&limit=51", "parameter limit is 51");
    char target[400] = "/api/v1/search?q=";
    size_t len = strlen(target);
    memset(target + len, 'x', 201);
    dash_refuses(dash, target, "parameter q has 201 bytes");
    dash_stop(dash);
}

static void label_values_are_completed(void **state) {
    (void)state;
    struct dash *dash = start();
    (void)dash_get(dash, "/api/v1/label/service/values?q=Flux&limit=2");
    dash_has(dash, "\"data\":[\"flux\",\"flux-worker\"],\"warnings\":[\"results truncated due to "
                   "limit\"]");
    (void)dash_get(dash, "/api/v1/label/service/values?q=flux");
    dash_has(dash, "\"data\":[\"flux\",\"flux-worker\",\"a-flux\"]");
    (void)dash_get(dash, "/api/v1/label/service/values");
    dash_has(dash, "\"data\":[\"a-flux\",\"flux\",\"flux-worker\"]");
    dash_stop(dash);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_name_is_first),
        cmocka_unit_test(error_classes_are_found),
        cmocka_unit_test(parameters_are_checked),
        cmocka_unit_test(label_values_are_completed),
    };
    return cmocka_run_group_tests_name("search_api", tests, NULL, NULL);
}
