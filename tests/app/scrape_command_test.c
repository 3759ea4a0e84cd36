/* `sonde scrape`: mistakes of use and a server that is not there. */
#include "app/command.h"

#include "app_support.h"

static void mistakes_are_told(void **state) {
    (void)state;
    char name[] = "scrape", list[] = "list", b[] = "b", help[] = "--help", bad[] = "--nonsense",
         url[] = "--url=http://127.0.0.1:1";
    expect_command(sn_command_scrape, 1, (char *[]){name, NULL}, 2, "expected \"list\"");
    expect_command(sn_command_scrape, 2, (char *[]){name, b, NULL}, 2, "expected \"list\"");
    expect_command(sn_command_scrape, 3, (char *[]){name, list, b, NULL}, 2, "expected \"list\"");
    expect_command(sn_command_scrape, 3, (char *[]){name, list, bad, NULL}, 2, "nonsense");
    expect_command(sn_command_scrape, 2, (char *[]){name, help, NULL}, 0,
                   "usage: sonde scrape list");
    expect_command(sn_command_scrape, 3, (char *[]){name, list, url, NULL}, 3, "no answer from");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests_name("scrape_command", tests, NULL, NULL);
}
