/*
 * Reading records from SQLite. See lite.h.
 *
 * Newest first over many kinds: each kind's newest rows come from the index (k, ts), a bounded heap
 * keeps the best; a kind is asked only for rows that are newer than the worst that is kept. So the
 * work is one index seek per kind and a few rows, however many records there are.
 */
#include "base/arena.h"
#include "records/lite_priv.h"

struct place {
    int64_t ts;
    int64_t n;
};

/* The newest places found so far, as a heap whose root is the oldest of them. */
struct newest {
    struct place *items; /* [max] */
    size_t count;
    size_t max;
};

static bool is_older(struct place a, struct place b) {
    return a.ts != b.ts ? a.ts < b.ts : a.n < b.n;
}

static void swap(struct place *a, struct place *b) {
    struct place old = *a;
    *a = *b;
    *b = old;
}

static void sift_down(struct newest *newest, size_t i) {
    for (;;) {
        size_t oldest = i, left = 2 * i + 1;
        for (size_t child = left; child < left + 2 && child < newest->count; child++)
            if (is_older(newest->items[child], newest->items[oldest]))
                oldest = child;
        if (oldest == i)
            return;
        swap(&newest->items[i], &newest->items[oldest]);
        i = oldest;
    }
}

static void add_place(struct newest *newest, struct place place) {
    if (newest->count == newest->max) {
        if (is_older(newest->items[0], place)) {
            newest->items[0] = place;
            sift_down(newest, 0);
        }
        return;
    }
    size_t i = newest->count++;
    newest->items[i] = place;
    while (i > 0 && is_older(newest->items[i], newest->items[(i - 1) / 2])) {
        swap(&newest->items[i], &newest->items[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
}

/* From a heap to newest first: the root goes to the end, again and again. */
static void sort_places(struct newest *newest) {
    size_t count = newest->count;
    while (newest->count > 1) {
        newest->count--;
        swap(&newest->items[0], &newest->items[newest->count]);
        sift_down(newest, 0);
    }
    newest->count = count;
}

/* ---- kinds ---- */

static void bind_filter(sqlite3_stmt *statement, const struct sn_record_filter *filter) {
    sn_lite_bind_optional(statement, 1, filter->metric_type);
    sn_lite_bind_optional(statement, 2, filter->name);
    sn_lite_bind_optional(statement, 3, filter->service);
}

static sn_status add_key(struct sn_lite_keys *keys, struct sn_arena *arena, int64_t k,
                         bool has_counts, struct sn_err *err) {
    if ((keys->count & (keys->count - 1)) == 0) { /* full at powers of two */
        size_t cap = keys->count > 0 ? 2 * keys->count : 1;
        struct sn_lite_key *items = sn_arena_alloc_zero(arena, cap, sizeof *items);
        if (items == NULL)
            return sn_arena_failure(arena, cap * sizeof *items, err);
        if (keys->count > 0)
            memcpy(items, keys->items, keys->count * sizeof *items);
        keys->items = items;
    }
    keys->items[keys->count++] = (struct sn_lite_key){.k = k, .has_counts = has_counts};
    return SN_OK;
}

sn_status sn_lite_find_keys(struct sn_lite_connection *reader,
                            const struct sn_record_filter *filter, struct sn_arena *arena,
                            struct sn_lite_keys *ret_keys, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(reader, SN_LITE_FIND_DIMENSIONS, &statement, err));
    bind_filter(statement, filter);
    *ret_keys = (struct sn_lite_keys){0};
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        bool has_counts = sn_str_equal(sn_sqlite_column_text(statement, 1), SN_STR("success_rate"));
        SN_TRY(add_key(ret_keys, arena, sqlite3_column_int64(statement, 0), has_counts, err));
    }
    return code == SQLITE_DONE ? SN_OK : sn_lite_failure(reader, code, err);
}

/* ---- one page ---- */

/* What of a kind may be in the page. */
static sn_status collect_kind(struct sn_lite_connection *reader, int64_t k, struct place before,
                              int64_t start_ms, struct newest *newest, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(reader, SN_LITE_NEWEST, &statement, err));
    if (newest->count == newest->max && newest->items[0].ts > start_ms)
        start_ms = newest->items[0].ts;
    sqlite3_bind_int64(statement, 1, k);
    sqlite3_bind_int64(statement, 2, start_ms);
    sqlite3_bind_int64(statement, 3, before.ts);
    sqlite3_bind_int64(statement, 4, before.n);
    sqlite3_bind_int64(statement, 5, (int64_t)newest->max);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        add_place(newest, (struct place){.n = sqlite3_column_int64(statement, 0),
                                         .ts = sqlite3_column_int64(statement, 1)});
    return code == SQLITE_DONE ? SN_OK : sn_lite_failure(reader, code, err);
}

