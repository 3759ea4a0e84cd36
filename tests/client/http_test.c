/* Tests of the HTTP instrument. */
#include "client_support.h"

#include <pthread.h>

#define REQUESTS(method, path, status)                                                             \
    "http_requests_total{method=\"" method "\",path=\"" path "\",status=\"" status "\"}"

struct fixture {
    sonde_registry *registry;
    sonde_http *http;
};

static struct fixture make(size_t path_max) {
    struct fixture f = {new_registry(), NULL};
    sonde_error error;
    sonde_http_options options = {.registry = f.registry, .path_max = path_max};
    f.http = sonde_http_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    return f;
}

static void release(struct fixture *f) {
    (void)sonde_http_free(f->http);
    (void)sonde_registry_free(f->registry);
}

static void request(sonde_http *http, const char *path, int status) {
    sonde_http_request open;
    sonde_http_begin(&open, http, "GET", path);
    sonde_http_end(&open, status);
}

static double count(const struct fixture *f, const char *series) {
    char *page = page_of(f->registry);
    double value = value_of(page, series);
    sonde_free(page);
    return value;
}

static void a_request_is_counted_and_timed_under_its_route(void **state) {
    (void)state;
    struct fixture f = make(0);
    request(f.http, "/users/123?token=secret", 200);
    request(f.http, "/users/456", 200);
    assert_true(count(&f, REQUESTS("GET", "/users/:id", "200")) == 2);
    assert_true(
        count(&f, "http_request_duration_seconds_count{method=\"GET\",path=\"/users/:id\"}") == 2);
    double sum = count(&f, "http_request_duration_seconds_sum{method=\"GET\",path=\"/users/:id\"}");
    assert_true(sum >= 0 && sum < 60);
    release(&f);
}

static void leaves_its_scope(sonde_http *http) {
    SONDE_HTTP_REQUEST(open, http, "GET", "/slow");
    assert_non_null(open.http);
}

static void a_request_that_is_never_ended_is_aborted(void **state) {
    (void)state;
    struct fixture f = make(0);
    request(f.http, "/slow", 200);
    leaves_its_scope(f.http);
    assert_true(count(&f, REQUESTS("GET", "/slow", "aborted")) == 1);
    release(&f);
}

static void a_second_end_does_nothing(void **state) {
    (void)state;
    struct fixture f = make(0);
    sonde_http_request open;
    sonde_http_begin(&open, f.http, "GET", "/a");
    sonde_http_end(&open, 200);
    sonde_http_end(&open, 500);
    sonde_http_abort(&open);
    sonde_http_route(&open, "/b");
    char *page = page_of(f.registry);
    assert_null(strstr(page, "500"));
    assert_null(strstr(page, "aborted"));
    sonde_free(page);
    sonde_http_request zeroed = {0};
    sonde_http_end(&zeroed, 200);
    release(&f);
}

static void pages_that_do_not_exist_are_one_series(void **state) {
    (void)state;
    struct fixture f = make(0);
    char path[32];
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(path, sizeof path, "/admin%c%c/x", 'a' + i % 26, 'a' + i / 26 % 26);
        request(f.http, path, 404);
    }
    static const int refusals[] = {400, 405, 410, 414};
    for (size_t i = 0; i < 4; i++)
        request(f.http, "/other", refusals[i]);
    assert_true(count(&f, REQUESTS("GET", ":other", "404")) == 1000);
    assert_true(count(&f, REQUESTS("GET", ":other", "414")) == 1);
    char *page = page_of(f.registry);
    assert_null(strstr(page, "admin"));
    sonde_free(page);
    release(&f);
}

static void a_known_route_shows_its_404s(void **state) {
    (void)state;
    struct fixture f = make(0);
    request(f.http, "/users/1", 404);
    request(f.http, "/users/2", 500);
    request(f.http, "/users/3", 404);
    assert_true(count(&f, REQUESTS("GET", ":other", "404")) == 1);
    assert_true(count(&f, REQUESTS("GET", "/users/:id", "500")) == 1);
    assert_true(count(&f, REQUESTS("GET", "/users/:id", "404")) == 1);
    release(&f);
}

static void routes_beyond_the_limit_are_other(void **state) {
    (void)state;
    struct fixture f = make(3);
    static const char *const paths[] = {"/a", "/b", "/c", "/d", "/a", "/d"};
    for (size_t i = 0; i < 6; i++)
        request(f.http, paths[i], 200);
    assert_true(count(&f, REQUESTS("GET", "/a", "200")) == 2);
    assert_true(count(&f, REQUESTS("GET", "/c", "200")) == 1);
    assert_true(count(&f, REQUESTS("GET", ":other", "200")) == 2);
    release(&f);
}

