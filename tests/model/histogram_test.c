/* Native histograms: each rule of validity broken once, copies, equality, bounds. */
#include "model/histogram.h"

#include "base/mem.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct sn_bucket_span positive_spans[] = {{-2, 2}, {3, 1}};
static const double positive_counts[] = {1, 2, 3};
static const struct sn_bucket_span negative_spans[] = {{0, 1}};
static const double negative_counts[] = {4};
static const double bounds[] = {-1, 0, 2.5};

static struct sn_histogram exponential(void) {
    return (struct sn_histogram){
        .schema = 3,
        .zero_threshold = 0.001,
        .zero_count = 5,
        .count = 15,
        .sum = 42,
        .positive_spans = positive_spans,
        .positive_counts = positive_counts,
        .positive_span_count = 2,
        .positive_bucket_count = 3,
        .negative_spans = negative_spans,
        .negative_counts = negative_counts,
        .negative_span_count = 1,
        .negative_bucket_count = 1,
    };
}

static const struct sn_bucket_span custom_spans[] = {{1, 3}};

static struct sn_histogram custom(void) {
    return (struct sn_histogram){
        .schema = SN_HISTOGRAM_SCHEMA_CUSTOM,
        .count = 6,
        .sum = 1,
        .positive_spans = custom_spans,
        .positive_counts = positive_counts,
        .positive_span_count = 1,
        .positive_bucket_count = 3,
        .custom_bounds = bounds,
        .custom_bound_count = 3,
    };
}

static void assert_valid(const struct sn_histogram *histogram) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_histogram_validate(histogram, &err);
    assert_string_equal(err.text, "");
    assert_int_equal(status, SN_OK);
}

static void assert_refused(const struct sn_histogram *histogram, sn_status status,
                           const char *text) {
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_histogram_validate(histogram, &err), status);
    assert_string_equal(err.text, text);
}

static void good_histograms_are_valid(void **state) {
    (void)state;
    struct sn_histogram h = exponential();
    assert_valid(&h);
    h = custom();
    assert_valid(&h);
    h = (struct sn_histogram){.schema = 8};
    assert_valid(&h);
    h = exponential();
    h.count = 14;
    h.sum = (double)NAN;
    assert_valid(&h);
    h = exponential();
    h.count = 15 * (1 - 1e-12);
    assert_valid(&h);
}

static void schema_limits_hold_at_both_sides(void **state) {
    (void)state;
    struct sn_histogram h = exponential();
    for (int32_t schema = -4; schema <= 8; schema++) {
        h.schema = schema;
        assert_valid(&h);
    }
    h.schema = 9;
    assert_refused(&h, SN_ERR_INVALID, "histogram schema 9 is none of -4 to 8 and -53");
    h.schema = -5;
    assert_refused(&h, SN_ERR_INVALID, "histogram schema -5 is none of -4 to 8 and -53");
}

static void totals_must_be_counts(void **state) {
    (void)state;
    struct sn_histogram h = exponential();
    h.count = 14; /* less than the buckets: averages are like that */
    assert_valid(&h);
    h.count = (double)NAN;
    assert_refused(&h, SN_ERR_INVALID, "count or zero count of a histogram is negative or NaN");
    h = exponential();
    h.zero_count = -1;
    assert_refused(&h, SN_ERR_INVALID, "count or zero count of a histogram is negative or NaN");
    h = exponential();
    h.zero_threshold = (double)NAN;
    assert_refused(&h, SN_ERR_INVALID, "zero threshold of a histogram is negative or NaN");
    h = exponential();
    h.reset_hint = (enum sn_counter_reset_hint)9;
    assert_refused(&h, SN_ERR_INVALID, "histogram has the unknown counter reset hint 9");
}

static void spans_must_name_the_buckets(void **state) {
    (void)state;
    struct sn_histogram h = exponential();
    h.positive_bucket_count = 2;
    assert_refused(&h, SN_ERR_INVALID, "positive spans name 3 buckets but there are 2 counts");
    h = exponential();
    h.positive_spans = (const struct sn_bucket_span[]){{0, 2}, {-1, 1}};
    assert_refused(&h, SN_ERR_INVALID, "positive span 1 has the negative offset -1");
    h = exponential();
    h.negative_spans = (const struct sn_bucket_span[]){{INT32_MAX, 1}};
    assert_refused(&h, SN_ERR_INVALID,
                   "negative span 0 ends at bucket 2147483648, beyond 2^31 - 1");
    h = exponential();
    h.positive_counts = (const double[]){1, -2, 3};
    assert_refused(&h, SN_ERR_INVALID, "positive bucket 1 has a negative or NaN count");
    h.positive_counts = (const double[]){1, 2, (double)NAN};
    assert_refused(&h, SN_ERR_INVALID, "positive bucket 2 has a negative or NaN count");
}

