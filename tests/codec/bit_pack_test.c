/* Mini-blocks of packed integers with patches. */
#include "codec/bit_pack_priv.h"

#include "chunk_support.h"
#include "codec/bits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES_MAX = SN_PACK_COUNT_MAX * 8 + 64 };

/* Write at the chosen width and read back from memory of exactly that size. */
static void check_round_trip(const uint64_t *residuals, size_t count) {
    uint8_t bytes[BYTES_MAX];
    uint64_t back[SN_PACK_COUNT_MAX];
    size_t size;
    unsigned width = sn_pack_choose_width(residuals, count, &size);
    assert_true(size <= 1 + 8 * count);
    assert_int_equal(sn_pack_write(residuals, count, width, bytes, bytes + sizeof(bytes)) - bytes,
                     size);
    uint8_t *exact = exact_copy(bytes, size);
    assert_ptr_equal(sn_pack_read(exact, exact + size, count, back), exact + size);
    assert_memory_equal(back, residuals, count * sizeof(*back));
    free(exact);
    /* With bytes behind it, the unpackers read in place. */
    assert_ptr_equal(sn_pack_read(bytes, bytes + sizeof(bytes), count, back), bytes + size);
    assert_memory_equal(back, residuals, count * sizeof(*back));
}

static void every_width_and_count_comes_back(void **state) {
    (void)state;
    struct noise noise = {3};
    for (unsigned width = 0; width <= 64; width++) {
        for (size_t count = 1; count <= SN_PACK_COUNT_MAX; count++) {
            uint64_t residuals[SN_PACK_COUNT_MAX];
            for (size_t i = 0; i < count; i++) {
                residuals[i] = noise_next(&noise) & sn_bit_mask(width);
            }
            residuals[noise_below(&noise, count)] = sn_bit_mask(width);
            check_round_trip(residuals, count);
        }
    }
}

static void outliers_are_patched(void **state) {
    (void)state;
    struct noise noise = {4};
    for (unsigned round = 0; round < 2000; round++) {
        uint64_t residuals[SN_PACK_COUNT_MAX];
        size_t count = 1 + noise_below(&noise, SN_PACK_COUNT_MAX);
        for (size_t i = 0; i < count; i++) {
            residuals[i] = noise_below(&noise, 12) == 0
                               ? noise_next(&noise) >> noise_below(&noise, 64)
                               : noise_below(&noise, 16);
        }
        check_round_trip(residuals, count);
    }
    uint64_t one_outlier[SN_PACK_COUNT_MAX] = {[77] = UINT64_MAX};
    size_t size;
    assert_int_equal(sn_pack_choose_width(one_outlier, SN_PACK_COUNT_MAX, &size), 0);
    assert_int_equal(size, 2 + 1 + 10);
    check_round_trip(one_outlier, SN_PACK_COUNT_MAX);
}

static void no_other_width_would_be_smaller(void **state) {
    (void)state;
    struct noise noise = {5};
    for (unsigned round = 0; round < 300; round++) {
        uint64_t residuals[SN_PACK_COUNT_MAX];
        size_t count = 1 + noise_below(&noise, SN_PACK_COUNT_MAX);
        for (size_t i = 0; i < count; i++) {
            residuals[i] = noise_next(&noise) >> noise_below(&noise, 64) >> 10;
        }
        size_t size;
        sn_pack_choose_width(residuals, count, &size);
        for (unsigned width = 0; width <= 64; width++) {
            uint8_t bytes[SN_PACK_COUNT_MAX * 20];
            const uint8_t *end =
                sn_pack_write(residuals, count, width, bytes, bytes + sizeof(bytes));
            assert_true((size_t)(end - bytes) >= size);
        }
    }
}

/* Expect that these bytes are refused as a mini-block of `count`. */
static void check_refused(const char *bytes, size_t len, size_t count) {
    uint64_t residuals[SN_PACK_COUNT_MAX];
    uint8_t *exact = exact_copy(bytes, len);
    assert_null(sn_pack_read(exact, exact + len, count, residuals));
    free(exact);
}

static void malformed_mini_blocks_are_refused(void **state) {
    (void)state;
    check_refused("", 0, 1);
    check_refused("\x41", 1, 1);                              /* width 65 */
    check_refused("\x01", 1, 8);                              /* packed bytes missing */
    check_refused("\x80", 1, 8);                              /* no patch count */
    check_refused("\x80\x00", 2, 8);                          /* no patch in a patched block */
    check_refused("\x80\x09\0\0\0\0\0\0\0\0\0\0\0\0", 14, 8); /* more patches than integers */
    check_refused("\x80\x01", 2, 8);                          /* position missing */
    check_refused("\x80\x01\x08\x01", 4, 8);                  /* position out of range */
    check_refused("\x80\x01\x07", 3, 8);                      /* high part missing */
    check_refused("\x80\x01\x07\x80", 4, 8);                  /* high part ends early */
    check_refused("\xc0\x01\0\0\0\0\0\0\0\0\x00\x01", 12, 1); /* a patch above 64 bits */
    check_refused("\xff\x01\0\0\0\0\0\0\0\0\x00\x01", 12, 1); /* width 127 */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_width_and_count_comes_back),
        cmocka_unit_test(outliers_are_patched),
        cmocka_unit_test(no_other_width_would_be_smaller),
        cmocka_unit_test(malformed_mini_blocks_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
