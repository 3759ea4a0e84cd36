/*
 * Users, the setup code, and the tables of all accounts, in PostgreSQL. See accounts.h.
 *
 *   1. Every change is one transaction that begins with the row of sonde_account_change: it holds that
 *      row's lock to its end, so that changes of all servers come one after the other. Limits and the
 *      last administrator are counted under it.
 *   2. n in that row goes up with each change: the others see that something is new. The audit log is
 *      no change.
 *   3. Names compare without letter case: lower() of ASCII, whatever the locale of the database is.
 */
#include "records/postgres_accounts.h"
#include "records/accounts_priv.h"

#include <libpq-fe.h>

static const char version_1[] =
    "CREATE TABLE sonde_user(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " name text COLLATE \"C\" NOT NULL, role smallint NOT NULL, password text NOT NULL,"
    " created_ms bigint NOT NULL, login_ms bigint NOT NULL DEFAULT 0);"
    "CREATE UNIQUE INDEX sonde_user_name ON sonde_user(lower(name));"
    "CREATE TABLE sonde_session(hash bytea PRIMARY KEY,"
    " user_id bigint NOT NULL REFERENCES sonde_user ON DELETE CASCADE,"
    " created_ms bigint NOT NULL, expires_ms bigint NOT NULL);"
    "CREATE INDEX sonde_session_user ON sonde_session(user_id);"
    "CREATE TABLE sonde_token(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " hash bytea UNIQUE NOT NULL, user_id bigint NOT NULL REFERENCES sonde_user ON DELETE CASCADE,"
    " name text NOT NULL, hint text NOT NULL, scopes smallint NOT NULL,"
    " created_ms bigint NOT NULL, expires_ms bigint NOT NULL);"
    "CREATE INDEX sonde_token_user ON sonde_token(user_id);"
    "CREATE TABLE sonde_setup(id smallint PRIMARY KEY CHECK (id = 1), hash bytea NOT NULL,"
    " expires_ms bigint NOT NULL, wrong_count bigint NOT NULL DEFAULT 0);"
    "CREATE TABLE sonde_audit(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " time_ms bigint NOT NULL, actor text NOT NULL, peer text NOT NULL, action text NOT NULL,"
    " detail text NOT NULL);"
    "CREATE TABLE sonde_account_change(id smallint PRIMARY KEY CHECK (id = 1), n bigint NOT NULL);"
    "INSERT INTO sonde_account_change VALUES(1, 0);";

static const char *const migrations[] = {version_1};
static const struct sn_pg_schema schema = {"accounts", migrations,
                                           sizeof migrations / sizeof migrations[0]};

#define USER_COLUMNS "id, name, role, password, created_ms, login_ms"

/* ---- what the files share ---- */

struct turn {
    sn_status (*work)(void *args, struct sn_pg *pg, struct sn_err *err);
    void *args;
};

static sn_status take_turn(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct turn *turn = args;
    SN_TRY(sn_pg_run(pg, "UPDATE sonde_account_change SET n = n + 1", NULL, NULL, err));
    return turn->work(turn->args, pg, err);
}

sn_status sn_postgres_accounts_change(struct sn_accounts *accounts,
                                      sn_status (*work)(void *args, struct sn_pg *pg,
                                                        struct sn_err *err),
                                      void *args, struct sn_err *err) {
    struct turn turn = {work, args};
    return sn_pg_link_change(&accounts->link, take_turn, &turn, err);
}

sn_status sn_postgres_accounts_run(struct sn_pg *pg, const char *sql, struct sn_pg_params *params,
                                   struct pg_result **ret_result, struct sn_err *err) {
    sn_status status = sn_pg_run(pg, sql, params, ret_result, err);
    sn_pg_params_release(params);
    return status;
}

sn_status sn_postgres_accounts_number(struct sn_pg *pg, const char *sql,
                                      struct sn_pg_params *params, int64_t *ret_number,
                                      struct sn_err *err) {
    PGresult *result = NULL;
    SN_TRY(sn_postgres_accounts_run(pg, sql, params, &result, err));
    *ret_number = sn_pg_take_number(result);
    return SN_OK;
}

