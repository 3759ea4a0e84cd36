/* MD5: the vectors of RFC 1321, and every length around the padding. */
#include "codec/md5.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_hash(struct sn_str bytes, const char *expected) {
    uint8_t hash[16];
    char text[33];
    sn_md5(bytes, hash);
    for (int i = 0; i < 16; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", hash[i]);
    assert_string_equal(text, expected);
}

static void the_vectors_of_the_standard_hold(void **state) {
    (void)state;
    assert_hash(SN_STR(""), "d41d8cd98f00b204e9800998ecf8427e");
    assert_hash(SN_STR("a"), "0cc175b9c0f1b6a831c399e269772661");
    assert_hash(SN_STR("message digest"), "f96b697d7cb7938d525a2f31aaf161d0");
    assert_hash(SN_STR("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"),
                "d174ab98d277d9f5a5611c2c9f419d9f");
    assert_hash(
        SN_STR("1234567890123456789012345678901234567890123456789012345678901234567890123456"
               "7890"),
        "57edf4a22be3c955ac49da2e2107b67a");
}

static void lengths_around_the_padding_hold(void **state) {
    (void)state;
    static const char zeros[64] = {0};
    assert_hash(sn_str_make(zeros, 55), "c9ea3314b91c9fd4e38f9432064fd1f2");
    assert_hash(sn_str_make(zeros, 56), "e3c4dd21a9171fd39d208efa09bf7883");
    assert_hash(sn_str_make(zeros, 63), "65cecfb980d72fde57d175d6ec1c3f64");
    assert_hash(sn_str_make(zeros, 64), "3b5d3c7d207e37dceeedd301e35e2e58");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_the_standard_hold),
        cmocka_unit_test(lengths_around_the_padding_hold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
