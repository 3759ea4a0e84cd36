/* The OpenMetrics reader: the cases of data/openmetrics.test, spans, limits. */
#include "wire/openmetrics.h"

#include "text_support.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void every_case_of_the_data_file_holds(void **state) {
    (void)state;
    assert_true(text_run_data_file(true, "openmetrics.test") > 50);
}

static void escapes_of_help_are_those_of_labels(void **state) {
    (void)state;
    struct sn_openmetrics_reader reader;
    struct sn_text_entry entry;
    struct sn_arena arena;
    struct sn_str help;
    sn_arena_init(&arena, 0);
    sn_openmetrics_reader_init(&reader, SN_STR("# HELP a \\\"b\\\"\\n\n# EOF\n"));
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(sn_text_resolve(entry.help, &arena, &help, NULL), SN_OK);
    assert_true(sn_str_equal(help, SN_STR("\"b\"\n")));
    sn_arena_release(&arena);
}

static void the_end_stays_the_end(void **state) {
    (void)state;
    struct sn_openmetrics_reader reader;
    struct sn_text_entry entry;
    sn_openmetrics_reader_init(&reader, SN_STR("a 1\n# EOF\n"));
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, NULL), SN_OK);
    assert_int_equal(entry.kind, SN_TEXT_SAMPLE);
    assert_true(sn_str_equal(entry.series, SN_STR("a")));
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, NULL), SN_OK);
        assert_int_equal(entry.kind, SN_TEXT_END);
    }
}

static void a_failure_comes_again_and_writes_no_entry(void **state) {
    (void)state;
    struct sn_openmetrics_reader reader;
    struct sn_text_entry entry = {.kind = SN_TEXT_HELP};
    struct sn_err first = {.status = SN_OK}, second = {.status = SN_OK};
    sn_openmetrics_reader_init(&reader, SN_STR("a 1 # {b=\"c\"} x\n# EOF\n"));
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, &first), SN_ERR_INVALID);
    assert_int_equal(sn_openmetrics_reader_next(&reader, &entry, &second), SN_ERR_INVALID);
    assert_string_equal(first.text, second.text);
    assert_string_equal(first.text, "line 1, column 15: this is not a number");
    assert_int_equal(entry.kind, SN_TEXT_HELP);
}

static void an_exemplar_has_at_most_32_labels(void **state) {
    (void)state;
    for (size_t count = 32; count <= 33; count++) {
        static struct sn_openmetrics_reader reader;
        struct sn_text_entry entry;
        struct sn_buf page;
        struct sn_err err = {.status = SN_OK};
        sn_buf_init(&page, 0);
        sn_buf_put_text(&page, "a 1 # {");
        for (size_t i = 0; i < count; i++) {
            sn_buf_printf(&page, "%sl%zu=\"\"", i > 0 ? "," : "", i);
        }
        sn_buf_put_text(&page, "} 1\n# EOF\n");
        sn_openmetrics_reader_init(&reader, sn_buf_str(&page));
        sn_status status = sn_openmetrics_reader_next(&reader, &entry, &err);
        assert_int_equal(status, count == 32 ? SN_OK : SN_ERR_INVALID);
        if (status == SN_OK) {
            assert_int_equal(entry.exemplar->label_count, 32);
        } else {
            assert_non_null(strstr(err.text, "32 labels"));
        }
        sn_buf_release(&page);
    }
}

static void the_locale_of_the_host_changes_nothing(void **state) {
    (void)state;
    const char *changed = setlocale(LC_ALL, "de_DE.UTF-8");
    assert_true(text_run_data_file(true, "openmetrics.test") > 50);
    if (changed != NULL) {
        (void)setlocale(LC_ALL, "C");
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_of_the_data_file_holds),
        cmocka_unit_test(escapes_of_help_are_those_of_labels),
        cmocka_unit_test(the_end_stays_the_end),
        cmocka_unit_test(a_failure_comes_again_and_writes_no_entry),
        cmocka_unit_test(an_exemplar_has_at_most_32_labels),
        cmocka_unit_test(the_locale_of_the_host_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
