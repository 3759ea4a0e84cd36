/* Relabelling: each action as a table of rules, labels before and labels after. */
#include "collect/relabel.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SOURCES(...)                                                                               \
    .source_labels = {(const char *[]){__VA_ARGS__},                                               \
                      sizeof((const char *[]){__VA_ARGS__}) / sizeof(const char *)}

struct draft_case {
    const char *before; /* a=1,b=2 */
    struct sn_relabel_rule rule;
    const char *after; /* sorted; NULL: dropped */
};

/* "a=1,b=2" into the draft, as it stands. */
static void read_draft(const char *text, struct sn_label_draft *draft) {
    struct sn_str rest = sn_str_from(text), item, name, value;
    draft->count = 0;
    while (rest.len > 0) {
        (void)sn_str_cut(rest, ',', &item, &rest);
        assert_true(sn_str_cut(item, '=', &name, &value));
        assert_int_equal(sn_label_draft_set(draft, name, value, NULL), SN_OK);
    }
}

static void write_draft(struct sn_label_draft *draft, struct sn_buf *buf) {
    struct sn_labels labels;
    assert_int_equal(sn_labels_make(draft->items, draft->count, &labels, NULL), SN_OK);
    for (size_t i = 0; i < labels.count; i++)
        sn_buf_printf(buf, "%s%.*s=%.*s", i > 0 ? "," : "", SN_STR_ARG(labels.items[i].name),
                      SN_STR_ARG(labels.items[i].value));
    sn_buf_put_byte(buf, '\0');
}

static sn_status run(const char *before, struct sn_relabel_rules *rules, struct sn_buf *buf,
                     bool *ret_is_kept) {
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    struct sn_label_draft *draft = calloc(1, sizeof *draft);
    draft->arena = &arena;
    read_draft(before, draft);
    sn_status status = sn_relabel(rules, draft, ret_is_kept, NULL);
    if (status == SN_OK && *ret_is_kept)
        write_draft(draft, buf);
    free(draft);
    sn_arena_release(&arena);
    return status;
}

static void check_case(const struct draft_case *c, size_t number) {
    struct sn_relabel_rule rule = c->rule;
    struct sn_relabel_rules rules = {&rule, 1};
    struct sn_buf buf = {.len = 0};
    struct sn_err err = {.status = SN_OK};
    bool is_kept = false;
    if (sn_relabel_rule_prepare(&rule, &err) != SN_OK)
        fail_msg("case %zu: %s", number, err.text);
    assert_int_equal(run(c->before, &rules, &buf, &is_kept), SN_OK);
    if (is_kept != (c->after != NULL) || (is_kept && strcmp((const char *)buf.ptr, c->after) != 0))
        fail_msg("case %zu: %s gives %s, wanted %s", number, c->before,
                 is_kept ? (const char *)buf.ptr : "(dropped)", c->after ? c->after : "(dropped)");
    sn_buf_release(&buf);
    sn_relabel_rules_release(&rules);
}

