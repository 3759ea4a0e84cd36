/* Deltas that add up. */
#include "ingest/otlp_delta.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct scene {
    struct sn_otlp_deltas deltas;
    struct sn_arena arena;
};

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL) {
        return -1;
    }
    sn_otlp_deltas_init(&scene->deltas, 3);
    sn_arena_init(&scene->arena, 0);
    *state = scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    sn_otlp_deltas_release(&scene->deltas);
    sn_arena_release(&scene->arena);
    free(scene);
    return 0;
}

/* Total of a stream after a number was added, or a status. */
static double add(struct scene *scene, const char *key, uint64_t start_ns, uint64_t time_ns,
                  double value) {
    struct sn_otlp_total total;
    const struct sn_otlp_delta delta = {.key = sn_str_from(key),
                                        .start_ns = start_ns,
                                        .time_ns = time_ns,
                                        .now_ms = (int64_t)time_ns,
                                        .values = &value,
                                        .value_count = 1};
    sn_status status = sn_otlp_deltas_add(&scene->deltas, &delta, &scene->arena, &total, NULL);
    return status == SN_OK ? total.values[0] : (double)(int)status;
}

static void numbers_add_up_since_the_first(void **state) {
    assert_true(add(*state, "a", 1, 10, 5) == 5);
    assert_true(add(*state, "a", 10, 20, 2) == 7);
    assert_true(add(*state, "b", 10, 20, 1) == 1);
    assert_true(add(*state, "a", 20, 30, -1) == 6);
}

static void a_repeated_point_is_not_added_again(void **state) {
    assert_true(add(*state, "a", 1, 10, 5) == 5);
    assert_true(add(*state, "a", 1, 10, 5) == 5);
    assert_true(add(*state, "a", 10, 20, 2) == 7);
    assert_true(add(*state, "a", 10, 20, 2) == 7);
}

static void a_late_point_is_refused(void **state) {
    assert_true(add(*state, "a", 10, 20, 2) == 2);
    assert_true(add(*state, "a", 1, 10, 5) == (double)(int)SN_ERR_EXISTS);
    assert_true(add(*state, "a", 20, 30, 1) == 3);
}

static void streams_are_limited_and_quiet_ones_make_room(void **state) {
    struct scene *scene = *state;
    uint64_t quiet = (uint64_t)SN_OTLP_STREAM_QUIET_MS;
    assert_true(add(scene, "a", 1, 10, 1) == 1);
    assert_true(add(scene, "b", 1, quiet, 1) == 1);
    assert_true(add(scene, "c", 1, quiet, 1) == 1);
    assert_true(add(scene, "d", 1, quiet, 1) == (double)(int)SN_ERR_BUSY);
    assert_int_equal(sn_otlp_deltas_count(&scene->deltas), 3);
    assert_true(add(scene, "d", 1, quiet + 11, 1) == 1); /* a is forgotten */
    assert_true(add(scene, "c", quiet, quiet + 12, 1) == 2);
    assert_true(add(scene, "d", quiet, quiet + 12, 1) == 2);
    assert_int_equal(sn_otlp_deltas_count(&scene->deltas), 3);
}

static void buckets_add_up_while_their_bounds_stay(void **state) {
    struct scene *scene = *state;
    static const double values[] = {3, 10, 1, 2}, bounds[] = {0.5}, others[] = {0.7};
    struct sn_otlp_total total;
    struct sn_otlp_delta delta = {.key = SN_STR("h"),
                                  .start_ns = 1,
                                  .time_ns = 2,
                                  .values = values,
                                  .value_count = 4,
                                  .bounds = bounds,
                                  .bound_count = 1};
    for (uint64_t i = 1; i <= 3; i++) {
        delta.time_ns = 2 * i;
        assert_int_equal(sn_otlp_deltas_add(&scene->deltas, &delta, &scene->arena, &total, NULL),
                         SN_OK);
        assert_true(total.values[0] == 3 * (double)i && total.values[3] == 2 * (double)i);
        assert_int_equal(total.start_ns, 1);
        delta.start_ns = delta.time_ns;
    }
    delta.bounds = others;
    delta.time_ns = 8;
    assert_int_equal(sn_otlp_deltas_add(&scene->deltas, &delta, &scene->arena, &total, NULL),
                     SN_OK);
    assert_true(total.values[0] == 3 && total.start_ns == 6);
}

/* A histogram with one span on the positive side. */
static struct sn_histogram histogram(int32_t schema, const struct sn_bucket_span *span,
                                     const double *counts) {
    struct sn_histogram result = {.schema = schema,
                                  .positive_spans = span,
                                  .positive_counts = counts,
                                  .positive_span_count = 1,
                                  .positive_bucket_count = span->length,
                                  .zero_count = 1,
                                  .zero_threshold = 0.5};
    for (uint32_t i = 0; i < span->length; i++) {
        result.count += counts[i];
    }
    result.count += 1;
    result.sum = result.count;
    return result;
}

