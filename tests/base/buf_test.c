/* Tests of the growable buffer. */
#include "base/buf.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base_support.h"

static void an_empty_buffer_holds_no_memory(void **state) {
    (void)state;
    int64_t before = sn_mem_block_count();
    struct sn_buf buf;
    sn_buf_init(&buf, 10);
    assert_int_equal(sn_mem_block_count(), before);
    assert_int_equal(sn_buf_str(&buf).len, 0);
    assert_int_equal(sn_buf_status(&buf, NULL), SN_OK);
    sn_buf_put(&buf, NULL, 0);
    assert_int_equal(sn_buf_status(&buf, NULL), SN_OK);
    sn_buf_release(&buf);
}

static void zeroed_memory_is_a_buffer(void **state) {
    (void)state;
    struct sn_buf buf = {0};
    sn_buf_put_text(&buf, "text");
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("text")));
    sn_buf_release(&buf);
    sn_buf_release(&buf);
}

static void all_ways_to_append_append(void **state) {
    (void)state;
    struct sn_buf buf = {0};
    sn_buf_put(&buf, "ab", 2);
    sn_buf_put_byte(&buf, 'c');
    sn_buf_put_str(&buf, SN_STR("de"));
    sn_buf_put_text(&buf, "fg");
    sn_buf_printf(&buf, "%d%s", 12, "x");
    sn_buf_put_u16le(&buf, 0x0102);
    sn_buf_put_u32le(&buf, 0x01020304);
    sn_buf_put_u64le(&buf, UINT64_C(0x0102030405060708));
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("abcdefg12x\2\1\4\3\2\1\10\7\6\5\4\3\2\1")));
    sn_buf_release(&buf);
}

static void it_grows_and_keeps_contents(void **state) {
    (void)state;
    struct sn_buf buf = {0};
    for (size_t i = 0; i < 100000; i++)
        sn_buf_put_byte(&buf, (uint8_t)(i % 251));
    assert_int_equal(buf.len, 100000);
    for (size_t i = 0; i < 100000; i++)
        assert_int_equal(buf.ptr[i], i % 251);
    sn_buf_release(&buf);
}

static void the_limit_holds_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    static const size_t limits[] = {1, 2, 254, 255, 256, 257, 511, 1000, 100000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct sn_buf buf;
        sn_buf_init(&buf, limits[i]);
        for (size_t n = 0; n < limits[i]; n++)
            sn_buf_put_byte(&buf, 'x');
        assert_int_equal(sn_buf_status(&buf, NULL), SN_OK);
        assert_int_equal(buf.len, limits[i]);
        sn_buf_put_byte(&buf, 'y');
        assert_int_equal(sn_buf_status(&buf, NULL), SN_ERR_LIMIT);
        assert_int_equal(buf.len, limits[i]);
        assert_int_equal(buf.ptr[limits[i] - 1], 'x');
        sn_buf_release(&buf);
    }
}

static void one_append_of_limit_fits_and_of_one_more_does_not(void **state) {
    (void)state;
    static const char bytes[1001];
    for (size_t len = 1000; len <= 1001; len++) {
        struct sn_buf buf;
        sn_buf_init(&buf, 1000);
        sn_buf_put(&buf, bytes, len);
        assert_int_equal(sn_buf_status(&buf, NULL), len == 1000 ? SN_OK : SN_ERR_LIMIT);
        sn_buf_release(&buf);
    }
}

static void printf_fills_the_limit_to_the_last_byte(void **state) {
    (void)state;
    for (int len = 9; len <= 11; len++) {
        struct sn_buf buf;
        sn_buf_init(&buf, 10);
        sn_buf_printf(&buf, "%0*d", len, 7);
        assert_int_equal(sn_buf_status(&buf, NULL), len <= 10 ? SN_OK : SN_ERR_LIMIT);
        assert_int_equal(buf.len, len <= 10 ? len : 0);
        sn_buf_release(&buf);
    }
}

static void printf_grows_when_the_room_is_short(void **state) {
    (void)state;
    struct sn_buf buf = {0};
    for (int i = 0; i < 2000; i++)
        sn_buf_printf(&buf, "%05d", i);
    sn_buf_printf(&buf, "%0*d", 5000, 1);
    assert_int_equal(sn_buf_status(&buf, NULL), SN_OK);
    assert_int_equal(buf.len, 15000);
    assert_memory_equal(buf.ptr + 5 * 1234, "01234", 5);
    sn_buf_release(&buf);
}

static void the_first_failure_sticks_until_reset(void **state) {
    (void)state;
    struct sn_buf buf;
    struct sn_err err = {0};
    sn_buf_init(&buf, 4);
    sn_buf_put_text(&buf, "abc");
    sn_buf_put_text(&buf, "de");
    sn_buf_put_text(&buf, "f"); /* would fit, but something is missing before it */
    sn_buf_printf(&buf, "g");
    sn_buf_put_u16le(&buf, 1);
    assert_null(sn_buf_reserve(&buf, 0));
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("abc")));
    assert_int_equal(sn_buf_status(&buf, &err), SN_ERR_LIMIT);
    assert_string_equal(err.text, "buffer with 3 bytes reached its limit of 4 bytes");
    sn_buf_reset(&buf);
    sn_buf_put_text(&buf, "de");
    assert_int_equal(sn_buf_status(&buf, &err), SN_OK);
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("de")));
    sn_buf_release(&buf);
    assert_int_equal(buf.limit, 4);
}

static void sizes_that_overflow_reach_the_limit(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, SIZE_MAX);
    sn_buf_put_byte(&buf, 1);
    assert_null(sn_buf_reserve(&buf, SIZE_MAX));
    assert_int_equal(sn_buf_status(&buf, NULL), SN_ERR_LIMIT);
    sn_buf_release(&buf);
    sn_buf_init(&buf, 0);
    assert_null(sn_buf_reserve(&buf, SN_BUF_LIMIT_DEFAULT + 1));
    assert_int_equal(sn_buf_status(&buf, NULL), SN_ERR_LIMIT);
    sn_buf_release(&buf);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    int64_t before = sn_mem_block_count();
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        struct sn_buf buf = {0};
        struct sn_err err = {0};
        sn_mem_fail_nth(n);
        for (int i = 0; i < 300; i++)
            sn_buf_printf(&buf, "%04d", i);
        has_failed = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(sn_buf_status(&buf, &err), has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(buf.len % 4, 0);
        assert_true(has_failed ? strlen(err.text) > 0 : buf.len == 1200);
        sn_buf_release(&buf);
    }
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_holds_no_memory),
        cmocka_unit_test(zeroed_memory_is_a_buffer),
        cmocka_unit_test(all_ways_to_append_append),
        cmocka_unit_test(it_grows_and_keeps_contents),
        cmocka_unit_test(the_limit_holds_at_both_sides_of_the_boundary),
        cmocka_unit_test(one_append_of_limit_fits_and_of_one_more_does_not),
        cmocka_unit_test(printf_fills_the_limit_to_the_last_byte),
        cmocka_unit_test(printf_grows_when_the_room_is_short),
        cmocka_unit_test(the_first_failure_sticks_until_reset),
        cmocka_unit_test(sizes_that_overflow_reach_the_limit),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
