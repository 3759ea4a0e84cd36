/*
 * An auth object on a database in a temporary directory, with a clock that the test moves.
 */
#ifndef TESTS_AUTH_AUTH_SUPPORT_H
#define TESTS_AUTH_AUTH_SUPPORT_H

#include "auth/auth.h"

#define TEST_NOW_MS INT64_C(1700000000000)
#define TEST_PASSWORD "correct horse"

struct test_auth {
    char dir[128];
    char path[160];
    struct sn_fake_clock clock;
    struct sn_accounts *accounts;
    struct sn_auth *auth;
    struct sn_auth_actor actor; /* an administrator far away */
};

int test_auth_set_up(void **state);
int test_auth_tear_down(void **state);

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
