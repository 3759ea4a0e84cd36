/* See commands_support.h. */
#include "commands_support.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void fill(const struct test_series *series, const struct sn_query *query,
                 struct sn_arena *arena, struct sn_result_series *ret_series) {
    size_t count = query->step_ms > 0 ? series->count : 1;
    int64_t *time_ms = sn_arena_alloc(arena, count * sizeof *time_ms);
    double *value = sn_arena_alloc(arena, count * sizeof *value);
    assert_non_null(time_ms);
    assert_non_null(value);
    for (size_t i = 0; i < count; i++) {
        time_ms[i] = query->range.end_ms - (int64_t)(count - 1 - i) * 60000;
        value[i] = series->values[series->count - count + i];
    }
    *ret_series = (struct sn_result_series){
        .labels = {series->labels, series->label_count},
        .time_ms = time_ms,
        .value = value,
        .count = count,
    };
}

static sn_status answer(void *ctx, const struct sn_query *query, struct sn_arena *arena,
                        struct sn_query_result *ret_result, struct sn_err *err) {
    struct test_commands *test = ctx;
    test->query_count++;
    (void)snprintf(test->last_query, sizeof test->last_query, "%.*s",
                   SN_STR_ARG(query->expression));
    if (test->query_status != SN_OK)
        return sn_err_set(err, test->query_status, "the querier said no");
    struct sn_result_series *found = sn_arena_alloc_zero(arena, TEST_SERIES_MAX, sizeof *found);
    if (found == NULL)
        return sn_arena_failure(arena, TEST_SERIES_MAX * sizeof *found, err);
    size_t count = 0;
    for (size_t i = 0; i < test->series_count; i++)
        if (strstr(test->last_query, test->series[i].query) != NULL)
            fill(&test->series[i], query, arena, &found[count++]);
    *ret_result =
        (struct sn_query_result){.kind = SN_RESULT_VECTOR, .series = found, .series_count = count};
    return SN_OK;
}

int test_commands_set_up(void **state) {
    static struct test_commands test;
    char path[160];
    memset(&test, 0, sizeof test);
    const char *base = getenv("TMPDIR");
    (void)snprintf(test.dir, sizeof test.dir, "%s/sonde-commands-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(test.dir));
    (void)snprintf(path, sizeof path, "%s/records.db", test.dir);
    sn_fake_clock_init(&test.clock, 0, TEST_NOW_MS);
    sn_arena_init(&test.arena, SN_COMMAND_ARENA_BYTES);
    sn_buf_init(&test.answer, 0);
    test.commands = (struct sn_commands){.querier = {&test, answer}, .clock = &test.clock.clock};
    assert_int_equal(sn_settings_open(path, &test.commands.settings, NULL), SN_OK);
    *state = &test;
    return 0;
}

int test_commands_tear_down(void **state) {
    struct test_commands *test = *state;
    test->commands.settings = sn_settings_close(test->commands.settings);
    sn_buf_release(&test->answer);
    sn_arena_release(&test->arena);
    assert_int_equal(sn_os_remove_tree(test->dir, NULL), SN_OK);
    return 0;
}

struct test_series *test_commands_add(struct test_commands *test, const char *query, double value,
                                      ...) {
    assert_true(test->series_count < TEST_SERIES_MAX);
    struct test_series *series = &test->series[test->series_count++];
    *series = (struct test_series){.query = query, .values = {value}, .count = 1};
    va_list args;
    va_start(args, value);
    for (const char *name = va_arg(args, const char *); name != NULL;
         name = va_arg(args, const char *)) {
        const char *text = va_arg(args, const char *);
        series->labels[series->label_count++] =
            (struct sn_label){sn_str_from(name), sn_str_from(text)};
    }
    va_end(args);
    return series;
}

sn_status test_commands_run(struct test_commands *test, const char *name, const char *args) {
    sn_buf_reset(&test->answer);
    sn_arena_reset(&test->arena);
    test->err = (struct sn_err){.status = SN_OK};
    sn_status status = sn_commands_run(&test->commands, sn_str_from(name), sn_str_from(args),
                                       &test->arena, &test->answer, &test->err);
    sn_buf_put_byte(&test->answer, '\0');
    return status;
}

void test_commands_expect(struct test_commands *test, const char *name, const char *args,
                          const char *text) {
    if (test_commands_run(test, name, args) != SN_OK)
        fail_msg("%s: %s", name, test->err.text);
    if (strstr((const char *)test->answer.ptr, text) == NULL)
        fail_msg("%s: no %s in %s", name, text, (const char *)test->answer.ptr);
}
