/* Tests of the memory seam. */
#include "base/mem.h"

#include "base/lock.h"
#include "base/os.h"
#include "base_support.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

static void blocks_are_usable_and_counted(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    unsigned char *plain = sn_alloc(100);
    unsigned char *zeroed = sn_alloc_zero(10, 10);
    unsigned char *aligned = sn_alloc_aligned(64, 100);
    unsigned char *array = sn_realloc_array(NULL, 10, 10);
    assert_true(plain && zeroed && aligned && array);
    memset(plain, 1, 100);
    memset(array, 1, 100);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(zeroed[i] | aligned[i], 0);
    assert_int_equal((uintptr_t)aligned % 64, 0);
    if (HAS_FAULTS)
        assert_int_equal(sn_mem_block_count() - before, 4);
    sn_free(plain);
    sn_free(zeroed);
    sn_free(aligned);
    sn_free(array);
    sn_free(NULL);
    assert_int_equal(sn_mem_block_count(), before);
}

static void huge_memory_is_aligned_zeroed_and_given_back(void **state) {
    (void)state;
    size_t size = 2 * SN_HUGE_PAGE_BYTES;
    int64_t before = sn_mem_block_count();
    for (int i = 0; i < 3; i++) {
        unsigned char *huge = sn_alloc_huge(size);
        assert_non_null(huge);
        assert_int_equal((uintptr_t)huge % SN_HUGE_PAGE_BYTES, 0);
        for (size_t at = 0; at < size; at += 512)
            assert_int_equal(huge[at], 0);
        huge[size - 1] = 0xff;
        if (HAS_FAULTS)
            assert_int_equal(sn_mem_block_count() - before, 1);
        sn_free_huge(huge, size);
        assert_int_equal(sn_mem_block_count(), before);
    }
    sn_free_huge(NULL, size);
    assert_int_equal(sn_mem_block_count(), before);
}

static void size_zero_gives_a_block_of_its_own(void **state) {
    (void)state;
    void *blocks[] = {sn_alloc(0), sn_alloc_zero(0, 8), sn_alloc_aligned(8, 0),
                      sn_realloc_array(NULL, 0, 8)};
    for (size_t i = 0; i < 4; i++) {
        assert_non_null(blocks[i]);
        sn_free(blocks[i]);
    }
}

static void small_alignments_work_too(void **state) {
    (void)state;
    for (size_t alignment = 1; alignment <= 4096; alignment *= 2) {
        void *ptr = sn_alloc_aligned(alignment, 3);
        assert_non_null(ptr);
        assert_int_equal((uintptr_t)ptr % alignment, 0);
        sn_free(ptr);
    }
}

static void sizes_that_no_object_can_have_fail(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    size_t too_large = (size_t)PTRDIFF_MAX + 1;
    assert_null(sn_alloc(too_large));
    assert_null(sn_alloc(SIZE_MAX));
    assert_null(sn_alloc_zero(too_large, 1));
    assert_null(sn_alloc_zero(SIZE_MAX / 2, 3));
    assert_null(sn_alloc_aligned(64, SIZE_MAX));
    assert_null(sn_realloc_array(NULL, SIZE_MAX, 2));
    assert_null(sn_strndup("x", SIZE_MAX));
    assert_int_equal(sn_mem_block_count(), before);
}

static void realloc_keeps_contents_and_the_old_block_on_failure(void **state) {
    (void)state;
    uint32_t *numbers = sn_realloc_array(NULL, 4, sizeof(*numbers));
    assert_non_null(numbers);
    for (uint32_t i = 0; i < 4; i++)
        numbers[i] = i;
    assert_null(sn_realloc_array(numbers, SIZE_MAX / 2, sizeof(*numbers)));
    uint32_t *larger = sn_realloc_array(numbers, 4000, sizeof(*numbers));
    assert_non_null(larger);
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(larger[i], i);
    sn_free(larger);
}

static void copies_of_text_end_with_nul(void **state) {
    (void)state;
    char *whole = sn_strdup("whole");
    char *part = sn_strndup("part of it", 4);
    char *empty = sn_strndup(NULL, 0);
    assert_string_equal(whole, "whole");
    assert_string_equal(part, "part");
    assert_string_equal(empty, "");
    sn_free(whole);
    sn_free(part);
    sn_free(empty);
}

