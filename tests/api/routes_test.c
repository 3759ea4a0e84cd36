/* The route table: shape of its rows, and how a path finds its row. */
#include "api/api_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* The value of Allow for a set of methods. */
static void describe_methods(unsigned methods, char *ret_text, size_t size) {
    static const struct {
        unsigned bit;
        const char *name;
    } rows[] = {
        {SN_API_METHOD(SN_HTTP_GET), "GET"},     {SN_API_METHOD(SN_HTTP_HEAD), "HEAD"},
        {SN_API_METHOD(SN_HTTP_PUT), "PUT"},     {SN_API_METHOD(SN_HTTP_POST), "POST"},
        {SN_API_METHOD(SN_HTTP_PATCH), "PATCH"}, {SN_API_METHOD(SN_HTTP_DELETE), "DELETE"},
    };
    size_t len = 0;
    ret_text[0] = '\0';
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if ((methods & rows[i].bit) != 0)
            len += (size_t)snprintf(ret_text + len, size - len, "%s%s", len > 0 ? ", " : "",
                                    rows[i].name);
}

static void every_row_is_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_api_route_count; i++) {
        const struct sn_api_route *route = &sn_api_routes[i];
        struct sn_str path = sn_str_from(route->path);
        assert_true(sn_str_starts_with(path, SN_STR("/")));
        assert_true(path.len == 1 || !sn_str_ends_with(path, SN_STR("/")));
        assert_non_null(route->handle);
        unsigned methods = 0; /* of all rows of this path */
        for (size_t j = 0; j < sn_api_route_count; j++)
            if (strcmp(sn_api_routes[j].path, route->path) == 0)
                methods |= sn_api_routes[j].methods;
        char allow[64];
        describe_methods(methods, allow, sizeof allow);
        assert_string_equal(route->allow, allow);
    }
}

static void only_known_paths_are_public(void **state) {
    (void)state;
    static const char *const public[] = {
        "/",        "/assets/{name}",   "/healthz",        "/readyz",        "/-/healthy",
        "/-/ready", "/api/auth/status", "/api/auth/login", "/api/auth/setup"};
    size_t count = 0;
    for (size_t i = 0; i < sn_api_route_count; i++)
        count += sn_api_routes[i].role == SN_API_PUBLIC;
    assert_int_equal(count, sizeof public / sizeof public[0]);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(sn_api_find_route(sn_str_from(public[i]), SN_HTTP_GET)->role,
                         SN_API_PUBLIC);
}

/* Routes that a reader may post to: their own session, queries as forms or documents, commands that
 * only read. */
static bool is_own_business(const struct sn_api_route *route) {
    return sn_str_starts_with(sn_str_from(route->path), SN_STR("/api/auth/")) ||
           sn_str_equal(sn_str_from(route->path), SN_STR("/api/v1/commands/{name}")) ||
           sn_str_equal(sn_str_from(route->path), SN_STR("/api/v1/history")) ||
           route->methods == (SN_API_GET | SN_API_POST);
}

static void what_writes_needs_a_role_for_it(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_api_route_count; i++) {
        const struct sn_api_route *route = &sn_api_routes[i];
        bool is_writing = (route->methods & ~SN_API_GET) != 0;
        if (is_writing && !is_own_business(route))
            assert_true(route->role == SN_API_INGEST || route->role == SN_API_ADMIN);
        if (sn_str_starts_with(sn_str_from(route->path), SN_STR("/api/v1/admin/")))
            assert_int_equal(route->role, SN_API_ADMIN);
    }
}

static void every_path_finds_its_row_also_with_a_slash(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_api_route_count; i++) {
        char path[128];
        struct sn_str text = sn_str_from(sn_api_routes[i].path);
        assert_true(text.len + 2 <= sizeof path);
        memcpy(path, text.ptr, text.len);
        path[text.len] = '/';
        enum sn_http_method method = (sn_api_routes[i].methods & SN_API_GET) != 0 ? SN_HTTP_GET
                                     : (sn_api_routes[i].methods & SN_API_POST) != 0
                                         ? SN_HTTP_POST
                                         : SN_HTTP_PATCH;
        assert_ptr_equal(sn_api_find_route(text, method), &sn_api_routes[i]);
        assert_ptr_equal(sn_api_find_route(sn_str_make(path, text.len + 1), method),
                         &sn_api_routes[i]);
    }
}

