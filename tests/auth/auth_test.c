/* What a secret is good for, and for how long. */
#include "auth_support.h"

#include "base/lock.h"
#include "base/mem.h"
#include "base/os.h"
#include "records/pg.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>

#include <cmocka.h>

static sn_status check(struct test_auth *test, const struct sn_secret *secret,
                       struct sn_principal *ret_principal) {
    return sn_auth_check(test->auth, sn_str_from(secret->text), ret_principal, NULL);
}

static void a_session_is_its_user_until_it_expires(void **state) {
    struct test_auth *test = *state;
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    struct sn_principal principal;
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_int_equal(principal.user_id, id);
    assert_int_equal(principal.token_id, 0);
    assert_string_equal(principal.name, "ann");
    assert_int_equal(principal.scopes, SN_SCOPE_READ | SN_SCOPE_INGEST);
    sn_fake_clock_advance_ms(&test->clock, SN_AUTH_SESSION_MS_DEFAULT - 1);
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    sn_fake_clock_advance_ms(&test->clock, 1);
    assert_int_equal(check(test, &secret, &principal), SN_ERR_DENIED);
}

static void forged_and_foreign_secrets_are_denied_and_counted(void **state) {
    struct test_auth *test = *state;
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_ADMIN);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann")), other;
    struct sn_principal principal;
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_secret_new(SN_SECRET_SESSION, &other, NULL), SN_OK);
    assert_int_equal(check(test, &other, &principal), SN_ERR_DENIED);
    static const struct sn_str texts[] = {SN_STR(""), SN_STR("sns_"), SN_STR("' OR 1=1 --"),
                                          SN_STR("\0\0\0\0")};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(sn_auth_check(test->auth, texts[i], &principal, &err), SN_ERR_DENIED);
    assert_string_equal(err.text, "the token is unknown, expired or revoked");
    for (size_t i = 0; i < SN_SECRET_TEXT_SIZE - 1; i++) {
        struct sn_secret changed = secret;
        changed.text[i] = changed.text[i] == 'A' ? 'B' : 'A';
        assert_int_equal(check(test, &changed, &principal), SN_ERR_DENIED);
    }
    struct sn_auth_stats stats;
    sn_auth_stats(test->auth, &stats);
    assert_int_equal(stats.denied_count, 1 + 4 + SN_SECRET_TEXT_SIZE - 1);
    assert_int_equal(check(test, &secret, &principal), SN_OK);
}

static void a_token_may_what_its_scopes_and_its_user_may(void **state) {
    struct test_auth *test = *state;
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_ADMIN);
    test_auth_add_user(test, SN_STR("root"), SN_ACCOUNT_ADMIN);
    struct sn_auth_token_new token = {
        .user_id = id,
        .name = SN_STR("ci"),
        .scopes = SN_SCOPE_INGEST | SN_SCOPE_ADMIN,
        .actor = test->actor,
    };
    struct sn_secret secret;
    struct sn_principal principal;
    int64_t token_id = 0;
    assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL), SN_OK);
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_int_equal(principal.token_id, token_id);
    assert_int_equal(principal.scopes, SN_SCOPE_INGEST | SN_SCOPE_ADMIN);
    assert_int_equal(sn_auth_set_role(test->auth, id, SN_ACCOUNT_USER, &test->actor, NULL), SN_OK);
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_int_equal(principal.scopes, SN_SCOPE_INGEST); /* the user may less now */
    assert_int_equal(sn_auth_remove_token(test->auth, token_id, &test->actor, NULL), SN_OK);
    assert_int_equal(check(test, &secret, &principal), SN_ERR_DENIED);
}

static void an_administrator_is_noticed(void **state) {
    struct test_auth *test = *state;
    assert_false(sn_auth_has_admin(test->auth));
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    assert_false(sn_auth_has_admin(test->auth));
    test_auth_add_user(test, SN_STR("bob"), SN_ACCOUNT_ADMIN);
    assert_true(sn_auth_has_admin(test->auth));
}

static void what_another_process_changes_counts_soon(void **state) {
    struct test_auth *test = *state;
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    struct sn_principal principal;
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    struct sn_accounts *other = test_auth_open_accounts(test);
    assert_int_equal(sn_accounts_set_role(other, id, SN_ACCOUNT_ADMIN, NULL), SN_OK);
    if (test->url != NULL) /* somebody has to look */
        test_auth_pass_ms(test, SN_AUTH_STALE_MAX_MS);
    else
        sn_fake_clock_advance_ms(&test->clock, SN_AUTH_STALE_MAX_MS);
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_int_equal(principal.role, SN_ACCOUNT_ADMIN);
    assert_true(sn_auth_has_admin(test->auth));
    assert_int_equal(sn_accounts_set_role(other, id, SN_ACCOUNT_USER, NULL), SN_ERR_INVALID);
    other = sn_accounts_close(other);
}

