/*
 * Sessions and API tokens in PostgreSQL. See accounts.h.
 */
#include "records/accounts_priv.h"
#include "records/postgres_accounts.h"

#include <libpq-fe.h>

/* ---- sessions ---- */

/* Sessions that are over, and the oldest beyond the limit. */
static sn_status sweep(struct sn_pg *pg, int64_t now_wall_ms, struct sn_err *err) {
    SN_TRY(sn_postgres_accounts_run_id(pg, "DELETE FROM sonde_session WHERE expires_ms <= $1",
                                       now_wall_ms, err));
    return sn_postgres_accounts_run_id(pg,
                                       "DELETE FROM sonde_session WHERE hash IN (SELECT hash FROM"
                                       " sonde_session ORDER BY created_ms DESC OFFSET $1)",
                                       SN_ACCOUNTS_SESSIONS_MAX, err);
}

static sn_status add_session(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct sn_account_session_new *session = args;
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, sn_str_make(session->hash, SN_ACCOUNT_HASH_BYTES));
    sn_pg_put_int8(&params, session->user_id);
    sn_pg_put_int8(&params, session->now_wall_ms);
    sn_pg_put_int8(&params, session->expires_wall_ms);
    SN_TRY(sn_postgres_accounts_run(pg, "INSERT INTO sonde_session VALUES($1, $2, $3, $4)", &params,
                                    NULL, err));
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, session->now_wall_ms);
    sn_pg_put_int8(&params, session->user_id);
    SN_TRY(sn_postgres_accounts_run(pg, "UPDATE sonde_user SET login_ms = $1 WHERE id = $2",
                                    &params, NULL, err));
    return sweep(pg, session->now_wall_ms, err);
}

sn_status sn_postgres_accounts_add_session(struct sn_accounts *accounts,
                                           const struct sn_account_session_new *session,
                                           struct sn_err *err) {
    struct sn_account_session_new copy = *session;
    return sn_postgres_accounts_change(accounts, add_session, &copy, err);
}

static sn_status remove_session(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct sn_str *hash = args;
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, *hash);
    return sn_postgres_accounts_run(pg, "DELETE FROM sonde_session WHERE hash = $1", &params, NULL,
                                    err);
}

sn_status sn_postgres_accounts_remove_session(struct sn_accounts *accounts, const uint8_t *hash,
                                              struct sn_err *err) {
    struct sn_str bytes = sn_str_make(hash, SN_ACCOUNT_HASH_BYTES);
    return sn_postgres_accounts_change(accounts, remove_session, &bytes, err);
}

/* ---- tokens ---- */

struct adding {
    const struct sn_account_token_new *token;
    int64_t id;
};

static sn_status add_token(void *args, struct sn_pg *pg, struct sn_err *err) {
    struct adding *adding = args;
    const struct sn_account_token_new *token = adding->token;
    struct sn_pg_params params;
    int64_t count = 0;
    sn_pg_params_init(&params);
    SN_TRY(
        sn_postgres_accounts_number(pg, "SELECT count(*) FROM sonde_token", &params, &count, err));
    if (count >= SN_ACCOUNTS_TOKENS_MAX)
        return SN_ERR_LIMIT;
    sn_pg_params_init(&params);
    sn_pg_put_bytes(&params, sn_str_make(token->hash, SN_ACCOUNT_HASH_BYTES));
    sn_pg_put_int8(&params, token->user_id);
    sn_pg_put_text(&params, token->name);
    sn_pg_put_text(&params, token->hint);
    sn_pg_put_int8(&params, (int64_t)token->scopes);
    sn_pg_put_int8(&params, token->now_wall_ms);
    sn_pg_put_int8(&params, token->expires_wall_ms);
    return sn_postgres_accounts_number(
        pg,
        "INSERT INTO sonde_token(hash, user_id, name, hint, scopes, created_ms, expires_ms)"
        " VALUES($1, $2, $3, $4, $5, $6, $7) RETURNING id",
        &params, &adding->id, err);
}

sn_status sn_postgres_accounts_add_token(struct sn_accounts *accounts,
                                         const struct sn_account_token_new *token, int64_t *ret_id,
                                         struct sn_err *err) {
    struct adding adding = {token, 0};
    SN_TRY(sn_postgres_accounts_change(accounts, add_token, &adding, err));
    *ret_id = adding.id;
    return SN_OK;
}

