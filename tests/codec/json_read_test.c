/*
 * The JSON reader. The oracle is jansson: random documents and damaged ones are accepted or refused
 * by both, with equal values. Where they differ on purpose the test says so.
 */
#include "codec/json_read.h"

#include "base/mem.h"
#include "base/rng.h"
#include "codec/number.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static struct sn_json_reader json;
static struct sn_arena arena;

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

static void start(const char *text) {
    sn_json_read_init(&json, sn_str_from(text), &(struct sn_json_options){.arena = &arena});
}

static void assert_finish(sn_status expected, const char *sentence) {
    struct sn_err err = {.status = SN_OK};
    sn_status status = sn_json_read_finish(&json, &err);
    assert_string_equal(err.text, sentence);
    assert_int_equal(status, expected);
    assert_int_equal(err.status, expected);
}

static void assert_str(struct sn_str actual, const char *expected) {
    assert_int_equal(actual.len, strlen(expected));
    assert_memory_equal(actual.ptr, expected, actual.len);
}

/* ---- what callers do ---- */

static void a_batch_is_read_as_the_header_shows(void **state) {
    (void)state;
    const char *text = " {\"metrics\": [ {\"name\":\"cpu\", \"value\":0.5, \"at\":1700000000123,\n"
                       "  \"labels\":{\"host\":\"a\\n\\u00e9\"}, \"more\":[1,{\"x\":[]},\"y\"]},"
                       "{\"value\":-1e3,\"name\":\"mem\",\"ok\":true,\"none\":null}]}\n";
    struct sn_str key;
    struct sn_str names[2] = {{NULL, 0}};
    struct sn_str label = {NULL, 0};
    double values[2] = {0};
    int64_t at = 0;
    bool is_ok = false;
    size_t count = 0;
    start(text);
    assert_true(sn_json_read_object(&json));
    assert_true(sn_json_read_key(&json, &key));
    assert_str(key, "metrics");
    assert_true(sn_json_read_array(&json));
    while (sn_json_read_element(&json)) {
        assert_int_equal(sn_json_read_peek(&json), SN_JSON_OBJECT);
        (void)sn_json_read_object(&json);
        while (sn_json_read_key(&json, &key)) {
            if (sn_str_equal(key, SN_STR("name"))) {
                names[count] = sn_json_read_string(&json);
            } else if (sn_str_equal(key, SN_STR("value"))) {
                values[count] = sn_json_read_double(&json);
            } else if (sn_str_equal(key, SN_STR("at"))) {
                at = sn_json_read_int64(&json);
            } else if (sn_str_equal(key, SN_STR("ok"))) {
                is_ok = sn_json_read_bool(&json);
            } else if (sn_str_equal(key, SN_STR("none"))) {
                assert_true(sn_json_read_null_if(&json));
            } else if (sn_str_equal(key, SN_STR("labels"))) {
                (void)sn_json_read_object(&json);
                assert_true(sn_json_read_key(&json, &key));
                label = sn_json_read_string(&json);
                assert_false(sn_json_read_key(&json, &key));
            } else {
                assert_false(sn_json_read_null_if(&json));
                assert_str(sn_json_read_raw(&json), "[1,{\"x\":[]},\"y\"]");
            }
        }
        count++;
    }
    assert_false(sn_json_read_key(&json, &key));
    assert_null(key.ptr);
    assert_finish(SN_OK, "");
    assert_int_equal(count, 2);
    assert_str(names[0], "cpu");
    assert_str(names[1], "mem");
    assert_str(label, "a\n\xc3\xa9");
    assert_true(values[0] == 0.5 && values[1] == -1000 && is_ok);
    assert_int_equal(at, 1700000000123);
    assert_ptr_equal(names[0].ptr, strstr(text, "cpu"));
}

static void plain_strings_cost_no_memory(void **state) {
    (void)state;
    sn_arena_release(&arena);
    sn_arena_init(&arena, 0);
    start("{\"a\":\"b\",\"c\":[\"d\",1.5,{\"e\":null}]}");
    sn_json_read_skip(&json);
    assert_finish(SN_OK, "");
    assert_int_equal(arena.used, 0);
}

