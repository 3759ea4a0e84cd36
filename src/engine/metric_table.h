/*
 * A table made of instant queries: one row per label set of the answers, one column per query.
 */
#ifndef SN_ENGINE_METRIC_TABLE_H
#define SN_ENGINE_METRIC_TABLE_H

#include "engine/ask.h"

#define SN_METRIC_TABLE_ROWS_MAX 1000 /* of a table that a person reads */
#define SN_METRIC_TABLE_KEYS_MAX 2

struct sn_metric_column {
    const char *member;     /* its name in JSON */
    const char *expression; /* its series have the labels of the keys */
};

/* Which table. */
struct sn_metric_table_query {
    const struct sn_metric_column *columns; /* [column_count] */
    size_t column_count;
    struct sn_str keys[SN_METRIC_TABLE_KEYS_MAX]; /* names of labels; the second may be empty */
    int64_t now_ms;
};

struct sn_metric_row {
    struct sn_str keys[SN_METRIC_TABLE_KEYS_MAX]; /* values of the labels */
    double *values;                               /* [column_count]; NaN: not known */
};

struct sn_metric_table {
    struct sn_metric_row *rows; /* [count], by the first column, largest first, then by keys */
    size_t count;
    bool is_cut; /* there were more */
};

/* The table lies in ask->arena. SN_ERR_NO_MEMORY, SN_ERR_LIMIT, and the statuses of the querier. */
sn_status sn_metric_table_read(const struct sn_ask *ask, const struct sn_metric_table_query *query,
                               struct sn_metric_table *ret_table) SN_MUST_USE;

#endif
