/* OTLP in Protobuf: points in the order of the message, and what is broken. */
#include "otlp_support.h"

#include "base/mem.h"

#include <stdio.h>

#define METRICS(metrics)                                                                           \
    "{'resourceMetrics':[{'resource':{'attributes':[{'key':'r','value':{'stringValue':'1'}}]},"    \
    "'scopeMetrics':[{'metrics':[" metrics "]}]}]}"

/* Everything that was visited, as text. */
struct log {
    char text[4096];
    size_t len;
    size_t fail_at; /* 0: never */
    size_t count;
};

static void put(struct log *log, const char *format, ...) SN_PRINTF(2, 3);
static void put(struct log *log, const char *format, ...) {
    va_list args;
    va_start(args, format);
    log->len += (size_t)vsnprintf(log->text + log->len, sizeof log->text - log->len, format, args);
    va_end(args);
    assert_true(log->len < sizeof log->text);
}

static void put_numbers(struct log *log, const char *name, const double *items, size_t count) {
    for (size_t i = 0; i < count; i++) {
        put(log, "%s%d", i == 0 ? name : ",", (int)(items[i] * 10));
    }
}

static void put_exemplars(struct log *log, const struct sn_otlp_point *point) {
    struct sn_otlp_attribute items[SN_OTLP_ATTRIBUTES_MAX];
    struct sn_otlp_point copy = *point;
    struct sn_otlp_exemplar exemplar;
    while (sn_otlp_next_exemplar(&copy, items, &exemplar)) {
        put(log, " ex=%d@%d/%zu/%zu/%zu", (int)exemplar.value, (int)exemplar.time_ns,
            exemplar.attributes.count, exemplar.trace_id.len, exemplar.span_id.len);
    }
}

static sn_status visit(void *ctx, const struct sn_otlp_point *point, struct sn_err *err) {
    struct log *log = ctx;
    const struct sn_otlp_metric *metric = point->metric;
    if (++log->count == log->fail_at) {
        return sn_err_set(err, SN_ERR_BUSY, "enough");
    }
    put(log, "%zu/%zu %.*s(%.*s) k%d t%d m%d", point->resource_number, point->resource->count,
        SN_STR_ARG(metric->name), SN_STR_ARG(metric->unit), (int)metric->kind,
        (int)metric->temporality, metric->is_monotonic);
    put(log, " a%zu %d-%d f%d", point->attributes.count, (int)point->start_ns, (int)point->time_ns,
        (int)point->flags);
    if (point->has_value) {
        put(log, " v=%d", (int)point->value);
    }
    put(log, " c=%d", (int)point->count);
    if (point->has_sum) {
        put(log, " s=%d", (int)point->sum);
    }
    put_numbers(log, " bounds=", point->bounds, point->bound_count);
    put_numbers(log, " buckets=", point->bucket_counts, point->bucket_count);
    if (metric->kind == SN_OTLP_EXPONENTIAL) {
        put(log, " scale=%d zero=%d th=%d", (int)point->scale, (int)point->zero_count,
            (int)point->zero_threshold);
        put(log, " +%d", (int)point->positive.offset);
        put_numbers(log, ":", point->positive.counts, point->positive.count);
        put(log, " -%d", (int)point->negative.offset);
        put_numbers(log, ":", point->negative.counts, point->negative.count);
    }
    for (size_t i = 0; i < point->quantile_count; i++) {
        put(log, " q%d=%d", (int)(point->quantiles[i].quantile * 100),
            (int)point->quantiles[i].value);
    }
    put_exemplars(log, point);
    put(log, "\n");
    return SN_OK;
}

static sn_status read(struct sn_str body, struct log *log, struct sn_err *err) {
    struct sn_arena arena;
    const struct sn_otlp_visitor visitor = {visit, log};
    sn_arena_init(&arena, 0);
    sn_status status = sn_otlp_read_metrics(body, &arena, &visitor, err);
    sn_arena_release(&arena);
    return status;
}

static void assert_read(const char *json, const char *expected) {
    struct sn_buf buf;
    struct log log = {.len = 0};
    otlp_from_text(SN_OTLP_METRICS, json, &buf);
    assert_int_equal(read(sn_buf_str(&buf), &log, NULL), SN_OK);
    assert_string_equal(log.text, expected);
    sn_buf_release(&buf);
}

