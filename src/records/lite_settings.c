/*
 * Documents by key in SQLite. See settings.h.
 */
#include "records/settings_priv.h"

static const char *const migrations[] = {
    "CREATE TABLE setting(key BLOB PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
};

static sn_status put(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                     struct sn_err *err) {
    SN_SQLITE_STATEMENT count = NULL;
    SN_TRY(sn_sqlite_prepare(settings->db, "SELECT count(*) FROM setting WHERE key <> ?", &count,
                             err));
    sn_sqlite_bind_blob(count, 1, key);
    SN_TRY(sn_sqlite_next(settings->db, count, err));
    if (sqlite3_column_int64(count, 0) >= SN_SETTINGS_MAX)
        return SN_ERR_LIMIT;
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(settings->db, "INSERT OR REPLACE INTO setting VALUES(?, ?)", &insert,
                             err));
    sn_sqlite_bind_blob(insert, 1, key);
    sn_sqlite_bind_text(insert, 2, value);
    return sn_sqlite_run(settings->db, insert, err);
}

static sn_status get(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                     struct sn_str *ret_value, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(
        sn_sqlite_prepare(settings->db, "SELECT value FROM setting WHERE key = ?", &select, err));
    sn_sqlite_bind_blob(select, 1, key);
    SN_TRY(sn_sqlite_next(settings->db, select, err));
    struct sn_str value = sn_sqlite_column_text(select, 0);
    return sn_arena_copy(arena, value, ret_value) ? SN_OK : sn_arena_failure(arena, value.len, err);
}

static sn_status remove_key(struct sn_settings *settings, struct sn_str key, struct sn_err *err) {
    SN_SQLITE_STATEMENT statement = NULL;
    SN_TRY(sn_sqlite_prepare(settings->db, "DELETE FROM setting WHERE key = ?", &statement, err));
    sn_sqlite_bind_blob(statement, 1, key);
    SN_TRY(sn_sqlite_run(settings->db, statement, err));
    return sqlite3_changes(settings->db) > 0 ? SN_OK : SN_ERR_NOT_FOUND;
}

static sn_status list(struct sn_settings *settings, struct sn_str prefix, struct sn_arena *arena,
                      struct sn_setting_list *ret_list, struct sn_err *err) {
    struct sn_setting_listing listing = {.arena = arena};
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        settings->db, "SELECT key, value FROM setting WHERE substr(key, 1, ?) = ? ORDER BY key",
        &select, err));
    sqlite3_bind_int64(select, 1, (sqlite3_int64)prefix.len);
    sn_sqlite_bind_blob(select, 2, prefix);
    sn_status status;
    while ((status = sn_sqlite_next(settings->db, select, err)) == SN_OK)
        SN_TRY(sn_setting_listing_add(&listing, sn_sqlite_column_blob(select, 0),
                                      sn_sqlite_column_text(select, 1), err));
    if (status != SN_ERR_NOT_FOUND)
        return status;
    *ret_list = listing.list;
    return SN_OK;
}

static void close(struct sn_settings *settings) {
    settings->db = sn_sqlite_close(settings->db);
}

static const struct sn_settings_ops lite_ops = {
    .close = close,
    .put = put,
    .get = get,
    .remove = remove_key,
    .list = list,
};

sn_status sn_settings_open(const char *path, struct sn_settings **ret_settings,
                           struct sn_err *err) {
    struct sn_settings *settings = sn_settings_new(&lite_ops, err);
    if (settings == NULL)
        return SN_ERR_NO_MEMORY;
    sn_status status = sn_sqlite_open(path, &settings->db, err);
    if (status == SN_OK)
        status = sn_sqlite_migrate(settings->db, "settings", migrations, 1, err);
    if (status != SN_OK) {
        (void)sn_settings_close(settings); /* NULL, always */
        return status;
    }
    *ret_settings = settings;
    return SN_OK;
}
