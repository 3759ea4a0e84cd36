/* Label sets: making, limits, canonical bytes, text. */
#include "model/labels.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct sn_label label(const char *name, const char *value) {
    return (struct sn_label){sn_str_from(name), sn_str_from(value)};
}

#define SET(...)                                                                                   \
    (struct sn_label[]) {                                                                          \
        __VA_ARGS__                                                                                \
    }

static struct sn_labels made(struct sn_label *items, size_t count) {
    struct sn_labels labels;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_labels_make(items, count, &labels, &err), SN_OK);
    return labels;
}

static void assert_str(struct sn_str actual, const char *expected) {
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

static void making_sorts_and_drops_empty_values(void **state) {
    (void)state;
    struct sn_labels labels = made(SET(label("job", "a"), label("empty", ""),
                                       label("__name__", "up"), label("az", "1"), label("a", "2")),
                                   5);
    assert_int_equal(labels.count, 4);
    assert_str(labels.items[0].name, "__name__");
    assert_str(labels.items[1].name, "a");
    assert_str(labels.items[2].name, "az");
    assert_str(labels.items[3].name, "job");
}

static void an_empty_set_is_valid(void **state) {
    (void)state;
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(NULL, 0, &labels, NULL), SN_OK);
    assert_int_equal(labels.count, 0);
}

static void order_is_that_of_unsigned_bytes(void **state) {
    (void)state;
    struct sn_labels labels =
        made(SET(label("\xc3\xa9", "1"), label("z", "2"), label("Z", "3")), 3);
    assert_str(labels.items[0].name, "Z");
    assert_str(labels.items[1].name, "z");
    assert_str(labels.items[2].name, "\xc3\xa9");
}

static void sorting_a_full_set_backwards_keeps_every_label(void **state) {
    (void)state;
    char names[SN_LABELS_MAX][8];
    struct sn_label items[SN_LABELS_MAX];
    for (int i = 0; i < SN_LABELS_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%03d", SN_LABELS_MAX - i);
        items[i] = label(names[i], names[i]);
    }
    struct sn_labels labels = made(items, SN_LABELS_MAX);
    assert_int_equal(labels.count, SN_LABELS_MAX);
    assert_int_equal(sn_labels_validate(labels, NULL), SN_OK);
    assert_str(sn_labels_get(labels, SN_STR("n001")), "n001");
    assert_str(sn_labels_get(labels, SN_STR("n128")), "n128");
}