static void kinds_are_seen_before_reading(void **state) {
    (void)state;
    const struct {
        const char *text;
        enum sn_json_kind kind;
    } rows[] = {{"{}", SN_JSON_OBJECT},  {" []", SN_JSON_ARRAY},   {"\"\"", SN_JSON_STRING},
                {"-1", SN_JSON_NUMBER},  {"0", SN_JSON_NUMBER},    {"true", SN_JSON_BOOL},
                {"false", SN_JSON_BOOL}, {"\tnull", SN_JSON_NULL}, {"+1", SN_JSON_NOTHING},
                {"", SN_JSON_NOTHING},   {"]", SN_JSON_NOTHING}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(rows[i].text);
        assert_int_equal(sn_json_read_peek(&json), rows[i].kind);
    }
    start("1");
    (void)sn_json_read_int64(&json);
    assert_int_equal(sn_json_read_peek(&json), SN_JSON_NOTHING);
}

static void after_a_failure_everything_yields_nothing(void **state) {
    (void)state;
    struct sn_str key;
    start("[1,]");
    sn_json_read_skip(&json);
    assert_true(sn_json_read_failed(&json));
    assert_false(sn_json_read_object(&json));
    assert_false(sn_json_read_array(&json));
    assert_false(sn_json_read_element(&json));
    assert_false(sn_json_read_key(&json, &key));
    assert_false(sn_json_read_bool(&json));
    assert_false(sn_json_read_null_if(&json));
    assert_true(sn_json_read_double(&json) == 0);
    assert_int_equal(sn_json_read_int64(&json), 0);
    assert_int_equal(sn_json_read_uint64(&json), 0);
    assert_null(sn_json_read_string(&json).ptr);
    assert_null(sn_json_read_number_text(&json).ptr);
    assert_null(sn_json_read_raw(&json).ptr);
    sn_json_read_null(&json);
    sn_json_read_fail(&json, SN_ERR_LIMIT, "something later");
    assert_finish(SN_ERR_INVALID, "line 1, column 4 (byte 3): expected a value, found ']'");
}

static void the_caller_can_refuse_a_value(void **state) {
    (void)state;
    struct sn_str key;
    start("{\n \"step\": 0}");
    (void)sn_json_read_object(&json);
    (void)sn_json_read_key(&json, &key);
    if (sn_json_read_int64(&json) == 0) {
        sn_json_read_fail(&json, SN_ERR_INVALID, "%s must be above 0", "step");
    }
    assert_false(sn_json_read_key(&json, &key));
    assert_finish(SN_ERR_INVALID, "line 2, column 10 (byte 11): step must be above 0");
}

/* ---- sentences ---- */

