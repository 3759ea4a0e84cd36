/* What a client of the stream may want, and what is said of what it may not. */
#include "api/stream_params.h"

#include "api_support.h"

#include <stdio.h>
#include <string.h>

static struct sn_stream_spec spec;
static struct sn_err err;

static sn_status parse(const struct param *params) {
    err = (struct sn_err){.status = SN_OK};
    return sn_stream_spec_parse(next_param, params, &spec, &err);
}

static void an_hour_is_told_every_second(void **state) {
    (void)state;
    const struct param params[] = {{"topics", "tick"}, {NULL, NULL}};
    assert_int_equal(parse(params), SN_OK);
    assert_true(spec.wants[SN_STREAM_TICK]);
    assert_false(spec.wants[SN_STREAM_OVERVIEW]);
    assert_int_equal(spec.range_ms, 3600000);
    assert_int_equal(spec.step_ms, 15000);
    assert_int_equal(spec.tempo_ms, 1000);
}

static void longer_ranges_are_told_once_per_step(void **state) {
    (void)state;
    const struct param params[] = {{"topics", "tick,overview"}, {"range", "6h"}, {NULL, NULL}};
    assert_int_equal(parse(params), SN_OK);
    assert_true(spec.wants[SN_STREAM_OVERVIEW]);
    assert_int_equal(spec.step_ms, 120000);
    assert_int_equal(spec.tempo_ms, 120000);
    const struct param ages[] = {
        {"topics", "tick"}, {"range", "200y"}, {"step", "200y"}, {NULL, NULL}};
    assert_int_equal(parse(ages), SN_OK);
    assert_int_equal(spec.tempo_ms, 3600000);
}

static void history_has_queries_and_columns(void **state) {
    (void)state;
    const struct param params[] = {{"q.a", "up"},          {"topics", "history"}, {"q.b c", "1"},
                                   {"columns", "avg,max"}, {"step", "5s"},        {NULL, NULL}};
    assert_int_equal(parse(params), SN_OK);
    assert_int_equal(spec.item_count, 2);
    assert_true(sn_str_equal(spec.items[1].id, SN_STR("b c")));
    assert_true(sn_str_equal(spec.items[1].expression, SN_STR("1")));
    assert_int_equal(spec.items[0].columns, SN_HISTORY_AVG | SN_HISTORY_MAX);
    assert_int_equal(spec.step_ms, 5000);
}

