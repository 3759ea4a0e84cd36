/* `sonde errors`: what its command line must be. What it asks is in tests/system/records_test.py. */
#include "app/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int run(char **argv, size_t argc) {
    return sn_command_errors((int)argc, argv);
}

static void a_wrong_command_line_is_a_matter_of_usage(void **state) {
    char name[] = "errors", unknown[] = "--unknown", verb[] = "resolve", bad[] = "explode";
    char number[] = "1", text[] = "x", app[] = "--app";
    char *wrong[] = {name, unknown, NULL}, *half[] = {name, verb, NULL};
    char *other[] = {name, bad, number, NULL}, *no_id[] = {name, verb, text, NULL};
    char *no_value[] = {name, app, NULL};
    (void)state;
    assert_int_equal(run(wrong, 2), SN_EXIT_USAGE);
    assert_int_equal(run(half, 2), SN_EXIT_USAGE);
    assert_int_equal(run(other, 3), SN_EXIT_USAGE);
    assert_int_equal(run(no_id, 3), SN_EXIT_USAGE);
    assert_int_equal(run(no_value, 2), SN_EXIT_USAGE);
}

static void help_is_no_failure(void **state) {
    char name[] = "errors", help[] = "--help";
    char *argv[] = {name, help, NULL};
    (void)state;
    assert_int_equal(run(argv, 2), SN_EXIT_OK);
}

static void a_server_that_is_not_there_is_told(void **state) {
    char name[] = "errors", url[] = "--url", address[] = "http://127.0.0.1:1";
    char *argv[] = {name, url, address, NULL};
    (void)state;
    assert_int_equal(run(argv, 3), SN_EXIT_UNREACHABLE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_command_line_is_a_matter_of_usage),
        cmocka_unit_test(help_is_no_failure),
        cmocka_unit_test(a_server_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests_name("errors", tests, NULL, NULL);
}
