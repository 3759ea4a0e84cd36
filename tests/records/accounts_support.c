/* See accounts_support.h. */
#include "accounts_support.h"

#include "postgres_support.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct test_postgres server;

int test_accounts_set_up(void **state) {
    static struct test_accounts test;
    memset(&test, 0, sizeof test);
    const char *base = getenv("TMPDIR");
    (void)snprintf(test.dir, sizeof test.dir, "%s/sonde-accounts-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(test.dir));
    (void)snprintf(test.path, sizeof test.path, "%s/records.db", test.dir);
    if (server.is_running) {
        test_postgres_clear(&server);
        test.url = server.url;
    }
    test.accounts = test_accounts_open(&test);
    sn_arena_init(&test.arena, 0);
    *state = &test;
    return 0;
}

int test_accounts_tear_down(void **state) {
    struct test_accounts *test = *state;
    sn_arena_release(&test->arena);
    test->accounts = sn_accounts_close(test->accounts);
    assert_int_equal(sn_os_remove_tree(test->dir, NULL), SN_OK);
    return 0;
}

struct sn_accounts *test_accounts_open(const struct test_accounts *test) {
    struct sn_accounts *accounts = NULL;
    struct sn_err err = {.status = SN_OK};
    sn_status status = test->url != NULL ? sn_accounts_open_postgres(test->url, &accounts, &err)
                                         : sn_accounts_open(test->path, &accounts, &err);
    if (status != SN_OK)
        fail_msg("%s", err.text);
    assert_int_equal(sn_accounts_are_remote(accounts), test->url != NULL);
    return accounts;
}

int64_t test_accounts_add(struct test_accounts *test, const char *name, enum sn_account_role role) {
    const struct sn_account_new account = {
        .name = sn_str_from(name),
        .role = role,
        .password_hash = "$argon2id$of-nobody",
        .now_wall_ms = TEST_NOW_MS,
    };
    int64_t id = 0;
    struct sn_err err = {.status = SN_OK};
    if (sn_accounts_add_user(test->accounts, &account, &id, &err) != SN_OK)
        fail_msg("%s", err.text);
    return id;
}

static sn_status count_grant(void *ctx, const struct sn_account_grant *grant) {
    (void)grant;
    ++*(size_t *)ctx;
    return SN_OK;
}

static sn_status play_grants(struct sn_accounts *accounts, int64_t user_id, struct sn_err *err) {
    const uint8_t session_hash[SN_ACCOUNT_HASH_BYTES] = {1},
                  token_hash[SN_ACCOUNT_HASH_BYTES] = {2};
    const struct sn_account_session_new session = {session_hash, user_id, TEST_NOW_MS,
                                                   TEST_NOW_MS + 1};
    const struct sn_account_token_new token = {.hash = token_hash,
                                               .user_id = user_id,
                                               .name = SN_STR("ci"),
                                               .hint = SN_STR("snt_"),
                                               .scopes = SN_SCOPE_READ,
                                               .now_wall_ms = TEST_NOW_MS};
    int64_t token_id = 0;
    size_t count = 0;
    SN_TRY(sn_accounts_add_session(accounts, &session, err));
    SN_TRY(sn_accounts_add_token(accounts, &token, &token_id, err));
    SN_TRY(sn_accounts_each_grant(accounts, TEST_NOW_MS, count_grant, &count, err));
    assert_int_equal(count, 2);
    SN_TRY(sn_accounts_remove_session(accounts, session_hash, err));
    return sn_accounts_remove_token(accounts, token_id, err);
}

static sn_status play_the_rest(struct sn_accounts *accounts, struct sn_arena *arena,
                               struct sn_err *err) {
    uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {3};
    int64_t expires_ms = 0, wrong_count = 0, count = 0;
    struct sn_account_list users;
    struct sn_account_token_list tokens;
    struct sn_audit_list audit;
    const struct sn_audit_row row = {.time_ms = TEST_NOW_MS, .action = SN_STR("a")};
    SN_TRY(sn_accounts_set_setup_code(accounts, hash, 77, err));
    SN_TRY(sn_accounts_count_wrong_code(accounts, err));
    SN_TRY(sn_accounts_get_setup_code(accounts, hash, &expires_ms, &wrong_count, err));
    SN_TRY(sn_accounts_set_setup_code(accounts, NULL, 0, err));
    SN_TRY(sn_accounts_add_audit(accounts, &row, err));
    SN_TRY(sn_accounts_list_users(accounts, arena, &users, err));
    SN_TRY(sn_accounts_list_tokens(accounts, arena, &tokens, err));
    SN_TRY(sn_accounts_list_audit(accounts, 0, 10, arena, &audit, err));
    return sn_accounts_change_count(accounts, &count, err);
}

sn_status test_accounts_play(struct sn_accounts *accounts, struct sn_arena *arena, const char *name,
                             struct sn_err *err) {
    const struct sn_account_new account = {
        .name = sn_str_from(name), .role = SN_ACCOUNT_USER, .password_hash = "x"};
    struct sn_account found;
    int64_t id = 0;
    SN_TRY(sn_accounts_add_user(accounts, &account, &id, err));
    SN_TRY(sn_accounts_find_user(accounts, account.name, &found, err));
    assert_int_equal(found.id, id);
    SN_TRY(play_grants(accounts, id, err));
    SN_TRY(play_the_rest(accounts, arena, err));
    SN_TRY(sn_accounts_set_password(accounts, id, "y", err));
    SN_TRY(sn_accounts_set_role(accounts, id, SN_ACCOUNT_ADMIN, err));
    SN_TRY(sn_accounts_set_role(accounts, id, SN_ACCOUNT_USER, err));
    SN_TRY(sn_accounts_get_user(accounts, id, &found, err));
    assert_string_equal(found.password_hash, "y");
    return sn_accounts_remove_user(accounts, id, err);
}

void test_accounts_tidy(struct sn_accounts *accounts, const char *name) {
    struct sn_account found;
    struct sn_account_list users;
    struct sn_arena arena;
    size_t count = 0;
    if (sn_accounts_find_user(accounts, sn_str_from(name), &found, NULL) == SN_OK)
        assert_int_equal(sn_accounts_remove_user(accounts, found.id, NULL), SN_OK);
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_accounts_list_users(accounts, &arena, &users, NULL), SN_OK);
    assert_int_equal(users.count, 1);
    assert_string_equal(users.items[0].name, "root");
    sn_arena_release(&arena);
    assert_int_equal(sn_accounts_each_grant(accounts, TEST_NOW_MS, count_grant, &count, NULL),
                     SN_OK);
    assert_int_equal(count, 0);
}

int test_accounts_run(const char *name, const struct CMUnitTest *tests, size_t count) {
    return test_postgres_run_on_both(&server, name, tests, count);
}
