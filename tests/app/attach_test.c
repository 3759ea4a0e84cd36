/* `sonde attach`: the command line and what it says. Whole runs: tests/system/attach_test.py. */
#include "app/command.h"

#include "app_support.h"

#include <sonde/sonde.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *attach(char **words, int *ret_code) {
    char name[] = "attach";
    char *argv[8] = {name};
    int argc = 1;
    struct capture out, err;
    for (; words[argc - 1] != NULL; argc++)
        argv[argc] = words[argc - 1];
    capture_begin(&out, 1);
    capture_begin(&err, 2);
    *ret_code = sn_command_attach(argc, argv);
    char *err_text = capture_end(&err);
    char *out_text = capture_end(&out);
    char *both = NULL;
    assert_true(asprintf(&both, "%s%s", out_text, err_text) >= 0);
    free(err_text);
    free(out_text);
    return both;
}

static void expect(char **words, int code, const char *text) {
    int got;
    char *said = attach(words, &got);
    if (got != code || strstr(said, text) == NULL)
        print_message("%d: %s\n", got, said);
    assert_int_equal(got, code);
    assert_non_null(strstr(said, text));
    free(said);
}

static char format[] = "--format", text[] = "text", json[] = "json", xml[] = "xml",
            info[] = "--info", help[] = "--help", unknown[] = "--unknown", missing[] = "/no/file";

static void the_page_is_printed_in_each_format(void **state) {
    (void)state;
    char *dir = make_temp_dir();
    char path[256];
    (void)snprintf(path, sizeof path, "%s/metrics", dir);
    sonde_registry_options options = {.shared_file = path, .shared_bytes = 1 << 20};
    sonde_registry *registry = sonde_registry_new(&options, NULL);
    sonde_counter_inc(sonde_counter_new(registry, &(sonde_metric){.name = "a_total"}, NULL));
    expect((char *[]){path, NULL}, 0, "\na_total 1\n");
    expect((char *[]){format, text, path, NULL}, 0, "\na_total 1\n");
    expect((char *[]){format, json, path, NULL}, 0, "\"name\":\"a_total\"");
    expect((char *[]){info, path, NULL}, 0, ": 1 living and 0 ended processes");
    (void)sonde_registry_free(registry);
    expect((char *[]){info, path, NULL}, 0, ": 0 living and 0 ended processes");
    remove_temp_dir(dir);
}

static void mistakes_are_named(void **state) {
    (void)state;
    expect((char *[]){NULL}, 2, "expected the name of one file");
    expect((char *[]){text, json, NULL}, 2, "expected the name of one file");
    expect((char *[]){format, xml, text, NULL}, 2, "--format is text, openmetrics or json");
    expect((char *[]){unknown, text, NULL}, 2, "unknown option");
    expect((char *[]){missing, NULL}, 5, "cannot open /no/file");
    expect((char *[]){help, NULL}, 0, "usage: sonde attach");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_is_printed_in_each_format),
        cmocka_unit_test(mistakes_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
