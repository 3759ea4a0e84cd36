/* Label sets to ids and back; order; limits; failures. */
#include "store/series_index.h"

#include "store_support.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static sn_status add(struct sn_series_index *index, const char *name, unsigned number,
                     uint32_t *ret_id) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, name, number);
    struct sn_str labels = sn_buf_str(&buf);
    sn_status status =
        sn_series_index_add(index, labels, sn_series_index_hash(index, labels), ret_id, NULL);
    sn_buf_release(&buf);
    return status;
}

static bool find(struct sn_series_index *index, const char *name, unsigned number,
                 uint32_t *ret_id) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    test_labels(&buf, name, number);
    struct sn_str labels = sn_buf_str(&buf);
    bool is_there =
        sn_series_index_find(index, labels, sn_series_index_hash(index, labels), ret_id);
    sn_buf_release(&buf);
    return is_there;
}

static void series_are_found_and_encoded_as_they_were_added(void **state) {
    (void)state;
    enum { COUNT = 5000 };
    struct sn_series_index index;
    struct sn_buf expected;
    struct sn_buf got;
    uint32_t id;
    sn_series_index_init(&index, COUNT, 1);
    sn_buf_init(&expected, 0);
    sn_buf_init(&got, 0);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_false(find(&index, i % 2 ? "a" : "b", i, &id));
        assert_int_equal(add(&index, i % 2 ? "a" : "b", i, &id), SN_OK);
        assert_int_equal(id, i);
    }
    assert_int_equal(add(&index, "c", 1, &id), SN_ERR_LIMIT);
    for (unsigned i = 0; i < COUNT; i++) {
        assert_true(find(&index, i % 2 ? "a" : "b", i, &id));
        assert_int_equal(id, i);
        sn_series_index_prefetch_pairs(&index, i);
        test_labels(&expected, i % 2 ? "a" : "b", i);
        sn_buf_reset(&got);
        sn_series_index_encode(&index, i, &got);
        assert_true(sn_str_equal(sn_buf_str(&got), sn_buf_str(&expected)));
    }
    assert_int_equal(sn_symbols_pair(&index.symbols, 0)->postings.count, COUNT / 2);
    sn_buf_release(&expected);
    sn_buf_release(&got);
    sn_series_index_release(&index);
}

/* One slot value for all: only the text can tell them apart. */
static void equal_hashes_do_not_mix_series(void **state) {
    (void)state;
    struct sn_series_index index;
    struct sn_buf buf;
    uint32_t id;
    sn_series_index_init(&index, 100, 1);
    sn_buf_init(&buf, 0);
    for (unsigned i = 0; i < 50; i++) {
        test_labels(&buf, "m", i);
        assert_false(sn_series_index_find(&index, sn_buf_str(&buf), 7, &id));
        assert_int_equal(sn_series_index_add(&index, sn_buf_str(&buf), 7, &id, NULL), SN_OK);
    }
    for (unsigned i = 0; i < 50; i++) {
        test_labels(&buf, "m", i);
        assert_true(sn_series_index_find(&index, sn_buf_str(&buf), 7, &id));
        assert_int_equal(id, i);
    }
    sn_buf_release(&buf);
    sn_series_index_release(&index);
}

static void foreign_bytes_are_refused(void **state) {
    (void)state;
    struct sn_series_index index;
    struct sn_err err;
    uint32_t id;
    sn_series_index_init(&index, 100, 1);
    assert_int_equal(sn_series_index_add(&index, SN_STR("\002junk"), 1, &id, &err), SN_ERR_CORRUPT);
    assert_int_equal(sn_series_index_add(&index, SN_STR(""), 1, &id, &err), SN_ERR_CORRUPT);
    assert_int_equal(index.count, 0);
    sn_series_index_release(&index);
}

static void the_order_is_that_of_label_sets_and_the_metric_comes_first(void **state) {
    (void)state;
    struct sn_series_index index;
    struct sn_arena arena;
    struct sn_labels labels[60];
    struct sn_buf buf;
    sn_series_index_init(&index, 100, 1);
    sn_arena_init(&arena, 0);
    sn_buf_init(&buf, 0);
    for (uint32_t i = 0; i < 60; i++) {
        uint32_t id;
        char metric[8];
        char value[8];
        (void)snprintf(metric, sizeof metric, "m%u", i % 4);
        (void)snprintf(value, sizeof value, "%u", i);
        /* "A" sorts before "__name__". */
        struct sn_label items[] = {
            {SN_STR("A"), sn_str_from(value)},
            {SN_LABEL_METRIC_NAME, i < 50 ? sn_str_from(metric) : SN_STR("")}};
        struct sn_labels set;
        assert_int_equal(sn_labels_make(items, 2, &set, NULL), SN_OK);
        sn_buf_reset(&buf);
        sn_labels_encode(set, &buf);
        assert_int_equal(sn_series_index_add(&index, sn_buf_str(&buf), i * 77, &id, NULL), SN_OK);
        assert_int_equal(sn_series_index_labels(&index, id, &arena, &labels[i]), SN_OK);
    }
    for (uint32_t i = 0; i < 60; i++) {
        for (uint32_t k = 0; k < 60; k++) {
            int order = sn_labels_compare(labels[i], labels[k]);
            int got = sn_series_index_compare(&index, i, k);
            assert_true((order > 0) == (got > 0) && (order < 0) == (got < 0));
            int metric = sn_str_compare(sn_labels_get(labels[i], SN_LABEL_METRIC_NAME),
                                        sn_labels_get(labels[k], SN_LABEL_METRIC_NAME));
            got = sn_series_index_compare_metric(&index, i, k);
            int expected = metric != 0 ? metric : order;
            assert_true((expected > 0) == (got > 0) && (expected < 0) == (got < 0));
        }
    }
    sn_buf_release(&buf);
    sn_arena_release(&arena);
    sn_series_index_release(&index);
}

