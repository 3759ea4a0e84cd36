/* Selecting series, names and values of labels by matchers. */
#include "store_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int setup(void **state) {
    struct test_store *test = calloc(1, sizeof *test);
    static const char *const metrics[] = {"cpu", "disk", "net"};
    static const char *const modes[] = {"idle", "user", ""};
    test_store_init(test);
    test_store_open(test);
    for (int m = 0; m < 3; m++) {
        for (int k = 0; k < 3; k++) {
            for (int host = 0; host < 4; host++) {
                struct sn_batch_builder builder;
                char name[16];
                struct sn_push_result result;
                (void)snprintf(name, sizeof name, "h%d", host);
                struct sn_str pairs[] = {SN_STR("host"), sn_str_from(name), SN_STR("mode"),
                                         sn_str_from(modes[k])};
                sn_batch_builder_init(&builder, 0);
                assert_int_equal(sn_batch_builder_add_pairs(&builder, sn_str_from(metrics[m]),
                                                            pairs, 2, TEST_NOW_MS, 1, NULL),
                                 SN_OK);
                struct sn_batch batch = sn_batch_builder_view(&builder);
                assert_int_equal(
                    sn_sink_push_wait(sn_store_sink(test->store), &batch, &result, NULL), SN_OK);
                sn_batch_builder_release(&builder);
            }
        }
    }
    *state = test;
    return 0;
}

static int teardown(void **state) {
    struct test_store *test = *state;
    test_store_release(test);
    free(test);
    return 0;
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* A pattern for tests: '.*' and '.+' by themselves, a prefix before '*', else the text itself. */
static bool match_pattern(const void *compiled, struct sn_str text) {
    struct sn_str pattern = sn_str_from(compiled);
    if (sn_str_equal(pattern, SN_STR(".*")))
        return true;
    if (sn_str_equal(pattern, SN_STR(".+")))
        return text.len > 0;
    if (sn_str_ends_with(pattern, SN_STR("*")))
        return sn_str_starts_with(text, sn_str_make(pattern.ptr, pattern.len - 1));
    return sn_str_equal(pattern, text);
}

static struct sn_matcher matcher(enum sn_match_kind kind, const char *name, const char *value) {
    bool is_regex = kind == SN_MATCH_REGEX || kind == SN_MATCH_NOT_REGEX;
    return (struct sn_matcher){.kind = kind,
                               .name = sn_str_from(name),
                               .value = sn_str_from(value),
                               .regex_match = is_regex ? match_pattern : NULL,
                               .compiled = is_regex ? value : NULL};
}

static struct sn_select select_of(const struct sn_matcher *matchers, size_t count) {
    return (struct sn_select){.matchers = matchers, .matcher_count = count, .range = TEST_ALL_TIME};
}

/* Run a selector; check order and that each result passes; return the count. */
static size_t count_of(struct test_store *test, const struct sn_matcher *matchers, size_t count) {
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_select select = select_of(matchers, count);
    struct sn_arena arena;
    struct sn_series_list list;
    sn_arena_init(&arena, 0);
    assert_int_equal(reader.select(reader.ctx, &select, &arena, &list, NULL), SN_OK);
    for (size_t i = 0; i < list.count; i++) {
        assert_true(sn_matchers_pass(matchers, count, list.items[i].labels));
        assert_true(i == 0 ||
                    sn_labels_compare(list.items[i - 1].labels, list.items[i].labels) < 0);
    }
    size_t found = list.count;
    sn_arena_release(&arena);
    return found;
}

static size_t count_two(struct test_store *test, struct sn_matcher a, struct sn_matcher b) {
    struct sn_matcher matchers[] = {a, b};
    return count_of(test, matchers, 2);
}

static void matchers_of_every_kind_give_exactly_the_series_that_pass(void **state) {
    struct test_store *test = *state;
    struct sn_matcher cpu = matcher(SN_MATCH_EQUAL, "__name__", "cpu");
    assert_int_equal(count_of(test, &cpu, 1), 12);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_EQUAL, "host", "h1")), 3);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_EQUAL, "host", "nobody")), 0);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_EQUAL, "mode", "")), 4);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_EQUAL, "missing", "")), 12);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_NOT_EQUAL, "mode", "idle")), 8);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_NOT_EQUAL, "mode", "")), 8);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_NOT_EQUAL, "missing", "x")), 12);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_REGEX, "mode", "i*")), 4);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_REGEX, "mode", ".*")), 12);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_REGEX, "mode", ".+")), 8);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_NOT_REGEX, "mode", "i*")), 8);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_NOT_REGEX, "mode", ".+")), 4);
    assert_int_equal(count_two(test, cpu, matcher(SN_MATCH_REGEX, "missing", ".+")), 0);
    struct sn_matcher any = matcher(SN_MATCH_REGEX, "__name__", ".+");
    assert_int_equal(count_of(test, &any, 1), 36);
    struct sn_matcher not_cpu = matcher(SN_MATCH_NOT_EQUAL, "__name__", "cpu");
    assert_int_equal(count_two(test, not_cpu, matcher(SN_MATCH_REGEX, "host", "h*")), 24);
}

