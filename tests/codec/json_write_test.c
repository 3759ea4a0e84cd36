/* The JSON writer; jansson and the own reader say whether the output is JSON. */
#include "codec/json_write.h"

#include "base/mem.h"
#include "base/rng.h"
#include "codec/json_read.h"

#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

static struct sn_buf buf;
static struct sn_json_writer json;

static int set_up(void **state) {
    (void)state;
    sn_buf_init(&buf, 0);
    return 0;
}

static int tear_down(void **state) {
    (void)state;
    sn_buf_release(&buf);
    return 0;
}

static void start(uint32_t flags) {
    sn_buf_reset(&buf);
    sn_json_write_init(&json, &buf, flags);
}

static void assert_output(const char *expected) {
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    assert_int_equal(buf.len, strlen(expected));
    assert_memory_equal(buf.ptr, expected, buf.len);
    json_t *value =
        json_loadb((const char *)buf.ptr, buf.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    assert_non_null(value);
    json_decref(value);
}

static void commas_and_colons_are_put_where_they_belong(void **state) {
    (void)state;
    start(0);
    sn_json_write_object_begin(&json);
    sn_json_write_key_string(&json, SN_STR("status"), SN_STR("success"));
    sn_json_write_key(&json, SN_STR("data"));
    sn_json_write_array_begin(&json);
    sn_json_write_array_begin(&json);
    sn_json_write_array_end(&json);
    sn_json_write_object_begin(&json);
    sn_json_write_object_end(&json);
    sn_json_write_array_begin(&json);
    sn_json_write_time(&json, 1700000000500);
    sn_json_write_double_text(&json, 0.5);
    sn_json_write_array_end(&json);
    sn_json_write_array_end(&json);
    sn_json_write_key_int64(&json, SN_STR("i"), INT64_MIN);
    sn_json_write_key_uint64(&json, SN_STR("u"), 7);
    sn_json_write_key_bool(&json, SN_STR("t"), true);
    sn_json_write_key_bool(&json, SN_STR("f"), false);
    sn_json_write_key_double(&json, SN_STR("d"), 1e-7);
    sn_json_write_key(&json, SN_STR("n"));
    sn_json_write_null(&json);
    sn_json_write_key(&json, SN_STR("r"));
    sn_json_write_raw(&json, SN_STR("{\"x\":[1]}"));
    sn_json_write_object_end(&json);
    assert_output("{\"status\":\"success\",\"data\":[[],{},[1700000000.5,\"0.5\"]],"
                  "\"i\":-9223372036854775808,\"u\":7,\"t\":true,\"f\":false,\"d\":1e-07,"
                  "\"n\":null,\"r\":{\"x\":[1]}}");
}

static void what_the_buffer_holds_already_stays(void **state) {
    (void)state;
    sn_buf_reset(&buf);
    sn_buf_put_str(&buf, SN_STR("data: "));
    sn_json_write_init(&json, &buf, 0);
    sn_json_write_uint64(&json, UINT64_MAX);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    assert_true(sn_str_equal(sn_buf_str(&buf), SN_STR("data: 18446744073709551615")));
}

static void times_are_seconds_without_trailing_zeros(void **state) {
    (void)state;
    const int64_t times[] = {0, 1, 10, 100, 120, 123, 1000, 1700000000123, -1, -1500};
    const char *const texts[] = {"0",     "0.001", "0.01",           "0.1",    "0.12",
                                 "0.123", "1",     "1700000000.123", "-0.001", "-1.5"};
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        start(0);
        sn_json_write_time(&json, times[i]);
        assert_output(texts[i]);
    }
}

static void numbers_that_json_has_not_are_null_or_text(void **state) {
    (void)state;
    const double values[] = {(double)NAN, HUGE_VAL, -HUGE_VAL};
    const char *const texts[] = {"\"NaN\"", "\"+Inf\"", "\"-Inf\""};
    for (size_t i = 0; i < 3; i++) {
        start(0);
        sn_json_write_double(&json, values[i]);
        assert_output("null");
        start(SN_JSON_NON_FINITE_TEXT);
        sn_json_write_double(&json, values[i]);
        assert_output(texts[i]);
    }
}

