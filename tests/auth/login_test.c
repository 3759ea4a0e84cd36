/* Sign-in, its failures, and the first administrator. */
#include "auth_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void names_and_passwords_fail_with_one_sentence(void **state) {
    struct test_auth *test = *state;
    struct sn_err wrong_name = {.status = SN_OK}, wrong_password = {.status = SN_OK};
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    assert_int_equal(test_auth_try(test, SN_STR("bob"), SN_STR(TEST_PASSWORD), &wrong_name),
                     SN_ERR_DENIED);
    assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR("wrong password"), &wrong_password),
                     SN_ERR_DENIED);
    assert_string_equal(wrong_name.text, wrong_password.text);
    assert_int_equal(test_auth_count_notes(test, "login-failed"), 2);
    assert_int_equal(test_auth_try(test, SN_STR("ANN"), SN_STR(TEST_PASSWORD), NULL), SN_OK);
    assert_int_equal(test_auth_count_notes(test, "login"), 1);
}

static void hostile_names_are_only_wrong(void **state) {
    struct test_auth *test = *state;
    static char huge[4096];
    memset(huge, 'n', sizeof huge);
    const struct sn_str names[] = {
        SN_STR("' OR '1'='1"),          SN_STR(""), SN_STR("\xff\xfe"), SN_STR("a\0b"),
        sn_str_make(huge, sizeof huge),
    };
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct sn_err err = {.status = SN_OK};
        assert_int_equal(test_auth_try(test, names[i], SN_STR("some password"), &err),
                         SN_ERR_DENIED);
    }
}

static void failures_slow_a_name_down_but_not_for_ever(void **state) {
    struct test_auth *test = *state;
    struct sn_err err = {.status = SN_OK};
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    test->actor.is_loopback = true; /* such an address does not wait */
    for (int i = 0; i < 6; i++)
        assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR("wrong password"), &err),
                         SN_ERR_DENIED);
    assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR(TEST_PASSWORD), &err), SN_ERR_BUSY);
    assert_string_equal(err.text, "too many failed sign-ins; try again in 2 s");
    sn_fake_clock_advance_ms(&test->clock, 2000);
    assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR(TEST_PASSWORD), &err), SN_OK);
    struct sn_auth_stats stats;
    sn_auth_stats(test->auth, &stats);
    assert_int_equal(stats.login_failure_count, 6);
    assert_int_equal(stats.throttled_count, 1);
    assert_int_equal(stats.login_count, 1);
}

static void an_address_that_guesses_names_is_slowed_down(void **state) {
    struct test_auth *test = *state;
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    for (int i = 0; i < 6; i++) {
        char name[16];
        int len = snprintf(name, sizeof name, "guess%d", i);
        assert_int_equal(
            test_auth_try(test, sn_str_make(name, (size_t)len), SN_STR("password123"), NULL),
            SN_ERR_DENIED);
    }
    assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR(TEST_PASSWORD), NULL), SN_ERR_BUSY);
    test->actor.peer = SN_STR("192.0.2.8"); /* others are not */
    assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR(TEST_PASSWORD), NULL), SN_OK);
}

static void signing_out_ends_the_session(void **state) {
    struct test_auth *test = *state;
    struct sn_principal principal;
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret one = test_auth_login(test, SN_STR("ann"));
    struct sn_secret two = test_auth_login(test, SN_STR("ann"));
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(one.text), &principal, NULL), SN_OK);
    assert_int_equal(sn_auth_logout(test->auth, &principal, &test->actor, NULL), SN_OK);
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(one.text), &principal, NULL),
                     SN_ERR_DENIED);
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(two.text), &principal, NULL), SN_OK);
    assert_int_equal(
        sn_auth_set_password(test->auth, id, SN_STR("another password"), &test->actor, NULL),
        SN_OK);
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(two.text), &principal, NULL),
                     SN_ERR_DENIED);
    principal.token_id = 1;
    assert_int_equal(sn_auth_logout(test->auth, &principal, &test->actor, NULL), SN_ERR_INVALID);
}

/* ---- setup ---- */

static sn_status set_up(struct test_auth *test, const char *code, struct sn_str password,
                        struct sn_err *err) {
    struct sn_secret secret;
    struct sn_principal principal;
    const struct sn_auth_setup setup = {sn_str_from(code), SN_STR("first"), password, test->actor};
    sn_status status = sn_auth_set_up(test->auth, &setup, &secret, &principal, err);
    if (status == SN_OK) {
        assert_int_equal(principal.role, SN_ACCOUNT_ADMIN);
        assert_int_equal(sn_auth_check(test->auth, sn_str_from(secret.text), &principal, NULL),
                         SN_OK);
    }
    return status;
}

static void a_setup_code_makes_one_administrator(void **state) {
    struct test_auth *test = *state;
    char code[SN_SETUP_CODE_TEXT_SIZE];
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(set_up(test, "7KQ2-M9XD-41TB", SN_STR(TEST_PASSWORD), &err), SN_ERR_DENIED);
    assert_int_equal(sn_auth_new_setup_code(test->auth, code, &test->actor, NULL), SN_OK);
    assert_int_equal(set_up(test, code, SN_STR("short"), &err), SN_ERR_INVALID);
    assert_int_equal(set_up(test, code, SN_STR(TEST_PASSWORD), &err), SN_OK);
    assert_true(sn_auth_has_admin(test->auth));
    assert_int_equal(set_up(test, code, SN_STR(TEST_PASSWORD), &err), SN_ERR_DENIED); /* spent */
}

static void a_setup_code_expires(void **state) {
    struct test_auth *test = *state;
    char code[SN_SETUP_CODE_TEXT_SIZE];
    assert_int_equal(sn_auth_new_setup_code(test->auth, code, &test->actor, NULL), SN_OK);
    sn_fake_clock_advance_ms(&test->clock, SN_AUTH_SETUP_MS);
    assert_int_equal(set_up(test, code, SN_STR(TEST_PASSWORD), NULL), SN_ERR_DENIED);
    assert_int_equal(sn_auth_new_setup_code(test->auth, code, &test->actor, NULL), SN_OK);
    sn_fake_clock_advance_ms(&test->clock, SN_AUTH_SETUP_MS - 1);
    assert_int_equal(set_up(test, code, SN_STR(TEST_PASSWORD), NULL), SN_OK);
}

static void wrong_guesses_void_the_code(void **state) {
    struct test_auth *test = *state;
    char code[SN_SETUP_CODE_TEXT_SIZE];
    assert_int_equal(sn_auth_new_setup_code(test->auth, code, &test->actor, NULL), SN_OK);
    for (int i = 0; i < SN_AUTH_SETUP_GUESSES_MAX; i++)
        assert_int_equal(set_up(test, "0000-0000-0000", SN_STR(TEST_PASSWORD), NULL),
                         SN_ERR_DENIED);
    assert_int_equal(set_up(test, code, SN_STR(TEST_PASSWORD), NULL), SN_ERR_DENIED);
    assert_int_equal(test_auth_count_notes(test, "setup-failed"), SN_AUTH_SETUP_GUESSES_MAX + 1);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_auth_set_up, test_auth_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_and_passwords_fail_with_one_sentence),
        TEST(hostile_names_are_only_wrong),
        TEST(failures_slow_a_name_down_but_not_for_ever),
        TEST(an_address_that_guesses_names_is_slowed_down),
        TEST(signing_out_ends_the_session),
        TEST(a_setup_code_makes_one_administrator),
        TEST(a_setup_code_expires),
        TEST(wrong_guesses_void_the_code),
    };
    return test_auth_run("login", tests, sizeof tests / sizeof tests[0]);
}
