/*
 * Migrations in PostgreSQL. See pg_schema.h.
 */
#include "records/pg_schema.h"

#include <libpq-fe.h>

static sn_status read_version(const struct sn_pg_schema *schema, struct sn_pg *pg,
                              int64_t *ret_version, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, sn_str_from(schema->subject));
    sn_status status =
        sn_pg_run(pg, "SELECT version::bigint FROM sonde_schema_version WHERE subject = $1",
                  &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    *ret_version = sn_pg_take_number(result);
    return SN_OK;
}

static sn_status put_version(const struct sn_pg_schema *schema, struct sn_pg *pg,
                             struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, sn_str_from(schema->subject));
    sn_pg_put_int8(&params, schema->count);
    sn_status status = sn_pg_run(pg,
                                 "INSERT INTO sonde_schema_version VALUES($1, $2)"
                                 " ON CONFLICT (subject) DO UPDATE SET version = $2",
                                 &params, NULL, err);
    sn_pg_params_release(&params);
    return status;
}

struct migration {
    const struct sn_pg_schema *schema;
};

/* In a transaction. The lock: servers that start together take turns. */
static sn_status migrate(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct migration *migration = args;
    const struct sn_pg_schema *schema = migration->schema;
    int64_t version = 0;
    SN_TRY(sn_pg_run(pg,
                     "SELECT pg_advisory_xact_lock(5990437);"
                     "CREATE TABLE IF NOT EXISTS sonde_schema_version("
                     "subject text PRIMARY KEY, version bigint NOT NULL)",
                     NULL, NULL, err));
    SN_TRY(read_version(schema, pg, &version, err));
    if (version > schema->count)
        return sn_err_set(err, SN_ERR_UNSUPPORTED,
                          "the %s in the database have version %lld, this program knows up "
                          "to %lld: use a newer sonde",
                          schema->subject, (long long)version, (long long)schema->count);
    for (int64_t i = version; i < schema->count; i++)
        SN_TRY(sn_pg_run(pg, schema->migrations[i], NULL, NULL, err));
    return version < schema->count ? put_version(schema, pg, err) : SN_OK;
}

sn_status sn_pg_schema_ready(const struct sn_pg_schema *schema, struct sn_pg *pg, const char *url,
                             struct sn_err *err) {
    struct migration migration = {schema};
    int64_t version = 0;
    if (pg->conn != NULL && sn_pg_is_stale(pg))
        sn_pg_disconnect(pg);
    if (pg->conn == NULL)
        SN_TRY(sn_pg_connect(pg, url, err));
    if (pg->is_ready)
        return SN_OK;
    sn_status status = read_version(schema, pg, &version, err);
    if (status == SN_ERR_UNSUPPORTED || (status == SN_OK && version != schema->count))
        status =
            sn_pg_transaction(pg, migrate, &migration, err); /* unsupported: no such table yet */
    pg->is_ready = status == SN_OK;
    return status;
}