static void other_paths_find_nothing(void **state) {
    (void)state;
    static const struct sn_str paths[] = {
        SN_STR(""),
        SN_STR("*"),
        SN_STR("/Metrics"),
        SN_STR("/metric"),
        SN_STR("/metricss"),
        SN_STR("metrics"),
        SN_STR("/api/v1"),
        SN_STR("/../metrics"),
        SN_STR("/assets/x/y"),
        SN_STR("/metrics\0"),
        SN_STR("/api//v1/history"),
        SN_STR("///"),
        SN_STR("/healthz//"),
    };
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        assert_null(sn_api_find_route(paths[i], SN_HTTP_GET));
}

static void a_piece_in_braces_stands_for_any_one_piece(void **state) {
    (void)state;
    const struct sn_api_route *route =
        sn_api_find_route(SN_STR("/api/v1/label/job/values"), SN_HTTP_GET);
    assert_non_null(route);
    assert_ptr_equal(sn_api_find_route(SN_STR("/api/v1/label/a%2Fb/values/"), SN_HTTP_GET), route);
    assert_null(sn_api_find_route(SN_STR("/api/v1/label//values"), SN_HTTP_GET));
    assert_null(sn_api_find_route(SN_STR("/api/v1/label/a/b/values"), SN_HTTP_GET));
    assert_null(sn_api_find_route(SN_STR("/api/v1/label/job"), SN_HTTP_GET));
    assert_null(sn_api_find_route(SN_STR("/api/v1/label/job/values/x"), SN_HTTP_GET));
}

static void a_path_with_two_rows_is_told_apart_by_method(void **state) {
    (void)state;
    const struct sn_str path = SN_STR("/api/v1/metrics");
    assert_int_equal(sn_api_find_route(path, SN_HTTP_GET)->role, SN_API_READ);
    assert_int_equal(sn_api_find_route(path, SN_HTTP_HEAD)->role, SN_API_READ);
    assert_int_equal(sn_api_find_route(path, SN_HTTP_POST)->role, SN_API_INGEST);
    assert_non_null(sn_api_find_route(path, SN_HTTP_DELETE));
}

static void the_rest_of_a_piece_may_be_open(void **state) {
    (void)state;
    const struct sn_api_route *route =
        sn_api_find_route(SN_STR("/api/apps/x/metrics/popular-poses"), SN_HTTP_GET);
    assert_non_null(route);
    assert_string_equal(route->path, "/api/apps/{app}/metrics/popular-{kind}");
    assert_null(sn_api_find_route(SN_STR("/api/apps/x/metrics/popular-"), SN_HTTP_GET));
    assert_null(sn_api_find_route(SN_STR("/api/apps/x/metrics/popula"), SN_HTTP_GET));
}

static void a_name_goes_before_a_piece_in_braces(void **state) {
    (void)state;
    const struct sn_api_route *route =
        sn_api_find_route(SN_STR("/api/v1/metrics/batch"), SN_HTTP_GET);
    assert_string_equal(route->path, "/api/v1/metrics/batch");
    route = sn_api_find_route(SN_STR("/api/v1/metrics/x"), SN_HTTP_GET);
    assert_string_equal(route->path, "/api/v1/metrics/{id}");
}

static void the_star_in_braces_stands_for_all_that_is_left(void **state) {
    (void)state;
    const struct sn_api_route *route = sn_api_find_route(SN_STR("/metrics/job/x"), SN_HTTP_PUT);
    assert_non_null(route);
    assert_ptr_equal(sn_api_find_route(SN_STR("/metrics/job/x/a/b/c/d/"), SN_HTTP_PUT), route);
    assert_ptr_not_equal(sn_api_find_route(SN_STR("/metrics"), SN_HTTP_PUT), route);
    assert_null(sn_api_find_route(SN_STR("/metrics/job"), SN_HTTP_PUT));
    assert_null(sn_api_find_route(SN_STR("/metrics/job/"), SN_HTTP_PUT));
    assert_null(sn_api_find_route(SN_STR("/metrics/job//a/b"), SN_HTTP_PUT));
    assert_non_null(sn_api_find_route(SN_STR("/metrics/job@base64/eA=="), SN_HTTP_PUT));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_whole),
        cmocka_unit_test(only_known_paths_are_public),
        cmocka_unit_test(what_writes_needs_a_role_for_it),
        cmocka_unit_test(every_path_finds_its_row_also_with_a_slash),
        cmocka_unit_test(other_paths_find_nothing),
        cmocka_unit_test(a_path_with_two_rows_is_told_apart_by_method),
        cmocka_unit_test(the_rest_of_a_piece_may_be_open),
        cmocka_unit_test(a_name_goes_before_a_piece_in_braces),
        cmocka_unit_test(a_piece_in_braces_stands_for_any_one_piece),
        cmocka_unit_test(the_star_in_braces_stands_for_all_that_is_left),
    };
    return cmocka_run_group_tests_name("routes", tests, NULL, NULL);
}