static void errors_say_where_and_what_was_expected(void **state) {
    (void)state;
    const struct {
        const char *text;
        const char *sentence;
    } rows[] = {
        {"", "line 1, column 1 (byte 0): expected a value, found the end of the text"},
        {"  \n ", "line 2, column 2 (byte 4): expected a value, found the end of the text"},
        {"[1 2]", "line 1, column 4 (byte 3): expected ',' or ']', found '2'"},
        {"{\"a\":1 \"b\"}", "line 1, column 8 (byte 7): expected ',' or '}', found '\"'"},
        {"{a:1}", "line 1, column 2 (byte 1): expected a name in quotes, found 'a'"},
        {"{\"a\":1,}", "line 1, column 8 (byte 7): expected a name in quotes, found '}'"},
        {"{\"a\" 1}", "line 1, column 6 (byte 5): expected ':' behind a name, found '1'"},
        {"[1,]", "line 1, column 4 (byte 3): expected a value, found ']'"},
        {"[,1]", "line 1, column 2 (byte 1): expected a value, found ','"},
        {"[1}", "line 1, column 3 (byte 2): expected ',' or ']', found '}'"},
        {"1 1", "line 1, column 3 (byte 2): expected the end of the text, found '1'"},
        {"nul", "line 1, column 1 (byte 0): expected null, true or false, found 'n'"},
        {"NaN", "line 1, column 1 (byte 0): expected a value, found 'N'"},
        {"Infinity", "line 1, column 1 (byte 0): expected a value, found 'I'"},
        {"'a'", "line 1, column 1 (byte 0): expected a value, found '''"},
        {"// x\n1", "line 1, column 1 (byte 0): expected a value, found '/'"},
        {"\xef\xbb\xbf{}", "line 1, column 1 (byte 0): expected a value, found byte 0xef"},
        {"-", "line 1, column 2 (byte 1): expected a digit, found the end of the text"},
        {"01", "line 1, column 2 (byte 1): expected no digit behind a leading 0, found '1'"},
        {"-012", "line 1, column 3 (byte 2): expected no digit behind a leading 0, found '1'"},
        {"1.", "line 1, column 3 (byte 2): expected a digit, found the end of the text"},
        {"1.e5", "line 1, column 3 (byte 2): expected a digit, found 'e'"},
        {"[1e]", "line 1, column 4 (byte 3): expected a digit, found ']'"},
        {"1e+", "line 1, column 4 (byte 3): expected a digit, found the end of the text"},
        {"-.5", "line 1, column 2 (byte 1): expected a digit, found '.'"},
        {"1x", "line 1, column 2 (byte 1): expected the end of the text, found 'x'"},
        {"0x10", "line 1, column 2 (byte 1): expected the end of the text, found 'x'"},
        {"\"abc", "line 1, column 5 (byte 4): expected a closing '\"', found the end of the text"},
        {"\"\\", "line 1, column 3 (byte 2): expected a closing '\"', found the end of the text"},
        {"\"\\x\"",
         "line 1, column 3 (byte 2): expected one of \"\\/bfnrtu behind '\\', found 'x'"},
        {"\"a\tb\"",
         "line 1, column 3 (byte 2): control character 0x09 in a string, write \\u0009"},
        {"\"\\u12g4\"", "line 1, column 2 (byte 1): \\u needs four hexadecimal digits, surrogates "
                        "come in pairs"},
        {"\"\xc3\xa9\xff\"", "line 1, column 3 (byte 3): byte 0xff does not begin valid UTF-8"},
        {"[\n\n  tru]", "line 3, column 3 (byte 5): expected null, true or false, found 't'"},
        {"{\"a\":1,\"a\":2}", "line 1, column 8 (byte 7): name \"a\" is there twice"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(rows[i].text);
        sn_json_read_skip(&json);
        assert_finish(SN_ERR_INVALID, rows[i].sentence);
    }
    /* A NUL is a byte like others. */
    sn_json_read_init(&json, sn_str_make("1\0", 2), &(struct sn_json_options){.arena = &arena});
    sn_json_read_skip(&json);
    assert_finish(SN_ERR_INVALID,
                  "line 1, column 2 (byte 1): expected the end of the text, found byte 0x00");
}

static void another_kind_than_asked_for_is_refused(void **state) {
    (void)state;
    struct sn_str key;
    start("[]");
    assert_false(sn_json_read_object(&json));
    assert_finish(SN_ERR_INVALID, "line 1, column 1 (byte 0): expected an object, found '['");
    start(" {}");
    assert_false(sn_json_read_array(&json));
    assert_finish(SN_ERR_INVALID, "line 1, column 2 (byte 1): expected an array, found '{'");
    start("{\"a\":1}");
    assert_true(sn_json_read_object(&json) && sn_json_read_key(&json, &key));
    assert_null(sn_json_read_string(&json).ptr);
    assert_finish(SN_ERR_INVALID, "line 1, column 6 (byte 5): expected a string, found '1'");
    start("\"1\"");
    assert_true(sn_json_read_double(&json) == 0);
    assert_finish(SN_ERR_INVALID, "line 1, column 1 (byte 0): expected a number, found '\"'");
    start("null");
    assert_false(sn_json_read_bool(&json));
    assert_finish(SN_ERR_INVALID, "line 1, column 1 (byte 0): expected true or false, found 'n'");
    start("true");
    sn_json_read_null(&json);
    assert_finish(SN_ERR_INVALID, "line 1, column 1 (byte 0): expected null, found 't'");
}

/* ---- numbers ---- */

static void integers_are_exact_or_refused(void **state) {
    (void)state;
    const struct {
        const char *text;
        sn_status status;
        int64_t value;
    } rows[] = {
        {"0", SN_OK, 0},
        {"-0", SN_OK, 0},
        {"9223372036854775807", SN_OK, INT64_MAX},
        {"-9223372036854775808", SN_OK, INT64_MIN},
        {"9223372036854775808", SN_ERR_LIMIT, 0},
        {"-9223372036854775809", SN_ERR_LIMIT, 0},
        {"1.0", SN_OK, 1},
        {"1e3", SN_OK, 1000},
        {"-12.50e1", SN_OK, -125},
        {"0e99999999999999999999", SN_OK, 0},
        {"0.0", SN_OK, 0},
        {"9007199254740993.0", SN_OK, INT64_C(9007199254740993)},
        {"1e18", SN_OK, INT64_C(1000000000000000000)},
        {"1e19", SN_ERR_LIMIT, 0},
        {"1e999999999999", SN_ERR_LIMIT, 0},
        {"12345678901234567890123.5", SN_ERR_LIMIT, 0},
        {"1.5", SN_ERR_INVALID, 0},
        {"1e-1", SN_ERR_INVALID, 0},
        {"1.00000000000000000000000000001", SN_ERR_INVALID, 0},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        start(rows[i].text);
        int64_t value = sn_json_read_int64(&json);
        if (sn_json_read_finish(&json, NULL) != rows[i].status || value != rows[i].value) {
            fail_msg("%s: %d, %lld", rows[i].text, (int)json.status, (long long)value);
        }
    }
    start("18446744073709551615");
    assert_true(sn_json_read_uint64(&json) == UINT64_MAX);
    assert_finish(SN_OK, "");
    start("18446744073709551616");
    assert_true(sn_json_read_uint64(&json) == 0);
    assert_finish(SN_ERR_LIMIT, "line 1, column 1 (byte 0): number 18446744073709551616 is outside "
                                "of the range of 64 bits without sign");
    start("-1");
    assert_true(sn_json_read_uint64(&json) == 0);
    assert_int_equal(sn_json_read_finish(&json, NULL), SN_ERR_LIMIT);
    start("-0.0");
    assert_true(sn_json_read_uint64(&json) == 0);
    assert_finish(SN_OK, "");
}

static void doubles_are_rounded_correctly_and_never_infinite(void **state) {
    (void)state;
    start("[-0.0,2.2250738585072011e-308,9007199254740993,1e-999]");
    (void)sn_json_read_array(&json);
    assert_true(sn_json_read_element(&json));
    assert_true(signbit(sn_json_read_double(&json)) != 0);
    assert_true(sn_json_read_element(&json));
    assert_true(sn_json_read_double(&json) == 2.2250738585072011e-308);
    assert_true(sn_json_read_element(&json));
    assert_true(sn_json_read_double(&json) == 9007199254740992.0);
    assert_true(sn_json_read_element(&json));
    assert_true(sn_json_read_double(&json) == 0);
    assert_false(sn_json_read_element(&json));
    assert_finish(SN_OK, "");
    start(" 1e309");
    assert_true(sn_json_read_double(&json) == 0);
    assert_finish(SN_ERR_LIMIT,
                  "line 1, column 2 (byte 1): number 1e309 is larger than any double");
}

static void numbers_of_any_size_are_kept_as_text(void **state) {
    (void)state;
    start("[-123456789012345678901234567890.5e9999 ]");
    (void)sn_json_read_array(&json);
    (void)sn_json_read_element(&json);
    assert_str(sn_json_read_number_text(&json), "-123456789012345678901234567890.5e9999");
    assert_false(sn_json_read_element(&json));
    assert_finish(SN_OK, "");
}

/* ---- strings ---- */

static void escapes_are_resolved(void **state) {
    (void)state;
    start("\"\\\"\\\\\\/\\b\\f\\n\\r\\t \\u0041\\u00E9\\u20ac\\ud83d\\uDE00 end\"");
    assert_str(sn_json_read_string(&json),
               "\"\\/\b\f\n\r\t A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80 end");
    assert_finish(SN_OK, "");
    start("\"a\\u0000b\"");
    struct sn_str text = sn_json_read_string(&json);
    assert_int_equal(text.len, 3);
    assert_memory_equal(text.ptr, "a\0b", 3);
    assert_finish(SN_OK, "");
}

static void surrogates_come_in_pairs(void **state) {
    (void)state;
    const char *const bad[] = {"\"\\ud800\"",        "\"\\ud800x\"",
                               "\"\\udc00\"",        "\"\\ud800\\u0041\"",
                               "\"\\ud800\\ud800\"", "\"\\udc00\\ud800\"",
                               "\"\\ud83d\\n\"",     "\"\\ud83d\\ude0\"",
                               "\"\\ud83d\\",        "\"\\u\"",
                               "\"\\u00\"",          "\"\\u00 0\""};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        start(bad[i]);
        assert_null(sn_json_read_string(&json).ptr);
        assert_int_equal(sn_json_read_finish(&json, NULL), SN_ERR_INVALID);
    }
}

