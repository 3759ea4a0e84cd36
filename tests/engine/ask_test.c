/* Expressions from text, and rows by name. */
#include "engine/ask.h"

#include "base/mem.h"
#include "query/parser.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* What was asked; answers nothing. */
struct asked {
    char text[256]; /* the beginning */
    size_t len;
    struct sn_range range;
    int64_t step_ms;
    sn_status status;
};

static sn_status answer(void *ctx, const struct sn_query *query, struct sn_arena *arena,
                        struct sn_query_result *ret_result, struct sn_err *err) {
    struct asked *asked = ctx;
    (void)arena;
    asked->len = query->expression.len;
    (void)snprintf(asked->text, sizeof asked->text, "%.*s", SN_STR_ARG(query->expression));
    asked->range = query->range;
    asked->step_ms = query->step_ms;
    if (asked->status != SN_OK)
        return sn_err_set(err, asked->status, "no");
    *ret_result = (struct sn_query_result){.series_count = 0};
    return SN_OK;
}

static void expressions_are_put_together(void **state) {
    (void)state;
    struct asked asked = {.status = SN_OK};
    struct sn_query_result result;
    struct sn_err err = {.status = SN_OK};
    const struct sn_ask ask = {.querier = {&asked, answer}, .err = &err};
    assert_int_equal(sn_ask_at(&ask, 5, &result, "up{x=%s}[%dms]", "\"y\"", 7), SN_OK);
    assert_string_equal(asked.text, "up{x=\"y\"}[7ms]");
    assert_int_equal(asked.range.start_ms, 5);
    assert_int_equal(asked.range.end_ms, 5);
    assert_int_equal(asked.step_ms, 0);
    const struct sn_range range = {1, 9};
    asked.status = SN_ERR_TIMEOUT;
    assert_int_equal(sn_ask_over(&ask, range, 4, &result, "up"), SN_ERR_TIMEOUT);
    assert_int_equal(asked.range.end_ms, 9);
    assert_int_equal(asked.step_ms, 4);
}

static void an_expression_has_a_limit(void **state) {
    (void)state;
    struct asked asked = {.status = SN_OK};
    struct sn_query_result result;
    struct sn_err err = {.status = SN_OK};
    const struct sn_ask ask = {.querier = {&asked, answer}, .err = &err};
    assert_int_equal(sn_ask_at(&ask, 5, &result, "%*d", (int)SN_ASK_EXPRESSION_BYTES_MAX, 1),
                     SN_OK);
    assert_int_equal(asked.len, SN_ASK_EXPRESSION_BYTES_MAX);
    assert_int_equal(sn_ask_at(&ask, 5, &result, "%*d", (int)SN_ASK_EXPRESSION_BYTES_MAX + 1, 1),
                     SN_ERR_LIMIT);
}

static void text_is_quoted_whole(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_string_equal(sn_ask_quote(&arena, SN_STR("a\"b\\c\nd")), "\"a\\\"b\\\\c\\nd\"");
    assert_string_equal(sn_ask_quote(&arena, SN_STR("")), "\"\"");
    const struct sn_str texts[] = {SN_STR("a.b"), SN_STR("c|d\"\\"), SN_STR("e")};
    assert_string_equal(sn_ask_quote_any(&arena, texts, 3), "\"a\\\\.b|c\\\\|d\\\"\\\\\\\\|e\"");
    sn_arena_release(&arena);
    sn_arena_init(&arena, 8);
    assert_null(sn_ask_quote(&arena, SN_STR("0123456789")));
    assert_null(sn_ask_quote_any(&arena, texts, 3));
    sn_arena_release(&arena);
}

/* PromQL takes it, and reads the same text out of it. */
static void assert_reads_as(const char *quoted, const char *operator, struct sn_str text) {
    char selector[128];
    struct sn_arena arena;
    struct sn_expr expr;
    struct sn_err err = {.status = SN_OK};
    assert_non_null(quoted);
    (void)snprintf(selector, sizeof selector, "x{service%s%s}", operator, quoted);
    sn_arena_init(&arena, 0);
    if (sn_expr_parse_selector(sn_str_from(selector), &arena, &expr, &err) != SN_OK)
        fail_msg("%s: %s", selector, err.text);
    assert_true(sn_str_equal(expr.root->vector.matchers[0].value, text));
    sn_arena_release(&arena);
}

static void a_nul_in_a_name_does_not_end_the_expression(void **state) {
    (void)state;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    struct sn_str text = SN_STR("a\0b\\");
    assert_string_equal(sn_ask_quote(&arena, text), "\"a\\x00b\\\\\"");
    assert_reads_as(sn_ask_quote(&arena, text), "=", text);
    assert_reads_as(sn_ask_quote_any(&arena, &text, 1), "=~", SN_STR("a\0b\\\\"));
    sn_arena_release(&arena);
}

static void times_that_are_none_are_zero(void **state) {
    (void)state;
    assert_int_equal(sn_ask_time_ms(1.5), 1500);
    assert_int_equal(sn_ask_time_ms(0), 0);
    assert_int_equal(sn_ask_time_ms(-1), 0);
    assert_int_equal(sn_ask_time_ms(1e300), 0);
    assert_int_equal(sn_ask_time_ms((double)NAN), 0);
}

static void names_get_numbers_in_order_of_arrival(void **state) {
    (void)state;
    struct sn_row_index index;
    size_t at = 9;
    sn_row_index_init(&index, 2);
    assert_int_equal(sn_row_index_add(&index, SN_STR("a"), &at), SN_OK);
    assert_int_equal(at, 0);
    assert_int_equal(sn_row_index_add(&index, SN_STR(""), &at), SN_OK);
    assert_int_equal(at, 1);
    assert_int_equal(sn_row_index_add(&index, SN_STR("a"), &at), SN_OK);
    assert_int_equal(at, 0);
    assert_int_equal(sn_row_index_add(&index, SN_STR("b"), &at), SN_ERR_LIMIT);
    assert_int_equal(index.count, 2);
    assert_int_equal(sn_row_index_find(&index, SN_STR("b")), SIZE_MAX);
    sn_row_index_release(&index);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expressions_are_put_together),
        cmocka_unit_test(an_expression_has_a_limit),
        cmocka_unit_test(text_is_quoted_whole),
        cmocka_unit_test(a_nul_in_a_name_does_not_end_the_expression),
        cmocka_unit_test(times_that_are_none_are_zero),
        cmocka_unit_test(names_get_numbers_in_order_of_arrival),
    };
    return cmocka_run_group_tests_name("ask", tests, NULL, NULL);
}
