/*
 * Users, the setup code, and the tables of all accounts. See accounts.h.
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

/* ---- life ---- */

sn_status sn_accounts_open(const char *path, struct sn_accounts **ret_accounts,
                           struct sn_err *err) {
    sqlite3 *db = NULL;
    SN_TRY(sn_sqlite_open(path, &db, err));
    sn_status status = sn_sqlite_migrate(db, "accounts", migrations,
                                         sizeof migrations / sizeof migrations[0], err);
    struct sn_accounts *accounts = status == SN_OK ? sn_alloc_zero(1, sizeof *accounts) : NULL;
    if (accounts == NULL) {
        (void)sn_sqlite_close(db); /* NULL, always */
        return status != SN_OK ? status
                               : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the accounts");
    }
    sn_mutex_init(&accounts->mu, SN_RANK_ACCOUNTS, "accounts");
    accounts->db = db;
    *ret_accounts = accounts;
    return SN_OK;
}

struct sn_accounts *sn_accounts_close(struct sn_accounts *accounts) {
    if (accounts == NULL)
        return NULL;
    accounts->db = sn_sqlite_close(accounts->db);
    sn_mutex_release(&accounts->mu);
    sn_free(accounts);
    return NULL;
}

/* ---- what the files share ---- */

sn_status sn_accounts_each_row_locked(struct sn_accounts *accounts, sqlite3_stmt *select,
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

sn_status sn_accounts_run_id_locked(struct sn_accounts *accounts, const char *sql, int64_t id,
                                    int *ret_changed, struct sn_err *err) {
    SN_SQLITE_STATEMENT statement = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, sql, &statement, err));
    sqlite3_bind_int64(statement, 1, id);
    SN_TRY(sn_sqlite_run(accounts->db, statement, err));
    if (ret_changed != NULL)
        *ret_changed = sqlite3_changes(accounts->db);
    return SN_OK;
}

sn_status sn_accounts_number_locked(struct sn_accounts *accounts, const char *sql,
                                    int64_t *ret_number, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, sql, &select, err));
    SN_TRY(sn_sqlite_next(accounts->db, select, err));
    *ret_number = sqlite3_column_int64(select, 0);
    return SN_OK;
}

sn_status sn_account_name_check(struct sn_str name, const char *what, struct sn_err *err) {
    if (name.len == 0 || name.len > SN_ACCOUNT_NAME_BYTES_MAX)
        return sn_err_set(err, SN_ERR_INVALID, "the name of the %s has %zu bytes, it needs 1 to %d",
                          what, name.len, SN_ACCOUNT_NAME_BYTES_MAX);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool is_fine = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '.' || c == '_' || c == '@' || c == '-';
        if (!is_fine)
            return sn_err_set(err, SN_ERR_INVALID,
                              "the name of the %s has a character at %zu that is not a letter, a "
                              "digit or one of . _ @ -",
                              what, i);
    }
    return SN_OK;
}

void sn_account_column(sqlite3_stmt *row, int column, char *ret_text, size_t size) {
    struct sn_str text = sn_sqlite_column_text(row, column);
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(ret_text, text.ptr, len);
    ret_text[len] = '\0';
}

