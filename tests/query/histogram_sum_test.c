/* Sums of native histograms: schemas, zero buckets, bounds and signs meet; failures leave nothing. */
#include "query/eval_priv.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "promql_support.h"

static struct sn_arena arena;

static int setup(void **state) {
    (void)state;
    sn_arena_init(&arena, 0);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return 0;
}

static const struct sn_histogram *parse(const char *text) {
    const struct sn_histogram *histogram = NULL;
    assert_true(promql_histogram_parse(sn_str_from(text), &arena, &histogram));
    return histogram;
}

static void assert_same(const struct sn_histogram *histogram, const char *expected) {
    struct sn_buf buf = {.limit = 0};
    bool is_near = promql_histogram_is_near(histogram, parse(expected), &arena);
    if (!is_near) {
        sn_histogram_text(histogram, &buf);
        print_error("got schema %d, zero %g, %.*s\n", histogram->schema, histogram->zero_threshold,
                    SN_STR_ARG(sn_buf_str(&buf)));
    }
    sn_buf_release(&buf);
    assert_true(is_near);
}

static const struct sn_histogram *add(const char *a, const char *b, double sign, unsigned *events) {
    struct sn_histogram_sum sum = {.schema = 0};
    struct sn_histogram_sum other = {.schema = 0};
    const struct sn_histogram *result = NULL;
    *events = 0;
    assert_int_equal(sn_histogram_sum_set(&sum, parse(a), &arena), SN_OK);
    assert_int_equal(sn_histogram_sum_add(&sum, parse(b), sign, &other, &arena, events), SN_OK);
    assert_int_equal(sn_histogram_sum_finish(&sum, true, &arena, &result), SN_OK);
    return result;
}

static void buckets_meet_by_their_index(void **state) {
    (void)state;
    unsigned events;
    assert_same(
        add("count:3 sum:3 buckets:[1 0 2]", "count:9 sum:9 offset:1 buckets:[4 0 5]", 1, &events),
        "count:12 sum:12 buckets:[1 4 2 5]");
    assert_same(add("count:3 sum:3 offset:5 buckets:[3]", "count:2 sum:2 n_buckets:[1] buckets:[1]",
                    -1, &events),
                "count:1 sum:1 n_buckets:[-1] buckets:[-1 0 0 0 0 3]");
    assert_int_equal(events, 0);
}

static void the_coarser_schema_wins(void **state) {
    (void)state;
    unsigned events;
    assert_same(add("schema:1 count:6 buckets:[1 2 3]", "schema:0 count:4 buckets:[4]", 1, &events),
                "schema:0 count:10 buckets:[5 5]");
    assert_same(
        add("schema:-1 count:1 buckets:[1]", "schema:1 count:6 buckets:[1 2 3]", 1, &events),
        "schema:-1 count:7 buckets:[2 5]");
}

static void the_wider_zero_bucket_swallows_whole_buckets(void **state) {
    (void)state;
    unsigned events;
    /* 0.75 lies in the bucket (0.5, 1], which has observations: the zero bucket grows to 1. */
    assert_same(add("count:6 z_bucket:1 z_bucket_w:0.1 offset:0 buckets:[2 3]",
                    "count:5 z_bucket:5 z_bucket_w:0.75", 1, &events),
                "count:11 z_bucket:8 z_bucket_w:1 offset:1 buckets:[3]");
    /* An empty one may be cut. */
    assert_same(add("count:4 z_bucket:1 z_bucket_w:0.1 buckets:[0 3]",
                    "count:5 z_bucket:5 z_bucket_w:0.75", 1, &events),
                "count:9 z_bucket:6 z_bucket_w:0.75 offset:1 buckets:[3]");
    assert_same(add("count:5 z_bucket:5 z_bucket_w:0.5",
                    "count:6 z_bucket:1 z_bucket_w:0.1 n_buckets:[2 3]", 1, &events),
                "count:11 z_bucket:6 z_bucket_w:0.5 n_buckets:[2 3]");
}

static void custom_bounds_that_differ_leave_the_common_ones(void **state) {
    (void)state;
    unsigned events;
    assert_same(add("schema:-53 count:6 custom_values:[1 2 3] buckets:[1 2 3]",
                    "schema:-53 count:8 custom_values:[2 4] buckets:[1 3 4]", 1, &events),
                "schema:-53 count:14 custom_values:[2] buckets:[4 10]");
    assert_int_equal(events, SN_HISTOGRAM_RECONCILED);
    assert_same(add("schema:-53 count:1 custom_values:[1] buckets:[1]",
                    "schema:-53 count:2 custom_values:[2] buckets:[2]", 1, &events),
                "schema:-53 count:3 buckets:[3]");
}

static void exponential_and_custom_do_not_fit(void **state) {
    (void)state;
    unsigned events;
    assert_same(
        add("count:1 buckets:[1]", "schema:-53 count:1 custom_values:[1] buckets:[1]", 1, &events),
        "count:1 buckets:[1]");
    assert_int_equal(events, SN_HISTOGRAM_INCOMPATIBLE);
}

