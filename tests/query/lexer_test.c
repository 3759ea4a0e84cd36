/*
 * Tokens. What queries are refused with is data: syntax_test.c.
 */
#include "query/lexer_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* The kinds of all tokens are these, the last one being the end or an error. */
static void assert_tokens(const char *text, const enum sn_token_kind *kinds, size_t count) {
    struct sn_lexer lexer;
    struct sn_token token;
    sn_lexer_init(&lexer, sn_str_from(text), NULL);
    for (size_t i = 0; i < count; i++) {
        sn_lexer_next(&lexer, &token);
        if (token.kind != kinds[i]) {
            fail_msg("%s: token %zu is %d, want %d", text, i, (int)token.kind, (int)kinds[i]);
        }
        if (token.kind != SN_TOKEN_END && token.kind != SN_TOKEN_ERROR) {
            assert_memory_equal(text + token.start, token.text.ptr, token.text.len);
        }
    }
}

#define TOKENS(text, ...)                                                                          \
    assert_tokens(text, (const enum sn_token_kind[]){__VA_ARGS__},                                 \
                  sizeof((const enum sn_token_kind[]){__VA_ARGS__}) / sizeof(enum sn_token_kind))

static void keywords_know_no_case(void **state) {
    (void)state;
    TOKENS("sum SUM Sum", SN_TOKEN_SUM, SN_TOKEN_SUM, SN_TOKEN_SUM, SN_TOKEN_END);
    TOKENS("or by on inf nan end", SN_TOKEN_OR, SN_TOKEN_BY, SN_TOKEN_ON, SN_TOKEN_NUMBER,
           SN_TOKEN_NUMBER, SN_TOKEN_END_OF_RANGE, SN_TOKEN_END);
    TOKENS("COUNT_VALUES limit_ratio group_right", SN_TOKEN_COUNT_VALUES, SN_TOKEN_LIMIT_RATIO,
           SN_TOKEN_GROUP_RIGHT, SN_TOKEN_END);
    TOKENS("summ o orr _or", SN_TOKEN_IDENTIFIER, SN_TOKEN_IDENTIFIER, SN_TOKEN_IDENTIFIER,
           SN_TOKEN_IDENTIFIER, SN_TOKEN_END);
}

static void keywords_are_identifiers_in_braces(void **state) {
    (void)state;
    TOKENS("a{by=\"x\"}by", SN_TOKEN_IDENTIFIER, SN_TOKEN_LEFT_BRACE, SN_TOKEN_IDENTIFIER,
           SN_TOKEN_ASSIGN, SN_TOKEN_STRING, SN_TOKEN_RIGHT_BRACE, SN_TOKEN_BY, SN_TOKEN_END);
}

static void operators_are_the_longest(void **state) {
    (void)state;
    TOKENS("< <= </ > >= >/ == != = ^ @", SN_TOKEN_LESS, SN_TOKEN_LESS_EQUAL, SN_TOKEN_TRIM_UPPER,
           SN_TOKEN_GREATER, SN_TOKEN_GREATER_EQUAL, SN_TOKEN_TRIM_LOWER, SN_TOKEN_EQUAL,
           SN_TOKEN_NOT_EQUAL, SN_TOKEN_ASSIGN, SN_TOKEN_POW, SN_TOKEN_AT, SN_TOKEN_END);
    TOKENS("{=~!~!==", SN_TOKEN_LEFT_BRACE, SN_TOKEN_MATCH_REGEX, SN_TOKEN_MATCH_NOT_REGEX,
           SN_TOKEN_NOT_EQUAL, SN_TOKEN_ASSIGN, SN_TOKEN_ERROR);
}

static void numbers_and_durations_differ(void **state) {
    (void)state;
    TOKENS("1 1.5 .5 1e3 0x1f 1_0 5m 1h30m 3ms", SN_TOKEN_NUMBER, SN_TOKEN_NUMBER, SN_TOKEN_NUMBER,
           SN_TOKEN_NUMBER, SN_TOKEN_NUMBER, SN_TOKEN_NUMBER, SN_TOKEN_DURATION, SN_TOKEN_DURATION,
           SN_TOKEN_DURATION, SN_TOKEN_END);
    TOKENS("1e", SN_TOKEN_ERROR);
    TOKENS("1x", SN_TOKEN_ERROR);
    TOKENS("0x1.5", SN_TOKEN_ERROR);
}

static void brackets_hold_durations(void **state) {
    (void)state;
    TOKENS("[step()*5m:min_of(1,2)]a", SN_TOKEN_LEFT_BRACKET, SN_TOKEN_STEP, SN_TOKEN_LEFT_PAREN,
           SN_TOKEN_RIGHT_PAREN, SN_TOKEN_MUL, SN_TOKEN_DURATION, SN_TOKEN_COLON,
           SN_TOKEN_IDENTIFIER, SN_TOKEN_LEFT_PAREN, SN_TOKEN_NUMBER, SN_TOKEN_COMMA,
           SN_TOKEN_NUMBER, SN_TOKEN_RIGHT_PAREN, SN_TOKEN_RIGHT_BRACKET, SN_TOKEN_IDENTIFIER,
           SN_TOKEN_END);
    TOKENS("[foo]", SN_TOKEN_LEFT_BRACKET, SN_TOKEN_ERROR);
    TOKENS("[5m[", SN_TOKEN_LEFT_BRACKET, SN_TOKEN_DURATION, SN_TOKEN_ERROR);
}

static void fill_is_a_keyword_before_a_parenthesis(void **state) {
    (void)state;
    TOKENS("fill fill (", SN_TOKEN_IDENTIFIER, SN_TOKEN_FILL, SN_TOKEN_LEFT_PAREN, SN_TOKEN_ERROR);
}

static void comments_are_skipped(void **state) {
    (void)state;
    TOKENS("a # b\n c{ # d\r e # f", SN_TOKEN_IDENTIFIER, SN_TOKEN_IDENTIFIER, SN_TOKEN_LEFT_BRACE,
           SN_TOKEN_IDENTIFIER, SN_TOKEN_ERROR);
}

static void escapes_resolve(void **state) {
    (void)state;
    char room[64];
    struct sn_str plain = SN_STR("\"abc\"");
    assert_false(sn_token_has_escapes(plain));
    assert_true(sn_str_equal(sn_token_unquote(plain, NULL), SN_STR("abc")));
    assert_true(sn_str_equal(sn_token_unquote(SN_STR("`a\\n`"), NULL), SN_STR("a\\n")));
    assert_true(sn_str_equal(sn_token_unquote(SN_STR("''"), NULL), SN_STR("")));
    struct sn_str escaped = SN_STR("'\\a\\t\\\\\\'\\x41\\102\\u00fc\\U0001f600z'");
    assert_true(sn_token_has_escapes(escaped));
    assert_true(
        sn_str_equal(sn_token_unquote(escaped, room), SN_STR("\a\t\\'AB\u00fc\U0001f600z")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keywords_know_no_case),
        cmocka_unit_test(keywords_are_identifiers_in_braces),
        cmocka_unit_test(operators_are_the_longest),
        cmocka_unit_test(numbers_and_durations_differ),
        cmocka_unit_test(brackets_hold_durations),
        cmocka_unit_test(fill_is_a_keyword_before_a_parenthesis),
        cmocka_unit_test(comments_are_skipped),
        cmocka_unit_test(escapes_resolve),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
