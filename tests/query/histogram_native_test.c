/* Numbers out of native histograms, and their text. */
#include "query/eval_priv.h"

#include <setjmp.h>
#include <stdarg.h>

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

static void assert_near(double value, double expected) {
    if (!promql_number_is_near(value, expected)) {
        print_error("%.17g, %.17g is expected\n", value, expected);
    }
    assert_true(promql_number_is_near(value, expected));
}

static void assert_text(const struct sn_histogram *histogram, const char *expected) {
    struct sn_buf buf = {.limit = 0};
    sn_histogram_text(histogram, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
}

static void text_is_that_of_prometheus(void **state) {
    (void)state;
    assert_text(
        parse("count:20 sum:10 z_bucket:2 z_bucket_w:0.001 buckets:[1 2] n_buckets:[1 0 2]"),
        "{count:20, sum:10, [-4,-2):2, [-1,-0.5):1, [-0.001,0.001]:2, (0.5,1]:1, (1,2]:2}");
    assert_text(parse("schema:-53 count:6 sum:1.5 custom_values:[-1 2] buckets:[1 2 3]"),
                "{count:6, sum:1.5, [-Inf,-1]:1, (-1,2]:2, (2,+Inf]:3}");
    assert_text(parse("sum:1e+21"), "{count:0, sum:1e+21}");
}

static double quantile(double q, const char *text) {
    enum sn_nan_note note;
    return sn_histogram_quantile(q, parse(text), &note);
}

static void quantiles_are_interpolated_as_powers(void **state) {
    (void)state;
    assert_near(quantile(0.5, "count:4 sum:5 buckets:[1 2 1]"), sqrt(2));
    assert_near(quantile(0.5, "count:4 sum:-5 n_buckets:[1 2 1]"), -sqrt(2));
    assert_near(quantile(0, "count:4 buckets:[1 2 1]"), 0.5);
    assert_near(quantile(1, "count:4 buckets:[1 2 1]"), 4);
    assert_near(quantile(0.25, "count:4 z_bucket:2 z_bucket_w:0.5 buckets:[2]"), 0.25);
    assert_near(quantile(0.75, "count:4 z_bucket:2 z_bucket_w:0.5 n_buckets:[2]"), -0.25);
    assert_true(isinf(quantile(-1, "count:1")));
    assert_true(isinf(quantile(2, "count:1")));
    assert_true(isnan(quantile(0.5, "count:0")));
    assert_true(isnan(quantile(SN_NAN, "count:1 buckets:[1]")));
}

static void quantiles_of_custom_bounds_are_straight(void **state) {
    (void)state;
    static const char text[] = "schema:-53 count:4 custom_values:[5 10] buckets:[1 2 1]";
    assert_near(quantile(0.5, text), 7.5);
    assert_near(quantile(0.125, text), 2.5);
    assert_near(quantile(1, text), 10);
    assert_near(quantile(0.1, "schema:-53 count:1 custom_values:[-5] buckets:[1]"), -5);
}

static void nan_observations_are_told(void **state) {
    (void)state;
    enum sn_nan_note note;
    bool has_nan;
    const struct sn_histogram *histogram = parse("count:15 sum:NaN buckets:[12]");
    assert_near(sn_histogram_quantile(0.8, histogram, &note), 1);
    assert_int_equal(note, SN_NAN_SKEW);
    assert_true(isnan(sn_histogram_quantile(0.9, histogram, &note)));
    assert_int_equal(note, SN_NAN_RESULT);
    assert_near(sn_histogram_fraction(-SN_INFINITY, SN_INFINITY, histogram, &has_nan), 0.8);
    assert_true(has_nan);
    (void)sn_histogram_quantile(0.5, parse("count:12 sum:3 buckets:[12]"), &note);
    assert_int_equal(note, SN_NAN_NONE);
}

static double fraction(double lower, double upper, const char *text) {
    bool has_nan;
    return sn_histogram_fraction(lower, upper, parse(text), &has_nan);
}

static void fractions_are_inverse_to_quantiles(void **state) {
    (void)state;
    static const char text[] =
        "count:24 z_bucket:4 z_bucket_w:0.001 buckets:[2 3 0 1 4] n_buckets:[2 3 0 1 4]";
    for (int i = 1; i < 20; i++) {
        double q = i / 20.0;
        double bound = quantile(q, text);
        assert_true(fabs(fraction(-SN_INFINITY, bound, text) - q) < 1e-9);
    }
    assert_near(fraction(1, 2, "count:4 buckets:[1 2 1]"), 0.5);
    assert_true(fraction(2, 1, text) == 0);
    assert_true(isnan(fraction(SN_NAN, 1, text)));
    assert_true(isnan(fraction(0, 1, "count:0")));
}

static void variance_uses_the_middles_of_buckets(void **state) {
    (void)state;
    assert_near(sn_histogram_variance(parse("schema:2 count:4 sum:10 buckets:[1 0 0 0 1 0 0 1 1]")),
                1.163807968526718);
    assert_near(
        sn_histogram_variance(parse("schema:-53 count:2 sum:4 custom_values:[1 3] buckets:[0 2]")),
        0);
    assert_true(isnan(sn_histogram_variance(parse("count:0"))));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_that_of_prometheus),
        cmocka_unit_test(quantiles_are_interpolated_as_powers),
        cmocka_unit_test(quantiles_of_custom_bounds_are_straight),
        cmocka_unit_test(nan_observations_are_told),
        cmocka_unit_test(fractions_are_inverse_to_quantiles),
        cmocka_unit_test(variance_uses_the_middles_of_buckets),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
