/* `sonde serve` as far as it goes without running; tests/system drives the real thing. */
#include "app/command.h"

#include "app_support.h"

#include <stdlib.h>
#include <string.h>

/* Run `serve WORD`; both streams. */
static int serve(const char *word, char **ret_out, char **ret_err) {
    struct capture out, err;
    char name[] = "serve", copy[64] = "";
    char *argv[] = {name, copy, NULL};
    assert_true(strlen(word) < sizeof copy);
    memcpy(copy, word, strlen(word));
    capture_begin(&out, 1);
    capture_begin(&err, 2);
    int code = sn_command_serve(2, argv);
    *ret_err = capture_end(&err);
    *ret_out = capture_end(&out);
    return code;
}

static void assert_complains(const char *word, int code, const char *text) {
    char *out, *err;
    assert_int_equal(serve(word, &out, &err), code);
    assert_string_equal(out, "");
    assert_string_equal(err, text);
    free(out);
    free(err);
}

static void a_wrong_option_is_a_mistake_of_use(void **state) {
    (void)state;
    assert_complains("--bogus", 2,
                     "sonde: serve: unknown option --bogus\n  see: sonde serve --help\n");
    assert_complains("--data", 2,
                     "sonde: serve: option --data needs a value\n  see: sonde serve --help\n");
}

static void a_wrong_value_is_bad_data(void **state) {
    (void)state;
    assert_complains("--access=all", 6,
                     "sonde: serve: \"all\" is neither \"required\" nor \"open\"\n");
}

static void a_missing_file_is_not_found(void **state) {
    (void)state;
    char *out, *err;
    assert_int_equal(serve("--config=/nonexistent.yml", &out, &err), 5);
    assert_non_null(strstr(err, "/nonexistent.yml"));
    free(out);
    free(err);
}

static void help_names_every_option(void **state) {
    (void)state;
    static const char *const words[] = {"--listen", "--data", "--config", "--access", "examples:"};
    char *out, *err;
    assert_int_equal(serve("--help", &out, &err), 0);
    assert_string_equal(err, "");
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        assert_non_null(strstr(out, words[i]));
    free(out);
    free(err);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_option_is_a_mistake_of_use),
        cmocka_unit_test(a_wrong_value_is_bad_data),
        cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(help_names_every_option),
    };
    return cmocka_run_group_tests_name("serve", tests, NULL, NULL);
}
