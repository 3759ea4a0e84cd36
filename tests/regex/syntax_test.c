/*
 * Go's regex syntax: what is accepted, Go's messages, what the empty text matches, what PCRE2 gets.
 */
#include "regex/syntax_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_error(const char *pattern, const char *sentence) {
    struct sn_err err = {0};
    sn_status status = sn_regex_check(sn_str_from(pattern), NULL, &err);
    if (status == SN_OK) {
        fail_msg("%s was accepted", pattern);
    }
    assert_string_equal(err.text, sentence);
}

#define GO "error parsing regexp: "

static void messages_are_gos(void **state) {
    (void)state;
    assert_error("(", GO "missing closing ): `(`");
    assert_error("a)", GO "unexpected ): `a)`");
    assert_error("[a", GO "missing closing ]: `[a`");
    assert_error("[", GO "missing closing ]: `[`");
    assert_error("x[]", GO "missing closing ]: `[]`");
    assert_error("[b-a]", GO "invalid character class range: `b-a`");
    assert_error("[[:foo:]]", GO "invalid character class range: `[:foo:]`");
    assert_error("\\p{Foo}", GO "invalid character class range: `\\p{Foo}`");
    assert_error("\\pX", GO "invalid character class range: `\\pX`");
    assert_error("*", GO "missing argument to repetition operator: `*`");
    assert_error("a|+", GO "missing argument to repetition operator: `+`");
    assert_error("(?:?)", GO "missing argument to repetition operator: `?`");
    assert_error("a**", GO "invalid nested repetition operator: `**`");
    assert_error("a{2}{3}", GO "invalid nested repetition operator: `{2}{3}`");
    assert_error("a++", GO "invalid nested repetition operator: `++`");
    assert_error("a{1001}", GO "invalid repeat count: `{1001}`");
    assert_error("a{3,2}", GO "invalid repeat count: `{3,2}`");
    assert_error("((a{100}){100}){2}", GO "invalid repeat count: `{100}`");
    assert_error("a\\", GO "trailing backslash at end of expression: ``");
    assert_error("\\8", GO "invalid escape sequence: `\\8`");
    assert_error("\\1", GO "invalid escape sequence: `\\1`");
    assert_error("\\q", GO "invalid escape sequence: `\\q`");
    assert_error("\\C", GO "invalid escape sequence: `\\C`");
    assert_error("\\x{110000}", GO "invalid escape sequence: `\\x{110000`");
    assert_error("(?=a)", GO "invalid or unsupported Perl syntax: `(?=`");
    assert_error("(?<=a)", GO "invalid named capture: `(?<=a)`");
    assert_error("(?#a)", GO "invalid or unsupported Perl syntax: `(?#`");
    assert_error("(?>a)", GO "invalid or unsupported Perl syntax: `(?>`");
    assert_error("(?i-)", GO "invalid or unsupported Perl syntax: `(?i-)`");
    assert_error("(?P<a b>c)", GO "invalid named capture: `(?P<a b>`");
    assert_error("(?P<a", GO "invalid named capture: `(?P<a`");
    assert_error("a\xff", GO "invalid UTF-8: `a\xff`");
}

static void limits_hold_on_both_sides(void **state) {
    (void)state;
    struct sn_buf buf;
    struct sn_err err = {0};
    sn_buf_init(&buf, 0);
    for (int i = 0; i < SN_REGEX_DEPTH_MAX; i++) {
        sn_buf_put_byte(&buf, '(');
    }
    for (int i = 0; i < SN_REGEX_DEPTH_MAX; i++) {
        sn_buf_put_byte(&buf, ')');
    }
    assert_int_equal(sn_regex_check(sn_buf_str(&buf), NULL, &err), SN_OK);
    buf.ptr[SN_REGEX_DEPTH_MAX] = '(';
    assert_int_equal(sn_regex_check(sn_buf_str(&buf), NULL, &err), SN_ERR_LIMIT);
    sn_buf_reset(&buf);
    for (size_t i = 0; i < SN_REGEX_BYTES_MAX; i++) {
        sn_buf_put_byte(&buf, 'x');
    }
    assert_int_equal(sn_regex_check(sn_buf_str(&buf), NULL, &err), SN_OK);
    sn_buf_put_byte(&buf, 'x');
    assert_int_equal(sn_regex_check(sn_buf_str(&buf), NULL, &err), SN_ERR_LIMIT);
    assert_string_equal(err.text, "regular expression has 65537 bytes, the limit is 65536");
    assert_int_equal(sn_regex_check(SN_STR("a{1000}"), NULL, NULL), SN_OK);
    assert_int_equal(sn_regex_check(SN_STR("((a{10}){100}){0}"), NULL, NULL), SN_OK);
    sn_buf_release(&buf);
}

