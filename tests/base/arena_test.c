/* Tests of the arena. */
#include "base/arena.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/rng.h"
#include "base_support.h"

#include <stdint.h>

#define HEADER_BYTES 16 /* of one block */

static void allocations_are_aligned_distinct_and_survive(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_rng rng;
    static unsigned char *ptrs[2000];
    static size_t sizes[2000];
    sn_arena_init(&arena, 0);
    sn_rng_init(&rng, 5);
    for (size_t i = 0; i < 2000; i++) {
        sizes[i] = sn_rng_below(&rng, i % 100 == 0 ? 100000 : 200);
        ptrs[i] = sn_arena_alloc(&arena, sizes[i]);
        assert_non_null(ptrs[i]);
        assert_int_equal((uintptr_t)ptrs[i] % 16, 0);
        memset(ptrs[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < 2000; i++) {
        for (size_t j = 0; j < sizes[i]; j++)
            assert_int_equal(ptrs[i][j], i % 251);
    }
    assert_true(arena.used <= arena.limit);
    sn_arena_release(&arena);
    assert_int_equal(arena.used, 0);
}

static void size_zero_gives_a_pointer_of_its_own(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    void *first = sn_arena_alloc(&arena, 0);
    void *second = sn_arena_alloc(&arena, 0);
    assert_non_null(first);
    assert_true(first != second);
    sn_arena_release(&arena);
}

static void zeroed_allocations_are_zero_also_in_reused_memory(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    void *first = sn_arena_alloc(&arena, 1000);
    assert_non_null(first);
    memset(first, 0xFF, 1000);
    sn_arena_reset(&arena);
    unsigned char *zeroed = sn_arena_alloc_zero(&arena, 100, 10);
    assert_ptr_equal(zeroed, first);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(zeroed[i], 0);
    assert_null(sn_arena_alloc_zero(&arena, SIZE_MAX, 2));
    sn_arena_release(&arena);
}

static void the_limit_holds_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_err err = {0};
    sn_arena_init(&arena, 1024);
    assert_null(sn_arena_alloc(&arena, 1024 - HEADER_BYTES + 1));
    assert_int_equal(sn_arena_failure(&arena, 1024 - HEADER_BYTES + 1, &err), SN_ERR_LIMIT);
    assert_string_equal(err.text,
                        "1009 more bytes of memory needed, 0 are held, the limit is 1024");
    assert_non_null(sn_arena_alloc(&arena, 1024 - HEADER_BYTES));
    assert_int_equal(arena.used, 1024);
    assert_null(sn_arena_alloc(&arena, 1));
    sn_arena_release(&arena);
}

static void small_allocations_use_up_the_whole_limit(void **state) {
    (void)state;
    struct sn_arena arena;
    size_t limit = (size_t)1 << 20;
    size_t count = 0;
    sn_arena_init(&arena, limit);
    while (sn_arena_alloc(&arena, 16) != NULL)
        count++;
    assert_true(count * 16 > limit - limit / 100);
    assert_true(arena.used <= limit);
    assert_int_equal(sn_arena_failure(&arena, 16, NULL), SN_ERR_LIMIT);
    sn_arena_release(&arena);
}

static void sizes_that_overflow_fail(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, SIZE_MAX);
    assert_null(sn_arena_alloc(&arena, SIZE_MAX));
    assert_null(sn_arena_alloc(&arena, SIZE_MAX - 16));
    assert_null(sn_arena_alloc(&arena, PTRDIFF_MAX));
    assert_int_equal(sn_arena_failure(&arena, SIZE_MAX, NULL), SN_ERR_LIMIT);
    assert_int_equal(sn_arena_failure(&arena, 1, NULL), SN_ERR_NO_MEMORY);
    sn_arena_release(&arena);
}

static void a_large_allocation_does_not_end_the_block_of_the_small_ones(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    char *before = sn_arena_alloc(&arena, 16);
    assert_non_null(sn_arena_alloc(&arena, 500000));
    char *after = sn_arena_alloc(&arena, 16);
    assert_ptr_equal(after, before + 16);
    sn_arena_release(&arena);
}

static void reset_keeps_the_largest_block_only(void **state) {
    (void)state;
    struct sn_arena arena;
    int64_t before = sn_mem_block_count();
    sn_arena_init(&arena, 0);
    sn_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    for (int i = 0; i < 10000; i++)
        assert_non_null(sn_arena_alloc(&arena, 100));
    void *large = sn_arena_alloc(&arena, 5000000);
    assert_non_null(large);
    sn_arena_reset(&arena);
    if (HAS_FAULTS)
        assert_int_equal(sn_mem_block_count() - before, 1);
    assert_int_equal(arena.used, 5000000 + HEADER_BYTES);
    assert_ptr_equal(sn_arena_alloc(&arena, 5000000), large);
    sn_arena_release(&arena);
    assert_int_equal(sn_mem_block_count(), before);
}

