/* Counting series by metric, label and pair, and new ones per hour. */
#include "store_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void count(struct test_store *test, size_t row_max, struct sn_arena *arena,
                  struct sn_cardinality *ret) {
    struct sn_admin admin = sn_store_admin(test->store);
    assert_int_equal(admin.cardinality(admin.ctx, row_max, arena, ret, NULL), SN_OK);
}

static void check_row(const struct sn_cardinality_list *list, size_t i, const char *name,
                      const char *value, uint64_t number) {
    assert_true(i < list->count);
    assert_true(sn_str_equal(list->rows[i].name, sn_str_from(name)));
    assert_true(sn_str_equal(list->rows[i].value, sn_str_from(value)));
    assert_int_equal(list->rows[i].count, number);
}

static void the_largest_come_first_and_rows_are_limited(void **state) {
    (void)state;
    struct test_store test;
    struct sn_arena arena;
    struct sn_cardinality found;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    assert_int_equal(test_push_round(&test, "many", 100, TEST_NOW_MS, 0), SN_OK);
    assert_int_equal(test_push_round(&test, "few", 3, TEST_NOW_MS, 0), SN_OK);
    assert_int_equal(test_push_round(&test, "one", 1, TEST_NOW_MS, 0), SN_OK);
    sn_arena_init(&arena, 0);
    count(&test, 2, &arena, &found);
    assert_int_equal(found.series_count, 104);
    assert_int_equal(found.label_pair_count, 103);
    assert_int_equal(found.label_name_count, 2);
    assert_int_equal(found.series_by_metric.count, 2);
    check_row(&found.series_by_metric, 0, "many", "", 100);
    check_row(&found.series_by_metric, 1, "few", "", 3);
    check_row(&found.series_by_label, 0, "__name__", "", 104);
    check_row(&found.series_by_label, 1, "n", "", 104);
    check_row(&found.values_by_label, 0, "n", "", 100);
    check_row(&found.values_by_label, 1, "__name__", "", 3);
    check_row(&found.bytes_by_label, 0, "n", "", 190);
    check_row(&found.bytes_by_label, 1, "__name__", "", 10);
    check_row(&found.series_by_pair, 0, "__name__", "many", 100);
    check_row(&found.series_by_pair, 1, "n", "0", 3); /* as "few" has, and it came first */
    sn_arena_release(&arena);
    test_store_release(&test);
}

static void new_series_per_hour_survive_flush_and_restart(void **state) {
    (void)state;
    struct test_store test;
    struct sn_arena arena;
    struct sn_cardinality found;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    sn_arena_init(&arena, 0);
    assert_int_equal(test_push_round(&test, "a", 5, TEST_NOW_MS, 0), SN_OK);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    sn_fake_clock_advance_ms(&test.clock, 3600000);
    assert_int_equal(test_push_round(&test, "b", 2, TEST_NOW_MS, 0), SN_OK);
    for (int round = 0; round < 2; round++) {
        count(&test, 1, &arena, &found);
        assert_int_equal(found.hour_count, 2);
        assert_int_equal(found.hours[0].created_count, 5);
        assert_int_equal(found.hours[1].created_count, 2);
        test_store_reopen(&test);
    }
    sn_arena_release(&arena);
    test_store_release(&test);
}

static void storage_tells_what_there_is(void **state) {
    (void)state;
    struct test_store test;
    struct sn_storage storage;
    test_store_init_in_memory(&test);
    test_store_open(&test);
    struct sn_admin admin = sn_store_admin(test.store);
    admin.storage(admin.ctx, &storage);
    assert_int_equal(storage.segment_count, 0);
    assert_int_equal(storage.time_max, 0);
    assert_int_equal(test_push_round(&test, "a", 5, TEST_NOW_MS, 0), SN_OK);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    admin.storage(admin.ctx, &storage);
    assert_int_equal(storage.series_count, 5);
    assert_int_equal(storage.segment_count, 1);
    assert_int_equal(storage.segment_sample_count, 5);
    assert_true(storage.segment_bytes > 0);
    assert_int_equal(storage.time_min, TEST_NOW_MS);
    assert_int_equal(storage.time_max, TEST_NOW_MS);
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_largest_come_first_and_rows_are_limited),
        cmocka_unit_test(new_series_per_hour_survive_flush_and_restart),
        cmocka_unit_test(storage_tells_what_there_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
