/* Users and tokens as administrators change them. */
#include "auth_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void names_are_unique_whatever_their_case(void **state) {
    struct test_auth *test = *state;
    int64_t id = 0;
    struct sn_err err = {.status = SN_OK};
    test_auth_add_user(test, SN_STR("Ann"), SN_ACCOUNT_USER);
    struct sn_auth_user_new user = {SN_STR("aNN"), SN_STR(TEST_PASSWORD), SN_ACCOUNT_USER,
                                    test->actor};
    assert_int_equal(sn_auth_add_user(test->auth, &user, &id, &err), SN_ERR_EXISTS);
    assert_string_equal(err.text, "there is a user \"aNN\" already");
    user.name = SN_STR("ann lee");
    assert_int_equal(sn_auth_add_user(test->auth, &user, &id, &err), SN_ERR_INVALID);
    user.name = SN_STR("ann2");
    user.password = SN_STR("short");
    assert_int_equal(sn_auth_add_user(test->auth, &user, &id, &err), SN_ERR_INVALID);
}

static void the_last_administrator_stays(void **state) {
    struct test_auth *test = *state;
    struct sn_err err = {.status = SN_OK};
    int64_t one = test_auth_add_user(test, SN_STR("one"), SN_ACCOUNT_ADMIN);
    assert_int_equal(sn_auth_remove_user(test->auth, one, &test->actor, &err), SN_ERR_INVALID);
    assert_int_equal(sn_auth_set_role(test->auth, one, SN_ACCOUNT_USER, &test->actor, &err),
                     SN_ERR_INVALID);
    int64_t two = test_auth_add_user(test, SN_STR("two"), SN_ACCOUNT_ADMIN);
    assert_int_equal(sn_auth_set_role(test->auth, two, SN_ACCOUNT_ADMIN, &test->actor, &err),
                     SN_OK);
    assert_int_equal(sn_auth_remove_user(test->auth, one, &test->actor, &err), SN_OK);
    assert_int_equal(sn_auth_remove_user(test->auth, one, &test->actor, &err), SN_ERR_NOT_FOUND);
    assert_int_equal(sn_auth_remove_user(test->auth, two, &test->actor, &err), SN_ERR_INVALID);
}

static void secrets_go_with_their_user(void **state) {
    struct test_auth *test = *state;
    test_auth_add_user(test, SN_STR("root"), SN_ACCOUNT_ADMIN);
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER), token_id = 0;
    struct sn_secret session = test_auth_login(test, SN_STR("ann")), token;
    const struct sn_auth_token_new wanted = {
        .user_id = id, .name = SN_STR("ci"), .scopes = SN_SCOPE_READ, .actor = test->actor};
    assert_int_equal(sn_auth_add_token(test->auth, &wanted, &token, &token_id, NULL), SN_OK);
    assert_int_equal(sn_auth_remove_user(test->auth, id, &test->actor, NULL), SN_OK);
    struct sn_principal principal;
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(session.text), &principal, NULL),
                     SN_ERR_DENIED);
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(token.text), &principal, NULL),
                     SN_ERR_DENIED);
    assert_int_equal(sn_auth_remove_token(test->auth, token_id, &test->actor, NULL),
                     SN_ERR_NOT_FOUND);
}

static void a_token_is_asked_for_with_sense(void **state) {
    struct test_auth *test = *state;
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER), token_id = 0;
    struct sn_secret secret;
    struct sn_auth_token_new token = {
        .user_id = id, .name = SN_STR("ci"), .scopes = SN_SCOPE_ADMIN, .actor = test->actor};
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL),
                     SN_ERR_INVALID);
    token.scopes = 0;
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL),
                     SN_ERR_INVALID);
    token.scopes = SN_SCOPE_READ;
    token.expires_wall_ms = TEST_NOW_MS;
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL),
                     SN_ERR_INVALID);
    token.expires_wall_ms = TEST_NOW_MS + 1;
    token.name = SN_STR("");
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL),
                     SN_ERR_INVALID);
    token.name = SN_STR("ci");
    token.user_id = id + 1;
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL),
                     SN_ERR_NOT_FOUND);
    token.user_id = id;
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL), SN_OK);
    struct sn_principal principal;
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(secret.text), &principal, NULL), SN_OK);
    sn_fake_clock_advance_ms(&test->clock, 1);
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(secret.text), &principal, NULL),
                     SN_ERR_DENIED);
}

static void scopes_and_roles_are_read_from_text(void **state) {
    (void)state;
    unsigned scopes = 0;
    enum sn_account_role role;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_scopes_parse(SN_STR("read"), &scopes, NULL), SN_OK);
    assert_int_equal(scopes, SN_SCOPE_READ);
    assert_int_equal(sn_scopes_parse(SN_STR("ingest, admin,read"), &scopes, NULL), SN_OK);
    assert_int_equal(scopes, SN_SCOPE_READ | SN_SCOPE_INGEST | SN_SCOPE_ADMIN);
    assert_int_equal(sn_scopes_parse(SN_STR(""), &scopes, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_scopes_parse(SN_STR("read,"), &scopes, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_scopes_parse(SN_STR("write"), &scopes, &err), SN_ERR_INVALID);
    assert_non_null(strstr(err.text, "\"write\""));
    assert_int_equal(sn_role_parse(SN_STR("admin"), &role, NULL), SN_OK);
    assert_int_equal(role, SN_ACCOUNT_ADMIN);
    assert_int_equal(sn_role_parse(SN_STR("user"), &role, NULL), SN_OK);
    assert_int_equal(role, SN_ACCOUNT_USER);
    assert_int_equal(sn_role_parse(SN_STR("root"), &role, NULL), SN_ERR_INVALID);
}

static void every_change_is_in_the_audit_log(void **state) {
    struct test_auth *test = *state;
    test_auth_add_user(test, SN_STR("root"), SN_ACCOUNT_ADMIN);
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER), token_id = 0;
    struct sn_secret secret;
    const struct sn_auth_token_new token = {
        .user_id = id, .name = SN_STR("ci"), .scopes = SN_SCOPE_READ, .actor = test->actor};
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL), SN_OK);
    assert_int_equal(sn_auth_remove_token(test->auth, token_id, &test->actor, NULL), SN_OK);
    assert_int_equal(sn_auth_set_role(test->auth, id, SN_ACCOUNT_ADMIN, &test->actor, NULL), SN_OK);
    assert_int_equal(
        sn_auth_set_password(test->auth, id, SN_STR("another password"), &test->actor, NULL),
        SN_OK);
    assert_int_equal(sn_auth_remove_user(test->auth, id, &test->actor, NULL), SN_OK);
    static const char *const actions[] = {"token-add", "token-remove", "user-role-admin",
                                          "user-password", "user-remove"};
    for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
        assert_int_equal(test_auth_count_notes(test, actions[i]), 1);
    assert_int_equal(test_auth_count_notes(test, "user-add"), 2);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_auth_set_up, test_auth_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(names_are_unique_whatever_their_case),
        TEST(the_last_administrator_stays),
        TEST(secrets_go_with_their_user),
        TEST(a_token_is_asked_for_with_sense),
        cmocka_unit_test(scopes_and_roles_are_read_from_text),
        TEST(every_change_is_in_the_audit_log),
    };
    return test_auth_run("manage", tests, sizeof tests / sizeof tests[0]);
}
