/* OTLP requests, written as JSON, as what the sink gets. */
#include "ingest/otlp.h"

#include "base/mem.h"
#include "ingest_support.h"
#include "wire/otlp_json.h"

#include <stdlib.h>

struct scene {
    struct book book;
    struct sn_ingest ingest;
    struct sn_otlp_deltas deltas;
    struct sn_ingest_otlp_result result;
};

static int set_up(void **state) {
    struct scene *scene = calloc(1, sizeof *scene);
    if (scene == NULL) {
        return -1;
    }
    book_init(&scene->book);
    sn_ingest_init(&scene->ingest, book_sink(&scene->book));
    sn_otlp_deltas_init(&scene->deltas, 2);
    *state = scene;
    return 0;
}

static int tear_down(void **state) {
    struct scene *scene = *state;
    sn_otlp_deltas_release(&scene->deltas);
    book_release(&scene->book);
    free(scene);
    return 0;
}

/* The Protobuf form of a document in which ' stands for ". */
static void translate(enum sn_otlp_signal signal, const char *json, struct sn_buf *ret_protobuf) {
    struct sn_arena arena;
    struct sn_err err = {.status = SN_OK};
    struct sn_buf copy;
    sn_buf_init(&copy, 0);
    for (const char *at = json; *at != '\0'; at++) {
        sn_buf_put_byte(&copy, *at == '\'' ? '"' : (uint8_t)*at);
    }
    sn_arena_init(&arena, 0);
    sn_buf_init(ret_protobuf, 0);
    if (sn_otlp_from_json(signal, sn_buf_str(&copy), 1, &arena, ret_protobuf, &err) != SN_OK) {
        fail_msg("%s in %s", err.text, json);
    }
    sn_arena_release(&arena);
    sn_buf_release(&copy);
}

static sn_status take_status(struct scene *scene, const char *json) {
    struct sn_buf body;
    const struct sn_push_done nobody = {.fn = NULL};
    translate(SN_OTLP_METRICS, json, &body);
    sn_status status = sn_ingest_otlp_metrics(&scene->ingest, &scene->deltas, sn_buf_str(&body), 1,
                                              nobody, &scene->result, NULL);
    sn_buf_release(&body);
    return status;
}

static const char *take(struct scene *scene, const char *json) {
    assert_int_equal(take_status(scene, json), SN_OK);
    return book_read(&scene->book);
}

#define RESOURCE(attributes, metrics)                                                              \
    "{'resourceMetrics':[{'resource':{'attributes':[" attributes                                   \
    "]},'scopeMetrics':[{'metrics':[" metrics "]}]}]}"
#define METRICS(metrics) RESOURCE("", metrics)
#define TEXT(key, value) "{'key':'" key "','value':{'stringValue':'" value "'}}"
#define AT5 "'timeUnixNano':'5000000'"
#define SINCE3 "'startTimeUnixNano':'3000000'," AT5
#define SUM(kind, points)                                                                          \
    "{'name':'n','sum':{'aggregationTemporality':" kind                                            \
    ",'isMonotonic':true,'dataPoints':[" points "]}}"

static void gauges_and_sums_become_samples(void **state) {
    assert_string_equal(
        take(
            *state,
            METRICS(
                "{'name':'room.temp','unit':'Cel','description':'How warm.','gauge':{'dataPoints':"
                "[{" AT5 ",'asDouble':21.5,'attributes':[" TEXT(
                    "room.name",
                    "lab") "]},{" AT5 ",'asInt':'-3'}]}},"
                           "{'name':'requests','sum':{'aggregationTemporality':2,'isMonotonic':true,"
                           "'dataPoints':[{" SINCE3
                           ",'asInt':7,'exemplars':[{'timeUnixNano':4000000,"
                           "'asDouble':1,'traceId':'0a0b','filteredAttributes':[" TEXT(
                               "k",
                               "v") "]}]}]}},"
                                    "{'name':'queue','sum':{'aggregationTemporality':2,'dataPoints':[{" SINCE3
                                    ",'asInt':4}]}}")),
        "# queue gauge [] \n# requests_total counter [] \n"
        "# room_temp_celsius gauge [celsius] How warm.\nqueue 4 @5\n"
        "requests_total # {k=\"v\",trace_id=\"0a0b\"} 1 @4\nrequests_total 7 @5 start=3\n"
        "room_temp_celsius -3 @5\nroom_temp_celsius{room_name=\"lab\"} 21.5 @5\n");
}

