/*
 * Events, summaries of hours and groups of errors in PostgreSQL. See postgres.h.
 *
 * An hour is marked after its events are inserted and in their transaction; who sums up an hour
 * locks its mark first. So either the summary sees the events, or the mark is there afterwards.
 */
#include "records/postgres_priv.h"

#include <libpq-fe.h>

/* ---- writing ---- */

typedef void (*add_column)(struct sn_pg_params *params, const struct sn_app_event *event);

static void add_optional(struct sn_pg_params *params, struct sn_str text) {
    if (text.len > 0)
        sn_pg_add_bytes(params, text);
    else
        sn_pg_add_null(params);
}

static void add_time(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_time(params, event->time_ms);
}
static void add_app(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_bytes(params, event->app);
}
static void add_type(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_bytes(params, event->type);
}
static void add_user_id(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_bytes(params, event->user_id);
}
static void add_outcome(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_int2(params, (int)event->outcome);
}
static void add_duration(struct sn_pg_params *params, const struct sn_app_event *event) {
    if (event->has_duration)
        sn_pg_add_double(params, event->duration_ms);
    else
        sn_pg_add_null(params);
}
static void add_quantity(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_double(params, event->quantity);
}
static void add_credits(struct sn_pg_params *params, const struct sn_app_event *event) {
    sn_pg_add_double(params, event->credits);
}
static void add_items(struct sn_pg_params *params, const struct sn_app_event *event) {
    struct sn_buf items;
    sn_buf_init(&items, 0);
    sn_app_event_items_encode(event->items, event->item_count, &items);
    add_optional(params, sn_buf_str(&items));
    if (items.status != SN_OK && params->buf.status == SN_OK)
        params->buf.status = items.status;
    sn_buf_release(&items);
}
static void add_class(struct sn_pg_params *params, const struct sn_app_event *event) {
    add_optional(params, event->error_class);
}
static void add_message(struct sn_pg_params *params, const struct sn_app_event *event) {
    add_optional(params, event->error_message);
}
static void add_error_type(struct sn_pg_params *params, const struct sn_app_event *event) {
    add_optional(params, event->error_type);
}
static void add_metadata(struct sn_pg_params *params, const struct sn_app_event *event) {
    add_optional(params, event->metadata);
}

static const struct {
    enum sn_pg_type element;
    enum sn_pg_type array;
    add_column add;
} columns[] = {
    {SN_PG_TIMESTAMPTZ, SN_PG_TIMESTAMPTZ_ARRAY, add_time},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_app},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_type},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_user_id},
    {SN_PG_INT2, SN_PG_INT2_ARRAY, add_outcome},
    {SN_PG_FLOAT8, SN_PG_FLOAT8_ARRAY, add_duration},
    {SN_PG_FLOAT8, SN_PG_FLOAT8_ARRAY, add_quantity},
    {SN_PG_FLOAT8, SN_PG_FLOAT8_ARRAY, add_credits},
    {SN_PG_BYTEA, SN_PG_BYTEA_ARRAY, add_items},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_class},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_message},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_error_type},
    {SN_PG_JSON, SN_PG_JSON_ARRAY, add_metadata},
};

static void put_column(struct sn_pg_params *params, size_t column,
                       struct sn_engine_write *const *writes, size_t count) {
    sn_pg_array_begin(params, columns[column].element, columns[column].array);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < writes[i]->event_count && writes[i]->status == SN_OK; j++)
            columns[column].add(params, &writes[i]->events[j]);
    sn_pg_array_end(params);
}

static sn_status insert_events(struct sn_pg *pg, struct sn_engine_write *const *writes,
                               size_t count, struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        put_column(&params, i, writes, count);
    sn_status status =
        sn_pg_run(pg,
                  "INSERT INTO app_event(\"timestamp\", app, type, user_id, outcome, duration_ms,"
                  " quantity, credits, items, error_class, error_message, error_type, metadata)"
                  " SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
                  &params, NULL, err);
    sn_pg_params_release(&params);
    return status;
}

static sn_status mark_hours(struct sn_pg *pg, struct sn_engine_write *const *writes, size_t count,
                            struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    put_column(&params, 1, writes, count);
    put_column(&params, 0, writes, count);
    /* In order, so that two servers do not lock the same hours crosswise. */
    sn_status status = sn_pg_run(
        pg,
        "INSERT INTO usage_dirty(app, hour) SELECT DISTINCT a, floor(extract(epoch FROM t) /"
        " 3600)::bigint AS h FROM unnest($1, $2) AS e(a, t) ORDER BY a, h"
        " ON CONFLICT (app, hour) DO UPDATE SET touched = now()",
        &params, NULL, err);
    sn_pg_params_release(&params);
    return status;
}

