/* The reader of protobuf exposition: what families become, and what is refused. */
#include "wire/metric_family.h"

#include "base/limits.h"
#include "base/mem.h"
#include "codec/number.h"
#include "codec/varint.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- writing messages ---- */

static void put_varint(struct sn_buf *buf, uint64_t value) {
    while (value > 0x7f) {
        sn_buf_put_byte(buf, (uint8_t)(value | 0x80));
        value >>= 7;
    }
    sn_buf_put_byte(buf, (uint8_t)value);
}

static void put_bytes(struct sn_buf *buf, unsigned field, struct sn_str bytes) {
    put_varint(buf, field << 3 | 2);
    put_varint(buf, bytes.len);
    sn_buf_put_str(buf, bytes);
}

static void put_text(struct sn_buf *buf, unsigned field, const char *text) {
    put_bytes(buf, field, sn_str_from(text));
}

static void put_number(struct sn_buf *buf, unsigned field, uint64_t value) {
    put_varint(buf, field << 3);
    put_varint(buf, value);
}

static void put_double(struct sn_buf *buf, unsigned field, double value) {
    put_varint(buf, field << 3 | 1);
    sn_buf_put_u64le(buf, sn_double_bits(value));
}

/* Close a message into its parent. */
static void put_message(struct sn_buf *buf, unsigned field, struct sn_buf *message) {
    put_bytes(buf, field, sn_buf_str(message));
    sn_buf_release(message);
}

static void put_label(struct sn_buf *buf, const char *name, const char *value) {
    struct sn_buf label = {.len = 0};
    put_text(&label, 1, name);
    put_text(&label, 2, value);
    put_message(buf, 1, &label);
}

static void put_time(struct sn_buf *buf, unsigned field, uint64_t seconds, uint64_t nanos) {
    struct sn_buf time = {.len = 0};
    put_number(&time, 1, seconds);
    put_number(&time, 2, nanos);
    put_message(buf, field, &time);
}

static void put_exemplar(struct sn_buf *buf, unsigned field) {
    struct sn_buf exemplar = {.len = 0};
    put_label(&exemplar, "trace", "abc");
    put_double(&exemplar, 2, 0.25);
    put_time(&exemplar, 3, 1000, 500000000);
    put_message(buf, field, &exemplar);
}

static void put_span(struct sn_buf *buf, unsigned field, int32_t offset, uint32_t length) {
    struct sn_buf span = {.len = 0};
    put_number(&span, 1, sn_zigzag_encode(offset));
    put_number(&span, 2, length);
    put_message(buf, field, &span);
}

/* A body of one family with one metric whose value is the message `value`. */
static void put_family(struct sn_buf *body, const char *name, unsigned type, unsigned value_field,
                       struct sn_buf *value, uint64_t time_ms) {
    struct sn_buf family = {.len = 0}, metric = {.len = 0};
    put_text(&family, 1, name);
    put_text(&family, 2, "Help.");
    put_number(&family, 3, type);
    put_label(&metric, "zone", "eu");
    put_message(&metric, value_field, value);
    if (time_ms > 0)
        put_number(&metric, 6, time_ms);
    put_message(&family, 4, &metric);
    put_varint(body, family.len);
    sn_buf_put_str(body, sn_buf_str(&family));
    sn_buf_release(&family);
}

/* ---- reading: as one line of text ---- */

static sn_status on_family(void *ctx, const struct sn_metadata *metadata, struct sn_err *err) {
    struct sn_buf *out = ctx;
    sn_buf_printf(out, "[%.*s %s %.*s %.*s]", SN_STR_ARG(metadata->metric_name),
                  sn_metric_type_name(metadata->type), SN_STR_ARG(metadata->help),
                  SN_STR_ARG(metadata->unit));
    return sn_buf_status(out, err);
}

static void render_value(struct sn_buf *out, double value) {
    char text[SN_DOUBLE_TEXT_SIZE];
    sn_double_format(value, SN_DOUBLE_TEXT, text);
    sn_buf_printf(out, " %s", text);
}