sn_status sn_accounts_change_count(struct sn_accounts *accounts, int64_t *ret_count,
                                   struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = sn_accounts_number_locked(accounts, "PRAGMA data_version", ret_count, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

/* ---- users ---- */

static void read_user(sqlite3_stmt *row, struct sn_account *ret_account) {
    ret_account->id = sqlite3_column_int64(row, 0);
    sn_account_column(row, 1, ret_account->name, sizeof ret_account->name);
    /* Unknown numbers may less, not more. */
    ret_account->role =
        sqlite3_column_int(row, 2) == SN_ACCOUNT_ADMIN ? SN_ACCOUNT_ADMIN : SN_ACCOUNT_USER;
    sn_account_column(row, 3, ret_account->password_hash, sizeof ret_account->password_hash);
    ret_account->created_wall_ms = sqlite3_column_int64(row, 4);
    ret_account->last_login_wall_ms = sqlite3_column_int64(row, 5);
}

static sn_status add_user_locked(struct sn_accounts *accounts, const struct sn_account_new *account,
                                 int64_t *ret_id, struct sn_err *err) SN_REQUIRES(&accounts->mu);
static sn_status add_user_locked(struct sn_accounts *accounts, const struct sn_account_new *account,
                                 int64_t *ret_id, struct sn_err *err) {
    int64_t count = 0;
    SN_TRY(sn_accounts_number_locked(accounts, "SELECT count(*) FROM account_user", &count, err));
    if (count >= SN_ACCOUNTS_USERS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "there are %d users already, the limit",
                          SN_ACCOUNTS_USERS_MAX);
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "INSERT INTO account_user(name, role, password, created_ms)"
                             " VALUES(?, ?, ?, ?)",
                             &insert, err));
    sn_sqlite_bind_text(insert, 1, account->name);
    sqlite3_bind_int(insert, 2, (int)account->role);
    sn_sqlite_bind_text(insert, 3, sn_str_from(account->password_hash));
    sqlite3_bind_int64(insert, 4, account->now_wall_ms);
    sn_status status = sn_sqlite_run(accounts->db, insert, err);
    if (status == SN_ERR_EXISTS)
        return sn_err_set(err, SN_ERR_EXISTS, "there is a user \"%.*s\" already",
                          SN_STR_ARG(account->name));
    if (status == SN_OK)
        *ret_id = sqlite3_last_insert_rowid(accounts->db);
    return status;
}

sn_status sn_accounts_add_user(struct sn_accounts *accounts, const struct sn_account_new *account,
                               int64_t *ret_id, struct sn_err *err) {
    SN_TRY(sn_account_name_check(account->name, "user", err));
    sn_mutex_lock(&accounts->mu);
    sn_status status = add_user_locked(accounts, account, ret_id, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

static sn_status find_user_locked(struct sn_accounts *accounts, struct sn_str name,
                                  struct sn_account *ret_account, struct sn_err *err)
    SN_REQUIRES(&accounts->mu);
static sn_status find_user_locked(struct sn_accounts *accounts, struct sn_str name,
                                  struct sn_account *ret_account, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "SELECT " USER_COLUMNS " FROM account_user WHERE name = ?", &select, err));
    sn_sqlite_bind_text(select, 1, name);
    sn_status status = sn_sqlite_next(accounts->db, select, err);
    if (status == SN_OK)
        read_user(select, ret_account);
    else if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no user \"%.*s\"",
                          (int)(name.len < 80 ? name.len : 80), name.ptr != NULL ? name.ptr : "");
    return status;
}

sn_status sn_accounts_find_user(struct sn_accounts *accounts, struct sn_str name,
                                struct sn_account *ret_account, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = find_user_locked(accounts, name, ret_account, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

static sn_status get_user_locked(struct sn_accounts *accounts, int64_t id,
                                 struct sn_account *ret_account, struct sn_err *err)
    SN_REQUIRES(&accounts->mu);
static sn_status get_user_locked(struct sn_accounts *accounts, int64_t id,
                                 struct sn_account *ret_account, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, "SELECT " USER_COLUMNS " FROM account_user WHERE id = ?",
                             &select, err));
    sqlite3_bind_int64(select, 1, id);
    sn_status status = sn_sqlite_next(accounts->db, select, err);
    if (status == SN_OK)
        read_user(select, ret_account);
    else if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no user %lld", (long long)id);
    return status;
}

