/* The named schemas: their notation is right, and every name that is used exists. */
#include "api/route_docs.h"
#include "api/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static bool is_named(struct sn_str name) {
    for (size_t i = 0; i < sn_named_schema_count; i++)
        if (sn_str_equal(sn_str_from(sn_named_schemas[i].name), name))
            return true;
    return false;
}

/* Words that begin with a capital letter are names, outside of quotes and remarks. */
static void assert_names_exist(const char *where, const char *type) {
    char quote = '\0';
    for (const char *at = type; at != NULL && *at != '\0'; at++) {
        if (quote != '\0' || *at == '\'' || *at == '`') {
            quote = quote == '\0' ? *at : *at == quote ? '\0' : quote;
            continue;
        }
        bool is_start = at == type || strchr(" ([{:|,", at[-1]) != NULL;
        if (!is_start || *at < 'A' || *at > 'Z')
            continue;
        struct sn_str word = sn_str_make(at, strcspn(at, " )]}[,|`"));
        if (!is_named(word))
            fail_msg("%s: there is no schema %.*s", where, SN_STR_ARG(word));
    }
}

static void every_name_that_is_used_exists(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_named_schema_count; i++)
        assert_names_exist(sn_named_schemas[i].name, sn_named_schemas[i].type);
    for (size_t i = 0; i < sn_route_doc_count; i++) {
        assert_names_exist(sn_route_docs[i].path, sn_route_docs[i].params);
        assert_names_exist(sn_route_docs[i].path, sn_route_docs[i].body);
        assert_names_exist(sn_route_docs[i].path, sn_route_docs[i].answer);
        assert_names_exist(sn_route_docs[i].path, sn_route_docs[i].error);
    }
}

static void names_are_there_once(void **state) {
    (void)state;
    for (size_t i = 0; i < sn_named_schema_count; i++)
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(sn_named_schemas[i].name, sn_named_schemas[j].name);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_that_is_used_exists),
        cmocka_unit_test(names_are_there_once),
    };
    return cmocka_run_group_tests_name("route_schemas", tests, NULL, NULL);
}
