/* `sonde scrape`: mistakes of use and a server that is not there. */
#include "app/command.h"

#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void expect(int argc, char **argv, int code, const char *words) {
    struct capture out, err;
    capture_begin(&out, 1);
    capture_begin(&err, 2);
    int got = sn_command_scrape(argc, argv);
    char *err_text = capture_end(&err), *out_text = capture_end(&out);
    if (got != code || (!strstr(err_text, words) && !strstr(out_text, words)))
        fail_msg("%d %s%s", got, out_text, err_text);
    free(err_text);
    free(out_text);
}

static void mistakes_are_told(void **state) {
    (void)state;
    char name[] = "scrape", list[] = "list", b[] = "b", help[] = "--help", bad[] = "--nonsense",
         url[] = "--url=http://127.0.0.1:1";
    expect(1, (char *[]){name, NULL}, 2, "expected \"list\"");
    expect(2, (char *[]){name, b, NULL}, 2, "expected \"list\"");
    expect(3, (char *[]){name, list, b, NULL}, 2, "expected \"list\"");
    expect(3, (char *[]){name, list, bad, NULL}, 2, "nonsense");
    expect(2, (char *[]){name, help, NULL}, 0, "usage: sonde scrape list");
    expect(3, (char *[]){name, list, url, NULL}, 3, "no answer from");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mistakes_are_told),
    };
    return cmocka_run_group_tests_name("scrape_command", tests, NULL, NULL);
}
