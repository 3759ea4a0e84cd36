/* Results as JSON: native histograms, mixed series, limits, statistics. */
#include "api/prom_priv.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct sn_label name = {SN_STR("__name__"), SN_STR("h")};
static const struct sn_bucket_span positive_spans[] = {{0, 2}, {1, 1}}, negative_spans[] = {{1, 2}};
static const double positive_counts[] = {1, 2, 3}, negative_counts[] = {4, 5};

/* Schema 0: bucket i covers (2^(i-1), 2^i]. */
static const struct sn_histogram exponential = {
    .zero_threshold = 0.25,
    .zero_count = 6,
    .count = 21,
    .sum = -1.5,
    .positive_spans = positive_spans,
    .positive_counts = positive_counts,
    .negative_spans = negative_spans,
    .negative_counts = negative_counts,
    .positive_span_count = 2,
    .positive_bucket_count = 3,
    .negative_span_count = 1,
    .negative_bucket_count = 2,
};

static void check(const struct sn_query_result *result, size_t limit, bool has_stats,
                  const char *wanted) {
    struct sn_buf buf;
    struct sn_json_writer json;
    sn_buf_init(&buf, 0);
    sn_json_write_init(&json, &buf, SN_JSON_NON_FINITE_TEXT);
    sn_prom_write_result(&json, result, limit, has_stats);
    assert_int_equal(sn_json_write_finish(&json, NULL), SN_OK);
    sn_buf_put_byte(&buf, '\0');
    assert_string_equal((const char *)buf.ptr, wanted);
    sn_buf_release(&buf);
}

#define VECTOR(body)                                                                               \
    "{\"resultType\":\"vector\",\"result\":[{\"metric\":{\"__name__\":\"h\"}," body "}]}"
#define MATRIX(body)                                                                               \
    "{\"resultType\":\"matrix\",\"result\":[{\"metric\":{\"__name__\":\"h\"}," body "}]}"
#define EXPONENTIAL                                                                                \
    "{\"count\":\"21\",\"sum\":\"-1.5\",\"buckets\":[[1,\"-4\",\"-2\",\"5\"],[1,\"-2\",\"-1\","    \
    "\"4\"],[3,\"-0.25\",\"0.25\",\"6\"],[0,\"0.5\",\"1\",\"1\"],[0,\"1\",\"2\",\"2\"],[0,\"4\","  \
    "\"8\",\"3\"]]}"

static struct sn_query_result histogram_result(const struct sn_result_series *series,
                                               enum sn_result_kind kind) {
    return (struct sn_query_result){.kind = kind, .series = series, .series_count = 1};
}

static void buckets_of_histograms_rise_from_negative_to_positive(void **state) {
    (void)state;
    const int64_t time_ms = 1500;
    const struct sn_result_series series = {.labels = {&name, 1},
                                            .histogram_time_ms = &time_ms,
                                            .histograms = &exponential,
                                            .histogram_count = 1};
    const struct sn_query_result result = histogram_result(&series, SN_RESULT_VECTOR);
    check(&result, 0, false, VECTOR("\"histogram\":[1.5," EXPONENTIAL "]"));
}

static void custom_buckets_end_at_their_bounds_and_infinity(void **state) {
    (void)state;
    static const double bounds[] = {1, 5};
    static const struct sn_bucket_span spans[] = {{0, 3}};
    const struct sn_histogram custom = {
        .schema = SN_HISTOGRAM_SCHEMA_CUSTOM,
        .count = 6,
        .sum = (double)NAN,
        .positive_spans = spans,
        .positive_counts = positive_counts,
        .positive_span_count = 1,
        .positive_bucket_count = 3,
        .custom_bounds = bounds,
        .custom_bound_count = 2,
    };
    const int64_t time_ms = 1000;
    const struct sn_result_series series = {.labels = {&name, 1},
                                            .histogram_time_ms = &time_ms,
                                            .histograms = &custom,
                                            .histogram_count = 1};
    const struct sn_query_result result = histogram_result(&series, SN_RESULT_VECTOR);
    check(&result, 0, false,
          VECTOR("\"histogram\":[1,{\"count\":\"6\",\"sum\":\"NaN\",\"buckets\":[[3,\"-Inf\","
                 "\"1\",\"1\"],[0,\"1\",\"5\",\"2\"],[0,\"5\",\"+Inf\",\"3\"]]}]"));
}

