/* Names of open objects; json_read_test.c covers them in documents. */
#include "codec/json_names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { MANY = 40000 };

static struct sn_arena arena;
static struct sn_json_names names;
static char texts[MANY][8];
static struct sn_str strings[MANY];

static int set_up(void **state) {
    (void)state;
    sn_arena_init(&arena, 0);
    sn_json_names_init(&names, &arena, 1);
    for (int i = 0; i < MANY; i++) {
        strings[i] = sn_str_make(texts[i], (size_t)snprintf(texts[i], sizeof(texts[i]), "%d", i));
    }
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return 0;
}

static void add(struct sn_json_scope *scope, int from, int to) {
    for (int i = from; i < to; i++) {
        if (sn_json_names_add(&names, scope, strings[i], NULL) != SN_OK) {
            fail_msg("%d of %d to %d", i, from, to);
        }
    }
}

static void names_are_found_with_and_without_the_index(void **state) {
    (void)state;
    struct sn_json_scope scope = sn_json_names_open(&names);
    for (int i = 0; i < 1000; i++) {
        add(&scope, i, i + 1);
        for (int n = 0; n <= i; n += 1 + i / 5) {
            assert_int_equal(sn_json_names_add(&names, &scope, strings[n], NULL), SN_ERR_EXISTS);
        }
    }
    sn_json_names_close(&names, scope);
    assert_int_equal(names.count, 0);
}

static void the_empty_name_is_a_name(void **state) {
    (void)state;
    struct sn_json_scope scope = sn_json_names_open(&names);
    assert_int_equal(sn_json_names_add(&names, &scope, SN_STR(""), NULL), SN_OK);
    assert_int_equal(sn_json_names_add(&names, &scope, SN_STR(""), NULL), SN_ERR_EXISTS);
    assert_int_equal(sn_json_names_add(&names, &scope, sn_str_make("\0", 1), NULL), SN_OK);
}

/* The same names in every object, objects of all sizes nested and side by side. */
static void objects_do_not_see_each_others_names(void **state) {
    (void)state;
    struct sn_json_scope outer = sn_json_names_open(&names);
    for (int i = 0; i < 300; i++) {
        add(&outer, i, i + 1);
        struct sn_json_scope inner = sn_json_names_open(&names);
        add(&inner, 0, i % 60);
        struct sn_json_scope innermost = sn_json_names_open(&names);
        add(&innermost, 0, 20);
        assert_int_equal(sn_json_names_add(&names, &innermost, strings[7], NULL), SN_ERR_EXISTS);
        sn_json_names_close(&names, innermost);
        add(&inner, i % 60, 61);
        assert_int_equal(sn_json_names_add(&names, &inner, strings[30], NULL), SN_ERR_EXISTS);
        sn_json_names_close(&names, inner);
        assert_int_equal(sn_json_names_add(&names, &outer, strings[i / 2], NULL), SN_ERR_EXISTS);
    }
}

/*
 * A large object whose values are objects that need the index: rebuilding it for each of them
 * would take 40,000 times 40,000 steps, minutes instead of a moment.
 */
static void large_objects_of_objects_take_linear_time(void **state) {
    (void)state;
    struct sn_json_scope outer = sn_json_names_open(&names);
    for (int i = 0; i < MANY; i++) {
        add(&outer, i, i + 1);
        struct sn_json_scope inner = sn_json_names_open(&names);
        add(&inner, 0, 17);
        sn_json_names_close(&names, inner);
    }
    assert_true(arena.used < (size_t)MANY * 200);
}

static void a_full_arena_is_a_limit(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    struct sn_arena small;
    sn_arena_init(&small, 100);
    sn_json_names_init(&names, &small, 1);
    struct sn_json_scope scope = sn_json_names_open(&names);
    add(&scope, 0, 16);
    assert_int_equal(sn_json_names_add(&names, &scope, strings[16], &err), SN_ERR_LIMIT);
    assert_true(err.text[0] != '\0');
    sn_json_names_init(&names, &small, 1);
    scope = sn_json_names_open(&names);
    for (int i = 0; i < 3; i++) {
        add(&scope, 0, 10);
        scope = sn_json_names_open(&names);
    }
    add(&scope, 0, 2);
    assert_int_equal(sn_json_names_add(&names, &scope, strings[2], &err), SN_ERR_LIMIT);
    sn_arena_release(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_are_found_with_and_without_the_index, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_empty_name_is_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(objects_do_not_see_each_others_names, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_objects_of_objects_take_linear_time, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_full_arena_is_a_limit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
