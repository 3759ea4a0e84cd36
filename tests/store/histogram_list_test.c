/* The list of histograms of one epoch, copies out of it, and sorting. */
#include "store/histogram_list.h"

#include "histogram_support.h"

#include "base/mem.h"
#include "store/histogram_chunk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static sn_status add(struct sn_histogram_list *list, struct sn_arena *arena, uint32_t series,
                     int64_t time_ms, unsigned i) {
    struct sn_buf buf;
    struct sn_histogram histogram = test_histogram(arena, i);
    struct sn_histogram_entry entry = {.time_ms = time_ms, .start_ms = time_ms / 2};
    sn_buf_init(&buf, 0);
    sn_histogram_chunk_encode(&histogram, 1, &buf);
    sn_status status = buf.status;
    if (status == SN_OK)
        status = sn_histogram_list_add(list, series, &entry, sn_buf_str(&buf));
    sn_buf_release(&buf);
    return status;
}

static sn_status read(const struct sn_histogram_list *list, uint32_t series, struct sn_range range,
                      struct sn_histograms *histograms) {
    struct sn_histogram_copy copy;
    sn_histogram_copy_init(&copy);
    sn_status status = sn_histogram_list_copy(list, series, &copy);
    if (status == SN_OK)
        status = sn_histogram_copy_decode(&copy, range, histograms);
    if (status == SN_OK)
        status = sn_histograms_sort_latest(histograms, 0);
    sn_histogram_copy_release(&copy);
    return status;
}

static void histograms_of_a_series_come_back_sorted(void **state) {
    (void)state;
    enum { SERIES = 50, COUNT = 600 }; /* several blocks of memory */
    struct sn_histogram_list list;
    struct sn_histograms histograms;
    struct sn_arena arena;
    sn_arena_init(&arena, (size_t)1 << 30);
    sn_histogram_list_init(&list);
    for (unsigned i = 0; i < COUNT; i++) {
        for (uint32_t series = 0; series < SERIES; series++)
            assert_int_equal(add(&list, &arena, series * 1000, (int64_t)(i ^ 1), i), SN_OK);
    }
    for (uint32_t series = 0; series < SERIES; series++) {
        sn_histograms_init(&histograms, 0);
        assert_int_equal(read(&list, series * 1000, TEST_ALL_TIME, &histograms), SN_OK);
        assert_int_equal(histograms.count, COUNT);
        for (unsigned i = 0; i < COUNT; i++) {
            assert_int_equal(histograms.time_ms[i], i);
            assert_int_equal(histograms.start_ms[i], i / 2);
            if (i % 100 == 0) {
                struct sn_histogram expected = test_histogram(&arena, i ^ 1);
                assert_true(sn_histogram_equal(&histograms.items[i], &expected));
            }
        }
        sn_histograms_release(&histograms);
    }
    sn_histograms_init(&histograms, 0);
    assert_int_equal(read(&list, 1, TEST_ALL_TIME, &histograms), SN_OK);
    assert_int_equal(read(&list, 99999999, TEST_ALL_TIME, &histograms), SN_OK);
    assert_int_equal(histograms.count, 0);
    assert_int_equal(read(&list, 0, (struct sn_range){10, 19}, &histograms), SN_OK);
    assert_int_equal(histograms.count, 10);
    sn_histograms_release(&histograms);
    sn_histogram_list_release(&list);
    sn_arena_release(&arena);
}

static void of_equal_times_the_last_arrival_stays(void **state) {
    (void)state;
    struct sn_histogram_list list;
    struct sn_histograms histograms;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_histogram_list_init(&list);
    assert_int_equal(add(&list, &arena, 0, 5, 1), SN_OK);
    assert_int_equal(add(&list, &arena, 0, 7, 2), SN_OK);
    assert_int_equal(add(&list, &arena, 0, 5, 3), SN_OK);
    sn_histograms_init(&histograms, 0);
    assert_int_equal(read(&list, 0, TEST_ALL_TIME, &histograms), SN_OK);
    assert_int_equal(histograms.count, 2);
    assert_true(histograms.items[0].zero_count == 3);
    assert_true(histograms.items[1].zero_count == 2);
    sn_histograms_release(&histograms);
    sn_histogram_list_release(&list);
    sn_arena_release(&arena);
}

static void every_failing_allocation_leaves_the_list_usable(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    (void)test_histogram(&arena, 1);
    int64_t before = sn_mem_block_count();
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_histogram_list list;
        struct sn_histograms histograms;
        sn_histogram_list_init(&list);
        sn_histograms_init(&histograms, 0);
        sn_mem_fail_nth(n);
        sn_status first = add(&list, &arena, 3, 9, 1);
        sn_status second = add(&list, &arena, 3, 8, 2);
        sn_status third = read(&list, 3, TEST_ALL_TIME, &histograms);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal((first != SN_OK) + (second != SN_OK) + (third != SN_OK), fired ? 1 : 0);
        assert_int_equal(list.count, (first == SN_OK ? 1 : 0) + (second == SN_OK ? 1 : 0));
        sn_histograms_reset(&histograms);
        assert_int_equal(read(&list, 3, TEST_ALL_TIME, &histograms), SN_OK);
        assert_int_equal(histograms.count, list.count);
        sn_histograms_release(&histograms);
        sn_histogram_list_release(&list);
        assert_int_equal(sn_mem_block_count(), before);
    }
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(histograms_of_a_series_come_back_sorted),
        cmocka_unit_test(of_equal_times_the_last_arrival_stays),
        cmocka_unit_test(every_failing_allocation_leaves_the_list_usable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
