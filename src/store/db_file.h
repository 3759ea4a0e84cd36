/*
 * SQLite files as pages: opening, copying and checking them, whatever their tables are. One is the
 * catalogue's, sonde.db; another module's may stand beside it in the data directory, records.db: the
 * guest, of which the store knows the name and no more.
 *
 * Invariant: no descriptor of a database file that others may have open is opened but by SQLite,
 * because closing it drops the POSIX locks of this process.
 */
#ifndef SN_STORE_DB_FILE_H
#define SN_STORE_DB_FILE_H

#include "base/status.h"
#include "store/segment_write.h"

#include <sqlite3.h>

/* The status of a failed call, with a sentence: "cannot read sonde.db: disk I/O error".
 *   db    NULL: there is no connection
 *   name  of the file, for the sentence; here and below borrowed for the call */
sn_status sn_db_file_failure(sqlite3 *db, int code, const char *what, const char *name,
                             struct sn_err *err);

/* dir/name. SN_ERR_LIMIT: it is too long. */
sn_status sn_db_file_path(char ret_path[SN_PATH_BYTES_MAX], const char *dir, const char *name,
                          struct sn_err *err) SN_MUST_USE;

/*
 * Open a database file, with a busy timeout.
 *
 *   flags   of sqlite3_open_v2
 *   ret_db  written on SN_OK only; sqlite3_close it
 *
 * SN_ERR_CORRUPT, SN_ERR_IO, SN_ERR_NO_SPACE, SN_ERR_DENIED, SN_ERR_BUSY, SN_ERR_NO_MEMORY: these are
 * the statuses of reading, below as well. Blocks on disk.
 */
sn_status sn_db_file_open(const char *path, const char *name, int flags, sqlite3 **ret_db,
                          struct sn_err *err) SN_MUST_USE;

/*
 * Copy all pages of an open database to the new file dir/name, which is on disk afterwards. Others go on
 * reading and writing the database meanwhile; the copy is one moment of it.
 *
 * SN_ERR_EXISTS, SN_ERR_LIMIT (path), statuses of reading. A copy that failed is left behind.
 */
sn_status sn_db_file_copy(sqlite3 *db, const char *dir, const char *name,
                          struct sn_err *err) SN_MUST_USE;

/* SQLite's own check of all pages: each finding is a sentence. Statuses of reading. */
sn_status sn_db_file_check(sqlite3 *db, const char *name,
                           void (*found)(void *ctx, const char *what), void *ctx,
                           struct sn_err *err) SN_MUST_USE;

/* The same for the guest of the directory `from`, or `dir`; where there is none that is SN_OK. That it
 * is no database at all is a finding too. */
sn_status sn_db_file_copy_guest(const char *from, const char *dir, struct sn_err *err) SN_MUST_USE;
sn_status sn_db_file_check_guest(const char *dir, void (*found)(void *ctx, const char *what),
                                 void *ctx, struct sn_err *err) SN_MUST_USE;

#endif
