/*
 * Connections of the SQLite engine and its table of functions. See lite.h.
 */
#include "records/lite_priv.h"

#include "base/check.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/os.h"
#include "base/rng.h"
#include "records/records_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum {
    WRITER_CACHE_KIB = 16384,
    READER_CACHE_KIB = 8192,
    CHECKPOINT_PAGES = 4000,
    PROGRESS_STEPS = 20000, /* of SQLite's machine, well below a millisecond */
};

/* ---- statements ---- */

sn_status sn_lite_failure(struct sn_lite_connection *connection, int code, struct sn_err *err) {
    if ((code & 0xff) == SQLITE_INTERRUPT)
        return sn_err_set(err, SN_ERR_TIMEOUT,
                          "reading took too long: ask for a shorter time range");
    return sn_sqlite_failure(connection->db, code, err);
}

sn_status sn_lite_statement(struct sn_lite_connection *connection, enum sn_lite_sql sql,
                            sqlite3_stmt **ret_statement, struct sn_err *err) {
    sqlite3_stmt *statement = connection->statements[sql];
    if (statement == NULL) {
        int code = sqlite3_prepare_v3(connection->db, sn_lite_sql_text[sql], -1,
                                      SQLITE_PREPARE_PERSISTENT, &statement, NULL);
        if (code != SQLITE_OK)
            return sn_lite_failure(connection, code, err);
        connection->statements[sql] = statement;
    }
    (void)sqlite3_reset(statement); /* repeats the failure of its last step */
    (void)sqlite3_clear_bindings(statement);
    *ret_statement = statement;
    return SN_OK;
}

sn_status sn_lite_simple(struct sn_lite_connection *connection, enum sn_lite_sql sql,
                         struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(connection, sql, &statement, err));
    return sn_sqlite_run(connection->db, statement, err);
}

void sn_lite_bind_optional(sqlite3_stmt *statement, int column, struct sn_str text) {
    if (text.len > 0)
        sn_sqlite_bind_text(statement, column, text);
}

/* ---- connections ---- */

static int is_late(void *ctx) {
    const struct sn_lite_connection *connection = ctx;
    return sn_clock_mono_ns(sn_clock_system()) > connection->deadline_mono_ns;
}

static sn_status connect_to(struct sn_lite_connection *connection, const char *path, int cache_kib,
                            struct sn_err *err) {
    char pragmas[128];
    SN_TRY(sn_sqlite_open(path, &connection->db, err));
    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA cache_size=-%d; PRAGMA wal_autocheckpoint=%d;",
                   cache_kib, CHECKPOINT_PAGES);
    return sn_sqlite_execute(connection->db, pragmas, err);
}

static void disconnect(struct sn_lite_connection *connection) {
    for (size_t i = 0; i < SN_LITE_COUNT; i++)
        (void)sqlite3_finalize(connection->statements[i]); /* repeats an earlier failure */
    (void)sn_sqlite_close(connection->db);                 /* NULL, always */
    *connection = (struct sn_lite_connection){0};
}

/* A free reader, or NULL. */
static struct sn_lite_connection *free_reader_locked(struct sn_lite *lite) SN_REQUIRES(&lite->mu) {
    for (size_t i = 0; i < SN_LITE_READERS; i++)
        if (!lite->readers[i].is_taken)
            return &lite->readers[i];
    return NULL;
}

static sn_status begin_read(struct sn_lite *lite, struct sn_lite_connection *reader,
                            struct sn_err *err) {
    if (reader->db == NULL) {
        sn_status status = connect_to(reader, lite->path, READER_CACHE_KIB, err);
        if (status != SN_OK) {
            reader->db = sn_sqlite_close(reader->db);
            return status;
        }
        sqlite3_progress_handler(reader->db, PROGRESS_STEPS, is_late, reader);
    }
    reader->deadline_mono_ns = sn_clock_mono_ns(sn_clock_system()) + lite->read_timeout_ns;
    return sn_lite_simple(reader, SN_LITE_BEGIN, err);
}

sn_status sn_lite_reader_take(struct sn_lite *lite, struct sn_lite_connection **ret_reader,
                              struct sn_err *err) {
    struct sn_lite_connection *reader;
    sn_mutex_lock(&lite->mu);
    while ((reader = free_reader_locked(lite)) == NULL)
        sn_cond_wait(&lite->is_free, &lite->mu);
    reader->is_taken = true;
    sn_mutex_unlock(&lite->mu);
    sn_status status = begin_read(lite, reader, err);
    if (status != SN_OK)
        sn_lite_reader_give(lite, reader);
    else
        *ret_reader = reader;
    return status;
}