static void bad_sets_are_refused_with_a_sentence(void **state) {
    (void)state;
    const struct {
        struct sn_label labels[2];
        sn_status status;
        const char *text;
    } cases[] = {
        {{label("a", "1"), label("a", "2")}, SN_ERR_INVALID, "label \"a\" is there twice"},
        {{label("a", "1"), label("", "2")}, SN_ERR_INVALID, "a label has an empty name"},
        {{label("a", "1"), label("b\xff", "2")},
         SN_ERR_INVALID,
         "a label name of 2 bytes is not UTF-8"},
        {{label("a", "1"), label("b", "\xc0\x80")},
         SN_ERR_INVALID,
         "value of label \"b\" is not UTF-8"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_label items[2] = {cases[i].labels[0], cases[i].labels[1]};
        struct sn_labels labels = {NULL, 77};
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(sn_labels_make(items, 2, &labels, &err), cases[i].status);
        assert_string_equal(err.text, cases[i].text);
        assert_int_equal(labels.count, 77);
    }
}

static void validate_refuses_what_make_would_repair(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    struct sn_labels unsorted = {SET(label("b", "1"), label("a", "1")), 2};
    assert_int_equal(sn_labels_validate(unsorted, &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "label \"a\" is not in sorted order");
    struct sn_labels empty = {SET(label("b", "")), 1};
    assert_int_equal(sn_labels_validate(empty, &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "label \"b\" has an empty value");
}

static char *filled(size_t len) {
    char *text = malloc(len + 1);
    assert_non_null(text);
    memset(text, 'x', len);
    text[len] = '\0';
    return text;
}

static sn_status make_one(size_t name_len, size_t value_len) {
    char *name = filled(name_len);
    char *value = filled(value_len);
    struct sn_label item = {sn_str_make(name, name_len), sn_str_make(value, value_len)};
    struct sn_labels labels;
    sn_status status = sn_labels_make(&item, 1, &labels, NULL);
    free(name);
    free(value);
    return status;
}

static void name_and_value_limits_hold_at_both_sides(void **state) {
    (void)state;
    assert_int_equal(make_one(SN_LABEL_NAME_BYTES_MAX, 1), SN_OK);
    assert_int_equal(make_one(SN_LABEL_NAME_BYTES_MAX + 1, 1), SN_ERR_LIMIT);
    assert_int_equal(make_one(1, SN_LABEL_VALUE_BYTES_MAX), SN_OK);
    assert_int_equal(make_one(1, SN_LABEL_VALUE_BYTES_MAX + 1), SN_ERR_LIMIT);
    assert_int_equal(make_one(65536, 1), SN_ERR_LIMIT);
}

static sn_status check_limits(const struct sn_label *given, size_t count,
                              struct sn_label_limits limits, struct sn_err *err) {
    struct sn_label items[4];
    struct sn_labels labels;
    struct sn_buf buf;
    memcpy(items, given, count * sizeof *items);
    sn_buf_init(&buf, 0);
    assert_int_equal(sn_labels_make(items, count, &labels, NULL), SN_OK);
    sn_labels_encode(labels, &buf);
    limits = sn_label_limits_fill(limits);
    sn_status status = sn_labels_check_limits(sn_buf_str(&buf), &limits, err);
    sn_buf_release(&buf);
    return status;
}

static void narrower_limits_hold_at_both_sides_and_say_which(void **state) {
    (void)state;
    const struct sn_label items[] = {label("__name__", "m"), label("abc", "value")};
    enum { BYTES = 1 + 4 + 8 + 1 + 4 + 3 + 5 };
    static const struct {
        struct sn_label_limits at, below;
        const char *sentence;
    } cases[] = {
        {{.count_max = 2}, {.count_max = 1}, "a series has 2 labels, the limit is 1"},
        {{.name_bytes_max = 8},
         {.name_bytes_max = 7},
         "label name \"__name__...\" has 8 bytes, the limit is 7"},
        {{.value_bytes_max = 5},
         {.value_bytes_max = 4},
         "value of label \"abc\" has 5 bytes, the limit is 4"},
        {{.bytes_max = BYTES},
         {.bytes_max = BYTES - 1},
         "labels of a series take 26 bytes, the limit is 25"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(check_limits(items, 2, cases[i].at, &err), SN_OK);
        assert_int_equal(check_limits(items, 2, cases[i].below, &err), SN_ERR_LIMIT);
        assert_string_equal(err.text, cases[i].sentence);
    }
}

static void limits_are_narrow_when_one_is(void **state) {
    (void)state;
    struct sn_label_limits none = sn_label_limits_fill((struct sn_label_limits){.count_max = 0});
    struct sn_label_limits wide = sn_label_limits_fill(
        (struct sn_label_limits){UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX});
    assert_memory_equal(&none, &wide, sizeof none);
    assert_int_equal(none.count_max, SN_LABELS_MAX);
    assert_int_equal(none.name_bytes_max, SN_LABEL_NAME_BYTES_MAX);
    assert_int_equal(none.value_bytes_max, SN_LABEL_VALUE_BYTES_MAX);
    assert_int_equal(none.bytes_max, SN_LABELS_BYTES_MAX);
    assert_false(sn_label_limits_are_narrow(&none));
    uint32_t *fields[] = {&none.count_max, &none.name_bytes_max, &none.value_bytes_max,
                          &none.bytes_max};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        --*fields[i];
        assert_true(sn_label_limits_are_narrow(&none));
        ++*fields[i];
    }
}

static void bytes_that_end_too_early_are_no_labels(void **state) {
    (void)state;
    static const char bytes[] = "\1\1\0a\1\0b";
    const struct sn_label_limits limits = {1, 1, 1, 8};
    struct sn_str all = sn_str_make(bytes, sizeof bytes - 1);
    assert_int_equal(sn_labels_check_limits(all, &limits, NULL), SN_OK);
    for (size_t len = 0; len < all.len; len++)
        assert_int_equal(sn_labels_check_limits(sn_str_make(bytes, len), &limits, NULL),
                         SN_ERR_CORRUPT);
}

static sn_status make_many(size_t count) {
    char(*names)[24] = malloc(count * sizeof *names);
    struct sn_label *items = malloc(count * sizeof *items);
    assert_non_null(names);
    assert_non_null(items);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof names[i], "n%zu", count - i);
        items[i] = label(names[i], "v");
    }
    struct sn_labels labels;
    sn_status status = sn_labels_make(items, count, &labels, NULL);
    free(items);
    free(names);
    return status;
}

static void count_limit_holds_at_both_sides_and_for_a_million(void **state) {
    (void)state;
    assert_int_equal(make_many(SN_LABELS_MAX), SN_OK);
    assert_int_equal(make_many(SN_LABELS_MAX + 1), SN_ERR_LIMIT);
    assert_int_equal(make_many(1000000), SN_ERR_LIMIT);
}

/* Canonical bytes of n values of 8000 bytes and one that fills up to `total`. */
static sn_status make_bytes(size_t total) {
    char *value = filled(SN_LABEL_VALUE_BYTES_MAX);
    struct sn_label items[5];
    size_t left = total - 1 - 5 * (4 + 1);
    for (size_t i = 0; i < 5; i++) {
        size_t len = left / (5 - i);
        items[i] = (struct sn_label){sn_str_make(&"abcde"[i], 1), sn_str_make(value, len)};
        left -= len;
    }
    struct sn_labels labels;
    sn_status status = sn_labels_make(items, 5, &labels, NULL);
    if (status == SN_OK) {
        struct sn_buf buf;
        sn_buf_init(&buf, SN_LABELS_BYTES_MAX);
        sn_labels_encode(labels, &buf);
        assert_int_equal(sn_buf_status(&buf, NULL), SN_OK);
        assert_int_equal(buf.len, total);
        assert_int_equal(sn_labels_hash(labels, 9), sn_hash_bytes(buf.ptr, buf.len, 9));
        sn_buf_release(&buf);
    }
    free(value);
    return status;
}

static void canonical_bytes_limit_holds_at_both_sides(void **state) {
    (void)state;
    assert_int_equal(make_bytes(SN_LABELS_BYTES_MAX), SN_OK);
    assert_int_equal(make_bytes(SN_LABELS_BYTES_MAX + 1), SN_ERR_LIMIT);
}

static void canonical_bytes_are_as_documented(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_labels_encode(made(SET(label("b", "xy"), label("a", "1")), 2), &buf);
    static const char expected[] = "\x02\x01\x00"
                                   "a\x01\x00"
                                   "1\x01\x00"
                                   "b\x02\x00"
                                   "xy";
    assert_int_equal(buf.len, sizeof expected - 1);
    assert_memory_equal(buf.ptr, expected, buf.len);
    sn_buf_release(&buf);
}

static void decoding_gives_back_what_was_encoded(void **state) {
    (void)state;
    struct sn_labels labels =
        made(SET(label("__name__", "up"), label("job", "node"), label("\xc3\xa9", "\n\"\\")), 3);
    struct sn_buf buf;
    struct sn_arena arena;
    struct sn_labels decoded;
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    sn_labels_encode(labels, &buf);
    assert_int_equal(sn_labels_decode(sn_buf_str(&buf), &arena, &decoded, NULL), SN_OK);
    assert_true(sn_labels_equal(labels, decoded));
    assert_int_equal(sn_labels_hash(labels, 5), sn_labels_hash(decoded, 5));
    assert_int_not_equal(sn_labels_hash(labels, 5), sn_labels_hash(labels, 6));
    for (size_t len = 0; len < buf.len; len++) {
        assert_int_equal(sn_labels_decode(sn_str_make(buf.ptr, len), &arena, &decoded, NULL),
                         SN_ERR_CORRUPT);
    }
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

static void corrupt_bytes_are_refused_with_a_sentence(void **state) {
    (void)state;
    const struct {
        struct sn_str bytes;
        const char *text;
    } cases[] = {
        {SN_STR(""), "label bytes have length 0, 1 to 32768 is possible"},
        {SN_STR("\x00x"), "label bytes have 1 bytes behind the last label"},
        {SN_STR("\x01\x01\x00"
                "a\xff\xff"),
         "label bytes end inside label 1 of 1"},
        {SN_STR("\x01\x00\x00\x01\x00x"), "label bytes break a rule: a label has an empty name"},
        {SN_STR("\x02\x01\x00"
                "b\x01\x00x\x01\x00"
                "a\x01\x00x"),
         "label bytes break a rule: label \"a\" is not in sorted order"},
    };
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_labels labels;
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(sn_labels_decode(cases[i].bytes, &arena, &labels, &err), SN_ERR_CORRUPT);
        assert_string_equal(err.text, cases[i].text);
    }
    sn_arena_release(&arena);
}

static void decoding_reports_no_memory_and_the_arena_limit(void **state) {
    (void)state;
    struct sn_str bytes = SN_STR("\x01\x01\x00"
                                 "a\x01\x00"
                                 "1");
    struct sn_arena arena;
    struct sn_labels labels;
    sn_arena_init(&arena, 0);
    sn_mem_fail_nth(1);
    sn_status status = sn_labels_decode(bytes, &arena, &labels, NULL);
    if (sn_mem_fail_fired()) {
        assert_int_equal(status, SN_ERR_NO_MEMORY);
    }
    sn_mem_fail_nth(0);
    sn_arena_release(&arena);
    sn_arena_init(&arena, 16);
    assert_int_equal(sn_labels_decode(bytes, &arena, &labels, NULL), SN_ERR_LIMIT);
    sn_arena_release(&arena);
}

static void get_finds_every_label_and_nothing_else(void **state) {
    (void)state;
    struct sn_labels labels = made(SET(label("a", "1"), label("b", "2"), label("c", "3")), 3);
    assert_str(sn_labels_get(labels, SN_STR("a")), "1");
    assert_str(sn_labels_get(labels, SN_STR("b")), "2");
    assert_str(sn_labels_get(labels, SN_STR("c")), "3");
    assert_null(sn_labels_get(labels, SN_STR("")).ptr);
    assert_null(sn_labels_get(labels, SN_STR("bb")).ptr);
    assert_null(sn_labels_get(labels, SN_STR("d")).ptr);
    assert_null(sn_labels_get((struct sn_labels){NULL, 0}, SN_STR("a")).ptr);
}

static void sets_are_ordered_pairwise_then_by_count(void **state) {
    (void)state;
    struct sn_labels a1 = made(SET(label("a", "1")), 1);
    struct sn_labels a2 = made(SET(label("a", "2")), 1);
    struct sn_labels b1 = made(SET(label("b", "1")), 1);
    struct sn_labels a1b1 = made(SET(label("a", "1"), label("b", "1")), 2);
    assert_true(sn_labels_compare(a1, a2) < 0);
    assert_true(sn_labels_compare(a2, b1) < 0);
    assert_true(sn_labels_compare(a1, a1b1) < 0);
    assert_true(sn_labels_compare(a1b1, a2) < 0);
    assert_true(sn_labels_compare(b1, a1) > 0);
    assert_int_equal(sn_labels_compare(a1, a1), 0);
    assert_false(sn_labels_equal(a1, a1b1));
}

static void a_copy_is_deep(void **state) {
    (void)state;
    char value[] = "one";
    struct sn_labels labels = made(SET(label("a", value), label("b", "2")), 2);
    struct sn_arena arena;
    struct sn_labels copy;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_labels_copy(labels, &arena, &copy), SN_OK);
    memset(value, 'x', 3);
    assert_str(sn_labels_get(copy, SN_STR("a")), "one");
    sn_arena_release(&arena);
    sn_mem_fail_nth(1);
    sn_status status = sn_labels_copy(labels, &arena, &copy);
    if (sn_mem_fail_fired()) {
        assert_int_equal(status, SN_ERR_NO_MEMORY);
    }
    sn_mem_fail_nth(0);
    sn_arena_release(&arena);
}

