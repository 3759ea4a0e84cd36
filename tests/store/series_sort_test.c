/* The radix sort gives the same order as comparing texts. */
#include "store/series_sort.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { SERIES = 6000 };

static void add(struct sn_series_index *index, struct sn_label *items, size_t count) {
    struct sn_labels labels;
    struct sn_buf buf;
    uint32_t id;
    sn_buf_init(&buf, 0);
    if (sn_labels_make(items, count, &labels, NULL) == SN_OK) {
        sn_labels_encode(labels, &buf);
        uint32_t hash = sn_series_index_hash(index, sn_buf_str(&buf));
        if (!sn_series_index_find(index, sn_buf_str(&buf), hash, &id))
            assert_int_equal(sn_series_index_add(index, sn_buf_str(&buf), hash, &id, NULL), SN_OK);
    }
    sn_buf_release(&buf);
}

/* Names before and behind "__name__", values that are beginnings of each other, sets of all sizes. */
static void fill(struct sn_series_index *index) {
    static const char *const names[] = {"__name__", "A", "B", "a", "instance", "job", "zone"};
    struct sn_rng rng;
    sn_rng_init(&rng, 11);
    for (int i = 0; i < SERIES; i++) {
        struct sn_label items[7];
        char values[7][24];
        size_t count = 0;
        for (size_t k = 0; k < 7; k++) {
            if (sn_rng_below(&rng, 4) == 0)
                continue;
            uint64_t kinds = k == 4 ? 5000 : 7; /* more than one digit of ranks */
            (void)snprintf(values[k], sizeof values[k], "%.*s%llu", (int)sn_rng_below(&rng, 3),
                           "xy", (unsigned long long)sn_rng_below(&rng, kinds));
            items[count++] = (struct sn_label){sn_str_from(names[k]), sn_str_from(values[k])};
        }
        add(index, items, count);
    }
}

static void check_sorted(const struct sn_series_index *index, const uint32_t *ids, size_t count) {
    for (size_t i = 1; i < count; i++)
        assert_true(sn_series_index_compare_metric(index, ids[i - 1], ids[i]) < 0);
}

static void any_series_come_into_metric_order(void **state) {
    (void)state;
    struct sn_series_index index;
    sn_series_index_init(&index, SERIES, 1);
    fill(&index);
    uint32_t *ids = calloc(index.count, sizeof *ids);
    assert_true(index.count > SERIES / 2);
    for (uint32_t i = 0; i < index.count; i++)
        ids[i] = index.count - 1 - i;
    assert_int_equal(sn_series_sort(&index, index.symbols.pair_count, ids, index.count), SN_OK);
    check_sorted(&index, ids, index.count);
    /* Some of them, one of them. */
    for (uint32_t i = 0; i < index.count / 3; i++)
        ids[i] = i * 3;
    assert_int_equal(sn_series_sort(&index, index.symbols.pair_count, ids, index.count / 3), SN_OK);
    check_sorted(&index, ids, index.count / 3);
    assert_int_equal(sn_series_sort(&index, index.symbols.pair_count, ids, 1), SN_OK);
    free(ids);
    sn_series_index_release(&index);
}

static void a_failing_allocation_leaves_the_ids_alone(void **state) {
    (void)state;
    struct sn_series_index index;
    sn_series_index_init(&index, SERIES, 1);
    fill(&index);
    int64_t before = sn_mem_block_count();
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        uint32_t ids[100];
        for (uint32_t i = 0; i < 100; i++)
            ids[i] = 99 - i;
        sn_mem_fail_nth(n);
        sn_status status = sn_series_sort(&index, index.symbols.pair_count, ids, 100);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        for (uint32_t i = 0; i < 100 && fired; i++)
            assert_int_equal(ids[i], 99 - i);
        assert_int_equal(sn_mem_block_count(), before);
    }
    sn_series_index_release(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_series_come_into_metric_order),
        cmocka_unit_test(a_failing_allocation_leaves_the_ids_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
