/* Blocks of series: all come back, small, and what is damaged is refused. */
#include "store/series_block.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void fill(struct sn_buf *raw, int count) {
    for (int i = 0; i < count; i++) {
        char text[80];
        int len =
            snprintf(text, sizeof text, "node_metric_%03d{instance=\"10.0.0.%d:9100\"}", i % 90, i);
        sn_series_block_add(raw, sn_str_make(text, (size_t)len));
    }
    assert_int_equal(raw->status, SN_OK);
}

static void all_series_come_back_in_few_bytes(void **state) {
    (void)state;
    for (int count = 1; count < 9000; count = count * 8 + 1) {
        struct sn_buf raw;
        struct sn_buf packed;
        struct sn_buf again;
        sn_buf_init(&raw, 0);
        sn_buf_init(&packed, 0);
        sn_buf_init(&again, 0);
        fill(&raw, count);
        assert_int_equal(sn_series_block_pack(sn_buf_str(&raw), &packed), SN_OK);
        assert_true(count < 500 || packed.len < (size_t)count * 8);
        assert_int_equal(sn_series_block_unpack(sn_buf_str(&packed), &again, NULL), SN_OK);
        assert_true(sn_str_equal(sn_buf_str(&raw), sn_buf_str(&again)));
        const uint8_t *at = again.ptr;
        struct sn_str labels;
        int found = 0;
        while (sn_series_block_next(&at, again.ptr + again.len, &labels))
            found++;
        assert_int_equal(found, count);
        assert_true(at == again.ptr + again.len);
        assert_false(sn_series_block_next(&at, again.ptr + again.len, &labels));
        sn_buf_release(&raw);
        sn_buf_release(&packed);
        sn_buf_release(&again);
    }
}

static void the_largest_block_is_read(void **state) {
    (void)state;
    static char text[SN_LABELS_BYTES_MAX];
    struct sn_buf raw;
    struct sn_buf packed;
    struct sn_buf again;
    sn_buf_init(&raw, 0);
    sn_buf_init(&packed, 0);
    sn_buf_init(&again, 0);
    memset(text, 'x', sizeof text);
    while (raw.len < SN_SERIES_BLOCK_BYTES) /* as its writer does */
        sn_series_block_add(&raw, sn_str_make(text, sizeof text));
    assert_int_equal(sn_series_block_pack(sn_buf_str(&raw), &packed), SN_OK);
    assert_int_equal(sn_series_block_unpack(sn_buf_str(&packed), &again, NULL), SN_OK);
    sn_series_block_add(&raw, sn_str_make(text, sizeof text));
    assert_int_equal(sn_series_block_pack(sn_buf_str(&raw), &packed), SN_OK);
    assert_int_equal(sn_series_block_unpack(sn_buf_str(&packed), &again, NULL), SN_ERR_CORRUPT);
    sn_buf_release(&raw);
    sn_buf_release(&packed);
    sn_buf_release(&again);
}

static void damage_is_refused(void **state) {
    (void)state;
    struct sn_buf raw;
    struct sn_buf packed;
    struct sn_buf again;
    sn_buf_init(&raw, 0);
    sn_buf_init(&packed, 0);
    sn_buf_init(&again, 0);
    fill(&raw, 60);
    assert_int_equal(sn_series_block_pack(sn_buf_str(&raw), &packed), SN_OK);
    for (size_t at = 0; at < packed.len; at++) {
        packed.ptr[at] ^= (uint8_t)(1u << at % 8);
        struct sn_str cut = {.ptr = (const char *)packed.ptr, .len = at};
        if (sn_series_block_unpack(sn_buf_str(&packed), &again, NULL) == SN_OK)
            assert_true(sn_str_equal(sn_buf_str(&raw), sn_buf_str(&again))); /* an unused bit */
        packed.ptr[at] ^= (uint8_t)(1u << at % 8);
        assert_int_equal(sn_series_block_unpack(cut, &again, NULL), SN_ERR_CORRUPT);
    }
    const uint8_t bytes[] = {3, 0, 'a', 'b'}; /* a length beyond the end */
    const uint8_t *at = bytes;
    struct sn_str labels;
    assert_false(sn_series_block_next(&at, bytes + sizeof bytes, &labels));
    assert_false(sn_series_block_next(&at, bytes + 1, &labels));
    assert_ptr_equal(at, bytes);
    sn_buf_release(&raw);
    sn_buf_release(&packed);
    sn_buf_release(&again);
}

static void no_memory_is_reported(void **state) {
    (void)state;
    struct sn_buf raw;
    struct sn_buf packed;
    struct sn_buf again;
    sn_buf_init(&raw, 0);
    sn_buf_init(&packed, 0);
    sn_buf_init(&again, 0);
    fill(&raw, 3);
    sn_mem_fail_nth(1);
    assert_int_equal(sn_series_block_pack(sn_buf_str(&raw), &packed), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_int_equal(sn_series_block_pack(sn_buf_str(&raw), &packed), SN_OK);
    sn_mem_fail_nth(1);
    assert_int_equal(sn_series_block_unpack(sn_buf_str(&packed), &again, NULL), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    sn_buf_release(&raw);
    sn_buf_release(&packed);
    sn_buf_release(&again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_series_come_back_in_few_bytes),
        cmocka_unit_test(the_largest_block_is_read),
        cmocka_unit_test(damage_is_refused),
        cmocka_unit_test(no_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