static void hints_of_sums_are_those_of_prometheus(void **state) {
    (void)state;
    static const enum sn_counter_reset_hint expected[4][4] = {
        {SN_RESET_UNKNOWN, SN_RESET_UNKNOWN, SN_RESET_UNKNOWN, SN_RESET_GAUGE},
        {SN_RESET_UNKNOWN, SN_RESET_YES, SN_RESET_UNKNOWN, SN_RESET_GAUGE},
        {SN_RESET_UNKNOWN, SN_RESET_UNKNOWN, SN_RESET_NO, SN_RESET_GAUGE},
        {SN_RESET_GAUGE, SN_RESET_GAUGE, SN_RESET_GAUGE, SN_RESET_GAUGE}};
    static const char *const names[] = {"unknown", "reset", "not_reset", "gauge"};
    for (int i = 0; i < 4; i++) {
        for (int k = 0; k < 4; k++) {
            char left[64];
            char right[64];
            unsigned events;
            (void)snprintf(left, sizeof left, "count:1 counter_reset_hint:%s", names[i]);
            (void)snprintf(right, sizeof right, "count:1 counter_reset_hint:%s", names[k]);
            assert_int_equal(add(left, right, 1, &events)->reset_hint, expected[i][k]);
            assert_int_equal(events, i * k == 2 ? SN_HISTOGRAM_COLLISION : 0);
        }
    }
}

static void scaling_touches_every_number(void **state) {
    (void)state;
    struct sn_histogram_sum sum = {.schema = 0};
    const struct sn_histogram *result = NULL;
    const struct sn_histogram *one =
        parse("count:6 sum:8 z_bucket:2 buckets:[2 0] n_buckets:[2] counter_reset_hint:not_reset");
    assert_int_equal(sn_histogram_sum_set(&sum, one, &arena), SN_OK);
    sn_histogram_sum_scale(&sum, -0.5);
    assert_int_equal(sn_histogram_sum_finish(&sum, true, &arena, &result), SN_OK);
    assert_same(result, "count:-3 sum:-4 z_bucket:-1 buckets:[-1] n_buckets:[-1]");
    assert_int_equal(result->reset_hint, SN_RESET_GAUGE);
    sn_histogram_sum_divide(&sum, -0.5);
    assert_int_equal(sn_histogram_sum_finish(&sum, false, &arena, &result), SN_OK);
    assert_true(sn_histogram_matches(result, one));
    sn_histogram_sum_divide(&sum, 0);
    assert_int_equal(sn_histogram_sum_finish(&sum, false, &arena, &result), SN_OK);
    assert_int_equal(result->positive_bucket_count, 0);
    assert_true(isinf(result->count));
    assert_true(sn_histogram_sum_overflows(&sum));
}

static bool is_reset(const char *now, const char *before) {
    struct sn_histogram_sum scratch[2] = {{.schema = 0}, {.schema = 0}};
    bool result = false;
    assert_int_equal(sn_histogram_detect_reset(parse(now), parse(before), scratch, &arena, &result),
                     SN_OK);
    return result;
}

static void a_counter_was_reset_when_anything_fell(void **state) {
    (void)state;
    assert_false(is_reset("count:3 buckets:[1 2]", "count:3 buckets:[1 2]"));
    assert_false(is_reset("count:4 buckets:[1 2 1]", "count:3 buckets:[1 2]"));
    assert_true(is_reset("count:2 buckets:[1 1]", "count:3 buckets:[1 2]"));
    assert_true(is_reset("count:4 buckets:[4]", "count:3 buckets:[1 2]"));
    assert_true(is_reset("count:4 offset:1 buckets:[4]", "count:3 buckets:[1 2]"));
    assert_false(is_reset("count:4 offset:1 buckets:[4]", "count:3 buckets:[0 3]"));
    assert_true(is_reset("schema:1 count:4 buckets:[4]", "count:3 buckets:[3]"));
    assert_false(is_reset("count:4 buckets:[0 4]", "schema:1 count:3 offset:1 buckets:[1 2]"));
    assert_true(is_reset("count:4 z_bucket:4 z_bucket_w:0.1", "count:3 z_bucket:3 z_bucket_w:0.2"));
    assert_false(is_reset("count:4 z_bucket:4 z_bucket_w:1", "count:3 z_bucket:1 buckets:[2]"));
    assert_true(is_reset("count:4 z_bucket:4 z_bucket_w:0.75", "count:3 buckets:[3]"));
    assert_true(is_reset("count:4 n_buckets:[1]", "count:3 n_buckets:[2]"));
    assert_true(is_reset("count:9 buckets:[9] counter_reset_hint:reset", "count:3 buckets:[3]"));
    assert_true(
        is_reset("schema:-53 count:4 custom_values:[1] buckets:[4]", "count:3 buckets:[3]"));
    assert_true(
        is_reset("count:4 buckets:[4]", "schema:-53 count:3 custom_values:[1] buckets:[3]"));
    assert_false(is_reset("schema:-53 count:4 custom_values:[1 2] buckets:[1 3]",
                          "schema:-53 count:3 custom_values:[2] buckets:[3]"));
    assert_true(is_reset("schema:-53 count:4 custom_values:[1 2] buckets:[1 1 2]",
                         "schema:-53 count:3 custom_values:[2] buckets:[3]"));
}

