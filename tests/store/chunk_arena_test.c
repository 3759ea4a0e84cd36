/* Pieces of memory for open chunks. */
#include "store/chunk_arena.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Each piece is filled with its number; at the end all of them still have it. */
static void pieces_of_all_classes_do_not_overlap(void **state) {
    (void)state;
    enum { COUNT = 3000 };
    struct sn_chunk_arena arena;
    uint32_t refs[COUNT];
    sn_chunk_arena_init(&arena);
    for (unsigned i = 0; i < COUNT; i++) {
        unsigned class = i % SN_CHUNK_CLASS_COUNT;
        assert_int_equal(sn_chunk_arena_take(&arena, class, &refs[i]), SN_OK);
        assert_true(refs[i] != 0);
        memset(sn_chunk_arena_bytes(&arena, refs[i]), (int)(i % 251), sn_chunk_class_bytes(class));
    }
    for (unsigned i = 0; i < COUNT; i++) {
        const uint8_t *bytes = sn_chunk_arena_bytes(&arena, refs[i]);
        size_t len = sn_chunk_class_bytes(i % SN_CHUNK_CLASS_COUNT);
        assert_int_equal(bytes[0], i % 251);
        assert_int_equal(bytes[len - 1], i % 251);
    }
    sn_chunk_arena_release(&arena);
}

static void a_piece_that_was_given_back_is_taken_first(void **state) {
    (void)state;
    struct sn_chunk_arena arena;
    uint32_t a;
    uint32_t b;
    uint32_t again;
    sn_chunk_arena_init(&arena);
    assert_int_equal(sn_chunk_arena_take(&arena, 2, &a), SN_OK);
    assert_int_equal(sn_chunk_arena_take(&arena, 2, &b), SN_OK);
    sn_chunk_arena_give_back(&arena, 2, a);
    sn_chunk_arena_give_back(&arena, 2, b);
    assert_int_equal(sn_chunk_arena_take(&arena, 2, &again), SN_OK);
    assert_int_equal(again, b);
    assert_int_equal(sn_chunk_arena_take(&arena, 2, &again), SN_OK);
    assert_int_equal(again, a);
    sn_chunk_arena_reset(&arena);
    assert_int_equal(sn_chunk_arena_take(&arena, 2, &again), SN_OK);
    assert_int_equal(again, 1);
    sn_chunk_arena_release(&arena);
}

static void a_failing_allocation_takes_nothing(void **state) {
    (void)state;
    struct sn_chunk_arena arena;
    uint32_t ref;
    sn_chunk_arena_init(&arena);
    sn_mem_fail_nth(2);
    assert_int_equal(sn_chunk_arena_take(&arena, 0, &ref), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_int_equal(sn_chunk_arena_take(&arena, 0, &ref), SN_OK);
    assert_int_equal(ref, 1);
    sn_chunk_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_all_classes_do_not_overlap),
        cmocka_unit_test(a_piece_that_was_given_back_is_taken_first),
        cmocka_unit_test(a_failing_allocation_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
