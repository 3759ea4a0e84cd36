/* Lists of files of rollups: order, lookup, references, what stands for what. */
#include "store/rollup_files.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_segment *new_segment(void) {
    struct sn_segment *segment = sn_alloc_zero(1, sizeof *segment);
    assert_non_null(segment);
    atomic_init(&segment->refs, 1);
    segment->fd = -1;
    return segment;
}

static void a_list_is_changed_by_making_another(void **state) {
    (void)state;
    struct sn_segment *segment = new_segment();
    const struct sn_rollup_file first[] = {
        {.segment = segment, .id = 1, .width_ms = 10, .start_ms = 50},
        {.id = 2, .width_ms = 20, .start_ms = 10}};
    const struct sn_rollup_file second[] = {{.id = 3, .width_ms = 10, .start_ms = 7},
                                            {.id = 4, .width_ms = 10, .start_ms = 60}};
    struct sn_rollup_change change = {.more = first, .more_count = 2, .raw_from_ms = INT64_MIN};
    struct sn_rollup_files *a = sn_rollup_files_changed(NULL, &change);
    assert_int_equal(sn_rollup_files_raw_from(a), INT64_MIN);
    assert_int_equal(sn_rollup_files_raw_from(NULL), INT64_MIN);
    change = (struct sn_rollup_change){.more = second, .more_count = 2, .raw_from_ms = 5};
    struct sn_rollup_files *b = sn_rollup_files_changed(a, &change);
    assert_int_equal(b->count, 4);
    static const uint64_t order[] = {3, 1, 4, 2};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(b->items[i].id, order[i]);
    assert_int_equal(sn_rollup_files_find(b, 10, 50)->id, 1);
    assert_int_equal(sn_rollup_files_find(b, 20, 10)->id, 2);
    assert_null(sn_rollup_files_find(b, 20, 50));
    assert_null(sn_rollup_files_find(b, 30, 10));
    assert_null(sn_rollup_files_find(NULL, 10, 50));
    const bool is_dropped[] = {false, true, false, false};
    change = (struct sn_rollup_change){.is_dropped = is_dropped, .raw_from_ms = 3};
    struct sn_rollup_files *c = sn_rollup_files_changed(b, &change);
    assert_int_equal(c->count, 3);
    assert_null(sn_rollup_files_find(c, 10, 50));
    assert_int_equal(sn_rollup_files_raw_from(c), 5); /* it only grows */
    assert_int_equal(atomic_load(&segment->refs), 3);
    sn_rollup_files_unref(sn_rollup_files_ref(c));
    sn_rollup_files_unref(a);
    sn_rollup_files_unref(b);
    assert_int_equal(atomic_load(&segment->refs), 1);
    sn_rollup_files_unref(c);
    sn_rollup_files_unref(NULL);
    assert_null(sn_rollup_files_ref(NULL));
    sn_segment_unref(segment);
}

static void the_newest_segment_of_a_window_decides(void **state) {
    (void)state;
    struct sn_segments segments;
    struct sn_segment *items[3];
    static const int64_t bounds[3][2] = {{0, 10}, {11, 20}, {5, 12}};
    assert_int_equal(sn_segments_init(&segments), SN_OK);
    for (size_t i = 0; i < 3; i++) {
        items[i] = new_segment();
        items[i]->rank = i + 1;
        items[i]->footer.time_min = bounds[i][0];
        items[i]->footer.time_max = bounds[i][1];
        sn_segments_publish(&segments, sn_segments_with(&segments, items[i]));
        sn_segment_unref(items[i]);
    }
    assert_int_equal(sn_rollup_rank_of(segments.set, -5, 4), 1);
    assert_int_equal(sn_rollup_rank_of(segments.set, -5, 5), 3);
    assert_int_equal(sn_rollup_rank_of(segments.set, 11, 30), 3);
    assert_int_equal(sn_rollup_rank_of(segments.set, 12, 30), 2);
    assert_int_equal(sn_rollup_rank_of(segments.set, 20, 30), 0);
    assert_int_equal(sn_rollup_rank_of(segments.set, -5, -1), 0);
    sn_segments_release(&segments);
}

static void without_memory_there_is_no_list(void **state) {
    (void)state;
    struct sn_rollup_change change = {.raw_from_ms = 1};
    sn_mem_fail_nth(1);
    assert_null(sn_rollup_files_changed(NULL, &change));
    sn_mem_fail_nth(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_changed_by_making_another),
        cmocka_unit_test(the_newest_segment_of_a_window_decides),
        cmocka_unit_test(without_memory_there_is_no_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
