#include "syntax_support.h"

#include "query/printer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

const struct sn_parse_options syntax_all = {.has_experimental_functions = true,
                                            .has_duration_expressions = true,
                                            .has_extended_selectors = true,
                                            .has_fill = true};

void syntax_parse(struct syntax *syntax, struct sn_str text,
                  const struct sn_parse_options *options) {
    *syntax = (struct syntax){.status = SN_OK};
    sn_arena_init(&syntax->arena, 0);
    syntax->status = sn_expr_parse(text, options, &syntax->arena, &syntax->expr, &syntax->err);
}

void syntax_release(struct syntax *syntax) {
    if (syntax->status == SN_OK) {
        sn_expr_release(&syntax->expr);
    }
    sn_arena_release(&syntax->arena);
}

static const char *print(struct syntax *syntax,
                         void (*printer)(const struct sn_node *node, struct sn_buf *buf)) {
    struct sn_buf buf;
    struct sn_str copy = {0};
    sn_buf_init(&buf, 0);
    printer(syntax->expr.root, &buf);
    sn_buf_put_byte(&buf, 0);
    assert_int_equal(sn_buf_status(&buf, NULL), SN_OK);
    assert_true(sn_arena_copy(&syntax->arena, sn_buf_str(&buf), &copy));
    sn_buf_release(&buf);
    return copy.ptr;
}

const char *syntax_text(struct syntax *syntax) {
    return print(syntax, sn_node_print);
}

const char *syntax_pretty(struct syntax *syntax) {
    return print(syntax, sn_node_print_pretty);
}

void assert_prints(const char *text, const char *expected) {
    struct syntax syntax;
    syntax_parse(&syntax, sn_str_from(text), &syntax_all);
    if (syntax.status != SN_OK) {
        fail_msg("%s: %s", text, syntax.err.text);
    }
    assert_string_equal(syntax_text(&syntax), expected);
    syntax_release(&syntax);
}

void assert_refused(const char *text, const char *sentence) {
    struct syntax syntax;
    syntax_parse(&syntax, sn_str_from(text), NULL);
    if (syntax.status == SN_OK) {
        fail_msg("%s was accepted", text);
    }
    assert_string_equal(syntax.err.text, sentence);
    syntax_release(&syntax);
}
