/* Complaints about queries: the place is marked, the suggestion stands beside the mark. */
#include "app/query_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_complaint(struct sn_str expr, struct sn_str sentence, const char *expected) {
    struct sn_buf out;
    sn_buf_init(&out, 0);
    sn_query_text_complaint(expr, sentence, &out);
    sn_buf_put_byte(&out, '\0');
    assert_string_equal((const char *)out.ptr, expected);
    sn_buf_release(&out);
}

static void the_place_is_marked(void **state) {
    (void)state;
    assert_complaint(
        SN_STR("rat(up[5m])"),
        SN_STR("invalid parameter \"query\": 1:1: parse error: unknown function with name "
               "\"rat\", did you mean \"rate\"?"),
        "sonde: query: unknown function with name \"rat\" at 1:1\n"
        "  rat(up[5m])\n"
        "  ^^^  did you mean \"rate\"?\n");
    assert_complaint(SN_STR("up{"), SN_STR("1:4: parse error: unexpected end of input"),
                     "sonde: query: unexpected end of input at 1:4\n"
                     "  up{\n"
                     "     ^\n");
}

static void the_line_of_the_place_is_shown(void **state) {
    (void)state;
    assert_complaint(SN_STR("sum(\n  \xc3\xbc!\n)"), SN_STR("2:5: parse error: no"),
                     "sonde: query: no at 2:5\n"
                     "    \xc3\xbc!\n"
                     "     ^\n");
    assert_complaint(SN_STR("a"), SN_STR("9:9: parse error: no"),
                     "sonde: query: no at 9:9\n  \n  ^\n");
}

static void a_sentence_without_a_place_is_said_as_it_is(void **state) {
    (void)state;
    static const char *const sentences[] = {
        "the query took too long", "x: parse error: y",   ":1: parse error: y",
        "1:: parse error: y",      "0:1: parse error: y", "",
    };
    for (size_t i = 0; i < sizeof sentences / sizeof sentences[0]; i++) {
        struct sn_buf expected;
        sn_buf_init(&expected, 0);
        sn_buf_printf(&expected, "sonde: query: %s\n", sentences[i]);
        sn_buf_put_byte(&expected, '\0');
        assert_complaint(SN_STR("up"), sn_str_from(sentences[i]), (const char *)expected.ptr);
        sn_buf_release(&expected);
    }
}

static void what_a_terminal_would_act_upon_is_replaced(void **state) {
    (void)state;
    assert_complaint(SN_STR("\x1b[2J\xff"), SN_STR("1:1: parse error: bad \x07"),
                     "sonde: query: bad ? at 1:1\n"
                     "  ?[2J?\n"
                     "  ^\n");
    assert_int_equal(sn_query_text_width(SN_STR("a\xc3\xbc\xff")), 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_place_is_marked),
        cmocka_unit_test(the_line_of_the_place_is_shown),
        cmocka_unit_test(a_sentence_without_a_place_is_said_as_it_is),
        cmocka_unit_test(what_a_terminal_would_act_upon_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
