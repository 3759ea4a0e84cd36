/*
 * Which file of a data directory has the tables of this module: records, accounts and settings.
 *
 *   records.db is there                     that one
 *   else sonde.db has tables of ours        sonde.db: the directory is older than records.db
 *   else                                    records.db, which whoever opens it first makes
 *
 * Invariant: the answer for a directory never changes once one of these tables was made.
 */
#ifndef SN_RECORDS_RECORDS_DB_H
#define SN_RECORDS_RECORDS_DB_H

#include "base/status.h"

#define SN_RECORDS_DB_PATH_SIZE 4096

/*
 * Tell the path of the database file with the tables of this module. Makes no file.
 *
 *   dir       the data directory, borrowed for the call; need not exist
 *   ret_path  [SN_RECORDS_DB_PATH_SIZE]
 *
 * SN_ERR_LIMIT (path), SN_ERR_CORRUPT (sonde.db is no database), SN_ERR_IO, SN_ERR_DENIED,
 * SN_ERR_BUSY, SN_ERR_NO_MEMORY. Threads: any. Blocks on disk.
 * Cost: a stat; in a directory without records.db a connection to sonde.db.
 */
sn_status sn_records_db_path(const char *dir, char ret_path[SN_RECORDS_DB_PATH_SIZE],
                             struct sn_err *err) SN_MUST_USE;

#endif
