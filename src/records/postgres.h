/*
 * Records in PostgreSQL 15 and later.
 *
 *   system_metrics          a plain table with the documented columns, one partition per day made
 *                           ahead, and a default one for everything else
 *   app_event, error_group, error_user, usage_hour, usage_dirty    as in SQLite
 *   sonde_batch             batches that are stored: one that comes twice is stored once
 *   sonde_schema_version    migrations that have run
 *
 * Rows go in by INSERT ... SELECT FROM unnest of binary arrays, come out as binary. Several servers
 * may share a database. Every wait has an end: SN_POSTGRES_TIMEOUT_MS for a statement.
 *
 * Ids are UUIDs of version 7 with the record's time and random bits: ordered by id is ordered by
 * time.
 */
#ifndef SN_RECORDS_POSTGRES_H
#define SN_RECORDS_POSTGRES_H

#include "base/clock.h"
#include "records/engine.h"

#define SN_POSTGRES_READERS 4
#define SN_POSTGRES_TIMEOUT_MS 15000
#define SN_POSTGRES_CONNECT_TIMEOUT_S 5
#define SN_POSTGRES_PARTITIONS_AHEAD 3 /* days */

struct sn_postgres_options {
    const char *url;              /* postgres://user:password@host:port/database?...; copied */
    const struct sn_clock *clock; /* kept; NULL: the system's */
};

/*
 * Prepare; the database need not be there: the first use connects and brings the schema up to date.
 * SN_ERR_INVALID (not a URL that libpq understands), SN_ERR_NO_MEMORY.
 */
sn_status sn_postgres_open(const struct sn_postgres_options *options, struct sn_engine *ret_engine,
                           struct sn_err *err) SN_MUST_USE;

#endif
