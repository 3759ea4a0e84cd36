/* Tests of the hash map, most of them against a plain array as the model. */
#include "base/map.h"

#include "base/mem.h"
#include "base/rng.h"
#include "base_support.h"

#include <stdio.h>

#define MODEL_KEYS 500

static struct sn_str key_of(size_t number, char buf[16]) {
    int len = snprintf(buf, 16, "key%zu", number);
    return sn_str_make(buf, (size_t)len);
}

static void an_empty_map_has_nothing(void **state) {
    (void)state;
    struct sn_map map;
    struct sn_str key;
    uint64_t value = 7;
    size_t cursor = 0;
    sn_map_init(&map, 10, 1);
    assert_false(sn_map_get(&map, SN_STR("a"), &value));
    assert_false(sn_map_remove(&map, SN_STR("a")));
    assert_false(sn_map_next(&map, &cursor, &key, &value));
    assert_int_equal(value, 7);
    sn_map_release(&map);
}

static void put_replaces_and_copies_the_key(void **state) {
    (void)state;
    struct sn_map map;
    char key[] = "key";
    uint64_t value;
    sn_map_init(&map, 10, 1);
    assert_int_equal(sn_map_put(&map, sn_str_from(key), 1), SN_OK);
    assert_int_equal(sn_map_put(&map, sn_str_from(key), 2), SN_OK);
    key[0] = 'X';
    assert_true(sn_map_get(&map, SN_STR("key"), &value));
    assert_int_equal(value, 2);
    assert_int_equal(map.count, 1);
    sn_map_release(&map);
}

static void the_empty_key_and_keys_with_nul_are_keys(void **state) {
    (void)state;
    struct sn_map map;
    uint64_t value;
    sn_map_init(&map, 10, 1);
    assert_int_equal(sn_map_put(&map, sn_str_make(NULL, 0), 1), SN_OK);
    assert_int_equal(sn_map_put(&map, SN_STR("\0"), 2), SN_OK);
    assert_int_equal(sn_map_put(&map, SN_STR("\0\0"), 3), SN_OK);
    assert_true(sn_map_get(&map, SN_STR(""), &value) && value == 1);
    assert_true(sn_map_get(&map, SN_STR("\0"), &value) && value == 2);
    assert_true(sn_map_get(&map, SN_STR("\0\0"), &value) && value == 3);
    sn_map_release(&map);
}

static void the_limit_holds_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    for (size_t limit = 0; limit < 30; limit++) {
        struct sn_map map;
        char buf[16];
        sn_map_init(&map, limit, 1);
        for (size_t i = 0; i < limit; i++)
            assert_int_equal(sn_map_put(&map, key_of(i, buf), i), SN_OK);
        assert_int_equal(sn_map_put(&map, key_of(limit, buf), 0), SN_ERR_LIMIT);
        assert_int_equal(map.count, limit);
        if (limit > 0) { /* replacing and putting in another's place still work */
            assert_int_equal(sn_map_put(&map, key_of(0, buf), 9), SN_OK);
            assert_true(sn_map_remove(&map, key_of(0, buf)));
            assert_int_equal(sn_map_put(&map, key_of(limit, buf), 0), SN_OK);
        }
        sn_map_release(&map);
    }
}

struct model {
    bool is_there[MODEL_KEYS];
    uint64_t values[MODEL_KEYS];
    size_t count;
};

static void assert_same(const struct sn_map *map, const struct model *model) {
    char buf[16];
    uint64_t value;
    assert_int_equal(map->count, model->count);
    for (size_t i = 0; i < MODEL_KEYS; i++) {
        assert_int_equal(sn_map_get(map, key_of(i, buf), &value), model->is_there[i]);
        if (model->is_there[i])
            assert_int_equal(value, model->values[i]);
    }
}

static void step(struct sn_map *map, struct model *model, struct sn_rng *rng, bool is_growing) {
    char buf[16];
    size_t i = sn_rng_below(rng, MODEL_KEYS);
    if (sn_rng_below(rng, 3) < (is_growing ? 2 : 1)) {
        uint64_t value = sn_rng_u64(rng);
        assert_int_equal(sn_map_put(map, key_of(i, buf), value), SN_OK);
        model->count += !model->is_there[i];
        model->is_there[i] = true;
        model->values[i] = value;
    } else {
        assert_int_equal(sn_map_remove(map, key_of(i, buf)), model->is_there[i]);
        model->count -= model->is_there[i];
        model->is_there[i] = false;
    }
}

static void random_steps_agree_with_an_array(void **state) {
    (void)state;
    struct sn_map map;
    struct model model = {.count = 0};
    struct sn_rng rng;
    sn_rng_init(&rng, 11);
    sn_map_init(&map, MODEL_KEYS, 99);
    for (int round = 0; round < 60; round++) {
        for (int i = 0; i < 500; i++)
            step(&map, &model, &rng, round % 2 == 0);
        assert_same(&map, &model);
    }
    sn_map_release(&map);
}

static void the_walk_meets_every_entry_once(void **state) {
    (void)state;
    struct sn_map map;
    bool is_met[1000] = {false};
    char buf[16];
    struct sn_str key;
    uint64_t value;
    size_t count = 0;
    sn_map_init(&map, 1000, 5);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(sn_map_put(&map, key_of(i, buf), i), SN_OK);
    for (size_t cursor = 0; sn_map_next(&map, &cursor, &key, &value); count++) {
        assert_true(sn_str_equal(key, key_of(value, buf)));
        assert_false(is_met[value]);
        is_met[value] = true;
    }
    assert_int_equal(count, 1000);
    sn_map_release(&map);
}

static void every_allocation_may_fail_and_changes_nothing(void **state) {
    (void)state;
    if (!HAS_FAULTS)
        skip();
    int64_t before = sn_mem_block_count();
    struct sn_map map;
    char buf[16];
    uint64_t value;
    sn_map_init(&map, 100, 5);
    for (size_t i = 0; i < 50; i++) {
        sn_status status = SN_ERR_NO_MEMORY;
        for (uint64_t n = 1; status != SN_OK; n++) {
            sn_mem_fail_nth(n);
            status = sn_map_put(&map, key_of(i, buf), i);
            assert_int_equal(status, sn_mem_fail_fired() ? SN_ERR_NO_MEMORY : SN_OK);
            sn_mem_fail_nth(0);
            assert_int_equal(map.count, i + (status == SN_OK));
            assert_int_equal(sn_map_get(&map, key_of(i, buf), &value), status == SN_OK);
        }
    }
    for (size_t i = 0; i < 50; i++)
        assert_true(sn_map_get(&map, key_of(i, buf), &value) && value == i);
    sn_map_release(&map);
    assert_int_equal(sn_mem_block_count(), before);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(put_replaces_and_copies_the_key),
        cmocka_unit_test(the_empty_key_and_keys_with_nul_are_keys),
        cmocka_unit_test(the_limit_holds_at_both_sides_of_the_boundary),
        cmocka_unit_test(random_steps_agree_with_an_array),
        cmocka_unit_test(the_walk_meets_every_entry_once),
        cmocka_unit_test(every_allocation_may_fail_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