static void equality_ignores_how_spans_are_cut(void **state) {
    (void)state;
    static const struct sn_bucket_span cut[] = {{0, 1}, {0, 0}, {0, 1}};
    struct sn_histogram other = *parse("count:3 buckets:[1 2]");
    other.positive_spans = cut;
    other.positive_span_count = 3;
    assert_true(sn_histogram_matches(parse("count:3 buckets:[1 2]"), &other));
    assert_false(sn_histogram_matches(parse("count:3 buckets:[1 2 0]"), &other));
    assert_false(sn_histogram_matches(parse("count:3 offset:1 buckets:[1 2]"), &other));
    assert_false(sn_histogram_matches(parse("count:4 buckets:[1 2]"), &other));
    assert_false(sn_histogram_matches(parse("sum:NaN"), parse("sum:NaN")));
}

static void means_do_not_overflow(void **state) {
    (void)state;
    struct sn_histogram_mean mean = {.count = 0};
    struct sn_histogram_sum sum = {.schema = 0};
    struct sn_histogram_sum scratch[2] = {{.schema = 0}, {.schema = 0}};
    const struct sn_histogram *result = NULL;
    unsigned events = 0;
    for (int i = 0; i < 5; i++) {
        const struct sn_histogram *one =
            parse(i == 2 ? "count:1e308 sum:4" : "count:1.5e308 sum:1 buckets:[1e308]");
        assert_int_equal(sn_histogram_mean_add(&mean, &sum, one, scratch, &arena, &events), SN_OK);
    }
    sn_histogram_mean_finish(&mean, &sum);
    assert_int_equal(sn_histogram_sum_finish(&sum, true, &arena, &result), SN_OK);
    assert_same(result, "count:1.4e308 sum:1.6 buckets:[0.8e308]");
}

/* Everything that allocates; the first failure ends it. */
static sn_status work(struct sn_arena *own, const struct sn_histogram *const inputs[3]) {
    struct sn_histogram_mean mean = {.count = 0};
    struct sn_histogram_sum sums[4] = {{.schema = 0}};
    const struct sn_histogram *result;
    unsigned events = 0;
    bool was_reset;
    SN_TRY(sn_histogram_sum_set(&sums[0], inputs[0], own));
    SN_TRY(sn_histogram_sum_add(&sums[0], inputs[1], 1, &sums[1], own, &events));
    SN_TRY(sn_histogram_sum_copy(&sums[0], &sums[2], own));
    SN_TRY(sn_histogram_sum_finish(&sums[2], true, own, &result));
    SN_TRY(sn_histogram_trim(inputs[0], 1, true, &sums[2], own, &result));
    SN_TRY(sn_histogram_detect_reset(inputs[1], inputs[2], sums, own, &was_reset));
    for (int i = 0; i < 3; i++) {
        SN_TRY(sn_histogram_mean_add(&mean, &sums[0], inputs[0], &sums[1], own, &events));
    }
    return sn_histogram_keep(inputs[2], own, &result);
}

static void every_failing_allocation_is_reported(void **state) {
    (void)state;
    const struct sn_histogram *inputs[3] = {
        parse("count:1.7e308 sum:3 buckets:[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17]"),
        parse("count:3 n_buckets:[1 2]"), parse("schema:-53 custom_values:[1 2] buckets:[1]")};
    int64_t blocks = sn_mem_block_count();
    for (uint64_t nth = 1;; nth++) {
        struct sn_arena own;
        sn_arena_init(&own, 0);
        sn_mem_fail_nth(nth);
        sn_status status = work(&own, inputs);
        bool has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        sn_arena_release(&own);
        assert_int_equal(sn_mem_block_count(), blocks);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        if (!has_failed) {
            break;
        }
    }
    /* An arena that is full at any point is a status as well. */
    sn_status status = SN_ERR_LIMIT;
    for (size_t limit = 64; status != SN_OK; limit += 64) {
        struct sn_arena own;
        sn_arena_init(&own, limit);
        status = work(&own, inputs);
        assert_true(status == SN_OK || status == SN_ERR_LIMIT);
        sn_arena_release(&own);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_meet_by_their_index),
        cmocka_unit_test(the_coarser_schema_wins),
        cmocka_unit_test(the_wider_zero_bucket_swallows_whole_buckets),
        cmocka_unit_test(custom_bounds_that_differ_leave_the_common_ones),
        cmocka_unit_test(exponential_and_custom_do_not_fit),
        cmocka_unit_test(hints_of_sums_are_those_of_prometheus),
        cmocka_unit_test(scaling_touches_every_number),
        cmocka_unit_test(a_counter_was_reset_when_anything_fell),
        cmocka_unit_test(equality_ignores_how_spans_are_cut),
        cmocka_unit_test(means_do_not_overflow),
        cmocka_unit_test(every_failing_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
