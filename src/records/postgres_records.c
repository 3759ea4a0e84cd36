/*
 * Records in PostgreSQL. See postgres.h.
 */
#include "records/postgres_priv.h"

#include <libpq-fe.h>
#include <stdlib.h>

size_t sn_postgres_changed(const PGresult *result) {
    /* libpq does not change the result, its declaration only says so since version 16. */
    PGresult *writable = (PGresult *)(uintptr_t)result;
    return (size_t)strtoull(PQcmdTuples(writable), NULL, 10); /* "" is 0 */
}

/* ---- writing ---- */

/* One column of all records of all writes. */
struct column {
    enum sn_pg_type element;
    enum sn_pg_type array;
    void (*add)(struct sn_pg_params *params, const struct sn_record *record);
};

static void add_id(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_id(params, &record->id);
}
static void add_time(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_time(params, record->time_ms);
}
static void add_type(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_bytes(params, record->metric_type);
}
static void add_name(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_bytes(params, record->name);
}
static void add_value(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_double(params, record->value);
}
static void add_unit(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_bytes(params, record->unit);
}
static void add_metadata(struct sn_pg_params *params, const struct sn_record *record) {
    if (record->metadata.len > 0)
        sn_pg_add_bytes(params, record->metadata);
    else
        sn_pg_add_null(params);
}
static void add_service(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_bytes(params, record->service);
}
static void add_description(struct sn_pg_params *params, const struct sn_record *record) {
    sn_pg_add_bytes(params, record->description);
}
static void add_ok(struct sn_pg_params *params, const struct sn_record *record) {
    if (record->has_counts)
        sn_pg_add_int8(params, record->ok_count);
    else
        sn_pg_add_null(params);
}
static void add_total(struct sn_pg_params *params, const struct sn_record *record) {
    if (record->has_counts)
        sn_pg_add_int8(params, record->total_count);
    else
        sn_pg_add_null(params);
}

static const struct column columns[] = {
    {SN_PG_UUID, SN_PG_UUID_ARRAY, add_id},
    {SN_PG_TIMESTAMPTZ, SN_PG_TIMESTAMPTZ_ARRAY, add_time},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_type},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_name},
    {SN_PG_FLOAT8, SN_PG_FLOAT8_ARRAY, add_value},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_unit},
    {SN_PG_JSON, SN_PG_JSON_ARRAY, add_metadata},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_service},
    {SN_PG_TEXT, SN_PG_TEXT_ARRAY, add_description},
    {SN_PG_INT8, SN_PG_INT8_ARRAY, add_ok},
    {SN_PG_INT8, SN_PG_INT8_ARRAY, add_total},
};

static void put_column(struct sn_pg_params *params, const struct column *column,
                       struct sn_engine_write *const *writes, size_t count) {
    sn_pg_array_begin(params, column->element, column->array);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < writes[i]->record_count && writes[i]->status == SN_OK; j++)
            column->add(params, &writes[i]->records[j]);
    sn_pg_array_end(params);
}

sn_status sn_postgres_add_records(struct sn_pg *pg, struct sn_engine_write *const *writes,
                                  size_t count, struct sn_err *err) {
    struct sn_pg_params params;
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        rows += writes[i]->status == SN_OK ? writes[i]->record_count : 0;
    if (rows == 0)
        return SN_OK;
    sn_pg_params_init(&params);
    for (size_t i = 0; i < sizeof columns / sizeof columns[0]; i++)
        put_column(&params, &columns[i], writes, count);
    sn_status status =
        sn_pg_run(pg,
                  "INSERT INTO system_metrics(id, \"timestamp\", metric_type, name, value, unit,"
                  " metadata, service, description, ok, total) SELECT * FROM unnest($1, $2, $3, $4,"
                  " $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING",
                  &params, NULL, err);
    sn_pg_params_release(&params);
    return status;
}

/* ---- reading ---- */

#define COLUMNS                                                                                    \
    "id, \"timestamp\", metric_type, name, value, unit, metadata, service, description, ok, total"
#define FILTER                                                                                     \
    " FROM system_metrics WHERE ($1::text IS NULL OR metric_type = $1)"                            \
    " AND ($2::text IS NULL OR name = $2) AND ($3::text IS NULL OR service = $3)"                  \
    " AND \"timestamp\" >= $4 AND \"timestamp\" <= $5"

static void put_filter(struct sn_pg_params *params, const struct sn_record_filter *filter) {
    sn_pg_put_optional(params, filter->metric_type);
    sn_pg_put_optional(params, filter->name);
    sn_pg_put_optional(params, filter->service);
    sn_pg_put_time(params, filter->start_ms);
    sn_pg_put_time(params, filter->end_ms);
}

static sn_status read_row(const PGresult *result, int row, struct sn_arena *arena,
                          struct sn_record *record, struct sn_err *err) {
    *record = (struct sn_record){
        .id = sn_pg_id(result, row, 0),
        .time_ms = sn_pg_time(result, row, 1),
        .value = sn_pg_double(result, row, 4),
        .has_counts = PQgetisnull(result, row, 10) == 0,
        .ok_count = sn_pg_int8(result, row, 9),
        .total_count = sn_pg_int8(result, row, 10),
    };
    const struct {
        int column;
        struct sn_str *text;
    } texts[] = {{2, &record->metric_type}, {3, &record->name},    {5, &record->unit},
                 {6, &record->metadata},    {7, &record->service}, {8, &record->description}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct sn_str text = sn_pg_bytes(result, row, texts[i].column);
        if (!sn_arena_copy(arena, text, texts[i].text))
            return sn_arena_failure(arena, text.len, err);
    }
    return SN_OK;
}

