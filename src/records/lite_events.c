/*
 * Events and summaries of hours in SQLite. See lite.h. Writing runs on the records writer.
 */
#include "records/lite_priv.h"

/* ---- writing ---- */

static sn_status add_event(struct sn_lite *lite, const struct sn_app_event *event,
                           struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    sn_buf_reset(&lite->scratch);
    sn_app_event_items_encode(event->items, event->item_count, &lite->scratch);
    SN_TRY(sn_buf_status(&lite->scratch, err));
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_ADD_EVENT, &statement, err));
    sqlite3_bind_int64(statement, 1, event->time_ms);
    sn_sqlite_bind_text(statement, 2, event->app);
    sn_sqlite_bind_text(statement, 3, event->type);
    sn_sqlite_bind_text(statement, 4, event->user_id);
    sqlite3_bind_int(statement, 5, (int)event->outcome);
    if (event->has_duration)
        sqlite3_bind_double(statement, 6, event->duration_ms);
    sqlite3_bind_double(statement, 7, event->quantity);
    sqlite3_bind_double(statement, 8, event->credits);
    if (lite->scratch.len > 0)
        sn_sqlite_bind_blob(statement, 9, sn_buf_str(&lite->scratch));
    sn_lite_bind_optional(statement, 10, event->error_class);
    sn_lite_bind_optional(statement, 11, event->error_message);
    sn_lite_bind_optional(statement, 12, event->error_type);
    sn_lite_bind_optional(statement, 13, event->metadata);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

static sn_status add_dirty(struct sn_lite *lite, const struct sn_app_event *event,
                           struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_ADD_DIRTY, &statement, err));
    sn_sqlite_bind_text(statement, 1, event->app);
    sqlite3_bind_int64(statement, 2, event->time_ms / SN_HOUR_MS);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

sn_status sn_lite_add_events(struct sn_lite *lite, struct sn_engine_write *write,
                             struct sn_err *err) {
    const struct sn_app_event *before = NULL;
    for (size_t i = 0; i < write->event_count; i++) {
        const struct sn_app_event *event = &write->events[i];
        bool is_same_hour = before != NULL && sn_str_equal(before->app, event->app) &&
                            before->time_ms / SN_HOUR_MS == event->time_ms / SN_HOUR_MS;
        SN_TRY(add_event(lite, event, err));
        if (!is_same_hour)
            SN_TRY(add_dirty(lite, event, err));
        if (event->error_class.len > 0)
            SN_TRY(sn_lite_add_error(lite, event, err));
        before = event;
    }
    return SN_OK;
}

static sn_status count_events(struct sn_lite *lite, const struct sn_engine_usage *usage,
                              uint64_t *ret_count, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_COUNT_EVENTS, &statement, err));
    sn_sqlite_bind_text(statement, 1, usage->app);
    sqlite3_bind_int64(statement, 2, usage->hour * SN_HOUR_MS);
    sqlite3_bind_int64(statement, 3, (usage->hour + 1) * SN_HOUR_MS);
    int code = sqlite3_step(statement);
    *ret_count = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(statement, 0) : 0;
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    return code == SQLITE_ROW ? SN_OK : sn_lite_failure(&lite->writer, code, err);
}

sn_status sn_lite_put_usage(struct sn_lite *lite, struct sn_engine_write *write,
                            struct sn_err *err) {
    const struct sn_engine_usage *usage = write->usage;
    sqlite3_stmt *statement = NULL;
    uint64_t count = 0;
    SN_TRY(count_events(lite, usage, &count, err));
    if (count != usage->event_count) {
        write->status = sn_err_set(&write->err, SN_ERR_BUSY, "the hour has got other events");
        return SN_OK;
    }
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_PUT_USAGE, &statement, err));
    sn_sqlite_bind_text(statement, 1, usage->app);
    sqlite3_bind_int64(statement, 2, usage->hour);
    sn_sqlite_bind_blob(statement, 3, usage->summary);
    SN_TRY(sn_sqlite_run(lite->writer.db, statement, err));
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_DROP_DIRTY, &statement, err));
    sn_sqlite_bind_text(statement, 1, usage->app);
    sqlite3_bind_int64(statement, 2, usage->hour);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

static sn_status delete_before(struct sn_lite *lite, enum sn_lite_sql sql, int64_t bound,
                               struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, sql, &statement, err));
    sqlite3_bind_int64(statement, 1, bound);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

