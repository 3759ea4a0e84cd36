/*
 * Compiled regexes, against answers of RE2 that are kept as data (regex.test).
 */
#include "regex/regex.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_regex *compile(const char *pattern) {
    struct sn_regex *regex;
    struct sn_err err = {0};
    if (sn_regex_new(sn_str_from(pattern), &regex, &err) != SN_OK) {
        fail_msg("%s: %s", pattern, err.text);
    }
    return regex;
}

static bool matches(const char *pattern, const char *text) {
    struct sn_regex *regex = compile(pattern);
    bool is_match = sn_regex_match_fn(regex, sn_str_from(text));
    assert_int_equal(sn_regex_status(regex, NULL), SN_OK);
    assert_null(sn_regex_free(regex));
    return is_match;
}

static void check_answer(const char *verdict, const char *pattern, const char *text) {
    bool is_refused = sn_regex_check(sn_str_from(pattern), NULL, NULL) != SN_OK;
    if (is_refused != (strcmp(verdict, "refused") == 0)) {
        fail_msg("%s should%s be refused", pattern, is_refused ? " not" : "");
    }
    if (!is_refused && matches(pattern, text) != (strcmp(verdict, "yes") == 0)) {
        fail_msg("%s on \"%s\" should be %s", pattern, text, verdict);
    }
}

static void answers_are_those_of_re2(void **state) {
    (void)state;
    char path[512];
    char line[1024];
    int count = 0;
    const char *root = getenv("SONDE_SOURCE");
    (void)snprintf(path, sizeof(path), "%s/tests/query/data/regex.test", root ? root : ".");
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file) != NULL) {
        if (line[0] == '#') {
            continue;
        }
        line[strcspn(line, "\n")] = '\0';
        char *pattern = strchr(line, '\t');
        assert_non_null(pattern);
        *pattern++ = '\0';
        char *text = strchr(pattern, '\t');
        assert_non_null(text);
        *text++ = '\0';
        check_answer(line, pattern, text);
        count++;
    }
    (void)fclose(file);
    assert_true(count > 1000);
}

static void differences_of_the_engines_are_made_up_for(void **state) {
    (void)state;
    assert_false(matches("\\s", "\v"));
    assert_true(matches("[[:space:]]", "\v"));
    assert_true(matches("a.b", "a\nb"));
    assert_false(matches("(?-s)a.b", "a\nb"));
    assert_true(matches("(?m)a$\nb", "a\nb"));
    assert_true(matches("(?m)a\n^", "a\n"));
    assert_false(matches("a$", "a\n"));
    assert_true(matches("(?i)straße", "STRAßE"));
    assert_true(matches("[^a]", "\n"));
    assert_false(matches("\\w", "é"));
    assert_true(matches("\\p{Greek}", "α"));
    assert_true(matches("x{,2}", "x{,2}"));
    assert_true(matches("\\Q(\\E", "("));
}

static void thousands_of_alternatives_are_literals(void **state) {
    (void)state;
    enum { COUNT = 4000 };
    static char pattern[COUNT * 16];
    const struct sn_str *items;
    size_t count;
    size_t len = 0;
    for (int i = 0; i < COUNT; i++) {
        len += (size_t)snprintf(pattern + len, sizeof pattern - len, "%shost-%04d",
                                i > 0 ? "|" : "", i);
    }
    struct sn_regex *regex = compile(pattern);
    assert_true(sn_regex_literals(regex, &items, &count));
    assert_int_equal(count, COUNT);
    assert_true(sn_regex_match(regex, SN_STR("host-3999")));
    assert_false(sn_regex_match(regex, SN_STR("host-4000")));
    (void)sn_regex_free(regex);
}

static void text_that_is_not_utf8_does_not_match_code(void **state) {
    (void)state;
    struct sn_regex *regex = compile("a[^b]+");
    assert_true(sn_regex_match(regex, SN_STR("a\u00ff")));
    assert_false(sn_regex_match(regex, SN_STR("a\xff")));
    (void)sn_regex_free(regex);
}

static void literals_are_known(void **state) {
    (void)state;
    const struct sn_str *items;
    size_t count;
    struct sn_regex *regex = compile("c|a|b|x[0-9]");
    assert_true(sn_regex_literals(regex, &items, &count));
    assert_int_equal(count, 13);
    assert_true(sn_str_equal(items[0], SN_STR("a")));
    assert_true(sn_regex_match(regex, SN_STR("x7")) && !sn_regex_match(regex, SN_STR("x")));
    assert_int_equal(sn_regex_prefix(regex).len, 0);
    (void)sn_regex_free(regex);
    regex = compile("node-[0-9]+");
    assert_false(sn_regex_literals(regex, &items, &count));
    assert_true(sn_str_equal(sn_regex_prefix(regex), SN_STR("node-")));
    (void)sn_regex_free(regex);
    regex = compile("only");
    assert_true(sn_str_equal(sn_regex_prefix(regex), SN_STR("only")));
    (void)sn_regex_free(regex);
}