static sn_status add_error(struct sn_pg *pg, const struct sn_app_event *event, struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, event->app);
    sn_pg_put_text(&params, event->type);
    sn_pg_put_text(&params, event->error_class);
    sn_pg_put_text(&params, event->error_group);
    sn_pg_put_time(&params, event->time_ms);
    sn_pg_put_text(&params, event->error_message);
    sn_pg_put_text(&params, event->error_type);
    sn_pg_put_optional(&params, event->user_id);
    sn_status status = sn_pg_run(
        pg,
        "WITH g AS (INSERT INTO error_group AS e(app, operation, class, message, count,"
        " first_seen, last_seen, sample, sample_type, reopened)"
        " VALUES($1, $2, $3, $4, 1, $5, $5, $6, $7, 0)"
        " ON CONFLICT (app, operation, class, message) DO UPDATE SET count = e.count + 1,"
        " first_seen = least(e.first_seen, $5), last_seen = greatest(e.last_seen, $5),"
        " sample = CASE WHEN $5 >= e.last_seen THEN $6 ELSE e.sample END,"
        " sample_type = CASE WHEN $5 >= e.last_seen THEN $7 ELSE e.sample_type END,"
        " reopened = e.reopened + CASE WHEN $5 > e.resolved THEN 1 ELSE 0 END,"
        " resolved = CASE WHEN $5 > e.resolved THEN NULL ELSE e.resolved END RETURNING id)"
        " INSERT INTO error_user AS u SELECT id, $8::text, 1 FROM g WHERE $8::text IS NOT NULL"
        " ON CONFLICT (id, user_id) DO UPDATE SET count = u.count + 1",
        &params, NULL, err);
    sn_pg_params_release(&params);
    return status;
}

static sn_status add_errors(struct sn_pg *pg, struct sn_engine_write *const *writes, size_t count,
                            struct sn_err *err) {
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < writes[i]->event_count && writes[i]->status == SN_OK; j++)
            if (writes[i]->events[j].error_class.len > 0)
                SN_TRY(add_error(pg, &writes[i]->events[j], err));
    return SN_OK;
}

sn_status sn_postgres_add_events(struct sn_pg *pg, struct sn_engine_write *const *writes,
                                 size_t count, struct sn_err *err) {
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += writes[i]->status == SN_OK ? writes[i]->event_count : 0;
    if (rows == 0)
        return SN_OK;
    SN_TRY(insert_events(pg, writes, count, err));
    SN_TRY(mark_hours(pg, writes, count, err));
    return add_errors(pg, writes, count, err);
}

/* ---- summaries ---- */

static void put_hour(struct sn_pg_params *params, const struct sn_engine_usage *usage) {
    sn_pg_put_text(params, usage->app);
    sn_pg_put_int8(params, usage->hour);
}

static sn_status run_for_hour(struct sn_pg *pg, const char *sql,
                              const struct sn_engine_usage *usage, PGresult **ret_result,
                              struct sn_err *err) {
    struct sn_pg_params params;
    sn_pg_params_init(&params);
    put_hour(&params, usage);
    sn_status status = sn_pg_run(pg, sql, &params, ret_result, err);
    sn_pg_params_release(&params);
    return status;
}