sn_status sn_postgres_accounts_run_id(struct sn_pg *pg, const char *sql, int64_t id,
                                      struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, id);
    return sn_postgres_accounts_run(pg, sql, &params, NULL, err);
}

sn_status sn_postgres_accounts_read(struct sn_accounts *accounts, const char *sql,
                                    struct sn_pg_params *params, struct pg_result **ret_result,
                                    struct sn_err *err) {
    sn_status status = sn_pg_link_read(&accounts->link, sql, params, ret_result, err);
    sn_pg_params_release(params);
    return status;
}

static sn_status read_number(struct sn_accounts *accounts, const char *sql, int64_t *ret_number,
                             struct sn_err *err) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    sn_pg_params_init(&none);
    SN_TRY(sn_postgres_accounts_read(accounts, sql, &none, &result, err));
    *ret_number = sn_pg_take_number(result);
    return SN_OK;
}

sn_status sn_postgres_accounts_take_rows(PGresult *result, struct sn_arena *arena, size_t item_size,
                                         bool (*read)(const PGresult *result, int row,
                                                      struct sn_arena *arena, void *ret_item),
                                         void *ret_items_at, size_t *ret_count,
                                         struct sn_err *err) {
    size_t count = (size_t)PQntuples(result);
    char *items = sn_arena_alloc_zero(arena, count, item_size);
    bool is_read = items != NULL;
    for (size_t i = 0; is_read && i < count; i++)
        is_read = read(result, (int)i, arena, items + i * item_size);
    PQclear(result);
    if (!is_read)
        return sn_arena_failure(arena, count * item_size, err);
    memcpy(ret_items_at, &items, sizeof items);
    *ret_count = count;
    return SN_OK;
}

static sn_status change_count(struct sn_accounts *accounts, int64_t *ret_count,
                              struct sn_err *err) {
    return read_number(accounts, "SELECT n FROM sonde_account_change", ret_count, err);
}

/* ---- users ---- */

static bool read_user(const PGresult *result, int row, struct sn_arena *arena, void *ret_item) {
    struct sn_account *ret_account = ret_item;
    (void)arena; /* it holds its texts itself */
    ret_account->id = sn_pg_int8(result, row, 0);
    sn_account_copy_text(sn_pg_bytes(result, row, 1), ret_account->name, sizeof ret_account->name);
    ret_account->role = sn_account_role_of(sn_pg_int2(result, row, 2));
    sn_account_copy_text(sn_pg_bytes(result, row, 3), ret_account->password_hash,
                         sizeof ret_account->password_hash);
    ret_account->created_wall_ms = sn_pg_int8(result, row, 4);
    ret_account->last_login_wall_ms = sn_pg_int8(result, row, 5);
    return true;
}

struct adding {
    const struct sn_account_new *account;
    int64_t id;
};

static sn_status add(void *args, struct sn_pg *pg, struct sn_err *err) {
    struct adding *adding = args;
    struct sn_pg_params params;
    int64_t count = 0;
    sn_pg_params_init(&params);
    SN_TRY(
        sn_postgres_accounts_number(pg, "SELECT count(*) FROM sonde_user", &params, &count, err));
    if (count >= SN_ACCOUNTS_USERS_MAX)
        return SN_ERR_LIMIT;
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, adding->account->name);
    sn_pg_put_int8(&params, (int64_t)adding->account->role);
    sn_pg_put_text(&params, sn_str_from(adding->account->password_hash));
    sn_pg_put_int8(&params, adding->account->now_wall_ms);
    return sn_postgres_accounts_number(pg,
                                       "INSERT INTO sonde_user(name, role, password, created_ms)"
                                       " VALUES($1, $2, $3, $4) RETURNING id",
                                       &params, &adding->id, err);
}

static sn_status add_user(struct sn_accounts *accounts, const struct sn_account_new *account,
                          int64_t *ret_id, struct sn_err *err) {
    struct adding adding = {account, 0};
    SN_TRY(sn_postgres_accounts_change(accounts, add, &adding, err));
    *ret_id = adding.id;
    return SN_OK;
}