void sn_lite_reader_give(struct sn_lite *lite, struct sn_lite_connection *reader) {
    for (size_t i = 0; i < SN_LITE_COUNT; i++)
        if (reader->statements[i] != NULL)
            (void)sqlite3_reset(reader->statements[i]); /* repeats an earlier failure */
    if (reader->db != NULL)
        sn_sqlite_rollback(reader->db);
    sn_mutex_lock(&lite->mu);
    reader->is_taken = false;
    sn_cond_signal(&lite->is_free);
    sn_mutex_unlock(&lite->mu);
}

/* ---- the functions of an engine ---- */

/* What a write holds; the first part that fails for itself ends it, with nothing done so far. */
static sn_status apply(struct sn_lite *lite, struct sn_engine_write *write, struct sn_err *err) {
    SN_TRY(sn_lite_add_records(lite, write, err));
    if (write->status == SN_OK && write->event_count > 0)
        SN_TRY(sn_lite_add_events(lite, write, err));
    if (write->status == SN_OK && write->error_change != NULL)
        SN_TRY(sn_lite_change_error(lite, write, err));
    if (write->status == SN_OK && write->usage != NULL)
        SN_TRY(sn_lite_put_usage(lite, write, err));
    return SN_OK;
}

static sn_status commit_all(struct sn_lite *lite, struct sn_engine_write *const *writes,
                            size_t write_count, struct sn_err *err) {
    SN_TRY(sn_lite_simple(&lite->writer, SN_LITE_BEGIN_WRITE, err));
    for (size_t i = 0; i < write_count; i++)
        SN_TRY(apply(lite, writes[i], err));
    return sn_lite_simple(&lite->writer, SN_LITE_COMMIT, err);
}

static sn_status commit(void *ctx, struct sn_engine_write *const *writes, size_t write_count,
                        struct sn_err *err) {
    struct sn_lite *lite = ctx;
    if (lite->next_dimension == 0)
        SN_TRY(sn_lite_load_dimensions(lite, err));
    sn_status status = commit_all(lite, writes, write_count, err);
    if (status != SN_OK) {
        sn_sqlite_rollback(lite->writer.db);
        lite->error_group_count = -1;
        lite->next_dimension = 0; /* the map may hold what was rolled back: load it anew */
    }
    return status;
}

static sn_status list(void *ctx, const struct sn_record_page *page, struct sn_arena *arena,
                      struct sn_record_list *ret_list, struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_list(ctx, reader, page, arena, ret_list, err);
    sn_lite_reader_give(ctx, reader);
    return status;
}

static sn_status get(void *ctx, const struct sn_record_id *id, struct sn_arena *arena,
                     struct sn_record *ret_record, struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_get(ctx, reader, id, arena, ret_record, err);
    sn_lite_reader_give(ctx, reader);
    return status;
}

static sn_status scan(void *ctx, const struct sn_record_filter *filter,
                      const struct sn_record_visitor *visitor, struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_scan(reader, filter, visitor, err);
    sn_lite_reader_give(ctx, reader);
    return status;
}

static sn_status scan_events(void *ctx, struct sn_str app, struct sn_range_ms range,
                             const struct sn_app_event_visitor *visitor, struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_scan_events(reader, app, range, visitor, err);
    sn_lite_reader_give(ctx, reader);
    return status;
}

static sn_status scan_usage(void *ctx, struct sn_str app, struct sn_range_ms range,
                            const struct sn_usage_visitor *visitor, struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_scan_usage(reader, app, range, visitor, err);
    sn_lite_reader_give(ctx, reader);
    return status;
}

static sn_status list_errors(void *ctx, const struct sn_error_filter *filter,
                             struct sn_arena *arena, struct sn_error_list *ret_list,
                             struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_list_errors(reader, filter, arena, ret_list, err);
    sn_lite_reader_give(ctx, reader);
    return status;
}

static sn_status purge(void *ctx, const struct sn_engine_purge *purge, size_t *ret_count,
                       struct sn_err *err) {
    struct sn_lite *lite = ctx;
    SN_TRY(sn_lite_simple(&lite->writer, SN_LITE_BEGIN_WRITE, err));
    sn_status status = purge->is_events ? sn_lite_purge_events(lite, purge, ret_count, err)
                                        : sn_lite_purge_records(lite, purge, ret_count, err);
    if (status == SN_OK)
        status = sn_lite_simple(&lite->writer, SN_LITE_COMMIT, err);
    if (status != SN_OK)
        sn_sqlite_rollback(lite->writer.db);
    return status;
}