sn_status sn_accounts_get_user(struct sn_accounts *accounts, int64_t id,
                               struct sn_account *ret_account, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = get_user_locked(accounts, id, ret_account, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

struct user_listing {
    struct sn_arena *arena;
    struct sn_arena_list list;
};

static sn_status list_user(void *ctx, sqlite3_stmt *row) {
    struct user_listing *listing = ctx;
    struct sn_account *account = sn_arena_list_add(&listing->list, listing->arena);
    if (account == NULL)
        return SN_ERR_NO_MEMORY;
    read_user(row, account);
    return SN_OK;
}

sn_status sn_accounts_list_users(struct sn_accounts *accounts, struct sn_arena *arena,
                                 struct sn_account_list *ret_list, struct sn_err *err) {
    struct user_listing listing = {.arena = arena,
                                   .list = {.item_size = sizeof(struct sn_account)}};
    SN_SQLITE_STATEMENT select = NULL;
    sn_mutex_lock(&accounts->mu);
    sn_status status = sn_sqlite_prepare(
        accounts->db, "SELECT " USER_COLUMNS " FROM account_user ORDER BY name", &select, err);
    if (status == SN_OK)
        status = sn_accounts_each_row_locked(accounts, select, list_user, &listing, err);
    sn_sqlite_finalize(&select);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_OK)
        *ret_list = (struct sn_account_list){listing.list.items, listing.list.count};
    return status;
}

#define COUNT_ADMINS "SELECT count(*) FROM account_user WHERE role = 2"

sn_status sn_accounts_count_admins(struct sn_accounts *accounts, int64_t *ret_count,
                                   struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = sn_accounts_number_locked(accounts, COUNT_ADMINS, ret_count, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

/* ---- changes of a user: one transaction each ---- */

struct user_change {
    int64_t id;
    const char *password_hash; /* or NULL */
    enum sn_account_role role; /* or 0 */
    bool is_removal;
};

static sn_status keep_an_admin_locked(struct sn_accounts *accounts, struct sn_err *err)
    SN_REQUIRES(&accounts->mu);
static sn_status keep_an_admin_locked(struct sn_accounts *accounts, struct sn_err *err) {
    int64_t count = 0;
    SN_TRY(sn_accounts_number_locked(accounts, COUNT_ADMINS, &count, err));
    if (count == 0)
        return sn_err_set(err, SN_ERR_INVALID,
                          "this is the only administrator; make another one first");
    return SN_OK;
}

static sn_status set_password_locked(struct sn_accounts *accounts, const struct user_change *change,
                                     struct sn_err *err) SN_REQUIRES(&accounts->mu);
static sn_status set_password_locked(struct sn_accounts *accounts, const struct user_change *change,
                                     struct sn_err *err) {
    SN_SQLITE_STATEMENT update = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, "UPDATE account_user SET password = ? WHERE id = ?",
                             &update, err));
    sn_sqlite_bind_text(update, 1, sn_str_from(change->password_hash));
    sqlite3_bind_int64(update, 2, change->id);
    SN_TRY(sn_sqlite_run(accounts->db, update, err));
    return sn_accounts_run_id_locked(accounts, "DELETE FROM account_session WHERE user_id = ?",
                                     change->id, NULL, err);
}

static sn_status change_user_locked(struct sn_accounts *accounts, const struct user_change *change,
                                    struct sn_err *err) SN_REQUIRES(&accounts->mu);
static sn_status change_user_locked(struct sn_accounts *accounts, const struct user_change *change,
                                    struct sn_err *err) {
    struct sn_account account;
    SN_TRY(get_user_locked(accounts, change->id, &account, err));
    if (change->password_hash != NULL)
        return set_password_locked(accounts, change, err);
    const char *sql = change->is_removal ? "DELETE FROM account_user WHERE id = ?"
                      : change->role == SN_ACCOUNT_ADMIN
                          ? "UPDATE account_user SET role = 2 WHERE id = ?"
                          : "UPDATE account_user SET role = 1 WHERE id = ?";
    SN_TRY(sn_accounts_run_id_locked(accounts, sql, change->id, NULL, err));
    return account.role == SN_ACCOUNT_ADMIN ? keep_an_admin_locked(accounts, err) : SN_OK;
}

static sn_status change_user(struct sn_accounts *accounts, const struct user_change *change,
                             struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = sn_sqlite_begin(accounts->db, err);
    if (status == SN_OK) {
        status = change_user_locked(accounts, change, err);
        if (status == SN_OK)
            status = sn_sqlite_commit(accounts->db, err);
        else
            sn_sqlite_rollback(accounts->db);
    }
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_set_password(struct sn_accounts *accounts, int64_t id,
                                   const char *password_hash, struct sn_err *err) {
    const struct user_change change = {.id = id, .password_hash = password_hash};
    return change_user(accounts, &change, err);
}

sn_status sn_accounts_set_role(struct sn_accounts *accounts, int64_t id, enum sn_account_role role,
                               struct sn_err *err) {
    const struct user_change change = {.id = id, .role = role};
    return change_user(accounts, &change, err);
}

sn_status sn_accounts_remove_user(struct sn_accounts *accounts, int64_t id, struct sn_err *err) {
    const struct user_change change = {.id = id, .is_removal = true};
    return change_user(accounts, &change, err);
}

/* ---- setup code ---- */

static sn_status put_setup_code_locked(struct sn_accounts *accounts, const uint8_t *hash,
                                       int64_t expires_wall_ms, struct sn_err *err)
    SN_REQUIRES(&accounts->mu);
static sn_status put_setup_code_locked(struct sn_accounts *accounts, const uint8_t *hash,
                                       int64_t expires_wall_ms, struct sn_err *err) {
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "INSERT OR REPLACE INTO account_setup VALUES(1, ?, ?, 0)", &insert, err));
    sn_sqlite_bind_blob(insert, 1, sn_str_make(hash, SN_ACCOUNT_HASH_BYTES));
    sqlite3_bind_int64(insert, 2, expires_wall_ms);
    return sn_sqlite_run(accounts->db, insert, err);
}