static void text_must_be_utf8(void **state) {
    (void)state;
    const char *const bad[] = {"\x80",
                               "\xbf",
                               "\xc0\x80",
                               "\xc1\xbf",
                               "\xc3",
                               "\xc3(",
                               "\xe0\x80\x80",
                               "\xe0\x9f\xbf",
                               "\xed\xa0\x80",
                               "\xed\xbf\xbf",
                               "\xe2\x82",
                               "\xe2(\xa1",
                               "\xf0\x80\x80\x80",
                               "\xf0\x8f\xbf\xbf",
                               "\xf4\x90\x80\x80",
                               "\xf5\x80\x80\x80",
                               "\xff",
                               "\xfe",
                               "\xf0\x9f\x98"};
    const char *const good[] = {"\x7f",         "\xc2\x80",         "\xdf\xbf",
                                "\xe0\xa0\x80", "\xed\x9f\xbf",     "\xee\x80\x80",
                                "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"};
    char text[64];
    for (size_t pad = 0; pad < 20; pad++) {
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
            (void)snprintf(text, sizeof(text), "[\"%.*s%s\"]", (int)pad, "01234567890123456789",
                           bad[i]);
            start(text);
            sn_json_read_skip(&json);
            assert_int_equal(sn_json_read_finish(&json, NULL), SN_ERR_INVALID);
        }
        for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
            (void)snprintf(text, sizeof(text), "[\"%.*s%s\"]", (int)pad, "01234567890123456789",
                           good[i]);
            start(text);
            sn_json_read_skip(&json);
            assert_finish(SN_OK, "");
        }
    }
}

