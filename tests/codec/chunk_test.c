/* Sealed chunks: lossless for everything, stored bytes pinned, nothing foreign is trusted. */
#include "codec/chunk.h"

#include "chunk_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Encode, then decode from memory of exactly the block's size into memory of exactly count. */
static size_t check_times(const int64_t *times, size_t count) {
    uint8_t *bytes = malloc(sn_chunk_bound(count));
    int64_t *back = malloc(count * sizeof(*back));
    size_t used = 0;
    size_t size = sn_chunk_encode_times(times, count, bytes);
    assert_true(size <= sn_chunk_bound(count));
    uint8_t *exact = exact_copy(bytes, size);
    assert_int_equal(sn_chunk_decode_times(exact, size, count, back, &used), SN_OK);
    assert_int_equal(used, size);
    assert_memory_equal(back, times, count * sizeof(*back));
    free(exact);
    free(back);
    free(bytes);
    return size;
}

static size_t check_values(const double *values, size_t count) {
    uint8_t *bytes = malloc(sn_chunk_bound(count));
    double *back = malloc(count * sizeof(*back));
    size_t used = 0;
    size_t size = sn_chunk_encode_values(values, count, bytes);
    assert_true(size <= sn_chunk_bound(count));
    uint8_t *exact = exact_copy(bytes, size);
    assert_int_equal(sn_chunk_decode_values(exact, size, count, back, &used), SN_OK);
    assert_int_equal(used, size);
    assert_memory_equal(back, values, count * sizeof(*back));
    free(exact);
    free(back);
    free(bytes);
    return size;
}

static void times_of_every_kind_and_count_come_back(void **state) {
    (void)state;
    struct noise noise = {10};
    int64_t times[SN_CHUNK_SAMPLES_MAX];
    for (size_t count = 1; count <= SN_CHUNK_SAMPLES_MAX; count++) {
        for (unsigned kind = 0; kind < TIME_KIND_COUNT; kind++) {
            fill_times(&noise, kind, times, count);
            check_times(times, count);
        }
    }
}

static void values_of_every_kind_and_count_come_back(void **state) {
    (void)state;
    struct noise noise = {11};
    double values[SN_CHUNK_SAMPLES_MAX];
    for (size_t count = 1; count <= SN_CHUNK_SAMPLES_MAX; count++) {
        for (unsigned kind = 0; kind < VALUE_KIND_COUNT; kind++) {
            fill_values(&noise, kind, values, count);
            check_values(values, count);
        }
    }
}

static void every_sign_exponent_and_edge_of_doubles_comes_back(void **state) {
    (void)state;
    static const uint64_t fractions[] = {0, 1, UINT64_C(0x8000000000000),
                                         UINT64_C(0xfffffffffffff)};
    double values[SN_CHUNK_SAMPLES_MAX];
    size_t count = 0;
    for (uint64_t top = 0; top < 4096; top++) {
        for (size_t i = 0; i < sizeof(fractions) / sizeof(fractions[0]); i++) {
            values[count++] = double_of(top << 52 | fractions[i]);
            check_values(values + count - 1, 1);
            if (count == SN_CHUNK_SAMPLES_MAX) {
                check_values(values, count);
                count = 0;
            }
        }
    }
}

static void a_few_special_values_leave_the_rest_small(void **state) {
    (void)state;
    double values[480];
    for (size_t i = 0; i < 480; i++) {
        values[i] = 20.0 + (double)(i % 4) / 4;
    }
    size_t plain = check_values(values, 480);
    values[0] = double_of(UINT64_C(0x7ff0000000000002));
    values[100] = -0.0;
    values[101] = -0.0;
    values[479] = HUGE_VAL;
    size_t with_exceptions = check_values(values, 480);
    assert_true(plain < 480 / 4 + 20);
    assert_true(with_exceptions < plain + 40);
}