static void sessions_survive_a_restart(void **state) {
    struct test_auth *test = *state;
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    struct sn_principal principal;
    test->auth = sn_auth_close(test->auth);
    test->accounts = sn_accounts_close(test->accounts);
    test->accounts = test_auth_open_accounts(test);
    const struct sn_auth_options options = {.accounts = test->accounts,
                                            .clock = &test->clock.clock};
    assert_int_equal(sn_auth_open(&options, &test->auth, NULL), SN_OK);
    assert_int_equal(check(test, &secret, &principal), SN_OK);
}

static void without_memory_nothing_is_let_through(void **state) {
    struct test_auth *test = *state;
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    struct sn_principal principal;
    int64_t before = sn_mem_block_count();
    for (uint64_t n = 1;; n++) {
        struct sn_auth *auth = NULL;
        const struct sn_auth_options options = {.accounts = test->accounts,
                                                .clock = &test->clock.clock};
        sn_mem_fail_nth(n);
        sn_status status = sn_auth_open(&options, &auth, NULL);
        int has_fired = sn_mem_fail_fired();
        sn_mem_fail_nth(0);
        if (!has_fired) {
            assert_int_equal(status, SN_OK);
            assert_int_equal(sn_auth_check(auth, sn_str_from(secret.text), &principal, NULL),
                             SN_OK);
            auth = sn_auth_close(auth);
            break;
        }
        assert_int_equal(status, SN_ERR_NO_MEMORY);
        assert_null(auth);
    }
    assert_int_equal(sn_mem_block_count(), before);
    assert_null(sn_auth_close(NULL));
}

/* ---- many at once ---- */

enum { CHECKERS = 3 };

struct checker {
    struct test_auth *test;
    const struct sn_secret *secret;
    atomic_bool *is_over;
    size_t count, refused;
    struct sn_thread thread;
};

static void check_often(void *ctx) {
    struct checker *checker = ctx;
    struct sn_principal principal;
    while (!atomic_load(checker->is_over)) {
        checker->refused += check(checker->test, checker->secret, &principal) != SN_OK;
        checker->count++;
    }
}

static void whoever_changes_something_sees_it_while_others_are_checked(void **state) {
    struct test_auth *test = *state;
    struct checker checkers[CHECKERS] = {0};
    atomic_bool is_over = false;
    int64_t id = test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret session = test_auth_login(test, SN_STR("ann"));
    const struct sn_auth_token_new token = {
        .user_id = id, .name = SN_STR("ci"), .scopes = SN_SCOPE_READ, .actor = test->actor};
    for (size_t i = 0; i < CHECKERS; i++) {
        checkers[i] = (struct checker){.test = test, .secret = &session, .is_over = &is_over};
        assert_int_equal(
            sn_thread_start(&checkers[i].thread, "check", check_often, &checkers[i], NULL), SN_OK);
    }
    for (int i = 0; i < 50; i++) {
        struct sn_secret secret;
        struct sn_principal principal;
        int64_t token_id = 0;
        assert_int_equal(sn_auth_add_token(test->auth, &token, &secret, &token_id, NULL), SN_OK);
        assert_int_equal(check(test, &secret, &principal), SN_OK);
        assert_int_equal(sn_auth_remove_token(test->auth, token_id, &test->actor, NULL), SN_OK);
        assert_int_equal(check(test, &secret, &principal), SN_ERR_DENIED);
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < CHECKERS; i++) {
        sn_thread_join(&checkers[i].thread);
        assert_true(checkers[i].count > 0);
        assert_int_equal(checkers[i].refused, 0);
    }
}

static void refresh_once(void *ctx) {
    struct test_auth *test = ctx;
    (void)!sn_auth_refresh(test->auth, NULL); /* it waits */
}

