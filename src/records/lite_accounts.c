/*
 * Users, the setup code, and the tables of all accounts, in SQLite. See accounts.h.
 *
 * Every change is one statement or one transaction. Names compare without letter case (NOCASE).
 */
#include "records/accounts_priv.h"

static const char *const migrations[] = {
    "CREATE TABLE account_user("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE NOT NULL COLLATE NOCASE,"
    " role INTEGER NOT NULL, password TEXT NOT NULL, created_ms INTEGER NOT NULL,"
    " login_ms INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE account_session("
    " hash BLOB PRIMARY KEY NOT NULL, user_id INTEGER NOT NULL"
    " REFERENCES account_user ON DELETE CASCADE,"
    " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE INDEX account_session_user ON account_session(user_id);"
    "CREATE TABLE account_token("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, hash BLOB UNIQUE NOT NULL, user_id INTEGER NOT NULL"
    " REFERENCES account_user ON DELETE CASCADE,"
    " name TEXT NOT NULL, hint TEXT NOT NULL, scopes INTEGER NOT NULL,"
    " created_ms INTEGER NOT NULL, expires_ms INTEGER NOT NULL);"
    "CREATE INDEX account_token_user ON account_token(user_id);"
    "CREATE TABLE account_setup("
    " id INTEGER PRIMARY KEY CHECK (id = 1), hash BLOB NOT NULL, expires_ms INTEGER NOT NULL,"
    " wrong_count INTEGER NOT NULL DEFAULT 0);"
    "CREATE TABLE audit("
    " id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER NOT NULL, actor TEXT NOT NULL,"
    " peer TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL);",
};

#define USER_COLUMNS "id, name, role, password, created_ms, login_ms"

/* ---- what the files share ---- */

sn_status sn_lite_accounts_each_row(struct sn_accounts *accounts, sqlite3_stmt *select,
                                    sn_status (*read)(void *ctx, sqlite3_stmt *row), void *ctx,
                                    struct sn_err *err) {
    sn_status status;
    while ((status = sn_sqlite_next(accounts->db, select, err)) == SN_OK) {
        status = read(ctx, select);
        if (status != SN_OK)
            return sn_err_set(err, status, "cannot list: %s", sn_status_name(status));
    }
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

sn_status sn_lite_accounts_run_id(struct sn_accounts *accounts, const char *sql, int64_t id,
                                  int *ret_changed, struct sn_err *err) {
    SN_SQLITE_STATEMENT statement = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, sql, &statement, err));
    sqlite3_bind_int64(statement, 1, id);
    SN_TRY(sn_sqlite_run(accounts->db, statement, err));
    if (ret_changed != NULL)
        *ret_changed = sqlite3_changes(accounts->db);
    return SN_OK;
}

sn_status sn_lite_accounts_number(struct sn_accounts *accounts, const char *sql,
                                  int64_t *ret_number, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, sql, &select, err));
    SN_TRY(sn_sqlite_next(accounts->db, select, err));
    *ret_number = sqlite3_column_int64(select, 0);
    return SN_OK;
}

void sn_lite_account_column(sqlite3_stmt *row, int column, char *ret_text, size_t size) {
    sn_account_copy_text(sn_sqlite_column_text(row, column), ret_text, size);
}

static sn_status change_count(struct sn_accounts *accounts, int64_t *ret_count,
                              struct sn_err *err) {
    return sn_lite_accounts_number(accounts, "PRAGMA data_version", ret_count, err);
}

/* ---- users ---- */

static void read_user(sqlite3_stmt *row, struct sn_account *ret_account) {
    ret_account->id = sqlite3_column_int64(row, 0);
    sn_lite_account_column(row, 1, ret_account->name, sizeof ret_account->name);
    ret_account->role = sn_account_role_of(sqlite3_column_int(row, 2));
    sn_lite_account_column(row, 3, ret_account->password_hash, sizeof ret_account->password_hash);
    ret_account->created_wall_ms = sqlite3_column_int64(row, 4);
    ret_account->last_login_wall_ms = sqlite3_column_int64(row, 5);
}

