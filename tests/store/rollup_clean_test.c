/* Deleted samples and rollups: nothing of them is read, before and after cleaning, with and without samples. */
#include "rollup_support.h"

#include "base/mem.h"
#include "base/os.h"
#include "store/rollup_build.h"
#include "store/rollup_clean.h"
#include "store/store_priv.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define CASE(name) cmocka_unit_test_setup_teardown(name, test_rollups_set_up, test_store_tear_down)

/* One day of three series, rolled up. */
static void fill(struct test_store *test) {
    struct sn_range span = {TEST_DAY_START_MS - TEST_DAY_MS + 1000, TEST_DAY_START_MS};
    test_store_open(test);
    for (unsigned i = 0; i < 3; i++)
        test_push_span(test, "m", i, span, 60000);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(sn_store_roll_up(test->store, NULL, NULL), SN_OK);
}

static void delete (struct test_store *test, const char *number, struct sn_range range) {
    struct sn_matcher matchers[] = {
        {.kind = SN_MATCH_EQUAL, .name = SN_LABEL_METRIC_NAME, .value = SN_STR("m")},
        {.kind = SN_MATCH_EQUAL, .name = SN_STR("n"), .value = sn_str_from(number)}};
    struct sn_select select = {.matchers = matchers, .matcher_count = 2, .range = range};
    uint64_t count = 0;
    assert_int_equal(sn_store_delete_series(test->store, &select, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
}

static size_t count_rollups(struct test_store *test, unsigned number) {
    struct sn_rollups rollups;
    test_read_rollups(test, number, TEST_ALL_ENDS, SN_ROLLUP_WIDE_MS, &rollups);
    size_t count = rollups.count;
    sn_rollups_release(&rollups);
    return count;
}

static void what_is_deleted_is_not_in_the_answer(void **state) {
    struct test_store *test = *state;
    const struct sn_range part = {TEST_DAY_START_MS - 5 * TEST_HOUR_MS + 1800000,
                                  TEST_DAY_START_MS - 2 * TEST_HOUR_MS};
    fill(test);
    delete (test, "0", TEST_ALL_TIME);
    delete (test, "1", part);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(count_rollups(test, 0), 0);
        for (unsigned k = 1; k < 3; k++)
            test_check_rollups(test, test_series_id(test, k));
        assert_int_equal(count_rollups(test, 1), 22);
        assert_int_equal(count_rollups(test, 2), 24);
        if (i == 0)
            test_store_reopen(test);
        if (i == 1)
            assert_int_equal(sn_store_clean_tombstones(test->store, NULL), SN_OK);
    }
    assert_int_equal(sn_store_roll_up(test->store, NULL, NULL), SN_OK);
    assert_int_equal(count_rollups(test, 0), 0);
    assert_int_equal(count_rollups(test, 1), 22);
    test_check_rollups(test, test_series_id(test, 1));
    test_expire(test);
    assert_int_equal(count_rollups(test, 0), 0);
    assert_int_equal(count_rollups(test, 1), 22);
}

static void what_is_deleted_is_taken_out_of_old_files(void **state) {
    struct test_store *test = *state;
    const struct sn_range part = {TEST_DAY_START_MS - 5 * TEST_HOUR_MS + 1800000,
                                  TEST_DAY_START_MS - 2 * TEST_HOUR_MS};
    struct sn_rollups before;
    struct sn_rollups after;
    fill(test);
    test_expire(test);
    test_read_rollups(test, 2, TEST_ALL_ENDS, SN_ROLLUP_WIDE_MS, &before);
    delete (test, "0", TEST_ALL_TIME);
    delete (test, "1", part);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(count_rollups(test, 0), 0);
        assert_int_equal(count_rollups(test, 1), 21); /* that which is touched goes whole */
        test_read_rollups(test, 2, TEST_ALL_ENDS, SN_ROLLUP_WIDE_MS, &after);
        test_assert_same_rollups(&before, &after);
        sn_rollups_release(&after);
        if (i == 0)
            test_store_reopen(test);
        if (i == 1)
            assert_int_equal(sn_store_clean_tombstones(test->store, NULL), SN_OK);
        if (i == 2) {
            const struct sn_segment_set *set = test->store->segments.set;
            assert_int_equal(set->tombstones ? set->tombstones->count : 0, 0);
            test_store_reopen(test);
        }
    }
    delete (test, "1", TEST_ALL_TIME);
    delete (test, "2", TEST_ALL_TIME);
    assert_int_equal(sn_store_clean_tombstones(test->store, NULL), SN_OK);
    assert_int_equal(test_count_files(test, "seg"), 0);
    sn_rollups_release(&before);
}

/* Each failing call in turn: never is anything deleted read again. */
static void no_fault_brings_deleted_rollups_back(void **state) {
    struct test_store *test = *state;
    static const enum sn_fault_kind kinds[] = {SN_FAULT_WRITE, SN_FAULT_FSYNC, SN_FAULT_RENAME,
                                               SN_FAULT_READ, SN_FAULT_OPEN};
    fill(test);
    test_expire(test);
    delete (test, "0", TEST_ALL_TIME);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        uint64_t fired = 1;
        for (uint64_t n = 1; fired > 0; n++) {
            /* Deletes nothing that is there, so that each round has something to clean. */
            delete (test, "1",
                    (struct sn_range){TEST_DAY_START_MS - TEST_DAY_MS - 5,
                                      TEST_DAY_START_MS - TEST_DAY_MS + 2});
            sn_fault_arm(kinds[i], n, 1, EIO);
            (void)(sn_store_clean_tombstones(test->store, NULL) == SN_OK);
            fired = sn_fault_fired_count();
            sn_fault_disarm_all();
            assert_int_equal(count_rollups(test, 0), 0);
            assert_int_equal(count_rollups(test, 2), 24);
            test_store_reopen(test);
            assert_int_equal(count_rollups(test, 0), 0);
            assert_int_equal(count_rollups(test, 2), 24);
            assert_int_equal(sn_store_health(test->store, NULL), SN_OK);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(what_is_deleted_is_not_in_the_answer),
        CASE(what_is_deleted_is_taken_out_of_old_files),
        CASE(no_fault_brings_deleted_rollups_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
