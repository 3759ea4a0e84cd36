/* What sonde.db knows about the store: see catalog.h. */
#include "store/catalog.h"

#include "base/mem.h"
#include "base/os.h"
#include "model/data_dir.h"
#include "store/db_file.h"
#include "store/segment_write.h"
#include "store/series_block.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>

enum {
    CACHE_KIB = 4096,
    /* Most tables here have a few rows, and each has a page: a small store has more pages than rows. Only
     * a file that has no page yet takes it. */
    PAGE_BYTES = 1024,
};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS store_meta("
    " key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS series_block("
    " first_id INTEGER PRIMARY KEY NOT NULL, count INTEGER NOT NULL, labels BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS segment("
    " id INTEGER PRIMARY KEY NOT NULL, rank INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " series_count INTEGER NOT NULL,"
    " sample_count INTEGER NOT NULL, time_min_ms INTEGER NOT NULL, time_max_ms INTEGER NOT NULL);";

/* Made when there is something for them: an empty table takes a page. */
static const char metadata_schema[] =
    "CREATE TABLE IF NOT EXISTS metric_metadata("
    " metric TEXT PRIMARY KEY NOT NULL, type INTEGER NOT NULL, help TEXT NOT NULL,"
    " unit TEXT NOT NULL) WITHOUT ROWID;";
static const char tombstone_schema[] =
    "CREATE TABLE IF NOT EXISTS tombstone("
    " series INTEGER NOT NULL, start_ms INTEGER NOT NULL, end_ms INTEGER NOT NULL,"
    " rank_max INTEGER NOT NULL);";
static const char exemplar_schema[] = "CREATE TABLE IF NOT EXISTS exemplar("
                                      " id INTEGER PRIMARY KEY NOT NULL, records BLOB NOT NULL);";

static const char rollup_schema[] =
    "CREATE TABLE IF NOT EXISTS rollup("
    " id INTEGER PRIMARY KEY NOT NULL, width_ms INTEGER NOT NULL, start_ms INTEGER NOT NULL,"
    " end_ms INTEGER NOT NULL, rank INTEGER NOT NULL, bytes INTEGER NOT NULL,"
    " series_count INTEGER NOT NULL, bucket_count INTEGER NOT NULL,"
    " time_min_ms INTEGER NOT NULL, time_max_ms INTEGER NOT NULL);";

/* ---- SQLite's results as ours ---- */

static sn_status failure(sqlite3 *db, int code, const char *what, struct sn_err *err) {
    return sn_db_file_failure(db, code, what, SN_STORE_DB_NAME, err);
}

static sn_status execute(struct sn_catalog *catalog, const char *sql, struct sn_err *err) {
    int code = sqlite3_exec(catalog->db, sql, NULL, NULL, NULL);
    return code == SQLITE_OK ? SN_OK : failure(catalog->db, code, "change", err);
}

static sn_status prepare(struct sn_catalog *catalog, const char *sql, sqlite3_stmt **ret_statement,
                         struct sn_err *err) {
    int code = sqlite3_prepare_v2(catalog->db, sql, -1, ret_statement, NULL);
    return code == SQLITE_OK ? SN_OK : failure(catalog->db, code, "read", err);
}

static void finalize(sqlite3_stmt **statement) {
    (void)sqlite3_finalize(*statement); /* repeats the failure of the last step */
}
#define STATEMENT SN_CLEANUP(finalize) sqlite3_stmt *

/* Run a statement that gives no rows. */
static sn_status step_done(struct sn_catalog *catalog, sqlite3_stmt *statement,
                           struct sn_err *err) {
    int code = sqlite3_step(statement);
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "change", err);
}

/* ---- opening ---- */

static sn_status get_meta(struct sn_catalog *catalog, const char *key, uint64_t *ret_value,
                          struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "SELECT value FROM store_meta WHERE key = ?", &statement, err));
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return SN_ERR_NOT_FOUND;
    if (code != SQLITE_ROW)
        return failure(catalog->db, code, "read", err);
    *ret_value = (uint64_t)sqlite3_column_int64(statement, 0);
    return SN_OK;
}

