/* See accounts_support.h. */
#include "accounts_support.h"

#include "base/os.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

int test_accounts_set_up(void **state) {
    static struct test_accounts test;
    memset(&test, 0, sizeof test);
    const char *base = getenv("TMPDIR");
    (void)snprintf(test.dir, sizeof test.dir, "%s/sonde-accounts-XXXXXX", base ? base : "/tmp");
    assert_non_null(mkdtemp(test.dir));
    (void)snprintf(test.path, sizeof test.path, "%s/sonde.db", test.dir);
    assert_int_equal(sn_accounts_open(test.path, &test.accounts, NULL), SN_OK);
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

int64_t test_accounts_add(struct test_accounts *test, const char *name, enum sn_account_role role) {
    const struct sn_account_new account = {
        .name = sn_str_from(name),
        .role = role,
        .password_hash = "$argon2id$of-nobody",
        .now_wall_ms = TEST_NOW_MS,
    };
    int64_t id = 0;
    assert_int_equal(sn_accounts_add_user(test->accounts, &account, &id, NULL), SN_OK);
    return id;
}
