/*
 * Accounts in a real PostgreSQL: two servers at once, an outage, and a network that breaks at each
 * statement. What both databases must do is in accounts_test.c and its neighbours.
 */
#include "accounts_support.h"
#include "pg_proxy_support.h"

#include "base/clock.h"
#include "base/os.h"
#include "records/pg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static struct test_postgres server;

static struct sn_accounts *open_accounts(const char *url) {
    const struct test_accounts test = {.url = url};
    return test_accounts_open(&test);
}

static int64_t add_admin(struct sn_accounts *accounts, const char *name) {
    struct test_accounts test = {.accounts = accounts};
    return test_accounts_add(&test, name, SN_ACCOUNT_ADMIN);
}

/* Ask until the database answers, for a minute at most. */
static void await(struct sn_accounts *accounts) {
    struct sn_err err = {.status = SN_OK};
    int64_t count = 0, deadline_ns = sn_clock_mono_ns(sn_clock_system()) + INT64_C(60000000000);
    while (sn_accounts_change_count(accounts, &count, &err) != SN_OK) {
        assert_int_equal(err.status, SN_ERR_IO);
        assert_non_null(strstr(err.text, "the database is away"));
        if (sn_clock_mono_ns(sn_clock_system()) > deadline_ns)
            fail_msg("%s", err.text);
        sn_clock_system()->sleep_ns(sn_clock_system()->ctx, 1000000);
    }
}

/* ---- two servers ---- */

enum { SERVERS = 4, ROUNDS = 25 };

struct rival {
    struct sn_accounts *accounts;
    int64_t id; /* whom to remove */
    bool is_first_use;
    sn_status status;
    struct sn_thread thread;
};

static void act(void *ctx) {
    struct rival *rival = ctx;
    int64_t count = 0;
    rival->status = rival->is_first_use ? sn_accounts_count_admins(rival->accounts, &count, NULL)
                                        : sn_accounts_remove_user(rival->accounts, rival->id, NULL);
}

static void all_act(struct rival *rivals) {
    for (size_t i = 0; i < SERVERS; i++)
        assert_int_equal(sn_thread_start(&rivals[i].thread, "rival", act, &rivals[i], NULL), SN_OK);
    for (size_t i = 0; i < SERVERS; i++)
        sn_thread_join(&rivals[i].thread);
}

static void servers_that_start_together_make_the_tables_once(void **state) {
    (void)state;
    for (int round = 0; round < 3; round++) {
        struct rival rivals[SERVERS] = {0};
        test_postgres_clear(&server);
        for (size_t i = 0; i < SERVERS; i++) {
            rivals[i].is_first_use = true;
            rivals[i].accounts = open_accounts(server.url);
        }
        all_act(rivals);
        for (size_t i = 0; i < SERVERS; i++) {
            assert_int_equal(rivals[i].status, SN_OK);
            rivals[i].accounts = sn_accounts_close(rivals[i].accounts);
        }
    }
}

/* Each server removes another administrator at the same time: one stays. */
static void servers_together_leave_an_administrator(void **state) {
    struct rival rivals[SERVERS] = {0};
    (void)state;
    test_postgres_clear(&server);
    for (size_t i = 0; i < SERVERS; i++)
        rivals[i].accounts = open_accounts(server.url);
    for (int round = 0; round < ROUNDS; round++) {
        static const char *const names[SERVERS] = {"a", "b", "c", "d"};
        size_t removed = 0, refused = 0;
        int64_t count = 0;
        struct sn_account found;
        for (size_t i = 0; i < SERVERS; i++)
            rivals[i].id = sn_accounts_find_user(rivals[i].accounts, sn_str_from(names[i]), &found,
                                                 NULL) == SN_OK
                               ? found.id
                               : add_admin(rivals[i].accounts, names[i]);
        all_act(rivals);
        for (size_t i = 0; i < SERVERS; i++) {
            removed += rivals[i].status == SN_OK;
            refused += rivals[i].status == SN_ERR_INVALID;
        }
        assert_int_equal(removed, SERVERS - 1);
        assert_int_equal(refused, 1);
        assert_int_equal(sn_accounts_count_admins(rivals[0].accounts, &count, NULL), SN_OK);
        assert_int_equal(count, 1);
    }
    for (size_t i = 0; i < SERVERS; i++)
        rivals[i].accounts = sn_accounts_close(rivals[i].accounts);
}