static sn_status add_user(struct sn_accounts *accounts, const struct sn_account_new *account,
                          int64_t *ret_id, struct sn_err *err) {
    int64_t count = 0;
    SN_TRY(sn_lite_accounts_number(accounts, "SELECT count(*) FROM account_user", &count, err));
    if (count >= SN_ACCOUNTS_USERS_MAX)
        return SN_ERR_LIMIT;
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "INSERT INTO account_user(name, role, password, created_ms)"
                             " VALUES(?, ?, ?, ?)",
                             &insert, err));
    sn_sqlite_bind_text(insert, 1, account->name);
    sqlite3_bind_int(insert, 2, (int)account->role);
    sn_sqlite_bind_text(insert, 3, sn_str_from(account->password_hash));
    sqlite3_bind_int64(insert, 4, account->now_wall_ms);
    SN_TRY(sn_sqlite_run(accounts->db, insert, err));
    *ret_id = sqlite3_last_insert_rowid(accounts->db);
    return SN_OK;
}

static sn_status find_user(struct sn_accounts *accounts, struct sn_str name,
                           struct sn_account *ret_account, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "SELECT " USER_COLUMNS " FROM account_user WHERE name = ?", &select, err));
    sn_sqlite_bind_text(select, 1, name);
    SN_TRY(sn_sqlite_next(accounts->db, select, err));
    read_user(select, ret_account);
    return SN_OK;
}

static sn_status get_user(struct sn_accounts *accounts, int64_t id, struct sn_account *ret_account,
                          struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, "SELECT " USER_COLUMNS " FROM account_user WHERE id = ?",
                             &select, err));
    sqlite3_bind_int64(select, 1, id);
    SN_TRY(sn_sqlite_next(accounts->db, select, err));
    read_user(select, ret_account);
    return SN_OK;
}

static sn_status list_user(void *ctx, sqlite3_stmt *row) {
    struct sn_account_listing *listing = ctx;
    struct sn_account *account = sn_account_listing_add(listing);
    if (account == NULL)
        return SN_ERR_NO_MEMORY;
    read_user(row, account);
    return SN_OK;
}

static sn_status list_users(struct sn_accounts *accounts, struct sn_arena *arena,
                            struct sn_account_list *ret_list, struct sn_err *err) {
    struct sn_account_listing listing = {.arena = arena, .item_size = sizeof *ret_list->items};
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "SELECT " USER_COLUMNS " FROM account_user ORDER BY name", &select, err));
    SN_TRY(sn_lite_accounts_each_row(accounts, select, list_user, &listing, err));
    *ret_list = (struct sn_account_list){listing.items, listing.count};
    return SN_OK;
}

static sn_status count_admins(struct sn_accounts *accounts, int64_t *ret_count,
                              struct sn_err *err) {
    return sn_lite_accounts_number(accounts, "SELECT count(*) FROM account_user WHERE role = 2",
                                   ret_count, err);
}

/* ---- changes of a user: one transaction each ---- */

static sn_status keep_an_admin(struct sn_accounts *accounts, struct sn_err *err) {
    int64_t count = 0;
    SN_TRY(count_admins(accounts, &count, err));
    return count > 0 ? SN_OK : SN_ERR_INVALID;
}

static sn_status set_password(struct sn_accounts *accounts, const struct sn_account_change *change,
                              struct sn_err *err) {
    SN_SQLITE_STATEMENT update = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, "UPDATE account_user SET password = ? WHERE id = ?",
                             &update, err));
    sn_sqlite_bind_text(update, 1, sn_str_from(change->password_hash));
    sqlite3_bind_int64(update, 2, change->id);
    SN_TRY(sn_sqlite_run(accounts->db, update, err));
    return sn_lite_accounts_run_id(accounts, "DELETE FROM account_session WHERE user_id = ?",
                                   change->id, NULL, err);
}