/* The only row of a result, which is cleared. SN_ERR_NOT_FOUND: there is none. */
static sn_status take_user(PGresult *result, struct sn_account *ret_account) {
    bool is_found = PQntuples(result) > 0 && read_user(result, 0, NULL, ret_account);
    PQclear(result);
    return is_found ? SN_OK : SN_ERR_NOT_FOUND;
}

static sn_status find_user(struct sn_accounts *accounts, struct sn_str name,
                           struct sn_account *ret_account, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, name);
    SN_TRY(sn_postgres_accounts_read(accounts,
                                     "SELECT " USER_COLUMNS " FROM sonde_user"
                                     " WHERE lower(name) = lower($1 COLLATE \"C\")",
                                     &params, &result, err));
    return take_user(result, ret_account);
}

#define SELECT_USER "SELECT " USER_COLUMNS " FROM sonde_user WHERE id = $1"

static sn_status get_user(struct sn_accounts *accounts, int64_t id, struct sn_account *ret_account,
                          struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, id);
    SN_TRY(sn_postgres_accounts_read(accounts, SELECT_USER, &params, &result, err));
    return take_user(result, ret_account);
}

static sn_status list_users(struct sn_accounts *accounts, struct sn_arena *arena,
                            struct sn_account_list *ret_list, struct sn_err *err) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    sn_pg_params_init(&none);
    SN_TRY(sn_postgres_accounts_read(accounts,
                                     "SELECT " USER_COLUMNS " FROM sonde_user ORDER BY lower(name)",
                                     &none, &result, err));
    return sn_postgres_accounts_take_rows(result, arena, sizeof *ret_list->items, read_user,
                                          &ret_list->items, &ret_list->count, err);
}

#define COUNT_ADMINS "SELECT count(*) FROM sonde_user WHERE role = 2"

static sn_status count_admins(struct sn_accounts *accounts, int64_t *ret_count,
                              struct sn_err *err) {
    return read_number(accounts, COUNT_ADMINS, ret_count, err);
}

/* ---- changes of a user ---- */

static sn_status set_password(const struct sn_account_change *change, struct sn_pg *pg,
                              struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, sn_str_from(change->password_hash));
    sn_pg_put_int8(&params, change->id);
    SN_TRY(sn_postgres_accounts_run(pg, "UPDATE sonde_user SET password = $1 WHERE id = $2",
                                    &params, NULL, err));
    return sn_postgres_accounts_run_id(pg, "DELETE FROM sonde_session WHERE user_id = $1",
                                       change->id, err);
}

static sn_status keep_an_admin(struct sn_pg *pg, struct sn_err *err) {
    struct sn_pg_params none;
    int64_t count = 0;
    sn_pg_params_init(&none);
    SN_TRY(sn_postgres_accounts_number(pg, COUNT_ADMINS, &none, &count, err));
    return count > 0 ? SN_OK : SN_ERR_INVALID;
}

static sn_status make_change(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct sn_account_change *change = args;
    struct sn_pg_params params;
    struct sn_account account;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, change->id);
    SN_TRY(sn_postgres_accounts_run(pg, SELECT_USER, &params, &result, err));
    SN_TRY(take_user(result, &account));
    if (change->password_hash != NULL)
        return set_password(change, pg, err);
    const char *sql = change->is_removal ? "DELETE FROM sonde_user WHERE id = $1"
                      : change->role == SN_ACCOUNT_ADMIN
                          ? "UPDATE sonde_user SET role = 2 WHERE id = $1"
                          : "UPDATE sonde_user SET role = 1 WHERE id = $1";
    SN_TRY(sn_postgres_accounts_run_id(pg, sql, change->id, err));
    return account.role == SN_ACCOUNT_ADMIN ? keep_an_admin(pg, err) : SN_OK;
}

