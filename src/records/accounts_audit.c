/*
 * The audit log: who did what to accounts and settings. See accounts.h.
 */
#include "records/accounts_priv.h"

enum { TEXT_BYTES_MAX = 1024, TRIM_EVERY = 256 };

static struct sn_str cut(struct sn_str text) {
    return sn_str_make(text.ptr, text.len < TEXT_BYTES_MAX ? text.len : TEXT_BYTES_MAX);
}

static sn_status add_locked(struct sn_accounts *accounts, const struct sn_audit_row *row,
                            struct sn_err *err) SN_REQUIRES(&accounts->mu);
static sn_status add_locked(struct sn_accounts *accounts, const struct sn_audit_row *row,
                            struct sn_err *err) {
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "INSERT INTO audit(time_ms, actor, peer, action, detail)"
                             " VALUES(?, ?, ?, ?, ?)",
                             &insert, err));
    sqlite3_bind_int64(insert, 1, row->time_ms);
    sn_sqlite_bind_text(insert, 2, cut(row->actor));
    sn_sqlite_bind_text(insert, 3, cut(row->peer));
    sn_sqlite_bind_text(insert, 4, cut(row->action));
    sn_sqlite_bind_text(insert, 5, cut(row->detail));
    SN_TRY(sn_sqlite_run(accounts->db, insert, err));
    int64_t id = sqlite3_last_insert_rowid(accounts->db);
    if (id % TRIM_EVERY != 0)
        return SN_OK;
    return sn_accounts_run_id_locked(accounts, "DELETE FROM audit WHERE id <= ?",
                                     id - SN_AUDIT_ROWS_MAX, NULL, err);
}

sn_status sn_accounts_add_audit(struct sn_accounts *accounts, const struct sn_audit_row *row,
                                struct sn_err *err) {
    sn_mutex_lock(&accounts->mu);
    sn_status status = add_locked(accounts, row, err);
    sn_mutex_unlock(&accounts->mu);
    return status;
}

struct audit_listing {
    struct sn_arena *arena;
    struct sn_arena_list list;
};

static sn_status list_row(void *ctx, sqlite3_stmt *row) {
    struct audit_listing *listing = ctx;
    struct sn_audit_row *item = sn_arena_list_add(&listing->list, listing->arena);
    if (item == NULL)
        return SN_ERR_NO_MEMORY;
    item->id = sqlite3_column_int64(row, 0);
    item->time_ms = sqlite3_column_int64(row, 1);
    bool is_copied = sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 2), &item->actor) &&
                     sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 3), &item->peer) &&
                     sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 4), &item->action) &&
                     sn_arena_copy(listing->arena, sn_sqlite_column_text(row, 5), &item->detail);
    return is_copied ? SN_OK : SN_ERR_NO_MEMORY;
}

sn_status sn_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id, size_t count_max,
                                 struct sn_arena *arena, struct sn_audit_list *ret_list,
                                 struct sn_err *err) {
    struct audit_listing listing = {.arena = arena,
                                    .list = {.item_size = sizeof(struct sn_audit_row)}};
    SN_SQLITE_STATEMENT select = NULL;
    sn_mutex_lock(&accounts->mu);
    sn_status status = sn_sqlite_prepare(accounts->db,
                                         "SELECT id, time_ms, actor, peer, action, detail"
                                         " FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
                                         &select, err);
    if (status == SN_OK) {
        sqlite3_bind_int64(select, 1, before_id > 0 ? before_id : INT64_MAX);
        sqlite3_bind_int64(select, 2, (int64_t)count_max);
        status = sn_accounts_each_row_locked(accounts, select, list_row, &listing, err);
    }
    sn_sqlite_finalize(&select);
    sn_mutex_unlock(&accounts->mu);
    if (status == SN_OK)
        *ret_list = (struct sn_audit_list){listing.list.items, listing.list.count};
    return status;
}
