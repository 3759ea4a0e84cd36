/* The inside of JSON strings, at all positions of a word. */
#include "codec/json_text_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void plain_text_ends_at_the_first_special_byte(void **state) {
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool is_plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
        for (size_t len = 1; len < 50; len++) {
            for (size_t at = 0; at < len; at += 1 + len / 10) {
                char *text = malloc(len); /* exact: ASan sees a read beyond it */
                assert_non_null(text);
                memset(text, 'x', len);
                text[at] = (char)byte;
                assert_ptr_equal(sn_json_plain_end(text, text + len), text + (is_plain ? len : at));
                free(text);
            }
        }
    }
}

static void unicode_escapes_give_code_points(void **state) {
    (void)state;
    const struct {
        const char *text;
        int32_t code;
        size_t len;
    } rows[] = {{"\\u0041", 0x41, 6},
                {"\\uFFff0", 0xffff, 6},
                {"\\ud800\\udc00", 0x10000, 12},
                {"\\uDBFF\\uDFFF\\u", 0x10ffff, 12},
                {"\\ud7ff", 0xd7ff, 6},
                {"\\ue000", 0xe000, 6},
                {"\\u004", -1, 0},
                {"\\u00g0", -1, 0},
                {"\\ud800\\ue000", -1, 0},
                {"\\udfff\\ud800", -1, 0},
                {"\\ud800\\udc0", -1, 0},
                {"\\u", -1, 0}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *next = NULL;
        const char *end = rows[i].text + strlen(rows[i].text);
        assert_int_equal(sn_json_unicode_escape(rows[i].text, end, &next), rows[i].code);
        if (rows[i].code >= 0) {
            assert_ptr_equal(next, rows[i].text + rows[i].len);
        }
    }
}

static void letters_that_are_no_escape_give_nothing(void **state) {
    (void)state;
    const char letters[] = "\"\\/bfnrt";
    const char values[] = "\"\\/\b\f\n\r\t";
    for (int c = 0; c < 256; c++) {
        const char *found = c ? strchr(letters, c) : NULL;
        assert_int_equal(sn_json_simple_escape((char)c), found ? values[found - letters] : 0);
    }
}

static void code_points_become_utf8_at_all_lengths(void **state) {
    (void)state;
    const struct sn_str raw =
        SN_STR("a\\u007f\\u0080\\u07ff\\u0800\\uffff\\ud800\\udc00\\udbff\\udfff\\\\z");
    char to[128];
    size_t len = sn_json_unescape(raw, to);
    const char expected[] = "a\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf"
                            "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\\z";
    assert_int_equal(len, sizeof(expected) - 1);
    assert_memory_equal(to, expected, len);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_ends_at_the_first_special_byte),
        cmocka_unit_test(unicode_escapes_give_code_points),
        cmocka_unit_test(letters_that_are_no_escape_give_nothing),
        cmocka_unit_test(code_points_become_utf8_at_all_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