static void render_histogram(struct sn_buf *out, const struct sn_histogram *histogram) {
    sn_buf_printf(out, " {schema %d", (int)histogram->schema);
    render_value(out, histogram->count);
    render_value(out, histogram->sum);
    for (uint32_t i = 0; i < histogram->positive_bucket_count; i++)
        render_value(out, histogram->positive_counts[i]);
    sn_buf_put_text(out, " |");
    for (uint32_t i = 0; i < histogram->negative_bucket_count; i++)
        render_value(out, histogram->negative_counts[i]);
    sn_buf_put_text(out, "}");
}

static sn_status on_point(void *ctx, const struct sn_family_point *point, struct sn_err *err) {
    struct sn_buf *out = ctx;
    struct sn_labels labels;
    SN_TRY(sn_labels_make(point->labels, point->label_count, &labels, err));
    sn_buf_put_text(out, " ");
    sn_labels_format(labels, out);
    if (point->histogram != NULL)
        render_histogram(out, point->histogram);
    else
        render_value(out, point->value);
    if (point->time_ms != 0)
        sn_buf_printf(out, " @%lld", (long long)point->time_ms);
    if (point->start_time_ms != 0)
        sn_buf_printf(out, " since %lld", (long long)point->start_time_ms);
    for (size_t i = 0; i < point->exemplar_count; i++) {
        sn_buf_put_text(out, " # ");
        sn_labels_format(point->exemplars[i].labels, out);
        render_value(out, point->exemplars[i].value);
        sn_buf_printf(out, " @%lld", (long long)point->exemplars[i].time_ms);
    }
    return sn_buf_status(out, err);
}

static sn_status read_body(struct sn_str body, bool wants_native, bool wants_classic_too,
                           struct sn_buf *out, struct sn_err *err) {
    const struct sn_family_visitor visitor = {
        .ctx = out,
        .family = on_family,
        .point = on_point,
        .wants_native = wants_native,
        .wants_classic_too = wants_classic_too,
    };
    struct sn_arena arena;
    sn_arena_init(&arena, 0);
    sn_status status = sn_metric_families_read(body, &visitor, &arena, err);
    sn_arena_release(&arena);
    return status;
}

/* Takes the body. */
static void expect(struct sn_buf *body, bool wants_native, bool wants_classic_too,
                   const char *expected) {
    struct sn_buf out = {.len = 0};
    struct sn_err err = {.status = SN_OK};
    if (read_body(sn_buf_str(body), wants_native, wants_classic_too, &out, &err) != SN_OK)
        fail_msg("%s", err.text);
    sn_buf_put_byte(&out, '\0');
    assert_string_equal((const char *)out.ptr, expected);
    sn_buf_release(&out);
    sn_buf_release(body);
}

static void expect_refusal(struct sn_buf *body, const char *words) {
    struct sn_buf out = {.len = 0};
    struct sn_err err = {.status = SN_OK};
    assert_int_not_equal(read_body(sn_buf_str(body), true, false, &out, &err), SN_OK);
    if (strstr(err.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    sn_buf_release(&out);
    sn_buf_release(body);
}

/* ---- families ---- */

static void numbers_come_with_time_start_and_exemplar(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0};
    put_double(&value, 1, 3);
    put_exemplar(&value, 2);
    put_time(&value, 3, 900, 1000000);
    put_family(&body, "a_total", 0, 3, &value, 5000);
    put_double(&value, 1, -2.5);
    put_family(&body, "b", 1, 2, &value, 0);
    put_double(&value, 1, (double)NAN);
    put_family(&body, "c", 3, 5, &value, 0);
    expect(&body, true, false,
           "[a_total counter Help. ] a_total{zone=\"eu\"} 3 @5000 since 900001 "
           "# {trace=\"abc\"} 0.25 @1000500"
           "[b gauge Help. ] b{zone=\"eu\"} -2.5[c unknown Help. ] c{zone=\"eu\"} NaN");
}

static void a_summary_becomes_its_series(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0}, quantile = {.len = 0};
    put_number(&value, 1, 7);
    put_double(&value, 2, 1.5);
    put_double(&quantile, 1, 1);
    put_double(&quantile, 2, 0.75);
    put_message(&value, 3, &quantile);
    put_time(&value, 4, 1, 0);
    put_family(&body, "s", 2, 4, &value, 0);
    expect(&body, true, false,
           "[s summary Help. ] s_count{zone=\"eu\"} 7 since 1000 s_sum{zone=\"eu\"} 1.5 since 1000"
           " s{quantile=\"1.0\",zone=\"eu\"} 0.75 since 1000");
}

