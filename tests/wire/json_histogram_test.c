/* Native histograms in JSON lines: every field comes back, mistakes are named, limits hold. */
#include "wire/json_histogram_priv.h"

#include "base/mem.h"
#include "model/sample.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void write_text(const struct sn_histogram *histogram, struct sn_buf *buf) {
    struct sn_json_writer json;
    sn_buf_init(buf, 0);
    sn_json_write_init(&json, buf, SN_JSON_NON_FINITE_TEXT);
    sn_json_histogram_write(&json, histogram);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
}

static sn_status read_text(struct sn_str text, struct sn_arena *arena,
                           struct sn_histogram *ret_histogram, struct sn_err *err) {
    struct sn_json_reader json;
    struct sn_json_histogram_room room = {.arena = arena};
    sn_json_read_init(&json, text, &(struct sn_json_options){.arena = arena});
    sn_json_histogram_read(&json, &room, ret_histogram);
    return sn_json_read_finish(&json, err);
}

static void assert_round_trip(const struct sn_histogram *histogram, const char *expected) {
    struct sn_buf buf;
    struct sn_arena arena;
    struct sn_histogram again;
    assert_int_equal(sn_histogram_validate(histogram, NULL), SN_OK);
    sn_arena_init(&arena, 0);
    write_text(histogram, &buf);
    if (expected)
        assert_true(sn_str_equal(sn_buf_str(&buf), sn_str_from(expected)));
    assert_int_equal(read_text(sn_buf_str(&buf), &arena, &again, NULL), SN_OK);
    assert_true(sn_histogram_equal(histogram, &again));
    sn_arena_release(&arena);
    sn_buf_release(&buf);
}

static const struct sn_bucket_span spans[] = {{-3, 2}, {5, 1}};
static const double counts[] = {3, 0.125, 9007199254740992.0};

static void every_field_comes_back(void **state) {
    (void)state;
    struct sn_histogram empty = {.schema = 0};
    assert_round_trip(&empty, "{\"schema\":0,\"count\":0,\"sum\":0}");
    struct sn_histogram full = {.schema = -4,
                                .reset_hint = SN_RESET_YES,
                                .zero_threshold = 0x1p-128,
                                .zero_count = 2.5,
                                .count = 1e15,
                                .sum = -17.5,
                                .positive_spans = spans,
                                .positive_span_count = 2,
                                .positive_counts = counts,
                                .positive_bucket_count = 3,
                                .negative_spans = spans,
                                .negative_span_count = 1,
                                .negative_counts = counts,
                                .negative_bucket_count = 2};
    assert_round_trip(&full, NULL);
    static const double bounds[] = {-1.5, 0, 1e300};
    struct sn_histogram custom = {.schema = SN_HISTOGRAM_SCHEMA_CUSTOM,
                                  .reset_hint = SN_RESET_NO,
                                  .count = 3,
                                  .sum = 1,
                                  .positive_spans = (const struct sn_bucket_span[]){{1, 2}},
                                  .positive_span_count = 1,
                                  .positive_counts = counts,
                                  .positive_bucket_count = 2,
                                  .custom_bounds = bounds,
                                  .custom_bound_count = 3};
    assert_round_trip(&custom, "{\"schema\":-53,\"count\":3,\"sum\":1,\"positive_spans\":[[1,2]],"
                               "\"positive_counts\":[3,0.125],\"custom_bounds\":[-1.5,0,1e+300],"
                               "\"counter_reset_hint\":\"not_reset\"}");
}

static void every_hint_and_odd_number_comes_back(void **state) {
    (void)state;
    for (int hint = SN_RESET_UNKNOWN; hint <= SN_RESET_GAUGE; hint++) {
        struct sn_histogram histogram = {.schema = 8,
                                         .reset_hint = (enum sn_counter_reset_hint)hint};
        assert_round_trip(&histogram, NULL);
    }
    static const uint64_t sums[] = {SN_STALE_NAN_BITS,
                                    UINT64_C(0x7ff8000000000001),
                                    UINT64_C(0xfff8000000000007),
                                    UINT64_C(0x7ff0000000000000),
                                    UINT64_C(0xfff0000000000000),
                                    UINT64_C(0x8000000000000000)};
    for (size_t i = 0; i < sizeof sums / sizeof *sums; i++) {
        struct sn_histogram histogram = {.sum = sn_double_from_bits(sums[i]),
                                         .count = (double)INFINITY,
                                         .zero_count = -0.0,
                                         .zero_threshold = DBL_TRUE_MIN};
        assert_round_trip(&histogram, NULL);
    }
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
#define BASE "\"schema\":0,\"count\":0,\"sum\":0"
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"[]", "expected an object"},
        {"{\"count\":0,\"sum\":0}", "without schema, count or sum"},
        {"{\"schema\":0,\"sum\":0}", "without schema, count or sum"},
        {"{\"schema\":0,\"count\":0}", "without schema, count or sum"},
        {"{" BASE ",\"x\":1}", "unknown member \"x\""},
        {"{" BASE ",\"sum\":1}", "sum"},
        {"{\"schema\":2147483648,\"count\":0,\"sum\":0}", "the schema 2147483648 is not within"},
        {"{\"schema\":0.5,\"count\":0,\"sum\":0}", ""},
        {"{" BASE ",\"positive_spans\":[[0]]}", "a span is [offset, length], not 1 numbers"},
        {"{" BASE ",\"positive_spans\":[[0,1,2]]}", "not 3 numbers"},
        {"{" BASE ",\"positive_spans\":[[-2147483649,1]]}", "the offset -2147483649"},
        {"{" BASE ",\"negative_spans\":[[0,-1]]}", "the length -1"},
        {"{" BASE ",\"negative_spans\":[[0,4294967296]]}", "the length 4294967296"},
        {"{" BASE ",\"negative_spans\":[0,1]}", "expected an array"},
        {"{" BASE ",\"positive_counts\":[\"x\"]}", "\"x\" is not a value"},
        {"{" BASE ",\"custom_bounds\":{}}", "expected an array"},
        {"{" BASE ",\"counter_reset_hint\":\"maybe\"}", "\"maybe\" is none of"},
        {"{" BASE ",\"counter_reset_hint\":2}", ""},
    };
