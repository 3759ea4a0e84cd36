/*
 * An auth object on a database in a temporary directory, or in a real PostgreSQL, with a clock that the
 * test moves.
 */
#ifndef TESTS_AUTH_AUTH_SUPPORT_H
#define TESTS_AUTH_AUTH_SUPPORT_H

#include "auth/auth.h"

#define TEST_NOW_MS INT64_C(1700000000000)
#define TEST_PASSWORD "correct horse"

struct test_auth {
    char dir[128];
    char path[160];
    const char *url; /* of PostgreSQL; NULL: SQLite at path */
    struct sn_fake_clock clock;
    struct sn_accounts *accounts;
    struct sn_auth *auth;
    struct sn_auth_actor actor; /* an administrator far away */
};

int test_auth_set_up(void **state);
int test_auth_tear_down(void **state);

/* Open accounts on the test's database; asserts success. */
struct sn_accounts *test_auth_open_accounts(const struct test_auth *test);

/* Let that much time pass, with what looks for changes in the meantime. */
void test_auth_pass_ms(struct test_auth *test, int64_t ms);

/* The database stops as by a crash, and starts again. PostgreSQL only. */
void test_auth_stop_database(void);
void test_auth_start_database(void);

/*
 * Run a group of tests that use set_up and tear_down on SQLite, then on PostgreSQL where it is wanted.
 * tests is an array of cmocka's struct CMUnitTest. Returns how many failed.
 */
struct CMUnitTest;
int test_auth_run(const char *name, const struct CMUnitTest *tests, size_t count);

/* Make a user with TEST_PASSWORD. */
int64_t test_auth_add_user(struct test_auth *test, struct sn_str name, enum sn_account_role role);

/* Sign in; asserts success. */
struct sn_secret test_auth_login(struct test_auth *test, struct sn_str name);

/* Status of a sign-in with any password. */
sn_status test_auth_try(struct test_auth *test, struct sn_str name, struct sn_str password,
                        struct sn_err *err);

/* Rows of the audit log with that action. */
size_t test_auth_count_notes(struct test_auth *test, const char *action);

#endif