static void custom_bounds_have_their_own_rules(void **state) {
    (void)state;
    struct sn_histogram h = exponential();
    h.custom_bounds = bounds;
    h.custom_bound_count = 1;
    assert_refused(&h, SN_ERR_INVALID, "histogram of schema 3 has custom bounds");
    h = custom();
    h.zero_count = 1;
    h.count = 7;
    assert_refused(&h, SN_ERR_INVALID,
                   "histogram with custom bounds has a zero bucket or negative buckets");
    h = custom();
    h.positive_spans = (const struct sn_bucket_span[]){{-1, 3}};
    assert_refused(&h, SN_ERR_INVALID, "first bucket of custom bounds has the index -1");
    h.positive_spans = (const struct sn_bucket_span[]){{2, 3}};
    assert_refused(&h, SN_ERR_INVALID, "bucket 4 is beyond the 3 custom bounds");
    h = custom();
    h.custom_bounds = (const double[]){1, 1, 2};
    assert_refused(&h, SN_ERR_INVALID, "custom bound 1 is not above the one before it");
    h.custom_bounds = (const double[]){1, 2, (double)INFINITY};
    assert_refused(&h, SN_ERR_INVALID, "custom bound 2 is not finite");
}

static void bucket_limit_holds_at_both_sides(void **state) {
    (void)state;
    double *counts = calloc(SN_HISTOGRAM_BUCKETS_MAX + 1, sizeof *counts);
    assert_non_null(counts);
    struct sn_bucket_span span = {0, SN_HISTOGRAM_BUCKETS_MAX};
    struct sn_histogram h = {.positive_spans = &span,
                             .positive_counts = counts,
                             .positive_span_count = 1,
                             .positive_bucket_count = SN_HISTOGRAM_BUCKETS_MAX};
    assert_valid(&h);
    span.length = h.positive_bucket_count = SN_HISTOGRAM_BUCKETS_MAX + 1;
    assert_int_equal(sn_histogram_validate(&h, NULL), SN_ERR_LIMIT);
    h.positive_bucket_count = UINT32_MAX;
    assert_int_equal(sn_histogram_validate(&h, NULL), SN_ERR_LIMIT);
    free(counts);
}

static void a_copy_is_equal_and_deep(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_histogram copy;
    struct sn_histogram h = exponential();
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_histogram_copy(&h, &arena, &copy), SN_OK);
    assert_true(sn_histogram_equal(&h, &copy));
    assert_ptr_not_equal(copy.positive_counts, h.positive_counts);
    h = custom();
    assert_int_equal(sn_histogram_copy(&h, &arena, &copy), SN_OK);
    assert_true(sn_histogram_equal(&h, &copy));
    assert_null(copy.negative_spans);
    sn_arena_release(&arena);
}

static void a_copy_that_fails_leaves_the_result_alone(void **state) {
    (void)state;
    struct sn_histogram h = exponential();
    struct sn_histogram copy = {.schema = 77};
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_mem_fail_nth(1);
    sn_status status = sn_histogram_copy(&h, &arena, &copy);
    bool has_failed = sn_mem_fail_fired() != 0;
    sn_mem_fail_nth(0);
    if (has_failed) {
        assert_int_equal(status, SN_ERR_NO_MEMORY);
        assert_int_equal(copy.schema, 77);
    }
    sn_arena_release(&arena);
    sn_arena_init(&arena, 16);
    assert_int_equal(sn_histogram_copy(&h, &arena, &copy), SN_ERR_LIMIT);
    sn_arena_release(&arena);
}

static void equality_sees_every_field_and_nan_bits(void **state) {
    (void)state;
    struct sn_histogram a = exponential();
    struct sn_histogram b = exponential();
    a.sum = b.sum = (double)NAN;
    assert_true(sn_histogram_equal(&a, &b));
    b.sum = 0;
    assert_false(sn_histogram_equal(&a, &b));
    b = a;
    b.reset_hint = SN_RESET_GAUGE;
    assert_false(sn_histogram_equal(&a, &b));
    b = a;
    b.zero_threshold = 0;
    assert_false(sn_histogram_equal(&a, &b));
    b = a;
    b.positive_counts = (const double[]){1, 2, 4};
    assert_false(sn_histogram_equal(&a, &b));
    b = a;
    b.negative_spans = (const struct sn_bucket_span[]){{1, 1}};
    assert_false(sn_histogram_equal(&a, &b));
    a = custom();
    b = custom();
    b.custom_bounds = (const double[]){-1, 0, 3};
    assert_false(sn_histogram_equal(&a, &b));
}

