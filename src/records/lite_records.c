/*
 * Writing and deleting records in SQLite. See lite.h. Runs on the records writer.
 */
#include "base/buf.h"
#include "records/lite_priv.h"

/* ---- dimensions ---- */

/* The key of the map: the texts with their lengths. */
static void put_key(struct sn_buf *buf, const struct sn_record *record) {
    const struct sn_str texts[] = {record->metric_type, record->name, record->service,
                                   record->unit};
    sn_buf_reset(buf);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sn_buf_put_u16le(buf, (uint16_t)texts[i].len);
        sn_buf_put_str(buf, texts[i]);
    }
}

/* A dimension's number, and whether its description differs from the record's: hash in the rest. */
#define KEY_BITS 24
#define KEY_MASK ((UINT64_C(1) << KEY_BITS) - 1)
_Static_assert(SN_LITE_DIMENSIONS_MAX < (1 << KEY_BITS), "a dimension has KEY_BITS");

static uint64_t entry_of(int64_t k, struct sn_str description) {
    return (uint64_t)k | sn_hash_bytes(description.ptr, description.len, 0) << KEY_BITS;
}

static sn_status load_row(struct sn_lite *lite, sqlite3_stmt *statement, struct sn_err *err) {
    struct sn_record record = {
        .metric_type = sn_sqlite_column_text(statement, 1),
        .name = sn_sqlite_column_text(statement, 2),
        .service = sn_sqlite_column_text(statement, 3),
        .unit = sn_sqlite_column_text(statement, 4),
    };
    int64_t k = sqlite3_column_int64(statement, 0);
    if (k < 1 || k >= (int64_t)KEY_MASK)
        return sn_err_set(err, SN_ERR_CORRUPT, "record_dim has a row %lld", (long long)k);
    put_key(&lite->scratch, &record);
    SN_TRY(sn_buf_status(&lite->scratch, err));
    if (k >= lite->next_dimension)
        lite->next_dimension = k + 1;
    return sn_map_put(&lite->dimensions, sn_buf_str(&lite->scratch),
                      entry_of(k, sn_sqlite_column_text(statement, 5)));
}

static sn_status load_next_row(struct sn_lite *lite, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_LAST_ROW, &statement, err));
    int code = sqlite3_step(statement);
    int64_t last = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    if (code != SQLITE_ROW)
        return sn_lite_failure(&lite->writer, code, err);
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_GET_META, &statement, err));
    sn_sqlite_bind_text(statement, 1, SN_STR("next_row"));
    code = sqlite3_step(statement);
    int64_t next = code == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 1;
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return sn_lite_failure(&lite->writer, code, err);
    if (next <= last)
        next = last + 1;
    if (next > lite->next_row) /* numbers of a transaction that failed are not given again */
        lite->next_row = next;
    return SN_OK;
}

sn_status sn_lite_load_dimensions(struct sn_lite *lite, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    size_t count_max = lite->dimensions.count_max;
    uint64_t seed = lite->dimensions.seed;
    sn_map_release(&lite->dimensions);
    sn_map_init(&lite->dimensions, count_max, seed);
    SN_TRY(load_next_row(lite, err));
    lite->next_dimension = 0;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_LOAD_DIMENSIONS, &statement, err));
    sn_status status = SN_OK;
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW && status == SN_OK)
        status = load_row(lite, statement, err);
    if (status == SN_OK && code != SQLITE_DONE)
        status = sn_lite_failure(&lite->writer, code, err);
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    if (status == SN_OK && lite->next_dimension == 0)
        lite->next_dimension = 1;
    if (status != SN_OK)
        lite->next_dimension = 0; /* not loaded */
    return status;
}

static sn_status add_dimension(struct sn_lite *lite, const struct sn_record *record,
                               uint64_t *ret_entry, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_ADD_DIMENSION, &statement, err));
    int64_t k = lite->next_dimension;
    sqlite3_bind_int64(statement, 1, k);
    sn_sqlite_bind_text(statement, 2, record->metric_type);
    sn_sqlite_bind_text(statement, 3, record->name);
    sn_sqlite_bind_text(statement, 4, record->service);
    sn_sqlite_bind_text(statement, 5, record->unit);
    sn_lite_bind_optional(statement, 6, record->description);
    SN_TRY(sn_sqlite_run(lite->writer.db, statement, err));
    uint64_t entry = entry_of(k, record->description);
    SN_TRY(sn_map_put(&lite->dimensions, sn_buf_str(&lite->scratch), entry));
    lite->next_dimension = k + 1;
    *ret_entry = entry;
    return SN_OK;
}

