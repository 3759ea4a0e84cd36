/* Every route is described, and nothing else is. */
#include "api/route_docs.h"

#include "api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const enum sn_http_method methods[] = {SN_HTTP_GET, SN_HTTP_POST, SN_HTTP_PUT,
                                              SN_HTTP_DELETE, SN_HTTP_PATCH};
enum { METHOD_COUNT = sizeof methods / sizeof methods[0] };

/* How many rows describe what that route does with a method. */
static size_t count_docs(const struct sn_api_route *route, enum sn_http_method method) {
    size_t count = 0;
    for (size_t i = 0; i < sn_route_doc_count; i++) {
        const struct sn_route_doc *doc = &sn_route_docs[i];
        if ((doc->methods & SN_API_METHOD(method)) != 0 &&
            sn_api_find_route(sn_str_from(doc->path), method) == route)
            count++;
    }
    return count;
}

static void every_route_is_described(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_api_route_count; i++)
        for (size_t m = 0; m < METHOD_COUNT; m++)
            if ((sn_api_routes[i].methods & SN_API_METHOD(methods[m])) != 0 &&
                count_docs(&sn_api_routes[i], methods[m]) == 0)
                fail_msg("%s (%s) has no row in src/api/route_docs.c for method %d",
                         sn_api_routes[i].path, sn_api_routes[i].allow, (int)methods[m]);
}

static void every_description_has_its_route(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_route_doc_count; i++) {
        const struct sn_route_doc *doc = &sn_route_docs[i];
        assert_int_not_equal(doc->methods, 0);
        for (size_t m = 0; m < METHOD_COUNT; m++) {
            if ((doc->methods & SN_API_METHOD(methods[m])) == 0)
                continue;
            const struct sn_api_route *route =
                sn_api_find_route(sn_str_from(doc->path), methods[m]);
            if (route == NULL || (route->methods & SN_API_METHOD(methods[m])) == 0)
                fail_msg("%s is described, but there is no such route", doc->path);
        }
        for (size_t j = 0; j < i; j++)
            if (strcmp(sn_route_docs[j].path, doc->path) == 0 &&
                (sn_route_docs[j].methods & doc->methods) != 0)
                fail_msg("%s is described twice", doc->path);
    }
}

static void descriptions_are_whole(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_route_doc_count; i++) {
        const struct sn_route_doc *doc = &sn_route_docs[i];
        struct sn_str params = sn_str_from(doc->params);
        struct sn_schema_field field;
        struct sn_err err = {0};
        sn_status status;
        assert_non_null(doc->tag);
        if (doc->summary == NULL || doc->summary[0] == '\0' ||
            sn_str_ends_with(sn_str_from(doc->summary), SN_STR(".")))
            fail_msg("%s: a summary is a sentence without its full stop", doc->path);
        while ((status = sn_schema_next_field(&params, &field, &err)) == SN_OK)
            assert_true(field.type.len > 0);
        if (status != SN_ERR_NOT_FOUND)
            fail_msg("%s: %s", doc->path, err.text);
        assert_true(doc->status == 0 || (doc->status >= 200 && doc->status < 300));
        assert_true(doc->body_type == NULL || doc->body != NULL);
        assert_true(doc->answer_type == NULL || doc->answer != NULL);
        assert_true(!doc->is_form || doc->params != NULL);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_route_is_described),
        cmocka_unit_test(every_description_has_its_route),
        cmocka_unit_test(descriptions_are_whole),
    };
    return cmocka_run_group_tests_name("route_docs", tests, NULL, NULL);
}
