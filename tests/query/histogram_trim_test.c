/* </ and >/: what is kept on one side and what on the other add up to the whole. */
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

static const struct sn_histogram *trim(const char *text, double bound, bool is_upper) {
    struct sn_histogram_sum scratch = {.schema = 0};
    const struct sn_histogram *histogram = NULL;
    const struct sn_histogram *result = NULL;
    assert_true(promql_histogram_parse(sn_str_from(text), &arena, &histogram));
    assert_int_equal(sn_histogram_trim(histogram, bound, is_upper, &scratch, &arena, &result),
                     SN_OK);
    return result;
}

static void both_sides_add_up_to_the_whole(void **state) {
    (void)state;
    static const char *const texts[] = {
        "count:24 sum:3 z_bucket:4 z_bucket_w:0.001 buckets:[2 3 0 1 4] n_buckets:[2 3 0 1 4]",
        "schema:3 count:10 buckets:[1 2 3 4]", "count:5 z_bucket:5 z_bucket_w:0.5",
        "schema:-53 count:9 sum:40 custom_values:[5 10 15] buckets:[2 3 4]"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        const struct sn_histogram *whole = trim(texts[i], SN_INFINITY, true);
        /* Nothing is known of what lies below the first custom bound, apart from its share above 0. */
        for (double bound = whole->schema < -4 ? 0 : -20; bound < 20; bound += 0.37) {
            double below = trim(texts[i], bound, true)->count;
            double above = trim(texts[i], bound, false)->count;
            assert_true(promql_number_is_near(below + above, whole->count));
        }
    }
}

static void a_bound_outside_changes_nothing(void **state) {
    (void)state;
    static const char text[] = "count:3 sum:42 buckets:[1 2]";
    const struct sn_histogram *kept = trim(text, 100, true);
    assert_true(kept->sum == 42 && kept->count == 3); /* not estimated anew */
    kept = trim(text, -100, false);
    assert_true(kept->sum == 42 && kept->count == 3);
    kept = trim(text, 100, false);
    assert_true(kept->sum == 0 && kept->count == 0 && kept->positive_bucket_count == 0);
}

static void open_buckets_are_all_or_nothing(void **state) {
    (void)state;
    static const char text[] = "schema:-53 count:101 sum:33 custom_values:[5] buckets:[1 100]";
    assert_true(trim(text, 10, true)->count == 1);
    assert_true(trim(text, 10, false)->count == 100);
    assert_true(promql_number_is_near(trim(text, 2, true)->count, 0.4));
    assert_true(trim(text, -1, true)->count == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_sides_add_up_to_the_whole),
        cmocka_unit_test(a_bound_outside_changes_nothing),
        cmocka_unit_test(open_buckets_are_all_or_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