static void assert_close(double actual, double expected) {
    assert_true(fabs(actual - expected) <= 1e-15 * fabs(expected));
}

static void bucket_bounds_are_powers_of_the_base(void **state) {
    (void)state;
    assert_true(sn_histogram_upper_bound(0, 0) == 1);
    assert_true(sn_histogram_upper_bound(0, 3) == 8);
    assert_true(sn_histogram_upper_bound(0, -1) == 0.5);
    assert_true(sn_histogram_upper_bound(-2, 1) == 16);
    assert_true(sn_histogram_upper_bound(1, 2) == 2);
    assert_close(sn_histogram_upper_bound(1, 1), sqrt(2));
    assert_close(sn_histogram_upper_bound(1, -1), sqrt(0.5));
    assert_close(sn_histogram_upper_bound(8, 1), pow(2, 1.0 / 256));
    assert_close(sn_histogram_upper_bound(8, -300), pow(2, -300.0 / 256));
}

static void bounds_end_at_the_largest_double(void **state) {
    (void)state;
    assert_true(sn_histogram_upper_bound(0, 1023) == ldexp(1, 1023));
    assert_true(sn_histogram_upper_bound(0, 1024) == DBL_MAX);
    assert_true(isinf(sn_histogram_upper_bound(0, 1025)));
    assert_true(sn_histogram_upper_bound(8, 1024 * 256) == DBL_MAX);
    assert_true(isinf(sn_histogram_upper_bound(8, 1024 * 256 + 1)));
    assert_true(isinf(sn_histogram_upper_bound(-4, INT32_MAX)));
    assert_true(isinf(sn_histogram_upper_bound(8, INT32_MAX)));
    assert_true(sn_histogram_upper_bound(-4, INT32_MIN) == 0);
    assert_true(sn_histogram_upper_bound(8, INT32_MIN) == 0);
}

static void columns_of_histograms_hold_deep_copies(void **state) {
    (void)state;
    struct sn_histograms histograms;
    sn_histograms_init(&histograms, 0);
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 100; i++) {
            struct sn_histogram histogram = exponential();
            histogram.sum = i;
            struct sn_histogram_point point = {i, 2 * i, &histogram};
            assert_int_equal(sn_histograms_append(&histograms, &point), SN_OK);
        }
        assert_int_equal(histograms.count, 100);
        for (int i = 0; i < 100; i++) {
            struct sn_histogram histogram = exponential();
            histogram.sum = i;
            assert_int_equal(histograms.time_ms[i], i);
            assert_int_equal(histograms.start_ms[i], 2 * i);
            assert_true(sn_histogram_equal(&histograms.items[i], &histogram));
            assert_ptr_not_equal(histograms.items[i].positive_counts, positive_counts);
        }
        sn_histograms_reset(&histograms);
        assert_int_equal(histograms.count, 0);
    }
    sn_histograms_release(&histograms);
}

static void an_append_that_fails_changes_nothing(void **state) {
    (void)state;
    int64_t blocks = sn_mem_block_count();
    struct sn_histogram histogram = exponential();
    struct sn_histogram_point point = {1, 0, &histogram};
    for (uint64_t nth = 1;; nth++) {
        struct sn_histograms histograms;
        sn_histograms_init(&histograms, 0);
        sn_mem_fail_nth(nth);
        sn_status status = sn_histograms_append(&histograms, &point);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(histograms.count, has_failed ? 0 : 1);
        assert_int_equal(sn_histograms_append(&histograms, &point), SN_OK);
        sn_histograms_release(&histograms);
        assert_int_equal(sn_mem_block_count(), blocks);
        if (!has_failed) {
            break;
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_histograms_are_valid),
        cmocka_unit_test(schema_limits_hold_at_both_sides),
        cmocka_unit_test(totals_must_be_counts),
        cmocka_unit_test(spans_must_name_the_buckets),
        cmocka_unit_test(custom_bounds_have_their_own_rules),
        cmocka_unit_test(bucket_limit_holds_at_both_sides),
        cmocka_unit_test(a_copy_is_equal_and_deep),
        cmocka_unit_test(a_copy_that_fails_leaves_the_result_alone),
        cmocka_unit_test(equality_sees_every_field_and_nan_bits),
        cmocka_unit_test(bucket_bounds_are_powers_of_the_base),
        cmocka_unit_test(bounds_end_at_the_largest_double),
        cmocka_unit_test(columns_of_histograms_hold_deep_copies),
        cmocka_unit_test(an_append_that_fails_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