static sn_status copy_text(sqlite3_stmt *statement, int column, struct sn_arena *arena,
                           struct sn_str *ret_text, struct sn_err *err) {
    struct sn_str text = sn_sqlite_column_text(statement, column);
    if (!sn_arena_copy(arena, text, ret_text))
        return sn_arena_failure(arena, text.len, err);
    return SN_OK;
}

static sn_status read_row(struct sn_lite *lite, sqlite3_stmt *statement, struct sn_arena *arena,
                          struct sn_record *ret_record, struct sn_err *err) {
    int64_t n = sqlite3_column_int64(statement, 0), ts = sqlite3_column_int64(statement, 1);
    if (n < 0 || n > SN_RECORD_ROW_MAX)
        return sn_err_set(err, SN_ERR_CORRUPT, "record has a row %lld", (long long)n);
    struct sn_record record = {
        .id = sn_record_id_make(&lite->key, ts, n),
        .time_ms = ts,
        .value = sqlite3_column_double(statement, 2),
        .has_counts = sqlite3_column_type(statement, 6) != SQLITE_NULL,
        .ok_count = sqlite3_column_int64(statement, 5),
        .total_count = sqlite3_column_int64(statement, 6),
    };
    SN_TRY(copy_text(statement, 3, arena, &record.metadata, err));
    SN_TRY(copy_text(statement, 4, arena, &record.description, err));
    SN_TRY(copy_text(statement, 7, arena, &record.metric_type, err));
    SN_TRY(copy_text(statement, 8, arena, &record.name, err));
    SN_TRY(copy_text(statement, 9, arena, &record.service, err));
    SN_TRY(copy_text(statement, 10, arena, &record.unit, err));
    *ret_record = record;
    return SN_OK;
}

static sn_status read_record(struct sn_lite *lite, struct sn_lite_connection *reader, int64_t n,
                             struct sn_arena *arena, struct sn_record *ret_record,
                             struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(reader, SN_LITE_GET_RECORD, &statement, err));
    sqlite3_bind_int64(statement, 1, n);
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return SN_ERR_NOT_FOUND;
    if (code != SQLITE_ROW)
        return sn_lite_failure(reader, code, err);
    return read_row(lite, statement, arena, ret_record, err);
}

static sn_status not_found(struct sn_err *err) {
    return sn_err_set(err, SN_ERR_NOT_FOUND, "there is no record of this id");
}

sn_status sn_lite_get(struct sn_lite *lite, struct sn_lite_connection *reader,
                      const struct sn_record_id *id, struct sn_arena *arena,
                      struct sn_record *ret_record, struct sn_err *err) {
    int64_t time_ms, row;
    if (!sn_record_id_open(&lite->key, id, &time_ms, &row))
        return not_found(err);
    struct sn_record record;
    sn_status status = read_record(lite, reader, row, arena, &record, err);
    if (status == SN_ERR_NOT_FOUND || (status == SN_OK && record.time_ms != time_ms))
        return not_found(err);
    if (status == SN_OK)
        *ret_record = record;
    return status;
}