static void each_change_of_another_server_is_seen_and_no_other(void **state) {
    struct sn_accounts *ours, *theirs;
    int64_t count = 0, after = 0, admin_count = 0;
    const struct sn_audit_row row = {.time_ms = TEST_NOW_MS, .action = SN_STR("a")};
    (void)state;
    test_postgres_clear(&server);
    ours = open_accounts(server.url);
    theirs = open_accounts(server.url);
    assert_int_equal(sn_accounts_change_count(ours, &count, NULL), SN_OK);
    int64_t id = add_admin(theirs, "root");
    assert_int_equal(sn_accounts_change_count(ours, &after, NULL), SN_OK);
    assert_int_equal(after, count + 1);
    /* What was refused, what only reads, and the audit log are nothing new. */
    assert_int_equal(sn_accounts_remove_user(theirs, id, NULL), SN_ERR_INVALID);
    assert_int_equal(sn_accounts_count_admins(theirs, &admin_count, NULL), SN_OK);
    assert_int_equal(sn_accounts_add_audit(theirs, &row, NULL), SN_OK);
    assert_int_equal(sn_accounts_change_count(ours, &after, NULL), SN_OK);
    assert_int_equal(after, count + 1);
    ours = sn_accounts_close(ours);
    theirs = sn_accounts_close(theirs);
}

/* ---- limits, with what another hand has put there ---- */

static void run_sql(const char *sql) {
    struct sn_pg pg = {.conn = NULL};
    struct sn_err err = {.status = SN_OK};
    assert_int_equal(sn_pg_connect(&pg, server.url, NULL), SN_OK);
    if (sn_pg_run(&pg, sql, NULL, NULL, &err) != SN_OK)
        fail_msg("%s", err.text);
    sn_pg_disconnect(&pg);
}

struct sessions {
    size_t count;
    bool has_oldest; /* the one that expires at TEST_NOW_MS + 1 */
};

static sn_status see_session(void *ctx, const struct sn_account_grant *grant) {
    struct sessions *sessions = ctx;
    sessions->count++;
    sessions->has_oldest |= grant->expires_wall_ms == TEST_NOW_MS + 1;
    return SN_OK;
}

static void the_oldest_sessions_go_first(void **state) {
    struct sn_accounts *accounts;
    struct sessions seen = {0};
    const uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {1};
    (void)state;
    test_postgres_clear(&server);
    accounts = open_accounts(server.url);
    int64_t id = add_admin(accounts, "root");
    run_sql("INSERT INTO sonde_session SELECT sha256(i::text::bytea), u.id, i,"
            " 1700000000000 + i FROM generate_series(1, 10000) i, sonde_user u");
    assert_int_equal(sn_accounts_each_grant(accounts, TEST_NOW_MS, see_session, &seen, NULL),
                     SN_OK);
    assert_int_equal(seen.count, SN_ACCOUNTS_SESSIONS_MAX);
    assert_true(seen.has_oldest);
    const struct sn_account_session_new session = {hash, id, TEST_NOW_MS, TEST_NOW_MS + 50000};
    assert_int_equal(sn_accounts_add_session(accounts, &session, NULL), SN_OK);
    seen = (struct sessions){0};
    assert_int_equal(sn_accounts_each_grant(accounts, TEST_NOW_MS, see_session, &seen, NULL),
                     SN_OK);
    assert_int_equal(seen.count, SN_ACCOUNTS_SESSIONS_MAX);
    assert_false(seen.has_oldest);
    accounts = sn_accounts_close(accounts);
}

static void there_is_a_limit_of_tokens(void **state) {
    struct sn_accounts *accounts;
    struct sn_err err = {.status = SN_OK};
    int64_t token_id = 0;
    const uint8_t hash[SN_ACCOUNT_HASH_BYTES] = {1};
    (void)state;
    test_postgres_clear(&server);
    accounts = open_accounts(server.url);
    const struct sn_account_token_new token = {.hash = hash,
                                               .user_id = add_admin(accounts, "root"),
                                               .name = SN_STR("ci"),
                                               .hint = SN_STR("snt_"),
                                               .scopes = SN_SCOPE_READ};
    run_sql("INSERT INTO sonde_token(hash, user_id, name, hint, scopes, created_ms, expires_ms)"
            " SELECT sha256(i::text::bytea), u.id, 'n', 'h', 1, 0, 0"
            " FROM generate_series(1, 1000) i, sonde_user u");
    assert_int_equal(sn_accounts_add_token(accounts, &token, &token_id, &err), SN_ERR_LIMIT);
    assert_string_equal(err.text, "there are 1000 tokens already, the limit; revoke some");
    assert_int_equal(sn_accounts_remove_token(accounts, 1, NULL), SN_OK);
    assert_int_equal(sn_accounts_add_token(accounts, &token, &token_id, NULL), SN_OK);
    accounts = sn_accounts_close(accounts);
}

