/* Samples as JSON lines: every bit comes back, what is wrong is named. */
#include "wire/json_series.h"

#include "base/limits.h"
#include "base/rng.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sn_labels make_labels(struct sn_label items[2]) {
    struct sn_labels labels;
    items[0] = (struct sn_label){SN_STR("__name__"), SN_STR("m")};
    items[1] = (struct sn_label){SN_STR("a"), SN_STR("x\"\n\xc3\xa4")};
    assert_int_equal(sn_labels_make(items, 2, &labels, NULL), SN_OK);
    return labels;
}

static void check_line(const uint64_t *bits, size_t count, bool has_start) {
    struct sn_label items[2];
    struct sn_labels labels = make_labels(items);
    struct sn_samples samples;
    struct sn_json_series series;
    struct sn_arena arena;
    struct sn_buf buf;
    sn_samples_init(&samples);
    assert_int_equal(sn_samples_reserve(&samples, count + 1), SN_OK);
    if (has_start)
        assert_int_equal(sn_samples_use_start(&samples), SN_OK);
    for (size_t i = 0; i < count; i++) {
        samples.time_ms[i] = (int64_t)i * 15000 + 1;
        samples.value[i] = sn_double_from_bits(bits[i]);
        if (has_start)
            samples.start_ms[i] = (int64_t)i % 3;
    }
    samples.count = count;
    sn_buf_init(&buf, 0);
    sn_arena_init(&arena, 0);
    sn_json_series_write(labels, &samples, 0, count, &buf);
    assert_int_equal(buf.status, SN_OK);
    assert_int_equal(buf.ptr[buf.len - 1], '\n');
    struct sn_str line = sn_str_make(buf.ptr, buf.len - 1);
    assert_int_equal(sn_json_series_read(line, &arena, &series, NULL), SN_OK);
    assert_int_equal(series.count, count);
    assert_int_equal(series.label_count, 2);
    assert_true(sn_str_equal(series.labels[1].value, labels.items[1].value));
    assert_true((series.start_ms != NULL) == (has_start && count > 0));
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(sn_double_bits(series.value[i]), bits[i]);
        assert_int_equal(series.time_ms[i], samples.time_ms[i]);
        if (has_start)
            assert_int_equal(series.start_ms[i], samples.start_ms[i]);
    }
    sn_arena_release(&arena);
    sn_buf_release(&buf);
    sn_samples_release(&samples);
}

static void every_bit_comes_back(void **state) {
    (void)state;
    static uint64_t bits[SN_JSON_SERIES_SAMPLES_MAX] = {
        0,                            /* 0 */
        UINT64_C(0x8000000000000000), /* -0 */
        UINT64_C(0x7ff0000000000000), /* +Inf */
        UINT64_C(0xfff0000000000000), /* -Inf */
        SN_STALE_NAN_BITS,            /* a signalling NaN */
        UINT64_C(0x7ff8000000000001), /* Go's NaN */
        UINT64_C(0xfff8000000000000), /* another NaN */
        1,                            /* the smallest denormal */
        UINT64_C(0x7fefffffffffffff), /* the largest double */
    };
    struct sn_rng rng;
    sn_rng_init(&rng, 3);
    for (size_t i = 9; i < SN_JSON_SERIES_SAMPLES_MAX; i++)
        bits[i] = sn_rng_u64(&rng);
    const size_t counts[] = {0, 1, 9, 63, 64, 65, 128, 129, SN_JSON_SERIES_SAMPLES_MAX};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        check_line(bits, counts[i], false);
        check_line(bits, counts[i], true);
    }
}

