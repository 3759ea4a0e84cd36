/*
 * Reading rollups: at any moment, whatever of a series lies in head, segments and files, the answer is
 * what its samples sum up to.
 */
#include "rollup_support.h"

#include "base/mem.h"
#include "base/rng.h"
#include "store/rollup_build.h"
#include "store/store_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SERIES = 4, STEPS = 60 };

static int setup(void **state) {
    (void)test_rollups_set_up(state);
    ((struct test_store *)*state)->options.retention_ms = -1;
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, test_store_tear_down)

static void push_somewhere(struct test_store *test, struct sn_rng *rng) {
    int64_t start = TEST_DAY_START_MS - 3 * TEST_DAY_MS + (int64_t)sn_rng_below(rng, 3 * 86400000);
    struct sn_range span = {start, start + (int64_t)sn_rng_below(rng, 40000000)};
    if (span.end_ms > TEST_DAY_START_MS + TEST_DAY_MS / 2)
        span.end_ms = TEST_DAY_START_MS + TEST_DAY_MS / 2;
    int64_t step_ms = sn_rng_below(rng, 3) ? 97000 : 1000;
    test_push_span(test, "m", (unsigned)sn_rng_below(rng, SERIES), span, step_ms);
}

static void the_answer_is_what_samples_sum_up_to(void **state) {
    struct test_store *test = *state;
    struct sn_rng rng;
    uint64_t seed = sn_rng_system_seed();
    size_t made = 0;
    print_message("seed %llu\n", (unsigned long long)seed);
    sn_rng_init(&rng, seed);
    test_store_open(test);
    for (unsigned i = 0; i < SERIES; i++)
        assert_int_equal(test_push_one(test, "m", i, TEST_DAY_START_MS - 4 * TEST_DAY_MS, 5, NULL),
                         SN_OK);
    for (int step = 0; step < STEPS; step++) {
        uint64_t what = sn_rng_below(&rng, 8);
        size_t count = 0;
        if (what < 3)
            push_somewhere(test, &rng);
        else if (what < 5)
            assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
        else if (what == 5)
            assert_int_equal(sn_store_compact(test->store, NULL, NULL), SN_OK);
        else if (what == 6)
            assert_int_equal(sn_store_roll_up(test->store, &count, NULL), SN_OK);
        else
            test->store->rolled_again_ns = INT64_MIN / 2;
        made += count;
        for (uint64_t id = 0; id < SERIES && step % 4 == 0; id++)
            test_check_rollups(test, id);
    }
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    size_t count = 0;
    assert_int_equal(sn_store_roll_up(test->store, &count, NULL), SN_OK);
    test_store_reopen(test);
    for (uint64_t id = 0; id < SERIES; id++)
        test_check_rollups(test, id);
    print_message("%zu windows\n", made + count);
    assert_true(made + count > 0); /* or all of it came from samples */
}

static void an_unknown_series_and_an_empty_range_are_told_apart(void **state) {
    struct test_store *test = *state;
    struct sn_rollups rollups;
    struct sn_rollup_wish wish = {.ends = TEST_ALL_ENDS, .width_ms = SN_ROLLUP_WIDE_MS};
    test_store_open(test);
    sn_rollups_init(&rollups);
    struct sn_reader reader = sn_store_reader(test->store);
    assert_int_equal(reader.rollups(reader.ctx, 0, &wish, &rollups, NULL), SN_ERR_NOT_FOUND);
    assert_int_equal(test_push_one(test, "m", 0, TEST_DAY_START_MS, 5, NULL), SN_OK);
    wish.ends = (struct sn_range){TEST_DAY_START_MS + 1, TEST_DAY_START_MS};
    assert_int_equal(reader.rollups(reader.ctx, 0, &wish, &rollups, NULL), SN_OK);
    assert_int_equal(rollups.count, 0);
    wish.ends = (struct sn_range){TEST_DAY_START_MS, TEST_DAY_START_MS};
    assert_int_equal(reader.rollups(reader.ctx, 0, &wish, &rollups, NULL), SN_OK);
    assert_int_equal(rollups.count, 1);
    sn_rollups_release(&rollups);
}

static void every_failing_allocation_is_told(void **state) {
    struct test_store *test = *state;
    struct sn_range span = {TEST_DAY_START_MS - TEST_DAY_MS + 1, TEST_DAY_START_MS};
    struct sn_rollup_wish wish = {.ends = TEST_ALL_ENDS, .width_ms = SN_ROLLUP_WIDE_MS};
    bool fired = true;
    test_store_open(test);
    test_push_span(test, "m", 0, span, 60000);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_roll_up(test->store, NULL, NULL), SN_OK);
    assert_int_equal(test_push_one(test, "m", 0, TEST_DAY_START_MS + 5, 5, NULL), SN_OK);
    struct sn_reader reader = sn_store_reader(test->store);
    for (uint64_t n = 1; fired; n++) {
        struct sn_rollups rollups;
        sn_rollups_init(&rollups);
        sn_mem_fail_nth(n);
        sn_status status = reader.rollups(reader.ctx, 0, &wish, &rollups, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || (status == SN_ERR_NO_MEMORY && fired));
        assert_int_equal(rollups.count, status == SN_OK ? 25 : 0);
        sn_rollups_release(&rollups);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(the_answer_is_what_samples_sum_up_to),
        CASE(an_unknown_series_and_an_empty_range_are_told_apart),
        CASE(every_failing_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
