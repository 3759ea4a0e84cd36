/* Series without samples in the range are left out; none with samples is. */
#include "store_support.h"

#include "base/os.h"
#include "histogram_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_MS INT64_C(3600000)

static size_t count_selected(struct test_store *test, int64_t start_ms, int64_t end_ms) {
    struct sn_matcher matcher = {.kind = SN_MATCH_NOT_EQUAL, .name = SN_LABEL_METRIC_NAME};
    struct sn_select select = {
        .matchers = &matcher, .matcher_count = 1, .range = {start_ms, end_ms}};
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_arena arena;
    struct sn_series_list list;
    sn_arena_init(&arena, 0);
    assert_int_equal(reader.select(reader.ctx, &select, &arena, &list, NULL), SN_OK);
    size_t count = list.count;
    sn_arena_release(&arena);
    return count;
}

/* Three series an hour ago, in a segment; two now, in the head. */
static void fill(struct test_store *test) {
    test_store_init_in_memory(test);
    test->options.retention_ms = -1;
    test_store_open(test);
    assert_int_equal(test_push_round(test, "old", 3, TEST_NOW_MS - HOUR_MS, 0), SN_OK);
    assert_int_equal(sn_store_flush(test->store, NULL), SN_OK);
    assert_int_equal(test_push_round(test, "new", 2, TEST_NOW_MS, 0), SN_OK);
}

static void check(struct test_store *test) {
    int64_t old = TEST_NOW_MS - HOUR_MS;
    assert_int_equal(count_selected(test, 0, INT64_MAX), 5);
    assert_int_equal(count_selected(test, old, TEST_NOW_MS), 5);
    assert_int_equal(count_selected(test, old + 1, TEST_NOW_MS), 2);
    assert_int_equal(count_selected(test, TEST_NOW_MS + 1, TEST_NOW_MS + 2), 0);
    assert_int_equal(count_selected(test, old - 1, old - 1),
                     2); /* the head does not know how old */
}

static void head_and_segments_know_their_series(void **state) {
    (void)state;
    struct test_store test;
    fill(&test);
    check(&test);
    test_store_reopen(&test);
    check(&test);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    int64_t old = TEST_NOW_MS - HOUR_MS;
    assert_int_equal(count_selected(&test, old, old), 3);
    assert_int_equal(count_selected(&test, old - 1, old - 1), 0);
    assert_int_equal(count_selected(&test, TEST_NOW_MS, TEST_NOW_MS), 2);
    test_store_release(&test);
}

static void an_older_sample_alone_keeps_its_series(void **state) {
    (void)state;
    struct test_store test;
    fill(&test);
    assert_int_equal(test_push_one(&test, "new", 0, TEST_NOW_MS - 60000, 1, NULL), SN_OK);
    assert_int_equal(count_selected(&test, TEST_NOW_MS - 60000, TEST_NOW_MS - 60000), 2);
    test_store_release(&test);
}

static void a_series_of_histograms_alone_is_found(void **state) {
    (void)state;
    struct test_store test;
    struct sn_arena arena;
    fill(&test);
    sn_arena_init(&arena, 0);
    struct sn_histogram histogram = test_histogram(&arena, 3);
    assert_int_equal(test_push_histogram(&test, "h", 0, TEST_NOW_MS + 5, 0, &histogram, NULL),
                     SN_OK);
    assert_int_equal(count_selected(&test, TEST_NOW_MS + 5, TEST_NOW_MS + 5), 1);
    assert_int_equal(count_selected(&test, TEST_NOW_MS + 6, TEST_NOW_MS + 6), 0);
    assert_int_equal(sn_store_flush(test.store, NULL), SN_OK);
    assert_int_equal(count_selected(&test, TEST_NOW_MS + 5, TEST_NOW_MS + 5), 3);
    sn_arena_release(&arena);
    test_store_release(&test);
}

static void a_damaged_segment_leaves_nothing_out(void **state) {
    (void)state;
    struct test_store test;
    fill(&test);
    test_store_close(&test);
    assert_int_equal(sn_os_unlink(test_only_file(&test, "seg", ".seg")), 0);
    test_store_open(&test);
    int64_t old = TEST_NOW_MS - HOUR_MS;
    assert_int_equal(count_selected(&test, old, old), 5); /* reading them is the error */
    test_store_release(&test);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(head_and_segments_know_their_series),
        cmocka_unit_test(an_older_sample_alone_keeps_its_series),
        cmocka_unit_test(a_series_of_histograms_alone_is_found),
        cmocka_unit_test(a_damaged_segment_leaves_nothing_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