static void resources_become_job_instance_and_target_info(void **state) {
    assert_string_equal(
        take(*state,
             RESOURCE(
                 TEXT("service.namespace", "shop") "," TEXT("service.name", "cart") "," TEXT(
                     "service.instance.id", "i1") "," TEXT("host.name", "h"),
                 "{'name':'n','gauge':{'dataPoints':[{" AT5 ",'asInt':1},{"
                 "'timeUnixNano':6000000,'asInt':2,'attributes':[" TEXT("job", "mine") "]}]}}")),
        "# n gauge [] \n# target_info gauge [] Target metadata\n"
        "n{instance=\"i1\",job=\"shop/cart\"} 1 @5\nn{instance=\"i1\",job=\"shop/cart\"} 2 @6\n"
        "target_info{host_name=\"h\",instance=\"i1\",job=\"shop/cart\"} 1 @6\n");
    assert_string_equal(
        take(*state, RESOURCE(TEXT("service.name", "cart"),
                              "{'name':'n','gauge':{'dataPoints':[{" AT5 ",'asInt':1}]}}")),
        "# n gauge [] \nn{job=\"cart\"} 1 @5\n");
}

static void attributes_of_one_label_are_joined(void **state) {
    assert_string_equal(
        take(*state,
             METRICS("{'name':'n','gauge':{'dataPoints':[{" AT5
                     ",'asInt':1,'attributes':[" TEXT("b.c", "2") "," TEXT("b_c", "3") "," TEXT(
                         "b-c", "1") ",{'key':'n','value':{'intValue':5}}]}]}}")),
        "# n gauge [] \nn{b_c=\"1;2;3\",n=\"5\"} 1 @5\n");
}

#define HISTOGRAM(kind, more)                                                                      \
    "{'name':'h','unit':'s','histogram':{'aggregationTemporality':" kind ",'dataPoints':[{" SINCE3 \
    ",'count':6,'sum':4.5,'bucketCounts':[1,2,3],'explicitBounds':[0.5,1]" more "}]}}"

static void histograms_become_classic_ones(void **state) {
    assert_string_equal(
        take(*state, METRICS(HISTOGRAM("2", ",'exemplars':[{'asDouble':0.7,'spanId':'ff'}]"))),
        "# h_seconds histogram [seconds] \n"
        "h_seconds_bucket{le=\"+Inf\"} 6 @5 start=3\nh_seconds_bucket{le=\"0.5\"} 1 @5 start=3\n"
        "h_seconds_bucket{le=\"1\"} # {span_id=\"ff\"} 0.7 @5\n"
        "h_seconds_bucket{le=\"1\"} 3 @5 start=3\nh_seconds_count 6 @5 start=3\n"
        "h_seconds_sum 4.5 @5 start=3\n");
    struct scene *scene = *state;
    assert_int_equal(scene->result.rejected_point_count, 0);
}

static void a_start_behind_the_time_is_not_known(void **state) {
    assert_string_equal(
        take(*state, METRICS(SUM("1", "{'startTimeUnixNano':7000000," AT5 ",'asInt':2}"))),
        "# n_total counter [] \nn_total 2 @5\n");
    assert_string_equal(
        take(*state, METRICS(SUM("2", "{'startTimeUnixNano':7000000," AT5 ",'asInt':2}"))),
        "# n_total counter [] \nn_total 2 @5\n");
}

