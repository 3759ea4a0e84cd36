/* History with its trend, the export, alerts of one's own. */
#include "commands_support.h"

#include "codec/number.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct test_series *add_line(struct test_commands *test, double first, double step,
                                    size_t count) {
    struct test_series *series =
        test_commands_add(test, "line", first, "__name__", "line", "host", "h", NULL);
    for (size_t i = 0; i < count; i++)
        series->values[i] = first + step * (double)i;
    series->count = count;
    return series;
}

static void numbers_and_trend_are_those_of_the_points(void **state) {
    struct test_commands *test = *state;
    add_line(test, 10, 1, 61);
    test_commands_expect(test, "get_metrics_history", "{\"query\":\"line\",\"hours\":1}",
                         "\"count\":61,\"min\":10,\"max\":70,\"avg\":40,\"p95\":67,\"trend\":"
                         "{\"direction\":\"rising\",\"slope_per_hour\":");
    /* A minute is no exact part of an hour: the slope is 60 but for rounding. */
    const char *slope = strstr((const char *)test->answer.ptr, "\"slope_per_hour\":");
    assert_non_null(slope);
    double value = 0;
    struct sn_str text = sn_str_from(slope + sizeof "\"slope_per_hour\":" - 1);
    text.len = sn_str_find_char(text, ',');
    assert_int_equal(sn_double_parse(text, &value), SN_OK);
    assert_true(fabs(value - 60) < 1e-9);
    test_commands_expect(test, "get_metrics_history", "{\"query\":\"line\",\"hours\":1}",
                         "\"labels\":{\"__name__\":\"line\",\"host\":\"h\"},\"points\":[["
                         "1699996400,10],");
}

static void a_trend_needs_more_than_noise(void **state) {
    struct test_commands *test = *state;
    struct test_series *series = add_line(test, 100, 0, 61);
    for (size_t i = 0; i < series->count; i++)
        series->values[i] += i % 2 == 0 ? 1 : -1;
    test_commands_expect(test, "get_metrics_history", "{\"query\":\"line\",\"hours\":1}",
                         "\"direction\":\"flat\"");
    for (size_t i = 0; i < series->count; i++)
        series->values[i] = 100 - (double)i;
    test_commands_expect(test, "get_metrics_history", "{\"query\":\"line\",\"hours\":1}",
                         "\"direction\":\"falling\"");
    for (size_t i = 0; i < series->count; i++)
        series->values[i] = (double)NAN;
    test_commands_expect(test, "get_metrics_history", "{\"query\":\"line\",\"hours\":1}",
                         "\"count\":0}");
}

static void ranges_and_steps_are_checked(void **state) {
    struct test_commands *test = *state;
    static const char *const bad[] = {
        "{\"query\":\"line\",\"hours\":0}",
        "{\"query\":\"line\",\"hours\":-1}",
        "{\"query\":\"line\",\"hours\":1e9}",
        "{\"query\":\"line\",\"days\":3651}",
        "{\"query\":\"line\",\"hours\":1,\"days\":1}",
        "{\"query\":\"line\",\"hours\":1,\"start\":1}",
        "{\"query\":\"line\",\"start\":\"yesterday\"}",
        "{\"query\":\"line\",\"start\":2,\"end\":1}",
        "{\"query\":\"line\",\"step\":\"0s\"}",
        "{\"query\":\"line\",\"step\":\"x\"}",
        "{\"hours\":1}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(test_commands_run(test, "get_metrics_history", bad[i]), SN_ERR_INVALID);
    test_commands_expect(test, "get_metrics_history",
                         "{\"query\":\"line\",\"start\":\"2023-11-14T22:00:00Z\","
                         "\"end\":1700000000,\"step\":\"90s\"}",
                         "\"start\":1699999200,\"end\":1700000000,\"step_seconds\":90,");
    test_commands_expect(test, "get_metrics_history", "{\"query\":\"line\",\"days\":2}",
                         "\"start\":1699827200,\"end\":1700000000,\"step_seconds\":600,");
}

static void an_export_is_text_with_escapes(void **state) {
    struct test_commands *test = *state;
    test_commands_add(test, "x", 1.5, "__name__", "a", "path", "q\"\\\n", NULL);
    test_commands_add(test, "x", (double)INFINITY, "__name__", "b", NULL);
    test_commands_expect(test, "export_metrics_prometheus", "{\"match\":\"x\"}",
                         "\"text\":\"a{path=\\\"q\\\\\\\"\\\\\\\\\\\\n\\\"} 1.5\\nb +Inf\\n\"");
    test_commands_add(test, "nameless", 1, "path", "p", NULL);
    assert_int_equal(
        test_commands_run(test, "export_metrics_prometheus", "{\"match\":\"nameless\"}"),
        SN_ERR_INVALID);
}

static void a_rule_is_kept_under_an_id_of_its_name(void **state) {
    struct test_commands *test = *state;
    struct sn_setting_list list;
    const char *args = "{\"name\":\"Disk\",\"expr\":\"disk > 90\",\"for\":\"10m\","
                       "\"severity\":\"critical\",\"description\":\"full\"}";
    test_commands_expect(test, "create_custom_alert", args,
                         "\"name\":\"Disk\",\"expr\":\"disk > 90\",\"for_seconds\":600,"
                         "\"severity\":\"critical\",\"description\":\"full\"");
    test_commands_expect(test, "create_custom_alert", "{\"name\":\"Disk\",\"expr\":\"disk > 95\"}",
                         "\"severity\":\"warning\"");
    assert_int_equal(
        sn_settings_list(test->commands.settings, SN_STR("alert/"), &test->arena, &list, NULL),
        SN_OK);
    assert_int_equal(list.count, 1);
    static const char *const bad[] = {
        "{\"name\":\"\",\"expr\":\"x\"}",
        "{\"name\":\"n\",\"expr\":\"x\",\"severity\":\"fatal\"}",
        "{\"name\":\"n\",\"expr\":\"x\",\"for\":\"soon\"}",
        "{\"name\":\"n\"}",
        "{\"expr\":\"x\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(test_commands_run(test, "create_custom_alert", bad[i]), SN_ERR_INVALID);
    test->query_status = SN_ERR_INVALID; /* what the engine says of a bad expression */
    assert_int_equal(
        test_commands_run(test, "create_custom_alert", "{\"name\":\"n\",\"expr\":\"rat(\"}"),
        SN_ERR_INVALID);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_commands_set_up, test_commands_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(numbers_and_trend_are_those_of_the_points),
        TEST(a_trend_needs_more_than_noise),
        TEST(ranges_and_steps_are_checked),
        TEST(an_export_is_text_with_escapes),
        TEST(a_rule_is_kept_under_an_id_of_its_name),
    };
    return cmocka_run_group_tests_name("commands_history", tests, NULL, NULL);
}