static void empty_buckets_are_left_out(void **state) {
    (void)state;
    static const double counts[] = {0, 2, 0};
    struct sn_histogram sparse = exponential;
    sparse.zero_count = 0;
    sparse.positive_counts = counts;
    sparse.negative_counts = counts;
    const int64_t time_ms = 0;
    const struct sn_result_series series = {.labels = {&name, 1},
                                            .histogram_time_ms = &time_ms,
                                            .histograms = &sparse,
                                            .histogram_count = 1};
    const struct sn_query_result result = histogram_result(&series, SN_RESULT_VECTOR);
    check(&result, 0, false,
          VECTOR("\"histogram\":[0,{\"count\":\"21\",\"sum\":\"-1.5\",\"buckets\":[[1,\"-4\","
                 "\"-2\",\"2\"],[0,\"1\",\"2\",\"2\"]]}]"));
}

static void a_series_of_a_matrix_may_have_both_kinds(void **state) {
    (void)state;
    const int64_t times_ms[] = {1000, 3000}, histogram_time_ms = 2000;
    const double values[] = {-0.0, HUGE_VAL};
    const struct sn_result_series series = {.labels = {&name, 1},
                                            .time_ms = times_ms,
                                            .value = values,
                                            .count = 2,
                                            .histogram_time_ms = &histogram_time_ms,
                                            .histograms = &exponential,
                                            .histogram_count = 1};
    const struct sn_query_result result = histogram_result(&series, SN_RESULT_MATRIX);
    check(&result, 0, false,
          MATRIX("\"values\":[[1,\"-0\"],[3,\"+Inf\"]],\"histograms\":[[2," EXPONENTIAL "]]"));
}

static void a_limit_cuts_series(void **state) {
    (void)state;
    const int64_t time_ms = 1000;
    const double value = 1;
    const struct sn_result_series one = {
        .labels = {&name, 1}, .time_ms = &time_ms, .value = &value, .count = 1};
    const struct sn_result_series series[] = {one, one, one};
    struct sn_query_result result = histogram_result(series, SN_RESULT_VECTOR);
    result.series_count = 3;
    check(&result, 1, false, VECTOR("\"value\":[1,\"1\"]"));
    result.series_count = 1;
    check(&result, 2, false, VECTOR("\"value\":[1,\"1\"]"));
}

static void statistics_are_in_seconds(void **state) {
    (void)state;
    const struct sn_query_result result = {
        .kind = SN_RESULT_SCALAR,
        .scalar = {1000, 2},
        .stats = {.sample_count = 4,
                  .queryable_count = 40,
                  .peak_count = 6,
                  .series_count = 3,
                  .point_count = 2,
                  .memory_bytes = 1,
                  .queued_ns = 500000000,
                  .parse_ns = 250000000,
                  .eval_ns = 2000000000,
                  .sort_ns = 500000000},
    };
    check(&result, 0, true,
          "{\"resultType\":\"scalar\",\"result\":[1,\"2\"],\"stats\":{\"timings\":{"
          "\"evalTotalTime\":2.25,\"resultSortTime\":0.5,\"queryPreparationTime\":0.25,"
          "\"innerEvalTime\":1.5,\"execQueueTime\":0.5,\"execTotalTime\":2.75},\"samples\":{"
          "\"totalQueryableSamples\":40,\"peakSamples\":6,\"samplesRead\":4,\"series\":3,"
          "\"points\":2,\"memoryBytes\":1}}}");
}

static void strings_are_escaped(void **state) {
    (void)state;
    const struct sn_query_result result = {
        .kind = SN_RESULT_STRING, .string_sample = {1250, 0}, .string = SN_STR("a\"\n\xff")};
    check(&result, 0, false,
          "{\"resultType\":\"string\",\"result\":[1.25,\"a\\\"\\n\xEF\xBF\xBD\"]}");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_of_histograms_rise_from_negative_to_positive),
        cmocka_unit_test(custom_buckets_end_at_their_bounds_and_infinity),
        cmocka_unit_test(empty_buckets_are_left_out),
        cmocka_unit_test(a_series_of_a_matrix_may_have_both_kinds),
        cmocka_unit_test(a_limit_cuts_series),
        cmocka_unit_test(statistics_are_in_seconds),
        cmocka_unit_test(strings_are_escaped),
    };
    return cmocka_run_group_tests_name("prom_result", tests, NULL, NULL);
}
