/* Histograms that tests make up: see histogram_support.h. */
#include "histogram_support.h"

#include "model/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void *take(struct sn_arena *arena, size_t bytes) {
    void *ptr = sn_arena_alloc(arena, bytes);
    assert_non_null(ptr);
    return ptr;
}

struct sn_histogram test_histogram(struct sn_arena *arena, unsigned i) {
    uint32_t length = 4 + i / 10 % 3;
    struct sn_bucket_span *spans = take(arena, 2 * sizeof *spans);
    double *counts = take(arena, (length + 2) * sizeof *counts);
    spans[0] = (struct sn_bucket_span){.offset = -2, .length = length};
    spans[1] = (struct sn_bucket_span){.offset = 3, .length = 2};
    double count = i;
    for (uint32_t k = 0; k < length + 2; k++) {
        counts[k] = (double)(i * (k + 1));
        count += counts[k];
    }
    return (struct sn_histogram){.schema = 3,
                                 .reset_hint = i == 0 ? SN_RESET_UNKNOWN : SN_RESET_NO,
                                 .zero_threshold = 0x1p-128,
                                 .zero_count = i,
                                 .count = count,
                                 .sum = (double)i * 0.125,
                                 .positive_spans = spans,
                                 .positive_span_count = 2,
                                 .positive_counts = counts,
                                 .positive_bucket_count = length + 2};
}

/* Spans of `buckets` buckets with gaps. */
static const struct sn_bucket_span *random_spans(struct sn_arena *arena, struct sn_rng *rng,
                                                 uint32_t buckets, int32_t first,
                                                 uint32_t *ret_count) {
    struct sn_bucket_span *spans = take(arena, (buckets + 1) * sizeof *spans);
    uint32_t count = 0;
    while (buckets > 0) {
        uint32_t length = 1 + (uint32_t)sn_rng_below(rng, buckets);
        spans[count] = (struct sn_bucket_span){
            .offset = count == 0 ? first : (int32_t)sn_rng_below(rng, 9), .length = length};
        buckets -= length;
        count++;
    }
    *ret_count = count;
    return count > 0 ? spans : NULL;
}

static const double *random_counts(struct sn_arena *arena, struct sn_rng *rng, uint32_t buckets,
                                   bool is_fractional, double *sum) {
    double *counts = take(arena, (buckets + 1) * sizeof *counts);
    for (uint32_t i = 0; i < buckets; i++) {
        counts[i] = (double)sn_rng_below(rng, 100000);
        if (is_fractional)
            counts[i] /= 7;
        *sum += counts[i];
    }
    return buckets > 0 ? counts : NULL;
}

static void make_custom(struct sn_arena *arena, struct sn_rng *rng, struct sn_histogram *made) {
    uint32_t buckets = 1 + (uint32_t)sn_rng_below(rng, 12);
    struct sn_bucket_span *span = take(arena, sizeof *span);
    double *bounds = take(arena, buckets * sizeof *bounds);
    *span = (struct sn_bucket_span){.offset = 0, .length = buckets};
    for (uint32_t i = 0; i < buckets; i++)
        bounds[i] = (double)i * 2.5 - 3;
    made->schema = SN_HISTOGRAM_SCHEMA_CUSTOM;
    made->positive_spans = span;
    made->positive_span_count = 1;
    made->positive_bucket_count = buckets;
    made->custom_bounds = bounds;
    made->custom_bound_count = buckets;
}

struct sn_histogram test_random_histogram(struct sn_arena *arena, struct sn_rng *rng) {
    struct sn_histogram made = {.reset_hint = (enum sn_counter_reset_hint)sn_rng_below(rng, 4)};
    bool is_fractional = sn_rng_below(rng, 4) == 0;
    double sum = 0;
    if (sn_rng_below(rng, 4) == 0) {
        make_custom(arena, rng, &made);
    } else {
        made.schema = (int32_t)sn_rng_below(rng, 13) - 4;
        made.zero_threshold = sn_rng_below(rng, 2) ? 0x1p-128 : 0.001;
        made.zero_count = (double)sn_rng_below(rng, 50);
        made.positive_bucket_count = (uint32_t)sn_rng_below(rng, 30);
        made.negative_bucket_count = (uint32_t)sn_rng_below(rng, 5);
        made.positive_spans =
            random_spans(arena, rng, made.positive_bucket_count, -7, &made.positive_span_count);
        made.negative_spans =
            random_spans(arena, rng, made.negative_bucket_count, 2, &made.negative_span_count);
    }
    made.positive_counts =
        random_counts(arena, rng, made.positive_bucket_count, is_fractional, &sum);
    made.negative_counts =
        random_counts(arena, rng, made.negative_bucket_count, is_fractional, &sum);
    made.count = sum + made.zero_count + (double)sn_rng_below(rng, 3);
    made.sum = sn_rng_below(rng, 8) ? sn_double_from_bits(sn_rng_u64(rng))
                                    : sn_double_from_bits(SN_STALE_NAN_BITS);
    return made;
}

sn_status test_push_histogram(struct test_store *test, const char *name, unsigned number,
                              int64_t time_ms, int64_t start_ms,
                              const struct sn_histogram *histogram,
                              struct sn_push_result *ret_result) {
    struct sn_push_result ignored;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, name, number);
    struct sn_batch_series series = {.labels = sn_buf_str(&buf)};
    struct sn_batch_histogram item = {
        .time_ms = time_ms, .start_time_ms = start_ms, .histogram = *histogram};
    struct sn_batch batch = {
        .series = &series, .series_count = 1, .histograms = &item, .histogram_count = 1};
    sn_status status = sn_sink_push_wait(sn_store_sink(test->store), &batch,
                                         ret_result ? ret_result : &ignored, NULL);
    sn_buf_release(&buf);
    return status;
}

void test_read_histograms(struct test_store *test, const char *name, unsigned number,
                          struct sn_range range, struct sn_histograms *ret_histograms) {
    struct sn_err err = {.status = SN_OK};
    struct sn_reader reader = sn_store_reader(test->store);
    uint64_t id = 0;
    sn_histograms_init(ret_histograms, 0);
    if (!test_find_series(test, name, number, &id))
        return;
    sn_status status = reader.histograms(reader.ctx, id, range, ret_histograms, &err);
    if (status != SN_OK)
        print_error("read: %s\n", err.text);
    assert_int_equal(status, SN_OK);
}