static sn_status read_rows(const PGresult *result, size_t limit, struct sn_arena *arena,
                           struct sn_record_list *ret_list, struct sn_err *err) {
    size_t count = (size_t)PQntuples(result);
    struct sn_record_list list = {.has_more = count > limit,
                                  .count = count > limit ? limit : count};
    list.items = sn_arena_alloc_zero(arena, list.count, sizeof *list.items);
    if (list.items == NULL)
        return sn_arena_failure(arena, list.count * sizeof *list.items, err);
    for (size_t i = 0; i < list.count; i++)
        SN_TRY(read_row(result, (int)i, arena, &list.items[i], err));
    *ret_list = list;
    return SN_OK;
}

/* The order of ids is that of times, because an id begins with its time. With a name the index of
 * names gives the order, without one that of ids. */
sn_status sn_postgres_list(struct sn_pg *pg, const struct sn_record_page *page,
                           struct sn_arena *arena, struct sn_record_list *ret_list,
                           struct sn_err *err) {
    struct sn_pg_params params;
    struct sn_record_filter filter = page->filter;
    struct sn_record_id before;
    PGresult *result = NULL;
    memset(before.bytes, 0xff, sizeof before.bytes);
    if (page->has_cursor) {
        before = page->cursor;
        if (sn_record_id_time_ms(&before) < filter.end_ms)
            filter.end_ms = sn_record_id_time_ms(&before);
    }
    sn_pg_params_init(&params);
    put_filter(&params, &filter);
    sn_pg_put_id(&params, &before);
    sn_pg_put_int8(&params, (int64_t)page->limit + 1);
    sn_status status = sn_pg_run(
        pg,
        filter.name.len > 0 ? "SELECT " COLUMNS FILTER
                              " AND id < $6 ORDER BY \"timestamp\" DESC, id DESC LIMIT $7"
                            : "SELECT " COLUMNS FILTER " AND id < $6 ORDER BY id DESC LIMIT $7",
        &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    status = read_rows(result, page->limit, arena, ret_list, err);
    PQclear(result);
    return status;
}

sn_status sn_postgres_get(struct sn_pg *pg, const struct sn_record_id *id, struct sn_arena *arena,
                          struct sn_record *ret_record, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_id(&params, id);
    sn_pg_put_time(&params, sn_record_id_time_ms(id));
    sn_status status =
        sn_pg_run(pg, "SELECT " COLUMNS " FROM system_metrics WHERE id = $1 AND \"timestamp\" = $2",
                  &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    status = PQntuples(result) > 0
                 ? read_row(result, 0, arena, ret_record, err)
                 : sn_err_set(err, SN_ERR_NOT_FOUND, "there is no record of this id");
    PQclear(result);
    return status;
}

static sn_status visit_row(void *ctx, const PGresult *result, int row, struct sn_err *err) {
    const struct sn_record_visitor *visitor = ctx;
    const struct sn_record record = {
        .time_ms = sn_pg_time(result, row, 0),
        .value = sn_pg_double(result, row, 1),
        .has_counts = PQgetisnull(result, row, 3) == 0,
        .ok_count = sn_pg_int8(result, row, 2),
        .total_count = sn_pg_int8(result, row, 3),
    };
    return visitor->visit(visitor->ctx, &record, err);
}

sn_status sn_postgres_scan(struct sn_pg *pg, const struct sn_record_filter *filter,
                           const struct sn_record_visitor *visitor, struct sn_err *err) {
    struct sn_pg_params params;
    struct sn_record_visitor copy = *visitor;
    const struct sn_pg_visitor rows = {.ctx = &copy, .row = visit_row};
    sn_pg_params_init(&params);
    put_filter(&params, filter);
    sn_status status =
        sn_pg_scan(pg, "SELECT \"timestamp\", value, ok, total" FILTER, &params, &rows, err);
    sn_pg_params_release(&params);
    return status;
}

/* ---- deleting ---- */

sn_status sn_postgres_purge_records(struct sn_pg *pg, const struct sn_engine_purge *purge,
                                    size_t *ret_count, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_time(&params, purge->before_ms);
    sn_pg_put_optional(&params, purge->metric_type);
    sn_pg_array_begin(&params, SN_PG_TEXT, SN_PG_TEXT_ARRAY);
    for (size_t i = 0; i < purge->except_count; i++)
        sn_pg_add_bytes(&params, purge->excepts[i]);
    sn_pg_array_end(&params);
    sn_pg_put_int8(&params, (int64_t)purge->row_max);
    sn_status status = sn_pg_run(
        pg,
        "DELETE FROM system_metrics WHERE (id, \"timestamp\") IN (SELECT id, \"timestamp\""
        " FROM system_metrics WHERE \"timestamp\" < $1 AND ($2::text IS NULL OR metric_type = $2)"
        " AND metric_type <> ALL($3) LIMIT $4)",
        &params, &result, err);
    sn_pg_params_release(&params);
    SN_TRY(status);
    *ret_count = sn_postgres_changed(result);
    PQclear(result);
    return SN_OK;
}
