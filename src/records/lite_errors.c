/*
 * Groups of errors in SQLite. See lite.h. Writing runs on the records writer.
 */
#include "records/lite_priv.h"

static sn_status count_groups(struct sn_lite *lite, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_COUNT_ERRORS, &statement, err));
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        lite->error_group_count = sqlite3_column_int64(statement, 0);
    (void)sqlite3_reset(statement); /* repeats the failure of the step */
    return code == SQLITE_ROW ? SN_OK : sn_lite_failure(&lite->writer, code, err);
}

static sn_status add_user(struct sn_lite *lite, int64_t id, struct sn_str user_id,
                          struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_ADD_ERROR_USER, &statement, err));
    sqlite3_bind_int64(statement, 1, id);
    sn_sqlite_bind_text(statement, 2, user_id);
    return sn_sqlite_run(lite->writer.db, statement, err);
}

sn_status sn_lite_add_error(struct sn_lite *lite, const struct sn_app_event *event,
                            struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    if (lite->error_group_count < 0)
        SN_TRY(count_groups(lite, err));
    bool is_full = lite->error_group_count >= SN_LITE_ERROR_GROUPS_MAX;
    SN_TRY(sn_lite_statement(&lite->writer, SN_LITE_ADD_ERROR, &statement, err));
    sn_sqlite_bind_text(statement, 1, event->app);
    sn_sqlite_bind_text(statement, 2, event->type);
    sn_sqlite_bind_text(statement, 3, event->error_class);
    sn_sqlite_bind_text(statement, 4, is_full ? SN_STR("__other__") : event->error_group);
    sqlite3_bind_int64(statement, 5, event->time_ms);
    sn_sqlite_bind_text(statement, 6, event->error_message);
    sn_sqlite_bind_text(statement, 7, event->error_type);
    int code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        sn_status status = sn_lite_failure(&lite->writer, code, err);
        (void)sqlite3_reset(statement); /* repeats the failure of the step */
        return status;
    }
    int64_t id = sqlite3_column_int64(statement, 0);
    lite->error_group_count += sqlite3_column_int64(statement, 1) == 1;
    (void)sqlite3_reset(statement); /* it gave its row */
    return event->user_id.len > 0 ? add_user(lite, id, event->user_id, err) : SN_OK;
}

sn_status sn_lite_change_error(struct sn_lite *lite, struct sn_engine_write *write,
                               struct sn_err *err) {
    const struct sn_engine_error_change *change = write->error_change;
    sqlite3_stmt *statement = NULL;
    enum sn_lite_sql sql = change->is_resolved ? SN_LITE_RESOLVE_ERROR : SN_LITE_REOPEN_ERROR;
    SN_TRY(sn_lite_statement(&lite->writer, sql, &statement, err));
    sqlite3_bind_int64(statement, 1, change->id);
    if (change->is_resolved)
        sqlite3_bind_int64(statement, 2, change->now_ms);
    SN_TRY(sn_sqlite_run(lite->writer.db, statement, err));
    if (sqlite3_changes(lite->writer.db) == 0)
        write->status = sn_err_set(&write->err, SN_ERR_NOT_FOUND, "there is no error group %lld",
                                   (long long)change->id);
    return SN_OK;
}

/* ---- reading ---- */

static sn_status copy_texts(sqlite3_stmt *statement, struct sn_arena *arena,
                            struct sn_error_group *group, struct sn_err *err) {
    struct sn_str *const targets[] = {&group->app,     &group->operation, &group->error_class,
                                      &group->message, &group->sample,    &group->sample_type};
    for (int i = 0; i < 6; i++) {
        struct sn_str text = sn_sqlite_column_text(statement, 1 + i);
        if (!sn_arena_copy(arena, text, targets[i]))
            return sn_arena_failure(arena, text.len, err);
    }
    return SN_OK;
}

static sn_status read_group(sqlite3_stmt *statement, struct sn_arena *arena,
                            struct sn_error_group *group, struct sn_err *err) {
    *group = (struct sn_error_group){
        .id = sqlite3_column_int64(statement, 0),
        .count = (uint64_t)sqlite3_column_int64(statement, 7),
        .user_count = (uint64_t)sqlite3_column_int64(statement, 8),
        .reopened_count = (uint64_t)sqlite3_column_int64(statement, 9),
        .first_ms = sqlite3_column_int64(statement, 10),
        .last_ms = sqlite3_column_int64(statement, 11),
        .resolved_ms = sqlite3_column_int64(statement, 12),
    };
    return copy_texts(statement, arena, group, err);
}

sn_status sn_lite_list_errors(struct sn_lite_connection *reader,
                              const struct sn_error_filter *filter, struct sn_arena *arena,
                              struct sn_error_list *ret_list, struct sn_err *err) {
    sqlite3_stmt *statement = NULL;
    struct sn_error_list list = {.count = 0};
    list.items = sn_arena_alloc_zero(arena, filter->limit, sizeof *list.items);
    if (list.items == NULL)
        return sn_arena_failure(arena, filter->limit * sizeof *list.items, err);
    SN_TRY(sn_lite_statement(reader, SN_LITE_LIST_ERRORS, &statement, err));
    sn_lite_bind_optional(statement, 1, filter->app);
    sn_lite_bind_optional(statement, 2, filter->error_class);
    sqlite3_bind_int(statement, 3, (int)filter->state);
    sqlite3_bind_int64(statement, 4, filter->id);
    sqlite3_bind_int64(statement, 5, (int64_t)filter->limit);
    int code;
    while ((code = sqlite3_step(statement)) == SQLITE_ROW)
        SN_TRY(read_group(statement, arena, &list.items[list.count++], err));
    if (code != SQLITE_DONE)
        return sn_lite_failure(reader, code, err);
    *ret_list = list;
    return SN_OK;
}
