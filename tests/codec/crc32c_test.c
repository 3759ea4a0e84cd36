/* CRC-32C: known answers, and both implementations against each other. */
#include "codec/crc32c.h"

#include "chunk_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef uint32_t crc_function(uint32_t crc, const void *bytes, size_t len);

static crc_function *const implementations[] = {sn_crc32c, sn_crc32c_portable};

static void known_answers_of_rfc_3720_hold(void **state) {
    (void)state;
    uint8_t zeros[32] = {0};
    uint8_t ones[32];
    uint8_t up[32];
    uint8_t down[32];
    memset(ones, 0xff, sizeof(ones));
    for (unsigned i = 0; i < 32; i++) {
        up[i] = (uint8_t)i;
        down[i] = (uint8_t)(31 - i);
    }
    for (size_t i = 0; i < 2; i++) {
        crc_function *crc = implementations[i];
        assert_int_equal(crc(0, "123456789", 9), 0xe3069283);
        assert_int_equal(crc(0, zeros, 32), 0x8a9136aa);
        assert_int_equal(crc(0, ones, 32), 0x62a8ab43);
        assert_int_equal(crc(0, up, 32), 0x46dd794e);
        assert_int_equal(crc(0, down, 32), 0x113fdb5c);
        assert_int_equal(crc(0, NULL, 0), 0);
        assert_int_equal(crc(0x12345678, NULL, 0), 0x12345678);
    }
}

static void both_agree_at_every_length_address_and_split(void **state) {
    (void)state;
    uint8_t bytes[300];
    struct noise noise = {2};
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)noise_next(&noise);
    }
    for (size_t from = 0; from < 9; from++) {
        for (size_t len = 0; from + len <= sizeof(bytes); len++) {
            uint32_t whole = sn_crc32c_portable(0, bytes + from, len);
            size_t split = len == 0 ? 0 : noise_below(&noise, len);
            uint32_t first = sn_crc32c(0, bytes + from, split);
            assert_int_equal(sn_crc32c(0, bytes + from, len), whole);
            assert_int_equal(sn_crc32c(first, bytes + from + split, len - split), whole);
        }
    }
}

static void any_changed_bit_changes_the_sum(void **state) {
    (void)state;
    uint8_t bytes[64] = "a record of the log";
    uint32_t sum = sn_crc32c(0, bytes, sizeof(bytes));
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_not_equal(sn_crc32c(0, bytes, sizeof(bytes)), sum);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers_of_rfc_3720_hold),
        cmocka_unit_test(both_agree_at_every_length_address_and_split),
        cmocka_unit_test(any_changed_bit_changes_the_sum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
