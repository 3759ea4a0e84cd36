/* Results of queries as tables: what the columns are, what a terminal is spared, what is refused. */
#include "app/query_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define ANSWER(data, more) "{\"status\":\"success\",\"data\":{\"resultType\":" data "}" more "}"

static struct sn_buf out, notes;
static struct sn_err err;

static sn_status print(struct sn_str document) {
    sn_buf_release(&out);
    sn_buf_release(&notes);
    sn_buf_init(&out, 0);
    sn_buf_init(&notes, 0);
    return sn_query_text_table(document, &out, &notes, &err);
}

static void assert_table(const char *document, const char *table, const char *remarks) {
    if (print(sn_str_from(document)) != SN_OK)
        fail_msg("%s", err.text);
    sn_buf_put_byte(&out, '\0');
    sn_buf_put_byte(&notes, '\0');
    assert_string_equal((const char *)out.ptr, table);
    assert_string_equal((const char *)notes.ptr, remarks);
}

static void a_vector_has_a_column_per_label(void **state) {
    (void)state;
    assert_table(ANSWER("\"vector\",\"result\":["
                        "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"value\":[1.5,\"1\"]},"
                        "{\"metric\":{\"__name__\":\"up\",\"job\":\"long\\u00fc\",\"zone\":\"z\"},"
                        "\"value\":[1.5,\"NaN\"]}]",
                        ""),
                 "METRIC  JOB    ZONE  VALUE\n"
                 "up      a            1\n"
                 "up      long\xc3\xbc  z     NaN\n",
                 "");
    assert_table(ANSWER("\"vector\",\"result\":[{\"metric\":{},\"value\":[1,\"2\"]}]", ""),
                 "VALUE\n2\n", "");
    assert_table(ANSWER("\"vector\",\"result\":[]", ""), "", "");
}

static void a_range_has_a_column_of_times(void **state) {
    (void)state;
    assert_table(ANSWER("\"matrix\",\"result\":[{\"metric\":{\"a\":\"b\"},\"values\":"
                        "[[0,\"1\"],[60.5,\"2\"]]}]",
                        ""),
                 "A  TIME                      VALUE\n"
                 "b  1970-01-01T00:00:00.000Z  1\n"
                 "b  1970-01-01T00:01:00.500Z  2\n",
                 "");
}

static void histograms_are_told_by_count_and_sum(void **state) {
    (void)state;
    assert_table(ANSWER("\"vector\",\"result\":[{\"metric\":{},\"histogram\":[1,{\"count\":\"3\","
                        "\"sum\":\"5.5\",\"buckets\":[[0,\"1\",\"2\",\"3\"]]}]}]",
                        ""),
                 "VALUE\ncount:3 sum:5.5\n", "");
}

static void numbers_and_texts_stand_alone(void **state) {
    (void)state;
    assert_table(ANSWER("\"scalar\",\"result\":[1,\"2\"]", ""), "2\n", "");
    assert_table(ANSWER("\"string\",\"result\":[1,\"x y\"]", ""), "x y\n", "");
}

static void remarks_are_kept_apart(void **state) {
    (void)state;
    assert_table(ANSWER("\"scalar\",\"result\":[1,\"2\"]",
                        ",\"warnings\":[\"w\\u001b[1m\"],\"infos\":[\"i\"]"),
                 "2\n", "w?[1m\ni\n");
}

static void a_terminal_gets_no_control_characters(void **state) {
    (void)state;
    assert_table(
        ANSWER("\"vector\",\"result\":[{\"metric\":{\"a\":\"\\u001b]0;x\\u0007\\u009b\\n\"},"
               "\"value\":[1,\"2\"]}]",
               ""),
        "A         VALUE\n?]0;x???  2\n", "");
}

static void what_is_no_answer_is_refused(void **state) {
    (void)state;
    static const struct sn_str documents[] = {
        SN_STR(""),
        SN_STR("<html>"),
        SN_STR("[]"),
        SN_STR("{}"),
        SN_STR("{\"data\":5}"),
        SN_STR("{\"data\":{\"result\":{}}}"),
        SN_STR("{\"data\":{\"result\":[{\"values\":[[]]}]}}"),
    };
    for (size_t i = 0; i < sizeof documents / sizeof documents[0]; i++)
        assert_int_equal(print(documents[i]), SN_ERR_INVALID);
}

static void too_many_columns_are_refused(void **state) {
    (void)state;
    struct sn_buf text;
    sn_buf_init(&text, 0);
    sn_buf_put_text(&text, "{\"data\":{\"result\":[{\"metric\":{");
    for (int i = 0; i <= SN_QUERY_LABELS_MAX; i++)
        sn_buf_printf(&text, "%s\"l%d\":\"\"", i > 0 ? "," : "", i);
    sn_buf_put_text(&text, "},\"value\":[1,\"2\"]}]}}");
    assert_int_equal(print(sn_buf_str(&text)), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "use --json"));
    sn_buf_release(&text);
}

static int release(void **state) {
    (void)state;
    sn_buf_release(&out);
    sn_buf_release(&notes);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_vector_has_a_column_per_label),
        cmocka_unit_test(a_range_has_a_column_of_times),
        cmocka_unit_test(histograms_are_told_by_count_and_sum),
        cmocka_unit_test(numbers_and_texts_stand_alone),
        cmocka_unit_test(remarks_are_kept_apart),
        cmocka_unit_test(a_terminal_gets_no_control_characters),
        cmocka_unit_test(what_is_no_answer_is_refused),
        cmocka_unit_test(too_many_columns_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, release);
}
