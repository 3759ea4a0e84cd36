/*
 * What the files of the SQLite engine share: connections, statements, status codes.
 */
#ifndef SN_RECORDS_LITE_PRIV_H
#define SN_RECORDS_LITE_PRIV_H

#include "base/buf.h"
#include "base/lock.h"
#include "base/map.h"
#include "records/lite.h"
#include "records/record_id.h"
#include "records/sqlite.h"

/* Statements that are compiled once per connection. Their text is in lite_sql.c. */
enum sn_lite_sql {
    SN_LITE_BEGIN,
    SN_LITE_BEGIN_WRITE,
    SN_LITE_COMMIT,
    SN_LITE_GET_META,
    SN_LITE_PUT_META,
    SN_LITE_LOAD_DIMENSIONS,
    SN_LITE_ADD_DIMENSION,
    SN_LITE_FIND_DIMENSIONS,
    SN_LITE_LAST_ROW,
    SN_LITE_ADD_RECORD,
    SN_LITE_NEWEST,
    SN_LITE_GET_RECORD,
    SN_LITE_SCAN_VALUES,
    SN_LITE_SCAN_COUNTS,
    SN_LITE_PURGE,
    SN_LITE_ADD_EVENT,
    SN_LITE_ADD_DIRTY,
    SN_LITE_ADD_ERROR,
    SN_LITE_ADD_ERROR_USER,
    SN_LITE_COUNT_ERRORS,
    SN_LITE_SCAN_EVENTS,
    SN_LITE_SCAN_USAGE,
    SN_LITE_LIST_ERRORS,
    SN_LITE_RESOLVE_ERROR,
    SN_LITE_REOPEN_ERROR,
    SN_LITE_COUNT_EVENTS,
    SN_LITE_PUT_USAGE,
    SN_LITE_DROP_DIRTY,
    SN_LITE_PURGE_EVENTS,
    SN_LITE_PURGE_ERRORS,
    SN_LITE_PURGE_ERROR_USERS,
    SN_LITE_PURGE_USAGE,
    SN_LITE_COUNT,
};
extern const char *const sn_lite_sql_text[SN_LITE_COUNT];

/* One thread at a time. */
struct sn_lite_connection {
    sqlite3 *db;
    sqlite3_stmt *statements[SN_LITE_COUNT];
    int64_t deadline_mono_ns; /* of the read under way */
    bool is_taken;            /* a reader's: guarded by the engine's mu */
};

struct sn_lite {
    char *path; /* owned */
    struct sn_record_id_key key;
    int64_t read_timeout_ns;
    size_t dimensions_max;
    /* The records writer's. */
    struct sn_lite_connection writer;
    struct sn_map dimensions; /* type, name, service, unit -> k */
    struct sn_buf scratch;    /* key of the map in the making */
    struct sn_buf entries;    /* dimensions of the write under way */
    int64_t next_row;
    int64_t next_dimension;
    int64_t error_group_count; /* negative: not known */
    /* Guarded by mu. */
    struct sn_mutex mu;
    struct sn_cond is_free;
    struct sn_lite_connection readers[SN_LITE_READERS];
};

/* ---- lite.c ---- */

/* The failure of a step; a read that passed its deadline is SN_ERR_TIMEOUT. */
sn_status sn_lite_failure(struct sn_lite_connection *connection, int code, struct sn_err *err);

/* The statement, compiled if need be, reset and without bindings. */
sn_status sn_lite_statement(struct sn_lite_connection *connection, enum sn_lite_sql sql,
                            sqlite3_stmt **ret_statement, struct sn_err *err) SN_MUST_USE;

/* Run to its end a statement without parameters that gives no rows. */
sn_status sn_lite_simple(struct sn_lite_connection *connection, enum sn_lite_sql sql,
                         struct sn_err *err) SN_MUST_USE;

/* NULL in place of empty text. */
void sn_lite_bind_optional(sqlite3_stmt *statement, int column, struct sn_str text);

/* A connection for reading, inside a transaction; waits for a free one. Give it back. */
sn_status sn_lite_reader_take(struct sn_lite *lite, struct sn_lite_connection **ret_reader,
                              struct sn_err *err) SN_MUST_USE;
void sn_lite_reader_give(struct sn_lite *lite, struct sn_lite_connection *reader);

/* ---- lite_records.c, lite_list.c ---- */

sn_status sn_lite_load_dimensions(struct sn_lite *lite, struct sn_err *err) SN_MUST_USE;
/* Inside a transaction. The failure of the write alone is in its status. */
sn_status sn_lite_add_records(struct sn_lite *lite, struct sn_engine_write *write,
                              struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_purge_records(struct sn_lite *lite, const struct sn_engine_purge *purge,
                                size_t *ret_count, struct sn_err *err) SN_MUST_USE;

/* The dimensions that pass a filter. */
struct sn_lite_key {
    int64_t k;
    bool has_counts; /* success rates: their rows may have two counts */
};
struct sn_lite_keys {
    struct sn_lite_key *items; /* [count] in the arena */
    size_t count;
};
sn_status sn_lite_find_keys(struct sn_lite_connection *reader,
                            const struct sn_record_filter *filter, struct sn_arena *arena,
                            struct sn_lite_keys *ret_keys, struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_list(struct sn_lite *lite, struct sn_lite_connection *reader,
                       const struct sn_record_page *page, struct sn_arena *arena,
                       struct sn_record_list *ret_list, struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_get(struct sn_lite *lite, struct sn_lite_connection *reader,
                      const struct sn_record_id *id, struct sn_arena *arena,
                      struct sn_record *ret_record, struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_scan(struct sn_lite_connection *reader, const struct sn_record_filter *filter,
                       const struct sn_record_visitor *visitor, struct sn_err *err) SN_MUST_USE;

/* ---- lite_events.c, lite_errors.c ---- */

/* Inside a transaction. */
sn_status sn_lite_add_events(struct sn_lite *lite, struct sn_engine_write *write,
                             struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_put_usage(struct sn_lite *lite, struct sn_engine_write *write,
                            struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_purge_events(struct sn_lite *lite, const struct sn_engine_purge *purge,
                               size_t *ret_count, struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_add_error(struct sn_lite *lite, const struct sn_app_event *event,
                            struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_change_error(struct sn_lite *lite, struct sn_engine_write *write,
                               struct sn_err *err) SN_MUST_USE;

sn_status sn_lite_scan_events(struct sn_lite_connection *reader, struct sn_str app,
                              struct sn_range_ms range, const struct sn_app_event_visitor *visitor,
                              struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_scan_usage(struct sn_lite_connection *reader, struct sn_str app,
                             struct sn_range_ms range, const struct sn_usage_visitor *visitor,
                             struct sn_err *err) SN_MUST_USE;
sn_status sn_lite_list_errors(struct sn_lite_connection *reader,
                              const struct sn_error_filter *filter, struct sn_arena *arena,
                              struct sn_error_list *ret_list, struct sn_err *err) SN_MUST_USE;

/* ---- lite_sql.c ---- */

/* Bring the schema to the newest version. */
sn_status sn_lite_migrate(sqlite3 *db, struct sn_err *err) SN_MUST_USE;

#endif
