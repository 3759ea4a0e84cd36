/* Results as tables. See query_text.h. */
#include "app/query_text.h"

#include "base/clock.h"
#include "base/mem.h"
#include "codec/json_read.h"
#include "model/labels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* --- Reading -------------------------------------------------------------------------------- */

struct column {
    struct sn_str name;
    size_t width; /* in characters */
};

struct row {
    const struct sn_str *cells; /* by column; may be shorter than the table is wide */
    size_t cell_count;
    struct sn_str time; /* ptr NULL: not of a range */
    struct sn_str value;
};

struct table {
    struct sn_json_reader json;
    struct sn_arena texts; /* of the reader */
    struct sn_arena arena;
    struct column columns[SN_QUERY_LABELS_MAX];
    size_t column_count;
    struct row *rows;
    size_t row_count, row_capacity;
    struct sn_str plain; /* a scalar or a string */
    bool is_plain;
    sn_status status;
};

static void fail(struct table *table, sn_status status) {
    if (table->status == SN_OK)
        table->status = status;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

/* The column of a label; it is added at the end if it is new. NULL: no room. */
static struct column *find_column(struct table *table, struct sn_str name) {
    for (size_t i = 0; i < table->column_count; i++)
        if (sn_str_equal(table->columns[i].name, name))
            return &table->columns[i];
    if (table->column_count == SN_QUERY_LABELS_MAX) {
        fail(table, SN_ERR_LIMIT);
        return NULL;
    }
    struct column *column = &table->columns[table->column_count++];
    bool is_name = sn_str_equal(name, SN_LABEL_METRIC_NAME);
    *column = (struct column){name, is_name ? strlen("METRIC") : sn_query_text_width(name)};
    return column;
}

static void read_metric(struct table *table, struct row *row) {
    struct sn_str cells[SN_QUERY_LABELS_MAX] = {{NULL, 0}};
    struct sn_str name;
    if (!sn_json_read_object(&table->json))
        return;
    while (sn_json_read_key(&table->json, &name)) {
        struct sn_str value = sn_json_read_string(&table->json);
        struct column *column = find_column(table, name);
        if (column == NULL)
            continue;
        cells[column - table->columns] = value;
        column->width = larger(column->width, sn_query_text_width(value));
    }
    struct sn_str *kept = sn_arena_alloc(&table->arena, sizeof cells);
    if (kept == NULL) {
        fail(table, SN_ERR_NO_MEMORY);
        return;
    }
    memcpy(kept, cells, sizeof cells);
    row->cells = kept;
    row->cell_count = SN_QUERY_LABELS_MAX;
}

static void add_row(struct table *table, const struct row *row) {
    if (sn_arena_grow(&table->arena, &table->rows, table->row_count, &table->row_capacity,
                      sizeof *row, NULL) != SN_OK) {
        fail(table, SN_ERR_NO_MEMORY);
        return;
    }
    table->rows[table->row_count++] = *row;
}

static struct sn_str copy_text(struct table *table, const char *text, size_t len) {
    char *copy = sn_arena_alloc(&table->arena, len + 1);
    if (copy == NULL) {
        fail(table, SN_ERR_NO_MEMORY);
        return SN_STR("");
    }
    memcpy(copy, text, len);
    return sn_str_make(copy, len);
}

/* "count:3 sum:5.5": its buckets are what --json is for. */
static struct sn_str read_histogram(struct table *table) {
    struct sn_str key, count = SN_STR("?"), sum = SN_STR("?");
    char text[128];
    if (sn_json_read_object(&table->json)) {
        while (sn_json_read_key(&table->json, &key)) {
            if (sn_str_equal(key, SN_STR("count")))
                count = sn_json_read_string(&table->json);
            else if (sn_str_equal(key, SN_STR("sum")))
                sum = sn_json_read_string(&table->json);
            else
                sn_json_read_skip(&table->json);
        }
    }
    int len =
        snprintf(text, sizeof text, "count:%.*s sum:%.*s", SN_STR_ARG(count), SN_STR_ARG(sum));
    return copy_text(table, text, len > 0 && (size_t)len < sizeof text ? (size_t)len : 0);
}

static struct sn_str time_text(struct table *table, double seconds) {
    char text[SN_TIME_TEXT_SIZE];
    double ms = seconds * 1000;
    if (!(fabs(ms) < 9e15))
        return SN_STR("?");
    sn_time_format((int64_t)llround(ms), text);
    return copy_text(table, text, strlen(text));
}

/* [seconds, "value"] or [seconds, {histogram}]. */
static void read_point(struct table *table, struct row *row, bool is_range) {
    size_t count = 0;
    if (!sn_json_read_array(&table->json))
        return;
    for (; sn_json_read_element(&table->json); count++) {
        if (count == 0) {
            double seconds = sn_json_read_double(&table->json);
            row->time = is_range ? time_text(table, seconds) : row->time;
        } else if (sn_json_read_peek(&table->json) == SN_JSON_OBJECT) {
            row->value = read_histogram(table);
        } else {
            row->value = sn_json_read_string(&table->json);
        }
    }
    if (count != 2)
        sn_json_read_fail(&table->json, SN_ERR_INVALID, "a point has a time and a value");
}

static void read_points(struct table *table, const struct row *series) {
    if (!sn_json_read_array(&table->json))
        return;
    while (sn_json_read_element(&table->json)) {
        struct row row = *series;
        read_point(table, &row, true);
        add_row(table, &row);
    }
}

/* The metric stands before its values in what the server writes. */
static void read_series(struct table *table) {
    struct sn_str key;
    struct row row = {.cells = NULL};
    if (!sn_json_read_object(&table->json))
        return;
    while (sn_json_read_key(&table->json, &key)) {
        if (sn_str_equal(key, SN_STR("metric"))) {
            read_metric(table, &row);
        } else if (sn_str_equal(key, SN_STR("value")) || sn_str_equal(key, SN_STR("histogram"))) {
            read_point(table, &row, false);
            add_row(table, &row);
        } else if (sn_str_equal(key, SN_STR("values")) || sn_str_equal(key, SN_STR("histograms"))) {
            read_points(table, &row);
        } else {
            sn_json_read_skip(&table->json);
        }
    }
}

static void read_result(struct table *table) {
    struct row row = {.cells = NULL};
    if (table->is_plain) {
        read_point(table, &row, false);
        table->plain = row.value;
        return;
    }
    if (!sn_json_read_array(&table->json))
        return;
    while (sn_json_read_element(&table->json))
        read_series(table);
}

static void read_data(struct table *table) {
    struct sn_str key;
    if (!sn_json_read_object(&table->json))
        return;
    while (sn_json_read_key(&table->json, &key)) {
        if (sn_str_equal(key, SN_STR("resultType"))) {
            struct sn_str type = sn_json_read_string(&table->json);
            table->is_plain =
                sn_str_equal(type, SN_STR("scalar")) || sn_str_equal(type, SN_STR("string"));
        } else if (sn_str_equal(key, SN_STR("result"))) {
            read_result(table);
        } else {
            sn_json_read_skip(&table->json);
        }
    }
}

/* --- Writing -------------------------------------------------------------------------------- */

static void put_cell(struct sn_buf *out, struct sn_str text, size_t width) {
    sn_query_text_put(out, text);
    for (size_t i = sn_query_text_width(text); i < width + 2; i++)
        sn_buf_put_byte(out, ' ');
}

static void put_title(struct sn_buf *out, const struct column *column) {
    if (sn_str_equal(column->name, SN_LABEL_METRIC_NAME)) {
        put_cell(out, SN_STR("METRIC"), column->width);
        return;
    }
    size_t from = out->len;
    put_cell(out, column->name, column->width);
    for (size_t i = from; i < out->len; i++)
        if (out->ptr[i] >= 'a' && out->ptr[i] <= 'z')
            out->ptr[i] = (uint8_t)(out->ptr[i] - 'a' + 'A');
}

static void put_row(struct sn_buf *out, const struct table *table, const struct row *row) {
    for (size_t i = 0; i < table->column_count; i++)
        put_cell(out, i < row->cell_count ? row->cells[i] : SN_STR(""), table->columns[i].width);
    if (row->time.ptr != NULL)
        put_cell(out, row->time, row->time.len);
    sn_query_text_put(out, row->value);
    sn_buf_put_byte(out, '\n');
}

static void put_table(struct sn_buf *out, const struct table *table) {
    if (table->is_plain) {
        sn_query_text_put(out, table->plain);
        sn_buf_put_byte(out, '\n');
        return;
    }
    if (table->row_count == 0)
        return;
    for (size_t i = 0; i < table->column_count; i++)
        put_title(out, &table->columns[i]);
    if (table->rows[0].time.ptr != NULL)
        put_cell(out, SN_STR("TIME"), table->rows[0].time.len);
    sn_buf_put_text(out, "VALUE\n");
    for (size_t i = 0; i < table->row_count; i++)
        put_row(out, table, &table->rows[i]);
}

static void read_notes(struct table *table, struct sn_buf *notes) {
    if (!sn_json_read_array(&table->json))
        return;
    while (sn_json_read_element(&table->json)) {
        sn_query_text_put(notes, sn_json_read_string(&table->json));
        sn_buf_put_byte(notes, '\n');
    }
}

static sn_status read_document(struct table *table, struct sn_buf *notes, struct sn_err *err) {
    struct sn_str key;
    bool has_data = false;
    if (sn_json_read_object(&table->json)) {
        while (sn_json_read_key(&table->json, &key)) {
            bool is_data = sn_str_equal(key, SN_STR("data"));
            has_data = has_data || is_data;
            if (is_data)
                read_data(table);
            else if (sn_str_equal(key, SN_STR("warnings")) || sn_str_equal(key, SN_STR("infos")))
                read_notes(table, notes);
            else
                sn_json_read_skip(&table->json);
        }
    }
    SN_TRY(sn_json_read_finish(&table->json, err));
    if (!has_data)
        return sn_err_set(err, SN_ERR_INVALID, "the answer has no data: is this a Sonde server?");
    if (table->status == SN_ERR_LIMIT)
        return sn_err_set(err, SN_ERR_LIMIT,
                          "more than %d different labels do not fit into a table: use --json",
                          SN_QUERY_LABELS_MAX);
    return table->status == SN_OK ? SN_OK : sn_err_set(err, table->status, "no memory");
}

sn_status sn_query_text_table(struct sn_str document, struct sn_buf *out, struct sn_buf *notes,
                              struct sn_err *err) {
    struct table *table = sn_alloc(sizeof *table); /* too large for a stack */
    if (table == NULL)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory");
    *table = (struct table){.status = SN_OK};
    sn_arena_init(&table->texts, 0);
    sn_arena_init(&table->arena, 0);
    sn_json_read_init(&table->json, document, &(struct sn_json_options){.arena = &table->texts});
    sn_status status = read_document(table, notes, err);
    if (status == SN_OK) {
        put_table(out, table);
        status = sn_buf_status(out, err);
    }
    sn_arena_release(&table->arena);
    sn_arena_release(&table->texts);
    sn_free(table);
    return status;
}
