/* Bodies of POST /api/v1/history: what they may say, and what is said of those that are wrong. */
#include "api/history_batch.h"

#include "base/limits.h"
#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NOW_MS INT64_C(1700000000000)

static struct sn_arena arena;
static struct sn_history_batch batch;
static struct sn_err err;

static sn_status parse(const char *body) {
    const struct sn_history_batch_input input = {.body = sn_str_from(body), .now_ms = NOW_MS};
    sn_arena_reset(&arena);
    err = (struct sn_err){.status = SN_OK};
    return sn_history_batch_parse(&input, &arena, &batch, &err);
}

#define ONE "\"queries\":[{\"id\":\"a\",\"query\":\"x\"}]"

static void only_queries_are_needed(void **state) {
    (void)state;
    assert_int_equal(parse("{" ONE "}"), SN_OK);
    assert_int_equal(batch.step_ms, 15000);
    assert_int_equal(batch.range.end_ms, NOW_MS);
    assert_int_equal(batch.range.start_ms, (NOW_MS - 3600000) / 15000 * 15000);
    assert_int_equal(batch.timeout_ns, SN_HISTORY_TIMEOUT_NS_DEFAULT);
    assert_int_equal(batch.item_count, 1);
    assert_true(sn_str_equal(batch.items[0].id, SN_STR("a")));
    assert_true(sn_str_equal(batch.items[0].expression, SN_STR("x")));
    assert_int_equal(batch.items[0].columns, SN_HISTORY_ALL);
    assert_int_equal(batch.items[0].series_max, 0);
}

static void everything_can_be_said(void **state) {
    (void)state;
    assert_int_equal(
        parse(
            "{\"queries\":[{\"id\":\"a\",\"metric\":\"m\",\"labels\":{\"k\":\"v\"},\"limit\":7},"
            "{\"query\":\"x\",\"columns\":[\"max\",\"min\"],\"id\":\"b\"}],\"timeout\":\"5s\","
            "\"columns\":[\"avg\",\"count\"],\"start\":\"2023-11-14T22:00:00Z\",\"end\":1700000000,"
            "\"align\":false,\"points\":10}"),
        SN_OK);
    assert_int_equal(batch.range.start_ms, 1699999200000);
    assert_int_equal(batch.step_ms, 120000);
    assert_int_equal(batch.timeout_ns, INT64_C(5000000000));
    assert_true(
        sn_str_equal(batch.items[0].expression, SN_STR("{\"__name__\"=\"m\",\"k\"=\"v\"}")));
    assert_int_equal(batch.items[0].columns, SN_HISTORY_AVG | SN_HISTORY_COUNT);
    assert_int_equal(batch.items[0].series_max, 7);
    assert_int_equal(batch.items[1].columns, SN_HISTORY_MIN | SN_HISTORY_MAX);
}

