/* Postings and the set operations that queries are made of. */
#include "store/postings.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void one_id_needs_no_memory_and_more_keep_their_order(void **state) {
    (void)state;
    struct sn_postings postings = {0};
    int64_t before = sn_mem_block_count();
    assert_int_equal(sn_postings_append(&postings, 7), SN_OK);
    assert_int_equal(sn_mem_block_count(), before);
    for (uint32_t i = 8; i < 1000; i += 3)
        assert_int_equal(sn_postings_append(&postings, i), SN_OK);
    const uint32_t *ids = sn_postings_ids(&postings);
    assert_int_equal(ids[0], 7);
    for (uint32_t i = 1; i < postings.count; i++)
        assert_int_equal(ids[i], 8 + (i - 1) * 3);
    sn_postings_release(&postings);
    assert_int_equal(sn_mem_block_count(), before);
}

static void a_popped_id_is_gone_and_can_come_again(void **state) {
    (void)state;
    struct sn_postings postings = {0};
    assert_int_equal(sn_postings_append(&postings, 1), SN_OK);
    assert_int_equal(sn_postings_append(&postings, 2), SN_OK);
    sn_postings_pop(&postings);
    sn_postings_pop(&postings);
    assert_int_equal(postings.count, 0);
    assert_int_equal(sn_postings_append(&postings, 1), SN_OK);
    assert_int_equal(sn_postings_ids(&postings)[0], 1);
    sn_postings_release(&postings);
}

static void a_failed_append_changes_nothing(void **state) {
    (void)state;
    struct sn_postings postings = {0};
    assert_int_equal(sn_postings_append(&postings, 1), SN_OK);
    sn_mem_fail_nth(1);
    assert_int_equal(sn_postings_append(&postings, 2), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_int_equal(postings.count, 1);
    assert_int_equal(sn_postings_ids(&postings)[0], 1);
    sn_postings_release(&postings);
}

enum { UNIVERSE = 4000 };

static struct sn_id_set random_set(struct sn_rng *rng, uint64_t one_in, bool in[UNIVERSE]) {
    struct sn_id_set set = {0};
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        in[i] = sn_rng_below(rng, one_in) == 0;
        if (in[i])
            assert_int_equal(sn_id_set_add(&set, &i, 1), SN_OK);
    }
    return set;
}

static void check_set(const struct sn_id_set *set, const bool expected[UNIVERSE]) {
    size_t at = 0;
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        if (expected[i])
            assert_true(at < set->count && set->ids[at++] == i);
    }
    assert_int_equal(at, set->count);
}

/* Dense and sparse sets: both the steps and the gallop. */
static void set_operations_agree_with_a_table(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 5);
    const uint64_t densities[] = {1, 2, 50, 1000, 5000};
    for (int i = 0; i < 5; i++) {
        for (int j = 0; j < 5; j++) {
            bool a[UNIVERSE];
            bool b[UNIVERSE];
            bool both[UNIVERSE];
            bool only[UNIVERSE];
            struct sn_id_set x = random_set(&rng, densities[i], a);
            struct sn_id_set y = random_set(&rng, densities[j], b);
            struct sn_id_set z = {0};
            assert_int_equal(sn_id_set_add(&z, x.ids, x.count), SN_OK);
            for (int k = 0; k < UNIVERSE; k++) {
                both[k] = a[k] && b[k];
                only[k] = a[k] && !b[k];
            }
            sn_id_set_intersect(&x, &y);
            check_set(&x, both);
            sn_id_set_subtract(&z, &y);
            check_set(&z, only);
            sn_id_set_release(&x);
            sn_id_set_release(&y);
            sn_id_set_release(&z);
        }
    }
}

static void sorting_drops_duplicates(void **state) {
    (void)state;
    const uint32_t ids[] = {5, 1, 5, 3, 1, 9, 9};
    struct sn_id_set set = {0};
    assert_int_equal(sn_id_set_add(&set, ids, 7), SN_OK);
    sn_id_set_sort(&set);
    const uint32_t expected[] = {1, 3, 5, 9};
    assert_int_equal(set.count, 4);
    assert_memory_equal(set.ids, expected, sizeof expected);
    sn_id_set_release(&set);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_id_needs_no_memory_and_more_keep_their_order),
        cmocka_unit_test(a_popped_id_is_gone_and_can_come_again),
        cmocka_unit_test(a_failed_append_changes_nothing),
        cmocka_unit_test(set_operations_agree_with_a_table),
        cmocka_unit_test(sorting_drops_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