static void a_selector_that_passes_everything_is_refused(void **state) {
    struct test_store *test = *state;
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_matcher all = matcher(SN_MATCH_REGEX, "__name__", ".*");
    struct sn_select selects[] = {select_of(NULL, 0), select_of(&all, 1)};
    for (int i = 0; i < 2; i++) {
        struct sn_arena arena;
        struct sn_series_list list;
        struct sn_err err;
        sn_arena_init(&arena, 0);
        assert_int_equal(reader.select(reader.ctx, &selects[i], &arena, &list, &err),
                         SN_ERR_INVALID);
        sn_arena_release(&arena);
    }
}

static void the_limit_of_series_holds_at_both_sides(void **state) {
    struct test_store *test = *state;
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_matcher cpu = matcher(SN_MATCH_EQUAL, "__name__", "cpu");
    struct sn_select select = select_of(&cpu, 1);
    struct sn_arena arena;
    struct sn_series_list list;
    struct sn_err err;
    sn_arena_init(&arena, 0);
    select.series_max = 12;
    assert_int_equal(reader.select(reader.ctx, &select, &arena, &list, NULL), SN_OK);
    select.series_max = 11;
    assert_int_equal(reader.select(reader.ctx, &select, &arena, &list, &err), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "11"));
    sn_arena_release(&arena);
}

static void expect_list(const struct sn_string_list *list, const char *const *expected,
                        size_t count) {
    assert_int_equal(list->count, count);
    for (size_t i = 0; i < count; i++)
        assert_true(sn_str_equal(list->items[i], sn_str_from(expected[i])));
}

static void names_and_values_are_sorted_and_filtered(void **state) {
    struct test_store *test = *state;
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_select all = select_of(NULL, 0);
    struct sn_matcher no_mode = matcher(SN_MATCH_EQUAL, "mode", "");
    struct sn_matcher cpu[] = {matcher(SN_MATCH_EQUAL, "__name__", "cpu"), no_mode};
    struct sn_select filtered = select_of(cpu, 2);
    struct sn_arena arena;
    struct sn_string_list list;
    sn_arena_init(&arena, 0);
    assert_int_equal(reader.label_names(reader.ctx, &all, 0, &arena, &list, NULL), SN_OK);
    expect_list(&list, (const char *const[]){"__name__", "host", "mode"}, 3);
    assert_int_equal(reader.label_names(reader.ctx, &filtered, 0, &arena, &list, NULL), SN_OK);
    expect_list(&list, (const char *const[]){"__name__", "host"}, 2);
    assert_int_equal(
        reader.label_values(reader.ctx, SN_STR("__name__"), &all, 0, &arena, &list, NULL), SN_OK);
    expect_list(&list, (const char *const[]){"cpu", "disk", "net"}, 3);
    assert_int_equal(
        reader.label_values(reader.ctx, SN_STR("__name__"), &filtered, 0, &arena, &list, NULL),
        SN_OK);
    expect_list(&list, (const char *const[]){"cpu"}, 1);
    assert_int_equal(
        reader.label_values(reader.ctx, SN_STR("mode"), &filtered, 0, &arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(reader.label_values(reader.ctx, SN_STR("host"), &all, 2, &arena, &list, NULL),
                     SN_OK);
    expect_list(&list, (const char *const[]){"h0", "h1"}, 2);
    assert_true(list.is_cut);
    assert_int_equal(
        reader.label_values(reader.ctx, SN_STR("missing"), &all, 0, &arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 0);
    sn_arena_release(&arena);
}

static void an_unknown_series_is_not_found(void **state) {
    struct test_store *test = *state;
    struct sn_reader reader = sn_store_reader(test->store);
    struct sn_samples samples;
    struct sn_err err;
    sn_samples_init(&samples);
    assert_int_equal(reader.samples(reader.ctx, 36, TEST_ALL_TIME, &samples, &err),
                     SN_ERR_NOT_FOUND);
    assert_int_equal(reader.samples(reader.ctx, 35, TEST_ALL_TIME, &samples, &err), SN_OK);
    assert_int_equal(samples.count, 1);
    sn_samples_release(&samples);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        CASE(matchers_of_every_kind_give_exactly_the_series_that_pass),
        CASE(a_selector_that_passes_everything_is_refused),
        CASE(the_limit_of_series_holds_at_both_sides),
        CASE(names_and_values_are_sorted_and_filtered),
        CASE(an_unknown_series_is_not_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