sn_status sn_postgres_put_usage(struct sn_pg *pg, struct sn_engine_write *write,
                                struct sn_err *err) {
    const struct sn_engine_usage *usage = write->usage;
    struct sn_pg_params params;
    PGresult *result = NULL;
    SN_TRY(run_for_hour(pg, "SELECT 1 FROM usage_dirty WHERE app = $1 AND hour = $2 FOR UPDATE",
                        usage, NULL, err));
    SN_TRY(run_for_hour(pg,
                        "SELECT count(*) FROM app_event WHERE app = $1 AND"
                        " \"timestamp\" >= to_timestamp($2::bigint * 3600) AND"
                        " \"timestamp\" < to_timestamp(($2::bigint + 1) * 3600)",
                        usage, &result, err));
    uint64_t count = (uint64_t)sn_pg_int8(result, 0, 0);
    PQclear(result);
    if (count != usage->event_count) {
        write->status = sn_err_set(&write->err, SN_ERR_BUSY, "the hour has got other events");
        return SN_OK;
    }
    sn_pg_params_init(&params);
    put_hour(&params, usage);
    sn_pg_put_bytes(&params, usage->summary);
    sn_status status = sn_pg_run(pg,
                                 "INSERT INTO usage_hour VALUES($1, $2, $3) ON CONFLICT (app, hour)"
                                 " DO UPDATE SET summary = $3",
                                 &params, NULL, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    return run_for_hour(pg, "DELETE FROM usage_dirty WHERE app = $1 AND hour = $2", usage, NULL,
                        err);
}

sn_status sn_postgres_change_error(struct sn_pg *pg, struct sn_engine_write *write,
                                   struct sn_err *err) {
    const struct sn_engine_error_change *change = write->error_change;
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, change->id);
    if (change->is_resolved)
        sn_pg_put_time(&params, change->now_ms);
    sn_status status = sn_pg_run(
        pg,
        change->is_resolved
            ? "UPDATE error_group SET resolved = coalesce(resolved, $2) WHERE id = $1"
            : "UPDATE error_group SET reopened = reopened + CASE WHEN resolved IS NULL THEN 0 ELSE"
              " 1 END, resolved = NULL WHERE id = $1",
        &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    if (sn_postgres_changed(result) == 0)
        write->status = sn_err_set(&write->err, SN_ERR_NOT_FOUND, "there is no error group %lld",
                                   (long long)change->id);
    PQclear(result);
    return SN_OK;
}

/* Whole hours only, so that no hour without a summary is read from a part of its events. */
sn_status sn_postgres_purge_events(struct sn_pg *pg, const struct sn_engine_purge *purge,
                                   size_t *ret_count, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    int64_t hour = purge->before_ms / SN_HOUR_MS;
    sn_pg_params_init(&params);
    sn_pg_put_time(&params, hour * SN_HOUR_MS);
    sn_pg_put_int8(&params, hour);
    sn_pg_put_int8(&params, (int64_t)purge->row_max);
    sn_status status =
        sn_pg_run(pg,
                  "WITH d AS (DELETE FROM usage_dirty WHERE hour < $2),"
                  " g AS (DELETE FROM error_group WHERE last_seen < $1),"
                  " b AS (DELETE FROM sonde_batch WHERE at < now() - interval '30 days')"
                  " DELETE FROM app_event WHERE n IN"
                  " (SELECT n FROM app_event WHERE \"timestamp\" < $1 LIMIT $3)",
                  &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    *ret_count = sn_postgres_changed(result);
    PQclear(result);
    return SN_OK;
}

/* ---- reading ---- */

struct scan {
    struct sn_str app;
    struct sn_arena arena; /* items of the event that is seen */
    const struct sn_app_event_visitor *visitor;
};

static sn_status visit_event(void *ctx, const PGresult *result, int row, struct sn_err *err) {
    struct scan *scan = ctx;
    int outcome = sn_pg_int2(result, row, 3);
    struct sn_app_event event = {
        .app = scan->app,
        .time_ms = sn_pg_time(result, row, 0),
        .type = sn_pg_bytes(result, row, 1),
        .user_id = sn_pg_bytes(result, row, 2),
        .outcome = outcome >= SN_OUTCOME_OK && outcome <= SN_OUTCOME_ABORTED
                       ? (enum sn_outcome)outcome
                       : SN_OUTCOME_ABORTED,
        .has_duration = PQgetisnull(result, row, 4) == 0,
        .duration_ms = sn_pg_double(result, row, 4),
        .quantity = sn_pg_double(result, row, 5),
        .credits = sn_pg_double(result, row, 6),
        .error_class = sn_pg_bytes(result, row, 8),
        .error_message = sn_pg_bytes(result, row, 9),
        .error_type = sn_pg_bytes(result, row, 10),
    };
    sn_arena_reset(&scan->arena);
    SN_TRY(sn_app_event_items_decode(sn_pg_bytes(result, row, 7), &scan->arena, &event.items,
                                     &event.item_count, err));
    return scan->visitor->visit(scan->visitor->ctx, &event, err);
}

sn_status sn_postgres_scan_events(struct sn_pg *pg, struct sn_str app, struct sn_range_ms range,
                                  const struct sn_app_event_visitor *visitor, struct sn_err *err) {
    struct sn_pg_params params;
    struct scan scan = {.app = app, .visitor = visitor};
    const struct sn_pg_visitor rows = {.ctx = &scan, .row = visit_event};
    sn_arena_init(&scan.arena, 0);
    sn_pg_params_init(&params);
    sn_pg_put_text(&params, app);
    sn_pg_put_time(&params, range.start_ms);
    sn_pg_put_time(&params, range.end_ms);
    sn_status status = sn_pg_scan(
        pg,
        "SELECT \"timestamp\", type, user_id, outcome, duration_ms, quantity, credits, items,"
        " error_class, error_message, error_type FROM app_event"
        " WHERE app = $1 AND \"timestamp\" >= $2 AND \"timestamp\" < $3",
        &params, &rows, err);
    sn_pg_params_release(&params);
    sn_arena_release(&scan.arena);
    return status;
}

static sn_status visit_hour(void *ctx, const PGresult *result, int row, struct sn_err *err) {
    const struct sn_usage_visitor *visitor = ctx;
    struct sn_str summary =
        PQgetisnull(result, row, 2) == 0 ? sn_pg_bytes(result, row, 2) : (struct sn_str){NULL, 0};
    return visitor->visit(visitor->ctx, sn_pg_bytes(result, row, 0), sn_pg_int8(result, row, 1),
                          summary, err);
}

sn_status sn_postgres_scan_usage(struct sn_pg *pg, struct sn_str app, struct sn_range_ms range,
                                 const struct sn_usage_visitor *visitor, struct sn_err *err) {
    struct sn_pg_params params;
    struct sn_usage_visitor copy = *visitor;
    const struct sn_pg_visitor rows = {.ctx = &copy, .row = visit_hour};
    sn_pg_params_init(&params);
    sn_pg_put_optional(&params, app);
    sn_pg_put_int8(&params, range.start_ms / SN_HOUR_MS);
    sn_pg_put_int8(&params, (range.end_ms + SN_HOUR_MS - 1) / SN_HOUR_MS);
    sn_status status =
        sn_pg_scan(pg,
                   "SELECT d.app, d.hour, NULL::bytea FROM usage_dirty d"
                   " WHERE ($1::text IS NULL OR d.app = $1) AND d.hour >= $2 AND d.hour < $3"
                   " UNION ALL SELECT u.app, u.hour, u.summary FROM usage_hour u"
                   " WHERE u.app = $1 AND u.hour >= $2 AND u.hour < $3 AND NOT EXISTS"
                   " (SELECT 1 FROM usage_dirty d WHERE d.app = u.app AND d.hour = u.hour)",
                   &params, &rows, err);
    sn_pg_params_release(&params);
    return status;
}

static sn_status read_group(const PGresult *result, int row, struct sn_arena *arena,
                            struct sn_error_group *group, struct sn_err *err) {
    *group = (struct sn_error_group){
        .id = sn_pg_int8(result, row, 0),
        .count = (uint64_t)sn_pg_int8(result, row, 7),
        .user_count = (uint64_t)sn_pg_int8(result, row, 8),
        .reopened_count = (uint64_t)sn_pg_int8(result, row, 9),
        .first_ms = sn_pg_time(result, row, 10),
        .last_ms = sn_pg_time(result, row, 11),
        .resolved_ms = PQgetisnull(result, row, 12) == 0 ? sn_pg_time(result, row, 12) : 0,
    };
    struct sn_str *const texts[] = {&group->app,     &group->operation, &group->error_class,
                                    &group->message, &group->sample,    &group->sample_type};
    for (int i = 0; i < 6; i++) {
        struct sn_str text = sn_pg_bytes(result, row, 1 + i);
        if (!sn_arena_copy(arena, text, texts[i]))
            return sn_arena_failure(arena, text.len, err);
    }
    return SN_OK;
}

static sn_status read_groups(const PGresult *result, struct sn_arena *arena,
                             struct sn_error_list *ret_list, struct sn_err *err) {
    struct sn_error_list list = {.count = (size_t)PQntuples(result)};
    list.items = sn_arena_alloc_zero(arena, list.count, sizeof *list.items);
    if (list.items == NULL)
        return sn_arena_failure(arena, list.count * sizeof *list.items, err);
    for (size_t i = 0; i < list.count; i++)
        SN_TRY(read_group(result, (int)i, arena, &list.items[i], err));
    *ret_list = list;
    return SN_OK;
}

sn_status sn_postgres_list_errors(struct sn_pg *pg, const struct sn_error_filter *filter,
                                  struct sn_arena *arena, struct sn_error_list *ret_list,
                                  struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_optional(&params, filter->app);
    sn_pg_put_optional(&params, filter->error_class);
    sn_pg_put_int8(&params, (int64_t)filter->state);
    sn_pg_put_int8(&params, filter->id);
    sn_pg_put_int8(&params, (int64_t)filter->limit);
    sn_status status = sn_pg_run(
        pg,
        "SELECT g.id, g.app, g.operation, g.class, g.message, g.sample, g.sample_type, g.count,"
        " (SELECT count(*) FROM error_user u WHERE u.id = g.id), g.reopened, g.first_seen,"
        " g.last_seen, g.resolved FROM error_group g WHERE ($1::text IS NULL OR g.app = $1)"
        " AND ($2::text IS NULL OR g.class = $2) AND ($3 = 0 OR (g.resolved IS NULL) = ($3 = 1))"
        " AND ($4 = 0 OR g.id = $4) ORDER BY g.last_seen DESC, g.id DESC LIMIT $5",
        &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    status = read_groups(result, arena, ret_list, err);
    PQclear(result);
    return status;
}