#undef BASE
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sn_arena arena;
        struct sn_histogram histogram;
        struct sn_err err = {.status = SN_OK};
        sn_arena_init(&arena, 0);
        assert_int_equal(read_text(sn_str_from(cases[i].text), &arena, &histogram, &err),
                         SN_ERR_INVALID);
        if (!strstr(err.text, cases[i].words))
            fail_msg("%s: %s", cases[i].text, err.text);
        sn_arena_release(&arena);
    }
}

static void limits_hold_at_both_sides(void **state) {
    (void)state;
    static const struct {
        const char *name, *item;
    } arrays[] = {{"positive_spans", "[0,1]"},
                  {"positive_counts", "1"},
                  {"negative_spans", "[0,1]"},
                  {"negative_counts", "1"},
                  {"custom_bounds", "1"}};
    for (size_t i = 0; i < 2 * sizeof arrays / sizeof *arrays; i++) {
        int over = (int)i % 2;
        struct sn_arena arena;
        struct sn_buf buf;
        struct sn_histogram histogram;
        struct sn_err err = {.status = SN_OK};
        sn_arena_init(&arena, 0);
        sn_buf_init(&buf, 0);
        sn_buf_printf(&buf, "{\"schema\":0,\"count\":0,\"sum\":0,\"%s\":[", arrays[i / 2].name);
        for (int k = 0; k < SN_HISTOGRAM_BUCKETS_MAX + over; k++)
            sn_buf_printf(&buf, "%s%s", k ? "," : "", arrays[i / 2].item);
        sn_buf_put_text(&buf, "]}");
        assert_int_equal(read_text(sn_buf_str(&buf), &arena, &histogram, &err),
                         over ? SN_ERR_LIMIT : SN_OK);
        assert_true(!over || strstr(err.text, "more than 2048 items"));
        sn_buf_release(&buf);
        sn_arena_release(&arena);
    }
}

/* The longest that is valid: numbers of 24 characters. */
static void the_largest_has_the_bytes_that_are_promised(void **state) {
    (void)state;
    static double numbers[SN_HISTOGRAM_BUCKETS_MAX];
    static struct sn_bucket_span many[SN_HISTOGRAM_BUCKETS_MAX];
    struct sn_buf buf;
    for (int i = 0; i < SN_HISTOGRAM_BUCKETS_MAX; i++) {
        numbers[i] = -2.2250738585072014e-308 + i * 1e-323;
        many[i] = (struct sn_bucket_span){INT32_MIN, UINT32_MAX};
    }
    struct sn_histogram histogram = {.schema = 8,
                                     .positive_spans = many,
                                     .positive_span_count = SN_HISTOGRAM_BUCKETS_MAX,
                                     .positive_counts = numbers,
                                     .positive_bucket_count = SN_HISTOGRAM_BUCKETS_MAX,
                                     .custom_bounds = numbers,
                                     .custom_bound_count = SN_HISTOGRAM_BUCKETS_MAX};
    write_text(&histogram, &buf);
    assert_true(buf.len > SN_JSON_HISTOGRAM_BYTES_MAX / 2);
    assert_true(buf.len <= SN_JSON_HISTOGRAM_BYTES_MAX);
    sn_buf_release(&buf);
}

static void memory_that_is_missing_is_a_status(void **state) {
    (void)state;
    static const struct sn_str text =
        SN_STR("{\"schema\":0,\"count\":1,\"sum\":2,\"positive_spans\":[[0,1]],"
               "\"positive_counts\":[1],\"custom_bounds\":[1,2]}");
    bool fired = true;
    for (uint64_t n = 1; fired; n++) {
        struct sn_arena arena;
        struct sn_histogram histogram;
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = read_text(text, &arena, &histogram, NULL);
        fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        assert_int_equal(status, fired ? SN_ERR_NO_MEMORY : SN_OK);
        sn_arena_release(&arena);
    }
    struct sn_arena small;
    struct sn_histogram histogram;
    sn_arena_init(&small, 20000);
    assert_int_equal(read_text(text, &small, &histogram, NULL), SN_ERR_LIMIT);
    sn_arena_release(&small);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_field_comes_back),
        cmocka_unit_test(every_hint_and_odd_number_comes_back),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(limits_hold_at_both_sides),
        cmocka_unit_test(the_largest_has_the_bytes_that_are_promised),
        cmocka_unit_test(memory_that_is_missing_is_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
