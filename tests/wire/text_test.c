/* The text reader: the cases of data/text.test, spans, limits of one line, escapes. */
#include "wire/text.h"

#include "base/mem.h"
#include "text_support.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- data/text.test ---- */

static void every_case_of_the_data_file_holds(void **state) {
    (void)state;
    assert_true(text_run_data_file(false, "text.test") > 90);
}

/* ---- by hand ---- */

static void a_nul_inside_a_value_is_kept(void **state) {
    (void)state;
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    sn_text_reader_init(&reader, SN_STR("a{b=\"\0x\"} 1\n"));
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_true(sn_str_equal(entry.labels[0].value.raw, SN_STR("\0x")));
}

static void the_series_is_given_as_it_is_written(void **state) {
    (void)state;
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    sn_text_reader_init(&reader, SN_STR("a { b = \"1\", } 2\nc 3\n{\"d.e\"} 4\n"));
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_true(sn_str_equal(entry.series, SN_STR("a { b = \"1\", }")));
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_true(sn_str_equal(entry.series, SN_STR("c")));
    assert_int_equal(sn_text_reader_line(&reader), 2);
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_true(sn_str_equal(entry.series, SN_STR("{\"d.e\"}")));
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_TEXT_END);
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_TEXT_END);
}

static void a_start_belongs_to_the_next_sample(void **state) {
    (void)state;
    const int64_t expected[] = {0, 5, 0, 8, 9, 0};
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    sn_text_reader_init(&reader, SN_STR("a 1\n# SONDE_START 5\nb 2\nc 3\n"
                                        "# SONDE_START 7\n# TYPE d counter\n#\tSONDE_START  8 \n"
                                        "d 4\n# SONDE_START 9\n# SONDE_START x\n"
                                        "# SONDE_START -1\n# SONDE_STARTS 3\n#SONDE_START 2\n"
                                        "e 5\n# SONDE_START \nf 6\n# SONDE_START 4"));
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
        do
            assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
        while (entry.kind != SN_TEXT_SAMPLE);
        assert_true(entry.value == (double)(i + 1));
        assert_int_equal(entry.start_ms, expected[i]);
    }
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_TEXT_END);
}

static void a_failure_comes_again_and_writes_no_entry(void **state) {
    (void)state;
    struct sn_text_reader reader;
    struct sn_text_entry entry = {.kind = SN_TEXT_HELP};
    struct sn_err first = {.status = SN_OK};
    struct sn_err second = {.status = SN_OK};
    sn_text_reader_init(&reader, SN_STR("\n a{b=\"1\"} x\n"));
    assert_int_equal(sn_text_reader_next(&reader, &entry, &first), SN_ERR_INVALID);
    assert_int_equal(sn_text_reader_next(&reader, &entry, &second), SN_ERR_INVALID);
    assert_string_equal(first.text, second.text);
    assert_string_equal(first.text, "line 2, column 11: this value is not a number");
    assert_int_equal(entry.kind, SN_TEXT_HELP);
}

static void a_value_over_two_lines_is_counted_in_later_places(void **state) {
    (void)state;
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    struct sn_err err = {.status = SN_OK};
    sn_text_reader_init(&reader, SN_STR("a{b=\"1\n2\"} 1\nc x\n"));
    assert_int_equal(sn_text_reader_next(&reader, &entry, &err), SN_OK);
    assert_true(sn_str_equal(entry.labels[0].value.raw, SN_STR("1\n2")));
    assert_int_equal(sn_text_reader_next(&reader, &entry, &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "line 3, column 3: this value is not a number");
}

/* A page of one sample with `count` labels. */
static char *page_with_labels(size_t count, size_t *ret_len) {
    char *page = malloc(count * 16 + 16);
    assert_non_null(page);
    size_t len = 0;
    page[len++] = 'a';
    page[len++] = '{';
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(page + len, 16, "n%zu=\"\",", i);
    }
    memcpy(page + len, "} 1\n", 4);
    *ret_len = len + 4;
    return page;
}