static sn_status ping(void *ctx, struct sn_err *err) {
    struct sn_lite_connection *reader = NULL;
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_reader_take(ctx, &reader, err));
    sn_status status = sn_lite_statement(reader, SN_LITE_LAST_ROW, &statement, err);
    if (status == SN_OK) {
        int code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            status = sn_lite_failure(reader, code, err);
    }
    sn_lite_reader_give(ctx, reader);
    return status;
}

static void close(void *ctx) {
    struct sn_lite *lite = ctx;
    for (size_t i = 0; i < SN_LITE_READERS; i++)
        disconnect(&lite->readers[i]);
    disconnect(&lite->writer);
    sn_map_release(&lite->dimensions);
    sn_buf_release(&lite->scratch);
    sn_buf_release(&lite->entries);
    sn_cond_release(&lite->is_free);
    sn_mutex_release(&lite->mu);
    sn_free(lite->path);
    sn_free(lite);
}

static const struct sn_engine_ops sqlite_ops = {
    .name = "sqlite",
    .commit = commit,
    .list = list,
    .get = get,
    .scan = scan,
    .scan_events = scan_events,
    .scan_usage = scan_usage,
    .list_errors = list_errors,
    .purge = purge,
    .ping = ping,
    .close = close,
};

/* ---- opening ---- */

static sn_status read_secret(struct sn_lite *lite, const char *key, int64_t *ret_value,
                             struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_GET_META, &statement, err));
    sn_sqlite_bind_text(statement, 1, sn_str_from(key));
    int code = sqlite3_step(statement);
    if (code == SQLITE_DONE)
        return sn_err_set(err, SN_ERR_CORRUPT, "records_meta has no row %s", key);
    if (code != SQLITE_ROW)
        return sn_lite_failure(&lite->writer, code, err);
    *ret_value = sqlite3_column_int64(statement, 0) & ((INT64_C(1) << 34) - 1);
    (void)sqlite3_reset(statement); /* it gave its row */
    return SN_OK;
}

static sn_status open_all(struct sn_lite *lite, struct sn_err *err) {
    SN_TRY(connect_to(&lite->writer, lite->path, WRITER_CACHE_KIB, err));
    SN_TRY(sn_lite_migrate(lite->writer.db, err));
    SN_TRY(read_secret(lite, "id_a", &lite->key.a, err));
    SN_TRY(read_secret(lite, "id_b", &lite->key.b, err));
    SN_TRY(read_secret(lite, "id_c", &lite->key.c, err));
    return sn_lite_load_dimensions(lite, err);
}

sn_status sn_lite_open(const struct sn_lite_options *options, struct sn_engine *ret_engine,
                       struct sn_err *err) {
    char db_path[SN_RECORDS_DB_PATH_SIZE];
    SN_TRY(sn_records_db_path(options->dir, db_path, err));
    struct sn_lite *lite = sn_alloc_zero(1, sizeof *lite);
    char *path = sn_strdup(db_path);
    if (lite == NULL || path == NULL) {
        sn_free(lite);
        sn_free(path);
        return sn_err_set(err, SN_ERR_NO_MEMORY, "no memory to open the records");
    }
    int64_t timeout_ms =
        options->read_timeout_ms > 0 ? options->read_timeout_ms : SN_LITE_READ_TIMEOUT_MS;
    lite->path = path;
    lite->error_group_count = -1;
    lite->read_timeout_ns = timeout_ms * 1000000;
    lite->dimensions_max =
        options->dimensions_max > 0 ? options->dimensions_max : SN_LITE_DIMENSIONS_MAX;
    sn_map_init(&lite->dimensions, lite->dimensions_max, sn_rng_system_seed());
    sn_buf_init(&lite->scratch, 0);
    sn_buf_init(&lite->entries, 0);
    sn_mutex_init(&lite->mu, SN_RANK_RECORDS_POOL, "records-pool");
    sn_cond_init(&lite->is_free);
    sn_status status = open_all(lite, err);
    if (status != SN_OK) {
        close(lite);
        return status;
    }
    *ret_engine = (struct sn_engine){.ctx = lite, .ops = &sqlite_ops};
    return SN_OK;
}