static void a_route_that_the_program_names_is_shown_as_given(void **state) {
    (void)state;
    struct fixture f = make(1);
    sonde_http_request open;
    request(f.http, "/a", 200);
    sonde_http_begin(&open, f.http, "GET", "/blog/how-to-cook");
    sonde_http_route(&open, "/blog/:slug");
    sonde_http_end(&open, 404);
    assert_true(count(&f, REQUESTS("GET", "/blog/:slug", "404")) == 1);
    char longest[SONDE_PATH_SIZE + 10];
    memset(longest, 'r', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    sonde_http_begin(&open, f.http, "GET", "/");
    sonde_http_route(&open, longest);
    assert_int_equal(strlen(open.path), SONDE_PATH_SIZE - 1);
    sonde_http_abort(&open);
    release(&f);
}

static void null_is_an_instrument_with_all_defaults(void **state) {
    (void)state;
    sonde_http_request open;
    sonde_http_begin(&open, NULL, "GET", NULL);
    sonde_http_end(&open, 0);
    sonde_http_begin(&open, NULL, "NONSENSE", "/default/7");
    sonde_http_end(&open, 204);
    sonde_http_connections_add(NULL, 2);
    sonde_http_connections_add(NULL, -2);
    assert_true(has_line(NULL, REQUESTS("GET", ":other", "__other__") " 1"));
    assert_true(has_line(NULL, REQUESTS("__other__", "/default/:id", "204") " 1"));
    assert_true(has_line(NULL, "active_connections 0"));
}

static void options_are_checked(void **state) {
    (void)state;
    sonde_error error;
    sonde_http_options options = {.path_max = SONDE_HTTP_PATHS_MAX};
    sonde_http *http = sonde_http_new(&options, &error);
    assert_int_equal(error.status, SONDE_OK);
    (void)sonde_http_free(http);
    options.path_max++;
    assert_null(sonde_http_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    static const char *const templates[] = {"nonsense"};
    options = (sonde_http_options){.path = {.templates = templates, .template_count = 1}};
    assert_null(sonde_http_new(&options, &error));
    assert_int_equal(error.status, SONDE_ERR_INVALID);
    assert_string_equal(error.text, "template 0 does not start with /");
    assert_null(sonde_http_new(&options, NULL));
    assert_null(sonde_http_free(NULL));
}

static void without_memory_there_is_an_error_and_no_leak(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    static const char *const templates[] = {"/a/:b"};
    sonde_http_options options = {.path = {.templates = templates, .template_count = 1}};
    for (uint64_t n = 1;; n++) {
        sonde_error error;
        sn_mem_fail_nth(n);
        sonde_http *http = sonde_http_new(&options, &error);
        int fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(error.status, fired ? SONDE_ERR_NO_MEMORY : SONDE_OK);
        assert_true((http == NULL) == (fired != 0));
        (void)sonde_http_free(http);
        assert_int_equal(sn_mem_block_count(), before);
        if (!fired)
            break;
    }
}

static void requests_do_not_allocate(void **state) {
    (void)state;
    struct fixture f = make(0);
    request(f.http, "/users/1", 200);
    sn_mem_fail_from(1);
    for (int i = 0; i < 1000; i++)
        request(f.http, "/users/2", 200);
    int fired = sn_mem_fail_fired();
    sn_mem_fail_from(0);
    assert_false(fired);
    assert_true(count(&f, REQUESTS("GET", "/users/:id", "200")) == 1001);
    release(&f);
}

static void *hammer(void *http) {
    char path[16];
    for (int i = 0; i < 2000; i++) {
        (void)snprintf(path, sizeof path, "/p%c%c", 'a' + i % 10, 'a' + i % 7);
        request(http, path, 200);
    }
    return NULL;
}

static void threads_learn_no_more_routes_than_the_limit(void **state) {
    (void)state;
    pthread_t threads[4];
    struct fixture f = make(20);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, f.http), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    char *page = page_of(f.registry);
    size_t routes = 0;
    double total = 0;
    for (const char *at = page; (at = strstr(at, "\nhttp_requests_total{")) != NULL; at++) {
        const char *end = strchr(at + 1, '}');
        char series[128] = {0};
        memcpy(series, at + 1, (size_t)(end - at));
        total += value_of(page, series);
        routes++;
    }
    sonde_free(page);
    assert_true(total == 8000);
    assert_in_range(routes, 2, 21);
    release(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_counted_and_timed_under_its_route),
        cmocka_unit_test(a_request_that_is_never_ended_is_aborted),
        cmocka_unit_test(a_second_end_does_nothing),
        cmocka_unit_test(pages_that_do_not_exist_are_one_series),
        cmocka_unit_test(a_known_route_shows_its_404s),
        cmocka_unit_test(routes_beyond_the_limit_are_other),
        cmocka_unit_test(a_route_that_the_program_names_is_shown_as_given),
        cmocka_unit_test(null_is_an_instrument_with_all_defaults),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(without_memory_there_is_an_error_and_no_leak),
        cmocka_unit_test(requests_do_not_allocate),
        cmocka_unit_test(threads_learn_no_more_routes_than_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
