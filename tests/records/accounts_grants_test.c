/* Sessions and tokens as they are kept. */
#include "accounts_support.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void add_session(struct test_accounts *test, int64_t user_id, uint8_t mark,
                        int64_t now_wall_ms, int64_t expires_wall_ms) {
    uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {mark};
    const struct sn_account_session_new session = {hash, user_id, now_wall_ms, expires_wall_ms};
    assert_int_equal(sn_accounts_add_session(test->accounts, &session, NULL), SN_OK);
}

struct seen {
    size_t count;
    struct sn_account_grant grants[8];
};

static sn_status see(void *ctx, const struct sn_account_grant *grant) {
    struct seen *seen = ctx;
    assert_true(seen->count < 8);
    seen->grants[seen->count++] = *grant;
    return SN_OK;
}

static struct seen look(struct test_accounts *test, int64_t now_wall_ms) {
    struct seen seen = {0};
    assert_int_equal(sn_accounts_each_grant(test->accounts, now_wall_ms, see, &seen, NULL), SN_OK);
    return seen;
}

static void only_what_is_not_over_is_granted(void **state) {
    struct test_accounts *test = *state;
    int64_t ann = test_accounts_add(test, "ann", SN_ACCOUNT_ADMIN), token_id = 0;
    uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {9};
    add_session(test, ann, 1, TEST_NOW_MS, TEST_NOW_MS + 10);
    add_session(test, ann, 2, TEST_NOW_MS, TEST_NOW_MS + 20);
    struct sn_account_token_new token = {
        .hash = hash,
        .user_id = ann,
        .name = SN_STR("ci"),
        .hint = SN_STR("snt_abcd"),
        .scopes = SN_SCOPE_INGEST,
        .now_wall_ms = TEST_NOW_MS,
    };
    assert_int_equal(sn_accounts_add_token(test->accounts, &token, &token_id, NULL), SN_OK);
    struct seen seen = look(test, TEST_NOW_MS + 9);
    assert_int_equal(seen.count, 3);
    seen = look(test, TEST_NOW_MS + 10);
    assert_int_equal(seen.count, 2);
    seen = look(test, TEST_NOW_MS + 20);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.grants[0].token_id, token_id);
    assert_int_equal(seen.grants[0].scopes, SN_SCOPE_INGEST);
    assert_int_equal(seen.grants[0].role, SN_ACCOUNT_ADMIN);
    assert_string_equal(seen.grants[0].user_name, "ann");
    assert_memory_equal(seen.grants[0].hash, hash, sizeof hash);
    struct sn_account_token_list list;
    assert_int_equal(sn_accounts_list_tokens(test->accounts, &test->arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 1);
    assert_true(sn_str_equal(list.items[0].user_name, SN_STR("ann")));
    assert_true(sn_str_equal(list.items[0].name, SN_STR("ci")));
    assert_true(sn_str_equal(list.items[0].hint, SN_STR("snt_abcd")));
    assert_int_equal(sn_accounts_remove_token(test->accounts, token_id, NULL), SN_OK);
    assert_int_equal(sn_accounts_remove_token(test->accounts, token_id, NULL), SN_ERR_NOT_FOUND);
}

static void a_new_session_sweeps_the_old_ones_and_notes_the_sign_in(void **state) {
    struct test_accounts *test = *state;
    struct sn_account account;
    int64_t ann = test_accounts_add(test, "ann", SN_ACCOUNT_USER);
    add_session(test, ann, 1, TEST_NOW_MS, TEST_NOW_MS + 10);
    add_session(test, ann, 2, TEST_NOW_MS + 10, TEST_NOW_MS + 50);
    assert_int_equal(look(test, 0).count, 1); /* the first is gone, whatever time it is */
    assert_int_equal(sn_accounts_get_user(test->accounts, ann, &account, NULL), SN_OK);
    assert_int_equal(account.last_login_wall_ms, TEST_NOW_MS + 10);
    uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {2};
    assert_int_equal(sn_accounts_remove_session(test->accounts, hash, NULL), SN_OK);
    assert_int_equal(sn_accounts_remove_session(test->accounts, hash, NULL), SN_OK);
    assert_int_equal(look(test, 0).count, 0);
}

static void grants_go_with_their_user(void **state) {
    struct test_accounts *test = *state;
    int64_t ann = test_accounts_add(test, "ann", SN_ACCOUNT_USER);
    int64_t bob = test_accounts_add(test, "bob", SN_ACCOUNT_USER);
    add_session(test, ann, 1, TEST_NOW_MS, TEST_NOW_MS + 10);
    add_session(test, bob, 2, TEST_NOW_MS, TEST_NOW_MS + 10);
    assert_int_equal(sn_accounts_remove_user(test->accounts, ann, NULL), SN_OK);
    struct seen seen = look(test, 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.grants[0].user_id, bob);
    assert_int_equal(sn_accounts_set_password(test->accounts, bob, "new", NULL), SN_OK);
    assert_int_equal(look(test, 0).count, 0);
}

static void a_session_of_nobody_is_refused(void **state) {
    struct test_accounts *test = *state;
    uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {1};
    const struct sn_account_session_new session = {hash, 4711, TEST_NOW_MS, TEST_NOW_MS + 1};
    assert_int_equal(sn_accounts_add_session(test->accounts, &session, NULL), SN_ERR_EXISTS);
    assert_int_equal(look(test, 0).count, 0);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_accounts_set_up, test_accounts_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(only_what_is_not_over_is_granted),
        TEST(a_new_session_sweeps_the_old_ones_and_notes_the_sign_in),
        TEST(grants_go_with_their_user),
        TEST(a_session_of_nobody_is_refused),
    };
    return test_accounts_run("accounts_grants", tests, sizeof tests / sizeof tests[0]);
}
