/* `sonde command`: mistakes of use and a server that is not there. */
#include "app/command.h"

#include "app_support.h"

static void mistakes_are_told(void **state) {
    (void)state;
    char name[] = "command", a[] = "get_all_metrics", b[] = "{}", c[] = "x", help[] = "--help",
         bad[] = "--nonsense", odd[] = "Get/all", url[] = "--url=http://127.0.0.1:1";
    expect_command(sn_command_command, 1, (char *[]){name, NULL}, 2, "--help");
    expect_command(sn_command_command, 4, (char *[]){name, a, b, c, NULL}, 2, "--help");
    expect_command(sn_command_command, 2, (char *[]){name, bad, NULL}, 2, "nonsense");
    expect_command(sn_command_command, 2, (char *[]){name, help, NULL}, 0, "get_metrics_history");
    expect_command(sn_command_command, 2, (char *[]){name, odd, NULL}, 5, "no command \"Get/all\"");
    expect_command(sn_command_command, 3, (char *[]){name, a, url, NULL}, 3, "no answer from");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests_name("command_command", tests, NULL, NULL);
}
