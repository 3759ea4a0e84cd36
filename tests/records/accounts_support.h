/*
 * Accounts in a temporary directory, or in a real PostgreSQL: the same tests for both.
 */
#ifndef TESTS_RECORDS_ACCOUNTS_SUPPORT_H
#define TESTS_RECORDS_ACCOUNTS_SUPPORT_H

#include "base/arena.h"
#include "records/accounts.h"

#include <stddef.h>

#define TEST_NOW_MS INT64_C(1700000000000)

struct test_accounts {
    char dir[128];
    char path[160];
    const char *url; /* of PostgreSQL; NULL: SQLite at path */
    struct sn_accounts *accounts;
    struct sn_arena arena;
};

int test_accounts_set_up(void **state);
int test_accounts_tear_down(void **state);

/* One more connection to the same database; asserts success. */
struct sn_accounts *test_accounts_open(const struct test_accounts *test);

int64_t test_accounts_add(struct test_accounts *test, const char *name, enum sn_account_role role);

/*
 * A bit of everything with a user of that name: added, signed in, given a token, changed, removed; the
 * audit log and the setup code; all lists. Returns the first failure; the user may be there then.
 */
sn_status test_accounts_play(struct sn_accounts *accounts, struct sn_arena *arena, const char *name,
                             struct sn_err *err);

/* After a failed play: only the administrator "root" is there or that user besides, who is removed;
 * nothing else is valid. */
void test_accounts_tidy(struct sn_accounts *accounts, const char *name);

/*
 * Run a group of tests that use set_up and tear_down on SQLite, then on PostgreSQL where it is wanted.
 * tests is an array of cmocka's struct CMUnitTest. Returns how many failed.
 */
struct CMUnitTest;
int test_accounts_run(const char *name, const struct CMUnitTest *tests, size_t count);

#endif
