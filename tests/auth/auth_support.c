/* See auth_support.h. */
#include "auth_support.h"

#include "postgres_support.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct test_postgres server;

struct sn_accounts *test_auth_open_accounts(const struct test_auth *test) {
    struct sn_accounts *accounts = NULL;
    struct sn_err err = {.status = SN_OK};
    sn_status status = test->url != NULL ? sn_accounts_open_postgres(test->url, &accounts, &err)
                                         : sn_accounts_open(test->path, &accounts, &err);
    if (status != SN_OK)
        fail_msg("%s", err.text);
    return accounts;
}

void test_auth_pass_ms(struct test_auth *test, int64_t ms) {
    sn_fake_clock_advance_ms(&test->clock, ms);
    assert_int_equal(sn_auth_refresh(test->auth, NULL), SN_OK);
}

void test_auth_stop_database(void) {
    test_postgres_stop(&server);
}

void test_auth_start_database(void) {
    test_postgres_start(&server);
}

int test_auth_run(const char *name, const struct CMUnitTest *tests, size_t count) {
    return test_postgres_run_on_both(&server, name, tests, count);
}

int test_auth_set_up(void **state) {
    static struct test_auth test;
    memset(&test, 0, sizeof test);
    const char *base = getenv("TMPDIR");
    (void)snprintf(test.dir, sizeof test.dir, "%s/sonde-auth-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(test.dir));
    (void)snprintf(test.path, sizeof test.path, "%s/records.db", test.dir);
    sn_fake_clock_init(&test.clock, INT64_C(1000000000000), TEST_NOW_MS);
    test.actor = (struct sn_auth_actor){SN_STR("root"), SN_STR("192.0.2.7"), false};
    if (server.is_running) {
        test_postgres_clear(&server);
        test.url = server.url;
    }
    test.accounts = test_auth_open_accounts(&test);
    const struct sn_auth_options options = {.accounts = test.accounts, .clock = &test.clock.clock};
    assert_int_equal(sn_auth_open(&options, &test.auth, NULL), SN_OK);
    *state = &test;
    return 0;
}

int test_auth_tear_down(void **state) {
    struct test_auth *test = *state;
    test->auth = sn_auth_close(test->auth);
    test->accounts = sn_accounts_close(test->accounts);
    assert_int_equal(sn_os_remove_tree(test->dir, NULL), SN_OK);
    return 0;
}

int64_t test_auth_add_user(struct test_auth *test, struct sn_str name, enum sn_account_role role) {
    int64_t id = 0;
    struct sn_err err = {.status = SN_OK};
    const struct sn_auth_user_new user = {name, SN_STR(TEST_PASSWORD), role, test->actor};
    if (sn_auth_add_user(test->auth, &user, &id, &err) != SN_OK)
        fail_msg("%s", err.text);
    return id;
}

sn_status test_auth_try(struct test_auth *test, struct sn_str name, struct sn_str password,
                        struct sn_err *err) {
    struct sn_secret secret;
    struct sn_principal principal;
    const struct sn_auth_login login = {name, password, test->actor};
    return sn_auth_login(test->auth, &login, &secret, &principal, err);
}

struct sn_secret test_auth_login(struct test_auth *test, struct sn_str name) {
    struct sn_secret secret;
    struct sn_principal principal;
    struct sn_err err = {.status = SN_OK};
    const struct sn_auth_login login = {name, SN_STR(TEST_PASSWORD), test->actor};
    if (sn_auth_login(test->auth, &login, &secret, &principal, &err) != SN_OK)
        fail_msg("%s", err.text);
    assert_true(sn_str_equal(sn_str_from(principal.name), name));
    return secret;
}

size_t test_auth_count_notes(struct test_auth *test, const char *action) {
    struct sn_arena arena;
    struct sn_audit_list list;
    size_t count = 0;
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_accounts_list_audit(test->accounts, 0, 1000, &arena, &list, NULL), SN_OK);
    for (size_t i = 0; i < list.count; i++)
        count += sn_str_equal(list.items[i].action, sn_str_from(action));
    sn_arena_release(&arena);
    return count;
}