static void put_bucket(struct sn_buf *value, double bound, uint64_t count, bool has_exemplar) {
    struct sn_buf bucket = {.len = 0};
    put_number(&bucket, 1, count);
    put_double(&bucket, 2, bound);
    if (has_exemplar)
        put_exemplar(&bucket, 3);
    put_message(value, 3, &bucket);
}

/* 3 observations, classic and native buckets. */
static void put_histogram(struct sn_buf *value, bool is_packed, bool has_inf) {
    put_number(value, 1, 3);
    put_double(value, 2, 4.5);
    put_bucket(value, 1, 1, true);
    if (has_inf)
        put_bucket(value, (double)INFINITY, 3, false);
    put_number(value, 5, sn_zigzag_encode(2));
    put_double(value, 6, 0.001);
    put_span(value, 12, -1, 2);
    if (is_packed) {
        struct sn_buf deltas = {.len = 0};
        put_varint(&deltas, sn_zigzag_encode(2));
        put_varint(&deltas, sn_zigzag_encode(-1));
        put_message(value, 13, &deltas);
    } else {
        put_number(value, 13, sn_zigzag_encode(2));
        put_number(value, 13, sn_zigzag_encode(-1));
    }
    put_exemplar(value, 16);
}

#define CLASSIC                                                                                    \
    " h_count{zone=\"eu\"} 3 h_sum{zone=\"eu\"} 4.5 h_bucket{le=\"1.0\",zone=\"eu\"} 1"            \
    " # {trace=\"abc\"} 0.25 @1000500 h_bucket{le=\"+Inf\",zone=\"eu\"} 3"
#define NATIVE " h{zone=\"eu\"} {schema 2 3 4.5 2 1 |} # {trace=\"abc\"} 0.25 @1000500"

static void a_histogram_is_native_or_classic_or_both(void **state) {
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        struct sn_buf body = {.len = 0}, value = {.len = 0};
        put_histogram(&value, i % 2 == 0, i < 2);
        put_family(&body, "h", 4, 7, &value, 0);
        struct sn_buf again = {.len = 0}, third = {.len = 0};
        sn_buf_put_str(&again, sn_buf_str(&body));
        sn_buf_put_str(&third, sn_buf_str(&body));
        expect(&body, false, false, "[h histogram Help. ]" CLASSIC);
        expect(&again, true, false, "[h histogram Help. ]" NATIVE);
        expect(&third, true, true, "[h histogram Help. ]" NATIVE CLASSIC);
    }
}

static void a_float_histogram_has_both_sides(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0};
    put_double(&value, 4, 4);
    put_double(&value, 2, 1);
    put_double(&value, 8, 0.5);
    put_span(&value, 9, 0, 1);
    put_double(&value, 11, 1.5);
    put_span(&value, 12, 0, 1);
    put_double(&value, 14, 2);
    put_family(&body, "h", 5, 7, &value, 0);
    expect(&body, true, false, "[h gaugehistogram Help. ] h{zone=\"eu\"} {schema 0 4 1 2 | 1.5}");
}

/* ---- refused ---- */

