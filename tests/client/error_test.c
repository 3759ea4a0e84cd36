/* Tests of public errors. */
#include "client/error_priv.h"

#include "client_support.h"

static void status_and_sentence_reach_the_host(void **state) {
    (void)state;
    struct sn_err err;
    sonde_error error = {SONDE_OK, "old"};
    (void)sn_err_set(&err, SN_ERR_LIMIT, "seven is above six");
    assert_int_equal(sn_public_error(&error, SONDE_ERR_LIMIT, &err), SONDE_ERR_LIMIT);
    assert_int_equal(error.status, SONDE_ERR_LIMIT);
    assert_string_equal(error.text, "seven is above six");
}

static void success_clears_an_old_sentence(void **state) {
    (void)state;
    sonde_error error = {SONDE_ERR_IO, "old"};
    assert_int_equal(sn_public_error(&error, SONDE_OK, NULL), SONDE_OK);
    assert_int_equal(error.status, SONDE_OK);
    assert_string_equal(error.text, "");
}

static void nobody_needs_to_ask_for_the_sentence(void **state) {
    (void)state;
    assert_int_equal(sn_public_error(NULL, SONDE_ERR_IO, NULL), SONDE_ERR_IO);
}

static void the_version_is_that_of_the_header(void **state) {
    (void)state;
    char expected[32];
    (void)snprintf(expected, sizeof expected, "%d.%d.%d", SONDE_VERSION_MAJOR, SONDE_VERSION_MINOR,
                   SONDE_VERSION_PATCH);
    assert_string_equal(sonde_version(), expected);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_and_sentence_reach_the_host),
        cmocka_unit_test(success_clears_an_old_sentence),
        cmocka_unit_test(nobody_needs_to_ask_for_the_sentence),
        cmocka_unit_test(the_version_is_that_of_the_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
