/*
 * What the files of the PostgreSQL engine share.
 */
#ifndef SN_RECORDS_POSTGRES_PRIV_H
#define SN_RECORDS_POSTGRES_PRIV_H

#include "base/lock.h"
#include "base/rng.h"
#include "records/pg.h"
#include "records/postgres.h"
#include "records/record_id.h"

struct sn_postgres {
    char *url; /* owned; holds a password: never in a message */
    const struct sn_clock *clock;
    /* The records writer's. */
    struct sn_pg writer;
    struct sn_rng rng;
    int64_t partitions_until_day; /* partitions exist up to this day since 1970 */
    /* Guarded by mu. */
    struct sn_mutex mu;
    struct sn_cond is_free;
    struct sn_pg readers[SN_POSTGRES_READERS];
};

/* ---- postgres_schema.c ---- */

/* Connect when need be, and bring the schema up to date once per connection. Statuses of
 * sn_pg_connect and sn_pg_run. */
sn_status sn_postgres_ready(struct sn_postgres *postgres, struct sn_pg *pg,
                            struct sn_err *err) SN_MUST_USE;
/* Make the partitions of today and the days to come. By the writer. */
sn_status sn_postgres_make_partitions(struct sn_postgres *postgres, struct sn_err *err) SN_MUST_USE;
/* Drop partitions of days before `before_ms` that have no row any more. By the writer. */
sn_status sn_postgres_drop_partitions(struct sn_postgres *postgres, int64_t before_ms,
                                      struct sn_err *err) SN_MUST_USE;

/* ---- postgres_records.c ---- */

/* Inside a transaction of the writer: rows of all writes whose status is SN_OK. */
sn_status sn_postgres_add_records(struct sn_pg *pg, struct sn_engine_write *const *writes,
                                  size_t count, struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_list(struct sn_pg *pg, const struct sn_record_page *page,
                           struct sn_arena *arena, struct sn_record_list *ret_list,
                           struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_get(struct sn_pg *pg, const struct sn_record_id *id, struct sn_arena *arena,
                          struct sn_record *ret_record, struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_scan(struct sn_pg *pg, const struct sn_record_filter *filter,
                           const struct sn_record_visitor *visitor, struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_purge_records(struct sn_pg *pg, const struct sn_engine_purge *purge,
                                    size_t *ret_count, struct sn_err *err) SN_MUST_USE;

/* ---- postgres_events.c ---- */

sn_status sn_postgres_add_events(struct sn_pg *pg, struct sn_engine_write *const *writes,
                                 size_t count, struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_put_usage(struct sn_pg *pg, struct sn_engine_write *write,
                                struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_change_error(struct sn_pg *pg, struct sn_engine_write *write,
                                   struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_purge_events(struct sn_pg *pg, const struct sn_engine_purge *purge,
                                   size_t *ret_count, struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_scan_events(struct sn_pg *pg, struct sn_str app, struct sn_range_ms range,
                                  const struct sn_app_event_visitor *visitor,
                                  struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_scan_usage(struct sn_pg *pg, struct sn_str app, struct sn_range_ms range,
                                 const struct sn_usage_visitor *visitor,
                                 struct sn_err *err) SN_MUST_USE;
sn_status sn_postgres_list_errors(struct sn_pg *pg, const struct sn_error_filter *filter,
                                  struct sn_arena *arena, struct sn_error_list *ret_list,
                                  struct sn_err *err) SN_MUST_USE;

/* Rows that the last statement changed. */
size_t sn_postgres_changed(const struct pg_result *result);

#endif