#define ATTRIBUTES "'attributes':[{'key':'a','value':{'stringValue':'b'}}]"
#define TIMES "'startTimeUnixNano':1,'timeUnixNano':'2'"
#define EXEMPLAR                                                                                   \
    "{'timeUnixNano':3,'asInt':'-4','traceId':'00ff','spanId':'11','filteredAttributes':[{'key':'" \
    "e'}]}"

static const char every_kind[] = METRICS(
    "{'name':'g','unit':'By','gauge':{'dataPoints':[{" ATTRIBUTES "," TIMES ",'asDouble':7}]}},"
    "{'name':'s','sum':{'aggregationTemporality':1,'isMonotonic':true,'dataPoints':[{" TIMES
    ",'asInt':'-8','exemplars':[" EXEMPLAR "," EXEMPLAR "]},{'flags':1}]}},"
    "{'name':'h','histogram':{'aggregationTemporality':'AGGREGATION_TEMPORALITY_CUMULATIVE',"
    "'dataPoints':[{" ATTRIBUTES
    ",'count':'5','sum':2,'bucketCounts':['1','4'],'explicitBounds':[0.5]"
    ",'exemplars':[" EXEMPLAR "]}]}},"
    "{'name':'e','exponentialHistogram':{'aggregationTemporality':2,'dataPoints':[{" ATTRIBUTES
    ",'count':9,'scale':-3,'zeroCount':2,'zeroThreshold':1,'positive':{'offset':-2,'bucketCounts':"
    "[1,2]},'negative':{'bucketCounts':[3]},'exemplars':[" EXEMPLAR "]}]}},"
    "{'name':'q','summary':{'dataPoints':[{'count':2,'sum':3,'quantileValues':[{'quantile':0.5,"
    "'value':4},{'quantile':1}]}]}},"
    "{'name':'nothing'}");

static void every_kind_of_point_is_visited(void **state) {
    (void)state;
    assert_read(every_kind,
                "1/1 g(By) k1 t0 m0 a1 1-2 f0 v=7 c=0\n"
                "1/1 s() k2 t1 m1 a0 1-2 f0 v=-8 c=0 ex=-4@3/1/2/1 ex=-4@3/1/2/1\n"
                "1/1 s() k2 t1 m1 a0 0-0 f1 c=0\n"
                "1/1 h() k3 t2 m0 a1 0-0 f0 c=5 s=2 bounds=5 buckets=10,40 ex=-4@3/1/2/1\n"
                "1/1 e() k4 t2 m0 a1 0-0 f0 c=9 scale=-3 zero=2 th=1 +-2:10,20 -0:30 "
                "ex=-4@3/1/2/1\n"
                "1/1 q() k5 t0 m0 a0 0-0 f0 c=2 s=3 q50=4 q100=0\n");
}

static void resources_are_numbered_and_their_order_does_not_matter(void **state) {
    (void)state;
    assert_read(
        "{'resourceMetrics':[{'scopeMetrics':[{'metrics':[{'name':'a','gauge':{'dataPoints':"
        "[{}]}}]},{'metrics':[{'name':'b','gauge':{'dataPoints':[{}]}}]}],'resource':{"
        "'attributes':[{'key':'x'},{'key':'y'}]}},{'scopeMetrics':[{'metrics':[{'name':'c',"
        "'gauge':{'dataPoints':[{}]}}]}]}]}",
        "1/2 a() k1 t0 m0 a0 0-0 f0 c=0\n"
        "1/2 b() k1 t0 m0 a0 0-0 f0 c=0\n"
        "2/0 c() k1 t0 m0 a0 0-0 f0 c=0\n");
    assert_read("{}", "");
}

static void the_visitor_ends_the_reading(void **state) {
    (void)state;
    struct sn_buf buf;
    struct log log = {.fail_at = 2};
    struct sn_err err = {.status = SN_OK};
    otlp_from_text(SN_OTLP_METRICS, every_kind, &buf);
    assert_int_equal(read(sn_buf_str(&buf), &log, &err), SN_ERR_BUSY);
    assert_string_equal(err.text, "enough");
    assert_int_equal(log.count, 2);
    sn_buf_release(&buf);
}

