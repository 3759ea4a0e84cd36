/*
 * Tables of instant queries. See metric_table.h.
 */
#include "engine/metric_table.h"

#include <math.h>
#include <stdlib.h>

struct reading {
    const struct sn_ask *ask;
    const struct sn_metric_table_query *query;
    struct sn_metric_table *table;
    struct sn_row_index index;
};

/* The row of a series; NULL: beyond the limit. */
static sn_status find_row(struct reading *reading, struct sn_labels labels,
                          struct sn_metric_row **ret_row) {
    struct sn_metric_table *table = reading->table;
    struct sn_arena *arena = reading->ask->arena;
    struct sn_str first = sn_labels_get(labels, reading->query->keys[0]);
    struct sn_str second = sn_labels_get(labels, reading->query->keys[1]);
    size_t at = 0;
    const char *key = sn_arena_printf(arena, "%.*s\n%.*s", SN_STR_ARG(first), SN_STR_ARG(second));
    *ret_row = NULL;
    if (key == NULL)
        return sn_arena_failure(arena, first.len + second.len, reading->ask->err);
    if (sn_row_index_find(&reading->index, sn_str_from(key)) == SIZE_MAX &&
        table->count == SN_METRIC_TABLE_ROWS_MAX) {
        table->is_cut = true;
        return SN_OK;
    }
    if (sn_row_index_add(&reading->index, sn_str_from(key), &at) != SN_OK)
        return sn_err_set(reading->ask->err, SN_ERR_NO_MEMORY, "no memory for a table");
    *ret_row = &table->rows[at];
    if (at < table->count)
        return SN_OK;
    double *values = sn_arena_alloc_zero(arena, reading->query->column_count, sizeof *values);
    if (values == NULL)
        return sn_arena_failure(arena, reading->query->column_count, reading->ask->err);
    for (size_t i = 0; i < reading->query->column_count; i++)
        values[i] = (double)NAN;
    table->rows[at] = (struct sn_metric_row){{first, second}, values};
    table->count++;
    return SN_OK;
}

static sn_status read_column(struct reading *reading, size_t column) {
    struct sn_query_result result;
    SN_TRY(sn_ask_at(reading->ask, reading->query->now_ms, &result, "%s",
                     reading->query->columns[column].expression));
    for (size_t i = 0; i < result.series_count; i++) {
        struct sn_metric_row *row;
        SN_TRY(find_row(reading, result.series[i].labels, &row));
        if (row != NULL)
            row->values[column] = sn_ask_value(&result, i);
    }
    return SN_OK;
}

static int by_first_column(const void *left, const void *right) {
    const struct sn_metric_row *a = left, *b = right;
    double value_a = isnan(a->values[0]) ? -(double)INFINITY : a->values[0];
    double value_b = isnan(b->values[0]) ? -(double)INFINITY : b->values[0];
    if (value_a != value_b)
        return value_a < value_b ? 1 : -1;
    int order = sn_str_compare(a->keys[0], b->keys[0]);
    return order != 0 ? order : sn_str_compare(a->keys[1], b->keys[1]);
}

sn_status sn_metric_table_read(const struct sn_ask *ask, const struct sn_metric_table_query *query,
                               struct sn_metric_table *ret_table) {
    struct sn_metric_table table = {.count = 0};
    struct reading reading = {.ask = ask, .query = query, .table = &table};
    sn_status status = SN_OK;
    table.rows = sn_arena_alloc_zero(ask->arena, SN_METRIC_TABLE_ROWS_MAX, sizeof *table.rows);
    if (table.rows == NULL)
        return sn_arena_failure(ask->arena, sizeof *table.rows, ask->err);
    sn_row_index_init(&reading.index, SN_METRIC_TABLE_ROWS_MAX);
    for (size_t i = 0; i < query->column_count && status == SN_OK; i++)
        status = read_column(&reading, i);
    sn_row_index_release(&reading.index);
    if (status != SN_OK)
        return status;
    if (table.count > 0)
        qsort(table.rows, table.count, sizeof *table.rows, by_first_column);
    *ret_table = table;
    return SN_OK;
}