/* Bytes on disk: a change here is a change of the format. */
static void stored_bytes_are_pinned(void **state) {
    (void)state;
    uint8_t bytes[SN_CHUNK_BOUND(4)];
    static const int64_t line[] = {1000, 1010, 1020};
    static const int64_t jitter[] = {1000, 2001, 3003, 4000};
    static const double repeated[] = {1.5, 1.5};
    static const double decimals[] = {0.5, 0.25, 1.75, 0.5};
    static const double special[] = {1, -0.0, 2, -0.0};
    static const double irrational[] = {0x1.921fb54442d18p+1, 0x1.921fb54442d19p+1};
    assert_int_equal(sn_chunk_encode_times(line, 3, bytes), 4);
    assert_memory_equal(bytes, "\x01\xd0\x0f\x14", 4);
    /* Second differences 1 and -5, packed at 4 bits. */
    assert_int_equal(sn_chunk_encode_times(jitter, 4, bytes), 7);
    assert_memory_equal(bytes, "\x05\xd0\x0f\xd2\x0f\x04\x92", 7);
    assert_int_equal(sn_chunk_encode_values(repeated, 2, bytes), 3);
    assert_memory_equal(bytes, "\x01\x00\x1e", 3);
    /* 50, 25, 175, 50 hundredths: 50 + 25 times 0, -1, 5, 0; differences at 4 bits. */
    assert_int_equal(sn_chunk_encode_values(decimals, 4, bytes), 7);
    assert_memory_equal(bytes, "\x02\x0c\x19\x64\x04\xc1\x09", 7);
    /* 1, 1, 2, 2 as offsets of one bit; -0 at positions 1 and 3. */
    assert_int_equal(sn_chunk_encode_values(special, 4, bytes), 16);
    assert_memory_equal(bytes, "\x40\x02\x02\x01\x0c\x02\x02\x00\x00\x00\x00\x00\x00\x00\x80\x05",
                        16);
    /* The bits of pi as an integer, and a step of 1. */
    assert_int_equal(sn_chunk_encode_values(irrational, 2, bytes), 13);
    assert_memory_equal(bytes, "\x3e\x01\xb0\xb4\xa1\xc4\xea\xfe\x90\x89\x80\x01\x02", 13);
    double nan = double_of(UINT64_C(0x7ff0000000000002));
    assert_int_equal(sn_chunk_encode_values(&nan, 1, bytes), 9);
    assert_memory_equal(bytes, "\x3f\x02\x00\x00\x00\x00\x00\xf0\x7f", 9);
}

/* Decode any bytes: success means that used lies inside; memory checks are the sanitizer's. */
static void decode_anything(const uint8_t *bytes, size_t len, size_t count) {
    uint8_t *exact = exact_copy(bytes, len);
    int64_t *times = malloc(count * sizeof(*times));
    double *values = malloc(count * sizeof(*values));
    size_t used = SIZE_MAX;
    if (sn_chunk_decode_times(exact, len, count, times, &used) == SN_OK) {
        assert_true(used >= 1 && used <= len);
    }
    if (sn_chunk_decode_values(exact, len, count, values, &used) == SN_OK) {
        assert_true(used >= 1 && used <= len);
    }
    free(values);
    free(times);
    free(exact);
}

/* Flip every bit of a block, and cut it at every length: a cut block is always corrupt. */
static void damage(const uint8_t *bytes, size_t size, size_t count, bool is_times) {
    uint8_t *damaged = exact_copy(bytes, size);
    for (size_t bit = 0; bit < size * 8; bit++) {
        damaged[bit / 8] ^= (uint8_t)(1u << bit % 8);
        decode_anything(damaged, size, count);
        damaged[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(damaged);
    for (size_t len = 0; len < size; len++) {
        uint8_t *exact = exact_copy(bytes, len);
        int64_t times[SN_CHUNK_SAMPLES_MAX];
        double values[SN_CHUNK_SAMPLES_MAX];
        size_t used;
        assert_int_equal(is_times ? sn_chunk_decode_times(exact, len, count, times, &used)
                                  : sn_chunk_decode_values(exact, len, count, values, &used),
                         SN_ERR_CORRUPT);
        free(exact);
    }
}

static void damaged_blocks_never_lead_outside(void **state) {
    (void)state;
    struct noise noise = {12};
    uint8_t bytes[SN_CHUNK_BOUND(SN_CHUNK_SAMPLES_MAX)];
    static const size_t counts[] = {1, 2, 7, 130, 150};
    for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++) {
        size_t count = counts[c];
        int64_t times[SN_CHUNK_SAMPLES_MAX];
        double values[SN_CHUNK_SAMPLES_MAX];
        for (unsigned kind = 0; kind < TIME_KIND_COUNT; kind++) {
            fill_times(&noise, kind, times, count);
            damage(bytes, sn_chunk_encode_times(times, count, bytes), count, true);
        }
        for (unsigned kind = 0; kind < VALUE_KIND_COUNT; kind++) {
            fill_values(&noise, kind, values, count);
            damage(bytes, sn_chunk_encode_values(values, count, bytes), count, false);
        }
    }
}

static void random_bytes_never_lead_outside(void **state) {
    (void)state;
    struct noise noise = {13};
    for (unsigned round = 0; round < 20000; round++) {
        uint8_t bytes[100];
        size_t len = noise_below(&noise, sizeof(bytes));
        for (size_t i = 0; i < len; i++) {
            bytes[i] = (uint8_t)(noise_next(&noise) >> noise_below(&noise, 8));
        }
        decode_anything(bytes, len, 1 + noise_below(&noise, SN_CHUNK_SAMPLES_MAX));
    }
}

static void a_count_outside_1_to_512_is_corrupt(void **state) {
    (void)state;
    static int64_t times[SN_CHUNK_SAMPLES_MAX + 1];
    static double values[SN_CHUNK_SAMPLES_MAX + 1];
    size_t used;
    const uint8_t line[3] = {0x01, 0x00, 0x02};
    const uint8_t repeated[9] = {0x3f};
    for (size_t i = 0; i < 2; i++) {
        size_t count = i == 0 ? 0 : SN_CHUNK_SAMPLES_MAX + 1;
        assert_int_equal(sn_chunk_decode_times(line, 3, count, times, &used), SN_ERR_CORRUPT);
        assert_int_equal(sn_chunk_decode_values(repeated, 9, count, values, &used), SN_ERR_CORRUPT);
    }
    assert_int_equal(sn_chunk_decode_times(line, 3, SN_CHUNK_SAMPLES_MAX, times, NULL), SN_OK);
    assert_int_equal(sn_chunk_decode_values(repeated, 9, SN_CHUNK_SAMPLES_MAX, values, NULL),
                     SN_OK);
}

static void malformed_value_blocks_are_refused(void **state) {
    (void)state;
    /* Two values 0 as a constant block, and exceptions behind it. */
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x12\x00\x00", 3},                                  /* 10^18 */
        {"\x20\x00\x00", 3},                                  /* multiply by 10^0 */
        {"\x2f\x00\x00", 3},                                  /* multiply by 10^-15 */
        {"\x3d\x00\x00", 3},                                  /* no such form */
        {"\x7e\x00\x00\x01\x00\0\0\0\0\0\0\0\0", 13},         /* exceptions of ordered */
        {"\x7f\0\0\0\0\0\0\0\0", 9},                          /* exceptions of repeated */
        {"\x80\x00\x00", 3},                                  /* reserved bit */
        {"\x40\x00\x00", 3},                                  /* no exceptions after all */
        {"\x40\x00\x00\x00", 4},                              /* none in the list */
        {"\x40\x00\x00\x03\x00\0\0\0\0\0\0\0\0\x03\x03", 15}, /* more than values */
        {"\x40\x00\x00\x01\x01", 5},                          /* the first repeats */
        {"\x40\x00\x00\x01\x04\0\0\0\0\0\0\0\0", 13},         /* position 2 of 2 */
        {"\x40\x00\x00\x02\x02\0\0\0\0\0\0\0\0\x03", 14},     /* second beyond the end */
        {"\x40\x00\x00\x02\x00\0\0\0\0\0\0\0\0\x01", 14},     /* the same place twice */
        {"\x40\x00\x00\x01\x00\0\0\0\0\0\0\0", 12},           /* value cut off */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t *exact = exact_copy(cases[i].bytes, cases[i].len);
        double values[2];
        size_t used;
        assert_int_equal(sn_chunk_decode_values(exact, cases[i].len, 2, values, &used),
                         SN_ERR_CORRUPT);
        free(exact);
    }
}

