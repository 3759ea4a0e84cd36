/* `sonde query`: the command line. Whole runs against a server: tests/system/cli_test.py. */
#include "app/command.h"

#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(const char *const *words, int code, const char *text) {
    char *argv[8] = {strdup("query")};
    int argc = 1;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = strdup(words[argc - 1]);
    char *const owned[8] = {argv[0], argv[1], argv[2], argv[3], argv[4], argv[5], argv[6], argv[7]};
    expect_command(sn_command_query, argc, argv, code, text);
    for (int i = 0; i < argc; i++)
        free(owned[i]);
}
#define EXPECT(code, text, ...) expect((const char *const[]){__VA_ARGS__, NULL}, code, text)

static void mistakes_are_named(void **state) {
    (void)state;
    expect((const char *const[]){NULL}, SN_EXIT_USAGE, "expected one expression");
    EXPECT(SN_EXIT_USAGE, "expected one expression", "a", "b");
    EXPECT(SN_EXIT_USAGE, "unknown option -a", "-a");
    EXPECT(SN_EXIT_USAGE, "option --range needs a value", "up", "--range");
    EXPECT(SN_EXIT_USAGE, "--range", "up", "--range", "5x");
    EXPECT(SN_EXIT_USAGE, "--range: must be more than 0", "up", "--range", "0s");
    EXPECT(SN_EXIT_USAGE, "--step goes with --range", "up", "--step", "5s");
    EXPECT(SN_EXIT_USAGE, "--step", "up", "--range", "5m", "--step", "-1");
    EXPECT(SN_EXIT_USAGE, "--time", "up", "--time", "yesterday");
    EXPECT(SN_EXIT_OK, "usage: sonde query", "--help");
}

static void no_server_has_an_exit_code_of_its_own(void **state) {
    (void)state;
    EXPECT(SN_EXIT_UNREACHABLE, "is it running?", "up", "--url", "http://127.0.0.1:1");
    EXPECT(SN_EXIT_NOT_FOUND, "/no/file", "up", "--token-file", "/no/file");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(no_server_has_an_exit_code_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