static void what_is_not_well_formed_is_refused_with_its_family(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0};
    sn_buf_put_text(&body, "\x7f");
    expect_refusal(&body, "metric family 1 is cut short");
    put_text(&value, 1, "x");
    put_family(&body, "a", 1, 2, &value, 0);
    expect_refusal(&body, "metric family 1 (a): a number is not well-formed");
    put_double(&value, 1, 1);
    put_family(&body, "a", 1, 3, &value, 0);
    expect_refusal(&body, "no value of its family's type");
    put_double(&value, 1, 1);
    put_family(&body, "a", 9, 2, &value, 0);
    expect_refusal(&body, "unknown type 9");
    put_double(&value, 1, 1);
    put_family(&body, "", 1, 2, &value, 0);
    expect_refusal(&body, "no name");
    put_double(&value, 1, 1);
    put_family(&body, "\xff", 1, 2, &value, 0);
    expect_refusal(&body, "a text is not well-formed");
    put_number(&value, 1, 1);
    put_span(&value, 12, 0, 2);
    put_number(&value, 13, 2);
    put_family(&body, "h", 4, 7, &value, 0);
    expect_refusal(&body, "metric family 1 (h)");
    put_double(&value, 1, 1);
    put_time(&value, 3, 1, 1000000000);
    put_family(&body, "a", 0, 3, &value, 0);
    expect_refusal(&body, "a timestamp is not well-formed");
}

static void put_many_labels(struct sn_buf *body, size_t count) {
    struct sn_buf family = {.len = 0}, metric = {.len = 0}, value = {.len = 0};
    put_text(&family, 1, "a");
    put_number(&family, 3, 1);
    for (size_t i = 0; i < count; i++) {
        char name[24];
        (void)snprintf(name, sizeof name, "l%zu", i);
        put_label(&metric, name, "x");
    }
    put_double(&value, 1, 1);
    put_message(&metric, 2, &value);
    put_message(&family, 4, &metric);
    put_varint(body, family.len);
    sn_buf_put_str(body, sn_buf_str(&family));
    sn_buf_release(&family);
}

static void labels_have_a_limit(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, out = {.len = 0};
    put_many_labels(&body, SN_LABELS_MAX - 1);
    assert_int_equal(read_body(sn_buf_str(&body), true, false, &out, NULL), SN_OK);
    sn_buf_release(&out);
    sn_buf_reset(&body);
    put_many_labels(&body, SN_LABELS_MAX);
    expect_refusal(&body, "more than 127 labels");
}

static void buckets_have_a_limit(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0};
    put_number(&value, 1, 1);
    put_span(&value, 12, 0, SN_HISTOGRAM_BUCKETS_MAX * 11);
    for (int i = 0; i < SN_HISTOGRAM_BUCKETS_MAX * 11; i++)
        put_number(&value, 13, 0);
    put_family(&body, "h", 4, 7, &value, 0);
    expect_refusal(&body, "buckets");
}

static void every_cut_is_refused_or_shorter_by_a_family(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0};
    put_histogram(&value, true, true);
    put_family(&body, "h", 4, 7, &value, 0);
    size_t first = body.len;
    put_double(&value, 1, 1);
    put_family(&body, "a", 1, 2, &value, 0);
    for (size_t len = 0; len < body.len; len++) {
        struct sn_buf out = {.len = 0};
        sn_status status = read_body(sn_str_make(body.ptr, len), true, true, &out, NULL);
        assert_int_equal(status, len == 0 || len == first ? SN_OK : SN_ERR_INVALID);
        sn_buf_release(&out);
    }
    sn_buf_release(&body);
}

static void any_allocation_may_fail(void **state) {
    (void)state;
    struct sn_buf body = {.len = 0}, value = {.len = 0};
    put_histogram(&value, true, true);
    put_family(&body, "h", 4, 7, &value, 0);
    for (uint64_t n = 1;; n++) {
        struct sn_buf out = {.len = 0};
        sn_mem_fail_nth(n);
        sn_status status = read_body(sn_buf_str(&body), true, true, &out, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sn_buf_release(&out);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
        if (!has_fired)
            break;
    }
    sn_buf_release(&body);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_come_with_time_start_and_exemplar),
        cmocka_unit_test(a_summary_becomes_its_series),
        cmocka_unit_test(a_histogram_is_native_or_classic_or_both),
        cmocka_unit_test(a_float_histogram_has_both_sides),
        cmocka_unit_test(what_is_not_well_formed_is_refused_with_its_family),
        cmocka_unit_test(labels_have_a_limit),
        cmocka_unit_test(buckets_have_a_limit),
        cmocka_unit_test(every_cut_is_refused_or_shorter_by_a_family),
        cmocka_unit_test(any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
