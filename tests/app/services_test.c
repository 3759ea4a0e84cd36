/* `sonde services`: mistakes of use and a server that is not there. */
#include "app/command.h"

#include "app_support.h"

static void mistakes_are_told(void **state) {
    (void)state;
    char name[] = "services", a[] = "a", b[] = "b", help[] = "--help", bad[] = "--nonsense",
         url[] = "--url=http://127.0.0.1:1";
    expect_command(sn_command_services, 3, (char *[]){name, a, b, NULL}, 2, "one name");
    expect_command(sn_command_services, 2, (char *[]){name, bad, NULL}, 2, "nonsense");
    expect_command(sn_command_services, 2, (char *[]){name, help, NULL}, 0,
                   "usage: sonde services");
    expect_command(sn_command_services, 3, (char *[]){name, a, url, NULL}, 3, "no answer from");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests_name("services", tests, NULL, NULL);
}
