/*
 * Tables in PostgreSQL and their history: versioned migrations that run by themselves at the first
 * use of a connection. Servers that start together take turns.
 *
 * Versions stand in the table sonde_schema_version(subject, version), one row per subject.
 */
#ifndef SN_RECORDS_PG_SCHEMA_H
#define SN_RECORDS_PG_SCHEMA_H

#include "records/pg.h"

struct sn_pg_schema {
    const char *subject;           /* "accounts": whose tables */
    const char *const *migrations; /* [count] version n is what [0..n-1] have made; those that were
                                      released never change */
    int64_t count;
};

/*
 * Connect when need be, also when the server has ended the connection, and bring the tables up to
 * date once per connection. One thread at a time for a connection.
 *
 * SN_ERR_UNSUPPORTED (a newer version made them), statuses of sn_pg_connect and sn_pg_run. Blocks as
 * those do; nothing is sent on a connection that is ready.
 */
sn_status sn_pg_schema_ready(const struct sn_pg_schema *schema, struct sn_pg *pg, const char *url,
                             struct sn_err *err) SN_MUST_USE;

#endif