static void values_are_replaced_kept_and_dropped_as_in_prometheus(void **state) {
    (void)state;
    const struct draft_case cases[] = {
        /* replace */
        {"a=foo",
         {SOURCES("a"), .pattern = "f(.*)", .target_label = "d", .replacement = "ch${1}"},
         "a=foo,d=choo"},
        {"a=foo,b=bar",
         {SOURCES("a", "b"), .pattern = "f(.*);(.*)r", .target_label = "a",
          .replacement = "b${1}${2}m"},
         "a=boobam,b=bar"},
        {"a=foo,b=bar",
         {SOURCES("a", "b"), .separator = "-", .pattern = "(.*)-(.*)", .target_label = "c",
          .replacement = "$2$1"},
         "a=foo,b=bar,c=barfoo"},
        {"a=foo", {SOURCES("a"), .pattern = "oo", .target_label = "d"}, "a=foo"},
        {"a=foo", {SOURCES("a"), .target_label = "d"}, "a=foo,d=foo"},
        {"a=foo", {.target_label = "d", .replacement = "fix"}, "a=foo,d=fix"},
        {"a=foo,d=x", {SOURCES("none"), .target_label = "d"}, "a=foo"},
        {"a=foo", {SOURCES("a"), .target_label = "a", .replacement = ""}, ""},
        {"a=foo", {SOURCES("a"), .target_label = "x_${1}", .replacement = "y"}, "a=foo,x_foo=y"},
        {"a=foo",
         {SOURCES("a"), .pattern = "(?P<n>f).*", .target_label = "d", .replacement = "$n$$"},
         "a=foo,d=f$"},
        {"a=line\n2",
         {SOURCES("a"), .pattern = "line.2", .target_label = "d", .replacement = "two"},
         "a=line\n2,d=two"},
        /* keep, drop */
        {"a=foo", {.action = SN_RELABEL_KEEP, SOURCES("a"), .pattern = "foo|bar"}, "a=foo"},
        {"a=foo", {.action = SN_RELABEL_KEEP, SOURCES("a"), .pattern = "o"}, NULL},
        {"a=foo", {.action = SN_RELABEL_DROP, SOURCES("a"), .pattern = "f.*"}, NULL},
        {"a=foo", {.action = SN_RELABEL_DROP, SOURCES("b"), .pattern = "f.*"}, "a=foo"},
        {"a=foo", {.action = SN_RELABEL_DROP, SOURCES("b"), .pattern = ""}, NULL},
        /* keepequal, dropequal */
        {"a=1,b=1",
         {.action = SN_RELABEL_KEEP_EQUAL, SOURCES("a"), .target_label = "b"},
         "a=1,b=1"},
        {"a=1,b=2", {.action = SN_RELABEL_KEEP_EQUAL, SOURCES("a"), .target_label = "b"}, NULL},
        {"a=1,b=1", {.action = SN_RELABEL_DROP_EQUAL, SOURCES("a"), .target_label = "b"}, NULL},
        {"a=1,b=2",
         {.action = SN_RELABEL_DROP_EQUAL, SOURCES("a"), .target_label = "b"},
         "a=1,b=2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i], i);
}

static void names_hashes_and_cases_change_as_in_prometheus(void **state) {
    (void)state;
    /* Results of hashmod were computed with Prometheus' definition in Python. */
    const struct draft_case cases[] = {
        /* hashmod */
        {"c=baz",
         {.action = SN_RELABEL_HASHMOD, SOURCES("c"), .target_label = "d", .modulus = 1000},
         "c=baz,d=976"},
        {"i=host:9100",
         {.action = SN_RELABEL_HASHMOD, SOURCES("i"), .target_label = "s", .modulus = 8},
         "i=host:9100,s=3"},
        {"x=1",
         {.action = SN_RELABEL_HASHMOD, SOURCES("i"), .target_label = "s", .modulus = 7},
         "s=1,x=1"},
        {"a=a,b=b",
         {.action = SN_RELABEL_HASHMOD, SOURCES("a", "b"), .target_label = "s", .modulus = 5},
         "a=a,b=b,s=4"},
        /* labelmap, labeldrop, labelkeep */
        {"__meta_a_x=1,__meta_a_y=2,b=3",
         {.action = SN_RELABEL_LABELMAP, .pattern = "__meta_a_(.+)"},
         "__meta_a_x=1,__meta_a_y=2,b=3,x=1,y=2"},
        {"a1=x",
         {.action = SN_RELABEL_LABELMAP, .pattern = "a(.)", .replacement = "b_${1}"},
         "a1=x,b_1=x"},
        {"ab=1,ac=2,b=3", {.action = SN_RELABEL_LABELDROP, .pattern = "a.*"}, "b=3"},
        {"ab=1,ac=2,b=3", {.action = SN_RELABEL_LABELKEEP, .pattern = "a.*"}, "ab=1,ac=2"},
        /* lowercase, uppercase */
        {"a=FoO \xc3\x84\xd0\x96",
         {.action = SN_RELABEL_LOWERCASE, SOURCES("a"), .target_label = "a"},
         "a=foo \xc3\xa4\xd0\xb6"},
        {"a=foO \xc3\xa4\xce\xb1\xd0\xb6\xd1\x91\xe2\x82\xac",
         {.action = SN_RELABEL_UPPERCASE, SOURCES("a"), .target_label = "b"},
         "a=foO \xc3\xa4\xce\xb1\xd0\xb6\xd1\x91\xe2\x82\xac,"
         "b=FOO \xc3\x84\xce\x91\xd0\x96\xd0\x81\xe2\x82\xac"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check_case(&cases[i], i);
}

static void rules_are_applied_in_order_until_one_drops(void **state) {
    (void)state;
    struct sn_relabel_rule items[] = {
        {SOURCES("a"), .target_label = "b"},
        {.action = SN_RELABEL_KEEP, SOURCES("b"), .pattern = "1"},
        {.action = SN_RELABEL_LABELDROP, .pattern = "a"},
    };
    struct sn_relabel_rules rules = {items, 3};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(sn_relabel_rule_prepare(&items[i], NULL), SN_OK);
    struct sn_buf buf = {.len = 0};
    bool is_kept = false;
    assert_int_equal(run("a=1", &rules, &buf, &is_kept), SN_OK);
    assert_true(is_kept);
    assert_string_equal((const char *)buf.ptr, "b=1");
    assert_int_equal(run("a=2", &rules, &buf, &is_kept), SN_OK);
    assert_false(is_kept);
    sn_buf_release(&buf);
    sn_relabel_rules_release(&rules);
}

static void what_prometheus_refuses_is_refused(void **state) {
    (void)state;
    const struct {
        struct sn_relabel_rule rule;
        const char *words;
    } cases[] = {
        {{SOURCES("a")}, "replace needs a target_label"},
        {{.action = SN_RELABEL_HASHMOD, SOURCES("a"), .target_label = "b"}, "modulus"},
        {{.action = SN_RELABEL_HASHMOD, SOURCES("a"), .modulus = 2},
         "hashmod needs a target_label"},
        {{.action = SN_RELABEL_LOWERCASE, SOURCES("a")}, "lowercase needs"},
        {{.action = SN_RELABEL_UPPERCASE, SOURCES("a")}, "uppercase needs"},
        {{.action = SN_RELABEL_LABELDROP, SOURCES("a"), .pattern = "b"}, "labeldrop takes only"},
        {{.action = SN_RELABEL_LABELKEEP, .pattern = "b", .replacement = "c"},
         "labelkeep takes only"},
        {{.action = SN_RELABEL_LABELMAP, .pattern = "b", .replacement = ""}, "replacement"},
        {{.action = SN_RELABEL_KEEP_EQUAL, SOURCES("a")}, "keepequal needs a target_label"},
        {{.action = SN_RELABEL_DROP_EQUAL, SOURCES("a"), .target_label = "b", .pattern = "c"},
         "dropequal takes only"},
        {{.action = SN_RELABEL_KEEP, SOURCES("a"), .pattern = "("}, "missing closing"},
        {{.action = SN_RELABEL_KEEP, SOURCES("a"), .pattern = "(?=a)"}, "invalid"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_relabel_rule rule = cases[i].rule;
        struct sn_err err = {.status = SN_OK};
        if (sn_relabel_rule_prepare(&rule, &err) != SN_ERR_INVALID ||
            strstr(err.text, cases[i].words) == NULL)
            fail_msg("case %zu: \"%s\"", i, err.text);
    }
}

static void a_draft_has_a_limit(void **state) {
    (void)state;
    static char names[SN_LABEL_DRAFT_MAX + 1][8];
    struct sn_label_draft *draft = calloc(1, sizeof *draft);
    for (size_t i = 0; i <= SN_LABEL_DRAFT_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "l%u", (unsigned)(i % 100000));
        assert_int_equal(sn_label_draft_set(draft, sn_str_from(names[i]), SN_STR("x"), NULL),
                         i < SN_LABEL_DRAFT_MAX ? SN_OK : SN_ERR_LIMIT);
    }
    assert_int_equal(sn_label_draft_set(draft, SN_STR("l0"), SN_STR("y"), NULL), SN_OK);
    assert_int_equal(sn_label_draft_set(draft, SN_STR("l1"), SN_STR(""), NULL), SN_OK);
    assert_int_equal(draft->count, SN_LABEL_DRAFT_MAX - 1);
    free(draft);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    struct sn_relabel_rule items[] = {
        {SOURCES("a", "b"), .pattern = "(.*);(.*)", .target_label = "c", .replacement = "$2$1"},
        {.action = SN_RELABEL_HASHMOD, SOURCES("a"), .target_label = "d", .modulus = 3},
        {.action = SN_RELABEL_LABELMAP, .pattern = "(a)", .replacement = "x_$1"},
        {.action = SN_RELABEL_LOWERCASE, SOURCES("a"), .target_label = "e"},
    };
    struct sn_relabel_rules rules = {items, 4};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(sn_relabel_rule_prepare(&items[i], NULL), SN_OK);
    for (uint64_t n = 1;; n++) {
        struct sn_arena arena;
        struct sn_label_draft *draft = calloc(1, sizeof *draft);
        bool is_kept = false;
        sn_arena_init(&arena, 0);
        draft->arena = &arena;
        read_draft("a=A,b=2", draft);
        sn_mem_fail_nth(n);
        sn_status status = sn_relabel(&rules, draft, &is_kept, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        free(draft);
        sn_arena_release(&arena);
        if (!has_fired)
            break;
    }
    sn_relabel_rules_release(&rules);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_replaced_kept_and_dropped_as_in_prometheus),
        cmocka_unit_test(names_hashes_and_cases_change_as_in_prometheus),
        cmocka_unit_test(rules_are_applied_in_order_until_one_drops),
        cmocka_unit_test(what_prometheus_refuses_is_refused),
        cmocka_unit_test(a_draft_has_a_limit),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
