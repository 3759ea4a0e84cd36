/*
 * Records in SQLite: tables of their own in the file that records_db.h names, beside those of
 * accounts and settings.
 *
 *   records_meta(key, value)             version of the schema, secrets of the ids
 *   record_dim(k, metric_type, name, service, unit, description)   one row per kind of record
 *   record(n, ts, k, value, meta, description, ok, total)          one row per record
 *   event(n, ts, app, ...)               one row per event
 *   error_group, error_user              errors by class and normalised message; per user
 *   usage_hour(app, hour, summary)       an hour of events, summed up
 *   usage_dirty(app, hour)               hours that have no summary, or an old one
 *   system_metrics                       a view with plain columns, for people with a SQL client
 *
 * Invariants:
 *   1. A row number is never used twice: ids stay unique when records are deleted.
 *   2. One connection writes (one thread at a time), SN_LITE_READERS read.
 *   3. Text reaches SQL by binding only.
 */
#ifndef SN_RECORDS_LITE_H
#define SN_RECORDS_LITE_H

#include "records/engine.h"

#define SN_LITE_READERS 4
/* Kinds of records; the writer keeps them all in memory, some 300 bytes each. */
#define SN_LITE_DIMENSIONS_MAX 50000
/* Groups of errors; the message of further ones is "__other__". */
#define SN_LITE_ERROR_GROUPS_MAX 20000
/* A read that takes longer is given up. */
#define SN_LITE_READ_TIMEOUT_MS 10000

struct sn_lite_options {     /* zero means the default */
    const char *dir;         /* exists; borrowed for the call */
    size_t dimensions_max;   /* 0: SN_LITE_DIMENSIONS_MAX */
    int64_t read_timeout_ms; /* 0: SN_LITE_READ_TIMEOUT_MS */
};

/*
 * Open or create the tables, bringing older ones up to date.
 *
 * Returns SN_OK, SN_ERR_UNSUPPORTED (written by a newer sonde), SN_ERR_CORRUPT, SN_ERR_IO,
 * SN_ERR_NO_SPACE, SN_ERR_DENIED, SN_ERR_BUSY, SN_ERR_NO_MEMORY, SN_ERR_LIMIT (path).
 * Blocks on disk.
 */
sn_status sn_lite_open(const struct sn_lite_options *options, struct sn_engine *ret_engine,
                       struct sn_err *err) SN_MUST_USE;

#endif