static void the_start_is_a_multiple_of_the_step(void **state) {
    (void)state;
    assert_int_equal(parse("{\"start\":1003,\"end\":2000,\"step\":\"7s\"," ONE "}"), SN_OK);
    assert_int_equal(batch.range.start_ms, 1001000);
    assert_int_equal(parse("{\"start\":1003,\"end\":2000,\"step\":7,\"align\":false," ONE "}"),
                     SN_OK);
    assert_int_equal(batch.range.start_ms, 1003000);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        const char *body, *words;
        sn_status status;
    } cases[] = {
        {"", "", SN_ERR_INVALID},
        {"[]", "", SN_ERR_INVALID},
        {"{}", "\"queries\" is missing or empty", SN_ERR_INVALID},
        {"{\"queries\":[]}", "missing or empty", SN_ERR_INVALID},
        {"{" ONE ",\"x\":1}", "there is no key \"x\"", SN_ERR_INVALID},
        {"{" ONE ",\"start\":5,\"range\":5}", "one of start and range", SN_ERR_INVALID},
        {"{" ONE ",\"start\":2,\"end\":1}", "start is after end", SN_ERR_INVALID},
        {"{" ONE ",\"start\":\"soon\"}", "parameter start", SN_ERR_INVALID},
        {"{" ONE ",\"start\":true}", "line 1", SN_ERR_INVALID},
        {"{" ONE ",\"step\":0}", "parameter step", SN_ERR_INVALID},
        {"{" ONE ",\"step\":1,\"range\":\"1d\"}", "the limit is 11000", SN_ERR_LIMIT},
        {"{" ONE ",\"points\":11001}", "parameter points", SN_ERR_INVALID},
        {"{" ONE ",\"timeout\":\"121s\"}", "is above 120 s", SN_ERR_INVALID},
        {"{" ONE ",\"align\":1}", "line 1", SN_ERR_INVALID},
        {"{" ONE ",\"columns\":[]}", "at least one", SN_ERR_INVALID},
        {"{" ONE ",\"columns\":[\"sum\"]}", "column \"sum\" is none of", SN_ERR_INVALID},
        {"{\"queries\":[{\"query\":\"x\"}]}", "has no id", SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"\",\"query\":\"x\"}]}", "id has 0 bytes", SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"a\"}]}", "query \"a\" needs \"query\" or \"metric\"",
         SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"a\",\"query\":\"x\",\"metric\":\"y\"}]}", "not both",
         SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"a\",\"query\":\"x\",\"labels\":{\"k\":\"v\"}}]}",
         "labels belong to \"metric\"", SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"a\",\"query\":\"x\",\"z\":1}]}", "has no key \"z\"",
         SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"a\",\"query\":\"x\",\"limit\":1001}]}", "parameter limit",
         SN_ERR_INVALID},
        {"{\"queries\":[{\"id\":\"a\",\"query\":\"x\"},{\"id\":\"a\",\"query\":\"y\"}]}",
         "id \"a\" is there twice", SN_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_status status = parse(cases[i].body);
        if (status != cases[i].status || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%s: %s, \"%s\"", cases[i].body, sn_status_name(status), err.text);
    }
}

/* Parse what was put together in buf. */
static sn_status parse_buf(struct sn_buf *buf) {
    sn_buf_put_byte(buf, 0);
    assert_int_equal(buf->status, SN_OK);
    return parse((const char *)buf->ptr);
}

static void queries_are_limited(void **state) {
    (void)state;
    struct sn_buf body;
    sn_buf_init(&body, 0);
    for (size_t more = 0; more < 2; more++) {
        sn_buf_reset(&body);
        sn_buf_put_text(&body, "{\"queries\":[{\"id\":\"a\",\"query\":\"1\"}");
        for (size_t i = 1; i < SN_HISTORY_BATCH_MAX + more; i++)
            sn_buf_printf(&body, ",{\"id\":\"q%zu\",\"query\":\"1\"}", i);
        sn_buf_put_text(&body, "]}");
        assert_int_equal(parse_buf(&body), more > 0 ? SN_ERR_LIMIT : SN_OK);
    }
    assert_non_null(strstr(err.text, "more than 64 queries"));
    sn_buf_release(&body);
}

static void labels_are_limited(void **state) {
    (void)state;
    struct sn_buf body;
    sn_buf_init(&body, 0);
    for (size_t more = 0; more < 2; more++) {
        sn_buf_reset(&body);
        sn_buf_put_text(&body,
                        "{\"queries\":[{\"id\":\"a\",\"metric\":\"m\",\"labels\":{\"l\":\"\"");
        for (size_t i = 2; i < SN_MATCHERS_MAX + more; i++)
            sn_buf_printf(&body, ",\"l%zu\":\"v\"", i);
        sn_buf_put_text(&body, "}}]}");
        assert_int_equal(parse_buf(&body), more > 0 ? SN_ERR_LIMIT : SN_OK);
    }
    assert_non_null(strstr(err.text, "more than 64 labels"));
    sn_buf_release(&body);
}

/* ---- answers ---- */

static sn_status said_status;

