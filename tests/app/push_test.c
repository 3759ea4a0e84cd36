/* `sonde push`: what its command line must be. What it sends is in tests/system/records_test.py. */
#include "app/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static int run(char **argv, size_t argc) {
    return sn_command_push((int)argc, argv);
}

static void a_wrong_command_line_is_a_matter_of_usage(void **state) {
    char none[] = "push", unknown[] = "--unknown", one[] = "a", two[] = "b", url[] = "--url";
    char *nothing[] = {none, NULL}, *wrong[] = {none, unknown, one, NULL};
    char *many[] = {none, one, two, NULL}, *half[] = {none, url, NULL};
    (void)state;
    assert_int_equal(run(nothing, 1), SN_EXIT_USAGE);
    assert_int_equal(run(wrong, 3), SN_EXIT_USAGE);
    assert_int_equal(run(many, 3), SN_EXIT_USAGE);
    assert_int_equal(run(half, 2), SN_EXIT_USAGE);
}

static void help_is_no_failure(void **state) {
    char name[] = "push", help[] = "--help";
    char *argv[] = {name, help, NULL};
    (void)state;
    assert_int_equal(run(argv, 2), SN_EXIT_OK);
}

static void a_file_that_is_not_there_is_told(void **state) {
    char name[] = "push", url[] = "--url", address[] = "http://127.0.0.1:1";
    char file[] = "/nonexistent/file";
    char *argv[] = {name, url, address, file, NULL};
    (void)state;
    assert_int_equal(run(argv, 4), SN_EXIT_NOT_FOUND);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_command_line_is_a_matter_of_usage),
        cmocka_unit_test(help_is_no_failure),
        cmocka_unit_test(a_file_that_is_not_there_is_told),
    };
    return cmocka_run_group_tests_name("push", tests, NULL, NULL);
}
