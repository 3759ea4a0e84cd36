/* Users and the setup code as they are kept. */
#include "accounts_support.h"

#include "base/mem.h"

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
    assert_int_equal(sn_accounts_list_users(test->accounts, &test->arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 0);
    test_accounts_add(test, "User-00a", SN_ACCOUNT_USER); /* after user-00 */
    for (int i = 39; i >= 0; i--) {
        name[5] = (char)('0' + i / 10);
        name[6] = (char)('0' + i % 10);
        test_accounts_add(test, name, SN_ACCOUNT_USER);
    }
    assert_int_equal(sn_accounts_list_users(test->accounts, &test->arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 41);
    assert_string_equal(list.items[0].name, "user-00");
    assert_string_equal(list.items[1].name, "User-00a");
    assert_string_equal(list.items[40].name, "user-39");
}

static void a_name_is_taken_whatever_its_letter_case(void **state) {
    struct test_accounts *test = *state;
    struct sn_account account;
    struct sn_err err = {.status = SN_OK};
    const struct sn_account_new twice = {
        .name = SN_STR("ANN"), .role = SN_ACCOUNT_USER, .password_hash = "x"};
    int64_t id = test_accounts_add(test, "Ann", SN_ACCOUNT_USER), other = 0;
    assert_int_equal(sn_accounts_add_user(test->accounts, &twice, &other, &err), SN_ERR_EXISTS);
    assert_string_equal(err.text, "there is a user \"ANN\" already");
    /* What no user can be called is nobody, and no mistake. */
    static const struct sn_str nobody[] = {SN_STR(""), SN_STR("ann\0"), SN_STR("\xff\xfe"),
                                           SN_STR("' OR 1=1 --")};
    for (size_t i = 0; i < sizeof nobody / sizeof nobody[0]; i++)
        assert_int_equal(sn_accounts_find_user(test->accounts, nobody[i], &account, NULL),
                         SN_ERR_NOT_FOUND);
    assert_int_equal(sn_accounts_remove_user(test->accounts, id, NULL), SN_OK);
    assert_int_equal(sn_accounts_add_user(test->accounts, &twice, &other, NULL), SN_OK);
    assert_int_not_equal(other, id); /* ids are not used again */
}

static void there_is_always_an_administrator(void **state) {
    struct test_accounts *test = *state;
    struct sn_err err = {.status = SN_OK};
    int64_t count = 0, ann = test_accounts_add(test, "ann", SN_ACCOUNT_ADMIN);
    assert_int_equal(sn_accounts_set_role(test->accounts, ann, SN_ACCOUNT_USER, &err),
                     SN_ERR_INVALID);
    assert_string_equal(err.text, "this is the only administrator; make another one first");
    assert_int_equal(sn_accounts_remove_user(test->accounts, ann, NULL), SN_ERR_INVALID);
    int64_t bob = test_accounts_add(test, "bob", SN_ACCOUNT_USER);
    assert_int_equal(sn_accounts_set_role(test->accounts, bob, SN_ACCOUNT_ADMIN, NULL), SN_OK);
    assert_int_equal(sn_accounts_count_admins(test->accounts, &count, NULL), SN_OK);
    assert_int_equal(count, 2);
    assert_int_equal(sn_accounts_remove_user(test->accounts, ann, NULL), SN_OK);
    assert_int_equal(sn_accounts_remove_user(test->accounts, ann, &err), SN_ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, "there is no user "));
    assert_int_equal(sn_accounts_set_role(test->accounts, bob, SN_ACCOUNT_USER, NULL),
                     SN_ERR_INVALID);
    assert_int_equal(sn_accounts_count_admins(test->accounts, &count, NULL), SN_OK);
    assert_int_equal(count, 1);
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
    struct sn_accounts *other = test_accounts_open(test);
    assert_int_equal(sn_accounts_change_count(test->accounts, &before, NULL), SN_OK);
    assert_int_equal(
        sn_accounts_set_setup_code(other, (const uint8_t[SN_ACCOUNT_HASH_BYTES]){1}, 77, NULL),
        SN_OK);
    assert_int_equal(sn_accounts_change_count(test->accounts, &after, NULL), SN_OK);
    assert_int_not_equal(before, after);
    other = sn_accounts_close(other);
}

static void without_memory_nothing_is_half_done(void **state) {
    struct test_accounts *test = *state;
    bool is_over = false;
    test_accounts_add(test, "root", SN_ACCOUNT_ADMIN);
    for (uint64_t n = 1; !is_over; n++) {
        struct sn_err err = {.status = SN_OK};
        sn_arena_release(&test->arena); /* so that it has to ask for memory */
        sn_arena_init(&test->arena, 0);
        sn_mem_fail_nth(n);
        sn_status status = test_accounts_play(test->accounts, &test->arena, "ann", &err);
        is_over = !sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        if (status != (is_over ? SN_OK : SN_ERR_NO_MEMORY))
            fail_msg("%llu: %s", (unsigned long long)n, err.text);
        test_accounts_tidy(test->accounts, "ann");
    }
}

static void opening_without_memory_leaves_nothing(void **state) {
    struct test_accounts *test = *state;
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        struct sn_accounts *other = NULL;
        sn_mem_fail_nth(n);
        sn_status status = test->url != NULL ? sn_accounts_open_postgres(test->url, &other, NULL)
                                             : sn_accounts_open(test->path, &other, NULL);
        bool has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        other = sn_accounts_close(other);
        assert_int_equal(sn_mem_block_count(), before);
        if (!has_fired) {
            assert_int_equal(status, SN_OK);
            break;
        }
        assert_int_equal(status, SN_ERR_NO_MEMORY);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_accounts_set_up, test_accounts_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_user_is_found_as_it_was_added),
        TEST(names_have_a_length_and_an_alphabet),
        TEST(lists_are_by_name),
        TEST(a_name_is_taken_whatever_its_letter_case),
        TEST(there_is_always_an_administrator),
        TEST(there_is_a_limit_of_users),
        TEST(a_setup_code_is_kept_with_its_wrong_guesses),
        TEST(a_change_of_another_connection_is_noticed),
        TEST(without_memory_nothing_is_half_done),
        TEST(opening_without_memory_leaves_nothing),
    };
    return test_accounts_run("accounts", tests, sizeof tests / sizeof tests[0]);
}