static bool matches_empty(const char *pattern) {
    bool is_match = false;
    assert_int_equal(sn_regex_check(sn_str_from(pattern), &is_match, NULL), SN_OK);
    return is_match;
}

static void the_empty_text_is_judged(void **state) {
    (void)state;
    static const char *const yes[] = {"",      "a*",     "a?b*", "(a|)",   "a|b|",   "^$",
                                      "(a*)+", "a{0}",   "\\B",  "(?i)",   "()",     "(?:a?){3}",
                                      ".*",    "\\A\\z", "|a",   "a{0,5}", "\\Q\\E", "(^a)*"};
    static const char *const no[] = {"a",   "a+",  "a|b",  "\\b", "(a|b)+", "a{1}",
                                     "[a]", "a*b", "(a)^", ".",   "\\d",    "(a*b)+"};
    for (size_t i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        assert_true(matches_empty(yes[i]));
    }
    for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        assert_false(matches_empty(no[i]));
    }
}

static void assert_translated(const char *pattern, bool captures, const char *expected) {
    struct sn_buf buf;
    struct sn_regex_name names[SN_REGEX_CAPTURES_MAX];
    struct sn_regex_syntax syntax = {
        .pattern = sn_str_from(pattern), .out = &buf, .captures = captures, .names = names};
    sn_buf_init(&buf, 0);
    assert_int_equal(sn_regex_syntax_read(&syntax, NULL), SN_OK);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void nothing_is_copied_through(void **state) {
    (void)state;
    assert_translated("a-b", false, "a\\x{2d}b");
    assert_translated("(a)(?:b)", false, "(?:a)(?:b)");
    assert_translated("(a)(?P<x>b)", true, "(a)(b)");
    assert_translated("\\s\\S", false,
                      "[\\x{9}\\x{a}\\x{c}\\x{d}\\x{20}]"
                      "[\\x{0}-\\x{8}\\x{b}\\x{e}-\\x{1f}\\x{21}-\\x{10ffff}]");
    assert_translated("[\\d-]", false, "[0-9\\x{2d}]");
    assert_translated("\\p{Greek}\\pN\\p{^Lu}", false, "\\p{sc:Greek}\\p{N}\\P{Lu}");
    assert_translated("(?i)\\p{Lu}", false, "(?i)\\p{L&}");
    assert_translated("^*$?", false, "(?:^)*(?:$)?");
    assert_translated("a(?i)*", false, "a*(?i)");
    assert_translated("a*(?i)+", false, "(?:a*)+(?i)");
    assert_translated("{,5}", false, "\\x{7b}\\x{2c}5\\x{7d}");
    assert_translated("\\Qa.b\\E", false, "a\\x{2e}b");
    assert_translated("\\x{d800}[\\x{d800}]", false, "(?!)(?!)");
    assert_translated("[^\\x{d800}-\\x{dfff}]", false, "[\\x{0}-\\x{10ffff}]");
}

static void names_are_collected(void **state) {
    (void)state;
    struct sn_regex_name names[SN_REGEX_CAPTURES_MAX];
    struct sn_regex_syntax syntax = {
        .pattern = SN_STR("(a)(?P<x>b)(?<y1>c)"), .captures = true, .names = names};
    assert_int_equal(sn_regex_syntax_read(&syntax, NULL), SN_OK);
    assert_int_equal(syntax.group_count, 3);
    assert_int_equal(syntax.name_count, 2);
    assert_true(sn_str_equal(names[1].name, SN_STR("y1")) && names[1].group == 3);
}

static void unicode_names_are_known(void **state) {
    (void)state;
    bool is_script;
    assert_true(sn_regex_unicode_class(SN_STR("Lu"), &is_script));
    assert_false(is_script);
    assert_true(sn_regex_unicode_class(SN_STR("Zanabazar_Square"), &is_script));
    assert_true(is_script);
    assert_false(sn_regex_unicode_class(SN_STR("greek"), &is_script));
    assert_false(sn_regex_unicode_class(SN_STR(""), &is_script));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_are_gos),         cmocka_unit_test(limits_hold_on_both_sides),
        cmocka_unit_test(the_empty_text_is_judged), cmocka_unit_test(nothing_is_copied_through),
        cmocka_unit_test(names_are_collected),      cmocka_unit_test(unicode_names_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
