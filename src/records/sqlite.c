/*
 * SQLite with our statuses. See sqlite.h.
 */
#include "records/sqlite.h"

#include "base/os.h"

#include <errno.h>
#include <fcntl.h>

enum { BUSY_TIMEOUT_MS = 10000 };

static const char pragmas[] = "PRAGMA journal_mode=WAL;"
                              "PRAGMA synchronous=FULL;"
                              "PRAGMA foreign_keys=ON;"
                              "PRAGMA trusted_schema=OFF;";
/* No journal mode: it would write the header of a file that is still empty. */
static const char read_pragmas[] = "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;";

sn_status sn_sqlite_status(int code) {
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
    case SQLITE_CONSTRAINT:
        return SN_ERR_EXISTS;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_MISMATCH:
        return SN_ERR_CORRUPT;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
        return SN_ERR_DENIED;
    case SQLITE_TOOBIG:
        return SN_ERR_LIMIT;
    case SQLITE_INTERRUPT:
        return SN_ERR_CLOSED;
    default: /* SQLite's codes are not an enum; the rest is a failing disk for whoever calls */
        return SN_ERR_IO;
    }
}

sn_status sn_sqlite_failure(sqlite3 *db, int code, struct sn_err *err) {
    const char *text = db != NULL ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    return sn_err_set(err, sn_sqlite_status(code), "the database refused: %s", text);
}

sn_status sn_sqlite_execute(sqlite3 *db, const char *sql, struct sn_err *err) {
    int code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SN_OK : sn_sqlite_failure(db, code, err);
}

/*
 * Create the file with our mode: SQLite would take 0644. Its -wal and -shm get the same.
 *
 * A file that exists must not be opened here: closing any descriptor of it drops the POSIX locks of
 * every connection of this process, and another process would take the log from under them.
 */
static sn_status create_file(const char *path, struct sn_err *err) {
    int fd = sn_os_open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
    if (fd < 0 && errno == EEXIST)
        return SN_OK;
    if (fd < 0)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    (void)sn_os_close(fd); /* nothing was written, and nobody else knows the file yet */
    return SN_OK;
}

static sn_status connect_to(const char *path, int flags, const char *setup, sqlite3 **ret_db,
                            struct sn_err *err) {
    sqlite3 *db = NULL;
    int code = sqlite3_open_v2(path, &db, flags, NULL);
    sn_status status = code == SQLITE_OK ? SN_OK : sn_sqlite_failure(db, code, err);
    if (status == SN_OK) {
        (void)sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS); /* cannot fail with a valid connection */
        (void)sqlite3_extended_result_codes(db, 1);
        status = sn_sqlite_execute(db, setup, err);
    }
    if (status != SN_OK) {
        (void)sn_sqlite_close(db); /* NULL, always */
        if (err != NULL)
            sn_err_prefix(err, "cannot open %s", path);
        return status;
    }
    *ret_db = db;
    return SN_OK;
}

sn_status sn_sqlite_open(const char *path, sqlite3 **ret_db, struct sn_err *err) {
    SN_TRY(create_file(path, err));
    return connect_to(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                      pragmas, ret_db, err);
}

sn_status sn_sqlite_open_to_read(const char *path, sqlite3 **ret_db, struct sn_err *err) {
    return connect_to(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, read_pragmas, ret_db, err);
}

sqlite3 *sn_sqlite_close(sqlite3 *db) {
    if (db == NULL)
        return NULL;
    for (sqlite3_stmt *left = sqlite3_next_stmt(db, NULL); left != NULL;
         left = sqlite3_next_stmt(db, NULL))
        (void)sqlite3_finalize(left); /* repeats the failure of its last step */
    (void)sqlite3_close(db);          /* busy only with statements, and there are none */
    return NULL;
}

/* ---- statements ---- */

void sn_sqlite_finalize(sqlite3_stmt **statement) {
    (void)sqlite3_finalize(*statement); /* repeats the failure of the last step */
    *statement = NULL;
}

sn_status sn_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement,
                            struct sn_err *err) {
    int code = sqlite3_prepare_v2(db, sql, -1, ret_statement, NULL);
    return code == SQLITE_OK ? SN_OK : sn_sqlite_failure(db, code, err);
}

/* A bind that fails (no memory, too big) leaves NULL, which the NOT NULL of our columns refuses. */
void sn_sqlite_bind_text(sqlite3_stmt *statement, int index, struct sn_str text) {
    (void)sqlite3_bind_text64(statement, index, text.ptr != NULL ? text.ptr : "", text.len,
                              SQLITE_STATIC, SQLITE_UTF8);
}