/* ---- limits ---- */

static void depth_holds_at_both_sides_of_the_limit(void **state) {
    (void)state;
    char text[2 * SN_JSON_DEPTH_MAX + 4];
    for (size_t depth = SN_JSON_DEPTH_MAX; depth <= SN_JSON_DEPTH_MAX + 1; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        text[2 * depth] = '\0';
        start(text);
        sn_json_read_skip(&json);
        assert_int_equal(sn_json_read_finish(&json, NULL),
                         depth > SN_JSON_DEPTH_MAX ? SN_ERR_LIMIT : SN_OK);
    }
    sn_json_read_init(&json, SN_STR("{\"a\":[]}"),
                      &(struct sn_json_options){.arena = &arena, .depth_max = 1});
    sn_json_read_skip(&json);
    assert_finish(SN_ERR_LIMIT, "line 1, column 6 (byte 5): more than 1 nested arrays and objects");
}

/* An object of `count` names, with the name `again` at the end when it is not NULL. */
static char *object_text(size_t count, const char *again) {
    size_t size = count * 32 + 64;
    char *text = malloc(size);
    size_t len = 1;
    assert_non_null(text);
    text[0] = '{';
    for (size_t i = 0; i < count; i++) {
        len += (size_t)snprintf(text + len, size - len, "%s\"name_%zu\":{\"x\":1,\"name_0\":2}",
                                i ? "," : "", i);
    }
    if (again) {
        len += (size_t)snprintf(text + len, size - len, ",\"%s\":0", again);
    }
    (void)snprintf(text + len, size - len, "}");
    return text;
}