static sn_status put_meta(struct sn_catalog *catalog, const char *key, uint64_t value,
                          struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "INSERT OR REPLACE INTO store_meta VALUES(?, ?)", &statement, err));
    sqlite3_bind_text(statement, 1, key, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)value);
    return step_done(catalog, statement, err);
}

static sn_status check_known(uint64_t version, struct sn_err *err) {
    if (version <= SN_CATALOG_FORMAT_VERSION)
        return SN_OK;
    return sn_err_set(err, SN_ERR_UNSUPPORTED,
                      "the data directory has format version %llu, this program knows up to "
                      "%d: use a newer sonde",
                      (unsigned long long)version, SN_CATALOG_FORMAT_VERSION);
}

static sn_status check_version(struct sn_catalog *catalog, struct sn_err *err) {
    uint64_t version = 0;
    sn_status status = get_meta(catalog, "format_version", &version, err);
    if (status == SN_ERR_NOT_FOUND)
        return put_meta(catalog, "format_version", SN_CATALOG_FORMAT_VERSION, err);
    if (status != SN_OK)
        return status;
    SN_TRY(check_known(version, err));
    /* Older formats are read; what is written from now on an older program must not read. */
    if (version < SN_CATALOG_FORMAT_VERSION)
        return put_meta(catalog, "format_version", SN_CATALOG_FORMAT_VERSION, err);
    return SN_OK;
}

/*
 * Create the file with our mode: SQLite would take 0644. Its -wal and -shm get the same.
 *
 * A file that exists must not be opened here: closing any descriptor of it drops the POSIX locks of
 * every connection of this process, and another process would take the log from under them.
 */
static sn_status create_file(const char *path, struct sn_err *err) {
    int fd = sn_os_open(path, O_RDWR | O_CREAT | O_EXCL, 0640);
    if (fd < 0 && errno == EEXIST)
        return SN_OK;
    if (fd < 0)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    (void)sn_os_close(fd); /* nothing was written, and nobody else knows the file yet */
    return SN_OK;
}

static sn_status open_file(struct sn_catalog *catalog, const char *path, struct sn_err *err) {
    sqlite3 *db = NULL;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    SN_TRY(sn_db_file_open(path, SN_STORE_DB_NAME, flags, &db, err));
    catalog->db = db;
    return SN_OK;
}

sn_status sn_catalog_open(struct sn_catalog *catalog, const char *dir, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    *catalog = (struct sn_catalog){0};
    SN_TRY(sn_db_file_path(path, dir, SN_STORE_DB_NAME, err));
    SN_TRY(create_file(path, err));
    SN_TRY(open_file(catalog, path, err));
    char pragmas[256];
    (void)snprintf(pragmas, sizeof pragmas,
                   "PRAGMA page_size=%d; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                   "PRAGMA cache_size=-%d; PRAGMA trusted_schema=OFF;",
                   PAGE_BYTES, CACHE_KIB);
    SN_TRY(execute(catalog, pragmas, err));
    SN_TRY(execute(catalog, schema, err));
    return check_version(catalog, err);
}

sn_status sn_catalog_open_to_read(struct sn_catalog *catalog, const char *dir, struct sn_err *err) {
    char path[SN_PATH_BYTES_MAX];
    struct stat info;
    *catalog = (struct sn_catalog){0};
    SN_TRY(sn_db_file_path(path, dir, SN_STORE_DB_NAME, err));
    if (sn_os_stat(path, &info) != 0)
        return sn_err_set_errno(err, errno, "cannot open %s", path);
    SN_TRY(open_file(catalog, path, err));
    uint64_t version = 0;
    SN_TRY(execute(catalog, "PRAGMA query_only=ON; PRAGMA trusted_schema=OFF;", err));
    sn_status status = get_meta(catalog, "format_version", &version, err);
    if (status == SN_ERR_NOT_FOUND)
        return sn_err_set(err, SN_ERR_CORRUPT, "%s has no format version", path);
    return status == SN_OK ? check_known(version, err) : status;
}

/* ---- copying and checking ---- */

sn_status sn_catalog_copy(struct sn_catalog *catalog, const char *dir, struct sn_err *err) {
    return sn_db_file_copy(catalog->db, dir, SN_STORE_DB_NAME, err);
}