static sn_status add_histogram(struct scene *scene, uint64_t time_ns,
                               const struct sn_histogram *from, struct sn_histogram *ret_total) {
    struct sn_otlp_total total;
    const struct sn_otlp_delta delta = {
        .key = SN_STR("e"), .start_ns = time_ns - 1, .time_ns = time_ns, .histogram = from};
    sn_status status = sn_otlp_deltas_add(&scene->deltas, &delta, &scene->arena, &total, NULL);
    if (status == SN_OK) {
        *ret_total = total.histogram;
        assert_int_equal(sn_histogram_validate(ret_total, NULL), SN_OK);
    }
    return status;
}

static void exponential_buckets_add_up_at_the_lower_scale(void **state) {
    static const struct sn_bucket_span fine = {-3, 8}, coarse = {2, 2};
    static const double counts[] = {1, 2, 3, 4, 5, 6, 7, 8}, few[] = {10, 20};
    struct sn_histogram a = histogram(3, &fine, counts), b = histogram(2, &coarse, few), total;
    assert_int_equal(add_histogram(*state, 10, &a, &total), SN_OK);
    assert_int_equal(total.schema, 3);
    assert_int_equal(total.positive_spans[0].offset, -3);
    assert_true(total.positive_counts[7] == 8);
    assert_int_equal(add_histogram(*state, 20, &b, &total), SN_OK);
    /* -3 -2 -1 0 1 2 3 4 become -1 -1 0 0 1 1 2 2. */
    assert_int_equal(total.schema, 2);
    assert_int_equal(total.positive_spans[0].offset, -1);
    assert_int_equal(total.positive_spans[0].length, 5);
    static const double expected[] = {3, 7, 11, 25, 20};
    assert_memory_equal(total.positive_counts, expected, sizeof expected);
    assert_true(total.count == 36 + 30 + 2 && total.sum == total.count && total.zero_count == 2);
    static const struct sn_bucket_span low = {-5, 1};
    struct sn_histogram c = histogram(2, &low, few);
    assert_int_equal(add_histogram(*state, 30, &c, &total), SN_OK);
    assert_int_equal(total.positive_spans[0].offset, -5);
    assert_int_equal(total.positive_spans[0].length, 9);
    assert_true(total.positive_counts[0] == 10 && total.positive_counts[4] == 3);
}

static void buckets_far_apart_go_to_a_lower_scale_yet(void **state) {
    static const struct sn_bucket_span low = {-200, 1}, high = {200, 1};
    static const double one[] = {1};
    struct sn_histogram a = histogram(0, &low, one), b = histogram(0, &high, one), total;
    assert_int_equal(add_histogram(*state, 10, &a, &total), SN_OK);
    assert_int_equal(add_histogram(*state, 20, &b, &total), SN_OK);
    assert_int_equal(total.schema, -1);
    assert_int_equal(total.positive_spans[0].offset, -100);
    assert_int_equal(total.positive_spans[0].length, 201);
    assert_true(total.positive_counts[0] == 1 && total.positive_counts[200] == 1);
}

static void a_histogram_that_is_too_wide_is_refused(void **state) {
    static const struct sn_bucket_span spans[] = {{0, 1}, {400, 1}};
    static const double counts[] = {1, 1};
    struct sn_histogram wide = {.positive_spans = spans,
                                .positive_counts = counts,
                                .positive_span_count = 2,
                                .positive_bucket_count = 2,
                                .count = 2};
    struct sn_histogram total;
    assert_int_equal(add_histogram(*state, 10, &wide, &total), SN_ERR_LIMIT);
}

static void without_memory_nothing_is_added(void **state) {
    struct scene *scene = *state;
    static const struct sn_bucket_span span = {1, 1};
    static const double one[] = {1};
    struct sn_histogram a = histogram(0, &span, one), total = {.count = 0};
    bool has_failed = true;
    for (uint64_t n = 1; has_failed; n++) {
        sn_mem_fail_nth(n);
        double sum = add(scene, "a", 1, 10, 5);
        sn_status status = add_histogram(scene, 10, &a, &total);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_true(sum == 5 || sum == (double)(int)SN_ERR_NO_MEMORY);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
    }
    assert_true(add(scene, "a", 1, 10, 5) == 5);
    assert_int_equal(add_histogram(scene, 10, &a, &total), SN_OK);
    assert_true(total.count == 2);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_add_up_since_the_first),
        TEST(a_repeated_point_is_not_added_again),
        TEST(a_late_point_is_refused),
        TEST(streams_are_limited_and_quiet_ones_make_room),
        TEST(buckets_add_up_while_their_bounds_stay),
        TEST(exponential_buckets_add_up_at_the_lower_scale),
        TEST(buckets_far_apart_go_to_a_lower_scale_yet),
        TEST(a_histogram_that_is_too_wide_is_refused),
        TEST(without_memory_nothing_is_added),
    };
    return cmocka_run_group_tests_name("otlp_delta", tests, NULL, NULL);
}