static void other_writers_are_understood(void **state) {
    (void)state;
    struct sn_arena arena;
    struct sn_json_series series;
    sn_arena_init(&arena, 0);
    assert_int_equal(
        sn_json_series_read(SN_STR("{\"timestamps\":[3,2,1],\"metric\":{\"__name__\":\"up\"},"
                                   "\"values\":[null,\"Infinity\",\"-Infinity\"]}"),
                            &arena, &series, NULL),
        SN_OK);
    assert_int_equal(series.count, 3);
    assert_int_equal(sn_double_bits(series.value[0]), UINT64_C(0x7ff8000000000001));
    assert_int_equal(sn_double_bits(series.value[1]), UINT64_C(0x7ff0000000000000));
    assert_int_equal(sn_double_bits(series.value[2]), UINT64_C(0xfff0000000000000));
    sn_arena_release(&arena);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        const char *line, *words;
    } cases[] = {
        {"", "expected"},
        {"[]", "expected an object"},
        {"{}", "there is no \"metric\""},
        {"{\"metric\":{},\"values\":[1],\"timestamps\":[]}", "1 values and 0 timestamps"},
        {"{\"metric\":{},\"values\":[1],\"timestamps\":[1],\"starts\":[1,2]}", "2 starts"},
        {"{\"metric\":{},\"x\":1}", "unknown member \"x\""},
        {"{\"metric\":{},\"values\":[\"x\"]}", "\"x\" is not a value"},
        {"{\"metric\":{},\"values\":[\"nan:3ff0000000000000\"]}", "is not a value"},
        {"{\"metric\":{},\"values\":[\"nan:7ff8\"]}", "is not a value"},
        {"{\"metric\":{},\"values\":[\"nan:7FF8000000000002\"]}", "is not a value"},
        {"{\"metric\":{},\"timestamps\":[1.5]}", ""},
        {"{\"metric\":{\"a\":1}}", ""},
        {"{\"metric\":{},\"metric\":{}}", ""},
        {"{\"metric\":{}} x", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_arena arena;
        struct sn_json_series series;
        struct sn_err err = {.status = SN_OK};
        sn_arena_init(&arena, 0);
        assert_int_equal(sn_json_series_read(sn_str_from(cases[i].line), &arena, &series, &err),
                         SN_ERR_INVALID);
        assert_non_null(strstr(err.text, cases[i].words));
        sn_arena_release(&arena);
    }
}

static void limits_hold_at_both_sides(void **state) {
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct sn_arena arena;
        struct sn_json_series series;
        struct sn_buf buf;
        sn_buf_init(&buf, 0);
        sn_arena_init(&arena, 0);
        sn_buf_put_text(&buf, "{\"metric\":{");
        for (int i = 0; i < SN_LABELS_MAX + over; i++)
            sn_buf_printf(&buf, "%s\"l%d\":\"v\"", i ? "," : "", i);
        sn_buf_put_text(&buf, "}}");
        assert_int_equal(sn_json_series_read(sn_buf_str(&buf), &arena, &series, NULL),
                         over ? SN_ERR_LIMIT : SN_OK);
        sn_buf_reset(&buf);
        sn_buf_put_text(&buf, "{\"metric\":{},\"values\":[");
        for (int i = 0; i < SN_JSON_SERIES_SAMPLES_MAX + over; i++)
            sn_buf_put_text(&buf, i ? ",1" : "1");
        sn_buf_put_text(&buf, "],\"timestamps\":[");
        for (int i = 0; i < SN_JSON_SERIES_SAMPLES_MAX; i++)
            sn_buf_put_text(&buf, i ? ",1" : "1");
        sn_buf_put_text(&buf, "]}");
        assert_int_equal(sn_json_series_read(sn_buf_str(&buf), &arena, &series, NULL),
                         over ? SN_ERR_LIMIT : SN_OK);
        sn_buf_release(&buf);
        sn_arena_release(&arena);
    }
    struct sn_arena small;
    struct sn_json_series series;
    sn_arena_init(&small, 1000);
    assert_int_equal(
        sn_json_series_read(SN_STR("{\"metric\":{\"a\":\"b\"}}"), &small, &series, NULL) == SN_OK,
        false);
    sn_arena_release(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_bit_comes_back),
        cmocka_unit_test(other_writers_are_understood),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(limits_hold_at_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
