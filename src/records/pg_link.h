/*
 * A connection to PostgreSQL that its owner's threads use in turns: it connects by itself, also again,
 * with the tables of one subject up to date. While the database is away, one thread in a while finds
 * that out and the others are told at once.
 *
 * One thread at a time (the owner's lock). A use blocks at most for one connection attempt
 * (SN_POSTGRES_CONNECT_TIMEOUT_S for each address) and a statement's SN_POSTGRES_TIMEOUT_MS each.
 *
 * Statuses of all functions: those of sn_pg_schema_ready and sn_pg_run.
 */
#ifndef SN_RECORDS_PG_LINK_H
#define SN_RECORDS_PG_LINK_H

#include "records/pg_schema.h"

/* After an attempt that failed the database is left alone so long: many who wait for a slow failure
 * get the same answer. */
#define SN_PG_LINK_RETRY_MS 1000

struct sn_pg_link {
    struct sn_pg pg;
    char *url; /* owned; holds a password: never in a message */
    const struct sn_pg_schema *schema;
    int64_t retry_ns;   /* monotonic: no attempt before */
    struct sn_err away; /* why the last attempt failed */
};

/* Prepare; nothing is connected. url is copied, schema is kept. SN_ERR_INVALID (not a URL that libpq
 * understands), SN_ERR_NO_MEMORY. */
sn_status sn_pg_link_open(struct sn_pg_link *link, const char *url,
                          const struct sn_pg_schema *schema, struct sn_err *err) SN_MUST_USE;
void sn_pg_link_close(struct sn_pg_link *link); /* zeroed memory is fine */

/* Connected, with the tables up to date. */
sn_status sn_pg_link_ready(struct sn_pg_link *link, struct sn_err *err) SN_MUST_USE;

/* One statement that only reads: tried once more when the connection breaks. As sn_pg_run. */
sn_status sn_pg_link_read(struct sn_pg_link *link, const char *sql,
                          const struct sn_pg_params *params, struct pg_result **ret_result,
                          struct sn_err *err) SN_MUST_USE;

/* As sn_pg_transaction. */
sn_status sn_pg_link_change(struct sn_pg_link *link,
                            sn_status (*work)(void *args, struct sn_pg *pg, struct sn_err *err),
                            void *args, struct sn_err *err) SN_MUST_USE;

#endif
