/* Labels of OTLP attributes: text, joining, limits. The rest is seen through otlp_test.c. */
#include "ingest/otlp_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* Attributes with string values: AnyValue { string_value = 1 }. */
static void set(struct sn_otlp_attribute *item, const char *key, const char *value) {
    *item = (struct sn_otlp_attribute){sn_str_from(key), sn_str_from(value)};
}

static void attributes_are_labels_in_the_order_of_their_keys(void **state) {
    (void)state;
    struct sn_otlp_attribute items[4];
    struct sn_otlp_attributes attributes = {.items = items, .count = 4};
    struct sn_label labels[8];
    struct sn_arena arena;
    size_t count = 0;
    set(&items[0], "b.x",
        "\x0a\x01"
        "2");
    set(&items[1], "a",
        "\x0a\x01"
        "1");
    set(&items[2], "b-x",
        "\x0a\x01"
        "3");
    set(&items[3], "",
        "\x0a\x01"
        "4");
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_otlp_make_labels(&attributes, &arena, labels, 8, &count, NULL), SN_OK);
    assert_int_equal(count, 2);
    assert_true(sn_str_equal(labels[0].name, SN_STR("a")));
    assert_true(sn_str_equal(labels[1].name, SN_STR("b_x")));
    assert_true(sn_str_equal(labels[1].value, SN_STR("3;2")));
    sn_arena_release(&arena);
}

static void limits_hold_at_both_sides_of_the_boundary(void **state) {
    (void)state;
    static struct sn_otlp_attribute items[SN_OTLP_ATTRIBUTES_MAX];
    static struct sn_label labels[SN_OTLP_ATTRIBUTES_MAX];
    static char keys[SN_OTLP_ATTRIBUTES_MAX][8];
    struct sn_otlp_attributes attributes = {.items = items, .count = SN_OTLP_ATTRIBUTES_MAX};
    struct sn_arena arena;
    size_t count = 0;
    for (int i = 0; i < SN_OTLP_ATTRIBUTES_MAX; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "k%d", i);
        set(&items[i], keys[i], "");
    }
    sn_arena_init(&arena, 0);
    assert_int_equal(
        sn_otlp_make_labels(&attributes, &arena, labels, SN_OTLP_ATTRIBUTES_MAX, &count, NULL),
        SN_OK);
    assert_int_equal(count, SN_OTLP_ATTRIBUTES_MAX);
    count = 0;
    assert_int_equal(
        sn_otlp_make_labels(&attributes, &arena, labels, SN_OTLP_ATTRIBUTES_MAX - 1, &count, NULL),
        SN_ERR_LIMIT);
    attributes.count = SN_OTLP_ATTRIBUTES_MAX + 1;
    count = 0;
    assert_int_equal(
        sn_otlp_make_labels(&attributes, &arena, labels, SN_OTLP_ATTRIBUTES_MAX, &count, NULL),
        SN_ERR_LIMIT);
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(attributes_are_labels_in_the_order_of_their_keys),
        cmocka_unit_test(limits_hold_at_both_sides_of_the_boundary),
    };
    return cmocka_run_group_tests_name("otlp_labels", tests, NULL, NULL);
}