sn_status sn_catalog_check(struct sn_catalog *catalog, void (*found)(void *ctx, const char *what),
                           void *ctx, struct sn_err *err) {
    return sn_db_file_check(catalog->db, SN_STORE_DB_NAME, found, ctx, err);
}

void sn_catalog_close(struct sn_catalog *catalog) {
    sn_buf_release(&catalog->block);
    sn_buf_release(&catalog->packed);
    (void)sqlite3_close(catalog->db); /* no statement is open: it cannot be busy */
    *catalog = (struct sn_catalog){0};
}

/* ---- loading ---- */

static struct sn_str column_bytes(sqlite3_stmt *statement, int column) {
    const void *bytes = sqlite3_column_blob(statement, column);
    return sn_str_make(bytes, (size_t)sqlite3_column_bytes(statement, column));
}

static sn_status has_table(struct sn_catalog *catalog, const char *name, bool *ret_has,
                           struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
                   &statement, err));
    sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    int code = sqlite3_step(statement);
    *ret_has = code == SQLITE_ROW;
    return code == SQLITE_ROW || code == SQLITE_DONE ? SN_OK
                                                     : failure(catalog->db, code, "read", err);
}

/* Version 1 has a row per series; later ones came in blocks. */
static sn_status load_series_rows(struct sn_catalog *catalog,
                                  const struct sn_catalog_visitor *visitor, struct sn_err *err) {
    STATEMENT statement = NULL;
    bool has_rows = false;
    SN_TRY(has_table(catalog, "series", &has_rows, err));
    if (!has_rows)
        return SN_OK;
    SN_TRY(prepare(catalog, "SELECT id, labels FROM series ORDER BY id", &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        SN_TRY(visitor->series(visitor->ctx, (uint64_t)sqlite3_column_int64(statement, 0),
                               column_bytes(statement, 1), err));
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

static sn_status visit_block(const struct sn_catalog_visitor *visitor, uint64_t first,
                             uint64_t count, struct sn_str raw, struct sn_err *err) {
    const uint8_t *at = (const uint8_t *)raw.ptr;
    const uint8_t *end = at + raw.len;
    struct sn_str labels;
    for (uint64_t i = 0; i < count; i++) {
        if (!sn_series_block_next(&at, end, &labels))
            return sn_err_set(err, SN_ERR_CORRUPT, "sonde.db: the block of series %llu ends early",
                              (unsigned long long)first);
        if (labels.len > 0) /* without labels: removed */
            SN_TRY(visitor->series(visitor->ctx, first + i, labels, err));
    }
    if (at != end)
        return sn_err_set(err, SN_ERR_CORRUPT, "sonde.db: the block of series %llu is too long",
                          (unsigned long long)first);
    return SN_OK;
}

static sn_status load_series(struct sn_catalog *catalog, const struct sn_catalog_visitor *visitor,
                             struct sn_err *err) {
    STATEMENT statement = NULL;
    struct sn_buf *raw = &catalog->block;
    SN_TRY(load_series_rows(catalog, visitor, err));
    SN_TRY(prepare(catalog, "SELECT first_id, count, labels FROM series_block ORDER BY first_id",
                   &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        uint64_t first = (uint64_t)sqlite3_column_int64(statement, 0);
        sn_status status = sn_series_block_unpack(column_bytes(statement, 2), raw, err);
        if (status != SN_OK) {
            sn_err_prefix(err, "sonde.db: series %llu", (unsigned long long)first);
            return status;
        }
        SN_TRY(visit_block(visitor, first, (uint64_t)sqlite3_column_int64(statement, 1),
                           sn_buf_str(raw), err));
    }
    sn_buf_reset(raw);
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

static sn_status load_series_end(struct sn_catalog *catalog,
                                 const struct sn_catalog_visitor *visitor, struct sn_err *err) {
    uint64_t end = 0;
    sn_status status = get_meta(catalog, "series_end", &end, err);
    if (status == SN_ERR_NOT_FOUND)
        return SN_OK;
    return status == SN_OK ? visitor->series_end(visitor->ctx, end, err) : status;
}

static sn_status load_segments(struct sn_catalog *catalog, const struct sn_catalog_visitor *visitor,
                               struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog,
                   "SELECT id, rank, bytes, series_count, sample_count, time_min_ms, time_max_ms"
                   " FROM segment ORDER BY rank",
                   &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sn_segment_row row = {.id = (uint64_t)sqlite3_column_int64(statement, 0),
                                     .rank = (uint64_t)sqlite3_column_int64(statement, 1),
                                     .bytes = (uint64_t)sqlite3_column_int64(statement, 2),
                                     .series_count = (uint64_t)sqlite3_column_int64(statement, 3),
                                     .sample_count = (uint64_t)sqlite3_column_int64(statement, 4),
                                     .time_min = sqlite3_column_int64(statement, 5),
                                     .time_max = sqlite3_column_int64(statement, 6)};
        SN_TRY(visitor->segment(visitor->ctx, &row, err));
    }
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

static sn_status load_metadata(struct sn_catalog *catalog, const struct sn_catalog_visitor *visitor,
                               struct sn_err *err) {
    STATEMENT statement = NULL;
    bool has_rows = false;
    SN_TRY(has_table(catalog, "metric_metadata", &has_rows, err));
    if (!has_rows)
        return SN_OK;
    SN_TRY(
        prepare(catalog, "SELECT metric, type, help, unit FROM metric_metadata", &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        sqlite3_int64 type = sqlite3_column_int64(statement, 1);
        if (type < SN_METRIC_UNKNOWN || type > SN_METRIC_STATESET)
            type = SN_METRIC_UNKNOWN;
        struct sn_metadata metadata = {.metric_name = column_bytes(statement, 0),
                                       .type = (enum sn_metric_type)type,
                                       .help = column_bytes(statement, 2),
                                       .unit = column_bytes(statement, 3)};
        SN_TRY(visitor->metadata(visitor->ctx, &metadata, err));
    }
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

/* Hours are keys "created@" and sixteen digits, so that they stand in order. */
#define CHURN_KEY "created@"

static sn_status load_churn(struct sn_catalog *catalog, const struct sn_catalog_visitor *visitor,
                            struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog,
                   "SELECT CAST(substr(key, 9) AS INTEGER), value FROM store_meta"
                   " WHERE key BETWEEN 'created@' AND 'created@~' ORDER BY key",
                   &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        SN_TRY(visitor->churn(visitor->ctx, sqlite3_column_int64(statement, 0),
                              (uint64_t)sqlite3_column_int64(statement, 1), err));
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

static sn_status load_exemplars(struct sn_catalog *catalog,
                                const struct sn_catalog_visitor *visitor, struct sn_err *err) {
    STATEMENT statement = NULL;
    bool has_rows = false;
    SN_TRY(has_table(catalog, "exemplar", &has_rows, err));
    if (!has_rows)
        return SN_OK;
    SN_TRY(prepare(catalog, "SELECT id, records FROM exemplar ORDER BY id", &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        SN_TRY(visitor->exemplars(visitor->ctx, (uint64_t)sqlite3_column_int64(statement, 0),
                                  column_bytes(statement, 1), err));
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

sn_status sn_catalog_load_tombstones(struct sn_catalog *catalog,
                                     sn_status (*visit)(void *ctx,
                                                        const struct sn_tombstone *tombstone,
                                                        struct sn_err *err),
                                     void *ctx, struct sn_err *err) {
    STATEMENT statement = NULL;
    bool has_rows = false;
    SN_TRY(has_table(catalog, "tombstone", &has_rows, err));
    if (!has_rows)
        return SN_OK;
    SN_TRY(prepare(catalog, "SELECT series, start_ms, end_ms, rank_max FROM tombstone", &statement,
                   err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sn_tombstone row = {.series = (uint32_t)sqlite3_column_int64(statement, 0),
                                   .start_ms = sqlite3_column_int64(statement, 1),
                                   .end_ms = sqlite3_column_int64(statement, 2),
                                   .rank_max = (uint64_t)sqlite3_column_int64(statement, 3)};
        SN_TRY(visit(ctx, &row, err));
    }
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

static struct sn_rollup_row read_rollup(sqlite3_stmt *statement) {
    return (struct sn_rollup_row){
        .file = {.id = (uint64_t)sqlite3_column_int64(statement, 0),
                 .rank = (uint64_t)sqlite3_column_int64(statement, 4),
                 .bytes = (uint64_t)sqlite3_column_int64(statement, 5),
                 .series_count = (uint64_t)sqlite3_column_int64(statement, 6),
                 .sample_count = (uint64_t)sqlite3_column_int64(statement, 7),
                 .time_min = sqlite3_column_int64(statement, 8),
                 .time_max = sqlite3_column_int64(statement, 9)},
        .width_ms = sqlite3_column_int64(statement, 1),
        .start_ms = sqlite3_column_int64(statement, 2),
        .end_ms = sqlite3_column_int64(statement, 3),
    };
}

sn_status sn_catalog_load_rollups(struct sn_catalog *catalog,
                                  sn_status (*visit)(void *ctx, const struct sn_rollup_row *row,
                                                     struct sn_err *err),
                                  void *ctx, int64_t *ret_raw_from_ms, struct sn_err *err) {
    STATEMENT statement = NULL;
    bool has_rows = false;
    uint64_t raw_from = (uint64_t)INT64_MIN;
    sn_status status = get_meta(catalog, "raw_from", &raw_from, err);
    if (status != SN_OK && status != SN_ERR_NOT_FOUND)
        return status;
    *ret_raw_from_ms = (int64_t)raw_from;
    SN_TRY(has_table(catalog, "rollup", &has_rows, err));
    if (!has_rows)
        return SN_OK;
    SN_TRY(
        prepare(catalog,
                "SELECT id, width_ms, start_ms, end_ms, rank, bytes, series_count,"
                " bucket_count, time_min_ms, time_max_ms FROM rollup ORDER BY width_ms, start_ms",
                &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        struct sn_rollup_row row = read_rollup(statement);
        SN_TRY(visit(ctx, &row, err));
    }
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

sn_status sn_catalog_add_rollup(struct sn_catalog *catalog, const struct sn_rollup_row *row,
                                struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(execute(catalog, rollup_schema, err));
    SN_TRY(prepare(catalog, "INSERT INTO rollup VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &statement,
                   err));
    const int64_t values[] = {(int64_t)row->file.id,
                              row->width_ms,
                              row->start_ms,
                              row->end_ms,
                              (int64_t)row->file.rank,
                              (int64_t)row->file.bytes,
                              (int64_t)row->file.series_count,
                              (int64_t)row->file.sample_count,
                              row->file.time_min,
                              row->file.time_max};
    for (int i = 0; i < (int)(sizeof values / sizeof *values); i++)
        sqlite3_bind_int64(statement, i + 1, values[i]);
    return step_done(catalog, statement, err);
}

sn_status sn_catalog_drop_rollup(struct sn_catalog *catalog, uint64_t id, struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(execute(catalog, rollup_schema, err));
    SN_TRY(prepare(catalog, "DELETE FROM rollup WHERE id = ?", &statement, err));
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    return step_done(catalog, statement, err);
}

sn_status sn_catalog_set_raw_from(struct sn_catalog *catalog, int64_t raw_from_ms,
                                  struct sn_err *err) {
    return put_meta(catalog, "raw_from", (uint64_t)raw_from_ms, err);
}

sn_status sn_catalog_drop_tombstones(struct sn_catalog *catalog, struct sn_err *err) {
    return execute(catalog, "DROP TABLE IF EXISTS tombstone", err);
}

sn_status sn_catalog_add_tombstone(struct sn_catalog *catalog, const struct sn_tombstone *tombstone,
                                   struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(execute(catalog, tombstone_schema, err));
    SN_TRY(prepare(catalog, "INSERT INTO tombstone VALUES(?, ?, ?, ?)", &statement, err));
    sqlite3_bind_int64(statement, 1, tombstone->series);
    sqlite3_bind_int64(statement, 2, tombstone->start_ms);
    sqlite3_bind_int64(statement, 3, tombstone->end_ms);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)tombstone->rank_max);
    return step_done(catalog, statement, err);
}

sn_status sn_catalog_load(struct sn_catalog *catalog, const struct sn_catalog_visitor *visitor,
                          uint64_t *ret_flushed_log, struct sn_err *err) {
    uint64_t flushed_log = 0;
    SN_TRY(load_series(catalog, visitor, err));
    if (visitor->series_end)
        SN_TRY(load_series_end(catalog, visitor, err));
    SN_TRY(load_segments(catalog, visitor, err));
    SN_TRY(load_metadata(catalog, visitor, err));
    if (visitor->churn)
        SN_TRY(load_churn(catalog, visitor, err));
    if (visitor->exemplars)
        SN_TRY(load_exemplars(catalog, visitor, err));
    sn_status status = get_meta(catalog, "flushed_log", &flushed_log, err);
    if (status != SN_OK && status != SN_ERR_NOT_FOUND)
        return status;
    *ret_flushed_log = flushed_log;
    return SN_OK;
}

/* ---- changing ---- */

sn_status sn_catalog_begin(struct sn_catalog *catalog, struct sn_err *err) {
    return execute(catalog, "BEGIN IMMEDIATE", err);
}

/* Write the series that wait. */
static sn_status put_block(struct sn_catalog *catalog, struct sn_err *err) {
    STATEMENT statement = NULL;
    if (catalog->block_count == 0)
        return SN_OK;
    if (sn_series_block_pack(sn_buf_str(&catalog->block), &catalog->packed) != SN_OK)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to store %u series",
                          catalog->block_count);
    SN_TRY(
        prepare(catalog, "INSERT OR REPLACE INTO series_block VALUES(?, ?, ?)", &statement, err));
    sqlite3_bind_int64(statement, 1, catalog->block_first);
    sqlite3_bind_int64(statement, 2, catalog->block_count);
    sqlite3_bind_blob64(statement, 3, catalog->packed.ptr, catalog->packed.len, SQLITE_STATIC);
    SN_TRY(step_done(catalog, statement, err));
    sn_buf_reset(&catalog->block);
    catalog->block_count = 0;
    return SN_OK;
}

sn_status sn_catalog_commit(struct sn_catalog *catalog, struct sn_err *err) {
    SN_TRY(put_block(catalog, err));
    return execute(catalog, "COMMIT", err);
}

void sn_catalog_rollback(struct sn_catalog *catalog) {
    sn_buf_reset(&catalog->block);
    catalog->block_count = 0;
    /* Fails when SQLite has rolled back by itself, which is as good. */
    (void)sqlite3_exec(catalog->db, "ROLLBACK", NULL, NULL, NULL);
}

sn_status sn_catalog_settle(struct sn_catalog *catalog, struct sn_err *err) {
    SN_TRY(sn_catalog_begin(catalog, err));
    sn_status status = put_meta(catalog, "format_version", SN_CATALOG_FORMAT_VERSION, err);
    if (status == SN_OK)
        status = sn_catalog_commit(catalog, err);
    if (status != SN_OK)
        sn_catalog_rollback(catalog);
    return status;
}

/* Blocks begin at the same series when a flush is tried again, so that they take the place of those of a
 * commit that failed and yet is on disk. */
sn_status sn_catalog_add_series(struct sn_catalog *catalog, uint32_t id, struct sn_str labels,
                                struct sn_err *err) {
    if (catalog->block_count > 0 && (catalog->block.len >= SN_SERIES_BLOCK_BYTES ||
                                     id != catalog->block_first + catalog->block_count))
        SN_TRY(put_block(catalog, err));
    if (catalog->block_count == 0)
        catalog->block_first = id;
    sn_series_block_add(&catalog->block, labels);
    catalog->block_count++;
    return sn_buf_status(&catalog->block, err);
}

/* ---- removing series ---- */

/* One row of series_block. */
struct block_row {
    uint32_t first;
    uint32_t count;
};

static sn_status drop_block(struct sn_catalog *catalog, uint32_t first, struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "DELETE FROM series_block WHERE first_id = ?", &statement, err));
    sqlite3_bind_int64(statement, 1, first);
    return step_done(catalog, statement, err);
}

static sn_status unpack_block(struct sn_catalog *catalog, uint32_t first, struct sn_buf *raw,
                              struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "SELECT labels FROM series_block WHERE first_id = ?", &statement, err));
    sqlite3_bind_int64(statement, 1, first);
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW)
        return failure(catalog->db, code, "read", err);
    return sn_series_block_unpack(column_bytes(statement, 0), raw, err);
}

/* Write a block again without the labels of those that are removed. */
static sn_status rewrite_block(struct sn_catalog *catalog, struct block_row row,
                               const struct sn_bitmap *removed, struct sn_buf *raw,
                               struct sn_err *err) {
    struct sn_str labels;
    uint32_t left = 0;
    SN_TRY(unpack_block(catalog, row.first, raw, err));
    const uint8_t *at = raw->ptr;
    const uint8_t *end = raw->ptr + raw->len;
    for (uint32_t i = 0; i < row.count; i++) {
        if (!sn_series_block_next(&at, end, &labels))
            return sn_err_set(err, SN_ERR_CORRUPT, "sonde.db: the block of series %u ends early",
                              row.first);
        if (sn_bitmap_contains(removed, row.first + i))
            labels.len = 0;
        left += labels.len > 0;
        SN_TRY(sn_catalog_add_series(catalog, row.first + i, labels, err));
    }
    if (left > 0)
        return put_block(catalog, err);
    sn_buf_reset(&catalog->block);
    catalog->block_count = 0;
    return drop_block(catalog, row.first, err);
}

/* All rows of series_block; the caller frees *ret_rows. */
static sn_status list_blocks(struct sn_catalog *catalog, struct block_row **ret_rows,
                             size_t *ret_count, struct sn_err *err) {
    STATEMENT statement = NULL;
    size_t capacity = 0;
    size_t count = 0;
    SN_TRY(prepare(catalog, "SELECT first_id, count FROM series_block ORDER BY first_id",
                   &statement, err));
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        if (count == capacity) {
            capacity = capacity ? capacity * 2 : 64;
            struct block_row *rows = sn_realloc_array(*ret_rows, capacity, sizeof *rows);
            if (!rows)
                return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to list blocks of series");
            *ret_rows = rows;
        }
        (*ret_rows)[count++] =
            (struct block_row){.first = (uint32_t)sqlite3_column_int64(statement, 0),
                               .count = (uint32_t)sqlite3_column_int64(statement, 1)};
    }
    *ret_count = count;
    return code == SQLITE_DONE ? SN_OK : failure(catalog->db, code, "read", err);
}

static sn_status remove_from_blocks(struct sn_catalog *catalog, const struct sn_bitmap *removed,
                                    struct sn_err *err) {
    struct block_row *rows = NULL;
    size_t count = 0;
    struct sn_buf raw;
    sn_buf_init(&raw, 0);
    sn_status status = list_blocks(catalog, &rows, &count, err);
    for (size_t i = 0; i < count && status == SN_OK; i++) {
        uint32_t k = 0;
        while (k < rows[i].count && !sn_bitmap_contains(removed, rows[i].first + k))
            k++;
        if (k < rows[i].count)
            status = rewrite_block(catalog, rows[i], removed, &raw, err);
    }
    sn_buf_release(&raw);
    sn_free(rows);
    return status;
}

/* Version 1 has a row per series. */
static sn_status remove_rows(struct sn_catalog *catalog, const struct sn_bitmap *removed,
                             struct sn_err *err) {
    STATEMENT statement = NULL;
    bool has_rows = false;
    size_t count = sn_bitmap_count(removed);
    SN_TRY(has_table(catalog, "series", &has_rows, err));
    if (!has_rows)
        return SN_OK;
    SN_CLEANUP(sn_free_ptr) uint32_t *ids = sn_realloc_array(NULL, count + 1, sizeof *ids);
    if (!ids)
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to remove %zu series", count);
    sn_bitmap_ids(removed, ids);
    SN_TRY(prepare(catalog, "DELETE FROM series WHERE id = ?", &statement, err));
    for (size_t i = 0; i < count; i++) {
        sqlite3_bind_int64(statement, 1, ids[i]);
        SN_TRY(step_done(catalog, statement, err));
        sqlite3_reset(statement);
    }
    return SN_OK;
}

sn_status sn_catalog_remove_series(struct sn_catalog *catalog, const struct sn_bitmap *removed,
                                   uint32_t series_end, struct sn_err *err) {
    SN_TRY(put_block(catalog, err));
    SN_TRY(remove_from_blocks(catalog, removed, err));
    SN_TRY(remove_rows(catalog, removed, err));
    return put_meta(catalog, "series_end", series_end, err);
}

sn_status sn_catalog_add_segment(struct sn_catalog *catalog, const struct sn_segment_row *row,
                                 struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "INSERT INTO segment VALUES(?, ?, ?, ?, ?, ?, ?)", &statement, err));
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)row->id);
    sqlite3_bind_int64(statement, 2, (sqlite3_int64)row->rank);
    sqlite3_bind_int64(statement, 3, (sqlite3_int64)row->bytes);
    sqlite3_bind_int64(statement, 4, (sqlite3_int64)row->series_count);
    sqlite3_bind_int64(statement, 5, (sqlite3_int64)row->sample_count);
    sqlite3_bind_int64(statement, 6, row->time_min);
    sqlite3_bind_int64(statement, 7, row->time_max);
    return step_done(catalog, statement, err);
}

static void bind_str(sqlite3_stmt *statement, int column, struct sn_str text) {
    sqlite3_bind_text(statement, column, text.len ? text.ptr : "", (int)text.len, SQLITE_STATIC);
}

sn_status sn_catalog_put_metadata(struct sn_catalog *catalog, const struct sn_metadata *metadata,
                                  struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(execute(catalog, metadata_schema, err));
    SN_TRY(prepare(catalog, "INSERT OR REPLACE INTO metric_metadata VALUES(?, ?, ?, ?)", &statement,
                   err));
    bind_str(statement, 1, metadata->metric_name);
    sqlite3_bind_int(statement, 2, (int)metadata->type);
    bind_str(statement, 3, metadata->help);
    bind_str(statement, 4, metadata->unit);
    return step_done(catalog, statement, err);
}

static void make_churn_key(char ret_key[32], int64_t hour_ms) {
    (void)snprintf(ret_key, 32, CHURN_KEY "%016lld", (long long)(hour_ms > 0 ? hour_ms : 0));
}

sn_status sn_catalog_put_churn(struct sn_catalog *catalog, int64_t hour_ms, uint64_t count,
                               int64_t forget_ms, struct sn_err *err) {
    STATEMENT forget = NULL;
    char key[32];
    make_churn_key(key, hour_ms);
    SN_TRY(put_meta(catalog, key, count, err));
    make_churn_key(key, forget_ms);
    SN_TRY(prepare(catalog, "DELETE FROM store_meta WHERE key >= 'created@' AND key < ?", &forget,
                   err));
    sqlite3_bind_text(forget, 1, key, -1, SQLITE_STATIC);
    return step_done(catalog, forget, err);
}

sn_status sn_catalog_put_exemplars(struct sn_catalog *catalog, uint64_t id, struct sn_str records,
                                   uint64_t forget_below, struct sn_err *err) {
    STATEMENT put = NULL;
    SN_TRY(execute(catalog, exemplar_schema, err));
    SN_TRY(prepare(catalog, "INSERT OR REPLACE INTO exemplar VALUES(?, ?)", &put, err));
    sqlite3_bind_int64(put, 1, (sqlite3_int64)id);
    /* A NULL pointer would be NULL, not an empty row. */
    sqlite3_bind_blob64(put, 2, records.len ? records.ptr : "", records.len, SQLITE_STATIC);
    SN_TRY(step_done(catalog, put, err));
    STATEMENT forget = NULL;
    SN_TRY(prepare(catalog, "DELETE FROM exemplar WHERE id < ?", &forget, err));
    sqlite3_bind_int64(forget, 1, (sqlite3_int64)forget_below);
    return step_done(catalog, forget, err);
}

sn_status sn_catalog_set_flushed_log(struct sn_catalog *catalog, uint64_t log, struct sn_err *err) {
    return put_meta(catalog, "flushed_log", log, err);
}

sn_status sn_catalog_drop_segment(struct sn_catalog *catalog, uint64_t id, struct sn_err *err) {
    STATEMENT statement = NULL;
    SN_TRY(prepare(catalog, "DELETE FROM segment WHERE id = ?", &statement, err));
    sqlite3_bind_int64(statement, 1, (sqlite3_int64)id);
    return step_done(catalog, statement, err);
}