/* Whole hours only, so that no hour without a summary is read from a part of its events. */
sn_status sn_lite_purge_events(struct sn_lite *lite, const struct sn_engine_purge *purge,
                               size_t *ret_count, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    int64_t hour = purge->before_ms / SN_HOUR_MS;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_PURGE_EVENTS, &statement, err));
    sqlite3_bind_int64(statement, 1, hour * SN_HOUR_MS);
    sqlite3_bind_int64(statement, 2, (int64_t)purge->row_max);
    SN_TRY(sn_sqlite_run(lite->writer.db, statement, err));
    *ret_count = (size_t)sqlite3_changes(lite->writer.db);
    SN_TRY(delete_before(lite, SN_LITE_PURGE_USAGE, hour, err));
    SN_TRY(delete_before(lite, SN_LITE_PURGE_ERRORS, hour * SN_HOUR_MS, err));
    if (sqlite3_changes(lite->writer.db) == 0)
        return SN_OK;
    lite->error_group_count = -1;
    return sn_lite_simple(&lite->writer, SN_LITE_PURGE_ERROR_USERS, err);
}

/* ---- reading ---- */

static sn_status visit_row(sqlite3_stmt *statement, struct sn_str app, struct sn_arena *arena,
                           const struct sn_app_event_visitor *visitor, struct sn_err *err) {
    int outcome = sqlite3_column_int(statement, 3);
    struct sn_app_event event = {
        .app = app,
        .time_ms = sqlite3_column_int64(statement, 0),
        .type = sn_sqlite_column_text(statement, 1),
        .user_id = sn_sqlite_column_text(statement, 2),
        .outcome = outcome >= SN_OUTCOME_OK && outcome <= SN_OUTCOME_ABORTED
                       ? (enum sn_outcome)outcome
                       : SN_OUTCOME_ABORTED,
        .has_duration = sqlite3_column_type(statement, 4) != SQLITE_NULL,
        .duration_ms = sqlite3_column_double(statement, 4),
        .quantity = sqlite3_column_double(statement, 5),
        .credits = sqlite3_column_double(statement, 6),
    };
    if (sqlite3_column_type(statement, 7) != SQLITE_NULL) {
        sn_arena_reset(arena);
        SN_TRY(sn_app_event_items_decode(sn_sqlite_column_blob(statement, 7), arena, &event.items,
                                         &event.item_count, err));
    }
    if (sqlite3_column_type(statement, 8) != SQLITE_NULL) {
        event.error_class = sn_sqlite_column_text(statement, 8);
        event.error_message = sn_sqlite_column_text(statement, 9);
        event.error_type = sn_sqlite_column_text(statement, 10);
    }
    return visitor->visit(visitor->ctx, &event, err);
}

sn_status sn_lite_scan_events(struct sn_lite_connection *reader, struct sn_str app,
                              struct sn_range_ms range, const struct sn_app_event_visitor *visitor,
                              struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    struct sn_arena arena;
    SN_TRY(sn_lite_statement(reader, SN_LITE_SCAN_EVENTS, &statement, err));
    sn_sqlite_bind_text(statement, 1, app);
    sqlite3_bind_int64(statement, 2, range.start_ms);
    sqlite3_bind_int64(statement, 3, range.end_ms);
    sn_arena_init(&arena, 0);
    sn_status status = SN_OK;
    int code = SQLITE_ROW;
    while (status == SN_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        status = visit_row(statement, app, &arena, visitor, err);
    if (status == SN_OK && code != SQLITE_DONE)
        status = sn_lite_failure(reader, code, err);
    sn_arena_release(&arena);
    return status;
}

sn_status sn_lite_scan_usage(struct sn_lite_connection *reader, struct sn_str app,
                             struct sn_range_ms range, const struct sn_usage_visitor *visitor,
                             struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(reader, SN_LITE_SCAN_USAGE, &statement, err));
    sn_lite_bind_optional(statement, 1, app);
    sqlite3_bind_int64(statement, 2, range.start_ms / SN_HOUR_MS);
    sqlite3_bind_int64(statement, 3, (range.end_ms + SN_HOUR_MS - 1) / SN_HOUR_MS);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        bool has_summary = sqlite3_column_type(statement, 2) != SQLITE_NULL;
        struct sn_str summary =
            has_summary ? sn_sqlite_column_blob(statement, 2) : (struct sn_str){NULL, 0};
        SN_TRY(visitor->visit(visitor->ctx, sn_sqlite_column_text(statement, 0),
                              sqlite3_column_int64(statement, 1), summary, err));
    }
    return code == SQLITE_DONE ? SN_OK : sn_lite_failure(reader, code, err);
}