static void a_name_that_is_there_twice_is_found_in_any_object(void **state) {
    (void)state;
    const size_t counts[] = {1, 15, 16, 17, 18, 31, 32, 33, 100, 5000};
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        char again[32];
        char *text = object_text(counts[i], NULL);
        start(text);
        sn_json_read_skip(&json);
        assert_finish(SN_OK, "");
        free(text);
        for (size_t n = 0; n < counts[i]; n += 1 + counts[i] / 7) {
            (void)snprintf(again, sizeof(again), "n\\u0061me_%zu", n);
            text = object_text(counts[i], again);
            start(text);
            sn_json_read_skip(&json);
            assert_int_equal(sn_json_read_finish(&json, NULL), SN_ERR_INVALID);
            assert_non_null(strstr(json.err.text, "is there twice"));
            free(text);
            sn_arena_reset(&arena);
        }
    }
}

/* Large objects inside of large objects: the index is shared. */
static void names_of_outer_and_inner_objects_are_kept_apart(void **state) {
    (void)state;
    static char text[1 << 18];
    size_t len = 0;
    text[len++] = '{';
    for (int outer = 0; outer < 60; outer++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"n%d\":{", outer ? "," : "",
                                outer);
        for (int inner = 0; inner < 40; inner++) {
            len += (size_t)snprintf(text + len, sizeof(text) - len, "%s\"n%d\":1", inner ? "," : "",
                                    inner);
        }
        text[len++] = '}';
    }
    (void)snprintf(text + len, sizeof(text) - len, "}");
    start(text);
    sn_json_read_skip(&json);
    assert_finish(SN_OK, "");
    (void)snprintf(text + len, sizeof(text) - len, ",\"n3\":0}");
    start(text);
    sn_json_read_skip(&json);
    assert_int_equal(sn_json_read_finish(&json, NULL), SN_ERR_INVALID);
}

static void a_full_arena_is_a_limit(void **state) {
    (void)state;
    struct sn_arena small;
    char *text = object_text(5000, NULL);
    sn_arena_init(&small, 1 << 16);
    sn_json_read_init(&json, sn_str_from(text), &(struct sn_json_options){.arena = &small});
    sn_json_read_skip(&json);
    assert_int_equal(sn_json_read_finish(&json, NULL), SN_ERR_LIMIT);
    sn_arena_release(&small);
    free(text);
}

#ifdef SN_FAULTS
static void every_allocation_may_fail(void **state) {
    (void)state;
    char *text = object_text(300, "esc\\naped");
    for (uint64_t n = 1;; n++) {
        struct sn_arena one;
        sn_arena_init(&one, 0);
        sn_mem_fail_nth(n);
        sn_json_read_init(&json, sn_str_from(text), &(struct sn_json_options){.arena = &one});
        sn_json_read_skip(&json);
        bool has_failed = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(sn_json_read_finish(&json, NULL), has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_arena_release(&one);
        if (!has_failed) {
            assert_true(n > 1);
            break;
        }
    }
    free(text);
}
#endif

static void read_out_of_turn(void) {
    start("{\"a\":1}");
    (void)sn_json_read_object(&json);
    (void)sn_json_read_int64(&json); /* without a key */
}

static void unfinished(void) {
    start("{\"a\":1}");
    (void)sn_json_read_object(&json);
    _exit(sn_json_read_finish(&json, NULL) == SN_ERR_INTERNAL ? 0 : 1);
}

/* Debug builds stop, others answer SN_ERR_INTERNAL. */
static void assert_is_a_bug(void (*function)(void)) {
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGABRT, SIG_DFL);
        (void)close(STDERR_FILENO);
        function();
        _exit(sn_json_read_finish(&json, NULL) == SN_ERR_INTERNAL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != 1))) {
        fail_msg("reading out of turn is not noticed");
    }
}

static void reading_out_of_turn_is_noticed(void **state) {
    (void)state;
    assert_is_a_bug(read_out_of_turn);
    assert_is_a_bug(unfinished);
}

/* ---- jansson ---- */

static json_t *value_of_reader(void);

static json_t *number_of_reader(void) {
    const char *end = json.end;
    bool is_real = false;
    (void)sn_json_read_peek(&json); /* passes blanks */
    for (const char *at = json.at; at < end && strchr("+-.0123456789eE", *at) != NULL; at++) {
        is_real = is_real || strchr(".eE", *at) != NULL;
    }
    if (is_real) {
        double value = sn_json_read_double(&json);
        return json_real(value);
    }
    return json_integer(sn_json_read_int64(&json));
}

