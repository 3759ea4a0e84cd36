/* YAML by a table of keys: every type, every refusal and the place that it names. */
#include "app/schema.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- a table with every type ---- */

struct entry {
    int64_t number;
};

struct item {
    int64_t number;
    size_t line;
};

struct target {
    struct sn_schema_texts texts;
    struct sn_schema_list pairs, params, list;
    char parsed;
    const char *text;
    int64_t integer, duration, bytes;
    bool flag;
    int choice;
    struct entry entries[2];
    char names[2][16];
    size_t entry_count;
};

static const char *const choices[] = {"red", "green", NULL};

static const struct sn_schema_key entry_keys[] = {
    {"number", SN_SCHEMA_INTEGER, .offset = offsetof(struct entry, number), .min = 0, .max = 9},
};

static sn_status add_entry(void *target, struct sn_str name, struct sn_arena *arena,
                           const struct sn_schema_key **ret_children, size_t *ret_child_count,
                           void **ret_target, struct sn_err *err) {
    struct target *t = target;
    (void)arena;
    if (t->entry_count == 2)
        return sn_err_set(err, SN_ERR_LIMIT, "more than 2 entries");
    (void)memcpy(t->names[t->entry_count], name.ptr, name.len < 15 ? name.len : 15);
    *ret_children = entry_keys;
    *ret_child_count = 1;
    *ret_target = &t->entries[t->entry_count++];
    return SN_OK;
}

static const struct sn_schema_key item_keys[] = {
    {"number", SN_SCHEMA_INTEGER, .offset = offsetof(struct item, number), .min = 0, .max = 9},
    {.name = NULL},
};

static void begin_item(void *item, size_t line) {
    ((struct item *)item)->line = line;
}

static sn_status finish_item(void *item, struct sn_err *ret_err) {
    return ((struct item *)item)->number != 7 ? SN_OK
                                              : sn_err_set(ret_err, SN_ERR_INVALID, "not 7");
}

static sn_status parse_a(void *field, struct sn_str text, struct sn_err *ret_err) {
    if (!sn_str_equal(text, SN_STR("a")))
        return sn_err_set(ret_err, SN_ERR_INVALID, "not an a");
    *(char *)field = 'a';
    return SN_OK;
}

#define AT(member) .offset = offsetof(struct target, member)
static const struct sn_schema_key inner_keys[] = {
    {"bytes", SN_SCHEMA_BYTES, AT(bytes), .min = 1024, .max = 1 << 20},
    {"flag", SN_SCHEMA_BOOL, AT(flag)},
};
static const struct sn_schema_key keys[] = {
    {"text", SN_SCHEMA_TEXT, AT(text)},
    {"integer", SN_SCHEMA_INTEGER, AT(integer), .min = -5, .max = 10},
    {"duration", SN_SCHEMA_DURATION, AT(duration), .min = 1000, .max = 3600000},
    {"choice", SN_SCHEMA_CHOICE, AT(choice), .choices = choices},
    {"inner", SN_SCHEMA_MAP, .children = inner_keys, .child_count = 2},
    {"free", SN_SCHEMA_FREE_MAP, .entry = add_entry},
    {"texts", SN_SCHEMA_TEXTS, AT(texts)},
    {"pairs", SN_SCHEMA_PAIRS, AT(pairs)},
    {"params", SN_SCHEMA_PARAMS, AT(params)},
    {"list", SN_SCHEMA_LIST, AT(list), .item_size = sizeof(struct item), .children = item_keys,
     .begin = begin_item, .finish = finish_item},
    {"parsed", SN_SCHEMA_PARSED, AT(parsed), .parse = parse_a},
    {"kept", SN_SCHEMA_KEPT, .sentence = "means nothing"},
    {"never", SN_SCHEMA_REFUSED, .sentence = "is not supported"},
};

static struct sn_arena arena;
static struct target target;
static struct sn_err err;

static sn_status read_bytes(struct sn_str text) {
    sn_arena_reset(&arena);
    err = (struct sn_err){.status = SN_OK};
    memset(&target, 0, sizeof target);
    return sn_schema_read("f.yml", text, keys, sizeof keys / sizeof keys[0], &target, &arena, &err);
}

