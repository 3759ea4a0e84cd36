/*
 * Text as Go writes it.
 */
#include "query/gotext_priv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_quoted(struct sn_str text, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_gotext_quote(&buf, text);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void quotes_are_strconvs(void **state) {
    (void)state;
    assert_quoted(SN_STR(""), "\"\"");
    assert_quoted(SN_STR("a'b\"c\\"), "\"a'b\\\"c\\\\\"");
    assert_quoted(SN_STR("\a\b\f\n\r\t\v"), "\"\\a\\b\\f\\n\\r\\t\\v\"");
    assert_quoted(SN_STR("\0\x1f\x7f"), "\"\\x00\\x1f\\x7f\"");
    assert_quoted(SN_STR("\xff\xc3"), "\"\\xff\\xc3\"");
    assert_quoted(SN_STR("ü☺😀"), "\"ü☺😀\"");
    assert_quoted(SN_STR("\u00a0\u00ad\u200b\ufeff"), "\"\\u00a0\\u00ad\\u200b\\ufeff\"");
    assert_quoted(SN_STR("\U000e0001"), "\"\\U000e0001\"");
    assert_quoted(SN_STR("\ufffd"), "\"\ufffd\"");
}

static void assert_float(double value, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_gotext_float(&buf, value);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void numbers_have_no_exponent(void **state) {
    (void)state;
    assert_float(0, "0");
    assert_float(-0.0, "-0");
    assert_float(1.5, "1.5");
    assert_float(100, "100");
    assert_float(1e21, "1000000000000000000000");
    assert_float(0.1, "0.1");
    assert_float(1e-7, "0.0000001");
    assert_float(123456.789, "123456.789");
    assert_float((double)NAN, "NaN");
    assert_float((double)INFINITY, "+Inf");
    assert_float(-(double)INFINITY, "-Inf");
}

static void characters_are_quoted_as_runes(void **state) {
    (void)state;
    char text[SN_GOTEXT_RUNE_SIZE];
    sn_gotext_rune(text, SN_STR("'x"));
    assert_string_equal(text, "'\\''");
    sn_gotext_rune(text, SN_STR("\"x"));
    assert_string_equal(text, "'\"'");
    sn_gotext_rune(text, SN_STR("ü"));
    assert_string_equal(text, "'ü'");
    sn_gotext_rune(text, SN_STR("\n"));
    assert_string_equal(text, "'\\n'");
    sn_gotext_rune(text, SN_STR("\xff"));
    assert_string_equal(text, "'\ufffd'");
    sn_gotext_rune(text, SN_STR(""));
    assert_string_equal(text, "'\ufffd'");
}

static void characters_have_code_points(void **state) {
    (void)state;
    char text[SN_GOTEXT_UNICODE_SIZE];
    sn_gotext_unicode(text, SN_STR("c"));
    assert_string_equal(text, "U+0063 'c'");
    sn_gotext_unicode(text, SN_STR("\n"));
    assert_string_equal(text, "U+000A");
    sn_gotext_unicode(text, SN_STR("😀"));
    assert_string_equal(text, "U+1F600 '😀'");
}

static void long_texts_are_cut_in_sentences(void **state) {
    (void)state;
    char text[SN_GOTEXT_QUOTED_SIZE];
    char longer[1000];
    memset(longer, 'x', sizeof(longer));
    assert_ptr_equal(sn_gotext_quoted(text, sn_str_make(longer, sizeof(longer))), text);
    assert_int_equal(strlen(text), SN_GOTEXT_QUOTED_SIZE - 1);
    assert_string_equal(sn_gotext_quoted(text, SN_STR("a")), "\"a\"");
}

static void code_points_survive_both_ways(void **state) {
    (void)state;
    static const uint32_t runes[] = {0, 0x7f, 0x80, 0x7ff, 0x800, 0xffff, 0x10000, 0x10ffff};
    for (size_t i = 0; i < sizeof(runes) / sizeof(runes[0]); i++) {
        char bytes[4];
        uint32_t back;
        size_t len = sn_gotext_encode(runes[i], bytes);
        assert_int_equal(sn_gotext_decode(sn_str_make(bytes, len), &back), len);
        assert_int_equal(back, runes[i]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_strconvs),
        cmocka_unit_test(numbers_have_no_exponent),
        cmocka_unit_test(characters_are_quoted_as_runes),
        cmocka_unit_test(characters_have_code_points),
        cmocka_unit_test(long_texts_are_cut_in_sentences),
        cmocka_unit_test(code_points_survive_both_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