sn_status sn_accounts_set_setup_code(struct sn_accounts *accounts, const uint8_t *hash,
                                     int64_t expires_wall_ms, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = hash != NULL
                           ? put_setup_code_locked(accounts, hash, expires_wall_ms, err)
                           : sn_sqlite_execute(accounts->db, "DELETE FROM account_setup", err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

static sn_status get_setup_code_locked(struct sn_accounts *accounts, uint8_t *ret_hash,
                                       int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                       struct sn_err *err) SN_REQUIRES(&accounts->mu);
static sn_status get_setup_code_locked(struct sn_accounts *accounts, uint8_t *ret_hash,
                                       int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                       struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db, "SELECT hash, expires_ms, wrong_count FROM account_setup", &select, err));
    sn_status status = sn_sqlite_next(accounts->db, select, err);
    if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no setup code");
    if (status != SN_OK)
        return status;
    struct sn_str hash = sn_sqlite_column_blob(select, 0);
    if (hash.len != SN_ACCOUNT_HASH_BYTES)
        return sn_err_set(err, SN_ERR_CORRUPT, "the stored setup code has %zu bytes, not %d",
                          hash.len, SN_ACCOUNT_HASH_BYTES);
    memcpy(ret_hash, hash.ptr, hash.len);
    *ret_expires_wall_ms = sqlite3_column_int64(select, 1);
    *ret_wrong_count = sqlite3_column_int64(select, 2);
    return SN_OK;
}

sn_status sn_accounts_get_setup_code(struct sn_accounts *accounts,
                                     uint8_t ret_hash[SN_ACCOUNT_HASH_BYTES],
                                     int64_t *ret_expires_wall_ms, int64_t *ret_wrong_count,
                                     struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status =
        get_setup_code_locked(accounts, ret_hash, ret_expires_wall_ms, ret_wrong_count, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

sn_status sn_accounts_count_wrong_code(struct sn_accounts *accounts, struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = sn_sqlite_execute(
        accounts->db, "UPDATE account_setup SET wrong_count = wrong_count + 1", err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}
