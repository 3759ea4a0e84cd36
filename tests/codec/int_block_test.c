/* Integer blocks: every kind, exact sizes, and malformed heads. */
#include "codec/int_block_priv.h"

#include "chunk_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Plan, write, compare with what the plan said, read back. Returns the plan's kind byte. */
static unsigned check_round_trip(const int64_t *values, size_t count) {
    int64_t integers[SN_CHUNK_SAMPLES_MAX];
    int64_t back[SN_CHUNK_SAMPLES_MAX];
    uint8_t bytes[SN_INT_BLOCK_BOUND(SN_CHUNK_SAMPLES_MAX)];
    struct sn_int_plan plan;
    memcpy(integers, values, count * sizeof(*values));
    sn_int_plan(integers, count, &plan);
    assert_true(plan.size <= SN_INT_BLOCK_BOUND(count));
    assert_ptr_equal(sn_int_write(&plan, bytes, bytes + sizeof(bytes)), bytes + plan.size);
    uint8_t *exact = exact_copy(bytes, plan.size);
    assert_ptr_equal(sn_int_read(exact, exact + plan.size, count, back), exact + plan.size);
    assert_memory_equal(back, values, count * sizeof(*values));
    free(exact);
    return bytes[0];
}

static void each_kind_is_chosen_where_it_is_smallest(void **state) {
    (void)state;
    struct noise noise = {6};
    int64_t values[SN_CHUNK_SAMPLES_MAX] = {0};
    assert_int_equal(check_round_trip(values, SN_CHUNK_SAMPLES_MAX), SN_INT_CONSTANT);
    for (int i = 0; i < SN_CHUNK_SAMPLES_MAX; i++) {
        values[i] = 1000 - 15 * i;
    }
    assert_int_equal(check_round_trip(values, SN_CHUNK_SAMPLES_MAX), SN_INT_LINE);
    for (int i = 0; i < SN_CHUNK_SAMPLES_MAX; i++) {
        values[i] = (int64_t)(5000000 + noise_below(&noise, 100));
    }
    assert_int_equal(check_round_trip(values, SN_CHUNK_SAMPLES_MAX), SN_INT_OFFSET);
    for (int i = 1; i < SN_CHUNK_SAMPLES_MAX; i++) {
        values[i] = values[i - 1] + 1000 + (int64_t)noise_below(&noise, 4);
    }
    assert_int_equal(check_round_trip(values, SN_CHUNK_SAMPLES_MAX), SN_INT_DELTA);
    for (int i = 1; i < SN_CHUNK_SAMPLES_MAX; i++) {
        /* Near 0 with far jumps both ways: a base would make the small ones long. */
        int64_t far = i % 50 == 0 ? -1000000000 : i % 50 == 25 ? 1000000000 : 0;
        values[i] = values[i - 1] + far + ((int64_t)noise_below(&noise, 7) - 3);
    }
    assert_int_equal(check_round_trip(values, SN_CHUNK_SAMPLES_MAX), SN_INT_ZIGZAG);
    for (int64_t i = 0; i < SN_CHUNK_SAMPLES_MAX; i++) {
        values[i] = i * i * i;
    }
    assert_int_equal(check_round_trip(values, 100) & 7, SN_INT_SECOND);
}

static void a_common_divisor_is_taken_out(void **state) {
    (void)state;
    static const int64_t divisors[] = {2, 3, 4096, 1000000007, INT64_C(1) << 40, INT64_C(6) << 40};
    struct noise noise = {7};
    for (size_t d = 0; d < sizeof(divisors) / sizeof(divisors[0]); d++) {
        int64_t values[SN_CHUNK_SAMPLES_MAX];
        for (size_t i = 0; i < SN_CHUNK_SAMPLES_MAX; i++) {
            values[i] = -77 + divisors[d] * ((int64_t)noise_below(&noise, 1000) - 500);
        }
        assert_int_equal(check_round_trip(values, SN_CHUNK_SAMPLES_MAX), SN_INT_OFFSET | 8);
    }
}

static uint64_t divisor_of(uint64_t a, uint64_t b) {
    return b == 0 ? a : divisor_of(b, a % b);
}