static void deltas_add_up(void **state) {
    const char *first = METRICS(SUM("1", "{" SINCE3 ",'asInt':5}"));
    assert_string_equal(take(*state, first), "# n_total counter [] \nn_total 5 @5 start=3\n");
    assert_string_equal(take(*state, first), "# n_total counter [] \nn_total 5 @5 start=3\n");
    assert_string_equal(
        take(*state, METRICS(SUM("1", "{'startTimeUnixNano':5000000,'timeUnixNano':9000000,"
                                      "'asInt':2}"))),
        "# n_total counter [] \nn_total 7 @9 start=3\n");
    assert_non_null(strstr(take(*state, METRICS(HISTOGRAM("1", ""))), "h_seconds_count 6 @5"));
    assert_string_equal(take(*state, METRICS(SUM("1", "{'timeUnixNano':1000000,'asInt':2}"))),
                        "# n_total counter [] \n");
    struct scene *scene = *state;
    assert_int_equal(scene->result.samples.rejected_count[SN_REJECT_OUT_OF_ORDER], 1);
    assert_int_equal(scene->result.rejected_point_count, 1);
    (void)take(*state,
               METRICS("{'name':'third','sum':{'aggregationTemporality':1,'dataPoints':[{" AT5
                       ",'asInt':1}]}}"));
    assert_int_equal(scene->result.samples.rejected_count[SN_REJECT_SERIES_LIMIT], 1);
}

#define EXPONENTIAL(kind, time, more)                                                              \
    "{'name':'e','exponentialHistogram':{'aggregationTemporality':" kind ",'dataPoints':[{"        \
    "'timeUnixNano':'" time                                                                        \
    "000000','startTimeUnixNano':'3000000','count':7,'sum':9,'zeroCount':1" more "}]}}"

static void exponential_histograms_become_native_ones(void **state) {
    assert_string_equal(
        take(*state, METRICS(EXPONENTIAL("2", "5",
                                         ",'scale':2,'positive':{'offset':-1,'bucketCounts':[1,2]},"
                                         "'negative':{'offset':3,'bucketCounts':[3]},'exemplars':[{"
                                         "'asDouble':2}]"))),
        "# e histogram [] \ne # {} 2 @5\n"
        "e schema=2 hint=0 count=7 sum=9 zero=1 +[0,2]:1,2 -[4,1]:3 @5 start=3\n");
    /* Scale 9 is more than there is: neighbours become one. */
    assert_non_null(strstr(
        take(*state, METRICS(EXPONENTIAL(
                         "2", "6", ",'scale':9,'positive':{'offset':-2,'bucketCounts':[1,2,3]}"))),
        "e schema=8 hint=0 count=7 sum=9 zero=1 +[0,2]:3,3 @6 start=3\n"));
    assert_non_null(strstr(
        take(*state, METRICS(EXPONENTIAL("1", "7",
                                         ",'scale':0,'positive':{'offset':0,'bucketCounts':[6]}"))),
        "+[1,1]:6 @7 start=3\n"));
    assert_non_null(strstr(
        take(*state, METRICS(EXPONENTIAL("1", "8",
                                         ",'scale':0,'positive':{'offset':1,'bucketCounts':[6]}"))),
        "count=14 sum=18 zero=2 +[1,2]:6,6 @8 start=3\n"));
}

static void summaries_have_quantiles(void **state) {
    assert_string_equal(
        take(*state,
             METRICS("{'name':'s','summary':{'dataPoints':[{" SINCE3 ",'count':2,'sum':3,"
                     "'quantileValues':[{'quantile':0.5,'value':1},{'quantile':1,'value':2}]}"
                     "]}}")),
        "# s summary [] \ns_count 2 @5 start=3\ns_sum 3 @5 start=3\n"
        "s{quantile=\"0.5\"} 1 @5\ns{quantile=\"1\"} 2 @5\n");
}

static void a_point_without_a_value_ends_its_series(void **state) {
    const char *text =
        take(*state, METRICS("{'name':'g','gauge':{'dataPoints':[{" AT5
                             ",'flags':1}]}}," SUM("2", "{" SINCE3 ",'flags':1}") "," HISTOGRAM(
                                 "2", ",'flags':1") "," EXPONENTIAL("2", "5", ",'flags':1")));
    assert_non_null(strstr(text, "g stale @5\n"));
    assert_non_null(strstr(text, "n_total stale @5"));
    assert_non_null(strstr(text, "h_seconds_bucket{le=\"+Inf\"} stale @5"));
    assert_non_null(strstr(text, "h_seconds_sum stale @5"));
    assert_non_null(strstr(text, "sum=stale"));
}

