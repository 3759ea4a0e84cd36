/* Sorting series by their places: the same as by their texts. */
#include "store/series_order.h"

#include "base/mem.h"
#include "base/rng.h"
#include "store_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { COUNT = 4000 };

static struct sn_series_index series;

static int compare(const void *a, const void *b, void *ctx) {
    return sn_series_index_compare(ctx, *(const uint32_t *)a, *(const uint32_t *)b);
}

static int setup(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_series_index_init(&series, COUNT, 1);
    for (unsigned i = 0; i < COUNT; i++) {
        uint32_t id;
        test_labels(&buf, i % 2 ? "b" : "a", i * 7919 % 100000);
        uint32_t hash = sn_series_index_hash(&series, sn_buf_str(&buf));
        assert_int_equal(sn_series_index_add(&series, sn_buf_str(&buf), hash, &id, NULL), SN_OK);
    }
    sn_buf_release(&buf);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    sn_series_index_release(&series);
    return 0;
}

/* An order of the first `count` series, as a flush makes it. */
static struct sn_series_order *make_order(uint32_t count) {
    uint32_t *ids = calloc(count + 1, sizeof *ids);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = i;
    qsort_r(ids, count, sizeof *ids, compare, &series);
    struct sn_series_order *order = sn_series_order_new(ids, count, count);
    assert_non_null(order);
    free(ids);
    return order;
}

static void check_sorted(const struct sn_series_order *order, size_t count) {
    static uint32_t ids[COUNT];
    struct sn_rng rng;
    sn_rng_init(&rng, count);
    for (uint32_t i = 0; i < count; i++)
        ids[i] = i * 7919 % COUNT; /* has no factor in common with COUNT */
    assert_int_equal(sn_series_order_sort(order, &series, ids, count), SN_OK);
    for (size_t i = 1; i < count; i++)
        assert_true(sn_series_index_compare(&series, ids[i - 1], ids[i]) < 0);
}

static void places_texts_and_a_mixture_give_the_same_order(void **state) {
    (void)state;
    const uint32_t known[] = {0, 1, 10, COUNT / 2, COUNT};
    const size_t counts[] = {0, 1, 2, 255, 256, 257, COUNT};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        struct sn_series_order *order = make_order(known[i]);
        for (size_t k = 0; k < sizeof counts / sizeof *counts; k++)
            check_sorted(order, counts[k]);
        sn_series_order_unref(order);
    }
    check_sorted(NULL, COUNT);
}

static void memory_that_is_missing_is_a_status(void **state) {
    (void)state;
    struct sn_series_order *order = make_order(COUNT);
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        uint32_t ids[] = {3, 2, 1};
        sn_mem_fail_nth(n);
        sn_status status = sn_series_order_sort(order, &series, ids, 3);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
    }
    assert_ptr_equal(sn_series_order_ref(order), order);
    sn_series_order_unref(order);
    sn_series_order_unref(order);
    sn_series_order_unref(NULL);
    assert_null(sn_series_order_ref(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places_texts_and_a_mixture_give_the_same_order),
        cmocka_unit_test(memory_that_is_missing_is_a_status),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
