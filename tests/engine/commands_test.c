/* Commands: names, arguments, and those about services. */
#include "commands_support.h"

#include "base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void add_service(struct test_commands *test) {
    test_commands_add(test, "sonde_operations_total", 9, "operation", "get", "outcome", "ok",
                      "service", "s", NULL);
    test_commands_add(test, "sonde_operations_total", 1, "operation", "get", "outcome", "error",
                      "service", "s", NULL);
    test_commands_add(test, "sonde_operations_active", 2, "operation", "get", "service", "s", NULL);
}

static void there_are_fourteen_and_three_of_them_change_something(void **state) {
    (void)state;
    size_t count = 0, changes = 0;
    for (; sn_commands_name(count) != NULL; count++)
        changes += sn_commands_is_change(sn_str_from(sn_commands_name(count)));
    assert_int_equal(count, 14);
    assert_int_equal(changes, 3);
    assert_false(sn_commands_is_change(SN_STR("nothing")));
}

static void unknown_names_and_arguments_are_named(void **state) {
    struct test_commands *test = *state;
    static const struct {
        const char *name, *args;
        sn_status status;
        const char *words;
    } rows[] = {
        {"get_all_metric", "", SN_ERR_NOT_FOUND, "did you mean \"get_all_metrics\"?"},
        {"xyz", "", SN_ERR_NOT_FOUND, "no command \"xyz\""},
        {"", "", SN_ERR_NOT_FOUND, "no command"},
        {"get_all_metrics", "{\"service\":\"s\"}", SN_ERR_INVALID, "no argument \"service\""},
        {"get_all_metrics", "{\"x\":1}", SN_ERR_INVALID, "no argument \"x\""},
        {"get_all_metrics", "[]", SN_ERR_INVALID, ""},
        {"get_service_metrics", "{}", SN_ERR_INVALID, "\"service\" is missing"},
        {"get_service_metrics", "{\"service\":true}", SN_ERR_INVALID, ""},
        {"get_service_metrics", "{\"service\":\"a\",\"service\":\"b\"}", SN_ERR_INVALID, ""},
        {"get_service_metrics", "{\"service\":\"nobody\"}", SN_ERR_NOT_FOUND, "\"nobody\""},
        {"get_slow_operations", "{\"limit\":0}", SN_ERR_INVALID, "1 to 1000"},
        {"get_slow_operations", "{\"limit\":1001}", SN_ERR_INVALID, "1 to 1000"},
        {"get_slow_operations", "{\"limit\":1.5}", SN_ERR_INVALID, "1 to 1000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(test_commands_run(test, rows[i].name, rows[i].args), rows[i].status);
        if (strstr(test->err.text, rows[i].words) == NULL)
            fail_msg("%s %s: %s", rows[i].name, rows[i].args, test->err.text);
    }
}

static void arguments_have_a_limit(void **state) {
    struct test_commands *test = *state;
    static char args[SN_COMMAND_ARGS_BYTES_MAX + 2];
    memset(args, ' ', SN_COMMAND_ARGS_BYTES_MAX);
    assert_int_equal(test_commands_run(test, "get_all_metrics", args), SN_OK);
    args[SN_COMMAND_ARGS_BYTES_MAX] = ' ';
    assert_int_equal(test_commands_run(test, "get_all_metrics", args), SN_ERR_LIMIT);
}

static void services_errors_and_active_ones_are_told(void **state) {
    struct test_commands *test = *state;
    add_service(test);
    test_commands_expect(test, "get_all_metrics", "", "\"services\":[{\"service\":\"s\"");
    test_commands_expect(test, "get_service_metrics", "{\"service\":\"s\"}",
                         "\"rate_window_seconds\":60,\"service\":\"s\"");
    test_commands_expect(test, "get_active_operations_count", "{}",
                         "{\"services\":[{\"service\":\"s\",\"active\":2}],\"active\":2}");
    test_commands_expect(test, "get_error_statistics", "{}",
                         "{\"count\":10,\"error_count\":1,\"error_rate\":0.1,");
    test_commands_expect(test, "get_slow_operations", "{\"limit\":1}",
                         "{\"operations\":[{\"service\":\"s\",\"operation\":\"get\"");
}

static void a_reset_is_remembered(void **state) {
    struct test_commands *test = *state;
    add_service(test);
    test_commands_expect(test, "reset_service_metrics", "{\"service\":\"s\"}",
                         "{\"service\":\"s\",\"operations\":1,\"reset_time_ms\":1700000000000}");
    sn_fake_clock_advance_ms(&test->clock, 1000);
    test_commands_expect(test, "get_service_metrics", "{\"service\":\"s\"}",
                         "\"reset_time_ms\":1700000000000");
}

static void without_memory_a_command_fails_and_leaves_nothing(void **state) {
    struct test_commands *test = *state;
    add_service(test);
    assert_int_equal(test_commands_run(test, "get_error_statistics", "{}"), SN_OK);
    for (uint64_t n = 1;; n++) {
        sn_buf_release(&test->answer);
        sn_arena_release(&test->arena);
        int64_t before = sn_mem_block_count();
        sn_buf_init(&test->answer, 0);
        sn_arena_init(&test->arena, SN_COMMAND_ARENA_BYTES);
        sn_mem_fail_nth(n);
        sn_status status = sn_commands_run(&test->commands, SN_STR("get_error_statistics"),
                                           SN_STR("{}"), &test->arena, &test->answer, NULL);
        int has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        sn_buf_release(&test->answer);
        sn_arena_release(&test->arena);
        assert_int_equal(sn_mem_block_count(), before);
        if (!has_fired) {
            assert_int_equal(status, SN_OK);
            break;
        }
        assert_true(status == SN_ERR_NO_MEMORY || status == SN_OK); /* a message may be missing */
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_commands_set_up, test_commands_tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(there_are_fourteen_and_three_of_them_change_something),
        TEST(unknown_names_and_arguments_are_named),
        TEST(arguments_have_a_limit),
        TEST(services_errors_and_active_ones_are_told),
        TEST(a_reset_is_remembered),
        TEST(without_memory_a_command_fails_and_leaves_nothing),
    };
    return cmocka_run_group_tests_name("commands", tests, NULL, NULL);
}