static void assert_rejected(struct scene *scene, const char *metric, unsigned reason,
                            const char *words) {
    struct sn_buf json;
    sn_buf_init(&json, 0);
    sn_buf_printf(&json,
                  "{'resourceMetrics':[{'scopeMetrics':[{'metrics':[%s,{'name':'ok','gauge':{"
                  "'dataPoints':[{" AT5 ",'asInt':1}]}}]}]}]}",
                  metric);
    sn_buf_put_byte(&json, 0);
    assert_non_null(strstr(take(scene, (const char *)json.ptr), "ok 1 @5\n"));
    if (scene->result.rejected_point_count != 1) {
        fail_msg("%s: taken", metric);
    }
    assert_int_equal(scene->result.point_count, 2);
    assert_int_equal(scene->result.samples.rejected_count[reason], 1);
    if (strstr(scene->result.samples.first_reject.text, words) == NULL) {
        fail_msg("%s: %s", metric, scene->result.samples.first_reject.text);
    }
    sn_buf_release(&json);
}

static void what_cannot_be_taken_is_named_and_the_rest_is_taken(void **state) {
#define GAUGE(name, point) "{'name':'" name "','gauge':{'dataPoints':[{" point "}]}}"
    assert_rejected(*state, GAUGE("...", AT5 ",'asInt':1"), SN_INGEST_INVALID_LABELS, "name");
    assert_rejected(*state, GAUGE("a", "'asInt':1"), SN_REJECT_TOO_OLD, "no time");
    assert_rejected(*state, GAUGE("a", AT5), SN_INGEST_MALFORMED, "no value");
    assert_rejected(*state, SUM("0", "{" AT5 ",'asInt':1}"), SN_INGEST_MALFORMED,
                    "neither delta nor cumulative");
    assert_rejected(*state,
                    "{'name':'h','histogram':{'aggregationTemporality':2,'dataPoints':[{" AT5
                    ",'bucketCounts':[1],'explicitBounds':[1]}]}}",
                    SN_INGEST_INVALID_HISTOGRAM, "bounds");
    assert_rejected(*state,
                    "{'name':'h','histogram':{'aggregationTemporality':2,'dataPoints':[{" AT5
                    ",'bucketCounts':[1,1,1],'explicitBounds':[2,1]}]}}",
                    SN_INGEST_INVALID_HISTOGRAM, "bounds");
    assert_rejected(*state, EXPONENTIAL("2", "5", ",'scale':-5"), SN_INGEST_INVALID_HISTOGRAM,
                    "scale");
    assert_rejected(
        *state,
        EXPONENTIAL("2", "5", ",'scale':0,'positive':{'offset':2147483647,'bucketCounts':[1]}"),
        SN_INGEST_INVALID_HISTOGRAM, "world");
    assert_rejected(*state, EXPONENTIAL("2", "5", ",'scale':0,'positive':{'bucketCounts':[100]}"),
                    SN_INGEST_INVALID_HISTOGRAM, "more than its count");
}

static void too_many_attributes_are_too_many(void **state) {
    struct scene *scene = *state;
    for (int count = 126; count <= 130; count += 4) {
        struct sn_buf json;
        sn_buf_init(&json, 0);
        sn_buf_put_text(&json,
                        "{'resourceMetrics':[{'scopeMetrics':[{'metrics':[{'name':'n','gauge':{"
                        "'dataPoints':[{" AT5 ",'asInt':1,'attributes':[");
        for (int i = 0; i < count; i++) {
            sn_buf_printf(&json, "%s{'key':'k%d','value':{'intValue':1}}", i > 0 ? "," : "", i);
        }
        sn_buf_put_text(&json, "]}]}}]}]}]}");
        sn_buf_put_byte(&json, 0);
        (void)take(scene, (const char *)json.ptr);
        assert_int_equal(scene->result.rejected_point_count, count > 127);
        sn_buf_release(&json);
    }
}

