/* `sonde check-config`: what it says and with which exit code. */
#include "app/command.h"

#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Run with the given words; returns what was written to stdout and stderr together. */
static char *check(int argc, char **argv, int *ret_code) {
    struct capture out, err;
    capture_begin(&out, 1);
    capture_begin(&err, 2);
    *ret_code = sn_command_check_config(argc, argv);
    char *err_text = capture_end(&err);
    char *out_text = capture_end(&out);
    char *both = NULL;
    assert_true(asprintf(&both, "%s%s", out_text, err_text) >= 0);
    assert_true(out_text[0] == '\0' || err_text[0] == '\0');
    free(err_text);
    free(out_text);
    return both;
}

static void assert_said(const char *text, int code, const char *format) {
    char *dir = make_temp_dir();
    char *path = make_file(dir, "s.yml", text);
    char name[] = "check-config", expected[1024];
    char *argv[] = {name, path, NULL};
    int got;
    char *said = check(2, argv, &got);
    /* PATH in the format stands for the path. */
    const char *place = strstr(format, "PATH");
    (void)snprintf(expected, sizeof expected, "%.*s%s%s", (int)(place - format), format, path,
                   place + 4);
    assert_string_equal(said, expected);
    assert_int_equal(got, code);
    free(said);
    free(path);
    remove_temp_dir(dir);
}

static void a_good_file_is_ok(void **state) {
    (void)state;
    assert_said("log: {level: warn}\n", 0, "PATH: ok\n");
}

static void a_bad_file_is_named_with_the_place(void **state) {
    (void)state;
    assert_said("a: 1\n", 6, "sonde: check-config: PATH:1:1: unknown key \"a\"\n");
}

static void anything_but_one_file_is_a_mistake_of_use(void **state) {
    (void)state;
    char name[] = "check-config", a[] = "a", b[] = "b";
    char *argv[] = {name, a, b, NULL};
    int code;
    char *said = check(3, argv, &code);
    assert_int_equal(code, 2);
    assert_non_null(strstr(said, "expected the name of one file\n  usage: "));
    free(said);
    said = check(1, argv, &code);
    assert_int_equal(code, 2);
    free(said);
}

static void help_is_not_a_file(void **state) {
    (void)state;
    char name[] = "check-config", help[] = "--help";
    char *argv[] = {name, help, NULL};
    int code;
    char *said = check(2, argv, &code);
    assert_int_equal(code, 0);
    assert_int_equal(strncmp(said, "usage: sonde check-config FILE\n", 31), 0);
    free(said);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_is_ok),
        cmocka_unit_test(a_bad_file_is_named_with_the_place),
        cmocka_unit_test(anything_but_one_file_is_a_mistake_of_use),
        cmocka_unit_test(help_is_not_a_file),
    };
    return cmocka_run_group_tests_name("check_config", tests, NULL, NULL);
}
