/*
 * The schema of the records in PostgreSQL, its history, and partitions. See postgres.h.
 */
#include "codec/timetext.h"
#include "records/pg_schema.h"
#include "records/postgres_priv.h"

#include <libpq-fe.h>
#include <stdio.h>

#define DAY_MS INT64_C(86400000)

/* ---- migrations: version n is what [0..n-1] have made; texts are never changed afterwards ---- */

/* json, not jsonb: it keeps any text that is JSON, as SQLite does. */
static const char version_1[] =
    "CREATE TABLE system_metrics(id uuid NOT NULL, \"timestamp\" timestamptz NOT NULL,"
    " metric_type text NOT NULL, name text NOT NULL, value double precision NOT NULL,"
    " unit text NOT NULL, metadata json, service text NOT NULL, description text NOT NULL,"
    " ok bigint, total bigint, PRIMARY KEY (id, \"timestamp\"))"
    " PARTITION BY RANGE (\"timestamp\");"
    "CREATE TABLE system_metrics_default PARTITION OF system_metrics DEFAULT;"
    "CREATE INDEX system_metrics_by_name ON system_metrics(name, \"timestamp\");"
    "CREATE INDEX system_metrics_by_time ON system_metrics USING brin(\"timestamp\");"
    "CREATE TABLE sonde_batch(id uuid PRIMARY KEY, at timestamptz NOT NULL DEFAULT now());"
    "CREATE TABLE app_event(n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " \"timestamp\" timestamptz NOT NULL, app text NOT NULL, type text NOT NULL,"
    " user_id text NOT NULL, outcome smallint NOT NULL, duration_ms double precision,"
    " quantity double precision NOT NULL, credits double precision NOT NULL, items bytea,"
    " error_class text, error_message text, error_type text, metadata json);"
    "CREATE INDEX app_event_by_app ON app_event(app, \"timestamp\");"
    "CREATE TABLE error_group(id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,"
    " app text NOT NULL, operation text NOT NULL, class text NOT NULL, message text NOT NULL,"
    " count bigint NOT NULL, first_seen timestamptz NOT NULL, last_seen timestamptz NOT NULL,"
    " sample text NOT NULL, sample_type text NOT NULL, reopened bigint NOT NULL,"
    " resolved timestamptz, UNIQUE(app, operation, class, message));"
    "CREATE TABLE error_user(id bigint NOT NULL REFERENCES error_group(id) ON DELETE CASCADE,"
    " user_id text NOT NULL, count bigint NOT NULL, PRIMARY KEY(id, user_id));"
    "CREATE TABLE usage_hour(app text NOT NULL, hour bigint NOT NULL, summary bytea NOT NULL,"
    " PRIMARY KEY(app, hour));"
    "CREATE TABLE usage_dirty(app text NOT NULL, hour bigint NOT NULL,"
    " touched timestamptz NOT NULL DEFAULT now(), PRIMARY KEY(app, hour));";

static const char *const migrations[] = {version_1};
static const struct sn_pg_schema schema = {"records", migrations,
                                           sizeof migrations / sizeof migrations[0]};

sn_status sn_postgres_ready(struct sn_postgres *postgres, struct sn_pg *pg, struct sn_err *err) {
    return sn_pg_schema_ready(&schema, pg, postgres->url, err);
}

/* ---- partitions ---- */

static void day_text(int64_t day, char ret_text[SN_TIME_TEXT_SIZE]) {
    sn_time_format(day * DAY_MS, ret_text);
    ret_text[10] = '\0';
}

/* Rows of that day that are in the default partition already keep it from being made: then the day
 * stays there, which is slower to read and nothing worse. */
static sn_status make_partition(struct sn_pg *pg, int64_t day, struct sn_err *err) {
    char from[SN_TIME_TEXT_SIZE], to[SN_TIME_TEXT_SIZE], sql[256];
    day_text(day, from);
    day_text(day + 1, to);
    (void)snprintf(sql, sizeof sql, /* texts of 10 bytes */
                   "CREATE TABLE IF NOT EXISTS \"system_metrics_%.4s%.2s%.2s\" PARTITION OF"
                   " system_metrics FOR VALUES FROM ('%s') TO ('%s')",
                   from, from + 5, from + 8, from, to);
    sn_status status = sn_pg_run(pg, sql, NULL, NULL, err);
    return status == SN_ERR_EXISTS ? SN_OK : status;
}

sn_status sn_postgres_make_partitions(struct sn_postgres *postgres, struct sn_err *err) {
    int64_t today = sn_clock_wall_ms(postgres->clock) / DAY_MS;
    int64_t until = today + SN_POSTGRES_PARTITIONS_AHEAD;
    int64_t from = postgres->partitions_until_day + 1;
    if (from < today)
        from = today;
    for (int64_t day = from; day <= until; day++)
        SN_TRY(make_partition(&postgres->writer, day, err));
    postgres->partitions_until_day = until;
    return SN_OK;
}

/* The name of a partition as day since 1970, or -1. */
static int64_t day_of(struct sn_str name) {
    static const char prefix[] = "system_metrics_";
    char text[32];
    int64_t time_ms;
    size_t len = sizeof prefix - 1;
    if (name.len != len + 8 || memcmp(name.ptr, prefix, len) != 0)
        return -1;
    const char *digits = name.ptr + len;
    int written =
        snprintf(text, sizeof text, "%.4s-%.2s-%.2sT00:00:00Z", digits, digits + 4, digits + 6);
    return sn_time_parse_ms(sn_str_make(text, (size_t)written), &time_ms, NULL) == SN_OK
               ? time_ms / DAY_MS
               : -1;
}

/* Whether the table is empty now, while nobody can write into it. */
static sn_status drop_if_empty(struct sn_pg *pg, struct sn_str name, struct sn_err *err) {
    char sql[512];
    (void)snprintf(sql, sizeof sql, /* a name of 23 bytes, digits at its end */
                   "DO $$ BEGIN LOCK TABLE \"%.*s\" IN ACCESS EXCLUSIVE MODE;"
                   " IF NOT EXISTS (SELECT 1 FROM \"%.*s\") THEN"
                   " DROP TABLE \"%.*s\"; END IF; END $$",
                   SN_STR_ARG(name), SN_STR_ARG(name), SN_STR_ARG(name));
    return sn_pg_run(pg, sql, NULL, NULL, err);
}

sn_status sn_postgres_drop_partitions(struct sn_postgres *postgres, int64_t before_ms,
                                      struct sn_err *err) {
    struct sn_pg_params none;
    PGresult *result = NULL;
    sn_pg_params_init(&none);
    sn_status status = sn_pg_run(&postgres->writer,
                                 "SELECT c.relname::text FROM pg_inherits i JOIN pg_class c"
                                 " ON c.oid = i.inhrelid WHERE i.inhparent ="
                                 " 'system_metrics'::regclass",
                                 &none, &result, err);
    sn_pg_params_release(&none);
    SN_TRY(status);
    for (int row = 0; row < PQntuples(result) && status == SN_OK; row++) {
        struct sn_str name = sn_pg_bytes(result, row, 0);
        int64_t day = day_of(name);
        if (day >= 0 && (day + 1) * DAY_MS <= before_ms)
            status = drop_if_empty(&postgres->writer, name, err);
    }
    PQclear(result);
    return status;
}