static void a_failed_add_leaves_no_trace_in_lookups(void **state) {
    (void)state;
    struct sn_buf buf;
    bool fired = true;
    sn_buf_init(&buf, 0);
    test_labels(&buf, "m", 5);
    for (uint64_t n = 1; fired; n++) {
        struct sn_series_index index;
        uint32_t id;
        sn_series_index_init(&index, 100, 1);
        int64_t before = sn_mem_block_count();
        sn_mem_fail_nth(n);
        sn_status status = sn_series_index_add(&index, sn_buf_str(&buf), 1, &id, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(fired || status == SN_OK);
        assert_int_equal(index.count, status == SN_OK);
        assert_true(sn_series_index_find(&index, sn_buf_str(&buf), 1, &id) == (status == SN_OK));
        assert_int_equal(add(&index, "other", 1, &id), SN_OK);
        for (uint32_t pair = 0; pair < index.symbols.pair_count; pair++) {
            const struct sn_postings *postings = &sn_symbols_pair(&index.symbols, pair)->postings;
            for (uint32_t i = 0; i < postings->count; i++)
                assert_true(sn_postings_array(postings)[i] < index.count);
        }
        sn_series_index_release(&index);
        assert_true(sn_mem_block_count() <= before);
    }
    sn_buf_release(&buf);
}

static void a_removed_series_is_found_by_nothing_and_may_come_again(void **state) {
    (void)state;
    enum { MANY = 3000 };
    struct sn_series_index index;
    struct sn_buf buf;
    uint32_t id;
    sn_buf_init(&buf, 0);
    sn_series_index_init(&index, 10000, 1);
    for (unsigned i = 0; i < MANY; i++)
        assert_int_equal(add(&index, "m", i, &id), SN_OK);
    for (uint32_t i = 0; i < MANY; i += 3)
        assert_int_equal(sn_series_index_remove(&index, i), SN_OK);
    assert_int_equal(sn_series_index_remove(&index, 0), SN_OK); /* twice is fine */
    assert_int_equal(sn_series_index_live_count(&index), MANY - MANY / 3);
    uint32_t pair;
    assert_true(sn_symbols_find_pair(&index.symbols, SN_LABEL_METRIC_NAME, SN_STR("m"), &pair));
    const struct sn_postings *postings = &sn_symbols_pair(&index.symbols, pair)->postings;
    assert_int_equal(postings->count, MANY - MANY / 3);
    for (unsigned i = 0; i < MANY; i++) {
        test_labels(&buf, "m", i);
        uint32_t hash = sn_series_index_hash(&index, sn_buf_str(&buf));
        assert_true(sn_series_index_find(&index, sn_buf_str(&buf), hash, &id) == (i % 3 != 0));
        assert_true(sn_postings_contains(postings, i) == (i % 3 != 0));
        assert_true(sn_series_index_is_removed(&index, i) == (i % 3 == 0));
    }
    assert_int_equal(add(&index, "m", 0, &id), SN_OK);
    assert_int_equal(id, MANY);
    sn_series_index_release(&index);
    sn_buf_release(&buf);
}

static void a_gap_keeps_the_ids_behind_it(void **state) {
    (void)state;
    struct sn_series_index index;
    uint32_t id;
    sn_series_index_init(&index, 2, 1);
    assert_int_equal(sn_series_index_add_removed(&index, &id, NULL), SN_OK);
    assert_int_equal(id, 0);
    assert_int_equal(add(&index, "m", 1, &id), SN_OK);
    assert_int_equal(id, 1);
    assert_true(index.is_metric_first);
    assert_int_equal(add(&index, "m", 2, &id), SN_OK); /* the limit counts what is there */
    assert_int_equal(add(&index, "m", 3, &id), SN_ERR_LIMIT);
    sn_series_index_release(&index);
}

static void the_limit_of_a_metric_holds_at_both_sides(void **state) {
    (void)state;
    struct sn_series_index index;
    uint32_t id;
    sn_series_index_init(&index, 100, 1);
    index.per_metric_max = 2;
    assert_int_equal(add(&index, "a", 1, &id), SN_OK);
    assert_int_equal(add(&index, "a", 2, &id), SN_OK);
    assert_int_equal(add(&index, "a", 3, &id), SN_ERR_LIMIT);
    assert_int_equal(add(&index, "b", 3, &id), SN_OK);
    assert_int_equal(sn_series_index_remove(&index, 0), SN_OK);
    assert_int_equal(add(&index, "a", 3, &id), SN_OK);
    assert_int_equal(add(&index, "a", 4, &id), SN_ERR_LIMIT);
    sn_series_index_release(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(series_are_found_and_encoded_as_they_were_added),
        cmocka_unit_test(equal_hashes_do_not_mix_series),
        cmocka_unit_test(foreign_bytes_are_refused),
        cmocka_unit_test(the_order_is_that_of_label_sets_and_the_metric_comes_first),
        cmocka_unit_test(a_failed_add_leaves_no_trace_in_lookups),
        cmocka_unit_test(a_removed_series_is_found_by_nothing_and_may_come_again),
        cmocka_unit_test(a_gap_keeps_the_ids_behind_it),
        cmocka_unit_test(the_limit_of_a_metric_holds_at_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