static void the_oldest_rows_of_the_audit_log_go_first(void **state) {
    struct sn_accounts *accounts;
    struct sn_audit_list list;
    struct sn_arena arena;
    const struct sn_audit_row row = {.time_ms = TEST_NOW_MS, .action = SN_STR("a")};
    (void)state;
    test_postgres_clear(&server);
    accounts = open_accounts(server.url);
    add_admin(accounts, "root");
    run_sql("INSERT INTO sonde_audit(time_ms, actor, peer, action, detail)"
            " SELECT i, '', '', 'x', '' FROM generate_series(1, 100095) i");
    sn_arena_init(&arena, 0);
    assert_int_equal(sn_accounts_add_audit(accounts, &row, NULL), SN_OK); /* 100096 = 391 * 256 */
    assert_int_equal(sn_accounts_list_audit(accounts, 98, 10, &arena, &list, NULL), SN_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].id, 97);
    sn_arena_release(&arena);
    accounts = sn_accounts_close(accounts);
}

/* ---- outages ---- */

static void an_outage_is_named_at_once_and_passes(void **state) {
    struct sn_accounts *accounts;
    struct sn_account found;
    struct sn_err err = {.status = SN_OK};
    (void)state;
    test_postgres_clear(&server);
    accounts = open_accounts(server.url);
    add_admin(accounts, "root");
    test_postgres_stop(&server); /* as by a crash */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sn_accounts_find_user(accounts, SN_STR("root"), &found, &err), SN_ERR_IO);
        assert_non_null(strstr(err.text, "the database is away"));
    }
    test_postgres_start(&server);
    await(accounts);
    assert_int_equal(sn_accounts_find_user(accounts, SN_STR("root"), &found, &err), SN_OK);
    accounts = sn_accounts_close(accounts);
}

static void a_restart_between_two_calls_is_not_noticed(void **state) {
    struct sn_accounts *accounts;
    struct sn_account found;
    (void)state;
    test_postgres_clear(&server);
    accounts = open_accounts(server.url);
    add_admin(accounts, "root");
    test_postgres_stop(&server);
    test_postgres_start(&server);
    assert_int_equal(sn_accounts_find_user(accounts, SN_STR("root"), &found, NULL), SN_OK);
    test_postgres_stop(&server);
    test_postgres_start(&server);
    add_admin(accounts, "other");
    accounts = sn_accounts_close(accounts);
}

/* For every n: the n-th piece of the conversation is lost with its connection. */
static void a_network_that_breaks_leaves_nothing_half_done(void **state) {
    struct test_proxy proxy;
    struct sn_accounts *direct;
    struct sn_arena arena;
    bool is_over = false;
    size_t failures = 0;
    (void)state;
    test_postgres_clear(&server);
    test_proxy_init(&proxy, &server);
    direct = open_accounts(server.url);
    add_admin(direct, "root");
    sn_arena_init(&arena, 0);
    for (uint64_t n = 1; !is_over; n++) {
        struct sn_accounts *accounts = open_accounts(proxy.url);
        struct sn_err err = {.status = SN_OK};
        test_proxy_cut_at(&proxy, n);
        sn_status status = test_accounts_play(accounts, &arena, "ann", &err);
        is_over = !atomic_load(&proxy.has_cut);
        test_proxy_cut_at(&proxy, 0);
        if (status != SN_OK && (is_over || status != SN_ERR_IO || err.text[0] == '\0'))
            fail_msg("%llu: %s: %s", (unsigned long long)n, sn_status_name(status), err.text);
        failures += status != SN_OK;
        await(accounts);
        test_accounts_tidy(accounts, "ann");
        accounts = sn_accounts_close(accounts);
        sn_arena_reset(&arena);
    }
    assert_true(failures > 50); /* each statement of each change */
    sn_arena_release(&arena);
    direct = sn_accounts_close(direct);
    test_proxy_release(&proxy);
}

static void a_bad_url_is_refused_without_its_password(void **state) {
    struct sn_accounts *accounts = NULL;
    struct sn_err err = {.status = SN_OK};
    (void)state;
    assert_int_equal(sn_accounts_open_postgres("mysql://u:secret@h/d", &accounts, &err),
                     SN_ERR_INVALID);
    assert_null(accounts);
    assert_null(strstr(err.text, "secret"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(servers_that_start_together_make_the_tables_once),
        cmocka_unit_test(servers_together_leave_an_administrator),
        cmocka_unit_test(each_change_of_another_server_is_seen_and_no_other),
        cmocka_unit_test(the_oldest_sessions_go_first),
        cmocka_unit_test(there_is_a_limit_of_tokens),
        cmocka_unit_test(the_oldest_rows_of_the_audit_log_go_first),
        cmocka_unit_test(an_outage_is_named_at_once_and_passes),
        cmocka_unit_test(a_restart_between_two_calls_is_not_noticed),
        cmocka_unit_test(a_network_that_breaks_leaves_nothing_half_done),
        cmocka_unit_test(a_bad_url_is_refused_without_its_password),
    };
    if (!test_postgres_wanted(false))
        return 0;
    test_postgres_init(&server);
    int failed = cmocka_run_group_tests_name("postgres_accounts", tests, NULL, NULL);
    test_postgres_release(&server);
    return failed;
}