static json_t *container_of_reader(bool is_object) {
    json_t *container = is_object ? json_object() : json_array();
    struct sn_str key;
    if (!is_object) {
        (void)sn_json_read_array(&json);
        while (sn_json_read_element(&json)) {
            (void)json_array_append_new(container, value_of_reader());
        }
        return container;
    }
    (void)sn_json_read_object(&json);
    while (sn_json_read_key(&json, &key)) {
        char *name = sn_strndup(key.ptr, key.len);
        (void)json_object_set_new_nocheck(container, name, value_of_reader());
        sn_free(name);
    }
    return container;
}

static json_t *value_of_reader(void) {
    struct sn_str text;
    switch (sn_json_read_peek(&json)) {
    case SN_JSON_OBJECT:
    case SN_JSON_ARRAY:
        return container_of_reader(sn_json_read_peek(&json) == SN_JSON_OBJECT);
    case SN_JSON_STRING:
        text = sn_json_read_string(&json);
        return json.status == SN_OK ? json_stringn_nocheck(text.ptr, text.len) : NULL;
    case SN_JSON_NUMBER:
        return number_of_reader();
    case SN_JSON_BOOL:
        return json_boolean(sn_json_read_bool(&json));
    case SN_JSON_NULL:
        sn_json_read_null(&json);
        return json_null();
    case SN_JSON_NOTHING:
        sn_json_read_skip(&json); /* gives the sentence */
        break;
    }
    return NULL;
}

static void assert_as_jansson(const char *text, size_t len, size_t *accepted) {
    json_error_t error;
    json_t *expected =
        json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    sn_json_read_init(&json, sn_str_make(text, len), &(struct sn_json_options){.arena = &arena});
    json_t *actual = value_of_reader();
    sn_status status = sn_json_read_finish(&json, NULL);
    if (expected != NULL && status == SN_OK) {
        *accepted += 1;
        if (!json_equal(expected, actual)) {
            fail_msg("another value: %.*s", (int)len, text);
        }
    } else if (expected != NULL) {
        fail_msg("refused with \"%s\": %.*s", json.err.text, (int)len, text);
    } else if (status == SN_OK && json_error_code(&error) != json_error_null_byte_in_key) {
        /* jansson has C strings as names; RFC 8259 allows \u0000 there. */
        fail_msg("accepted, jansson says %s: %.*s", error.text, (int)len, text);
    }
    json_decref(expected);
    json_decref(actual);
    sn_arena_reset(&arena);
}

struct text {
    struct sn_rng rng;
    size_t len;
    char bytes[1 << 16];
};

static void put(struct text *text, const char *piece) {
    size_t len = strlen(piece);
    if (text->len + len < sizeof(text->bytes)) {
        memcpy(text->bytes + text->len, piece, len);
        text->len += len;
    }
}

static void put_blank(struct text *text) {
    static const char *const blanks[] = {"", "", "", "", " ", "\n", "\t", "\r\n  "};
    put(text, blanks[sn_rng_below(&text->rng, 8)]);
}

static void put_string(struct text *text, size_t length_max) {
    static const char *const pieces[] = {"a",
                                         "b",
                                         "cpu",
                                         "_",
                                         "0",
                                         "\\n",
                                         "\\u00e9",
                                         "\xc3\xa9",
                                         "\\ud83d\\ude00",
                                         "\xf0\x9f\x98\x80",
                                         "\\\"",
                                         "\\\\",
                                         "/",
                                         "long enough for sixteen",
                                         "\\u0000",
                                         "x"};
    put(text, "\"");
    for (size_t i = sn_rng_below(&text->rng, length_max + 1); i > 0; i--) {
        put(text, pieces[sn_rng_below(&text->rng, 16)]);
    }
    put(text, "\"");
}

static void put_number(struct text *text) {
    char number[SN_DOUBLE_TEXT_SIZE];
    uint64_t bits = sn_rng_u64(&text->rng);
    double value;
    memcpy(&value, &bits, sizeof(value));
    if (sn_rng_below(&text->rng, 2) && isfinite(value)) {
        (void)sn_double_format(value, SN_DOUBLE_TEXT, number);
    } else {
        (void)sn_int64_format((int64_t)bits >> sn_rng_below(&text->rng, 64), number);
    }
    put(text, number);
}

