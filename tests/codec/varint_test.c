/* Varints, zigzag, little-endian loads and stores. */
#include "codec/varint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_varint_comes_back_at_every_bit_length(void **state) {
    (void)state;
    for (unsigned length = 0; length <= 64; length++) {
        uint64_t value = length == 0 ? 0 : UINT64_MAX >> (64 - length);
        uint8_t bytes[SN_VARINT_BYTES_MAX];
        size_t size = (size_t)(sn_varint_put(bytes, value) - bytes);
        uint64_t back = ~value;
        assert_int_equal(size, sn_varint_size(value));
        assert_ptr_equal(sn_varint_get(bytes, bytes + size, &back), bytes + size);
        assert_true(back == value);
        assert_int_equal(sn_bit_length(value), length);
    }
}

static void a_varint_that_ends_early_is_refused_at_every_length(void **state) {
    (void)state;
    uint8_t bytes[SN_VARINT_BYTES_MAX];
    const uint8_t *end = sn_varint_put(bytes, UINT64_MAX);
    uint64_t value = 7;
    assert_int_equal(end - bytes, SN_VARINT_BYTES_MAX);
    for (size_t len = 0; len < SN_VARINT_BYTES_MAX; len++) {
        assert_null(sn_varint_get(bytes, bytes + len, &value));
    }
    assert_true(value == 7);
}

static void ten_bytes_are_read_and_eleven_or_too_many_bits_are_not(void **state) {
    (void)state;
    uint8_t bytes[12] = {0x81, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00, 0x00};
    uint64_t value = 0;
    assert_ptr_equal(sn_varint_get(bytes, bytes + sizeof(bytes), &value), bytes + 10);
    assert_true(value == 1);
    bytes[9] = 0x80;
    assert_null(sn_varint_get(bytes, bytes + sizeof(bytes), &value));
    bytes[9] = 0x02;
    assert_null(sn_varint_get(bytes, bytes + sizeof(bytes), &value));
    bytes[9] = 0x01;
    assert_non_null(sn_varint_get(bytes, bytes + sizeof(bytes), &value));
    assert_true(value == (UINT64_C(1) << 63 | 1));
}

static void null_passes_through_a_chain(void **state) {
    (void)state;
    uint8_t bytes[1] = {0x80};
    uint64_t value;
    int64_t number;
    const uint8_t *at = sn_varint_get(bytes, bytes + 1, &value);
    assert_null(at);
    assert_null(sn_varint_get_signed(at, bytes + 1, &number));
}

static void zigzag_puts_small_magnitudes_first_and_comes_back(void **state) {
    (void)state;
    static const int64_t numbers[] = {0, -1, 1, -2, 2, INT64_MAX, INT64_MIN};
    static const uint64_t codes[] = {0, 1, 2, 3, 4, UINT64_MAX - 1, UINT64_MAX};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint8_t bytes[SN_VARINT_BYTES_MAX];
        int64_t back = 99;
        assert_true(sn_zigzag_encode(numbers[i]) == codes[i]);
        assert_true(sn_zigzag_decode(codes[i]) == numbers[i]);
        const uint8_t *end = sn_varint_put_signed(bytes, numbers[i]);
        assert_ptr_equal(sn_varint_get_signed(bytes, end, &back), end);
        assert_true(back == numbers[i]);
    }
}

static void numbers_are_stored_low_byte_first_at_any_address(void **state) {
    (void)state;
    uint8_t bytes[9] = {0};
    static const uint8_t expected[8] = {8, 7, 6, 5, 4, 3, 2, 1};
    sn_store_u64le(bytes + 1, UINT64_C(0x0102030405060708));
    assert_memory_equal(bytes + 1, expected, 8);
    assert_true(sn_load_u64le(bytes + 1) == UINT64_C(0x0102030405060708));
    assert_int_equal(sn_load_u32le(bytes + 1), 0x05060708);
    assert_int_equal(sn_load_u16le(bytes + 1), 0x0708);
    sn_store_u32le(bytes + 1, 0xa1b2c3d4);
    sn_store_u16le(bytes + 5, 0xe5f6);
    static const uint8_t changed[6] = {0xd4, 0xc3, 0xb2, 0xa1, 0xf6, 0xe5};
    assert_memory_equal(bytes + 1, changed, 6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_varint_comes_back_at_every_bit_length),
        cmocka_unit_test(a_varint_that_ends_early_is_refused_at_every_length),
        cmocka_unit_test(ten_bytes_are_read_and_eleven_or_too_many_bits_are_not),
        cmocka_unit_test(null_passes_through_a_chain),
        cmocka_unit_test(zigzag_puts_small_magnitudes_first_and_comes_back),
        cmocka_unit_test(numbers_are_stored_low_byte_first_at_any_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
