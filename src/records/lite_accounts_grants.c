/*
 * Sessions and API tokens in SQLite. See accounts.h.
 */
#include "records/accounts_priv.h"

/* Run a bound statement. */
static sn_status run(struct sn_accounts *accounts, sqlite3_stmt **statement, struct sn_err *err) {
    sn_status status = sn_sqlite_run(accounts->db, *statement, err);
    sn_sqlite_finalize(statement);
    return status;
}

/* ---- sessions ---- */

/* Sessions that are over, and the oldest beyond the limit. */
static sn_status sweep(struct sn_accounts *accounts, int64_t now_wall_ms, struct sn_err *err) {
    SN_TRY(sn_lite_accounts_run_id(accounts, "DELETE FROM account_session WHERE expires_ms <= ?",
                                   now_wall_ms, NULL, err));
    return sn_lite_accounts_run_id(accounts,
                                   "DELETE FROM account_session WHERE hash IN (SELECT hash FROM"
                                   " account_session ORDER BY created_ms DESC LIMIT -1 OFFSET ?)",
                                   SN_ACCOUNTS_SESSIONS_MAX, NULL, err);
}

static sn_status add_session(struct sn_accounts *accounts,
                             const struct sn_account_session_new *session, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, "INSERT INTO account_session VALUES(?, ?, ?, ?)",
                             &statement, err));
    sn_sqlite_bind_blob(statement, 1, sn_str_make(session->hash, SN_ACCOUNT_HASH_BYTES));
    sqlite3_bind_int64(statement, 2, session->user_id);
    sqlite3_bind_int64(statement, 3, session->now_wall_ms);
    sqlite3_bind_int64(statement, 4, session->expires_wall_ms);
    SN_TRY(run(accounts, &statement, err));
    SN_TRY(sn_sqlite_prepare(accounts->db, "UPDATE account_user SET login_ms = ? WHERE id = ?",
                             &statement, err));
    sqlite3_bind_int64(statement, 1, session->now_wall_ms);
    sqlite3_bind_int64(statement, 2, session->user_id);
    SN_TRY(run(accounts, &statement, err));
    return sweep(accounts, session->now_wall_ms, err);
}

sn_status sn_lite_accounts_add_session(struct sn_accounts *accounts,
                                       const struct sn_account_session_new *session,
                                       struct sn_err *err) {
    SN_TRY(sn_sqlite_begin(accounts->db, err));
    return sn_sqlite_end(accounts->db, add_session(accounts, session, err), err);
}

sn_status sn_lite_accounts_remove_session(struct sn_accounts *accounts, const uint8_t *hash,
                                          struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db, "DELETE FROM account_session WHERE hash = ?", &statement,
                             err));
    sn_sqlite_bind_blob(statement, 1, sn_str_make(hash, SN_ACCOUNT_HASH_BYTES));
    return run(accounts, &statement, err);
}

/* ---- tokens ---- */

sn_status sn_lite_accounts_add_token(struct sn_accounts *accounts,
                                     const struct sn_account_token_new *token, int64_t *ret_id,
                                     struct sn_err *err) {
    int64_t count = 0;
    SN_TRY(sn_lite_accounts_number(accounts, "SELECT count(*) FROM account_token", &count, err));
    if (count >= SN_ACCOUNTS_TOKENS_MAX)
        return SN_ERR_LIMIT;
    sqlite3_stmt *insert = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "INSERT INTO account_token(hash, user_id, name, hint, scopes,"
                             " created_ms, expires_ms) VALUES(?, ?, ?, ?, ?, ?, ?)",
                             &insert, err));
    sn_sqlite_bind_blob(insert, 1, sn_str_make(token->hash, SN_ACCOUNT_HASH_BYTES));
    sqlite3_bind_int64(insert, 2, token->user_id);
    sn_sqlite_bind_text(insert, 3, token->name);
    sn_sqlite_bind_text(insert, 4, token->hint);
    sqlite3_bind_int(insert, 5, (int)token->scopes);
    sqlite3_bind_int64(insert, 6, token->now_wall_ms);
    sqlite3_bind_int64(insert, 7, token->expires_wall_ms);
    SN_TRY(run(accounts, &insert, err));
    *ret_id = sqlite3_last_insert_rowid(accounts->db);
    return SN_OK;
}

