/* Open chunks: lossless for everything, within their room, damage is noticed or harmless. */
#include "codec/head_chunk.h"

#include "chunk_support.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { BYTES_MAX = SN_HEAD_CHUNK_SAMPLES_MAX * 20 + SN_HEAD_TOKEN_BYTES_MAX };

/* Append one by one, each time into memory with exactly the room that the contract asks for. */
static uint8_t *append_all(struct sn_head_chunk *head, const int64_t *times, const double *values,
                           size_t count) {
    uint8_t *bytes = NULL;
    for (size_t i = 0; i < count; i++) {
        bytes = realloc(bytes, head->len + (size_t)SN_HEAD_TOKEN_BYTES_MAX);
        assert_non_null(bytes);
        uint16_t before = head->len;
        sn_head_chunk_append(head, bytes, times[i], values[i]);
        assert_true(head->len >= before && head->len - before <= 20);
    }
    assert_int_equal(head->count, count);
    return bytes;
}

static void check_round_trip(const int64_t *times, const double *values, size_t count) {
    struct sn_head_chunk head = {0};
    uint8_t *bytes = append_all(&head, times, values, count);
    uint8_t *exact = exact_copy(bytes, head.len);
    int64_t *times_back = malloc(count * sizeof(*times_back));
    double *values_back = malloc(count * sizeof(*values_back));
    assert_int_equal(sn_head_chunk_decode(exact, head.len, count, times_back, values_back), SN_OK);
    assert_memory_equal(times_back, times, count * sizeof(*times));
    assert_memory_equal(values_back, values, count * sizeof(*values));
    free(values_back);
    free(times_back);
    free(exact);
    free(bytes);
}

static void every_mix_of_times_and_values_comes_back(void **state) {
    (void)state;
    struct noise noise = {20};
    int64_t times[300];
    double values[300];
    for (unsigned round = 0; round < 10; round++) {
        for (unsigned t = 0; t < TIME_KIND_COUNT; t++) {
            for (unsigned v = 0; v < VALUE_KIND_COUNT; v++) {
                size_t count = 1 + noise_below(&noise, 300);
                fill_times(&noise, t, times, count);
                fill_values(&noise, v, values, count);
                check_round_trip(times, values, count);
            }
        }
    }
}

static void every_prefix_decodes_while_the_chunk_grows(void **state) {
    (void)state;
    struct noise noise = {21};
    static uint8_t bytes[BYTES_MAX];
    int64_t times[200];
    double values[200];
    int64_t times_back[200];
    double values_back[200];
    struct sn_head_chunk head = {0};
    fill_times(&noise, 6, times, 200);
    fill_values(&noise, 15, values, 200);
    for (size_t i = 0; i < 200; i++) {
        sn_head_chunk_append(&head, bytes, times[i], values[i]);
        assert_int_equal(sn_head_chunk_decode(bytes, head.len, head.count, times_back, values_back),
                         SN_OK);
        assert_memory_equal(times_back, times, (i + 1) * sizeof(*times));
        assert_memory_equal(values_back, values, (i + 1) * sizeof(*values));
        assert_int_equal(sn_head_chunk_first_time(bytes, head.len, times_back), SN_OK);
        assert_int_equal(times_back[0], times[0]);
    }
    assert_int_equal(sn_head_chunk_first_time(bytes, 0, times_back), SN_ERR_CORRUPT);
}

static void the_largest_chunk_of_the_longest_tokens_fits(void **state) {
    (void)state;
    static uint8_t bytes[BYTES_MAX];
    static int64_t times[SN_HEAD_CHUNK_SAMPLES_MAX];
    static double values[SN_HEAD_CHUNK_SAMPLES_MAX];
    static int64_t times_back[SN_HEAD_CHUNK_SAMPLES_MAX];
    static double values_back[SN_HEAD_CHUNK_SAMPLES_MAX];
    struct noise noise = {22};
    struct sn_head_chunk head = {0};
    for (size_t i = 0; i < SN_HEAD_CHUNK_SAMPLES_MAX; i++) {
        times[i] = (int64_t)noise_next(&noise);
        values[i] = double_of(noise_next(&noise));
        sn_head_chunk_append(&head, bytes, times[i], values[i]);
    }
    assert_true(head.len > SN_HEAD_CHUNK_SAMPLES_MAX * 18);
    assert_int_equal(sn_head_chunk_decode(bytes, head.len, head.count, times_back, values_back),
                     SN_OK);
    assert_memory_equal(times_back, times, sizeof(times));
    assert_memory_equal(values_back, values, sizeof(values));
}

static void a_thousand_equal_regular_samples_take_few_bytes(void **state) {
    (void)state;
    static uint8_t bytes[BYTES_MAX];
    struct sn_head_chunk head = {0};
    for (int64_t i = 0; i < 1000; i++) {
        sn_head_chunk_append(&head, bytes, 1700000000000 + i * 15000, 0.25);
    }
    assert_true(head.len < 35);
}

