/* Which file has the tables of this module. See records_db.h. */
#include "records/records_db.h"

#include "base/os.h"
#include "model/data_dir.h"
#include "records/sqlite.h"

#include <errno.h>
#include <stdio.h>

static sn_status join(const char *dir, const char *name, char ret_path[SN_RECORDS_DB_PATH_SIZE],
                      struct sn_err *err) {
    int len = snprintf(ret_path, SN_RECORDS_DB_PATH_SIZE, "%s/%s", dir, name);
    if (len < 0 || len >= SN_RECORDS_DB_PATH_SIZE)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "the name of the data directory is too long, the limit is %d bytes",
                          SN_RECORDS_DB_PATH_SIZE - (int)strlen(name) - 2);
    return SN_OK;
}

static sn_status is_there(const char *path, bool *ret_is_there, struct sn_err *err) {
    struct stat info;
    *ret_is_there = sn_os_stat(path, &info) == 0;
    if (!*ret_is_there && errno != ENOENT)
        return sn_err_set_errno(err, errno, "cannot look for %s", path);
    return SN_OK;
}

/* The first migration of any subject makes schema_version in its own transaction. */
static sn_status find_tables(sqlite3 *db, bool *ret_has, struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(
        db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'", &select,
        err));
    sn_status status = sn_sqlite_next(db, select, err);
    *ret_has = status == SN_OK;
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

static sn_status has_tables(const char *path, bool *ret_has, struct sn_err *err) {
    sqlite3 *db = NULL;
    *ret_has = false;
    bool has_file;
    SN_TRY(is_there(path, &has_file, err));
    if (!has_file)
        return SN_OK;
    SN_TRY(sn_sqlite_open_to_read(path, &db, err));
    sn_status status = find_tables(db, ret_has, err);
    (void)sn_sqlite_close(db); /* NULL, always */
    if (status != SN_OK && err != NULL)
        sn_err_prefix(err, "cannot read %s", path);
    return status;
}

sn_status sn_records_db_path(const char *dir, char ret_path[SN_RECORDS_DB_PATH_SIZE],
                             struct sn_err *err) {
    char own[SN_RECORDS_DB_PATH_SIZE];
    char older[SN_RECORDS_DB_PATH_SIZE];
    bool is_ours, is_older = false;
    SN_TRY(join(dir, SN_RECORDS_DB_NAME, own, err));
    SN_TRY(join(dir, SN_STORE_DB_NAME, older, err));
    SN_TRY(is_there(own, &is_ours, err));
    if (!is_ours)
        SN_TRY(has_tables(older, &is_older, err));
    memcpy(ret_path, is_older ? older : own, SN_RECORDS_DB_PATH_SIZE);
    return SN_OK;
}