/* It may hold for most of the block and break at the end, down to a part of it or to 1. */
static void a_divisor_that_breaks_late_is_noticed(void **state) {
    (void)state;
    enum { COUNT = 200, BREAK = 190 };
    static const int64_t divisors[] = {
        2, 3, 6, 512, 4096, 12288, 1000000007, 3 * (INT64_C(1) << 33), INT64_C(1) << 45};
    static const int64_t parts[] = {1, 2, 3, 64, INT64_C(1) << 30};
    struct noise noise = {9};
    for (size_t d = 0; d < sizeof(divisors) / sizeof(divisors[0]); d++) {
        for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++) {
            int64_t values[COUNT] = {0};
            uint64_t expected = 0;
            struct sn_int_plan plan;
            for (size_t i = 1; i < COUNT; i++) {
                uint64_t step = noise_below(&noise, 1000) * (uint64_t)divisors[d];
                if (i == BREAK) { /* not a multiple, where the part is none */
                    step += (uint64_t)divisors[d] / (uint64_t)parts[p];
                }
                values[i] = values[i - 1] + (int64_t)(i % 2 == 0 ? step : 0 - step);
                expected = divisor_of(step, expected);
            }
            (void)check_round_trip(values, COUNT);
            sn_int_plan(values, COUNT, &plan);
            assert_int_equal(plan.divisor, expected == 0 ? 1 : expected);
        }
    }
}

static void extremes_wrap_around_and_come_back(void **state) {
    (void)state;
    static const int64_t extremes[] = {INT64_MIN,     INT64_MAX,       0, -1, 1,
                                       INT64_MIN + 1, INT64_C(1) << 62};
    enum { EXTREME_COUNT = sizeof(extremes) / sizeof(extremes[0]) };
    struct noise noise = {8};
    for (size_t count = 1; count <= SN_CHUNK_SAMPLES_MAX; count++) {
        int64_t values[SN_CHUNK_SAMPLES_MAX];
        for (size_t i = 0; i < count; i++) {
            values[i] = extremes[noise_below(&noise, EXTREME_COUNT)];
        }
        check_round_trip(values, count);
    }
    for (size_t a = 0; a < EXTREME_COUNT; a++) {
        for (size_t b = 0; b < EXTREME_COUNT; b++) {
            int64_t pair[3] = {extremes[a], extremes[b], extremes[a]};
            check_round_trip(pair, 2);
            check_round_trip(pair, 3);
        }
    }
}

/* Expect that these bytes are refused as a block of `count`. */
static void check_refused(const char *bytes, size_t len, size_t count) {
    int64_t values[SN_CHUNK_SAMPLES_MAX];
    uint8_t *exact = exact_copy(bytes, len);
    assert_null(sn_int_read(exact, exact + len, count, values));
    free(exact);
}

static void malformed_heads_are_refused(void **state) {
    (void)state;
    check_refused("", 0, 1);
    check_refused("\x06\x00\x00", 3, 1); /* no such kind */
    check_refused("\x10\x00\x00", 3, 1); /* reserved bits */
    check_refused("\x80\x00\x00", 3, 1); /* reserved bits */
    check_refused("\x00", 1, 1);         /* first missing */
    check_refused("\x01\x00", 2, 1);     /* step missing */
    check_refused("\x08\x02", 2, 1);     /* origin missing */
    check_refused("\x05\x00\x00", 3, 1); /* a second difference needs two values */
    check_refused("\x03\x00\x00", 3, 2); /* mini-block missing */
    check_refused("\x03\x00\x80\x80\x80\x80\x80\x80\x80\x80\x80\x02\x00", 13, 2); /* 65 bits */
}

static void any_divisor_is_read_without_overflow(void **state) {
    (void)state;
    int64_t values[2];
    static const uint8_t bytes[] = {0x09, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0x01, 0x02, 0x04};
    assert_ptr_equal(sn_int_read(bytes, bytes + sizeof(bytes), 2, values), bytes + sizeof(bytes));
    assert_int_equal(values[0], 1);
    assert_int_equal(values[1], -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_chosen_where_it_is_smallest),
        cmocka_unit_test(a_common_divisor_is_taken_out),
        cmocka_unit_test(a_divisor_that_breaks_late_is_noticed),
        cmocka_unit_test(extremes_wrap_around_and_come_back),
        cmocka_unit_test(malformed_heads_are_refused),
        cmocka_unit_test(any_divisor_is_read_without_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