static bool read_token(const PGresult *result, int row, struct sn_arena *arena, void *ret_item) {
    struct sn_account_token *token = ret_item;
    token->id = sn_pg_int8(result, row, 0);
    token->user_id = sn_pg_int8(result, row, 1);
    token->scopes = (unsigned)sn_pg_int2(result, row, 5);
    token->created_wall_ms = sn_pg_int8(result, row, 6);
    token->expires_wall_ms = sn_pg_int8(result, row, 7);
    return sn_arena_copy(arena, sn_pg_bytes(result, row, 2), &token->user_name) &&
           sn_arena_copy(arena, sn_pg_bytes(result, row, 3), &token->name) &&
           sn_arena_copy(arena, sn_pg_bytes(result, row, 4), &token->hint);
}

sn_status sn_postgres_accounts_list_tokens(struct sn_accounts *accounts, struct sn_arena *arena,
                                           struct sn_account_token_list *ret_list,
                                           struct sn_err *err) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    sn_pg_params_init(&none);
    SN_TRY(sn_postgres_accounts_read(
        accounts,
        "SELECT t.id, t.user_id, u.name, t.name, t.hint, t.scopes, t.created_ms, t.expires_ms"
        " FROM sonde_token t JOIN sonde_user u ON u.id = t.user_id ORDER BY t.id",
        &none, &result, err));
    return sn_postgres_accounts_take_rows(result, arena, sizeof *ret_list->items, read_token,
                                          &ret_list->items, &ret_list->count, err);
}

static sn_status remove_token(void *args, struct sn_pg *pg, struct sn_err *err) {
    const int64_t *id = args;
    struct sn_pg_params params;
    int64_t removed = 0;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, *id);
    SN_TRY(sn_postgres_accounts_number(pg, "DELETE FROM sonde_token WHERE id = $1 RETURNING id",
                                       &params, &removed, err));
    return removed != 0 ? SN_OK : SN_ERR_NOT_FOUND;
}

sn_status sn_postgres_accounts_remove_token(struct sn_accounts *accounts, int64_t id,
                                            struct sn_err *err) {
    return sn_postgres_accounts_change(accounts, remove_token, &id, err);
}

/* ---- all that is valid ---- */

/* false: no secret has such a hash. */
static bool read_grant(const PGresult *result, int row, struct sn_account_grant *ret_grant) {
    *ret_grant = (struct sn_account_grant){
        .user_id = sn_pg_int8(result, row, 1),
        .token_id = sn_pg_int8(result, row, 2),
        .role = sn_account_role_of(sn_pg_int2(result, row, 4)),
        .scopes = (unsigned)sn_pg_int2(result, row, 5),
        .expires_wall_ms = sn_pg_int8(result, row, 6),
    };
    struct sn_str hash = sn_pg_bytes(result, row, 0);
    if (hash.len != sizeof ret_grant->hash)
        return false;
    memcpy(ret_grant->hash, hash.ptr, sizeof ret_grant->hash);
    sn_account_copy_text(sn_pg_bytes(result, row, 3), ret_grant->user_name,
                         sizeof ret_grant->user_name);
    return true;
}

sn_status sn_postgres_accounts_each_grant(struct sn_accounts *accounts, int64_t now_wall_ms,
                                          sn_status (*visit)(void *ctx,
                                                             const struct sn_account_grant *grant),
                                          void *ctx, struct sn_err *err) {
    struct sn_pg_params params;
    struct sn_account_grant grant;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, now_wall_ms);
    sn_status status = sn_postgres_accounts_read(
        accounts,
        "SELECT s.hash, u.id, 0::bigint, u.name, u.role, 0::smallint, s.expires_ms"
        " FROM sonde_session s JOIN sonde_user u ON u.id = s.user_id WHERE s.expires_ms > $1"
        " UNION ALL "
        "SELECT t.hash, u.id, t.id, u.name, u.role, t.scopes, t.expires_ms FROM sonde_token t"
        " JOIN sonde_user u ON u.id = t.user_id WHERE t.expires_ms = 0 OR t.expires_ms > $1",
        &params, &result, err);
    SN_TRY(status);
    for (int row = 0; status == SN_OK && row < PQntuples(result); row++)
        if (read_grant(result, row, &grant))
            status = visit(ctx, &grant);
    PQclear(result);
    return status == SN_OK ? SN_OK
                           : sn_err_set(err, status, "cannot list: %s", sn_status_name(status));
}
