/*
 * PromQL syntax as data: tests/query/data/syntax.test always, and Prometheus' own cases when they
 * lie beside the source tree.
 *
 * A line of syntax.test is one of
 *     ok QUERY                   parses; prints as it stands
 *     ok QUERY => TEXT           parses; format_query gives TEXT
 *     no QUERY => MESSAGE        is refused with this message
 *     off QUERY => MESSAGE       is refused unless experimental features are on
 * "<br>" in it is a line break.
 */
#include "syntax_support.h"

#include "codec/json_read.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { LINE_BYTES_MAX = 4096 };

static FILE *open_beside(const char *directory, const char *name) {
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    return fopen(path, "rb");
}

/* A file by its path from the root of the tree. */
static FILE *open_data(const char *name) {
    const char *root = getenv("SONDE_SOURCE");
    return open_beside(root ? root : ".", name);
}

static char *unescape(char *text) {
    static const char line_break[] = "<br>";
    char *out = text;
    for (const char *at = text; *at != '\0';) {
        bool is_break = strncmp(at, line_break, strlen(line_break)) == 0;
        *out++ = is_break ? '\n' : *at;
        at += is_break ? strlen(line_break) : 1;
    }
    *out = '\0';
    return text;
}

static void check_accepted(const char *query, const char *expected) {
    struct syntax syntax;
    syntax_parse(&syntax, sn_str_from(query), &syntax_all);
    if (syntax.status != SN_OK) {
        fail_msg("%s: %s", query, syntax.err.text);
    }
    if (strcmp(syntax_pretty(&syntax), expected) != 0) {
        fail_msg("%s prints as %s, want %s", query, syntax_pretty(&syntax), expected);
    }
    syntax_release(&syntax);
}

static void check_refused(const char *query, const char *message,
                          const struct sn_parse_options *options) {
    struct syntax syntax;
    syntax_parse(&syntax, sn_str_from(query), options);
    if (syntax.status == SN_OK) {
        fail_msg("%s was accepted", query);
    }
    if (strstr(syntax.err.text, message) == NULL) {
        fail_msg("%s: %s, want %s", query, syntax.err.text, message);
    }
    syntax_release(&syntax);
}

static void check_line(char *line) {
    char *query = strchr(line, ' ');
    assert_non_null(query);
    *query++ = '\0';
    char *arrow = strstr(query, " => ");
    char *expected = arrow ? arrow + 4 : query;
    if (arrow != NULL) {
        *arrow = '\0';
    }
    unescape(expected);
    if (query != expected) {
        unescape(query);
    }
    if (strcmp(line, "ok") == 0) {
        check_accepted(query, expected);
    } else if (strcmp(line, "off") == 0) {
        check_refused(query, expected, NULL);
        struct syntax syntax;
        syntax_parse(&syntax, sn_str_from(query), &syntax_all);
        assert_int_equal(syntax.status, SN_OK);
        syntax_release(&syntax);
    } else {
        assert_string_equal(line, "no");
        check_refused(query, expected, &syntax_all);
    }
}

static void our_cases_hold(void **state) {
    (void)state;
    char line[LINE_BYTES_MAX];
    int count = 0;
    FILE *file = open_data("tests/query/data/syntax.test");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] != '\0' && line[0] != '#') {
            check_line(line);
            count++;
        }
    }
    (void)fclose(file);
    assert_true(count > 100);
}

/* One case of the shared collection. */
struct shared_case {
    struct sn_str query;
    struct sn_str error;
    struct sn_str formatted;
    bool is_valid;
    bool is_experimental;
};

static sn_status read_case(struct sn_str line, struct sn_arena *arena, struct shared_case *ret) {
    struct sn_json_reader json;
    struct sn_str key;
    sn_json_read_init(&json, line, &(struct sn_json_options){.arena = arena});
    if (sn_json_read_object(&json)) {
        while (sn_json_read_key(&json, &key)) {
            if (sn_str_equal(key, SN_STR("query"))) {
                ret->query = sn_json_read_string(&json);
            } else if (sn_str_equal(key, SN_STR("error"))) {
                ret->error = sn_json_read_string(&json);
            } else if (sn_str_equal(key, SN_STR("formatted"))) {
                ret->formatted = sn_json_read_string(&json);
            } else if (sn_str_equal(key, SN_STR("valid"))) {
                ret->is_valid = sn_json_read_bool(&json);
            } else if (sn_str_equal(key, SN_STR("tags")) && sn_json_read_array(&json)) {
                while (sn_json_read_element(&json)) {
                    sn_json_read_skip(&json);
                    ret->is_experimental = true;
                }
            } else {
                sn_json_read_skip(&json);
            }
        }
    }
    return sn_json_read_finish(&json, NULL);
}

/* What is wrong with a case, or NULL. */
static const char *judge(const struct shared_case *test, struct syntax *syntax) {
    if (test->is_valid != (syntax->status == SN_OK)) {
        return test->is_valid ? syntax->err.text : "accepted";
    }
    if (test->is_valid && test->formatted.len > 0 &&
        !sn_str_equal(sn_str_from(syntax_pretty(syntax)), test->formatted)) {
        return syntax_pretty(syntax);
    }
    /* Long texts are cut in sentences. */
    bool has_message = test->error.len > 0 && memmem(syntax->err.text, strlen(syntax->err.text),
                                                     test->error.ptr, test->error.len) != NULL;
    if (!test->is_valid && test->error.len < SN_ERR_TEXT_SIZE / 2 && !has_message) {
        return syntax->err.text;
    }
    return NULL;
}

static void shared_cases_hold(void **state) {
    (void)state;
    char line[LINE_BYTES_MAX];
    int counts[2][2] = {{0}};
    FILE *file = open_data("../shared/conformance/cases/syntax/promql-syntax.jsonl");
    if (file == NULL) {
        skip();
    }
    while (fgets(line, sizeof(line), file) != NULL) {
        struct sn_arena arena;
        struct shared_case test = {0};
        struct syntax syntax;
        sn_arena_init(&arena, 0);
        assert_int_equal(read_case(sn_str_from(line), &arena, &test), SN_OK);
        syntax_parse(&syntax, test.query, test.is_experimental ? &syntax_all : NULL);
        const char *complaint = judge(&test, &syntax);
        counts[test.is_experimental][complaint == NULL]++;
        if (complaint != NULL) {
            printf("%.*s: %s; want %.*s\n", SN_STR_ARG(test.query), complaint,
                   SN_STR_ARG(test.is_valid ? test.formatted : test.error));
        }
        syntax_release(&syntax);
        sn_arena_release(&arena);
    }
    (void)fclose(file);
    printf("plain: %d right, %d wrong; experimental: %d right, %d wrong\n", counts[0][1],
           counts[0][0], counts[1][1], counts[1][0]);
    assert_int_equal(counts[0][0] + counts[1][0], 0);
    assert_true(counts[0][1] > 200 && counts[1][1] > 50);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_cases_hold),
        cmocka_unit_test(shared_cases_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