static sn_status read_text(const char *text) {
    return read_bytes(sn_str_from(text));
}

static void assert_refused(struct sn_str text, sn_status status, const char *sentence) {
    sn_status got = read_bytes(text);
    if (got != status || strcmp(err.text, sentence) != 0)
        fail_msg("%.*s: %s, \"%s\", wanted \"%s\"", SN_STR_ARG(text), sn_status_name(got), err.text,
                 sentence);
}

/* ---- what is read ---- */

static void every_type_is_read(void **state) {
    (void)state;
    assert_int_equal(read_text("text: hello world\ninteger: -5\nduration: 1m30s\nchoice: green\n"
                               "inner:\n  bytes: 64KiB\n  flag: yes\n"
                               "free:\n  a: {number: 3}\n  b:\n"),
                     SN_OK);
    assert_string_equal(target.text, "hello world");
    assert_int_equal(target.integer, -5);
    assert_int_equal(target.duration, 90000);
    assert_int_equal(target.choice, 1);
    assert_int_equal(target.bytes, 65536);
    assert_true(target.flag);
    assert_int_equal(target.entry_count, 2);
    assert_string_equal(target.names[0], "a");
    assert_int_equal(target.entries[0].number, 3);
    assert_int_equal(target.entries[1].number, 0);
}

static void lists_are_read(void **state) {
    (void)state;
    assert_int_equal(
        read_text("texts: [a, '', 3]\npairs: {x: 1, y: ''}\n"
                  "params:\n  p: [v, w]\n  q: []\n"
                  "list:\n- number: 3\n-\n- {number: 4}\nparsed: a\nkept: [{x: [1]}]\n"),
        SN_OK);
    assert_int_equal(target.texts.count, 3);
    assert_string_equal(target.texts.items[1], "");
    assert_string_equal(target.texts.items[2], "3");
    const struct sn_schema_pair *pairs = target.pairs.items;
    assert_int_equal(target.pairs.count, 2);
    assert_string_equal(pairs[0].name, "x");
    assert_string_equal(pairs[0].value, "1");
    assert_string_equal(pairs[1].value, "");
    const struct sn_schema_param *params = target.params.items;
    assert_int_equal(target.params.count, 2);
    assert_string_equal(params[0].values.items[1], "w");
    assert_int_equal(params[1].values.count, 0);
    const struct item *items = target.list.items;
    assert_int_equal(target.list.count, 3);
    assert_int_equal(items[0].number, 3);
    assert_int_equal(items[1].number, 0);
    assert_int_equal(items[2].number, 4);
    assert_int_equal(items[2].line, 9);
    assert_int_equal(target.parsed, 'a');
}

static void aliases_and_merge_keys_are_read(void **state) {
    (void)state;
    assert_int_equal(read_text("text: &x hello\npairs: {a: *x}\n"
                               "list:\n- &i {number: 3}\n- *i\n- <<: *i\n- {<<: *i, number: 5}\n"
                               "- {<<: [{number: 1}, {number: 2}]}\n"),
                     SN_OK);
    const struct sn_schema_pair *pairs = target.pairs.items;
    assert_string_equal(pairs[0].value, "hello");
    const struct item *items = target.list.items;
    assert_int_equal(target.list.count, 5);
    assert_int_equal(items[1].number, 3);
    assert_int_equal(items[2].number, 3);
    assert_int_equal(items[3].number, 5);
    assert_int_equal(items[4].number, 1);
}

static void a_file_cannot_grow_by_aliases(void **state) {
    (void)state;
    struct sn_buf buf = {.len = 0};
    sn_buf_put_text(&buf, "kept: &a0 [");
    for (int i = 0; i < 1000; i++)
        sn_buf_put_text(&buf, "x,");
    sn_buf_put_text(&buf, "]\nparams:\n");
    for (int i = 0; i < 300; i++)
        sn_buf_printf(&buf, "  p%d: *a0\n", i);
    assert_int_equal(read_bytes(sn_buf_str(&buf)), SN_ERR_LIMIT);
    assert_non_null(strstr(err.text, "more than 200000 values"));
    sn_buf_release(&buf);
    assert_int_equal(read_text("list: &l [*l]\n"), SN_ERR_INVALID);
    assert_int_equal(read_text("inner: &l {<<: *l}\n"), SN_ERR_LIMIT);
}

