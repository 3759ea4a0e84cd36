/* Sets of ids against a table. */
#include "store/bitmap.h"

#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNIVERSE = 200000 }; /* several containers of 65536 */

static bool a_in[UNIVERSE];
static bool b_in[UNIVERSE];

static struct sn_bitmap *make(struct sn_rng *rng, uint64_t one_in, bool *in) {
    struct sn_bitmap *bitmap = sn_bitmap_new(NULL, 0);
    assert_non_null(bitmap);
    for (uint32_t i = 0; i < UNIVERSE; i++) {
        in[i] = sn_rng_below(rng, one_in) == 0;
        if (in[i])
            sn_bitmap_add(bitmap, i);
    }
    return bitmap;
}

static size_t count_both(const bool *a, const bool *b, bool wanted) {
    size_t count = 0;
    for (int i = 0; i < UNIVERSE; i++)
        count += a[i] && b[i] == wanted;
    return count;
}

static void operations_agree_with_a_table(void **state) {
    (void)state;
    struct sn_rng rng;
    sn_rng_init(&rng, 11);
    const uint64_t densities[] = {1, 3, 5000};
    for (int i = 0; i < 9; i++) {
        struct sn_bitmap *a = make(&rng, densities[i / 3], a_in);
        struct sn_bitmap *b = make(&rng, densities[i % 3], b_in);
        struct sn_bitmap *both = sn_bitmap_both(a, b);
        struct sn_bitmap *only = sn_bitmap_copy(a);
        struct sn_bitmap *all = sn_bitmap_copy(a);
        sn_bitmap_subtract(only, b);
        sn_bitmap_unite(all, b);
        assert_int_equal(sn_bitmap_count(both), count_both(a_in, b_in, true));
        assert_int_equal(sn_bitmap_count(only), count_both(a_in, b_in, false));
        assert_int_equal(sn_bitmap_count(all), sn_bitmap_count(only) + sn_bitmap_count(b));
        for (uint32_t k = 0; k < UNIVERSE; k++) {
            assert_true(sn_bitmap_contains(both, k) == (a_in[k] && b_in[k]));
            assert_true(sn_bitmap_contains(all, k) == (a_in[k] || b_in[k]));
        }
        sn_bitmap_intersect(all, both);
        assert_int_equal(sn_bitmap_count(all), sn_bitmap_count(both));
        sn_bitmap_free(a);
        sn_bitmap_free(b);
        sn_bitmap_free(both);
        sn_bitmap_free(only);
        sn_bitmap_free(all);
    }
}

static void ids_come_out_ascending_and_packing_keeps_them(void **state) {
    (void)state;
    const uint32_t ids[] = {900000, 5, 70000, 6, 7};
    uint32_t got[11];
    struct sn_bitmap *bitmap = sn_bitmap_new(ids, 5);
    sn_bitmap_add_range(bitmap, 10, 14);
    sn_bitmap_add(bitmap, UINT32_MAX);
    sn_bitmap_pack(bitmap);
    assert_int_equal(sn_bitmap_count(bitmap), 11);
    assert_true(sn_bitmap_bytes(bitmap) > 0);
    sn_bitmap_ids(bitmap, got);
    const uint32_t expected[] = {5, 6, 7, 10, 11, 12, 13, 14, 70000, 900000, UINT32_MAX};
    assert_memory_equal(got, expected, sizeof expected);
    sn_bitmap_remove(bitmap, 12);
    assert_false(sn_bitmap_contains(bitmap, 12));
    assert_null(sn_bitmap_free(bitmap));
    assert_null(sn_bitmap_free(NULL));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operations_agree_with_a_table),
        cmocka_unit_test(ids_come_out_ascending_and_packing_keeps_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