static void assert_formats(struct sn_labels labels, const char *expected) {
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    sn_labels_format(labels, &buf);
    assert_str(sn_buf_str(&buf), expected);
    sn_buf_release(&buf);
}

static void text_form_is_that_of_prometheus(void **state) {
    (void)state;
    assert_formats((struct sn_labels){NULL, 0}, "{}");
    assert_formats(made(SET(label("__name__", "up")), 1), "up");
    assert_formats(made(SET(label("job", "x"), label("__name__", "up"), label("B", "1")), 3),
                   "up{B=\"1\",job=\"x\"}");
    assert_formats(made(SET(label("a", "q\"b\\n\nend")), 1), "{a=\"q\\\"b\\\\n\\nend\"}");
    assert_formats(made(SET(label("__name__", "my.metric"), label("a.b", "1")), 2),
                   "{\"my.metric\",\"a.b\"=\"1\"}");
}

static void plain_names_are_those_of_the_old_rules(void **state) {
    (void)state;
    assert_true(sn_metric_name_is_plain(SN_STR("a:b_9")));
    assert_true(sn_metric_name_is_plain(SN_STR(":")));
    assert_false(sn_metric_name_is_plain(SN_STR("")));
    assert_false(sn_metric_name_is_plain(SN_STR("9a")));
    assert_false(sn_metric_name_is_plain(SN_STR("a.b")));
    assert_false(sn_metric_name_is_plain(SN_STR("\xc3\xa9")));
    assert_true(sn_label_name_is_plain(SN_STR("_A9")));
    assert_false(sn_label_name_is_plain(SN_STR("a:b")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(making_sorts_and_drops_empty_values),
        cmocka_unit_test(an_empty_set_is_valid),
        cmocka_unit_test(order_is_that_of_unsigned_bytes),
        cmocka_unit_test(sorting_a_full_set_backwards_keeps_every_label),
        cmocka_unit_test(bad_sets_are_refused_with_a_sentence),
        cmocka_unit_test(validate_refuses_what_make_would_repair),
        cmocka_unit_test(name_and_value_limits_hold_at_both_sides),
        cmocka_unit_test(narrower_limits_hold_at_both_sides_and_say_which),
        cmocka_unit_test(limits_are_narrow_when_one_is),
        cmocka_unit_test(bytes_that_end_too_early_are_no_labels),
        cmocka_unit_test(count_limit_holds_at_both_sides_and_for_a_million),
        cmocka_unit_test(canonical_bytes_limit_holds_at_both_sides),
        cmocka_unit_test(canonical_bytes_are_as_documented),
        cmocka_unit_test(decoding_gives_back_what_was_encoded),
        cmocka_unit_test(corrupt_bytes_are_refused_with_a_sentence),
        cmocka_unit_test(decoding_reports_no_memory_and_the_arena_limit),
        cmocka_unit_test(get_finds_every_label_and_nothing_else),
        cmocka_unit_test(sets_are_ordered_pairwise_then_by_count),
        cmocka_unit_test(a_copy_is_deep),
        cmocka_unit_test(text_form_is_that_of_prometheus),
        cmocka_unit_test(plain_names_are_those_of_the_old_rules),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
