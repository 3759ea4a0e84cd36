/* Lists of targets in JSON and YAML. */
#include "collect/target_file.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct sn_pair origin = {"__meta_filepath", "/t"};
static struct sn_arena arena;
static struct sn_err err;

static sn_status parse(bool is_json, struct sn_str text, struct sn_target_group_list *ret_groups) {
    sn_arena_release(&arena);
    sn_arena_init(&arena, SN_TARGET_FILE_MEMORY_MAX);
    err = (struct sn_err){.status = SN_OK};
    return sn_target_file_parse(text, is_json, origin, &arena, ret_groups, &err);
}

/* target,target{name=value,...} per group */
static void expect(bool is_json, const char *text, const char *expected) {
    struct sn_target_group_list groups;
    struct sn_buf buf = {.len = 0};
    if (parse(is_json, sn_str_from(text), &groups) != SN_OK)
        fail_msg("%s: %s", text, err.text);
    for (size_t i = 0; i < groups.count; i++) {
        const struct sn_target_group *group = &groups.items[i];
        for (size_t k = 0; k < group->targets.count; k++)
            sn_buf_printf(&buf, "%s%s", k > 0 ? "," : "", group->targets.items[k]);
        sn_buf_put_text(&buf, "{");
        for (size_t k = 0; k < group->labels.count; k++)
            sn_buf_printf(&buf, "%s%s=%s", k > 0 ? "," : "", group->labels.items[k].name,
                          group->labels.items[k].value);
        sn_buf_put_text(&buf, "}");
    }
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, expected);
    sn_buf_release(&buf);
    sn_arena_release(&arena);
}

static void groups_are_read(void **state) {
    (void)state;
    expect(true,
           "[{\"targets\":[\"a:1\",\"b:2\",\"c:3\"],\"labels\":{\"x\":\"y\",\"z\":\"\"}},"
           "{\"targets\":[\"d\"],\"labels\":null}]",
           "a:1,b:2,c:3{x=y,z=,__meta_filepath=/t}d{__meta_filepath=/t}");
    expect(true, "[]", "");
    expect(false, "- targets: ['a:1', b:2]\n  labels:\n    x: y\n    n: 5\n- targets: [c]\n",
           "a:1,b:2{x=y,n=5,__meta_filepath=/t}c{__meta_filepath=/t}");
    expect(false, "[{\"targets\": [\"a\"]}]", "a{__meta_filepath=/t}");
    expect(false, "- targets:\n  labels:\n", "{__meta_filepath=/t}");
    expect(false, "", "");
    expect(false, "# nothing\n", "");
}

static void what_is_no_list_is_refused(void **state) {
    (void)state;
    const struct {
        bool is_json;
        const char *text, *words;
    } cases[] = {
        {true, "", "expected"},
        {true, "{}", "array"},
        {true, "[1]", "object"},
        {true, "[{\"targets\":1}]", "array"},
        {true, "[{\"targets\":[1]}]", "string"},
        {true, "[{\"labels\":{\"a\":1}}]", "string"},
        {true, "[{\"labels\":{\"\":\"a\"}}]", "without a name"},
        {true, "[{\"target\":[]}]", "expected \"targets\" or \"labels\""},
        {true, "[{\"targets\":[\"a\\u0000\"]}]", "NUL"},
        {true, "[{\"targets\":[\"a\"]}] x", "x"},
        {false, "a: b\n", "line 1: expected a list"},
        {false, "- a\n", "line 1: expected a map"},
        {false, "- targets: a\n", "line 1: targets: expected a list"},
        {false, "- targets: [[a]]\n", "a target is a text"},
        {false, "- labels: [a]\n", "labels: expected a map"},
        {false, "- labels: {a: [b]}\n", "a label is a text"},
        {false, "- targts: [a]\n", "expected \"targets\" or \"labels\""},
        {false, "- targets: [\n", "line 2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sn_target_group_list groups;
        sn_status status = parse(cases[i].is_json, sn_str_from(cases[i].text), &groups);
        if (status != SN_ERR_INVALID || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: %s", cases[i].text, err.text);
    }
    sn_arena_release(&arena);
}

static void a_list_has_a_limit(void **state) {
    (void)state;
    struct sn_target_group_list groups;
    char *text = calloc(1, SN_TARGET_FILE_BYTES_MAX + 1);
    memset(text, ' ', SN_TARGET_FILE_BYTES_MAX + 1);
    memcpy(text, "[]", 2);
    assert_int_equal(parse(true, sn_str_make(text, SN_TARGET_FILE_BYTES_MAX), &groups), SN_OK);
    assert_int_equal(parse(true, sn_str_make(text, SN_TARGET_FILE_BYTES_MAX + 1), &groups),
                     SN_ERR_LIMIT);
    free(text);
    sn_arena_release(&arena);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    for (int is_json = 0; is_json < 2; is_json++)
        for (uint64_t n = 1;; n++) {
            struct sn_target_group_list groups;
            sn_mem_fail_nth(n);
            sn_status status = parse(
                is_json, SN_STR("[{\"targets\":[\"a\",\"b\"],\"labels\":{\"x\":\"y\"}}]"), &groups);
            bool has_fired = sn_mem_fail_fired();
            sn_mem_fail_nth(0);
            assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
            if (!has_fired)
                break;
        }
    sn_arena_release(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_read),
        cmocka_unit_test(what_is_no_list_is_refused),
        cmocka_unit_test(a_list_has_a_limit),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