static void many_literals_are_found(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    for (int i = 0; i < 2000; i++) {
        sn_buf_printf(&buf, "%shost-%d", i > 0 ? "|" : "", i);
    }
    struct sn_regex *regex;
    assert_int_equal(sn_regex_new(sn_buf_str(&buf), &regex, NULL), SN_OK);
    for (int i = 0; i < 2100; i++) {
        char text[32];
        (void)snprintf(text, sizeof(text), "host-%d", i);
        assert_int_equal(sn_regex_match(regex, sn_str_from(text)), i < 2000);
    }
    (void)sn_regex_free(regex);
    sn_buf_release(&buf);
}

static void too_much_backtracking_is_a_failure(void **state) {
    (void)state;
    struct sn_err err = {0};
    char text[1003];
    struct sn_regex *regex = compile("(x+x+)+y");
    memset(text, 'x', 1000);
    memcpy(text + 1000, "yz", 3);
    assert_false(sn_regex_match(regex, sn_str_from(text)));
    assert_int_equal(sn_regex_status(regex, &err), SN_ERR_LIMIT);
    assert_string_equal(err.text,
                        "regular expression `(x+x+)+y` needs more than 100000 steps for a value");
    (void)sn_regex_free(regex);
}

static void assert_expands(const char *pattern, const char *text, const char *template_text,
                           const char *expected) {
    struct sn_regex *regex;
    struct sn_buf buf;
    bool is_matched = false;
    sn_buf_init(&buf, 0);
    assert_int_equal(sn_regex_new_capturing(sn_str_from(pattern), &regex, NULL), SN_OK);
    assert_int_equal(sn_regex_expand(regex, sn_str_from(text), sn_str_from(template_text),
                                     &is_matched, &buf, NULL),
                     SN_OK);
    assert_int_equal(is_matched, expected != NULL);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected ? expected : "");
    sn_buf_release(&buf);
    (void)sn_regex_free(regex);
}

static void templates_expand_as_in_go(void **state) {
    (void)state;
    assert_expands("(.*):(.*)", "host:80", "$1", "host");
    assert_expands("(.*):(.*)", "host:80", "${2}-$1", "80-host");
    assert_expands("(.*):(.*)", "host", "$1", NULL);
    assert_expands("(?P<h>.*):(?<p>.*)", "host:80", "$p/${h}", "80/host");
    assert_expands("(a)(b)?", "a", "[$1$2$3]", "[a]");
    assert_expands("(a)", "a", "$1x", "");
    assert_expands("(a)", "a", "${1}x", "ax");
    assert_expands("(a)", "a", "$$1 $ ${ ${} $-", "$1 $ ${ ${} $-");
    assert_expands("a", "a", "$0$00$01", "a");
    assert_expands("(a)", "a", "$1é$99999999999999999999", "");
    assert_expands("(?P<x>a)|(?P<x>b)", "b", "$x", "b");
    assert_expands(".*", "", "plain", "plain");
}

static void groups_have_a_limit(void **state) {
    (void)state;
    struct sn_buf buf;
    struct sn_regex *regex;
    sn_buf_init(&buf, 0);
    for (int i = 0; i < SN_REGEX_CAPTURES_MAX; i++) {
        sn_buf_put_text(&buf, "(a)");
    }
    assert_int_equal(sn_regex_new_capturing(sn_buf_str(&buf), &regex, NULL), SN_OK);
    (void)sn_regex_free(regex);
    sn_buf_put_text(&buf, "(a)");
    assert_int_equal(sn_regex_new_capturing(sn_buf_str(&buf), &regex, NULL), SN_ERR_LIMIT);
    assert_int_equal(sn_regex_new(sn_buf_str(&buf), &regex, NULL), SN_OK);
    (void)sn_regex_free(regex);
    sn_buf_release(&buf);
}

static void failing_allocations_leave_nothing(void **state) {
    (void)state;
    static const char *const patterns[] = {"a|b|c|d|e|f", "a.*b", "[a-z]+x"};
    for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++) {
        bool is_fired = true;
        for (uint64_t n = 1; is_fired; n++) {
            int64_t before = sn_mem_block_count();
            struct sn_regex *regex = NULL;
            sn_mem_fail_nth(n);
            sn_status status = sn_regex_new(sn_str_from(patterns[i]), &regex, NULL);
            if (status == SN_OK) {
                (void)sn_regex_match(regex, SN_STR("abcx"));
                status = sn_regex_status(regex, NULL);
            }
            is_fired = sn_mem_fail_fired();
            sn_mem_fail_nth(0);
            assert_true(status == SN_OK || (is_fired && status == SN_ERR_NO_MEMORY));
            (void)sn_regex_free(regex);
            assert_int_equal(sn_mem_block_count(), before);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_are_those_of_re2),
        cmocka_unit_test(differences_of_the_engines_are_made_up_for),
        cmocka_unit_test(thousands_of_alternatives_are_literals),
        cmocka_unit_test(text_that_is_not_utf8_does_not_match_code),
        cmocka_unit_test(literals_are_known),
        cmocka_unit_test(many_literals_are_found),
        cmocka_unit_test(too_much_backtracking_is_a_failure),
        cmocka_unit_test(templates_expand_as_in_go),
        cmocka_unit_test(groups_have_a_limit),
        cmocka_unit_test(failing_allocations_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
