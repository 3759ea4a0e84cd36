/* Deleting series by call and by rule, and getting the room back. */
#include "base/os.h"
#include "histogram_support.h"
#include "store_support.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct sn_matcher metric_m = {
    .kind = SN_MATCH_EQUAL, .name = SN_STR("__name__"), .value = SN_STR("m")};

static void open_store(struct test_store *test) {
    test_store_init_in_memory(test);
    test->options.compact_window_ms = -1;
    test_store_open(test);
}

static sn_status delete_range(struct test_store *test, int64_t from, int64_t to,
                              uint64_t *ret_count) {
    struct sn_admin admin = sn_store_admin(test->store);
    const struct sn_select select = {.matchers = &metric_m,
                                     .matcher_count = 1,
                                     .range = {TEST_NOW_MS + from * 1000, TEST_NOW_MS + to * 1000}};
    return admin.delete_series(admin.ctx, &select, ret_count, NULL);
}

static sn_status clean(struct test_store *test) {
    struct sn_admin admin = sn_store_admin(test->store);
    return admin.clean_tombstones(admin.ctx, NULL);
}

static struct sn_storage storage_of(struct test_store *test) {
    struct sn_admin admin = sn_store_admin(test->store);
    struct sn_storage storage;
    admin.storage(admin.ctx, &storage);
    return storage;
}

static size_t count_of(struct test_store *test, const char *name, unsigned number) {
    struct sn_samples samples;
    test_read(test, name, number, TEST_ALL_TIME, &samples);
    size_t count = samples.count;
    sn_samples_release(&samples);
    return count;
}

static void deleted_samples_are_gone_also_after_restart_and_merge(void **state) {
    (void)state;
    struct test_store test;
    uint64_t count = 0;
    open_store(&test);
    test_push_series(&test, 1, 0, 10);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    test_push_series(&test, 1, 10, 20);
    assert_int_equal(test_push_one(&test, "other", 1, TEST_NOW_MS, 1, NULL), SN_OK);
    assert_int_equal(delete_range(&test, 5, 14, &count), SN_OK);
    assert_int_equal(count, 1);
    for (int round = 0; round < 4; round++) {
        assert_int_equal(count_of(&test, "m", 1), 10);
        assert_int_equal(count_of(&test, "other", 1), 1);
        if (round == 1)
            assert_int_equal(storage_of(&test).segment_sample_count, 21);
        if (round == 1)
            assert_int_equal(clean(&test), SN_OK);
        if (round >= 1) {
            assert_int_equal(storage_of(&test).segment_sample_count, 11);
            assert_int_equal(storage_of(&test).tombstone_count, 0);
        }
        test_store_reopen(&test);
    }
    test_store_release(&test);
}

static void what_is_pushed_later_is_not_deleted(void **state) {
    (void)state;
    struct test_store test;
    open_store(&test);
    test_push_series(&test, 1, 0, 10);
    assert_int_equal(delete_range(&test, 0, 100, NULL), SN_OK);
    assert_int_equal(count_of(&test, "m", 1), 0);
    assert_int_equal(test_push_one(&test, "m", 1, TEST_NOW_MS + 4000, 2, NULL), SN_OK);
    for (int round = 0; round < 3; round++) {
        test_assert_samples(&test, "m", 1, &(struct test_sample){4000, 2}, 1);
        assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
        if (round == 1)
            assert_int_equal(clean(&test), SN_OK);
    }
    assert_int_equal(storage_of(&test).segment_count, 1); /* the other one was empty */
    test_store_release(&test);
}

static void histograms_are_deleted_as_well(void **state) {
    (void)state;
    struct test_store test;
    struct sn_arena arena;
    struct sn_histograms found;
    open_store(&test);
    sn_arena_init(&arena, 0);
    for (unsigned i = 0; i < 5; i++) {
        struct sn_histogram histogram = test_histogram(&arena, i);
        assert_int_equal(
            test_push_histogram(&test, "m", 1, TEST_NOW_MS + i * 1000, 0, &histogram, NULL), SN_OK);
    }
    assert_int_equal(delete_range(&test, 1, 2, NULL), SN_OK);
    for (int round = 0; round < 2; round++) {
        test_read_histograms(&test, "m", 1, TEST_ALL_TIME, &found);
        assert_int_equal(found.count, 3);
        sn_histograms_release(&found);
        assert_int_equal(clean(&test), SN_OK);
    }
    assert_int_equal(storage_of(&test).segment_sample_count, 3);
    sn_arena_release(&arena);
    test_store_release(&test);
}