static sn_status make_change(struct sn_accounts *accounts, const struct sn_account_change *change,
                             struct sn_err *err) {
    struct sn_account account;
    SN_TRY(get_user(accounts, change->id, &account, err));
    if (change->password_hash != NULL)
        return set_password(accounts, change, err);
    const char *sql = change->is_removal ? "DELETE FROM account_user WHERE id = ?"
                      : change->role == SN_ACCOUNT_ADMIN
                          ? "UPDATE account_user SET role = 2 WHERE id = ?"
                          : "UPDATE account_user SET role = 1 WHERE id = ?";
    SN_TRY(sn_lite_accounts_run_id(accounts, sql, change->id, NULL, err));
    return account.role == SN_ACCOUNT_ADMIN ? keep_an_admin(accounts, err) : SN_OK;
}

static sn_status change_user(struct sn_accounts *accounts, const struct sn_account_change *change,
                             struct sn_err *err) {
    SN_TRY(sn_sqlite_begin(accounts->db, err));
    return sn_sqlite_end(accounts->db, make_change(accounts, change, err), err);
}

/* ---- setup code ---- */

static sn_status set_setup_code(struct sn_accounts *accounts, const uint8_t *hash,
                                int64_t expires_wall_ms, struct sn_err *err) {
    if (hash == NULL)
        return sn_sqlite_execute(accounts->db, "DELETE FROM account_setup", err);
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "INSERT OR REPLACE INTO account_setup VALUES(1, ?, ?, 0)", &insert, err));
    sn_sqlite_bind_blob(insert, 1, sn_str_make(hash, SN_ACCOUNT_HASH_BYTES));
    sqlite3_bind_int64(insert, 2, expires_wall_ms);
    return sn_sqlite_run(accounts->db, insert, err);
}

static sn_status get_setup_code(struct sn_accounts *accounts, uint8_t *ret_hash,
                                int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "SELECT hash, expires_ms, wrong_count FROM account_setup", &select, err));
    SN_TRY(sn_sqlite_next(accounts->db, select, err));
    SN_TRY(sn_account_copy_hash(sn_sqlite_column_blob(select, 0), ret_hash, err));
    *ret_expires_wall_ms = sqlite3_column_int64(select, 1);
    *ret_wrong_count = sqlite3_column_int64(select, 2);
    return SN_OK;
}

static sn_status count_wrong_code(struct sn_accounts *accounts, struct sn_err *err) {
    return sn_sqlite_execute(accounts->db, "UPDATE account_setup SET wrong_count = wrong_count + 1",
                             err);
}

/* ---- life ---- */

static void close(struct sn_accounts *accounts) {
    accounts->db = sn_sqlite_close(accounts->db);
}

static const struct sn_accounts_ops lite_ops = {
    .close = close,
    .change_count = change_count,
    .add_user = add_user,
    .find_user = find_user,
    .get_user = get_user,
    .list_users = list_users,
    .count_admins = count_admins,
    .change_user = change_user,
    .add_session = sn_lite_accounts_add_session,
    .remove_session = sn_lite_accounts_remove_session,
    .add_token = sn_lite_accounts_add_token,
    .list_tokens = sn_lite_accounts_list_tokens,
    .remove_token = sn_lite_accounts_remove_token,
    .each_grant = sn_lite_accounts_each_grant,
    .set_setup_code = set_setup_code,
    .get_setup_code = get_setup_code,
    .count_wrong_code = count_wrong_code,
    .add_audit = sn_lite_accounts_add_audit,
    .list_audit = sn_lite_accounts_list_audit,
};

sn_status sn_accounts_open(const char *path, struct sn_accounts **ret_accounts,
                           struct sn_err *err) {
    struct sn_accounts *accounts = sn_accounts_new(&lite_ops, err);
    if (accounts == NULL)
        return SN_ERR_NO_MEMORY;
    sn_status status = sn_sqlite_open(path, &accounts->db, err);
    if (status == SN_OK)
        status = sn_sqlite_migrate(accounts->db, "accounts", migrations,
                                   sizeof migrations / sizeof migrations[0], err);
    if (status != SN_OK) {
        (void)sn_accounts_close(accounts); /* NULL, always */
        return status;
    }
    *ret_accounts = accounts;
    return SN_OK;
}
