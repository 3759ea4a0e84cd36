/*
 * Accounts in a temporary directory.
 */
#ifndef TESTS_RECORDS_ACCOUNTS_SUPPORT_H
#define TESTS_RECORDS_ACCOUNTS_SUPPORT_H

#include "base/arena.h"
#include "records/accounts.h"

#define TEST_NOW_MS INT64_C(1700000000000)

struct test_accounts {
    char dir[128];
    char path[160];
    struct sn_accounts *accounts;
    struct sn_arena arena;
};

int test_accounts_set_up(void **state);
int test_accounts_tear_down(void **state);

int64_t test_accounts_add(struct test_accounts *test, const char *name, enum sn_account_role role);

#endif