void sn_sqlite_bind_blob(sqlite3_stmt *statement, int index, struct sn_str bytes) {
    (void)sqlite3_bind_blob64(statement, index, bytes.ptr != NULL ? bytes.ptr : "", bytes.len,
                              SQLITE_STATIC);
}

struct sn_str sn_sqlite_column_text(sqlite3_stmt *statement, int column) {
    const unsigned char *text = sqlite3_column_text(statement, column);
    size_t len = (size_t)sqlite3_column_bytes(statement, column);
    return sn_str_make(text, text != NULL ? len : 0);
}

struct sn_str sn_sqlite_column_blob(sqlite3_stmt *statement, int column) {
    const void *bytes = sqlite3_column_blob(statement, column);
    size_t len = (size_t)sqlite3_column_bytes(statement, column);
    return sn_str_make(bytes, bytes != NULL ? len : 0);
}

sn_status sn_sqlite_run(sqlite3 *db, sqlite3_stmt *statement, struct sn_err *err) {
    int code = sqlite3_step(statement);
    sn_status status = code == SQLITE_DONE ? SN_OK : sn_sqlite_failure(db, code, err);
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    return status;
}

sn_status sn_sqlite_next(sqlite3 *db, sqlite3_stmt *statement, struct sn_err *err) {
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        return SN_OK;
    return code == SQLITE_DONE ? SN_ERR_NOT_FOUND : sn_sqlite_failure(db, code, err);
}

/* ---- transactions ---- */

sn_status sn_sqlite_begin(sqlite3 *db, struct sn_err *err) {
    return sn_sqlite_execute(db, "BEGIN IMMEDIATE", err);
}

sn_status sn_sqlite_commit(sqlite3 *db, struct sn_err *err) {
    sn_status status = sn_sqlite_execute(db, "COMMIT", err);
    if (status != SN_OK)
        sn_sqlite_rollback(db);
    return status;
}

void sn_sqlite_rollback(sqlite3 *db) {
    if (sqlite3_get_autocommit(db) == 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL); /* the journal does it otherwise */
}

sn_status sn_sqlite_end(sqlite3 *db, sn_status status, struct sn_err *err) {
    if (status == SN_OK)
        return sn_sqlite_commit(db, err);
    sn_sqlite_rollback(db);
    return status;
}

/* ---- migrations ---- */

static sn_status get_version(sqlite3 *db, const char *subject, int *ret_version,
                             struct sn_err *err) {
    SN_SQLITE_STATEMENT select = NULL;
    SN_TRY(sn_sqlite_prepare(db, "SELECT version FROM schema_version WHERE subject = ?", &select,
                             err));
    sn_sqlite_bind_text(select, 1, sn_str_from(subject));
    sn_status status = sn_sqlite_next(db, select, err);
    *ret_version = status == SN_OK ? sqlite3_column_int(select, 0) : 0;
    return status == SN_ERR_NOT_FOUND ? SN_OK : status;
}

static sn_status put_version(sqlite3 *db, const char *subject, int version, struct sn_err *err) {
    SN_SQLITE_STATEMENT insert = NULL;
    SN_TRY(
        sn_sqlite_prepare(db, "INSERT OR REPLACE INTO schema_version VALUES(?, ?)", &insert, err));
    sn_sqlite_bind_text(insert, 1, sn_str_from(subject));
    sqlite3_bind_int(insert, 2, version);
    return sn_sqlite_run(db, insert, err);
}

/* All steps that are missing, in the transaction that is open. */
static sn_status migrate(sqlite3 *db, const char *subject, const char *const *migrations, int count,
                         struct sn_err *err) {
    int version = 0;
    SN_TRY(sn_sqlite_execute(db,
                             "CREATE TABLE IF NOT EXISTS schema_version("
                             " subject TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL)"
                             " WITHOUT ROWID",
                             err));
    SN_TRY(get_version(db, subject, &version, err));
    if (version > count)
        return sn_err_set(err, SN_ERR_UNSUPPORTED,
                          "the tables of %s have version %d, this program knows up to %d", subject,
                          version, count);
    if (version == count)
        return SN_OK;
    for (; version < count; version++)
        SN_TRY(sn_sqlite_execute(db, migrations[version], err));
    return put_version(db, subject, version, err);
}

sn_status sn_sqlite_migrate(sqlite3 *db, const char *subject, const char *const *migrations,
                            int count, struct sn_err *err) {
    SN_TRY(sn_sqlite_begin(db, err));
    return sn_sqlite_end(db, migrate(db, subject, migrations, count, err), err);
}
