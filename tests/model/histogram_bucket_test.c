/* Buckets as intervals: order, bounds, which of them belong to the bucket. */
#include "model/histogram_bucket.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void both_directions_see_the_same_buckets(void **state) {
    (void)state;
    static const struct sn_bucket_span spans[] = {{-2, 1}, {0, 0}, {3, 2}};
    static const double counts[] = {1, 2, 3};
    struct sn_histogram histogram = {.count = 12,
                                     .zero_count = 1,
                                     .positive_spans = spans,
                                     .positive_counts = counts,
                                     .positive_span_count = 3,
                                     .positive_bucket_count = 3,
                                     .negative_spans = spans,
                                     .negative_counts = counts,
                                     .negative_span_count = 3,
                                     .negative_bucket_count = 3};
    struct sn_histogram_bucket up[7];
    struct sn_histogram_bucket down[8];
    struct sn_bucket_cursor cursor;
    size_t count = 0;
    sn_bucket_cursor_init(&cursor, &histogram, false);
    while (count < 7 && sn_bucket_cursor_next(&cursor, &up[count])) {
        count++;
    }
    assert_int_equal(count, 7);
    assert_true(up[0].lower == -8 && up[0].upper == -4 && up[0].count == 3);
    assert_true(up[3].count == 1 && up[3].has_lower && up[3].has_upper);
    assert_true(up[6].lower == 4 && up[6].upper == 8 && up[6].count == 3);
    sn_bucket_cursor_init(&cursor, &histogram, true);
    for (size_t i = 7; i-- > 0;) {
        assert_true(sn_bucket_cursor_next(&cursor, &down[i]));
        assert_true(down[i].lower == up[i].lower && down[i].count == up[i].count);
    }
    assert_false(sn_bucket_cursor_next(&cursor, &down[7]));
}

static void custom_buckets_reach_from_end_to_end(void **state) {
    (void)state;
    static const struct sn_bucket_span span = {0, 3};
    static const double counts[] = {1, 2, 3};
    static const double bounds[] = {-1, 4};
    struct sn_histogram histogram = {.schema = SN_HISTOGRAM_SCHEMA_CUSTOM,
                                     .positive_spans = &span,
                                     .positive_counts = counts,
                                     .positive_span_count = 1,
                                     .positive_bucket_count = 3,
                                     .custom_bounds = bounds,
                                     .custom_bound_count = 2};
    struct sn_histogram_bucket buckets[3];
    struct sn_bucket_cursor cursor;
    sn_bucket_cursor_init(&cursor, &histogram, false);
    for (int i = 0; i < 3; i++) {
        assert_true(sn_bucket_cursor_next(&cursor, &buckets[i]));
    }
    assert_true(isinf(buckets[0].lower) && buckets[0].has_lower && buckets[0].upper == -1);
    assert_true(buckets[1].lower == -1 && !buckets[1].has_lower && buckets[1].has_upper);
    assert_true(isinf(buckets[2].upper) && buckets[2].count == 3);
}

static void a_wide_zero_bucket_cuts_its_neighbours(void **state) {
    (void)state;
    static const struct sn_bucket_span span = {0, 1};
    static const double count = 1;
    struct sn_histogram histogram = {.zero_threshold = 0.75,
                                     .zero_count = 1,
                                     .positive_spans = &span,
                                     .positive_counts = &count,
                                     .positive_span_count = 1,
                                     .positive_bucket_count = 1};
    struct sn_histogram_bucket bucket;
    struct sn_bucket_cursor cursor;
    sn_bucket_cursor_init(&cursor, &histogram, true);
    assert_true(sn_bucket_cursor_next(&cursor, &bucket));
    assert_true(bucket.lower == 0.75 && bucket.upper == 1);
    assert_true(sn_bucket_cursor_next(&cursor, &bucket));
    assert_true(bucket.lower == -0.75 && bucket.upper == 0.75);
    assert_false(sn_bucket_cursor_next(&cursor, &bucket));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_directions_see_the_same_buckets),
        cmocka_unit_test(custom_buckets_reach_from_end_to_end),
        cmocka_unit_test(a_wide_zero_bucket_cuts_its_neighbours),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