static void put_value(struct text *text, int depth) {
    static const char *const literals[] = {"true", "false", "null"};
    uint64_t kind = sn_rng_below(&text->rng, depth > 5 ? 4 : 8);
    put_blank(text);
    if (kind < 2) {
        put_number(text);
    } else if (kind == 2) {
        put_string(text, 6);
    } else if (kind == 3) {
        put(text, literals[sn_rng_below(&text->rng, 3)]);
    } else {
        put(text, kind < 6 ? "{" : "[");
        for (uint64_t i = 0, count = sn_rng_below(&text->rng, 7); i < count; i++) {
            put(text, i ? "," : "");
            put_blank(text);
            if (kind < 6) {
                put_string(text, 4);
                put_blank(text);
                put(text, ":");
            }
            put_value(text, depth + 1);
        }
        put(text, kind < 6 ? "}" : "]");
    }
    put_blank(text);
}

/* Delete, insert, replace, double or cut. Never a NUL: jansson takes it for the end of the text. */
static void damage(struct text *text) {
    static const char letters[] = "{}[]\",:\\u0123456789eE+-.tfn \t\n\x80\xc3\xff/dD";
    size_t at = sn_rng_below(&text->rng, text->len);
    char letter = letters[sn_rng_below(&text->rng, sizeof(letters) - 1)];
    switch (sn_rng_below(&text->rng, 5)) {
    case 0:
        memmove(text->bytes + at, text->bytes + at + 1, text->len - at - 1);
        text->len--;
        break;
    case 1:
        memmove(text->bytes + at + 1, text->bytes + at, text->len - at);
        text->bytes[at] = letter;
        text->len++;
        break;
    case 2:
        text->bytes[at] = letter;
        break;
    case 3:
        memmove(text->bytes + at + 1, text->bytes + at, text->len - at);
        text->len++;
        break;
    default:
        text->len = at ? at : 1;
        break;
    }
}

static void random_documents_are_read_as_jansson_does(void **state) {
    (void)state;
    static struct text text;
    size_t accepted = 0;
    size_t damaged = 0;
    sn_rng_init(&text.rng, 6);
    for (int i = 0; i < 6000; i++) {
        text.len = 0;
        put_value(&text, 0);
        if (text.len + 8 > sizeof(text.bytes)) {
            continue;
        }
        assert_as_jansson(text.bytes, text.len, &accepted);
        for (int n = 0; n < 4 && text.len > 1; n++) {
            damage(&text);
            assert_as_jansson(text.bytes, text.len, &damaged);
        }
    }
    assert_true(accepted > 3000); /* the others have a name twice */
    assert_true(damaged > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_read_as_the_header_shows),
        cmocka_unit_test(plain_strings_cost_no_memory),
        cmocka_unit_test(kinds_are_seen_before_reading),
        cmocka_unit_test(after_a_failure_everything_yields_nothing),
        cmocka_unit_test(the_caller_can_refuse_a_value),
        cmocka_unit_test(errors_say_where_and_what_was_expected),
        cmocka_unit_test(another_kind_than_asked_for_is_refused),
        cmocka_unit_test(integers_are_exact_or_refused),
        cmocka_unit_test(doubles_are_rounded_correctly_and_never_infinite),
        cmocka_unit_test(numbers_of_any_size_are_kept_as_text),
        cmocka_unit_test(escapes_are_resolved),
        cmocka_unit_test(surrogates_come_in_pairs),
        cmocka_unit_test(text_must_be_utf8),
        cmocka_unit_test(depth_holds_at_both_sides_of_the_limit),
        cmocka_unit_test(a_name_that_is_there_twice_is_found_in_any_object),
        cmocka_unit_test(names_of_outer_and_inner_objects_are_kept_apart),
        cmocka_unit_test(a_full_arena_is_a_limit),
#ifdef SN_FAULTS
        cmocka_unit_test(every_allocation_may_fail),
#endif
        cmocka_unit_test(reading_out_of_turn_is_noticed),
        cmocka_unit_test(random_documents_are_read_as_jansson_does),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