static void what_is_wrong_is_named(void **state) {
    (void)state;
    static const struct {
        struct param params[3];
        const char *words;
    } cases[] = {
        {{{NULL, NULL}}, "topics is missing"},
        {{{"topics", ""}, {NULL, NULL}}, "topics: \"\" is none of"},
        {{{"topics", "tick,"}, {NULL, NULL}}, "topics: \"\" is none of"},
        {{{"topics", "logs"}, {NULL, NULL}}, "topics: \"logs\" is none of"},
        {{{"topics", "history"}, {NULL, NULL}}, "belong together"},
        {{{"topics", "tick"}, {"q.a", "1"}, {NULL, NULL}}, "belong together"},
        {{{"topics", "tick"}, {"range", "0"}, {NULL, NULL}}, "parameter range"},
        {{{"topics", "tick"}, {"step", "999ms"}, {NULL, NULL}}, "step: 999 ms is below 1 s"},
        {{{"topics", "tick"}, {"columns", "p95"}, {NULL, NULL}}, "columns: \"p95\""},
        {{{"topics", "tick"}, {"x", "1"}, {NULL, NULL}}, "parameter x: unknown"},
        {{{"topics", "history"}, {"q.", "1"}, {NULL, NULL}}, "q.NAME"},
        {{{"topics", "history"}, {"q.a", ""}, {NULL, NULL}}, "q.a is empty"},
        {{{"q.a", "1"}, {"q.a", "2"}, {NULL, NULL}}, "q.a is there twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sn_status status = parse(cases[i].params);
        if (status != SN_ERR_INVALID || strstr(err.text, cases[i].words) == NULL)
            fail_msg("%zu: %s, \"%s\"", i, sn_status_name(status), err.text);
    }
}

static void queries_are_limited(void **state) {
    (void)state;
    struct param params[SN_STREAM_QUERIES_MAX + 3];
    char names[SN_STREAM_QUERIES_MAX + 1][8];
    for (size_t i = 0; i <= SN_STREAM_QUERIES_MAX; i++) {
        (void)snprintf(names[i], sizeof names[i], "q.%zu", i);
        params[i + 1] = (struct param){names[i], "1"};
    }
    params[0] = (struct param){"topics", "history"};
    params[SN_STREAM_QUERIES_MAX + 2] = (struct param){NULL, NULL};
    assert_int_equal(parse(params), SN_ERR_LIMIT);
    assert_string_equal(err.text, "more than 32 queries");
    params[SN_STREAM_QUERIES_MAX + 1] = (struct param){NULL, NULL};
    assert_int_equal(parse(params), SN_OK);
}

static void keys_tell_questions_apart(void **state) {
    (void)state;
    static const struct param all[][4] = {
        {{"topics", "history"}, {"q.a", "1"}, {NULL, NULL}},
        {{"topics", "history"}, {"q.a", "12"}, {NULL, NULL}},
        {{"topics", "history"}, {"q.a1", "2"}, {NULL, NULL}},
        {{"topics", "history"}, {"q.a", "1"}, {"step", "1s"}, {NULL, NULL}},
        {{"topics", "history"}, {"q.a", "1"}, {"columns", "avg"}, {NULL, NULL}},
        {{"topics", "history"}, {"q.a", "1"}, {"range", "6h"}, {NULL, NULL}},
    };
    char keys[6][256];
    for (size_t i = 0; i < 6; i++) {
        struct sn_buf buf;
        sn_buf_init(&buf, sizeof keys[0] - 1);
        assert_int_equal(parse(all[i]), SN_OK);
        sn_stream_spec_key(&spec, SN_STREAM_HISTORY, &buf);
        (void)snprintf(keys[i], sizeof keys[i], "%.*s", SN_STR_ARG(sn_buf_str(&buf)));
        sn_buf_release(&buf);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(keys[i], keys[j]);
    }
}

static void an_event_has_three_steps_or_what_is_new(void **state) {
    (void)state;
    const struct param params[] = {
        {"topics", "tick"}, {"range", "30m"}, {"step", "7s"}, {NULL, NULL}};
    assert_int_equal(parse(params), SN_OK);
    struct sn_range range = sn_stream_event_range(&spec, 0, NOW_MS);
    assert_int_equal(range.end_ms, NOW_MS);
    assert_int_equal(range.start_ms, NOW_MS / 7000 * 7000 - 14000);
    range = sn_stream_event_range(&spec, NOW_MS - 1, NOW_MS);
    assert_int_equal(range.start_ms, NOW_MS / 7000 * 7000 - 14000);
    range = sn_stream_event_range(&spec, NOW_MS - 70000, NOW_MS);
    assert_int_equal(range.start_ms, (NOW_MS - 70000) / 7000 * 7000 - 7000);
    /* A client of yesterday, or of nowhere: 240 steps are less than half an hour here. */
    range = sn_stream_event_range(&spec, 1, NOW_MS);
    assert_int_equal(range.start_ms, (NOW_MS - 240 * 7000) / 7000 * 7000 - 7000);
    range = sn_stream_event_range(&spec, NOW_MS + 99999, NOW_MS);
    assert_int_equal(range.start_ms, NOW_MS / 7000 * 7000 - 14000);
    assert_int_equal(sn_stream_event_range(&spec, 0, 5).start_ms, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_is_told_every_second),
        cmocka_unit_test(longer_ranges_are_told_once_per_step),
        cmocka_unit_test(history_has_queries_and_columns),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(queries_are_limited),
        cmocka_unit_test(keys_tell_questions_apart),
        cmocka_unit_test(an_event_has_three_steps_or_what_is_new),
    };
    return cmocka_run_group_tests_name("stream_params", tests, NULL, NULL);
}