static void copies_and_printed_text_live_in_the_arena(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_str copy;
    sn_arena_init(&arena, 0);
    assert_true(sn_arena_copy(&arena, SN_STR("some\0bytes"), &copy));
    assert_true(sn_str_equal(copy, SN_STR("some\0bytes")));
    assert_true(sn_arena_copy(&arena, sn_str_make(NULL, 0), &copy));
    assert_int_equal(copy.len, 0);
    assert_non_null(copy.ptr);
    assert_string_equal(sn_arena_printf(&arena, "%d-%s", 5, "x"), "5-x");
    assert_string_equal(sn_arena_printf(&arena, "%s", ""), "");
    sn_arena_release(&arena);
}

static void a_copy_beyond_the_limit_gives_nothing(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_str copy = SN_STR("before");
    sn_arena_init(&arena, 8);
    assert_false(sn_arena_copy(&arena, SN_STR("text"), &copy));
    assert_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    assert_null(sn_arena_printf(&arena, "text"));
    sn_arena_release(&arena);
}

static void an_array_grows_and_keeps_its_items(void **state) {
    (void)state;
    struct sn_arena arena;
    int *items = NULL;
    size_t capacity = 0;
    sn_arena_init(&arena, 0);
    for (int i = 0; i < 1000; i++) {
        int *before = items;
        bool is_full = (size_t)i == capacity;
        assert_int_equal(sn_arena_grow(&arena, &items, (size_t)i, &capacity, sizeof *items, NULL),
                         SN_OK);
        assert_int_equal(items != before, is_full); /* as long as there is room it stays */
        assert_true(capacity > (size_t)i);
        for (size_t j = (size_t)i; is_full && j < capacity; j++)
            assert_int_equal(items[j], 0);
        items[i] = i + 1;
    }
    assert_int_equal(capacity, 1024);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(items[i], i + 1);
    sn_arena_release(&arena);
}

static void an_array_that_cannot_grow_stays(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_err err = {0};
    char *items = NULL;
    size_t capacity = 0;
    sn_arena_init(&arena, 4096);
    assert_int_equal(sn_arena_grow(&arena, &items, 0, &capacity, 100, &err), SN_OK);
    assert_int_equal(capacity, 16);
    memset(items, 'a', 1600);
    char *before = items;
    assert_int_equal(sn_arena_grow(&arena, &items, 16, &capacity, 100, &err), SN_ERR_LIMIT);
    assert_ptr_equal(items, before);
    assert_int_equal(capacity, 16);
    assert_int_equal(items[1599], 'a');
    assert_non_null(strstr(err.text, "3200 more bytes"));
    if (HAS_FAULTS) {
        size_t none = 0;
        char *others = NULL;
        struct sn_arena empty;
        sn_arena_init(&empty, 0);
        sn_mem_fail_nth(1);
        assert_int_equal(sn_arena_grow(&empty, &others, 0, &none, 8, &err), SN_ERR_NO_MEMORY);
        sn_mem_fail_nth(0);
        assert_null(others);
        assert_int_equal(none, 0);
        sn_arena_release(&empty);
    }
    sn_arena_release(&arena);
}

static bool fill(struct sn_arena *arena) {
    struct sn_str copy;
    for (int i = 0; i < 3000; i++) {
        if (sn_arena_alloc(arena, 100) == NULL)
            return false;
    }
    return sn_arena_alloc(arena, 1000000) != NULL && sn_arena_copy(arena, SN_STR("x"), &copy) &&
           sn_arena_printf(arena, "%0*d", 200000, 1) != NULL;
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    int64_t before = sn_mem_block_count();
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_arena arena;
        struct sn_err err = {0};
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(n);
        bool is_full = fill(&arena);
        has_failed = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(is_full, !has_failed);
        assert_int_equal(sn_arena_failure(&arena, 100, &err), SN_ERR_NO_MEMORY);
        assert_true(fill(&arena)); /* a failure is no lasting damage */
        sn_arena_release(&arena);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(allocations_are_aligned_distinct_and_survive),
        cmocka_unit_test(size_zero_gives_a_pointer_of_its_own),
        cmocka_unit_test(zeroed_allocations_are_zero_also_in_reused_memory),
        cmocka_unit_test(the_limit_holds_at_both_sides_of_the_boundary),
        cmocka_unit_test(small_allocations_use_up_the_whole_limit),
        cmocka_unit_test(sizes_that_overflow_fail),
        cmocka_unit_test(a_large_allocation_does_not_end_the_block_of_the_small_ones),
        cmocka_unit_test(reset_keeps_the_largest_block_only),
        cmocka_unit_test(copies_and_printed_text_live_in_the_arena),
        cmocka_unit_test(a_copy_beyond_the_limit_gives_nothing),
        cmocka_unit_test(an_array_grows_and_keeps_its_items),
        cmocka_unit_test(an_array_that_cannot_grow_stays),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