static sn_status change_user(struct sn_accounts *accounts, const struct sn_account_change *change,
                             struct sn_err *err) {
    struct sn_account_change copy = *change;
    return sn_postgres_accounts_change(accounts, make_change, &copy, err);
}

/* ---- setup code ---- */

struct setup_code {
    const uint8_t *hash;
    int64_t expires_wall_ms;
};

static sn_status put_setup_code(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct setup_code *code = args;
    struct sn_pg_params params;
    if (code->hash == NULL)
        return sn_pg_run(pg, "DELETE FROM sonde_setup", NULL, NULL, err);
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, sn_str_make(code->hash, SN_ACCOUNT_HASH_BYTES));
    sn_pg_put_int8(&params, code->expires_wall_ms);
    return sn_postgres_accounts_run(pg,
                                    "INSERT INTO sonde_setup VALUES(1, $1, $2, 0) ON CONFLICT (id)"
                                    " DO UPDATE SET hash = $1, expires_ms = $2, wrong_count = 0",
                                    &params, NULL, err);
}

static sn_status set_setup_code(struct sn_accounts *accounts, const uint8_t *hash,
                                int64_t expires_wall_ms, struct sn_err *err) {
    struct setup_code code = {hash, expires_wall_ms};
    return sn_postgres_accounts_change(accounts, put_setup_code, &code, err);
}

static sn_status get_setup_code(struct sn_accounts *accounts, uint8_t *ret_hash,
                                int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                struct sn_err *err) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    sn_pg_params_init(&none);
    SN_TRY(sn_postgres_accounts_read(
        accounts, "SELECT hash, expires_ms, wrong_count FROM sonde_setup", &none, &result, err));
    sn_status status = SN_ERR_NOT_FOUND;
    if (PQntuples(result) > 0)
        status = sn_account_copy_hash(sn_pg_bytes(result, 0, 0), ret_hash, err);
    if (status == SN_OK) {
        *ret_expires_wall_ms = sn_pg_int8(result, 0, 1);
        *ret_wrong_count = sn_pg_int8(result, 0, 2);
    }
    PQclear(result);
    return status;
}

static sn_status count_wrong(void *args, struct sn_pg *pg, struct sn_err *err) {
    (void)args;
    return sn_pg_run(pg, "UPDATE sonde_setup SET wrong_count = wrong_count + 1", NULL, NULL, err);
}

static sn_status count_wrong_code(struct sn_accounts *accounts, struct sn_err *err) {
    return sn_pg_link_change(&accounts->link, count_wrong, NULL, err);
}

/* ---- life ---- */

static void close(struct sn_accounts *accounts) {
    sn_pg_link_close(&accounts->link);
}

static const struct sn_accounts_ops postgres_ops = {
    .is_remote = true,
    .close = close,
    .change_count = change_count,
    .add_user = add_user,
    .find_user = find_user,
    .get_user = get_user,
    .list_users = list_users,
    .count_admins = count_admins,
    .change_user = change_user,
    .add_session = sn_postgres_accounts_add_session,
    .remove_session = sn_postgres_accounts_remove_session,
    .add_token = sn_postgres_accounts_add_token,
    .list_tokens = sn_postgres_accounts_list_tokens,
    .remove_token = sn_postgres_accounts_remove_token,
    .each_grant = sn_postgres_accounts_each_grant,
    .set_setup_code = set_setup_code,
    .get_setup_code = get_setup_code,
    .count_wrong_code = count_wrong_code,
    .add_audit = sn_postgres_accounts_add_audit,
    .list_audit = sn_postgres_accounts_list_audit,
};

sn_status sn_accounts_open_postgres(const char *url, struct sn_accounts **ret_accounts,
                                    struct sn_err *err) {
    struct sn_accounts *accounts = sn_accounts_new(&postgres_ops, err);
    if (accounts == NULL)
        return SN_ERR_NO_MEMORY;
    sn_status status = sn_pg_link_open(&accounts->link, url, &schema, err);
    if (status != SN_OK) {
        (void)sn_accounts_close(accounts); /* NULL, always */
        return status;
    }
    *ret_accounts = accounts;
    return SN_OK;
}
