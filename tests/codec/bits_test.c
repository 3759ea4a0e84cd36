/* Bit streams. */
#include "codec/bits.h"

#include "chunk_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { FIELD_COUNT = 300 };

static void the_first_bit_is_the_lowest_of_the_first_byte(void **state) {
    (void)state;
    uint8_t bytes[2] = {0xff, 0xff};
    struct sn_bit_writer writer;
    sn_bit_writer_init(&writer, bytes, sizeof(bytes));
    sn_bit_writer_put(&writer, 1, 1);
    sn_bit_writer_put(&writer, 0, 2);
    sn_bit_writer_put(&writer, 0x15, 6);
    assert_ptr_equal(sn_bit_writer_finish(&writer), bytes + 2);
    assert_int_equal(bytes[0], 0xa9);
    assert_int_equal(bytes[1], 0x00);
}

static void fields_of_every_width_come_back(void **state) {
    (void)state;
    struct noise noise = {1};
    for (unsigned round = 0; round < 200; round++) {
        uint64_t values[FIELD_COUNT];
        unsigned widths[FIELD_COUNT];
        size_t bit_count = 0;
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            widths[i] = (unsigned)noise_below(&noise, 65);
            values[i] = noise_next(&noise);
            bit_count += widths[i];
        }
        size_t len = (bit_count + 7) / 8;
        uint8_t *bytes = malloc(len);
        struct sn_bit_writer writer;
        sn_bit_writer_init(&writer, bytes, len);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            sn_bit_writer_put(&writer, values[i], widths[i]);
        }
        assert_ptr_equal(sn_bit_writer_finish(&writer), bytes + len);
        struct sn_bit_reader reader;
        sn_bit_reader_init(&reader, bytes, len);
        for (size_t i = 0; i < FIELD_COUNT; i++) {
            uint64_t back = sn_bit_reader_get(&reader, widths[i]);
            assert_true(back == (values[i] & sn_bit_mask(widths[i])));
        }
        assert_int_equal(sn_bit_reader_used(&reader), len);
        assert_false(reader.is_past_end);
        free(bytes);
    }
}

static void a_writer_that_is_full_says_so_and_writes_nothing_outside(void **state) {
    (void)state;
    for (size_t len = 0; len < 20; len++) {
        uint8_t *bytes = malloc(len > 0 ? len : 1);
        struct sn_bit_writer writer;
        sn_bit_writer_init(&writer, bytes, len);
        for (size_t i = 0; i < len * 8; i++) {
            sn_bit_writer_put(&writer, 1, 1);
        }
        assert_ptr_equal(sn_bit_writer_finish(&writer), bytes + len);
        sn_bit_writer_init(&writer, bytes, len);
        sn_bit_writer_put(&writer, UINT64_MAX, 3);
        for (size_t i = 0; i <= len / 8; i++) {
            sn_bit_writer_put(&writer, UINT64_MAX, 64);
        }
        assert_null(sn_bit_writer_finish(&writer));
        free(bytes);
    }
}

static void a_reader_at_its_end_gives_zero_and_remembers(void **state) {
    (void)state;
    uint8_t *bytes = exact_copy("\xff\xff\xff", 3);
    struct sn_bit_reader reader;
    sn_bit_reader_init(&reader, bytes, 3);
    assert_true(sn_bit_reader_get(&reader, 20) == 0xfffff);
    assert_true(sn_bit_reader_get(&reader, 5) == 0);
    assert_true(reader.is_past_end);
    assert_true(sn_bit_reader_get(&reader, 4) == 0xf);
    assert_true(sn_bit_reader_get(&reader, 0) == 0);
    assert_true(reader.is_past_end);
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_bit_is_the_lowest_of_the_first_byte),
        cmocka_unit_test(fields_of_every_width_come_back),
        cmocka_unit_test(a_writer_that_is_full_says_so_and_writes_nothing_outside),
        cmocka_unit_test(a_reader_at_its_end_gives_zero_and_remembers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
