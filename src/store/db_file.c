/* SQLite files as pages. See db_file.h. */
#include "store/db_file.h"

#include "base/mem.h"
#include "base/os.h"
#include "model/data_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum {
    BUSY_TIMEOUT_MS = 10000, /* another module's transaction; none of ours takes a second */
};

/* ---- SQLite's results as ours ---- */

static sn_status status_of(int code) {
    switch (code & 0xff) {
    case SQLITE_OK:
    case SQLITE_DONE:
    case SQLITE_ROW:
        return SN_OK;
    case SQLITE_NOMEM:
        return SN_ERR_NO_MEMORY;
    case SQLITE_FULL:
        return SN_ERR_NO_SPACE;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return SN_ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_CONSTRAINT:
    case SQLITE_MISMATCH:
        return SN_ERR_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return SN_ERR_DENIED;
    default: /* the rest, foreign numbers too, is a failing disk for whoever calls */
        return SN_ERR_IO;
    }
}

sn_status sn_db_file_failure(sqlite3 *db, int code, const char *what, const char *name,
                             struct sn_err *err) {
    const char *text = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    return sn_err_set(err, status_of(code), "cannot %s %s: %s", what, name, text);
}

/* ---- opening ---- */

sn_status sn_db_file_path(char ret_path[SN_PATH_BYTES_MAX], const char *dir, const char *name,
                          struct sn_err *err) {
    int len = snprintf(ret_path, SN_PATH_BYTES_MAX, "%s/%s", dir, name);
    if (len < 0 || len >= SN_PATH_BYTES_MAX)
        return sn_err_set(err, SN_ERR_LIMIT, "the path of the data directory is too long");
    return SN_OK;
}

static void close_db(sqlite3 **db) {
    (void)sqlite3_close(*db); /* no statement is open: it cannot be busy */
}
#define DB SN_CLEANUP(close_db) sqlite3 *

static void finalize(sqlite3_stmt **statement) {
    (void)sqlite3_finalize(*statement); /* repeats the failure of the last step */
}

sn_status sn_db_file_open(const char *path, const char *name, int flags, sqlite3 **ret_db,
                          struct sn_err *err) {
    DB db = NULL;
    int code = sqlite3_open_v2(path, &db, flags, NULL);
    if (code != SQLITE_OK)
        return sn_db_file_failure(db, code, "open", name, err);
    (void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS); /* cannot fail with a valid connection */
    *ret_db = SN_TAKE(db);
    return SN_OK;
}

/* NULL: there is none. The connection changes nothing. */
static sn_status open_guest(const char *dir, sqlite3 **ret_db, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    struct stat info;
    *ret_db = NULL;
    SN_TRY(sn_db_file_path(path, dir, SN_RECORDS_DB_NAME, err));
    if (sn_os_stat(path, &info) != 0)
        return errno == ENOENT ? SN_OK : sn_err_set_errno(err, errno, "cannot look for %s", path);
    DB db = NULL;
    const int flags =
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX; /* WAL is read through a file, too */
    SN_TRY(sn_db_file_open(path, SN_RECORDS_DB_NAME, flags, &db, err));
    int code =
        sqlite3_exec(db, "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return sn_db_file_failure(db, code, "read", SN_RECORDS_DB_NAME, err);
    *ret_db = SN_TAKE(db);
    return SN_OK;
}

/* ---- copying ---- */

static sn_status copy_pages(sqlite3 *from, sqlite3 *to, const char *name, struct sn_err *err) {
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sn_db_file_failure(to, sqlite3_errcode(to), "copy", name, err);
    int code = sqlite3_backup_step(backup, -1);
    int end = sqlite3_backup_finish(backup);
    if (code != SQLITE_DONE)
        return sn_db_file_failure(to, end != SQLITE_OK ? end : code, "copy", name, err);
    return SN_OK;
}

static sn_status copy_to(sqlite3 *from, const char *path, const char *name, struct sn_err *err) {
    DB to = NULL;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    SN_TRY(sn_db_file_open(path, name, flags, &to, err));
    int code = sqlite3_exec(to, "PRAGMA synchronous=FULL;", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return sn_db_file_failure(to, code, "copy", name, err);
    return copy_pages(from, to, name, err);
}

sn_status sn_db_file_copy(sqlite3 *db, const char *dir, const char *name, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    SN_TRY(sn_db_file_path(path, dir, name, err));
    int fd = sn_os_open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
    if (fd < 0)
        return sn_err_set_errno(err, errno, "cannot create %s", path);
    sn_status status = copy_to(db, path, name, err);
    if (status == SN_OK && sn_os_fsync(fd) != 0)
        status = sn_err_set_errno(err, errno, "cannot sync %s", path);
    (void)sn_os_close(fd); /* nothing was written through it, and nobody else knows the file yet */
    return status;
}

sn_status sn_db_file_copy_guest(const char *from, const char *dir, struct sn_err *err) {
    DB guest = NULL;
    SN_TRY(open_guest(from, &guest, err));
    return guest ? sn_db_file_copy(guest, dir, SN_RECORDS_DB_NAME, err) : SN_OK;
}

/* ---- checking ---- */

sn_status sn_db_file_check(sqlite3 *db, const char *name,
                           void (*found)(void *ctx, const char *what), void *ctx,
                           struct sn_err *err) {
    SN_CLEANUP(finalize) sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db, "PRAGMA integrity_check", -1, &statement, NULL);
    if (code != SQLITE_OK)
        return sn_db_file_failure(db, code, "read", name, err);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *text = (const char *)sqlite3_column_text(statement, 0);
        if (text && !sn_str_equal(sn_str_from(text), SN_STR("ok")))
            found(ctx, text);
    }
    return code == SQLITE_DONE ? SN_OK : sn_db_file_failure(db, code, "read", name, err);
}

sn_status sn_db_file_check_guest(const char *dir, void (*found)(void *ctx, const char *what),
                                 void *ctx, struct sn_err *err) {
    DB guest = NULL;
    SN_TRY(open_guest(dir, &guest, err));
    if (!guest)
        return SN_OK;
    sn_status status = sn_db_file_check(guest, SN_RECORDS_DB_NAME, found, ctx, err);
    if (status != SN_ERR_CORRUPT)
        return status;
    found(ctx, sqlite3_errmsg(guest));
    return SN_OK;
}
