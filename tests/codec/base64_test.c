/* Base64, both alphabets. */
#include "codec/base64.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void check(const char *text, const char *expected) {
    uint8_t bytes[64];
    size_t len = 0;
    assert_int_equal(sn_base64_decode(sn_str_from(text), bytes, &len), SN_OK);
    assert_true(len <= SN_BASE64_DECODED_MAX(strlen(text)));
    assert_int_equal(len, strlen(expected));
    assert_memory_equal(bytes, expected, len);
}

static void text_of_every_length_is_decoded(void **state) {
    (void)state;
    check("", "");
    check("=", "");
    check("Zg==", "f");
    check("Zg", "f");
    check("Zm8=", "fo");
    check("Zm8", "fo");
    check("Zm9v", "foo");
    check("Zm9vYg==", "foob");
    check("L3Zhci90bXA", "/var/tmp");
}

static void both_alphabets_are_read(void **state) {
    (void)state;
    check("+/+/", "\xfb\xff\xbf");
    check("-_-_", "\xfb\xff\xbf");
}

static void what_is_no_base64_is_refused(void **state) {
    (void)state;
    static const char *const bad[] = {
        "Z", "Zg=", "Zm9vY", "Z g=", "Zh==", "Zm9=", "Z=g=", "Zg===", "Zm9v=", "\xff\xff\xff\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        uint8_t bytes[64];
        size_t len;
        assert_int_equal(sn_base64_decode(sn_str_from(bad[i]), bytes, &len), SN_ERR_INVALID);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_of_every_length_is_decoded),
        cmocka_unit_test(both_alphabets_are_read),
        cmocka_unit_test(what_is_no_base64_is_refused),
    };
    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
