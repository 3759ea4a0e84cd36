/*
 * The audit log in SQLite: who did what to accounts and settings. See accounts.h.
 */
#include "records/accounts_priv.h"

sn_status sn_lite_accounts_add_audit(struct sn_accounts *accounts, const struct sn_audit_row *row,
                                     struct sn_err *err) {
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "INSERT INTO audit(time_ms, actor, peer, action, detail)"
                             " VALUES(?, ?, ?, ?, ?)",
                             &insert, err));
    sqlite3_bind_int64(insert, 1, row->time_ms);
    sn_sqlite_bind_text(insert, 2, row->actor);
    sn_sqlite_bind_text(insert, 3, row->peer);
    sn_sqlite_bind_text(insert, 4, row->action);
    sn_sqlite_bind_text(insert, 5, row->detail);
    SN_TRY(sn_sqlite_run(accounts->db, insert, err));
    int64_t id = sqlite3_last_insert_rowid(accounts->db);
    if (id % SN_AUDIT_TRIM_EVERY != 0)
        return SN_OK;
    return sn_lite_accounts_run_id(accounts, "DELETE FROM audit WHERE id <= ?",
                                   id - SN_AUDIT_ROWS_MAX, NULL, err);
}

static sn_status list_row(void *ctx, sqlite3_stmt *row) {
    struct sn_account_listing *listing = ctx;
    struct sn_audit_row *item = sn_account_listing_add(listing);
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

sn_status sn_lite_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id,
                                      size_t count_max, struct sn_arena *arena,
                                      struct sn_audit_list *ret_list, struct sn_err *err) {
    struct sn_account_listing listing = {.arena = arena, .item_size = sizeof *ret_list->items};
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(accounts->db,
                             "SELECT id, time_ms, actor, peer, action, detail"
                             " FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?",
                             &select, err));
    sqlite3_bind_int64(select, 1, before_id > 0 ? before_id : INT64_MAX);
    sqlite3_bind_int64(select, 2, (int64_t)count_max);
    SN_TRY(sn_lite_accounts_each_row(accounts, select, list_row, &listing, err));
    *ret_list = (struct sn_audit_list){listing.items, listing.count};
    return SN_OK;
}