static sn_status list_token(void *ctx, sqlite3_stmt *row) {
    struct sn_account_listing *listing = ctx;
    struct sn_account_token *token = sn_account_listing_add(listing);
    if (token == NULL)
        return SN_ERR_NO_MEMORY;
    token->id = sqlite3_column_int64(row, 0);
    token->user_id = sqlite3_column_int64(row, 1);
    token->scopes = (unsigned)sqlite3_column_int(row, 5);
    token->created_wall_ms = sqlite3_column_int64(row, 6);
    token->expires_wall_ms = sqlite3_column_int64(row, 7);
    bool is_copied =
        sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 2), &token->user_name) &&
        sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 3), &token->name) &&
        sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 4), &token->hint);
    return is_copied ? SN_OK : SN_ERR_NO_MEMORY;
}

sn_status sn_lite_accounts_list_tokens(struct sn_accounts *accounts, struct sn_arena *arena,
                                       struct sn_account_token_list *ret_list, struct sn_err *err) {
    struct sn_account_listing listing = {.arena = arena, .item_size = sizeof *ret_list->items};
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "SELECT t.id, t.user_id, u.name, t.name, t.hint, t.scopes,"
                             " t.created_ms, t.expires_ms FROM account_token t JOIN account_user u"
                             " ON u.id = t.user_id ORDER BY t.id",
                             &select, err));
    SN_TRY(sn_lite_accounts_each_row(accounts, select, list_token, &listing, err));
    *ret_list = (struct sn_account_token_list){listing.items, listing.count};
    return SN_OK;
}

sn_status sn_lite_accounts_remove_token(struct sn_accounts *accounts, int64_t id,
                                        struct sn_err *err) {
    int changed = 0;
    SN_TRY(sn_lite_accounts_run_id(accounts, "DELETE FROM account_token WHERE id = ?", id, &changed,
                                   err));
    return changed > 0 ? SN_OK : SN_ERR_NOT_FOUND;
}

/* ---- all that is valid ---- */

struct grant_walk {
    sn_status (*visit)(void *ctx, const struct sn_account_grant *grant);
    void *ctx;
};

static sn_status visit_grant(void *ctx, sqlite3_stmt *row) {
    const struct grant_walk *walk = ctx;
    struct sn_account_grant grant = {
        .user_id = sqlite3_column_int64(row, 1),
        .token_id = sqlite3_column_int64(row, 2),
        .role = sn_account_role_of(sqlite3_column_int(row, 4)),
        .scopes = (unsigned)sqlite3_column_int(row, 5),
        .expires_wall_ms = sqlite3_column_int64(row, 6),
    };
    struct sn_str hash = sn_sqlite_column_blob(row, 0);
    if (hash.len != sizeof grant.hash)
        return SN_OK; /* No secret has such a hash. */
    memcpy(grant.hash, hash.ptr, sizeof grant.hash);
    sn_lite_account_column(row, 3, grant.user_name, sizeof grant.user_name);
    return walk->visit(walk->ctx, &grant);
}

sn_status sn_lite_accounts_each_grant(struct sn_accounts *accounts, int64_t now_wall_ms,
                                      sn_status (*visit)(void *ctx,
                                                         const struct sn_account_grant *grant),
                                      void *ctx, struct sn_err *err) {
    struct grant_walk walk = {visit, ctx};
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        accounts->db,
        "SELECT s.hash, u.id, 0, u.name, u.role, 0, s.expires_ms FROM account_session s"
        " JOIN account_user u ON u.id = s.user_id WHERE s.expires_ms > ?1 UNION ALL "
        "SELECT t.hash, u.id, t.id, u.name, u.role, t.scopes, t.expires_ms FROM account_token t"
        " JOIN account_user u ON u.id = t.user_id WHERE t.expires_ms = 0 OR t.expires_ms > ?1",
        &select, err));
    sqlite3_bind_int64(select, 1, now_wall_ms);
    return sn_lite_accounts_each_row(accounts, select, visit_grant, &walk, err);
}