/* A database that does not answer holds up who reads it, and no check. */
static void no_check_waits_for_a_remote_database(void **state) {
    struct test_auth *test = *state;
    struct sn_pg pg = {.conn = NULL};
    struct sn_thread reader = {.is_running = false};
    struct sn_principal principal;
    if (test->url == NULL)
        return; /* a file is read by checks */
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    assert_int_equal(sn_pg_connect(&pg, test->url, NULL), SN_OK);
    assert_int_equal(sn_pg_run(&pg, "BEGIN; LOCK TABLE sonde_account_change", NULL, NULL, NULL),
                     SN_OK);
    assert_int_equal(sn_thread_start(&reader, "refresh", refresh_once, test, NULL), SN_OK);
    assert_false(sn_thread_join_within(&reader, 50000000));
    for (int i = 0; i < 10; i++)
        assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_false(sn_auth_has_admin(test->auth));
    assert_false(sn_thread_join_within(&reader, 0));
    sn_pg_disconnect(&pg); /* and with it the lock */
    sn_thread_join(&reader);
}

/* ---- a database that is away: a remote one ---- */

static void what_was_known_stays_valid_while_the_database_is_away(void **state) {
    struct test_auth *test = *state;
    struct sn_principal principal;
    struct sn_secret unused;
    struct sn_err err = {.status = SN_OK};
    if (test->url == NULL)
        return; /* a file is not away */
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_ADMIN);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    test_auth_stop_database();
    sn_fake_clock_advance_ms(&test->clock, 2 * SN_AUTH_STALE_MAX_MS);
    assert_int_equal(sn_auth_refresh(test->auth, &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "the database is away"));
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_true(sn_auth_has_admin(test->auth));
    assert_int_equal(sn_secret_new(SN_SECRET_SESSION, &unused, NULL), SN_OK);
    assert_int_equal(check(test, &unused, &principal), SN_ERR_DENIED);
    assert_int_equal(test_auth_try(test, SN_STR("ann"), SN_STR(TEST_PASSWORD), &err), SN_ERR_IO);
    assert_non_null(strstr(err.text, "the database is away"));
    assert_int_equal(sn_auth_logout(test->auth, &principal, &test->actor, NULL), SN_ERR_IO);
    /* Not for ever. */
    sn_fake_clock_advance_ms(&test->clock, SN_AUTH_SESSION_MS_DEFAULT);
    assert_int_equal(check(test, &secret, &principal), SN_ERR_DENIED);
    test_auth_start_database();
    while (sn_auth_refresh(test->auth, NULL) != SN_OK)
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
    secret = test_auth_login(test, SN_STR("ann"));
    assert_int_equal(check(test, &secret, &principal), SN_OK);
}

static void an_auth_that_starts_without_its_database_knows_nobody_until_it_is_there(void **state) {
    struct test_auth *test = *state;
    struct sn_principal principal;
    struct sn_err err = {.status = SN_OK};
    if (test->url == NULL)
        return; /* a file is not away */
    const struct sn_auth_options options = {.accounts = test->accounts,
                                            .clock = &test->clock.clock};
    test_auth_add_user(test, SN_STR("ann"), SN_ACCOUNT_USER);
    struct sn_secret secret = test_auth_login(test, SN_STR("ann"));
    test->auth = sn_auth_close(test->auth);
    test_auth_stop_database();
    assert_int_equal(sn_auth_open(&options, &test->auth, NULL), SN_OK);
    assert_false(sn_auth_is_known(test->auth));
    assert_true(sn_auth_has_admin(test->auth)); /* nobody is led to set one up */
    assert_int_equal(sn_auth_check(test->auth, sn_str_from(secret.text), &principal, &err),
                     SN_ERR_IO);
    assert_non_null(strstr(err.text, "it is not known yet who may do what: the database is away"));
    test_auth_start_database();
    while (sn_auth_refresh(test->auth, NULL) != SN_OK)
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
    assert_true(sn_auth_is_known(test->auth));
    assert_int_equal(check(test, &secret, &principal), SN_OK);
    assert_false(sn_auth_has_admin(test->auth));
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, test_auth_set_up, test_auth_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_session_is_its_user_until_it_expires),
        TEST(forged_and_foreign_secrets_are_denied_and_counted),
        TEST(a_token_may_what_its_scopes_and_its_user_may),
        TEST(an_administrator_is_noticed),
        TEST(what_another_process_changes_counts_soon),
        TEST(sessions_survive_a_restart),
        TEST(without_memory_nothing_is_let_through),
        TEST(whoever_changes_something_sees_it_while_others_are_checked),
        TEST(no_check_waits_for_a_remote_database),
        TEST(what_was_known_stays_valid_while_the_database_is_away),
        TEST(an_auth_that_starts_without_its_database_knows_nobody_until_it_is_there),
    };
    return test_auth_run("auth", tests, sizeof tests / sizeof tests[0]);
}
