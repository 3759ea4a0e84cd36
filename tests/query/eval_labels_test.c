#include "eval_support.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define LABELS(fixture, ...)                                                                       \
    eval_fixture_labels(fixture, (const char *const[]){__VA_ARGS__},                               \
                        sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *) / 2)

static int setup(void **state) {
    *state = test_malloc(sizeof(struct eval_fixture));
    eval_fixture_init(*state);
    return 0;
}

static int teardown(void **state) {
    eval_fixture_release(*state);
    test_free(*state);
    return 0;
}

static void assert_text(struct eval_fixture *fixture, struct sn_labels labels, const char *text) {
    assert_string_equal(sn_eval_labels_text(&fixture->eval, labels), text);
}

static void the_identity_of_a_metric_is_dropped_wherever_it_stands(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_labels labels;
    assert_int_equal(
        sn_labels_drop_name(&fixture->eval, LABELS(fixture, "__name__", "m", "a", "1"), &labels),
        SN_OK);
    assert_text(fixture, labels, "{a=\"1\"}");
    assert_int_equal(sn_labels_drop_name(&fixture->eval,
                                         LABELS(fixture, "A", "0", "__name__", "m", "__type__",
                                                "counter", "__unit__", "s", "a", "1"),
                                         &labels),
                     SN_OK);
    assert_text(fixture, labels, "{A=\"0\", a=\"1\"}");
    assert_int_equal(sn_labels_drop_name(&fixture->eval, LABELS(fixture, "a", "1"), &labels),
                     SN_OK);
    assert_text(fixture, labels, "{a=\"1\"}");
}

static void a_label_is_set_replaced_and_removed_in_its_place(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_labels labels = LABELS(fixture, "a", "1", "c", "3");
    struct sn_labels changed;
    struct sn_label label = {SN_STR("b"), SN_STR("2")};
    assert_int_equal(sn_labels_set(&fixture->eval, labels, label, &changed), SN_OK);
    assert_text(fixture, changed, "{a=\"1\", b=\"2\", c=\"3\"}");
    label.name = SN_STR("c");
    assert_int_equal(sn_labels_set(&fixture->eval, labels, label, &changed), SN_OK);
    assert_text(fixture, changed, "{a=\"1\", c=\"2\"}");
    label = (struct sn_label){SN_STR("a"), {NULL, 0}};
    assert_int_equal(sn_labels_set(&fixture->eval, labels, label, &changed), SN_OK);
    assert_text(fixture, changed, "{c=\"3\"}");
    label.name = SN_STR("zz");
    assert_int_equal(sn_labels_set(&fixture->eval, labels, label, &changed), SN_OK);
    assert_text(fixture, changed, "{a=\"1\", c=\"3\"}");
}

static void filtering_keeps_or_removes_names(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_str name = SN_STR("a");
    struct sn_names names = {&name, 1};
    struct sn_label items[3];
    struct sn_labels labels = LABELS(fixture, "__name__", "m", "a", "1", "b", "2");
    assert_text(fixture, sn_labels_filter(labels, names, true, items), "{a=\"1\"}");
    assert_text(fixture, sn_labels_filter(labels, names, false, items), "{b=\"2\"}");
}

static void a_table_numbers_distinct_sets_through_growth(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_label_table table = {.count = 0};
    char text[300][8];
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < 300; i++) {
            size_t number;
            bool is_new;
            (void)snprintf(text[i], sizeof text[i], "%zu", i);
            struct sn_label item = {SN_STR("a"), sn_str_from(text[i])};
            struct sn_labels labels = {&item, 1};
            assert_int_equal(
                sn_label_table_put(&fixture->eval, &table, labels, true, &number, &is_new), SN_OK);
            assert_int_equal(number, i);
            assert_int_equal(is_new, round == 0);
            assert_int_equal(sn_label_table_find(&fixture->eval, &table, labels), i);
        }
    }
    struct sn_labels none = {.count = 0};
    assert_int_equal(sn_label_table_find(&fixture->eval, &table, none), SIZE_MAX);
}

static void a_table_without_memory_says_so(void **state) {
    struct eval_fixture *fixture = *state;
    struct sn_label_table table = {.count = 0};
    struct sn_label item = {SN_STR("a"), SN_STR("1")};
    size_t number;
    bool is_new;
    sn_mem_fail_nth(1);
    assert_int_equal(sn_label_table_put(&fixture->eval, &table, (struct sn_labels){&item, 1}, true,
                                        &number, &is_new),
                     SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
    assert_int_equal(sn_label_table_find(&fixture->eval, &table, (struct sn_labels){&item, 1}),
                     SIZE_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_identity_of_a_metric_is_dropped_wherever_it_stands,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(a_label_is_set_replaced_and_removed_in_its_place, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(filtering_keeps_or_removes_names, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_numbers_distinct_sets_through_growth, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_table_without_memory_says_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
