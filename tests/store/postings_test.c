/* Postings and the set operations that queries are made of. */
#include "store/postings.h"

#include "base/mem.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void fill(struct sn_postings *postings, uint32_t count) {
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(sn_postings_append(postings, 7 + i * 3), SN_OK);
}

static void check(const struct sn_postings *postings, uint32_t count) {
    struct sn_id_set set = {0};
    assert_int_equal(sn_id_set_add_postings(&set, postings), SN_OK);
    assert_int_equal(set.count, count);
    assert_int_equal(postings->count, count);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(set.ids[i], 7 + i * 3);
        assert_true(sn_postings_contains(postings, 7 + i * 3));
        assert_false(sn_postings_contains(postings, 8 + i * 3));
    }
    sn_id_set_release(&set);
}

static void one_id_needs_no_memory_and_the_form_changes_behind_64(void **state) {
    (void)state;
    const uint32_t counts[] = {1, 2, 63, 64, 65, 66, 1000, 100000};
    int64_t before = sn_mem_block_count();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        struct sn_postings postings = {0};
        fill(&postings, counts[i]);
        if (counts[i] == 1)
            assert_int_equal(sn_mem_block_count(), before);
        assert_true(sn_postings_is_bitmap(&postings) == (counts[i] > SN_POSTINGS_ARRAY_MAX));
        check(&postings, counts[i]);
        sn_postings_release(&postings);
        assert_int_equal(sn_mem_block_count(), before);
    }
}

static void a_popped_id_is_gone_and_can_come_again(void **state) {
    (void)state;
    for (uint32_t count = 1; count < 70; count++) {
        struct sn_postings postings = {0};
        fill(&postings, count);
        sn_postings_pop(&postings, 7 + (count - 1) * 3);
        check(&postings, count - 1);
        assert_int_equal(sn_postings_append(&postings, 7 + (count - 1) * 3), SN_OK);
        check(&postings, count);
        sn_postings_release(&postings);
    }
}

static void an_id_is_removed_wherever_it_stands(void **state) {
    (void)state;
    for (uint32_t count = 1; count < 140; count += 3) {
        struct sn_postings postings = {0};
        fill(&postings, count);
        sn_postings_remove(&postings, 8); /* not there */
        check(&postings, count);
        sn_postings_remove(&postings, 7 + count / 2 * 3);
        assert_int_equal(postings.count, count - 1);
        assert_false(sn_postings_contains(&postings, 7 + count / 2 * 3));
        sn_postings_release(&postings);
    }
}

static void a_failed_append_changes_nothing(void **state) {
    (void)state;
    struct sn_postings postings = {0};
    fill(&postings, 1);
    sn_mem_fail_nth(1);
    assert_int_equal(sn_postings_append(&postings, 10), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    check(&postings, 1);
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

static void filtering_agrees_with_a_table(void **state) {
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
            struct sn_bitmap *bitmap = sn_bitmap_new(y.ids, y.count);
            assert_int_equal(sn_id_set_add(&z, x.ids, x.count), SN_OK);
            for (int k = 0; k < UNIVERSE; k++) {
                both[k] = a[k] && b[k];
                only[k] = a[k] && !b[k];
            }
            sn_id_set_filter(&x, bitmap, true);
            check_set(&x, both);
            sn_id_set_filter(&z, bitmap, false);
            check_set(&z, only);
            sn_bitmap_free(bitmap);
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
        cmocka_unit_test(one_id_needs_no_memory_and_the_form_changes_behind_64),
        cmocka_unit_test(a_popped_id_is_gone_and_can_come_again),
        cmocka_unit_test(a_failed_append_changes_nothing),
        cmocka_unit_test(an_id_is_removed_wherever_it_stands),
        cmocka_unit_test(filtering_agrees_with_a_table),
        cmocka_unit_test(sorting_drops_duplicates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
