/*
 * Working with SQLite: connections as this project wants them, statements, and failures as our
 * statuses. Every file of `records` that speaks SQL to SQLite does it through these.
 *
 * A connection is used by one thread at a time (its owner's lock). All connections to one file,
 * in this process and others, share it by SQLite's own locks: WAL, synchronous=FULL, a busy
 * timeout of 10 s.
 *
 *   SN_SQLITE_STATEMENT insert = NULL;     finalized when it leaves scope
 *   SN_TRY(sn_sqlite_prepare(db, "INSERT INTO t VALUES(?, ?)", &insert, err));
 *   sn_sqlite_bind_text(insert, 1, name);
 *   SN_TRY(sn_sqlite_run(db, insert, err));
 */
#ifndef SN_RECORDS_SQLITE_H
#define SN_RECORDS_SQLITE_H

#include "base/mem.h"
#include "base/status.h"
#include "base/str.h"

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Open or create a database file.
 *
 *   path    a file name, borrowed for the call
 *   ret_db  written on SN_OK only; close with sn_sqlite_close
 *
 * SN_ERR_CORRUPT (not a database), SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_DENIED, SN_ERR_BUSY,
 * SN_ERR_NO_MEMORY. Blocks on disk.
 */
sn_status sn_sqlite_open(const char *path, sqlite3 **ret_db, struct sn_err *err) SN_MUST_USE;
/* Open a database file that must exist, and change nothing in it. Statuses as above. */
sn_status sn_sqlite_open_to_read(const char *path, sqlite3 **ret_db,
                                 struct sn_err *err) SN_MUST_USE;
sqlite3 *sn_sqlite_close(sqlite3 *db); /* statements are finalized; returns NULL; NULL is fine */

/* What a result code of SQLite is as a status: constraint is SN_ERR_EXISTS. */
sn_status sn_sqlite_status(int code);

/* The status of a failed call, with a sentence: "cannot change the database: UNIQUE constraint ..." */
sn_status sn_sqlite_failure(sqlite3 *db, int code, struct sn_err *err);

/* Run statements without parameters and results, such as a schema. */
sn_status sn_sqlite_execute(sqlite3 *db, const char *sql, struct sn_err *err) SN_MUST_USE;

void sn_sqlite_finalize(sqlite3_stmt **statement);
#define SN_SQLITE_STATEMENT SN_CLEANUP(sn_sqlite_finalize) sqlite3_stmt *

sn_status sn_sqlite_prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_statement,
                            struct sn_err *err) SN_MUST_USE;

/* Text is borrowed until the statement is reset, bound again or finalized. Blob: the same. */
void sn_sqlite_bind_text(sqlite3_stmt *statement, int index, struct sn_str text);
void sn_sqlite_bind_blob(sqlite3_stmt *statement, int index, struct sn_str bytes);

/* Text or blob of a column, borrowed until the next step. */
struct sn_str sn_sqlite_column_text(sqlite3_stmt *statement, int column);
struct sn_str sn_sqlite_column_blob(sqlite3_stmt *statement, int column);

/* Run a statement that gives no rows. */
sn_status sn_sqlite_run(sqlite3 *db, sqlite3_stmt *statement, struct sn_err *err) SN_MUST_USE;

/* Advance to the next row. SN_OK: there is one; SN_ERR_NOT_FOUND: no more; or a failure. */
sn_status sn_sqlite_next(sqlite3 *db, sqlite3_stmt *statement, struct sn_err *err) SN_MUST_USE;

/* BEGIN IMMEDIATE, COMMIT. A commit that fails is rolled back. */
sn_status sn_sqlite_begin(sqlite3 *db, struct sn_err *err) SN_MUST_USE;
sn_status sn_sqlite_commit(sqlite3 *db, struct sn_err *err) SN_MUST_USE;
void sn_sqlite_rollback(sqlite3 *db);
/* Commit when the status of what was done is SN_OK, else roll back and return it. */
sn_status sn_sqlite_end(sqlite3 *db, sn_status status, struct sn_err *err) SN_MUST_USE;

/*
 * Bring the tables of one subject up to date: run migrations[version] .. migrations[count - 1],
 * each in a transaction with the version that it leads to. Versions stand in the table
 * schema_version(subject, version).
 *
 *   subject     "accounts": whose tables, at most 60 bytes
 *   migrations  [count] SQL texts; those that were released never change
 *
 * SN_ERR_UNSUPPORTED: the file was written by a newer version. Other statuses as above.
 */
sn_status sn_sqlite_migrate(sqlite3 *db, const char *subject, const char *const *migrations,
                            int count, struct sn_err *err) SN_MUST_USE;

#endif