static sn_status scripted_query(void *ctx, const struct sn_query *query, struct sn_arena *memory,
                                struct sn_query_result *ret_result, struct sn_err *ret_err) {
    static const int64_t time_ms = NOW_MS - 1;
    static const double value = 3;
    static const struct sn_str warning = SN_STR("PromQL warning: odd");
    static const struct sn_result_series series = {
        .time_ms = &time_ms, .value = &value, .count = 1};
    (void)ctx;
    (void)memory;
    if (said_status != SN_OK)
        return sn_err_set(ret_err, said_status, "no, at %lld", (long long)query->range.end_ms);
    *ret_result = (struct sn_query_result){.kind = SN_RESULT_MATRIX,
                                           .series = &series,
                                           .series_count = 1,
                                           .warnings = &warning,
                                           .warning_count = 1};
    return SN_OK;
}

static sn_status answer(const char *body, struct sn_buf *buf) {
    const struct sn_history_source source = {.querier = {NULL, scripted_query},
                                             .clock = sn_clock_system()};
    struct sn_json_writer json;
    assert_int_equal(parse(body), SN_OK);
    sn_buf_reset(buf);
    sn_json_write_init(&json, buf, 0);
    sn_json_write_object_begin(&json);
    sn_status status = sn_history_batch_write(&source, &batch, NULL, &json, &err);
    if (status == SN_OK)
        sn_json_write_object_end(&json);
    sn_buf_put_byte(buf, 0);
    return status;
}

static void warnings_and_failures_have_their_place(void **state) {
    (void)state;
    struct sn_buf buf;
    sn_buf_init(&buf, 0);
    const char *body = "{\"range\":1,\"step\":1,\"columns\":[\"avg\"],"
                       "\"queries\":[{\"id\":\"a\",\"query\":\"-x\"}]}";
    said_status = SN_OK;
    assert_int_equal(answer(body, &buf), SN_OK);
    assert_string_equal(buf.ptr, "{\"start\":1699999999,\"end\":1700000000,\"step\":1,"
                                 "\"t\":[1699999999,1700000000],\"results\":{\"a\":{\"series\":[{"
                                 "\"labels\":{},\"avg\":[3,null]}],\"warnings\":["
                                 "\"PromQL warning: odd\"]}}}");
    static const struct {
        sn_status status;
        const char *type;
    } cases[] = {
        {SN_ERR_INVALID, "\"errorType\":\"bad_data\",\"error\":\"no, at 1700000000000\""},
        {SN_ERR_LIMIT, "\"errorType\":\"limit\""},
        {SN_ERR_TIMEOUT, "\"errorType\":\"timeout\""},
        {SN_ERR_IO, "\"errorType\":\"unavailable\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        said_status = cases[i].status;
        assert_int_equal(answer(body, &buf), SN_OK);
        assert_non_null(strstr((const char *)buf.ptr, cases[i].type));
    }
    said_status = SN_ERR_CLOSED; /* nobody waits for the others */
    assert_int_equal(answer(body, &buf), SN_ERR_CLOSED);
    sn_buf_release(&buf);
}

static void every_failing_allocation_is_survived(void **state) {
    (void)state;
#ifdef SN_FAULTS
    uint64_t n = 0;
    bool has_fired = true;
    while (has_fired) {
        sn_arena_release(&arena);
        sn_arena_init(&arena, 0);
        sn_mem_fail_nth(++n);
        sn_status status = parse("{\"queries\":[{\"id\":\"\\u0061\",\"metric\":\"m\"}]}");
        has_fired = sn_mem_fail_fired() != 0;
        sn_mem_fail_nth(0);
        assert_int_equal(status, has_fired ? SN_ERR_NO_MEMORY : SN_OK);
    }
    assert_true(n > 1);
#endif
}

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_queries_are_needed),
        cmocka_unit_test(everything_can_be_said),
        cmocka_unit_test(the_start_is_a_multiple_of_the_step),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(queries_are_limited),
        cmocka_unit_test(labels_are_limited),
        cmocka_unit_test(warnings_and_failures_have_their_place),
        cmocka_unit_test(every_failing_allocation_is_survived),
    };
    return cmocka_run_group_tests_name("history_batch", tests, set_up, tear_down);
}
