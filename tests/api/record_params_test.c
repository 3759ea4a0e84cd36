/* Parameters of lists. */
#include "api/record_params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

struct values {
    struct sn_str text;
    int64_t time_ms, duration_ms, count;
    double number;
};

static sn_status parse(const char *query, struct values *ret, struct sn_err *err) {
    static struct sn_arena arena;
    struct sn_param params[] = {
        SN_PARAM("text", SN_PARAM_TEXT, &ret->text),
        SN_PARAM("time", SN_PARAM_TIME, &ret->time_ms),
        SN_PARAM("duration", SN_PARAM_DURATION, &ret->duration_ms),
        SN_PARAM_WITHIN("count", &ret->count, 1, 1000),
        SN_PARAM("number", SN_PARAM_NUMBER, &ret->number),
    };
    *ret = (struct values){.count = -1};
    sn_arena_release(&arena);
    sn_arena_init(&arena, 0);
    return sn_params_parse(sn_str_from(query), &arena, params, 5, err);
}

static void each_kind_is_read(void **state) {
    (void)state;
    struct values values;
    assert_int_equal(parse("text=a%20b&time=2026-11-21T10:11:12.345Z&duration=5m&count=1000"
                           "&number=-1.5e3",
                           &values, NULL),
                     SN_OK);
    assert_true(sn_str_equal(values.text, SN_STR("a b")));
    assert_int_equal(values.time_ms, INT64_C(1795255872345));
    assert_int_equal(values.duration_ms, 300000);
    assert_int_equal(values.count, 1000);
    assert_true(values.number == -1500);
    assert_int_equal(parse("time=1700000000.5&duration=90", &values, NULL), SN_OK);
    assert_int_equal(values.time_ms, INT64_C(1700000000500));
    assert_int_equal(values.duration_ms, 90000);
    assert_int_equal(parse("", &values, NULL), SN_OK);
    assert_int_equal(values.count, -1);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        const char *query, *words;
    } rows[] = {
        {"other=1", "unknown parameter \"other\""},
        {"text=1&text=2", "text is there twice"},
        {"time=yesterday", "time: \"yesterday\""},
        {"duration=0", "duration: \"0\""},
        {"duration=-5", "duration: \"-5\""},
        {"duration=5x", "duration: \"5x\""},
        {"count=0", "must be 1 to 1000"},
        {"count=1001", "must be 1 to 1000"},
        {"count=1.5", "whole number"},
        {"count=99999999999999999999", "whole number"},
        {"number=NaN", "not a number"},
        {"number=", "not a number"},
        {"text=%zz", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct values values;
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(parse(rows[i].query, &values, &err), SN_ERR_INVALID);
        assert_non_null(strstr(err.text, rows[i].words));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_kind_is_read),
        cmocka_unit_test(what_is_wrong_is_named),
    };
    return cmocka_run_group_tests_name("record_params", tests, NULL, NULL);
}