static void what_follows_a_block_is_ignored(void **state) {
    (void)state;
    struct noise noise = {14};
    for (unsigned kind = 0; kind < VALUE_KIND_COUNT; kind++) {
        uint8_t bytes[SN_CHUNK_BOUND(200) + 16];
        double values[200];
        double back[200];
        size_t used;
        fill_values(&noise, kind, values, 200);
        size_t size = sn_chunk_encode_values(values, 200, bytes);
        memset(bytes + size, 0xff, 16);
        assert_int_equal(sn_chunk_decode_values(bytes, size + 16, 200, back, &used), SN_OK);
        assert_int_equal(used, size);
        assert_memory_equal(back, values, sizeof(values));
    }
}

static bool check_series(void *ctx, const int64_t *times, const double *values, size_t count) {
    size_t *samples = ctx;
    for (size_t from = 0; from < count; from += SN_CHUNK_SAMPLES_MAX) {
        size_t left = count - from;
        size_t block = left < SN_CHUNK_SAMPLES_MAX ? left : SN_CHUNK_SAMPLES_MAX;
        check_times(times + from, block);
        check_values(values + from, block);
        *samples += block;
    }
    return true;
}

static void real_series_come_back(void **state) {
    (void)state;
    size_t samples = 0;
    if (!each_corpus_series("special", check_series, &samples)) {
        print_message("no corpus beside the tree: nothing to check\n");
        return;
    }
    assert_true(samples > 0);
    assert_true(each_corpus_series("ne15s", check_series, &samples));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_of_every_kind_and_count_come_back),
        cmocka_unit_test(values_of_every_kind_and_count_come_back),
        cmocka_unit_test(every_sign_exponent_and_edge_of_doubles_comes_back),
        cmocka_unit_test(a_few_special_values_leave_the_rest_small),
        cmocka_unit_test(stored_bytes_are_pinned),
        cmocka_unit_test(damaged_blocks_never_lead_outside),
        cmocka_unit_test(random_bytes_never_lead_outside),
        cmocka_unit_test(a_count_outside_1_to_512_is_corrupt),
        cmocka_unit_test(malformed_value_blocks_are_refused),
        cmocka_unit_test(what_follows_a_block_is_ignored),
        cmocka_unit_test(real_series_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