static void cleanup_frees_and_take_moves_out(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    char *kept = NULL;
    {
        SN_CLEANUP(sn_free_ptr) char *freed = sn_strdup("freed");
        SN_CLEANUP(sn_free_ptr) char *moved = sn_strdup("moved");
        assert_non_null(freed);
        kept = SN_TAKE(moved);
        assert_null(moved);
    }
    assert_string_equal(kept, "moved");
    sn_free(kept);
    assert_int_equal(sn_mem_block_count(), before);
}

static void exactly_the_nth_allocation_fails(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    for (uint64_t n = 1; n <= 5; n++) {
        sn_mem_fail_nth(n);
        for (uint64_t i = 1; i <= 6; i++) {
            void *ptr = sn_alloc(1);
            assert_int_equal(ptr == NULL, i == n);
            assert_int_equal(sn_mem_fail_fired(), i >= n);
            sn_free(ptr);
        }
    }
    sn_mem_fail_nth(0);
    assert_false(sn_mem_fail_fired());
}

static void all_kinds_of_allocation_can_fail(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    char *old = sn_strdup("old");
    sn_mem_fail_from(1);
    assert_null(sn_alloc(1));
    assert_null(sn_alloc_zero(1, 1));
    assert_null(sn_alloc_aligned(64, 1));
    assert_null(sn_alloc_huge(SN_HUGE_PAGE_BYTES));
    assert_null(sn_realloc_array(old, 1, 1));
    assert_null(sn_strdup("x"));
    assert_null(sn_strndup("x", 1));
    sn_mem_fail_from(0);
    assert_string_equal(old, "old");
    sn_free(old);
}

static void huge_memory_that_cannot_be_mapped_is_none(void **state) {
    (void)state;
    if (!HAS_FAULTS || !SN_HUGE_IS_MAPPED)
        skip();
    int64_t before = sn_mem_block_count();
    sn_fault_arm(SN_FAULT_MMAP, 1, 1, ENOMEM);
    assert_null(sn_alloc_huge(SN_HUGE_PAGE_BYTES));
    sn_fault_disarm_all();
    assert_int_equal(sn_mem_block_count(), before);
}

static void fail_from_lasts_until_disarmed(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    sn_mem_fail_from(3);
    for (int i = 1; i <= 5; i++) {
        void *ptr = sn_alloc(1);
        assert_int_equal(ptr == NULL, i >= 3);
        sn_free(ptr);
    }
    sn_mem_fail_from(0);
    void *ptr = sn_alloc(1);
    assert_non_null(ptr);
    sn_free(ptr);
}

static void allocate_once(void *ctx) {
    void **ret_ptr = ctx;
    *ret_ptr = sn_alloc(1);
}

static void an_armed_failure_concerns_its_own_thread_only(void **state) {
    (void)state;
    struct sn_thread thread = {0};
    void *ptr = NULL;
    sn_mem_fail_from(1);
    assert_int_equal(sn_thread_start(&thread, "other", allocate_once, &ptr, NULL), SN_OK);
    sn_thread_join(&thread);
    sn_mem_fail_from(0);
    assert_non_null(ptr);
    sn_free(ptr);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_are_usable_and_counted),
        cmocka_unit_test(huge_memory_is_aligned_zeroed_and_given_back),
        cmocka_unit_test(size_zero_gives_a_block_of_its_own),
        cmocka_unit_test(small_alignments_work_too),
        cmocka_unit_test(sizes_that_no_object_can_have_fail),
        cmocka_unit_test(realloc_keeps_contents_and_the_old_block_on_failure),
        cmocka_unit_test(copies_of_text_end_with_nul),
        cmocka_unit_test(cleanup_frees_and_take_moves_out),
        cmocka_unit_test(exactly_the_nth_allocation_fails),
        cmocka_unit_test(all_kinds_of_allocation_can_fail),
        cmocka_unit_test(huge_memory_that_cannot_be_mapped_is_none),
        cmocka_unit_test(fail_from_lasts_until_disarmed),
        cmocka_unit_test(an_armed_failure_concerns_its_own_thread_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
