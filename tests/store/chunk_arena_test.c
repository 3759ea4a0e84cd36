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
static void pieces_of_all_sizes_do_not_overlap(void **state) {
    (void)state;
    enum { COUNT = 9000 };
    struct sn_chunk_arena arena;
    static uint32_t refs[COUNT];
    sn_chunk_arena_init(&arena);
    for (unsigned i = 0; i < COUNT; i++) {
        size_t len = 1 + (i * 37) % 800;
        assert_int_equal(sn_chunk_arena_take(&arena, len, &refs[i]), SN_OK);
        assert_true(refs[i] != 0);
        memset(sn_chunk_arena_bytes(&arena, refs[i]), (int)(i % 251), len);
    }
    for (unsigned i = 0; i < COUNT; i++) {
        const uint8_t *bytes = sn_chunk_arena_bytes(&arena, refs[i]);
        assert_int_equal(bytes[0], i % 251);
        assert_int_equal(bytes[(i * 37) % 800], i % 251);
    }
    sn_chunk_arena_release(&arena);
}

static void a_failing_allocation_takes_nothing(void **state) {
    (void)state;
    struct sn_chunk_arena arena;
    uint32_t ref;
    sn_chunk_arena_init(&arena);
    sn_mem_fail_nth(2);
    assert_int_equal(sn_chunk_arena_take(&arena, 16, &ref), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_int_equal(sn_chunk_arena_take(&arena, 16, &ref), SN_OK);
    assert_int_equal(ref, 1);
    sn_chunk_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_of_all_sizes_do_not_overlap),
        cmocka_unit_test(a_failing_allocation_takes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
