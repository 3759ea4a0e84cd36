/*
 * The two forms of a tree as text. What queries print as is data: syntax_test.c.
 */
#include "syntax_support.h"

#include "base/mem.h"
#include "query/printer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_pretty(const char *text, const char *expected) {
    struct syntax syntax;
    syntax_parse(&syntax, sn_str_from(text), &syntax_all);
    if (syntax.status != SN_OK) {
        fail_msg("%s: %s", text, syntax.err.text);
    }
    assert_string_equal(syntax_pretty(&syntax), expected);
    syntax_release(&syntax);
}

#define NAME_48 "a_metric_with_a_rather_long_name_that_fills_line"
#define NAME_100                                                                                   \
    "a_metric_with_a_name_of_just_one_hundred_bytes_which_is_what_a_line_may_hold_before_it_is_broken_up_"

static void a_line_holds_100_bytes(void **state) {
    (void)state;
    assert_int_equal(strlen(NAME_100), 100);
    assert_pretty("sum(" NAME_100 ")", "sum(\n  " NAME_100 "\n)");
    assert_pretty(NAME_48 " + " NAME_48 " ", NAME_48 " + " NAME_48);
    assert_pretty(NAME_48 " + a" NAME_48 " ", NAME_48 " + a" NAME_48);
    assert_pretty(NAME_48 " + ab" NAME_48, "  " NAME_48 "\n+\n  ab" NAME_48);
}

static void every_kind_of_node_breaks(void **state) {
    (void)state;
    assert_pretty("topk by (x) (5, rate(" NAME_100 "[5m]))",
                  "topk by (x) (\n  5,\n  rate(\n    " NAME_100 "[5m]\n  )\n)");
    assert_pretty("(" NAME_100 " == bool on (a) " NAME_48 ")",
                  "(\n    " NAME_100 "\n  == bool on (a)\n    " NAME_48 "\n)");
    assert_pretty("label_join(" NAME_100 ", \"a\", \",\")",
                  "label_join(\n  " NAME_100 ",\n  \"a\",\n  \",\"\n)");
    assert_pretty("-sum(" NAME_100 ")", "-sum(\n  " NAME_100 "\n)");
    assert_pretty("1 + -(" NAME_100 ")", "  1\n+\n  -(\n    " NAME_100 "\n  )");
    assert_pretty("rate(" NAME_100 "[5m])[1h:5m] offset 1m",
                  "rate(\n  " NAME_100 "[5m]\n)[1h:5m] offset 1m");
    assert_pretty(NAME_100 "{a=\"b\"}", NAME_100 "{a=\"b\"}");
}

static void a_subquery_that_fits_is_not_indented(void **state) {
    (void)state;
    assert_pretty("max_over_time(foo[1h:5m]) + " NAME_100,
                  "  max_over_time(foo[1h:5m])\n+\n  " NAME_100);
    assert_pretty("predict_linear(" NAME_48 "[1h:5m], scalar(" NAME_48 "))",
                  "predict_linear(\n" NAME_48 "[1h:5m],\n  scalar(" NAME_48 ")\n)");
}

static void operators_have_names(void **state) {
    (void)state;
    for (int op = 0; op < SN_BINARY_OP_COUNT; op++) {
        assert_true(sn_binary_op_name((enum sn_binary_op)op)[0] != '\0');
    }
    for (int op = 0; op < SN_AGGREGATE_OP_COUNT; op++) {
        assert_true(sn_aggregate_op_name((enum sn_aggregate_op)op)[0] != '\0');
    }
    assert_string_equal(sn_binary_op_name(SN_BINARY_TRIM_LOWER), ">/");
    assert_string_equal(sn_aggregate_op_name(SN_AGGREGATE_LIMIT_RATIO), "limit_ratio");
}

static void failing_allocations_end_in_the_buffer(void **state) {
    (void)state;
    struct syntax syntax;
    syntax_parse(&syntax, SN_STR("sum(foo{a=\"b\",c=\"d\"}) + sum(" NAME_100 ")"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_mem_fail_nth(n);
        sn_node_print_pretty(syntax.expr.root, &buf);
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(buf.status, is_fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_buf_release(&buf);
        assert_int_equal(sn_mem_block_count(), before);
        if (!is_fired) {
            assert_true(n > 3);
            break;
        }
    }
    syntax_release(&syntax);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_holds_100_bytes),
        cmocka_unit_test(every_kind_of_node_breaks),
        cmocka_unit_test(a_subquery_that_fits_is_not_indented),
        cmocka_unit_test(operators_have_names),
        cmocka_unit_test(failing_allocations_end_in_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
