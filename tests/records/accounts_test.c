/* Users and the setup code as they are kept. */
#include "accounts_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void a_user_is_found_as_it_was_added(void **state) {
    struct test_accounts *test = *state;
    struct sn_account account;
    int64_t id = test_accounts_add(test, "ann.lee@example", SN_ACCOUNT_ADMIN);
    assert_int_equal(
        sn_accounts_find_user(test->accounts, SN_STR("ANN.LEE@example"), &account, NULL), SN_OK);
    assert_int_equal(account.id, id);
    assert_string_equal(account.name, "ann.lee@example");
    assert_string_equal(account.password_hash, "$argon2id$of-nobody");
    assert_int_equal(account.role, SN_ACCOUNT_ADMIN);
    assert_int_equal(account.created_wall_ms, TEST_NOW_MS);
    assert_int_equal(account.last_login_wall_ms, 0);
    assert_int_equal(sn_accounts_get_user(test->accounts, id, &account, NULL), SN_OK);
    assert_int_equal(sn_accounts_get_user(test->accounts, id + 1, &account, NULL),
                     SN_ERR_NOT_FOUND);
    assert_int_equal(sn_accounts_find_user(test->accounts, SN_STR("ann"), &account, NULL),
                     SN_ERR_NOT_FOUND);
}

static void names_have_a_length_and_an_alphabet(void **state) {
    struct test_accounts *test = *state;
    char name[SN_ACCOUNT_NAME_BYTES_MAX + 1];
    memset(name, 'n', sizeof name);
    struct sn_account_new account = {.role = SN_ACCOUNT_USER, .password_hash = "x"};
    int64_t id = 0;
    account.name = sn_str_make(name, SN_ACCOUNT_NAME_BYTES_MAX + 1);
    assert_int_equal(sn_accounts_add_user(test->accounts, &account, &id, NULL), SN_ERR_INVALID);
    account.name = sn_str_make(name, SN_ACCOUNT_NAME_BYTES_MAX);
    assert_int_equal(sn_accounts_add_user(test->accounts, &account, &id, NULL), SN_OK);
    static const struct sn_str bad[] = {SN_STR(""), SN_STR("a b"), SN_STR("a\0b"), SN_STR("a'b"),
                                        SN_STR("ä")};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        account.name = bad[i];
        assert_int_equal(sn_accounts_add_user(test->accounts, &account, &id, NULL), SN_ERR_INVALID);
    }
}

static void lists_are_by_name(void **state) {
    struct test_accounts *test = *state;
    struct sn_account_list list;
    char name[16] = "user-00";
    for (int i = 39; i >= 0; i--) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        test_accounts_add(test, name, SN_ACCOUNT_USER);
    }
    assert_int_equal(sn_accounts_list_users(test->accounts, &test->arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 40);
    assert_string_equal(list.items[0].name, "user-00");
    assert_string_equal(list.items[39].name, "user-39");
}

static void there_is_a_limit_of_users(void **state) {
    struct test_accounts *test = *state;
    struct sn_account_new account = {.role = SN_ACCOUNT_USER, .password_hash = "x"};
    sn_status status = SN_OK;
    int64_t id = 0, count = 0;
    for (; status == SN_OK && count <= SN_ACCOUNTS_USERS_MAX; count++) {
        char name[24];
        int len = snprintf(name, sizeof name, "user%d", (int)count);
        account.name = sn_str_make(name, (size_t)len);
        status = sn_accounts_add_user(test->accounts, &account, &id, NULL);
    }
    assert_int_equal(status, SN_ERR_LIMIT);
    assert_int_equal(count - 1, SN_ACCOUNTS_USERS_MAX);
}

static void a_setup_code_is_kept_with_its_wrong_guesses(void **state) {
    struct test_accounts *test = *state;
    uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {1, 2, 3}, found[SN_ACCOUNT_HASH_BYTES];
    int64_t expires_ms = 0, wrong_count = 0;
    assert_int_equal(
        sn_accounts_get_setup_code(test->accounts, found, &expires_ms, &wrong_count, NULL),
        SN_ERR_NOT_FOUND);
    assert_int_equal(sn_accounts_count_wrong_code(test->accounts, NULL), SN_OK); /* of none */
    assert_int_equal(sn_accounts_set_setup_code(test->accounts, hash, 77, NULL), SN_OK);
    assert_int_equal(sn_accounts_count_wrong_code(test->accounts, NULL), SN_OK);
    assert_int_equal(
        sn_accounts_get_setup_code(test->accounts, found, &expires_ms, &wrong_count, NULL), SN_OK);
    assert_memory_equal(found, hash, sizeof hash);
    assert_int_equal(expires_ms, 77);
    assert_int_equal(wrong_count, 1);
    assert_int_equal(sn_accounts_set_setup_code(test->accounts, hash, 78, NULL), SN_OK);
    assert_int_equal(
        sn_accounts_get_setup_code(test->accounts, found, &expires_ms, &wrong_count, NULL), SN_OK);
    assert_int_equal(wrong_count, 0);
    assert_int_equal(sn_accounts_set_setup_code(test->accounts, NULL, 0, NULL), SN_OK);
    assert_int_equal(
        sn_accounts_get_setup_code(test->accounts, found, &expires_ms, &wrong_count, NULL),
        SN_ERR_NOT_FOUND);
}

static void a_change_of_another_connection_is_noticed(void **state) {
    struct test_accounts *test = *state;
    int64_t before = 0, after = 0;
    struct sn_accounts *other = NULL;
    assert_int_equal(sn_accounts_open(test->path, &other, NULL), SN_OK);
    assert_int_equal(sn_accounts_change_count(test->accounts, &before, NULL), SN_OK);
    assert_int_equal(
        sn_accounts_set_setup_code(other, (const uint8_t[SN_ACCOUNT_HASH_BYTES]){1}, 77, NULL),
        SN_OK);
    assert_int_equal(sn_accounts_change_count(test->accounts, &after, NULL), SN_OK);
    assert_int_not_equal(before, after);
    other = sn_accounts_close(other);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_accounts_set_up, test_accounts_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_found_as_it_was_added),
        TEST(names_have_a_length_and_an_alphabet),
        TEST(lists_are_by_name),
        TEST(there_is_a_limit_of_users),
        TEST(a_setup_code_is_kept_with_its_wrong_guesses),
        TEST(a_change_of_another_connection_is_noticed),
    };
    return cmocka_run_group_tests_name("accounts", tests, NULL, NULL);
}