static void clear_leaves_the_owners_fields_alone(void **state) {
    (void)state;
    uint8_t bytes[3 * SN_HEAD_TOKEN_BYTES_MAX];
    int64_t time;
    double value;
    struct sn_head_chunk head = {.owner_ref = 123456, .owner_class = 7, .owner_epoch = 9};
    sn_head_chunk_append(&head, bytes, 5, 1e300);
    sn_head_chunk_append(&head, bytes, 6, 0.125);
    sn_head_chunk_clear(&head);
    assert_int_equal(head.count, 0);
    assert_int_equal(head.len, 0);
    sn_head_chunk_append(&head, bytes, 7, 0.5);
    assert_int_equal(sn_head_chunk_decode(bytes, head.len, 1, &time, &value), SN_OK);
    assert_int_equal(time, 7);
    assert_true(value == 0.5);
    assert_int_equal(head.owner_ref, 123456);
    assert_int_equal(head.owner_class, 7);
    assert_int_equal(head.owner_epoch, 9);
}

/* Decode damaged tokens: any result is fine, memory checks are the sanitizer's. */
static sn_status decode_anything(const uint8_t *bytes, size_t len, size_t count) {
    uint8_t *exact = exact_copy(bytes, len);
    int64_t *times = malloc(count * sizeof(*times) + 1);
    double *values = malloc(count * sizeof(*values) + 1);
    sn_status status = sn_head_chunk_decode(exact, len, count, times, values);
    free(values);
    free(times);
    free(exact);
    return status;
}

static void damaged_tokens_never_lead_outside(void **state) {
    (void)state;
    struct noise noise = {23};
    for (unsigned v = 0; v < VALUE_KIND_COUNT; v++) {
        int64_t times[80];
        double values[80];
        struct sn_head_chunk head = {0};
        fill_times(&noise, v % TIME_KIND_COUNT, times, 80);
        fill_values(&noise, v, values, 80);
        uint8_t *bytes = append_all(&head, times, values, 80);
        for (size_t bit = 0; bit < head.len * 8u; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            (void)decode_anything(bytes, head.len, 80);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (size_t len = 0; len < head.len; len++) {
            assert_int_equal(decode_anything(bytes, len, 80), SN_ERR_CORRUPT);
        }
        free(bytes);
    }
}

static void a_count_that_does_not_match_is_corrupt(void **state) {
    (void)state;
    static uint8_t bytes[BYTES_MAX];
    struct sn_head_chunk head = {0};
    assert_int_equal(decode_anything(bytes, 0, 0), SN_OK);
    for (int i = 0; i < 100; i++) {
        sn_head_chunk_append(&head, bytes, i, i / 10);
    }
    assert_int_equal(decode_anything(bytes, head.len, 100), SN_OK);
    assert_int_equal(decode_anything(bytes, head.len, 99), SN_ERR_CORRUPT);
    assert_int_equal(decode_anything(bytes, head.len, 101), SN_ERR_CORRUPT);
    assert_int_equal(decode_anything(bytes, head.len, 0), SN_ERR_CORRUPT);
    assert_int_equal(decode_anything(bytes, 0, 1), SN_ERR_CORRUPT);
}

static void malformed_tokens_are_refused(void **state) {
    (void)state;
    /* Two samples; the first is time 0 and value 0 (two zero bytes). */
    static const struct {
        const char *bytes;
        size_t len;
    } cases[] = {
        {"\x80", 1},                              /* time of the first ends early */
        {"\x00", 1},                              /* no value of the first */
        {"\x00\x40\x40", 3},                      /* the first has no time step */
        {"\x00\x23\x40", 3},                      /* no such value code */
        {"\x00\x00\x63", 3},                      /* no such value code */
        {"\x00\x00\x80", 3},                      /* step change missing */
        {"\x00\x00\xc0\x80", 4},                  /* step change ends early */
        {"\x00\x00\x5a\x01", 4},                  /* integer of two bytes, one there */
        {"\x00\x00\x61", 3},                      /* shape of the bits missing */
        {"\x00\x00\x61\x00", 4},                  /* no bytes of bits */
        {"\x00\x00\x61\x18\0\0\0\0\0\0\0\0", 12}, /* nine bytes of bits */
        {"\x00\x00\x61\x02\x01", 5},              /* two bytes of bits, one there */
        {"\x00\x00\x62", 3},                      /* exponent missing */
        {"\x00\x00\x62\x0a\x00", 5},              /* 10^10 */
        {"\x00\x00\x62\x00\x80", 5},              /* integer ends early */
        {"\x00\x00\x01", 3},                      /* a run of two where one is left */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        assert_int_equal(decode_anything(bytes, cases[i].len, 2), SN_ERR_CORRUPT);
    }
}

static bool check_series(void *ctx, const int64_t *times, const double *values, size_t count) {
    size_t *samples = ctx;
    for (size_t from = 0; from < count; from += SN_HEAD_CHUNK_SAMPLES_MAX) {
        size_t left = count - from;
        size_t block = left < SN_HEAD_CHUNK_SAMPLES_MAX ? left : SN_HEAD_CHUNK_SAMPLES_MAX;
        check_round_trip(times + from, values + from, block);
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
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_mix_of_times_and_values_comes_back),
        cmocka_unit_test(every_prefix_decodes_while_the_chunk_grows),
        cmocka_unit_test(the_largest_chunk_of_the_longest_tokens_fits),
        cmocka_unit_test(a_thousand_equal_regular_samples_take_few_bytes),
        cmocka_unit_test(clear_leaves_the_owners_fields_alone),
        cmocka_unit_test(damaged_tokens_never_lead_outside),
        cmocka_unit_test(a_count_that_does_not_match_is_corrupt),
        cmocka_unit_test(malformed_tokens_are_refused),
        cmocka_unit_test(real_series_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
