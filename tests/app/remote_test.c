/* Asking a server: options, what cannot be reached, tokens. tests/system has real answers. */
#include "app/remote.h"

#include "app_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void options_are_taken_by_letter(void **state) {
    (void)state;
    struct sn_remote_options options = {NULL, NULL};
    assert_true(sn_remote_option(&options, 'U', "http://a"));
    assert_true(sn_remote_option(&options, 'T', "/f"));
    assert_false(sn_remote_option(&options, '?', NULL));
    assert_string_equal(options.url, "http://a");
    assert_string_equal(options.token_path, "/f");
}

static sn_status ask(const struct sn_remote_options *options, int *ret_exit, struct sn_err *err) {
    const struct sn_remote_call call = {.path = "/healthz", .timeout_ms = 2000};
    struct sn_buf answer;
    sn_buf_init(&answer, 0);
    sn_status status = sn_remote_ask(options, &call, &answer, ret_exit, err);
    sn_buf_release(&answer);
    return status;
}

static void a_server_that_is_not_there_is_named(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    struct sn_remote_options options = {.url = "http://127.0.0.1:1/"};
    int code = 0;
    assert_int_not_equal(ask(&options, &code, &err), SN_OK);
    assert_int_equal(code, SN_EXIT_UNREACHABLE);
    assert_non_null(strstr(err.text, "no answer from http://127.0.0.1:1:"));
    assert_int_equal(setenv("SONDE_URL", "http://127.0.0.1:2", 1), 0);
    options.url = NULL;
    assert_int_not_equal(ask(&options, &code, &err), SN_OK);
    assert_non_null(strstr(err.text, "127.0.0.1:2"));
    assert_int_equal(unsetenv("SONDE_URL"), 0);
}

static void a_token_that_cannot_be_used_is_told_before_anything_is_sent(void **state) {
    (void)state;
    struct sn_err err = {.status = SN_OK};
    char *dir = make_temp_dir(), token[600];
    memset(token, 't', sizeof token - 1);
    token[sizeof token - 1] = '\0';
    char *path = make_file(dir, "token", token);
    struct sn_remote_options options = {"http://127.0.0.1:1", "/nonexistent/token"};
    int code = 0;
    assert_int_equal(ask(&options, &code, &err), SN_ERR_NOT_FOUND);
    assert_int_equal(code, SN_EXIT_NOT_FOUND);
    options.token_path = path;
    assert_int_equal(ask(&options, &code, &err), SN_ERR_LIMIT);
    free(path);
    remove_temp_dir(dir);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_are_taken_by_letter),
        cmocka_unit_test(a_server_that_is_not_there_is_named),
        cmocka_unit_test(a_token_that_cannot_be_used_is_told_before_anything_is_sent),
    };
    return cmocka_run_group_tests_name("remote", tests, NULL, NULL);
}
