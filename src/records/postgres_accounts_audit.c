/*
 * The audit log in PostgreSQL: who did what to accounts and settings. See accounts.h.
 */
#include "records/accounts_priv.h"
#include "records/postgres_accounts.h"

#include <libpq-fe.h>

/* PostgreSQL's text is UTF-8 without NUL. What somebody gave as a name may be anything: it is kept
 * with "?" for the bytes that are not ASCII then. */
static void put_text(struct sn_pg_params *params, struct sn_str text) {
    bool is_sane = sn_str_is_utf8(text) && sn_str_find_char(text, '\0') == SIZE_MAX;
    sn_pg_put_text(params, text);
    if (is_sane || params->buf.status != SN_OK)
        return;
    uint8_t *bytes = params->buf.ptr + params->starts[params->count - 1];
    for (size_t i = 0; i < text.len; i++)
        if (bytes[i] == 0 || bytes[i] >= 0x80)
            bytes[i] = '?';
}

static sn_status add_row(void *args, struct sn_pg *pg, struct sn_err *err) {
    const struct sn_audit_row *row = args;
    struct sn_pg_params params;
    int64_t id = 0;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, row->time_ms);
    put_text(&params, row->actor);
    put_text(&params, row->peer);
    put_text(&params, row->action);
    put_text(&params, row->detail);
    SN_TRY(sn_postgres_accounts_number(pg,
                                       "INSERT INTO sonde_audit(time_ms, actor, peer, action,"
                                       " detail) VALUES($1, $2, $3, $4, $5) RETURNING id",
                                       &params, &id, err));
    if (id % SN_AUDIT_TRIM_EVERY != 0)
        return SN_OK;
    return sn_postgres_accounts_run_id(pg, "DELETE FROM sonde_audit WHERE id <= $1",
                                       id - SN_AUDIT_ROWS_MAX, err);
}

sn_status sn_postgres_accounts_add_audit(struct sn_accounts *accounts,
                                         const struct sn_audit_row *row, struct sn_err *err) {
    struct sn_audit_row copy = *row;
    return sn_pg_link_change(&accounts->link, add_row, &copy, err);
}

static bool read_row(const PGresult *result, int row, struct sn_arena *arena, void *ret_item) {
    struct sn_audit_row *item = ret_item;
    item->id = sn_pg_int8(result, row, 0);
    item->time_ms = sn_pg_int8(result, row, 1);
    return sn_arena_copy(arena, sn_pg_bytes(result, row, 2), &item->actor) &&
           sn_arena_copy(arena, sn_pg_bytes(result, row, 3), &item->peer) &&
           sn_arena_copy(arena, sn_pg_bytes(result, row, 4), &item->action) &&
           sn_arena_copy(arena, sn_pg_bytes(result, row, 5), &item->detail);
}

sn_status sn_postgres_accounts_list_audit(struct sn_accounts *accounts, int64_t before_id,
                                          size_t count_max, struct sn_arena *arena,
                                          struct sn_audit_list *ret_list, struct sn_err *err) {
    struct sn_pg_params params;
    PGresult *result = NULL;
    sn_pg_params_init(&params);
    sn_pg_put_int8(&params, before_id > 0 ? before_id : INT64_MAX);
    sn_pg_put_int8(&params, (int64_t)count_max);
    SN_TRY(sn_postgres_accounts_read(accounts,
                                     "SELECT id, time_ms, actor, peer, action, detail"
                                     " FROM sonde_audit WHERE id < $1 ORDER BY id DESC LIMIT $2",
                                     &params, &result, err));
    return sn_postgres_accounts_take_rows(result, arena, sizeof *ret_list->items, read_row,
                                          &ret_list->items, &ret_list->count, err);
}