static void assert_string(const char *bytes, size_t len, const char *expected) {
    start(0);
    sn_json_write_string(&json, sn_str_make(bytes, len));
    assert_output(expected);
}

static void strings_are_escaped(void **state) {
    (void)state;
    assert_string("", 0, "\"\"");
    assert_string(NULL, 0, "\"\"");
    assert_string("a\"b\\c/d", 7, "\"a\\\"b\\\\c/d\"");
    assert_string("\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\"");
    assert_string("\0\x01\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\x7f\"");
    assert_string("0123456789abcdef\"", 17, "\"0123456789abcdef\\\"\"");
    assert_string("\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80", 9,
                  "\"\xc3\xa9\xe2\x80\xa8\xf0\x9f\x98\x80\"");
}

/* Unicode 15, 3.9, "substitution of maximal subparts", with its own examples. */
static void what_is_not_utf8_is_replaced(void **state) {
    (void)state;
#define R "\xef\xbf\xbd"
    assert_string("a\xff\x62", 3, "\"a" R "b\"");
    assert_string("\xc0\xaf\xe0\x80\xbf\xf0\x81\x82\x41", 9, "\"" R R R R R R R R "A\"");
    assert_string("\xed\xa0\x80\xed\xbf\xbf\xed\xaf\x41", 9, "\"" R R R R R R R R "A\"");
    assert_string("\xf4\x91\x92\x93\xff\x41\x80\xbf\x42", 9, "\"" R R R R R "A" R R "B\"");
    assert_string("\xe1\x80\xe2\xf0\x91\x92\xf1\xbf\x41", 9, "\"" R R R R "A\"");
    assert_string("12345678\xc3", 9, "\"12345678" R "\"");
#undef R
}

static void random_bytes_become_valid_json(void **state) {
    (void)state;
    struct sn_rng rng;
    struct sn_arena arena;
    sn_rng_init(&rng, 1);
    sn_arena_init(&arena, 0);
    for (int i = 0; i < 20000; i++) {
        char bytes[64];
        size_t len = sn_rng_below(&rng, sizeof(bytes));
        for (size_t n = 0; n < len; n++) {
            bytes[n] = (char)sn_rng_below(&rng, i % 2 ? 256 : 128);
        }
        start(0);
        sn_json_write_string(&json, sn_str_make(bytes, len));
        assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
        struct sn_json_reader reader;
        sn_json_read_init(&reader, sn_buf_str(&buf), &(struct sn_json_options){.arena = &arena});
        struct sn_str back = sn_json_read_string(&reader);
        assert_int_equal(sn_json_read_finish(&reader, NULL), SN_OK);
        if (sn_str_is_utf8(sn_str_make(bytes, len))) {
            assert_true(sn_str_equal(back, sn_str_make(bytes, len)));
        }
        sn_arena_reset(&arena);
    }
    sn_arena_release(&arena);
}

static void depth_holds_at_both_sides_of_the_limit(void **state) {
    (void)state;
    for (int depth = SN_JSON_DEPTH_MAX; depth <= SN_JSON_DEPTH_MAX + 1; depth++) {
        struct sn_err err = {.status = SN_OK};
        start(0);
        for (int i = 0; i < depth; i++) {
            sn_json_write_array_begin(&json);
        }
        for (int i = 0; i < depth; i++) {
            sn_json_write_array_end(&json);
        }
        assert_int_equal(sn_json_write_finish(&json, &err),
                         depth > SN_JSON_DEPTH_MAX ? SN_ERR_LIMIT : SN_OK);
    }
}

