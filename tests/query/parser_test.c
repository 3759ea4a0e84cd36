/*
 * The parser as its callers see it: trees, limits, selectors, regexes, memory that runs out.
 */
#include "syntax_support.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void spans_point_into_the_text(void **state) {
    (void)state;
    struct syntax syntax;
    syntax_parse(&syntax, SN_STR("  sum by (a) (rate(foo{b=\"c\"}[5m] offset 1h )) + 1"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    const struct sn_node *root = syntax.expr.root;
    assert_int_equal(root->kind, SN_NODE_BINARY);
    assert_int_equal(root->span.start, 2);
    assert_int_equal(root->span.end, 50);
    const struct sn_node *call = root->binary.left->aggregate.child;
    assert_int_equal(call->kind, SN_NODE_CALL);
    const struct sn_node *matrix = call->call.args[0];
    assert_int_equal(matrix->kind, SN_NODE_MATRIX);
    struct sn_str shown = {syntax.expr.text.ptr + matrix->span.start,
                           matrix->span.end - matrix->span.start};
    assert_true(sn_str_equal(shown, SN_STR("foo{b=\"c\"}[5m] offset 1h")));
    syntax_release(&syntax);
}

static void the_tree_says_what_the_query_says(void **state) {
    (void)state;
    struct syntax syntax;
    syntax_parse(&syntax, SN_STR("topk without (x) (3, foo{a!=\"b\"} @ end() offset -5m)"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    const struct sn_node *root = syntax.expr.root;
    assert_int_equal(root->type, SN_VALUE_VECTOR);
    assert_int_equal(root->height, 2);
    const struct sn_aggregate_node *aggregate = &root->aggregate;
    assert_int_equal(aggregate->op, SN_AGGREGATE_TOPK);
    assert_true(aggregate->is_without && aggregate->labels.count == 1);
    assert_true(aggregate->param->number.value == 3);
    const struct sn_vector_node *vector = &aggregate->child->vector;
    assert_true(sn_str_equal(vector->name, SN_STR("foo")));
    assert_int_equal(vector->matcher_count, 2);
    assert_int_equal(vector->matchers[0].kind, SN_MATCH_NOT_EQUAL);
    assert_true(sn_str_equal(vector->matchers[1].name, SN_LABEL_METRIC_NAME));
    assert_int_equal(vector->shift.at, SN_AT_END);
    assert_int_equal(vector->shift.offset.ms, -300000);
    syntax_release(&syntax);
}

static void set_operators_match_many_to_many(void **state) {
    (void)state;
    struct syntax syntax;
    syntax_parse(&syntax, SN_STR("a and on (x) b"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    assert_int_equal(syntax.expr.root->binary.match.card, SN_CARD_MANY_TO_MANY);
    syntax_release(&syntax);
}

static void matching_is_forgotten_beside_a_scalar(void **state) {
    (void)state;
    struct syntax syntax;
    syntax_parse(&syntax, SN_STR("a + ignoring () group_left (x) 1"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    assert_int_equal(syntax.expr.root->binary.match.card, SN_CARD_ONE_TO_ONE);
    assert_int_equal(syntax.expr.root->binary.match.include.count, 0);
    syntax_release(&syntax);
}

static struct sn_str repeat(struct sn_buf *buf, const char *before, const char *piece, size_t count,
                            const char *after) {
    sn_buf_reset(buf);
    sn_buf_put_text(buf, before);
    for (size_t i = 0; i < count; i++) {
        sn_buf_put_text(buf, piece);
    }
    sn_buf_put_text(buf, after);
    return sn_buf_str(buf);
}

static sn_status status_of(struct sn_str text) {
    struct syntax syntax;
    syntax_parse(&syntax, text, &syntax_all);
    sn_status status = syntax.status;
    syntax_release(&syntax);
    return status;
}

static void nesting_has_a_limit(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(status_of(repeat(&buf, "", "-", SN_QUERY_DEPTH_MAX - 1, "foo")), SN_OK);
    assert_int_equal(status_of(repeat(&buf, "", "-", SN_QUERY_DEPTH_MAX, "foo")), SN_ERR_LIMIT);
    assert_int_equal(status_of(repeat(&buf, "foo[", "-", SN_QUERY_DEPTH_MAX, "5m]")), SN_ERR_LIMIT);
    assert_int_equal(status_of(repeat(&buf, "", "(", 50000, "")), SN_ERR_LIMIT);
    sn_buf_release(&buf);
}

static void height_has_a_limit(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(status_of(repeat(&buf, "a", " or a", SN_QUERY_HEIGHT_MAX - 1, "")), SN_OK);
    assert_int_equal(status_of(repeat(&buf, "a", " or a", SN_QUERY_HEIGHT_MAX, "")), SN_ERR_LIMIT);
    sn_buf_release(&buf);
}

static void length_has_a_limit(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(status_of(repeat(&buf, "", " ", SN_QUERY_BYTES_MAX - 1, "1")), SN_OK);
    assert_int_equal(status_of(repeat(&buf, "", " ", SN_QUERY_BYTES_MAX, "1")), SN_ERR_LIMIT);
    sn_buf_release(&buf);
}

static void matchers_have_a_limit(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    assert_int_equal(status_of(repeat(&buf, "foo{", "a=\"b\",", SN_MATCHERS_MAX - 1, "}")), SN_OK);
    assert_int_equal(status_of(repeat(&buf, "foo{", "a=\"b\",", SN_MATCHERS_MAX, "}")),
                     SN_ERR_LIMIT);
    sn_buf_release(&buf);
}

static void the_arena_bounds_memory(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_expr expr;
    struct sn_err err = {0};
    struct sn_buf buf;
    sn_arena_init(&arena, SN_ARENA_BLOCK_BYTES);
    sn_buf_init(&buf, 0);
    struct sn_str text = repeat(&buf, "a", " or a", SN_QUERY_HEIGHT_MAX - 1, "");
    assert_int_equal(sn_expr_parse(text, NULL, &arena, &expr, &err), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "limit"));
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void an_empty_text_has_no_position(void **state) {
    (void)state;
    assert_refused("", "unknown position: parse error: no expression found in input");
    assert_refused(" ", "1:1: parse error: no expression found in input");
}

static sn_status select_status(const char *text, struct sn_err *err) {
    struct sn_arena arena;
    struct sn_expr expr;
    sn_arena_init(&arena, 0);
    sn_status status = sn_expr_parse_selector(sn_str_from(text), &arena, &expr, err);
    if (status == SN_OK) {
        assert_int_equal(expr.root->kind, SN_NODE_VECTOR);
    }
    sn_arena_release(&arena);
    return status;
}

static void selectors_stand_alone(void **state) {
    (void)state;
    struct sn_err err = {0};
    static const char *const good[] = {
        "foo",   "foo{a=\"b\"}",       "{a=\"b\"}", "{\"foo.bar\"}",
        "a:b{}", "{__name__=~\".+\"}", "sum",       "foo{__name__=\"x\"}"};
    static const char *const bad[] = {
        "",   "foo[5m]", "foo offset 5m", "foo @ 1", "1",     "foo + 1",     "{",
        "on", "(foo)",   "\"foo\"",       "foo(",    "atan2", "group_left{}"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_int_equal(select_status(good[i], &err), SN_OK);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_equal(select_status(bad[i], &err), SN_ERR_INVALID);
    }
    assert_int_equal(select_status("{}", &err), SN_ERR_INVALID);
    assert_string_equal(err.text, "match[] must contain at least one non-empty matcher");
}

static void regexes_work_after_compiling(void **state) {
    (void)state;
    struct syntax syntax;
    syntax_parse(&syntax, SN_STR("foo{a=~\"b.*\"} + bar{c!~\"d|e\", f=~\"[0-9]+\"}"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    assert_int_equal(syntax.expr.regex_count, 3);
    assert_false(sn_matcher_passes(syntax.expr.regex_matchers[0], SN_STR("bc")));
    assert_int_equal(sn_expr_compile(&syntax.expr, NULL), SN_OK);
    assert_int_equal(sn_expr_compile(&syntax.expr, NULL), SN_OK); /* again: nothing happens */
    assert_true(sn_matcher_passes(syntax.expr.regex_matchers[0], SN_STR("bc")));
    assert_false(sn_matcher_passes(syntax.expr.regex_matchers[0], SN_STR("cb")));
    assert_false(sn_matcher_passes(syntax.expr.regex_matchers[1], SN_STR("e")));
    assert_true(sn_matcher_passes(syntax.expr.regex_matchers[1], SN_STR("")));
    assert_true(sn_matcher_passes(syntax.expr.regex_matchers[2], SN_STR("42")));
    assert_int_equal(sn_expr_regex_status(&syntax.expr, NULL), SN_OK);
    sn_expr_release(&syntax.expr);
    assert_false(sn_matcher_passes(syntax.expr.regex_matchers[0], SN_STR("bc")));
    syntax_release(&syntax);
}

static void a_regex_that_gives_up_is_reported(void **state) {
    (void)state;
    struct syntax syntax;
    struct sn_err err = {0};
    syntax_parse(&syntax, SN_STR("foo{a=~\"(x+x+)+y\"}"), NULL);
    assert_int_equal(syntax.status, SN_OK);
    assert_int_equal(sn_expr_compile(&syntax.expr, NULL), SN_OK);
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    struct sn_str text = repeat(&buf, "", "x", 2000, "yz");
    assert_false(sn_matcher_passes(syntax.expr.regex_matchers[0], text));
    assert_int_equal(sn_expr_regex_status(&syntax.expr, &err), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "steps"));
    sn_buf_release(&buf);
    syntax_release(&syntax);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        int64_t before = sn_mem_block_count();
        struct syntax syntax;
        struct sn_err err = {0};
        sn_mem_fail_nth(n);
        syntax_parse(&syntax, SN_STR("sum(foo{a=~\"b|c\", d=~\"e[^x]+\"}) + bar{a=~\"x.*y\"}"),
                     NULL);
        sn_status status = syntax.status;
        if (status == SN_OK) {
            status = sn_expr_compile(&syntax.expr, &err);
        }
        bool is_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_true(status == SN_OK || status == SN_ERR_NO_MEMORY);
        syntax_release(&syntax);
        assert_int_equal(sn_mem_block_count(), before);
        if (!is_fired) {
            assert_int_equal(status, SN_OK);
            assert_true(n > 5);
            break;
        }
    }
}

static int64_t resolved(const char *text, bool must_be_positive, sn_status *ret_status,
                        struct sn_err *err) {
    struct syntax syntax;
    int64_t ms = -1;
    syntax_parse(&syntax, sn_str_from(text), &syntax_all);
    assert_int_equal(syntax.status, SN_OK);
    const struct sn_node *root = syntax.expr.root;
    struct sn_duration duration =
        root->kind == SN_NODE_MATRIX ? root->matrix.range : root->vector.shift.offset;
    *ret_status = sn_duration_resolve(
        &syntax.expr, duration,
        &(struct sn_duration_context){
            .step_ms = 10000, .range_ms = 60000, .must_be_positive = must_be_positive},
        &ms, err);
    syntax_release(&syntax);
    return ms;
}

static void durations_resolve_with_step_and_range(void **state) {
    (void)state;
    sn_status status;
    struct sn_err err = {0};
    assert_int_equal(resolved("foo[5m]", true, &status, &err), 300000);
    assert_int_equal(resolved("foo[step() * 2]", true, &status, &err), 20000);
    assert_int_equal(resolved("foo[range() - 1s]", true, &status, &err), 59000);
    assert_int_equal(resolved("foo[2 ^ 3 ^ 2]", true, &status, &err), 512000);
    assert_int_equal(resolved("foo[min_of(7, 3) + max_of(1s, 2s) % 5]", true, &status, &err), 5000);
    assert_int_equal(resolved("foo[-2 ^ 2 + 5]", true, &status, &err), 1000);
    assert_int_equal(resolved("foo[+(2s)]", true, &status, &err), 2000);
    assert_int_equal(resolved("foo offset -(step())", false, &status, &err), -10000);
    assert_int_equal(resolved("foo offset 0.0001", false, &status, &err), 1);
    (void)resolved("foo[step() - 1h]", true, &status, &err);
    assert_int_equal(status, SN_ERR_INVALID);
    assert_string_equal(err.text, "1:5: parse error: duration must be greater than 0");
    (void)resolved("foo[1s / (step() - 10)]", true, &status, &err);
    assert_string_equal(err.text, "1:5: parse error: division by zero");
    (void)resolved("foo[1s % (step() - 10)]", true, &status, &err);
    assert_string_equal(err.text, "1:5: parse error: modulo by zero");
    (void)resolved("foo[10 ^ step()]", true, &status, &err);
    assert_string_equal(err.text, "1:5: parse error: duration is out of range");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spans_point_into_the_text),
        cmocka_unit_test(the_tree_says_what_the_query_says),
        cmocka_unit_test(set_operators_match_many_to_many),
        cmocka_unit_test(matching_is_forgotten_beside_a_scalar),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(height_has_a_limit),
        cmocka_unit_test(length_has_a_limit),
        cmocka_unit_test(matchers_have_a_limit),
        cmocka_unit_test(the_arena_bounds_memory),
        cmocka_unit_test(an_empty_text_has_no_position),
        cmocka_unit_test(selectors_stand_alone),
        cmocka_unit_test(regexes_work_after_compiling),
        cmocka_unit_test(a_regex_that_gives_up_is_reported),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(durations_resolve_with_step_and_range),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
