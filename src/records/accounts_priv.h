/*
 * What the files of the accounts share.
 */
#ifndef SN_RECORDS_ACCOUNTS_PRIV_H
#define SN_RECORDS_ACCOUNTS_PRIV_H

#include "base/lock.h"
#include "records/accounts.h"
#include "records/sqlite.h"

struct sn_accounts {
    struct sn_mutex mu; /* guards db */
    sqlite3 *db;
};

/* An array in an arena that doubles: the old one stays behind. */
struct sn_arena_list {
    void *items;
    size_t count, capacity, item_size;
};

/* Room for one more, zeroed. NULL without memory. */
static inline void *sn_arena_list_add(struct sn_arena_list *list, struct sn_arena *arena) {
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 16 : list->capacity * 2;
        char *items = sn_arena_alloc_zero(arena, capacity, list->item_size);
        if (items == NULL)
            return NULL;
        if (list->count > 0)
            memcpy(items, list->items, list->count * list->item_size);
        list->items = items;
        list->capacity = capacity;
    }
    return (char *)list->items + list->item_size * list->count++;
}

/* One row after the other of a bound statement: read gives a status of its own to stop. */
sn_status sn_accounts_each_row_locked(struct sn_accounts *accounts, sqlite3_stmt *select,
                                      sn_status (*read)(void *ctx, sqlite3_stmt *row), void *ctx,
                                      struct sn_err *err) SN_REQUIRES(&accounts->mu) SN_MUST_USE;

/* Run a statement with one number; ret_changed may be NULL. */
sn_status sn_accounts_run_id_locked(struct sn_accounts *accounts, const char *sql, int64_t id,
                                    int *ret_changed, struct sn_err *err)
    SN_REQUIRES(&accounts->mu) SN_MUST_USE;

/* The number that a statement without parameters gives. */
sn_status sn_accounts_number_locked(struct sn_accounts *accounts, const char *sql,
                                    int64_t *ret_number, struct sn_err *err)
    SN_REQUIRES(&accounts->mu) SN_MUST_USE;

/* SN_ERR_INVALID, SN_ERR_LIMIT: for names of users and tokens. */
sn_status sn_account_name_check(struct sn_str name, const char *what,
                                struct sn_err *err) SN_MUST_USE;

/* Copy a column of text into a fixed buffer; what does not fit is cut (our own writes always fit). */
void sn_account_column(sqlite3_stmt *row, int column, char *ret_text, size_t size);

#endif