static void what_the_sink_refuses_is_counted(void **state) {
    struct scene *scene = *state;
    scene->book.refused_count = 1;
    (void)take(scene, METRICS(SUM("2", "{" SINCE3 ",'asInt':1}")));
    assert_int_equal(scene->result.rejected_point_count, 1);
    scene->book.push_status = SN_ERR_BUSY;
    assert_int_equal(take_status(scene, METRICS(SUM("2", "{" SINCE3 ",'asInt':1}"))), SN_ERR_BUSY);
    struct sn_ingest_counters counters = sn_ingest_read_counters(&scene->ingest);
    assert_int_equal(counters.request_count, 2);
    assert_int_equal(counters.refused_request_count, 1);
}

static void a_broken_body_pushes_nothing(void **state) {
    struct scene *scene = *state;
    const struct sn_push_done nobody = {.fn = NULL};
    assert_int_equal(sn_ingest_otlp_metrics(&scene->ingest, &scene->deltas, SN_STR("\x0a\x05x"), 1,
                                            nobody, &scene->result, NULL),
                     SN_ERR_INVALID);
    assert_int_equal(scene->book.push_count, 0);
}

static void logs_are_checked_and_counted_as_rejected(void **state) {
    struct scene *scene = *state;
    struct sn_buf body;
    uint64_t count = 0;
    translate(SN_OTLP_LOGS, "{'resourceLogs':[{'scopeLogs':[{'logRecords':[{},{}]}]}]}", &body);
    assert_int_equal(sn_ingest_otlp_logs(&scene->ingest, sn_buf_str(&body), &count, NULL), SN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(sn_ingest_read_counters(&scene->ingest).rejected_count[SN_INGEST_LOG_RECORD],
                     2);
    assert_int_equal(sn_ingest_otlp_logs(&scene->ingest, SN_STR("\x0a"), &count, NULL),
                     SN_ERR_INVALID);
    sn_buf_release(&body);
}

static void without_memory_nothing_is_left_behind(void **state) {
    struct scene *scene = *state;
    struct sn_buf body;
    bool has_failed = true;
    translate(
        SN_OTLP_METRICS,
        RESOURCE(TEXT("service.name", "a") "," TEXT("b", "c"),
                 HISTOGRAM("2", ",'exemplars':[{'asDouble':0.7,'spanId':'ff'}]") "," EXPONENTIAL(
                     "2", "5", ",'scale':0,'positive':{'bucketCounts':[2]}")),
        &body);
    scene->book.is_closed = true;
    int64_t blocks = sn_mem_block_count();
    for (uint64_t n = 1; has_failed; n++) {
        const struct sn_push_done nobody = {.fn = NULL};
        sn_mem_fail_nth(n);
        sn_status status = sn_ingest_otlp_metrics(&scene->ingest, &scene->deltas, sn_buf_str(&body),
                                                  1, nobody, &scene->result, NULL);
        has_failed = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_failed ? SN_ERR_NO_MEMORY : SN_OK);
        assert_int_equal(sn_mem_block_count(), blocks);
    }
    sn_buf_release(&body);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(gauges_and_sums_become_samples),
        TEST(resources_become_job_instance_and_target_info),
        TEST(attributes_of_one_label_are_joined),
        TEST(histograms_become_classic_ones),
        TEST(a_start_behind_the_time_is_not_known),
        TEST(deltas_add_up),
        TEST(exponential_histograms_become_native_ones),
        TEST(summaries_have_quantiles),
        TEST(a_point_without_a_value_ends_its_series),
        TEST(what_cannot_be_taken_is_named_and_the_rest_is_taken),
        TEST(too_many_attributes_are_too_many),
        TEST(what_the_sink_refuses_is_counted),
        TEST(a_broken_body_pushes_nothing),
        TEST(logs_are_checked_and_counted_as_rejected),
        TEST(without_memory_nothing_is_left_behind),
    };
    return cmocka_run_group_tests_name("otlp", tests, NULL, NULL);
}