static void keys_that_are_not_used_are_warned_about(void **state) {
    (void)state;
    struct sn_buf warnings = {.len = 0};
    sn_arena_reset(&arena);
    memset(&target, 0, sizeof target);
    assert_int_equal(sn_schema_read_warned("f.yml", SN_STR("text: a\nkept: 1\n"), keys,
                                           sizeof keys / sizeof keys[0], &target, &arena, &warnings,
                                           &err),
                     SN_OK);
    sn_buf_put_byte(&warnings, '\0');
    assert_string_equal((const char *)warnings.ptr, "f.yml:2:1: kept: means nothing\n");
    sn_buf_release(&warnings);
}

static void nothing_said_changes_nothing(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "\n\n",
                                        "# only a comment\n",
                                        "---\n",
                                        "---\n...\n",
                                        "inner:\nfree:\ntext:\ninteger:\n",
                                        "{}",
                                        "%YAML 1.1\n---\n"};
    static const struct target untouched;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (read_text(texts[i]) != SN_OK)
            fail_msg("%s: %s", texts[i], err.text);
        assert_memory_equal(&target, &untouched, sizeof target);
    }
}

static void quotes_keep_text_as_it_is(void **state) {
    (void)state;
    assert_int_equal(read_text("text: ''\n"), SN_OK);
    assert_string_equal(target.text, "");
    assert_int_equal(read_text("text: \"a\\tb # c\"\n"), SN_OK);
    assert_string_equal(target.text, "a\tb # c");
    assert_int_equal(read_text("text: |\n  one\n  two\n"), SN_OK);
    assert_string_equal(target.text, "one\ntwo\n");
}

static void lines_may_end_as_on_windows(void **state) {
    (void)state;
    assert_int_equal(read_text("text: a\r\ninner:\r\n  flag: true\r\n"), SN_OK);
    assert_string_equal(target.text, "a");
    assert_true(target.flag);
    assert_int_equal(read_text("\xef\xbb\xbftext: b\n"), SN_OK);
    assert_string_equal(target.text, "b");
}

static void ranges_hold_at_both_sides(void **state) {
    (void)state;
    static const struct {
        const char *good;
        const char *bad;
        const char *sentence;
    } cases[] = {
        {"integer: -5", "integer: -6", "f.yml:1:10: integer: -6 is outside -5 to 10"},
        {"integer: 10", "integer: 11", "f.yml:1:10: integer: 11 is outside -5 to 10"},
        {"duration: 1s", "duration: 999ms", "f.yml:1:11: duration: 999ms is outside 1s to 1h"},
        {"duration: 1h", "duration: 61m", "f.yml:1:11: duration: 61m is outside 1s to 1h"},
        {"inner: {bytes: 1KiB}", "inner: {bytes: 1023}",
         "f.yml:1:16: bytes: 1023 is outside 1024 to 1048576"},
        {"inner: {bytes: 1MiB}", "inner: {bytes: 1048577}",
         "f.yml:1:16: bytes: 1048577 is outside 1024 to 1048576"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_text(cases[i].good), SN_OK);
        assert_refused(sn_str_from(cases[i].bad), SN_ERR_INVALID, cases[i].sentence);
    }
}

/* ---- what is refused ---- */

