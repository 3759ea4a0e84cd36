/*
 * Documents by key in SQLite. See settings.h.
 */
#include "records/settings.h"

#include "base/lock.h"
#include "records/sqlite.h"

struct sn_settings {
    struct sn_mutex mu; /* guards db */
    sqlite3 *db;
};

static const char *const migrations[] = {
    "CREATE TABLE setting(key BLOB PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID",
};

sn_status sn_settings_open(const char *path, struct sn_settings **ret_settings,
                           struct sn_err *err) {
    sqlite3 *db = NULL;
    SN_TRY(sn_sqlite_open(path, &db, err));
    sn_status status = sn_sqlite_migrate(db, "settings", migrations, 1, err);
    struct sn_settings *settings = status == SN_OK ? sn_alloc_zero(1, sizeof *settings) : NULL;
    if (settings == NULL) {
        (void)sn_sqlite_close(db); /* NULL, always */
        return status != SN_OK ? status
                               : sn_err_set(err, SN_ERR_NO_MEMORY, "no memory for the settings");
    }
    sn_mutex_init(&settings->mu, SN_RANK_ACCOUNTS, "settings");
    settings->db = db;
    *ret_settings = settings;
    return SN_OK;
}

struct sn_settings *sn_settings_close(struct sn_settings *settings) {
    if (settings == NULL)
        return NULL;
    settings->db = sn_sqlite_close(settings->db);
    sn_mutex_release(&settings->mu);
    sn_free(settings);
    return NULL;
}

static sn_status check(struct sn_str key, struct sn_str value, struct sn_err *err) {
    if (key.len == 0 || key.len > SN_SETTING_KEY_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the key of a setting has %zu bytes, it needs 1 to %d",
                          key.len, SN_SETTING_KEY_BYTES_MAX);
    if (value.len > SN_SETTING_VALUE_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the setting has %zu bytes, the limit is %d",
                          value.len, SN_SETTING_VALUE_BYTES_MAX);
    return SN_OK;
}

static sn_status put_locked(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                            struct sn_err *err) SN_REQUIRES(&settings->mu);
static sn_status put_locked(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                            struct sn_err *err) {
    SN_SQLITE_STATEMENT count = NULL;
    SN_TRY(sn_sqlite_prepare(settings->db, "SELECT count(*) FROM setting WHERE key <> ?", &count,
                             err));
    sn_sqlite_bind_blob(count, 1, key);
    SN_TRY(sn_sqlite_next(settings->db, count, err));
    if (sqlite3_column_int64(count, 0) >= SN_SETTINGS_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "there are %d settings already, the limit",
                          SN_SETTINGS_MAX);
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(sn_sqlite_prepare(settings->db, "INSERT OR REPLACE INTO setting VALUES(?, ?)", &insert,
                             err));
    sn_sqlite_bind_blob(insert, 1, key);
    sn_sqlite_bind_text(insert, 2, value);
    return sn_sqlite_run(settings->db, insert, err);
}

sn_status sn_settings_put(struct sn_settings *settings, struct sn_str key, struct sn_str value,
                          struct sn_err *err) {
    SN_TRY(check(key, value, err));
    sn_mutex_lock(&settings->mu);
    sn_status status = put_locked(settings, key, value, err);
    sn_mutex_unlock(&settings->mu);
    return status;
}

static sn_status not_found(struct sn_str key, struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no setting \"%.*s\"",
                      (int)(key.len < 80 ? key.len : 80), key.ptr != NULL ? key.ptr : "");
}

static sn_status get_locked(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                            struct sn_str *ret_value, struct sn_err *err)
    SN_REQUIRES(&settings->mu);
static sn_status get_locked(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                            struct sn_str *ret_value, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(
        sn_sqlite_prepare(settings->db, "SELECT value FROM setting WHERE key = ?", &select, err));
    sn_sqlite_bind_blob(select, 1, key);
    sn_status status = sn_sqlite_next(settings->db, select, err);
    if (status == SN_ERR_NOT_FOUND)
        return not_found(key, err);
    if (status != SN_OK)
        return status;
    struct sn_str value = sn_sqlite_column_text(select, 0);
    return sn_arena_copy(arena, value, ret_value) ? SN_OK : sn_arena_failure(arena, value.len, err);
}

sn_status sn_settings_get(struct sn_settings *settings, struct sn_str key, struct sn_arena *arena,
                          struct sn_str *ret_value, struct sn_err *err) {
    sn_mutex_lock(&settings->mu);
    sn_status status = get_locked(settings, key, arena, ret_value, err);
    sn_mutex_unlock(&settings->mu);
    return status;
}

static sn_status remove_locked(struct sn_settings *settings, struct sn_str key, struct sn_err *err)
    SN_REQUIRES(&settings->mu);
static sn_status remove_locked(struct sn_settings *settings, struct sn_str key,
                               struct sn_err *err) {
    SN_SQLITE_STATEMENT statement = NULL;
    SN_TRY(sn_sqlite_prepare(settings->db, "DELETE FROM setting WHERE key = ?", &statement, err));
    sn_sqlite_bind_blob(statement, 1, key);
    SN_TRY(sn_sqlite_run(settings->db, statement, err));
    return sqlite3_changes(settings->db) > 0 ? SN_OK : not_found(key, err);
}

sn_status sn_settings_remove(struct sn_settings *settings, struct sn_str key, struct sn_err *err) {
    sn_mutex_lock(&settings->mu);
    sn_status status = remove_locked(settings, key, err);
    sn_mutex_unlock(&settings->mu);
    return status;
}

/* Rows of a bound statement into an array of at most SN_SETTINGS_MAX. */
static sn_status list_locked(struct sn_settings *settings, sqlite3_stmt *select,
                             struct sn_arena *arena, struct sn_setting_list *list,
                             struct sn_err *err) SN_REQUIRES(&settings->mu);
static sn_status list_locked(struct sn_settings *settings, sqlite3_stmt *select,
                             struct sn_arena *arena, struct sn_setting_list *list,
                             struct sn_err *err) {
    size_t capacity = 0;
    sn_status status;
    while ((status = sn_sqlite_next(settings->db, select, err)) == SN_OK) {
        SN_TRY(
            sn_arena_grow(arena, &list->items, list->count, &capacity, sizeof *list->items, err));
        struct sn_setting *item = &list->items[list->count++];
        if (!sn_arena_copy(arena, sn_sqlite_column_blob(select, 0), &item->key) ||
            !sn_arena_copy(arena, sn_sqlite_column_text(select, 1), &item->value))
            return sn_arena_failure(arena, SN_SETTING_VALUE_BYTES_MAX, err);
    }
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

sn_status sn_settings_list(struct sn_settings *settings, struct sn_str prefix,
                           struct sn_arena *arena, struct sn_setting_list *ret_list,
                           struct sn_err *err) {
    struct sn_setting_list list = {NULL, 0};
    SN_SQLITE_STATEMENT select = NULL;
    sn_mutex_lock(&settings->mu);
    sn_status status = sn_sqlite_prepare(
        settings->db, "SELECT key, value FROM setting WHERE substr(key, 1, ?) = ? ORDER BY key",
        &select, err);
    if (status == SN_OK) {
        sqlite3_bind_int64(select, 1, (sqlite3_int64)prefix.len);
        sn_sqlite_bind_blob(select, 2, prefix);
        status = list_locked(settings, select, arena, &list, err);
    }
    sn_sqlite_finalize(&select);
    sn_mutex_unlock(&settings->mu);
    if (status == SN_OK)
        *ret_list = list;
    return status;
}