static sn_status page_start(const struct sn_lite *lite, const struct sn_record_page *page,
                            struct place *ret_before, struct sn_err *err) {
    *ret_before = (struct place){.ts = page->filter.end_ms, .n = INT64_MAX};
    if (!page->has_cursor)
        return SN_OK;
    struct place cursor;
    if (!sn_record_id_open(&lite->key, &page->cursor, &cursor.ts, &cursor.n))
        return sn_err_set(err, SN_ERR_INVALID, "cursor is not one that this server has given");
    if (is_older(cursor, *ret_before))
        *ret_before = cursor;
    return SN_OK;
}

sn_status sn_lite_list(struct sn_lite *lite, struct sn_lite_connection *reader,
                       const struct sn_record_page *page, struct sn_arena *arena,
                       struct sn_record_list *ret_list, struct sn_err *err) {
    struct sn_lite_keys keys;
    struct place before;
    struct newest newest = {.max = page->limit + 1};
    newest.items = sn_arena_alloc_zero(arena, newest.max, sizeof *newest.items);
    struct sn_record_list list = {.items =
                                      sn_arena_alloc_zero(arena, newest.max, sizeof *list.items)};
    if (newest.items == NULL || list.items == NULL)
        return sn_arena_failure(arena, newest.max * sizeof *list.items, err);
    SN_TRY(page_start(lite, page, &before, err));
    SN_TRY(sn_lite_find_keys(reader, &page->filter, arena, &keys, err));
    for (size_t i = 0; i < keys.count; i++)
        SN_TRY(collect_kind(reader, keys.items[i].k, before, page->filter.start_ms, &newest, err));
    sort_places(&newest);
    list.has_more = newest.count > page->limit;
    for (; list.count < newest.count && list.count < page->limit; list.count++) {
        sn_status status = read_record(lite, reader, newest.items[list.count].n, arena,
                                       &list.items[list.count], err);
        if (status == SN_ERR_NOT_FOUND)
            return sn_err_set(err, SN_ERR_CORRUPT, "record %lld has no row",
                              (long long)newest.items[list.count].n);
        SN_TRY(status);
    }
    *ret_list = list;
    return SN_OK;
}

/* ---- all values ---- */

static sn_status scan_kind(struct sn_lite_connection *reader, struct sn_lite_key key,
                           const struct sn_record_filter *filter,
                           const struct sn_record_visitor *visitor, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    enum sn_lite_sql sql = key.has_counts ? SN_LITE_SCAN_COUNTS : SN_LITE_SCAN_VALUES;
    SN_TRY(sn_lite_statement(reader, sql, &statement, err));
    sqlite3_bind_int64(statement, 1, key.k);
    sqlite3_bind_int64(statement, 2, filter->start_ms);
    sqlite3_bind_int64(statement, 3, filter->end_ms);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sn_record record = {.time_ms = sqlite3_column_int64(statement, 0),
                                   .value = sqlite3_column_double(statement, 1)};
        if (key.has_counts && sqlite3_column_type(statement, 3) != SQLITE_NULL) {
            record.has_counts = true;
            record.ok_count = sqlite3_column_int64(statement, 2);
            record.total_count = sqlite3_column_int64(statement, 3);
        }
        SN_TRY(visitor->visit(visitor->ctx, &record, err));
    }
    return code == SQLITE_DONE ? SN_OK : sn_lite_failure(reader, code, err);
}

sn_status sn_lite_scan(struct sn_lite_connection *reader, const struct sn_record_filter *filter,
                       const struct sn_record_visitor *visitor, struct sn_err *err) {
    struct sn_arena arena;
    struct sn_lite_keys keys;
    sn_arena_init(&arena, 0);
    sn_status status = sn_lite_find_keys(reader, filter, &arena, &keys, err);
    for (size_t i = 0; status == SN_OK && i < keys.count; i++)
        status = scan_kind(reader, keys.items[i], filter, visitor, err);
    sn_arena_release(&arena);
    return status;
}