static void merging_drops_what_is_deleted(void **state) {
    (void)state;
    struct test_store test;
    test_store_init_in_memory(&test);
    test.options.compact_window_ms = 1000; /* everything is past */
    sn_fake_clock_advance_ms(&test.clock, 86400000);
    test_store_open(&test);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(test_push_one(&test, "m", 1, TEST_NOW_MS + i, i, NULL), SN_OK);
        assert_int_equal(test_push_one(&test, "other", 1, TEST_NOW_MS + i, i, NULL), SN_OK);
        assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    }
    assert_int_equal(delete_range(&test, 0, 0, NULL), SN_OK); /* the first one */
    size_t merged = 0;
    assert_int_equal(sn_store_compact(test.store, &merged, NULL), SN_OK);
    assert_int_equal(count_of(&test, "m", 1), 3);
    if (merged > 0)
        assert_int_equal(storage_of(&test).segment_sample_count, 7);
    test_store_release(&test);
}

static void rules_shorten_the_life_of_series(void **state) {
    (void)state;
    struct test_store test;
    const struct sn_store_retention_rule rule = {
        .matchers = &metric_m, .matcher_count = 1, .retention_ms = 3600000};
    test_store_init_in_memory(&test);
    test.options.compact_window_ms = -1;
    test.options.retention_rules = &rule;
    test.options.retention_rule_count = 1;
    test_store_open(&test);
    assert_int_equal(test_push_one(&test, "m", 1, TEST_NOW_MS - 7200000, 1, NULL), SN_OK);
    assert_int_equal(test_push_one(&test, "m", 1, TEST_NOW_MS, 2, NULL), SN_OK);
    assert_int_equal(test_push_one(&test, "keep", 1, TEST_NOW_MS - 7200000, 1, NULL), SN_OK);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    test_store_reopen(&test); /* its worker applies the rules when it starts */
    test.is_changing = true;  /* two reads may differ until it has */
    for (int i = 0; i < 2000 && count_of(&test, "m", 1) != 1; i++)
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 5000000);
    test.is_changing = false;
    assert_int_equal(count_of(&test, "m", 1), 1);
    assert_int_equal(count_of(&test, "keep", 1), 1);
    assert_int_equal(clean(&test), SN_OK);
    assert_int_equal(storage_of(&test).segment_sample_count, 2);
    test_store_release(&test);
}

static void mistakes_and_faults_are_statuses(void **state) {
    (void)state;
    struct test_store test;
    open_store(&test);
    struct sn_admin admin = sn_store_admin(test.store);
    const struct sn_select nothing = {.matcher_count = 0};
    assert_int_equal(admin.delete_series(admin.ctx, &nothing, NULL, NULL), SN_ERR_INVALID);
    test_push_series(&test, 1, 0, 10);
    static const enum sn_fault_kind kinds[] = {SN_FAULT_WRITE, SN_FAULT_FSYNC, SN_FAULT_RENAME,
                                               SN_FAULT_OPEN};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bool fired = true;
        for (uint64_t n = 1; fired && n < 20; n++) {
            sn_fault_arm(kinds[i], n, 1, ENOSPC);
            sn_status status = delete_range(&test, 2, 3, NULL);
            if (status == SN_OK)
                status = clean(&test);
            fired = sn_fault_fired_count() > 0;
            sn_fault_disarm_all();
            assert_true(status == SN_OK || fired);
            size_t count = count_of(&test, "m", 1);
            assert_true(count == 8 || (count == 10 && status != SN_OK));
        }
    }
    assert_int_equal(delete_range(&test, 2, 3, NULL), SN_OK);
    assert_int_equal(clean(&test), SN_OK);
    test_store_reopen(&test);
    assert_int_equal(count_of(&test, "m", 1), 8);
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deleted_samples_are_gone_also_after_restart_and_merge),
        cmocka_unit_test(what_is_pushed_later_is_not_deleted),
        cmocka_unit_test(histograms_are_deleted_as_well),
        cmocka_unit_test(merging_drops_what_is_deleted),
        cmocka_unit_test(rules_shorten_the_life_of_series),
        cmocka_unit_test(mistakes_and_faults_are_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
