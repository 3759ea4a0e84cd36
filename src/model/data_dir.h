/*
 * Names of the database files of a data directory: modules that know nothing of each other open,
 * copy and check them.
 */
#ifndef SN_MODEL_DATA_DIR_H
#define SN_MODEL_DATA_DIR_H

/* The store's catalogue. A directory without it holds no data. */
#define SN_STORE_DB_NAME "sonde.db"

/* Records, accounts and settings. Older directories have these in sonde.db and no such file. */
#define SN_RECORDS_DB_NAME "records.db"

#endif