static void a_full_buffer_ends_the_document_quietly(void **state) {
    (void)state;
    for (size_t limit = 1; limit < 20; limit++) {
        struct sn_buf small;
        sn_buf_init(&small, limit);
        sn_json_write_init(&json, &small, 0);
        sn_json_write_object_begin(&json);
        sn_json_write_key(&json, SN_STR("key"));
        sn_json_write_object_begin(&json);
        sn_json_write_key_string(&json, SN_STR("inner"), SN_STR("value"));
        sn_json_write_object_end(&json);
        sn_json_write_object_end(&json);
        assert_int_equal(sn_json_write_finish(&json, NULL), SN_ERR_LIMIT);
        sn_buf_release(&small);
    }
}

static void value_without_key(void) {
    sn_json_write_object_begin(&json);
    sn_json_write_null(&json);
}

static void key_in_array(void) {
    sn_json_write_array_begin(&json);
    sn_json_write_key(&json, SN_STR("a"));
}

static void key_after_key(void) {
    sn_json_write_object_begin(&json);
    sn_json_write_key(&json, SN_STR("a"));
    sn_json_write_key(&json, SN_STR("b"));
}

static void end_of_the_other_kind(void) {
    sn_json_write_array_begin(&json);
    sn_json_write_object_end(&json);
}

static void end_without_begin(void) {
    sn_json_write_array_end(&json);
}

static void end_between_key_and_value(void) {
    sn_json_write_object_begin(&json);
    sn_json_write_key(&json, SN_STR("a"));
    sn_json_write_object_end(&json);
}

static void two_documents(void) {
    sn_json_write_null(&json);
    sn_json_write_null(&json);
}

static void open_at_the_end(void) {
    sn_json_write_array_begin(&json);
}

static void nothing_at_all(void) {
}

/* Debug builds stop, others answer SN_ERR_INTERNAL. */
static void calls_out_of_turn_are_noticed(void **state) {
    (void)state;
    void (*const bugs[])(void) = {value_without_key,         key_in_array,    key_after_key,
                                  end_of_the_other_kind,     two_documents,   end_without_begin,
                                  end_between_key_and_value, open_at_the_end, nothing_at_all};
    for (size_t i = 0; i < sizeof(bugs) / sizeof(bugs[0]); i++) {
        int status = 0;
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            signal(SIGABRT, SIG_DFL);
            (void)close(STDERR_FILENO);
            start(0);
            bugs[i]();
            _exit(sn_json_write_finish(&json, NULL) == SN_ERR_INTERNAL ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) != 1));
    }
}

#ifdef SN_FAULTS
static void every_allocation_may_fail(void **state) {
    (void)state;
    for (uint64_t n = 1;; n++) {
        struct sn_buf one;
        sn_buf_init(&one, 0);
        sn_mem_fail_nth(n);
        sn_json_write_init(&json, &one, 0);
        sn_json_write_array_begin(&json);
        for (int i = 0; i < 10000; i++) {
            sn_json_write_int64(&json, i);
        }
        sn_json_write_array_end(&json);
        bool has_failed = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(sn_json_write_finish(&json, NULL), has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        sn_buf_release(&one);
        if (!has_failed) {
            assert_true(n > 1);
            break;
        }
    }
}
#endif

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_and_colons_are_put_where_they_belong),
        cmocka_unit_test(what_the_buffer_holds_already_stays),
        cmocka_unit_test(times_are_seconds_without_trailing_zeros),
        cmocka_unit_test(numbers_that_json_has_not_are_null_or_text),
        cmocka_unit_test(strings_are_escaped),
        cmocka_unit_test(what_is_not_utf8_is_replaced),
        cmocka_unit_test(random_bytes_become_valid_json),
        cmocka_unit_test(depth_holds_at_both_sides_of_the_limit),
        cmocka_unit_test(a_full_buffer_ends_the_document_quietly),
        cmocka_unit_test(calls_out_of_turn_are_noticed),
#ifdef SN_FAULTS
        cmocka_unit_test(every_allocation_may_fail),
#endif
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
