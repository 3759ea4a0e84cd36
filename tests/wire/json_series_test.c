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

/* `count` histograms of `buckets` buckets each. */
static void fill_histograms(struct sn_histograms *histograms, size_t count, uint32_t buckets) {
    static double counts[SN_HISTOGRAM_BUCKETS_MAX];
    const struct sn_bucket_span span = {.offset = -7, .length = buckets};
    struct sn_rng rng;
    sn_rng_init(&rng, 5);
    sn_histograms_init(histograms, (size_t)256 << 20);
    for (size_t i = 0; i < count; i++) {
        struct sn_histogram histogram = {.schema = (int32_t)(i % 9),
                                         .count = (double)i,
                                         .positive_spans = &span,
                                         .positive_span_count = buckets > 0,
                                         .positive_counts = counts,
                                         .positive_bucket_count = buckets};
        for (uint32_t k = 0; k < buckets; k++)
            counts[k] = 1 / (double)(sn_rng_u64(&rng) % 1000 + 3);
        if (i % 3 == 2)
            histogram.sum = sn_double_from_bits(SN_STALE_NAN_BITS);
        struct sn_histogram_point point = {.time_ms = (int64_t)i * 15000 + 1,
                                           .start_ms = buckets > 0 ? (int64_t)i % 2 : 0,
                                           .histogram = &histogram};
        assert_int_equal(sn_histograms_append(histograms, &point), SN_OK);
    }
}

static void check_histogram_line(struct sn_str line, const struct sn_histograms *histograms,
                                 size_t at, size_t count, bool has_start) {
    struct sn_json_series series;
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    assert_true(line.len <= SN_JSON_SERIES_BYTES_MAX / 3);
    assert_int_equal(sn_json_series_read(line, &arena, &series, NULL), SN_OK);
    assert_int_equal(series.count, count);
    assert_null(series.value);
    assert_true(!has_start || series.start_ms != NULL);
    for (size_t i = 0; i < count; i++) {
        assert_true(sn_histogram_equal(&series.histograms[i], &histograms->items[at + i]));
        assert_int_equal(series.time_ms[i], histograms->time_ms[at + i]);
        assert_int_equal(series.start_ms ? series.start_ms[i] : 0, histograms->start_ms[at + i]);
    }
    sn_arena_release(&arena);
}

static void histograms_come_back_line_by_line(void **state) {
    (void)state;
    static const struct {
        size_t count, line_count;
        uint32_t buckets;
    } cases[] = {{1, 1, 0},
                 {SN_JSON_SERIES_SAMPLES_MAX, 1, 0},
                 {SN_JSON_SERIES_SAMPLES_MAX + 1, 2, 0},
                 {40, 2, 1000},
                 {2, 1, SN_HISTOGRAM_BUCKETS_MAX}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_label items[2];
        struct sn_labels labels = make_labels(items);
        struct sn_histograms histograms;
        size_t at = 0;
        size_t line_count = 0;
        fill_histograms(&histograms, cases[i].count, cases[i].buckets);
        for (; at < cases[i].count; line_count++) {
            struct sn_buf buf;
            sn_buf_init(&buf, 0);
            size_t count = sn_json_series_write_histograms(labels, &histograms, at, &buf);
            assert_true(count > 0 && buf.status == SN_OK && buf.ptr[buf.len - 1] == '\n');
            check_histogram_line(sn_str_make(buf.ptr, buf.len - 1), &histograms, at, count,
                                 cases[i].buckets > 0 && count > 1);
            at += count;
            sn_buf_release(&buf);
        }
        assert_int_equal(line_count, cases[i].line_count);
        sn_histograms_release(&histograms);
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
        {"{\"metric\":{},\"values\":[],\"histograms\":[]}", "not both"},
        {"{\"metric\":{},\"histograms\":[],\"values\":[]}", "not both"},
        {"{\"metric\":{},\"histograms\":[{\"schema\":0,\"count\":0,\"sum\":0}]}",
         "1 histograms and 0 timestamps"},
        {"{\"metric\":{},\"histograms\":[{}]}", "without schema"},
        {"{\"metric\":{},\"histograms\":[1]}", "expected an object"},
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
        sn_buf_reset(&buf);
        sn_buf_put_text(&buf, "{\"metric\":{},\"histograms\":[");
        for (int i = 0; i < SN_JSON_SERIES_SAMPLES_MAX + over; i++)
            sn_buf_printf(&buf, "%s{\"schema\":0,\"count\":0,\"sum\":0}", i ? "," : "");
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
        cmocka_unit_test(histograms_come_back_line_by_line),
        cmocka_unit_test(other_writers_are_understood),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(limits_hold_at_both_sides),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
