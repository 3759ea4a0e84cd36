/* Tests of lines of push clients: names, escapes, UTF-8, length at n and n + 1. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "client/push_line_priv.h"

static struct sn_push_line make(char *text, size_t cap, const char *name, const char *value) {
    struct sn_push_line line = {.ptr = text, .cap = cap};
    sn_push_line_name(&line, name, "_s");
    sn_push_line_label(&line, "a", sn_str_from(value));
    sn_push_line_label(&line, "b", SN_STR(""));
    sn_push_line_value(&line, 0.5);
    return line;
}

static void a_line_is_name_labels_value(void **state) {
    (void)state;
    static const char expected[] = "x_s{a=\"v\",b=\"\"} 0.5";
    char text[64];
    struct sn_push_line line = make(text, sizeof expected - 1, "x", "v");
    assert_int_equal(line.status, SN_OK);
    assert_true(sn_str_equal(sn_push_line_str(&line), sn_str_from(expected)));
    line = make(text, sizeof expected - 2, "x", "v");
    assert_int_equal(line.status, SN_ERR_LIMIT);
}

static void a_line_may_have_no_label(void **state) {
    (void)state;
    char text[16];
    struct sn_push_line line = {.ptr = text, .cap = sizeof text};
    sn_push_line_raw_name(&line, SN_STR("x"));
    sn_push_line_value(&line, 1);
    assert_true(sn_str_equal(sn_push_line_str(&line), SN_STR("x 1")));
}

static void names_are_made_fit(void **state) {
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {{"a.b c", "a_b_c"}, {"9lives", "_9lives"}, {"ns:x", "ns:x"}, {"\xc3\xa4", "__"}};
    char long_name[SN_PUSH_NAME_BYTES_MAX + 2], key[SN_PUSH_NAME_BYTES_MAX + 2], text[512];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_push_line line = {.ptr = text, .cap = sizeof text};
        sn_push_line_name(&line, cases[i].in, "");
        assert_true(sn_str_equal(sn_push_line_str(&line), sn_str_from(cases[i].out)));
    }
    assert_int_equal(sn_push_label_name("1a:b", key), SN_OK);
    assert_string_equal(key, "_1a_b");
    memset(long_name, '9', sizeof long_name);
    long_name[SN_PUSH_NAME_BYTES_MAX] = '\0';
    assert_int_equal(sn_push_label_name(long_name, key), SN_OK);
    long_name[SN_PUSH_NAME_BYTES_MAX] = '9';
    long_name[SN_PUSH_NAME_BYTES_MAX + 1] = '\0';
    assert_int_equal(sn_push_label_name(long_name, key), SN_ERR_INVALID);
    assert_int_equal(sn_push_label_name("", key), SN_ERR_INVALID);
    assert_int_equal(sn_push_label_name(NULL, key), SN_ERR_INVALID);
    assert_int_equal(make(text, sizeof text, "", "v").status, SN_ERR_INVALID);
    assert_int_equal(make(text, sizeof text, NULL, "v").status, SN_ERR_INVALID);
}

static void values_of_labels_cannot_forge_a_series(void **state) {
    (void)state;
    char text[64];
    struct sn_push_line line = make(text, sizeof text, "x", "\"\\\ny");
    assert_true(
        sn_str_equal(sn_push_line_str(&line), SN_STR("x_s{a=\"\\\"\\\\\\ny\",b=\"\"} 0.5")));
    assert_int_equal(make(text, sizeof text, "x", "\xff").status, SN_ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_name_labels_value),
        cmocka_unit_test(a_line_may_have_no_label),
        cmocka_unit_test(names_are_made_fit),
        cmocka_unit_test(values_of_labels_cannot_forge_a_series),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
