/* Accounts over HTTP: users, tokens, audit log. */
#include "api_support.h"

#include "base/os.h"

#include <stdio.h>

static char root[128]; /* Authorization header of the administrator */

static int set_up(void **state) {
    struct test_server *server = test_server_start_accounts();
    struct reply reply;
    ask(server, "POST", "/api/auth/login", "",
        "{\"name\":\"root\",\"password\":\"" TEST_PASSWORD "\"}", &reply);
    assert_int_equal(reply.status, 200);
    (void)snprintf(root, sizeof root, "Authorization: Bearer %.47s\r\n",
                   strstr(reply.body, "\"token\":\"") + 9);
    reply_release(&reply);
    *state = server;
    return 0;
}

static int tear_down(void **state) {
    test_server_stop(*state);
    return 0;
}

static void expect(struct test_server *server, const char *method, const char *target,
                   const char *headers, const char *body, int status, const char *words) {
    struct reply reply;
    ask(server, method, target, headers, body, &reply);
    if (reply.status != status || strstr(reply.body, words) == NULL)
        fail_msg("%s %s %s: %d %s", method, target, body, reply.status, reply.body);
    reply_release(&reply);
}

static void users_are_added_changed_and_removed(void **state) {
    expect(*state, "POST", "/api/v1/admin/users", root,
           "{\"name\":\"bob\",\"password\":\"0123456789\",\"role\":\"user\"}", 200,
           "\"id\":3,\"name\":\"bob\",\"role\":\"user\",\"created\":\"2023-11-14T22:13:20.000Z\","
           "\"last_login\":null");
    expect(*state, "POST", "/api/v1/admin/users", root,
           "{\"name\":\"BOB\",\"password\":\"0123456789\",\"role\":\"user\"}", 409, "already");
    expect(*state, "GET", "/api/v1/admin/users", root, "", 200, "\"name\":\"bob\"");
    expect(*state, "PATCH", "/api/v1/admin/users/3", root, "{\"role\":\"admin\"}", 200,
           "\"role\":\"admin\"");
    expect(*state, "PATCH", "/api/v1/admin/users/3", root, "{\"password\":\"short\"}", 400, "10");
    expect(*state, "PATCH", "/api/v1/admin/users/3", root, "{\"password\":\"abcdefghij\"}", 200,
           "bob");
    expect(*state, "PATCH", "/api/v1/admin/users/3", root, "{}", 400, "nothing to change");
    expect(*state, "POST", "/api/auth/login", "", "{\"name\":\"bob\",\"password\":\"abcdefghij\"}",
           200, "token");
    expect(*state, "DELETE", "/api/v1/admin/users/3", root, "", 204, "");
    expect(*state, "DELETE", "/api/v1/admin/users/3", root, "", 404, "no user 3");
    expect(*state, "DELETE", "/api/v1/admin/users/x", root, "", 404, "not an id");
    expect(*state, "DELETE", "/api/v1/admin/users/1", root, "", 400, "only administrator");
}

static void mistakes_in_a_new_user_are_named(void **state) {
    static const struct {
        const char *body, *words;
    } rows[] = {
        {"{\"name\":\"a b\",\"password\":\"0123456789\",\"role\":\"user\"}", "name of the user"},
        {"{\"name\":\"bob\",\"password\":\"0123456789\",\"role\":\"king\"}", "king"},
        {"{\"name\":\"bob\",\"password\":\"bob\",\"role\":\"user\"}", "password"},
        {"{\"name\":\"bob\",\"role\":\"user\"}", "\\\"password\\\" is missing"},
        {"{\"name\":\"bob\",\"name\":\"bob\"}", "name"},
        {"not json", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(*state, "POST", "/api/v1/admin/users", root, rows[i].body, 400, rows[i].words);
}

static void a_token_is_shown_once_and_works_until_it_is_removed(void **state) {
    struct reply reply;
    char header[128];
    ask(*state, "POST", "/api/v1/admin/tokens", root,
        "{\"name\":\"ci\",\"scopes\":\"ingest\",\"user\":\"ann\","
        "\"expires\":\"2030-01-01T00:00:00Z\"}",
        &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "{\"id\":1,\"token\":\"snt_"));
    (void)snprintf(header, sizeof header, "Authorization: Bearer %.47s\r\n",
                   strstr(reply.body, "snt_"));
    reply_release(&reply);
    expect(*state, "GET", "/api/v1/admin/tokens", root, "", 200,
           "\"user\":\"ann\",\"scopes\":[\"ingest\"]");
    expect(*state, "POST", "/api/v1/import/prometheus", header, "a 1\n", 200, "accepted");
    expect(*state, "GET", "/metrics", header, "", 403, "scope \\\"read\\\"");
    expect(*state, "DELETE", "/api/v1/admin/tokens/1", root, "", 204, "");
    expect(*state, "POST", "/api/v1/import/prometheus", header, "a 1\n", 401, "revoked");
    expect(*state, "DELETE", "/api/v1/admin/tokens/1", root, "", 404, "no token 1");
}

static void mistakes_in_a_new_token_are_named(void **state) {
    static const struct {
        const char *body;
        int status;
    } rows[] = {
        {"{\"name\":\"ci\",\"scopes\":\"write\"}", 400},
        {"{\"name\":\"\",\"scopes\":\"read\"}", 400},
        {"{\"name\":\"ci\",\"scopes\":\"read\",\"expires\":\"yesterday\"}", 400},
        {"{\"name\":\"ci\",\"scopes\":\"read\",\"expires\":\"2001-01-01T00:00:00Z\"}", 400},
        {"{\"name\":\"ci\",\"scopes\":\"admin\",\"user\":\"ann\"}", 400},
        {"{\"name\":\"ci\",\"scopes\":\"read\",\"user\":\"nobody\"}", 404},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        expect(*state, "POST", "/api/v1/admin/tokens", root, rows[i].body, rows[i].status, "error");
}

static void the_audit_log_is_paged(void **state) {
    expect(*state, "GET", "/api/v1/admin/audit", root, "", 200,
           "\"actor\":\"root\",\"address\":\"127.0.0.1\",\"action\":\"login\"");
    expect(*state, "GET", "/api/v1/admin/audit?limit=1&before=2", root, "", 200, "[{\"id\":1,");
    expect(*state, "GET", "/api/v1/admin/audit?limit=0", root, "", 400, "1 to 1000");
    expect(*state, "GET", "/api/v1/admin/audit?limit=1001", root, "", 400, "1 to 1000");
    expect(*state, "GET", "/api/v1/admin/audit?before=-1", root, "", 400, "before");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(users_are_added_changed_and_removed),
        TEST(mistakes_in_a_new_user_are_named),
        TEST(a_token_is_shown_once_and_works_until_it_is_removed),
        TEST(mistakes_in_a_new_token_are_named),
        TEST(the_audit_log_is_paged),
    };
    return cmocka_run_group_tests_name("admin_api", tests, NULL, NULL);
}