static void mistakes_are_named_with_their_place(void **state) {
    (void)state;
    static const struct {
        struct sn_str text;
        const char *sentence;
    } cases[] = {
        {SN_STR("\ntxet: a\n"), "f.yml:2:1: unknown key \"txet\", did you mean \"text\"?"},
        {SN_STR("inner:\n  flog: yes\n"),
         "f.yml:2:3: unknown key \"flog\", did you mean \"flag\"?"},
        {SN_STR("something: a\n"), "f.yml:1:1: unknown key \"something\""},
        {SN_STR("text: a\ninteger: 1\ntext: b\n"), "f.yml:3:1: key \"text\" stands here twice"},
        {SN_STR("free:\n  a:\n  a:\n"), "f.yml:3:3: key \"a\" stands here twice"},
        {SN_STR("free:\n  a: {nubmer: 1}\n"),
         "f.yml:2:7: unknown key \"nubmer\", did you mean \"number\"?"},
        {SN_STR("free:\n  a: 5\n"), "f.yml:2:6: free: expected a map of keys"},
        {SN_STR("free: [a]\n"), "f.yml:1:7: free: expected a map of keys"},
        {SN_STR("inner: 5\n"), "f.yml:1:8: inner: expected a map of keys"},
        {SN_STR("text: {a: b}\n"), "f.yml:1:7: text: expected a single value"},
        {SN_STR("text:\n  - a\n"), "f.yml:2:3: text: expected a single value"},
        {SN_STR("- a\n"), "f.yml:1:1: configuration: expected a map of keys"},
        {SN_STR("hello\n"), "f.yml:1:1: configuration: expected a map of keys"},
        {SN_STR("[a]: b\n"), "f.yml:1:1: a key must be plain text"},
        {SN_STR("integer: many\n"), "f.yml:1:10: integer: \"many\" is not a whole number"},
        {SN_STR("integer: 1.5\n"), "f.yml:1:10: integer: \"1.5\" is not a whole number"},
        {SN_STR("inner: {flag: maybe}\n"), "f.yml:1:15: \"maybe\" is neither true nor false"},
        {SN_STR("inner: {bytes: 1 XB}\n"), "f.yml:1:16: \"1 XB\" is not a size, such as 64MiB"},
        {SN_STR("choice: geen\n"),
         "f.yml:1:9: \"geen\" is not known here, did you mean \"green\"?"},
        {SN_STR("choice: purple\n"),
         "f.yml:1:9: \"purple\" is not known here, did you mean \"red\"?"},
        {SN_STR("text: \"a\\0b\"\n"), "f.yml:1:7: text with a NUL character"},
        {SN_STR("text: *x\n"), "f.yml:1:7: found undefined alias"},
        {SN_STR("texts: a\n"), "f.yml:1:8: texts: expected a list"},
        {SN_STR("texts: [[a]]\n"), "f.yml:1:9: texts: expected a single value"},
        {SN_STR("pairs: [a]\n"), "f.yml:1:8: pairs: expected a map of keys"},
        {SN_STR("pairs: {a: [b]}\n"), "f.yml:1:12: pairs: expected a single value"},
        {SN_STR("pairs: {a: b, a: c}\n"), "f.yml:1:15: key \"a\" stands here twice"},
        {SN_STR("params: {a: b}\n"), "f.yml:1:13: params: expected a list"},
        {SN_STR("list: {number: 3}\n"), "f.yml:1:7: list: expected a list"},
        {SN_STR("list: [a]\n"), "f.yml:1:8: list: expected a map of keys"},
        {SN_STR("list:\n- number: 3\n- number: 10\n"), "f.yml:3:11: number: 10 is outside 0 to 9"},
        {SN_STR("list:\n- number: 7\n"), "f.yml:2:3: not 7"},
        {SN_STR("parsed: b\n"), "f.yml:1:9: not an a"},
        {SN_STR("never: 1\n"), "f.yml:1:1: never is not supported"},
        {SN_STR("<<: {txt: a}\n"), "f.yml:1:6: unknown key \"txt\", did you mean \"text\"?"},
        {SN_STR("<<: a\n"), "f.yml:1:5: <<: expected a list"},
        {SN_STR("text: a\n---\ntext: b\n"), "f.yml:2:1: only one document is read"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_refused(cases[i].text, SN_ERR_INVALID, cases[i].sentence);
}

static void broken_yaml_is_refused_with_its_place(void **state) {
    (void)state;
    static const struct {
        struct sn_str text;
        const char *place;
    } cases[] = {
        {SN_STR("text: 'a\n"), "f.yml:2:1: "},
        {SN_STR("inner:\n\tflag: yes\n"), "f.yml:2:1: "},
        {SN_STR("text: a\n b: c\n"), "f.yml:2:3: "},
        {SN_STR("{text: a"), "f.yml:2:1: "},
        {SN_STR("text: \xff\n"), "f.yml:"},
        {SN_STR("text: a\0b\n"), "f.yml:"},
        {SN_STR("text: \x01\n"), "f.yml:"},
        {SN_STR("%YAML 9.9\n---\n"), "f.yml:1:1: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(read_bytes(cases[i].text), SN_ERR_INVALID);
        if (strncmp(err.text, cases[i].place, strlen(cases[i].place)) != 0)
            fail_msg("%.*s: %s", SN_STR_ARG(cases[i].text), err.text);
        assert_true(strlen(err.text) > strlen(cases[i].place));
    }
}

static void values_of_the_wrong_unit_are_refused_with_their_place(void **state) {
    (void)state;
    static const char *const values[] = {"5", "5 s", "-5s", "1.5s", "fast", "''", "1s1m"};
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        char text[64] = "duration: ";
        memcpy(text + 10, values[i], strlen(values[i]));
        assert_int_equal(read_text(text), SN_ERR_INVALID);
        assert_int_equal(strncmp(err.text, "f.yml:1:11: ", 12), 0);
    }
}

static void failures_of_an_entry_are_placed(void **state) {
    (void)state;
    assert_refused(SN_STR("free:\n  a:\n  b:\n  c:\n"), SN_ERR_LIMIT,
                   "f.yml:4:3: more than 2 entries");
}

static void depth_is_limited(void **state) {
    (void)state;
    char text[2 * SN_CONFIG_DEPTH_MAX + 4] = "";
    for (size_t depth = SN_CONFIG_DEPTH_MAX; depth <= SN_CONFIG_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        /* Deep enough to be refused as a list only, then for its depth. */
        assert_int_equal(read_bytes(sn_str_make(text, 2 * depth)),
                         depth <= SN_CONFIG_DEPTH_MAX ? SN_ERR_INVALID : SN_ERR_LIMIT);
    }
    assert_string_equal(err.text, "f.yml:1:33: nested deeper than 32");
}

static void size_is_limited(void **state) {
    (void)state;
    char *text = malloc(SN_CONFIG_BYTES_MAX + 1);
    assert_non_null(text);
    memset(text, '\n', SN_CONFIG_BYTES_MAX + 1);
    assert_int_equal(read_bytes(sn_str_make(text, SN_CONFIG_BYTES_MAX)), SN_OK);
    assert_refused(sn_str_make(text, SN_CONFIG_BYTES_MAX + 1), SN_ERR_LIMIT,
                   "f.yml has 1048577 bytes, the limit is 1048576");
    free(text);
}

static void nobody_needs_to_read_the_sentence(void **state) {
    (void)state;
    sn_arena_reset(&arena);
    assert_int_equal(sn_schema_read("f", SN_STR("txet: a\n"), keys, sizeof keys / sizeof keys[0],
                                    &target, &arena, NULL),
                     SN_ERR_INVALID);
}

static void a_failing_allocation_is_survived(void **state) {
    (void)state;
#ifdef SN_FAULTS
    sn_arena_release(&arena);
    sn_arena_init(&arena, 0);
    sn_mem_fail_nth(1);
    sn_status status = read_text("text: abc\n");
    sn_mem_fail_nth(0);
    assert_int_equal(status, SN_ERR_NO_MEMORY);
    assert_int_equal(strncmp(err.text, "f.yml:1:7: ", 11), 0);
#endif
}

/* ---- sizes and near words ---- */

static void sizes_have_units(void **state) {
    (void)state;
    static const struct {
        struct sn_str text;
        int64_t bytes;
        sn_status status;
    } cases[] = {
        {SN_STR("0"), 0, SN_OK},
        {SN_STR("4096"), 4096, SN_OK},
        {SN_STR("4096B"), 4096, SN_OK},
        {SN_STR("1KiB"), 1024, SN_OK},
        {SN_STR("1kB"), 1000, SN_OK},
        {SN_STR("64 MiB"), INT64_C(64) << 20, SN_OK},
        {SN_STR("1MB"), 1000000, SN_OK},
        {SN_STR("3GiB"), INT64_C(3) << 30, SN_OK},
        {SN_STR("2GB"), 2000000000, SN_OK},
        {SN_STR("1TB"), INT64_C(1000000000000), SN_OK},
        {SN_STR("8388607TiB"), INT64_C(8388607) << 40, SN_OK},
        {SN_STR("8388608TiB"), 0, SN_ERR_LIMIT},
        {SN_STR("9223372036854775807"), INT64_MAX, SN_OK},
        {SN_STR("9223372036854775808"), 0, SN_ERR_INVALID},
        {SN_STR("-1"), 0, SN_ERR_INVALID},
        {SN_STR(""), 0, SN_ERR_INVALID},
        {SN_STR("MiB"), 0, SN_ERR_INVALID},
        {SN_STR("1.5MiB"), 0, SN_ERR_INVALID},
        {SN_STR("1mib"), 0, SN_ERR_INVALID},
        {SN_STR("1MiBB"), 0, SN_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int64_t bytes = 0;
        err = (struct sn_err){.status = SN_OK};
        if (sn_schema_parse_bytes(cases[i].text, &bytes, &err) != cases[i].status ||
            bytes != cases[i].bytes)
            fail_msg("%.*s: %lld %s", SN_STR_ARG(cases[i].text), (long long)bytes, err.text);
        assert_true((err.text[0] != '\0') == (cases[i].status != SN_OK));
    }
}

static const char *name_of(const void *ctx, size_t i) {
    return ((const char *const *)ctx)[i];
}

static void a_near_word_is_found_and_a_far_one_is_not(void **state) {
    (void)state;
    static const char *const words[] = {"retention", "listen", "log", "data"};
    static const struct {
        struct sn_str word;
        const char *nearest;
    } cases[] = {
        {SN_STR("retenton"), "retention"},
        {SN_STR("lisetn"), "listen"},
        {SN_STR("lg"), "log"},
        {SN_STR("dataa"), "data"},
        {SN_STR("rotation"), NULL},
        {SN_STR("x"), NULL},
        {SN_STR("ab"), NULL},
        {SN_STR(""), NULL},
        {SN_STR("LOG"), NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const char *nearest = sn_schema_nearest(cases[i].word, name_of, words, 4);
        if (cases[i].nearest == NULL)
            assert_null(nearest);
        else
            assert_string_equal(nearest, cases[i].nearest);
    }
    assert_null(sn_schema_nearest(SN_STR("log"), name_of, words, 0));
}

static int set_up(void **state) {
    (void)state;
    sn_arena_init(&arena, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_arena_release(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_read),
        cmocka_unit_test(lists_are_read),
        cmocka_unit_test(aliases_and_merge_keys_are_read),
        cmocka_unit_test(a_file_cannot_grow_by_aliases),
        cmocka_unit_test(keys_that_are_not_used_are_warned_about),
        cmocka_unit_test(nothing_said_changes_nothing),
        cmocka_unit_test(quotes_keep_text_as_it_is),
        cmocka_unit_test(lines_may_end_as_on_windows),
        cmocka_unit_test(ranges_hold_at_both_sides),
        cmocka_unit_test(mistakes_are_named_with_their_place),
        cmocka_unit_test(broken_yaml_is_refused_with_its_place),
        cmocka_unit_test(values_of_the_wrong_unit_are_refused_with_their_place),
        cmocka_unit_test(failures_of_an_entry_are_placed),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(size_is_limited),
        cmocka_unit_test(nobody_needs_to_read_the_sentence),
        cmocka_unit_test(a_failing_allocation_is_survived),
        cmocka_unit_test(sizes_have_units),
        cmocka_unit_test(a_near_word_is_found_and_a_far_one_is_not),
    };
    return cmocka_run_group_tests_name("schema", tests, set_up, tear_down);
}