static void labels_beyond_the_limit_are_counted_and_not_kept(void **state) {
    (void)state;
    static const size_t counts[] = {SN_LABELS_MAX, SN_LABELS_MAX + 1, 1000000};
    for (size_t i = 0; i < 3; i++) {
        size_t len;
        char *page = page_with_labels(counts[i], &len);
        struct sn_text_reader reader;
        struct sn_text_entry entry;
        sn_text_reader_init(&reader, sn_str_make(page, len));
        assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
        assert_int_equal(entry.label_count, counts[i]);
        assert_true(sn_str_equal(entry.labels[127].name.raw, SN_STR("n127")));
        free(page);
    }
}

static void names_of_any_length_are_read(void **state) {
    (void)state;
    size_t len = 65536;
    char *page = malloc(len + 3);
    assert_non_null(page);
    memset(page, 'a', len);
    memcpy(page + len, " 1\n", 3);
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    sn_text_reader_init(&reader, sn_str_make(page, len + 3));
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.metric_name.raw.len, len);
    free(page);
}

static void every_cut_of_a_page_is_a_page_or_a_refusal(void **state) {
    (void)state;
    static const char page[] =
        "# HELP a x\\n\n# TYPE a gauge\n{\"a\\\"\",b=\"\\\\\"} 1.5 12\nc 1\n";
    for (size_t len = 0; len < sizeof page - 1; len++) {
        char *exact = malloc(len + (len == 0));
        assert_non_null(exact);
        memcpy(exact, page, len);
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_status status = text_render(sn_str_make(exact, len), &buf, NULL);
        assert_true(status == SN_OK || status == SN_ERR_INVALID);
        assert_true(status == SN_OK || (len > 0 && exact[len - 1] != '\n'));
        sn_buf_release(&buf);
        free(exact);
    }
}

static void escapes_need_memory_and_say_when_there_is_none(void **state) {
    (void)state;
    struct sn_text_span span = {SN_STR("a\\nb"), SN_TEXT_QUOTED_ESCAPES};
    struct sn_arena arena;
    struct sn_str text;
    sn_arena_init(&arena, 0);
    sn_mem_fail_nth(1);
    sn_status status = sn_text_resolve(span, &arena, &text, NULL);
    if (sn_mem_fail_fired()) {
        assert_int_equal(status, SN_ERR_NO_MEMORY);
    }
    sn_mem_fail_nth(0);
    assert_int_equal(sn_text_resolve(span, &arena, &text, NULL), SN_OK);
    assert_true(sn_str_equal(text, SN_STR("a\nb")));
    sn_arena_release(&arena);
    sn_arena_init(&arena, 2);
    assert_int_equal(sn_text_resolve(span, &arena, &text, NULL), SN_ERR_LIMIT);
    span.escapes = SN_TEXT_NO_ESCAPES;
    assert_int_equal(sn_text_resolve(span, &arena, &text, NULL), SN_OK);
    assert_ptr_equal(text.ptr, span.raw.ptr);
    sn_arena_release(&arena);
}

static void the_locale_of_the_host_changes_nothing(void **state) {
    (void)state;
    struct sn_text_reader reader;
    struct sn_text_entry entry;
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is not installed the test is still true */
    sn_text_reader_init(&reader, SN_STR("a 1.5\nb 1,5\n"));
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_OK);
    assert_true(entry.value == 1.5);
    assert_int_equal(sn_text_reader_next(&reader, &entry, NULL), SN_ERR_INVALID);
    (void)setlocale(LC_ALL, "C");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_data_file_holds),
        cmocka_unit_test(a_nul_inside_a_value_is_kept),
        cmocka_unit_test(the_series_is_given_as_it_is_written),
        cmocka_unit_test(a_start_belongs_to_the_next_sample),
        cmocka_unit_test(a_failure_comes_again_and_writes_no_entry),
        cmocka_unit_test(a_value_over_two_lines_is_counted_in_later_places),
        cmocka_unit_test(labels_beyond_the_limit_are_counted_and_not_kept),
        cmocka_unit_test(names_of_any_length_are_read),
        cmocka_unit_test(every_cut_of_a_page_is_a_page_or_a_refusal),
        cmocka_unit_test(escapes_need_memory_and_say_when_there_is_none),
        cmocka_unit_test(the_locale_of_the_host_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