/* Cut anywhere and with any bit turned: refused before anything is visited, or another message. */
static void broken_bodies_are_refused_as_a_whole(void **state) {
    (void)state;
    struct sn_buf buf;
    otlp_from_text(SN_OTLP_METRICS, every_kind, &buf);
    for (size_t len = 1; len < buf.len; len++) {
        struct log log = {.len = 0};
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(read(sn_str_make(buf.ptr, len), &log, &err), SN_ERR_INVALID);
        assert_non_null(strstr(err.text, "OTLP"));
        assert_int_equal(log.count, 0);
    }
    for (size_t bit = 0; bit < 8 * buf.len; bit++) {
        struct log log = {.fail_at = 1};
        buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
        sn_status status = read(sn_buf_str(&buf), &log, NULL);
        assert_true(status == SN_OK || status == SN_ERR_INVALID || status == SN_ERR_BUSY);
        buf.ptr[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    sn_buf_release(&buf);
}

static void too_many_buckets_are_told_and_cut(void **state) {
    (void)state;
    for (int count = SN_HISTOGRAM_BUCKETS_MAX; count <= SN_HISTOGRAM_BUCKETS_MAX + 1; count++) {
        struct sn_buf json, buf;
        struct log log = {.fail_at = 1};
        struct sn_err err = {.status = SN_OK};
        sn_buf_init(&json, 0);
        sn_buf_put_text(&json, "{'resourceMetrics':[{'scopeMetrics':[{'metrics':[{'name':'h',"
                               "'histogram':{'dataPoints':[{'bucketCounts':[1");
        for (int i = 1; i < count; i++) {
            sn_buf_put_text(&json, ",1");
        }
        sn_buf_put_text(&json, "]}]}}]}]}]}");
        sn_buf_put_byte(&json, 0);
        otlp_from_text(SN_OTLP_METRICS, (const char *)json.ptr, &buf);
        assert_int_equal(read(sn_buf_str(&buf), &log, &err), SN_ERR_BUSY);
        sn_buf_release(&buf);
        sn_buf_release(&json);
    }
}

static void logs_are_counted_and_checked(void **state) {
    (void)state;
    struct sn_buf buf;
    uint64_t count = 77;
    otlp_from_text(
        SN_OTLP_LOGS,
        "{'resourceLogs':[{'scopeLogs':[{'logRecords':[{'timeUnixNano':1,'severityNumber':9,"
        "'severityText':'x','body':{'kvlistValue':{'values':[{'key':'k'}]}},'attributes':[{"
        "'key':'a','value':{'intValue':1}}],'flags':1,'traceId':'00'},{}]}]},{'scopeLogs':[{"
        "'logRecords':[{}]}]}]}",
        &buf);
    assert_int_equal(sn_otlp_count_logs(sn_buf_str(&buf), &count, NULL), SN_OK);
    assert_int_equal(count, 3);
    for (size_t len = 1; len < buf.len; len++) {
        sn_status status = sn_otlp_count_logs(sn_str_make(buf.ptr, len), &count, NULL);
        assert_true(status == SN_ERR_INVALID || status == SN_OK); /* OK: between two resources */
    }
    sn_buf_release(&buf);
    assert_int_equal(sn_otlp_count_logs(SN_STR(""), &count, NULL), SN_OK);
    assert_int_equal(count, 0);
}

static void memory_that_is_missing_is_told(void **state) {
    (void)state;
    uint64_t count;
    struct log log = {.len = 0};
    sn_mem_fail_nth(1);
    assert_int_equal(sn_otlp_count_logs(SN_STR(""), &count, NULL), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(1);
    assert_int_equal(read(SN_STR(""), &log, NULL), SN_ERR_NO_MEMORY);
    sn_mem_fail_nth(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_of_point_is_visited),
        cmocka_unit_test(resources_are_numbered_and_their_order_does_not_matter),
        cmocka_unit_test(the_visitor_ends_the_reading),
        cmocka_unit_test(broken_bodies_are_refused_as_a_whole),
        cmocka_unit_test(too_many_buckets_are_told_and_cut),
        cmocka_unit_test(logs_are_counted_and_checked),
        cmocka_unit_test(memory_that_is_missing_is_told),
    };
    return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
