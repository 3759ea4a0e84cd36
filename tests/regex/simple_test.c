/*
 * Patterns that need no engine.
 */
#include "regex/simple_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The set, joined by commas; "-" when the pattern is none. */
static void assert_set(const char *pattern, const char *expected) {
    struct sn_arena arena;
    struct sn_str *items;
    size_t count;
    char text[256] = "-";
    sn_arena_init(&arena, 0);
    if (sn_regex_expand_literals(sn_str_from(pattern), &arena, &items, &count)) {
        size_t at = 0;
        text[0] = '\0';
        for (size_t i = 0; i < count; i++) {
            at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%.*s", i > 0 ? "," : "",
                                   SN_STR_ARG(items[i]));
        }
    }
    assert_string_equal(text, expected);
    sn_arena_release(&arena);
}

static void sets_are_expanded(void **state) {
    (void)state;
    assert_set("", "");
    assert_set("a", "a");
    assert_set("b|a|b", "a,b");
    assert_set("a|", ",a");
    assert_set("(GET|POST)x", "GETx,POSTx");
    assert_set("(?:a|b)(?:c|d)", "ac,ad,bc,bd");
    assert_set("node-[1-3]", "node-1,node-2,node-3");
    assert_set("[ac-d]", "a,c,d");
    assert_set("ab?c", "abc,ac");
    assert_set("a\\.b", "a.b");
    assert_set("^a$", "a");
    assert_set("ü(x)?", "ü,üx");
    assert_set("a(b(c|d)|e)", "abc,abd,ae");
}

static void other_patterns_are_left_alone(void **state) {
    (void)state;
    assert_set("a.b", "-");
    assert_set("a*", "-");
    assert_set("[^a]", "-");
    assert_set("\\d", "-");
    assert_set("a{2}", "-");
    assert_set("(?i)a", "-");
    assert_set("^a|b$", "-");
    assert_set("[[:alpha:]]", "-");
    assert_set("[a-z][a-z][a-z]", "-"); /* 17,576 texts */
}

static bool gaps_match(const char *pattern, const char *text) {
    struct sn_arena arena;
    struct sn_gap *gaps;
    size_t count;
    sn_arena_init(&arena, 0);
    assert_true(sn_regex_read_gaps(sn_str_from(pattern), &arena, &gaps, &count));
    bool is_match = sn_regex_match_gaps(gaps, count, sn_str_from(text));
    sn_arena_release(&arena);
    return is_match;
}

static void gaps_match_like_regexes(void **state) {
    (void)state;
    assert_true(gaps_match("5..", "503") && !gaps_match("5..", "50") && !gaps_match("5..", "5033"));
    assert_true(gaps_match(".*", "") && gaps_match(".+", "x") && !gaps_match(".+", ""));
    assert_true(gaps_match("a.*", "a") && gaps_match("a.*", "ab") && !gaps_match("a.*", "ba"));
    assert_true(gaps_match(".*b.*c", "abbcxc") && !gaps_match(".*b.*c", "abcx"));
    assert_true(gaps_match("a.*b.c", "abbc") && !gaps_match("a.*b.c", "abc"));
    assert_true(gaps_match(".", "ü") && !gaps_match("..", "ü") && gaps_match("a.+?b", "axb"));
    assert_true(gaps_match("^a.$", "a\n"));
}

static void prefixes_are_certain(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"foo[0-9]", "foo"}, {"fooo*", "foo"}, {"foo|bar", ""}, {"a{2}b", ""}, {"^ab\\.c+", "ab."},
        {"x(?i)*", ""},      {"x\\Q\\E*", ""}, {"(a)", ""},     {"", ""},      {"ab\\dc", "ab"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sn_arena arena;
        sn_arena_init(&arena, 0);
        struct sn_str prefix = sn_regex_literal_prefix(sn_str_from(cases[i][0]), &arena);
        assert_true(sn_str_equal(prefix, sn_str_from(cases[i][1])));
        sn_arena_release(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sets_are_expanded),
        cmocka_unit_test(other_patterns_are_left_alone),
        cmocka_unit_test(gaps_match_like_regexes),
        cmocka_unit_test(prefixes_are_certain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
