/* Arrays that grow without moving. */
#include "store/blocks.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void items_never_move_and_begin_as_zero(void **state) {
    (void)state;
    struct sn_blocks blocks;
    int64_t before = sn_mem_block_count();
    sn_blocks_init(&blocks, sizeof(uint32_t), 4, 8);
    assert_int_equal(sn_blocks_reach(&blocks, 3), SN_OK);
    uint32_t *first = sn_blocks_at(&blocks, 3);
    assert_int_equal(*first, 0);
    *first = 77;
    assert_int_equal(sn_blocks_reach(&blocks, 127), SN_OK);
    assert_ptr_equal(sn_blocks_at(&blocks, 3), first);
    assert_int_equal(*(uint32_t *)sn_blocks_at(&blocks, 127), 0);
    assert_int_equal(sn_blocks_bytes(&blocks), 128 * sizeof(uint32_t));
    sn_blocks_release(&blocks);
    assert_int_equal(sn_mem_block_count(), before);
}

static void the_limit_holds_at_both_sides(void **state) {
    (void)state;
    struct sn_blocks blocks;
    sn_blocks_init(&blocks, 1, 4, 2);
    assert_int_equal(sn_blocks_reach(&blocks, 31), SN_OK);
    assert_int_equal(sn_blocks_reach(&blocks, 32), SN_ERR_LIMIT);
    sn_blocks_release(&blocks);
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 3; n++) {
        struct sn_blocks blocks;
        sn_blocks_init(&blocks, 8, 2, 4);
        sn_mem_fail_nth(n);
        assert_int_equal(sn_blocks_reach(&blocks, 7), SN_ERR_NO_MEMORY);
        sn_mem_fail_nth(0);
        assert_int_equal(sn_blocks_reach(&blocks, 7), SN_OK);
        sn_blocks_release(&blocks);
    }
}

static void a_reset_array_is_empty_and_zeroed_again(void **state) {
    (void)state;
    struct sn_blocks blocks;
    sn_blocks_init(&blocks, 1, 4, 2);
    assert_int_equal(sn_blocks_reach(&blocks, 0), SN_OK);
    *(uint8_t *)sn_blocks_at(&blocks, 0) = 1;
    sn_blocks_reset(&blocks);
    assert_int_equal(sn_blocks_bytes(&blocks), 0);
    assert_int_equal(sn_blocks_reach(&blocks, 0), SN_OK);
    assert_int_equal(*(uint8_t *)sn_blocks_at(&blocks, 0), 0);
    sn_blocks_release(&blocks);
}

static void dropped_blocks_read_as_zeros(void **state) {
    (void)state;
    struct sn_blocks blocks;
    sn_blocks_init(&blocks, 1, 4, 4);
    assert_int_equal(sn_blocks_reach(&blocks, 63), SN_OK);
    for (size_t i = 0; i < 64; i++)
        *(uint8_t *)sn_blocks_at(&blocks, i) = 1;
    sn_mem_fail_nth(1);
    sn_blocks_drop(&blocks, 1);
    sn_mem_fail_nth(0);
    assert_false(sn_blocks_is_dropped(&blocks, 1)); /* no memory for zeros: it stays */
    sn_blocks_drop(&blocks, 1);
    sn_blocks_drop(&blocks, 1);
    sn_blocks_drop(&blocks, 3);
    for (size_t i = 0; i < 64; i++)
        assert_int_equal(*(uint8_t *)sn_blocks_at(&blocks, i), i / 16 % 2 == 0);
    assert_int_equal(sn_blocks_reach(&blocks, 63), SN_OK);
    assert_true(sn_blocks_is_dropped(&blocks, 3));
    sn_blocks_reset(&blocks);
    assert_int_equal(sn_blocks_reach(&blocks, 63), SN_OK);
    assert_false(sn_blocks_is_dropped(&blocks, 3));
    sn_blocks_release(&blocks);
}

/* Blocks of whole huge pages, all but the first of them mapped. */
static void huge_blocks_are_as_others(void **state) {
    (void)state;
    enum { SHIFT = 17, ITEMS = 3 << SHIFT, STEP = 4099 };
    int64_t before = sn_mem_block_count();
    struct sn_blocks blocks;
    sn_blocks_init(&blocks, 16, SHIFT, 3);
    for (int round = 0; round < 2; round++) {
        for (uint64_t n = 1; n < 4; n++) {
            sn_mem_fail_nth(n);
            assert_int_equal(sn_blocks_reach(&blocks, ITEMS - 1), SN_ERR_NO_MEMORY);
            sn_mem_fail_nth(0);
            sn_blocks_reset(&blocks);
        }
        assert_int_equal(sn_blocks_reach(&blocks, ITEMS - 1), SN_OK);
        for (size_t i = 0; i < ITEMS; i += STEP) {
            uint64_t *item = sn_blocks_at(&blocks, i);
            assert_int_equal(item[0] | item[1], 0);
            item[1] = i + 1;
        }
        sn_blocks_drop(&blocks, (size_t)round);
        for (size_t i = 0; i < ITEMS; i += STEP) {
            const uint64_t *item = sn_blocks_at(&blocks, i);
            assert_int_equal(item[1], i >> SHIFT == (size_t)round ? 0 : i + 1);
        }
        sn_blocks_reset(&blocks);
    }
    sn_blocks_release(&blocks);
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(items_never_move_and_begin_as_zero),
        cmocka_unit_test(the_limit_holds_at_both_sides),
        cmocka_unit_test(every_failing_allocation_is_reported),
        cmocka_unit_test(a_reset_array_is_empty_and_zeroed_again),
        cmocka_unit_test(dropped_blocks_read_as_zeros),
        cmocka_unit_test(huge_blocks_are_as_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
