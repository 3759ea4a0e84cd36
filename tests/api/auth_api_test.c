/* Sign-in over HTTP: answers, mistakes, and who is who afterwards. */
#include "api_support.h"

#include "base/os.h"

#include <stdio.h>

static int set_up(void **state) {
    *state = test_server_start_accounts();
    return 0;
}

static int set_up_open(void **state) {
    *state = test_server_start(SN_API_ACCESS_OPEN);
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

/* "Authorization: Bearer ..." of a fresh session. */
static void sign_in(struct test_server *server, const char *name, char ret_header[128]) {
    char body[128];
    struct reply reply;
    (void)snprintf(body, sizeof body, "{\"name\":\"%s\",\"password\":\"" TEST_PASSWORD "\"}", name);
    ask(server, "POST", "/api/auth/login", "", body, &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply_header(&reply, "Cache-Control"), "no-store");
    const char *token = strstr(reply.body, "\"token\":\"");
    assert_non_null(token);
    (void)snprintf(ret_header, 128, "Authorization: Bearer %.47s\r\n", token + 9);
    reply_release(&reply);
}

static void expect(struct test_server *server, const char *method, const char *target,
                   const char *headers, const char *body, int status, const char *words) {
    struct reply reply;
    ask(server, method, target, headers, body, &reply);
    if (reply.status != status || strstr(reply.body, words) == NULL)
        fail_msg("%s %s: %d %s", method, target, reply.status, reply.body);
    reply_release(&reply);
}

static void a_session_is_who_signed_in_until_it_ends(void **state) {
    char header[128];
    sign_in(*state, "ann", header);
    expect(*state, "GET", "/api/auth/me", header, "", 200,
           "\"name\":\"ann\",\"role\":\"user\",\"scopes\":[\"ingest\",\"read\"]");
    expect(*state, "GET", "/metrics", header, "", 200, "");
    expect(*state, "GET", "/api/v1/admin/users", header, "", 403, "admin");
    expect(*state, "POST", "/api/auth/logout", header, "", 204, "");
    expect(*state, "GET", "/api/auth/me", header, "", 401, "unknown, expired or revoked");
    expect(*state, "GET", "/api/auth/me", "", "", 401, "not signed in");
}

static void wrong_sign_ins_say_nothing_of_why(void **state) {
    expect(*state, "POST", "/api/auth/login", "",
           "{\"name\":\"ann\",\"password\":\"wrong password\"}", 401,
           "the name or the password is wrong");
    expect(*state, "POST", "/api/auth/login", "",
           "{\"name\":\"nobody\",\"password\":\"wrong password\"}", 401,
           "the name or the password is wrong");
    expect(*state, "POST", "/api/auth/login", "", "{\"name\":\"ann\"}", 400, "password");
    expect(*state, "POST", "/api/auth/login", "", "{\"name\":1,\"password\":\"x\"}", 400, "");
    expect(*state, "POST", "/api/auth/login", "", "{\"nam\":\"ann\"}", 400, "unknown field");
    expect(*state, "POST", "/api/auth/login", "", "", 400, "");
    expect(*state, "POST", "/api/auth/login", "", "[[[[", 400, "");
}

static void bodies_have_a_small_limit(void **state) {
    static char body[20000];
    memset(body, ' ', sizeof body - 1);
    expect(*state, "POST", "/api/auth/login", "", body, 413, "");
}

static void a_password_is_changed_with_the_old_one(void **state) {
    char header[128];
    sign_in(*state, "ann", header);
    expect(*state, "POST", "/api/auth/password", header,
           "{\"password\":\"not the old one\",\"new_password\":\"another password\"}", 401,
           "wrong");
    expect(*state, "POST", "/api/auth/password", header,
           "{\"password\":\"" TEST_PASSWORD "\",\"new_password\":\"short\"}", 400, "10 to 256");
    expect(*state, "POST", "/api/auth/password", header,
           "{\"password\":\"" TEST_PASSWORD "\",\"new_password\":\"another password\"}", 204, "");
    expect(*state, "GET", "/api/auth/me", header, "", 401, ""); /* its sessions have ended */
    expect(*state, "POST", "/api/auth/login", "",
           "{\"name\":\"ann\",\"password\":\"another password\"}", 200, "token");
}

static void a_setup_code_makes_an_administrator(void **state) {
    struct test_server *server = *state;
    char code[SN_SETUP_CODE_TEXT_SIZE], body[200];
    const struct sn_auth_actor actor = {SN_STR("test"), SN_STR(""), true};
    expect(server, "POST", "/api/auth/setup", "",
           "{\"code\":\"0000-0000-0000\",\"name\":\"boss\",\"password\":\"0123456789\"}", 401,
           "setup code");
    assert_int_equal(sn_auth_new_setup_code(server->auth, code, &actor, NULL), SN_OK);
    (void)snprintf(body, sizeof body,
                   "{\"code\":\"%s\",\"name\":\"boss\",\"password\":\"0123456789\"}", code);
    expect(server, "POST", "/api/auth/setup", "", body, 200, "\"role\":\"admin\"");
    expect(server, "POST", "/api/auth/setup", "", body, 401, "setup code");
    expect(server, "GET", "/api/auth/status", "", "", 200,
           "{\"access\":\"required\",\"has_admin\":true}");
}

static void with_open_access_everybody_is_an_administrator_without_account(void **state) {
    expect(*state, "GET", "/api/auth/me", "", "", 200, "\"role\":\"admin\"");
    expect(*state, "GET", "/api/auth/status", "", "", 200, "\"access\":\"open\"");
    expect(*state, "POST", "/api/auth/login", "", "{}", 501, "open access");
    expect(*state, "POST", "/api/auth/setup", "", "{}", 501, "open access");
    expect(*state, "POST", "/api/auth/logout", "", "", 501, "open access");
    expect(*state, "POST", "/api/auth/password", "", "{}", 501, "open access");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_who_signed_in_until_it_ends),
        TEST(wrong_sign_ins_say_nothing_of_why),
        TEST(bodies_have_a_small_limit),
        TEST(a_password_is_changed_with_the_old_one),
        TEST(a_setup_code_makes_an_administrator),
        cmocka_unit_test_setup_teardown(
            with_open_access_everybody_is_an_administrator_without_account, set_up_open, tear_down),
    };
    return cmocka_run_group_tests_name("auth_api", tests, NULL, NULL);
}
