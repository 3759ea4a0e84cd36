/* Histogram chunks: every histogram comes back bit for bit, nothing else is accepted. */
#include "store/histogram_chunk.h"

#include "histogram_support.h"

#include "base/mem.h"
#include "codec/varint.h"
#include "model/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void check(const struct sn_histogram *items, size_t count) {
    struct sn_buf buf;
    struct sn_arena arena;
    struct sn_histogram *back = calloc(count, sizeof *back);
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    sn_histogram_chunk_encode(items, count, &buf);
    assert_int_equal(buf.status, SN_OK);
    assert_int_equal(sn_histogram_chunk_decode(sn_buf_str(&buf), count, &arena, back), SN_OK);
    for (size_t i = 0; i < count; i++)
        assert_true(sn_histogram_equal(&items[i], &back[i]));
    /* A byte less, a byte more, another count. */
    struct sn_str bytes = sn_buf_str(&buf);
    bytes.len--;
    assert_int_equal(sn_histogram_chunk_decode(bytes, count, &arena, back), SN_ERR_CORRUPT);
    sn_buf_put_byte(&buf, 0);
    assert_int_equal(sn_histogram_chunk_decode(sn_buf_str(&buf), count, &arena, back),
                     SN_ERR_CORRUPT);
    free(back);
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

static void any_histograms_come_back_bit_for_bit(void **state) {
    (void)state;
    enum { COUNT = 40 };
    struct sn_rng rng;
    struct sn_arena arena;
    struct sn_histogram items[COUNT];
    sn_rng_init(&rng, 4);
    sn_arena_init(&arena, 0);
    for (size_t turn = 0; turn < 30; turn++) {
        sn_arena_reset(&arena);
        for (size_t i = 0; i < COUNT; i++) {
            bool is_same = i > 0 && sn_rng_below(&rng, 3) > 0;
            items[i] = is_same ? items[i - 1] : test_random_histogram(&arena, &rng);
            items[i].sum += (double)i;
            assert_int_equal(sn_histogram_validate(&items[i], NULL), SN_OK);
        }
        check(items, 1 + turn % COUNT);
    }
    sn_arena_release(&arena);
}

static void a_growing_histogram_takes_few_bytes(void **state) {
    (void)state;
    static struct sn_histogram items[SN_CHUNK_SAMPLES_MAX];
    struct sn_arena arena;
    struct sn_buf buf;
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 0);
    for (unsigned i = 0; i < SN_CHUNK_SAMPLES_MAX; i++)
        items[i] = test_histogram(&arena, i);
    check(items, SN_CHUNK_SAMPLES_MAX);
    check(items, 1);
    sn_histogram_chunk_encode(items, 120, &buf);
    assert_true(buf.len < 120 * 8); /* 11 numbers in each */
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void the_largest_histogram_fits(void **state) {
    (void)state;
    static struct sn_bucket_span spans[SN_HISTOGRAM_BUCKETS_MAX];
    static double counts[SN_HISTOGRAM_BUCKETS_MAX];
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    double sum = 0;
    for (int i = 0; i < SN_HISTOGRAM_BUCKETS_MAX; i++) {
        spans[i] = (struct sn_bucket_span){.offset = i ? 1000000 : INT32_MIN, .length = 1};
        counts[i] = (double)i / 3;
        sum += counts[i];
    }
    struct sn_histogram histogram = {.schema = 8,
                                     .count = sum,
                                     .positive_spans = spans,
                                     .positive_counts = counts,
                                     .positive_span_count = SN_HISTOGRAM_BUCKETS_MAX,
                                     .positive_bucket_count = SN_HISTOGRAM_BUCKETS_MAX};
    assert_int_equal(sn_histogram_validate(&histogram, NULL), SN_OK);
    sn_histogram_chunk_encode(&histogram, 1, &buf);
    assert_true(buf.len <= SN_HISTOGRAM_CHUNK_ONE_BYTES_MAX);
    sn_buf_release(&buf);
    check(&histogram, 1);
}

static void flipped_bytes_give_valid_histograms_or_an_error(void **state) {
    (void)state;
    enum { COUNT = 12 };
    struct sn_histogram items[COUNT];
    struct sn_histogram back[COUNT];
    struct sn_arena arena;
    struct sn_arena scratch;
    struct sn_buf buf;
    struct sn_rng rng;
    sn_rng_init(&rng, 8);
    sn_arena_init(&arena, 0);
    sn_arena_init(&scratch, 0);
    sn_buf_init(&buf, 0);
    for (size_t i = 0; i < COUNT; i++)
        items[i] = test_random_histogram(&arena, &rng);
    sn_histogram_chunk_encode(items, COUNT, &buf);
    for (size_t at = 0; at < buf.len * 8; at++) {
        buf.ptr[at / 8] ^= (uint8_t)(1u << at % 8);
        sn_arena_reset(&scratch);
        if (sn_histogram_chunk_decode(sn_buf_str(&buf), COUNT, &scratch, back) == SN_OK) {
            for (size_t i = 0; i < COUNT; i++)
                assert_int_equal(sn_histogram_validate(&back[i], NULL), SN_OK);
        }
        buf.ptr[at / 8] ^= (uint8_t)(1u << at % 8);
    }
    sn_buf_release(&buf);
    sn_arena_release(&scratch);
    sn_arena_release(&arena);
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_histogram back;
    struct sn_buf buf;
    sn_arena_init(&arena, 0);
    struct sn_histogram histogram = test_histogram(&arena, 3);
    int64_t before = sn_mem_block_count();
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_arena scratch;
        sn_arena_init(&scratch, 0);
        sn_buf_init(&buf, 0);
        sn_mem_fail_nth(n);
        sn_histogram_chunk_encode(&histogram, 1, &buf);
        sn_status status = buf.status;
        if (status == SN_OK)
            status = sn_histogram_chunk_decode(sn_buf_str(&buf), 1, &scratch, &back);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_buf_release(&buf);
        sn_arena_release(&scratch);
        assert_int_equal(sn_mem_block_count(), before);
    }
    struct sn_arena small;
    sn_arena_init(&small, 16);
    sn_buf_init(&buf, 0);
    sn_histogram_chunk_encode(&histogram, 1, &buf);
    assert_int_equal(sn_histogram_chunk_decode(sn_buf_str(&buf), 1, &small, &back), SN_ERR_LIMIT);
    assert_int_equal(sn_histogram_chunk_decode(sn_buf_str(&buf), 0, &small, &back), SN_ERR_CORRUPT);
    assert_int_equal(sn_histogram_chunk_decode(sn_buf_str(&buf), 513, &small, &back),
                     SN_ERR_CORRUPT);
    sn_buf_release(&buf);
    sn_arena_release(&small);
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_histograms_come_back_bit_for_bit),
        cmocka_unit_test(a_growing_histogram_takes_few_bytes),
        cmocka_unit_test(the_largest_histogram_fits),
        cmocka_unit_test(flipped_bytes_give_valid_histograms_or_an_error),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
