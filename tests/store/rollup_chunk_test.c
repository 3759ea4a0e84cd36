/* Rollup blocks: round trips of all forms, every changed byte, every cut, every range. */
#include "store/rollup_chunk.h"

#include "base/rng.h"
#include "rollup_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR SN_ROLLUP_WIDE_MS

static void make_items(struct sn_rng *rng, struct sn_rollup *items, size_t count, bool is_counter) {
    double value = 0;
    for (size_t i = 0; i < count; i++) {
        struct sn_rollup *item = &items[i];
        int64_t end_ms = (int64_t)(i + 1) * HOUR;
        *item = (struct sn_rollup){.end_ms = end_ms,
                                   .first_ms = end_ms - HOUR + 1 + (int64_t)sn_rng_below(rng, 9),
                                   .last_ms = end_ms - (int64_t)sn_rng_below(rng, 15000),
                                   .count = 240 - sn_rng_below(rng, 2)};
        item->first = item->min = value;
        value += (double)sn_rng_below(rng, 1000);
        item->last = item->max = value;
        item->sum = value * 240;
        if (is_counter)
            continue;
        item->min = sn_double_from_bits(sn_rng_u64(rng));
        item->max = (double)INFINITY;
        item->falls = (double)sn_rng_below(rng, 3);
        item->is_stale = sn_rng_below(rng, 4) == 0;
        item->has_start = sn_rng_below(rng, 4) == 0;
    }
}

static void what_is_written_is_read(void **state) {
    (void)state;
    static const size_t counts[] = {1, 2, 7, 8, 9, 24, 129, 512};
    struct sn_rollup *items = calloc(SN_CHUNK_SAMPLES_MAX, sizeof *items);
    struct sn_rollup *again = calloc(SN_CHUNK_SAMPLES_MAX, sizeof *again);
    int64_t end_ms[SN_CHUNK_SAMPLES_MAX];
    struct sn_buf buf;
    struct sn_rng rng;
    sn_rng_init(&rng, 1);
    sn_buf_init(&buf, 0);
    for (int round = 0; round < 2; round++) {
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
            make_items(&rng, items, counts[k], round == 0);
            sn_buf_reset(&buf);
            sn_rollup_chunk_encode(items, counts[k], &buf);
            assert_int_equal(buf.status, SN_OK);
            assert_true(buf.len <= SN_ROLLUP_CHUNK_BOUND(counts[k]));
            for (size_t i = 0; i < counts[k]; i++)
                end_ms[i] = items[i].end_ms;
            assert_int_equal(sn_rollup_chunk_decode(sn_buf_str(&buf), counts[k], end_ms, again),
                             SN_OK);
            for (size_t i = 0; i < counts[k]; i++)
                test_assert_same_rollup(&items[i], &again[i]);
        }
    }
    sn_buf_release(&buf);
    free(items);
    free(again);
}

/* A counter that did not fall needs five columns. */
static void a_counter_leaves_columns_out(void **state) {
    (void)state;
    struct sn_rollup items[24];
    struct sn_rng rng;
    struct sn_buf buf;
    sn_rng_init(&rng, 1);
    make_items(&rng, items, 24, true);
    sn_buf_init(&buf, 0);
    sn_rollup_chunk_encode(items, 24, &buf);
    assert_int_equal(buf.ptr[0], 7);
    assert_true(buf.len < 250);
    sn_buf_release(&buf);
}

static void every_cut_and_every_changed_byte_is_safe(void **state) {
    (void)state;
    struct sn_rollup items[9];
    struct sn_rollup again[9];
    int64_t end_ms[9];
    struct sn_rng rng;
    struct sn_buf buf;
    sn_rng_init(&rng, 3);
    make_items(&rng, items, 9, false);
    for (size_t i = 0; i < 9; i++)
        end_ms[i] = items[i].end_ms;
    sn_buf_init(&buf, 0);
    sn_rollup_chunk_encode(items, 9, &buf);
    for (size_t len = 0; len < buf.len; len++) {
        /* The copy has nothing behind it: a sanitizer sees a read beyond. */
        char *copy = malloc(len + 1);
        memcpy(copy, buf.ptr, len);
        assert_int_equal(sn_rollup_chunk_decode(sn_str_make(copy, len), 9, end_ms, again),
                         SN_ERR_CORRUPT);
        free(copy);
    }
    for (size_t at = 0; at < buf.len; at++) {
        for (int bit = 0; bit < 8; bit++) {
            buf.ptr[at] ^= (uint8_t)(1 << bit);
            sn_status status = sn_rollup_chunk_decode(sn_buf_str(&buf), 9, end_ms, again);
            assert_true(status == SN_OK || status == SN_ERR_CORRUPT);
            buf.ptr[at] ^= (uint8_t)(1 << bit);
        }
    }
    sn_buf_release(&buf);
}

static sn_status try_item(struct sn_rollup item) {
    struct sn_rollup again;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_rollup_chunk_encode(&item, 1, &buf);
    sn_status status = sn_rollup_chunk_decode(sn_buf_str(&buf), 1, &item.end_ms, &again);
    sn_buf_release(&buf);
    return status;
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    const struct sn_rollup good = {
        .end_ms = 10 * HOUR, .first_ms = 9 * HOUR + 1, .last_ms = 10 * HOUR, .count = 1};
    struct sn_rollup bad = good;
    assert_int_equal(try_item(good), SN_OK);
    bad.count = 0;
    assert_int_equal(try_item(bad), SN_ERR_CORRUPT);
    bad = good;
    bad.last_ms = bad.end_ms + 1;
    assert_int_equal(try_item(bad), SN_ERR_CORRUPT);
    bad = good;
    bad.last_ms = bad.first_ms - 1;
    assert_int_equal(try_item(bad), SN_ERR_CORRUPT);
    bad = good;
    bad.first_ms = bad.end_ms - 24 * HOUR;
    assert_int_equal(try_item(bad), SN_ERR_CORRUPT);
    bad.first_ms++;
    assert_int_equal(try_item(bad), SN_OK);
    struct sn_rollup again;
    assert_int_equal(sn_rollup_chunk_decode(SN_STR("\x20"), 1, &good.end_ms, &again),
                     SN_ERR_CORRUPT);
    assert_int_equal(sn_rollup_chunk_decode(SN_STR("\x07"), 0, &good.end_ms, &again),
                     SN_ERR_CORRUPT);
    assert_int_equal(sn_rollup_chunk_decode(SN_STR("\x07"), 513, &good.end_ms, &again),
                     SN_ERR_CORRUPT);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_counter_leaves_columns_out),
        cmocka_unit_test(every_cut_and_every_changed_byte_is_safe),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