/* *ret_is_full: there is no room for another dimension; then nothing is written. */
static sn_status find_dimension(struct sn_lite *lite, const struct sn_record *record,
                                uint64_t *ret_entry, bool *ret_is_full, struct sn_err *err) {
    put_key(&lite->scratch, record);
    SN_TRY(sn_buf_status(&lite->scratch, err));
    if (sn_map_get(&lite->dimensions, sn_buf_str(&lite->scratch), ret_entry))
        return SN_OK;
    *ret_is_full = lite->dimensions.count >= lite->dimensions_max;
    return *ret_is_full ? SN_OK : add_dimension(lite, record, ret_entry, err);
}

/* ---- adding ---- */

static sn_status add_record(struct sn_lite *lite, struct sn_record *record, uint64_t entry,
                            struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_ADD_RECORD, &statement, err));
    int64_t k = (int64_t)(entry & KEY_MASK), row = lite->next_row++;
    sqlite3_bind_int64(statement, 1, row);
    sqlite3_bind_int64(statement, 2, record->time_ms);
    sqlite3_bind_int64(statement, 3, k);
    sqlite3_bind_double(statement, 4, record->value);
    sn_lite_bind_optional(statement, 5, record->metadata);
    if (entry_of(k, record->description) != entry)
        sn_sqlite_bind_text(statement, 6, record->description);
    if (record->has_counts) {
        sqlite3_bind_int64(statement, 7, record->ok_count);
        sqlite3_bind_int64(statement, 8, record->total_count);
    }
    record->id = sn_record_id_make(&lite->key, record->time_ms, row);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

/*
 * Dimensions first: a write that finds no room leaves no record behind. Their entries go to
 * lite->entries, one u64 per record.
 */
static sn_status find_dimensions(struct sn_lite *lite, struct sn_engine_write *write,
                                 struct sn_err *err) {
    sn_buf_reset(&lite->entries);
    for (size_t i = 0; i < write->record_count; i++) {
        uint64_t entry = 0;
        bool is_full = false;
        SN_TRY(find_dimension(lite, &write->records[i], &entry, &is_full, err));
        if (is_full) {
            write->status = sn_err_set(
                &write->err, SN_ERR_LIMIT,
                "records[%zu]: there are %zu different kinds of records (metric_type, name, "
                "service, unit) already, the limit",
                i, lite->dimensions_max);
            return SN_OK;
        }
        sn_buf_put(&lite->entries, &entry, sizeof entry);
    }
    return sn_buf_status(&lite->entries, err);
}

sn_status sn_lite_add_records(struct sn_lite *lite, struct sn_engine_write *write,
                              struct sn_err *err) {
    SN_TRY(find_dimensions(lite, write, err));
    for (size_t i = 0; i < write->record_count && write->status == SN_OK; i++) {
        uint64_t entry;
        memcpy(&entry, lite->entries.ptr + i * sizeof entry, sizeof entry);
        SN_TRY(add_record(lite, &write->records[i], entry, err));
    }
    return SN_OK;
}

/* ---- deleting ---- */

static bool is_except(const struct sn_engine_purge *purge, struct sn_str metric_type) {
    for (size_t i = 0; i < purge->except_count; i++)
        if (sn_str_equal(purge->excepts[i], metric_type))
            return true;
    return false;
}

static sn_status purge_kind(struct sn_lite *lite, int64_t k, int64_t before_ms, size_t row_max,
                            size_t *count, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_PURGE, &statement, err));
    sqlite3_bind_int64(statement, 1, k);
    sqlite3_bind_int64(statement, 2, before_ms);
    sqlite3_bind_int64(statement, 3, (int64_t)row_max);
    SN_TRY(sn_sqlite_run(lite->writer.db, statement, err));
    *count += (size_t)sqlite3_changes(lite->writer.db);
    return SN_OK;
}

/* Row numbers go on from where they were, also after the newest records have been deleted. */
static sn_status keep_next_row(struct sn_lite *lite, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_PUT_META, &statement, err));
    sn_sqlite_bind_text(statement, 1, SN_STR("next_row"));
    sqlite3_bind_int64(statement, 2, lite->next_row);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

sn_status sn_lite_purge_records(struct sn_lite *lite, const struct sn_engine_purge *purge,
                                size_t *ret_count, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_FIND_DIMENSIONS, &statement, err));
    sn_lite_bind_optional(statement, 1, purge->metric_type);
    sn_status status = SN_OK;
    int code;
    while (status == SN_OK && count < purge->row_max &&
           (code = sqlite3_step(statement)) != SQLITE_DONE) {
        if (code != SQLITE_ROW)
            status = sn_lite_failure(&lite->writer, code, err);
        else if (!is_except(purge, sn_sqlite_column_text(statement, 1)))
            status = purge_kind(lite, sqlite3_column_int64(statement, 0), purge->before_ms,
                                purge->row_max - count, &count, err);
    }
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    if (status == SN_OK && count > 0)
        status = keep_next_row(lite, err);
    if (status == SN_OK)
        *ret_count = count;
    return status;
}
